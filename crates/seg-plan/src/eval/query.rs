//! Queries over events, by columns.

use super::column::{Column, IntKind};
use super::{Domain, Eval};
use crate::plan::{NodeId, Query};
use hashbrown::{HashMap, HashSet};
use seg_data::batch::Events;
use seg_data::{EventId, PropertyId, Timestamp, Type, Value, Zone};
use seg_hir::hir::{Aggregate, End, Interval, Length, Moment, PeriodUnit, horizon};
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

/// Where a batch's events of one name lie, those of one profile after another.
pub(super) struct EventRows {
    /// Each event's position in the batch's column.
    pub idx: Vec<u32>,
    /// Whose it is.
    pub owner: Vec<u32>,
    /// When it was.
    pub time: Vec<Timestamp>,
    /// For each profile the row of its first event, and where the last one's end.
    pub first: Vec<u32>,
}

/// Where the records of the events of one name lie.
pub(super) struct ItemRows {
    /// Each record's position in the column of records.
    pub idx: Vec<u32>,
    /// The row of its event.
    pub owner: Vec<u32>,
}

/// An event that a query found.
#[derive(Clone, Copy)]
struct Found {
    event: EventId,
    /// Its row in the domain of its name.
    row: u32,
}

impl Eval<'_> {
    pub(super) fn event_rows(&mut self, event: EventId) -> Rc<EventRows> {
        if let Some(rows) = self.rows.get(&event) {
            return Rc::clone(rows);
        }
        let mut rows = EventRows { idx: Vec::new(), owner: Vec::new(), time: Vec::new(), first: vec![0] };
        let events = self.batch.events(event);
        for owner in 0..self.batch.len() {
            for (events, idx) in events.iter().flat_map(|e| e.range(owner).map(move |idx| (e, idx))) {
                rows.idx.push(idx as u32);
                rows.owner.push(owner as u32);
                rows.time.push(events.time(idx));
            }
            rows.first.push(rows.idx.len() as u32);
        }
        let rows = Rc::new(rows);
        self.rows.insert(event, Rc::clone(&rows));
        rows
    }

    /// A column of people as a column of the domain: each event has the value
    /// of its owner.
    pub(super) fn spread(&mut self, people: Column, domain: Domain) -> Column {
        match domain {
            Domain::People => people,
            Domain::Events(event) => people.take(&self.event_rows(event).owner),
            Domain::Elements(list) => people.take(&self.element_rows(list).owner),
            Domain::Stretches(attribute) => people.take(&self.stretch_rows(attribute).owner),
            Domain::Items(event, property) => {
                let of_events = people.take(&self.event_rows(event).owner);
                of_events.take(&self.item_rows(event, property).owner)
            }
        }
    }

    pub(super) fn property(&mut self, ids: &[(EventId, PropertyId)], ty: &Type, domain: Domain, len: usize) -> Column {
        let Domain::Events(event) = domain else { return Column::missing_of(ty, len) };
        let property = ids.iter().find(|(of, _)| *of == event);
        let column = property.and_then(|(_, p)| self.batch.events(event)?.property_column(*p));
        match column {
            Some(column) => Column::read(column, self.event_rows(event).idx.iter().map(|idx| *idx as usize)),
            None => Column::missing_of(ty, len),
        }
    }

    /// Which events of one name a query finds.
    pub(super) fn selected(&mut self, query: &Query, event: EventId) -> Vec<bool> {
        let rows = self.event_rows(event);
        let (now, last) = (self.now, horizon(query.known_at, self.now));
        let mut bits: Vec<bool> = rows.time.iter().map(|t| *t <= last && query.interval.contains(*t, now)).collect();
        if let Some(filter) = query.filter {
            let filter = self.bools(filter, Domain::Events(event));
            bits.iter_mut().zip(filter).for_each(|(bit, passes)| *bit &= passes);
        }
        bits
    }

    /// Calls `each` with the owner of every event a query finds, those of one
    /// name after those of another.
    fn each(&mut self, query: &Query, mut each: impl FnMut(usize, Found, Timestamp)) {
        for event in &query.events {
            let (bits, rows) = (self.selected(query, *event), self.event_rows(*event));
            for (row, (owner, time)) in rows.owner.iter().zip(&rows.time).enumerate() {
                if bits.get(row).copied().unwrap_or(false) {
                    each(*owner as usize, Found { event: *event, row: row as u32 }, *time);
                }
            }
        }
    }

    /// The events a query finds for each person, in the order of the language:
    /// by time, event id, arrival, name, position.
    fn ordered(&mut self, query: &Query) -> Vec<Vec<Found>> {
        let mut found: Vec<Vec<(Timestamp, Found)>> = vec![Vec::new(); self.batch.len()];
        self.each(query, |owner, event, time| {
            if let Some(events) = found.get_mut(owner) {
                events.push((time, event));
            }
        });
        let batch = self.batch;
        let mut out = Vec::with_capacity(found.len());
        for events in found {
            let mut keyed = Vec::with_capacity(events.len());
            for (time, event) in events {
                let idx = self.event_rows(event.event).idx.get(event.row as usize).map_or(0, |i| *i as usize);
                let arrival = batch.events(event.event).and_then(|e| e.arrival(idx));
                keyed.push((time, batch.event_id(event.event, idx), arrival, event.event, idx, event));
            }
            keyed.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)).then((a.2, a.3, a.4).cmp(&(b.2, b.3, b.4))));
            out.push(keyed.into_iter().map(|k| k.5).collect());
        }
        out
    }

    pub(super) fn few(&mut self, end: End, n: u32, query: &Query, filter: NodeId) -> Column {
        let ordered = self.ordered(query);
        let passes: Vec<(EventId, Vec<bool>)> =
            query.events.iter().map(|e| (*e, self.bools(filter, Domain::Events(*e)))).collect();
        let does_pass = |found: &Found| {
            let bits = passes.iter().find(|(e, _)| *e == found.event);
            bits.and_then(|(_, bits)| bits.get(found.row as usize).copied()).unwrap_or(false)
        };
        let n = n as usize;
        let holds = |events: &Vec<Found>| {
            let few = match end {
                End::First => events.get(..n),
                End::Last => events.len().checked_sub(n).and_then(|from| events.get(from..)),
            };
            few.is_some_and(|few| few.iter().all(does_pass))
        };
        Column::Bools(ordered.iter().map(holds).collect())
    }

    pub(super) fn aggregate(
        &mut self,
        function: Aggregate,
        measure: Option<&(NodeId, Type)>,
        items: Option<&[(EventId, PropertyId)]>,
        query: &Query,
    ) -> Column {
        if let Some(list) = items {
            return self.aggregate_items(function, measure, list, query);
        }
        let Some((measure, ty)) = measure else { return self.count(query) };
        let columns: Vec<(EventId, Rc<Column>)> =
            query.events.iter().map(|e| (*e, self.column(*measure, Domain::Events(*e)))).collect();
        let value = |found: &Found| {
            let column = columns.iter().find(|(e, _)| *e == found.event).map(|(_, c)| c)?;
            column.value(found.row as usize)
        };
        // Only sums of numbers and ties depend on the order; all else takes any.
        let is_ordered = *ty == Type::Number || function.is_ordered();
        let people: Vec<Vec<Value>> = if is_ordered {
            self.ordered(query).iter().map(|events| events.iter().filter_map(value).collect()).collect()
        } else {
            let mut people: Vec<Vec<Value>> = vec![Vec::new(); self.batch.len()];
            self.each(query, |owner, found, _| {
                if let (Some(values), Some(v)) = (people.get_mut(owner), value(&found)) {
                    values.push(v);
                }
            });
            people
        };
        aggregated(function, people, ty)
    }

    /// The same over the records of a list of the events.
    fn aggregate_items(
        &mut self,
        function: Aggregate,
        measure: Option<&(NodeId, Type)>,
        list: &[(EventId, PropertyId)],
        query: &Query,
    ) -> Column {
        let mut columns = Vec::new();
        for (event, property) in list {
            let domain = Domain::Items(*event, *property);
            let rows = self.item_rows(*event, *property);
            let column = measure.map(|(measure, _)| self.column(*measure, domain));
            columns.push((*event, rows, column));
        }
        let mut people: Vec<Vec<Value>> = Vec::with_capacity(self.batch.len());
        for events in self.ordered(query) {
            let mut values = Vec::new();
            for found in events {
                let Some((_, rows, column)) = columns.iter().find(|(e, ..)| *e == found.event) else { continue };
                let start = rows.owner.partition_point(|o| *o < found.row);
                let n = rows.owner.iter().skip(start).take_while(|o| **o == found.row).count();
                match column {
                    Some(column) => values.extend((start..start + n).filter_map(|row| column.value(row))),
                    None => values.extend(std::iter::repeat_n(Value::Integer(0), n)),
                }
            }
            people.push(values);
        }
        aggregated(function, people, measure.map_or(&Type::Integer, |(_, ty)| ty))
    }

    /// The records of the lists of the events of one name.
    pub(super) fn item_rows(&mut self, event: EventId, property: PropertyId) -> Rc<ItemRows> {
        if let Some(items) = self.items.get(&(event, property)) {
            return Rc::clone(items);
        }
        let rows = self.event_rows(event);
        let mut items = ItemRows { idx: Vec::new(), owner: Vec::new() };
        let column = self.batch.events(event).and_then(|e| e.property_column(property));
        for (column, (row, idx)) in column.iter().flat_map(|c| rows.idx.iter().enumerate().map(move |r| (c, r))) {
            for item in column.records(*idx as usize).unwrap_or(0..0) {
                items.idx.push(item as u32);
                items.owner.push(row as u32);
            }
        }
        let items = Rc::new(items);
        self.items.insert((event, property), Rc::clone(&items));
        items
    }

    /// Whether all or any records of each event's list are as asked.
    pub(super) fn items(
        &mut self,
        is_all: bool,
        list: &[(EventId, PropertyId)],
        filter: NodeId,
        of: EventId,
    ) -> Column {
        let mut bits = vec![is_all; self.len(Domain::Events(of))];
        if let Some((event, property)) = list.iter().find(|(event, _)| *event == of) {
            let holds = self.bools(filter, Domain::Items(*event, *property));
            for (owner, holds) in self.item_rows(*event, *property).owner.iter().zip(holds) {
                if let Some(bit) = bits.get_mut(*owner as usize).filter(|_| holds != is_all) {
                    *bit = holds;
                }
            }
        }
        Column::Bools(bits)
    }

    /// The times of the events a query finds, ascending, for each person.
    fn times(&mut self, query: &Query) -> Vec<Vec<Timestamp>> {
        let mut times: Vec<Vec<Timestamp>> = vec![Vec::new(); self.batch.len()];
        self.each(query, |owner, _, time| {
            if let Some(times) = times.get_mut(owner) {
                times.push(time);
            }
        });
        times.iter_mut().for_each(|times| times.sort_unstable());
        times
    }

    pub(super) fn usual_gap(&mut self, query: &Query) -> Column {
        let people = self.times(query).into_iter().map(|mut times| {
            times.dedup();
            let gaps = times.iter().zip(times.iter().skip(1)).map(|(a, b)| b.0 - a.0).collect();
            seg_hir::median(gaps).map(|gap| Value::Integer(gap.into()))
        });
        Column::of(people)
    }

    /// Two positions walk over the times: the first and the one past the last of a
    /// stretch.
    pub(super) fn most_within(&mut self, query: &Query, within: Length) -> Column {
        let people = self.times(query).into_iter().map(|times| {
            let (mut most, mut end) = (0, 0);
            for (start, first) in times.iter().enumerate() {
                let last = within.after(*first);
                while times.get(end).is_some_and(|t| *t <= last) {
                    end += 1;
                }
                most = most.max(end - start);
            }
            Some(Value::Integer(most as i128))
        });
        Column::of(people)
    }

    /// A person's events of one name inside an interval: times ascend, so they
    /// are one stretch.
    fn stretch(&self, events: &Events, query: &Query, person: usize) -> Range<usize> {
        let (range, now, interval) = (events.range(person), self.now, query.interval);
        let known = horizon(query.known_at, now);
        let times = events.times().get(range.clone()).unwrap_or(&[]);
        let end = times.partition_point(|t| Timestamp(*t) <= known && interval.is_before_end(Timestamp(*t), now));
        let start = times.partition_point(|t| !interval.is_after_start(Timestamp(*t), now)).min(end);
        range.start + start..range.start + end
    }

    fn count(&mut self, query: &Query) -> Column {
        let mut values = vec![0_i128; self.batch.len()];
        if query.filter.is_none() {
            for events in query.events.iter().filter_map(|e| self.batch.events(*e)) {
                for (person, n) in values.iter_mut().enumerate() {
                    *n += self.stretch(events, query, person).len() as i128;
                }
            }
            let known = vec![true; values.len()];
            return Column::Ints { kind: IntKind::Integer, values, known };
        }
        self.each(query, |owner, _, _| {
            if let Some(n) = values.get_mut(owner) {
                *n += 1;
            }
        });
        let known = vec![true; values.len()];
        Column::Ints { kind: IntKind::Integer, values, known }
    }

    pub(super) fn periods(&mut self, unit: PeriodUnit, zone: Zone, query: &Query) -> Column {
        let mut periods: Vec<BTreeSet<i32>> = vec![BTreeSet::new(); self.batch.len()];
        self.each(query, |owner, _, time| {
            if let Some(set) = periods.get_mut(owner) {
                set.insert(unit.number(zone.date(time)));
            }
        });
        Column::of(periods.iter().map(|set| Some(Value::Integer(set.len() as i128))))
    }

    pub(super) fn event_time(&mut self, end: End, n: u32, query: &Query) -> Column {
        let n = n as usize;
        let position = |times: &[Timestamp]| match end {
            End::First => n.checked_sub(1),
            End::Last => times.len().checked_sub(n),
        };
        let at = |times: &[Timestamp]| position(times).and_then(|at| times.get(at)).copied();
        if let ([event], None) = (query.events.as_slice(), query.filter) {
            let Some(events) = self.batch.events(*event) else { return Column::missing(self.batch.len()) };
            let people = (0..self.batch.len()).map(|person| {
                let stretch = self.stretch(events, query, person);
                let position = match end {
                    End::First => stretch.start + n.checked_sub(1)?,
                    End::Last => stretch.end.checked_sub(n)?,
                };
                stretch.contains(&position).then(|| events.time(position))
            });
            return Column::times(people);
        }
        Column::times(self.times(query).into_iter().map(|times| at(&times)))
    }

    /// The earliest or latest event of any name, or what the schema says.
    pub(super) fn seen(&mut self, end: End, known_at: Option<Moment>) -> Column {
        let schema = self.batch.schema();
        let events = (0..schema.events.len()).map(|e| EventId(e as u32)).collect();
        let query = Query { events, interval: Interval::default(), filter: None, known_at };
        let declared = schema.first_seen.filter(|_| end == End::First);
        let seen = self.event_time(end, 1, &query);
        let (batch, now) = (self.batch, self.now);
        let value = |row| declared.and_then(|id| batch.attribute(id, row, now)).or_else(|| seen.value(row));
        Column::of((0..batch.len()).map(value))
    }
}

