//! Rows of people and of events, compared with the schema.

use super::tally::{Tally, UnknownEvent, UnknownField};
use crate::cell::Cell;
use crate::infer::column::Column;
use crate::json_schema::without_spelling;
use crate::manifest::{EventFiles, ProfileFiles, RowsAre};
use crate::open::DataFile;
use crate::report::{Place, ProblemKind};
use crate::rows::RowSink;
use crate::rules::Rules;
use seg_data::schema::Event;
use seg_data::{Timestamp, Type, Zone};
use std::cell::RefCell;
use std::collections::HashSet;

/// Names of columns that say when an event arrived, without what spellings differ in; the
/// nearer to its arrival, the earlier here.
const RECEIVED: [&str; 14] = [
    "receivedat",
    "serverreceivedat",
    "receivedtime",
    "receivedtimestamp",
    "arrivedat",
    "ingestedat",
    "ingestiontime",
    "collectedat",
    "collectortstamp",
    "loadedat",
    "servertime",
    "servertimestamp",
    "serveruploadtime",
    "sentat",
];

/// So many events that the schema lacks are looked at more closely, and so many columns of
/// each.
const LOOKED_AT_MAX: usize = 50;

/// Where a row was seen, with the value that stood there.
fn place(file: &DataFile, line: u64, cell: &Cell<'_>) -> Place {
    Place { file: file.name.clone(), line, value: cell.show() }
}

/// Where the rows come from.
pub(super) struct Source<'t> {
    pub file: &'t DataFile,
    pub rules: &'t Rules,
    /// Whether they are analytics calls, whose names no source says otherwise.
    pub is_calls: bool,
    /// The column that says when events arrived, where it is known.
    pub received: Option<&'t str>,
    /// Columns that other sources use of the same file.
    pub of_others: Vec<String>,
}

/// The columns of a file, of which later rows may bring more.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    met: HashSet<String>,
    /// Whether each is told of where the schema lacks it: it has a name, which is not that of
    /// a column before it, and no other source uses it.
    are_told: Vec<bool>,
}

impl Columns {
    /// How many of the columns that are known are still the same: all, or none.
    fn same(&mut self, names: &[String]) -> usize {
        if !names.starts_with(&self.names) {
            *self = Columns::default();
        }
        self.names.len()
    }

    fn add(&mut self, name: &str, of_others: &[String]) {
        let is_new = !name.is_empty() && self.met.insert(name.to_owned());
        self.are_told.push(is_new && !of_others.iter().any(|other| other == name));
        self.names.push(name.to_owned());
    }

    fn is_told(&self, at: usize) -> bool {
        self.are_told.get(at).copied().unwrap_or(false)
    }
}

/// Compares the rows of people of a file.
pub(super) struct PeopleSink<'t, 's> {
    tally: &'t RefCell<Tally<'s>>,
    source: Source<'t>,
    spec: &'t ProfileFiles,
    id_at: Option<usize>,
    time_at: Option<usize>,
    /// For each attribute, the column of the file that holds it.
    columns: Vec<Option<usize>>,
    /// For each column that the schema lacks, its name and where it is counted, once it was met.
    unknown: Vec<(usize, String, Slot)>,
    names: Columns,
}

/// Where a name that the schema lacks is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    NotMet,
    At(usize),
    /// Nowhere, for there are too many.
    Nowhere,
}

impl Slot {
    fn of(place: Option<usize>) -> Slot {
        place.map_or(Slot::Nowhere, Slot::At)
    }
}

impl<'t, 's> PeopleSink<'t, 's> {
    pub fn new(tally: &'t RefCell<Tally<'s>>, source: Source<'t>, spec: &'t ProfileFiles) -> PeopleSink<'t, 's> {
        let (columns, unknown) = (Vec::new(), Vec::new());
        PeopleSink { tally, source, spec, id_at: None, time_at: None, columns, unknown, names: Columns::default() }
    }

