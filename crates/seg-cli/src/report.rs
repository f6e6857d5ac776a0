//! A report: one page of HTML that shows segments and the state of their data, without scripts
//! and without anything that is loaded. It is a function of plain figures.

mod figures;
mod page;

pub use figures::{Card, Chip, Figures, Mark, Need, Person, Reads, SegmentFigures, Tone};
pub use page::page;
