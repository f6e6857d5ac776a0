//! Columns of values of one width.

use crate::order::{Order, Scratch, Spare};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{BooleanArray, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBuffer, ScalarBuffer};

/// A column of values of one width that grows. Each may be missing.
#[derive(Default)]
pub(crate) struct Primitives<T> {
    values: Vec<T>,
    /// Which are there; none while all are.
    are_there: Option<Vec<bool>>,
}

impl<T: Copy + Default> Primitives<T> {
    pub fn append(&mut self, value: Option<T>) {
        match (&mut self.are_there, value) {
            (Some(are_there), value) => are_there.push(value.is_some()),
            (None, Some(_)) => {}
            (none, None) => {
                let are_there = none.insert(vec![true; self.values.len()]);
                are_there.push(false);
            }
        }
        self.values.push(value.unwrap_or_default());
    }

    /// Appends so many that are missing.
    pub fn append_missing(&mut self, n: usize) {
        let are_there = self.are_there.get_or_insert_with(|| vec![true; self.values.len()]);
        are_there.resize(are_there.len() + n, false);
        self.values.resize(self.values.len() + n, T::default());
    }

    /// Appends the values at some rows of an array, of which `nulls` says what is
    /// missing.
    pub fn gather(&mut self, from: &[T], nulls: Option<&NullBuffer>, rows: &[u32]) {
        if let (None, Some(_)) = (&self.are_there, nulls) {
            self.are_there = Some(vec![true; self.values.len()]);
        }
        if let Some(are_there) = &mut self.are_there {
            match nulls {
                Some(nulls) => are_there.extend(rows.iter().map(|row| nulls.is_valid(*row as usize))),
                None => are_there.resize(are_there.len() + rows.len(), true),
            }
        }
        self.values.extend(rows.iter().map(|row| from.get(*row as usize).copied().unwrap_or_default()));
    }

    /// Brings the rows into an order.
    pub fn arrange(&mut self, order: &Order, scratch: &mut Scratch)
    where
        T: Spare,
    {
        match &mut self.are_there {
            // What is all missing is in any order.
            Some(are_there) if !are_there.contains(&true) => return,
            Some(are_there) => order.arrange(are_there, scratch),
            None => {}
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
        let nulls = self.nulls();
        PrimitiveArray::new(ScalarBuffer::<A::Native>::from(std::mem::take(&mut self.values)), nulls)
    }
}

impl Primitives<bool> {
    /// The column, which ends here.
    pub fn finish_bits(&mut self) -> BooleanArray {
        let nulls = self.nulls();
        BooleanArray::new(BooleanBuffer::from(std::mem::take(&mut self.values)), nulls)
    }
}
