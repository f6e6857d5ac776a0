//! Objects are read as files are: the same answer, no byte that is not asked for, and never half
//! of an object or two versions of it.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use seg_data::schema::parse;
use seg_data::{EventId, Schema, Timestamp, Wanted, WantedEvents};
use seg_io::manifest::{Data, EventFiles, ProfileFiles};
use seg_io::objects::{Address, FoundObject, ObjectError, ObjectStores, Objects};
use seg_io::{Elsewhere, LoadRequest, Loaded, find, load};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// A store in memory, which counts what is read of it.
#[derive(Debug, Default, Clone)]
struct Memory {
    objects: Arc<Mutex<BTreeMap<String, (Bytes, u32)>>>,
    n_read: Arc<AtomicU64>,
    /// Reads until an object changes.
    until_changed: Arc<Mutex<Option<u32>>>,
}

impl Memory {
    fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        let mut objects = self.objects.lock().expect("a lock");
        let version = objects.get(key).map_or(1, |(_, version)| version + 1);
        objects.insert(key.to_owned(), (bytes.into(), version));
    }

    fn stores(&self) -> Elsewhere {
        Elsewhere { objects: Some(ObjectStores::new(self.clone())), ..Elsewhere::default() }
    }
}

fn found(address: &Address, key: &str, (bytes, version): &(Bytes, u32)) -> FoundObject {
    let (size, version) = (bytes.len() as u64, Some(version.to_string()));
    FoundObject { address: address.with_key(key), size, version }
}

impl Objects for Memory {
    fn find(&self, address: &Address) -> Result<Option<FoundObject>, ObjectError> {
        let objects = self.objects.lock().expect("a lock");
        Ok(objects.get(&address.key).map(|object| found(address, &address.key, object)))
    }

    fn list(&self, folder: &Address) -> Result<Vec<FoundObject>, ObjectError> {
        if folder.bucket != "bucket" {
            return Err(ObjectError(format!("there is no bucket `{}`", folder.bucket)));
        }
        let objects = self.objects.lock().expect("a lock");
        let prefix = if folder.key.is_empty() { String::new() } else { format!("{}/", folder.key) };
        let inside = objects.iter().filter(|(key, _)| key.starts_with(&prefix));
        // In no order that anybody may rely on.
        Ok(inside.map(|(key, object)| found(folder, key, object)).rev().collect())
    }

    fn read(&self, object: &FoundObject, range: Range<u64>) -> Result<Bytes, ObjectError> {
        let mut until = self.until_changed.lock().expect("a lock");
        if let Some(left) = until.as_mut() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                return Err(ObjectError("it was changed while it was read".to_owned()));
            }
        }
        let objects = self.objects.lock().expect("a lock");
        let (bytes, version) = objects.get(&object.address.key).expect("an object");
        assert_eq!(object.version, Some(version.to_string()), "another version than the one that was found");
        self.n_read.fetch_add(range.end - range.start, Ordering::Relaxed);
        Ok(bytes.slice(range.start as usize..range.end as usize))
    }

    fn write(&self, address: &Address, contents: &mut dyn Read) -> Result<(), ObjectError> {
        let mut bytes = Vec::new();
        contents.read_to_end(&mut bytes).expect("read");
        self.put(&address.key, bytes);
        Ok(())
    }

    fn replace(&self, address: &Address, contents: &[u8], before: Option<&FoundObject>) -> Result<(), ObjectError> {
        if self.find(address)?.as_ref() != before {
            return Err(ObjectError("somebody else wrote it meanwhile".to_owned()));
        }
        self.put(&address.key, contents.to_vec());
        Ok(())
    }

    fn remove(&self, address: &Address) -> Result<(), ObjectError> {
        self.objects.lock().expect("a lock").remove(&address.key);
        Ok(())
    }
}

fn schema() -> Arc<Schema> {
    let (schema, problems) = parse(
        "[attributes]\ncountry = \"text\"\n[events.bought]\nproperties = { sku = \"text\", note = \"text\" }\n\
         [events.opened]\nproperties = { sku = \"text\", note = \"text\" }\n",
    );
    assert_eq!(problems, []);
    Arc::new(schema)
}

const N_ROWS: i64 = 40_000;
const SECOND: i64 = 1_000_000;

