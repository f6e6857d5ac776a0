//! Engines that must give the same answers, stage by stage.

use crate::layout::{any_until, non_canonical, since, without_fields};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_select::concat::concat_batches;
use seg::{Batch, Cancel, Engine, Mask, Options, Program, Timestamp};
use seg_data::{AttributeId, EventId, PropertyId};
use seg_exec::{AccessPolicy, ExecOptions, Jit};
use seg_plan::passes::{PASSES, Pass};
use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::{Arc, Mutex};

/// Something that says who is in which segment. Every implementation must give
/// the same answers on the whole corpus.
pub trait TestEngine {
    /// What it is called in failures.
    fn name(&self) -> &'static str;

    /// One mask a segment.
    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask>;
}

/// By an engine of the test's choice, which must be the one that answers.
fn by(engine: Engine, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
    let options = Options::new().with_engine(engine).with_threads(2);
    let evaluation = program.prepare().evaluate_with(batch, now, &options).expect("the batch keeps the contract");
    assert_eq!(evaluation.engine(), engine, "{}", evaluation.reason());
    evaluation.into_masks()
}

/// The reference evaluator.
pub struct Reference;

impl TestEngine for Reference {
    fn name(&self) -> &'static str {
        "reference evaluator"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
        by(Engine::Evaluator, program, batch, now)
    }
}

/// The plan evaluator.
pub struct Planned;

impl TestEngine for Planned {
    fn name(&self) -> &'static str {
        "plan evaluator"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
        by(Engine::Plan, program, batch, now)
    }
}

/// Native code.
pub struct Native;

impl TestEngine for Native {
    fn name(&self) -> &'static str {
        "native code"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
        by(Engine::Jit, program, batch, now)
    }
}

/// Native code on small slices, then on what is left: where a batch is cut must
/// change nothing.
pub struct Sliced;

impl TestEngine for Sliced {
    fn name(&self) -> &'static str {
        "native code, slice by slice"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
        let schema = program.schema();
        let mut bits: Vec<Vec<bool>> = program.segment_names().map(|_| Vec::new()).collect();
        let mut from = 0;
        // Other cuts for other batches: a slice takes as long to compile as a batch.
        for len in [1 + batch.len() % 9, 2 + batch.len() % 7, usize::MAX] {
            let len = len.min(batch.len() - from);
            if len == 0 {
                break;
            }
            let slice = Batch::new(Arc::clone(schema), batch.records().slice(from, len)).expect("a slice");
            for (bits, mask) in bits.iter_mut().zip(by_kept_code(program, &slice, now, AccessPolicy::Cheapest)) {
                bits.extend((0..len).map(|row| mask.get(row)));
            }
            from += len;
        }
        bits.into_iter().map(Mask::from_bools).collect()
    }
}

/// So many people of a batch are judged a few at a time.
const SLICED: usize = 16;

/// What is kept for a few people at a time, over slices of two layouts in turn.
pub struct FewAtATime;

impl TestEngine for FewAtATime {
    fn name(&self) -> &'static str {
        "a few people at a time"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
        let outlook = program.prepare().outlook();
        let other = non_canonical(batch);
        let mut bits: Vec<Vec<bool>> = program.segment_names().map(|_| Vec::new()).collect();
        let (mut from, mut n_slices) = (0, 0);
        // Until when answers stand takes the time: the first people of each batch are enough.
        while from < batch.len().min(SLICED) {
            let len = (1 + n_slices % 5).min(batch.len() - from);
            let records = if n_slices % 2 == 0 { batch.records() } else { other.records() };
            let slice = Batch::new(Arc::clone(program.schema()), records.slice(from, len)).expect("a slice");
            for standing in outlook.look(&slice, now, &Options::new()).expect("the batch keeps the contract") {
                bits.iter_mut().zip(standing.is_in).for_each(|(bits, is_in)| bits.push(is_in));
            }
            (from, n_slices) = (from + len, n_slices + 1);
        }
        let rest = Batch::new(Arc::clone(program.schema()), batch.records().slice(from, batch.len() - from));
        let rest = outlook.prepared().evaluate(&rest.expect("a slice"), now).expect("the batch keeps the contract");
        for (bits, mask) in bits.iter_mut().zip(rest.masks()) {
            bits.extend((0..batch.len() - from).map(|row| mask.get(row)));
        }
        bits.into_iter().map(Mask::from_bools).collect()
    }
}

