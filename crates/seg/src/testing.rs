//! The tests of a project: people, and who of them is expected where.

use crate::compile::{compile, parse};
use crate::diagnostics::Diagnostics;
use crate::prepared::Prepared;
use crate::project::Project;
use seg_data::{Batch, Mask, Timestamp, Value};
use seg_hir::explain::{Explain, Why};
use seg_hir::hir::{Expectation, Expected, Module, SegmentId, Test, TestEvent};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// How the tests of a project went.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TestReport {
    /// In the order of the files.
    pub tests: Vec<TestOutcome>,
}

/// How one test went.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TestOutcome {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// When it is judged.
    pub at: Timestamp,
    /// One for each expectation.
    pub expectations: Vec<ExpectationOutcome>,
}

/// How one expectation went.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExpectationOutcome {
    /// The user's words.
    pub said: String,
    /// Where they are.
    pub span: Span,
    /// Whether it came true.
    pub passed: bool,
    /// What happened instead, in words; empty when it came true.
    pub instead: String,
    /// Why the person is in the segment or not, when it did not come true.
    pub why: Option<Why>,
}

impl TestReport {
    /// How many expectations there are, and how many of them came true.
    pub fn counts(&self) -> (usize, usize) {
        let all = self.tests.iter().flat_map(|t| &t.expectations);
        (all.clone().count(), all.filter(|e| e.passed).count())
    }
}

/// Runs the tests of a project.
///
/// # Errors
/// Every problem of the project, when at least one of them is an error.
pub fn test(project: &Project) -> Result<TestReport, Diagnostics> {
    let program = compile(project)?;
    let parses = parse(project);
    let lists = project.lists(&parses);
    let module = program.module();
    let (batches, prepared) = (batches(project, module)?, program.prepare());
    let mut tests = Vec::with_capacity(module.tests.len());
    for (test, batch) in module.tests.iter().zip(&batches) {
        let mut expectations = Vec::with_capacity(test.expectations.len());
        for expected in &test.expectations {
            let explain = Explain {
                parses: &parses,
                sources: &project.sources,
                schema: &project.schema,
                settings: project.settings,
                lists: &lists,
                module,
                batch,
                now: expected.at,
            };
            let said = words(project, expected.span);
            expectations.push(outcome(&prepared, &explain, expected, said));
        }
        tests.push(TestOutcome { name: test.name.clone(), span: test.span, at: test.at, expectations });
    }
    Ok(TestReport { tests })
}

/// The people of each test of a module as a batch.
///
/// # Errors
/// A fault of Seg: facts have been checked against the schema, so their lines are read.
pub(crate) fn batches(project: &Project, module: &Module) -> Result<Vec<Batch>, Diagnostics> {
    let batch = |test| people(project, test).map_err(|why| unreadable(project, test, &why));
    module.tests.iter().map(batch).collect()
}

/// Whether an expectation of a test comes true for its people.
pub(crate) fn comes_true(prepared: &Prepared, batch: &Batch, expected: &Expectation) -> bool {
    let found = Found::of(prepared, batch, expected);
    match expected.what {
        Expected::In(id) => found.is_in(id),
        Expected::NotIn(id) => !found.is_in(id),
        Expected::Wins(wanted) => found.winner() == wanted,
    }
}

/// Where the person of an expectation is.
struct Found<'p> {
    module: &'p Module,
    masks: Vec<Mask>,
    /// The person's row, unless they are not there.
    row: Option<usize>,
}

