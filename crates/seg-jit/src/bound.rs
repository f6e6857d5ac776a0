//! A plan bound to a batch: conditions by kernels, segments by words.

use crate::code::{self, JitError, Kernel};
use crate::columns::is_columnar;
use crate::facts::Group;
use crate::sample::{self, Estimate};
use crate::select::{Select, Selected};
use crate::shape::Cond;
use crate::steps::{Fact, Gather, Kind, Step, steps};
use crate::tables::Tables;
use crate::words::BLOCK_WORDS;
use crate::worker::{Leaf, Way, Worker};
use seg_data::{Batch, Cancel, Instant, Mask};
use seg_plan::{NodeId, Plan, Statistics};
use std::collections::HashMap;
use std::fmt::Write;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};

/// How a plan is bound. None of it changes an answer.
#[derive(Debug, Clone)]
pub struct Binding {
    /// How many threads may make layouts.
    pub threads: NonZero<usize>,
    /// How times, totals and texts of people are read.
    pub access: Access,
    /// Stops binding and evaluating.
    pub cancel: Cancel,
}

impl Default for Binding {
    /// One thread, whatever access costs least.
    fn default() -> Binding {
        Binding { threads: NonZero::<usize>::MIN, access: Access::Cheapest, cancel: Cancel::new() }
    }
}

/// How people's times, totals and texts are read: which layouts are made and kept
/// with the batch ([`Batch::layout`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// From each person's events, without layouts.
    Walk,
    /// From a column of times, texts or totals.
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
    /// checked, judged at `now`, as of which the batch is ([`Batch::as_of`]): fits
    /// it to the batch ([`seg_plan::fit_to_data`]) and compiles what is new.
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
        let (threads, cancel, access) = (binding.threads, binding.cancel.clone(), binding.access);
        let plan: &Plan = &seg_plan::fit_to_data(plan, &Statistics::of(batch, now));
        let mut select = Select::new(plan, batch, now, binding);
        let (mut steps, mut selected) = steps(plan, &mut select);
        if cancel.is_cancelled() {
            return Err(JitError::Cancelled);
        }
        selected.iter_mut().for_each(adjust);
        let kernels = self.kernels_of(&selected, threads, &cancel)?;
        let mut n_scratch = 2;
        let leaves = selected.into_iter().zip(kernels).map(|(selected, kernel)| {
            n_scratch = n_scratch.max(selected.n_scratch);
            let cost = sample::kernel_cost(&selected.cond, selected.least.is_some());
            let path = sample::path(&selected.cond, selected.least.is_some());
            let way = kernel.map_or_else(|| Way::Column(selected.cond), Way::Code);
            Leaf { way, params: selected.params, least: selected.least, cost, path }
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
            order: in_order(&steps.steps),
            steps: steps.steps,
            facts: steps.facts,
            groups: groups.collect(),
            leaves,
            roots,
            n_scratch,
            cancel,
            nodes: steps.nodes,
            estimates: Vec::new(),
            _tables: select.tables,
        };
        for fact in &bound.facts {
            if let Gather::Days(days) = &fact.gather {
                days.prepare(threads);
            }
        }
        if access == Access::Cheapest {
            bound.estimates = sample::order(&mut bound);
        }
        Ok(bound)
    }

    /// The code of each shape; none of those that need none.
    fn kernels_of(
        &self,
        selected: &[Selected],
        threads: NonZero<usize>,
        cancel: &Cancel,
    ) -> Result<Vec<Option<Kernel>>, JitError> {
        let find = |kernels: &HashMap<Cond, Kernel>| -> Vec<Option<Kernel>> {
            selected.iter().map(|s| kernels.get(&s.cond).cloned()).collect()
        };
        let mut known = find(&self.kernels.lock().unwrap_or_else(PoisonError::into_inner));
        let mut new: Vec<&Cond> = Vec::new();
        for (selected, kernel) in selected.iter().zip(&known) {
            if kernel.is_none() && !is_columnar(&selected.cond) && !new.contains(&&selected.cond) {
                new.push(&selected.cond);
            }
        }
        if !new.is_empty() {
            // Compiled without the lock: another thread may do the same, which
            // wastes time and harms nothing.
            let compiled = code::compile_all(&new, threads, cancel)?;
            let mut kernels = self.kernels.lock().unwrap_or_else(PoisonError::into_inner);
            for (cond, kernel) in new.into_iter().zip(compiled) {
                kernels.insert(cond.clone(), kernel);
            }
            known = find(&kernels);
        }
        match selected.iter().zip(&known).all(|(selected, kernel)| kernel.is_some() || is_columnar(&selected.cond)) {
            true => Ok(known),
            false => Err(JitError::Internal("a kernel was not compiled".to_owned())),
        }
    }
}

/// The steps with those first that hold one fact against a bound, fact by fact, so
/// that its values are still near for the next; what they are made of, each after.
fn in_order(steps: &[Step]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|at| match steps.get(*at).map(|step| &step.kind) {
        Some(Kind::IsThere(fact) | Kind::Threshold(fact, ..) | Kind::Bits(fact, _)) => *fact,
        _ => usize::MAX,
    });
    order
}

