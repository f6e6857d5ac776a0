//! `seg schema`

use super::load;
use crate::args::{Format, Schema, SchemaCommand, SchemaWords};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_json, print_text};
use seg::Project;
use std::fmt::Write;

pub fn run(args: &Schema, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        SchemaCommand::Words(args) => words(args, output),
    }
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
    let project = load(&args.dir)?;
    // Words of a schema that has errors might be wrong; those of segments do not matter here.
    if let Err(diagnostics) = seg::compile(&project)
        && diagnostics.iter().any(|problem| problem.is_error() && problem.code.number().starts_with("E07"))
    {
        output.diagnostics(&diagnostics, args.format)?;
        return Ok(Exit::Errors);
    }
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
