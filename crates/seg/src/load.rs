//! Projects from directories.

use crate::project::{Project, ProjectError};
use seg_hir::Settings;
use seg_io::manifest::{self, MANIFEST_FILE};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;
use std::path::{Path, PathBuf};

impl Project {
    /// Reads the project in `dir`: its `seg.toml`, its schema and all `.seg`
    /// files below it. Problems inside the files are found by
    /// [`crate::compile`].
    ///
    /// # Errors
    /// When there is no `seg.toml` or no schema, or a file cannot be read.
    pub fn load(dir: impl AsRef<Path>) -> Result<Project, ProjectError> {
        let dir = dir.as_ref();
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
