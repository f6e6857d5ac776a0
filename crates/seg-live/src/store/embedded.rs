//! The store that needs nothing but a folder: fjall, a log-structured merge tree.
//!
//! Every commit is one batch over all tables, written to the journal and synced. Memtables are
//! small and keyspaces few, which keeps the journal, and so the time to open it, short: a
//! keyspace that is not flushed keeps its journals.

use super::{EachRow, Store, StoreError};
use crate::commit::{Table, Write};
use crate::outbox::Outbox;
use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use std::collections::BTreeMap;
use std::path::Path;

const MEMTABLE_BYTES: u64 = 8 << 20;
/// The least that fjall takes.
const JOURNAL_BYTES: u64 = 64 << 20;
/// People are held in memory by whoever judges them.
const CACHE_BYTES: u64 = 32 << 20;
/// What the keyspaces of changes begin with, before the day.
const OUT: &str = "out-";
/// The tables that there are once.
const TABLES: [Table; 5] = [Table::Meta, Table::Ids, Table::People, Table::Base, Table::Tail];

/// A store in a folder. One process may have it open at a time.
pub struct Embedded {
    database: Database,
    /// Those of all tables but the changes.
    keyspaces: BTreeMap<Table, Keyspace>,
    outbox: Outbox,
}

impl Embedded {
    /// Opens the store of a folder, or makes one.
    ///
    /// # Errors
    /// A folder that cannot be read or written, is damaged, or that another process has open.
    pub fn open(folder: &Path) -> Result<Embedded, StoreError> {
        let failed = |error| {
            let what = format!("the store in {} cannot be opened", folder.display());
            match error {
                fjall::Error::Locked => StoreError::new(format!("{what}: another process has it open; end that first")),
                fjall::Error::Io(why) => StoreError::of(&what, why),
                other => StoreError::of(&what, other),
            }
        };
        let builder = Database::builder(folder).cache_size(CACHE_BYTES).max_journaling_size(JOURNAL_BYTES);
        let database = builder.worker_threads(1).open().map_err(failed)?;
        let outbox = Outbox::new(database.clone());
        let mut store = Embedded { database, keyspaces: BTreeMap::new(), outbox };
        for table in TABLES {
            store.keyspace(table)?;
        }
        for name in store.database.list_keyspace_names() {
            if let Some(day) = name.strip_prefix(OUT).and_then(|day| day.parse().ok()) {
                store.keyspace(Table::Out(day))?;
            }
        }
        Ok(store)
    }

    /// The changes, to be read by other threads while more are committed.
    pub fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// The keyspace of a table, which is made where there is none.
    fn keyspace(&mut self, table: Table) -> Result<Keyspace, StoreError> {
        let known = match table {
            Table::Out(day) => self.outbox.day(day),
            Table::Meta | Table::Ids | Table::People | Table::Base | Table::Tail => self.keyspaces.get(&table).cloned(),
        };
        if let Some(keyspace) = known {
            return Ok(keyspace);
        }
        let options = || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(MEMTABLE_BYTES)
                .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
        };
        let keyspace = self.database.keyspace(&name(table), options);
        let keyspace = keyspace.map_err(|error| StoreError::of("a table cannot be opened", error))?;
        match table {
            Table::Out(day) => self.outbox.add(day, keyspace.clone()),
            Table::Meta | Table::Ids | Table::People | Table::Base | Table::Tail => {
                self.keyspaces.insert(table, keyspace.clone());
            }
        }
        Ok(keyspace)
    }
}

/// The name of the keyspace of a table.
fn name(table: Table) -> String {
    match table {
        Table::Meta => "meta".to_owned(),
        Table::Ids => "ids".to_owned(),
        Table::People => "person".to_owned(),
        Table::Base => "base".to_owned(),
        Table::Tail => "tail".to_owned(),
        Table::Out(day) => format!("{OUT}{day}"),
    }
}

impl Store for Embedded {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        // Rows of one batch have one number, so that of two with one key neither is the later.
        let mut last: BTreeMap<(Table, &[u8]), Option<&[u8]>> = BTreeMap::new();
        for Write { table, key, value } in writes {
            last.insert((*table, key), value.as_deref());
        }
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for ((table, key), value) in last {
            let keyspace = self.keyspace(table)?;
            match value {
                Some(value) => batch.insert(&keyspace, key, value),
                None => batch.remove(&keyspace, key),
            }
        }
        batch.commit().map_err(|error| StoreError::of("what came in cannot be written", error))
    }

    fn read(&self, each: &mut EachRow<'_>) -> Result<(), StoreError> {
        for table in TABLES {
            for row in self.keyspaces.get(&table).into_iter().flat_map(Keyspace::iter) {
                let (key, value) =
                    row.into_inner().map_err(|error| StoreError::of("the store cannot be read", error))?;
                each(table, &key, &value);
            }
        }
        Ok(())
    }

    fn changes_from(&self, seq: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.outbox.changes_from(seq, limit)
    }

    fn drop_changes_before(&mut self, day: i32) -> Result<(), StoreError> {
        for keyspace in self.outbox.take_before(day) {
            let failed = |error| StoreError::of("old changes cannot be taken away", error);
            self.database.delete_keyspace(keyspace).map_err(failed)?;
        }
        Ok(())
    }
}
