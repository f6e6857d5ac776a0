//! The chooser: the only place that picks how a condition reads a batch.

use crate::input::{Bounded, Input};
use crate::kernels::{ColumnScan, ColumnTest, LastSequences, LastTimes, Range, Sequence, SharedWalk, TextsMet, Totals};
use crate::physical::{
    Access, AggregateSource, AggregateTest, Codegen, DerivedSource, Kind, PhysicalPlan, SharedAggregate, Step,
};
use crate::select::Select;
use hashbrown::{HashMap, HashSet};
use last_times::last_time;
use seg_data::{EventId, Mask, PropertyId};
use seg_hir::hir::Interval;
use seg_jit::template::{Cond, Template};
use seg_plan::{Compared, Comparison, Node, NodeId};
use sequences::last_extended;
use std::sync::Arc;
use texts::EverHad;
use totals::WindowSum;

mod columns;
mod days;
mod derived;
mod last_times;
mod sequences;
mod texts;
mod totals;

/// How the segments of a plan are decided over a batch. The batch is as of the
/// instant, and the columns that the plan reads were checked.
pub(crate) fn choose(input: Input<'_>) -> PhysicalPlan {
    let conditions = seg_plan::conditions(input.plan);
    let uses = Uses::new(input, &conditions);
    let physical = PhysicalPlan {
        n_people: input.batch.len(),
        existing: input.batch.existing(input.now).map(Mask::into_words),
        steps: Vec::with_capacity(conditions.len()),
        aggregates: Vec::new(),
        walks: Vec::new(),
        codegen: Vec::new(),
        roots: Vec::new(),
        order: Vec::new(),
    };
    let (positions, aggregates) = (HashMap::new(), HashMap::new());
    let mut chooser = Chooser { select: Select::new(input), uses, physical, positions, aggregates, walks: Vec::new() };
    for id in conditions {
        // Nobody looks at what is left out then.
        if input.options.cancel.is_cancelled() {
            break;
        }
        chooser.step(id);
    }
    chooser.finish()
}

/// What is chosen so far.
struct Chooser<'p> {
    select: Select<'p>,
    uses: Uses<'p>,
    physical: PhysicalPlan,
    /// The step of each condition.
    positions: HashMap<NodeId, usize>,
    /// The shared aggregates that there are already, by what they are about.
    aggregates: HashMap<About<'p>, usize>,
    walks: Vec<SharedWalk>,
}

/// What a shared aggregate is about.
#[derive(PartialEq, Eq, Hash)]
enum About<'p> {
    Compared(Compared<'p>),
    Texts(EventId, PropertyId),
}

/// Which values are shared, and how many conditions ask for a text of each property
/// and for a last time of each event.
struct Uses<'p> {
    shared: HashSet<Compared<'p>>,
    texts: HashMap<(EventId, PropertyId), usize>,
    last_times: HashMap<EventId, usize>,
    /// How many ask for a total or average of a property, where no column is
    /// derived for it.
    totals: HashMap<(EventId, PropertyId), usize>,
    /// The least of all bounds that a value is compared with, where all are lower
    /// ones.
    least: HashMap<Compared<'p>, Option<i64>>,
}

impl<'p> Uses<'p> {
    fn new(input: Input<'p>, conditions: &[NodeId]) -> Uses<'p> {
        let mut uses = Uses {
            shared: seg_plan::shared_aggregates(input.plan, conditions)
                .into_iter()
                .map(|shared| shared.compared)
                .collect(),
            texts: HashMap::new(),
            last_times: HashMap::new(),
            totals: HashMap::new(),
            least: HashMap::new(),
        };
        for id in conditions {
            if let Some(EverHad { event, property, .. }) = EverHad::recognize(input, *id) {
                *uses.texts.entry((event, property)).or_default() += 1;
            }
            let Some(comparison) = Comparison::of(input.node(*id), |id| input.plan.node(id)) else { continue };
            if let Some(WindowSum { about, .. }) = WindowSum::recognize(input, comparison.node)
                && !input.may_be_derived_sum(comparison.node)
            {
                *uses.totals.entry(about).or_default() += 1;
            }
            if let Some((event, _)) = last_time(&comparison.compared) {
                *uses.last_times.entry(event).or_default() += 1;
            }
            let least = input.bounded(&comparison).and_then(|bounded| bounded.least());
            let so_far = uses.least.entry(comparison.compared).or_insert(least);
            *so_far = so_far.zip(least).map(|(a, b)| a.min(b));
        }
        uses
    }
}

impl Uses<'_> {
    /// The least of all bounds of a value, where all are lower ones.
    fn least(&self, compared: &Compared<'_>) -> Option<i64> {
        self.least.get(compared).copied().flatten()
    }
}