/// Native code on the same people in a non-canonical layout.
pub struct NonCanonical;

impl TestEngine for NonCanonical {
    fn name(&self) -> &'static str {
        "native code, on a slice of a batch with null lists over events and repeated texts"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
        by_kept_code(program, &non_canonical(batch), now, AccessPolicy::Cheapest)
    }
}

/// More kernels than this are not kept, for each holds memory.
const KERNELS_MAX: usize = 8_000;

/// Code that is kept from program to program, for kernel templates that are met again.
fn code() -> Arc<Jit> {
    static CODE: Mutex<Option<Arc<Jit>>> = Mutex::new(None);
    let mut code = CODE.lock().expect("nobody fails while holding it");
    Arc::clone(match &mut *code {
        Some(kept) if kept.n_kernels() < KERNELS_MAX => kept,
        none_or_full => none_or_full.insert(Arc::new(Jit::new())),
    })
}

/// By native code, which is kept for what comes after.
fn by_kept_code(program: &Program, batch: &Batch, now: Timestamp, access: AccessPolicy) -> Vec<Mask> {
    program.prepare().check(batch).expect("the batch keeps the contract");
    let threads = NonZero::<usize>::MIN;
    let options = ExecOptions { threads, access, cancel: Cancel::new() };
    let compiled =
        seg_exec::compile(&code(), seg::unstable::plan_of(program), batch, now, &options).expect("native code");
    compiled.evaluate(threads).expect("nobody stops it")
}

/// Native code that reads times and texts in one way alone.
pub struct By(AccessPolicy);

impl TestEngine for By {
    fn name(&self) -> &'static str {
        match self.0 {
            AccessPolicy::Walk => "native code without derived columns",
            AccessPolicy::Column => "native code by columns",
            AccessPolicy::Cheapest => "native code, as is cheapest",
        }
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
        by_kept_code(program, batch, now, self.0)
    }
}

/// Native code on the same people over and over.
pub struct Repeated {
    n_people: usize,
    access: AccessPolicy,
}

impl Repeated {
    /// So many that whole words of them are decided at once.
    pub const WORDS: Repeated = Repeated { n_people: 150, access: AccessPolicy::Column };
    /// So many that a sample of them says in which order conditions are decided.
    pub const LARGE_BATCH: Repeated = Repeated { n_people: 4_200, access: AccessPolicy::Cheapest };
}

impl TestEngine for Repeated {
    fn name(&self) -> &'static str {
        match self.access {
            AccessPolicy::Cheapest => "native code, on a large batch of the same people",
            _ => "native code, on words full of the same people",
        }
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
        let masks = by_kept_code(program, &repeated(batch, self.n_people), now, self.access);
        // Where the copies disagree, none of them is right.
        let mut copies = copies(&masks, batch.len());
        let first = copies.next().expect("one copy at least");
        assert!(copies.all(|copy| copy == first), "one person has different answers");
        first
    }
}

/// The people of a batch over and over, until there are so many.
pub fn repeated(batch: &Batch, n_people: usize) -> Batch {
    let n_copies = n_people.div_ceil(batch.len().max(1));
    let records = concat_batches(&batch.records().schema(), vec![batch.records(); n_copies]).expect("one schema");
    Batch::new(Arc::clone(batch.schema()), records).expect("a batch")
}

/// The masks of each copy of so many people.
pub fn copies(masks: &[Mask], n_people: usize) -> impl Iterator<Item = Vec<Mask>> {
    let n_copies = masks.first().map_or(1, Mask::len) / n_people.max(1);
    (0..n_copies.max(1)).map(move |copy| {
        let of = |mask: &Mask| Mask::from_bools((0..n_people).map(|row| mask.get(copy * n_people + row)));
        masks.iter().map(of).collect()
    })
}

/// Native code, person by person.
pub struct OneByOne;

