//! A store as a batch: only what is wanted of it is opened.

use super::catalog::{Catalog, Generation, StoredColumn, StoredEvents};
use super::column::Reader;
use super::earlier::ids;
use super::generation::read_events;
use super::lock::ReaderLock;
use super::sequences::{Parts, Sequences};
use crate::gather::joined;
use crate::load::{Files, LoadRequest, Loaded};
use crate::loader::{Loader, Progress};
use crate::manifest::Data;
use crate::report::{Place, Problem, ProblemKind, ReadError};
use crate::rows::Pace;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, Int32Array, RecordBatch, new_null_array};
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Schema as ArrowSchema};
use seg_data::batch::{EXISTS_COLUMN, MERGED_COLUMN, id_column, storage_type, time_type};
use seg_data::schema::{Event, Field};
use seg_data::{AttributeId, Batch, EventId, Schema, Timestamp, Wanted, Zone, parallel};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

/// Reads what is wanted of a project's store into one batch, which holds every profile.
///
/// # Errors
/// No store; one of another version, of another schema or of another time zone; a file of it
/// that is not there or is not as it was written.
pub(crate) fn load(request: LoadRequest<'_>) -> Result<Loaded, ReadError> {
    let LoadRequest { base, data, schema, zone, wanted, asked, now, threads, progress, is_mapped, piece_bytes: _ } =
        request;
    let root = super::root(base, data)?;
    let _lock = ReaderLock::take(&root);
    let catalog = opened(&root, schema, zone)?;
    let reader = Reader::new(&root, is_mapped);
    let everything = Wanted::everything(schema);
    let wanted = wanted.unwrap_or(&everything);
    let mut silence = |_: Progress| {};
    let loader = Loader::new(schema, zone, wanted, progress.unwrap_or(&mut silence));
    let mut loader = Loader { pace: Pace { threads, ..Pace::default() }, asked, now, ..loader };
    loader.report.add_all(&catalog.problems);
    tell_of_files(&mut loader, base, data, &catalog);
    let opening = Opening { catalog: &catalog, reader: &reader, schema, wanted, threads };
    let batch = opening.batch(&mut loader)?;
    let failed = |error| ReadError::new(root.to_string_lossy(), format!("the store is damaged: {error}"));
    loader.check(&batch).map_err(failed)?;
    let last_event = catalog.last_event.map(Timestamp);
    loader.absent_events(&n_events(&catalog, schema));
    loader.tell_of_age(last_event);
    let mut report = loader.report;
    (report.files, report.rows) = (catalog.inputs.len() as u64, catalog.n_rows);
    (report.profiles, report.events) = (catalog.n_people, catalog.n_events);
    (report.bytes, report.bytes_read) = (catalog.bytes(), reader.n_read());
    Ok(Loaded { batch, report, last_event })
}

/// The catalog of a store that was packed by this schema.
pub(super) fn opened(root: &Path, schema: &Schema, zone: Option<Zone>) -> Result<Catalog, ReadError> {
    let catalog = Catalog::read(root)?;
    match catalog.differs(schema, zone) {
        Some(why) => Err(ReadError::new(root.to_string_lossy(), format!("{why}; `seg pack` packs the data again"))),
        None => Ok(catalog),
    }
}

/// How many events there are of each name of the schema.
fn n_events(catalog: &Catalog, schema: &Schema) -> Vec<u64> {
    let stored = || catalog.generations.iter().flat_map(|generation| &generation.events);
    let of = |event: &Event| stored().filter(|s| s.name == event.name).map(|s| s.n_events).sum();
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

/// A store that is being opened.
struct Opening<'o> {
    catalog: &'o Catalog,
    reader: &'o Reader,
    schema: &'o Arc<Schema>,
    wanted: &'o Wanted,
    threads: NonZero<usize>,
}

/// A column that is to be opened.
enum Work<'o> {
    Attribute(&'o Field, &'o StoredColumn),
    Events(EventId, &'o Event),
}

