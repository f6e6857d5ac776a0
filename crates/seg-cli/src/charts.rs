//! Charts as SVG, drawn by hand: a line with the range of what is expected, bars, a sparkline
//! and the timeline of a person. Each is a function of plain numbers and has a `title` that says
//! in words what it shows.

mod bars;
mod line;
mod multiples;
mod palette;
mod scale;
mod sparkline;
mod timeline;

pub use bars::Bars;
pub use line::{Ahead, Line};
pub use multiples::{Multiple, Multiples, one};
use palette::standalone_style;
pub use palette::{STYLE, lines, variables};
pub use sparkline::sparkline;
pub use timeline::{Lane, Timeline};

use std::fmt::Write;

/// So wide is what is drawn, in units of the drawing.
pub const WIDTH: f64 = 480.0;
/// Charts end here on the right.
const RIGHT: f64 = 472.0;

/// Where the points of so many days and of days to come stand, from left to right.
#[derive(Clone, Copy)]
struct Days {
    left: f64,
    /// The distance of two of them.
    step: f64,
}

impl Days {
    /// `n` points, beginning behind labels of so many characters.
    fn new(n: usize, label_chars: usize) -> Days {
        // Digits are wider on a telephone, where text is drawn larger; `out` stands there too.
        let left = 10.0 + 9.0 * label_chars.max(3) as f64;
        Days { left, step: (RIGHT - left) / (n.max(2) - 1) as f64 }
    }

    fn at(self, nth: usize) -> f64 {
        self.left + self.step * nth as f64
    }
}

/// A number of a drawing, to the tenth.
fn unit(n: f64) -> String {
    let text = format!("{n:.1}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// A line through points, of whole numbers from one to the next: a third of what the points
/// themselves take.
fn path(places: impl Iterator<Item = (f64, f64)>) -> String {
    let (mut path, mut last, mut is_first) = (String::new(), (0, 0), true);
    for (x, y) in places {
        let (x, y) = (x.round() as i64, y.round() as i64);
        let (by_x, by_y) = (x - last.0, y - last.1);
        // Writing to a string does not fail.
        let _ = match (is_first, by_x, by_y) {
            (true, ..) => write!(path, "M{x} {y}"),
            (false, _, 0) => write!(path, "h{by_x}"),
            (false, _, 1..) => write!(path, "l{by_x} {by_y}"),
            (false, ..) => write!(path, "l{by_x}{by_y}"),
        };
        (last, is_first) = ((x, y), false);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([unit(52.0), unit(3.06), unit(-0.25)], ["52", "3.1", "-0.2"]);
        let places = [(1.0, 2.6), (3.0, 3.4), (5.2, 8.0), (7.4, 1.0)];
        assert_eq!(path(places.into_iter()), "M1 3h2l2 5l2-7");
        assert_eq!(path(std::iter::empty()), "");
    }

    #[test]
    fn days_fill_the_width() {
        let days = Days::new(3, 0);
        assert_eq!([days.at(0), days.at(1), days.at(2)], [37.0, 254.5, RIGHT]);
        // One day alone stands somewhere.
        assert_eq!(Days::new(1, 4).at(0), 46.0);
    }
}
