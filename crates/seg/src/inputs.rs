//! The files that a project is read from.

use crate::frozen::LOCK_FILE;
use crate::project::Project;
use seg_io::manifest::MANIFEST_FILE;
use seg_io::{DataFile, ReadError};
use seg_syntax::ast::Item;
use std::path::{Path, PathBuf};

/// A file that a project is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// As people call it: relative to the project.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it holds.
    pub kind: InputKind,
    /// The object that it is rather than a file; then `path` is its address.
    pub object: Option<DataFile>,
}

/// What a file that a project is read from holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// The project's settings.
    Settings,
    /// The schema.
    Schema,
    /// Segments.
    Segments,
    /// The values of a list that segments name.
    List,
    /// Rows of people or of events.
    Data,
}

impl InputKind {
    /// The kind in a word, for tools.
    pub fn word(self) -> &'static str {
        match self {
            InputKind::Settings => "settings",
            InputKind::Schema => "schema",
            InputKind::Segments => "segments",
            InputKind::List => "list",
            InputKind::Data => "data",
        }
    }
}

/// Every file that a project is read from, each once.
///
/// # Errors
/// A pattern of data that names no file.
pub fn input_files(project: &Project) -> Result<Vec<Input>, ReadError> {
    let mut inputs = texts(project);
    // What a store holds its manifest says to the byte.
    let store = project.manifest.as_ref().and_then(|manifest| manifest.data.store.as_ref());
    let in_bucket = match (&project.manifest, store) {
        (Some(manifest), Some(_)) => seg_io::store::catalog_object(&project.dir, &manifest.data)?,
        (Some(_) | None, _) => None,
    };
    inputs.extend(in_bucket.iter().map(|file| {
        let (name, path, kind) = (file.name.clone(), file.path.clone(), InputKind::Data);
        Input { name, path, kind, object: Some(file.clone()) }
    }));
    inputs.extend(store.filter(|_| in_bucket.is_none()).map(|store| {
        let name = Path::new(store).join(seg_io::store::CATALOG_FILE);
        let path = project.dir.join(&name);
        Input { name: name.to_string_lossy().into_owned(), path, kind: InputKind::Data, object: None }
    }));
    let elsewhere = project.manifest.as_ref().map(|manifest| manifest.data.elsewhere.clone()).unwrap_or_default();
    for files in data_patterns(project).filter(|_| store.is_none()) {
        let found = seg_io::find(&project.dir, files, &elsewhere)?;
        inputs.extend(found.into_iter().map(|file| {
            let (name, path, kind) = (file.name.clone(), file.path.clone(), InputKind::Data);
            Input { name, path, kind, object: file.is_object().then_some(file) }
        }));
    }
    let mut known = std::collections::HashSet::new();
    inputs.retain(|input| known.insert(input.path.clone()));
    Ok(inputs)
}

/// The pattern of the project's data that a file at `path` would be read by, were it there.
pub fn pattern_of<'p>(project: &'p Project, path: &Path) -> Option<&'p str> {
    let patterns = data_patterns(project).flatten().map(String::as_str);
    patterns.into_iter().find(|pattern| seg_io::is_reached(&project.dir, pattern, path))
}

/// The project's settings, schema, segments and lists.
fn texts(project: &Project) -> Vec<Input> {
    let file = |name: &str, kind| {
        let (path, object) = (project.dir.join(name), None);
        Input { name: name.to_owned(), path, kind, object }
    };
    let sources = project.sources.iter().map(|(id, source)| match project.segment_files.contains(&id) {
        true => file(&source.name, InputKind::Segments),
        false if source.name == MANIFEST_FILE => file(&source.name, InputKind::Settings),
        false => file(&source.name, InputKind::Schema),
    });
    let mut inputs: Vec<Input> = sources.collect();
    let parses = crate::compile::parse(project);
    let items = parses.iter().flat_map(|parse| &parse.file.items);
    inputs.extend(items.filter_map(|item| match item {
        Item::List(list) => Some(file(&list.path.text, InputKind::List)),
        Item::Segment(_)
        | Item::Definition(_)
        | Item::Rule(_)
        | Item::Precedence(_)
        | Item::Test(_)
        | Item::Error { .. } => None,
    }));
    inputs
}

/// The paths and patterns of each source of data.
fn data_patterns(project: &Project) -> impl Iterator<Item = &Vec<String>> {
    project.manifest.iter().flat_map(|manifest| {
        let data = &manifest.data;
        let profiles = data.profiles.iter().map(|source| &source.files);
        let events = data.events.iter().map(|source| &source.files);
        let merges = data.merges.iter().map(|source| &source.files);
        let calls = data.calls.iter().map(|source| &source.files);
        profiles.chain(events).chain(merges).chain(calls)
    })
}

impl Project {
    /// Every file that the project is read from: its texts, its lists, its data and its lock,
    /// so that none of them is written over.
    ///
    /// # Errors
    /// A pattern of data that names no file.
    pub fn inputs(&self) -> Result<Vec<PathBuf>, ReadError> {
        let mut inputs: Vec<PathBuf> = input_files(self)?.into_iter().map(|input| input.path).collect();
        let elsewhere = self.manifest.as_ref().map(|manifest| manifest.data.elsewhere.clone()).unwrap_or_default();
        // Files that a store was packed of are none less; those that are gone need no care.
        let packed = data_patterns(self).filter_map(|files| seg_io::find(&self.dir, files, &elsewhere).ok()).flatten();
        inputs.extend(packed.map(|file| file.path));
        inputs.push(self.dir.join(LOCK_FILE));
        Ok(inputs)
    }
}
