//! Smart constructors: nodes are normalised as they are made, and equal ones
//! are made once.
//!
//! Conditions have two values, so the laws of Boolean algebra hold for them.
//! They do not reach into comparisons: `not (x < 5)` is true where `x` is
//! missing, and is never turned into `x >= 5`.

use crate::plan::{Literal, Node, NodeId, Plan, Root};
use hashbrown::{DefaultHashBuilder, HashTable};
use seg_hir::hir::CompareOp;
use std::hash::BuildHasher;

/// A plan in the making.
#[derive(Debug, Default)]
pub struct Builder {
    plan: Plan,
    /// The nodes by what they are.
    ids: HashTable<NodeId>,
    hasher: DefaultHashBuilder,
}

impl Builder {
    /// A plan to look at, and its roots: nodes that are added are not shared with its
    /// own.
    pub(crate) fn of(mut plan: Plan) -> (Builder, Vec<Root>) {
        let roots = std::mem::take(&mut plan.roots);
        (Builder { plan, ..Builder::default() }, roots)
    }

    /// The node, made if it is new.
    pub fn add(&mut self, node: Node) -> NodeId {
        let Builder { plan: Plan { nodes, .. }, ids, hasher } = self;
        let hash = hasher.hash_one(Some(&node));
        if let Some(id) = ids.find(hash, |id| nodes.get(id.idx()) == Some(&node)) {
            return *id;
        }
        let id = NodeId(nodes.len() as u32);
        nodes.push(node);
        ids.insert_unique(hash, id, |id| hasher.hash_one(nodes.get(id.idx())));
        id
    }

    /// A node that was made.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.plan.nodes.get(id.idx())
    }

    /// True or false for everyone.
    pub fn constant(&mut self, value: bool) -> NodeId {
        self.add(Node::Const(value))
    }

    /// All of them: flattened, without `true`, each once, in the order of
    /// their making; `false` when one is `false` or the opposite of another.
    pub fn all(&mut self, members: Vec<NodeId>) -> NodeId {
        self.combine(members, true)
    }

    /// Any of them; the mirror image of [`Builder::all`].
    pub fn any(&mut self, members: Vec<NodeId>) -> NodeId {
        self.combine(members, false)
    }

    fn combine(&mut self, members: Vec<NodeId>, is_all: bool) -> NodeId {
        let mut flat: Vec<NodeId> = Vec::with_capacity(members.len());
        for member in members {
            match self.node(member) {
                Some(Node::Const(value)) if *value == is_all => {}
                Some(Node::Const(_)) => return self.constant(!is_all),
                Some(Node::All(inner)) if is_all => flat.extend(inner),
                Some(Node::Any(inner)) if !is_all => flat.extend(inner),
                _ => flat.push(member),
            }
        }
        flat.sort_unstable();
        flat.dedup();
        let contradicts =
            flat.iter().any(|m| matches!(self.node(*m), Some(Node::Not(x)) if flat.binary_search(x).is_ok()));
        if contradicts {
            return self.constant(!is_all);
        }
        match flat.as_slice() {
            [] => self.constant(is_all),
            [one] => *one,
            _ => self.add(if is_all { Node::All(flat) } else { Node::Any(flat) }),
        }
    }

    /// So many of them: those that are decided are counted here, and what is
    /// all, any or none of them is said so.
    pub fn cardinality(&mut self, min: u64, max: Option<u64>, members: Vec<NodeId>) -> NodeId {
        let n_true = members.iter().filter(|m| matches!(self.node(**m), Some(Node::Const(true)))).count() as u64;
        let mut open = members;
        open.retain(|m| !matches!(self.node(*m), Some(Node::Const(_))));
        open.sort_unstable();
        let n_open = open.len() as u64;
        let min = min.saturating_sub(n_true);
        let max = match max.map(|max| max.checked_sub(n_true)) {
            Some(None) => return self.constant(false),
            Some(Some(max)) => Some(max).filter(|max| *max < n_open),
            None => None,
        };
        match (min, max) {
            (min, _) if min > n_open => self.constant(false),
            (0, None) => self.constant(true),
            (1, None) => self.any(open),
            (min, None) if min == n_open => self.all(open),
            (0, Some(0)) => {
                let any = self.any(open);
                self.negate(any)
            }
            _ => self.add(Node::Cardinality { min, max, members: open }),
        }
    }

    /// The opposite; two cancel.
    pub fn negate(&mut self, id: NodeId) -> NodeId {
        match self.node(id) {
            Some(Node::Not(inner)) => *inner,
            Some(Node::Const(value)) => {
                let value = !*value;
                self.constant(value)
            }
            _ => self.add(Node::Not(id)),
        }
    }

    /// A comparison; between two literals it is decided here, and with what is never
    /// there.
    pub fn compare(&mut self, op: CompareOp, left: NodeId, right: NodeId) -> NodeId {
        if [left, right].iter().any(|side| matches!(self.node(*side), Some(Node::Missing))) {
            return self.constant(false);
        }
        let literal = |id| match self.node(id) {
            Some(Node::Literal(Literal(value))) => Some(value),
            _ => None,
        };
        if let (Some(l), Some(r)) = (literal(left), literal(right)) {
            let holds = seg_hir::compare(l, r).is_some_and(|o| op.holds(o));
            return self.constant(holds);
        }
        self.add(Node::Compare(op, left, right))
    }

    /// Whether a value is there; a literal always is.
    pub fn known(&mut self, value: NodeId) -> NodeId {
        match self.node(value) {
            Some(Node::Literal(_) | Node::Moment(_) | Node::Today { .. }) => self.constant(true),
            Some(Node::Missing) => self.constant(false),
            _ => self.add(Node::Known(value)),
        }
    }

    /// The plan with the segments' conditions.
    pub fn finish(mut self, roots: Vec<Root>) -> Plan {
        self.plan.roots = roots;
        self.plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seg_data::AttributeId;

    #[test]
    fn equal_nodes_are_one_and_boolean_laws_hold() {
        let mut b = Builder::default();
        let value = |b: &mut Builder, n| b.add(Node::Attribute(AttributeId(n), seg_data::Type::Text));
        let (v0, v1) = (value(&mut b, 0), value(&mut b, 1));
        assert_eq!(value(&mut b, 0), v0);
        let (x, y) = (b.known(v0), b.known(v1));
        let (yes, no) = (b.constant(true), b.constant(false));
        assert_eq!(b.all(vec![y, x, yes, x]), b.all(vec![x, y]));
        let nested = b.all(vec![x, y]);
        assert_eq!(b.all(vec![nested, x]), nested);
        let not_x = b.negate(x);
        assert_eq!(b.negate(not_x), x);
        assert_eq!(b.all(vec![x, not_x, y]), no);
        assert_eq!(b.any(vec![x, not_x, y]), yes);
        assert_eq!((b.all(vec![]), b.any(vec![])), (yes, no));
        assert_eq!(b.cardinality(2, None, vec![x, yes, y]), b.any(vec![x, y]));
        assert_eq!(b.cardinality(2, None, vec![x, no, y]), b.all(vec![x, y]));
        assert_eq!((b.cardinality(2, None, vec![x, no]), b.cardinality(0, Some(2), vec![x, y])), (no, yes));
        let both = b.any(vec![x, y]);
        assert_eq!(b.cardinality(1, Some(1), vec![yes, x, y]), b.negate(both));
        // Said twice, it counts twice.
        assert_ne!(b.cardinality(2, None, vec![x, x, y]), b.all(vec![x, y]));
    }
}
