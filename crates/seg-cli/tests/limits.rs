//! Runs and packings that may take little memory: the same answers, and what is said where
//! that cannot be.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

/// Beside what a process takes anyway there is room for a tenth of the events.
const LITTLE: &str = "146MB";

fn seg(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_seg")).args(args).current_dir(dir).output().expect("the command runs")
}

fn succeeded(output: Output) -> Output {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A project whose events come in no order.
fn project(dir: &Path) {
    let settings = "name = \"shop\"\nat = \"2026-05-24T00:00:00Z\"\n\n[data]\n#store = \"store\"\n\n[data.profiles]\n\
                    files = [\"people.csv\"]\nid = \"id\"\n\n[data.events]\nfiles = [\"events.csv\"]\nid = \"id\"\n\
                    event = \"event\"\ntime = \"time\"\n";
    let schema = "[attributes]\ncountry = \"text\"\n\n[events.Bought]\n\
                  properties = { amount = \"money\", title = \"text\" }\n\n[events.Seen]\n";
    let segments = "segment \"Big\"\n    include people whose total of amount of Bought in the past 90 days is at least 500\n\n\
                    segment \"Chain\"\n    include people who did Seen in the past 7 days followed by Bought within 2 hours\n\n\
                    segment \"German\"\n    include people whose country is \"DE\" and who did not do Bought in the past 3 days\n\n\
                    when people are in several, prefer \"Big\", then \"Chain\"\n";
    let mut people = "id,country\n".to_owned();
    for n in 0..5_000 {
        let _ = writeln!(people, "u{n},{}", ["DE", "FR", ""][n % 3]);
    }
    let mut events = "id,event,time,amount,title\n".to_owned();
    let mut state = 1_u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    for _ in 0..300_000 {
        let (person, day, hour) = (below(6_000).min(below(6_000)), 1 + below(24), below(24));
        let minute = below(60);
        let _ = match below(2) {
            0 => writeln!(events, "u{person},Seen,2026-05-{day:02}T{hour:02}:{minute:02}:00Z,,"),
            _ => writeln!(
                events,
                "u{person},Bought,2026-05-{day:02}T{hour:02}:{minute:02}:00Z,{}.5,title {}",
                below(40),
                below(3_000)
            ),
        };
    }
    for (name, text) in [
        ("seg.toml", settings),
        ("schema.toml", schema),
        ("s.seg", segments),
        ("people.csv", &people),
        ("events.csv", &events),
    ] {
        std::fs::write(dir.join(name), text).expect("written");
    }
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_run_within_little_memory_gives_the_same_results() {
    let dir = tempfile::tempdir().expect("a directory");
    project(dir.path());
    let run = |args: &[&str], members: &str| {
        let written = ["run", "--format", "json", "--columns", "country", "--members", members];
        json(&succeeded(seg(dir.path(), &[&written[..], args].concat())))
    };
    let whole = run(&["--winners", "whole-winners.csv"], "whole.csv");
    let little = run(&["--memory", LITTLE, "--temp", ".", "--winners", "little-winners.csv"], "little.csv");
    for key in ["segments", "people", "data", "at"] {
        assert_eq!(whole[key], little[key], "{key}");
    }
    let n_members = |at: usize| whole["segments"][at]["members"].as_u64();
    assert!((0..3).all(|at| n_members(at).is_some_and(|n| n > 100)), "{}", whole["segments"]);
    let read = |name: &str| std::fs::read(dir.path().join(name)).expect("a file");
    assert_eq!(read("whole.csv"), read("little.csv"));
    assert_eq!(read("whole-winners.csv"), read("little-winners.csv"));
    // Nothing is left of what was put aside.
    assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 9);

    let toml = String::from_utf8(read("seg.toml")).expect("text").replace("#store", "store");
    std::fs::write(dir.path().join("seg.toml"), toml).expect("written");
    succeeded(seg(dir.path(), &["pack", "--memory", LITTLE]));
    let info = json(&succeeded(seg(dir.path(), &["store", "info", "--format", "json"])));
    assert!(info["parts"].as_u64().is_some_and(|n| n > 2), "{info}");
    for args in [&[][..], &["--memory", LITTLE], &["--memory", "1GiB", "--no-map"]] {
        assert_eq!(run(args, "stored.csv")["segments"], whole["segments"], "{args:?}");
        assert_eq!(read("stored.csv"), read("whole.csv"), "{args:?}");
    }
    succeeded(seg(dir.path(), &["store", "verify"]));
    // Packed as one part, it has to fit.
    succeeded(seg(dir.path(), &["pack"]));
    insta::assert_snapshot!("one_part_too_large", failed(dir.path(), &["run", "--memory", "136MB"]));
}

/// What a command says that fails, with its exit code.
fn failed(dir: &Path, args: &[&str]) -> String {
    let output = seg(dir, args);
    assert!(output.stdout.is_empty(), "{args:?} printed an answer");
    let code = output.status.code().expect("a code");
    format!("seg {}\n{}exit code {code}\n", args.join(" "), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn too_little_memory_is_said_to_be() {
    let dir = tempfile::tempdir().expect("a directory");
    project(dir.path());
    let mut told = String::new();
    for args in [
        &["run", "--memory", "20MB"][..],
        &["run", "--memory", LITTLE, "--temp", "nowhere"],
        &["run", "--memory", "lots"],
        &["run", "--memory", "0MB"],
        &["run", "--memory", "12"],
        &["run", "--temp", "."],
    ] {
        let _ = writeln!(told, "{}", failed(dir.path(), args));
    }
    insta::assert_snapshot!("too_little", told);
}
