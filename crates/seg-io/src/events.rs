//! Events out of rows, one row each, grouped by person.

mod columns;

use crate::cell::Cell;
use crate::column::TypedColumn;
use crate::loader::Loader;
use crate::manifest::EventFiles;
use crate::open::DataFile;
use crate::order::{Order, Scratch};
use crate::people::Person;
use crate::report::ReadError;
use crate::report::{Place, ProblemKind};
use crate::rows::{Asked, Columns, Left, Pruning, Purpose, RowSink};
use crate::spill::{Room, Spill};
use arrow_array::{Array, ArrayRef, Int64Array, ListArray, StructArray, TimestampMicrosecondArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Fields};
use seg_data::batch::{ARRIVAL_FIELD, TIME_FIELD, time_type};
use seg_data::schema::Event;
use seg_data::{EventId, PropertyId, Schema, Timestamp, Type, Wanted, WantedEvents, Zone, parallel};
use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The events of every name, a row an event, in the order of arrival.
pub(crate) struct EventTables<'a> {
    tables: Vec<EventTable<'a>>,
    by_name: HashMap<&'a str, usize>,
    /// The name met last, and its place: the next event often has the same.
    last: Option<(&'a str, usize)>,
    /// Event ids met, by person and name: events of two names may share one, as of
    /// an order that is placed and paid.
    ids: HashSet<(u32, usize, String)>,
    n_arrived: i64,
    /// When the latest event was, wanted or not.
    last_event: Option<Timestamp>,
    /// Whether an event id came before everything that is read here.
    came_before: Option<Box<dyn CameBefore + 'a>>,
    /// How much memory there is, where that is bounded, and what it has no room for.
    room: Option<Room>,
    /// Why there is no room for more.
    failed: Option<ReadError>,
}

/// Events that were read before others.
pub(crate) struct EarlierEvents<'a> {
    /// How many arrived.
    pub n_arrived: i64,
    /// When the latest was.
    pub last_event: Option<Timestamp>,
    /// Which ids they have, where the schema has event ids.
    pub ids: Option<Box<dyn CameBefore + 'a>>,
}

/// Events of a name between which it is not looked whether there is room for more.
const ROWS_BETWEEN: usize = 1 << 8;

/// Whether a person has an event of a name, by its position in the schema, with an id.
pub(crate) trait CameBefore: Send + Sync {
    fn came_before(&self, person: u32, event: usize, id: &str) -> bool;
}

struct EventTable<'a> {
    id: EventId,
    event: &'a Event,
    is_wanted: bool,
    /// All there are, wanted or not.
    n_events: u64,
    people: Vec<u32>,
    times: Vec<i64>,
    arrivals: Vec<i64>,
    /// The text of the event-id property, where there is one, for ordering events
    /// of one instant.
    ids: Vec<Option<String>>,
    id_property: Option<usize>,
    /// Who has an event that was left in a file, where no more is asked.
    met: Vec<bool>,
    columns: Vec<TypedColumn<'a>>,
}

impl<'a> EventTables<'a> {
    /// How many events there are of each name, in the schema's order.
    pub fn numbers(&self) -> Vec<u64> {
        self.tables.iter().map(|table| table.n_events).collect()
    }

