//! The HIR: what segments mean, resolved and typed, free of sugar.
//!
//! Names are ids, windows are intervals around `now`, every comparison has a
//! type that fits, and each construct has one form: `no order in the past 90
//! days` and `did not order in the past 90 days` are the same tree. Nothing here
//! depends on when or on whose data it will run.

mod aggregate;
mod build;
mod history;
mod identity;
mod module;
mod print;
mod references;

pub use aggregate::Aggregate;
pub use history::OfHistory;
pub use identity::IdTest;
pub use module::{Expectation, Expected, Header, Module, Segment, Test, TestEvent, TestProfile, Used};
pub use print::{describe_id_test, print, print_cond};
pub(crate) use references::references;
pub use references::{joined, with_references};

use seg_data::time::CalendarUnit;
use seg_data::{AttributeId, Date, EventId, Period, Place, PropertyId, Timestamp, Type, Value, WeekStart, Zone};
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A segment, by its position in [`Module::segments`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentId(pub u32);

impl SegmentId {
    /// For indexing.
    pub fn idx(self) -> usize {
        self.0 as usize
    }
}

/// A condition: true or false for every person, never anything else.
#[derive(Debug, Clone, PartialEq)]
pub enum Cond {
    /// Always so. Also stands for what could not be understood.
    Const(bool),
    /// Every one of them.
    All(Vec<Cond>),
    /// At least one of them.
    Any(Vec<Cond>),
    /// So many of them; one that is said twice counts twice.
    Cardinality {
        /// At least so many of the members must hold.
        min: u64,
        /// At most so many may hold; no limit without one.
        max: Option<u64>,
        /// Of these.
        members: Vec<Cond>,
    },
    /// The opposite.
    Not(Box<Cond>),
    /// Whether the person is in a segment.
    InSegment(SegmentId),
    /// Whether a value is there.
    Known(Expr),
    /// False when either side is missing.
    Compare(CompareOp, Expr, Expr),
    /// Whether a value equals one of several; false when it is missing.
    OneOf(Expr, Vec<Value>),
    /// A test of a text; false when it is missing.
    Text(TextOp, Expr, String),
    /// Whether a list holds a value; false when the list is missing.
    Has(Expr, Value),
    /// Whether there are at least `n` events and the first or last `n` of them
    /// all meet a condition.
    FirstOrLastN {
        /// From which end.
        end: End,
        /// How many; at least 1.
        n: u32,
        /// Among which events.
        query: Query,
        /// What each must meet.
        filter: Box<Cond>,
    },
    /// Whether other events follow, or come before, the event at hand. Only in
    /// filters.
    Chain(Box<Chain>),
    /// Whether all or any of the records of a list of the event at hand meet a
    /// condition. All of none do; a list that is missing has none.
    Items {
        /// Whether all must.
        is_all: bool,
        /// Which list; it depends on the event's name.
        list: Vec<(EventId, PropertyId)>,
        /// What each must meet.
        filter: Box<Cond>,
    },
    /// Whether the person is in a random part of all people; see
    /// [`seg_data::sample`].
    Sample {
        /// What it is drawn by.
        name: String,
        /// Places below this one.
        below: u64,
        /// Or all others.
        is_complement: bool,
    },
    /// Whether a value is in a list from a file.
    InList(Expr, ListRef),
    /// What is said of the id of a person.
    Profile(IdTest),
    /// Whether all, or any, of the items of a person's list meet a condition; false where
    /// the list is missing.
    Elements {
        /// All of them rather than any.
        is_all: bool,
        /// Whose items: a list of values or of records.
        list: AttributeId,
        /// A condition that may name the item at hand.
        filter: Box<Cond>,
    },
}

/// A list from a file, known by its name.
#[derive(Debug, Clone)]
pub struct ListRef(pub Arc<List>);

/// The values of a list from a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct List {
    /// `vip` in `list "vip" from "…"`.
    pub name: String,
    /// Its texts.
    pub values: HashSet<String>,
    /// Whether they are in simple case folding, for values that are, too.
    pub ignores_case: bool,
}

