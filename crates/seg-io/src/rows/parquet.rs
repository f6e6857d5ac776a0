//! Rows of Parquet files.

use super::RowSink;
use crate::cell::Cell;
use crate::open::DataFile;
use crate::report::ReadError;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use seg_data::{Date, Instant};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows that are unpacked together.
const ROWS: usize = 32_768;

pub(super) fn read(file: &DataFile, read: &Arc<AtomicU64>, sink: &mut dyn RowSink) -> Result<(), ReadError> {
    let error =
        |what: &dyn std::fmt::Display| ReadError::new(&file.name, format!("not a readable Parquet file: {what}"));
    let opened = file.open()?;
    let metadata = ArrowReaderMetadata::load(&opened, ArrowReaderOptions::new()).map_err(|e| error(&e))?;
    let mut names = Vec::new();
    // For each field, where its columns begin.
    let mut starts = Vec::new();
    for field in metadata.schema().fields() {
        starts.push(names.len());
        field_names("", field, &mut names);
    }
    let n_rows = metadata.metadata().file_metadata().num_rows().max(1) as u64;
    let size = file.size();
    sink.columns(&names);
    // Fields that nobody looks at are not even decompressed.
    let ends = starts.iter().skip(1).copied().chain([names.len()]);
    let fields = starts.iter().copied().zip(ends).enumerate();
    let wanted: Vec<(usize, usize)> = fields
        .filter(|(_, (start, end))| (*start..*end).any(|column| sink.wants(column)))
        .map(|(at, (start, _))| (at, start))
        .collect();
    // Texts mostly lie in files as keys, and stay so.
    let fields = metadata.schema().fields().iter().zip(&starts).map(|(field, start)| {
        let is_text = *field.data_type() == DataType::Utf8 && sink.prefers_keys(*start);
        let keys = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        if is_text { Arc::new(field.as_ref().clone().with_data_type(keys())) } else { Arc::clone(field) }
    });
    let schema = Schema::new_with_metadata(fields.collect::<Fields>(), metadata.schema().metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options).map_err(|e| error(&e))?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(opened, metadata);
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().map(|(at, _)| *at));
    let reader = builder.with_projection(mask).with_batch_size(ROWS).build().map_err(|e| error(&e))?;
    let before = read.load(Ordering::Relaxed);
    // One thread unpacks the next rows while this one groups those it has.
    std::thread::scope(|scope| {
        let (to, from) = std::sync::mpsc::sync_channel(2);
        scope.spawn(move || {
            // Whoever no longer listens has met an error.
            let _ = reader.into_iter().try_for_each(|batch| to.send(batch));
        });
        let mut line = 0;
        for batch in from {
            let batch: RecordBatch = batch.map_err(|e| error(&e))?;
            rows(&batch, &names, &wanted, &mut line, sink);
            read.store(before + size * line.min(n_rows) / n_rows, Ordering::Relaxed);
        }
        Ok(())
    })
}

/// Feeds the rows of a batch into the sink. `wanted` has the fields that were
/// read, with the number of each one's first column.
fn rows(batch: &RecordBatch, names: &[String], wanted: &[(usize, usize)], line: &mut u64, sink: &mut dyn RowSink) {
    let mut columns: Vec<Option<Leaf>> = Vec::with_capacity(names.len());
    for (column, (_, start)) in batch.columns().iter().zip(wanted) {
        columns.resize_with(*start, || None);
        let mut of_field = Vec::new();
        leaves(column, None, &mut of_field);
        columns.extend(of_field.into_iter().map(Some));
    }
    // Columns of structs that are null where the columns are not come row by row.
    let is_plain = columns.iter().flatten().all(|leaf| leaf.nulls.as_ref().is_none_or(|n| n.null_count() == 0));
    if is_plain {
        let arrays: Vec<Option<ArrayRef>> =
            columns.iter().map(|leaf| leaf.as_ref().map(|leaf| Arc::clone(&leaf.array))).collect();
        if sink.batch(&arrays, batch.num_rows()) {
            *line += batch.num_rows() as u64;
            return;
        }
    }
    let readers: Vec<Option<Reader<'_>>> = columns.iter().map(|c| c.as_ref().map(Reader::new)).collect();
    let mut cells: Vec<Cell<'_>> = Vec::with_capacity(columns.len());
    for row in 0..batch.num_rows() {
        *line += 1;
        cells.clear();
        cells.extend(readers.iter().map(|reader| reader.as_ref().map_or(Cell::Missing, |r| r.cell(row))));
        sink.row(*line, &cells);
    }
}

