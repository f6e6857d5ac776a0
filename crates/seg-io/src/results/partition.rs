//! What a run over one partition found, in a file, and the results of all partitions as those
//! of everybody.

use super::column::StayColumn;
use crate::gather::joined;
use crate::guard::foreseen;
use crate::report::{ReadError, Report};
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMicrosecondType, UInt32Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, RecordBatch, TimestampMicrosecondArray, UInt32Array, new_empty_array, new_null_array,
};
use arrow_ipc::CompressionType;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{ArrowError, Field, Schema as ArrowSchema};
use arrow_select::take::take;
use seg_data::batch::{EXISTS_COLUMN, MERGED_COLUMN, id_column};
use seg_data::{AttributeId, Batch, Mask, Schema, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::sync::Arc;

/// Below which name of the file's metadata it stands what the run was.
const TOLD_KEY: &str = "seg.partition-result";

/// What a run over a partition was and found, beside who is in what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartitionRun {
    /// The version of its shape, [`PartitionRun::VERSION`].
    pub version: u32,
    /// Which partition, from 0.
    pub partition: u32,
    /// Of how many.
    pub of: u32,
    /// The fingerprint of the packing that was cut into them.
    pub packing: String,
    /// The name in `seg.toml`.
    pub project: String,
    /// The instant as of which the segments were evaluated, and who said it.
    pub at: String,
    /// See [`PartitionRun::at`].
    pub at_from: String,
    /// The project's time zone.
    pub time_zone: Option<String>,
    /// The segments with the fingerprints of what they mean, in the order of the project.
    pub segments: Vec<(String, String)>,
    /// What stands beside people, as the run was asked for it.
    pub columns: Vec<String>,
    /// What was read, and what was wrong with it.
    pub report: Report,
    /// The latest event of those who are in the partition or, as long as nobody was forgotten, of
    /// all; microseconds as all times.
    pub last_event: Option<i64>,
    /// What the evaluation was expected to take, in nanoseconds.
    pub cost_ns: u64,
    /// The name of the engine that answered.
    pub engine: String,
    /// For each event of the schema the newest that was read.
    pub newest: Vec<Option<i64>>,
    /// For each comparison with a list what of it was met.
    pub lists: Vec<[bool; 3]>,
    /// Sizes of the days before, where they are compared.
    pub days: Option<PartitionDays>,
}

/// How many people of a partition were in each segment on the days before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartitionDays {
    /// For each segment, on each day.
    pub sizes: Vec<Vec<u64>>,
    /// For each segment, as of each day, what was decided of the next.
    pub decided: Vec<Vec<Vec<u64>>>,
    /// The first instant that is known.
    pub first_known: Option<i64>,
}

impl PartitionRun {
    /// The version that is written and read.
    pub const VERSION: u32 = 1;
}

/// Everybody of a partition with what they are in, to be written.
#[derive(Clone, Copy)]
pub struct PartitionMembers<'a> {
    /// Those who are in it.
    pub batch: &'a Batch,
    /// Which of everybody each is.
    pub rows: &'a [u32],
    /// The attributes that stand beside them.
    pub columns: &'a [AttributeId],
    /// Who is in each segment.
    pub masks: &'a [Mask],
    /// Since when and until when.
    pub stays: &'a [StayColumn],
}

