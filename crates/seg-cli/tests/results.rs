//! What a run writes: every type of attribute in every format and layout, read back; what is
//! refused before a run, and what a failure leaves.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "tests may panic"
)]

mod command;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use command::{err, read, run, seg, write};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names of all files of a folder.
fn names(dir: &Path) -> Vec<String> {
    let files = std::fs::read_dir(dir).expect("a folder").map(|file| file.expect("a file").file_name());
    let mut names: Vec<String> = files.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

const SETTINGS: &str = "name = \"shop\"\ntimezone = \"UTC\"\nat = \"2026-06-01T12:00:00Z\"\n\
    [data.profiles]\nfiles = [\"people.ndjson\"]\nid = \"id\"\ntime = \"since\"\nrows = \"snapshots\"\n";

/// An attribute of every type; `plan` keeps its history.
const SCHEMA: &str = "[attributes]\nname = { type = \"text\", also = [\"full name\"] }\nn = \"integer\"\nweight = \"number\"\nbalance = \"money\"\nvip = \"boolean\"\n\
    born = \"date\"\nseen = \"timestamp\"\nplan = { type = \"text\", history = true }\nscore = { type = \"money\", history = true }\n\
    tags = \"list of text\"\nmarks = \"list of integer\"\nratios = \"list of number\"\ndays = \"list of timestamp\"\n\
    pets = { type = \"list of records\", fields = { kind = \"text\", price = \"money\", age = \"integer\", born = \"date\" } }\n\
    [events.order]\nalso = [\"ordered\"]\n";

const COLUMNS: [&str; 14] = [
    "name", "n", "weight", "balance", "vip", "born", "seen", "plan", "score", "tags", "marks", "ratios", "days", "pets",
];

/// Who is in what: everybody is in the first, nobody in the second.
const SEGMENTS: &str = "segment \"All, of us\" include everyone\n\
    segment \"Nobody\" include people whose n is 123456\n\
    segment \"Above 5\" include people whose n is more than 5\n";

const ALL: &str = "All, of us";

/// Everybody with what they are as of the instant, in the order of the data.
fn people() -> Vec<Map<String, Value>> {
    let people = json!([
        {
            "id": "ann", "name": "Ann \"A\", Ä\nof two lines, 東京 🦀", "n": 9_223_372_036_854_775_807_i64, "weight": 0.1,
            "balance": "922337203685477.5807", "vip": true, "born": "1970-01-01", "seen": "2026-05-31T10:00:00.123456Z",
            "plan": "pro", "score": "1.50", "tags": ["a;b", "c,\"d\""], "marks": [1, -2, 9_223_372_036_854_775_807_i64],
            "ratios": [0.5, -1e300, 3.0], "days": ["2026-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z"],
            "pets": [{"kind": "dog, \"big\"", "price": "-0.0001", "age": 3, "born": "2020-02-29"}, {"kind": "cat", "price": null, "age": null, "born": null}],
        },
        {
            "id": "=1+1", "name": "=HYPERLINK(\"x\")", "n": -9_223_372_036_854_775_808_i64, "weight": -1e300,
            "balance": "-922337203685477.5808", "vip": false, "born": "1582-10-15", "seen": "1969-12-31T23:59:59.999999Z",
            "plan": null, "score": "-0.0001", "tags": [], "marks": [0], "ratios": [], "days": [], "pets": [],
        },
        { "id": "no, \"body\"" },
        {
            "id": "7", "name": "true", "n": 7, "weight": 3.0, "balance": "10.00", "vip": null, "born": "9999-12-31",
            "seen": "9999-12-31T23:59:59Z", "plan": "basic", "score": null, "tags": ["x"], "marks": [], "ratios": [1e-7],
            "days": ["2026-06-01T12:00:00Z"], "pets": [{"kind": null, "price": "12.34", "age": 0, "born": null}],
        },
    ]);
    let people = people.as_array().expect("people").iter().map(|person| {
        let person = person.as_object().expect("a person");
        let mut whole: Map<String, Value> = COLUMNS.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        whole.extend(person.iter().map(|(name, value)| (name.clone(), value.clone())));
        whole
    });
    people.collect()
}

/// A project of these people, whose history has more than what is known at the instant.
fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let mut lines = String::new();
    for person in people() {
        // Values are as of the instant: what was set before and after is not theirs.
        let (plan, score) = (person["plan"].clone(), person["score"].clone());
        for (since, plan, score) in [
            ("2026-01-01T00:00:00Z", "trial".into(), "99".into()),
            ("2026-06-01T12:00:00Z", plan, score),
            ("2026-06-01T12:00:01Z", "later".into(), "5".into()),
        ] {
            let mut row = person.clone();
            row.extend([("since", since.into()), ("plan", plan), ("score", score)].map(|(n, v)| (n.to_owned(), v)));
            lines.push_str(&format!("{}\n", Value::Object(row)));
        }
    }
    write(dir.path(), "seg.toml", SETTINGS);
    write(dir.path(), "schema.toml", SCHEMA);
    write(dir.path(), "people.ndjson", &lines);
    write(dir.path(), "s.seg", SEGMENTS);
    dir
}

