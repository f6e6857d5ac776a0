//! A vertical axis with round numbers.

/// An axis may have so many steps.
const STEPS_MAX: u64 = 4;

/// Where values stand between the top and the bottom of a drawing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// The value at the bottom.
    pub low: u64,
    /// The value at the top.
    pub high: u64,
    /// From one line to the next.
    pub step: u64,
}

impl Axis {
    /// Round numbers around some values: steps of 1, 2 or 5 times a power of ten. It begins at
    /// nought where the values differ by half of the largest, so that no small change looks
    /// large only for want of the rest.
    pub fn around(least: u64, most: u64) -> Axis {
        let least = if most.saturating_sub(least) >= most / 2 { 0 } else { least };
        let step = step(most.saturating_sub(least));
        let low = least / step * step;
        let high = most.div_ceil(step).saturating_mul(step);
        Axis { low, high: if high == low { low.saturating_add(step) } else { high }, step }
    }

    /// The values at which there is a line, ascending.
    pub fn ticks(self) -> impl Iterator<Item = u64> {
        std::iter::successors(Some(self.low), move |tick| tick.checked_add(self.step))
            .take_while(move |tick| *tick <= self.high)
    }

    /// How high a value stands between a bottom and a top.
    pub fn at(self, value: f64, bottom: f64, top: f64) -> f64 {
        let part = (value - self.low as f64) / (self.high - self.low).max(1) as f64;
        bottom + (top - bottom) * part.clamp(0.0, 1.0)
    }
}

/// The smallest round step of which few make a length.
fn step(length: u64) -> u64 {
    let mut power: u64 = 1;
    loop {
        for step in [1, 2, 5].map(|digit| power.saturating_mul(digit)) {
            if length.div_ceil(step) <= STEPS_MAX {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers() {
        let of = |least, most| {
            let axis = Axis::around(least, most);
            (axis.ticks().collect::<Vec<u64>>(), axis.high)
        };
        assert_eq!(of(1_437, 1_523), (vec![1_400, 1_450, 1_500, 1_550], 1_550));
        assert_eq!(of(1_440, 1_500), (vec![1_440, 1_460, 1_480, 1_500], 1_500));
        assert_eq!(of(253, 369), (vec![250, 300, 350, 400], 400));
        // Half of the largest and more: from nought on.
        assert_eq!(of(3, 6), (vec![0, 2, 4, 6], 6));
        assert_eq!(of(0, 0), (vec![0, 1], 1));
        assert_eq!(of(7, 7), (vec![7, 8], 8));
        // The largest numbers end.
        assert_eq!(of(0, u64::MAX).1, u64::MAX);
    }

    #[test]
    fn values_stand_between_bottom_and_top() {
        let axis = Axis::around(0, 10);
        assert_eq!([axis.at(0.0, 100.0, 0.0), axis.at(5.0, 100.0, 0.0), axis.at(11.0, 100.0, 0.0)], [100.0, 50.0, 0.0]);
    }
}
