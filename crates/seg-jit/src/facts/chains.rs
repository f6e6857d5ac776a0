//! The last event from which a row of events goes on, or from which none does.

use super::{fixed, plain, shorter};
use seg_data::batch::{Events, Layout};
use seg_data::{Batch, EventId, Instant};
use seg_hir::hir::End;
use seg_plan::{Node, NodeId, Plan};
use std::sync::Arc;

/// A row of events of different names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    names: Vec<EventId>,
    /// Whether events are meant from which no row goes on.
    is_negative: bool,
}

/// The times of the last events from which a row goes on, or from which it does
/// not, for several lengths of time: one walk finds all of them.
pub(crate) struct LastChains<'b> {
    row: Row,
    firsts: &'b Events,
    steps: Vec<&'b Events>,
    now: i64,
    wanted: Vec<Wanted>,
    /// The least bound of all that are wanted, where each has one.
    least: Option<i64>,
    /// People's last times of the event without which there is no such row.
    latest: Option<Arc<Layout>>,
}

/// One length of time.
struct Wanted {
    /// How long after the first the last step may be.
    within: i64,
    fact: usize,
    /// The least bound that it is held against, where there are only lower ones:
    /// earlier times need not be told apart from none.
    least: Option<i64>,
}

/// The most that are wanted of one row.
const WANTED_MAX: usize = 64;

impl<'b> LastChains<'b> {
    /// What a value of a plan is, where it is such a time and a walk by the
    /// earliest next step decides: different names, no filters, and one length of
    /// time.
    pub fn asked(plan: &Plan, id: NodeId) -> Option<(Row, i64)> {
        let Node::EventTime { end: End::Last, n: 1, query } = plan.node(id)? else { return None };
        let first = plain(query)?;
        let (chain, is_negative) = match plan.node(query.filter?)? {
            Node::Chain(chain) => (chain, false),
            Node::Not(inner) => match plan.node(*inner)? {
                Node::Chain(chain) => (chain, true),
                _ => return None,
            },
            _ => return None,
        };
        if chain.is_before || !chain.same.is_empty() {
            return None;
        }
        // Of two or more steps the earliest next one is best only when no step
        // has a limit of its own.
        let within = match chain.steps.as_slice() {
            [(_, within)] => shorter(fixed(*within)?, fixed(chain.whole)?),
            steps if steps.iter().all(|(_, within)| within.is_none()) => fixed(chain.whole)?,
            _ => return None,
        };
        let mut names = vec![first];
        for (query, _) in &chain.steps {
            let event = plain(query).filter(|_| query.filter.is_none())?;
            if names.contains(&event) {
                return None;
            }
            names.push(event);
        }
        Some((Row { names, is_negative }, within.unwrap_or(i64::MAX)))
    }

