//! Rows of files with a JSON object a line, or with one array of them.

mod fields;

use super::blocks::{Block, Blocks, layout_of};
use super::not_numbers::{Blanked, Quotes, blank};
use super::pieces::{LINE_BYTES_MAX, Pace, Pieces, in_order};
use super::{Columns, RowSink};
use crate::cell::Cell;
use crate::open::DataFile;
use crate::report::ReadError;
use fields::{Fields, Known, Line, Lines};
use serde::Deserializer;
use serde::de::{SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const BOM: &[u8] = "\u{feff}".as_bytes();

/// How much is looked at for the fields, before threads have work.
const HEAD_BYTES: usize = 64 * 1024;
/// Files with more fields than this have others in each row; they are read row by row.
const FIELDS_MAX: usize = 10_000;
/// Where so many columns in a row were not taken, no more are made.
const REFUSED_MAX: usize = 4;

pub(super) fn read(
    file: &DataFile,
    pace: Pace,
    stream: Box<dyn Read + Send>,
    sink: &mut dyn RowSink,
) -> Result<(), ReadError> {
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    let mut rows = Rows::new(file, sink);
    // What stands before the first value may be long, and is nothing.
    loop {
        let start = reader.fill_buf().map_err(|e| file.error(&e))?;
        let n_before = if start.starts_with(BOM) { BOM.len() } else { 0 };
        let rest = start.get(n_before..).unwrap_or_default();
        let n_blanks = rest.len() - rest.trim_ascii_start().len();
        match (start.is_empty(), rest.get(n_blanks)) {
            (true, _) => return Ok(()),
            (false, Some(b'[')) => return rows.array(reader),
            // Lines are counted from the beginning.
            (false, Some(_)) => return rows.lines(Pieces::new(Box::new(reader), pace, None), pace),
            (false, None) => {
                rows.n_rows += rest.iter().filter(|byte| **byte == b'\n').count() as u64;
                let n = start.len();
                reader.consume(n);
            }
        }
    }
}

/// Rows that are lines, whatever the first of them begins with.
pub(super) fn read_each_line(
    file: &DataFile,
    stream: Box<dyn Read + Send>,
    sink: &mut dyn RowSink,
) -> Result<(), ReadError> {
    let pace = Pace::default();
    Rows::new(file, sink).lines(Pieces::new(stream, pace, None), pace)
}

/// The rows of a file, and which fields were met in them.
struct Rows<'s> {
    file: &'s DataFile,
    sink: &'s mut dyn RowSink,
    names: Vec<String>,
    positions: HashMap<String, usize>,
    fields: Fields,
    /// So many of the columns may be looked at.
    n_wanted: usize,
    /// Lines, or objects of an array, so far.
    n_rows: u64,
    n_refused: usize,
}

/// What was made of a piece.
struct PieceRead {
    blocks: Vec<Block>,
    /// What was known of the file then.
    known: Arc<Known>,
    /// So many bytes and lines were read.
    end: usize,
    n_lines: u64,
}

