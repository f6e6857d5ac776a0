//! Access paths over layouts that the batch keeps: times and texts of people as
//! columns, instead of walks over their events.

use super::Select;
use crate::facts::{TextsMet, bound, plain};
use crate::layouts;
use crate::shape::{Column, Cond, Row, Store, Value};
use seg_data::batch::Layout;
use seg_data::{EventId, PropertyId};
use seg_hir::hir::{CompareOp, End};
use seg_plan::{Node, NodeId};
use std::sync::Arc;

impl Select<'_, '_> {
    /// Whether a value about people is read from a layout.
    pub fn is_derived_time(&self, id: NodeId) -> bool {
        self.binding.layouts && matches!(self.node(id), Node::EventTime { query, .. } if self.time_of(query).is_some())
    }

    /// The only event of a query that asks for nothing else, where the batch has
    /// it.
    fn time_of(&self, query: &seg_plan::Query) -> Option<EventId> {
        let event = plain(query).filter(|_| query.filter.is_none())?;
        self.batch.events(event).map(|_| event)
    }

    /// The n-th time from one end as a column.
    pub(super) fn derived_time(&mut self, end: End, n: u32, query: &seg_plan::Query) -> Option<Value> {
        let event = self.time_of(query).filter(|_| self.binding.layouts)?;
        let layout = self.times(event, end, n)?;
        let values = self.address(layout.words.as_ptr());
        self.tables.keep(layout);
        Some(Value::Column(Column { row: Row::Person, store: Store::Time, values, nulls: None }))
    }

    fn times(&self, event: EventId, end: End, n: u32) -> Option<Arc<Layout>> {
        let events = self.batch.events(event)?;
        let key = layouts::time_key(events, event, end == End::Last, n, self.now);
        Some(layouts::times(self.batch, events, &key, self.binding.threads))
    }

    /// Whether people ever had one of some texts, as bits of a word.
    pub(super) fn texts_met(&mut self, id: NodeId) -> Option<Cond> {
        let (event, property, wanted) = TextsMet::asked(self.plan, id).filter(|_| self.binding.layouts)?;
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
        self.binding.layouts && key().is_some()
    }

    /// Finds out whether only people with a late time can meet a condition.
    pub(super) fn find_least(&mut self, id: NodeId) {
        let Some(Node::Compare(op, value, other)) = self.plan.node(id) else { return };
        let Some(at) = bound(self.plan, *other, self.now) else { return };
        let least = match op {
            CompareOp::GreaterOrEqual | CompareOp::Equal => at,
            CompareOp::Greater => at.saturating_add(1),
            CompareOp::Less | CompareOp::LessOrEqual => return,
        };
        if !self.is_derived_time(*value) {
            return;
        }
        if let Node::EventTime { end, n, query } = self.node(*value)
            && let Some(event) = self.time_of(query)
        {
            self.least = self.times(event, *end, *n).map(|layout| (layout, least));
        }
    }

    /// Before which instant nobody's last event of a name need be looked at: the
    /// latest times of people, where the batch keeps them.
    pub fn latest_of(&self, event: EventId) -> Option<Arc<Layout>> {
        self.binding.layouts.then(|| self.times(event, End::Last, 1)).flatten()
    }
}
