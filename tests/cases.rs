//! Files of small cases: people, and who of them is in.

use serde::Deserialize;
use std::collections::BTreeMap;

/// People and who of them is in, many times over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// See [`crate::schema_text`].
    #[serde(default = "shop")]
    pub schema: String,
    /// As of when.
    pub now: String,
    /// The project's zone.
    #[serde(default = "utc")]
    pub zone: String,
    /// Lines of JSON; see [`crate::people`].
    #[serde(default)]
    pub people: String,
    /// The values of lists, by the path that their declarations name.
    #[serde(default)]
    pub lists: BTreeMap<String, Vec<String>>,
    /// The cases.
    pub case: Vec<Case>,
}

/// A segment and its members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What comes after `include people who`, or whole segments, of which the
    /// last is meant.
    pub segment: String,
    /// Who is in, in the order of the lines.
    pub members: Vec<String>,
    /// Other people than the file's, a line each.
    pub people: Option<Vec<String>>,
}

fn shop() -> String {
    "shop".to_owned()
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Case {
    /// The text of its segments.
    pub fn text(&self) -> String {
        match self.segment.contains("segment \"") {
            true => self.segment.clone(),
            false => format!("segment \"case\" include people who {}", self.segment),
        }
    }
}
