//! Makes conditions and values in the one form that each has.

use super::{Bound, CompareOp, Cond, DayOffset, Expr, ExprKind, Interval, Moment, Query};
use seg_data::{EventId, Type, Value, Zone};

impl Expr {
    /// A literal.
    pub fn literal(value: Value, ty: Type) -> Expr {
        Expr { kind: ExprKind::Literal(value), ty, may_be_missing: false }
    }

    /// What stands for something already reported.
    pub fn error() -> Expr {
        Expr { kind: ExprKind::Error, ty: Type::Boolean, may_be_missing: false }
    }

    /// A whole number that is always there, such as a count.
    pub fn count(kind: ExprKind) -> Expr {
        Expr { kind, ty: Type::Integer, may_be_missing: false }
    }

    /// The time of the event at hand.
    pub fn event_time() -> Expr {
        Expr { kind: ExprKind::Time, ty: Type::Timestamp, may_be_missing: false }
    }

    /// A moment as a value.
    pub fn moment(moment: Moment) -> Expr {
        Expr { kind: ExprKind::Moment(moment), ty: Type::Timestamp, may_be_missing: false }
    }

    /// A calendar day, so far off the day of `now`.
    pub fn today(zone: Zone, offset: DayOffset) -> Expr {
        Expr { kind: ExprKind::Today { zone, offset }, ty: Type::Date, may_be_missing: false }
    }

    /// Whether a time lies in an interval; any time that is there lies in one
    /// without limits.
    pub fn in_interval(&self, interval: Interval) -> Cond {
        let test = |bound: Bound, open, closed| {
            let op = if bound.is_closed { closed } else { open };
            Cond::Compare(op, self.clone(), Expr::moment(bound.moment))
        };
        let from = interval.from.map(|b| test(b, CompareOp::Greater, CompareOp::GreaterOrEqual));
        let to = interval.to.map(|b| test(b, CompareOp::Less, CompareOp::LessOrEqual));
        match from.is_none() && to.is_none() {
            true => Cond::Known(self.clone()),
            false => Cond::all(from.into_iter().chain(to).collect()),
        }
    }

    /// Whether a count is at least so much and at most so much, with one
    /// comparison where one suffices.
    pub fn in_range(&self, min: u64, max: Option<u64>) -> Cond {
        let number = |n: u64| Expr::literal(Value::Integer(n.into()), Type::Integer);
        let compare = |op, n| Cond::Compare(op, self.clone(), number(n));
        match (min, max) {
            (min, Some(max)) if min == max => compare(CompareOp::Equal, min),
            (0, Some(max)) => compare(CompareOp::LessOrEqual, max),
            (min, Some(max)) => {
                Cond::all(vec![compare(CompareOp::GreaterOrEqual, min), compare(CompareOp::LessOrEqual, max)])
            }
            (min, None) => compare(CompareOp::GreaterOrEqual, min),
        }
    }
}

impl Query {
    /// Events of some names, whenever they were.
    pub fn of(events: Vec<EventId>, known_at: Option<Moment>) -> Query {
        Query { events, interval: Interval::default(), filter: None, known_at }
    }

    /// Adds a condition to those that its events meet.
    pub fn narrow(&mut self, cond: Cond) {
        let filters = self.filter.take().map(|f| *f).into_iter().chain([cond]).collect();
        self.filter = Some(Box::new(Cond::all(filters)));
    }
}

impl Cond {
    /// All of them, with nested `All` flattened.
    pub fn all(members: Vec<Cond>) -> Cond {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Cond::All(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            1 => flat.pop().unwrap_or(Cond::Const(true)),
            _ => Cond::All(flat),
        }
    }

    /// Any of them, with nested `Any` flattened.
    pub fn any(members: Vec<Cond>) -> Cond {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Cond::Any(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            1 => flat.pop().unwrap_or(Cond::Const(false)),
            _ => Cond::Any(flat),
        }
    }

    /// A row of conditions, each as it is; one alone is no row.
    pub fn row(mut members: Vec<Cond>, of: fn(Vec<Cond>) -> Cond) -> Cond {
        match (members.len(), members.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                members.extend(last);
                of(members)
            }
        }
    }

    /// The opposite; two negations cancel.
    pub fn negate(self) -> Cond {
        match self {
            Cond::Not(inner) => *inner,
            Cond::Const(value) => Cond::Const(!value),
            other => Cond::Not(Box::new(other)),
        }
    }
}
