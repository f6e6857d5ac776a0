//! The physical plan: how each condition of a plan is decided over one batch.
//!
//! A plan says what is true; a physical plan says how that is found out here and
//! now: which conditions read a column, which a column derived from events, which
//! need generated code, and which values several of them share. The chooser makes
//! it, the printer shows it (`seg emit --stage physical`), and the run loop follows
//! it.

use crate::kernels::{ActiveDays, ColumnScan, Range, SharedWalk, TextsMet};
use crate::order::Estimate;
use crate::select::Selected;
use seg_plan::NodeId;
use std::sync::Arc;

mod print;

/// How the segments of a plan are decided over a batch.
pub struct PhysicalPlan {
    /// How many people the batch has.
    pub(crate) n_people: usize,
    /// The words of those who exist; none where everybody does. Nobody else is
    /// asked about.
    pub(crate) existing: Option<Vec<u64>>,
    /// The conditions about people, each after those it is made of.
    pub(crate) steps: Vec<Step>,
    /// Values of people that several conditions compare.
    pub(crate) aggregates: Vec<SharedAggregate>,
    /// The walks that find several of them at once, with which they are.
    pub(crate) walks: Vec<(SharedWalk, Vec<usize>)>,
    /// What code is generated for.
    pub(crate) codegen: Vec<Codegen>,
    /// The segments, in the plan's order: the name and the step.
    pub(crate) roots: Vec<(Arc<str>, usize)>,
    /// The order in which those of the steps are decided that everybody is asked.
    pub(crate) order: Vec<usize>,
}

/// A condition about people.
pub(crate) struct Step {
    /// The condition in the plan.
    pub node: NodeId,
    pub kind: Kind,
    /// Whether it is wanted by more than one, so that it is decided for every
    /// profile and kept.
    pub is_shared: bool,
    /// What a sample of the people lets expect, where one was taken.
    pub estimate: Option<Estimate>,
}

/// What a condition is made of.
#[derive(Clone)]
pub(crate) enum Kind {
    Const(bool),
    All(Vec<usize>),
    Any(Vec<usize>),
    Cardinality { min: u64, max: Option<u64>, members: Vec<usize> },
    Not(usize),
    Access(Access),
}

/// How a condition that is no combination reads the batch.
#[derive(Clone)]
pub(crate) enum Access {
    /// The few people with the latest times: the words of all people.
    TopK(Vec<u64>),
    /// A column of the batch.
    Attribute(ColumnScan),
    /// A column that was derived from events and is kept with the batch.
    DerivedColumn(DerivedSource, ColumnScan),
    /// A bit for each person, which a kernel of the plan evaluator has computed.
    Precomputed(ColumnScan),
    /// The shared aggregate of this number.
    SharedAggregate(usize, AggregateTest),
    /// Generated code of this number, which walks over each person's events.
    Codegen(usize),
}

/// What a column was derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DerivedSource {
    Time,
    Sum,
    Texts,
}

/// What is asked of a shared aggregate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum AggregateTest {
    /// Whether there is one.
    IsValid,
    InRange(Range<i64>),
    /// Whether it has any bit of a mask.
    AnyBit(u64),
}

/// A value of people that conditions compare.
pub(crate) struct SharedAggregate {
    /// The value in the plan; none for the texts that a property's events ever had.
    pub node: Option<NodeId>,
    /// Whether the value has a window there, which each condition compares with.
    pub is_windowed: bool,
    pub source: AggregateSource,
    /// Whether more than one condition is compared with it.
    pub is_shared: bool,
}

/// How a shared aggregate is found.
pub(crate) enum AggregateSource {
    /// By generated code of this number.
    Codegen(usize),
    /// By the walk of this number.
    Walk(usize),
    Texts(TextsMet),
    Days(ActiveDays),
}

/// What code is generated for.
pub(crate) struct Codegen {
    /// The condition or value in the plan.
    pub node: NodeId,
    pub selected: Selected,
}

impl Kind {
    /// The steps it is made of.
    pub fn members(&self) -> &[usize] {
        match self {
            Kind::All(members) | Kind::Any(members) | Kind::Cardinality { members, .. } => members,
            Kind::Not(inner) => std::slice::from_ref(inner),
            Kind::Const(_) | Kind::Access(_) => &[],
        }
    }
}

impl PhysicalPlan {
    /// Marks the steps that are wanted by more than one, and finds the order in
    /// which they are decided.
    pub(crate) fn finish(&mut self) {
        let mut n_uses = vec![0_usize; self.steps.len()];
        let mut count = |at: &usize, n: usize| n_uses.get_mut(*at).map_or((), |uses| *uses += n);
        self.steps.iter().flat_map(|step| step.kind.members()).for_each(|member| count(member, 1));
        // A segment is wanted whole, and one that others refer to ends a chain.
        self.roots.iter().for_each(|(_, step)| count(step, 2));
        self.steps.iter_mut().zip(n_uses).for_each(|(step, n)| step.is_shared = n > 1);
        self.order = in_order(&self.steps);
    }
}

/// The steps with those first that compare one shared aggregate, aggregate by
/// aggregate, so that its values are still near for the next; what they are made
/// of, each after.
fn in_order(steps: &[Step]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|at| match steps.get(*at).map(|step| &step.kind) {
        Some(Kind::Access(Access::SharedAggregate(aggregate, _))) => *aggregate,
        _ => usize::MAX,
    });
    order
}
