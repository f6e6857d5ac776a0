//! Values of expressions.

use super::events::Occurrence;
use super::{Element, Evaluator, Person};
use crate::hir::{Aggregate, ArithmeticOp, CalendarPart, End, Expr, ExprKind, Length, Moment, Query};
use crate::text::fold_value;
use seg_data::money::{MONEY_SCALE, divide_half_even};
use seg_data::time::DAY;
use seg_data::{Money, Period, Place, Type, Value, Zone};
use std::cmp::Ordering;
use std::collections::BTreeSet;

impl Evaluator<'_> {
    /// A value, or `None` when it is missing.
    pub(super) fn value(&self, expr: &Expr, person: &Person<'_>, event: Option<&Occurrence>) -> Option<Value> {
        match &expr.kind {
            ExprKind::Literal(value) => Some(value.clone()),
            ExprKind::Attribute(id) => person.batch.attribute(*id, person.row, self.now),
            ExprKind::Property(ids) => {
                let event = event?;
                let (_, property) = ids.iter().find(|(of, _)| *of == event.event)?;
                person.batch.events(event.event)?.property(*property, event.idx)
            }
            ExprKind::Moment(moment) => Some(Value::Timestamp(moment.at(self.now))),
            ExprKind::Today { zone, offset } => Some(Value::Date(offset.from(zone.date(self.now)))),
            ExprKind::Time => Some(Value::Timestamp(event?.time)),
            ExprKind::Element { list, field } => match (person.element.borrow().clone()?, field) {
                (Element::Value(value), None) => Some(value),
                (Element::Record(record), Some(field)) => {
                    person.batch.attribute_column(*list)?.fields().get(*field as usize)?.value(record)
                }
                (Element::Value(_) | Element::Stretch(_), Some(_))
                | (Element::Record(_) | Element::Stretch(_), None) => None,
            },
            ExprKind::History { attribute, filter, of } => self.of_history(*attribute, filter, *of, person, event),
            ExprKind::HeldValue { is_before, .. } => match person.element.borrow().clone()? {
                Element::Stretch(stretch) => {
                    if *is_before {
                        stretch.before
                    } else {
                        stretch.value
                    }
                }
                Element::Value(_) | Element::Record(_) => None,
            },
            ExprKind::Field { list, field } => {
                let event = event?;
                let (_, property) = list.iter().find(|(of, _)| *of == event.event)?;
                let records = person.batch.events(event.event)?.property_column(*property)?;
                records.fields().get(*field as usize)?.value(event.item?)
            }
            ExprKind::Shift { of, by, is_back } => shift(self.value(of, person, event)?, *by, *is_back),
            ExprKind::DayOf(time, zone) => match self.value(time, person, event)? {
                Value::Timestamp(time) => Some(Value::Date(zone.date(time))),
                other => Some(other),
            },
            ExprKind::Part(part, of, zone) => calendar_part(*part, &self.value(of, person, event)?, *zone),
            ExprKind::Anniversary(day, from) => {
                match (self.value(day, person, event)?, self.value(from, person, event)?) {
                    (Value::Date(day), Value::Date(from)) => Some(Value::Date(day.anniversary_from(from))),
                    _ => None,
                }
            }
            ExprKind::Elapsed(time) => match self.value(time, person, event)? {
                Value::Timestamp(time) => Some(Value::Integer(i128::from(self.now.0) - i128::from(time.0))),
                _ => None,
            },
            ExprKind::Distance { latitude, longitude, to } => {
                let (north, east) = (self.value(latitude, person, event)?, self.value(longitude, person, event)?);
                distance(&north, &east, *to)
            }
            ExprKind::UsualGap(query) => self.usual_gap(query, person).map(|gap| Value::Integer(gap.into())),
            ExprKind::MostWithin { query, within } => {
                Some(Value::Integer(self.most_within(query, *within, person) as i128))
            }
            ExprKind::Seen(end, known_at) => self.declared_or_seen(*end, *known_at, person),
            ExprKind::Arithmetic(op, left, right) => {
                let (left, right) = (self.value(left, person, event)?, self.value(right, person, event)?);
                arithmetic(*op, &left, &right)
            }
            ExprKind::Scale { money, numerator, denominator } => {
                scale(&self.value(money, person, event)?, *numerator, *denominator)
            }
            ExprKind::Convert(inner) => match (self.value(inner, person, event)?, &expr.ty) {
                (Value::Integer(n), Type::Money) => Money::from_integer(n).map(Value::from),
                (Value::Integer(n), _) => Value::number(n as f64),
                (value, _) => Some(value),
            },
            ExprKind::FoldCase(inner) => Some(fold_value(self.value(inner, person, event)?)),
            ExprKind::ListLength(list) => {
                let n_records = n_records(list, person, event).map(|n| Value::Integer(n as i128));
                n_records.or_else(|| match self.value(list, person, event)? {
                    Value::List(items) => Some(Value::Integer(items.len() as i128)),
                    _ => None,
                })
            }
            ExprKind::Aggregate { function, measure, items, query } => {
                let mut rows = self.events(query, person);
                if let Some(list) = items {
                    rows = rows.iter().flat_map(|event| event.items(list, person)).collect();
                }
                self.aggregate(*function, measure.as_deref(), &rows, person)
            }
            ExprKind::Periods { unit, zone, query } => {
                let days: BTreeSet<i32> =
                    self.events(query, person).iter().map(|e| unit.number(zone.date(e.time))).collect();
                Some(Value::Integer(days.len() as i128))
            }
            ExprKind::EventTime { end, query } => self.event_time(*end, query, person),
            ExprKind::Error => None,
        }
    }

    /// When a person was first or last seen: as the schema's attribute says, where
    /// it declares one, else as the events say.
    fn declared_or_seen(&self, end: End, known_at: Option<Moment>, person: &Person<'_>) -> Option<Value> {
        let declared = person.batch.schema().first_seen.filter(|_| end == End::First);
        let declared = declared.and_then(|id| person.batch.attribute(id, person.row, self.now));
        declared.or_else(|| self.seen(end, known_at, person).map(Value::Timestamp))
    }

    fn event_time(&self, end: End, query: &Query, person: &Person<'_>) -> Option<Value> {
        let events = self.events(query, person);
        let event = match end {
            End::First => events.first(),
            End::Last => events.last(),
        };
        event.map(|e| Value::Timestamp(e.time))
    }

    fn aggregate(
        &self,
        function: Aggregate,
        measure: Option<&Expr>,
        events: &[Occurrence],
        person: &Person<'_>,
    ) -> Option<Value> {
        let Some(measure) = measure else { return Some(Value::Integer(events.len() as i128)) };
        let values: Vec<Value> = events.iter().filter_map(|e| self.value(measure, person, Some(e))).collect();
        aggregate(function, values, &measure.ty)
    }
}

