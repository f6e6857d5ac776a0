//! Which nodes of a plan its segments are made of.

use crate::plan::{Node, NodeId, Plan};

/// The nodes that are reached from the segments, ascending, where `next` says to
/// which a node leads.
pub(crate) fn reached_by(plan: &Plan, next: impl Fn(&Node) -> Vec<NodeId>) -> Vec<NodeId> {
    reached_from(plan, plan.roots().iter().map(|root| root.node).collect(), next)
}

/// Those that are reached from some nodes, they themselves included, ascending.
pub(crate) fn reached_from(plan: &Plan, mut open: Vec<NodeId>, next: impl Fn(&Node) -> Vec<NodeId>) -> Vec<NodeId> {
    let mut is_reached = vec![false; plan.nodes().len()];
    while let Some(id) = open.pop() {
        let (Some(slot), Some(node)) = (is_reached.get_mut(id.idx()), plan.node(id)) else { continue };
        if !std::mem::replace(slot, true) {
            open.extend(next(node));
        }
    }
    let ids = is_reached.into_iter().enumerate().filter(|(_, is_reached)| *is_reached);
    ids.map(|(idx, _)| NodeId(idx as u32)).collect()
}

/// All of them, also those about the events of queries.
pub(crate) fn reached(plan: &Plan) -> Vec<NodeId> {
    reached_by(plan, |node| [node.children(), node.inner()].concat())
}
