//! The plan evaluator: whole columns at a time, each node once a batch.

mod column;
mod query;

use crate::plan::{Literal, Node, NodeId, Plan};
use column::Column;
use query::EventRows;
use seg_data::{Batch, EventId, Instant, Mask, Money, Type, Value, money::divide_half_even};
use seg_hir::hir::{CompareOp, TextOp};
use seg_hir::text::{compile_pattern, fold_value};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

/// Who of a batch is in each segment, judged at `now`: one mask a segment.
pub fn evaluate(plan: &Plan, batch: &Batch, now: Instant) -> Vec<Mask> {
    let mut eval = Eval { plan, batch, now, columns: HashMap::new(), rows: HashMap::new() };
    // Nodes stand after what they are made of, so a walk in their order needs
    // no recursion, however long a chain of segments is.
    for id in needed(plan) {
        eval.column(id, Domain::People);
    }
    plan.roots()
        .iter()
        .map(|root| match eval.column(root.node, Domain::People).as_ref() {
            Column::Bools(bits) => Mask::from_bools(bits.iter().copied()),
            _ => Mask::none(batch.len()),
        })
        .collect()
}

/// The nodes about people that the segments are made of, in order.
fn needed(plan: &Plan) -> Vec<NodeId> {
    let mut is_needed = vec![false; plan.nodes().len()];
    for root in plan.roots() {
        if let Some(slot) = is_needed.get_mut(root.node.idx()) {
            *slot = true;
        }
    }
    for idx in (0..is_needed.len()).rev() {
        if !is_needed.get(idx).copied().unwrap_or(false) {
            continue;
        }
        for child in plan.nodes().get(idx).map_or(Vec::new(), Node::children) {
            if let Some(slot) = is_needed.get_mut(child.idx()) {
                *slot = true;
            }
        }
    }
    let ids = is_needed.iter().enumerate().filter(|(_, n)| **n);
    ids.map(|(idx, _)| NodeId(idx as u32)).collect()
}

/// What the rows of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Domain {
    /// The profiles of the batch.
    People,
    /// Their events of one name, those of one profile after another.
    Events(EventId),
}

struct Eval<'a> {
    plan: &'a Plan,
    batch: &'a Batch,
    now: Instant,
    columns: HashMap<(NodeId, Domain), Rc<Column>>,
    rows: HashMap<EventId, Rc<EventRows>>,
}

