//! Pairs of texts in a file, for who has them as such.

use super::aside::Aside;
use super::format::MembersFormat;
use super::table::{Chunks, ROWS, Table, text_column, write_table};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use seg_data::Type;
use seg_data::batch::ID_COLUMN;
use std::path::Path;
use std::sync::Arc;

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
    write_pairs(path, format, [super::SEGMENT_COLUMN, ID_COLUMN], members)
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
    write_pairs(path, format, [ID_COLUMN, super::SEGMENT_COLUMN], winners)
}

fn write_pairs<'a>(
    path: &Path,
    format: MembersFormat,
    names: [&str; 2],
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> std::io::Result<()> {
    let table = Table::new(names.map(|name| (name.to_owned(), Type::Text, false)));
    let aside = Aside::write(path, |file| write_table(file, format, &table, chunks(&table, pairs)).map(|_| ()))?;
    aside.put_in_place()
}

fn chunks<'a: 'p, 'p>(table: &Table, pairs: impl Iterator<Item = (&'a str, &'a str)> + 'p) -> Chunks<'p> {
    let schema = Arc::clone(table.schema());
    let mut pairs = pairs.peekable();
    Box::new(std::iter::from_fn(move || {
        pairs.peek()?;
        let (first, second): (Vec<&str>, Vec<&str>) = pairs.by_ref().take(ROWS).unzip();
        let columns = [first, second].map(|texts| text_column(texts.into_iter()));
        let columns = columns.into_iter().collect::<Result<Vec<ArrayRef>, ArrowError>>();
        Some(columns.and_then(|columns| RecordBatch::try_new(Arc::clone(&schema), columns)))
    }))
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
        let path = dir.path().join("winners.arrow");
        write_winners(&path, MembersFormat::Arrow, members.into_iter()).expect("written");
        assert!(std::fs::read(&path).expect("read").starts_with(b"ARROW1"));
        let nowhere = dir.path().join("no/such/members.csv");
        assert!(write_members(&nowhere, MembersFormat::Csv, members.into_iter()).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).expect("list").count(), 4);
    }
}
