//! `seg emit --sql` and `seg check --sql`; that the SQL is right is for `tests/it/differential/sql.rs`.

#![allow(clippy::expect_used, clippy::panic, reason = "tests may panic")]

use std::path::Path;
use std::process::Command;

fn write(dir: &Path, name: &str, content: &str) {
    std::fs::write(dir.join(name), content).expect("written");
}

/// The exit code, and all that is printed.
fn said(dir: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_seg")).args(args).current_dir(dir).output().expect("seg runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

/// SQL is written for a project that says where its tables are; what a database cannot say is told
/// at its segments, and mistakes of `[sql]` in `seg.toml`.
#[test]
fn sql_is_written_or_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = |sql: &str| format!("name = \"x\"\ntimezone = \"UTC\"\nat = \"2026-06-01T12:00:00Z\"\n{sql}");
    let schema = "[attributes]\ncountry = \"text\"\n[events.Order]\nproperties = { amount = \"money\" }\n";
    write(dir.path(), "schema.toml", schema);
    let segments = "segment \"First\" include people whose first Order had amount of at least 5\n\
                    segment \"Some\" include people who did Order in the past 30 days\n";
    write(dir.path(), "a.seg", segments);
    let run = |sql: &str, args: &[&str]| {
        write(dir.path(), "seg.toml", &settings(sql));
        said(dir.path(), args)
    };
    let events = "[sql.events]\ntable = \"e\"\nid = \"u\"\nevent = \"n\"\ntime = \"t\"\n";
    let arrival = format!("{events}arrival = \"a\"\n");
    let (code, told) = run(&arrival, &["emit", ".", "--sql", "duckdb", "--at", "2026-06-02T00:00:00Z"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.starts_with("-- Answers as of 2026-06-02T00:00:00Z;") && told.contains("'Some' AS segment"), "{told}");
    let (code, told) = run(&arrival, &["check", ".", "--sql", "postgres"]);
    assert_eq!((code, told.lines().last()), (Some(0), Some("2 segments in PostgreSQL: all said exactly")), "{told}");
    write(dir.path(), "same.csv", "from,into\nb,a\n");
    let merges = format!("{arrival}[data.merges]\nfiles = [\"same.csv\"]\nfrom = \"from\"\ninto = \"into\"\n");
    let (code, told) = run(&merges, &["check", ".", "--sql", "duckdb"]);
    assert!(code == Some(0) && told.contains("known difference:\n  ids that are one person: "), "{told}");
    let (code, told) = run(events, &["emit", ".", "--sql", "duckdb"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("error[E0709]: \"First\" cannot be said exactly in DuckDB"), "{told}");
    assert!(told.contains("`arrival`") && !told.contains("\"Some\" cannot"), "{told}");
    let (code, told) = run("", &["emit", ".", "--sql", "duckdb"]);
    assert!(code == Some(1) && told.contains("does not say where its tables are"), "{told}");
    let wrong = format!("{arrival}columns = {{ amont = \"a\" }}\n");
    let (code, told) = run(&wrong, &["emit", ".", "--sql", "duckdb"]);
    assert!(code == Some(1) && told.contains("no property `amont`") && told.contains("`amount`"), "{told}");
    let (code, told) = run(&arrival, &["emit", "."]);
    assert!(code == Some(2) && told.contains("--stage"), "{told}");
}
