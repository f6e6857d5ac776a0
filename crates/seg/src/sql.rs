//! The segments of a project as SQL, over the tables that its `seg.toml` names.

use crate::{Diagnostics, Program, Project};
use seg_data::Timestamp;
use seg_hir::suggestion;
use seg_io::manifest::{MANIFEST_FILE, RowsAre, SqlColumn, SqlSettings, SqlUnit};
use seg_sql::{Column, Events, ListTable, Named, Profiles, Refusal, Request, Source, Unit};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;
use std::ops::Range;

pub use seg_sql::{Dialect, Difference, Emitted, Shape};

/// The SQL of a program's segments as of an instant.
///
/// # Errors
/// That the project does not say where its tables are, or names events that its schema lacks;
/// else every construct that the dialect cannot say exactly, at the segments that it is in.
pub fn emit(
    project: &Project,
    program: &Program,
    dialect: Dialect,
    now: Timestamp,
    shape: &Shape,
) -> Result<Emitted, Diagnostics> {
    let told = |problems| Diagnostics::new(problems, project.sources.clone());
    let settings = project.manifest.as_ref().map(|manifest| &manifest.sql);
    let Some((settings, at)) = settings.and_then(|sql| Some((sql, sql.at.clone()?))) else {
        let problem = in_settings(project, 0..0, "the project does not say where its tables are".to_owned())
            .help("write `[sql.profiles]` and `[sql.events]` in `seg.toml`");
        return Err(told(vec![problem]));
    };
    let unknown = unknown(project, settings, at);
    if !unknown.is_empty() {
        return Err(told(unknown));
    }
    let manifest = project.manifest.as_ref();
    let are_ids_united = manifest.is_some_and(|of| !(of.data.merges.is_empty() && of.data.calls.is_empty()));
    let source = Source { are_ids_united, ..source(settings) };
    let plan = program.plan();
    let request = Request { plan, schema: &project.schema, source: &source, dialect, now, shape, segments: None };
    seg_sql::emit(request).map_err(|refusals| told(diagnostics(program, dialect, &refusals)))
}

/// A problem of `seg.toml`.
fn in_settings(project: &Project, at: Range<usize>, message: String) -> Diagnostic {
    let settings = project.sources.iter().find(|(_, file)| file.name == MANIFEST_FILE);
    let span = settings.map(|(source, _)| Span::new(source, at.start as u32, at.end as u32)).unwrap_or_default();
    Diagnostic::new(Code::ProjectFile, span, message).label("here")
}

/// Events, attributes and properties that `[sql]` names and the schema does not have.
fn unknown(project: &Project, settings: &SqlSettings, at: Range<usize>) -> Vec<Diagnostic> {
    let schema = &project.schema;
    let mut problems = Vec::new();
    let mut tell = |at: &Range<usize>, what: &str, name: &str, known: Vec<&str>| {
        if known.contains(&name) {
            return;
        }
        let problem = in_settings(project, at.clone(), format!("the schema has no {what} `{name}`"));
        problems.push(match suggestion(name, known) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!("write the name of a {what} as the schema has it")),
        });
    };
    for name in settings.profiles.iter().flat_map(|profiles| profiles.columns.keys()) {
        tell(&at, "attribute", name, schema.attributes.iter().map(|field| field.name.as_str()).collect());
    }
    for events in &settings.events {
        let only = events.only.as_ref();
        let at = only.map_or(&at, |(_, at)| at);
        if let Some((name, _)) = only {
            tell(at, "event", name, schema.events.iter().map(|event| event.name.as_str()).collect());
        }
        let own = schema.events.iter().filter(|event| only.is_none_or(|(name, _)| event.name == *name));
        let known: Vec<&str> = own.flat_map(|event| event.properties.iter().map(|field| field.name.as_str())).collect();
        for name in events.columns.keys() {
            tell(at, "property", name, known.clone());
        }
    }
    problems
}

/// Each refusal at each of its segments; at the first one where it is no segment's matter.
fn diagnostics(program: &Program, dialect: Dialect, refusals: &[Refusal]) -> Vec<Diagnostic> {
    let segments = &program.module().segments;
    let mut problems = Vec::new();
    for refusal in refusals {
        let of = |name: &String| segments.iter().find(|segment| segment.name == *name);
        let title = dialect.title();
        let mut at = refusal.segments.iter().filter_map(of).peekable();
        if at.peek().is_none() {
            let span = segments.first().map(|segment| segment.span).unwrap_or_default();
            let message = format!("the segments cannot be said exactly in {title}");
            problems.push(Diagnostic::new(Code::NotInSql, span, message).note(refusal.to_string()));
        }
        for segment in at {
            let message = format!("\"{}\" cannot be said exactly in {title}", segment.name);
            problems.push(Diagnostic::new(Code::NotInSql, segment.span, message).note(refusal.to_string()));
        }
    }
    problems
}

/// The tables as SQL is made for them.
fn source(settings: &SqlSettings) -> Source {
    let columns = |columns: &std::collections::BTreeMap<String, SqlColumn>| {
        columns.iter().map(|(name, of)| (name.clone(), column(of))).collect()
    };
    Source {
        profiles: settings.profiles.as_ref().map(|profiles| Profiles {
            table: profiles.table.clone(),
            id: profiles.id.clone(),
            time: profiles.time.as_ref().map(column),
            arrival: profiles.arrival.clone(),
            are_snapshots: profiles.rows == RowsAre::Snapshots,
            columns: columns(&profiles.columns),
        }),
        events: settings
            .events
            .iter()
            .map(|events| Events {
                table: events.table.clone(),
                event: match (&events.only, &events.event) {
                    (Some((name, _)), _) => Named::Always(name.clone()),
                    (None, by) => Named::By(by.clone().unwrap_or_default()),
                },
                id: events.id.clone(),
                time: column(&events.time),
                arrival: events.arrival.clone(),
                has_unique_ids: events.unique_ids,
                columns: columns(&events.columns),
            })
            .collect(),
        lists: settings
            .lists
            .iter()
            .map(|(name, (table, column))| (name.clone(), ListTable { table: table.clone(), column: column.clone() }))
            .collect(),
        are_ids_united: false,
    }
}

fn column(of: &SqlColumn) -> Column {
    let unit = match of.unit {
        SqlUnit::Own => Unit::Own,
        SqlUnit::Seconds => Unit::Seconds,
        SqlUnit::Milliseconds => Unit::Milliseconds,
        SqlUnit::Microseconds => Unit::Microseconds,
        SqlUnit::Cents => Unit::Cents,
    };
    Column { name: of.column.clone(), unit }
}