/// A row, its values in words that are the same from every format.
type Row = Map<String, Value>;

/// The type of a column, in a letter: what a text of CSV stands for.
fn kind(column: &str) -> char {
    match column {
        "n" | "age" | "marks" => 'i',
        "weight" | "ratios" => 'f',
        "balance" | "score" | "price" => 'm',
        "vip" | "Nobody" | "Above 5" | ALL => 'b',
        _ => 't',
    }
}

fn micros(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}")).timestamp_micros()
}

/// Ten-thousandths of an amount as it is written.
fn scaled(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<4}").parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A value in words that are the same from every format.
fn told(column: &str, value: &Value) -> Value {
    let as_text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match (column, value) {
        (_, Value::Null) => Value::Null,
        (_, Value::Array(items)) => items.iter().map(|item| told(column, item)).collect(),
        (_, Value::Object(fields)) => fields.iter().map(|(name, value)| (name.clone(), told(name, value))).collect(),
        ("seen" | "days", _) => format!("{}µs", micros(&as_text())).into(),
        ("born", _) => as_text().into(),
        _ => match kind(column) {
            'i' => format!("{}i", as_text()).into(),
            'f' => format!("{:?}f", as_text().parse::<f64>().expect("a number")).into(),
            'm' => format!("{}m", scaled(&as_text())).into(),
            'b' => format!("{}b", as_text()).into(),
            _ => as_text().into(),
        },
    }
}

fn told_row(row: &Row) -> Row {
    row.iter().map(|(name, value)| (name.clone(), told(name, value))).collect()
}

fn read_csv(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    let names: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let rows = reader.records().map(|record| {
        let record = record.expect("a row");
        let values = names.iter().zip(&record).map(|(name, text)| {
            let is_list = matches!(name.as_str(), "tags" | "marks" | "ratios" | "days" | "pets");
            let value = match text {
                "" => Value::Null,
                _ if is_list => serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")),
                text => text.into(),
            };
            (name.clone(), value)
        });
        told_row(&values.collect())
    });
    rows.collect()
}

fn read_ndjson(path: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(path).expect("a file");
    let rows = text.lines().map(|line| serde_json::from_str::<Row>(line).expect("an object"));
    rows.map(|row| told_row(&row)).collect()
}

fn batch_rows(batches: impl Iterator<Item = RecordBatch>) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let fields = batch.schema_ref().fields().iter().zip(batch.columns());
            rows.push(fields.map(|(field, column)| (field.name().clone(), arrow_value(column, row))).collect());
        }
    }
    rows
}

fn read_parquet(path: &Path) -> Vec<Row> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).expect("a file")).expect("Parquet");
    batch_rows(reader.build().expect("a reader").map(|batch| batch.expect("rows")))
}

