//! Times of people's events, and the few people with the latest.

use super::{DerivedColumn, DerivedColumns, DerivedKey, TimeKey, each_row, known, until};
use crate::words::word_bit;
use seg_data::batch::Events;
use seg_data::{Batch, EventId, Timestamp};
use seg_jit::template::MISSING;
use std::num::NonZero;
use std::sync::Arc;

/// The key of the n-th time from one end of the events of a name.
pub(crate) fn time_key(events: &Events, event: EventId, is_last: bool, n: u32, now: Timestamp) -> TimeKey {
    TimeKey { event, is_last, n, until: until(events, now) }
}

/// The times of a key.
pub(crate) fn times(
    batch: &Batch,
    events: &Events,
    key: &TimeKey,
    n_threads: NonZero<usize>,
) -> Option<Arc<DerivedColumn>> {
    let TimeKey { is_last, n, until, .. } = *key;
    let before = (n as usize).saturating_sub(1);
    let of = |row: usize| {
        let times = known(events, row, until);
        let time = if is_last { times.iter().nth_back(before) } else { times.get(before) };
        time.copied().unwrap_or(MISSING)
    };
    DerivedColumns::of(batch).of_people(&DerivedKey::Time(*key), || {
        let times = each_row(batch.len(), n_threads, of);
        let latest = |people: &[i64]| people.iter().copied().max().unwrap_or(MISSING);
        let zones = times.chunks(DerivedColumn::PER_ZONE).map(latest).collect();
        DerivedColumn { values: times.into(), zones }
    })
}

/// One of so many people may be among those that are kept by time.
const TOP_SHARE: usize = 32;

/// The least number of people that are kept by time.
const TOP_MIN: usize = 64;

/// The people with the latest times, the latest first.
pub(crate) struct TopK(Arc<DerivedColumn>);

impl TopK {
    /// Those with a time from an instant on, where they are so few that they are
    /// kept by time. `times` are the times of everybody.
    pub fn find(batch: &Batch, key: &TimeKey, times: &DerivedColumn, least: i64) -> Option<TopK> {
        let times = times.values();
        let n_most = (times.len() / TOP_SHARE).max(TOP_MIN);
        // A sample says whether it is worth making.
        let stride = (times.len() / 1024).max(1);
        let n_sampled = times.len().div_ceil(stride);
        let n_late = times.iter().step_by(stride).filter(|time| **time >= least).count();
        if n_late * times.len() > n_most * n_sampled {
            return None;
        }
        let top = DerivedColumns::of(batch).get(&DerivedKey::TopK(*key), || by_time(times, n_most));
        // Who is not among them is at most as late as the last of them.
        let is_all = top.values.len() < n_most;
        let covers = is_all || top.zones.last().is_some_and(|last| *last < least);
        covers.then_some(TopK(top))
    }

    /// Who has a time from an instant on: the words of `n_people`.
    pub fn words(&self, n_people: usize, least: i64) -> Vec<u64> {
        let n_late = self.0.zones.partition_point(|time| *time >= least);
        let mut words = vec![0_u64; n_people.div_ceil(64)];
        for row in self.0.values.iter().take(n_late) {
            let (at, bit) = word_bit(*row as usize);
            if let Some(word) = words.get_mut(at) {
                *word |= bit;
            }
        }
        words
    }
}

/// So many people with the latest times, the latest first.
fn by_time(times: &[i64], n_most: usize) -> DerivedColumn {
    let known = times.iter().enumerate().map(|(row, time)| (*time, row as i64));
    let mut people: Vec<(i64, i64)> = known.filter(|(time, _)| *time != MISSING).collect();
    if people.len() > n_most {
        people.select_nth_unstable_by(n_most, |a, b| b.cmp(a));
        people.truncate(n_most);
    }
    people.sort_unstable_by(|a, b| b.cmp(a));
    let (zones, rows): (Vec<i64>, Vec<i64>) = people.into_iter().unzip();
    DerivedColumn { values: rows.into(), zones }
}
