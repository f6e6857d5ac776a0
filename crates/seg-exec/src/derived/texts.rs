//! Which texts of a property's dictionary people's events ever had, as bits.

use super::{DerivedColumn, DerivedColumns, DerivedKey, each_row, known, until};
use arrow_array::Array;
use seg_data::batch::Events;
use seg_data::{Batch, EventId, PropertyId, Timestamp};
use std::num::NonZero;
use std::sync::Arc;

/// The most texts of a dictionary that fit a word.
const TEXTS_MAX: usize = 64;

/// The key of the texts of a property, where a word has a bit for each.
pub(crate) fn texts_key(events: &Events, event: EventId, property: PropertyId, now: Timestamp) -> Option<DerivedKey> {
    let (_, texts) = events.property_column(property)?.texts()?;
    let fits = texts.len() <= TEXTS_MAX;
    fits.then(|| DerivedKey::Texts { event, property, until: until(events, now) })
}

/// The texts of a key: bit n of a word is key n of the dictionary.
pub(crate) fn texts(
    batch: &Batch,
    events: &Events,
    key: &DerivedKey,
    n_threads: NonZero<usize>,
) -> Option<Arc<DerivedColumn>> {
    let DerivedKey::Texts { property, until, .. } = *key else { return None };
    let (coded, _) = events.property_column(property)?.texts()?;
    let keys: &[i32] = coded.keys().values();
    let nulls = coded.nulls().filter(|n| n.null_count() > 0);
    let of = |row: usize| {
        let first = events.range(row).start;
        let n_known = known(events, row, until).len();
        let keys = keys.get(first..first + n_known).unwrap_or(&[]);
        let bit = |key: i32| 1_i64.checked_shl(key as u32).unwrap_or(0);
        match nulls {
            None => keys.iter().fold(0, |bits, key| bits | bit(*key)),
            Some(nulls) => {
                let valid = keys.iter().enumerate().filter(|(at, _)| nulls.is_valid(first + at));
                valid.fold(0, |bits, (_, key)| bits | bit(*key))
            }
        }
    };
    let make = || DerivedColumn::of_words(each_row(batch.len(), n_threads, of));
    DerivedColumns::of(batch).of_people(key, make)
}
