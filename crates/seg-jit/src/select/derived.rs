//! Access paths over layouts that the batch keeps: times, totals and texts of
//! people as columns, instead of walks over their events.

use super::Select;
use crate::bound::Access;
use crate::facts::{TextsMet, Totals, bound, plain};
use crate::layouts;
use crate::shape::{Column, Cond, Row, Store, Value};
use seg_data::batch::{Events, Layout, LayoutKey};
use seg_data::{EventId, PropertyId};
use seg_hir::hir::{CompareOp, End};
use seg_plan::{Node, NodeId};
use std::sync::Arc;

impl Select<'_, '_> {
    fn has_columns(&self) -> bool {
        self.binding.access >= Access::Column
    }

    /// Whether a value about people is read from a layout.
    pub fn is_derived_value(&self, id: NodeId) -> bool {
        self.is_derived_time(id) || self.sum_of(id).is_some()
    }

    fn is_derived_time(&self, id: NodeId) -> bool {
        self.has_columns() && matches!(self.node(id), Node::EventTime { query, .. } if self.time_of(query).is_some())
    }

    /// The only event of a query that asks for nothing else, where the batch has
    /// it.
    fn time_of(&self, query: &seg_plan::Query) -> Option<EventId> {
        let event = plain(query).filter(|_| query.filter.is_none())?;
        self.batch.events(event).map(|_| event)
    }

    /// The n-th time from one end as a column.
    pub(super) fn derived_time(&mut self, end: End, n: u32, query: &seg_plan::Query) -> Option<Value> {
        let event = self.time_of(query).filter(|_| self.has_columns())?;
        let layout = self.times(event, end, n)?;
        let values = self.address(layout.words.as_ptr());
        self.tables.keep(layout);
        Some(Value::Column(Column { row: Row::Person, store: Store::Optional, values, nulls: None }))
    }

    fn times(&self, event: EventId, end: End, n: u32) -> Option<Arc<Layout>> {
        let events = self.batch.events(event)?;
        let key = layouts::time_key(events, event, end == End::Last, n, self.now);
        Some(layouts::times(self.batch, events, &key, self.binding.threads))
    }

    /// A total or an average over all events of a name as a column.
    pub(super) fn derived_sum(&mut self, id: NodeId) -> Option<Value> {
        let layout = self.sum_of(id)?;
        let values = self.address(layout.words.as_ptr());
        self.tables.keep(layout);
        Some(Value::Column(Column { row: Row::Person, store: Store::Optional, values, nulls: None }))
    }

    /// Whether a value is a total or an average that may be read from a layout:
    /// unless one does not fit, which making it tells.
    pub fn may_be_derived_sum(&self, id: NodeId) -> bool {
        self.sum_key(id).is_some()
    }

    fn sum_key(&self, id: NodeId) -> Option<(&Events, LayoutKey)> {
        let (about, from, sum) = Totals::asked(self.plan, id, self.now).filter(|_| self.has_columns())?;
        let events = self.batch.events(about.0).filter(|_| from == i64::MIN)?;
        Some((events, layouts::sum_key(events, about, sum, self.now)))
    }

    fn sum_of(&self, id: NodeId) -> Option<Arc<Layout>> {
        let (events, key) = self.sum_key(id)?;
        let layout = layouts::sums(self.batch, events, &key, self.binding.threads)?;
        (layout.words.len() == self.batch.len()).then_some(layout)
    }

    /// Whether people ever had one of some texts, as bits of a word.
    pub(super) fn texts_met(&mut self, id: NodeId) -> Option<Cond> {
        let (event, property, wanted) = TextsMet::asked(self.plan, id).filter(|_| self.has_columns())?;
        let layout = self.texts_of(event, property)?;
        let (_, texts) = self.batch.events(event)?.property_column(property)?.texts()?;
        let bit = |(key, text): (usize, Option<&str>)| u64::from(text.is_some_and(|t| wanted.contains(&t))) << key;
        let mask = texts.iter().enumerate().fold(0, |mask, text| mask | bit(text));
        if mask == 0 {
            return Some(Cond::Const(false));
        }
        let values = self.address(layout.words.as_ptr());
        self.tables.keep(layout);
        let column = Column { row: Row::Person, store: Store::I64, values, nulls: None };
        Some(Cond::Bits(column, self.slot(mask)))
    }

    fn texts_of(&self, event: EventId, property: PropertyId) -> Option<Arc<Layout>> {
        let events = self.batch.events(event)?;
        let key = layouts::texts_key(events, event, property, self.now)?;
        Some(layouts::texts(self.batch, events, &key, self.binding.threads))
    }

    /// Whether a condition about texts met is read from a layout.
    pub fn is_derived_text(&self, event: EventId, property: PropertyId) -> bool {
        let key = || layouts::texts_key(self.batch.events(event)?, event, property, self.now);
        self.has_columns() && key().is_some()
    }

    /// The least time with which people meet a condition, where it is held
    /// against a time that a column has, and whether all such people meet it.
    fn least(&self, id: NodeId) -> Option<(NodeId, i64, bool)> {
        let Node::Compare(op, value, other) = self.node(id) else { return None };
        let at = bound(self.plan, *other, self.now)?;
        let (least, is_all) = match op {
            CompareOp::GreaterOrEqual => (at, true),
            CompareOp::Greater => (at.saturating_add(1), true),
            CompareOp::Equal => (at, false),
            CompareOp::Less | CompareOp::LessOrEqual => return None,
        };
        self.is_derived_time(*value).then_some((*value, least, is_all))
    }

    /// Finds out whether only people with a late time can meet a condition.
    pub(super) fn find_least(&mut self, id: NodeId) {
        let Some((value, least, _)) = self.least(id) else { return };
        if let Node::EventTime { end, n, query } = self.node(value)
            && let Some(event) = self.time_of(query)
        {
            self.least = self.times(event, *end, *n).map(|layout| (layout, least));
        }
    }

    /// Who meets a condition, where that is known by time: the words of all
    /// profiles.
    pub fn by_time(&self, id: NodeId) -> Option<Vec<u64>> {
        let (value, least, true) = self.least(id)? else { return None };
        let Node::EventTime { end, n, query } = self.node(value) else { return None };
        let event = self.time_of(query).filter(|_| self.binding.access == Access::Cheapest)?;
        let events = self.batch.events(event)?;
        let key = layouts::time_key(events, event, *end == End::Last, *n, self.now);
        let times = layouts::times(self.batch, events, &key, self.binding.threads);
        layouts::recent(self.batch, &key, &times, least)
    }

    /// Before which instant nobody's last event of a name need be looked at: the
    /// latest times of people, where the batch keeps them.
    pub fn latest_of(&self, event: EventId) -> Option<Arc<Layout>> {
        self.has_columns().then(|| self.times(event, End::Last, 1)).flatten()
    }
}
