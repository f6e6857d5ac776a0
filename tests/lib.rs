//! What the tests of this package share: engines, schemas, and people written
//! down as JSON.

pub mod docs;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_schema::Field;
use seg::io::manifest::{Data, EventFiles, ProfileFiles};
use seg::plan::passes::{PASSES, Pass};
use seg::{Batch, Engine, Instant, Mask, Options, Program, Schema, Zone};
use seg_data::{AttributeId, EventId, PropertyId};
use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Something that says who is in which segment. Every implementation must give
/// the same answers on the whole corpus.
pub trait TestEngine {
    /// What it is called in failures.
    fn name(&self) -> &'static str;

    /// One mask a segment.
    fn evaluate(&self, program: &Program, batch: &Batch, now: Instant) -> Vec<Mask>;
}

/// By an engine of the test's choice, which must be the one that answers.
fn by(engine: Engine, program: &Program, batch: &Batch, now: Instant) -> Vec<Mask> {
    let bound = program.bind(batch).expect("the batch keeps the contract");
    let options = Options { engine: Some(engine), threads: NonZero::new(2).expect("two") };
    let evaluation = bound.evaluate_with(options, now);
    assert_eq!(evaluation.engine, engine, "{}", evaluation.reason);
    evaluation.masks
}

/// The reference evaluator.
pub struct Reference;

impl TestEngine for Reference {
    fn name(&self) -> &'static str {
        "reference evaluator"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Instant) -> Vec<Mask> {
        by(Engine::Evaluator, program, batch, now)
    }
}

/// The plan evaluator.
pub struct Planned;

impl TestEngine for Planned {
    fn name(&self) -> &'static str {
        "plan evaluator"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Instant) -> Vec<Mask> {
        by(Engine::Plan, program, batch, now)
    }
}

/// Native code.
pub struct Native;

impl TestEngine for Native {
    fn name(&self) -> &'static str {
        "native code"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Instant) -> Vec<Mask> {
        by(Engine::Jit, program, batch, now)
    }
}

/// Native code on one profile at a time, each a slice of the batch:
/// where a batch is cut must change nothing.
pub struct Sliced;

impl TestEngine for Sliced {
    fn name(&self) -> &'static str {
        "native code, a slice a profile"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Instant) -> Vec<Mask> {
        let schema = Arc::clone(program.schema());
        let slices: Vec<Vec<Mask>> = (0..batch.len())
            .map(|row| {
                let slice = Batch::try_new(Arc::clone(&schema), batch.records().slice(row, 1)).expect("a slice");
                by(Engine::Jit, program, &slice, now)
            })
            .collect();
        let n_segments = program.segment_names().count();
        let bits = |segment: usize| slices.iter().map(move |masks| masks[segment].get(0));
        (0..n_segments).map(|segment| Mask::from_bools(bits(segment))).collect()
    }
}

/// The plan evaluator on a batch without the columns that the plan says it does
/// not read.
pub struct Pruned;

impl TestEngine for Pruned {
    fn name(&self) -> &'static str {
        "plan evaluator, on nothing but what it needs"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Instant) -> Vec<Mask> {
        let schema = program.schema();
        let needs = program.needs();
        let mut columns: Vec<(String, ArrayRef)> = Vec::new();
        for (field, column) in batch.records().schema().fields().iter().zip(batch.records().columns()) {
            let name = field.name();
            let attribute = schema.attributes.iter().position(|a| a.name == *name);
            let event = schema.events.iter().position(|e| e.name == *name);
            if let Some(at) = event {
                let properties = match needs.events.get(&EventId(at as u32)) {
                    Some(event) => event.properties.clone(),
                    None if needs.every_time => BTreeSet::new(),
                    None => continue,
                };
                let event = &schema.events[at];
                let is_kept = |field: &str| {
                    let property = event.properties.iter().position(|p| p.name == field);
                    property.is_none_or(|p| properties.contains(&PropertyId(p as u32)))
                        || schema.event_id.as_deref() == Some(field)
                };
                columns.push((name.clone(), without_fields(column, is_kept)));
            } else if attribute.is_none_or(|at| needs.attributes.contains(&AttributeId(at as u32))) {
                columns.push((name.clone(), Arc::clone(column)));
            }
        }
        let records = RecordBatch::try_from_iter(columns).expect("the columns that are left");
        let batch = Batch::try_new(Arc::clone(schema), records).expect("a batch");
        by(Engine::Plan, program, &batch, now)
    }
}

/// A column of events without some of its fields.
fn without_fields(column: &ArrayRef, is_kept: impl Fn(&str) -> bool) -> ArrayRef {
    let list = column.as_list::<i32>();
    let rows = list.values().as_struct();
    let kept = rows.fields().iter().zip(rows.columns()).filter(|(f, _)| is_kept(f.name()));
    let (fields, arrays): (Vec<_>, Vec<_>) = kept.map(|(f, a)| (Arc::clone(f), Arc::clone(a))).unzip();
    let rows = StructArray::new(fields.into(), arrays, rows.nulls().cloned());
    let item = Arc::new(Field::new("item", rows.data_type().clone(), false));
    Arc::new(ListArray::new(item, list.offsets().clone(), Arc::new(rows), list.nulls().cloned()))
}

