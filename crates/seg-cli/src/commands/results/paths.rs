//! Paths of results, compared with those that the project is read from.

use super::folder::Folder;
use super::{Asked, Members};
use crate::exit::Failure;
use seg::Project;
use seg::unstable::io::objects::Address;
use seg::unstable::io::results::{FolderIndex, INDEX_FILE, try_place};
use seg::unstable::{parts, pattern_of};
use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What is written must be no file that the project is read from or would be the next time,
/// not one file twice, and somewhere where it can be.
///
/// # Errors
/// The first that is not so.
pub fn refuse(project: &Project, asked: &Asked<'_>, folder: Option<&Folder>) -> Result<(), Failure> {
    let members = asked.members.and_then(|members| match members {
        Members::Long(table) | Members::Wide(table) => Some(table.path),
        Members::Files(_) => None,
    });
    let others = [asked.winners.map(|table| table.path), asked.changes.map(|table| table.path), asked.record];
    let others = others.into_iter().chain([asked.manifest, asked.partition]).flatten();
    let outputs: Vec<PathBuf> = members.into_iter().chain(others.clone()).map(Path::to_owned).collect();
    let tried = outputs.clone();
    let outputs: Vec<PathBuf> = outputs.into_iter().chain(folder.into_iter().flat_map(Folder::paths)).collect();
    if outputs.is_empty() {
        return Ok(());
    }
    let usage = |path: &Path, why: &str| Err(Failure::usage(format!("{}: {why}; nothing was run", path.display())));
    let mut known = HashSet::new();
    for path in &outputs {
        if !known.insert(whole(path)) {
            return usage(path, "two outputs cannot be one file");
        }
    }
    // What cannot be found is told of when it is read.
    let inputs: HashSet<PathBuf> = project.inputs().unwrap_or_default().iter().map(|input| whole(input)).collect();
    for path in &outputs {
        if inputs.contains(&whole(path)) {
            return usage(path, "the project is read from this file");
        }
        if let Some(pattern) = pattern_of(project, path) {
            let why = format!("the next run would read this file as data, by `{pattern}` in seg.toml; name another");
            return usage(path, &why);
        }
    }
    // Members may take the place of those that they are compared with: these are read before.
    let before = asked.previous.map(read_from).unwrap_or_default();
    let before: HashSet<PathBuf> = before.iter().map(|path| whole(path)).collect();
    if let Some(path) = others.into_iter().find(|path| before.contains(&whole(path))) {
        return usage(path, "changes are told since this result, and members alone may take its place");
    }
    if let Some((verified, _)) = &asked.verified
        && let Some(path) = outputs.iter().find(|path| whole(path) == whole(verified))
    {
        return usage(path, "the result is compared with this manifest");
    }
    for path in &tried {
        match address(path).map_err(|why| Failure::usage(format!("{}: {why}; nothing was run", path.display())))? {
            Some(address) => refuse_without_stores(project, &address)?,
            None => try_path(path)?,
        }
    }
    folder.map_or(Ok(()), |folder| match folder.path.is_dir() {
        true => folder.paths().last().map_or(Ok(()), |index| try_path(&index)),
        false => try_path(&folder.path),
    })
}

/// The address that a path is, where it is one, of a single object.
///
/// # Errors
/// What is wrong with it.
pub fn address(path: &Path) -> Result<Option<Address>, String> {
    let Some(text) = path.to_str().filter(|text| Address::is_meant(text)) else { return Ok(None) };
    let address = Address::parse(text)?;
    match address.key.is_empty() {
        true => Err(format!("it names no object; write `{address}/FILE`")),
        false => Ok(Some(address)),
    }
}

/// Refuses addresses where what is asked for is read as well as written, or is many files.
///
/// # Errors
/// The first such address.
pub fn refuse_addresses(paths: &[(&str, Option<&Path>)]) -> Result<(), Failure> {
    let is_address = |path: &&Path| path.to_str().is_some_and(Address::is_meant);
    let found = paths.iter().find_map(|(what, path)| Some((what, path.filter(is_address)?)));
    found.map_or(Ok(()), |(what, path)| {
        let why = "is for files of this machine alone";
        Err(Failure::usage(format!("{}: `{what}` {why}; nothing was run", path.display())))
    })
}

/// Whether a store would take it is not asked before: whoever may write there may not be allowed to look.
fn refuse_without_stores(project: &Project, address: &Address) -> Result<(), Failure> {
    let objects = parts(project).manifest.and_then(|manifest| manifest.data.elsewhere.objects.as_ref());
    let why = "this `seg` was built without object stores (the feature `objects`)";
    objects.map(drop).ok_or_else(|| Failure::new(format!("{address}: {why}; nothing was run")))
}

/// The files that an earlier result is in: one, or the index of a folder and what it names.
pub fn read_from(previous: &Path) -> Vec<PathBuf> {
    if !previous.is_dir() {
        return vec![previous.to_owned()];
    }
    let index = FolderIndex::read(previous).ok().flatten();
    let files = index.into_iter().flat_map(|index| index.files);
    [previous.join(INDEX_FILE)].into_iter().chain(files.map(|file| previous.join(file.file))).collect()
}

fn try_path(path: &Path) -> Result<(), Failure> {
    try_place(path).map_err(|error| Failure::new(format!("{}: {}; nothing was run", path.display(), unwritten(&error))))
}

/// Why a file cannot be written, in words.
pub fn unwritten(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such folder to write it in".to_owned(),
        ErrorKind::PermissionDenied => "it may not be written there".to_owned(),
        ErrorKind::IsADirectory => "this is a folder, and a file is written".to_owned(),
        _ => error.to_string(),
    }
}

/// The same file has one name here, also before it is there.
fn whole(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let whole = || Some(folder.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(whole).unwrap_or_else(|| path.to_owned())
}
