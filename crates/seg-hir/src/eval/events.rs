//! Which events a query finds, and in which order.

use super::{Evaluator, Person};
use crate::hir::{Moment, Query, horizon};
use seg_data::{EventId, PropertyId, Timestamp};

/// One event of a person.
pub(super) struct Occurrence {
    /// Of which name.
    pub event: EventId,
    /// Where among the batch's events of that name.
    pub idx: usize,
    /// The instant at which it happened.
    pub time: Timestamp,
    /// The text of its event-id property.
    id: Option<String>,
    arrival: Option<i64>,
    /// Which of its records is at hand.
    pub item: Option<usize>,
}

impl Occurrence {
    /// The event with each record of a list at hand in turn.
    pub(super) fn items<'s>(
        &'s self,
        list: &[(EventId, PropertyId)],
        person: &Person<'_>,
    ) -> impl Iterator<Item = Occurrence> + use<'s> {
        let property = list.iter().find(|(of, _)| *of == self.event).map(|(_, property)| *property);
        let column = property.and_then(|p| person.batch.events(self.event)?.property_column(p));
        let records = column.and_then(|column| column.records(self.idx)).unwrap_or(0..0);
        records.map(|item| Occurrence { item: Some(item), id: self.id.clone(), ..*self })
    }
}

impl Evaluator<'_> {
    /// The events a query finds, by time; at one instant by event id, then
    /// arrival, then the schema's order of names.
    pub(super) fn events(&self, query: &Query, person: &Person<'_>) -> Vec<Occurrence> {
        let mut found = Vec::new();
        for event in &query.events {
            let Some(events) = person.batch.events(*event) else { continue };
            for idx in events.range(person.row) {
                let time = events.time(idx);
                if time > horizon(query.known_at, self.now) || !query.interval.contains(time, self.now) {
                    continue;
                }
                let occurrence = self.occurrence(*event, idx, time, person);
                let counts = query.filter.as_ref().is_none_or(|f| self.cond(f, person, Some(&occurrence)));
                if counts {
                    found.push(occurrence);
                }
            }
        }
        found.sort_by(|a, b| {
            a.time
                .cmp(&b.time)
                .then_with(|| a.id.cmp(&b.id))
                .then_with(|| a.arrival.cmp(&b.arrival))
                .then_with(|| a.event.cmp(&b.event))
                .then_with(|| a.idx.cmp(&b.idx))
        });
        found
    }

    fn occurrence(&self, event: EventId, idx: usize, time: Timestamp, person: &Person<'_>) -> Occurrence {
        let events = person.batch.events(event);
        let id = person.batch.event_id(event, idx);
        let arrival = events.and_then(|e| e.arrival(idx));
        Occurrence { event, idx, time, id, arrival, item: None }
    }

    /// The earliest or latest time of any event up to now.
    pub(super) fn seen(
        &self,
        end: crate::hir::End,
        known_at: Option<Moment>,
        person: &Person<'_>,
    ) -> Option<Timestamp> {
        let horizon = horizon(known_at, self.now);
        let n_events = person.batch.schema().events.len() as u32;
        let times = (0..n_events)
            .filter_map(|e| person.batch.events(EventId(e)))
            .flat_map(|events| events.range(person.row).map(|idx| events.time(idx)).filter(move |t| *t <= horizon));
        match end {
            crate::hir::End::First => times.min(),
            crate::hir::End::Last => times.max(),
        }
    }
}
