//! Data that comes through the standard input.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const SCHEMA: &str = "[attributes]\nplan = \"text\"\n[events.order]\nproperties = { amount = \"money\" }\n";
const SEGMENTS: &str = "segment \"Ordered\"\n    include people who did order ever\n\
                        segment \"Pro\"\n    include people whose plan is \"pro\"\n";
const EVENTS: &str = "[data.events]\nfiles = [\"-\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n";
const EVENT_ROWS: &str = "id,event,time,amount\nann,order,2026-05-01T00:00:00Z,5\nben,order,2026-05-02T00:00:00Z,6\n";

fn project(data: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = format!("name = \"t\"\ntimezone = \"UTC\"\nat = \"2026-06-01T00:00:00Z\"\n{data}");
    for (name, text) in [("seg.toml", settings.as_str()), ("schema.toml", SCHEMA), ("s.seg", SEGMENTS)] {
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    std::fs::create_dir(dir.path().join("tmp")).expect("a folder");
    dir
}

/// Runs `seg` with bytes in a pipe, and sees that no copy of them is left.
fn piped(dir: &Path, args: &[&str], bytes: &[u8]) -> Output {
    let temporary = dir.join("tmp");
    let mut child = Command::new(env!("CARGO_BIN_EXE_seg"))
        .args(args)
        .current_dir(dir)
        .env("TMPDIR", &temporary)
        .env("TMP", &temporary)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("seg runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    // Who does not read it closes it early.
    let _ = pipe.write_all(bytes);
    drop(pipe);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(std::fs::read_dir(temporary).expect("a folder").count(), 0, "a copy was left");
    output
}

fn told(output: &Output) -> String {
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).expect("UTF-8");
    text(&output.stdout) + &text(&output.stderr)
}

/// The members of both segments.
#[track_caller]
fn sizes(output: &Output) -> [u64; 2] {
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    [0, 1].map(|at| json["segments"][at]["members"].as_u64().unwrap_or_else(|| panic!("{}", told(output))))
}

#[test]
fn events_come_through_a_pipe_in_every_format() {
    let dir = project(EVENTS);
    let ndjson = "{\"id\":\"ann\",\"event\":\"order\",\"time\":\"2026-05-01T00:00:00Z\"}\n\
                  {\"id\":\"ben\",\"event\":\"order\",\"time\":\"2026-05-01T00:00:00Z\"}\n";
    let array = format!("[{}]", ndjson.trim_end().replace('\n', ","));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(EVENT_ROWS.as_bytes()).expect("packed");
    let packed = packed.finish().expect("packed");
    let text = |texts: [&str; 2]| -> arrow_array::ArrayRef {
        std::sync::Arc::new(arrow_array::StringArray::from(texts.to_vec()))
    };
    let columns = [
        ("id", text(["ann", "ben"])),
        ("event", text(["order", "order"])),
        ("time", text(["2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z"])),
    ];
    let batch = arrow_array::RecordBatch::try_from_iter(columns).expect("a batch");
    let mut parquet = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut parquet, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    let mut arrow = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).expect("a writer");
    arrow.write(&batch).expect("written");
    let arrow = arrow.into_inner().expect("closed");
    for bytes in [
        EVENT_ROWS.as_bytes(),
        EVENT_ROWS.replace(',', "\t").as_bytes(),
        format!("\u{feff}{EVENT_ROWS}").as_bytes(),
        ndjson.as_bytes(),
        array.as_bytes(),
        &packed,
        &parquet,
        &arrow,
    ] {
        let output = piped(dir.path(), &["run", "--format", "json"], bytes);
        assert_eq!(sizes(&output), [2, 0], "{}", String::from_utf8_lossy(bytes));
    }
}

