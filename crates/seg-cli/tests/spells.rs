//! Entries and exits as the command tells of them: beside members, day by day, of a sample.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "tests may panic"
)]

mod command;

use command::{err, read, run, seg, write};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

const SETTINGS: &str = "name = \"shop\"\ntimezone = \"UTC\"\nat = \"2026-06-01T12:00:00Z\"\n\
    [data.events]\nfiles = [\"events.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n";
const SEGMENTS: &str = "segment \"Lately\" include people who ordered in the past 2 days\n\
    segment \"Loyal\" include people who ordered at least 3 times in the past 30 days\n";
/// Ann twice in a row, Ben once and long before, Cleo once, Dan three times, Eve after now.
const EVENTS: &str = "id,event,time\n\
    ann,order,2026-05-31T10:00:00Z\nann,order,2026-06-01T10:00:00Z\n\
    ben,order,2026-05-01T10:00:00Z\nben,order,2026-05-30T13:00:00Z\n\
    cleo,order,2026-05-20T10:00:00Z\n\
    dan,order,2026-05-20T00:00:00Z\ndan,order,2026-05-25T00:00:00Z\ndan,order,2026-05-31T00:00:00Z\n\
    eve,order,2026-06-02T00:00:00Z\n";

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "seg.toml", SETTINGS);
    write(dir.path(), "schema.toml", "[events.order]\nalso = [\"ordered\"]\n");
    write(dir.path(), "events.csv", EVENTS);
    write(dir.path(), "s.seg", SEGMENTS);
    dir
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// Entries of long before the window are found, and an order in between moves the exit.
#[test]
fn members_stand_beside_their_entry_and_exit() {
    let dir = project();
    run(dir.path(), 0, &["--members", "m.csv", "--columns", "leaves_at,entered_at"]);
    assert_eq!(
        read(dir.path(), "m.csv"),
        "segment,profile_id,entered_at,leaves_at\n\
         Lately,ann,2026-05-31T10:00:00Z,2026-06-03T10:00:00.000001Z\n\
         Lately,ben,2026-05-30T13:00:00Z,2026-06-01T13:00:00.000001Z\n\
         Lately,dan,2026-05-31T00:00:00Z,2026-06-02T00:00:00.000001Z\n\
         Loyal,dan,2026-05-31T00:00:00Z,2026-06-19T00:00:00.000001Z\n"
    );
    run(dir.path(), 0, &["--members", "of/", "--layout", "files", "--columns", "leaves_at"]);
    assert_eq!(read(&dir.path().join("of"), "Loyal.csv"), "profile_id,leaves_at\ndan,2026-06-19T00:00:00.000001Z\n");
    let refused = run(dir.path(), 2, &["--members", "w.csv", "--layout", "wide", "--columns", "leaves_at"]);
    assert!(refused.contains("`leaves_at` is of a person in one segment"), "{refused}");
    // What has such columns is read back as any other result.
    let same = run(dir.path(), 0, &["--changes-since", "m.csv", "--changes", "c.csv"]);
    assert_eq!(same, "changes since m.csv written to c.csv: 0 entered, 0 left\n");
}

#[test]
fn changes_tell_of_those_who_stayed_where_that_is_asked_for() {
    let dir = project();
    run(dir.path(), 0, &["--at", "2026-05-31T05:00:00Z", "--members", "m.csv"]);
    let args = ["--changes-since", "m.csv", "--changes", "c.csv", "--with-stayed", "--columns", "leaves_at"];
    run(dir.path(), 0, &args);
    assert_eq!(
        read(dir.path(), "c.csv"),
        "segment,profile_id,change,leaves_at\n\
         Lately,ann,entered,2026-06-03T10:00:00.000001Z\n\
         Lately,ben,stayed,2026-06-01T13:00:00.000001Z\n\
         Lately,dan,stayed,2026-06-02T00:00:00.000001Z\n\
         Loyal,dan,stayed,2026-06-19T00:00:00.000001Z\n"
    );
}

/// The same figures that were computed without Seg, by the command.
#[test]
fn history_gives_the_entries_and_exits_that_were_counted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let args = ["history", "examples/online-retail", "--at", "2011-07-01T00:00:00Z", "--days", "20", "--format", "csv"];
    let found = seg(&root, &args);
    assert_eq!(found.status.code(), Some(0), "{}", err(&found));
    let found = out(&found);
    let mut lines = found.lines();
    let head: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let place = |name: &str| head.iter().position(|column| *column == name).expect(name);
    // The name of a segment stands first, in quotes, with a comma inside.
    let rows: Vec<(String, Vec<&str>)> = lines
        .map(|line| {
            let (name, rest) = line[1..].split_once("\",").expect("a name in quotes");
            (format!("\"{name}\""), rest.split(',').collect())
        })
        .collect();
    let expected = |file: &str| read(&root.join("tests/data/expected"), file);
    let figures: BTreeSet<String> = rows
        .iter()
        .map(|(segment, row)| {
            let figure = |name: &str| row[place(name) - 1];
            let (after, until) = (figure("after"), figure("until"));
            let rest =
                ["size_before", "entered_people", "left_people", "entries", "exits", "exits_by_event", "exits_by_time"];
            format!("{after},{until},{segment},{}", rest.map(figure).join(","))
        })
        .collect();
    for line in expected("moves.csv").lines().skip(1) {
        assert!(figures.contains(line), "{line} is not among\n{found}");
    }
    let sizes: BTreeSet<String> = rows
        .iter()
        .map(|(segment, row)| format!("{},{segment},{}", row[place("until") - 1], row[place("size") - 1]))
        .collect();
    for line in expected("sizes.csv").lines().skip(1) {
        assert!(sizes.contains(line), "{line} is not among\n{found}");
    }
}

