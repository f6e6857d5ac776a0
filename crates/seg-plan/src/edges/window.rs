//! Conditions that count or add up events in one window: most of what segments ask.
//!
//! An event is in such a window from one instant on and up to another, so that one walk over
//! both for all events gives every change at once, however many events there are. What is
//! asked of each event is computed by the plan evaluator, once a batch.

use super::asked::value_stands_still;
use crate::eval::{Evaluated, Kernels};
use crate::plan::{Literal, Node, NodeId, Plan, Query};
use crate::reach::reached_from;
use seg_data::{Batch, EventId, Period, Timestamp, Type, Value, Zone};
use seg_hir::hir::{Aggregate, Bound, CompareOp, Moment, PeriodUnit};
use std::collections::HashMap;

/// What is asked of each event of a batch, by their names: whether it counts, and what is
/// measured of it.
pub(super) type Columns = HashMap<EventId, (Option<Vec<bool>>, Option<Measured>)>;

/// A number for each event, where there is one.
type Measured = Vec<Option<i128>>;

/// What is found of the events in the window.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Found {
    Count,
    /// How many different values there are of a node.
    Different(NodeId),
    /// On how many different days, weeks or months of a calendar.
    Periods(PeriodUnit, Zone),
    /// The sum of the values of a node, of money or of whole numbers.
    Total(NodeId, bool),
}

/// A condition on what lies in a window that begins and ends a fixed length of time ago, or
/// stands still.
#[derive(Debug)]
pub(super) struct Window {
    query: Query,
    found: Found,
    op: CompareOp,
    than: Value,
}

impl Window {
    /// Of a condition of a plan; none where it asks for something else.
    pub fn of(plan: &Plan, id: NodeId) -> Option<Window> {
        let window = Window::whatever_counts(plan, id)?;
        let is_of_events_alone = window.of_each_event().all(|id| is_of_events_alone(plan, id));
        is_of_events_alone.then_some(window)
    }

    /// The same where what is asked of each event stays as it is as long as nothing else happens:
    /// enough for [`Window::first_change`].
    pub fn standing(plan: &Plan, id: NodeId) -> Option<Window> {
        let window = Window::whatever_counts(plan, id)?;
        let stands_still = window.of_each_event().all(|id| value_stands_still(plan, id));
        stands_still.then_some(window)
    }

    fn whatever_counts(plan: &Plan, id: NodeId) -> Option<Window> {
        let window = match plan.node(id)? {
            Node::Known(time) => match plan.node(*time)? {
                Node::EventTime { n, query, .. } => {
                    let than = Value::Integer(i128::from(*n));
                    Window { query: query.clone(), found: Found::Count, op: CompareOp::GreaterOrEqual, than }
                }
                _ => return None,
            },
            Node::Compare(op, value, than) => {
                let Node::Literal(Literal(than)) = plan.node(*than)? else { return None };
                let (found, query) = match plan.node(*value)? {
                    Node::Periods { unit, zone, query } => (Found::Periods(*unit, *zone), query),
                    Node::Aggregate { function, measure, items: None, query } => {
                        let found = match (function, measure) {
                            (Aggregate::Count, None) => Found::Count,
                            (Aggregate::CountDifferent, Some((of, _))) => Found::Different(*of),
                            (Aggregate::Total, Some((of, Type::Money))) => Found::Total(*of, true),
                            (Aggregate::Total, Some((of, Type::Integer))) => Found::Total(*of, false),
                            _ => return None,
                        };
                        (found, query)
                    }
                    _ => return None,
                };
                Window { query: query.clone(), found, op: *op, than: than.clone() }
            }
            _ => return None,
        };
        let bounds = [window.query.interval.from, window.query.interval.to].into_iter().flatten();
        let is_even = bounds.map(|bound| bound.moment).chain(window.query.known_at).all(|moment| match moment {
            Moment::At(_) | Moment::Before(Period::Fixed(_), _) | Moment::After(Period::Fixed(_), _) => true,
            Moment::Before(Period::Months(_), _) | Moment::After(Period::Months(_), _) | Moment::StartOf(..) => false,
        });
        is_even.then_some(window)
    }

