//! A new state of a store, brought to the disk.

use super::calls::NewCalls;
use super::catalog::{CATALOG_FILE, Catalog, Generation, StoredCalls, StoredColumn, StoredLines};
use super::disk::{Disk, Watch};
use super::generation::{NewGeneration, folder, number_of};
use super::lock::without_readers;
use crate::ipc::{Columns, write};
use crate::report::ReadError;
use crate::sequences::Sequences;
use crate::spill::Spill;
use arrow_array::{Array, ArrayRef, StringArray};
use seg_data::Schema;
use std::collections::HashSet;
use std::num::NonZero;
use std::ops::Range;
use std::path::Path;

/// Where a catalog is until it takes the place of the one before.
const NEW_CATALOG_FILE: &str = "MANIFEST.tmp";

/// What is written of people; what is none stays as it was.
#[derive(Default)]
pub(super) struct NewPeople {
    pub exists: Option<ArrayRef>,
    pub merged: Option<ArrayRef>,
    pub proofs: Columns,
    pub records: Columns,
    /// Which person of all each is, of a partition.
    pub rows: Option<ArrayRef>,
    /// A column an attribute, in the schema's order, and the lines that later rows are
    /// compared with.
    pub attributes: Option<NewAttributes>,
    pub calls: Option<NewCalls>,
}

pub(super) struct NewAttributes {
    pub columns: Columns,
    /// With what of each source each attribute is in; none where nothing is packed behind them.
    pub lines: Option<(Columns, Vec<Vec<bool>>)>,
}

/// What a packing adds: people, and what they and others did.
pub(super) struct NewRows<'s> {
    pub schema: &'s Schema,
    /// How many people were there before.
    pub n_before: u64,
    /// The ids of everybody, in the order of rows.
    pub ids: StringArray,
    /// how many events arrived before.
    pub first_arrival: i64,
    pub events: NewEvents,
    /// Whether people may become one later, for which the order of all events is kept.
    pub may_unite: bool,
    pub threads: NonZero<usize>,
}

/// Events that are about to be written.
pub(super) enum NewEvents {
    /// Of everybody, for each event of the schema.
    Here(Vec<Sequences>),
    /// Put aside on the disk; memory has room for those of each of some ranges of people.
    Spilled { spill: Spill, parts: Vec<Range<usize>> },
}

impl NewEvents {
    /// How many generations they become.
    pub fn n_parts(&self) -> usize {
        match self {
            NewEvents::Here(_) => 1,
            NewEvents::Spilled { parts, .. } => parts.len(),
        }
    }
}

impl NewRows<'_> {
    /// Writes them under a number and those behind it, and says what was written.
    fn write(self, first_number: u64, disk: &mut Disk<'_>) -> std::io::Result<Vec<Generation>> {
        let NewRows { schema, n_before, ids, first_arrival, events, may_unite, threads } = self;
        let n_before_rows = n_before as usize;
        let own = |n_before: u64, ids: StringArray, events| NewGeneration {
            schema,
            n_before,
            ids,
            first_arrival,
            events,
            may_unite,
        };
        let (spill, parts) = match events {
            NewEvents::Here(events) => {
                let new = ids.slice(n_before_rows, ids.len() - n_before_rows);
                return Ok(vec![own(n_before, new, events).write(first_number, disk, threads)?]);
            }
            NewEvents::Spilled { spill, parts } => (spill, parts),
        };
        let mut written = Vec::with_capacity(parts.len());
        for (number, rows) in (first_number..).zip(parts) {
            let events = spill.all_sequences(schema, &rows, threads).map_err(std::io::Error::other)?;
            let events = events.into_iter().map(|events| events.of_some().behind(rows.start as u32)).collect();
            // Who comes with a packing comes with the part that they are in.
            let new = rows.start.max(n_before_rows)..rows.end.max(n_before_rows);
            if number != first_number {
                disk.make_folder(&folder(number))?;
            }
            let generation = own(new.start as u64, ids.slice(new.start, new.len()), events);
            written.push(generation.write(number, disk, threads)?);
            disk.sync_folder(&folder(number))?;
        }
        Ok(written)
    }
}

/// A state of a store that is about to be written.
pub(super) struct NewState<'s> {
    /// What stays of the state before, with everything that is told of the new one.
    pub catalog: Catalog,
    pub new: NewRows<'s>,
    pub people: NewPeople,
}