fn read_arrow(path: &Path) -> Vec<Row> {
    let reader = arrow_ipc::reader::FileReader::try_new(File::open(path).expect("a file"), None).expect("Arrow");
    batch_rows(reader.map(|batch| batch.expect("rows")))
}

fn arrow_value(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Boolean => format!("{}b", array.as_boolean().value(row)).into(),
        DataType::Int64 => format!("{}i", array.as_primitive::<Int64Type>().value(row)).into(),
        DataType::Float64 => format!("{:?}f", array.as_primitive::<Float64Type>().value(row)).into(),
        DataType::Decimal128(19, 4) => format!("{}m", array.as_primitive::<Decimal128Type>().value(row)).into(),
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            let day = chrono::NaiveDate::default() + chrono::Duration::days(days.into());
            day.to_string().into()
        }
        DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, Some(zone)) if zone.as_ref() == "UTC" => {
            format!("{}µs", array.as_primitive::<TimestampMicrosecondType>().value(row)).into()
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|at| arrow_value(&items, at)).collect()
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            columns.map(|(field, column)| (field.name().clone(), arrow_value(column, row))).collect()
        }
        other => panic!("nothing is written as {other}"),
    }
}

fn read_rows(path: &Path) -> Vec<Row> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => read_csv(path),
        Some("ndjson") => read_ndjson(path),
        Some("parquet") => read_parquet(path),
        Some("arrow") => read_arrow(path),
        other => panic!("nothing is written to {other:?}"),
    }
}

const FORMATS: [&str; 4] = ["csv", "ndjson", "parquet", "arrow"];

/// What is told of everybody, with their id first.
fn expected() -> Vec<Row> {
    let people = people().into_iter().map(|mut person| {
        let id = person.remove("id").expect("an id");
        let mut row = Map::from_iter([("profile_id".to_owned(), id)]);
        row.extend(COLUMNS.iter().map(|name| ((*name).to_owned(), person.remove(*name).expect("a value"))));
        told_row(&row)
    });
    people.collect()
}

fn with(row: &Row, first: &[(&str, Value)], last: &[(&str, Value)]) -> Row {
    let owned = |pairs: &[(&str, Value)]| -> Row { pairs.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect() };
    let mut whole = owned(first);
    whole.extend(row.clone());
    whole.extend(owned(last));
    whole
}

/// Who has more than five of anything.
fn is_above(row: &Row) -> bool {
    row["profile_id"] == "ann" || row["profile_id"] == "7"
}

#[test]
fn every_type_is_the_same_from_every_format_and_layout() {
    let dir = project();
    let columns = COLUMNS.join(",");
    for format in FORMATS {
        let people = expected();
        let file = |name: &str| format!("{name}.{format}");
        run(dir.path(), 0, &["--members", &file("long"), "--columns", &columns]);
        let of = |segment: &str, people: &[Row]| -> Vec<Row> {
            people.iter().map(|row| with(row, &[("segment", segment.into())], &[])).collect()
        };
        let above: Vec<Row> = people.iter().filter(|row| is_above(row)).cloned().collect();
        let long = [of(ALL, &people), of("Above 5", &above)].concat();
        assert_eq!(read_rows(&dir.path().join(file("long"))), long, "{format}");
        // The order of columns is that of the names, too.
        let first: Vec<String> = read_rows(&dir.path().join(file("long")))[0].keys().cloned().collect();
        assert_eq!(first[..3], ["segment", "profile_id", "name"]);

        run(dir.path(), 0, &["--members", &file("wide"), "--layout", "wide", "--columns", &columns]);
        let flag = |is: bool| Value::from(format!("{is}b"));
        let wide = people.iter().map(|row| {
            let flags = [(ALL, flag(true)), ("Nobody", flag(false)), ("Above 5", flag(is_above(row)))];
            with(row, &[], &flags)
        });
        assert_eq!(read_rows(&dir.path().join(file("wide"))), wide.collect::<Vec<_>>(), "{format}");

        let folder = dir.path().join(format).to_string_lossy().into_owned();
        let files = ["--members", &folder, "--layout", "files", "--members-format", format, "--columns", &columns];
        run(dir.path(), 0, &files);
        let files = [(file("All-of-us"), people.clone()), (file("Nobody"), Vec::new()), (file("Above-5"), above)];
        for (name, rows) in &files {
            assert_eq!(read_rows(&Path::new(&folder).join(name)), *rows, "{format}: {name}");
        }
        assert_eq!(names(Path::new(&folder)).len(), files.len() + 1);
    }
}

