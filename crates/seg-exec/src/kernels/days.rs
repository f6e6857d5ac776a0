//! On how many days people did something.

use crate::derived::{ActivityKey, DerivedColumn, DerivedColumns, DerivedKey};
use crate::zone;
use seg_data::batch::Events;
use seg_data::time::DAY;
use seg_data::{Batch, EventId, Timestamp, Zone, parallel};
use seg_hir::hir::CompareOp;
use std::num::NonZero;
use std::sync::Arc;

const HOUR: i64 = DAY / 24;

/// How many bits a column of active days has for each day; see
/// [`DerivedKey::Activity`].
const PLANES: usize = 3;

/// The most days that a column of active days has, in words.
const ACTIVITY_WORDS_MAX: i64 = 6;

/// On how many days people did any of some events since an instant.
pub(crate) struct ActiveDays {
    events: Vec<Arc<Events>>,
    key: ActivityKey,
    offsets: Vec<(i64, i64)>,
    from: i64,
    /// The local day of `from`.
    from_day: i64,
    /// Whether the hours of that day ascend.
    has_plain_edge: bool,
    column: Arc<DerivedColumn>,
    /// Bit n: whether n days and n + 1 are told apart by what they are compared
    /// with; counts above 63 always are.
    distinctions: u64,
}

impl ActiveDays {
    /// Counts the days, in a zone, of some events from an instant to now, where a
    /// bit a day is kept: some months at most, and events not later than now. The
    /// column is made unless the batch has it already.
    pub fn new(
        batch: &Batch,
        names: &[EventId],
        zone: Zone,
        (from, now): (i64, Timestamp),
        n_threads: NonZero<usize>,
    ) -> Option<ActiveDays> {
        let events: Vec<Arc<Events>> = names.iter().filter_map(|e| batch.events(*e)).map(Arc::clone).collect();
        let is_past = |events: &Arc<Events>| events.extent().is_none_or(|(_, last)| last <= now);
        if from > now.0 || !events.iter().all(is_past) {
            return None;
        }
        let offsets = zone::offsets(zone, Timestamp(from.saturating_sub(2 * DAY)), now);
        let (from_day, last_day) = (day(&offsets, from), day(&offsets, now.0));
        let n_words = (last_day - from_day) / 64 + 1;
        if n_words > ACTIVITY_WORDS_MAX || !days_ascend(&offsets) {
            return None;
        }
        let first_day = last_day - 64 * n_words + 1;
        // The column reaches further back than the window.
        let offsets = zone::offsets(zone, Timestamp(first_day.saturating_sub(2).saturating_mul(DAY)), now);
        if !days_ascend(&offsets) {
            return None;
        }
        let hour = local(&offsets, from).rem_euclid(DAY) / HOUR;
        let key = ActivityKey { events: names.to_vec(), zone, first_day, n_words: n_words as usize, hour };
        // Where clocks change, later hours need not be later instants.
        let near = from.saturating_sub(2 * DAY)..from.saturating_add(2 * DAY);
        let has_plain_edge = !offsets.iter().any(|(at, _)| near.contains(at));
        let make = || DerivedColumn::of_words(activity(&events, &key, &offsets, batch.len(), n_threads));
        let column = DerivedColumns::of(batch).get(&DerivedKey::Activity(key.clone()), make);
        Some(ActiveDays { events, key, offsets, from, from_day, has_plain_edge, column, distinctions: 0 })
    }

    /// Says that the number of days is compared with a bound.
    pub fn compare_with(&mut self, op: CompareOp, bound: i64) {
        let (below, at) = match op {
            CompareOp::GreaterOrEqual | CompareOp::Less => (true, false),
            CompareOp::Greater | CompareOp::LessOrEqual => (false, true),
            CompareOp::Equal => (true, true),
        };
        let mut mark = |count: i64| {
            self.distinctions |= u32::try_from(count).ok().map_or(0, |n| 1_u64.checked_shl(n).unwrap_or(0))
        };
        if below {
            mark(bound - 1);
        }
        if at {
            mark(bound);
        }
    }

    /// On how many days a person was active, as exactly as what it is compared with
    /// can tell.
    pub fn of(&self, row: usize) -> i64 {
        let size = PLANES * self.key.n_words;
        let planes = self.column.values().get(row * size..(row + 1) * size);
        let Some((words, hours)) = planes.and_then(|planes| planes.split_at_checked(self.key.n_words)) else {
            return 0;
        };
        // The day in which the window begins counts only from then on.
        let place = (self.from_day - self.key.first_day) as usize;
        let mut count = 0;
        for (at, word) in words.iter().enumerate().skip(place / 64) {
            let is_first = at == place / 64;
            let word = *word as u64;
            let later = if is_first { (word >> (place % 64)) >> 1 } else { word };
            count += i64::from(later.count_ones());
        }
        // Looking at events costs more than all the rest, so only where it matters.
        let matters = count > 63 || self.distinctions >> count & 1 == 1;
        let is_on = |words: &[i64]| words.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1);
        if !matters || !is_on(words) {
            return count;
        }
        let (since, after) = hours.split_at_checked(self.key.n_words).unwrap_or((&[], &[]));
        let is_active = match self.has_plain_edge {
            true if is_on(after) => true,
            true if !is_on(since) => false,
            _ => self.is_active_on_edge(row),
        };
        count + i64::from(is_active)
    }

    /// Whether an event lies in the first day of the window and inside it.
    fn is_active_on_edge(&self, row: usize) -> bool {
        self.events.iter().any(|events| {
            let times = events.times().get(events.range(row)).unwrap_or(&[]);
            let first = times.partition_point(|t| *t < self.from);
            times.get(first).is_some_and(|t| day(&self.offsets, *t) == self.from_day)
        })
    }
}

