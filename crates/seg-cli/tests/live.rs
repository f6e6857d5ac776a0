//! `seg live` as a process: what it keeps is what `seg run` says, whenever it is killed.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const SCHEMA: &str = "event_id = \"order_id\"\n[attributes]\ncountry = \"text\"\n[events.Order]\nproperties = { order_id = \"text\", amount = \"money\" }\n[events.Visit]\n";
const SEGMENTS: &str = "segment \"Recent\" include people who did Order in the past 30 days\n\
    segment \"Silent\" include people who did Order ever and did not do anything in the past 10 days\n\
    segment \"Spent\" include people whose country is \"DE\" and total amount of Order ever is at least 50\n";
const DATA: &str = "\n[data.profiles]\nfiles = [\"people.ndjson\"]\nid = \"id\"\ntime = \"time\"\n\
    [data.events]\nfiles = [\"events.ndjson\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n\
    [data.merges]\nfiles = [\"merges.ndjson\"]\nfrom = \"from\"\ninto = \"into\"\n";

/// Numbers by chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn seg(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seg"));
    command.args(args);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn project(dir: &Path) {
    std::fs::create_dir_all(dir).expect("a folder");
    std::fs::write(dir.join("seg.toml"), "name = \"live\"\ntimezone = \"UTC\"\n").expect("written");
    std::fs::write(dir.join("schema.toml"), SCHEMA).expect("written");
    std::fs::write(dir.join("segments.seg"), SEGMENTS).expect("written");
}

/// Records of some people over two months, a line each, in the order of their times.
fn records(n: u64, chance: &mut Chance) -> Vec<String> {
    let line = |nth: u64| {
        let (day, minute) = (nth * 60 / n, nth % 1440);
        let time = format!("2026-{:02}-{:02}T{:02}:{:02}:00Z", 4 + day / 30, 1 + day % 30, minute / 60, minute % 60);
        let person = chance.below(40);
        match chance.below(10) {
            0 => format!(
                "{{\"id\": \"p{person}\", \"time\": \"{time}\", \"country\": \"{}\"}}",
                ["DE", "FR"][chance.below(2) as usize]
            ),
            1 => format!(
                "{{\"type\": \"identify\", \"userId\": \"p{person}\", \"anonymousId\": \"d{}\", \"timestamp\": \"{time}\"}}",
                chance.below(20)
            ),
            2 => format!(
                "{{\"type\": \"track\", \"anonymousId\": \"d{}\", \"event\": \"Order\", \"messageId\": \"m{nth}\", \"timestamp\": \"{time}\"}}",
                chance.below(20)
            ),
            3 => format!("{{\"id\": \"p{person}\", \"event\": \"Visit\", \"time\": \"{time}\"}}"),
            _ => format!(
                "{{\"id\": \"p{person}\", \"event\": \"Order\", \"time\": \"{time}\", \"order_id\": \"o{}\", \"amount\": \"{}.50\"}}",
                chance.below(n),
                chance.below(30)
            ),
        }
    };
    (0..n).map(line).collect()
}

/// Who is in what by the changes: each seq once, in order, whatever was written again.
fn members(changes: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut last = 0;
    for line in changes.lines() {
        // A line that was being written when the process was killed is written again.
        let Ok(change) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let seq = change["seq"].as_u64().expect("a number");
        assert!(seq <= last + 1, "{seq} comes after {last}");
        if seq <= last {
            continue;
        }
        last = seq;
        let of_segment = members.entry(change["segment"].as_str().expect("a name").to_owned()).or_default();
        let person = change["person"].as_str().expect("an id").to_owned();
        match change["change"].as_str() {
            Some("entered") => assert!(of_segment.insert(person), "{line}"),
            _ => assert!(of_segment.remove(&person), "{line}"),
        }
    }
    members.retain(|_, people| !people.is_empty());
    members
}