impl<'p> Found<'p> {
    fn of(prepared: &'p Prepared, batch: &Batch, expected: &Expectation) -> Found<'p> {
        let masks = prepared.evaluate(batch, expected.at).map(crate::Evaluation::into_masks).unwrap_or_default();
        let row = (0..batch.len()).find(|row| batch.id(*row) == expected.id);
        Found { module: prepared.program().module(), masks, row }
    }

    fn is_in(&self, id: SegmentId) -> bool {
        let position = self.module.run().position(|(run, _)| run == id);
        let mask = position.and_then(|at| self.masks.get(at));
        self.row.zip(mask).is_some_and(|(row, mask)| mask.get(row))
    }

    fn winner(&self) -> Option<SegmentId> {
        self.module.precedence.iter().copied().find(|id| self.is_in(*id))
    }
}

fn unreadable(project: &Project, test: &Test, why: &str) -> Diagnostics {
    let diagnostic =
        Diagnostic::new(Code::EmptyTest, test.span, format!("the people of \"{}\" cannot be made", test.name))
            .label(why)
            .help("this is a fault of Seg, please report it");
    Diagnostics::new(vec![diagnostic], project.sources.clone())
}

fn words(project: &Project, span: Span) -> String {
    project.sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn outcome(prepared: &Prepared, explain: &Explain<'_>, expected: &Expectation, said: String) -> ExpectationOutcome {
    let found = Found::of(prepared, explain.batch, expected);
    let name = |id: SegmentId| found.module.segments.get(id.idx()).map_or(String::new(), |s| format!("\"{}\"", s.name));
    let passed = comes_true(prepared, explain.batch, expected);
    let (instead, asked) = match expected.what {
        Expected::In(id) => (format!("\"{}\" is not in {}", expected.id, name(id)), Some(id)),
        Expected::NotIn(id) => (format!("\"{}\" is in {}", expected.id, name(id)), Some(id)),
        Expected::Wins(wanted) => {
            let winner = found.winner();
            let instead = match winner {
                Some(id) => format!("{} wins", name(id)),
                None => "no segment wins".to_owned(),
            };
            (instead, wanted.filter(|id| !found.is_in(*id)).or(winner))
        }
    };
    let why = asked.filter(|_| !passed).and_then(|id| explain.why(id, found.row?));
    let instead = if passed { String::new() } else { instead };
    ExpectationOutcome { said, span: expected.span, passed, instead, why }
}

/// The people of a test as a batch.
pub(crate) fn people(project: &Project, test: &Test) -> Result<Batch, String> {
    let schema = &project.schema;
    let mut profiles = String::new();
    let mut events = String::new();
    for profile in &test.profiles {
        let mut person = serde_json::Map::new();
        person.insert("id".to_owned(), profile.id.clone().into());
        for (id, value) in &profile.attributes {
            if let Some(field) = schema.attribute(*id) {
                person.insert(field.name.clone(), json(value));
            }
        }
        // Of somebody of whom all is said with a date, there is no undated row.
        if !profile.attributes.is_empty() || profile.changes.is_empty() {
            profiles.push_str(&format!("{}\n", serde_json::Value::Object(person)));
        }
        for (since, id, value) in &profile.changes {
            let Some(field) = schema.attribute(*id) else { continue };
            let change = serde_json::json!({
                "id": profile.id,
                seg_io::LINE_TIME: since.to_string(),
                field.name.as_str(): json(value),
            });
            profiles.push_str(&format!("{change}\n"));
        }
        for TestEvent { event: id, time, properties, records } in &profile.events {
            let Some(event) = schema.event(*id) else { continue };
            let mut line = serde_json::Map::new();
            for (property, value) in properties {
                if let Some(field) = event.properties.get(property.idx()) {
                    line.insert(field.name.clone(), json(value));
                }
            }
            for (property, record) in records {
                let Some(field) = event.properties.get(property.idx()) else { continue };
                let list = line.entry(field.name.clone()).or_insert_with(|| serde_json::Value::Array(Vec::new()));
                let fields: serde_json::Map<_, _> =
                    record.iter().map(|(name, value)| (name.clone(), json(value))).collect();
                if let Some(list) = list.as_array_mut() {
                    list.push(serde_json::Value::Object(fields));
                }
            }
            line.insert("id".to_owned(), profile.id.clone().into());
            line.insert("event".to_owned(), event.name.clone().into());
            line.insert("time".to_owned(), time.to_string().into());
            events.push_str(&format!("{}\n", serde_json::Value::Object(line)));
        }
    }
    let loaded = seg_io::load_lines(schema, project.settings.zone, &profiles, &events);
    loaded.map(|loaded| loaded.batch).map_err(|error| error.to_string())
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Boolean(b) => (*b).into(),
        Value::Integer(n) => i64::try_from(*n).map_or(serde_json::Value::Null, Into::into),
        Value::Number(n) => (*n).into(),
        Value::Text(text) => text.clone().into(),
        Value::List(items) => items.iter().map(json).collect(),
        other => other.to_string().into(),
    }
}
