//! When something is tried again.

use std::time::Duration;

/// The waits that the Standard Webhooks specification, 1.0.0, proposes ("Deliverability and
/// reliability"): three days in all.
const WAITS: [u64; 9] = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];
/// A receiver that asks for it is left alone for no longer.
const ASKED_MAX: Duration = Duration::from_secs(24 * 3600);
/// A receiver that asks to be tried again at once is not.
const ASKED_MIN: Duration = Duration::from_secs(1);

/// How long it is waited after each failure in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// No wait is longer, but for what the receiver asks.
    pub longest: Duration,
}

impl Default for Schedule {
    /// The waits of the Standard Webhooks specification: 5 seconds, 5 minutes, 30 minutes, 2, 5,
    /// 10, 14, 20 and 24 hours. The last one is repeated.
    fn default() -> Schedule {
        Schedule { longest: Duration::from_secs(24 * 3600) }
    }
}

impl Schedule {
    /// How long it is waited after so many failures in a row, of which the last may have come
    /// with a wish. What is not asked for is up to a tenth longer or shorter, by chance.
    pub fn wait(&self, n_failures: usize, asked: Option<Duration>, chance: u64) -> Duration {
        if let Some(asked) = asked {
            return asked.clamp(ASKED_MIN, ASKED_MAX);
        }
        let at = n_failures.saturating_sub(1).min(WAITS.len() - 1);
        let wait = WAITS.get(at).map_or(self.longest, |seconds| Duration::from_secs(*seconds)).min(self.longest);
        let part = (chance % 2_001) as u32;
        wait.mul_f64(0.9 + 0.2 * f64::from(part) / 2_000.0)
    }
}

/// Numbers by chance, of which the first decides the others: the generator SplitMix64 of Steele,
/// Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_those_of_the_specification_give_or_take_a_tenth() {
        let schedule = Schedule::default();
        let mut chance = Chance::new(1);
        let mut total = Duration::ZERO;
        for (n, seconds) in (1..).zip([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, 86_400]) {
            for _ in 0..100 {
                let wait = schedule.wait(n, None, chance.next()).as_secs_f64();
                assert!((0.9 * f64::from(seconds)..=1.1 * f64::from(seconds)).contains(&wait), "{n}: {wait}");
            }
            assert_eq!(schedule.wait(n, None, 1_000).as_secs(), u64::from(seconds as u32));
            total += if n < 10 { schedule.wait(n, None, 1_000) } else { Duration::ZERO };
        }
        assert_eq!(total.as_secs() / 86_400, 3);
        let different: std::collections::BTreeSet<_> =
            (0..100).map(|_| schedule.wait(2, None, chance.next())).collect();
        assert!(different.len() > 80);
    }

    #[test]
    fn a_longest_wait_and_a_wish_are_kept() {
        let schedule = Schedule { longest: Duration::from_secs(60) };
        assert_eq!(schedule.wait(1, None, 1_000), Duration::from_secs(5));
        assert_eq!(schedule.wait(5, None, 1_000), Duration::from_secs(60));
        let asked = |seconds| schedule.wait(5, Some(Duration::from_secs(seconds)), 7);
        assert_eq!([asked(0), asked(120), asked(10_000_000)].map(|wait| wait.as_secs()), [1, 120, 24 * 3600]);
    }
}
