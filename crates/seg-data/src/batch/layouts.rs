//! Layouts derived from a batch and kept with it, so that evaluating again need
//! not make them again.

use crate::schema::EventId;
use crate::time::Zone;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// So many layouts are kept of a batch; then all are let go.
const KEPT_MAX: usize = 8;

/// On which days people did any of some events: a bit a day.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActivityKey {
    /// The events.
    pub events: Vec<EventId>,
    /// Whose days.
    pub zone: Zone,
    /// The day of the first bit, counted from 1970-01-01.
    pub first_day: i64,
    /// Words of 64 days a person.
    pub n_words: usize,
}

/// What is derived from one batch; its clones share it.
#[derive(Debug, Default)]
pub(super) struct Layouts(Mutex<HashMap<ActivityKey, Arc<Vec<u64>>>>);

impl Layouts {
    /// The layout of a key, made by `make` where it is not there yet.
    pub fn activity(&self, key: ActivityKey, make: impl FnOnce(&ActivityKey) -> Vec<u64>) -> Arc<Vec<u64>> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(&key) {
            return Arc::clone(found);
        }
        // Made without the lock: another thread may do the same, which wastes
        // time and harms nothing.
        let made = Arc::new(make(&key));
        let mut kept = lock();
        // Every day has its own: whoever goes through a year keeps few of them.
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        Arc::clone(kept.entry(key).or_insert(made))
    }

    /// Bytes of all layouts.
    pub fn size(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().map(|words| words.len() * 8).sum()
    }
}
