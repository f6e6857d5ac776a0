//! Conditions.

use super::value::kind_of;
use super::{Compiler, Rows};
use crate::text::{Condition, Join, Joins, Kind, Measure, Value};
use seg_data::sample;
use seg_hir::hir::{CompareOp, IdTest, TextOp};
use seg_plan::{Literal, Node, NodeId};

impl Compiler<'_> {
    /// A condition about the rows at hand; it is never NULL.
    pub fn condition(&mut self, id: NodeId, rows: Rows) -> Condition {
        if let Some(kept) = self.kept(id, rows) {
            return kept;
        }
        let Some(node) = self.node(id) else { return Condition::constant(false) };
        let condition = self.condition_of(node, rows);
        self.keep(id, rows, condition)
    }

    fn condition_of(&mut self, node: &Node, rows: Rows) -> Condition {
        match node {
            Node::Const(holds) => Condition::constant(*holds),
            Node::All(members) => Condition::join(self.each(members, rows), "AND", true),
            Node::Any(members) => Condition::join(self.each(members, rows), "OR", false),
            Node::Cardinality { min, max, members } => self.cardinality((*min, *max), members, rows),
            Node::Not(inner) => self.condition(*inner, rows).negate(),
            Node::Known(value) => self.known(*value, rows),
            Node::Compare(op, left, right) => self.comparison(*op, *left, *right, rows),
            Node::OneOf(value, literals) => self.one_of(*value, literals, rows),
            Node::Text { op, value, text, ignore_case } => self.text_test(*op, *value, text, *ignore_case, rows),
            Node::Has(list, Literal(item)) => self.list_has(*list, item, rows),
            Node::FirstOrLastN { end, n, query, filter } => self.first_or_last(*end, *n, query, *filter),
            Node::Chain(chain) => self.chain(chain),
            Node::Items { is_all, list, filter } => self.items(*is_all, list, *filter),
            Node::Sample { name, below, is_complement } => self.sample(name, *below, *is_complement),
            Node::InList(value, list) => self.in_list(*value, list, rows),
            Node::Profile(test) => self.profile(test),
            Node::Elements { is_all, list, filter } => self.elements(*is_all, *list, *filter),
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
            | Node::Missing => Condition::constant(false),
        }
    }

    fn each(&mut self, members: &[NodeId], rows: Rows) -> Vec<Condition> {
        members.iter().map(|member| self.condition(*member, rows)).collect()
    }

    fn cardinality(&mut self, (min, max): (u64, Option<u64>), members: &[NodeId], rows: Rows) -> Condition {
        let members = self.each(members, rows);
        let ones: Vec<String> = members.iter().map(|m| format!("CASE WHEN {} THEN 1 ELSE 0 END", m.sql)).collect();
        let sum = format!("({})", ones.join(" + "));
        let sql = match max {
            None => format!("{sum} >= {min}"),
            Some(max) => format!("({sum} BETWEEN {min} AND {max})"),
        };
        let joins = members.into_iter().flat_map(|m| m.joins).collect();
        Condition { sql, joins }
    }

    /// Whether a value is there; an n-th event is where there are so many.
    fn known(&mut self, id: NodeId, rows: Rows) -> Condition {
        if let Some(Node::EventTime { n, query, .. }) = self.node(id) {
            return self.count(query).test(|count| format!("{count} >= {n}"));
        }
        let value = self.value(id, rows);
        if value.kind == Kind::Missing {
            return Condition::constant(false);
        }
        Condition { sql: format!("{} IS NOT NULL", value.sql), joins: value.joins }
    }

    fn comparison(&mut self, op: CompareOp, left: NodeId, right: NodeId, rows: Rows) -> Condition {
        // Of a text that is compared with one that is written out few letters matter.
        let text = |id| {
            let Some(Node::Literal(Literal(seg_data::Value::Text(text)))) = self.node(id) else { return None };
            (op == CompareOp::Equal).then(|| text.clone())
        };
        let (of_left, of_right) = (text(left), text(right));
        let left_value = self.text_value(left, of_right.as_deref(), rows);
        let right_value = self.text_value(right, of_left.as_deref(), rows);
        if let (true, Some(n)) = (is_whole(left_value.kind), self.number_of(right)) {
            return whole_with_number(op, left_value, n);
        }
        if let (true, Some(n)) = (is_whole(right_value.kind), self.number_of(left)) {
            return whole_with_number(flipped(op), right_value, n);
        }
        self.compare(op, left_value, right_value)
    }

    /// The number that a node writes out.
    fn number_of(&self, id: NodeId) -> Option<f64> {
        let Some(Node::Literal(Literal(seg_data::Value::Number(n)))) = self.node(id) else { return None };
        Some(*n)
    }

    /// How two values compare; never where one is missing.
    pub fn compare(&mut self, op: CompareOp, left: Value, right: Value) -> Condition {
        let sign = sign(op);
        match (left.kind, right.kind) {
            (Kind::Missing | Kind::List(_) | Kind::Records, _) | (_, Kind::Missing | Kind::List(_) | Kind::Records) => {
                Condition::constant(false)
            }
            (Kind::Number, Kind::Integer | Kind::WideInteger) => self.whole_with(flipped(op), right, left),
            (Kind::Integer | Kind::WideInteger, Kind::Number) => self.whole_with(op, left, right),
            (Kind::Text, Kind::Text) if op != CompareOp::Equal => {
                let says = self.says;
                let joined = left.with(right, Kind::Boolean, |l, r| {
                    format!("{} {sign} {}", says.by_code_point(l), says.by_code_point(r))
                });
                joined.test(str::to_owned)
            }
            (
                Kind::Boolean
                | Kind::Integer
                | Kind::WideInteger
                | Kind::Number
                | Kind::Money
                | Kind::WideMoney
                | Kind::Text
                | Kind::Instant
                | Kind::Day,
                Kind::Boolean
                | Kind::Integer
                | Kind::WideInteger
                | Kind::Number
                | Kind::Money
                | Kind::WideMoney
                | Kind::Text
                | Kind::Instant
                | Kind::Day,
            ) => left.with(right, Kind::Boolean, |l, r| format!("{l} {sign} {r}")).test(str::to_owned),
        }
    }

    /// A whole number with a floating-point one, by mathematical value.
    fn whole_with(&mut self, op: CompareOp, whole: Value, number: Value) -> Condition {
        let says = self.says;
        // Up to here floating point has every whole number.
        if let Ok(n) = whole.sql.parse::<i64>()
            && n.unsigned_abs() <= 1 << 53
        {
            let sign = sign(op);
            return number.test(|number| format!("{} {sign} {number}", says.number(n as f64)));
        }
        let limit = says.number(2_f64.powi(126));
        let joined = whole.with(number, Kind::Boolean, |i, n| {
            says.bind(&[i, n], &|named| {
                let [i, n] = named else { return String::new() };
                let floor = says.whole(&format!("floor({n})"));
                let (is_less, exact) = (matches!(op, CompareOp::Less | CompareOp::LessOrEqual), format!("{n} = floor({n})"));
                let is_more = matches!(op, CompareOp::Greater | CompareOp::GreaterOrEqual);
                let inside = match op {
                    CompareOp::Equal => format!("{i} = {floor} AND {exact}"),
                    CompareOp::Less => format!("{i} < {floor} OR ({i} = {floor} AND NOT {exact})"),
                    CompareOp::LessOrEqual => format!("{i} <= {floor}"),
                    CompareOp::Greater => format!("{i} > {floor}"),
                    CompareOp::GreaterOrEqual => format!("{i} > {floor} OR ({i} = {floor} AND {exact})"),
                };
                format!(
                    "{i} IS NOT NULL AND CASE WHEN {n} >= {limit} THEN {is_less} WHEN {n} <= -{limit} THEN {is_more} ELSE {inside} END"
                )
            })
        });
        joined.test(|sql| format!("({sql})"))
    }

    fn one_of(&mut self, id: NodeId, literals: &[Literal], rows: Rows) -> Condition {
        let texts: Option<String> = literals.iter().map(|Literal(value)| text_of(value)).collect();
        let value = self.text_value(id, texts.as_deref(), rows);
        let mut each = Vec::new();
        for Literal(literal) in literals {
            let other = self.literal(literal);
            // A list of one type is one comparison.
            let is_plain = other.kind == value.kind && value.kind != Kind::Number;
            if !is_plain {
                let mixed = literals.iter().map(|Literal(literal)| match literal {
                    seg_data::Value::Number(n) if is_whole(value.kind) => {
                        whole_with_number(CompareOp::Equal, value.clone(), *n)
                    }
                    literal => {
                        let other = self.literal(literal);
                        self.compare(CompareOp::Equal, value.clone(), other)
                    }
                });
                return Condition::join(mixed.collect(), "OR", false);
            }
            each.push(other.sql);
        }
        if each.is_empty() || value.kind == Kind::Missing {
            return Condition::constant(false);
        }
        value.test(|value| format!("{value} IN ({})", each.join(", ")))
    }

    fn sample(&mut self, name: &str, below: u64, is_complement: bool) -> Condition {
        if below == 0 || below >= sample::PLACES {
            return Condition::constant((below > 0) != is_complement);
        }
        let digits = self.says.sample(name, "p.id");
        let sign = if is_complement { ">=" } else { "<" };
        let place = self.says.text(&format!("{below:08x}"));
        Condition { sql: format!("{digits} {sign} {place}"), joins: Joins::from([Join::Person]) }
    }

    /// What is said of the id; who is merged with whom is in the tables already.
    fn profile(&mut self, test: &IdTest) -> Condition {
        let id = || Value::of("p.id", Kind::Text, Join::Person);
        match test {
            IdTest::OneOf(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| self.says.text(id)).collect();
                id().test(|id| format!("{id} IN ({})", ids.join(", ")))
            }
            IdTest::InList(list) => self.value_in_list(id(), list),
            IdTest::Text(op, text) => self.text_holds(*op, id(), text, false),
        }
    }

    fn text_test(&mut self, op: TextOp, id: NodeId, text: &str, ignore_case: bool, rows: Rows) -> Condition {
        // Of a pattern only what becomes an ASCII letter matters: all else it matches in any case.
        let letters = if op == TextOp::Matches { "sk" } else { text };
        let value = self.text_value(id, Some(letters), rows);
        self.text_holds(op, value, text, ignore_case)
    }

    fn text_holds(&mut self, op: TextOp, value: Value, text: &str, ignore_case: bool) -> Condition {
        let says = self.says;
        match op {
            TextOp::Contains => value.test(|value| says.contains(value, text)),
            TextOp::StartsWith => value.test(|value| says.starts_with(value, text)),
            TextOp::EndsWith => value.test(|value| says.ends_with(value, text)),
            TextOp::Matches => match crate::pattern::print(text, ignore_case, says) {
                Ok(pattern) => value.test(|value| says.matches(value, &pattern)),
                Err(reason) => {
                    self.refuse(&format!("`matches \"{text}\"`"), &reason);
                    Condition::constant(false)
                }
            },
        }
    }

    fn list_has(&mut self, id: NodeId, item: &seg_data::Value, rows: Rows) -> Condition {
        let list = self.text_value(id, text_of(item), rows);
        let Kind::List(of) = list.kind else { return Condition::constant(false) };
        let of = kind_of(&of.ty());
        let item = match (of, item) {
            // An integer that floating point has; no list of numbers holds another.
            (Kind::Number, seg_data::Value::Integer(n)) if *n as f64 as i128 == *n => {
                Value::plain(self.says.number(*n as f64), Kind::Number)
            }
            (Kind::Integer, seg_data::Value::Number(n)) if n.fract() == 0.0 && n.abs() < 9e18 => {
                Value::plain((*n as i64).to_string(), Kind::Integer)
            }
            (
                Kind::Boolean
                | Kind::Integer
                | Kind::WideInteger
                | Kind::Number
                | Kind::Money
                | Kind::WideMoney
                | Kind::Text
                | Kind::Instant
                | Kind::Day
                | Kind::List(_)
                | Kind::Records
                | Kind::Missing,
                item,
            ) => self.literal(item),
        };
        if item.kind != of {
            return Condition::constant(false);
        }
        let says = self.says;
        list.with(item, Kind::Boolean, |list, item| says.has(list, item)).test(str::to_owned)
    }
}

