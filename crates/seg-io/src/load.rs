//! Files to a profile batch: rows are read, typed, and grouped by person.

use crate::attributes::{Attributes, EarlierLines, ProfileSink};
use crate::calls::{CallSink, EVENT, ID, IdentitySink, KnownCalls, Rows, TIME};
use crate::events::{EarlierEvents, EventSink, EventTables};
use crate::loader::{Loader, Progress};
use crate::manifest::{CsvRead, Data, EventFiles, MergeFiles, ProfileFiles, RowsAre};
use crate::merge::{MergeSink, Merges};
use crate::open::{DataFile, Format, alike, find};
use crate::parts::LoadedParts;
use crate::report::{Place, ProblemKind, ReadError, Report};
use crate::rows::{self, Pace, latest_of};
use crate::rules::Rules;
use crate::spill::{Memory, Room};
use crate::store;
use seg_data::{AttributeId, Batch, Schema, Timestamp, Wanted, Zone};
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
    /// The one instant at which segments are evaluated, where there is only one. Data that
    /// ends long before it is told of; what decides nothing at it is left in the files, so
    /// that the batch is right at this instant alone.
    pub now: Option<Timestamp>,
    /// How many threads unpack files and group events by person.
    pub threads: NonZero<usize>,
    /// About how many bytes of a text file a thread reads at once.
    pub piece_bytes: NonZero<usize>,
    /// Is told every few thousand rows how far reading has come.
    pub progress: Option<&'a mut dyn FnMut(Progress)>,
    /// Whether the files of a packed store are mapped into memory, which ends the process
    /// where somebody cuts one of them short meanwhile; else they are read.
    pub is_mapped: bool,
}

impl<'a> LoadRequest<'a> {
    /// All that the files hold, read on one thread and in silence, with times
    /// without an offset in UTC.
    pub fn new(base: &'a Path, data: &'a Data, schema: &'a Arc<Schema>) -> LoadRequest<'a> {
        let (zone, wanted, asked, now, progress) = (None, None, None, None, None);
        let Pace { threads, piece_bytes } = Pace::default();
        LoadRequest { base, data, schema, zone, wanted, asked, now, threads, piece_bytes, progress, is_mapped: true }
    }
}

/// Reads what is wanted of a project's data into one batch, which holds every
/// profile.
///
/// # Errors
/// A file that is not there, cannot be read to its end, or lacks the columns
/// it is said to have. What is wrong with single rows is in the report instead.
pub fn load(request: LoadRequest<'_>) -> Result<Loaded, ReadError> {
    if request.data.store.is_some() {
        return store::load(request);
    }
    read(request, None, |loader, attributes, events| loader.batch(attributes, events))
}

/// The same within so much memory: where everybody's events do not fit, they can be had for
/// some people after others.
///
/// # Errors
/// Those of [`load()`]; people who do not fit, and a disk on which nothing can be put aside.
pub fn load_in_parts(request: LoadRequest<'_>, memory: Memory<'_>) -> Result<LoadedParts, ReadError> {
    if request.data.store.is_some() {
        return store::load_in_parts(request, memory);
    }
    read(request, Some(memory), |loader, attributes, events| loader.parts(attributes, events))
}

/// Reads the files of a project, and makes something of their rows.
fn read<T>(
    request: LoadRequest<'_>,
    memory: Option<Memory<'_>>,
    finish: impl FnOnce(Loader<'_>, Option<Attributes<'_>>, Option<EventTables<'_>>) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let files = Files::find(request.base, request.data)?;
    if files.are_none() {
        return Err(ReadError::new(
            "seg.toml",
            "it names no data; add `[data.events]` with `files`, `id`, `event` and `time`",
        ));
    }
    read_files(&files, request, memory, finish)
}

/// Reads all rows of some files, wherever the request says that its files are.
pub(crate) fn read_files<T>(
    files: &Files<'_>,
    request: LoadRequest<'_>,
    memory: Option<Memory<'_>>,
    finish: impl FnOnce(Loader<'_>, Option<Attributes<'_>>, Option<EventTables<'_>>) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let LoadRequest { schema, zone, wanted, asked, now, threads, piece_bytes, progress, .. } = request;
    let bytes_total = files.all().map(|(_, _, file)| file.size()).sum();
    let mut wanted = wanted.cloned().unwrap_or_else(|| Wanted::everything(schema));
    // Whoever is wanted, it is asked whether they exist yet.
    wanted.attributes.extend(schema.first_seen);
    let mut silence = |_: Progress| {};
    let loader = Loader::new(schema, zone, &wanted, progress.unwrap_or(&mut silence));
    let mut loader = Loader { pace: Pace { threads, piece_bytes }, bytes_total, asked, now, memory, ..loader };
    let (attributes, events) = loader.read(files, |_| Ok(Seeds::default()))?;
    finish(loader, attributes, events)
}

/// The files of each source of a project.
pub(crate) struct Files<'d> {
    pub profiles: Sources<'d, ProfileFiles>,
    pub events: Sources<'d, EventFiles>,
    pub merges: Sources<'d, MergeFiles>,
    pub calls: Vec<DataFile>,
}

impl<'d> Files<'d> {
    /// Those that the patterns of each source name.
    pub fn find(base: &Path, data: &'d Data) -> Result<Files<'d>, ReadError> {
        let calls = with_files(base, data, &data.calls, |spec| &spec.files)?;
        Ok(Files {
            profiles: with_files(base, data, &data.profiles, |spec| &spec.files)?,
            events: with_files(base, data, &data.events, |spec| &spec.files)?,
            merges: with_files(base, data, &data.merges, |spec| &spec.files)?,
            calls: calls.into_iter().flat_map(|(_, files)| files).collect(),
        })
    }

    /// Whether there is no source of people or events.
    pub fn are_none(&self) -> bool {
        self.profiles.is_empty() && self.events.is_empty() && self.calls.is_empty()
    }

    /// Each file with the kind of its source and the source's place among those.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, usize, &DataFile)> {
        fn of<'s, T>(
            kind: &'static str,
            sources: &'s Sources<'_, T>,
        ) -> impl Iterator<Item = (&'static str, usize, &'s DataFile)> {
            let files = sources.iter().enumerate();
            files.flat_map(move |(at, (_, files))| files.iter().map(move |file| (kind, at, file)))
        }
        let calls = self.calls.iter().map(|file| ("calls", 0, file));
        of("profiles", &self.profiles).chain(of("events", &self.events)).chain(of("merges", &self.merges)).chain(calls)
    }
}

/// What was read before some files.
#[derive(Default)]
pub(crate) struct Seeds<'a> {
    /// Of people.
    pub lines: Option<EarlierLines>,
    /// Of events.
    pub events: Option<EarlierEvents<'a>>,
}