/// What is written is data again, with the same values.
#[test]
fn seg_reads_what_it_writes() {
    let dir = project();
    let columns = COLUMNS.join(",");
    run(dir.path(), 0, &["--members", "first.ndjson", "--columns", &columns]);
    let first = read_rows(&dir.path().join("first.ndjson"));
    for format in FORMATS {
        let again = tempfile::tempdir().expect("a directory");
        let written = again.path().join(format!("people.{format}"));
        let written = written.to_string_lossy();
        run(dir.path(), 0, &["--members", &written, "--layout", "wide", "--columns", &columns]);
        let settings = SETTINGS
            .replace("people.ndjson", &format!("people.{format}"))
            .replace("time = \"since\"\nrows = \"snapshots\"\n", "");
        write(again.path(), "seg.toml", &settings.replace("id = \"id\"", "id = \"profile_id\""));
        write(again.path(), "schema.toml", SCHEMA);
        write(again.path(), "s.seg", SEGMENTS);
        run(again.path(), 0, &["--members", "again.ndjson", "--columns", &columns]);
        assert_eq!(read_rows(&again.path().join("again.ndjson")), first, "{format}");
    }
}

#[test]
fn without_options_members_are_as_ever() {
    let dir = project();
    run(dir.path(), 0, &["--members", "m.csv"]);
    let expected = "segment,profile_id\n\"All, of us\",ann\n\"All, of us\",=1+1\n\
        \"All, of us\",\"no, \"\"body\"\"\"\n\"All, of us\",7\nAbove 5,ann\nAbove 5,7\n";
    assert_eq!(read(dir.path(), "m.csv"), expected);
}

#[test]
fn only_people_who_exist_are_in_a_wide_table() {
    let dir = project();
    write(
        dir.path(),
        "seg.toml",
        &format!("{SETTINGS}\n[data.events]\nfiles = [\"e.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n"),
    );
    write(dir.path(), "e.csv", "id,event,time\nann,order,2026-05-01T00:00:00Z\nzoe,order,2026-06-02T00:00:00Z\n");
    write(dir.path(), "s.seg", "segment \"Ordered\" include people who ordered\n");
    run(dir.path(), 0, &["--members", "w.csv", "--layout", "wide"]);
    let expected = "profile_id,Ordered\nann,true\n=1+1,false\n\"no, \"\"body\"\"\",false\n7,false\n";
    assert_eq!(read(dir.path(), "w.csv"), expected);
}

