//! Packing: files of a project read behind what a store has, and the store's next state.

use super::calls::NewCalls;
use super::catalog::{Catalog, PARTITIONS_FILE, PackedInput, Partition, rules};
use super::column::Reader;
use super::disk::Watch;
use super::earlier::Earlier;
use super::generation::number_of;
use super::location::Location;
use super::lock::WriterLock;
use super::people::{line_columns, proof_columns, record_columns};
use super::write::{NewAttributes, NewEvents, NewPeople, NewRows, NewState};
use crate::assemble::merged_ids;
use crate::attributes::{Attributes, EarlierLines};
use crate::calls::KnownCalls;
use crate::events::EventTables;
use crate::existence::Proof;
use crate::ipc::Columns;
use crate::load::{Files, Seeds};
use crate::loader::{Loader, Progress};
use crate::manifest::Data;
use crate::open::DataFile;
use crate::report::{ReadError, Report};
use crate::rows::Pace;
use crate::sequences::{Parts, Sequences};
use crate::spill::{Memory, Spill};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray, UInt32Array};
use arrow_schema::ArrowError;
use arrow_select::take::take;
use seg_data::schema::Event;
use seg_data::{Schema, Wanted, Zone, parallel};
use std::collections::HashMap;
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Generations are put together when there are so many of them,
const GENERATIONS_MAX: usize = 16;
/// or when those behind the first have this part of its events.
const DELTA_PART: u64 = 10;

/// What is packed.
pub struct PackRequest<'a> {
    /// The directory to which the paths of `data` are relative.
    pub base: &'a Path,
    /// The files, what their columns hold, and the folder of the store.
    pub data: &'a Data,
    /// The schema by which values are read.
    pub schema: &'a Arc<Schema>,
    /// Whose clock a time without an offset means; UTC where there is none.
    pub zone: Option<Zone>,
    /// Whether the store keeps what it has, and only files that it does not have are added.
    pub append: bool,
    /// How many threads unpack files and group events by person.
    pub threads: NonZero<usize>,
    /// How much memory may be taken; as much as it takes where it is not said. A store that
    /// is packed within a bound has a part for as many people as there was room for.
    pub memory: Option<Memory<'a>>,
    /// Is told every few thousand rows how far reading has come.
    pub progress: Option<&'a mut dyn FnMut(Progress)>,
}

/// The files have been read, and nothing was written yet. As long as it is there nobody else
/// changes the store.
pub struct Packing {
    root: PathBuf,
    _lock: WriterLock,
    schema: Arc<Schema>,
    threads: NonZero<usize>,
    report: Report,
    /// None where there was nothing to read.
    read: Option<ReadRows>,
    before: Option<Earlier>,
    /// For each row of the store which row it is now.
    rows: Vec<u32>,
    /// Whether people may become one later.
    may_unite: bool,
    /// Whether memory is bounded, so that what the store has is not put together.
    is_bounded: bool,
    catalog: Catalog,
}

/// What reading gave, a row a person that was met.
struct ReadRows {
    ids: StringArray,
    exists: Option<ArrayRef>,
    merged: Option<ArrayRef>,
    proofs: Vec<Proof>,
    records: Vec<(String, String)>,
    calls: Option<KnownCalls>,
    merges: crate::merge::Merges,
    attributes: Option<(Columns, EarlierLines)>,
    events: ReadEvents,
    n_events: u64,
}

/// The events that reading gave.
enum ReadEvents {
    /// Of everybody, for each event of the schema.
    Here(Vec<Sequences>),
    /// Put aside on the disk, for memory has no room for them.
    Spilled(Spill),
}

impl ReadEvents {
    /// The rows of people whose events memory has room for together.
    fn parts(&self, n_people: usize) -> Vec<Range<usize>> {
        match self {
            ReadEvents::Here(_) => std::iter::once(0..n_people).collect(),
            ReadEvents::Spilled(spill) => spill.parts(n_people),
        }
    }
}

/// What a packing did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packed {
    /// How many people and events the store has now.
    pub n_people: u64,
    /// See [`Packed::n_people`].
    pub n_events: u64,
    /// How many of them are new.
    pub n_new_people: u64,
    /// See [`Packed::n_new_people`].
    pub n_new_events: u64,
    /// How many files were packed.
    pub n_files: u64,
    /// The bytes of the store now.
    pub bytes: u64,
    /// Whether all that the store has was written anew, since generations had become many or
    /// people of the store had become one.
    pub is_whole: bool,
}

