//! What is asked of the values that an attribute had over time.
//!
//! Its values up to `now` are stretches: each begins at the instant at which the value
//! became another one and lasts until the next begins, the last one until now. The first
//! begins before everything else; its value is missing where the first that is known was
//! set at some instant. Two neighbours differ, and a stretch may be one of no value.

use super::Interval;

/// A value over the stretches of an attribute's history that meet a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OfHistory {
    /// How many of them have an instant in common with an interval, as a whole number.
    Stretches(Interval),
    /// How many of them begin inside an interval, as a whole number: how often the value
    /// changed. That a first value becomes known is no change.
    Changes(Interval),
    /// The instant since which all have met it without a break up to now; missing where the
    /// value of now does not.
    Since,
}

impl OfHistory {
    /// The word for it in printed trees.
    pub fn word(self) -> &'static str {
        match self {
            OfHistory::Stretches(_) => "stretches",
            OfHistory::Changes(_) => "changes",
            OfHistory::Since => "since",
        }
    }

    /// The interval that limits it, where one does.
    pub fn interval(self) -> Option<Interval> {
        match self {
            OfHistory::Stretches(interval) | OfHistory::Changes(interval) => Some(interval),
            OfHistory::Since => None,
        }
    }
}
