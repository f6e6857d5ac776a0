//! Plans over batches: how each condition is decided, and who is in which segment.
//!
//! Internal to Seg, without a promise of stability; embed the crate `seg`.
//!
//! ```text
//! Plan, Batch, now ──choose──▶ PhysicalPlan ──compile──▶ CompiledPlan ──run──▶ Mask
//! ```
//!
//! A [`PhysicalPlan`] says of each condition of a plan how it reads the batch: a
//! column, a column that was derived from events, a value that several conditions
//! share, or generated code ([`seg_jit`]). A [`CompiledPlan`] is that with its code.
//! Threads take blocks of 1,024 people and go from step to step (`run.rs`), a bit a
//! person; whoever is decided is not looked at again.
//!
//! Everything works on typed slices; the only unsafe code is in `kernels/simd.rs`,
//! for instructions that not every machine has.

mod choose;
mod derived;
mod entries;
#[cfg(feature = "faults")]
pub mod fault;
mod input;
mod kernels;
mod options;
mod order;
mod physical;
mod prepared;
mod program;
mod run;
mod select;
mod tables;
mod words;
mod zone;

pub use derived::derived_size;
pub use entries::{OneByOne, SizesError, sizes};
pub use options::{AccessPolicy, ExecOptions};
pub use physical::PhysicalPlan;
pub use prepared::PreparedPlan;
pub use program::{CompiledPlan, clif, compile, generate_for, physical};
pub use seg_jit::{Jit, JitError};