impl TestEngine for OneByOne {
    fn name(&self) -> &'static str {
        "native code, person by person"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
        let options = Options::new().with_engine(Engine::Jit).without_derived_columns();
        let bound = program.prepare().bind(batch, now, &options).expect("the batch keeps the contract");
        let mut one_by_one = bound.one_by_one().expect("nobody stops it");
        let people: Vec<Vec<bool>> = (0..batch.len()).map(|row| one_by_one.segments(row)).collect();
        let segments = 0..program.segment_names().count();
        segments.map(|at| Mask::from_bools(people.iter().map(|segments| segments[at]))).collect()
    }
}

/// The plan evaluator on a batch without the columns that the plan says it does
/// not read, without events before those it says it looks back to, and with one event of a
/// person where it says that it asks for no more.
pub struct Pruned;

impl TestEngine for Pruned {
    fn name(&self) -> &'static str {
        "plan evaluator, on nothing but what it needs"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
        let schema = program.schema();
        let needs = seg::unstable::needs(program);
        let wanted = program.wanted(now);
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
                let wanted = wanted.events.get(&EventId(at as u32));
                let from = wanted.and_then(|wanted| wanted.since);
                let mut column = from.map_or_else(|| Arc::clone(column), |from| since(column, from));
                if wanted.is_some_and(|wanted| wanted.is_existence) {
                    column = any_until(&column, now);
                }
                columns.push((name.clone(), without_fields(&column, is_kept)));
            } else if attribute.is_none_or(|at| {
                let id = AttributeId(at as u32);
                needs.attributes.contains(&id) || (needs.every_time && schema.first_seen == Some(id))
            }) {
                columns.push((name.clone(), Arc::clone(column)));
            }
        }
        let records = RecordBatch::try_from_iter(columns).expect("the columns that are left");
        let batch = Batch::new(Arc::clone(schema), records).expect("a batch");
        by(Engine::Plan, program, &batch, now)
    }
}

/// The plan evaluator after a single pass, or after none, each verified.
pub struct PassAlone(Option<&'static Pass>);

impl TestEngine for PassAlone {
    fn name(&self) -> &'static str {
        self.0.map_or("the plan as lowered", |pass| pass.name)
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
        let lowered = seg_plan::lower(seg::unstable::module(program));
        let plan = self.0.map_or(lowered.clone(), |pass| (pass.run)(&lowered));
        if let Err(faults) = seg_plan::verify(&plan) {
            panic!("{}: {faults:?}", self.name());
        }
        seg_plan::evaluate(&plan, batch, now)
    }
}

/// The plan evaluator on the plan without what the extent of the data decides.
pub struct Fitted;

impl TestEngine for Fitted {
    fn name(&self) -> &'static str {
        "plan evaluator, on the plan as it fits the data"
    }

    fn evaluate(&self, program: &Program, batch: &Batch, now: Timestamp) -> Vec<Mask> {
        let prepared = program.prepare();
        prepared.check(batch).expect("the batch keeps the contract");
        let plan = seg::unstable::fitted_plan(&prepared, batch, now);
        if let Err(faults) = seg_plan::verify(&plan) {
            panic!("{}: {faults:?}", self.name());
        }
        seg_plan::evaluate(&plan, batch, now)
    }
}

/// Every engine that must agree, in the order of the stages, so that the first
/// that differs is where to look.
pub fn engines() -> Vec<Box<dyn TestEngine>> {
    let mut engines: Vec<Box<dyn TestEngine>> = vec![Box::new(Reference), Box::new(PassAlone(None))];
    engines.extend(PASSES.iter().map(|pass| Box::new(PassAlone(Some(pass))) as Box<dyn TestEngine>));
    let all: [Box<dyn TestEngine>; 11] = [
        Box::new(Planned),
        Box::new(Pruned),
        Box::new(Fitted),
        Box::new(Native),
        Box::new(By(AccessPolicy::Walk)),
        Box::new(By(AccessPolicy::Column)),
        Box::new(OneByOne),
        Box::new(Sliced),
        Box::new(FewAtATime),
        Box::new(NonCanonical),
        Box::new(Repeated::WORDS),
    ];
    engines.extend(all);
    engines
}
