//! A plan bound to a batch: conditions by kernels, segments by words.

use crate::code::{self, JitError, Kernel};
use crate::facts::{LastTimes, compare};
use crate::select::{Select, Selected};
use crate::shape::Cond;
use crate::steps::{Fact, Gather, Kind, Step, steps};
use crate::tables::Tables;
use seg_data::batch::Layout;
use seg_data::{Batch, Instant, Mask};
use seg_plan::{NodeId, Plan};
use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};

/// Profiles of a block: so many that the words of a block stay in the nearest
/// cache, and that calling a kernel costs nothing beside running it.
const BLOCK_WORDS: usize = 16;

/// How a plan is bound. None of it changes an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// How many threads may make layouts.
    pub threads: NonZero<usize>,
    /// Whether times and texts of people are read from layouts that the batch
    /// keeps ([`Batch::layout`]), or each time from their events.
    pub layouts: bool,
}

impl Default for Binding {
    /// One thread, with layouts.
    fn default() -> Binding {
        Binding { threads: NonZero::<usize>::MIN, layouts: true }
    }
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
            Leaf { kernel, params: selected.params, least: selected.least }
        });
        let leaves = leaves.collect();
        let roots: Vec<usize> = plan.roots().iter().map(|r| steps.place(r.node)).collect();
        steps.count_uses(&roots);
        let (steps, facts, last_times) = (steps.steps, steps.facts, steps.last_times);
        Ok(BoundPlan {
            n_profiles: batch.len(),
            steps,
            facts,
            last_times,
            leaves,
            roots,
            n_scratch,
            _tables: select.tables,
        })
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

/// A kernel with the parameters of this binding.
struct Leaf {
    kernel: Kernel,
    params: Vec<u64>,
    /// See [`Selected::least`].
    least: Option<(Arc<Layout>, i64)>,
}

impl Leaf {
    /// Those of `care` among 64 people of whom somebody has a time that is late
    /// enough.
    fn possible(&self, care: &Words, first_word: usize) -> Words {
        let Some((layout, least)) = &self.least else { return *care };
        let latest = layout.latest.get(first_word..).unwrap_or(&[]);
        let is_late = |at| latest.get(at).is_some_and(|latest| latest >= least);
        std::array::from_fn(|at| if is_late(at) { pick(care, at) } else { 0 })
    }
}

/// A plan ready to run over one batch.
pub struct BoundPlan<'b> {
    n_profiles: usize,
    steps: Vec<Step>,
    facts: Vec<Fact<'b>>,
    last_times: Vec<LastTimes<'b>>,
    leaves: Vec<Leaf>,
    roots: Vec<usize>,
    n_scratch: usize,
    /// What parameters point to, besides the batch itself.
    _tables: Tables<'b>,
}

type Words = [u64; BLOCK_WORDS];

/// Where so many profiles of a word want a shared fact, it is gathered for all.
const DENSE: u32 = 8;

/// The values of a fact for a block of profiles.
struct Gathered {
    values: Vec<i64>,
    /// Who has one.
    known: Words,
    /// For whom that is known.
    done: Words,
}

impl Default for Gathered {
    fn default() -> Gathered {
        Gathered { values: vec![0; BLOCK_WORDS * 64], known: [0; BLOCK_WORDS], done: [0; BLOCK_WORDS] }
    }
}

impl Gathered {
    /// What holds of the values, for those of `care` who have one.
    fn holds(&self, care: &Words, bits: impl Fn(&[i64]) -> u64) -> Words {
        std::array::from_fn(|word| {
            let open = pick(care, word) & pick(&self.known, word);
            match self.values.get(word * 64..(word + 1) * 64) {
                Some(values) if open != 0 => bits(values) & open,
                _ => 0,
            }
        })
    }
}

/// What a thread needs while it works.
struct Worker<'w, 'b> {
    bound: &'w BoundPlan<'b>,
    /// For each step, its answers for the block at hand, if it is kept.
    kept: Vec<Words>,
    /// For each fact, its values for the block at hand as far as they are known.
    gathered: Vec<Gathered>,
    scratch: Vec<u64>,
    /// The first profile of the block, and its number of words.
    first: usize,
    n_words: usize,
}

