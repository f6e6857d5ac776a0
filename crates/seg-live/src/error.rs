//! Why memberships cannot be kept.

use crate::store::StoreError;
use seg::EvaluateError;
use seg::io::ReadError;
use std::fmt;

/// Why memberships cannot be kept any longer. What is wrong with single records is counted
/// instead.
#[derive(Debug)]
#[non_exhaustive]
pub enum LiveError {
    /// People could not be judged.
    Evaluate(EvaluateError),
    /// Facts could not be brought together.
    Read(ReadError),
    /// The store holds something that was not written there.
    Damaged(String),
    /// The store failed, so that nobody knows what is on disk: the process has to end, and a
    /// new one to begin from what is.
    Store(StoreError),
}

impl fmt::Display for LiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LiveError::Evaluate(error) => error.fmt(f),
            LiveError::Read(error) => error.fmt(f),
            LiveError::Damaged(what) => write!(f, "the store is damaged: {what}"),
            LiveError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LiveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LiveError::Evaluate(error) => Some(error),
            LiveError::Read(error) => Some(error),
            LiveError::Damaged(_) => None,
            LiveError::Store(error) => Some(error),
        }
    }
}

impl From<EvaluateError> for LiveError {
    fn from(error: EvaluateError) -> LiveError {
        LiveError::Evaluate(error)
    }
}

impl From<ReadError> for LiveError {
    fn from(error: ReadError) -> LiveError {
        LiveError::Read(error)
    }
}

impl From<StoreError> for LiveError {
    fn from(error: StoreError) -> LiveError {
        LiveError::Store(error)
    }
}