/// Events in the order of time, with a column that is wide.
fn events() -> RecordBatch {
    let ids = Int64Array::from_iter_values((0..N_ROWS).map(|n| n * 7 % 500));
    let names = StringArray::from_iter_values((0..N_ROWS).map(|n| if n % 3 == 0 { "bought" } else { "opened" }));
    let times = TimestampMicrosecondArray::from_iter_values((0..N_ROWS).map(|n| n * 1_000 * SECOND));
    let skus = StringArray::from_iter_values((0..N_ROWS).map(|n| format!("s{}", n % 90)));
    let notes =
        StringArray::from_iter_values((0..N_ROWS).map(|n| format!("{:x}", n.wrapping_mul(0x1e37_79b9_7f4a_7c15))));
    let columns: [(&str, ArrayRef); 5] = [
        ("id", Arc::new(ids)),
        ("event", Arc::new(names)),
        ("time", Arc::new(times.with_timezone("UTC"))),
        ("sku", Arc::new(skus)),
        ("note", Arc::new(notes)),
    ];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

fn parquet(records: &RecordBatch) -> Vec<u8> {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(4_000)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), records.schema(), Some(properties)).expect("a writer");
    writer.write(records).expect("written");
    writer.into_inner().expect("written")
}

fn arrow(records: &RecordBatch) -> Vec<u8> {
    let mut writer = arrow_ipc::writer::FileWriter::try_new(Vec::new(), &records.schema()).expect("a writer");
    writer.write(records).expect("written");
    writer.finish().expect("written");
    writer.into_inner().expect("written")
}

fn csv(rows: Range<i64>) -> String {
    let line = |n: i64| format!("{},bought,2026-01-{:02} 10:00:00,s{}\n", n % 50, 1 + n % 28, n % 9);
    format!("id,event,time,sku\n{}", rows.map(line).collect::<String>())
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("packed");
    encoder.finish().expect("packed")
}

fn data(files: &[&str], elsewhere: Elsewhere) -> Data {
    let files = files.iter().map(|file| (*file).to_owned()).collect();
    let people =
        ProfileFiles::new(vec![format!("{}people.csv", if elsewhere.objects.is_some() { ROOT } else { "" })], "id");
    let events = EventFiles::new(files, "id", "event", "time");
    Data { profiles: vec![people], events: vec![events], elsewhere, ..Data::default() }
}

const ROOT: &str = "s3://bucket/lake/";
const PEOPLE: &str = "id,country\n1,DE\n2,FR\n";

/// What files of this machine give, and what the same as objects does.
fn both(memory: &Memory, dir: &Path, files: &[&str], wanted: Option<(&Wanted, Timestamp)>) -> [LoadResult; 2] {
    let schema = schema();
    let local = data(files, Elsewhere::default());
    let remote: Vec<String> = files.iter().map(|file| format!("{ROOT}{file}")).collect();
    let remote = data(&remote.iter().map(String::as_str).collect::<Vec<_>>(), memory.stores());
    let (wanted, now) = wanted.unzip();
    [&local, &remote].map(|data| load(LoadRequest { wanted, now, ..LoadRequest::new(dir, data, &schema) }))
}

type LoadResult = Result<Loaded, seg_io::ReadError>;

fn store(memory: &Memory, dir: &Path, name: &str, bytes: &[u8]) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, bytes).expect("written");
    memory.put(&format!("lake/{name}"), bytes.to_vec());
}

#[test]
fn objects_of_every_kind_are_read_as_files_are() {
    let (memory, dir) = (Memory::default(), tempfile::tempdir().expect("a directory"));
    let records = events();
    store(&memory, dir.path(), "people.csv", PEOPLE.as_bytes());
    store(&memory, dir.path(), "a b%20ü+#/e.parquet", &parquet(&records));
    store(&memory, dir.path(), "e.arrow", &arrow(&records));
    store(&memory, dir.path(), "days/dt=2026-01-01/e.csv", csv(0..3_000).as_bytes());
    store(&memory, dir.path(), "days/dt=2026-01-02/e.csv.gz", &gzipped(&csv(3_000..9_000)));
    store(&memory, dir.path(), "days/_SUCCESS", b"");
    store(&memory, dir.path(), "days/readme.txt", b"nothing");
    store(&memory, dir.path(), "days/_old/e.csv", csv(0..10).as_bytes());
    store(&memory, dir.path(), "e[1].csv", csv(0..10).as_bytes());
    let cases: [&[&str]; 6] = [
        &["a b%20ü+#/e.parquet"],
        &["e.arrow"],
        &["days"],
        &["days/*/*.csv", "days/**/*.csv.gz"],
        &["e[1].csv"],
        &["days/dt=2026-01-0?/e.csv*", "e.arrow"],
    ];
    for files in cases {
        let [local, remote] = both(&memory, dir.path(), files, None);
        let (local, remote) = (local.expect("read"), remote.expect("read"));
        assert!(local.report.events > 0, "{files:?}");
        assert_eq!(local.batch.records(), remote.batch.records(), "{files:?}");
        assert_eq!(local.report.rows, remote.report.rows, "{files:?}");
        assert_eq!(local.report.files, remote.report.files, "{files:?}");
    }
}

