//! Values of results as texts: fields of CSV and values of JSON.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use seg_data::{Date, Timestamp, Type, Value};
use serde_json::{Number, Value as Json};
use std::fmt::Write;
use std::io;

/// Appends a value as a field of CSV; nothing where it is missing. Lists are JSON, which is
/// how Seg reads them.
pub(super) fn push_field(out: &mut String, ty: &Type, array: &dyn Array, row: usize) {
    if array.is_null(row) {
        return;
    }
    // Writing to a string does not fail.
    let _ = match ty {
        Type::Text => out.write_str(text(array, row)),
        Type::Boolean => out.write_str(if is_true(array, row) { "true" } else { "false" }),
        Type::Integer | Type::Number | Type::Money | Type::Timestamp | Type::Date | Type::Duration => {
            value(ty, array, row).map_or(Ok(()), |value| write!(out, "{value}"))
        }
        Type::List(_) | Type::Records(_) => write!(out, "{}", json(ty, array, row)),
    };
}

/// Writes a value as JSON. Names, texts and memberships are most of a result, and are written
/// as they lie.
pub(super) fn write_json(out: &mut impl io::Write, ty: &Type, array: &dyn Array, row: usize) -> io::Result<()> {
    match ty {
        Type::Text if array.is_valid(row) => Ok(serde_json::to_writer(out, text(array, row))?),
        Type::Boolean if array.is_valid(row) => Ok(serde_json::to_writer(out, &is_true(array, row))?),
        Type::Text
        | Type::Boolean
        | Type::Integer
        | Type::Number
        | Type::Money
        | Type::Timestamp
        | Type::Date
        | Type::Duration
        | Type::List(_)
        | Type::Records(_) => Ok(serde_json::to_writer(out, &json(ty, array, row))?),
    }
}

/// A value as JSON has it: money, days and instants are texts, so that nothing is rounded.
fn json(ty: &Type, array: &dyn Array, row: usize) -> Json {
    if array.is_null(row) {
        return Json::Null;
    }
    match ty {
        Type::Text => text(array, row).into(),
        Type::Boolean => is_true(array, row).into(),
        Type::Integer | Type::Duration => array.as_primitive_opt::<Int64Type>().map(|array| array.value(row)).into(),
        Type::Number => {
            let number = array.as_primitive_opt::<Float64Type>().map(|array| array.value(row));
            number.and_then(Number::from_f64).map_or(Json::Null, Json::Number)
        }
        Type::Money | Type::Timestamp | Type::Date => value(ty, array, row).map(|value| value.to_string()).into(),
        Type::List(element) => items(array, row, |items, at| json(&element.ty(), items, at)),
        Type::Records(fields) => items(array, row, |items, at| {
            let Some(record) = items.as_struct_opt() else { return Json::Null };
            let of_record = fields.iter().zip(record.columns());
            of_record.map(|((name, ty), column)| (name.clone(), json(ty, column, at))).collect()
        }),
    }
}

fn items(array: &dyn Array, row: usize, item: impl Fn(&dyn Array, usize) -> Json) -> Json {
    let Some(items) = array.as_list_opt::<i32>().map(|lists| lists.value(row)) else { return Json::Null };
    (0..items.len()).map(|at| item(&items, at)).collect()
}

fn text(array: &dyn Array, row: usize) -> &str {
    array.as_string_opt::<i32>().map_or("", |texts| texts.value(row))
}

fn is_true(array: &dyn Array, row: usize) -> bool {
    array.as_boolean_opt().is_some_and(|flags| flags.value(row))
}

/// A value that is neither a text, a boolean nor a list.
fn value(ty: &Type, array: &dyn Array, row: usize) -> Option<Value> {
    Some(match ty {
        Type::Integer | Type::Duration => Value::Integer(array.as_primitive_opt::<Int64Type>()?.value(row).into()),
        Type::Number => Value::Number(array.as_primitive_opt::<Float64Type>()?.value(row)),
        Type::Money => Value::Money(array.as_primitive_opt::<Decimal128Type>()?.value(row)),
        Type::Timestamp => {
            Value::Timestamp(Timestamp(array.as_primitive_opt::<TimestampMicrosecondType>()?.value(row)))
        }
        Type::Date => Value::Date(Date(array.as_primitive_opt::<Date32Type>()?.value(row))),
        Type::Text | Type::Boolean | Type::List(_) | Type::Records(_) => return None,
    })
}
