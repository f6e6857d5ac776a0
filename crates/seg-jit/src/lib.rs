//! Kernel templates to machine code over Arrow's own buffers.
//!
//! Internal to Seg, without a promise of stability; embed the crate `seg`.
//!
//! ```text
//! Template ──emit──▶ CLIF ──Cranelift──▶ Kernel ──bind──▶ BoundKernel ──run──▶ a bit, or a value, a person
//!                                          ▲
//!                            Parameters ───┘ checked against what the code reads
//! ```
//!
//! A [`Template`](template::Template) is a condition or a value without literals and
//! data: those are [`Parameters`], so that templates which are equal share their
//! code ([`Jit`] keeps it). Generated kernels call nothing and refer to nothing
//! outside themselves; whatever needs Rust (tests of texts over a dictionary, the
//! offsets of zones, the order of events at one instant) comes as tables among the
//! parameters.
//!
//! This crate has all of Seg's unsafe code but for the comparisons of `seg-exec`
//! that need wider instructions. Nothing in its interface is unsafe to call. It
//! rests on these invariants, each upheld where it says:
//!
//! 1. *Columns were checked.* Addresses are taken of [`seg_data::batch::Column`],
//!    [`seg_data::batch::Events`] and [`seg_data::batch::MergedEvents`], which only
//!    `seg-data` makes, of checked data, and of tables; `parameters.rs` records how
//!    much lies there.
//! 2. *Tables cover every key*, derived columns have a value for every person, and
//!    each other load lies inside its buffer: `check.rs` shows it for a template
//!    and its parameters before they can be run together; and that a set has room
//!    for whatever can come into it, so that it is not searched without end.
//! 3. *Memory outlives its readers.* [`Parameters`] keep the buffers, a kernel
//!    keeps its code (`code.rs`).
//! 4. *The selection is of the batch.* [`BoundKernel::run`] drops bits that stand
//!    for nobody, and grows the memory that the code works in.
//! 5. *A kernel runs with parameters of its own template.* It carries the template,
//!    and binding checks against that.
//! 6. *Code is of the classes that its operations take*: `classes.rs`, before
//!    anything is generated.
//! 7. *Code keeps to its stack*: it touches every page that it takes, so that it
//!    meets the one that guards the end (`code.rs`).
//!
//! `tests/hostile` attacks each of them; docs/soundness.md says how, and what was
//! found.

mod check;
mod classes;
mod code;
mod emit;
#[cfg(feature = "faults")]
pub mod fault;
mod jit;
mod parameters;
#[allow(missing_docs)] // Slots say by their names what they hold.
pub mod template;

pub use code::{BoundKernel, JitError, Kernel, Scratch, clif, generate};
pub use jit::Jit;
pub use parameters::{ItemKeys, Parameters};
