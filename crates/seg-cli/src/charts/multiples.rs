//! Sizes of segments as a drawing that is a file of its own: one with its entries and exits, or
//! many beside each other.

use super::{Bars, Line, WIDTH, bars, line, sparkline, standalone_style, unit};
use crate::output::shortened;
use maud::{Markup, PreEscaped, html};

/// So many stand beside each other.
const COLUMNS: usize = 3;
const CELL: (f64, f64) = (240.0, 104.0);
/// The size of the line in a cell.
const SPARK: (f64, f64) = (216.0, 40.0);
const MARGIN: f64 = 16.0;
/// The height of the heading.
const HEAD: f64 = 44.0;
/// Names longer than this are cut.
const NAME_MAX: usize = 36;
/// How names and numbers look.
const OWN_STYLE: &str = "svg{max-width:100%;height:auto}.h{fill:var(--ink);font:600 13px system-ui,sans-serif}.t{fill:var(--ink);font:11px system-ui,sans-serif}.s{fill:var(--mut);font:10px system-ui,sans-serif}.paper{fill:var(--card)}";

/// A segment among others.
pub struct Multiple {
    pub name: String,
    /// One a day, the last of now.
    pub sizes: Vec<u64>,
    /// The size, and how it changed, in words.
    pub says: String,
}

/// Segments beside each other.
pub struct Multiples<'a> {
    pub heading: &'a str,
    pub segments: &'a [Multiple],
}

impl Multiples<'_> {
    /// A cell a segment.
    pub fn svg(&self) -> String {
        let rows = self.segments.len().div_ceil(COLUMNS);
        let columns = self.segments.len().clamp(1, COLUMNS) as f64;
        let size = (2.0 * MARGIN + CELL.0 * columns, HEAD + MARGIN + CELL.1 * rows as f64);
        let title = format!("{}: the sizes of {} segments", self.heading, self.segments.len());
        file(
            &title,
            size,
            &html! {
                text.h x=(MARGIN) y="26" { (self.heading) }
                @for (nth, segment) in self.segments.iter().enumerate() {
                    @let (x, y) = (MARGIN + CELL.0 * (nth % COLUMNS) as f64, HEAD + CELL.1 * (nth / COLUMNS) as f64);
                    g transform={ "translate(" (unit(x)) " " (unit(y)) ")" } {
                        title { (segment.name) ": " (segment.says) }
                        text.t y="12" { (shortened(&segment.name, NAME_MAX)) }
                        text.s y="27" { (segment.says) }
                        g transform="translate(0 34)" { (sparkline::marks(&segment.sizes, SPARK)) }
                    }
                }
            },
        )
    }
}

/// One segment: its sizes, and below them its entries and exits.
pub fn one(heading: &str, says: &str, line: &Line<'_>, bars: &Bars<'_>) -> String {
    let size = (WIDTH + 2.0 * MARGIN, HEAD + 14.0 + line::HEIGHT + bars::HEIGHT + MARGIN);
    let below = HEAD + 14.0 + line::HEIGHT;
    file(
        line.title,
        size,
        &html! {
            text.h x=(MARGIN) y="26" { (heading) }
            text.s x=(MARGIN) y="44" { (says) }
            g transform={ "translate(" (MARGIN) " " (HEAD + 10.0) ")" } { (line.marks()) }
            g transform={ "translate(" (MARGIN) " " (below) ")" } { title { (bars.title) } (bars.marks()) }
        },
    )
}

/// A file of a drawing.
fn file(title: &str, (width, height): (f64, f64), marks: &Markup) -> String {
    let style = standalone_style(OWN_STYLE);
    let drawing = html! {
        svg xmlns="http://www.w3.org/2000/svg" role="img" width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } {
            title { (title) }
            style { (PreEscaped(style)) }
            rect.paper width=(width) height=(height) {}
            (marks)
        }
    };
    format!("{}\n", drawing.into_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_segments_stand_beside_each_other() {
        let segment = |name: &str| Multiple { name: name.to_owned(), sizes: vec![1, 3, 2], says: "2; +1".to_owned() };
        let segments = ["Lapsed", "<script>alert(1)</script>", "\"New\" & so on", "Fourth"].map(segment);
        let drawing = Multiples { heading: "shop, 2 days up to 1 June", segments: &segments }.svg();
        let (_, marks) = drawing.split_once("</style>").expect("a style");
        insta::assert_snapshot!(marks);
        // Where there is none it is a drawing all the same.
        assert!(Multiples { heading: "shop", segments: &[] }.svg().starts_with("<svg xmlns="));
    }

    #[test]
    fn names_are_cut() {
        let long = "x".repeat(40);
        assert_eq!(
            (shortened("short", NAME_MAX), shortened(&long, NAME_MAX).chars().count()),
            ("short".to_owned(), NAME_MAX)
        );
    }
}
