//! Why one person is in a segment or not, and until when.

use crate::compile::{Program, parse};
use crate::project::Project;
use seg_data::batch::BatchError;
use seg_data::{Batch, Timestamp, TimestampError};
use seg_hir::explain::{Explain, Why};
use std::fmt;

/// Why a person is in a segment or not.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation {
    /// The segment with its conditions, each true or false, and what decided it.
    pub why: Why,
    /// When the answer changes if nothing else happens; none when it does not
    /// within the instants that [`seg_plan::next_change`] looks at.
    pub changes_at: Option<Timestamp>,
}

/// Whom to explain, and in which segment.
#[derive(Clone, Copy)]
pub struct Explained<'a> {
    /// The segments as they are written.
    pub project: &'a Project,
    /// The project, compiled.
    pub program: &'a Program,
    /// The people: a batch that the program was bound to.
    pub batch: &'a Batch,
    /// The name of a segment that is run.
    pub segment: &'a str,
    /// An id of a person of the batch: the one they go by, or one that was merged into it.
    pub person: &'a str,
    /// When they are judged. What the batch knows of that comes later does not
    /// exist: neither events nor values that were set later.
    pub now: Timestamp,
}

/// Why there is nothing to explain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExplainError {
    /// No segment of the program has this name.
    Segment(String),
    /// Nobody in the batch has this id.
    Person(String),
    /// The batch is not one that the program can be bound to.
    Batch(BatchError),
    /// Nothing is evaluated as of this instant.
    Timestamp(TimestampError),
}

impl fmt::Display for ExplainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExplainError::Segment(name) => write!(f, "there is no segment \"{name}\" that is run"),
            ExplainError::Person(id) => write!(f, "there is nobody with the id \"{id}\" in the data"),
            ExplainError::Batch(error) => error.fmt(f),
            ExplainError::Timestamp(error) => write!(f, "the instant asked about {error}"),
        }
    }
}

impl std::error::Error for ExplainError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ExplainError::Segment(_) | ExplainError::Person(_) => None,
            ExplainError::Batch(error) => Some(error),
            ExplainError::Timestamp(error) => Some(error),
        }
    }
}

