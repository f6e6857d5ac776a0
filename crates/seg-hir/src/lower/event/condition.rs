//! Conditions about events: whether, how often and when they happened.

use super::parts::EventParts;
use super::sequence::Row;
use crate::hir::{Aggregate, Cond, End, Expr, ExprKind, Length, PeriodUnit, Query};
use crate::lower::{EventFacts, Facts, Lower, Lowered, Trailing};
use seg_data::{EventId, Type, Zone};
use seg_syntax::ast::{self, Condition, Modifier, ModifierKind, Negative, OperandKind, Quantity, Unit};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    pub(in crate::lower) fn event_condition(&mut self, c: &Condition, events: Vec<EventId>) -> Lowered {
        if self.window_of_aggregate(c) {
            return Lowered::error();
        }
        let Some(row) = self.row_of_events(c, &events) else { return Lowered::error() };
        let Some(parts) = self.event_parts(c, &row, &events) else { return Lowered::error() };
        if !self.parts_fit(c, &parts) {
            return Lowered::error();
        }
        let Some(query) = self.event_query(&events, &parts, &row) else { return Lowered::error() };
        let Some(cond) = self.event_test(c, &parts, query) else { return Lowered::error() };
        self.read.extend(c.prefix.did);
        let is_negative = self.reads_negative(c) || parts.not_window.is_some();
        let cond = if is_negative { cond.negate() } else { cond };
        Lowered { cond, facts: Facts::Event(event_facts(c, events, &parts, &row)) }
    }

    /// The events that are meant, with all that narrows them.
    fn event_query(&mut self, events: &[EventId], parts: &EventParts<'_>, row: &Row<'_>) -> Option<Query> {
        let not_window: Option<Modifier> = parts.not_window.and_then(|t| match &t.kind {
            ModifierKind::NotWindow(w) => Some(Modifier { kind: ModifierKind::Window(w.clone()), span: t.span }),
            _ => None,
        });
        let mut modifiers: Vec<&Modifier> = Vec::new();
        modifiers.extend(parts.filter);
        modifiers.extend(parts.narrowing.iter().copied());
        // The window of the first time is about that one event, not about all.
        modifiers.extend(parts.window.filter(|_| parts.first_time.is_none()));
        modifiers.extend(&not_window);
        let query = self.query(events.to_vec());
        let mut query = self.narrowed(query, &modifiers)?;
        for followed in &row.followed {
            let cond = self.followed(followed, &query)?;
            query.narrow(cond);
        }
        row.chain.iter().for_each(|chain| query.narrow(chain.clone()));
        Some(query)
    }

    /// The positive condition: how often, on how many days, for the first time.
    fn event_test(&mut self, c: &Condition, parts: &EventParts<'_>, query: Query) -> Option<Cond> {
        if let Some(first) = parts.first_time {
            return self.first_time(first, parts.window, query);
        }
        let counted = self.counted(parts)?;
        let once = Quantity { min: 1, max: None, span: c.span };
        let times = parts.periods.map(|(quantity, ..)| quantity).or(parts.count).unwrap_or(once);
        self.read.extend(parts.count.map(|quantity| quantity.span));
        match parts.regular {
            Some((of, periods, span)) => {
                self.reads(span);
                self.regular((counted, times), of, periods, &query)
            }
            None => Some(counted.of(query).in_range(times.min, times.max)),
        }
    }

    /// `for the first time within the past 14 days`
    fn first_time(&mut self, first: &Modifier, window: Option<&Modifier>, query: Query) -> Option<Cond> {
        let Some(Modifier { kind: ModifierKind::Window(window), span }) = window else {
            self.report(
                Diagnostic::new(Code::MisplacedWords, first.span, "`for the first time` needs a window")
                    .label("the first time ever, but when?")
                    .help("add a window: `for the first time within the past 14 days`"),
            );
            return None;
        };
        let interval = self.interval(window, *span)?;
        self.reads(first.span);
        self.reads(*span);
        let kind = ExprKind::EventTime { end: End::First, query };
        let time = Expr { kind, ty: Type::Timestamp, may_be_missing: true };
        Some(time.in_interval(interval))
    }

    /// What of the events is counted.
    fn counted(&mut self, parts: &EventParts<'_>) -> Option<Counted> {
        if let Some((_, unit, span)) = parts.periods {
            let zone = self.zone(span)?;
            let unit = match unit {
                Unit::Week => PeriodUnit::Week(self.settings.week_start),
                Unit::Month => PeriodUnit::Month,
                // The others are refused when the tree is built.
                Unit::Day | Unit::Second | Unit::Minute | Unit::Hour | Unit::Year => PeriodUnit::Day,
            };
            self.reads(span);
            return Some(Counted::Periods(unit, zone));
        }
        let Some((within, span)) = parts.any_within else { return Some(Counted::Events) };
        if parts.count.is_none() {
            self.report(
                Diagnostic::new(Code::MisplacedWords, span, "how often within any such time?")
                    .label("a count is needed before it")
                    .help("write for example `at least 3 times within any 24 hours`"),
            );
            return None;
        }
        self.reads(span);
        Some(Counted::MostWithin(self.length(&within)?))
    }
}