impl Opening<'_> {
    fn batch(&self, loader: &mut Loader<'_>) -> Result<Batch, ReadError> {
        let failed = |error: &dyn std::fmt::Display| ReadError::new("store", format!("the store is damaged: {error}"));
        let n_people = self.n_people();
        let ids = ids(self.catalog, self.reader)?;
        let mut fields = vec![ArrowField::new(id_column(self.schema), DataType::Utf8, false)];
        let mut columns: Vec<ArrayRef> = vec![Arc::new(ids)];
        let mut add = |name: &str, column: ArrayRef| {
            fields.push(ArrowField::new(name, column.data_type().clone(), true));
            columns.push(column);
        };
        if let Some(file) = &self.catalog.exists {
            add(EXISTS_COLUMN, self.reader.column(file, &time_type())?);
        }
        if let Some(file) = &self.catalog.merged {
            let merged = self.reader.columns(file)?.into_iter().next();
            add(MERGED_COLUMN, merged.ok_or_else(|| self.reader.error(file, "the file is damaged"))?.1);
        }
        let work = self.work();
        let mut found: Vec<Option<Result<ArrayRef, ReadError>>> = work.iter().map(|_| None).collect();
        let pieces: Vec<_> = work.iter().zip(&mut found).collect();
        parallel::each(pieces, self.threads, || (), |(), (work, to)| *to = Some(self.column(work, n_people)));
        for (work, column) in work.iter().zip(found.into_iter().flatten()) {
            let column = column?;
            match work {
                Work::Attribute(field, _) => {
                    loader.empty_attribute(field, &column);
                    add(&field.name, column);
                }
                Work::Events(_, event) => {
                    loader.empty_properties(event, &column);
                    add(&event.name, column);
                }
            }
        }
        // What nobody has is no column of the store.
        for (id, field) in (0..).map(AttributeId).zip(&self.schema.attributes) {
            if self.wanted.attributes.contains(&id) && !self.catalog.attributes.contains_key(&field.name) {
                let none = new_null_array(&storage_type(&field.ty), n_people);
                loader.empty_attribute(field, &none);
                add(&field.name, none);
            }
        }
        let records = RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns).map_err(|e| failed(&e))?;
        Batch::new(Arc::clone(self.schema), records).map_err(|e| failed(&e))
    }

    fn n_people(&self) -> usize {
        usize::try_from(self.catalog.n_people).unwrap_or_default()
    }

    /// The columns that are wanted, those of the most events last, so that they are begun
    /// first.
    fn work(&self) -> Vec<Work<'_>> {
        let attributes = (0..).map(AttributeId).zip(&self.schema.attributes);
        let attributes = attributes
            .filter(|(id, _)| self.wanted.attributes.contains(id))
            .filter_map(|(_, field)| Some(Work::Attribute(field, self.catalog.attributes.get(&field.name)?)));
        let events = (0..).map(EventId).zip(&self.schema.events);
        let mut events: Vec<(EventId, &Event)> = events.filter(|(id, _)| self.wanted.events.contains_key(id)).collect();
        let numbers = n_events(self.catalog, self.schema);
        events.sort_by_key(|(id, _)| numbers.get(id.idx()).copied());
        attributes.chain(events.into_iter().map(|(id, event)| Work::Events(id, event))).collect()
    }

    fn column(&self, work: &Work<'_>, n_people: usize) -> Result<ArrayRef, ReadError> {
        let failed = |error: ArrowError| ReadError::new("store", format!("the store is damaged: {error}"));
        match work {
            Work::Attribute(field, stored) => attribute(self.reader, field, stored, n_people),
            Work::Events(id, event) => {
                let since = self.wanted.events.get(id).and_then(|wanted| wanted.since);
                let is_needed = |stored: &StoredEvents| since.is_none_or(|since| stored.last >= since.0);
                let stored: Vec<(&Generation, &StoredEvents)> = self
                    .catalog
                    .generations
                    .iter()
                    .flat_map(|generation| generation.events.iter().map(move |stored| (generation, stored)))
                    .filter(|(_, stored)| stored.name == event.name && is_needed(stored))
                    .collect();
                let is_wanted = |property| self.wanted.property(*id, property);
                let with_arrivals = self.catalog.generations.len() > 1;
                let parts = stored.iter().map(|(generation, stored)| {
                    read_events(self.reader, generation, stored, (event, &is_wanted), with_arrivals)
                });
                let mut parts = parts.collect::<Result<Vec<Sequences>, ReadError>>()?;
                let own = match parts.as_slice() {
                    [] => Sequences::none(event, n_people),
                    [one] if one.people.is_none() => parts.remove(0),
                    _ => {
                        let event_id = self.schema.event_id.as_ref().and_then(|id| event.property(id));
                        Parts { event, parts: &parts, row_of: None, n_people, event_id }.put_together()?
                    }
                };
                own.into_lists(event, is_wanted, n_people).map_err(failed)
            }
        }
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
        let generations = catalog
            .generations
            .iter()
            .map(|generation| (generation.n_people, generation.events.iter().map(|events| events.n_events).sum()));
        StoreInfo {
            n_people: catalog.n_people,
            n_events: catalog.n_events,
            n_rows: catalog.n_rows,
            last_event: catalog.last_event.map(Timestamp),
            bytes: catalog.bytes(),
            n_files: catalog.files().count() as u64,
            generations: generations.collect(),
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
    Ok(StoreInfo::of(&Catalog::read(&super::root(base, data)?)?))
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
    let root = super::root(base, data).map_err(one)?;
    let _lock = ReaderLock::take(&root);
    let catalog = opened(&root, schema, zone).map_err(one)?;
    let reader = Reader::new(&root, true);
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
