//! A few people at a time, judged by a thousand segments: what `seg live` does many times a
//! second, part by part, as it was done by itself for each batch and as it is done by what is
//! kept from batch to batch.

use super::generate::{self, NOW};
use super::{median_after, settings, suite};
use seg::unstable::io::facts::{FactLayout, Names, PersonFacts, append, people_of_facts, read_facts};
use seg::unstable::{Outlook, Standing};
use seg::{Batch, Engine, Options, Prepared, Project, Schema, Wanted};
use seg_data::{AttributeId, EventId, PropertyId, Value};
use seg_plan::{Edges, PlanEvaluator};
use serde_json::{Map, Value as Json};
use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So many people there are to choose from.
const PEOPLE: usize = 5_000;
/// Sizes of batches.
const BATCHES: [usize; 5] = [1, 10, 25, 100, 1_000];
/// So many people are judged in a sample, in batches.
const PER_SAMPLE: usize = 200;

/// Everybody with the facts that are known of them.
struct Store {
    schema: Arc<Schema>,
    names: Names,
    wanted: Wanted,
    people: Vec<(String, Vec<u8>)>,
}

/// What a part takes, a call.
#[derive(Default)]
struct Parts {
    gather: Duration,
    judge: Duration,
    until: Duration,
}

/// The table.
///
/// # Errors
/// What does not compile.
pub fn measure() -> Result<String, String> {
    let project = Project::from_text(&suite::schema(), [("s.seg", suite::THOUSAND)], settings());
    let program = seg::compile(&project).map_err(|e| e.to_string())?;
    let prepared = program.prepare();
    let start = Instant::now();
    let outlook = prepared.outlook();
    let made = start.elapsed();
    let evaluator = PlanEvaluator::new(Arc::new(seg::unstable::plan_of(&program).clone()));
    let store = Store::of(&project, &prepared)?;
    let layout = FactLayout::of((&store.schema, &store.names), &store.wanted);
    let edges =
        Edges::of(seg::unstable::plan_of(&program), &(0..program.segment_names().count()).collect::<Vec<usize>>());
    let mut text = format!(
        "A thousand segments ({} conditions and values), what is kept is made in {:.1} ms. Microseconds a call, medians.\n\n",
        seg::unstable::plan_of(&program).nodes().len(),
        made.as_secs_f64() * 1e3
    );
    text.push_str(
        "| people | gather | now | ratio | judge by plan | natively | now | ratio | until | now | ratio | all, before | \
         now | ratio |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for n_people in BATCHES {
        agree(&store, &layout, &prepared, &outlook, n_people)?;
        let batches = PER_SAMPLE.div_ceil(n_people).min(50);
        let before = by_itself(&store, &prepared, &edges, (n_people, batches))?;
        let native = natively(&store, &prepared, (n_people, batches))?;
        let now = kept(&store, &layout, (&outlook, &evaluator), (n_people, batches))?;
        let _ = writeln!(text, "{}", row(n_people, &before, native, &now));
    }
    Ok(text)
}

fn row(n_people: usize, before: &Parts, native: Duration, now: &Parts) -> String {
    let us = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e6);
    let ratio = |a: Duration, b: Duration| format!("{:.1}", a.as_secs_f64() / b.as_secs_f64().max(1e-9));
    let whole = |parts: &Parts| parts.gather + parts.judge + parts.until;
    let cells = [
        n_people.to_string(),
        us(before.gather),
        us(now.gather),
        ratio(before.gather, now.gather),
        us(before.judge),
        us(native),
        us(now.judge),
        ratio(before.judge.min(native), now.judge),
        us(before.until),
        us(now.until),
        ratio(before.until, now.until),
        us(whole(before)),
        us(whole(now)),
        ratio(whole(before), whole(now)),
    ];
    format!("| {} |", cells.join(" | "))
}

impl Store {
    /// The facts of generated people, by way of the lines that tell of them.
    fn of(project: &Project, prepared: &Prepared) -> Result<Store, String> {
        let schema = Arc::clone(project.schema());
        let batch = generate::generate(&schema, PEOPLE);
        for column in 0..batch.n_columns() {
            batch.check_column(column).map_err(|e| e.to_string())?;
        }
        let mut names = Names::default();
        names.add(&schema);
        let mut people = Vec::with_capacity(batch.len());
        let mut n_arrived = 0;
        for row in 0..batch.len() {
            let lines: String = lines_of(&batch, row).iter().map(|line| format!("{line}\n")).collect();
            let read = read_facts((&schema, &names), settings().zone, &lines).map_err(|e| e.to_string())?;
            let mut facts = Vec::new();
            for line in read {
                let (Some(fact), time) = (line.fact, line.time.unwrap_or(NOW)) else { continue };
                append(&mut facts, &fact, n_arrived, time);
                n_arrived += 1;
            }
            people.push((batch.id(row).to_owned(), facts));
        }
        let wanted = prepared.program().wanted(NOW).of_all_times();
        Ok(Store { schema, names, wanted, people })
    }

    /// Some people, others for each number.
    fn some(&self, n_people: usize, number: usize) -> Vec<PersonFacts<'_>> {
        let from = number * n_people * 7 + number;
        let at = |n: usize| self.people.get((from + n) % self.people.len());
        (0..n_people).filter_map(at).map(|(id, facts)| PersonFacts { id, facts }).collect()
    }

    fn batch(&self, n_people: usize, number: usize) -> Result<Batch, String> {
        let some = self.some(n_people, number);
        people_of_facts((&self.schema, &self.names), &self.wanted, &[], &some).map_err(|e| e.to_string())
    }

    fn batches(&self, (n_people, n_batches): (usize, usize)) -> Result<Vec<Batch>, String> {
        (0..n_batches).map(|number| self.batch(n_people, number)).collect()
    }
}

