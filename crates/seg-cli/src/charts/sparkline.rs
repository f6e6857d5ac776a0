//! A line in a row of a table.

use super::path;
use maud::{Markup, html};

const WIDTH: f64 = 120.0;
/// So high is the drawing.
pub const HEIGHT: f64 = 24.0;
/// The line keeps so far from the edges.
const MARGIN: f64 = 2.0;

/// Sizes from the smallest to the largest, without an axis.
pub fn sparkline(title: &str, sizes: &[u64]) -> Markup {
    html! {
        svg.spark role="img" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } {
            title { (title) }
            (marks(sizes, (WIDTH, HEIGHT)))
        }
    }
}

/// What is drawn within a width and a height.
pub fn marks(sizes: &[u64], (width, height): (f64, f64)) -> Markup {
    let (least, most) = (sizes.iter().min().copied().unwrap_or(0), sizes.iter().max().copied().unwrap_or(0));
    let step = (width - 2.0 * MARGIN) / (sizes.len().max(2) - 1) as f64;
    let places = sizes.iter().enumerate().map(|(nth, size)| {
        // What never changes runs through the middle.
        let part = if most == least { 0.5 } else { (size - least) as f64 / (most - least) as f64 };
        (MARGIN + step * nth as f64, height - MARGIN - (height - 2.0 * MARGIN) * part)
    });
    html! { path.line d=(path(places)) {} }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparklines_go_from_the_smallest_to_the_largest() {
        insta::assert_snapshot!(sparkline("from 3 to 5", &[3, 7, 5]).into_string());
        assert!(marks(&[4, 4], (120.0, 24.0)).into_string().contains("M2 12h116"));
        assert!(marks(&[], (120.0, 24.0)).into_string().contains("d=\"\""));
    }
}