/// An aggregate over the values that are there, in the order of their events.
pub fn aggregate(function: Aggregate, values: Vec<Value>, ty: &Type) -> Option<Value> {
    match function {
        Aggregate::Count => Some(Value::Integer(values.len() as i128)),
        Aggregate::CountDifferent => {
            let mut different: Vec<&Value> = Vec::new();
            for value in &values {
                if !different.iter().any(|d| compare(d, value) == Some(Ordering::Equal)) {
                    different.push(value);
                }
            }
            Some(Value::Integer(different.len() as i128))
        }
        Aggregate::Total => total(&values, ty),
        Aggregate::Average => average(&values, ty),
        Aggregate::Smallest => extreme(values, Ordering::Less),
        Aggregate::Largest => extreme(values, Ordering::Greater),
        Aggregate::MostFrequent => most_frequent(&values),
    }
}

/// The value that is there most often; of several the one seen last.
fn most_frequent(values: &[Value]) -> Option<Value> {
    let times = |value: &Value| values.iter().filter(|v| compare(v, value) == Some(Ordering::Equal)).count();
    let most = values.iter().map(times).max()?;
    values.iter().rev().find(|value| times(value) == most).cloned()
}

/// Money or a length of time times a fraction, rounded half to even.
pub fn scale(value: &Value, numerator: i128, denominator: i128) -> Option<Value> {
    match value {
        Value::Money(scaled) => money(divide_half_even(scaled.checked_mul(numerator)?, denominator)),
        Value::Integer(micros) => integer(divide_half_even(micros.checked_mul(numerator)?, denominator)),
        _ => None,
    }
}

