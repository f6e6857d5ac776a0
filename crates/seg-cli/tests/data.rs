//! Data as it comes, small: what was once read wrong, and what is right.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests may panic")]

use std::path::{Path, PathBuf};
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

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(name)
}

/// The exit code of a run, the numbers of members in order, and the messages.
fn run(dir: &Path, args: &[&str]) -> (i32, Vec<u64>, String) {
    let output = seg(dir, &[&["run", "--format", "json"], args].concat());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let segments = json["segments"].as_array().cloned().unwrap_or_default();
    let members = segments.iter().map(|segment| segment["members"].as_u64().expect("a number")).collect();
    let problems = json["data"]["problems"].as_array().cloned().unwrap_or_default();
    let problems: Vec<String> = problems.iter().filter_map(|p| p["message"].as_str().map(str::to_owned)).collect();
    (output.status.code().expect("it exits"), members, problems.join("\n") + &err(&output))
}

/// A copy of a case, to be changed.
fn copy(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for file in std::fs::read_dir(case(name)).expect("a directory") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), dir.path().join(file.file_name())).expect("copied");
    }
    dir
}

#[test]
fn a_quote_that_is_never_closed_is_counted() {
    let (code, _, messages) = run(&case("stray_quote"), &[]);
    assert_eq!(code, 1);
    assert!(messages.contains("8 rows could not be read"), "{messages}");
    let text = err(&seg(&case("stray_quote"), &["run"]));
    assert!(text.contains("e.csv:4 `a quote took 7 lines that look like rows`"), "{text}");
    assert!(text.contains("e.csv:5 `taken by the quote of line 4`"), "{text}");
    // Eight of ten rows are lost.
    assert!(text.contains("8 of 10 rows could not be read"), "{text}");
    assert_eq!(run(&case("stray_quote"), &["--max-bad", "79%"]).0, 1);
    assert_eq!(run(&case("stray_quote"), &["--max-bad", "80%"]).0, 0);
    // What people write over several lines is one value.
    let dir = copy("stray_quote");
    let rows = "user_id,event,timestamp,amount,note\n\
        1,buy,2024-03-01T10:00:00Z,1.00,\"Hello, you,\nsee you, soon\n\nBob\"\n\
        2,buy,2024-03-01T10:00:00Z,1.00,\"one\ntwo\"\n";
    std::fs::write(dir.path().join("e.csv"), rows).expect("written");
    assert_eq!(run(dir.path(), &[]).1, [2]);
}

#[test]
fn a_column_that_segments_ask_about_and_no_file_has_is_told_of() {
    let (code, _, messages) = run(&case("column_gone"), &[]);
    assert_eq!(code, 0);
    for column in ["opted_out", "amount"] {
        let message = format!("1 file lacks the column `{column}`, which the answer needs");
        assert!(messages.contains(&message), "{messages}");
    }
    assert_eq!(run(&case("column_gone"), &["--strict"]).0, 1);
    // What nobody asks about may be missing.
    let dir = copy("column_gone");
    std::fs::write(dir.path().join("s.seg"), "segment \"x\" include everyone\n").expect("written");
    let (code, _, messages) = run(dir.path(), &[]);
    assert!(code == 0 && !messages.contains("lacks"), "{messages}");
}

#[test]
fn an_event_that_never_occurs_is_told_of() {
    let dir = copy("file_twice");
    let schema = "[events.buy]\n[events.sell]\n[events.look]\n";
    std::fs::write(dir.path().join("schema.toml"), schema).expect("written");
    std::fs::write(dir.path().join("s.seg"), "segment \"x\" include people who never did sell\n").expect("written");
    let (_, _, messages) = run(dir.path(), &[]);
    assert!(messages.contains("no event is called `sell`, which segments ask about"), "{messages}");
    // Who asks for anything asks for none by name.
    std::fs::write(dir.path().join("s.seg"), "segment \"x\" include people who did anything ever\n").expect("written");
    let (_, _, messages) = run(dir.path(), &[]);
    assert!(!messages.contains("no event is called"), "{messages}");
}