#[test]
fn columns_are_attributes_of_the_schema() {
    let dir = project();
    write(dir.path(), "old.csv", "before");
    for (columns, message) in [
        ("nmae", "`--columns`: the schema has no attribute `nmae` (did you mean `name`?); nothing was run"),
        ("name,order", "`order` is something that happens, and columns are attributes of people"),
        ("name,,n", "an attribute is needed between commas"),
        ("name,Full_Name", "`Full_Name` is named twice"),
        ("shoe size", "the schema has no attribute `shoe size` (it has `name`, `n`, "),
    ] {
        let told = run(dir.path(), 2, &["--members", "old.csv", "--columns", columns]);
        assert!(told.contains(message), "{columns}: {told}");
    }
    assert_eq!(read(dir.path(), "old.csv"), "before");
    // Any name of an attribute names it; the column has the one of the schema.
    run(dir.path(), 0, &["--members", "m.csv", "--columns", " full name ", "--columns", "n"]);
    assert!(read(dir.path(), "m.csv").starts_with("segment,profile_id,name,n\n"));
    // No table has two columns of one name.
    let schema = "[attributes]\nsegment = \"text\"\nVIP = \"text\"\nchange = \"text\"\n\"a,b\" = \"text\"\n";
    write(dir.path(), "schema.toml", schema);
    write(dir.path(), "s.seg", "segment \"VIP\" include everyone\n");
    for (args, message) in [
        (&["--members", "m.csv", "--columns", "segment"][..], "results have a column `segment` of their own"),
        (&["--members", "m.csv", "--layout", "wide", "--columns", "VIP"], "`VIP` is an attribute and a segment"),
    ] {
        let told = run(dir.path(), 2, args);
        assert!(told.contains(message), "{told}");
    }
    run(dir.path(), 0, &["--members", "m.csv", "--columns", "VIP,change", "--columns", "a,b"]);
    assert!(read(dir.path(), "m.csv").starts_with("segment,profile_id,VIP,change,\"a,b\"\n"));
    run(dir.path(), 0, &["--members", "out", "--layout", "files", "--columns", "segment"]);
    assert!(read(dir.path(), "out/VIP.csv").starts_with("profile_id,segment\n"));
    write(dir.path(), "s.seg", "segment \"profile_id\" include everyone\n");
    let told = run(dir.path(), 2, &["--members", "m.csv", "--layout", "wide"]);
    assert!(told.contains("\"profile_id\" cannot be a segment's column in a wide table"), "{told}");
}

/// A column that no file has is told of like one that segments ask about.
#[test]
fn a_column_without_values_is_told_of() {
    let dir = project();
    write(dir.path(), "schema.toml", &SCHEMA.replace("[events", "shoe_size = \"integer\"\n[events"));
    let told = run(dir.path(), 0, &["--members", "m.csv", "--columns", "shoe_size"]);
    assert!(told.contains("1 file lacks the column `shoe_size`, which the answer needs"), "{told}");
    assert!(read(dir.path(), "m.csv").contains("\nAbove 5,7,\n"));
    assert!(!run(dir.path(), 0, &["--members", "m.csv"]).contains("shoe_size"));
}

#[test]
fn arguments_that_cannot_work_fail_before_the_run() {
    let dir = project();
    std::fs::create_dir(dir.path().join("folder")).expect("a folder");
    let before = names(dir.path());
    for (code, args, message) in [
        (2, &["--layout", "wide"][..], "name where: `--members FILE`"),
        (2, &["--members-format", "csv"], "name where: `--members FILE`"),
        (2, &["--columns", "n"], "name where: `--members FILE`"),
        (2, &["--members", "m.txt"], "members are written to .csv, .ndjson, .parquet or .arrow files"),
        (2, &["--members", "m"], "in the format that `--members-format` says"),
        (2, &["--members", "folder"], "write a file for each segment with `--layout files`"),
        (2, &["--members", "m.csv", "--layout", "files"], "`--layout files` writes to a folder"),
        (2, &["--members", "s.seg", "--layout", "files"], "`--layout files` writes to a folder"),
        (2, &["--members", "people.ndjson"], "the project is read from this file"),
        (2, &["--members", "m.csv", "--manifest", "seg.lock"], "the project is read from this file"),
        (2, &["--members", "m.csv", "--manifest", "./m.csv"], "two outputs cannot be one file"),
        (3, &["--members", "no/such/m.csv"], "no/such/m.csv: there is no such folder to write it in"),
        (3, &["--members", "no/such/out", "--layout", "files"], "there is no such folder to write it in"),
        (3, &["--manifest", "folder"], "this is a folder"),
    ] {
        let told = run(dir.path(), code, args);
        assert!(told.contains(message) && told.ends_with("nothing was run\n"), "{args:?}: {told}");
    }
    assert_eq!(names(dir.path()), before);
    // What a pattern of the data would read the next time is no place for results.
    std::fs::create_dir(dir.path().join("data")).expect("a folder");
    std::fs::rename(dir.path().join("people.ndjson"), dir.path().join("data/people.ndjson")).expect("moved");
    for files in ["data/*.ndjson", "data", "data/"] {
        write(dir.path(), "seg.toml", &SETTINGS.replace("people.ndjson", files));
        let told = run(dir.path(), 2, &["--members", "data/m.ndjson"]);
        assert!(told.contains(&format!("the next run would read this file as data, by `{files}`")), "{told}");
    }
}

