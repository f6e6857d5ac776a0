//! The instants and days that a value of a plan may be, for one person: those among
//! their data, whenever it is asked.

use crate::plan::{Node, NodeId, Plan};
use seg_data::batch::Column;
use seg_data::{AttributeId, Batch, EventId, Timestamp, Value};
use seg_hir::hir::{Aggregate, End, OfHistory};

/// One person of a batch, and a plan over them.
#[derive(Clone, Copy)]
pub(super) struct Data<'a> {
    pub plan: &'a Plan,
    pub batch: &'a Batch,
    /// Whose row of it they are.
    pub row: usize,
    /// As of when attributes without a history are read; it does not matter to them.
    pub now: Timestamp,
}

impl Data<'_> {
    /// When events of some names happened.
    pub fn times_of<'e>(&self, events: impl IntoIterator<Item = &'e EventId>) -> Vec<Timestamp> {
        let found = events.into_iter().filter_map(|event| self.batch.events(*event));
        found.flat_map(|events| events.range(self.row).map(|idx| events.time(idx))).collect()
    }

    /// When events of any name happened.
    pub fn all_times(&self) -> Vec<Timestamp> {
        let events: Vec<EventId> = (0..self.batch.schema().events.len() as u32).map(EventId).collect();
        self.times_of(&events)
    }

    /// When an attribute was set, where that is known.
    pub fn set_at(&self, attribute: AttributeId) -> Vec<Timestamp> {
        let history = self.batch.history(attribute);
        history.into_iter().flat_map(|history| history.range(self.row).map(|idx| history.time(idx))).collect()
    }

    /// Every value that an attribute has or had.
    fn values(&self, attribute: AttributeId) -> Vec<Value> {
        match self.batch.history(attribute) {
            Some(history) => history.range(self.row).filter_map(|idx| history.value(idx)).collect(),
            None => self.batch.attribute(attribute, self.row, self.now).into_iter().collect(),
        }
    }

    /// The instants and days that a value may be, whichever of the person's events and
    /// former values decide it; none for values of other types. That of a value made of
    /// `now` itself are not among them.
    pub fn possible(&self, id: NodeId) -> Vec<Value> {
        let Some(node) = self.plan.node(id) else { return Vec::new() };
        let at = |times: Vec<Timestamp>| times.into_iter().map(Value::Timestamp).collect();
        match node {
            Node::Literal(literal) => vec![literal.0.clone()],
            Node::Moment(seg_hir::hir::Moment::At(time)) => vec![Value::Timestamp(*time)],
            Node::Attribute(attribute, _) | Node::HeldValue { attribute, .. } => self.values(*attribute),
            Node::Property(ids, _) => {
                let of = ids.iter().filter_map(|(event, property)| Some((self.batch.events(*event)?, *property)));
                of.flat_map(|(events, property)| {
                    events.range(self.row).filter_map(move |idx| events.property(property, idx))
                })
                .collect()
            }
            Node::Field { list, field, .. } => {
                let of = list.iter().filter_map(|(event, property)| {
                    let events = self.batch.events(*event)?;
                    Some((events.property_column(*property)?, events.range(self.row)))
                });
                of.flat_map(|(column, rows)| field_values(column, rows, *field)).collect()
            }
            Node::Element { list, field: Some(field), .. } => {
                let column = self.batch.attribute_column(*list);
                column.map(|column| field_values(column, self.row..self.row + 1, *field)).unwrap_or_default()
            }
            Node::Element { list, field: None, .. } => {
                let items = self.values(*list).into_iter().map(|value| match value {
                    Value::List(items) => items,
                    _ => Vec::new(),
                });
                items.flatten().collect()
            }
            Node::Seen(end, _) => {
                let declared = self.batch.schema().first_seen.filter(|_| *end == End::First);
                let mut values = declared.map(|id| self.values(id)).unwrap_or_default();
                values.extend(self.all_times().into_iter().map(Value::Timestamp));
                values
            }
            Node::Time => at(self.all_times()),
            Node::EventTime { query, .. } => at(self.times_of(&query.events)),
            Node::History { attribute, of: OfHistory::Since, .. } => {
                at([vec![Timestamp::MIN], self.set_at(*attribute)].concat())
            }
            Node::Shift { of, by, is_back } => {
                self.possible(*of).into_iter().filter_map(|value| seg_hir::shift(value, *by, *is_back)).collect()
            }
            Node::DayOf(of, zone) => {
                let day = |value| match value {
                    Value::Timestamp(time) => Value::Date(zone.date(time)),
                    other => other,
                };
                self.possible(*of).into_iter().map(day).collect()
            }
            Node::Anniversary(day, from) => {
                let froms = self.possible(*from);
                let days = self.possible(*day).into_iter().flat_map(|day| {
                    froms.iter().filter_map(move |from| match (&day, from) {
                        (Value::Date(day), Value::Date(from)) => Some(Value::Date(day.anniversary_from(*from))),
                        _ => None,
                    })
                });
                days.collect()
            }
            Node::Aggregate {
                function: Aggregate::Smallest | Aggregate::Largest | Aggregate::MostFrequent,
                measure: Some((measure, _)),
                ..
            } => self.possible(*measure),
            // These are no instants and no days, or are made of `now`.
            Node::Const(_)
            | Node::All(_)
            | Node::Any(_)
            | Node::Cardinality { .. }
            | Node::Not(_)
            | Node::Known(_)
            | Node::Compare(..)
            | Node::OneOf(..)
            | Node::Text { .. }
            | Node::Has(..)
            | Node::FirstOrLastN { .. }
            | Node::Chain(_)
            | Node::Items { .. }
            | Node::Sample { .. }
            | Node::InList(..)
            | Node::Profile(_)
            | Node::Elements { .. }
            | Node::Moment(_)
            | Node::Today { .. }
            | Node::History { of: OfHistory::Stretches(_) | OfHistory::Changes(_), .. }
            | Node::Part(..)
            | Node::Elapsed(_)
            | Node::Distance { .. }
            | Node::UsualGap(_)
            | Node::MostWithin { .. }
            | Node::Arithmetic(..)
            | Node::Scale { .. }
            | Node::Convert(..)
            | Node::FoldCase(_)
            | Node::ListLength(_)
            | Node::Aggregate { .. }
            | Node::Periods { .. }
            | Node::Missing => Vec::new(),
        }
    }
}

/// The values of a field of the records that some rows of a column hold.
fn field_values(column: &Column, rows: std::ops::Range<usize>, field: u32) -> Vec<Value> {
    let Some(of_field) = column.fields().get(field as usize) else { return Vec::new() };
    let records = rows.filter_map(|row| column.records(row)).flatten();
    records.filter_map(|record| of_field.value(record)).collect()
}
