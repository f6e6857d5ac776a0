//! Everybody, and what they did for some of them after others.

use crate::assemble::{NamedColumns, checked, internal};
use crate::load::Loaded;
use crate::report::{ReadError, Report};
use crate::spill::Spill;
use crate::store::StoredParts;
use arrow_array::ArrayRef;
use arrow_schema::Field as ArrowField;
use seg_data::schema::Event;
use seg_data::{Batch, EventId, PropertyId, Timestamp, Wanted, parallel};
use std::num::NonZero;
use std::ops::Range;

/// A project's data, of which memory has room for some people's events at a time.
pub struct LoadedParts {
    /// Everybody, with what was wanted of them; their events only where there is one part.
    pub people: Batch,
    /// How much was read, and what was wrong with it.
    pub report: Report,
    /// The latest event, whatever `now` is.
    pub last_event: Option<Timestamp>,
    rows: Vec<Range<usize>>,
    events: Events,
}

/// Where the events are.
enum Events {
    /// In the batch.
    Here,
    /// Put aside on the disk.
    Spilled(Spilled),
    /// In a packed store.
    Stored(Box<StoredParts>),
}

/// Events that were put aside, and what of them is wanted.
pub(crate) struct Spilled {
    pub spill: Spill,
    pub wanted: Wanted,
    pub threads: NonZero<usize>,
}

impl From<Loaded> for LoadedParts {
    fn from(loaded: Loaded) -> LoadedParts {
        let Loaded { batch, report, last_event } = loaded;
        LoadedParts {
            rows: std::iter::once(0..batch.len()).collect(),
            people: batch,
            report,
            last_event,
            events: Events::Here,
        }
    }
}

impl LoadedParts {
    pub(crate) fn spilled(
        people: Batch,
        report: Report,
        last_event: Option<Timestamp>,
        spilled: Spilled,
    ) -> LoadedParts {
        let rows = spilled.spill.parts(people.len());
        LoadedParts { people, report, last_event, rows, events: Events::Spilled(spilled) }
    }

    pub(crate) fn stored(loaded: Loaded, rows: Vec<Range<usize>>, stored: StoredParts) -> LoadedParts {
        let Loaded { batch, report, last_event } = loaded;
        LoadedParts { people: batch, report, last_event, rows, events: Events::Stored(Box::new(stored)) }
    }

    /// How many parts there are: all people are in one of them, in their order.
    pub fn n_parts(&self) -> usize {
        self.rows.len()
    }

    /// The people of a part with their events.
    ///
    /// # Errors
    /// A part that is not there, and what the disk says.
    pub fn part(&self, at: usize) -> Result<Batch, ReadError> {
        let rows = self.rows.get(at).ok_or_else(|| ReadError::new("data", "there are fewer parts of the data"))?;
        let events = match &self.events {
            Events::Here => return Ok(self.people.clone()),
            Events::Spilled(spilled) => spilled.columns(&self.people, rows)?,
            Events::Stored(stored) => stored.columns(at, rows)?,
        };
        let records = self.people.records();
        let fields = records.schema();
        let of_people = fields.fields().iter().zip(records.columns());
        let mut columns: NamedColumns =
            of_people.map(|(field, column)| (field.as_ref().clone(), column.slice(rows.start, rows.len()))).collect();
        columns.extend(events);
        checked(self.people.schema(), columns, self.threads())
    }

    fn threads(&self) -> NonZero<usize> {
        match &self.events {
            Events::Here => NonZero::<usize>::MIN,
            Events::Spilled(spilled) => spilled.threads,
            Events::Stored(stored) => stored.threads(),
        }
    }
}

impl Spilled {
    /// The events that are wanted of some people, a column a name.
    fn columns(&self, people: &Batch, rows: &Range<usize>) -> Result<NamedColumns, ReadError> {
        let schema = people.schema();
        let wanted = (0..).map(EventId).zip(&schema.events).filter(|(id, _)| self.wanted.events.contains_key(id));
        let wanted: Vec<(EventId, &Event)> = wanted.collect();
        let mut found: Vec<Option<Result<ArrayRef, ReadError>>> = wanted.iter().map(|_| None).collect();
        let work: Vec<_> = wanted.iter().zip(&mut found).collect();
        parallel::each(
            work,
            self.threads,
            || (),
            |(), ((id, event), to)| {
                let sequences = self.spill.sequences(schema, id.idx(), event, rows);
                let is_wanted = |property: PropertyId| self.wanted.property(*id, property);
                *to = Some(sequences.and_then(|own| own.into_lists(event, is_wanted, rows.len()).map_err(internal)));
            },
        );
        wanted.iter().zip(found.into_iter().flatten()).map(|((_, event), column)| named(event, column?)).collect()
    }
}

/// A column of events with its field.
pub(crate) fn named(event: &Event, column: ArrayRef) -> Result<(ArrowField, ArrayRef), ReadError> {
    Ok((ArrowField::new(&event.name, column.data_type().clone(), false), column))
}
