//! What a condition compares: a value that others may compare as well.
//!
//! A window stays a window in a plan. Where it lies beside now, whether there is an
//! n-th event in it asks the same as a comparison of a time: at least n events lie
//! in the past 30 days exactly when the n-th last is not more than 30 days back.
//! Whoever compares values, or finds them once for many conditions, reads both here.

use crate::passes::is_now;
use crate::plan::{Node, NodeId, Query};
use seg_data::EventId;
use seg_hir::hir::{Bound, CompareOp, End, Interval, Moment};

/// When the n-th of a person's events from one end was, whatever the window; `n`
/// counts from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NthTime<'p> {
    /// From which end.
    pub end: End,
    /// Which.
    pub n: u32,
    /// Of which names, in the schema's order.
    pub events: &'p [EventId],
    /// A condition on one event.
    pub filter: Option<NodeId>,
    /// Later events than at this moment do not exist.
    pub known_at: Option<Moment>,
}

/// What a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compared<'p> {
    /// The value of a node.
    Value(NodeId),
    /// The time of an event; the node may have a window besides.
    Time(NthTime<'p>),
}

/// With what a condition compares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// With nothing: it asks whether there is one.
    IsValid,
    /// With the value of a node.
    Value(CompareOp, NodeId),
    /// With an edge of a window.
    Edge(CompareOp, Moment),
}

/// A condition that compares a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison<'p> {
    /// What it compares.
    pub compared: Compared<'p>,
    /// The node of that.
    pub node: NodeId,
    /// With what.
    pub test: Test,
}

impl<'p> NthTime<'p> {
    /// That of a query, whatever its window.
    pub fn of(end: End, n: u32, query: &'p Query) -> NthTime<'p> {
        NthTime { end, n, events: &query.events, filter: query.filter, known_at: query.known_at }
    }

    /// Its only event, where it asks for nothing but its filter.
    pub fn only_event(&self) -> Option<EventId> {
        match self.events {
            [one] if self.known_at.is_none() => Some(*one),
            _ => None,
        }
    }

    /// The query that finds it, in a window.
    pub fn query(&self, interval: Interval) -> Query {
        Query { events: self.events.to_vec(), interval, filter: self.filter, known_at: self.known_at }
    }
}

impl<'p> Comparison<'p> {
    /// What a condition compares, of a plan of which `of` gives the nodes; `None`
    /// where it compares nothing.
    pub fn of(condition: &Node, of: impl Fn(NodeId) -> Option<&'p Node>) -> Option<Comparison<'p>> {
        let (node, test) = match condition {
            Node::Known(value) => (*value, Test::IsValid),
            Node::Compare(op, value, other) => (*value, Test::Value(*op, *other)),
            _ => return None,
        };
        let (compared, test) = match (of(node)?, test) {
            (Node::EventTime { end, n, query }, Test::IsValid) => match edge(*end, &query.interval) {
                Some((end, test)) => (Compared::Time(NthTime::of(end, *n, query)), test),
                None => (Compared::Value(node), test),
            },
            (Node::EventTime { end, n, query }, test) if query.interval == Interval::default() => {
                (Compared::Time(NthTime::of(*end, *n, query)), test)
            }
            _ => (Compared::Value(node), test),
        };
        Some(Comparison { compared, node, test })
    }
}

/// With what the n-th time from one end is compared where there is to be an n-th
/// event in an interval; `None` where the interval has two edges besides now.
fn edge(end: End, interval: &Interval) -> Option<(End, Test)> {
    use CompareOp::{Greater, GreaterOrEqual, Less, LessOrEqual};
    let test = |bound: Bound, closed, open| Test::Edge(if bound.is_closed { closed } else { open }, bound.moment);
    let to = interval.to.filter(|_| !is_now(interval.to));
    match (interval.from, to) {
        (None, None) => Some((end, Test::IsValid)),
        // So many lie there as soon as there are so many, from either end.
        (Some(from), None) => Some((End::Last, test(from, GreaterOrEqual, Greater))),
        (None, Some(to)) => Some((End::First, test(to, LessOrEqual, Less))),
        (Some(_), Some(_)) => None,
    }
}
