//! What is kept of a person beside their facts.

use seg::Timestamp;
use std::collections::BTreeSet;

/// What a person was in when they were last judged, and until when that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// By which version of the segments.
    pub program: u32,
    /// As of when.
    pub judged_at: Timestamp,
    /// When they have to be judged again, if nothing comes of them before.
    pub until: Option<Timestamp>,
    /// From when on they exist.
    pub exists_from: Option<Timestamp>,
    /// The numbers of the segments that they are in.
    pub segments: BTreeSet<u32>,
}
