//! A plan bound to a batch: conditions by kernels, segments by words.

use crate::code::{self, JitError, Kernel};
use crate::select::{Select, Selected};
use crate::shape::Cond;
use crate::tables::Tables;
use seg_data::{Batch, Instant, Mask};
use seg_plan::{Node, NodeId, Plan};
use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};

/// Profiles of a block: so many that the words of a block stay in the nearest
/// cache, and that calling a kernel costs nothing beside running it.
const BLOCK_WORDS: usize = 16;

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
    pub fn bind<'b>(&self, plan: &Plan, batch: &'b Batch, now: Instant) -> Result<BoundPlan<'b>, JitError> {
        self.bind_adjusted(plan, batch, now, |_| {})
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
        fault: crate::fault::Fault,
    ) -> Result<BoundPlan<'b>, JitError> {
        self.bind_adjusted(plan, batch, now, |selected| crate::fault::apply(fault, selected))
    }

    fn bind_adjusted<'b>(
        &self,
        plan: &Plan,
        batch: &'b Batch,
        now: Instant,
        adjust: impl Fn(&mut Selected),
    ) -> Result<BoundPlan<'b>, JitError> {
        let mut select = Select::new(plan, batch, now);
        let (mut steps, mut selected) = steps(plan, &mut select);
        selected.iter_mut().for_each(adjust);
        let kernels = self.kernels_of(&selected)?;
        let mut n_scratch = 2;
        let leaves = selected.into_iter().zip(kernels).map(|(selected, kernel)| {
            n_scratch = n_scratch.max(selected.n_scratch);
            Leaf { kernel, params: selected.params }
        });
        let leaves = leaves.collect();
        let roots: Vec<usize> = plan.roots().iter().map(|r| steps.place(r.node)).collect();
        steps.count_uses(&roots);
        Ok(BoundPlan { n_profiles: batch.len(), steps: steps.steps, leaves, roots, n_scratch, _tables: select.tables })
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
    let mut select = Select::new(plan, batch, now);
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

/// How a condition about people comes about.
#[derive(Debug, Clone)]
enum Kind {
    Const(bool),
    /// By the kernel of this number.
    Leaf(usize),
    All(Vec<usize>),
    Any(Vec<usize>),
    Several {
        min: u64,
        max: Option<u64>,
        members: Vec<usize>,
    },
    Not(usize),
}

#[derive(Debug, Clone)]
struct Step {
    kind: Kind,
    /// Whether it is wanted by more than one, so that it is decided for every
    /// profile and kept.
    is_shared: bool,
}

#[derive(Default)]
struct Steps {
    steps: Vec<Step>,
    places: HashMap<NodeId, usize>,
    leaf_nodes: Vec<NodeId>,
}

impl Steps {
    fn place(&self, id: NodeId) -> usize {
        // Every condition that a segment is made of has a step before it.
        self.places.get(&id).copied().unwrap_or(0)
    }

    fn count_uses(&mut self, roots: &[usize]) {
        let mut n_uses = vec![0_usize; self.steps.len()];
        let mut seen = |at: &usize, n: usize| n_uses.get_mut(*at).map_or((), |uses| *uses += n);
        for step in &self.steps {
            match &step.kind {
                Kind::All(members) | Kind::Any(members) | Kind::Several { members, .. } => {
                    members.iter().for_each(|m| seen(m, 1));
                }
                Kind::Not(inner) => seen(inner, 1),
                Kind::Const(_) | Kind::Leaf(_) => {}
            }
        }
        // A segment is wanted whole, and one that others refer to ends a chain.
        roots.iter().for_each(|r| seen(r, 2));
        self.steps.iter_mut().zip(n_uses).for_each(|(step, n)| step.is_shared = n > 1);
    }
}

