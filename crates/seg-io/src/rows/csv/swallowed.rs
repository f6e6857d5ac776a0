//! Lines that a quote took which is never closed.

use super::records::{Record, Records};
use csv_core::{ReadRecordResult, Reader};

/// So many separators have to stand where those of rows would, so that what people write
/// over several lines is not taken for rows.
const SEPARATORS_MIN: usize = 3;

/// How many lines a field holds beside its first that look like rows of the file, with
/// as many fields: a quote that is never closed takes them.
pub(super) fn swallowed(record: &Record, n_fields: usize, delimiter: u8) -> Option<usize> {
    if n_fields < 2 || memchr::memchr(b'\n', record.text()).is_none() {
        return None;
    }
    record.fields().find_map(|field| {
        let mut lines = Lines::new(n_fields, delimiter);
        lines.go_on(field);
        lines.n_rows()
    })
}

/// The lines of a field, of which it is asked whether they look like rows.
struct Lines {
    delimiter: u8,
    /// How many separators a row has.
    n_separators: usize,
    /// How many lines have ended; the first is the field's own.
    n_ended: usize,
    /// Whether all others that have ended look like rows.
    are_rows: bool,
    /// Separators of the line at hand, and whether it has anything.
    n_met: usize,
    is_empty: bool,
}

impl Lines {
    fn new(n_fields: usize, delimiter: u8) -> Lines {
        let n_separators = n_fields.saturating_sub(1);
        Lines { delimiter, n_separators, n_ended: 0, are_rows: true, n_met: 0, is_empty: true }
    }

    /// More of the field.
    fn go_on(&mut self, text: &[u8]) {
        for byte in text {
            if *byte == b'\n' {
                self.are_rows &= self.n_ended == 0 || self.n_met == self.n_separators;
                self.n_ended += 1;
                (self.n_met, self.is_empty) = (0, true);
            } else {
                self.n_met += usize::from(*byte == self.delimiter);
                self.is_empty = false;
            }
        }
    }

    /// How many lines look like rows, where those of the field do. The last ends where the
    /// next quote is, which may be within a row.
    fn n_rows(&self) -> Option<usize> {
        let n_between = self.n_ended.checked_sub(1)?;
        let are_rows = self.are_rows && (n_between > 0 || self.n_met == self.n_separators);
        let n_rows = n_between + usize::from(!self.is_empty);
        (are_rows && n_rows * self.n_separators >= SEPARATORS_MIN).then_some(n_rows)
    }
}

/// A record that is too long to be held, of which it is only told what is wrong.
pub(super) struct Oversize {
    reader: Reader,
    /// The line on which it begins.
    pub line: u64,
    n_fields: usize,
    delimiter: u8,
    /// Fields that have ended, and the text of the record up to there.
    n_ended: usize,
    n_text: usize,
    lines: Lines,
    /// Lines that a field took.
    n_taken: Option<usize>,
}

/// How much of a record is looked at together.
const CHUNK_BYTES: usize = 64 * 1024;

impl Oversize {
    pub fn new(records: &Records, line: u64, n_fields: usize, delimiter: u8) -> Oversize {
        let lines = Lines::new(n_fields, delimiter);
        let reader = records.reader();
        Oversize { reader, line, n_fields, delimiter, n_ended: 0, n_text: 0, lines, n_taken: None }
    }

    /// More of the record; says where in the text it ends, if it does.
    pub fn go_on(&mut self, text: &[u8]) -> Option<usize> {
        let (mut out, mut ends, mut at) = (vec![0; CHUNK_BYTES], [0; 64], 0);
        loop {
            let rest = text.get(at..).unwrap_or_default();
            if rest.is_empty() && !text.is_empty() {
                return None;
            }
            let (result, n, n_out, n_ends) = self.reader.read_record(rest, &mut out, &mut ends);
            at += n;
            self.fields(out.get(..n_out).unwrap_or_default(), ends.get(..n_ends).unwrap_or_default());
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::Record | ReadRecordResult::End => return Some(at),
            }
        }
    }

    /// The file ends with it.
    pub fn end(&mut self) {
        self.go_on(&[]);
    }

    /// Text of fields, and where in the text of the record fields end.
    fn fields(&mut self, text: &[u8], ends: &[usize]) {
        let mut text = text;
        for end in ends {
            let (own, rest) = text.split_at_checked(end.saturating_sub(self.n_text)).unwrap_or((text, &[]));
            self.lines.go_on(own);
            self.n_taken = self.n_taken.or(self.lines.n_rows().filter(|_| self.n_fields > 1));
            self.lines = Lines::new(self.n_fields, self.delimiter);
            self.n_ended += 1;
            self.n_text += own.len();
            text = rest;
        }
        self.lines.go_on(text);
        self.n_text += text.len();
    }

    /// What is wrong with it.
    pub fn why(&self) -> String {
        match self.n_ended == self.n_fields {
            false => format!("{} fields where {} are needed", self.n_ended, self.n_fields),
            true => "it is longer than 16 MiB".to_owned(),
        }
    }

    /// How many lines that look like rows a field of it took, if one did.
    pub fn n_taken(&self) -> Option<usize> {
        self.n_taken
    }
}
