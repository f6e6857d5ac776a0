//! Leaves out conditions that others imply, and decides rows of conditions that
//! contradict each other or leave nothing out.
//!
//! Conditions have two values, but a comparison is false where its value is
//! missing, so the laws of arithmetic do not negate it: `not (x < 5)` is not
//! `x >= 5`. What holds is that a comparison implies that its value is known.

use super::rewrite::{keep, rewrite};
use crate::build::Builder;
use crate::plan::{Node, NodeId, Plan};

/// Longer rows are left alone: every member is held against every other.
const MEMBERS_MAX: usize = 64;
/// How deep implication looks into combinations of combinations.
const DEPTH_MAX: usize = 4;

pub(super) fn run(plan: &Plan) -> Plan {
    rewrite(plan, |builder, node| match node {
        Node::All(members) => row(builder, &members, true),
        Node::Any(members) => row(builder, &members, false),
        other => keep(builder, other),
    })
}

/// A row of conditions of which all, or any, must hold.
fn row(builder: &mut Builder, members: &[NodeId], is_all: bool) -> NodeId {
    // Members that have changed may be a row themselves, or decided.
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
        let Some(member) = members.get(at).copied() else { continue };
        let is_spare = members.iter().filter(|other| **other != member).any(|other| match is_all {
            true => implies(builder, *other, member, DEPTH_MAX),
            false => implies(builder, member, *other, DEPTH_MAX),
        });
        if is_spare {
            members.remove(at);
        }
    }
    if is_all { builder.all(members) } else { builder.any(members) }
}

/// Whether `a` and `b` never hold together.
fn excludes(builder: &Builder, a: NodeId, b: NodeId, depth: usize) -> bool {
    match (builder.node(a), builder.node(b)) {
        (Some(Node::Not(not_a)), _) if implies(builder, b, *not_a, depth) => true,
        (_, Some(Node::Not(not_b))) => implies(builder, a, *not_b, depth),
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
        (from, Node::Known(value)) => looks_at(builder, from, *value),
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
