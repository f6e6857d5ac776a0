//! `seg schema`

mod check;
mod export;
mod import;

use super::load;
use crate::args::{Format, Schema, SchemaCommand, SchemaWords};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_json, print_text};
use seg::Project;
use seg::unstable::diag::Code;
use seg::unstable::io::write_whole;
use std::fmt::Write;
use std::path::Path;

pub fn run(args: &Schema, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        SchemaCommand::Words(args) => words(args, output),
        SchemaCommand::Check(args) => check::run(args, output),
        SchemaCommand::Import(args) => import::run(args, output),
        SchemaCommand::Export(args) => export::run(args, output),
    }
}

/// The project, unless its schema or its settings have errors, which were shown; those of
/// segments do not matter here.
fn with_schema(dir: &Path, format: Format, output: &Output) -> Result<Option<Project>, Failure> {
    let project = load(dir)?;
    Ok(if has_errors(&project, format, output)? { None } else { Some(project) })
}

/// Whether the schema or the settings of a project have errors, which are shown then.
pub fn has_errors(project: &Project, format: Format, output: &Output) -> Result<bool, Failure> {
    let errors = seg::compile(project).err();
    let is_of_schema = |code: Code| code.number().starts_with("E07") && code != Code::UnreadableList;
    if let Some(diagnostics) = errors
        && diagnostics.iter().any(|problem| problem.is_error() && is_of_schema(problem.code))
    {
        output.diagnostics(&diagnostics, format)?;
        return Ok(true);
    }
    Ok(false)
}

/// Writes a text to a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    if path.exists() {
        return Err(Failure::new(format!("{} exists already; nothing was written", path.display())));
    }
    write_whole(path, text).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}

/// What sentences may call an event or a group.
struct Entry<'s> {
    name: &'s str,
    /// The forms of each verb, then of each noun.
    verbs: Vec<Vec<String>>,
    nouns: Vec<Vec<String>>,
    also: &'s [String],
    /// The events of a group.
    events: Vec<&'s str>,
}

fn words(args: &SchemaWords, output: &Output) -> Result<Exit, Failure> {
    let Some(project) = with_schema(&args.dir, args.format, output)? else { return Ok(Exit::Errors) };
    let entries = entries(&project);
    match args.format {
        Format::Text => print_text(&text(&entries))?,
        Format::Json => print_json(&json(&entries))?,
    }
    Ok(Exit::Success)
}

fn entries(project: &Project) -> Vec<Entry<'_>> {
    let schema = project.schema();
    let events = schema.events.iter().map(|event| Entry {
        name: &event.name,
        verbs: event.verbs.iter().map(|verb| verb.forms()).collect(),
        nouns: event.nouns.iter().map(|noun| noun.forms()).collect(),
        also: &event.also,
        events: Vec::new(),
    });
    let groups = schema.groups.iter().map(|group| Entry {
        name: &group.name,
        verbs: Vec::new(),
        nouns: Vec::new(),
        also: &group.also,
        events: group.events.iter().filter_map(|id| schema.event(*id)).map(|event| event.name.as_str()).collect(),
    });
    events.chain(groups).collect()
}

fn text(entries: &[Entry<'_>]) -> String {
    let mut out = String::new();
    let joined = |forms: &[Vec<String>]| forms.iter().map(|forms| forms.join(", ")).collect::<Vec<_>>().join("; ");
    for entry in entries {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{}", entry.name);
        let lines = [
            ("verbs", joined(&entry.verbs)),
            ("nouns", joined(&entry.nouns)),
            ("also", entry.also.join(", ")),
            ("events", entry.events.join(", ")),
        ];
        for (what, words) in lines.iter().filter(|(_, words)| !words.is_empty()) {
            let _ = writeln!(out, "  {what:<7}{words}");
        }
    }
    out
}

fn json(entries: &[Entry<'_>]) -> serde_json::Value {
    let entries = entries.iter().map(|entry| {
        let kind = if entry.events.is_empty() { "event" } else { "group" };
        serde_json::json!({
            "kind": kind,
            "name": entry.name,
            "verbs": entry.verbs,
            "nouns": entry.nouns,
            "also": entry.also,
            "events": entry.events,
        })
    });
    serde_json::Value::Array(entries.collect())
}
