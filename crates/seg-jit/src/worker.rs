//! What a thread does: blocks of profiles, step by step.

use crate::bound::BoundPlan;
use crate::code::Kernel;
use crate::columns::Asked;
use crate::compare::{Ranged, meets};
use crate::shape::Cond;
use crate::steps::{Gather, Kind, Step};
use crate::words::{BLOCK_WORDS, Counts, Words, and, is_none, pick};
use seg_data::batch::Layout;
use std::sync::Arc;

/// How a kernel is run.
pub(crate) enum Way {
    /// By code made for its shape.
    Code(Kernel),
    /// About a column, by what is compiled already.
    Column(Cond),
}

/// A kernel with the parameters of this binding.
pub(crate) struct Leaf {
    pub way: Way,
    pub params: Vec<u64>,
    /// See [`crate::select::Selected::least`].
    pub least: Option<(Arc<Layout>, i64)>,
    /// Nanoseconds a person, about.
    pub cost: f64,
    /// How it reads the batch, in words.
    pub path: &'static str,
}

impl Leaf {
    /// Those of `care` among people of whom somebody has a time that is late
    /// enough.
    fn possible(&self, care: &Words, first_word: usize) -> Words {
        let Some((layout, least)) = &self.least else { return *care };
        const PER_WORD: usize = 64 / Layout::PER_LATEST;
        let latest = layout.latest.get(first_word * PER_WORD..).unwrap_or(&[]);
        let (mut possible, mut words) = ([0; BLOCK_WORDS], latest.chunks(PER_WORD));
        for (word, care) in possible.iter_mut().zip(care) {
            let parts = words.next().unwrap_or(&[]).iter().enumerate();
            let late =
                parts.fold(0, |late, (at, latest)| late | u64::from(latest >= least) << (at * Layout::PER_LATEST));
            // Each bit at the start of a part becomes all of its bits.
            *word = care & late.wrapping_mul((1 << Layout::PER_LATEST) - 1);
        }
        possible
    }
}

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

/// The places of the bits of a word.
fn places(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = (word != 0).then(|| word.trailing_zeros() as usize);
        word &= word.wrapping_sub(1);
        place
    })
}

/// What a thread needs while it works.
pub(crate) struct Worker<'w, 'b> {
    bound: &'w BoundPlan<'b>,
    /// For each step, its answers for the block at hand, if it is kept.
    kept: Vec<Words>,
    /// For each fact, its values for the block at hand as far as they are known.
    gathered: Vec<Gathered>,
    scratch: Vec<u64>,
    /// The first profile of the block, and its number of words.
    first: usize,
    n_words: usize,
    /// Whether every step is decided for the whole block, wanted or not.
    pub keeps_all: bool,
}

impl<'w, 'b> Worker<'w, 'b> {
    pub fn new(bound: &'w BoundPlan<'b>) -> Worker<'w, 'b> {
        let kept = vec![[0; BLOCK_WORDS]; bound.steps.len()];
        let gathered = bound.facts.iter().map(|_| Gathered::default()).collect();
        Worker { bound, kept, gathered, scratch: vec![0; bound.n_scratch], first: 0, n_words: 0, keeps_all: false }
    }

    /// Decides the segments for the profiles of so many words from a word on;
    /// [`Worker::answers`] are theirs then.
    pub fn block(&mut self, first_word: usize, n_words: usize) {
        self.first = first_word * 64;
        self.n_words = n_words.min(BLOCK_WORDS);
        let everyone = self.everyone();
        self.decide_shared(&everyone);
    }

    /// The same for one profile, in bit 0 of word 0 if its row is the first of a
    /// word, and so on.
    pub fn one(&mut self, row: usize) {
        self.first = row / 64 * 64;
        self.n_words = 1;
        let mut care = [0; BLOCK_WORDS];
        if let Some(word) = care.first_mut().filter(|_| row < self.bound.n_profiles) {
            *word = 1 << (row % 64);
        }
        self.decide_shared(&care);
    }

    fn decide_shared(&mut self, care: &Words) {
        self.gathered.iter_mut().for_each(|gathered| gathered.done = [0; BLOCK_WORDS]);
        for at in &self.bound.order {
            if let Some(step) = self.bound.steps.get(*at).filter(|step| step.is_shared || self.keeps_all) {
                let words = self.combine(step, care);
                if let Some(kept) = self.kept.get_mut(*at) {
                    *kept = words;
                }
            }
        }
    }

    /// The words of a step that was decided for the block.
    pub fn answers(&self, step: usize) -> &[u64] {
        self.kept.get(step).and_then(|words| words.get(..self.n_words)).unwrap_or(&[])
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
        match (step.is_shared || self.keeps_all, self.kept.get(at)) {
            (true, Some(kept)) => and(kept, care),
            _ => self.combine(step, care),
        }
    }

