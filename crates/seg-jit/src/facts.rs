//! Facts: what is gathered of a person once and compared many times.
//!
//! Thresholds on one value share it: the value is gathered for a block of
//! profiles and held against each bound. Values that code is generated for are
//! gathered by a kernel; last times, rows of events, totals since several
//! instants, texts met and active days by the precompiled kernels of this module,
//! which docs/engines.md tells of.

mod chains;
mod days;
mod texts;
mod times;
mod totals;

pub(crate) use chains::{LastChains, Row};
pub(crate) use days::ActiveDays;
pub(crate) use texts::TextsMet;
pub(crate) use times::LastTimes;
pub(crate) use totals::{Sum, Totals, Values, average};

use seg_data::{EventId, Instant, Period, Value};
use seg_hir::hir::{Interval, Length};
use seg_plan::{Literal, Node, NodeId, Plan, Query};

/// Facts that one walk over a person's events gathers.
pub(crate) enum Group<'b> {
    Times(LastTimes<'b>),
    Chains(LastChains<'b>),
    Totals(Totals<'b>),
}

impl Group<'_> {
    /// The facts.
    pub fn facts(&self) -> Vec<usize> {
        match self {
            Group::Times(times) => times.wanted.iter().map(|(_, fact)| *fact).collect(),
            Group::Chains(chains) => chains.facts().collect(),
            Group::Totals(totals) => totals.facts().collect(),
        }
    }

    /// Those of 64 people from a row on who can have other values than
    /// [`Group::of_none`].
    pub fn possible(&self, row: usize) -> u64 {
        match self {
            Group::Chains(chains) => chains.late(row),
            Group::Totals(totals) => totals.of_any(row),
            Group::Times(_) => u64::MAX,
        }
    }

    /// The value of a fact of people who are given none, if they have one.
    pub fn of_none(&self, fact: usize) -> Option<i64> {
        match self {
            Group::Totals(totals) => totals.of_none(fact),
            Group::Chains(_) | Group::Times(_) => None,
        }
    }

    /// Gives the value of each fact that a person has.
    pub fn of(&self, row: usize, put: &mut impl FnMut(usize, i64)) {
        match self {
            Group::Times(times) => times.of(row, put),
            Group::Chains(chains) => chains.of(row, put),
            Group::Totals(totals) => totals.of(row, put),
        }
    }
}

/// The only event of a query that asks for nothing but its filter.
pub(crate) fn plain(query: &Query) -> Option<EventId> {
    let is_plain = query.interval == Interval::default() && query.known_at.is_none();
    match query.events.as_slice() {
        [one] if is_plain => Some(*one),
        _ => None,
    }
}

/// The only event of a query that asks for nothing but a window up to now, and
/// when that begins.
fn plain_but_window(query: &Query, now: Instant) -> Option<(EventId, i64)> {
    let [event] = query.events.as_slice() else { return None };
    if query.filter.is_some() || query.known_at.is_some() || !ends_now(query) {
        return None;
    }
    let from = query
        .interval
        .from
        .map_or(i64::MIN, |bound| bound.moment.at(now).0.saturating_add(i64::from(!bound.is_closed)));
    Some((*event, from))
}

/// Whether a window reaches to now.
fn ends_now(query: &Query) -> bool {
    use seg_hir::hir::{Bound, Moment};
    let now = |bound: Bound| matches!(bound, Bound { moment: Moment::Before(Period::Fixed(0), _), is_closed: true });
    query.interval.to.is_none_or(now)
}

fn text(literal: &Literal) -> Option<&str> {
    match &literal.0 {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// A length of fixed size; `None` for one of the calendar.
#[allow(clippy::option_option)] // Whether it can be said, and whether there is one.
fn fixed(length: Option<Length>) -> Option<Option<i64>> {
    match length.map(|l| l.period) {
        None => Some(None),
        Some(Period::Fixed(micros)) => Some(Some(micros)),
        Some(Period::Months(_)) => None,
    }
}

fn shorter(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    a.into_iter().chain(b).min()
}

/// A number that a threshold is held against.
pub(crate) fn bound(plan: &Plan, id: NodeId, now: Instant) -> Option<i64> {
    let bound = match plan.node(id)? {
        Node::Moment(moment) => moment.at(now).0,
        Node::Literal(Literal(Value::Integer(n) | Value::Money(n))) => i64::try_from(*n).ok()?,
        Node::Literal(Literal(Value::Timestamp(at))) => at.0,
        _ => return None,
    };
    // Values beyond 64 bits are cut to the extremes.
    (bound != i64::MIN && bound != i64::MAX).then_some(bound)
}
