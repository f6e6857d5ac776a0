//! The same rows in every format are the same batch.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests may panic")]

use arrow_array::Array;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int32Array, RecordBatch, StringViewArray, StructArray,
    TimestampMillisecondArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Fields};
use flate2::{Compression, write::GzEncoder};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use seg_data::schema::parse;
use seg_data::{AttributeId, Batch, EventId, PropertyId, Timestamp, Value, Wanted, WantedEvents};
use seg_io::manifest::{Data, EventFiles, ProfileFiles, RowsAre};
use seg_io::{LoadRequest, ReadError, load};
use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

const SCHEMA: &str = r#"
    [attributes]
    country = "text"
    tags = "list of text"
    [events.order]
    properties = { amount = "money", n = "integer", weight = "number", gift = "boolean", coupon = "text" }
"#;

/// Of a run that is not to be told from one on several threads.
const ONE: NonZero<usize> = NonZero::<usize>::MIN;

/// Nothing read here has a history.
const NOW: Timestamp = Timestamp(0);

const EVENTS_CSV: &str = "\
id,event,time,amount,n,weight,gift,coupon
7,order,2026-01-02T00:00:00Z,9.5,2,0.25,true,A
7,order,2026-01-01T00:00:00.123Z,0.1,,,,
8,order,2026-01-01T00:00:00Z,10,-1,1e3,no,
";

fn read(dir: &Path, profiles: Option<&str>, events: &str) -> Result<Batch, ReadError> {
    let (schema, problems) = parse(SCHEMA);
    assert_eq!(problems, []);
    let data = Data {
        profiles: profiles.map(|f| ProfileFiles::new(vec![f.into()], "id")).into_iter().collect(),
        events: vec![EventFiles::new(vec![events.into()], "id", "event", "time")],
        ..Data::default()
    };
    let loaded = load(LoadRequest::new(dir, &data, &Arc::new(schema)))?;
    assert_eq!(loaded.report.problems, []);
    Ok(loaded.batch)
}

/// Everything a batch says, as text.
fn format_batch(batch: &Batch) -> String {
    let mut out = String::new();
    for row in 0..batch.len() {
        let attributes: Vec<_> = (0..2).map(|a| batch.attribute(AttributeId(a), row, NOW)).collect();
        out.push_str(&format!("{} {attributes:?}\n", batch.id(row)));
        let events = batch.events(EventId(0)).expect("orders");
        for idx in events.range(row) {
            let properties: Vec<Option<Value>> = (0..5).map(|p| events.property(PropertyId(p), idx)).collect();
            out.push_str(&format!("  {} {properties:?}\n", events.time(idx)));
        }
    }
    out
}

#[test]
fn csv_gzip_ndjson_and_parquet_agree() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str| dir.path().join(name);
    std::fs::write(file("e.csv"), EVENTS_CSV).expect("written");
    // Two members, as appending to a packed file makes them.
    let (head, tail) = EVENTS_CSV.split_at(60);
    let mut packed = Vec::new();
    for part in [head, tail] {
        let mut encoder = GzEncoder::new(&mut packed, Compression::fast());
        encoder.write_all(part.as_bytes()).expect("packed");
        encoder.finish().expect("packed");
    }
    std::fs::write(file("e.csv.gz"), packed).expect("written");
    std::fs::write(
        file("e.ndjson"),
        concat!(
            r#"{"id":7,"event":"order","time":"2026-01-02T00:00:00Z","amount":9.5,"n":2,"weight":0.25,"gift":true,"coupon":"A"}"#,
            "\n\n",
            r#"{"id":7,"event":"order","time":"2026-01-01T00:00:00.123Z","amount":0.1}"#,
            "\n",
            r#"{"id":"8","event":"order","time":"2026-01-01T00:00:00Z","amount":"10","n":-1,"weight":1000,"gift":false}"#,
        ),
    )
    .expect("written");
    write_parquet(&file("e.parquet"));
    let expected = format_batch(&read(dir.path(), None, "e.csv").expect("read"));
    insta::assert_snapshot!(expected, @r#"
    7 [None, None]
      2026-01-01T00:00:00.123000Z [Some(Money(1000)), None, None, None, None]
      2026-01-02T00:00:00Z [Some(Money(95000)), Some(Integer(2)), Some(Number(0.25)), Some(Boolean(true)), Some(Text("A"))]
    8 [None, None]
      2026-01-01T00:00:00Z [Some(Money(100000)), Some(Integer(-1)), Some(Number(1000.0)), Some(Boolean(false)), None]
    "#);
    for name in ["e.csv.gz", "e.ndjson", "e.parquet", "e.*gz"] {
        assert_eq!(format_batch(&read(dir.path(), None, name).expect(name)), expected, "{name}");
    }
}

