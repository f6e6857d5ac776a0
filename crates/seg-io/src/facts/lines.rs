//! Lines of records, read by a schema.

use super::code::put_named;
use super::names::Names;
use super::{Fact, FactKind};
use crate::calls::{CallSink, Kind, Places, Rows};
use crate::cell::Cell;
use crate::open::DataFile;
use crate::report::{ProblemKind, ReadError};
use crate::rows::{self, RowSink};
use seg_data::{Schema, Timestamp, Type, Zone};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactLine {
    /// Which line it is, from 1.
    pub number: u64,
    /// Of whom.
    pub said: Said,
    /// When, by what the line says of it.
    pub time: Option<Timestamp>,
    /// When it was received, where the line says so.
    pub received: Option<Timestamp>,
    /// The id of the message, where it has one.
    pub message: Option<String>,
    /// What it tells of them; a line may say no more than who is who.
    pub fact: Option<Fact>,
    /// How many of its values were not of the types that the schema gives, and are missing.
    pub n_unfit: u32,
    /// What could not be used of it.
    pub unusable: Option<Unusable>,
}

impl FactLine {
    /// That everything of a person is to be forgotten, as a line would say it.
    pub fn forget(id: String) -> FactLine {
        FactLine {
            number: 1,
            said: Said::Forget(id),
            time: None,
            received: None,
            message: None,
            fact: None,
            n_unfit: 0,
            unusable: None,
        }
    }
}

/// Of whom a line speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A row or an event: `id`.
    Of(String),
    /// A call: one of the ids at least; both together say that they are one person.
    Call {
        /// The known id.
        user: Option<String>,
        /// The id of a device.
        anonymous: Option<String>,
    },
    /// A call that says that two ids are one.
    Alias {
        /// The id before.
        previous: Option<String>,
        /// The id from now on.
        user: Option<String>,
        /// The id of a device.
        anonymous: Option<String>,
    },
    /// A merge record: one id is merged into another.
    Merge {
        /// The id that is merged away.
        from: String,
        /// The id that stays.
        into: String,
    },
    /// Everything of a person is to be forgotten.
    Forget(String),
    /// Of nobody.
    Nobody,
}

/// What of a line could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It is no record, in words.
    Broken(String),
    /// It says of nobody whose it is.
    NoId,
    /// The schema has no event of this name.
    UnknownEvent(String),
    /// An event without a name.
    NoEvent,
    /// Its time cannot be read.
    ImpossibleTime(String),
}

/// Reads lines, a JSON object each: analytics calls, or rows as a project's data has them,
/// with `id` and perhaps `time`; with `event`, what somebody did, else what they are. `from`
/// and `into` without an `id` are a merge record, and `forget` names whom to forget.
///
/// # Errors
/// Bytes that cannot be read as lines.
pub fn read_facts(
    (schema, names): (&Arc<Schema>, &Names),
    zone: Option<Zone>,
    lines: &str,
) -> Result<Vec<FactLine>, ReadError> {
    let file = DataFile::of_lines("records");
    let capture = |is_call| Capture::new((schema, names), zone, is_call);
    let (mut people, mut events, mut plain) = (capture(true), capture(true), capture(false));
    let mut heads = {
        let mut sink = Fork {
            people: CallSink::of_each(&mut people, Rows::People, schema),
            events: CallSink::of_each(&mut events, Rows::Events, schema),
            plain: &mut plain,
            zone,
            places: Places::default(),
            plain_places: PlainPlaces::default(),
            lines: BTreeMap::new(),
        };
        rows::read_each_line(&file, lines, &mut sink)?;
        sink.lines
    };
    for captured in [people, events, plain] {
        for (number, outcome) in captured.taken {
            let Some(line) = heads.get_mut(&number) else { continue };
            match outcome {
                Ok((fact, n_unfit)) => {
                    line.n_unfit += n_unfit;
                    line.fact = Some(of_message(fact, &line.message));
                }
                Err(why) => line.unusable = Some(why),
            }
        }
    }
    Ok(heads.into_values().collect())
}

/// A fact with the id of the message that told of it.
fn of_message(fact: Fact, id: &Option<String>) -> Fact {
    match fact.kind {
        FactKind::Row => fact,
        FactKind::Event { name, event_id, .. } => {
            Fact { kind: FactKind::Event { name, message: id.clone(), event_id }, ..fact }
        }
    }
}