#[test]
fn a_local_time_is_the_same_from_every_format() {
    assert_eq!(run(&case("naive_time_csv"), &[]).1, [1]);
    assert_eq!(run(&case("naive_time_parquet"), &[]).1, [1]);
}

/// One file that several patterns name, and one behind a link, are one file.
#[test]
fn a_file_is_read_once() {
    assert_eq!(run(&case("file_twice"), &[]).1, [0]);
    #[cfg(unix)]
    {
        let dir = copy("file_twice");
        std::os::unix::fs::symlink(dir.path().join("e.csv"), dir.path().join("link.csv")).expect("a link");
        let settings = std::fs::read_to_string(dir.path().join("seg.toml")).expect("a text");
        let line = settings.lines().find(|line| line.starts_with("files")).expect("a line").to_owned();
        let both = settings.replace(&line, "files = [\"*.csv\", \"e.csv\", \"./link.csv\"]");
        std::fs::write(dir.path().join("seg.toml"), both).expect("written");
        assert_eq!(run(dir.path(), &[]).1, [0]);
    }
}

#[test]
fn a_damaged_file_is_said_to_be_damaged() {
    for name in ["damaged_0", "damaged_1"] {
        let output = seg(&case(name), &["run"]);
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(3), ""), "{name}");
        let text = err(&output);
        assert!(text.starts_with("seg: e.parquet: ") && text.lines().count() == 1, "{name}: {text}");
    }
}

#[test]
fn large_lists_are_lists() {
    assert_eq!(run(&case("large_lists"), &[]).1, [1, 1]);
}

#[test]
fn a_whole_number_is_one_id() {
    let (_, members, messages) = run(&case("float_ids"), &[]);
    assert_eq!(members, [1]);
    assert!(!messages.contains("people without a row"), "{messages}");
}

