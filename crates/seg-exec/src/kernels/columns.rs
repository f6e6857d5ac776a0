//! Conditions about a column of people, decided for 64 of them at once.
//!
//! There are few such conditions, and code made for one is no faster than what
//! stands here compiled already, while making it takes longer than reading the
//! sentence (docs/benchmarks).

use super::simd::{self, Range, Ranged, are_among, bits, meets};
use crate::derived::DerivedColumn;
use crate::words::{BLOCK_WORDS, Words};
use arrow_buffer::{BooleanBuffer, ScalarBuffer};
use std::sync::Arc;

/// From so many people of a word on, all 64 are decided: a word costs about as
/// much as a dozen people one by one.
const DENSE_MIN: u32 = 12;

/// So many keys of texts are compared rather than looked up in a table.
pub(crate) const KEYS_MAX: usize = 4;

/// What is asked of a column's values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ColumnTest {
    /// Whether there is one at all.
    IsValid,
    /// Whether a bit is as wanted.
    Bits(BooleanBuffer, bool),
    Ints32(ScalarBuffer<i32>, Range<i32>),
    Ints64(ScalarBuffer<i64>, Range<i64>),
    Numbers(ScalarBuffer<f64>, Range<f64>),
    /// Whether a key is one of a few, [`KEYS_MAX`] at most.
    Keys(ScalarBuffer<i32>, Vec<i32>),
    /// Whether the table's byte for a key is 1; it has one for each key, of which
    /// there are 256 at most.
    Bytes(ScalarBuffer<i32>, Box<[u8; 256]>),
    /// Whether the table's byte for a key is 1; it has one for each key.
    Table(ScalarBuffer<i32>, ScalarBuffer<u8>),
    /// Whether an integer has any bit of a mask.
    AnyBit(ScalarBuffer<i64>, i64),
}

/// The least times of which somebody who meets a condition has one, in the column
/// that says which people are all too early.
#[derive(Debug, Clone)]
pub(crate) struct ZoneTest {
    pub column: Arc<DerivedColumn>,
    pub least: i64,
}

/// A condition about one column of a batch's people.
#[derive(Debug, Clone)]
pub(crate) struct ColumnScan {
    pub test: ColumnTest,
    /// Who has a value, where some have none.
    pub valid: Option<BooleanBuffer>,
    pub zones: Option<ZoneTest>,
}

impl ColumnScan {
    /// A scan of all of a column.
    pub fn new(test: ColumnTest, valid: Option<BooleanBuffer>) -> ColumnScan {
        ColumnScan { test, valid, zones: None }
    }

    /// Who of a selection, whose words begin with the word `first_word`, meets the
    /// condition.
    pub fn decide(&self, first_word: usize, selection: &Words, n_words: usize) -> Words {
        let selection = match &self.zones {
            Some(zones) => zones.possible(selection, first_word),
            None => *selection,
        };
        let mut out = [0; BLOCK_WORDS];
        if let (Some(selection), Some(out)) = (selection.get(..n_words), out.get_mut(..n_words)) {
            simd::widely(Scan { scan: self, first: first_word * 64, selection, out });
        }
        out
    }
}

impl ZoneTest {
    /// Those of a selection among people of whom somebody has a time that is late
    /// enough.
    fn possible(&self, selection: &Words, first_word: usize) -> Words {
        const PER_WORD: usize = 64 / DerivedColumn::PER_ZONE;
        let zones = self.column.zones().get(first_word * PER_WORD..).unwrap_or(&[]);
        let (mut possible, mut words) = ([0; BLOCK_WORDS], zones.chunks(PER_WORD));
        for (word, selected) in possible.iter_mut().zip(selection) {
            let parts = words.next().unwrap_or(&[]).iter().enumerate();
            let late = parts.fold(0, |late, (at, latest)| {
                late | u64::from(*latest >= self.least) << (at * DerivedColumn::PER_ZONE)
            });
            // Each bit at the start of a part becomes all of its bits.
            *word = selected & late.wrapping_mul((1 << DerivedColumn::PER_ZONE) - 1);
        }
        possible
    }
}

/// A scan of some words.
struct Scan<'s> {
    scan: &'s ColumnScan,
    /// The first person.
    first: usize,
    selection: &'s [u64],
    out: &'s mut [u64],
}

