//! Values of a plan to templates.

use super::{Inner, Select};
use crate::input::{Domain, Text};
use crate::tables::{ColumnRef, Texts};
use seg_data::{EventId, Type};
use seg_hir::hir::{Aggregate, ArithmeticOp, End, Interval, Moment};
use seg_jit::template::{self, Arithmetic, Class, Function, Scale, Value};
use seg_plan::{Node, NodeId, NthTime};

impl Select<'_> {
    /// A value and its type; no type where it is never there.
    pub(super) fn value(&mut self, id: NodeId, domain: Domain) -> (Value, Option<Type>) {
        let missing = (Value::Missing(Class::Int), None);
        if let Some((constant, ty)) = self.input.constant(id) {
            return (self.constant(constant), Some(ty));
        }
        match self.input.node(id) {
            Node::Attribute(_, ty) | Node::Property(_, ty) => self.column_value(id, ty, domain),
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
            Node::FoldCase(inner) => match self.input.text(id, domain) {
                Some(Text::Column(texts)) => self.rank(texts),
                Some(Text::Literal(_)) => missing,
                None => self.value(*inner, domain),
            },
            Node::ListLength(inner) => match self.list(*inner, domain) {
                Some((list, ..)) => (Value::ListLength(list), Some(Type::Integer)),
                None => missing,
            },
            Node::Aggregate { function, measure, query, .. } => {
                if let Some(column) = self.input.derived_sum(id) {
                    let column = self.parameters.optional(template::Domain::Person, column.values());
                    return (Value::Column(column), measure.as_ref().map(|(_, ty)| ty.clone()));
                }
                self.aggregate(*function, measure.as_ref().map(|(m, ty)| (*m, ty)), query)
            }
            Node::Periods { unit, zone, query } => (self.periods(*unit, *zone, query), Some(Type::Integer)),
            Node::EventTime { end, n, query } => (self.event_time(*end, *n, query), Some(Type::Timestamp)),
            // Texts and lists are compared otherwise, constants were above.
            Node::Literal(_) | Node::Moment(_) | Node::Today { .. } | Node::Missing => missing,
            // Whatever is made of these is for the plan evaluator.
            Node::Time
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
            | Node::MostWithin { .. } => {
                self.is_unsupported = true;
                missing
            }
            // No conditions are values, which the plan's verifier sees to.
            Node::Const(_)
            | Node::All(_)
            | Node::Any(_)
            | Node::Cardinality { .. }
            | Node::Not(_)
            | Node::Known(_)
            | Node::Compare(..)
            | Node::OneOf(..)
            | Node::Text { .. }
            | Node::Has(..)
            | Node::FirstOrLastN { .. }
            | Node::Chain(_)
            | Node::Items { .. }
            | Node::Sample { .. }
            | Node::Profile(_)
            | Node::Elements { .. }
            | Node::InList(..) => missing,
        }
    }

    fn column_value(&mut self, id: NodeId, ty: &Type, domain: Domain) -> (Value, Option<Type>) {
        let class = if *ty == Type::Number { Class::Number } else { Class::Int };
        let missing = (Value::Missing(class), Some(ty.clone()));
        let Some(of) = self.input.column_ref(id, domain) else { return missing };
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
        let table = self.parameters.ints32(&table);
        (Value::Rank { keys, table }, Some(Type::Text))
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
            numerator: self.parameters.wide(numerator),
            denominator: self.parameters.wide(denominator),
            least: self.parameters.wide(least),
            greatest: self.parameters.wide(greatest),
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
        let number = *ty == Type::Number;
        let (function, result) = match aggregate {
            // No count has a measure, and the most frequent value is for the plan
            // evaluator.
            Aggregate::Count | Aggregate::MostFrequent => {
                self.is_unsupported = true;
                return (Value::Missing(Class::Int), None);
            }
            Aggregate::CountDifferent => (Function::CountDifferent(self.set(query)), Type::Integer),
            Aggregate::Total if number => (Function::TotalNumbers, Type::Number),
            Aggregate::Total => (Function::TotalInts, ty.clone()),
            Aggregate::Average if number => (Function::AverageNumbers, Type::Number),
            Aggregate::Average if *ty == Type::Money => (Function::AverageMoney, Type::Money),
            Aggregate::Average => {
                let result = if *ty == Type::Integer { Type::Number } else { ty.clone() };
                (Function::AverageInts, result)
            }
            Aggregate::Smallest | Aggregate::Largest => {
                let end = if aggregate == Aggregate::Smallest { End::First } else { End::Last };
                (Function::Extreme(end, if number { Class::Number } else { Class::Int }), ty.clone())
            }
        };
        // Sums of numbers depend on the order in which they are added.
        let is_ordered = matches!(function, Function::TotalNumbers | Function::AverageNumbers);
        let query = self.query(query, is_ordered, Inner::Measure(measure));
        (Value::Aggregate { function, query }, Some(result))
    }

    pub(super) fn event_time(&mut self, end: End, n: u32, query: &seg_plan::Query) -> Value {
        let is_ever = query.interval == Interval::default();
        let derived = |query| self.input.derived_time(&NthTime::of(end, n, query));
        if let Some(column) = Some(query).filter(|_| is_ever).and_then(derived) {
            return Value::Column(self.parameters.optional(template::Domain::Person, column.values()));
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

    /// Whether a time is found in derived columns alone: that of one name, or the first
    /// or last of several.
    pub(super) fn reads_times(&self, time: &NthTime<'_>) -> bool {
        let is_derived = |event: &EventId| {
            let events = std::slice::from_ref(event);
            self.input.is_derived_time(&NthTime { events, ..*time })
        };
        (time.n == 1 || time.events.len() == 1) && time.events.iter().all(is_derived)
    }

    fn seen(&mut self, end: End, known_at: Option<Moment>) -> Value {
        let schema = self.input.batch.schema();
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
