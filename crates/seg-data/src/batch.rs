//! Profile batches: Arrow record batches in the layout that a schema gives.
//!
//! One row a profile. Column `profile_id` holds its id as text, or `$profile_id` where
//! the schema has something called `profile_id`; an attribute is a column of its own name; an event is a column of its own name that holds
//! `List<Struct<time, property…>>`, ascending by time; an attribute whose history
//! the schema says is kept may be a `List<Struct<time, value>>` instead, of which
//! [`Batch::as_of`] makes the column of its values at an instant. Money is stored as
//! 64-bit integers in ten-thousandths, times in microseconds. A column that the
//! batch lacks reads as missing, an event column that it lacks as no events.
//! Column `$exists_from` may say from when on each person exists: before that they
//! are in no segment. Where it is null, and without it, they always have. Column
//! `$merged_ids` may hold the ids that were merged into each person's.
//!
//! Each column is checked when it is first asked for, and no column is trusted
//! unchecked, wherever it came from: engines read it through [`Batch`], whose
//! offsets, keys and times can be relied upon. Data in this layout is not
//! copied, slices included. Other layouts of the same values (large, view and
//! fixed-size lists, large, view and plain texts, other units of time, narrower
//! integers, decimals, dictionaries with repeated or null values) are converted
//! once, and [`Batch::conversions`] says so.

mod added;
mod column;
mod cut;
mod error;
mod events;
mod existence;
mod extensions;
mod history;
mod kept;
mod lists;
mod merged;

pub use added::AddedEvent;
pub use column::Column;
pub use error::{BatchError, BatchProblem, Conversion};
pub use events::Events;
pub use history::{History, holds_records};
pub use merged::MergedEvents;

use crate::mask::Mask;
use crate::schema::{AttributeId, Event, EventId, PropertyId, Schema};
use crate::time::Timestamp;
use crate::types::{Element, Type};
use crate::value::Value;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Fields, Schema as ArrowSchema, TimeUnit};
use existence::Existence;
use history::Attribute;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// The name of the column that holds profile ids.
pub const ID_COLUMN: &str = "profile_id";
/// The name of the column that holds profile ids where the schema has something called
/// [`ID_COLUMN`] of its own.
pub const OWN_ID_COLUMN: &str = "$profile_id";
/// The name of the field that holds an event's time.
pub const TIME_FIELD: &str = "time";
/// The name of the field that holds what an attribute was set to, in a history.
pub const VALUE_FIELD: &str = "value";
/// The name of the optional field that holds in which order events arrived.
pub const ARRIVAL_FIELD: &str = "$arrival";

/// The name of the optional column that says from when on people exist.
pub const EXISTS_COLUMN: &str = "$exists_from";

/// The name of the optional column that holds the ids that were merged into each
/// person's, as lists of texts.
pub const MERGED_COLUMN: &str = "$merged_ids";

/// Names of columns and fields of batches that nothing in a schema may have.
pub const OWN_NAMES: [&str; 4] = [OWN_ID_COLUMN, EXISTS_COLUMN, MERGED_COLUMN, ARRIVAL_FIELD];

/// The name of the column that holds profile ids in a batch of a schema: an attribute or an
/// event called [`ID_COLUMN`] keeps its name.
pub fn id_column(schema: &Schema) -> &'static str {
    let names = schema.attributes.iter().map(|field| &field.name);
    let is_taken = names.chain(schema.events.iter().map(|event| &event.name)).any(|name| name == ID_COLUMN);
    if is_taken { OWN_ID_COLUMN } else { ID_COLUMN }
}

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
                Element::Timestamp => time_type(),
            };
            DataType::List(Arc::new(ArrowField::new("item", item, true)))
        }
        Type::Duration => DataType::Int64,
        Type::Records(fields) => {
            let fields: Fields = fields.iter().map(|(n, ty)| ArrowField::new(n, storage_type(ty), true)).collect();
            DataType::List(Arc::new(ArrowField::new("item", DataType::Struct(fields), true)))
        }
    }
}

/// The Arrow type of the column of an event.
pub fn event_type(event: &Event) -> DataType {
    let time = std::iter::once(ArrowField::new(TIME_FIELD, time_type(), false));
    let properties = event.properties.iter().map(|p| ArrowField::new(&p.name, storage_type(&p.ty), true));
    let row = DataType::Struct(time.chain(properties).collect());
    DataType::List(Arc::new(ArrowField::new("item", row, false)))
}

/// The Arrow type of an event's time.
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// A column, if the batch has it, or how it breaks the contract, once somebody has asked.
type Checked<T> = OnceLock<Result<Option<T>, BatchError>>;

