//! Files to a profile batch: rows are read, typed, and grouped by person.

use crate::attributes::{Attributes, ProfileSink};
use crate::cell::Cell;
use crate::column::ColumnBuilder;
use crate::manifest::{Data, EventFiles, MergeFiles, ProfileFiles, RowsAre};
use crate::merge::{MergeSink, Merges};
use crate::open::{DataFile, find};
use crate::report::{Place, ProblemKind, ReadError, Report};
use crate::rows::{self, RowSink};
use arrow_array::{
    Array, ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
    UInt32Array,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field as ArrowField, Fields, Schema as ArrowSchema};
use arrow_select::take::take;
use seg_data::batch::{ARRIVAL_FIELD, ID_COLUMN, TIME_FIELD, time_type};
use seg_data::schema::{Event, Field};
use seg_data::{Batch, EventId, Instant, PropertyId, Schema, Wanted, Zone};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read of all files, as they lie on disk.
    pub bytes: u64,
    /// Bytes of all files.
    pub bytes_total: u64,
    /// Rows read.
    pub rows: u64,
}

/// A batch with what reading it found.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// All profiles.
    pub batch: Batch,
    /// What was read and what was wrong.
    pub report: Report,
    /// The latest event, whatever `now` is.
    pub last_event: Option<Instant>,
}

/// Reads what is wanted of a project's data into one batch: every profile, but
/// of their attributes and events only what `wanted` names. The report counts
/// every event; values that are not wanted are not looked at. `progress` is told
/// every few thousand rows how far reading has come.
///
/// # Errors
/// A file that is not there, cannot be read to its end, or lacks the columns
/// it is said to have. What is wrong with single rows is in the report instead.
pub fn load(
    base: &Path,
    data: &Data,
    schema: &Arc<Schema>,
    zone: Option<Zone>,
    wanted: &Wanted,
    progress: &mut dyn FnMut(Progress),
) -> Result<Loaded, ReadError> {
    let profile_files = data.profiles.as_ref().map(|p| find(base, &p.files)).transpose()?.unwrap_or_default();
    let event_files = data.events.as_ref().map(|e| find(base, &e.files)).transpose()?.unwrap_or_default();
    let merge_files = data.merges.as_ref().map(|m| find(base, &m.files)).transpose()?.unwrap_or_default();
    if profile_files.is_empty() && event_files.is_empty() {
        return Err(ReadError::new(
            "seg.toml",
            "it names no data; add `[data.events]` with `files`, `id`, `event` and `time`",
        ));
    }
    let bytes_total = profile_files.iter().chain(&event_files).chain(&merge_files).map(DataFile::size).sum();
    let mut loader = Loader {
        schema,
        zone,
        wanted,
        people: People::default(),
        report: Report::default(),
        read: Arc::new(AtomicU64::new(0)),
        bytes_total,
        progress,
    };
    if let Some(spec) = &data.merges {
        loader.merges(spec, &merge_files)?;
    }
    let attributes = match &data.profiles {
        Some(spec) => Some(loader.profiles(spec, &profile_files)?),
        None => None,
    };
    let events = match &data.events {
        Some(spec) => Some(loader.events(spec, &event_files, attributes.is_some())?),
        None => None,
    };
    loader.batch(attributes, events)
}

/// The field that says since when a profile's line of [`load_lines`] holds.
pub const LINE_TIME: &str = "$time";

/// Reads people from lines of JSON rather than from files: profiles with their
/// `id`, perhaps with [`LINE_TIME`], and events with `id`, `event` and `time`.
///
/// # Errors
/// As [`load`].
pub fn load_lines(schema: &Arc<Schema>, zone: Option<Zone>, profiles: &str, events: &str) -> Result<Loaded, ReadError> {
    let wanted = Wanted::everything(schema);
    let mut loader = Loader {
        schema,
        zone,
        wanted: &wanted,
        people: People::default(),
        report: Report::default(),
        read: Arc::new(AtomicU64::new(0)),
        bytes_total: 0,
        progress: &mut |_| {},
    };
    let file = |name: &str| DataFile::of_lines(name);
    let (profile_file, event_file) = (file("profiles"), file("events"));
    let mut attributes = Attributes::new(schema, &wanted, RowsAre::default());
    let spec = ProfileFiles {
        files: Vec::new(),
        id: "id".to_owned(),
        time: Some(LINE_TIME.to_owned()),
        rows: RowsAre::default(),
    };
    let mut sink = ProfileSink::new(&mut loader, &mut attributes, &profile_file, &spec);
    rows::read_lines(&profile_file, profiles, &mut sink)?;
    let mut tables = EventTables::new(schema, &wanted);
    let name = |name: &str| name.to_owned();
    let spec = EventFiles { files: Vec::new(), id: name("id"), event: name("event"), time: name("time") };
    let mut sink = EventSink {
        loader: &mut loader,
        tables: &mut tables,
        file: &event_file,
        spec: &spec,
        has_profiles: true,
        id_at: None,
        event_at: None,
        time_at: None,
        columns: Vec::new(),
        n_named: 0,
    };
    rows::read_lines(&event_file, events, &mut sink)?;
    loader.batch(Some(attributes), Some(tables))
}

