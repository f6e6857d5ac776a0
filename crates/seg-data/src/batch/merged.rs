//! The events of several names in the order of the language.

use super::Batch;
use crate::schema::EventId;
use crate::time::Timestamp;
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use std::cmp::Ordering;

/// The events of several names of a batch as one sequence a profile, in the order
/// of the language: by time, at one instant by event id, then by arrival.
///
/// Made of events that were checked, so every position is one of its source.
#[derive(Debug, Clone)]
pub struct MergedEvents {
    offsets: OffsetBuffer<i64>,
    times: ScalarBuffer<i64>,
    sources: ScalarBuffer<i32>,
    places: ScalarBuffer<i32>,
    n_events: Vec<usize>,
}

impl MergedEvents {
    /// The events of some names of a batch; those that it lacks have none.
    pub fn new(batch: &Batch, names: &[EventId]) -> MergedEvents {
        let (mut times, mut sources, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let mut lengths = Vec::with_capacity(batch.len());
        let mut found: Vec<(Timestamp, usize, usize)> = Vec::new();
        let name = |source: usize| names.get(source).copied().unwrap_or(EventId(0));
        for row in 0..batch.len() {
            found.clear();
            for (source, event) in names.iter().enumerate() {
                let Some(events) = batch.events(*event) else { continue };
                found.extend(events.range(row).map(|idx| (events.time(idx), source, idx)));
            }
            found.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| tie(batch, (name(a.1), a.2), (name(b.1), b.2))));
            for (time, source, place) in &found {
                times.push(time.0);
                // A batch has fewer events of a name, and fewer names, than 2^31.
                sources.push(*source as i32);
                places.push(*place as i32);
            }
            lengths.push(found.len());
        }
        let n_events = names.iter().map(|event| batch.events(*event).map_or(0, |events| events.len())).collect();
        MergedEvents {
            offsets: OffsetBuffer::from_lengths(lengths),
            times: times.into(),
            sources: sources.into(),
            places: places.into(),
            n_events,
        }
    }

    /// Where the sequence of each profile begins and ends; wider than those of
    /// one name, for several together may be longer than one can be.
    pub fn offsets(&self) -> &OffsetBuffer<i64> {
        &self.offsets
    }

    /// When each event happened, in microseconds.
    pub fn times(&self) -> &ScalarBuffer<i64> {
        &self.times
    }

    /// Which of the names each event is of, by its position among them.
    pub fn sources(&self) -> &ScalarBuffer<i32> {
        &self.sources
    }

    /// Where each event is among the events of its name.
    pub fn places(&self) -> &ScalarBuffer<i32> {
        &self.places
    }

    /// How many events the batch has of each name: every position is below the
    /// number of its source.
    pub fn n_events(&self) -> &[usize] {
        &self.n_events
    }
}

/// Whether the events of one name already lie in the order of the language.
pub(super) fn is_ordered(batch: &Batch, event: EventId) -> bool {
    let Some(events) = batch.events(event) else { return true };
    let is_ordered = |row: usize| {
        let range = events.range(row);
        range
            .clone()
            .zip(range.skip(1))
            .all(|(a, b)| events.time(a) != events.time(b) || tie(batch, (event, a), (event, b)) != Ordering::Greater)
    };
    *events.is_ordered.get_or_init(|| (0..events.n_profiles()).all(is_ordered))
}

/// The order of two events at one instant.
fn tie(batch: &Batch, a: (EventId, usize), b: (EventId, usize)) -> Ordering {
    let id = |(event, idx)| batch.event_id(event, idx);
    let arrival = |(event, idx): (EventId, usize)| batch.events(event).and_then(|e| e.arrival(idx));
    id(a).cmp(&id(b)).then_with(|| arrival(a).cmp(&arrival(b))).then_with(|| a.cmp(&b))
}
