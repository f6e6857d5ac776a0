//! Sizes that are expected, against those that came out.

mod expected;

pub use expected::Expected;

use seg::unstable::hir::{Header, Module, Segment};
use seg::unstable::io::{Sizes, read_sizes};
use seg::{Mask, Timestamp};
use std::path::Path;

/// What the size guards of a run say: warnings, and notes on what was not
/// judged.
#[derive(Default)]
pub struct Guards {
    pub broken: Vec<String>,
    pub notes: Vec<String>,
}

impl Guards {
    /// Those of a partition, whose sizes are not those that segments expect.
    pub fn of_partition() -> Guards {
        let note = "sizes are of all partitions together, and are judged by `seg merge-results`".to_owned();
        Guards { broken: Vec::new(), notes: vec![note] }
    }
}

/// Holds sizes, of so many people who exist, against what segments expect. `before`
/// is what the last run recorded.
pub fn guards(module: &Module, masks: &[Mask], n_people: usize, before: Option<&Sizes>, now: Timestamp) -> Guards {
    let mut guards = Guards::default();
    for ((_, segment), mask) in module.run().zip(masks) {
        let n = mask.count() as u64;
        size(&segment.name, &segment.header, n, &mut guards);
        change(&segment.name, &segment.header, n, before, now, &mut guards);
        overlaps(module, masks, segment, (mask, n_people), &mut guards);
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
fn overlaps(module: &Module, masks: &[Mask], segment: &Segment, (mask, n_people): (&Mask, usize), guards: &mut Guards) {
    for (percent, other) in &segment.header.overlaps {
        let other_mask = module.run().position(|(id, _)| id == *other).and_then(|at| masks.get(at));
        let name = module.segments.get(other.idx()).map_or("", |s| s.name.as_str());
        let Some(other_mask) = other_mask else {
            let this = &segment.name;
            guards.notes.push(format!("\"{this}\": how many are in \"{name}\" too was not judged, for it is archived"));
            continue;
        };
        let n_both = mask.rows().filter(|row| other_mask.get(*row)).count();
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

fn change(name: &str, header: &Header, n: u64, before: Option<&Sizes>, now: Timestamp, guards: &mut Guards) {
    let Some((percent, per)) = header.change else { return };
    let Some((before, then)) = before.and_then(|b| Some((b.sizes.get(name)?, Timestamp::parse(&b.at, None)?))) else {
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

/// What the last run recorded; none where there is no such file yet.
pub fn recorded(path: &Path) -> Result<Option<Sizes>, String> {
    if path.exists() { read_sizes(path).map(Some) } else { Ok(None) }
}
