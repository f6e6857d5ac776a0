//! What decides nothing is left in Parquet files: whoever reads at one instant gets what
//! they would get of everything, in files of any order.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

mod chance;

use arrow_array::{
    ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, TimestampMillisecondArray, UInt32Array,
};
use chance::Chance;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use seg_data::schema::parse;
use seg_data::{AttributeId, EventId, PropertyId, Schema, Timestamp, Wanted, WantedEvents, Zone};
use seg_io::manifest::{Data, EventFiles, ProfileFiles, RowsAre};
use seg_io::{LoadRequest, Loaded, load};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

const NAMES: [&str; 4] = ["opened", "bought", "returned", "left"];

fn schema() -> Arc<Schema> {
    let events = NAMES.map(|name| format!("[events.{name}]\nproperties = {{ sku = \"text\", n = \"integer\" }}\n"));
    let (schema, problems) = parse(&format!("[attributes]\ncountry = \"text\"\n{}", events.concat()));
    assert_eq!(problems, []);
    Arc::new(schema)
}

/// When the year 1 begins, in seconds of UTC.
const FIRST_DAY: i64 = -62_135_596_800;

/// Whether what happens once in so many times does.
fn is(chance: &mut Chance, one_in: usize) -> bool {
    chance.below(one_in) == 0
}

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>, group_rows: usize, statistics: bool) {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    let records = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let enabled = if statistics { EnabledStatistics::Page } else { EnabledStatistics::None };
    let properties =
        WriterProperties::builder().set_max_row_group_row_count(Some(group_rows)).set_statistics_enabled(enabled);
    let file = std::fs::File::create(path).expect("a file");
    let mut writer = ArrowWriter::try_new(file, records.schema(), Some(properties.build())).expect("a writer");
    writer.write(&records).expect("written");
    writer.close().expect("written");
}

/// Ids as one of the types that files have them in.
fn ids(numbers: &[i64], kind: usize, chance: &mut Chance) -> ArrayRef {
    let texts = |n: &i64| format!("p{n}");
    match kind {
        0 => Arc::new(Int64Array::from(numbers.to_vec())),
        1 => Arc::new(UInt32Array::from_iter_values(numbers.iter().map(|n| *n as u32))),
        2 => Arc::new(StringArray::from_iter_values(numbers.iter().map(texts))),
        _ => Arc::new(numbers.iter().map(|n| (!is(chance, 200)).then_some(*n)).collect::<Int64Array>()),
    }
}

/// Files of random people and events. Says which instant lies in the middle of them.
fn files(dir: &Path, chance: &mut Chance) -> (usize, i64) {
    let n_people = [5, 40, 300][chance.below(3)];
    let n_events = [20, 400, 3_000][chance.below(3)];
    let kind = chance.below(4);
    let listed: Vec<i64> = (0..n_people as i64).filter(|_| !is(chance, 30)).collect();
    let countries = StringArray::from_iter_values(listed.iter().map(|n| if n % 3 == 0 { "DE" } else { "FR" }));
    let dated: Int64Array = listed.iter().map(|n| (n % 7 == 0).then_some(1_000 * n)).collect();
    let dated = dated.iter().map(|n| n.map(|n| n * 1_000_000)).collect::<TimestampMicrosecondArray>();
    let listed_ids = ids(&listed, if kind == 3 { 0 } else { kind }, chance);
    let columns: Vec<(&str, ArrayRef)> =
        vec![("id", listed_ids), ("country", Arc::new(countries)), ("since", Arc::new(dated.with_timezone("UTC")))];
    write(&dir.join("people.parquet"), columns, 1_000, true);
    // Some files are in the order of time, others are not; some people are not listed.
    let is_ordered = is(chance, 2);
    let all = n_people + if is(chance, 2) { 0 } else { 3 };
    let n_files = 1 + chance.below(3);
    let (has_odd_names, is_local) = (is(chance, 4), is(chance, 3));
    for file in 0..n_files {
        let people: Vec<i64> = (0..n_events).map(|_| chance.below(all) as i64).collect();
        // The first day of all, which some databases write for none.
        let has_none = is(chance, 8);
        let mut seconds: Vec<i64> =
            (0..n_events).map(|_| 1_000 * (file * n_events + chance.below(n_events)) as i64).collect();
        if has_none {
            seconds.iter_mut().filter(|_| is(chance, 40)).for_each(|second| *second = FIRST_DAY);
        }
        if is_ordered {
            seconds.sort_unstable();
        }
        let stretch = n_events / 4 + 1;
        let name = |at: usize, chance: &mut Chance| match has_odd_names && is(chance, 500) {
            true => "odd",
            // Some stretches lack some names.
            false => NAMES[(chance.below(2) + at / stretch) % 4],
        };
        let names: Vec<&str> = (0..n_events).map(|at| name(at, chance)).collect();
        let micros = seconds.iter().map(|s| s * 1_000_000);
        let times: ArrayRef = match (is_local, is(chance, 3)) {
            (true, _) => Arc::new(TimestampMicrosecondArray::from_iter_values(micros)),
            (false, true) => {
                let millis = TimestampMillisecondArray::from_iter_values(seconds.iter().map(|s| s * 1_000));
                Arc::new(millis.with_timezone("UTC"))
            }
            (false, false) => Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC")),
        };
        let skus: StringArray = (0..n_events).map(|at| (!is(chance, 5)).then(|| format!("s{}", at % 9))).collect();
        let numbers: Int64Array = (0..n_events).map(|at| (!is(chance, 5)).then_some(at as i64)).collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", ids(&people, kind, chance)),
            ("event", Arc::new(StringArray::from(names))),
            ("time", times),
            ("sku", Arc::new(skus)),
            ("n", Arc::new(numbers)),
        ];
        let group_rows = [7, 50, 1_000][chance.below(3)];
        write(&dir.join(format!("events-{file}.parquet")), columns, group_rows, !is(chance, 6));
    }
    (n_files, 500 * 1_000_000 * (n_files * n_events) as i64)
}