    fn combine(&mut self, step: &Step, care: &Words) -> Words {
        match &step.kind {
            Kind::Const(true) => *care,
            Kind::Const(false) => [0; BLOCK_WORDS],
            Kind::Leaf(leaf) => self.leaf(*leaf, care),
            Kind::Words(words) => {
                let words = words.get(self.first / 64..).unwrap_or(&[]);
                std::array::from_fn(|at| pick(care, at) & words.get(at).copied().unwrap_or(0))
            }
            Kind::IsThere(fact) => {
                self.gather(*fact, care);
                let Some(gathered) = self.gathered.get(*fact) else { return [0; BLOCK_WORDS] };
                and(&gathered.known, care)
            }
            Kind::Threshold(fact, range) => {
                self.gather(*fact, care);
                let Some(gathered) = self.gathered.get(*fact) else { return [0; BLOCK_WORDS] };
                gathered.holds(care, |values| i64::within(values, *range))
            }
            Kind::Bits(fact, mask) => {
                self.gather(*fact, care);
                let Some(gathered) = self.gathered.get(*fact) else { return [0; BLOCK_WORDS] };
                gathered.holds(care, |values| meets(values, *mask as i64))
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
        if let Gather::Group(group) = fact.gather {
            return self.gather_group(group, &wanted);
        }
        // Taken out, so that the rest of the worker can be used beside it.
        let mut values = self.gathered.get_mut(at).map(|g| std::mem::take(&mut g.values)).unwrap_or_default();
        if values.len() != BLOCK_WORDS * 64 {
            return;
        }
        let known = match &fact.gather {
            Gather::Kernel(leaf) => self.values(*leaf, &wanted, &mut values),
            Gather::Texts(met) => self.each_value(&wanted, &mut values, |row| Some(met.of(row))),
            Gather::Days(days) => self.each_value(&wanted, &mut values, |row| Some(days.of(row))),
            Gather::Group(_) => return,
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

    /// Gathers facts that one walk finds.
    fn gather_group(&mut self, group: usize, wanted: &Words) {
        let Some((group, facts)) = self.bound.groups.get(group) else { return };
        for fact in facts {
            let Some(gathered) = self.gathered.get_mut(*fact) else { continue };
            let of_none = group.of_none(*fact);
            let words = gathered.known.iter_mut().zip(&mut gathered.done).zip(gathered.values.chunks_mut(64));
            for (((known, done), values), wanted) in words.zip(wanted).filter(|(_, wanted)| **wanted != 0) {
                match of_none {
                    None => *known &= !wanted,
                    // Nobody of the word has a value yet, so that all may get this.
                    Some(value) if *done == 0 => {
                        values.fill(value);
                        *known = *wanted;
                    }
                    Some(value) => {
                        let slots = values.iter_mut().enumerate();
                        slots.filter(|(at, _)| *wanted >> at & 1 == 1).for_each(|(_, slot)| *slot = value);
                        *known |= wanted;
                    }
                }
                *done |= wanted;
            }
        }
        for (word, wanted) in wanted.iter().enumerate() {
            let wanted = match *wanted {
                0 => 0,
                wanted => wanted & group.possible(self.first + word * 64),
            };
            for place in places(wanted) {
                let at = word * 64 + place;
                group.of(self.first + at, &mut |fact, value| {
                    let Some(gathered) = self.gathered.get_mut(fact) else { return };
                    if let (Some(slot), Some(known)) = (gathered.values.get_mut(at), gathered.known.get_mut(word)) {
                        *slot = value;
                        *known |= 1 << place;
                    }
                });
            }
        }
    }

    /// A value for each profile of `wanted`, and who has one.
    fn each_value(&self, wanted: &Words, values: &mut [i64], of: impl Fn(usize) -> Option<i64>) -> Words {
        std::array::from_fn(|word| {
            let mut known = 0;
            for place in places(pick(wanted, word)) {
                let at = word * 64 + place;
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
            match &leaf.way {
                // SAFETY: the parameters were selected with this kernel's shape, for
                // the batch that `bound` borrows and tables that it owns; `care` has
                // bits only for its profiles; `scratch` is as long as any leaf was
                // promised; only `gather` runs kernels that write to `values`.
                Way::Code(kernel) => unsafe {
                    kernel.run(&leaf.params, self.first, care, to, &mut self.scratch, values);
                },
                Way::Column(cond) => {
                    // SAFETY: likewise, and the condition is about a column.
                    let asked = unsafe { Asked::new(cond, &leaf.params, self.bound.n_profiles, self.first, care) };
                    asked.decide(to);
                }
            }
        }
        out
    }
}
