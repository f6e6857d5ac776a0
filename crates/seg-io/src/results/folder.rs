//! A folder with a file for each segment.

use crate::report::ReadError;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file that says which file of a folder is which segment's. Tools that read folders of
/// data pass over names that begin so.
pub const INDEX_FILE: &str = "_segments.json";

/// The version of the index that is written and read.
const VERSION: u32 = 1;

/// How long the name of a file may be, without its ending: what every file system takes.
const STEM_BYTES_MAX: usize = 120;

/// Which file of a folder is which segment's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderIndex {
    /// The version of this shape.
    pub version: u32,
    /// The instant as of which the segments were evaluated, as text.
    pub at: String,
    /// Each segment, in the order of the project.
    pub files: Vec<FolderFile>,
}

/// The file of one segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderFile {
    /// The segment's name.
    pub segment: String,
    /// The file's name in the folder.
    pub file: String,
    /// How many members it has, a row each.
    pub members: u64,
}

impl FolderIndex {
    /// An index of files as of an instant.
    pub fn new(at: String, files: Vec<FolderFile>) -> FolderIndex {
        FolderIndex { version: VERSION, at, files }
    }

    /// The index of a folder; none where the folder has none.
    ///
    /// # Errors
    /// An index that cannot be read, is of another version, or names files outside the folder.
    pub fn read(folder: &Path) -> Result<Option<FolderIndex>, ReadError> {
        let path = folder.join(INDEX_FILE);
        let error = |message: String| ReadError::new(path.display().to_string(), message);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(other) => return Err(error(other.to_string())),
        };
        let index: FolderIndex = serde_json::from_str(&text)
            .map_err(|why| error(format!("this is no index of a folder of members: {why}")))?;
        if index.version != VERSION {
            return Err(error(format!("its version is {}, and this Seg reads version {VERSION}", index.version)));
        }
        let is_inside = |file: &str| Path::new(file).file_name().is_some_and(|name| name == file);
        match index.files.iter().find(|file| !is_inside(&file.file)) {
            Some(outside) => Err(error(format!("`{}` is no file of the folder", outside.file.escape_debug()))),
            None => Ok(Some(index)),
        }
    }
}

/// The name of a segment's file, without its ending: letters and digits stay, all else between
/// them becomes a hyphen. `None` where the name has neither.
pub fn file_stem(segment: &str) -> Option<String> {
    let mut stem = String::new();
    for c in segment.chars() {
        let kept = if c.is_alphanumeric() || c == '_' { c } else { '-' };
        if (kept == '-' && (stem.is_empty() || stem.ends_with('-'))) || stem.len() + kept.len_utf8() > STEM_BYTES_MAX {
            continue;
        }
        stem.push(kept);
    }
    let stem = stem.trim_end_matches('-').trim_start_matches('_');
    if !stem.chars().any(char::is_alphanumeric) {
        return None;
    }
    // Windows has devices of these names, with any ending.
    let lower = stem.to_lowercase();
    let is_numbered = |name: &str| lower.strip_prefix(name).is_some_and(|n| matches!(n.as_bytes(), [b'0'..=b'9']));
    let is_device = matches!(lower.as_str(), "con" | "prn" | "aux" | "nul") || is_numbered("com") || is_numbered("lpt");
    Some(if is_device { format!("segment-{stem}") } else { stem.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_segments_make_names_of_files() {
        for (segment, expected) in [
            ("Lapsed, bought before but not in 90 days", "Lapsed-bought-before-but-not-in-90-days"),
            ("../../etc/passwd", "etc-passwd"),
            ("a/b\\c:d*e?f\"g<h>i|j", "a-b-c-d-e-f-g-h-i-j"),
            (" VIP! ", "VIP"),
            ("Käufer_neu – 30 Tage", "Käufer_neu-30-Tage"),
            ("_segments", "segments"),
            ("con", "segment-con"),
            ("LPT1", "segment-LPT1"),
            ("com", "com"),
            ("50% off & more...", "50-off-more"),
            ("line\nbreak\0", "line-break"),
        ] {
            assert_eq!(file_stem(segment).as_deref(), Some(expected), "{segment:?}");
        }
        assert_eq!(["", "!!!", "…", "_"].map(file_stem), [const { None }; 4]);
        let long = file_stem(&"ß".repeat(500)).expect("a name");
        assert!(long.len() <= STEM_BYTES_MAX && long.chars().all(|c| c == 'ß'), "{long}");
    }

    #[test]
    fn an_index_names_files_of_its_folder_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(FolderIndex::read(dir.path()), Ok(None));
        let read = |text: &str| {
            std::fs::write(dir.path().join(INDEX_FILE), text).expect("written");
            FolderIndex::read(dir.path()).map_err(|error| error.message)
        };
        let with =
            |file: &str| format!(r#"{{"version":1,"at":"x","files":[{{"segment":"A","file":"{file}","members":1}}]}}"#);
        assert!(read(&with("a.csv")).is_ok_and(|index| index.is_some()));
        for outside in ["../a.csv", "/etc/passwd", "a/b.csv", "..", "."] {
            assert_eq!(read(&with(outside)), Err(format!("`{outside}` is no file of the folder")));
        }
        assert_eq!(
            read(r#"{"version":7,"at":"x","files":[]}"#),
            Err("its version is 7, and this Seg reads version 1".to_owned())
        );
        assert!(read("{").is_err());
    }
}
