//! Files to a profile batch: rows are read, typed, and grouped by person.

use crate::attributes::{Attributes, ProfileSink};
use crate::events::{EventSink, EventTables};
use crate::loader::{Loader, Progress};
use crate::manifest::{Data, EventFiles, MergeFiles, ProfileFiles, RowsAre};
use crate::merge::{MergeSink, Merges};
use crate::open::{DataFile, find};
use crate::report::{ProblemKind, ReadError, Report};
use crate::rows;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field as ArrowField, Schema as ArrowSchema};
use seg_data::batch::{BatchError, EXISTS_COLUMN, ID_COLUMN, MERGED_COLUMN};
use seg_data::{Batch, Schema, Timestamp, Wanted, Zone, parallel};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

/// A batch with what reading it found.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Everybody, with what was wanted of them.
    pub batch: Batch,
    /// How much was read, and what was wrong with it.
    pub report: Report,
    /// The latest event, whatever `now` is.
    pub last_event: Option<Timestamp>,
}

/// The files of a project, and what of them becomes a batch.
pub struct LoadRequest<'a> {
    /// The directory to which the paths of `data` are relative.
    pub base: &'a Path,
    /// The files and what their columns hold.
    pub data: &'a Data,
    /// The schema that the batch is of, by which values are read.
    pub schema: &'a Arc<Schema>,
    /// Whose clock a time without an offset means; UTC where there is none.
    pub zone: Option<Zone>,
    /// The attributes and events that are kept; all of them where it is `None`.
    /// What is not wanted is not looked at, but events are still counted.
    pub wanted: Option<&'a Wanted>,
    /// What segments ask about: that a file lacks it is a problem of the data.
    pub asked: Option<&'a Wanted>,
    /// How many threads unpack files and group events by person.
    pub threads: NonZero<usize>,
    /// Is told every few thousand rows how far reading has come.
    pub progress: Option<&'a mut dyn FnMut(Progress)>,
}

