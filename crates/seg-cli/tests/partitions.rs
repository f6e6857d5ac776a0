//! Partitions: what runs over them find, merged, is what one run over everybody finds.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod command;

use command::{err, read, seg, write};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

fn ok(dir: &Path, args: &[&str]) -> String {
    let output = seg(dir, args);
    assert!(output.status.success(), "{args:?}: {}", err(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn refused(dir: &Path, args: &[&str]) -> String {
    let output = seg(dir, args);
    assert!(!output.status.success(), "{args:?}");
    err(&output)
}

/// Runs each partition of a store, and gives the names of the results.
fn run_each(dir: &Path, project: &str, (store, results): (&str, &str), n: usize, args: &[&str]) -> Vec<String> {
    let each = (0..n).map(|number| {
        let (store, result) = (format!("{store}/{number}"), format!("{results}-{number}.arrow"));
        ok(
            dir,
            &[&["run", project, "--store", &store, "--partition-result", &result, "--format", "json"], args].concat(),
        );
        result
    });
    each.collect()
}

/// What a run says, without what is not of everybody: how large files of stores are, what it was
/// expected to cost, why the engine was chosen, where files were written.
fn said(json: &str) -> Value {
    let mut json: Value = serde_json::from_str(json).expect("JSON");
    for key in ["estimated_cost_ns", "engine", "written"] {
        json.as_object_mut().expect("an object").remove(key);
    }
    for key in ["bytes", "bytes_read"] {
        json["data"].as_object_mut().expect("an object").remove(key);
    }
    json
}

/// Compares all that a run can write with the same of partitions that were merged.
fn compare(project: &Path, n: usize, columns: &str, with_winners: bool) {
    let dir = tempfile::tempdir().expect("a directory");
    let (dir, project) = (dir.path(), project.display().to_string());
    let partitions = n.to_string();
    ok(dir, &["pack", &project, "--store", "whole"]);
    let packed = ok(dir, &["pack", &project, "--store", "parts", "--partitions", &partitions, "--format", "json"]);
    let packed: Value = serde_json::from_str(&packed).expect("JSON");
    let people: u64 = packed["partitions"].as_array().expect("numbers").iter().filter_map(Value::as_u64).sum();
    assert_eq!(packed["people"].as_u64(), Some(people));
    let mut given: Vec<&str> = Vec::new();
    if !columns.is_empty() {
        given.extend(["--columns", columns]);
    }
    let results = run_each(dir, &project, ("parts", "r"), n, &given);
    // In whatever order they come.
    let results: Vec<&str> = results.iter().rev().map(String::as_str).collect();
    let merge = [&["merge-results", "--dir", &project], results.as_slice()].concat();
    let is_stay = columns.contains("entered_at");
    let layouts: &[(&str, &str)] = match is_stay {
        true => &[("csv", "long"), ("parquet", "long")],
        false => &[("csv", "long"), ("csv", "wide"), ("parquet", "long"), ("ndjson", "wide")],
    };
    for (ending, layout) in layouts {
        let (whole, merged) = (format!("w.{ending}"), format!("m.{ending}"));
        let run = ["run", &project, "--store", "whole", "--format", "json", "--members", &whole, "--layout", layout];
        let mut expected = ok(dir, &[&run[..], &given].concat());
        let mut found =
            ok(dir, &[&merge[..], &["--format", "json", "--members", &merged, "--layout", layout]].concat());
        assert_eq!(said(&found), said(&expected), "{project} {layout}");
        let bytes = |name: &str| std::fs::read(dir.join(name)).expect("a file");
        assert!(bytes(&whole) == bytes(&merged), "{project} {ending} {layout}");
        expected.clear();
        found.clear();
    }
    if with_winners {
        ok(dir, &["run", &project, "--store", "whole", "--winners", "w.csv", "--record", "w.json"]);
        ok(dir, &[&merge[..], &["--winners", "m.csv", "--record", "m.json"]].concat());
        assert!(read(dir, "w.csv").lines().count() > 1);
        assert_eq!((read(dir, "m.csv"), read(dir, "m.json")), (read(dir, "w.csv"), read(dir, "w.json")));
    }
    let plain = seg(dir, &["run", &project, "--store", "whole"]);
    let merged = seg(dir, &merge);
    assert_eq!(String::from_utf8_lossy(&merged.stdout), String::from_utf8_lossy(&plain.stdout));
    assert_eq!(err(&merged), err(&plain));
}

#[test]
fn merged_partitions_of_examples_are_the_whole() {
    compare(&example("online-retail"), 5, "country", false);
    compare(&example("d2c-store"), 3, "", true);
    compare(&example("d2c-store"), 2, "entered_at,leaves_at", false);
    // More partitions than people.
    compare(&example("cart-recovery"), 9, "country,sms_consent", false);
}

/// People with histories, lists and merged ids, and events at one instant.
fn generate(dir: &Path, n: u32) {
    let mut chance: u64 = 2026;
    let mut below = |n: u32| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((chance >> 33) as u32) % n
    };
    let (mut people, mut events, mut merges) =
        (String::from("id,since,plan,tags\n"), String::from("id,name,at,amount,title\n"), String::from("from,into\n"));
    for person in 0..n {
        for _ in 0..below(3) {
            let plan = ["free", "pro", ""][below(3) as usize];
            let _ = writeln!(people, "p{person},2026-0{}-01T00:00:00Z,{plan},", 1 + below(4));
        }
        for _ in 0..below(6) {
            let (day, name) = (1 + below(28), ["Bought", "Seen", "Left"][below(3) as usize]);
            let _ = writeln!(
                events,
                "p{person},{name},2026-05-{day:02}T0{}:00:00Z,{}.5,t{}",
                below(3),
                below(40),
                below(5)
            );
        }
        if below(4) == 0 {
            let _ = writeln!(merges, "p{person},p{}", below(n));
        }
    }
    // Data of the last day is fresh, whatever its pauses, which partitions do not know together.
    for name in ["Bought", "Seen", "Left"] {
        let _ = writeln!(events, "p0,{name},2026-05-28T12:00:00Z,1.5,t0");
    }
    let schema = "[attributes]\nplan = { type = \"text\", history = true }\ntags = \"text\"\n\n[events.Bought]\n\
                  properties = { amount = \"money\", title = \"text\" }\n\n[events.Seen]\n\
                  properties = { title = \"text\" }\n\n[events.Left]\n";
    let settings = "name = \"made\"\nat = \"2026-05-29T00:00:00Z\"\n\n[data.profiles]\nfiles = [\"people.csv\"]\nid = \"id\"\n\
                    time = \"since\"\n\n[data.events]\nfiles = [\"events.csv\"]\nid = \"id\"\nevent = \"name\"\ntime = \"at\"\n\n\
                    [data.merges]\nfiles = [\"merges.csv\"]\nfrom = \"from\"\ninto = \"into\"\n";
    let segments = "when people are in several, prefer \"Buyers\", then \"Pros\", then \"Lately\"\n\n\
                    segment \"Buyers\"\n    expect between 1 and 20 people\n    include people who did Bought at least 2 times ever\n\n\
                    segment \"Pros\"\n    include people whose plan is \"pro\"\n\n\
                    segment \"Lately\"\n    include people who did Seen within the past 9 days where title is \"t1\"\n\n\
                    segment \"Tagged\"\n    include people whose tags is \"x\"\n";
    write(dir, "people.csv", &people);
    write(dir, "events.csv", &events);
    write(dir, "merges.csv", &merges);
    write(dir, "schema.toml", schema);
    write(dir, "seg.toml", settings);
    write(dir, "s.seg", segments);
}

#[test]
fn merged_partitions_of_generated_people_are_the_whole() {
    for (n_people, n) in [(3, 4), (40, 3), (700, 8)] {
        let dir = tempfile::tempdir().expect("a directory");
        generate(dir.path(), n_people);
        compare(dir.path(), n, "plan,tags", n_people > 3);
    }
}

#[test]
fn changes_since_a_run_over_everybody_are_told_of_partitions() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    generate(dir, 300);
    ok(dir, &["run", "--at", "2026-05-20T00:00:00Z", "--members", "before.csv"]);
    ok(dir, &["run", "--changes-since", "before.csv", "--changes", "whole.csv"]);
    ok(dir, &["pack", "--store", "parts", "--partitions", "4", "--memory", "200MB"]);
    let results = run_each(dir, ".", ("parts", "r"), 4, &["--memory", "200MB"]);
    let results: Vec<&str> = results.iter().map(String::as_str).collect();
    let changes = ["--changes-since", "before.csv", "--changes", "merged.csv"];
    ok(dir, &[&["merge-results"], results.as_slice(), &changes].concat());
    assert!(read(dir, "whole.csv").lines().count() > 20);
    assert_eq!(read(dir, "merged.csv"), read(dir, "whole.csv"));
    // Sizes that are too large are those of everybody.
    let denied = seg(dir, &[&["merge-results", "--deny"], results.as_slice()].concat());
    assert_eq!(denied.status.code(), Some(1), "{}", err(&denied));
    assert!(err(&denied).contains("and 1 to 20 were expected"), "{}", err(&denied));
}

#[test]
fn what_is_not_all_of_one_run_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    generate(dir, 60);
    ok(dir, &["pack", "--store", "parts", "--partitions", "3"]);
    let results = run_each(dir, ".", ("parts", "r"), 3, &[]);
    let results: Vec<&str> = results.iter().map(String::as_str).collect();
    let merge = |files: &[&str]| refused(dir, &[&["merge-results", "--members", "m.csv"], files].concat());
    let mut told = String::new();
    let mut tell = |what: &str, message: String| {
        let _ = writeln!(told, "{what}\n    {}", message.trim_end());
        assert!(!dir.join("m.csv").exists(), "{what}");
    };
    tell("one is missing", merge(&results[..2]));
    tell("all but one are missing", merge(&results[1..2]));
    tell("one comes twice", merge(&[results[0], results[1], results[1]]));
    run_each(dir, ".", ("parts", "later"), 1, &["--at", "2026-05-30T00:00:00Z"]);
    tell("another instant", merge(&["later-0.arrow", results[1], results[2]]));
    run_each(dir, ".", ("parts", "columns"), 1, &["--columns", "plan"]);
    tell("other columns", merge(&["columns-0.arrow", results[1], results[2]]));
    let whole = std::fs::read(dir.join(results[0])).expect("a result");
    std::fs::write(dir.join("cut.arrow"), &whole[..whole.len() / 2]).expect("written");
    tell("cut off", merge(&["cut.arrow", results[1], results[2]]));
    tell("no result", merge(&["people.csv", results[1], results[2]]));
    tell("not there", merge(&["none.arrow", results[1], results[2]]));
    let segments = read(dir, "s.seg");
    write(dir, "s.seg", &segments.replace("at least 2 times", "at least 3 times"));
    tell("another meaning", merge(&results));
    write(dir, "s.seg", &segments.replace("\"Tagged\"", "\"Marked\""));
    tell("another name", merge(&results));
    write(dir, "s.seg", &segments);
    let settings = read(dir, "seg.toml");
    write(dir, "seg.toml", &settings.replace("name = \"made\"", "name = \"other\""));
    tell("another project", merge(&results));
    write(dir, "seg.toml", &settings);
    write(dir, "events.csv", &format!("{}p1,Seen,2026-05-02T00:00:00Z,,\n", read(dir, "events.csv")));
    ok(dir, &["pack", "--store", "parts", "--partitions", "3"]);
    run_each(dir, ".", ("parts", "packed"), 1, &[]);
    tell("another packing", merge(&["packed-0.arrow", results[1], results[2]]));
    tell("data of everybody", refused(dir, &["run", "--partition-result", "m.csv"]));
    tell("all partitions at once", refused(dir, &["run", "--store", "parts"]));
    tell("sizes of a partition", refused(dir, &["run", "--store", "parts/0", "--deny"]));
    tell("a store where partitions are", refused(dir, &["pack", "--store", "parts"]));
    tell("a partition packed alone", refused(dir, &["pack", "--store", "parts/1", "--append"]));
    ok(dir, &["pack", "--store", "whole"]);
    tell("partitions where a store is", refused(dir, &["pack", "--store", "whole", "--partitions", "2"]));
    tell("partitions where other things are", refused(dir, &["pack", "--store", ".", "--partitions", "2"]));
    insta::assert_snapshot!(told.replace(&dir.display().to_string(), "DIR"));
    // What is refused leaves what was there.
    ok(dir, &["store", "verify", "--store", "parts/2"]);
    assert!(!dir.join("parts.packing").exists() && !dir.join("parts.before").exists());
}

