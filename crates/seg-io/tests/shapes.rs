//! The same values, however files hold them; and files that are damaged.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests may panic")]

use arrow_array::builder::{FixedSizeListBuilder, Int32Builder, LargeListBuilder, ListBuilder};
use arrow_array::{
    Array, ArrayRef, Int64Array, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, Fields, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use seg_data::schema::parse;
use seg_data::{AttributeId, EventId, Timestamp, Value, Zone};
use seg_io::manifest::{Data, EventFiles, ProfileFiles};
use seg_io::{LoadRequest, Loaded, ReadError, load};
use std::path::Path;
use std::sync::Arc;

const SCHEMA: &str = r#"
    [attributes]
    seen = "timestamp"
    visits = "list of timestamp"
    scores = "list of integer"
    "place.opened" = "timestamp"
    [events.order]
    properties = { shipped = "timestamp" }
"#;

fn data(profiles: &str, events: &str) -> Data {
    let name = |name: &str| name.to_owned();
    Data {
        profiles: vec![ProfileFiles::new(vec![name(profiles)], "id")],
        events: vec![EventFiles::new(vec![name(events)], "id", "event", "time")],
        ..Data::default()
    }
}

fn read(dir: &Path, profiles: &str, events: &str) -> Result<Loaded, ReadError> {
    let (schema, problems) = parse(SCHEMA);
    assert_eq!(problems, []);
    let (data, schema) = (data(profiles, events), Arc::new(schema));
    load(LoadRequest { zone: Zone::parse("America/New_York"), ..LoadRequest::new(dir, &data, &schema) })
}

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let records = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)));
    let records = records.expect("columns of one length");
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let file = std::fs::File::create(path).expect("a file");
    let mut writer = ArrowWriter::try_new(file, records.schema(), Some(properties)).expect("a writer");
    writer.write(&records).expect("written");
    writer.close().expect("written");
}

