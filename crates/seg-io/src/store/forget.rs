//! People who are to be in a store no longer.

use super::calls::{NewCalls, identity_columns, read_identities};
use super::column::Reader;
use super::disk::Watch;
use super::earlier::Earlier;
use super::load::{attribute, opened};
use super::location::Location;
use super::lock::WriterLock;
use super::pack::put_together;
use super::people::{line_columns, proof_columns, read_lines, read_proofs, record_columns};
use super::write::{NewAttributes, NewEvents, NewPeople, NewRows, NewState};
use crate::attributes::{EarlierLines, Line};
use crate::existence::Proof;
use crate::gather::{Stretch, gathered};
use crate::ipc::Columns;
use crate::manifest::Data;
use crate::merge::Merges;
use crate::people::one_spelling;
use crate::report::ReadError;
use crate::sequences::Sequences;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::ArrowError;
use seg_data::batch::time_type;
use seg_data::{Schema, Zone};
use std::collections::HashSet;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

/// Who was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forgotten {
    /// How many people, and how many events of theirs.
    pub n_people: u64,
    /// See [`Forgotten::n_people`].
    pub n_events: u64,
    /// The ids of those whom nobody knew.
    pub unknown: Vec<String>,
}

/// Writes a project's store anew without the people who have some ids: without their ids and
/// those that were merged into theirs, their attributes, texts that nobody else has, and
/// their events. Where nobody has any of the ids nothing is written.
///
/// # Errors
/// No store, one that is damaged or of another schema, somebody else who changes it, and what
/// the file system says; the store is what it was.
pub fn forget<'w>(
    (base, data, schema): (&Path, &Data, &Arc<Schema>),
    zone: Option<Zone>,
    ids: &[String],
    threads: NonZero<usize>,
    watch: Option<&'w mut Watch<'w>>,
) -> Result<Forgotten, ReadError> {
    let root = super::root(base, data)?;
    let place = Location::Folder(root.clone());
    opened(&place, schema, zone)?;
    let _lock = WriterLock::take(&root)?;
    // Whoever had the lock may have changed it.
    let before = Earlier::new(opened(&place, schema, zone)?, Reader::new(place, true))?;
    let records = before.records()?;
    let merges = Merges::new(&records);
    let survivor = |id: &str| merges.identity(id).map_or(id, |identity| identity.survivor.as_str()).to_owned();
    let asked: Vec<(&String, String)> = ids.iter().map(|id| (id, survivor(one_spelling(id)))).collect();
    let gone: HashSet<&str> = asked.iter().map(|(_, id)| id.as_str()).collect();
    let all: HashSet<&str> = before.ids.iter().flatten().collect();
    let unknown = asked.iter().filter(|(_, id)| !all.contains(id.as_str())).map(|(id, _)| (*id).clone()).collect();
    let mut row_of: Vec<Option<u32>> = Vec::with_capacity(before.ids.len());
    let mut n_left = 0;
    for id in before.ids.iter().flatten() {
        let is_left = !gone.contains(id);
        row_of.push(is_left.then_some(n_left));
        n_left += u32::from(is_left);
    }
    let n_people = before.catalog.n_people - u64::from(n_left);
    // What is told of what was read, of a partition as of others, may be of whom it does not have.
    if n_people == 0 && before.catalog.partition.is_none() {
        return Ok(Forgotten { n_people, n_events: 0, unknown });
    }
    let records = records.into_iter().filter(|(from, _)| !gone.contains(survivor(from).as_str())).collect();
    let calls = before.catalog.calls.as_ref().map(|stored| {
        let is_gone = |id: &str| gone.contains(survivor(id).as_str());
        let mut said = read_identities(&before.reader, &stored.identities)?;
        said.retain(|(_, id, link)| !is_gone(id) && !link.as_ref().is_some_and(|(_, _, user)| is_gone(user)));
        // Which calls came stays known, by their hashes alone, so that none comes a second time.
        Ok(NewCalls { identities: identity_columns(&said), messages: Vec::new(), keeps_earlier: true })
    });
    let calls = calls.transpose()?;
    let n_left = n_left as usize;
    let without = Without { before: &before, schema, row_of, n_left, merges: &merges, records, calls };
    let state = without.state(threads)?;
    let written = state.write(&root, watch)?;
    let n_events = before.catalog.n_events - written.n_events;
    Ok(Forgotten { n_people, n_events, unknown })
}

/// A store without some of its people.
struct Without<'w> {
    before: &'w Earlier,
    schema: &'w Schema,
    /// For each row which row it is then.
    row_of: Vec<Option<u32>>,
    n_left: usize,
    merges: &'w Merges,
    /// Those that are left.
    records: Vec<(String, String)>,
    calls: Option<NewCalls>,
}

