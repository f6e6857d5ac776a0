//! The state and its store: what comes in is known when it is on disk.

use crate::change::Change;
use crate::commit::Commit;
use crate::core::Core;
use crate::error::LiveError;
use crate::limits::Limits;
use crate::store::{Store, StoreError};
use seg::unstable::io::facts::FactLine;
use seg::{Prepared, Timestamp};

/// Keeps memberships in a store.
///
/// Steps may run ahead of commits. Nothing that a step makes known leaves before it is durable,
/// and when a commit fails nothing is done any more.
pub struct Session<S> {
    core: Core,
    store: S,
    pending: Commit,
    has_failed: bool,
    /// What a session with a fault has acknowledged and not written.
    #[cfg(feature = "faults")]
    unwritten: Vec<crate::commit::Write>,
}

impl<S: Store> Session<S> {
    /// Goes on from what a store holds.
    ///
    /// # Errors
    /// A store that cannot be read, or holds something else.
    pub fn open(prepared: &Prepared, store: S, limits: Limits, instance: &str) -> Result<Session<S>, LiveError> {
        let core = Core::open(prepared, limits, instance, |each| Ok(store.read(each)?))?;
        Ok(Session {
            core,
            store,
            pending: Commit::default(),
            has_failed: false,
            #[cfg(feature = "faults")]
            unwritten: Vec::new(),
        })
    }

    /// The state, of which the last steps may not be durable.
    pub fn core(&self) -> &Core {
        &self.core
    }

    pub(crate) fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The store, for what does not touch the rows of commits.
    pub fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// The state and the store, for whoever writes commits while the next steps are made.
    pub fn into_parts(self) -> (Core, S) {
        (self.core, self.store)
    }

    /// Goes on with other segments, see [`Core::reload`].
    pub fn reload(&mut self, prepared: &Prepared) {
        self.core.reload(prepared);
    }

    /// Takes records that arrive at an instant; they are durable after the next
    /// [`Session::commit`].
    ///
    /// # Errors
    /// See [`LiveError`].
    pub fn step(&mut self, lines: &[FactLine], now: Timestamp) -> Result<(), LiveError> {
        self.check()?;
        let step = self.core.step(lines, now);
        self.join(step)
    }

    /// Judges at most so many people whose time has come.
    ///
    /// # Errors
    /// See [`LiveError`].
    pub fn turn(&mut self, now: Timestamp, limit: usize) -> Result<(), LiveError> {
        self.check()?;
        let turn = self.core.turn(now, limit);
        self.join(turn)
    }

    /// Notes how far an input was read, durable with the records before it.
    pub fn note_input(&mut self, name: &str, offset: u64) {
        self.core.note_input(name, offset);
    }

    /// Makes all steps durable, and gives the changes that are known by that.
    ///
    /// # Errors
    /// What the store says. Nothing is done after that.
    pub fn commit(&mut self) -> Result<Vec<Change>, LiveError> {
        self.check()?;
        let Commit { writes, changes } = std::mem::take(&mut self.pending);
        #[cfg(feature = "faults")]
        let writes = self.held_back(writes);
        if !writes.is_empty() {
            self.has_failed = true;
            self.store.commit(&writes)?;
            self.has_failed = false;
        }
        Ok(changes)
    }

    /// How many rows wait for a commit.
    pub fn n_pending(&self) -> usize {
        self.pending.writes.len()
    }

    /// Makes a mistake from now on.
    #[cfg(feature = "faults")]
    pub fn set_fault(&mut self, fault: crate::fault::Fault) {
        self.core.fault = Some(fault);
    }

    /// What a session writes that has a fault: what it acknowledged before.
    #[cfg(feature = "faults")]
    fn held_back(&mut self, writes: Vec<crate::commit::Write>) -> Vec<crate::commit::Write> {
        match self.core.fault {
            Some(crate::fault::Fault::AcknowledgedFirst) => std::mem::replace(&mut self.unwritten, writes),
            _ => writes,
        }
    }

    fn join(&mut self, commit: Result<Commit, LiveError>) -> Result<(), LiveError> {
        self.has_failed = commit.is_err();
        self.pending.join(commit?);
        Ok(())
    }

    fn check(&self) -> Result<(), LiveError> {
        match self.has_failed {
            true => Err(LiveError::Store(StoreError::new("a step or a commit has failed before"))),
            false => Ok(()),
        }
    }
}
