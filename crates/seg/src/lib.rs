//! Seg compiles customer segments written in plain English and runs them over
//! customer profiles. This crate is the one door for embedding it, and the only
//! one whose interface is kept stable.
//!
//! ```text
//! Project ──compile──▶ Program ──bind──▶ Bound ──evaluate──▶ Evaluation
//! ```
//!
//! A [`Project`] is a directory with a `seg.toml`, a schema and `.seg` files, or
//! the same as strings. [`compile`] turns it into a [`Program`], or says
//! everything that is wrong with it. A program is bound to a [`Batch`] of
//! profiles, which checks the columns that it reads, and evaluated at an instant
//! that the caller chooses.
//!
//! Nothing here reads a clock, a time zone or the environment, and nothing
//! prints. A program may be shared by threads.
//!
//! # Example
//!
//! A batch is an Arrow record batch with a row a profile: its id, a column an
//! attribute, and for each event a column of lists, ascending by time. See
//! [`batch`] for the layout, and [`io::load`] to read one from files.
//!
//! ```
//! use seg::arrow_array::builder::{ListBuilder, StructBuilder, TimestampMicrosecondBuilder};
//! use seg::arrow_array::{ArrayRef, RecordBatch, StringArray};
//! use seg::{Batch, Cost, Instant, Limits, Options, Project, Settings};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let schema = r#"
//!     [attributes]
//!     country = { type = "text", required = true }
//!     [events."Order Completed"]
//!     also = ["ordered"]
//! "#;
//! let text = r#"segment "Lapsed" include people whose country is "DE" and who have not ordered in the past 90 days"#;
//! let project = Project::from_text(schema, [("lapsed.seg", text)], Settings::default());
//! let program = seg::compile(&project)?;
//!
//! // Ann, Bo and Cy; Bo ordered 10 days before it is judged, Cy 100 days.
//! let now = Instant::parse("2026-06-01T12:00:00Z", None).ok_or("an instant")?;
//! let day = 86_400_000_000;
//! let mut orders = ListBuilder::new(StructBuilder::new(
//!     vec![seg::arrow_schema::Field::new("time", seg::batch::time_type(), false)],
//!     vec![Box::new(TimestampMicrosecondBuilder::new().with_timezone("UTC"))],
//! ));
//! for times in [vec![], vec![now.0 - 10 * day], vec![now.0 - 100 * day]] {
//!     for time in times {
//!         let order = orders.values();
//!         order.field_builder::<TimestampMicrosecondBuilder>(0).ok_or("a time")?.append_value(time);
//!         order.append(true);
//!     }
//!     orders.append(true);
//! }
//! let records = RecordBatch::try_from_iter([
//!     ("profile_id", Arc::new(StringArray::from(vec!["ann", "bo", "cy"])) as ArrayRef),
//!     ("country", Arc::new(StringArray::from(vec!["DE", "DE", "DE"]))),
//!     ("Order Completed", Arc::new(orders.finish())),
//! ])?;
//! let batch = Batch::new(Arc::clone(program.schema()), records)?;
//!
//! // What the program will read, and what had to be converted on the way.
//! assert!(program.needs().describe(program.schema()).contains("since now - 90 d"));
//! let bound = program.bind(&batch)?;
//! assert_eq!(batch.conversions().len(), 1, "plain texts became a dictionary");
//!
//! let evaluation = bound.evaluate(now);
//! let members: Vec<&str> = evaluation.masks[0].rows().map(|row| batch.id(row)).collect();
//! assert_eq!(members, ["ann", "cy"]);
//!
//! // What is expected to take too long is refused, and what runs can be stopped:
//! // `limits.cancel.cancel()` does, from any thread.
//! let limits = Limits { max_cost: Some(Cost(Duration::from_secs(30))), ..Limits::default() };
//! let capped = bound.evaluate_within(Options::default(), &limits, now)?;
//! assert_eq!(capped.masks, evaluation.masks);
//!
//! // The same program for one person, and for many instants.
//! assert_eq!(bound.one_by_one(now, |judge| judge(1)), [false]);
//! let weeks = [Instant(now.0 - 14 * day), now];
//! assert_eq!(bound.sizes_at(&weeks, Options::default(), &limits)?, [[2], [2]]);
//! # Ok(())
//! # }
//! ```
//!
//! What is wrong with a project is told as it is on the command line:
//!
//! ```
//! # use seg::{Project, Settings};
//! let schema = "[attributes]\ncountry = \"text\"\n";
//! let text = r#"segment "Germans" include people whose cuontry is "DE""#;
//! let project = Project::from_text(schema, [("germans.seg", text)], Settings::default());
//! let problems = seg::compile(&project).expect_err("an unknown name");
//! assert!(problems.to_string().contains("did you mean `country`?"));
//! ```

mod bound;
mod compile;
mod diagnostics;
mod engine;
mod entries;
mod explain;
pub mod frozen;
mod limits;
mod lint;
mod project;
mod testing;

pub use bound::{Bound, Evaluation, Options};
pub use compile::{Program, check, compile, parse};
pub use diagnostics::Diagnostics;
pub use engine::{Engine, Reason};
pub use explain::{Explained, Explanation, NotFound, explain};
pub use limits::{Limits, Stopped};
pub use project::{Project, ProjectError};
pub use testing::{ExpectationOutcome, TestOutcome, TestReport, test};

/// Arrow in the version that this crate takes record batches of.
pub use {arrow_array, arrow_schema};

pub use seg_data::{Batch, Cancel, Date, Instant, InstantError, Mask, Schema, Wanted, Zone, batch};
pub use seg_exec as exec;
pub use seg_hir::explain::{Role, Why, place};
pub use seg_hir::{Checked, Settings, hir};
pub use seg_io as io;
pub use seg_plan as plan;
pub use seg_plan::Cost;
pub use seg_syntax::{Parse, ast, diag, source, token};
