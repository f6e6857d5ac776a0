//! What stands around conditions, as the command runs it: tests with reasons,
//! precedence, sizes, frozen meanings, codes.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests may panic")]

use std::path::Path;
use std::process::{Command, Output};

fn seg(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_seg")).args(args).current_dir(dir).output().expect("seg runs")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it exits")
}

const SETTINGS: &str = "name = \"shop\"\ntimezone = \"UTC\"\nat = \"2026-06-01T12:00:00Z\"\n\
    [data.events]\nfiles = [\"events.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n";
const SCHEMA: &str = "[attributes]\nconsent = \"boolean\"\n[events.order]\nalso = [\"ordered\"]\nrole = \"purchase\"\n\
    [events.checkout]\nrole = \"checkout\"\n[channels.sms]\nconsent = \"consent\"\n";
const EVENTS: &str = "id,event,time\nann,checkout,2026-06-01T11:00:00Z\nben,checkout,2026-06-01T11:00:00Z\n\
    ben,order,2026-06-01T11:30:00Z\ncleo,order,2026-05-01T00:00:00Z\n";

/// A project of these segments.
fn project(segments: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, text) in
        [("seg.toml", SETTINGS), ("schema.toml", SCHEMA), ("events.csv", EVENTS), ("segments.seg", segments)]
    {
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    dir
}

const CARTS: &str = "segment \"Carts\" include people who did checkout in the past 2 hours and who have not ordered in the past 2 hours\n";

#[test]
fn tests_pass_or_say_why_not() {
    let tests = "test \"carts\"\n    at 2026-06-01 12:00\n    profile \"ann\" did checkout 90 minutes ago\n    \
        profile \"ben\" did checkout 90 minutes ago, did order 10 minutes ago\n    \
        profile \"cleo\" did checkout 119 minutes ago\n    expect \"ann\" in \"Carts\"\n    \
        expect \"ben\" not in \"Carts\"\n    expect \"cleo\" in \"Carts\"\n    \
        2 minutes later expect \"cleo\" not in \"Carts\"\n";
    let good = project(&format!("{CARTS}{tests}"));
    let passed = seg(good.path(), &["test"]);
    assert_eq!((code(&passed), out(&passed).as_str()), (0, "✓ carts\n1 test, 4 expectations: all passed\n"));
    let bad = project(&format!("{CARTS}{tests}    expect \"ben\" in \"Carts\"\n"));
    let failed = seg(bad.path(), &["test"]);
    let expected = "✗ carts
    segments.seg:11: expect \"ben\" in \"Carts\"
    but \"ben\" is not in \"Carts\"
      ✗ \"Carts\"
        ✗ include people who all of
          ✓ who did checkout in the past 2 hours
              checkout 1 hour 30 minutes ago, 2026-06-01T10:30:00Z
          ✗ who have not ordered in the past 2 hours
              order 10 minutes ago, 2026-06-01T11:50:00Z
1 test, 5 expectations: 1 failed
";
    assert_eq!((code(&failed), out(&failed).as_str()), (1, expected));
    let json: serde_json::Value =
        serde_json::from_str(&out(&seg(bad.path(), &["test", "--format", "json"]))).expect("JSON");
    assert_eq!((&json["expectations"], &json["passed"]), (&5.into(), &4.into()));
    assert_eq!(json["tests"][0]["expectations"][4]["why"]["parts"][0]["parts"][1]["holds"], false);
}

#[test]
fn a_project_without_tests_says_so() {
    let dir = project(CARTS);
    let output = seg(dir.path(), &["test"]);
    assert_eq!(code(&output), 0);
    assert!(out(&output).starts_with("there are no tests"), "{}", out(&output));
}