/// The days of everybody, as [`DerivedKey::Activity`] says.
fn activity(
    events: &[Arc<Events>],
    key: &ActivityKey,
    offsets: &[(i64, i64)],
    n_people: usize,
    n_threads: NonZero<usize>,
) -> Vec<i64> {
    let size = PLANES * key.n_words;
    let mut words = vec![0; n_people * size];
    parallel::fill_chunks(&mut words, parallel::share_len(n_people, n_threads, 1) * size, |first, chunk| {
        for (row, words) in chunk.chunks_mut(size).enumerate() {
            days_of(events, key, offsets, first / size + row, words);
        }
    });
    words
}

fn days_of(events: &[Arc<Events>], key: &ActivityKey, offsets: &[(i64, i64)], row: usize, words: &mut [i64]) {
    for events in events {
        let times = events.times().get(events.range(row)).unwrap_or(&[]);
        match offsets {
            // Without a choice in it, so that little is done for each event.
            [(_, only)] => mark(times, key, words, |time| time.saturating_add(*only)),
            offsets => mark(times, key, words, |time| local(offsets, time)),
        }
    }
}

/// Marks the days of some times, which ascend: in the first plane, and in the others where a
/// time is not before or is behind an hour of its day.
fn mark(times: &[i64], key: &ActivityKey, words: &mut [i64], local: impl Fn(i64) -> i64) {
    const DAY_MICROS: u64 = DAY as u64;
    let start = key.first_day.saturating_mul(DAY);
    let (edge, behind) = ((key.hour * HOUR) as u64, ((key.hour + 1) * HOUR) as u64);
    let (mut word, mut planes) = (0, [0_u64; PLANES]);
    let mut flush = |word: usize, planes: &mut [u64; PLANES]| {
        for (at, plane) in planes.iter_mut().enumerate() {
            let slot = words.get_mut(at * key.n_words + word);
            slot.into_iter().for_each(|slot| *slot |= *plane as i64);
            *plane = 0;
        }
    };
    for time in times.iter().rev() {
        // What is older than the column is not looked at: it is most.
        let Ok(since) = u64::try_from(local(*time).saturating_sub(start)) else { break };
        let place = since / DAY_MICROS;
        let (of_day, bit) = (since - place * DAY_MICROS, 1 << (place % 64));
        if (place / 64) as usize != word {
            flush(word, &mut planes);
            word = (place / 64) as usize;
        }
        let [on, not_before, later] = &mut planes;
        *on |= bit;
        *not_before |= if of_day >= edge { bit } else { 0 };
        *later |= if of_day >= behind { bit } else { 0 };
    }
    flush(word, &mut planes);
}

/// The local day of an instant.
fn day(offsets: &[(i64, i64)], time: i64) -> i64 {
    local(offsets, time).div_euclid(DAY)
}

/// What clocks show at an instant, in microseconds.
fn local(offsets: &[(i64, i64)], time: i64) -> i64 {
    let offset = match offsets {
        [(_, only)] => *only,
        steps => {
            let after = steps.partition_point(|(from, _)| *from <= time);
            after.checked_sub(1).and_then(|at| steps.get(at)).map_or(0, |(_, offset)| *offset)
        }
    };
    time.saturating_add(offset)
}

/// Whether a later instant never has an earlier day, as where clocks go back
/// over midnight.
fn days_ascend(offsets: &[(i64, i64)]) -> bool {
    let changes = offsets.iter().zip(offsets.iter().skip(1));
    changes
        .into_iter()
        .all(|((_, before), (at, after))| (at - 1 + before).div_euclid(DAY) <= (at + after).div_euclid(DAY))
}

#[cfg(feature = "faults")]
impl ActiveDays {
    /// Makes a mistake on purpose.
    pub fn apply(&mut self, fault: crate::fault::Fault) {
        use crate::fault::Fault;
        match fault {
            Fault::DaysBeginEarly => self.from_day -= 1,
            Fault::DaysEdgeIgnored => self.distinctions = 0,
            Fault::DaysBeginLate => self.from_day += 1,
            _ => {}
        }
    }
}