/// A time or a day so much later, or earlier; fixed lengths move days by whole
/// days.
pub fn shift(value: Value, by: Length, is_back: bool) -> Option<Value> {
    let sign = if is_back { -1 } else { 1 };
    match (value, by.period) {
        (Value::Timestamp(time), _) if is_back => Some(Value::Timestamp(by.before(time))),
        (Value::Timestamp(time), _) => Some(Value::Timestamp(by.after(time))),
        (Value::Date(day), Period::Fixed(micros)) => Some(Value::Date(day.plus_days(sign * (micros / DAY)))),
        (Value::Date(day), Period::Months(months)) => Some(Value::Date(day.plus_months(months.saturating_mul(sign)))),
        _ => None,
    }
}

/// A part of a time in a zone, or of a day.
pub fn calendar_part(part: CalendarPart, of: &Value, zone: Zone) -> Option<Value> {
    let day = match of {
        Value::Timestamp(time) => zone.date(*time),
        Value::Date(day) => *day,
        _ => return None,
    };
    Some(Value::Integer(match (part, of) {
        (CalendarPart::Weekday, _) => day.weekday().into(),
        (CalendarPart::Month, _) => day.month().into(),
        (CalendarPart::TimeOfDay, Value::Timestamp(time)) => zone.time_of_day(*time).into(),
        (CalendarPart::TimeOfDay, _) => return None,
    }))
}

/// How far a place is from another, in kilometres; missing for no place.
pub fn distance(latitude: &Value, longitude: &Value, to: Place) -> Option<Value> {
    let degrees = |value: &Value| match value {
        Value::Number(n) => Some(*n),
        Value::Integer(i) => Some(*i as f64),
        _ => None,
    };
    let here = Place::new(degrees(latitude)?, degrees(longitude)?)?;
    Value::number(here.km_to(to))
}

/// How two values of one type compare; integers and numbers by mathematical
/// value. `None` when they do not compare.
pub fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Boolean(l), Value::Boolean(r)) => Some(l.cmp(r)),
        (Value::Integer(l), Value::Integer(r)) | (Value::Money(l), Value::Money(r)) => Some(l.cmp(r)),
        (Value::Number(l), Value::Number(r)) => l.partial_cmp(r),
        (Value::Integer(l), Value::Number(r)) => integer_with_number(*l, *r),
        (Value::Number(l), Value::Integer(r)) => integer_with_number(*r, *l).map(Ordering::reverse),
        (Value::Text(l), Value::Text(r)) => Some(l.cmp(r)),
        (Value::Timestamp(l), Value::Timestamp(r)) => Some(l.cmp(r)),
        (Value::Date(l), Value::Date(r)) => Some(l.cmp(r)),
        _ => None,
    }
}

