//! Conditions about a column of people, decided for 64 of them at once.
//!
//! There are few such conditions, and code made for one is no faster than what
//! stands here compiled already, while making it takes longer than reading the
//! sentence (docs/benchmarks). So they have shapes and parameters like all others,
//! but no code.

use crate::compare::{Range, Ranged, are_among, bits, meets};
use crate::select::KEYS_MAX;
use crate::shape::{Column, Cond, Row, Slot, Store, Value};
use seg_data::batch::Layout;
use seg_hir::hir::CompareOp;

/// From so many people of a word on, all 64 are decided: a word costs about as
/// much as a dozen people one by one.
const DENSE_MIN: u32 = 12;

/// What is missing is the least of all.
const KNOWN: Range<i64> = Range { least: Layout::MISSING + 1, greatest: i64::MAX };

/// Whether a condition is one of these.
pub(crate) fn is_columnar(cond: &Cond) -> bool {
    let column = match cond {
        Cond::Known(Value::Column(column)) | Cond::Bits(column, _) => column,
        Cond::Test { keys, .. } | Cond::Keys { keys, .. } => keys,
        Cond::Compare(op, Value::Column(column), bound) => match (&column.store, bound) {
            (Store::Bit(_), Value::Int(_)) if *op == CompareOp::Equal => column,
            (Store::I32 | Store::I64 | Store::Optional, Value::Int(_)) | (Store::F64, Value::Number(_)) => column,
            _ => return false,
        },
        _ => return false,
    };
    column.row == Row::Person
}

/// A condition about a column, and the people of some words who are asked.
pub(crate) struct Asked<'w> {
    cond: &'w Cond,
    params: &'w [u64],
    n_rows: usize,
    first: usize,
    care: &'w [u64],
}

impl<'w> Asked<'w> {
    /// Asks those of `care`, which begins with the person `first`, of a batch of
    /// `n_rows` people.
    ///
    /// # Safety
    /// The condition [is columnar](is_columnar); `params` was filled for its shape
    /// and for that batch, which is alive; every bit of `care` stands for a person
    /// of it.
    pub unsafe fn new(cond: &'w Cond, params: &'w [u64], n_rows: usize, first: usize, care: &'w [u64]) -> Asked<'w> {
        Asked { cond, params, n_rows, first, care }
    }

    /// Writes who of them meet the condition.
    pub fn decide(&self, out: &mut [u64]) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("popcnt") {
            // SAFETY: the machine has the instructions that the function needs.
            return unsafe { self.decide_widely(out) };
        }
        self.decide_by(out);
    }

    /// The same, compiled for machines that have more than every x86-64: that
    /// compare 64 bits at once, and count bits.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,popcnt")]
    fn decide_widely(&self, out: &mut [u64]) {
        self.decide_by(out);
    }

    #[inline(always)] // So that it is compiled for either machine.
    fn decide_by(&self, out: &mut [u64]) {
        match self.cond {
            Cond::Known(Value::Column(column)) => self.known(column, out),
            Cond::Compare(op, Value::Column(column), Value::Int(bound) | Value::Number(bound)) => {
                self.compare(*op, column, *bound, out);
            }
            Cond::Bits(column, mask) => {
                let mask = self.int(*mask);
                self.values(column, out, |v: &[i64], _| meets(v, mask), |v| v & mask != 0);
            }
            Cond::Keys { keys, wanted } => {
                // This is done for each block, so it gets no memory.
                let mut few = [0; KEYS_MAX];
                few.iter_mut().zip(wanted).for_each(|(key, slot)| *key = self.int(*slot) as i32);
                let few = few.get(..wanted.len()).unwrap_or(&few);
                self.values(keys, out, |v: &[i32], _| are_among(v, few), |v| few.contains(&v));
            }
            Cond::Test { keys, table } => self.test(keys, *table, out),
            _ => out.fill(0),
        }
    }

    /// Who has a value.
    #[inline(always)]
    fn known(&self, column: &Column, out: &mut [u64]) {
        match column.store {
            Store::Optional => self.within(column, KNOWN, out),
            Store::F64 => self.within(column, Range { least: f64::MIN, greatest: f64::MAX }, out),
            Store::Bit(_) | Store::I32 | Store::I64 => self.words(column, out, |_, care| care),
        }
    }

    /// Who has a value that compares so with the bound of a slot.
    #[inline(always)]
    fn compare(&self, op: CompareOp, column: &Column, bound: Slot, out: &mut [u64]) {
        let bound = self.int(bound);
        let range = Range::<i64>::of(op, bound);
        match column.store {
            Store::Bit(offset) => {
                let bits = self.bits(column.values, offset);
                // Held against 1 the bits themselves, against 0 the others.
                let flip = (bound - 1) as u64;
                self.words(column, out, |row, care| (bits.word(row) ^ flip) & care);
            }
            Store::I32 => self.within(column, range.narrow(), out),
            Store::I64 => self.within(column, range, out),
            Store::Optional => self.within(column, Range { least: range.least.max(KNOWN.least), ..range }, out),
            Store::F64 => self.within(column, Range::<f64>::of(op, f64::from_bits(bound as u64)), out),
        }
    }