    /// None of them yet.
    pub fn new(batch: &'b Batch, row: Row, now: Instant) -> Option<LastChains<'b>> {
        let firsts = batch.events(*row.names.first()?)?;
        let steps = row.names.iter().skip(1).map(|event| batch.events(*event)).collect::<Option<Vec<_>>>()?;
        Some(LastChains { row, firsts, steps, now: now.0, wanted: Vec::new(), least: None, latest: None })
    }

    /// Whether there is room for another length of time of a row.
    pub fn takes(&self, row: &Row) -> bool {
        self.row == *row && self.wanted.len() < WANTED_MAX
    }

    /// Adds a length of time as a fact.
    pub fn want(&mut self, within: i64, fact: usize) {
        self.wanted.push(Wanted { within, fact, least: None });
    }

    /// The facts that they are.
    pub fn facts(&self) -> impl Iterator<Item = usize> {
        self.wanted.iter().map(|w| w.fact)
    }

    /// Says that a fact is held against a lower bound, as all others of it are.
    pub fn hold_against(&mut self, fact: usize, bound: i64) {
        for wanted in self.wanted.iter_mut().filter(|w| w.fact == fact) {
            wanted.least = Some(wanted.least.map_or(bound, |least| least.min(bound)));
        }
    }

    /// Ends the list of what is wanted. `latest_of` gives people's last times of
    /// an event, where they are kept.
    pub fn finish(&mut self, latest_of: impl FnOnce(EventId) -> Option<Arc<Layout>>) {
        let leasts: Option<Vec<i64>> = self.wanted.iter().map(|w| w.least).collect();
        self.least = leasts.and_then(|leasts| leasts.into_iter().min());
        let rarest = if self.row.is_negative { self.row.names.first() } else { self.row.names.last() };
        if let (Some(_), Some(rarest)) = (self.least, rarest) {
            self.latest = latest_of(*rarest);
        }
    }

    /// Those of 64 people from a row on who have what the row ends with (or where
    /// none shall go on, begins with) late enough.
    pub fn late(&self, row: usize) -> u64 {
        let (Some(least), Some(latest)) = (self.least, &self.latest) else { return u64::MAX };
        let people = latest.words.get(row..).unwrap_or(&[]);
        let people = people.get(..64).unwrap_or(people);
        people.iter().enumerate().fold(0, |late, (at, last)| late | u64::from(*last as i64 >= least) << at)
    }

    /// Gives each wanted time of a person that there is.
    pub fn of(&self, row: usize, put: &mut impl FnMut(usize, i64)) {
        // How many steps each have begun, from behind: as the first event moves
        // back, so does the earliest event of every step.
        let mut steps = [const { (&[] as &[i64], 0_usize) }; 4];
        let mut more = Vec::new();
        let steps = match steps.get_mut(..self.steps.len()) {
            Some(few) => few,
            None => {
                more.resize(self.steps.len(), (&[] as &[i64], 0));
                more.as_mut_slice()
            }
        };
        let firsts = self.firsts.times().get(self.firsts.range(row)).unwrap_or(&[]);
        if firsts.is_empty() {
            return;
        }
        // Later steps are the rarer ones, and most people lack the last.
        for (slot, events) in steps.iter_mut().zip(&self.steps).rev() {
            let times = events.times().get(events.range(row)).unwrap_or(&[]);
            let is_past = times.last().is_none_or(|t| *t <= self.now);
            let n_known = if is_past { times.len() } else { times.partition_point(|t| *t <= self.now) };
            // No step is earlier than the first event.
            let last = n_known.checked_sub(1).and_then(|at| times.get(at));
            if !self.row.is_negative && last.is_none_or(|last| self.least.is_some_and(|least| *last < least)) {
                return;
            }
            *slot = (times.get(..n_known).unwrap_or(&[]), n_known);
        }
        self.walk(firsts, steps, put);
    }

    fn walk(&self, mut firsts: &[i64], steps: &mut [(&[i64], usize)], put: &mut impl FnMut(usize, i64)) {
        let mut open = u64::MAX >> (64 - self.wanted.len().min(WANTED_MAX));
        while let Some((first, earlier)) = firsts.split_last() {
            if self.least.is_some_and(|least| *first < least) {
                return;
            }
            firsts = earlier;
            if *first > self.now {
                continue;
            }
            let end = follow(*first, steps);
            let length = end.map_or(None, |end| Some(end.saturating_sub(*first)));
            for (at, wanted) in self.wanted.iter().enumerate() {
                let is_open = open >> at & 1 == 1;
                if is_open && length.is_some_and(|length| length <= wanted.within) != self.row.is_negative {
                    put(wanted.fact, *first);
                    open &= !(1 << at);
                }
            }
            if open == 0 {
                return;
            }
            if !self.row.is_negative {
                // Nothing between goes on either: it would meet the same last
                // step from further away, or none at all.
                let latest = match end {
                    Ok(_) => before(steps),
                    Err(latest) => Some(latest),
                };
                let Some(latest) = latest else { return };
                if earlier.last().is_some_and(|first| *first > latest) {
                    firsts = earlier.get(..earlier.partition_point(|t| *t <= latest)).unwrap_or(&[]);
                }
            }
        }
    }
}

/// The time of the last step when each is taken as early as it can be. Where a
/// step cannot be taken, the time of the last event that could be it.
fn follow(first: i64, steps: &mut [(&[i64], usize)]) -> Result<i64, i64> {
    let mut at = first;
    for (times, next) in steps {
        while let Some(time) = next.checked_sub(1).and_then(|before| times.get(before)) {
            if *time < at {
                break;
            }
            *next -= 1;
        }
        at = *times.get(*next).ok_or(times.last().copied().unwrap_or(i64::MIN))?;
    }
    Ok(at)
}

/// The time of the event before the one that was taken as the last step.
fn before(steps: &[(&[i64], usize)]) -> Option<i64> {
    let (times, next) = steps.last()?;
    times.get(next.checked_sub(1)?).copied()
}