impl<'p> Chooser<'p> {
    fn input(&self) -> Input<'p> {
        self.select.input
    }

    /// Adds the step of a condition, whose members have theirs.
    fn step(&mut self, id: NodeId) {
        let positions = |members: &[NodeId]| members.iter().map(|m| self.position(*m)).collect();
        let kind = match self.input().node(id) {
            Node::Const(value) => Kind::Const(*value),
            Node::All(members) => Kind::All(positions(members)),
            Node::Any(members) => Kind::Any(positions(members)),
            Node::Cardinality { min, max, members } => {
                Kind::Cardinality { min: *min, max: *max, members: positions(members) }
            }
            Node::Not(inner) => Kind::Not(self.position(*inner)),
            // Whatever else is a condition reads the batch, in one way or another.
            _ => self.access(id),
        };
        self.positions.insert(id, self.physical.steps.len());
        self.physical.steps.push(Step { node: id, kind, is_shared: false, estimate: None });
    }

    fn position(&self, id: NodeId) -> usize {
        // Every condition that a segment is made of has a step before it.
        self.positions.get(&id).copied().unwrap_or(0)
    }

    /// How a condition that is no combination reads the batch: from what others
    /// share, by time, from a column, or by code.
    fn access(&mut self, id: NodeId) -> Kind {
        if let Some((aggregate, test)) = self.shared(id) {
            return Kind::Access(Access::SharedAggregate(aggregate, test));
        }
        if let Some(words) = self.input().by_time(id) {
            return Kind::Access(Access::TopK(words));
        }
        if let Some((column, mask)) = self.input().ever_had(id) {
            let test = ColumnTest::AnyBit(column.values().clone(), mask);
            // Of texts that nobody's events have, there is no bit.
            return match mask {
                0 => Kind::Const(false),
                _ => Kind::Access(Access::DerivedColumn(DerivedSource::Texts, ColumnScan::new(test, None))),
            };
        }
        if let Some(scan) = self.scan(id) {
            return Kind::Access(scan);
        }
        let Some(selected) = self.select.condition(id) else {
            let bits = self.select.precomputed(id, None);
            return Kind::Access(Access::Precomputed(ColumnScan::new(ColumnTest::Bits(bits, true), None)));
        };
        match selected.template {
            Template::Condition(Cond::Const(value)) => Kind::Const(value),
            Template::Condition(_) | Template::Value(_) => {
                self.physical.codegen.push(Codegen { node: id, selected });
                Kind::Access(Access::Codegen(self.physical.codegen.len() - 1))
            }
        }
    }

    /// A condition by a shared aggregate, where that pays: the value is compared
    /// with other bounds as well, or finding it needs no code.
    fn shared(&mut self, id: NodeId) -> Option<(usize, AggregateTest)> {
        let input = self.input();
        if let Some(EverHad { event, property, texts }) = EverHad::recognize(input, id)
            && self.uses.texts.get(&(event, property)).is_some_and(|n| *n > 1)
            && !input.is_derived_text(event, property)
        {
            return self.texts_met(event, property, &texts);
        }
        let comparison = input.comparison(id).filter(|comparison| !input.is_derived(&comparison.compared))?;
        let aggregate = self.aggregate(&comparison)?;
        let Some((op, bound)) = comparison.bound else { return Some((aggregate, AggregateTest::IsValid)) };
        match self.physical.aggregates.get_mut(aggregate).map(|aggregate| &mut aggregate.source) {
            Some(AggregateSource::Walk(walk)) if self.uses.least(&comparison.compared).is_some() => {
                if let Some(SharedWalk::Sequences(sequences)) = self.walks.get_mut(*walk) {
                    sequences.compare_with(aggregate, bound);
                }
            }
            Some(AggregateSource::Days(days)) => days.compare_with(op, bound),
            Some(AggregateSource::Walk(_) | AggregateSource::Codegen(_) | AggregateSource::Texts(_)) | None => {}
        }
        Some((aggregate, AggregateTest::InRange(Range::<i64>::of(op, bound))))
    }

    fn texts_met(&mut self, event: EventId, property: PropertyId, texts: &[&str]) -> Option<(usize, AggregateTest)> {
        let Input { batch, now, .. } = self.input();
        let about = About::Texts(event, property);
        let aggregate = match self.aggregates.get(&about) {
            Some(aggregate) => *aggregate,
            None => {
                let source = AggregateSource::Texts(TextsMet::new(batch, event, property, now)?);
                self.add(about, SharedAggregate { node: None, is_windowed: false, source, is_shared: true })
            }
        };
        let of = self.physical.aggregates.get_mut(aggregate).map(|aggregate| &mut aggregate.source);
        let Some(AggregateSource::Texts(met)) = of else { return None };
        let mut mask = 0;
        for text in texts {
            mask |= 1 << met.bit(batch, event, property, text)?;
        }
        Some((aggregate, AggregateTest::AnyBit(mask)))
    }

    /// The shared aggregate of what a condition compares; none where a condition of its
    /// own is better.
    fn aggregate(&mut self, comparison: &Bounded<'p>) -> Option<usize> {
        let Bounded { compared, node: value, .. } = *comparison;
        let about = About::Compared(compared);
        if let Some(aggregate) = self.aggregates.get(&about) {
            return Some(*aggregate);
        }
        let input = self.input();
        let is_shared = self.uses.shared.contains(&compared);
        let next = self.physical.aggregates.len();
        let is_windowed = matches!(compared, Compared::Time(_))
            && input.node(value).query().is_some_and(|query| query.interval != Interval::default());
        let shared = |source, is_shared| SharedAggregate { node: Some(value), is_windowed, source, is_shared };
        if let Some((sequence, within)) = last_extended(input, &compared)
            && let Some(walk) = self.sequences_of(sequence)
        {
            if let Some(SharedWalk::Sequences(sequences)) = self.walks.get_mut(walk) {
                sequences.want(within, next);
            }
            return Some(self.add(about, shared(AggregateSource::Walk(walk), is_shared)));
        }
        if let Some(WindowSum { about: of, from, sum }) = WindowSum::recognize(input, value)
            && self.uses.totals.get(&of).is_some_and(|n_uses| *n_uses > 2)
            && let Some(walk) = self.totals_of(of)
        {
            if let Some(SharedWalk::Totals(totals)) = self.walks.get_mut(walk) {
                totals.want(from, sum, next);
            }
            return Some(self.add(about, shared(AggregateSource::Walk(walk), true)));
        }
        if let Some(days) = days::active_days(input, value) {
            return Some(self.add(about, shared(AggregateSource::Days(days), is_shared)));
        }
        if let Some((event, n)) = last_time(&compared)
            && self.uses.last_times.get(&event).is_some_and(|n_uses| *n_uses > 1)
        {
            let walk = self.times_of(event)?;
            if let Some(SharedWalk::Times(times)) = self.walks.get_mut(walk) {
                times.wanted.push((n, next));
            }
            // Shared even where each is compared with one bound: all are read at
            // once.
            return Some(self.add(about, shared(AggregateSource::Walk(walk), true)));
        }
        if !is_shared || input.node(value).query().is_none() {
            return None;
        }
        let selected = match &compared {
            Compared::Time(time) => self.select.shared_time(time, self.uses.least(&compared))?,
            Compared::Value(value) => self.select.shared_value(*value)?,
        };
        self.physical.codegen.push(Codegen { node: value, selected });
        let source = AggregateSource::Codegen(self.physical.codegen.len() - 1);
        Some(self.add(about, shared(source, is_shared)))
    }

    fn times_of(&mut self, event: EventId) -> Option<usize> {
        let is_it = |walk: &SharedWalk| matches!(walk, SharedWalk::Times(times) if times.event() == event);
        let input = self.input();
        let new = || LastTimes::new(input.batch, event, input.now).map(SharedWalk::Times);
        self.walk(is_it, new)
    }

    fn sequences_of(&mut self, sequence: Sequence) -> Option<usize> {
        let is_it = |walk: &SharedWalk| matches!(walk, SharedWalk::Sequences(walk) if walk.takes(&sequence));
        let input = self.input();
        let new = || LastSequences::new(input.batch, sequence.clone(), input.now).map(SharedWalk::Sequences);
        self.walk(is_it, new)
    }

    fn totals_of(&mut self, of: (EventId, PropertyId)) -> Option<usize> {
        let is_it = |walk: &SharedWalk| matches!(walk, SharedWalk::Totals(totals) if totals.about() == of);
        let input = self.input();
        self.walk(is_it, || Totals::new(input.batch, of, input.now).map(SharedWalk::Totals))
    }

    /// The walk that is there already, or a new one.
    fn walk(&mut self, is_it: impl Fn(&SharedWalk) -> bool, new: impl FnOnce() -> Option<SharedWalk>) -> Option<usize> {
        if let Some(at) = self.walks.iter().position(is_it) {
            return Some(at);
        }
        self.walks.push(new()?);
        Some(self.walks.len() - 1)
    }

    fn add(&mut self, about: About<'p>, aggregate: SharedAggregate) -> usize {
        self.physical.aggregates.push(aggregate);
        self.aggregates.insert(about, self.physical.aggregates.len() - 1);
        self.physical.aggregates.len() - 1
    }

    fn finish(mut self) -> PhysicalPlan {
        let input = self.input();
        for walk in &mut self.walks {
            if let SharedWalk::Sequences(sequences) = walk {
                sequences.finish(|event| input.latest_of(event));
            }
        }
        let roots = input.plan.roots().iter().map(|root| (Arc::from(root.name.as_str()), self.position(root.node)));
        self.physical.roots = roots.collect();
        let walks = std::mem::take(&mut self.walks).into_iter().map(|walk| {
            let aggregates = walk.aggregates();
            (walk, aggregates)
        });
        self.physical.walks = walks.collect();
        self.physical.finish();
        self.physical
    }
}
