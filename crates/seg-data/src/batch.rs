//! Profile batches: Arrow record batches in the layout that a schema gives.
//!
//! One row a profile. Column `profile_id` holds its id as text; an attribute is
//! a column of its own name; an event is a column of its own name that holds
//! `List<Struct<time, property…>>`, ascending by time. Money is stored as
//! 64-bit integers in ten-thousandths, times in microseconds. A column that the
//! batch lacks reads as missing, an event column that it lacks as no events.

use crate::money::Money;
use crate::schema::{AttributeId, EventId, PropertyId, Schema};
use crate::time::{Date, Instant};
use crate::types::{Element, Type};
use crate::value::Value;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field as ArrowField, Fields, TimeUnit};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The name of the column that holds profile ids.
pub const ID_COLUMN: &str = "profile_id";
/// The name of the field that holds an event's time.
pub const TIME_FIELD: &str = "time";
/// The name of the optional field that holds in which order events arrived.
pub const ARRIVAL_FIELD: &str = "$arrival";

/// The Arrow type in which values of a type are stored.
pub fn storage_type(ty: &Type) -> DataType {
    match ty {
        Type::Boolean => DataType::Boolean,
        Type::Integer | Type::Money => DataType::Int64,
        Type::Number => DataType::Float64,
        Type::Text => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        Type::Timestamp => time_type(),
        Type::Date => DataType::Date32,
        Type::List(element) => {
            let item = match element {
                Element::Text => DataType::Utf8,
                Element::Integer => DataType::Int64,
                Element::Number => DataType::Float64,
            };
            DataType::List(Arc::new(ArrowField::new("item", item, true)))
        }
        Type::Records(fields) => {
            let fields: Fields = fields.iter().map(|(n, ty)| ArrowField::new(n, storage_type(ty), true)).collect();
            DataType::List(Arc::new(ArrowField::new("item", DataType::Struct(fields), true)))
        }
    }
}

/// The Arrow type of an event's time.
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// Why a record batch is not a profile batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchError {
    /// The column, with the field inside it after a dot.
    pub column: String,
    /// What is wrong with it.
    pub problem: BatchProblem,
}

/// What can be wrong with a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchProblem {
    /// It must be there.
    Missing,
    /// It has another type than the schema says.
    WrongType {
        /// What the layout asks for.
        expected: DataType,
        /// What is there.
        found: DataType,
    },
    /// A profile without an id.
    NullId,
    /// A list of events that holds a null.
    NullEvent,
    /// An event without a time.
    NullTime,
    /// A time outside the years 1 to 9999.
    TimeOutOfRange,
    /// Times that do not ascend inside one profile.
    TimesNotAscending,
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column `{}` ", self.column)?;
        match &self.problem {
            BatchProblem::Missing => write!(f, "is missing"),
            BatchProblem::WrongType { expected, found } => write!(f, "is {found}, where {expected} is needed"),
            BatchProblem::NullId => write!(f, "has a profile without an id"),
            BatchProblem::NullEvent => write!(f, "has a null among its events"),
            BatchProblem::NullTime => write!(f, "has an event without a time"),
            BatchProblem::TimeOutOfRange => write!(f, "has a time outside the years 1 to 9999"),
            BatchProblem::TimesNotAscending => write!(f, "has times that do not ascend"),
        }
    }
}

impl std::error::Error for BatchError {}

/// A record batch that has been checked against its schema.
#[derive(Debug, Clone)]
pub struct Batch {
    schema: Arc<Schema>,
    records: RecordBatch,
    ids: StringArray,
    attributes: Vec<Option<Column>>,
    events: Vec<Option<Events>>,
}

impl Batch {
    /// Checks a record batch and gives access to it.
    ///
    /// # Errors
    /// The first column that breaks the layout described in this module.
    pub fn try_new(schema: Arc<Schema>, records: RecordBatch) -> Result<Batch, BatchError> {
        let error = |column: &str, problem| BatchError { column: column.to_owned(), problem };
        let ids = records.column_by_name(ID_COLUMN).ok_or_else(|| error(ID_COLUMN, BatchProblem::Missing))?;
        let ids = ids.as_string_opt::<i32>().cloned().ok_or_else(|| {
            let found = ids.data_type().clone();
            error(ID_COLUMN, BatchProblem::WrongType { expected: DataType::Utf8, found })
        })?;
        if ids.null_count() > 0 {
            return Err(error(ID_COLUMN, BatchProblem::NullId));
        }
        let mut attributes = Vec::with_capacity(schema.attributes.len());
        for attribute in &schema.attributes {
            let column = records.column_by_name(&attribute.name);
            attributes.push(column.map(|c| Column::try_new(&attribute.name, &attribute.ty, c)).transpose()?);
        }
        let mut events = Vec::with_capacity(schema.events.len());
        for event in &schema.events {
            let column = records.column_by_name(&event.name);
            events.push(column.map(|c| Events::try_new(event, c)).transpose()?);
        }
        Ok(Batch { schema, records, ids, attributes, events })
    }

