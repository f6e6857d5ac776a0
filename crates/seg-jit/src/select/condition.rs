//! Conditions of a plan to shapes.

use super::{Domain, Inner, Select, Text};
use crate::shape::{Class, Column, Cond, Row, Slot, Store, Value};
use crate::tables::{Test, Texts};
use seg_data::Type;
use seg_hir::hir::CompareOp;
use seg_plan::{Literal, Node, NodeId};

/// So many keys of texts are compared rather than looked up in a table.
pub(crate) const KEYS_MAX: usize = 4;

impl Select<'_, '_> {
    pub(super) fn cond(&mut self, id: NodeId, domain: Domain) -> Cond {
        if self.is_derived(id, domain) {
            return self.derived(id, domain);
        }
        if domain.is_none()
            && let Some(cond) = self.texts_met(id)
        {
            return cond;
        }
        match self.node(id) {
            Node::Const(value) => Cond::Const(*value),
            Node::All(members) => self.members(members, domain, true),
            Node::Any(members) => self.members(members, domain, false),
            Node::Several { min, max, members } => {
                let members = members.iter().map(|m| self.cond(*m, domain)).collect();
                let (min, max) = (self.slot(*min), self.slot(max.unwrap_or(u64::MAX)));
                Cond::Several { min, max, members }
            }
            Node::Not(inner) => match self.cond(*inner, domain) {
                Cond::Const(value) => Cond::Const(!value),
                other => Cond::Not(Box::new(other)),
            },
            Node::Known(value) => self.known(*value, domain),
            Node::Compare(op, left, right) => self.compare(*op, *left, *right, domain),
            Node::OneOf(value, others) => self.one_of(*value, others, domain),
            Node::Text { op, value, text, ignore_case } => match self.text(*value, domain) {
                Some(Text::Column(texts)) => {
                    let test = Test::Text { op: *op, text: text.clone(), ignore_case: *ignore_case };
                    self.test(texts, test)
                }
                _ => Cond::Const(false),
            },
            Node::Has(list, Literal(wanted)) => self.has(*list, wanted, domain),
            Node::Few { end, n, query, filter } => {
                let query = self.query(query, true, Inner::Asked(*filter));
                Cond::Few { end: *end, n: self.int(i64::from(*n)), query }
            }
            _ => Cond::Const(false),
        }
    }

    /// Whether a condition that is no combination needs what code is not made
    /// for.
    fn is_derived(&self, id: NodeId, domain: Domain) -> bool {
        let is_combination = matches!(self.node(id), Node::All(_) | Node::Any(_) | Node::Several { .. } | Node::Not(_));
        let needs = self.needs_kernel.get(id.idx()).copied().unwrap_or_default();
        // Inside a filter, what is gathered over the person is the same for all
        // of their events, so it is not gathered again for each.
        !is_combination && (needs.kernel || domain.is_some() && needs.gathers)
    }

    /// A condition that a precompiled kernel has decided for all rows: a bit each.
    fn derived(&mut self, id: NodeId, domain: Domain) -> Cond {
        let (bits, row) = match domain {
            None => (self.kernels.of_people(id), Row::Person),
            Some(event) => (self.kernels.of_events(id, event), Row::Event),
        };
        let bits = self.tables.bits(id, domain, &bits);
        let (offset, values) = (self.int(0), self.address(bits));
        let one = self.int(1);
        let column = Column { row, store: Store::Bit(offset), values, nulls: None };
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

    fn known(&mut self, value: NodeId, domain: Domain) -> Cond {
        if let Some(text) = self.text(value, domain) {
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
        match self.value(value, domain) {
            (Value::Missing(_), _) => Cond::Const(false),
            (value, _) => Cond::Known(value),
        }
    }

    fn compare(&mut self, op: CompareOp, left: NodeId, right: NodeId, domain: Domain) -> Cond {
        match (self.text(left, domain), self.text(right, domain)) {
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
        let r = match (l.class(), r) {
            (Class::Number, Value::Int(slot)) => self.exact(slot),
            (_, r) => r,
        };
        Cond::Compare(op, l, r)
    }

    /// An integer as a number, where it is one exactly.
    fn exact(&mut self, slot: Slot) -> Value {
        const EXACT: i64 = 1 << 53;
        match self.params.get(slot as usize).map(|bits| *bits as i64) {
            Some(int) if (-EXACT..=EXACT).contains(&int) => Value::Number(self.slot((int as f64).to_bits())),
            _ => Value::Int(slot),
        }
    }

    fn test(&mut self, texts: Texts, test: Test) -> Cond {
        let Some(keys) = self.keys(texts.column) else { return Cond::Const(false) };
        let table = self.tables.test(texts, test);
        let wanted: Vec<i64> = (0..).zip(table).filter(|(_, holds)| **holds == 1).map(|(key, _)| key).take(5).collect();
        // Few keys are compared many at a time; of people, since an event's text
        // is one of many that are looked at anyway.
        if keys.row == Row::Person && (1..=KEYS_MAX).contains(&wanted.len()) {
            let wanted = wanted.into_iter().map(|key| self.int(key)).collect();
            return Cond::Keys { keys, wanted };
        }
        let table = table.as_ptr();
        Cond::Test { keys, table: self.address(table) }
    }

    fn one_of(&mut self, value: NodeId, others: &[Literal], domain: Domain) -> Cond {
        let texts_of = |other: &Literal| match &other.0 {
            seg_data::Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        match self.text(value, domain) {
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
            let ints = self.tables.ints(ints);
            return Cond::OneOfInts(Box::new(value), self.address(ints), n_ints);
        }
        let mut fitting = Vec::with_capacity(others.len());
        for other in others {
            let (other, other_ty) = self.literal(&other.0);
            let compares = other_ty.as_ref() == Some(&ty)
                || matches!(
                    (&ty, &other_ty),
                    (Type::Integer, Some(Type::Number)) | (Type::Number, Some(Type::Integer))
                );
            if compares {
                fitting.push(other);
            }
        }
        Cond::OneOf(Box::new(value), fitting)
    }

    fn has(&mut self, list: NodeId, wanted: &seg_data::Value, domain: Domain) -> Cond {
        let Some((list, of, is_folded)) = self.list(list, domain) else { return Cond::Const(false) };
        let Some(Type::List(element)) = of.of(self.batch).map(|c| c.ty().clone()) else { return Cond::Const(false) };
        if let seg_data::Value::Text(text) = wanted {
            if element.ty() != Type::Text {
                return Cond::Const(false);
            }
            let test = Test::Compare(CompareOp::Equal, text.clone());
            let table = self.tables.item_test(Texts { column: of, is_folded }, test);
            return Cond::HasText(list, self.address(table));
        }
        let (value, ty) = self.literal(wanted);
        match ty {
            Some(Type::Integer | Type::Number) if element.ty() != Type::Text => Cond::Has(list, value),
            _ => Cond::Const(false),
        }
    }
}

/// The comparison with its sides changed over.
fn mirrored(op: CompareOp) -> CompareOp {
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
