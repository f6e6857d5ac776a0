//! What is said to change an answer does, exactly as long as is said; and what is said to keep
//! somebody out however long they wait is so. Each event is put into the lines of the person
//! as they are read, and judged by the reference evaluator.

use super::edges::{Chance, program_of};
use super::{asked_seed, now, profiles, runner, sentences};
use proptest::prelude::*;
use seg::unstable::{GivenValue, Happening, Trigger, Waiting};
use seg::{Batch, Explained, Explanation, Program, Settings, Timestamp, Zone};
use seg_data::Value;
use seg_hir::explain::Explain;
use seg_tests::{Reference, TestEngine, people};
use serde_json::{Value as Json, json};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

const DAY: i64 = 86_400_000_000;
const ZONE: &str = "Europe/Berlin";
/// People and sentences of a case.
const PEOPLE: usize = 4;
const SENTENCES: usize = 12;

/// A person as a line of JSON, without what comes later than now.
fn until_now(profile: &str) -> Json {
    let mut person: Json = serde_json::from_str(&format!("{{\"id\": \"0\"{profile}}}")).expect("a person");
    let is_later = |time: &Json| matches!(time.as_str(), Some("now + 1 us" | "2026-06-02T00:00:00Z"));
    for list in ["events", "changes"] {
        person[list].as_array_mut().expect("a list").retain(|of| !is_later(&of["time"]));
    }
    person
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Boolean(is_so) => (*is_so).into(),
        Value::Integer(n) => i64::try_from(*n).map_or(Json::Null, Into::into),
        Value::Number(n) => (*n).into(),
        Value::Text(text) => text.clone().into(),
        Value::List(items) => items.iter().map(json_of).collect(),
        Value::Money(_) | Value::Timestamp(_) | Value::Date(_) => value.to_string().into(),
    }
}

/// The person with what a trigger says, at an instant; none where its words do not say all.
fn with(person: &Json, trigger: &Trigger, at: Timestamp, program: &Program) -> Option<Json> {
    let mut person = person.clone();
    let schema = program.schema();
    match &trigger.happening {
        Happening::Event { event, properties } => {
            let known = schema.events.iter().find(|known| known.name == *event)?;
            let mut line = json!({ "event": event, "time": at.to_string() });
            for GivenValue { name, list, value, .. } in properties {
                match list {
                    None => {
                        known.properties.iter().find(|field| field.name == *name)?;
                        line[name.as_str()] = json_of(value);
                    }
                    Some(list) => {
                        let records = &mut line[list.as_str()];
                        if records.is_null() {
                            *records = json!([{}]);
                        }
                        records[0][name.as_str()] = json_of(value);
                    }
                }
            }
            let events = person["events"].as_array_mut()?;
            // Several of a kind may have to differ in what the trigger does not say.
            (0..trigger.times).for_each(|_| events.push(line.clone()));
        }
        Happening::Value(GivenValue { name, value, .. }) => {
            let field = schema.attributes.iter().find(|field| field.name == *name)?;
            match field.keeps_history {
                true => person["changes"]
                    .as_array_mut()?
                    .push(json!({ "time": at.to_string(), name.as_str(): json_of(value) })),
                false => person[name.as_str()] = json_of(value),
            }
        }
    }
    Some(person)
}

/// Which segments people are in, by who they are and the instant.
type Known = RefCell<HashMap<(String, Timestamp), Vec<bool>>>;

fn batch_of(person: &Json, program: &Program) -> Batch {
    people(&person.to_string(), &Arc::clone(program.schema()), Zone::parse(ZONE), now())
}

/// Instants from one to another, both of them and some by chance.
fn among((from, to): (Timestamp, Timestamp), chance: &mut Chance) -> Vec<Timestamp> {
    let by_chance: Vec<i64> = (0..3).map(|_| chance.between((from.0, to.0))).collect();
    [from.0, to.0].into_iter().chain(by_chance).map(Timestamp).collect()
}

struct Judge<'a> {
    person: &'a Json,
    program: &'a Program,
    segment: usize,
    known: &'a Known,
}

impl Judge<'_> {
    /// Whether a person is in the segment at an instant.
    fn is_in(&self, person: &Json, at: Timestamp) -> bool {
        let key = (person.to_string(), at);
        let mut known = self.known.borrow_mut();
        let answers = known.entry(key).or_insert_with(|| {
            let masks = Reference.evaluate(self.program, &batch_of(person, self.program), at);
            masks.iter().map(|mask| mask.get(0)).collect()
        });
        answers[self.segment]
    }

    /// What is wrong with a trigger; whether it could be judged.
    fn trigger(&self, of: &Explanation, trigger: &Trigger, chance: &mut Chance) -> Result<bool, String> {
        let first = Timestamp(now().0 + 1);
        let last = match (trigger.until, of.changes_at) {
            (Some(until), _) => until,
            (None, Some(changes_at)) => Timestamp((changes_at.0 - 1).min(now().0 + 400 * DAY)),
            (None, None) => Timestamp(now().0 + 400 * DAY),
        };
        let changes = |at: Timestamp| {
            let person = with(self.person, trigger, at, self.program)?;
            Some(self.is_in(&person, at) != of.why.holds)
        };
        if changes(first).is_none() || trigger.times > 1 {
            return Ok(false);
        }
        if let Some(at) = among((first, last), chance).into_iter().find(|at| changes(*at) != Some(true)) {
            return Err(format!("{trigger:?} does not change it at {at}"));
        }
        match trigger.until {
            Some(until) if changes(Timestamp(until.0 + 1)) == Some(true) => {
                Err(format!("{trigger:?} changes it an instant later as well"))
            }
            Some(_) | None => Ok(true),
        }
    }

    /// An event of which nothing is said that changes the answer, and which nothing tells of.
    fn untold(&self, of: &Explanation) -> Option<String> {
        let at = Timestamp(now().0 + 1);
        let told = |name: &str| {
            of.triggers
                .iter()
                .any(|trigger| matches!(&trigger.happening, Happening::Event { event, .. } if event == name))
        };
        // Time alone may change it at that instant.
        if of.changes_at == Some(at) || of.triggers.len() > 6 {
            return None;
        }
        let names = self.program.schema().events.iter().map(|event| event.name.as_str()).filter(|name| !told(name));
        names.map(str::to_owned).find(|name| {
            let mut person = self.person.clone();
            let events = person["events"].as_array_mut().expect("a list");
            events.push(json!({ "event": name, "time": at.to_string() }));
            self.is_in(&person, at) != of.why.holds
        })
    }
}

