//! Standard input as data.

use crate::exit::Failure;
use seg::Project;
use seg::unstable::io::DataFile;
use seg::unstable::{parts, set_standard_input};
use std::fs::File;
use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};

/// What came through the standard input, which lasts as long as this: some data is read several
/// times, and of some only parts are.
pub struct Kept {
    pub data: DataFile,
    _copy: Copy,
}

struct Copy {
    /// Open for as long as it is read, since it may have no name any more.
    file: File,
    /// What has to be removed.
    named: Option<PathBuf>,
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Some(path) = &self.named {
            // What cannot be removed is in the folder for what nobody needs for long.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Keeps what comes through the standard input, unless a packed store is read in the place of
/// the files.
///
/// # Errors
/// See [`take_to_pack`].
pub fn take(project: &mut Project) -> Result<Option<Kept>, Failure> {
    let is_packed = parts(project).manifest.is_some_and(|manifest| manifest.data.store.is_some());
    if is_packed { Ok(None) } else { take_to_pack(project) }
}

/// Keeps what comes through the standard input for a project of which some files are `-`; it
/// has to outlive whatever reads the project's data.
///
/// # Errors
/// A terminal, a copy that cannot be written, and what is packed and damaged.
pub fn take_to_pack(project: &mut Project) -> Result<Option<Kept>, Failure> {
    if !parts(project).manifest.is_some_and(|manifest| manifest.data.reads_standard_input()) {
        return Ok(None);
    }
    let kept = keep()?;
    set_standard_input(project, kept.data.clone());
    Ok(Some(kept))
}

/// Copies the standard input to its end.
///
/// # Errors
/// See [`take`].
pub fn keep() -> Result<Kept, Failure> {
    let input = stdin();
    if input.is_terminal() {
        let example = "for example `zcat events.csv.gz | seg run`";
        return Err(Failure::usage(format!("standard input is a terminal; send the data through a pipe, {example}")));
    }
    let failed = |error: std::io::Error| Failure::new(format!("standard input cannot be copied: {error}"));
    let path = std::env::temp_dir().join(format!("seg-input-{}", std::process::id()));
    // From here on whatever fails removes the copy.
    let mut copy = Copy { file: create(&path).map_err(failed)?, named: Some(path.clone()) };
    let nameless = nameless(&copy.file);
    if nameless.is_some() && std::fs::remove_file(&path).is_ok() {
        // A run that is killed leaves nothing behind.
        copy.named = None;
    }
    std::io::copy(&mut input.lock(), &mut &copy.file).map_err(failed)?;
    let data = DataFile::of_standard_input(nameless.unwrap_or(path)).map_err(Failure::new)?;
    Ok(Kept { data, _copy: copy })
}

/// A new file that nobody else can read.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // What a process of the same number left is not of now.
    options.open(path).or_else(|_| {
        std::fs::remove_file(path)?;
        options.open(path)
    })
}

/// How an open file is opened again that has no name, where that can be done.
fn nameless(file: &File) -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        path.exists().then_some(path)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        None
    }
}
