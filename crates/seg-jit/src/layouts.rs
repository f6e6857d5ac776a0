//! Layouts that access paths read instead of a person's events: a time a person
//! for the first and last events of a name, a total or an average, and a word of
//! the texts they met.
//!
//! Each is made by one walk over the events, which the batch keeps, so that
//! every later evaluation reads eight bytes a person in order.

use crate::facts::{Sum, Values, average};
use seg_data::batch::{Events, Layout, LayoutKey};
use seg_data::{Batch, EventId, Instant, PropertyId};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The most texts of a dictionary that fit a word.
const TEXTS_MAX: usize = 64;

/// `until` of a key: nothing where no event is later.
fn until(events: &Events, now: Instant) -> Option<Instant> {
    events.extent().is_some_and(|(_, last)| last > now).then_some(now)
}

/// The key of the n-th time from one end of the events of a name.
pub(crate) fn time_key(events: &Events, event: EventId, is_last: bool, n: u32, now: Instant) -> LayoutKey {
    LayoutKey::Time { event, is_last, n, until: until(events, now) }
}

/// The times of a key.
pub(crate) fn times(batch: &Batch, events: &Events, key: &LayoutKey, n_threads: NonZero<usize>) -> Arc<Layout> {
    let LayoutKey::Time { is_last, n, until, .. } = *key else { return Arc::default() };
    let before = (n as usize).saturating_sub(1);
    let of = |row: usize| {
        let times = known(events, row, until);
        let time = if is_last { times.iter().nth_back(before) } else { times.get(before) };
        time.copied().unwrap_or(Layout::MISSING) as u64
    };
    batch.layout(key, || {
        let words = each_row(batch.len(), n_threads, of);
        let latest = |people: &[u64]| people.iter().map(|t| *t as i64).max().unwrap_or(Layout::MISSING);
        let latest = words.chunks(Layout::PER_LATEST).map(latest).collect();
        Layout { words, latest }
    })
}

/// One of so many people may be among those that are kept by time.
const RECENT_SHARE: usize = 32;

/// The least number of people that are kept by time.
const RECENT_MIN: usize = 64;

/// Who has a time from an instant on, where they are so few that they are kept by
/// time: the words of all profiles. `times` are the times of everybody.
pub(crate) fn recent(batch: &Batch, key: &LayoutKey, times: &Layout, least: i64) -> Option<Vec<u64>> {
    let LayoutKey::Time { event, is_last, n, until } = *key else { return None };
    let n_most = (times.words.len() / RECENT_SHARE).max(RECENT_MIN);
    // A sample says whether it is worth making.
    let stride = (times.words.len() / 1024).max(1);
    let sampled = times.words.iter().step_by(stride);
    let n_sampled = times.words.len().div_ceil(stride);
    let n_late = sampled.filter(|time| **time as i64 >= least).count();
    if n_late * times.words.len() > n_most * n_sampled {
        return None;
    }
    let recent = batch.layout(&LayoutKey::Recent { event, is_last, n, until }, || by_time(times, n_most));
    // Who is not among them is at most as late as the last of them.
    let is_all = recent.words.len() < n_most;
    if !is_all && recent.latest.last().is_none_or(|last| *last >= least) {
        return None;
    }
    let n_late = recent.latest.partition_point(|time| *time >= least);
    let mut words = vec![0_u64; batch.len().div_ceil(64)];
    for row in recent.words.iter().take(n_late) {
        if let Some(word) = words.get_mut(*row as usize / 64) {
            *word |= 1 << (row % 64);
        }
    }
    Some(words)
}

/// So many people with the latest times, the latest first.
fn by_time(times: &Layout, n_most: usize) -> Layout {
    let known = times.words.iter().enumerate().map(|(row, time)| (*time as i64, row as u64));
    let mut people: Vec<(i64, u64)> = known.filter(|(time, _)| *time != Layout::MISSING).collect();
    if people.len() > n_most {
        people.select_nth_unstable_by(n_most, |a, b| b.cmp(a));
        people.truncate(n_most);
    }
    people.sort_unstable_by(|a, b| b.cmp(a));
    let (latest, words) = people.into_iter().unzip();
    Layout { words, latest }
}