/// Everyone met so far: ids to rows of the batch.
#[derive(Default)]
pub(crate) struct People {
    rows: HashMap<String, u32>,
    ids: Vec<String>,
    merges: Merges,
    /// By number, rows of people whose ids are small whole numbers; a number that
    /// was not met yet has [`NOBODY`].
    numbered: Vec<u32>,
}

const NOBODY: u32 = u32::MAX;

/// Ids below this are looked up by number.
const NUMBERED_MAX: usize = 1 << 26;

/// Who an id belongs to.
pub(crate) struct Person {
    pub row: u32,
    /// See [`crate::merge::Identity::rank`].
    pub rank: u32,
    /// Whether they were met for the first time.
    pub is_new: bool,
}

impl People {
    /// The person that a cell names. Most ids are numbers in practice, and most of
    /// them small, which need no text and no hashing.
    fn person_of(&mut self, id: &Cell<'_>) -> Person {
        let number = match id {
            Cell::Integer(number) => usize::try_from(*number).ok().filter(|n| *n < NUMBERED_MAX),
            _ => None,
        };
        let known = number.and_then(|n| self.numbered.get(n)).filter(|row| **row != NOBODY);
        if let (Some(row), true) = (known, self.merges.is_empty()) {
            return Person { row: *row, rank: 0, is_new: false };
        }
        let person = self.person(&id.as_text().unwrap_or_default());
        // A stray large number shall not cost memory for all below it.
        if let Some(number) = number.filter(|n| *n / 64 <= self.ids.len()) {
            if self.numbered.len() <= number {
                self.numbered.resize((number + 1).next_power_of_two(), NOBODY);
            }
            if let Some(slot) = self.numbered.get_mut(number) {
                *slot = person.row;
            }
        }
        person
    }

    /// The person that an id belongs to.
    pub fn person(&mut self, id: &str) -> Person {
        let (id, rank) = self.merges.identity(id).map_or((id, 0), |i| (i.survivor.as_str(), i.rank));
        if let Some(row) = self.rows.get(id) {
            return Person { row: *row, rank, is_new: false };
        }
        let row = self.ids.len() as u32;
        self.rows.insert(id.to_owned(), row);
        self.ids.push(id.to_owned());
        Person { row, rank, is_new: true }
    }
}

pub(crate) struct Loader<'a> {
    schema: &'a Arc<Schema>,
    pub zone: Option<Zone>,
    wanted: &'a Wanted,
    pub people: People,
    pub report: Report,
    read: Arc<AtomicU64>,
    bytes_total: u64,
    progress: &'a mut dyn FnMut(Progress),
}

impl<'a> Loader<'a> {
    /// Merge records come first: whose rows the others are depends on them.
    fn merges(&mut self, spec: &MergeFiles, files: &[DataFile]) -> Result<(), ReadError> {
        let mut records = Vec::new();
        for file in files {
            let read = Arc::clone(&self.read);
            let (report, records) = (&mut self.report, &mut records);
            let mut sink = MergeSink { report, file, spec, records, from_at: None, into_at: None };
            rows::read(file, &read, &mut sink)?;
            let found = [(&spec.from, sink.from_at), (&spec.into, sink.into_at)];
            lacks(file, &found)?;
            self.report.files += 1;
        }
        self.people.merges = Merges::new(&records);
        Ok(())
    }