    /// The schema it was checked against.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The Arrow data behind it.
    pub fn records(&self) -> &RecordBatch {
        &self.records
    }

    /// How many profiles it holds.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether it holds no profile.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A profile's id; empty past the end.
    pub fn id(&self, row: usize) -> &str {
        if row < self.ids.len() { self.ids.value(row) } else { "" }
    }

    /// A profile's value of an attribute; `None` when missing.
    pub fn attribute(&self, id: AttributeId, row: usize) -> Option<Value> {
        self.attributes.get(id.idx())?.as_ref()?.value(row)
    }

    /// The column of an attribute, unless the batch lacks it.
    pub fn attribute_column(&self, id: AttributeId) -> Option<&Column> {
        self.attributes.get(id.idx())?.as_ref()
    }

    /// The text that identifies an event, where the schema has such a property
    /// and the event a value.
    pub fn event_id(&self, event: EventId, idx: usize) -> Option<String> {
        let name = self.schema.event_id.as_ref()?;
        let property = self.schema.event(event)?.property(name)?;
        match self.events(event)?.property(property, idx)? {
            Value::Text(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    /// The events of one name, unless the batch lacks the column.
    pub fn events(&self, id: EventId) -> Option<&Events> {
        self.events.get(id.idx())?.as_ref()
    }
}

/// All events of one name in a batch.
#[derive(Debug, Clone)]
pub struct Events {
    offsets: OffsetBuffer<i32>,
    lists: ArrayRef,
    times: TimestampMicrosecondArray,
    arrival: Option<arrow_array::Int64Array>,
    properties: Vec<Option<Column>>,
}

impl Events {
    fn try_new(event: &crate::schema::Event, column: &ArrayRef) -> Result<Events, BatchError> {
        let error = |field: &str, problem| {
            let column = if field.is_empty() { event.name.clone() } else { format!("{}.{field}", event.name) };
            BatchError { column, problem }
        };
        let wrong = |field: &str, expected: DataType, found: &DataType| {
            error(field, BatchProblem::WrongType { expected, found: found.clone() })
        };
        let expected = || {
            let time = ArrowField::new(TIME_FIELD, time_type(), false);
            DataType::List(Arc::new(ArrowField::new("item", DataType::Struct(vec![time].into()), false)))
        };
        let list = column.as_list_opt::<i32>().ok_or_else(|| wrong("", expected(), column.data_type()))?;
        let rows = list.values().as_struct_opt().ok_or_else(|| wrong("", expected(), column.data_type()))?;
        let time = rows.column_by_name(TIME_FIELD).ok_or_else(|| error(TIME_FIELD, BatchProblem::Missing))?;
        let times = time
            .as_primitive_opt::<TimestampMicrosecondType>()
            .cloned()
            .ok_or_else(|| wrong(TIME_FIELD, time_type(), time.data_type()))?;
        let arrival = match rows.column_by_name(ARRIVAL_FIELD) {
            Some(a) => Some(
                a.as_primitive_opt::<Int64Type>()
                    .cloned()
                    .ok_or_else(|| wrong(ARRIVAL_FIELD, DataType::Int64, a.data_type()))?,
            ),
            None => None,
        };
        let mut properties = Vec::with_capacity(event.properties.len());
        for property in &event.properties {
            let name = format!("{}.{}", event.name, property.name);
            let column = rows.column_by_name(&property.name);
            properties.push(column.map(|c| Column::try_new(&name, &property.ty, c)).transpose()?);
        }
        let events = Events { offsets: list.offsets().clone(), lists: column.clone(), times, arrival, properties };
        for row in 0..list.len() {
            events.check_row(row, rows, &error)?;
        }
        Ok(events)
    }

    fn check_row(
        &self,
        row: usize,
        rows: &arrow_array::StructArray,
        error: &impl Fn(&str, BatchProblem) -> BatchError,
    ) -> Result<(), BatchError> {
        let mut before = Instant::MIN;
        for idx in self.range(row) {
            if rows.is_null(idx) {
                return Err(error("", BatchProblem::NullEvent));
            }
            if self.times.is_null(idx) {
                return Err(error(TIME_FIELD, BatchProblem::NullTime));
            }
            let time = self.time(idx);
            if !time.is_in_range() {
                return Err(error(TIME_FIELD, BatchProblem::TimeOutOfRange));
            }
            if time < before {
                return Err(error(TIME_FIELD, BatchProblem::TimesNotAscending));
            }
            before = time;
        }
        Ok(())
    }

    /// Where a profile's events lie, for [`Events::time`] and
    /// [`Events::property`]. A null list is empty.
    pub fn range(&self, row: usize) -> Range<usize> {
        let bound = |at: usize| self.offsets.get(at).map_or(0, |&o| o as usize);
        if row >= self.lists.len() || self.lists.is_null(row) { 0..0 } else { bound(row)..bound(row + 1) }
    }

    /// When an event happened.
    pub fn time(&self, idx: usize) -> Instant {
        Instant(if idx < self.times.len() { self.times.value(idx) } else { i64::MIN })
    }

    /// As which of all events it arrived, where the data says so.
    pub fn arrival(&self, idx: usize) -> Option<i64> {
        self.arrival.as_ref().filter(|a| idx < a.len() && a.is_valid(idx)).map(|a| a.value(idx))
    }

    /// The column of a property, unless the batch lacks it.
    pub fn property_column(&self, id: PropertyId) -> Option<&Column> {
        self.properties.get(id.idx())?.as_ref()
    }

    /// An event's value of a property; `None` when missing.
    pub fn property(&self, id: PropertyId, idx: usize) -> Option<Value> {
        self.properties.get(id.idx())?.as_ref()?.value(idx)
    }
}

/// A column of values of one type.
#[derive(Debug, Clone)]
pub struct Column {
    ty: Type,
    array: ArrayRef,
}

impl Column {
    fn try_new(name: &str, ty: &Type, array: &ArrayRef) -> Result<Column, BatchError> {
        let expected = storage_type(ty);
        let found = array.data_type();
        // Plain text is as good as dictionary-coded text; nullability and the
        // names of list items say nothing about values.
        let fits = expected.equals_datatype(found) || (*ty == Type::Text && *found == DataType::Utf8);
        if !fits {
            let problem = BatchProblem::WrongType { expected, found: found.clone() };
            return Err(BatchError { column: name.to_owned(), problem });
        }
        Ok(Column { ty: ty.clone(), array: array.clone() })
    }

    /// The type of its values.
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// The Arrow data behind it, stored as [`storage_type`] says; texts may be
    /// plain as well.
    pub fn array(&self) -> &ArrayRef {
        &self.array
    }

    /// The value at a row; `None` when missing, NaN or infinite.
    pub fn value(&self, row: usize) -> Option<Value> {
        if row >= self.array.len() || self.array.is_null(row) {
            return None;
        }
        read(&self.ty, &self.array, row)
    }
}

fn read(ty: &Type, array: &dyn Array, row: usize) -> Option<Value> {
    match ty {
        Type::Boolean => Some(Value::Boolean(array.as_boolean_opt()?.value(row))),
        Type::Integer => Some(Value::Integer(array.as_primitive_opt::<Int64Type>()?.value(row).into())),
        Type::Number => Value::number(array.as_primitive_opt::<Float64Type>()?.value(row)),
        Type::Money => Some(Money(array.as_primitive_opt::<Int64Type>()?.value(row)).into()),
        Type::Text => text(array, row).map(|t| Value::Text(t.to_owned())),
        Type::Timestamp => {
            Some(Value::Timestamp(Instant(array.as_primitive_opt::<TimestampMicrosecondType>()?.value(row))))
        }
        Type::Date => Some(Value::Date(Date(array.as_primitive_opt::<Date32Type>()?.value(row)))),
        Type::List(element) => {
            let items = array.as_list_opt::<i32>()?.value(row);
            let ty = element.ty();
            let values = (0..items.len()).filter(|&i| items.is_valid(i)).filter_map(|i| read(&ty, &items, i));
            Some(Value::List(values.collect()))
        }
        Type::Records(_) => None,
    }
}

fn text(array: &dyn Array, row: usize) -> Option<&str> {
    if let Some(plain) = array.as_string_opt::<i32>() {
        return Some(plain.value(row));
    }
    let dictionary = array.as_dictionary_opt::<Int32Type>()?;
    let values = dictionary.values().as_string_opt::<i32>()?;
    let key = dictionary.key(row)?;
    values.is_valid(key).then(|| values.value(key))
}
