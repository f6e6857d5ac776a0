//! Schemas from tracking plans, and data compared with schemas, as a person meets them.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn seg(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_seg")).args(args).current_dir(dir).output().expect("seg runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Exit code, standard output and standard error, for a snapshot.
fn shown(output: &Output) -> String {
    let code = output.status.code().expect("it exits");
    format!("exit {code}\n── out\n{}── err\n{}", text(&output.stdout), text(&output.stderr))
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(name)
}

fn write(dir: &Path, name: &str, content: &str) {
    std::fs::write(dir.join(name), content).expect("written");
}

/// A project in a directory of its own, with one file of events.
fn project(schema: &str, events: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = "name = \"shop\"\ntimezone = \"UTC\"\n[data.events]\nfiles = [\"e.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n";
    write(dir.path(), "seg.toml", settings);
    write(dir.path(), "schema.toml", schema);
    write(dir.path(), "e.csv", events);
    dir
}

/// What `seg schema check --format json` says, and how it ends.
fn check(dir: &Path, args: &[&str]) -> (i32, Value) {
    let output = seg(dir, &[&["schema", "check", "--format", "json"], args].concat());
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", shown(&output)));
    (output.status.code().expect("it exits"), json)
}

/// The kinds of findings, each with what it is about and its numbers.
fn findings(json: &Value) -> Vec<String> {
    let name = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let findings = json["findings"].as_array().expect("findings");
    let line = |f: &Value| {
        format!("{} {} {} {}/{}", name(&f["kind"]), name(&f["event"]), name(&f["name"]), f["count"], f["of"])
    };
    findings.iter().map(line).collect()
}

#[test]
fn a_plan_becomes_a_schema_that_checks() {
    for plan in ["platform.json", "rules_list.json", "bundle.json", "list.json", "folder"] {
        let dir = project("", "id,event,time\n");
        std::fs::remove_file(dir.path().join("schema.toml")).expect("removed");
        let path = data("plans").join(plan);
        let path = path.to_str().expect("a path");
        let output = seg(dir.path(), &["schema", "import", path, "--write", "schema.toml"]);
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
        assert!(text(&output.stdout).starts_with("wrote schema.toml: "), "{}", shown(&output));
        let output = seg(dir.path(), &["check"]);
        assert_eq!(output.status.code(), Some(0), "{plan}: {}", shown(&output));
        // What is written again is read as the same.
        let before = std::fs::read_to_string(dir.path().join("schema.toml")).expect("a text");
        for form in ["json-schema", "tracking-plan"] {
            let output = seg(dir.path(), &["schema", "export", "--as", form, "--write", "plan.json"]);
            assert_eq!(text(&output.stdout), "wrote plan.json\n", "{}", shown(&output));
            let output = seg(dir.path(), &["schema", "import", "plan.json"]);
            assert_eq!((text(&output.stderr).as_str(), output.status.code()), ("", Some(0)));
            let lines =
                |text: &str| text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(lines(&text(&output.stdout)), lines(&before), "{plan} as {form}");
            std::fs::remove_file(dir.path().join("plan.json")).expect("removed");
        }
    }
}