impl<'a> LoadRequest<'a> {
    /// All that the files hold, read on one thread and in silence, with times
    /// without an offset in UTC.
    pub fn new(base: &'a Path, data: &'a Data, schema: &'a Arc<Schema>) -> LoadRequest<'a> {
        let (zone, wanted, asked, progress) = (None, None, None, None);
        LoadRequest { base, data, schema, zone, wanted, asked, threads: NonZero::<usize>::MIN, progress }
    }
}

/// Reads what is wanted of a project's data into one batch, which holds every
/// profile.
///
/// # Errors
/// A file that is not there, cannot be read to its end, or lacks the columns
/// it is said to have. What is wrong with single rows is in the report instead.
pub fn load(request: LoadRequest<'_>) -> Result<Loaded, ReadError> {
    let LoadRequest { base, data, schema, zone, wanted, asked, threads, progress } = request;
    let profile_files = data.profiles.as_ref().map(|p| find(base, &p.files)).transpose()?.unwrap_or_default();
    let event_files = data.events.as_ref().map(|e| find(base, &e.files)).transpose()?.unwrap_or_default();
    let merge_files = data.merges.as_ref().map(|m| find(base, &m.files)).transpose()?.unwrap_or_default();
    if profile_files.is_empty() && event_files.is_empty() {
        return Err(ReadError::new(
            "seg.toml",
            "it names no data; add `[data.events]` with `files`, `id`, `event` and `time`",
        ));
    }
    let bytes_total = profile_files.iter().chain(&event_files).chain(&merge_files).map(DataFile::size).sum();
    let mut wanted = wanted.cloned().unwrap_or_else(|| Wanted::everything(schema));
    // Whoever is wanted, it is asked whether they exist yet.
    wanted.attributes.extend(schema.first_seen);
    let mut silence = |_: Progress| {};
    let loader = Loader::new(schema, zone, &wanted, progress.unwrap_or(&mut silence));
    let mut loader = Loader { threads, bytes_total, asked, ..loader };
    if let Some(spec) = &data.merges {
        loader.merges(spec, &merge_files)?;
    }
    let attributes = match &data.profiles {
        Some(spec) => Some(loader.profiles(spec, &profile_files)?),
        None => None,
    };
    let events = match &data.events {
        Some(spec) => Some(loader.events(spec, &event_files, attributes.is_some())?),
        None => None,
    };
    loader.batch(attributes, events)
}

/// The field that says since when a profile's line of [`load_lines`] holds.
pub const LINE_TIME: &str = "$time";

/// Reads people from lines of JSON rather than from files: profiles with their
/// `id`, perhaps with [`LINE_TIME`], and events with `id`, `event` and `time`.
///
/// # Errors
/// Lines without a column that must be there. What is wrong with single lines is in
/// the report instead.
pub fn load_lines(schema: &Arc<Schema>, zone: Option<Zone>, profiles: &str, events: &str) -> Result<Loaded, ReadError> {
    let wanted = Wanted::everything(schema);
    let mut silence = |_: Progress| {};
    let mut loader = Loader::new(schema, zone, &wanted, &mut silence);
    let file = |name: &str| DataFile::of_lines(name);
    let (profile_file, event_file) = (file("profiles"), file("events"));
    let mut attributes = Attributes::new(schema, &wanted, RowsAre::default());
    let spec = ProfileFiles {
        files: Vec::new(),
        id: "id".to_owned(),
        time: Some(LINE_TIME.to_owned()),
        rows: RowsAre::default(),
    };
    let mut sink = ProfileSink::new(&mut loader, &mut attributes, &profile_file, &spec);
    rows::read_lines(&profile_file, profiles, &mut sink)?;
    let mut tables = EventTables::new(schema, &wanted);
    let name = |name: &str| name.to_owned();
    let spec = EventFiles { files: Vec::new(), id: name("id"), event: name("event"), time: name("time") };
    let mut sink = EventSink::new(&mut loader, &mut tables, &event_file, &spec, true);
    rows::read_lines(&event_file, events, &mut sink)?;
    loader.batch(Some(attributes), Some(tables))
}

impl<'a> Loader<'a> {
    /// Merge records come first: whose rows the others are depends on them.
    fn merges(&mut self, spec: &MergeFiles, files: &[DataFile]) -> Result<(), ReadError> {
        let mut records = Vec::new();
        for file in files {
            let (read, threads) = (Arc::clone(&self.read), self.threads);
            let (report, records) = (&mut self.report, &mut records);
            let mut sink = MergeSink { report, file, spec, records, from_at: None, into_at: None };
            rows::read(file, &read, threads, &mut sink)?;
            let found = [(&spec.from, sink.from_at), (&spec.into, sink.into_at)];
            lacks(file, &found)?;
            self.report.files += 1;
        }
        self.people.merges = Merges::new(&records);
        Ok(())
    }

    fn profiles(&mut self, spec: &ProfileFiles, files: &[DataFile]) -> Result<Attributes<'a>, ReadError> {
        let schema: &'a Schema = self.schema;
        let mut attributes = Attributes::new(schema, self.wanted, spec.rows);
        for file in files {
            let (read, threads) = (Arc::clone(&self.read), self.threads);
            let mut sink = ProfileSink::new(self, &mut attributes, file, spec);
            rows::read(file, &read, threads, &mut sink)?;
            let found = sink.found();
            lacks(file, &found)?;
            sink.tell_of_absent_columns();
            self.report.files += 1;
        }
        Ok(attributes)
    }

