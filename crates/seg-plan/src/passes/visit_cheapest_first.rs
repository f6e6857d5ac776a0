//! Puts cheap conditions before dear ones.
//!
//! Engines go through members in the order of the plan, and stop
//! where the rest cannot matter. Nodes are put in the order of their cost; one
//! costs more than all it is made of, so each still stands after those.

use super::rewrite::{at, keep, renamed};
use crate::build::Builder;
use crate::cost::costs;
use crate::plan::{NodeId, Plan, Root};

pub(super) fn run(plan: &Plan) -> Plan {
    // Whole numbers, so that the order is the same everywhere.
    let costs = costs(plan, None).into_iter().map(|cost| cost.whole.min(u64::MAX as f64) as u64);
    let mut order: Vec<(u64, usize)> = costs.zip(0..).collect();
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
