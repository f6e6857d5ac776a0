//! `seg overlap` over a few people whose segments are counted by hand.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod command;

use command::{err, seg, write};

const SETTINGS: &str = "name = \"shop\"\ntimezone = \"UTC\"\nat = \"2026-06-01T12:00:00Z\"\n[data.profiles]\nfiles = [\"people.csv\"]\nid = \"id\"\n[data.events]\nfiles = [\"events.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n";
const SCHEMA: &str = "[attributes]\ncountry = \"text\"\nsuppressed = \"boolean\"\n[channels.email]\n[events.order]\nalso = [\"ordered\"]\n";
/// Ordered 1, 1, 20, 20, 60 and 200 days ago; Fay is suppressed, Gus never ordered.
const PEOPLE: &str = "id,country,suppressed\nann,DE,false\nben,DE,false\ncy,US,false\ndan,DE,false\neve,US,false\nfay,DE,true\ngus,US,false\n";
const EVENTS: &str = "id,event,time\nann,order,2026-05-31T12:00:00Z\nben,order,2026-05-31T12:00:00Z\ncy,order,2026-05-12T12:00:00Z\ndan,order,2026-05-12T12:00:00Z\neve,order,2026-04-02T12:00:00Z\nfay,order,2026-05-31T12:00:00Z\n";
const SEGMENTS: &str = r#"
everyone must suppressed is false or unknown

segment "Week" used by campaign "Thanks" include people who ordered in the past 7 days
segment "Month" used by campaign "News" include people who ordered in the past 30 days
segment "Germany" used by campaign "Fair" include people whose country is "DE"
segment "Quiet" include people who have not ordered in the past 30 days
segment "Never" include people who have never ordered
"#;

fn project(segments: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, text) in [
        ("seg.toml", SETTINGS),
        ("schema.toml", SCHEMA),
        ("people.csv", PEOPLE),
        ("events.csv", EVENTS),
        ("s.seg", segments),
    ] {
        write(dir.path(), name, text);
    }
    dir
}

fn said(dir: &tempfile::TempDir, args: &[&str]) -> String {
    let output = seg(dir.path(), &[&["overlap"], args].concat());
    assert!(output.status.success(), "{args:?}: {}", err(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Week is ann and ben (fay is suppressed, as Week is used); Month these with cy and dan;
/// Germany ann, ben and dan; Quiet eve and gus, Never gus.
#[test]
fn pairs_are_counted_and_those_without_an_order_come_first() {
    let dir = project(SEGMENTS);
    assert_eq!(
        said(&dir, &["--format", "csv"]).lines().collect::<Vec<_>>(),
        [
            "a,b,size_a,size_b,both,share_of_a,share_of_b,jaccard",
            "Month,Germany,4,3,3,0.750000,1.000000,0.750000",
            "Week,Month,2,4,2,1.000000,0.500000,0.500000",
            "Week,Germany,2,3,2,1.000000,0.666667,0.666667",
            "Quiet,Never,2,1,1,0.500000,1.000000,0.500000",
            "Week,Quiet,2,2,0,0.000000,0.000000,0.000000",
            "Week,Never,2,1,0,0.000000,0.000000,0.000000",
            "Month,Quiet,4,2,0,0.000000,0.000000,0.000000",
            "Month,Never,4,1,0,0.000000,0.000000,0.000000",
            "Germany,Quiet,3,2,0,0.000000,0.000000,0.000000",
            "Germany,Never,3,1,0,0.000000,0.000000,0.000000",
        ]
    );
    insta::assert_snapshot!("overlap", said(&dir, &[]));
    insta::assert_snapshot!(
        "overlap_json",
        said(&dir, &["--format", "json", "--segment", "Week", "--segment", "Month"])
    );
}

#[test]
fn the_order_says_who_takes_whom() {
    let order = "when people are in several, prefer \"Germany\", then \"Month\", then \"Week\"\n";
    let dir = project(&format!("{SEGMENTS}{order}"));
    // Germany keeps its three; of Month cy is left, of Week nobody.
    assert_eq!(
        said(&dir, &["--waterfall", "--format", "csv"]).lines().collect::<Vec<_>>(),
        [
            "segment,members,kept,goes_to: Germany,goes_to: Month,goes_to: Week",
            "Germany,3,3,,0,0",
            "Month,4,1,3,,0",
            "Week,2,0,2,0,",
        ]
    );
    assert!(!said(&dir, &[]).contains("no order"), "with an order, none is asked for");
    let other = ["--waterfall", "--format", "csv", "--order", "Week", "--order", "Germany"];
    assert_eq!(
        said(&dir, &other).lines().collect::<Vec<_>>(),
        ["segment,members,kept,goes_to: Week,goes_to: Germany", "Week,2,2,,0", "Germany,3,1,2,"]
    );
    insta::assert_snapshot!("waterfall", said(&dir, &["--waterfall"]));
}

#[test]
fn names_that_no_segment_has_are_refused() {
    let dir = project(SEGMENTS);
    for (args, why) in [
        (["--segment", "Weeks"], "there is no segment \"Weeks\" that is run (did you mean \"Week\"?)"),
        (["--order", "Nobody at all"], "there is no segment \"Nobody at all\" that is run"),
    ] {
        let output = seg(dir.path(), &[&["overlap"][..], &args].concat());
        assert_eq!((output.status.code(), err(&output).trim_end()), (Some(2), format!("seg: {why}").as_str()));
    }
    let twice = seg(dir.path(), &["overlap", "--order", "Week", "--order", "Week"]);
    assert_eq!((twice.status.code(), err(&twice).trim_end()), (Some(2), "seg: \"Week\" is named twice"));
}
