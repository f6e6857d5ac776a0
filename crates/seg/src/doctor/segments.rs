//! Segments that nothing uses, that nobody enters, that are alike, or too small to test.

use super::words::{count, percent};
use super::{Examined, Finding, FindingKind};
use seg_data::Mask;
use seg_data::shown::grouped;
use seg_hir::hir::with_references;
use std::collections::BTreeSet;

/// A segment, as far as its people tell whether it is worth having.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentHealth {
    /// Its name.
    pub segment: String,
    /// How many people are in it.
    pub members: u64,
    /// How many people entered it in the days that the limits name.
    pub entered: u64,
    /// Whether anything uses it.
    pub is_used: bool,
    /// Whether fewer entered than a test needs.
    pub is_too_small: bool,
}

/// A control and a test of so many people each, for a difference of half the conversion at
/// 80 % power and 5 % error: 64 (1 − p) ÷ p.
const TEST_FACTOR: f64 = 64.0;

/// So many people a test needs, where a part of them converts.
fn people_needed(conversion: f64) -> f64 {
    TEST_FACTOR * (1.0 - conversion) / conversion
}

/// Which part of those who enter a segment is taken to convert: as many as did, where some did,
/// else as many as the limits say.
fn conversion_of(of: Examined<'_>, at: usize) -> f64 {
    let measured = of.conversion.get(at).copied().flatten();
    measured.filter(|rate| *rate > 0.0 && *rate < 1.0).unwrap_or(of.limits.conversion)
}

/// Each segment, and how many groups of twins there are among those that are not too small.
pub(super) fn of(of: Examined<'_>, masks: &[Mask], entered: &[u64]) -> (Vec<SegmentHealth>, usize) {
    let segments = of.program.module().run().zip(masks).enumerate().map(|(at, ((_, segment), mask))| {
        let entered = entered.get(at).copied().unwrap_or(0);
        SegmentHealth {
            segment: segment.name.clone(),
            members: mask.count() as u64,
            entered,
            is_used: !segment.header.uses.is_empty(),
            is_too_small: (entered as f64) < people_needed(conversion_of(of, at)),
        }
    });
    let segments: Vec<SegmentHealth> = segments.collect();
    let large: Vec<usize> =
        (0..segments.len()).filter(|at| segments.get(*at).is_some_and(|s| !s.is_too_small)).collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for at in large {
        let is_twin = |other: &usize| jaccard(masks, at, *other).is_some_and(|jaccard| jaccard >= of.limits.twins);
        // Whoever is a twin of two groups makes them one.
        let (joined, rest): (Vec<Vec<usize>>, _) = groups.into_iter().partition(|group| group.iter().any(is_twin));
        groups = rest;
        groups.push(joined.into_iter().flatten().chain([at]).collect());
    }
    (segments, groups.len())
}

/// Those in both over those in either; none where nobody is in either.
fn jaccard(masks: &[Mask], a: usize, b: usize) -> Option<f64> {
    let (a, b) = (masks.get(a)?, masks.get(b)?);
    let both = a.and(b).count();
    let either = a.count() + b.count() - both;
    (either > 0).then(|| both as f64 / either as f64)
}

pub(super) fn tell(
    of: Examined<'_>,
    masks: &[Mask],
    segments: &[SegmentHealth],
    audiences: usize,
    findings: &mut Vec<Finding>,
) {
    let days = of.limits.entry_days;
    let mut find = |kind, about: &[&str], says: String, write: String, figure: Option<f64>, limit: Option<f64>| {
        let about = about.iter().map(|name| (*name).to_owned()).collect();
        findings.push(Finding { kind, about, says, write, figure, limit });
    };
    let parts = parts_of_others(of);
    for segment in segments.iter().filter(|segment| !segment.is_used) {
        let name = segment.segment.as_str();
        let write = match parts.contains(name) {
            // What others refer to cannot be archived.
            true => "nothing, if it is only a part of others; else `used by campaign \"…\"` below its name",
            false => "`used by campaign \"…\"` below its name, or `archived`",
        };
        let write = write.to_owned();
        find(FindingKind::Orphaned, &[name], format!("no `used by` says what \"{name}\" is for"), write, None, None);
    }
    for segment in segments.iter().filter(|segment| segment.entered == 0) {
        let name = segment.segment.as_str();
        let says = format!("nobody entered \"{name}\" in {days} days; {} in it", be(segment.members));
        let write = "read its conditions aloud, and archive it if they are meant so".to_owned();
        find(FindingKind::Orphaned, &[name], says, write, Some(0.0), Some(1.0));
    }
    for (at, a) in segments.iter().enumerate() {
        for (other, b) in segments.iter().enumerate().skip(at + 1) {
            let Some(jaccard) = jaccard(masks, at, other).filter(|jaccard| *jaccard >= of.limits.twins) else {
                continue;
            };
            let (a, b) = (a.segment.as_str(), b.segment.as_str());
            let says =
                format!("\"{a}\" and \"{b}\" are nearly one: {} of those in either are in both", percent(jaccard));
            let write = "keep one of them, or exclude one from the other".to_owned();
            find(FindingKind::Twins, &[a, b], says, write, Some(jaccard), Some(of.limits.twins));
        }
    }
    for (at, segment) in segments.iter().enumerate() {
        if !segment.is_too_small || segment.entered == 0 {
            continue;
        }
        let (conversion, needed) = (conversion_of(of, at), people_needed(conversion_of(of, at)));
        let conversion = percent(conversion);
        let name = segment.segment.as_str();
        let says = format!(
            "{} entered \"{name}\" in {days} days; fewer than {} cannot show a change by half where {conversion} convert",
            count(segment.entered, "people"),
            grouped(needed.ceil() as u64)
        );
        let write = "widen it, or measure over a longer time".to_owned();
        find(FindingKind::TooSmall, &[name], says, write, Some(segment.entered as f64), Some(needed));
    }
    if audiences < segments.len() {
        let says = format!("{}, {}", count(segments.len() as u64, "segment"), count(audiences as u64, "audience"));
        let write = "merge twins, and widen or archive what is too small to tell apart".to_owned();
        let (figure, limit) = (Some(audiences as f64), Some(segments.len() as f64));
        find(FindingKind::OverSegmented, &[], says, write, figure, limit);
    }
}

/// The names of the segments that others refer to.
fn parts_of_others(of: Examined<'_>) -> BTreeSet<String> {
    let module = of.program.module();
    let referred = module.run().flat_map(|(id, segment)| {
        let all = with_references(module, id).segments.into_iter().map(|other| other.name);
        all.filter(|name| *name != segment.name).collect::<Vec<_>>()
    });
    referred.collect()
}

/// `1 person is`, `12 people are`
fn be(n: u64) -> String {
    format!("{} {}", count(n, "people"), if n == 1 { "is" } else { "are" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_needs_so_many_people() {
        assert_eq!(people_needed(0.05).round(), 1_216.0);
        assert_eq!(people_needed(0.5), 64.0);
        // 64 × 0.8 ÷ 0.2.
        assert_eq!(people_needed(0.2).round(), 256.0);
    }
}
