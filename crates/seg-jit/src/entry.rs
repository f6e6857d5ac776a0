//! Other ways into a bound plan than masks of everybody: one person, and sizes
//! at many instants.

use crate::bound::BoundPlan;
use crate::words::BLOCK_WORDS;
use crate::worker::Worker;
use seg_data::Cancel;
use std::num::NonZero;

/// Judges people one by one, with memory that it uses again.
pub struct OneByOne<'w, 'b> {
    bound: &'w BoundPlan<'b>,
    worker: Worker<'w, 'b>,
}

impl<'b> BoundPlan<'b> {
    /// For one person at a time.
    pub fn one_by_one(&self) -> OneByOne<'_, 'b> {
        OneByOne { bound: self, worker: Worker::new(self) }
    }
}

impl OneByOne<'_, '_> {
    /// Which segments the person of a row is in, in the order of the plan; none
    /// past the end.
    pub fn segments(&mut self, row: usize) -> impl Iterator<Item = bool> {
        self.worker.one(row);
        let (worker, place) = (&self.worker, row % 64);
        let is_in = move |step: &usize| worker.answers(*step).first().is_some_and(|word| word >> place & 1 == 1);
        self.bound.roots.iter().map(is_in)
    }
}

/// How many people are in each segment by each of some plans, which are one
/// program bound to one batch at several instants: one pass over the people, all
/// instants for a block while its events are near. `None` when cancelled.
pub fn sizes(plans: &[BoundPlan<'_>], n_threads: NonZero<usize>, cancel: &Cancel) -> Option<Vec<Vec<u64>>> {
    let n_words = plans.iter().map(|plan| plan.n_profiles.div_ceil(64)).max().unwrap_or(0);
    let n_blocks = n_words.div_ceil(BLOCK_WORDS);
    let per_thread = n_blocks.div_ceil(n_threads.get()).max(1) * BLOCK_WORDS;
    let count = |first: usize| {
        let mut workers: Vec<Worker<'_, '_>> = plans.iter().map(Worker::new).collect();
        let mut counts: Vec<Vec<u64>> = plans.iter().map(|plan| vec![0; plan.roots.len()]).collect();
        for word in (first..n_words.min(first + per_thread)).step_by(BLOCK_WORDS) {
            if cancel.is_cancelled() {
                return None;
            }
            for ((plan, worker), counts) in plans.iter().zip(&mut workers).zip(&mut counts) {
                worker.block(word, n_words - word);
                for (root, count) in plan.roots.iter().zip(counts) {
                    *count += worker.answers(*root).iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
                }
            }
        }
        Some(counts)
    };
    let shares: Vec<Option<Vec<Vec<u64>>>> = std::thread::scope(|scope| {
        let starts = (0..n_words.max(1)).step_by(per_thread);
        let threads: Vec<_> = starts.map(|first| scope.spawn(move || count(first))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    shares.into_iter().reduce(|all, share| {
        let (mut all, share) = (all?, share?);
        for (counts, more) in all.iter_mut().zip(share) {
            counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
        Some(all)
    })?
}
