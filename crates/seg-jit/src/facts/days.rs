//! On how many days people did something.

use super::ends_now;
use crate::zone;
use seg_data::batch::{ActivityKey, Events, Layout, LayoutKey};
use seg_data::time::DAY;
use seg_data::{Batch, Instant, Zone};
use seg_hir::hir::{CompareOp, PeriodUnit};
use seg_plan::{Node, NodeId, Plan};
use std::num::NonZero;
use std::sync::{Arc, OnceLock};

const HOUR: i64 = DAY / 24;

/// How many bits a layout of active days has for each day; see
/// [`LayoutKey::Activity`].
const PLANES: usize = 3;

/// The most days that a layout of active days has, in words.
const ACTIVITY_WORDS_MAX: i64 = 6;

/// On how many days people did any of some events since an instant.
pub(crate) struct ActiveDays<'b> {
    batch: &'b Batch,
    events: Vec<&'b Events>,
    key: ActivityKey,
    offsets: Vec<(i64, i64)>,
    from: i64,
    /// The local day of `from`.
    from_day: i64,
    /// Whether the hours of that day ascend.
    has_plain_edge: bool,
    layout: OnceLock<Arc<Layout>>,
    /// Bit n: whether n days and n + 1 are told apart by what they are held
    /// against; counts above 63 always are.
    distinctions: u64,
}

impl<'b> ActiveDays<'b> {
    /// For a value of a plan that counts such days, up to now, where a bit a day
    /// is kept: some months at most, and events not later than now.
    pub fn find(plan: &Plan, id: NodeId, batch: &'b Batch, now: Instant) -> Option<ActiveDays<'b>> {
        let Node::Periods { unit: PeriodUnit::Day, zone, query } = plan.node(id)? else { return None };
        if query.filter.is_some() || query.known_at.is_some() || !ends_now(query) {
            return None;
        }
        let bound = query.interval.from?;
        let from = bound.moment.at(now).0.saturating_add(i64::from(!bound.is_closed));
        let events: Vec<&Events> = query.events.iter().filter_map(|e| batch.events(*e)).collect();
        let is_past = |events: &&Events| events.extent().is_none_or(|(_, last)| last <= now);
        if from > now.0 || !events.iter().all(is_past) {
            return None;
        }
        let offsets = zone::offsets(*zone, Instant(from.saturating_sub(2 * DAY)), now);
        let (from_day, last_day) = (day(&offsets, from), day(&offsets, now.0));
        let n_words = (last_day - from_day) / 64 + 1;
        if n_words > ACTIVITY_WORDS_MAX || !days_ascend(&offsets) {
            return None;
        }
        let first_day = last_day - 64 * n_words + 1;
        // The layout reaches further back than the window.
        let offsets = zone::offsets(*zone, Instant((first_day - 2) * DAY), now);
        if !days_ascend(&offsets) {
            return None;
        }
        let hour = local(&offsets, from).rem_euclid(DAY) / HOUR;
        let key = ActivityKey { events: query.events.clone(), zone: *zone, first_day, n_words: n_words as usize, hour };
        // Where clocks change, later hours need not be later instants.
        let near = from.saturating_sub(2 * DAY)..from.saturating_add(2 * DAY);
        let has_plain_edge = !offsets.iter().any(|(at, _)| near.contains(at));
        let layout = OnceLock::new();
        Some(ActiveDays { batch, events, key, offsets, from, from_day, has_plain_edge, layout, distinctions: 0 })
    }

    /// Says that the number of days is held against a bound.
    pub fn hold_against(&mut self, op: CompareOp, bound: i64) {
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

    /// Makes the layout, unless the batch has it already.
    pub fn prepare(&self, n_threads: NonZero<usize>) {
        let key = LayoutKey::Activity(self.key.clone());
        let make = || Layout { words: self.activity(&self.key, n_threads), latest: Vec::new() };
        self.layout.get_or_init(|| self.batch.layout(&key, make));
    }

    fn activity(&self, key: &ActivityKey, n_threads: NonZero<usize>) -> Vec<u64> {
        let mut words = vec![0_u64; self.batch.len() * PLANES * key.n_words];
        let per_thread = self.batch.len().div_ceil(n_threads.get()).max(1);
        std::thread::scope(|scope| {
            for (at, chunk) in words.chunks_mut(per_thread * PLANES * key.n_words).enumerate() {
                scope.spawn(move || {
                    for (row, words) in chunk.chunks_mut(PLANES * key.n_words).enumerate() {
                        self.days_of(at * per_thread + row, words);
                    }
                });
            }
        });
        words
    }

    fn days_of(&self, row: usize, words: &mut [u64]) {
        for events in &self.events {
            let times = events.times().get(events.range(row)).unwrap_or(&[]);
            for time in times.iter().rev() {
                let local = local(&self.offsets, *time);
                let Ok(place) = usize::try_from(local.div_euclid(DAY) - self.key.first_day) else { break };
                let (word, bit) = (place / 64, 1 << (place % 64));
                let hour = local.rem_euclid(DAY) / HOUR;
                let marks = [true, hour >= self.key.hour, hour > self.key.hour];
                for (plane, is_marked) in marks.into_iter().enumerate() {
                    if let Some(word) = words.get_mut(plane * self.key.n_words + word).filter(|_| is_marked) {
                        *word |= bit;
                    }
                }
            }
        }
    }

    /// On how many days a person was active, as exactly as what it is held against
    /// can tell.
    pub fn of(&self, row: usize) -> i64 {
        let layout = self.layout.get();
        let size = PLANES * self.key.n_words;
        let planes = layout.and_then(|l| l.words.get(row * size..(row + 1) * size));
        let Some((words, hours)) = planes.and_then(|planes| planes.split_at_checked(self.key.n_words)) else {
            return 0;
        };
        // The day in which the window begins counts only from then on.
        let place = (self.from_day - self.key.first_day) as usize;
        let mut count = 0;
        for (at, word) in words.iter().enumerate().skip(place / 64) {
            let is_first = at == place / 64;
            let later = if is_first { (word >> (place % 64)) >> 1 } else { *word };
            count += i64::from(later.count_ones());
        }
        // Looking at events costs more than all the rest, so only where it matters.
        let matters = count > 63 || self.distinctions >> count & 1 == 1;
        let is_on = |words: &[u64]| words.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1);
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

/// Whose days they are, for messages.
impl std::fmt::Debug for ActiveDays<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let zone: Zone = self.key.zone;
        write!(f, "ActiveDays({}, {} words)", zone.name(), self.key.n_words)
    }
}