/// Sources with their files.
pub(crate) type Sources<'d, T> = Vec<(&'d T, Vec<DataFile>)>;

pub(crate) fn with_files<'d, T>(
    base: &Path,
    data: &Data,
    sources: &'d [T],
    files: impl Fn(&T) -> &Vec<String>,
) -> Result<Sources<'d, T>, ReadError> {
    let found = |source| find(base, files(source), &data.elsewhere);
    sources.iter().map(|source| Ok((source, found(source)?))).collect()
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
    let mut attributes = Attributes::new(schema, &wanted);
    let spec = ProfileFiles { time: Some(LINE_TIME.to_owned()), ..ProfileFiles::new(Vec::new(), "id") };
    let mut sink = ProfileSink::new(&mut loader, &mut attributes, &profile_file, &spec);
    rows::read_lines(&profile_file, profiles, &mut sink)?;
    let mut tables = EventTables::new(schema, &wanted);
    let spec = EventFiles::new(Vec::new(), "id", "event", "time");
    let mut sink = EventSink::new(&mut loader, &mut tables, &event_file, &spec, true);
    rows::read_lines(&event_file, events, &mut sink)?;
    loader.batch(Some(attributes), Some(tables))
}

impl<'a> Loader<'a> {
    /// Reads all rows of some files. Who is one is known before anything else is read; then
    /// `seed` gives what was read before these files, if anything was.
    pub fn read(
        &mut self,
        files: &Files<'_>,
        seed: impl FnOnce(&mut Self) -> Result<Seeds<'a>, ReadError>,
    ) -> Result<(Option<Attributes<'a>>, Option<EventTables<'a>>), ReadError> {
        let Files { profiles, events, merges, calls } = files;
        let schema: &'a Schema = self.schema;
        let of_rows = profiles.iter().flat_map(|(_, files)| files).chain(events.iter().flat_map(|(_, files)| files));
        for (first, second) in alike(of_rows.chain(calls)) {
            let place = || Place { file: second.name.clone(), line: 1, value: String::new() };
            self.report.add(ProblemKind::SameContent, &first.name, place);
        }
        self.merges(merges, calls)?;
        let Seeds { lines, events: earlier } = seed(self)?;
        let has_profiles = !profiles.is_empty();
        let has_people = has_profiles || !calls.is_empty();
        let attributes = if has_people { Some(self.profiles(profiles, calls, lines)?) } else { None };
        let has_events = !events.is_empty() || !calls.is_empty();
        self.all_exist = calls.is_empty() && self.all_exist(attributes.as_ref(), events)?;
        let tables = || EventTables::new(schema, self.wanted);
        let mut tables = has_events.then(tables);
        if let Some(tables) = &mut tables {
            if let Some(memory) = self.memory {
                tables.keep_within(Room::new(memory, attributes.as_ref().map_or(0, Attributes::n_bytes)));
            }
            earlier.into_iter().for_each(|earlier| tables.begin_after(earlier));
            self.events(tables, events, calls, has_profiles)?;
        }
        Ok((attributes, tables))
    }