    /// The columns that must be there, and where they were found.
    pub fn found(&self) -> Vec<(&'t String, Option<usize>)> {
        let time = self.spec.time.as_ref().map(|time| (time, self.time_at));
        let all = std::iter::once((&self.spec.id, self.id_at)).chain(time);
        if self.names.names.is_empty() { Vec::new() } else { all.collect() }
    }
}

impl RowSink for PeopleSink<'_, '_> {
    fn zone(&self) -> Option<Zone> {
        self.tally.borrow().zone
    }

    fn known_columns(&self) -> Vec<String> {
        let special = std::iter::once(&self.spec.id).chain(&self.spec.time);
        let tally = self.tally.borrow();
        special.chain(tally.schema.attributes.iter().map(|field| &field.name)).cloned().collect()
    }

    fn columns(&mut self, names: &[String]) {
        let tally = &mut *self.tally.borrow_mut();
        let attributes = &tally.schema.attributes;
        let n_same = self.names.same(names);
        if n_same == 0 {
            (self.id_at, self.time_at) = (None, None);
            self.columns = vec![None; attributes.len()];
            self.unknown.clear();
        }
        for (at, name) in names.iter().enumerate().skip(n_same) {
            self.names.add(name, &self.source.of_others);
            let is_time = self.spec.time.as_ref() == Some(name);
            self.id_at = self.id_at.or((*name == self.spec.id).then_some(at));
            self.time_at = self.time_at.or(is_time.then_some(at));
            let field = attributes.iter().position(|field| field.name == *name);
            let slot = field.and_then(|field| self.columns.get_mut(field));
            match (slot, field.and_then(|field| tally.attributes.get_mut(field))) {
                (Some(slot), Some(known)) => {
                    *slot = slot.or(Some(at));
                    known.has_column = true;
                }
                _ if self.names.is_told(at) && *name != self.spec.id && !is_time => {
                    self.unknown.push((at, name.clone(), Slot::NotMet));
                }
                _ => {}
            }
        }
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) {
        let tally = &mut *self.tally.borrow_mut();
        tally.n_people += 1;
        tally.report.rows += 1;
        let (file, rules, zone) = (self.source.file, self.source.rules, tally.zone);
        let cell_at = |at: Option<usize>| at.and_then(|at| cells.get(at)).unwrap_or(&Cell::Missing);
        let id = cell_at(self.id_at);
        if rules.id(id).is_none() {
            return tally.report.add(ProblemKind::MissingId, &self.spec.id, || place(file, line, id));
        }
        let time_cell = cell_at(self.time_at);
        let Ok(time) = rules.with(time_cell, &Type::Timestamp, |cell| cell.instant(zone)) else {
            let column = self.spec.time.as_deref().unwrap_or("");
            return tally.report.add(ProblemKind::ImpossibleTime, column, || place(file, line, time_cell));
        };
        // A change need not repeat what is required.
        let is_silent = time.is_some() && self.spec.rows == RowsAre::Changes;
        let fields = tally.schema.attributes.iter().zip(&mut tally.attributes);
        for ((field, counted), at) in fields.zip(&self.columns) {
            counted.see(field, cell_at(*at), is_silent, (rules, zone), |cell| place(file, line, cell));
        }
        for (at, name, slot) in &mut self.unknown {
            let cell = cell_at(Some(*at));
            if cell.is_missing() {
                continue;
            }
            if *slot == Slot::NotMet {
                let new = || unknown_field(name, zone, self.source.is_calls);
                *slot = Slot::of(tally.unknown_attributes.place(name, new));
            }
            if let Slot::At(at) = *slot
                && let Some(field) = tally.unknown_attributes.at(at)
            {
                field.see(cell, || place(file, line, cell));
            }
        }
    }

    fn broken(&mut self, line: u64, why: &str) {
        broken(&mut self.tally.borrow_mut(), self.source.file, line, why);
    }

    fn note(&mut self, kind: ProblemKind, column: &str, line: u64) {
        note(&mut self.tally.borrow_mut(), self.source.file, (kind, column, line));
    }
}

