//! The workload as Parquet, as a warehouse exports it: a row a person, and a row
//! an event in the order of time. What reading it takes.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow_schema::DataType;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use seg::{Batch, Zone};
use seg_io::LoadRequest;
use seg_io::manifest::{Data, EventFiles, ProfileFiles};
use std::fs::File;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Ten-thousandths in a unit of money.
const UNIT: f64 = 10_000.0;
/// Events of one file.
const EVENTS_PER_FILE: usize = 8_000_000;

/// Where the benchmark keeps what it makes.
pub fn root() -> PathBuf {
    seg_tests::root().join("target/bench")
}

/// Where the files of a batch are.
fn folder(batch: &Batch) -> PathBuf {
    root().join("data").join(batch.len().to_string())
}

/// Whether the files of so many profiles are there, whole.
pub fn are_there(n_profiles: usize) -> bool {
    let dir = root().join("data").join(n_profiles.to_string());
    dir.join(COMPLETE).exists()
}

/// Stands beside files that were written to the last.
const COMPLETE: &str = "complete";

/// Reads the files of a batch as a project's data, all of it.
///
/// # Errors
/// Files that are not there, or that give other people or events.
pub fn read(batch: &Batch, threads: NonZero<usize>) -> Result<Duration, String> {
    let name = str::to_owned;
    let data = Data {
        profiles: vec![ProfileFiles::new(vec![name("profiles.parquet")], "profile_id")],
        events: vec![EventFiles::new(vec![name("events-*.parquet")], "profile_id", "name", "ts")],
        ..Data::default()
    };
    let (schema, zone, folder) = (batch.schema(), Some(Zone::UTC), folder(batch));
    let start = Instant::now();
    let loaded = seg_io::load(LoadRequest { zone, threads, ..LoadRequest::new(&folder, &data, schema) });
    let loaded = loaded.map_err(|e| format!("{e}\n"))?;
    // Binding looks at every column first.
    for at in 0..schema.events.len() {
        loaded.batch.check_events(seg_data::EventId(at as u32)).map_err(|e| format!("{e}\n"))?;
    }
    let time = start.elapsed();
    let n_events = |batch: &Batch| -> usize {
        (0..schema.events.len()).filter_map(|at| batch.events(seg_data::EventId(at as u32))).map(|e| e.len()).sum()
    };
    let found = (loaded.batch.len(), n_events(&loaded.batch));
    let expected = (batch.len(), n_events(batch));
    if found == expected { Ok(time) } else { Err(format!("{found:?} people and events were read of {expected:?}\n")) }
}

/// Writes the files of a batch.
///
/// # Errors
/// Files that cannot be written.
pub fn write(batch: &Batch) -> Result<(), String> {
    let dir = folder(batch);
    // What an earlier benchmark left there would be read too.
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}\n", dir.display()))?;
    let records = batch.records();
    let ids: Vec<u32> = (0..batch.len()).filter_map(|row| batch.id(row).parse::<u32>().ok()).collect();
    let mut people: Vec<(&str, ArrayRef)> = vec![("profile_id", Arc::new(UInt32Array::from(ids.clone())))];
    for attribute in &batch.schema().attributes {
        let column = records.column_by_name(&attribute.name).ok_or("an attribute is not there\n")?;
        people.push((&attribute.name, plain(column, attribute.ty == seg_data::Type::Money)?));
    }
    table(&dir.join("profiles.parquet"), people)?;
    let names: Vec<&str> = batch.schema().events.iter().map(|event| event.name.as_str()).collect();
    let events = names.iter().map(|name| Events::new(records, &ids, name)).collect::<Option<Vec<_>>>();
    let events = events.ok_or("an event is not there\n")?;
    // Every event with its time, its name and its place among those of its name.
    let mut order: Vec<(i64, u8, u32)> = Vec::new();
    for (name, events) in events.iter().enumerate() {
        order.extend((0_u32..).zip(events.times).map(|(at, time)| (*time, name as u8, at)));
    }
    order.sort_unstable();
    for (at, part) in order.chunks(EVENTS_PER_FILE).enumerate() {
        let of = |(_, name, at): &(i64, u8, u32)| (&events[*name as usize], *at as usize);
        let owners: UInt32Array = part.iter().map(of).map(|(events, at)| Some(events.owners[at])).collect();
        let named = StringArray::from_iter_values(part.iter().map(|(_, name, _)| names[*name as usize]));
        let times: TimestampMicrosecondArray = part.iter().map(|(time, ..)| Some(*time)).collect();
        let category: StringArray = part.iter().map(of).map(|(events, at)| events.category(at)).collect();
        let amount: Float64Array = part.iter().map(of).map(|(events, at)| events.amount(at)).collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("profile_id", Arc::new(owners)),
            ("name", Arc::new(named)),
            ("ts", Arc::new(times)),
            ("category", Arc::new(category)),
            ("amount", Arc::new(amount)),
            ("sku", Arc::new(StringArray::new_null(part.len()))),
        ];
        table(&dir.join(format!("events-{at:02}.parquet")), columns)?;
    }
    std::fs::write(dir.join(COMPLETE), "").map_err(|e| format!("{}: {e}\n", dir.display()))
}