#[test]
fn a_run_that_loses_its_rows_writes_nothing() {
    let dir = copy("rows_lost");
    std::fs::write(dir.path().join("m.csv"), "before").expect("written");
    let output = seg(dir.path(), &["run", "--members", "m.csv"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
    assert!(err(&output).contains("5 of 5 rows could not be read, more than 1%"), "{}", err(&output));
    assert_eq!(std::fs::read_to_string(dir.path().join("m.csv")).expect("a text"), "before");
    assert_eq!(seg(dir.path(), &["history", "--days", "2"]).status.code(), Some(1));
}

/// Many unknown names are a few lines, and no slower than they are many.
#[test]
fn unknown_names_are_counted() {
    let dir = copy("file_twice");
    let rows: String = (0..30_000).map(|n| format!("1,unknown{n},2024-03-01T10:00:00Z\n")).collect();
    let header = std::fs::read_to_string(dir.path().join("e.csv")).expect("a text");
    let header = header.lines().next().expect("a header");
    std::fs::write(dir.path().join("e.csv"), format!("{header}\n{rows}")).expect("written");
    let text = err(&seg(dir.path(), &["run"]));
    assert!(text.lines().count() < 40, "{} lines", text.lines().count());
    assert!(text.contains("29,990 more like these (unknown-event)"), "{text}");
}

/// What `seg init` says of a folder of data, its settings and schema, and what a run of it says.
fn init(name: &str) -> (String, String, Output) {
    let dir = tempfile::tempdir().expect("a directory");
    let project = dir.path().join("project");
    let from = case(name);
    let args = ["init", project.to_str().expect("a path"), "--from", from.to_str().expect("a path")];
    let output = seg(dir.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let said = out(&output).replace(&format!("{}/", from.display()), "");
    let read = |file: &str| std::fs::read_to_string(project.join(file)).expect("a text");
    let written = format!("{}{}", read("seg.toml"), read("schema.toml"));
    let is_said = |line: &&str| !line.starts_with('#') && !line.is_empty() && !line.starts_with("files");
    let written: Vec<&str> = written.lines().filter(is_said).collect();
    (said, written.join("\n"), seg(&project, &["run", "--format", "json"]))
}

fn n_people(run: &Output) -> u64 {
    assert_eq!(run.status.code(), Some(0), "{}", err(run));
    let json: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
    json["people"].as_u64().expect("a number")
}

#[test]
fn init_takes_customers_for_people_and_orders_for_events() {
    let (said, written, run) = init("init_customers_orders");
    assert!(said.contains("customers.csv: 2 profiles; person in `id`"), "{said}");
    assert!(said.contains("orders.csv: 2 events; person in `customer_id`, no column of event names"), "{said}");
    assert!(
        written.contains("[data.events]\nid = \"customer_id\"\nname = \"Order\"\ntime = \"created_at\""),
        "{written}"
    );
    assert!(written.contains("created_at = \"timestamp\"") && written.contains("verbs = [\"order\"]"), "{written}");
    assert_eq!(n_people(&run), 2);
}

#[test]
fn init_knows_unix_times() {
    let (said, written, run) = init("init_unix_times");
    assert!(said.contains("time in `timestamp`") && written.contains("at = \"2024-03-02"), "{said}\n{written}");
    assert_eq!(n_people(&run), 2);
}

#[test]
fn init_leaves_an_index_out() {
    let (said, written, run) = init("init_index");
    assert!(!written.contains("\"\""), "{written}");
    assert!(said.contains("1 of 2 rows have no `user_id`"), "{said}");
    assert!(err(&run).contains("--max-bad"), "{}", err(&run));
}

#[test]
fn init_gives_files_of_other_columns_a_source_each() {
    let (_, written, run) = init("init_two_sources");
    assert_eq!(written.matches("[[data.events]]").count(), 2, "{written}");
    assert!(written.contains("id = \"customer_id\"\nevent = \"event_name\"\ntime = \"occurred_at\""), "{written}");
    assert_eq!(n_people(&run), 1);
}

#[test]
fn init_knows_lists_and_lists_of_records() {
    let (_, written, run) = init("init_lists");
    assert!(written.contains("tags = \"list of text\""), "{written}");
    let lines = "lines = { type = \"list of records\", fields = { sku = \"text\", q = \"integer\" } }";
    assert!(written.contains(lines), "{written}");
    assert_eq!(n_people(&run), 1);
}

#[test]
fn definitions_that_double_are_refused_at_once() {
    let output = seg(&case("definitions_double"), &["run"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
    assert!(err(&output).contains("error[E0606]"), "{}", err(&output));
}

#[test]
fn any_id_of_a_person_finds_their_record() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/webshop-calls");
    let by_device = out(&seg(&dir, &["who", "device-0000-d", "--last", "1"]));
    assert_eq!(by_device, out(&seg(&dir, &["who", "user_0000", "--last", "1"])));
    assert!(by_device.starts_with("user_0000 at 2024-06-30T00:00:00Z (from seg.toml)\n"), "{by_device}");
    assert!(
        by_device.contains(
            "  also device-0000-d\n    device-0000-d is user_0000 by data/calls.ndjson.gz:16 (identify, message i14)\n"
        ) && by_device.contains("events: 42, the last 1\n"),
        "{by_device}"
    );
    let json = seg(&dir, &["who", "user_0000", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["events"].as_array().map(Vec::len), Some(42));
    assert_eq!(json["attributes"][1]["value"], "loyal");
    // And so does explain.
    let explained = seg(&dir, &["explain", "--person", "device-0000-d", "--segment", "Loyal"]);
    assert!(out(&explained).contains("is in \"Loyal\""), "{}", err(&explained));
    let nobody = seg(&dir, &["who", "no\u{7}body"]);
    assert_eq!(
        (nobody.status.code(), err(&nobody).as_str()),
        (Some(2), "seg: nobody in the data has the id `no\\u{7}body`\n")
    );
}

/// What made ids one: the first record of each pair of them, or the call that counts.
#[test]
fn a_record_says_why_ids_are_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    let settings = "name = \"x\"\ntimezone = \"UTC\"\nat = \"2026-06-01T00:00:00Z\"\n\
                    [data.merges]\nfiles = [\"m*.csv\"]\nfrom = \"old\"\ninto = \"new\"\n\
                    [data.calls]\nfiles = [\"c.ndjson\"]\n";
    write("seg.toml", settings);
    write("schema.toml", "[attributes]\nplan = \"text\"\n[events.order]\n");
    write("m1.csv", "old,new\nx,y\n7.0,ann\n7,ann\nann,ann\n");
    write("m2.csv", "old,new\nann,ann-2\n");
    let call = |kind: &str, ids: &str, at: &str, message: &str| {
        format!("{{\"type\":\"{kind}\",{ids},\"timestamp\":\"2026-05-{at}\",\"messageId\":\"{message}\"}}\n")
    };
    let calls = [
        // The earliest counts, wherever it stands; who comes to the device later is another.
        call("identify", "\"anonymousId\":\"d-1\",\"userId\":\"ann\"", "03", "m-1"),
        call("track", "\"anonymousId\":\"d-1\",\"userId\":\"ann\",\"event\":\"order\"", "02", "m-2"),
        call("identify", "\"anonymousId\":\"d-1\",\"userId\":\"ben\"", "04", "m-3"),
        call("alias", "\"previousId\":\"ann-old\",\"userId\":\"ann\"", "05", "m-4"),
        // An SDK that is not told the id before takes the anonymous one.
        call("alias", "\"previousId\":\"d-2\",\"userId\":\"ann\"", "06", "m-5"),
        call("track", "\"anonymousId\":\"d-2\",\"event\":\"order\"", "07", "m-6"),
    ];
    write("c.ndjson", &calls.concat());
    let expected = "  also 7, ann, ann-old, d-1, d-2\n\
                    \x20   7 is ann by m1.csv:3\n\
                    \x20   ann is ann-2 by m2.csv:2\n\
                    \x20   ann-old is ann by c.ndjson:4 (alias, message m-4)\n\
                    \x20   d-1 is ann by c.ndjson:2 (track, message m-2)\n\
                    \x20   d-2 is ann by c.ndjson:5 (alias, message m-5)\n";
    for id in ["ann-2", "7", "d-2"] {
        let record = seg(dir.path(), &["who", id]);
        assert!(out(&record).contains(expected), "{}{}", out(&record), err(&record));
    }
    let json = seg(dir.path(), &["who", "ann", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let merges = json["merges"].as_array().expect("merges");
    assert_eq!(merges.len(), 5);
    let first = r#"{"from":"7","into":"ann","file":"m1.csv","line":3,"call":null,"message_id":null}"#;
    assert_eq!(merges[0], serde_json::from_str::<serde_json::Value>(first).expect("JSON"));
    assert_eq!((&merges[2]["call"], &merges[2]["message_id"]), (&"alias".into(), &"m-4".into()));
    // Who is one id alone has nothing to tell.
    let ben = out(&seg(dir.path(), &["who", "ben"]));
    assert!(!ben.contains("also") && !ben.contains(" by "), "{ben}");
}

#[test]
fn a_record_has_values_with_their_times_and_lists_of_records() {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    write(
        "seg.toml",
        "name = \"x\"\ntimezone = \"UTC\"\nat = \"2026-06-01T00:00:00Z\"\n[data.profiles]\nfiles = [\"p.ndjson\"]\nid = \"id\"\ntime = \"at\"\n[data.events]\nfiles = [\"e.ndjson\"]\nid = \"id\"\nevent = \"event\"\ntime = \"at\"\n",
    );
    write(
        "schema.toml",
        "[attributes]\nplan = { type = \"text\", history = true }\npaid = \"money\"\n[events.order.properties]\nlines = { type = \"list of records\", fields = { sku = \"text\", n = \"integer\" } }\n",
    );
    write(
        "p.ndjson",
        "{\"id\": \"a\", \"at\": \"2026-01-01\", \"plan\": \"free\", \"paid\": 2.5}\n{\"id\": \"a\", \"at\": \"2026-02-01\", \"plan\": \"pro\"}\n{\"id\": \"a\", \"at\": \"2027-01-01\", \"plan\": \"team\"}\n",
    );
    write(
        "e.ndjson",
        "{\"id\": \"a\", \"event\": \"order\", \"at\": \"2026-03-01T10:00:00Z\", \"lines\": [{\"sku\": \"x\", \"n\": 2}, {\"sku\": \"y\"}]}\n",
    );
    let expected = "a at 2026-06-01T00:00:00Z (from seg.toml)\n  known since 2026-01-01T00:00:00Z\nattributes\n  plan  \"pro\"\n          2026-01-01T00:00:00Z  \"free\"\n          2026-02-01T00:00:00Z  \"pro\"\n          2027-01-01T00:00:00Z  \"team\"  later\n  paid  2.50\nevents: 1\n  2026-03-01T10:00:00Z  order  lines (sku \"x\", n 2), (sku \"y\")\n";
    assert_eq!(out(&seg(dir.path(), &["who", "a"])), expected);
}

#[test]
fn data_that_does_not_say_what_segments_ask_is_told_of() {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    let settings = |at: &str| {
        format!(
            "name = \"x\"\ntimezone = \"UTC\"\nat = \"{at}\"\n[data.profiles]\nfiles = [\"p.csv\"]\nid = \"id\"\n[data.events]\nfiles = [\"e.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n"
        )
    };
    write("seg.toml", &settings("2026-05-28T00:00:00Z"));
    write(
        "schema.toml",
        "[attributes]\ncity = \"text\"\nland = { type = \"text\", required = true }\n[events.order.properties]\namount = \"money\"\nshop = \"text\"\n",
    );
    write("p.csv", "id,city,land\n1,,DE\n2,NULL,FR\n");
    write(
        "e.csv",
        "id,event,time,amount,shop\n1,order,2026-05-01T10:00:00Z,,web\n3,order,2026-05-02T10:00:00Z,NULL,web\n",
    );
    write(
        "s.seg",
        "segment \"x\" include people whose land is \"DE\" and who did order where amount is more than 3 in the past 30 days\nsegment \"y\" include people whose city is \"NULL\"\nsegment \"z\" include people whose city is \"Rome\"\n",
    );
    let told = |args: &[&str]| {
        let output = seg(dir.path(), args);
        (output.status.code(), out(&output) + &err(&output))
    };
    let (code, text) = told(&["check", "--data"]);
    assert_eq!(code, Some(1), "{text}");
    for problem in [
        "data: `amount` has no value at all, which the answer needs\n",
        "data: the latest event is 25 days old; windows up to now miss what came since\n",
        // Somebody who is known from events alone.
        "data: 1 value that the schema requires is missing in `land`\n",
    ] {
        assert!(text.contains(problem), "{text}");
    }
    // A text may be any, so that it is no null marker.
    assert!(!text.contains("`city`"), "{text}");
    let (code, text) = told(&["run"]);
    assert!(code == Some(0) && text.contains("the newest event is 25 days 14 hours old"), "{text}");
    // What segments do not ask about is not looked at.
    write("s.seg", "segment \"z\" include people whose city is known\n");
    write("p.csv", "id,city,land\n1,Rome,DE\n2,Oslo,FR\n3,Bern,CH\n");
    assert_eq!(told(&["check", "--data"]), (Some(0), "the data has what segments ask about\n".to_owned()));
    let (code, text) = told(&["check", "--data", "--format", "json"]);
    assert!(code == Some(0) && text.contains("\"problems\": []"), "{text}");
}

#[test]
fn no_output_takes_the_place_of_an_input_or_of_another() {
    let dir = copy("large_lists");
    std::os::unix::fs::symlink("e.parquet", dir.path().join("link.parquet")).expect("a link");
    std::fs::write(dir.path().join("vip.csv"), "id\n1\n").expect("written");
    let text = std::fs::read_to_string(dir.path().join("s.seg")).expect("a text");
    std::fs::write(dir.path().join("s.seg"), format!("list \"vip\" from \"vip.csv\"\n{text}")).expect("written");
    let before = snapshot(dir.path());
    let data = std::fs::read_dir(dir.path()).expect("a directory").filter_map(Result::ok).map(|file| file.path());
    let data: Vec<PathBuf> =
        data.filter(|path| path.extension().is_some_and(|e| e == "parquet" || e == "csv")).collect();
    assert!(data.len() > 1);
    for path in &data {
        let output = seg(dir.path(), &["run", "--members", path.to_str().expect("a path")]);
        let text = err(&output);
        assert!(output.status.code() == Some(2) && text.contains("the project is read from this file"), "{text}");
        assert!(out(&output).is_empty());
    }
    let output = seg(dir.path(), &["run", "--members", "m.csv", "--record", "./m.csv"]);
    assert!(
        output.status.code() == Some(2) && err(&output).contains("two outputs cannot be one file"),
        "{}",
        err(&output)
    );
    // Without an order of precedence nobody wins, which is known before anything is read.
    let output = seg(dir.path(), &["run", "--winners", "w.csv", "--members", "m.csv"]);
    assert!(output.status.code() == Some(2) && err(&output).contains("no order of precedence"), "{}", err(&output));
    assert_eq!(snapshot(dir.path()), before, "nothing was written");
}

/// Every file of a directory with its bytes.
fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = std::fs::read_dir(dir).expect("a directory").map(|file| file.expect("a file").path());
    let mut files: Vec<(PathBuf, Vec<u8>)> =
        files.map(|path| (path.clone(), std::fs::read(&path).expect("bytes"))).collect();
    files.sort();
    files
}

#[test]
fn an_output_keeps_the_permissions_of_what_it_replaces_and_goes_through_pipes() {
    use std::os::unix::fs::PermissionsExt;
    let dir = copy("large_lists");
    let members = dir.path().join("m.csv");
    std::fs::write(&members, "before").expect("written");
    std::fs::set_permissions(&members, std::fs::Permissions::from_mode(0o640)).expect("set");
    assert_eq!(seg(dir.path(), &["run", "--members", "m.csv"]).status.code(), Some(0));
    assert_eq!(std::fs::metadata(&members).expect("a file").permissions().mode() & 0o777, 0o640);
    let expected = std::fs::read_to_string(&members).expect("a text");
    let pipe = dir.path().join("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("it runs").success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).expect("a text")
    });
    assert_eq!(seg(dir.path(), &["run", "--members", "pipe.csv"]).status.code(), Some(0));
    assert_eq!(reader.join().expect("it was read"), expected);
    use std::os::unix::fs::FileTypeExt;
    assert!(std::fs::metadata(&pipe).expect("a pipe").file_type().is_fifo());
}

/// What data calls `profile_id` is its own, also where it is not the id of the row.
#[test]
fn an_attribute_and_a_property_may_be_called_profile_id() {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    let settings = "name = \"x\"\ntimezone = \"UTC\"\nat = \"2026-06-01T00:00:00Z\"\n\
                    [data.profiles]\nfiles = [\"p.csv\"]\nid = \"id\"\n\
                    [data.events]\nfiles = [\"e.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n";
    write("seg.toml", settings);
    write("schema.toml", "[attributes]\nprofile_id = \"text\"\n[events.order.properties]\nprofile_id = \"integer\"\n");
    write("p.csv", "id,profile_id\na,b\nb,c\n");
    write("e.csv", "id,event,time,profile_id\na,order,2026-05-31T23:50:00Z,7\nb,order,2026-05-31T12:00:00Z,8\n");
    write(
        "s.seg",
        "segment \"1\" include people whose profile_id is \"b\"\n\
         segment \"2\" include people who did order where profile_id is at least 8\n\
         segment \"3\" grace period 15 minutes include people whose profile_id is known and who did order ever\n",
    );
    let output = seg(dir.path(), &["run", "--members", "m.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let members = std::fs::read_to_string(dir.path().join("m.csv")).expect("members");
    assert_eq!(members, "segment,profile_id\n1,a\n2,b\n3,b\n");
    let record = out(&seg(dir.path(), &["who", "b"]));
    assert!(record.starts_with("b at") && record.contains("  profile_id  \"c\"\n"), "{record}");
    // Two columns of one name would be in one file.
    let output = seg(dir.path(), &["run", "--members", "m.csv", "--columns", "profile_id"]);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    // Names of ours are refused, with what to do.
    write("schema.toml", "[attributes]\n\"$merged_ids\" = \"text\"\n");
    let output = seg(dir.path(), &["check"]);
    let told = err(&output) + &out(&output);
    assert!(
        told.contains("`$merged_ids` is a name that Seg uses for a column of its own")
            && told.contains("columns = { merged_ids = \"$merged_ids\" }"),
        "{told}"
    );
}

/// What `seg init` calls events in English can be said, whatever they are called in the data:
/// every word that sentences are made of is tried.
#[test]
fn init_proposes_words_that_can_be_said() {
    let grammar = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grammar/seg.pest");
    let grammar = std::fs::read_to_string(grammar).expect("the grammar");
    let quoted = grammar.split("^\"").skip(1).filter_map(|rest| rest.split('"').next());
    let words: std::collections::BTreeSet<&str> =
        quoted.filter(|word| word.bytes().all(|b| b.is_ascii_lowercase())).collect();
    assert!(words.len() > 200, "{}", words.len());
    for form in ["%", "% Completed", "% Placed", "%ed", "Completed %"] {
        let dir = tempfile::tempdir().expect("a directory");
        let row = |word: &&str| format!("a,{},2026-05-01T00:00:00Z\n", form.replace('%', word));
        let rows: String = words.iter().map(row).collect();
        std::fs::write(dir.path().join("e.csv"), format!("user_id,event,time\n{rows}")).expect("written");
        let output = seg(dir.path(), &["init", "p", "--from", "e.csv"]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        let schema = std::fs::read_to_string(dir.path().join("p/schema.toml")).expect("a schema");
        let of = |key: &str| -> Vec<String> {
            let lines = schema.lines().filter_map(|line| line.strip_prefix(key)).map(str::to_owned);
            let texts = lines.map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
            texts.flatten().collect()
        };
        let verbs = of("verbs = ").into_iter().map(|verb| format!("did not {verb} ever"));
        let nouns = of("nouns = ").into_iter().map(|noun| format!("had no {noun} in the past 30 days"));
        let said: Vec<String> = verbs.chain(nouns).collect();
        let segments = said.iter().enumerate().map(|(n, said)| format!("segment \"{n}\" include people who {said}\n"));
        std::fs::write(dir.path().join("p/said.seg"), segments.collect::<String>()).expect("written");
        let output = seg(dir.path(), &["check", "p"]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{form}: {}",
            err(&output).lines().take(60).collect::<Vec<_>>().join("\n")
        );
        assert!(form == "Completed %" || !said.is_empty(), "{form}");
    }
}
