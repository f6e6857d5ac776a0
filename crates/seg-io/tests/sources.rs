//! One value, however a source writes it; and one person, whatever sources they are in.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests may panic")]

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use seg_data::schema::parse;
use seg_data::{AttributeId, EventId, Timestamp, Zone};
use seg_io::{LoadRequest, Loaded, Manifest, ReadError, load, manifest};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

const SCHEMA: &str = r#"
    event_id = "key"
    [attributes]
    city = "text"
    amount = "money"
    score = "number"
    visits = "integer"
    vip = "boolean"
    since = "timestamp"
    born = "date"
    tags = "list of text"
    marks = "list of number"
    dt = "text"
    [events.order]
    properties = { key = "text", amount = "money", shop = "text" }
    [events.visit]
    properties = { page = "text" }
"#;

/// What a directory holds, read as its `seg.toml` says.
fn read(dir: &Path, data: &str) -> Result<Loaded, ReadError> {
    let text = format!("name = \"x\"\ntimezone = \"Europe/Berlin\"\n{data}");
    let Manifest { data, zone, .. } = manifest::parse(&text).expect("settings");
    let (schema, problems) = parse(SCHEMA);
    assert_eq!(problems, []);
    load(LoadRequest { zone, ..LoadRequest::new(dir, &data, &Arc::new(schema)) })
}

/// Each person with what is known of them, and what was told of the data.
fn people(dir: &Path, data: &str) -> (Vec<String>, Vec<String>) {
    let loaded = read(dir, data).expect("it is read");
    let batch = &loaded.batch;
    let mut people: Vec<String> = (0..batch.len())
        .map(|row| {
            let attributes = batch.schema().attributes.iter().enumerate();
            let known = attributes.filter_map(|(at, field)| {
                let value = batch.attribute(AttributeId(at as u32), row, Timestamp::MAX)?;
                Some(format!("{}={}", field.name, shown(&value)))
            });
            let events = batch.schema().events.iter().enumerate().flat_map(|(at, event)| {
                let Some(events) = batch.events(EventId(at as u32)) else { return Vec::new() };
                let of_event = events.range(row).map(move |idx| {
                    let properties = event.properties.iter().enumerate();
                    let known = properties.filter_map(|(property, field)| {
                        let value = events.property(seg_data::PropertyId(property as u32), idx)?;
                        Some(format!(" {}={}", field.name, shown(&value)))
                    });
                    let known: String = known.collect();
                    format!("{}@{}{known}", event.name, events.time(idx))
                });
                of_event.collect::<Vec<_>>()
            });
            let all: Vec<String> = known.chain(events).collect();
            format!("{}: {}", batch.id(row), all.join(", "))
        })
        .collect();
    people.sort();
    let told = loaded.report.problems.iter().map(|problem| format!("{} {}", problem.kind.slug(), problem));
    (people, told.collect())
}

/// A value without its quotes.
fn shown(value: &seg_data::Value) -> String {
    value.to_string().replace('"', "").replace("\\\\", "\\")
}

fn write(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, bytes).expect("written");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).expect("packed");
    packed.finish().expect("packed")
}

fn parquet(dir: &Path, name: &str, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)));
    let batch = batch.expect("columns of one length");
    let file = std::fs::File::create(dir.join(name)).expect("a file");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
}

const PROFILES: &str = "[data.profiles]\nid = \"id\"\n";

