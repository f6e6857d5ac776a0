//! What is refused, and how often it was.

use seg::unstable::data::time::DAY;
use std::collections::BTreeMap;

/// How much there may be of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of what one record tells.
    pub record_bytes: usize,
    /// Facts of one person.
    pub person_facts: usize,
    /// Bytes of the facts of one person.
    pub person_bytes: usize,
    /// Microseconds by which a record may be ahead of the clock.
    pub ahead: i64,
}

impl Default for Limits {
    /// 32 KB a record, 100,000 facts or 64 MB a person, one day ahead.
    fn default() -> Limits {
        Limits { record_bytes: 32 << 10, person_facts: 100_000, person_bytes: 64 << 20, ahead: DAY }
    }
}

/// Why a record was refused, or a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// It is no record.
    Broken,
    /// It says of nobody whose it is.
    NoId,
    /// An event without a name; what it says of ids was taken.
    NoEvent,
    /// An event that the schema does not have; what it says of ids was taken.
    UnknownEvent,
    /// Its time cannot be read.
    ImpossibleTime,
    /// It is too far ahead of the clock.
    Ahead,
    /// It is too large.
    TooLarge,
    /// Too much is known of the person.
    TooMuch,
}

impl Refusal {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Refusal::Broken => "no record",
            Refusal::NoId => "no id",
            Refusal::NoEvent => "an event without a name",
            Refusal::UnknownEvent => "an event that the schema does not have",
            Refusal::ImpossibleTime => "a time that cannot be read",
            Refusal::Ahead => "a time too far ahead",
            Refusal::TooLarge => "too large",
            Refusal::TooMuch => "too much of one person",
        }
    }
}

/// What became of the records that came in since the process began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub received: u64,
    /// Those that had come before.
    pub repeated: u64,
    /// Values that were not of the types that the schema gives, and are missing.
    pub unfit: u64,
    /// Those that were refused, by the reason.
    pub refused: BTreeMap<Refusal, u64>,
    /// How often people were judged.
    pub judged: u64,
}

impl Counts {
    pub(crate) fn refuse(&mut self, why: Refusal) {
        *self.refused.entry(why).or_default() += 1;
    }
}
