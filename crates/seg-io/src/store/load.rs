//! A store as a batch: only what is wanted of it is opened.

use super::catalog::{Catalog, Generation, StoredColumn, StoredEvents};
use super::column::Reader;
use super::earlier::ids;
use super::generation::read_events;
use super::location::Location;
use super::lock::ReaderLock;
use crate::assemble::{NamedColumns, are_missing, checked};
use crate::gather::joined;
use crate::load::{Files, LoadRequest, Loaded};
use crate::loader::{Loader, Progress};
use crate::manifest::Data;
use crate::parts::{LoadedParts, named};
use crate::report::{Place, Problem, ProblemKind, ReadError};
use crate::rows::Pace;
use crate::sequences::{Parts, Sequences};
use crate::spill::Memory;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, Int32Array, new_null_array};
use arrow_schema::{ArrowError, DataType, Field as ArrowField};
use seg_data::batch::{EXISTS_COLUMN, MERGED_COLUMN, id_column, storage_type, time_type};
use seg_data::schema::{Event, Field};
use seg_data::{AttributeId, Batch, EventId, PropertyId, Schema, Timestamp, Wanted, Zone, parallel};
use std::num::NonZero;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Reads what is wanted of a project's store into one batch, which holds every profile.
///
/// # Errors
/// No store; one of another version, of another schema or of another time zone; a file of it
/// that is not there or is not as it was written.
pub(crate) fn load(request: LoadRequest<'_>) -> Result<Loaded, ReadError> {
    let (opening, loaded) = open(request, |opening, loader| {
        let mut columns = opening.people(loader)?;
        columns.extend(opening.events(None)?);
        loader.empty_properties(|event, property| match opening.catalog.partition {
            Some(_) => opening.has_no_value(event, property),
            None => are_missing(&opening.schema, &columns, event, property),
        });
        Ok(columns)
    })?;
    drop(opening);
    Ok(loaded)
}

/// The same within so much memory: what people did can be had for each part of the store.
///
/// # Errors
/// Those of [`load`], and a part that takes more memory than there is.
pub(crate) fn load_in_parts(request: LoadRequest<'_>, memory: Memory<'_>) -> Result<LoadedParts, ReadError> {
    let (opening, loaded) = open(request, |opening, loader| {
        loader.empty_properties(|event, property| opening.has_no_value(event, property));
        opening.people(loader)
    })?;
    let of_people = loaded.batch.records().get_array_memory_size() as u64;
    let rows = opening.catalog.parts();
    for at in 0..rows.len() {
        memory.check(of_people, opening.n_bytes(at))?;
    }
    Ok(LoadedParts::stored(loaded, rows, StoredParts(opening)))
}

