//! How often and when: quantities, lengths of time and windows.

use super::{Name, Operand};
use crate::source::Span;

/// How often something happens, or how many there are: a range of counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    /// At least so many.
    pub min: u64,
    /// At most so many.
    pub max: Option<u64>,
    /// Its position in the text.
    pub span: Span,
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration {
    /// How many units of time.
    pub count: u64,
    /// The unit that is counted.
    pub unit: Unit,
    /// Its position in the text.
    pub span: Span,
}

/// Units of time. Days and weeks are fixed lengths; months and years are steps
/// of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// Periods of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CalendarUnit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// Which part of the past counts.
#[derive(Debug, Clone, PartialEq)]
pub enum Window {
    /// `in the past 3 days`
    Past(Duration),
    /// `in the past period`, where `period` is a value of the definition.
    PastNamed(Name),
    /// `within the next 7 days`
    Next(Duration),
    /// `more than 90 days ago`
    Ago(Age),
    /// `more than 2 days from now`: the mirror of how long ago.
    Ahead(Age),
    /// `between 2 days ago and 3 days from now`
    Between(FromNow, FromNow),
    /// `before today`, `after 2 days ago`, `in the future`
    Beside(DatedOp, FromNow),
    /// `between 2026-01-01 and 2026-01-31`
    Dates(Operand, Operand),
    /// `before 2026-01-01`
    Dated(DatedOp, Operand),
    /// `within 7 days after first_order_date`
    Anchored(Duration, DatedOp, Operand),
    /// `today`, `last month`, `in the past 7 full days`: from the start of one
    /// period of the calendar up to that of another, counted from the one that
    /// holds now.
    Calendar {
        /// Which periods.
        unit: CalendarUnit,
        /// The first of them.
        from: i64,
        /// The first one after them.
        to: i64,
    },
    /// `ever`
    Ever,
}

/// A moment that is counted from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FromNow {
    /// Now itself, as in `in the future`.
    Now,
    /// `2 days ago`
    Ago(Duration),
    /// `3 days from now`
    Ahead(Duration),
    /// A period of the calendar by its distance from the current one: `yesterday`, `last
    /// week` are -1.
    Period(CalendarUnit, i64),
}

/// How long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// `more than 90 days`
    MoreThan(Duration),
    /// `at least 90 days`
    AtLeast(Duration),
    /// `less than 2 days`
    LessThan(Duration),
    /// `at most 2 days`
    AtMost(Duration),
    /// `30 to 45 days`
    Between(Duration, Duration),
    /// `3 days`
    Exactly(Duration),
}

/// Relations to a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum DatedOp {
    Before,
    After,
    Since,
    Until,
    On,
    OnOrBefore,
    OnOrAfter,
}

/// Disjoint stretches of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Periods {
    /// How many periods.
    pub count: u64,
    /// How many units of time each of them has.
    pub length: u64,
    /// Their unit.
    pub unit: Unit,
    /// Those of the calendar, and then whether only full ones.
    pub calendar: Option<bool>,
    /// Its position in the text.
    pub span: Span,
}

/// Parts of days, weeks and years, over and over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recurring {
    /// Days of the week: bit 0 is Monday.
    Days(u8),
    /// Months: bit 0 is January.
    Months(u16),
    /// From one time of day to another, in seconds after midnight; it may wrap.
    Hours(u32, u32),
}