    fn events(
        &mut self,
        spec: &EventFiles,
        files: &[DataFile],
        has_profiles: bool,
    ) -> Result<EventTables<'a>, ReadError> {
        let schema: &'a Schema = self.schema;
        let mut tables = EventTables::new(schema, self.wanted);
        for file in files {
            let (read, threads) = (Arc::clone(&self.read), self.threads);
            let before = tables.numbers();
            let mut sink = EventSink::new(self, &mut tables, file, spec, has_profiles);
            rows::read(file, &read, threads, &mut sink)?;
            let found = sink.found();
            lacks(file, &found)?;
            sink.tell_of_absent_columns(&before);
            self.report.files += 1;
        }
        self.absent_events(&tables);
        Ok(tables)
    }

    /// Tells of events that segments ask about and that no file has.
    fn absent_events(&mut self, tables: &EventTables<'_>) {
        let Some(asked) = self.asked else { return };
        // Who asks for anything names no event.
        if asked.events.len() > 1 && asked.events.len() == self.schema.events.len() {
            return;
        }
        let numbers = tables.numbers();
        for id in asked.events.keys() {
            if let (Some(0), Some(event)) = (numbers.get(id.idx()), self.schema.event(*id)) {
                self.report.add_without_place(ProblemKind::AbsentEvent, &event.name);
            }
        }
    }

    fn batch(
        mut self,
        attributes: Option<Attributes<'_>>,
        events: Option<EventTables<'_>>,
    ) -> Result<Loaded, ReadError> {
        let n_people = self.people.len();
        let ids = self.people.finish().map_err(|why| ReadError::new("data", why))?;
        let merged = merged_ids(&self.people.merges, &ids);
        let mut fields = vec![ArrowField::new(ID_COLUMN, DataType::Utf8, false)];
        let mut columns: Vec<ArrayRef> = vec![Arc::new(ids)];
        let internal = |e: arrow_schema::ArrowError| ReadError::new("data", format!("grouping by person failed: {e}"));
        let mut existence = std::mem::take(&mut self.existence);
        for (field, array) in attributes.into_iter().flat_map(|a| a.finish(n_people, &mut existence)) {
            let array = array.map_err(internal)?;
            fields.push(ArrowField::new(&field.name, array.data_type().clone(), true));
            columns.push(array);
        }
        if let Some(from) = existence.finish(n_people) {
            fields.push(ArrowField::new(EXISTS_COLUMN, from.data_type().clone(), true));
            columns.push(from);
        }
        if let Some(merged) = merged {
            fields.push(ArrowField::new(MERGED_COLUMN, merged.data_type().clone(), true));
            columns.push(merged);
        }
        let mut last_event = None;
        if let Some(events) = events {
            (self.report.events, last_event) = events.counts();
            for (event, array) in events.finish(n_people, self.threads) {
                let array = array.map_err(|why| ReadError::new("data", why))?;
                fields.push(ArrowField::new(&event.name, array.data_type().clone(), false));
                columns.push(array);
            }
        }
        self.report.profiles = n_people as u64;
        let records = RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns).map_err(internal)?;
        let failed = |e: BatchError| ReadError::new("data", format!("grouping by person failed: {e}"));
        let batch = Batch::new(Arc::clone(self.schema), records).map_err(failed)?;
        self.check(&batch).map_err(failed)?;
        Ok(Loaded { batch, report: self.report, last_event })
    }

    /// Checks every column, each thread some of them.
    fn check(&self, batch: &Batch) -> Result<(), BatchError> {
        let mut found: Vec<Result<(), BatchError>> = (0..batch.n_columns()).map(|_| Ok(())).collect();
        let work: Vec<_> = found.iter_mut().enumerate().collect();
        parallel::each(work, self.threads, || (), |(), (at, to)| *to = batch.check_column(at));
        found.into_iter().collect()
    }
}

/// For each person the ids that were merged into theirs; none where no ids are merged.
fn merged_ids(merges: &Merges, ids: &StringArray) -> Option<ArrayRef> {
    if merges.is_empty() {
        return None;
    }
    let merged = merges.merged();
    let mut lists = ListBuilder::new(StringBuilder::new());
    for id in ids.iter().flatten() {
        let of_person = merged.get(id).map_or(&[][..], Vec::as_slice);
        of_person.iter().for_each(|id| lists.values().append_value(id));
        lists.append(true);
    }
    Some(Arc::new(lists.finish()))
}

/// A file without the columns it is said to have is another file.
fn lacks(file: &DataFile, columns: &[(&String, Option<usize>)]) -> Result<(), ReadError> {
    match columns.iter().find(|(_, at)| at.is_none()) {
        Some((name, _)) => {
            Err(ReadError::new(&file.name, format!("there is no column `{name}`, which seg.toml says it has")))
        }
        None => Ok(()),
    }
}