/// Gives each line to whoever reads its kind, and notes of whom it speaks.
struct Fork<'c, 'p, 's> {
    people: CallSink<'c>,
    events: CallSink<'c>,
    plain: &'p mut Capture<'s>,
    zone: Option<Zone>,
    places: Places,
    plain_places: PlainPlaces,
    lines: BTreeMap<u64, FactLine>,
}

/// Where the parts of rows are that are no calls.
#[derive(Default)]
struct PlainPlaces {
    id: Option<usize>,
    time: Option<usize>,
    from: Option<usize>,
    into: Option<usize>,
    forget: Option<usize>,
    received: Option<usize>,
}

impl RowSink for Fork<'_, '_, '_> {
    fn columns(&mut self, names: &[String]) {
        let at = |name: &str| names.iter().position(|known| known == name);
        self.places = Places::of(names);
        self.plain_places = PlainPlaces {
            id: at("id"),
            time: at("time"),
            from: at("from"),
            into: at("into"),
            forget: at("forget"),
            received: at("receivedAt"),
        };
        self.people.columns(names);
        self.events.columns(names);
        self.plain.columns(names);
    }

    fn known_columns(&self) -> Vec<String> {
        let mut known = self.people.known_columns();
        known.extend(self.events.known_columns());
        known.extend(self.plain.known_columns());
        known
    }

    fn zone(&self) -> Option<Zone> {
        self.zone
    }

    fn row(&mut self, number: u64, cells: &[Cell<'_>]) {
        let (places, plain) = (&self.places, &self.plain_places);
        let text = |at: Option<usize>| places.id(at, cells);
        let user = text(places.user);
        let anonymous = text(places.anonymous);
        let previous = text(places.previous);
        let kind = places.kind(cells).filter(|_| user.is_some() || anonymous.is_some() || previous.is_some());
        let said = match kind {
            Some(Kind::Alias) => Said::Alias { previous, user, anonymous },
            Some(Kind::Identify | Kind::Track | Kind::Page | Kind::Screen | Kind::Group) => {
                Said::Call { user, anonymous }
            }
            None => match (text(plain.forget), text(plain.id), text(plain.from), text(plain.into)) {
                (Some(id), ..) => Said::Forget(id),
                (None, Some(id), ..) => Said::Of(id),
                (None, None, Some(from), Some(into)) => Said::Merge { from, into },
                (None, None, ..) => Said::Nobody,
            },
        };
        let time_cell = match kind {
            Some(_) => places.time(cells),
            None => plain.time.and_then(|at| cells.get(at)).cloned().unwrap_or(Cell::Missing),
        };
        let time = time_cell.instant(self.zone);
        let received = plain.received.and_then(|at| cells.get(at)?.instant(self.zone).ok().flatten());
        let unusable = match (&said, &time) {
            (Said::Nobody, _) => Some(Unusable::NoId),
            (_, Err(_)) => Some(Unusable::ImpossibleTime(time_cell.show())),
            (_, Ok(_)) => None,
        };
        let is_usable = unusable.is_none();
        let line = FactLine {
            number,
            time: time.ok().flatten(),
            received,
            message: kind.and_then(|_| text(places.message)),
            fact: None,
            n_unfit: 0,
            unusable,
            said,
        };
        let is_row = matches!(line.said, Said::Of(_));
        self.lines.insert(number, line);
        match kind {
            _ if !is_usable => {}
            Some(_) => {
                self.people.row(number, cells);
                self.events.row(number, cells);
            }
            None if is_row => self.plain.row(number, cells),
            None => {}
        }
    }

    fn broken(&mut self, number: u64, why: &str) {
        let line = FactLine {
            number,
            said: Said::Nobody,
            time: None,
            received: None,
            message: None,
            fact: None,
            n_unfit: 0,
            unusable: Some(Unusable::Broken(why.to_owned())),
        };
        self.lines.insert(number, line);
    }

    fn note(&mut self, _kind: ProblemKind, _column: &str, _line: u64) {}
}

/// What was made of a line, by its number: a fact, and how many of its values were not fit.
type Taken = (u64, Result<(Fact, u32), Unusable>);

