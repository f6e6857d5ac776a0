//! Events that come as columns, as from Parquet: taken together where
//! nothing is wrong with them and their types are the common ones. All others are
//! taken row by row, which says what is wrong, with the same outcome otherwise.

use super::{EventSink, EventTable, EventTables};
use crate::people::People;
use crate::rows::Columns;
use crate::values::{Ids, Values};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, TimestampMicrosecondType};
use arrow_array::{Array, TimestampMicrosecondArray};
use seg_data::{Timestamp, Wanted, parallel};
use std::sync::Arc;

/// Rows of a file of which each is fit to be taken.
struct Rows {
    ids: Ids,
    /// Whose they are, where everyone was met before.
    people: Option<Vec<u32>>,
    times: TimestampMicrosecondArray,
    /// For each event of the schema.
    of_event: Vec<Own>,
}

/// The rows of one event.
struct Own {
    rows: Vec<u32>,
    /// The values of its properties, where they are wanted.
    properties: Vec<Option<Arc<Values>>>,
}

/// Rows that are about to be taken.
struct Taken {
    rows: Rows,
    people: Vec<u32>,
    /// Lines of the file, and events, that came before them.
    n_lines: u64,
    n_arrived: i64,
}

impl EventSink<'_, '_, '_> {
    /// Takes all rows of the first few of some batches, and says of how many; so
    /// many lines of the file came before them. Batches are looked at side by side,
    /// and so are events of different names taken.
    pub(super) fn take_batches(&mut self, n_before: u64, batches: &[Columns]) -> usize {
        let threads = self.loader.threads;
        let look = Look {
            people: &self.loader.people,
            tables: self.tables,
            columns: &self.columns,
            indices: [self.id_at, self.event_at, self.time_at],
            has_profiles: self.has_profiles,
            has_rules: !self.loader.rules.is_empty(),
        };
        // Everything of a batch is looked at before anything of it is taken.
        let mut found: Vec<Option<Rows>> = batches.iter().map(|_| None).collect();
        let work: Vec<_> = batches.iter().zip(&mut found).rev().collect();
        parallel::each(work, threads, || (), |(), (columns, to)| *to = look.rows(columns));
        let mut taken: Vec<Taken> = Vec::with_capacity(batches.len());
        let mut n_lines = n_before;
        for (mut rows, columns) in found.into_iter().map_while(|rows| rows).zip(batches) {
            self.loader.count_rows(columns.n_rows as u64);
            // Rows of the batch, in the order in which they are met.
            let meet = |row: usize| self.loader.people.person_of(&rows.ids.cell(row)).row;
            let people: Vec<u32> = rows.people.take().unwrap_or_else(|| (0..columns.n_rows).map(meet).collect());
            for (person, time) in people.iter().zip(rows.times.values()) {
                self.loader.existence.event(*person, *time);
            }
            taken.push(Taken { rows, people, n_lines, n_arrived: self.tables.n_arrived });
            self.tables.n_arrived += columns.n_rows as i64;
            n_lines += columns.n_rows as u64;
        }
        let mut unfit: Vec<Vec<(usize, u64)>> = self.tables.tables.iter().map(|_| Vec::new()).collect();
        let mut work: Vec<_> = self.tables.tables.iter_mut().zip(&mut unfit).enumerate().collect();
        // The largest first, so that nobody waits long for the last one.
        let n_own = |at: usize| taken.first().and_then(|t| t.rows.of_event.get(at)).map_or(0, |own| own.rows.len());
        work.sort_by_key(|(at, _)| n_own(*at));
        let wanted = self.loader.wanted;
        parallel::each(
            work,
            threads,
            || (),
            |(), (at, (table, unfit))| {
                taken.iter().for_each(|taken| take(table, at, taken, wanted, unfit));
            },
        );
        for (table, unfit) in self.tables.tables.iter().zip(unfit) {
            for (property, line) in unfit {
                let name = table.columns.get(property).map_or("", |column| &column.field.name);
                self.loader.no_room(self.file, name, line);
            }
        }
        taken.len()
    }
}