/// The events of one name.
struct Events<'r> {
    owners: Vec<u32>,
    times: &'r [i64],
    categories: &'r arrow_array::DictionaryArray<Int32Type>,
    amounts: &'r arrow_array::Int64Array,
}

impl<'r> Events<'r> {
    fn new(records: &'r RecordBatch, ids: &[u32], name: &str) -> Option<Events<'r>> {
        let list = records.column_by_name(name)?.as_list::<i32>();
        let rows = list.values().as_struct();
        let each = ids.iter().enumerate();
        let owners = each.flat_map(|(row, id)| std::iter::repeat_n(*id, list.value_length(row) as usize)).collect();
        let times = rows.column_by_name("time")?.as_primitive::<TimestampMicrosecondType>().values();
        let categories = rows.column_by_name("category")?.as_dictionary();
        Some(Events { owners, times, categories, amounts: rows.column_by_name("amount")?.as_primitive::<Int64Type>() })
    }

    fn category(&self, at: usize) -> Option<&str> {
        self.categories.key(at).map(|key| self.categories.values().as_string::<i32>().value(key))
    }

    fn amount(&self, at: usize) -> Option<f64> {
        self.amounts.is_valid(at).then(|| self.amounts.value(at) as f64 / UNIT)
    }
}

/// A column of people as the engines take it: plain texts, amounts as floating
/// point, times without a zone.
fn plain(column: &ArrayRef, is_money: bool) -> Result<ArrayRef, String> {
    let to = match column.data_type() {
        DataType::Int64 if is_money => {
            let units: Float64Array = column.as_primitive::<Int64Type>().unary(|n| n as f64 / UNIT);
            return Ok(Arc::new(units));
        }
        DataType::Dictionary(..) => DataType::Utf8,
        DataType::Int64 => DataType::Int32,
        DataType::Timestamp(..) => {
            let times = column.as_primitive::<TimestampMicrosecondType>().clone();
            return Ok(Arc::new(times.with_timezone_opt(None::<Arc<str>>)));
        }
        other => other.clone(),
    };
    arrow_cast::cast(column, &to).map_err(|e| format!("{e}\n"))
}

fn table(path: &Path, columns: Vec<(&str, ArrayRef)>) -> Result<(), String> {
    let failed = |e: &dyn std::fmt::Display| format!("{}: {e}\n", path.display());
    let records = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)));
    let records = records.map_err(|e| failed(&e))?;
    let file = File::create(path).map_err(|e| failed(&e))?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(file, records.schema(), Some(properties)).map_err(|e| failed(&e))?;
    writer.write(&records).map_err(|e| failed(&e))?;
    writer.close().map_err(|e| failed(&e))?;
    Ok(())
}
