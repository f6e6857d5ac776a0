//! What one person did, and when they were in a segment.

use maud::{Markup, html};
use std::fmt::Write;

const WIDTH: f64 = 560.0;
const LEFT: f64 = 8.0;
const RIGHT: f64 = 552.0;
/// The height of a lane: its name, and its line below.
const LANE: f64 = 36.0;
/// So far below the top of a lane is its line.
const LINE: f64 = 27.0;
/// The height of the labels below.
const LABELS: f64 = 22.0;
/// A lane without a name is so high.
const BARE: f64 = 16.0;

/// The days on which somebody did one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// What it is called.
    pub name: String,
    /// Where each day stands, from 0 at the beginning to 1 at the end, and how often it was
    /// done on it.
    pub days: Vec<(f64, u64)>,
}

/// A person over some time.
pub struct Timeline<'a> {
    /// What it shows, in words.
    pub title: &'a str,
    /// From where to where they were in the segment, between 0 and 1.
    pub stays: &'a [(f64, f64)],
    pub lanes: &'a [Lane],
    /// What the beginning and the end are called.
    pub ends: (&'a str, &'a str),
}

impl Timeline<'_> {
    /// The drawing.
    pub fn svg(&self) -> Markup {
        let height = if self.lanes.is_empty() { BARE } else { LANE * self.lanes.len() as f64 };
        let at = |part: f64| LEFT + (RIGHT - LEFT) * part.clamp(0.0, 1.0);
        html! {
            svg.life role="img" viewBox={ "0 0 " (WIDTH) " " (height + LABELS) } {
                title { (self.title) }
                @for (from, to) in self.stays {
                    // The shortest stay is seen.
                    @let width = (at(*to) - at(*from)).max(1.5);
                    rect.stay x=(at(*from).round()) width=(width.round()) height=(height) {}
                }
                @for (lane, nth) in self.lanes.iter().zip(0_u32..) {
                    @let y = LANE * f64::from(nth) + LINE;
                    text.ax x=(LEFT) y=(y - 12.0) { (lane.name) }
                    path.axis d={ "M" (LEFT) " " (y) "H" (RIGHT) } {}
                    @for (class, most) in [("dot s", 1..=1), ("dot m", 2..=4), ("dot l", 5..=u64::MAX)] {
                        @let dots = dots(lane.days.iter().filter(|(_, n)| most.contains(n)).map(|(part, _)| at(*part)), y);
                        @if !dots.is_empty() { path class=(class) d=(dots) {} }
                    }
                }
                text.ax x=(LEFT) y=(height + 15.0) { (self.ends.0) }
                text.ax.e x=(RIGHT) y=(height + 15.0) { (self.ends.1) }
            }
        }
    }
}

/// Lines of no length, whose round ends are dots.
fn dots(places: impl Iterator<Item = f64>, y: f64) -> String {
    let mut path = String::new();
    for x in places {
        // Writing to a string does not fail.
        let _ = write!(path, "M{x:.0} {y:.0}h0");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_drawn() {
        let lanes = [
            Lane { name: "purchase".to_owned(), days: vec![(0.25, 1), (0.5, 7)] },
            Lane { name: "<script>".to_owned(), days: vec![] },
        ];
        let timeline = Timeline {
            title: "8 purchases",
            stays: &[(0.5, 1.0), (0.1, 0.1)],
            lanes: &lanes,
            ends: ("2 Sep", "1 Dec"),
        };
        insta::assert_snapshot!(timeline.svg().into_string());
    }

    #[test]
    fn who_did_nothing_may_have_been_in() {
        let timeline = Timeline { title: "nothing", stays: &[(0.0, 1.0)], lanes: &[], ends: ("2 Sep", "1 Dec") };
        insta::assert_snapshot!(timeline.svg().into_string());
    }
}
