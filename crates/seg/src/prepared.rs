//! Programs ready to run over batch after batch, and over one batch bound to them.

use crate::compile::Program;
use crate::engine::{self, Engine, Reason};
use crate::error::EvaluateError;
use crate::evaluation::Evaluation;
use crate::native::{Compiled, Failure, Native};
use crate::options::Options;
use seg_data::batch::{BatchError, BatchProblem, ID_COLUMN};
use seg_data::{Batch, Mask, Timestamp, parallel};
use seg_hir::Evaluator;
use seg_plan::{Cost, Plan, Statistics};
use std::sync::Arc;

/// People who are looked at together where an engine cannot stop in between; a
/// multiple of 64.
const CHUNK: usize = 2_048;

/// So many instants are evaluated in one pass: what is compiled for each is kept
/// until the pass is over.
const INSTANTS: usize = 16;

/// A program with the native code that it has so far. Owned and cheap to clone: a
/// server may keep one for days and use it from many threads, each with batches of
/// its own; what one compiles serves all.
#[derive(Debug, Clone)]
pub struct Prepared {
    program: Program,
    native: Arc<Native>,
    /// Whether a kernel of the plan evaluator is part of it, which goes over whole
    /// columns.
    has_kernels: bool,
}

impl Program {
    /// Makes the program ready to run. What depends on the program alone is made
    /// here, once; native code is added as batches need it.
    pub fn prepare(&self) -> Prepared {
        let native = Arc::new(Native::new(self.plan()));
        let has_kernels = self.plan().nodes().iter().any(|node| node.kernel().is_some());
        Prepared { program: self.clone(), native, has_kernels }
    }
}

impl Prepared {
    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Who of a batch is in each segment as of an instant, with [`Options::default`].
    ///
    /// # Errors
    /// See [`EvaluateError`]; there is no part of an answer.
    pub fn evaluate(&self, batch: &Batch, now: Timestamp) -> Result<Evaluation, EvaluateError> {
        self.evaluate_with(batch, now, &Options::default())
    }

    /// The same as the caller wants it. Where native code cannot be had, the plan
    /// evaluator gives the answer, and [`Evaluation::reason`] says so.
    ///
    /// # Errors
    /// See [`EvaluateError`]; there is no part of an answer.
    pub fn evaluate_with(&self, batch: &Batch, now: Timestamp, options: &Options) -> Result<Evaluation, EvaluateError> {
        self.bind(batch, now, options)?.evaluate()
    }

    /// Binds the program to a batch as of an instant: checks the columns that its
    /// segments read (one that was checked before is not checked again), and
    /// compiles what code is new.
    ///
    /// # Errors
    /// See [`EvaluateError`].
    pub fn bind(&self, batch: &Batch, now: Timestamp, options: &Options) -> Result<BoundProgram, EvaluateError> {
        self.check(batch)?;
        if options.refuses_missing
            && let Some(column) = self.program.needs().missing(batch)
        {
            return Err(BatchError { column, problem: BatchProblem::Missing }.into());
        }
        let now = now.in_range()?;
        if let Some(max_cost) = options.max_cost {
            let cost = self.cost(batch, now)?;
            if cost > max_cost {
                return Err(EvaluateError::CostLimitExceeded { cost, max_cost });
            }
        }
        let (engine, mut reason) = engine::choose(self.program.plan(), batch.len(), options.engine);
        // Kernels of the plan evaluator go over whole columns, and the evaluators cannot be
        // stopped, so who may be cancelled gives each few people at a time.
        let is_cut = options.cancel.is_some() && (engine != Engine::Jit || self.has_kernels);
        let how = match engine {
            _ if is_cut => How::InChunks(engine, batch.clone()),
            Engine::Evaluator => How::Evaluator(batch.clone()),
            Engine::Plan => How::Plan(batch.clone()),
            Engine::Jit => match self.native.compile(batch, now, options) {
                Ok(compiled) => How::Native(Box::new(compiled)),
                Err(Failure::Cancelled) => return Err(EvaluateError::Cancelled),
                Err(Failure::Unavailable(why)) => {
                    reason = Reason::NoNativeCode(why);
                    match options.cancel {
                        Some(_) => How::InChunks(Engine::Plan, batch.clone()),
                        None => How::Plan(batch.clone()),
                    }
                }
            },
        };
        Ok(BoundProgram { prepared: self.clone(), now, options: options.clone(), how, reason })
    }

