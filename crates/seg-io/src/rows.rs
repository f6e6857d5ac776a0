//! Rows out of files of any kind.

mod arrays;
mod arrow;
mod blocks;
mod csv;
mod dialect;
mod making;
mod mapped;
mod maps;
mod ndjson;
mod not_numbers;
mod parquet;
mod pieces;
mod pruning;
mod table;

pub(crate) use dialect::delimiter_of;
pub(crate) use ndjson::cell as json_cell;

use crate::cell::Cell;
use crate::manifest::{CsvRead, Reading};
use crate::meter::Meter;
use crate::open::{DataFile, Format};
use crate::report::{ProblemKind, ReadError};
use arrow_array::ArrayRef;
pub(crate) use making::Purpose;
use mapped::Mapped;
pub(crate) use parquet::{latest_of, n_rows, read_first};
pub(crate) use pieces::Pace;
pub(crate) use pruning::{Asked, Left, Pruning};
use seg_data::Zone;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Rows as columns of values.
pub(crate) struct Columns {
    /// Each as long as the rows are many, where it is wanted and there.
    pub arrays: Vec<Option<ArrayRef>>,
    pub n_rows: usize,
    /// Whether everybody in them was met before and exists, whatever the rows say.
    pub are_known: bool,
    /// The line of each row, behind as many as come before all of them; none where each row
    /// is a line.
    pub lines: Vec<u32>,
}

impl Columns {
    /// The line of a row, with so many before all of them.
    pub fn line(&self, n_before: u64, row: u32) -> u64 {
        n_before + self.lines.get(row as usize).map_or(u64::from(row) + 1, |line| u64::from(*line))
    }

    /// The column at a place.
    pub fn at(&self, at: Option<usize>) -> Option<&ArrayRef> {
        self.arrays.get(at?)?.as_ref()
    }
}

/// Takes the rows of a file, one by one or as columns, and says which columns it
/// needs.
pub(crate) trait RowSink {
    /// The file's columns; called before the first row, and again when later
    /// rows have columns that the earlier ones lacked.
    fn columns(&mut self, names: &[String]);

    /// The file's columns, of which all but the first so many are new: later rows have them,
    /// and no two have one name.
    fn more_columns(&mut self, names: &[String], _n_known: usize) {
        self.columns(names);
    }

    /// What is made of each of so many columns, where rows of texts may come as columns of
    /// values; none where they come one by one.
    fn purposes(&self, _n_columns: usize) -> Option<Vec<Option<Purpose>>> {
        None
    }

    /// Whether cells of a column are looked at; others may come as missing.
    fn wants(&self, _column: usize) -> bool {
        true
    }

    /// The names of columns that are looked for, so that of maps the keys among them are
    /// columns.
    fn known_columns(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whose clock a time without a zone means.
    fn zone(&self) -> Option<Zone> {
        None
    }

    /// Whether a column of texts may come with a key for each row.
    fn prefers_keys(&self, _column: usize) -> bool {
        false
    }

    /// Takes rows as columns of values: all of the first few of some batches, of
    /// which it says how many. Zero asks for the first of them row by row. So many
    /// rows of the file came before.
    fn batches(&mut self, _n_before: u64, _batches: &[Columns]) -> usize {
        0
    }

    /// What decides nothing of the rows to come, so that it may be left in the file.
    fn pruning(&self) -> Option<Pruning> {
        None
    }

    /// Whether everybody whose id is one of these numbers was met before.
    fn knows(&self, _ids: RangeInclusive<i64>) -> bool {
        false
    }

    /// Rows that were left in the file, behind so many others.
    fn left(&mut self, _n_before: u64, _left: &Left) {}

    /// A row: cells in the order of the columns, which may end early.
    /// `line` counts from 1.
    fn row(&mut self, line: u64, cells: &[Cell<'_>]);

    /// A row that is not one, with what is wrong.
    fn broken(&mut self, line: u64, why: &str);

    /// Something that is told of the file rather than of a row.
    fn note(&mut self, kind: ProblemKind, column: &str, line: u64);
}

/// Feeds lines of JSON into `sink`.
pub(crate) fn read_lines(file: &DataFile, lines: &str, sink: &mut dyn RowSink) -> Result<(), ReadError> {
    ndjson::read(file, Pace::default(), Box::new(std::io::Cursor::new(lines.to_owned())), sink)
}

/// The same where each line is a record of its own, whatever the first begins with: no array
/// goes over several.
pub(crate) fn read_each_line(file: &DataFile, lines: &str, sink: &mut dyn RowSink) -> Result<(), ReadError> {
    ndjson::read_each_line(file, Box::new(std::io::Cursor::new(lines.to_owned())), sink)
}

/// Feeds all rows of a file into `sink` with the columns that its source says they have,
/// of which the `special` ones go by the names of the file, and with those that folders say.
pub(crate) fn read_mapped(
    file: &DataFile,
    reading: &Reading,
    (special, partitions): (&[&str], &[(String, String)]),
    meter: &Arc<Meter>,
    pace: Pace,
    sink: &mut dyn RowSink,
) -> Result<(), ReadError> {
    match Mapped::new(sink, reading, partitions, special) {
        Ok(mut mapped) => read(file, &reading.csv, meter, pace, &mut mapped),
        Err(sink) => read(file, &reading.csv, meter, pace, sink),
    }
}

/// Feeds all rows of a file into `sink`. `meter` counts bytes.
pub(crate) fn read(
    file: &DataFile,
    csv: &CsvRead,
    meter: &Arc<Meter>,
    pace: Pace,
    sink: &mut dyn RowSink,
) -> Result<(), ReadError> {
    if let Some(rows) = &file.table {
        return table::read(file, rows, sink);
    }
    match file.format {
        Format::Csv | Format::Tsv => csv::read(file, csv, pace, file.stream(meter)?, sink),
        Format::Json => ndjson::read(file, pace, file.stream(meter)?, sink),
        Format::Arrow => arrow::read(file, meter, sink),
        Format::Parquet => parquet::read(file, meter, pace.threads, sink),
    }
}

/// Feeds lines that a file of texts begins with into `sink`.
pub(crate) fn read_bytes(file: &DataFile, lines: Arc<[u8]>, sink: &mut dyn RowSink) -> Result<(), ReadError> {
    let stream = Box::new(std::io::Cursor::new(lines));
    match file.format {
        Format::Csv | Format::Tsv => csv::read(file, &CsvRead::default(), Pace::default(), stream, sink),
        Format::Json | Format::Arrow | Format::Parquet => ndjson::read(file, Pace::default(), stream, sink),
    }
}

/// Feeds so many bytes of a file into `sink`, which shows its columns; of a Parquet or an
/// Arrow file all rows, of which nothing is unpacked that the sink does not want.
pub(crate) fn peek(file: &DataFile, n_bytes: u64, sink: &mut dyn RowSink) -> Result<(), ReadError> {
    let beginning = || Ok(Box::new(std::io::Read::take(file.stream(&Arc::default())?, n_bytes)));
    match file.format {
        Format::Csv | Format::Tsv => csv::read(file, &CsvRead::default(), Pace::default(), beginning()?, sink),
        Format::Json => ndjson::read(file, Pace::default(), beginning()?, sink),
        Format::Arrow => arrow::read(file, &Arc::default(), sink),
        Format::Parquet => parquet::read(file, &Arc::default(), NonZero::<usize>::MIN, sink),
    }
}
