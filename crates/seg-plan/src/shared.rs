//! Shared aggregates: values of people that several conditions compare.

use crate::plan::{Node, NodeId, Plan};
use crate::reach::reached_by;
use seg_data::Type;
use seg_hir::hir::Aggregate;
use std::collections::BTreeMap;

/// A value that engines find once, for all conditions that compare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedAggregate {
    /// The value.
    pub value: NodeId,
    /// The conditions about people, two at least, each after the value.
    pub users: Vec<NodeId>,
}

/// The shared aggregates of a plan: whole numbers, amounts and instants that are
/// found over events, and that at least two conditions of its segments compare.
pub fn shared_aggregates(plan: &Plan) -> Vec<SharedAggregate> {
    let mut users: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for id in conditions(plan) {
        let value = match plan.node(id) {
            Some(Node::Compare(_, value, _) | Node::Known(value)) => *value,
            _ => continue,
        };
        if plan.node(value).is_some_and(is_gathered) {
            users.entry(value).or_default().push(id);
        }
    }
    let shared = users.into_iter().filter(|(_, users)| users.len() > 1);
    shared.map(|(value, users)| SharedAggregate { value, users }).collect()
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