    fn profiles(&mut self, spec: &ProfileFiles, files: &[DataFile]) -> Result<Attributes<'a>, ReadError> {
        let schema: &'a Schema = self.schema;
        let mut attributes = Attributes::new(schema, self.wanted, spec.rows);
        for file in files {
            let read = Arc::clone(&self.read);
            let mut sink = ProfileSink::new(self, &mut attributes, file, spec);
            rows::read(file, &read, &mut sink)?;
            let found = sink.found();
            lacks(file, &found)?;
            self.report.files += 1;
        }
        Ok(attributes)
    }

    fn events(
        &mut self,
        spec: &EventFiles,
        files: &[DataFile],
        has_profiles: bool,
    ) -> Result<EventTables<'a>, ReadError> {
        let schema: &'a Schema = self.schema;
        let mut tables = EventTables::new(schema, self.wanted);
        for file in files {
            let mut sink = EventSink {
                loader: self,
                tables: &mut tables,
                file,
                spec,
                has_profiles,
                id_at: None,
                event_at: None,
                time_at: None,
                columns: Vec::new(),
                n_named: 0,
            };
            let read = Arc::clone(&sink.loader.read);
            rows::read(file, &read, &mut sink)?;
            let found = [(&spec.id, sink.id_at), (&spec.event, sink.event_at), (&spec.time, sink.time_at)];
            lacks(file, &found)?;
            self.report.files += 1;
        }
        Ok(tables)
    }

    /// A row that is not one.
    pub fn broken(&mut self, file: &DataFile, line: u64, why: &str) {
        self.count_row();
        let place = || Place { file: file.name.clone(), line, value: why.to_owned() };
        self.report.add(ProblemKind::BrokenRow, "", place);
    }

    pub fn count_row(&mut self) {
        self.report.rows += 1;
        if self.report.rows.is_multiple_of(8192) {
            let bytes = self.read.load(Ordering::Relaxed);
            (self.progress)(Progress { bytes, bytes_total: self.bytes_total, rows: self.report.rows });
        }
    }

    /// Appends a cell to a column and reports what is wrong with it.
    pub fn append(&mut self, column: &mut TypedColumn<'_>, cell: &Cell<'_>, place: impl Fn() -> Place) {
        let field = column.field;
        if !column.is_wanted {
            return;
        }
        match column.builder.append(cell, self.zone) {
            Ok(true) => {
                if let (Some(allowed), Cell::Text(text)) = (&field.allowed, cell)
                    && field.ty == seg_data::Type::Text
                    && !allowed.iter().any(|a| a == text)
                {
                    self.report.add(ProblemKind::ValueNotAllowed, &field.name, place);
                }
            }
            Ok(false) if field.is_required => self.report.add(ProblemKind::RequiredMissing, &field.name, place),
            Ok(false) => {}
            Err(_) => self.report.add(ProblemKind::UnparsableValue, &field.name, place),
        }
    }

    fn batch(
        mut self,
        attributes: Option<Attributes<'_>>,
        events: Option<EventTables<'_>>,
    ) -> Result<Loaded, ReadError> {
        let n_people = self.people.ids.len();
        let mut fields = vec![ArrowField::new(ID_COLUMN, DataType::Utf8, false)];
        let mut columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from_iter_values(&self.people.ids))];
        let internal = |e: arrow_schema::ArrowError| ReadError::new("data", format!("grouping by person failed: {e}"));
        for (field, array) in attributes.into_iter().flat_map(|a| a.finish(n_people)) {
            let array = array.map_err(internal)?;
            fields.push(ArrowField::new(&field.name, array.data_type().clone(), true));
            columns.push(array);
        }
        let mut last_event = None;
        for table in events.into_iter().flat_map(|t| t.tables) {
            self.report.events += table.n_events;
            last_event = last_event.max(table.last_event);
            if !self.wanted.events.contains_key(&table.id) {
                continue;
            }
            let name = table.event.name.clone();
            let array = table.finish(n_people).map_err(internal)?;
            fields.push(ArrowField::new(name, array.data_type().clone(), false));
            columns.push(array);
        }
        self.report.profiles = n_people as u64;
        let records = RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns).map_err(internal)?;
        let batch = Batch::try_new(Arc::clone(self.schema), records)
            .map_err(|e| ReadError::new("data", format!("grouping by person failed: {e}")))?;
        Ok(Loaded { batch, report: self.report, last_event })
    }
}

/// A file without the columns it is said to have is another file.
fn lacks(file: &DataFile, columns: &[(&String, Option<usize>)]) -> Result<(), ReadError> {
    match columns.iter().find(|(_, at)| at.is_none()) {
        Some((name, _)) => {
            Err(ReadError::new(&file.name, format!("there is no column `{name}`, which seg.toml says it has")))
        }
        None => Ok(()),
    }
}

