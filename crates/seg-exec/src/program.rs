//! Plans compiled for a batch, and who is in their segments.

use crate::choose::choose;
use crate::input::Input;
use crate::options::{AccessPolicy, ExecOptions};
use crate::order;
use crate::physical::PhysicalPlan;
use crate::run::Worker;
use crate::words::BLOCK_WORDS;
use seg_data::{Batch, Cancel, Mask, Timestamp, parallel};
use seg_jit::template::Template;
use seg_jit::{BoundKernel, Jit, JitError};
use seg_plan::{Plan, Statistics};
use std::fmt::Write;
use std::num::NonZero;

/// A plan ready to run over one batch, as often as wanted and by many threads. Keeps
/// what it reads of the batch alive.
pub struct CompiledPlan {
    pub(crate) physical: PhysicalPlan,
    /// The code of each [`crate::physical::Codegen`].
    pub(crate) kernels: Vec<BoundKernel>,
    cancel: Cancel,
    /// A mistake that the run loop makes on purpose.
    #[cfg(feature = "faults")]
    pub(crate) fault: Option<crate::fault::Fault>,
}

/// How a plan is decided over a batch as of an instant: what [`compile`] makes code
/// for.
pub fn physical(plan: &Plan, batch: &Batch, now: Timestamp, options: &ExecOptions) -> PhysicalPlan {
    let batch = &*batch.as_of(now);
    let plan = &*seg_plan::fit_to_data(plan, &Statistics::of(batch, now));
    choose(Input { plan, batch, now, options })
}

/// Compiles a plan for a batch, of which the columns that it reads were checked, as
/// of an instant: fits it to the batch ([`seg_plan::fit_to_data`]), chooses how each
/// condition reads it, and generates what code is new to `jit`.
///
/// # Errors
/// Code that cannot be made or run on this machine; that somebody asked to stop.
pub fn compile(
    jit: &Jit,
    plan: &Plan,
    batch: &Batch,
    now: Timestamp,
    options: &ExecOptions,
) -> Result<CompiledPlan, JitError> {
    link(jit, physical(plan, batch, now, options), options)
}

/// The same for a plan that was fitted to the batch, which is as of the instant.
pub(crate) fn compile_fitted(
    jit: &Jit,
    plan: &Plan,
    batch: &Batch,
    now: Timestamp,
    options: &ExecOptions,
) -> Result<CompiledPlan, JitError> {
    link(jit, choose(Input { plan, batch, now, options }), options)
}

/// Makes the code of a physical plan.
pub(crate) fn link(jit: &Jit, mut physical: PhysicalPlan, options: &ExecOptions) -> Result<CompiledPlan, JitError> {
    if options.cancel.is_cancelled() {
        return Err(JitError::Cancelled);
    }
    let templates: Vec<&Template> = physical.codegen.iter().map(|code| &code.selected.template).collect();
    let kernels = jit.kernels(&templates, options.threads, &options.cancel)?;
    let n_people = physical.n_people;
    let parameters = physical.codegen.iter_mut().map(|code| std::mem::take(&mut code.selected.parameters));
    let bound = kernels.iter().zip(parameters).map(|(kernel, parameters)| kernel.bind(parameters, n_people));
    let kernels = bound.collect::<Result<Vec<BoundKernel>, JitError>>()?;
    let mut compiled = CompiledPlan {
        physical,
        kernels,
        cancel: options.cancel.clone(),
        #[cfg(feature = "faults")]
        fault: None,
    };
    if options.access == AccessPolicy::Cheapest {
        order::order(&mut compiled);
    }
    Ok(compiled)
}

/// The IR of every kernel of a plan over a batch, each under the number of its node;
/// kernels of one template are shown once.
///
/// # Errors
/// A fault of Seg, or a machine that Cranelift does not know.
pub fn clif(plan: &Plan, batch: &Batch, now: Timestamp) -> Result<String, JitError> {
    let options = ExecOptions { access: AccessPolicy::Column, ..ExecOptions::default() };
    let batch = &*batch.as_of(now);
    let physical = choose(Input { plan, batch, now, options: &options });
    let mut out = String::new();
    // Writing to a string does not fail.
    for step in &physical.steps {
        if let crate::physical::Kind::Access(access) = &step.kind
            && !matches!(access, crate::physical::Access::Codegen(_))
        {
            let _ = writeln!(out, "; n{}: {}, which needs no code of its own", step.node.0, access.describe());
        }
    }
    for (at, code) in physical.codegen.iter().enumerate() {
        let template = &code.selected.template;
        match physical.codegen.iter().take(at).find(|c| c.selected.template == *template) {
            Some(same) => drop(writeln!(out, "; n{}: the code of n{}", code.node.0, same.node.0)),
            None => drop(write!(out, "; n{}\n{}", code.node.0, seg_jit::clif(template)?)),
        }
    }
    Ok(out)
}

