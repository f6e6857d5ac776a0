//! Layouts derived from a batch and kept with it, so that evaluating again need
//! not make them again.

use crate::schema::{EventId, PropertyId};
use crate::time::{Instant, Zone};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Layouts of batches that are smaller than this may be as large.
const BUDGET_MIN: usize = 1 << 20;

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
    /// An hour of the day, from 0: windows begin in it.
    pub hour: i64,
}

/// What a layout holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LayoutKey {
    /// Three times [`ActivityKey::n_words`] words a person: the days; those on which
    /// they did it at the beginning of the hour or later; and at its end or later.
    Activity(ActivityKey),
    /// A time a person in microseconds, that of their n-th event of a name from
    /// one end; [`Layout::MISSING`] where there is none.
    Time {
        /// The name.
        event: EventId,
        /// From which end.
        is_last: bool,
        /// Which from there, from 1.
        n: u32,
        /// Later events do not count, where the batch has later ones.
        until: Option<Instant>,
    },
    /// People by such a time, the latest first, as far as they are few: a word is
    /// a row, and [`Layout::latest`] the time of each.
    Recent {
        /// The name.
        event: EventId,
        /// From which end.
        is_last: bool,
        /// Which from there, from 1.
        n: u32,
        /// Later events do not count, where the batch has later ones.
        until: Option<Instant>,
    },
    /// A whole number a person: the total of a property of whole numbers or amounts
    /// over their events of a name, or the average of amounts, rounded half to even;
    /// [`Layout::MISSING`] where there is no average. No words at all where a number
    /// does not fit.
    Sum {
        /// The name.
        event: EventId,
        /// The property.
        property: PropertyId,
        /// Whether it is the average.
        is_average: bool,
        /// Later events do not count, where the batch has later ones.
        until: Option<Instant>,
    },
    /// A word a person: which texts of a property's dictionary, at most 64, their
    /// events of a name ever had.
    Texts {
        /// The name.
        event: EventId,
        /// The property.
        property: PropertyId,
        /// Later events do not count, where the batch has later ones.
        until: Option<Instant>,
    },
}

/// Something derived from a batch: words for each profile, as its key says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The words, profile by profile.
    pub words: Vec<u64>,
    /// For times: the latest of each [`Layout::PER_LATEST`] profiles, so that
    /// whoever looks for later ones can pass them by. For people by time: times.
    pub latest: Vec<i64>,
}

impl Layout {
    /// Stands for a time or an average that there is not; less than every one.
    pub const MISSING: i64 = i64::MIN;

    /// How many profiles share a latest time: those of two cache lines of times.
    pub const PER_LATEST: usize = 16;

    fn size(&self) -> usize {
        (self.words.len() + self.latest.len()) * 8
    }
}

/// What is derived from one batch; its clones share it.
#[derive(Debug, Default)]
pub(super) struct Layouts(Mutex<HashMap<LayoutKey, Arc<Layout>>>);

impl Layouts {
    /// The layout of a key, made by `make` where it is not there yet; `budget` says
    /// how many bytes all together may have.
    pub fn get(&self, key: &LayoutKey, budget: impl FnOnce() -> usize, make: impl FnOnce() -> Layout) -> Arc<Layout> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lock().get(key) {
            return Arc::clone(found);
        }
        // Made without the lock: another thread may do the same, which wastes
        // time and harms nothing.
        let made = Arc::new(make());
        let mut kept = lock();
        // Every day has its own: whoever goes through a year keeps few of them.
        let size: usize = kept.values().map(|layout| layout.size()).sum();
        if size + made.size() > budget().max(BUDGET_MIN) {
            kept.clear();
        }
        Arc::clone(kept.entry(key.clone()).or_insert(made))
    }

    /// Bytes of all layouts.
    pub fn size(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().map(|layout| layout.size()).sum()
    }
}
