//! Why one person is in a segment or not, and until when.

use crate::compile::{Program, parse};
use crate::overlap::declared_order;
use crate::project::Project;
use crate::trigger::{Trigger, Triggers};
use crate::waiting::{Waiting, waiting};
use seg_data::batch::BatchError;
use seg_data::{Batch, Timestamp, TimestampError};
use seg_hir::explain::{Explain, Fewest, Why};
use seg_hir::{Lists, suggestion};
use seg_plan::{Edges, NextChange};
use seg_syntax::Parse;
use std::fmt;

/// Why a person is in a segment or not.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation {
    /// The name of the segment.
    pub segment: String,
    /// The segment with its conditions, each true or false, and what decided it.
    pub why: Why,
    /// The numbers of conditions that alone make it so, whatever the others were.
    pub proof: Vec<usize>,
    /// The fewest conditions that keep the person out; none of somebody who is in, or whom no
    /// change of conditions would let in.
    pub fewest: Option<Fewest>,
    /// When the answer changes if nothing else happens; none when it does not, or not before
    /// `looked_until`.
    pub changes_at: Option<Timestamp>,
    /// The numbers of the conditions that are otherwise then.
    pub turning: Vec<usize>,
    /// How far ahead it was looked for, where a condition asks about what comes again for
    /// ever, such as an anniversary. Without it there is no such change at all.
    pub looked_until: Option<Timestamp>,
    /// What would change the answer at once, were it to happen; only where one segment was
    /// asked about.
    pub triggers: Vec<Trigger>,
    /// Why somebody who is out stays so if nothing happens; none where time lets them in, where
    /// no condition can, and where more than one segment was asked about.
    pub waiting: Option<Waiting>,
}

/// Why a person is in each segment or not.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PersonExplanation {
    /// The id that they go by.
    pub id: String,
    /// Each segment that was asked about, in the order of the program.
    pub segments: Vec<Explanation>,
    /// The segment that they go to, by the project's order of precedence, where it has one and
    /// they are in any of it.
    pub winner: Option<String>,
}

/// Whom to explain, and in which segment.
#[derive(Clone, Copy)]
pub struct Explained<'a> {
    /// The segments as they are written.
    pub project: &'a Project,
    /// The project, compiled.
    pub program: &'a Program,
    /// The people: a batch that the program was bound to, or could be.
    pub batch: &'a Batch,
    /// The name of a segment that is run; all of them without one.
    pub segment: Option<&'a str>,
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
    /// No segment of the program has this name; perhaps one has a name near it.
    Segment(String, Option<String>),
    /// Nobody in the batch has this id; perhaps somebody has one near it.
    Person(String, Option<String>),
    /// The batch is not one that the program can be bound to.
    Batch(BatchError),
    /// Nothing is evaluated as of this instant.
    Timestamp(TimestampError),
}

impl fmt::Display for ExplainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let near = |near: &Option<String>| match near {
            Some(near) => format!("; did you mean \"{near}\"?"),
            None => String::new(),
        };
        match self {
            ExplainError::Segment(name, like) => {
                write!(f, "there is no segment \"{name}\" that is run{}", near(like))
            }
            ExplainError::Person(id, like) => {
                write!(f, "there is nobody with the id \"{}\" in the data{}", id.escape_debug(), near(like))
            }
            ExplainError::Batch(error) => error.fmt(f),
            ExplainError::Timestamp(error) => write!(f, "the instant asked about {error}"),
        }
    }
}

impl std::error::Error for ExplainError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ExplainError::Segment(..) | ExplainError::Person(..) => None,
            ExplainError::Batch(error) => Some(error),
            ExplainError::Timestamp(error) => Some(error),
        }
    }
}

