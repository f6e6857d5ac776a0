//! Rows by person: where each row of a table goes.

use std::ops::Range;

/// The most parts that people are cut into, which a byte can name. As many streams
/// of writes still find their pages in the second table of translations.
const PARTS_MAX: usize = 256;
/// Fewer people than this are not cut.
const PART_PEOPLE: usize = 1024;

/// The order that brings the rows of a table by person, each person's in the
/// order of arrival, until [`Order::sort`] finds another.
///
/// Rows are moved as a radix sort moves them: first part by part, where a part is
/// some thousands of people in a row, then within each part, which fits a cache.
/// Both passes read and write memory as it comes (Manegold, Boncz and Kersten,
/// "Optimizing main-memory join on modern hardware", 2002).
pub(crate) struct Order {
    /// How many rows each person has.
    pub lengths: Vec<u32>,
    n_rows: usize,
    /// The part of each row, and where the rows of each part begin; none where rows
    /// come by person.
    parts: Option<(Vec<u8>, [u32; PARTS_MAX])>,
    /// For each position the row that goes there, counted part by part.
    of_places: Vec<u32>,
    /// People whose rows go by another order than that of arrival: where their
    /// rows are, and for each of those which row it is.
    runs: Vec<Range<usize>>,
    sources: Vec<u32>,
}

/// Memory that is used again from column to column.
#[derive(Default)]
pub(crate) struct Scratch {
    longs: Vec<i64>,
    pairs: Vec<(i64, i64)>,
    ints: Vec<i32>,
    rows: Vec<u32>,
    numbers: Vec<f64>,
    bits: Vec<bool>,
}

/// Values that [`Scratch`] has memory for.
pub(crate) trait Spare: Copy + Default {
    fn spare(scratch: &mut Scratch) -> &mut Vec<Self>;
}

macro_rules! spare {
    ($($ty:ty => $field:ident),*) => {
        $(impl Spare for $ty {
            fn spare(scratch: &mut Scratch) -> &mut Vec<$ty> {
                &mut scratch.$field
            }
        })*
    };
}
spare!(i64 => longs, (i64, i64) => pairs, i32 => ints, u32 => rows, f64 => numbers, bool => bits);

impl Order {
    /// The order of rows of which each belongs to one of `n_people` people.
    pub fn new(people: Vec<u32>, n_people: usize, scratch: &mut Scratch) -> Order {
        let mut order = Order {
            lengths: vec![0_u32; n_people],
            n_rows: people.len(),
            parts: None,
            of_places: Vec::new(),
            runs: Vec::new(),
            sources: Vec::new(),
        };
        if people.is_sorted() {
            order.count(&people);
        } else {
            order.place(people, scratch);
        }
        order
    }

    fn count(&mut self, people: &[u32]) {
        for person in people {
            if let Some(length) = self.lengths.get_mut(*person as usize) {
                *length += 1;
            }
        }
    }

    fn place(&mut self, mut people: Vec<u32>, scratch: &mut Scratch) {
        let last = self.lengths.len().saturating_sub(1);
        let mut shift = PART_PEOPLE.ilog2();
        while last >> shift >= PARTS_MAX {
            shift += 1;
        }
        let parts: Vec<u8> = people.iter().map(|person| (person >> shift) as u8).collect();
        let mut starts = [0_u32; PARTS_MAX];
        for part in &parts {
            if let Some(n_rows) = starts.get_mut(usize::from(*part)) {
                *n_rows += 1;
            }
        }
        running(&mut starts);
        self.parts = Some((parts, starts));
        let owners = self.parted(people.iter().copied(), scratch);
        // Part by part, so that what is counted and what is placed fit a cache.
        self.count(owners);
        let mut next = self.lengths.clone();
        running(&mut next);
        for (row, owner) in (0_u32..).zip(owners) {
            let Some(place) = next.get_mut(*owner as usize) else { continue };
            // Whose rows they are is not needed again.
            if let Some(slot) = people.get_mut(*place as usize) {
                *slot = row;
            }
            *place += 1;
        }
        self.of_places = people;
    }

    fn by_part<T: Copy>(&self, from: impl Iterator<Item = T>, to: &mut [T]) {
        let Some((parts, starts)) = &self.parts else { return };
        let mut next = *starts;
        for (value, part) in from.zip(parts) {
            let Some(place) = next.get_mut(usize::from(*part)) else { continue };
            if let Some(slot) = to.get_mut(*place as usize) {
                *slot = value;
            }
            *place += 1;
        }
    }

