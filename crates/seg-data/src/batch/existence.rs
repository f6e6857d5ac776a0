//! Since when the people of a batch exist.

use super::EXISTS_COLUMN;
use super::column::Column;
use super::error::{BatchError, Conversion};
use crate::mask::Mask;
use crate::time::Timestamp;
use crate::types::Type;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, TimestampMicrosecondArray};
use std::ops::Range;
use std::sync::OnceLock;

/// For each person the instant from which on they exist; a null, as everybody in a
/// batch without the column, has always existed.
#[derive(Debug, Clone)]
pub(super) struct Existence {
    column: Column,
    /// When the last of them came to be, found when it is first asked for.
    last: OnceLock<Option<i64>>,
}

impl Existence {
    /// Checks the column.
    ///
    /// # Errors
    /// That it holds no instants, or none that microseconds can say.
    pub fn try_new(column: &ArrayRef) -> Result<Existence, BatchError> {
        let column = Column::try_new(EXISTS_COLUMN, &Type::Timestamp, column)?;
        Ok(Existence { column, last: OnceLock::new() })
    }

    fn instants(&self) -> Option<&TimestampMicrosecondArray> {
        self.column.array().as_primitive_opt::<TimestampMicrosecondType>()
    }

    /// From when on a person exists; `None` for one who always has.
    pub fn from(&self, row: usize) -> Option<Timestamp> {
        let instants = self.instants()?;
        (row < instants.len() && instants.is_valid(row)).then(|| Timestamp(instants.value(row)))
    }

    /// Who exists at an instant; `None` where everybody does.
    pub fn at(&self, now: Timestamp) -> Option<Mask> {
        let instants = self.instants()?;
        let last = *self.last.get_or_init(|| instants.iter().flatten().max());
        let is_whole = last.is_none_or(|last| last <= now.0);
        (!is_whole).then(|| Mask::from_bools(instants.iter().map(|from| from.is_none_or(|from| from <= now.0))))
    }

    /// Of some rows.
    pub fn slice(&self, rows: Range<usize>) -> Existence {
        Existence { column: self.column.slice(rows), last: OnceLock::new() }
    }

    /// The Arrow data behind it.
    pub fn array(&self) -> &ArrayRef {
        self.column.array()
    }

    /// What it was converted from, if it was.
    pub fn conversion(&self) -> Option<&Conversion> {
        self.column.conversion()
    }
}
