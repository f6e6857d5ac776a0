//! Modules: segments with what is said of them, and what a project expects of
//! itself.

use super::{Cond, Length, SegmentId};
use seg_data::{AttributeId, Date, EventId, PropertyId, Timestamp, Value, Zone};
use seg_syntax::source::Span;

/// All segments of a project.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Module {
    /// In the order of the files.
    pub segments: Vec<Segment>,
    /// Every segment after those that it refers to, so that each can be evaluated
    /// in turn. Complete when there are no errors.
    pub order: Vec<SegmentId>,
    /// Which of several segments a person goes to, the most preferred first.
    pub precedence: Vec<SegmentId>,
    /// What the project expects of itself.
    pub tests: Vec<Test>,
}

impl Module {
    /// The segments that are run, in the order in which masks come: all that
    /// are not archived.
    pub fn run(&self) -> impl Iterator<Item = (SegmentId, &Segment)> {
        let all = self.segments.iter().enumerate().map(|(idx, s)| (SegmentId(idx as u32), s));
        all.filter(|(_, segment)| !segment.header.is_archived)
    }
}

/// People at an instant, and who of them is expected where.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// The name that it is declared under.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// As of when it is evaluated.
    pub at: Timestamp,
    /// The people.
    pub profiles: Vec<TestProfile>,
    /// Who is expected where.
    pub expectations: Vec<Expectation>,
}

/// A person of a test.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TestProfile {
    /// The profile id.
    pub id: String,
    /// What is known of them.
    pub attributes: Vec<(AttributeId, Value)>,
    /// What attributes were set to, and when, where that is said.
    pub changes: Vec<(Timestamp, AttributeId, Value)>,
    /// What they did.
    pub events: Vec<TestEvent>,
}

/// Something that a person of a test did.
#[derive(Debug, Clone, PartialEq)]
pub struct TestEvent {
    /// The event that happened.
    pub event: EventId,
    /// The instant at which it happened.
    pub time: Timestamp,
    /// Its properties.
    pub properties: Vec<(PropertyId, Value)>,
    /// The records of lists among its properties: for each its fields.
    pub records: Vec<(PropertyId, Vec<(String, Value)>)>,
}

/// What a test expects.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// As of when it is evaluated.
    pub at: Timestamp,
    /// Who: a profile of the test.
    pub id: String,
    /// What is expected of them.
    pub what: Expected,
    /// Where it is written.
    pub span: Span,
}

/// What is expected of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// That they are in a segment.
    In(SegmentId),
    /// That they are not.
    NotIn(SegmentId),
    /// Which of the segments that compete they go to.
    Wins(Option<SegmentId>),
}

/// What is said of a segment besides who is in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Header {
    /// What it is used by.
    pub uses: Vec<Used>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What it is, in words.
    pub description: Option<String>,
    /// Whether it is kept but not run.
    pub is_archived: bool,
    /// Why no universal rule holds for it.
    pub regardless: Option<String>,
    /// How many people are expected: at least, and at most.
    pub size: Option<(u64, Option<u64>)>,
    /// How many percent of all people at most are in another segment too.
    pub overlaps: Vec<(f64, SegmentId)>,
    /// By how many percent at most its size changes in so long.
    pub change: Option<(f64, Length)>,
    /// From when on its meaning must not change.
    pub frozen_since: Option<Date>,
    /// Until when its meaning must not change.
    pub frozen_until: Option<Date>,
    /// Whose calendar it follows, where that is not the project's.
    pub zone: Option<Zone>,
    /// The lints that do not hold for it.
    pub allowed: Vec<String>,
}

impl Header {
    /// Whether its meaning must not change on a day.
    pub fn is_frozen_on(&self, day: Date) -> bool {
        match (self.frozen_since, self.frozen_until) {
            (None, None) => false,
            (since, until) => since.is_none_or(|d| d <= day) && until.is_none_or(|d| day < d),
        }
    }
}

/// What a segment is used by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// `campaign`, `journey` or `flow`.
    pub kind: String,
    /// The name that it is declared under.
    pub name: String,
    /// Over which channels it reaches people.
    pub channels: Vec<String>,
}

/// A segment: a member meets `include`, none of `excludes` and all `rules`.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// The name that it is declared under.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// What is said of it besides who is in.
    pub header: Header,
    /// Who is in.
    pub include: Cond,
    /// Whether that is a row of conditions as they were written, rather than what one
    /// phrase means.
    pub is_row: bool,
    /// Who is out all the same.
    pub excludes: Vec<Cond>,
    /// The universal rules that hold for it. Who refers to the segment reads it
    /// without them.
    pub rules: Vec<Cond>,
}
