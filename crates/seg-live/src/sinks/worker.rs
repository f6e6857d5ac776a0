//! The thread of a sink, and what it shares with others.

use super::SinkState;
use super::parcel::{Next, Outcome, Parcel, Receiver, next_parcel};
use super::schedule::{Chance, Schedule};
use crate::clock::machine_now;
use crate::outbox::Outbox;
use crate::store::StoreError;
use seg::Timestamp;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Changes that are looked at together, of which a sink may want few.
const ROWS: usize = 1_000;

/// What the threads of all sinks are told.
#[derive(Default)]
pub(crate) struct Told {
    state: Mutex<ToldState>,
    changed: Condvar,
}

#[derive(Default)]
struct ToldState {
    /// The last change that is durable.
    durable: u64,
    is_stopping: bool,
    n_working: usize,
}

impl Told {
    pub fn tell(&self, seq: u64) {
        let mut state = self.lock();
        if seq > state.durable {
            state.durable = seq;
            self.changed.notify_all();
        }
    }

    pub fn durable(&self) -> u64 {
        self.lock().durable
    }

    pub fn begin_worker(&self) {
        self.lock().n_working += 1;
    }

    pub fn end_worker(&self) {
        let mut state = self.lock();
        state.n_working = state.n_working.saturating_sub(1);
        self.changed.notify_all();
    }

    pub fn stop(&self, deadline: Duration) {
        let mut state = self.lock();
        state.is_stopping = true;
        self.changed.notify_all();
        let wait = self.changed.wait_timeout_while(state, deadline, |state| state.n_working > 0);
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }

    fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    /// Waits until something after a change is durable, and says what the last is; nothing where
    /// all were to end before.
    fn wait_beyond(&self, cursor: u64) -> Option<u64> {
        let state = self.lock();
        let waits = |state: &mut ToldState| state.durable <= cursor && !state.is_stopping;
        let state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        (state.durable > cursor).then_some(state.durable)
    }

    /// Waits so long, or until all are to end, and says whether they are not.
    fn pause(&self, wait: Duration) -> bool {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, wait, |state| !state.is_stopping);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_stopping
    }

    // Numbers are whole whatever became of who held them.
    fn lock(&self) -> MutexGuard<'_, ToldState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread of a sink lets others see.
#[derive(Default)]
pub(crate) struct Progress {
    cursor: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Debug, Clone, Default)]
struct Seen {
    error: Option<String>,
    failing_since: Option<Timestamp>,
    n_retries: u64,
    n_gaps: u64,
    is_stopped: bool,
}

impl Progress {
    pub fn after(cursor: u64) -> Progress {
        Progress { cursor: AtomicU64::new(cursor), seen: Mutex::default() }
    }

    pub fn cursor(&self) -> u64 {
        self.cursor.load(Ordering::Acquire)
    }

    pub fn state(&self, name: &str, durable: u64) -> SinkState {
        let Seen { error, failing_since, n_retries, n_gaps, is_stopped } = self.seen().clone();
        let (name, delivered) = (name.to_owned(), self.cursor());
        let n_waiting = durable.saturating_sub(delivered);
        SinkState { name, delivered, n_waiting, error, failing_since, n_retries, n_gaps, is_stopped }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, why: String, now: Timestamp) {
        let mut seen = self.seen();
        seen.error = Some(why);
        seen.failing_since.get_or_insert(now);
    }

    fn succeed(&self, parcel: Option<&Parcel>, until: u64) {
        let mut seen = self.seen();
        (seen.error, seen.failing_since) = (None, None);
        seen.n_gaps += u64::from(matches!(parcel, Some(Parcel::Gap(..))));
        self.cursor.store(until, Ordering::Release);
    }
}

/// A sink in its thread.
pub(crate) struct Worker {
    pub segments: BTreeSet<String>,
    pub outbox: Outbox,
    pub told: Arc<Told>,
    pub progress: Arc<Progress>,
    pub receiver: Box<dyn Receiver>,
    pub schedule: Schedule,
    pub chance: Chance,
}

/// Says that a worker has ended, however it did.
struct Ending<'t>(&'t Told);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end_worker();
    }
}

impl Worker {
    /// Sends until nobody wants more.
    pub fn run(mut self) {
        let told = Arc::clone(&self.told);
        let _ending = Ending(&told);
        let mut n_failures = 0;
        while let Some(durable) = told.wait_beyond(self.progress.cursor()) {
            match self.next(durable) {
                Ok(next) => {
                    n_failures = 0;
                    if !self.send(&next) {
                        return;
                    }
                }
                Err(error) => {
                    n_failures += 1;
                    self.progress.fail(error.to_string(), machine_now());
                    if told.is_stopping() || !told.pause(self.schedule.wait(n_failures, None, self.chance.next())) {
                        return;
                    }
                }
            }
        }
    }

    fn next(&self, durable: u64) -> Result<Next, StoreError> {
        let cursor = self.progress.cursor();
        let rows = self.outbox.rows_from(cursor.saturating_add(1), ROWS)?;
        next_parcel(rows, (cursor, durable), (self.receiver.changes_max(), &self.segments))
    }

    /// Hands what comes next over, as often as it takes. Says whether to go on.
    fn send(&mut self, next: &Next) -> bool {
        let mut n_failures = 0;
        while let Some(parcel) = &next.parcel {
            match self.receiver.hand_over(parcel) {
                Outcome::Taken => break,
                Outcome::Failed(why, asked) => {
                    n_failures += 1;
                    self.progress.fail(why, machine_now());
                    let wait = self.schedule.wait(n_failures, asked, self.chance.next());
                    if self.told.is_stopping() || !self.told.pause(wait) {
                        return false;
                    }
                    self.progress.seen().n_retries += 1;
                }
                Outcome::Unwanted(why) => {
                    self.progress.fail(why, machine_now());
                    self.progress.seen().is_stopped = true;
                    return false;
                }
            }
        }
        self.progress.succeed(next.parcel.as_ref(), next.until);
        true
    }
}
