//! Words of values held against a bound: a bit for each of 64 people.
//!
//! The instructions that every x86-64 has cannot compare 64 bits at once, so where
//! the machine has more, the same functions are compiled for those.

use seg_hir::hir::CompareOp;

/// The bits of a word of values that compare so with a bound.
pub(crate) fn compare(op: CompareOp, values: &[i64], bound: i64) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if let (Ok(values), true) = (values.try_into(), std::arch::is_x86_feature_detected!("avx2")) {
        // SAFETY: the machine has the instructions that the function needs.
        return unsafe { avx2::compare(op, values, bound) };
    }
    match op {
        CompareOp::Less => bits(values, |v| v < bound),
        CompareOp::LessOrEqual => bits(values, |v| v <= bound),
        CompareOp::Equal => bits(values, |v| v == bound),
        CompareOp::GreaterOrEqual => bits(values, |v| v >= bound),
        CompareOp::Greater => bits(values, |v| v > bound),
    }
}

/// The bits of a word of values that have a bit in common with a mask.
pub(crate) fn meets(values: &[i64], mask: i64) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if let (Ok(values), true) = (values.try_into(), std::arch::is_x86_feature_detected!("avx2")) {
        // SAFETY: the machine has the instructions that the function needs.
        return unsafe { avx2::meets(values, mask) };
    }
    bits(values, |v| v & mask != 0)
}

/// A bit for each of up to 64 values. First a byte each, which is done many at a
/// time, then eight bytes to a byte by one multiplication that moves the bit of
/// byte k to bit 56 + k.
fn bits(values: &[i64], holds: impl Fn(i64) -> bool) -> u64 {
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
        __m256i, _mm256_and_si256, _mm256_castsi256_pd, _mm256_cmpeq_epi64, _mm256_cmpgt_epi64, _mm256_movemask_pd,
        _mm256_set_epi64x, _mm256_set1_epi64x, _mm256_setzero_si256,
    };

    #[target_feature(enable = "avx2")]
    pub fn compare(op: CompareOp, values: &[i64; 64], bound: i64) -> u64 {
        let bound = _mm256_set1_epi64x(bound);
        match op {
            CompareOp::Less => bits(values, |v| _mm256_cmpgt_epi64(bound, v)),
            CompareOp::LessOrEqual => !bits(values, |v| _mm256_cmpgt_epi64(v, bound)),
            CompareOp::Equal => bits(values, |v| _mm256_cmpeq_epi64(v, bound)),
            CompareOp::GreaterOrEqual => !bits(values, |v| _mm256_cmpgt_epi64(bound, v)),
            CompareOp::Greater => bits(values, |v| _mm256_cmpgt_epi64(v, bound)),
        }
    }

    #[target_feature(enable = "avx2")]
    pub fn meets(values: &[i64; 64], mask: i64) -> u64 {
        let mask = _mm256_set1_epi64x(mask);
        !bits(values, |v| _mm256_cmpeq_epi64(_mm256_and_si256(v, mask), _mm256_setzero_si256()))
    }

    /// The highest bit of what becomes of each value.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn bits(values: &[i64; 64], holds: impl Fn(__m256i) -> __m256i) -> u64 {
        let (fours, _) = values.as_chunks::<4>();
        fours.iter().rev().fold(0, |word, [a, b, c, d]| {
            let held = holds(_mm256_set_epi64x(*d, *c, *b, *a));
            word << 4 | _mm256_movemask_pd(_mm256_castsi256_pd(held)) as u64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways, on the values that a comparison could mistake.
    #[test]
    fn a_bit_for_each_value() {
        let nasty = [i64::MIN, i64::MIN + 1, -1, 0, 1, 1 << 31, 1 << 32, -(1 << 32), i64::MAX - 1, i64::MAX];
        let values: Vec<i64> = (0..64).map(|at| nasty[at * 7 % nasty.len()] ^ (at as i64 / 10 % 2)).collect();
        let one_by_one = |holds: &dyn Fn(i64) -> bool| {
            values.iter().enumerate().fold(0, |word, (at, value)| word | u64::from(holds(*value)) << at)
        };
        for bound in nasty {
            let expected = [
                (CompareOp::Less, one_by_one(&|v| v < bound)),
                (CompareOp::LessOrEqual, one_by_one(&|v| v <= bound)),
                (CompareOp::Equal, one_by_one(&|v| v == bound)),
                (CompareOp::GreaterOrEqual, one_by_one(&|v| v >= bound)),
                (CompareOp::Greater, one_by_one(&|v| v > bound)),
            ];
            for (op, expected) in expected {
                assert_eq!(compare(op, &values, bound), expected, "{op:?} {bound}");
                // Fewer than a word are compared without the wider instructions.
                assert_eq!(compare(op, &values[..63], bound), expected & !(1 << 63), "{op:?} {bound}");
            }
            assert_eq!(meets(&values, bound), one_by_one(&|v| v & bound != 0));
            assert_eq!(meets(&values[..63], bound), one_by_one(&|v| v & bound != 0) & !(1 << 63));
        }
    }
}
