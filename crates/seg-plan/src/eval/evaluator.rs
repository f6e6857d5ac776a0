//! A plan made ready for batch after batch of few people.

use super::{Domain, Eval};
use crate::level::{Level, levels};
use crate::plan::{Node, NodeId, Plan};
use crate::reach::reached_by;
use seg_data::{Batch, EventId, Timestamp, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// Segments that are made of segments, and so on, so many times: more than that is not decided
/// by recursion.
const DEPTH_MAX: u32 = 64;

/// A plan with what its evaluation takes that is the same for every batch. What depends on a
/// batch, columns and their dictionaries, is looked up as it is asked for, so that a batch of
/// any layout of the plan's schema is as good as another.
#[derive(Debug, Clone)]
pub struct PlanEvaluator {
    plan: Arc<Plan>,
    levels: Arc<[Level]>,
    /// The nodes to decide one after the other before anything is asked for, where they are
    /// made of each other through too many for recursion.
    first: Arc<[NodeId]>,
}

impl PlanEvaluator {
    /// Of a plan.
    pub fn new(plan: Arc<Plan>) -> PlanEvaluator {
        let mut depths: Vec<u32> = Vec::with_capacity(plan.nodes().len());
        for node in plan.nodes() {
            let below = [node.children(), node.inner()].concat();
            let deepest = below.iter().filter_map(|id| depths.get(id.idx())).max();
            depths.push(deepest.map_or(0, |depth| depth + 1));
        }
        let is_deep = depths.iter().any(|depth| *depth > DEPTH_MAX);
        let first = if is_deep { reached_by(&plan, Node::children) } else { Vec::new() };
        PlanEvaluator { levels: levels(&plan).into(), first: first.into(), plan }
    }

    /// The plan.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Whether its nodes are made of each other through too many for recursion.
    pub(crate) fn is_deep(&self) -> bool {
        !self.first.is_empty()
    }

    /// The plan over a batch, which is as of `now` ([`Batch::as_of`]) and of which the columns
    /// that it reads were checked. Nothing is decided that nobody asks for.
    pub fn over<'e>(&'e self, batch: &'e Batch, now: Timestamp) -> Evaluated<'e> {
        let mut eval = Eval::with_levels(&self.plan, Cow::Borrowed(&self.levels), batch, now);
        for id in self.first.iter() {
            eval.column(*id, Domain::People);
        }
        Evaluated { eval }
    }
}

/// A plan over one batch, as far as somebody asked.
pub struct Evaluated<'e> {
    eval: Eval<'e>,
}

impl<'e> Evaluated<'e> {
    /// As of when.
    pub fn now(&self) -> Timestamp {
        self.eval.now
    }

    /// The batch.
    pub fn batch(&self) -> &'e Batch {
        self.eval.batch
    }

    /// Whether the person of a row is in each segment, in the order of the plan's roots; in
    /// none before they exist.
    pub fn segments(&mut self, row: usize) -> Vec<bool> {
        let roots = self.eval.plan.roots();
        let exists = self.eval.batch.exists_from(row).is_none_or(|begins| begins <= self.eval.now);
        roots.iter().map(|root| exists && self.holds(root.node, row)).collect()
    }

    /// Whether a condition about people holds for one of them, who exists.
    pub(crate) fn holds(&mut self, id: NodeId, row: usize) -> bool {
        match self.eval.column(id, Domain::People).as_ref() {
            super::Column::Bools(bits) => bits.get(row).copied().unwrap_or(false),
            _ => false,
        }
    }

    /// A value of a person.
    pub(crate) fn value(&mut self, id: NodeId, row: usize) -> Option<Value> {
        self.eval.column(id, Domain::People).value(row)
    }

    /// Whether a condition about events of a name holds for the one of a person that stands at
    /// a position among theirs.
    pub(crate) fn holds_of_event(&mut self, id: NodeId, event: EventId, (row, at): (usize, usize)) -> bool {
        let first = self.first_row(event, row);
        match self.eval.column(id, Domain::Events(event)).as_ref() {
            super::Column::Bools(bits) => bits.get(first + at).copied().unwrap_or(false),
            _ => false,
        }
    }

    /// The value of the event of a person that stands at a position among theirs of its name.
    pub(crate) fn value_of_event(&mut self, id: NodeId, event: EventId, (row, at): (usize, usize)) -> Option<Value> {
        let first = self.first_row(event, row);
        self.eval.column(id, Domain::Events(event)).value(first + at)
    }

    fn first_row(&mut self, event: EventId, row: usize) -> usize {
        self.eval.event_rows(event).first.get(row).map_or(usize::MAX / 2, |first| *first as usize)
    }
}
