//! `at least k times in the past D` as whether there is a k-th last event in the
//! window.
//!
//! At least k events lie in a window exactly when there is a k-th, from either end.
//! The count need not be taken: a walk is over at the k-th event, or at the
//! window's edge. And where the window lies beside now, for ascending times, it is
//! one place to look; see [`crate::compared`].

use super::rewrite::{keep, rewrite};
use super::widen_steps::is_now;
use crate::build::Builder;
use crate::plan::{Literal, Node, NodeId, Plan, Query};
use seg_data::Value;
use seg_hir::hir::{Aggregate, CompareOp, End};

pub(super) fn run(plan: &Plan) -> Plan {
    rewrite(plan, |builder, node| match &node {
        Node::Compare(op, count, k) => match (counted(builder, *count), number(builder, *k)) {
            (Some((end, query)), Some(k)) => threshold(builder, *op, end, &query, k),
            _ => keep(builder, node),
        },
        _ => keep(builder, node),
    })
}

/// The events that a count is of, in a window that has now or the beginning for one
/// edge, and the end from which the k-th is looked for.
fn counted(builder: &Builder, count: NodeId) -> Option<(End, Query)> {
    let Node::Aggregate { function: Aggregate::Count, measure: None, items: None, query } = builder.node(count)? else {
        return None;
    };
    let mut query = query.clone();
    // Nothing is later than now. Even `today` may end before now: where a clock that
    // was past midnight goes back, the next day begins twice, and the earlier is
    // meant.
    if is_now(query.interval.to) {
        query.interval.to = None;
    }
    match (query.interval.from, query.interval.to) {
        (_, None) => Some((End::Last, query)),
        (None, Some(_)) => Some((End::First, query)),
        (Some(_), Some(_)) => None,
    }
}

fn number(builder: &Builder, id: NodeId) -> Option<u32> {
    match builder.node(id)? {
        // A larger k would look further than any list is long.
        Node::Literal(Literal(Value::Integer(k))) => u32::try_from(*k).ok().filter(|k| *k < 1_000_000_000),
        _ => None,
    }
}

fn threshold(builder: &mut Builder, op: CompareOp, end: End, query: &Query, k: u32) -> NodeId {
    let mut at_least = |k: u32| {
        if k == 0 {
            return builder.constant(true);
        }
        let time = builder.add(Node::EventTime { end, n: k, query: query.clone() });
        builder.known(time)
    };
    match op {
        CompareOp::GreaterOrEqual => at_least(k),
        CompareOp::Greater => at_least(k + 1),
        CompareOp::Less => {
            let reaches = at_least(k);
            builder.negate(reaches)
        }
        CompareOp::LessOrEqual => {
            let exceeds = at_least(k + 1);
            builder.negate(exceeds)
        }
        CompareOp::Equal => {
            let (reaches, exceeds) = (at_least(k), at_least(k + 1));
            let stays = builder.negate(exceeds);
            builder.all(vec![reaches, stays])
        }
    }
}
