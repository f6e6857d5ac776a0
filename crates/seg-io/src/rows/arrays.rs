//! Columns in memory, as Parquet and Arrow files hold them, fed into a sink: as columns,
//! or row by row where the sink asks for it.

use super::maps::{Unknown, as_structs};
use super::{Columns, Left, RowSink};
use crate::cell::Cell;
use crate::report::ProblemKind;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, GenericBinaryArray, GenericListArray, Int32Array, Int64Array,
    OffsetSizeTrait, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray, UInt32Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use seg_data::{Date, Decimal, Timestamp, Zone};
use std::sync::Arc;

/// So many batches are offered together, so that several threads have work.
pub(super) const ROUND: usize = 4;

/// The columns of a schema, those of structs under their paths, and for each field where
/// its own begin.
pub(super) fn columns_of(schema: &Schema) -> (Vec<String>, Vec<usize>) {
    let (mut names, mut starts) = (Vec::new(), Vec::new());
    for field in schema.fields() {
        starts.push(names.len());
        field_names("", field, &mut names);
    }
    (names, starts)
}

/// The type in which a column of texts is read: with a key for each row where that is
/// wanted. None where it holds no texts, or is so already.
pub(super) fn read_as(data_type: &DataType, with_keys: bool) -> Option<DataType> {
    let texts = match data_type {
        DataType::Dictionary(_, texts) => texts,
        texts => texts,
    };
    if !matches!(texts, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
        return None;
    }
    let wanted = match with_keys {
        true => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        false => DataType::Utf8,
    };
    (wanted != *data_type).then_some(wanted)
}

/// The fields of which somebody wants a column, each with where its columns begin.
pub(super) fn wanted_fields(sink: &dyn RowSink, n_columns: usize, starts: &[usize]) -> Vec<(usize, usize)> {
    let ends = starts.iter().skip(1).copied().chain([n_columns]);
    let fields = starts.iter().copied().zip(ends).enumerate();
    fields
        .filter(|(_, (start, end))| (*start..*end).any(|column| sink.wants(column)))
        .map(|(at, (start, _))| (at, start))
        .collect()
}

/// Feeds rows into a sink.
pub(super) struct Feed<'f> {
    /// The fields that are read, with the number of each one's first column.
    wanted: &'f [(usize, usize)],
    /// Rows that were fed.
    pub line: u64,
    /// How many batches the sink is offered at once.
    n_together: usize,
    /// The schema of the columns that the sink was told of; see [`super::maps::with_keys`].
    schema: &'f Schema,
    unknown: Unknown,
    sink: &'f mut dyn RowSink,
}

