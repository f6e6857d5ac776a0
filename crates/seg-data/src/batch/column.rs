//! Columns of values: checked, and converted where the layout differs.

use super::error::{BatchError, BatchProblem, Conversion};
use super::lists;
use super::{storage_type, time_type};
use crate::decimal::{self, Inexact};
use crate::money::Money;
use crate::time::{Date, Timestamp};
use crate::types::{Element, Type};
use crate::value::Value;
use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Date32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, DictionaryArray, Float64Array, Int64Array, ListArray, StringArray};
use arrow_buffer::{ArrowNativeType, NullBuffer};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, TimeUnit};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// A column of values of one type, in the layout that [`storage_type`] gives.
/// Dictionaries hold each text once and no nulls; a time has any zone, which
/// says nothing about the instant.
#[derive(Debug, Clone)]
pub struct Column {
    ty: Type,
    array: ArrayRef,
    conversion: Option<Conversion>,
    /// The fields of records, a column each, by the position of a record.
    fields: Vec<Column>,
}

impl Column {
    /// Checks a column and converts it where it must be.
    ///
    /// # Errors
    /// How it breaks the contract of batches.
    pub fn try_new(name: &str, ty: &Type, array: &ArrayRef) -> Result<Column, BatchError> {
        let error = |problem| BatchError { column: name.to_owned(), problem };
        let converted = conform(ty, array).map_err(error)?;
        let conversion = converted.as_ref().map(|to| Conversion {
            column: name.to_owned(),
            from: array.data_type().clone(),
            to: to.data_type().clone(),
        });
        let array = converted.unwrap_or_else(|| Arc::clone(array));
        let fields = match ty {
            Type::Records(fields) => record_fields(name, fields, &array)?,
            _ => Vec::new(),
        };
        Ok(Column { ty: ty.clone(), array, conversion, fields })
    }

    /// A column of the same type around values that were taken of this one's array;
    /// `None` for records, which have columns of their own.
    pub(super) fn taken(&self, array: ArrayRef) -> Option<Column> {
        let is_plain = self.fields.is_empty();
        is_plain.then(|| Column { ty: self.ty.clone(), array, conversion: None, fields: Vec::new() })
    }

    /// Some of its rows. Records lie where they did, by the lists that are left.
    pub(super) fn slice(&self, rows: Range<usize>) -> Column {
        Column { array: self.array.slice(rows.start, rows.len()), ..self.clone() }
    }

    /// Where the records of a row are; none when the list is missing, and when
    /// this is no column of records.
    pub fn records(&self, row: usize) -> Option<Range<usize>> {
        let list = self.array.as_list_opt::<i32>().filter(|_| matches!(self.ty, Type::Records(_)))?;
        let offsets = list.value_offsets();
        let (start, end) = (offsets.get(row)?, offsets.get(row + 1)?);
        list.is_valid(row).then_some(*start as usize..*end as usize)
    }

    /// The fields of records in the order of their type, each with a row for
    /// every record; see [`Column::records`].
    pub fn fields(&self) -> &[Column] {
        &self.fields
    }

    /// The type of its values.
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// The Arrow data behind it.
    pub fn array(&self) -> &ArrayRef {
        &self.array
    }

    /// What it was converted from, if it was.
    pub fn conversion(&self) -> Option<&Conversion> {
        self.conversion.as_ref()
    }

    /// The keys and the texts of a column of texts.
    pub fn texts(&self) -> Option<(&DictionaryArray<Int32Type>, &StringArray)> {
        let coded = self.array.as_dictionary_opt::<Int32Type>()?;
        Some((coded, coded.values().as_string_opt::<i32>()?))
    }

    /// The value at a row; `None` when missing, NaN or infinite.
    pub fn value(&self, row: usize) -> Option<Value> {
        if row >= self.array.len() || self.array.is_null(row) {
            return None;
        }
        read(&self.ty, &self.array, row)
    }
}

/// The fields of a list of records. A record that is null lacks them all.
fn record_fields(name: &str, fields: &[(String, Type)], array: &ArrayRef) -> Result<Vec<Column>, BatchError> {
    let records = array.as_list_opt::<i32>().and_then(|list| list.values().as_struct_opt().cloned());
    let Some(records) = records else {
        let (expected, found) = (storage_type(&Type::Records(fields.to_vec())), array.data_type().clone());
        return Err(BatchError { column: name.to_owned(), problem: BatchProblem::WrongType { expected, found } });
    };
    let mut columns = Vec::with_capacity(fields.len());
    for (field, ty) in fields {
        let column = match records.column_by_name(field) {
            Some(column) => {
                let nulls = NullBuffer::union(records.nulls(), column.nulls());
                arrow_array::make_array(column.to_data().into_builder().nulls(nulls).build().map_err(|error| {
                    let (expected, found) = (storage_type(ty), column.data_type().clone());
                    let problem = BatchProblem::NotConvertible { expected, found, why: error.to_string() };
                    BatchError { column: format!("{name}.{field}"), problem }
                })?)
            }
            None => arrow_array::new_null_array(&storage_type(ty), records.len()),
        };
        columns.push(Column::try_new(&format!("{name}.{field}"), ty, &column)?);
    }
    Ok(columns)
}

