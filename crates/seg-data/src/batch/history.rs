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
use std::ops::Range;
use std::sync::Arc;

/// The only property of the events that a history is made of.
const VALUE: PropertyId = PropertyId(0);

/// An attribute that was checked.
#[derive(Debug, Clone)]
pub(super) enum Attribute {
    /// The value of each person.
    Plain(Column),
    /// The values of each person with the times they were set at.
    History {
        /// A value that is set is an event like any other, so the column is checked
        /// like theirs.
        history: History,
        /// Everyone's value at the instant that the batch is read at, if it is.
        as_of: Option<Column>,
    },
}

/// The values that an attribute was set to, those of one person after another, each
/// person's ascending by time. Of several at one instant the last is the value.
#[derive(Debug, Clone)]
pub struct History(Arc<Events>);

impl History {
    /// The positions of what was set for a person.
    pub fn range(&self, row: usize) -> Range<usize> {
        self.0.range(row)
    }

    /// When the value at a position was set; the earliest instant of all for what holds
    /// from the beginning.
    pub fn time(&self, idx: usize) -> Timestamp {
        self.0.time(idx)
    }

    /// What was set at a position; `None` for missing.
    pub fn value(&self, idx: usize) -> Option<Value> {
        self.0.property(VALUE, idx)
    }

    /// Some rows, of what was set at or before an instant.
    ///
    /// # Errors
    /// None where the column was checked.
    pub(super) fn until(&self, rows: Range<usize>, now: Timestamp) -> Result<ArrayRef, BatchError> {
        self.0.until(rows, now)
    }

    /// All that was set, by position; `None` only where nothing was checked.
    pub fn values(&self) -> Option<&Column> {
        self.0.property_column(VALUE)
    }
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
        Ok(Attribute::History { history: History(Arc::new(events)), as_of: None })
    }

    /// A person's value at an instant: the one set last at or before it.
    pub fn value(&self, row: usize, now: Timestamp) -> Option<Value> {
        match self {
            Attribute::Plain(column) => column.value(row),
            Attribute::History { history, .. } => {
                let last = history.range(row).rev().find(|idx| history.time(*idx) <= now)?;
                history.value(last)
            }
        }
    }

    /// The same with everyone's value at an instant, where a history is kept.
    pub fn as_of(&self, now: Timestamp) -> Option<Attribute> {
        let Attribute::History { history, .. } = self else { return None };
        let changes = &history.0;
        let values = history.values()?;
        let last = |row| {
            let range = changes.range(row);
            let times = changes.times().get(range.clone()).unwrap_or(&[]);
            let n_set = times.partition_point(|time| Timestamp(*time) <= now);
            n_set.checked_sub(1).map(|last| (range.start + last) as u32)
        };
        let positions: UInt32Array = (0..changes.n_profiles()).map(last).collect();
        // Every position is one of the column's, so that taking cannot fail.
        let as_of = values.taken(take(values.array(), &positions, None).ok()?);
        Some(Attribute::History { history: history.clone(), as_of })
    }

    /// Of some rows.
    pub fn slice(&self, rows: Range<usize>) -> Attribute {
        match self {
            Attribute::Plain(column) => Attribute::Plain(column.slice(rows)),
            Attribute::History { history, as_of } => Attribute::History {
                as_of: as_of.as_ref().map(|as_of| as_of.slice(rows.clone())),
                history: History(Arc::new(history.0.slice(rows))),
            },
        }
    }

    /// The columns that were converted for it: its own, or those of its changes.
    pub fn conversions(&self) -> impl Iterator<Item = &Conversion> {
        let (plain, changes) = match self {
            Attribute::Plain(column) => (column.conversion(), None),
            Attribute::History { history, .. } => (None, Some(history.0.conversions())),
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

/// Whether a column is of lists of records, as events and histories are.
pub fn holds_records(ty: &DataType) -> bool {
    let item = match ty {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => item,
        DataType::ListView(item) | DataType::LargeListView(item) => item,
        _ => return false,
    };
    matches!(item.data_type(), DataType::Struct(_))
}
