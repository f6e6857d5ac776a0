//! What a run found, for the next one: how many people each segment had.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// How many people each segment had at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// The instant as of which the segments were evaluated, as text.
    pub at: String,
    /// How many people each segment had, by its name.
    pub sizes: BTreeMap<String, u64>,
}

/// Reads what an earlier run recorded.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn read_sizes(path: &Path) -> Result<Sizes, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("this is no record of a run: {error}"))
}