/// Why somebody is in the segments of a project, or not, and when that changes unless
/// something happens. Of the batch only their row is looked at.
///
/// # Errors
/// A segment or a person that is not there, a batch that the program cannot be
/// bound to, and an instant outside the years 1 to 9999.
pub fn explain(of: Explained<'_>) -> Result<PersonExplanation, ExplainError> {
    let Explained { project, program, batch, segment, person, now } = of;
    let now = now.in_range().map_err(ExplainError::Timestamp)?;
    let asked = |name: &str| segment.is_none_or(|segment| segment == name);
    let roots: Vec<usize> =
        program.segment_names().enumerate().filter(|(_, name)| asked(name)).map(|(at, _)| at).collect();
    if let (Some(segment), true) = (segment, roots.is_empty()) {
        let near = segment_like(program, segment).map(str::to_owned);
        return Err(ExplainError::Segment(segment.to_owned(), near));
    }
    let Some(row) = batch.row_of(person) else {
        let near = suggestion(person, (0..batch.len()).map(|row| batch.id(row))).map(str::to_owned);
        return Err(ExplainError::Person(person.to_owned(), near));
    };
    // Checking a column takes as long as it has rows.
    let own = Batch::new(std::sync::Arc::clone(batch.schema()), batch.records().slice(row, 1));
    let own = own.map_err(ExplainError::Batch)?;
    program.needs().check(&own).map_err(ExplainError::Batch)?;
    let known = own.known_at(0..1, now).map_err(ExplainError::Batch)?;
    let (parses, edges) = (parse(project), Edges::of(program.plan(), &roots));
    let told = Told { project, program, parses: &parses, lists: &project.lists(&parses), edges: &edges, roots: &roots };
    let mut segments = told.of_person(&known, now);
    if let (Some(_), [one]) = (segment, segments.as_mut_slice()) {
        told.look_ahead(&known, now, one);
    }
    let winner = winner(program, &known, now);
    Ok(PersonExplanation { id: batch.id(row).to_owned(), segments, winner })
}

/// What explaining person after person needs once.
struct Told<'a> {
    project: &'a Project,
    program: &'a Program,
    parses: &'a [Parse],
    lists: &'a Lists,
    /// Of the segments that are asked about.
    edges: &'a Edges,
    /// Their positions.
    roots: &'a [usize],
}

impl Told<'_> {
    /// Each segment, for the only person of a batch of what was known.
    fn of_person(&self, known: &Batch, now: Timestamp) -> Vec<Explanation> {
        let Told { program, edges, roots, .. } = *self;
        let as_of = |now| self.explain(known, now);
        let next = edges.walk().next_changes(known, 0, now).unwrap_or_default();
        let mut segments = Vec::with_capacity(roots.len());
        for (nth, root) in roots.iter().enumerate() {
            let Some((id, of_module)) = program.module().run().nth(*root) else { continue };
            let Some(why) = as_of(now).why(id, 0) else { continue };
            let NextChange { at, until } = next.get(nth).copied().unwrap_or(NextChange { at: None, until: None });
            let later = at.and_then(|at| as_of(at).why(id, 0));
            let turning = later.map_or(Vec::new(), |later| turning(&why, &later));
            segments.push(Explanation {
                segment: of_module.name.clone(),
                proof: why.proof(),
                fewest: why.fewest(),
                why,
                changes_at: at,
                turning,
                looked_until: until,
                triggers: Vec::new(),
                waiting: None,
            });
        }
        segments
    }

    fn explain<'b>(&'b self, batch: &'b Batch, now: Timestamp) -> Explain<'b> {
        let Told { project, program, parses, lists, .. } = *self;
        Explain {
            parses,
            sources: &project.sources,
            schema: &project.schema,
            settings: project.settings,
            lists,
            module: program.module(),
            batch,
            now,
        }
    }

    /// Adds what would change the answer of the only segment, and why time alone does not.
    fn look_ahead(&self, known: &Batch, now: Timestamp, of: &mut Explanation) {
        let Told { project, program, edges, roots, .. } = *self;
        let root = roots.first().copied().unwrap_or_default();
        let Some((id, _)) = program.module().run().nth(root) else { return };
        // Of whom nothing is known yet nothing can be told.
        if known.exists_from(0).is_some_and(|from| now < from) {
            return;
        }
        let alone = of.fewest.as_ref().filter(|fewest| fewest.conditions.len() == 1);
        let alone = alone.and_then(|fewest| fewest.conditions.first().copied());
        let short_by = alone.and_then(|number| of.why.conditions().get(number)?.short_by).unwrap_or(0);
        let (module, needs, is_in) = (program.module(), program.needs(), of.why.holds);
        let changes_at = of.changes_at;
        of.triggers = Triggers { project, module, id, edges, needs, known, now, is_in, changes_at, short_by }.find();
        if !is_in && changes_at.is_none() {
            let why = |at| self.explain(known, at).why(id, 0);
            of.waiting = waiting(&of.why, &edges.passing_at(known, now), why);
        }
    }
}