/// How long people stay, to the last digit: what was computed without Seg.
#[test]
fn history_tells_how_long_people_stay() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let expected = read(&root.join("tests/data/expected"), "dwell.csv");
    let period = ["--at", "2011-07-01T00:00:00Z", "--days", "91", "--entered-until", "2011-05-31T23:59:59.999999Z"];
    let found = seg(&root, &[&["history", "examples/online-retail", "--format", "json"], &period[..]].concat());
    assert_eq!(found.status.code(), Some(0), "{}", err(&found));
    let json: serde_json::Value = serde_json::from_str(&out(&found)).expect("JSON");
    let mut n = 0;
    for line in expected.lines().skip(1) {
        let (name, rest) = line[1..].split_once("\",").expect("a name in quotes");
        let dwell = &json["dwell"][name];
        let seconds = |key: &str| dwell[key].as_f64().map_or(String::new(), |seconds| format!("{seconds:.6}"));
        let counts = ["spells", "ended", "open"].map(|key| dwell[key].to_string()).join(",");
        let found = format!(
            "2011-04-01T00:00:00Z,2011-06-01T00:00:00Z,{counts},{}",
            ["p25_s", "p50_s", "p75_s"].map(seconds).join(",")
        );
        assert_eq!(found, rest, "{name}");
        n += 1;
    }
    assert_eq!(n, 2);
}

