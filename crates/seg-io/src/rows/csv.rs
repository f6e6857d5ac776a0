//! Rows of CSV files.

use super::RowSink;
use super::dialect::Dialect;
use crate::cell::Cell;
use crate::manifest::CsvRead;
use crate::open::DataFile;
use crate::report::{ProblemKind, ReadError};
use csv::{ByteRecord, ReaderBuilder};
use std::collections::HashMap;
use std::io::Read;

pub(super) fn read(
    file: &DataFile,
    said: &CsvRead,
    stream: Box<dyn Read>,
    sink: &mut dyn RowSink,
) -> Result<(), ReadError> {
    let Dialect { delimiter, escape, guessed, text } =
        Dialect::of(stream, said, file.format).map_err(|error| file.error(&error))?;
    if let Some(encoding) = guessed {
        sink.note(ProblemKind::Encoding, encoding, 1);
    }
    let mut reader = ReaderBuilder::new().flexible(true).delimiter(delimiter).escape(escape).from_reader(text);
    let error = |e: csv::Error| match e.into_kind() {
        csv::ErrorKind::Io(io) => file.error(&io),
        other => ReadError::new(&file.name, format!("{other:?}")),
    };
    let headers = reader.byte_headers().map_err(error)?.clone();
    let names: Vec<String> = headers
        .iter()
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
    let mut record = ByteRecord::new();
    let mut cells = Vec::new();
    while reader.read_byte_record(&mut record).map_err(error)? {
        let line = record.position().map_or(0, csv::Position::line);
        if let Some(n_lines) = swallowed(&record, names.len(), delimiter) {
            sink.broken(line, &format!("a quote took {n_lines} lines that look like rows"));
            // Each of them is a row that is lost.
            let why = format!("taken by the quote of line {line}");
            (1..=n_lines as u64).for_each(|n| sink.broken(line + n, &why));
            continue;
        }
        if record.len() != names.len() {
            let why = format!("{} fields where {} are needed", record.len(), names.len());
            sink.broken(line, &why);
            continue;
        }
        // Files that were put one behind the other.
        if record.get(0) == headers.get(0) && record.iter().eq(headers.iter()) {
            sink.note(ProblemKind::RepeatedHeader, "", line);
            continue;
        }
        cells.clear();
        cells.extend(record.iter().map(cell));
        // The borrow of `record` ends with this row.
        sink.row(line, &cells);
        cells = recycle(cells);
    }
    Ok(())
}

/// So many separators have to stand where those of rows would, so that what people write
/// over several lines is not taken for rows.
const SEPARATORS_MIN: usize = 3;

/// How many lines a field holds beside its first that look like rows of the file, with
/// as many fields: a quote that is never closed takes them.
fn swallowed(record: &ByteRecord, n_fields: usize, delimiter: u8) -> Option<usize> {
    if n_fields < 2 || !record.as_slice().contains(&b'\n') {
        return None;
    }
    let n_separators = n_fields - 1;
    let looks_like_row = |line: &&[u8]| line.iter().filter(|byte| **byte == delimiter).count() == n_separators;
    let rows_of = |field: &[u8]| {
        let mut lines: Vec<&[u8]> = field.split(|byte| *byte == b'\n').skip(1).collect();
        // The last ends where the next quote is, which may be within a row.
        let last = lines.pop()?;
        let are_rows = lines.iter().all(looks_like_row) && (!lines.is_empty() || looks_like_row(&last));
        let n_rows = lines.len() + usize::from(!last.is_empty());
        (are_rows && n_rows * n_separators >= SEPARATORS_MIN).then_some(n_rows)
    };
    record.iter().find_map(rows_of)
}

fn cell(bytes: &[u8]) -> Cell<'_> {
    match std::str::from_utf8(bytes) {
        Ok("") => Cell::Missing,
        Ok(text) => Cell::Text(text),
        Err(_) => Cell::Other(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// An empty vector of the same allocation, free of the old cells' lifetime.
fn recycle<'b>(mut cells: Vec<Cell<'_>>) -> Vec<Cell<'b>> {
    cells.clear();
    cells.into_iter().map(|_| Cell::Missing).collect()
}