    /// Merge records come first: whose rows the others are depends on them.
    fn merges(&mut self, sources: &Sources<'_, MergeFiles>, calls: &[DataFile]) -> Result<(), ReadError> {
        let mut records = std::mem::take(&mut self.records);
        records.extend(self.identities(calls)?);
        for (spec, files) in sources {
            self.rules = Rules::new(&spec.reading);
            for file in files {
                let (read, pace) = (Arc::clone(&self.read), self.pace);
                let partitions = self.partitions(file);
                let (report, records, rules) = (&mut self.report, &mut records, &self.rules);
                let mut sink =
                    MergeSink { report, file, spec, rules, records, has_columns: false, from_at: None, into_at: None };
                let special = [spec.from.as_str(), &spec.into];
                rows::read_mapped(file, &spec.reading, (&special, &partitions), &read, pace, &mut sink)?;
                let found = [(&spec.from, sink.from_at), (&spec.into, sink.into_at)];
                if sink.has_columns {
                    lacks(file, &found)?;
                }
                self.report.files += 1;
            }
        }
        self.people.merges = Merges::new(&records);
        self.records = records;
        Ok(())
    }

    /// Ids that are one by these calls, and were not by those before them.
    fn identities(&mut self, calls: &[DataFile]) -> Result<Vec<(String, String)>, ReadError> {
        let mut known = self.calls.take();
        let mut own = KnownCalls::default();
        let identities = &mut known.as_mut().unwrap_or(&mut own).identities;
        let (before, shared_before) = identities.records();
        for file in calls {
            let mut sink = IdentitySink::new(identities, self.zone);
            // Its bytes are counted when the events are read.
            rows::read(file, &CsvRead::default(), &Arc::default(), self.pace, &mut sink)?;
        }
        let (mut records, shared) = identities.records();
        // What was one stays one: nobody knows any longer which of what a person did was under which id.
        if let Some((id, of)) = before.iter().find(|record| records.binary_search(record).is_err()) {
            let why = format!(
                "`{id}` is `{of}` by the calls that the store has, and an earlier one among those that are new says \
                 otherwise; `seg pack` packs all of it again"
            );
            return Err(ReadError::new("calls", why));
        }
        for id in shared.into_iter().filter(|id| shared_before.binary_search(id).is_err()) {
            let place = || Place { file: "calls".to_owned(), line: 0, value: id };
            self.report.add(ProblemKind::SharedDevice, "", place);
        }
        self.calls = known;
        records.retain(|record| before.binary_search(record).is_err());
        Ok(records)
    }

