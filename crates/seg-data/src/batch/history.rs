//! Attributes, with or without the values that they had before.

use super::VALUE_FIELD;
use super::column::Column;
use super::error::{BatchError, BatchProblem, Conversion};
use super::events::Events;
use crate::schema::{Event, Field, PropertyId};
use crate::time::Timestamp;
use crate::value::Value;
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_schema::DataType;
use arrow_select::take::take;

/// The only property of the events that a history is made of.
const VALUE: PropertyId = PropertyId(0);

/// An attribute that was checked.
#[derive(Debug, Clone)]
pub(super) enum Attribute {
    /// The value of each person.
    Plain(Column),
    /// The values of each person with the times they were set at. A change is
    /// an event like any other, so its column is checked like theirs.
    History(Box<Events>),
}

impl Attribute {
    /// Checks a column as its field asks; a history may come as one value too.
    ///
    /// # Errors
    /// How it breaks the contract.
    pub fn try_new(field: &Field, column: &ArrayRef) -> Result<Attribute, BatchError> {
        if !field.keeps_history || !holds_records(column.data_type()) {
            return Column::try_new(&field.name, &field.ty, column).map(Attribute::Plain);
        }
        let changes = changes(field);
        let events = Events::try_new(&changes, column)?;
        if events.check_property(&changes, VALUE)?.is_none() {
            let column = format!("{}.{VALUE_FIELD}", field.name);
            return Err(BatchError { column, problem: BatchProblem::Missing });
        }
        Ok(Attribute::History(Box::new(events)))
    }

    /// A person's value at an instant: the one set last at or before it.
    pub fn value(&self, row: usize, now: Timestamp) -> Option<Value> {
        match self {
            Attribute::Plain(column) => column.value(row),
            Attribute::History(changes) => {
                let last = changes.range(row).rev().find(|idx| changes.time(*idx) <= now)?;
                changes.property(VALUE, last)
            }
        }
    }

    /// Everyone's value at an instant, where a history is kept.
    pub fn as_of(&self, now: Timestamp) -> Option<Column> {
        let Attribute::History(changes) = self else { return None };
        let values = changes.property_column(VALUE)?;
        let last = |row| {
            let range = changes.range(row);
            let times = changes.times().get(range.clone()).unwrap_or(&[]);
            let n_set = times.partition_point(|time| Timestamp(*time) <= now);
            n_set.checked_sub(1).map(|last| (range.start + last) as u32)
        };
        let positions: UInt32Array = (0..changes.n_profiles()).map(last).collect();
        // Every position is one of the column's, so that taking cannot fail.
        values.taken(take(values.array(), &positions, None).ok()?)
    }

    /// The columns that were converted for it: its own, or those of its changes.
    pub fn conversions(&self) -> impl Iterator<Item = &Conversion> {
        let (plain, changes) = match self {
            Attribute::Plain(column) => (column.conversion(), None),
            Attribute::History(changes) => (None, Some(changes.conversions())),
        };
        plain.into_iter().chain(changes.into_iter().flatten())
    }
}

/// The events that the history of an attribute consists of.
fn changes(field: &Field) -> Event {
    let value = Field { name: VALUE_FIELD.to_owned(), keeps_history: false, ..field.clone() };
    Event {
        name: field.name.clone(),
        also: Vec::new(),
        verbs: Vec::new(),
        nouns: Vec::new(),
        words: Vec::new(),
        description: None,
        role: None,
        arrives_within: None,
        properties: vec![value],
        declared_at: field.declared_at.clone(),
    }
}

fn holds_records(ty: &DataType) -> bool {
    let item = match ty {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => item,
        DataType::ListView(item) | DataType::LargeListView(item) => item,
        _ => return false,
    };
    matches!(item.data_type(), DataType::Struct(_))
}