impl<'s> Rows<'s> {
    fn new(file: &'s DataFile, sink: &'s mut dyn RowSink) -> Rows<'s> {
        let (names, positions, fields) = Default::default();
        Rows { file, sink, names, positions, fields, n_wanted: 0, n_rows: 0, n_refused: 0 }
    }

    fn lines(&mut self, mut pieces: Pieces, pace: Pace) -> Result<(), ReadError> {
        let file = self.file;
        let failed = |error: &std::io::Error| file.error(error);
        // Row by row, until the columns are known of which others can be made.
        let known = loop {
            let Some(text) = pieces.next_of(HEAD_BYTES).map_err(|error| failed(&error))? else { return Ok(()) };
            self.text(&text)?;
            if let Some(known) = self.known() {
                break known;
            }
        };
        let (known, is_refused) = (Mutex::new(known), AtomicBool::new(false));
        let now = || known.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |text: &[u8]| {
            let known = Arc::clone(&now());
            read_piece(known, text, is_refused.load(Ordering::Relaxed))
        };
        in_order(pieces, pace.threads, failed, read, |text, read| {
            let n_names = self.names.len();
            self.piece(&text, read)?;
            if self.names.len() > n_names {
                match self.known() {
                    Some(known) => *now() = known,
                    None => is_refused.store(true, Ordering::Relaxed),
                }
            }
            if self.n_refused >= REFUSED_MAX {
                is_refused.store(true, Ordering::Relaxed);
            }
            Ok(())
        })
    }

    /// What whoever makes columns needs to know; none where rows come one by one.
    fn known(&self) -> Option<Arc<Known>> {
        if self.names.len() > FIELDS_MAX {
            return None;
        }
        let layout = layout_of(self.sink, self.names.len())?;
        Some(Arc::new(Known { fields: self.fields.clone(), layout }))
    }

    /// The next piece of the file, as it was read.
    fn piece(&mut self, text: &[u8], read: PieceRead) -> Result<(), ReadError> {
        let PieceRead { blocks, known, end, n_lines } = read;
        let n_before = self.n_rows;
        for block in blocks {
            let is_taken = block.columns.is_some_and(|columns| self.columns(n_before, &known, columns));
            if !is_taken {
                self.n_rows = n_before + block.n_lines_before;
                self.text(text.get(block.range).unwrap_or_default())?;
            }
        }
        self.n_rows = n_before + n_lines;
        self.text(text.get(end..).unwrap_or_default())
    }

    /// Offers columns, and says whether they were taken.
    fn columns(&mut self, n_before: u64, known: &Known, columns: Columns) -> bool {
        // Fields may have been met since, and other columns be wanted.
        let before = &known.layout.purposes;
        let is_same = before.len() == self.names.len()
            || self
                .sink
                .purposes(self.names.len())
                .is_some_and(|now| now.iter().zip(before).all(|(now, before)| now.is_none() || now == before));
        let is_taken = is_same && self.sink.batches(n_before, &[columns]) > 0;
        self.n_refused = if is_taken { 0 } else { self.n_refused + 1 };
        is_taken
    }

    /// Lines, one by one.
    fn text(&mut self, text: &[u8]) -> Result<(), ReadError> {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            self.n_rows += 1;
            if line.len() >= LINE_BYTES_MAX {
                let why = format!("line {} is longer than 16 MiB", self.n_rows);
                return Err(ReadError::new(&self.file.name, why));
            }
            let line = trimmed(line);
            if line.is_empty() {
                continue;
            }
            let value = serde_json::from_slice::<Value>(line).or_else(|error| {
                let mut line = line.to_owned();
                match blank(&mut line, true, &mut Quotes::default()) {
                    (_, true) => serde_json::from_slice(&line),
                    (_, false) => Err(error),
                }
            });
            match value {
                Ok(value) => self.value(value),
                Err(error) => self.sink.broken(self.n_rows, &format!("not JSON: {error}")),
            }
        }
        Ok(())
    }

    /// One array, of which one object after the other is held.
    fn array(&mut self, reader: impl BufRead) -> Result<(), ReadError> {
        let file = self.file;
        let mut values = serde_json::Deserializer::from_reader(Blanked::new(WithoutBom { reader, is_begun: false }));
        let read = values.deserialize_seq(&mut *self).and_then(|()| values.end());
        // What follows is lost, so that nothing of it would be the whole.
        read.map_err(|error| match error.io_error_kind() {
            Some(kind) => file.error(&std::io::Error::from(kind)),
            None => ReadError::new(&file.name, format!("the array of rows ends in what is not JSON: {error}")),
        })
    }

    fn value(&mut self, value: Value) {
        let line = self.n_rows;
        let Value::Object(object) = value else { return self.sink.broken(line, "not a JSON object") };
        let n_known = self.names.len();
        let mut values = Vec::with_capacity(object.len());
        self.flatten(0, "", object, &mut values);
        if n_known == 0 {
            self.sink.columns(&self.names);
        } else if self.names.len() > n_known {
            self.sink.more_columns(&self.names, n_known);
        }
        for column in n_known..self.names.len() {
            if self.sink.wants(column) {
                self.n_wanted = column + 1;
            }
        }
        values.retain(|(column, _)| *column < self.n_wanted);
        let digits: Vec<String> = values.iter().map(|(_, value)| number_text(value)).collect();
        let mut cells = vec![Cell::Missing; self.n_wanted];
        for ((column, value), digits) in values.iter().zip(&digits) {
            if let Some(slot) = cells.get_mut(*column) {
                *slot = cell(value, digits);
            }
        }
        self.sink.row(line, &cells);
    }

    /// The values of an object with their columns, those of objects inside it under their
    /// path: `address.country`. The depth is bounded by the JSON reader.
    fn flatten(&mut self, of: usize, path: &str, object: Map<String, Value>, values: &mut Vec<(usize, Value)>) {
        for (key, value) in object {
            // A null says no more than an absent field, not even a column's name.
            if value.is_null() {
                continue;
            }
            let place = self.fields.place(of, &key);
            let path = || if path.is_empty() && of == 0 { key.clone() } else { format!("{path}.{key}") };
            if let Value::Object(inner) = value {
                self.flatten(place, &path(), inner, values);
                continue;
            }
            let column = match self.fields.column(place) {
                Some(column) => column,
                None => {
                    let name = path();
                    let next = self.names.len();
                    let column = *self.positions.entry(name.clone()).or_insert(next);
                    if column == next {
                        self.names.push(name);
                    }
                    self.fields.set_column(place, column);
                    column
                }
            };
            values.push((column, value));
        }
    }
}