    /// What is asked of each event.
    fn of_each_event(&self) -> impl Iterator<Item = NodeId> {
        self.query.filter.into_iter().chain(self.measure())
    }

    fn measure(&self) -> Option<NodeId> {
        match self.found {
            Found::Count | Found::Periods(..) => None,
            Found::Different(of) | Found::Total(of, _) => Some(of),
        }
    }

    /// Whether it holds at the first instant of a range, and every instant after it at which
    /// that changes, with the events of a row coming as they do up to an instant.
    pub fn changes(
        &self,
        columns: Option<&Columns>,
        of: (&Batch, usize, Timestamp),
        range: (Timestamp, Timestamp),
    ) -> (bool, Vec<i64>) {
        let mut look = |event: EventId, idx: usize, _: usize| {
            let Some((counts, values)) = columns.and_then(|columns| columns.get(&event)) else { return Some(None) };
            let does_count = counts.as_ref().is_none_or(|counts| counts.get(idx) == Some(&true));
            does_count.then(|| values.as_ref().and_then(|values| values.get(idx).copied().flatten()))
        };
        let mut changes = Vec::new();
        let first = self.walk(of, range, &mut look, |at| {
            changes.push(at);
            true
        });
        (first, changes)
    }

    /// The first instant after `now` and not after another at which the answer for a row
    /// changes, if nothing else happens. It must be a window of the plan that is evaluated, as
    /// of `now`.
    pub fn first_change(&self, evaluated: &mut Evaluated<'_>, row: usize, until: Timestamp) -> Option<Timestamp> {
        let (batch, now) = (evaluated.batch(), evaluated.now());
        if !self.has_steps((batch, row), (now, until)) {
            return None;
        }
        let mut numbers: HashMap<String, i128> = HashMap::new();
        let mut look = |event: EventId, _: usize, at: usize| {
            if self.query.filter.is_some_and(|filter| !evaluated.holds_of_event(filter, event, (row, at))) {
                return None;
            }
            let value = self.measure().and_then(|of| evaluated.value_of_event(of, event, (row, at)));
            Some(value.and_then(|value| self.number(&value, &mut numbers)))
        };
        let mut found = None;
        self.walk((batch, row, now), (now, until), &mut look, |at| {
            found = Some(Timestamp(at));
            false
        });
        found
    }

    /// Whether any event of a row up to an instant comes into the window, or leaves it, after that
    /// instant and not after another.
    fn has_steps(&self, (batch, row): (&Batch, usize), (now, until): (Timestamp, Timestamp)) -> bool {
        self.query.events.iter().filter_map(|event| batch.events(*event)).any(|events| {
            let times = events.times().get(events.range(row)).unwrap_or(&[]);
            let times = times.get(..times.partition_point(|time| *time <= now.0)).unwrap_or(&[]);
            let left = |at: Timestamp| times.partition_point(|time| self.end(*time).is_none_or(|end| end <= at.0));
            let come =
                |at: Timestamp| times.partition_point(|time| self.start(*time).is_some_and(|start| start <= at.0));
            left(now) != left(until) || come(now) != come(until)
        })
    }

