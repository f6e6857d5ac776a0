//! One person of a batch with something that has not happened yet.

use super::{ARRIVAL_FIELD, Batch, BatchError, BatchProblem, ID_COLUMN, TIME_FIELD, VALUE_FIELD};
use super::{cut, event_type, storage_type};
use crate::money::Money;
use crate::schema::{AttributeId, EventId, PropertyId};
use crate::time::Timestamp;
use crate::types::Type;
use crate::value::Value;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
    StructArray, TimestampMicrosecondArray, new_null_array,
};
use arrow_buffer::OffsetBuffer;
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Fields, Schema as ArrowSchema};
use arrow_select::concat::concat;
use std::sync::Arc;

/// An event that a person does not have yet.
#[derive(Debug, Clone, Copy)]
pub struct AddedEvent<'a> {
    /// Of which name.
    pub event: EventId,
    /// When it happens: not before any of theirs.
    pub time: Timestamp,
    /// What is known of it.
    pub properties: &'a [(PropertyId, Value)],
    /// The only record of each list of records, by the names of its fields.
    pub records: &'a [(PropertyId, Vec<(String, Value)>)],
}

impl Batch {
    /// The only person of a batch with one more event, the last of its name. All else stays as it
    /// is; columns are checked when they are asked for.
    ///
    /// # Errors
    /// A batch of none or of several, and what Arrow does not join.
    pub fn with_event(&self, added: AddedEvent<'_>) -> Result<Batch, BatchError> {
        let Some(event) = self.schema.event(added.event) else { return Ok(self.clone()) };
        let mut given: Vec<(&str, ArrayRef)> = vec![(TIME_FIELD, time_of(added.time))];
        for (id, value) in added.properties {
            let Some(field) = event.properties.get(id.idx()) else { continue };
            given.push((&field.name, one(&field.ty, value).map_err(|error| not_joined(&event.name, &error))?));
        }
        for (id, record) in added.records {
            let Some(field) = event.properties.get(id.idx()) else { continue };
            given.push((&field.name, one_record(&field.ty, record).map_err(|error| not_joined(&event.name, &error))?));
        }
        self.with_row(&event.name, &event_type(event), &given)
    }

    /// The only person of a batch with another value of an attribute: from an instant on, not
    /// before any other, where the attribute keeps a history, and else at all times.
    ///
    /// # Errors
    /// Those of [`Batch::with_event`].
    pub fn with_value(&self, attribute: AttributeId, value: &Value, since: Timestamp) -> Result<Batch, BatchError> {
        let Some(field) = self.schema.attribute(attribute) else { return Ok(self.clone()) };
        let value = one(&field.ty, value).map_err(|error| not_joined(&field.name, &error))?;
        if !field.keeps_history {
            return self.with_column(&field.name, value);
        }
        let row = DataType::Struct(Fields::from(vec![
            ArrowField::new(TIME_FIELD, super::time_type(), false),
            ArrowField::new(VALUE_FIELD, storage_type(&field.ty), true),
        ]));
        let list = DataType::List(Arc::new(ArrowField::new("item", row, false)));
        self.with_row(&field.name, &list, &[(TIME_FIELD, time_of(since)), (VALUE_FIELD, value)])
    }

    /// With one more row of a column of lists of records.
    fn with_row(&self, name: &str, ty: &DataType, given: &[(&str, ArrayRef)]) -> Result<Batch, BatchError> {
        if self.len() != 1 {
            return Err(not_joined(name, &ArrowError::InvalidArgumentError("not one person".to_owned())));
        }
        let of_nobody = || new_null_array(ty, 1);
        let known = self.records.column_by_name(name).cloned().unwrap_or_else(of_nobody);
        let joined = appended(&known, given).map_err(|error| not_joined(name, &error))?;
        self.with_column(name, joined)
    }

    fn with_column(&self, name: &str, column: ArrayRef) -> Result<Batch, BatchError> {
        let schema = self.records.schema();
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for (field, known) in schema.fields().iter().zip(self.records.columns()) {
            if field.name() != name {
                fields.push(Arc::clone(field));
                columns.push(Arc::clone(known));
            }
        }
        fields.push(Arc::new(ArrowField::new(name, column.data_type().clone(), true)));
        columns.push(column);
        let records = RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns);
        Batch::new(Arc::clone(&self.schema), records.map_err(|error| not_joined(ID_COLUMN, &error))?)
    }
}

fn not_joined(name: &str, error: &ArrowError) -> BatchError {
    let (expected, found) = (DataType::Null, DataType::Null);
    let problem = BatchProblem::NotConvertible { expected, found, why: error.to_string() };
    BatchError { column: name.to_owned(), problem }
}

