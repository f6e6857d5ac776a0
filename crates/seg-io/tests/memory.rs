//! Data that memory has no room for at once is the same data in parts, whatever its order.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

mod chance;
mod days;

use chance::Chance;
use days::{batch, data, days_of, packing, people, put, schema, threads};
use seg_data::{Batch, Schema};
use seg_io::manifest::Data;
use seg_io::store::{PackRequest, Packing, info, verify};
use seg_io::{LoadRequest, LoadedParts, Memory, Problem, load, load_in_parts};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

/// So little that events are put aside again and again, beside people who fit.
fn little(folder: &Path, bytes: u64) -> Memory<'_> {
    Memory { bytes, bytes_beside: 0, bytes_a_person: 0, folder }
}

fn request<'r>(dir: &'r Path, data: &'r Data, schema: &'r Arc<Schema>) -> LoadRequest<'r> {
    // Small pieces, so that it is looked often whether there is room.
    let piece_bytes = NonZero::new(2_000).expect("not zero");
    LoadRequest { threads: threads(2), piece_bytes, ..LoadRequest::new(dir, data, schema) }
}

/// Everybody in the order of rows, as the whole and as the parts have them.
fn in_parts(loaded: &LoadedParts) -> Vec<String> {
    let ids = |batch: &Batch| (0..batch.len()).map(|row| batch.id(row).to_owned()).collect::<Vec<_>>();
    let parts: Vec<Batch> = (0..loaded.n_parts()).map(|part| loaded.part(part).expect("a part")).collect();
    assert_eq!(parts.iter().flat_map(ids).collect::<Vec<_>>(), ids(&loaded.people));
    assert!(loaded.part(parts.len()).is_err());
    let mut all: Vec<String> = parts.iter().flat_map(people).collect();
    all.sort();
    all
}

fn crowd(n: usize) -> Vec<String> {
    (0..n).map(|at| if at % 3 == 0 { format!("{at}") } else { format!("p{at}") }).collect()
}

/// What was wrong, without the order in which it was met.
fn told(problems: &[Problem]) -> Vec<String> {
    let mut told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    told.sort();
    told
}

#[test]
fn data_in_parts_is_the_data_as_a_whole() {
    let mut chance = Chance(5);
    let ids = crowd(700);
    let (mut n_parts, mut n_refused) = (Vec::new(), 0);
    for case in 0..24 {
        let (with_event_id, with_merges) = (case % 3 == 0, case % 2 == 0);
        let schema = schema(with_event_id);
        let data = data(["changes", "snapshots"][chance.below(2)], with_merges, false);
        let dir = tempfile::tempdir().expect("a directory");
        let days = days_of(&mut chance, 4, with_merges, (&ids, 100));
        (0..4).for_each(|day| put(dir.path(), &days, day));
        let whole = load(request(dir.path(), &data, &schema)).expect("data");
        for kilobytes in [40, 200, 400, 900, 100_000] {
            let parts = load_in_parts(request(dir.path(), &data, &schema), little(dir.path(), kilobytes << 10));
            let parts = match parts {
                Ok(parts) => parts,
                // People are counted as well.
                Err(error) => {
                    assert!(error.to_string().contains("`--memory "), "{error}");
                    assert!(kilobytes < 400, "{error}");
                    n_refused += 1;
                    continue;
                }
            };
            assert_eq!(in_parts(&parts), people(&whole.batch), "case {case} in {kilobytes} kB");
            assert_eq!(parts.last_event, whole.last_event);
            let (own, of_whole) = (&parts.report, &whole.report);
            assert_eq!((own.rows, own.events, own.profiles), (of_whole.rows, of_whole.events, of_whole.profiles));
            assert_eq!(told(&own.problems), told(&of_whole.problems), "case {case} in {kilobytes} kB");
            assert!(kilobytes < 100_000 || parts.n_parts() == 1);
            n_parts.push(parts.n_parts());
        }
    }
    // What never happens would prove little.
    assert!(n_parts.iter().filter(|n| **n > 3).count() > 20, "{n_parts:?}");
    assert!(n_refused > 10 && n_refused < 40, "{n_refused}");
}

/// A store that is packed within little memory has parts, and is the store of the files:
/// read as a whole, part by part, and added to.
#[test]
fn a_store_packed_in_parts_is_the_store_of_the_files() {
    let mut chance = Chance(9);
    let ids = crowd(500);
    let mut n_several = 0;
    for case in 0..16 {
        let (with_event_id, with_merges) = (case % 4 == 0, case % 2 == 0);
        let schema = schema(with_event_id);
        let (files, stored) = (data("changes", with_merges, false), data("changes", with_merges, true));
        let dir = tempfile::tempdir().expect("a directory");
        let days = days_of(&mut chance, 5, with_merges, (&ids, 80));
        for day in 0..5 {
            put(dir.path(), &days, day);
            // The first three days are the base.
            if day < 2 {
                continue;
            }
            let bytes = [250, 500, 100_000][chance.below(3)] << 10;
            let packed = Packing::read(PackRequest {
                base: dir.path(),
                data: &stored,
                schema: &schema,
                zone: None,
                append: day > 2,
                threads: threads(2),
                memory: (case % 3 > 0 || day == 2).then(|| little(dir.path(), bytes)),
                progress: None,
            });
            packed.expect("files").write(None).expect("a store");
            let whole = people(&batch(dir.path(), &files, &schema));
            assert_eq!(people(&batch(dir.path(), &stored, &schema)), whole, "case {case}, day {day}");
            let parts = load_in_parts(request(dir.path(), &stored, &schema), little(dir.path(), 100 << 20));
            let parts = parts.expect("a store");
            assert_eq!(in_parts(&parts), whole, "case {case}, day {day}, {} parts", parts.n_parts());
            n_several += u32::from(parts.n_parts() > 1);
        }
        let checked = verify(dir.path(), &stored, &schema, None, threads(2)).expect("sound");
        assert_eq!(checked, info(dir.path(), &stored).expect("a store"));
        assert!(packing(dir.path(), &stored, &schema, true).expect("a store").is_nothing());
        assert!(load_in_parts(request(dir.path(), &stored, &schema), little(dir.path(), 1_000)).is_err());
    }
    assert!(n_several > 5, "{n_several}");
}

/// Where nothing can be put aside that is told, and nothing looks whole.
#[test]
fn a_folder_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let (schema, data) = (schema(false), data("changes", false, false));
    let days = days_of(&mut Chance(3), 2, false, (&crowd(300), 100));
    (0..2).for_each(|day| put(dir.path(), &days, day));
    let nowhere = dir.path().join("nowhere");
    let error =
        load_in_parts(request(dir.path(), &data, &schema), little(&nowhere, 200 << 10)).err().expect("no folder");
    assert!(error.to_string().contains("nowhere") && error.to_string().contains("put aside"), "{error}");
}
