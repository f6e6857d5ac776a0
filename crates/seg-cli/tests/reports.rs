//! What users of other segment tools reported, rebuilt small: what is right of each.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn seg(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_seg")).args(args).current_dir(dir).output().expect("seg runs")
}

fn told(output: &Output) -> String {
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).expect("UTF-8");
    text(&output.stdout) + &text(&output.stderr)
}

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/reports").join(name)
}

/// A run of a project: its exit code, its members as `segment: ids`, a line each, and all that
/// was told.
struct Answer {
    code: i32,
    members: String,
    told: String,
}

fn run_in(dir: &Path, args: &[&str]) -> Answer {
    let out = tempfile::tempdir().expect("a directory");
    let file = out.path().join("m.csv");
    let output = seg(dir, &[&["run", "--members", file.to_str().expect("UTF-8")], args].concat());
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    if file.exists() {
        for row in csv::Reader::from_path(&file).expect("members").into_records() {
            let row = row.expect("a row");
            if !ids.contains_key(&row[0]) {
                order.push(row[0].to_owned());
            }
            ids.entry(row[0].to_owned()).or_default().push(row[1].to_owned());
        }
    }
    let lines = order.iter().map(|segment| format!("{segment}: {}", ids[segment].join(" ")));
    let (code, told) = (output.status.code().expect("it exits"), told(&output));
    Answer { code, members: lines.collect::<Vec<_>>().join("\n"), told }
}

fn run(name: &str) -> Answer {
    run_in(&case(name), &[])
}

/// A case answers so.
#[track_caller]
fn answers(name: &str, members: &[&str]) -> Answer {
    let answer = run(name);
    assert_eq!((answer.code, answer.members.as_str()), (0, members.join("\n").as_str()), "{}", answer.told);
    answer
}

/// A case is refused with errors of these numbers, and nothing is answered.
#[track_caller]
fn refused(name: &str, codes: &[&str]) -> Answer {
    let answer = run(name);
    let found: Vec<&str> = answer.told.lines().filter_map(|line| line.strip_prefix("error[")?.get(..5)).collect();
    assert_eq!((answer.code, found.as_slice(), answer.members.as_str()), (1, codes, ""), "{}", answer.told);
    answer
}

#[track_caller]
fn says(answer: &Answer, texts: &[&str]) {
    for text in texts {
        assert!(answer.told.contains(text), "`{text}` in {}", answer.told);
    }
}

/// A copy of a case.
fn copy(name: &str) -> tempfile::TempDir {
    fn copied(from: &Path, to: &Path) {
        for file in std::fs::read_dir(from).expect("a directory") {
            let file = file.expect("a file");
            let target = to.join(file.file_name());
            if file.path().is_dir() {
                std::fs::create_dir(&target).expect("a directory");
                copied(&file.path(), &target);
            } else {
                std::fs::copy(file.path(), target).expect("copied");
            }
        }
    }
    let dir = tempfile::tempdir().expect("a directory");
    copied(&case(name), dir.path());
    dir
}

/// A case with other segments: each who is included.
fn asked(name: &str, conditions: &[&str]) -> Answer {
    let dir = copy(name);
    let segments = conditions.iter().zip(1..).map(|(said, n)| format!("segment \"{n}\"\n    include people {said}\n"));
    std::fs::write(dir.path().join("s.seg"), segments.collect::<String>()).expect("written");
    run_in(dir.path(), &[])
}

/// `seg init` of what is in the folder `raw` of a copy, and a run of what it wrote.
fn init(name: &str, from: &[&str]) -> (tempfile::TempDir, String) {
    let dir = copy(name);
    let from: Vec<&str> = from.iter().flat_map(|file| ["--from", *file]).collect();
    let output = seg(dir.path(), &[&["init", "p"], from.as_slice()].concat());
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let text = told(&output);
    (dir, text)
}

#[track_caller]
fn strict_is_fatal(name: &str) {
    let answer = run_in(&case(name), &["--strict"]);
    assert_eq!((answer.code, answer.members.as_str()), (1, ""), "{}", answer.told);
    says(&answer, &["nothing was run, since --strict was asked for"]);
}