impl ListRef {
    /// This list with its texts folded, for values whose case does not count.
    pub fn folded(&self) -> ListRef {
        let values = self.0.values.iter().map(|text| crate::text::fold_case(text)).collect();
        ListRef(Arc::new(List { name: self.0.name.clone(), values, ignores_case: true }))
    }
}

impl PartialEq for ListRef {
    fn eq(&self, other: &ListRef) -> bool {
        self.0.name == other.0.name && self.0.ignores_case == other.0.ignores_case
    }
}

impl Eq for ListRef {}

impl Hash for ListRef {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
        self.0.ignores_case.hash(state);
    }
}

/// In which order the events of a sequence come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChainOrder {
    /// Each not earlier than the one before it in the sequence.
    After,
    /// Each not later than the one before it.
    Before,
    /// In any, none earlier than the event at hand, which may be one of them.
    Any,
}

/// An event sequence from the event at hand on. No event is taken twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// In which order they come.
    pub order: ChainOrder,
    /// After the event at hand; at least one.
    pub steps: Vec<ChainStep>,
    /// How long it may take from the event at hand to the last.
    pub whole: Option<Length>,
    /// Properties that have one value, which is there, on all events of the sequence.
    pub same: Vec<Vec<(EventId, PropertyId)>>,
}

/// One step of an event sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainStep {
    /// Which events.
    pub query: Query,
    /// How long after the one before it may be.
    pub within: Option<Length>,
    /// Events of which none lies between the one before and this one; at the instant
    /// of either it lies beside them.
    pub none_between: Option<Query>,
}

/// A length of time; months follow the zone's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Length {
    /// A fixed length, or calendar months.
    pub period: Period,
    /// By whose calendar.
    pub zone: Zone,
}

impl Length {
    /// So long after an instant.
    pub fn after(self, time: Timestamp) -> Timestamp {
        self.period.after(time, self.zone)
    }

    /// So long before an instant.
    pub fn before(self, time: Timestamp) -> Timestamp {
        self.period.before(time, self.zone)
    }
}

/// How two values of one type compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum CompareOp {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The tests of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextOp {
    /// Holds this text.
    Contains,
    /// Begins with it.
    StartsWith,
    /// Ends with it.
    EndsWith,
    /// A pattern is found somewhere in it.
    Matches,
}

/// One end of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum End {
    First,
    Last,
}

/// A typed value, which may be missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// How it comes about.
    pub kind: ExprKind,
    /// Its type when it is there.
    pub ty: Type,
    /// Whether the schema lets it be missing. Only for deciding what may be
    /// written; evaluation never relies on it.
    pub may_be_missing: bool,
}

