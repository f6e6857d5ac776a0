//! Rows of each format in which members are written.

use crate::guard::guarded;
use crate::open::DataFile;
use crate::report::ReadError;
use crate::results::format::MembersFormat;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::FileReader;
use arrow_schema::{DataType, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// What a row has in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Missing,
    Text(String),
    Boolean(bool),
    /// Something of which neither a name nor a membership can be read, in words.
    Other(String),
}

impl Cell {
    /// Whether it says yes or no; CSV has texts alone.
    pub fn as_boolean(&self) -> Option<bool> {
        match self {
            Cell::Boolean(is) => Some(*is),
            Cell::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Cell::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Cell::Missing | Cell::Text(_) | Cell::Other(_) => None,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Missing => f.write_str("nothing"),
            Cell::Text(text) => {
                let shown: String = text.chars().take(40).collect();
                write!(f, "`{}`", shown.escape_debug())
            }
            Cell::Boolean(is) => write!(f, "`{is}`"),
            Cell::Other(what) => f.write_str(what),
        }
    }
}

/// Takes the rows of a file; an error in words ends the reading.
pub(super) trait RowSink {
    fn header(&mut self, names: &[String]) -> Result<(), String>;
    fn row(&mut self, cell: &dyn Fn(usize) -> Cell) -> Result<(), String>;
}

/// Reads a file whole.
pub(super) fn read_rows(path: &Path, sink: &mut dyn RowSink) -> Result<(), ReadError> {
    let name = path.display().to_string();
    let failed = |error: std::io::Error| {
        let message = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            std::io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
            _ => error.to_string(),
        };
        ReadError::new(name.as_str(), message)
    };
    let format = MembersFormat::of_file(path).map_err(failed)?;
    let mut file = File::open(path).map_err(failed)?;
    let in_words = |message: String| ReadError::new(name.as_str(), message);
    match format {
        MembersFormat::Csv => {
            let is_whole = ends_a_line(&mut file).map_err(failed)?;
            csv_rows(BufReader::new(file), is_whole, sink).map_err(in_words)
        }
        MembersFormat::Ndjson => {
            let is_whole = ends_a_line(&mut file).map_err(failed)?;
            json_rows(BufReader::new(file), is_whole, sink).map_err(in_words)
        }
        MembersFormat::Parquet => guarded(&DataFile::of_lines(&name), || parquet_rows(file, sink).map_err(in_words)),
        MembersFormat::Arrow => guarded(&DataFile::of_lines(&name), || arrow_rows(file, sink).map_err(in_words)),
    }
}

/// Whether the last line ends, as in every file that was written whole; so does a file without
/// lines.
fn ends_a_line(file: &mut File) -> std::io::Result<bool> {
    if !file.metadata()?.is_file() || file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(last == [b'\n'])
}

const CUT_OFF: &str = "the last line does not end: the file was cut off; take it from where it came again";

fn csv_rows(file: impl BufRead, is_whole: bool, sink: &mut dyn RowSink) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file);
    let mut record = csv::StringRecord::new();
    if !reader.read_record(&mut record).map_err(|error| of_csv(&error))? {
        return Err("the file is empty; members have at least a header".to_owned());
    }
    let names: Vec<String> = record.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
    sink.header(&names)?;
    if !is_whole {
        return Err(CUT_OFF.to_owned());
    }
    while reader.read_record(&mut record).map_err(|error| of_csv(&error))? {
        let cell = |at: usize| match record.get(at) {
            None | Some("") => Cell::Missing,
            Some(text) => Cell::Text(text.to_owned()),
        };
        let line = record.position().map_or(0, csv::Position::line);
        sink.row(&cell).map_err(|why| format!("line {line}: {why}"))?;
    }
    Ok(())
}

fn of_csv(error: &csv::Error) -> String {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let s = if *len == 1 { "" } else { "s" };
            format!(
                "line {line} has {len} field{s} and the header {expected_len}; the file is damaged, or holds something else"
            )
        }
        csv::ErrorKind::Utf8 { .. } => format!("line {line} is not UTF-8 text"),
        csv::ErrorKind::Io(error) => error.to_string(),
        _ => format!("line {line} cannot be read: {error}"),
    }
}