impl NewState<'_> {
    /// Writes it into the folder of the store, and gives what the store is made of then.
    ///
    /// # Errors
    /// What the file system says; the store is what it was.
    pub fn write<'w>(self, root: &Path, watch: Option<&'w mut Watch<'w>>) -> Result<Catalog, ReadError> {
        let failed = |error: std::io::Error| {
            ReadError::new(root.to_string_lossy(), format!("packing ended, and the store is what it was: {error}"))
        };
        let mut disk = Disk::new(root, watch);
        let number = next_number(root).map_err(failed)?;
        let n_parts = self.new.events.n_parts() as u64;
        let catalog = self.write_as(number, &mut disk).map_err(|error| {
            // What is half-written is swept the next time, if it cannot go away now.
            for number in number..number + n_parts {
                let _ = disk.remove(&folder(number));
            }
            failed(error)
        })?;
        if let Err(error) = disk.sync_folder("") {
            let why = format!("the store is packed, but the disk does not say that it keeps it: {error}");
            return Err(ReadError::new(root.to_string_lossy(), why));
        }
        // The store is whole; what is no longer part of it can go away later, too.
        let _ = sweep(root, &catalog, &mut disk);
        Ok(catalog)
    }

    fn write_as(self, number: u64, disk: &mut Disk<'_>) -> std::io::Result<Catalog> {
        let NewState { mut catalog, new, people } = self;
        let folder = folder(number);
        disk.make_folder(&folder)?;
        catalog.n_people = new.ids.len() as u64;
        write_people(people, &mut catalog, new.schema, &folder, disk)?;
        catalog.generations.extend(new.write(number, disk)?);
        let written = catalog.generations.iter().flat_map(|generation| &generation.events);
        catalog.n_events = written.map(|events| events.n_events).sum();
        disk.sync_folder(&folder)?;
        disk.sync_folder("")?;
        let text = catalog.to_text().map_err(std::io::Error::other)?;
        disk.write(NEW_CATALOG_FILE, |to| to.write_all(text.as_bytes()))?;
        disk.rename(NEW_CATALOG_FILE, CATALOG_FILE)?;
        Ok(catalog)
    }
}

fn write_people(
    people: NewPeople,
    catalog: &mut Catalog,
    schema: &Schema,
    folder: &str,
    disk: &mut Disk<'_>,
) -> std::io::Result<()> {
    let mut file =
        |what: &str, columns: &Columns| disk.write(&format!("{folder}/{what}.arrow"), |to| write(to, columns));
    let one = |name: &str, column: ArrayRef| vec![(name.to_owned(), column)];
    let n_people = catalog.n_people;
    catalog.exists = people.exists.map(|column| file("exists", &one("exists_from", column))).transpose()?;
    catalog.merged = people.merged.map(|column| file("merged", &one("merged_ids", column))).transpose()?;
    catalog.proofs = Some(file("proofs", &people.proofs)?);
    let has_records = people.records.first().is_some_and(|(_, column)| !column.is_empty());
    catalog.records = has_records.then(|| file("records", &people.records)).transpose()?;
    if let (Some(rows), Some(partition)) = (people.rows, &mut catalog.partition) {
        partition.rows = Some(file("rows", &one("row", rows))?);
    }
    if let Some(NewCalls { identities, messages, keeps_earlier }) = people.calls {
        let earlier = catalog.calls.take().filter(|_| keeps_earlier);
        let mut files = earlier.map_or_else(Vec::new, |calls| calls.messages);
        if messages.first().is_some_and(|(_, column)| !column.is_empty()) {
            files.push(file("messages", &messages)?);
        }
        catalog.calls = Some(StoredCalls { identities: file("identities", &identities)?, messages: files });
    }
    let Some(attributes) = people.attributes else { return Ok(()) };
    catalog.attributes.clear();
    for (at, (name, column)) in attributes.columns.into_iter().enumerate() {
        if column.null_count() == column.len() {
            continue;
        }
        let field = schema.attributes.iter().find(|field| field.name == name);
        let plain = field.map(|field| seg_data::batch::storage_type(&field.ty));
        let is_history = plain.is_some_and(|plain| plain != *column.data_type());
        let file = file(&format!("attribute-{at}"), &one(&name, column))?;
        catalog.attributes.insert(name, StoredColumn { file, n_rows: n_people, is_history });
    }
    let lines =
        attributes.lines.map(|(lines, has)| std::io::Result::Ok(StoredLines { file: file("lines", &lines)?, has }));
    catalog.lines = lines.transpose()?;
    Ok(())
}

/// A number that no folder has.
fn next_number(root: &Path) -> std::io::Result<u64> {
    let mut last = 0;
    for entry in std::fs::read_dir(root)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(number_of);
        last = last.max(number.unwrap_or_default());
    }
    Ok(last + 1)
}

/// Removes what is in the folder of a store and not part of it, unless somebody opens files
/// there just now: what they are about to open may be among it.
pub(super) fn sweep(root: &Path, catalog: &Catalog, disk: &mut Disk<'_>) -> std::io::Result<()> {
    let Some(_alone) = without_readers(root) else { return Ok(()) };
    let known: HashSet<&str> = catalog.files().map(|file| file.path.as_str()).collect();
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == NEW_CATALOG_FILE {
            disk.remove(&name)?;
        }
        if number_of(&name).is_none() || !entry.file_type()?.is_dir() {
            continue;
        }
        let mut is_known = false;
        let mut gone = Vec::new();
        for file in std::fs::read_dir(entry.path())? {
            let path = format!("{name}/{}", file?.file_name().to_string_lossy());
            if known.contains(path.as_str()) {
                is_known = true;
            } else {
                gone.push(path);
            }
        }
        match is_known {
            true => gone.iter().try_for_each(|path| disk.remove(path))?,
            false => disk.remove(&name)?,
        }
    }
    Ok(())
}