    pub fn new(schema: &'a Schema, wanted: &Wanted) -> EventTables<'a> {
        let column = |id: EventId, (at, field)| TypedColumn::new(field, wanted.property(id, PropertyId(at as u32)));
        let table = |(id, event): (EventId, &'a Event)| EventTable {
            id,
            event,
            is_wanted: wanted.events.contains_key(&id),
            n_events: 0,
            people: Vec::new(),
            times: Vec::new(),
            arrivals: Vec::new(),
            ids: Vec::new(),
            met: Vec::new(),
            id_property: schema.event_id.as_ref().and_then(|id| event.property(id)).map(|p| p.idx()),
            columns: event.properties.iter().enumerate().map(|property| column(id, property)).collect(),
        };
        let events = schema.events.iter().enumerate().map(|(at, event)| (EventId(at as u32), event));
        let tables: Vec<EventTable<'_>> = events.map(table).collect();
        let by_name = schema.events.iter().enumerate().map(|(idx, e)| (e.name.as_str(), idx)).collect();
        let (ids, last_event, last, came_before) = (HashSet::new(), None, None, None);
        EventTables { tables, by_name, ids, n_arrived: 0, last_event, last, came_before, room: None, failed: None }
    }

    /// Puts events aside where they would take more memory than there is.
    pub fn keep_within(&mut self, room: Room) {
        self.room = Some(room);
    }

    /// Puts events aside, so that there is room for more, where those at hand take too much
    /// memory beside what people take.
    fn make_room(&mut self, n_people: usize, n_people_bytes: u64, threads: NonZero<usize>) {
        let Some(room) = &mut self.room else { return };
        let n_bytes: u64 = self.tables.iter().map(EventTable::n_bytes).sum();
        let n_people_bytes = n_people_bytes + room.bytes_of(n_people);
        let n_other_bytes = n_people_bytes + self.ids.len() as u64 * EVENT_ID_BYTES;
        if self.failed.is_none() && !room.is_for(n_bytes, n_other_bytes) {
            self.failed = room.refused(n_other_bytes).or_else(|| self.put_aside(n_people, threads).err());
        }
        // Nothing is taken any longer: what was read last is told of.
        if self.failed.is_some() {
            self.tables.iter_mut().for_each(EventTable::clear);
        }
    }

    /// Puts all events aside.
    fn put_aside(&mut self, n_people: usize, threads: NonZero<usize>) -> Result<(), ReadError> {
        let Some(room) = &self.room else { return Ok(()) };
        let writing = room.writing(n_people)?;
        let filled = self.tables.iter_mut().enumerate().filter(|(_, table)| !table.times.is_empty());
        let mut work: Vec<_> = filled.collect();
        work.sort_by_key(|(_, table)| table.times.len());
        parallel::each(work, threads, Scratch::default, |scratch, (at, table)| {
            let event = table.event;
            writing.add(at, event, table.finish(n_people, scratch));
        });
        let written = writing.finish()?;
        if let Some(room) = &mut self.room {
            room.put_aside(written);
        }
        Ok(())
    }

    /// What was put aside, if anything was, with the rest of the events.
    ///
    /// # Errors
    /// What the disk says.
    pub fn take_spill(&mut self, n_people: usize, threads: NonZero<usize>) -> Result<Option<Spill>, ReadError> {
        if self.room.as_ref().is_none_or(|room| !room.has_spilled()) {
            return Ok(None);
        }
        self.put_aside(n_people, threads)?;
        Ok(self.room.take().and_then(Room::into_spill))
    }

    /// Why rows were not taken, if they were not.
    pub fn take_failure(&mut self) -> Result<(), ReadError> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Counts on from what was read before.
    pub fn begin_after(&mut self, earlier: EarlierEvents<'a>) {
        (self.n_arrived, self.last_event, self.came_before) = (earlier.n_arrived, earlier.last_event, earlier.ids);
    }

    /// how many events arrived.
    pub fn n_arrived(&self) -> i64 {
        self.n_arrived
    }

    /// Notes an event id of a person, and says whether it is new.
    fn is_new_id(&mut self, person: u32, event: usize, id: &str) -> bool {
        let is_known = self.came_before.as_ref().is_some_and(|earlier| earlier.came_before(person, event, id));
        !is_known && self.ids.insert((person, event, id.to_owned()))
    }

    /// Takes an event of a person that was read before, with a cell for each of its properties;
    /// one whose id they have already is another telling of it. A value that is not of the type
    /// that the schema has for it by now is missing.
    pub fn take_fact(
        &mut self,
        loader: &mut Loader<'_>,
        (person, event): (u32, EventId),
        (time, arrival): (Timestamp, i64),
        cells: &[Cell<'_>],
    ) {
        let id_property = self.tables.get(event.idx()).and_then(|table| table.id_property);
        let event_id = id_property.and_then(|at| cells.get(at)?.text().ok().flatten());
        if event_id.as_ref().is_some_and(|id| !self.is_new_id(person, event.idx(), id)) {
            return;
        }
        let Some(table) = self.begin(loader, (person, event.idx()), (time, arrival), event_id) else { return };
        for (column, cell) in table.columns.iter_mut().zip(cells).filter(|(column, _)| column.is_wanted) {
            let _ = column.builder.append(cell, loader.zone);
        }
    }

    /// Begins an event, whose properties then go into the columns of its table; none where nobody
    /// wants it.
    fn begin(
        &mut self,
        loader: &mut Loader<'_>,
        (person, place): (u32, usize),
        (time, arrival): (Timestamp, i64),
        event_id: Option<String>,
    ) -> Option<&mut EventTable<'a>> {
        loader.existence.event(person, time.0);
        let table = self.tables.get_mut(place)?;
        table.n_events += 1;
        self.last_event = self.last_event.max(Some(time));
        if !loader.wanted.event(table.id, time) {
            return None;
        }
        table.people.push(person);
        table.times.push(time.0);
        table.arrivals.push(arrival);
        if table.id_property.is_some() {
            table.ids.push(event_id);
        }
        Some(table)
    }

    /// The table of a name.
    fn place(&mut self, name: &str) -> Option<usize> {
        if let Some((_, place)) = self.last.filter(|(last, _)| *last == name) {
            return Some(place);
        }
        let (name, place) = self.by_name.get_key_value(name)?;
        self.last = Some((*name, *place));
        Some(*place)
    }

    /// The properties with how many of their texts begin or end with blanks.
    pub fn blanks(&self) -> impl Iterator<Item = (&'a str, u64)> {
        let columns = self.tables.iter().flat_map(|table| &table.columns);
        columns.map(|column| (column.field.name.as_str(), column.builder.n_blanks()))
    }

    /// How many events there are, wanted or not, and the latest of them.
    pub fn counts(&self) -> (u64, Option<Timestamp>) {
        (self.tables.iter().map(|table| table.n_events).sum(), self.last_event)
    }

    /// The events of each name that is wanted as lists by person, or why there are
    /// none.
    pub fn finish(self, n_people: usize, threads: NonZero<usize>) -> Vec<(&'a Event, Result<ArrayRef, String>)> {
        let tables: Vec<EventTable<'a>> = self.tables.into_iter().filter(|table| table.is_wanted).collect();
        let events: Vec<&Event> = tables.iter().map(|table| table.event).collect();
        let mut finished: Vec<Option<Result<ArrayRef, String>>> = tables.iter().map(|_| None).collect();
        // The largest first, so that nobody waits long for the last one.
        let mut work: Vec<_> = tables.into_iter().zip(&mut finished).collect();
        work.sort_by_key(|(table, _)| table.times.len());
        parallel::each(work, threads, Scratch::default, |scratch, (mut table, to)| {
            *to = Some(table.finish(n_people, scratch));
        });
        events.into_iter().zip(finished.into_iter().flatten()).collect()
    }
}

impl EventTable<'_> {
    /// About how many bytes of memory they take.
    fn n_bytes(&self) -> u64 {
        let of_rows = 20 * self.times.len() as u64;
        let of_ids = EVENT_ID_BYTES * self.ids.len() as u64;
        of_rows + of_ids + self.columns.iter().map(|column| column.builder.n_bytes()).sum::<u64>()
    }

