//! Puts cheap conditions before dear ones.
//!
//! Engines go through the members of a row in the order of the plan, and stop
//! where the rest cannot matter. Nodes are put in the order of their cost; one
//! costs more than all it is made of, so each still stands after those.

use super::rewrite::{at, keep, renamed};
use crate::build::Builder;
use crate::plan::{Node, NodeId, Plan, Query, Root};
use seg_hir::hir::{End, Interval};

pub(super) fn run(plan: &Plan) -> Plan {
    let costs = costs(plan);
    let mut order: Vec<(u64, usize)> = costs.iter().copied().zip(0..).collect();
    order.sort_unstable();
    let mut builder = Builder::default();
    let mut new = vec![NodeId(u32::MAX); plan.nodes().len()];
    for (_, idx) in order {
        let Some(node) = plan.nodes().get(idx) else { continue };
        let id = keep(&mut builder, renamed(node, &new));
        if let Some(slot) = new.get_mut(idx) {
            *slot = id;
        }
    }
    let roots = plan.roots().iter().map(|r| Root { name: r.name.clone(), node: at(&new, r.node) }).collect();
    builder.finish(roots)
}

/// What each node costs a person, with all it is made of, in units of about a
/// nanosecond.
pub(crate) fn costs(plan: &Plan) -> Vec<u64> {
    let mut costs: Vec<u64> = Vec::with_capacity(plan.nodes().len());
    for node in plan.nodes() {
        let of = |id: &NodeId| costs.get(id.idx()).copied().unwrap_or(0);
        let same: u64 = node.children().iter().map(of).fold(0, u64::saturating_add);
        let inner: u64 = node.inner().iter().map(of).fold(0, u64::saturating_add);
        let n_events = match node {
            Node::Items { .. } => 4,
            _ => node.queries().iter().map(|q| n_events(node, q)).fold(0, u64::saturating_add),
        };
        costs.push(own(node).saturating_add(same).saturating_add(n_events.saturating_mul(2 + inner)));
    }
    costs
}

/// How many events of a person are likely looked at. There are no statistics
/// yet: a person has some events of a name, and few of them lately.
fn n_events(node: &Node, query: &Query) -> u64 {
    let n_names = query.events.len() as u64;
    match node {
        Node::EventTime { end: End::Last, n, .. } | Node::Few { end: End::Last, n, .. } => {
            n_names.saturating_mul(u64::from(*n).min(8))
        }
        _ if query.interval == Interval::default() => n_names.saturating_mul(8),
        _ => n_names.saturating_mul(6),
    }
}

fn own(node: &Node) -> u64 {
    match node {
        Node::Const(_) | Node::Literal(_) | Node::Moment(_) | Node::Today { .. } | Node::Missing => 1,
        Node::Seen(..) | Node::Chain(_) | Node::UsualGap(_) | Node::MostWithin { .. } | Node::Sample { .. } => 50,
        Node::Aggregate { .. } | Node::Periods { .. } | Node::EventTime { .. } | Node::Few { .. } => 4,
        Node::Scale { .. } | Node::Has(..) | Node::ListLength(_) => 4,
        _ => 1,
    }
}
