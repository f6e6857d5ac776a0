//! Moments counted from now, and periods of the calendar.

use super::Builder;
use super::sequence::month_of;
use crate::ast::{Age, CalendarUnit, DateLiteral, DatedOp, FromNow, Literal, Operand, OperandKind, Unit, Window};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

impl Builder<'_> {
    /// `2 days ago`, `3 days from now`
    pub(super) fn moment_here(&mut self, pair: Pair<'_, Rule>) -> Option<FromNow> {
        let is_ahead = pair.clone().into_inner().any(|p| p.as_rule() == Rule::from_now);
        let duration = self.duration(pair.into_inner().find(|p| p.as_rule() == Rule::duration)?)?;
        Some(if is_ahead { FromNow::Ahead(duration) } else { FromNow::Ago(duration) })
    }

    /// `yesterday`, `2 days ago`
    pub(super) fn moment_from_now(&mut self, pair: Pair<'_, Rule>) -> Option<FromNow> {
        let inner = pair.clone().into_inner().next()?;
        match inner.as_rule() {
            Rule::from_here => self.moment_here(inner),
            // A day, a week, a month by its word, as a window of its own.
            _ => match calendar(pair)? {
                Window::Calendar { unit, from, .. } => Some(FromNow::Period(unit, from)),
                _ => None,
            },
        }
    }

    /// `3 calendar days ago`, `on the day 2 days from now`
    pub(super) fn calendar_day(&mut self, pair: Pair<'_, Rule>) -> Option<Window> {
        let span = self.span(&pair);
        let (mut count, mut unit, mut sign) = (1, (CalendarUnit::Day, Unit::Day), -1);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::duration_count => count = self.count(part)?,
                Rule::calendar_length => {
                    unit = match part.into_inner().next()?.as_rule() {
                        Rule::week => (CalendarUnit::Week, Unit::Week),
                        Rule::month => (CalendarUnit::Month, Unit::Month),
                        Rule::year => (CalendarUnit::Year, Unit::Year),
                        _ => (CalendarUnit::Day, Unit::Day),
                    }
                }
                Rule::from_now => sign = 1,
                _ => {}
            }
        }
        self.checked_duration(count, unit.1, span)?;
        let from = i64::try_from(count).unwrap_or(i64::MAX / 2) * sign;
        Some(Window::Calendar { unit: unit.0, from, to: from + 1 })
    }

    /// What is said of a time behind `is` alone: `in 5 days`, `today or later`.
    pub(super) fn timed_alone(&mut self, pair: Pair<'_, Rule>) -> Option<Window> {
        match pair.as_rule() {
            Rule::in_days => {
                let duration = pair.into_inner().find(|p| p.as_rule() == Rule::duration)?;
                self.duration(duration).map(|duration| Window::Ahead(Age::Exactly(duration)))
            }
            Rule::in_future => Some(Window::Beside(DatedOp::After, FromNow::Now)),
            Rule::in_past => Some(Window::Beside(DatedOp::Before, FromNow::Now)),
            _ => {
                let (mut op, mut day, mut date) = (DatedOp::OnOrAfter, None, None);
                for part in pair.into_inner() {
                    match part.as_rule() {
                        Rule::kw_earlier => op = DatedOp::OnOrBefore,
                        Rule::date => date = Some(self.date_operand(part)),
                        rule => day = day.or(day_from_today(rule)),
                    }
                }
                match date {
                    Some(date) => Some(Window::Dated(op, date)),
                    None => Some(Window::Beside(op, FromNow::Period(CalendarUnit::Day, day?))),
                }
            }
        }
    }

    /// `in 2025`, `in March 2026`: from its first day to its last.
    pub(super) fn in_year(&mut self, pair: Pair<'_, Rule>) -> Option<Window> {
        let span = self.span(&pair);
        let (mut month, mut year) = (None, "");
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::month_named => month = part.into_inner().next().map(|m| month_of(m.as_rule())),
                Rule::year_number => year = part.as_str(),
                _ => {}
            }
        }
        let (first, last) = (month.unwrap_or(1), month.unwrap_or(12));
        let end = days_of_month(year.parse().ok()?, last);
        Some(days(format!("{year}-{first:02}-01"), format!("{year}-{last:02}-{end:02}"), span))
    }
}

/// How far a day is from today, by the word for it.
fn day_from_today(rule: Rule) -> Option<i64> {
    match rule {
        Rule::kw_today => Some(0),
        Rule::kw_yesterday => Some(-1),
        Rule::kw_tomorrow => Some(1),
        _ => None,
    }
}

/// The days from one to another of the calendar, written out.
fn days(from: String, to: String, span: Span) -> Window {
    let day = |day| Operand { kind: OperandKind::Literal(Literal::Date(DateLiteral { day, clock: None })), span };
    Window::Dates(day(from), day(to))
}

fn days_of_month(year: u32, month: u16) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 31,
    }
}

/// `today`, `last month`
pub(super) fn calendar(pair: Pair<'_, Rule>) -> Option<Window> {
    let mut unit = CalendarUnit::Day;
    let mut at = 0;
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::kw_yesterday | Rule::kw_last => at = -1,
            Rule::kw_tomorrow | Rule::kw_next => at = 1,
            Rule::calendar_unit => {
                unit = match part.into_inner().next()?.as_rule() {
                    Rule::week => CalendarUnit::Week,
                    Rule::month => CalendarUnit::Month,
                    Rule::quarter => CalendarUnit::Quarter,
                    _ => CalendarUnit::Year,
                }
            }
            _ => {}
        }
    }
    Some(Window::Calendar { unit, from: at, to: at + 1 })
}