impl Packing {
    /// Reads the files.
    ///
    /// # Errors
    /// Those of [`crate::load()`]; somebody else who changes the store; where a store is to be
    /// added to: no store, one that is damaged, or one that was packed by other rules.
    pub fn read(request: PackRequest<'_>) -> Result<Packing, ReadError> {
        let PackRequest { base, data, schema, zone, append, threads, memory, progress } = request;
        let root = super::root(base, data)?;
        refuse_others(&root)?;
        std::fs::create_dir_all(&root).map_err(|error| ReadError::new(root.to_string_lossy(), error.to_string()))?;
        let lock = WriterLock::take(&root)?;
        refuse_partition(&root)?;
        let before = match append {
            true => Some(continued(&root, data, schema, zone)?),
            false => None,
        };
        let mut files = Files::find(base, data)?;
        if files.are_none() {
            let why = "it names no data to be packed; add `[data.events]` with `files`, `id`, `event` and `time`";
            return Err(ReadError::new("seg.toml", why));
        }
        let known = before.as_ref().map(|before| before.catalog.packed()).unwrap_or_default();
        retain_new(&mut files, &known)?;
        let mut catalog = before.as_ref().map_or_else(|| Catalog::empty(data, schema, zone), |b| b.catalog.clone());
        let n_files = files.all().count();
        let mut packing = Packing {
            root,
            _lock: lock,
            schema: Arc::clone(schema),
            threads,
            report: Report::default(),
            read: None,
            before,
            rows: Vec::new(),
            may_unite: !data.merges.is_empty() || !data.calls.is_empty(),
            is_bounded: memory.is_some(),
            catalog: catalog.clone(),
        };
        if n_files == 0 {
            return Ok(packing);
        }
        let inputs = files.all().map(|(kind, source, file)| PackedInput {
            kind: kind.to_owned(),
            source,
            name: file.name.clone(),
            bytes: file.size(),
        });
        catalog.inputs.extend(inputs);
        let wanted = Wanted::everything(schema);
        let mut silence = |_: Progress| {};
        let loader = Loader::new(schema, zone, &wanted, progress.unwrap_or(&mut silence));
        let bytes_total = files.all().map(|(_, _, file)| file.size()).sum();
        let calls = match &packing.before {
            _ if data.calls.is_empty() => None,
            Some(before) => Some(before.calls()?),
            None => Some(KnownCalls::default()),
        };
        let mut loader = Loader { pace: Pace { threads, ..Pace::default() }, bytes_total, memory, calls, ..loader };
        packing.read_files(&mut loader, &files, &mut catalog)?;
        packing.catalog = catalog;
        Ok(packing)
    }

    fn read_files<'a>(
        &mut self,
        loader: &mut Loader<'a>,
        files: &Files<'_>,
        catalog: &mut Catalog,
    ) -> Result<(), ReadError> {
        let has_rows_of_people = files.profiles.iter().any(|(_, files)| !files.is_empty()) || !files.calls.is_empty();
        if let Some(before) = &self.before {
            loader.records = before.records()?;
        }
        let (mut rows, mut with_lines) = (Vec::new(), true);
        let (attributes, events) = loader.read(files, |loader| {
            let Some(before) = &self.before else { return Ok(Seeds::default()) };
            let (now, seeds) = before.seed(loader, has_rows_of_people)?;
            with_lines = seeds.lines.is_some();
            rows = now;
            Ok(seeds)
        })?;
        // Without the earlier rows of people nothing can be said of who lacks what.
        let attributes = attributes.filter(|_| with_lines);
        loader.tell_of_values(attributes.as_ref(), events.as_ref());
        if let Some(tables) = &events {
            let (n_new, last) = tables.counts();
            loader.report.events = n_new;
            (catalog.n_arrived, catalog.last_event) = (tables.n_arrived(), last.map(|time| time.0));
        }
        self.read = Some(finished(loader, attributes, events, self.threads)?);
        self.rows = rows;
        self.report = std::mem::take(&mut loader.report);
        catalog.n_rows += self.report.rows;
        let mut told = Report::default();
        told.add_all(&catalog.problems);
        told.add_all(&self.report.problems);
        catalog.problems = told.problems;
        Ok(())
    }

    /// What was wrong with the files that were read.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Whether the store has every file already.
    pub fn is_nothing(&self) -> bool {
        self.read.is_none()
    }

    /// Writes the store's next state, and makes it the one that others read.
    ///
    /// # Errors
    /// What the file system says, and more than a store holds; the store is what it was.
    pub fn write<'w>(self, watch: Option<&'w mut Watch<'w>>) -> Result<Packed, ReadError> {
        let n_files = (self.catalog.inputs.len() - self.before.as_ref().map_or(0, |b| b.catalog.inputs.len())) as u64;
        let (people_before, events_before) =
            self.before.as_ref().map_or((0, 0), |before| (before.catalog.n_people, before.catalog.n_events));
        let Packing { root, _lock, schema, threads, read, before, rows, may_unite, is_bounded, catalog, .. } = self;
        let Some(read) = read else {
            let (n_people, n_events, bytes) = (catalog.n_people, catalog.n_events, catalog.bytes());
            let (n_new_people, n_new_events, is_whole) = (0, 0, false);
            return Ok(Packed { n_people, n_events, n_new_people, n_new_events, n_files, bytes, is_whole });
        };
        let next = Next { schema: &schema, threads, before: before.as_ref(), rows, read, may_unite, is_bounded };
        let (state, is_whole) = next.state(catalog)?;
        let catalog = state.write(&root, watch)?;
        Ok(Packed {
            n_people: catalog.n_people,
            n_events: catalog.n_events,
            n_new_people: catalog.n_people.saturating_sub(people_before),
            n_new_events: catalog.n_events.saturating_sub(events_before),
            n_files,
            bytes: catalog.bytes(),
            is_whole,
        })
    }
}