#[test]
fn who_is_forgotten_is_in_no_partition() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    generate(dir, 200);
    let mut events = read(dir, "events.csv");
    events.push_str("remember-me,Bought,2026-05-02T00:00:00Z,never,unlike-any-other\n");
    write(dir, "events.csv", &events);
    ok(dir, &["pack", "--store", "parts", "--partitions", "3", "--max-bad", "5%"]);
    let files = |dir: &Path| {
        let mut all = Vec::new();
        for number in 0..3 {
            let mut folders = vec![dir.join(format!("parts/{number}"))];
            while let Some(folder) = folders.pop() {
                for entry in std::fs::read_dir(folder).expect("a folder") {
                    let path = entry.expect("an entry").path();
                    if path.is_dir() { folders.push(path) } else { all.push(std::fs::read(path).expect("a file")) }
                }
            }
        }
        all
    };
    let has = |what: &str| files(dir).iter().any(|bytes| bytes.windows(what.len()).any(|own| own == what.as_bytes()));
    assert!(has("remember-me") && has("unlike-any-other"));
    for number in 0..3 {
        seg(dir, &["store", "forget", "remember-me", "--store", &format!("parts/{number}")]);
    }
    assert!(!has("remember-me") && !has("unlike-any-other"));
    let results = run_each(dir, ".", ("parts", "r"), 3, &[]);
    let results: Vec<&str> = results.iter().map(String::as_str).collect();
    ok(dir, &[&["merge-results", "--members", "merged.csv"], results.as_slice()].concat());
    let without =
        read(dir, "events.csv").replace("remember-me,Bought,2026-05-02T00:00:00Z,never,unlike-any-other\n", "");
    write(dir, "events.csv", &without);
    ok(dir, &["run", "--members", "whole.csv"]);
    assert_eq!(read(dir, "merged.csv"), read(dir, "whole.csv"));
}
