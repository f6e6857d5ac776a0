//! The same rows out of the tools that teams write data with, in every format of each.
//! `tests/data/writers/make.py` made the files; `rows.ndjson` beside them, which no tool
//! wrote, says what is right.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

use seg_data::schema::parse;
use seg_data::{EventId, PropertyId, Schema, Zone};
use seg_io::manifest::{CsvRead, Data, EventFiles};
use seg_io::{LoadRequest, Loaded, load};
use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SCHEMA: &str = r#"
    [events.order.properties]
    local = "timestamp"
    text = "text"
    code = "text"
    n = "integer"
    small = "integer"
    amount = "money"
    weight = "number"
    gift = "boolean"
    day = "date"
    tags = "list of text"
    scores = "list of integer"
    lines = { type = "list of records", fields = { sku = "text", qty = "integer" } }
    kind = "text"
    key = "text"
    "ship.city" = "text"
    "ship.to.zip" = "text"
"#;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/writers")
}

fn schema() -> Arc<Schema> {
    let (schema, problems) = parse(SCHEMA);
    assert_eq!(problems, []);
    Arc::new(schema)
}

fn read(file: &str, csv: CsvRead, threads: usize) -> Loaded {
    let mut events = EventFiles::new(vec![file.into()], "id", "event", "time");
    events.reading.csv = csv;
    // What stands for nothing in texts is said.
    events.reading.missing = if file == "duckdb.tsv" { vec!["\\N".to_owned()] } else { Vec::new() };
    let data = Data { events: vec![events], ..Data::default() };
    let (dir, schema) = (folder(), schema());
    let request = LoadRequest {
        zone: Zone::parse("Europe/Berlin"),
        threads: NonZero::new(threads).expect("a number of threads"),
        ..LoadRequest::new(&dir, &data, &schema)
    };
    load(request).map_err(|e| format!("{file}: {e}")).expect("it is read")
}

/// For each person what their event says, by property.
fn rows(loaded: &Loaded, file: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let (batch, schema) = (&loaded.batch, schema());
    let events = batch.events(EventId(0)).expect("orders");
    let mut rows = BTreeMap::new();
    for row in 0..batch.len() {
        let range = events.range(row);
        assert_eq!(range.len(), 1, "{file}: the events of {}", batch.id(row));
        for idx in range {
            let mut values = vec![("time".to_owned(), events.time(idx).to_string())];
            let properties = schema.events[0].properties.iter().zip(0..);
            values.extend(
                properties
                    .map(|(field, at)| (field.name.clone(), format!("{:?}", events.property(PropertyId(at), idx)))),
            );
            rows.insert(batch.id(row).to_owned(), values);
        }
    }
    rows
}

/// Files that lack something of the rows, and what: a person, or a property.
const LACKING: [(&str, &[&str]); 2] = [
    // Numbers are instants, and those around 1970 do not tell their unit.
    ("pandas-epoch.ndjson", &["2", "4", "local"]),
    ("fastparquet-int96.parquet", &["day", "local"]),
];

fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).expect("a folder");
    let mut names: Vec<String> =
        files.map(|file| file.expect("a file").file_name().into_string().expect("a name")).collect();
    names.retain(|name| !matches!(name.as_str(), "make.py" | "rows.ndjson"));
    names.sort();
    names
}

#[test]
fn every_writer_and_format_gives_the_same_values() {
    let right = rows(&read("rows.ndjson", CsvRead::default(), 1), "rows.ndjson");
    assert_eq!(right.len(), 6);
    let names = names();
    assert!(names.len() >= 40, "{names:?}");
    let mut wrong = String::new();
    for name in &names {
        let csv = match name.as_str() {
            "pandas-semicolon.csv.gz" => CsvRead { decimal: Some(','), ..CsvRead::default() },
            _ => CsvRead::default(),
        };
        let lacking = LACKING.iter().find(|(file, _)| file == name).map_or(&[][..], |(_, lacking)| lacking);
        for threads in [1, 3] {
            let loaded = read(name, csv.clone(), threads);
            let problems = loaded.report.problems.iter().filter(|problem| !problem.kind.is_remark());
            let problems: Vec<String> = problems.map(|p| format!("{p} {:?}", p.examples)).collect();
            if !problems.is_empty() {
                wrong.push_str(&format!("{name}: {problems:#?}\n"));
            }
            let found = rows(&loaded, name);
            for (id, values) in right.iter().filter(|(id, _)| !lacking.contains(&id.as_str())) {
                let of_file = found.get(id).expect("everybody is there");
                for (value, of_file) in values.iter().zip(of_file).filter(|(v, _)| !lacking.contains(&v.0.as_str())) {
                    if value != of_file {
                        wrong.push_str(&format!("{name}: {id}: {of_file:?} rather than {value:?}\n"));
                    }
                }
            }
            assert_eq!(found.len(), right.len() - lacking.iter().filter(|l| right.contains_key(**l)).count(), "{name}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
