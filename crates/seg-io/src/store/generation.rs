//! One packing: its files written and read.

use super::catalog::{Generation, StoredEvents};
use super::column::Reader;
use super::disk::Disk;
use super::ties::ties;
use crate::ipc::{Columns, write};
use crate::report::ReadError;
use crate::sequences::Sequences;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, UInt32Type};
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, StringArray, UInt32Array};
use arrow_buffer::ScalarBuffer;
use arrow_schema::DataType;
use seg_data::batch::{storage_type, time_type};
use seg_data::schema::Event;
use seg_data::{PropertyId, Schema};
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Arc;

/// What one packing adds, in memory.
pub(super) struct NewGeneration<'s> {
    pub schema: &'s Schema,
    /// Who was there before, and the ids of those who come.
    pub n_before: u64,
    pub ids: StringArray,
    pub first_arrival: i64,
    /// For each event of the schema.
    pub events: Vec<Sequences>,
    /// Whether people may become one later, for which the order of all events is kept.
    pub may_unite: bool,
}

/// The name of the folder of a generation.
pub(super) fn folder(number: u64) -> String {
    format!("g{number:06}")
}

/// The number of the generation whose folder has a name.
pub(super) fn number_of(folder: &str) -> Option<u64> {
    folder.strip_prefix('g')?.parse().ok()
}

impl NewGeneration<'_> {
    /// Writes it under a number, and says what was written.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(self, number: u64, disk: &mut Disk<'_>, threads: NonZero<usize>) -> std::io::Result<Generation> {
        let folder = folder(number);
        let n_people = self.n_before as usize + self.ids.len();
        let ties = match self.may_unite {
            true => self.events.iter().map(|_| Vec::new()).collect(),
            false => ties(&self.events.iter().collect::<Vec<_>>(), n_people, threads),
        };
        let one = |name: &str, column: ArrayRef| vec![(name.to_owned(), column)];
        let n_new = self.ids.len() as u64;
        let ids = disk.write(&format!("{folder}/people.arrow"), |to| write(to, &one("id", Arc::new(self.ids))))?;
        let mut events = Vec::new();
        for (at, ((event, own), ties)) in self.schema.events.iter().zip(self.events).zip(ties).enumerate() {
            if own.n_events() == 0 {
                continue;
            }
            let mut file = |what: &str, columns: &Columns| {
                disk.write(&format!("{folder}/event-{at}-{what}.arrow"), |to| write(to, columns))
            };
            let times = own.times();
            let (first, last) = (times.iter().min().copied(), times.iter().max().copied());
            let people = own.people.map(|people| one("person", Arc::new(UInt32Array::new(people, None))));
            let people = people.map(|people| file("people", &people)).transpose()?;
            let offsets = file("offsets", &one("offset", Arc::new(Int32Array::new(own.offsets, None))))?;
            let arrived = own.arrivals;
            let arrivals = match &arrived {
                Some(all) if self.may_unite => {
                    Some(file("arrivals", &one("arrival", Arc::new(Int64Array::new(all.clone(), None))))?)
                }
                _ => None,
            };
            let tied = (!ties.is_empty()).then(|| {
                let arrival = |at: &u32| arrived.as_ref().and_then(|all| all.get(*at as usize)).copied();
                let of_ties: Int64Array = ties.iter().map(|at| arrival(at).unwrap_or_default()).collect();
                let positions: ArrayRef = Arc::new(UInt32Array::from(ties));
                vec![("position".to_owned(), positions), ("arrival".to_owned(), Arc::new(of_ties) as ArrayRef)]
            });
            let ties = tied.map(|columns| file("ties", &columns)).transpose()?;
            let mut properties = BTreeMap::new();
            for (nth, (property, column)) in event.properties.iter().zip(own.properties).enumerate() {
                if let Some(column) = column {
                    let written = file(&format!("{nth}"), &one(&property.name, column))?;
                    properties.insert(property.name.clone(), written);
                }
            }
            let n_events = own.times.len() as u64;
            let times = file("time", &one("time", own.times))?;
            let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
            let name = event.name.clone();
            let stored =
                StoredEvents { name, n_events, first, last, people, offsets, times, arrivals, ties, properties };
            events.push(stored);
        }
        let (n_before, first_arrival) = (self.n_before, self.first_arrival);
        Ok(Generation { number, n_before, n_people: n_new, ids, first_arrival, events })
    }
}

