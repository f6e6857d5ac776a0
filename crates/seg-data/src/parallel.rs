//! Work shared by threads that end before the call returns.
//!
//! Whoever calls works too, so that one thread costs nothing and a call from a
//! pool of threads never waits for another pool. A panic of any thread goes on in
//! the caller, with its own message, once all others have ended.

use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread::scope;

/// How many of `n_items` each of some threads takes, so that none is idle while
/// another has twice as many; at least `n_min`, below which a thread costs more
/// than it saves. Never zero, so that slices can be cut by it.
pub fn share_len(n_items: usize, n_threads: NonZero<usize>, n_min: usize) -> usize {
    n_items.div_ceil(n_threads.get()).max(n_min).max(1)
}

/// Does each piece of work on a thread of its own, the first on this one, and
/// gives the results in the order of the pieces.
///
/// One thread a piece: cut the work into as many pieces as there shall be threads,
/// or use [`map_chunks`], [`map_ranges`] or [`fill_chunks`], which do. Pieces of
/// which each is small belong to [`each`].
pub fn map_each<W: Send, R: Send>(work: impl IntoIterator<Item = W>, run: impl Fn(W) -> R + Sync) -> Vec<R> {
    let mut work = work.into_iter();
    let Some(own) = work.next() else { return Vec::new() };
    let run = &run;
    scope(|scope| {
        let others: Vec<_> = work.map(|piece| scope.spawn(move || run(piece))).collect();
        let mut results = Vec::with_capacity(others.len() + 1);
        results.push(run(own));
        results.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic))));
        results
    })
}

/// Cuts a slice into chunks of `len` items (the last may be shorter) and does each
/// on a thread of its own, the first on this one. `run` is told which item of the
/// slice is the first of its chunk. The results are in the order of the chunks;
/// none for an empty slice.
pub fn map_chunks<T: Sync, R: Send>(items: &[T], len: usize, run: impl Fn(usize, &[T]) -> R + Sync) -> Vec<R> {
    let len = len.max(1);
    map_each(items.chunks(len).enumerate(), |(at, chunk)| run(at * len, chunk))
}

/// Cuts the numbers below `n` into stretches of `len` (the last may be shorter) and
/// does each on a thread of its own, the first on this one. The results are in the
/// order of the stretches; none where `n` is zero.
pub fn map_ranges<R: Send>(n: usize, len: usize, run: impl Fn(Range<usize>) -> R + Sync) -> Vec<R> {
    let len = len.max(1);
    map_each((0..n).step_by(len), |first| run(first..first.saturating_add(len).min(n)))
}

/// Cuts a slice into chunks of `len` items (the last may be shorter) and lets `run`
/// fill each on a thread of its own, the first on this one. `run` is told which
/// item of the slice is the first of its chunk.
pub fn fill_chunks<T: Send>(items: &mut [T], len: usize, run: impl Fn(usize, &mut [T]) + Sync) {
    let len = len.max(1);
    map_each(items.chunks_mut(len).enumerate(), |(at, chunk)| run(at * len, chunk));
}

/// Does pieces of work of different sizes on so many threads, this one among them:
/// whoever is free takes the next, from the last piece to the first, so that the
/// largest belongs at the end. Each thread has a `state` of its own, such as
/// memory that it uses again.
pub fn each<W: Send, S>(
    work: Vec<W>,
    n_threads: NonZero<usize>,
    state: impl Fn() -> S + Sync,
    run: impl Fn(&mut S, W) + Sync,
) {
    let n_others = n_threads.get().min(work.len()).saturating_sub(1);
    let work = Mutex::new(work);
    let take = || {
        let next = || work.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut state = state();
        while let Some(piece) = next() {
            run(&mut state, piece);
        }
    };
    beside(n_others, take, take);
}