impl Eval<'_> {
    fn column(&mut self, id: NodeId, domain: Domain) -> Rc<Column> {
        if let Some(column) = self.columns.get(&(id, domain)) {
            return Rc::clone(column);
        }
        let plan = self.plan;
        let column = match plan.node(id) {
            Some(node) => Rc::new(self.compute(node, domain)),
            None => Rc::new(Column::missing(self.len(domain))),
        };
        self.columns.insert((id, domain), Rc::clone(&column));
        column
    }

    fn len(&mut self, domain: Domain) -> usize {
        match domain {
            Domain::People => self.batch.len(),
            Domain::Events(event) => self.event_rows(event).idx.len(),
        }
    }

    fn compute(&mut self, node: &Node, domain: Domain) -> Column {
        let len = self.len(domain);
        match node {
            Node::Const(value) => Column::Bools(vec![*value; len]),
            Node::All(members) => self.combine(members, domain, true),
            Node::Any(members) => self.combine(members, domain, false),
            Node::Several { min, max, members } => {
                let mut counts = vec![0_u64; len];
                for member in members {
                    let bits = self.bools(*member, domain);
                    counts.iter_mut().zip(bits).for_each(|(n, bit)| *n += u64::from(bit));
                }
                Column::Bools(counts.iter().map(|n| min <= n && max.is_none_or(|max| *n <= max)).collect())
            }
            Node::Not(a) => Column::Bools(self.bools(*a, domain).iter().map(|b| !b).collect()),
            Node::Known(a) => {
                let column = self.column(*a, domain);
                Column::Bools((0..len).map(|row| column.is_known(row)).collect())
            }
            Node::Compare(op, left, right) => {
                let (left, right) = (self.column(*left, domain), self.column(*right, domain));
                Column::Bools(compare(*op, &left, &right, len))
            }
            Node::OneOf(a, values) => {
                let column = self.column(*a, domain);
                column.test(|v| values.iter().any(|Literal(o)| seg_hir::compare(v, o) == Some(Ordering::Equal)))
            }
            Node::Text { op, value, text, ignore_case } => {
                let column = self.column(*value, domain);
                text_test(&column, *op, text, *ignore_case)
            }
            Node::Has(a, Literal(value)) => {
                let is_it = |item: &Value| seg_hir::compare(item, value) == Some(Ordering::Equal);
                self.column(*a, domain).test(|v| matches!(v, Value::List(items) if items.iter().any(is_it)))
            }
            Node::Few { end, n, query, filter } => self.few(*end, *n, query, *filter),
            _ => self.value(node, domain, len),
        }
    }

    fn value(&mut self, node: &Node, domain: Domain, len: usize) -> Column {
        match node {
            Node::Literal(Literal(value)) => Column::repeated(value, len),
            Node::Moment(moment) => Column::repeated(&Value::Timestamp(moment.at(self.now)), len),
            Node::Today { zone, offset } => Column::repeated(&Value::Date(offset.from(zone.date(self.now))), len),
            Node::Attribute(id, ty) => {
                let people = match self.batch.attribute_column(*id) {
                    Some(column) => Column::read(column, 0..self.batch.len()),
                    None => Column::missing_of(ty, self.batch.len()),
                };
                self.spread(people, domain)
            }
            Node::Property(ids, ty) => self.property(ids, ty, domain, len),
            Node::Seen(end) => {
                let people = self.seen(*end);
                self.spread(people, domain)
            }
            Node::Arithmetic(op, left, right) => {
                let (left, right) = (self.column(*left, domain), self.column(*right, domain));
                let results = (0..len).map(|row| seg_hir::arithmetic(*op, &left.value(row)?, &right.value(row)?));
                Column::of(results)
            }
            Node::Scale { money, numerator, denominator } => self.column(*money, domain).map(|value| match value {
                Value::Money(scaled) => {
                    let product = scaled.checked_mul(*numerator)?;
                    Money::from_scaled(divide_half_even(product, *denominator)?).map(Value::from)
                }
                _ => None,
            }),
            Node::Convert(a, ty) => self.column(*a, domain).map(|value| match (value, ty) {
                (Value::Integer(n), Type::Money) => Money::from_integer(n).map(Value::from),
                (Value::Integer(n), _) => Value::number(n as f64),
                (value, _) => Some(value),
            }),
            Node::FoldCase(a) => self.column(*a, domain).map(|value| Some(fold_value(value))),
            Node::ListLength(a) => self.column(*a, domain).map(|value| match value {
                Value::List(items) => Some(Value::Integer(items.len() as i128)),
                _ => None,
            }),
            Node::Aggregate { function, measure, query } => self.aggregate(*function, measure.as_ref(), query),
            Node::Periods { unit, zone, query } => self.periods(*unit, *zone, query),
            Node::EventTime { end, n, query } => self.event_time(*end, *n, query),
            _ => Column::missing(len),
        }
    }

    fn bools(&mut self, id: NodeId, domain: Domain) -> Vec<bool> {
        match self.column(id, domain).as_ref() {
            Column::Bools(bits) => bits.clone(),
            other => vec![false; other.len()],
        }
    }

    fn combine(&mut self, members: &[NodeId], domain: Domain, is_all: bool) -> Column {
        let mut bits = vec![is_all; self.len(domain)];
        for member in members {
            if let Column::Bools(other) = self.column(*member, domain).as_ref() {
                for (bit, other) in bits.iter_mut().zip(other) {
                    *bit = if is_all { *bit && *other } else { *bit || *other };
                }
            }
        }
        Column::Bools(bits)
    }
}

fn compare(op: CompareOp, left: &Column, right: &Column, len: usize) -> Vec<bool> {
    if let (Some((l, l_known)), Some((r, r_known))) = (left.ints(), right.ints()) {
        let pairs = l.iter().zip(r).zip(l_known.iter().zip(r_known));
        return pairs.map(|((l, r), (a, b))| *a && *b && op.holds(l.cmp(r))).collect();
    }
    let holds = |row| {
        let ordering = left.value(row).zip(right.value(row)).and_then(|(l, r)| seg_hir::compare(&l, &r));
        ordering.is_some_and(|o| op.holds(o))
    };
    (0..len).map(holds).collect()
}

/// A test of texts runs once over the dictionary.
fn text_test(column: &Column, op: TextOp, text: &str, ignore_case: bool) -> Column {
    let pattern = match op {
        TextOp::Matches => compile_pattern(text, ignore_case).ok(),
        _ => None,
    };
    column.test(|value| match value {
        Value::Text(value) => match op {
            TextOp::Contains => value.contains(text),
            TextOp::StartsWith => value.starts_with(text),
            TextOp::EndsWith => value.ends_with(text),
            TextOp::Matches => pattern.as_ref().is_some_and(|p| p.is_match(value)),
        },
        _ => false,
    })
}