/// The text that a value is.
fn text_of(value: &seg_data::Value) -> Option<&str> {
    if let seg_data::Value::Text(text) = value { Some(text) } else { None }
}

/// A whole number with one of floating point that is written out.
fn whole_with_number(op: CompareOp, value: Value, n: f64) -> Condition {
    let floor = n.floor();
    if floor.abs() >= 2_f64.powi(126) {
        let is_less = n > 0.0 && matches!(op, CompareOp::Less | CompareOp::LessOrEqual);
        let is_more = n < 0.0 && matches!(op, CompareOp::Greater | CompareOp::GreaterOrEqual);
        let sql = if is_less || is_more { format!("{} IS NOT NULL", value.sql) } else { "false".to_owned() };
        return Condition { sql, joins: value.joins };
    }
    let (whole, is_exact) = (floor as i128, n == floor);
    let sign = match (op, is_exact) {
        (CompareOp::Equal, true) => "=",
        (CompareOp::Equal, false) => return Condition::constant(false),
        (CompareOp::Less, true) => "<",
        (CompareOp::Less, false) | (CompareOp::LessOrEqual, true | false) => "<=",
        (CompareOp::Greater, true | false) | (CompareOp::GreaterOrEqual, false) => ">",
        (CompareOp::GreaterOrEqual, true) => ">=",
    };
    value.test(|value| format!("{value} {sign} {whole}"))
}

fn is_whole(kind: Kind) -> bool {
    kind.measure() == Some(Measure::Whole)
}

fn flipped(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Equal => CompareOp::Equal,
        CompareOp::Less => CompareOp::Greater,
        CompareOp::LessOrEqual => CompareOp::GreaterOrEqual,
        CompareOp::Greater => CompareOp::Less,
        CompareOp::GreaterOrEqual => CompareOp::LessOrEqual,
    }
}

fn sign(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Equal => "=",
        CompareOp::Less => "<",
        CompareOp::LessOrEqual => "<=",
        CompareOp::Greater => ">",
        CompareOp::GreaterOrEqual => ">=",
    }
}
