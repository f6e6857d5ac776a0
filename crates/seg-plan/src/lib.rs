//! How segments run: one plan for all segments of a program.
//!
//! Internal to Seg, without a promise of stability; embed the crate `seg`.
//!
//! ```text
//! hir::Module ──lower──▶ Plan ──optimize──▶ Plan ──evaluate──▶ Mask
//! ```
//!
//! A [`Plan`] is a graph in which equal things are one node, over all segments:
//! a condition that ten segments share is there once. It is built by smart
//! constructors that normalise, and [`verify`] checks what every later step
//! relies on. The evaluator works on whole columns; it knows no native code.

mod build;
mod compared;
mod cost;
mod edges;
mod eval;
mod existence;
mod fit;
mod level;
mod lower;
mod needs;
pub mod passes;
mod plan;
mod print;
mod reach;
mod shared;
mod verify;

pub use build::Builder;
pub use compared::{Compared, Comparison, NthTime, Test};
pub use cost::{Cost, Statistics, cost};
pub use edges::{CALENDAR_DAYS, Edges, NextChange, Over, StayWalk, Stays, Timeline, Wake, WakeOf, Walk, next_change};
pub use eval::{Evaluated, Kernels, PlanEvaluator, evaluate};
pub use fit::{Fit, fit_to_data};
pub use level::{Level, levels};
pub use lower::lower;
pub use needs::{EventNeeds, Lookback, Needs, needs};
pub use passes::optimize;
pub use plan::{Chain, ChainStep, Literal, Native, Node, NodeId, Plan, Query, Root};
pub use print::{print, print_graph};
pub use shared::{SharedAggregate, conditions, shared_aggregates};
pub use verify::{Fault, verify};
