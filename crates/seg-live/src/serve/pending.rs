//! What was decided and is not on disk yet, between the thread that decides and the one that
//! writes.
//!
//! While one batch is synced the next collects. Replies are given when what they are for is
//! durable, and never if it could not be written.

use crate::commit::Commit;
use crate::error::LiveError;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Rows that wait at most; whoever decides waits beyond it.
const ROWS: usize = 100_000;

/// Who waits until records are durable.
pub(super) struct Reply {
    pub arrived: Instant,
    pub to: oneshot::Sender<()>,
    /// The room that the records take, if any, given back with this.
    pub _room: Option<OwnedSemaphorePermit>,
}

/// A batch that is written in one commit.
#[derive(Default)]
pub(super) struct Batch {
    pub commit: Commit,
    pub replies: Vec<Reply>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.commit.is_empty() && self.replies.is_empty()
    }
}

#[derive(Default)]
struct State {
    batch: Batch,
    /// Nothing comes any more.
    is_closed: bool,
    /// Nothing is written any more, and why.
    failure: Option<LiveError>,
    has_failed: bool,
}

/// The batch that collects.
#[derive(Default)]
pub(super) struct Pending {
    state: Mutex<State>,
    changed: Condvar,
}

impl Pending {
    /// Adds to the batch. Waits while there is too much; says whether it will be written.
    pub fn add(&self, commit: Commit, replies: Vec<Reply>) -> bool {
        let state = self.state();
        let is_full = |state: &mut State| state.batch.commit.writes.len() > ROWS && !state.has_failed;
        let mut state = self.changed.wait_while(state, is_full).unwrap_or_else(PoisonError::into_inner);
        if state.has_failed {
            return false;
        }
        state.batch.commit.join(commit);
        state.batch.replies.extend(replies);
        self.changed.notify_all();
        true
    }

    /// The whole batch, as soon as there is something; nothing when nothing comes any more.
    pub fn next(&self) -> Option<Batch> {
        let is_idle = |state: &mut State| state.batch.is_empty() && !state.is_closed;
        let mut state = self.changed.wait_while(self.state(), is_idle).unwrap_or_else(PoisonError::into_inner);
        let batch = std::mem::take(&mut state.batch);
        self.changed.notify_all();
        (!batch.is_empty()).then_some(batch)
    }

    /// Says that nothing comes any more.
    pub fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    /// Says that nothing is written any more.
    pub fn fail(&self, why: LiveError) {
        let mut state = self.state();
        state.failure.get_or_insert(why);
        (state.has_failed, state.is_closed) = (true, true);
        // Nobody is told that what waits was taken.
        state.batch = Batch::default();
        self.changed.notify_all();
    }

    /// Whether nothing is written any more.
    pub fn has_failed(&self) -> bool {
        self.state().has_failed
    }

    /// Why nothing is written any more.
    pub fn failure(&self) -> Option<LiveError> {
        self.state().failure.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two of its lines.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