    /// Checks the columns of a batch that the segments read, and no others.
    ///
    /// # Errors
    /// The first of them that breaks the batch contract, or a batch that was made
    /// for another schema.
    pub fn check(&self, batch: &Batch) -> Result<(), BatchError> {
        let schema = self.program.schema();
        if !Arc::ptr_eq(schema, batch.schema()) && schema != batch.schema() {
            return Err(BatchError { column: ID_COLUMN.to_owned(), problem: BatchProblem::OtherSchema });
        }
        self.program.needs().check(batch)
    }

    /// What evaluating a batch is expected to cost, from how much data there is;
    /// nothing is run for it.
    ///
    /// # Errors
    /// A batch that breaks the contract, or an instant out of range.
    pub fn cost(&self, batch: &Batch, now: Timestamp) -> Result<Cost, EvaluateError> {
        self.check(batch)?;
        Ok(seg_plan::cost(self.program.plan(), &Statistics::of(batch, now.in_range()?)))
    }

    /// The plan as it runs over a batch: without what the extent of its events
    /// decides.
    pub(crate) fn fitted_plan(&self, batch: &Batch, now: Timestamp) -> Plan {
        seg_plan::fit_to_data(self.program.plan(), &Statistics::of(batch, now)).into_owned()
    }

    /// How native code decides each condition of the fitted plan; or why there is
    /// none.
    pub(crate) fn physical(&self, batch: &Batch, now: Timestamp) -> Result<String, Failure> {
        self.native.compile(batch, now, &Options::new()).map(|compiled| compiled.physical())
    }

    /// How many people are in each segment at each of some instants: for each
    /// instant a size a segment. Native code makes one pass over the people for
    /// several instants.
    ///
    /// # Errors
    /// See [`EvaluateError`]; [`Options::with_max_cost`] is compared with the cost
    /// of all of them.
    pub fn sizes_at(
        &self,
        batch: &Batch,
        instants: &[Timestamp],
        options: &Options,
    ) -> Result<Vec<Vec<u64>>, EvaluateError> {
        self.check(batch)?;
        let instants = instants.iter().map(|now| now.in_range()).collect::<Result<Vec<_>, _>>()?;
        if let (Some(max_cost), Some(last)) = (options.max_cost, instants.last()) {
            let cost = Cost(self.cost(batch, *last)?.0.saturating_mul(instants.len() as u32));
            if cost > max_cost {
                return Err(EvaluateError::CostLimitExceeded { cost, max_cost });
            }
        }
        let options = Options { max_cost: None, ..options.clone() };
        let (engine, _) = engine::choose(self.program.plan(), batch.len(), options.engine);
        let mut sizes = Vec::with_capacity(instants.len());
        for instants in instants.chunks(INSTANTS) {
            let together = match engine {
                Engine::Jit if !self.has_kernels => self.native.sizes(batch, instants, &options),
                Engine::Jit | Engine::Plan | Engine::Evaluator => Err(Failure::Unavailable(String::new())),
            };
            match together {
                Ok(together) => sizes.extend(together),
                Err(Failure::Cancelled) => return Err(EvaluateError::Cancelled),
                Err(Failure::Unavailable(_)) => {
                    for now in instants {
                        let evaluation = self.evaluate_with(batch, *now, &options)?;
                        sizes.push(evaluation.masks().iter().map(|mask| mask.count() as u64).collect());
                    }
                }
            }
        }
        Ok(sizes)
    }
}

/// A program bound to a batch as of an instant, to be run as often as wanted. Keeps
/// what it reads of the batch alive.
#[derive(Debug)]
pub struct BoundProgram {
    prepared: Prepared,
    now: Timestamp,
    options: Options,
    how: How,
    reason: Reason,
}

/// What evaluates.
#[derive(Debug)]
enum How {
    Evaluator(Batch),
    Plan(Batch),
    Native(Box<Compiled>),
    /// An engine that is given few people at a time, so that it can be stopped.
    InChunks(Engine, Batch),
}