/// Who is in what by a batch run over what was exported.
fn of_a_run(dir: &Path, kept: &Path, at: &str) -> BTreeMap<String, BTreeSet<String>> {
    let batch = dir.join("batch");
    project(&batch);
    let settings = std::fs::read_to_string(batch.join("seg.toml")).expect("a text");
    std::fs::write(batch.join("seg.toml"), settings + DATA).expect("written");
    let (live, kept) = (dir.join("live"), kept.to_str().expect("a path"));
    let to = dir.join("exported");
    let export =
        ["live", "export", live.to_str().expect("a path"), "--data", kept, "--to", to.to_str().expect("a path")];
    // Where one of the files cannot be written, the others are not there either.
    std::fs::create_dir_all(&to).expect("a folder");
    std::fs::write(to.join("merges.ndjson"), "mine").expect("written");
    let refused = seg(&export).output().expect("it runs");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there is such a file already"), "{refused:?}");
    let left: Vec<_> =
        std::fs::read_dir(&to).expect("a folder").map(|file| file.expect("a file").file_name()).collect();
    assert_eq!(left, ["merges.ndjson"]);
    assert_eq!(std::fs::read_to_string(to.join("merges.ndjson")).expect("a text"), "mine");
    std::fs::remove_file(to.join("merges.ndjson")).expect("removed");
    done(&seg(&export).output().expect("it runs"));
    for file in ["people.ndjson", "events.ndjson", "merges.ndjson"] {
        std::fs::rename(to.join(file), batch.join(file)).expect("moved");
    }
    let members = batch.join("members.ndjson");
    let run = ["run", batch.to_str().expect("a path"), "--at", at, "--members", members.to_str().expect("a path")];
    done(&seg(&run).output().expect("it runs"));
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in std::fs::read_to_string(members).expect("a text").lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let (segment, person) =
            (line["segment"].as_str().expect("a name"), line["profile_id"].as_str().expect("an id"));
        found.entry(segment.to_owned()).or_default().insert(person.to_owned());
    }
    found
}

struct Places {
    dir: tempfile::TempDir,
    live: PathBuf,
    kept: PathBuf,
    input: PathBuf,
    changes: PathBuf,
}

fn places(n_records: u64, seed: u64) -> Places {
    let dir = tempfile::tempdir().expect("a folder");
    let at = |name: &str| dir.path().join(name);
    let (live, kept, input, changes) = (at("live"), at("kept"), at("records.ndjson"), at("changes.ndjson"));
    project(&live);
    let lines = records(n_records, &mut Chance(seed));
    std::fs::write(&input, lines.join("\n") + "\n").expect("written");
    Places { dir, live, kept, input, changes }
}

fn replay(places: &Places) -> Command {
    let path = |path: &Path| path.to_str().expect("a path").to_owned();
    let mut command = seg(&["live", &path(&places.live), "--from", &path(&places.input), "--replay"]);
    command.args([
        "--until",
        "2026-06-20T00:00:00Z",
        "--data",
        &path(&places.kept),
        "--changes",
        &path(&places.changes),
    ]);
    command
}

#[test]
fn a_replay_ends_with_what_a_run_says() {
    let places = places(400, 11);
    let output = replay(&places).output().expect("it runs");
    done(&output);
    assert!(text(&output.stderr).contains("400 records"), "{}", text(&output.stderr));
    let changes = std::fs::read_to_string(&places.changes).expect("a text");
    assert!(changes.lines().count() > 60, "{changes}");
    assert!(changes.contains("\"cause\":\"time\"") && changes.contains("\"cause\":\"merge\""), "{changes}");
    assert_eq!(members(&changes), of_a_run(places.dir.path(), &places.kept, "2026-06-20T00:00:00Z"));
    let audit =
        ["live", "audit", places.live.to_str().expect("a path"), "--data", places.kept.to_str().expect("a path")];
    let audited = done(&seg(&audit).output().expect("it runs"));
    assert!(audited.ends_with(": 0 differ\n"), "{audited}");
    // What was taken is not taken again.
    let again = replay(&places).output().expect("it runs");
    done(&again);
    assert!(text(&again.stderr).starts_with("0 records, 0 changes"), "{}", text(&again.stderr));
}

/// In a long run as many as `SEG_KILLS` says.
#[test]
fn killed_at_any_moment_it_goes_on_and_loses_nothing() {
    let n_kills = std::env::var("SEG_KILLS").ok().and_then(|n| n.parse::<u64>().ok()).unwrap_or(50);
    let places = places(1_500, 12);
    let mut chance = Chance(99);
    let mut n_killed = 0;
    for _ in 0..n_kills {
        let mut child = replay(&places).stderr(Stdio::null()).spawn().expect("it runs");
        std::thread::sleep(std::time::Duration::from_millis(10 + chance.below(250)));
        n_killed += u64::from(child.try_wait().expect("a process").is_none());
        child.kill().expect("killed");
        child.wait().expect("a process");
    }
    done(&replay(&places).output().expect("it runs"));
    assert!(n_killed > 5, "only {n_killed} were killed while they ran");
    let changes = std::fs::read_to_string(&places.changes).expect("a text");
    assert_eq!(members(&changes), of_a_run(places.dir.path(), &places.kept, "2026-06-20T00:00:00Z"));
    println!("{n_killed} of {n_kills} were killed while they ran");
}

