//! Batches in which an attribute's history stands in place of its value.

use arrow_array::{
    Array, ArrayRef, Float64Array, ListArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{Field, Fields};
use seg::{Batch, Program, Project, Settings, Timestamp, Zone};
use seg_tests::{engines, schema_text};
use std::sync::Arc;

fn now() -> Timestamp {
    Timestamp::parse("2026-06-01T12:00:00Z", None).expect("an instant")
}

fn program(sentence: &str) -> Program {
    let settings = Settings { zone: Some(Zone::UTC), ..Settings::default() };
    let text = format!("segment \"a\" include people whose {sentence}");
    let project = Project::from_text(&schema_text("histories"), [("a.seg", text.as_str())], settings);
    seg::compile(&project).unwrap_or_else(|e| panic!("{e}"))
}

/// Scores of three people, two changes each, so many days before now.
fn records(days: [i64; 6], scores: &[Option<f64>; 6], value: &str, nulls: Option<NullBuffer>) -> RecordBatch {
    let times = days.map(|n| now().0 - n * 86_400_000_000);
    let times = TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC");
    let scores = Float64Array::from(scores.to_vec());
    let columns: Vec<ArrayRef> = vec![Arc::new(times), Arc::new(scores)];
    let fields = ["time", value].into_iter().zip(&columns).map(|(n, c)| Field::new(n, c.data_type().clone(), true));
    let rows = StructArray::new(fields.collect::<Fields>(), columns.clone(), None);
    let item = Arc::new(Field::new("item", rows.data_type().clone(), true));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(vec![0, 2, 4, 6]));
    let list = ListArray::new(item, offsets, Arc::new(rows), nulls);
    let ids = StringArray::from(vec!["ann", "ben", "cleo"]);
    let columns = [("profile_id", Arc::new(ids) as ArrayRef), ("score", Arc::new(list) as ArrayRef)];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).expect("columns of one length")
}

const DAYS: [i64; 6] = [5, 0, 5, -1, 3, 2];
const SCORES: [Option<f64>; 6] = [Some(1.0), Some(2.0), Some(3.0), Some(1.0), Some(4.0), None];

fn members(records: RecordBatch) -> Vec<String> {
    members_of("score is at least 2", records)
}

fn members_of(sentence: &str, records: RecordBatch) -> Vec<String> {
    let program = program(sentence);
    let batch = Batch::new(Arc::clone(program.schema()), records).expect("a batch");
    let mut answers = engines().into_iter().map(|engine| {
        let mask = engine.evaluate(&program, &batch, now()).remove(0);
        (engine.name(), mask.rows().map(|row| batch.id(row).to_owned()).collect::<Vec<_>>())
    });
    let (_, first) = answers.next().expect("an engine");
    answers.for_each(|(name, found)| assert_eq!(found, first, "{name}"));
    first
}

#[test]
fn the_value_is_the_one_set_last() {
    // Ann's changes at this instant, Ben's tomorrow, Cleo's was cleared.
    assert_eq!(members(records(DAYS, &SCORES, "value", None)), ["ann", "ben"]);
    // A null list has no value, though the list lies over somebody's changes.
    let nulls = Some(NullBuffer::from(vec![false, true, true]));
    assert_eq!(members(records(DAYS, &SCORES, "value", nulls)), ["ben"]);
}

#[test]
fn violations_are_refused_by_name() {
    let refusal = |records| {
        let program = program("score is at least 2");
        let batch = Batch::new(Arc::clone(program.schema()), records).expect("a batch");
        program.prepare().check(&batch).expect_err("refused").to_string()
    };
    let turned = records([0, 5, 5, -1, 3, 2], &SCORES, "value", None);
    assert_eq!(refusal(turned), "column `score.time` has times that do not ascend");
    let unnamed = records(DAYS, &SCORES, "was", None);
    assert_eq!(refusal(unnamed), "column `score.value` is missing");
}

/// Being without a value is a stretch like another, and what ends it a change; the first
/// value that is known is none, and neither is one that is the same again.
#[test]
fn a_value_that_is_cleared_has_changed() {
    let days = [5, 2, 5, 2, 5, 2];
    let scores = [Some(1.0), None, None, Some(1.0), Some(1.0), Some(1.0)];
    let of = |text: &str, nulls| members_of(text, records(days, &scores, "value", nulls));
    assert_eq!(of("score changed", None), ["ann"]);
    assert_eq!(of("score changed to missing in the past 2 days", None), ["ann"]);
    assert_eq!(of("score has been missing for at least 2 days", None), ["ann"]);
    assert_eq!(of("score was missing at any time in the past 3 days", None), ["ann", "ben"]);
    assert_eq!(of("score has been 1 for 5 days or more", None), ["cleo"]);
    let nulls = Some(NullBuffer::from(vec![false, true, true]));
    assert_eq!(of("score has been missing for at least 9 days", nulls), ["ann"]);
}

/// A value that is no history fits as well: it holds whatever the instant.
#[test]
fn a_plain_column_is_a_value_for_ever() {
    let ids = StringArray::from(vec!["ann", "ben", "cleo"]);
    let scores = Float64Array::from(vec![Some(2.0), Some(1.0), None]);
    let columns = [("profile_id", Arc::new(ids) as ArrayRef), ("score", Arc::new(scores) as ArrayRef)];
    let records = RecordBatch::try_from_iter(columns).expect("columns");
    assert_eq!(members(records.clone()), ["ann"]);
    assert_eq!(members_of("score has been at least 2 for at least 900 days", records.clone()), ["ann"]);
    assert_eq!(members_of("score was missing at any time in the past 1 day", records.clone()), ["cleo"]);
    assert_eq!(members_of("score changed", records), [""; 0]);
}
