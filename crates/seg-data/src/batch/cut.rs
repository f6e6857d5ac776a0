//! Some rows of a column, with nothing of the others.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, ListArray, StructArray, UInt32Array};
use arrow_schema::{ArrowError, DataType, Field, Fields};
use arrow_select::take::take;
use std::ops::Range;
use std::sync::Arc;

/// Some rows of a column. What a slice would keep of the others, such as a dictionary of the
/// texts of everybody, costs whoever reads a person alone more than the person does.
///
/// # Errors
/// That Arrow does not gather them.
pub(super) fn cut(array: &dyn Array, rows: Range<usize>) -> Result<ArrayRef, ArrowError> {
    let rows: UInt32Array = rows.map(|row| Some(row as u32)).collect();
    plain(&take(array, &rows, None)?)
}

/// A column without dictionaries.
pub(super) fn plain(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::Dictionary(..) => match array.as_dictionary_opt::<Int32Type>() {
            Some(coded) => take(coded.values(), coded.keys(), None),
            None => Ok(Arc::clone(array)),
        },
        DataType::Struct(fields) => {
            let Some(records) = array.as_struct_opt() else { return Ok(Arc::clone(array)) };
            let columns = records.columns().iter().map(plain).collect::<Result<Vec<ArrayRef>, _>>()?;
            let fields = fields
                .iter()
                .zip(&columns)
                .map(|(field, column)| Field::new(field.name(), column.data_type().clone(), field.is_nullable()));
            let fields: Fields = fields.collect();
            Ok(Arc::new(StructArray::try_new_with_length(fields, columns, records.nulls().cloned(), records.len())?))
        }
        DataType::List(item) => {
            let Some(lists) = array.as_list_opt::<i32>() else { return Ok(Arc::clone(array)) };
            let items = plain(lists.values())?;
            let item = Arc::new(Field::new(item.name(), items.data_type().clone(), item.is_nullable()));
            Ok(Arc::new(ListArray::try_new(item, lists.offsets().clone(), items, lists.nulls().cloned())?))
        }
        _ => Ok(Arc::clone(array)),
    }
}