impl simd::Task for Scan<'_> {
    #[inline(always)] // So that it is compiled for either machine.
    fn run(self) {
        let Scan { scan, first, selection, out } = self;
        let words = ScanWords { valid: scan.valid.as_ref(), first, selection, out };
        match &scan.test {
            ColumnTest::IsValid => words.each(|_, selected| selected),
            ColumnTest::Bits(bits, wanted) => {
                let flip = if *wanted { 0 } else { u64::MAX };
                words.each(|row, selected| (word_of(bits, row) ^ flip) & selected);
            }
            ColumnTest::Ints32(values, range) => words.within(values, *range),
            ColumnTest::Ints64(values, range) => words.within(values, *range),
            ColumnTest::Numbers(values, range) => words.within(values, *range),
            ColumnTest::Keys(keys, wanted) => {
                words.values(keys, |v: &[i32], _| are_among(v, wanted), |v| wanted.contains(&v));
            }
            // No key of a byte lies outside of the table, so that nothing is checked.
            ColumnTest::Bytes(keys, table) => {
                let holds = |key: i32| table.get(usize::from(key as u8)).is_some_and(|entry| *entry == 1);
                words.values(keys, |v: &[i32], _| bits(v, holds), holds);
            }
            ColumnTest::Table(keys, table) => {
                let holds = |key: i32| table.get(key as usize).is_some_and(|entry| *entry == 1);
                words.values(keys, |v: &[i32], _| bits(v, holds), holds);
            }
            ColumnTest::AnyBit(values, mask) => {
                words.values(values, |v: &[i64], _| meets(v, *mask), |v| v & mask != 0);
            }
        }
    }
}

/// The words of a selection, and where the answers go.
struct ScanWords<'s> {
    valid: Option<&'s BooleanBuffer>,
    first: usize,
    selection: &'s [u64],
    out: &'s mut [u64],
}

// Loops stand in each function, since a closure that is not inlined is compiled
// without the instructions that the loop around it may use.
impl ScanWords<'_> {
    /// Those of a selected word who have a value.
    #[inline(always)]
    fn valid(valid: Option<&BooleanBuffer>, row: usize, selected: u64) -> u64 {
        match valid {
            Some(valid) if selected != 0 => selected & word_of(valid, row),
            _ => selected,
        }
    }

    /// Decides word by word: those who are selected and have a value.
    #[inline(always)]
    fn each(self, decide: impl Fn(usize, u64) -> u64) {
        for (at, (out, selected)) in self.out.iter_mut().zip(self.selection).enumerate() {
            let row = self.first + at * 64;
            let selected = Self::valid(self.valid, row, *selected);
            *out = if selected == 0 { 0 } else { decide(row, selected) };
        }
    }

    /// Decides by the values: `all` of a word, those who are selected among them,
    /// or `one` by one where few are.
    #[inline(always)]
    fn values<T: Copy>(self, values: &[T], all: impl Fn(&[T], u64) -> u64, one: impl Fn(T) -> bool) {
        let mut words = values.get(self.first..).unwrap_or(&[]).chunks(64);
        for (at, (out, selected)) in self.out.iter_mut().zip(self.selection).enumerate() {
            let values = words.next().unwrap_or(&[]);
            let selected = Self::valid(self.valid, self.first + at * 64, *selected);
            *out = 0;
            if selected.count_ones() >= DENSE_MIN {
                *out = all(values, selected) & selected;
                continue;
            }
            let mut open = selected;
            while let Some(value) = values.get(open.trailing_zeros() as usize) {
                *out |= u64::from(one(*value)) << open.trailing_zeros();
                open &= open - 1;
            }
        }
    }

    /// Who has a value in a range.
    #[inline(always)]
    fn within<T: Ranged>(self, values: &[T], range: Range<T>) {
        self.values(values, |v, _| T::within(v, range), |v| range.holds(v));
    }
}

/// 64 bits from a row on; past the end none is set.
#[inline(always)]
fn word_of(bits: &BooleanBuffer, row: usize) -> u64 {
    let at = row + bits.offset();
    let (byte, within) = (at / 8, at % 8);
    let rest = bits.values().get(byte..).unwrap_or(&[]);
    let Some((eight, rest)) = rest.split_first_chunk::<8>() else {
        let bits = rest.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        return bits >> within;
    };
    let high = rest.first().map_or(0, |byte| u64::from(*byte));
    // In two steps, so that at a whole byte nothing of it remains.
    u64::from_le_bytes(*eight) >> within | high << 1 << (63 - within)
}

#[cfg(test)]
mod tests {
    use super::word_of;
    use arrow_buffer::{BooleanBuffer, Buffer};

    #[test]
    fn words_of_bits_begin_anywhere() {
        let bytes: Vec<u8> = (0..25_u8).map(|n| n.wrapping_mul(73) ^ 0x5a).collect();
        let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (at % 8) & 1);
        for offset in 0..20 {
            let bits = BooleanBuffer::new(Buffer::from(bytes.clone()), offset, 180);
            for row in (0..256).step_by(64) {
                let expected = (0..64).fold(0, |word, at| word | u64::from(bit(offset + row + at)) << at);
                assert_eq!(word_of(&bits, row), expected, "{offset} {row}");
            }
        }
    }
}
