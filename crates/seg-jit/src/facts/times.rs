//! Last times.

use super::plain;
use seg_data::batch::Events;
use seg_data::{Batch, EventId, Instant};
use seg_plan::{Node, NodeId, Plan};

/// The times of the last events of one name, so many from behind.
pub(crate) struct LastTimes<'b> {
    event: EventId,
    events: &'b Events,
    now: i64,
    /// Which from behind, and the fact that each is.
    pub wanted: Vec<(usize, usize)>,
}

impl<'b> LastTimes<'b> {
    /// What a value of a plan is, where it is such a time: the event, and which
    /// from behind.
    pub fn asked(plan: &Plan, id: NodeId) -> Option<(EventId, usize)> {
        let Node::EventTime { end: seg_hir::hir::End::Last, n, query } = plan.node(id)? else { return None };
        let event = plain(query).filter(|_| query.filter.is_none())?;
        Some((event, *n as usize))
    }

    /// None of them yet.
    pub fn new(batch: &'b Batch, event: EventId, now: Instant) -> Option<LastTimes<'b>> {
        Some(LastTimes { event, events: batch.events(event)?, now: now.0, wanted: Vec::new() })
    }

    /// Whose times they are.
    pub fn event(&self) -> EventId {
        self.event
    }

    /// Gives each wanted time of a person that there is.
    pub fn of(&self, row: usize, put: &mut impl FnMut(usize, i64)) {
        let known = self.known(row);
        for (n, fact) in &self.wanted {
            if let Some(time) = known.len().checked_sub(*n).and_then(|at| known.get(at)) {
                put(*fact, *time);
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
