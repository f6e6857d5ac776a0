//! The run loop: what a thread does with blocks of profiles, step by step.

use crate::kernels::{Ranged, meets};
use crate::physical::{Access, AggregateSource, AggregateTest, Kind, Step};
use crate::program::CompiledPlan;
use crate::words::{BLOCK_WORDS, Counts, Words, and, bit_positions, get, is_none};
use seg_jit::Scratch;

/// Where so many profiles of a word want a shared aggregate, it is found for all.
const DENSE: u32 = 8;

/// The values of a shared aggregate for a block of profiles.
struct Found {
    values: Vec<i64>,
    /// Who has one.
    known: Words,
    /// For whom that is known.
    done: Words,
}

impl Default for Found {
    fn default() -> Found {
        Found { values: vec![0; BLOCK_WORDS * 64], known: [0; BLOCK_WORDS], done: [0; BLOCK_WORDS] }
    }
}

impl Found {
    /// What holds of the values, for those of a selection who have one.
    fn holds(&self, selection: &Words, bits: impl Fn(&[i64]) -> u64) -> Words {
        std::array::from_fn(|word| {
            let open = get(selection, word) & get(&self.known, word);
            match self.values.get(word * 64..(word + 1) * 64) {
                Some(values) if open != 0 => bits(values) & open,
                _ => 0,
            }
        })
    }

