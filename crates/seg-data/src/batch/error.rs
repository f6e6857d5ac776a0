//! What is wrong with a record batch.

use arrow_schema::DataType;
use std::fmt;

/// Why a record batch is not a profile batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchError {
    /// The column, with the field inside it after a dot.
    pub column: String,
    /// The rule of the batch contract that it breaks.
    pub problem: BatchProblem,
}

/// What can be wrong with a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchProblem {
    /// The batch was made for another schema than the segments.
    OtherSchema,
    /// A column that every batch must have is not there.
    Missing,
    /// It has another type than the schema says, and none that converts to it.
    WrongType {
        /// What the layout asks for.
        expected: DataType,
        /// What is there.
        found: DataType,
    },
    /// It has another number of rows than the batch.
    WrongLength {
        /// Rows of the batch.
        expected: usize,
        /// Rows of the column.
        found: usize,
    },
    /// It would convert, but one of its values does not fit.
    NotConvertible {
        /// What the layout asks for.
        expected: DataType,
        /// What is there.
        found: DataType,
        /// Why, in words.
        why: String,
    },
    /// A profile without an id.
    NullId,
    /// The offsets of a list do not ascend.
    OffsetsNotAscending,
    /// The offsets of a list lead outside its items.
    OffsetsOutOfRange,
    /// A key of a dictionary leads outside it.
    KeyOutOfRange,
    /// More events than 31 bits count.
    TooManyEvents,
    /// A list of events that holds a null.
    NullEvent,
    /// An event without a time.
    NullTime,
    /// A time outside the years 1 to 9999.
    TimeOutOfRange,
    /// Times that do not ascend inside one profile.
    TimesNotAscending,
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column `{}` ", self.column)?;
        match &self.problem {
            BatchProblem::OtherSchema => write!(f, "is of a batch that was made for another schema"),
            BatchProblem::Missing => write!(f, "is missing"),
            BatchProblem::WrongType { expected, found } => write!(f, "is {found}, where {expected} is needed"),
            BatchProblem::WrongLength { expected, found } => write!(f, "has {found} rows, where {expected} are needed"),
            BatchProblem::NotConvertible { expected, found, why } => {
                write!(f, "is {found}, which does not become {expected}: {why}")
            }
            BatchProblem::NullId => write!(f, "has a profile without an id"),
            BatchProblem::OffsetsNotAscending => write!(f, "has list offsets that do not ascend"),
            BatchProblem::OffsetsOutOfRange => write!(f, "has list offsets that lead outside its items"),
            BatchProblem::KeyOutOfRange => write!(f, "has a dictionary key that leads outside the dictionary"),
            BatchProblem::TooManyEvents => write!(f, "has 2^31 events or more; split the batch"),
            BatchProblem::NullEvent => write!(f, "has a null among its events"),
            BatchProblem::NullTime => write!(f, "has an event without a time"),
            BatchProblem::TimeOutOfRange => write!(f, "has a time outside the years 1 to 9999"),
            BatchProblem::TimesNotAscending => write!(f, "has times that do not ascend"),
        }
    }
}

impl std::error::Error for BatchError {}

/// A column that was not in the layout that the engines read, and was
/// converted once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// The column, with the field inside it after a dot.
    pub column: String,
    /// The layout that the caller's column has.
    pub from: DataType,
    /// The layout of the copy that the engines read.
    pub to: DataType,
}

impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column `{}` was converted from {} to {}", self.column, self.from, self.to)
    }
}