#[test]
fn every_encoding_of_a_file_holds_the_same() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let text = "id,city,amount,vip,tags\n1,Köln,1234.50,yes,a;b\n2,\"Be,rlin\",,no,\n";
    let semicolon = "id;city;amount;vip;tags\n1;Köln;1.234,50;yes;\"a;b\"\n2;Be,rlin;;no;\n";
    let tab = "id\tcity\tamount\tvip\ttags\n1\tKöln\t1234.50\tyes\ta;b\n2\tBe,rlin\t\tno\t\n";
    let json = r#"{"id": 1, "city": "Köln", "amount": 1234.5, "vip": true, "tags": ["a", "b"]}
{"id": "2", "city": "Be,rlin", "vip": "no"}"#;
    let array = format!("\u{feff}\n [{}]\n", json.replace('\n', ",\n"));
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(text);
    let comma = "csv = { decimal = \",\" }\n";
    let files: [(&str, Vec<u8>, &str); 13] = [
        ("a.csv", text.into(), ""),
        ("b.csv", format!("\u{feff}{text}").into(), ""),
        ("c.csv", utf16, ""),
        ("d.csv", latin.to_vec(), ""),
        ("e.csv", semicolon.into(), comma),
        ("f.tsv", tab.into(), ""),
        ("g.csv.gz", gzip(text.as_bytes()), ""),
        // What a file is packed with, its bytes tell.
        ("h.csv", gzip(text.as_bytes()), ""),
        ("i.csv.zst", zstd::encode_all(text.as_bytes(), 3).expect("packed"), ""),
        ("j.csv.gz", text.into(), ""),
        ("k.ndjson", json.into(), ""),
        ("l.json", array.into(), ""),
        ("m.json", json.into(), ""),
    ];
    let expected = ["1: city=Köln, amount=1234.50, vip=true, tags=[a, b]", "2: city=Be,rlin, vip=false"];
    for (name, bytes, settings) in files {
        write(dir, name, bytes);
        let (found, told) = people(dir, &format!("{PROFILES}files = [\"{name}\"]\n{settings}"));
        assert_eq!(found, expected, "{name}");
        let told: Vec<&str> = told.iter().map(|told| &told[..8]).collect();
        assert_eq!(told, if matches!(name, "c.csv" | "d.csv") { vec!["encoding"] } else { Vec::new() }, "{name}");
    }
}

#[test]
fn what_tools_write_for_nothing_is_missing() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let columns = ["city", "amount", "score", "visits", "vip", "since", "born", "marks"];
    for marker in ["NULL", "null", "\\N", "None", "NaN", "nan", "N/A", "n/a", " null ", "  "] {
        let row: Vec<&str> = columns.iter().map(|_| marker).collect();
        write(dir, "p.csv", format!("id,{}\n1,{}\n", columns.join(","), row.join(",")));
        let fields: Vec<String> = columns.iter().map(|c| format!("{}: {}", json(c), json(marker))).collect();
        write(dir, "p.ndjson", format!("{{\"id\": \"1\", {}}}\n", fields.join(", ")));
        let texts = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
        let named = columns.iter().map(|column| (*column, texts(marker)));
        parquet(dir, "p.parquet", std::iter::once(("id", texts("1"))).chain(named).collect());
        for file in ["p.csv", "p.ndjson", "p.parquet"] {
            let (found, told) = people(dir, &format!("{PROFILES}files = [\"{file}\"]\n"));
            // Of blanks alone nothing can be seen, in texts either.
            let city = if marker.trim().is_empty() { String::new() } else { format!("city={marker}") };
            assert_eq!(found, [format!("1: {city}")], "{file}");
            let is_blank = marker.trim() != marker && !city.is_empty();
            assert!(told.iter().all(|told| is_blank && told.starts_with("blanks")), "{file} {told:?}");
            let said = format!("missing = [{}]\n", json(marker.trim()));
            let (found, told) = people(dir, &format!("{PROFILES}files = [\"{file}\"]\n{said}"));
            assert_eq!((found, told), (vec!["1: ".to_owned()], vec![]), "{file} {marker}");
        }
    }
    // Nobody is called so.
    write(dir, "p.csv", "id,city\nNULL,a\n\\N,b\n ,c\n2,d\n");
    let (found, told) = people(dir, &format!("{PROFILES}files = [\"p.csv\"]\n"));
    assert_eq!((found, told.len()), (vec!["2: city=d".to_owned()], 1), "{told:?}");
    assert!(told[0].starts_with("missing-id 3 rows"), "{told:?}");
}

fn json(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\"))
}

/// There are as many rows of people as people, and the row that lost stands where somebody is
/// who has none.
#[test]
fn a_value_that_lost_is_nobody_elses() {
    let dir = tempfile::tempdir().expect("a directory");
    let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    put("people.csv", "id,at,score\n7,2026-01-04T00:00:00Z,21\nann,,13\n");
    put("merges.csv", "from,into\n7,ann\n");
    put("events.csv", "id,event,time\nbob,visit,2026-01-05T00:00:00Z\n");
    let sources = "[data.profiles]\nfiles = [\"people.csv\"]\nid = \"id\"\ntime = \"at\"\n\
                   [data.merges]\nfiles = [\"merges.csv\"]\nfrom = \"from\"\ninto = \"into\"\n\
                   [data.events]\nfiles = [\"events.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n";
    assert_eq!(people(dir.path(), sources).0, ["ann: score=21.0", "bob: visit@2026-01-05T00:00:00Z"]);
}

