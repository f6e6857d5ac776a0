//! Which values and conditions about people are read from derived columns.

use super::texts::EverHad;
use super::totals::WindowSum;
use crate::derived::{self, DerivedColumn, DerivedKey, TopK};
use crate::input::{Input, plain};
use crate::options::AccessPolicy;
use seg_data::batch::Events;
use seg_data::{EventId, PropertyId};
use seg_hir::hir::{CompareOp, End};
use seg_plan::{Node, NodeId, Query};
use std::sync::Arc;

/// A condition that only people with a late time can meet.
pub(crate) struct LateOnly {
    /// The times, of which a derived column is made.
    times: NodeId,
    /// The least that will do.
    pub least: i64,
    /// Whether everybody with such a time meets it.
    is_all: bool,
}

impl<'p> Input<'p> {
    fn has_columns(self) -> bool {
        self.options.access >= AccessPolicy::Column
    }

    /// Whether a value about people is read from a derived column.
    pub fn is_derived(self, id: NodeId) -> bool {
        self.is_derived_time(id) || self.derived_sum(id).is_some()
    }

    fn is_derived_time(self, id: NodeId) -> bool {
        self.has_columns() && matches!(self.node(id), Node::EventTime { query, .. } if self.time_of(query).is_some())
    }

    /// The only event of a query that asks for nothing else, where the batch has it.
    fn time_of(self, query: &Query) -> Option<(EventId, &'p Events)> {
        let event = plain(query).filter(|_| query.filter.is_none())?;
        self.batch.events(event).map(|events| (event, &**events))
    }

    /// The n-th time from one end as a column.
    pub fn derived_time(self, end: End, n: u32, query: &Query) -> Option<Arc<DerivedColumn>> {
        let (event, events) = self.time_of(query).filter(|_| self.has_columns())?;
        let key = derived::time_key(events, event, end == End::Last, n, self.now);
        derived::times(self.batch, events, &key, self.options.threads)
    }

    /// People's last times of an event, where they are kept.
    pub fn latest_of(self, event: EventId) -> Option<Arc<DerivedColumn>> {
        let events = self.batch.events(event).filter(|_| self.has_columns())?;
        let key = derived::time_key(events, event, true, 1, self.now);
        derived::times(self.batch, events, &key, self.options.threads)
    }

    /// Whether a value is a total or an average that may be read from a derived
    /// column: unless one does not fit, which making it tells.
    pub fn may_be_derived_sum(self, id: NodeId) -> bool {
        self.sum_key(id).is_some()
    }

    fn sum_key(self, id: NodeId) -> Option<(&'p Events, DerivedKey)> {
        let WindowSum { about, from, sum } = WindowSum::recognize(self, id).filter(|_| self.has_columns())?;
        let events = self.batch.events(about.0).filter(|_| from == i64::MIN)?;
        Some((events, derived::sum_key(events, about, sum, self.now)))
    }

    /// A total or an average over all events of a name as a column.
    pub fn derived_sum(self, id: NodeId) -> Option<Arc<DerivedColumn>> {
        let (events, key) = self.sum_key(id)?;
        derived::sums(self.batch, events, &key, self.options.threads)
    }

    /// Whether a condition about texts ever had is read from a derived column.
    pub fn is_derived_text(self, event: EventId, property: PropertyId) -> bool {
        self.texts_key(event, property).is_some()
    }

    fn texts_key(self, event: EventId, property: PropertyId) -> Option<(&'p Events, DerivedKey)> {
        let events = self.batch.events(event).filter(|_| self.has_columns())?;
        derived::texts_key(events, event, property, self.now).map(|key| (&**events, key))
    }

    /// The column of which a condition about texts ever had asks for any bit of a
    /// mask.
    pub fn ever_had(self, id: NodeId) -> Option<(Arc<DerivedColumn>, i64)> {
        let EverHad { event, property, texts: wanted } = EverHad::recognize(self, id)?;
        let (events, key) = self.texts_key(event, property)?;
        let column = derived::texts(self.batch, events, &key, self.options.threads)?;
        let (_, texts) = events.property_column(property)?.texts()?;
        let bit = |(key, text): (usize, Option<&str>)| i64::from(text.is_some_and(|t| wanted.contains(&t))) << key;
        Some((column, texts.iter().enumerate().fold(0, |mask, text| mask | bit(text))))
    }

    /// Whether only people with a late time can meet a condition, and which.
    pub fn late_only(self, id: NodeId) -> Option<LateOnly> {
        let Node::Compare(op, times, other) = self.node(id) else { return None };
        let at = self.bound(*other)?;
        let (least, is_all) = match op {
            CompareOp::GreaterOrEqual => (at, true),
            CompareOp::Greater => (at.saturating_add(1), true),
            CompareOp::Equal => (at, false),
            CompareOp::Less | CompareOp::LessOrEqual => return None,
        };
        self.is_derived_time(*times).then_some(LateOnly { times: *times, least, is_all })
    }

    /// Who meets a condition, where that is known by time: the words of all people.
    pub fn by_time(self, id: NodeId) -> Option<Vec<u64>> {
        let LateOnly { times, least, is_all: true } = self.late_only(id)? else { return None };
        let Node::EventTime { end, n, query } = self.node(times) else { return None };
        let (event, events) = self.time_of(query).filter(|_| self.options.access == AccessPolicy::Cheapest)?;
        let key = derived::time_key(events, event, *end == End::Last, *n, self.now);
        let times = derived::times(self.batch, events, &key, self.options.threads)?;
        TopK::find(self.batch, &key, &times, least).map(|top| top.words(self.batch.len(), least))
    }
}