/// The plan evaluator after a single pass, or after none, each verified.
pub struct PassAlone(Option<&'static Pass>);

impl TestEngine for PassAlone {
    fn name(&self) -> &'static str {
        self.0.map_or("the plan as lowered", |pass| pass.name)
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Instant) -> Vec<Mask> {
        let lowered = seg::plan::lower(program.module());
        let plan = self.0.map_or(lowered.clone(), |pass| (pass.run)(&lowered));
        if let Err(faults) = seg::plan::verify(&plan) {
            panic!("{}: {faults:?}", self.name());
        }
        seg::plan::evaluate(&plan, batch, now)
    }
}

/// Every engine that must agree.
pub fn engines() -> Vec<Box<dyn TestEngine>> {
    let mut engines: Vec<Box<dyn TestEngine>> = vec![
        Box::new(Reference),
        Box::new(Planned),
        Box::new(Native),
        Box::new(Sliced),
        Box::new(Pruned),
        Box::new(PassAlone(None)),
    ];
    engines.extend(PASSES.iter().map(|pass| Box::new(PassAlone(Some(pass))) as Box<dyn TestEngine>));
    engines
}

/// The top of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is inside the repository").to_owned()
}

/// The text of a schema of `tests/schemas`, or of an example.
pub fn schema_text(name: &str) -> String {
    let ours = root().join("tests/schemas").join(format!("{name}.toml"));
    let example = root().join("examples").join(name).join("schema.toml");
    let path = if ours.exists() { ours } else { example };
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// People from lines of JSON: `{"id": "ann", "country": "DE", "events": [{"event":
/// "Order Completed", "time": "3 days ago", "amount": 5}]}`. Times may be said
/// as so long before `now`, with `+ 1 us` or `- 1 us` behind.
pub fn people(lines: &str, schema: &Arc<Schema>, zone: Option<Zone>, now: Instant) -> Batch {
    let mut profiles = String::new();
    let mut events = String::new();
    for line in lines.lines().filter(|l| !l.trim().is_empty()) {
        let mut person: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line}"));
        let id = person.get("id").cloned().expect("every person has an id");
        for event in person.remove("events").and_then(|e| e.as_array().cloned()).unwrap_or_default() {
            let mut event = event.as_object().cloned().expect("an event is an object");
            event.insert("id".into(), id.clone());
            resolve_times(&mut event, now);
            events.push_str(&format!("{}\n", serde_json::Value::Object(event)));
        }
        resolve_times(&mut person, now);
        profiles.push_str(&format!("{}\n", serde_json::Value::Object(person)));
    }
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("profiles.ndjson"), profiles).expect("written");
    std::fs::write(dir.path().join("events.ndjson"), events).expect("written");
    let data = Data {
        profiles: Some(ProfileFiles { files: vec!["profiles.ndjson".into()], id: "id".into() }),
        events: Some(EventFiles {
            files: vec!["events.ndjson".into()],
            id: "id".into(),
            event: "event".into(),
            time: "time".into(),
        }),
    };
    // A person without events leaves an empty file, which has no columns.
    let data = if std::fs::metadata(dir.path().join("events.ndjson")).is_ok_and(|m| m.len() == 0) {
        Data { events: None, ..data }
    } else {
        data
    };
    let loaded = seg::io::load(dir.path(), &data, schema, zone, &mut |_| {}).expect("the people are read");
    let harmless = [seg::io::ProblemKind::RequiredMissing, seg::io::ProblemKind::RepeatedEvent];
    let problems: Vec<_> = loaded.report.problems.iter().filter(|p| !harmless.contains(&p.kind)).collect();
    assert!(problems.is_empty(), "{problems:?}");
    loaded.batch
}

/// Replaces texts such as `90 minutes ago` by the instant they mean.
fn resolve_times(object: &mut serde_json::Map<String, serde_json::Value>, now: Instant) {
    for value in object.values_mut() {
        if let Some(instant) = value.as_str().and_then(|text| relative(text, now)) {
            *value = instant.to_string().into();
        }
    }
}

fn relative(text: &str, now: Instant) -> Option<Instant> {
    let (age, off) = match text.split_once(" ago") {
        Some((age, off)) => (age, off.trim()),
        None => (text.strip_prefix("now")?, ""),
    };
    let off = match off {
        "" => 0,
        "+ 1 us" => 1,
        "- 1 us" => -1,
        other => panic!("`{other}` after `ago`"),
    };
    if age.trim().is_empty() {
        return Some(Instant(now.0 + off));
    }
    let (count, unit) = age.split_once(' ')?;
    let count: i64 = count.parse().ok()?;
    let micros = match unit.trim_end_matches('s') {
        "second" => 1_000_000,
        "minute" => 60_000_000,
        "hour" => 3_600_000_000,
        "day" => 86_400_000_000,
        _ => return None,
    };
    Some(Instant(now.0 - count * micros + off))
}
