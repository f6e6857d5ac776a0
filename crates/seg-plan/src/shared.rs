//! Shared aggregates: values of people that several conditions compare.

use crate::compared::{Compared, Comparison};
use crate::plan::{Node, NodeId, Plan};
use crate::reach::reached_by;
use hashbrown::HashMap;
use seg_data::Type;
use seg_hir::hir::Aggregate;

/// A value that engines find once, for all conditions that compare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedAggregate<'p> {
    /// The value.
    pub compared: Compared<'p>,
    /// The node of it that the first of the conditions has.
    pub node: NodeId,
    /// The conditions about people, two at least, each after the value.
    pub users: Vec<NodeId>,
}

/// The shared aggregates of a plan: whole numbers, amounts and instants that are
/// found over events, and that at least two conditions of its segments compare.
/// `conditions` are [`conditions`].
pub fn shared_aggregates<'p>(plan: &'p Plan, conditions: &[NodeId]) -> Vec<SharedAggregate<'p>> {
    let (mut shared, mut positions): (Vec<SharedAggregate<'_>>, HashMap<Compared<'_>, usize>) = Default::default();
    for id in conditions.iter().copied() {
        let comparison = plan.node(id).and_then(|node| Comparison::of(node, |id| plan.node(id)));
        let Some(Comparison { compared, node, .. }) = comparison else { continue };
        if !plan.node(node).is_some_and(is_gathered) {
            continue;
        }
        let position = *positions.entry(compared).or_insert(shared.len());
        match shared.get_mut(position) {
            Some(shared) => shared.users.push(id),
            None => shared.push(SharedAggregate { compared, node, users: vec![id] }),
        }
    }
    shared.retain(|shared| shared.users.len() > 1);
    shared.sort_by_key(|shared| shared.node);
    shared
}

/// The conditions about people that the segments are combined of, ascending.
pub fn conditions(plan: &Plan) -> Vec<NodeId> {
    reached_by(plan, |node| match node {
        Node::All(_) | Node::Any(_) | Node::Cardinality { .. } | Node::Not(_) => node.children(),
        _ => Vec::new(),
    })
}

/// Whether a value is gathered over events, and is no number of floating point.
fn is_gathered(node: &Node) -> bool {
    match node {
        Node::EventTime { .. } | Node::Periods { .. } => true,
        Node::Aggregate { function, measure, items: None, .. } => match (function, measure) {
            (Aggregate::Count | Aggregate::CountDifferent, _) => true,
            (Aggregate::MostFrequent, _) => false,
            (Aggregate::Average, Some((_, ty))) => *ty == Type::Money,
            (Aggregate::Total | Aggregate::Smallest | Aggregate::Largest, Some((_, ty))) => {
                matches!(ty, Type::Integer | Type::Money)
            }
            (Aggregate::Average | Aggregate::Total | Aggregate::Smallest | Aggregate::Largest, None) => false,
        },
        _ => false,
    }
}
