//! Seg compiles customer segments written in plain English and runs them over
//! customer profiles. This crate is the one door for embedding it, and the only
//! one whose interface is kept stable.
//!
//! ```text
//! Project ──compile──▶ Program ──evaluate──▶ Mask
//! ```
//!
//! A [`Project`] is a directory with a `seg.toml`, a schema and `.seg` files, or
//! the same as strings. [`compile`] turns it into a [`Program`], or says
//! everything that is wrong with it. A program is evaluated over a [`Batch`] of
//! profiles at an instant that the caller chooses.
//!
//! ```
//! use seg::{Project, Settings};
//!
//! let schema = r#"
//!     [attributes]
//!     country = { type = "text", required = true }
//!     [events."Order Completed"]
//!     also = ["ordered"]
//! "#;
//! let text = r#"segment "Lapsed" include people whose country is "DE" and who have not ordered in the past 90 days"#;
//! let project = Project::from_text(schema, [("lapsed.seg", text)], Settings::default());
//! let program = seg::compile(&project).expect("no errors");
//! assert_eq!(program.segment_names().collect::<Vec<_>>(), ["Lapsed"]);
//!
//! let wrong = text.replace("country", "cuontry");
//! let project = Project::from_text(schema, [("lapsed.seg", wrong.as_str())], Settings::default());
//! let problems = seg::compile(&project).expect_err("an unknown name");
//! assert!(problems.to_string().contains("did you mean `country`?"));
//! ```

mod bound;
mod compile;
mod diagnostics;
mod engine;
mod project;

pub use bound::{Bound, Evaluation, Options};
pub use compile::{Program, check, compile, parse};
pub use diagnostics::Diagnostics;
pub use engine::{Engine, Reason};
pub use project::{Project, ProjectError};

pub use seg_data::{Batch, Instant, Mask, Schema, Zone, batch};
pub use seg_hir::{Checked, Settings, hir};
pub use seg_io as io;
pub use seg_jit as jit;
pub use seg_plan as plan;
pub use seg_syntax::{Parse, ast, diag, source, token};
