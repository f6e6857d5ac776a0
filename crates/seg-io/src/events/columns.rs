//! Events that come as columns, as from Parquet: taken together where
//! nothing is wrong with them and their types are the common ones. All others are
//! taken row by row, which says what is wrong, with the same outcome otherwise.

use super::{EventSink, EventTable, EventTables};
use crate::people::People;
use crate::report::{Place, ProblemKind};
use crate::rows::{Columns, Left};
use crate::values::{Ids, Values};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, TimestampMicrosecondArray};
use seg_data::{Timestamp, Wanted, parallel};
use std::sync::Arc;

/// Rows of a file of which each is fit to be taken.
struct Rows {
    ids: Ids,
    whose: Whose,
    times: TimestampMicrosecondArray,
    /// For each event of the schema.
    of_event: Vec<Own>,
}

/// Whose rows are.
enum Whose {
    /// By row.
    All(Vec<u32>),
    /// For each event, by its own rows: whose the others are says nothing.
    Own(Vec<Vec<u32>>),
    /// Not everyone was met before.
    Unknown,
}

/// The rows of one event.
#[derive(Default)]
struct Own {
    /// How many there are.
    n_events: u64,
    /// Those that are wanted.
    rows: Vec<u32>,
    /// The values of its properties, where they are wanted.
    properties: Vec<Option<Arc<Values>>>,
}

/// Rows that are about to be taken.
struct Taken<'c> {
    rows: Rows,
    columns: &'c Columns,
    /// Lines of the file, and events, that came before them.
    n_lines: u64,
    n_arrived: i64,
}

impl Taken<'_> {
    /// Whose a row is, the `nth` of its event.
    fn person(&self, event: usize, nth: usize, row: u32) -> u32 {
        let person = match &self.rows.whose {
            Whose::All(people) => people.get(row as usize),
            Whose::Own(people) => people.get(event).and_then(|people| people.get(nth)),
            Whose::Unknown => None,
        };
        person.copied().unwrap_or_default()
    }
}