fn unknown_field(name: &str, zone: Option<Zone>, is_of_calls: bool) -> UnknownField {
    UnknownField { count: 0, examples: Vec::new(), column: Column::new(name, zone), is_of_calls }
}

fn broken(tally: &mut Tally<'_>, file: &DataFile, line: u64, why: &str) {
    tally.report.rows += 1;
    let place = || Place { file: file.name.clone(), line, value: why.to_owned() };
    tally.report.add(ProblemKind::BrokenRow, "", place);
}

fn note(tally: &mut Tally<'_>, file: &DataFile, (kind, column, line): (ProblemKind, &str, u64)) {
    let place = || Place { file: file.name.clone(), line, value: String::new() };
    tally.report.add(kind, column, place);
}

/// Compares the events of a file, a row each.
pub(super) struct EventSink<'t, 's> {
    tally: &'t RefCell<Tally<'s>>,
    source: Source<'t>,
    spec: &'t EventFiles,
    names: Columns,
    id_at: Option<usize>,
    event_at: Option<usize>,
    time_at: Option<usize>,
    received_at: Option<usize>,
    /// How good a name for it that column has, the best first.
    received_rank: usize,
    /// For each event of the schema that was met, where its properties are.
    layouts: Vec<Option<Layout>>,
    delays: Option<usize>,
}

/// Where in a file the properties of an event are, and which columns are others.
struct Layout {
    columns: Vec<Option<usize>>,
    unknown: Vec<(usize, Slot)>,
}

impl<'t, 's> EventSink<'t, 's> {
    pub fn new(tally: &'t RefCell<Tally<'s>>, source: Source<'t>, spec: &'t EventFiles) -> EventSink<'t, 's> {
        EventSink {
            tally,
            source,
            spec,
            names: Columns::default(),
            id_at: None,
            event_at: None,
            time_at: None,
            received_at: None,
            received_rank: usize::MAX,
            layouts: Vec::new(),
            delays: None,
        }
    }

    /// The columns that must be there, and where they were found.
    pub fn found(&self) -> Vec<(&'t String, Option<usize>)> {
        let all = [(&self.spec.id, self.id_at), (&self.spec.event, self.event_at), (&self.spec.time, self.time_at)];
        if self.names.names.is_empty() { Vec::new() } else { all.to_vec() }
    }

    /// How good a name a column has for when an event arrived: the one that was said, or else
    /// a usual one.
    fn rank(&self, name: &str) -> Option<usize> {
        match self.source.received {
            Some(said) => (said == name).then_some(0),
            None => {
                let name = without_spelling(name);
                RECEIVED.iter().position(|known| *known == name)
            }
        }
    }

    /// Where the properties of an event are.
    fn layout(&self, event: &Event) -> Layout {
        let mut layout = Layout { columns: vec![None; event.properties.len()], unknown: Vec::new() };
        (0..self.names.names.len()).for_each(|at| self.extend(&mut layout, event, at));
        layout
    }

    /// Adds a column to where the properties of an event are.
    fn extend(&self, layout: &mut Layout, event: &Event, at: usize) {
        let Some(name) = self.names.names.get(at) else { return };
        let field = event.properties.iter().position(|field| field.name == *name);
        let special = [self.id_at, self.event_at, self.time_at, self.received_at];
        match field.and_then(|field| layout.columns.get_mut(field)) {
            Some(slot) => *slot = slot.or(Some(at)),
            None if self.names.is_told(at) && !special.contains(&Some(at)) => layout.unknown.push((at, Slot::NotMet)),
            None => {}
        }
    }

