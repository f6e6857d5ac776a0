//! A project: settings, schema and segments, from a directory or from strings.

use seg_data::Schema;
use seg_hir::{Lists, Settings};
use seg_io::Manifest;
use seg_io::manifest::{self, MANIFEST_FILE};
use seg_syntax::Parse;
use seg_syntax::ast::Item;
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::{SourceId, SourceMap, Span};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything that is compiled together.
#[derive(Debug, Clone)]
pub struct Project {
    /// Where it is; empty for a project from strings.
    pub dir: PathBuf,
    /// Its `seg.toml`, when it has one without errors.
    pub manifest: Option<Manifest>,
    /// What its segments are about.
    pub schema: Arc<Schema>,
    /// Whose calendar, and when weeks begin.
    pub settings: Settings,
    /// All its texts.
    pub sources: SourceMap,
    pub(crate) segment_files: Vec<SourceId>,
    /// Lists given by name rather than read from the directory.
    lists: HashMap<String, Vec<String>>,
    /// What is wrong with the settings, the schema and the files as such.
    pub(crate) problems: Vec<Diagnostic>,
}

/// Why a directory is not a project that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// Reads the project in `dir`: its `seg.toml`, its schema and all `.seg`
    /// files below it. Problems inside the files are found by
    /// [`crate::compile`].
    ///
    /// # Errors
    /// When there is no `seg.toml` or no schema, or a file cannot be read.
    pub fn load(dir: &Path) -> Result<Project, ProjectError> {
        let manifest_path = dir.join(MANIFEST_FILE);
        if !manifest_path.is_file() {
            let message = match dir.is_dir() {
                true => format!("there is no {MANIFEST_FILE} here; `seg init` makes one"),
                false if dir.is_file() => {
                    format!("this is a file; a project is the directory that holds its {MANIFEST_FILE}")
                }
                false => "there is no such directory".to_owned(),
            };
            return Err(ProjectError { path: dir.to_owned(), message });
        }
        let mut project = Project::empty(dir.to_owned(), Settings::default());
        let text = project.read_text(&manifest_path)?;
        let id = project.sources.add(MANIFEST_FILE, text.clone());
        let mut schema_file = "schema.toml".to_owned();
        match manifest::parse(&text) {
            Ok(manifest) => {
                project.settings = Settings { zone: manifest.zone, week_start: manifest.week_start };
                schema_file.clone_from(&manifest.schema);
                project.manifest = Some(manifest);
            }
            Err(problems) => {
                for problem in problems {
                    let span = Span::new(id, problem.at.start as u32, problem.at.end as u32);
                    let mut diagnostic = Diagnostic::new(Code::ProjectFile, span, problem.message).label("here");
                    diagnostic.helps.extend(problem.help);
                    project.problems.push(diagnostic);
                }
            }
        }
        let schema = project.read_text(&dir.join(&schema_file))?;
        project.read_schema(&schema_file, schema);
        for path in segment_files(dir)? {
            let name = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy().into_owned();
            let bytes = read(&path)?;
            project.add_segments(name, bytes);
        }
        Ok(project)
    }

    fn empty(dir: PathBuf, settings: Settings) -> Project {
        Project {
            dir,
            manifest: None,
            schema: Arc::default(),
            settings,
            sources: SourceMap::default(),
            segment_files: Vec::new(),
            lists: HashMap::new(),
            problems: Vec::new(),
        }
    }

    fn read_schema(&mut self, name: &str, text: String) {
        let (schema, problems) = seg_data::schema::parse(&text);
        let id = self.sources.add(name, text);
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
        seg_io::read_list(&self.dir.join(relative)).map(|values| values.into_iter().collect())
    }

    /// The files that hold segments.
    pub fn segment_files(&self) -> &[SourceId] {
        &self.segment_files
    }

    fn read_text(&self, path: &Path) -> Result<String, ProjectError> {
        String::from_utf8(read(path)?)
            .map_err(|_| ProjectError { path: path.to_owned(), message: "this file is not UTF-8 text".to_owned() })
    }

    /// A `.seg` file that is not UTF-8 is a problem of that file alone.
    fn add_segments(&mut self, name: String, bytes: Vec<u8>) {
        match String::from_utf8(bytes) {
            Ok(text) => {
                let id = self.sources.add(name, text);
                self.segment_files.push(id);
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let id = self.sources.add(name, text);
                self.problems.push(
                    Diagnostic::new(
                        Code::InvalidUtf8,
                        Span::new(id, at as u32, at as u32 + 3),
                        "this file is not UTF-8 text",
                    )
                    .label("the first character that cannot be read")
                    .help("save the file with the encoding UTF-8"),
                );
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ProjectError> {
    std::fs::read(path).map_err(|error| {
        let message = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            std::io::ErrorKind::PermissionDenied => "this file may not be read".to_owned(),
            _ => error.to_string(),
        };
        ProjectError { path: path.to_owned(), message }
    })
}

/// All `.seg` files below a directory, sorted by path; hidden directories and
/// links are passed over.
fn segment_files(dir: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    let mut files = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        let unreadable = |error: std::io::Error| ProjectError { path: dir.clone(), message: error.to_string() };
        for entry in std::fs::read_dir(&dir).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            let path = entry.path();
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            if kind.is_dir() && !is_hidden {
                open.push(path);
            } else if !kind.is_dir() && path.extension().is_some_and(|e| e == "seg") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
