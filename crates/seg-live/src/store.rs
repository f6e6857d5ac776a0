//! Where commits become durable.

mod embedded;

pub use embedded::Embedded;

use crate::commit::{Table, Write};
use std::fmt;

/// Changes are kept for so many days after they were written.
pub(crate) const KEPT_DAYS: i64 = 7;

/// Takes rows, one after another: their table, key and value.
pub type EachRow<'r> = dyn FnMut(Table, &[u8], &[u8]) + 'r;

/// Keeps rows. What it is given together is there together or not at all, whenever the
/// process or the machine ends.
pub trait Store {
    /// Writes rows, of those with one key the last, and returns when they are durable.
    ///
    /// # Errors
    /// Whatever goes wrong. Then nobody knows whether the rows are there, and it must not be
    /// tried again: a second sync may succeed without having written what the first lost.
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError>;

    /// Every row but those of [`Table::Out`], each table's ascending by key.
    ///
    /// # Errors
    /// What cannot be read.
    fn read(&self, each: &mut EachRow<'_>) -> Result<(), StoreError>;

    /// The changes from a `seq` on, ascending, as they were written: at most so many.
    ///
    /// # Errors
    /// What cannot be read.
    fn changes_from(&self, seq: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Takes away the changes of all days before one, counted from 1970.
    ///
    /// # Errors
    /// What the disk says.
    fn drop_changes_before(&mut self, day: i32) -> Result<(), StoreError>;
}

/// What a store could not do.
#[derive(Debug)]
pub struct StoreError {
    what: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// What it could not do, in words.
    pub fn new(what: impl Into<String>) -> StoreError {
        StoreError { what: what.into(), source: None }
    }

    pub(crate) fn of(what: &str, source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
        StoreError { what: what.to_owned(), source: Some(Box::new(source)) }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{}: {source}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as _)
    }
}
