//! Decides what the sentence alone decides: arithmetic on literals, tests of
//! literals, comparisons with what is never there, counts against numbers that
//! every count reaches, and queries whose filter no event can pass.

use super::rewrite::{keep, rewrite};
use crate::build::Builder;
use crate::plan::{Literal, Node, NodeId, Plan, Query};
use seg_data::{Money, Type, Value};
use seg_hir::hir::{Aggregate, CompareOp, TextOp};
use seg_hir::text::{compile_pattern, fold_value};
use std::cmp::Ordering;

pub(super) fn run(plan: &Plan) -> Plan {
    rewrite(plan, |builder, node| {
        let node = without_trivial_filter(builder, node);
        match fold(builder, &node) {
            Some(folded) => folded.made(builder),
            None => keep(builder, node),
        }
    })
}

/// What a node comes to.
enum Folded {
    Condition(bool),
    /// True where this value is there.
    Known(NodeId),
    Value(Option<Value>),
}

impl Folded {
    fn made(self, builder: &mut Builder) -> NodeId {
        match self {
            Folded::Condition(value) => builder.constant(value),
            Folded::Known(value) => builder.known(value),
            Folded::Value(Some(value)) => builder.add(Node::Literal(Literal(value))),
            Folded::Value(None) => builder.add(Node::Missing),
        }
    }
}

/// What a node is when its query finds nothing; `None` where it has none.
pub(crate) fn over_nothing(builder: &mut Builder, node: &Node) -> Option<NodeId> {
    Some(folded_over_nothing(node)?.made(builder))
}

fn fold(builder: &Builder, node: &Node) -> Option<Folded> {
    if node.query().is_some_and(|q| finds_nothing(builder, q)) {
        return folded_over_nothing(node);
    }
    let value = |id: &NodeId| match builder.node(*id)? {
        Node::Literal(Literal(value)) => Some(Some(value)),
        Node::Missing => Some(None),
        _ => None,
    };
    match node {
        Node::Compare(op, left, right) => compare(builder, *op, *left, *right),
        Node::Known(a) if is_always_there(builder, *a) => Some(Folded::Condition(true)),
        Node::OneOf(_, others) if others.is_empty() => Some(Folded::Condition(false)),
        Node::OneOf(a, others) => {
            let equals = |v: &Value| others.iter().any(|o| seg_hir::compare(v, &o.0) == Some(Ordering::Equal));
            Some(Folded::Condition(value(a)?.is_some_and(equals)))
        }
        Node::Text { op, value: a, text, ignore_case } => {
            let holds = |v: &Value| matches!(v, Value::Text(v) if text_holds(*op, v, text, *ignore_case));
            Some(Folded::Condition(value(a)?.is_some_and(holds)))
        }
        Node::Has(a, _) if value(a)?.is_none() => Some(Folded::Condition(false)),
        Node::FirstOrLastN { filter, .. } => match builder.node(*filter)? {
            // At least one event is asked, and none is as asked.
            Node::Const(false) => Some(Folded::Condition(false)),
            _ => None,
        },
        Node::Arithmetic(op, left, right) => {
            let is_missing = |id: &NodeId| matches!(builder.node(*id), Some(Node::Missing));
            if is_missing(left) || is_missing(right) {
                return Some(Folded::Value(None));
            }
            let (left, right) = (value(left)??, value(right)??);
            Some(Folded::Value(seg_hir::arithmetic(*op, left, right)))
        }
        Node::Scale { denominator: 0, .. } => Some(Folded::Value(None)),
        Node::Scale { money, numerator, denominator } => {
            let value = value(money)?;
            Some(Folded::Value(value.and_then(|v| seg_hir::scale(v, *numerator, *denominator))))
        }
        Node::InList(a, list) => {
            let is_in = |v: &Value| matches!(v, Value::Text(text) if list.0.values.contains(text));
            Some(Folded::Condition(value(a)?.is_some_and(is_in)))
        }
        Node::Shift { of, by, is_back } => {
            let value = value(of)?.cloned();
            Some(Folded::Value(value.and_then(|v| seg_hir::shift(v, *by, *is_back))))
        }
        Node::Chain(chain) if chain.steps.iter().any(|step| finds_nothing(builder, &step.query)) => {
            Some(Folded::Condition(false))
        }
        Node::Convert(a, ty) => Some(Folded::Value(match (value(a)?, ty) {
            (Some(Value::Integer(n)), Type::Money) => Money::from_integer(*n).map(Value::from),
            (Some(Value::Integer(n)), _) => Value::number(*n as f64),
            (other, _) => other.cloned(),
        })),
        Node::FoldCase(a) => Some(Folded::Value(value(a)?.cloned().map(fold_value))),
        Node::ListLength(a) => Some(Folded::Value(match value(a)? {
            Some(Value::List(items)) => Some(Value::Integer(items.len() as i128)),
            _ => None,
        })),
        _ => None,
    }
}

