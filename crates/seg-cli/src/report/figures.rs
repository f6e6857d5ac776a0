//! What a report says, ready to be shown: nothing here is computed.

use crate::charts::{Ahead, Lane};
use seg::unstable::doctor::{Completeness, Cycle, Freshness, Lateness};
use seg::unstable::overlap::{Pair, Taken};

/// Everything that a report says.
pub struct Figures {
    /// The project's name.
    pub project: String,
    /// When everything was judged, by the clocks of the zone, and who said so.
    pub at: String,
    pub zone: String,
    pub said_by: &'static str,
    /// The version of Seg.
    pub version: &'static str,
    /// How many people exist then.
    pub n_people: u64,
    /// What each day is called: the instant before the first step, the end of each step, and
    /// the days to come.
    pub days: Vec<String>,
    /// How many steps there are up to now.
    pub n_days: usize,
    /// What needs somebody, worst first, and how much more there is.
    pub needs: Vec<Need>,
    pub n_more_needs: usize,
    /// What the columns are called that only some reports have in the row of a segment.
    pub columns: Vec<String>,
    /// Who is meant, and what they are hoped to do; none where nothing says so.
    pub goal: Option<String>,
    pub segments: Vec<SegmentFigures>,
    pub pairs: Vec<Pair>,
    pub taken: Vec<Taken>,
    pub freshness_in_all: Option<Freshness>,
    pub freshness: Vec<Freshness>,
    pub lateness: Vec<Lateness>,
    /// Why it is not known how late events arrive, where it is not.
    pub not_late: Option<&'static str>,
    /// What lacks values.
    pub incomplete: Vec<Completeness>,
    pub cycle: Option<Cycle>,
    /// How many files and rows were read, and what was wrong with them.
    pub n_files: u64,
    pub n_rows: u64,
    pub problems: Vec<String>,
    /// The first and the last day of a timeline; none where no people are shown.
    pub timeline_ends: Option<(String, String)>,
}

/// Something that needs somebody.
pub struct Need {
    pub says: String,
    /// What to write or do.
    pub write: String,
    /// Others of the kind, with what to write.
    pub more: Vec<(String, String)>,
}

/// How something is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Warning,
}

/// A word beside a name.
#[derive(Clone)]
pub struct Chip {
    pub says: String,
    pub tone: Tone,
}

/// A figure on its own.
pub struct Card {
    /// What it is.
    pub what: String,
    pub figure: String,
    /// What is to be said of it.
    pub says: String,
}

/// A segment.
pub struct SegmentFigures {
    pub name: String,
    pub chips: Vec<Chip>,
    /// The sentence as it was written, in pieces.
    pub sentence: Vec<Mark>,
    /// What it is used by and who answers for it.
    pub purpose: String,
    /// How large it was at the beginning and after each step.
    pub sizes: Vec<u64>,
    /// Entries and exits of each step.
    pub moves: Vec<(u64, u64)>,
    /// How many of the last steps stand in the row of the segment.
    pub n_recent: usize,
    /// What is expected of the days to come.
    pub ahead: Vec<Ahead>,
    /// How large it was 52 weeks before each of these days, where that is known.
    pub year_before: Vec<Option<u64>>,
    /// The same of now, in words.
    pub year_says: Option<String>,
    /// What stands in the columns that only some reports have.
    pub row: Vec<String>,
    /// What came of those who entered: a word, and what it is about.
    pub goal: Vec<(&'static str, String)>,
    pub cards: Vec<Card>,
    /// What is said of the method below the chart, where there is a range.
    pub ahead_says: Option<String>,
    pub people: Vec<Person>,
    pub reads: Vec<Reads>,
}

/// A piece of a sentence.
pub struct Mark {
    pub text: String,
    /// Whether it is what one changes: a number, a date or a text.
    pub is_value: bool,
}

/// Somebody who is in, or nearly.
pub struct Person {
    pub id: String,
    pub is_in: bool,
    /// Why, a line each.
    pub why: Vec<String>,
    /// Since when, and what comes next.
    pub when: String,
    /// When they were in: parts of the timeline, and the same in words.
    pub stays: Vec<(f64, f64)>,
    pub stays_say: Vec<String>,
    pub lanes: Vec<Lane>,
}

/// Data that a segment reads.
pub struct Reads {
    /// An event or an attribute.
    pub name: String,
    /// The properties of the event.
    pub properties: Vec<String>,
}