fn texts(texts: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

/// Microseconds that clocks show, whatever their zone.
fn shown(text: &str) -> i64 {
    Timestamp::parse(text, None).expect("an instant").0
}

/// By the clocks of New York two in the morning of 10 March 2024 is skipped, and one in
/// the morning of 3 November comes twice.
const TIMES: [&str; 4] = ["2024-01-06 01:30:00", "2024-03-10 02:30:00", "2024-11-03 01:30:00", "1999-12-31 23:59:59"];

/// Local times are those of the project's zone, of every unit, in lists and in structs,
/// one by one and as columns; those with a zone are instants.
#[test]
fn times_without_a_zone_are_those_of_the_project() {
    let dir = tempfile::tempdir().expect("a directory");
    let ids = ["1", "2", "3", "4"];
    let row = |(id, time): (&&str, &&str)| format!("{id},{time},{time}\n");
    let rows: String = ids.iter().zip(&TIMES).map(row).collect();
    std::fs::write(dir.path().join("p.csv"), format!("id,seen,place.opened\n{rows}")).expect("written");
    let row = |(id, time): (&&str, &&str)| format!("{id},order,{time},{time}\n");
    let rows: String = ids.iter().zip(&TIMES).map(row).collect();
    std::fs::write(dir.path().join("e.csv"), format!("id,event,time,shipped\n{rows}")).expect("written");
    let by_text = read(dir.path(), "p.csv", "e.csv").expect("files");
    assert_eq!(by_text.report.problems, []);

    let micros: Vec<i64> = TIMES.iter().map(|time| shown(time)).collect();
    let units: [ArrayRef; 4] = [
        Arc::new(micros.iter().map(|m| Some(m / 1_000_000)).collect::<TimestampSecondArray>()),
        Arc::new(micros.iter().map(|m| Some(m / 1_000)).collect::<TimestampMillisecondArray>()),
        Arc::new(micros.iter().map(|m| Some(*m)).collect::<TimestampMicrosecondArray>()),
        Arc::new(micros.iter().map(|m| Some(m * 1_000)).collect::<TimestampNanosecondArray>()),
    ];
    for times in units {
        let field = Field::new("opened", times.data_type().clone(), true);
        let place = StructArray::new(Fields::from(vec![field]), vec![Arc::clone(&times)], None);
        write(
            &dir.path().join("p.parquet"),
            vec![("id", texts(&ids)), ("seen", Arc::clone(&times)), ("place", Arc::new(place))],
        );
        write(
            &dir.path().join("e.parquet"),
            vec![
                ("id", texts(&ids)),
                ("event", texts(&["order"; 4])),
                ("time", Arc::clone(&times)),
                ("shipped", Arc::clone(&times)),
            ],
        );
        let unit = times.data_type().clone();
        let by_column = read(dir.path(), "p.parquet", "e.parquet").expect("files");
        assert_eq!(by_column.report.problems, [], "{unit}");
        assert_eq!(by_column.batch.records(), by_text.batch.records(), "{unit}");
    }

    let zoned = micros.iter().map(|m| Some(*m)).collect::<TimestampMicrosecondArray>().with_timezone("UTC");
    write(&dir.path().join("p.parquet"), vec![("id", texts(&ids)), ("seen", Arc::new(zoned))]);
    let zoned = read(dir.path(), "p.parquet", "e.csv").expect("files").batch;
    assert_eq!(zoned.attribute(AttributeId(0), 0, Timestamp(0)), Some(Value::Timestamp(Timestamp(micros[0]))));
}

#[test]
fn lists_of_every_layout_are_lists() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("e.csv"), "id,event,time\n").expect("written");
    let scores = Int32Builder::new;
    let mut plain = ListBuilder::new(scores());
    let mut large = LargeListBuilder::new(scores());
    let mut fixed = FixedSizeListBuilder::new(scores(), 2);
    plain.append_value([Some(1), None]);
    large.append_value([Some(1), None]);
    fixed.values().append_option(Some(1));
    fixed.values().append_null();
    fixed.append(true);
    plain.append_null();
    large.append_null();
    fixed.values().append_nulls(2);
    fixed.append(false);
    let layouts: [ArrayRef; 3] = [Arc::new(plain.finish()), Arc::new(large.finish()), Arc::new(fixed.finish())];
    let times = TimestampMicrosecondArray::new_null(2);
    for layout in layouts {
        let ty = layout.data_type().clone();
        let columns =
            vec![("id", texts(&["a", "b"])), ("scores", layout), ("seen", Arc::new(times.clone()) as ArrayRef)];
        write(&dir.path().join("p.parquet"), columns);
        let loaded = read(dir.path(), "p.parquet", "e.csv").expect("files");
        assert_eq!(loaded.report.problems, [], "{ty}");
        let value = |row| loaded.batch.attribute(AttributeId(2), row, Timestamp(0));
        assert_eq!(value(0), Some(Value::List(vec![Value::Integer(1)])), "{ty}");
        assert_eq!(value(1), None, "{ty}");
    }
    // Times in lists are local times as well.
    let mut visits = LargeListBuilder::new(arrow_array::builder::TimestampMicrosecondBuilder::new());
    visits.append_value([Some(shown("2024-01-06 01:30:00"))]);
    let visits = visits.finish();
    assert!(matches!(visits.value_type(), DataType::Timestamp(TimeUnit::Microsecond, None)));
    write(&dir.path().join("p.parquet"), vec![("id", texts(&["a"])), ("visits", Arc::new(visits))]);
    let loaded = read(dir.path(), "p.parquet", "e.csv").expect("files");
    let expected = Value::Timestamp(Timestamp::parse("2024-01-06T06:30:00Z", None).expect("an instant"));
    assert_eq!(loaded.batch.attribute(AttributeId(1), 0, Timestamp(0)), Some(Value::List(vec![expected])));
}

