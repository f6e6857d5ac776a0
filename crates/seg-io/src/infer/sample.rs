//! The beginning of a file, which is looked at for the whole of it.

use super::table::{Table, Until};
use crate::manifest::CsvRead;
use crate::open::{DataFile, Format};
use crate::report::ReadError;
use crate::rows::{self, Pace, RowSink};
use seg_data::Zone;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

/// So many bytes, unpacked, are looked at of a file of texts.
const SAMPLE_BYTES: u64 = 32 << 20;
/// So many rows are looked at of a Parquet file.
const SAMPLE_ROWS: usize = 200_000;
/// So many bytes at the end of a file tell when its last events were.
const END_BYTES: u64 = 1 << 18;

/// What is looked at of a file.
pub(super) struct Sample<'f> {
    file: &'f DataFile,
    bytes: Bytes,
}

enum Bytes {
    /// Whole lines at the beginning, and whether these are all.
    Lines { bytes: Arc<[u8]>, are_all: bool },
    /// The first rows, of so many.
    Rows { n_rows: u64 },
    /// All of it.
    File,
}

impl<'f> Sample<'f> {
    pub fn of(file: &'f DataFile) -> Result<Sample<'f>, ReadError> {
        let bytes = match file.format {
            Format::Csv | Format::Tsv | Format::Json => {
                let mut bytes = Vec::new();
                let read = file.stream(&Arc::default())?.take(SAMPLE_BYTES + 1).read_to_end(&mut bytes);
                read.map_err(|error| file.error(&error))?;
                let are_all = bytes.len() as u64 <= SAMPLE_BYTES;
                // Half a row would be taken for another one.
                let end = bytes.iter().rposition(|byte| *byte == b'\n').filter(|_| !are_all);
                bytes.truncate(end.map_or(bytes.len(), |end| end + 1));
                Bytes::Lines { bytes: bytes.into(), are_all }
            }
            Format::Parquet => Bytes::Rows { n_rows: rows::n_rows(file)? },
            Format::Arrow => Bytes::File,
        };
        Ok(Sample { file, bytes })
    }

    /// Feeds it into a sink.
    pub fn read(&self, sink: &mut dyn RowSink) -> Result<(), ReadError> {
        match &self.bytes {
            Bytes::Lines { bytes, are_all } => {
                let read = rows::read_bytes(self.file, Arc::clone(bytes), sink);
                // An array that was cut has no end, which is no fault of its file.
                if *are_all { read } else { Ok(()) }
            }
            Bytes::Rows { .. } => rows::read_first(self.file, SAMPLE_ROWS, sink),
            Bytes::File => {
                let (csv, meter) = (CsvRead::default(), Arc::default());
                rows::read(self.file, &csv, &meter, Pace::default(), sink)
            }
        }
    }

    /// Whether there is more than what is looked at.
    fn is_part(&self) -> bool {
        match &self.bytes {
            Bytes::Lines { are_all, .. } => !are_all,
            Bytes::Rows { n_rows } => *n_rows > SAMPLE_ROWS as u64,
            Bytes::File => false,
        }
    }

    /// How many rows there are, as far as they were looked at.
    pub fn told(&self, n_rows: u64, what: &str) -> String {
        match &self.bytes {
            Bytes::Lines { bytes, are_all: false } => {
                format!("{n_rows} {what} in its first {} MB, and nothing behind them was looked at", bytes.len() >> 20)
            }
            Bytes::Rows { n_rows: all } if self.is_part() => {
                format!("{all} {what}, of which the first {n_rows} were looked at")
            }
            Bytes::Lines { .. } | Bytes::Rows { .. } | Bytes::File => format!("{n_rows} {what}"),
        }
    }

    /// How far the events reach, by statistics or the end of the file where it was not looked at
    /// as a whole.
    pub fn until(&self, time: &str, zone: Option<Zone>) -> Result<Until, ReadError> {
        if !self.is_part() {
            return Ok(Until::Looked);
        }
        match &self.bytes {
            Bytes::Rows { .. } => Ok(rows::latest_of(self.file, time, zone)?.map_or(Until::Unknown, Until::Is)),
            Bytes::Lines { bytes, .. } => Ok(self.end(bytes).map_or(Until::Unknown, |end| {
                let mut table = Table::new("", zone);
                // What is wrong at the end is told of when it is read.
                let _ = rows::read_bytes(self.file, end.into(), &mut table);
                let last = table.columns.iter().find(|column| column.name == time).and_then(|column| column.last);
                last.map_or(Until::Unknown, Until::Is)
            })),
            Bytes::File => Ok(Until::Looked),
        }
    }

    /// The last lines behind the header; none of a packed file, which has to be unpacked up to
    /// there.
    fn end(&self, beginning: &[u8]) -> Option<Vec<u8>> {
        let mut file = self.file.open().ok()?;
        let mut first = [0; 4];
        file.read_exact(&mut first).ok()?;
        if first.starts_with(&[0x1f, 0x8b]) || first == [0x28, 0xb5, 0x2f, 0xfd] {
            return None;
        }
        file.seek(SeekFrom::End(-i64::try_from(END_BYTES).ok()?)).ok()?;
        let mut end = Vec::new();
        file.read_to_end(&mut end).ok()?;
        let lines = end.get(end.iter().position(|byte| *byte == b'\n')? + 1..)?;
        let header = match self.file.format {
            Format::Csv | Format::Tsv => beginning.get(..=beginning.iter().position(|byte| *byte == b'\n')?)?,
            Format::Json | Format::Arrow | Format::Parquet => &[],
        };
        Some([header, lines].concat())
    }
}
