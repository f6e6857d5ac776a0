//! How long people stay in a segment.

use crate::spells::Spells;
use seg_data::Timestamp;

/// How long stays last that began in a period, the open ones as far as they are seen.
///
/// The quartiles are those of the estimator of Kaplan and Meier ("Nonparametric estimation from
/// incomplete observations", 1958). A mean of the stays that have ended would leave out the long
/// ones, which are still open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dwell {
    /// How many stays began.
    pub spells: u64,
    /// How many of them have ended.
    pub ended: u64,
    /// After how long, in microseconds, a quarter, half and three quarters have left; none where
    /// it is not seen that so many have.
    pub quartiles: [Option<i64>; 3],
}

impl Dwell {
    /// The stays that begin from one instant on and before another, seen until a third, at which
    /// the period of the spells ends.
    pub fn of(spells: &Spells, (from, to): (Timestamp, Timestamp), until: Timestamp) -> Dwell {
        let crossings = &spells.crossings;
        let began = |at: Timestamp| from <= at && at < to;
        let mut lengths: Vec<(i64, bool)> = Vec::new();
        for (nth, entry) in crossings.iter().enumerate().filter(|(_, c)| c.is_entry && began(c.at)) {
            let exit = crossings.get(nth + 1).filter(|exit| exit.row == entry.row && exit.at <= until);
            let end = exit.map_or(until, |exit| exit.at);
            lengths.push((end.0.saturating_sub(entry.at.0), exit.is_some()));
        }
        // Of two that are as long the open one was still there when the other ended, so that it
        // counts among those who could have left.
        lengths.sort_unstable();
        let ended = lengths.iter().filter(|(_, has_ended)| *has_ended).count() as u64;
        Dwell { spells: lengths.len() as u64, ended, quartiles: quartiles(&lengths) }
    }
}

/// After how long three quarters, half and a quarter are left, from ascending lengths of which
/// it is known whether they ended.
fn quartiles(lengths: &[(i64, bool)]) -> [Option<i64>; 3] {
    let mut quartiles = [None; 3];
    let (mut staying, mut at) = (1.0, 0);
    while let Some((length, _)) = lengths.get(at) {
        let same = lengths.iter().skip(at).take_while(|(other, _)| other == length);
        let (mut n, mut ended) = (0, 0);
        for (_, has_ended) in same {
            n += 1;
            ended += u32::from(*has_ended);
        }
        if ended > 0 {
            staying *= 1.0 - f64::from(ended) / (lengths.len() - at) as f64;
        }
        for (slot, left) in quartiles.iter_mut().zip([0.75, 0.5, 0.25]) {
            if ended > 0 && slot.is_none() && staying <= left {
                *slot = Some(*length);
            }
        }
        at += n;
    }
    quartiles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spells::Crossing;
    use seg_data::Mask;

    #[test]
    fn open_stays_count_as_long_as_they_are_seen() {
        // Six stays: 1, 2, 2 (open), 4, 5 (open), 6. By hand: after 1 there are 5/6 left, after 2
        // 5/6 × 4/5 = 2/3, after 4 2/3 × 2/3 = 4/9, after 6 nobody.
        let lengths = [(1, true), (2, false), (2, true), (4, true), (5, false), (6, true)];
        assert_eq!(quartiles(&lengths), [Some(2), Some(4), Some(6)]);
        // Where the longest is open it is not seen when the last of them leave.
        assert_eq!(quartiles(&[(1, true), (3, false)]), [Some(1), Some(1), None]);
        assert_eq!((quartiles(&[(3, false)]), quartiles(&[])), ([None; 3], [None; 3]));
    }

    #[test]
    fn stays_of_a_period_are_those_that_begin_in_it() {
        let crossing = |row, at, is_entry| Crossing { row, at: Timestamp(at), is_entry, by_event: false };
        let spells = Spells {
            members: Mask::from_bools([true, false]),
            // The first was in before the period, leaves and comes back; the second enters as it
            // ends.
            crossings: vec![crossing(0, 3, false), crossing(0, 4, true), crossing(0, 9, false), crossing(1, 8, true)],
        };
        let dwell = Dwell::of(&spells, (Timestamp(0), Timestamp(8)), Timestamp(10));
        assert_eq!(dwell, Dwell { spells: 1, ended: 1, quartiles: [Some(5); 3] });
        let dwell = Dwell::of(&spells, (Timestamp(0), Timestamp(9)), Timestamp(10));
        assert_eq!(dwell, Dwell { spells: 2, ended: 1, quartiles: [Some(5); 3] });
    }
}
