//! Moments that are counted from now, ahead of it and behind it.

use super::window::{approximate, closed, open, shorter_first};
use crate::hir::{DayOffset, Expr, Interval, Moment};
use crate::lower::Lower;
use seg_syntax::ast::{Age, DatedOp, Duration, FromNow, Unit};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    /// `5 days ago` of an instant: what may be meant, each with the window that says it.
    pub(super) fn single_instant(&mut self, span: Span, meant: &[(&str, String)]) {
        let words = self.words(span);
        // A value and its verb stand before the window.
        let before = [" is ", " are ", " was ", " were "].iter().find_map(|verb| {
            let (subject, _) = words.rsplit_once(verb)?;
            Some(format!("{subject}{verb}"))
        });
        let before = before.unwrap_or_default();
        let diagnostic =
            Diagnostic::new(Code::ExactAgo, span, format!("`{words}` is a single instant, which nothing hits"))
                .label("exactly then?");
        let diagnostic = meant.iter().fold(diagnostic, |diagnostic, (when, window)| {
            let text = format!("{before}{window}");
            diagnostic.fix(span, text.as_str(), format!("{when}: `{text}`"))
        });
        self.report(diagnostic);
    }

    /// The mirror of [`Lower::age`]; what is long past is not less than two days from now.
    pub(super) fn age_ahead(&mut self, age: &Age, span: Span) -> Option<Interval> {
        let now = Some(closed(Moment::NOW));
        Some(match age {
            Age::MoreThan(d) => Interval { from: Some(open(self.after(d)?)), to: None },
            Age::AtLeast(d) => Interval { from: Some(closed(self.after(d)?)), to: None },
            Age::LessThan(d) => Interval { from: now, to: Some(open(self.after(d)?)) },
            Age::AtMost(d) => Interval { from: now, to: Some(closed(self.after(d)?)) },
            Age::Between(a, b) => {
                let (short, long) = shorter_first(a, b);
                Interval { from: Some(closed(self.after(short)?)), to: Some(closed(self.after(long)?)) }
            }
            Age::Exactly(d) => {
                let (n, unit) = (d.count, d.unit);
                let mut texts = vec![
                    ("for a stretch of time", format!("between {n} and {} {unit}s from now", n + 1)),
                    ("for everything up to then", format!("at most {n} {unit}s from now")),
                ];
                if matches!(unit, Unit::Day | Unit::Week | Unit::Month | Unit::Year) {
                    texts.insert(0, ("for the calendar's", format!("{n} calendar {unit}s from now")));
                }
                self.single_instant(span, &texts);
                return None;
            }
        })
    }

    /// A moment, and one past its end where it is a whole day.
    pub(super) fn moment(&mut self, moment: FromNow, span: Span) -> Option<(Moment, Option<Moment>)> {
        Some(match moment {
            FromNow::Now => (Moment::NOW, None),
            FromNow::Ago(d) => (self.before(&d)?, None),
            FromNow::Ahead(d) => (self.after(&d)?, None),
            FromNow::Period(unit, at) => {
                let (unit, zone) = (self.calendar_unit(unit), self.zone(span)?);
                let start = |at| Moment::StartOf(unit, at, zone);
                (start(at), Some(start(at + 1)))
            }
        })
    }

    /// `before today`, `after 2 days ago`
    pub(super) fn beside_now(&mut self, op: DatedOp, moment: FromNow, span: Span) -> Option<Interval> {
        let (start, end) = self.moment(moment, span)?;
        let up_to_end = end.map_or(closed(start), open);
        Some(match op {
            DatedOp::Before => Interval { from: None, to: Some(open(start)) },
            DatedOp::After => Interval { from: Some(end.map_or(open(start), closed)), to: None },
            DatedOp::Since | DatedOp::OnOrAfter => Interval { from: Some(closed(start)), to: None },
            DatedOp::Until | DatedOp::OnOrBefore => Interval { from: None, to: Some(up_to_end) },
            DatedOp::On if end.is_some() => Interval { from: Some(closed(start)), to: Some(up_to_end) },
            DatedOp::On => {
                let words = self.words(span);
                let day = words.rsplit_once("on ").map_or(words.as_str(), |(_, day)| day);
                self.single_instant(span, &[("for the day of the calendar", format!("on the day {day}"))]);
                return None;
            }
        })
    }

    /// The day of the calendar on which a moment is.
    pub(super) fn day_from_now(&mut self, moment: FromNow, span: Span) -> Option<Expr> {
        match moment {
            FromNow::Now => self.today_itself(span),
            FromNow::Ago(d) => self.today(&d, -1),
            FromNow::Ahead(d) => self.today(&d, 1),
            FromNow::Period(unit, at) => {
                let unit = self.calendar_unit(unit);
                Some(Expr::today(self.zone(span)?, DayOffset::StartOf(unit, at)))
            }
        }
    }
}

pub(super) fn earlier_first(a: FromNow, b: FromNow) -> (FromNow, FromNow) {
    if ahead(a) <= ahead(b) { (a, b) } else { (b, a) }
}

/// For telling the later of two moments: how far ahead of now it is.
fn ahead(moment: FromNow) -> i128 {
    let length = |d: &Duration| i128::try_from(approximate(d)).unwrap_or(i128::MAX);
    match moment {
        FromNow::Now => 0,
        FromNow::Ago(d) => -length(&d),
        FromNow::Ahead(d) => length(&d),
        // None stands in a range of two moments.
        FromNow::Period(_, at) => i128::from(at) * 86_400,
    }
}
