//! A packed store answers as the files do, in the order in which they were packed, whatever
//! ended a packing and whatever happened to its bytes.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

mod chance;
mod days;

use chance::Chance;
use days::{Days, SCHEMA, at, batch, data, days_of, packing, people, put, schema, threads};
use seg_data::Schema;
use seg_io::manifest::Data;
use seg_io::store::{Change, Packed, forget, info, verify};
use seg_io::{LoadRequest, load};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

fn pack(dir: &Path, data: &Data, schema: &Arc<Schema>, append: bool) -> Packed {
    packing(dir, data, schema, append).expect("files").write(None).expect("a store")
}

fn days(chance: &mut Chance, n: usize, with_merges: bool) -> Days {
    let ids = ["1", "2", "7", "ann", "bob", "x", "12", "eve"].map(str::to_owned);
    days_of(chance, n, with_merges, (&ids, 1))
}

#[test]
fn a_store_that_was_added_to_is_the_files_together() {
    let mut chance = Chance(7);
    let (mut n_united, mut n_repeated, mut n_delta) = (0, 0, 0);
    for case in 0..140 {
        let (with_event_id, with_merges) = (case % 3 == 0, case % 2 == 0);
        let schema = schema(with_event_id);
        let rows = ["changes", "snapshots"][chance.below(2)];
        let (files, stored) = (data(rows, with_merges, false), data(rows, with_merges, true));
        let dir = tempfile::tempdir().expect("a directory");
        let n_days = 1 + chance.below(5);
        let mut days = days(&mut chance, n_days, with_merges);
        if case % 4 == 1 || case % 4 == 2 {
            // A base that is large beside what is added, so that nothing is put together.
            for n in 0..400 {
                let row = serde_json::json!({ "id": format!("p{n}"), "event": "Seen", "time": at(n % 20).to_string() });
                let _ = writeln!(days.events[0], "{row}");
            }
        }
        for day in 0..n_days {
            put(dir.path(), &days, day);
            let packed = pack(dir.path(), &stored, &schema, day > 0);
            n_delta += u32::from(day > 0 && !packed.is_whole);
            n_united += u32::from(day > 0 && packed.is_whole && case % 4 == 2);
            let from_files = load(LoadRequest::new(dir.path(), &files, &schema)).expect("files");
            n_repeated += u32::from(from_files.report.problems.iter().any(|p| p.kind.slug() == "repeated-event"));
            let (expected, found) = (people(&from_files.batch), people(&batch(dir.path(), &stored, &schema)));
            assert_eq!(found, expected, "case {case}, day {day}, {rows}, event ids {with_event_id}");
            assert_eq!((packed.n_people, packed.n_events), (expected.len() as u64, from_files.report.events));
        }
        let checked = verify(dir.path(), &stored, &schema, None, threads(2)).expect("sound");
        assert_eq!(checked, info(dir.path(), &stored).expect("a store"));
        assert!(packing(dir.path(), &stored, &schema, true).expect("a store").is_nothing());
    }
    // What never happens would prove little.
    assert!(n_united > 4 && n_repeated > 12 && n_delta > 80, "{n_united} {n_repeated} {n_delta}");
}

/// A store of one day with the files of another beside it.
fn two_days(dir: &Path) -> (Data, Arc<Schema>) {
    let mut chance = Chance(11);
    let (schema, data) = (schema(true), data("changes", true, true));
    let mut days = days(&mut chance, 2, false);
    for n in 0..300 {
        let row = serde_json::json!({ "id": format!("p{n}"), "event": "Seen", "time": at(n % 20).to_string() });
        let _ = writeln!(days.events[0], "{row}");
    }
    put(dir, &days, 0);
    pack(dir, &data, &schema, false);
    put(dir, &days, 1);
    (data, schema)
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("a file");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copied(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// Whatever change of the disk is the last one that is made, the store is the old one or the
/// new one, and can be packed again.
#[test]
fn an_end_at_any_change_of_the_disk_leaves_the_old_store_or_the_new_one() {
    for append in [true, false] {
        let dir = tempfile::tempdir().expect("a directory");
        let (data, schema) = two_days(dir.path());
        let before = people(&batch(dir.path(), &data, &schema));
        let mut n_changes = 0;
        let count = tempfile::tempdir().expect("a directory");
        copied(dir.path(), count.path());
        let mut watch = |_: Change<'_>| {
            n_changes += 1;
            Ok(())
        };
        packing(count.path(), &data, &schema, append).expect("files").write(Some(&mut watch)).expect("a store");
        let after = people(&batch(count.path(), &data, &schema));
        assert_ne!(before, after);
        let (mut n_old, mut n_new) = (0, 0);
        for last in 0..n_changes {
            let dir_of_case = tempfile::tempdir().expect("a directory");
            copied(dir.path(), dir_of_case.path());
            let (mut n, mut is_named) = (0, false);
            let mut watch = |change: Change<'_>| {
                n += 1;
                let is_made = n <= last;
                is_named |= is_made && change == Change::Rename("MANIFEST");
                if is_made { Ok(()) } else { Err(std::io::Error::other("no more room")) }
            };
            let packed = packing(dir_of_case.path(), &data, &schema, append).expect("files").write(Some(&mut watch));
            let found = people(&batch(dir_of_case.path(), &data, &schema));
            // The store is the new one as soon as its catalog has its name.
            assert_eq!(found == after, is_named, "after {last} of {n_changes} changes");
            assert!(found == after || found == before, "after {last} of {n_changes} changes");
            assert!(packed.is_err() || is_named, "after {last} of {n_changes} changes");
            if is_named {
                n_new += 1
            } else {
                n_old += 1
            }
            verify(dir_of_case.path(), &data, &schema, None, threads(1)).expect("sound");
            pack(dir_of_case.path(), &data, &schema, append);
            assert_eq!(people(&batch(dir_of_case.path(), &data, &schema)), after, "after {last} changes");
            // Nothing is left of what was begun.
            let names = std::fs::read_dir(dir_of_case.path().join("store")).expect("a folder");
            let names = names.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned());
            assert!(names.into_iter().all(|name| name != "MANIFEST.tmp"));
        }
        assert!(n_old > 40 && n_new > 0, "{n_old} old, {n_new} new");
    }
}

