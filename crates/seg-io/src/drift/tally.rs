//! What is counted of data while it is read, row by row.

use super::EXAMPLES_MAX;
use super::delays::Delays;
use super::names::Names;
use crate::cell::{Cell, Unfit};
use crate::column::with_items;
use crate::fits::fits;
use crate::infer::column::Column;
use crate::report::{Place, Report};
use crate::rules::Rules;
use seg_data::schema::Field;
use seg_data::{Element, Schema, Timestamp, Type, Zone};
use std::collections::{BTreeMap, HashMap};

/// How often something was met, and where first.
#[derive(Default)]
pub(super) struct Counted {
    pub count: u64,
    pub examples: Vec<Place>,
}

impl Counted {
    pub fn add(&mut self, place: impl FnOnce() -> Place) {
        self.count += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(place());
        }
    }
}

/// What is counted of an attribute or a property.
#[derive(Default)]
pub(super) struct FieldTally {
    /// Whether a file has its column.
    pub has_column: bool,
    /// How many values there are, of its type or not.
    pub n_values: u64,
    /// How many rows must have a value, and which have none.
    pub n_asked: u64,
    pub missing: Counted,
    pub other_type: Counted,
    pub too_fine: Counted,
    pub too_large: Counted,
    /// Values that the schema does not allow, and each with its number.
    pub not_allowed: Counted,
    pub values: Names<u64>,
}

impl FieldTally {
    /// Looks at a cell; of a row that may be silent about what is required, what it lacks is
    /// no drift.
    pub fn see(
        &mut self,
        field: &Field,
        cell: &Cell<'_>,
        is_silent: bool,
        (rules, zone): (&Rules, Option<Zone>),
        place: impl Fn(&Cell<'_>) -> Place,
    ) {
        let given = cell;
        rules.with(cell, &field.ty, |cell| {
            let found = fits(&field.ty, cell, zone);
            self.n_asked += u64::from(field.is_required && !is_silent);
            let kind = match found {
                Ok(true) => {
                    self.n_values += 1;
                    return self.look_up(field, cell, || place(given));
                }
                Ok(false) if field.is_required && !is_silent => return self.missing.add(|| place(given)),
                Ok(false) => return,
                Err(Unfit::OtherType) => &mut self.other_type,
                Err(Unfit::TooFine) => &mut self.too_fine,
                Err(Unfit::TooLarge) => &mut self.too_large,
            };
            kind.add(|| place(given));
            self.n_values += 1;
        });
    }

    /// Whether a value is among those that the schema allows; of a list each item.
    fn look_up(&mut self, field: &Field, cell: &Cell<'_>, place: impl FnOnce() -> Place) {
        let Some(allowed) = &field.allowed else { return };
        let mut others: Vec<String> = Vec::new();
        let mut look = |cell: &Cell<'_>| {
            if let Some(text) = cell.as_text()
                && !allowed.iter().any(|known| **known == *text)
            {
                others.push(text.into_owned());
            }
        };
        match &field.ty {
            Type::List(Element::Text) => drop(with_items(cell, |items| items.iter().for_each(&mut look))),
            Type::Boolean
            | Type::Integer
            | Type::Number
            | Type::Money
            | Type::Text
            | Type::Timestamp
            | Type::Date
            | Type::List(_)
            | Type::Duration
            | Type::Records(_) => look(cell),
        }
        if others.is_empty() {
            return;
        }
        self.not_allowed.add(place);
        for value in others {
            let at = self.values.place(&value, || 0);
            at.and_then(|at| self.values.at(at)).into_iter().for_each(|n| *n += 1);
        }
    }
}

/// What is counted of an event of the schema.
#[derive(Default)]
pub(super) struct EventTally {
    pub count: u64,
    /// How many arrived later than the schema says they do.
    pub late: Counted,
    /// Of how many it is known when they arrived.
    pub n_arrived: u64,
    pub properties: Vec<FieldTally>,
}

/// What is counted of a name that the schema lacks.
pub(super) struct UnknownField {
    pub count: u64,
    pub examples: Vec<Place>,
    /// What its values show.
    pub column: Column,
    /// Whether it is of analytics calls, whose names no source says otherwise.
    pub is_of_calls: bool,
}

impl UnknownField {
    pub fn see(&mut self, cell: &Cell<'_>, place: impl FnOnce() -> Place) {
        self.count += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(place());
        }
        self.column.see(cell);
    }
}

/// What is counted of an event that the schema lacks.
#[derive(Default)]
pub(super) struct UnknownEvent {
    pub counted: Counted,
    /// What its columns show, of the first events and columns.
    pub columns: BTreeMap<String, Column>,
}

/// Everything that is counted.
pub(super) struct Tally<'s> {
    pub schema: &'s Schema,
    pub zone: Option<Zone>,
    pub now: Option<Timestamp>,
    /// Rows of people and of events.
    pub n_people: u64,
    pub n_events: u64,
    pub attributes: Vec<FieldTally>,
    pub events: Vec<EventTally>,
    pub by_name: HashMap<&'s str, usize>,
    pub unknown_events: Names<UnknownEvent>,
    pub unknown_attributes: Names<UnknownField>,
    /// By the position of the event and the name of the column.
    pub unknown_properties: Names<(usize, String, UnknownField)>,
    pub delays: Vec<Delays>,
    /// Events that are later than it is now, and the latest of them.
    pub future: Counted,
    pub last: Option<Timestamp>,
    /// When the event arrived that comes next, where that is told beside its row.
    pub received: Option<Timestamp>,
    /// Rows that could not be read as such.
    pub report: Report,
}

impl<'s> Tally<'s> {
    pub fn new(schema: &'s Schema, zone: Option<Zone>, now: Option<Timestamp>) -> Tally<'s> {
        let fields = |n: usize| (0..n).map(|_| FieldTally::default()).collect();
        let events = schema.events.iter();
        Tally {
            schema,
            zone,
            now,
            n_people: 0,
            n_events: 0,
            attributes: fields(schema.attributes.len()),
            events: events
                .map(|event| EventTally { properties: fields(event.properties.len()), ..EventTally::default() })
                .collect(),
            by_name: schema.events.iter().enumerate().map(|(at, event)| (event.name.as_str(), at)).collect(),
            unknown_events: Names::default(),
            unknown_attributes: Names::default(),
            unknown_properties: Names::default(),
            delays: Vec::new(),
            future: Counted::default(),
            last: None,
            received: None,
            report: Report::default(),
        }
    }

    /// Where the delays between two columns are counted.
    pub fn delays_of(&mut self, happened: &str, received: &str) -> usize {
        let known = self.delays.iter().position(|known| known.happened == happened && known.received == received);
        known.unwrap_or_else(|| {
            self.delays.push(Delays::new(happened, received));
            self.delays.len() - 1
        })
    }
}
