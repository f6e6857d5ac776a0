//! Batches of people out of their facts.

use super::names::Names;
use super::stored::{StoredFact, StoredFacts};
use crate::attributes::Attributes;
use crate::cell::Cell;
use crate::events::EventTables;
use crate::loader::{Loader, Progress};
use crate::manifest::RowsAre;
use crate::merge::Merges;
use crate::report::ReadError;
use seg_data::{Batch, EventId, Schema, Timestamp, Wanted};
use std::collections::HashSet;
use std::sync::Arc;

/// The facts of one id.
#[derive(Debug, Clone, Copy)]
pub struct PersonFacts<'f> {
    /// The id that the facts were told of.
    pub id: &'f str,
    /// What [`append`](super::append) made of them.
    pub facts: &'f [u8],
}

/// Where the facts of a schema's names go, made once for batch after batch.
#[derive(Debug, Clone)]
pub struct FactLayout {
    schema: Arc<Schema>,
    /// What is wanted of everybody, and what says since when they exist.
    wanted: Wanted,
    places: Places,
    n_names: usize,
}

impl FactLayout {
    /// For what is wanted of the people of a schema.
    pub fn of((schema, names): (&Arc<Schema>, &Names), wanted: &Wanted) -> FactLayout {
        let mut wanted = wanted.clone();
        wanted.attributes.extend(schema.first_seen);
        let (places, n_names) = (Places::of(schema, names), names.all().len());
        FactLayout { schema: Arc::clone(schema), wanted, places, n_names }
    }

    /// Everybody whose facts are given, with what is wanted of them, as reading the same records
    /// from files would make them: ids that `merges` join are one person, whose facts unite, and
    /// what arrived twice is one event. Of whom nothing is known there is no row. `names` are
    /// those that the layout was made with; where there are more of them by now, it is made anew.
    ///
    /// # Errors
    /// More than a batch can hold.
    pub fn people(
        &self,
        names: &Names,
        merges: &[(String, String)],
        people: &[PersonFacts<'_>],
    ) -> Result<Batch, ReadError> {
        if names.all().len() != self.n_names {
            return FactLayout::of((&self.schema, names), &self.wanted).people(names, merges, people);
        }
        let FactLayout { schema, wanted, places, .. } = self;
        let mut silence = |_: Progress| {};
        let mut loader = Loader::new(schema, None, wanted, &mut silence);
        loader.people.merges = Merges::new(merges);
        let mut attributes = Attributes::new(schema, wanted);
        attributes.begin_source(RowsAre::Changes);
        let mut tables = EventTables::new(schema, wanted);
        let mut messages: HashSet<(u32, u32, &str)> = HashSet::new();
        for (id, fact) in in_order(people, !merges.is_empty()) {
            let Some(number) = fact.event else {
                let cells = places.cells(&fact, names, None);
                attributes.take_fact(&mut loader, id, fact.time, &cells);
                continue;
            };
            // What the schema does not name did not happen.
            let Some(event) = places.events.get(number as usize).copied().flatten() else { continue };
            let person = loader.people.person(id).row;
            if !fact.message.is_empty() && !messages.insert((person, number, fact.message)) {
                continue;
            }
            let cells = places.cells(&fact, names, Some(event));
            let event = EventId(event as u32);
            tables.take_fact(&mut loader, (person, event), (fact.time, fact.arrival as i64), &cells);
        }
        loader.batch(Some(attributes), Some(tables)).map(|loaded| loaded.batch)
    }
}

/// The people of a [`FactLayout`] that is made for them alone.
///
/// # Errors
/// More than a batch can hold.
pub fn people_of_facts(
    (schema, names): (&Arc<Schema>, &Names),
    wanted: &Wanted,
    merges: &[(String, String)],
    people: &[PersonFacts<'_>],
) -> Result<Batch, ReadError> {
    FactLayout::of((schema, names), wanted).people(names, merges, people)
}

/// The facts of everybody, in the order of arrival where ids are joined.
fn in_order<'f>(people: &[PersonFacts<'f>], are_joined: bool) -> Vec<(&'f str, StoredFact<'f>)> {
    let of = |person: &PersonFacts<'f>| {
        let id = person.id;
        StoredFacts::of(person.facts).map(move |fact| (id, fact))
    };
    let mut facts: Vec<(&str, StoredFact<'_>)> = people.iter().flat_map(of).collect();
    if are_joined {
        facts.sort_by_key(|(_, fact)| fact.arrival);
    }
    facts
}

/// Where in a schema the names of facts are, by their numbers.
#[derive(Debug, Clone)]
struct Places {
    events: Vec<Option<usize>>,
    attributes: Vec<Option<usize>>,
    /// For each event of the schema, its properties.
    properties: Vec<Vec<Option<usize>>>,
    n_attributes: usize,
    n_properties: Vec<usize>,
}

impl Places {
    fn of(schema: &Schema, names: &Names) -> Places {
        let places = |all: &mut dyn Iterator<Item = &str>| {
            let mut places = vec![None; names.all().len()];
            for (place, name) in all.enumerate() {
                let slot = names.number(name).and_then(|number| places.get_mut(number as usize));
                slot.into_iter().for_each(|slot| *slot = Some(place));
            }
            places
        };
        let of_event = |event: &seg_data::schema::Event| {
            places(&mut event.properties.iter().map(|property| property.name.as_str()))
        };
        Places {
            events: places(&mut schema.events.iter().map(|event| event.name.as_str())),
            attributes: places(&mut schema.attributes.iter().map(|field| field.name.as_str())),
            properties: schema.events.iter().map(of_event).collect(),
            n_attributes: schema.attributes.len(),
            n_properties: schema.events.iter().map(|event| event.properties.len()).collect(),
        }
    }

    /// The values of a fact, a cell for each attribute, or for each property of an event.
    fn cells<'f>(&self, fact: &StoredFact<'f>, names: &'f Names, event: Option<usize>) -> Vec<Cell<'f>> {
        let (places, n_cells) = match event {
            None => (Some(&self.attributes), self.n_attributes),
            Some(event) => (self.properties.get(event), self.n_properties.get(event).copied().unwrap_or(0)),
        };
        let mut cells = vec![Cell::Missing; n_cells];
        for (number, cell) in fact.cells(names) {
            let place = places.and_then(|places| places.get(number as usize).copied().flatten());
            let slot = place.and_then(|place| cells.get_mut(place));
            slot.into_iter().for_each(|slot| *slot = cell.clone());
        }
        cells
    }
}

impl Attributes<'_> {
    /// Takes what somebody was from a time on. A value that is not of the type that the
    /// schema has for it by now says nothing.
    fn take_fact(&mut self, loader: &mut Loader<'_>, id: &str, time: Timestamp, cells: &[Cell<'_>]) {
        let person = loader.people.person(id);
        self.add_line(&person, Some(time));
        let zone = loader.zone;
        for (column, cell) in self.columns_mut().zip(cells).filter(|(column, _)| column.is_wanted) {
            let _ = column.builder.append(cell, zone);
        }
    }
}
