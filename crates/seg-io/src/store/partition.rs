//! A packing that is cut into several stores, each of some of the people: those whose ids have
//! one hash. Any scheduler can run them apart.

use super::catalog::{CATALOG_FILE, Catalog, PARTITIONS_FILE, Partition};
use super::column::Reader;
use super::earlier::Earlier;
use super::load::attribute;
use super::location::Location;
use super::lock::WriterLock;
use super::pack::{PackRequest, Packed, Packing};
use super::people::{proof_columns, record_columns};
use super::write::{NewAttributes, NewEvents, NewPeople, NewRows, NewState};
use crate::gather::{Stretch, gathered};
use crate::ipc::Columns;
use crate::loader::Progress;
use crate::manifest::Data;
use crate::merge::Merges;
use crate::report::{ReadError, Report};
use crate::results::digest_of_text;
use crate::sequences::{Parts, Sequences};
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_schema::{ArrowError, DataType};
use seg_data::batch::time_type;
use seg_data::{Schema, parallel};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How [`partition_of`] finds the number, as the file of a partitioned store tells it.
const HASH: &str = "the first 8 bytes of the SHA-256 of the id in UTF-8, the highest first, modulo the partitions";

/// The partition of so many that somebody is in, by the id that they go by: the first eight
/// bytes of its SHA-256, as a number whose highest byte comes first, modulo the partitions.
/// It is the same in every version of Seg.
pub fn partition_of(id: &str, of: NonZero<u32>) -> u32 {
    let digest = Sha256::digest(id.as_bytes());
    let first = digest.iter().take(8).fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    // What is left of a division by 32 bits has 32 bits.
    (first % u64::from(of.get())) as u32
}

/// Which of several stores one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePartition {
    /// From 0.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// A fingerprint of the packing that was cut into them.
    pub packing: String,
}

/// Which partition a project's store is; none where it holds everybody, or there is none.
///
/// # Errors
/// A store whose `MANIFEST` cannot be read or is not as it was written.
pub fn partition(base: &Path, data: &Data) -> Result<Option<StorePartition>, ReadError> {
    if data.store.is_none() {
        return Ok(None);
    }
    let known = Catalog::read(&Location::of(base, data)?)?.partition;
    Ok(known.map(|Partition { number, of, packing, .. }| StorePartition { number, of, packing }))
}

/// Of the people of a project's store, which is a partition, which of everybody each is:
/// ascending numbers, from 0, in the order of one store of all.
///
/// # Errors
/// A store that is no partition, or whose files are not as they were written.
pub fn rows_of_all(base: &Path, data: &Data) -> Result<Vec<u32>, ReadError> {
    let place = Location::of(base, data)?;
    let catalog = Catalog::read(&place)?;
    let file = catalog.partition.as_ref().and_then(|partition| partition.rows.as_ref());
    let file = file.ok_or_else(|| ReadError::new(place.name(), "this store is no partition"))?;
    let reader = Reader::new(place, false);
    let rows = reader.column(file, &DataType::UInt32)?;
    let rows = rows.as_primitive::<UInt32Type>();
    if rows.len() as u64 != catalog.n_people || rows.null_count() > 0 {
        return Err(reader.error(file, "the file is damaged"));
    }
    Ok(rows.values().to_vec())
}

/// Files that were read to be packed in partitions. Nothing is in place yet.
pub struct Partitioning {
    packing: Packing,
    staging: Staging,
    target: PathBuf,
    schema: Arc<Schema>,
    threads: NonZero<usize>,
    of: NonZero<u32>,
}

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Partitioned {
    /// All of it.
    pub packed: Packed,
    /// How many people each partition has.
    pub n_people: Vec<u64>,
}

/// A folder beside the partitions, in which they are made. It goes away when it is dropped.
struct Staging {
    path: PathBuf,
    _lock: WriterLock,
}

