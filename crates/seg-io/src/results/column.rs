//! Attributes as columns of results.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Decimal128Array, ListArray, StructArray, UInt32Array, new_null_array};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields};
use arrow_select::take::take;
use seg_data::batch::{Column, time_type};
use seg_data::{AttributeId, Batch, Timestamp, Type};
use std::ops::Range;
use std::sync::Arc;

/// Digits of an amount of money, four of which stand behind the point: as many as 64 bits need.
const MONEY_DIGITS: u8 = 19;
const MONEY_PLACES: i8 = 4;

/// An attribute of everybody, as results hold it: money as decimals, texts as they are, and
/// no value where the language knows none.
#[derive(Debug, Clone)]
pub struct AttributeColumn {
    /// The attribute's name in the schema.
    pub name: String,
    /// The type of its values.
    pub ty: Type,
    values: ArrayRef,
}

/// Some attributes of everybody with their values as of an instant. An attribute that the
/// data lacks has no value.
///
/// # Errors
/// What Arrow cannot hold, such as more texts than one array has room for.
pub fn attribute_columns(
    batch: &Batch,
    ids: &[AttributeId],
    now: Timestamp,
) -> Result<Vec<AttributeColumn>, ArrowError> {
    let batch = batch.as_of(now);
    let known = ids.iter().filter_map(|id| Some((*id, batch.schema().attribute(*id)?)));
    let columns = known.map(|(id, field)| {
        let values = match batch.attribute_column(id) {
            Some(column) => written(column)?,
            None => new_null_array(&written_type(&field.ty), batch.len()),
        };
        Ok(AttributeColumn { name: field.name.clone(), ty: field.ty.clone(), values })
    });
    columns.collect()
}

impl AttributeColumn {
    /// The values of some people; none where there is no row.
    pub(super) fn of_rows(&self, rows: &UInt32Array) -> Result<ArrayRef, ArrowError> {
        take(&self.values, rows, None)
    }
}

/// The Arrow type in which results hold values of a type.
pub(super) fn written_type(ty: &Type) -> DataType {
    match ty {
        Type::Boolean => DataType::Boolean,
        Type::Integer | Type::Duration => DataType::Int64,
        Type::Number => DataType::Float64,
        Type::Money => DataType::Decimal128(MONEY_DIGITS, MONEY_PLACES),
        Type::Text => DataType::Utf8,
        Type::Timestamp => time_type(),
        Type::Date => DataType::Date32,
        Type::List(element) => DataType::List(Arc::new(Field::new("item", written_type(&element.ty()), true))),
        Type::Records(fields) => {
            DataType::List(Arc::new(Field::new("item", DataType::Struct(written_fields(fields)), true)))
        }
    }
}

fn written_fields(fields: &[(String, Type)]) -> Fields {
    fields.iter().map(|(name, ty)| Field::new(name, written_type(ty), true)).collect()
}

fn written(column: &Column) -> Result<ArrayRef, ArrowError> {
    match column.ty() {
        Type::List(element) => list(column, &element.ty()),
        Type::Records(fields) => records(column, fields),
        ty @ (Type::Boolean
        | Type::Integer
        | Type::Number
        | Type::Money
        | Type::Text
        | Type::Timestamp
        | Type::Date
        | Type::Duration) => plain(ty, column.array()),
    }
}

/// Values that are no lists, in the type in which results hold them.
fn plain(ty: &Type, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let other = || ArrowError::SchemaError(format!("a column of type {ty} came as {}", array.data_type()));
    Ok(match ty {
        Type::Boolean | Type::Integer | Type::Date | Type::Duration => Arc::clone(array),
        Type::Number => {
            let numbers = array.as_primitive_opt::<Float64Type>().ok_or_else(other)?;
            // What is no number counts as missing wherever it is read.
            Arc::new(numbers.unary_opt::<_, Float64Type>(|number| number.is_finite().then_some(number)))
        }
        Type::Money => {
            let amounts = array.as_primitive_opt::<Int64Type>().ok_or_else(other)?;
            let wide = amounts.iter().map(|amount| amount.map(i128::from));
            Arc::new(wide.collect::<Decimal128Array>().with_precision_and_scale(MONEY_DIGITS, MONEY_PLACES)?)
        }
        Type::Text => match array.as_dictionary_opt::<Int32Type>() {
            Some(coded) => take(coded.values(), coded.keys(), None)?,
            // The elements of lists are plain.
            None => Arc::clone(array),
        },
        Type::Timestamp => {
            let times = array.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(other)?;
            Arc::new(times.clone().with_timezone("UTC"))
        }
        Type::List(_) | Type::Records(_) => return Err(other()),
    })
}

/// Lists without the elements that are missing, as everywhere in the language.
fn list(column: &Column, element: &Type) -> Result<ArrayRef, ArrowError> {
    let other = || ArrowError::SchemaError(format!("a list came as {}", column.array().data_type()));
    let lists = column.array().as_list_opt::<i32>().ok_or_else(other)?;
    let items = plain(element, lists.values())?;
    let ranges = lists.value_offsets().windows(2).map(|ends| match ends {
        [start, end] => *start as usize..*end as usize,
        _ => 0..0,
    });
    let (lengths, kept) = gathered(ranges.enumerate(), |row| lists.is_valid(row), |at| items.is_valid(at));
    let item = Arc::new(Field::new("item", written_type(element), true));
    let kept = take(&items, &kept, None)?;
    let lists = ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), kept, lists.nulls().cloned())?;
    Ok(Arc::new(lists))
}

fn records(column: &Column, fields: &[(String, Type)]) -> Result<ArrayRef, ArrowError> {
    let n_rows = column.array().len();
    let ranges = (0..n_rows).map(|row| (row, column.records(row).unwrap_or(0..0)));
    let (lengths, kept) = gathered(ranges, |_| true, |_| true);
    let of_fields = column.fields().iter().map(|field| take(&written(field)?, &kept, None));
    let of_fields = of_fields.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
    let fields = written_fields(fields);
    let records = StructArray::try_new(fields.clone(), of_fields, None)?;
    let item = Arc::new(Field::new("item", DataType::Struct(fields), true));
    let nulls: Option<NullBuffer> = column.array().nulls().cloned();
    let lists = ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(records), nulls)?;
    Ok(Arc::new(lists))
}

/// How many elements each row keeps, and the positions of all that are kept.
fn gathered(
    ranges: impl Iterator<Item = (usize, Range<usize>)>,
    has_list: impl Fn(usize) -> bool,
    is_kept: impl Fn(usize) -> bool,
) -> (Vec<usize>, UInt32Array) {
    let (mut lengths, mut kept) = (Vec::new(), Vec::new());
    for (row, range) in ranges {
        let before = kept.len();
        if has_list(row) {
            kept.extend(range.filter(|at| is_kept(*at)).map(|at| at as u32));
        }
        lengths.push(kept.len() - before);
    }
    (lengths, UInt32Array::from(kept))
}