#[test]
fn a_folder_holds_what_is_run_and_nothing_of_others() {
    let dir = project();
    let files = ["--members", "out", "--layout", "files"];
    let told = run(dir.path(), 0, &files);
    assert!(told.contains("members written to 3 files in out\n"), "{told}");
    let out = dir.path().join("out");
    assert_eq!(names(&out), ["Above-5.csv", "All-of-us.csv", "Nobody.csv", "_segments.json"]);
    let index: Value = serde_json::from_str(&read(&out, "_segments.json")).expect("JSON");
    let all = json!({"segment": ALL, "file": "All-of-us.csv", "members": 4});
    assert_eq!((&index["files"][0], &index["at"]), (&all, &"2026-06-01T12:00:00Z".into()));
    // What is no longer run would be taken for members of now; what is not ours stays.
    write(&out, "notes.txt", "mine");
    let others = SEGMENTS.replace("segment \"Nobody\"", "archived segment \"Nobody\"").replace("Above 5", "Above five");
    write(dir.path(), "s.seg", &others.replace("archived segment", "segment").replace("\"Nobody\"", "\"Other\""));
    let told = run(dir.path(), 0, &files);
    assert!(told.contains("removed Nobody.csv, of \"Nobody\", which no file is written of now\n"), "{told}");
    assert_eq!(names(&out), ["Above-five.csv", "All-of-us.csv", "Other.csv", "_segments.json", "notes.txt"]);
    run(dir.path(), 0, &["--members", "out", "--layout", "files", "--members-format", "parquet"]);
    assert_eq!(
        names(&out),
        ["Above-five.parquet", "All-of-us.parquet", "Other.parquet", "_segments.json", "notes.txt"]
    );
    // A file that no run wrote is not replaced.
    write(&out, "Other.csv", "mine");
    let told = run(dir.path(), 2, &files);
    assert!(told.contains("out/Other.csv: this file is there, and no earlier run wrote it"), "{told}");
    assert_eq!(read(&out, "Other.csv"), "mine");
    for (segments, message) in [
        (
            "segment \"A/B\" include everyone\nsegment \"a b\" include everyone\n",
            "\"A/B\" and \"a b\" would both be in `a-b.csv`",
        ),
        ("segment \"!!!\" include everyone\n", "no file can be named after \"!!!\""),
    ] {
        write(dir.path(), "s.seg", segments);
        let told = run(dir.path(), 2, &["--members", "new", "--layout", "files"]);
        assert!(told.contains(message) && !dir.path().join("new").exists(), "{told}");
    }
}

/// All of a run's output appears together or none of it.
#[test]
fn a_run_that_fails_leaves_what_was_there() {
    let dir = project();
    for name in ["m.csv", "m.parquet", "r.json"] {
        write(dir.path(), name, "before");
    }
    write(dir.path(), "r.json", "{\"at\": \"2026-05-01T00:00:00Z\", \"sizes\": {}}");
    let before = names(dir.path());
    // The device is full, whatever the format; the files beside it are complete by then.
    for format in FORMATS {
        let full =
            ["--members", "/dev/full", "--members-format", format, "--record", "r.json", "--manifest", "new.json"];
        let told = run(dir.path(), 3, &full);
        assert_eq!(told, "seg: /dev/full: No space left on device (os error 28); the members were not written\n");
    }
    let told = run(dir.path(), 3, &["--members", "m.csv", "--record", "r.json", "--manifest", "/dev/full"]);
    assert!(told.contains("/dev/full: No space left on device"), "{told}");
    let folder = ["--members", "out", "--layout", "files", "--manifest", "/dev/full"];
    assert!(run(dir.path(), 3, &folder).contains("No space left"));
    assert_eq!(names(dir.path()), before, "no leftovers, and no new folder");
    assert_eq!((read(dir.path(), "m.csv"), read(dir.path(), "m.parquet")), ("before".to_owned(), "before".to_owned()));
    assert!(read(dir.path(), "r.json").contains("2026-05-01"));
}

