//! Leaves out the nodes that no segment is made of.

use super::rewrite::{at, keep, renamed};
use crate::build::Builder;
use crate::needs::reached;
use crate::plan::{NodeId, Plan, Root};

pub(crate) fn run(plan: &Plan) -> Plan {
    let mut builder = Builder::default();
    let mut new: Vec<NodeId> = Vec::with_capacity(plan.nodes().len());
    for (node, is_reached) in plan.nodes().iter().zip(reached(plan)) {
        // The position of a node that is left out is never asked for.
        let id = if is_reached { keep(&mut builder, renamed(node, &new)) } else { NodeId(u32::MAX) };
        new.push(id);
    }
    let roots = plan.roots().iter().map(|r| Root { name: r.name.clone(), node: at(&new, r.node) }).collect();
    builder.finish(roots)
}
