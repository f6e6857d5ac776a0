//! Something that is worth telling of data or segments.

/// A kind of finding, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// The newest event is old.
    Stale,
    /// The instant lies before the data, or windows begin before it.
    Early,
    /// Events arrive late, or before they happened.
    Late,
    /// More lacks a value than did, or something that must have one.
    Incomplete,
    /// What segments ask about is not in the data, or settings lack something.
    Inputs,
    /// A wait for a purchase that is short or long beside the waits of the data.
    BuyingCycle,
    /// A segment that nothing uses, or that nobody enters.
    Orphaned,
    /// Two segments of nearly the same people.
    Twins,
    /// A segment that too few enter for a test to show anything.
    TooSmall,
    /// More segments than audiences.
    OverSegmented,
}

impl FindingKind {
    /// Every kind, in their order.
    pub const ALL: [FindingKind; 10] = [
        FindingKind::Stale,
        FindingKind::Early,
        FindingKind::Late,
        FindingKind::Incomplete,
        FindingKind::Inputs,
        FindingKind::BuyingCycle,
        FindingKind::Orphaned,
        FindingKind::Twins,
        FindingKind::TooSmall,
        FindingKind::OverSegmented,
    ];

    /// The kind in hyphenated words, as settings, arguments and tools know it.
    pub fn slug(self) -> &'static str {
        match self {
            FindingKind::Stale => "stale",
            FindingKind::Early => "early",
            FindingKind::Late => "late",
            FindingKind::Incomplete => "incomplete",
            FindingKind::Inputs => "inputs",
            FindingKind::BuyingCycle => "buying-cycle",
            FindingKind::Orphaned => "orphaned",
            FindingKind::Twins => "twins",
            FindingKind::TooSmall => "too-small",
            FindingKind::OverSegmented => "over-segmented",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<FindingKind> {
        FindingKind::ALL.into_iter().find(|kind| kind.slug() == name)
    }
}

/// Something that is worth telling.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Of which kind it is.
    pub kind: FindingKind,
    /// The segments, events or attributes that it is about; empty where it is about all.
    pub about: Vec<String>,
    /// What was found, in a sentence with the figure.
    pub says: String,
    /// What to write or do.
    pub write: String,
    /// The figure: seconds, a part of a whole, days or a number of people, by the kind.
    pub figure: Option<f64>,
    /// The limit that it breaks, in the same unit.
    pub limit: Option<f64>,
}