impl Drop for Staging {
    fn drop(&mut self) {
        // The next packing clears what cannot be removed now.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

impl Staging {
    fn new(path: PathBuf) -> Result<Staging, ReadError> {
        let failed = |error: std::io::Error| ReadError::new(path.to_string_lossy(), error.to_string());
        std::fs::create_dir_all(&path).map_err(failed)?;
        let lock = WriterLock::take(&path)?;
        for left in [path.join(WHOLE), path.join(PARTS)] {
            if left.exists() {
                std::fs::remove_dir_all(&left).map_err(failed)?;
            }
        }
        Ok(Staging { path, _lock: lock })
    }
}

/// Below the folder beside the partitions: all of it as one store, and the partitions.
const WHOLE: &str = "whole";
const PARTS: &str = "partitions";

impl Partitioning {
    /// Reads the files of a request, which adds to no store.
    ///
    /// # Errors
    /// Those of [`Packing::read`], and a folder that holds anything but partitions.
    pub fn read(request: PackRequest<'_>, of: NonZero<u32>) -> Result<Partitioning, ReadError> {
        let PackRequest { base, data, schema, zone, append: _, threads, memory, mut progress } = request;
        let target = super::root(base, data)?;
        refuse_others(&target)?;
        let store = data.store.clone().unwrap_or_default();
        let beside = format!("{}.packing", store.trim_end_matches('/'));
        let data = Data { store: Some(format!("{beside}/{WHOLE}")), ..data.clone() };
        let staging = Staging::new(super::root(base, &Data { store: Some(beside), ..Data::default() })?)?;
        let mut told = |far: Progress| progress.iter_mut().for_each(|progress| progress(far));
        let progress: Option<&mut dyn FnMut(Progress)> = Some(&mut told);
        let request = PackRequest { base, data: &data, schema, zone, append: false, threads, memory, progress };
        let packing = Packing::read(request)?;
        let schema = Arc::clone(schema);
        Ok(Partitioning { packing, staging, target, schema, threads, of })
    }

    /// What was wrong with the files that were read.
    pub fn report(&self) -> &Report {
        self.packing.report()
    }

    /// Writes the partitions, each a store in a folder by its number, and puts all of them in
    /// the place of those that were there.
    ///
    /// # Errors
    /// What the file system says; the partitions are what they were.
    pub fn write(self) -> Result<Partitioned, ReadError> {
        let Partitioning { packing, staging, target, schema, threads, of } = self;
        let packed = packing.write(None)?;
        let whole = Location::Folder(staging.path.join(WHOLE));
        let before = Earlier::new(Catalog::read(&whole)?, Reader::new(whole, true))?;
        let cut = Cut::new(&before, &schema, of, threads)?;
        let parts = staging.path.join(PARTS);
        let failed = |path: &Path, error: std::io::Error| ReadError::new(path.to_string_lossy(), error.to_string());
        let mut catalogs = Vec::new();
        for number in 0..of.get() {
            let folder = parts.join(number.to_string());
            std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
            let _lock = WriterLock::take(&folder)?;
            catalogs.push(cut.state(number)?.write(&folder, None)?);
        }
        let told = Told { format: 1, partitions: of.get(), packing: &cut.packing, hash: HASH };
        let file = parts.join(PARTITIONS_FILE);
        let text = serde_json::to_string_pretty(&told).map_err(|error| failed(&file, error.into()))?;
        crate::results::write_whole(&file, &format!("{text}\n")).map_err(|error| failed(&file, error))?;
        put_in_place(&parts, &target).map_err(|error| failed(&target, error))?;
        let n_people = catalogs.iter().map(|catalog| catalog.n_people).collect();
        let bytes = catalogs.iter().map(Catalog::bytes).sum();
        Ok(Partitioned { packed: Packed { bytes, ..packed }, n_people })
    }
}

/// What the file beside the partitions says.
#[derive(Serialize)]
struct Told<'t> {
    format: u32,
    partitions: u32,
    packing: &'t str,
    hash: &'t str,
}

/// A folder takes the place of another, which goes away.
fn put_in_place(new: &Path, target: &Path) -> std::io::Result<()> {
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    name.push(".before");
    let before = target.with_file_name(name);
    if before.exists() {
        std::fs::remove_dir_all(&before)?;
    }
    if !target.exists() {
        std::fs::rename(new, target)?;
    } else if are_exchanged(new, target) {
        // What was there is under the name of what is new, and in the way of the next packing.
        std::fs::rename(new, &before)?;
    } else {
        std::fs::rename(target, &before)?;
        if let Err(error) = std::fs::rename(new, target) {
            // What was there comes back.
            let _ = std::fs::rename(&before, target);
            return Err(error);
        }
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    // What cannot go away now is under no name that anybody asks for, and goes the next time.
    let _ = std::fs::remove_dir_all(&before);
    Ok(())
}

/// Gives each of two folders the name of the other at once, so that there is one under both names at
/// any moment; says whether the file system can.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn are_exchanged(one: &Path, other: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn are_exchanged(_: &Path, _: &Path) -> bool {
    false
}

/// A folder that holds anything but partitions is not replaced.
fn refuse_others(root: &Path) -> Result<(), ReadError> {
    let error = |why: String| Err(ReadError::new(root.to_string_lossy(), why));
    if root.is_file() {
        return error("this is a file, and partitions are in a folder".to_owned());
    }
    let Ok(entries) = std::fs::read_dir(root) else { return Ok(()) };
    if root.join(CATALOG_FILE).exists() {
        return error("the folder holds a store that is in one piece; name another folder for partitions".to_owned());
    }
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number && !matches!(name.as_str(), PARTITIONS_FILE | "LOCK" | "READERS") {
            return error(format!("the folder holds `{name}`, which is no partition of a store; name another folder"));
        }
    }
    Ok(())
}

