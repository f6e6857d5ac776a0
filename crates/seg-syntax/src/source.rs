//! Source text and places in it.

use std::fmt;
use std::ops::Range;

/// Which source file a span points into: an index into a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SourceId(pub u32);

/// A range of bytes of one source file. `start <= end`, and both lie on
/// character boundaries of that file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span over `start..end` of `source`.
    pub fn new(source: SourceId, start: u32, end: u32) -> Span {
        Span { source, start, end: end.max(start) }
    }

    /// The smallest span that covers both. Both must be of one file.
    pub fn to(self, other: Span) -> Span {
        Span { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The bytes, for slicing.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The empty span at the end of this one.
    pub fn end_point(self) -> Span {
        Span { start: self.end, ..self }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// One file's text with the name people know it by (usually a path relative
/// to the project).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Name shown in diagnostics.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// The first byte of each line.
    line_starts: Vec<u32>,
}

impl SourceFile {
    fn new(name: String, text: String) -> SourceFile {
        let breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at as u32 + 1);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        SourceFile { name, text, line_starts }
    }

    /// Line and column, both from 1, of a byte offset; columns count characters.
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let (line, range) = self.line_at(offset);
        let before = range.start..(offset as usize).min(self.text.len());
        let column = self.text.get(before).map_or(1, |t| t.chars().count() as u32 + 1);
        (line, column)
    }

    /// The line, from 1, that holds a byte offset, with its bytes without the
    /// line break.
    pub fn line_at(&self, offset: u32) -> (u32, Range<usize>) {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let bound = |at: usize| self.line_starts.get(at).map(|s| *s as usize);
        let start = bound(line - 1).unwrap_or(0);
        let end = bound(line).unwrap_or(self.text.len());
        let text = self.text.get(start..end).unwrap_or("");
        (line as u32, start..start + text.trim_end_matches(['\n', '\r']).len())
    }
}

/// All source files of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a file and says by which id it goes from now on.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let id = SourceId(self.files.len() as u32);
        self.files.push(SourceFile::new(name.into(), text.into()));
        id
    }

    /// The file, if `id` came from this map.
    pub fn get(&self, id: SourceId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files with their ids, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (SourceId(i as u32), f))
    }

    /// The text under a span; empty when the span is not of this map.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source).and_then(|f| f.text.get(span.range())).unwrap_or("")
    }

    /// The line's rest behind a span.
    pub fn rest_of_line(&self, span: Span) -> &str {
        let rest = self.get(span.source).and_then(|f| f.text.get(span.end as usize..)).unwrap_or("");
        rest.lines().next().unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let file = SourceFile::new("x".into(), "ab\r\né c\n".into());
        assert_eq!([0, 2, 4, 6, 9].map(|at| file.line_column(at)), [(1, 1), (1, 3), (2, 1), (2, 2), (3, 1)]);
        assert_eq!(file.line_at(1), (1, 0..2));
        assert_eq!(file.line_at(6), (2, 4..8));
    }
}
