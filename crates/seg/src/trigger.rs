//! What would change an answer for somebody at once: an event that they do not have yet, or
//! another value.
//!
//! What may happen is taken from the conditions: the events that they speak of, with the values
//! that they compare with and without any. It is put to what is known of the person, and the
//! same program says what they are in at that instant; so it goes from one instant to the next
//! at which it can matter when something happens, and by halving in between where the answers
//! differ.

use crate::forms::{forms, numbered};
use crate::pool::{Collect, Pool, Slot};
use crate::project::Project;
use seg_data::batch::AddedEvent;
use seg_data::{Batch, Schema, Timestamp, Type, Value, Zone};
use seg_hir::hir::{Cond, Module, SegmentId, TestEvent};
use seg_plan::{Edges, Needs};

/// So many are found for a segment.
const TRIGGERS_MAX: usize = 8;
/// So many events of a kind are tried at once, where a condition counts them.
const TIMES_MAX: u64 = 10;

/// Something that, were it to happen, would change an answer at that very instant.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Trigger {
    /// What happens.
    pub happening: Happening,
    /// How often it happens, at one instant.
    pub times: u64,
    /// The last instant at which it changes the answer, from the one asked about on. Without it
    /// it does as long as time alone has not changed it, as far ahead as was looked.
    pub until: Option<Timestamp>,
}

/// What may happen to a person.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// They do something.
    Event {
        /// The name of the event.
        event: String,
        /// What has to be known of it.
        properties: Vec<GivenValue>,
    },
    /// An attribute has another value.
    Value(GivenValue),
}

/// A value that something is to have.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GivenValue {
    /// The name of the attribute or property, or of a field of records.
    pub name: String,
    /// The list of whose only record it is a field, where it is one.
    pub list: Option<String>,
    /// The value.
    pub value: Value,
    /// Whether it stands for any other than those that the conditions name.
    pub is_any_other: bool,
}

/// Looks for what would change the answer of a segment for one person.
pub(crate) struct Triggers<'a> {
    pub project: &'a Project,
    pub module: &'a Module,
    /// The segment.
    pub id: SegmentId,
    /// Of the segment alone.
    pub edges: &'a Edges,
    pub needs: &'a Needs,
    /// The only person, of what is known by `now`.
    pub known: &'a Batch,
    pub now: Timestamp,
    /// Whether they are in.
    pub is_in: bool,
    /// When time alone changes that.
    pub changes_at: Option<Timestamp>,
    /// By how many events a condition is missed that keeps them out alone.
    pub short_by: u64,
}

/// Something to try.
#[derive(Clone)]
enum Tried {
    Events(Vec<TestEvent>),
    Value(seg_data::AttributeId, Value),
}

