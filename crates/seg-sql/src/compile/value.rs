//! Values.

use super::{Compiler, Rows};
use crate::text::{Kind, Measure, Value};
use seg_data::{Place, Type};
use seg_hir::hir::{Aggregate, ArithmeticOp};
use seg_plan::{Literal, Node, NodeId};

/// What a value of a type is.
pub(crate) fn kind_of(ty: &Type) -> Kind {
    match ty {
        Type::Boolean => Kind::Boolean,
        Type::Integer | Type::Duration => Kind::Integer,
        Type::Number => Kind::Number,
        Type::Money => Kind::Money,
        Type::Text => Kind::Text,
        Type::Timestamp => Kind::Instant,
        Type::Date => Kind::Day,
        Type::List(of) => Kind::List(*of),
        Type::Records(_) => Kind::Records,
    }
}

fn missing() -> Value {
    Value::plain("NULL", Kind::Missing)
}

impl Compiler<'_> {
    /// A value of the rows at hand, NULL where it is missing.
    pub fn value(&mut self, id: NodeId, rows: Rows) -> Value {
        let Some(node) = self.node(id) else { return missing() };
        match node {
            Node::Literal(Literal(value)) => self.literal(value),
            Node::Attribute(id, ty) => self.attribute(*id, ty),
            Node::Property(ids, ty) => self.property(ids, ty),
            Node::Moment(moment) => Value::plain(super::instant(moment.at(self.now)), Kind::Instant),
            Node::Today { zone, offset } => {
                let day = offset.from(zone.date(self.now));
                Value::plain(format!("{} /* {day} */", day.0), Kind::Day)
            }
            Node::Seen(end, known_at) => self.seen(*end, *known_at),
            Node::Time => Value::plain("e.us", Kind::Instant),
            Node::Field { list, field, ty } => self.field(list, *field, ty),
            Node::Element { list, field, ty } => self.element(*list, *field, ty),
            Node::History { attribute, filter, of } => self.of_history(*attribute, *filter, *of),
            Node::HeldValue { is_before, ty, .. } => {
                Value::plain(if *is_before { "it.before" } else { "it.v" }, kind_of(ty))
            }
            Node::Shift { of, by, is_back } => self.shift(*of, *by, *is_back, rows),
            Node::DayOf(of, zone) => self.day_of(*of, *zone, rows),
            Node::Part(part, of, zone) => self.calendar_part(*part, *of, *zone, rows),
            Node::Anniversary(day, from) => self.anniversary(*day, *from, rows),
            Node::Elapsed(time) => {
                let now = super::instant(self.now);
                self.value(*time, rows).map(Kind::Integer, |time| format!("({now} - {time})"))
            }
            Node::Distance { latitude, longitude, to } => {
                let to = to.map(f64::from_bits);
                match Place::new(to[0], to[1]) {
                    Some(to) => self.distance(*latitude, *longitude, to, rows),
                    None => missing(),
                }
            }
            Node::UsualGap(query) => self.usual_gap(query),
            Node::MostWithin { query, within } => self.most_within(query, *within),
            Node::Arithmetic(op, left, right) => self.arithmetic(*op, *left, *right, rows),
            Node::Scale { money, numerator, denominator } => {
                let value = self.value(*money, rows);
                self.scale(value, *numerator, *denominator)
            }
            Node::Convert(inner, ty) => self.convert(*inner, ty, rows),
            Node::FoldCase(_) => self.text_value(id, None, rows),
            Node::ListLength(list) => {
                let (says, list) = (self.says, self.value(*list, rows));
                let is_records = list.kind == Kind::Records;
                list.map(Kind::Integer, |list| says.length(list, is_records))
            }
            Node::Aggregate { function, measure, items, query } => {
                let measure = measure.as_ref().map(|(measure, ty)| (*measure, ty));
                self.aggregate(*function, measure, items.as_deref(), query)
            }
            Node::Periods { unit, zone, query } => self.periods(*unit, *zone, query),
            Node::EventTime { end, n, query } => self.event_time(*end, *n, query),
            Node::Missing => missing(),
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
            | Node::InList(..)
            | Node::Profile(_)
            | Node::Elements { .. } => missing(),
        }
    }

    /// A value that is written out.
    pub fn literal(&mut self, value: &seg_data::Value) -> Value {
        match value {
            seg_data::Value::Boolean(b) => Value::plain(b.to_string(), Kind::Boolean),
            seg_data::Value::Integer(n) => Value::plain(n.to_string(), Kind::Integer),
            seg_data::Value::Money(n) => Value::plain(n.to_string(), Kind::Money),
            seg_data::Value::Number(n) => Value::plain(self.says.number(*n), Kind::Number),
            seg_data::Value::Text(text) => Value::plain(self.says.text(text), Kind::Text),
            seg_data::Value::Timestamp(at) => Value::plain(super::instant(*at), Kind::Instant),
            seg_data::Value::Date(day) => Value::plain(format!("{} /* {day} */", day.0), Kind::Day),
            seg_data::Value::List(_) => {
                self.refuse("a list that is written out", "only its items can be compared");
                missing()
            }
        }
    }

    fn arithmetic(&mut self, op: ArithmeticOp, left: NodeId, right: NodeId, rows: Rows) -> Value {
        let (left, right) = (self.value(left, rows), self.value(right, rows));
        self.calculate(op, left, right)
    }

    fn calculate(&mut self, op: ArithmeticOp, left: Value, right: Value) -> Value {
        use ArithmeticOp::{Add, Divide, Multiply, Subtract};
        use Measure::{Float, Money, Whole};
        let says = self.says;
        let narrowed = |kind: Kind, left: Value, right: Value| {
            left.with(right, kind, |l, r| says.narrow(&says.combine(op, &says.wide(l), &says.wide(r))))
        };
        let number = |value: Value| {
            let is_wide = matches!(value.kind, Kind::WideInteger | Kind::WideMoney);
            // Asked of numbers alone.
            if value.kind == Kind::Number { value } else { value.map(Kind::Number, |n| says.to_number(n, is_wide)) }
        };
        let is_wide = |kind: Kind| kind == Kind::WideMoney;
        let (l, r) = (left.kind, right.kind);
        let (Some(of_left), Some(of_right)) = (l.measure(), r.measure()) else { return missing() };
        match (op, of_left, of_right) {
            (Add | Subtract | Multiply, Whole, Whole) => narrowed(Kind::Integer, left, right),
            (Add | Subtract, Money, Money) | (Multiply | Divide, Money, Whole) | (Multiply, Whole, Money) => {
                narrowed(Kind::Money, left, right)
            }
            (Divide, Money, Money) | (Divide, Whole, Whole) | (_, Whole, Float) | (_, Float, Whole | Float) => {
                number(left).with(number(right), Kind::Number, |l, r| says.calculate(op, l, r))
            }
            (Multiply | Divide, Money, Float) => {
                left.with(right, Kind::Money, |m, n| says.scaled(op, m, is_wide(l), n))
            }
            (Multiply, Float, Money) => right.with(left, Kind::Money, |m, n| says.scaled(op, m, is_wide(r), n)),
            (Add | Subtract, Money, Whole | Float)
            | (Add | Subtract | Divide, Whole | Float, Money)
            | (Multiply, Money, Money) => missing(),
        }
    }

    fn scale(&mut self, value: Value, numerator: i128, denominator: i128) -> Value {
        let says = self.says;
        let kind = match value.kind {
            Kind::Money | Kind::WideMoney => Kind::Money,
            Kind::Integer | Kind::WideInteger => Kind::Integer,
            Kind::Boolean
            | Kind::Number
            | Kind::Text
            | Kind::Instant
            | Kind::Day
            | Kind::List(_)
            | Kind::Records
            | Kind::Missing => return missing(),
        };
        value.map(kind, |value| {
            let product = says.combine(ArithmeticOp::Multiply, &says.wide(value), &says.wide(&numerator.to_string()));
            match denominator {
                1 => says.narrow(&product),
                by => says.narrow(&says.half_even(&product, &says.wide(&by.to_string()))),
            }
        })
    }

    fn convert(&mut self, inner: NodeId, ty: &Type, rows: Rows) -> Value {
        let (says, value) = (self.says, self.value(inner, rows));
        let is_wide = value.kind == Kind::WideInteger;
        match value.kind {
            Kind::Integer | Kind::WideInteger if *ty == Type::Money => value.map(Kind::Money, |n| {
                says.narrow(&says.combine(ArithmeticOp::Multiply, &says.wide(n), &says.wide("10000")))
            }),
            Kind::Integer | Kind::WideInteger => value.map(Kind::Number, |n| says.to_number(n, is_wide)),
            Kind::Boolean
            | Kind::Number
            | Kind::Money
            | Kind::WideMoney
            | Kind::Text
            | Kind::Instant
            | Kind::Day
            | Kind::List(_)
            | Kind::Records
            | Kind::Missing => value,
        }
    }

    /// The haversine formula, in whose last bits machines differ.
    fn distance(&mut self, latitude: NodeId, longitude: NodeId, to: Place, rows: Rows) -> Value {
        self.differs(
            "`within … km of`",
            "sines and cosines differ in their last bits: somebody within a thousandth of a millimetre of the edge \
             may be in or out",
        );
        let says = self.says;
        let degrees = |value: Value| match value.kind {
            Kind::Integer => value.map(Kind::Number, |n| says.to_number(n, false)),
            Kind::Boolean
            | Kind::WideInteger
            | Kind::Number
            | Kind::Money
            | Kind::WideMoney
            | Kind::Text
            | Kind::Instant
            | Kind::Day
            | Kind::List(_)
            | Kind::Records
            | Kind::Missing => value,
        };
        let (north, east) = (self.value(latitude, rows), self.value(longitude, rows));
        degrees(north).with(degrees(east), Kind::Number, |north, east| {
            says.bind(&[north, east], &|named| {
                let [north, east] = named else { return String::new() };
                let n = |number: f64| says.number(number);
                let half_sine =
                    |to: f64, of: &str| format!("sin({} / 2)", says.radians(&format!("({} - {of})", n(to))));
                let (a, b) = (half_sine(to.latitude, north), half_sine(to.longitude, east));
                let cosine = |of: &str| format!("cos({})", says.radians(of));
                let cosines = format!("{} * {}", cosine(north), cosine(&n(to.latitude)));
                let root = format!("sqrt({a} * {a} + {cosines} * {b} * {b})");
                format!(
                    "CASE WHEN abs({north}) <= 90 AND abs({east}) <= 180 THEN {} * asin(least({root}, {})) END",
                    n(2.0 * 6371.0088),
                    n(1.0)
                )
            })
        })
    }

    /// An average out of a total and a number of values.
    pub fn average(&mut self, total: Value, n: &str, kind: Kind) -> Value {
        let says = self.says;
        match kind {
            Kind::Money => total.map(Kind::Money, |sum| says.narrow(&says.half_even(&says.wide(sum), &says.wide(n)))),
            Kind::Integer => total.map(Kind::Number, |sum| {
                says.calculate(ArithmeticOp::Divide, &says.to_number(sum, true), &says.to_number(n, false))
            }),
            Kind::Boolean
            | Kind::WideInteger
            | Kind::Number
            | Kind::WideMoney
            | Kind::Text
            | Kind::Instant
            | Kind::Day
            | Kind::List(_)
            | Kind::Records
            | Kind::Missing => total.map(Kind::Number, |sum| {
                let mean = says.calculate(ArithmeticOp::Divide, sum, &says.to_number(n, false));
                format!("CASE WHEN {n} > 0 THEN {mean} END")
            }),
        }
    }
}

/// What an aggregate of values of a kind is.
pub(crate) fn aggregated(function: Aggregate, of: Kind) -> Kind {
    match (function, of) {
        (Aggregate::Count | Aggregate::CountDifferent, _) => Kind::Integer,
        (Aggregate::Total, Kind::Integer) => Kind::WideInteger,
        (Aggregate::Total, Kind::Money) => Kind::WideMoney,
        (Aggregate::Average, Kind::Integer) => Kind::Number,
        (
            Aggregate::Total | Aggregate::Average | Aggregate::Smallest | Aggregate::Largest | Aggregate::MostFrequent,
            of,
        ) => of,
    }
}
