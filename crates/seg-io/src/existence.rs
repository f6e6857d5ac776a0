//! Since when people exist: gathered as their rows are read.

use arrow_array::builder::TimestampMicrosecondBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef};
use seg_data::Timestamp;
use std::sync::Arc;

/// What is told of nobody.
const NEVER: i64 = i64::MAX;

/// What decides since when each person exists: the earliest value of the attribute
/// that says so; else their earliest event or dated row, unless an undated row
/// stands beside dated ones; else nothing, and they always have. It is about people,
/// so that what is told of any id that is merged into one is told of the one.
#[derive(Default)]
pub(crate) struct Existence {
    /// By row of the batch: the earliest event.
    events: Vec<i64>,
    /// The earliest dated row.
    dated: Vec<i64>,
    /// The earliest value of the schema's first-seen attribute.
    first_seen: Vec<i64>,
    /// Who has an undated row.
    undated: Vec<bool>,
}

impl Existence {
    /// An event of somebody.
    pub fn event(&mut self, person: u32, time: i64) {
        earliest(&mut self.events, person, time);
    }

    /// A row of somebody, with its time where it has one.
    pub fn row(&mut self, person: u32, time: Option<Timestamp>) {
        match time {
            Some(time) => earliest(&mut self.dated, person, time.0),
            None => {
                let at = person as usize;
                if self.undated.len() <= at {
                    self.undated.resize(at + 1, false);
                }
                if let Some(is_undated) = self.undated.get_mut(at) {
                    *is_undated = true;
                }
            }
        }
    }

    /// The values of the first-seen attribute, one for each of some rows of people.
    pub fn first_seen(&mut self, people: impl Iterator<Item = u32>, values: &dyn Array) {
        let Some(values) = values.as_primitive_opt::<TimestampMicrosecondType>() else { return };
        for (person, value) in people.zip(values) {
            value.into_iter().for_each(|time| earliest(&mut self.first_seen, person, time));
        }
    }

    /// Adds what was known of somebody before.
    pub fn add(&mut self, person: u32, proof: &Proof) {
        proof.event.into_iter().for_each(|time| earliest(&mut self.events, person, time));
        proof.dated.into_iter().for_each(|time| self.row(person, Some(Timestamp(time))));
        proof.first_seen.into_iter().for_each(|time| earliest(&mut self.first_seen, person, time));
        if proof.is_undated {
            self.row(person, None);
        }
    }

    /// About how many bytes of memory it takes.
    pub fn n_bytes(&self) -> u64 {
        (8 * (self.events.len() + self.dated.len() + self.first_seen.len()) + self.undated.len()) as u64
    }

    /// What is known of each of so many people.
    pub fn proofs(&self, n_people: usize) -> impl Iterator<Item = Proof> {
        (0..n_people).map(|at| Proof {
            event: told(&self.events, at),
            dated: told(&self.dated, at),
            first_seen: told(&self.first_seen, at),
            is_undated: self.undated.get(at).copied().unwrap_or(false),
        })
    }

    /// From when on each person exists, a null for those who always have; none where
    /// all have.
    pub fn finish(self, n_people: usize) -> Option<ArrayRef> {
        let mut from = TimestampMicrosecondBuilder::with_capacity(n_people).with_timezone("UTC");
        for at in 0..n_people {
            let dated = told(&self.dated, at);
            let is_undated = self.undated.get(at).copied().unwrap_or(false);
            let rows_and_events = match dated {
                Some(_) if is_undated => None,
                dated => dated.into_iter().chain(told(&self.events, at)).min(),
            };
            from.append_option(told(&self.first_seen, at).or(rows_and_events));
        }
        let from = from.finish();
        (from.null_count() < n_people).then(|| Arc::new(from) as ArrayRef)
    }
}

/// What is known of since when one person exists; see [`Existence`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proof {
    pub event: Option<i64>,
    pub dated: Option<i64>,
    pub first_seen: Option<i64>,
    pub is_undated: bool,
}

fn told(times: &[i64], at: usize) -> Option<i64> {
    times.get(at).copied().filter(|time| *time != NEVER)
}

/// Keeps the earlier of a person's times.
fn earliest(times: &mut Vec<i64>, person: u32, time: i64) {
    let at = person as usize;
    if times.len() <= at {
        times.resize((at + 1).next_power_of_two(), NEVER);
    }
    if let Some(slot) = times.get_mut(at) {
        *slot = time.min(*slot);
    }
}
