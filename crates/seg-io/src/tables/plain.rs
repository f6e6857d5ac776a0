//! Batches without dictionaries, all with the same columns: what engines take that know none, and
//! that want to know of a table beforehand what its columns are.

use arrow_array::{ArrayRef, RecordBatch, new_null_array};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema as ArrowSchema, SchemaRef};
use seg_data::batch::{
    ARRIVAL_FIELD, EXISTS_COLUMN, MERGED_COLUMN, TIME_FIELD, VALUE_FIELD, id_column, storage_type, time_type,
};
use seg_data::schema::{Event, Field as Attribute};
use seg_data::{AttributeId, Batch, EventId, PropertyId, Schema, Wanted};
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
        match records.column_by_name(field.name()) {
            Some(array) => cast(array, field.data_type()),
            None => Ok(new_null_array(field.data_type(), records.num_rows())),
        }
    };
    let columns = schema.fields().iter().map(column).collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
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
