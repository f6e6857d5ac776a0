//! Plans as machine code over Arrow's own buffers.
//!
//! Internal to Seg, without a promise of stability; embed the crate `seg`.
//!
//! ```text
//! Plan, Batch, now ──select──▶ shapes and parameters ──emit──▶ kernels ──▶ words ──▶ Mask
//! ```
//!
//! Every condition of a plan that is no combination of others becomes a kernel:
//! a function that decides it for blocks of profiles, one bit a profile, reading
//! the batch's columns where they lie. Literals and addresses are parameters,
//! so conditions of one shape share code; those about one column need none
//! (`columns.rs`). Generated kernels call nothing: what needs Rust
//! (tests of texts over a dictionary, the offsets of zones, the order of events
//! at one instant) is put into tables once, when a plan is bound to a batch.
//!
//! This is the only crate with unsafe code. It rests on two things: the columns
//! that a plan reads were checked by [`seg_data::Batch`], and code lives as long
//! as anything that can call it. What is compiled for more than every machine has
//! runs only where the machine was asked.

mod bound;
mod code;
mod columns;
mod compare;
mod emit;
mod entry;
mod facts;
#[cfg(feature = "faults")]
pub mod fault;
mod layouts;
mod sample;
mod select;
mod shape;
mod steps;
mod tables;
mod words;
mod worker;
mod zone;

pub use bound::{Access, Binding, BoundPlan, Jit, clif, generate_for};
pub use code::JitError;
pub use entry::{OneByOne, sizes};