impl BoundPlan<'_> {
    /// Who is in each segment: one mask a segment. Blocks of profiles are
    /// shared out between so many threads.
    pub fn evaluate(&self, n_threads: NonZero<usize>) -> Vec<Mask> {
        for fact in &self.facts {
            if let Gather::Days(days) = &fact.gather {
                days.prepare(n_threads);
            }
        }
        let n_words = self.n_profiles.div_ceil(64);
        let n_blocks = n_words.div_ceil(BLOCK_WORDS);
        // A thread costs about as much as some blocks.
        let n_threads = n_threads.get().min(n_blocks.div_ceil(8)).max(1);
        let per_thread = n_blocks.div_ceil(n_threads).max(1) * BLOCK_WORDS;
        let mut answers: Vec<Vec<u64>> = vec![vec![0; n_words]; self.roots.len()];
        let mut shares: Vec<Vec<&mut [u64]>> = (0..n_threads).map(|_| Vec::with_capacity(answers.len())).collect();
        for words in &mut answers {
            words.chunks_mut(per_thread).zip(&mut shares).for_each(|(chunk, share)| share.push(chunk));
        }
        let work = |(at, share): (usize, Vec<&mut [u64]>)| Worker::new(self).run(at * per_thread, share);
        std::thread::scope(|scope| {
            let mut shares = shares.into_iter().enumerate();
            let own = shares.next();
            for share in shares {
                scope.spawn(move || work(share));
            }
            own.map(work);
        });
        answers.into_iter().map(|words| Mask::from_words(words, self.n_profiles)).collect()
    }
}

impl<'w, 'b> Worker<'w, 'b> {
    fn new(bound: &'w BoundPlan<'b>) -> Worker<'w, 'b> {
        let kept = vec![[0; BLOCK_WORDS]; bound.steps.len()];
        let gathered = bound.facts.iter().map(|_| Gathered::default()).collect();
        Worker { bound, kept, gathered, scratch: vec![0; bound.n_scratch], first: 0, n_words: 0 }
    }

