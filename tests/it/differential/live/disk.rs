//! A disk that loses what was not synced, and fails.

use seg_live::{EachRow, Store, StoreError, Table, Write};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// When it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Nothing of the commit is there.
    BeforeWriting,
    /// All of it is there, and nobody was told.
    AfterWriting,
}

/// The table and the key of a row.
type Key = (Table, Vec<u8>);

/// A disk with a journal of whole commits.
#[derive(Default)]
pub struct Disk {
    rows: RefCell<BTreeMap<Key, Vec<u8>>>,
    next: Cell<Option<Crash>>,
}

impl Disk {
    pub fn crash_at_next(&self, crash: Crash) {
        self.next.set(Some(crash));
    }

    pub fn crash_no_more(&self) {
        self.next.set(None);
    }

    fn write(&self, writes: &[Write]) {
        let mut rows = self.rows.borrow_mut();
        for Write { table, key, value } in writes {
            match value {
                Some(value) => drop(rows.insert((*table, key.clone()), value.clone())),
                None => drop(rows.remove(&(*table, key.clone()))),
            }
        }
    }
}

/// The disk as a process has it: another one may have it later.
#[derive(Clone, Default)]
pub struct Mounted(pub Rc<Disk>);

impl Store for Mounted {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        match self.0.next.take() {
            None => {
                self.0.write(writes);
                Ok(())
            }
            Some(crash) => {
                if crash == Crash::AfterWriting {
                    self.0.write(writes);
                }
                Err(StoreError::new(format!("{crash:?}")))
            }
        }
    }

    fn read(&self, each: &mut EachRow<'_>) -> Result<(), StoreError> {
        for ((table, key), value) in &*self.0.rows.borrow() {
            if !matches!(table, Table::Out(_)) {
                each(*table, key, value);
            }
        }
        Ok(())
    }

    fn changes_from(&self, seq: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = self.0.rows.borrow();
        let out = rows.range((Table::Out(i32::MIN), Vec::new())..);
        let later = out.filter(|((_, key), _)| key.as_slice() >= seq.to_be_bytes().as_slice());
        Ok(later.take(limit).map(|(_, row)| row.clone()).collect())
    }

    fn drop_changes_before(&mut self, day: i32) -> Result<(), StoreError> {
        let is_kept = |(table, _): &Key| !matches!(table, Table::Out(of) if *of < day);
        self.0.rows.borrow_mut().retain(|key, _| is_kept(key));
        Ok(())
    }
}
