//! Conditions that count or add up events in one window: most of what segments ask.
//!
//! An event is in such a window from one instant on and up to another, so that one walk over
//! both for all events gives every change at once, however many events there are. What is
//! asked of each event is computed by the plan evaluator, once a batch.

use crate::eval::Kernels;
use crate::plan::{Literal, Node, NodeId, Plan, Query};
use crate::reach::reached_by;
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
    /// Of the only root of a plan; none where it asks for something else.
    pub fn of(plan: &Plan) -> Option<Window> {
        let window = match plan.node(plan.roots().first()?.node)? {
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
        let of_events = window.query.filter.into_iter().chain(window.measure());
        let is_of_events_alone = of_events.clone().all(|id| is_of_events_alone(plan, id));
        (is_even && is_of_events_alone).then_some(window)
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
        (batch, row, until): (&Batch, usize, Timestamp),
        (from, to): (Timestamp, Timestamp),
    ) -> (bool, Vec<i64>) {
        // At which instants which event comes into the window, and leaves it.
        let mut steps: Vec<(i64, bool, u32)> = Vec::new();
        let mut values: Vec<Option<i128>> = Vec::new();
        for (time, value) in self.events(columns, batch, row) {
            let (start, end) = self.stay(time);
            if time <= until && start < end && start <= to.0 && end > from.0 {
                let event = values.len() as u32;
                steps.push((start.max(from.0), true, event));
                if end <= to.0 {
                    steps.push((end, false, event));
                }
                values.push(value);
            }
        }
        steps.sort_unstable_by_key(|(at, ..)| *at);
        let mut state = State::default();
        let mut steps = steps.into_iter().peekable();
        let mut apply = |until: i64, state: &mut State| {
            while let Some((_, comes, event)) = steps.next_if(|(at, ..)| *at <= until) {
                state.step(comes, self.found, values.get(event as usize).copied().flatten());
            }
            steps.peek().map(|(at, ..)| *at)
        };
        let mut next = apply(from.0, &mut state);
        let first = self.holds(&state);
        let (mut last, mut changes) = (first, Vec::new());
        while let Some(at) = next {
            next = apply(at, &mut state);
            let now = self.holds(&state);
            if std::mem::replace(&mut last, now) != now {
                changes.push(at);
            }
        }
        (first, changes)
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

    /// The events of a row that may count, with what is measured of each.
    fn events(&self, columns: Option<&Columns>, batch: &Batch, row: usize) -> Vec<(Timestamp, Option<i128>)> {
        let mut found = Vec::new();
        for event in &self.query.events {
            let Some(events) = batch.events(*event) else { continue };
            let (counts, values) = match columns.and_then(|columns| columns.get(event)) {
                Some((counts, values)) => (counts.as_ref(), values.as_ref()),
                None => (None, None),
            };
            for idx in events.range(row) {
                if counts.is_none_or(|counts| counts.get(idx) == Some(&true)) {
                    let (time, value) =
                        (events.time(idx), values.and_then(|values| values.get(idx).copied().flatten()));
                    found.push((time, value.or_else(|| self.period(time))));
                }
            }
        }
        found
    }

    /// The number of the period that an event is in, where periods are counted.
    fn period(&self, time: Timestamp) -> Option<i128> {
        match self.found {
            Found::Periods(unit, zone) => Some(unit.number(zone.date(time)).into()),
            Found::Count | Found::Different(_) | Found::Total(..) => None,
        }
    }

    /// From when on an event lies in the window, and the first instant at which it does not
    /// any more.
    fn stay(&self, time: Timestamp) -> (i64, i64) {
        let (mut start, mut end) = (time.0, i64::MAX);
        // A moment that keeps in step is at the event so much later than the event is.
        let meet = |moment: Moment, is_before: &dyn Fn(i64) -> Meets| match moment {
            Moment::At(at) => is_before(at.0),
            Moment::Before(Period::Fixed(length), _) => Meets::At(time.0.saturating_add(length)),
            Moment::After(Period::Fixed(length), _) => Meets::At(time.0.saturating_sub(length)),
            Moment::Before(Period::Months(_), _) | Moment::After(Period::Months(_), _) | Moment::StartOf(..) => {
                Meets::Never
            }
        };
        if let Some(Bound { moment, is_closed }) = self.query.interval.from {
            let is_inside = |at: i64| Meets::always(if is_closed { at <= time.0 } else { at < time.0 });
            match meet(moment, &is_inside) {
                Meets::Always => {}
                Meets::Never => return (0, 0),
                // The window begins behind it an instant later, or right then.
                Meets::At(at) => end = if is_closed { at.saturating_add(1) } else { at },
            }
        }
        for (moment, is_closed) in self
            .query
            .interval
            .to
            .map(|to| (to.moment, to.is_closed))
            .into_iter()
            .chain(self.query.known_at.map(|at| (at, true)))
        {
            let is_inside = |at: i64| Meets::always(if is_closed { time.0 <= at } else { time.0 < at });
            match meet(moment, &is_inside) {
                Meets::Always => {}
                Meets::Never => return (0, 0),
                Meets::At(at) => start = start.max(if is_closed { at } else { at.saturating_add(1) }),
            }
        }
        (start, end)
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

/// When a moment that passes by meets an event.
enum Meets {
    Always,
    Never,
    At(i64),
}

impl Meets {
    fn always(is_so: bool) -> Meets {
        if is_so { Meets::Always } else { Meets::Never }
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
    let own = Plan { nodes: plan.nodes().to_vec(), roots: vec![crate::plan::Root { name: String::new(), node: id }] };
    let all = reached_by(&own, |node| [node.children(), node.inner()].concat());
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