/// The store's next state, of what was read and what is there.
struct Next<'n> {
    schema: &'n Schema,
    threads: NonZero<usize>,
    before: Option<&'n Earlier>,
    rows: Vec<u32>,
    read: ReadRows,
    may_unite: bool,
    is_bounded: bool,
}

impl<'n> Next<'n> {
    /// The state, and whether all of it is written anew.
    fn state(self, mut catalog: Catalog) -> Result<(NewState<'n>, bool), ReadError> {
        let failed = |error: ArrowError| ReadError::new("store", format!("packing failed: {error}"));
        let n_met = self.read.ids.len();
        // Whose rows became others are nobody's.
        let is_alive = |row: usize| self.rows.get(row).is_none_or(|now| *now as usize == row);
        let alive: Vec<u32> = (0..n_met).filter(|row| is_alive(*row)).map(|row| row as u32).collect();
        let are_united = alive.len() < n_met;
        let mut last: Vec<Option<u32>> = vec![None; n_met];
        for (now, row) in (0..).zip(&alive) {
            last.get_mut(*row as usize).into_iter().for_each(|slot| *slot = Some(now));
        }
        for (row, now) in self.rows.iter().enumerate().filter(|(row, now)| *row as u32 != **now) {
            let target = last.get(*now as usize).copied().flatten();
            last.get_mut(row).into_iter().for_each(|slot| *slot = target);
        }
        let is_whole = are_united || !self.is_bounded && self.are_many(self.read.n_events);
        let may_unite = self.may_unite;
        let read = self.read;
        let rows = UInt32Array::from(alive);
        let own = |column: &ArrayRef| if are_united { take(column, &rows, None) } else { Ok(Arc::clone(column)) };
        let ids: ArrayRef = own(&(Arc::new(read.ids) as ArrayRef)).map_err(failed)?;
        let n_people = ids.len();
        let added_to = self.before.filter(|_| !is_whole);
        let (n_before, first_arrival) =
            added_to.map_or((0, 0), |before| (before.catalog.n_people, before.catalog.n_arrived));
        let parts = read.events.parts(n_met);
        let events = match (self.before.filter(|_| is_whole), read.events) {
            (Some(before), events) => {
                let new = all_of(events, self.schema, n_met, self.threads)?;
                let row_of = are_united.then_some(last.as_slice());
                NewEvents::Here(put_together(before, self.schema, new, (row_of, n_people), self.threads)?)
            }
            (None, ReadEvents::Here(events)) if added_to.is_some() => {
                NewEvents::Here(events.into_iter().map(Sequences::of_some).collect())
            }
            (None, ReadEvents::Here(events)) => NewEvents::Here(events),
            (None, ReadEvents::Spilled(spill)) => NewEvents::Spilled { spill, parts },
        };
        if added_to.is_none() {
            catalog.generations.clear();
            catalog.n_parts = events.n_parts();
        }
        let attributes = read.attributes.map(|(columns, mut kept)| {
            for line in &mut kept.lines {
                line.person = last.get(line.person as usize).copied().flatten().unwrap_or_default();
            }
            let id = |row: u32| ids.as_string::<i32>().value(row as usize).to_owned();
            let lines = line_columns(&kept, &read.merges, id);
            let columns = columns.iter().map(|(name, column)| Ok((name.clone(), own(column)?)));
            Ok(NewAttributes { columns: columns.collect::<Result<_, ArrowError>>()?, lines: Some((lines, kept.has)) })
        });
        let proofs: Vec<Proof> =
            rows.values().iter().filter_map(|row| read.proofs.get(*row as usize)).copied().collect();
        let people = NewPeople {
            exists: read.exists.as_ref().map(own).transpose().map_err(failed)?,
            merged: read.merged.as_ref().map(own).transpose().map_err(failed)?,
            proofs: proof_columns(&proofs),
            records: record_columns(&read.records),
            rows: None,
            attributes: attributes.transpose().map_err(failed)?,
            calls: read.calls.map(|calls| {
                let n_files = catalog.calls.as_ref().map_or(0, |stored| stored.messages.len());
                NewCalls::of(&calls, n_files)
            }),
        };
        let ids = ids.as_string::<i32>().clone();
        let (schema, threads) = (self.schema, self.threads);
        let new = NewRows { schema, n_before, ids, first_arrival, events, may_unite, threads };
        Ok((NewState { catalog, new, people }, is_whole))
    }

