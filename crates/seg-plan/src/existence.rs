//! Which nodes only ask whether there is an event at all.

use crate::plan::{Literal, Node, NodeId, Plan, Query};
use crate::reach::reached;
use seg_data::Value;
use seg_hir::hir::{Aggregate, CompareOp};
use std::collections::HashSet;

/// The counts of all of somebody's events of some names, with no condition, of which
/// nothing is asked but whether they are zero; and the times of the first or last of them,
/// of which nothing is asked but whether there is one.
pub(crate) fn existence_nodes(plan: &Plan) -> HashSet<NodeId> {
    let nodes = reached(plan);
    let mut found: HashSet<NodeId> =
        nodes.iter().copied().filter(|id| is_count(plan, *id) || is_first_or_last(plan, *id)).collect();
    for node in nodes.iter().filter_map(|id| plan.node(*id)) {
        for child in [node.children(), node.inner()].concat() {
            let asks_whether = match node {
                Node::Known(_) => is_first_or_last(plan, child),
                node => is_count(plan, child) && asks_for_zero(plan, node),
            };
            if !asks_whether {
                found.remove(&child);
            }
        }
    }
    found.retain(|id| !plan.roots().iter().any(|root| root.node == *id));
    found
}

fn is_count(plan: &Plan, id: NodeId) -> bool {
    let count = |node: &Node| matches!(node, Node::Aggregate { function: Aggregate::Count, measure: None, items: None, query } if is_plain(query));
    plan.node(id).is_some_and(count)
}

fn is_first_or_last(plan: &Plan, id: NodeId) -> bool {
    matches!(plan.node(id), Some(Node::EventTime { n: 1, query, .. }) if is_plain(query))
}

/// Whether a query is of all events of its names.
fn is_plain(query: &Query) -> bool {
    let has_interval = query.interval.from.is_some() || query.interval.to.is_some();
    !has_interval && query.filter.is_none() && query.known_at.is_none()
}

/// Whether a comparison says the same of all numbers above zero.
fn asks_for_zero(plan: &Plan, node: &Node) -> bool {
    let Node::Compare(op, left, right) = node else { return false };
    let number = |id: &NodeId| {
        let Node::Literal(Literal(Value::Integer(number))) = plan.node(*id)? else { return None };
        Some(*number)
    };
    match (number(left), number(right)) {
        (None, Some(right)) => match op {
            CompareOp::Equal | CompareOp::LessOrEqual | CompareOp::Greater => right == 0,
            CompareOp::Less | CompareOp::GreaterOrEqual => right == 1,
        },
        // With the count on the right it is the other way round.
        (Some(left), None) => match op {
            CompareOp::Equal | CompareOp::GreaterOrEqual | CompareOp::Less => left == 0,
            CompareOp::Greater | CompareOp::LessOrEqual => left == 1,
        },
        (Some(_), Some(_)) | (None, None) => false,
    }
}
