//! A project: settings, schema and segments, from a directory or from strings.

use seg_data::Schema;
use seg_hir::clauses::Written;
use seg_hir::hir::Module;
use seg_hir::{Lists, Settings};
#[cfg(feature = "io")]
use seg_io::Manifest;
use seg_syntax::Parse;
use seg_syntax::ast::Item;
use seg_syntax::diag::Diagnostic;
use seg_syntax::source::{SourceId, SourceMap};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything that is compiled together.
#[derive(Debug, Clone)]
pub struct Project {
    /// Where it is; empty for a project from strings.
    pub(crate) dir: PathBuf,
    /// Its `seg.toml`, when it has one without errors.
    #[cfg(feature = "io")]
    pub(crate) manifest: Option<Manifest>,
    /// What its segments are about.
    pub(crate) schema: Arc<Schema>,
    /// Whose calendar, and when weeks begin.
    pub(crate) settings: Settings,
    /// All its texts.
    pub(crate) sources: SourceMap,
    /// The file that holds the schema.
    pub(crate) schema_file: Option<SourceId>,
    pub(crate) segment_files: Vec<SourceId>,
    /// Lists given by name rather than read from the directory.
    pub(crate) lists: HashMap<String, Vec<String>>,
    /// What is wrong with the settings, the schema and the files as such.
    pub(crate) problems: Vec<Diagnostic>,
}

/// Why a directory is not a project that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProjectError {
    /// The file or directory.
    pub path: PathBuf,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for ProjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.message)
    }
}

impl std::error::Error for ProjectError {}

impl Project {
    /// A project from strings: a schema, and named texts of segments.
    pub fn from_text<'t>(
        schema: &str,
        segments: impl IntoIterator<Item = (&'t str, &'t str)>,
        settings: Settings,
    ) -> Project {
        let mut project = Project::empty(PathBuf::new(), settings);
        project.read_schema("schema.toml", schema.to_owned());
        for (name, text) in segments {
            let id = project.sources.add(name, text);
            project.segment_files.push(id);
        }
        project
    }

    pub(crate) fn empty(dir: PathBuf, settings: Settings) -> Project {
        Project {
            dir,
            #[cfg(feature = "io")]
            manifest: None,
            schema: Arc::default(),
            settings,
            sources: SourceMap::default(),
            schema_file: None,
            segment_files: Vec::new(),
            lists: HashMap::new(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn read_schema(&mut self, name: &str, text: String) {
        let (schema, problems) = seg_data::schema::parse(&text);
        let id = self.sources.add(name, text);
        self.schema_file = Some(id);
        self.problems.extend(seg_hir::schema::diagnostics(&schema, &problems, id));
        self.schema = Arc::new(schema);
    }

    /// Gives the values of a list, under the path that its declaration names, to
    /// a project that has no directory to read it from.
    pub fn add_list(&mut self, path: impl Into<String>, values: impl IntoIterator<Item = String>) {
        self.lists.insert(path.into(), values.into_iter().collect());
    }

    /// The contents of all lists that the parsed files declare.
    pub(crate) fn lists(&self, parses: &[Parse]) -> Lists {
        let items = parses.iter().flat_map(|p| &p.file.items);
        let paths = items.filter_map(|item| match item {
            Item::List(list) => Some(list.path.text.clone()),
            _ => None,
        });
        paths.map(|path| (path.clone(), self.list(&path))).collect()
    }

    fn list(&self, path: &str) -> Result<HashSet<String>, String> {
        if let Some(values) = self.lists.get(path) {
            return Ok(values.iter().cloned().collect());
        }
        let relative = Path::new(path);
        let is_inside = relative.components().all(|c| matches!(c, std::path::Component::Normal(_)));
        if self.dir.as_os_str().is_empty() || !is_inside {
            return Err("it is not a path inside the project".to_owned());
        }
        #[cfg(feature = "io")]
        return seg_io::read_list(&self.dir.join(relative)).map(|values| values.into_iter().collect());
        #[cfg(not(feature = "io"))]
        Err("it was not given to the project".to_owned())
    }

    /// Its segments as they are written, beside what they mean.
    pub(crate) fn written<'a>(&'a self, parses: &'a [Parse], lists: &'a Lists, module: &'a Module) -> Written<'a> {
        let Project { sources, schema, settings, .. } = self;
        Written { parses, sources, schema, settings: *settings, lists, module }
    }

    /// What its segments are about.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Whose calendar is meant, and when weeks begin.
    pub fn settings(&self) -> Settings {
        self.settings
    }
}
