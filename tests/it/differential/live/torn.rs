//! The store on a real disk, of whose journal the end was not written, or written wrong.

use super::super::edges::Chance;
use seg_live::{Embedded, Store, Table, Write};
use std::collections::BTreeMap;
use std::path::Path;

/// Commits of a store, and damages of each of its journals.
const COMMITS: u64 = 30;
const DAMAGES: u64 = 40;

/// All rows of a store.
type Rows = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

fn rows(store: &Embedded) -> Rows {
    let mut rows = Rows::new();
    store.read(&mut |table, key, value| drop(rows.insert((table, key.to_vec()), value.to_vec()))).expect("rows");
    for (nth, row) in store.changes_from(0, usize::MAX).expect("changes").into_iter().enumerate() {
        rows.insert((Table::Out(0), nth.to_be_bytes().to_vec()), row);
    }
    rows
}

/// A commit of rows over several tables, some of which are there already and some of which are removed.
fn commit(nth: u64, chance: &mut Chance) -> Vec<Write> {
    let tables = [Table::Meta, Table::People, Table::Base, Table::Tail];
    let own = (0..1 + chance.below(6)).map(|_| {
        let value = vec![nth as u8; 1 + chance.below(300) as usize];
        let value = (chance.below(5) > 0).then_some(value);
        Write { table: tables[chance.below(4) as usize], key: vec![chance.below(12) as u8], value }
    });
    let mut writes: Vec<Write> = own.collect();
    writes.push(Write { table: Table::Out(7), key: nth.to_be_bytes().to_vec(), value: Some(vec![nth as u8; 20]) });
    writes
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copied(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

#[test]
fn a_torn_journal_holds_whole_commits_or_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut chance, mut states) = (Chance(41), Vec::new());
    let whole = folder.path().join("whole");
    let mut store = Embedded::open(&whole).expect("a store");
    states.push(rows(&store));
    for nth in 0..COMMITS {
        store.commit(&commit(nth, &mut chance)).expect("a commit");
        states.push(rows(&store));
    }
    drop(store);
    let last = states.len() - 1;
    assert_eq!(rows(&Embedded::open(&whole).expect("a store")), states[last], "what was committed is there");
    let (mut n_lost, mut n_refused) = (0, 0);
    for nth in 0..DAMAGES {
        let torn = folder.path().join(format!("torn-{nth}"));
        copied(&whole, &torn);
        let journal = torn.join("0.jnl");
        let mut bytes = std::fs::read(&journal).expect("a journal");
        // Behind what was written there may be room.
        let end = bytes.iter().rposition(|byte| *byte != 0).expect("something was written") + 1;
        let at = end - 1 - chance.below(end.min(3_000) as u64) as usize;
        match nth % 2 {
            0 => bytes.truncate(at),
            _ => bytes[at] ^= 0x55,
        }
        std::fs::write(&journal, bytes).expect("written");
        match Embedded::open(&torn) {
            Ok(store) => {
                let found = rows(&store);
                let state = states.iter().rposition(|state| *state == found);
                n_lost += u64::from(state.expect("the rows of so many commits, and of no part of one") < last);
            }
            Err(_) => n_refused += 1,
        }
    }
    println!("{n_lost} of {DAMAGES} journals had lost commits, {n_refused} were refused");
    assert!(n_lost > DAMAGES / 4, "{n_lost} of {DAMAGES} journals had lost a commit");
}
