//! Faults on purpose, for the tests that must find them. Not part of any build
//! but theirs.
//!
//! Each is a mistake that a code generator could make, made in the templates and
//! parameters from which code is generated.

use crate::parameters::Parameters;
use crate::template::{
    Arithmetic, Calendar, Column, Cond, Domain, Function, List, Query, Source, Store, Template, Value, ZoneOffsets,
};
use seg_hir::hir::{CompareOp, End};

/// Makes the type with a list of all that it holds.
macro_rules! faults {
    ($($name:ident)*) => {
        /// A mistake.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Fault {
            $($name,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];
        }
    };
}

faults! {
    AttributeNullsIgnored
    PropertyNullsIgnored
    NullListsIgnored
    BaseForgotten
    ValidityOffsetForgotten
    BitOffsetForgotten
    WindowBeginsLate
    WindowBeginsEarly
    WindowEndsEarly
    WindowEndsLate
    FutureCounts
    WindowHasNoStart
    OneFurtherBack
    FirstForLast
    WrongEndOfFew
    FewAskOneMore
    FilterIgnored
    TiesIgnored
    EverythingIsDifferent
    OtherNamesForgotten
    SmallestForLargest
    EqualIsNotEnough
    EqualIsMore
    NotDropped
    AnyForAll
    LastOfSeveralForgotten
    OneMoreOfSeveral
    SumForDifference
    ZoneIgnored
    WeeksAreDays
    KeysForTexts
    KnownIsTrue
    FractionIsInverse
    ItemNullsIgnored
    AverageForTotal
    NoTimeIsEarly
}

/// Makes the mistake everywhere in a template and its parameters. Where code would
/// then read outside of what the parameters have, they can no longer be bound.
pub fn apply(fault: Fault, template: &mut Template, parameters: &mut Parameters) {
    let mut apply = Apply { fault, parameters };
    match template {
        Template::Condition(cond) => apply.cond(cond),
        Template::Value(value) => apply.value(value),
    }
}

struct Apply<'s> {
    fault: Fault,
    parameters: &'s mut Parameters,
}

