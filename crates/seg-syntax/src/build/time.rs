//! Quantities, lengths of time and windows.

use super::Builder;
use super::comparison::Bound;
use super::condition::error_operand;
use super::moment::calendar;
use crate::ast::{
    Age, CalendarUnit, DatedOp, Duration, ModifierKind, Name, Operand, OperandKind, Quantity, Unit, Window,
};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::limits::{COUNT_MAX, DURATION_DAYS_MAX};
use crate::source::Span;
use pest::iterators::Pair;

impl Builder<'_> {
    pub(super) fn quantity(&mut self, pair: Pair<'_, Rule>) -> Option<Quantity> {
        let span = self.span(&pair);
        let mut bound = Bound::Exactly;
        let (mut bounds, mut counts) = (Vec::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::bound => {
                    bound = self.bound(part);
                    bounds.push(bound);
                }
                Rule::count => counts.push(self.count(part)?),
                Rule::plus_sign | Rule::or_more => bound = Bound::AtLeast,
                Rule::or_fewer => bound = Bound::AtMost,
                _ => {}
            }
        }
        // `at least 1 and at most 3`
        if let ([first, second], [low, high]) = (counts.as_slice(), bounds.as_slice()) {
            let (a, b) = (self.bounded(*low, *first, span)?, self.bounded(*high, *second, span)?);
            return self.both(a, b, span);
        }
        match *counts.as_slice() {
            [n] => self.bounded(bound, n, span),
            [low, high] if low <= high => Some(Quantity { min: low, max: Some(high), span }),
            [low, high] => {
                self.report(empty_range(span, &format!("{high} to {low}")));
                None
            }
            _ => None,
        }
    }

    /// What is in both of two ranges of counts.
    fn both(&mut self, a: Quantity, b: Quantity, span: Span) -> Option<Quantity> {
        let min = a.min.max(b.min);
        let max = [a.max, b.max].into_iter().flatten().min();
        if max.is_some_and(|max| max < min) {
            let words = self.words(span);
            self.report(
                Diagnostic::new(Code::EmptyRange, span, format!("`{words}` is no number"))
                    .label("nothing lies between"),
            );
            return None;
        }
        Some(Quantity { min, max, span })
    }

    /// A bound and a number as a range of counts.
    fn bounded(&mut self, bound: Bound, n: u64, span: Span) -> Option<Quantity> {
        let (min, max) = match bound {
            Bound::AtLeast => (n, None),
            Bound::MoreThan => (n + 1, None),
            Bound::AtMost => (0, Some(n)),
            Bound::Exactly => (n, Some(n)),
            Bound::LessThan if n == 0 => {
                self.report(
                    Diagnostic::new(Code::EmptyRange, span, "nothing can happen fewer than 0 times")
                        .label("never true")
                        .note("for none at all, write `no …` or `never did …`"),
                );
                return None;
            }
            Bound::LessThan => (0, Some(n - 1)),
        };
        Some(Quantity { min, max, span })
    }

    /// `at least 2 times`, `twice`, `3 times a week`
    pub(super) fn count_modifier(&mut self, pair: Pair<'_, Rule>) -> Option<ModifierKind> {
        let per = pair.clone().into_inner().find(|p| p.as_rule() == Rule::per);
        let unit = per.and_then(|per| per.into_inner().find(|p| p.as_rule() == Rule::unit)).map(|u| unit_of(&u));
        let quantity = self.count_of_times(pair)?;
        Some(match unit {
            Some(unit) => ModifierKind::CountPer(quantity, unit),
            None => ModifierKind::Count(quantity),
        })
    }

    fn count_of_times(&mut self, pair: Pair<'_, Rule>) -> Option<Quantity> {
        let span = self.span(&pair);
        let mut is_only = false;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::only => is_only = true,
                Rule::not_once => return self.bounded(Bound::Exactly, 0, span),
                Rule::quantity => {
                    let (is_bare, said) = (is_bare(&part), self.span(&part));
                    let quantity = self.quantity(part)?;
                    match (is_only, is_bare) {
                        // None at all is none at all.
                        (false, true) if quantity.max != Some(0) => self.unclear_times(span),
                        (true, false) => self.only_beside_bound(span, said),
                        (true | false, _) => {}
                    }
                    return Some(Quantity { span, ..quantity });
                }
                Rule::once => {
                    let (mut bound, mut n) = (None, 1);
                    for word in part.into_inner() {
                        match word.as_rule() {
                            Rule::bound => bound = Some(self.bound(word)),
                            Rule::only => bound = Some(Bound::Exactly),
                            Rule::kw_twice => n = 2,
                            _ => {}
                        }
                    }
                    if bound.is_none() {
                        self.unclear_times(span);
                    }
                    return self.bounded(bound.unwrap_or(Bound::Exactly), n, span);
                }
                _ => {}
            }
        }
        None
    }

    /// `twice` says neither exactly nor at least.
    fn unclear_times(&mut self, span: Span) {
        let times = self.words(span);
        self.report(
            Diagnostic::new(
                Code::BareNumber,
                span,
                format!("`{times}` alone could mean exactly {times} or at least {times}"),
            )
            .label("exactly, or at least?")
            .fix(span, format!("exactly {times}"), format!("for so often and no more: `exactly {times}`"))
            .fix(span, format!("at least {times}"), format!("for so often or more: `at least {times}`")),
        );
    }

    /// `only at least 2 times` says two things.
    fn only_beside_bound(&mut self, span: Span, said: Span) {
        let times = self.words(said);
        self.report(
            Diagnostic::new(Code::MisplacedWords, span, format!("`only` means exactly, and `{times}` is a range"))
                .label("one or the other")
                .fix(span, format!("{times} times"), format!("leave `only` out: `{times} times`")),
        );
    }

    pub(super) fn different_periods(&mut self, pair: Pair<'_, Rule>) -> Option<ModifierKind> {
        let span = self.span(&pair);
        let mut quantity = None;
        let mut unit = Unit::Day;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::quantity => quantity = Some(self.quantity(part)?),
                Rule::unit => unit = unit_of(&part),
                _ => {}
            }
        }
        if !matches!(unit, Unit::Day | Unit::Week | Unit::Month) {
            self.report(
                Diagnostic::new(Code::MisplacedWords, span, format!("different {unit}s cannot be counted"))
                    .label("days, weeks or months")
                    .help("count days, weeks or months: `on at least 5 different days`"),
            );
            return None;
        }
        Some(ModifierKind::DifferentPeriods(Quantity { span, ..quantity? }, unit))
    }

    /// A whole number from a `count` or `duration_count`; `None` if reported.
    pub(super) fn count(&mut self, pair: Pair<'_, Rule>) -> Option<u64> {
        let span = self.span(&pair);
        let inner = match pair.as_rule() {
            Rule::number => pair,
            _ => match pair.into_inner().next() {
                Some(inner) => inner,
                None => return Some(1),
            },
        };
        let digits = match inner.as_rule() {
            Rule::number => inner.as_str().replace('_', ""),
            Rule::number_word => return Some(number_word(inner.as_str())),
            _ => return Some(1),
        };
        let written = inner.as_str();
        if digits.contains('.') || digits.starts_with('-') {
            let what = if digits.starts_with('-') { "below zero" } else { "not a whole number" };
            self.report(
                Diagnostic::new(Code::NumberOutOfRange, span, format!("`{written}` is {what}"))
                    .label("a whole number is needed here")
                    .help("write a whole number, such as `3`"),
            );
            return None;
        }
        match digits.parse::<u64>() {
            Ok(n) if n <= COUNT_MAX => Some(n),
            _ => {
                self.report(
                    Diagnostic::new(Code::NumberOutOfRange, span, format!("`{written}` is too large"))
                        .label(format!("at most {COUNT_MAX} here"))
                        .help("write a smaller number"),
                );
                None
            }
        }
    }

    /// `3 days`, where no calendar days are possible.
    pub(super) fn length(&mut self, pair: Pair<'_, Rule>) -> Option<Duration> {
        self.duration(pair)
    }

    pub(super) fn duration(&mut self, pair: Pair<'_, Rule>) -> Option<Duration> {
        let span = self.span(&pair);
        let mut count = Some(1);
        let mut unit = Unit::Day;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::duration_count | Rule::number => count = self.count(part),
                Rule::unit => unit = unit_of(&part),
                Rule::day_kind => {
                    let (words, word) = (self.words(span), part.as_str().to_lowercase());
                    let plain: Vec<&str> = words.split(' ').filter(|w| !w.eq_ignore_ascii_case(&word)).collect();
                    self.report(
                        Diagnostic::new(Code::MisplacedWords, span, format!("`{word}` goes with `in the past` alone"))
                            .label("elsewhere lengths are not the calendar's")
                            .help(format!("write `{}` here, or the window `in the past {words}`", plain.join(" "))),
                    );
                    return None;
                }
                _ => {}
            }
        }
        self.checked_duration(count?, unit, span)
    }

    pub(super) fn checked_duration(&mut self, count: u64, unit: Unit, span: Span) -> Option<Duration> {
        let days = match unit {
            Unit::Second => count / 86_400,
            Unit::Minute => count / 1_440,
            Unit::Hour => count / 24,
            Unit::Day => count,
            Unit::Week => count.saturating_mul(7),
            Unit::Month => count.saturating_mul(31),
            Unit::Year => count.saturating_mul(366),
        };
        if days > DURATION_DAYS_MAX {
            let words = self.words(span);
            self.report(
                Diagnostic::new(Code::DurationOutOfRange, span, format!("`{words}` is longer than all of history"))
                    .label("longer than 9,999 years")
                    .help("for all of the past, write `ever`"),
            );
            return None;
        }
        Some(Duration { count, unit, span })
    }

    /// How long ago. Both orders of a range are said: `30 to 45 days ago`,
    /// `between 14 and 7 days ago`.
    pub(super) fn age(&mut self, pair: Pair<'_, Rule>) -> Option<Age> {
        let mut bound = Bound::Exactly;
        let mut first: Option<(u64, Span)> = None;
        let mut first_unit = None;
        let mut duration = None;
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::bound => bound = self.bound(part),
                Rule::duration_count => first = Some((self.count(part)?, at)),
                Rule::unit => first_unit = Some(unit_of(&part)),
                Rule::duration => duration = Some(self.duration(part)?),
                Rule::or_more => bound = Bound::AtLeast,
                Rule::or_fewer => bound = Bound::AtMost,
                _ => {}
            }
        }
        let duration = duration?;
        let Some((count, at)) = first else {
            return Some(match bound {
                Bound::AtLeast => Age::AtLeast(duration),
                Bound::AtMost => Age::AtMost(duration),
                Bound::MoreThan => Age::MoreThan(duration),
                Bound::LessThan => Age::LessThan(duration),
                Bound::Exactly => Age::Exactly(duration),
            });
        };
        let other = self.checked_duration(count, first_unit.unwrap_or(duration.unit), at)?;
        Some(Age::Between(other, duration))
    }

    pub(super) fn window_or_next(&mut self, pair: Pair<'_, Rule>) -> Option<Window> {
        match pair.as_rule() {
            Rule::next_window => self.next_window(pair),
            _ => self.window(pair),
        }
    }

    pub(super) fn window(&mut self, pair: Pair<'_, Rule>) -> Option<Window> {
        let inner = pair.into_inner().next()?;
        let span = self.span(&inner);
        match inner.as_rule() {
            Rule::past => self.past(inner),
            Rule::calendar => calendar(inner),
            Rule::ago => {
                let is_ahead = inner.clone().into_inner().any(|p| p.as_rule() == Rule::from_now);
                let age = inner.into_inner().find(|p| p.as_rule() == Rule::age)?;
                self.age(age).map(if is_ahead { Window::Ahead } else { Window::Ago })
            }
            Rule::calendar_day => self.calendar_day(inner),
            Rule::between_moments => {
                let mut moments = inner.into_inner().filter(|p| p.as_rule() == Rule::from_here);
                let (low, high) = (moments.next()?, moments.next()?);
                Some(Window::Between(self.moment_here(low)?, self.moment_here(high)?))
            }
            Rule::in_year => self.in_year(inner),
            Rule::between_dates => {
                let mut dates = inner.into_inner().filter(|p| p.as_rule() == Rule::date);
                let (low, high) = (dates.next()?, dates.next()?);
                Some(Window::Dates(self.date_operand(low), self.date_operand(high)))
            }
            Rule::dated => self.dated(inner),
            Rule::around => {
                let (mut op, mut length, mut anchor) = (DatedOp::On, None, None);
                for part in inner.into_inner() {
                    match part.as_rule() {
                        Rule::kw_after => op = DatedOp::After,
                        Rule::kw_before => op = DatedOp::Before,
                        Rule::length => length = Some(self.length(part)?),
                        Rule::moment => anchor = Some(self.moment(part)),
                        _ => {}
                    }
                }
                Some(Window::Anchored(length?, op, anchor?))
            }
            Rule::ever => Some(Window::Ever),
            Rule::mistake_within => {
                let words = self.words(span);
                let length = words.split_once(' ').map_or("", |(_, rest)| rest).to_owned();
                self.report(
                    Diagnostic::new(Code::WindowNeedsThePast, span, format!("`{words}` does not say of when"))
                        .label("within this long of what?")
                        .fix(span, format!("within the past {length}"), format!("write `within the past {length}`")),
                );
                None
            }
            _ => None,
        }
    }

    /// `in the past 3 days`, `in the past week`.
    fn past(&mut self, pair: Pair<'_, Rule>) -> Option<Window> {
        let span = self.span(&pair);
        let mut is_last = false;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_last => is_last = true,
                Rule::duration => return self.past_duration(part),
                Rule::bare_name => {
                    let at = self.span(&part);
                    let text = super::single_spaced(part.as_str());
                    return Some(Window::PastNamed(Name { text, is_quoted: false, their: false, span: at }));
                }
                Rule::unit => {
                    let unit = unit_of(&part);
                    let at = self.span(&part);
                    if is_last {
                        let words = self.words(span);
                        self.report(
                            Diagnostic::new(Code::LastNeedsNumber, span, format!("`{words}` could be read two ways"))
                                .label("rolling, or the calendar's?")
                                .help(format!("`in the past {unit}` reaches back one {unit} from now"))
                                .help(format!("`last {unit}` is the calendar's {unit} before this one")),
                        );
                        return None;
                    }
                    return Some(Window::Past(Duration { count: 1, unit, span: at }));
                }
                _ => {}
            }
        }
        None
    }

    /// `3 days`, `7 calendar days`, `2 full months`.
    fn past_duration(&mut self, pair: Pair<'_, Rule>) -> Option<Window> {
        let parts: Vec<Pair<'_, Rule>> = pair.clone().into_inner().collect();
        let kind = parts.iter().find(|p| p.as_rule() == Rule::day_kind);
        let Some(kind) = kind.and_then(|k| k.clone().into_inner().next()) else {
            return self.duration(pair).map(Window::Past);
        };
        let span = self.span(&pair);
        let unit = parts.iter().find(|p| p.as_rule() == Rule::unit).map_or(Unit::Day, unit_of);
        let count = self.count(parts.into_iter().find(|p| p.as_rule() == Rule::duration_count)?)?;
        let unit = match unit {
            Unit::Day => CalendarUnit::Day,
            Unit::Week => CalendarUnit::Week,
            Unit::Month => CalendarUnit::Month,
            Unit::Year => CalendarUnit::Year,
            Unit::Second | Unit::Minute | Unit::Hour => {
                let word = kind.as_str().to_lowercase();
                self.report(
                    Diagnostic::new(Code::MisplacedWords, span, format!("there are no {word} {unit}s"))
                        .label("days, weeks, months or years")
                        .help(format!("write `in the past {count} {unit}s`, or `in the past {count} {word} days`")),
                );
                return None;
            }
        };
        // Checked like any length, so that no calendar is left.
        let checked = match unit {
            CalendarUnit::Day => Unit::Day,
            CalendarUnit::Week => Unit::Week,
            CalendarUnit::Month => Unit::Month,
            CalendarUnit::Quarter | CalendarUnit::Year => Unit::Year,
        };
        self.checked_duration(count, checked, span)?;
        // The current one is the last of calendar days and none of full ones.
        let to = i64::from(kind.as_rule() == Rule::kw_calendar);
        Some(Window::Calendar { unit, from: to - i64::try_from(count).unwrap_or(i64::MAX), to })
    }

    fn next_window(&mut self, pair: Pair<'_, Rule>) -> Option<Window> {
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::duration => return self.duration(part).map(Window::Next),
                Rule::unit => {
                    let span = self.span(&part);
                    return Some(Window::Next(Duration { count: 1, unit: unit_of(&part), span }));
                }
                _ => {}
            }
        }
        None
    }

    fn dated(&mut self, pair: Pair<'_, Rule>) -> Option<Window> {
        let mut op = DatedOp::On;
        let (mut when, mut from_now) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::dated_word => {
                    for word in part.into_inner() {
                        op = match (word.as_rule(), op) {
                            (Rule::kw_before, DatedOp::OnOrAfter) => DatedOp::OnOrBefore,
                            (Rule::kw_before, _) => DatedOp::Before,
                            (Rule::kw_after, DatedOp::OnOrAfter) => DatedOp::OnOrAfter,
                            (Rule::kw_after, _) => DatedOp::After,
                            (Rule::kw_since, _) => DatedOp::Since,
                            (Rule::kw_until, _) => DatedOp::Until,
                            // `on or …`: which of the two the next word says.
                            (Rule::kw_or, _) => DatedOp::OnOrAfter,
                            _ => op,
                        };
                    }
                }
                Rule::moment => when = Some(self.moment(part)),
                Rule::moment_from_now => from_now = Some(self.moment_from_now(part)?),
                _ => {}
            }
        }
        match from_now {
            Some(moment) => Some(Window::Beside(op, moment)),
            None => Some(Window::Dated(op, when?)),
        }
    }

    pub(super) fn moment(&mut self, pair: Pair<'_, Rule>) -> Operand {
        let span = self.span(&pair);
        let mut their = false;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_their => their = true,
                Rule::date => return self.date_operand(part),
                Rule::name => {
                    let name = self.name(part, their);
                    return Operand { span: name.span, kind: OperandKind::Name(name) };
                }
                _ => {}
            }
        }
        error_operand(span)
    }
}

fn empty_range(span: Span, right: &str) -> Diagnostic {
    Diagnostic::new(Code::EmptyRange, span, "the larger number comes first")
        .label("nothing lies between")
        .help(format!("write `{right}`"))
}

pub(super) fn unit_of(pair: &Pair<'_, Rule>) -> Unit {
    match pair.clone().into_inner().next().map(|p| p.as_rule()) {
        Some(Rule::second) => Unit::Second,
        Some(Rule::minute) => Unit::Minute,
        Some(Rule::hour) => Unit::Hour,
        Some(Rule::week) => Unit::Week,
        Some(Rule::month) => Unit::Month,
        Some(Rule::year) => Unit::Year,
        _ => Unit::Day,
    }
}

pub(super) fn number_word(word: &str) -> u64 {
    const WORDS: [&str; 11] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    WORDS.iter().position(|w| w.eq_ignore_ascii_case(word)).unwrap_or(0) as u64
}

/// Whether a quantity is a number without a word for how it is meant.
pub(super) fn is_bare(pair: &Pair<'_, Rule>) -> bool {
    let mut inner = pair.clone().into_inner();
    inner.next().is_some_and(|p| p.as_rule() == Rule::count) && inner.next().is_none()
}