/// Mails were not sent to everybody without a value (B01).
#[test]
fn a_negative_word_asks_about_people_without_a_value() {
    let answer = refused("negative", &["E0501", "E0501"]);
    says(
        &answer,
        &["`country is known but not one of \"DE\", \"AT\"`", "`country is none of \"DE\", \"AT\" or unknown`"],
    );
    answers(
        "negative_stated",
        &["With unknown: p2 p3 p4", "Known only: p2", "Excluded: p2 p3 p4", "Flow not 1: p2 p3 p4"],
    );
    let answer = answers("negative_known", &["a: p2"]);
    assert!(!answer.told.contains("warning"), "nothing is said twice: {}", answer.told);
    refused("negative_contradiction", &["E0115", "E0115", "E0115"]);
}

/// A promise that the data breaks is told of, with its number, also of people without a row.
#[test]
fn what_is_required_and_missing_is_counted() {
    let answer = answers("required", &["Not German: p2", "Not German, other way: p2 p3 p4", "Unknown: p3 p4"]);
    says(&answer, &["2 values that the schema requires are missing in `country`"]);
    strict_is_fatal("required");
    let answer = answers("required_added", &["Not German: a"]);
    says(&answer, &["1 value that the schema requires is missing in `country`"]);
    strict_is_fatal("required_added");
}

#[test]
fn init_promises_nothing_of_rows_to_come() {
    let (dir, _) = init("init_required", &["raw/events.csv", "raw/people.csv"]);
    let schema = std::fs::read_to_string(dir.path().join("p/schema.toml")).expect("a schema");
    assert!(schema.contains("country = \"text\"") && !schema.contains("required = true }"), "{schema}");
    assert_eq!(seg(dir.path(), &["run", "p"]).status.code(), Some(0));
}

/// A field in which nothing can be seen holds nothing, in every format (B03).
#[test]
fn blanks_alone_are_no_value() {
    let answer = answers("empty_csv", &["Missing: p2 p3 p4", "Known: p1 p5 p6"]);
    assert!(!answer.told.contains("blanks"), "{}", answer.told);
    answers(
        "empty_ndjson",
        &["Missing: p2 p3 p4 p5", "Known: p1 p6", "Score missing: p2 p3 p4 p5", "Score 7 or more: p6"],
    );
    answers("blanks", &[]);
}

/// So many days before something ends (B05).
#[test]
fn days_ahead_can_be_said() {
    // `away` and a number of days that is `exactly` so are no Seg.
    refused("days_ahead", &["E0100", "E0100"]);
    let on_the_day = ["whose ends is in 3 days", "whose ends is 3 days from now"];
    assert_eq!(asked("days_ahead", &on_the_day).members, "1: p3\n2: p3");
    answers(
        "days_ahead_windows",
        &["Next 3 but not next 2: p3", "Tomorrow: p1", "ends_at tomorrow: p1", "ends_at within next 3 days: p0 p1 p3"],
    );
    answers("days_ahead_instants", &["date, 3 days ahead: a", "time, wrong way: b c", "not yet over: a b c"]);
    let on_the_day = ["whose ends_at is 3 calendar days from now", "whose ends_at is on 2026-06-04"];
    assert_eq!(asked("days_ahead_instants", &on_the_day).members, "1: a c\n2: a c");
}

/// Who did not do something lately, with those who never did, and who is new (B07).
#[test]
fn who_did_not_is_also_who_never_did() {
    refused("no_order", &["E0404"]);
    // `future` comes after the instant that is asked about, and is not known yet.
    let answer = answers(
        "no_order_stated",
        &[
            "None in 7 days: never new old ghost",
            "None in 7 days, known that long: old",
            "None in 7 days, signed up that long ago: never old",
            "Lapsed: old",
            "Last order was more than 7 days ago: old",
            "Never: never new ghost",
        ],
    );
    says(&answer, &["6 people and 1 not known yet", "warning[W0816]"]);
    answers("first_seen", &["None in 7 days, known that long: never old blank"]);
}

