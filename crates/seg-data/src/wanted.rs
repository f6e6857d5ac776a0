//! What somebody wants of a batch, so that whoever reads the data can leave the
//! rest behind.

use crate::schema::{AttributeId, EventId, PropertyId, Schema};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The columns of a batch that will be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The attributes that are kept; others are left in the files.
    pub attributes: BTreeSet<AttributeId>,
    /// The names whose events are kept, and what of them.
    pub events: BTreeMap<EventId, WantedEvents>,
}

/// What is wanted of the events of one name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WantedEvents {
    /// The properties that are kept of each event.
    pub properties: BTreeSet<PropertyId>,
    /// Events before this instant are not; none wants all.
    pub since: Option<Timestamp>,
    /// Whether it is only asked who has one up to the instant of the question: any one of
    /// a person's is enough then, at any time up to it.
    pub is_existence: bool,
}

impl Wanted {
    /// Everything that a schema has.
    pub fn everything(schema: &Schema) -> Wanted {
        let attributes = (0..schema.attributes.len()).map(|a| AttributeId(a as u32)).collect();
        let events = schema.events.iter().enumerate().map(|(at, event)| {
            let properties = (0..event.properties.len()).map(|p| PropertyId(p as u32)).collect();
            (EventId(at as u32), WantedEvents { properties, since: None, is_existence: false })
        });
        Wanted { attributes, events: events.collect() }
    }

    /// The same whenever it happened: what lies before a window explains as well.
    pub fn of_all_times(mut self) -> Wanted {
        self.events.values_mut().for_each(|event| (event.since, event.is_existence) = (None, false));
        self
    }

    /// What either wants.
    pub fn and(mut self, other: Wanted) -> Wanted {
        self.attributes.extend(other.attributes);
        for (id, event) in other.events {
            match self.events.get_mut(&id) {
                Some(known) => {
                    known.properties.extend(event.properties);
                    known.is_existence &= event.is_existence;
                    known.since = known.since.zip(event.since).map(|(a, b)| a.min(b));
                }
                None => drop(self.events.insert(id, event)),
            }
        }
        self
    }

    /// Whether a property of some events is wanted.
    pub fn property(&self, event: EventId, property: PropertyId) -> bool {
        self.events.get(&event).is_some_and(|e| e.properties.contains(&property))
    }

    /// Whether an event at this time is wanted.
    pub fn event(&self, event: EventId, time: Timestamp) -> bool {
        self.events.get(&event).is_some_and(|e| e.since.is_none_or(|since| since <= time))
    }
}