/// Analytics calls are read several times, and who is who stands behind what they did.
#[test]
fn calls_come_through_a_pipe() {
    let dir = project("[data.calls]\nfiles = [\"-\"]\n");
    let calls = "{\"type\":\"track\",\"anonymousId\":\"d\",\"event\":\"order\",\"timestamp\":\"2026-05-01\"}\n\
                 {\"type\":\"identify\",\"anonymousId\":\"d\",\"userId\":\"ann\",\"traits\":{\"plan\":\"pro\"},\"timestamp\":\"2026-05-02\"}\n";
    let args = ["run", "--format", "json", "--members", "m.csv", "--manifest", "run.json"];
    assert_eq!(sizes(&piped(dir.path(), &args, calls.as_bytes())), [1, 1]);
    let members = std::fs::read_to_string(dir.path().join("m.csv")).expect("members");
    assert_eq!(members, "segment,profile_id\nOrdered,ann\nPro,ann\n");
    // The manifest tells what was read, so that the same bytes can be read again.
    let manifest = std::fs::read_to_string(dir.path().join("run.json")).expect("a manifest");
    assert!(manifest.contains("\"standard input\""), "{manifest}");
    let again = piped(dir.path(), &["run", "--verify", "run.json"], calls.as_bytes());
    assert_eq!(again.status.code(), Some(0), "{}", told(&again));
    let other = piped(dir.path(), &["run", "--verify", "run.json"], calls.replace("pro", "free").as_bytes());
    assert_eq!(other.status.code(), Some(1), "{}", told(&other));
    let record = piped(dir.path(), &["who", "ann"], calls.as_bytes());
    assert!(told(&record).contains("d is ann by standard input:2 (identify)"), "{}", told(&record));
}

#[test]
fn a_pipe_stands_beside_files_and_is_held_against_what_segments_ask() {
    let dir = project(&format!("{EVENTS}[data.profiles]\nfiles = [\"p.csv\"]\nid = \"id\"\n"));
    std::fs::write(dir.path().join("p.csv"), "id,plan\nann,pro\ncy,free\n").expect("written");
    let output = piped(dir.path(), &["run", "--format", "json"], EVENT_ROWS.as_bytes());
    assert_eq!(sizes(&output), [2, 1]);
    // Problems name it.
    let bad = format!("{EVENT_ROWS}cy,order,soon,1\n");
    let output = piped(dir.path(), &["check", "--data"], bad.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("standard input:4 `soon`"), "{}", told(&output));
    let output = piped(dir.path(), &["check", "--data"], "id,event,time\nann,order,2026-05-31\n".as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let output = piped(dir.path(), &["run"], b"");
    assert_eq!(output.status.code(), Some(3));
    assert!(told(&output).contains("standard input: the file is empty"), "{}", told(&output));
    // What asks for no data waits for none.
    let output = Command::new(env!("CARGO_BIN_EXE_seg")).arg("check").current_dir(dir.path()).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
}

/// What `seg init` writes of a pipe reads a pipe.
#[test]
fn init_looks_at_a_pipe() {
    let dir = project("");
    let output = piped(dir.path(), &["init", "p", "--from", "-"], EVENT_ROWS.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let settings = std::fs::read_to_string(dir.path().join("p/seg.toml")).expect("settings");
    assert!(settings.contains("files = [\"-\"]"), "{settings}");
    let output = piped(dir.path(), &["run", "p", "--format", "json"], EVENT_ROWS.as_bytes());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["segments"][0]["members"], 2, "{json}");
    let output = piped(dir.path(), &["init", "q", "--from", "-", "--from", "-"], EVENT_ROWS.as_bytes());
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
}

/// A run that is killed leaves no copy of what it was given.
#[cfg(target_os = "linux")]
#[test]
fn a_run_that_is_killed_leaves_no_copy() {
    let dir = project(EVENTS);
    let temporary = dir.path().join("tmp");
    let mut child = Command::new(env!("CARGO_BIN_EXE_seg"))
        .args(["run"])
        .current_dir(dir.path())
        .env("TMPDIR", &temporary)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("seg runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    // More than a pipe holds, so that it was read when this is through.
    pipe.write_all(&vec![b'x'; 1 << 20]).expect("written");
    child.kill().expect("killed");
    child.wait().expect("it ended");
    assert_eq!(std::fs::read_dir(temporary).expect("a folder").count(), 0);
}

/// That nobody reads what is said beside results changes neither a result nor an exit code.
#[test]
fn nobody_need_read_the_standard_error() {
    for (args, code) in [(["check", "no/such/folder"], 3), (["check", "crates/xtask/sdk/project"], 0)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seg"));
        command.args(args).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("seg runs");
        drop(child.stderr.take());
        assert_eq!(child.wait().expect("it ends").code(), Some(code), "{args:?}");
    }
}
