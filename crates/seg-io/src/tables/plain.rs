//! Batches without dictionaries, all with the same columns: what engines take that know none, and
//! that want to know of a table beforehand what its columns are.

use arrow_array::{
    Array, ArrayRef, BooleanArray, ListArray, RecordBatch, StructArray, TimestampMicrosecondArray, new_null_array,
};
use arrow_buffer::OffsetBuffer;
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema as ArrowSchema, SchemaRef};
use arrow_select::filter::filter;
use seg_data::batch::{
    ARRIVAL_FIELD, EXISTS_COLUMN, MERGED_COLUMN, TIME_FIELD, VALUE_FIELD, holds_records, id_column, storage_type,
    time_type,
};
use seg_data::schema::{Event, Field as Attribute};
use seg_data::{AttributeId, Batch, EventId, PropertyId, Schema, Timestamp, Wanted};
use std::sync::Arc;

/// The columns of a batch with what is wanted, in the order of the schema: the id, since when the
/// person exists, the ids that were merged into theirs, attributes, events. Any of them may be
/// null, which says the same as a column that is not there.
pub fn plain_schema(schema: &Schema, wanted: &Wanted) -> SchemaRef {
    let field = |name: &str, ty: DataType| Field::new(name, ty, true);
    let texts = DataType::List(Arc::new(field("item", DataType::Utf8)));
    let mut fields =
        vec![field(id_column(schema), DataType::Utf8), field(EXISTS_COLUMN, time_type()), field(MERGED_COLUMN, texts)];
    let attributes = (0..).map(AttributeId).zip(&schema.attributes);
    let attributes = attributes.filter(|(id, _)| wanted.attributes.contains(id));
    fields.extend(attributes.map(|(_, attribute)| field(&attribute.name, of_attribute(attribute))));
    let events = (0..).map(EventId).zip(&schema.events).filter(|(id, _)| wanted.events.contains_key(id));
    fields.extend(events.map(|(id, event)| field(&event.name, of_events(event, id, wanted))));
    Arc::new(ArrowSchema::new(fields))
}

/// The people of a batch in such columns.
///
/// # Errors
/// What Arrow cannot convert.
pub fn plain_rows(batch: &Batch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let records = batch.records();
    let column = |field: &FieldRef| -> Result<ArrayRef, ArrowError> {
        let Some(array) = records.column_by_name(field.name()) else {
            return Ok(new_null_array(field.data_type(), records.num_rows()));
        };
        match field.data_type() {
            // Where no row of a batch says since when a value holds, there is no history to it.
            DataType::List(change) if holds_records(field.data_type()) && !holds_records(array.data_type()) => {
                held_since_ever(array, change)
            }
            ty => cast(array, ty),
        }
    };
    let columns = schema.fields().iter().map(column).collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
}

/// The values of an attribute as histories: each is held from the earliest instant on.
fn held_since_ever(values: &ArrayRef, change: &FieldRef) -> Result<ArrayRef, ArrowError> {
    let DataType::Struct(fields) = change.data_type() else {
        return Err(ArrowError::CastError(format!("{} holds no changes", change.name())));
    };
    let value = fields.find(VALUE_FIELD).map_or(values.data_type(), |(_, field)| field.data_type());
    let is_held: BooleanArray = (0..values.len()).map(|row| Some(values.is_valid(row))).collect();
    let lengths = OffsetBuffer::from_lengths(is_held.values().iter().map(usize::from));
    let values = cast(&filter(values, &is_held)?, value)?;
    let times = TimestampMicrosecondArray::from_value(Timestamp::MIN.0, values.len()).with_timezone("UTC");
    let changes = StructArray::try_new(fields.clone(), vec![Arc::new(times), values], None)?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(change), lengths, Arc::new(changes), None)?))
}

fn of_attribute(attribute: &Attribute) -> DataType {
    let value = plain(&storage_type(&attribute.ty));
    if !attribute.keeps_history {
        return value;
    }
    records(vec![Field::new(TIME_FIELD, time_type(), true), Field::new(VALUE_FIELD, value, true)])
}

fn of_events(event: &Event, id: EventId, wanted: &Wanted) -> DataType {
    let mut fields = vec![Field::new(TIME_FIELD, time_type(), true), Field::new(ARRIVAL_FIELD, DataType::Int64, true)];
    let properties = (0..).map(PropertyId).zip(&event.properties).filter(|(at, _)| wanted.property(id, *at));
    fields.extend(properties.map(|(_, field)| Field::new(&field.name, plain(&storage_type(&field.ty)), true)));
    records(fields)
}

fn records(fields: Vec<Field>) -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Struct(fields.into()), true)))
}

/// A type without dictionaries, of which everything may be null.
fn plain(ty: &DataType) -> DataType {
    let field = |field: &FieldRef| Field::new(field.name(), plain(field.data_type()), true);
    match ty {
        DataType::Dictionary(_, value) => plain(value),
        DataType::List(item) => DataType::List(Arc::new(field(item))),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect::<Fields>()),
        other => other.clone(),
    }
}
