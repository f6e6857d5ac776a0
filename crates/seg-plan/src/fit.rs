//! Windows that reach past the data, once a batch is known.
//!
//! Where every event of a name lies after the start of a window, asking whether
//! one does is idle: `in the past 365 days` over half a year of data is `ever`, so
//! that conditions of both share what is gathered. Where every event lies outside
//! of a window, the answer is known for everybody. Readers leave events out that
//! are older than the longest window, so that the longest is always such a one.

use crate::build::Builder;
use crate::cost::Statistics;
use crate::passes::{drop_unreached, is_now, keep, over_nothing, rewrite, simplify_conditions};
use crate::plan::{Chain, Literal, Node, NodeId, Plan, Query};
use seg_data::{Timestamp, Value};
use seg_hir::hir::{Bound, CompareOp};
use std::borrow::Cow;

/// The plan without what the extent of a batch's events decides. Only over that
/// batch, evaluated as of the same instant, does it give the same answers.
pub fn fit_to_data<'p>(plan: &'p Plan, statistics: &Statistics) -> Cow<'p, Plan> {
    let changes = |node: &Node| match node {
        Node::Compare(op, time, bound) => verdict(statistics, *op, plan.node(*time), plan.node(*bound)).is_some(),
        other => finds_nothing(other, statistics) || fitted(other.clone(), statistics) != *other,
    };
    if !plan.nodes().iter().any(changes) {
        return Cow::Borrowed(plan);
    }
    let fit = |builder: &mut Builder, node: Node| -> NodeId {
        if let Node::Compare(op, time, bound) = &node {
            match verdict(statistics, *op, builder.node(*time), builder.node(*bound)) {
                Some(Verdict::Never) => return builder.constant(false),
                Some(Verdict::WhereKnown) => return builder.known(*time),
                None => {}
            }
        }
        let nothing = finds_nothing(&node, statistics).then(|| over_nothing(builder, &node)).flatten();
        nothing.unwrap_or_else(|| keep(builder, fitted(node, statistics)))
    };
    let fitted = rewrite(plan, fit);
    // Beside others a condition may be idle now, and what was asked of windows may
    // be read by nothing.
    Cow::Owned(drop_unreached(&simplify_conditions(&fitted)))
}

/// What is known of a comparison.
enum Verdict {
    /// It holds for whoever has the value.
    WhereKnown,
    /// It holds for nobody.
    Never,
}

/// What is known of the time of an event beside an instant.
fn verdict(statistics: &Statistics, op: CompareOp, time: Option<&Node>, bound: Option<&Node>) -> Option<Verdict> {
    let Node::EventTime { query, .. } = time? else { return None };
    let bound = match bound? {
        Node::Moment(moment) => moment.at(statistics.now()),
        Node::Literal(Literal(Value::Timestamp(at))) => *at,
        _ => return None,
    };
    let (first, last) = extent(statistics, query)?;
    let (all, none) = match op {
        CompareOp::Less => (last < bound, first >= bound),
        CompareOp::LessOrEqual => (last <= bound, first > bound),
        CompareOp::Equal => (false, bound < first || last < bound),
        CompareOp::GreaterOrEqual => (first >= bound, last < bound),
        CompareOp::Greater => (first > bound, last <= bound),
    };
    match (all, none) {
        (true, _) => Some(Verdict::WhereKnown),
        (_, true) => Some(Verdict::Never),
        _ => None,
    }
}

/// From when to when there are events of the names of a query, if there are any.
fn extent(statistics: &Statistics, query: &Query) -> Option<(Timestamp, Timestamp)> {
    let mut whole: Option<(Timestamp, Timestamp)> = None;
    for event in &query.events {
        // Of one that was not looked at nothing is known.
        if let Some((first, last)) = statistics.extent(*event)? {
            let (least, greatest) = whole.unwrap_or((first, last));
            whole = Some((least.min(first), greatest.max(last)));
        }
    }
    whole
}

/// A node whose windows have no edge behind which no event lies. Different days and
/// their like stay: they are found by the window.
fn fitted(node: Node, statistics: &Statistics) -> Node {
    let fit = |query: Query| open(query, statistics);
    match node {
        Node::Aggregate { function, measure, items, query } => {
            Node::Aggregate { function, measure, items, query: fit(query) }
        }
        Node::EventTime { end, n, query } => Node::EventTime { end, n, query: fit(query) },
        Node::FirstOrLastN { end, n, query, filter } => Node::FirstOrLastN { end, n, query: fit(query), filter },
        Node::Chain(chain) => {
            let steps = chain.steps.into_iter().map(|(query, within)| (fit(query), within)).collect();
            Node::Chain(Chain { steps, ..chain })
        }
        other => other,
    }
}

/// Whether every event of a node's names lies outside of its window.
fn finds_nothing(node: &Node, statistics: &Statistics) -> bool {
    let Some(query) = node.query() else { return false };
    let Some((first, last)) = extent(statistics, query) else { return false };
    let at = |bound: Bound| bound.moment.at(statistics.now());
    let is_later =
        query.interval.from.is_some_and(|from| if from.is_closed { last < at(from) } else { last <= at(from) });
    let is_earlier = query.interval.to.is_some_and(|to| if to.is_closed { first > at(to) } else { first >= at(to) });
    is_later || is_earlier
}

fn open(mut query: Query, statistics: &Statistics) -> Query {
    let Some((first, last)) = extent(statistics, &query) else { return query };
    let at = |bound: Bound| bound.moment.at(statistics.now());
    let begins_before = |from: Bound| at(from) < first || from.is_closed && at(from) == first;
    let ends_after = |to: Bound| at(to) > last || to.is_closed && at(to) == last;
    if query.interval.to.is_some_and(ends_after) && !is_now(query.interval.to) {
        query.interval.to = None;
    }
    if query.interval.from.is_some_and(begins_before) {
        query.interval.from = None;
        // Nothing is later than now, so that a window of all the past is none.
        if is_now(query.interval.to) && query.known_at.is_none() {
            query.interval.to = None;
        }
    }
    query
}
