//! Sizes that came out, against those that segments expect.

use crate::compile::Program;
use seg_data::{Mask, Timestamp};
use seg_hir::hir::{Header, Module, Segment, SegmentId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many people are where, as far as sizes are guarded. It adds up over parts of the people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FoundSizes {
    /// How many people exist.
    pub n_people: u64,
    /// For each segment that is run, how many are in it.
    pub sizes: Vec<u64>,
    /// For each "at most … in both" of each segment that is run, in order, how many are in both.
    pub both: Vec<u64>,
}

impl FoundSizes {
    /// Those of masks, one a segment that is run.
    pub fn of(program: &Program, masks: &[Mask], n_people: usize) -> FoundSizes {
        let module = program.module();
        let both = |(segment, mask): (&Segment, &Mask)| {
            let others: Vec<SegmentId> = segment.header.overlaps.iter().map(|(_, other)| *other).collect();
            let n_both = |other: SegmentId| {
                let other = position(module, other).and_then(|at| masks.get(at));
                other.map_or(0, |other| mask.rows().filter(|row| other.get(*row)).count() as u64)
            };
            others.into_iter().map(n_both).collect::<Vec<u64>>()
        };
        FoundSizes {
            n_people: n_people as u64,
            sizes: masks.iter().map(|mask| mask.count() as u64).collect(),
            both: module.run().map(|(_, segment)| segment).zip(masks).flat_map(both).collect(),
        }
    }

    /// Adds those of other people.
    pub fn append(&mut self, next: &FoundSizes) {
        self.n_people += next.n_people;
        add(&mut self.sizes, &next.sizes);
        add(&mut self.both, &next.both);
    }
}

fn add(numbers: &mut Vec<u64>, next: &[u64]) {
    numbers.resize(numbers.len().max(next.len()), 0);
    numbers.iter_mut().zip(next).for_each(|(number, next)| *number += next);
}

fn position(module: &Module, segment: SegmentId) -> Option<usize> {
    module.run().position(|(id, _)| id == segment)
}

/// What the size guards of a run say: warnings, and notes on what was not
/// judged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guards {
    /// Expectations that do not hold.
    pub broken: Vec<String>,
    /// What was not judged, and why.
    pub notes: Vec<String>,
}

/// What an earlier run found.
#[derive(Debug, Clone, Copy)]
pub struct SizesBefore<'a> {
    /// The instant as of which it was.
    pub at: Timestamp,
    /// How many people each segment had, by its name.
    pub sizes: &'a BTreeMap<String, u64>,
}

/// Holds sizes against what segments expect.
pub fn guards(program: &Program, found: &FoundSizes, before: Option<SizesBefore<'_>>, now: Timestamp) -> Guards {
    let (module, mut guards) = (program.module(), Guards::default());
    let mut both = found.both.iter().copied();
    for ((_, segment), n) in module.run().zip(found.sizes.iter().copied()) {
        size(&segment.name, &segment.header, n, &mut guards);
        change(&segment.name, &segment.header, n, before, now, &mut guards);
        overlaps(module, segment, (&mut both, found.n_people), &mut guards);
    }
    guards
}

fn size(name: &str, header: &Header, n: u64, guards: &mut Guards) {
    let Some((min, max)) = header.size else { return };
    let is_within = min <= n && max.is_none_or(|max| n <= max);
    if !is_within {
        let expected = match max {
            Some(max) if max == min => format!("{max}"),
            Some(max) => format!("{min} to {max}"),
            None => format!("at least {min}"),
        };
        guards.broken.push(format!("\"{name}\" has {n} people, and {expected} were expected"));
    }
}

/// How many people are in two segments, of everyone.
fn overlaps(
    module: &Module,
    segment: &Segment,
    (both, n_people): (&mut dyn Iterator<Item = u64>, u64),
    guards: &mut Guards,
) {
    for (percent, other) in &segment.header.overlaps {
        let n_both = both.next().unwrap_or_default();
        let name = module.segments.get(other.idx()).map_or("", |s| s.name.as_str());
        if position(module, *other).is_none() {
            let this = &segment.name;
            guards.notes.push(format!("\"{this}\": how many are in \"{name}\" too was not judged, for it is archived"));
            continue;
        }
        let found = 100.0 * n_both as f64 / n_people.max(1) as f64;
        if found > *percent {
            guards.broken.push(format!(
                "{n_both} people, {found:.1}% of everyone, are in both \"{}\" and \"{name}\", and at most {percent}% \
                 were expected",
                segment.name
            ));
        }
    }
}

fn change(name: &str, header: &Header, n: u64, before: Option<SizesBefore<'_>>, now: Timestamp, guards: &mut Guards) {
    let Some((percent, per)) = header.change else { return };
    let Some((before, then)) = before.and_then(|b| Some((b.sizes.get(name)?, b.at))) else {
        guards.notes.push(format!(
            "\"{name}\": whether its size changed too much was not judged, for no earlier run is recorded"
        ));
        return;
    };
    let Some(length) = now.0.checked_sub(then.0).filter(|l| *l > 0) else {
        guards.notes.push(format!(
            "\"{name}\": whether its size changed too much was not judged, for the recorded run is not earlier"
        ));
        return;
    };
    // In half the time it may change half as much.
    let per = per.after(then).0 - then.0;
    let allowed = percent / 100.0 * *before as f64 * (length as f64 / per as f64);
    let changed = n.abs_diff(*before) as f64;
    if changed > allowed {
        guards.broken.push(format!(
            "\"{name}\" went from {before} to {n} people, a change of more than {percent}% in such a time"
        ));
    }
}