#[test]
fn blanks_are_told_of_or_taken_off() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    write(dir, "p.csv", "id,city,tags\n1 ,Rome,a; b \n2, Rome,\n3,Oslo ,\n");
    parquet(
        dir,
        "p.parquet",
        vec![
            ("id", Arc::new(StringArray::from(vec!["1 ", "2", "3"])) as ArrayRef),
            ("city", Arc::new(StringArray::from(vec!["Rome", " Rome", "Oslo "]))),
            ("tags", Arc::new(StringArray::from(vec![Some("a; b "), None, None]))),
        ],
    );
    for file in ["p.csv", "p.parquet"] {
        let (found, told) = people(dir, &format!("{PROFILES}files = [\"{file}\"]\n"));
        assert!(found[0].starts_with("1 : ") && found[1].contains("city= Rome"), "{found:?}");
        let told = told.join("\n");
        assert!(told.contains("blanks 2 texts in `city` begin or end with blanks"), "{told}");
        assert!(told.contains("blanks 1 text in `id` begins or ends with blanks"), "{told}");
        let (found, told) = people(dir, &format!("{PROFILES}files = [\"{file}\"]\ntrim = true\n"));
        assert_eq!(found[1..], ["2: city=Rome", "3: city=Oslo"], "{file}");
        assert!(found[0].starts_with("1: city=Rome, tags=") && told.is_empty(), "{found:?} {told:?}");
    }
}

#[test]
fn times_are_read_in_every_way_tools_write_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let at = "2026-03-01T10:00:00Z";
    let times: [(&str, &str, &str); 12] = [
        ("2026-03-01T10:00:00Z", "", ""),
        // Local time is the project's.
        ("2026-03-01 11:00:00", "", ""),
        ("2026-03-01 11:00", "", ""),
        ("2026-03-01T11:00:00.000", "", ""),
        ("2026-03-01 10:00:00 UTC", "", ""),
        ("2026-03-01 10:00:00.5+00", "", "10:00:00.500000"),
        ("2026-03-01 12:00:00 +0200", "", ""),
        ("1772359200", "unix-times numbers in `time` were read as seconds since 1970", ""),
        ("1772359200000", "unix-times numbers in `time` were read as milliseconds since 1970", ""),
        ("1772359200000000", "unix-times numbers in `time` were read as microseconds since 1970", ""),
        ("01/03/2026 11:00", "", "dates = \"day first\""),
        ("3.1.2026 11:00:00", "", "dates = \"month first\""),
    ];
    for (time, remark, more) in times {
        let settings = if more.starts_with("dates") { more } else { "" };
        let right = if more.starts_with("10") { at.replace("10:00:00", more) } else { at.to_owned() };
        write(dir, "e.csv", format!("id,event,time\n1,visit,{time}\n"));
        let value = if time.bytes().all(|byte| byte.is_ascii_digit()) { time.to_owned() } else { json(time) };
        write(dir, "e.ndjson", format!("{{\"id\": 1, \"event\": \"visit\", \"time\": {value}}}\n"));
        for file in ["e.csv", "e.ndjson"] {
            let source =
                format!("[data.events]\nfiles = [\"{file}\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n");
            let (found, told) = people(dir, &format!("{source}{settings}\n"));
            assert_eq!(found, [format!("1: visit@{right}")], "{time} in {file}");
            let remarks: Vec<&str> = Some(remark).filter(|remark| !remark.is_empty()).into_iter().collect();
            assert_eq!(told, remarks, "{time} in {file}");
        }
    }
    // What may be a day, or anything else, is no time.
    write(dir, "e.csv", "id,event,time\n1,visit,20260301\n1,visit,01/03/2026\n1,visit,7\n");
    let source = "[data.events]\nfiles = [\"e.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n";
    let (found, told) = people(dir, source);
    assert!(found.is_empty() && told[0].starts_with("impossible-time 3 rows"), "{found:?} {told:?}");
    // A day that is written as its beginning is the day.
    write(
        dir,
        "p.csv",
        "id,born,since\n1,1990-05-01,1990-05-01\n2,1990-05-01 00:00:00,1990-05-01 00:00\n3,1990-05-01 12:00:00,\n",
    );
    let (found, told) = people(dir, &format!("{PROFILES}files = [\"p.csv\"]\n"));
    assert_eq!(found[1].replace("2: ", ""), found[0].replace("1: ", ""));
    assert!(found[2] == "3: " && told.len() == 1, "{found:?} {told:?}");
}

