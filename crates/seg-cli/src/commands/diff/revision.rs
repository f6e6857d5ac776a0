//! Versions of a project: folders, and revisions of git written into folders.

use crate::exit::Failure;
use seg::Project;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A version of a project as a folder, which lasts as long as this.
pub struct Version {
    /// As the arguments call it.
    pub name: String,
    pub dir: PathBuf,
    /// What was written for it, and goes away with it.
    written: Option<TempDir>,
}

impl Version {
    /// The version that an argument names: a folder, or else a revision of the repository in
    /// which `beside` lies, of which the project in the same place is taken.
    ///
    /// # Errors
    /// A name that is neither, a revision without such a project, and a missing `git`.
    pub fn find(name: &str, beside: &Path) -> Result<Version, Failure> {
        let folder = Path::new(name);
        if folder.is_dir() {
            return Ok(Version { name: name.to_owned(), dir: folder.to_owned(), written: None });
        }
        let written = write(name, beside)?;
        Ok(Version { name: name.to_owned(), dir: written.path().join(TREE), written: Some(written) })
    }
}

impl Version {
    /// The project in it.
    ///
    /// # Errors
    /// That there is none, or that it cannot be read; in terms of the revision where it is one.
    pub fn load(&self) -> Result<Project, Failure> {
        Project::load(&self.dir).map_err(|error| match &self.written {
            None => Failure::new(error),
            Some(_) => {
                let file = error.path.strip_prefix(&self.dir).ok().filter(|path| !path.as_os_str().is_empty());
                let file = file.map_or(String::new(), |file| format!("{}: ", file.display()));
                Failure::new(format!("the revision `{}`: {file}{}", self.name.escape_debug(), error.message))
            }
        })
    }
}

/// Where the files of a revision are written, beside git's list of them.
const TREE: &str = "tree";
const INDEX: &str = "index";

/// Writes the files of a revision below the folder `beside` into a new folder. The
/// repository stays as it is: git's list of the files is made beside them.
fn write(revision: &str, beside: &Path) -> Result<TempDir, Failure> {
    let git = Git { revision, dir: beside, index: None };
    let neither = || {
        let (revision, dir) = (revision.escape_debug(), beside.display());
        Failure::usage(format!("`{revision}` is no folder, and {dir} is not in a git repository that could have it"))
    };
    let top = git.ask(&["rev-parse", "--show-toplevel"])?.ok_or_else(neither)?;
    let place = git.ask(&["rev-parse", "--show-prefix"])?.ok_or_else(neither)?;
    let commit = format!("{revision}^{{commit}}");
    let commit = git.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
    let commit = commit.ok_or_else(|| {
        let revision = revision.escape_debug();
        Failure::usage(format!("`{revision}` is neither a folder nor a revision of the repository in {top}"))
    })?;
    let place = place.trim_end_matches('/');
    let written = tempfile::Builder::new().prefix("seg-diff-").tempdir().map_err(|error| {
        Failure::new(format!("no folder can be made for the files of `{}`: {error}", revision.escape_debug()))
    })?;
    let index = written.path().join(INDEX);
    let git = Git { revision, dir: Path::new(&top), index: Some(&index) };
    let no_project = || {
        let revision = revision.escape_debug();
        Failure::usage(format!("the revision `{revision}` has no folder `{place}`; name a folder, or another revision"))
    };
    // A revision may be of no file at all.
    std::fs::create_dir(written.path().join(TREE)).map_err(Failure::new)?;
    git.ask(&["read-tree", &format!("{commit}:{place}")])?.ok_or_else(no_project)?;
    // The end of the prefix is the folder's.
    let prefix = format!("--prefix={}/", written.path().join(TREE).display());
    let failed = || Failure::new(format!("git cannot write the files of `{}`", revision.escape_debug()));
    git.ask(&["checkout-index", "--all", "--force", "--quiet", &prefix])?.ok_or_else(failed)?;
    Ok(written)
}

/// Calls of git for a revision.
struct Git<'a> {
    revision: &'a str,
    /// Where it is called.
    dir: &'a Path,
    /// The list of files that it works with, where that is not the repository's.
    index: Option<&'a Path>,
}

impl Git<'_> {
    /// What git says, without the end of the line; none where it refuses.
    fn ask(&self, args: &[&str]) -> Result<Option<String>, Failure> {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.dir).args(args);
        // Within a hook git names the repository that it works on, relative to another folder.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(name);
        }
        if let Some(index) = self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        let output = command.output().map_err(|error| {
            let revision = self.revision.escape_debug();
            match error.kind() {
                ErrorKind::NotFound => Failure::usage(format!(
                    "`{revision}` is no folder, and the program `git`, which would know a revision of that name, is not installed"
                )),
                _ => Failure::new(format!("the program `git` cannot be run for `{revision}`: {error}")),
            }
        })?;
        let said = String::from_utf8_lossy(&output.stdout).trim_end_matches(['\n', '\r']).to_owned();
        Ok(output.status.success().then_some(said))
    }
}
