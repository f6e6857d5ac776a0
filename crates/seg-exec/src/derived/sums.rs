//! Totals and averages of a property over all events of a name.

use super::{DerivedColumn, DerivedColumns, DerivedKey, each_row, known, until};
use crate::kernels::{Sum, Values, average};
use seg_data::batch::Events;
use seg_data::{Batch, EventId, PropertyId, Timestamp};
use seg_jit::template::MISSING;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The key of the total, or the average, of a property over events of a name.
pub(crate) fn sum_key(events: &Events, about: (EventId, PropertyId), sum: Sum, now: Timestamp) -> DerivedKey {
    let (event, property) = about;
    DerivedKey::Sum { event, property, is_average: sum == Sum::Average, until: until(events, now) }
}

/// The totals or averages of a key; `None` where the property has no whole numbers,
/// or one of the results does not fit.
pub(crate) fn sums(
    batch: &Batch,
    events: &Events,
    key: &DerivedKey,
    n_threads: NonZero<usize>,
) -> Option<Arc<DerivedColumn>> {
    let DerivedKey::Sum { property, is_average, until, .. } = *key else { return None };
    let values = Values::of(events, property)?;
    let fits = AtomicBool::new(true);
    let of = |row: usize| {
        let first = events.range(row).start;
        let (total, n_values) = values.sum(first..first + known(events, row, until).len());
        let sum = if is_average { average(total, n_values) } else { i64::try_from(total).ok() };
        // Only an average of no values is missing. Whatever else would be taken for
        // that, or needs more than 64 bits, does not fit.
        if sum.unwrap_or(MISSING) == MISSING && (n_values > 0 || !is_average) {
            fits.store(false, Ordering::Relaxed);
        }
        sum.unwrap_or(MISSING)
    };
    let make = || {
        let sums = each_row(batch.len(), n_threads, of);
        DerivedColumn::of_words(if fits.load(Ordering::Relaxed) { sums } else { Vec::new() })
    };
    DerivedColumns::of(batch).of_people(key, make)
}