/// A column with what the schema says of it.
pub(crate) struct TypedColumn<'a> {
    pub field: &'a Field,
    pub builder: ColumnBuilder,
    pub is_wanted: bool,
}

impl<'a> TypedColumn<'a> {
    pub fn new(field: &'a Field, is_wanted: bool) -> TypedColumn<'a> {
        TypedColumn { field, builder: ColumnBuilder::new(&field.ty), is_wanted }
    }
}

/// The events of every name, a row an event, in the order of arrival.
struct EventTables<'a> {
    tables: Vec<EventTable<'a>>,
    by_name: HashMap<&'a str, usize>,
    /// The name met last, and its place: the next event often has the same.
    last: Option<(&'a str, usize)>,
    /// Event ids met, by person.
    ids: HashSet<(u32, String)>,
    n_arrived: i64,
}

struct EventTable<'a> {
    id: EventId,
    event: &'a Event,
    /// All there are, wanted or not, and the latest of them.
    n_events: u64,
    last_event: Option<Instant>,
    people: Vec<u32>,
    times: Vec<i64>,
    arrivals: Vec<i64>,
    /// The text of the event-id property, where there is one, for ordering events
    /// of one instant.
    ids: Vec<Option<String>>,
    id_property: Option<usize>,
    columns: Vec<TypedColumn<'a>>,
}

impl<'a> EventTables<'a> {
    fn new(schema: &'a Schema, wanted: &Wanted) -> EventTables<'a> {
        let column = |id: EventId, (at, field)| TypedColumn::new(field, wanted.property(id, PropertyId(at as u32)));
        let table = |(id, event): (EventId, &'a Event)| EventTable {
            id,
            event,
            n_events: 0,
            last_event: None,
            people: Vec::new(),
            times: Vec::new(),
            arrivals: Vec::new(),
            ids: Vec::new(),
            id_property: schema.event_id.as_ref().and_then(|id| event.property(id)).map(|p| p.idx()),
            columns: event.properties.iter().enumerate().map(|property| column(id, property)).collect(),
        };
        let events = schema.events.iter().enumerate().map(|(at, event)| (EventId(at as u32), event));
        let tables: Vec<EventTable<'_>> = events.map(table).collect();
        let by_name = schema.events.iter().enumerate().map(|(idx, e)| (e.name.as_str(), idx)).collect();
        EventTables { tables, by_name, ids: HashSet::new(), n_arrived: 0, last: None }
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
}

impl EventTable<'_> {
    /// The events as lists by person, ascending by time; at one instant by
    /// event id, then arrival.
    fn finish(mut self, n_people: usize) -> Result<ArrayRef, arrow_schema::ArrowError> {
        let mut lengths = vec![0_usize; n_people];
        for person in &self.people {
            if let Some(length) = lengths.get_mut(*person as usize) {
                *length += 1;
            }
        }
        // Each person's events in the order of arrival, which mostly is that of
        // time already.
        let mut next: Vec<usize> = Vec::with_capacity(n_people);
        let mut n_before = 0;
        for length in &lengths {
            next.push(n_before);
            n_before += length;
        }
        let mut order = vec![0_u32; self.times.len()];
        for (at, person) in (0_u32..).zip(&self.people) {
            let Some(place) = next.get_mut(*person as usize) else { continue };
            if let Some(slot) = order.get_mut(*place) {
                *slot = at;
            }
            *place += 1;
        }
        let key = |at: &u32| {
            let at = *at as usize;
            (self.times.get(at), self.ids.get(at), self.arrivals.get(at))
        };
        let mut rest = order.as_mut_slice();
        for length in &lengths {
            let (own, others) = std::mem::take(&mut rest).split_at_mut(*length);
            if !own.is_sorted_by(|a, b| key(a) <= key(b)) {
                own.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
            }
            rest = others;
        }
        let indices = UInt32Array::from(order);
        let times = TimestampMicrosecondArray::from(self.times).with_timezone("UTC");
        let mut fields = vec![
            ArrowField::new(TIME_FIELD, time_type(), false),
            ArrowField::new(ARRIVAL_FIELD, DataType::Int64, false),
        ];
        let mut arrays = vec![take(&times, &indices, None)?, take(&Int64Array::from(self.arrivals), &indices, None)?];
        for column in self.columns.iter_mut().filter(|c| c.is_wanted) {
            let array = take(&column.builder.finish(), &indices, None)?;
            fields.push(ArrowField::new(&column.field.name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let rows = StructArray::try_new(Fields::from(fields), arrays, None)?;
        let item = Arc::new(ArrowField::new("item", rows.data_type().clone(), false));
        Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(rows), None)?))
    }
}

struct EventSink<'l, 'a, 's> {
    loader: &'l mut Loader<'a>,
    tables: &'l mut EventTables<'s>,
    file: &'l DataFile,
    spec: &'l EventFiles,
    has_profiles: bool,
    id_at: Option<usize>,
    event_at: Option<usize>,
    time_at: Option<usize>,
    /// For each event, where in the file each of its properties is.
    columns: Vec<Vec<Option<usize>>>,
    n_named: usize,
}

