//! What a step makes known, in one piece.

use crate::change::Change;

/// Rows that are written together or not at all, and what becomes known with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// What is written, of rows with one key the last.
    pub writes: Vec<Write>,
    /// The changes, ascending by `seq`. They are among the rows, too.
    pub changes: Vec<Change>,
}

impl Commit {
    /// Adds a later commit, so that both are written together.
    pub fn join(&mut self, later: Commit) {
        self.writes.extend(later.writes);
        self.changes.extend(later.changes);
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    pub(crate) fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: Vec<u8>) {
        self.writes.push(Write { table, key: key.into(), value: Some(value) });
    }

    pub(crate) fn remove(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.writes.push(Write { table, key: key.into(), value: None });
    }
}

/// A row that is written or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Where.
    pub table: Table,
    /// Which row.
    pub key: Vec<u8>,
    /// What it holds from now on; nothing where it is removed.
    pub value: Option<Vec<u8>>,
}

/// The tables of a store. Numbers in keys are big-endian, so that rows are in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Single values by name: the clock, counters, names, segments, offsets of inputs.
    Meta,
    /// The text of an id to its number, with what is said of it and other ids.
    Ids,
    /// The number of the id that a person goes by to their memberships.
    People,
    /// The number of an id to its facts.
    Base,
    /// The number of an id and of an arrival to one fact that is behind those.
    Tail,
    /// The `seq` of a change to the change, by the day since 1970 on which it was committed.
    Out(i32),
}