/// Takes rows or events, and encodes them.
struct Capture<'a> {
    schema: &'a Schema,
    names: &'a Names,
    zone: Option<Zone>,
    is_call: bool,
    /// The events of the schema by name.
    by_name: HashMap<&'a str, usize>,
    time_at: Option<usize>,
    event_at: Option<usize>,
    /// For each attribute, its column.
    attributes: Vec<Option<usize>>,
    /// For each event, the columns of its properties.
    properties: Vec<Vec<Option<usize>>>,
    taken: Vec<Taken>,
}

impl<'a> Capture<'a> {
    fn new((schema, names): (&'a Schema, &'a Names), zone: Option<Zone>, is_call: bool) -> Capture<'a> {
        let by_name = schema.events.iter().enumerate().map(|(at, event)| (event.name.as_str(), at)).collect();
        Capture {
            schema,
            names,
            zone,
            is_call,
            by_name,
            time_at: None,
            event_at: None,
            attributes: Vec::new(),
            properties: Vec::new(),
            taken: Vec::new(),
        }
    }

    /// What a row tells: an event where it has the name of one, else what somebody is.
    fn fact(&self, cells: &[Cell<'_>]) -> Result<(Fact, u32), Unusable> {
        let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).unwrap_or(&Cell::Missing);
        let time = cell(self.time_at).instant(self.zone).ok().flatten();
        let (mut values, mut n_unfit) = (Vec::new(), 0);
        let mut put = |name: &str, ty: &Type, at: Option<usize>| {
            let Some(number) = self.names.number(name) else { return };
            let put = put_named(&mut values, number, (ty, self.names), cell(at), self.zone);
            n_unfit += u32::from(put.is_err());
        };
        let Some(event_at) = self.event_at.filter(|at| self.is_call || !cell(Some(*at)).is_missing()) else {
            for (field, at) in self.schema.attributes.iter().zip(&self.attributes) {
                put(&field.name, &field.ty, *at);
            }
            return Ok((Fact { kind: FactKind::Row, time, values }, n_unfit));
        };
        let name = cell(Some(event_at)).as_text().ok_or(Unusable::NoEvent)?;
        let place = self.by_name.get(name.as_ref()).copied();
        let unknown = || Unusable::UnknownEvent(name.clone().into_owned());
        let event = place.and_then(|place| self.schema.events.get(place)).ok_or_else(unknown)?;
        let columns = place.and_then(|place| self.properties.get(place));
        for (at, field) in event.properties.iter().enumerate() {
            put(&field.name, &field.ty, columns.and_then(|columns| columns.get(at)).copied().flatten());
        }
        let id_property = self.schema.event_id.as_ref().and_then(|id| event.property(id)).map(|p| p.idx());
        let id_at = id_property.and_then(|at| columns?.get(at).copied().flatten());
        let event_id = id_at.and_then(|at| cell(Some(at)).text().ok().flatten());
        let name = self.names.number(&event.name).ok_or_else(unknown)?;
        Ok((Fact { kind: FactKind::Event { name, message: None, event_id }, time, values }, n_unfit))
    }
}

impl RowSink for Capture<'_> {
    fn columns(&mut self, names: &[String]) {
        let at = |name: &str| names.iter().position(|known| known == name);
        let place = |field: &seg_data::schema::Field| at(&field.name);
        // Calls come with whose they are, when, and as which event, before all others.
        self.time_at = if self.is_call { Some(1) } else { at("time") };
        let has_events = !self.is_call || names.get(2).is_some_and(|name| !name.is_empty());
        self.event_at = has_events.then(|| if self.is_call { Some(2) } else { at("event") }).flatten();
        self.attributes = self.schema.attributes.iter().map(place).collect();
        self.properties = self.schema.events.iter().map(|event| event.properties.iter().map(place).collect()).collect();
    }

    fn known_columns(&self) -> Vec<String> {
        let properties = self.schema.events.iter().flat_map(|event| &event.properties);
        self.schema.attributes.iter().chain(properties).map(|field| field.name.clone()).collect()
    }

    fn zone(&self) -> Option<Zone> {
        self.zone
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) {
        let fact = self.fact(cells);
        self.taken.push((line, fact));
    }

    fn broken(&mut self, line: u64, why: &str) {
        self.taken.push((line, Err(Unusable::Broken(why.to_owned()))));
    }

    fn note(&mut self, _kind: ProblemKind, _column: &str, _line: u64) {}
}
