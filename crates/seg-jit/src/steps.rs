//! How the conditions about people come about: by words from others, by a
//! kernel of their own, or by holding a fact against a bound.

use crate::compare::Range;
use crate::facts::{ActiveDays, Group, LastChains, LastTimes, Row, TextsMet, Totals, bound};
use crate::select::{Select, Selected};
use crate::shape::Cond;
use seg_data::{Batch, EventId, Instant, PropertyId};
use seg_hir::hir::CompareOp;
use seg_plan::{Node, NodeId, Plan};
use std::collections::{HashMap, HashSet};

/// How a condition about people comes about.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Const(bool),
    /// By the kernel of this number.
    Leaf(usize),
    /// Known by time: the words of all profiles.
    Words(Vec<u64>),
    /// Whether a fact is there.
    IsThere(usize),
    /// Whether a fact lies in a range.
    Threshold(usize, Range<i64>),
    /// Whether a fact has any of some bits.
    Bits(usize, u64),
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
pub(crate) struct Step {
    pub kind: Kind,
    /// Whether it is wanted by more than one, so that it is decided for every
    /// profile and kept.
    pub is_shared: bool,
}

#[derive(Default)]
pub(crate) struct Steps<'b> {
    pub steps: Vec<Step>,
    /// The condition that each is.
    pub nodes: Vec<NodeId>,
    places: HashMap<NodeId, usize>,
    pub leaf_nodes: Vec<NodeId>,
    pub facts: Vec<Fact<'b>>,
    pub groups: Vec<Group<'b>>,
    /// The facts that there are already, by what they are about.
    known: HashMap<About, usize>,
}

/// What a fact is about.
#[derive(PartialEq, Eq, Hash)]
enum About {
    Value(NodeId),
    Texts(EventId, PropertyId),
}

/// A fact of a program.
pub(crate) struct Fact<'b> {
    pub gather: Gather<'b>,
    /// Whether more than one condition is held against it.
    pub is_shared: bool,
}