/// Opens the store of a project, and makes a batch of columns of it.
fn open(
    request: LoadRequest<'_>,
    columns: impl FnOnce(&Opening, &mut Loader<'_>) -> Result<NamedColumns, ReadError>,
) -> Result<(Opening, Loaded), ReadError> {
    let LoadRequest { base, data, schema, zone, wanted, asked, now, threads, progress, is_mapped, piece_bytes: _ } =
        request;
    let place = Location::of(base, data)?;
    let lock = ReaderLock::take(place.folder());
    let catalog = opened(&place, schema, zone)?;
    let reader = Reader::new(place, is_mapped);
    let wanted = wanted.cloned().unwrap_or_else(|| Wanted::everything(schema));
    let mut silence = |_: Progress| {};
    let loader = Loader::new(schema, zone, &wanted, progress.unwrap_or(&mut silence));
    let mut loader = Loader { pace: Pace { threads, ..Pace::default() }, asked, now, ..loader };
    loader.report.add_all(&catalog.problems);
    tell_of_files(&mut loader, base, data, &catalog);
    let schema = Arc::clone(schema);
    let opening = Opening { catalog, reader, schema, wanted: wanted.clone(), threads, _lock: lock };
    let columns = columns(&opening, &mut loader)?;
    let batch = opening.batch(columns)?;
    let Opening { catalog, reader, schema, .. } = &opening;
    let last_event = catalog.last_event.map(Timestamp);
    loader.absent_events(&n_events_of_all(catalog, schema));
    loader.tell_of_age(last_event);
    let mut report = loader.report;
    (report.files, report.rows) = (catalog.inputs.len() as u64, catalog.n_rows);
    (report.profiles, report.events) = (catalog.n_people, catalog.n_events);
    (report.bytes, report.bytes_read) = (catalog.bytes(), reader.n_read());
    Ok((opening, Loaded { batch, report, last_event }))
}

/// The catalog of a store that was packed by this schema.
pub(super) fn opened(place: &Location, schema: &Schema, zone: Option<Zone>) -> Result<Catalog, ReadError> {
    let catalog = Catalog::read(place)?;
    match catalog.differs(schema, zone) {
        Some(why) => Err(ReadError::new(place.name(), format!("{why}; `seg pack` packs the data again"))),
        None => Ok(catalog),
    }
}

/// How many events there are of each name of the schema.
fn n_events(catalog: &Catalog, schema: &Schema) -> Vec<u64> {
    let stored = || catalog.generations.iter().flat_map(|generation| &generation.events);
    let of = |event: &Event| stored().filter(|s| s.name == event.name).map(|s| s.n_events).sum();
    schema.events.iter().map(of).collect()
}

/// The same of everybody, of whom a partition has some.
fn n_events_of_all(catalog: &Catalog, schema: &Schema) -> Vec<u64> {
    let Some(partition) = &catalog.partition else { return n_events(catalog, schema) };
    let of = |event: &Event| partition.events.get(&event.name).map_or(0, |all| all.n_events);
    schema.events.iter().map(of).collect()
}

/// Tells of files of the project that the store does not have, or has as they were before.
fn tell_of_files(loader: &mut Loader<'_>, base: &Path, data: &Data, catalog: &Catalog) {
    // Files that are gone were packed, and are not needed.
    let Ok(files) = Files::find(base, data) else { return };
    let packed = catalog.packed();
    for (kind, source, file) in files.all() {
        let kind = match packed.get(&(kind, source, file.name.as_str())) {
            None => ProblemKind::NotPacked,
            Some(bytes) if *bytes != file.size() => ProblemKind::PackedBefore,
            Some(_) => continue,
        };
        let place = || Place { file: file.name.clone(), line: 1, value: String::new() };
        loader.report.add(kind, "", place);
    }
}

/// A store that is open.
struct Opening {
    catalog: Catalog,
    reader: Reader,
    schema: Arc<Schema>,
    wanted: Wanted,
    threads: NonZero<usize>,
    /// Nobody removes files meanwhile.
    _lock: ReaderLock,
}

impl Opening {
    /// The ids of everybody, and the attributes that are wanted of them.
    fn people(&self, loader: &mut Loader<'_>) -> Result<NamedColumns, ReadError> {
        let n_people = self.n_people();
        let ids = ids(&self.catalog, &self.reader)?;
        let mut columns: NamedColumns =
            vec![(ArrowField::new(id_column(&self.schema), DataType::Utf8, false), Arc::new(ids))];
        let mut add = |name: &str, column: ArrayRef| {
            columns.push((ArrowField::new(name, column.data_type().clone(), true), column));
        };
        if let Some(file) = &self.catalog.exists {
            add(EXISTS_COLUMN, self.reader.column(file, &time_type())?);
        }
        if let Some(file) = &self.catalog.merged {
            let merged = self.reader.columns(file)?.into_iter().next();
            add(MERGED_COLUMN, merged.ok_or_else(|| self.reader.error(file, "the file is damaged"))?.1);
        }
        let attributes = (0..).map(AttributeId).zip(&self.schema.attributes);
        let wanted: Vec<&Field> =
            attributes.filter(|(id, _)| self.wanted.attributes.contains(id)).map(|(_, field)| field).collect();
        let found = self.each(&wanted, |field| match self.catalog.attributes.get(&field.name) {
            Some(stored) => attribute(&self.reader, field, stored, n_people),
            // What nobody has is no column of the store.
            None => Ok(new_null_array(&storage_type(&field.ty), n_people)),
        });
        for (field, column) in wanted.iter().zip(found) {
            let column = column?;
            // Of what nobody has here somebody else may have a value.
            let partition = self.catalog.partition.as_ref();
            if !partition.is_some_and(|partition| partition.attributes.contains(&field.name)) {
                loader.empty_attribute(field, &column);
            }
            add(&field.name, column);
        }
        Ok(columns)
    }

    /// The events that are wanted, of everybody or of a part of them.
    fn events(&self, part: Option<(usize, &Range<usize>)>) -> Result<NamedColumns, ReadError> {
        let work = self.wanted_events();
        let found = self.each(&work, |(id, event)| self.events_of(*id, event, part));
        work.iter().zip(found).map(|((_, event), column)| named(event, column?)).collect()
    }

    /// Does something for each of some columns, on every thread, from the last one on.
    fn each<T: Sync>(
        &self,
        work: &[T],
        make: impl Fn(&T) -> Result<ArrayRef, ReadError> + Sync,
    ) -> Vec<Result<ArrayRef, ReadError>> {
        let mut found: Vec<Option<Result<ArrayRef, ReadError>>> = work.iter().map(|_| None).collect();
        let pieces: Vec<_> = work.iter().zip(&mut found).collect();
        parallel::each(pieces, self.threads, || (), |(), (work, to)| *to = Some(make(work)));
        found.into_iter().flatten().collect()
    }

    /// Columns as a batch, each of them checked.
    fn batch(&self, columns: NamedColumns) -> Result<Batch, ReadError> {
        let damaged = |error: ReadError| ReadError::new("store", format!("the store is damaged: {error}"));
        checked(&self.schema, columns, self.threads).map_err(damaged)
    }

    fn n_people(&self) -> usize {
        usize::try_from(self.catalog.n_people).unwrap_or_default()
    }

    /// The events that are wanted, those that are most last, so that they are begun first.
    fn wanted_events(&self) -> Vec<(EventId, &Event)> {
        let events = (0..).map(EventId).zip(&self.schema.events);
        let mut events: Vec<(EventId, &Event)> = events.filter(|(id, _)| self.wanted.events.contains_key(id)).collect();
        let numbers = n_events(&self.catalog, &self.schema);
        events.sort_by_key(|(id, _)| numbers.get(id.idx()).copied());
        events
    }

    /// What generations have of an event that is wanted, of everybody or of one part of the
    /// base with all that was added to it.
    fn stored(&self, id: EventId, event: &Event, part: Option<usize>) -> Vec<(&Generation, &StoredEvents)> {
        let since = self.wanted.events.get(&id).and_then(|wanted| wanted.since);
        let is_needed = |stored: &StoredEvents| since.is_none_or(|since| stored.last >= since.0);
        let n_parts = self.catalog.n_parts;
        let is_of = |at: usize| part.is_none_or(|part| at == part || at >= n_parts);
        let generations = self.catalog.generations.iter().enumerate().filter(|(at, _)| is_of(*at));
        generations
            .flat_map(|(_, generation)| generation.events.iter().map(move |stored| (generation, stored)))
            .filter(|(_, stored)| stored.name == event.name && is_needed(stored))
            .collect()
    }

    fn events_of(
        &self,
        id: EventId,
        event: &Event,
        part: Option<(usize, &Range<usize>)>,
    ) -> Result<ArrayRef, ReadError> {
        let failed = |error: ArrowError| ReadError::new("store", format!("the store is damaged: {error}"));
        let everybody = 0..self.n_people();
        let rows = part.map_or(&everybody, |(_, rows)| rows);
        let is_wanted = |property| self.wanted.property(id, property);
        let with_arrivals = self.catalog.generations.len() > self.catalog.n_parts;
        let stored = self.stored(id, event, part.map(|(at, _)| at));
        let parts = stored.iter().map(|(generation, stored)| {
            let own = read_events(&self.reader, generation, stored, (event, &is_wanted), with_arrivals)?;
            Ok(if part.is_some() { own.within(rows) } else { own })
        });
        let mut parts = parts.collect::<Result<Vec<Sequences>, ReadError>>()?;
        let own = match parts.as_slice() {
            [] => Sequences::none(event, rows.len()),
            [_] => parts.remove(0).of_everybody(rows.len()),
            _ => {
                let event_id = self.schema.event_id.as_ref().and_then(|id| event.property(id));
                Parts { event, parts: &parts, row_of: None, n_people: rows.len(), event_id }.put_together()?
            }
        };
        own.into_lists(event, is_wanted, rows.len()).map_err(failed)
    }

    /// Whether there are events of a name, and none has a value of a property.
    fn has_no_value(&self, id: EventId, property: PropertyId) -> bool {
        let Some(event) = self.schema.event(id) else { return false };
        let Some(field) = event.properties.get(property.idx()) else { return false };
        if let Some(partition) = &self.catalog.partition {
            let since = self.wanted.events.get(&id).and_then(|wanted| wanted.since);
            let all = partition.events.get(&event.name);
            let all = all.filter(|all| since.is_none_or(|since| all.last >= since.0));
            return all.is_some_and(|all| !all.properties.contains(&field.name));
        }
        let stored = self.stored(id, event, None);
        !stored.is_empty() && stored.iter().all(|(_, stored)| !stored.properties.contains_key(&field.name))
    }

    /// About how many bytes of memory the events take that are wanted of a part.
    fn n_bytes(&self, part: usize) -> u64 {
        let mut n_bytes = 0;
        for (id, event) in self.wanted_events() {
            let properties = (0..).map(PropertyId).zip(&event.properties);
            let wanted: Vec<&str> = properties
                .filter(|(p, _)| self.wanted.property(id, *p))
                .map(|(_, field)| field.name.as_str())
                .collect();
            for (_, stored) in self.stored(id, event, Some(part)) {
                n_bytes +=
                    stored.times.bytes + stored.offsets.bytes + stored.people.as_ref().map_or(0, |file| file.bytes);
                n_bytes +=
                    wanted.iter().filter_map(|name| stored.properties.get(*name)).map(|file| file.bytes).sum::<u64>();
            }
        }
        n_bytes
    }
}

/// A store that is open, of which the events of one part after another are read.
pub(crate) struct StoredParts(Opening);

impl StoredParts {
    /// The events that are wanted of the people of a part.
    ///
    /// # Errors
    /// A file that is not there or is not as it was written.
    pub fn columns(&self, part: usize, rows: &Range<usize>) -> Result<NamedColumns, ReadError> {
        self.0.events(Some((part, rows)))
    }

    /// On how many threads they are read.
    pub fn threads(&self) -> NonZero<usize> {
        self.0.threads
    }
}

/// The column of an attribute, with a row for each of so many people.
///
/// # Errors
/// A file that is not there or is not as it was written.
pub(super) fn attribute(
    reader: &Reader,
    field: &Field,
    stored: &StoredColumn,
    n_people: usize,
) -> Result<ArrayRef, ReadError> {
    let column = match stored.is_history {
        true => reader.columns(&stored.file)?.into_iter().next().map(|(_, column)| column),
        false => Some(reader.column(&stored.file, &storage_type(&field.ty))?),
    };
    let damaged = || reader.error(&stored.file, "the file is damaged");
    let column = column.filter(|column| column.len() as u64 == stored.n_rows).ok_or_else(damaged)?;
    padded(column, n_people).map_err(|error| ReadError::new("store", format!("the store is damaged: {error}")))
}

/// A column with a row for each of so many people, of whom the last have no value.
fn padded(column: ArrayRef, n_people: usize) -> Result<ArrayRef, ArrowError> {
    let missing = n_people.saturating_sub(column.len());
    if missing == 0 {
        return Ok(column);
    }
    if let Some(coded) = column.as_dictionary_opt::<Int32Type>() {
        // The texts stay as they are.
        let keys: ArrayRef = Arc::new(coded.keys().clone());
        let keys = joined(&[keys, new_null_array(&DataType::Int32, missing)])?;
        let keys: Int32Array = keys.as_primitive::<Int32Type>().clone();
        return Ok(Arc::new(DictionaryArray::try_new(keys, Arc::clone(coded.values()))?));
    }
    joined(&[Arc::clone(&column), new_null_array(column.data_type(), missing)])
}

/// What a store is made of.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StoreInfo {
    /// How many people, events and rows it was packed of.
    pub n_people: u64,
    /// See [`StoreInfo::n_people`].
    pub n_events: u64,
    /// See [`StoreInfo::n_people`].
    pub n_rows: u64,
    /// The latest event.
    pub last_event: Option<Timestamp>,
    /// Its bytes on the disk.
    pub bytes: u64,
    /// How many files it is.
    pub n_files: u64,
    /// For each packing that was not put together with the first: the people and the events
    /// that it added.
    pub generations: Vec<(u64, u64)>,
    /// Of how many parts the first packing is, of some people each.
    pub n_parts: u64,
    /// For each event of the store: how many there are, the first and the last.
    pub events: Vec<(String, u64, Timestamp, Timestamp)>,
    /// The files that it was packed of.
    pub inputs: Vec<super::PackedInput>,
    /// What was wrong with them.
    pub problems: Vec<Problem>,
}