/// The kinds of expression.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// Written out.
    Literal(Value),
    /// An attribute of the person.
    Attribute(AttributeId),
    /// A property of the event at hand; which one depends on its name. Only in
    /// filters and measures.
    Property(Vec<(EventId, PropertyId)>),
    /// A moment relative to `now`.
    Moment(Moment),
    /// The calendar day of `now` in a zone, so many days or months off.
    Today {
        /// Whose calendar.
        zone: Zone,
        /// Days, or months.
        offset: DayOffset,
    },
    /// The earliest or latest event of the person, of those known at a moment;
    /// of all up to now without one.
    Seen(End, Option<Moment>),
    /// When the event at hand was. Only in filters.
    Time,
    /// A field of the record at hand. Only in what is asked of records.
    Field {
        /// Which list; it depends on the event's name.
        list: Vec<(EventId, PropertyId)>,
        /// The position of the field in their type.
        field: u32,
    },
    /// The item at hand of a person's list, or a field of the record that it is.
    Element {
        /// Of which list.
        list: AttributeId,
        /// Which field, of records.
        field: Option<u32>,
    },
    /// A value over the history of an attribute.
    History {
        /// Whose values.
        attribute: AttributeId,
        /// Over which of its stretches: a condition that may name the value at hand.
        filter: Box<Cond>,
        /// What of them.
        of: OfHistory,
    },
    /// The value at hand of an attribute's history, or the one before it. Only in what is
    /// asked of histories.
    HeldValue {
        /// Of which attribute.
        attribute: AttributeId,
        /// Whether it is the value before.
        is_before: bool,
    },
    /// A time or a day, so much later, or earlier.
    Shift {
        /// What is shifted.
        of: Box<Expr>,
        /// By how much.
        by: Length,
        /// To the past.
        is_back: bool,
    },
    /// The calendar day of an instant.
    DayOf(Box<Expr>, Zone),
    /// A part of a time or a day as a whole number.
    Part(CalendarPart, Box<Expr>, Zone),
    /// The first anniversary of a day that is not before another day.
    Anniversary(Box<Expr>, Box<Expr>),
    /// How long ago a time is; negative for what is to come.
    Elapsed(Box<Expr>),
    /// How far away two attributes say that somebody is, in kilometres.
    Distance {
        /// Degrees north.
        latitude: Box<Expr>,
        /// Degrees east.
        longitude: Box<Expr>,
        /// From here.
        to: Place,
    },
    /// The median length of time between events at different instants, of which
    /// there must be three.
    UsualGap(Query),
    /// The most events that lie within a length of time, wherever it begins.
    MostWithin {
        /// Of these.
        query: Query,
        /// So long, both ends included.
        within: Length,
    },
    /// Two numbers combined; a result that does not fit is missing.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// Money times an exact fraction, rounded half to even at four places.
    Scale {
        /// The money.
        money: Box<Expr>,
        /// Multiplied by this.
        numerator: i128,
        /// Divided by this.
        denominator: i128,
    },
    /// An integer as a number or as money.
    Convert(Box<Expr>),
    /// A text in simple case folding.
    FoldCase(Box<Expr>),
    /// How many elements a list has.
    ListLength(Box<Expr>),
    /// A value over events.
    Aggregate {
        /// How the values of the events become one.
        function: Aggregate,
        /// Over what of each event; none for a count.
        measure: Option<Box<Expr>>,
        /// Over each record of a list of the events rather than over the events.
        items: Option<Vec<(EventId, PropertyId)>>,
        /// Of which events.
        query: Query,
    },
    /// On how many different days, weeks or months there are events.
    Periods {
        /// Days, weeks or months.
        unit: PeriodUnit,
        /// Whose calendar.
        zone: Zone,
        /// Of which events.
        query: Query,
    },
    /// When the first or last event happened; missing without events.
    EventTime {
        /// Whether the first or the last of them.
        end: End,
        /// Of which events.
        query: Query,
    },
    /// What could not be understood; already reported.
    Error,
}

/// Parts of the calendar that come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CalendarPart {
    /// 0 is Monday.
    Weekday,
    /// 0 is January.
    Month,
    /// Microseconds after midnight, by the clock on the wall.
    TimeOfDay,
}

/// Days or months off a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DayOffset {
    /// Later, or earlier when negative.
    Days(i64),
    /// By the calendar, clamped to the last day of the month.
    Months(i64),
    /// The first day of the period that holds the day, or of one so many later.
    StartOf(CalendarUnit, i64),
}

/// The four operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ArithmeticOp {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Calendar periods that can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeriodUnit {
    /// Days.
    Day,
    /// Weeks, from the day they start on.
    Week(WeekStart),
    /// Months.
    Month,
}

/// Which events: of some names, inside an interval, meeting a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Of these names, in the schema's order.
    pub events: Vec<EventId>,
    /// Inside this interval; events later than `now` never count.
    pub interval: Interval,
    /// Meeting this condition on their properties.
    pub filter: Option<Box<Cond>>,
    /// As they were known at this moment: later events do not exist. At `now`
    /// without one.
    pub known_at: Option<Moment>,
}

/// A stretch of time; a side that is `None` has no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Interval {
    /// From here on.
    pub from: Option<Bound>,
    /// Up to here.
    pub to: Option<Bound>,
}

/// One side of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bound {
    /// The moment that limits the interval.
    pub moment: Moment,
    /// Whether the moment itself belongs to the interval.
    pub is_closed: bool,
}

impl Bound {
    /// The first instant inside, where it is where an interval begins.
    pub fn first_inside(self, now: Timestamp) -> Timestamp {
        let at = self.moment.at(now);
        if self.is_closed { at } else { Timestamp(at.0.saturating_add(1)) }
    }
}