fn json_rows(file: impl BufRead, is_whole: bool, sink: &mut dyn RowSink) -> Result<(), String> {
    let mut names: Vec<String> = Vec::new();
    for (at, line) in file.split(b'\n').enumerate() {
        let line = line.map_err(|error| error.to_string())?;
        let n = at + 1;
        if line.is_empty() {
            continue;
        }
        let row = match serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&line) {
            Ok(row) => row,
            Err(_) if !is_whole => return Err(CUT_OFF.to_owned()),
            Err(error) => return Err(format!("this is no file of members: line {n} is no JSON object ({error})")),
        };
        if names.is_empty() {
            names = row.keys().cloned().collect();
            sink.header(&names)?;
        }
        let cell = |at: usize| match names.get(at).and_then(|name| row.get(name)) {
            None | Some(serde_json::Value::Null) => Cell::Missing,
            Some(serde_json::Value::String(text)) => Cell::Text(text.clone()),
            Some(serde_json::Value::Bool(is)) => Cell::Boolean(*is),
            Some(serde_json::Value::Number(number)) => Cell::Other(format!("`{number}`")),
            Some(serde_json::Value::Array(_)) => Cell::Other("a list".to_owned()),
            Some(serde_json::Value::Object(_)) => Cell::Other("an object".to_owned()),
        };
        sink.row(&cell).map_err(|why| format!("line {n}: {why}"))?;
    }
    Ok(())
}

fn parquet_rows(file: File, sink: &mut dyn RowSink) -> Result<(), String> {
    let damaged = |what: &dyn fmt::Display| format!("this is not a readable Parquet file; is it complete? ({what})");
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(&error))?;
    sink.header(&names_of(builder.schema()))?;
    let mut first = 1;
    for batch in builder.build().map_err(|error| damaged(&error))? {
        let batch = batch.map_err(|error| damaged(&error))?;
        batch_rows(&batch, first, sink)?;
        first += batch.num_rows();
    }
    Ok(())
}

fn arrow_rows(file: File, sink: &mut dyn RowSink) -> Result<(), String> {
    let damaged = |what: &dyn fmt::Display| format!("this is not a readable Arrow file; is it complete? ({what})");
    let reader = FileReader::try_new(BufReader::new(file), None).map_err(|error| damaged(&error))?;
    sink.header(&names_of(&reader.schema()))?;
    let mut first = 1;
    for batch in reader {
        let batch = batch.map_err(|error| damaged(&error))?;
        batch_rows(&batch, first, sink)?;
        first += batch.num_rows();
    }
    Ok(())
}

fn names_of(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

fn batch_rows(batch: &RecordBatch, first: usize, sink: &mut dyn RowSink) -> Result<(), String> {
    for row in 0..batch.num_rows() {
        let cell = |at: usize| batch.columns().get(at).map_or(Cell::Missing, |column| cell_of(column, row));
        sink.row(&cell).map_err(|why| format!("row {}: {why}", first + row))?;
    }
    Ok(())
}

fn cell_of(column: &dyn Array, row: usize) -> Cell {
    if column.is_null(row) {
        return Cell::Missing;
    }
    let text = |text: &str| Cell::Text(text.to_owned());
    match column.data_type() {
        DataType::Utf8 => column.as_string_opt::<i32>().map(|texts| text(texts.value(row))),
        DataType::LargeUtf8 => column.as_string_opt::<i64>().map(|texts| text(texts.value(row))),
        DataType::Utf8View => column.as_string_view_opt().map(|texts| text(texts.value(row))),
        DataType::Boolean => column.as_boolean_opt().map(|flags| Cell::Boolean(flags.value(row))),
        // What other tools make of texts that repeat.
        DataType::Dictionary(..) => {
            let coded = column.as_dictionary_opt::<Int32Type>();
            coded.and_then(|coded| Some(cell_of(coded.values(), coded.key(row)?)))
        }
        _ => None,
    }
    .unwrap_or_else(|| Cell::Other(format!("a value of type {}", column.data_type())))
}