fn write_parquet(path: &Path) {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int32Array::from(vec![7, 7, 8]))),
        ("event", Arc::new(StringViewArray::from(vec!["order"; 3]))),
        (
            "time",
            Arc::new(TimestampMillisecondArray::from(vec![1_767_312_000_000, 1_767_225_600_123, 1_767_225_600_000])),
        ),
        (
            "amount",
            Arc::new(Decimal128Array::from(vec![950, 10, 1000]).with_precision_and_scale(10, 2).expect("a decimal")),
        ),
        ("n", Arc::new(Int32Array::from(vec![Some(2), None, Some(-1)]))),
        ("weight", Arc::new(Float64Array::from(vec![Some(0.25), Some(f64::NAN), Some(1000.0)]))),
        ("gift", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("coupon", Arc::new(StringViewArray::from(vec![Some("A"), None, None]))),
    ];
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).expect("a batch");
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).expect("a file"), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
}

/// Nested data is reached with dots, and lists come as lists.
#[test]
fn nested_objects_and_lists_are_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let (schema, problems) = parse("[attributes]\n\"address.country\" = \"text\"\ntags = \"list of text\"\n");
    assert_eq!(problems, []);
    let schema = Arc::new(schema);
    let line = r#"{"id": 1, "address": {"country": "DE"}, "tags": ["a", null, "b"]}"#;
    std::fs::write(dir.path().join("p.ndjson"), format!("{line}\n{{\"id\": 2, \"address\": null}}\n"))
        .expect("written");
    let country: ArrayRef = Arc::new(StringViewArray::from(vec![Some("DE"), Some("hidden")]));
    let fields: Fields = vec![Field::new("country", DataType::Utf8View, true)].into();
    let address =
        StructArray::try_new(fields, vec![country], Some(NullBuffer::from(vec![true, false]))).expect("a struct");
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("a"), None, Some("b")]);
    tags.append_null();
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("id", Arc::new(Int32Array::from(vec![1, 2])), false),
        ("address", Arc::new(address), true),
        ("tags", Arc::new(tags.finish()), true),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("a batch");
    let file = std::fs::File::create(dir.path().join("p.parquet")).expect("a file");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    for name in ["p.ndjson", "p.parquet"] {
        let profiles = Some(ProfileFiles::new(vec![name.into()], "id"));
        let data = Data { profiles: profiles.into_iter().collect(), ..Data::default() };
        let loaded = load(LoadRequest::new(dir.path(), &data, &schema)).expect("read");
        assert_eq!(
            loaded.report.problems.iter().map(|p| &p.column).collect::<Vec<_>>(),
            Vec::<&String>::new(),
            "{name}"
        );
        let text = |t: &str| Value::Text(t.into());
        assert_eq!(loaded.batch.attribute(AttributeId(0), 0, NOW), Some(text("DE")), "{name}");
        assert_eq!(loaded.batch.attribute(AttributeId(0), 1, NOW), None, "{name}");
        assert_eq!(
            loaded.batch.attribute(AttributeId(1), 0, NOW),
            Some(Value::List(vec![text("a"), text("b")])),
            "{name}"
        );
    }
}