fn read(ty: &Type, array: &dyn Array, row: usize) -> Option<Value> {
    match ty {
        Type::Boolean => Some(Value::Boolean(array.as_boolean_opt()?.value(row))),
        Type::Integer => Some(Value::Integer(array.as_primitive_opt::<Int64Type>()?.value(row).into())),
        Type::Number => Value::number(array.as_primitive_opt::<Float64Type>()?.value(row)),
        Type::Money => Some(Money(array.as_primitive_opt::<Int64Type>()?.value(row)).into()),
        Type::Text => text(array, row).map(|t| Value::Text(t.to_owned())),
        Type::Timestamp => {
            Some(Value::Timestamp(Timestamp(array.as_primitive_opt::<TimestampMicrosecondType>()?.value(row))))
        }
        Type::Date => Some(Value::Date(Date(array.as_primitive_opt::<Date32Type>()?.value(row)))),
        Type::List(element) => {
            let items = array.as_list_opt::<i32>()?.value(row);
            let ty = element.ty();
            let values = (0..items.len()).filter(|&i| items.is_valid(i)).filter_map(|i| read(&ty, &items, i));
            Some(Value::List(values.collect()))
        }
        Type::Records(_) | Type::Duration => None,
    }
}

fn text(array: &dyn Array, row: usize) -> Option<&str> {
    if let Some(plain) = array.as_string_opt::<i32>() {
        return Some(plain.value(row));
    }
    let dictionary = array.as_dictionary_opt::<Int32Type>()?;
    dictionary.key(row).map(|key| dictionary.values().as_string::<i32>().value(key))
}

/// The column in the layout of its type; `None` when it is in it already.
fn conform(ty: &Type, array: &ArrayRef) -> Result<Option<ArrayRef>, BatchProblem> {
    use DataType as D;
    let expected = storage_type(ty);
    let found = array.data_type();
    let wrong = || BatchProblem::WrongType { expected: expected.clone(), found: found.clone() };
    match (ty, found) {
        (Type::Boolean, D::Boolean)
        | (Type::Integer | Type::Money, D::Int64)
        | (Type::Number, D::Float64)
        | (Type::Timestamp, D::Timestamp(TimeUnit::Microsecond, _))
        | (Type::Date, D::Date32) => Ok(None),
        (Type::Integer, D::Int8 | D::Int16 | D::Int32 | D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64)
        | (Type::Number, D::Float32 | D::Int8 | D::Int16 | D::Int32 | D::Int64)
        | (Type::Number, D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64)
        | (Type::Date, D::Date64) => cast(array, &expected).map(Some),
        (
            Type::Integer | Type::Number | Type::Money,
            D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..) | D::Decimal256(..),
        ) => decimals(ty, array).map(Some),
        (Type::Timestamp, D::Timestamp(..)) => instants(array).map(Some),
        (Type::Text, D::Utf8 | D::LargeUtf8 | D::Utf8View | D::Dictionary(..)) => texts(array, &wrong),
        (Type::List(element), _) => list(*element, array, &wrong),
        (Type::Records(_), D::List(_)) => lists::check(array.as_list::<i32>()).map(|()| None),
        _ => Err(wrong()),
    }
}

fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, BatchProblem> {
    cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() }).map_err(|error| {
        BatchProblem::NotConvertible {
            expected: to.clone(),
            found: array.data_type().clone(),
            why: error.to_string().trim_start_matches("Cast error: ").to_owned(),
        }
    })
}

/// Decimals as values of a type: money and integers exactly or not at all, numbers
/// as near as floating point comes.
fn decimals(ty: &Type, array: &ArrayRef) -> Result<ArrayRef, BatchProblem> {
    let expected = storage_type(ty);
    let refuse = |why: &str| BatchProblem::NotConvertible {
        expected: expected.clone(),
        found: array.data_type().clone(),
        why: why.to_owned(),
    };
    let nulls = array.nulls().cloned();
    if *ty == Type::Number {
        let numbers = decimal::map(array, |number| Ok::<f64, BatchProblem>(number.nearest()));
        let numbers = numbers.ok_or_else(|| refuse("it cannot be read"))??;
        return Ok(Arc::new(Float64Array::new(numbers.into(), nulls)));
    }
    let whole = decimal::map(array, |number| match ty {
        Type::Money => number.money().map(|money| money.0).map_err(|inexact| match inexact {
            Inexact::TooFine => refuse("an amount has more than four places"),
            Inexact::TooLarge => refuse("an amount does not fit 64 bits"),
        }),
        Type::Integer => number.whole().map_err(|inexact| match inexact {
            Inexact::TooFine => refuse("a number has a fraction"),
            Inexact::TooLarge => refuse("a number does not fit 64 bits"),
        }),
        Type::Boolean | Type::Number | Type::Text | Type::Timestamp | Type::Date => Err(refuse("it is a decimal")),
        Type::List(_) | Type::Duration | Type::Records(_) => Err(refuse("it is a decimal")),
    });
    let whole = whole.ok_or_else(|| refuse("it cannot be read"))??;
    Ok(Arc::new(Int64Array::new(whole.into(), nulls)))
}

