//! Figures that were computed without Seg, reproduced to the last digit; see
//! `tests/data/expected/README.md`.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod command;

use command::{err, read, seg, write};
use serde_json::Value;
use std::path::{Path, PathBuf};

const DONE: &str = "One and done, 30 to 90 days ago";
const REGULARS: &str = "Regulars, 3 invoices in 180 days";
const AT: &str = "2011-07-01T00:00:00Z";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

fn expected(name: &str) -> String {
    read(&root().join("tests/data/expected"), name)
}

fn said(args: &[&str]) -> String {
    let output = seg(&root(), args);
    assert!(output.status.success(), "{args:?}: {}", err(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&said(args)).expect("JSON")
}

#[test]
fn people_of_two_segments() {
    let two = ["overlap", "examples/online-retail", "--at", AT, "--segment", REGULARS, "--segment", DONE];
    assert_eq!(said(&[&two[..], &["--format", "csv"]].concat()), expected("overlap.csv"));
    let order = ["--order", REGULARS, "--order", DONE, "--waterfall", "--format", "csv"];
    assert_eq!(said(&[&two[..4], &order].concat()), expected("waterfall.csv"));
}

#[test]
fn a_changed_version() {
    let dir = tempfile::tempdir().expect("a directory");
    let example = root().join("examples/online-retail");
    for version in ["old", "new"] {
        std::fs::create_dir(dir.path().join(version)).expect("a folder");
        for file in ["seg.toml", "schema.toml", "lifecycle.seg", "value.seg"] {
            let text = read(&example, file);
            let text =
                if version == "new" { text.replace("was 30 to 90 days ago", "was 30 to 60 days ago") } else { text };
            write(dir.path(), &format!("{version}/{file}"), &text);
        }
    }
    let place = |version: &str| dir.path().join(version).to_string_lossy().into_owned();
    let (old, new) = (place("old"), place("new"));
    let args = ["diff", &old, &new, "--data", "examples/online-retail", "--at", AT, "--format", "csv"];
    let said = said(&args);
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(said.as_bytes()).records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 7);
    // The columns that the expected figures have: the segment, the instant, sizes, who moves.
    let figures = |row: &csv::StringRecord| [0, 3, 4, 5, 6, 7].map(|at| row[at].to_owned());
    let changed: Vec<_> = rows.iter().filter(|row| &row[1] != "same").collect();
    assert_eq!((&changed[0][1], &changed[0][2], changed.len()), ("narrower", "proved", 1));
    let text = expected("versions.csv");
    let known = csv::Reader::from_reader(text.as_bytes()).records().next().expect("a row").expect("a row");
    assert_eq!(&known[1], "30 to 60 days");
    assert_eq!(figures(changed[0]), [0, 2, 3, 4, 5, 6].map(|at| known[at].to_owned()));
}

#[test]
fn how_fresh_data_is() {
    let found = json(&["doctor", "examples/online-retail", "--at", "2011-07-26T00:00:00Z", "--format", "json"]);
    let mut rows: Vec<String> = found["freshness"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| {
            let names = ["event", "events", "first", "last", "age_s", "longest_gap_90d_s", "limit_s", "verdict"]
                .map(|name| &row[name]);
            names.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).join(",")
        })
        .collect();
    rows.sort();
    let expected = expected("freshness.csv");
    assert_eq!(rows, expected.lines().skip(1).collect::<Vec<_>>());
}

#[test]
fn how_long_people_wait_between_purchases() {
    let found = json(&["doctor", "examples/online-retail", "--at", AT, "--format", "json"]);
    let cycle = &found["buying_cycle"];
    let gaps = cycle["gaps"].as_u64().expect("a number");
    let mut figures = vec![format!("gaps,{gaps}")];
    figures.push(format!("people_with_a_purchase,{}", cycle["people_with_a_purchase"]));
    let percentiles = cycle["percentiles"].as_object().expect("an object");
    figures.extend(percentiles.iter().map(|(name, days)| format!("{name},{days}")));
    for wait in cycle["waits"].as_array().expect("a list") {
        let (days, longer) = (&wait["days"], wait["longer"].as_u64().expect("a number"));
        let share = wait["share"].as_f64().expect("a number");
        figures.push(format!("gaps_longer_than_{days}_days,{longer} of {gaps} = {share:.6}"));
    }
    let expected = expected("cycle.csv");
    assert_eq!(figures, expected.lines().skip(1).collect::<Vec<_>>());
}

