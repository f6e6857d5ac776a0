//! Members that an earlier run wrote, read again.

mod rows;

use super::folder::{FolderIndex, INDEX_FILE};
use super::{CHANGE_COLUMN, SEGMENT_COLUMN};
use crate::report::ReadError;
use rows::{Cell, RowSink, read_rows};
use seg_data::batch::ID_COLUMN;
use std::collections::HashMap;
use std::path::Path;

/// Who was in which segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Previous {
    /// Each segment once.
    pub segments: Vec<PreviousSegment>,
    /// Whether a segment without members is among them, which a table with a row a member
    /// cannot tell.
    pub has_empty_segments: bool,
}

/// Who was in one segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PreviousSegment {
    /// Its name.
    pub name: String,
    /// The ids of its members, as they are written.
    pub ids: Vec<String>,
}

/// The names that tell the columns of a wide table apart.
#[derive(Debug, Clone, Copy)]
pub struct KnownNames<'a> {
    /// Those of the segments of now.
    pub segments: &'a [&'a str],
    /// Those of the attributes of now.
    pub attributes: &'a [&'a str],
}

/// Reads members back, from a file in any layout and format in which they are written or
/// from a folder with a file for each segment.
///
/// # Errors
/// A path that is not there or cannot be read, a file that is damaged, cut off or holds
/// something else than members, and a folder whose files are not all of one run: with the
/// file, and the line where there is one.
pub fn read_previous(path: &Path, known: KnownNames<'_>) -> Result<Previous, ReadError> {
    if path.is_dir() {
        return read_folder(path);
    }
    let mut sink = Sink { known, previous: Previous::default(), places: HashMap::new(), shape: Shape::Unknown };
    read_rows(path, &mut sink)?;
    Ok(sink.finish())
}

fn read_folder(folder: &Path) -> Result<Previous, ReadError> {
    let error = |file: &str, message: String| ReadError::new(folder.join(file).display().to_string(), message);
    let index = FolderIndex::read(folder)?.ok_or_else(|| {
        let message = format!("a folder of members has a file `{INDEX_FILE}`, and this one has none");
        ReadError::new(folder.display().to_string(), message)
    })?;
    let mut previous = Previous { has_empty_segments: true, ..Previous::default() };
    for file in index.files {
        let mut sink = OneSegment { id: None, ids: Vec::new() };
        read_rows(&folder.join(&file.file), &mut sink)?;
        if sink.ids.len() as u64 != file.members {
            let (found, said) = (sink.ids.len(), file.members);
            let s = if found == 1 { "" } else { "s" };
            let message = format!(
                "it has {found} member{s} and `{INDEX_FILE}` says {said}: the files are not all of one run, or one was changed"
            );
            return Err(error(&file.file, message));
        }
        previous.segments.push(PreviousSegment { name: file.segment, ids: sink.ids });
    }
    Ok(previous)
}

/// Which columns of a table say who is in what.
enum Shape {
    /// The header was not seen: a file without lines.
    Unknown,
    /// A row a member.
    Long { segment: usize, id: usize },
    /// A row a person, and a column for each segment: its position, the place of the segment
    /// among those read, and whether it is a segment of now.
    Wide { id: usize, columns: Vec<WideColumn> },
}

struct WideColumn {
    at: usize,
    name: String,
    ids: Vec<String>,
    /// Of a name that is nobody's now: a segment that is gone, unless a value shows that it is
    /// something else.
    is_guess: bool,
    is_segment: bool,
}

struct Sink<'k> {
    known: KnownNames<'k>,
    previous: Previous,
    places: HashMap<String, usize>,
    shape: Shape,
}

