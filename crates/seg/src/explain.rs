//! Why one person is in a segment or not, and until when.

use crate::compile::{Program, parse};
use crate::project::Project;
use seg_data::{Batch, Instant};
use seg_hir::explain::{Explain, Why};
use std::fmt;

/// Why a person is in a segment or not.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The segment with its conditions, each true or false, and what decided it.
    pub why: Why,
    /// When the answer changes if nothing else happens; none when it does not
    /// within the instants that [`seg_plan::next_change`] looks at.
    pub changes_at: Option<Instant>,
}

/// Somebody or something that is not there to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFound {
    /// No segment of the program has this name.
    Segment(String),
    /// Nobody in the batch has this id.
    Person(String),
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotFound::Segment(name) => write!(f, "there is no segment \"{name}\" that is run"),
            NotFound::Person(id) => write!(f, "there is nobody with the id \"{id}\" in the data"),
        }
    }
}

impl std::error::Error for NotFound {}

/// Why somebody is in a segment of a project, or not, at `now`. The program is
/// the project's, and the batch one that it was bound to.
///
/// # Errors
/// A segment or a person that is not there.
pub fn explain(
    project: &Project,
    program: &Program,
    batch: &Batch,
    segment: &str,
    person: &str,
    now: Instant,
) -> Result<Explanation, NotFound> {
    let no_segment = || NotFound::Segment(segment.to_owned());
    let found = program.module().run().enumerate().find(|(_, (_, s))| s.name == segment);
    let (root, (id, _)) = found.ok_or_else(no_segment)?;
    let no_person = || NotFound::Person(person.to_owned());
    let row = (0..batch.len()).find(|row| batch.id(*row) == person).ok_or_else(no_person)?;
    let parses = parse(project);
    let lists = project.lists(&parses);
    let explain = Explain {
        parses: &parses,
        sources: &project.sources,
        schema: &project.schema,
        settings: project.settings,
        lists: &lists,
        module: program.module(),
        batch,
        now,
    };
    let why = explain.why(id, row).ok_or_else(no_segment)?;
    let changes_at = seg_plan::next_change(program.plan(), root, batch, row, now);
    Ok(Explanation { why, changes_at })
}
