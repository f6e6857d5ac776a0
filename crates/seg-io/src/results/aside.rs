//! Files that are written beside those they will replace.

use crate::objects::{Address, ObjectStores};
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is complete and not yet under its name. Dropped without [`Aside::put_in_place`] it is
/// removed, so that a run that fails leaves what was there before.
#[derive(Debug)]
pub struct Aside {
    /// The file that it becomes.
    target: PathBuf,
    /// Where the bytes are until then; none for a pipe or a device, which has them already.
    beside: Option<PathBuf>,
    /// Held open and locked, so that others see that somebody is at work; see [`sweep`].
    held: Option<File>,
    /// The object that it becomes; then the bytes are beside nothing, and the target is none.
    object: Option<(ObjectStores, Address)>,
}

impl Aside {
    /// Writes beside `path`, with the permissions of the file there. A link stays a link: the
    /// file that it leads to is replaced. A pipe or a device is written to at once.
    ///
    /// # Errors
    /// What the file system says; then nothing is left beside.
    pub fn write(path: &Path, write: impl FnOnce(&File) -> std::io::Result<()>) -> std::io::Result<Aside> {
        refuse_address(path)?;
        let (target, replaced) = target(path);
        if is_stream(path, replaced.as_ref())? {
            write(&File::options().append(true).open(path)?)?;
            return Ok(Aside { target, beside: None, held: None, object: None });
        }
        let beside = beside(&target);
        let file = File::create(&beside)?;
        // From here on whatever fails removes the file.
        let mut aside = Aside { target, beside: Some(beside), held: None, object: None };
        if let Some(known) = &replaced {
            file.set_permissions(known.permissions())?;
        }
        // Where files cannot be locked nobody sweeps either.
        let is_locked = cfg!(unix) && file.try_lock().is_ok();
        write(&file)?;
        file.sync_all()?;
        aside.held = is_locked.then_some(file);
        Ok(aside)
    }

    /// Writes what becomes an object: to the folder for what nobody needs for long, until it is
    /// put in place. An object is there when all of it is.
    ///
    /// # Errors
    /// What the file system says; then nothing is left.
    pub fn write_object(
        (stores, address): (&ObjectStores, &Address),
        write: impl FnOnce(&File) -> std::io::Result<()>,
    ) -> std::io::Result<Aside> {
        let (file, beside) = tempfile::NamedTempFile::new()?.keep().map_err(|error| error.error)?;
        let object = Some((stores.clone(), address.clone()));
        let aside = Aside { target: PathBuf::new(), beside: Some(beside), held: None, object };
        write(&file)?;
        Ok(aside)
    }

    /// Closes the file, of which a process may have few open; another in its folder has to
    /// stay open, for all of a process are swept together or not at all.
    pub fn close(&mut self) {
        self.held = None;
    }

    /// Where the bytes can be read before they are in place; none for a pipe or a device.
    pub fn contents(&self) -> Option<&Path> {
        self.beside.as_deref()
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// What the file system or the store says; then what was there before is still there.
    pub fn put_in_place(mut self) -> std::io::Result<()> {
        let Some(beside) = &self.beside else { return Ok(()) };
        if let Some((stores, address)) = &self.object {
            // What is aside goes when this is dropped.
            return stores.write(address, &mut File::open(beside)?).map_err(std::io::Error::other);
        }
        std::fs::rename(beside, &self.target)?;
        self.beside = None;
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            // The error that matters was told; a file that cannot be removed is at least
            // not under the name that was asked for, and is never read as data.
            let _ = std::fs::remove_file(beside);
        }
    }
}

/// Takes away what runs that were killed left beside these files, or beside any file of the
/// folders: complete or half, it is under no name that anybody asked for. What a run that is
/// at work holds stays, and so does what cannot be taken away.
pub fn sweep<'p>(files: impl Iterator<Item = &'p Path>, folders: &[&Path]) {
    let mut wanted: HashMap<PathBuf, Option<HashSet<OsString>>> = HashMap::new();
    for path in files {
        let (target, _) = target(path);
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if let (Some(name), Some(names)) =
            (target.file_name(), wanted.entry(folder.to_owned()).or_insert_with(|| Some(HashSet::new())))
        {
            names.insert(name.to_owned());
        }
    }
    wanted.extend(folders.iter().map(|folder| (folder.to_path_buf(), None)));
    for (folder, names) in wanted {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let mut of_process: HashMap<u32, Vec<PathBuf>> = HashMap::new();
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            let Some((name, process)) = path.file_name().and_then(whose) else { continue };
            if process != std::process::id() && names.as_ref().is_none_or(|names| names.contains(&name)) {
                of_process.entry(process).or_default().push(path);
            }
        }
        for paths in of_process.into_values().filter(|paths| paths.iter().all(|path| is_left(path))) {
            // What cannot be removed is no part of what was asked for.
            paths.iter().for_each(|path| drop(std::fs::remove_file(path)));
        }
    }
}

/// The file that one beside it is to become, and the process that writes it.
fn whose(name: &OsStr) -> Option<(OsString, u32)> {
    let (target, process) = name.to_str()?.strip_suffix(".partial")?.rsplit_once('.')?;
    Some((target.into(), process.parse().ok()?))
}

