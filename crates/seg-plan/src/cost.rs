//! What evaluating costs: an estimate from how much data there is.
//!
//! Estimates order conditions and let a program be refused before it runs. They
//! never decide an answer.

use crate::plan::{Node, NodeId, Plan, Query};
use crate::reach::reached_by;
use seg_data::{Batch, EventId, Timestamp};
use seg_hir::hir::{End, Interval};
use std::fmt;
use std::time::Duration;

/// How much data there is.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// How many people.
    pub n_people: u64,
    /// The instant that windows are counted from.
    now: Timestamp,
    /// By the number of an event; none of one whose column was not checked.
    events: Vec<Option<Known>>,
}

/// The events of one name.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Known {
    n_events: u64,
    /// From when to when, if there are any.
    extent: Option<(Timestamp, Timestamp)>,
}

impl Statistics {
    /// Those of a batch whose columns were checked, evaluated as of `now`.
    pub fn of(batch: &Batch, now: Timestamp) -> Statistics {
        let of = |at: usize| {
            let events = batch.events(EventId(at as u32))?;
            Some(Known { n_events: events.len() as u64, extent: events.extent() })
        };
        let events = (0..batch.schema().events.len()).map(of).collect();
        Statistics { n_people: batch.len() as u64, now, events }
    }

    /// The instant that windows are counted from.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// From when to when there are events of a name, if there are any; nothing
    /// where that is not known.
    #[allow(clippy::option_option)] // Whether it is known, and whether there are any.
    pub(crate) fn extent(&self, event: EventId) -> Option<Option<(Timestamp, Timestamp)>> {
        self.events.get(event.idx())?.map(|known| known.extent)
    }

    /// How many events of one name a person has in an interval, on average.
    fn events_in(&self, event: EventId, interval: &Interval) -> f64 {
        let Some(Some(Known { n_events, extent: Some((first, last)) })) = self.events.get(event.idx()) else {
            return 0.0;
        };
        let each = *n_events as f64 / self.n_people.max(1) as f64;
        let at = |bound: Option<seg_hir::hir::Bound>, none: Timestamp| {
            bound.map_or(none, |b| b.moment.at(self.now)).0.clamp(first.0, last.0) as f64
        };
        let (from, to) = (at(interval.from, *first), at(interval.to, *last));
        // As if they were spread evenly.
        let share = (to - from) / ((last.0 - first.0) as f64).max(1.0);
        each * share.clamp(0.0, 1.0)
    }
}

/// What an evaluation is expected to cost: time of one processor that does
/// nothing else. Real time is less where there are more processors, and some
/// times as much or as little besides; what costs twice as much takes about
/// twice as long.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Cost(pub Duration);

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        match nanos {
            0..1_000 => write!(f, "{nanos} ns"),
            1_000..1_000_000 => write!(f, "{:.1} µs", nanos as f64 / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.1} ms", nanos as f64 / 1e6),
            _ => write!(f, "{:.1} s", nanos as f64 / 1e9),
        }
    }
}

/// What evaluating a plan over data costs. Conditions that several segments share
/// count once.
pub fn cost(plan: &Plan, statistics: &Statistics) -> Cost {
    let costs = costs(plan, Some(statistics));
    // What a node costs besides the nodes about people that it is made of.
    let own = |id: NodeId| costs.get(id.idx()).map_or(0.0, |cost| cost.own);
    let each: f64 = reached_by(plan, Node::children).into_iter().map(own).sum();
    let nanoseconds = each * statistics.n_people as f64;
    Cost(Duration::from_nanos(nanoseconds.min(u64::MAX as f64) as u64))
}

/// The cost of a node for one person, in nanoseconds, about.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NodeCost {
    /// Without the nodes about the same rows that it is made of.
    pub own: f64,
    /// With them.
    pub whole: f64,
}

/// What each node costs a person, or an event where it is about events.
pub(crate) fn costs(plan: &Plan, statistics: Option<&Statistics>) -> Vec<NodeCost> {
    let mut costs: Vec<NodeCost> = Vec::with_capacity(plan.nodes().len());
    for node in plan.nodes() {
        let of = |id: &NodeId| costs.get(id.idx()).map_or(0.0, |cost| cost.whole);
        let same: f64 = node.children().iter().map(of).sum();
        let inner: f64 = node.inner().iter().map(of).sum();
        let n_events = match node {
            Node::Items { .. } | Node::Elements { .. } | Node::History { .. } => 4.0,
            _ => node.queries().iter().map(|q| n_events(node, q, statistics)).sum(),
        };
        let own = own(node) + n_events * (2.0 + inner);
        costs.push(NodeCost { own, whole: own + same });
    }
    costs
}

/// How many events of a person are likely looked at. Without statistics a person
/// has some events of a name, and few of them lately.
fn n_events(node: &Node, query: &Query, statistics: Option<&Statistics>) -> f64 {
    let n_names = query.events.len() as f64;
    let from_end = match node {
        Node::EventTime { end: End::Last, n, .. } | Node::FirstOrLastN { end: End::Last, n, .. } => Some(f64::from(*n)),
        _ => None,
    };
    match (statistics, from_end) {
        (None, Some(n)) => n_names * n.min(8.0),
        (None, None) => n_names * if query.interval == Interval::default() { 8.0 } else { 6.0 },
        (Some(statistics), from_end) => {
            // With a filter, any event of the window may be the one.
            let of = |event: &EventId| statistics.events_in(*event, &query.interval);
            let all = query.events.iter().map(of).sum::<f64>();
            from_end.filter(|_| query.filter.is_none()).map_or(all, |n| all.min(n_names * n))
        }
    }
}

fn own(node: &Node) -> f64 {
    match node {
        Node::Const(_) | Node::Literal(_) | Node::Moment(_) | Node::Today { .. } | Node::Missing => 1.0,
        Node::Seen(..) | Node::Chain(_) | Node::UsualGap(_) | Node::MostWithin { .. } | Node::Sample { .. } => 50.0,
        Node::Aggregate { .. } | Node::Periods { .. } | Node::EventTime { .. } | Node::FirstOrLastN { .. } => 4.0,
        Node::Scale { .. } | Node::Has(..) | Node::ListLength(_) => 4.0,
        Node::All(_)
        | Node::Any(_)
        | Node::Cardinality { .. }
        | Node::Not(_)
        | Node::Known(_)
        | Node::Compare(..)
        | Node::OneOf(..)
        | Node::Text { .. }
        | Node::Items { .. }
        | Node::Profile(_)
        | Node::Elements { .. }
        | Node::Element { .. }
        | Node::History { .. }
        | Node::HeldValue { .. }
        | Node::InList(..)
        | Node::Attribute(..)
        | Node::Property(..)
        | Node::Time
        | Node::Field { .. }
        | Node::Shift { .. }
        | Node::DayOf(..)
        | Node::Part(..)
        | Node::Anniversary(..)
        | Node::Elapsed(_)
        | Node::Distance { .. }
        | Node::Arithmetic(..)
        | Node::Convert(..)
        | Node::FoldCase(_) => 1.0,
    }
}