/// The segment whose name was meant by a slip: by all of it, or by what stands before a comma,
/// as `Lapsd` for `Lapsed, 90 days`.
pub fn segment_like<'p>(program: &'p Program, written: &str) -> Option<&'p str> {
    let beginning = |name: &'p str| name.split_once([',', ':', '(']).map(|(beginning, _)| beginning.trim());
    suggestion(written, program.segment_names()).or_else(|| {
        let near = suggestion(written, program.segment_names().filter_map(beginning))?;
        program.segment_names().find(|name| beginning(name) == Some(near))
    })
}

/// Of some people, rows of a batch, those whom one condition keeps out of a segment: the least
/// to go first, be it time that only has to pass or events that are missing; then the others,
/// in the order of the rows as they are given.
///
/// # Errors
/// Those of [`explain`].
pub fn near_misses(of: Explained<'_>, rows: &[usize]) -> Result<Vec<(usize, Explanation)>, ExplainError> {
    let Explained { project, program, batch, segment, now, .. } = of;
    let now = now.in_range().map_err(ExplainError::Timestamp)?;
    let name = segment.unwrap_or_default();
    let root = program.segment_names().position(|known| known == name).ok_or_else(|| {
        let near = segment_like(program, name).map(str::to_owned);
        ExplainError::Segment(name.to_owned(), near)
    })?;
    program.needs().check(batch).map_err(ExplainError::Batch)?;
    let (parses, edges) = (parse(project), Edges::of(program.plan(), &[root]));
    let told =
        Told { project, program, parses: &parses, lists: &project.lists(&parses), edges: &edges, roots: &[root] };
    let mut found: Vec<(usize, Explanation)> = Vec::new();
    for row in rows {
        let known = batch.known_at(*row..row.saturating_add(1), now).map_err(ExplainError::Batch)?;
        let explained = told.of_person(&known, now).into_iter().next();
        let is_near = |of: &Explanation| of.fewest.as_ref().is_some_and(|fewest| fewest.conditions.len() == 1);
        found.extend(explained.filter(is_near).map(|of| (*row, of)));
    }
    // The sort keeps the order of those who have as much to go.
    found.sort_by_key(|(_, of)| to_go(of, now));
    Ok(found)
}

/// How much is missing: time before events, and what cannot be measured last.
fn to_go(of: &Explanation, now: Timestamp) -> (u8, i64) {
    let first = of.fewest.as_ref().and_then(|fewest| fewest.conditions.first().copied());
    let short_by = first.and_then(|number| of.why.conditions().get(number)?.short_by);
    match (of.changes_at, short_by) {
        (Some(at), _) => (0, at.0.saturating_sub(now.0)),
        (None, Some(n)) => (1, i64::try_from(n).unwrap_or(i64::MAX)),
        (None, None) => (2, 0),
    }
}

/// The conditions that are otherwise at another instant.
fn turning(now: &Why, later: &Why) -> Vec<usize> {
    let (now, later) = (now.conditions(), later.conditions());
    let pairs = now.iter().zip(&later).enumerate();
    pairs.filter(|(_, (now, later))| now.said == later.said && now.holds != later.holds).map(|(at, _)| at).collect()
}

/// The first segment of the order of precedence that the only person of a batch is in.
fn winner(program: &Program, person: &Batch, now: Timestamp) -> Option<String> {
    let order = declared_order(program);
    if order.is_empty() {
        return None;
    }
    let masks = seg_plan::evaluate(program.plan(), person, now);
    let first = order.into_iter().find(|at| masks.get(*at).is_some_and(|mask| mask.get(0)))?;
    program.segment_names().nth(first).map(str::to_owned)
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
        let mut of =
            explain(Explained { project, program, batch: &batch, segment: Some(segment), person: "ann", now })?;
        Ok(of.segments.remove(0))
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