/// A store that is cut.
struct Cut<'c> {
    before: &'c Earlier,
    schema: &'c Schema,
    threads: NonZero<usize>,
    of: NonZero<u32>,
    packing: String,
    /// For each partition the rows of its people, ascending.
    rows: Vec<Vec<u32>>,
    /// For each partition the records by which ids of its people are one.
    records: Vec<Vec<(String, String)>>,
    exists: Option<ArrayRef>,
    merged: Option<ArrayRef>,
    attributes: Columns,
    /// For each event of the schema.
    events: Vec<Vec<Sequences>>,
}

impl<'c> Cut<'c> {
    fn new(
        before: &'c Earlier,
        schema: &'c Schema,
        of: NonZero<u32>,
        threads: NonZero<usize>,
    ) -> Result<Cut<'c>, ReadError> {
        let Earlier { catalog, reader, ids } = before;
        let mut rows = vec![Vec::new(); of.get() as usize];
        for (row, id) in (0..).zip(ids.iter().flatten()) {
            rows.get_mut(partition_of(id, of) as usize).into_iter().for_each(|own| own.push(row));
        }
        let all = before.records()?;
        let merges = Merges::new(&all);
        let mut records = vec![Vec::new(); of.get() as usize];
        for record in &all {
            let survivor = merges.identity(&record.0).map_or(record.0.as_str(), |identity| identity.survivor.as_str());
            let own = records.get_mut(partition_of(survivor, of) as usize);
            own.into_iter().for_each(|own| own.push(record.clone()));
        }
        let merged = catalog.merged.as_ref().map(|file| {
            let column = reader.columns(file)?.into_iter().next();
            column.map(|(_, column)| column).ok_or_else(|| reader.error(file, "the file is damaged"))
        });
        let known = schema.attributes.iter().filter_map(|field| Some((field, catalog.attributes.get(&field.name)?)));
        let attributes = known
            .map(|(field, stored)| Ok((field.name.clone(), attribute(reader, field, stored, ids.len())?)))
            .collect::<Result<Columns, ReadError>>()?;
        let text = catalog.to_text().map_err(|error| ReadError::new("store", error.to_string()))?;
        Ok(Cut {
            before,
            schema,
            threads,
            of,
            packing: digest_of_text(&text),
            rows,
            records,
            exists: catalog.exists.as_ref().map(|file| reader.column(file, &time_type())).transpose()?,
            merged: merged.transpose()?,
            attributes,
            events: before.events(schema)?,
        })
    }

    /// The store of a partition, to be written.
    fn state(&self, number: u32) -> Result<NewState<'c>, ReadError> {
        let at = number as usize;
        let rows = self.rows.get(at).map_or(&[][..], Vec::as_slice);
        let stretches = stretches(rows);
        let own = |column: &ArrayRef| {
            let failed = |error: ArrowError| ReadError::new("store", format!("cutting a store failed: {error}"));
            gathered(std::slice::from_ref(column), &stretches).map_err(failed)
        };
        let filled = |column: &ArrayRef| Ok(Some(own(column)?).filter(|column| column.null_count() < column.len()));
        let ids = own(&(Arc::new(self.before.ids.clone()) as ArrayRef))?;
        let attributes = self.attributes.iter().map(|(name, column)| Ok((name.clone(), own(column)?)));
        let columns = attributes.collect::<Result<Columns, ReadError>>()?;
        let of_row = |column: &Option<ArrayRef>| column.as_ref().map_or(Ok(None), filled);
        let people = NewPeople {
            exists: of_row(&self.exists)?,
            merged: of_row(&self.merged)?,
            proofs: proof_columns(&[]),
            records: record_columns(self.records.get(at).map_or(&[][..], Vec::as_slice)),
            rows: Some(Arc::new(UInt32Array::from(rows.to_vec()))),
            attributes: Some(NewAttributes { columns, lines: None }),
            calls: None,
        };
        let mut catalog = self.before.catalog.clone();
        // Nothing is packed behind a partition.
        catalog.calls = None;
        let (attributes, events) = catalog.told_of_all();
        let (of, packing) = (self.of.get(), self.packing.clone());
        catalog.partition = Some(Partition { number, of, packing, rows: None, attributes, events });
        catalog.generations.clear();
        (catalog.lines, catalog.n_parts) = (None, 1);
        let new = NewRows {
            schema: self.schema,
            n_before: 0,
            ids: ids.as_string::<i32>().clone(),
            first_arrival: 0,
            events: NewEvents::Here(self.events_of(rows)?),
            // Nothing is packed behind them.
            may_unite: false,
            threads: self.threads,
        };
        Ok(NewState { catalog, new, people })
    }

    fn events_of(&self, rows: &[u32]) -> Result<Vec<Sequences>, ReadError> {
        let mut found: Vec<Option<Result<Sequences, ReadError>>> = self.schema.events.iter().map(|_| None).collect();
        let work: Vec<_> = self.schema.events.iter().zip(&self.events).zip(&mut found).collect();
        parallel::each(
            work,
            self.threads,
            || (),
            |(), ((event, parts), to)| {
                let parts = Parts { event, parts, row_of: None, n_people: rows.len(), event_id: None };
                *to = Some(parts.of_rows(rows));
            },
        );
        found.into_iter().flatten().collect()
    }
}

/// Rows, which ascend, as stretches of one column.
fn stretches(rows: &[u32]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for row in rows.iter().map(|row| *row as usize) {
        match stretches.last_mut() {
            Some(last) if last.end == row => last.end += 1,
            _ => stretches.push(Stretch { column: 0, start: row, end: row + 1 }),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `sha256sum`: the numbers that are in every store stay as they are.
    #[test]
    fn the_hash_is_that_of_every_version() {
        let of = |n: u32| NonZero::new(n).expect("a number");
        for (id, expected) in TOLD {
            let found = [of(1), of(4), of(16), of(1000)].map(|of| partition_of(id, of));
            assert_eq!(found, *expected, "{id}");
        }
    }

    const TOLD: &[(&str, [u32; 4])] = &[
        ("", [0, 0, 4, 652]),
        ("ann", [0, 2, 14, 870]),
        ("7", [0, 2, 14, 230]),
        ("u-1000000", [0, 3, 3, 371]),
        ("Käthe", [0, 1, 9, 9]),
    ];
}
