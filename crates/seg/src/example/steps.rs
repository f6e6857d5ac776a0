//! People one step away from another: a value, a time or an event that is otherwise.

use crate::forms::{FORMS_MAX, field_name, forms, numbered};
use crate::pool::{Pool, Ranked, Slot};
use seg_data::time::{DAY, SECOND};
use seg_data::{Schema, Timestamp, Type, Value};
use seg_hir::hir::{TestEvent, TestProfile};

/// At so many times several events are given at once.
const REPEATED_TIMES: usize = 6;
/// How far apart they are.
const APART: [i64; 5] = [DAY, DAY / 24, 60 * SECOND, 7 * DAY, 31 * DAY];
/// So much is tried at once; less of it where people are judged one by one, as their ids matter.
const STEPS_MAX: usize = 4_000;
const STEPS_MAX_BY_ID: usize = 300;
/// What people are called.
pub(super) const NAMES: &[&str] = &[
    "ann", "ben", "cleo", "dan", "eve", "finn", "gina", "hugo", "ida", "jan", "kim", "leo", "mia", "noah", "olga",
    "pia",
];

/// A person, and by how small a step they differ: 0 by the least.
pub(super) type Stepped = Ranked<TestProfile>;

/// Everybody who is one step away.
pub(super) fn steps(person: &TestProfile, pool: &Pool, schema: &Schema) -> Vec<Stepped> {
    let mut found = Vec::new();
    attributes(person, pool, schema, &mut found);
    known_events(person, pool, schema, &mut found);
    new_events(person, pool, schema, &mut found);
    sequences(person, pool, schema, &mut found);
    if pool.is_by_id {
        let ids = pool.ids.iter().map(String::as_str).chain(NAMES.iter().copied());
        let others = ids.map(|id| (TestProfile { id: id.to_owned(), ..person.clone() }, 0));
        found.splice(0..0, others);
    }
    found.retain(|(person, _)| person.events.iter().all(|event| event.time <= pool.now));
    // Of too many the same share of all kinds.
    let max = if pool.is_by_id { STEPS_MAX_BY_ID } else { STEPS_MAX };
    let apart = found.len().div_ceil(max).max(1);
    let n_ids = if pool.is_by_id { pool.ids.len() + NAMES.len() } else { 0 };
    found.into_iter().enumerate().filter(|(nth, _)| *nth < n_ids || nth % apart == 0).map(|(_, step)| step).collect()
}

/// The same without anything that was given and is not needed.
pub(super) fn simpler(person: &TestProfile) -> Vec<TestProfile> {
    let mut found = Vec::new();
    for at in 0..person.events.len() {
        let mut less = person.clone();
        less.events.remove(at);
        found.push(less);
    }
    for at in 0..person.changes.len() {
        let mut less = person.clone();
        less.changes.remove(at);
        found.push(less);
    }
    for at in 0..person.attributes.len() {
        let mut less = person.clone();
        less.attributes.remove(at);
        found.push(less);
    }
    for (at, event) in person.events.iter().enumerate() {
        for (nth, _) in event.properties.iter().enumerate() {
            let mut less = person.clone();
            less.events.get_mut(at).into_iter().for_each(|event| drop(event.properties.remove(nth)));
            found.push(less);
        }
        for (nth, _) in event.records.iter().enumerate() {
            let mut less = person.clone();
            less.events.get_mut(at).into_iter().for_each(|event| drop(event.records.remove(nth)));
            found.push(less);
        }
    }
    found
}

fn attributes(person: &TestProfile, pool: &Pool, schema: &Schema, found: &mut Vec<Stepped>) {
    for (slot, values) in &pool.slots {
        let Slot::Attribute(id) = slot else { continue };
        let without = || {
            let mut other = person.clone();
            other.attributes.retain(|(of, _)| of != id);
            other
        };
        for (value, rank) in values {
            let mut other = without();
            other.attributes.push((*id, value.clone()));
            found.push((other, *rank));
        }
        // Both of two values, of a list.
        if schema.attribute(*id).is_some_and(|field| matches!(field.ty, Type::List(_))) {
            let items = values.iter().filter_map(|(value, rank)| match value {
                Value::List(items) if *rank == 0 => Some(items.clone()),
                _ => None,
            });
            let mut other = without();
            other.attributes.push((*id, Value::List(items.flatten().collect())));
            found.push((other, 2));
        }
        if person.attributes.iter().any(|(of, _)| of == id) {
            found.push((without(), 3));
        }
        if schema.attribute(*id).is_some_and(|field| field.keeps_history) {
            for (value, _) in values {
                for (at, rank) in &pool.times {
                    let mut other = person.clone();
                    other.changes.push((*at, *id, value.clone()));
                    found.push((other, rank + 1));
                }
            }
        }
    }
    for (at, (time, _, _)) in person.changes.iter().enumerate() {
        let mut less = person.clone();
        less.changes.remove(at);
        found.push((less, 2));
        for (other_time, rank) in pool.times.iter().filter(|(other, _)| other != time) {
            let mut other = person.clone();
            other.changes.get_mut(at).into_iter().for_each(|change| change.0 = *other_time);
            found.push((other, *rank));
        }
    }
}