impl EventSink<'_, '_, '_> {
    /// Takes all rows of the first few of some batches, and says of how many; so
    /// many lines of the file came before them. Batches are looked at side by side,
    /// and so are events of different names taken.
    pub(super) fn take_batches(&mut self, n_before: u64, batches: &[Columns]) -> usize {
        let threads = self.loader.pace.threads;
        let look = Look {
            people: &self.loader.people,
            wanted: self.loader.wanted,
            tables: self.tables,
            columns: &self.columns,
            indices: [self.id_at, self.event_at, self.time_at],
            has_rules: !self.loader.rules.is_empty(),
        };
        // Everything of a batch is looked at before anything of it is taken.
        let mut found: Vec<Option<Rows>> = batches.iter().map(|_| None).collect();
        let work: Vec<_> = batches.iter().zip(&mut found).rev().collect();
        parallel::each(work, threads, || (), |(), (columns, to)| *to = look.rows(columns));
        let mut taken: Vec<Taken<'_>> = Vec::with_capacity(batches.len());
        let mut n_lines = n_before;
        for (mut rows, columns) in found.into_iter().map_while(|rows| rows).zip(batches) {
            self.loader.count_rows(columns.n_rows as u64);
            if matches!(rows.whose, Whose::Unknown) {
                // Rows of the batch, in the order in which they are met.
                rows.whose = Whose::All(self.meet(|row| columns.line(n_lines, row), &rows.ids));
            }
            if let Whose::All(people) = &rows.whose {
                for (person, time) in people.iter().zip(rows.times.values()) {
                    self.loader.existence.event(*person, *time);
                }
            }
            let latest = rows.times.values().iter().max().copied().map(Timestamp);
            self.tables.last_event = self.tables.last_event.max(latest);
            taken.push(Taken { rows, columns, n_lines, n_arrived: self.tables.n_arrived });
            self.tables.n_arrived += columns.n_rows as i64;
            n_lines += columns.n_rows as u64;
        }
        let mut unfit: Vec<Vec<(usize, u64)>> = self.tables.tables.iter().map(|_| Vec::new()).collect();
        let mut work: Vec<_> = self.tables.tables.iter_mut().zip(&mut unfit).enumerate().collect();
        // The largest first, so that nobody waits long for the last one.
        let n_own = |at: usize| taken.first().and_then(|t| t.rows.of_event.get(at)).map_or(0, |own| own.rows.len());
        work.sort_by_key(|(at, _)| n_own(*at));
        parallel::each(
            work,
            threads,
            || (),
            |(), (at, (table, unfit))| {
                taken.iter().for_each(|taken| take(table, at, taken, unfit));
            },
        );
        for (table, unfit) in self.tables.tables.iter().zip(unfit) {
            for (property, line) in unfit {
                let name = table.columns.get(property).map_or("", |column| &column.field.name);
                self.loader.no_room(self.file, name, line);
            }
        }
        let n_taken = taken.len();
        self.make_room();
        n_taken
    }

    /// Counts rows that were left in the file, behind so many others, and notes whose they
    /// are where that matters.
    pub(super) fn take_left(&mut self, n_before: u64, left: &Left) {
        self.loader.count_rows(left.n_rows);
        for (name, n) in &left.counts {
            let table = self.tables.by_name.get(name.as_str()).and_then(|at| self.tables.tables.get_mut(*at));
            table.into_iter().for_each(|table| table.n_events += n);
        }
        self.tables.last_event = self.tables.last_event.max(Some(left.latest));
        self.tables.n_arrived += left.n_rows as i64;
        let mut line = n_before;
        for (at, ids) in left.ids.iter().filter_map(Ids::new).enumerate() {
            let own = left.names.get(at).map_or_else(Vec::new, |names| self.asked_for(names));
            // Where everybody is known and exists, nobody else need be looked up.
            let rows: Vec<u32> = own.iter().map(|(row, _)| *row).collect();
            let known = if left.are_known { ids.rows(&rows).known(&self.loader.people) } else { None };
            if let Some(people) = known {
                self.note_existence(people.into_iter().zip(own.iter().map(|(_, table)| *table)), left.latest);
            } else {
                let people =
                    ids.known(&self.loader.people).unwrap_or_else(|| self.meet(|row| line + u64::from(row) + 1, &ids));
                people.iter().for_each(|person| self.loader.existence.event(*person, left.latest.0));
                let of_row = |(row, table): &(u32, usize)| Some((*people.get(*row as usize)?, *table));
                self.note_existence(own.iter().filter_map(of_row), left.latest);
            }
            line += ids.len() as u64;
        }
    }

    /// The people of rows of which some were not met before.
    fn meet(&mut self, line: impl Fn(u32) -> u64, ids: &Ids) -> Vec<u32> {
        let mut people = Vec::with_capacity(ids.len());
        for row in 0..ids.len() {
            let person = self.loader.people.person_of(&ids.cell(row));
            if person.is_new && self.has_profiles {
                let value = ids.cell(row).as_text().unwrap_or_default().into_owned();
                let place = || Place { file: self.file.name.clone(), line: line(row as u32), value };
                self.loader.report.add(ProblemKind::UnlistedProfile, "", place);
            }
            people.push(person.row);
        }
        people
    }

    /// The rows of names of which it is only asked who has one, each with the place of its
    /// name.
    fn asked_for(&self, names: &ArrayRef) -> Vec<(u32, usize)> {
        let Some(names) = names.as_dictionary_opt::<Int32Type>() else { return Vec::new() };
        let Some(texts) = names.values().as_string_opt::<i32>() else { return Vec::new() };
        let place = |name: Option<&str>| {
            let at = *self.tables.by_name.get(name?)?;
            let wanted = self.loader.wanted.events.get(&self.tables.tables.get(at)?.id)?;
            wanted.is_existence.then_some(at)
        };
        let places: Vec<Option<usize>> = texts.iter().map(place).collect();
        let place = |key: i32| usize::try_from(key).ok().and_then(|key| places.get(key).copied().flatten());
        (0_u32..).zip(names.keys().values()).filter_map(|(row, key)| Some((row, place(*key)?))).collect()
    }

    /// One event for each of some people, who have one of the names at these places.
    fn note_existence(&mut self, people: impl Iterator<Item = (u32, usize)>, time: Timestamp) {
        let n_arrived = self.tables.n_arrived;
        for (person, table) in people {
            let Some(table) = self.tables.tables.get_mut(table) else { continue };
            let place = person as usize;
            if table.met.len() <= place {
                table.met.resize((place + 1).next_power_of_two(), false);
            }
            if table.met.get_mut(place).is_some_and(|met| !std::mem::replace(met, true)) {
                table.people.push(person);
                table.times.push(time.0);
                table.arrivals.push(n_arrived);
            }
        }
    }
}

/// What threads share while they look at batches, before anything is taken.
struct Look<'l> {
    people: &'l People,
    wanted: &'l Wanted,
    tables: &'l EventTables<'l>,
    /// For each event, where in the file each of its properties is.
    columns: &'l [Vec<Option<usize>>],
    /// Where the id, the event's name and its time are.
    indices: [Option<usize>; 3],
    /// Whether the source says something of its texts.
    has_rules: bool,
}

/// The rows with one key of the column of names.
struct OfKey {
    /// None for a name that the schema lacks.
    event: Option<usize>,
    since: i64,
    n_events: u64,
    rows: Vec<u32>,
}