/// What threads share while they look at batches, before anything is taken.
struct Look<'l> {
    people: &'l People,
    tables: &'l EventTables<'l>,
    /// For each event, where in the file each of its properties is.
    columns: &'l [Vec<Option<usize>>],
    /// Where the id, the event's name and its time are.
    indices: [Option<usize>; 3],
    has_profiles: bool,
    /// Whether the source says something of its texts.
    has_rules: bool,
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
        let people = ids.known(self.people);
        // Who is not listed is reported.
        if self.has_profiles && people.is_none() {
            return None;
        }
        let times = columns.at(time_at)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        let are_fit = times.null_count() == 0 && times.values().iter().all(|time| Timestamp(*time).is_in_range());
        let names = columns.at(event_at)?.as_dictionary_opt::<Int32Type>()?;
        if !are_fit || names.null_count() > 0 || names.len() != columns.n_rows || times.len() != columns.n_rows {
            return None;
        }
        let texts = names.values().as_string_opt::<i32>()?;
        let indices: Vec<Option<usize>> = texts.iter().map(|name| self.tables.by_name.get(name?).copied()).collect();
        let mut of_event: Vec<Vec<u32>> = self.tables.tables.iter().map(|_| Vec::new()).collect();
        for (row, key) in (0_u32..).zip(names.keys().values()) {
            let index = usize::try_from(*key).ok().and_then(|key| indices.get(key).copied().flatten())?;
            of_event.get_mut(index)?.push(row);
        }
        let values = self.values(columns, &of_event)?;
        let own = |(rows, properties)| Own { rows, properties };
        let of_event = of_event.into_iter().zip(values).map(own).collect();
        Some(Rows { ids, people, times: times.clone(), of_event })
    }

    /// For each event the values of its properties, where they are wanted.
    fn values(&self, columns: &Columns, of_event: &[Vec<u32>]) -> Option<Vec<Vec<Option<Arc<Values>>>>> {
        // Properties of several events are often one column of the file.
        let mut converted: Vec<(usize, seg_data::Type, Arc<Values>)> = Vec::new();
        let mut values = Vec::with_capacity(of_event.len());
        for ((table, of_file), rows) in self.tables.tables.iter().zip(self.columns).zip(of_event) {
            let mut of_table = Vec::with_capacity(table.columns.len());
            for (property, at) in table.columns.iter().zip(of_file) {
                if !property.is_wanted || rows.is_empty() || !table.is_wanted {
                    of_table.push(None);
                    continue;
                }
                let is_plain = property.field.allowed.is_none() && !property.field.is_required;
                let is_it = |(of, ty): (usize, &seg_data::Type)| Some(of) == *at && *ty == property.field.ty;
                let known = converted.iter().find(|(of, ty, _)| is_plain && is_it((*of, ty)));
                let values = match known {
                    Some((_, _, values)) => Arc::clone(values),
                    None => Arc::new(Values::new(property, columns.at(*at))?),
                };
                if let (Some(at), None) = (at, known) {
                    converted.push((*at, property.field.ty.clone(), Arc::clone(&values)));
                }
                of_table.push(Some(values));
            }
            values.push(of_table);
        }
        Some(values)
    }
}

/// Takes some rows as events of one name, whose index among the events is `at`.
/// Properties without room for a text more go to `unfit`, with their lines.
fn take(table: &mut EventTable<'_>, at: usize, taken: &Taken, wanted: &Wanted, unfit: &mut Vec<(usize, u64)>) {
    let Some(Own { rows: own, properties: values }) = taken.rows.of_event.get(at) else { return };
    let times = taken.rows.times.values();
    let time = |row: &u32| times.get(*row as usize).copied().unwrap_or_default();
    table.n_events += own.len() as u64;
    table.last_event = table.last_event.max(own.iter().map(time).max().map(Timestamp));
    let Some(wanted) = wanted.events.get(&table.id) else { return };
    let late: Vec<u32>;
    let own = match wanted.since {
        Some(since) => {
            late = own.iter().copied().filter(|row| since.0 <= time(row)).collect();
            &late
        }
        None => own,
    };
    table.people.extend(own.iter().map(|row| taken.people.get(*row as usize).copied().unwrap_or_default()));
    table.times.extend(own.iter().map(time));
    table.arrivals.extend(own.iter().map(|row| taken.n_arrived + i64::from(*row)));
    for (property, (column, values)) in table.columns.iter_mut().zip(values).enumerate() {
        if let Some(values) = values {
            let rows = values.append(&mut column.builder, own);
            unfit.extend(rows.into_iter().map(|row| (property, taken.n_lines + u64::from(row) + 1)));
        }
    }
}