/// The lines of an order are a list of records, in JSON or as JSON in a field.
#[test]
fn lists_of_records_are_read() {
    let schema = r#"
        [events.order.properties]
        lines = { type = "list of records", fields = { sku = "text", quantity = "integer", price = "money" } }
    "#;
    let (schema, problems) = parse(schema);
    assert_eq!(problems, []);
    let schema = Arc::new(schema);
    let dir = tempfile::tempdir().expect("a directory");
    let lines = r#"[{"sku": "a", "quantity": 2, "price": 1.5, "more": 1}, {"sku": "b"}]"#;
    let row = |lines: &str| format!("{{\"id\":1,\"event\":\"order\",\"time\":\"2026-01-01\",\"lines\":{lines}}}\n");
    std::fs::write(
        dir.path().join("e.ndjson"),
        row(lines) + &row("[]") + &row("null") + &row("[{\"quantity\": \"many\"}]"),
    )
    .expect("written");
    let csv = format!(
        "id,event,time,lines\n1,order,2026-01-01,\"{}\"\n1,order,2026-01-01,[]\n1,order,2026-01-01,\n1,order,2026-01-01,x\n",
        lines.replace('"', "\"\"")
    );
    std::fs::write(dir.path().join("e.csv"), csv).expect("written");
    let mut printed = Vec::new();
    for name in ["e.ndjson", "e.csv"] {
        let events = EventFiles::new(vec![name.into()], "id", "event", "time");
        let data = Data { events: vec![events], ..Data::default() };
        let loaded = load(LoadRequest::new(dir.path(), &data, &schema)).expect("read");
        let problems: Vec<_> = loaded.report.problems.iter().map(|p| (p.kind.slug(), p.count)).collect();
        assert_eq!(problems, [("unparsable-value", 1)], "{name}");
        let column = loaded.batch.events(EventId(0)).and_then(|e| e.property_column(PropertyId(0))).expect("lines");
        let lists = column.array().as_list::<i32>();
        assert_eq!((0..4).map(|at| lists.is_null(at)).collect::<Vec<_>>(), [false, false, true, true], "{name}");
        printed.push(format!("{:?} {:?}", lists.value(0), lists.value(1).len()));
    }
    assert_eq!(printed[0], printed[1]);
    assert!(printed[0].contains("15000"), "{}", printed[0]);
}

#[test]
fn profiles_come_with_their_attributes_and_people_without_events_stay() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("e.csv"), EVENTS_CSV).expect("written");
    std::fs::write(dir.path().join("p.csv"), "\u{feff}id,country,tags\n9,DE,a;b\n7,\"F,R\",\"[\"\"x\"\"]\"\n8,,\n")
        .expect("written");
    let batch = read(dir.path(), Some("p.csv"), "e.csv").expect("read");
    let ids: Vec<&str> = (0..batch.len()).map(|row| batch.id(row)).collect();
    assert_eq!(ids, ["9", "7", "8"]);
    let text = |t: &str| Value::Text(t.into());
    assert_eq!(batch.attribute(AttributeId(0), 1, NOW), Some(text("F,R")));
    assert_eq!(batch.attribute(AttributeId(1), 0, NOW), Some(Value::List(vec![text("a"), text("b")])));
    assert_eq!(batch.attribute(AttributeId(1), 1, NOW), Some(Value::List(vec![text("x")])));
    assert_eq!(batch.attribute(AttributeId(0), 2, NOW), None);
    assert!(batch.events(EventId(0)).expect("orders").range(0).is_empty());
}