/// The IR of every kernel of a plan over a batch, each under the number of its
/// node; kernels of one shape are shown once.
///
/// # Errors
/// A fault of Seg, or a machine that Cranelift does not know.
pub fn clif(plan: &Plan, batch: &Batch, now: Instant) -> Result<String, JitError> {
    let mut select = Select::new(plan, batch, now, Binding { access: Access::Column, ..Binding::default() });
    let (steps, selected) = steps(plan, &mut select);
    let mut out = String::new();
    let mut shown: Vec<(&Cond, NodeId)> = Vec::new();
    for (selected, node) in selected.iter().zip(&steps.leaf_nodes) {
        match shown.iter().find(|(cond, _)| **cond == selected.cond) {
            None if is_columnar(&selected.cond) => {
                let path = sample::path(&selected.cond, selected.least.is_some());
                out.push_str(&format!("; n{}: {path}, which needs no code\n", node.0));
            }
            Some((_, same)) => out.push_str(&format!("; n{}: the code of n{}\n", node.0, same.0)),
            None => {
                out.push_str(&format!("; n{}\n{}", node.0, code::clif(&selected.cond)?));
                shown.push((&selected.cond, *node));
            }
        }
    }
    Ok(out)
}

/// Generates and verifies the code of a plan over a batch for a machine that
/// need not be this one, such as `aarch64-unknown-linux-gnu`; gives its bytes.
///
/// # Errors
/// A machine that this build knows no code for (those of others need the feature
/// `cross`), or a fault of Seg.
pub fn generate_for(target: &str, plan: &Plan, batch: &Batch, now: Instant) -> Result<usize, JitError> {
    let mut select = Select::new(plan, batch, now, Binding { access: Access::Column, ..Binding::default() });
    let (_, selected) = steps(plan, &mut select);
    let conditions: Vec<&Cond> = selected.iter().map(|s| &s.cond).filter(|cond| !is_columnar(cond)).collect();
    code::generate(&conditions, target)
}

/// A plan ready to run over one batch.
pub struct BoundPlan<'b> {
    pub(crate) n_profiles: usize,
    pub(crate) steps: Vec<Step>,
    /// The order in which those of the steps are decided that everybody is asked.
    pub(crate) order: Vec<usize>,
    pub(crate) facts: Vec<Fact<'b>>,
    /// Facts that one walk finds, and which they are.
    pub(crate) groups: Vec<(Group<'b>, Vec<usize>)>,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) roots: Vec<usize>,
    pub(crate) n_scratch: usize,
    cancel: Cancel,
    /// The condition that each step is.
    nodes: Vec<NodeId>,
    /// What was expected of each step, where people were looked at.
    estimates: Vec<Estimate>,
    /// What parameters point to, besides the batch itself.
    _tables: Tables<'b>,
}

impl BoundPlan<'_> {
    /// Who is in each segment: one mask a segment. Blocks of profiles are
    /// shared out between so many threads.
    ///
    /// # Errors
    /// That somebody asked to stop; see [`Binding::cancel`].
    pub fn evaluate(&self, n_threads: NonZero<usize>) -> Result<Vec<Mask>, JitError> {
        let mut masks = Vec::new();
        self.evaluate_into(n_threads, &mut masks)?;
        Ok(masks)
    }

    /// The same, in the memory of masks of an earlier evaluation: for many
    /// segments, getting memory takes as long as filling it.
    ///
    /// # Errors
    /// Likewise; the masks say nothing then.
    pub fn evaluate_into(&self, n_threads: NonZero<usize>, masks: &mut Vec<Mask>) -> Result<(), JitError> {
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
        if self.cancel.is_cancelled() { Err(JitError::Cancelled) } else { Ok(()) }
    }

    /// How each condition that is no combination reads the batch, a line each,
    /// with what a sample of its people lets expect.
    pub fn describe(&self) -> String {
        let mut out = String::new();
        for (at, (step, node)) in self.steps.iter().zip(&self.nodes).enumerate() {
            let path = match &step.kind {
                Kind::Const(_) | Kind::All(_) | Kind::Any(_) | Kind::Several { .. } | Kind::Not(_) => continue,
                Kind::Leaf(leaf) => self.leaves.get(*leaf).map_or("", |leaf| leaf.path),
                Kind::Words(_) => "by time: the few who are late enough",
                Kind::IsThere(fact) | Kind::Threshold(fact, ..) | Kind::Bits(fact, _) => {
                    self.facts.get(*fact).map_or("", |fact| self.path_of(&fact.gather))
                }
            };
            // Writing to a string does not fail.
            let _ = write!(out, "access n{}: {path}", node.0);
            if let Some(Estimate { share, cost }) = self.estimates.get(at) {
                let _ = write!(out, "; about {:.1}% of people, {cost} ns each", share * 100.0);
            }
            out.push('\n');
        }
        out
    }

    fn path_of(&self, gather: &Gather<'_>) -> &'static str {
        match gather {
            Gather::Kernel(_) => "a value gathered by person, by code",
            Gather::Texts(_) => "texts met, by person",
            Gather::Days(_) => "a column of active days, a bit a day",
            Gather::Group(group) => match self.groups.get(*group) {
                Some((Group::Times(_), _)) => "last times, by person, in one walk for all of the event",
                Some((Group::Chains(_), _)) => "a row of events, by person, in one walk for all lengths of time",
                _ => "totals, by person, in one walk for all windows",
            },
        }
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
            for (words, root) in share.iter_mut().zip(&self.roots) {
                let from = worker.answers(*root);
                if let Some(to) = words.get_mut(offset..offset + from.len()) {
                    to.copy_from_slice(from);
                }
            }
        }
    }
}
