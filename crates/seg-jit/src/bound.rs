//! A plan bound to a batch: conditions by kernels, segments by words.

use crate::code::{self, JitError, Kernel};
use crate::facts::Group;
use crate::sample;
use crate::select::{Select, Selected};
use crate::shape::Cond;
use crate::steps::{Fact, Gather, Step, steps};
use crate::tables::Tables;
use crate::words::BLOCK_WORDS;
use crate::worker::{Leaf, Worker};
use seg_data::{Batch, Instant, Mask};
use seg_plan::{NodeId, Plan};
use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};

/// How a plan is bound. None of it changes an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// How many threads may make layouts.
    pub threads: NonZero<usize>,
    /// How times and texts of people are read.
    pub access: Access,
}

impl Default for Binding {
    /// One thread, whatever access costs least.
    fn default() -> Binding {
        Binding { threads: NonZero::<usize>::MIN, access: Access::Cheapest }
    }
}

/// How people's times and texts are read: which layouts are made and kept with
/// the batch ([`Batch::layout`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// From each person's events, without layouts.
    Walk,
    /// From a column of times or texts.
    Column,
    /// By time where few people are asked for, else from a column; conditions are
    /// put in the order that a sample of the people recommends.
    Cheapest,
}

/// Native code for plans. Keeps the code of every shape that it has met, so
/// that the next batch of the same layout is bound without compiling; may be
/// shared by threads. What it holds is freed when it is dropped.
#[derive(Default)]
pub struct Jit {
    kernels: Mutex<HashMap<Cond, Kernel>>,
}

impl std::fmt::Debug for Jit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jit({} kernels)", self.n_kernels())
    }
}

impl Jit {
    /// No code yet.
    pub fn new() -> Jit {
        Jit::default()
    }

    /// How many kernels are compiled.
    pub fn n_kernels(&self) -> usize {
        self.kernels.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Makes a plan ready for a batch, of which the columns that it reads were
    /// checked, judged at `now`, as of which the batch is ([`Batch::as_of`]).
    /// Compiles what is new.
    ///
    /// # Errors
    /// Code that cannot be made or run on this machine.
    pub fn bind<'b>(
        &self,
        plan: &Plan,
        batch: &'b Batch,
        now: Instant,
        binding: Binding,
    ) -> Result<BoundPlan<'b>, JitError> {
        self.bind_adjusted(plan, batch, now, binding, |_| {})
    }

    /// The same with a fault made on purpose.
    ///
    /// # Errors
    /// Likewise.
    #[cfg(feature = "faults")]
    pub fn bind_with_fault<'b>(
        &self,
        plan: &Plan,
        batch: &'b Batch,
        now: Instant,
        binding: Binding,
        fault: crate::fault::Fault,
    ) -> Result<BoundPlan<'b>, JitError> {
        self.bind_adjusted(plan, batch, now, binding, |selected| crate::fault::apply(fault, selected))
    }

    fn bind_adjusted<'b>(
        &self,
        plan: &Plan,
        batch: &'b Batch,
        now: Instant,
        binding: Binding,
        adjust: impl Fn(&mut Selected),
    ) -> Result<BoundPlan<'b>, JitError> {
        let mut select = Select::new(plan, batch, now, binding);
        let (mut steps, mut selected) = steps(plan, &mut select);
        selected.iter_mut().for_each(adjust);
        let kernels = self.kernels_of(&selected)?;
        let mut n_scratch = 2;
        let leaves = selected.into_iter().zip(kernels).map(|(selected, kernel)| {
            n_scratch = n_scratch.max(selected.n_scratch);
            let cost = sample::kernel_cost(&selected.cond, selected.least.is_some());
            Leaf { kernel, params: selected.params, least: selected.least, cost }
        });
        let leaves = leaves.collect();
        let roots: Vec<usize> = plan.roots().iter().map(|r| steps.place(r.node)).collect();
        steps.count_uses(&roots);
        let groups = steps.groups.into_iter().map(|group| {
            let facts = group.facts();
            (group, facts)
        });
        let mut bound = BoundPlan {
            n_profiles: batch.len(),
            steps: steps.steps,
            facts: steps.facts,
            groups: groups.collect(),
            leaves,
            roots,
            n_scratch,
            _tables: select.tables,
        };
        for fact in &bound.facts {
            if let Gather::Days(days) = &fact.gather {
                days.prepare(binding.threads);
            }
        }
        if binding.access == Access::Cheapest {
            sample::order(&mut bound);
        }
        Ok(bound)
    }

    fn kernels_of(&self, selected: &[Selected]) -> Result<Vec<Kernel>, JitError> {
        let find = |kernels: &HashMap<Cond, Kernel>| -> Vec<Option<Kernel>> {
            selected.iter().map(|s| kernels.get(&s.cond).cloned()).collect()
        };
        let mut known = find(&self.kernels.lock().unwrap_or_else(PoisonError::into_inner));
        let mut new: Vec<&Cond> = Vec::new();
        for (selected, kernel) in selected.iter().zip(&known) {
            if kernel.is_none() && !new.contains(&&selected.cond) {
                new.push(&selected.cond);
            }
        }
        if !new.is_empty() {
            // Compiled without the lock: another thread may do the same, which
            // wastes time and harms nothing.
            let compiled = code::compile(&new)?;
            let mut kernels = self.kernels.lock().unwrap_or_else(PoisonError::into_inner);
            for (cond, kernel) in new.into_iter().zip(compiled) {
                kernels.insert(cond.clone(), kernel);
            }
            known = find(&kernels);
        }
        let none = || JitError::Internal("a kernel was not compiled".to_owned());
        known.into_iter().map(|kernel| kernel.ok_or_else(none)).collect()
    }
}

