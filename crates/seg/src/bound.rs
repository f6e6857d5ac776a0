//! Programs bound to batches.

use crate::compile::Program;
use crate::engine::{self, Engine, Reason};
use seg_data::batch::{BatchError, BatchProblem, ID_COLUMN};
use seg_data::{Batch, Cancel, Instant, Mask};
use seg_exec::{AccessPolicy, ExecOptions};
use seg_hir::Evaluator;
use seg_hir::hir::SegmentId;
use std::num::NonZero;
use std::sync::Arc;

/// How to evaluate, where the default will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The engine; none leaves the choice to Seg.
    pub engine: Option<Engine>,
    /// How many threads native code may use.
    pub threads: NonZero<usize>,
}

impl Default for Options {
    /// Seg's own choice, on the caller's thread alone.
    fn default() -> Options {
        Options { engine: None, threads: NonZero::<usize>::MIN }
    }
}

impl Program {
    /// Binds the program to a batch: checks the columns that its segments read,
    /// and no others. A column that was checked before is not checked again.
    ///
    /// # Errors
    /// The first of those columns that breaks the batch contract, or a batch
    /// that was made for another schema.
    pub fn bind<'a>(&'a self, batch: &'a Batch) -> Result<Bound<'a>, BatchError> {
        if !Arc::ptr_eq(self.schema(), batch.schema()) && self.schema() != batch.schema() {
            return Err(BatchError { column: ID_COLUMN.to_owned(), problem: BatchProblem::OtherSchema });
        }
        self.needs().check(batch)?;
        Ok(Bound { program: self, batch })
    }
}

/// A program and a batch whose columns it may trust.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    pub(crate) program: &'a Program,
    pub(crate) batch: &'a Batch,
}

/// Who is in, and who said so.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// One mask a segment, in the order of [`Program::segment_names`].
    pub masks: Vec<Mask>,
    /// What evaluated them.
    pub engine: Engine,
    /// Why that.
    pub reason: Reason,
}

impl Evaluation {
    /// The segment that each person goes to, as a place in
    /// [`Program::segment_names`]: the first of the project's order of
    /// precedence that they are in. `None` for a project without such an order.
    pub fn winners(&self, program: &Program) -> Option<Vec<Option<usize>>> {
        let module = program.module();
        if module.precedence.is_empty() {
            return None;
        }
        let place = |id: &SegmentId| module.run().position(|(run, _)| run == *id);
        let order: Vec<usize> = module.precedence.iter().filter_map(place).collect();
        let n_people = self.masks.first().map_or(0, Mask::len);
        let is_in = |at: usize, row: usize| self.masks.get(at).is_some_and(|mask| mask.get(row));
        Some((0..n_people).map(|row| order.iter().copied().find(|at| is_in(*at, row))).collect())
    }
}

impl Bound<'_> {
    /// Who is in each segment, judged at `now`, by the engine that fits.
    pub fn evaluate(&self, now: Instant) -> Evaluation {
        self.evaluate_with(Options::default(), now)
    }

    /// The same as the caller wants it. Where native code cannot be had, the
    /// plan evaluator gives the answer, and the reason says so.
    pub fn evaluate_with(&self, options: Options, now: Instant) -> Evaluation {
        self.evaluate_again(options, now, Vec::new())
    }

    /// The same in the memory of the masks of an earlier evaluation, whatever
    /// they say: for whoever evaluates over and over.
    pub fn evaluate_again(&self, options: Options, now: Instant, mut masks: Vec<Mask>) -> Evaluation {
        let (program, batch) = (self.program, self.batch);
        let (engine, reason) = engine::choose(program.plan(), batch.len(), options.engine);
        let by_plan = |reason| {
            let masks = seg_plan::evaluate(program.plan(), batch, now);
            Evaluation { masks, engine: Engine::Plan, reason }
        };
        let exec = ExecOptions { threads: options.threads, access: AccessPolicy::Cheapest, cancel: Cancel::new() };
        match engine {
            Engine::Evaluator => {
                let masks = Evaluator::new(program.module(), now).evaluate(batch);
                Evaluation { masks, engine, reason }
            }
            Engine::Plan => by_plan(reason),
            Engine::Jit => match seg_exec::compile(program.jit(), program.plan(), batch, now, &exec) {
                Ok(bound) => match bound.evaluate_into(options.threads, &mut masks) {
                    Ok(()) => Evaluation { masks, engine, reason },
                    Err(error) => by_plan(Reason::NoNativeCode(error)),
                },
                Err(error) => by_plan(Reason::NoNativeCode(error)),
            },
        }
    }
}
