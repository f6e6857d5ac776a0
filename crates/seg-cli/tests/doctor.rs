//! `seg doctor` over small data whose figures are computed by hand.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod command;

use command::{err, seg, write};
use serde_json::{Value, json};
use std::path::Path;

const SETTINGS: &str = "name = \"shop\"\ntimezone = \"UTC\"\nat = \"2026-06-01T12:00:00Z\"\n[data.profiles]\nfiles = [\"people.csv\"]\nid = \"id\"\n";
const EVENTS_OF: &str = "[data.events]\nfiles = [\"events.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n";
const SCHEMA: &str = "[attributes]\ncountry = \"text\"\nvip = \"boolean\"\n[channels.sms]\n\
    [events.order]\nrole = \"purchase\"\nalso = [\"ordered\"]\narrives_within = \"15 minutes\"\nproperties = { amount = \"money\" }\n\
    [events.cart]\n[events.view]\nalso = [\"viewed\"]\n";

/// A project with these settings after the usual ones, people, events and segments.
fn project(settings: &str, people: &str, events: &str, segments: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "seg.toml", &format!("{SETTINGS}{EVENTS_OF}{settings}"));
    write(dir.path(), "schema.toml", SCHEMA);
    write(dir.path(), "people.csv", people);
    write(dir.path(), "events.csv", events);
    write(dir.path(), "s.seg", segments);
    dir
}