/// Of people of whom no event is known nobody was seen first, unless the schema says what does:
/// the warning tells how, and what it tells is right. Whoever asks for these people is not
/// warned.
#[test]
fn first_seen_without_events_is_warned_of() {
    let answer =
        answers("first_seen_trap", &["No order in 7 days, known for 7 days: lapsed", "First seen unknown: never"]);
    assert_eq!(answer.told.matches("warning[W0816]").count(), 1, "{}", answer.told);
    says(&answer, &["name it at the top of the schema: `first_seen = \"signed_up\"`"]);
    let dir = copy("first_seen_trap");
    let schema = dir.path().join("schema.toml");
    let text = std::fs::read_to_string(&schema).expect("a schema");
    std::fs::write(schema, format!("first_seen = \"signed_up\"\n{text}")).expect("written");
    let answer = run_in(dir.path(), &[]);
    assert_eq!(answer.members, "No order in 7 days, known for 7 days: never lapsed");
    assert!(!answer.told.contains("W0816"), "{}", answer.told);
}

/// `"8"` is not more than `"18"`; numbers that were declared as texts get a way out (B12).
#[test]
fn numbers_kept_as_texts_are_not_compared_by_size() {
    let answer = refused("number_as_text", &["E0301", "E0302", "E0301", "E0301"]);
    let way_out = "where its values are numbers, the schema can say so: of type `integer` or `number`";
    assert_eq!(answer.told.matches(way_out).count(), 2, "{}", answer.told);
    says(&refused("number_as_text_helped", &["E0302"]), &[way_out]);
    let dir = copy("number_as_text_helped");
    std::fs::write(dir.path().join("schema.toml"), "[attributes]\nage = \"integer\"\n[events.Visit]\n")
        .expect("written");
    std::fs::write(dir.path().join("s.seg"), "segment \"a\"\n    include people whose age is at least 18\n")
        .expect("written");
    assert_eq!(run_in(dir.path(), &[]).members, "a: b");
}

/// Staff type their addresses in any case (B15).
#[test]
fn case_is_ignored_where_it_is_said() {
    answers("list_case", &["list ignoring case: a b c", "is ignoring case: a", "one of ignoring case: a c"]);
    // The address of `c` ends with a blank, which is told of.
    let answer = answers("list_staff", &["Staff: a b", "Not staff: c", "Plain: b"]);
    says(&answer, &["1 text in `email` begins or ends with blanks"]);
    refused("case_everywhere", &["E0100"]);
    let dir = copy("case_everywhere");
    let path = dir.path().join("s.seg");
    let text = std::fs::read_to_string(&path).expect("segments");
    std::fs::write(&path, text.replace("with sku \"cup\" ignoring case", "where sku is \"cup\" ignoring case"))
        .expect("written");
    let answer = run_in(dir.path(), &[]);
    let expected = [
        "is: a b",
        "is not: c",
        "one of: a b",
        "none of: c",
        "is other: a b",
        "differs: c",
        "in list: a b",
        "not in list: c",
        "tags: a b",
        "tags any: a b",
        "tags none: c",
        "group: a b",
        "most frequent: a",
        "where: a b",
        "with: a",
    ];
    assert_eq!(answer.members, expected.join("\n"), "{}", answer.told);
}

/// `and` beside `or` without brackets, and a negative before `or` (B16).
#[test]
fn and_beside_or_and_not_before_or_are_asked_about() {
    refused("and_or", &["E0104"]);
    refused("and_or_values", &["E0502", "E0501"]);
    let answer = refused("not_or", &["E0502"]);
    let helps = ["zip is known but not one of \"A1\", \"B1\"", "zip is none of \"A1\", \"B1\" or unknown"];
    says(&answer, &helps);
    let helps: Vec<String> = helps.iter().map(|help| format!("whose {help}")).collect();
    assert_eq!(asked("not_or", &helps.iter().map(String::as_str).collect::<Vec<_>>()).members, "1: c\n2: c");
    answers("not_or_helped", &["as helped: a b", "as meant: c"]);
    answers("and_or_carried", &[]);
}