impl StoreInfo {
    fn of(catalog: &Catalog) -> StoreInfo {
        let mut events: Vec<(String, u64, Timestamp, Timestamp)> = Vec::new();
        for stored in catalog.generations.iter().flat_map(|generation| &generation.events) {
            let (first, last) = (Timestamp(stored.first), Timestamp(stored.last));
            match events.iter_mut().find(|(name, ..)| *name == stored.name) {
                Some((_, n, from, to)) => {
                    (*n, *from, *to) = (*n + stored.n_events, first.min(*from), last.max(*to));
                }
                None => events.push((stored.name.clone(), stored.n_events, first, last)),
            }
        }
        let added = |generation: &Generation| {
            (generation.n_people, generation.events.iter().map(|events| events.n_events).sum::<u64>())
        };
        let (base, behind) = catalog.generations.split_at(catalog.n_parts.min(catalog.generations.len()));
        let both =
            |(people, events): (u64, u64), (more_people, more_events)| (people + more_people, events + more_events);
        let base = base.iter().map(added).reduce(both);
        StoreInfo {
            n_people: catalog.n_people,
            n_events: catalog.n_events,
            n_rows: catalog.n_rows,
            last_event: catalog.last_event.map(Timestamp),
            bytes: catalog.bytes(),
            n_files: catalog.files().count() as u64,
            generations: base.into_iter().chain(behind.iter().map(added)).collect(),
            n_parts: catalog.n_parts as u64,
            events,
            inputs: catalog.inputs.clone(),
            problems: catalog.problems.clone(),
        }
    }
}