impl BoundProgram {
    /// Who is in each segment.
    ///
    /// # Errors
    /// That it was cancelled.
    pub fn evaluate(&self) -> Result<Evaluation, EvaluateError> {
        self.evaluate_into(Vec::new())
    }

    /// The same in the memory of the masks of an earlier evaluation, whatever they
    /// say: for whoever evaluates over and over.
    ///
    /// # Errors
    /// That it was cancelled.
    pub fn evaluate_into(&self, mut masks: Vec<Mask>) -> Result<Evaluation, EvaluateError> {
        let program = &self.prepared.program;
        let (engine, reason) = match &self.how {
            How::Evaluator(batch) => {
                masks = Evaluator::new(program.module(), self.now).evaluate(batch);
                (Engine::Evaluator, self.reason.clone())
            }
            How::Plan(batch) => {
                masks = seg_plan::evaluate(program.plan(), batch, self.now);
                (Engine::Plan, self.reason.clone())
            }
            How::Native(compiled) => {
                if !compiled.evaluate_into(self.options.threads, &mut masks) {
                    return Err(EvaluateError::Cancelled);
                }
                (Engine::Jit, self.reason.clone())
            }
            How::InChunks(engine, batch) => return self.in_chunks(*engine, batch),
        };
        Ok(Evaluation::new(program, masks, engine, reason))
    }

    /// The answer, a few people at a time. Where another engine than the one that was
    /// meant answered for some of them, that is said.
    fn in_chunks(&self, engine: Engine, batch: &Batch) -> Result<Evaluation, EvaluateError> {
        let n_people = batch.len();
        let options = Options::new().with_engine(engine);
        let is_cancelled = || self.options.cancel.as_ref().is_some_and(seg_data::Cancel::is_cancelled);
        let chunk = |first: usize| {
            if is_cancelled() {
                return Err(EvaluateError::Cancelled);
            }
            let records = batch.records().slice(first, CHUNK.min(n_people - first));
            let part = Batch::new(Arc::clone(batch.schema()), records)?;
            self.prepared.evaluate_with(&part, self.now, &options)
        };
        let per_thread = parallel::share_len(n_people, self.options.threads, CHUNK).next_multiple_of(CHUNK);
        let stretches = parallel::map_ranges(n_people, per_thread, |people| {
            people.step_by(CHUNK).map(chunk).collect::<Result<Vec<Evaluation>, EvaluateError>>()
        });
        if is_cancelled() {
            return Err(EvaluateError::Cancelled);
        }
        let parts: Vec<Evaluation> = stretches.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
        let n_segments = self.prepared.program.segment_names().count();
        let words = |segment: usize| {
            let masks = parts.iter().filter_map(|part| part.masks().get(segment));
            masks.flat_map(|mask| mask.words().iter().copied()).collect()
        };
        let masks = (0..n_segments).map(|segment| Mask::from_words(words(segment), n_people)).collect();
        let other = parts.iter().find(|part| part.engine() != engine);
        let (engine, reason) =
            other.map_or((engine, self.reason.clone()), |part| (part.engine(), part.reason().clone()));
        Ok(Evaluation::new(&self.prepared.program, masks, engine, reason))
    }

    /// For one person at a time, each of which takes microseconds.
    ///
    /// # Errors
    /// That it was cancelled.
    pub fn one_by_one(&self) -> Result<OneByOne<'_>, EvaluateError> {
        let people = match &self.how {
            How::Native(compiled) => People::Native(Box::new(compiled.one_by_one())),
            How::Evaluator(_) | How::Plan(_) | How::InChunks(..) => People::Masks(self.evaluate()?.into_masks()),
        };
        Ok(OneByOne { people })
    }
}

/// Decides for people one by one, with memory that it uses again.
#[derive(Debug)]
pub struct OneByOne<'b> {
    people: People<'b>,
}

#[derive(Debug)]
enum People<'b> {
    Native(Box<crate::native::OneByOne<'b>>),
    Masks(Vec<Mask>),
}

impl OneByOne<'_> {
    /// Whether the person of a row is in each segment, in the order of
    /// [`Program::segment_names`]; in none past the end.
    pub fn segments(&mut self, row: usize) -> Vec<bool> {
        match &mut self.people {
            People::Native(native) => native.segments(row),
            People::Masks(masks) => masks.iter().map(|mask| mask.get(row)).collect(),
        }
    }
}
