//! An entry or an exit, as it goes out.

use seg::Timestamp;
use serde::{Deserialize, Serialize};

/// A person entered a segment or left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The instance and `seq`: the same however often it is sent.
    pub id: String,
    /// How many changes came before it, and one: without a gap.
    pub seq: u64,
    /// The name of the segment.
    pub segment: String,
    /// The id that the person goes by.
    pub person: String,
    /// Whether they entered or left.
    pub change: Direction,
    /// The instant from which on it is so: RFC 3339 in UTC.
    #[serde(with = "instant")]
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// The id of the event, or of the message, that made it so, where one did and it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub event_id: Option<String>,
    /// By which version of the segments, from 1.
    pub program: u32,
    /// Whether it makes up for segments that were not there before, or that meant something
    /// else.
    pub backfill: bool,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Into the segment.
    Entered,
    /// Out of it.
    Left,
}

/// Why somebody entered or left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// Time passed.
    Time,
    /// What they are was told anew.
    Attributes,
    /// Something happened.
    Event,
    /// Something that had happened before the person was last judged, and was not known then.
    Late,
    /// Ids became one person, or are no longer.
    Merge,
    /// The segments are others.
    Program,
    /// Everything of the person was forgotten.
    Forgotten,
}

mod instant {
    use seg::Timestamp;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::read(&String::deserialize(deserializer)?, None).map_err(D::Error::custom)
    }
}
