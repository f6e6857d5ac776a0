//! `seg test --mutants`: what tests notice, and what they do not.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod command;

use command::{err, seg, write};
use serde_json::Value;

const SETTINGS: &str = "name = \"shop\"\ntimezone = \"UTC\"\n";
const SCHEMA: &str = "[attributes]\ncountry = \"text\"\nspent = \"integer\"\n[events.order]\nalso = [\"ordered\"]\n[events.view]\nalso = [\"viewed\"]\n";

fn project(segments: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "seg.toml", SETTINGS);
    write(dir.path(), "schema.toml", SCHEMA);
    write(dir.path(), "s.seg", segments);
    dir
}

/// The changes as `place: before → after`, those that are noticed and those that are not.
fn changes(segments: &str) -> (Vec<String>, Vec<String>) {
    let dir = project(segments);
    let output = seg(dir.path(), &["test", "--mutants", "--format", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", err(&output)));
    let shown = |change: &Value| {
        let text = |key: &str| change[key].as_str().expect("a text").to_owned();
        format!("{}: {} → {}", text("place"), text("before"), text("after"))
    };
    let all = json["mutants"]["changes"].as_array().expect("a list");
    let of = |is_noticed: bool| all.iter().filter(|change| change["noticed"] == is_noticed).map(shown).collect();
    let (noticed, others): (Vec<String>, Vec<String>) = (of(true), of(false));
    assert_eq!(json["mutants"]["not_noticed"], others.len());
    assert_eq!(output.status.code(), Some(i32::from(!others.is_empty())));
    (noticed, others)
}

const RECENT: &str = "segment \"Recent\"\ninclude people who ordered in the past 30 days\n";

#[test]
fn a_test_notices_what_it_looks_at() {
    // Somebody who ordered lately is in, whatever the length of the window.
    let near = "test \"t\"\nat 2026-06-01\nprofile \"a\" did order 3 days ago\nexpect \"a\" in \"Recent\"\n";
    let (noticed, others) = changes(&format!("{RECENT}{near}"));
    assert_eq!(
        noticed,
        [
            "s.seg:2: who ordered in the past 30 days → not (who ordered in the past 30 days)",
            "s.seg:2: ordered → \"view\""
        ]
    );
    assert_eq!(
        others,
        [
            "s.seg:2: in the past 30 days → left out",
            "s.seg:2: 30 days → 31 days",
            "s.seg:2: 30 days → 29 days",
            "s.seg:2: 30 days → 60 days",
        ]
    );
    // The edges from both sides leave nothing.
    let edges = "test \"t\"\nat 2026-06-01\nprofile \"a\" did order 30 days ago\nprofile \"b\" did order 31 days ago\n\
        expect \"a\" in \"Recent\"\nexpect \"b\" not in \"Recent\"\n";
    let (noticed, others) = changes(&format!("{RECENT}{edges}"));
    assert_eq!((noticed.len(), others), (6, Vec::<String>::new()));
}

/// Every kind of change, of which none is noticed by a test that looks elsewhere.
#[test]
fn every_kind_of_change_is_tried() {
    let (noticed, others) = changes(
        "everyone must country is known\n\
         when people are in several, prefer \"A\", then \"B\"\n\
         define \"lately\" as viewed in the past 2 days\n\
         segment \"A\" used by campaign \"x\" grace period 10 minutes\n\
         include people whose spent is at least 50 and who viewed exactly 2 times in the past 3 days\n\
         exclude people whose country is one of \"DE\", \"FR\"\n\
         segment \"B\" include people who \"lately\" or whose last order was more than 90 days ago\n\
         segment \"C\" include people who viewed ever\n\
         test \"t\"\nat 2026-06-01\nprofile \"a\" country is \"DE\"\nexpect \"a\" not in \"C\"\n",
    );
    assert_eq!(noticed, ["s.seg:8: who viewed ever → not (who viewed ever)"]);
    for change in [
        "s.seg:1: everyone must country is known → left out",
        "s.seg:2: when people are in several, prefer \"A\", then \"B\" → \"B\" first",
        "s.seg:3: 2 days → 4 days",
        "s.seg:4: 10 minutes → left out",
        "s.seg:4: 10 minutes → 20 minutes",
        "s.seg:5: whose spent is at least 50 → left out",
        "s.seg:5: is at least 50 → is more than 50",
        "s.seg:5: 50 → 51",
        "s.seg:5: 50 → 49",
        "s.seg:5: exactly 2 times → exactly 3 times",
        "s.seg:5: viewed → \"order\"",
        "s.seg:6: whose country is one of \"DE\", \"FR\" → left out",
        "s.seg:6: \"DE\" → left out",
        "s.seg:7: was more than 90 days ago → was at least 90 days ago",
        "s.seg:7: last order → first order",
        "s.seg:8: viewed → \"order\"",
    ] {
        assert!(others.iter().any(|other| other == change), "{change} is not among\n{}", others.join("\n"));
    }
}

/// A change after which nobody is in or out who was not is none.
#[test]
fn what_means_the_same_is_no_change() {
    let segments = "segment \"A\" include people who ordered in the past 30 days and who ordered in the past 90 days\n\
        test \"t\"\nat 2026-06-01\nprofile \"a\" did order 30 days ago\nprofile \"b\" did order 31 days ago\n\
        expect \"a\" in \"A\"\nexpect \"b\" not in \"A\"\n";
    let (_, others) = changes(segments);
    // The wider window decides nothing; of the narrower one, all is noticed.
    assert_eq!(others, Vec::<String>::new());
}

#[test]
fn tests_that_fail_notice_nothing() {
    let failing = "test \"t\"\nat 2026-06-01\nprofile \"a\" did order 3 days ago\nexpect \"a\" not in \"Recent\"\n";
    let dir = project(&format!("{RECENT}{failing}"));
    let output = seg(dir.path(), &["test", "--mutants"]);
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1));
    assert!(out.ends_with("nothing was changed: the tests must pass as they are first\n"), "{out}");
}

#[test]
fn what_is_not_noticed_is_listed_for_people() {
    let near = "test \"t\"\nat 2026-06-01\nprofile \"a\" did order 3 days ago\nexpect \"a\" in \"Recent\"\n";
    let dir = project(&format!("{RECENT}{near}"));
    let output = seg(dir.path(), &["test", "--mutants"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!("mutants", String::from_utf8(output.stdout).expect("UTF-8"));
}