    /// Whether it holds at the first instant of a range; calls `each` with the instants after
    /// it at which that changes, ascending, until it has seen enough. `look` says of an event,
    /// by its position in the batch and by that among its person's, whether it counts, and
    /// what is measured of it.
    fn walk(
        &self,
        (batch, row, until): (&Batch, usize, Timestamp),
        (from, to): (Timestamp, Timestamp),
        look: &mut dyn FnMut(EventId, usize, usize) -> Option<Option<i128>>,
        mut each: impl FnMut(i64) -> bool,
    ) -> bool {
        let mut state = State::default();
        // At which instants which event comes into the window, and leaves it.
        let mut steps: Vec<(i64, bool, Option<i128>)> = Vec::new();
        for event in &self.query.events {
            let Some(events) = batch.events(*event) else { continue };
            let range = events.range(row);
            let times = events.times().get(range.clone()).unwrap_or(&[]);
            // Times ascend, and who comes later stays longer, so that those within reach are
            // one stretch.
            let has_left = |time: &i64| self.end(*time).is_none_or(|end| end <= from.0);
            let comes = |time: &i64| *time <= until.0 && self.start(*time).is_some_and(|start| start <= to.0);
            let (first, end) = (times.partition_point(has_left), times.partition_point(comes));
            for (at, time) in times.iter().enumerate().take(end).skip(first) {
                let (Some(start), Some(end)) = (self.start(*time), self.end(*time)) else { continue };
                if start >= end {
                    continue;
                }
                let Some(value) = look(*event, range.start + at, at) else { continue };
                let value = value.or_else(|| self.period(Timestamp(*time)));
                if start <= from.0 {
                    state.step(true, self.found, value);
                } else {
                    steps.push((start, true, value));
                }
                if end <= to.0 {
                    steps.push((end, false, value));
                }
            }
        }
        steps.sort_unstable_by_key(|(at, ..)| *at);
        let first = self.holds(&state);
        let mut last = first;
        let mut steps = steps.into_iter().peekable();
        while let Some((at, comes, value)) = steps.next() {
            state.step(comes, self.found, value);
            while let Some((_, comes, value)) = steps.next_if(|(other, ..)| *other == at) {
                state.step(comes, self.found, value);
            }
            let now = self.holds(&state);
            if std::mem::replace(&mut last, now) != now && !each(at) {
                break;
            }
        }
        first
    }

    /// What is asked of each event of a batch; none where nothing is.
    pub fn columns(&self, plan: &Plan, batch: &Batch, now: Timestamp) -> Option<Columns> {
        if self.query.filter.is_none() && self.measure().is_none() {
            return None;
        }
        let mut kernels = Kernels::new(plan, batch, now);
        let mut numbers: HashMap<String, i128> = HashMap::new();
        let mut columns = Columns::new();
        for event in &self.query.events {
            let counts = self.query.filter.map(|filter| kernels.of_events(filter, *event));
            let values = self.measure().map(|of| {
                let values = kernels.values_of_events(of, *event).into_iter();
                values.map(|value| self.number(&value?, &mut numbers)).collect()
            });
            columns.insert(*event, (counts, values));
        }
        Some(columns)
    }

    /// A value as a number: itself where it is added up, else the same for the same value.
    fn number(&self, value: &Value, numbers: &mut HashMap<String, i128>) -> Option<i128> {
        match (self.found, value) {
            (Found::Total(..), Value::Integer(number) | Value::Money(number)) => Some(*number),
            (Found::Total(..), _) => None,
            (Found::Count | Found::Periods(..) | Found::Different(_), value) => {
                let next = numbers.len() as i128;
                Some(*numbers.entry(crate::eval::value_key(value)).or_insert(next))
            }
        }
    }

    /// The number of the period that an event is in, where periods are counted.
    fn period(&self, time: Timestamp) -> Option<i128> {
        match self.found {
            Found::Periods(unit, zone) => Some(unit.number(zone.date(time)).into()),
            Found::Count | Found::Different(_) | Found::Total(..) => None,
        }
    }

    /// The first instant at which an event that lies in the window does not any more; none for
    /// one that it never reaches back to. The later the event, the later it is.
    fn end(&self, time: i64) -> Option<i64> {
        let Some(Bound { moment, is_closed }) = self.query.interval.from else { return Some(i64::MAX) };
        match meets(moment, time) {
            // The window begins behind it an instant later, or right then.
            Meets::At(at) => Some(if is_closed { at.saturating_add(1) } else { at }),
            Meets::Fixed(at) => (if is_closed { at <= time } else { at < time }).then_some(i64::MAX),
            Meets::Never => None,
        }
    }