/// What is known of a person, a record each.
fn lines_of(batch: &Batch, row: usize) -> Vec<Json> {
    let schema = batch.schema();
    let json = |value: Value| match value {
        Value::Boolean(value) => Json::from(value),
        Value::Integer(value) => Json::from(value as i64),
        other => Json::from(other.to_string()),
    };
    let mut lines = Vec::new();
    let mut own = Map::from_iter([("id".to_owned(), Json::from(batch.id(row)))]);
    for (field, id) in schema.attributes.iter().zip(0..) {
        own.extend(batch.attribute(AttributeId(id), row, NOW).map(|value| (field.name.clone(), json(value))));
    }
    lines.push(Json::Object(own));
    for (event, id) in schema.events.iter().zip(0..) {
        let Some(events) = batch.events(EventId(id)) else { continue };
        for idx in events.range(row) {
            let of = [("id", batch.id(row).to_owned()), ("event", event.name.clone())];
            let time = ("time", events.time(idx).to_string());
            let named = of.into_iter().chain([time]).map(|(name, value)| (name.to_owned(), Json::from(value)));
            let mut line: Map<String, Json> = named.collect();
            for (field, property) in event.properties.iter().zip(0..) {
                line.extend(events.property(PropertyId(property), idx).map(|value| (field.name.clone(), json(value))));
            }
            lines.push(Json::Object(line));
        }
    }
    lines
}

/// What is kept says the same as what is made for each batch.
fn agree(
    store: &Store,
    layout: &FactLayout,
    prepared: &Prepared,
    outlook: &Outlook,
    n_people: usize,
) -> Result<(), String> {
    let text = |e: seg::EvaluateError| e.to_string();
    let batch = store.batch(n_people, 1)?;
    let masks = prepared.evaluate(&batch, NOW).map_err(text)?.into_masks();
    let again = layout.people(&store.names, &[], &store.some(n_people, 1)).map_err(|e| e.to_string())?;
    let standings = outlook.look(&again, NOW, &Options::default()).map_err(text)?;
    let is_same = |(row, standing): (usize, &Standing)| {
        masks.iter().zip(&standing.is_in).all(|(mask, is_in)| mask.get(row) == *is_in)
    };
    match standings.len() == batch.len() && standings.iter().enumerate().all(is_same) {
        true => Ok(()),
        false => Err("what is kept does not say the same\n".to_owned()),
    }
}

/// What each batch takes where nothing is kept but the program, as `seg run` does it.
fn by_itself(
    store: &Store,
    prepared: &Prepared,
    edges: &Edges,
    (n_people, n_batches): (usize, usize),
) -> Result<Parts, String> {
    let batches = store.batches((n_people, n_batches))?;
    // As few people as it takes to know: this is slow.
    let until = edges_of(&batches, edges);
    let options = Options::new().with_engine(Engine::Plan);
    Ok(Parts {
        gather: a_call(n_batches, |number| store.batch(n_people, number).map(|batch| batch.len())),
        judge: a_call(n_batches, |number| {
            batches.get(number).map(|batch| prepared.evaluate_with(batch, NOW, &options).is_ok())
        }),
        until: until * n_people as u32,
    })
}

/// Until when the answers stand for a person, the way that was, a person.
fn edges_of(batches: &[Batch], edges: &Edges) -> Duration {
    let mut people = batches.iter().flat_map(|batch| (0..batch.len()).map(move |row| (batch, row)));
    let mut walk = edges.walk();
    let mut times: Vec<Duration> = (0..15)
        .filter_map(|_| people.next())
        .map(|(batch, row)| {
            let start = Instant::now();
            black_box(walk.first_change(batch, row, NOW));
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The same natively, where code was compiled before.
fn natively(store: &Store, prepared: &Prepared, of: (usize, usize)) -> Result<Duration, String> {
    let batches = store.batches(of)?;
    let options = Options::new().with_engine(Engine::Jit);
    let judge = |number: usize| batches.get(number).map(|batch| prepared.evaluate_with(batch, NOW, &options).is_ok());
    (0..batches.len()).for_each(|number| {
        judge(number);
    });
    Ok(a_call(batches.len(), judge))
}

/// What each batch takes with what is kept.
fn kept(
    store: &Store,
    layout: &FactLayout,
    (outlook, evaluator): (&Outlook, &PlanEvaluator),
    of: (usize, usize),
) -> Result<Parts, String> {
    let (n_people, n_batches) = of;
    let batches = store.batches(of)?;
    let options = Options::default();
    let judge = a_call(n_batches, |number| batches.get(number).map(|batch| segments(evaluator, batch)));
    let whole = a_call(n_batches, |number| batches.get(number).map(|batch| outlook.look(batch, NOW, &options).is_ok()));
    let gather = a_call(n_batches, |number| {
        layout.people(&store.names, &[], &store.some(n_people, number)).map(|batch| batch.len()).ok()
    });
    Ok(Parts { gather, judge, until: whole.saturating_sub(judge) })
}

/// How many memberships the people of a batch have.
fn segments(evaluator: &PlanEvaluator, batch: &Batch) -> usize {
    let known = batch.as_of(NOW);
    let mut evaluated = evaluator.over(&known, NOW);
    (0..batch.len()).map(|row| evaluated.segments(row).iter().filter(|is_in| **is_in).count()).sum()
}

/// What one of some calls takes.
fn a_call<T>(n_calls: usize, mut call: impl FnMut(usize) -> T) -> Duration {
    let all = median_after(|| {}, || (0..n_calls).for_each(|number| drop(black_box(call(number)))));
    all / n_calls.max(1) as u32
}
