//! Masks: one bit a profile, in the order of Arrow's bitmaps.

use arrow_array::BooleanArray;
use arrow_buffer::bit_iterator::BitIndexIterator;
use arrow_buffer::{BooleanBuffer, Buffer, ToByteSlice};

#[cfg(target_endian = "big")]
compile_error!("the words of a mask are read as Arrow's bitmaps, which begin with the lowest byte");

/// Which profiles of a batch are members: one bit each, 64 to a word, bits
/// past the end always zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mask {
    words: Vec<u64>,
    len: usize,
}

impl Mask {
    /// A mask of `len` profiles, none of them members.
    pub fn none(len: usize) -> Mask {
        Mask { words: vec![0; len.div_ceil(64)], len }
    }

    /// A mask from words of 64 profiles; bits past the end are cleared.
    pub fn from_words(mut words: Vec<u64>, len: usize) -> Mask {
        words.resize(len.div_ceil(64), 0);
        if let (Some(last), rest @ 1..) = (words.last_mut(), len % 64) {
            *last &= (1 << rest) - 1;
        }
        Mask { words, len }
    }

    /// Adds other profiles behind these.
    pub fn append(&mut self, other: &Mask) {
        let (len, shift) = (self.len + other.len, self.len % 64);
        for word in &other.words {
            if let (Some(last), 1..) = (self.words.last_mut(), shift) {
                *last |= word << shift;
            }
            self.words.push(if shift == 0 { *word } else { word >> (64 - shift) });
        }
        *self = Mask::from_words(std::mem::take(&mut self.words), len);
    }

    /// Who is a member of both; nobody past the end of either.
    pub fn and(&self, other: &Mask) -> Mask {
        let words = self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect();
        Mask::from_words(words, self.len)
    }

    /// Who is a member and not of the other.
    pub fn without(&self, other: &Mask) -> Mask {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        let words = self.words.iter().zip(others).map(|(a, b)| a & !b).collect();
        Mask::from_words(words, self.len)
    }

    /// The words, for another mask to be made of their memory.
    pub fn into_words(self) -> Vec<u64> {
        self.words
    }

    /// The words, of 64 profiles each.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// A mask from one answer a profile.
    pub fn from_bools(bools: impl IntoIterator<Item = bool>) -> Mask {
        let mut mask = Mask::default();
        for bit in bools {
            if mask.len.is_multiple_of(64) {
                mask.words.push(0);
            }
            if let Some(word) = mask.words.last_mut() {
                *word |= u64::from(bit) << (mask.len % 64);
            }
            mask.len += 1;
        }
        mask
    }

    /// How many profiles it speaks of.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it speaks of no profile.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a profile is a member; rows past the end are not.
    pub fn get(&self, row: usize) -> bool {
        row < self.len && self.words.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1)
    }

    /// How many profiles are members.
    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// The rows of the members, ascending.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        BitIndexIterator::new(self.words.to_byte_slice(), 0, self.len)
    }

    /// The mask as Arrow's bits.
    pub fn to_bits(&self) -> BooleanBuffer {
        BooleanBuffer::new(Buffer::from_vec(self.words.clone()), 0, self.len)
    }
}

/// A value for each person, without nulls: whether they are a member.
impl From<&Mask> for BooleanArray {
    fn from(mask: &Mask) -> BooleanArray {
        BooleanArray::new(mask.to_bits(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_count_and_list() {
        let mask = Mask::from_bools((0..130).map(|i| i % 64 == 1));
        assert_eq!((mask.len(), mask.count()), (130, 3));
        assert_eq!(mask.rows().collect::<Vec<_>>(), [1, 65, 129]);
        assert!(!mask.get(130) && !Mask::none(3).get(0));
        assert_eq!(Mask::from_words(vec![u64::MAX; 9], 70).count(), 70);
        assert_eq!(mask.to_bits().iter().collect::<Vec<_>>(), (0..130).map(|i| i % 64 == 1).collect::<Vec<_>>());
        for len in [0, 1, 63, 64, 65, 128, 200] {
            let third = Mask::from_bools((0..len).map(|i| i % 3 == 2));
            assert_eq!(third.rows().collect::<Vec<_>>(), (2..len).step_by(3).collect::<Vec<_>>(), "{len}");
            assert_eq!(Mask::from_words(third.words().to_vec(), len), third);
            for cut in [0, 1, 40, 64, 127].into_iter().filter(|cut| *cut <= len) {
                let mut appended = Mask::from_bools((0..cut).map(|i| i % 3 == 2));
                appended.append(&Mask::from_bools((cut..len).map(|i| i % 3 == 2)));
                assert_eq!(appended, third, "{len} cut at {cut}");
            }
            let even = Mask::from_bools((0..len).map(|i| i % 2 == 0));
            assert_eq!(even.and(&third), Mask::from_bools((0..len).map(|i| i % 6 == 2)));
            assert_eq!(third.without(&even), Mask::from_bools((0..len).map(|i| i % 6 == 5)));
            assert_eq!(third.without(&Mask::default()), third);
        }
        assert_eq!(Mask::default().rows().next(), None);
    }
}