    fn profiles(
        &mut self,
        sources: &Sources<'_, ProfileFiles>,
        calls: &[DataFile],
        earlier: Option<EarlierLines>,
    ) -> Result<Attributes<'a>, ReadError> {
        let schema: &'a Schema = self.schema;
        let mut attributes = Attributes::new(schema, self.wanted);
        earlier.into_iter().for_each(|lines| attributes.begin_with(lines));
        let mut absent = Absent::default();
        for (spec, files) in sources {
            self.rules = Rules::new(&spec.reading);
            attributes.begin_source(spec.rows);
            let n_blanks = self.people.n_blanks;
            for file in files {
                let (read, pace) = (Arc::clone(&self.read), self.pace);
                let partitions = self.partitions(file);
                let mut sink = ProfileSink::new(self, &mut attributes, file, spec);
                let special: Vec<&str> = std::iter::once(&spec.id).chain(&spec.time).map(String::as_str).collect();
                rows::read_mapped(file, &spec.reading, (&special, &partitions), &read, pace, &mut sink)?;
                let found = sink.found();
                lacks(file, &found)?;
                absent.file(&file.name, sink.absent());
                self.report.files += 1;
            }
            absent.end_of_source(&mut self.report, schema);
            self.report.add_times(ProblemKind::Blanks, &spec.id, self.people.n_blanks - n_blanks);
        }
        if !calls.is_empty() {
            self.rules = Rules::default();
            attributes.begin_source(RowsAre::Changes);
            let spec = ProfileFiles { time: Some(TIME.to_owned()), ..ProfileFiles::new(Vec::new(), ID) };
            for file in calls {
                let pace = self.pace;
                let mut sink = ProfileSink::new(self, &mut attributes, file, &spec);
                let mut people = CallSink::of_each(&mut sink, Rows::People, schema);
                rows::read(file, &CsvRead::default(), &Arc::default(), pace, &mut people)?;
                absent.file(&file.name, sink.absent());
            }
            absent.end_of_source(&mut self.report, schema);
        }
        absent.end(&mut self.report, schema);
        Ok(attributes)
    }

    fn events(
        &mut self,
        tables: &mut EventTables<'a>,
        sources: &Sources<'_, EventFiles>,
        calls: &[DataFile],
        has_profiles: bool,
    ) -> Result<(), ReadError> {
        let schema: &'a Schema = self.schema;
        for (spec, files) in sources {
            self.rules = Rules::new(&spec.reading);
            let n_blanks = self.people.n_blanks;
            for file in files {
                let (read, pace) = (Arc::clone(&self.read), self.pace);
                let partitions = self.partitions(file);
                let before = tables.numbers();
                let sink = EventSink::new(self, tables, file, spec, has_profiles);
                let mut sink = sink.with_others(used_by_others(sources, spec, file));
                let special = [spec.id.as_str(), &spec.event, &spec.time];
                rows::read_mapped(file, &spec.reading, (&special, &partitions), &read, pace, &mut sink)?;
                let found = sink.found();
                lacks(file, &found)?;
                sink.tell_of_absent_columns(&before);
                tables.take_failure()?;
                self.report.files += 1;
            }
            self.report.add_times(ProblemKind::Blanks, &spec.id, self.people.n_blanks - n_blanks);
        }
        let mut known = self.calls.take();
        let mut own = KnownCalls::default();
        let seen = &mut known.as_mut().unwrap_or(&mut own).messages;
        self.rules = Rules::default();
        let spec = EventFiles::new(Vec::new(), ID, EVENT, TIME);
        for file in calls {
            let (read, pace, before) = (Arc::clone(&self.read), self.pace, tables.numbers());
            let mut sink = EventSink::new(self, tables, file, &spec, has_profiles);
            let mut events = CallSink::new(&mut sink, Rows::Events, schema, seen);
            rows::read(file, &CsvRead::default(), &read, pace, &mut events)?;
            sink.tell_of_absent_columns(&before);
            tables.take_failure()?;
            self.report.files += 1;
        }
        self.calls = known;
        self.absent_events(&tables.numbers());
        Ok(())
    }

    /// Whether statistics prove that everybody who was met exists at the one instant that
    /// is asked about: no row of a person and no event is later.
    fn all_exist(
        &self,
        attributes: Option<&Attributes<'_>>,
        sources: &Sources<'_, EventFiles>,
    ) -> Result<bool, ReadError> {
        let Some(at) = self.now.filter(|at| attributes.is_none_or(|rows| rows.are_until(*at))) else {
            return Ok(false);
        };
        for (spec, file) in sources.iter().flat_map(|(spec, files)| files.iter().map(move |file| (spec, file))) {
            // The column of the file that stands for the times, if one does.
            let column = spec.reading.columns.get(&spec.time).unwrap_or(&spec.time);
            let is_said = spec.reading.values.contains_key(&spec.time)
                || self.partitions(file).iter().any(|(name, _)| *name == spec.time);
            let latest = match file.format {
                Format::Parquet if is_said => None,
                Format::Parquet => latest_of(file, column, self.zone)?,
                Format::Csv | Format::Tsv | Format::Json | Format::Arrow => None,
            };
            if latest.is_none_or(|latest| latest > at) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the folders of a file say that the schema or the source has a name for.
    fn partitions(&self, file: &DataFile) -> Vec<(String, String)> {
        let is_known = |name: &str| {
            self.schema.attributes.iter().any(|field| field.name == name)
                || self.schema.events.iter().any(|event| event.properties.iter().any(|field| field.name == name))
        };
        file.partitions.iter().filter(|(name, _)| is_known(name)).cloned().collect()
    }

    /// Tells of events that segments ask about and that no file has.
    pub fn absent_events(&mut self, numbers: &[u64]) {
        let Some(asked) = self.asked else { return };
        // Who asks for anything names no event.
        if asked.events.len() > 1 && asked.events.len() == self.schema.events.len() {
            return;
        }
        for id in asked.events.keys() {
            if let (Some(0), Some(event)) = (numbers.get(id.idx()), self.schema.event(*id)) {
                self.report.add_without_place(ProblemKind::AbsentEvent, &event.name);
            }
        }
    }
}

/// A file without the columns it is said to have is another file.
pub(crate) fn lacks(file: &DataFile, columns: &[(&String, Option<usize>)]) -> Result<(), ReadError> {
    match columns.iter().find(|(_, at)| at.is_none()) {
        Some((name, _)) if file.table.is_some() => {
            Err(ReadError::new(&file.name, format!("there is no column `{name}`")).of_column(name))
        }
        Some((name, _)) => {
            let message = format!("there is no column `{name}`, which seg.toml says it has");
            Err(ReadError::new(&file.name, message).of_column(name))
        }
        None => Ok(()),
    }
}

/// Which attributes that segments ask about the files of people lack.
#[derive(Default)]
struct Absent {
    /// Of the source at hand: each file with what it lacks.
    files: Vec<(String, Vec<AttributeId>)>,
    /// What every file of every source lacked so far, and by which files.
    nowhere: Option<Vec<(AttributeId, Vec<String>)>>,
}

impl Absent {
    fn file(&mut self, name: &str, lacks: Vec<AttributeId>) {
        self.files.push((name.to_owned(), lacks));
    }

    /// Tells of what one file of the source lacks and another has. What none has may be in
    /// another source.
    fn end_of_source(&mut self, report: &mut Report, schema: &Schema) {
        let files = std::mem::take(&mut self.files);
        let mut ids: Vec<AttributeId> = files.iter().flat_map(|(_, lacks)| lacks.iter().copied()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut nowhere = Vec::new();
        for id in ids {
            let without = files.iter().filter(|(_, lacks)| lacks.contains(&id));
            let without: Vec<String> = without.map(|(name, _)| name.clone()).collect();
            if without.len() == files.len() {
                nowhere.push((id, without));
            } else {
                tell(report, schema, id, &without);
            }
        }
        self.nowhere = Some(match self.nowhere.take() {
            None => nowhere,
            Some(before) => {
                let still = before.into_iter().filter_map(|(id, mut files)| {
                    let (_, here) = nowhere.iter().find(|(other, _)| *other == id)?;
                    files.extend(here.iter().cloned());
                    Some((id, files))
                });
                still.collect()
            }
        });
    }

    /// Tells of what no file of any source has.
    fn end(self, report: &mut Report, schema: &Schema) {
        for (id, files) in self.nowhere.into_iter().flatten() {
            tell(report, schema, id, &files);
        }
    }
}

fn tell(report: &mut Report, schema: &Schema, id: AttributeId, files: &[String]) {
    let name = schema.attribute(id).map_or("", |field| &field.name);
    for file in files {
        let place = || Place { file: file.clone(), line: 1, value: String::new() };
        report.add(ProblemKind::AbsentColumn, name, place);
    }
}

/// The columns of a file that other sources of events than this one use.
pub(crate) fn used_by_others(sources: &Sources<'_, EventFiles>, own: &EventFiles, file: &DataFile) -> Vec<String> {
    let others = sources
        .iter()
        .filter(|(spec, files)| !std::ptr::eq(*spec, own) && files.iter().any(|other| other.path == file.path));
    let columns = others.flat_map(|(spec, _)| {
        let special = [&spec.id, &spec.event, &spec.time].into_iter();
        special.chain(&spec.reading.other_ids).chain(spec.reading.columns.values())
    });
    columns.cloned().collect()
}
