//! What a store has, while more is read behind it.

use super::calls::read_calls;
use super::catalog::Catalog;
use super::column::Reader;
use super::generation::read_events;
use super::people::{read_lines, read_proofs, read_records};
use crate::attributes::EarlierLines;
use crate::calls::KnownCalls;
use crate::events::{CameBefore, EarlierEvents};
use crate::gather::joined;
use crate::load::Seeds;
use crate::loader::Loader;
use crate::report::ReadError;
use crate::sequences::{Sequences, text};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use seg_data::batch::Column;
use seg_data::{Schema, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// A store with its people.
pub(super) struct Earlier {
    pub catalog: Catalog,
    pub reader: Reader,
    pub ids: StringArray,
}

impl Earlier {
    /// # Errors
    /// A file that is not there or is not as it was written.
    pub fn new(catalog: Catalog, reader: Reader) -> Result<Earlier, ReadError> {
        let ids = ids(&catalog, &reader)?;
        Ok(Earlier { catalog, reader, ids })
    }

    fn id(&self, row: u32) -> String {
        let at = row as usize;
        if at < self.ids.len() { self.ids.value(at).to_owned() } else { String::new() }
    }

    /// The records by which ids are one so far.
    ///
    /// # Errors
    /// A file that is not there or is not as it was written.
    pub fn records(&self) -> Result<Vec<(String, String)>, ReadError> {
        let file = self.catalog.records.as_ref();
        file.map_or(Ok(Vec::new()), |file| read_records(&self.reader, file))
    }

    /// What is known of calls; of none where the store was packed without any.
    ///
    /// # Errors
    /// A file that is not there or is not as it was written.
    pub fn calls(&self) -> Result<KnownCalls, ReadError> {
        self.catalog.calls.as_ref().map_or_else(|| Ok(KnownCalls::default()), |stored| read_calls(&self.reader, stored))
    }

    /// Gives a loader all that the store knows, and says for each row of the store which row
    /// it is now. Rows of people are compared with later ones where `with_lines`, and where
    /// people of the store became one.
    ///
    /// # Errors
    /// A file that is not there or is not as it was written.
    pub fn seed<'a>(&self, loader: &mut Loader<'a>, with_lines: bool) -> Result<(Vec<u32>, Seeds<'a>), ReadError> {
        loader.people.begin_with(&self.ids);
        let mut rows: Vec<u32> = Vec::with_capacity(self.ids.len());
        for (row, id) in (0..).zip(self.ids.iter().flatten()) {
            let is_other = loader.people.merges.is_merged_away(id);
            rows.push(if is_other { loader.people.person(id).row } else { row });
        }
        let are_united = rows.iter().zip(0..).any(|(now, row)| *now != row);
        if let Some(file) = &self.catalog.proofs {
            let proofs = read_proofs(&self.reader, file)?;
            rows.iter().zip(&proofs).for_each(|(row, proof)| loader.existence.add(*row, proof));
        }
        let lines = match &self.catalog.lines {
            Some(stored) if with_lines || are_united => {
                let merges = &loader.people.merges;
                Some(read_lines(&self.reader, stored, &rows, merges, |row| self.id(row))?)
            }
            _ => None,
        };
        let ids = loader.schema.event_id.is_some().then(|| self.known_ids(loader.schema, &rows)).transpose()?;
        let events = EarlierEvents {
            n_arrived: self.catalog.n_arrived,
            last_event: self.catalog.last_event.map(Timestamp),
            ids: ids.map(|ids| Box::new(ids) as Box<dyn CameBefore>),
        };
        Ok((rows, Seeds { lines: lines.or_else(|| with_lines.then(no_lines)), events: Some(events) }))
    }

    /// The events of every name, a generation after another, with the order in which they
    /// arrived.
    ///
    /// # Errors
    /// A file that is not there or is not as it was written.
    pub fn events(&self, schema: &Schema) -> Result<Vec<Vec<Sequences>>, ReadError> {
        schema.events.iter().map(|event| self.events_of(event, &|_| true)).collect()
    }

    fn events_of(
        &self,
        event: &seg_data::schema::Event,
        is_wanted: &dyn Fn(seg_data::PropertyId) -> bool,
    ) -> Result<Vec<Sequences>, ReadError> {
        let stored = self.catalog.generations.iter().flat_map(|generation| {
            generation.events.iter().filter(|stored| stored.name == event.name).map(move |stored| (generation, stored))
        });
        stored
            .map(|(generation, stored)| read_events(&self.reader, generation, stored, (event, is_wanted), true))
            .collect()
    }

    fn known_ids(&self, schema: &Schema, rows: &[u32]) -> Result<KnownIds, ReadError> {
        let mut of_event = Vec::with_capacity(schema.events.len());
        for event in &schema.events {
            let id = schema.event_id.as_ref().and_then(|id| event.property(id));
            let mut known = Vec::new();
            if let Some(id) = id {
                for own in self.events_of(event, &|property| property == id)? {
                    let ids = own.column(event, id);
                    let ids = ids.map_err(|error| ReadError::new("store", error.to_string()))?;
                    known.extend(ids.map(|ids| (own, ids)));
                }
            }
            of_event.push(known);
        }
        let mut others: HashMap<u32, Vec<u32>> = HashMap::new();
        for (now, row) in rows.iter().zip(0..).filter(|(now, row)| **now != *row) {
            others.entry(*now).or_default().push(row);
        }
        Ok(KnownIds { of_event, others })
    }
}

fn no_lines() -> EarlierLines {
    EarlierLines { lines: Vec::new(), columns: Vec::new(), has: vec![Vec::new()] }
}

/// The ids of everybody, in the order of rows.
///
/// # Errors
/// A file that is not there or is not as it was written.
pub(super) fn ids(catalog: &Catalog, reader: &Reader) -> Result<StringArray, ReadError> {
    let parts = catalog.generations.iter().map(|generation| {
        let ids = reader.texts(&generation.ids)?;
        let is_sound = ids.len() as u64 == generation.n_people && ids.null_count() == 0;
        if is_sound { Ok(Arc::new(ids) as ArrayRef) } else { Err(reader.error(&generation.ids, "the file is damaged")) }
    });
    let parts = parts.collect::<Result<Vec<ArrayRef>, ReadError>>()?;
    if parts.is_empty() {
        return Ok(StringArray::new_null(0));
    }
    let joined = joined(&parts).map_err(|error| ReadError::new("store", error.to_string()))?;
    Ok(joined.as_string::<i32>().clone())
}

/// The event ids that a store has.
struct KnownIds {
    /// For each event of the schema, a packing after another.
    of_event: Vec<Vec<(Sequences, Column)>>,
    /// By row of now: the other rows that the person had in the store.
    others: HashMap<u32, Vec<u32>>,
}

impl CameBefore for KnownIds {
    fn came_before(&self, person: u32, event: usize, id: &str) -> bool {
        let others = self.others.get(&person).into_iter().flatten().copied();
        std::iter::once(person).chain(others).any(|row| {
            self.of_event
                .get(event)
                .into_iter()
                .flatten()
                .any(|(own, ids)| own.of_person(row).any(|at| text(ids.value(at)).as_deref() == Some(id)))
        })
    }
}