/// What of events is counted.
#[derive(Clone, Copy)]
pub(in crate::lower) enum Counted {
    /// The events themselves.
    Events,
    /// The different days, weeks or months that have one.
    Periods(PeriodUnit, Zone),
    /// The most of them that lie within a length of time.
    MostWithin(Length),
}

impl Counted {
    /// The count over some events.
    pub(in crate::lower) fn of(self, query: Query) -> Expr {
        Expr::count(match self {
            Counted::Events => ExprKind::Aggregate { function: Aggregate::Count, measure: None, items: None, query },
            Counted::Periods(unit, zone) => ExprKind::Periods { unit, zone, query },
            Counted::MostWithin(within) => ExprKind::MostWithin { query, within },
        })
    }
}

/// What the neighbours in a chain need to know of a condition.
fn event_facts(c: &Condition, events: Vec<EventId>, parts: &EventParts<'_>, row: &Row<'_>) -> EventFacts {
    let window = parts.window.or(parts.not_window);
    let is_open = window.is_none();
    // Whoever says `ever` says nothing that others could be meant by.
    let window = window.filter(|t| !matches!(t.kind, ModifierKind::Window(ast::Window::Ever))).map(|t| t.span);
    let says_never = matches!(c.prefix.negative, Some((Negative::Never, _)));
    let is_windowed = c.modifiers.iter().all(|t| matches!(t.kind, ModifierKind::Window(_)));
    let is_plain_negative =
        events.len() == 1 && c.prefix.negative.is_some() && c.quantity.is_none() && c.modifiers.is_empty();
    EventFacts {
        events,
        window,
        // Each of several periods is a window of its own.
        is_open: is_open && parts.regular.is_none() && !says_never,
        is_row: row.at < c.modifiers.len(),
        followed: c.modifiers.iter().find(|t| matches!(t.kind, ModifierKind::Followed(_))).map(|t| t.span),
        open_filter: parts.filter.and_then(open_filter),
        negative: c.prefix.negative.map(|(_, span)| span),
        is_simple: c.quantity.is_none() && c.prefix.negative.is_none() && is_windowed,
        trailing: trailing(c, row),
        is_unmodified: c.modifiers.is_empty() && c.quantity.is_none() && c.prefix.negative.is_none(),
        is_plain_negative,
        is_bare: c.prefix.span.is_none() && c.quantity.is_none() && is_windowed,
        has_all_in_window: row.at == c.modifiers.len() && has_all_in_window(c, parts),
        at: c.span,
    }
}

/// `for the first time in the past 30 days`: before a window that reaches to now, there
/// were none.
fn has_all_in_window(c: &Condition, parts: &EventParts<'_>) -> bool {
    let Some(Modifier { kind: ModifierKind::Window(window), .. }) = parts.window else { return false };
    let reaches_to_now = match window {
        ast::Window::Past(_) | ast::Window::PastNamed(_) => true,
        ast::Window::Calendar { from, to, .. } => *from <= 0 && *to > 0,
        ast::Window::Dated(op, _) => matches!(op, ast::DatedOp::Since | ast::DatedOp::OnOrAfter),
        ast::Window::Next(_)
        | ast::Window::Ago(_)
        | ast::Window::Ahead(_)
        | ast::Window::Between(..)
        | ast::Window::Beside(..)
        | ast::Window::Dates(..)
        | ast::Window::Anchored(..)
        | ast::Window::Ever => false,
    };
    let is_of_all = parts.filter.is_none() && parts.narrowing.is_empty() && parts.not_window.is_none();
    parts.first_time.is_some() && is_of_all && c.prefix.negative.is_none() && reaches_to_now
}

/// What may seem to be said of an event before this one, too: all that stands behind
/// its name, where no word stands before that and it is not a window alone. Behind a
/// sequence it is clear.
fn trailing(c: &Condition, row: &Row<'_>) -> Option<Trailing> {
    let is_window = |t: &Modifier| matches!(t.kind, ModifierKind::Window(_));
    if c.prefix.span.is_some()
        || c.quantity.is_some()
        || row.at < c.modifiers.len()
        || c.modifiers.iter().all(is_window)
    {
        return None;
    }
    let mut properties = Vec::new();
    for modifier in &c.modifiers {
        if let ModifierKind::Where(expr) | ModifierKind::Had(expr) = &modifier.kind {
            expr.each_condition(&mut |inner| {
                if let OperandKind::Name(name) = &inner.subject.kind {
                    properties.push(name.text.clone());
                }
            });
        }
    }
    Some(Trailing { at: Span { start: c.subject.span.end, ..c.span }, properties })
}

/// A `where` without brackets at the end of which more may seem to follow.
fn open_filter(modifier: &Modifier) -> Option<Span> {
    match &modifier.kind {
        ModifierKind::Where(ast::Expr::Condition(c)) => Some(c.span),
        _ => None,
    }
}