    /// Forgets them.
    fn clear(&mut self) {
        (self.people, self.times, self.arrivals, self.ids) = Default::default();
        self.columns.iter_mut().for_each(|column| drop(column.builder.finish()));
    }

    /// The events as lists by person, ascending by time; at one instant by
    /// event id, then arrival. The table is empty then, and may take more.
    fn finish(&mut self, n_people: usize, scratch: &mut Scratch) -> Result<ArrayRef, String> {
        let name = &self.event.name;
        if i32::try_from(self.times.len()).is_err() {
            return Err(format!("there are more than 2,147,483,647 events `{name}`; cut the data in parts"));
        }
        let failed = |e: ArrowError| format!("grouping `{name}` by person failed: {e}");
        // Where the whole file is in order, so is each person.
        let ids = std::mem::take(&mut self.ids);
        let is_sorted = self.times.is_sorted() && ids.is_empty();
        let mut order = Order::new(std::mem::take(&mut self.people), n_people, scratch);
        let (mut times, mut arrivals) = (std::mem::take(&mut self.times), std::mem::take(&mut self.arrivals));
        order.arrange_both(&mut times, &mut arrivals, scratch);
        if !is_sorted {
            let rows = if ids.is_empty() { Vec::new() } else { order.rows(scratch) };
            let id = |at: usize| ids.get(*rows.get(at)? as usize);
            order.sort(|at| (times.get(at), id(at), arrivals.get(at)));
            order.arrange_runs(&mut times);
            order.arrange_runs(&mut arrivals);
        }
        let mut fields = vec![
            ArrowField::new(TIME_FIELD, time_type(), false),
            ArrowField::new(ARRIVAL_FIELD, DataType::Int64, false),
        ];
        let times = TimestampMicrosecondArray::from(times).with_timezone("UTC");
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(times), Arc::new(Int64Array::from(arrivals))];
        for column in self.columns.iter_mut().filter(|c| c.is_wanted) {
            let array = column.builder.finish_in(&order, scratch).map_err(failed)?;
            fields.push(ArrowField::new(&column.field.name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let events = StructArray::try_new(Fields::from(fields), arrays, None).map_err(failed)?;
        let item = Arc::new(ArrowField::new("item", events.data_type().clone(), false));
        let offsets = OffsetBuffer::from_lengths(order.lengths.iter().map(|length| *length as usize));
        Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(events), None).map_err(failed)?))
    }
}

