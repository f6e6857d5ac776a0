//! Evaluations that may be refused beforehand and stopped on the way.

use crate::bound::{Bound, Evaluation, Options};
use crate::engine::{self, Engine, Reason};
use seg_data::batch::BatchError;
use seg_data::{Batch, Cancel, Instant, Mask};
use seg_exec::{AccessPolicy, ExecOptions, JitError};
use seg_plan::{Cost, Statistics};
use std::fmt;
use std::num::NonZero;
use std::sync::Arc;

/// People who are looked at together where an engine cannot stop in between; a
/// multiple of 64.
const CHUNK: usize = 2_048;

/// What an evaluation may cost, and how it is stopped.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// It is refused when it is expected to cost more.
    pub max_cost: Option<Cost>,
    /// Stops it within 50 ms, from any thread.
    pub cancel: Cancel,
}

/// Why an evaluation gave no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Stopped {
    /// It was expected to cost more than it may.
    TooDear {
        /// What it was expected to cost.
        cost: Cost,
        /// What it may cost.
        max_cost: Cost,
    },
    /// Somebody cancelled it.
    Cancelled,
    /// A part of the batch breaks the contract.
    Batch(BatchError),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stopped::TooDear { cost, max_cost } => {
                write!(f, "the segments would take about {cost} of one processor, and may take {max_cost}")
            }
            Stopped::Cancelled => write!(f, "it was cancelled"),
            Stopped::Batch(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Stopped {}

impl Bound<'_> {
    /// What evaluating at `now` is expected to cost, from how much data there is;
    /// nothing is run for it.
    pub fn cost(&self, now: Instant) -> Cost {
        seg_plan::cost(self.program.plan(), &Statistics::of(self.batch, now))
    }

    /// Who is in each segment, unless that is too dear or cancelled.
    ///
    /// # Errors
    /// [`Stopped`] says why; there is no part of an answer.
    pub fn evaluate_within(&self, options: Options, limits: &Limits, now: Instant) -> Result<Evaluation, Stopped> {
        if let Some(max_cost) = limits.max_cost {
            let cost = self.cost(now);
            if cost > max_cost {
                return Err(Stopped::TooDear { cost, max_cost });
            }
        }
        let (program, batch) = (self.program, self.batch);
        let (engine, reason) = engine::choose(program.plan(), batch.len(), options.engine);
        // Precompiled kernels go over whole columns, and the evaluators cannot be
        // stopped, so each is given few people at a time.
        let has_kernels = program.plan().nodes().iter().any(|node| node.kernel().is_some());
        if engine != Engine::Jit || has_kernels {
            let evaluated = self.in_chunks(engine, options.threads, &limits.cancel, now)?;
            return Ok(Evaluation { reason: evaluated.1.unwrap_or(reason), engine, masks: evaluated.0 });
        }
        let cancel = limits.cancel.clone();
        let exec = ExecOptions { threads: options.threads, access: AccessPolicy::Cheapest, cancel };
        let bound = seg_exec::compile(program.jit(), program.plan(), batch, now, &exec).map(|bound| {
            let mut masks = Vec::new();
            bound.evaluate_into(options.threads, &mut masks).map(|()| masks)
        });
        match bound.and_then(|masks| masks) {
            Ok(masks) => Ok(Evaluation { masks, engine, reason }),
            Err(JitError::Cancelled) => Err(Stopped::Cancelled),
            Err(error) => {
                let (masks, _) = self.in_chunks(Engine::Plan, options.threads, &limits.cancel, now)?;
                Ok(Evaluation { masks, engine: Engine::Plan, reason: Reason::NoNativeCode(error) })
            }
        }
    }

    /// The masks, a few people at a time, and why native code was not used where
    /// it could not be.
    fn in_chunks(
        &self,
        engine: Engine,
        threads: NonZero<usize>,
        cancel: &Cancel,
        now: Instant,
    ) -> Result<(Vec<Mask>, Option<Reason>), Stopped> {
        let n_people = self.batch.len();
        let per_thread = n_people.div_ceil(threads.get()).next_multiple_of(CHUNK).max(CHUNK);
        let options = Options { engine: Some(engine), ..Options::default() };
        let chunk = |first: usize| {
            if cancel.is_cancelled() {
                return Err(Stopped::Cancelled);
            }
            let records = self.batch.records().slice(first, CHUNK.min(n_people - first));
            let part = Batch::new(Arc::clone(self.batch.schema()), records).map_err(Stopped::Batch)?;
            Ok(self.program.bind(&part).map_err(Stopped::Batch)?.evaluate_with(options, now))
        };
        let stretch = |from: usize| -> Result<Vec<Evaluation>, Stopped> {
            (from..n_people.min(from + per_thread)).step_by(CHUNK).map(chunk).collect()
        };
        let stretches: Vec<Result<Vec<Evaluation>, Stopped>> = std::thread::scope(|scope| {
            let starts = (0..n_people).step_by(per_thread);
            let threads: Vec<_> = starts.map(|from| scope.spawn(move || stretch(from))).collect();
            threads.into_iter().map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        let parts: Vec<Evaluation> =
            stretches.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let n_segments = self.program.segment_names().count();
        let words = |segment: usize| {
            let masks = parts.iter().filter_map(|part| part.masks.get(segment));
            masks.flat_map(|mask| mask.words().iter().copied()).collect()
        };
        let masks = (0..n_segments).map(|segment| Mask::from_words(words(segment), n_people)).collect();
        let other = parts.into_iter().find(|part| part.engine != engine).map(|part| part.reason);
        Ok((masks, other))
    }
}
