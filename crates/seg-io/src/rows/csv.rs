//! Rows of CSV files.

mod records;
mod swallowed;

use super::blocks::{Block, Blocks, layout_of};
use super::dialect::Dialect;
use super::making::Layout;
use super::pieces::{LINE_BYTES_MAX, Pace, Pieces, blank_lines, in_order, n_lines};
use super::{Columns, RowSink};
use crate::cell::Cell;
use crate::manifest::CsvRead;
use crate::open::DataFile;
use crate::report::{ProblemKind, ReadError};
use records::{Found, Record, Records};
use std::collections::HashMap;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use swallowed::{Oversize, swallowed};

/// How much is looked at for the header, before threads have work.
const HEAD_BYTES: usize = 64 * 1024;
/// Where so many columns in a row were not taken, no more are made.
const REFUSED_MAX: usize = 4;

pub(super) fn read(
    file: &DataFile,
    said: &CsvRead,
    pace: Pace,
    stream: Box<dyn Read + Send>,
    sink: &mut dyn RowSink,
) -> Result<(), ReadError> {
    let Dialect { delimiter, escape, guessed, text } =
        Dialect::of(stream, said, file.format).map_err(|error| file.error(&error))?;
    if let Some(encoding) = guessed {
        sink.note(ProblemKind::Encoding, encoding, 1);
    }
    let mut pieces = Pieces::new(text, pace, Some(b'"'));
    let mut records = Records::new(delimiter, escape);
    let (head, used) = header(file, &mut pieces, &mut records)?;
    let header = records.record().to_owned();
    let names: Vec<String> = header
        .fields()
        .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_owned())
        .collect();
    if names.iter().all(String::is_empty) {
        return Err(ReadError::new(&file.name, "the file is empty; a header line with column names is needed"));
    }
    let mut n_met: HashMap<&str, usize> = HashMap::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        let n = n_met.entry(name).or_default();
        *n += 1;
        if *n == 2 {
            sink.note(ProblemKind::RepeatedColumn, name, 1);
        }
    }
    sink.columns(&names);
    let layout = layout_of(sink, names.len());
    let shape = Shape { header, n_fields: names.len(), delimiter, records: records.anew() };
    let is_refused = AtomicBool::new(layout.is_none());
    let mut rows = Rows {
        sink,
        shape: &shape,
        records: shape.records.anew(),
        n_lines: n_lines(head.get(..used).unwrap_or_default()),
        carried: Vec::new(),
        oversize: None,
        n_refused: 0,
        is_refused: &is_refused,
    };
    rows.go_on(head.get(used..).unwrap_or_default());
    drop(head);
    let failed = |error: &std::io::Error| file.error(error);
    match layout {
        None => {
            while let Some(text) = pieces.next().map_err(|error| failed(&error))? {
                rows.go_on(&text);
            }
        }
        Some(layout) => {
            let read = |text: &[u8]| shape.read(&layout, text, is_refused.load(Ordering::Relaxed));
            in_order(pieces, pace.threads, failed, read, |text, read| {
                rows.piece(&text, read);
                Ok(())
            })?;
        }
    }
    rows.end();
    Ok(())
}

/// Reads the first record, and gives the text in which it is, with where it ends.
fn header(file: &DataFile, pieces: &mut Pieces, records: &mut Records) -> Result<(Vec<u8>, usize), ReadError> {
    let mut head = Vec::new();
    loop {
        let text = pieces.next_of(HEAD_BYTES).map_err(|error| file.error(&error))?;
        let is_end = text.is_none();
        head.extend(text.unwrap_or_default());
        // Only at the beginning of a file is there a mark of its encoding.
        *records = records.of_whole_file();
        match records.next(&head, is_end) {
            Found::Record { end, .. } => return Ok((head, end)),
            Found::End { end, .. } if is_end => return Ok((head, end)),
            Found::Unfinished | Found::End { .. } if head.len() > LINE_BYTES_MAX => {
                return Err(ReadError::new(&file.name, "line 1 is longer than 16 MiB"));
            }
            Found::Unfinished | Found::End { .. } => {}
        }
    }
}

