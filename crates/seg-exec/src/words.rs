//! The words of a block of profiles.

/// Profiles of a block: so many that the words of a block stay in the nearest
/// cache, and that calling a kernel costs nothing beside running it.
pub(crate) const BLOCK_WORDS: usize = 16;

/// A bit for each profile of a block.
pub(crate) type Words = [u64; BLOCK_WORDS];

/// A count for each profile of a block, bit by bit: the first words hold the
/// lowest bit of every count.
#[derive(Default)]
pub(crate) struct Counts(Vec<Words>);

impl Counts {
    /// Adds one for each bit, carrying from plane to plane.
    pub fn add(&mut self, words: Words) {
        let mut carry = words;
        for plane in &mut self.0 {
            let sum = std::array::from_fn(|at| get(plane, at) ^ get(&carry, at));
            carry = and(plane, &carry);
            *plane = sum;
        }
        if !is_none(&carry) {
            self.0.push(carry);
        }
    }

    /// Which counts are so high, from the highest bit down.
    pub fn reach(&self, least: u64) -> Words {
        if least.checked_shr(self.0.len() as u32).unwrap_or(0) != 0 {
            return [0; BLOCK_WORDS];
        }
        let (mut above, mut equal) = ([0; BLOCK_WORDS], [u64::MAX; BLOCK_WORDS]);
        for (place, plane) in self.0.iter().enumerate().rev() {
            let both = and(&equal, plane);
            if least >> place & 1 == 1 {
                equal = both;
            } else {
                above = std::array::from_fn(|at| get(&above, at) | get(&both, at));
                equal = std::array::from_fn(|at| get(&equal, at) & !get(plane, at));
            }
        }
        std::array::from_fn(|at| get(&above, at) | get(&equal, at))
    }
}

/// One of the words.
pub(crate) fn get(words: &Words, at: usize) -> u64 {
    words.get(at).copied().unwrap_or(0)
}

/// Who is in both.
pub(crate) fn and(a: &Words, b: &Words) -> Words {
    std::array::from_fn(|at| get(a, at) & get(b, at))
}

/// Whether nobody is in them.
pub(crate) fn is_none(words: &Words) -> bool {
    words.iter().all(|w| *w == 0)
}

/// The word in which a row has its bit, and that bit.
pub(crate) fn word_bit(row: usize) -> (usize, u64) {
    (row / 64, 1 << (row % 64))
}

/// The positions of the bits of a word, ascending.
pub(crate) fn bit_positions(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let position = (word != 0).then(|| word.trailing_zeros() as usize);
        word &= word.wrapping_sub(1);
        position
    })
}
