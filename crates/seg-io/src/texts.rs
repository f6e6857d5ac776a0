//! Columns of texts, each different text kept once.

use crate::primitives::Primitives;
use arrow_array::builder::StringBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What a text takes beside its bytes, in a table and as a value.
const TEXT_BYTES: usize = 64;

/// A column of texts that grows: a key for each row, a text for each key.
pub(crate) struct Texts {
    known: HashMap<String, i32>,
    values: StringBuilder,
    pub keys: Primitives<i32>,
    n_bytes: usize,
    n_bytes_max: usize,
    /// The texts that begin or end with blanks, also of columns that ended before.
    blanks: HashSet<String>,
}

impl Default for Texts {
    fn default() -> Texts {
        // Places of bytes have 31 bits.
        Texts::with_bytes(i32::MAX as usize)
    }
}

impl Texts {
    /// A column whose different texts may have so many bytes together.
    fn with_bytes(n_bytes_max: usize) -> Texts {
        let (known, values, keys, blanks) = Default::default();
        Texts { known, values, keys, n_bytes: 0, n_bytes_max, blanks }
    }

    /// How many different texts begin or end with blanks.
    pub fn n_blanks(&self) -> u64 {
        self.blanks.len() as u64
    }

    /// About how many bytes of memory it takes.
    pub fn n_memory_bytes(&self) -> u64 {
        self.keys.n_bytes() + (2 * self.n_bytes + TEXT_BYTES * self.known.len()) as u64
    }

    /// The key of a text; none where a column cannot hold more.
    pub fn key(&mut self, text: &str) -> Option<i32> {
        if let Some(key) = self.known.get(text) {
            return Some(*key);
        }
        let key = i32::try_from(self.known.len()).ok()?;
        if self.n_bytes + text.len() > self.n_bytes_max {
            return None;
        }
        self.n_bytes += text.len();
        if has_blanks(text) {
            self.blanks.insert(text.to_owned());
        }
        self.values.append_value(text);
        self.known.insert(text.to_owned(), key);
        Some(key)
    }

    /// The column, which ends here.
    pub fn finish(&mut self) -> ArrayRef {
        let keys = self.keys.finish::<Int32Type>();
        let values: ArrayRef = Arc::new(self.values.finish());
        self.known.clear();
        self.n_bytes = 0;
        let is_key = |key: i32| usize::try_from(key).is_ok_and(|key| key < values.len());
        debug_assert!(keys.iter().flatten().all(is_key));
        Arc::new(DictionaryArray::<Int32Type>::new(keys, values))
    }
}

/// Whether nothing can be seen of a text: it is empty, or blanks alone.
pub(crate) fn is_blank(text: &str) -> bool {
    text.trim_start().is_empty()
}

/// Whether a text begins or ends with blanks.
pub(crate) fn has_blanks(text: &str) -> bool {
    text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_does_not_fit_has_no_key() {
        let mut texts = Texts::with_bytes(5);
        let keys = ["abc", "de", "f", "abc", ""].map(|text| texts.key(text));
        assert_eq!(keys, [Some(0), Some(1), None, Some(0), Some(2)]);
    }
}
