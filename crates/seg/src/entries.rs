//! Other ways into a program than masks of everybody at one instant.

use crate::bound::{Bound, Options};
use crate::engine::{self, Engine};
use crate::limits::{Limits, Stopped};
use seg_data::{Instant, Mask};
use seg_exec::{AccessPolicy, CompiledPlan, ExecOptions, JitError, SizesError};
use seg_plan::{Plan, Statistics};
use std::borrow::Cow;

/// So many instants are judged in one pass: what is derived for each is kept
/// until the pass is over.
const INSTANTS: usize = 16;

impl Bound<'_> {
    /// How many people are in each segment at each of some instants, by the same
    /// program: for each instant a size a segment. Native code makes one pass over
    /// the people for several instants.
    ///
    /// # Errors
    /// That it was cancelled, or would be too dear.
    pub fn sizes_at(&self, instants: &[Instant], options: Options, limits: &Limits) -> Result<Vec<Vec<u64>>, Stopped> {
        let (program, batch) = (self.program, self.batch);
        if let (Some(max_cost), Some(last)) = (limits.max_cost, instants.last()) {
            let cost = seg_plan::Cost(self.cost(*last).0.saturating_mul(instants.len() as u32));
            if cost > max_cost {
                return Err(Stopped::TooDear { cost, max_cost });
            }
        }
        let (engine, _) = engine::choose(program.plan(), batch.len(), options.engine);
        let has_kernels = program.plan().nodes().iter().any(|node| node.kernel().is_some());
        let mut sizes = Vec::with_capacity(instants.len());
        for instants in instants.chunks(INSTANTS) {
            let together = match engine == Engine::Jit && !has_kernels {
                true => self.sizes_together(instants, options, limits),
                false => Ok(None),
            };
            match together? {
                Some(together) => sizes.extend(together),
                None => {
                    let limits = Limits { max_cost: None, cancel: limits.cancel.clone() };
                    for now in instants {
                        let evaluation = self.evaluate_within(options, &limits, *now)?;
                        sizes.push(evaluation.masks.iter().map(|mask| mask.count() as u64).collect());
                    }
                }
            }
        }
        Ok(sizes)
    }

    /// The sizes by native code; `None` where it cannot be had.
    fn sizes_together(
        &self,
        instants: &[Instant],
        options: Options,
        limits: &Limits,
    ) -> Result<Option<Vec<Vec<u64>>>, Stopped> {
        // Columns derived for one instant are of no use at the next.
        let cancel = limits.cancel.clone();
        let exec = ExecOptions { threads: options.threads, access: AccessPolicy::Walk, cancel };
        let (jit, plan) = (self.program.jit(), self.program.plan());
        let compile = |now: &Instant| seg_exec::compile(jit, plan, self.batch, *now, &exec);
        match instants.iter().map(compile).collect::<Result<Vec<CompiledPlan>, JitError>>() {
            Ok(plans) => match seg_exec::sizes(&plans, options.threads, &limits.cancel) {
                Ok(sizes) => Ok(Some(sizes)),
                Err(SizesError::Cancelled) => Err(Stopped::Cancelled),
                Err(SizesError::DifferentBatches) => Ok(None),
            },
            Err(JitError::Cancelled) => Err(Stopped::Cancelled),
            Err(_) => Ok(None),
        }
    }

    /// Makes the program ready to judge people one by one, at `now`, and gives
    /// `judge` a function from a row of the batch to the segments that person is
    /// in, in the order of [`Program::segment_names`](crate::Program::segment_names).
    /// A person takes microseconds.
    pub fn one_by_one<T>(&self, now: Instant, judge: impl FnOnce(&mut dyn FnMut(usize) -> Vec<bool>) -> T) -> T {
        let (program, batch) = (self.program, self.batch);
        let exec = ExecOptions { access: AccessPolicy::Walk, ..ExecOptions::default() };
        match seg_exec::compile(program.jit(), program.plan(), batch, now, &exec) {
            Ok(bound) => {
                let mut one_by_one = bound.one_by_one();
                judge(&mut |row| one_by_one.segments(row).collect())
            }
            Err(_) => {
                let masks: Vec<Mask> = seg_plan::evaluate(program.plan(), batch, now);
                judge(&mut |row| masks.iter().map(|mask| mask.get(row)).collect())
            }
        }
    }

    /// The plan as native code runs it over the batch: without what the extent of
    /// its events decides.
    pub fn fitted_plan(&self, now: Instant) -> Cow<'_, Plan> {
        seg_plan::fit_to_data(self.program.plan(), &Statistics::of(self.batch, now))
    }

    /// How native code reads the batch for each condition of
    /// [`Bound::fitted_plan`]: access paths and
    /// estimates, a line each; what cannot be said where there is no native code.
    pub fn describe_access(&self, now: Instant) -> String {
        let (jit, plan) = (self.program.jit(), self.program.plan());
        match seg_exec::compile(jit, plan, self.batch, now, &ExecOptions::default()) {
            Ok(compiled) => compiled.physical().to_string(),
            Err(error) => format!("{error}\n"),
        }
    }
}