/// What a project's store is made of, by its `MANIFEST` alone.
///
/// # Errors
/// No store, one of another version, or a `MANIFEST` that is not as it was written.
pub fn info(base: &Path, data: &Data) -> Result<StoreInfo, ReadError> {
    Ok(StoreInfo::of(&Catalog::read(&Location::of(base, data)?)?))
}

/// Checks all of a project's store: the length and the sum of each file, that files fit each
/// other, and that every column keeps what engines rely on.
///
/// # Errors
/// Each file that is not there or is not as it was written, or else the first thing that is
/// wrong with what they hold.
pub fn verify(
    base: &Path,
    data: &Data,
    schema: &Arc<Schema>,
    zone: Option<Zone>,
    threads: NonZero<usize>,
) -> Result<StoreInfo, Vec<ReadError>> {
    let one = |error| vec![error];
    let place = Location::of(base, data).map_err(one)?;
    let _lock = ReaderLock::take(place.folder());
    let catalog = opened(&place, schema, zone).map_err(one)?;
    let reader = Reader::new(place, true);
    let files: Vec<_> = catalog.files().collect();
    let mut found: Vec<Option<ReadError>> = files.iter().map(|_| None).collect();
    let work: Vec<_> = files.iter().zip(&mut found).collect();
    parallel::each(work, threads, || (), |(), (file, to)| *to = reader.columns(file).err());
    let damaged: Vec<ReadError> = found.into_iter().flatten().collect();
    if !damaged.is_empty() {
        return Err(damaged);
    }
    load(LoadRequest { zone, threads, ..LoadRequest::new(base, data, schema) }).map_err(one)?;
    Ok(StoreInfo::of(&catalog))
}