impl RowSink for EventSink<'_, '_, '_> {
    fn columns(&mut self, names: &[String]) {
        let at = |name: &str| names.iter().position(|n| n == name);
        self.id_at = at(&self.spec.id);
        self.event_at = at(&self.spec.event);
        self.time_at = at(&self.spec.time);
        self.columns =
            self.tables.tables.iter().map(|t| t.columns.iter().map(|c| at(&c.field.name)).collect()).collect();
        let special = [&self.spec.id, &self.spec.event, &self.spec.time];
        for (column, name) in names.iter().enumerate().skip(self.n_named) {
            let is_used = special.contains(&name) || self.columns.iter().flatten().any(|c| *c == Some(column));
            if !is_used {
                let place = || Place { file: self.file.name.clone(), line: 1, value: String::new() };
                self.loader.report.add(ProblemKind::UnknownColumn, name, place);
            }
        }
        self.n_named = names.len();
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) {
        self.loader.count_row();
        let place = |value: String| Place { file: self.file.name.clone(), line, value };
        let cell_at = |at: Option<usize>| at.and_then(|at| cells.get(at)).unwrap_or(&Cell::Missing);
        let report = &mut self.loader.report;
        let id_cell = cell_at(self.id_at);
        if id_cell.is_missing() || id_cell.as_text().is_none() {
            return report.add(ProblemKind::MissingId, &self.spec.id, || place(String::new()));
        }
        let Some(event) = cell_at(self.event_at).as_text() else {
            return report.add(ProblemKind::MissingEvent, &self.spec.event, || place(String::new()));
        };
        let Some(idx) = self.tables.place(&event) else {
            return report.add(ProblemKind::UnknownEvent, &event, || place(String::new()));
        };
        let time_cell = cell_at(self.time_at);
        let Ok(Some(time)) = time_cell.instant(self.loader.zone) else {
            return report.add(ProblemKind::ImpossibleTime, &self.spec.time, || place(time_cell.show()));
        };
        let columns = self.columns.get(idx);
        let Some(table) = self.tables.tables.get_mut(idx) else { return };
        let column_at = |property: usize| columns.and_then(|c| c.get(property)).copied().flatten();
        let event_id = table.id_property.and_then(|p| cell_at(column_at(p)).text().ok().flatten());
        let Person { row, is_new, .. } = self.loader.people.person_of(id_cell);
        if let Some(event_id) = &event_id
            && !self.tables.ids.insert((row, event_id.clone()))
        {
            let name = self.loader.schema.event_id.clone().unwrap_or_default();
            return self.loader.report.add(ProblemKind::RepeatedEvent, &name, || place(event_id.clone()));
        }
        if is_new && self.has_profiles {
            let id = || id_cell.as_text().unwrap_or_default().into_owned();
            self.loader.report.add(ProblemKind::UnlistedProfile, "", || place(id()));
        }
        table.n_events += 1;
        table.last_event = table.last_event.max(Some(time));
        if !self.loader.wanted.event(table.id, time) {
            return;
        }
        table.people.push(row);
        table.times.push(time.0);
        table.arrivals.push(self.tables.n_arrived);
        self.tables.n_arrived += 1;
        if table.id_property.is_some() {
            table.ids.push(event_id);
        }
        for (property, column) in table.columns.iter_mut().enumerate() {
            let cell = cell_at(column_at(property));
            self.loader.append(column, cell, || place(cell.show()));
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

    fn broken(&mut self, line: u64, why: &str) {
        self.loader.broken(self.file, line, why);
    }
}
