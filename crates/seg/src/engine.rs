//! Which engine says who is in.

use seg_plan::{Node, Plan};
use std::fmt;

/// What says who is in. It never changes the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// The reference evaluator: one person at a time, slow and obvious.
    Evaluator,
    /// The plan evaluator: whole columns, each condition once.
    Plan,
    /// Native code, made for the segments and the layout of the data.
    Jit,
}

impl Engine {
    /// As the command line and the documentation call it.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Evaluator => "evaluator",
            Engine::Plan => "plan",
            Engine::Jit => "jit",
        }
    }
}

/// Why an engine was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It was asked for.
    Asked,
    /// No segment looks at anybody: each holds for everyone or for no one.
    Constant,
    /// So few people that compiling would take longer than it saves.
    FewPeople,
    /// Enough people for native code to pay.
    ManyPeople,
    /// Native code could not be made or run here; the answer is the same, and
    /// comes more slowly.
    NoNativeCode(String),
    /// Partitions were evaluated apart, each by the engine that was chosen for it.
    Partitions,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Asked => write!(f, "it was asked for"),
            Reason::Constant => write!(f, "every segment holds for everyone or for no one"),
            Reason::FewPeople => write!(f, "there are so few people that compiling would not pay"),
            Reason::ManyPeople => write!(f, "there are enough people for native code to pay"),
            Reason::NoNativeCode(why) => f.write_str(why),
            Reason::Partitions => write!(f, "partitions were evaluated apart"),
        }
    }
}

/// From so many people on, native code is ahead of the plan evaluator although
/// it must be compiled first: a segment takes 0.5 to 1.5 ms to compile, and the
/// plan evaluator 0.03 to 2.5 µs a person; see `docs/benchmarks`.
const PEOPLE_FOR_NATIVE: usize = 2_000;

/// Which engine runs a plan over so many people, and why. The only place where
/// this is decided.
pub(crate) fn choose(plan: &Plan, n_people: usize, asked: Option<Engine>) -> (Engine, Reason) {
    let is_constant = plan.roots().iter().all(|r| matches!(plan.node(r.node), Some(Node::Const(_))));
    match asked {
        Some(engine) => (engine, Reason::Asked),
        None if is_constant => (Engine::Plan, Reason::Constant),
        None if n_people < PEOPLE_FOR_NATIVE => (Engine::Plan, Reason::FewPeople),
        None => (Engine::Jit, Reason::ManyPeople),
    }
}