    /// Fills one stretch of each segment's words, which begin at word `first`.
    fn run(&mut self, first: usize, mut share: Vec<&mut [u64]>) {
        let n_words = share.first().map_or(0, |words| words.len());
        for offset in (0..n_words).step_by(BLOCK_WORDS) {
            self.first = (first + offset) * 64;
            self.n_words = BLOCK_WORDS.min(n_words - offset);
            let everyone = self.everyone();
            self.gathered.iter_mut().for_each(|gathered| gathered.done = [0; BLOCK_WORDS]);
            for (at, step) in self.bound.steps.iter().enumerate().filter(|(_, step)| step.is_shared) {
                let words = self.combine(step, &everyone);
                if let Some(kept) = self.kept.get_mut(at) {
                    *kept = words;
                }
            }
            for (words, root) in share.iter_mut().zip(&self.bound.roots) {
                let (Some(to), Some(from)) = (words.get_mut(offset..offset + self.n_words), self.kept.get(*root))
                else {
                    continue;
                };
                to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
        }
    }

    /// A bit for each profile of the block.
    fn everyone(&self) -> Words {
        let n_profiles = self.bound.n_profiles - self.first;
        std::array::from_fn(|word| match n_profiles.saturating_sub(word * 64) {
            0 => 0,
            n if n < 64 => (1 << n) - 1,
            _ => u64::MAX,
        })
    }

    /// The answers of a step for the profiles of `care`; other bits are 0.
    fn decide(&mut self, at: usize, care: &Words) -> Words {
        let Some(step) = self.bound.steps.get(at) else { return [0; BLOCK_WORDS] };
        match (step.is_shared, self.kept.get(at)) {
            (true, Some(kept)) => and(kept, care),
            _ => self.combine(step, care),
        }
    }

    fn combine(&mut self, step: &Step, care: &Words) -> Words {
        match &step.kind {
            Kind::Const(true) => *care,
            Kind::Const(false) => [0; BLOCK_WORDS],
            Kind::Leaf(leaf) => self.leaf(*leaf, care),
            Kind::IsThere(fact) => {
                self.gather(*fact, care);
                let Some(gathered) = self.gathered.get(*fact) else { return [0; BLOCK_WORDS] };
                and(&gathered.known, care)
            }
            Kind::Threshold(fact, op, bound) => {
                self.gather(*fact, care);
                let Some(gathered) = self.gathered.get(*fact) else { return [0; BLOCK_WORDS] };
                gathered.holds(care, |values| compare(*op, values, *bound))
            }
            Kind::Bits(fact, mask) => {
                self.gather(*fact, care);
                let Some(gathered) = self.gathered.get(*fact) else { return [0; BLOCK_WORDS] };
                let has = |value: i64| u64::from(value as u64 & mask != 0);
                let pack = |bits: u64, (at, value): (usize, &i64)| bits | has(*value) << at;
                gathered.holds(care, |values| values.iter().enumerate().fold(0, pack))
            }
            Kind::Not(inner) => {
                let words = self.decide(*inner, care);
                std::array::from_fn(|at| pick(care, at) & !pick(&words, at))
            }
            Kind::Several { min, max, members } => {
                let mut counts = Counts::default();
                for member in members {
                    let words = self.decide(*member, care);
                    counts.add(words);
                }
                let (enough, many) = (counts.reach(*min), max.map(|max| counts.reach(max + 1)));
                let is_many = |at| many.as_ref().map_or(0, |many| pick(many, at));
                std::array::from_fn(|at| pick(&enough, at) & !is_many(at) & pick(care, at))
            }
            // Whoever fails one condition need not meet the others.
            Kind::All(members) => {
                let mut open = *care;
                for member in members {
                    if is_none(&open) {
                        break;
                    }
                    open = self.decide(*member, &open);
                }
                open
            }
            // Nor must whoever meets one.
            Kind::Any(members) => {
                let (mut open, mut found) = (*care, [0; BLOCK_WORDS]);
                for member in members {
                    if is_none(&open) {
                        break;
                    }
                    let words = self.decide(*member, &open);
                    found = std::array::from_fn(|at| pick(&found, at) | pick(&words, at));
                    open = std::array::from_fn(|at| pick(&open, at) & !pick(&words, at));
                }
                found
            }
        }
    }

    /// Sees to it that a fact is known for the profiles of `care`.
    fn gather(&mut self, at: usize, care: &Words) {
        let (Some(fact), Some(gathered)) = (self.bound.facts.get(at), self.gathered.get(at)) else { return };
        let (done, everyone) = (gathered.done, self.everyone());
        let wanted: Words = std::array::from_fn(|word| {
            let (care, done) = (pick(care, word), pick(&done, word));
            let open = care & !done;
            // Others will want the rest of the word too.
            let is_dense = fact.is_shared && open.count_ones() >= DENSE;
            if is_dense { pick(&everyone, word) & !done } else { open }
        });
        if is_none(&wanted) {
            return;
        }
        // Taken out, so that the rest of the worker can be used beside it.
        let mut values = self.gathered.get_mut(at).map(|g| std::mem::take(&mut g.values)).unwrap_or_default();
        if values.len() != BLOCK_WORDS * 64 {
            return;
        }
        let known = match &fact.gather {
            Gather::Last(times) => {
                if let Some(gathered) = self.gathered.get_mut(at) {
                    gathered.values = values;
                }
                return self.last_times(*times, &wanted);
            }
            Gather::Kernel(leaf) => self.values(*leaf, &wanted, &mut values),
            Gather::Chain(chain) => self.each_value(&wanted, &mut values, |row| chain.of(row)),
            Gather::Texts(met) => self.each_value(&wanted, &mut values, |row| Some(met.of(row))),
            Gather::Days(days) => self.each_value(&wanted, &mut values, |row| Some(days.of(row))),
        };
        if let Some(gathered) = self.gathered.get_mut(at) {
            gathered.values = values;
            for (word, wanted) in wanted.iter().enumerate() {
                if let (Some(of), Some(done)) = (gathered.known.get_mut(word), gathered.done.get_mut(word)) {
                    *of = *of & !wanted | pick(&known, word);
                    *done |= wanted;
                }
            }
        }
    }

    /// Gathers the last times of an event, all that are wanted at once.
    fn last_times(&mut self, times: usize, wanted: &Words) {
        let Some(last) = self.bound.last_times.get(times) else { return };
        for (_, fact) in &last.wanted {
            if let Some(gathered) = self.gathered.get_mut(*fact) {
                for (word, wanted) in wanted.iter().enumerate() {
                    if let (Some(known), Some(done)) = (gathered.known.get_mut(word), gathered.done.get_mut(word)) {
                        *known &= !wanted;
                        *done |= wanted;
                    }
                }
            }
        }
        for (word, wanted) in wanted.iter().enumerate() {
            let mut open = *wanted;
            while open != 0 {
                let place = open.trailing_zeros();
                open &= open - 1;
                let at = word * 64 + place as usize;
                let known = last.known(self.first + at);
                if known.is_empty() {
                    continue;
                }
                for (n, fact) in &last.wanted {
                    let Some(time) = known.len().checked_sub(*n).and_then(|at| known.get(at)) else { continue };
                    let Some(gathered) = self.gathered.get_mut(*fact) else { continue };
                    if let (Some(slot), Some(known)) = (gathered.values.get_mut(at), gathered.known.get_mut(word)) {
                        *slot = *time;
                        *known |= 1 << place;
                    }
                }
            }
        }
    }

    /// A value for each profile of `wanted`, and who has one.
    fn each_value(&self, wanted: &Words, values: &mut [i64], of: impl Fn(usize) -> Option<i64>) -> Words {
        std::array::from_fn(|word| {
            let (mut open, mut known) = (pick(wanted, word), 0);
            while open != 0 {
                let place = open.trailing_zeros();
                open &= open - 1;
                let at = word * 64 + place as usize;
                if let (Some(value), Some(slot)) = (of(self.first + at), values.get_mut(at)) {
                    *slot = value;
                    known |= 1 << place;
                }
            }
            known
        })
    }

    fn leaf(&mut self, leaf: usize, care: &Words) -> Words {
        self.values(leaf, care, &mut [])
    }

    /// Runs a kernel for the profiles of `care`. One that gathers writes what it
    /// finds to `values`, which then has a place for each profile of a block.
    fn values(&mut self, leaf: usize, care: &Words, values: &mut [i64]) -> Words {
        let mut out = [0; BLOCK_WORDS];
        let Some(leaf) = self.bound.leaves.get(leaf) else { return out };
        let care = leaf.possible(care, self.first / 64);
        if is_none(&care) {
            return out;
        }
        if let (Some(care), Some(to)) = (care.get(..self.n_words), out.get_mut(..self.n_words)) {
            // SAFETY: the parameters were selected with this kernel's shape, for
            // the batch that `bound` borrows and tables that it owns; `care` has
            // bits only for its profiles; `scratch` is as long as any leaf was
            // promised; only `gather` runs kernels that write to `values`.
            unsafe { leaf.kernel.run(&leaf.params, self.first, care, to, &mut self.scratch, values) };
        }
        out
    }
}

/// A count for each profile of a block, bit by bit: the first words hold the
/// lowest bit of every count.
#[derive(Default)]
struct Counts(Vec<Words>);

impl Counts {
    /// Adds one for each bit, carrying from plane to plane.
    fn add(&mut self, words: Words) {
        let mut carry = words;
        for plane in &mut self.0 {
            let sum = std::array::from_fn(|at| pick(plane, at) ^ pick(&carry, at));
            carry = and(plane, &carry);
            *plane = sum;
        }
        if !is_none(&carry) {
            self.0.push(carry);
        }
    }

    /// Which counts are so high, from the highest bit down.
    fn reach(&self, least: u64) -> Words {
        if least.checked_shr(self.0.len() as u32).unwrap_or(0) != 0 {
            return [0; BLOCK_WORDS];
        }
        let (mut above, mut equal) = ([0; BLOCK_WORDS], [u64::MAX; BLOCK_WORDS]);
        for (place, plane) in self.0.iter().enumerate().rev() {
            let both = and(&equal, plane);
            if least >> place & 1 == 1 {
                equal = both;
            } else {
                above = std::array::from_fn(|at| pick(&above, at) | pick(&both, at));
                equal = std::array::from_fn(|at| pick(&equal, at) & !pick(plane, at));
            }
        }
        std::array::from_fn(|at| pick(&above, at) | pick(&equal, at))
    }
}

fn pick(words: &Words, at: usize) -> u64 {
    words.get(at).copied().unwrap_or(0)
}

fn and(a: &Words, b: &Words) -> Words {
    std::array::from_fn(|at| pick(a, at) & pick(b, at))
}

fn is_none(words: &Words) -> bool {
    words.iter().all(|w| *w == 0)
}
