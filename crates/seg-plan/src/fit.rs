//! Windows that reach past the data, once a batch is known.
//!
//! Where every event of a name lies after the start of a window, asking whether
//! one does is idle: `in the past 365 days` over half a year of data is `ever`, so
//! that conditions of both share what is gathered. Where every event lies outside
//! of a window, the answer is known for everybody. Readers leave events out that
//! are older than the longest window, so that the longest is always such a one.

use crate::cost::Statistics;
use crate::passes::{drop_unreached, is_now, keep, over_nothing, rewrite, simplify_conditions};
use crate::plan::{Literal, Node, NodeId, Plan, Query};
use seg_data::{Timestamp, Value};
use seg_hir::hir::{Bound, CompareOp, Interval};
use std::borrow::Cow;

/// What the extent of a batch's events decides of a plan. It is the same for many
/// batches, so that whoever evaluates one after another need not fit the plan anew:
/// finding it out takes a small part of that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fit(Vec<(NodeId, Change)>);

/// What becomes of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It holds for nobody.
    Never,
    /// It holds for whoever has the value that it compares.
    WhereKnown,
    /// Its query finds nothing.
    Nothing,
    /// The window of one of its queries, by its number, need not begin or end: no
    /// event lies behind that edge.
    Open { query: usize, from: bool, to: bool },
}

/// The plan without what the extent of a batch's events decides. Only over that
/// batch, evaluated as of the same instant, does it give the same answers.
pub fn fit_to_data<'p>(plan: &'p Plan, statistics: &Statistics) -> Cow<'p, Plan> {
    let fit = Fit::of(plan, statistics);
    if fit.is_idle() { Cow::Borrowed(plan) } else { Cow::Owned(fit.apply(plan)) }
}

impl Fit {
    /// What is decided of a plan over a batch.
    pub fn of(plan: &Plan, statistics: &Statistics) -> Fit {
        let mut changes = Vec::new();
        for (idx, node) in plan.nodes().iter().enumerate() {
            let id = NodeId(idx as u32);
            let mut add = |change| changes.push((id, change));
            let mut open = |number, query| {
                if let Some((from, to)) = opens(query, statistics) {
                    add(Change::Open { query: number, from, to });
                }
            };
            match node {
                Node::Compare(op, time, bound) => {
                    if let Some(change) = verdict(statistics, *op, plan.node(*time), plan.node(*bound)) {
                        add(change);
                    }
                }
                Node::Chain(chain) => chain.steps.iter().enumerate().for_each(|(at, step)| open(at, &step.query)),
                other => match other.query() {
                    Some(query) if finds_nothing(query, statistics) => add(Change::Nothing),
                    // Different days and their like are found by the window.
                    Some(_) if matches!(other, Node::Periods { .. } | Node::UsualGap(_) | Node::MostWithin { .. }) => {}
                    Some(query) => open(0, query),
                    None => {}
                },
            }
        }
        Fit(changes)
    }

    /// Whether nothing is decided, so that the plan stays as it is.
    pub fn is_idle(&self) -> bool {
        self.0.is_empty()
    }

    /// The plan without what is decided. It must be the plan that this is of.
    pub fn apply(&self, plan: &Plan) -> Plan {
        let (mut changes, mut at) = (self.0.iter().peekable(), 0);
        let fitted = rewrite(plan, |builder, mut node| {
            let id = NodeId(at);
            at += 1;
            while let Some((_, change)) = changes.next_if(|(of, _)| *of == id) {
                let made = match (*change, &mut node) {
                    (Change::Never, _) => Some(builder.constant(false)),
                    (Change::WhereKnown, Node::Compare(_, value, _)) => Some(builder.known(*value)),
                    (Change::Nothing, node) => over_nothing(builder, node),
                    (Change::Open { query, from, to }, node) => {
                        if let Some(query) = query_mut(node, query) {
                            query.interval.from = query.interval.from.filter(|_| !from);
                            query.interval.to = query.interval.to.filter(|_| !to);
                        }
                        None
                    }
                    (Change::WhereKnown, _) => None,
                };
                if let Some(made) = made {
                    return made;
                }
            }
            keep(builder, node)
        });
        // Beside others a condition may be idle now, and what was asked of windows may
        // be read by nothing.
        drop_unreached(&simplify_conditions(&fitted))
    }
}

/// A query of a node, by its number among [`Node::queries`].
fn query_mut(node: &mut Node, number: usize) -> Option<&mut Query> {
    match node {
        Node::Chain(chain) => chain.steps.get_mut(number).map(|step| &mut step.query),
        Node::Aggregate { query, .. } | Node::EventTime { query, .. } | Node::FirstOrLastN { query, .. } => Some(query),
        _ => None,
    }
}

/// What is known of a comparison of the time of an event with an instant.
fn verdict(statistics: &Statistics, op: CompareOp, time: Option<&Node>, bound: Option<&Node>) -> Option<Change> {
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
        (true, _) => Some(Change::WhereKnown),
        (_, true) => Some(Change::Never),
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

/// Whether every event of a query's names lies outside of its window.
fn finds_nothing(query: &Query, statistics: &Statistics) -> bool {
    let Some((first, last)) = extent(statistics, query) else { return false };
    let at = |bound: Bound| bound.moment.at(statistics.now());
    let is_later =
        query.interval.from.is_some_and(|from| if from.is_closed { last < at(from) } else { last <= at(from) });
    let is_earlier = query.interval.to.is_some_and(|to| if to.is_closed { first > at(to) } else { first >= at(to) });
    is_later || is_earlier
}

/// Which edges of a query's window have no event behind them, if any: where it begins
/// and where it ends.
fn opens(query: &Query, statistics: &Statistics) -> Option<(bool, bool)> {
    if query.interval == Interval::default() {
        return None;
    }
    let (first, last) = extent(statistics, query)?;
    let at = |bound: Bound| bound.moment.at(statistics.now());
    let begins_before = |from: Bound| at(from) < first || from.is_closed && at(from) == first;
    let ends_after = |to: Bound| at(to) > last || to.is_closed && at(to) == last;
    let from = query.interval.from.is_some_and(begins_before);
    let to = match query.interval.to {
        // Nothing is later than now, so that a window of all the past is none.
        to if is_now(to) => from && query.known_at.is_none(),
        to => to.is_some_and(ends_after),
    };
    (from || to).then_some((from, to))
}