impl PartitionMembers<'_> {
    /// Writes a result that [`PartitionResult::read`] reads: an Arrow IPC file.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, file: &File, run: &PartitionRun) -> std::io::Result<()> {
        let failed = |error: ArrowError| match error {
            ArrowError::IoError(_, error) => error,
            error => std::io::Error::other(error.to_string()),
        };
        let told = serde_json::to_string(run)?;
        let records = self.records(told).map_err(failed)?;
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).map_err(failed)?;
        let mut writer =
            FileWriter::try_new_with_options(BufWriter::new(file), records.schema_ref(), options).map_err(failed)?;
        writer.write(&records).map_err(failed)?;
        writer.finish().map_err(failed)
    }

    /// First who they are, then what stands beside them, then a column a segment, then their
    /// instants, a column a segment each.
    fn records(&self, told: String) -> Result<RecordBatch, ArrowError> {
        let schema = self.batch.schema();
        let records = self.batch.records();
        let kept: Vec<&str> = self.columns.iter().filter_map(|id| Some(schema.attribute(*id)?.name.as_str())).collect();
        let own = [id_column(schema), EXISTS_COLUMN, MERGED_COLUMN];
        let mut columns: Vec<(String, ArrayRef)> =
            vec![("$row".to_owned(), Arc::new(UInt32Array::from(self.rows.to_vec())))];
        for (field, column) in records.schema().fields().iter().zip(records.columns()) {
            if own.contains(&field.name().as_str()) || kept.contains(&field.name().as_str()) {
                columns.push((field.name().clone(), Arc::clone(column)));
            }
        }
        for (at, mask) in self.masks.iter().enumerate() {
            columns.push((format!("$in-{at}"), Arc::new(BooleanArray::from(mask))));
        }
        for stays in self.stays {
            for (at, times) in stays.times.iter().enumerate() {
                let mut all: Vec<Option<i64>> = vec![None; self.rows.len()];
                for (row, time) in times {
                    all.get_mut(*row as usize).into_iter().for_each(|slot| *slot = Some(time.0));
                }
                let column = TimestampMicrosecondArray::from(all).with_timezone("UTC");
                columns.push((format!("${}-{at}", stays.name), Arc::new(column)));
            }
        }
        let fields = columns.iter().map(|(name, column)| Field::new(name, column.data_type().clone(), true));
        let fields: Vec<Field> = fields.collect();
        let metadata = HashMap::from([(TOLD_KEY.to_owned(), told)]);
        let schema = ArrowSchema::new_with_metadata(fields, metadata);
        RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())
    }
}

/// What a run over a partition wrote.
#[derive(Debug, Clone)]
pub struct PartitionResult {
    /// Where it was written.
    pub file: String,
    /// What the run was.
    pub run: PartitionRun,
    records: RecordBatch,
}

impl PartitionResult {
    /// Reads a result.
    ///
    /// # Errors
    /// A file that cannot be read, is no such result, was cut off, or is of another version.
    pub fn read(path: &Path) -> Result<PartitionResult, ReadError> {
        let error = |why: &str| ReadError::new(path.display().to_string(), why);
        let other = "it is no result of a partition, or was cut off; `seg run --partition-result` writes one";
        let file = File::open(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => error("there is no such file"),
            _ => error(&e.to_string()),
        })?;
        let read = foreseen(|| {
            let mut reader = FileReader::try_new(BufReader::new(file), None).ok()?;
            let told = reader.schema().metadata().get(TOLD_KEY).cloned()?;
            let schema = reader.schema();
            let first = reader.next().transpose().ok()?;
            Some((told, first.unwrap_or_else(|| RecordBatch::new_empty(schema))))
        });
        let (told, records) = read.flatten().ok_or_else(|| error(other))?;
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_str(&told).map_err(|_| error(other))?;
        if version != PartitionRun::VERSION {
            let own = PartitionRun::VERSION;
            return Err(error(&format!("its version is {version}, and this Seg reads version {own}")));
        }
        let run = serde_json::from_str(&told).map_err(|_| error(other))?;
        Ok(PartitionResult { file: path.display().to_string(), run, records })
    }

    fn column(&self, name: &str) -> Option<&ArrayRef> {
        self.records.column_by_name(name)
    }

    fn error(&self, why: &str) -> ReadError {
        ReadError::new(&self.file, why)
    }
}

