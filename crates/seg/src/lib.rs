//! Seg compiles customer segments written in plain English and runs them over
//! customer profiles. This crate is the one door for embedding it, and the only
//! one whose interface is kept stable.
//!
//! ```text
//! Project ──compile──▶ Program ──prepare──▶ Prepared ──evaluate(batch, now)──▶ Evaluation
//! ```
//!
//! ```
//! # #[cfg(feature = "io")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use seg::{Timestamp, Project, Settings};
//!
//! let schema = "[attributes]\ncountry = \"text\"\n[events.Order]\n";
//! let text = r#"segment "Lapsed" include people who did not do Order in the past 90 days"#;
//! let project = Project::from_text(schema, [("lapsed.seg", text)], Settings::default());
//! let prepared = seg::compile(&project)?.prepare();
//!
//! let people = r#"{"id": "ann", "country": "DE"}"#;
//! let orders = r#"{"id": "bo", "event": "Order", "time": "2026-05-30T08:00:00Z"}"#;
//! let batch = seg::io::load_lines(project.schema(), None, people, orders)?.batch;
//! let evaluation = prepared.evaluate(&batch, Timestamp::read("2026-06-01T12:00:00Z", None)?)?;
//!
//! let lapsed = evaluation.mask("Lapsed").ok_or("a segment of this name")?;
//! let ids: Vec<&str> = lapsed.rows().map(|row| batch.id(row)).collect();
//! assert_eq!(ids, ["ann"]);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "io"))]
//! # fn main() {}
//! ```
//!
//! A [`Project`] is a directory with a `seg.toml`, a schema and `.seg` files, or the
//! same as strings. [`compile`] turns it into a [`Program`], or says everything that
//! is wrong with it. A [`Prepared`] program is owned and cheap to clone: a server
//! keeps one, evaluates batch after batch with it on as many threads as it has, and
//! replaces it when files change (`examples/embedding` does). A [`Batch`] is an
//! Arrow record batch with a row a profile; see [`batch`] for the layout. The
//! columns that the segments read are checked when a program meets a batch, and no
//! other is looked at.
//!
//! Nothing here reads a clock, a time zone or the environment, and nothing prints.
//!
//! # What is wrong is told as on the command line
//!
//! ```
//! # use seg::{Project, Settings};
//! let schema = "[attributes]\ncountry = \"text\"\n";
//! let text = r#"segment "Germans" include people whose cuontry is "DE""#;
//! let project = Project::from_text(schema, [("germans.seg", text)], Settings::default());
//! let problems = seg::compile(&project).expect_err("an unknown name");
//! assert!(problems.to_string().contains("did you mean `country`?"));
//! ```
//!
//! # Batches from elsewhere
//!
//! ```
//! use seg::arrow_array::builder::{ListBuilder, StructBuilder, TimestampMicrosecondBuilder};
//! use seg::arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
//! use seg::{Batch, Cost, Timestamp, Options, Project, Settings};
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
//! let program = seg::compile(&Project::from_text(schema, [("lapsed.seg", text)], Settings::default()))?;
//!
//! // Ann, Bo and Cy; Bo ordered 10 days before, Cy 100 days.
//! let now = Timestamp::read("2026-06-01T12:00:00Z", None)?;
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
//! assert!(program.describe_needs().contains("since now - 90 d"));
//! let prepared = program.prepare();
//! let evaluation = prepared.evaluate(&batch, now)?;
//! assert_eq!(batch.conversions().len(), 1, "plain texts became a dictionary");
//! assert_eq!(evaluation.masks()[0].rows().collect::<Vec<_>>(), [0, 2]);
//! assert_eq!(evaluation.to_arrow()?.column(0).len(), 3);
//!
//! // What is expected to take too long is refused; `Options::with_cancel` stops what
//! // runs, from any thread.
//! let capped = Options::new().with_max_cost(Cost(Duration::from_secs(30)));
//! assert_eq!(prepared.evaluate_with(&batch, now, &capped)?.masks(), evaluation.masks());
//!
//! // The same program for one person, and for many instants.
//! let bound = prepared.bind(&batch, now, &Options::new())?;
//! assert_eq!(bound.one_by_one()?.segments(1), [false]);
//! let weeks = [Timestamp(now.0 - 14 * day), now];
//! assert_eq!(prepared.sizes_at(&batch, &weeks, &Options::new())?, [[2], [2]]);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! Both are on by default, and neither changes who is in a segment. Without `io`
//! there are no file formats: projects and batches come as strings and Arrow data.
//! Without `jit` there is no native code, for platforms that do not let a program
//! make any; the plan evaluator answers.

pub mod batch;
mod compile;
#[doc(hidden)]
pub mod conversion;
#[doc(hidden)]
pub mod decided;
mod diagnostics;
#[doc(hidden)]
pub mod diff;
#[cfg(feature = "io")]
#[doc(hidden)]
pub mod doctor;
#[doc(hidden)]
pub mod drawn;
#[doc(hidden)]
pub mod dwell;
mod engine;
mod error;
mod evaluation;
#[cfg(feature = "io")]
#[doc(hidden)]
pub mod example;
mod explain;
mod figures;
#[doc(hidden)]
pub mod forecast;
mod forms;
#[doc(hidden)]
pub mod frozen;
#[doc(hidden)]
pub mod guards;
#[doc(hidden)]
pub mod history;
#[cfg(feature = "io")]
mod inputs;
#[cfg(feature = "io")]
pub mod io;
mod lint;
#[cfg(feature = "io")]
mod lists;
#[cfg(feature = "io")]
mod load;
#[cfg(feature = "io")]
mod mutants;
mod native;
mod options;
mod outlook;
#[doc(hidden)]
pub mod overlap;
// Examples take all of it, explanations a part.
#[cfg_attr(not(feature = "io"), allow(dead_code))]
mod pool;
mod prepared;
mod project;
#[cfg(feature = "io")]
mod receivers;
mod spells;
#[cfg(feature = "io")]
#[doc(hidden)]
pub mod sql;
#[cfg(feature = "io")]
mod stream;
#[cfg(feature = "io")]
mod sums;
#[cfg(feature = "io")]
mod testing;
mod texts;
mod trigger;
#[doc(hidden)]
pub mod unstable;
mod waiting;

pub use compile::{Program, compile};
pub use diagnostics::Diagnostics;
pub use engine::{Engine, Reason};
pub use error::EvaluateError;
pub use evaluation::Evaluation;
pub use explain::{ExplainError, Explained, Explanation, PersonExplanation, explain};
pub use options::Options;
pub use prepared::{BoundProgram, OneByOne, Prepared};
pub use project::{Project, ProjectError};
pub use spells::{Crossing, Spells};
#[cfg(feature = "io")]
pub use testing::{ExpectationOutcome, TestOutcome, TestReport, test};

/// Arrow in the version that this crate takes record batches of.
pub use {arrow_array, arrow_schema};

#[doc(inline)]
pub use seg_data::{Batch, Cancel, Date, Mask, Schema, Timestamp, TimestampError, Wanted, Zone};
#[doc(inline)]
pub use seg_hir::Settings;
#[doc(inline)]
pub use seg_hir::explain::{Role, Why};
#[doc(inline)]
pub use seg_plan::Cost;