/// Generates and verifies the code of a plan over a batch for a machine that need
/// not be this one, such as `aarch64-unknown-linux-gnu`; gives its bytes.
///
/// # Errors
/// A machine that this build knows no code for (those of others need the feature
/// `cross`), or a fault of Seg.
pub fn generate_for(target: &str, plan: &Plan, batch: &Batch, now: Timestamp) -> Result<usize, JitError> {
    let options = ExecOptions { access: AccessPolicy::Column, ..ExecOptions::default() };
    let batch = &*batch.as_of(now);
    let physical = choose(Input { plan, batch, now, options: &options });
    let templates: Vec<&Template> = physical.codegen.iter().map(|code| &code.selected.template).collect();
    seg_jit::generate(&templates, target)
}

impl CompiledPlan {
    /// How each condition is decided, with what a sample of the people lets expect.
    pub fn physical(&self) -> &PhysicalPlan {
        &self.physical
    }

    /// How many people it decides.
    pub fn n_people(&self) -> usize {
        self.physical.n_people
    }

    /// Who is in each segment: one mask a segment, in the plan's order. Blocks of
    /// profiles are shared out between so many threads.
    ///
    /// # Errors
    /// That somebody asked to stop; see [`ExecOptions::cancel`].
    pub fn evaluate(&self, n_threads: NonZero<usize>) -> Result<Vec<Mask>, JitError> {
        let mut masks = Vec::new();
        self.evaluate_into(n_threads, &mut masks)?;
        Ok(masks)
    }

    /// The same, in the memory of masks of an earlier evaluation: for many
    /// segments, getting memory takes as long as filling it.
    ///
    /// # Errors
    /// That somebody asked to stop; the masks say nothing then.
    pub fn evaluate_into(&self, n_threads: NonZero<usize>, masks: &mut Vec<Mask>) -> Result<(), JitError> {
        let n_words = self.n_people().div_ceil(64);
        let n_blocks = n_words.div_ceil(BLOCK_WORDS);
        // A thread costs about as much as some blocks.
        const BLOCKS_PER_THREAD: usize = 8;
        let per_thread = parallel::share_len(n_blocks, n_threads, BLOCKS_PER_THREAD) * BLOCK_WORDS;
        let n_shares = n_words.div_ceil(per_thread).max(1);
        masks.resize_with(self.physical.roots.len(), Mask::default);
        let recycle = |mask: Mask| {
            let mut words = mask.into_words();
            words.resize(n_words, 0);
            words
        };
        let mut answers: Vec<Vec<u64>> = masks.drain(..).map(recycle).collect();
        let mut shares: Vec<Vec<&mut [u64]>> = (0..n_shares).map(|_| Vec::with_capacity(answers.len())).collect();
        for words in &mut answers {
            words.chunks_mut(per_thread).zip(&mut shares).for_each(|(chunk, share)| share.push(chunk));
        }
        parallel::map_each(shares.into_iter().enumerate(), |(at, share)| self.fill(at * per_thread, share));
        masks.extend(answers.into_iter().map(|words| Mask::from_words(words, self.n_people())));
        if self.cancel.is_cancelled() { Err(JitError::Cancelled) } else { Ok(()) }
    }

    /// Fills one stretch of each segment's words, which begin at word `first`.
    fn fill(&self, first: usize, mut share: Vec<&mut [u64]>) {
        let mut worker = Worker::new(self);
        let n_words = share.first().map_or(0, |words| words.len());
        for offset in (0..n_words).step_by(BLOCK_WORDS) {
            if self.cancel.is_cancelled() {
                return;
            }
            worker.block(first + offset, n_words - offset);
            for (words, (_, root)) in share.iter_mut().zip(&self.physical.roots) {
                let from = worker.answers(*root);
                if let Some(to) = words.get_mut(offset..offset + from.len()) {
                    to.copy_from_slice(from);
                }
            }
        }
    }
}
