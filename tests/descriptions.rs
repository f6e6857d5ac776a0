//! What people want to say, and the sentence that came to somebody's mind first.
//!
//! `tests/descriptions` has descriptions of segments from public sources, each with a
//! sentence written by somebody who knew the schema and had read the book alone, and
//! with people who tell the meant reading from others. How many compile as they were
//! first written, and mean what was described, is what the language is measured by.

use crate::{people, root};
use seg::{Engine, Options, Project, Settings, Timestamp, Zone};
use serde_json::Value;
use std::fmt::Write;
use std::path::PathBuf;

/// A description with its sentence.
#[derive(Debug)]
pub struct Description {
    /// The file that has it, and its number there.
    pub at: String,
    schema: String,
    now: Timestamp,
    /// What the segment is to be.
    pub says: String,
    /// What kind of sentence it asks for.
    pub kind: String,
    /// What came to mind first.
    pub sentence: String,
    /// People, with whether they are meant.
    people: Vec<(String, bool)>,
}

/// What became of a first sentence.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It says what was described.
    Right,
    /// It is refused, with these problems.
    Refused(String),
    /// It is accepted with a warning, and decides otherwise about somebody: their ids.
    Warned(Vec<String>),
    /// It is accepted without a word, and decides otherwise about somebody: their ids.
    Wrong(Vec<String>),
}

/// All of them, in the order of their files.
///
/// # Errors
/// A file that is not as it must be.
pub fn descriptions() -> Result<Vec<Description>, String> {
    let dir = root().join("tests/descriptions");
    let entries = std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}\n", dir.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}\n", path.display()))?;
        all.extend(of_file(&name, &text).map_err(|why| format!("{}: {why}\n", path.display()))?);
    }
    Ok(all)
}

fn of_file(name: &str, text: &str) -> Result<Vec<Description>, String> {
    let file: Value = toml::from_str(text).map_err(|e| e.to_string())?;
    let string = |of: &Value, key: &str| {
        of.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("no `{key}`"))
    };
    let (schema, now) = (string(&file, "schema")?, string(&file, "now")?);
    let now = Timestamp::parse(&now, None).ok_or_else(|| format!("`{now}` is no instant"))?;
    let schema = root().join("tests/descriptions/schemas").join(format!("{schema}.toml"));
    let schema = std::fs::read_to_string(&schema).map_err(|e| format!("{}: {e}", schema.display()))?;
    let of = file.get("description").and_then(Value::as_array).map(Vec::as_slice).unwrap_or(&[]);
    let description = |(number, of): (usize, &Value)| {
        string(of, "source")?;
        let people = of.get("people").and_then(Value::as_array).map(Vec::as_slice).unwrap_or(&[]);
        let people = people.iter().map(|person| {
            let is_in = person.get("in").and_then(Value::as_bool).ok_or("nobody says whether a person is in")?;
            Ok((string(person, "profile")?, is_in))
        });
        Ok(Description {
            at: format!("{name} {}", number + 1),
            schema: schema.clone(),
            now,
            says: string(of, "says")?,
            kind: string(of, "kind")?,
            sentence: string(of, "sentence")?,
            people: people.collect::<Result<_, String>>()?,
        })
    };
    of.iter().enumerate().map(description).collect()
}

impl Description {
    /// What becomes of its sentence.
    pub fn outcome(&self) -> Outcome {
        let settings = Settings { zone: Some(Zone::UTC), ..Settings::default() };
        let text = format!("segment \"s\" include people who {}", self.sentence);
        let project = Project::from_text(&self.schema, [("s.seg", text.as_str())], settings);
        let program = match seg::compile(&project) {
            Ok(program) => program,
            Err(problems) => return Outcome::Refused(problems.to_string()),
        };
        let lines: Vec<&str> = self.people.iter().map(|(profile, _)| profile.as_str()).collect();
        let batch = people(&lines.join("\n"), program.schema(), settings.zone, self.now);
        let options = Options::new().with_engine(Engine::Evaluator);
        let evaluation = match program.prepare().evaluate_with(&batch, self.now, &options) {
            Ok(evaluation) => evaluation,
            Err(why) => return Outcome::Refused(why.to_string()),
        };
        let Some(mask) = evaluation.masks().first() else { return Outcome::Refused("no segment".to_owned()) };
        let others = self.people.iter().enumerate().filter(|(row, (_, is_in))| mask.get(*row) != *is_in);
        let others: Vec<String> = others.map(|(row, _)| batch.id(row).to_owned()).collect();
        // What a schema or the use of a segment is warned of is not about the sentence.
        let is_of_sentence = |code: &str| ["W0804", "W0805", "W0806", "W0813", "W0814"].contains(&code);
        let is_warned = program.warnings().iter().any(|warning| is_of_sentence(warning.code.number()));
        match (others.is_empty(), is_warned) {
            (true, _) => Outcome::Right,
            (false, true) => Outcome::Warned(others),
            (false, false) => Outcome::Wrong(others),
        }
    }
}

/// How many sentences of each kind say at once what was described; with `all`, every
/// other one and why.
pub fn first_try(all: bool) -> Result<String, String> {
    let mut kinds: std::collections::BTreeMap<String, [usize; 4]> = std::collections::BTreeMap::new();
    let mut others = String::new();
    for description in descriptions()? {
        let outcome = description.outcome();
        let counts = kinds.entry(description.kind.clone()).or_default();
        counts[match outcome {
            Outcome::Right => 0,
            Outcome::Refused(_) => 1,
            Outcome::Warned(_) => 2,
            Outcome::Wrong(_) => 3,
        }] += 1;
        let Description { at, says, sentence, .. } = &description;
        let why = match outcome {
            Outcome::Right => continue,
            Outcome::Refused(problems) => problems,
            Outcome::Warned(ids) => format!("  warned of, and otherwise about {}", ids.join(", ")),
            Outcome::Wrong(ids) => format!("  otherwise about {}", ids.join(", ")),
        };
        // Writing to a string does not fail.
        let _ = writeln!(others, "{at}: {says}\n  {sentence}\n{why}\n");
    }
    let mut out = if all { others } else { String::new() };
    let _ = writeln!(
        out,
        "| kind | sentences | right | refused | warned | silently wrong | rate |\n|---|---:|---:|---:|---:|---:|---:|"
    );
    let total = kinds.values().fold([0; 4], |sum, of| [0, 1, 2, 3].map(|at| sum[at] + of[at]));
    let rows = kinds.iter().map(|(kind, counts)| (kind.as_str(), *counts)).chain([("all", total)]);
    for (kind, [right, refused, warned, wrong]) in rows {
        let n = right + refused + warned + wrong;
        let rate = right as f64 / n.max(1) as f64;
        let _ = writeln!(out, "| {kind} | {n} | {right} | {refused} | {warned} | {wrong} | {rate:.2} |");
    }
    Ok(out)
}
