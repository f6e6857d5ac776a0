//! What needs somebody, worst first, and what lacks values.

use super::Judged;
use crate::output::grouped;
use crate::report::Need;
use seg::unstable::doctor::{Completeness, Finding, FindingKind, Health};
use seg::unstable::overlap::Pair;

/// So much is told on the first screen.
const NEEDS_MAX: usize = 5;
/// So much of what lacks values is shown.
const INCOMPLETE_MAX: usize = 20;

/// At most five things, each with others of its kind behind it; and how many more there are.
/// First come sizes that are not as segments expect, then what is wrong with the data, then
/// people who get two messages, then the segments.
pub fn needs(judged: &Judged<'_>, health: &Health, pairs: &[Pair], broken_sizes: &[String]) -> (Vec<Need>, usize) {
    let of_kind = |kind: &FindingKind| need(health.findings.iter().filter(|found| found.kind == *kind));
    let (of_data, of_segments): (Vec<FindingKind>, Vec<FindingKind>) =
        FindingKind::ALL.into_iter().partition(|kind| is_of_data(*kind));
    let sizes = broken_sizes.iter().map(|says| (says.clone(), SIZES_WRITE.to_owned()));
    let mut needs: Vec<Need> = grouped_need(sizes).into_iter().collect();
    needs.extend(of_data.iter().filter_map(of_kind));
    needs.extend(unordered(judged, pairs));
    needs.extend(of_segments.iter().filter_map(of_kind));
    let n_more = needs.iter().skip(NEEDS_MAX).map(|need| 1 + need.more.len()).sum();
    needs.truncate(NEEDS_MAX);
    (needs, n_more)
}

const SIZES_WRITE: &str = "look at the segment's size below; if it is right, change what its header expects";

/// Whether a finding is of the data rather than of segments: then every figure may be wrong.
fn is_of_data(kind: FindingKind) -> bool {
    match kind {
        FindingKind::Stale | FindingKind::Early | FindingKind::Late | FindingKind::Incomplete | FindingKind::Inputs => {
            true
        }
        FindingKind::BuyingCycle
        | FindingKind::Orphaned
        | FindingKind::Twins
        | FindingKind::TooSmall
        | FindingKind::OverSegmented => false,
    }
}

fn need<'f>(findings: impl Iterator<Item = &'f Finding>) -> Option<Need> {
    grouped_need(findings.map(|found| (found.says.clone(), found.write.clone())))
}

/// The first of a kind, with the others behind it.
fn grouped_need(mut said: impl Iterator<Item = (String, String)>) -> Option<Need> {
    let (says, write) = said.next()?;
    Some(Need { says, write, more: said.collect() })
}

/// Segments whose people get two messages.
fn unordered(judged: &Judged<'_>, pairs: &[Pair]) -> Option<Need> {
    let names: Vec<&str> = judged.program.segment_names().collect();
    let name = |at: usize| names.get(at).copied().unwrap_or("");
    let said = pairs.iter().filter(|pair| pair.is_unordered).map(|pair| {
        let (a, b) = (name(pair.a), name(pair.b));
        let people =
            if pair.both == 1 { "1 person is".to_owned() } else { format!("{} people are", grouped(pair.both)) };
        (
            format!("{people} in both \"{a}\" and \"{b}\", and nothing says which message they get"),
            format!("`when people are in several, prefer \"{a}\", then \"{b}\"`, or exclude one from the other"),
        )
    });
    grouped_need(said)
}

/// What lacks values, the largest part of late first.
pub fn incomplete(health: &Health) -> Vec<Completeness> {
    let lacks = health.completeness.iter().filter(|found| found.recent.missing + found.before.missing > 0);
    let mut lacks: Vec<Completeness> = lacks.cloned().collect();
    lacks.sort_by(|a, b| b.recent.share().unwrap_or(0.0).total_cmp(&a.recent.share().unwrap_or(0.0)));
    lacks.truncate(INCOMPLETE_MAX);
    lacks
}
