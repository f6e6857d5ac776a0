//! What may be left in a file, since it decides nothing.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef};
use seg_data::Timestamp;
use std::collections::HashMap;

/// What a sink of events needs of a file that is asked about at one instant.
pub(crate) struct Pruning {
    /// The columns that say whose an event is, what it is called and when it was.
    pub id_at: usize,
    pub event_at: usize,
    pub time_at: usize,
    /// What is wanted of the events of each name that the schema has.
    pub of_name: HashMap<String, Asked>,
    /// The instant. An event up to it says of somebody that they exist.
    pub at: Timestamp,
    /// Whether all who were met before exist at that instant, whatever is said of them.
    pub all_exist: bool,
}

/// What is asked of the events of one name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    /// Who has one up to the instant.
    Existence,
    /// All of those since then.
    Since(Timestamp),
}

/// Rows that decide nothing but who exists, and who has an event.
pub(crate) struct Left {
    pub n_rows: u64,
    /// How many events there are of each name.
    pub counts: Vec<(String, u64)>,
    /// When the last of them was.
    pub latest: Timestamp,
    /// Whether everybody in them was met before and exists.
    pub are_known: bool,
    /// Whose they are, some rows after others; empty where that says nothing.
    pub ids: Vec<ArrayRef>,
    /// What they are, for the same rows; empty where that matters of none.
    pub names: Vec<ArrayRef>,
}

/// Between what two instants the events of a part of a file lie.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    /// As exact as statistics are.
    pub latest: Timestamp,
    /// No event is later than this, whatever the clocks of a zone did.
    pub until: Timestamp,
}

impl Pruning {
    /// How many events of each name there are in a column of names; none where a row has
    /// no name, or one that the schema lacks, which is told of row by row.
    pub fn counts(&self, names: &[RecordBatch]) -> Option<Vec<(String, u64)>> {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for batch in names {
            let names = batch.columns().first()?.as_dictionary_opt::<Int32Type>()?;
            let texts = names.values().as_string_opt::<i32>()?;
            if names.null_count() > 0 {
                return None;
            }
            let mut of_key = vec![0_u64; texts.len()];
            for key in names.keys().values() {
                *of_key.get_mut(usize::try_from(*key).ok()?)? += 1;
            }
            for (text, n) in texts.iter().zip(of_key).filter(|(_, n)| *n > 0) {
                let (known, _) = self.of_name.get_key_value(text?)?;
                *counts.entry(known).or_default() += n;
            }
        }
        Some(counts.into_iter().map(|(name, n)| (name.to_owned(), n)).collect())
    }

    /// Whether events of every name are wanted, whatever a part of a file has.
    pub fn wants_all(&self, span: Span) -> bool {
        self.of_name.values().all(|asked| matches!(asked, Asked::Since(since) if *since <= span.until))
    }

    /// Whether events of some names decide nothing where none is later than the span.
    pub fn decide_nothing(&self, counts: &[(String, u64)], span: Span) -> bool {
        let is_wanted = |name: &str| match self.of_name.get(name) {
            Some(Asked::Since(since)) => *since <= span.until,
            Some(Asked::Nothing | Asked::Existence) | None => false,
        };
        span.until <= self.at && !counts.iter().any(|(name, _)| is_wanted(name))
    }

    /// Whether it matters who has an event of one of some names.
    pub fn ask_for_existence(&self, counts: &[(String, u64)]) -> bool {
        counts.iter().any(|(name, _)| self.of_name.get(name) == Some(&Asked::Existence))
    }
}