/// All that somebody sees of a batch at an instant.
fn seen(loaded: &Loaded, wanted: &Wanted, now: Timestamp) -> String {
    let (batch, report) = (&loaded.batch, &loaded.report);
    let exists = batch.existing(now);
    let mut out = format!(
        "{} people, {} rows, {} events until {:?}\n{:?}\n",
        report.profiles, report.rows, report.events, loaded.last_event, report.problems
    );
    for row in 0..batch.len() {
        let exists = exists.as_ref().is_none_or(|mask| mask.get(row));
        out.push_str(&format!("{} {exists} {:?}\n", batch.id(row), batch.attribute(AttributeId(0), row, now)));
        for (id, of) in &wanted.events {
            let events = batch.events(*id).expect("it is wanted");
            if of.is_existence {
                let has_one = events.range(row).any(|idx| events.time(idx) <= now);
                out.push_str(&format!("  {id:?} {has_one}\n"));
                continue;
            }
            for idx in events.range(row) {
                let values: Vec<_> = of.properties.iter().map(|property| events.property(*property, idx)).collect();
                out.push_str(&format!("  {id:?} {} {values:?}\n", events.time(idx)));
            }
        }
    }
    out
}

#[test]
fn what_is_left_in_files_decides_nothing() {
    let schema = schema();
    let (mut n_smaller, mut n_later) = (0, 0);
    for seed in 0..300 {
        let mut chance = Chance(seed);
        let dir = tempfile::tempdir().expect("a directory");
        let (n_files, middle) = files(dir.path(), &mut chance);
        let is_dated = is(&mut chance, 3);
        let profiles = ProfileFiles::new(vec!["people.parquet".to_owned()], "id");
        let time = is_dated.then(|| "since".to_owned());
        let profiles = ProfileFiles { time, rows: RowsAre::Changes, ..profiles };
        let patterns = (0..n_files).map(|n| format!("events-{n}.parquet")).collect();
        let data = Data {
            profiles: if is(&mut chance, 6) { Vec::new() } else { vec![profiles] },
            events: vec![EventFiles::new(patterns, "id", "event", "time")],
            ..Data::default()
        };
        let now = Timestamp(middle / 4 * [3, 4, 6, 9, 20][chance.below(5)]);
        let mut wanted = Wanted { attributes: [AttributeId(0)].into(), ..Wanted::default() };
        for event in 0..4 {
            if is(&mut chance, 3) {
                let since = (!is(&mut chance, 4)).then(|| Timestamp(now.0 - middle / 8 * chance.below(9) as i64));
                let properties = (0..2).filter(|_| is(&mut chance, 2)).map(PropertyId).collect();
                // Who has an event is asked of all of the past, and of nothing else.
                let wants = match is(&mut chance, 3) {
                    true => WantedEvents { is_existence: true, ..WantedEvents::default() },
                    false => WantedEvents { properties, since, is_existence: false },
                };
                wanted.events.insert(EventId(event), wants);
            }
        }
        let threads = NonZero::new(1 + chance.below(3)).expect("a number of threads");
        let zone = [None, Zone::parse("Europe/Berlin"), Zone::parse("America/New_York")][chance.below(3)];
        let read = |now: Option<Timestamp>| {
            let request = LoadRequest::new(dir.path(), &data, &schema);
            load(LoadRequest { zone, wanted: Some(&wanted), now, threads, ..request }).expect("files")
        };
        let (whole, pruned) = (read(None), read(Some(now)));
        let (all, some) = (seen(&whole, &wanted, now), seen(&pruned, &wanted, now));
        assert!(all == some, "seed {seed}, at {now}:\n{}", difference(&all, &some));
        n_smaller += u32::from(pruned.report.bytes_read < whole.report.bytes_read);
        n_later += u32::from(whole.last_event.is_some_and(|last| last > now));
    }
    assert!(n_smaller > 80, "only {n_smaller} times something is left");
    assert!((60..240).contains(&n_later), "{n_later} times something is later");
}