/// Refuses results that are not all partitions of one run, each once.
///
/// # Errors
/// What is missing, comes twice, or is of another run.
pub fn check_partitions(results: &[PartitionResult]) -> Result<(), ReadError> {
    let Some(first) = results.first() else {
        return Err(ReadError::new("merge-results", "there is no result to merge"));
    };
    let mut known: HashMap<u32, &PartitionResult> = HashMap::new();
    for result in results {
        let (run, of) = (&result.run, &first.run);
        let differs = if run.project != of.project {
            Some(format!("the project is `{}`, and `{}` in {}", run.project, of.project, first.file))
        } else if run.at != of.at {
            Some(format!("it was judged at {}, and {} at {}", run.at, first.file, of.at))
        } else if (run.of, &run.packing) != (of.of, &of.packing) {
            Some(format!("it is of another packing than {}", first.file))
        } else if (&run.segments, &run.time_zone) != (&of.segments, &of.time_zone) {
            Some(format!("its segments are others than those of {}", first.file))
        } else if run.columns != of.columns {
            Some(format!("it has other columns beside people than {}", first.file))
        } else {
            None
        };
        if let Some(why) = differs {
            return Err(result.error(&format!("{why}; the partitions of one run alone can be merged")));
        }
        if let Some(other) = known.insert(run.partition, result) {
            let number = run.partition;
            return Err(result.error(&format!("it is of partition {number}, and so is {}", other.file)));
        }
    }
    let missing: Vec<String> = (0..first.run.of).filter(|n| !known.contains_key(n)).map(|n| n.to_string()).collect();
    match missing.len() {
        0 => Ok(()),
        n => {
            const SHOWN: usize = 10;
            let shown = missing.get(..n.min(SHOWN)).unwrap_or_default().join(", ");
            let more = if n > SHOWN { format!(" and {} more", n - SHOWN) } else { String::new() };
            let (word, is) = if n == 1 { ("partition", "is") } else { ("partitions", "are") };
            Err(ReadError::new("merge-results", format!("{word} {shown}{more} of {} {is} missing", first.run.of)))
        }
    }
}

/// The people of all partitions, in the order in which one store of all of them has them.
#[derive(Debug, Clone)]
pub struct MergedPartitions {
    /// Everybody, with what stands beside them and without their events.
    pub batch: Batch,
    /// Who is in each segment.
    pub masks: Vec<Mask>,
    /// Since when and until when.
    pub stays: Vec<StayColumn>,
    /// What was read, and what was wrong with it.
    pub report: Report,
    /// The latest event of all.
    pub last_event: Option<Timestamp>,
}

/// Puts the results of all partitions together, which [`check_partitions`] has found to be all.
/// Instants that stand beside people are those of the columns called `stays`.
///
/// # Errors
/// A result that lacks a column, or that has a person whom another has.
pub fn merge_partitions(
    results: &[PartitionResult],
    schema: &Arc<Schema>,
    stays: &[&str],
) -> Result<MergedPartitions, ReadError> {
    let failed = |error: &dyn std::fmt::Display| ReadError::new("merge-results", format!("merging failed: {error}"));
    let order = order(results)?;
    let all = |name: &str| -> Result<Option<ArrayRef>, ReadError> {
        let parts: Vec<Option<&ArrayRef>> = results.iter().map(|result| result.column(name)).collect();
        let column = together(results, &parts).map_err(|error| failed(&error))?;
        column.map(|column| take(&column, &order, None).map_err(|error| failed(&error))).transpose()
    };
    let needed = |name: &str| {
        let column = all(name)?;
        column.ok_or_else(|| failed(&format!("no result has the column `{name}`")))
    };
    let mut columns: Vec<(Field, ArrayRef)> = Vec::new();
    let id = id_column(schema);
    let ids = needed(id)?;
    columns.push((Field::new(id, ids.data_type().clone(), false), ids));
    let attributes = schema.attributes.iter().map(|field| field.name.as_str());
    for name in [EXISTS_COLUMN, MERGED_COLUMN].into_iter().chain(attributes) {
        if let Some(column) = all(name)? {
            columns.push((Field::new(name, column.data_type().clone(), true), column));
        }
    }
    let n_segments = results.first().map_or(0, |result| result.run.segments.len());
    let masks = (0..n_segments).map(|at| {
        let column = needed(&format!("$in-{at}"))?;
        let is_in = column.as_boolean_opt().ok_or_else(|| failed(&"a segment is no column of true and false"))?;
        Ok(Mask::from_bools(is_in.iter().map(|is_in| is_in == Some(true))))
    });
    let masks = masks.collect::<Result<Vec<Mask>, ReadError>>()?;
    let stays = stays.iter().map(|name| {
        let times = (0..n_segments).map(|at| Ok(times(&needed(&format!("${name}-{at}"))?)));
        Ok(StayColumn { name: (*name).to_owned(), times: times.collect::<Result<_, ReadError>>()? })
    });
    let stays = stays.collect::<Result<Vec<StayColumn>, ReadError>>()?;
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let records = RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), arrays).map_err(|error| failed(&error))?;
    let batch = Batch::try_new(Arc::clone(schema), records).map_err(|error| failed(&error))?;
    let last_event = results.iter().filter_map(|result| result.run.last_event).max().map(Timestamp);
    Ok(MergedPartitions { batch, masks, stays, report: report(results), last_event })
}

