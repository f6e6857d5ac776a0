//! A folder with a file for each segment, before it is written.

use crate::exit::Failure;
use seg::unstable::io::MembersFormat;
use seg::unstable::io::results::{FolderFile, FolderIndex, INDEX_FILE, file_stem};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The files of a folder, by the segments of a project.
pub struct Folder {
    pub path: PathBuf,
    pub format: MembersFormat,
    /// The name of each segment's file, in the order of the project.
    pub files: Vec<String>,
    /// What an earlier run wrote there, of segments that are no longer run or in another
    /// format: it would be taken for members of now.
    pub outdated: Vec<FolderFile>,
}

impl Folder {
    /// Names a file for each segment.
    ///
    /// # Errors
    /// Segments that would have one file, or of whose names no file's can be made; files that
    /// are there and that no earlier run wrote.
    pub fn new(path: &Path, format: MembersFormat, segments: &[&str]) -> Result<Folder, Failure> {
        let mut files = Vec::with_capacity(segments.len());
        // Some file systems do not tell capital letters from small ones.
        let mut known: HashMap<String, &str> = HashMap::new();
        for segment in segments {
            let stem = file_stem(segment).ok_or_else(|| {
                Failure::usage(format!(
                    "no file can be named after \"{segment}\", which has neither a letter nor a digit; nothing was run"
                ))
            })?;
            if let Some(other) = known.insert(stem.to_lowercase(), segment) {
                return Err(Failure::usage(format!(
                    "\"{other}\" and \"{segment}\" would both be in `{stem}.{}`; give one of them another name, or write \
                     `--layout long`; nothing was run",
                    format.ending()
                )));
            }
            files.push(format!("{stem}.{}", format.ending()));
        }
        let before = FolderIndex::read(path).map_err(|error| Failure::new(format!("{error}; nothing was run")))?;
        let before = before.map_or_else(Vec::new, |index| index.files);
        let is_ours = |file: &str| before.iter().any(|known| known.file == file);
        if let Some(file) = files.iter().find(|file| path.join(file).exists() && !is_ours(file)) {
            return Err(Failure::usage(format!(
                "{}: this file is there, and no earlier run wrote it (`{INDEX_FILE}` does not name it); take it away or \
                 name another folder; nothing was run",
                path.join(file).display()
            )));
        }
        let outdated = before.into_iter().filter(|known| !files.contains(&known.file)).collect();
        Ok(Folder { path: path.to_owned(), format, files, outdated })
    }

    /// Every path that is written or taken away.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        let outdated = self.outdated.iter().map(|file| self.path.join(&file.file));
        let files = self.files.iter().map(|file| self.path.join(file));
        files.chain(outdated).chain([self.path.join(INDEX_FILE)])
    }
}