/// Exact: no integer is rounded to a number on the way.
fn integer_with_number(integer: i128, number: f64) -> Option<Ordering> {
    if !number.is_finite() {
        return None;
    }
    let floor = number.floor();
    // Beyond 2^126 only the sign matters: integers are far smaller.
    if floor.abs() >= 2f64.powi(126) {
        return Some(if number > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let has_fraction = if number > floor { Ordering::Less } else { Ordering::Equal };
    Some(integer.cmp(&(floor as i128)).then(has_fraction))
}

fn integer(n: Option<i128>) -> Option<Value> {
    n.and_then(|n| i64::try_from(n).ok()).map(|n| Value::Integer(n.into()))
}

fn money(scaled: Option<i128>) -> Option<Value> {
    scaled.and_then(Money::from_scaled).map(Value::from)
}

/// Two numbers combined; `None` where the result does not fit or is none.
pub fn arithmetic(op: ArithmeticOp, left: &Value, right: &Value) -> Option<Value> {
    use ArithmeticOp::{Add, Divide, Multiply, Subtract};
    match (op, left, right) {
        (Add, Value::Integer(l), Value::Integer(r)) => integer(l.checked_add(*r)),
        (Subtract, Value::Integer(l), Value::Integer(r)) => integer(l.checked_sub(*r)),
        (Multiply, Value::Integer(l), Value::Integer(r)) => integer(l.checked_mul(*r)),
        (Divide, Value::Integer(l), Value::Integer(r)) => divide(*l as f64, *r as f64),
        (Add, Value::Money(l), Value::Money(r)) => money(l.checked_add(*r)),
        (Subtract, Value::Money(l), Value::Money(r)) => money(l.checked_sub(*r)),
        (Divide, Value::Money(l), Value::Money(r)) => divide(*l as f64, *r as f64),
        (Multiply, Value::Money(m), Value::Integer(n)) | (Multiply, Value::Integer(n), Value::Money(m)) => {
            money(m.checked_mul(*n))
        }
        (Divide, Value::Money(m), Value::Integer(n)) => money(divide_half_even(*m, *n)),
        (Multiply, Value::Money(m), Value::Number(n)) | (Multiply, Value::Number(n), Value::Money(m)) => {
            Money::from_number(*m as f64 / MONEY_SCALE as f64 * n).map(Value::from)
        }
        (Divide, Value::Money(m), Value::Number(n)) => match n {
            0.0 => None,
            n => Money::from_number(*m as f64 / MONEY_SCALE as f64 / n).map(Value::from),
        },
        (_, Value::Number(_) | Value::Integer(_), Value::Number(_) | Value::Integer(_)) => {
            let (l, r) = (as_number(left)?, as_number(right)?);
            match op {
                Add => Value::number(l + r),
                Subtract => Value::number(l - r),
                Multiply => Value::number(l * r),
                Divide => divide(l, r),
            }
        }
        _ => None,
    }
}

fn divide(left: f64, right: f64) -> Option<Value> {
    if right == 0.0 { None } else { Value::number(left / right) }
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => Some(*n),
        Value::Integer(n) => Some(*n as f64),
        _ => None,
    }
}

/// The sum in 128 bits; numbers are added in the order of the events.
fn total(values: &[Value], ty: &Type) -> Option<Value> {
    match ty {
        Type::Number => Value::number(values.iter().filter_map(as_number).fold(0.0, |sum, n| sum + n)),
        _ => {
            // 2^31 events of 64 bits each cannot overflow 128 bits.
            let sum = values.iter().fold(0_i128, |sum, v| match v {
                Value::Integer(n) | Value::Money(n) => sum.saturating_add(*n),
                _ => sum,
            });
            Some(if *ty == Type::Money { Value::Money(sum) } else { Value::Integer(sum) })
        }
    }
}

fn average(values: &[Value], ty: &Type) -> Option<Value> {
    let n = values.len();
    match total(values, ty)? {
        _ if n == 0 => None,
        Value::Money(sum) => money(divide_half_even(sum, n as i128)),
        Value::Integer(sum) => divide(sum as f64, n as f64),
        Value::Number(sum) => divide(sum, n as f64),
        _ => None,
    }
}

fn extreme(values: Vec<Value>, wanted: Ordering) -> Option<Value> {
    values.into_iter().reduce(|best, v| if compare(&v, &best) == Some(wanted) { v } else { best })
}

/// How many records a list of them has, of a person or of an event.
fn n_records(list: &Expr, person: &Person<'_>, event: Option<&Occurrence>) -> Option<usize> {
    let records = match &list.kind {
        ExprKind::Attribute(id) => person.batch.attribute_column(*id)?.records(person.row),
        ExprKind::Property(ids) => {
            let event = event?;
            let (_, property) = ids.iter().find(|(of, _)| *of == event.event)?;
            person.batch.events(event.event)?.property_column(*property)?.records(event.idx)
        }
        _ => None,
    };
    records.map(|records| records.len())
}
