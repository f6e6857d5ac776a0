//! Event sequences: every choice of events is tried.

use super::events::Occurrence;
use super::{Evaluator, Person, compare};
use crate::hir::{Chain, ChainOrder, ChainStep, Length, Query};
use seg_data::{Timestamp, Value};
use std::cmp::Ordering;

impl Evaluator<'_> {
    /// Whether some choice of events after the one at hand satisfies all steps.
    pub(super) fn chain(&self, chain: &Chain, person: &Person<'_>, first: &Occurrence) -> bool {
        let mut same = Vec::with_capacity(chain.same.len());
        for ids in &chain.same {
            match self.property_of(ids, person, first) {
                Some(value) => same.push(value),
                None => return false,
            }
        }
        let mut steps = Vec::with_capacity(chain.steps.len());
        for step in &chain.steps {
            let mut events = self.events(&step.query, person);
            events.retain(|e| {
                chain.same.iter().zip(&same).all(|(ids, value)| {
                    let other = self.property_of(ids, person, e);
                    other.is_some_and(|o| compare(&o, value) == Some(Ordering::Equal))
                })
            });
            let times = |query: &Query| self.events(query, person).iter().map(|e| e.time).collect();
            let none_between = step.none_between.as_ref().map(times).unwrap_or_default();
            steps.push((step, events, none_between));
        }
        let search = Search { chain, steps, first: first.time };
        match chain.order {
            ChainOrder::After | ChainOrder::Before => search.extends(0, first, &mut Vec::new()),
            ChainOrder::Any => search.gathers(0, &mut Vec::new()),
        }
    }

    /// A property of an event, or the record at hand in it.
    fn property_of(
        &self,
        ids: &[(seg_data::EventId, seg_data::PropertyId)],
        person: &Person<'_>,
        event: &Occurrence,
    ) -> Option<Value> {
        let (_, property) = ids.iter().find(|(of, _)| *of == event.event)?;
        person.batch.events(event.event)?.property(*property, event.idx)
    }

    /// The median gap between the different instants of events.
    pub(super) fn usual_gap(&self, query: &Query, person: &Person<'_>) -> Option<i64> {
        let mut times: Vec<i64> = self.events(query, person).iter().map(|e| e.time.0).collect();
        times.dedup();
        let gaps: Vec<i64> = times.windows(2).filter_map(|w| Some(w.get(1)? - w.first()?)).collect();
        median(gaps)
    }

    /// The most events that lie in a stretch that begins at one of them: any
    /// other stretch holds no more.
    pub(super) fn most_within(&self, query: &Query, within: Length, person: &Person<'_>) -> usize {
        let events = self.events(query, person);
        let from = |first: &Occurrence| {
            let end = within.after(first.time);
            events.iter().filter(|e| first.time <= e.time && e.time <= end).count()
        };
        events.iter().map(from).max().unwrap_or(0)
    }
}

/// The median of three or more; of an even number the mean of the middle two,
/// rounded down.
pub fn median(mut gaps: Vec<i64>) -> Option<i64> {
    if gaps.len() < 3 {
        return None;
    }
    gaps.sort_unstable();
    let middle = gaps.len() / 2;
    let upper = *gaps.get(middle)?;
    if gaps.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *gaps.get(middle - 1)?;
    Some(((i128::from(lower) + i128::from(upper)).div_euclid(2)) as i64)
}

/// Whether a time lies between two others, whichever of them comes first.
fn is_between(time: Timestamp, a: Timestamp, b: Timestamp) -> bool {
    a.min(b) < time && time < a.max(b)
}

struct Search<'a> {
    chain: &'a Chain,
    /// With the events that each may be, and when those were that may not be before it.
    steps: Vec<(&'a ChainStep, Vec<Occurrence>, Vec<Timestamp>)>,
    first: Timestamp,
}

impl Search<'_> {
    /// Whether the steps from one on can be taken after those already taken.
    fn extends<'s>(&'s self, at: usize, before: &'s Occurrence, taken: &mut Vec<&'s Occurrence>) -> bool {
        let Some((step, events, none_between)) = self.steps.get(at) else { return true };
        taken.push(before);
        let is_new = |event: &Occurrence, taken: &[&Occurrence]| {
            !taken.iter().any(|t| (t.event, t.idx) == (event.event, event.idx))
        };
        let holds = events.iter().any(|event| {
            is_new(event, taken)
                && self.follows(step, before.time, event.time)
                && !none_between.iter().any(|time| is_between(*time, before.time, event.time))
                && self.extends(at + 1, event, taken)
        });
        taken.pop();
        holds
    }

    /// Whether the steps from one on can be taken beside those already taken, in any
    /// order: the event at hand only says from when on.
    fn gathers<'s>(&'s self, at: usize, taken: &mut Vec<&'s Occurrence>) -> bool {
        let Some((_, events, _)) = self.steps.get(at) else { return true };
        events.iter().any(|event| {
            let is_new = !taken.iter().any(|t| (t.event, t.idx) == (event.event, event.idx));
            let is_soon = self.chain.whole.is_none_or(|whole| event.time <= whole.after(self.first));
            if !is_new || event.time < self.first || !is_soon {
                return false;
            }
            taken.push(event);
            let holds = self.gathers(at + 1, taken);
            taken.pop();
            holds
        })
    }

    fn follows(&self, step: &ChainStep, before: Timestamp, time: Timestamp) -> bool {
        let is_before = self.chain.order == ChainOrder::Before;
        let is_within = |from: Timestamp, length: Option<Length>| match (length, is_before) {
            (None, _) => true,
            (Some(length), false) => time <= length.after(from),
            (Some(length), true) => length.before(from) <= time,
        };
        let is_in_order = if is_before { time <= before } else { before <= time };
        is_in_order && is_within(before, step.within) && is_within(self.first, self.chain.whole)
    }
}
