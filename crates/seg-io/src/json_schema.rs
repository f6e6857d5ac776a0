//! Schemas from tracking plans in JSON Schema, and as such.
//!
//! [`import`] reads a plan in any of the forms that teams have (a bundle of schemas, the
//! plan of a customer data platform, a schema an event) and says of everything that no
//! schema of Seg can say where it stands. [`export`] writes a schema with all that it says:
//! what JSON Schema has no word for stands under keywords that begin with `x-seg-`.

mod assemble;
mod document;
mod export;
mod fields;
mod read;
mod shape;
mod tree;

pub(crate) use assemble::without_spelling;
pub use export::{ExportForm, export};

use crate::report::ReadError;
use assemble::Assembled;
use document::{Finder, Found};
use read::Reader;
use std::fmt;
use std::path::{Path, PathBuf};
use tree::Document;

/// How deep values may stand in one another.
const MAX_DEPTH: usize = 100;
/// So many problems are told; who has more begins with these.
const PROBLEMS_MAX: usize = 1_000;
/// How large a plan may be: larger is no plan but data.
const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// A file of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFile {
    /// The file, as people call it.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// Something that makes a plan unreadable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanProblem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The way to it within the file, as a JSON pointer; empty for the whole.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

impl PlanProblem {
    fn new(file: &str, line: u64, pointer: String, message: impl Into<String>) -> PlanProblem {
        PlanProblem { file: file.to_owned(), line, pointer, message: message.into() }
    }
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, (&self.file, self.line, &self.pointer))?;
        f.write_str(&self.message)
    }
}

fn write_place(f: &mut fmt::Formatter<'_>, (file, line, pointer): (&str, u64, &str)) -> fmt::Result {
    write!(f, "{file}:{line}")?;
    match pointer.is_empty() {
        true => f.write_str(": "),
        false => write!(f, " at {}: ", pointer.escape_debug()),
    }
}

/// What became of something that a plan says and a schema cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemarkKind {
    /// It is not in the schema.
    LeftOut,
    /// It is in the schema as something near.
    ReadAs,
    /// It is as it was, and may better be otherwise.
    Advice,
}

impl RemarkKind {
    /// The kind in hyphenated words, for tools.
    pub fn slug(self) -> &'static str {
        match self {
            RemarkKind::LeftOut => "left-out",
            RemarkKind::ReadAs => "read-as",
            RemarkKind::Advice => "advice",
        }
    }
}

/// Something that a plan says and a schema cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRemark {
    /// What became of it.
    pub kind: RemarkKind,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The way to it within the file, as a JSON pointer.
    pub pointer: String,
    /// What it is, in words.
    pub message: String,
}

impl fmt::Display for PlanRemark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, (&self.file, self.line, &self.pointer))?;
        f.write_str(&self.message)
    }
}

/// A schema that was read from a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The text of the schema, which is one without a problem.
    pub schema: String,
    /// How many attributes it has.
    pub n_attributes: usize,
    /// How many events it has.
    pub n_events: usize,
    /// What the plan says and the schema cannot, in the order of the plan.
    pub remarks: Vec<PlanRemark>,
}

/// The files of a plan: a file, or those of a folder that end in `.json`, by name.
///
/// # Errors
/// A file that is not there, cannot be read, is larger than 32 MiB or is no text.
pub fn plan_files(path: &Path) -> Result<Vec<PlanFile>, ReadError> {
    let name = |path: &Path| path.display().to_string();
    let failed = |path: &Path, error: &std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => ReadError::new(name(path), "there is no such file or folder"),
        std::io::ErrorKind::PermissionDenied => ReadError::new(name(path), "it may not be read"),
        _ => ReadError::new(name(path), error.to_string()),
    };
    let mut paths: Vec<PathBuf> = vec![path.to_owned()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|error| failed(path, &error))?;
        let is_plan = |path: &PathBuf| path.is_file() && path.extension().is_some_and(|ending| ending == "json");
        paths = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(is_plan).collect();
        paths.sort();
        if paths.is_empty() {
            return Err(ReadError::new(name(path), "there is no file in it that ends in .json"));
        }
    }
    let read = |path: PathBuf| {
        let size = std::fs::metadata(&path).map_err(|error| failed(&path, &error))?.len();
        if size > BYTES_MAX {
            return Err(ReadError::new(name(&path), "it is larger than 32 MiB, which no tracking plan is"));
        }
        let bytes = std::fs::read(&path).map_err(|error| failed(&path, &error))?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(PlanFile { name: name(&path), text }),
            Err(_) => Err(ReadError::new(name(&path), "this file is not UTF-8 text")),
        }
    };
    paths.into_iter().map(read).collect()
}

/// Whether the words of events, which no plan says but one of Seg, are guessed from their
/// names, as for data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum GuessWords {
    Yes,
    No,
}

/// Reads a tracking plan, of one file or several, as one schema.
///
/// # Errors
/// Everything in it that is no JSON or no JSON Schema, or that no schema may have, each with
/// its place.
pub fn import(files: &[PlanFile], words: GuessWords) -> Result<Imported, Vec<PlanProblem>> {
    let mut documents = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        match Document::parse(&file.name, &file.text) {
            Ok(document) => documents.push(document),
            Err(found) => problems.extend(found),
        }
    }
    let mut reader = Reader::new();
    let mut finder = Finder { reader: &mut reader, found: Found::default() };
    for document in &documents {
        let path = Path::new(&document.name);
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        finder.document(document, stem.strip_suffix(".schema").unwrap_or(&stem));
    }
    let found = finder.found;
    let assembled = Assembled::new(&mut reader, found);
    problems.append(&mut reader.problems);
    if problems.is_empty() && assembled.schema.events.is_empty() && assembled.schema.attributes.is_empty() {
        let name = files.first().map_or("the plan", |file| &file.name);
        let message =
            "no event and no attribute is described here; `seg schema import --help` names the forms of plans";
        problems.push(PlanProblem::new(name, 1, String::new(), message));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let (n_attributes, n_events) = (assembled.schema.attributes.len(), assembled.schema.events.len());
    let (text, is_guessed) = assembled.text(words)?;
    let mut schema = String::from("# What segments can be about, read from a tracking plan by `seg schema import`.\n");
    if is_guessed {
        schema.push_str(
            "# Verbs, nouns and roles were guessed from the names of events: correct what is wrong, and add other names\n\
             # with `also`. `seg schema words` lists the English that follows.\n",
        );
    }
    schema.push('\n');
    schema.push_str(&text);
    Ok(Imported { schema, n_attributes, n_events, remarks: reader.remarks })
}
