//! Words of values compared with a range: a bit for each of 64 people.
//!
//! The instructions that every x86-64 has cannot compare 64 bits at once, so where
//! the machine has more, the same functions are compiled for those. This is the
//! only file of the crate with unsafe code, which rests on one thing: the machine
//! is asked for instructions before a function that has them is called.
#![allow(unsafe_code)]

use seg_hir::hir::CompareOp;

/// Calls the function of the same name for machines with AVX2 where this is one
/// and there are 64 values.
macro_rules! with_avx2 {
    ($values:ident, $name:ident($($arguments:expr),*)) => {
        #[cfg(target_arch = "x86_64")]
        if let (Ok($values), true) = ($values.try_into(), std::arch::is_x86_feature_detected!("avx2")) {
            // SAFETY: the machine has the instructions that the function needs.
            return unsafe { avx2::$name($($arguments),*) };
        }
    };
}

/// Work that is compiled once for every machine and once for those that compare
/// 64 bits at once and count bits. `run` must be inlined for that.
pub(crate) trait Task {
    /// Does it.
    fn run(self);
}

/// Does a task with the widest instructions that it is compiled for and that the
/// machine has.
pub(crate) fn widely(task: impl Task) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("popcnt") {
        // SAFETY: the machine has the instructions that the function needs.
        return unsafe { run_widely(task) };
    }
    task.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn run_widely(task: impl Task) {
    task.run();
}

/// Values from one to another, both among them; none where the least is above the
/// greatest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range<T> {
    pub least: T,
    pub greatest: T,
}

impl std::fmt::Display for Range<i64> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.least, self.greatest) {
            (least, greatest) if least > greatest => write!(f, "no range"),
            (i64::MIN, greatest) => write!(f, "..={greatest}"),
            (least, i64::MAX) => write!(f, "{least}.."),
            (least, greatest) => write!(f, "{least}..={greatest}"),
        }
    }
}

impl Range<i64> {
    /// The integers that compare so with a bound.
    pub fn of(op: CompareOp, bound: i64) -> Range<i64> {
        const NONE: Range<i64> = Range { least: i64::MAX, greatest: i64::MIN };
        let (least, greatest) = match op {
            CompareOp::Less => (Some(i64::MIN), bound.checked_sub(1)),
            CompareOp::LessOrEqual => (Some(i64::MIN), Some(bound)),
            CompareOp::Equal => (Some(bound), Some(bound)),
            CompareOp::GreaterOrEqual => (Some(bound), Some(i64::MAX)),
            CompareOp::Greater => (bound.checked_add(1), Some(i64::MAX)),
        };
        least.zip(greatest).map_or(NONE, |(least, greatest)| Range { least, greatest })
    }

    /// Those of them that have 32 bits.
    pub fn narrow(self) -> Range<i32> {
        const NONE: Range<i32> = Range { least: i32::MAX, greatest: i32::MIN };
        let least = i32::try_from(self.least.max(i64::from(i32::MIN)));
        let greatest = i32::try_from(self.greatest.min(i64::from(i32::MAX)));
        least.ok().zip(greatest.ok()).map_or(NONE, |(least, greatest)| Range { least, greatest })
    }
}

impl Range<f64> {
    /// The numbers that compare so with a bound; none that is not finite does.
    pub fn of(op: CompareOp, bound: f64) -> Range<f64> {
        let (least, greatest) = match op {
            CompareOp::Less => (f64::MIN, bound.next_down()),
            CompareOp::LessOrEqual => (f64::MIN, bound),
            CompareOp::Equal => (bound, bound),
            CompareOp::GreaterOrEqual => (bound, f64::MAX),
            CompareOp::Greater => (bound.next_up(), f64::MAX),
        };
        Range { least: least.max(f64::MIN), greatest: greatest.min(f64::MAX) }
    }
}

/// Values of which words are compared with a range.
pub(crate) trait Ranged: Copy + PartialOrd {
    /// The bits of values that lie in a range.
    fn within(values: &[Self], range: Range<Self>) -> u64;
}

impl<T: Ranged> Range<T> {
    /// Whether a value lies in it.
    pub fn holds(self, value: T) -> bool {
        // Both are looked at, which is sooner done than to foresee the first.
        (self.least <= value) & (value <= self.greatest)
    }
}

impl Ranged for i64 {
    fn within(values: &[i64], range: Range<i64>) -> u64 {
        with_avx2!(values, within(values, range));
        bits(values, |v| range.holds(v))
    }
}