/// Whether nobody is at work on a file; of one that is still empty that is not known.
fn is_left(path: &Path) -> bool {
    let is_file = std::fs::symlink_metadata(path).is_ok_and(|known| known.is_file() && known.len() > 0);
    cfg!(unix) && is_file && File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

/// Tries whether a file could be written there, and leaves nothing. A pipe or a device is not
/// tried: that could wait for whoever reads it.
///
/// # Errors
/// What the file system says.
pub fn try_place(path: &Path) -> std::io::Result<()> {
    refuse_address(path)?;
    let (target, replaced) = target(path);
    if is_stream(path, replaced.as_ref())? {
        return Ok(());
    }
    if replaced.is_some_and(|known| known.is_dir()) {
        return Err(std::io::Error::new(std::io::ErrorKind::IsADirectory, "this is a folder"));
    }
    let beside = beside(&target);
    File::create(&beside)?;
    std::fs::remove_file(&beside)
}

/// Writes a text as a whole or not at all.
///
/// # Errors
/// What the file system says.
pub fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    Aside::write(path, |mut file| file.write_all(text.as_bytes()))?.put_in_place()
}

/// An address is no path: a folder of its name would be no store.
fn refuse_address(path: &Path) -> std::io::Result<()> {
    match path.to_str().is_some_and(Address::is_meant) {
        true => Err(std::io::Error::other("this is written to files alone; name a path, and copy the file")),
        false => Ok(()),
    }
}

/// The file that a path leads to, and what is there.
fn target(path: &Path) -> (PathBuf, Option<Metadata>) {
    (path.canonicalize().unwrap_or_else(|_| path.to_owned()), std::fs::metadata(path).ok())
}

/// Whether bytes go through it rather than stay.
///
/// # Errors
/// A name of the system for a file, such as `/dev/stdout` where that goes to one: it is not
/// ours to replace, and whoever else writes there would write over what is written.
fn is_stream(path: &Path, known: Option<&Metadata>) -> std::io::Result<bool> {
    let is_device = path.starts_with("/dev") && !path.starts_with("/dev/shm");
    match known {
        Some(known) if is_device && known.is_file() => {
            Err(std::io::Error::other("this stands for a file; name the file itself"))
        }
        Some(known) => Ok(!known.is_file() && !known.is_dir()),
        None => Ok(false),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.partial", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let files = std::fs::read_dir(dir).expect("list").map(|file| file.expect("a file").file_name());
        let mut names: Vec<String> = files.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.txt");
        std::fs::write(&path, "before").expect("written");
        let failed = Aside::write(&path, |mut file| {
            file.write_all(b"half")?;
            Err(std::io::Error::other("no more room"))
        });
        assert!(failed.is_err());
        assert_eq!(
            (names(dir.path()), std::fs::read_to_string(&path).expect("read")),
            (vec!["a.txt".into()], "before".into())
        );
        let aside = Aside::write(&path, |mut file| file.write_all(b"after")).expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "before");
        assert_eq!(std::fs::read_to_string(aside.contents().expect("a file")).expect("read"), "after");
        drop(aside);
        assert_eq!(names(dir.path()), ["a.txt"]);
        write_whole(&path, "after").expect("written");
        assert_eq!(
            (names(dir.path()), std::fs::read_to_string(&path).expect("read")),
            (vec!["a.txt".into()], "after".into())
        );
    }

    #[test]
    fn places_are_tried_without_a_trace() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(try_place(&dir.path().join("a.txt")).is_ok());
        assert!(try_place(dir.path()).is_err());
        assert!(try_place(&dir.path().join("no/such/a.txt")).is_err());
        assert_eq!(names(dir.path()), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn what_killed_runs_left_is_swept() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        let write = |name: &str| std::fs::write(path(name), "half").expect("written");
        // No process has such a number, so that these were left.
        for name in ["m.csv.4294967295.partial", "w.csv.4294967295.partial", "m.csv.partial", "m.csv.x.partial"] {
            write(name);
        }
        std::fs::write(path("m.csv.4294967294.partial"), "").expect("written");
        write("m.csv.4294967293.partial");
        let held = File::open(path("m.csv.4294967293.partial")).expect("open");
        held.lock().expect("locked");
        sweep([path("m.csv").as_path()].into_iter(), &[]);
        let kept = [
            "m.csv.4294967293.partial",
            "m.csv.4294967294.partial",
            "m.csv.partial",
            "m.csv.x.partial",
            "w.csv.4294967295.partial",
        ];
        assert_eq!(names(dir.path()), kept);
        // Of one process all stay while one of its files is held.
        write("v.csv.4294967293.partial");
        sweep(std::iter::empty(), &[dir.path()]);
        let kept = ["m.csv.4294967293.partial", "m.csv.4294967294.partial", "m.csv.partial", "m.csv.x.partial"];
        assert_eq!(names(dir.path()), [kept.as_slice(), &["v.csv.4294967293.partial"]].concat());
        drop(held);
        sweep(std::iter::empty(), &[dir.path()]);
        assert_eq!(names(dir.path()), ["m.csv.4294967294.partial", "m.csv.partial", "m.csv.x.partial"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, link) = (dir.path().join("a.txt"), dir.path().join("link.txt"));
        std::fs::write(&path, "before").expect("written");
        std::os::unix::fs::symlink("a.txt", &link).expect("a link");
        write_whole(&link, "after").expect("written");
        assert!(std::fs::symlink_metadata(&link).expect("a link").is_symlink());
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "after");
    }
}
