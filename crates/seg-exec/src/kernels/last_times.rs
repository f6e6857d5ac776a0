//! Last times.

use seg_data::batch::Events;
use seg_data::{Batch, EventId, Timestamp};
use std::sync::Arc;

/// The times of the last events of one name, so many from behind.
pub(crate) struct LastTimes {
    event: EventId,
    events: Arc<Events>,
    now: i64,
    /// Which from behind, and the shared aggregate that each is.
    pub wanted: Vec<(usize, usize)>,
}

impl LastTimes {
    /// None of them yet.
    pub fn new(batch: &Batch, event: EventId, now: Timestamp) -> Option<LastTimes> {
        Some(LastTimes { event, events: Arc::clone(batch.events(event)?), now: now.0, wanted: Vec::new() })
    }

    /// The event whose times they are.
    pub fn event(&self) -> EventId {
        self.event
    }

    /// Gives each wanted time of a person that there is.
    pub fn of(&self, row: usize, give: &mut impl FnMut(usize, i64)) {
        let known = self.known(row);
        for (n, aggregate) in &self.wanted {
            if let Some(time) = known.len().checked_sub(*n).and_then(|at| known.get(at)) {
                give(*aggregate, *time);
            }
        }
    }

    /// The times of a person's events that there are, the last at the end.
    fn known(&self, row: usize) -> &[i64] {
        let times = self.events.times().get(self.events.range(row)).unwrap_or(&[]);
        match times.last() {
            Some(last) if *last > self.now => times.get(..times.partition_point(|t| *t <= self.now)).unwrap_or(&[]),
            _ => times,
        }
    }
}

#[cfg(feature = "faults")]
impl LastTimes {
    /// Makes a mistake on purpose.
    pub fn apply(&mut self, fault: crate::fault::Fault) {
        if fault == crate::fault::Fault::LastTimesOneFurther {
            self.wanted.iter_mut().for_each(|(n, _)| *n += 1);
        }
    }
}