    /// The values of each row, part by part, in spare memory.
    fn parted<'s, T: Spare>(&self, from: impl Iterator<Item = T>, scratch: &'s mut Scratch) -> &'s [T] {
        let spare = T::spare(scratch);
        if spare.len() < self.n_rows {
            // Fresh memory is of zeros already, which growing would write.
            *spare = vec![T::default(); self.n_rows];
        }
        let spare = spare.get_mut(..self.n_rows).unwrap_or_default();
        self.by_part(from, spare);
        spare
    }

    /// Brings a column, which has a value for each row, into the order.
    pub fn arrange<T: Spare>(&self, column: &mut [T], scratch: &mut Scratch) {
        if self.parts.is_some() {
            let parted = self.parted(column.iter().copied(), scratch);
            // Reading at random within a part is quicker than writing there, for
            // reads need not wait for each other.
            for (slot, row) in column.iter_mut().zip(&self.of_places) {
                *slot = parted.get(*row as usize).copied().unwrap_or_default();
            }
        }
        self.arrange_runs(column);
    }

    /// Brings two columns into the order at once, which costs little more than
    /// [`Order::arrange`] for one.
    pub fn arrange_both(&self, one: &mut [i64], other: &mut [i64], scratch: &mut Scratch) {
        if self.parts.is_some() {
            let parted = self.parted(one.iter().copied().zip(other.iter().copied()), scratch);
            for ((one, other), row) in one.iter_mut().zip(other.iter_mut()).zip(&self.of_places) {
                (*one, *other) = parted.get(*row as usize).copied().unwrap_or_default();
            }
        }
        self.arrange_runs(one);
        self.arrange_runs(other);
    }

    /// Brings a column that is in the order of arrival into the one that was found
    /// by [`Order::sort`].
    pub fn arrange_runs<T: Copy>(&self, column: &mut [T]) {
        let mut sources = self.sources.as_slice();
        let mut own: Vec<T> = Vec::new();
        for run in &self.runs {
            let Some((of_run, rest)) = sources.split_at_checked(run.len()) else { return };
            sources = rest;
            own.clear();
            own.extend(of_run.iter().filter_map(|at| column.get(*at as usize)).copied());
            if let Some(slots) = column.get_mut(run.clone()) {
                slots.iter_mut().zip(&own).for_each(|(slot, value)| *slot = *value);
            }
        }
    }

    /// Lets each person's rows go by a key, of a row by its position in the order so
    /// far.
    pub fn sort<K: Ord>(&mut self, key: impl Fn(usize) -> K) {
        let mut end = 0;
        for length in &self.lengths {
            let run = end..end + *length as usize;
            end = run.end;
            if run.clone().is_sorted_by_key(&key) {
                continue;
            }
            let from = self.sources.len();
            self.sources.extend(run.start as u32..run.end as u32);
            if let Some(own) = self.sources.get_mut(from..) {
                own.sort_by_key(|at| key(*at as usize));
            }
            self.runs.push(run);
        }
    }

    /// For each position the row that goes there.
    pub fn rows(&self, scratch: &mut Scratch) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..self.n_rows as u32).collect();
        self.arrange(&mut rows, scratch);
        rows
    }
}

/// Numbers as what comes before each.
fn running(numbers: &mut [u32]) {
    let mut sum = 0;
    for number in numbers {
        sum += std::mem::replace(number, sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Many people, so that there are parts of several, with rows by chance.
    #[test]
    fn rows_go_by_person_and_then_by_key() {
        let n_people = 5 * PART_PEOPLE + 7;
        let mut state = 1_u64;
        let mut chance = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let people: Vec<u32> = (0..40_000).map(|_| chance(n_people as u64) as u32).collect();
        let keys: Vec<i64> = people.iter().map(|_| chance(9) as i64).collect();
        let mut expected: Vec<(u32, i64, u32)> =
            people.iter().zip(&keys).zip(0..).map(|((person, key), row)| (*person, *key, row)).collect();
        let mut scratch = Scratch::default();
        let mut order = Order::new(people, n_people, &mut scratch);
        let mut arranged = keys.clone();
        order.arrange(&mut arranged, &mut scratch);
        order.sort(|at| arranged[at]);
        expected.sort_unstable();
        let rows: Vec<u32> = expected.iter().map(|(.., row)| *row).collect();
        assert_eq!(order.rows(&mut scratch), rows);
        let sorted: Vec<i64> = expected.iter().map(|(_, key, _)| *key).collect();
        let (mut arranged, mut once, mut again) = (keys.clone(), keys.clone(), keys);
        order.arrange(&mut arranged, &mut scratch);
        order.arrange_both(&mut once, &mut again, &mut scratch);
        assert_eq!([arranged, once, again], [sorted.clone(), sorted.clone(), sorted]);
    }
}
