//! Making a plan anew, node by node.

use crate::build::Builder;
use crate::plan::{Chain, ChainStep, Node, NodeId, Plan, Query, Root};

/// The plan in which each node is what `change` makes of it. `change` is given
/// the node with its children already changed.
pub fn rewrite(plan: &Plan, mut change: impl FnMut(&mut Builder, Node) -> NodeId) -> Plan {
    let mut builder = Builder::default();
    let mut new: Vec<NodeId> = Vec::with_capacity(plan.nodes().len());
    for node in plan.nodes() {
        let node = renamed(node, &new);
        let id = change(&mut builder, node);
        new.push(id);
    }
    let roots = plan.roots().iter().map(|r| Root { name: r.name.clone(), node: at(&new, r.node) }).collect();
    builder.finish(roots)
}

/// Makes a node by the constructor that normalises its kind.
pub fn keep(builder: &mut Builder, node: Node) -> NodeId {
    match node {
        Node::All(members) => builder.all(members),
        Node::Any(members) => builder.any(members),
        Node::Cardinality { min, max, members } => builder.cardinality(min, max, members),
        Node::Not(inner) => builder.negate(inner),
        Node::Known(value) => builder.known(value),
        Node::Compare(op, left, right) => builder.compare(op, left, right),
        other => builder.add(other),
    }
}

/// A plan's nodes stand after their children, so each child is there; were one
/// not, the verifier would say so.
pub(super) fn at(new: &[NodeId], old: NodeId) -> NodeId {
    new.get(old.idx()).copied().unwrap_or(NodeId(u32::MAX))
}

/// A node with the new ids of its children.
pub(super) fn renamed(node: &Node, new: &[NodeId]) -> Node {
    let id = |old: &NodeId| at(new, *old);
    let query = |q: &Query| Query { filter: q.filter.as_ref().map(id), ..q.clone() };
    match node {
        Node::All(members) => Node::All(members.iter().map(id).collect()),
        Node::Any(members) => Node::Any(members.iter().map(id).collect()),
        Node::Cardinality { min, max, members } => {
            Node::Cardinality { min: *min, max: *max, members: members.iter().map(id).collect() }
        }
        Node::Not(a) => Node::Not(id(a)),
        Node::Known(a) => Node::Known(id(a)),
        Node::Compare(op, a, b) => Node::Compare(*op, id(a), id(b)),
        Node::OneOf(a, values) => Node::OneOf(id(a), values.clone()),
        Node::Text { op, value, text, ignore_case } => {
            Node::Text { op: *op, value: id(value), text: text.clone(), ignore_case: *ignore_case }
        }
        Node::Has(a, value) => Node::Has(id(a), value.clone()),
        Node::FirstOrLastN { end, n, query: q, filter } => {
            Node::FirstOrLastN { end: *end, n: *n, query: query(q), filter: id(filter) }
        }
        Node::Chain(chain) => {
            let steps = chain.steps.iter().map(|step| ChainStep {
                query: query(&step.query),
                none_between: step.none_between.as_ref().map(query),
                within: step.within,
            });
            let steps = steps.collect();
            Node::Chain(Chain { steps, ..chain.clone() })
        }
        Node::Elements { is_all, list, filter } => Node::Elements { is_all: *is_all, list: *list, filter: id(filter) },
        Node::History { attribute, filter, of } => Node::History { attribute: *attribute, filter: id(filter), of: *of },
        Node::Items { is_all, list, filter } => Node::Items { is_all: *is_all, list: list.clone(), filter: id(filter) },
        Node::InList(a, list) => Node::InList(id(a), list.clone()),
        Node::Shift { of, by, is_back } => Node::Shift { of: id(of), by: *by, is_back: *is_back },
        Node::DayOf(a, zone) => Node::DayOf(id(a), *zone),
        Node::Part(part, a, zone) => Node::Part(*part, id(a), *zone),
        Node::Anniversary(a, b) => Node::Anniversary(id(a), id(b)),
        Node::Elapsed(a) => Node::Elapsed(id(a)),
        Node::Distance { latitude, longitude, to } => {
            Node::Distance { latitude: id(latitude), longitude: id(longitude), to: *to }
        }
        Node::UsualGap(q) => Node::UsualGap(query(q)),
        Node::MostWithin { query: q, within } => Node::MostWithin { query: query(q), within: *within },
        Node::Arithmetic(op, a, b) => Node::Arithmetic(*op, id(a), id(b)),
        Node::Scale { money, numerator, denominator } => {
            Node::Scale { money: id(money), numerator: *numerator, denominator: *denominator }
        }
        Node::Convert(a, ty) => Node::Convert(id(a), ty.clone()),
        Node::FoldCase(a) => Node::FoldCase(id(a)),
        Node::ListLength(a) => Node::ListLength(id(a)),
        Node::Aggregate { function, measure, items, query: q } => {
            let measure = measure.as_ref().map(|(m, ty)| (id(m), ty.clone()));
            Node::Aggregate { function: *function, measure, items: items.clone(), query: query(q) }
        }
        Node::Periods { unit, zone, query: q } => Node::Periods { unit: *unit, zone: *zone, query: query(q) },
        Node::EventTime { end, n, query: q } => Node::EventTime { end: *end, n: *n, query: query(q) },
        Node::Const(_)
        | Node::Literal(_)
        | Node::Attribute(..)
        | Node::Property(..)
        | Node::Moment(_)
        | Node::Today { .. }
        | Node::Seen(..)
        | Node::Sample { .. }
        | Node::Profile(_)
        | Node::Element { .. }
        | Node::HeldValue { .. }
        | Node::Time
        | Node::Field { .. }
        | Node::Missing => node.clone(),
    }
}
