//! Text files are read in pieces on several threads: whatever they hold, and wherever they
//! are cut, the people, the events and what is told are those of reading row by row.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

mod chance;

use chance::Chance;
use flate2::Compression;
use flate2::write::GzEncoder;
use seg_data::schema::parse;
use seg_data::{Schema, Zone};
use seg_io::manifest::{Data, EventFiles, ProfileFiles};
use seg_io::{LoadRequest, load};
use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

const SCHEMA: &str = r#"
    [attributes]
    plan = { type = "text", allowed = ["free", "paid"] }
    visits = { type = "integer", required = true }
    born = "date"
    [events.opened]
    properties = { note = "text", amount = "money", n = "integer", score = "number" }
    [events.bought]
    properties = { note = "text", amount = "money", n = "integer", ok = "boolean", at = "timestamp", day = "date" }
    [events.left]
"#;

fn schema() -> Arc<Schema> {
    let (schema, problems) = parse(SCHEMA);
    assert_eq!(problems, []);
    Arc::new(schema)
}

/// How a project is read.
#[derive(Debug, Clone, Copy)]
struct Way {
    piece_bytes: usize,
    threads: usize,
    /// Whether the source says something of its texts, so that none become columns at once.
    is_by_row: bool,
}

/// All that was read and told.
fn read(dir: &Path, names: [&str; 2], way: Way) -> String {
    let of = |name: &str| vec![name.to_owned()];
    let mut profiles = ProfileFiles::new(of(names[0]), "id");
    let mut events = EventFiles::new(of(names[1]), "id", "event", "time");
    if way.is_by_row {
        profiles.reading.missing = of("no such text");
        events.reading.missing = of("no such text");
    }
    let data = Data { profiles: vec![profiles], events: vec![events], ..Data::default() };
    let schema = schema();
    let number = |n: usize| NonZero::new(n).expect("not zero");
    let loaded = load(LoadRequest {
        zone: Zone::parse("Europe/Berlin"),
        threads: number(way.threads),
        piece_bytes: number(way.piece_bytes),
        ..LoadRequest::new(dir, &data, &schema)
    });
    match loaded {
        Err(error) => error.to_string(),
        Ok(loaded) => {
            let report = &loaded.report;
            let told = (&report.problems, report.rows, report.events, report.profiles, loaded.last_event);
            format!("{:?}\n{told:#?}", loaded.batch.records().columns())
        }
    }
}

/// Whether what happens once in so many times does.
fn is(chance: &mut Chance, one_in: usize) -> bool {
    chance.below(one_in) == 0
}

fn one<'t>(chance: &mut Chance, of: &[&'t str]) -> &'t str {
    of[chance.below(of.len())]
}

/// A value of a column, which is none of its type once in `odd` times.
fn value(column: &str, chance: &mut Chance, odd: usize) -> String {
    let is_odd = is(chance, odd);
    let n = chance.below(50);
    match column {
        "id" if is_odd => one(chance, &["", "NULL", "07", "7.0", " ", "x1", "-3", "99999999999999999999"]).to_owned(),
        "id" => n.to_string(),
        "event" if is_odd => one(chance, &["", "unknown", "renamed"]).to_owned(),
        "event" => one(chance, &["opened", "bought", "left"]).to_owned(),
        "time" | "at" if is_odd => {
            one(chance, &["", "soon", "1772359200", "2026-03-01T10:00:00", "2026-02-30T10:00:00Z", "2026-03-01"])
                .to_owned()
        }
        "time" | "at" => format!("2026-03-{:02}T1{}:00:0{}.{}Z", 1 + n % 28, n % 10, n % 7, n),
        "day" | "born" if is_odd => one(chance, &["", "20260301", "1772323200", "2026-3-1", "x"]).to_owned(),
        "day" | "born" => format!("20{:02}-01-0{}", n, 1 + n % 9),
        "plan" if is_odd => one(chance, &["", "other"]).to_owned(),
        "plan" => one(chance, &["free", "paid"]).to_owned(),
        "ok" if is_odd => one(chance, &["", "maybe", "n/a"]).to_owned(),
        "ok" => one(chance, &["true", "false", "1"]).to_owned(),
        "n" | "visits" if is_odd => one(chance, &["", "3.5", "9223372036854775808", "-7", "007", "null"]).to_owned(),
        "n" | "visits" => n.to_string(),
        "amount" | "score" if is_odd => one(chance, &["", "1e3", "0.123456", "-.5", "NaN", "ten", "1e999"]).to_owned(),
        "amount" | "score" => format!("{}.{}", n, n * 7 % 100),
        _ if is_odd => {
            one(chance, &["", " ", "a,b", "say \"hi\"", "two\nlines", "é\u{1F600}", "\r", "a;b\tc"]).to_owned()
        }
        _ => format!("note-{}", n % 12),
    }
}

