//! Derived columns: what access paths read instead of a person's events.
//!
//! Each is made by one walk over the events and kept with the batch, so that every
//! later evaluation reads eight bytes a person in order. They are made in this room
//! alone, and nobody else can put one there: a column of people has a value for
//! each person, which is checked again where one is taken out.

mod sums;
mod texts;
mod times;

pub(crate) use sums::{sum_key, sums};
pub(crate) use texts::{texts, texts_key};
pub(crate) use times::{TopK, time_key, times};

use arrow_buffer::ScalarBuffer;
use hashbrown::HashMap;
use seg_data::batch::Events;
use seg_data::{Batch, EventId, PropertyId, Timestamp, Zone, parallel};
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};

/// Derived columns of batches that are smaller than this may be as large.
const BUDGET_MIN: usize = 1 << 20;

/// On which days people did any of some events: a bit a day.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ActivityKey {
    pub events: Vec<EventId>,
    /// Whose days.
    pub zone: Zone,
    /// The day of the first bit, counted from 1970-01-01.
    pub first_day: i64,
    /// Words of 64 days a person.
    pub n_words: usize,
    /// An hour of the day, from 0: windows begin in it.
    pub hour: i64,
}

/// Which time of a person's events of a name is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TimeKey {
    pub event: EventId,
    /// From which end.
    pub is_last: bool,
    /// Which from there, from 1.
    pub n: u32,
    /// Later events do not count, where the batch has later ones.
    pub until: Option<Timestamp>,
}

/// What a derived column holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum DerivedKey {
    /// Three times [`ActivityKey::n_words`] words a person: the days; those on which
    /// they did it at the beginning of the hour or later; and at its end or later.
    Activity(ActivityKey),
    /// A time a person in microseconds, [`seg_jit::template::MISSING`] where there is none; with the
    /// latest of each [`DerivedColumn::PER_ZONE`] people as zones.
    Time(TimeKey),
    /// The people with the latest such times, as far as they are few: the row of
    /// each, the latest first, with their times as zones.
    TopK(TimeKey),
    /// A whole number a person: the total of a property of whole numbers or amounts
    /// over their events of a name, or the average of amounts, rounded half to even;
    /// [`seg_jit::template::MISSING`] where there is no average. No values at all where one does not
    /// fit.
    Sum { event: EventId, property: PropertyId, is_average: bool, until: Option<Timestamp> },
    /// A word a person: which texts of a property's dictionary, at most 64, their
    /// events of a name ever had.
    Texts { event: EventId, property: PropertyId, until: Option<Timestamp> },
}

/// Something derived from a batch, as its key says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct DerivedColumn {
    values: ScalarBuffer<i64>,
    zones: Vec<i64>,
}

impl DerivedColumn {
    /// How many people share a zone: those of two cache lines of times.
    pub const PER_ZONE: usize = 16;

    /// The values, person by person.
    pub fn values(&self) -> &ScalarBuffer<i64> {
        &self.values
    }

    /// The zone map: what is greatest in each zone.
    pub fn zones(&self) -> &[i64] {
        &self.zones
    }

    /// A column of words as they are.
    pub fn of_words(words: Vec<i64>) -> DerivedColumn {
        DerivedColumn { values: words.into(), zones: Vec::new() }
    }

    fn size(&self) -> usize {
        (self.values.len() + self.zones.len()) * 8
    }

    /// The same with the zones of the next people: a mistake on purpose.
    #[cfg(feature = "faults")]
    pub fn with_next_zones(&self) -> DerivedColumn {
        let mut zones = self.zones.clone();
        let n_moved = 1.min(zones.len());
        zones.rotate_left(n_moved);
        DerivedColumn { values: self.values.clone(), zones }
    }
}

/// The derived columns of one batch, which its clones share.
#[derive(Debug, Default)]
struct Kept(Mutex<HashMap<DerivedKey, Arc<DerivedColumn>>>);

/// The derived columns that a batch keeps.
pub(crate) struct DerivedColumns<'b> {
    batch: &'b Batch,
    kept: Arc<Kept>,
}

