//! Events in Parquet, in the order of time, of which segments read a few columns of a few days.

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

const FILES: i64 = 4;
const ROWS: i64 = 50_000;
const GROUP_ROWS: usize = 10_000;
const PEOPLE: i64 = 3_000;
/// Between one event and the next, so that all of them are 40 days.
const STEP: i64 = 40 * 86_400 * 1_000_000 / (FILES * ROWS);
/// When the first is: 2026-01-01.
const FIRST: i64 = 1_767_225_600_000_000;

const SETTINGS: &str = r#"name = "parquet"
timezone = "UTC"
at = "2026-02-10T00:00:00Z"

[data.profiles]
files = ["data/people.csv"]
id = "id"

[data.events]
files = ["data/events-*.parquet"]
id = "id"
event = "event"
time = "time"
"#;

/// Writes data and the settings of a project that reads them; says how many bytes the Parquet
/// files have.
///
/// # Errors
/// What the disk says.
pub fn write(project: &Path, data: &Path) -> Result<u64, String> {
    let failed = |e: std::io::Error| format!("{}: {e}\n", data.display());
    fs::create_dir_all(data).map_err(failed)?;
    fs::write(project.join("seg.toml"), SETTINGS).map_err(failed)?;
    let people: String = (0..PEOPLE).map(|n| format!("{n},DE\n")).collect();
    fs::write(data.join("people.csv"), format!("id,country\n{people}")).map_err(failed)?;
    let mut bytes = 0;
    for file in 0..FILES {
        let path = data.join(format!("events-{file}.parquet"));
        written(&path, file * ROWS).map_err(|e| format!("{}: {e}\n", path.display()))?;
        bytes += fs::metadata(&path).map_err(failed)?.len();
    }
    Ok(bytes)
}

fn written(path: &Path, first: i64) -> parquet::errors::Result<()> {
    let rows = || first..first + ROWS;
    // A mixer of bits: no two notes are alike, and nothing is saved by packing them.
    let mixed = |n: i64, by: i64| n.wrapping_mul(by | 1).wrapping_mul(0x2545_f491_4f6c_dd1d).rotate_left(29);
    let note = |by: i64| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(
            rows().map(|n| format!("{:016x}{:016x}", mixed(n, by), mixed(n, by + 2))),
        ))
    };
    let ids = Int64Array::from_iter_values(rows().map(|n| mixed(n, 11).rem_euclid(PEOPLE)));
    let names = StringArray::from_iter_values(rows().map(|n| if n % 4 == 0 { "purchase" } else { "visit" }));
    let times = TimestampMicrosecondArray::from_iter_values(rows().map(|n| FIRST + n * STEP)).with_timezone("UTC");
    let articles = StringArray::from_iter_values(rows().map(|n| format!("a{}", mixed(n, 5).rem_euclid(40))));
    let columns: [(&str, ArrayRef); 9] = [
        ("note_1", note(101)),
        ("id", Arc::new(ids)),
        ("note_2", note(103)),
        ("event", Arc::new(names)),
        ("time", Arc::new(times)),
        ("note_3", note(105)),
        ("article", Arc::new(articles)),
        ("quantity", Arc::new(Int64Array::from_iter_values(rows().map(|n| n % 9)))),
        ("note_4", note(107)),
    ];
    let records = RecordBatch::try_from_iter(columns).map_err(parquet::errors::ParquetError::from)?;
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(GROUP_ROWS)).build();
    let mut writer = ArrowWriter::try_new(File::create(path)?, records.schema(), Some(properties))?;
    writer.write(&records)?;
    writer.close()?;
    Ok(())
}
