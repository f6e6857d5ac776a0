//! When the answer for one person changes: by what happens, and by time alone.
//!
//! A condition changes only at an *edge*: as an event or a value comes, as one of them
//! crosses the end of a window, as a date comes near or is passed, as a period of the
//! calendar begins, as a length of time has gone by, or as the person comes to exist.
//! [`Edges`] knows from the plan which of these a condition asks about; for a person
//! they are a list of instants, between which nothing changes. So the answer at each of
//! them, by the plan evaluator, is the answer at every instant.
//!
//! Edges that come from data are exact however far away they are. A segment that asks for
//! what comes again for ever, as an anniversary does, is looked at up to [`CALENDAR_DAYS`]
//! ahead, which is more than a year.

mod asked;
mod happening;
mod moments;
mod stays;
mod values;
mod wakes;
mod walk;
mod window;

pub use stays::{StayWalk, Stays};
pub use wakes::{Wake, WakeOf};
pub use walk::{Over, Timeline, Walk};

use crate::plan::{Node, NodeId, Plan, Root};
use asked::Asked;
use seg_data::{Batch, Timestamp};
use std::collections::HashMap;
use window::Window;

/// So many days ahead it is looked at what comes again for ever.
pub const CALENDAR_DAYS: i64 = 400;

/// When an answer changes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextChange {
    /// The first instant after `now` with another answer, if nothing else happens.
    pub at: Option<Timestamp>,
    /// How far that was looked for; to the end of all years without one.
    pub until: Option<Timestamp>,
}

/// What some segments of a plan ask that can change in time, made ready for person after
/// person.
#[derive(Debug)]
pub struct Edges {
    /// The segments, and what they are made of.
    plan: Plan,
    leaves: Vec<Leaf>,
    /// Each after those it is made of.
    parts: Vec<Part>,
    /// The condition of the plan that each is.
    conditions: Vec<NodeId>,
    /// The part that each segment is.
    roots: Vec<usize>,
}

/// A condition that is made of no others.
#[derive(Debug)]
struct Leaf {
    /// What it is in the plan of all.
    node: NodeId,
    /// It alone, as the only root.
    plan: Plan,
    asked: Asked,
    /// What it counts or adds up, where that lies in one window.
    window: Option<Window>,
}

/// How conditions are joined.
#[derive(Debug)]
enum Part {
    Const(bool),
    /// Which of the leaves.
    Leaf(usize),
    Not(usize),
    /// At least and at most so many.
    Several(u64, u64, Vec<usize>),
}

impl Edges {
    /// Of some segments of a plan, by their positions among its roots.
    pub fn of(plan: &Plan, roots: &[usize]) -> Edges {
        let chosen: Vec<Root> = roots.iter().filter_map(|at| plan.roots().get(*at).cloned()).collect();
        Edges::of_all(&crate::passes::part(plan, &chosen))
    }

    /// Of all segments of a plan.
    fn of_all(plan: &Plan) -> Edges {
        let empty = (Vec::new(), Vec::new(), Vec::new(), HashMap::new());
        let (leaves, parts, conditions, met) = empty;
        let mut split = Split { plan, leaves, parts, conditions, met };
        let roots = plan.roots().iter().map(|root| split.part(root.node)).collect();
        let Split { leaves, parts, conditions, .. } = split;
        Edges { plan: plan.clone(), leaves, parts, conditions, roots }
    }

    /// Of how many segments.
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    /// Whether of none.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// The segments alone, as a plan of their own.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// A walk over people; it keeps what it found out about calendars.
    pub fn walk(&self) -> Walk<'_> {
        Walk::new(self, None)
    }

    /// What the segments ask of the events of a batch, whose columns were checked, with all
    /// that happens up to an instant.
    pub fn over(&self, batch: &Batch, until: Timestamp) -> Over {
        Over::new(self, batch, until)
    }

    /// A walk over people of a batch for which that was computed.
    pub fn walk_over<'e>(&'e self, over: &'e Over) -> Walk<'e> {
        Walk::new(self, Some(over))
    }
}

/// A plan on its way into parts.
struct Split<'p> {
    plan: &'p Plan,
    leaves: Vec<Leaf>,
    parts: Vec<Part>,
    conditions: Vec<NodeId>,
    met: HashMap<NodeId, usize>,
}

impl Split<'_> {
    fn part(&mut self, id: NodeId) -> usize {
        if let Some(part) = self.met.get(&id) {
            return *part;
        }
        let all = |members: &[NodeId]| members.len() as u64;
        let part = match self.plan.node(id) {
            None => Part::Const(false),
            Some(Node::Const(value)) => Part::Const(*value),
            Some(Node::Not(inner)) => Part::Not(self.part(*inner)),
            Some(Node::All(members)) => Part::Several(all(members), u64::MAX, self.members(members)),
            Some(Node::Any(members)) => Part::Several(1, u64::MAX, self.members(members)),
            Some(Node::Cardinality { min, max, members }) => {
                Part::Several(*min, max.unwrap_or(u64::MAX), self.members(members))
            }
            Some(_) => {
                let root = Root { name: String::new(), node: id };
                let plan = crate::passes::part(self.plan, &[root]);
                let asked = Asked::of(&plan);
                let window = plan.roots().first().and_then(|root| Window::of(&plan, root.node));
                self.leaves.push(Leaf { node: id, plan, asked, window });
                Part::Leaf(self.leaves.len() - 1)
            }
        };
        self.parts.push(part);
        self.conditions.push(id);
        self.met.insert(id, self.parts.len() - 1);
        self.parts.len() - 1
    }

    fn members(&mut self, members: &[NodeId]) -> Vec<usize> {
        members.iter().map(|member| self.part(*member)).collect()
    }
}

/// The first instant after `now` at which a segment, a root of the plan, has another answer
/// for a person, a row of the batch, if nothing else happens. What the batch knows of that
/// comes after `now`, events and values with a date, has not happened.
///
/// `None` for a segment or a person that is not there, an instant out of range, or columns
/// that break the batch contract.
pub fn next_change(plan: &Plan, root: usize, batch: &Batch, row: usize, now: Timestamp) -> Option<NextChange> {
    let now = now.in_range().ok()?;
    plan.roots().get(root)?;
    crate::needs(plan).check(batch).ok()?;
    Edges::of(plan, &[root]).walk().next_changes(batch, row, now)?.into_iter().next()
}