impl<'b> DerivedColumns<'b> {
    /// Those of a batch.
    pub fn of(batch: &'b Batch) -> DerivedColumns<'b> {
        DerivedColumns { batch, kept: batch.extension() }
    }

    /// The column of a key, made by `make` where it is not there yet. All together
    /// stay under the size of the batch: where one more would not fit, the others
    /// are let go.
    pub fn get(&self, key: &DerivedKey, make: impl FnOnce() -> DerivedColumn) -> Arc<DerivedColumn> {
        let lock = || self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(key) {
            return Arc::clone(found);
        }
        // Made without the lock: another thread may do the same, which wastes
        // time and harms nothing.
        let made = Arc::new(make());
        let mut kept = lock();
        // Every day has its own: whoever goes through a year keeps few of them.
        let size: usize = kept.values().map(|column| column.size()).sum();
        if size + made.size() > self.batch.records().get_array_memory_size().max(BUDGET_MIN) {
            kept.clear();
        }
        Arc::clone(kept.entry(key.clone()).or_insert(made))
    }

    /// The column of a key that has a value for each person; `None` where it has
    /// not, as where one did not fit.
    pub fn of_people(&self, key: &DerivedKey, make: impl FnOnce() -> DerivedColumn) -> Option<Arc<DerivedColumn>> {
        let column = self.get(key, make);
        (column.values.len() == self.batch.len()).then_some(column)
    }
}

/// Bytes of the columns that were derived from a batch so far, and that it keeps.
pub fn derived_size(batch: &Batch) -> usize {
    let kept = batch.extension::<Kept>();
    let kept = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
    kept.values().map(|column| column.size()).sum()
}

/// `until` of a key: nothing where no event is later.
fn until(events: &Events, now: Timestamp) -> Option<Timestamp> {
    events.extent().is_some_and(|(_, last)| last > now).then_some(now)
}

/// The times of a person's events up to an instant.
fn known(events: &Events, row: usize, until: Option<Timestamp>) -> &[i64] {
    let times = events.times().get(events.range(row)).unwrap_or(&[]);
    match until {
        Some(until) => times.get(..times.partition_point(|t| *t <= until.0)).unwrap_or(&[]),
        None => times,
    }
}

/// A value for each row, each thread its own stretch of them.
fn each_row(n_rows: usize, n_threads: NonZero<usize>, of: impl Fn(usize) -> i64 + Sync) -> Vec<i64> {
    const ROWS_PER_THREAD_MIN: usize = 1 << 14;
    let mut values = vec![0; n_rows];
    parallel::fill_chunks(&mut values, parallel::share_len(n_rows, n_threads, ROWS_PER_THREAD_MIN), |first, chunk| {
        chunk.iter_mut().enumerate().for_each(|(row, value)| *value = of(first + row));
    });
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use seg_data::Schema;

    fn batch(n_people: usize) -> Batch {
        let ids = StringArray::from_iter_values((0..n_people).map(|n| n.to_string()));
        let records = RecordBatch::try_from_iter([("profile_id", Arc::new(ids) as ArrayRef)]).expect("one column");
        Batch::new(Arc::new(Schema::default()), records).expect("a batch")
    }

    fn key(n: u32) -> DerivedKey {
        DerivedKey::Time(TimeKey { event: EventId(0), is_last: true, n, until: None })
    }

    #[test]
    fn a_column_with_too_few_values_is_not_read() {
        let batch = batch(100);
        let columns = DerivedColumns::of(&batch);
        for n_values in [0, 1, 99, 101] {
            let made = columns.of_people(&key(n_values), || DerivedColumn::of_words(vec![0; n_values as usize]));
            assert!(made.is_none(), "{n_values} values for 100 people");
        }
        assert!(columns.of_people(&key(100), || DerivedColumn::of_words(vec![0; 100])).is_some());
    }

    #[test]
    fn columns_are_kept_with_the_batch_and_its_clones_within_a_budget() {
        let batch = batch(10);
        let make = || DerivedColumn::of_words(vec![7; 10]);
        DerivedColumns::of(&batch).get(&key(1), make);
        assert_eq!(derived_size(&batch.clone()), 80);
        let again = DerivedColumns::of(&batch).get(&key(1), || DerivedColumn::of_words(vec![8; 10]));
        assert_eq!(again.values().first(), Some(&7), "it is made once");
        let large = || DerivedColumn::of_words(vec![0; BUDGET_MIN / 8]);
        DerivedColumns::of(&batch).get(&key(2), large);
        assert_eq!(derived_size(&batch), BUDGET_MIN, "the first was let go");
    }
}