/// A field, an event or a segment that is gone (B18).
#[test]
fn what_is_gone_is_told_of() {
    refused("name_gone", &["E0201", "E0203"]);
    let lacks = |column: &str| format!("1 file lacks the column `{column}`, which the answer needs");
    let columns = [lacks("plan"), lacks("amount")];
    for name in ["columns_gone", "column_renamed", "required_gone"] {
        says(&run(name), &columns.each_ref().map(String::as_str));
        strict_is_fatal(name);
        assert_eq!(seg(&case(name), &["check", "--data"]).status.code(), Some(1), "{name}");
    }
    says(&run("event_gone"), &["no event is called `Signed Up`, which segments ask about"]);
    strict_is_fatal("event_gone");
    let answer = answers("column_in_one_file", &["spent 10: a"]);
    says(&answer, &[&lacks("amount"), "ev/2.csv:1"]);
    strict_is_fatal("column_in_one_file");
}

/// What is delivered twice counts once, of one name (B20).
#[test]
fn an_event_that_comes_twice_counts_once() {
    let answer = answers(
        "repeated_events",
        &["Twice in 30 days: c", "Once in 30 days: a b c e f g", "20 or more: c", "Visited: e"],
    );
    says(&answer, &["3 events repeat an event id in `event_id`; the first to arrive was used"]);
}

/// A step that must not lie between two others (B24).
#[test]
fn nothing_in_between_can_be_said() {
    // One of six sentences is Seg's, and the others are refused rather than read otherwise.
    refused("between", &["E0100", "E0100", "E0115", "E0115", "E0100"]);
    answers("between_accepted", &["Pay preceded by Ad, no Stop since: clean again", "Not (Ad Stop Pay): clean later"]);
    let said = asked("between_accepted", &["who did Ad then Pay with no Stop in between"]);
    assert_eq!(said.members, "1: clean later again");
}

/// Something on some days of each week (B25).
#[test]
fn days_of_each_week_are_counted() {
    answers(
        "regular_days",
        &[
            "2 days in each of 4 weeks: steady",
            "2 days in 3 of the past 4 weeks: steady",
            "2 times in each of 4 weeks: steady",
            "2 days, ever: steady longago oneday",
        ],
    );
}

/// Lists of values, and what is not in them (B32).
#[test]
fn lists_of_values_are_held_item_by_item() {
    answers(
        "lists_ndjson",
        &[
            "group 1: a d g",
            "tag first: a",
            "tag bb: a e",
            "no tags: f",
            "number of tags 0: c",
            "include none: b c d f g h",
            "tags first ignoring case: a d",
        ],
    );
    refused("lists_said", &["E0301", "E0302", "E0301", "E0501", "E0100", "E0302"]);
    assert_eq!(run("negative_helps").code, 1);
    let answer = refused("negative_help_applied", &["E0501"]);
    says(&answer, &["without them: `tags are known and include none of \"AU\"`"]);
    // Without a list there is no number of its items; of an empty one, which CSV has not, 0.
    answers("lists_with_none", &["known, none: b", "or unknown: b c", "number of tags is at most 1: b"]);
    let said = asked("lists_with_none", &["whose tags are known and include none of \"AU\""]);
    assert_eq!(said.members, "1: b");
}