    /// Looks at when an event happened and when it arrived.
    fn times(&self, tally: &mut Tally<'s>, event: usize, (line, cells): (u64, &[Cell<'_>]), happened: Timestamp) {
        let (file, zone) = (self.source.file, tally.zone);
        tally.last = tally.last.max(Some(happened));
        let of_time = || place(file, line, self.time_at.and_then(|at| cells.get(at)).unwrap_or(&Cell::Missing));
        if tally.now.is_some_and(|now| happened > now) {
            tally.future.add(of_time);
        }
        let beside = tally.received.take();
        let cell = self.received_at.and_then(|at| cells.get(at));
        let rules = self.source.rules;
        let read = |cell: &Cell<'_>| rules.with(cell, &Type::Timestamp, |cell| cell.instant(zone)).ok().flatten();
        let Some(received) = beside.or_else(|| cell.and_then(read)) else { return };
        if let Some(delays) = self.delays.and_then(|at| tally.delays.get_mut(at)) {
            delays.see(happened, received, || match cell {
                Some(cell) => place(file, line, cell),
                None => Place { file: file.name.clone(), line, value: received.to_string() },
            });
        }
        let within = tally.schema.events.get(event).and_then(|event| event.arrives_within);
        let (Some(within), Some(counted)) = (within, tally.events.get_mut(event)) else { return };
        counted.n_arrived += 1;
        if received > within.after(happened, zone.unwrap_or(Zone::UTC)) {
            counted.late.add(of_time);
        }
    }

    /// Counts an event that the schema lacks, with what its columns show.
    fn unknown_event(&self, tally: &mut Tally<'s>, name: &str, (line, cells): (u64, &[Cell<'_>])) {
        let zone = tally.zone;
        let Some(at) = tally.unknown_events.place(name, UnknownEvent::default) else { return };
        let Some(event) = tally.unknown_events.at(at) else { return };
        let file = self.source.file;
        event.counted.add(|| Place { file: file.name.clone(), line, value: String::new() });
        if at >= LOOKED_AT_MAX {
            return;
        }
        let special = [self.id_at, self.event_at, self.time_at, self.received_at];
        for (at, cell) in cells.iter().enumerate() {
            let is_told = self.names.is_told(at) && !cell.is_missing();
            let Some(name) = self.names.names.get(at).filter(|_| is_told) else { continue };
            if special.contains(&Some(at)) {
                continue;
            }
            if event.columns.len() < LOOKED_AT_MAX && !event.columns.contains_key(name) {
                event.columns.insert(name.clone(), Column::new(name, zone));
            }
            if let Some(column) = event.columns.get_mut(name) {
                column.see(cell);
            }
        }
    }

    /// Looks at the columns that an event has no property for.
    fn unknown_properties(&mut self, tally: &mut Tally<'s>, event: usize, (line, cells): (u64, &[Cell<'_>])) {
        let (zone, file, is_of_calls) = (tally.zone, self.source.file, self.source.is_calls);
        let Some(Some(layout)) = self.layouts.get_mut(event) else { return };
        for (at, slot) in &mut layout.unknown {
            let Some(cell) = cells.get(*at).filter(|cell| !cell.is_missing()) else { continue };
            let Some(name) = self.names.names.get(*at) else { continue };
            if *slot == Slot::NotMet {
                let new = || (event, name.clone(), unknown_field(name, zone, is_of_calls));
                *slot = Slot::of(tally.unknown_properties.place(&format!("{event} {name}"), new));
            }
            if let Slot::At(at) = *slot
                && let Some((_, _, field)) = tally.unknown_properties.at(at)
            {
                field.see(cell, || place(file, line, cell));
            }
        }
    }
}

impl RowSink for EventSink<'_, '_> {
    fn zone(&self) -> Option<Zone> {
        self.tally.borrow().zone
    }

    fn known_columns(&self) -> Vec<String> {
        let special = [&self.spec.id, &self.spec.event, &self.spec.time].into_iter();
        let tally = self.tally.borrow();
        let properties = tally.schema.events.iter().flat_map(|event| &event.properties).map(|field| &field.name);
        special.chain(properties).cloned().collect()
    }

