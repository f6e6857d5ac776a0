//! The text of a proposed `seg.toml`.

use super::Wishes;
use super::table::{EventIs, EventRoles, ProfileRoles, Table};
use seg_data::Timestamp;
use seg_data::schema::toml_text;
use std::fmt::Write;

/// The text of `seg.toml`.
pub(super) fn manifest(
    wishes: &Wishes,
    at: Option<Timestamp>,
    profiles: &[Table],
    events: &[Table],
    last_event: Option<Timestamp>,
) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(out, "# A Seg project: all `.seg` files of this directory belong together.");
    let _ = writeln!(out, "name = {}", toml_text(&wishes.name));
    let _ = writeln!(out, "# Whose calendar days, months and years are meant.");
    let _ = writeln!(out, "timezone = {}", toml_text(&wishes.timezone));
    match (at, last_event) {
        (Some(at), _) => {
            let _ = writeln!(out, "# Everything is judged at this instant; without the line, when it is run.");
            let _ = writeln!(out, "at = \"{at}\"");
        }
        (None, Some(last)) => {
            let _ = writeln!(
                out,
                "# Everything is judged when it is run. To judge it at an instant instead, such as that of the latest event:"
            );
            let _ = writeln!(out, "# at = \"{last}\"");
        }
        (None, None) => {}
    }
    let calls: Vec<String> = events.iter().filter(|table| table.is_calls).map(|table| toml_text(&table.name)).collect();
    if !calls.is_empty() {
        let _ = writeln!(out, "\n# Analytics calls say who is who, what people are and what they did.");
        let _ = writeln!(out, "[data.calls]\nfiles = [{}]", calls.join(", "));
    }
    let sources = by_roles(profiles, |table| &table.profiles);
    for (ProfileRoles { id, time }, files) in &sources {
        let table = if sources.len() > 1 { "[[data.profiles]]" } else { "[data.profiles]" };
        let _ = writeln!(out, "\n{table}\nfiles = [{files}]\nid = {}", toml_text(id));
        if let Some(time) = time {
            let _ = writeln!(out, "time = {}", toml_text(time));
        }
    }
    let sources = by_roles(events, |table| &table.events);
    for (EventRoles { id, event, time }, files) in &sources {
        let table = if sources.len() > 1 { "[[data.events]]" } else { "[data.events]" };
        let (id, time) = (toml_text(id), toml_text(time));
        let event = match event {
            EventIs::Column(column) => format!("event = {}", toml_text(column)),
            EventIs::Named(name) => {
                format!("# No column names the event: each row is one of this name.\nname = {}", toml_text(name))
            }
        };
        let _ = writeln!(out, "\n{table}\nfiles = [{files}]\nid = {id}\n{event}\ntime = {time}");
    }
    out
}

/// The files of each kind of columns, as a list of TOML.
fn by_roles<'t, T: PartialEq>(tables: &'t [Table], roles: impl Fn(&'t Table) -> &'t Option<T>) -> Vec<(&'t T, String)> {
    let mut sources: Vec<(&T, String)> = Vec::new();
    for table in tables.iter().filter(|table| !table.is_calls) {
        let Some(roles) = roles(table) else { continue };
        let file = toml_text(&table.name);
        match sources.iter_mut().find(|(known, _)| *known == roles) {
            Some((_, files)) => {
                let _ = write!(files, ", {file}");
            }
            None => sources.push((roles, file)),
        }
    }
    sources
}
