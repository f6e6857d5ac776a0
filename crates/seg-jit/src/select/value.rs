//! Values of a plan to shapes.

use super::{Domain, Inner, Select, Text, function, literal};
use crate::shape::{Arithmetic, Class, Function, Scale, Value};
use crate::tables::{ColumnRef, Texts};
use seg_data::{EventId, Type};
use seg_hir::hir::{Aggregate, ArithmeticOp, End, Interval, Moment};
use seg_plan::{Node, NodeId};

impl Select<'_, '_> {
    /// A value and its type; no type where it is never there.
    pub(super) fn value(&mut self, id: NodeId, domain: Domain) -> (Value, Option<Type>) {
        let missing = (Value::Missing(Class::Int), None);
        match self.node(id) {
            Node::Literal(value) => self.literal(&value.0),
            Node::Attribute(_, ty) | Node::Property(_, ty) => self.column_value(id, ty, domain),
            Node::Moment(moment) => (Value::Int(self.int(moment.at(self.now).0)), Some(Type::Timestamp)),
            Node::Today { zone, offset } => {
                let day = offset.from(zone.date(self.now));
                (Value::Int(self.int(day.0.into())), Some(Type::Date))
            }
            Node::Seen(end, known_at) => (self.seen(*end, *known_at), Some(Type::Timestamp)),
            Node::Arithmetic(op, left, right) => self.arithmetic(*op, *left, *right, domain),
            Node::Scale { money, numerator, denominator } => {
                let (money, ty) = self.value(*money, domain);
                let (Some(Type::Money), true) = (ty, *denominator != 0) else { return missing };
                (self.scale(money, *numerator, *denominator), Some(Type::Money))
            }
            Node::Convert(inner, to) => match (self.value(*inner, domain), to) {
                ((value, Some(Type::Integer)), Type::Money) => (Value::ToMoney(Box::new(value)), Some(Type::Money)),
                ((value, Some(Type::Integer)), _) => (Value::ToNumber(Box::new(value)), Some(Type::Number)),
                (other, _) => other,
            },
            Node::FoldCase(inner) => match self.text(id, domain) {
                Some(Text::Column(texts)) => self.rank(texts),
                Some(Text::Literal(_)) => missing,
                None => self.value(*inner, domain),
            },
            Node::ListLength(inner) => match self.list(*inner, domain) {
                Some((list, ..)) => (Value::ListLength(list), Some(Type::Integer)),
                None => missing,
            },
            Node::Aggregate { function, measure, query, .. } => {
                if let Some(column) = self.derived_sum(id) {
                    return (column, measure.as_ref().map(|(_, ty)| ty.clone()));
                }
                self.aggregate(*function, measure.as_ref().map(|(m, ty)| (*m, ty)), query)
            }
            Node::Periods { unit, zone, query } => (self.periods(*unit, *zone, query), Some(Type::Integer)),
            Node::EventTime { end, n, query } => (self.event_time(*end, *n, query), Some(Type::Timestamp)),
            _ => missing,
        }
    }

    pub(super) fn literal(&mut self, value: &seg_data::Value) -> (Value, Option<Type>) {
        use seg_data::Value as V;
        let ty = match value {
            V::Boolean(_) => Type::Boolean,
            V::Integer(_) => Type::Integer,
            V::Number(_) => Type::Number,
            V::Money(_) => Type::Money,
            V::Timestamp(_) => Type::Timestamp,
            V::Date(_) => Type::Date,
            // Texts stand in tables, lists nowhere.
            V::Text(_) | V::List(_) => return (Value::Missing(Class::Int), None),
        };
        let value = match value {
            V::Boolean(b) => Value::Int(self.int(i64::from(*b))),
            V::Integer(i) | V::Money(i) => match i64::try_from(*i) {
                Ok(narrow) => Value::Int(self.int(narrow)),
                Err(_) => {
                    let (low, high) = self.wide(*i);
                    Value::Wide(low, high)
                }
            },
            V::Number(n) => Value::Number(self.slot(n.to_bits())),
            V::Timestamp(t) => Value::Int(self.int(t.0)),
            V::Date(d) => Value::Int(self.int(d.0.into())),
            V::Text(_) | V::List(_) => Value::Missing(Class::Int),
        };
        (value, Some(ty))
    }

    fn column_value(&mut self, id: NodeId, ty: &Type, domain: Domain) -> (Value, Option<Type>) {
        let class = if *ty == Type::Number { Class::Number } else { Class::Int };
        let missing = (Value::Missing(class), Some(ty.clone()));
        let Some(of) = self.column_ref(id, domain) else { return missing };
        match ty {
            Type::Text => self.rank(Texts { column: of, is_folded: false }),
            _ => match self.column(of) {
                Some(column) => (Value::Column(column), Some(ty.clone())),
                None => missing,
            },
        }
    }

    /// A text as a number that compares as it does.
    fn rank(&mut self, texts: Texts) -> (Value, Option<Type>) {
        let Some(keys) = self.keys(texts.column) else {
            return (Value::Missing(Class::Int), Some(Type::Text));
        };
        let table = self.tables.rank(texts, &self.ranked);
        let table = self.address(table);
        (Value::Rank { keys, table }, Some(Type::Text))
    }

    /// A node as a text, where it is one.
    pub(super) fn text(&self, id: NodeId, domain: Domain) -> Option<Text> {
        match self.node(id) {
            Node::FoldCase(inner) => Some(match self.text(*inner, domain)? {
                Text::Literal(text) => Text::Literal(seg_hir::text::fold_case(&text)),
                Text::Column(texts) => Text::Column(Texts { is_folded: true, ..texts }),
            }),
            Node::Attribute(_, Type::Text) | Node::Property(_, Type::Text) => {
                let column = self.column_ref(id, domain)?;
                Some(Text::Column(Texts { column, is_folded: false }))
            }
            node => match literal(node)? {
                seg_data::Value::Text(text) => Some(Text::Literal(text.clone())),
                _ => None,
            },
        }
    }

