//! Leaves out conditions that others imply, and decides rows of conditions that
//! contradict each other or leave nothing out.
//!
//! Conditions have two values, but a comparison is false where its value is
//! missing, so the laws of arithmetic do not negate it: `not (x < 5)` is not
//! `x >= 5`. What holds is that a comparison implies that its value is known.

use super::rewrite::{keep, rewrite};
use crate::build::Builder;
use crate::plan::{Literal, Node, NodeId, Plan};
use seg_data::{Date, Period, Timestamp, Value};
use seg_hir::hir::{CompareOp, End, Moment};
use std::collections::HashSet;

/// More members are left alone: every member is compared with every other.
const MEMBERS_MAX: usize = 64;
/// How deep implication looks into combinations of combinations.
const DEPTH_MAX: usize = 4;

pub(crate) fn run(plan: &Plan) -> Plan {
    rewrite(plan, |builder, node| match node {
        Node::All(members) => row(builder, &members, true),
        Node::Any(members) => row(builder, &members, false),
        other => keep(builder, other),
    })
}

/// Conditions of which all, or any, must hold.
fn row(builder: &mut Builder, members: &[NodeId], is_all: bool) -> NodeId {
    // Members that have changed may be several themselves, or decided.
    let row = if is_all { builder.all(members.to_vec()) } else { builder.any(members.to_vec()) };
    let mut members = match (builder.node(row), is_all) {
        (Some(Node::All(members)), true) | (Some(Node::Any(members)), false) => members.clone(),
        _ => return row,
    };
    if members.len() > MEMBERS_MAX {
        return row;
    }
    let pairs = |members: &[NodeId]| -> Vec<(NodeId, NodeId)> {
        members.iter().flat_map(|a| members.iter().filter(move |b| a < b).map(move |b| (*a, *b))).collect()
    };
    for (a, b) in pairs(&members) {
        let decides = match is_all {
            true => excludes(builder, a, b, DEPTH_MAX),
            false => covers(builder, a, b, DEPTH_MAX),
        };
        if decides {
            return builder.constant(!is_all);
        }
    }
    // Of two that imply each other one stays, since the other is gone by then.
    for at in (0..members.len()).rev() {
        if is_redundant(builder, &members, at, is_all) {
            members.remove(at);
        }
    }
    if is_all { builder.all(members) } else { builder.any(members) }
}

/// Whether a member changes nothing beside another.
fn is_redundant(builder: &Builder, members: &[NodeId], at: usize, is_all: bool) -> bool {
    let Some(member) = members.get(at).copied() else { return false };
    members.iter().filter(|other| **other != member).any(|other| match is_all {
        true => implies(builder, *other, member, DEPTH_MAX),
        false => implies(builder, member, *other, DEPTH_MAX),
    })
}

/// For each segment whether one of its conditions changes nothing beside
/// another, in a plan in which counts are looks at times already.
pub(super) fn redundant(plan: &Plan) -> Vec<bool> {
    let mut rows = HashSet::new();
    let plan = rewrite(plan, |builder, node| {
        let has_redundant = match &node {
            Node::All(members) | Node::Any(members) if members.len() <= MEMBERS_MAX => {
                let is_all = matches!(node, Node::All(_));
                (0..members.len()).any(|at| is_redundant(builder, members, at, is_all))
            }
            _ => false,
        };
        let id = keep(builder, node);
        if has_redundant {
            rows.insert(id);
        }
        id
    });
    let has_redundant = |root: &crate::plan::Root| {
        let children = plan.node(root.node).map(Node::children).unwrap_or_default();
        children.iter().chain([&root.node]).any(|id| rows.contains(id))
    };
    plan.roots().iter().map(has_redundant).collect()
}

/// Whether `a` and `b` never hold together.
fn excludes(builder: &Builder, a: NodeId, b: NodeId, depth: usize) -> bool {
    match (builder.node(a), builder.node(b)) {
        (Some(Node::Not(not_a)), _) if implies(builder, b, *not_a, depth) => true,
        (_, Some(Node::Not(not_b))) => implies(builder, a, *not_b, depth),
        (Some(Node::Compare(op, left, bound)), Some(Node::Compare(other_op, other_left, other_bound))) => {
            let bounds = position(builder, *bound).zip(position(builder, *other_bound));
            left == other_left && bounds.is_some_and(|(bound, other)| apart((*op, bound), (*other_op, other)))
        }
        _ => false,
    }
}

/// Whether `a` or `b` always holds.
fn covers(builder: &Builder, a: NodeId, b: NodeId, depth: usize) -> bool {
    match (builder.node(a), builder.node(b)) {
        (Some(Node::Not(not_a)), _) if implies(builder, *not_a, b, depth) => true,
        (_, Some(Node::Not(not_b))) => implies(builder, *not_b, a, depth),
        _ => false,
    }
}

