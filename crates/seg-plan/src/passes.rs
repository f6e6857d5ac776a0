//! The optimiser: one ordered list of passes, each a file named by its verb.
//!
//! Sharing equal conditions over all segments, flattening, and the laws of
//! Boolean algebra that look at one node need no pass of their own: the smart
//! constructors see to them whenever a plan is made, and every pass makes a new
//! one.

mod drop_unreached;
mod fold_constants;
mod look_at_kth_last;
mod rewrite;
mod simplify_conditions;
mod visit_cheapest_first;
mod widen_steps;

pub(crate) use drop_unreached::{part, run as drop_unreached};
pub(crate) use fold_constants::over_nothing;
pub use rewrite::{keep, rewrite};
pub use simplify_conditions::Redundancy;
pub(crate) use simplify_conditions::run as simplify_conditions;
pub(crate) use widen_steps::is_now;

use crate::lower::Rows;
use crate::plan::Plan;
use seg_hir::hir::Module;

/// A change to plans that changes no answer.
pub struct Pass {
    /// Its name: a verb phrase.
    pub name: &'static str,
    /// What it does and why it pays, in a sentence.
    pub sentence: &'static str,
    /// The change.
    pub run: fn(&Plan) -> Plan,
}

/// All passes, in the order in which they run.
pub const PASSES: &[Pass] = &[
    Pass {
        name: "fold_constants",
        sentence: "what the sentence alone decides is decided once, such as arithmetic on literals or a filter that nothing passes",
        run: fold_constants::run,
    },
    Pass {
        name: "widen_steps",
        sentence: "what follows an event of a window is not earlier than it, so steps need not ask, and windows share their rows",
        run: widen_steps::run,
    },
    Pass {
        name: "look_at_kth_last",
        sentence: "at least k events lie in a window where there is a k-th last, which is one place to look instead of a count",
        run: look_at_kth_last::run,
    },
    Pass {
        name: "simplify_conditions",
        sentence: "a condition that another implies is left out, as `twice in 3 days` implies `once in 7`",
        run: simplify_conditions::run,
    },
    Pass {
        name: "drop_unreached",
        sentence: "nodes that no segment is made of any more are left out, so that nobody reads data for them",
        run: drop_unreached::run,
    },
    Pass {
        name: "visit_cheapest_first",
        sentence: "cheap conditions stand before dear ones, so that whoever fails a cheap one is not looked at again",
        run: visit_cheapest_first::run,
    },
];

/// For each segment of a module that is run, whether one of its conditions, as they
/// are written, changes nothing beside another.
pub fn redundant_conditions(module: &Module) -> Vec<Option<Redundancy>> {
    let Rows { plan, rows } = crate::lower::rows(module);
    let before = PASSES.iter().take_while(|pass| pass.name != "simplify_conditions");
    simplify_conditions::redundant(before.fold(plan, |plan, pass| (pass.run)(&plan)), &rows)
}

/// The segments of a module that hold nobody whom another does not hold, whatever the data:
/// pairs of positions among those that are run, the narrower first. Conditions that contain
/// each other in a way that [`simplify_conditions`](PASSES) does not see are not among them.
pub fn contained(module: &Module) -> Vec<(usize, usize)> {
    let before = PASSES.iter().take_while(|pass| pass.name != "simplify_conditions");
    simplify_conditions::contained(before.fold(crate::lower(module), |plan, pass| (pass.run)(&plan)))
}

/// For each segment of two modules of one schema, which are run in the same order, whether it
/// means the same in both, as far as is seen.
pub fn mean_the_same(first: &Module, second: &Module) -> Vec<bool> {
    let n = first.run().count();
    let joined = seg_hir::hir::joined(first, second);
    let before = PASSES.iter().take_while(|pass| pass.name != "simplify_conditions");
    simplify_conditions::equal(before.fold(crate::lower(&joined), |plan, pass| (pass.run)(&plan)), n)
}

/// What a pass did to a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PassTrace {
    /// The pass.
    pub name: &'static str,
    /// The plan after it.
    pub plan: Plan,
    /// Whether it is another plan than before.
    pub has_changed: bool,
}

/// Runs all passes. `observe` sees the plan after each.
pub fn optimize(plan: &Plan, mut observe: impl FnMut(&PassTrace)) -> Plan {
    let mut current = plan.clone();
    for pass in PASSES {
        let next = (pass.run)(&current);
        let trace = PassTrace { name: pass.name, has_changed: next != current, plan: next };
        observe(&trace);
        current = trace.plan;
    }
    current
}
