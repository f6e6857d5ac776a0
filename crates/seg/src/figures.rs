//! Figures that several commands tell: percentiles, and ranges of rates.

/// The 97.5th percentile of the normal distribution: between it and its opposite lie 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// The value at a percentile by nearest rank: the smallest of which at least so much of all
/// values is at or below it. `sorted` ascends; none of none.
pub(crate) fn percentile(sorted: &[i64], percent: u64) -> Option<i64> {
    let rank = (sorted.len() as u128 * u128::from(percent)).div_ceil(100).max(1);
    sorted.get(usize::try_from(rank).ok()? - 1).copied()
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many of them are so.
    pub part: u64,
    /// How many there are.
    pub whole: u64,
}

impl Share {
    /// The part of one; none of none.
    pub fn rate(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }

    /// Between which rates the true one lies with 95 %: the score interval of E. B. Wilson,
    /// "Probable inference, the law of succession, and statistical inference", Journal of the
    /// American Statistical Association 22, 1927. None of none.
    pub fn range(self) -> Option<(f64, f64)> {
        let (rate, n) = (self.rate()?, self.whole as f64);
        let scale = 1.0 + Z * Z / n;
        let middle = (rate + Z * Z / (2.0 * n)) / scale;
        let half = Z / scale * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
        Some(((middle - half).max(0.0), (middle + half).min(1.0)))
    }

    /// How much higher this rate is than another, and between which differences the true one
    /// lies with 95 %: method 10 of R. G. Newcombe, "Interval estimation for the difference
    /// between independent proportions", Statistics in Medicine 17, 1998. None where one of
    /// them is of none.
    pub fn above(self, other: Share) -> Option<Difference> {
        let (rate, (low, high)) = (self.rate()?, self.range()?);
        let (other_rate, (other_low, other_high)) = (other.rate()?, other.range()?);
        let by = rate - other_rate;
        let down = (rate - low).hypot(other_high - other_rate);
        let up = (high - rate).hypot(other_rate - other_low);
        Some(Difference { by, low: by - down, high: by + up })
    }
}

/// By how much one rate is higher than another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// By so much in this data.
    pub by: f64,
    /// By so much at least.
    pub low: f64,
    /// By so much at most.
    pub high: f64,
}

impl Difference {
    /// Whether chance alone may make it.
    pub fn may_be_chance(&self) -> bool {
        self.low <= 0.0 && 0.0 <= self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_is_there() {
        let tenths: Vec<i64> = (1..=10).collect();
        assert_eq!([10, 25, 50, 90, 95, 100].map(|p| percentile(&tenths, p)), [1, 3, 5, 9, 10, 10].map(Some));
        assert_eq!(percentile(&[7], 1), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }

    /// The examples of the paper, table II, to its four places.
    #[test]
    fn differences_are_those_of_the_paper() {
        let cases = [
            ((56, 70), (48, 80), (0.0524, 0.3339)),
            ((9, 10), (3, 10), (0.1705, 0.8090)),
            ((6, 7), (2, 7), (0.0582, 0.8062)),
            ((5, 56), (0, 29), (-0.0381, 0.1926)),
            ((0, 10), (0, 20), (-0.1611, 0.2775)),
            ((0, 10), (0, 10), (-0.2775, 0.2775)),
            ((10, 10), (0, 20), (0.6791, 1.0)),
            ((10, 10), (0, 10), (0.6075, 1.0)),
        ];
        for ((a, n), (b, m), (low, high)) in cases {
            let share = |part, whole| Share { part, whole };
            let found = share(a, n).above(share(b, m)).expect("somebody on both sides");
            let near = |x: f64, y: f64| (x - y).abs() < 0.000_051;
            assert!(near(found.low, low) && near(found.high, high), "{a} of {n}, {b} of {m}: {found:?}");
        }
        assert_eq!(Share { part: 0, whole: 0 }.range(), None);
        assert_eq!(Share { part: 0, whole: 0 }.above(Share { part: 1, whole: 2 }), None);
    }
}