#[test]
fn rows_that_tools_leave_in_csv_are_no_people() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    // Two files put one behind the other, an index, and a field too many.
    write(dir, "p.csv", ",id,city\n0,1,Rome\n1,2,Oslo\n,id,city\n2,3,Bern\n3,4,Kiew,x\n");
    let (found, told) = people(dir, &format!("{PROFILES}files = [\"p.csv\"]\n"));
    assert_eq!(found, ["1: city=Rome", "2: city=Oslo", "3: city=Bern"]);
    assert_eq!(
        told,
        [
            "repeated-header 1 row repeats the header and was passed over",
            "broken-row 1 row could not be read and was passed over"
        ]
    );
    write(dir, "p.csv", "id,city,city\n1,Rome,Oslo\n");
    let (found, told) = people(dir, &format!("{PROFILES}files = [\"p.csv\"]\n"));
    assert_eq!(found, ["1: city=Rome"]);
    assert_eq!(told, ["repeated-column 1 file has more than one column `city`; the first was used"]);
}

#[test]
fn an_array_that_breaks_off_is_no_data() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let source = format!("{PROFILES}files = [\"p.json\"]\n");
    for text in ["[{\"id\": 1}, {\"id\": 2}", "[{\"id\": 1},, {\"id\": 2}]", "[{\"id\": 1}] [", "[{\"id\": 1}, {\"id\""]
    {
        write(dir, "p.json", text);
        let error = read(dir, &source).expect_err("it is broken");
        assert!(error.message.starts_with("the array of rows ends in what is not JSON"), "{text}: {error}");
    }
    write(dir, "p.json", "[{\"id\": 1}, 7, {\"id\": 2}]");
    let (found, told) = people(dir, &source);
    assert_eq!((found.len(), told.len()), (2, 1), "{told:?}");
    write(dir, "p.ndjson", format!("{{\"id\": \"{}\"}}\n", "x".repeat(17 << 20)));
    let error = read(dir, &format!("{PROFILES}files = [\"p.ndjson\"]\n")).expect_err("too long");
    assert!(error.message.contains("line 1 is longer than 16 MiB"), "{error}");
}

#[test]
fn sources_name_their_columns_each_in_its_way() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    write(dir, "crm.csv", "Customer,Town,VIP?\n1,Rome,yes\n2,NULL,no\n");
    write(
        dir,
        "billing.ndjson",
        "{\"user\": \"2\", \"spent\": 5}\n{\"user\": \"3\", \"spent\": 7, \"city\": \"Bern\"}\n",
    );
    write(dir, "orders.csv", "user,at,EUR\n1,2026-03-01T10:00:00Z,5\n3,2026-03-02T10:00:00Z,6\n");
    parquet(
        dir,
        "visits.parquet",
        vec![
            ("user_id", Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef),
            ("anonymous_id", Arc::new(StringArray::from(vec!["x", "y"]))),
            ("kind", Arc::new(StringArray::from(vec!["visit", "visit"]))),
            ("at", Arc::new(StringArray::from(vec!["2026-03-03T10:00:00Z", "2026-03-04T10:00:00Z"]))),
            ("url", Arc::new(StringArray::from(vec!["/a", "/b"]))),
        ],
    );
    let data = r#"
        [[data.profiles]]
        files = ["crm.csv"]
        id = "Customer"
        columns = { city = "Town", vip = "VIP?" }

        [[data.profiles]]
        files = ["billing.ndjson"]
        id = "user"
        columns = { amount = "spent" }
        values = { score = 1.5 }

        [[data.events]]
        files = ["orders.csv"]
        id = "user"
        name = "order"
        time = "at"
        columns = { amount = "EUR" }
        values = { shop = "web" }

        [[data.events]]
        files = ["visits.parquet"]
        id = ["user_id", "anonymous_id"]
        event = "kind"
        time = "at"
        columns = { page = "url" }
    "#;
    let (found, told) = people(dir, data);
    assert_eq!(
        found,
        [
            "1: city=Rome, vip=true, order@2026-03-01T10:00:00Z amount=5.00 shop=web, visit@2026-03-03T10:00:00Z page=/a",
            "2: city=NULL, amount=5.00, score=1.5, vip=false",
            "3: city=Bern, amount=7.00, score=1.5, order@2026-03-02T10:00:00Z amount=6.00 shop=web",
            "y: visit@2026-03-04T10:00:00Z page=/b",
        ]
    );
    assert_eq!(told, ["unlisted-profile 1 event belongs to people without a row of their own, who were added"]);
}