/// 1,500 stores of which one byte of one file is another, or the end is missing.
#[test]
fn one_wrong_byte_is_damage() {
    let dir = tempfile::tempdir().expect("a directory");
    let (data, schema) = two_days(dir.path());
    pack(dir.path(), &data, &schema, true);
    let mut files = Vec::new();
    let mut open = vec![dir.path().join("store")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                open.push(path);
            } else if path.metadata().expect("a file").len() > 0 {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut chance = Chance(3);
    for case in 0..1_500 {
        let path = &files[case % files.len()];
        let bytes = std::fs::read(path).expect("read");
        let mut wrong = bytes.clone();
        let place = chance.below(wrong.len());
        if case % 10 == 9 {
            wrong.truncate(place);
        } else {
            wrong[place] ^= 1 << chance.below(8);
        }
        std::fs::write(path, &wrong).expect("written");
        let loaded = load(LoadRequest { is_mapped: case % 2 == 0, ..LoadRequest::new(dir.path(), &data, &schema) });
        let checked = verify(dir.path(), &data, &schema, None, threads(1));
        let name = path.display();
        // What only packing more reads is found by checking all.
        let of_packing = ["proofs", "records", "lines"].iter().any(|name| path.to_string_lossy().contains(name));
        assert!(of_packing || loaded.is_err(), "{name}: byte {place}");
        assert!(checked.is_err(), "{name}: byte {place}");
        if let Err(error) = loaded {
            let told = error.to_string();
            assert!(told.contains("damaged") || told.contains("version"), "{name}: {told}");
            assert!(told.contains("seg pack"), "{name}: {told}");
        }
        std::fs::write(path, &bytes).expect("written");
    }
    verify(dir.path(), &data, &schema, None, threads(2)).expect("sound again");
}

#[test]
fn a_store_is_refused_where_its_meaning_is_another() {
    let dir = tempfile::tempdir().expect("a directory");
    let (data, old) = two_days(dir.path());
    let told = |data: &Data, schema: &Arc<Schema>, zone: Option<&str>| {
        let zone = zone.and_then(seg_data::Zone::parse);
        let loaded = load(LoadRequest { zone, ..LoadRequest::new(dir.path(), data, schema) });
        let place = dir.path().join("store").display().to_string();
        loaded.err().map_or_else(String::new, |error| error.to_string().replace(&place, "store"))
    };
    let (schema, problems) = seg_data::schema::parse(&SCHEMA.replace("spent = \"money\"", "spent = \"number\""));
    assert!(problems.is_empty());
    let of_type = told(&data, &Arc::new(schema), None);
    let (schema, _) = seg_data::schema::parse(&SCHEMA.replace("page = ", "height = \"integer\"\npage = "));
    let of_property = told(&data, &Arc::new(schema), None);
    // What is no longer in the schema was packed and is not asked for.
    let (schema, _) = seg_data::schema::parse(&SCHEMA.replace("tags = \"list of text\"\n", ""));
    assert_eq!(told(&data, &Arc::new(schema), None), "");
    let of_ids = told(&data, &self::schema(false), None);
    let of_zone = told(&data, &old, Some("Europe/Berlin"));
    let none = Data { store: Some("nowhere".to_owned()), ..data.clone() };
    let nowhere = load(LoadRequest::new(dir.path(), &none, &old)).expect_err("no store").message;
    let people = Data { store: Some("people".to_owned()), ..data.clone() };
    let other = packing(dir.path(), &people, &old, false).err().expect("another folder").message;
    let mut rules = data.clone();
    rules.events[0].reading.trim = true;
    let of_rules = packing(dir.path(), &rules, &old, true).err().expect("other rules").message;
    std::fs::write(dir.path().join("events/00.ndjson"), "").expect("written");
    let of_file = packing(dir.path(), &data, &old, true).err().expect("another file").message;
    let held = packing(dir.path(), &data, &old, false).expect("files");
    let locked = packing(dir.path(), &data, &old, false).err().expect("held").message;
    drop(held);
    let all = [of_type, of_property, of_ids, of_zone, nowhere, other, of_rules, of_file, locked];
    insta::assert_snapshot!(all.join("\n"), @r"
    store: `spent` is number in the schema, and money in the store; `seg pack` packs the data again
    store: `height` of `Seen` is in the schema, and was not when the store was packed; `seg pack` packs the data again
    store: the event id is no longer in the schema, and was when the store was packed; `seg pack` packs the data again
    store: the time zone is `Europe/Berlin`, and the store was packed without one; `seg pack` packs the data again
    there is no store yet; `seg pack` makes it
    the folder holds `01.ndjson`, which is no part of a store; name another folder
    `[data]` says otherwise how files are read than when the store was packed; `seg pack` packs all of it again
    it has changed since it was packed; `seg pack` packs all files again
    somebody else changes this store right now; wait until that `seg` has ended
    ");
}

#[test]
fn who_is_forgotten_leaves_no_byte() {
    let dir = tempfile::tempdir().expect("a directory");
    let (data, schema) = (data("changes", true, true), schema(true));
    let people_rows = "{\"id\": \"secret-1\", \"country\": \"Atlantis\"}\n{\"id\": \"bob\", \"country\": \"DE\"}\n\
                       {\"id\": \"secret-2\", \"time\": \"2026-01-03T00:00:00Z\", \"plan\": \"orichalcum\"}\n\
                       {\"id\": \"secret-1\", \"time\": \"not a time\", \"plan\": \"free\"}\n";
    let events = "{\"id\": \"secret-2\", \"event\": \"Bought\", \"time\": \"2026-01-02T00:00:00Z\", \"title\": \"trident\", \"key\": \"t-1\"}\n\
                  {\"id\": \"bob\", \"event\": \"Bought\", \"time\": \"2026-01-04T00:00:00Z\", \"title\": \"fork\", \"key\": \"f-1\"}\n";
    let merges = "{\"from\": \"secret-2\", \"into\": \"secret-1\"}\n";
    for (kind, rows) in [("people", people_rows), ("events", events), ("merges", merges)] {
        std::fs::create_dir_all(dir.path().join(kind)).expect("a folder");
        std::fs::write(dir.path().join(kind).join("00.ndjson"), rows).expect("written");
    }
    pack(dir.path(), &data, &schema, false);
    let texts = ["secret-1", "secret-2", "Atlantis", "orichalcum", "trident", "t-1"];
    let found = |text: &str| {
        let (mut open, mut n) = (vec![dir.path().join("store")], 0);
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("a file").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let bytes = std::fs::read(&path).expect("read");
                    n += usize::from(bytes.windows(text.len()).any(|window| window == text.as_bytes()));
                }
            }
        }
        n
    };
    texts.iter().for_each(|text| assert!(found(text) > 0, "{text}"));
    let of = (dir.path(), &data, &schema);
    let ids = ["secret-2".to_owned(), "nobody".to_owned()];
    let forgotten = forget(of, None, &ids, threads(2), None).expect("a store");
    assert_eq!((forgotten.n_people, forgotten.n_events, forgotten.unknown), (1, 1, vec!["nobody".to_owned()]));
    texts.iter().for_each(|text| assert_eq!(found(text), 0, "{text}"));
    let left = people(&batch(dir.path(), &data, &schema));
    assert_eq!(left.len(), 1);
    assert!(left[0].starts_with("bob") && left[0].contains("fork"), "{left:?}");
    verify(dir.path(), &data, &schema, None, threads(1)).expect("sound");
    // Who was there before goes on as before.
    std::fs::write(dir.path().join("people/01.ndjson"), "{\"id\": \"bob\", \"time\": \"\", \"plan\": \"pro\"}\n")
        .expect("written");
    pack(dir.path(), &data, &schema, true);
    let left = people(&batch(dir.path(), &data, &schema));
    assert!(left.len() == 1 && left[0].contains("pro") && !left[0].contains("DE"), "{left:?}");
    let nobody = forget(of, None, &["nobody".to_owned()], threads(1), None).expect("a store");
    assert_eq!((nobody.n_people, nobody.unknown.len()), (0, 1));
}