impl Ranged for i32 {
    fn within(values: &[i32], range: Range<i32>) -> u64 {
        with_avx2!(values, within_narrow(values, range));
        bits(values, |v| range.holds(v))
    }
}

impl Ranged for f64 {
    fn within(values: &[f64], range: Range<f64>) -> u64 {
        with_avx2!(values, within_numbers(values, range));
        bits(values, |v| range.holds(v))
    }
}

/// The bits of values that have a bit in common with a mask.
pub(crate) fn meets(values: &[i64], mask: i64) -> u64 {
    with_avx2!(values, meets(values, mask));
    bits(values, |v| v & mask != 0)
}

/// The bits of keys that are one of a few.
pub(crate) fn are_among(keys: &[i32], wanted: &[i32]) -> u64 {
    with_avx2!(keys, are_among(keys, wanted));
    bits(keys, |key| wanted.contains(&key))
}

/// A bit for each of up to 64 values. First a byte each, which is done many at a
/// time, then eight bytes to a byte by one multiplication that moves the bit of
/// byte k to bit 56 + k.
pub(crate) fn bits<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> u64 {
    let mut bytes = [0_u8; 64];
    bytes.iter_mut().zip(values).for_each(|(byte, value)| *byte = u8::from(holds(*value)));
    let (eights, _) = bytes.as_chunks::<8>();
    let pack = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().enumerate().fold(0, |word, (at, eight)| word | pack(eight) << (8 * at))
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::Range;
    use std::arch::x86_64::{
        __m256i, _CMP_LE_OQ, _mm256_and_pd, _mm256_and_si256, _mm256_castsi256_pd, _mm256_castsi256_ps, _mm256_cmp_pd,
        _mm256_cmpeq_epi32, _mm256_cmpeq_epi64, _mm256_cmpgt_epi32, _mm256_cmpgt_epi64, _mm256_loadu_pd,
        _mm256_loadu_si256, _mm256_movemask_pd, _mm256_movemask_ps, _mm256_or_si256, _mm256_set1_epi32,
        _mm256_set1_epi64x, _mm256_set1_pd, _mm256_setzero_si256,
    };

    #[target_feature(enable = "avx2")]
    pub fn within(values: &[i64; 64], range: Range<i64>) -> u64 {
        let (least, greatest) = (_mm256_set1_epi64x(range.least), _mm256_set1_epi64x(range.greatest));
        // Most ranges have one end.
        match (range.least, range.greatest) {
            (_, i64::MAX) => !integers(values, |v| _mm256_cmpgt_epi64(least, v)),
            (i64::MIN, _) => !integers(values, |v| _mm256_cmpgt_epi64(v, greatest)),
            _ => !integers(values, |v| _mm256_or_si256(_mm256_cmpgt_epi64(least, v), _mm256_cmpgt_epi64(v, greatest))),
        }
    }

    #[target_feature(enable = "avx2")]
    pub fn within_narrow(values: &[i32; 64], range: Range<i32>) -> u64 {
        let (least, greatest) = (_mm256_set1_epi32(range.least), _mm256_set1_epi32(range.greatest));
        !eights(values, |value| _mm256_or_si256(_mm256_cmpgt_epi32(least, value), _mm256_cmpgt_epi32(value, greatest)))
    }

    #[target_feature(enable = "avx2")]
    pub fn within_numbers(values: &[f64; 64], range: Range<f64>) -> u64 {
        let (least, greatest) = (_mm256_set1_pd(range.least), _mm256_set1_pd(range.greatest));
        let (fours, _) = values.as_chunks::<4>();
        fours.iter().enumerate().fold(0, |word, (at, four)| {
            // SAFETY: an array of four numbers is as long as what is loaded.
            let value = unsafe { _mm256_loadu_pd(four.as_ptr()) };
            let (above, below) =
                (_mm256_cmp_pd::<_CMP_LE_OQ>(least, value), _mm256_cmp_pd::<_CMP_LE_OQ>(value, greatest));
            word | (_mm256_movemask_pd(_mm256_and_pd(above, below)) as u64) << (4 * at)
        })
    }

    #[target_feature(enable = "avx2")]
    pub fn meets(values: &[i64; 64], mask: i64) -> u64 {
        let mask = _mm256_set1_epi64x(mask);
        !integers(values, |v| _mm256_cmpeq_epi64(_mm256_and_si256(v, mask), _mm256_setzero_si256()))
    }

    #[target_feature(enable = "avx2")]
    pub fn are_among(keys: &[i32; 64], wanted: &[i32]) -> u64 {
        eights(keys, |keys| {
            wanted.iter().fold(_mm256_setzero_si256(), |found, key| {
                _mm256_or_si256(found, _mm256_cmpeq_epi32(keys, _mm256_set1_epi32(*key)))
            })
        })
    }

    /// The highest bit of what becomes of each value, four at a time, upwards, for
    /// which machines read ahead.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn integers(values: &[i64; 64], holds: impl Fn(__m256i) -> __m256i) -> u64 {
        let (fours, _) = values.as_chunks::<4>();
        fours.iter().enumerate().fold(0, |word, (at, four)| {
            // SAFETY: an array of four integers is as long as what is loaded.
            let held = holds(unsafe { _mm256_loadu_si256(four.as_ptr().cast()) });
            word | (_mm256_movemask_pd(_mm256_castsi256_pd(held)) as u64) << (4 * at)
        })
    }

    /// The same, eight at a time.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn eights(values: &[i32; 64], holds: impl Fn(__m256i) -> __m256i) -> u64 {
        let (eights, _) = values.as_chunks::<8>();
        eights.iter().enumerate().fold(0, |word, (at, eight)| {
            // SAFETY: an array of eight integers is as long as what is loaded.
            let held = holds(unsafe { _mm256_loadu_si256(eight.as_ptr().cast()) });
            word | u64::from(_mm256_movemask_ps(_mm256_castsi256_ps(held)) as u8) << (8 * at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPS: [CompareOp; 5] =
        [CompareOp::Less, CompareOp::LessOrEqual, CompareOp::Equal, CompareOp::GreaterOrEqual, CompareOp::Greater];

    fn one_by_one<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> u64 {
        values.iter().enumerate().fold(0, |word, (at, value)| word | u64::from(holds(*value)) << at)
    }

    /// Of all 64, and of fewer, which are compared without the wider instructions.
    fn both_ways<T: Copy>(values: &[T], found: impl Fn(&[T]) -> u64, expected: impl Fn(T) -> bool + Copy) {
        for values in [values, &values[..63]] {
            assert_eq!(found(values), one_by_one(values, expected));
        }
    }

    /// A word of the values that a comparison could mistake, each in several places.
    fn word<T: Copy>(nasty: &[T]) -> Vec<T> {
        (0..64).map(|at| nasty[at * 7 % nasty.len()]).collect()
    }

    #[test]
    fn a_bit_for_each_integer() {
        let nasty = [i64::MIN, i64::MIN + 1, -1, 0, 1, 1 << 31, 1 << 32, -(1 << 32), i64::MAX - 1, i64::MAX];
        let values = word(&nasty);
        for bound in nasty {
            for op in OPS {
                let holds = |v: i64| op.holds(v.cmp(&bound));
                both_ways(&values, |v| i64::within(v, Range::<i64>::of(op, bound)), holds);
            }
            both_ways(&values, |v| meets(v, bound), |v| v & bound != 0);
        }
    }

    #[test]
    fn a_bit_for_each_date_and_key() {
        let nasty = [i32::MIN, i32::MIN + 1, -1, 0, 1, 2, 3, 20_000, i32::MAX - 1, i32::MAX];
        let values = word(&nasty);
        let bounds = nasty.iter().map(|day| i64::from(*day)).chain([i64::MIN, -(1 << 33), 1 << 33, i64::MAX]);
        for bound in bounds {
            for op in OPS {
                let range = Range::<i64>::of(op, bound).narrow();
                both_ways(&values, |v| i32::within(v, range), |v| op.holds(i64::from(v).cmp(&bound)));
            }
        }
        for wanted in [&[0][..], &[1, 3], &[7], &[i32::MAX, -1, 2, 0], &[]] {
            both_ways(&values, |v| are_among(v, wanted), |v| wanted.contains(&v));
        }
    }

    #[test]
    fn a_bit_for_each_number() {
        let nasty = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, f64::MAX, f64::MIN, 1.5, -1.5, 5e-324, 2.0];
        let values = word(&nasty);
        let all = Range { least: f64::MIN, greatest: f64::MAX };
        both_ways(&values, |v| f64::within(v, all), f64::is_finite);
        for bound in nasty.into_iter().filter(|bound| bound.is_finite()) {
            for op in OPS {
                let holds = |v: f64| v.partial_cmp(&bound).is_some_and(|order| op.holds(order));
                both_ways(&values, |v| f64::within(v, Range::<f64>::of(op, bound)), |v| v.is_finite() && holds(v));
            }
        }
    }
}
