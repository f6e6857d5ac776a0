//! Members to files. A file appears under its name only when it is complete.

use arrow_array::{RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The formats in which members are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MembersFormat {
    /// `segment,profile_id` lines under a header.
    Csv,
    /// A JSON object a line.
    Ndjson,
    /// Two columns of texts, as in CSV.
    Parquet,
}

impl MembersFormat {
    /// What a path's ending says; `None` for an ending that is not written.
    pub fn of(path: &Path) -> Option<MembersFormat> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(MembersFormat::Csv),
            "ndjson" | "jsonl" => Some(MembersFormat::Ndjson),
            "parquet" => Some(MembersFormat::Parquet),
            _ => None,
        }
    }
}

/// Writes who is in which segment: pairs of segment and profile id. The rows go
/// to a file beside `path` first, which is renamed when it is complete, so that
/// a run that is cut short leaves what was there before.
///
/// # Errors
/// What the file system says.
pub fn write_members<'a>(
    path: &Path,
    format: MembersFormat,
    members: impl Iterator<Item = (&'a str, &'a str)>,
) -> std::io::Result<()> {
    write_pairs(path, format, ["segment", "profile_id"], members)
}

/// Writes who goes to which of the segments that compete: pairs of profile id
/// and segment, one a person, in the same way.
///
/// # Errors
/// What the file system says.
pub fn write_winners<'a>(
    path: &Path,
    format: MembersFormat,
    winners: impl Iterator<Item = (&'a str, &'a str)>,
) -> std::io::Result<()> {
    write_pairs(path, format, ["profile_id", "segment"], winners)
}

/// Writes a text as a whole or not at all.
///
/// # Errors
/// What the file system says.
pub fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    aside(path, |mut file| file.write_all(text.as_bytes()))
}

fn write_pairs<'a>(
    path: &Path,
    format: MembersFormat,
    names: [&'static str; 2],
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> std::io::Result<()> {
    aside(path, |file| match format {
        MembersFormat::Csv => write_csv(file, names, pairs),
        MembersFormat::Ndjson => write_ndjson(file, names, pairs),
        MembersFormat::Parquet => write_parquet(file, names, pairs),
    })
}

/// Writes beside a path and renames when that is complete; the file keeps the permissions of
/// the one it replaces. A pipe or a device is written to, not replaced.
fn aside(path: &Path, write: impl FnOnce(&File) -> std::io::Result<()>) -> std::io::Result<()> {
    let replaced = std::fs::metadata(path).ok();
    if replaced.as_ref().is_some_and(|known| !known.is_file() && !known.is_dir()) {
        return write(&File::options().write(true).open(path)?);
    }
    let aside = beside(path);
    let written = File::create(&aside).and_then(|file| {
        if let Some(known) = &replaced {
            file.set_permissions(known.permissions())?;
        }
        write(&file)?;
        file.sync_all()
    });
    let written = written.and_then(|()| std::fs::rename(&aside, path));
    if written.is_err() {
        // The error that matters is the first; a file that cannot be removed
        // is at least not under the name that was asked for.
        let _ = std::fs::remove_file(&aside);
    }
    written
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.partial", std::process::id()));
    path.with_file_name(name)
}

fn write_csv<'a>(
    file: &File,
    names: [&str; 2],
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> std::io::Result<()> {
    let mut writer = csv::Writer::from_writer(BufWriter::new(file));
    writer.write_record(names)?;
    for (one, other) in pairs {
        writer.write_record([one, other])?;
    }
    writer.flush()
}

fn write_ndjson<'a>(
    file: &File,
    names: [&str; 2],
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> std::io::Result<()> {
    let mut writer = BufWriter::new(file);
    for (one, other) in pairs {
        let line = serde_json::Map::from_iter([(names[0].to_owned(), one.into()), (names[1].to_owned(), other.into())]);
        serde_json::to_writer(&mut writer, &line)?;
        writer.write_all(b"\n")?;
    }
    writer.flush()
}

fn write_parquet<'a>(
    file: &File,
    names: [&str; 2],
    members: impl Iterator<Item = (&'a str, &'a str)>,
) -> std::io::Result<()> {
    const ROWS_A_BATCH: usize = 65_536;
    let schema = Arc::new(Schema::new(names.map(|name| Field::new(name, DataType::Utf8, false)).to_vec()));
    let mut writer = ArrowWriter::try_new(BufWriter::new(file), Arc::clone(&schema), None)?;
    let mut members = members.peekable();
    while members.peek().is_some() {
        let rows: Vec<(&str, &str)> = members.by_ref().take(ROWS_A_BATCH).collect();
        let segments = StringArray::from_iter_values(rows.iter().map(|r| r.0));
        let ids = StringArray::from_iter_values(rows.iter().map(|r| r.1));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(segments), Arc::new(ids)]);
        writer.write(&batch.map_err(std::io::Error::other)?)?;
    }
    writer.close()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_written_whole_or_not_at_all() {
        let dir = tempfile::tempdir().expect("a directory");
        let members = [("A, b", "1"), ("B \"c\"", "2")];
        let path = dir.path().join("members.csv");
        write_members(&path, MembersFormat::Csv, members.into_iter()).expect("written");
        let text = std::fs::read_to_string(&path).expect("read");
        assert_eq!(text, "segment,profile_id\n\"A, b\",1\n\"B \"\"c\"\"\",2\n");
        let path = dir.path().join("members.ndjson");
        write_members(&path, MembersFormat::Ndjson, members.into_iter()).expect("written");
        let text = std::fs::read_to_string(&path).expect("read");
        assert_eq!(text.lines().next(), Some(r#"{"segment":"A, b","profile_id":"1"}"#));
        let path = dir.path().join("members.parquet");
        write_members(&path, MembersFormat::Parquet, members.into_iter()).expect("written");
        assert!(std::fs::read(&path).expect("read").starts_with(b"PAR1"));
        let nowhere = dir.path().join("no/such/members.csv");
        assert!(write_members(&nowhere, MembersFormat::Csv, members.into_iter()).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).expect("list").count(), 3);
    }
}
