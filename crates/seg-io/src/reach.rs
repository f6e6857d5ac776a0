//! Which paths a pattern of data reaches.

use crate::objects::{self, Address};
use crate::open::{format_of, is_stray};
use glob::{MatchOptions, Pattern};
use std::path::{Path, PathBuf};

/// Whether a file at `path`, which need not be there yet, would be read as data by a path, a
/// pattern or a folder relative to `base`. What cannot be followed is not reached.
pub fn is_reached(base: &Path, pattern: &str, path: &Path) -> bool {
    if Address::is_meant(pattern) {
        return path.to_str().is_some_and(|path| objects::is_reached(pattern, path));
    }
    let (Some(path), Ok(mut base)) = (whole(path), whole_folder(base).canonicalize()) else { return false };
    let mut inside = pattern;
    loop {
        if let Some(rest) = inside.strip_prefix("./") {
            inside = rest;
        } else if let Some(rest) = inside.strip_prefix("../") {
            base.pop();
            inside = rest;
        } else {
            break;
        }
    }
    if let Ok(folder) = base.join(inside).canonicalize()
        && folder.is_dir()
    {
        let is_data = |inside: &Path| !is_stray(inside) && format_of(&inside.to_string_lossy()).is_some();
        return path.strip_prefix(&folder).is_ok_and(is_data);
    }
    let is_absolute = Path::new(inside).is_absolute();
    let full = match is_absolute {
        true => inside.to_owned(),
        false => format!("{}/{inside}", Pattern::escape(&base.to_string_lossy())),
    };
    let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
    let fits = Pattern::new(&full).is_ok_and(|pattern| pattern.matches_path_with(&path, options));
    fits && !path.file_name().is_some_and(|name| is_stray(Path::new(name)))
}

/// A path whose folder is written out, also where it is not there yet.
fn whole(path: &Path) -> Option<PathBuf> {
    let folder = whole_folder(path.parent()?).canonicalize().ok()?;
    Some(folder.join(path.file_name()?))
}

/// The folder that stands for no folder.
fn whole_folder(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_yet_is_reached_as_one_that_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let base = dir.path().join("project [1]");
        std::fs::create_dir_all(base.join("exports/deep")).expect("a folder");
        std::fs::create_dir_all(dir.path().join("beside")).expect("a folder");
        let reached = |pattern: &str, path: &str| is_reached(&base, pattern, &base.join(path));
        assert!(reached("exports/*.csv", "exports/m.csv"));
        assert!(reached("./exports/*.csv", "exports/m.csv"));
        assert!(reached("exports/**/*.csv", "exports/deep/m.csv"));
        assert!(reached("*.csv", "exports/../m.csv"));
        assert!(reached("../beside/*", "../beside/m.csv"));
        assert!(reached("exports", "exports/deep/m.csv"));
        assert!(reached("exports/", "exports/m.parquet"));
        assert!(reached("m.csv", "m.csv"));
        assert!(reached(
            &dir.path().canonicalize().expect("a path").join("beside/*.csv").to_string_lossy(),
            "../beside/m.csv"
        ));
        assert!(!reached("exports/*.csv", "m.csv"));
        assert!(!reached("exports/*.csv", "exports/m.parquet"));
        assert!(!reached("exports/*.csv", "exports/deep/m.csv"));
        // What nobody reads there is no data.
        assert!(!reached("exports", "exports/m.txt"));
        assert!(!reached("exports", "exports/_segments.json"));
        assert!(!reached("*", "_segments.json"));
        assert!(!reached("nowhere/*.csv", "nowhere/m.csv"));
    }
}
