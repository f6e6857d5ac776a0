//! Kernels that are compiled with Seg: functions over typed slices of a batch's
//! columns, without code of their own and without addresses.
//!
//! `columns` decides a condition about one column of people. The others compute
//! *shared aggregates*: values of people that several conditions compare, found
//! once for a block of people. Where one walk over a person's events finds several
//! of them, they are a [`SharedWalk`]. docs/engines.md tells which serves when.

mod columns;
mod days;
mod last_times;
mod sequences;
mod simd;
mod texts;
mod totals;

pub(crate) use columns::{ColumnScan, ColumnTest, KEYS_MAX, ZoneTest};
pub(crate) use days::ActiveDays;
pub(crate) use last_times::LastTimes;
pub(crate) use sequences::{LastSequences, Sequence};
pub(crate) use simd::{Range, Ranged, meets};
pub(crate) use texts::TextsMet;
pub(crate) use totals::{Sum, Totals, Values, average};

/// Shared aggregates that one walk over a person's events finds.
pub(crate) enum SharedWalk {
    Times(LastTimes),
    Sequences(LastSequences),
    Totals(Totals),
}

impl SharedWalk {
    /// The shared aggregates.
    pub fn aggregates(&self) -> Vec<usize> {
        match self {
            SharedWalk::Times(times) => times.wanted.iter().map(|(_, aggregate)| *aggregate).collect(),
            SharedWalk::Sequences(sequences) => sequences.aggregates().collect(),
            SharedWalk::Totals(totals) => totals.aggregates().collect(),
        }
    }

    /// Those of 64 people from a row on who can have other values than
    /// [`SharedWalk::default_value`].
    pub fn possible(&self, row: usize) -> u64 {
        match self {
            SharedWalk::Sequences(sequences) => sequences.late(row),
            SharedWalk::Totals(totals) => totals.with_events(row),
            SharedWalk::Times(_) => u64::MAX,
        }
    }

    /// The value of an aggregate for people whom the walk gives none, if they have
    /// one.
    pub fn default_value(&self, aggregate: usize) -> Option<i64> {
        match self {
            SharedWalk::Totals(totals) => totals.default_value(aggregate),
            SharedWalk::Sequences(_) | SharedWalk::Times(_) => None,
        }
    }

    /// Gives the value of each aggregate that a person has.
    pub fn of(&self, row: usize, give: &mut impl FnMut(usize, i64)) {
        match self {
            SharedWalk::Times(times) => times.of(row, give),
            SharedWalk::Sequences(sequences) => sequences.of(row, give),
            SharedWalk::Totals(totals) => totals.of(row, give),
        }
    }
}
