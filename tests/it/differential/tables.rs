//! The people of a case by way of tables in memory: grouped as a whole, and as a stream of rows
//! sorted by person that is cut anywhere.

use super::{Case, now};
use proptest::prelude::*;
use seg::arrow_array::RecordBatch;
use seg::unstable::{Grouping, Stream};
use seg::{Batch, Mask, Options, Zone};
use seg_tests::{TestEngine, people_of_tables, sorted_columns, sorted_rows};
use std::sync::Arc;

/// Up to so many rows a stream is cut behind every one.
const ROWS_MAX: usize = 100;

/// A part of people of whom no row says since when a value holds.
#[test]
fn values_without_times_are_histories_too() -> Result<(), TestCaseError> {
    let people = [
        ", \"city\": \"a\", \"changes\": [], \"events\": []",
        ", \"changes\": [], \"events\": [{\"event\": \"Email Opened\", \"time\": \"1 day ago\"}]",
    ];
    let sentences = ["city is \"a\"", "city was known at any time", "city did not change more than 2 hours ago"];
    agrees(&Case::new(&people.map(str::to_owned), sentences.map(str::to_owned).to_vec())?)
}

/// Everybody is in what the reference says, whichever way they came.
pub fn agrees(case: &Case) -> Result<(), TestCaseError> {
    let (lines, zone) = (case.lines.join("\n"), Zone::parse("Europe/Berlin"));
    let n_together = 1 + case.lines.len() % 5;
    let tables = people_of_tables(&lines, case.program.schema(), (zone, now()), n_together);
    prop_assert!(tables.len() == case.batch.len(), "{} people in the tables", tables.len());
    let found = seg_tests::Native.evaluate(&case.program, &tables, now());
    compare(case, &tables, &found, "the tables")?;
    let rows = sorted_rows(&lines, now());
    let prepared = case.program.prepare();
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64 ^ rows.num_rows() as u64;
    // Cut behind every row, which takes long of many, and behind a few.
    for (cut_max, part_rows) in [(1, 1), (7, 20), (1_000, 64)] {
        if cut_max == 1 && rows.num_rows() > ROWS_MAX {
            continue;
        }
        let stream = Stream::new(&prepared, (now(), zone), sorted_columns(&rows), &Options::new());
        let mut stream = stream.with_part_rows(part_rows);
        let (mut at, mut n_people, mut n_parts) = (0, 0, 0);
        let mut parts = Vec::new();
        while at < rows.num_rows() {
            // A xorshift generator: where it is cut need only be irregular.
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            let n = (1 + chance as usize % cut_max).min(rows.num_rows() - at);
            parts.extend(stream.push(rows.slice(at, n)).map_err(|e| TestCaseError::fail(e.to_string()))?);
            at += n;
        }
        let (last, sums) = stream.finish().map_err(|e| TestCaseError::fail(e.to_string()))?;
        parts.extend(last);
        for (batch, evaluation) in &parts {
            compare(case, batch, evaluation.masks(), "the stream")?;
            n_people += batch.len();
            n_parts += 1;
        }
        prop_assert!(n_people == case.batch.len(), "{n_people} people in {n_parts} parts of the stream");
        prop_assert!(sums.report.profiles == n_people as u64, "{sums:?}");
        prop_assert!(n_parts > 1 || part_rows > rows.num_rows() / 2 || n_people == 1, "{n_parts} parts");
    }
    grouped(case, &rows, zone)
}

/// The people that rows make, written down without dictionaries, are the same people.
fn grouped(case: &Case, rows: &RecordBatch, zone: Option<Zone>) -> Result<(), TestCaseError> {
    let fail = |e: &dyn std::fmt::Display| TestCaseError::fail(e.to_string());
    let grouping = Grouping::new(&case.program, zone, sorted_columns(rows), &Options::new());
    let (mut grouping, mut parts) = (grouping.with_part_rows(400), Vec::new());
    for at in (0..rows.num_rows()).step_by(5) {
        let next = rows.slice(at, 5.min(rows.num_rows() - at));
        parts.extend(grouping.push(next).map_err(|e| fail(&e))?);
    }
    let schema = Arc::clone(grouping.schema());
    parts.extend(grouping.finish().map_err(|e| fail(&e))?.0);
    let mut n_people = 0;
    for part in parts {
        prop_assert!(part.schema() == schema, "one schema");
        let batch = Batch::new(Arc::clone(case.program.schema()), part).map_err(|e| fail(&e))?;
        let found = seg_tests::Native.evaluate(&case.program, &batch, now());
        compare(case, &batch, &found, "people that rows make")?;
        n_people += batch.len();
    }
    prop_assert!(n_people == case.batch.len(), "{n_people} people of rows");
    Ok(())
}

fn compare(case: &Case, batch: &Batch, found: &[Mask], way: &str) -> Result<(), TestCaseError> {
    for row in 0..batch.len() {
        let own = case.batch.row_of(batch.id(row)).expect("everybody is one of the case");
        for ((expected, found), name) in case.expected.iter().zip(found).zip(case.program.segment_names()) {
            let said = name.parse::<usize>().ok().and_then(|n| case.sentences.get(n)).map_or(name, String::as_str);
            let (expected, found, line) = (expected.get(own), found.get(row), &case.lines[own]);
            prop_assert!(expected == found, "{said}\n{line}\nthe reference says {expected}; {way} differs");
        }
    }
    Ok(())
}
