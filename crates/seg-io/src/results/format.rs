//! The formats of results.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The formats in which members are written and read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MembersFormat {
    /// Fields between commas under a header.
    Csv,
    /// A JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
    /// An Arrow IPC file, which is also called Feather.
    Arrow,
}

impl MembersFormat {
    /// Every format.
    pub const ALL: [MembersFormat; 4] =
        [MembersFormat::Csv, MembersFormat::Ndjson, MembersFormat::Parquet, MembersFormat::Arrow];

    /// What a path's ending says; `None` for an ending that is not written.
    pub fn of(path: &Path) -> Option<MembersFormat> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(MembersFormat::Csv),
            "ndjson" | "jsonl" => Some(MembersFormat::Ndjson),
            "parquet" => Some(MembersFormat::Parquet),
            "arrow" | "feather" => Some(MembersFormat::Arrow),
            _ => None,
        }
    }

    /// The ending that files of the format are given, which is also its name.
    pub fn ending(self) -> &'static str {
        match self {
            MembersFormat::Csv => "csv",
            MembersFormat::Ndjson => "ndjson",
            MembersFormat::Parquet => "parquet",
            MembersFormat::Arrow => "arrow",
        }
    }

    /// What the ending of a file says, or else its first bytes.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn of_file(path: &Path) -> std::io::Result<MembersFormat> {
        if let Some(format) = MembersFormat::of(path) {
            return Ok(format);
        }
        let mut start = Vec::new();
        File::open(path)?.take(6).read_to_end(&mut start)?;
        Ok(match start.as_slice() {
            [b'P', b'A', b'R', b'1', ..] => MembersFormat::Parquet,
            b"ARROW1" => MembersFormat::Arrow,
            [b'{', ..] => MembersFormat::Ndjson,
            _ => MembersFormat::Csv,
        })
    }
}