/// What an event id takes in a table of those that were met.
const EVENT_ID_BYTES: u64 = 96;

/// Takes the rows of one file of events.
pub(crate) struct EventSink<'l, 'a, 's> {
    loader: &'l mut Loader<'a>,
    tables: &'l mut EventTables<'s>,
    file: &'l DataFile,
    spec: &'l EventFiles,
    has_profiles: bool,
    /// Columns that other sources use of the same file.
    of_others: Vec<String>,
    id_at: Option<usize>,
    event_at: Option<usize>,
    time_at: Option<usize>,
    /// For each event, where in the file each of its properties is.
    columns: Vec<Vec<Option<usize>>>,
    n_named: usize,
}

impl<'l, 'a, 's> EventSink<'l, 'a, 's> {
    pub fn new(
        loader: &'l mut Loader<'a>,
        tables: &'l mut EventTables<'s>,
        file: &'l DataFile,
        spec: &'l EventFiles,
        has_profiles: bool,
    ) -> EventSink<'l, 'a, 's> {
        let columns = Vec::new();
        let (id_at, event_at, time_at) = (None, None, None);
        // When events arrived is read by whoever asks how late they are.
        let of_others = spec.received.iter().cloned().collect();
        EventSink { loader, tables, file, spec, has_profiles, of_others, id_at, event_at, time_at, columns, n_named: 0 }
    }

    /// Puts events aside where memory has no room for more.
    pub(super) fn make_room(&mut self) {
        let Loader { people, existence, pace, .. } = &*self.loader;
        let n_bytes = people.n_memory_bytes() + existence.n_bytes();
        self.tables.make_room(people.len(), n_bytes, pace.threads);
    }

    /// Takes note of what other sources use of the file, of which it need not be told.
    pub fn with_others(mut self, of_others: Vec<String>) -> Self {
        self.of_others.extend(of_others);
        self
    }

    /// Tells of properties that segments ask about and that the file lacks, of events that
    /// it has; so many there were of each before it.
    pub fn tell_of_absent_columns(&mut self, before: &[u64]) {
        let Some(asked) = self.loader.asked else { return };
        let place = || Place { file: self.file.name.clone(), line: 1, value: String::new() };
        for ((table, columns), before) in self.tables.tables.iter().zip(&self.columns).zip(before) {
            for (at, (column, found)) in table.columns.iter().zip(columns).enumerate() {
                let is_asked = asked.property(table.id, PropertyId(at as u32));
                if found.is_none() && is_asked && table.n_events > *before {
                    self.loader.report.add(ProblemKind::AbsentColumn, &column.field.name, place);
                }
            }
        }
    }

    /// The columns that the file must have, and where they are; of a file without a row
    /// nothing is asked.
    pub fn found(&self) -> Vec<(&'l String, Option<usize>)> {
        let all = [(&self.spec.id, self.id_at), (&self.spec.event, self.event_at), (&self.spec.time, self.time_at)];
        if self.n_named == 0 { Vec::new() } else { all.to_vec() }
    }
}

