//! The offsets of a zone over a stretch of time.

use seg_data::time::{DAY, SECOND};
use seg_data::{Timestamp, Zone};

/// Pairs of the instant from which an offset holds and the offset in
/// microseconds. The first holds from before any time on.
///
/// The zone is asked every few hours, and where two answers differ the change
/// is found by bisection: no zone changes its offset twice that fast.
pub(crate) fn offsets(zone: Zone, from: Timestamp, to: Timestamp) -> Vec<(i64, i64)> {
    const STEP: i64 = DAY / 4;
    /// The first zones were made in 1840, and their rules are known to 2100;
    /// outside nothing changes.
    const KNOWN: (i64, i64) = (-47_500 * DAY, 48_000 * DAY);
    let (from, to) = (from.0.clamp(KNOWN.0, KNOWN.1), to.0.clamp(KNOWN.0, KNOWN.1));
    let mut at = from;
    let mut offset = zone.offset(Timestamp(at));
    let mut steps = vec![(i64::MIN, offset)];
    while at < to {
        let next = at.saturating_add(STEP).min(to);
        let after = zone.offset(Timestamp(next));
        if after != offset {
            steps.push((change(zone, at, next, after), after));
            offset = after;
        }
        at = next;
    }
    steps
}

/// The first instant with the offset `after`, between one that has another and
/// one that has it. Changes are at whole seconds.
fn change(zone: Zone, before: i64, after_at: i64, after: i64) -> i64 {
    let (mut before, mut at) = (before.div_euclid(SECOND), after_at.div_euclid(SECOND) + 1);
    while at - before > 1 {
        let middle = before + (at - before) / 2;
        if zone.offset(Timestamp(middle * SECOND)) == after { at = middle } else { before = middle }
    }
    at * SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_agree_with_the_zone_everywhere() {
        for name in ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kolkata", "Africa/Casablanca"] {
            let zone = Zone::parse(name).expect("a zone");
            let (from, to) = (Timestamp(-40_000 * DAY), Timestamp(30_000 * DAY));
            let steps = offsets(zone, from, to);
            assert!(steps.is_sorted());
            let of = |at: i64| steps[steps.partition_point(|(from, _)| *from <= at) - 1].1;
            // A stride that has nothing to do with days, then every change.
            let strides = (from.0..to.0).step_by(7 * 3_600_000_000 + 13);
            let edges = steps.iter().skip(1).flat_map(|(at, _)| [at - SECOND, at - 1, *at, at + 1]);
            for at in strides.chain(edges) {
                assert_eq!(of(at), zone.offset(Timestamp(at)), "{name} at {}", Timestamp(at));
            }
        }
    }
}
