//! Parts of the calendar that come again: days of the week, months, times of
//! day, anniversaries, one period after another.

use super::ahead::earlier_first;
use super::recurring::anniversary_until;
use super::window::shorter_first;
use crate::hir::{Bound, CalendarPart, CompareOp, Cond, DayOffset, Expr, ExprKind, Interval, Moment, Query};
use crate::lower::event::{Counted, EventParts};
use crate::lower::names::resolve::Subject;
use crate::lower::{Lower, Lowered, Scope};
use seg_data::time::SECOND;
use seg_data::{Type, Value, Zone};
use seg_syntax::ast::{
    self, Age, Condition, DatedOp, Duration, FromNow, Modifier, ModifierKind, Name, Periods, Quantity, Recurring,
    Relation, Unit, Window,
};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// More periods than this are refused: each is a condition of its own.
const PERIODS_MAX: u64 = 400;

impl Lower<'_> {
    /// A condition in the calendar of the zone that it names for itself.
    pub(in crate::lower) fn condition_in_zone(&mut self, c: &Condition, scope: Scope<'_>) -> Lowered {
        let is_zone = |t: &Modifier| matches!(t.kind, ModifierKind::Zone(_));
        let Some(at) = c.modifiers.iter().position(is_zone) else { return self.condition_of_kind(c, scope) };
        let mut rest = c.clone();
        let Modifier { kind: ModifierKind::Zone(name), span } = rest.modifiers.remove(at) else {
            return Lowered::error();
        };
        if let Some(second) = rest.modifiers.iter().find(|t| is_zone(t)) {
            self.repeated(span, second.span, "keep one of the two time zones");
            return Lowered::error();
        }
        let zone = Zone::parse(&name);
        if zone.is_none() {
            self.unknown_zone(&name, span);
        }
        // Where the zone is unknown none is asked for again.
        let before = std::mem::replace(&mut self.settings.zone, zone.or(Some(Zone::UTC)));
        let was_read = std::mem::take(&mut self.is_zone_read);
        let lowered = self.condition_of_kind(&rest, scope);
        self.settings.zone = before;
        if std::mem::replace(&mut self.is_zone_read, was_read) {
            self.reads(span);
        }
        lowered
    }

    pub(crate) fn unknown_zone(&mut self, name: &str, span: Span) {
        self.report(
            Diagnostic::new(Code::UnknownZone, span, format!("there is no time zone `{name}`"))
                .label("not in the IANA database")
                .help("zones are named by continent and city: `in Europe/Paris time`"),
        );
    }

    /// A day of the week, a month or a time of day of a time or a date.
    pub(in crate::lower) fn recurring_test(&mut self, value: &Expr, recurring: &Recurring, span: Span) -> Option<Cond> {
        let zone = match value.ty {
            Type::Timestamp => self.zone(span)?,
            Type::Date if matches!(recurring, Recurring::Hours(..)) => {
                let words = self.words(span);
                self.hours_on_date(span, &words);
                return None;
            }
            Type::Date => Zone::UTC,
            _ => {
                let words = self.words(span);
                self.report(
                    Diagnostic::new(
                        Code::OperatorNeedsType,
                        span,
                        format!("`{words}` fits a time, not {}", value.ty.one()),
                    )
                    .label("said of something that is not a time")
                    .help("name an attribute that holds a time, or an event"),
                );
                return None;
            }
        };
        let part = |part| Expr {
            kind: ExprKind::Part(part, Box::new(value.clone()), zone),
            ty: Type::Integer,
            may_be_missing: value.may_be_missing,
        };
        let set = |n: u8, bits: u16| (0..n).filter(|b| bits >> b & 1 == 1).map(|b| Value::Integer(b.into())).collect();
        Some(match recurring {
            Recurring::Days(bits) => Cond::OneOf(part(CalendarPart::Weekday), set(7, u16::from(*bits))),
            Recurring::Months(bits) => Cond::OneOf(part(CalendarPart::Month), set(12, *bits)),
            Recurring::Hours(from, to) => {
                let micros = |s: u32| Expr::literal(Value::Integer(i128::from(s) * i128::from(SECOND)), Type::Integer);
                let time = part(CalendarPart::TimeOfDay);
                let tests = vec![
                    Cond::Compare(CompareOp::GreaterOrEqual, time.clone(), micros(*from)),
                    Cond::Compare(CompareOp::Less, time, micros(*to)),
                ];
                // From the evening on, or up to the morning.
                if from < to { Cond::all(tests) } else { Cond::any(tests) }
            }
        })
    }

    /// `anniversary of birthday is within the next 7 days`
    pub(in crate::lower) fn anniversary(&mut self, c: &Condition, name: &Name, scope: Scope<'_>) -> Lowered {
        let value = match self.resolve(name, scope) {
            Subject::Value(value) => value,
            Subject::Error => return Lowered::error(),
            Subject::Ends(..) | Subject::Events(_) => match self.end_as_time(name) {
                Some(time) => time,
                None => return Lowered::error(),
            },
        };
        let Some(day) = self.as_day(value, name.span) else { return Lowered::error() };
        let said = match c.modifiers.as_slice() {
            [modifier] => said_of_anniversary(modifier),
            _ => None,
        };
        let bounds = said.and_then(|said| {
            let bounds = self.days_around_today(said.window, said.span)?;
            Some((bounds?, said))
        });
        let Some(((from, to, op), said)) = bounds else {
            let words = self.words(c.subject.span);
            self.report(
                Diagnostic::new(Code::NeedsComparison, c.span, format!("when is `{words}`?"))
                    .label("some days around today are needed")
                    .help(format!("write `{words} is today` or `{words} is within the next 7 days`")),
            );
            return Lowered::error();
        };
        let AnniversaryModifier { span, not, or_unknown, .. } = said;
        let may_be_missing = day.may_be_missing;
        if not && may_be_missing && or_unknown.is_none() {
            let (subject, words) = (self.words(c.subject.span), self.words(span));
            self.report(
                Diagnostic::new(
                    Code::NegativeOnMissing,
                    span,
                    format!("`{subject}` may be missing, so `{words}` could mean two things"),
                )
                .label("are people without a value meant too?")
                .help(format!("with them: `not ({subject} {})`", words.replacen("not ", "", 1)))
                .note("without them: join `… is known` to it with `and`"),
            );
            return Lowered::error();
        }
        let cond = anniversary_until(day.clone(), from, op, to);
        let cond = match (not, or_unknown.is_some()) {
            (false, false) => cond,
            (false, true) => Cond::any(vec![cond, Cond::Known(day).negate()]),
            (true, false) => Cond::all(vec![Cond::Known(day), cond.negate()]),
            (true, true) => cond.negate(),
        };
        self.reads(span);
        self.read.extend(or_unknown);
        let is_negative = self.reads_negative(c);
        Lowered::plain(cond).negated(is_negative)
    }

    /// The days of a window: from one, and to another or before it.
    #[expect(clippy::option_option, reason = "reported, or no such window")]
    pub(super) fn days_around_today(&mut self, window: &Window, span: Span) -> Option<Option<(Expr, Expr, CompareOp)>> {
        let up_to = CompareOp::LessOrEqual;
        Some(Some(match window {
            Window::Past(d) => (self.today(d, -1)?, self.today_itself(span)?, up_to),
            Window::Next(d) => (self.today_itself(span)?, self.today(d, 1)?, up_to),
            Window::Calendar { unit, from, to } => {
                let (unit, zone) = (self.calendar_unit(*unit), self.zone(span)?);
                let start = |offset| Expr::today(zone, DayOffset::StartOf(unit, offset));
                (start(*from), start(*to), CompareOp::Less)
            }
            Window::Ago(Age::Exactly(d)) => (self.today(d, -1)?, self.today(d, -1)?, up_to),
            Window::Ahead(Age::Exactly(d)) => (self.today(d, 1)?, self.today(d, 1)?, up_to),
            Window::Ago(Age::Between(a, b)) => {
                let (short, long) = shorter_first(a, b);
                (self.today(long, -1)?, self.today(short, -1)?, up_to)
            }
            Window::Ahead(Age::Between(a, b)) => {
                let (short, long) = shorter_first(a, b);
                (self.today(short, 1)?, self.today(long, 1)?, up_to)
            }
            Window::Between(a, b) => {
                let (from, to) = earlier_first(*a, *b);
                (self.day_from_now(from, span)?, self.day_from_now(to, span)?, up_to)
            }
            Window::Beside(DatedOp::On, FromNow::Period(unit, at)) => {
                let window = Window::Calendar { unit: *unit, from: *at, to: at + 1 };
                return self.days_around_today(&window, span);
            }
            Window::PastNamed(_)
            | Window::Ago(Age::MoreThan(_) | Age::AtLeast(_) | Age::LessThan(_) | Age::AtMost(_))
            | Window::Ahead(Age::MoreThan(_) | Age::AtLeast(_) | Age::LessThan(_) | Age::AtMost(_))
            | Window::Beside(..)
            | Window::Dates(..)
            | Window::Dated(..)
            | Window::Anchored(..)
            | Window::Ever => return Some(None),
        }))
    }

    /// A time or a day as a calendar day.
    pub(in crate::lower) fn as_day(&mut self, value: Expr, span: Span) -> Option<Expr> {
        match value.ty {
            Type::Date => Some(value),
            Type::Timestamp => {
                let zone = self.zone(span)?;
                let may_be_missing = value.may_be_missing;
                Some(Expr { kind: ExprKind::DayOf(Box::new(value), zone), ty: Type::Date, may_be_missing })
            }
            _ => {
                if !value.is_error() {
                    let words = self.words(span);
                    self.report(
                        Diagnostic::new(
                            Code::OperatorNeedsType,
                            span,
                            format!("`{words}` is {}, not a day", value.ty.one()),
                        )
                        .label("a time or a date is needed here")
                        .help("name an attribute that holds a time or a date"),
                    );
                }
                None
            }
        }
    }

    /// `at least 3 times a week in at least 3 of the past 5 weeks`: each period
    /// is a condition, and so many of them must hold.
    pub(in crate::lower) fn regular(
        &mut self,
        (counted, times): (Counted, Quantity),
        of: Option<Quantity>,
        periods: Periods,
        query: &Query,
    ) -> Option<Cond> {
        let span = periods.span;
        let count = periods.count;
        if count == 0 || count > PERIODS_MAX || of.is_some_and(|q| q.min > count) {
            let words = self.words(span);
            let message = match of.filter(|q| q.min > count) {
                Some(of) => format!("there are no {} periods in `{words}`", of.min),
                None => format!("`{words}` is not between 1 and {PERIODS_MAX} periods"),
            };
            self.report(
                Diagnostic::new(Code::EmptyRange, span, message)
                    .label("so many periods cannot be")
                    .help("write for example `in at least 3 of the past 5 weeks`"),
            );
            return None;
        }
        let mut members = Vec::new();
        for n in 0..i64::try_from(count).unwrap_or(0) {
            let mut part = query.clone();
            part.interval = self.period_interval(periods, n)?;
            members.push(counted.of(part).in_range(times.min, times.max));
        }
        Some(match of {
            None => Cond::all(members),
            Some(Quantity { min, max, .. }) => Cond::Cardinality { min, max, members },
        })
    }

    /// The n-th period back from now.
    fn period_interval(&mut self, periods: Periods, n: i64) -> Option<Interval> {
        let span = periods.span;
        let Some(is_full) = periods.calendar else {
            let back = |n: i64| {
                let count = u64::try_from(n).unwrap_or(0).saturating_mul(periods.length);
                Duration { count, unit: periods.unit, span }
            };
            let (from, to) = (self.before(&back(n + 1))?, if n == 0 { Moment::NOW } else { self.before(&back(n))? });
            return Some(Interval {
                from: Some(Bound { moment: from, is_closed: false }),
                to: Some(Bound { moment: to, is_closed: true }),
            });
        };
        let unit = match periods.unit {
            Unit::Day => ast::CalendarUnit::Day,
            Unit::Week => ast::CalendarUnit::Week,
            Unit::Month => ast::CalendarUnit::Month,
            Unit::Year => ast::CalendarUnit::Year,
            Unit::Second | Unit::Minute | Unit::Hour => {
                let words = self.words(span);
                self.report(
                    Diagnostic::new(
                        Code::MisplacedWords,
                        span,
                        format!("the calendar has no such periods as `{words}`"),
                    )
                    .label("days, weeks, months or years")
                    .help("write `calendar days`, `calendar weeks`, `calendar months` or `calendar years`"),
                );
                return None;
            }
        };
        let (unit, zone) = (self.calendar_unit(unit), self.zone(span)?);
        let at = if is_full { -n } else { 1 - n };
        let start = |offset, is_closed| Some(Bound { moment: Moment::StartOf(unit, offset, zone), is_closed });
        Some(Interval { from: start(at - 1, true), to: start(at, false) })
    }

    /// `3 times a week` counts in weeks alone.
    pub(in crate::lower) fn check_per(&mut self, parts: &EventParts<'_>) -> bool {
        let Some((unit, span)) = parts.per else { return true };
        if let Some((_, periods, _)) = parts.regular
            && periods.unit == unit
            && periods.length == 1
        {
            return true;
        }
        let words = self.words(span);
        self.report(
            Diagnostic::new(Code::MisplacedWords, span, format!("`{words}` in which of them?"))
                .label(format!("{unit}s of the past are needed behind it"))
                .help(format!("for every one: `{words} in each of the past 4 {unit}s`"))
                .help(format!("for some: `{words} in at least 3 of the past 5 {unit}s`")),
        );
        false
    }
}

