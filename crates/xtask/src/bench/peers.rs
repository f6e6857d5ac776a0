//! Engines that people would use instead, on the same people, in one run.
//!
//! The profiles are written as Parquet, a virtual environment is made with the
//! engines in it, and each runs the suite in its best layout, by the programs of
//! `crates/xtask/peers`. What they count is held against Seg's answers.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::DataType;
use parquet::arrow::ArrowWriter;
use seg::{Batch, Mask};
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// The engines, by their names in the programs.
const ENGINES: [&str; 4] = ["duckdb", "polars", "clickhouse", "datafusion"];
/// An engine that takes longer is stopped, and what it has measured counts.
const SECONDS_MAX: u64 = 420;
/// Ten-thousandths in a unit of money.
const UNIT: f64 = 10_000.0;

/// What one engine measured.
pub struct Peer {
    pub name: &'static str,
    results: Value,
}

/// Median times of one suite, or of one segment of the twelve.
pub struct Measured {
    pub time: Duration,
    /// Members and the sum of their ids, a pair each segment.
    checks: Vec<(u64, u64)>,
}

impl Peer {
    /// The twelve one by one, by number.
    pub fn single(&self, number: usize) -> Option<Measured> {
        let of = self.results.get("single")?.get(number.to_string())?;
        let check = of.get("check")?;
        Some(Measured { time: median(of)?, checks: vec![pair(check)?] })
    }

    /// So many segments in one statement.
    pub fn together(&self, n: usize) -> Option<Measured> {
        let of = self.results.get("multi")?.get(n.to_string())?;
        let checks = of.get("check")?.as_array()?.iter().map(pair).collect::<Option<Vec<_>>>()?;
        Some(Measured { time: median(of)?, checks })
    }
}

impl Measured {
    /// How many of the segments have other members than ours.
    pub fn differences(&self, batch: &Batch, masks: &[Mask]) -> usize {
        let ours = masks.iter().map(|mask| {
            let sum = mask.rows().filter_map(|row| batch.id(row).parse::<u64>().ok()).sum::<u64>();
            (mask.count() as u64, sum)
        });
        ours.zip(&self.checks).filter(|(ours, theirs)| ours != *theirs).count()
            + masks.len().abs_diff(self.checks.len())
    }
}

fn median(of: &Value) -> Option<Duration> {
    of.get("median")?.as_f64().map(Duration::from_secs_f64)
}

fn pair(check: &Value) -> Option<(u64, u64)> {
    Some((check.get(0)?.as_u64()?, check.get(1)?.as_u64()?))
}

/// Runs the engines over a batch.
///
/// # Errors
/// An environment that cannot be made; engines that fail are left out with a
/// word on standard error.
pub fn run(batch: &Batch, threads: usize) -> Result<Vec<Peer>, String> {
    let dir = seg_tests::root().join("target/bench");
    let scale = batch.len().to_string();
    let data = dir.join("data").join(&scale);
    std::fs::create_dir_all(&data).map_err(|e| format!("{}: {e}\n", data.display()))?;
    write(batch, &data)?;
    let python = environment(&dir)?;
    let programs = seg_tests::root().join("crates/xtask/peers");
    let results = dir.join("results");
    let mut peers = Vec::new();
    for name in ENGINES {
        eprintln!("measuring {name}");
        let status = Command::new("timeout")
            .arg(SECONDS_MAX.to_string())
            .arg(&python)
            .args(["bench.py", name, &threads.to_string(), &scale, "load,single,m100,m1000"])
            .current_dir(&programs)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("DATA_DIR", dir.join("data"))
            .env("RESULTS_DIR", &results)
            .status()
            .map_err(|e| format!("{name}: {e}\n"))?;
        if !status.success() {
            eprintln!("{name} stopped early: {status}");
        }
        let path = results.join(format!("{name}-{scale}-t{threads}.json"));
        match std::fs::read_to_string(&path)
            .map_err(|e| e.to_string())
            .and_then(|text| serde_json::from_str(&text).map_err(|e| e.to_string()))
        {
            Ok(found) => peers.push(Peer { name, results: found }),
            Err(why) => eprintln!("{name} is left out: {}: {why}", path.display()),
        }
    }
    Ok(peers)
}

/// A Python with the engines, made once.
fn environment(dir: &Path) -> Result<PathBuf, String> {
    let venv = dir.join("venv");
    let python = venv.join("bin/python");
    let requirements = seg_tests::root().join("crates/xtask/peers/requirements.txt");
    if !python.exists() {
        eprintln!("making an environment with the engines of {}", requirements.display());
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    succeed(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements))?;
    Ok(python)
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|e| format!("{command:?}: {e}\n"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}\n")) }
}

/// The batch as a warehouse has it: a row a person, and a row an event.
fn write(batch: &Batch, dir: &Path) -> Result<(), String> {
    let records = batch.records();
    let schema = records.schema();
    let ids: UInt32Array = (0..batch.len()).map(|row| batch.id(row).parse::<u32>().ok()).collect();
    let mut people: Vec<(String, ArrayRef)> = vec![("profile_id".to_owned(), Arc::new(ids.clone()))];
    for attribute in &batch.schema().attributes {
        let column = records.column_by_name(&attribute.name).ok_or("an attribute is not there\n")?;
        people.push((attribute.name.clone(), plain(column, attribute.ty == seg_data::Type::Money)?));
    }
    table(&dir.join("profiles.parquet"), people)?;
    let events =
        schema.fields().iter().zip(records.columns()).filter(|(_, c)| matches!(c.data_type(), DataType::List(_)));
    for (at, (field, column)) in events.enumerate() {
        let list = column.as_list::<i32>();
        let rows = list.values().as_struct();
        let owner = |row: usize| std::iter::repeat_n(ids.value(row), list.value_length(row) as usize);
        let owners: UInt32Array = (0..list.len()).flat_map(owner).map(Some).collect();
        let names = StringArray::from_iter_values(std::iter::repeat_n(field.name(), rows.len()));
        let part =
            |name: &str, is_money| plain(rows.column_by_name(name).ok_or("a property is not there\n")?, is_money);
        table(
            &dir.join(format!("events-{at:02}.parquet")),
            vec![
                ("profile_id".to_owned(), Arc::new(owners) as ArrayRef),
                ("name".to_owned(), Arc::new(names)),
                ("ts".to_owned(), part("time", false)?),
                ("category".to_owned(), part("category", false)?),
                ("amount".to_owned(), part("amount", true)?),
                ("sku".to_owned(), Arc::new(StringArray::new_null(rows.len()))),
            ],
        )?;
    }
    Ok(())
}

/// A column as the engines take it: plain texts, amounts as floating point,
/// times without a zone.
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

fn table(path: &Path, columns: Vec<(String, ArrayRef)>) -> Result<(), String> {
    let failed = |e: &dyn std::fmt::Display| format!("{}: {e}\n", path.display());
    let records = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)));
    let records = records.map_err(|e| failed(&e))?;
    let file = File::create(path).map_err(|e| failed(&e))?;
    let mut writer = ArrowWriter::try_new(file, records.schema(), None).map_err(|e| failed(&e))?;
    writer.write(&records).map_err(|e| failed(&e))?;
    writer.close().map_err(|e| failed(&e))?;
    Ok(())
}
