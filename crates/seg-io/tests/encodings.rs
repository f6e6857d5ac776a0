//! Random rows with what goes wrong in files, in every encoding: all of them are the same
//! people, and are told to have the same problems.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

mod chance;

use arrow_array::{RecordBatch, StringArray};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use chance::Chance;
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use seg_data::schema::parse;
use seg_data::{EventId, PropertyId, Zone};
use seg_io::manifest::{CsvRead, Data, EventFiles};
use seg_io::{LoadRequest, load};
use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

const SCHEMA: &str = r#"
    [events.order.properties]
    text = "text"
    n = "integer"
    amount = "money"
    weight = "number"
    gift = "boolean"
    day = "date"
    at = "timestamp"
    tags = "list of text"
    scores = "list of integer"
    kind = { type = "text", allowed = ["web", "app"] }
    must = { type = "integer", required = true }
"#;

/// One of some texts.
fn one<'t>(chance: &mut Chance, texts: &[&'t str]) -> &'t str {
    texts[chance.below(texts.len())]
}

const COLUMNS: [&str; 14] =
    ["id", "event", "time", "text", "n", "amount", "weight", "gift", "day", "at", "tags", "scores", "kind", "must"];

/// A field as a text; an empty one is missing.
fn field(column: &str, chance: &mut Chance) -> &'static str {
    match column {
        "id" => one(chance, &["1", "2", "3", "7.0", "7", "007", "ann", "Ann ", "ü", "", "NULL", "none", "9e3", "-4"]),
        "event" => one(chance, &["order", "order", "order", "order", "order", "Order", "", "other, \"quoted\""]),
        "time" => one(
            chance,
            &[
                "2026-03-01T10:00:00Z",
                "2026-03-01T10:00:00.123456Z",
                "2026-03-01 11:00:00",
                "2026-03-29 02:30:00",
                "2026-10-25 02:30:00",
                "2026-03-01 10:00:00 UTC",
                "2026-03-01T10:00:00+01:00",
                "1772359200",
                "1772359200123",
                "yesterday",
                "",
                "NaT",
            ],
        ),
        "text" => one(
            chance,
            &["plain", "", " ", " x", "NULL", "a,b;c\td|e", "\"q\"", "two\nlines", "ü😀", "'", "0x1F", "\\"],
        ),
        "n" => one(
            chance,
            &["1", "-5", "3.0", "3.5", "9223372036854775807", "9223372036854775808", "", "N/A", " 7 ", "1e3"],
        ),
        "amount" => {
            one(chance, &["9.5", "0.1", "-0.01", "19.99", "19.99999", "1e2", "", "NaN", "€5", "922337203685477.5807"])
        }
        "weight" => one(chance, &["0.25", "1e300", "-0", "inf", "NaN", "", "null", "1,5", "7"]),
        "gift" => one(chance, &["true", "false", "yes", "0", "1", "T", "", "maybe", "None"]),
        "day" => one(
            chance,
            &["2026-03-01", "2026-02-30", "2026-03-01T00:00:00", "2026-03-01 10:00:00", "", "\\N", "1.3.2026"],
        ),
        "at" => {
            one(chance, &["2026-03-01T10:00:00Z", "2026-03-01", "2026-03-01 10:00", "", "n/a", "soon", "0001-01-01"])
        }
        "tags" => one(chance, &["a;b", "[\"a\",\"b, c\"]", "a", "", "[]", "[1,2]", " a ; b ", "[broken"]),
        "scores" => one(chance, &["1;2", "[1,2]", "[]", "", "1;x", "NULL", "[1.0]"]),
        "kind" => one(chance, &["web", "app", "tv", "", "Web"]),
        _ => one(chance, &["1", "2", "", "x"]),
    }
}

type Table = Vec<Vec<&'static str>>;

fn csv_text(table: &Table, delimiter: u8, ends: csv::Terminator) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).terminator(ends).from_writer(Vec::new());
    writer.write_record(COLUMNS).expect("written");
    table.iter().for_each(|row| writer.write_record(row).expect("written"));
    writer.into_inner().expect("written")
}

fn json_rows(table: &Table) -> Vec<String> {
    let object = |row: &Vec<&str>| {
        let fields = COLUMNS.iter().zip(row).map(|(name, value)| ((*name).to_owned(), (*value).into()));
        serde_json::Value::Object(fields.collect()).to_string()
    };
    table.iter().map(object).collect()
}

fn records(table: &Table, is_null: bool) -> RecordBatch {
    let column = |at: usize| -> StringArray {
        table.iter().map(|row| Some(row[at]).filter(|text| !is_null || !text.is_empty())).collect()
    };
    let columns = COLUMNS.iter().enumerate().map(|(at, name)| (*name, Arc::new(column(at)) as _, true));
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}