#[test]
fn records_that_come_through_a_pipe_are_answered_while_it_is_open() {
    let places = places(1, 13);
    let path = |path: &Path| path.to_str().expect("a path").to_owned();
    let mut child: Child = seg(&["live", &path(&places.live), "--data", &path(&places.kept)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut input = child.stdin.take().expect("a pipe");
    let mut changes = BufReader::new(child.stdout.take().expect("a pipe"));
    writeln!(input, "{{\"id\": \"ann\", \"event\": \"Order\", \"order_id\": \"o1\", \"amount\": 60}}")
        .expect("written");
    let mut line = String::new();
    changes.read_line(&mut line).expect("a line");
    let change: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let of = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        [of("segment"), of("person"), of("change"), of("cause"), of("event_id")],
        ["Recent", "ann", "entered", "event", "o1"]
    );
    writeln!(input, "{{\"forget\": \"ann\"}}\nno record").expect("written");
    line.clear();
    changes.read_line(&mut line).expect("a line");
    assert!(line.contains("\"change\":\"left\"") && line.contains("\"cause\":\"forgotten\""), "{line}");
    drop(input);
    let output = child.wait_with_output().expect("a process");
    assert!(output.status.success());
    let told = text(&output.stderr);
    assert!(told.starts_with("3 records, 2 changes; 0 people are known"), "{told}");
    assert!(told.ends_with("1 refused: no record\n"), "{told}");
}

/// Whatever a line is, the others are taken, and what became of it is told.
#[test]
fn a_line_that_is_no_record_loses_no_other() {
    let places = places(1, 14);
    let good = |id: &str| {
        format!("{{\"id\": \"{id}\", \"event\": \"Order\", \"time\": \"2026-05-01T00:00:00Z\", \"amount\": 60}}")
    };
    let deep = "[".repeat(100_000);
    let large =
        format!("{{\"id\": \"eve\", \"time\": \"2026-05-01T00:00:00Z\", \"country\": \"{}\"}}", "x".repeat(40_000));
    let lines: Vec<Vec<u8>> = vec![
        deep.into_bytes(),
        good("ann").into_bytes(),
        b"[{\"id\": \"bo\"}]".to_vec(),
        b"{\"id\": 1e999}".to_vec(),
        b"\xff\xfe".to_vec(),
        b"{\"id\": \"cy\", \"event\": \"Ordr\", \"time\": \"2026-05-01T00:00:00Z\"}".to_vec(),
        b"{\"id\": \"cy\", \"event\": \"Order\", \"time\": \"soon\"}".to_vec(),
        b"{\"event\": \"Order\", \"time\": \"2026-05-01T00:00:00Z\"}".to_vec(),
        large.into_bytes(),
        Vec::new(),
        good("bo").into_bytes(),
    ];
    std::fs::write(&places.input, lines.join(&b"\n"[..])).expect("written");
    let output = replay(&places).output().expect("it runs");
    done(&output);
    insta::assert_snapshot!(text(&output.stderr));
    let changes = std::fs::read_to_string(&places.changes).expect("a text");
    assert_eq!(members(&changes), of_a_run(places.dir.path(), &places.kept, "2026-06-20T00:00:00Z"));
}

#[test]
fn a_line_without_an_end_is_refused() {
    let places = places(1, 15);
    let path = |path: &Path| path.to_str().expect("a path").to_owned();
    let mut child = seg(&["live", &path(&places.live), "--data", &path(&places.kept)])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut input = child.stdin.take().expect("a pipe");
    // It stops listening before all of it is written.
    let _ = input.write_all(&vec![b'a'; 17 << 20]);
    drop(input);
    let output = child.wait_with_output().expect("a process");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        text(&output.stderr),
        "seg: the standard input: a line is longer than 16 MiB: records end with their line\n"
    );
}
