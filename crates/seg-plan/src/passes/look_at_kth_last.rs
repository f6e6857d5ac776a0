//! `at least k times in the past D` as one look at the k-th last time.
//!
//! Events later than now do not exist, so at least k of them lie in [from, now]
//! exactly when the k-th last is not before `from`; without a `from`, when there
//! is a k-th last. The count need not be taken, and for ascending times the k-th
//! last is one place to look.

use super::rewrite::{keep, rewrite};
use crate::build::Builder;
use crate::plan::{Literal, Node, NodeId, Plan, Query};
use seg_data::{Period, Value};
use seg_hir::hir::{Aggregate, Bound, CompareOp, End, Interval, Moment};

pub(super) fn run(plan: &Plan) -> Plan {
    rewrite(plan, |builder, node| match &node {
        Node::Compare(op, count, k) => match (recent(builder, *count), number(builder, *k)) {
            (Some((query, from)), Some(k)) => threshold(builder, *op, &query, from, k),
            _ => keep(builder, node),
        },
        _ => keep(builder, node),
    })
}

/// The events and the start, if any, of a window that reaches up to now.
fn recent(builder: &Builder, count: NodeId) -> Option<(Query, Option<Bound>)> {
    let Node::Aggregate { function: Aggregate::Count, measure: None, items: None, query } = builder.node(count)? else {
        return None;
    };
    let ends_now = match query.interval.to {
        None => true,
        Some(Bound { moment: Moment::Before(Period::Fixed(0), _), is_closed }) => is_closed,
        // Even `today` may end before now: where a clock that was past midnight
        // goes back, the next day begins twice, and the earlier is meant.
        Some(_) => false,
    };
    ends_now.then(|| (Query { interval: Interval::default(), ..query.clone() }, query.interval.from))
}

fn number(builder: &Builder, id: NodeId) -> Option<u32> {
    match builder.node(id)? {
        // A larger k would look further than any list is long.
        Node::Literal(Literal(Value::Integer(k))) => u32::try_from(*k).ok().filter(|k| *k < 1_000_000_000),
        _ => None,
    }
}

fn threshold(builder: &mut Builder, op: CompareOp, query: &Query, from: Option<Bound>, k: u32) -> NodeId {
    match op {
        CompareOp::GreaterOrEqual => at_least(builder, query, from, k),
        CompareOp::Greater => at_least(builder, query, from, k + 1),
        CompareOp::Less => {
            let reaches = at_least(builder, query, from, k);
            builder.negate(reaches)
        }
        CompareOp::LessOrEqual => {
            let exceeds = at_least(builder, query, from, k + 1);
            builder.negate(exceeds)
        }
        CompareOp::Equal => {
            let reaches = at_least(builder, query, from, k);
            let exceeds = at_least(builder, query, from, k + 1);
            let stays = builder.negate(exceeds);
            builder.all(vec![reaches, stays])
        }
    }
}

fn at_least(builder: &mut Builder, query: &Query, from: Option<Bound>, k: u32) -> NodeId {
    if k == 0 {
        return builder.constant(true);
    }
    let time = builder.add(Node::EventTime { end: End::Last, n: k, query: query.clone() });
    let Some(from) = from else { return builder.known(time) };
    let start = builder.add(Node::Moment(from.moment));
    let op = if from.is_closed { CompareOp::GreaterOrEqual } else { CompareOp::Greater };
    builder.compare(op, time, start)
}
