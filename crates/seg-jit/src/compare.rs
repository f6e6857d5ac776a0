//! Words of values held against a bound: a bit for each of 64 people.
//!
//! The instructions that every x86-64 has cannot compare 64 bits at once, so where
//! the machine has more, the same functions are compiled for those.

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

/// The bits of values that compare so with a bound.
pub(crate) fn compare(op: CompareOp, values: &[i64], bound: i64) -> u64 {
    with_avx2!(values, compare(op, values, bound));
    scalar(op, values, bound)
}

/// The same for dates.
pub(crate) fn compare_dates(op: CompareOp, values: &[i32], bound: i64) -> u64 {
    with_avx2!(values, compare_dates(op, values, bound));
    match op {
        CompareOp::Less => bits(values, |v| i64::from(v) < bound),
        CompareOp::LessOrEqual => bits(values, |v| i64::from(v) <= bound),
        CompareOp::Equal => bits(values, |v| i64::from(v) == bound),
        CompareOp::GreaterOrEqual => bits(values, |v| i64::from(v) >= bound),
        CompareOp::Greater => bits(values, |v| i64::from(v) > bound),
    }
}

/// The same for numbers, of which those that are not finite compare with nothing.
pub(crate) fn compare_numbers(op: CompareOp, values: &[f64], bound: f64) -> u64 {
    with_avx2!(values, compare_numbers(op, values, bound));
    scalar(op, values, bound) & are_finite(values)
}