fn compare(builder: &Builder, op: CompareOp, left: NodeId, right: NodeId) -> Option<Folded> {
    if left == right {
        // Values that are there equal themselves: numbers are finite.
        return Some(match op {
            CompareOp::Less | CompareOp::Greater => Folded::Condition(false),
            CompareOp::Equal | CompareOp::LessOrEqual | CompareOp::GreaterOrEqual => Folded::Known(left),
        });
    }
    let number = match builder.node(right)? {
        Node::Literal(Literal(Value::Integer(n))) => *n,
        _ => return None,
    };
    // A count is there, and is 0 or more.
    match (is_count(builder, left), op) {
        (true, CompareOp::GreaterOrEqual) if number <= 0 => Some(Folded::Condition(true)),
        (true, CompareOp::Greater) if number < 0 => Some(Folded::Condition(true)),
        (true, CompareOp::Less) if number <= 0 => Some(Folded::Condition(false)),
        (true, CompareOp::LessOrEqual | CompareOp::Equal) if number < 0 => Some(Folded::Condition(false)),
        _ => None,
    }
}

fn is_count(builder: &Builder, id: NodeId) -> bool {
    match builder.node(id) {
        Some(Node::Aggregate { function, .. }) => function.is_count(),
        Some(Node::Periods { .. } | Node::MostWithin { .. }) => true,
        _ => false,
    }
}

fn is_always_there(builder: &Builder, id: NodeId) -> bool {
    match builder.node(id) {
        // A total of numbers may be infinite, which counts as missing.
        Some(Node::Aggregate { function: Aggregate::Total, measure: Some((_, ty)), .. }) => *ty != Type::Number,
        _ => is_count(builder, id),
    }
}

fn text_holds(op: TextOp, value: &str, text: &str, ignore_case: bool) -> bool {
    match op {
        TextOp::Contains => value.contains(text),
        TextOp::StartsWith => value.starts_with(text),
        TextOp::EndsWith => value.ends_with(text),
        TextOp::Matches => compile_pattern(text, ignore_case).is_ok_and(|p| p.is_match(value)),
    }
}

/// A query whose filter every event passes has none.
fn without_trivial_filter(builder: &Builder, mut node: Node) -> Node {
    if let Node::FirstOrLastN { query, .. }
    | Node::Aggregate { query, .. }
    | Node::Periods { query, .. }
    | Node::UsualGap(query)
    | Node::MostWithin { query, .. }
    | Node::EventTime { query, .. } = &mut node
    {
        query.filter = query.filter.filter(|f| !matches!(builder.node(*f), Some(Node::Const(true))));
    }
    if let Node::Chain(chain) = &mut node {
        for step in &mut chain.steps {
            step.none_between = step.none_between.take().filter(|none| !finds_nothing(builder, none));
            for query in std::iter::once(&mut step.query).chain(&mut step.none_between) {
                query.filter = query.filter.filter(|f| !matches!(builder.node(*f), Some(Node::Const(true))));
            }
        }
    }
    node
}

fn finds_nothing(builder: &Builder, query: &Query) -> bool {
    query.filter.is_some_and(|f| matches!(builder.node(f), Some(Node::Const(false))))
}

fn folded_over_nothing(node: &Node) -> Option<Folded> {
    Some(match node {
        Node::FirstOrLastN { .. } => Folded::Condition(false),
        Node::Periods { .. } | Node::MostWithin { .. } => Folded::Value(Some(Value::Integer(0))),
        Node::UsualGap(_) => Folded::Value(None),
        Node::Aggregate { function, measure, .. } => match (function, measure) {
            (Aggregate::Count | Aggregate::CountDifferent, _) => Folded::Value(Some(Value::Integer(0))),
            (Aggregate::Total, Some((_, Type::Money))) => Folded::Value(Some(Value::Money(0))),
            (Aggregate::Total, Some((_, Type::Number))) => Folded::Value(Some(Value::Number(0.0))),
            (Aggregate::Total, _) => Folded::Value(Some(Value::Integer(0))),
            (Aggregate::Average | Aggregate::Smallest | Aggregate::Largest | Aggregate::MostFrequent, _) => {
                Folded::Value(None)
            }
        },
        Node::EventTime { .. } => Folded::Value(None),
        _ => return None,
    })
}
