//! Windows, ages and dates.

use super::ahead::earlier_first;
use crate::hir::{Bound, CompareOp, Cond, DayOffset, Expr, Interval, Moment};
use crate::lower::Lower;
use crate::names::suggestion;
use seg_data::time::{CalendarUnit, DAY, SECOND};
use seg_data::{Date, Period, Timestamp, Type, Value, Zone};
use seg_syntax::ast::{
    self, Age, DateLiteral, DatedOp, Duration, FromNow, Literal, Operand, OperandKind, OrderOp, Unit, Window,
};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// A written date, resolved: the instants it covers.
#[derive(Clone, Copy)]
struct Dated {
    start: Timestamp,
    /// One past the last instant of a whole day; none for a single instant.
    end: Option<Timestamp>,
}

impl Lower<'_> {
    /// The stretch of time a window means for events and timestamps.
    pub(in crate::lower) fn interval(&mut self, window: &Window, span: Span) -> Option<Interval> {
        let now = Some(closed(Moment::NOW));
        Some(match window {
            Window::Ever => Interval::default(),
            Window::Past(d) => Interval { from: Some(closed(self.before(d)?)), to: now },
            Window::Next(d) => Interval { from: now, to: Some(closed(self.after(d)?)) },
            Window::Ago(age) => self.age(age, span)?,
            Window::Ahead(age) => self.age_ahead(age, span)?,
            Window::Between(a, b) => {
                let (from, to) = earlier_first(*a, *b);
                let ((from, _), (to, to_end)) = (self.moment(from, span)?, self.moment(to, span)?);
                Interval { from: Some(closed(from)), to: Some(to_end.map_or(closed(to), open)) }
            }
            Window::Beside(op, moment) => self.beside_now(*op, *moment, span)?,
            Window::Dates(low, high) => {
                let (low_at, high_at) = (self.dated(low)?, self.dated(high)?);
                if high_at.start < low_at.start {
                    self.empty_range(span, "the earlier date comes first");
                    return None;
                }
                Interval { from: Some(from(low_at)), to: Some(to(high_at)) }
            }
            Window::PastNamed(name) => {
                let length = self.named_length(name)?;
                Interval { from: Some(closed(self.before(&length)?)), to: now }
            }
            // These are no stretch of time that is the same for all.
            Window::Anchored(..) => return None,
            Window::Dated(op, when) => {
                let at = self.dated(when)?;
                self.dated_interval(*op, at, when.span)?
            }
            Window::Calendar { unit, from, to } => {
                let (unit, zone) = (self.calendar_unit(*unit), self.zone(span)?);
                let start = |offset| Moment::StartOf(unit, offset, zone);
                Interval { from: Some(closed(start(*from))), to: Some(open(start(*to))) }
            }
        })
    }

    fn dated_interval(&mut self, op: DatedOp, at: Dated, span: Span) -> Option<Interval> {
        let start = |is_closed| Some(Bound { moment: Moment::At(at.start), is_closed });
        Some(match op {
            DatedOp::Before => Interval { from: None, to: start(false) },
            DatedOp::Since | DatedOp::OnOrAfter => Interval { from: start(true), to: None },
            DatedOp::Until | DatedOp::OnOrBefore => Interval { from: None, to: Some(to(at)) },
            DatedOp::After => match at.end {
                Some(end) => Interval { from: Some(closed(Moment::At(end))), to: None },
                None => Interval { from: start(false), to: None },
            },
            DatedOp::On if at.end.is_some() => Interval { from: start(true), to: Some(to(at)) },
            DatedOp::On => {
                self.report(
                    Diagnostic::new(Code::OperatorNeedsType, span, "`on` needs a day, not a time of day")
                        .label("an instant")
                        .help("write `on` with a date only, or `before`, `after`, `since`, `until` with a time of day"),
                );
                return None;
            }
        })
    }

    fn age(&mut self, age: &Age, span: Span) -> Option<Interval> {
        Some(match age {
            Age::MoreThan(d) => Interval { from: None, to: Some(open(self.before(d)?)) },
            Age::AtLeast(d) => Interval { from: None, to: Some(closed(self.before(d)?)) },
            Age::LessThan(d) => Interval { from: Some(open(self.before(d)?)), to: None },
            Age::AtMost(d) => Interval { from: Some(closed(self.before(d)?)), to: None },
            Age::Between(a, b) => {
                let (short, long) = shorter_first(a, b);
                Interval { from: Some(closed(self.before(long)?)), to: Some(closed(self.before(short)?)) }
            }
            Age::Exactly(d) => {
                let (n, unit) = (d.count, d.unit);
                let between = format!("between {n} and {} {unit}s ago", n + 1);
                self.single_instant(
                    span,
                    &[
                        ("for a stretch of time", between),
                        ("for everything up to then", format!("at least {n} {unit}s ago")),
                        ("for everything since then", format!("in the past {n} {unit}s")),
                    ],
                );
                return None;
            }
        })
    }

    /// A length of time that a definition is given.
    fn named_length(&mut self, name: &ast::Name) -> Option<Duration> {
        match self.parameter(name).map(|at| (at.literal.clone(), at.span)) {
            Some((Literal::Duration(length), _)) => Some(length),
            Some((_, at)) => {
                let words = self.words(at);
                self.report(
                    Diagnostic::new(Code::TypeMismatch, at, format!("`{words}` is no length of time"))
                        .label("a length of time is needed")
                        .also(name.span, "used here")
                        .help("write a number and a unit: `30 days`"),
                );
                None
            }
            None => {
                let words = self.words(name.span);
                let diagnostic =
                    Diagnostic::new(Code::UnknownName, name.span, format!("`{words}` is no length of time"))
                        .label("a length such as `3 days` is needed here");
                let unit = suggestion(&words, ["seconds", "minutes", "hours", "days", "weeks", "months", "years"]);
                self.report(match unit {
                    Some(unit) => diagnostic.fix(name.span, unit, format!("did you mean `{unit}`?")),
                    None => diagnostic.help("write a number and a unit: `in the past 30 days`"),
                });
                None
            }
        }
    }

    pub(in crate::lower) fn calendar_unit(&self, unit: ast::CalendarUnit) -> CalendarUnit {
        match unit {
            ast::CalendarUnit::Day => CalendarUnit::Day,
            ast::CalendarUnit::Week => CalendarUnit::Week(self.settings.week_start),
            ast::CalendarUnit::Month => CalendarUnit::Month,
            ast::CalendarUnit::Quarter => CalendarUnit::Quarter,
            ast::CalendarUnit::Year => CalendarUnit::Year,
        }
    }

    pub(crate) fn before(&mut self, d: &Duration) -> Option<Moment> {
        let (period, zone) = self.period(d)?;
        Some(Moment::Before(period, zone))
    }

    pub(super) fn after(&mut self, d: &Duration) -> Option<Moment> {
        let (period, zone) = self.period(d)?;
        Some(Moment::After(period, zone))
    }

    /// A length of time; months and years with the zone whose calendar counts.
    pub(in crate::lower) fn period(&mut self, d: &Duration) -> Option<(Period, Zone)> {
        let count = i64::try_from(d.count).unwrap_or(i64::MAX);
        let fixed = |size: i64| Some((Period::Fixed(count.saturating_mul(size)), Zone::UTC));
        match d.unit {
            Unit::Second => fixed(SECOND),
            Unit::Minute => fixed(60 * SECOND),
            Unit::Hour => fixed(3600 * SECOND),
            Unit::Day => fixed(DAY),
            Unit::Week => fixed(7 * DAY),
            Unit::Month => Some((Period::Months(count), self.zone(d.span)?)),
            Unit::Year => Some((Period::Months(count.saturating_mul(12)), self.zone(d.span)?)),
        }
    }

    fn dated(&mut self, operand: &Operand) -> Option<Dated> {
        match &operand.kind {
            OperandKind::Literal(Literal::Date(date)) => self.dated_literal(date, operand.span),
            OperandKind::Name(name) => {
                // Only where the same for all is needed.
                let words = self.words(name.span);
                self.report(
                    Diagnostic::new(
                        Code::OperatorNeedsType,
                        name.span,
                        format!("`{words}` is not the same for everyone"),
                    )
                    .label("a date is needed here")
                    .help("use a date, or a window such as `in the past 30 days`"),
                );
                None
            }
            OperandKind::Error => None,
            _ => {
                let words = self.words(operand.span);
                self.report(
                    Diagnostic::new(Code::OperatorNeedsType, operand.span, format!("`{words}` is not a date"))
                        .label("a date is needed here")
                        .help("write a date as year, month, day: `2026-01-31`"),
                );
                None
            }
        }
    }

    fn dated_literal(&mut self, literal: &DateLiteral, span: Span) -> Option<Dated> {
        let date = self.day(literal, span)?;
        let Some(clock) = &literal.clock else {
            let zone = self.zone(span)?;
            let end = zone.start_of_day(date.plus_days(1));
            return Some(Dated { start: zone.start_of_day(date), end: Some(end) });
        };
        let is_local = !clock.ends_with('Z') && !clock.contains(['+', '-']);
        let zone = if is_local { Some(self.zone(span)?) } else { None };
        match Timestamp::from_parts(date, clock, zone) {
            Some(instant) => Some(Dated { start: instant, end: None }),
            None => {
                let diagnostic = Diagnostic::new(Code::BadDate, span, format!("`{clock}` is not a time of day"))
                    .label("hours go from 0 to 23, minutes and seconds from 0 to 59")
                    .help("write a time as `14:00` or `14:00:30`");
                self.report(diagnostic);
                None
            }
        }
    }

    pub(crate) fn day(&mut self, literal: &DateLiteral, span: Span) -> Option<Date> {
        let date = Date::parse(&literal.day);
        if date.is_none() {
            self.report(
                Diagnostic::new(Code::BadDate, span, format!("there is no day `{}`", literal.day))
                    .label("not in the calendar")
                    .help("dates are written as year, month, day: `2026-01-31`"),
            );
        }
        date
    }

    /// A date as a value: a day, or an instant when it has a time of day.
    pub(crate) fn date_literal(&mut self, literal: &DateLiteral, span: Span) -> Expr {
        if literal.clock.is_none() {
            return match self.day(literal, span) {
                Some(date) => Expr::literal(Value::Date(date), Type::Date),
                None => Expr::error(),
            };
        }
        match self.dated_literal(literal, span) {
            Some(dated) => Expr::literal(Value::Timestamp(dated.start), Type::Timestamp),
            None => Expr::error(),
        }
    }

    /// `is within …`, `is before …`, `is 30 to 45 days ago` on a value.
    pub(in crate::lower) fn time_test(&mut self, value: &Expr, window: &Window, span: Span) -> Option<Cond> {
        match value.ty {
            Type::Timestamp => {
                // Another timestamp of the person may stand on the right.
                if let Window::Dated(op, Operand { kind: OperandKind::Name(name), span: at }) = window {
                    let right = self.value_named(name, *at)?;
                    return self.between_moments(*op, value, right, *at);
                }
                if let Window::Anchored(length, op, anchor) = window {
                    let anchor = self.anchor_operand(anchor)?;
                    return self.around(value, length, *op, anchor, span);
                }
                Some(value.in_interval(self.interval(window, span)?))
            }
            Type::Date => self.day_test(value, window, span),
            _ => {
                let words = self.words(span);
                self.report(
                    Diagnostic::new(
                        Code::OperatorNeedsType,
                        span,
                        format!("`{words}` fits a time, not {}", value.ty.one()),
                    )
                    .label("said of something that is not a time")
                    .help("compare it with `is`, or name an attribute that holds a time"),
                );
                None
            }
        }
    }

    fn value_named(&mut self, name: &ast::Name, span: Span) -> Option<Expr> {
        let operand = Operand { kind: OperandKind::Name(name.clone()), span };
        let right = self.value(&operand, crate::lower::Scope::Person, Some(&Type::Timestamp));
        (!right.is_error()).then_some(right)
    }

    fn between_moments(&mut self, op: DatedOp, left: &Expr, right: Expr, span: Span) -> Option<Cond> {
        let are_times = [&left.ty, &right.ty].iter().all(|ty| matches!(ty, Type::Timestamp | Type::Date));
        if left.ty != right.ty && are_times {
            return self.beside(left, op, right, span);
        }
        if left.ty != right.ty {
            self.report(
                Diagnostic::new(
                    Code::TypeMismatch,
                    span,
                    format!("{} cannot be compared with {}", left.ty.one(), right.ty.one()),
                )
                .label(format!("of type {}", right.ty)),
            );
            return None;
        }
        Some(Cond::Compare(super::moment::order_of(op), left.clone(), right))
    }

    /// A window said of a calendar day: whole days are counted from today, not
    /// hours from now.
    fn day_test(&mut self, value: &Expr, window: &Window, span: Span) -> Option<Cond> {
        if let Some(yearly) = self.yearly_test(value, window, span) {
            return yearly;
        }
        let compare = |op, right: Expr| Cond::Compare(op, value.clone(), right);
        let day = |date: Date| Expr::literal(Value::Date(date), Type::Date);
        Some(match window {
            Window::Ever => Cond::Known(value.clone()),
            Window::Past(d) => {
                let (from, today) = (self.today(d, -1)?, self.today_itself(span)?);
                Cond::all(vec![compare(CompareOp::GreaterOrEqual, from), compare(CompareOp::LessOrEqual, today)])
            }
            Window::Next(d) => {
                let (today, to) = (self.today_itself(span)?, self.today(d, 1)?);
                Cond::all(vec![compare(CompareOp::GreaterOrEqual, today), compare(CompareOp::LessOrEqual, to)])
            }
            Window::Ago(age) => match age {
                Age::MoreThan(d) => compare(CompareOp::Less, self.today(d, -1)?),
                Age::AtLeast(d) => compare(CompareOp::LessOrEqual, self.today(d, -1)?),
                Age::LessThan(d) => compare(CompareOp::Greater, self.today(d, -1)?),
                Age::AtMost(d) => compare(CompareOp::GreaterOrEqual, self.today(d, -1)?),
                Age::Exactly(d) => compare(CompareOp::Equal, self.today(d, -1)?),
                Age::Between(a, b) => {
                    let (short, long) = shorter_first(a, b);
                    let (from, to) = (self.today(long, -1)?, self.today(short, -1)?);
                    Cond::all(vec![compare(CompareOp::GreaterOrEqual, from), compare(CompareOp::LessOrEqual, to)])
                }
            },
            Window::Ahead(age) => match age {
                Age::MoreThan(d) => compare(CompareOp::Greater, self.today(d, 1)?),
                Age::AtLeast(d) => compare(CompareOp::GreaterOrEqual, self.today(d, 1)?),
                Age::LessThan(d) => {
                    let (today, to) = (self.today_itself(span)?, self.today(d, 1)?);
                    Cond::all(vec![compare(CompareOp::GreaterOrEqual, today), compare(CompareOp::Less, to)])
                }
                Age::AtMost(d) => return self.day_test(value, &Window::Next(*d), span),
                Age::Exactly(d) => compare(CompareOp::Equal, self.today(d, 1)?),
                Age::Between(a, b) => {
                    let (short, long) = shorter_first(a, b);
                    let (from, to) = (self.today(short, 1)?, self.today(long, 1)?);
                    Cond::all(vec![compare(CompareOp::GreaterOrEqual, from), compare(CompareOp::LessOrEqual, to)])
                }
            },
            Window::Between(a, b) => {
                let (from, to) = earlier_first(*a, *b);
                let (from, to) = (self.day_from_now(from, span)?, self.day_from_now(to, span)?);
                Cond::all(vec![compare(CompareOp::GreaterOrEqual, from), compare(CompareOp::LessOrEqual, to)])
            }
            Window::Beside(op, FromNow::Period(unit, at)) => {
                let start = self.day_from_now(FromNow::Period(*unit, *at), span)?;
                let end = self.day_from_now(FromNow::Period(*unit, at + 1), span)?;
                match op {
                    DatedOp::Before => compare(CompareOp::Less, start),
                    DatedOp::After => compare(CompareOp::GreaterOrEqual, end),
                    DatedOp::Since | DatedOp::OnOrAfter => compare(CompareOp::GreaterOrEqual, start),
                    DatedOp::Until | DatedOp::OnOrBefore => compare(CompareOp::Less, end),
                    DatedOp::On => {
                        Cond::all(vec![compare(CompareOp::GreaterOrEqual, start), compare(CompareOp::Less, end)])
                    }
                }
            }
            Window::Beside(op, moment) => compare(super::moment::order_of(*op), self.day_from_now(*moment, span)?),
            Window::Dates(low, high) => {
                let (from, to) = (self.day_operand(low)?, self.day_operand(high)?);
                if to < from {
                    self.empty_range(span, "the earlier date comes first");
                    return None;
                }
                Cond::all(vec![compare(CompareOp::GreaterOrEqual, day(from)), compare(CompareOp::LessOrEqual, day(to))])
            }
            Window::Calendar { unit, from, to } => {
                let (unit, zone) = (self.calendar_unit(*unit), self.zone(span)?);
                let start = |offset| Expr::today(zone, DayOffset::StartOf(unit, offset));
                Cond::all(vec![compare(CompareOp::GreaterOrEqual, start(*from)), compare(CompareOp::Less, start(*to))])
            }
            Window::Dated(op, Operand { kind: OperandKind::Name(name), span: at }) => {
                let right = self.value_named(name, *at)?;
                return self.between_moments(*op, value, right, *at);
            }
            Window::Anchored(length, op, anchor) => {
                let anchor = self.anchor_operand(anchor)?;
                return self.around(value, length, *op, anchor, span);
            }
            Window::PastNamed(name) => {
                let length = self.named_length(name)?;
                return self.day_test(value, &Window::Past(length), span);
            }
            Window::Dated(op, when) => {
                let right = day(self.day_operand(when)?);
                return self.between_moments(*op, value, right, when.span);
            }
        })
    }

    fn day_operand(&mut self, operand: &Operand) -> Option<Date> {
        let OperandKind::Literal(Literal::Date(literal)) = &operand.kind else {
            let words = self.words(operand.span);
            self.report(
                Diagnostic::new(Code::OperatorNeedsType, operand.span, format!("`{words}` is not a date"))
                    .label("a date is needed here")
                    .help("write a date as year, month, day: `2026-01-31`"),
            );
            return None;
        };
        if literal.clock.is_some() {
            let words = self.words(operand.span);
            self.hours_on_date(operand.span, &words);
            return None;
        }
        self.day(literal, operand.span)
    }

    pub(in crate::lower) fn hours_on_date(&mut self, span: Span, words: &str) {
        self.report(
            Diagnostic::new(Code::HoursOnDate, span, format!("`{words}` is finer than a calendar day"))
                .label("compared with a date, which has no time of day")
                .help("use days, weeks, months or years"),
        );
    }

    pub(in crate::lower) fn today_itself(&mut self, span: Span) -> Option<Expr> {
        let zone = self.zone(span)?;
        Some(Expr::today(zone, DayOffset::Days(0)))
    }

    pub(in crate::lower) fn today(&mut self, d: &Duration, sign: i64) -> Option<Expr> {
        let zone = self.zone(d.span)?;
        let count = i64::try_from(d.count).unwrap_or(i64::MAX).saturating_mul(sign);
        let offset = match d.unit {
            Unit::Day => DayOffset::Days(count),
            Unit::Week => DayOffset::Days(count.saturating_mul(7)),
            Unit::Month => DayOffset::Months(count),
            Unit::Year => DayOffset::Months(count.saturating_mul(12)),
            Unit::Second | Unit::Minute | Unit::Hour => {
                let words = self.words(d.span);
                self.hours_on_date(d.span, &words);
                return None;
            }
        };
        Some(Expr::today(zone, offset))
    }

    /// A timestamp or a date against a written date, by an ordering word.
    pub(in crate::lower) fn date_order(&mut self, op: OrderOp, value: &Expr, right: &Operand) -> Option<Cond> {
        // An instant equals an instant.
        let has_clock = matches!(&right.kind, OperandKind::Literal(Literal::Date(date)) if date.clock.is_some());
        if has_clock && value.ty == Type::Timestamp && matches!(op, OrderOp::Is | OrderOp::IsNot) {
            let at = Expr::literal(Value::Timestamp(self.dated(right)?.start), Type::Timestamp);
            return Some(Cond::Compare(CompareOp::Equal, value.clone(), at));
        }
        let op = match op {
            OrderOp::Is | OrderOp::IsNot => DatedOp::On,
            OrderOp::LessThan => DatedOp::Before,
            OrderOp::AtMost => DatedOp::Until,
            OrderOp::MoreThan => DatedOp::After,
            OrderOp::AtLeast => DatedOp::Since,
        };
        self.time_test(value, &Window::Dated(op, right.clone()), right.span)
    }

    pub(in crate::lower) fn empty_range(&mut self, span: Span, help: &str) {
        let words = self.words(span);
        self.report(
            Diagnostic::new(Code::EmptyRange, span, format!("`{words}` holds nothing"))
                .label("ends before it begins")
                .help(help),
        );
    }
}

pub(super) fn closed(moment: Moment) -> Bound {
    Bound { moment, is_closed: true }
}

pub(super) fn open(moment: Moment) -> Bound {
    Bound { moment, is_closed: false }
}

fn from(at: Dated) -> Bound {
    closed(Moment::At(at.start))
}

/// The last of what a date covers: a day's end is open.
fn to(at: Dated) -> Bound {
    match at.end {
        Some(end) => open(Moment::At(end)),
        None => closed(Moment::At(at.start)),
    }
}

pub(super) fn shorter_first<'d>(a: &'d Duration, b: &'d Duration) -> (&'d Duration, &'d Duration) {
    if approximate(a) <= approximate(b) { (a, b) } else { (b, a) }
}

/// For telling the longer of two lengths; months count 30.44 days.
pub(super) fn approximate(d: &Duration) -> u128 {
    let seconds = match d.unit {
        Unit::Second => 1,
        Unit::Minute => 60,
        Unit::Hour => 3600,
        Unit::Day => 86_400,
        Unit::Week => 7 * 86_400,
        Unit::Month => 2_630_016,
        Unit::Year => 31_557_600,
    };
    u128::from(d.count) * seconds
}