#[test]
fn folders_say_what_their_rows_have() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    write(dir, "people/dt=2026-05-01/part-0.csv", "id,city\n1,Rome\n");
    write(dir, "people/dt=2026-05-02/land=New%20York/part-0.csv.gz", gzip(b"id,city\n2,Oslo\n"));
    write(dir, "people/dt=__HIVE_DEFAULT_PARTITION__/part-0.csv", "id,city\n3,Bern\n");
    for stray in
        ["_SUCCESS", ".DS_Store", "part-0.csv.crc", ".part-1.csv", "dt=2026-05-01/p.csv.12.partial", "notes.txt"]
    {
        write(dir, &format!("people/{stray}"), "no data");
    }
    for files in ["people", "people/", "people/**/*.csv*"] {
        let (found, told) = people(dir, &format!("{PROFILES}files = [\"{files}\"]\n"));
        assert_eq!(found, ["1: city=Rome, dt=2026-05-01", "2: city=Oslo, dt=2026-05-02", "3: city=Bern"], "{files}");
        assert!(told.is_empty(), "{told:?}");
    }
    write(dir, "empty/_SUCCESS", "");
    let error = read(dir, &format!("{PROFILES}files = [\"empty\"]\n")).expect_err("empty");
    assert_eq!(error.message, "there are no files in it that Seg reads");
}

#[test]
fn two_names_of_one_content_are_told_of() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    for name in ["e.csv", "copy of e.csv"] {
        write(dir, name, "id,event,time\n1,visit,2026-03-01T10:00:00Z\n");
    }
    write(dir, "f.csv", "id,event,time\n2,visit,2026-03-01T10:00:00Z\n");
    let (found, told) =
        people(dir, "[data.events]\nfiles = [\"*.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n");
    assert_eq!(found.len(), 2);
    assert_eq!(
        told,
        [
            "same-content 1 file looks like `copy of e.csv` under another name, of the same size and beginning, and was read as well"
        ]
    );
}

#[test]
fn settings_of_sources_are_checked() {
    let bad = |data: &str| {
        let problems = manifest::parse(&format!("name = \"x\"\n{data}")).expect_err("it is wrong");
        problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; ")
    };
    let events = "[data.events]\nfiles = [\"e.csv\"]\nid = \"id\"\ntime = \"t\"\n";
    assert!(bad(events).contains("`event`, the column of names, or `name`"), "{}", bad(events));
    let both = format!("{events}event = \"e\"\nname = \"order\"\n");
    assert!(bad(&both).contains("write one of them"), "{}", bad(&both));
    for (setting, said) in [
        ("csv = { delimiter = \"ä\" }", "`delimiter` is one character"),
        ("csv = { decimal = \";\" }", "`decimal` is"),
        ("csv = { encoding = \"klingon\" }", "`klingon` is no encoding"),
        ("dates = \"year first\"", "`year first` is none of `"),
        ("colums = { a = \"b\" }", "no setting `colums`"),
    ] {
        let text = format!("{PROFILES}files = [\"p.csv\"]\n{setting}\n");
        assert!(bad(&text).contains(said), "{}", bad(&text));
    }
    assert!(Zone::parse("Europe/Berlin").is_some());
}