#[test]
fn what_a_schema_cannot_say_is_named() {
    let output = seg(&data("plans"), &["schema", "import", "platform.json"]);
    insta::assert_snapshot!("import_platform", shown(&output));
    let output = seg(&data("plans"), &["schema", "import", "platform.json", "--format", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((json["attributes"].as_u64(), json["events"].as_u64()), (Some(4), Some(3)));
    assert_eq!(json["remarks"].as_array().map(Vec::len), Some(10));
    assert_eq!(json["remarks"][0]["kind"], "left-out");
    assert_eq!(json["remarks"][0]["line"], 9);
    assert_eq!(json["remarks"][0]["pointer"], "/rules/events/0/version");
}

#[test]
fn a_plan_with_errors_writes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let events: Vec<String> = (0..12).map(|n| format!("{{\"title\": \"e{n}\",\n \"type\": \"thing\"}}")).collect();
    write(dir.path(), "plan.json", &format!("[{}]", events.join(",\n")));
    let output = seg(dir.path(), &["schema", "import", "plan.json", "--write", "schema.toml"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let told = text(&output.stderr);
    assert!(told.starts_with("error: plan.json:2 at /0/type: `thing` is no type of JSON Schema"), "{told}");
    assert!(told.ends_with("2 more; `--all` shows them\n12 errors; nothing was written\n"), "{told}");
    assert!(!dir.path().join("schema.toml").exists());
    let all = seg(dir.path(), &["--all", "schema", "import", "plan.json"]);
    assert_eq!(text(&all.stderr).lines().count(), 13);
    let json = seg(dir.path(), &["schema", "import", "plan.json", "--format", "json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["problems"].as_array().map(Vec::len), Some(12));
    // Files that cannot be read, and one that is there already.
    write(dir.path(), "schema.toml", "before");
    for (args, told) in [
        (vec!["schema", "import", "nowhere.json"], "seg: nowhere.json: there is no such file or folder\n"),
        (vec!["schema", "import", "."], "error: ./plan.json:2"),
        (
            vec!["schema", "import", "plan.json", "--write", "schema.toml"],
            "seg: schema.toml exists already; nothing was written\n",
        ),
    ] {
        let output = seg(dir.path(), &args);
        assert!(text(&output.stderr).starts_with(told), "{}", shown(&output));
    }
    assert_eq!(std::fs::read_to_string(dir.path().join("schema.toml")).expect("a text"), "before");
}

/// Words that sentences cannot say are not guessed, and not taken where the plan says them.
#[test]
fn words_of_a_plan_are_those_that_sentences_can_say() {
    let words =
        ["The", "Last", "Number", "Not", "From", "With", "Who", "Any", "Did", "7", "a.b", "#/x", "Most", "Within"];
    for word in words {
        for name in [word.to_owned(), format!("{word} Opened"), format!("Opened {word}"), format!("{word} {word}")] {
            let dir = project("", "id,event,time\n");
            std::fs::remove_file(dir.path().join("schema.toml")).expect("removed");
            write(dir.path(), "plan.json", &format!("[{{\"title\": \"{name}\"}}, {{\"title\": \"Song Played\"}}]"));
            let output = seg(dir.path(), &["schema", "import", "plan.json", "--write", "schema.toml"]);
            assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
            let output = seg(dir.path(), &["check"]);
            assert_eq!(output.status.code(), Some(0), "{name}: {}", shown(&output));
        }
    }
    let dir = tempfile::tempdir().expect("a directory");
    write(
        dir.path(),
        "plan.json",
        "{\"title\": \"x\", \"x-seg-schema\": 1, \"type\": \"object\", \"x-seg-verbs\": [\"not\"]}",
    );
    let output = seg(dir.path(), &["schema", "import", "plan.json", "--write", "schema.toml"]);
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    assert!(text(&output.stderr).starts_with("error[E0702]: `not` begins with a reserved word"), "{}", shown(&output));
    assert!(!dir.path().join("schema.toml").exists());
}

/// A project in which everything is wrong that can be.
#[test]
fn drift_is_told_with_numbers_and_places() {
    let output = seg(&data("drift"), &["schema", "check", "--at", "2026-06-01T00:00:00Z"]);
    insta::assert_snapshot!("drift", shown(&output));
    let (code, json) = check(&data("drift"), &["--at", "2026-06-01T00:00:00Z"]);
    assert_eq!(code, 1);
    assert_eq!(
        (json["files"].as_u64(), json["people_rows"].as_u64(), json["event_rows"].as_u64()),
        (Some(3), Some(4), Some(10))
    );
    assert_eq!(
        findings(&json),
        [
            "respelled checkout_started - 1/1",
            "respelled Order Completed Note 1/1",
            "respelled - City 2/2",
            "other-type Order Completed amount 1/4",
            "other-type Order Completed quantity 1/3",
            "other-type Visit seconds 1/2",
            "other-type - born 1/2",
            "other-type - score 1/3",
            "too-fine Order Completed amount 1/4",
            "too-large Order Completed amount 1/4",
            "too-large - score 1/3",
            "not-allowed Order Completed tags 1/3",
            "not-allowed - plan 2/3",
            "required-missing Order Completed order_id 1/4",
            "required-missing - country 1/3",
            "late Order Completed - 1/3",
            "unseen Order Completed coupon 0/0",
            "unseen Sign Up - 0/0",
            "new-event Refund Asked - 2/2",
            "new-property Order Completed channel 3/3",
            "new-property Visit screen.width 2/2",
            "new-attribute - Height 2/2",
        ]
    );
    assert_eq!(json["delays"][0]["events"], 4);
    assert_eq!(json["delays"][0]["median"], 1.0);
    assert_eq!(json["delays"][0]["longest"], 1200.0);
    assert_eq!((json["delays"][0]["negative"].as_u64(), json["future"]["count"].as_u64()), (Some(1), Some(1)));
}

#[test]
fn remarks_are_fatal_where_that_is_asked_for() {
    let dir = project("[events.a]\n[events.b]\n", "id,event,time,x\n1,a,2026-01-01T00:00:00Z,5\n");
    let (code, json) = check(dir.path(), &[]);
    assert_eq!(findings(&json), ["unseen b - 0/0", "new-property a x 1/1"]);
    assert_eq!(code, 0);
    assert_eq!(check(dir.path(), &["--strict"]).0, 1);
    // A segment that asks about it is broken by it; one that cannot be read might be.
    write(dir.path(), "s.seg", "segment \"b\" include people who did b ever\n");
    assert_eq!(check(dir.path(), &[]).0, 1);
    write(dir.path(), "s.seg", "segment \"b\" include people who did nothing of the kind\n");
    assert_eq!(check(dir.path(), &[]).0, 1);
    // Events of the future, and nothing else.
    let dir = project("[events.a]\n", "id,event,time\n1,a,2026-01-01T00:00:00Z\n");
    for (args, code, last) in [
        (vec!["schema", "check"], 0, "the data is as the schema says\n"),
        (vec!["schema", "check", "--strict"], 0, "the data is as the schema says\n"),
        (vec!["schema", "check", "--at", "2025-01-01 00:00"], 0, "0 errors, 1 remark\n"),
        (vec!["schema", "check", "--at", "2025-01-01 00:00", "--strict"], 1, "0 errors, 1 remark\n"),
    ] {
        let output = seg(dir.path(), &args);
        assert!(output.status.code() == Some(code) && text(&output.stdout).ends_with(last), "{}", shown(&output));
    }
    // Rows that are lost are no remark.
    let dir = project("[events.a]\n", "id,event,time\n1,a,2026-01-01T00:00:00Z\n1,a,soon\n");
    let (code, json) = check(dir.path(), &[]);
    assert_eq!((code, json["problems"][0]["kind"].as_str()), (1, Some("impossible-time")));
    // A schema with errors is none to compare with.
    write(dir.path(), "schema.toml", "[events.a]\nrole = 7\n");
    let output = seg(dir.path(), &["schema", "check"]);
    assert!(output.status.code() == Some(1) && text(&output.stderr).starts_with("error[E0701]"), "{}", shown(&output));
}

#[test]
fn a_file_is_read_as_the_source_that_it_is_of() {
    let dir = data("drift");
    let elsewhere = tempfile::tempdir().expect("a directory");
    let there = elsewhere.path();
    write(there, "new_orders.csv", "id,event,happened,amount\n1,Order Completed,2026-05-01T10:00:00Z,x\n");
    write(there, "new_visits.ndjson", "{\"who\": 1, \"at\": 1777629600, \"url\": \"/\", \"seconds\": 1}\n");
    write(there, "new_people.csv", "id,country\n1,DE\n2,\n");
    write(there, "other.csv", "this,that\n1,2\n");
    let project = dir.to_str().expect("a path");
    let of = |file: &str| {
        let (code, json) = check(there, &[project, "--data", file]);
        (code, findings(&json))
    };
    // Of a part of the data nobody asks for what other parts have.
    let (code, found) = of("new_orders.csv");
    assert_eq!(code, 1);
    assert_eq!(found[0], "other-type Order Completed amount 1/1");
    assert!(found.iter().all(|line| !line.contains("Sign Up") && !line.contains("Visit")), "{found:?}");
    assert_eq!(of("new_visits.ndjson"), (0, vec![]));
    let (_, found) = of("new_people.csv");
    assert_eq!(found[0], "required-missing - country 1/2");
    // One that a source names is of it.
    let (_, json) = check(&dir, &["--data", "visits.ndjson"]);
    assert_eq!(findings(&json), ["other-type Visit seconds 1/2", "new-property Visit screen.width 2/2"]);
    assert_eq!(json["findings"][0]["examples"][0]["file"], "visits.ndjson");
    let output = seg(there, &["schema", "check", project, "--data", "other.csv"]);
    assert_eq!(text(&output.stderr), "seg: other.csv: no source of seg.toml has its columns: `this`, `that`\n");
    assert_eq!(output.status.code(), Some(3));
    let output = seg(there, &["schema", "check", project, "--data", "nothing.csv"]);
    assert_eq!(text(&output.stderr), "seg: nothing.csv: there is no such file\n");
}

#[test]
fn when_events_arrived_is_told_by_a_usual_name_or_by_one_that_is_said() {
    let events = "id,event,time,sent_at,Received At,landed\n\
        1,a,2026-01-01T00:00:00Z,2026-01-01T00:00:01Z,2026-01-01T00:01:00Z,2026-01-02T00:00:00Z\n\
        1,a,2026-01-01T00:00:00Z,2026-01-01T00:00:02Z,,2026-01-03T00:00:00Z\n";
    let dir = project("[events.a]\narrives_within = \"1 hour\"\n", events);
    let (_, json) = check(dir.path(), &[]);
    assert_eq!(
        (json["delays"][0]["received"].as_str(), json["delays"][0]["median"].as_f64()),
        (Some("Received At"), Some(60.0))
    );
    let (code, json) = check(dir.path(), &["--received", "landed"]);
    assert_eq!(
        (json["delays"][0]["received"].as_str(), json["delays"][0]["events"].as_u64()),
        (Some("landed"), Some(2))
    );
    assert_eq!((code, findings(&json)[0].as_str()), (1, "late a - 2/2"));
    let output = seg(dir.path(), &["schema", "check", "--received", "landed"]);
    let line = "delays: from `time` to `landed`, 2 events: half within 1 d, 95 of 100 within 2 d, 99 of 100 within 2 d, all within 2 d\n";
    assert!(text(&output.stdout).contains(line), "{}", shown(&output));
}

#[test]
fn analytics_calls_are_compared_in_one_reading() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "seg.toml", "name = \"c\"\ntimezone = \"UTC\"\n[data.calls]\nfiles = [\"c.ndjson\"]\n");
    write(
        dir.path(),
        "schema.toml",
        "[attributes]\nplan = { type = \"text\", allowed = [\"free\"] }\n[events.\"Order Completed\".properties]\ntotal = \"money\"\nshipTo = \"text\"\n[events.page.properties]\nurl = \"text\"\n",
    );
    write(
        dir.path(),
        "c.ndjson",
        r#"{"type": "identify", "userId": "1", "timestamp": "2026-01-01T00:00:00Z", "receivedAt": "2026-01-09T00:00:00Z", "traits": {"plan": "gold", "Age": 7}}
{"type": "track", "userId": "1", "event": "Order Completed", "messageId": "m1", "timestamp": "2026-01-01T00:00:00Z", "receivedAt": "2026-01-01T00:00:03Z", "properties": {"total": "x", "ship_to": "Rome", "gift": true}}
{"type": "track", "userId": "1", "event": "Order Completed", "timestamp": "2026-01-01T00:00:00Z", "sentAt": "2026-01-01T00:00:05Z", "properties": {"total": 5}}
{"type": "page", "anonymousId": "d", "timestamp": "2026-01-01T00:00:00Z", "properties": {"url": "/", "depth": 0.5}}
{"type": "dance", "userId": "1", "timestamp": "2026-01-01T00:00:00Z"}
"#,
    );
    let (code, json) = check(dir.path(), &[]);
    assert_eq!(code, 1);
    assert_eq!((json["people_rows"].as_u64(), json["event_rows"].as_u64()), (Some(1), Some(3)));
    assert_eq!(
        findings(&json),
        [
            "respelled Order Completed ship_to 1/1",
            "other-type Order Completed total 1/2",
            "not-allowed - plan 1/1",
            "new-property Order Completed gift 1/1",
            "new-property page depth 1/1",
            "new-attribute - Age 1/1",
        ]
    );
    assert_eq!(json["findings"][0]["help"], "in the schema, write `ship_to` for `shipTo`, with `also = [\"shipTo\"]`");
    assert_eq!(json["findings"][4]["help"], "under [events.page.properties] of the schema, write\ndepth = \"number\"");
    // An identify is no event, and has no delay.
    assert_eq!((json["delays"][0]["events"].as_u64(), json["delays"][0]["longest"].as_f64()), (Some(2), Some(5.0)));
    assert_eq!(json["problems"][0]["kind"], "broken-row");
}

#[test]
fn parquet_is_compared_as_other_files_are() {
    let (code, json) = check(&data("large_lists"), &["--strict"]);
    assert_eq!((code, findings(&json)), (0, vec![]));
    let dir = tempfile::tempdir().expect("a directory");
    for file in ["seg.toml", "e.parquet"] {
        std::fs::copy(data("large_lists").join(file), dir.path().join(file)).expect("copied");
    }
    write(dir.path(), "schema.toml", "[events.buy.properties]\nTags = \"list of text\"\nlines = \"integer\"\n");
    let (code, json) = check(dir.path(), &[]);
    assert_eq!(code, 1);
    let found = findings(&json);
    assert!(found[0].starts_with("respelled buy tags ") && found[1].starts_with("other-type buy lines "), "{found:?}");
}

#[test]
fn very_many_names_are_counted_soon() {
    const N: usize = 80_000;
    let begun = Instant::now();
    let mut events = "id,event,time\n".to_owned();
    for n in 0..N {
        writeln!(events, "{n},event {n},2026-01-01T00:00:00Z").expect("written");
    }
    let dir = project("[events.order.properties]\nkind = { type = \"text\", allowed = [\"a\"] }\n", &events);
    let output = seg(dir.path(), &["schema", "check"]);
    let told = text(&output.stdout);
    assert!(told.contains("remark: 79,000 more names that the schema lacks (new-event)\n"), "{told}");
    assert!(told.contains("remark: 990 more like these (new-event); `--all` shows them\n"), "{told}");
    assert!(told.lines().count() < 100, "{}", told.lines().count());
    let names: Vec<String> = (0..N).map(|n| format!("c{n}")).collect();
    let values = vec!["1"; N].join(",");
    write(dir.path(), "e.csv", &format!("id,event,time,{}\n1,order,2026-01-01T00:00:00Z,{values}\n", names.join(",")));
    let told = text(&seg(dir.path(), &["schema", "check"]).stdout);
    assert!(told.contains("remark: 79,000 more names that the schema lacks (new-property)\n"), "{told}");
    let mut events = "id,event,time,kind\n".to_owned();
    for n in 0..N {
        writeln!(events, "{n},order,2026-01-01T00:00:00Z,kind {n}").expect("written");
    }
    write(dir.path(), "e.csv", &events);
    let told = text(&seg(dir.path(), &["schema", "check"]).stdout);
    assert!(
        told.contains("error: 80,000 of 80,000 values of `kind` of `order` are not allowed by the schema\n"),
        "{told}"
    );
    assert!(told.contains(", and 79,990 more\n"), "{told}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn an_attribute_may_be_silent_where_rows_are_changes() {
    let dir = project("", "");
    let source = |rows: &str| {
        format!(
            "name = \"p\"\ntimezone = \"UTC\"\n[data.profiles]\nfiles = [\"p.csv\"]\nid = \"id\"\ntime = \"at\"\nrows = \"{rows}\"\n"
        )
    };
    write(dir.path(), "schema.toml", "[attributes]\ncity = { type = \"text\", required = true }\n");
    write(dir.path(), "p.csv", "id,at,city\n1,2026-01-01,Rome\n1,2026-02-01,\n");
    write(dir.path(), "seg.toml", &source("changes"));
    assert_eq!(check(dir.path(), &["--strict"]).0, 0);
    write(dir.path(), "seg.toml", &source("snapshots"));
    let (code, json) = check(dir.path(), &[]);
    assert_eq!((code, findings(&json)), (1, vec!["required-missing - city 1/2".to_owned()]));
}

/// Each of two spellings, where the data has one and where it has both.
#[test]
fn names_of_two_spellings_say_what_to_write() {
    let help = |schema: &str, events: &str| {
        let dir = project(schema, events);
        let (_, json) = check(dir.path(), &[]);
        json["findings"][0]["help"].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
    };
    let row = |name: &str| format!("1,{name},2026-01-01T00:00:00Z\n");
    let events = |names: &[&str]| format!("id,event,time\n{}", names.iter().map(|name| row(name)).collect::<String>());
    let one = help("[events.\"Checkout Started\"]\n", &events(&["checkoutStarted"]));
    assert_eq!(
        one,
        "in the schema, write `[events.checkoutStarted]` for `[events.\"Checkout Started\"]`, with `also = [\"Checkout Started\"]`"
    );
    let both = help("[events.\"Checkout Started\"]\n", &events(&["Checkout-Started", "Checkout Started"]));
    assert_eq!(
        both,
        "the data has both, 1 event with the other name: have one of them sent, or write `[events.Checkout-Started]` in the schema and a group of both"
    );
    let column =
        help("[events.a.properties]\nitem_id = \"text\"\n", "id,event,time,Item ID\n1,a,2026-01-01T00:00:00Z,x\n");
    assert_eq!(column, "in seg.toml, write `columns = { item_id = \"Item ID\" }` for this source");
    // What is offered mends it.
    let dir =
        project("[events.a.properties]\nitem_id = \"text\"\n", "id,event,time,Item ID\n1,a,2026-01-01T00:00:00Z,x\n");
    let settings = std::fs::read_to_string(dir.path().join("seg.toml")).expect("a text");
    write(dir.path(), "seg.toml", &format!("{settings}columns = {{ item_id = \"Item ID\" }}\n"));
    assert_eq!(check(dir.path(), &["--strict"]).0, 0);
    // Another name of sentences is none of data.
    let also = help("[events.a]\nalso = [\"did a\"]\n", &events(&["did a"]));
    assert_eq!(also, "in the schema, write `[events.\"did a\"]` for `[events.a]`, with `also = [\"a\"]`");
}