/// What is said of an anniversary, and where.
#[derive(Clone, Copy)]
struct AnniversaryModifier<'t> {
    window: &'t Window,
    span: Span,
    not: bool,
    or_unknown: Option<Span>,
}

fn said_of_anniversary(modifier: &Modifier) -> Option<AnniversaryModifier<'_>> {
    let span = modifier.span;
    match &modifier.kind {
        ModifierKind::Comparison(comparison) => match &comparison.relation {
            Relation::Window(window) => {
                let (not, or_unknown) = (comparison.not.is_some(), comparison.or_unknown);
                Some(AnniversaryModifier { window, span, not, or_unknown })
            }
            Relation::Known
            | Relation::Missing
            | Relation::Empty(_)
            | Relation::KnownButNot(_)
            | Relation::Order(..)
            | Relation::Between(..)
            | Relation::OneOf(_)
            | Relation::NoneOf(_)
            | Relation::Text(..)
            | Relation::Includes(..)
            | Relation::Recurring(_)
            | Relation::InList(_)
            | Relation::Near(_) => None,
        },
        ModifierKind::Window(window) => Some(AnniversaryModifier { window, span, not: false, or_unknown: None }),
        ModifierKind::NotWindow(window) => Some(AnniversaryModifier { window, span, not: true, or_unknown: None }),
        _ => None,
    }
}
