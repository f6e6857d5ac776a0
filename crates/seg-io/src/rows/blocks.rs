//! What is made of a piece of a text file: stretches of rows that became columns, and
//! others that are read row by row.

use super::making::{Layout, Maker};
use super::{Columns, RowSink};
use std::ops::Range;

/// Rows that stand one behind the other.
pub(super) struct Block {
    /// Where in the piece they are.
    pub range: Range<usize>,
    /// So many lines of the piece come before them.
    pub n_lines_before: u64,
    /// Their lines are counted from the beginning of the piece; none where they are read row
    /// by row.
    pub columns: Option<Columns>,
}

/// So many stretches a piece has; what follows them is read row by row, which costs less
/// than to make many short columns.
const BLOCKS_MAX: usize = 64;

/// A piece whose rows are found one after the other.
pub(super) struct Blocks<'l> {
    pub maker: Maker<'l>,
    blocks: Vec<Block>,
    /// Where the columns at hand begin, and the lines before them.
    begin: (usize, u64),
}

impl<'l> Blocks<'l> {
    pub fn new(layout: &'l Layout) -> Blocks<'l> {
        Blocks { maker: Maker::new(layout), blocks: Vec::new(), begin: (0, 0) }
    }

    /// Ends the row at hand, whose values may be as they should be, and says whether another
    /// may follow. It is at `range` of the piece, blank lines before it with it, behind so
    /// many lines, and begins on `line`.
    pub fn end_row(&mut self, is_fit: bool, range: Range<usize>, n_lines_before: u64, line: u64) -> bool {
        if self.maker.n_rows() == 0 {
            self.begin = (range.start, n_lines_before);
        }
        if is_fit && self.maker.end_row(line as u32) {
            return true;
        }
        self.maker.undo_row();
        self.end_columns(range.start);
        match self.blocks.last_mut() {
            Some(block) if block.columns.is_none() && block.range.end == range.start => block.range.end = range.end,
            Some(_) | None => self.blocks.push(Block { range, n_lines_before, columns: None }),
        }
        self.blocks.len() < BLOCKS_MAX
    }

    fn end_columns(&mut self, end: usize) {
        let (begin, n_lines_before) = self.begin;
        if self.maker.n_rows() > 0 {
            let columns = Some(self.maker.finish());
            self.blocks.push(Block { range: begin..end, n_lines_before, columns });
        }
    }

    /// All stretches, of which the last row ends here.
    pub fn finish(mut self, rows_end: usize) -> Vec<Block> {
        self.end_columns(rows_end);
        self.blocks
    }
}

/// The layout of a file with so many columns for a sink that takes them; none where it
/// takes rows one by one.
pub(super) fn layout_of(sink: &dyn RowSink, n_columns: usize) -> Option<Layout> {
    let purposes = sink.purposes(n_columns)?;
    purposes.iter().flatten().all(|purpose| purpose.makes_columns()).then(|| Layout { purposes, zone: sink.zone() })
}
