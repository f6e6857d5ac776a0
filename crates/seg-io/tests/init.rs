//! What a first look at data finds, and how much of it is looked at.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use seg_data::Timestamp;
use seg_io::infer::{Proposal, RowsAre, Wishes, propose};
use seg_io::{ReadError, manifest};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

fn write(dir: &Path, name: &str, text: impl AsRef<[u8]>) {
    std::fs::write(dir.join(name), text).expect("written");
}

fn look(dir: &Path, file: &str, answer: Option<RowsAre>) -> Result<Proposal, ReadError> {
    let now = Timestamp::parse("2026-06-01T00:00:00Z", None);
    let wishes = Wishes { name: "x".into(), timezone: "UTC".into(), now, ..Wishes::default() };
    let proposal = propose(dir, &[file.to_owned()], &wishes, &mut |_| answer)?;
    assert_eq!(manifest::parse(&proposal.manifest).map(|m| m.name), Ok("x".into()), "{}", proposal.manifest);
    assert_eq!(seg_data::schema::parse(&proposal.schema).1, [], "{}", proposal.schema);
    Ok(proposal)
}

fn found(dir: &Path, file: &str) -> Proposal {
    look(dir, file, None).expect("a proposal")
}

#[track_caller]
fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "`{line}` in {text}");
    }
}

/// One value that is no time, or no row at all, makes no people of events.
#[test]
fn one_bad_value_changes_nothing_of_what_rows_are() {
    let dir = tempfile::tempdir().expect("a directory");
    let rows: String = (1..30).map(|n| format!("{n},Visit,2026-05-{n:02}T00:00:00Z\n")).collect();
    write(dir.path(), "e.csv", format!("user_id,event,time\n1,Visit,soon\n{rows}2\n"));
    let proposal = found(dir.path(), "e.csv");
    assert_eq!(proposal.findings[0], "e.csv: 30 events; person in `user_id`, event in `event`, time in `time`");
    has(
        &proposal.manifest,
        &["[data.events]\nfiles = [\"e.csv\"]\nid = \"user_id\"\nevent = \"event\"\ntime = \"time\""],
    );
}

/// People come once; who comes again and again with a time did something, or was something.
#[test]
fn what_rows_are_is_asked_where_nobody_can_see_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let rows = "user_id,time,plan\na,2026-05-01,pro\nb,2026-05-02,free\n";
    write(dir.path(), "log.csv", rows);
    // Each once: people.
    has(&found(dir.path(), "log.csv").manifest, &["[data.profiles]\nfiles = [\"log.csv\"]\nid = \"user_id\""]);
    write(dir.path(), "log.csv", format!("{rows}a,2026-05-03,free\n"));
    let events = look(dir.path(), "log.csv", Some(RowsAre::Events)).expect("a proposal");
    has(
        &events.manifest,
        &["[data.events]\nfiles = [\"log.csv\"]\nid = \"user_id\"\n", "name = \"Log\"\ntime = \"time\""],
    );
    let people = look(dir.path(), "log.csv", Some(RowsAre::People)).expect("a proposal");
    has(&people.manifest, &["[data.profiles]\nfiles = [\"log.csv\"]\nid = \"user_id\"\ntime = \"time\""]);
    assert!(!people.schema.contains("time ="), "{}", people.schema);
    // Nobody answers: nothing is guessed, and what to add is said, as lines of TOML.
    let error = look(dir.path(), "log.csv", None).expect_err("nothing is left");
    has(
        &error.message,
        &[
            "log.csv: passed over, for its rows may be events or what people were at a time",
            "for events add to seg.toml `[data.events]` with `files = [\"log.csv\"]`, `id = \"user_id\"`, `name = \"Log\"` \
             and `time = \"time\"`",
            "for people `[data.profiles]` with `files`, `id` and `time`",
        ],
    );
    // Other files are proposed all the same.
    write(dir.path(), "people.csv", "user_id,plan\na,pro\n");
    let others = found(dir.path(), "*.csv");
    assert!(others.findings.iter().any(|finding| finding.starts_with("log.csv: passed over")), "{:?}", others.findings);
    assert!(!others.manifest.contains("log.csv"), "{}", others.manifest);
}

#[test]
fn a_file_of_nobody_says_what_it_has_and_what_to_add() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "x.csv", "shop,,sum\nweb,1,2\n");
    let error = look(dir.path(), "x.csv", None).expect_err("nobody");
    let expected = "x.csv: passed over, for no column looks like a person's id: it has `shop`, `sum`; if one is, add \
                    `[data.profiles]` to seg.toml with `files` and `id`, or `[data.events]` with `event` and `time` too";
    assert_eq!(error.message, expected);
}

#[test]
fn columns_of_people_have_many_names() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["user", "User ID", "userId", "uid", "customer", "member-id", "contact", "visitor_id", "distinct_id"] {
        write(dir.path(), "e.csv", format!("{name},event,time\na,Visit,2026-05-01\nb,Visit,2026-05-02\n"));
        has(&found(dir.path(), "e.csv").manifest, &[&format!("id = \"{name}\"\nevent = \"event\"\ntime = \"time\"")]);
    }
    // An id is one before a name that may be one.
    write(dir.path(), "e.csv", "user,user_id,event,time\nAnn,a,Visit,2026-05-01\n");
    has(&found(dir.path(), "e.csv").manifest, &["id = \"user_id\""]);
}