    fn columns(&mut self, names: &[String]) {
        let shared = self.tally;
        let tally = &mut *shared.borrow_mut();
        let n_same = self.names.same(names);
        if n_same == 0 {
            (self.id_at, self.event_at, self.time_at) = (None, None, None);
            (self.received_at, self.received_rank) = (None, usize::MAX);
            self.layouts = (0..tally.schema.events.len()).map(|_| None).collect();
        }
        for (at, name) in names.iter().enumerate().skip(n_same) {
            self.names.add(name, &self.source.of_others);
            for (slot, wanted) in [
                (&mut self.id_at, &self.spec.id),
                (&mut self.event_at, &self.spec.event),
                (&mut self.time_at, &self.spec.time),
            ] {
                *slot = slot.or((name == wanted).then_some(at));
            }
            if let Some(rank) = self.rank(name).filter(|rank| *rank < self.received_rank && *name != self.spec.time) {
                (self.received_at, self.received_rank) = (Some(at), rank);
            }
        }
        for (idx, event) in tally.schema.events.iter().enumerate() {
            let Some(mut layout) = self.layouts.get_mut(idx).and_then(Option::take) else { continue };
            (n_same..names.len()).for_each(|at| self.extend(&mut layout, event, at));
            if let Some(slot) = self.layouts.get_mut(idx) {
                *slot = Some(layout);
            }
        }
        let received = self.received_at.and_then(|at| names.get(at)).map(String::as_str);
        let received = received.or(self.source.is_calls.then_some(super::calls::RECEIVED));
        self.delays = received.map(|received| tally.delays_of(&self.spec.time, received));
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) {
        let shared = self.tally;
        let tally = &mut *shared.borrow_mut();
        tally.n_events += 1;
        tally.report.rows += 1;
        let (file, rules, zone) = (self.source.file, self.source.rules, tally.zone);
        let cell_at = |at: Option<usize>| at.and_then(|at| cells.get(at)).unwrap_or(&Cell::Missing);
        let id = cell_at(self.id_at);
        if rules.id(id).is_none() {
            return tally.report.add(ProblemKind::MissingId, &self.spec.id, || place(file, line, id));
        }
        let event_cell = cell_at(self.event_at);
        let name = rules.with(event_cell, &Type::Text, |cell| cell.as_text().map(std::borrow::Cow::into_owned));
        let Some(name) = name else {
            return tally.report.add(ProblemKind::MissingEvent, &self.spec.event, || place(file, line, event_cell));
        };
        let time_cell = cell_at(self.time_at);
        let Ok(Some(time)) = rules.with(time_cell, &Type::Timestamp, |cell| cell.instant(zone)) else {
            return tally.report.add(ProblemKind::ImpossibleTime, &self.spec.time, || place(file, line, time_cell));
        };
        let Some(at) = tally.by_name.get(name.as_str()).copied() else {
            self.times(tally, usize::MAX, (line, cells), time);
            return self.unknown_event(tally, &name, (line, cells));
        };
        self.times(tally, at, (line, cells), time);
        let Some(event) = tally.schema.events.get(at) else { return };
        if self.layouts.get(at).is_some_and(Option::is_none) {
            let layout = Some(self.layout(event));
            if let Some(slot) = self.layouts.get_mut(at) {
                *slot = layout;
            }
        }
        let (Some(Some(layout)), Some(counted)) = (self.layouts.get(at), tally.events.get_mut(at)) else { return };
        counted.count += 1;
        for ((field, counted), at) in event.properties.iter().zip(&mut counted.properties).zip(&layout.columns) {
            counted.has_column |= at.is_some();
            counted.see(field, cell_at(*at), false, (rules, zone), |cell| place(file, line, cell));
        }
        self.unknown_properties(tally, at, (line, cells));
    }

    fn broken(&mut self, line: u64, why: &str) {
        broken(&mut self.tally.borrow_mut(), self.source.file, line, why);
    }

    fn note(&mut self, kind: ProblemKind, column: &str, line: u64) {
        note(&mut self.tally.borrow_mut(), self.source.file, (kind, column, line));
    }
}
