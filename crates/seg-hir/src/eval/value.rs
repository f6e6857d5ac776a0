//! Values of expressions.

use super::events::Occurrence;
use super::{Evaluator, Person};
use crate::hir::{Aggregate, ArithmeticOp, End, Expr, ExprKind, Query};
use crate::text::fold_value;
use seg_data::money::{MONEY_SCALE, divide_half_even};
use seg_data::{Money, Type, Value};
use std::cmp::Ordering;
use std::collections::BTreeSet;

impl Evaluator<'_> {
    /// A value, or `None` when it is missing.
    pub(super) fn value(&self, expr: &Expr, person: &Person<'_>, event: Option<&Occurrence>) -> Option<Value> {
        match &expr.kind {
            ExprKind::Literal(value) => Some(value.clone()),
            ExprKind::Attribute(id) => person.batch.attribute(*id, person.row),
            ExprKind::Property(ids) => {
                let event = event?;
                let (_, property) = ids.iter().find(|(of, _)| *of == event.event)?;
                person.batch.events(event.event)?.property(*property, event.idx)
            }
            ExprKind::Moment(moment) => Some(Value::Timestamp(moment.at(self.now))),
            ExprKind::Today { zone, offset } => Some(Value::Date(offset.from(zone.date(self.now)))),
            ExprKind::Seen(end) => {
                let declared = person.batch.schema().first_seen.filter(|_| *end == End::First);
                let declared = declared.and_then(|id| person.batch.attribute(id, person.row));
                declared.or_else(|| self.seen(*end, person).map(Value::Timestamp))
            }
            ExprKind::Arithmetic(op, left, right) => {
                let (left, right) = (self.value(left, person, event)?, self.value(right, person, event)?);
                arithmetic(*op, &left, &right)
            }
            ExprKind::Scale { money, numerator, denominator } => match self.value(money, person, event)? {
                Value::Money(scaled) => {
                    let product = scaled.checked_mul(*numerator)?;
                    Money::from_scaled(divide_half_even(product, *denominator)?).map(Value::from)
                }
                _ => None,
            },
            ExprKind::Convert(inner) => match (self.value(inner, person, event)?, &expr.ty) {
                (Value::Integer(n), Type::Money) => Money::from_integer(n).map(Value::from),
                (Value::Integer(n), _) => Value::number(n as f64),
                (value, _) => Some(value),
            },
            ExprKind::FoldCase(inner) => Some(fold_value(self.value(inner, person, event)?)),
            ExprKind::ListLength(list) => match self.value(list, person, event)? {
                Value::List(items) => Some(Value::Integer(items.len() as i128)),
                _ => None,
            },
            ExprKind::Aggregate { function, measure, query } => {
                self.aggregate(*function, measure.as_deref(), query, person)
            }
            ExprKind::Periods { unit, zone, query } => {
                let days: BTreeSet<i32> =
                    self.events(query, person).iter().map(|e| unit.number(zone.date(e.time))).collect();
                Some(Value::Integer(days.len() as i128))
            }
            ExprKind::EventTime { end, query } => {
                let events = self.events(query, person);
                let event = match end {
                    End::First => events.first(),
                    End::Last => events.last(),
                };
                event.map(|e| Value::Timestamp(e.time))
            }
            ExprKind::Error => None,
        }
    }

    fn aggregate(
        &self,
        function: Aggregate,
        measure: Option<&Expr>,
        query: &Query,
        person: &Person<'_>,
    ) -> Option<Value> {
        let events = self.events(query, person);
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
    }
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