/// Files out of spreadsheets (B36).
#[test]
fn files_of_spreadsheets_are_read() {
    answers("byte_order_mark", &["Visited: a", "Germans: a"]);
    answers("semicolons", &["Visited: a"]);
    let (dir, _) = init("semicolons", &["people.csv", "events.csv"]);
    let output = seg(dir.path(), &["run", "p"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    // One byte that is no UTF-8 is told of; a combining mark makes another text, as documented.
    let answer = answers("encodings", &["Koeln: c", "Not Koeln: a b d"]);
    says(&answer, &["1 value in `city` could not be understood and counts as missing"]);
    let answer = answers("headers", &["pro: a"]);
    says(
        &answer,
        &[
            "1 file has more than one column `plan`; the first was used",
            "column `Country` is not in the schema and was passed over; names in data count letter by letter, and the \
             schema has `country`: `columns = { country = \"Country\" }` in seg.toml reads it",
            "1 file lacks the column `country`, which the answer needs",
        ],
    );
}

/// Events that were renamed, or are written in other letters (B39).
#[test]
fn names_in_data_count_letter_by_letter() {
    let answer = answers("event_spelling", &["Ordered: a", "Never ordered: b c d", "Never signed up: a b c d"]);
    for name in ["order completed", "order_completed", "ordered"] {
        let message = format!(
            "1 event called `{name}` is not in the schema and was passed over; names in data count letter by letter, and \
             the schema has `Order Completed`"
        );
        says(&answer, &[&message]);
    }
    strict_is_fatal("event_spelling");
    let answer = refused("names_alike", &["E0206", "E0206"]);
    says(&answer, &["for the event `Sign Up`, write `Sign Up`", "for the attribute `plan_name`, write `plan_name`"]);
}

/// The column is read as soon as seg.toml says so.
#[test]
fn the_line_that_a_message_offers_reads_the_column() {
    let dir = copy("headers");
    let path = dir.path().join("seg.toml");
    let text = std::fs::read_to_string(&path).expect("settings");
    let line = "files = [\"people.csv\"]\n";
    std::fs::write(&path, text.replace(line, &format!("{line}columns = {{ country = \"Country\" }}\n")))
        .expect("written");
    let answer = run_in(dir.path(), &[]);
    assert_eq!(answer.members, "DE: a\npro: a", "{}", answer.told);
}

/// After today, and in the days to come (B40).
#[test]
fn days_to_come_can_be_said() {
    answers(
        "next_days",
        &[
            "date next 3: today tom d3",
            "date past 1: today yes",
            "time next 3: tom d3",
            "date today or later: today tom d3 d4",
            "date after today: tom d3 d4",
            "time in the future: tom d3 d4",
        ],
    );
    answers("after_today", &["1: tom d3 d4", "2: tom d3 d4", "3: yes"]);
}

/// Lists that were pasted: without a header, with two columns, empty (B42).
#[test]
fn a_list_that_fits_nobody_is_told_of() {
    let members = ["noheader: a b", "header: a b", "semi: a b", "not in comma: a b c"];
    let answer = answers("list_files", &members);
    says(
        &answer,
        &[
            "no value of the list `comma` is in `email`, which segments compare with it",
            "l/comma.txt:1 `a@example.org,b@example.org`",
            "no value of the list `second` is in `email`, which segments compare with it",
            "the list `empty` has no value, and segments ask who is in it",
        ],
    );
    assert_eq!(answer.told.matches("list `").count(), 3, "{}", answer.told);
    strict_is_fatal("list_files");
    let output = seg(&case("list_files"), &["check", "--data"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
}

/// Times in Unix seconds and as tools write them; a person in a column `user` (B44).
#[test]
fn times_are_read_as_tools_write_them() {
    // A day in an order that nobody told is a row that is lost, and more than one in a hundred.
    assert_eq!(run("unix_times").code, 1);
    let answer = run_in(&case("unix_times"), &["--max-bad", "10%"]);
    assert_eq!(answer.members, "Visited: a b c d e f h i\nCreated: a b", "{}", answer.told);
    says(&answer, &["1 row without a possible time in `time` was passed over", "`28.05.2026 20:26`"]);
    answers("unix_times_ndjson", &["Visited: a b c"]);
    for name in ["init_unix", "init_user", "init_user_unix"] {
        let (dir, text) = init(name, &["raw/events.csv"]);
        let person = if name == "init_unix" { "user_id" } else { "user" };
        assert!(text.contains(&format!("person in `{person}`, event in `event`, time in `time`")), "{text}");
        let output = seg(dir.path(), &["run", "p", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(json["segments"][0]["members"].as_u64() > Some(0), "{name}: {json}");
    }
}

/// Each folder has a test.
#[test]
fn every_case_is_asked_for() {
    let source = include_str!("reports.rs");
    for entry in std::fs::read_dir(case("")).expect("a directory") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(!entry.path().is_dir() || source.contains(&format!("\"{name}\"")), "nothing asks for {name}");
    }
}