#[test]
fn calls_say_who_people_are_and_what_they_did() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let calls = [
        // Somebody looks around, becomes known, and has done all of it.
        r#"{"type": "page", "anonymousId": "a1", "messageId": "m1", "timestamp": "2026-03-01T10:00:00Z", "name": "Home", "properties": {"page": "/"}}"#,
        r#"{"type": "track", "anonymousId": "a1", "messageId": "m2", "event": "visit", "timestamp": "2026-03-01T10:01:00Z", "properties": {"page": "/shoes"}}"#,
        r#"{"type": "identify", "anonymousId": "a1", "userId": "ann", "messageId": "m3", "timestamp": "2026-03-01T10:02:00Z", "traits": {"city": "Rome", "vip": true}}"#,
        r#"{"type": "track", "userId": "ann", "messageId": "m4", "event": "order", "timestamp": "2026-03-01T10:03:00Z", "properties": {"amount": 9.5}}"#,
        // The same message, sent again.
        r#"{"type": "track", "userId": "ann", "messageId": "m4", "event": "order", "timestamp": "2026-03-01T10:03:00Z", "properties": {"amount": 9.5}}"#,
        // Somebody else at the device later.
        r#"{"type": "identify", "anonymousId": "a1", "userId": "ben", "messageId": "m5", "timestamp": "2026-03-02T10:00:00Z", "traits": {"city": "Oslo"}}"#,
        r#"{"type": "track", "anonymousId": "a1", "userId": "ben", "messageId": "m6", "event": "visit", "timestamp": "2026-03-02T10:01:00Z", "properties": {"page": "/b"}}"#,
        r#"{"type": "track", "anonymousId": "a1", "messageId": "m7", "event": "visit", "timestamp": "2026-03-03T10:00:00Z", "properties": {"page": "/c"}}"#,
        // An old id of ben's, and what is no call.
        r#"{"type": "identify", "userId": "ben-old", "messageId": "m8", "timestamp": "2026-02-01T10:00:00Z", "traits": {"score": 3, "city": "Bern"}}"#,
        r#"{"type": "alias", "previousId": "ben-old", "userId": "ben", "messageId": "m9", "timestamp": "2026-03-04T10:00:00Z"}"#,
        r#"{"type": "greet", "userId": "ben", "messageId": "m10", "timestamp": "2026-03-04T10:00:00Z"}"#,
        r#"{"type": "group", "userId": "ann", "groupId": "g1", "messageId": "m11", "timestamp": "2026-03-04T10:00:00Z", "traits": {"city": "Paris"}}"#,
    ];
    let expected = [
        "ann: city=Rome, vip=true, order@2026-03-01T10:03:00Z amount=9.50, visit@2026-03-01T10:01:00Z page=/shoes, visit@2026-03-03T10:00:00Z page=/c",
        "ben: city=Oslo, score=3.0, visit@2026-03-02T10:01:00Z page=/b",
    ];
    let data = "[data.calls]\nfiles = [\"calls.ndjson.gz\"]\n";
    // The order of the calls changes nothing.
    let mut turned = calls.to_vec();
    for _ in 0..4 {
        turned.rotate_left(5);
        let text = format!("{}\n", turned.join("\n"));
        write(dir, "calls.ndjson.gz", gzip(text.as_bytes()));
        let (found, mut told) = people(dir, data);
        assert_eq!(found, expected);
        told.sort();
        assert_eq!(
            told,
            [
                "broken-row 1 row could not be read and was passed over",
                "repeated-event 1 event repeats an event id in `messageId`; the first to arrive was used",
                "shared-device 1 anonymous id was seen with several people; it belongs to the first of them",
                "unknown-event 1 event called `page` is not in the schema and was passed over",
            ]
        );
    }
}

/// A packed file of which one byte is wrong is damaged, or says what it said: both ways to
/// pack have sums.
#[test]
fn a_packed_file_with_one_wrong_byte_is_damaged_or_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let rows: String = (0..300).map(|n| format!("{n},city {},{}.50\n", n % 17, n * 7)).collect();
    let text = format!("id,city,amount\n{rows}");
    let mut zstd = zstd::Encoder::new(Vec::new(), 3).expect("an encoder");
    zstd.include_checksum(true).expect("a checksum");
    zstd.write_all(text.as_bytes()).expect("packed");
    let packed = [("p.csv.gz", gzip(text.as_bytes())), ("p.csv.zst", zstd.finish().expect("packed"))];
    for (name, bytes) in packed {
        let source = format!("{PROFILES}files = [\"{name}\"]\n");
        write(dir, name, &bytes);
        let (whole, told) = people(dir, &source);
        assert_eq!((whole.len(), told.len()), (300, 0));
        let (mut n_damaged, step) = (0, (bytes.len() / 500).max(1));
        for at in (0..bytes.len()).step_by(step) {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1 << (at % 8);
            write(dir, name, &wrong);
            match read(dir, &source) {
                // A byte of the header that says nothing of the content.
                Ok(_) => assert_eq!(people(dir, &source).0, whole, "byte {at} of {name}"),
                Err(error) => {
                    assert!(!error.message.is_empty());
                    n_damaged += 1;
                }
            }
        }
        assert!(n_damaged > 300, "{n_damaged} of {name}");
        // Cut off anywhere it is not complete.
        for end in (1..bytes.len()).step_by(step * 7) {
            write(dir, name, &bytes[..end]);
            read(dir, &source).expect_err("it is not complete");
        }
    }
}