/// The same rows in every encoding: the names of the files.
fn write_all(dir: &Path, table: &Table) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut write = |name: &'static str, bytes: &[u8]| {
        std::fs::write(dir.join(name), bytes).expect("written");
        names.push(name);
    };
    let packed = |bytes: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).expect("packed");
        gzip.finish().expect("packed")
    };
    let comma = csv_text(table, b',', csv::Terminator::Any(b'\n'));
    let text = String::from_utf8(comma.clone()).expect("UTF-8");
    write("comma.csv", &comma);
    write("crlf.csv", &csv_text(table, b',', csv::Terminator::CRLF));
    write("semicolon.csv", &csv_text(table, b';', csv::Terminator::Any(b'\n')));
    write("pipe.csv", &csv_text(table, b'|', csv::Terminator::Any(b'\n')));
    write("tab.tsv", &csv_text(table, b'\t', csv::Terminator::Any(b'\n')));
    write("marked.csv", &[b"\xef\xbb\xbf", comma.as_slice()].concat());
    write("packed.csv.gz", &packed(&comma));
    write("zstd.csv", &zstd::encode_all(comma.as_slice(), 1).expect("packed"));
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    write("wide.csv", &[b"\xff\xfe", wide.as_slice()].concat());
    let rows = json_rows(table);
    write("lines.ndjson", rows.join("\n").as_bytes());
    write("packed.ndjson.gz", &packed(rows.join("\r\n").as_bytes()));
    write("array.json", format!("[{}]", rows.join(",\n")).as_bytes());
    for (name, is_null, n_rows) in [("nulls.parquet", true, 1_000), ("empty.parquet", false, 7)] {
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(n_rows)).build();
        let records = records(table, is_null);
        let mut writer = ArrowWriter::try_new(Vec::new(), records.schema(), Some(properties)).expect("a writer");
        writer.write(&records).expect("written");
        write(name, &writer.into_inner().expect("written"));
    }
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).expect("a codec");
    let records = records(table, true);
    let mut file = FileWriter::try_new_with_options(Vec::new(), &records.schema(), options).expect("a writer");
    file.write(&records.slice(0, table.len() / 2)).expect("written");
    file.write(&records.slice(table.len() / 2, table.len() - table.len() / 2)).expect("written");
    write("file.arrow", &file.into_inner().expect("written"));
    let mut stream = StreamWriter::try_new(Vec::new(), &records.schema()).expect("a writer");
    stream.write(&records).expect("written");
    write("stream.arrows", &stream.into_inner().expect("written"));
    names
}

/// All that was read: everybody with their events, and what was wrong how often.
fn read(dir: &Path, name: &str, threads: usize) -> String {
    let (schema, problems) = parse(SCHEMA);
    assert_eq!(problems, []);
    let mut events = EventFiles::new(vec![name.to_owned()], "id", "event", "time");
    events.reading.csv = CsvRead::default();
    let (data, schema) = (Data { events: vec![events], ..Data::default() }, Arc::new(schema));
    let threads = NonZero::new(threads).expect("a number of threads");
    let zone = Zone::parse("Europe/Berlin");
    let loaded = load(LoadRequest { zone, threads, ..LoadRequest::new(dir, &data, &schema) });
    let loaded = loaded.map_err(|e| format!("{name}: {e}")).expect("it is read");
    let mut out = String::new();
    let events = loaded.batch.events(EventId(0)).expect("orders");
    for row in 0..loaded.batch.len() {
        out.push_str(&format!("{:?}\n", loaded.batch.id(row)));
        for idx in events.range(row) {
            let values: Vec<_> = (0..11).map(|at| events.property(PropertyId(at), idx)).collect();
            out.push_str(&format!("  {} {values:?}\n", events.time(idx)));
        }
    }
    let mut problems: Vec<String> = loaded
        .report
        .problems
        .iter()
        // The encoding is told of where it had to be found.
        .filter(|problem| problem.kind.slug() != "encoding")
        .map(|problem| format!("{}: {} {}\n", problem.kind.slug(), problem.column, problem.count))
        .collect();
    problems.sort();
    out.push_str(&problems.concat());
    out
}

#[test]
fn every_encoding_gives_the_same_people_and_problems() {
    let mut n_problems = 0;
    for seed in 0..40 {
        let mut chance = Chance(seed);
        let n_rows = [1, 5, 60, 300][seed as usize % 4];
        let table: Table = (0..n_rows).map(|_| COLUMNS.map(|c| field(c, &mut chance)).to_vec()).collect();
        let dir = tempfile::tempdir().expect("a directory");
        let names = write_all(dir.path(), &table);
        let first = read(dir.path(), names[0], 1);
        n_problems += first.lines().filter(|line| !line.starts_with([' ', '"'])).count();
        for name in names {
            for threads in [1, 2] {
                let other = read(dir.path(), name, threads);
                assert!(other == first, "seed {seed}, {name}:\n{}", difference(&first, &other));
            }
        }
    }
    assert!(n_problems > 400, "only {n_problems} problems are met");
}

/// The lines of one that the other lacks, and the other way round.
fn difference(one: &str, other: &str) -> String {
    let lacks = |one: &str, other: &str, mark: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|l| l == *line));
        lines.map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    lacks(one, other, "-") + &lacks(other, one, "+")
}