/// The example, of whose last sentence in `lifecycle.seg` half of all people are held out.
fn with_holdout() -> tempfile::TempDir {
    let (dir, example) = (tempfile::tempdir().expect("a directory"), root().join("examples/online-retail"));
    for file in ["seg.toml", "schema.toml", "value.seg"] {
        let data = example.join("data");
        write(dir.path(), file, &read(&example, file).replace("\"data/", &format!("\"{}/", data.display())));
    }
    let text = read(&example, "lifecycle.seg");
    let exclude = "    exclude people in a random 50% of people, by \"spring\"\n";
    write(dir.path(), "lifecycle.seg", &format!("{}\n{exclude}", text.trim_end()));
    dir
}

#[test]
fn people_who_reach_a_goal() {
    let (held_out, text) = (with_holdout(), expected("conversion.csv"));
    let mut known = csv::Reader::from_reader(text.as_bytes());
    let head = known.headers().expect("a header").clone();
    let mut n = 0;
    for row in known.records().map(|row| row.expect("a row")) {
        let of = |column: &str| &row[head.iter().position(|name| name == column).expect(column)];
        let goal = format!("purchase_line within {} days", of("days"));
        let is_split = of("group") != "all";
        let dir =
            if is_split { held_out.path().to_string_lossy().into_owned() } else { "examples/online-retail".to_owned() };
        let mut args =
            vec!["conversion", &dir, "--at", AT, "--segment", of("segment"), "--goal", &goal, "--format", "csv"];
        args.extend(["--revenue", "quantity times unit_price", "--from", of("from"), "--to", of("to")]);
        if is_split {
            args.extend(["--holdout", "spring"]);
        }
        let said = said(&args);
        let mut found = csv::Reader::from_reader(said.as_bytes());
        let own = found.headers().expect("a header").clone();
        let group = own.iter().position(|name| name == "group").expect("a column");
        let rows: Vec<csv::StringRecord> = found.records().map(|row| row.expect("a row")).collect();
        let found = rows.iter().find(|row| &row[group] == of("group")).expect("the group");
        for column in head.iter().filter(|column| *column != "days") {
            let at = own.iter().position(|name| name == column).unwrap_or_else(|| panic!("no column {column}"));
            assert_eq!(&found[at], of(column), "{column} of {}, {}", of("segment"), of("group"));
        }
        n += 1;
    }
    assert_eq!(n, 4);
}

#[test]
fn people_who_are_not_in_it() {
    let goal = ["--goal", "purchase_line within 14 days", "--from", "2011-05-01", "--to", "2011-06-01"];
    let of = ["conversion", "examples/online-retail", "--at", AT, "--segment", DONE, "--format", "json"];
    let found = json(&[&of[..], &goal].concat());
    let outside = &found["segments"][0]["not_in_it"];
    let rate = |value: &Value| format!("{:.6}", value.as_f64().expect("a rate"));
    let mut rows: Vec<String> = outside["days"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|day| {
            let at = day["day"].as_str().expect("a day");
            format!("\"{DONE}\",{at},{},{},{},{}", day["entered"], day["people"], day["converted"], rate(&day["rate"]))
        })
        .collect();
    rows.push(format!("\"{DONE}\",weighed,{},,,{}", found["segments"][0]["all"]["people"], rate(&outside["rate"])));
    assert_eq!(rows, expected("baseline.csv").lines().skip(1).collect::<Vec<_>>());
}