impl<'f> Feed<'f> {
    pub fn new(schema: &'f Schema, wanted: &'f [(usize, usize)], sink: &'f mut dyn RowSink) -> Feed<'f> {
        Feed { wanted, line: 0, n_together: ROUND, schema, unknown: Unknown::default(), sink }
    }

    /// Feeds the rows of some batches, whose columns are the wanted ones.
    /// Everybody in them may be known.
    pub fn batches(&mut self, batches: &[RecordBatch], are_known: bool) {
        let leaves: Vec<Vec<Option<Leaf>>> = batches.iter().map(|batch| self.leaves(batch)).collect();
        for name in self.unknown.new.drain(..) {
            self.sink.note(ProblemKind::UnknownColumn, &name, self.line + 1);
        }
        let sizes = batches.iter().map(RecordBatch::num_rows);
        let columns = leaves.iter().zip(sizes).map(|(leaves, n_rows)| columns(leaves, n_rows, are_known));
        let columns: Vec<Columns> = columns.collect();
        let mut at = 0;
        while let Some(rest) = columns.get(at..).filter(|rest| !rest.is_empty()) {
            let n_offered = rest.len().min(self.n_together);
            let n_taken = self.sink.batches(self.line, rest.get(..n_offered).unwrap_or(rest));
            self.line += rest.iter().take(n_taken).map(|columns| columns.n_rows as u64).sum::<u64>();
            if let (0, Some(leaves), Some(columns)) = (n_taken, leaves.get(at), rest.first()) {
                self.rows(leaves, columns.n_rows);
                // Where one batch is not as it should be, others will not be either,
                // and those behind them would be looked at again and again.
                self.n_together = 1;
            }
            at += n_taken.max(1);
        }
    }

    /// Rows that were left in the file.
    pub fn left(&mut self, left: &Left) {
        self.sink.left(self.line, left);
        self.line += left.n_rows;
    }

    fn leaves(&mut self, batch: &RecordBatch) -> Vec<Option<Leaf>> {
        let mut columns: Vec<Option<Leaf>> = Vec::new();
        let zone = self.sink.zone().filter(|zone| *zone != Zone::UTC);
        for (column, (field, start)) in batch.columns().iter().zip(self.wanted) {
            columns.resize_with(*start, || None);
            let mut of_field = Vec::new();
            let field = self.schema.fields().get(*field);
            let structs = field.and_then(|field| as_structs("", column, field, &mut self.unknown));
            let column = structs.as_ref().unwrap_or(column);
            let plain = plain(column, zone);
            leaves(plain.as_ref().unwrap_or(column), None, &mut of_field);
            columns.extend(of_field.into_iter().map(Some));
        }
        columns
    }

    fn rows(&mut self, columns: &[Option<Leaf>], n_rows: usize) {
        let readers: Vec<Option<Reader<'_>>> = columns.iter().map(|c| c.as_ref().map(Reader::new)).collect();
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(columns.len());
        for row in 0..n_rows {
            self.line += 1;
            cells.clear();
            cells.extend(readers.iter().map(|reader| reader.as_ref().map_or(Cell::Missing, |r| r.cell(row))));
            self.sink.row(self.line, &cells);
        }
    }
}

/// A column in the types that cells are of: times without a zone are those of the clocks
/// of one, as in texts, and bytes are the texts that they hold. Nothing where it is so
/// already.
fn plain(array: &ArrayRef, zone: Option<Zone>) -> Option<ArrayRef> {
    match array.data_type() {
        DataType::Timestamp(unit, Some(_)) if *unit != TimeUnit::Microsecond => {
            let micros = |row: usize| array.is_valid(row).then(|| instant(array, row, *unit)).flatten();
            let instants = (0..array.len()).map(|row| Some(micros(row)?.0));
            let instants: TimestampMicrosecondArray = instants.collect();
            // What is too far away for microseconds stays as it is, and is told of.
            (instants.null_count() == array.null_count()).then(|| Arc::new(instants.with_timezone("UTC")) as ArrayRef)
        }
        DataType::Timestamp(unit, None) => {
            let zone = zone?;
            let micros = |row: usize| array.is_valid(row).then(|| instant(array, row, *unit)).flatten();
            let instants = (0..array.len()).map(|row| Some(zone.instant_of(micros(row)?)?.0));
            let instants: TimestampMicrosecondArray = instants.collect();
            Some(Arc::new(instants.with_timezone("UTC")))
        }
        DataType::FixedSizeBinary(16) => {
            let bytes = array.as_fixed_size_binary_opt()?;
            let texts: StringArray = bytes.iter().map(|bytes| bytes.map(uuid)).collect();
            Some(Arc::new(texts))
        }
        // What older tools write as bytes are mostly texts; where one is none, they stay bytes.
        DataType::Binary => texts_of(array.as_binary_opt::<i32>()?),
        DataType::LargeBinary => texts_of(array.as_binary_opt::<i64>()?),
        DataType::Struct(fields) => {
            let rows = array.as_struct_opt()?;
            let (fields, columns) = plain_fields(fields, rows.columns(), zone)?;
            Some(Arc::new(StructArray::try_new(fields, columns, rows.nulls().cloned()).ok()?))
        }
        DataType::List(item) => plain_list::<i32>(array, item, zone),
        DataType::LargeList(item) => plain_list::<i64>(array, item, zone),
        _ => None,
    }
}

fn texts_of<O: OffsetSizeTrait>(bytes: &GenericBinaryArray<O>) -> Option<ArrayRef> {
    let texts = bytes.iter().map(|bytes| bytes.map(std::str::from_utf8).transpose());
    let texts: StringArray = texts.collect::<Result<_, _>>().ok()?;
    Some(Arc::new(texts))
}

/// The text of a UUID (RFC 9562, section 4).
fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.extend([byte >> 4, byte & 0xf].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')));
    }
    text
}

/// A list as [`plain`] makes it.
fn plain_list<O: OffsetSizeTrait>(array: &ArrayRef, item: &Field, zone: Option<Zone>) -> Option<ArrayRef> {
    let list = array.as_list_opt::<O>()?;
    let values = plain(list.values(), zone)?;
    let item = Arc::new(item.clone().with_data_type(values.data_type().clone()));
    let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
    Some(Arc::new(GenericListArray::<O>::try_new(item, offsets, values, nulls).ok()?))
}

/// The columns of a struct, where one of them is not plain.
fn plain_fields(fields: &Fields, columns: &[ArrayRef], zone: Option<Zone>) -> Option<(Fields, Vec<ArrayRef>)> {
    let changed: Vec<Option<ArrayRef>> = columns.iter().map(|column| plain(column, zone)).collect();
    if changed.iter().all(Option::is_none) {
        return None;
    }
    let columns: Vec<ArrayRef> = changed
        .into_iter()
        .zip(columns)
        .map(|(changed, column)| changed.unwrap_or_else(|| Arc::clone(column)))
        .collect();
    let typed = fields.iter().zip(&columns);
    let typed = typed.map(|(field, column)| field.as_ref().clone().with_data_type(column.data_type().clone()));
    Some((typed.collect(), columns))
}

