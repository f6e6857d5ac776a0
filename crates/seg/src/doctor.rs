//! Whether data and segments are in a state to send by: how fresh, late and complete the data
//! are, how often people buy, and which segments nobody uses, are alike or too small.
//!
//! Everything is evaluated as of one instant; events later than that do not exist. Who is in a
//! segment is said by the same evaluation as everywhere.

mod completeness;
mod cycle;
mod entries;
mod finding;
mod fresh;
mod freshness;
mod inputs;
mod lateness;
mod segments;
mod words;

pub use completeness::{Completeness, Part};
pub use cycle::{Cycle, Wait};
pub use finding::{Finding, FindingKind};
pub use fresh::{Newest, RunFreshness};
pub use freshness::Freshness;
pub use lateness::{Lateness, RECEIVED, with_received};
pub use segments::SegmentHealth;

use crate::compile::Program;
use crate::error::EvaluateError;
use crate::options::Options;
use crate::project::Project;
use seg_data::{Batch, Mask, Timestamp, Zone};
use seg_io::Report;
use seg_io::manifest::DoctorLimits;
use std::sync::Arc;

/// What is examined.
#[derive(Clone, Copy)]
pub struct Examined<'a> {
    /// The segments as they are written.
    pub project: &'a Project,
    /// The project, compiled.
    pub program: &'a Program,
    /// Everybody with everything that is known of them, whenever it happened. Its schema is
    /// the program's, or that as [`with_received`] gives it.
    pub batch: &'a Batch,
    /// What reading the data found.
    pub report: &'a Report,
    /// When everything is judged.
    pub now: Timestamp,
    /// Whose calendar days are meant; UTC where there is none.
    pub zone: Option<Zone>,
    /// From where on something is worth telling of.
    pub limits: &'a DoctorLimits,
    /// Which part of those who entered each segment reached the goal, where that is known, in
    /// the order of the segments that are run.
    pub conversion: &'a [Option<f64>],
    /// How to evaluate.
    pub options: &'a Options,
}

/// The figures, and what is worth telling of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// How old the newest event is, of all events together.
    pub freshness_in_all: Option<Freshness>,
    /// The same of each name that has events, in the order of the schema.
    pub freshness: Vec<Freshness>,
    /// How long after they happened events arrived, by name, where the data says so.
    pub lateness: Vec<Lateness>,
    /// How much has no value, of people and of the events of each name.
    pub completeness: Vec<Completeness>,
    /// How long people wait between purchases, where there is a purchase to wait for.
    pub cycle: Option<Cycle>,
    /// Each segment that is run, in its order.
    pub segments: Vec<SegmentHealth>,
    /// How many groups of twins there are among the segments that are not too small.
    pub audiences: usize,
    /// What is worth telling, in the order of the kinds.
    pub findings: Vec<Finding>,
}

/// Examines data and segments.
///
/// # Errors
/// See [`EvaluateError`].
pub fn examine(of: Examined<'_>) -> Result<Health, EvaluateError> {
    // Whatever is looked at was checked.
    (0..of.batch.n_columns()).try_for_each(|at| of.batch.check_column(at))?;
    let now = of.now.in_range()?;
    let judged = Batch::new(Arc::clone(of.program.schema()), of.batch.records().clone())?;
    let masks = evaluate(of, &judged, now)?;
    let (in_all, freshness) = freshness::of(of);
    let (lateness, late_entries) = (lateness::of(of), lateness::entries(of)?);
    let completeness = completeness::of(of);
    let cycle = cycle::of(of);
    let (segments, audiences) = segments::of(of, &masks, &entries::entered(of, &judged)?);
    let mut findings = Vec::new();
    freshness::tell(of, in_all.as_ref(), &freshness, &mut findings);
    lateness::tell(of, &lateness, &late_entries, &mut findings);
    completeness::tell(of, &completeness, &mut findings);
    inputs::tell(of, &mut findings);
    cycle.iter().for_each(|cycle| cycle::tell(of, cycle, &mut findings));
    segments::tell(of, &masks, &segments, audiences, &mut findings);
    findings.sort_by_key(|finding: &Finding| finding.kind);
    Ok(Health { freshness_in_all: in_all, freshness, lateness, completeness, cycle, segments, audiences, findings })
}

/// Who is in each segment at an instant.
fn evaluate(of: Examined<'_>, batch: &Batch, now: Timestamp) -> Result<Vec<Mask>, EvaluateError> {
    let evaluation = of.program.prepare().evaluate_with(batch, now, of.options)?;
    Ok(evaluation.into_masks())
}