/// The key of the texts of a property, where a word has a bit for each.
pub(crate) fn texts_key(events: &Events, event: EventId, property: PropertyId, now: Instant) -> Option<LayoutKey> {
    let (_, texts) = events.property_column(property)?.texts()?;
    let fits = arrow_array::Array::len(texts) <= TEXTS_MAX;
    fits.then(|| LayoutKey::Texts { event, property, until: until(events, now) })
}

/// The texts of a key: bit n of a word is key n of the dictionary.
pub(crate) fn texts(batch: &Batch, events: &Events, key: &LayoutKey, n_threads: NonZero<usize>) -> Arc<Layout> {
    let LayoutKey::Texts { property, until, .. } = *key else { return Arc::default() };
    let Some((coded, _)) = events.property_column(property).and_then(|c| c.texts()) else { return Arc::default() };
    let keys: &[i32] = coded.keys().values();
    let nulls = arrow_array::Array::nulls(coded).filter(|n| n.null_count() > 0);
    let of = |row: usize| {
        let first = events.range(row).start;
        let n_known = known(events, row, until).len();
        let keys = keys.get(first..first + n_known).unwrap_or(&[]);
        let bit = |key: i32| 1_u64.checked_shl(key as u32).unwrap_or(0);
        match nulls {
            None => keys.iter().fold(0, |bits, key| bits | bit(*key)),
            Some(nulls) => {
                let valid = keys.iter().enumerate().filter(|(at, _)| nulls.is_valid(first + at));
                valid.fold(0, |bits, (_, key)| bits | bit(*key))
            }
        }
    };
    batch.layout(key, || Layout { words: each_row(batch.len(), n_threads, of), latest: Vec::new() })
}

/// The key of the total, or the average, of a property over events of a name.
pub(crate) fn sum_key(events: &Events, about: (EventId, PropertyId), sum: Sum, now: Instant) -> LayoutKey {
    let (event, property) = about;
    LayoutKey::Sum { event, property, is_average: sum == Sum::Average, until: until(events, now) }
}

/// The totals or averages of a key; none where the property has no whole numbers.
pub(crate) fn sums(batch: &Batch, events: &Events, key: &LayoutKey, n_threads: NonZero<usize>) -> Option<Arc<Layout>> {
    let LayoutKey::Sum { property, is_average, until, .. } = *key else { return None };
    let values = Values::of(events, property)?;
    let fits = AtomicBool::new(true);
    let of = |row: usize| {
        let first = events.range(row).start;
        let (total, n_values) = values.sum(first..first + known(events, row, until).len());
        let sum = if is_average { average(total, n_values) } else { i64::try_from(total).ok() };
        // Only an average of no values is missing. Whatever else would be taken for
        // that, or needs more than 64 bits, does not fit.
        if sum.unwrap_or(Layout::MISSING) == Layout::MISSING && (n_values > 0 || !is_average) {
            fits.store(false, Ordering::Relaxed);
        }
        sum.unwrap_or(Layout::MISSING) as u64
    };
    let make = || {
        let words = each_row(batch.len(), n_threads, of);
        Layout { words: if fits.load(Ordering::Relaxed) { words } else { Vec::new() }, latest: Vec::new() }
    };
    Some(batch.layout(key, make))
}

/// The times of a person's events up to an instant.
fn known(events: &Events, row: usize, until: Option<Instant>) -> &[i64] {
    let times = events.times().get(events.range(row)).unwrap_or(&[]);
    match until {
        Some(until) => times.get(..times.partition_point(|t| *t <= until.0)).unwrap_or(&[]),
        None => times,
    }
}

/// A word for each row, each thread its own stretch of them.
fn each_row(n_rows: usize, n_threads: NonZero<usize>, of: impl Fn(usize) -> u64 + Sync) -> Vec<u64> {
    const ROWS_PER_THREAD_MIN: usize = 1 << 14;
    let per_thread = n_rows.div_ceil(n_threads.get()).max(ROWS_PER_THREAD_MIN);
    let mut words = vec![0; n_rows];
    let fill = |at: usize, chunk: &mut [u64]| {
        chunk.iter_mut().enumerate().for_each(|(row, word)| *word = of(at * per_thread + row));
    };
    std::thread::scope(|scope| {
        let mut chunks = words.chunks_mut(per_thread).enumerate();
        let own = chunks.next();
        for (at, chunk) in chunks {
            scope.spawn(move || fill(at, chunk));
        }
        if let Some((at, chunk)) = own {
            fill(at, chunk);
        }
    });
    words
}
