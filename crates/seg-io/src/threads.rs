//! Work that several threads share.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};

/// Does each piece of work on one of so many threads, this one among them. The
/// last piece is begun first. Each thread has a `state` of its own.
pub(crate) fn each<T: Send, S>(
    work: Vec<T>,
    threads: NonZero<usize>,
    state: impl Fn() -> S + Sync,
    run: impl Fn(&mut S, T) + Sync,
) {
    let n_threads = threads.get().min(work.len());
    let work = Mutex::new(work);
    let run = || {
        let next = || work.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut state = state();
        while let Some(piece) = next() {
            run(&mut state, piece);
        }
    };
    std::thread::scope(|scope| {
        (1..n_threads).for_each(|_| drop(scope.spawn(run)));
        run();
    });
}
