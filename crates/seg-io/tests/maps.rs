//! Maps of Parquet and Arrow are columns under dotted names.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

use arrow_array::builder::{
    ArrayBuilder, Int64Builder, LargeStringBuilder, MapBuilder, StringBuilder, StringDictionaryBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, MapArray, RecordBatch, StringArray, StructArray};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::Field;
use parquet::arrow::ArrowWriter;
use seg_data::schema::parse;
use seg_data::{AttributeId, EventId, PropertyId, Timestamp};
use seg_io::{LoadRequest, Loaded, Manifest, load, manifest};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

const SCHEMA: &str = r#"
    [attributes]
    "traits.plan" = "text"
    "traits.city.zip" = "text"
    "numbers.visits" = "integer"
    "context.tags.level" = "text"
    renamed = "text"
    [events.order]
    properties = { "properties.shop" = "text" }
"#;

/// The rows of a map, for each its keys and values; a row may be missing.
type Rows<'r> = &'r [Option<&'r [(&'r str, Option<&'r str>)]>];

fn map_of<K: ArrayBuilder, V: ArrayBuilder>(
    (keys, values): (K, V),
    rows: Rows<'_>,
    add_key: impl Fn(&mut K, &str),
    add_value: impl Fn(&mut V, Option<&str>),
) -> ArrayRef {
    let mut map = MapBuilder::new(None, keys, values);
    for row in rows {
        for (key, value) in row.unwrap_or_default() {
            add_key(map.keys(), key);
            add_value(map.values(), *value);
        }
        map.append(row.is_some()).expect("a row");
    }
    Arc::new(map.finish())
}

fn texts(rows: Rows<'_>) -> ArrayRef {
    let builders = (StringBuilder::new(), StringBuilder::new());
    map_of(builders, rows, |keys, key| keys.append_value(key), |values, value| values.append_option(value))
}

fn numbers(rows: Rows<'_>) -> ArrayRef {
    let number = |text: &str| text.parse::<i64>().expect("a number");
    map_of(
        (LargeStringBuilder::new(), Int64Builder::new()),
        rows,
        |keys, key| keys.append_value(key),
        |values, value| values.append_option(value.map(number)),
    )
}

fn coded(rows: Rows<'_>) -> ArrayRef {
    let builders = (StringDictionaryBuilder::<Int32Type>::new(), StringBuilder::new());
    map_of(builders, rows, |keys, key| keys.append_value(key), |values, value| values.append_option(value))
}

fn people() -> RecordBatch {
    let traits: Rows<'_> = &[
        Some(&[("plan", Some("pro")), ("city.zip", Some("10115")), ("colour", Some("red"))]),
        None,
        Some(&[("colour", Some("blue")), ("plan", Some(" "))]),
    ];
    let visits: Rows<'_> = &[Some(&[("visits", Some("3"))]), Some(&[("visits", None)]), Some(&[])];
    let tags: Rows<'_> = &[Some(&[("level", Some("gold")), ("old", Some("x"))]), Some(&[]), None];
    let tags = coded(tags);
    let context = StructArray::from(vec![(Arc::new(Field::new("tags", tags.data_type().clone(), true)), tags)]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(StringArray::from(vec!["a", "b", "c"]))),
        ("traits", texts(traits)),
        ("numbers", numbers(visits)),
        ("context", Arc::new(context)),
        // Nobody knows a key of it.
        ("unknown", texts(&[Some(&[("x", Some("y"))]), None, None])),
    ];
    RecordBatch::try_from_iter(columns).expect("a batch")
}

fn write(path: &Path, batch: &RecordBatch) {
    let file = File::create(path).expect("a file");
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("parquet") => {
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
            writer.write(batch).expect("written");
            writer.close().expect("closed");
        }
        Some("arrows") => {
            let mut writer = StreamWriter::try_new(file, &batch.schema()).expect("a writer");
            writer.write(batch).expect("written");
            writer.finish().expect("closed");
        }
        _ => {
            let mut writer = FileWriter::try_new(file, &batch.schema()).expect("a writer");
            writer.write(batch).expect("written");
            writer.finish().expect("closed");
        }
    }
}

fn read(dir: &Path, data: &str) -> Loaded {
    let Manifest { data, .. } = manifest::parse(&format!("name = \"x\"\n{data}")).expect("settings");
    let (schema, problems) = parse(SCHEMA);
    assert_eq!(problems, []);
    load(LoadRequest::new(dir, &data, &Arc::new(schema))).expect("read")
}

fn told(loaded: &Loaded) -> Vec<String> {
    loaded.report.problems.iter().map(|problem| format!("{} {}", problem.kind.slug(), problem.column)).collect()
}