impl Triggers<'_> {
    /// All that are found, events before values.
    pub fn find(&self) -> Vec<Trigger> {
        // Where time changes the answer before anything can happen, nothing is sooner.
        if self.changes_at.is_some_and(|changes| changes <= self.first()) {
            return Vec::new();
        }
        let pool = self.pool();
        let instants = self.edges.happening_at(self.known, self.now);
        let mut found: Vec<Trigger> = Vec::new();
        for event in &pool.events {
            let Some(tried) = self.event(*event, &pool) else { continue };
            found.push(self.told(&tried, &pool, &instants));
        }
        for (slot, values) in &pool.slots {
            let Slot::Attribute(id) = slot else { continue };
            if self.is_given_once(*id) {
                continue;
            }
            let now = self.known.attribute(*id, 0, self.now);
            let mut others = values.iter().filter(|(value, _)| Some(value) != now.as_ref());
            let tried = others.find_map(|(value, _)| {
                let tried = Tried::Value(*id, value.clone());
                self.changes(&tried, self.first()).then_some(tried)
            });
            found.extend(tried.map(|tried| self.told(&tried, &pool, &instants)));
        }
        found.truncate(TRIGGERS_MAX);
        found
    }

    fn pool(&self) -> Pool {
        let zone = self.project.settings.zone.unwrap_or(Zone::UTC);
        let schema = &self.project.schema;
        let mut collect = Collect { module: self.module, schema, now: self.now, zone, pool: Pool::new(self.now) };
        collect.cond(&Cond::InSegment(self.id));
        let rules = self.module.segments.get(self.id.idx()).map_or(&[][..], |segment| &segment.rules);
        rules.iter().for_each(|rule| collect.cond(rule));
        let mut pool = collect.finish();
        // Data has no empty texts: they are read as missing.
        let is_empty = |value: &Value| matches!(value, Value::Text(text) if text.is_empty());
        pool.slots.values_mut().for_each(|values| values.retain(|(value, _)| !is_empty(value)));
        pool
    }

    /// Days and instants do not come to be otherwise; they are what they are.
    fn is_given_once(&self, id: seg_data::AttributeId) -> bool {
        let ty = self.project.schema.attribute(id).map(|field| &field.ty);
        matches!(ty, None | Some(Type::Timestamp | Type::Date | Type::Records(_) | Type::Duration))
    }

    /// The first instant at which something can happen.
    fn first(&self) -> Timestamp {
        Timestamp(self.now.0.saturating_add(1))
    }

    /// An event that changes the answer, as plain as there is one; several where so many are
    /// missing.
    fn event(&self, event: seg_data::EventId, pool: &Pool) -> Option<Tried> {
        let plain = TestEvent { event, time: self.now, properties: Vec::new(), records: Vec::new() };
        let forms: Vec<TestEvent> = [plain].into_iter().chain(forms(event, pool, &self.project.schema)).collect();
        let one = forms.iter().map(|form| Tried::Events(vec![form.clone()]));
        let several = forms.iter().filter(|_| (2..=TIMES_MAX).contains(&self.short_by)).flat_map(|form| {
            let unlike = (0..self.short_by as i64).map(|nth| numbered(form, nth)).collect();
            [Tried::Events(vec![form.clone(); self.short_by as usize]), Tried::Events(unlike)]
        });
        let found = one.chain(several).find(|tried| self.changes(tried, self.first()))?;
        Some(self.simplest(found))
    }

    /// The same with nothing that it does without.
    fn simplest(&self, found: Tried) -> Tried {
        let Tried::Events(mut events) = found else { return found };
        let n = events.first().map_or(0, |event| event.properties.len());
        for at in (0..n).rev() {
            let mut less = events.clone();
            less.iter_mut().for_each(|event| drop(event.properties.remove(at)));
            if self.changes(&Tried::Events(less.clone()), self.first()) {
                events = less;
            }
        }
        Tried::Events(events)
    }

    /// Whether the answer at an instant is another one if something happens then.
    fn changes(&self, tried: &Tried, at: Timestamp) -> bool {
        let person = match tried {
            Tried::Events(events) => events.iter().try_fold(self.known.clone(), |person, event| {
                let TestEvent { event, properties, records, .. } = event;
                person.with_event(AddedEvent { event: *event, time: at, properties, records })
            }),
            Tried::Value(id, value) => self.known.with_value(*id, value, at),
        };
        let Ok(person) = person else { return false };
        let checked = self.needs.check(&person);
        checked.is_ok() && {
            let masks = seg_plan::evaluate(self.edges.plan(), &person, at);
            masks.first().is_some_and(|mask| mask.get(0) != self.is_in)
        }
    }

    /// The last instant at which it changes the answer, going from instant to instant.
    fn until(&self, tried: &Tried, instants: &[Timestamp]) -> Option<Timestamp> {
        let mut before = self.first();
        let later = instants.partition_point(|at| *at <= before);
        for at in instants.iter().skip(later) {
            if self.changes_at.is_some_and(|changes| *at >= changes) {
                // Up to then nothing but what happens changes the answer.
                let last = Timestamp(self.changes_at?.0.saturating_sub(1));
                return (!self.changes(tried, last)).then(|| self.last(tried, before, last));
            }
            if !self.changes(tried, *at) {
                return Some(self.last(tried, before, *at));
            }
            before = *at;
        }
        None
    }

    /// The last instant that is not after the first and at which it still does, where it does
    /// no longer at the second.
    fn last(&self, tried: &Tried, mut does: Timestamp, mut does_not: Timestamp) -> Timestamp {
        while does_not.0.saturating_sub(does.0) > 1 {
            let middle = Timestamp(does.0 + (does_not.0 - does.0) / 2);
            match self.changes(tried, middle) {
                true => does = middle,
                false => does_not = middle,
            }
        }
        does
    }

    fn told(&self, tried: &Tried, pool: &Pool, instants: &[Timestamp]) -> Trigger {
        let schema = &self.project.schema;
        let (happening, times) = match tried {
            Tried::Events(events) => (happening(events.first(), pool, schema), events.len() as u64),
            Tried::Value(id, value) => {
                let name = schema.attribute(*id).map_or(String::new(), |field| field.name.clone());
                (Happening::Value(given(name, value, &Slot::Attribute(*id), pool)), 1)
            }
        };
        Trigger { happening, times, until: self.until(tried, instants) }
    }
}

fn happening(event: Option<&TestEvent>, pool: &Pool, schema: &Schema) -> Happening {
    let nothing = || Happening::Event { event: String::new(), properties: Vec::new() };
    let Some((did, event)) = event.and_then(|did| Some((did, schema.event(did.event)?))) else { return nothing() };
    let name_of = |at: usize| event.properties.get(at).map_or(String::new(), |field| field.name.clone());
    let mut properties: Vec<GivenValue> = Vec::new();
    for (id, value) in &did.properties {
        properties.push(given(name_of(id.idx()), value, &Slot::Property(did.event, *id), pool));
    }
    for (id, record) in &did.records {
        for (nth, (name, value)) in record.iter().enumerate() {
            let given = given(name.clone(), value, &Slot::Field(did.event, *id, nth as u32), pool);
            properties.push(GivenValue { list: Some(name_of(id.idx())), ..given });
        }
    }
    Happening::Event { event: event.name.clone(), properties }
}

/// A value, and whether conditions name it or one beside it.
fn given(name: String, value: &Value, slot: &Slot, pool: &Pool) -> GivenValue {
    let of_slot = pool.slots.get(slot).into_iter().flatten();
    let rank = of_slot.filter(|(known, _)| known == value).map(|(_, rank)| *rank).min();
    // Of what is neither so nor so there is no other.
    let is_any_other = match value {
        Value::Text(_) | Value::List(_) => rank.is_none_or(|rank| rank > 1),
        Value::Boolean(_)
        | Value::Integer(_)
        | Value::Number(_)
        | Value::Money(_)
        | Value::Timestamp(_)
        | Value::Date(_) => false,
    };
    GivenValue { name, list: None, value: value.clone(), is_any_other }
}
