//! How long people stay in a segment.
//!
//! By the estimator of Kaplan and Meier ("Nonparametric estimation from incomplete observations",
//! Journal of the American Statistical Association 53, 1958): the share that stays longer than a
//! length of time is the product, over the lengths after which somebody left, of the share that
//! did not leave then of those who had stayed so long. People who are still in count for as long
//! as they have been seen. The mean of stays that have ended would leave out the longest.

use crate::spells::Spells;
use seg_data::Timestamp;

/// How long people stay, of those who entered within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dwell {
    /// How many stays began: spells, of which somebody may have several.
    pub n_spells: usize,
    /// How many of them have ended.
    pub n_ended: usize,
    /// The lengths, in microseconds, within which a quarter of stays end, half of them, and three
    /// quarters; none where fewer have, by the estimate.
    pub quartiles: [Option<i64>; 3],
}

impl Dwell {
    /// How many are still in.
    pub fn n_open(&self) -> usize {
        self.n_spells - self.n_ended
    }
}

/// How long those stay who enter after an instant and up to another one, as it is seen at an
/// instant to which the spells are known.
pub fn dwell(spells: &Spells, (after, until): (Timestamp, Timestamp), seen_at: Timestamp) -> Dwell {
    let crossings = &spells.crossings;
    let began = crossings.iter().enumerate().filter(|(_, c)| c.is_entry && after < c.at && c.at <= until);
    // Each with whether it has ended.
    let mut lengths: Vec<(i64, bool)> = began
        .map(|(nth, entry)| {
            let exit = crossings.get(nth + 1).filter(|exit| exit.row == entry.row);
            (exit.map_or(seen_at, |exit| exit.at).0.saturating_sub(entry.at.0), exit.is_some())
        })
        .collect();
    lengths.sort_unstable();
    let n_ended = lengths.iter().filter(|(_, has_ended)| *has_ended).count();
    let curve = curve(&lengths);
    let quartile = |left: f64| curve.iter().find(|(_, staying)| *staying <= left).map(|(length, _)| *length);
    Dwell { n_spells: lengths.len(), n_ended, quartiles: [quartile(0.75), quartile(0.5), quartile(0.25)] }
}

/// After each length at which a stay ended, of some lengths that ascend, the share that is
/// estimated to stay longer.
fn curve(lengths: &[(i64, bool)]) -> Vec<(i64, f64)> {
    let mut curve = Vec::new();
    let mut staying = 1.0;
    let mut n_at_risk = lengths.len();
    for of_length in lengths.chunk_by(|a, b| a.0 == b.0) {
        let n_ended = of_length.iter().filter(|(_, has_ended)| *has_ended).count();
        if let Some((length, _)) = of_length.first().filter(|_| n_ended > 0) {
            staying *= 1.0 - n_ended as f64 / n_at_risk as f64;
            curve.push((*length, staying));
        }
        n_at_risk -= of_length.len();
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spells::Crossing;
    use seg_data::Mask;

    /// The example of Kaplan and Meier's own paper (section 2): deaths at 0.8, 3.1, 5.4 and 9.2
    /// months, losses at 1.0, 2.7, 7.0 and 12.1. Of those alive then, 7 of 8, 4 of 5, 3 of 4 and
    /// 1 of 2 live on.
    #[test]
    fn the_curve_falls_as_stays_end() {
        let lengths = [8, 10, 27, 31, 54, 70, 92, 121].map(|length| (length, [8, 31, 54, 92].contains(&length)));
        let found = curve(&lengths);
        let shares = [7.0 / 8.0, 7.0 / 8.0 * 0.8, 7.0 / 8.0 * 0.8 * 0.75, 7.0 / 8.0 * 0.8 * 0.75 * 0.5];
        for ((length, staying), (expected_length, expected)) in
            found.iter().zip([8, 31, 54, 92].into_iter().zip(shares))
        {
            assert!(*length == expected_length && (staying - expected).abs() < 1e-12, "{found:?}");
        }
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn stays_that_go_on_count_as_long_as_they_are_seen() {
        let crossing = |row, at, is_entry| Crossing { row, at: Timestamp(at), is_entry, by_event: true };
        let spells = Spells {
            members: Mask::from_bools([true, false, false]),
            // The first stay began before the period; the others last 5, 20 and so far 40.
            crossings: vec![
                crossing(0, 30, false),
                crossing(1, 40, true),
                crossing(1, 45, false),
                crossing(1, 50, true),
                crossing(1, 70, false),
                crossing(2, 60, true),
            ],
        };
        let found = dwell(&spells, (Timestamp(0), Timestamp(100)), Timestamp(100));
        // A third is gone after 5, two thirds after 20; the last stays longer than three quarters do.
        assert_eq!((found.n_spells, found.n_ended, found.n_open()), (3, 2, 1));
        assert_eq!(found.quartiles, [Some(5), Some(20), None]);
        // What begins with the period is not after its beginning.
        let found = dwell(&spells, (Timestamp(40), Timestamp(50)), Timestamp(100));
        assert_eq!((found.n_spells, found.quartiles), (1, [Some(20); 3]));
    }
}
