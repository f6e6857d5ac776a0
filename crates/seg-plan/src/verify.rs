//! What every plan must be, checked after lowering and after every change.

use crate::level::{Level, levels};
use crate::plan::{Node, NodeId, Plan};
use hashbrown::HashSet;
use seg_hir::hir::Aggregate;
use std::fmt;

/// What is wrong with a plan: a fault of Seg, never of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The node; none for a fault of a root.
    pub node: Option<NodeId>,
    /// What it breaks.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node {
            Some(node) => write!(f, "n{}: {}", node.0, self.message),
            None => write!(f, "{}", self.message),
        }
    }
}

/// Checks a plan: nodes stand after what they are made of, none is there twice,
/// conditions and values stand where they belong, rows of conditions are
/// normalised, and only filters and measures name properties.
///
/// # Errors
/// Every fault found.
pub fn verify(plan: &Plan) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    let mut seen = HashSet::new();
    let levels = levels(plan);
    let level = |id: NodeId| levels.get(id.idx()).copied().unwrap_or(Level::Person);
    for (idx, node) in plan.nodes().iter().enumerate() {
        let id = NodeId(idx as u32);
        let mut fault = |message: &str| faults.push(Fault { node: Some(id), message: message.to_owned() });
        if !seen.insert(node) {
            fault("an equal node is there already");
        }
        if node.children().iter().chain(&node.inner()).any(|c| c.idx() >= idx) {
            fault("refers to a node that is not before it");
        }
        shape(plan, node, &mut fault);
        // Within events stands what is about events or people, and only what is
        // asked of records may be about those.
        let may_be = match node {
            Node::Items { .. }
            | Node::Elements { .. }
            | Node::History { .. }
            | Node::Aggregate { items: Some(_), .. } => Level::Item,
            _ => Level::Event,
        };
        let measure = match node {
            Node::Aggregate { measure: Some((measure, _)), .. } => Some(*measure),
            Node::Items { filter, .. } | Node::Elements { filter, .. } | Node::History { filter, .. } => Some(*filter),
            _ => None,
        };
        let is_outside = |id: &NodeId| level(*id) > if Some(*id) == measure { may_be } else { Level::Event };
        if node.inner().iter().any(is_outside) {
            fault("asks an event of records");
        }
    }
    for root in plan.roots() {
        let message = match plan.node(root.node) {
            None => "is no node",
            Some(node) if !node.is_condition() => "is a value",
            Some(_) if level(root.node) != Level::Person => "is about one event",
            Some(_) => continue,
        };
        faults.push(Fault { node: None, message: format!("segment {:?} {message}", root.name) });
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Whether conditions and values stand where they belong.
fn shape(plan: &Plan, node: &Node, fault: &mut impl FnMut(&str)) {
    let is_condition = |id: &NodeId| plan.node(*id).is_some_and(Node::is_condition);
    match node {
        Node::All(members) | Node::Any(members) => {
            if members.len() < 2 || !members.windows(2).all(|w| matches!(w, [a, b] if a < b)) {
                fault("members are not two or more, ascending");
            }
            let same = |m: &NodeId| match plan.node(*m) {
                Some(Node::All(_)) => matches!(node, Node::All(_)),
                Some(Node::Any(_)) => matches!(node, Node::Any(_)),
                Some(Node::Const(_)) => true,
                _ => false,
            };
            if members.iter().any(same) {
                fault("holds what its constructor takes apart");
            }
            if !members.iter().all(is_condition) {
                fault("joins what is no condition");
            }
        }
        Node::Cardinality { members, .. } => {
            if !members.is_sorted() || members.len() < 2 {
                fault("members are not two or more, ascending");
            }
            if !members.iter().all(is_condition) {
                fault("counts what is no condition");
            }
        }
        Node::Not(a) if !is_condition(a) => fault("negates a value"),
        Node::Not(_) => {}
        other => {
            if other.children().iter().any(is_condition) {
                fault("takes a condition for a value");
            }
        }
    }
    if node.queries().iter().filter_map(|q| q.filter).any(|f| !is_condition(&f)) {
        fault("filters by a value");
    }
    let asked = match node {
        Node::FirstOrLastN { filter, .. }
        | Node::Items { filter, .. }
        | Node::Elements { filter, .. }
        | Node::History { filter, .. } => Some(filter),
        _ => None,
    };
    if asked.is_some_and(|filter| !is_condition(filter)) {
        fault("asks a value of its events");
    }
    if let Node::Aggregate { function, measure, .. } = node
        && (*function == Aggregate::Count) == measure.is_some()
    {
        fault("measures what it counts, or nothing of what it aggregates");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Root;
    use seg_data::{AttributeId, EventId, PropertyId, Type};

    fn faults(nodes: Vec<Node>, root: u32) -> Vec<String> {
        let roots = vec![Root { name: "x".into(), node: NodeId(root) }];
        let faults = verify(&Plan { nodes, roots }).err().unwrap_or_default();
        faults.iter().map(Fault::to_string).collect()
    }

    #[test]
    fn each_fault_is_found() {
        let attribute = || Node::Attribute(AttributeId(0), Type::Text);
        let property = Node::Property(vec![(EventId(0), PropertyId(0))], Type::Text);
        let known = |n| Node::Known(NodeId(n));
        assert_eq!(faults(vec![attribute(), known(0)], 1), Vec::<String>::new());
        assert_eq!(faults(vec![attribute()], 0), ["segment \"x\" is a value"]);
        assert_eq!(faults(vec![attribute(), known(0)], 7), ["segment \"x\" is no node"]);
        assert_eq!(faults(vec![property, known(0)], 1), ["segment \"x\" is about one event"]);
        assert_eq!(faults(vec![attribute(), attribute(), known(0)], 2), ["n1: an equal node is there already"]);
        assert_eq!(faults(vec![known(1), attribute()], 0), ["n0: refers to a node that is not before it"]);
        let not_value = vec![attribute(), Node::Not(NodeId(0))];
        assert_eq!(faults(not_value, 1), ["n1: negates a value"]);
        let single = vec![attribute(), known(0), Node::All(vec![NodeId(1)])];
        assert_eq!(faults(single, 2), ["n2: members are not two or more, ascending"]);
    }
}