/// Where those who come one after another are among the people of all results.
fn order(results: &[PartitionResult]) -> Result<UInt32Array, ReadError> {
    let mut places: Vec<(u32, u32)> = Vec::new();
    for result in results {
        let rows = result.column("$row").and_then(|column| column.as_primitive_opt::<UInt32Type>());
        let rows = rows.filter(|rows| rows.null_count() == 0);
        let rows = rows.ok_or_else(|| result.error("it does not say which of all its people are"))?;
        for row in rows.values() {
            places.push((*row, places.len() as u32));
        }
    }
    places.sort_unstable();
    if let Some((row, _)) = places.iter().zip(places.iter().skip(1)).find(|(a, b)| a.0 == b.0) {
        let why = format!("two results have person {} of all; run the partitions again", row.0);
        return Err(ReadError::new("merge-results", why));
    }
    Ok(places.into_iter().map(|(_, place)| Some(place)).collect())
}

/// The columns of one name of all results; none where nobody has a value.
fn together(results: &[PartitionResult], parts: &[Option<&ArrayRef>]) -> Result<Option<ArrayRef>, ArrowError> {
    let known = || parts.iter().flatten();
    // Of a partition in which nobody has a value the type may be that of values without times.
    let with_values = known().find(|column| column.null_count() < column.len());
    let Some(data_type) = with_values.or_else(|| known().next()).map(|column| column.data_type().clone()) else {
        return Ok(None);
    };
    let all = results.iter().zip(parts).map(|(result, column)| match column {
        Some(column) if *column.data_type() == data_type => Ok(Arc::clone(column)),
        Some(column) if column.null_count() < column.len() => {
            let why =
                format!("a column is of type {} in {}, and of {data_type} in others", column.data_type(), result.file);
            Err(ArrowError::SchemaError(why))
        }
        Some(_) | None => Ok(new_null_array(&data_type, result.records.num_rows())),
    });
    let all = all.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
    match all.iter().all(|column| column.is_empty()) {
        true => Ok(Some(new_empty_array(&data_type))),
        false => joined(&all).map(Some),
    }
}

/// The instants of those who have one, by their rows.
fn times(column: &ArrayRef) -> Vec<(u32, Timestamp)> {
    let Some(times) = column.as_primitive_opt::<TimestampMicrosecondType>() else { return Vec::new() };
    (0..).zip(times).filter_map(|(row, time)| Some((row, Timestamp(time?)))).collect()
}

/// What reading found: of the files that were packed each partition tells the same, and each has
/// people and events of its own.
fn report(results: &[PartitionResult]) -> Report {
    let mut all = Report::default();
    let mut known = BTreeSet::new();
    for result in results {
        let own = &result.run.report;
        all.profiles += own.profiles;
        all.events += own.events;
        all.bytes += own.bytes;
        all.bytes_read += own.bytes_read;
        (all.files, all.rows) = (all.files.max(own.files), all.rows.max(own.rows));
        let mut new = Report::default();
        for problem in &own.problems {
            if known.insert((problem.kind.slug(), &problem.column, &problem.other)) {
                new.problems.push(problem.clone());
            }
        }
        all.append(&new);
    }
    all
}
