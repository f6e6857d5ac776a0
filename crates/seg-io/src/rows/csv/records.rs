//! Records of CSV text that lies in memory.

use crate::cell::Cell;
use crate::rows::pieces::blank_lines;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The fields of a record.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    text: Vec<u8>,
    /// Where the text of each field ends; those behind the first so many are of no record.
    ends: Vec<usize>,
    len: usize,
}

impl Record {
    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let mut begin = 0;
        self.ends.iter().take(self.len).map(move |end| {
            let field = self.text.get(begin..*end).unwrap_or_default();
            begin = *end;
            field
        })
    }

    /// The fields as cells. That they are text is looked at once for all of them.
    pub fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        let text = std::str::from_utf8(self.text()).ok();
        let mut begin = 0;
        self.ends.iter().take(self.len).map(move |end| {
            let range = begin..*end;
            begin = *end;
            // Bytes of a character may be in two fields where neither is text.
            match text.and_then(|text| text.get(range.clone())) {
                Some("") => Cell::Missing,
                Some(text) => Cell::Text(text),
                None => cell(self.text.get(range).unwrap_or_default()),
            }
        })
    }

    /// The texts of all fields, one behind the other.
    pub fn text(&self) -> &[u8] {
        let end = self.len.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0);
        self.text.get(..end).unwrap_or_default()
    }
}

fn cell(bytes: &[u8]) -> Cell<'_> {
    match std::str::from_utf8(bytes) {
        Ok("") => Cell::Missing,
        Ok(text) => Cell::Text(text),
        Err(_) => Cell::Other(String::from_utf8_lossy(bytes).into_owned()),
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Record) -> bool {
        self.len == other.len && self.fields().eq(other.fields())
    }
}

/// What stands at the beginning of a text.
pub(super) enum Found {
    Record {
        /// Where it ends.
        end: usize,
        /// Ends of lines before it, and in it.
        n_before: u64,
        n_lines: u64,
    },
    /// A record that does not end in the text.
    Unfinished,
    /// Nothing but blank lines, so many bytes and ends of lines.
    End { end: usize, n_before: u64 },
}

/// Finds records.
#[derive(Debug)]
pub(super) struct Records {
    delimiter: u8,
    escape: Option<u8>,
    reader: Box<Reader>,
    record: Record,
}

/// A reader at the beginning of a file. One that was used cannot be cloned: it forgets what
/// it is about.
fn reader(delimiter: u8, escape: Option<u8>) -> Reader {
    ReaderBuilder::new().delimiter(delimiter).escape(escape).build()
}

impl Records {
    /// Those of a file from its beginning.
    pub fn new(delimiter: u8, escape: Option<u8>) -> Records {
        let record = Record { text: vec![0; 1024], ends: vec![0; 32], len: 0 };
        Records { delimiter, escape, reader: Box::new(reader(delimiter, escape)), record }
    }

    /// The same once more.
    pub fn of_whole_file(&self) -> Records {
        Records::new(self.delimiter, self.escape)
    }

    /// Those of such a file where a record begins.
    pub fn anew(&self) -> Records {
        let records = Records::new(self.delimiter, self.escape);
        Records { reader: Box::new(self.reader()), ..records }
    }

    /// What reads a record that begins.
    pub fn reader(&self) -> Reader {
        let mut reader = reader(self.delimiter, self.escape);
        // A mark of the encoding is none behind the beginning.
        reader.read_record(b"\n", &mut [0], &mut [0]);
        reader
    }

    /// The record found last.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Reads the record with which a text begins, or which ends with it.
    pub fn next(&mut self, text: &[u8], is_end: bool) -> Found {
        let (begin, n_before) = blank_lines(text);
        let Record { text: out, ends, len } = &mut self.record;
        let (mut at, mut n_out, mut n_ends) = (begin, 0, 0);
        let line = self.reader.line();
        loop {
            let rest = text.get(at..).unwrap_or_default();
            if rest.is_empty() && !is_end {
                if at == begin {
                    *len = 0;
                    return Found::End { end: begin, n_before };
                }
                *self.reader = self.reader();
                return Found::Unfinished;
            }
            let (to, to_ends) = (out.get_mut(n_out..), ends.get_mut(n_ends..));
            let (result, n, n_text, n_fields) =
                self.reader.read_record(rest, to.unwrap_or_default(), to_ends.unwrap_or_default());
            at += n;
            n_out += n_text;
            n_ends += n_fields;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => out.resize(out.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => ends.resize(ends.len() * 2, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => {
                    *len = 0;
                    return Found::End { end: begin, n_before };
                }
            }
        }
        *len = n_ends;
        // Two bytes may end a line.
        let mut n_lines = self.reader.line() - line;
        if let (Some(b'\r'), Some(b'\n')) = (at.checked_sub(1).and_then(|at| text.get(at)), text.get(at)) {
            (at, n_lines) = (at + 1, n_lines + 1);
        }
        Found::Record { end: at, n_before, n_lines }
    }
}