const PEOPLE: [&str; 4] = ["id", "plan", "visits", "born"];
const EVENTS: [&str; 11] = ["id", "event", "time", "note", "amount", "n", "score", "ok", "at", "day", "stray"];

/// Text with separators, and with all that goes wrong in it.
fn csv(columns: &[&str], n_rows: usize, chance: &mut Chance) -> Vec<u8> {
    let odd = [5, 60, 100_000][chance.below(3)];
    let end = one(chance, &["\n", "\r\n", "\n", "\r"]);
    let header = columns.join(",");
    let mut out = if is(chance, 4) { "\u{feff}".to_owned() } else { String::new() };
    out.push_str(&header);
    out.push_str(end);
    for row in 0..n_rows {
        let mut fields: Vec<String> = columns.iter().map(|column| value(column, chance, odd)).collect();
        if is(chance, odd) {
            fields.truncate(1 + chance.below(columns.len()));
        }
        for field in &mut fields {
            if field.contains(['"', ',', '\n', '\r']) || is(chance, odd) {
                *field = format!("\"{}\"", field.replace('"', "\"\""));
            }
        }
        match chance.below(20 * odd) {
            // A quote that is never closed, and one that means nothing.
            0 => fields[0].insert(0, '"'),
            1..=3 => fields[0].push('"'),
            4..=6 => out.push_str(end),
            7..=9 => out.push_str(&format!("{header}{end}")),
            _ => {}
        }
        out.push_str(&fields.join(","));
        if row + 1 < n_rows || is(chance, 2) {
            out.push_str(if is(chance, odd) { "\r\n" } else { end });
        }
    }
    let mut bytes = out.into_bytes();
    if is(chance, 6) {
        let at = chance.below(bytes.len());
        bytes[at] = 0xff;
    }
    bytes
}

/// Objects, with all that goes wrong in them.
fn ndjson(columns: &[&str], n_rows: usize, chance: &mut Chance) -> Vec<u8> {
    let odd = [5, 60, 100_000][chance.below(3)];
    let end = one(chance, &["\n", "\r\n"]);
    let mut out = if is(chance, 4) { "\u{feff}".to_owned() } else { String::new() };
    for row in 0..n_rows {
        let mut fields: Vec<String> = Vec::new();
        for column in columns.iter().filter(|column| **column != "stray") {
            let text = value(column, chance, odd);
            let is_number = text.parse::<f64>().is_ok() && !text.contains(['N', '+']) && !text.starts_with("00");
            let quoted = serde_json::to_string(&text).expect("a text");
            let name = if *column == "ok" && is(chance, odd) { "o\\u006b" } else { column };
            match text.as_str() {
                "" if is(chance, 2) => {}
                "" => fields.push(format!("\"{name}\":null")),
                "true" | "false" => fields.push(format!("\"{name}\":{text}")),
                _ if is_number && !is(chance, odd) => fields.push(format!("\"{name}\": {text}")),
                _ => fields.push(format!("\"{name}\":{quoted}")),
            }
        }
        match chance.below(6 * odd) {
            0 => fields.push(format!("\"new-{row}\":1")),
            1 => fields.push("\"n\":5".to_owned()),
            2 => fields.push("\"stray\":{\"a\":[1,{\"b\":null}],\"c\":{}}".to_owned()),
            3 => fields.push("\"stray\":{\"a\":\"\\ud800\"}".to_owned()),
            4 => fields.push("\"stray.c\":[NaN]".to_owned()),
            5 => fields.push(format!("\"stray\":{}1{}", "[".repeat(130), "]".repeat(130))),
            6 => fields.push("\"score\":-Infinity".to_owned()),
            7 => fields.reverse(),
            8 => fields.push("x".to_owned()),
            9 => fields.push("\"note\":{}".to_owned()),
            10 => fields.push("\"note\":[\"a\"]".to_owned()),
            _ => {}
        }
        let line = format!("{{{}}}", fields.join(","));
        match chance.below(8 * odd) {
            0 => out.push_str(end),
            1 => out.push_str("[1]\n"),
            2 => out.push_str(" \t "),
            3 => out.push_str("{\"id\":\"\n"),
            4 => out.push('\u{feff}'),
            _ => {}
        }
        out.push_str(&line);
        if row + 1 < n_rows || is(chance, 2) {
            out.push_str(end);
        }
    }
    let mut bytes = out.into_bytes();
    if is(chance, 6) {
        let at = chance.below(bytes.len());
        bytes[at] = 0xff;
    }
    bytes
}

/// Writes text as it is, packed, or in another encoding, and gives the file's name.
fn write(dir: &Path, stem: &str, ending: &str, text: &[u8], chance: &mut Chance) -> String {
    let mut bytes = text.to_vec();
    let mut name = format!("{stem}.{ending}");
    if let (Ok(text), true) = (std::str::from_utf8(text), ending == "csv" && is(chance, 5)) {
        bytes = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    }
    if is(chance, 5) {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(&bytes).expect("packed");
        bytes = packer.finish().expect("packed");
        name.push_str(".gz");
    }
    std::fs::write(dir.join(&name), bytes).expect("written");
    name
}