    /// Who has a value in a range.
    #[inline(always)]
    fn within<T: Ranged>(&self, column: &Column, range: Range<T>, out: &mut [u64]) {
        self.values(column, out, |v, _| T::within(v, range), |v| range.holds(v));
    }

    /// Whose text a table says yes to.
    #[inline(always)]
    fn test(&self, keys: &Column, table: Slot, out: &mut [u64]) {
        let table = self.address::<u8>(table);
        let holds = |key: i32| {
            // SAFETY: only keys that are there, which were checked, and 0 are asked
            // for; the table has a byte for each of them, and one at least.
            let entry = unsafe { table.add(key as usize) };
            // SAFETY: likewise.
            unsafe { *entry }
        };
        let has_nulls = keys.nulls.is_some();
        let all = |keys: &[i32], care: u64| {
            if !has_nulls {
                return bits(keys, |key| holds(key) == 1);
            }
            // What is no key is not looked up.
            let places = keys.iter().enumerate();
            places.fold(0, |word, (at, key)| {
                let mask = -((care >> at & 1) as i32);
                word | u64::from(holds(key & mask)) << at
            })
        };
        self.values(keys, out, all, |key| holds(key) == 1);
    }

    /// Decides word by word: those who are asked and have a value.
    #[inline(always)]
    fn words(&self, column: &Column, out: &mut [u64], decide: impl Fn(usize, u64) -> u64) {
        let known = column.nulls.as_ref().map(|nulls| self.bits(nulls.bits, nulls.offset));
        for (at, (out, care)) in out.iter_mut().zip(self.care).enumerate() {
            let row = self.first + at * 64;
            let care = match &known {
                Some(known) if *care != 0 => care & known.word(row),
                _ => *care,
            };
            *out = if care == 0 { 0 } else { decide(row, care) };
        }
    }

    /// Decides by the values: `all` of a word, those who are asked among them, or
    /// `one` by one where few are.
    #[inline(always)]
    fn values<T: Copy>(
        &self,
        column: &Column,
        out: &mut [u64],
        all: impl Fn(&[T], u64) -> u64,
        one: impl Fn(T) -> bool,
    ) {
        let values = self.rows(column.values);
        self.words(column, out, |row, care| {
            let Some(values) = values.get(row..).map(|rest| rest.get(..64).unwrap_or(rest)) else { return 0 };
            if care.count_ones() >= DENSE_MIN {
                return all(values, care) & care;
            }
            let (mut open, mut word) = (care, 0);
            while let Some(value) = values.get(open.trailing_zeros() as usize) {
                word |= u64::from(one(*value)) << open.trailing_zeros();
                open &= open - 1;
            }
            word
        });
    }

    fn int(&self, slot: Slot) -> i64 {
        self.params.get(slot as usize).map_or(0, |bits| *bits as i64)
    }

    fn address<T>(&self, slot: Slot) -> *const T {
        std::ptr::with_exposed_provenance(self.int(slot) as usize)
    }

    /// A value for each person, at the address of a slot that holds one.
    fn rows<T>(&self, slot: Slot) -> &'w [T] {
        // SAFETY: a column has a value for each person, of the type of its store,
        // and lives as long as the batch.
        unsafe { slice(self.address(slot), self.n_rows) }
    }

    /// A bitmap with a bit for each person, from the bit on that a slot holds.
    fn bits(&self, bits: Slot, offset: Slot) -> Bits<'w> {
        let offset = self.int(offset) as usize;
        // SAFETY: a bitmap has a bit for each person from there on, and lives as
        // long as the batch.
        let bytes = unsafe { slice(self.address(bits), (offset + self.n_rows).div_ceil(8)) };
        Bits { bytes, offset }
    }
}

/// So many values from an address on, which is that of nothing where there are none.
///
/// # Safety
/// There are so many, and they live so long.
unsafe fn slice<'w, T>(address: *const T, len: usize) -> &'w [T] {
    match len {
        0 => &[],
        // SAFETY: so the caller promises.
        _ => unsafe { std::slice::from_raw_parts(address, len) },
    }
}

/// A bit for each person.
#[derive(Clone, Copy)]
struct Bits<'b> {
    bytes: &'b [u8],
    offset: usize,
}

impl Bits<'_> {
    /// 64 bits from a row on; past the end none is set.
    fn word(&self, row: usize) -> u64 {
        let (byte, within) = ((row + self.offset) / 8, (row + self.offset) % 8);
        let rest = self.bytes.get(byte..).unwrap_or(&[]);
        let Some((eight, rest)) = rest.split_first_chunk::<8>() else {
            let bits = rest.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
            return bits >> within;
        };
        let high = rest.first().map_or(0, |byte| u64::from(*byte));
        // In two steps, so that at a whole byte nothing of it remains.
        u64::from_le_bytes(*eight) >> within | high << 1 << (63 - within)
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn words_of_bits_begin_anywhere() {
        let bytes: Vec<u8> = (0..25_u8).map(|n| n.wrapping_mul(73) ^ 0x5a).collect();
        let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (at % 8) & 1);
        for offset in 0..20 {
            let bits = Bits { bytes: &bytes, offset };
            for row in (0..256).step_by(64) {
                let expected = (0..64).fold(0, |word, at| word | u64::from(bit(offset + row + at)) << at);
                assert_eq!(bits.word(row), expected, "{offset} {row}");
            }
        }
    }
}