/// Does `own` here while so many other threads do `other`, and gives what `own`
/// gives once all have ended. Where they wait for `own`, what they wait for must
/// come to an end when it does, also when it panics.
pub fn beside<R>(n_others: usize, other: impl Fn() + Sync, own: impl FnOnce() -> R) -> R {
    let other = &other;
    scope(|scope| {
        let others: Vec<_> = (0..n_others).map(|_| scope.spawn(other)).collect();
        let result = own();
        others.into_iter().for_each(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::{ThreadId, current};

    fn threads(n: usize) -> NonZero<usize> {
        NonZero::new(n).expect("not zero")
    }

    #[test]
    fn results_keep_the_order_of_the_pieces() {
        let items: Vec<usize> = (0..1000).collect();
        for len in [0, 1, 7, 999, 1000, 5000] {
            let chunks = map_chunks(&items, len, |first, chunk| {
                assert_eq!(chunk.first(), Some(&first));
                chunk.to_vec()
            });
            assert_eq!(chunks.concat(), items, "chunks of {len}");
            let ranges = map_ranges(items.len(), len, |range| range.collect::<Vec<_>>());
            assert_eq!(ranges.concat(), items, "ranges of {len}");
            let mut filled = vec![0; items.len()];
            fill_chunks(&mut filled, len, |first, chunk| {
                chunk.iter_mut().enumerate().for_each(|(at, slot)| *slot = first + at);
            });
            assert_eq!(filled, items, "filled by {len}");
        }
    }

    #[test]
    fn nothing_to_do_is_done_at_once() {
        assert_eq!(map_chunks(&[0_u8; 0], 4, |_, _| 1), []);
        assert_eq!(map_ranges(0, 4, |_| 1), []);
        fill_chunks(&mut [0_u8; 0], 4, |_, _| panic!("there is nothing to fill"));
        each(Vec::<u8>::new(), threads(4), || (), |(), _| panic!("there is no work"));
    }

    #[test]
    fn the_first_share_is_done_here_and_others_elsewhere() {
        let here = current().id();
        let at: Vec<ThreadId> = map_each(0..3, |_| current().id());
        assert_eq!(at[0], here);
        assert!(at[1] != here && at[2] != here && at[1] != at[2]);
        // Alone there is no other thread.
        assert_eq!(map_ranges(100, share_len(100, threads(1), 1), |_| current().id()), [here]);
        each(vec![(); 9], threads(1), || (), |(), ()| assert_eq!(current().id(), here));
    }

    #[test]
    fn shares_are_even_and_never_empty() {
        assert_eq!(share_len(100, threads(3), 1), 34);
        assert_eq!(share_len(100, threads(3), 64), 64);
        assert_eq!(share_len(0, threads(3), 0), 1);
        assert_eq!(share_len(usize::MAX, threads(1), 1), usize::MAX);
        assert_eq!(map_ranges(3, usize::MAX, |range| range), vec![0..3]);
    }

    #[test]
    fn every_piece_is_done_once_by_whoever_is_free() {
        let done: Vec<AtomicUsize> = (0..500).map(|_| AtomicUsize::new(0)).collect();
        let states = AtomicUsize::new(0);
        let state = || states.fetch_add(1, Ordering::Relaxed);
        each(done.iter().collect(), threads(4), state, |_, slot: &AtomicUsize| {
            slot.fetch_add(1, Ordering::Relaxed);
        });
        assert!(done.iter().all(|slot| slot.load(Ordering::Relaxed) == 1));
        assert_eq!(states.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn a_panic_goes_on_with_its_own_message() {
        let message = |run: &(dyn Fn() + Sync)| {
            let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("it panics");
            panic.downcast_ref::<&str>().map(|text| (*text).to_owned())
        };
        let odd = |at: usize| assert!(at != 1, "the second");
        assert_eq!(message(&|| drop(map_each(0..3, odd))).as_deref(), Some("the second"));
        let queue = || each(vec![1], threads(4), || (), |(), at| odd(at));
        assert_eq!(message(&queue).as_deref(), Some("the second"));
        let here = current().id();
        let elsewhere = || beside(1, || assert!(current().id() == here, "elsewhere"), || ());
        assert_eq!(message(&elsewhere).as_deref(), Some("elsewhere"));
    }
}