#[test]
fn columns_and_groups_of_rows_that_decide_nothing_are_not_asked_for() {
    let (memory, dir) = (Memory::default(), tempfile::tempdir().expect("a directory"));
    let bytes = parquet(&events());
    let people: String = (0..500).map(|n| format!("{n},DE\n")).collect();
    store(&memory, dir.path(), "people.csv", format!("id,country\n{people}").as_bytes());
    store(&memory, dir.path(), "e.parquet", &bytes);
    let n_people = people.len() as u64 + 11;
    let now = Timestamp(N_ROWS * 1_000 * SECOND);
    // The last two of ten groups.
    let since = Some(Timestamp(now.0 - 7_000 * 1_000 * SECOND));
    let wanted = |properties: Vec<u32>| {
        let properties = properties.into_iter().map(seg_data::PropertyId).collect();
        let events = WantedEvents { since, properties, ..WantedEvents::default() };
        Wanted { events: [(EventId(0), events)].into(), ..Wanted::default() }
    };
    let wanted = wanted(vec![0]);
    let [local, remote] = both(&memory, dir.path(), &["e.parquet"], Some((&wanted, now)));
    let (local, remote) = (local.expect("read"), remote.expect("read"));
    assert_eq!(local.batch.records(), remote.batch.records());
    let n_read = memory.n_read.load(Ordering::Relaxed) - n_people;
    // What a local run reads, with the footer, which has no more than 8 KiB.
    let n_local = local.report.bytes_read - n_people + 8 * 1024;
    assert!(n_read * 10 <= n_local * 12, "{n_read} bytes were asked for, of {n_local} that a local run reads");
    assert!(n_read * 3 < bytes.len() as u64, "{n_read} bytes were asked for, of {} that there are", bytes.len());
}

#[test]
fn an_object_that_changes_is_an_error_wherever_it_does() {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, bytes) in [
        ("e.parquet", parquet(&events())),
        ("e.arrow", arrow(&events())),
        ("e.csv", csv(0..40_000).into_bytes()),
        ("e.csv.gz", gzipped(&csv(0..400_000))),
    ] {
        let memory = Memory::default();
        store(&memory, dir.path(), "people.csv", PEOPLE.as_bytes());
        store(&memory, dir.path(), name, &bytes);
        let schema = schema();
        let file = format!("{ROOT}{name}");
        let data = data(&[&file], memory.stores());
        let mut n_failed = 0;
        for reads in 2..200 {
            *memory.until_changed.lock().expect("a lock") = Some(reads);
            match load(LoadRequest::new(dir.path(), &data, &schema)) {
                Ok(_) => break,
                Err(error) => {
                    n_failed += 1;
                    assert_eq!(error.to_string(), format!("{file}: it was changed while it was read"));
                }
            }
        }
        assert!(n_failed > 0, "{name} was read without a read");
        assert!(memory.until_changed.lock().expect("a lock").is_some_and(|left| left > 0), "{name} is never read");
    }
}

#[test]
fn what_cannot_be_found_is_told_of_by_the_address_that_was_written() {
    let memory = Memory::default();
    memory.put("lake/notes.txt", "nothing");
    memory.put("lake/e.csv", "id\n1\n");
    memory.put("lake/empty/", "");
    let refused = |pattern: &str, elsewhere: &Elsewhere| {
        let error = find(Path::new("."), &[pattern.to_owned()], elsewhere).expect_err(pattern).to_string();
        error.strip_prefix(&format!("{pattern}: ")).map(str::to_owned).unwrap_or_else(|| panic!("{error}"))
    };
    let cases = [
        ("s3://other/x.csv", "there is no bucket `other`"),
        ("s3://bucket/lake/x.csv", "there is no such object, and there are none below it that Seg reads"),
        ("s3://bucket/lake/empty/", "there are no objects in it that Seg reads"),
        ("s3://bucket/lake/*.parquet", "no object fits this pattern"),
        ("s3://bucket/lake/[.csv", "this is not a pattern: invalid range pattern"),
        ("s3a://bucket/lake", "Spark calls it `s3a://`; write `s3://bucket/lake`"),
        ("https://bucket/lake", "`https://` is not read; Seg reads files, and objects of `s3://`, `gs://` and `az://`"),
    ];
    for (pattern, why) in cases {
        assert_eq!(refused(pattern, &memory.stores()), why, "{pattern}");
    }
    let without = refused("s3://bucket/lake/e.csv", &Elsewhere::default());
    assert!(without.starts_with("object stores are read by the command `seg`"), "{without}");
    let unknown = find(Path::new("."), &["s3://bucket/lake/*".to_owned()], &memory.stores()).expect_err("a text");
    assert!(unknown.to_string().starts_with("s3://bucket/lake/notes.txt: this kind of file is not read"), "{unknown}");
    let twice = ["s3://bucket/lake/e.csv", "s3://bucket/lake/*.csv"].map(str::to_owned);
    assert_eq!(find(Path::new("."), &twice, &memory.stores()).expect("found").len(), 1);
}