#[test]
fn a_part_of_a_call_that_stands_twice_counts_where_it_is_said_best() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let lines = [
        r#"{"type": "identify", "userId": "u1", "messageId": "1", "timestamp": "2026-03-01T10:00:00Z", "shop": "top", "context": {"traits": {"city": "Rome"}}}"#,
        r#"{"type": "track", "userId": "u1", "messageId": "2", "event": "order", "timestamp": "2026-03-01T11:00:00Z", "shop": "top", "properties": {"shop": "web", "amount": 2}}"#,
        r#"{"type": "identify", "userId": "u1", "messageId": "3", "timestamp": "2026-03-02T10:00:00Z", "traits": {"city": "Oslo"}}"#,
        r#"{"type": "track", "userId": "u1", "messageId": "4", "event": "order", "timestamp": "2026-03-03T11:00:00Z", "shop": "top", "properties": {"amount": 3}}"#,
    ];
    let expected =
        ["u1: city=Oslo, order@2026-03-01T11:00:00Z amount=2.00 shop=web, order@2026-03-03T11:00:00Z amount=3.00"];
    let mut turned = lines.to_vec();
    for _ in 0..lines.len() {
        turned.rotate_left(1);
        write(dir, "c.ndjson", turned.join("\n"));
        assert_eq!(people(dir, "[data.calls]\nfiles = [\"c.ndjson\"]\n").0, expected);
    }
}

#[test]
fn ids_of_calls_have_one_spelling_and_an_anonymous_alias_is_a_link() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let read = |lines: &[&str]| {
        write(dir, "c.ndjson", lines.join("\n"));
        people(dir, "[data.calls]\nfiles = [\"c.ndjson\"]\n")
    };
    let (found, _) = read(&[
        r#"{"type": "track", "event": "visit", "anonymousId": "d1", "timestamp": "2026-03-01T00:00:00Z", "messageId": "1"}"#,
        r#"{"type": "identify", "userId": 7.0, "anonymousId": "d1", "timestamp": "2026-03-01T00:02:00Z", "messageId": "2"}"#,
        r#"{"type": "track", "event": "order", "userId": 7, "timestamp": "2026-03-02T00:00:00Z", "messageId": "3"}"#,
    ]);
    assert_eq!(found, ["7: order@2026-03-02T00:00:00Z, visit@2026-03-01T00:00:00Z"]);
    let (found, told) = read(&[
        r#"{"type": "identify", "userId": "ann", "anonymousId": "d1", "timestamp": "2026-03-01T00:02:00Z", "traits": {"city": "Rome"}, "messageId": "1"}"#,
        r#"{"type": "alias", "previousId": "d1", "userId": "bob", "timestamp": "2026-03-05T00:02:00Z", "messageId": "2"}"#,
        r#"{"type": "track", "event": "order", "userId": "bob", "timestamp": "2026-03-06T00:00:00Z", "messageId": "3"}"#,
    ]);
    assert_eq!(found, ["ann: city=Rome", "bob: order@2026-03-06T00:00:00Z"]);
    assert!(told[0].starts_with("shared-device 1 anonymous id"), "{told:?}");
}

#[test]
fn a_snapshot_says_nothing_of_columns_that_its_source_lacks() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    write(dir, "crm.csv", "id,city\na,Rome\n");
    write(dir, "snap.csv", "id,day,amount\na,2026-03-01,5\na,2026-03-02,\n");
    let data = "[[data.profiles]]\nfiles = [\"crm.csv\"]\nid = \"id\"\n[[data.profiles]]\nfiles = [\"snap.csv\"]\nid = \"id\"\ntime = \"day\"\nrows = \"snapshots\"\n";
    assert_eq!(people(dir, data), (vec!["a: city=Rome".to_owned()], vec![]));
}