impl RowSink for Sink<'_> {
    fn header(&mut self, names: &[String]) -> Result<(), String> {
        let position = |name: &str| names.iter().position(|known| known == name);
        let Some(id) = position(ID_COLUMN) else { return Err(not_members(names)) };
        if position(CHANGE_COLUMN).is_some() && !self.known.attributes.contains(&CHANGE_COLUMN) {
            return Err(format!("these are changes, as the column `{CHANGE_COLUMN}` shows; members are needed"));
        }
        if let Some(segment) = position(SEGMENT_COLUMN) {
            self.shape = Shape::Long { segment, id };
            return Ok(());
        }
        let mut columns = Vec::new();
        for (at, name) in names.iter().enumerate().filter(|(at, _)| *at != id) {
            let is = |known: &[&str]| known.contains(&name.as_str());
            match (is(self.known.segments), is(self.known.attributes)) {
                (true, true) => {
                    return Err(format!(
                        "`{name}` is a segment and an attribute now, and its column here may be either; \
                         a table with a row a member (`--layout long`) can be compared"
                    ));
                }
                (false, true) => {}
                (is_known, false) => {
                    let (name, ids) = (name.clone(), Vec::new());
                    columns.push(WideColumn { at, name, ids, is_guess: !is_known, is_segment: true });
                }
            }
        }
        if columns.is_empty() {
            return Err(not_members(names));
        }
        self.shape = Shape::Wide { id, columns };
        Ok(())
    }

    fn row(&mut self, cell: &dyn Fn(usize) -> Cell) -> Result<(), String> {
        match &mut self.shape {
            Shape::Unknown => Ok(()),
            Shape::Long { segment, id } => {
                let segment = text(&cell(*segment), SEGMENT_COLUMN)?;
                let id = text(&cell(*id), ID_COLUMN)?;
                let places = &mut self.places;
                let segments = &mut self.previous.segments;
                let at = match places.get(&segment) {
                    Some(at) => *at,
                    None => {
                        places.insert(segment.clone(), segments.len());
                        segments.push(PreviousSegment { name: segment, ids: Vec::new() });
                        segments.len() - 1
                    }
                };
                if let Some(segment) = segments.get_mut(at) {
                    segment.ids.push(id);
                }
                Ok(())
            }
            Shape::Wide { id, columns } => {
                let id = text(&cell(*id), ID_COLUMN)?;
                for column in columns.iter_mut().filter(|column| column.is_segment) {
                    match cell(column.at).as_boolean() {
                        Some(true) => column.ids.push(id.clone()),
                        Some(false) => {}
                        None if column.is_guess => column.is_segment = false,
                        None => {
                            let found = cell(column.at);
                            return Err(format!("segment `{}` has {found} rather than true or false", column.name));
                        }
                    }
                }
                Ok(())
            }
        }
    }
}

impl Sink<'_> {
    fn finish(self) -> Previous {
        let mut previous = self.previous;
        if let Shape::Wide { columns, .. } = self.shape {
            previous.has_empty_segments = true;
            let segments = columns.into_iter().filter(|column| column.is_segment);
            previous.segments.extend(segments.map(|column| PreviousSegment { name: column.name, ids: column.ids }));
        }
        previous
    }
}

/// The members of one segment, a row each.
struct OneSegment {
    id: Option<usize>,
    ids: Vec<String>,
}

impl RowSink for OneSegment {
    fn header(&mut self, names: &[String]) -> Result<(), String> {
        self.id = names.iter().position(|name| name == ID_COLUMN);
        if self.id.is_some() { Ok(()) } else { Err(not_members(names)) }
    }

    fn row(&mut self, cell: &dyn Fn(usize) -> Cell) -> Result<(), String> {
        if let Some(id) = self.id {
            self.ids.push(text(&cell(id), ID_COLUMN)?);
        }
        Ok(())
    }
}

fn not_members(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{}`", name.escape_debug())).collect();
    if names.len() > SHOWN {
        shown.push("…".to_owned());
    }
    let columns = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
    format!(
        "this is no file of members: those have the columns `{SEGMENT_COLUMN}` and `{ID_COLUMN}`, or `{ID_COLUMN}` and \
         one for each segment; this one has {columns}"
    )
}

fn text(cell: &Cell, column: &str) -> Result<String, String> {
    match cell {
        Cell::Text(text) if !text.is_empty() => Ok(text.clone()),
        other => Err(format!("`{column}` has {other} rather than a text")),
    }
}
