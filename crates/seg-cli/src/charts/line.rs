//! Sizes over days, and the range of those to come.

use super::scale::Axis;
use super::{Days, RIGHT, WIDTH, path, unit};
use crate::output::grouped;
use maud::{Markup, html};
use seg::unstable::forecast::Expected;

/// So high is the drawing, with the days below it.
pub const HEIGHT: f64 = 180.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 152.0;
const LABELS: f64 = 172.0;

/// What is expected of a day to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ahead {
    pub expected: f64,
    /// The range around it.
    pub from: f64,
    pub to: f64,
}

impl Ahead {
    /// What is drawn of a forecast; without a range the range is the number itself.
    pub fn of(expected: &Expected) -> Ahead {
        let (from, to) = expected.range.unwrap_or((expected.value, expected.value));
        Ahead { expected: expected.value, from, to }
    }
}

/// A line of sizes.
pub struct Line<'a> {
    /// What it shows, in words.
    pub title: &'a str,
    /// One a day, the last of now.
    pub sizes: &'a [u64],
    /// What is expected of the days after that, if anything.
    pub ahead: &'a [Ahead],
    /// How large it was 52 weeks before each day, those to come as well, where that is known;
    /// empty where it is of none.
    pub year_before: &'a [Option<u64>],
    /// How each day is called, those to come as well.
    pub days: &'a [String],
}

impl Line<'_> {
    /// How many characters the longest label beside it has.
    pub fn label_chars(&self) -> usize {
        self.axis().ticks().map(|tick| grouped(tick).len()).max().unwrap_or(1)
    }

    fn axis(&self) -> Axis {
        let whole = |n: f64| n.max(0.0) as u64;
        let known = || self.sizes.iter().copied().chain(self.year_before.iter().copied().flatten());
        let least = self.ahead.iter().map(|day| whole(day.from.floor())).chain(known()).min();
        let most = self.ahead.iter().map(|day| whole(day.to.ceil())).chain(known()).max();
        Axis::around(least.unwrap_or(0), most.unwrap_or(0))
    }

    /// The drawing by itself.
    pub fn svg(&self) -> Markup {
        html! {
            svg.chart role="img" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } {
                title { (self.title) }
                (self.marks())
            }
        }
    }

    /// What is drawn, to be put into a drawing.
    pub fn marks(&self) -> Markup {
        let (axis, days) = (self.axis(), Days::new(self.sizes.len() + self.ahead.len(), self.label_chars()));
        let height = |value: f64| axis.at(value, BOTTOM, TOP);
        let now = self.sizes.len().saturating_sub(1);
        let last = self.sizes.last().map(|size| (days.at(now), height(*size as f64)));
        let sizes = self.sizes.iter().enumerate().map(|(nth, size)| (days.at(nth), height(*size as f64)));
        let ahead = |of: fn(&Ahead) -> f64| {
            let places = self.ahead.iter().zip(now + 1..).map(move |(day, nth)| (days.at(nth), height(of(day))));
            last.into_iter().chain(places)
        };
        let band: Vec<(f64, f64)> = ahead(|day| day.to).collect();
        let lower: Vec<(f64, f64)> = ahead(|day| day.from).collect();
        let year_before = self.year_before.iter().enumerate();
        let year_before = path(year_before.filter_map(|(nth, size)| Some((days.at(nth), height((*size)? as f64)))));
        let (left, now_at) = (days.at(0).round(), days.at(now).round());
        let lines = axis.ticks().map(|tick| format!("M{left} {:.0}H{RIGHT}", height(tick as f64)));
        html! {
            path.grid d=(lines.collect::<String>()) {}
            g.ax.e {
                @for tick in axis.ticks() {
                    text x=(left - 6.0) y=(unit((height(tick as f64) + 3.5).round())) { (grouped(tick)) }
                }
            }
            @if !self.ahead.is_empty() {
                path.band d={ (path(band.into_iter().chain(lower.into_iter().rev()))) "z" } {}
                path.exp d=(path(ahead(|day| day.expected))) {}
                path.now d={ "M" (now_at) " " (TOP) "V" (BOTTOM) } {}
            }
            @if !year_before.is_empty() { path.year d=(year_before) {} }
            path.line d=(path(sizes)) {}
            @if let Some((x, y)) = last { circle.dot cx=(x.round()) cy=(y.round()) r="3" {} }
            @for (nth, class) in labelled(self.sizes.len(), self.ahead.len()) {
                @if let Some(day) = self.days.get(nth) {
                    text class=(class) x=(days.at(nth).round()) y=(LABELS) { (day) }
                }
            }
        }
    }
}

/// Which days are called by name, and on which side of them the name stands: the first, two
/// between, now, and the last of those to come.
fn labelled(n: usize, n_ahead: usize) -> Vec<(usize, &'static str)> {
    let now = n.saturating_sub(1);
    let mut labelled = vec![(0, "ax")];
    if n > 8 {
        labelled.extend([(now / 3, "ax m"), (now * 2 / 3, "ax m")]);
    }
    // Beside the last of many days to come there is room below now.
    if now > 0 && (n_ahead == 0 || n_ahead * 6 >= n + n_ahead) {
        labelled.push((now, if n_ahead == 0 { "ax e" } else { "ax m" }));
    }
    if n_ahead > 0 {
        labelled.push((now + n_ahead, "ax e"));
    }
    labelled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(n: usize) -> Vec<String> {
        (1..=n).map(|day| format!("{day} Dec")).collect()
    }

    #[test]
    fn a_line_is_drawn() {
        let (sizes, days) = ([10, 12, 11, 20], days(4));
        let line = Line { title: "Lapsed: 20 now", sizes: &sizes, ahead: &[], year_before: &[], days: &days };
        insta::assert_snapshot!(line.svg().into_string());
    }

    #[test]
    fn what_is_expected_has_a_range() {
        let (sizes, days) = ([100, 104], days(4));
        let of = |expected, from, to| Ahead { expected, from, to };
        let ahead = [of(105.5, 103.0, 108.0), of(107.0, 102.0, 112.0)];
        let line = Line { title: "<b>", sizes: &sizes, ahead: &ahead, year_before: &[], days: &days };
        insta::assert_snapshot!(line.svg().into_string());
    }

    #[test]
    fn the_year_before_is_a_line_of_its_own() {
        let (sizes, days) = ([10, 12], days(4));
        let of = |expected| Ahead { expected, from: expected, to: expected };
        let year_before = [None, Some(30), Some(20), None];
        let line =
            Line { title: "t", sizes: &sizes, ahead: &[of(12.0), of(12.0)], year_before: &year_before, days: &days };
        let drawn = line.svg().into_string();
        assert!(drawn.contains("class=\"year\""), "{drawn}");
        // The axis holds it.
        assert!(drawn.contains(">30<"), "{drawn}");
    }

    #[test]
    fn few_days_are_called_by_name() {
        assert_eq!(labelled(29, 0), [(0, "ax"), (9, "ax m"), (18, "ax m"), (28, "ax e")]);
        assert_eq!(labelled(29, 14).last(), Some(&(42, "ax e")));
        // So few to come have no room for both names.
        assert_eq!(labelled(91, 7), [(0, "ax"), (30, "ax m"), (60, "ax m"), (97, "ax e")]);
        assert_eq!(labelled(1, 0), [(0, "ax")]);
        assert_eq!(labelled(0, 0), [(0, "ax")]);
    }
}
