//! Results are written aside, all of them, and then put in place.

use super::folder::Folder;
use super::manifest::Run;
use super::paths::address;
use super::{Members, Results, Table, no_precedence};
use crate::exit::Failure;
use crate::output::counted;
use seg::Mask;
use seg::unstable::io::objects::ObjectStores;
use seg::unstable::io::results::{
    Aside, Changes, Chunks, FolderFile, FolderIndex, INDEX_FILE, Members as Tables, OutputFile, PartitionMembers,
    Table as Columns, attribute_columns, file_digest, sweep, write_table,
};
use seg::unstable::io::{MembersFormat, Sizes};
use seg::unstable::winners;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// What was written.
#[derive(Default)]
pub struct Written {
    pub files: Vec<OutputFile>,
    /// What happened since an earlier result.
    pub changes: Option<Changes>,
    /// Files of segments that are no longer run, which were taken away.
    pub removed: Vec<FolderFile>,
}

/// Writes all that a run was asked for.
///
/// # Errors
/// What cannot be written; then what was there before is still there.
pub fn write(results: &Results<'_>, run: Run<'_>) -> Result<Written, Failure> {
    let internal = |error| Failure::new(format!("the columns cannot be written: {error}; nothing was written"));
    let columns = attribute_columns(&run.loaded.people, &results.columns, run.now).map_err(internal)?;
    let segments: Vec<(&str, &Mask)> = run.program.segment_names().zip(run.masks).collect();
    let tables =
        Tables { batch: &run.loaded.people, now: run.now, segments: &segments, columns: &columns, stays: run.stays };
    let asked = &results.asked;
    sweep_before(results);
    let (is_told, objects) = (asked.manifest.is_some(), results.objects.as_ref());
    let mut staged = Staged { files: Vec::new(), new_folder: None, is_told, objects };
    match asked.members {
        Some(Members::Long(table)) => staged.table(table, "members", tables.long())?,
        Some(Members::Wide(table)) => staged.table(table, "members", tables.wide())?,
        Some(Members::Files(_)) | None => {}
    }
    if let Some(folder) = &results.folder {
        staged.folder(folder, tables)?;
    }
    if let Some(table) = asked.winners {
        let winners = winners(run.program, run.masks).ok_or_else(no_precedence)?;
        staged.table(table, "winners", tables.winners(&winners))?;
    }
    let changes = results.previous.as_ref().map(|previous| Changes::between(previous, &tables));
    if let (Some(table), Some(changes)) = (asked.changes, &changes) {
        staged.table(table, "changes", tables.changes(changes, asked.with_stayed))?;
    }
    if let Some(path) = asked.record {
        let sizes = segments.iter().map(|(name, mask)| ((*name).to_owned(), mask.count() as u64)).collect();
        let text = serde_json::to_string_pretty(&Sizes { at: run.now.to_string(), sizes }).map_err(Failure::new)?;
        staged.text(path, "record", &text)?;
    }
    if let (Some(path), Some((rows, found))) = (asked.partition, run.partition.and_then(|p| p.found.as_ref())) {
        let members = PartitionMembers {
            batch: &run.loaded.people,
            rows,
            columns: &results.columns,
            masks: run.masks,
            stays: run.stays,
        };
        staged.add(path, "partition", None, |file| {
            members.write(file, found)?;
            Ok(Some(rows.len() as u64))
        })?;
    }
    if let Some(path) = asked.manifest {
        let files = staged.files.iter().map(|(_, file)| file.clone()).collect();
        let text = serde_json::to_string_pretty(&run.manifest(results, files)).map_err(Failure::new)?;
        staged.text(path, "manifest", &text)?;
    }
    let files = staged.put_in_place()?;
    let removed = results.folder.as_ref().map_or(Ok(Vec::new()), remove_outdated)?;
    Ok(Written { files, changes, removed })
}

/// Takes away what runs that were killed left where this one writes.
fn sweep_before(results: &Results<'_>) {
    let asked = &results.asked;
    let members = asked.members.and_then(|members| match members {
        Members::Long(table) | Members::Wide(table) => Some(table.path),
        Members::Files(_) => None,
    });
    let tables = [asked.winners, asked.changes].map(|table| table.map(|table| table.path));
    let files = [members, asked.record, asked.manifest, asked.partition].into_iter().chain(tables).flatten();
    let folder = results.folder.as_ref().map(|folder| folder.path.as_path());
    sweep(files, folder.as_slice());
}

/// What is complete and not yet in place.
struct Staged<'r> {
    files: Vec<(Aside, OutputFile)>,
    /// A folder that was not there before.
    new_folder: Option<std::path::PathBuf>,
    /// Whether a manifest tells of what is in each file.
    is_told: bool,
    /// Where what has an address goes.
    objects: Option<&'r ObjectStores>,
}

