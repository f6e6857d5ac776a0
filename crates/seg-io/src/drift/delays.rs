//! How long after they happened events arrived.

use crate::report::Place;
use seg_data::Timestamp;
use std::collections::BTreeMap;

/// So many different delays are kept as they are. Where there are more, each is kept with its
/// first eleven binary places, which is exact to one part in a thousand.
const DISTINCT_MAX: usize = 100_000;
const PLACES: u32 = 11;

/// The delays of events between two columns of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delays {
    /// The column that says when events happened.
    pub happened: String,
    /// The column that says when they arrived.
    pub received: String,
    /// How many events have both, and did not arrive before they happened.
    pub count: u64,
    /// How many are said to have arrived before they happened.
    pub negative: u64,
    /// The first of these.
    pub examples: Vec<Place>,
    /// How often each delay was met, in microseconds.
    numbers: BTreeMap<i64, u64>,
    /// Whether delays are kept as they are.
    pub is_exact: bool,
    /// The longest, exactly.
    pub longest: i64,
}

impl Delays {
    pub(super) fn new(happened: &str, received: &str) -> Delays {
        Delays {
            happened: happened.to_owned(),
            received: received.to_owned(),
            count: 0,
            negative: 0,
            examples: Vec::new(),
            numbers: BTreeMap::new(),
            is_exact: true,
            longest: 0,
        }
    }

    pub(super) fn see(&mut self, happened: Timestamp, received: Timestamp, place: impl FnOnce() -> Place) {
        let delay = received.0.saturating_sub(happened.0);
        if delay < 0 {
            self.negative += 1;
            if self.examples.len() < super::EXAMPLES_MAX {
                self.examples.push(place());
            }
            return;
        }
        self.count += 1;
        self.longest = self.longest.max(delay);
        let key = if self.is_exact { delay } else { coarse(delay) };
        *self.numbers.entry(key).or_default() += 1;
        if self.is_exact && self.numbers.len() > DISTINCT_MAX {
            self.is_exact = false;
            for (delay, n) in std::mem::take(&mut self.numbers) {
                *self.numbers.entry(coarse(delay)).or_default() += n;
            }
        }
    }

    /// The delay, in microseconds, within which so many of a hundred events arrived: the
    /// least that is long enough. None where no event has one.
    pub fn within(&self, percent: u64) -> Option<i64> {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100).max(1);
        let mut n_before: u128 = 0;
        let found = self.numbers.iter().find(|(_, n)| {
            n_before += u128::from(**n);
            n_before >= rank
        });
        found.map(|(delay, _)| (*delay).min(self.longest))
    }
}

/// A delay with its first binary places alone, rounded up: no delay is called shorter.
fn coarse(delay: i64) -> i64 {
    let n_dropped = (i64::BITS - delay.leading_zeros()).saturating_sub(PLACES);
    let unit = 1_i64 << n_dropped;
    delay.checked_add(unit - 1).map_or(i64::MAX, |up| up & !(unit - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(of: impl Iterator<Item = i64>) -> Delays {
        let mut delays = Delays::new("time", "received_at");
        let place = || Place { file: "e.csv".to_owned(), line: 2, value: String::new() };
        of.for_each(|delay| delays.see(Timestamp(1_000), Timestamp(1_000 + delay), place));
        delays
    }

    #[test]
    fn percentiles_are_delays_that_were_met() {
        let hundred = delays((1..=100).rev());
        assert_eq!([50, 95, 99, 100].map(|p| hundred.within(p)), [50, 95, 99, 100].map(Some));
        let few = delays([7, 9, 7].into_iter());
        assert_eq!([1, 50, 95].map(|p| few.within(p)), [7, 7, 9].map(Some));
        let early = delays([-1, 5, -2, -3, -4].into_iter());
        assert_eq!((early.count, early.negative, early.examples.len(), early.within(50)), (1, 4, 3, Some(5)));
        assert_eq!(delays(std::iter::empty()).within(50), None);
    }

    #[test]
    fn many_delays_are_exact_to_one_in_a_thousand() {
        const N: i64 = 300_000;
        let many = delays((1..=N).map(|n| n * 1_000_003));
        assert!(!many.is_exact && many.numbers.len() < DISTINCT_MAX);
        for percent in [1, 50, 95, 99] {
            let exact = N * percent as i64 / 100 * 1_000_003;
            let found = many.within(percent).expect("there are delays");
            assert!(found >= exact && (found - exact) * 1_000 <= exact, "{percent}: {found} for {exact}");
        }
        assert_eq!((many.within(100), many.longest), (Some(N * 1_000_003), N * 1_000_003));
        assert_eq!(coarse(i64::MAX), i64::MAX);
        assert_eq!([0, 1, 2_047, 2_049].map(coarse), [0, 1, 2_047, 2_050]);
    }
}