    /// Nobody who is wanted has a value yet, or everybody the one by default.
    fn begin(&mut self, default: Option<i64>, wanted: &Words) {
        let words = self.known.iter_mut().zip(&mut self.done).zip(self.values.chunks_mut(64));
        for (((known, done), values), wanted) in words.zip(wanted).filter(|(_, wanted)| **wanted != 0) {
            match default {
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
}

/// Whether a mistake is made on purpose; in no build but that of the tests that must
/// find it.
macro_rules! has_fault {
    ($worker:expr, $fault:ident) => {{
        #[cfg(feature = "faults")]
        let has_fault = $worker.plan.fault == Some(crate::fault::Fault::$fault);
        #[cfg(not(feature = "faults"))]
        let has_fault = false;
        has_fault
    }};
}

/// What a thread needs while it works.
pub(crate) struct Worker<'w> {
    plan: &'w CompiledPlan,
    /// For each step, its answers for the block at hand, if it is kept.
    kept: Vec<Words>,
    /// For each shared aggregate, its values for the block at hand as far as they
    /// are known.
    found: Vec<Found>,
    scratch: Scratch,
    /// The first profile of the block, and its number of words.
    first: usize,
    n_words: usize,
    /// Whether every step is decided for the whole block, wanted or not.
    pub keeps_all: bool,
}

impl<'w> Worker<'w> {
    /// For a plan that is compiled.
    pub fn new(plan: &'w CompiledPlan) -> Worker<'w> {
        let kept = vec![[0; BLOCK_WORDS]; plan.physical.steps.len()];
        let found = plan.physical.aggregates.iter().map(|_| Found::default()).collect();
        Worker { plan, kept, found, scratch: Scratch::default(), first: 0, n_words: 0, keeps_all: false }
    }

    /// Decides the segments for the profiles of so many words from a word on;
    /// [`Worker::answers`] are theirs then.
    pub fn block(&mut self, first_word: usize, n_words: usize) {
        self.first = first_word * 64;
        self.n_words = n_words.min(BLOCK_WORDS);
        let existing = self.existing(&self.everyone());
        self.decide_shared(&existing);
    }

    /// The same for one profile, in bit 0 of word 0 if its row is the first of a
    /// word, and so on.
    pub fn one(&mut self, row: usize) {
        self.first = row / 64 * 64;
        self.n_words = 1;
        let mut selection = [0; BLOCK_WORDS];
        if let Some(word) = selection.first_mut().filter(|_| row < self.plan.physical.n_people) {
            *word = 1 << (row % 64);
        }
        let selection = self.existing(&selection);
        self.decide_shared(&selection);
    }

    /// Those of a selection who exist.
    fn existing(&self, selection: &Words) -> Words {
        let Some(existing) = self.plan.physical.existing.as_ref().filter(|_| !has_fault!(self, EverybodyExists)) else {
            return *selection;
        };
        let existing = existing.get(self.first / 64..).unwrap_or(&[]);
        std::array::from_fn(|at| get(selection, at) & existing.get(at).copied().unwrap_or(0))
    }

    fn decide_shared(&mut self, selection: &Words) {
        if !has_fault!(self, BlockOfStaleValues) {
            self.found.iter_mut().for_each(|found| found.done = [0; BLOCK_WORDS]);
        }
        let plan = self.plan;
        for at in &plan.physical.order {
            if let Some(step) = plan.physical.steps.get(*at).filter(|step| step.is_shared || self.keeps_all) {
                let words = self.combine(step, selection);
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
        let n_profiles = self.plan.physical.n_people.saturating_sub(self.first);
        std::array::from_fn(|word| match n_profiles.saturating_sub(word * 64) {
            0 => 0,
            n if n < 64 => (1 << n) - 1,
            _ => u64::MAX,
        })
    }

    /// The answers of a step for the profiles of a selection; other bits are 0.
    fn decide(&mut self, at: usize, selection: &Words) -> Words {
        let plan = self.plan;
        let Some(step) = plan.physical.steps.get(at) else { return [0; BLOCK_WORDS] };
        match (step.is_shared || self.keeps_all, self.kept.get(at)) {
            (true, Some(kept)) => and(kept, selection),
            _ => self.combine(step, selection),
        }
    }

    fn combine(&mut self, step: &Step, selection: &Words) -> Words {
        match &step.kind {
            Kind::Const(true) => *selection,
            Kind::Const(false) => [0; BLOCK_WORDS],
            Kind::Access(access) => self.access(access, selection),
            Kind::Not(inner) => {
                let words = self.decide(*inner, selection);
                if has_fault!(self, NotOfEverybody) {
                    return words.map(|word| !word);
                }
                std::array::from_fn(|at| get(selection, at) & !get(&words, at))
            }
            Kind::Cardinality { min, max, members } => {
                let mut counts = Counts::default();
                for member in members {
                    let words = self.decide(*member, selection);
                    counts.add(words);
                }
                let enough = counts.reach(*min);
                let many = max.and_then(|max| max.checked_add(1)).map(|above| counts.reach(above));
                let is_many = |at| many.as_ref().map_or(0, |many| get(many, at));
                std::array::from_fn(|at| get(&enough, at) & !is_many(at) & get(selection, at))
            }
            // Whoever fails one condition need not meet the others.
            Kind::All(members) => {
                let mut open = *selection;
                for member in members {
                    if is_none(&open) {
                        break;
                    }
                    open = self.decide(*member, &open);
                    if has_fault!(self, AllStopsAtFirst) {
                        break;
                    }
                }
                open
            }
            // Nor must whoever meets one.
            Kind::Any(members) => {
                let (mut open, mut found) = (*selection, [0; BLOCK_WORDS]);
                for member in members {
                    if is_none(&open) {
                        break;
                    }
                    let words = self.decide(*member, &open);
                    if has_fault!(self, AnyForgetsFirst) {
                        found = [0; BLOCK_WORDS];
                    }
                    found = std::array::from_fn(|at| get(&found, at) | get(&words, at));
                    open = std::array::from_fn(|at| get(&open, at) & !get(&words, at));
                }
                found
            }
        }
    }

    fn access(&mut self, access: &Access, selection: &Words) -> Words {
        match access {
            Access::TopK(words) => {
                let first = if has_fault!(self, WordsOfFirstBlock) { 0 } else { self.first / 64 };
                let words = words.get(first..).unwrap_or(&[]);
                std::array::from_fn(|at| get(selection, at) & words.get(at).copied().unwrap_or(0))
            }
            Access::Attribute(scan) | Access::DerivedColumn(_, scan) | Access::Precomputed(scan) => {
                scan.decide(self.first / 64, selection, self.n_words)
            }
            Access::SharedAggregate(aggregate, test) => {
                self.find(*aggregate, selection);
                let Some(found) = self.found.get(*aggregate) else { return [0; BLOCK_WORDS] };
                match *test {
                    AggregateTest::IsValid => and(&found.known, selection),
                    AggregateTest::InRange(range) => found.holds(selection, |values| i64::within(values, range)),
                    AggregateTest::AnyBit(mask) => found.holds(selection, |values| meets(values, mask as i64)),
                }
            }
            Access::Codegen(code) => self.code(*code, selection, &mut []),
        }
    }

    /// Sees to it that a shared aggregate is known for the profiles of a selection.
    fn find(&mut self, at: usize, selection: &Words) {
        let plan = self.plan;
        let (Some(aggregate), Some(found)) = (plan.physical.aggregates.get(at), self.found.get(at)) else { return };
        let (done, everyone) = (found.done, self.everyone());
        let wanted: Words = std::array::from_fn(|word| {
            let (selected, done) = (get(selection, word), get(&done, word));
            let open = selected & !done;
            // Others will want the rest of the word too.
            let is_dense = aggregate.is_shared && open.count_ones() >= DENSE;
            if is_dense { get(&everyone, word) & !done } else { open }
        });
        if is_none(&wanted) {
            return;
        }
        // Taken out, so that the rest of the worker can be used beside it.
        let take = |worker: &mut Worker<'_>| worker.found.get_mut(at).map(|f| std::mem::take(&mut f.values));
        let (known, values) = match &aggregate.source {
            AggregateSource::Walk(walk) => return self.follow(*walk, &wanted),
            AggregateSource::Codegen(code) => {
                let mut values = take(self).unwrap_or_default();
                (self.code(*code, &wanted, &mut values), values)
            }
            AggregateSource::Texts(met) => {
                let mut values = take(self).unwrap_or_default();
                (self.each_value(&wanted, &mut values, |row| met.of(row)), values)
            }
            AggregateSource::Days(days) => {
                let mut values = take(self).unwrap_or_default();
                (self.each_value(&wanted, &mut values, |row| days.of(row)), values)
            }
        };
        if let Some(found) = self.found.get_mut(at) {
            found.values = values;
            for (word, wanted) in wanted.iter().enumerate() {
                if let (Some(of), Some(done)) = (found.known.get_mut(word), found.done.get_mut(word)) {
                    *of = *of & !wanted | get(&known, word);
                    *done |= wanted;
                }
            }
        }
    }

    /// Finds the aggregates of a walk.
    fn follow(&mut self, walk: usize, wanted: &Words) {
        let plan = self.plan;
        let Some((walk, aggregates)) = plan.physical.walks.get(walk) else { return };
        for aggregate in aggregates {
            let Some(found) = self.found.get_mut(*aggregate) else { continue };
            found.begin(walk.default_value(*aggregate), wanted);
        }
        for (word, wanted) in wanted.iter().enumerate() {
            let wanted = match *wanted {
                0 => 0,
                wanted => wanted & walk.possible(self.first + word * 64),
            };
            for position in bit_positions(wanted) {
                let at = word * 64 + position;
                walk.of(self.first + at, &mut |aggregate, value| {
                    let Some(found) = self.found.get_mut(aggregate) else { return };
                    if let (Some(slot), Some(known)) = (found.values.get_mut(at), found.known.get_mut(word)) {
                        *slot = value;
                        *known |= 1 << position;
                    }
                });
            }
        }
    }

    /// A value for each profile of `wanted`, who all have one.
    fn each_value(&self, wanted: &Words, values: &mut [i64], of: impl Fn(usize) -> i64) -> Words {
        for (word, wanted) in wanted.iter().enumerate() {
            for position in bit_positions(*wanted) {
                let at = word * 64 + position;
                if let Some(slot) = values.get_mut(at) {
                    let first = if has_fault!(self, BlockOfFirstPeople) { 0 } else { self.first };
                    *slot = of(first + at);
                }
            }
        }
        *wanted
    }

    /// Runs generated code for the profiles of a selection. Where it computes values
    /// they go to `values`, which then has a place for each profile of a block.
    fn code(&mut self, code: usize, selection: &Words, values: &mut [i64]) -> Words {
        let mut out = [0; BLOCK_WORDS];
        let plan = self.plan;
        if let (Some(kernel), Some(selection), Some(to)) =
            (plan.kernels.get(code), selection.get(..self.n_words), out.get_mut(..self.n_words))
        {
            kernel.run(self.first, selection, to, values, &mut self.scratch);
        }
        out
    }
}