/// The last instant whose events exist.
pub fn horizon(known_at: Option<Moment>, now: Timestamp) -> Timestamp {
    known_at.map_or(now, |moment| moment.at(now).min(now))
}

impl Interval {
    /// Whether an instant lies inside it, evaluated as of `now`.
    pub fn contains(&self, time: Timestamp, now: Timestamp) -> bool {
        self.is_after_start(time, now) && self.is_before_end(time, now)
    }

    /// Whether an instant is late enough to lie inside it.
    pub fn is_after_start(&self, time: Timestamp, now: Timestamp) -> bool {
        self.from.is_none_or(|b| {
            let from = b.moment.at(now);
            if b.is_closed { from <= time } else { from < time }
        })
    }

    /// Whether an instant is early enough to lie inside it.
    pub fn is_before_end(&self, time: Timestamp, now: Timestamp) -> bool {
        self.to.is_none_or(|b| {
            let to = b.moment.at(now);
            if b.is_closed { time <= to } else { time < to }
        })
    }
}

/// A moment, known once `now` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// An instant.
    At(Timestamp),
    /// `now` minus a length of time. Months follow the zone's calendar; for
    /// fixed lengths the zone says nothing.
    Before(Period, Zone),
    /// `now` plus a length of time.
    After(Period, Zone),
    /// The first instant of a period of the zone's calendar: of the one that
    /// holds `now`, or of one so many later.
    StartOf(CalendarUnit, i64, Zone),
}

impl Moment {
    /// `now` itself.
    pub const NOW: Moment = Moment::Before(Period::Fixed(0), Zone::UTC);

    /// The instant it is at a given `now`.
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Moment::At(instant) => instant,
            Moment::Before(period, zone) => period.before(now, zone),
            Moment::After(period, zone) => period.after(now, zone),
            Moment::StartOf(unit, offset, zone) => zone.start_of_day(zone.date(now).start_of(unit, offset)),
        }
    }
}

impl Expr {
    /// The values it is made of, about the same person or event; what is about
    /// the events of its query is not among them.
    pub fn operands(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Arithmetic(_, left, right) | ExprKind::Anniversary(left, right) => vec![left, right],
            ExprKind::Distance { latitude, longitude, .. } => vec![latitude, longitude],
            ExprKind::Scale { money: inner, .. }
            | ExprKind::Convert(inner)
            | ExprKind::FoldCase(inner)
            | ExprKind::ListLength(inner)
            | ExprKind::Shift { of: inner, .. }
            | ExprKind::DayOf(inner, _)
            | ExprKind::Part(_, inner, _)
            | ExprKind::Elapsed(inner) => vec![inner],
            ExprKind::Literal(_)
            | ExprKind::Attribute(_)
            | ExprKind::Property(_)
            | ExprKind::Moment(_)
            | ExprKind::Today { .. }
            | ExprKind::Seen(..)
            | ExprKind::Time
            | ExprKind::Field { .. }
            | ExprKind::Element { .. }
            | ExprKind::History { .. }
            | ExprKind::HeldValue { .. }
            | ExprKind::UsualGap(_)
            | ExprKind::MostWithin { .. }
            | ExprKind::Aggregate { .. }
            | ExprKind::Periods { .. }
            | ExprKind::EventTime { .. }
            | ExprKind::Error => Vec::new(),
        }
    }

    /// Whether it stands for something already reported.
    pub fn is_error(&self) -> bool {
        matches!(self.kind, ExprKind::Error)
    }
}

impl PeriodUnit {
    /// Which period a day lies in; neighbours differ by one.
    pub fn number(self, day: Date) -> i32 {
        match self {
            PeriodUnit::Day => day.0,
            PeriodUnit::Week(starts_on) => day.week_number(starts_on),
            PeriodUnit::Month => day.month_number(),
        }
    }
}

impl DayOffset {
    /// The day so far off another.
    pub fn from(self, day: Date) -> Date {
        match self {
            DayOffset::Days(days) => day.plus_days(days),
            DayOffset::Months(months) => day.plus_months(months),
            DayOffset::StartOf(unit, offset) => day.start_of(unit, offset),
        }
    }
}