/// How a fact is gathered.
pub(crate) enum Gather<'b> {
    /// By the kernel of this number.
    Kernel(usize),
    /// With the others of the group of this number.
    Group(usize),
    Texts(TextsMet<'b>),
    Days(ActiveDays<'b>),
}

impl<'b> Steps<'b> {
    pub fn place(&self, id: NodeId) -> usize {
        // Every condition that a segment is made of has a step before it.
        self.places.get(&id).copied().unwrap_or(0)
    }

    pub fn count_uses(&mut self, roots: &[usize]) {
        let mut n_uses = vec![0_usize; self.steps.len()];
        let mut seen = |at: &usize, n: usize| n_uses.get_mut(*at).map_or((), |uses| *uses += n);
        for step in &self.steps {
            match &step.kind {
                Kind::All(members) | Kind::Any(members) | Kind::Several { members, .. } => {
                    members.iter().for_each(|m| seen(m, 1));
                }
                Kind::Not(inner) => seen(inner, 1),
                Kind::Const(_)
                | Kind::Leaf(_)
                | Kind::Words(_)
                | Kind::IsThere(_)
                | Kind::Threshold(..)
                | Kind::Bits(..) => {}
            }
        }
        // A segment is wanted whole, and one that others refer to ends a chain.
        roots.iter().for_each(|r| seen(r, 2));
        self.steps.iter_mut().zip(n_uses).for_each(|(step, n)| step.is_shared = n > 1);
    }
}

/// The conditions about people that the segments are made of, each after those
/// it is made of, and the shapes of those that are no combination.
pub(crate) fn steps<'p, 'b: 'p>(plan: &'p Plan, select: &mut Select<'p, 'b>) -> (Steps<'b>, Vec<Selected>) {
    let wanted = seg_plan::conditions(plan);
    let uses = Uses::new(plan, &wanted, select);
    let mut steps = Steps::default();
    let mut selected = Vec::new();
    for (id, node) in wanted.into_iter().filter_map(|id| Some((id, plan.node(id)?))) {
        // Nobody looks at what is left out then.
        if select.is_cancelled() {
            break;
        }
        let kind = match node {
            Node::Const(value) => Kind::Const(*value),
            Node::All(members) => Kind::All(members.iter().map(|m| steps.place(*m)).collect()),
            Node::Any(members) => Kind::Any(members.iter().map(|m| steps.place(*m)).collect()),
            Node::Several { min, max, members } => {
                let members = members.iter().map(|m| steps.place(*m)).collect();
                Kind::Several { min: *min, max: *max, members }
            }
            Node::Not(inner) => Kind::Not(steps.place(*inner)),
            _ => match steps.of_facts(plan, id, select, &uses, &mut selected) {
                Some(kind) => kind,
                None if let Some(words) = select.by_time(id) => Kind::Words(words),
                None => {
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
            },
        };
        steps.places.insert(id, steps.steps.len());
        steps.steps.push(Step { kind, is_shared: false });
        steps.nodes.push(id);
    }
    for group in &mut steps.groups {
        if let Group::Chains(chains) = group {
            chains.finish(|event| select.latest_of(event));
        }
    }
    (steps, selected)
}

/// Which values are facts, and how many conditions ask for a text of each
/// property and for a last time of each event.
struct Uses {
    shared: HashSet<NodeId>,
    texts: HashMap<(EventId, PropertyId), usize>,
    last_times: HashMap<EventId, usize>,
    /// Likewise for a total or average of a property, where no layout has it.
    totals: HashMap<(EventId, PropertyId), usize>,
    /// Whether all bounds of a value are lower ones.
    are_lower: HashMap<NodeId, bool>,
}

impl Uses {
    fn new(plan: &Plan, conditions: &[NodeId], select: &Select<'_, '_>) -> Uses {
        let mut uses = Uses {
            shared: seg_plan::facts(plan).into_iter().map(|fact| fact.value).collect(),
            texts: HashMap::new(),
            last_times: HashMap::new(),
            totals: HashMap::new(),
            are_lower: HashMap::new(),
        };
        for (id, node) in conditions.iter().filter_map(|id| Some((*id, plan.node(*id)?))) {
            if let Some((event, property, _)) = TextsMet::asked(plan, id) {
                *uses.texts.entry((event, property)).or_default() += 1;
            }
            let (value, is_lower) = match node {
                Node::Compare(op, value, _) => (*value, matches!(op, CompareOp::Greater | CompareOp::GreaterOrEqual)),
                Node::Known(value) => (*value, false),
                _ => continue,
            };
            if let Some((of, ..)) = Totals::asked(plan, value, select.now())
                && !select.may_be_derived_sum(value)
            {
                *uses.totals.entry(of).or_default() += 1;
            }
            if let Some((event, _)) = LastTimes::asked(plan, value) {
                *uses.last_times.entry(event).or_default() += 1;
            }
            *uses.are_lower.entry(value).or_insert(true) &= is_lower;
        }
        uses
    }

    fn is_shared(&self, value: NodeId) -> bool {
        self.shared.contains(&value)
    }
}

impl<'b> Steps<'b> {
    /// A condition by a fact, where that pays: the value is held against other
    /// bounds as well, or gathering it needs no code.
    fn of_facts<'p>(
        &mut self,
        plan: &'p Plan,
        id: NodeId,
        select: &mut Select<'p, 'b>,
        uses: &Uses,
        selected: &mut Vec<Selected>,
    ) -> Option<Kind>
    where
        'b: 'p,
    {
        if let Some((event, property, texts)) = TextsMet::asked(plan, id)
            && uses.texts.get(&(event, property)).is_some_and(|n| *n > 1)
            && !select.is_derived_text(event, property)
        {
            return self.texts_met(select, event, property, &texts);
        }
        if let Node::Known(value) | Node::Compare(_, value, _) = plan.node(id)?
            && select.is_derived_value(*value)
        {
            return None;
        }
        match plan.node(id)? {
            Node::Known(value) => Some(Kind::IsThere(self.fact(plan, *value, select, uses, selected)?)),
            Node::Compare(op, value, other) => {
                let bound = bound(plan, *other, select.now())?;
                let fact = self.fact(plan, *value, select, uses, selected)?;
                match self.facts.get_mut(fact).map(|fact| &mut fact.gather) {
                    Some(Gather::Group(group)) if uses.are_lower.get(value) == Some(&true) => {
                        if let Some(Group::Chains(chains)) = self.groups.get_mut(*group) {
                            chains.hold_against(fact, bound);
                        }
                    }
                    Some(Gather::Days(days)) => days.hold_against(*op, bound),
                    _ => {}
                }
                Some(Kind::Threshold(fact, Range::<i64>::of(*op, bound)))
            }
            _ => None,
        }
    }

    fn texts_met(
        &mut self,
        select: &Select<'_, 'b>,
        event: EventId,
        property: PropertyId,
        texts: &[&str],
    ) -> Option<Kind> {
        let about = About::Texts(event, property);
        let fact = match self.known.get(&about) {
            Some(fact) => *fact,
            None => {
                let met = TextsMet::new(select.batch(), event, property, select.now())?;
                self.add(about, Fact { gather: Gather::Texts(met), is_shared: true })
            }
        };
        let Some(Fact { gather: Gather::Texts(met), .. }) = self.facts.get_mut(fact) else { return None };
        let mut mask = 0;
        for text in texts {
            mask |= 1 << met.bit(select.batch(), event, property, text)?;
        }
        Some(Kind::Bits(fact, mask))
    }

    /// The fact of a value; none where a condition of its own is better.
    fn fact<'p>(
        &mut self,
        plan: &'p Plan,
        value: NodeId,
        select: &mut Select<'p, 'b>,
        uses: &Uses,
        selected: &mut Vec<Selected>,
    ) -> Option<usize>
    where
        'b: 'p,
    {
        let about = About::Value(value);
        if let Some(fact) = self.known.get(&about) {
            return Some(*fact);
        }
        let is_shared = uses.is_shared(value);
        let (batch, now) = (select.batch(), select.now());
        if let Some((row, within)) = LastChains::asked(plan, value)
            && let Some(group) = self.chains_of(batch, row, now)
        {
            let fact = self.add(about, Fact { gather: Gather::Group(group), is_shared });
            if let Some(Group::Chains(chains)) = self.groups.get_mut(group) {
                chains.want(within, fact);
            }
            return Some(fact);
        }
        if let Some((of, from, sum)) = Totals::asked(plan, value, now)
            && uses.totals.get(&of).is_some_and(|n_uses| *n_uses > 2)
            && let Some(group) = self.totals_of(batch, of, now)
        {
            let fact = self.add(about, Fact { gather: Gather::Group(group), is_shared: true });
            if let Some(Group::Totals(totals)) = self.groups.get_mut(group) {
                totals.want(from, sum, fact);
            }
            return Some(fact);
        }
        if let Some(days) = ActiveDays::find(plan, value, batch, now) {
            return Some(self.add(about, Fact { gather: Gather::Days(days), is_shared }));
        }
        if let Some((event, n)) = LastTimes::asked(plan, value)
            && uses.last_times.get(&event).is_some_and(|n_uses| *n_uses > 1)
        {
            let group = self.times_of(batch, event, now)?;
            // Shared even where each is held against one bound: all are read at
            // once.
            let fact = self.add(about, Fact { gather: Gather::Group(group), is_shared: true });
            if let Some(Group::Times(times)) = self.groups.get_mut(group) {
                times.wanted.push((n, fact));
            }
            return Some(fact);
        }
        if !is_shared || plan.node(value)?.query().is_none() {
            return None;
        }
        let shape = select.gather(value)?;
        selected.push(shape);
        self.leaf_nodes.push(value);
        Some(self.add(about, Fact { gather: Gather::Kernel(selected.len() - 1), is_shared }))
    }

    fn times_of(&mut self, batch: &'b Batch, event: EventId, now: Instant) -> Option<usize> {
        let is_it = |group: &Group<'_>| matches!(group, Group::Times(times) if times.event() == event);
        let at = self.groups.iter().position(is_it);
        at.or_else(|| LastTimes::new(batch, event, now).map(|times| self.add_group(Group::Times(times))))
    }

    fn chains_of(&mut self, batch: &'b Batch, row: Row, now: Instant) -> Option<usize> {
        let is_it = |group: &Group<'_>| matches!(group, Group::Chains(chains) if chains.takes(&row));
        let at = self.groups.iter().position(is_it);
        at.or_else(|| LastChains::new(batch, row, now).map(|chains| self.add_group(Group::Chains(chains))))
    }

    fn totals_of(&mut self, batch: &'b Batch, of: (EventId, PropertyId), now: Instant) -> Option<usize> {
        let is_it = |group: &Group<'_>| matches!(group, Group::Totals(totals) if totals.about() == of);
        let at = self.groups.iter().position(is_it);
        at.or_else(|| Totals::new(batch, of, now).map(|totals| self.add_group(Group::Totals(totals))))
    }

    fn add_group(&mut self, group: Group<'b>) -> usize {
        self.groups.push(group);
        self.groups.len() - 1
    }

    fn add(&mut self, about: About, fact: Fact<'b>) -> usize {
        self.facts.push(fact);
        self.known.insert(about, self.facts.len() - 1);
        self.facts.len() - 1
    }
}