    fn arithmetic(&mut self, op: ArithmeticOp, left: NodeId, right: NodeId, domain: Domain) -> (Value, Option<Type>) {
        use ArithmeticOp::{Add, Divide, Multiply, Subtract};
        use Type::{Integer, Money, Number};
        let ((l, l_ty), (r, r_ty)) = (self.value(left, domain), self.value(right, domain));
        let (Some(l_ty), Some(r_ty)) = (l_ty, r_ty) else { return (Value::Missing(Class::Int), None) };
        let (operation, ty) = match (op, &l_ty, &r_ty) {
            (Add, Integer, Integer) => (Arithmetic::AddInts, Integer),
            (Subtract, Integer, Integer) => (Arithmetic::SubtractInts, Integer),
            (Multiply, Integer, Integer) => (Arithmetic::MultiplyInts, Integer),
            (Add, Money, Money) => (Arithmetic::AddInts, Money),
            (Subtract, Money, Money) => (Arithmetic::SubtractInts, Money),
            (Multiply, Money, Integer) | (Multiply, Integer, Money) => (Arithmetic::MultiplyInts, Money),
            (Divide, Integer, Integer) | (Divide, Money, Money) => (Arithmetic::DivideInts, Number),
            (Divide, Money, Integer) => (Arithmetic::DivideMoney, Money),
            (Multiply, Money, Number) | (Multiply, Number, Money) => (Arithmetic::MoneyTimesNumber, Money),
            (Divide, Money, Number) => (Arithmetic::MoneyByNumber, Money),
            (_, Number | Integer, Number | Integer) => {
                let operation = match op {
                    Add => Arithmetic::Add,
                    Subtract => Arithmetic::Subtract,
                    Multiply => Arithmetic::Multiply,
                    Divide => Arithmetic::Divide,
                };
                (operation, Number)
            }
            _ => return (Value::Missing(Class::Int), None),
        };
        // The amount stands first.
        let swaps = operation == Arithmetic::MoneyTimesNumber && r_ty == Money;
        let (l, r) = if swaps { (r, l) } else { (l, r) };
        (Value::Arithmetic(operation, Box::new(l), Box::new(r)), Some(ty))
    }

    fn scale(&mut self, money: Value, numerator: i128, denominator: i128) -> Value {
        // The factors whose product with the numerator fits 128 bits.
        let (least, greatest) = match numerator {
            0 => (i128::MIN, i128::MAX),
            -1 => (i128::MIN + 1, i128::MAX),
            n if n > 0 => (i128::MIN / n, i128::MAX / n),
            n => (i128::MAX / n, i128::MIN / n),
        };
        let scale = Scale {
            numerator: self.wide(numerator),
            denominator: self.wide(denominator),
            least: self.wide(least),
            greatest: self.wide(greatest),
        };
        Value::Scale(Box::new(money), scale)
    }

    fn aggregate(
        &mut self,
        aggregate: Aggregate,
        measure: Option<(NodeId, &Type)>,
        query: &seg_plan::Query,
    ) -> (Value, Option<Type>) {
        let Some((measure, ty)) = measure else {
            let query = self.query(query, false, Inner::None);
            return (Value::Aggregate { function: Function::Count, query }, Some(Type::Integer));
        };
        let (chosen, result) = match aggregate {
            Aggregate::Count | Aggregate::CountDifferent | Aggregate::MostFrequent => {
                (Function::CountDifferent(self.set(query)), Type::Integer)
            }
            Aggregate::Average if *ty == Type::Integer => (function(aggregate, ty), Type::Number),
            _ => (function(aggregate, ty), ty.clone()),
        };
        // Sums of numbers depend on the order in which they are added.
        let is_ordered = matches!(chosen, Function::TotalNumbers | Function::AverageNumbers);
        let query = self.query(query, is_ordered, Inner::Measure(measure));
        (Value::Aggregate { function: chosen, query }, Some(result))
    }

    fn event_time(&mut self, end: End, n: u32, query: &seg_plan::Query) -> Value {
        if let Some(column) = self.derived_time(end, n, query) {
            return column;
        }
        if n != 1 || query.events.len() == 1 {
            let is_merged = n != 1 && query.events.len() > 1;
            let query = self.query(query, is_merged, Inner::None);
            return Value::EventTime { end, n: self.int(n.into()), query };
        }
        // The first or last of several names is that of one of them.
        let one = |event: &EventId| seg_plan::Query { events: vec![*event], ..query.clone() };
        let each: Vec<seg_plan::Query> = query.events.iter().map(one).collect();
        Value::Extreme(end, each.iter().map(|query| self.event_time(end, 1, query)).collect())
    }

    fn seen(&mut self, end: End, known_at: Option<Moment>) -> Value {
        let schema = self.batch.schema();
        let events = (0..schema.events.len()).map(|e| EventId(e as u32)).collect();
        let query = seg_plan::Query { events, interval: Interval::default(), filter: None, known_at };
        let declared = schema.first_seen.filter(|_| end == End::First);
        let seen = self.event_time(end, 1, &query);
        match declared.and_then(|id| self.column(ColumnRef::Attribute(id))) {
            Some(column) => Value::Coalesce(Box::new(Value::Column(column)), Box::new(seen)),
            None => seen,
        }
    }
}