impl RowSink for EventSink<'_, '_, '_> {
    fn zone(&self) -> Option<Zone> {
        self.loader.zone
    }

    fn known_columns(&self) -> Vec<String> {
        let special = [&self.spec.id, &self.spec.event, &self.spec.time];
        let properties = self.tables.tables.iter().flat_map(|table| &table.columns).map(|column| &column.field.name);
        special.into_iter().chain(properties).cloned().collect()
    }

    fn columns(&mut self, names: &[String]) {
        let at = |name: &str| names.iter().position(|n| n == name);
        self.id_at = at(&self.spec.id);
        self.event_at = at(&self.spec.event);
        self.time_at = at(&self.spec.time);
        self.columns =
            self.tables.tables.iter().map(|t| t.columns.iter().map(|c| at(&c.field.name)).collect()).collect();
        let special = [&self.spec.id, &self.spec.event, &self.spec.time];
        for (column, name) in names.iter().enumerate().skip(self.n_named) {
            let is_used = special.contains(&name)
                || self.of_others.contains(name)
                || self.columns.iter().flatten().any(|c| *c == Some(column));
            // A second column of a name is told of as such; tools write an index without one.
            let is_again = names.iter().take(column).any(|other| other == name);
            if !is_used && !is_again && !name.is_empty() {
                let place = || Place { file: self.file.name.clone(), line: 1, value: String::new() };
                self.loader.report.add(ProblemKind::UnknownColumn, name, place);
            }
        }
        self.n_named = names.len();
    }

    fn more_columns(&mut self, names: &[String], n_known: usize) {
        for (column, name) in names.iter().enumerate().skip(n_known).filter(|(_, name)| !name.is_empty()) {
            let spec = self.spec;
            let special =
                [(&spec.id, &mut self.id_at), (&spec.event, &mut self.event_at), (&spec.time, &mut self.time_at)];
            let mut is_used = self.of_others.contains(name);
            for (of, at) in special.into_iter().filter(|(of, _)| *of == name) {
                is_used |= of == name;
                at.get_or_insert(column);
            }
            for (table, columns) in self.tables.tables.iter().zip(&mut self.columns) {
                for (of, at) in table.columns.iter().zip(columns).filter(|(of, _)| of.field.name == *name) {
                    is_used |= of.field.name == *name;
                    at.get_or_insert(column);
                }
            }
            if !is_used {
                self.note(ProblemKind::UnknownColumn, name, 1);
            }
        }
        self.n_named = names.len();
    }

    fn purposes(&self, n_columns: usize) -> Option<Vec<Option<Purpose>>> {
        // Events are told apart by their ids one by one.
        let have_ids = self.tables.tables.iter().any(|table| table.id_property.is_some());
        if have_ids || !self.loader.rules.is_empty() {
            return None;
        }
        let special = [(self.id_at?, Purpose::Id), (self.event_at?, Purpose::Name), (self.time_at?, Purpose::Time)];
        let of_table = |(table, columns): (&EventTable<'_>, &Vec<Option<usize>>)| {
            let wanted = table.columns.iter().zip(columns).filter(|(column, _)| table.is_wanted && column.is_wanted);
            let of_column = wanted.filter_map(|(column, at)| Some(((*at)?, Purpose::Value(column.field.ty.clone()))));
            of_column.collect::<Vec<_>>()
        };
        let of_tables = self.tables.tables.iter().zip(&self.columns).flat_map(of_table);
        let mut purposes: Vec<Option<Purpose>> = vec![None; n_columns];
        for (at, purpose) in special.into_iter().chain(of_tables) {
            // What is used in two ways is read row by row.
            if purposes.get_mut(at)?.get_or_insert_with(|| purpose.clone()) != &purpose {
                return None;
            }
        }
        Some(purposes)
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) {
        self.loader.count_row();
        let n_arrived = self.tables.n_arrived;
        self.tables.n_arrived += 1;
        let place = |value: String| Place { file: self.file.name.clone(), line, value };
        let cell_at = |at: Option<usize>| at.and_then(|at| cells.get(at)).unwrap_or(&Cell::Missing);
        let id_cell = cell_at(self.id_at);
        // A number is an id as it is.
        let id = match id_cell {
            Cell::Integer(_) => None,
            _ => match self.loader.rules.id(id_cell) {
                Some(id) => Some(id),
                None => {
                    return self.loader.report.add(ProblemKind::MissingId, &self.spec.id, || place(id_cell.show()));
                }
            },
        };
        let text = id.as_deref().map(Cell::Text);
        let id_cell = text.as_ref().unwrap_or(id_cell);
        let tables = &mut *self.tables;
        let found = self.loader.rules.with(cell_at(self.event_at), &Type::Text, |cell| {
            let event = cell.as_text().ok_or(None)?;
            tables.place(&event).ok_or_else(|| Some(event.into_owned()))
        });
        let idx = match found {
            Ok(idx) => idx,
            Err(None) => {
                return self.loader.report.add(ProblemKind::MissingEvent, &self.spec.event, || place(String::new()));
            }
            Err(Some(event)) => {
                return self.loader.report.add(ProblemKind::UnknownEvent, &event, || place(String::new()));
            }
        };
        let time_cell = cell_at(self.time_at);
        let Ok(Some(time)) = self.loader.time(time_cell, &self.spec.time) else {
            return self.loader.report.add(ProblemKind::ImpossibleTime, &self.spec.time, || place(time_cell.show()));
        };
        let columns = self.columns.get(idx);
        let id_property = self.tables.tables.get(idx).and_then(|table| table.id_property);
        let column_at = |property: usize| columns.and_then(|c| c.get(property)).copied().flatten();
        let id_of_event = cell_at(id_property.and_then(column_at));
        let event_id = self.loader.rules.with(id_of_event, &Type::Text, |cell| cell.text().ok().flatten());
        let Person { row, is_new, .. } = self.loader.people.person_of(id_cell);
        if let Some(event_id) = &event_id
            && !self.tables.is_new_id(row, idx, event_id)
        {
            let name = self.loader.schema.event_id.clone().unwrap_or_default();
            return self.loader.report.add(ProblemKind::RepeatedEvent, &name, || place(event_id.clone()));
        }
        if is_new && self.has_profiles {
            let id = || id_cell.as_text().unwrap_or_default().into_owned();
            self.loader.report.add(ProblemKind::UnlistedProfile, "", || place(id()));
        }
        let begun = self.tables.begin(self.loader, (row, idx), (time, n_arrived), event_id);
        let Some(table) = begun else { return };
        for (property, column) in table.columns.iter_mut().enumerate() {
            let cell = cell_at(column_at(property));
            self.loader.append(column, cell, false, || place(cell.show()));
        }
        // By those that are taken: a row that is not may stand wherever it is counted.
        if table.times.len().is_multiple_of(ROWS_BETWEEN) {
            self.make_room();
        }
    }

    fn wants(&self, column: usize) -> bool {
        let is_it = |at: &Option<usize>| *at == Some(column);
        let special = [self.id_at, self.event_at, self.time_at];
        let mut properties = self.tables.tables.iter().zip(&self.columns).flat_map(|(table, columns)| {
            // Repeated events are told by their ids, wanted or not.
            let is_id = |at| table.id_property == Some(at);
            let columns = table.columns.iter().zip(columns).enumerate();
            columns.filter(move |(at, (c, _))| c.is_wanted || is_id(*at)).map(|(_, (_, at))| at)
        });
        special.iter().any(is_it) || properties.any(is_it)
    }

    fn batches(&mut self, n_before: u64, batches: &[Columns]) -> usize {
        self.take_batches(n_before, batches)
    }

    fn pruning(&self) -> Option<Pruning> {
        // An event that came before another with its id takes its place, whenever it was.
        let have_ids = self.tables.tables.iter().any(|table| table.id_property.is_some());
        if have_ids || !self.loader.rules.is_empty() {
            return None;
        }
        let of_name = self.tables.tables.iter().map(|table| {
            let asked = match self.loader.wanted.events.get(&table.id) {
                None => Asked::Nothing,
                Some(WantedEvents { is_existence: true, .. }) => Asked::Existence,
                Some(WantedEvents { since, .. }) => Asked::Since(since.unwrap_or(Timestamp::MIN)),
            };
            (table.event.name.clone(), asked)
        });
        Some(Pruning {
            id_at: self.id_at?,
            event_at: self.event_at?,
            time_at: self.time_at?,
            of_name: of_name.collect(),
            at: self.loader.now?,
            all_exist: self.loader.all_exist,
        })
    }

    fn knows(&self, ids: RangeInclusive<i64>) -> bool {
        self.loader.people.knows(ids)
    }

    fn left(&mut self, n_before: u64, left: &Left) {
        self.take_left(n_before, left);
    }

    fn prefers_keys(&self, column: usize) -> bool {
        self.id_at != Some(column) && self.time_at != Some(column)
    }

    fn broken(&mut self, line: u64, why: &str) {
        self.loader.broken(self.file, line, why);
    }

    fn note(&mut self, kind: ProblemKind, column: &str, line: u64) {
        let place = || Place { file: self.file.name.clone(), line, value: String::new() };
        self.loader.report.add(kind, column, place);
    }
}