fn known_events(person: &TestProfile, pool: &Pool, schema: &Schema, found: &mut Vec<Stepped>) {
    for (at, event) in person.events.iter().enumerate() {
        let mut add = |rank: u8, change: &dyn Fn(&mut TestEvent)| {
            let mut other = person.clone();
            other.events.get_mut(at).into_iter().for_each(change);
            found.push((other, rank));
        };
        for (time, rank) in pool.times.iter().filter(|(time, _)| *time != event.time) {
            add(*rank, &|event| event.time = *time);
        }
        for (slot, values) in &pool.slots {
            match slot {
                Slot::Property(of, id) if *of == event.event => {
                    for (value, rank) in values {
                        add(*rank, &|event| {
                            event.properties.retain(|(of, _)| of != id);
                            event.properties.push((*id, value.clone()));
                        });
                    }
                    if event.properties.iter().any(|(of, _)| of == id) {
                        add(3, &|event| event.properties.retain(|(of, _)| of != id));
                    }
                }
                Slot::Field(of, id, field) if *of == event.event => {
                    let Some(name) = field_name(schema, (*of, *id), *field) else { continue };
                    for (value, rank) in values {
                        add(*rank, &|event| {
                            for (_, record) in event.records.iter_mut().filter(|(of, _)| of == id) {
                                record.retain(|(of, _)| *of != name);
                                record.push((name.clone(), value.clone()));
                            }
                        });
                    }
                }
                Slot::Attribute(_) | Slot::Property(..) | Slot::Field(..) => {}
            }
        }
        let mut less = person.clone();
        less.events.remove(at);
        found.push((less, 2));
    }
}

fn new_events(person: &TestProfile, pool: &Pool, schema: &Schema, found: &mut Vec<Stepped>) {
    let lengths = pool.lengths.iter().flat_map(|length| [*length, length + SECOND, length / 2]);
    let known =
        person.events.iter().map(|event| event.time).chain(person.attributes.iter().filter_map(|of| day_of(&of.1)));
    let beside: Vec<Timestamp> = known
        .flat_map(|time| lengths.clone().chain([0]).flat_map(move |length| [time.0 - length, time.0 + length]))
        .map(Timestamp)
        .collect();
    for event in &pool.events {
        let mut forms = forms(*event, pool, schema);
        // As those that they have done, first of all.
        if let Some(known) = person.events.iter().find(|known| known.event == *event) {
            forms.insert(0, known.clone());
        }
        for form in &forms {
            for (time, rank) in pool.times.iter().map(|(at, rank)| (*at, *rank)).chain(beside.iter().map(|at| (*at, 2)))
            {
                let mut other = person.clone();
                other.events.push(TestEvent { time, ..form.clone() });
                found.push((other, rank + 1));
            }
        }
        for form in forms.iter().take(2) {
            for (time, _) in pool.times.iter().take(REPEATED_TIMES) {
                for (n, apart) in pool.counts.iter().flat_map(|n| APART.map(|apart| (*n as i64, apart))) {
                    let time = |nth: i64| Timestamp(time.0.saturating_sub(nth * apart));
                    let alike = (0..n).map(|nth| TestEvent { time: time(nth), ..form.clone() });
                    let unlike = (0..n).map(|nth| TestEvent { time: time(nth), ..numbered(form, nth) });
                    for several in [alike.collect::<Vec<TestEvent>>(), unlike.collect()] {
                        let mut other = person.clone();
                        other.events.extend(several);
                        found.push((other, 3));
                    }
                }
            }
        }
    }
}

/// A time on the day that a value is, or the time that it is.
fn day_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Timestamp(at) => Some(*at),
        Value::Date(day) => Some(Timestamp(i64::from(day.0) * DAY + DAY / 2)),
        Value::Boolean(_)
        | Value::Integer(_)
        | Value::Number(_)
        | Value::Money(_)
        | Value::Text(_)
        | Value::List(_) => None,
    }
}

/// Events one after another, once and twice.
fn sequences(person: &TestProfile, pool: &Pool, schema: &Schema, found: &mut Vec<Stepped>) {
    for sequence in &pool.sequences {
        for (time, _) in pool.times.iter().take(2 * REPEATED_TIMES) {
            for apart in [SECOND, 60 * SECOND, DAY / 24, DAY] {
                for n in [1, 2] {
                    let events = (0..n).flat_map(|_| sequence).enumerate().filter_map(|(nth, event)| {
                        let form = forms(*event, pool, schema).into_iter().nth(nth % FORMS_MAX);
                        let form = form.or_else(|| forms(*event, pool, schema).into_iter().next())?;
                        Some(TestEvent { time: Timestamp(time.0 + nth as i64 * apart), ..form })
                    });
                    let mut other = person.clone();
                    other.events.extend(events);
                    found.push((other, 3));
                }
            }
        }
    }
}
