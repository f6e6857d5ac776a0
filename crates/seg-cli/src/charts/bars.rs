//! Entries above a line and exits below it, day by day.

use super::{Days, RIGHT, WIDTH, unit};
use crate::output::grouped;
use maud::{Markup, html};
use std::fmt::Write;

/// So high is the drawing.
pub const HEIGHT: f64 = 96.0;
const MIDDLE: f64 = 48.0;
/// The longest bar.
const LENGTH_MAX: f64 = 40.0;

/// How many came in and went out on each day.
pub struct Bars<'a> {
    /// What they show, in words.
    pub title: &'a str,
    /// Of each day those who came in and those who went out.
    pub moves: &'a [(u64, u64)],
    /// So many days to come are left free, as in the line above.
    pub n_ahead: usize,
    /// So many characters the labels of the line above have.
    pub label_chars: usize,
}

impl Bars<'_> {
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
        let most = self.moves.iter().flat_map(|(entered, left)| [*entered, *left]).max().unwrap_or(0);
        // A day's bar stands between the instant before and its own.
        let days = Days::new(self.moves.len() + 1 + self.n_ahead, self.label_chars);
        let bars = |of: fn(&(u64, u64)) -> u64, sign: &str| {
            let mut path = String::new();
            for (nth, day) in self.moves.iter().enumerate().filter(|(_, day)| of(day) > 0) {
                // The shortest bar is seen.
                let length = (LENGTH_MAX * of(day) as f64 / most.max(1) as f64).round().max(1.0);
                // Writing to a string does not fail.
                let _ = write!(path, "M{:.0} {MIDDLE}v{sign}{length}", days.at(nth) + days.step / 2.0);
            }
            path
        };
        let width = unit((days.step * 0.7).max(0.5));
        let label = unit(days.left - 6.0);
        html! {
            path.in stroke-width=(width) d=(bars(|day| day.0, "-")) {}
            path.out stroke-width=(width) d=(bars(|day| day.1, "")) {}
            path.axis d={ "M" (unit(days.left)) " " (MIDDLE) "H" (RIGHT) } {}
            g.ax.e {
                @if most > 0 {
                    text x=(label) y="14" { (grouped(most)) }
                    text x=(label) y="90" { (grouped(most)) }
                }
                text x=(label) y=(MIDDLE - 6.0) { "in" }
                text x=(label) y=(MIDDLE + 14.0) { "out" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_drawn_where_somebody_moves() {
        let moves = [(4, 0), (0, 0), (2, 8)];
        let bars = Bars { title: "6 in, 8 out", moves: &moves, n_ahead: 0, label_chars: 2 };
        insta::assert_snapshot!(bars.svg().into_string());
    }

    #[test]
    fn nobody_who_moves_is_no_bar() {
        let bars = Bars { title: "nobody", moves: &[(0, 0)], n_ahead: 2, label_chars: 1 };
        assert!(bars.svg().into_string().contains("d=\"\""));
    }
}