#[test]
fn history_is_read_at_80_columns() {
    let dir = project();
    let shown = out(&seg(dir.path(), &["history", "--days", "3"]));
    insta::assert_snapshot!(shown, @r#"
    shop: 5 people, 3 days up to 2026-06-01T12:00:00Z (from seg.toml)
    segment      size   change                            in     out
    ───────────────────────────────────────────────────────────────
    Lately          3       +3  ▁██                        3       0
    Loyal           1       +1  ▁██                        1       0
    "#);
    assert!(shown.lines().skip(1).all(|line| line.chars().count() <= 80), "{shown}");
    insta::assert_snapshot!(out(&seg(dir.path(), &["history", "--days", "3", "--segment", "Lately"])), @r#"
    shop: 5 people, 3 days up to 2026-06-01T12:00:00Z (from seg.toml)
    "Lately"
    at                           people      size  entered     left  by time  by an event
    ─────────────────────────────────────────────────────────────────────────────────────
    2026-05-30T12:00:00Z              3         0        0        0        0            0
    2026-05-31T12:00:00Z              4         3        3        0        0            0
    2026-06-01T12:00:00Z              4         3        0        0        0            0
    stays: 3 began in these days, 3 go on; fewer than a quarter have ended
    "#);
    let unknown = seg(dir.path(), &["history", "--segment", "Latly"]);
    assert_eq!((unknown.status.code(), err(&unknown).contains("did you mean \"Lately\"?")), (Some(2), true));
}

/// By MD5 of the seed, the segment and the id, which another implementation gave.
#[test]
fn samples_are_the_same_for_a_seed() {
    let dir = project();
    let ids = |args: &[&str]| {
        let output = seg(dir.path(), &[&["sample", "Lately", "--format", "json"], args].concat());
        let json: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
        json["people"]
            .as_array()
            .expect("people")
            .iter()
            .map(|p| p["id"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]), ["ben", "ann", "dan"]);
    assert_eq!(ids(&["--seed", "b", "-n", "2"]), ["ben", "dan"]);
    insta::assert_snapshot!(out(&seg(dir.path(), &["sample", "Lately", "-n", "1", "--days", "30"])), @r#"
    "Lately": 1 of 3 members, 1 June 2026 12:00 (from seg.toml)

    ✓ ben  in since 30 May 13:00, leaves 1 June 13:00
        order                ··········································1·· 2, last 1 day 23 hours ago
                             2 May 12:00                      1 June 12:00
    "#);
    insta::assert_snapshot!(out(&seg(dir.path(), &["sample", "Loyal", "--near-misses", "--days", "30"])), @r#"
    "Loyal": 3 whom one condition keeps out, 1 June 2026 12:00 (from seg.toml)

    ✗ ann  one short: ordered twice in the past 30 days (1 June 10:00, 31 May 10:00), at least 3 wanted
        order                ···········································11 2, last 2 hours ago
                             2 May 12:00                      1 June 12:00

    ✗ ben  2 short: ordered once in the past 30 days (30 May 13:00), at least 3 wanted
        order                ··········································1·· 2, last 1 day 23 hours ago
                             2 May 12:00                      1 June 12:00

    ✗ cleo  2 short: ordered once in the past 30 days (20 May 10:00), at least 3 wanted
        order                ··························1·················· 1, last 12 days 2 hours ago
                             2 May 12:00                      1 June 12:00
    "#);
}

/// Sizes that are expected, beside segments at 80 columns and by day, for people and for tools.
#[test]
fn history_says_what_is_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let at = ["--at", "2011-07-01T00:00:00Z", "--forecast"];
    let shown = |args: &[&str]| {
        let found = seg(&root, &[&["history", "examples/online-retail"], &at[..], args].concat());
        assert_eq!(found.status.code(), Some(0), "{}", err(&found));
        out(&found)
    };
    let table = shown(&[]);
    insta::assert_snapshot!(table);
    assert!(table.lines().skip(1).all(|line| line.chars().count() <= 80), "{table}");
    insta::assert_snapshot!(shown(&["--days", "3", "--segment", "One and done, 30 to 90 days ago"]));
    let csv = shown(&["--format", "csv"]);
    let head = csv.lines().next().expect("a header");
    assert_eq!(csv.lines().count(), 1 + 7 * 14, "{csv}");
    let json: serde_json::Value = serde_json::from_str(&shown(&["--format", "json"])).expect("JSON");
    let days = json["forecast"]["One and done, 30 to 90 days ago"].as_array().expect("days");
    assert_eq!((days.len(), days[13]["days_ahead"].as_u64()), (14, Some(14)));
    let line = csv.lines().find(|line| line.contains("\"One and done, 30 to 90 days ago\",2011-07-15")).expect("a day");
    let place = |name: &str| head.split(',').position(|column| column == name).expect(name) + 1;
    let cell = |name: &str| line.split(',').nth(place(name)).expect(name).to_owned();
    // The comma in the name of the segment is one more.
    assert_eq!(cell("size"), days[13]["size"]["expected"].to_string().trim_end_matches(".0"));
    assert_eq!(cell("size_low"), days[13]["size"]["low"].to_string().trim_end_matches(".0"));
    // Another horizon, and days that the data do not have.
    let short = shown(&["--format", "json", "--segment", "One and done, 30 to 90 days ago", "--days", "3"]);
    assert!(short.contains("\"forecast\""), "{short}");
    let early = seg(
        &root,
        &["history", "examples/online-retail", "--at", "2010-12-15T00:00:00Z", "--forecast=7", "--days", "3"],
    );
    assert!(out(&early).contains("with fewer than 28 days of data, the last value is shown"), "{}", out(&early));
    let refused = seg(&root, &["history", "examples/online-retail", "--forecast=91"]);
    assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
}

/// Somebody orders every day and leaves after two; on the last day nobody does, or ten people.
#[test]
fn a_run_compares_sizes_with_what_was_expected() {
    let orders = |n_today: usize| {
        let mut events = "id,event,time\n".to_owned();
        let first = seg::Timestamp::read("2026-02-01T10:00:00Z", None).expect("an instant");
        for day in 0..120 {
            let at = seg::Timestamp(first.0 + day * 86_400_000_000);
            events.push_str(&format!("p{day},order,{at}\n"));
        }
        (0..n_today).for_each(|n| events.push_str(&format!("n{n},order,2026-06-01T10:00:00Z\n")));
        events
    };
    let dir = project();
    let guarded = format!("{}[forecast]\nguard = 0.97\n", SETTINGS);
    write(dir.path(), "seg.toml", &guarded);
    write(dir.path(), "events.csv", &orders(1));
    let said = err(&seg(dir.path(), &["run", "--deny"]));
    assert_eq!(
        (said.contains("were expected"), seg(dir.path(), &["run", "--deny"]).status.code()),
        (false, Some(0)),
        "{said}"
    );
    write(dir.path(), "events.csv", &orders(10));
    let found = seg(dir.path(), &["run", "--deny"]);
    let said = err(&found);
    assert!(said.contains("size: \"Lately\" has 11 people, and 2 to 2 were expected by the days before"), "{said}");
    assert_eq!((found.status.code(), said.matches("were expected").count()), (Some(1), 1), "{said}");
    // People in parts are as many as people together, and a store has the same days.
    let parted = err(&seg(dir.path(), &["run", "--memory", "1MB"]));
    assert!(parted.contains("\"Lately\" has 11 people, and 2 to 2 were expected"), "{parted}");
    let json = out(&seg(dir.path(), &["run", "--format", "json"]));
    assert!(json.contains("has 11 people, and 2 to 2 were expected"), "{json}");
    // There are 20 days of data on that day.
    let early = seg(dir.path(), &["run", "--deny", "--at", "2026-02-21T12:00:00Z"]);
    assert_eq!(early.status.code(), Some(0));
    assert!(err(&early).contains("was not judged, for there are fewer than 28 of them"), "{}", err(&early));
    write(dir.path(), "seg.toml", &guarded.replace("0.97", "1.5"));
    assert!(err(&seg(dir.path(), &["run"])).contains("`guard` is a part of days from 0.5 to 0.97, and 1.5 is none"));
}