#[test]
fn analytics_calls_are_known() {
    let dir = tempfile::tempdir().expect("a directory");
    let calls = "{\"type\":\"identify\",\"userId\":\"a\",\"traits\":{\"plan\":\"pro\",\"address\":{\"city\":\"Rom\"}},\"timestamp\":\"2026-05-01T00:00:00Z\",\"messageId\":\"1\"}\n\
                 {\"type\":\"track\",\"anonymousId\":\"d\",\"event\":\"Order Completed\",\"properties\":{\"total\":9.5},\"timestamp\":\"2026-05-02T00:00:00Z\",\"messageId\":\"2\"}\n\
                 {\"type\":\"page\",\"anonymousId\":\"d\",\"properties\":{\"path\":\"/\"},\"timestamp\":\"2026-05-03T00:00:00Z\",\"messageId\":\"3\"}\n";
    write(dir.path(), "c.ndjson", calls);
    let proposal = found(dir.path(), "c.ndjson");
    assert_eq!(proposal.findings[0], "c.ndjson: 3 analytics calls, 2 of them events");
    has(&proposal.manifest, &["[data.calls]\nfiles = [\"c.ndjson\"]\n"]);
    assert!(!proposal.manifest.contains("[data.events]") && !proposal.manifest.contains("[data.profiles]"));
    has(
        &proposal.schema,
        &[
            "plan = \"text\"",
            "\"address.city\" = \"text\"",
            "[events.\"Order Completed\"]",
            "total = \"money\"",
            "[events.page]",
        ],
    );
    assert_eq!(proposal.last_event, Timestamp::parse("2026-05-03T00:00:00Z", None));
    // One of another type, and they are none.
    write(dir.path(), "o.ndjson", calls.replace("\"page\"", "\"order\""));
    assert!(!look(dir.path(), "o.ndjson", None).is_ok_and(|proposal| proposal.manifest.contains("calls")));
}

/// Events of a large file: a line each, so that there are more than are looked at.
fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).map(line).collect()
}

/// The beginning of a file of texts is looked at, and where it is not packed its end, which says
/// how far it reaches.
#[test]
fn of_a_large_file_of_texts_the_beginning_is_looked_at() {
    let dir = tempfile::tempdir().expect("a directory");
    let filler = "x".repeat(1_000);
    let time = |n: usize| if n < 39_990 { "2026-01-01T00:00:00Z" } else { "2026-05-31T00:00:00Z" };
    let text = lines(40_000, |n| format!("{n},Visit,{},{filler}\n", time(n)));
    let text = format!("user_id,event,time,note\n{text}");
    write(dir.path(), "e.csv", &text);
    let json = lines(40_000, |n| {
        format!("{{\"user_id\":{n},\"event\":\"Visit\",\"time\":\"{}\",\"note\":\"{filler}\"}}\n", time(n))
    });
    write(dir.path(), "e.ndjson", json);
    for file in ["e.csv", "e.ndjson"] {
        let proposal = found(dir.path(), file);
        let finding = &proposal.findings[0];
        has(finding, &[" events in its first 31 MB, and nothing behind them was looked at; person in `user_id`"]);
        assert_eq!(proposal.last_event, Timestamp::parse("2026-05-31T00:00:00Z", None), "{file}");
        has(&proposal.schema, &["note = \"text\""]);
    }
    // Of a packed file nobody knows how far it reaches, so nothing is made of it.
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).expect("packed");
    write(dir.path(), "e.csv.gz", packed.finish().expect("packed"));
    let proposal = found(dir.path(), "e.csv.gz");
    assert_eq!((proposal.last_event, proposal.manifest.contains("at = ")), (None, false), "{}", proposal.manifest);
    // An array has no end where it is cut.
    let array = lines(40_000, |n| {
        let begin = if n == 0 { "[" } else { "," };
        format!("{begin}{{\"user_id\":{n},\"event\":\"Visit\",\"time\":\"{}\",\"note\":\"{filler}\"}}\n", time(n))
    });
    write(dir.path(), "e.json", format!("{array}]"));
    has(&found(dir.path(), "e.json").manifest, &["files = [\"e.json\"]\nid = \"user_id\""]);
}

#[test]
fn of_a_large_parquet_file_the_first_rows_and_the_footer_are_looked_at() {
    let dir = tempfile::tempdir().expect("a directory");
    let n = 250_000;
    let texts = |text: &str| Arc::new(StringArray::from(vec![text; n])) as ArrayRef;
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values((0..n).map(|at| at.to_string())));
    let times = arrow_array::TimestampMicrosecondArray::from_iter_values((0..n as i64).map(|at| at * 60_000_000));
    let columns =
        vec![("user_id", ids), ("event", texts("Visit")), ("time", Arc::new(times.with_timezone("UTC")) as ArrayRef)];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let file = std::fs::File::create(dir.path().join("e.parquet")).expect("a file");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    let proposal = found(dir.path(), "e.parquet");
    let expected = "e.parquet: 250000 events, of which the first 200000 were looked at; person in `user_id`, event in \
                    `event`, time in `time`";
    assert_eq!(proposal.findings[0], expected);
    assert_eq!(proposal.last_event, Some(Timestamp((n as i64 - 1) * 60_000_000)));
}
