//! One file a command.

pub mod check;
pub mod codes;
pub mod conversion;
pub mod diff;
pub mod doctor;
pub mod emit;
pub mod example;
pub mod explain;
pub mod freeze;
pub mod guard;
pub mod history;
pub mod init;
pub mod input;
pub mod judged;
pub mod live;
pub mod merge_results;
pub mod objects;
pub mod overlap;
pub mod pack;
pub mod report;
pub mod results;
pub mod run;
pub mod sample;
pub mod schema;
pub mod store;
pub mod test;
pub mod timeline;
pub mod watch;
pub mod who;

use crate::args::Format;
use crate::exit::Failure;
use crate::output::Output;
use seg::unstable::frozen::{LOCK_FILE, Lock};
use seg::unstable::io::objects::Address;
use seg::unstable::set_objects;
use seg::{Date, Program, Project, Timestamp, TimestampError, Zone};
use std::path::Path;

fn load(dir: &Path) -> Result<Project, Failure> {
    let mut project = Project::load(dir).map_err(Failure::new)?;
    objects::stores().into_iter().for_each(|objects| set_objects(&mut project, objects));
    Ok(project)
}

/// The project, with its data in the packed store that is asked for.
fn load_with_store(dir: &Path, store: Option<&Path>) -> Result<Project, Failure> {
    let mut project = load(dir)?;
    if let Some(store) = store {
        // Relative to where the command is given, as all paths of arguments.
        let folder = match store.to_str().is_some_and(Address::is_meant) {
            true => store.to_owned(),
            false => std::path::absolute(store).map_err(Failure::new)?,
        };
        seg::unstable::set_store(&mut project, &folder);
    }
    Ok(project)
}

/// The project as a program; none when it has errors, which were shown, with
/// what was not done for them.
fn compiled(project: &Project, format: Format, undone: &str, output: &Output) -> Result<Option<Program>, Failure> {
    match seg::compile(project) {
        Ok(program) => Ok(Some(program)),
        Err(diagnostics) => {
            output.diagnostics(&diagnostics, format)?;
            if format == Format::Text {
                tell_line!("{}; nothing was {undone}", check::summary(&diagnostics));
            }
            Ok(None)
        }
    }
}

/// The lock beside a project; one that is not there holds nothing.
fn read_lock(dir: &Path) -> Result<Lock, Failure> {
    let path = dir.join(LOCK_FILE);
    if !path.exists() {
        return Ok(Lock::default());
    }
    let text = std::fs::read_to_string(&path).map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
    Lock::parse(&text).map_err(|why| Failure::new(format!("{}: {why}", path.display())))
}

/// The day on which it is judged what is frozen.
fn today(project: &Project, at: Option<&str>) -> Result<Date, Failure> {
    let zone = project.settings().zone.unwrap_or(Zone::UTC);
    let now = match at {
        Some(text) => instant(text, Some(zone))?,
        None => Timestamp(chrono::Utc::now().timestamp_micros()),
    };
    Ok(zone.date(now))
}

/// The instant that an argument names.
fn instant(text: &str, zone: Option<Zone>) -> Result<Timestamp, Failure> {
    Timestamp::read(text, zone).map_err(|error| {
        let help = match error {
            TimestampError::NotATimestamp => "write it as",
            TimestampError::OutOfRange => "write an instant such as",
        };
        Failure::usage(format!("`{text}` {error}; {help} 2026-11-27T14:00:00Z"))
    })
}