/// The conditions about people that the segments are made of, each after those
/// it is made of, and the shapes of those that are no combination.
fn steps(plan: &Plan, select: &mut Select<'_, '_>) -> (Steps, Vec<Selected>) {
    let mut is_wanted = vec![false; plan.nodes().len()];
    let want = |is_wanted: &mut Vec<bool>, id: NodeId| is_wanted.get_mut(id.idx()).map_or((), |w| *w = true);
    plan.roots().iter().for_each(|r| want(&mut is_wanted, r.node));
    for (idx, node) in plan.nodes().iter().enumerate().rev() {
        let is_combination = matches!(node, Node::All(_) | Node::Any(_) | Node::Several { .. } | Node::Not(_));
        if is_combination && is_wanted.get(idx) == Some(&true) {
            node.children().into_iter().for_each(|child| want(&mut is_wanted, child));
        }
    }
    let mut steps = Steps::default();
    let mut selected = Vec::new();
    let wanted = plan.nodes().iter().enumerate().zip(is_wanted).filter(|(_, is_wanted)| *is_wanted);
    for ((idx, node), _) in wanted {
        let id = NodeId(idx as u32);
        let kind = match node {
            Node::Const(value) => Kind::Const(*value),
            Node::All(members) => Kind::All(members.iter().map(|m| steps.place(*m)).collect()),
            Node::Any(members) => Kind::Any(members.iter().map(|m| steps.place(*m)).collect()),
            Node::Several { min, max, members } => {
                let members = members.iter().map(|m| steps.place(*m)).collect();
                Kind::Several { min: *min, max: *max, members }
            }
            Node::Not(inner) => Kind::Not(steps.place(*inner)),
            _ => {
                let shape = select.select(id);
                match shape.cond {
                    Cond::Const(value) => Kind::Const(value),
                    _ => {
                        selected.push(shape);
                        steps.leaf_nodes.push(id);
                        Kind::Leaf(selected.len() - 1)
                    }
                }
            }
        };
        steps.places.insert(id, steps.steps.len());
        steps.steps.push(Step { kind, is_shared: false });
    }
    (steps, selected)
}

/// A kernel with the parameters of this binding.
struct Leaf {
    kernel: Kernel,
    params: Vec<u64>,
}

/// A plan ready to run over one batch.
pub struct BoundPlan<'b> {
    n_profiles: usize,
    steps: Vec<Step>,
    leaves: Vec<Leaf>,
    roots: Vec<usize>,
    n_scratch: usize,
    /// What parameters point to, besides the batch itself.
    _tables: Tables<'b>,
}

type Words = [u64; BLOCK_WORDS];

/// What a thread needs while it works.
struct Worker<'w, 'b> {
    bound: &'w BoundPlan<'b>,
    /// For each step, its answers for the block at hand, if it is kept.
    kept: Vec<Words>,
    scratch: Vec<u64>,
    /// The first profile of the block, and its number of words.
    first: usize,
    n_words: usize,
}

impl BoundPlan<'_> {
    /// Who is in each segment: one mask a segment. Blocks of profiles are
    /// shared out between so many threads.
    pub fn evaluate(&self, n_threads: NonZero<usize>) -> Vec<Mask> {
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
        Worker { bound, kept, scratch: vec![0; bound.n_scratch], first: 0, n_words: 0 }
    }

    /// Fills one stretch of each segment's words, which begin at word `first`.
    fn run(&mut self, first: usize, mut share: Vec<&mut [u64]>) {
        let n_words = share.first().map_or(0, |words| words.len());
        for offset in (0..n_words).step_by(BLOCK_WORDS) {
            self.first = (first + offset) * 64;
            self.n_words = BLOCK_WORDS.min(n_words - offset);
            let everyone = self.everyone();
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

    fn leaf(&mut self, leaf: usize, care: &Words) -> Words {
        let mut out = [0; BLOCK_WORDS];
        if let (Some(leaf), Some(care), Some(to)) =
            (self.bound.leaves.get(leaf), care.get(..self.n_words), out.get_mut(..self.n_words))
        {
            // SAFETY: the parameters were selected with this kernel's shape, for
            // the batch that `bound` borrows and tables that it owns; `care` has
            // bits only for profiles of the batch; `scratch` is as long as the
            // longest that any leaf was promised, and this thread's own.
            unsafe { leaf.kernel.run(&leaf.params, self.first, care, to, &mut self.scratch) };
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