impl Look<'_> {
    /// The rows by event, where each is fit.
    fn rows(&self, columns: &Columns) -> Option<Rows> {
        // Events are told apart by their ids one by one.
        if self.has_rules || self.tables.tables.iter().any(|table| table.id_property.is_some()) {
            return None;
        }
        let [id_at, event_at, time_at] = self.indices;
        let ids = Ids::new(columns.at(id_at)?)?;
        let times = columns.at(time_at)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        let are_fit = times.null_count() == 0 && times.values().iter().all(|time| Timestamp(*time).is_in_range());
        let names = columns.at(event_at)?.as_dictionary_opt::<Int32Type>()?;
        if !are_fit || names.null_count() > 0 || names.len() != columns.n_rows || times.len() != columns.n_rows {
            return None;
        }
        let texts = names.values().as_string_opt::<i32>()?;
        let mut of_key: Vec<OfKey> = texts.iter().map(|name| self.of_key(name)).collect();
        for ((row, key), time) in (0_u32..).zip(names.keys().values()).zip(times.values()) {
            let own = of_key.get_mut(usize::try_from(*key).ok()?)?;
            own.n_events += 1;
            if own.since <= *time {
                own.rows.push(row);
            }
        }
        let mut of_event: Vec<Own> = self.tables.tables.iter().map(|_| Own::default()).collect();
        for OfKey { event, n_events, rows, .. } in of_key.into_iter().filter(|own| own.n_events > 0) {
            let own = of_event.get_mut(event?)?;
            // A name that is there twice has its rows in two places.
            if own.n_events > 0 && !rows.is_empty() {
                return None;
            }
            own.n_events += n_events;
            own.rows.extend(rows);
        }
        self.values(columns, &mut of_event)?;
        let whose = self.whose(&ids, &of_event, columns.are_known);
        Some(Rows { ids, whose, times: times.clone(), of_event })
    }

    /// What is to be counted of the rows with a name.
    fn of_key(&self, name: Option<&str>) -> OfKey {
        let event = name.and_then(|name| self.tables.by_name.get(name).copied());
        let table = event.and_then(|event| self.tables.tables.get(event));
        OfKey { event, since: table.map_or(i64::MAX, |table| self.since(table)), n_events: 0, rows: Vec::new() }
    }

    /// Since when the events of a name are wanted; later than any where they never are.
    fn since(&self, table: &EventTable<'_>) -> i64 {
        let wanted = self.wanted.events.get(&table.id);
        wanted.map_or(i64::MAX, |wanted| wanted.since.map_or(i64::MIN, |since| since.0))
    }

    /// Whose rows are. Where everybody in them is known and exists, only those that are
    /// wanted are looked up.
    fn whose(&self, ids: &Ids, of_event: &[Own], are_known: bool) -> Whose {
        let n_wanted: usize = of_event.iter().map(|own| own.rows.len()).sum();
        if are_known && n_wanted < ids.len() / 2 {
            let people = of_event.iter().map(|own| ids.rows(&own.rows).known(self.people)).collect();
            if let Some(people) = people {
                return Whose::Own(people);
            }
        }
        ids.known(self.people).map_or(Whose::Unknown, Whose::All)
    }

    /// Finds for each event the values of its properties, where they are wanted.
    fn values(&self, columns: &Columns, of_event: &mut [Own]) -> Option<()> {
        // Properties of several events are often one column of the file.
        let mut converted: Vec<(usize, seg_data::Type, Arc<Values>)> = Vec::new();
        for ((table, of_file), own) in self.tables.tables.iter().zip(self.columns).zip(of_event) {
            for (property, at) in table.columns.iter().zip(of_file) {
                if !property.is_wanted || own.rows.is_empty() || !table.is_wanted {
                    own.properties.push(None);
                    continue;
                }
                let is_plain = property.field.allowed.is_none() && !property.field.is_required;
                let is_it = |(of, ty): (usize, &seg_data::Type)| Some(of) == *at && *ty == property.field.ty;
                let known = converted.iter().find(|(of, ty, _)| is_plain && is_it((*of, ty)));
                let values = match known {
                    Some((_, _, values)) => Arc::clone(values),
                    None => Arc::new(Values::new(property, columns.at(*at), Some(&own.rows))?),
                };
                if let (Some(at), None) = (at, known) {
                    converted.push((*at, property.field.ty.clone(), Arc::clone(&values)));
                }
                own.properties.push(Some(values));
            }
        }
        Some(())
    }
}

/// Takes some rows as events of one name, whose index among the events is `at`.
/// Properties without room for a text more go to `unfit`, with their lines.
fn take(table: &mut EventTable<'_>, at: usize, taken: &Taken<'_>, unfit: &mut Vec<(usize, u64)>) {
    let Some(Own { n_events, rows: own, properties: values }) = taken.rows.of_event.get(at) else { return };
    let times = taken.rows.times.values();
    table.n_events += n_events;
    table.people.extend(own.iter().enumerate().map(|(nth, row)| taken.person(at, nth, *row)));
    table.times.extend(own.iter().map(|row| times.get(*row as usize).copied().unwrap_or_default()));
    table.arrivals.extend(own.iter().map(|row| taken.n_arrived + i64::from(*row)));
    for (property, (column, values)) in table.columns.iter_mut().zip(values).enumerate() {
        if let Some(values) = values {
            let rows = values.append(&mut column.builder, own);
            unfit.extend(rows.into_iter().map(|row| (property, taken.columns.line(taken.n_lines, row))));
        }
    }
}
