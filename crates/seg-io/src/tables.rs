//! Tables in memory, by Arrow record batches: profiles, events and merges, a row each, as the
//! files of a project have them. They are read as files are, by the same rules and with the
//! same report.

mod plain;
mod sorted;

pub use plain::{plain_rows, plain_schema};
pub use sorted::{LARGE_ROWS, LargePerson, SortedColumns, SortedTables};

use crate::load::{Files, LoadRequest, Loaded, read_files};
use crate::manifest::{Data, EventFiles, MergeFiles, ProfileFiles};
use crate::merge::Merges;
use crate::open::DataFile;
use crate::people::one_spelling;
use crate::report::{ProblemKind, ReadError, Report};
use arrow_array::RecordBatchReader;
use seg_data::{Schema, Timestamp, Wanted, Zone};
use std::fmt;
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// The batches of a table, one after another, and the columns that each of them has.
pub type TableReader = Box<dyn RecordBatchReader + Send>;

/// The rows of a table, which can be taken once.
#[derive(Clone)]
pub(crate) struct TableRows(Arc<Mutex<Option<TableReader>>>);

impl TableRows {
    fn new(reader: TableReader) -> TableRows {
        TableRows(Arc::new(Mutex::new(Some(reader))))
    }

    /// The rows, if nobody took them.
    pub fn take(&self) -> Option<TableReader> {
        self.0.lock().ok()?.take()
    }
}

impl fmt::Debug for TableRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TableRows")
    }
}

impl PartialEq for TableRows {
    fn eq(&self, other: &TableRows) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for TableRows {}

/// Tables in memory, and what of them becomes a batch.
pub struct TablesRequest<'a> {
    /// The schema that the batch is of, by which values are read.
    pub schema: &'a Arc<Schema>,
    /// Whose clock a time without an offset means; UTC where there is none.
    pub zone: Option<Zone>,
    /// The attributes and events that are kept; all of them where it is `None`.
    pub wanted: Option<&'a Wanted>,
    /// What segments ask about: that a table lacks it is an error, unless `ignores_missing`.
    pub asked: Option<&'a Wanted>,
    /// The one instant at which segments are evaluated, where there is only one: data that ends
    /// long before it is told of.
    pub now: Option<Timestamp>,
    /// How many threads group events by person.
    pub threads: NonZero<usize>,
    /// Whether a column that segments ask about and a table lacks is read as missing, and told
    /// of in the report, rather than refused.
    pub ignores_missing: bool,
    /// Tables with a row a person. The paths of files in the descriptions are their names.
    pub profiles: Vec<(ProfileFiles, TableReader)>,
    /// Tables with a row an event.
    pub events: Vec<(EventFiles, TableReader)>,
    /// Tables with a row for two ids of one person.
    pub merges: Vec<(MergeFiles, TableReader)>,
}

impl<'a> TablesRequest<'a> {
    /// No tables yet, of which everything is kept, on one thread, with times without an offset
    /// in UTC.
    pub fn new(schema: &'a Arc<Schema>) -> TablesRequest<'a> {
        TablesRequest {
            schema,
            zone: None,
            wanted: None,
            asked: None,
            now: None,
            threads: NonZero::<usize>::MIN,
            ignores_missing: false,
            profiles: Vec::new(),
            events: Vec::new(),
            merges: Vec::new(),
        }
    }
}

/// Groups the rows of tables by person, into a batch as [`load`](crate::load()) makes it of
/// files with the same rows.
///
/// # Errors
/// A table that lacks the columns it is said to have, or one that segments ask about; a table
/// that fails while it is read; neither a table of profiles nor one of events. What is wrong
/// with single rows is in the report instead.
pub fn load_tables(request: TablesRequest<'_>) -> Result<Loaded, ReadError> {
    let TablesRequest { schema, zone, wanted, asked, now, threads, ignores_missing, profiles, events, merges } =
        request;
    let (profiles, profile_rows): (Vec<_>, Vec<_>) = profiles.into_iter().unzip();
    let (events, event_rows): (Vec<_>, Vec<_>) = events.into_iter().unzip();
    let (merges, merge_rows): (Vec<_>, Vec<_>) = merges.into_iter().unzip();
    let files = Files {
        profiles: tables("profiles", &profiles, |spec| &spec.files, profile_rows),
        events: tables("events", &events, |spec| &spec.files, event_rows),
        merges: tables("merges", &merges, |spec| &spec.files, merge_rows),
        calls: Vec::new(),
    };
    if files.are_none() {
        return Err(ReadError::new("tables", "there is neither a table of profiles nor one of events"));
    }
    let has_profiles = !files.profiles.is_empty();
    let data = Data::default();
    let request = LoadRequest { zone, wanted, asked, now, threads, ..LoadRequest::new(Path::new(""), &data, schema) };
    let loaded = read_files(&files, request, None, |loader, attributes, events| loader.batch(attributes, events))?;
    if !ignores_missing {
        refuse_missing(&loaded.report, asked, schema, has_profiles)?;
    }
    Ok(loaded)
}

/// Who ids are once records joined them: each id that is merged into another, with the id that the
/// person goes by, ascending. Records may come in any order and repeat.
pub fn merged_into(records: &[(String, String)]) -> Vec<(String, String)> {
    let spelled = |id: &String| one_spelling(id).to_owned();
    let records: Vec<(String, String)> = records.iter().map(|(from, into)| (spelled(from), spelled(into))).collect();
    let merges = Merges::new(&records);
    let merged = merges.merged().into_iter();
    let pairs = merged.flat_map(|(into, ids)| ids.into_iter().map(move |id| (id.to_owned(), into.to_owned())));
    let mut pairs: Vec<(String, String)> = pairs.collect();
    pairs.sort_unstable();
    pairs
}

/// Each source with the table that stands for its files.
fn tables<'d, T>(
    kind: &str,
    sources: &'d [T],
    names: impl Fn(&T) -> &Vec<String>,
    rows: Vec<TableReader>,
) -> Vec<(&'d T, Vec<DataFile>)> {
    let name = |spec: &T| names(spec).first().map_or(kind, String::as_str).to_owned();
    let table = |spec, rows| DataFile::of_table(name(spec), TableRows::new(rows));
    sources.iter().zip(rows).map(|(spec, rows)| (spec, vec![table(spec, rows)])).collect()
}

/// A column that segments read and that is not there is mostly a mistyped name.
fn refuse_missing(
    report: &Report,
    asked: Option<&Wanted>,
    schema: &Schema,
    has_profiles: bool,
) -> Result<(), ReadError> {
    let why = |column: &str| format!("there is no column `{column}`, which the segments read");
    if let Some(problem) = report.problems.iter().find(|problem| problem.kind == ProblemKind::AbsentColumn) {
        let table = problem.examples.first().map_or("tables", |place| place.file.as_str());
        return Err(ReadError::new(table, why(&problem.column)).of_column(&problem.column));
    }
    let mut attributes = asked.into_iter().flat_map(|asked| &asked.attributes);
    let first = attributes.find_map(|id| schema.attribute(*id)).filter(|_| !has_profiles);
    first.map_or(Ok(()), |field| {
        let message = format!("there is no table of profiles, and the segments read `{}`", field.name);
        Err(ReadError::new("profiles", message).of_column(&field.name))
    })
}
