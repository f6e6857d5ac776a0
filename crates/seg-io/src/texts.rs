//! Columns of texts, each different text kept once.

use arrow_array::builder::StringBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, Int32Array};
use std::collections::HashMap;
use std::sync::Arc;

/// A column of texts that grows: a key for each row, a text for each key.
#[derive(Default)]
pub(crate) struct Texts {
    known: HashMap<String, i32>,
    values: StringBuilder,
    keys: Vec<Option<i32>>,
    n_bytes: usize,
}

impl Texts {
    /// The key of a text; none where a column cannot hold more.
    pub fn key(&mut self, text: &str) -> Option<i32> {
        if let Some(key) = self.known.get(text) {
            return Some(*key);
        }
        let key = i32::try_from(self.known.len()).ok()?;
        // Places of bytes have 31 bits too.
        i32::try_from(self.n_bytes + text.len()).ok()?;
        self.n_bytes += text.len();
        self.values.append_value(text);
        self.known.insert(text.to_owned(), key);
        Some(key)
    }

    /// Appends a row: a key that was given out before, or missing.
    pub fn append(&mut self, key: Option<i32>) {
        self.keys.push(key);
    }

    /// The column, which ends here.
    pub fn finish(&mut self) -> ArrayRef {
        let keys = Int32Array::from(std::mem::take(&mut self.keys));
        let values: ArrayRef = Arc::new(self.values.finish());
        self.known.clear();
        self.n_bytes = 0;
        let is_key = |key: i32| usize::try_from(key).is_ok_and(|key| key < values.len());
        debug_assert!(keys.iter().flatten().all(is_key));
        Arc::new(DictionaryArray::<Int32Type>::new(keys, values))
    }
}
