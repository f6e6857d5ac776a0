//! Leaves out the nodes that no segment is made of.

use super::rewrite::{at, keep, renamed};
use crate::build::Builder;
use crate::plan::{NodeId, Plan, Root};
use crate::reach::reached_from;

pub(crate) fn run(plan: &Plan) -> Plan {
    part(plan, plan.roots())
}

/// The part of a plan that some segments are made of.
pub(crate) fn part(plan: &Plan, roots: &[Root]) -> Plan {
    let from = roots.iter().map(|root| root.node).collect();
    let mut builder = Builder::default();
    // The position of a node that is left out is never asked for.
    let mut new = vec![NodeId(u32::MAX); plan.nodes().len()];
    for id in reached_from(plan, from, |node| [node.children(), node.inner()].concat()) {
        if let (Some(node), Some(slot)) = (plan.node(id).map(|node| renamed(node, &new)), new.get_mut(id.idx())) {
            *slot = keep(&mut builder, node);
        }
    }
    let roots = roots.iter().map(|r| Root { name: r.name.clone(), node: at(&new, r.node) }).collect();
    builder.finish(roots)
}