impl Staged<'_> {
    fn table(&mut self, to: Table<'_>, kind: &str, table: (Columns, Chunks<'_>)) -> Result<(), Failure> {
        self.rows(to.path, to.format, kind, None, table).map(|_| ())
    }

    fn rows(
        &mut self,
        path: &Path,
        format: MembersFormat,
        kind: &str,
        segment: Option<&str>,
        (columns, chunks): (Columns, Chunks<'_>),
    ) -> Result<u64, Failure> {
        let mut n_rows = 0;
        self.add(path, kind, segment, |file| {
            n_rows = write_table(file, format, &columns, chunks)?;
            Ok(Some(n_rows))
        })?;
        Ok(n_rows)
    }

    fn text(&mut self, path: &Path, kind: &str, text: &str) -> Result<(), Failure> {
        self.add(path, kind, None, |mut file| file.write_all(format!("{text}\n").as_bytes()).map(|()| None))
    }

    fn add(
        &mut self,
        path: &Path,
        kind: &str,
        segment: Option<&str>,
        write: impl FnOnce(&File) -> std::io::Result<Option<u64>>,
    ) -> Result<(), Failure> {
        let failed = |error: std::io::Error| failed_of(path, kind)(error.to_string());
        let mut rows = None;
        let write = |file: &File| -> std::io::Result<()> {
            rows = write(file)?;
            Ok(())
        };
        let aside = match (address(path).map_err(failed_of(path, kind))?, self.objects) {
            (Some(address), Some(objects)) => Aside::write_object((objects, &address), write),
            (Some(_) | None, _) => Aside::write(path, write),
        };
        let aside = aside.map_err(failed)?;
        let digest = aside.contents().filter(|_| self.is_told).map(file_digest).transpose().map_err(failed)?;
        let (bytes, sha256) = digest.map(|digest| (digest.bytes, digest.sha256)).unzip();
        let (file, kind, segment) = (path.display().to_string(), kind.to_owned(), segment.map(str::to_owned));
        self.files.push((aside, OutputFile { file, kind, segment, rows, bytes, sha256 }));
        Ok(())
    }

    /// A file for each segment, then the index of them.
    fn folder(&mut self, folder: &Folder, tables: Tables<'_>) -> Result<(), Failure> {
        if !folder.path.is_dir() {
            let failed =
                |error| Failure::new(format!("{}: {error}; the members were not written", folder.path.display()));
            std::fs::create_dir(&folder.path).map_err(failed)?;
            self.new_folder = Some(folder.path.clone());
        }
        let mut files = Vec::with_capacity(folder.files.len());
        for (at, (file, (segment, _))) in folder.files.iter().zip(tables.segments).enumerate() {
            let (path, rows) = (folder.path.join(file), tables.of_segment(at));
            let members = self.rows(&path, folder.format, "members", Some(segment), rows)?;
            // There may be more of them than a process may have files open.
            if let Some((aside, _)) = self.files.last_mut().filter(|_| at > 0) {
                aside.close();
            }
            files.push(FolderFile { segment: (*segment).to_owned(), file: file.clone(), members });
        }
        let index = FolderIndex::new(tables.now.to_string(), files);
        let text = serde_json::to_string_pretty(&index).map_err(Failure::new)?;
        self.text(&folder.path.join(INDEX_FILE), "index", &text)
    }

    fn put_in_place(mut self) -> Result<Vec<OutputFile>, Failure> {
        let mut files = Vec::with_capacity(self.files.len());
        for (aside, file) in std::mem::take(&mut self.files) {
            let failed = |error| {
                let others = match files.len() {
                    0 => String::new(),
                    n => format!("; {} written before it", counted(n, "file")),
                };
                Failure::new(format!("{}: {error}; it is as it was before{others}", file.file))
            };
            aside.put_in_place().map_err(failed)?;
            files.push(file);
        }
        self.new_folder = None;
        Ok(files)
    }
}

/// What cannot be written, and why.
fn failed_of(path: &Path, kind: &str) -> impl Fn(String) -> Failure {
    move |error| Failure::new(format!("{}: {error}; the {kind} were not written", path.display()))
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        // What is aside goes before the folder that it is in.
        self.files.clear();
        if let Some(folder) = &self.new_folder {
            // Whatever is in it by now is not ours to take away.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Takes away what would be taken for members of now.
fn remove_outdated(folder: &Folder) -> Result<Vec<FolderFile>, Failure> {
    let mut removed = Vec::new();
    for file in &folder.outdated {
        let path = folder.path.join(&file.file);
        match std::fs::remove_file(&path) {
            Ok(()) => removed.push(file.clone()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let message = "it is of an earlier run and cannot be taken away";
                return Err(Failure::new(format!("{}: {error}; {message}", path.display())));
            }
        }
    }
    Ok(removed)
}