/// Why somebody is in a segment of a project, or not, and when that changes unless
/// something happens.
///
/// # Errors
/// A segment or a person that is not there, a batch that the program cannot be
/// bound to, and an instant outside the years 1 to 9999.
pub fn explain(of: Explained<'_>) -> Result<Explanation, ExplainError> {
    let Explained { project, program, batch, segment, person, now } = of;
    let now = now.in_range().map_err(ExplainError::Timestamp)?;
    let no_segment = || ExplainError::Segment(segment.to_owned());
    let found = program.module().run().enumerate().find(|(_, (_, s))| s.name == segment);
    let (root, (id, _)) = found.ok_or_else(no_segment)?;
    let no_person = || ExplainError::Person(person.to_owned());
    let row = batch.row_of(person).ok_or_else(no_person)?;
    program.needs().check(batch).map_err(ExplainError::Batch)?;
    let known = batch.known_at(row..row + 1, now).map_err(ExplainError::Batch)?;
    let parses = parse(project);
    let lists = project.lists(&parses);
    let explain = Explain {
        parses: &parses,
        sources: &project.sources,
        schema: &project.schema,
        settings: project.settings,
        lists: &lists,
        module: program.module(),
        batch: &known,
        now,
    };
    let why = explain.why(id, 0).ok_or_else(no_segment)?;
    let changes_at = seg_plan::next_change(program.plan(), root, &known, 0, now);
    Ok(Explanation { why, changes_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use seg_data::Zone;
    use seg_hir::Settings;
    use std::sync::Arc;

    const SCHEMA: &str = "[attributes]\nscores = \"list of integer\"\nplan = { type = \"text\", history = true }\n[events.order]\nalso = [\"ordered\"]\n";
    const SEGMENTS: &str = "segment \"Recent\" include people who ordered in the past 30 days\n\
        segment \"Loyal\" include people who ordered at least 2 times ever\n\
        segment \"Pro\" include people whose plan is \"pro\" and who ordered in the past 30 days\n\
        segment \"One score\" include people whose any of scores is more than 5 and less than 9\n\
        segment \"Either plan\" include people whose plan has been \"pro\" or \"free\" for at least 9 days\n\
        segment \"Never\" include people who have never ordered\n";

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text, None).expect(text)
    }

    /// Ann as lines of JSON tell of her, explained at an instant.
    fn explained(profiles: &str, events: &[&str], segment: &str, now: &str) -> Explanation {
        asked(profiles, events, segment, at(now)).expect("Ann")
    }

    fn asked(profiles: &str, events: &[&str], segment: &str, now: Timestamp) -> Result<Explanation, ExplainError> {
        let settings = Settings { zone: Some(Zone::UTC), ..Settings::default() };
        let project = Project::from_text(SCHEMA, [("s.seg", SEGMENTS)], settings);
        let program = crate::compile(&project).expect("it compiles");
        let event = |time: &&str| format!("{{\"id\": \"ann\", \"event\": \"order\", \"time\": \"{time}\"}}\n");
        let events: String = events.iter().map(event).collect();
        let loaded = seg_io::load_lines(&project.schema, settings.zone, profiles, &events).expect("read");
        let batch = Batch::new(Arc::clone(program.schema()), loaded.batch.records().clone()).expect("a batch");
        let (project, program) = (&project, &program);
        explain(Explained { project, program, batch: &batch, segment, person: "ann", now })
    }

    const ANN: &str = "{\"id\": \"ann\", \"plan\": \"pro\"}";

    #[test]
    fn what_comes_later_has_not_happened() {
        let (first, later) = ("2026-05-20T00:00:00Z", "2026-06-10T00:00:00Z");
        for segment in ["Recent", "Loyal", "Pro"] {
            let without = explained(ANN, &[first], segment, "2026-06-01T00:00:00Z");
            let with = explained(ANN, &[first, later], segment, "2026-06-01T00:00:00Z");
            assert_eq!(with.changes_at, without.changes_at, "{segment}");
            assert_eq!(with.why, without.why, "{segment}");
            assert_eq!(with.changes_at.is_some(), segment != "Loyal", "{segment}");
        }
        // A day before the first of the orders nothing is known of her.
        let before = explained(ANN, &[first, later], "Recent", "2026-05-19T00:00:00Z");
        assert_eq!((before.why.holds, before.changes_at), (false, None));
        assert_eq!(before.why.details, ["not known yet: what is known of them begins in 1 day, 2026-05-20T00:00:00Z"]);
        assert!(before.why.parts.is_empty());
        // Whoever is in without an order will be when she is known.
        let never = explained(ANN, &[first], "Never", "2026-05-19T00:00:00Z");
        assert_eq!((never.why.holds, never.changes_at), (false, Some(at(first))));
        // An event of the very instant has happened.
        let just_now = explained(ANN, &[first], "Recent", first);
        assert_eq!((just_now.why.holds, just_now.changes_at), (true, Some(at("2026-06-19T00:00:00.000001Z"))));
    }

    /// Halves that are said of one item, or of one value that was there, are not true one
    /// by one.
    #[test]
    fn what_is_said_of_one_thing_is_explained_as_one() {
        let now = "2026-06-01T00:00:00Z";
        let scored = |scores: &str| format!("{{\"id\": \"ann\", \"scores\": {scores}}}");
        assert!(!explained(&scored("[1, 10]"), &[], "One score", now).why.holds);
        assert!(explained(&scored("[1, 7]"), &[], "One score", now).why.holds);
        let switched = |time: &str| format!("{ANN}\n{{\"id\": \"ann\", \"$time\": \"{time}\", \"plan\": \"free\"}}");
        let why = explained(&switched("2026-05-30T00:00:00Z"), &[], "Either plan", now).why;
        assert!(why.holds, "{why:?}");
        let details: Vec<&String> = why.parts.iter().flat_map(|part| &part.details).collect();
        assert_eq!(
            details,
            ["plan is \"free\", since 2 days ago, 2026-05-30T00:00:00Z", "plan was \"pro\", from the beginning"]
        );
    }

    #[test]
    fn nobody_is_explained_outside_the_years_that_calendars_have() {
        for now in [i64::MIN, Timestamp::MIN.0 - 1, Timestamp::MAX.0 + 1, i64::MAX] {
            let refused = asked(ANN, &[], "Pro", Timestamp(now)).expect_err("refused");
            assert_eq!(refused.to_string(), "the instant asked about is not in the years 1 to 9999");
        }
        for now in [Timestamp::MIN, Timestamp::MAX] {
            assert!(!asked(ANN, &[], "Pro", now).expect("Ann").why.holds);
        }
    }

    #[test]
    fn values_set_later_are_not_set_yet() {
        let pro_until = |time: &str| format!("{ANN}\n{{\"id\": \"ann\", \"$time\": \"{time}\", \"plan\": \"free\"}}");
        let orders = ["2026-05-20T00:00:00Z"];
        let later = explained(&pro_until("2026-06-05T00:00:00Z"), &orders, "Pro", "2026-06-01T00:00:00Z");
        assert_eq!((later.why.holds, later.changes_at), (true, Some(at("2026-06-19T00:00:00.000001Z"))));
        let earlier = explained(&pro_until("2026-05-25T00:00:00Z"), &orders, "Pro", "2026-06-01T00:00:00Z");
        assert_eq!((earlier.why.holds, earlier.changes_at), (false, None));
    }
}