/// The column that a source says its times are in decides, whatever another is called.
#[test]
fn times_are_of_the_column_that_the_source_names() {
    let (dir, schema) = (tempfile::tempdir().expect("a directory"), schema());
    let instants = |seconds: [i64; 4]| -> ArrayRef {
        let micros = seconds.map(|s| s * 1_000_000);
        Arc::new(TimestampMicrosecondArray::from(micros.to_vec()).with_timezone("UTC"))
    };
    let people: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 2, 3]));
    write(&dir.path().join("people.parquet"), vec![("id", Arc::clone(&people))], 10, true);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", people),
        ("event", Arc::new(StringArray::from(vec!["opened"; 4]))),
        ("time", instants([1, 1, 1, 1])),
        ("ts", instants([1, 2, 30, 40])),
    ];
    write(&dir.path().join("events.parquet"), columns, 10, true);
    let mut events = EventFiles::new(vec!["events.parquet".to_owned()], "id", "event", "time");
    events.reading.columns.insert("time".to_owned(), "ts".to_owned());
    let profiles = vec![ProfileFiles::new(vec!["people.parquet".to_owned()], "id")];
    let data = Data { profiles, events: vec![events], ..Data::default() };
    let (now, wanted) = (Timestamp(10_000_000), Wanted::default());
    let read = |now: Option<Timestamp>| {
        load(LoadRequest { wanted: Some(&wanted), now, ..LoadRequest::new(dir.path(), &data, &schema) }).expect("files")
    };
    let (whole, pruned) = (read(None), read(Some(now)));
    assert_eq!(whole.batch.existing(now).map(|mask| mask.count()), Some(2));
    assert_eq!(seen(&whole, &wanted, now), seen(&pruned, &wanted, now));
}

/// The lines of one that the other lacks, and the other way round.
fn difference(one: &str, other: &str) -> String {
    let lacks = |one: &str, other: &str, mark: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|l| l == *line)).take(10);
        lines.map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    lacks(one, other, "-") + &lacks(other, one, "+")
}

/// Statistics that rows contradict are no statistics: what they hide may decide an answer.
#[test]
fn statistics_that_rows_contradict_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let schema = schema();
    let data =
        Data { events: vec![EventFiles::new(vec!["e.parquet".into()], "id", "event", "time")], ..Data::default() };
    let wanted = Wanted::everything(&schema);
    let read = |now: Option<Timestamp>| {
        load(LoadRequest { wanted: Some(&wanted), now, ..LoadRequest::new(dir.path(), &data, &schema) })
    };
    let now = Timestamp::parse("2026-05-01T00:00:00Z", None).expect("an instant");
    for (least, greatest, is_true) in [(0, 3_100, true), (0, 2_000, false), (2_000, 3_100, false)] {
        let times: TimestampMicrosecondArray = vec![1_000, 2_500, 3_000].into();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(Int64Array::from(vec![7, 8, 9]))),
            ("event", Arc::new(StringArray::from(vec!["bought", "left", "opened"]))),
            ("time", Arc::new(times.with_timezone("UTC"))),
        ];
        let path = dir.path().join("e.parquet");
        write(&path, columns, 10, true);
        // What the footer says of the times stands there as they do.
        let mut bytes = std::fs::read(&path).expect("a file");
        let length = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().expect("a length"));
        let footer = bytes.len() - 8 - length as usize;
        let mut n_changed = 0;
        for at in footer..bytes.len() - 16 {
            for (time, said) in [(1_000_i64, least), (3_000, greatest)] {
                if bytes[at..at + 8] == time.to_le_bytes() {
                    bytes[at..at + 8].copy_from_slice(&i64::to_le_bytes(said));
                    n_changed += 1;
                }
            }
        }
        assert!(n_changed >= 2);
        std::fs::write(&path, bytes).expect("written");
        match read(Some(now)) {
            Ok(loaded) => assert!(is_true && loaded.report.events == 3, "{least} to {greatest}"),
            Err(error) => {
                assert!(!is_true, "{least} to {greatest}: {error}");
                assert!(error.to_string().contains("column `time` has values outside of what they say"), "{error}");
            }
        }
        // Whoever asks at no instant reads everything, whatever statistics say.
        assert_eq!(read(None).expect("rows").report.events, 3);
    }
}