/// The bits of numbers that are finite.
pub(crate) fn are_finite(values: &[f64]) -> u64 {
    bits(values, f64::is_finite)
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

fn scalar<T: Copy + PartialOrd>(op: CompareOp, values: &[T], bound: T) -> u64 {
    match op {
        CompareOp::Less => bits(values, |v| v < bound),
        CompareOp::LessOrEqual => bits(values, |v| v <= bound),
        CompareOp::Equal => bits(values, |v| v == bound),
        CompareOp::GreaterOrEqual => bits(values, |v| v >= bound),
        CompareOp::Greater => bits(values, |v| v > bound),
    }
}

/// A bit for each of up to 64 values. First a byte each, which is done many at a
/// time, then eight bytes to a byte by one multiplication that moves the bit of
/// byte k to bit 56 + k.
fn bits<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> u64 {
    let mut bytes = [0_u8; 64];
    bytes.iter_mut().zip(values).for_each(|(byte, value)| *byte = u8::from(holds(*value)));
    let (eights, _) = bytes.as_chunks::<8>();
    let pack = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().enumerate().fold(0, |word, (at, eight)| word | pack(eight) << (8 * at))
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use seg_hir::hir::CompareOp;
    use std::arch::x86_64::{
        __m256d, __m256i, _CMP_EQ_OQ, _CMP_GE_OQ, _CMP_GT_OQ, _CMP_LE_OQ, _CMP_LT_OQ, _mm_set_epi32, _mm256_and_pd,
        _mm256_and_si256, _mm256_andnot_pd, _mm256_castsi256_pd, _mm256_castsi256_ps, _mm256_cmp_pd,
        _mm256_cmpeq_epi32, _mm256_cmpeq_epi64, _mm256_cmpgt_epi64, _mm256_cvtepi32_epi64, _mm256_movemask_pd,
        _mm256_movemask_ps, _mm256_or_si256, _mm256_set_epi32, _mm256_set_epi64x, _mm256_set_pd, _mm256_set1_epi32,
        _mm256_set1_epi64x, _mm256_set1_pd, _mm256_setzero_si256,
    };

    #[target_feature(enable = "avx2")]
    pub fn compare(op: CompareOp, values: &[i64; 64], bound: i64) -> u64 {
        let bound = _mm256_set1_epi64x(bound);
        let load = |[a, b, c, d]: &[i64; 4]| _mm256_set_epi64x(*d, *c, *b, *a);
        match op {
            CompareOp::Less => integers(values, |v| _mm256_cmpgt_epi64(bound, load(v))),
            CompareOp::LessOrEqual => !integers(values, |v| _mm256_cmpgt_epi64(load(v), bound)),
            CompareOp::Equal => integers(values, |v| _mm256_cmpeq_epi64(load(v), bound)),
            CompareOp::GreaterOrEqual => !integers(values, |v| _mm256_cmpgt_epi64(bound, load(v))),
            CompareOp::Greater => integers(values, |v| _mm256_cmpgt_epi64(load(v), bound)),
        }
    }

    #[target_feature(enable = "avx2")]
    pub fn compare_dates(op: CompareOp, values: &[i32; 64], bound: i64) -> u64 {
        let bound = _mm256_set1_epi64x(bound);
        let load = |[a, b, c, d]: &[i32; 4]| _mm256_cvtepi32_epi64(_mm_set_epi32(*d, *c, *b, *a));
        match op {
            CompareOp::Less => integers(values, |v| _mm256_cmpgt_epi64(bound, load(v))),
            CompareOp::LessOrEqual => !integers(values, |v| _mm256_cmpgt_epi64(load(v), bound)),
            CompareOp::Equal => integers(values, |v| _mm256_cmpeq_epi64(load(v), bound)),
            CompareOp::GreaterOrEqual => !integers(values, |v| _mm256_cmpgt_epi64(bound, load(v))),
            CompareOp::Greater => integers(values, |v| _mm256_cmpgt_epi64(load(v), bound)),
        }
    }

    #[target_feature(enable = "avx2")]
    pub fn compare_numbers(op: CompareOp, values: &[f64; 64], bound: f64) -> u64 {
        let bound = _mm256_set1_pd(bound);
        match op {
            CompareOp::Less => numbers(values, |v| _mm256_cmp_pd::<_CMP_LT_OQ>(v, bound)),
            CompareOp::LessOrEqual => numbers(values, |v| _mm256_cmp_pd::<_CMP_LE_OQ>(v, bound)),
            CompareOp::Equal => numbers(values, |v| _mm256_cmp_pd::<_CMP_EQ_OQ>(v, bound)),
            CompareOp::GreaterOrEqual => numbers(values, |v| _mm256_cmp_pd::<_CMP_GE_OQ>(v, bound)),
            CompareOp::Greater => numbers(values, |v| _mm256_cmp_pd::<_CMP_GT_OQ>(v, bound)),
        }
    }

    #[target_feature(enable = "avx2")]
    pub fn meets(values: &[i64; 64], mask: i64) -> u64 {
        let mask = _mm256_set1_epi64x(mask);
        !integers(values, |[a, b, c, d]| {
            let found = _mm256_and_si256(_mm256_set_epi64x(*d, *c, *b, *a), mask);
            _mm256_cmpeq_epi64(found, _mm256_setzero_si256())
        })
    }

    #[target_feature(enable = "avx2")]
    pub fn are_among(keys: &[i32; 64], wanted: &[i32]) -> u64 {
        let (eights, _) = keys.as_chunks::<8>();
        eights.iter().rev().fold(0, |word, [a, b, c, d, e, f, g, h]| {
            let keys = _mm256_set_epi32(*h, *g, *f, *e, *d, *c, *b, *a);
            let found = wanted.iter().fold(_mm256_setzero_si256(), |found, key| {
                _mm256_or_si256(found, _mm256_cmpeq_epi32(keys, _mm256_set1_epi32(*key)))
            });
            word << 8 | u64::from(_mm256_movemask_ps(_mm256_castsi256_ps(found)) as u8)
        })
    }

    /// The highest bit of what becomes of each value, four at a time.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn integers<T>(values: &[T; 64], holds: impl Fn(&[T; 4]) -> __m256i) -> u64 {
        let (fours, _) = values.as_chunks::<4>();
        let four = |four| _mm256_movemask_pd(_mm256_castsi256_pd(holds(four))) as u64;
        fours.iter().rev().fold(0, |word, values| word << 4 | four(values))
    }

    /// The same of numbers, and nothing of those that are not finite.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn numbers(values: &[f64; 64], holds: impl Fn(__m256d) -> __m256d) -> u64 {
        let (sign, infinite) = (_mm256_set1_pd(-0.0), _mm256_set1_pd(f64::INFINITY));
        let (fours, _) = values.as_chunks::<4>();
        fours.iter().rev().fold(0, |word, [a, b, c, d]| {
            let four = _mm256_set_pd(*d, *c, *b, *a);
            let is_finite = _mm256_cmp_pd::<_CMP_LT_OQ>(_mm256_andnot_pd(sign, four), infinite);
            word << 4 | _mm256_movemask_pd(_mm256_and_pd(holds(four), is_finite)) as u64
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
                both_ways(&values, |v| compare(op, v, bound), |v| op.holds(v.cmp(&bound)));
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
                both_ways(&values, |v| compare_dates(op, v, bound), |v| op.holds(i64::from(v).cmp(&bound)));
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
        both_ways(&values, are_finite, f64::is_finite);
        for bound in nasty.into_iter().filter(|bound| bound.is_finite()) {
            for op in OPS {
                let holds = |v: f64| v.partial_cmp(&bound).is_some_and(|order| op.holds(order));
                both_ways(&values, |v| compare_numbers(op, v, bound), |v| v.is_finite() && holds(v));
            }
        }
    }
}