fn doctor(dir: &Path, args: &[&str]) -> Value {
    let output = seg(dir, &[&["doctor", "--format", "json"], args].concat());
    assert!(output.status.success(), "{args:?}: {}", err(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn code(dir: &Path, args: &[&str]) -> Option<i32> {
    seg(dir, &[&["doctor"], args].concat()).status.code()
}

/// The findings of a kind: what they are about, the figure and the limit.
fn of_kind(found: &Value, kind: &str) -> Vec<Value> {
    let findings = found["findings"].as_array().expect("a list").iter();
    let of_kind = findings.filter(|finding| finding["kind"] == kind);
    of_kind.map(|finding| json!([finding["about"], finding["figure"], finding["limit"]])).collect()
}

fn messages(found: &Value, kind: &str) -> Vec<String> {
    let findings = found["findings"].as_array().expect("a list").iter();
    let of_kind = findings.filter(|finding| finding["kind"] == kind);
    of_kind.map(|finding| finding["message"].as_str().expect("a text").to_owned()).collect()
}

/// Ten orders arrive 1 minute before they happen, 1 to 8 minutes after and 40 minutes after.
/// The last is Zoe's, whose cart of 11:00 was paid at 11:30: a run at 12:00 did not know it.
/// Yan's cart of the day before was left indeed.
#[test]
fn events_that_arrive_late_make_entries_that_are_none() {
    let mut events = "id,event,time,received,amount\n".to_owned();
    for (n, minute) in [59, 1, 2, 3, 4, 5, 6, 7, 8].into_iter().enumerate() {
        let hour = if minute == 59 { "08" } else { "09" };
        events += &format!("p{n},order,2026-05-20T09:00:00Z,2026-05-20T{hour}:{minute:02}:00Z,1\n");
    }
    events += "zoe,cart,2026-05-31T11:00:00Z,2026-05-31T11:00:00Z,\n\
        zoe,order,2026-05-31T11:30:00Z,2026-05-31T12:10:00Z,1\n\
        yan,cart,2026-05-30T11:00:00Z,2026-05-30T11:00:00Z,\n";
    let segments = "segment \"Abandoned\" used by campaign \"Carts\" include people who did cart in the past 2 hours with no order since\n";
    let dir = project("received = \"received\"\n", "id,country,vip\n", &events, segments);
    let found = doctor(dir.path(), &[]);
    let order = &found["lateness"][0];
    assert_eq!(
        order,
        &json!({
            "event": "order", "events": 10, "p50_s": 240, "p95_s": 2400, "p99_s": 2400,
            "arrives_within_s": 900, "share_over": 0.1, "share_below_zero": 0.1
        })
    );
    assert_eq!(
        of_kind(&found, "late"),
        [json!([["order"], 0.1, 0.01]), json!([["order"], 0.1, 0.0]), json!([["Abandoned"], 1.0, 0.0])]
    );
    assert_eq!(
        messages(&found, "late").last().map(String::as_str),
        Some("of 2 entries of \"Abandoned\" in 28 days 1 are none once every event is known")
    );
    let writes = found["findings"].as_array().expect("a list").iter().map(|finding| finding["write"].as_str());
    let writes: Vec<&str> = writes.flatten().filter(|write| write.contains("grace period 40 minutes`")).collect();
    assert_eq!(writes.len(), 2, "99 of 100 are there by then: {found}");
    // Zoe was in it for half an hour, whatever is known later.
    assert_eq!(found["segments"][0]["entered"], 2);
    // A higher limit leaves the first of them out.
    let dir = project("received = \"received\"\n[doctor]\nlate = 0.2\n", "id,country,vip\n", &events, segments);
    assert_eq!(of_kind(&doctor(dir.path(), &[]), "late").len(), 2);
}

/// Of 20 orders before the last 30 days 2 have no amount, of 20 in them 6: 10 % and 30 %.
#[test]
fn values_that_were_there_and_are_not_any_more() {
    let mut events = "id,event,time,amount\n".to_owned();
    for n in 0..20 {
        let (before, lately) = (if n < 2 { "" } else { "5" }, if n < 6 { "" } else { "5" });
        events += &format!("a{n},order,2026-04-01T00:00:00Z,{before}\na{n},order,2026-05-20T00:00:00Z,{lately}\n");
    }
    let segments = "segment \"Bought\" include people who ordered ever\n";
    let dir = project("", "id,country,vip\na1,DE,\na2,,\na3,DE,\n", &events, segments);
    let found = doctor(dir.path(), &[]);
    let amount = found["completeness"].as_array().expect("a list").iter().find(|found| found["name"] == "amount");
    assert_eq!(
        amount.expect("it is there"),
        &json!({
            "event": "order", "name": "amount", "required": false,
            "recent": { "missing": 6, "of": 20, "share": 0.3 }, "before": { "missing": 2, "of": 20, "share": 0.1 }
        })
    );
    assert_eq!(
        messages(&found, "incomplete"),
        ["`amount` of `order` has no value in 30.0 % of those of the last 30 days, and in 10.0 % of those before"]
    );
    // What must always have a value needs no comparison. The people are 20, of whom one has none
    // in the table, and 17 are in no table.
    write(
        dir.path(),
        "schema.toml",
        &SCHEMA.replace("country = \"text\"", "country = { type = \"text\", required = true }"),
    );
    let found = doctor(dir.path(), &[]);
    assert_eq!(
        messages(&found, "incomplete")[0],
        "`country` of people must always have a value, and 18 of 20 rows have none"
    );
}

/// Five ordered ten days ago, four of them in Germany, one of them a VIP; two others viewed.
const PEOPLE: &str =
    "id,country,vip\np1,DE,true\np2,DE,false\np3,DE,false\np4,DE,false\np5,US,false\nq1,DE,false\nq2,DE,false\n";
const EVENTS: &str = "id,event,time,amount\np1,order,2026-05-22T10:00:00Z,1\np2,order,2026-05-22T11:00:00Z,1\np3,order,2026-05-22T12:00:00Z,1\np4,order,2026-05-22T13:00:00Z,1\np5,order,2026-05-22T14:00:00Z,1\nq1,view,2026-05-23T10:00:00Z,\nq2,view,2026-05-31T10:00:00Z,\n";
const SEGMENTS: &str = r#"
segment "Buyers" used by campaign "A" include people who ordered in the past 20 days
segment "German buyers" used by campaign "B" include people who ordered in the past 20 days and whose country is "DE"
segment "Viewers" used by campaign "C" include people who viewed in the past 20 days
segment "Best buyers" used by campaign "D" include people who ordered in the past 20 days and whose vip is true
segment "French" include people whose country is "FR"
"#;

/// Of those who buy again half do, so that a test needs 64 × 0.02 ÷ 0.98 = 1.3 people.
#[test]
fn twins_are_one_audience_and_few_are_none() {
    let dir = project("[doctor]\nconversion = 0.98\n", PEOPLE, EVENTS, SEGMENTS);
    let found = doctor(dir.path(), &[]);
    let segments = found["segments"].as_array().expect("a list").iter();
    let figures: Vec<Value> =
        segments.map(|s| json!([s["segment"], s["members"], s["entered"], s["used"], s["too_small"]])).collect();
    assert_eq!(
        figures,
        [
            json!(["Buyers", 5, 5, true, false]),
            json!(["German buyers", 4, 4, true, false]),
            json!(["Viewers", 2, 2, true, false]),
            json!(["Best buyers", 1, 1, true, true]),
            json!(["French", 0, 0, false, true]),
        ]
    );
    // Four of five are in both.
    assert_eq!(of_kind(&found, "twins"), [json!([["Buyers", "German buyers"], 0.8, 0.8])]);
    assert_eq!(found["audiences"], 2);
    assert_eq!(messages(&found, "over-segmented"), ["5 segments, 2 audiences"]);
    assert_eq!(
        messages(&found, "orphaned"),
        ["no `used by` says what \"French\" is for", "nobody entered \"French\" in 28 days; 0 people are in it"]
    );
    assert_eq!(
        messages(&found, "too-small"),
        ["1 person entered \"Best buyers\" in 28 days; fewer than 2 cannot show a change by half where 98.0 % convert"]
    );
    insta::assert_snapshot!("doctor", String::from_utf8(seg(dir.path(), &["doctor"]).stdout).expect("UTF-8"));
    // A limit above what they share leaves no twins: each of the three is an audience.
    let dir = project("[doctor]\nconversion = 0.98\ntwins = 0.81\n", PEOPLE, EVENTS, SEGMENTS);
    let found = doctor(dir.path(), &[]);
    assert_eq!((of_kind(&found, "twins").len(), &found["audiences"]), (0, &json!(3)));
}

#[test]
fn findings_fail_where_they_are_denied() {
    let dir = project("[doctor]\nconversion = 0.98\n", PEOPLE, EVENTS, SEGMENTS);
    let ends = |args: &[&str]| code(dir.path(), args);
    assert_eq!((ends(&[]), ends(&["--deny"]), ends(&["--deny=twins"])), (Some(0), Some(1), Some(1)));
    assert_eq!((ends(&["--deny=late,incomplete"]), ends(&["--deny=all"])), (Some(0), Some(1)));
    let refused = seg(dir.path(), &["doctor", "--deny=twin"]);
    assert_eq!(
        (refused.status.code(), err(&refused).trim_end()),
        (Some(2), "seg: --deny: no finding is called `twin` (did you mean `twins`?)")
    );
    let dir = project("[doctor]\nconversion = 0.98\ndeny = [\"orphaned\"]\n", PEOPLE, EVENTS, SEGMENTS);
    assert_eq!(code(dir.path(), &[]), Some(1));
    let found: Value = serde_json::from_slice(&seg(dir.path(), &["doctor", "--format", "json"]).stdout).expect("JSON");
    let denied = found["findings"].as_array().expect("a list").iter().filter(|finding| finding["denied"] == true);
    assert!(denied.clone().count() == 2 && denied.into_iter().all(|finding| finding["kind"] == "orphaned"));
}

/// The newest event is of 31 May 10:00, an order of 22 May before it: the longest pause is the
/// 8 days between the views. So 18 days of silence are too many, and 17 are not.
#[test]
fn old_data_is_told_of_by_its_own_pauses() {
    let dir = project("", PEOPLE, EVENTS, SEGMENTS);
    let at = |at: &str| of_kind(&doctor(dir.path(), &["--at", at]), "stale");
    let day = 86_400.0;
    assert_eq!(at("2026-06-16T10:00:00Z"), [json!([["order"], 24.0 * day + 20.0 * 3_600.0, day])]);
    assert_eq!(at("2026-06-16T10:00:01Z"), [json!([[], 16.0 * day + 1.0, 16.0 * day])]);
    // Before the first event, and with windows that begin before it.
    let early = doctor(dir.path(), &["--at", "2026-05-01T00:00:00Z"]);
    assert_eq!(messages(&early, "early"), ["there is no event up to 2026-05-01T00:00:00Z"]);
    let short = doctor(dir.path(), &[]);
    assert_eq!(
        messages(&short, "early")[0],
        "\"Buyers\" looks back 20 days, and the data begin 10 days 2 hours before now"
    );
}

/// Ann buys every ten days, Ben after 40: of five waits four are of 10 days.
#[test]
fn waits_that_are_shorter_than_those_of_people() {
    let days = ["2026-03-01", "2026-03-11", "2026-03-21", "2026-03-31", "2026-04-10"];
    let mut events = "id,event,time,amount\n".to_owned();
    for day in days {
        // Two orders of a day are one day.
        events += &format!("ann,order,{day}T08:00:00Z,1\nann,order,{day}T20:00:00Z,1\n");
    }
    events += "ben,order,2026-03-01T00:00:00Z,1\nben,order,2026-04-10T00:00:00Z,1\n";
    let segments = "segment \"Soon\" include people who ordered ever and who have not ordered in the past 3 days\n\
        segment \"Usual\" include people whose last order was more than 20 days ago\n\
        segment \"Late\" include people whose last order was more than 60 days ago\n";
    let dir = project("", "id,country,vip\n", &events, segments);
    let found = doctor(dir.path(), &[]);
    let cycle = &found["buying_cycle"];
    assert_eq!((&cycle["gaps"], &cycle["people_with_a_purchase"]), (&json!(5), &json!(2)));
    assert_eq!(
        cycle["percentiles"],
        json!({ "p10_days": 10, "p25_days": 10, "p50_days": 10, "p75_days": 10, "p90_days": 40, "p95_days": 40 })
    );
    let asked = cycle["waits"].as_array().expect("a list").iter();
    let asked = asked.filter(|wait| wait["segments"] != json!([]));
    let asked: Vec<Value> =
        asked.map(|wait| json!([wait["days"], wait["longer"], wait["share"], wait["segments"]])).collect();
    assert_eq!(asked, [json!([3, 5, 1.0, ["Soon"]]), json!([20, 1, 0.2, ["Usual"]]), json!([60, 0, 0.0, ["Late"]])]);
    assert_eq!(of_kind(&found, "buying-cycle"), [json!([["Soon"], 3.0, 10.0]), json!([["Late"], 60.0, 40.0])]);
}

#[test]
fn what_segments_ask_about_and_nobody_has() {
    let segments = "segment \"Left\" used by campaign \"A\" over sms include people who did cart in the past 3 days\n\
        segment \"French\" used by campaign \"B\" include people whose country is one of \"FR\", \"DE\"\n";
    let dir = project("", PEOPLE, EVENTS, segments);
    let settings = format!("{SETTINGS}{EVENTS_OF}").replace("timezone = \"UTC\"\n", "");
    write(dir.path(), "seg.toml", &settings);
    let found = doctor(dir.path(), &[]);
    assert_eq!(
        messages(&found, "inputs"),
        [
            "no event is called `cart`, which segments ask about",
            "no row has \"FR\" as `country`, which a segment asks about",
            "segments go over sms, and the schema names no consent for it",
            "no time zone is set: nothing can speak of days of the calendar, and days here are those of UTC",
        ]
    );
}

#[test]
fn days_that_grew_since_the_record_are_told_of() {
    let dir = project("", PEOPLE, EVENTS, SEGMENTS);
    let record = ["--record", "days.json"];
    assert_eq!(of_kind(&doctor(dir.path(), &record), "late"), Vec::<Value>::new());
    // One of a day that was over, one of the day of the record, which was not.
    write(
        dir.path(),
        "events.csv",
        &format!("{EVENTS}p1,order,2026-05-22T23:00:00Z,1\np1,order,2026-06-01T11:00:00Z,1\n"),
    );
    assert_eq!(
        messages(&doctor(dir.path(), &record), "late"),
        ["1 past day of `order` grew by 1 event since 2026-06-01T12:00:00Z: 2026-05-22 by 1"]
    );
    assert_eq!(of_kind(&doctor(dir.path(), &record), "late"), Vec::<Value>::new());
    write(dir.path(), "days.json", "{}");
    let refused = seg(dir.path(), &["doctor", "--record", "days.json"]);
    assert_eq!(
        (refused.status.code(), err(&refused).trim_end()),
        (Some(3), "seg: days.json: this is no record of `seg doctor`")
    );
}