/// The columns of a field: its own, or those of a struct under their path.
fn field_names(path: &str, field: &Field, names: &mut Vec<String>) {
    let name = if path.is_empty() { field.name().clone() } else { format!("{path}.{}", field.name()) };
    match field.data_type() {
        DataType::Struct(inner) => inner.iter().for_each(|f| field_names(&name, f, names)),
        _ => names.push(name),
    }
}

/// A column of values with the struct it lies in, which may be null where the
/// column is not.
struct Leaf {
    array: ArrayRef,
    nulls: Option<NullBuffer>,
}

/// A column as most are, found out once a batch rather than once a cell.
enum Typed<'a> {
    Text(&'a StringArray),
    Boolean(&'a BooleanArray),
    Int32(&'a Int32Array),
    UInt32(&'a UInt32Array),
    Int64(&'a Int64Array),
    Number(&'a Float64Array),
    Micros(&'a TimestampMicrosecondArray),
    Other,
}

struct Reader<'a> {
    leaf: &'a Leaf,
    typed: Typed<'a>,
}

impl<'a> Reader<'a> {
    fn new(leaf: &'a Leaf) -> Reader<'a> {
        let array = leaf.array.as_ref();
        let typed = match array.data_type() {
            DataType::Utf8 => array.as_string_opt::<i32>().map(Typed::Text),
            DataType::Boolean => array.as_boolean_opt().map(Typed::Boolean),
            DataType::Int32 => array.as_primitive_opt::<Int32Type>().map(Typed::Int32),
            DataType::UInt32 => array.as_primitive_opt::<UInt32Type>().map(Typed::UInt32),
            DataType::Int64 => array.as_primitive_opt::<Int64Type>().map(Typed::Int64),
            DataType::Float64 => array.as_primitive_opt::<Float64Type>().map(Typed::Number),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                array.as_primitive_opt::<TimestampMicrosecondType>().map(Typed::Micros)
            }
            _ => None,
        };
        Reader { leaf, typed: typed.unwrap_or(Typed::Other) }
    }

    fn cell(&self, row: usize) -> Cell<'a> {
        let (leaf, array) = (self.leaf, &self.leaf.array);
        let is_null = leaf.nulls.as_ref().is_some_and(|n| n.is_null(row)) || array.is_null(row);
        match self.typed {
            _ if is_null => Cell::Missing,
            Typed::Text(texts) => Cell::Text(texts.value(row)),
            Typed::Boolean(bits) => Cell::Boolean(bits.value(row)),
            Typed::Int32(ints) => Cell::Integer(ints.value(row).into()),
            Typed::UInt32(ints) => Cell::Integer(ints.value(row).into()),
            Typed::Int64(ints) => Cell::Integer(ints.value(row)),
            Typed::Number(numbers) => Cell::Number(numbers.value(row)),
            Typed::Micros(times) => Cell::Instant(Instant(times.value(row))),
            Typed::Other => cell(array, row),
        }
    }
}

fn leaves(array: &ArrayRef, nulls: Option<NullBuffer>, out: &mut Vec<Leaf>) {
    match array.as_struct_opt() {
        Some(rows) => {
            let nulls = NullBuffer::union(nulls.as_ref(), rows.nulls());
            rows.columns().iter().for_each(|c| leaves(c, nulls.clone(), out));
        }
        None => out.push(Leaf { array: array.clone(), nulls }),
    }
}

fn cell(array: &ArrayRef, row: usize) -> Cell<'_> {
    if row >= array.len() || array.is_null(row) {
        return Cell::Missing;
    }
    typed(array, row).unwrap_or_else(|| Cell::Other(array.data_type().to_string()))
}

fn typed(array: &ArrayRef, row: usize) -> Option<Cell<'_>> {
    Some(match array.data_type() {
        DataType::Boolean => Cell::Boolean(array.as_boolean_opt()?.value(row)),
        DataType::Int8 => Cell::Integer(primitive::<Int8Type>(array, row)?.into()),
        DataType::Int16 => Cell::Integer(primitive::<Int16Type>(array, row)?.into()),
        DataType::Int32 => Cell::Integer(primitive::<Int32Type>(array, row)?.into()),
        DataType::Int64 => Cell::Integer(primitive::<Int64Type>(array, row)?),
        DataType::UInt8 => Cell::Integer(primitive::<UInt8Type>(array, row)?.into()),
        DataType::UInt16 => Cell::Integer(primitive::<UInt16Type>(array, row)?.into()),
        DataType::UInt32 => Cell::Integer(primitive::<UInt32Type>(array, row)?.into()),
        DataType::UInt64 => Cell::Integer(i64::try_from(primitive::<UInt64Type>(array, row)?).ok()?),
        DataType::Float32 => Cell::Number(primitive::<Float32Type>(array, row)?.into()),
        DataType::Float64 => Cell::Number(primitive::<Float64Type>(array, row)?),
        DataType::Utf8 => Cell::Text(array.as_string_opt::<i32>()?.value(row)),
        DataType::LargeUtf8 => Cell::Text(array.as_string_opt::<i64>()?.value(row)),
        DataType::Utf8View => Cell::Text(array.as_string_view_opt()?.value(row)),
        DataType::Date32 => Cell::Date(Date(primitive::<Date32Type>(array, row)?)),
        DataType::Date64 => {
            let days = primitive::<Date64Type>(array, row)?.div_euclid(86_400_000);
            Cell::Date(Date(i32::try_from(days).ok()?))
        }
        DataType::Timestamp(unit, _) => Cell::Instant(instant(array, row, *unit)?),
        DataType::Decimal128(_, scale) => decimal(primitive::<Decimal128Type>(array, row)?, *scale)?,
        DataType::List(_) => {
            let list = array.as_list_opt::<i32>()?;
            let bound = |at: usize| list.value_offsets().get(at).map(|o| *o as usize);
            Cell::List((bound(row)?..bound(row + 1)?).map(|at| cell(list.values(), at)).collect())
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct_opt()?.columns();
            Cell::Record(fields.iter().zip(columns).map(|(f, c)| (f.name().as_str(), cell(c, row))).collect())
        }
        DataType::Dictionary(key, _) => match key.as_ref() {
            DataType::Int8 => keyed::<Int8Type>(array, row)?,
            DataType::Int16 => keyed::<Int16Type>(array, row)?,
            DataType::Int32 => keyed::<Int32Type>(array, row)?,
            DataType::Int64 => keyed::<Int64Type>(array, row)?,
            _ => return None,
        },
        _ => return None,
    })
}

fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> Option<T::Native> {
    array.as_primitive_opt::<T>().map(|a| a.value(row))
}

fn keyed<K: ArrowDictionaryKeyType>(array: &ArrayRef, row: usize) -> Option<Cell<'_>> {
    let dictionary = array.as_dictionary_opt::<K>()?;
    Some(cell(dictionary.values(), dictionary.key(row)?))
}

fn instant(array: &ArrayRef, row: usize, unit: TimeUnit) -> Option<Instant> {
    let micros = match unit {
        TimeUnit::Second => primitive::<TimestampSecondType>(array, row)?.checked_mul(1_000_000)?,
        TimeUnit::Millisecond => primitive::<TimestampMillisecondType>(array, row)?.checked_mul(1_000)?,
        TimeUnit::Microsecond => primitive::<TimestampMicrosecondType>(array, row)?,
        TimeUnit::Nanosecond => primitive::<TimestampNanosecondType>(array, row)?.div_euclid(1_000),
    };
    Some(Instant(micros))
}

/// A decimal as its digits, so that money stays exact.
fn decimal(value: i128, scale: i8) -> Option<Cell<'static>> {
    let scale = u32::try_from(scale).ok()?;
    let power = 10_i128.checked_pow(scale)?;
    if value % power == 0 {
        return Some(Cell::Integer(i64::try_from(value / power).ok()?));
    }
    // A decimal with a fraction that is not exact in four places is no money;
    // as a number it is as close as numbers are.
    Some(Cell::Number(value as f64 / power as f64))
}