impl<'w> Without<'w> {
    fn state(self, threads: NonZero<usize>) -> Result<NewState<'w>, ReadError> {
        let failed = |error: ArrowError| ReadError::new("store", format!("writing the store anew failed: {error}"));
        let Earlier { catalog, reader, ids } = self.before;
        let left = stretches(self.row_of.iter().map(Option::is_some));
        // Of the first so many rows that a column has.
        let of_left = |column: &ArrayRef| {
            let inside = left.iter().filter(|s| s.start < column.len());
            let inside: Vec<Stretch> = inside.map(|s| Stretch { end: s.end.min(column.len()), ..*s }).collect();
            gathered(&[Arc::clone(column)], &inside).map_err(failed)
        };
        let ids = of_left(&(Arc::new(ids.clone()) as ArrayRef))?.as_string::<i32>().clone();
        let none = self.schema.events.iter().map(|event| Sequences::none(event, self.n_left)).collect();
        let rows = (Some(self.row_of.as_slice()), self.n_left);
        let events = put_together(self.before, self.schema, none, rows, threads)?;
        let exists = catalog.exists.as_ref().map(|file| of_left(&reader.column(file, &time_type())?)).transpose()?;
        let merged = catalog.merged.as_ref().map(|file| {
            let column = reader.columns(file)?.into_iter().next();
            of_left(&column.ok_or_else(|| reader.error(file, "the file is damaged"))?.1)
        });
        let proofs = catalog.proofs.as_ref().map_or(Ok(Vec::new()), |file| read_proofs(reader, file))?;
        let is_left = |row: usize| self.row_of.get(row).copied().flatten().is_some();
        let proofs: Vec<Proof> = (0..).zip(proofs).filter(|(row, _)| is_left(*row)).map(|(_, proof)| proof).collect();
        let people = NewPeople {
            exists: exists.filter(|column| column.null_count() < column.len()),
            merged: merged.transpose()?,
            proofs: proof_columns(&proofs),
            records: record_columns(&self.records),
            rows: self.rows_of_all(&of_left)?,
            attributes: self.attributes(&of_left)?,
            calls: self.calls,
        };
        let mut next = catalog.clone();
        next.generations.clear();
        next.n_parts = 1;
        next.last_event = events.iter().flat_map(|own| own.times().iter().max().copied()).max();
        // What stood there may be of those who are forgotten.
        next.problems.iter_mut().flat_map(|problem| &mut problem.examples).for_each(|place| place.value.clear());
        let may_unite = catalog.generations.iter().flat_map(|g| &g.events).any(|e| e.arrivals.is_some());
        let (schema, n_before, first_arrival) = (self.schema, 0, 0);
        let events = NewEvents::Here(events);
        let new = NewRows { schema, n_before, ids, first_arrival, events, may_unite, threads };
        Ok(NewState { catalog: next, new, people })
    }

    /// Of a partition, which people of all those are who are left.
    fn rows_of_all(
        &self,
        of_left: &dyn Fn(&ArrayRef) -> Result<ArrayRef, ReadError>,
    ) -> Result<Option<ArrayRef>, ReadError> {
        let Earlier { catalog, reader, .. } = self.before;
        let file = catalog.partition.as_ref().and_then(|partition| partition.rows.as_ref());
        file.map(|file| of_left(&reader.column(file, &arrow_schema::DataType::UInt32)?)).transpose()
    }

    fn attributes(
        &self,
        of_left: &dyn Fn(&ArrayRef) -> Result<ArrayRef, ReadError>,
    ) -> Result<Option<NewAttributes>, ReadError> {
        let Earlier { catalog, reader, ids } = self.before;
        if catalog.lines.is_none() && catalog.partition.is_none() {
            return Ok(None);
        }
        let mut columns: Columns = Vec::new();
        for field in &self.schema.attributes {
            let Some(known) = catalog.attributes.get(&field.name) else { continue };
            let column = attribute(reader, field, known, ids.len())?;
            columns.push((field.name.clone(), of_left(&column)?));
        }
        let Some(stored) = &catalog.lines else { return Ok(Some(NewAttributes { columns, lines: None })) };
        let rows: Vec<u32> = (0..ids.len() as u32).collect();
        let id = |row: u32| {
            let at = row as usize;
            if at < ids.len() { ids.value(at).to_owned() } else { String::new() }
        };
        let EarlierLines { lines, columns: values, has } = read_lines(reader, stored, &rows, self.merges, id)?;
        let row_of = |line: &Line| self.row_of.get(line.person as usize).copied().flatten();
        let left = stretches(lines.iter().map(|line| row_of(line).is_some()));
        let values = values.iter().map(|column| {
            gathered(&[Arc::clone(column)], &left).map_err(|error| ReadError::new("store", error.to_string()))
        });
        let values = values.collect::<Result<Vec<ArrayRef>, ReadError>>()?;
        // Before lines are written their people are those of then, and their ids those of now.
        let own: Vec<Line> = lines.iter().filter_map(|line| Some(Line { person: row_of(line)?, ..*line })).collect();
        let mut old_of: Vec<u32> = vec![0; self.n_left];
        for (row, now) in (0..).zip(&self.row_of) {
            now.and_then(|now| old_of.get_mut(now as usize)).into_iter().for_each(|slot| *slot = row);
        }
        let kept = EarlierLines { lines: own, columns: values, has: Vec::new() };
        let lines = line_columns(&kept, self.merges, |row| id(old_of.get(row as usize).copied().unwrap_or_default()));
        Ok(Some(NewAttributes { columns, lines: Some((lines, has)) }))
    }
}

/// The rows that are left, as stretches of one column.
fn stretches(is_left: impl Iterator<Item = bool>) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for (row, _) in is_left.enumerate().filter(|(_, is_left)| *is_left) {
        match stretches.last_mut() {
            Some(last) if last.end == row => last.end += 1,
            _ => stretches.push(Stretch { column: 0, start: row, end: row + 1 }),
        }
    }
    stretches
}