#[test]
fn one_winner_a_person() {
    let dir = project(
        "when people are in several, prefer \"Buyers\", then \"Carts\"\n\
         segment \"Carts\" include people who did checkout\n\
         segment \"Buyers\" include people who ordered\nsegment \"All\" include everyone\n",
    );
    let output = seg(dir.path(), &["run", "--winners", "winners.csv"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let winners = std::fs::read_to_string(dir.path().join("winners.csv")).expect("written");
    assert_eq!(winners, "profile_id,segment\nann,Carts\nben,Buyers\ncleo,Buyers\n");
    let none = project(CARTS);
    let refused = seg(none.path(), &["run", "--winners", "winners.csv"]);
    assert_eq!(code(&refused), 2);
    assert!(err(&refused).contains("no order of precedence"), "{}", err(&refused));
    assert!(!none.path().join("winners.csv").exists());
}

#[test]
fn sizes_are_held_against_what_is_expected() {
    let dir = project(
        "segment \"Few\" expect between 2 and 5 people include people who did checkout ever and who have not ordered in the past 1 day\n\
         segment \"Steady\" expect size to change by at most 10% a day include people who did checkout\n",
    );
    let first = seg(dir.path(), &["run", "--record", "sizes.json"]);
    assert_eq!(code(&first), 0);
    assert!(err(&first).contains("\"Few\" has 1 people, and 2 to 5 were expected"), "{}", err(&first));
    assert!(err(&first).contains("\"Steady\": whether its size changed too much was not judged"), "{}", err(&first));
    assert_eq!(code(&seg(dir.path(), &["run", "--deny"])), 1);
    let more = format!("{EVENTS}dan,checkout,2026-06-01T13:00:00Z\n");
    std::fs::write(dir.path().join("events.csv"), more).expect("written");
    let second = seg(dir.path(), &["run", "--record", "sizes.json", "--at", "2026-06-02T12:00:00Z"]);
    assert!(err(&second).contains("\"Steady\" went from 2 to 3 people"), "{}", err(&second));
    let third = seg(dir.path(), &["run", "--record", "sizes.json", "--at", "2026-06-03T12:00:00Z"]);
    assert!(!err(&third).contains("Steady"), "{}", err(&third));
    std::fs::write(dir.path().join("sizes.json"), "{}").expect("written");
    assert_eq!(code(&seg(dir.path(), &["run", "--record", "sizes.json"])), 3);
}

#[test]
fn few_people_are_expected_in_two_segments() {
    let both = |percent: u32| {
        format!(
            "segment \"a\" expect at most {percent}% of people in segment \"b\" too include people who did checkout\n\
             segment \"b\" include people who did checkout\n"
        )
    };
    let dir = project(&both(50));
    let found = seg(dir.path(), &["run", "--deny"]);
    assert_eq!(code(&found), 1);
    assert!(err(&found).contains("are in both \"a\" and \"b\", and at most 50% were expected"), "{}", err(&found));
    let dir = project(&both(100));
    assert_eq!(code(&seg(dir.path(), &["run", "--deny"])), 0);
    let unknown = project("segment \"a\" expect at most 5% of people in \"c\" too include everyone\n");
    assert_eq!(code(&seg(unknown.path(), &["check"])), 1);
}

/// Sentence 76: why somebody is in, and when they would leave.
#[test]
fn one_person_is_explained() {
    let dir = project("segment \"Lately\" include people who did checkout in the past 2 days\n");
    let explained = seg(dir.path(), &["explain", "--person", "ann", "--segment", "Lately"]);
    insta::assert_snapshot!(out(&explained), @r#"
    ✓ ann is in "Lately"                                                1 June 2026 12:00 (from seg.toml)
        ✓ did checkout 1 hour ago, 1 June 11:00
      leaves 3 June 11:00: no longer did checkout in the past 2 days
    "#);
    let json: serde_json::Value = serde_json::from_str(&out(&seg(
        dir.path(),
        &["explain", "--person", "ann", "--segment", "Lately", "--format", "json"],
    )))
    .expect("JSON");
    assert_eq!(json["is_in"], true);
    assert_eq!(json["why"]["parts"][0]["holds"], true);
    let nobody = seg(dir.path(), &["explain", "--person", "zed", "--segment", "Lately"]);
    assert_eq!((code(&nobody), err(&nobody).contains("nobody with the id \"zed\"")), (2, true));
    let nowhere = seg(dir.path(), &["explain", "--person", "ann", "--segment", "Late"]);
    assert_eq!((code(&nowhere), err(&nowhere).contains("no segment \"Late\"")), (2, true));
}

/// One order is missing, and helps for as long as the first is within 30 days: up to the very
/// microsecond, by a run over data that has it.
#[test]
fn what_lets_somebody_in_is_told_with_its_last_instant() {
    let dir = project("segment \"Two\" include people who ordered at least 2 times in the past 30 days\n");
    let explain = |args: &[&str]| {
        let output = seg(dir.path(), &[&["explain", "--person", "ben", "--segment", "Two"], args].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        out(&output)
    };
    insta::assert_snapshot!(explain(&[]), @r#"
    ✗ ben is not in "Two"                                               1 June 2026 12:00 (from seg.toml)
        ✗ one short: ordered once in the past 30 days (1 June 11:30), at least 2 wanted
      comes in with an order by 1 July 11:30
    "#);
    let json: serde_json::Value = serde_json::from_str(&explain(&["--format", "json"])).expect("JSON");
    let trigger = &json["triggers"][0];
    assert_eq!((&trigger["event"], &trigger["times"]), (&"order".into(), &1.into()));
    assert_eq!(trigger["until"], "2026-07-01T11:30:00Z");
    assert_eq!(
        (json["triggers"].as_array().map(Vec::len), &json["waiting"]["turns_at"]),
        (Some(1), &serde_json::Value::Null)
    );
    for (at, members) in [
        ("2026-06-01T12:00:00.000001Z", 1),
        ("2026-07-01T11:29:59.999999Z", 1),
        ("2026-07-01T11:30:00Z", 1),
        ("2026-07-01T11:30:00.000001Z", 0),
    ] {
        std::fs::write(dir.path().join("events.csv"), format!("{EVENTS}ben,order,{at}\n")).expect("written");
        let run = out(&seg(dir.path(), &["run", "--at", at, "--format", "json"]));
        let run: serde_json::Value = serde_json::from_str(&run).expect("JSON");
        assert_eq!(run["segments"][0]["members"], members, "{at}");
    }
}

/// What was not to follow is named: the first that did, and of the last that it followed.
#[test]
fn what_undid_an_event_is_named() {
    let segments = "segment \"Left\" include people who did checkout in the past 2 hours with no order since\n\
        segment \"Soon\" include people who did checkout in the past 2 hours not followed by order within 20 minutes even while they run\n";
    let dir = project(segments);
    // One order before the checkout and two behind it.
    let more = "ben,order,2026-06-01T10:40:00Z\nben,order,2026-06-01T11:45:00Z\ncleo,checkout,2026-06-01T10:30:00Z\ncleo,order,2026-06-01T10:50:00Z\n";
    std::fs::write(dir.path().join("events.csv"), format!("{EVENTS}{more}")).expect("written");
    let explain =
        |person: &str, segment: &str| out(&seg(dir.path(), &["explain", "--person", person, "--segment", segment]));
    insta::assert_snapshot!(explain("ben", "Left"), @r#"
    ✗ ben is not in "Left"                                              1 June 2026 12:00 (from seg.toml)
        ✗ did checkout 1 hour ago, 1 June 11:00, then ordered 30 minutes ago, 1 June 11:30; wanted: did checkout in the past 2 hours with no order since
      comes in with a checkout
    "#);
    // Neither order came within 20 minutes.
    assert!(explain("ben", "Soon").starts_with("✓ ben is in \"Soon\""));
    insta::assert_snapshot!(explain("cleo", "Soon"), @r#"
    ✗ cleo is not in "Soon"                                             1 June 2026 12:00 (from seg.toml)
        ✗ did checkout 1 hour 30 minutes ago, 1 June 10:30, then ordered 1 hour 10 minutes ago, 1 June 10:50; wanted: did checkout in the past 2 hours not followed by order within 20 minutes even while they run
      comes in with a checkout
    "#);
}

/// The checkout is too old half an hour before the order is.
#[test]
fn it_is_told_why_waiting_does_not_help() {
    let segments = "segment \"Left\" include people who did checkout in the past 7 days\n    exclude people who ordered in the past 7 days\n\
        segment \"Lately\" include people who did checkout in the past 2 days and have not ordered in the past 2 days\n\
        segment \"Twice\" include people who did checkout at least 3 times in the past 7 days\n";
    let dir = project(segments);
    let explain =
        |person: &str, segment: &str| out(&seg(dir.path(), &["explain", "--person", person, "--segment", segment]));
    insta::assert_snapshot!(explain("ben", "Left"), @r#"
    ✗ ben is not in "Left"                                              1 June 2026 12:00 (from seg.toml)
        ✗ excluded: ordered 30 minutes ago, 1 June 11:30
        ✓ did checkout 1 hour ago, 1 June 11:00
      waiting does not help: `did checkout in the past 7 days` ends 8 June 11:00, 30 minutes before `ordered in the past 7 days` ends
    "#);
    insta::assert_snapshot!(explain("ann", "Lately"), @r#"
    ✓ ann is in "Lately"                                                1 June 2026 12:00 (from seg.toml)
        ✓ did checkout 1 hour ago, 1 June 11:00
        ✓ never ordered
      leaves 3 June 11:00: no longer did checkout in the past 2 days; sooner with an order
    "#);
    insta::assert_snapshot!(explain("ann", "Twice"), @r#"
    ✗ ann is not in "Twice"                                             1 June 2026 12:00 (from seg.toml)
        ✗ 2 short: did checkout once in the past 7 days (1 June 11:00), at least 3 wanted
      comes in with checkout 2 times by 8 June 11:00
    "#);
    insta::assert_snapshot!(explain("cleo", "Lately"), @r#"
    ✗ cleo is not in "Lately"                                           1 June 2026 12:00 (from seg.toml)
        ✗ never did checkout; wanted: did checkout in the past 2 days
      comes in with a checkout
    "#);
}

/// Data that ends days before the instant is told of in a line, and data that begins after it.
#[test]
fn a_run_says_how_fresh_the_data_is() {
    let dir = project(
        "segment \"Lately\" include people who ordered in the past 30 days\nsegment \"Ever\" include people who did checkout\n",
    );
    let line = |at: &str| {
        let shown = out(&seg(dir.path(), &["run", "--at", at]));
        shown.lines().rev().take_while(|line| !line.starts_with(" Ever")).map(str::to_owned).collect::<Vec<String>>()
    };
    // The newest is of 1 June, 11:30.
    assert_eq!(line("2026-06-01T12:00:00Z"), Vec::<String>::new());
    assert_eq!(
        line("2026-06-05T12:30:00Z"),
        ["stale: the newest event is 4 days 1 hour old, more than 3 days: sizes follow the clock, not people"]
    );
    let json = out(&seg(dir.path(), &["run", "--at", "2026-06-05T12:30:00Z", "--format", "json"]));
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let fresh = &json["freshness"];
    assert_eq!((&fresh["newest_event"], &fresh["is_stale"]), (&"2026-06-01T11:30:00Z".into(), &true.into()));
    assert_eq!(
        (&fresh["age"], &fresh["limit"], &fresh["is_early"]),
        (&349_200.0.into(), &259_200.0.into(), &false.into())
    );
}

/// From 54 weeks of data on a day stands beside the same day of the week a year before: there
/// both ordered daily, and now one of them.
#[test]
fn a_year_before_is_shown_where_it_is_known() {
    let history = |first_day: i64, args: &[&str]| {
        let dir = project("segment \"Lately\" include people who ordered in the past 2 days\n");
        let mut events = "id,event,time\n".to_owned();
        let last = chrono::NaiveDate::from_ymd_opt(2026, 6, 1).expect("a day");
        for ago in (0..=first_day).rev() {
            let day = last - chrono::Duration::days(ago);
            events += &format!("ann,order,{day}T00:00:00Z\n");
            if ago > 360 {
                events += &format!("ben,order,{day}T00:00:00Z\n");
            }
        }
        std::fs::write(dir.path().join("events.csv"), events).expect("written");
        out(&seg(dir.path(), &[&["history", "--days", "2", "--segment", "Lately"], args].concat()))
    };
    // 378 days are 54 weeks.
    let shown = history(379, &[]);
    assert!(
        shown.contains("the year before: 2 on the same day of the week, 52 weeks ago; now 0.50 times as many"),
        "{shown}"
    );
    let json: serde_json::Value = serde_json::from_str(&history(379, &["--format", "json"])).expect("JSON");
    assert_eq!(json["history"][1]["size_year_before"], 2);
    assert_eq!(json["history"][1]["sizes"]["Lately"], 1);
    assert!(history(379, &["--format", "svg"]).contains("class=\"year\""));
    let short = history(377, &[]);
    assert!(!short.contains("year"), "{short}");
}

/// A slip in a name is told with the name that was meant.
#[test]
fn a_segment_is_found_by_how_its_name_begins() {
    let dir = project("segment \"Lapsed, bought before but not in 90 days\" include people who ordered\n");
    for args in [&["example", "Lapsd"][..], &["explain", "--person", "ann", "--segment", "Lapsd"], &["sample", "Lapsd"]]
    {
        let refused = seg(dir.path(), args);
        assert_eq!(code(&refused), 2);
        assert!(
            err(&refused).contains("did you mean \"Lapsed, bought before but not in 90 days\"?"),
            "{}",
            err(&refused)
        );
    }
    let nowhere = seg(dir.path(), &["report", "--out", "no/such/folder.html"]);
    assert_eq!(code(&nowhere), 3);
    assert!(err(&nowhere).contains("no/such/folder.html: there is no such folder to write it in"), "{}", err(&nowhere));
}

/// What comes later in the file than the instant asked about does not exist, be it
/// an event or a value: who orders again the day after stays until the window ends
/// all the same.
#[test]
fn an_earlier_instant_knows_nothing_of_what_came_later() {
    let dir = project("segment \"Lately\" include people who ordered in the past 2 days\n");
    let explain = |at: &str| {
        let output = seg(dir.path(), &["explain", "--person", "ben", "--segment", "Lately", "--at", at]);
        assert_eq!(code(&output), 0, "{}", err(&output));
        out(&output)
    };
    let alone = explain("2026-06-01T12:00:00Z");
    insta::assert_snapshot!(alone, @r#"
    ✓ ben is in "Lately"                                                1 June 2026 12:00 (from --at)
        ✓ ordered 30 minutes ago, 1 June 11:30
      leaves 3 June 11:30: no longer ordered in the past 2 days
    "#);
    let more = format!("{EVENTS}ben,order,2026-06-02T12:00:00Z\nben,order,2026-06-20T12:00:00Z\n");
    std::fs::write(dir.path().join("events.csv"), more).expect("written");
    assert_eq!(explain("2026-06-01T12:00:00Z"), alone);
    // Before the first order there is none, and nothing is about to change.
    insta::assert_snapshot!(explain("2026-06-01T00:00:00Z"), @r#"
    ✗ ben is not in "Lately"                                            1 June 2026 00:00 (from --at)
        not known yet: what is known of them begins in 11 hours, 2026-06-01T11:00:00Z
    "#);
}

/// Instants outside the years that calendars here know are refused where they come
/// in, and it is said why.
#[test]
fn instants_that_no_calendar_has_are_refused() {
    let dir = project(CARTS);
    for at in
        ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00", "10000-01-01T00:00:00Z", "0000-12-31T00:00:00Z"]
    {
        for command in [&["run"][..], &["explain", "--person", "ann", "--segment", "Carts"], &["history"], &["freeze"]]
        {
            let output = seg(dir.path(), &[command, &["--at", at]].concat());
            let expected =
                format!("seg: `{at}` is not in the years 1 to 9999; write an instant such as 2026-11-27T14:00:00Z\n");
            assert_eq!((code(&output), err(&output)), (2, expected), "{command:?}");
        }
        std::fs::write(dir.path().join("seg.toml"), SETTINGS.replace("2026-06-01T12:00:00Z", at)).expect("written");
        let output = seg(dir.path(), &["check"]);
        let message = format!("`{at}` is not in the years 1 to 9999");
        assert_eq!((code(&output), err(&output).contains(&message)), (1, true), "{}", err(&output));
        std::fs::write(dir.path().join("seg.toml"), SETTINGS).expect("written");
    }
    // What is no instant in any year is told as before.
    let output = seg(dir.path(), &["run", "--at", "soon"]);
    assert!(err(&output).contains("`soon` is not an instant; write it as"), "{}", err(&output));
    // The ends themselves are fine.
    for at in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"] {
        let explain = ["explain", "--person", "ann", "--segment", "Carts"];
        for command in [&["run"][..], &explain, &["history"], &["history", "--forecast"]] {
            let output = seg(dir.path(), &[command, &["--at", at]].concat());
            assert_eq!(code(&output), 0, "{command:?} {at}: {}", err(&output));
        }
    }
}

#[test]
fn a_frozen_meaning_may_not_change() {
    let frozen = |window: &str| {
        format!(
            "segment \"Trial\" frozen since 2026-01-01 include people who did checkout {window} and who have never ordered\n"
        )
    };
    let dir = project(&frozen("in the past 2 hours"));
    let write = |text: &str| std::fs::write(dir.path().join("segments.seg"), text).expect("written");
    let at = ["--at", "2026-06-01T12:00:00Z"];
    let check = || seg(dir.path(), &[&["check"], &at[..]].concat());
    let freeze = || seg(dir.path(), &[&["freeze"], &at[..]].concat());
    assert!(err(&check()).contains("W1702"));
    assert_eq!(out(&freeze()), "1 segment frozen in seg.lock\n");
    assert_eq!((code(&check()), err(&check()).as_str()), (0, ""));
    // Other words for the same meaning.
    write(&frozen("within the last 2 hours"));
    assert_eq!(code(&check()), 0);
    write(&frozen("in the past 3 hours"));
    let changed = check();
    assert_eq!(code(&changed), 1);
    assert!(err(&changed).contains("error[E0707]: \"Trial\" is frozen, and its meaning has changed"));
    let before = std::fs::read_to_string(dir.path().join("seg.lock")).expect("a lock");
    assert_eq!(code(&freeze()), 1);
    assert_eq!(std::fs::read_to_string(dir.path().join("seg.lock")).expect("a lock"), before);
    // Before the freeze begins it may change.
    assert_eq!(code(&seg(dir.path(), &["check", "--at", "2025-12-31T23:00:00Z"])), 0);
}

#[test]
fn codes_are_explained() {
    let dir = project(CARTS);
    let page = seg(dir.path(), &["codes", "explain", "e0201"]);
    assert_eq!(code(&page), 0);
    assert!(out(&page).starts_with("E0201: A name that the schema does not have\n"), "{}", out(&page));
    assert!(!out(&page).contains("<!--"));
    assert!(out(&page).contains("did you mean"));
    let list = seg(dir.path(), &["codes", "list"]);
    assert!(out(&list).contains("W0801  People who have bought are still in\n"));
    assert_eq!(code(&seg(dir.path(), &["codes", "explain", "E9999"])), 2);
}

/// Many problems of one code are one problem: the first ten are drawn, the rest counted.
#[test]
fn problems_of_one_code_are_counted() {
    let segments: String =
        (0..12).map(|n| format!("segment \"{n}\" include people whose nothing_{n} is 3\n")).collect();
    let dir = project(&segments);
    let shown = err(&seg(dir.path(), &["check"]));
    assert_eq!(shown.matches("error[E0201]").count(), 10, "{shown}");
    assert!(shown.contains("\n2 more of E0201: A name that the schema does not have\n`--all` draws them\n"), "{shown}");
    let all = err(&seg(dir.path(), &["check", "--all"]));
    assert_eq!(all.matches("error[E0201]").count(), 12, "{all}");
    assert!(!all.contains("more of"), "{all}");
    let json = out(&seg(dir.path(), &["check", "--format", "json"]));
    assert_eq!(json.matches("\"E0201\"").count(), 12, "{json}");
}

/// People read their own clocks; tools read UTC.
#[test]
fn times_are_those_of_the_zone() {
    let dir = project(CARTS);
    std::fs::write(dir.path().join("seg.toml"), SETTINGS.replace("\"UTC\"", "\"Europe/Berlin\"")).expect("written");
    let explain = ["explain", "--person", "ann", "--segment", "Carts"];
    let shown = out(&seg(dir.path(), &explain));
    assert!(shown.contains("is in \"Carts\"") && shown.contains("1 June 2026 14:00 (from seg.toml)"), "{shown}");
    assert!(shown.contains("did checkout 1 hour ago, 1 June 13:00\n"), "{shown}");
    let json = out(&seg(dir.path(), &[explain.as_slice(), &["--format", "json"]].concat()));
    assert!(json.contains("\"at\": \"2026-06-01T12:00:00Z\""), "{json}");
}
