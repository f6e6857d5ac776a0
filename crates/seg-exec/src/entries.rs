//! Other ways into a compiled plan than masks of everybody: one person, and sizes at
//! many instants.

use crate::program::CompiledPlan;
use crate::run::Worker;
use crate::words::BLOCK_WORDS;
use seg_data::{Cancel, parallel};
use std::fmt;
use std::num::NonZero;

/// Decides for people one by one, with memory that it uses again.
pub struct OneByOne<'w> {
    plan: &'w CompiledPlan,
    worker: Worker<'w>,
}

impl CompiledPlan {
    /// For one person at a time.
    pub fn one_by_one(&self) -> OneByOne<'_> {
        OneByOne { plan: self, worker: Worker::new(self) }
    }
}

impl OneByOne<'_> {
    /// Which segments the person of a row is in, in the order of the plan; none
    /// past the end.
    pub fn segments(&mut self, row: usize) -> impl Iterator<Item = bool> {
        self.worker.one(row);
        let (worker, bit) = (&self.worker, 1 << (row % 64));
        let is_in = move |(_, step): &(_, usize)| worker.answers(*step).first().is_some_and(|word| word & bit != 0);
        self.plan.physical.roots.iter().map(is_in)
    }
}

/// Why sizes could not be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizesError {
    /// Somebody asked to stop.
    Cancelled,
    /// The plans are not of one batch: they have different numbers of people.
    DifferentBatches,
}

impl fmt::Display for SizesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SizesError::Cancelled => write!(f, "it was cancelled"),
            SizesError::DifferentBatches => write!(f, "sizes are counted of one batch, and these plans are of several"),
        }
    }
}

impl std::error::Error for SizesError {}

/// How many people are in each segment by each of some plans, which are one program
/// compiled for one batch at several instants: one pass over the people, all instants
/// for a block while its events are near.
///
/// # Errors
/// Plans of batches with different numbers of people; that somebody asked to stop.
pub fn sizes(plans: &[CompiledPlan], n_threads: NonZero<usize>, cancel: &Cancel) -> Result<Vec<Vec<u64>>, SizesError> {
    let n_people = plans.first().map_or(0, CompiledPlan::n_people);
    if plans.iter().any(|plan| plan.n_people() != n_people) {
        return Err(SizesError::DifferentBatches);
    }
    let n_words = n_people.div_ceil(64);
    let none = || plans.iter().map(|plan| vec![0; plan.physical.roots.len()]).collect::<Vec<Vec<u64>>>();
    let count = |words: std::ops::Range<usize>| {
        let mut workers: Vec<Worker<'_>> = plans.iter().map(Worker::new).collect();
        let mut counts = none();
        for word in words.clone().step_by(BLOCK_WORDS) {
            if cancel.is_cancelled() {
                return Err(SizesError::Cancelled);
            }
            for ((plan, worker), counts) in plans.iter().zip(&mut workers).zip(&mut counts) {
                worker.block(word, words.end - word);
                for ((_, root), count) in plan.physical.roots.iter().zip(counts) {
                    *count += worker.answers(*root).iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
                }
            }
        }
        Ok(counts)
    };
    let per_thread = parallel::share_len(n_words.div_ceil(BLOCK_WORDS), n_threads, 1) * BLOCK_WORDS;
    let mut all = none();
    for share in parallel::map_ranges(n_words, per_thread, count) {
        for (counts, more) in all.iter_mut().zip(share?) {
            counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
    }
    Ok(all)
}
