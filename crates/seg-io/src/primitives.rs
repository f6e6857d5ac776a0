//! Columns of values of one width.

use crate::order::{Order, Scratch, Spare};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{BooleanArray, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBuffer, ScalarBuffer};

/// A column of values of one width that grows. Each may be missing.
#[derive(Default)]
pub(crate) struct Primitives<T> {
    /// So many are missing, as long as no value is there: columns that an event
    /// never has take no memory.
    n_missing: usize,
    values: Vec<T>,
    /// Which are there; none while all are.
    are_there: Option<Vec<bool>>,
}

impl<T: Copy + Default> Primitives<T> {
    pub fn append(&mut self, value: Option<T>) {
        match value {
            Some(value) if self.are_there.is_none() && self.n_missing == 0 => self.values.push(value),
            value => self.extend(&[value]),
        }
    }

    /// About how many bytes of memory it takes.
    pub fn n_bytes(&self) -> u64 {
        (size_of_val(self.values.as_slice()) + self.are_there.as_ref().map_or(0, Vec::len)) as u64
    }

    /// Takes back all values but the first so many.
    pub fn truncate(&mut self, n: usize) {
        self.n_missing = self.n_missing.min(n);
        self.values.truncate(n);
        if let Some(are_there) = &mut self.are_there {
            are_there.truncate(n);
        }
    }

    /// Appends some values.
    pub fn extend(&mut self, values: &[Option<T>]) {
        let is_there = |value: &Option<T>| value.is_some();
        if self.values.is_empty() && !values.iter().any(is_there) {
            self.n_missing += values.len();
            return;
        }
        self.begin(values.iter().all(is_there));
        if let Some(are_there) = &mut self.are_there {
            are_there.extend(values.iter().map(is_there));
        }
        self.values.extend(values.iter().map(|value| value.unwrap_or_default()));
    }

    /// Appends so many that are missing.
    pub fn append_missing(&mut self, n: usize) {
        if self.values.is_empty() {
            self.n_missing += n;
            return;
        }
        self.begin(false);
        if let Some(are_there) = &mut self.are_there {
            are_there.resize(are_there.len() + n, false);
        }
        self.values.resize(self.values.len() + n, T::default());
    }

    /// Appends the values at some rows of an array, of which `nulls` says what is
    /// missing.
    pub fn gather(&mut self, from: &[T], nulls: Option<&NullBuffer>, rows: &[u32]) {
        let is_there = |row: &u32| nulls.is_none_or(|nulls| nulls.is_valid(*row as usize));
        if self.values.is_empty() && !rows.iter().any(is_there) {
            self.n_missing += rows.len();
            return;
        }
        self.begin(nulls.is_none());
        if let Some(are_there) = &mut self.are_there {
            are_there.extend(rows.iter().map(is_there));
        }
        self.values.extend(rows.iter().map(|row| from.get(*row as usize).copied().unwrap_or_default()));
    }

    /// Gives memory to what is missing so far, before values are appended, of
    /// which perhaps all are there.
    fn begin(&mut self, are_all_there: bool) {
        if self.n_missing > 0 {
            self.values = vec![T::default(); self.n_missing];
            self.are_there = Some(vec![false; self.n_missing]);
            self.n_missing = 0;
        }
        if self.are_there.is_none() && !are_all_there {
            self.are_there = Some(vec![true; self.values.len()]);
        }
    }

    /// Brings the rows into an order.
    pub fn arrange(&mut self, order: &Order, scratch: &mut Scratch)
    where
        T: Spare,
    {
        // What is all missing is in any order.
        if self.values.is_empty() {
            return;
        }
        if let Some(are_there) = &mut self.are_there {
            order.arrange(are_there, scratch);
        }
        order.arrange(&mut self.values, scratch);
    }

    fn nulls(&mut self) -> Option<NullBuffer> {
        let nulls = self.are_there.take().map(NullBuffer::from);
        nulls.filter(|nulls| nulls.null_count() > 0)
    }

    /// The column, which ends here.
    pub fn finish<A: ArrowPrimitiveType<Native = T>>(&mut self) -> PrimitiveArray<A>
    where
        T: ArrowNativeType,
    {
        if self.values.is_empty() {
            return PrimitiveArray::new_null(std::mem::take(&mut self.n_missing));
        }
        let nulls = self.nulls();
        PrimitiveArray::new(ScalarBuffer::<A::Native>::from(std::mem::take(&mut self.values)), nulls)
    }
}

impl Primitives<bool> {
    /// The column, which ends here.
    pub fn finish_bits(&mut self) -> BooleanArray {
        if self.values.is_empty() {
            return BooleanArray::new_null(std::mem::take(&mut self.n_missing));
        }
        let nulls = self.nulls();
        BooleanArray::new(BooleanBuffer::from(std::mem::take(&mut self.values)), nulls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Array;
    use arrow_array::types::Int64Type;

    /// However values come, the column is the same.
    #[test]
    fn missing_values_keep_their_places() {
        let values = [None, None, Some(3), None, Some(5)];
        let mut extended = Primitives::default();
        values.chunks(2).for_each(|some| extended.extend(some));
        let mut appended = Primitives::default();
        appended.append_missing(1);
        values.iter().skip(1).for_each(|value| appended.append(*value));
        let mut gathered = Primitives::default();
        let nulls = NullBuffer::from(vec![true, false, true]);
        [[1, 1].as_slice(), &[2, 1], &[0]].iter().for_each(|rows| gathered.gather(&[5, 4, 3], Some(&nulls), rows));
        for mut column in [extended, appended, gathered] {
            let array = column.finish::<Int64Type>();
            assert_eq!(array.iter().collect::<Vec<_>>(), values);
            // It begins anew.
            column.append_missing(2);
            assert_eq!(column.finish::<Int64Type>().null_count(), 2);
            column.extend(&[Some(1), Some(2)]);
            column.append_missing(1);
            assert_eq!(column.finish::<Int64Type>().iter().collect::<Vec<_>>(), [Some(1), Some(2), None]);
        }
        let mut bits = Primitives::<bool>::default();
        bits.append_missing(1);
        bits.append(Some(true));
        assert_eq!(bits.finish_bits().iter().collect::<Vec<_>>(), [None, Some(true)]);
    }
}