#[test]
fn ids_are_read_as_the_source_says_before_one_is_chosen() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    write(
        dir,
        "e.csv",
        "user_id,anonymous_id,event,at,key\nu1,d1,order,2026-03-01,-\n-,d2,order,2026-03-01,-\n NULL,d3,order,2026-03-01,\nu1,,order,2026-03-02,-\nu1,,order,2026-03-03,o1\nu1,,order,2026-03-03, o1\n",
    );
    let data = "[data.events]\nfiles = [\"e.csv\"]\nid = [\"user_id\", \"anonymous_id\"]\nevent = \"event\"\ntime = \"at\"\nmissing = [\"-\"]\ntrim = true\n";
    let (found, told) = people(dir, data);
    let ids: Vec<&str> = found.iter().map(|person| person.split(':').next().unwrap_or("")).collect();
    assert_eq!(ids, ["d2", "d3", "u1"]);
    assert_eq!(found[2].matches("order@").count(), 3, "{found:?}");
    assert_eq!(told, ["repeated-event 1 event repeats an event id in `key`; the first to arrive was used"]);
}

#[test]
fn one_wrong_byte_does_not_change_the_encoding() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    write(dir, "p.csv", b"id,city,tags\n1,K\xc3\xb6ln,x\n2,Bern,caf\xe9\n");
    let (found, told) = people(dir, &format!("{PROFILES}files = [\"p.csv\"]\n"));
    assert!(found[0].starts_with("1: city=Köln"), "{found:?}");
    assert_eq!(told, ["unparsable-value 1 value in `tags` could not be understood and counts as missing"]);
}

#[test]
fn what_is_asked_for_and_not_there_is_told_of() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let events =
        |files: &str| format!("[data.events]\nfiles = [{files}]\nid = \"id\"\nevent = \"event\"\ntime = \"at\"\n");
    write(dir, "ev/e-1.csv", "id,event,at\n1,visit,2026-03-01\n");
    write(dir, "ev/.ipynb_checkpoints/e-1.csv", "id,event,at\n2,visit,2026-03-01\n");
    write(dir, "ev/_delta_log/0000.json", "{\"commit\": 1}\n");
    // A quiet day.
    write(dir, "ev/e-2.ndjson", "");
    write(dir, "ev/e-3.json", "[]");
    assert_eq!(people(dir, &events("\"ev\"")), (vec!["1: visit@2026-02-28T23:00:00Z".to_owned()], vec![]));
    std::os::unix::fs::symlink("/nowhere/e-4.csv", dir.join("ev/e-4.csv")).expect("a link");
    for files in ["\"ev\"", "\"ev/e-*.csv\""] {
        let error = read(dir, &events(files)).expect_err("it is not there");
        assert!(error.file.ends_with("e-4.csv") && error.message.contains("there is no such file"), "{error}");
    }
}

#[test]
fn one_file_may_be_two_sources() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    write(dir, "o.csv", "id,ordered_at,seen_at\na,2026-03-01,2026-03-02\n");
    let source = |name: &str, time: &str| {
        format!("[[data.events]]\nfiles = [\"o.csv\"]\nid = \"id\"\nname = \"{name}\"\ntime = \"{time}\"\n")
    };
    let (found, told) = people(dir, &format!("{}{}", source("order", "ordered_at"), source("visit", "seen_at")));
    assert_eq!(found, ["a: order@2026-02-28T23:00:00Z, visit@2026-03-01T23:00:00Z"]);
    assert!(told.is_empty(), "{told:?}");
}

/// Names are looked up together, however many there are and whenever they come.
#[test]
fn calls_with_thousands_of_properties_are_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let call = |n: usize| {
        format!(
            "{{\"type\": \"track\", \"userId\": \"u\", \"messageId\": \"{n}\", \"event\": \"visit\", \"timestamp\": \"2026-03-01T00:00:00Z\", \"properties\": {{\"p{n}\": 1, \"page\": \"/{n}\"}}}}\n"
        )
    };
    write(dir, "c.ndjson", (0..1_500).map(call).collect::<String>());
    let (found, told) = people(dir, "[data.calls]\nfiles = [\"c.ndjson\"]\n");
    assert_eq!((found.len(), found[0].matches("visit@").count(), told.len()), (1, 1_500, 1_500));
}