/// Whether `b` holds wherever `a` does. `false` when that is not seen.
fn implies(builder: &Builder, a: NodeId, b: NodeId, depth: usize) -> bool {
    if a == b {
        return true;
    }
    let (Some(depth), Some(from), Some(to)) = (depth.checked_sub(1), builder.node(a), builder.node(b)) else {
        return false;
    };
    match (from, to) {
        (Node::Not(not_a), Node::Not(not_b)) => implies(builder, *not_b, *not_a, depth),
        (Node::Any(members), _) => members.iter().all(|m| implies(builder, *m, b, depth)),
        (_, Node::All(members)) => members.iter().all(|m| implies(builder, a, *m, depth)),
        (Node::All(members), _) if members.iter().any(|m| implies(builder, *m, b, depth)) => true,
        (_, Node::Any(members)) => members.iter().any(|m| implies(builder, a, *m, depth)),
        (from, Node::Known(value)) if looks_at(builder, from, *value) => true,
        (Node::Compare(op, left, right), Node::Known(value)) => match builder.node(*right) {
            Some(Node::Moment(_)) if is_lower(*op) => is_further_back(builder, *left, *value),
            _ => false,
        },
        (Node::Known(left), Node::Known(right)) => is_further_back(builder, *left, *right),
        (Node::Compare(op, left, bound), Node::Compare(other_op, other_left, other_bound)) => {
            let bounds = position(builder, *bound).zip(position(builder, *other_bound));
            let is_stronger = bounds.is_some_and(|(bound, other)| stronger((*op, bound), (*other_op, other)));
            // The k-th last is not before a bound when one further back is not.
            let is_later = is_lower(*op) && is_further_back(builder, *left, *other_left);
            is_stronger && (left == other_left || is_later)
        }
        _ => false,
    }
}

fn is_lower(op: CompareOp) -> bool {
    matches!(op, CompareOp::Greater | CompareOp::GreaterOrEqual)
}

/// Whether one is the time of an event that lies as far back as the other's, or
/// further: the third last is there only where the second last is, and earlier.
fn is_further_back(builder: &Builder, a: NodeId, b: NodeId) -> bool {
    match (builder.node(a), builder.node(b)) {
        (
            Some(Node::EventTime { end: End::Last, n, query }),
            Some(Node::EventTime { end: End::Last, n: other_n, query: other }),
        ) => n >= other_n && query == other,
        _ => false,
    }
}

/// Where a bound stands among those that can be compared with it, whatever now
/// is: a kind, and a position on its line.
fn position(builder: &Builder, bound: NodeId) -> Option<(u8, i128)> {
    match builder.node(bound)? {
        Node::Literal(Literal(Value::Integer(n))) => Some((0, *n)),
        Node::Literal(Literal(Value::Money(n))) => Some((1, *n)),
        Node::Literal(Literal(Value::Date(Date(n)))) => Some((2, i128::from(*n))),
        Node::Literal(Literal(Value::Timestamp(Timestamp(n)))) | Node::Moment(Moment::At(Timestamp(n))) => {
            Some((3, i128::from(*n)))
        }
        Node::Moment(Moment::Before(Period::Fixed(n), _)) => Some((4, -i128::from(*n))),
        Node::Moment(Moment::After(Period::Fixed(n), _)) => Some((4, i128::from(*n))),
        _ => None,
    }
}

/// Whether what compares so with one bound compares so with the other.
fn stronger((op, a): (CompareOp, (u8, i128)), (other_op, b): (CompareOp, (u8, i128))) -> bool {
    use CompareOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    let ((kind, a), (other_kind, b)) = (a, b);
    kind == other_kind
        && match (op, other_op) {
            (Greater, Greater) | (Greater | GreaterOrEqual, GreaterOrEqual) => a >= b,
            (GreaterOrEqual | Equal, Greater) => a > b,
            (Less, Less) | (Less | LessOrEqual, LessOrEqual) => a <= b,
            (LessOrEqual | Equal, Less) => a < b,
            (Equal, GreaterOrEqual) => a >= b,
            (Equal, LessOrEqual) => a <= b,
            (Equal, Equal) => a == b,
            _ => false,
        }
}

/// Whether nothing compares so with both bounds.
fn apart((op, a): (CompareOp, (u8, i128)), (other_op, b): (CompareOp, (u8, i128))) -> bool {
    use CompareOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    let ((kind, a), (other_kind, b)) = (a, b);
    kind == other_kind
        && match (op, other_op) {
            (Greater | GreaterOrEqual | Equal, Less) | (Greater, LessOrEqual | Equal) => a >= b,
            (GreaterOrEqual | Equal, LessOrEqual) | (GreaterOrEqual, Equal) => a > b,
            (Less, GreaterOrEqual | Greater | Equal) | (LessOrEqual | Equal, Greater) => a <= b,
            (LessOrEqual, GreaterOrEqual | Equal) | (Equal, GreaterOrEqual) => a < b,
            (Equal, Equal) => a != b,
            _ => false,
        }
}

/// Whether a condition can only hold where a value is there.
fn looks_at(builder: &Builder, condition: &Node, value: NodeId) -> bool {
    // A folded text is there exactly where the text is.
    let is_it = |id: &NodeId| *id == value || matches!(builder.node(*id), Some(Node::FoldCase(a)) if *a == value);
    match condition {
        Node::Compare(_, left, right) => is_it(left) || is_it(right),
        Node::OneOf(a, _) | Node::Has(a, _) | Node::Text { value: a, .. } => is_it(a),
        _ => false,
    }
}