/// Reads the events of one name of a packing, with some of the properties. When each arrived
/// is told where `with_arrivals`, else only where it decides anything within the packing.
///
/// # Errors
/// A file that is not there or is not as it was written.
pub(super) fn read_events(
    reader: &Reader,
    generation: &Generation,
    stored: &StoredEvents,
    (event, is_wanted): (&Event, &dyn Fn(PropertyId) -> bool),
    with_arrivals: bool,
) -> Result<Sequences, ReadError> {
    let numbers = |file: &_, ty: &DataType| reader.column(file, ty);
    let people = stored.people.as_ref().map(|file| {
        // Whose lists they are is copied, as all that says where something lies.
        let column = reader.columns(file)?.into_iter().next();
        let people = column.and_then(|(_, column)| Some(column.as_primitive_opt::<UInt32Type>()?.values().clone()));
        people.ok_or_else(|| reader.error(file, "the file is damaged"))
    });
    let offsets = reader.columns(&stored.offsets)?.into_iter().next();
    let offsets = offsets.and_then(|(_, column)| Some(column.as_primitive_opt::<Int32Type>()?.values().clone()));
    let offsets = offsets.ok_or_else(|| reader.error(&stored.offsets, "the file is damaged"))?;
    let times = numbers(&stored.times, &time_type())?;
    let properties = (0..).map(PropertyId).zip(&event.properties).map(|(id, property)| {
        let file = stored.properties.get(&property.name).filter(|_| is_wanted(id));
        file.map(|file| reader.column(file, &storage_type(&property.ty))).transpose()
    });
    let sequences = Sequences {
        people: people.transpose()?,
        offsets,
        arrivals: arrivals(reader, generation, stored, with_arrivals)?,
        times,
        properties: properties.collect::<Result<_, _>>()?,
    };
    let n_people = (generation.n_before + generation.n_people) as usize;
    if sequences.n_events() as u64 != stored.n_events || !sequences.is_sound(n_people) {
        return Err(reader.error(&stored.offsets, "the file is damaged: it does not fit the others"));
    }
    Ok(sequences)
}

fn arrivals(
    reader: &Reader,
    generation: &Generation,
    stored: &StoredEvents,
    with_arrivals: bool,
) -> Result<Option<ScalarBuffer<i64>>, ReadError> {
    let values = |column: &ArrayRef| column.as_primitive_opt::<Int64Type>().map(|all| all.values().clone());
    if let Some(file) = &stored.arrivals {
        return Ok(values(&reader.column(file, &DataType::Int64)?));
    }
    if stored.ties.is_none() && !with_arrivals {
        return Ok(None);
    }
    let n_events = usize::try_from(stored.n_events).unwrap_or_default();
    // Mostly zeros, which cost no memory until they are read.
    let mut all = vec![0; n_events];
    if generation.first_arrival != 0 {
        all.fill(generation.first_arrival);
    }
    if let Some(file) = &stored.ties {
        let columns = reader.columns(file)?;
        let damaged = || reader.error(file, "the file is damaged");
        let [(_, positions), (_, arrivals)] = columns.as_slice() else { return Err(damaged()) };
        let positions = positions.as_primitive_opt::<UInt32Type>().ok_or_else(damaged)?;
        let arrivals = arrivals.as_primitive_opt::<Int64Type>().ok_or_else(damaged)?;
        for (at, arrival) in positions.values().iter().zip(arrivals.values()) {
            *all.get_mut(*at as usize).ok_or_else(damaged)? = *arrival;
        }
    }
    Ok(Some(all.into()))
}
