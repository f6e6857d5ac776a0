//! What a dialect does not say, or says a little otherwise.

use std::fmt;

/// A construct that cannot be said in a dialect, or of the data as it is described.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// What was asked for, in words.
    pub construct: String,
    /// Why it cannot be said.
    pub reason: String,
    /// The segments that ask for it; all where it is no segment's matter.
    pub segments: Vec<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.construct, self.reason)
    }
}

/// Something that a dialect says with a difference that is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// What, in words.
    pub construct: String,
    /// How the answer may differ.
    pub how: String,
}