/// What nobody wants is left behind, in every format the same; in Parquet it is
/// not even decompressed, so that damage there goes unseen.
#[test]
fn what_is_not_wanted_is_left_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("e.csv"), EVENTS_CSV).expect("written");
    write_parquet(&dir.path().join("e.parquet"));
    let (schema, problems) = parse(SCHEMA);
    assert_eq!(problems, []);
    let schema = Arc::new(schema);
    let since = Timestamp::parse("2026-01-01T00:00:00.1Z", None);
    let properties = [PropertyId(0)].into();
    let wanted = Wanted {
        events: [(EventId(0), WantedEvents { properties, since, is_existence: false })].into(),
        ..Wanted::default()
    };
    let load = |name: &str, wanted: &Wanted| {
        let events = EventFiles::new(vec![name.into()], "id", "event", "time");
        let data = Data { events: vec![events], ..Data::default() };
        load(LoadRequest { wanted: Some(wanted), ..LoadRequest::new(dir.path(), &data, &schema) })
    };
    // The last column's chunk, a run of bytes before the footer, is overwritten.
    let mut bytes = std::fs::read(dir.path().join("e.parquet")).expect("read");
    let reader = parquet::file::reader::SerializedFileReader::new(
        std::fs::File::open(dir.path().join("e.parquet")).expect("a file"),
    );
    let metadata = reader.expect("a Parquet file");
    let metadata = parquet::file::reader::FileReader::metadata(&metadata);
    let (start, len) = metadata.row_group(0).columns().last().expect("columns").byte_range();
    bytes[start as usize..(start + len) as usize].fill(0xff);
    std::fs::write(dir.path().join("damaged.parquet"), bytes).expect("written");
    assert!(load("damaged.parquet", &Wanted::everything(&schema)).is_err(), "the damage is seen when it is read");

    for name in ["e.csv", "e.parquet", "damaged.parquet"] {
        let loaded = load(name, &wanted).expect(name);
        let report = &loaded.report;
        assert_eq!((report.profiles, report.events, report.problems.len()), (2, 3, 0), "{name}");
        let batch = &loaded.batch;
        assert!(batch.attribute_column(AttributeId(0)).is_none(), "{name}");
        let orders = batch.events(EventId(0)).expect("orders");
        assert_eq!((orders.range(0), orders.range(1)), (0..2, 2..2), "{name}: the third lies before");
        let properties: Vec<bool> = (0..5).map(|p| orders.property_column(PropertyId(p)).is_some()).collect();
        assert_eq!(properties, [true, false, false, false, false], "{name}");
        assert_eq!(orders.property(PropertyId(0), 1), Some(Value::Money(95_000)), "{name}");
    }
}

/// What an empty field of a dated row says depends on what the rows are.
#[test]
fn dated_rows_are_changes_or_snapshots() {
    let (schema, problems) = parse("[attributes]\nplan = { type = \"text\", history = true }\n");
    assert_eq!(problems, []);
    let schema = Arc::new(schema);
    let dir = tempfile::tempdir().expect("a directory");
    let rows = "id,since,plan\n7,1970-01-01T00:00:10Z,pro\n7,1970-01-01T00:00:20Z,\n7,never,free\n";
    std::fs::write(dir.path().join("people.csv"), rows).expect("written");
    let plan_at = |rows: RowsAre, seconds: i64| {
        let files =
            ProfileFiles { time: Some("since".into()), rows, ..ProfileFiles::new(vec!["people.csv".into()], "id") };
        let data = Data { profiles: vec![files], ..Data::default() };
        let loaded = load(LoadRequest::new(dir.path(), &data, &schema)).expect("read");
        assert_eq!(loaded.report.problems.len(), 1, "a time that is none is passed over");
        loaded.batch.attribute(AttributeId(0), 0, Timestamp(seconds * 1_000_000))
    };
    let pro = Some(Value::Text("pro".into()));
    for rows in [RowsAre::Changes, RowsAre::Snapshots] {
        assert_eq!([plan_at(rows, 9), plan_at(rows, 10)], [None, pro.clone()]);
    }
    assert_eq!(plan_at(RowsAre::Changes, 20), pro);
    assert_eq!(plan_at(RowsAre::Snapshots, 20), None);
}

