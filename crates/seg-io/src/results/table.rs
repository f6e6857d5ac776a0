//! Tables in each format.

use super::cells::{push_field, write_json};
use super::column::written_type;
use super::format::MembersFormat;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use seg_data::Type;
use std::fs::File;
use std::io::{BufWriter, Error, Result, Write};
use std::sync::Arc;

/// Rows that are made and written together.
pub(super) const ROWS: usize = 65_536;

/// The rows of a table, some together.
pub type Chunks<'a> = Box<dyn Iterator<Item = std::result::Result<RecordBatch, ArrowError>> + 'a>;

/// The columns of a table.
#[derive(Debug, Clone)]
pub struct Table {
    schema: SchemaRef,
    types: Vec<Type>,
}

impl Table {
    /// A table of columns of these names and types; `false` for those that always have a value.
    pub(super) fn new(columns: impl IntoIterator<Item = (String, Type, bool)>) -> Table {
        let (fields, types): (Vec<Field>, Vec<Type>) =
            columns.into_iter().map(|(name, ty, may_lack)| (Field::new(name, written_type(&ty), may_lack), ty)).unzip();
        Table { schema: Arc::new(Schema::new(fields)), types }
    }

    /// The columns as Arrow names them.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

/// Texts as a column.
///
/// # Errors
/// More of them than one column has room for.
pub(super) fn text_column<'t>(texts: impl Iterator<Item = &'t str>) -> std::result::Result<ArrayRef, ArrowError> {
    let texts: Vec<&str> = texts.collect();
    let n_bytes: usize = texts.iter().map(|text| text.len()).sum();
    if i32::try_from(n_bytes).is_err() {
        return Err(ArrowError::OffsetOverflowError(n_bytes));
    }
    Ok(Arc::new(StringArray::from_iter_values(texts)))
}

/// Writes a table as a whole and says how many rows it has.
///
/// # Errors
/// What the file system says, and rows that are not of the table.
pub fn write_table(file: &File, format: MembersFormat, table: &Table, chunks: Chunks<'_>) -> Result<u64> {
    match format {
        MembersFormat::Csv => write_csv(file, table, chunks),
        MembersFormat::Ndjson => write_ndjson(file, table, chunks),
        MembersFormat::Parquet => write_parquet(file, table, chunks),
        MembersFormat::Arrow => write_arrow(file, table, chunks),
    }
}

fn write_csv(file: &File, table: &Table, chunks: Chunks<'_>) -> Result<u64> {
    let mut writer = csv::Writer::from_writer(BufWriter::new(file));
    writer.write_record(table.schema.fields().iter().map(|field| field.name()))?;
    let (mut n_rows, mut field) = (0, String::new());
    for chunk in chunks {
        let chunk = chunk.map_err(of_arrow)?;
        for row in 0..chunk.num_rows() {
            for (ty, column) in table.types.iter().zip(chunk.columns()) {
                field.clear();
                push_field(&mut field, ty, column, row);
                writer.write_field(&field)?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        n_rows += chunk.num_rows() as u64;
    }
    writer.flush()?;
    Ok(n_rows)
}

fn write_ndjson(file: &File, table: &Table, chunks: Chunks<'_>) -> Result<u64> {
    let mut writer = BufWriter::new(file);
    let keys = table.schema.fields().iter().map(|field| serde_json::to_string(field.name()));
    let keys = keys.collect::<std::result::Result<Vec<String>, serde_json::Error>>()?;
    let mut n_rows = 0;
    for chunk in chunks {
        let chunk = chunk.map_err(of_arrow)?;
        for row in 0..chunk.num_rows() {
            let mut begin = "{";
            for ((key, ty), column) in keys.iter().zip(&table.types).zip(chunk.columns()) {
                write!(writer, "{begin}{key}:")?;
                write_json(&mut writer, ty, column, row)?;
                begin = ",";
            }
            writer.write_all(b"}\n")?;
        }
        n_rows += chunk.num_rows() as u64;
    }
    writer.flush()?;
    Ok(n_rows)
}

fn write_parquet(file: &File, table: &Table, chunks: Chunks<'_>) -> Result<u64> {
    let mut writer = ArrowWriter::try_new(BufWriter::new(file), Arc::clone(&table.schema), None).map_err(of_parquet)?;
    let mut n_rows = 0;
    for chunk in chunks {
        let chunk = chunk.map_err(of_arrow)?;
        writer.write(&chunk).map_err(of_parquet)?;
        n_rows += chunk.num_rows() as u64;
    }
    writer.into_inner().map_err(of_parquet)?.flush()?;
    Ok(n_rows)
}

fn write_arrow(file: &File, table: &Table, chunks: Chunks<'_>) -> Result<u64> {
    let mut writer = FileWriter::try_new(BufWriter::new(file), &table.schema).map_err(of_arrow)?;
    let mut n_rows = 0;
    for chunk in chunks {
        let chunk = chunk.map_err(of_arrow)?;
        writer.write(&chunk).map_err(of_arrow)?;
        n_rows += chunk.num_rows() as u64;
    }
    writer.finish().map_err(of_arrow)?;
    writer.into_inner().map_err(of_arrow)?.flush()?;
    Ok(n_rows)
}

/// What the file system said, in its own words.
pub(super) fn of_arrow(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => error,
        ArrowError::ExternalError(error) => unpacked(error),
        other => Error::other(other),
    }
}

fn of_parquet(error: ParquetError) -> Error {
    match error {
        ParquetError::External(error) => unpacked(error),
        other => Error::other(other),
    }
}

fn unpacked(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(other) => Error::other(other),
    }
}
