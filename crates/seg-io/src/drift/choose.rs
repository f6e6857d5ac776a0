//! Which source of a project a file is of that it does not name.

use crate::calls::{ID, TIME};
use crate::cell::Cell;
use crate::manifest::{CallFiles, Data, EventFiles, ProfileFiles};
use crate::open::{DataFile, Elsewhere, find};
use crate::report::{ProblemKind, ReadError};
use crate::rows::{RowSink, peek};
use std::path::{Path, PathBuf};

/// The data of some files (`patterns` under `base`), each read as the source of the project
/// (`data` under `dir`) that names it, or else as the first whose columns it has: calls,
/// events, people.
///
/// # Errors
/// A file that is not there or cannot be read, or that has the columns of no source.
pub fn of_files(dir: &Path, data: &Data, base: &Path, patterns: &[String]) -> Result<Data, ReadError> {
    // What came through the standard input is the project's.
    let elsewhere = Elsewhere { standard_input: None, ..data.elsewhere.clone() };
    let mut chosen = Data { elsewhere: elsewhere.clone(), ..Data::default() };
    for file in find(base, patterns, &elsewhere)? {
        let path = vec![file.path.strip_prefix(base).unwrap_or(&file.path).to_string_lossy().into_owned()];
        let is_of = |files: &[String]| names(dir, files, &file, data);
        let mut header = Header::default();
        // What is wrong with the file will be told when it is read. A line may be long.
        for n_bytes in [1 << 16, 1 << 24] {
            if header.names.is_empty() {
                let _ = peek(&file, n_bytes, &mut header);
            }
        }
        let call = data.calls.iter().find(|spec| is_of(&spec.files));
        let event = data.events.iter().find(|spec| is_of(&spec.files));
        let person = data.profiles.iter().find(|spec| is_of(&spec.files));
        let is_named = call.is_some() || event.is_some() || person.is_some();
        let by_columns = |fits: bool| fits && !is_named;
        let call = call.or_else(|| data.calls.first().filter(|_| by_columns(header.is_of_calls())));
        let event =
            event.or_else(|| data.events.iter().find(|spec| call.is_none() && by_columns(header.is_of_events(spec))));
        let person = person.or_else(|| {
            let is_free = call.is_none() && event.is_none();
            data.profiles.iter().find(|spec| is_free && by_columns(header.is_of_people(spec)))
        });
        match (call, event, person) {
            (Some(_), ..) => chosen.calls.push(CallFiles { files: path }),
            (None, Some(spec), _) => chosen.events.push(EventFiles { files: path, ..spec.clone() }),
            (None, None, Some(spec)) => chosen.profiles.push(ProfileFiles { files: path, ..spec.clone() }),
            (None, None, None) => return Err(ReadError::new(&file.name, header.of_none())),
        }
    }
    Ok(chosen)
}

/// Whether the files of a source are said to have one among them.
fn names(dir: &Path, patterns: &[String], file: &DataFile, data: &Data) -> bool {
    let known = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let path: PathBuf = known(&file.path);
    find(dir, patterns, &data.elsewhere).is_ok_and(|files| files.iter().any(|other| known(&other.path) == path))
}

/// The columns at the beginning of a file.
#[derive(Default)]
struct Header {
    names: Vec<String>,
}

impl Header {
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    fn is_of_calls(&self) -> bool {
        self.has("type") && self.has(TIME) && (self.has(ID) || self.has("anonymousId"))
    }

    fn is_of_events(&self, spec: &EventFiles) -> bool {
        let is_there = |name: &String| self.has(name) || spec.reading.values.contains_key(name);
        let has_id = std::iter::once(&spec.id).chain(&spec.reading.other_ids).any(|id| self.has(id));
        has_id && is_there(&spec.event) && is_there(&spec.time)
    }

    fn is_of_people(&self, spec: &ProfileFiles) -> bool {
        let has_id = std::iter::once(&spec.id).chain(&spec.reading.other_ids).any(|id| self.has(id));
        has_id && spec.time.as_ref().is_none_or(|time| self.has(time))
    }

    fn of_none(&self) -> String {
        const SHOWN_MAX: usize = 12;
        let names = self.names.iter().filter(|name| !name.is_empty()).take(SHOWN_MAX);
        let names: Vec<String> = names.map(|name| format!("`{}`", name.escape_debug())).collect();
        let more = if self.names.len() > SHOWN_MAX { ", …" } else { "" };
        format!("no source of seg.toml has its columns: {}{more}", names.join(", "))
    }
}

impl RowSink for Header {
    fn columns(&mut self, names: &[String]) {
        self.names = names.to_vec();
    }

    fn wants(&self, _column: usize) -> bool {
        false
    }

    fn row(&mut self, _line: u64, _cells: &[Cell<'_>]) {}

    fn broken(&mut self, _line: u64, _why: &str) {}

    fn note(&mut self, _kind: ProblemKind, _column: &str, _line: u64) {}
}
