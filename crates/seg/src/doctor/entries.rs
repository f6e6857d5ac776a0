//! Who entered a segment of late.

use super::Examined;
use crate::error::EvaluateError;
use seg_data::time::DAY;
use seg_data::{Batch, Timestamp};
use std::collections::BTreeSet;

/// How many people entered each segment in the days before now that the limits name, each of
/// them once.
pub(super) fn entered(of: Examined<'_>, judged: &Batch) -> Result<Vec<u64>, EvaluateError> {
    let from = steps(of.now, of.limits.entry_days).next().unwrap_or(of.now);
    let segments: Vec<usize> = (0..of.program.segment_names().count()).collect();
    let spells = of.program.prepare().spells(judged, (from, of.now), &segments, of.options)?;
    let people = spells.iter().map(|spells| {
        let entries = spells.crossings.iter().filter(|crossing| crossing.is_entry);
        entries.map(|entry| entry.row).collect::<BTreeSet<u32>>().len() as u64
    });
    Ok(people.collect())
}

/// The ends of so many days up to an instant, the first of which begins them.
pub(super) fn steps(now: Timestamp, days: u32) -> impl Iterator<Item = Timestamp> {
    let back = (0..=i64::from(days)).rev().map(move |back| Timestamp(now.0.saturating_sub(back * DAY)));
    // No calendar has the days before the year 1.
    back.filter(|at| at.is_in_range())
}
