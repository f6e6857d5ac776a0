//! The last event that an event sequence extends, or that none does.

use crate::derived::DerivedColumn;
use seg_data::batch::Events;
use seg_data::{Batch, EventId, Timestamp};
use std::sync::Arc;

/// An event sequence of different names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sequence {
    pub names: Vec<EventId>,
    /// Whether events are meant that no sequence extends.
    pub is_negative: bool,
}

/// The times of the last events that a sequence extends, or does not, for several
/// lengths of time: one walk finds all of them.
pub(crate) struct LastSequences {
    sequence: Sequence,
    firsts: Arc<Events>,
    steps: Vec<Arc<Events>>,
    now: i64,
    wanted: Vec<Wanted>,
    /// The least bound of all that are wanted, where each has one.
    least: Option<i64>,
    /// People's last times of the event without which there is no such sequence.
    latest: Option<Arc<DerivedColumn>>,
}

/// One length of time.
struct Wanted {
    /// How long after the first the last step may be.
    within: i64,
    aggregate: usize,
    /// The least bound that it is compared with, where there are only lower ones:
    /// earlier times need not be told apart from none.
    least: Option<i64>,
}

/// The most that are wanted of one sequence.
const WANTED_MAX: usize = 64;

impl LastSequences {
    /// None of them yet; `None` where the batch lacks one of the names.
    pub fn new(batch: &Batch, sequence: Sequence, now: Timestamp) -> Option<LastSequences> {
        let of = |event: &EventId| batch.events(*event).map(Arc::clone);
        let firsts = of(sequence.names.first()?)?;
        let steps = sequence.names.iter().skip(1).map(of).collect::<Option<Vec<_>>>()?;
        Some(LastSequences { sequence, firsts, steps, now: now.0, wanted: Vec::new(), least: None, latest: None })
    }

    /// Whether there is room for another length of time of a sequence.
    pub fn takes(&self, sequence: &Sequence) -> bool {
        self.sequence == *sequence && self.wanted.len() < WANTED_MAX
    }

    /// Adds a length of time as a shared aggregate.
    pub fn want(&mut self, within: i64, aggregate: usize) {
        self.wanted.push(Wanted { within, aggregate, least: None });
    }

    /// The shared aggregates that they are.
    pub fn aggregates(&self) -> impl Iterator<Item = usize> {
        self.wanted.iter().map(|w| w.aggregate)
    }

    /// Says that an aggregate is compared with a lower bound, as it is by all others.
    pub fn compare_with(&mut self, aggregate: usize, bound: i64) {
        for wanted in self.wanted.iter_mut().filter(|w| w.aggregate == aggregate) {
            wanted.least = Some(wanted.least.map_or(bound, |least| least.min(bound)));
        }
    }

    /// Ends the list of what is wanted. `latest_of` gives people's last times of
    /// an event, where they are kept.
    pub fn finish(&mut self, latest_of: impl FnOnce(EventId) -> Option<Arc<DerivedColumn>>) {
        let leasts: Option<Vec<i64>> = self.wanted.iter().map(|w| w.least).collect();
        self.least = leasts.and_then(|leasts| leasts.into_iter().min());
        let names = &self.sequence.names;
        let rarest = if self.sequence.is_negative { names.first() } else { names.last() };
        if let (Some(_), Some(rarest)) = (self.least, rarest) {
            self.latest = latest_of(*rarest);
        }
    }

    /// Those of 64 people from a row on who have what the sequence ends with (or
    /// where none shall extend it, begins with) late enough.
    pub fn late(&self, row: usize) -> u64 {
        let (Some(least), Some(latest)) = (self.least, &self.latest) else { return u64::MAX };
        let people = latest.values().get(row..).unwrap_or(&[]);
        let people = people.get(..64).unwrap_or(people);
        people.iter().enumerate().fold(0, |late, (at, last)| late | u64::from(*last >= least) << at)
    }

    /// Gives each wanted time of a person that there is.
    pub fn of(&self, row: usize, give: &mut impl FnMut(usize, i64)) {
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
            if !self.sequence.is_negative && last.is_none_or(|last| self.least.is_some_and(|least| *last < least)) {
                return;
            }
            *slot = (times.get(..n_known).unwrap_or(&[]), n_known);
        }
        self.walk(firsts, steps, give);
    }

    fn walk(&self, mut firsts: &[i64], steps: &mut [(&[i64], usize)], give: &mut impl FnMut(usize, i64)) {
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
                if is_open && length.is_some_and(|length| length <= wanted.within) != self.sequence.is_negative {
                    give(wanted.aggregate, *first);
                    open &= !(1 << at);
                }
            }
            if open == 0 {
                return;
            }
            if !self.sequence.is_negative {
                // Nothing between is extended either: it would meet the same last
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

#[cfg(feature = "faults")]
impl LastSequences {
    /// Makes a mistake on purpose.
    pub fn apply(&mut self, fault: crate::fault::Fault) {
        use crate::fault::Fault;
        match fault {
            Fault::SequenceTakesLonger => self.wanted.iter_mut().for_each(|w| w.within = w.within.saturating_add(1)),
            Fault::SequenceIsOver => self.wanted.iter_mut().for_each(|w| w.within = w.within.saturating_sub(1)),
            Fault::SequenceIsOther => self.sequence.is_negative = !self.sequence.is_negative,
            Fault::SequenceStopsEarly => self.least = self.least.map(|least| least.saturating_add(1)),
            _ => {}
        }
    }
}