/// What the header says of the rows.
struct Shape {
    header: Record,
    n_fields: usize,
    delimiter: u8,
    /// As it is where a record begins.
    records: Records,
}

/// What is wrong with a record.
enum Wrong {
    /// A quote took so many lines that look like rows.
    Swallowed(usize),
    Broken(String),
    /// Files that were put one behind the other.
    IsHeader,
}

/// What was made of a piece that was read as if a record began with it.
struct PieceRead {
    blocks: Vec<Block>,
    /// So many bytes and ends of lines were read.
    end: usize,
    n_lines: u64,
    /// Whether what follows is no whole record.
    is_whole: bool,
}

impl Shape {
    fn wrong(&self, record: &Record) -> Option<Wrong> {
        if let Some(n_lines) = swallowed(record, self.n_fields, self.delimiter) {
            return Some(Wrong::Swallowed(n_lines));
        }
        if record.len() != self.n_fields {
            return Some(Wrong::Broken(format!("{} fields where {} are needed", record.len(), self.n_fields)));
        }
        let is_header = record.fields().next() == self.header.fields().next() && *record == self.header;
        is_header.then_some(Wrong::IsHeader)
    }

    /// Makes columns of the rows of a piece, on any thread; nothing where that is of no use.
    fn read(&self, layout: &Layout, text: &[u8], is_refused: bool) -> PieceRead {
        let mut records = self.records.anew();
        let mut blocks = Blocks::new(layout);
        let (mut at, mut n_lines, mut goes_on) = (0, 0, !is_refused);
        while goes_on {
            match records.next(text.get(at..).unwrap_or_default(), false) {
                Found::Record { end, n_before, n_lines: n_own } => {
                    let record = records.record();
                    let (maker, mut cells) = (&mut blocks.maker, record.cells().enumerate());
                    let is_fit = self.wrong(record).is_none() && cells.all(|(column, cell)| maker.put(column, &cell));
                    goes_on = blocks.end_row(is_fit, at..at + end, n_lines, n_lines + n_before + 1);
                    at += end;
                    n_lines += n_before + n_own;
                }
                Found::End { end, n_before } => {
                    at += end;
                    n_lines += n_before;
                    break;
                }
                Found::Unfinished => break,
            }
        }
        PieceRead { blocks: blocks.finish(at), end: at, n_lines, is_whole: goes_on }
    }
}

/// Takes rows in the order of the file.
struct Rows<'r> {
    sink: &'r mut dyn RowSink,
    shape: &'r Shape,
    records: Records,
    /// Lines of the file before what is carried.
    n_lines: u64,
    /// The beginning of a record whose end is in the next piece.
    carried: Vec<u8>,
    /// A record that is longer than what is held.
    oversize: Option<Oversize>,
    n_refused: usize,
    is_refused: &'r AtomicBool,
}