/// Makes columns of the lines of a piece, on any thread; nothing where that is of no use.
fn read_piece(known: Arc<Known>, text: &[u8], is_refused: bool) -> PieceRead {
    let (mut blocks, mut lines) = (Blocks::new(&known.layout), Lines::new(&known));
    let (mut at, mut n_lines) = (0, 0);
    if !is_refused {
        // That it is text is looked at once; where it is not, in each line.
        let whole = std::str::from_utf8(text).ok();
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let end = memchr::memchr(b'\n', rest).map_or(text.len(), |newline| at + newline + 1);
            let own = trimmed(text.get(at..end).unwrap_or_default());
            let line = match whole.and_then(|text| text.get(at..end)) {
                Some(line) => {
                    let line = line.trim_ascii();
                    Line::Text(line.strip_prefix('\u{feff}').unwrap_or(line))
                }
                None => Line::Bytes(own),
            };
            let is_fit = end - at < LINE_BYTES_MAX && !own.is_empty() && lines.put(&mut blocks.maker, line);
            // A blank line is no row, and is passed over where others are read.
            let goes_on = own.is_empty() || blocks.end_row(is_fit, at..end, n_lines, n_lines + 1);
            at = end;
            n_lines += 1;
            if !goes_on {
                break;
            }
        }
    }
    let blocks = blocks.finish(at);
    PieceRead { blocks, known, end: at, n_lines }
}

/// A line without blanks around it and without the mark of its encoding.
fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii();
    line.strip_prefix(BOM).unwrap_or(line)
}

impl<'de> Visitor<'de> for &mut Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(value) = items.next_element::<Value>()? {
            self.n_rows += 1;
            self.value(value);
        }
        Ok(())
    }
}

/// A stream without the mark of its encoding.
struct WithoutBom<R> {
    reader: R,
    is_begun: bool,
}

impl<R: BufRead> Read for WithoutBom<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if !std::mem::replace(&mut self.is_begun, true) && self.reader.fill_buf()?.starts_with(BOM) {
            self.reader.consume(BOM.len());
        }
        self.reader.read(out)
    }
}

fn number_text(value: &Value) -> String {
    match value {
        Value::Number(n) if !n.is_i64() => n.to_string(),
        _ => String::new(),
    }
}

/// A JSON value; `digits` are those of a number that is not 64-bit whole.
pub(crate) fn cell<'a>(value: &'a Value, digits: &'a str) -> Cell<'a> {
    match value {
        Value::Null => Cell::Missing,
        Value::Bool(b) => Cell::Boolean(*b),
        Value::String(text) => Cell::Text(text),
        Value::Number(n) => match n.as_i64() {
            Some(i) => Cell::Integer(i),
            None if !digits.is_empty() => Cell::Digits(digits),
            None => Cell::Number(n.as_f64().unwrap_or(f64::NAN)),
        },
        Value::Array(items) => Cell::List(items.iter().map(|i| cell(i, "")).collect()),
        Value::Object(fields) => Cell::Record(fields.iter().map(|(k, v)| (k.as_str(), cell(v, ""))).collect()),
    }
}