fn aggregated(function: Aggregate, people: Vec<Vec<Value>>, ty: &Type) -> Column {
    Column::of(people.into_iter().map(|values| match function {
        Aggregate::CountDifferent => Some(Value::Integer(different(&values))),
        Aggregate::MostFrequent => most_frequent(&values),
        Aggregate::Count | Aggregate::Total | Aggregate::Average | Aggregate::Smallest | Aggregate::Largest => {
            seg_hir::aggregate(function, values, ty)
        }
    }))
}

/// The value that is there most often; of several the one seen last.
fn most_frequent(values: &[Value]) -> Option<Value> {
    let mut counts: HashMap<String, (usize, usize)> = HashMap::new();
    for (at, value) in values.iter().enumerate() {
        let (n, last) = counts.entry(key(value)).or_default();
        (*n, *last) = (*n + 1, at);
    }
    let (_, last) = counts.into_values().max()?;
    values.get(last).cloned()
}

/// A text that is equal exactly where values of one type are: they print alike,
/// once both zeros are one.
pub(super) fn key(value: &Value) -> String {
    match value {
        Value::Number(n) if *n == 0.0 => Value::Number(0.0).to_string(),
        other => other.to_string(),
    }
}

/// How many different values there are.
fn different(values: &[Value]) -> i128 {
    values.iter().map(key).collect::<HashSet<_>>().len() as i128
}