/// `7`, `7.0` and the number 7 are one person, in people, events and merges, while `07` and
/// `7.5` are others.
#[test]
fn whole_numbers_are_one_id() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("p.csv"), "id,seen\n7,2024-01-01\n07,\n7.5,\n-3,\n").expect("written");
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7, -3]));
    let floats: ArrayRef = Arc::new(arrow_array::Float64Array::from(vec![7.0, -3.0]));
    for ids in [numbers, floats, texts(&["7.0", "-3.00"]), texts(&["7", "-3"])] {
        let ty = ids.data_type().clone();
        let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0, 1]).with_timezone("UTC"));
        write(&dir.path().join("e.parquet"), vec![("id", ids), ("event", texts(&["order"; 2])), ("time", time)]);
        let loaded = read(dir.path(), "p.csv", "e.parquet").expect("files");
        assert_eq!(loaded.report.problems, [], "{ty}");
        let batch = loaded.batch;
        let n_orders = |row| batch.events(EventId(0)).expect("events").range(row).len();
        let found: Vec<(&str, usize)> = (0..batch.len()).map(|row| (batch.id(row), n_orders(row))).collect();
        assert_eq!(found, [("7", 1), ("07", 0), ("7.5", 0), ("-3", 1)], "{ty}");
    }
    std::fs::write(dir.path().join("p.csv"), "id,seen\n7.0,2024-01-01\n").expect("written");
    assert_eq!(read(dir.path(), "p.csv", "e.parquet").expect("files").batch.id(0), "7");
}

/// Whatever byte of a Parquet file is wrong, it is read or it is an error, and nothing
/// panics: 2,000 files with one wrong byte each.
#[test]
fn one_wrong_byte_is_an_error_or_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("p.csv"), "id,seen\n").expect("written");
    let path = dir.path().join("e.parquet");
    let times: Vec<i64> = (0..40).collect();
    let names: Vec<String> = (0..40).map(|n| format!("person {}", n % 7)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"));
    write(&path, vec![("id", texts(&names)), ("event", texts(&["order"; 40])), ("time", time)]);
    let n_refused = flipped(dir.path(), "e.parquet", 2_000);
    assert!(n_refused > 500, "only {n_refused} are refused");
}

/// The same of Arrow: files and streams, packed and not.
#[test]
fn one_wrong_byte_of_arrow_is_an_error_or_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("p.csv"), "id,seen\n").expect("written");
    let names: Vec<String> = (0..40).map(|n| format!("person {}", n % 7)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(0..40).with_timezone("UTC"));
    let columns = [("id", texts(&names)), ("event", texts(&["order"; 40])), ("time", time)];
    let records = RecordBatch::try_from_iter(columns).expect("columns of one length");
    for (name, packed) in [
        ("plain.arrow", None),
        ("lz4.arrow", Some(CompressionType::LZ4_FRAME)),
        ("zstd.arrow", Some(CompressionType::ZSTD)),
        ("plain.arrows", None),
        ("lz4.arrows", Some(CompressionType::LZ4_FRAME)),
    ] {
        let options = IpcWriteOptions::default().try_with_compression(packed).expect("a codec");
        let file = std::fs::File::create(dir.path().join(name)).expect("a file");
        if name.ends_with('s') {
            let writer = StreamWriter::try_new_with_options(file, &records.schema(), options);
            let mut writer = writer.expect("a writer");
            writer.write(&records).and_then(|()| writer.finish()).expect("written");
        } else {
            let writer = FileWriter::try_new_with_options(file, &records.schema(), options);
            let mut writer = writer.expect("a writer");
            writer.write(&records).and_then(|()| writer.finish()).expect("written");
        }
        let n_refused = flipped(dir.path(), name, 500);
        assert!(n_refused > 100, "{name}: only {n_refused} are refused");
    }
}

/// Of so many copies of a file of events with one wrong byte each, how many are refused.
fn flipped(dir: &Path, name: &str, n_copies: usize) -> usize {
    let path = dir.join(name);
    assert!(read(dir, "p.csv", name).is_ok(), "{name} is whole");
    let whole = std::fs::read(&path).expect("bytes");
    let show = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !seg_io::is_guarded() {
            show(info)
        }
    }));
    let (mut n_refused, mut seed) = (0, 0x9e37_79b9_7f4a_7c15_u64);
    for n in 0..n_copies {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut bytes = whole.clone();
        let (at, with) = (n * whole.len().div_ceil(n_copies) % whole.len(), (seed >> 33) as u8 | 1);
        bytes[at] ^= with;
        std::fs::write(&path, &bytes).expect("written");
        match read(dir, "p.csv", name) {
            Ok(_) => {}
            Err(error) => {
                n_refused += 1;
                assert!(!error.to_string().contains("panicked"), "{error}");
            }
        }
    }
    n_refused
}