impl Rows<'_> {
    /// The next piece of the file, as it was read.
    fn piece(&mut self, text: &[u8], read: PieceRead) {
        if !self.carried.is_empty() || self.oversize.is_some() {
            return self.go_on(text);
        }
        for block in read.blocks {
            let is_taken = block.columns.is_some_and(|columns| self.columns(columns));
            if !is_taken {
                let text = text.get(block.range).unwrap_or_default();
                self.rows(text, self.n_lines + block.n_lines_before);
            }
        }
        self.n_lines += read.n_lines;
        let rest = text.get(read.end..).unwrap_or_default();
        match read.is_whole {
            true => self.carry(rest),
            false => self.go_on(rest),
        }
    }

    /// Offers columns, and says whether they were taken.
    fn columns(&mut self, columns: Columns) -> bool {
        let is_taken = self.sink.batches(self.n_lines, &[columns]) > 0;
        self.n_refused = if is_taken { 0 } else { self.n_refused + 1 };
        if self.n_refused == REFUSED_MAX {
            self.is_refused.store(true, Ordering::Relaxed);
        }
        is_taken
    }

    /// Text that follows what is carried.
    fn go_on(&mut self, text: &[u8]) {
        let mut text = text;
        if let Some(oversize) = &mut self.oversize {
            let used = oversize.go_on(text);
            self.n_lines += n_lines(text.get(..used.unwrap_or(text.len())).unwrap_or_default());
            let Some(used) = used else { return };
            self.end_oversize();
            text = text.get(used..).unwrap_or_default();
        }
        let carried = std::mem::take(&mut self.carried);
        let joined = if carried.is_empty() { Vec::new() } else { [&carried, text].concat() };
        let text = if carried.is_empty() { text } else { &joined };
        let (end, n_lines) = self.rows(text, self.n_lines);
        self.n_lines = n_lines;
        self.carry(text.get(end..).unwrap_or_default());
    }

    /// Keeps the beginning of a record, but not the text of one that is longer than may be.
    fn carry(&mut self, text: &[u8]) {
        if text.len() <= LINE_BYTES_MAX {
            return self.carried.extend_from_slice(text);
        }
        let (_, n_before) = blank_lines(text);
        let line = self.n_lines + n_before + 1;
        let mut oversize = Oversize::new(&self.shape.records, line, self.shape.n_fields, self.shape.delimiter);
        oversize.go_on(text);
        self.n_lines += n_lines(text);
        self.oversize = Some(oversize);
    }

    fn end_oversize(&mut self) {
        let Some(oversize) = self.oversize.take() else { return };
        match oversize.n_taken() {
            Some(n_lines) => tell_of_swallowed(self.sink, oversize.line, n_lines),
            None => self.sink.broken(oversize.line, &oversize.why()),
        }
    }

    /// The whole records of a text behind so many lines; gives how many bytes they have, and
    /// how many lines are before what follows.
    fn rows(&mut self, text: &[u8], n_lines: u64) -> (usize, u64) {
        let (mut at, mut n_lines) = (0, n_lines);
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(self.shape.n_fields);
        loop {
            match self.records.next(text.get(at..).unwrap_or_default(), false) {
                Found::Record { end, n_before, n_lines: n_own } => {
                    cells = self.row(n_lines + n_before + 1, cells);
                    at += end;
                    n_lines += n_before + n_own;
                }
                Found::End { end, n_before } => return (at + end, n_lines + n_before),
                Found::Unfinished => return (at, n_lines),
            }
        }
    }

    /// The record that was read.
    fn row<'c>(&mut self, line: u64, cells: Vec<Cell<'_>>) -> Vec<Cell<'c>> {
        let record = self.records.record();
        let mut own = recycle(cells);
        match self.shape.wrong(record) {
            Some(Wrong::Swallowed(n_lines)) => tell_of_swallowed(self.sink, line, n_lines),
            Some(Wrong::Broken(why)) => self.sink.broken(line, &why),
            Some(Wrong::IsHeader) => self.sink.note(ProblemKind::RepeatedHeader, "", line),
            None => {
                own.extend(record.cells());
                self.sink.row(line, &own);
            }
        }
        recycle(own)
    }

    /// What is carried is all there is.
    fn end(mut self) {
        let carried = std::mem::take(&mut self.carried);
        if let Some(oversize) = &mut self.oversize {
            oversize.end();
            return self.end_oversize();
        }
        if let Found::Record { n_before, .. } = self.records.next(&carried, true) {
            self.row(self.n_lines + n_before + 1, Vec::new());
        }
    }
}

/// Tells of lines that a quote took: each of them is a row that is lost.
fn tell_of_swallowed(sink: &mut dyn RowSink, line: u64, n_lines: usize) {
    sink.broken(line, &format!("a quote took {n_lines} lines that look like rows"));
    let why = format!("taken by the quote of line {line}");
    (1..=n_lines as u64).for_each(|n| sink.broken(line + n, &why));
}

/// An empty vector of the same allocation, free of the old cells' lifetime.
fn recycle<'b>(mut cells: Vec<Cell<'_>>) -> Vec<Cell<'b>> {
    cells.clear();
    cells.into_iter().map(|_| Cell::Missing).collect()
}
