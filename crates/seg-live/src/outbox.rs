//! The changes of a store, for whoever sends them while more are committed.

use crate::store::StoreError;
use fjall::{Database, Keyspace, Readable};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The changes of an [`Embedded`](crate::Embedded) store: a handle that is cheap to clone, for
/// other threads than the one that commits. It sees what is committed later, of later days too.
#[derive(Clone)]
pub struct Outbox {
    database: Database,
    /// The rows of each day, counted from 1970: `seq`, big-endian, to the change.
    days: Arc<RwLock<BTreeMap<i32, Keyspace>>>,
}

impl Outbox {
    pub(crate) fn new(database: Database) -> Outbox {
        Outbox { database, days: Arc::default() }
    }

    /// The changes from a `seq` on, ascending, as they were written, an object in JSON each: at
    /// most so many. The first is a later one where those before it were dropped.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn changes_from(&self, seq: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = self.rows_from(seq, limit)?;
        Ok(rows.into_iter().map(|(_, change)| change).collect())
    }

    /// The same with the `seq` of each.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn rows_from(&self, seq: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let days: Vec<Keyspace> = self.read().values().cloned().collect();
        // All days as of one commit, so that none is missing between two that are there.
        let snapshot = self.database.snapshot();
        let mut rows = Vec::new();
        for day in days {
            for row in snapshot.range(&day, seq.to_be_bytes()..).take(limit - rows.len()) {
                let (key, value) = row.into_inner().map_err(unreadable)?;
                rows.push((seq_of(&key)?, value.to_vec()));
            }
        }
        Ok(rows)
    }

    /// The `seq` of the first change that is there.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn first_seq(&self) -> Result<Option<u64>, StoreError> {
        Ok(self.rows_from(0, 1)?.first().map(|(seq, _)| *seq))
    }

    /// The rows of a day, where there are any.
    pub(crate) fn day(&self, day: i32) -> Option<Keyspace> {
        self.read().get(&day).cloned()
    }

    pub(crate) fn add(&self, day: i32, rows: Keyspace) {
        self.write().insert(day, rows);
    }

    /// Takes away all days before one.
    pub(crate) fn take_before(&self, day: i32) -> Vec<Keyspace> {
        let mut days = self.write();
        let kept = days.split_off(&day);
        std::mem::replace(&mut *days, kept).into_values().collect()
    }

    // A map is whole between two insertions, whatever became of who held it.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<i32, Keyspace>> {
        self.days.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<i32, Keyspace>> {
        self.days.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn seq_of(key: &[u8]) -> Result<u64, StoreError> {
    let bytes = key.try_into().map_err(|_| StoreError::new("a change has no number"))?;
    Ok(u64::from_be_bytes(bytes))
}

fn unreadable(error: fjall::Error) -> StoreError {
    StoreError::of("changes cannot be read", error)
}
