//! Why there is no answer.

use seg_data::TimestampError;
use seg_data::batch::BatchError;
use seg_plan::Cost;
use std::error::Error;
use std::fmt;

/// Why an evaluation gave no answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EvaluateError {
    /// A column of the batch breaks the contract, or the batch is of another schema.
    Batch(BatchError),
    /// Nothing is evaluated as of this instant.
    Timestamp(TimestampError),
    /// It was expected to cost more than it may.
    CostLimitExceeded {
        /// What it was expected to cost.
        cost: Cost,
        /// What it may cost.
        max_cost: Cost,
    },
    /// Somebody cancelled it.
    Cancelled,
}

impl fmt::Display for EvaluateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvaluateError::Batch(error) => error.fmt(f),
            EvaluateError::Timestamp(error) => write!(f, "the instant {error}"),
            EvaluateError::CostLimitExceeded { cost, max_cost } => {
                write!(f, "the segments would take about {cost} of one processor, and may take {max_cost}")
            }
            EvaluateError::Cancelled => write!(f, "it was cancelled"),
        }
    }
}

impl Error for EvaluateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            EvaluateError::Batch(error) => Some(error),
            EvaluateError::Timestamp(error) => Some(error),
            EvaluateError::CostLimitExceeded { .. } | EvaluateError::Cancelled => None,
        }
    }
}

impl From<BatchError> for EvaluateError {
    fn from(error: BatchError) -> EvaluateError {
        EvaluateError::Batch(error)
    }
}

impl From<TimestampError> for EvaluateError {
    fn from(error: TimestampError) -> EvaluateError {
        EvaluateError::Timestamp(error)
    }
}