/// Columns of Parquet are taken as they are where nothing is wrong with them, else
/// row by row: both as the same rows of CSV are.
#[test]
fn columns_and_rows_give_the_same() {
    let schema_text = "[events.a]\nproperties = { amount = \"money\", n = \"integer\", word = \"text\" }\n\
                       [events.b]\nproperties = { word = \"text\", weight = \"number\", gift = \"boolean\" }\n";
    let (schema, problems) = parse(schema_text);
    assert_eq!(problems, []);
    let schema = Arc::new(schema);
    let dir = tempfile::tempdir().expect("a directory");
    // More rows than are unpacked together, in several groups, out of order, many
    // at one instant; more people than are sorted in one part.
    let n = 70_000_i64;
    let id = |at: i64| at * 7_919 % 3_000;
    let name = |at: i64| if at % 3 == 0 { "b" } else { "a" };
    let time = |at: i64| at * 104_729 % 5_000;
    let amount = |at: i64| (at % 5 != 0).then(|| (at % 977) as f64 / 4.0);
    let count = |at: i64| (at % 7 != 0).then_some(at % 50);
    let word = |at: i64| (at % 4 != 0).then(|| ["x", "y", "zebra"][(at % 3) as usize]);
    let gift = |at: i64| (at % 6 != 0).then_some(at % 2 == 0);
    let none = String::new;
    for broken in [None, Some(40_000)] {
        let mut csv = String::from("id,event,time,amount,n,word,weight,gift\n");
        let name = |at: i64| if broken == Some(at) { "unheard of" } else { name(at) };
        for at in 0..n {
            let (amount, count) =
                (amount(at).map_or_else(none, |a| a.to_string()), count(at).map_or_else(none, |n| n.to_string()));
            let (word, gift) = (word(at).unwrap_or_default(), gift(at).map_or_else(none, |g| g.to_string()));
            let time = Timestamp(time(at) * 1_000_000);
            csv.push_str(&format!("{},{},{time},{amount},{count},{word},{amount},{gift}\n", id(at), name(at)));
        }
        std::fs::write(dir.path().join("e.csv"), csv).expect("written");
        let all = || 0..n;
        let times = all().map(|at| time(at) * 1_000_000);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(all().map(id).map(Some).collect::<arrow_array::Int64Array>())),
            ("event", Arc::new(all().map(name).map(Some).collect::<arrow_array::StringArray>())),
            ("time", Arc::new(arrow_array::TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))),
            ("amount", Arc::new(all().map(amount).collect::<Float64Array>())),
            ("n", Arc::new(all().map(|at| count(at).map(|n| n as i32)).collect::<Int32Array>())),
            ("word", Arc::new(all().map(word).collect::<arrow_array::StringArray>())),
            ("weight", Arc::new(all().map(amount).collect::<Float64Array>())),
            ("gift", Arc::new(all().map(gift).collect::<BooleanArray>())),
        ];
        let records =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).expect("a batch");
        let file = std::fs::File::create(dir.path().join("e.parquet")).expect("a file");
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(36_000)).build();
        let mut writer = ArrowWriter::try_new(file, records.schema(), Some(properties)).expect("a writer");
        writer.write(&records).expect("written");
        writer.close().expect("closed");
        let load = |name: &str, threads| {
            let events = EventFiles::new(vec![name.into()], "id", "event", "time");
            let data = Data { events: vec![events], ..Data::default() };
            load(LoadRequest { threads, ..LoadRequest::new(dir.path(), &data, &schema) }).expect(name)
        };
        let (rows, columns) = (load("e.csv", ONE), load("e.parquet", NonZero::new(2).expect("two")));
        let problems = |loaded: &seg_io::Loaded| -> Vec<_> {
            loaded.report.problems.iter().map(|p| (p.kind.slug(), p.count)).collect()
        };
        assert_eq!(problems(&rows), problems(&columns));
        assert_eq!(problems(&rows).len(), usize::from(broken.is_some()));
        assert_eq!(
            (rows.report.rows, rows.report.events, rows.last_event),
            (columns.report.rows, columns.report.events, columns.last_event)
        );
        assert!((0..rows.batch.len()).all(|row| rows.batch.id(row) == columns.batch.id(row)));
        for event in [EventId(0), EventId(1)] {
            let of_event = |batch: &Batch| {
                let events = batch.events(event).expect("events");
                let of = |idx: usize| -> Vec<Option<Value>> {
                    (0..3).map(|p| events.property(PropertyId(p), idx)).collect()
                };
                let of_person =
                    |row: usize| -> Vec<_> { events.range(row).map(|idx| (events.times()[idx], of(idx))).collect() };
                (0..batch.len()).map(of_person).collect::<Vec<_>>()
            };
            assert!(of_event(&rows.batch) == of_event(&columns.batch), "{event:?}");
        }
    }
}