#[test]
fn keys_of_maps_are_columns_in_every_format() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["p.parquet", "p.arrow", "p.arrows"] {
        write(&dir.path().join(name), &people());
        let settings = format!(
            "[data.profiles]\nfiles = [\"{name}\"]\nid = \"id\"\ncolumns = {{ renamed = \"traits.colour\" }}\n"
        );
        let loaded = read(dir.path(), &settings);
        let values = |row: usize| -> Vec<String> {
            let value = |at: u32| loaded.batch.attribute(AttributeId(at), row, Timestamp::MAX);
            (0..5).map(|at| value(at).map_or("-".to_owned(), |value| value.to_string())).collect()
        };
        assert_eq!(values(0), ["\"pro\"", "\"10115\"", "3", "\"gold\"", "\"red\""], "{name}");
        assert_eq!(values(1), ["-", "-", "-", "-", "-"], "{name}");
        assert_eq!(values(2), ["-", "-", "-", "-", "\"blue\""], "{name}");
        // What the schema lacks is passed over as other columns are, each key once.
        assert_eq!(told(&loaded), ["unknown-column unknown", "unknown-column context.tags.old"], "{name}");
    }
}

#[test]
fn properties_of_events_and_their_ids_may_be_in_maps() {
    let dir = tempfile::tempdir().expect("a directory");
    let properties = texts(&[
        Some(&[("shop", Some("web")), ("user", Some("ann")), ("name", Some("order"))]),
        Some(&[("user", Some("ben")), ("name", Some("order"))]),
    ]);
    let times: ArrayRef = Arc::new(StringArray::from(vec!["2026-01-01T00:00:00Z"; 2]));
    let batch = RecordBatch::try_from_iter([("time", times), ("properties", properties)]).expect("a batch");
    write(&dir.path().join("e.parquet"), &batch);
    let settings = "[data.events]\nfiles = [\"e.parquet\"]\nid = \"properties.user\"\nevent = \"properties.name\"\n\
                    time = \"time\"\n";
    let loaded = read(dir.path(), settings);
    assert_eq!((loaded.batch.id(0), loaded.batch.id(1)), ("ann", "ben"));
    let orders = loaded.batch.events(EventId(0)).expect("orders");
    let shops: Vec<Option<String>> =
        (0..2).map(|at| orders.property(PropertyId(0), at).map(|value| value.to_string())).collect();
    assert_eq!(shops, [Some("\"web\"".to_owned()), None]);
    assert_eq!(told(&loaded), [""; 0]);
}

/// Analytics calls keep what they say in maps where a warehouse wrote them.
#[test]
fn calls_may_have_maps() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = |texts: [&str; 2]| -> ArrayRef { Arc::new(StringArray::from(texts.to_vec())) };
    let batch = RecordBatch::try_from_iter([
        ("type", text(["identify", "track"])),
        ("userId", text(["ann", "ann"])),
        ("event", text(["", "order"])),
        ("timestamp", text(["2026-01-01T00:00:00Z"; 2])),
        ("traits", texts(&[Some(&[("renamed", Some("x")), ("other", Some("y"))]), None])),
        ("properties", texts(&[None, Some(&[("properties.shop", Some("web"))])])),
    ]);
    write(&dir.path().join("c.parquet"), &batch.expect("a batch"));
    let loaded = read(dir.path(), "[data.calls]\nfiles = [\"c.parquet\"]\n");
    let shown = |value: Option<seg_data::Value>| value.map(|value| value.to_string());
    assert_eq!(shown(loaded.batch.attribute(AttributeId(4), 0, Timestamp::MAX)), Some("\"x\"".to_owned()));
    let orders = loaded.batch.events(EventId(0)).expect("orders");
    assert_eq!(shown(orders.property(PropertyId(0), 0)), Some("\"web\"".to_owned()));
}

/// Each entry is looked at once, however many keys there are and whoever knows them.
#[test]
fn many_keys_take_time_in_proportion() {
    let dir = tempfile::tempdir().expect("a directory");
    let keys: Vec<String> = (0..20_000).map(|n| format!("k{n}")).collect();
    let one: Vec<(&str, Option<&str>)> = keys.iter().map(|key| (key.as_str(), Some("v"))).collect();
    let map = texts(&[Some(&one), Some(&one), Some(&one)]);
    assert!(map.as_any().is::<MapArray>());
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    write(&dir.path().join("p.parquet"), &RecordBatch::try_from_iter([("id", ids), ("m", map)]).expect("a batch"));
    let settings = "[data.profiles]\nfiles = [\"p.parquet\"]\nid = \"id\"\ncolumns = { renamed = \"m.k7\" }\n";
    let began = std::time::Instant::now();
    let loaded = read(dir.path(), settings);
    // A minute is far more than it takes and far less than each key would take for each.
    assert!(began.elapsed().as_secs() < 60);
    assert_eq!(loaded.batch.len(), 3);
    // Of keys that nobody knows the first are told of, and not all.
    assert_eq!(loaded.report.problems.len(), 1_000);
}