/// Instants in microseconds; what is finer is cut off towards the past.
pub(super) fn instants(array: &ArrayRef) -> Result<ArrayRef, BatchProblem> {
    if let Some(nanos) = array.as_primitive_opt::<TimestampNanosecondType>() {
        let micros = nanos.unary::<_, TimestampMicrosecondType>(|n| n.div_euclid(1_000));
        return Ok(Arc::new(micros.with_timezone("UTC")));
    }
    // Instants mean the same in every zone; arrow's cast reads those without
    // one as local, so the zone is put on before.
    let unit = match array.data_type() {
        DataType::Timestamp(unit, _) => *unit,
        _ => TimeUnit::Microsecond,
    };
    let plain = cast(array, &DataType::Int64)?;
    let zoned = cast(&plain, &DataType::Timestamp(unit, Some("UTC".into())))?;
    cast(&zoned, &time_type())
}

/// Texts as a dictionary that holds each once and no nulls.
fn texts(array: &ArrayRef, wrong: &impl Fn() -> BatchProblem) -> Result<Option<ArrayRef>, BatchProblem> {
    if let DataType::Dictionary(key, values) = array.data_type() {
        if !matches!(values.as_ref(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
            return Err(wrong());
        }
        match key.as_ref() {
            DataType::Int8 => keys_in_range::<Int8Type>(array)?,
            DataType::Int16 => keys_in_range::<Int16Type>(array)?,
            DataType::Int32 => keys_in_range::<Int32Type>(array)?,
            DataType::Int64 => keys_in_range::<Int64Type>(array)?,
            DataType::UInt8 => keys_in_range::<UInt8Type>(array)?,
            DataType::UInt16 => keys_in_range::<UInt16Type>(array)?,
            DataType::UInt32 => keys_in_range::<UInt32Type>(array)?,
            DataType::UInt64 => keys_in_range::<UInt64Type>(array)?,
            _ => return Err(wrong()),
        }
        if is_canonical(array) {
            return Ok(None);
        }
    }
    let plain = cast(array, &DataType::Utf8)?;
    let Some(plain) = plain.as_string_opt::<i32>() else { return Err(wrong()) };
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    plain.iter().for_each(|text| builder.append_option(text));
    Ok(Some(Arc::new(builder.finish())))
}

fn keys_in_range<K: ArrowDictionaryKeyType>(array: &ArrayRef) -> Result<(), BatchProblem> {
    let Some(dictionary) = array.as_dictionary_opt::<K>() else { return Ok(()) };
    let n_values = dictionary.values().len();
    let keys = dictionary.keys();
    let fits = |key: &K::Native| key.to_usize().is_some_and(|k| k < n_values);
    let all_fit = match keys.nulls() {
        None => keys.values().iter().all(fits),
        Some(nulls) => keys.values().iter().zip(nulls).all(|(key, is_valid)| !is_valid || fits(key)),
    };
    if all_fit { Ok(()) } else { Err(BatchProblem::KeyOutOfRange) }
}

/// Whether a dictionary is one that engines read as it is: equal keys exactly
/// where texts are equal.
fn is_canonical(array: &ArrayRef) -> bool {
    let Some(coded) = array.as_dictionary_opt::<Int32Type>() else { return false };
    let Some(values) = coded.values().as_string_opt::<i32>() else { return false };
    let mut seen = HashSet::with_capacity(values.len());
    values.iter().all(|text| text.is_some_and(|text| seen.insert(text)))
}

fn list(
    element: Element,
    array: &ArrayRef,
    wrong: &impl Fn() -> BatchProblem,
) -> Result<Option<ArrayRef>, BatchProblem> {
    let expected = storage_type(&Type::List(element));
    let item = match array.data_type() {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => item,
        DataType::ListView(item) | DataType::LargeListView(item) => item,
        _ => return Err(wrong()),
    };
    let is_decimal = matches!(
        item.data_type(),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..)
    );
    let converts = match element {
        Element::Integer | Element::Number if is_decimal => true,
        Element::Text => matches!(item.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
        Element::Integer => item.data_type().is_integer(),
        Element::Number => item.data_type().is_numeric(),
        Element::Timestamp => matches!(item.data_type(), DataType::Timestamp(..)),
    };
    if !converts {
        return Err(wrong());
    }
    lists::check_any(array)?;
    let DataType::List(to) = &expected else { return Err(wrong()) };
    if is_decimal {
        let plain = cast(array, &DataType::List(Arc::clone(item)))?;
        let list = plain.as_list_opt::<i32>().ok_or_else(wrong)?;
        let items = decimals(&element.ty(), list.values())?;
        let list = ListArray::try_new(Arc::clone(to), list.offsets().clone(), items, list.nulls().cloned());
        return list.map(|list| Some(Arc::new(list) as ArrayRef)).map_err(|_| wrong());
    }
    if array.as_list_opt::<i32>().is_some_and(|list| list.value_type() == *to.data_type()) {
        return Ok(None);
    }
    cast(array, &expected).map(Some)
}