/// The same for people, who may come twice.
#[test]
fn people_as_columns_and_as_rows_are_the_same() {
    let attributes = "[attributes]\nplan = \"text\"\nage = \"integer\"\nspent = { type = \"money\", required = true }\n\
                      born = \"date\"\nvip = \"boolean\"\n";
    let (schema, problems) = parse(attributes);
    assert_eq!(problems, []);
    let schema = Arc::new(schema);
    let dir = tempfile::tempdir().expect("a directory");
    let n = 40_000_i64;
    let plan = |at: i64| (at % 4 != 0).then(|| ["free", "pro", "team"][(at % 3) as usize]);
    let age = |at: i64| (at % 7 != 0).then_some(at % 90);
    let born = |at: i64| (at % 5 != 0).then_some((at % 20_000) as i32);
    let vip = |at: i64| (at % 6 != 0).then_some(at % 2 == 0);
    for is_repeated in [false, true] {
        let id = |at: i64| if is_repeated && at == 35_000 { 34_000 } else { at };
        let mut csv = String::from("id,plan,age,spent,born,vip\n");
        for at in 0..n {
            let born = born(at).map_or_else(String::new, |day| seg_data::Date(day).to_string());
            let (age, vip) = (age(at).map(|a| a.to_string()), vip(at).map(|v| v.to_string()));
            let (plan, age, vip) = (plan(at).unwrap_or_default(), age.unwrap_or_default(), vip.unwrap_or_default());
            csv.push_str(&format!("{},{plan},{age},{},{born},{vip}\n", id(at), at as f64 / 4.0));
        }
        std::fs::write(dir.path().join("p.csv"), csv).expect("written");
        let all = || 0..n;
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(all().map(id).map(Some).collect::<arrow_array::Int64Array>())),
            ("plan", Arc::new(all().map(plan).collect::<arrow_array::StringArray>())),
            ("age", Arc::new(all().map(age).collect::<arrow_array::Int64Array>())),
            ("spent", Arc::new(all().map(|at| Some(at as f64 / 4.0)).collect::<Float64Array>())),
            ("born", Arc::new(all().map(born).collect::<arrow_array::Date32Array>())),
            ("vip", Arc::new(all().map(vip).collect::<BooleanArray>())),
        ];
        let records =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).expect("a batch");
        let file = std::fs::File::create(dir.path().join("p.parquet")).expect("a file");
        let mut writer = ArrowWriter::try_new(file, records.schema(), None).expect("a writer");
        writer.write(&records).expect("written");
        writer.close().expect("closed");
        let load = |name: &str| {
            let rows = RowsAre::default();
            let profiles = ProfileFiles { rows, ..ProfileFiles::new(vec![name.into()], "id") };
            let data = Data { profiles: vec![profiles], ..Data::default() };
            load(LoadRequest::new(dir.path(), &data, &schema)).expect(name)
        };
        let (rows, columns) = (load("p.csv"), load("p.parquet"));
        let problems = |loaded: &seg_io::Loaded| -> Vec<_> {
            let problem = |p: &seg_io::Problem| (p.kind.slug(), p.count, p.examples.first().map(|place| place.line));
            loaded.report.problems.iter().map(problem).collect()
        };
        assert_eq!(problems(&columns).len(), usize::from(is_repeated));
        // A line of CSV more, which names the columns.
        let lines = |(slug, count, line): (_, _, Option<u64>)| (slug, count, line.map(|line| line + 1));
        assert_eq!(problems(&rows), problems(&columns).into_iter().map(lines).collect::<Vec<_>>());
        assert_eq!(rows.batch.len(), columns.batch.len());
        for row in 0..rows.batch.len() {
            assert_eq!(rows.batch.id(row), columns.batch.id(row));
            for at in 0..5 {
                let value = |loaded: &seg_io::Loaded| loaded.batch.attribute(AttributeId(at), row, NOW);
                assert_eq!(value(&rows), value(&columns), "{row} {at}");
            }
        }
    }
}