    /// From when on an event lies in the window, where it does not end before it for ever. The
    /// later the event, the later it is.
    fn start(&self, time: i64) -> Option<i64> {
        let to = self.query.interval.to.map(|to| (to.moment, to.is_closed));
        let mut start = time;
        for (moment, is_closed) in to.into_iter().chain(self.query.known_at.map(|at| (at, true))) {
            match meets(moment, time) {
                Meets::At(at) => start = start.max(if is_closed { at } else { at.saturating_add(1) }),
                Meets::Fixed(at) if if is_closed { time <= at } else { time < at } => {}
                Meets::Fixed(_) | Meets::Never => return None,
            }
        }
        Some(start)
    }

    fn holds(&self, state: &State) -> bool {
        let value = match self.found {
            Found::Count => Value::Integer(state.n),
            Found::Different(_) | Found::Periods(..) => Value::Integer(state.different.len() as i128),
            Found::Total(_, true) => Value::Money(state.total),
            Found::Total(_, false) => Value::Integer(state.total),
        };
        seg_hir::compare(&value, &self.than).is_some_and(|order| self.op.holds(order))
    }
}

/// When a moment meets an event.
enum Meets {
    /// It keeps in step with now, and is at the event then.
    At(i64),
    /// It stands still.
    Fixed(i64),
    Never,
}

fn meets(moment: Moment, time: i64) -> Meets {
    match moment {
        Moment::At(at) => Meets::Fixed(at.0),
        Moment::Before(Period::Fixed(length), _) => Meets::At(time.saturating_add(length)),
        Moment::After(Period::Fixed(length), _) => Meets::At(time.saturating_sub(length)),
        Moment::Before(Period::Months(_), _) | Moment::After(Period::Months(_), _) | Moment::StartOf(..) => {
            Meets::Never
        }
    }
}

/// What lies in the window.
#[derive(Default)]
struct State {
    n: i128,
    total: i128,
    /// How often each different value is there.
    different: HashMap<i128, u32>,
}

impl State {
    fn step(&mut self, comes: bool, found: Found, value: Option<i128>) {
        self.n += if comes { 1 } else { -1 };
        match (found, value) {
            (Found::Count, _) | (_, None) => {}
            (Found::Total(..), Some(number)) => self.total += if comes { number } else { -number },
            (Found::Different(_) | Found::Periods(..), Some(value)) => {
                if comes {
                    *self.different.entry(value).or_default() += 1;
                } else if let Some(n) = self.different.get_mut(&value) {
                    *n -= 1;
                    if *n == 0 {
                        self.different.remove(&value);
                    }
                }
            }
        }
    }
}

/// Whether a condition or a value is decided by an event alone, whenever it is asked.
fn is_of_events_alone(plan: &Plan, id: NodeId) -> bool {
    let all = reached_from(plan, vec![id], |node| [node.children(), node.inner()].concat());
    all.into_iter().filter_map(|id| plan.node(id)).all(|node| {
        matches!(
            node,
            Node::Const(_)
                | Node::All(_)
                | Node::Any(_)
                | Node::Cardinality { .. }
                | Node::Not(_)
                | Node::Known(_)
                | Node::Compare(..)
                | Node::OneOf(..)
                | Node::Text { .. }
                | Node::Has(..)
                | Node::InList(..)
                | Node::Literal(_)
                | Node::Property(..)
                | Node::Time
                | Node::Part(..)
                | Node::DayOf(..)
                | Node::Arithmetic(..)
                | Node::Scale { .. }
                | Node::Convert(..)
                | Node::FoldCase(_)
                | Node::ListLength(_)
        )
    })
}