/// What others write to is not written over.
#[cfg(target_os = "linux")]
#[test]
fn a_device_is_written_to_unless_it_stands_for_a_file() {
    let dir = project();
    let args = ["run", "--members", "/dev/stdout", "--members-format", "csv"];
    let piped = String::from_utf8(seg(dir.path(), &args).stdout).expect("UTF-8");
    assert!(piped.starts_with("segment,profile_id\n") && piped.contains("shop: 4 people"), "{piped}");
    write(dir.path(), "out.txt", "");
    let file = File::create(dir.path().join("out.txt")).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_seg"));
    let output = command.args(args).current_dir(dir.path()).stdout(file).output().expect("seg runs");
    let expected = "seg: /dev/stdout: this stands for a file; name the file itself; nothing was run\n";
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(3), expected));
    assert_eq!(read(dir.path(), "out.txt"), "");
    assert!(std::fs::symlink_metadata("/dev/stdout").expect("a link").is_symlink());
}

/// A run that is killed while it writes has replaced nothing.
#[cfg(unix)]
#[test]
fn a_run_that_is_killed_leaves_what_was_there() {
    let dir = project();
    write(dir.path(), "m.csv", "before");
    let pipe = dir.path().join("pipe.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("it runs").success());
    // Nobody reads the pipe, so that the run waits when the members are complete beside it.
    let args = ["run", "--members", "m.csv", "--manifest", "pipe.json"];
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_seg")).args(args).current_dir(dir.path()).spawn().expect("seg runs");
    let partial: PathBuf = dir.path().join(format!("m.csv.{}.partial", child.id()));
    let is_whole = || std::fs::read_to_string(&partial).is_ok_and(|text| text.ends_with("Above 5,7\n"));
    for _ in 0..600 {
        if is_whole() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(is_whole(), "the members are complete and not in place");
    // Another run takes nothing away from one that is at work.
    run(dir.path(), 0, &["--members", "m.csv"]);
    assert!(is_whole(), "it is still there");
    write(dir.path(), "m.csv", "before");
    child.kill().expect("killed");
    child.wait().expect("it ended");
    assert_eq!(read(dir.path(), "m.csv"), "before");
    // What it left is no obstacle for the next run, and no data; the next run that writes there
    // takes it away.
    run(dir.path(), 0, &["--record", "sizes.json"]);
    assert!(partial.exists());
    run(dir.path(), 0, &["--members", "m.csv"]);
    assert!(!partial.exists());
    assert!(read(dir.path(), "m.csv").starts_with("segment,profile_id\n"));
}

#[cfg(unix)]
#[test]
fn a_link_stays_and_a_folder_that_may_not_be_written_is_told_of_first() {
    use std::os::unix::fs::PermissionsExt;
    let dir = project();
    write(dir.path(), "kept.csv", "before");
    std::os::unix::fs::symlink("kept.csv", dir.path().join("link.csv")).expect("a link");
    run(dir.path(), 0, &["--members", "link.csv"]);
    assert!(std::fs::symlink_metadata(dir.path().join("link.csv")).expect("a link").is_symlink());
    assert!(read(dir.path(), "kept.csv").starts_with("segment,profile_id\n"));
    let locked = dir.path().join("locked");
    std::fs::create_dir(&locked).expect("a folder");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).expect("set");
    // Who may do everything may write there as well.
    if File::create(locked.join("x")).is_err() {
        let told = run(dir.path(), 3, &["--members", "locked/m.csv"]);
        assert!(told.contains("locked/m.csv: it may not be written there; nothing was run"), "{told}");
    }
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o755)).expect("set");
}