/// Everything of a project is the same in all ways to read it.
fn compare(dir: &Path, names: [&str; 2], pieces: &[usize], what: &str) {
    let by_row = Way { piece_bytes: 1 << 30, threads: 1, is_by_row: true };
    let expected = read(dir, names, by_row);
    for &piece_bytes in pieces {
        for threads in [1, 3] {
            for is_by_row in [false, true] {
                let way = Way { piece_bytes, threads, is_by_row };
                let found = read(dir, names, way);
                let mut differ = found.lines().zip(expected.lines()).filter(|(found, expected)| found != expected);
                assert!(found == expected, "{what}, {way:?}: {:#?}", differ.next());
            }
        }
    }
}

/// Pieces of a few bytes, of a few rows and of many.
const PIECES: [usize; 6] = [1, 7, 64, 700, 5_000, 1 << 22];

#[test]
fn however_csv_is_cut_it_is_read_alike() {
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let dir = tempfile::tempdir().expect("a directory");
        let n_rows = [1, 12, 80, 400][chance.below(4)];
        let (people, events) = (csv(&PEOPLE, n_rows, &mut chance), csv(&EVENTS, n_rows, &mut chance));
        let people = write(dir.path(), "people", "csv", &people, &mut chance);
        let events = write(dir.path(), "events", "csv", &events, &mut chance);
        compare(dir.path(), [&people, &events], &PIECES[chance.below(3)..], &format!("seed {seed}"));
    }
}

#[test]
fn however_json_is_cut_it_is_read_alike() {
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let dir = tempfile::tempdir().expect("a directory");
        let n_rows = [1, 12, 80, 400][chance.below(4)];
        let (people, events) = (ndjson(&PEOPLE, n_rows, &mut chance), ndjson(&EVENTS, n_rows, &mut chance));
        let people = write(dir.path(), "people", "ndjson", &people, &mut chance);
        let events = write(dir.path(), "events", "jsonl", &events, &mut chance);
        compare(dir.path(), [&people, &events], &PIECES[chance.below(3)..], &format!("seed {seed}"));
    }
}

/// Lines are those of the file, whatever ends them and whatever is blank.
#[test]
fn lines_are_counted_as_editors_count_them() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("people.csv"), "id,plan,visits,born\n1,free,1,\n").expect("written");
    for end in ["\n", "\r\n"] {
        let rows = ["id,event,time", "1,left,2026-03-01T10:00:00Z", "", "\"1\n2\",left", "1,left,soon"];
        std::fs::write(dir.path().join("events.csv"), rows.join(end)).expect("written");
        let way = Way { piece_bytes: 1 << 20, threads: 1, is_by_row: false };
        let found = read(dir.path(), ["people.csv", "events.csv"], way);
        let line = |of: &str| {
            let (_, rest) = found.split_once(of).expect("told");
            let (_, rest) = rest.split_once("line: ").expect("a line");
            rest.split_once(',').map(|(line, _)| line.to_owned())
        };
        assert_eq!(line("BrokenRow").as_deref(), Some("4"));
        assert_eq!(line("ImpossibleTime").as_deref(), Some("6"));
    }
}

/// A record that nobody could hold is told of as one that is short would be.
#[test]
fn a_quote_that_takes_the_rest_of_a_long_file_is_told_of() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("people.csv"), "id,plan,visits,born\n1,free,1,\n").expect("written");
    let row = "1,left,2026-03-01T10:00:00Z,note,5\n";
    let n_rows = 20 * 1024 * 1024 / row.len();
    let header = "id,event,time,note,n\n";
    let all = row.repeat(n_rows);
    for (text, told) in [
        (format!("{header}{row}\"{all}"), format!("a quote took {} lines that look like rows", n_rows - 1)),
        (format!("{header}{row}\"{all}\"x\n{row}"), format!("a quote took {n_rows} lines that look like rows")),
        (format!("{header}1,\"{}\"\n{row}", "x\n".repeat(1 << 24)), "2 fields where 5 are needed".to_owned()),
        (format!("{header}1,\"{}\",,,\n{row}", "x\n".repeat(1 << 24)), "it is longer than 16 MiB".to_owned()),
    ] {
        std::fs::write(dir.path().join("events.csv"), &text).expect("written");
        for (piece_bytes, threads) in [(1 << 22, 1), (1 << 20, 3)] {
            let way = Way { piece_bytes, threads, is_by_row: false };
            let found = read(dir.path(), ["people.csv", "events.csv"], way);
            assert!(
                found.contains(&told),
                "{told}: {}",
                found.get(found.len().saturating_sub(600)..).unwrap_or(&found)
            );
        }
    }
}
