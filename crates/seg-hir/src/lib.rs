//! What segments mean: names, types and windows resolved into HIR, and the
//! reference evaluator that defines every answer.
//!
//! Internal to Seg, without a promise of stability; embed the crate `seg`.
//!
//! ```text
//! Parse + Schema ──check──▶ hir::Module ──Evaluator──▶ Mask
//! ```
//!
//! This crate sits below the optimiser and native code and cannot see them: the
//! definition of meaning depends on nothing that it judges. Start with
//! [`check`], [`hir`] and [`Evaluator`].

mod check;
pub mod clauses;
mod eval;
pub mod explain;
pub mod fixes;
pub mod hir;
mod lint;
mod lower;
mod names;
pub mod schema;
pub mod text;

pub use check::{Checked, Lists, check};
pub use eval::{Evaluator, aggregate, arithmetic, calendar_part, compare, distance, median, scale, shift};
pub use lint::lints;
pub use names::{Settings, suggestion};
pub use text::fold_case;
