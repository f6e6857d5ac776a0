//! A project that is watched while somebody writes.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The command while it watches; it ends with the test.
struct Watching {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Watching {
    fn new(dir: &Path, format: &str) -> Watching {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seg"));
        command.args(["watch", "--format", format]).current_dir(dir).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the command runs");
        let lines = BufReader::new(child.stdout.take().expect("its output"));
        Watching { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        line
    }

    fn json(&mut self) -> Value {
        serde_json::from_str(&self.line()).expect("JSON")
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SEGMENTS: &str = "segment \"Buyers\"\n    include people who did Bought at least 1 time ever\n";

fn project(dir: &Path) {
    let settings = "name = \"shop\"\nat = \"2026-05-24T00:00:00Z\"\n\n[data.events]\nfiles = [\"events.csv\"]\nid = \"id\"\n\
                    event = \"event\"\ntime = \"time\"\n";
    let events = "id,event,time\nann,Bought,2026-05-01T10:00:00Z\nann,Bought,2026-05-02T10:00:00Z\n\
                  bob,Bought,2026-05-03T10:00:00Z\neve,Seen,2026-05-03T10:00:00Z\n";
    for (name, text) in [
        ("seg.toml", settings),
        ("schema.toml", "[events.Bought]\n\n[events.Seen]\n"),
        ("s.seg", SEGMENTS),
        ("events.csv", events),
        ("vip.txt", "bob\n"),
    ] {
        write(dir, name, text);
    }
}

/// Writes a file as editors do, so that nobody reads half of it.
fn write(dir: &Path, name: &str, text: &str) {
    std::fs::write(dir.join("new"), text).expect("written");
    std::fs::rename(dir.join("new"), dir.join(name)).expect("renamed");
}

fn sizes(value: &Value) -> Vec<(String, u64, Option<i64>)> {
    let segments = value["segments"].as_array().expect("segments");
    let of = |segment: &Value| {
        let name = segment["segment"].as_str().expect("a name").to_owned();
        (name, segment["members"].as_u64().expect("a number"), segment["change"].as_i64())
    };
    segments.iter().map(of).collect()
}

#[test]
fn each_change_is_counted_and_errors_are_shown_in_between() {
    let dir = tempfile::tempdir().expect("a directory");
    project(dir.path());
    let mut watching = Watching::new(dir.path(), "json");
    let segment = |name: &str, size, change| (name.to_owned(), size, change);
    assert_eq!(sizes(&watching.json()), [segment("Buyers", 2, None)]);

    write(dir.path(), "s.seg", &SEGMENTS.replace("1 time", "2 times"));
    assert_eq!(sizes(&watching.json()), [segment("Buyers", 1, Some(-1))]);

    write(dir.path(), "s.seg", &SEGMENTS.replace("Bought", "Buyed"));
    assert!(watching.json()["diagnostics"].as_array().is_some_and(|all| !all.is_empty()));

    // What was there before the error counts.
    let list =
        "list \"vip\" from \"vip.txt\"\n\nsegment \"Vips\"\n    include people whose profile id is in list \"vip\"\n";
    write(dir.path(), "s.seg", &format!("{SEGMENTS}\n{list}"));
    assert_eq!(sizes(&watching.json()), [segment("Buyers", 2, Some(1)), segment("Vips", 1, None)]);

    write(dir.path(), "vip.txt", "bob\nann\n");
    assert_eq!(sizes(&watching.json()), [segment("Buyers", 2, Some(0)), segment("Vips", 2, Some(1))]);

    // Settings and schema are those of the data, which are read again.
    write(dir.path(), "schema.toml", "[events.Bought]\n");
    write(dir.path(), "s.seg", list);
    let mut last = watching.json();
    while last["gone"] != serde_json::json!(["Buyers"]) {
        last = watching.json();
    }
    assert_eq!(sizes(&last), [segment("Vips", 2, Some(0))]);

    std::fs::remove_file(dir.path().join("seg.toml")).expect("removed");
    assert!(watching.json()["error"].as_str().is_some_and(|error| error.contains("seg.toml")));
}

#[test]
fn people_see_a_table() {
    let dir = tempfile::tempdir().expect("a directory");
    project(dir.path());
    let mut watching = Watching::new(dir.path(), "text");
    let table = |watching: &mut Watching| (0..5).map(|_| watching.line()).collect::<String>();
    let first = table(&mut watching);
    write(dir.path(), "s.seg", &SEGMENTS.replace("1 time", "2 times"));
    insta::assert_snapshot!("table", first + &table(&mut watching));
}

#[test]
fn a_directory_without_a_project_is_a_slip() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = Command::new(env!("CARGO_BIN_EXE_seg")).arg("watch").current_dir(dir.path()).output();
    let output = output.expect("the command runs");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`seg init` makes one"));
}