impl Apply<'_> {
    fn param(&mut self, slot: u32, change: impl FnOnce(i64) -> i64) {
        self.parameters.change(slot, change);
    }

    fn cond(&mut self, cond: &mut Cond) {
        match cond {
            Cond::Const(_) => {}
            Cond::All(members) | Cond::Any(members) => members.iter_mut().for_each(|m| self.cond(m)),
            Cond::Cardinality { min, members, .. } => {
                members.iter_mut().for_each(|m| self.cond(m));
                if self.fault == Fault::OneMoreOfSeveral {
                    self.param(*min, |n| n + 1);
                }
            }
            Cond::Not(inner) => self.cond(inner),
            Cond::Known(value) => self.value(value),
            Cond::Compare(op, left, right) => {
                self.value(left);
                self.value(right);
                *op = match (self.fault, *op) {
                    (Fault::EqualIsNotEnough, CompareOp::GreaterOrEqual) => CompareOp::Greater,
                    (Fault::EqualIsNotEnough, CompareOp::LessOrEqual) => CompareOp::Less,
                    (Fault::EqualIsMore, CompareOp::Equal) => CompareOp::GreaterOrEqual,
                    (_, op) => op,
                };
            }
            Cond::OneOf(value, others) => {
                self.value(value);
                if self.fault == Fault::LastOfSeveralForgotten {
                    others.pop();
                }
            }
            Cond::OneOfInts(value, _, n) => {
                self.value(value);
                if self.fault == Fault::LastOfSeveralForgotten {
                    self.param(*n, |n| n - 1);
                }
            }
            Cond::Test { keys, .. } => self.column(keys),
            Cond::ListKnown(list) | Cond::HasText(list, _) | Cond::Has(list, _) => self.list(list),
            Cond::FirstOrLastN { end, n, query } => {
                self.query(query);
                match self.fault {
                    Fault::WrongEndOfFew => *end = other(*end),
                    Fault::FewAskOneMore => self.param(*n, |n| n + 1),
                    _ => {}
                }
            }
        }
        let replaced = match (self.fault, &mut *cond) {
            (Fault::NotDropped, Cond::Not(inner)) => Some((**inner).clone()),
            (Fault::AnyForAll, Cond::All(members)) => Some(Cond::Any(members.clone())),
            (Fault::KnownIsTrue, Cond::Known(_)) => Some(Cond::Const(true)),
            _ => None,
        };
        if let Some(replaced) = replaced {
            *cond = replaced;
        }
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::Column(column) => self.column(column),
            Value::Rank { keys, .. } => self.column(keys),
            Value::Arithmetic(op, left, right) => {
                self.value(left);
                self.value(right);
                if self.fault == Fault::SumForDifference {
                    *op = match *op {
                        Arithmetic::SubtractInts => Arithmetic::AddInts,
                        Arithmetic::Subtract => Arithmetic::Add,
                        op => op,
                    };
                }
            }
            Value::Scale(money, scale) => {
                self.value(money);
                if self.fault == Fault::FractionIsInverse {
                    std::mem::swap(&mut scale.numerator, &mut scale.denominator);
                }
            }
            Value::ToNumber(inner) | Value::ToMoney(inner) => self.value(inner),
            Value::ListLength(list) => self.list(list),
            Value::Aggregate { function, query } => {
                self.query(query);
                match (self.fault, &*function) {
                    (Fault::EverythingIsDifferent, Function::CountDifferent(_)) => *function = Function::Count,
                    (Fault::SmallestForLargest, Function::Extreme(end, class)) => {
                        *function = Function::Extreme(other(*end), *class);
                    }
                    (Fault::AverageForTotal, Function::TotalNumbers) => *function = Function::AverageNumbers,
                    _ => {}
                }
            }
            // Other times than expected have no place in a table of periods.
            Value::Periods { calendar, query, .. } if calendar.table.is_some() => {
                query.sources.iter_mut().for_each(|s| self.source(s));
                if self.fault == Fault::WeeksAreDays {
                    calendar.table = None;
                }
            }
            Value::Periods { calendar, query, .. } => {
                self.query(query);
                self.calendar(calendar);
            }
            Value::EventTime { end, n, query } => {
                self.query(query);
                match self.fault {
                    Fault::OneFurtherBack => self.param(*n, |n| n + 1),
                    Fault::FirstForLast => *end = other(*end),
                    _ => {}
                }
            }
            Value::Extreme(_, values) => values.iter_mut().for_each(|v| self.value(v)),
            Value::Coalesce(first, second) => {
                self.value(first);
                self.value(second);
            }
            Value::Missing(_) | Value::Int(_) | Value::Wide(..) | Value::Number(_) => {}
        }
        if let (Fault::KeysForTexts, Value::Rank { keys, .. }) = (self.fault, &*value) {
            *value = Value::Column(keys.clone());
        }
    }

    fn calendar(&mut self, calendar: &Calendar) {
        match (self.fault, &calendar.offsets) {
            (Fault::ZoneIgnored, ZoneOffsets::Fixed(slot)) => self.param(*slot, |_| 0),
            (Fault::ZoneIgnored, ZoneOffsets::Steps { last, .. }) => self.param(*last, |_| 0),
            _ => {}
        }
    }

    fn column(&mut self, column: &mut Column) {
        match self.fault {
            Fault::NoTimeIsEarly if column.store == Store::Optional => column.store = Store::I64,
            Fault::AttributeNullsIgnored if column.domain == Domain::Person => column.nulls = None,
            Fault::PropertyNullsIgnored if column.domain == Domain::Event => column.nulls = None,
            Fault::ValidityOffsetForgotten => {
                if let Some(offset) = column.nulls.as_ref().map(|n| n.offset) {
                    self.param(offset, |_| 0);
                }
            }
            Fault::BitOffsetForgotten => {
                if let Store::Bit(offset) = column.store {
                    self.param(offset, |_| 0);
                }
            }
            _ => {}
        }
    }

    fn list(&mut self, list: &mut List) {
        if self.fault == Fault::ItemNullsIgnored {
            list.items.nulls = None;
        }
        if self.fault == Fault::AttributeNullsIgnored {
            list.nulls = None;
        }
    }

    fn query(&mut self, query: &mut Query) {
        match self.fault {
            Fault::WindowBeginsLate => query.from.map_or((), |from| self.param(from, |t| t + 1)),
            Fault::WindowBeginsEarly => query.from.map_or((), |from| self.param(from, |t| t - 1)),
            Fault::WindowEndsEarly => self.param(query.to, |t| t - 1),
            Fault::WindowEndsLate => self.param(query.to, |t| t + 1),
            Fault::FutureCounts => self.param(query.to, |_| i64::MAX),
            Fault::WindowHasNoStart => query.from = None,
            Fault::TiesIgnored => query.merged = None,
            Fault::OtherNamesForgotten => query.sources.truncate(1),
            _ => {}
        }
        query.sources.iter_mut().for_each(|s| self.source(s));
    }

    fn source(&mut self, source: &mut Source) {
        match self.fault {
            Fault::FilterIgnored => source.filter = None,
            Fault::NullListsIgnored => source.nulls = None,
            Fault::BaseForgotten => source.base = None,
            _ => {}
        }
        source.filter.iter_mut().for_each(|f| self.cond(f));
        source.measure.iter_mut().for_each(|m| self.value(m));
        source.predicate.iter_mut().for_each(|a| self.cond(a));
    }
}

fn other(end: End) -> End {
    match end {
        End::First => End::Last,
        End::Last => End::First,
    }
}