    /// Whether generations are to be put together, with so many events more.
    fn are_many(&self, n_new: u64) -> bool {
        let Some(before) = self.before else { return false };
        let (parts, behind) =
            before.catalog.generations.split_at(before.catalog.n_parts.min(before.catalog.generations.len()));
        let n_events = |generation: &super::catalog::Generation| -> u64 {
            generation.events.iter().map(|events| events.n_events).sum()
        };
        let base: u64 = parts.iter().map(n_events).sum();
        let n_behind: u64 = behind.iter().map(n_events).sum::<u64>() + n_new;
        behind.len() + 2 > GENERATIONS_MAX || n_behind > base / DELTA_PART
    }
}

/// The events that reading gave, in memory.
fn all_of(
    events: ReadEvents,
    schema: &Schema,
    n_people: usize,
    threads: NonZero<usize>,
) -> Result<Vec<Sequences>, ReadError> {
    match events {
        ReadEvents::Here(events) => Ok(events),
        ReadEvents::Spilled(spill) => spill.all_sequences(schema, &(0..n_people), threads),
    }
}

/// The events of all generations and those that are new, as one.
pub(super) fn put_together(
    before: &Earlier,
    schema: &Schema,
    new: Vec<Sequences>,
    (row_of, n_people): (Option<&[Option<u32>]>, usize),
    threads: NonZero<usize>,
) -> Result<Vec<Sequences>, ReadError> {
    let stored = before.events(schema)?;
    let event_id = |event: &Event| schema.event_id.as_ref().and_then(|id| event.property(id));
    let mut found: Vec<Option<Result<Sequences, ReadError>>> = schema.events.iter().map(|_| None).collect();
    let work: Vec<_> = schema.events.iter().zip(stored).zip(new).zip(&mut found).collect();
    parallel::each(
        work,
        threads,
        || (),
        |(), (((event, mut parts), new), to)| {
            parts.push(new);
            let parts = Parts { event, parts: &parts, row_of, n_people, event_id: event_id(event) };
            *to = Some(parts.put_together());
        },
    );
    found.into_iter().flatten().collect()
}

/// What reading gave, brought into columns.
fn finished(
    loader: &mut Loader<'_>,
    attributes: Option<Attributes<'_>>,
    events: Option<EventTables<'_>>,
    threads: NonZero<usize>,
) -> Result<ReadRows, ReadError> {
    let failed = |error: ArrowError| ReadError::new("data", format!("grouping by person failed: {error}"));
    let n_people = loader.people.len();
    let ids = loader.people.finish().map_err(|why| ReadError::new("data", why))?;
    let merged = merged_ids(&loader.people.merges, &ids);
    let mut existence = std::mem::take(&mut loader.existence);
    let attributes = attributes.map(|attributes| {
        let finished = attributes.finish_keeping(n_people, &mut existence).map_err(failed)?;
        let columns =
            finished.columns.into_iter().map(|(field, column)| Ok((field.name.clone(), column.map_err(failed)?)));
        Ok((columns.collect::<Result<Columns, ReadError>>()?, finished.kept))
    });
    let attributes = attributes.transpose()?;
    let mut events = events;
    let n_events = events.as_ref().map_or(0, |events| events.counts().0);
    let spill = events.as_mut().map_or(Ok(None), |events| events.take_spill(n_people, threads))?;
    let events = match spill {
        Some(spill) => ReadEvents::Spilled(spill),
        None => ReadEvents::Here(of_everybody(events, loader.schema, n_people, threads)?),
    };
    Ok(ReadRows {
        events,
        n_events,
        proofs: existence.proofs(n_people).collect(),
        exists: existence.finish(n_people),
        ids,
        merged,
        records: std::mem::take(&mut loader.records),
        calls: loader.calls.take(),
        merges: std::mem::take(&mut loader.people.merges),
        attributes,
    })
}