/// A record batch, checked against its schema column by column.
#[derive(Debug, Clone)]
pub struct Batch {
    schema: Arc<Schema>,
    records: RecordBatch,
    ids: StringArray,
    id_conversion: Option<Conversion>,
    existence: Option<Existence>,
    merged_ids: Option<Column>,
    attributes: Vec<Checked<Attribute>>,
    events: Vec<Checked<Arc<Events>>>,
    extensions: Arc<extensions::Extensions>,
}

impl Batch {
    /// A batch of which only the ids are checked yet, and from when on people exist.
    /// Whatever evaluates it asks for the columns that it reads first.
    ///
    /// # Errors
    /// Profile ids that are missing, null or no texts, and a column
    /// [`EXISTS_COLUMN`] that holds no instants, or [`MERGED_COLUMN`] no lists of texts.
    pub fn new(schema: Arc<Schema>, records: RecordBatch) -> Result<Batch, BatchError> {
        let error = |problem| BatchError { column: ID_COLUMN.to_owned(), problem };
        let ids = records.column_by_name(OWN_ID_COLUMN).or_else(|| records.column_by_name(ID_COLUMN));
        let ids = ids.ok_or_else(|| error(BatchProblem::Missing))?;
        let from = ids.data_type().clone();
        let id_conversion =
            (from != DataType::Utf8).then(|| Conversion { column: ID_COLUMN.to_owned(), from, to: DataType::Utf8 });
        let ids = match ids.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => cast(ids, &DataType::Utf8).ok(),
            other if other.is_integer() => cast(ids, &DataType::Utf8).ok(),
            _ => None,
        }
        .and_then(|ids| ids.as_string_opt::<i32>().cloned())
        .ok_or_else(|| error(BatchProblem::WrongType { expected: DataType::Utf8, found: ids.data_type().clone() }))?;
        if ids.null_count() > 0 {
            return Err(error(BatchProblem::NullId));
        }
        for name in [EXISTS_COLUMN, MERGED_COLUMN] {
            let found = records.column_by_name(name).map_or(ids.len(), |column| column.len());
            if found != ids.len() {
                let problem = BatchProblem::WrongLength { expected: ids.len(), found };
                return Err(BatchError { column: name.to_owned(), problem });
            }
        }
        let existence = records.column_by_name(EXISTS_COLUMN).map(Existence::try_new).transpose()?;
        let merged_ids = records.column_by_name(MERGED_COLUMN);
        let merged_ids =
            merged_ids.map(|ids| Column::try_new(MERGED_COLUMN, &Type::List(Element::Text), ids)).transpose()?;
        let attributes = schema.attributes.iter().map(|_| OnceLock::new()).collect();
        let events = schema.events.iter().map(|_| OnceLock::new()).collect();
        let extensions = Arc::default();
        Ok(Batch { schema, records, ids, id_conversion, existence, merged_ids, attributes, events, extensions })
    }

    /// A batch of nobody that has every column of the schema.
    ///
    /// # Errors
    /// Names that a record batch cannot hold side by side.
    pub fn empty(schema: Arc<Schema>) -> Result<Batch, ArrowError> {
        let mut fields = vec![ArrowField::new(id_column(&schema), DataType::Utf8, false)];
        fields.extend(schema.attributes.iter().map(|a| ArrowField::new(&a.name, storage_type(&a.ty), true)));
        fields.extend(schema.events.iter().map(|e| ArrowField::new(&e.name, event_type(e), false)));
        let records = RecordBatch::new_empty(Arc::new(ArrowSchema::new(fields)));
        Batch::try_new(schema, records).map_err(|e| ArrowError::SchemaError(e.to_string()))
    }

    /// A batch of which every column is checked.
    ///
    /// # Errors
    /// The first column that breaks the layout described in this module.
    pub fn try_new(schema: Arc<Schema>, records: RecordBatch) -> Result<Batch, BatchError> {
        let batch = Batch::new(schema, records)?;
        (0..batch.n_columns()).try_for_each(|at| batch.check_column(at))?;
        Ok(batch)
    }

    /// How many columns the schema has: its attributes, then its events.
    pub fn n_columns(&self) -> usize {
        self.schema.attributes.len() + self.schema.events.len()
    }

    /// Checks a column by its place in the schema, events with their properties.
    ///
    /// # Errors
    /// How it breaks the contract.
    pub fn check_column(&self, at: usize) -> Result<(), BatchError> {
        let Some(event) = at.checked_sub(self.schema.attributes.len()) else {
            return self.check_attribute(AttributeId(at as u32));
        };
        let id = EventId(event as u32);
        self.check_events(id)?;
        let n_properties = self.schema.event(id).map_or(0, |event| event.properties.len());
        (0..n_properties).try_for_each(|at| self.check_property(id, PropertyId(at as u32)).map(|_| ()))
    }

    /// Checks an attribute's column, if the batch has it.
    ///
    /// # Errors
    /// How it breaks the contract.
    pub fn check_attribute(&self, id: AttributeId) -> Result<(), BatchError> {
        let (Some(slot), Some(attribute)) = (self.attributes.get(id.idx()), self.schema.attribute(id)) else {
            return Ok(());
        };
        let checked = slot.get_or_init(|| {
            let Some(column) = self.column(&attribute.name)? else { return Ok(None) };
            Attribute::try_new(attribute, column).map(Some)
        });
        checked.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// Checks the events of one name, properties aside; `None` when the batch
    /// lacks the column.
    ///
    /// # Errors
    /// How it breaks the contract.
    pub fn check_events(&self, id: EventId) -> Result<Option<&Arc<Events>>, BatchError> {
        let (Some(slot), Some(event)) = (self.events.get(id.idx()), self.schema.event(id)) else {
            return Ok(None);
        };
        let checked = slot.get_or_init(|| {
            let Some(column) = self.column(&event.name)? else { return Ok(None) };
            Events::try_new(event, column).map(|events| Some(Arc::new(events)))
        });
        checked.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// Checks a property of the events of one name; `None` when the batch
    /// lacks it.
    ///
    /// # Errors
    /// How it, or the events, break the contract.
    pub fn check_property(&self, event: EventId, property: PropertyId) -> Result<Option<&Column>, BatchError> {
        match (self.check_events(event)?, self.schema.event(event)) {
            (Some(events), Some(schema)) => events.check_property(schema, property),
            _ => Ok(None),
        }
    }

    fn column(&self, name: &str) -> Result<Option<&ArrayRef>, BatchError> {
        match self.records.column_by_name(name) {
            Some(column) if column.len() != self.len() => {
                let problem = BatchProblem::WrongLength { expected: self.len(), found: column.len() };
                Err(BatchError { column: name.to_owned(), problem })
            }
            column => Ok(column),
        }
    }

    /// What was not in the layout that engines read, of the columns checked so
    /// far.
    pub fn conversions(&self) -> Vec<Conversion> {
        let attributes = self.attributes.iter().filter_map(|a| a.get()?.as_ref().ok()?.as_ref());
        let attributes = attributes.flat_map(Attribute::conversions);
        let events = self.events.iter().filter_map(|e| e.get()?.as_ref().ok()?.as_ref());
        let merged = self.merged_ids.iter().filter_map(Column::conversion);
        let existence = self.existence.iter().filter_map(Existence::conversion).chain(merged);
        self.id_conversion
            .iter()
            .chain(existence)
            .chain(attributes)
            .chain(events.flat_map(|e| e.conversions()))
            .cloned()
            .collect()
    }

    /// The schema it is checked against.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The Arrow data behind it.
    pub fn records(&self) -> &RecordBatch {
        &self.records
    }

    /// Whether there is a column of a name.
    pub fn has_column(&self, name: &str) -> bool {
        self.records.column_by_name(name).is_some()
    }

    /// Whether the events in a column, in whatever layout, have a field of a name.
    pub fn has_event_field(&self, column: &str, field: &str) -> bool {
        let item = match self.records.column_by_name(column).map(|column| column.data_type()) {
            Some(DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)) => item,
            Some(DataType::ListView(item) | DataType::LargeListView(item)) => item,
            Some(_) | None => return false,
        };
        match item.data_type() {
            DataType::Struct(fields) => fields.iter().any(|known| known.name() == field),
            _ => false,
        }
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

    /// The row of a person by any of their ids, the one they go by or one that was merged into
    /// it; `None` where nobody has it.
    pub fn row_of(&self, id: &str) -> Option<usize> {
        let goes_by = |row: &usize| self.id(*row) == id;
        let was = |row: &usize| self.merged_ids(*row).any(|merged| merged == id);
        (0..self.len()).find(goes_by).or_else(|| (0..self.len()).find(was))
    }

    /// The ids that were merged into a person's; none past the end.
    pub fn merged_ids(&self, row: usize) -> impl Iterator<Item = &str> {
        let list = self.merged_ids.as_ref().and_then(|column| column.array().as_list_opt::<i32>());
        let list = list.filter(|list| row < list.len() && list.is_valid(row));
        let items = list.and_then(|list| {
            let (from, to) = (list.value_offsets().get(row)?, list.value_offsets().get(row + 1)?);
            Some((list.values().as_string_opt::<i32>()?, *from as usize..*to as usize))
        });
        items.into_iter().flat_map(|(texts, range)| {
            range.filter(|at| *at < texts.len() && texts.is_valid(*at)).map(|at| texts.value(at))
        })
    }

    /// From when on a person exists; `None` for one who always has. Before that
    /// nothing holds for them: they are in no segment.
    pub fn exists_from(&self, row: usize) -> Option<Timestamp> {
        self.existence.as_ref()?.from(row)
    }

    /// Who exists at an instant; `None` where everybody does, which is found out
    /// without looking at each of them again.
    pub fn existing(&self, now: Timestamp) -> Option<Mask> {
        self.existence.as_ref()?.at(now)
    }

    /// A profile's value at `now` of an attribute that was checked; `None` when
    /// missing.
    pub fn attribute(&self, id: AttributeId, row: usize, now: Timestamp) -> Option<Value> {
        self.checked_attribute(id)?.value(row, now)
    }

    /// The column of an attribute that was checked, unless the batch lacks it or
    /// has its history and is not read at an instant; see [`Batch::as_of`].
    pub fn attribute_column(&self, id: AttributeId) -> Option<&Column> {
        match self.checked_attribute(id)? {
            Attribute::Plain(column) => Some(column),
            Attribute::History { as_of, .. } => as_of.as_ref(),
        }
    }

    /// The values that an attribute that was checked had over time, where the batch holds
    /// them; where it holds one value, that has been so from the beginning.
    pub fn history(&self, id: AttributeId) -> Option<&History> {
        match self.checked_attribute(id)? {
            Attribute::Plain(_) => None,
            Attribute::History { history, .. } => Some(history),
        }
    }

    fn checked_attribute(&self, id: AttributeId) -> Option<&Attribute> {
        self.attributes.get(id.idx())?.get()?.as_ref().ok()?.as_ref()
    }

    /// The events of every name that were checked, in the order of the schema.
    pub fn all_events(&self) -> impl Iterator<Item = &Arc<Events>> {
        (0..self.events.len() as u32).filter_map(|event| self.events(EventId(event)))
    }

    /// Every history of an attribute that was checked, in the order of the schema.
    pub fn all_histories(&self) -> impl Iterator<Item = &History> {
        (0..self.attributes.len() as u32).filter_map(|id| self.history(AttributeId(id)))
    }

    /// The batch in which every attribute that was checked has a column of
    /// values, for a history those at `now`. Costs nothing without histories.
    pub fn as_of(&self, now: Timestamp) -> Cow<'_, Batch> {
        let mut batch = Cow::Borrowed(self);
        for at in 0..self.attributes.len() {
            let attribute = self.checked_attribute(AttributeId(at as u32));
            let Some(read) = attribute.and_then(|a| a.as_of(now)) else { continue };
            if let Some(slot) = batch.to_mut().attributes.get_mut(at) {
                *slot = OnceLock::from(Ok(Some(read)));
            }
        }
        batch
    }

    /// Some rows of the batch as they were known at an instant: what happened later
    /// is not there, and neither is a value that an attribute with a history was set
    /// to later. Values without times stay as they are. Columns that were not
    /// checked are left out, the others are checked.
    ///
    /// # Errors
    /// None where the columns were checked before, which every batch does.
    pub fn known_at(&self, rows: Range<usize>, now: Timestamp) -> Result<Batch, BatchError> {
        let rows = rows.start.min(self.len())..rows.end.min(self.len());
        let slice = |array: &dyn Array| array.slice(rows.start, rows.len());
        let mut fields = vec![ArrowField::new(id_column(&self.schema), DataType::Utf8, false)];
        let mut columns: Vec<ArrayRef> = vec![slice(&self.ids)];
        let mut add = |name: &str, array: ArrayRef| {
            fields.push(ArrowField::new(name, array.data_type().clone(), true));
            columns.push(array);
        };
        if let Some(existence) = &self.existence {
            add(EXISTS_COLUMN, slice(existence.array()));
        }
        if let Some(merged) = &self.merged_ids {
            add(MERGED_COLUMN, slice(merged.array()));
        }
        for (at, field) in self.schema.attributes.iter().enumerate() {
            match self.checked_attribute(AttributeId(at as u32)) {
                Some(Attribute::Plain(column)) => {
                    let own = cut::cut(column.array(), rows.clone()).map_err(|error| {
                        let (expected, found) = (storage_type(&field.ty), column.array().data_type().clone());
                        let problem = BatchProblem::NotConvertible { expected, found, why: error.to_string() };
                        BatchError { column: field.name.clone(), problem }
                    })?;
                    add(&field.name, own);
                }
                Some(Attribute::History { history, .. }) => {
                    add(&field.name, history.until(rows.clone(), now)?);
                }
                None => {}
            }
        }
        for (at, event) in self.schema.events.iter().enumerate() {
            if let Some(events) = self.events(EventId(at as u32)) {
                add(&event.name, events.until(rows.clone(), now)?);
            }
        }
        let records = RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns).map_err(|error| {
            let (expected, found) = (DataType::Null, DataType::Null);
            let problem = BatchProblem::NotConvertible { expected, found, why: error.to_string() };
            BatchError { column: ID_COLUMN.to_owned(), problem }
        })?;
        let known = Batch::new(Arc::clone(&self.schema), records)?;
        for at in 0..self.schema.attributes.len() {
            known.check_attribute(AttributeId(at as u32))?;
        }
        for (at, event) in self.schema.events.iter().enumerate() {
            let id = EventId(at as u32);
            known.check_events(id)?;
            let Some(events) = self.events(id) else { continue };
            let checked = (0..event.properties.len() as u32).map(PropertyId);
            for property in checked.filter(|property| events.property_column(*property).is_some()) {
                known.check_property(id, property)?;
            }
        }
        Ok(known)
    }

    /// Some rows of the batch with some of its columns, which are asked for by their places in the
    /// schema, as by [`Batch::check_column`]: they share its memory and what was checked of it.
    /// Texts keep the dictionaries of everybody, so that this is for batches of few people;
    /// [`Batch::known_at`] leaves those behind.
    pub fn slice(&self, rows: Range<usize>, is_read: impl Fn(usize) -> bool) -> Batch {
        let start = rows.start.min(self.len());
        let rows = start..rows.end.clamp(start, self.len());
        let n_attributes = self.attributes.len();
        let attribute = |(at, slot): (usize, &Checked<Attribute>)| match slot.get() {
            Some(Ok(Some(attribute))) if is_read(at) => Checked::from(Ok(Some(attribute.slice(rows.clone())))),
            Some(Ok(_) | Err(_)) | None => Checked::from(Ok(None)),
        };
        let events = |(at, slot): (usize, &Checked<Arc<Events>>)| match slot.get() {
            Some(Ok(Some(events))) if is_read(n_attributes + at) => {
                Checked::from(Ok(Some(Arc::new(events.slice(rows.clone())))))
            }
            Some(Ok(_) | Err(_)) | None => Checked::from(Ok(None)),
        };
        let fields = self.records.schema_ref();
        let ids = fields.index_of(OWN_ID_COLUMN).or_else(|_| fields.index_of(ID_COLUMN));
        let ids = ids.and_then(|ids| self.records.project(&[ids])).unwrap_or_else(|_| self.records.clone());
        Batch {
            schema: Arc::clone(&self.schema),
            records: ids.slice(rows.start, rows.len()),
            ids: self.ids.slice(rows.start, rows.len()),
            id_conversion: self.id_conversion.clone(),
            existence: self.existence.as_ref().map(|existence| existence.slice(rows.clone())),
            merged_ids: self.merged_ids.as_ref().map(|merged| merged.slice(rows.clone())),
            attributes: self.attributes.iter().enumerate().map(attribute).collect(),
            events: self.events.iter().enumerate().map(events).collect(),
            extensions: Arc::default(),
        }
    }

    /// What an engine keeps with the batch and its clones: one value of each type,
    /// made empty when it is first asked for. Only who can name the type can read
    /// or change it, so that what an engine derives from a batch is its own.
    pub fn extension<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.extensions.get()
    }

    /// Whether the events of one name lie in the order of the language also where
    /// several are at one instant; see [`MergedEvents`].
    pub fn is_ordered(&self, event: EventId) -> bool {
        merged::is_ordered(self, event)
    }

    /// The property that identifies events, for the events of one name.
    pub fn event_id_property(&self, event: EventId) -> Option<PropertyId> {
        self.schema.event(event)?.property(self.schema.event_id.as_ref()?)
    }

    /// The text that identifies an event, where the schema has such a property
    /// and the event a value.
    pub fn event_id(&self, event: EventId, idx: usize) -> Option<String> {
        match self.events(event)?.property(self.event_id_property(event)?, idx)? {
            Value::Text(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    /// The events of one name that were checked, unless the batch lacks the
    /// column.
    pub fn events(&self, id: EventId) -> Option<&Arc<Events>> {
        self.events.get(id.idx())?.get()?.as_ref().ok()?.as_ref()
    }
}
