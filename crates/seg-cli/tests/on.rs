//! `seg run --on` with clients that are scripts: what they are given, and that a failure of a
//! database is told and gives no half answer. `cargo xtask sql` runs the real ones.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const SETTINGS: &str = "name = \"shop\"\ntimezone = \"UTC\"\nat = \"2026-06-01T12:00:00Z\"\n\
    [data.profiles]\nfiles = [\"none.csv\"]\nid = \"id\"\n\
    [sql.profiles]\ntable = \"people\"\nid = \"id\"\n";
const SCHEMA: &str = "[attributes]\ncountry = \"text\"\n";
const SEGMENTS: &str = "segment \"German\" expect between 1 and 1 people include people whose country is \"DE\"\n\
    segment \"Known\" include people whose country is known\n";

struct Place {
    dir: TempDir,
}

impl Place {
    /// A project, and a client of a name that does as a script says.
    fn new(client: &str, script: &str) -> Place {
        let dir = TempDir::new().expect("a folder");
        let bin = dir.path().join("bin");
        fs::create_dir(&bin).expect("a folder");
        for (file, text) in [("seg.toml", SETTINGS), ("schema.toml", SCHEMA), ("a.seg", SEGMENTS), ("shop.db", "")] {
            fs::write(dir.path().join(file), text).expect("written");
        }
        let path = bin.join(client);
        fs::write(&path, format!("#!/bin/sh\n{script}")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it can be run");
        Place { dir }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seg"));
        command.arg("run").arg(self.dir.path()).args(args).current_dir(self.dir.path());
        // Neither a database nor another client of this machine is meant.
        command.env("PATH", format!("{}:/bin:/usr/bin", self.path("bin").display())).env_remove("PGCONNECT_TIMEOUT");
        command.output().expect("seg runs")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Keeps what a client is given, and answers.
const ANSWERS: &str = "echo \"$@\" > args; env | grep ^PG > env; cat > query; printf 'bob,01\\nann,11\\n,end\\n'";

#[test]
fn the_answer_of_a_database_is_shown_as_that_of_a_run() {
    let place = Place::new("psql", ANSWERS);
    let output = place.run(&["--on", "postgres://ann:s3%63ret@db:5433/shop?sslmode=require", "--members", "m.csv"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(shown.starts_with("shop: 2 people in PostgreSQL at postgres://ann@db:5433/shop, judged at "), "{shown}");
    assert!(shown.contains(" German          1    50.0%") && shown.contains(" Known           2   100.0%"), "{shown}");
    assert_eq!(fs::read_to_string(place.path("m.csv")).expect("members"), {
        "segment,profile_id\nGerman,ann\nKnown,ann\nKnown,bob\n"
    });
    // The password is nowhere that others on this machine can read.
    let read = |name: &str| fs::read_to_string(place.path(name)).expect(name);
    assert!(read("args").contains("postgres://ann@db:5433/shop?sslmode=require"), "{}", read("args"));
    assert!(!read("args").contains("s3cret") && read("env").contains("PGPASSWORD=s3cret\n"), "{}", read("env"));
    assert!(read("env").contains("PGCONNECT_TIMEOUT="), "{}", read("env"));
    assert!(read("query").contains("READ ONLY") && read("query").contains("FROM \"people\" AS t"), "{}", read("query"));
}

#[test]
fn results_of_databases_are_json_and_guarded_too() {
    let place = Place::new("psql", "cat > /dev/null; printf 'ann,01\\n,end\\n'");
    let output = place.run(&["--on", "postgres://db/shop", "--format", "json", "--deny"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(1), "nobody is German, and one was expected");
    assert_eq!(json["people"], 1);
    assert_eq!(json["on"]["dialect"], "postgres");
    assert_eq!(json["segments"][1]["members"], 1);
    assert_eq!(json["sizes"]["broken"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_fails_is_told_and_nothing_is_written() {
    let refused = "cat > /dev/null; echo 'psql: error: connection to server at \"db\" failed: FATAL:  password \
                   authentication failed for s3cret' >&2; exit 2";
    for (name, script, more, told) in [
        ("psql", refused, None, "PostgreSQL says: connection to server at \"db\" failed: FATAL:  password"),
        ("psql", "cat > /dev/null; echo 'ERROR:  relation \"people\" does not exist' >&2; exit 3", None, "`[sql]`"),
        // Cut off, however it ends.
        ("psql", "cat > /dev/null; printf 'ann,11\\n'", None, "the answer of PostgreSQL is not whole"),
        ("psql", "printf 'ann,1\\n,end\\n'", None, "does not say of each segment"),
        ("psql", "exec sleep 60", Some("100ms"), "no answer within 100ms"),
        ("nothing", "", None, "`psql`, which is not there"),
    ] {
        let place = Place::new(name, script);
        if name == "nothing" {
            // Nothing but what is in the folder.
            let mut command = Command::new(env!("CARGO_BIN_EXE_seg"));
            command.arg("run").arg(place.dir.path()).args(["--on", "postgres://ann:s3cret@db/shop"]);
            let output = command.env("PATH", place.path("bin")).output().expect("seg runs");
            assert!(text(&output.stderr).contains(told), "{}", text(&output.stderr));
            continue;
        }
        let mut args = vec!["--on", "postgres://ann:s3cret@db/shop", "--members", "m.csv"];
        args.extend(more.iter().flat_map(|limit| ["--time-limit", *limit]));
        let output = place.run(&args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{script}: {said}");
        assert!(said.contains(told) && said.contains("nothing was written"), "{script}: {said}");
        assert!(!said.contains("s3cret") && output.stdout.is_empty(), "{script}: {said}");
        assert!(!Path::new(&place.path("m.csv")).exists(), "{script}");
    }
}

#[test]
fn duckdb_is_run_by_its_command_or_by_python() {
    let answer = "cat > query; printf 'ann,11\\n,end\\n'";
    for client in ["duckdb", "python3"] {
        let place = Place::new(client, &format!("echo \"$@\" > args; {answer}"));
        // No other client than this one, but for what scripts need.
        let tools = place.path("bin");
        for tool in ["sh", "cat", "printf"] {
            let found =
                ["/bin", "/usr/bin"].map(|dir| Path::new(dir).join(tool)).into_iter().find(|path| path.exists());
            std::os::unix::fs::symlink(found.expect(tool), tools.join(tool)).expect("a link");
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_seg"));
        command.arg("run").arg(place.dir.path()).args(["--on", "duckdb:shop.db"]).current_dir(place.dir.path());
        let output = command.env("PATH", &tools).output().expect("seg runs");
        assert_eq!(output.status.code(), Some(0), "{client}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains("1 people in DuckDB at shop.db"), "{}", text(&output.stdout));
        let args = fs::read_to_string(place.path("args")).expect("arguments");
        assert!(args.contains(if client == "duckdb" { "-readonly" } else { "read_only=True" }), "{args}");
    }
}

#[test]
fn what_a_database_cannot_do_is_refused_in_words() {
    let place = Place::new("psql", ANSWERS);
    let database = "postgres://ann:s3cret@db/shop";
    for (args, told) in [
        (vec!["--on", database, "--strict"], "`--strict` does not go with `--on`"),
        (vec!["--on", database, "--columns", "country", "--members", "m.csv"], "attributes stay in the database"),
        (vec!["--on", database, "--engine", "jit"], "the database says who is in"),
        (vec!["--on", "snowflake://ann:s3cret@db/shop"], "seg emit --sql snowflake"),
        (vec!["--on", "mysql://ann:s3cret@db/shop"], "no database is known"),
        (vec!["--time-limit", "30s"], "--on"),
    ] {
        let output = place.run(&args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(told) && !said.contains("s3cret"), "{args:?}: {said}");
    }
    let output = place.run(&["--on", "duckdb:none.db"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("none.db: there is no such file"), "{}", text(&output.stderr));
}
