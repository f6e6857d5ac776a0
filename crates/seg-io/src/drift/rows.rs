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

impl Source<'_> {
    /// Whether a column of a file is told of: it has a name, which is not that of a column
    /// before it, and no other source uses it.
    fn is_told(&self, names: &[String]) -> Vec<bool> {
        let mut met = HashSet::new();
        names.iter().map(|name| !name.is_empty() && met.insert(name) && !self.of_others.contains(name)).collect()
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
    has_names: bool,
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
        PeopleSink { tally, source, spec, id_at: None, time_at: None, columns, unknown, has_names: false }
    }

    /// The columns that must be there, and where they were found.
    pub fn found(&self) -> Vec<(&'t String, Option<usize>)> {
        let time = self.spec.time.as_ref().map(|time| (time, self.time_at));
        let all = std::iter::once((&self.spec.id, self.id_at)).chain(time);
        if self.has_names { all.collect() } else { Vec::new() }
    }
}

impl RowSink for PeopleSink<'_, '_> {
    fn zone(&self) -> Option<Zone> {
        self.tally.borrow().zone
    }

    fn columns(&mut self, names: &[String]) {
        let mut tally = self.tally.borrow_mut();
        let at = |name: &str| names.iter().position(|known| known == name);
        self.has_names = !names.is_empty();
        self.id_at = at(&self.spec.id);
        self.time_at = self.spec.time.as_deref().and_then(at);
        let attributes = &tally.schema.attributes;
        self.columns = attributes.iter().map(|field| at(&field.name)).collect();
        for (known, found) in tally.attributes.iter_mut().zip(&self.columns) {
            known.has_column |= found.is_some();
        }
        let is_told = self.source.is_told(names);
        let used: HashSet<usize> = self.columns.iter().chain([&self.id_at, &self.time_at]).flatten().copied().collect();
        let unknown = names.iter().enumerate().zip(is_told).filter(|((at, _), is_told)| *is_told && !used.contains(at));
        self.unknown = unknown.map(|((at, name), _)| (at, name.clone(), Slot::NotMet)).collect();
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

/// Compares the rows of events of a file.
pub(super) struct EventSink<'t, 's> {
    tally: &'t RefCell<Tally<'s>>,
    source: Source<'t>,
    spec: &'t EventFiles,
    names: Vec<String>,
    is_told: Vec<bool>,
    id_at: Option<usize>,
    event_at: Option<usize>,
    time_at: Option<usize>,
    received_at: Option<usize>,
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
            names: Vec::new(),
            is_told: Vec::new(),
            id_at: None,
            event_at: None,
            time_at: None,
            received_at: None,
            layouts: Vec::new(),
            delays: None,
        }
    }

    /// The columns that must be there, and where they were found.
    pub fn found(&self) -> Vec<(&'t String, Option<usize>)> {
        let all = [(&self.spec.id, self.id_at), (&self.spec.event, self.event_at), (&self.spec.time, self.time_at)];
        if self.names.is_empty() { Vec::new() } else { all.to_vec() }
    }

    /// The column that says when an event arrived: the one that was named, or the first with
    /// a name for it.
    fn received_column(&self) -> Option<usize> {
        let is_other = |at: &usize| Some(*at) != self.time_at;
        match self.source.received {
            Some(name) => self.names.iter().position(|known| known == name),
            None => {
                let of_name = |wanted: &&str| self.names.iter().position(|name| without_spelling(name) == **wanted);
                RECEIVED.iter().filter_map(|wanted| of_name(&wanted)).find(is_other)
            }
        }
    }

    fn layout(&self, event: &Event) -> Layout {
        let at = |name: &str| self.names.iter().position(|known| known == name);
        let columns: Vec<Option<usize>> = event.properties.iter().map(|field| at(&field.name)).collect();
        let special = [self.id_at, self.event_at, self.time_at, self.received_at];
        let used: HashSet<usize> = columns.iter().chain(&special).flatten().copied().collect();
        let unknown = self.is_told.iter().enumerate().filter(|(at, is_told)| **is_told && !used.contains(at));
        Layout { unknown: unknown.map(|(at, _)| (at, Slot::NotMet)).collect(), columns }
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
        for (at, (cell, is_told)) in cells.iter().zip(&self.is_told).enumerate() {
            let Some(name) = self.names.get(at).filter(|_| *is_told && !cell.is_missing()) else { continue };
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
            let Some(name) = self.names.get(*at) else { continue };
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

    fn columns(&mut self, names: &[String]) {
        let at = |name: &str| names.iter().position(|known| known == name);
        self.id_at = at(&self.spec.id);
        self.event_at = at(&self.spec.event);
        self.time_at = at(&self.spec.time);
        self.names = names.to_vec();
        self.is_told = self.source.is_told(names);
        self.received_at = self.received_column();
        let tally = &mut *self.tally.borrow_mut();
        self.layouts = (0..tally.schema.events.len()).map(|_| None).collect();
        let received = self.received_at.and_then(|at| names.get(at));
        if let Some(received) = received {
            self.delays = Some(tally.delays_of(&self.spec.time, received));
        } else if self.source.is_calls {
            self.delays = Some(tally.delays_of(&self.spec.time, super::calls::RECEIVED));
        }
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