/// What is wrong with why waiting does not help.
fn waiting(of: &Explanation, holds: &dyn Fn(Timestamp) -> Vec<bool>, chance: &mut Chance) -> Result<(), String> {
    let of_now = holds(now());
    match of.waiting {
        None => Ok(()),
        Some(Waiting::Stands { condition }) => {
            let later = among((now(), Timestamp(now().0 + 390 * DAY)), chance);
            match later.into_iter().find(|at| holds(*at)[condition] != of_now[condition]) {
                Some(at) => Err(format!("condition {condition} is otherwise at {at}")),
                None => Ok(()),
            }
        }
        Some(Waiting::Passes { condition, at, last, last_at }) => {
            let before = |at: Timestamp| Timestamp(at.0 - 1);
            let turns = |number: usize, at: Timestamp| holds(before(at))[number] != holds(at)[number];
            match turns(condition, at) && turns(last, last_at) && at <= last_at {
                true => Ok(()),
                false => Err(format!("{:?} is not so", of.waiting)),
            }
        }
    }
}

#[test]
fn what_would_change_an_answer_does_as_long_as_is_said() {
    let asked = std::env::var("SEG_EDGES").ok().and_then(|n| n.parse::<u32>().ok());
    let n_cases = (asked.unwrap_or(20_000) / 10_000).max(2);
    let (n_judged, n_until, n_waiting) = (Cell::new(0_u64), Cell::new(0_u64), Cell::new(0_u64));
    let strategy = (
        proptest::collection::vec(profiles::person(), PEOPLE),
        proptest::collection::vec(sentences::sentence(), SENTENCES),
        any::<u64>(),
    );
    let outcome = runner(n_cases, 17, asked_seed()).run(&strategy, |(profiles, sentences, seed)| {
        let mut chance = Chance(seed | 1);
        let (project, program, _, texts) = program_of(&profiles, &sentences)?;
        let (parses, parts) = (seg::unstable::parse(&project), seg::unstable::parts(&project));
        let texts_of_list = ["a", "DE", "straße"].map(str::to_owned);
        let lists = [("texts.csv".to_owned(), Ok(texts_of_list.into_iter().collect()))].into_iter().collect();
        let names: Vec<String> = program.segment_names().map(str::to_owned).collect();
        for profile in &profiles {
            let person = until_now(profile);
            let batch = batch_of(&person, &program);
            if batch.is_empty() || batch.exists_from(0).is_some_and(|from| now() < from) {
                continue;
            }
            let known = Known::default();
            for (segment, name) in names.iter().enumerate() {
                let text = texts.get(segment).map_or("?", String::as_str);
                let (project, program, batch) = (&project, &program, &batch);
                let of = Explained { project, program, batch, segment: Some(name), person: "0", now: now() };
                let mut explained = seg::explain(of).map_err(|e| TestCaseError::fail(e.to_string()))?;
                let of = explained.segments.remove(0);
                let judge = Judge { person: &person, program, segment, known: &known };
                for trigger in &of.triggers {
                    let judged = judge.trigger(&of, trigger, &mut chance);
                    if let Err(why) = &judged {
                        // Before it is looked for a smaller one, which takes long.
                        eprintln!("{text}\n{person}\n{why}");
                    }
                    prop_assert!(judged.is_ok(), "{text}\n{person}\n{}", judged.unwrap_err());
                    n_judged.set(n_judged.get() + u64::from(judged == Ok(true)));
                    n_until.set(n_until.get() + u64::from(judged == Ok(true) && trigger.until.is_some()));
                }
                let untold = judge.untold(&of);
                prop_assert!(untold.is_none(), "{text}\n{person}\n{untold:?} changes it, and is not told");
                let id = seg::unstable::module(program).run().nth(segment).map(|(id, _)| id);
                let holds = |at: Timestamp| -> Vec<bool> {
                    let explain = Explain {
                        parses: &parses,
                        sources: parts.sources,
                        schema: parts.schema,
                        settings: Settings { ..parts.settings },
                        lists: &lists,
                        module: seg::unstable::module(program),
                        batch,
                        now: at,
                    };
                    let why = explain.why(id.expect("a segment"), 0).expect("a segment");
                    why.conditions().iter().map(|condition| condition.holds).collect()
                };
                let waited = waiting(&of, &holds, &mut chance);
                prop_assert!(waited.is_ok(), "{text}\n{person}\n{}", waited.unwrap_err());
                n_waiting.set(n_waiting.get() + u64::from(of.waiting.is_some()));
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    println!("{} triggers, {} with an end; {} who wait in vain", n_judged.get(), n_until.get(), n_waiting.get());
    assert!(n_judged.get() > 50 && n_until.get() > 1 && n_waiting.get() > 50);
}
