//! Conditions of a plan to templates.

use super::{Inner, Select};
use crate::input::{Bounded, Constant, Domain, Text, exact};
use crate::tables::{Test, Texts};
use arrow_buffer::ScalarBuffer;
use seg_data::Type;
use seg_hir::hir::{CompareOp, Interval};
use seg_jit::template::{self, Class, Cond, Value};
use seg_plan::{Compared, Literal, Node, NodeId};

impl Select<'_> {
    pub(super) fn cond(&mut self, id: NodeId, domain: Domain) -> Cond {
        if self.is_precomputed(id, domain) {
            return self.precomputed_cond(id, domain);
        }
        match self.input.node(id) {
            Node::Const(value) => Cond::Const(*value),
            Node::All(members) => self.members(members, domain, true),
            Node::Any(members) => self.members(members, domain, false),
            Node::Cardinality { min, max, members } => {
                let members = members.iter().map(|m| self.cond(*m, domain)).collect();
                let (min, max) = (self.int(*min as i64), self.int(max.unwrap_or(u64::MAX) as i64));
                Cond::Cardinality { min, max, members }
            }
            Node::Not(inner) => match self.cond(*inner, domain) {
                Cond::Const(value) => Cond::Const(!value),
                other => Cond::Not(Box::new(other)),
            },
            Node::Known(value) => self.known(id, *value, domain),
            Node::Compare(op, left, right) => self.compare(*op, *left, *right, domain),
            Node::OneOf(value, others) => self.one_of(*value, others, domain),
            Node::Text { op, value, text, ignore_case } => match self.input.text(*value, domain) {
                Some(Text::Column(texts)) => {
                    let test = Test::Text { op: *op, text: text.clone(), ignore_case: *ignore_case };
                    self.test(texts, test)
                }
                Some(Text::Literal(_)) | None => Cond::Const(false),
            },
            Node::Has(list, Literal(wanted)) => self.has(*list, wanted, domain),
            Node::FirstOrLastN { end, n, query, filter } => {
                let query = self.query(query, true, Inner::Predicate(*filter));
                Cond::FirstOrLastN { end: *end, n: self.int(i64::from(*n)), query }
            }
            // What a kernel of the plan evaluator computes was decided above.
            Node::Chain(_)
            | Node::Items { .. }
            | Node::Sample { .. }
            | Node::Profile(_)
            | Node::Elements { .. }
            | Node::InList(..) => self.precomputed_cond(id, domain),
            // No values are conditions, which the plan's verifier sees to.
            Node::Literal(_)
            | Node::Attribute(..)
            | Node::Property(..)
            | Node::Moment(_)
            | Node::Today { .. }
            | Node::Seen(..)
            | Node::Time
            | Node::Field { .. }
            | Node::Element { .. }
            | Node::History { .. }
            | Node::HeldValue { .. }
            | Node::Shift { .. }
            | Node::DayOf(..)
            | Node::Part(..)
            | Node::Anniversary(..)
            | Node::Elapsed(_)
            | Node::Distance { .. }
            | Node::UsualGap(_)
            | Node::MostWithin { .. }
            | Node::Arithmetic(..)
            | Node::Scale { .. }
            | Node::Convert(..)
            | Node::FoldCase(_)
            | Node::ListLength(_)
            | Node::Aggregate { .. }
            | Node::Periods { .. }
            | Node::EventTime { .. }
            | Node::Missing => Cond::Const(false),
        }
    }

    /// A condition of which there is a bit for each row.
    fn precomputed_cond(&mut self, id: NodeId, domain: Domain) -> Cond {
        let bits = self.precomputed(id, domain);
        let of = if domain.is_none() { template::Domain::Person } else { template::Domain::Event };
        let column = self.parameters.bits(of, &bits);
        let one = self.int(1);
        Cond::Compare(CompareOp::Equal, Value::Column(column), Value::Int(one))
    }

    /// All or any of some conditions, those decided already left out.
    fn members(&mut self, members: &[NodeId], domain: Domain, is_all: bool) -> Cond {
        let mut open = Vec::with_capacity(members.len());
        for member in members {
            match self.cond(*member, domain) {
                Cond::Const(value) if value == is_all => {}
                Cond::Const(_) => return Cond::Const(!is_all),
                other => open.push(other),
            }
        }
        match open.len() {
            0 => Cond::Const(is_all),
            1 => open.pop().unwrap_or(Cond::Const(is_all)),
            _ if is_all => Cond::All(open),
            _ => Cond::Any(open),
        }
    }

    /// Whether there is an event in a window, where the times that the window's edge
    /// is compared with are columns.
    fn derived_edge(&mut self, id: NodeId) -> Option<Cond> {
        let Bounded { compared: Compared::Time(time), bound: Some((op, bound)), .. } = self.input.comparison(id)?
        else {
            return None;
        };
        if !self.reads_times(&time) {
            return None;
        }
        let value = self.event_time(time.end, time.n, &time.query(Interval::default()));
        Some(Cond::Compare(op, value, Value::Int(self.int(bound))))
    }

    fn known(&mut self, id: NodeId, value: NodeId, domain: Domain) -> Cond {
        if let Some(text) = self.input.text(value, domain) {
            return match text {
                Text::Literal(_) => Cond::Const(true),
                Text::Column(texts) => match self.keys(texts.column) {
                    Some(keys) => Cond::Known(Value::Column(keys)),
                    None => Cond::Const(false),
                },
            };
        }
        if let Some((list, ..)) = self.list(value, domain) {
            return Cond::ListKnown(list);
        }
        if let Some(cond) = self.derived_edge(id) {
            return cond;
        }
        match self.value(value, domain) {
            (Value::Missing(_), _) => Cond::Const(false),
            (value, _) => Cond::Known(value),
        }
    }

    fn compare(&mut self, op: CompareOp, left: NodeId, right: NodeId, domain: Domain) -> Cond {
        match (self.input.text(left, domain), self.input.text(right, domain)) {
            (Some(Text::Column(texts)), Some(Text::Literal(text))) => {
                return self.test(texts, Test::Compare(op, text));
            }
            (Some(Text::Literal(text)), Some(Text::Column(texts))) => {
                return self.test(texts, Test::Compare(mirrored(op), text));
            }
            (Some(Text::Literal(left)), Some(Text::Literal(right))) => return Cond::Const(op.holds(left.cmp(&right))),
            _ => {}
        }
        let ((l, l_ty), (r, r_ty)) = (self.value(left, domain), self.value(right, domain));
        let compares = match (&l_ty, &r_ty) {
            (Some(Type::Integer), Some(Type::Number)) | (Some(Type::Number), Some(Type::Integer)) => true,
            (Some(Type::List(_) | Type::Records(_)), _) | (None, _) => false,
            (l, r) => l == r,
        };
        let is_missing = |v: &Value| matches!(v, Value::Missing(_));
        if !compares || is_missing(&l) || is_missing(&r) {
            return Cond::Const(false);
        }
        let r = match (l.class(), self.input.constant(right)) {
            (Class::Number, Some((Constant::Int(int), _))) if let Some(number) = exact(int) => {
                Value::Number(self.parameters.float(number))
            }
            _ => r,
        };
        Cond::Compare(op, l, r)
    }

    fn test(&mut self, texts: Texts, test: Test) -> Cond {
        let Some(keys) = self.keys(texts.column) else { return Cond::Const(false) };
        let table = self.tables.test(texts, test);
        Cond::Test { keys, table: self.parameters.bytes(&table) }
    }

    fn one_of(&mut self, value: NodeId, others: &[Literal], domain: Domain) -> Cond {
        let texts_of = |other: &Literal| match &other.0 {
            seg_data::Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        match self.input.text(value, domain) {
            Some(Text::Column(texts)) => {
                return self.test(texts, Test::OneOf(others.iter().filter_map(texts_of).collect()));
            }
            Some(Text::Literal(text)) => {
                return Cond::Const(others.iter().filter_map(texts_of).any(|other| other == text));
            }
            None => {}
        }
        let (value, ty) = self.value(value, domain);
        let Some(ty) = ty.filter(|_| !matches!(value, Value::Missing(_))) else { return Cond::Const(false) };
        let ints: Option<Vec<i64>> = others.iter().map(|other| int(&other.0, &ty)).collect();
        if let (Some(ints), Class::Int) = (ints, value.class()) {
            let n_ints = self.int(ints.len() as i64);
            let ints = self.parameters.ints64(&ScalarBuffer::from(ints));
            return Cond::OneOfInts(Box::new(value), ints, n_ints);
        }
        let mut fitting = Vec::with_capacity(others.len());
        for other in others {
            let Some((other, other_ty)) = self.literal(&other.0) else { continue };
            let is_number = matches!((&ty, &other_ty), (Type::Integer, Type::Number) | (Type::Number, Type::Integer));
            if other_ty == ty || is_number {
                fitting.push(other);
            }
        }
        Cond::OneOf(Box::new(value), fitting)
    }

    fn has(&mut self, list: NodeId, wanted: &seg_data::Value, domain: Domain) -> Cond {
        let Some((list, of, is_folded)) = self.list(list, domain) else { return Cond::Const(false) };
        let Some(Type::List(element)) = of.of(self.input.batch).map(|c| c.ty().clone()) else {
            return Cond::Const(false);
        };
        if let seg_data::Value::Text(text) = wanted {
            if element.ty() != Type::Text {
                return Cond::Const(false);
            }
            let test = Test::Compare(CompareOp::Equal, text.clone());
            let table = self.tables.item_test(Texts { column: of, is_folded }, test);
            return Cond::HasText(list, self.parameters.bytes(&table));
        }
        match self.literal(wanted) {
            Some((value, Type::Integer | Type::Number)) if element.ty() != Type::Text => Cond::Has(list, value),
            _ => Cond::Const(false),
        }
    }
}

/// The comparison with its sides changed over.
pub(crate) fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Equal => CompareOp::Equal,
        CompareOp::Less => CompareOp::Greater,
        CompareOp::LessOrEqual => CompareOp::GreaterOrEqual,
        CompareOp::Greater => CompareOp::Less,
        CompareOp::GreaterOrEqual => CompareOp::LessOrEqual,
    }
}

/// A literal of a type as it is stored, where it is a 64-bit integer.
fn int(value: &seg_data::Value, ty: &Type) -> Option<i64> {
    use seg_data::Value as V;
    match (value, ty) {
        (V::Integer(i), Type::Integer) | (V::Money(i), Type::Money) => i64::try_from(*i).ok(),
        (V::Timestamp(t), Type::Timestamp) => Some(t.0),
        (V::Date(d), Type::Date) => Some(d.0.into()),
        (V::Boolean(b), Type::Boolean) => Some(i64::from(*b)),
        _ => None,
    }
}