/// Rows as columns; none at all where a column lies in structs that are null
/// where it is not, so that they come row by row.
fn columns(leaves: &[Option<Leaf>], n_rows: usize, are_known: bool) -> Columns {
    let is_plain = leaves.iter().flatten().all(|leaf| leaf.nulls.as_ref().is_none_or(|n| n.null_count() == 0));
    let array = |leaf: &Option<Leaf>| leaf.as_ref().map(|leaf| Arc::clone(&leaf.array));
    let arrays = if is_plain { leaves.iter().map(array).collect() } else { Vec::new() };
    Columns { arrays, n_rows, are_known, lines: Vec::new() }
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
            Typed::Micros(times) => Cell::Timestamp(Timestamp(times.value(row))),
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
    if *array.data_type() == DataType::Null || row >= array.len() || array.is_null(row) {
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
        DataType::UInt64 => {
            decimal(Decimal { value: i128::from(primitive::<UInt64Type>(array, row)?).into(), scale: 0 })
        }
        DataType::Float16 => Cell::Number(primitive::<Float16Type>(array, row)?.into()),
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
        DataType::Timestamp(unit, _) => Cell::Timestamp(instant(array, row, *unit)?),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            decimal(Decimal::at(array, row)?)
        }
        DataType::List(_) => items::<i32>(array, row)?,
        DataType::LargeList(_) => items::<i64>(array, row)?,
        DataType::FixedSizeList(..) => {
            let list = array.as_fixed_size_list_opt()?;
            let length = usize::try_from(list.value_length()).ok()?;
            let first = row.checked_mul(length)?;
            Cell::List((first..first + length).map(|at| cell(list.values(), at)).collect())
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
            DataType::UInt8 => keyed::<UInt8Type>(array, row)?,
            DataType::UInt16 => keyed::<UInt16Type>(array, row)?,
            DataType::UInt32 => keyed::<UInt32Type>(array, row)?,
            DataType::UInt64 => keyed::<UInt64Type>(array, row)?,
            _ => return None,
        },
        _ => return None,
    })
}

/// The items of a list.
fn items<O: OffsetSizeTrait>(array: &ArrayRef, row: usize) -> Option<Cell<'_>> {
    let list = array.as_list_opt::<O>()?;
    let bound = |at: usize| list.value_offsets().get(at).map(|offset| offset.as_usize());
    Some(Cell::List((bound(row)?..bound(row + 1)?).map(|at| cell(list.values(), at)).collect()))
}

fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> Option<T::Native> {
    array.as_primitive_opt::<T>().map(|a| a.value(row))
}

fn keyed<K: ArrowDictionaryKeyType>(array: &ArrayRef, row: usize) -> Option<Cell<'_>> {
    let dictionary = array.as_dictionary_opt::<K>()?;
    Some(cell(dictionary.values(), dictionary.key(row)?))
}

fn instant(array: &ArrayRef, row: usize, unit: TimeUnit) -> Option<Timestamp> {
    let micros = match unit {
        TimeUnit::Second => primitive::<TimestampSecondType>(array, row)?.checked_mul(1_000_000)?,
        TimeUnit::Millisecond => primitive::<TimestampMillisecondType>(array, row)?.checked_mul(1_000)?,
        TimeUnit::Microsecond => primitive::<TimestampMicrosecondType>(array, row)?,
        TimeUnit::Nanosecond => primitive::<TimestampNanosecondType>(array, row)?.div_euclid(1_000),
    };
    Some(Timestamp(micros))
}

/// A decimal as it is: whole where it is whole, so that `12.00` is the id `12`.
fn decimal(decimal: Decimal) -> Cell<'static> {
    decimal.whole().map_or(Cell::Decimal(decimal), Cell::Integer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Decimal128Array;

    /// No Parquet file has a scale below zero, but arrays have.
    #[test]
    fn decimals_of_any_scale_are_cells() {
        let cells = |scale: i8, values: &[i128]| -> Vec<String> {
            let array = Decimal128Array::from(values.to_vec()).with_precision_and_scale(38, scale).expect("a decimal");
            let array: ArrayRef = Arc::new(array);
            (0..values.len()).map(|row| format!("{:?}", cell(&array, row).text())).collect()
        };
        let text = |text: &str| format!("{:?}", Ok::<_, ()>(Some(text)));
        assert_eq!(cells(-2, &[12, 9_007_199_254_740_993]), [text("1200"), text("900719925474099300")]);
        assert_eq!(cells(2, &[1200, -1234]), [text("12"), text("-12.34")]);
        assert_eq!(cells(0, &[i128::from(u64::MAX)]), [text("18446744073709551615")]);
    }
}