/// The IR of every kernel of a plan over a batch, each under the number of its
/// node; kernels of one shape are shown once.
///
/// # Errors
/// A fault of Seg, or a machine that Cranelift does not know.
pub fn clif(plan: &Plan, batch: &Batch, now: Instant) -> Result<String, JitError> {
    let mut select = Select::new(plan, batch, now, Binding::default());
    let (steps, selected) = steps(plan, &mut select);
    let mut out = String::new();
    let mut shown: Vec<(&Cond, NodeId)> = Vec::new();
    for (selected, node) in selected.iter().zip(&steps.leaf_nodes) {
        match shown.iter().find(|(cond, _)| **cond == selected.cond) {
            Some((_, same)) => out.push_str(&format!("; n{}: the code of n{}\n", node.0, same.0)),
            None => {
                out.push_str(&format!("; n{}\n{}", node.0, code::clif(&selected.cond)?));
                shown.push((&selected.cond, *node));
            }
        }
    }
    Ok(out)
}

/// A plan ready to run over one batch.
pub struct BoundPlan<'b> {
    pub(crate) n_profiles: usize,
    pub(crate) steps: Vec<Step>,
    pub(crate) facts: Vec<Fact<'b>>,
    /// Facts that one walk finds, and which they are.
    pub(crate) groups: Vec<(Group<'b>, Vec<usize>)>,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) roots: Vec<usize>,
    pub(crate) n_scratch: usize,
    /// What parameters point to, besides the batch itself.
    _tables: Tables<'b>,
}

impl BoundPlan<'_> {
    /// Who is in each segment: one mask a segment. Blocks of profiles are
    /// shared out between so many threads.
    pub fn evaluate(&self, n_threads: NonZero<usize>) -> Vec<Mask> {
        let mut masks = Vec::new();
        self.evaluate_into(n_threads, &mut masks);
        masks
    }

    /// The same, in the memory of masks of an earlier evaluation: for many
    /// segments, getting memory takes as long as filling it.
    pub fn evaluate_into(&self, n_threads: NonZero<usize>, masks: &mut Vec<Mask>) {
        let n_words = self.n_profiles.div_ceil(64);
        let n_blocks = n_words.div_ceil(BLOCK_WORDS);
        // A thread costs about as much as some blocks.
        let n_threads = n_threads.get().min(n_blocks.div_ceil(8)).max(1);
        let per_thread = n_blocks.div_ceil(n_threads).max(1) * BLOCK_WORDS;
        masks.resize_with(self.roots.len(), Mask::default);
        let recycle = |mask: Mask| {
            let mut words = mask.into_words();
            words.resize(n_words, 0);
            words
        };
        let mut answers: Vec<Vec<u64>> = masks.drain(..).map(recycle).collect();
        let mut shares: Vec<Vec<&mut [u64]>> = (0..n_threads).map(|_| Vec::with_capacity(answers.len())).collect();
        for words in &mut answers {
            words.chunks_mut(per_thread).zip(&mut shares).for_each(|(chunk, share)| share.push(chunk));
        }
        let work = |(at, share): (usize, Vec<&mut [u64]>)| self.fill(at * per_thread, share);
        std::thread::scope(|scope| {
            let mut shares = shares.into_iter().enumerate();
            let own = shares.next();
            for share in shares {
                scope.spawn(move || work(share));
            }
            own.map(work);
        });
        masks.extend(answers.into_iter().map(|words| Mask::from_words(words, self.n_profiles)));
    }

    /// Fills one stretch of each segment's words, which begin at word `first`.
    fn fill(&self, first: usize, mut share: Vec<&mut [u64]>) {
        let mut worker = Worker::new(self);
        let n_words = share.first().map_or(0, |words| words.len());
        for offset in (0..n_words).step_by(BLOCK_WORDS) {
            worker.block(first + offset, n_words - offset);
            for (words, root) in share.iter_mut().zip(&self.roots) {
                let from = worker.answers(*root);
                if let Some(to) = words.get_mut(offset..offset + from.len()) {
                    to.copy_from_slice(from);
                }
            }
        }
    }
}