/// For each event of the schema everybody's.
fn of_everybody(
    events: Option<EventTables<'_>>,
    schema: &Schema,
    n_people: usize,
    threads: NonZero<usize>,
) -> Result<Vec<Sequences>, ReadError> {
    let mut of_name = HashMap::new();
    for (event, column) in events.into_iter().flat_map(|events| events.finish(n_people, threads)) {
        let column = column.map_err(|why| ReadError::new("data", why))?;
        of_name.insert(event.name.as_str(), Sequences::of_lists(event, &column));
    }
    let of_event = |event: &Event| {
        of_name.remove(event.name.as_str()).flatten().unwrap_or_else(|| Sequences::none(event, n_people))
    };
    Ok(schema.events.iter().map(of_event).collect())
}

/// A folder that holds anything else is not made a store.
fn refuse_others(root: &Path) -> Result<(), ReadError> {
    let Ok(entries) = std::fs::read_dir(root) else {
        let is_file = root.is_file();
        return if is_file {
            Err(ReadError::new(root.to_string_lossy(), "this is a file, and a store is a folder"))
        } else {
            Ok(())
        };
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours =
            number_of(&name).is_some() || matches!(name.as_str(), "MANIFEST" | "MANIFEST.tmp" | "LOCK" | "READERS");
        if !is_ours {
            if root.join(PARTITIONS_FILE).exists() {
                let why =
                    "the folder holds the partitions of a store; `--partitions` packs them, or name another folder";
                return Err(ReadError::new(root.to_string_lossy(), why));
            }
            let why = format!("the folder holds `{name}`, which is no part of a store; name another folder");
            return Err(ReadError::new(root.to_string_lossy(), why));
        }
    }
    Ok(())
}

/// A store of some of the people is packed with those of the others.
fn refuse_partition(root: &Path) -> Result<(), ReadError> {
    let known = Catalog::read(&Location::Folder(root.to_owned())).ok().and_then(|catalog| catalog.partition);
    known.map_or(Ok(()), |Partition { number, of, .. }| {
        let why = format!(
            "this store is partition {number} of {of}, of which all are packed together: `seg pack --partitions {of}`"
        );
        Err(ReadError::new(root.to_string_lossy(), why))
    })
}

/// The store that is to be added to.
fn continued(root: &Path, data: &Data, schema: &Schema, zone: Option<Zone>) -> Result<Earlier, ReadError> {
    let error =
        |what: String| ReadError::new(root.to_string_lossy(), format!("{what}; `seg pack` packs all of it again"));
    let place = Location::Folder(root.to_owned());
    let catalog = Catalog::read(&place)?;
    if let Some(why) = catalog.differs(schema, zone) {
        return Err(error(why));
    }
    if catalog.rules != rules(data) {
        return Err(error("`[data]` says otherwise how files are read than when the store was packed".to_owned()));
    }
    if !data.calls.is_empty() && catalog.calls.is_none() {
        let why = "it was packed by an earlier `seg`, and lacks what analytics calls are compared with";
        return Err(error(why.to_owned()));
    }
    Earlier::new(catalog, Reader::new(place, true))
}

/// Keeps the files that a store does not have.
fn retain_new(files: &mut Files<'_>, known: &HashMap<(&str, usize, &str), u64>) -> Result<(), ReadError> {
    if let Some((_, _, file)) = files.all().find(|(kind, source, file)| {
        known.get(&(*kind, *source, file.name.as_str())).is_some_and(|bytes| *bytes != file.size())
    }) {
        let why = "it has changed since it was packed; `seg pack` packs all files again";
        return Err(ReadError::new(&file.name, why));
    }
    let is_new = |kind: &str, source: usize, file: &DataFile| !known.contains_key(&(kind, source, file.name.as_str()));
    files
        .profiles
        .iter_mut()
        .enumerate()
        .for_each(|(at, (_, files))| files.retain(|file| is_new("profiles", at, file)));
    files.events.iter_mut().enumerate().for_each(|(at, (_, files))| files.retain(|file| is_new("events", at, file)));
    files.merges.iter_mut().enumerate().for_each(|(at, (_, files))| files.retain(|file| is_new("merges", at, file)));
    files.calls.retain(|file| is_new("calls", 0, file));
    Ok(())
}