/// The list of a column with one row with another record at its end. What is given of it
/// stands in the fields of these names, which are added where they lack; else it is missing.
fn appended(known: &ArrayRef, given: &[(&str, ArrayRef)]) -> Result<ArrayRef, ArrowError> {
    let known = cut::plain(known)?;
    let lists = known.as_list_opt::<i32>().filter(|lists| lists.len() == 1);
    let Some(lists) = lists else { return Err(ArrowError::CastError("no list".to_owned())) };
    let rows = if lists.is_valid(0) { lists.value(0) } else { lists.values().slice(0, 0) };
    let Some(rows) = rows.as_struct_opt() else { return Err(ArrowError::CastError("no records".to_owned())) };
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in rows.fields().iter().zip(rows.columns()) {
        let last = match given.iter().find(|(name, _)| *name == field.name()) {
            Some((_, value)) => cast(value, column.data_type())?,
            // It comes after all others.
            None if field.name() == ARRIVAL_FIELD => {
                let of_all = column.as_primitive_opt::<Int64Type>().and_then(arrow_max);
                Arc::new(Int64Array::from(vec![of_all.map_or(0, |last| last.saturating_add(1))])) as ArrayRef
            }
            None => new_null_array(column.data_type(), 1),
        };
        columns.push(concat(&[column, &last])?);
        fields.push(ArrowField::new(field.name(), column.data_type().clone(), field.is_nullable()));
    }
    for (name, value) in given.iter().filter(|(name, _)| rows.column_by_name(name).is_none()) {
        columns.push(concat(&[&new_null_array(value.data_type(), rows.len()), value])?);
        fields.push(ArrowField::new(*name, value.data_type().clone(), true));
    }
    let rows = StructArray::try_new(Fields::from(fields), columns, None)?;
    let item = Arc::new(ArrowField::new("item", rows.data_type().clone(), false));
    let offsets = OffsetBuffer::from_lengths([rows.len()]);
    Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(rows), None)?))
}

fn arrow_max(numbers: &Int64Array) -> Option<i64> {
    numbers.iter().flatten().max()
}

fn time_of(time: Timestamp) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![time.0]).with_timezone("UTC"))
}

/// A value as a column of one row, without dictionaries; missing where it is none of the type.
fn one(ty: &Type, value: &Value) -> Result<ArrayRef, ArrowError> {
    Ok(match (ty, value) {
        (Type::Boolean, Value::Boolean(is_so)) => Arc::new(BooleanArray::from(vec![*is_so])),
        (Type::Integer | Type::Duration, Value::Integer(n)) => Arc::new(Int64Array::from(vec![i64::try_from(*n).ok()])),
        (Type::Money, Value::Money(scaled)) => {
            Arc::new(Int64Array::from(vec![Money::from_scaled(*scaled).map(|money| money.0)]))
        }
        (Type::Number, Value::Number(n)) => Arc::new(Float64Array::from(vec![*n])),
        (Type::Text, Value::Text(text)) => Arc::new(StringArray::from(vec![text.as_str()])),
        (Type::Timestamp, Value::Timestamp(at)) => time_of(*at),
        (Type::Date, Value::Date(day)) => Arc::new(Date32Array::from(vec![day.0])),
        (Type::List(element), Value::List(items)) => {
            let ty = element.ty();
            let items = items.iter().map(|item| one(&ty, item)).collect::<Result<Vec<ArrayRef>, _>>()?;
            match items.as_slice() {
                [] => new_null_array(&storage_type(&Type::List(*element)), 1),
                items => {
                    let items = concat(&items.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>())?;
                    let item = Arc::new(ArrowField::new("item", items.data_type().clone(), true));
                    Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths([items.len()]), items, None)?)
                }
            }
        }
        (ty, _) => new_null_array(&plain_type(ty), 1),
    })
}

/// A list of one record.
fn one_record(ty: &Type, record: &[(String, Value)]) -> Result<ArrayRef, ArrowError> {
    let Type::Records(of_record) = ty else { return Ok(new_null_array(&plain_type(ty), 1)) };
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (name, ty) in of_record {
        let given = record.iter().find(|(known, _)| known == name);
        let column = given.map_or_else(|| Ok(new_null_array(&plain_type(ty), 1)), |(_, value)| one(ty, value))?;
        fields.push(ArrowField::new(name, column.data_type().clone(), true));
        columns.push(column);
    }
    let records: ArrayRef = Arc::new(StructArray::try_new(Fields::from(fields), columns, None)?);
    let item = Arc::new(ArrowField::new("item", records.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths([1]), records, None)?))
}

/// The type of a column without a dictionary.
fn plain_type(ty: &Type) -> DataType {
    match storage_type(ty) {
        DataType::Dictionary(_, values) => *values,
        other => other,
    }
}
