//! Parts of Parquet files: of an object just those are asked for that are wanted.

use super::{ObjectReader, Remote};
use crate::open::{DataFile, Opened};
use bytes::{Buf, Bytes};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

/// Ranges are asked for together where what lies between them is no more than this part of
/// them: a request costs as long as many bytes do.
const GAP_PART: u64 = 16;

/// A file of which parts are read.
pub(crate) enum Chunks {
    File(File),
    /// Parts of an object, each with where it begins; others are asked for when they are read.
    Object(Arc<Remote>, Vec<(u64, Bytes)>),
}

/// Opens a file of which so much is going to be read.
pub(crate) fn chunks_of(file: &DataFile, ranges: impl Iterator<Item = Range<u64>>) -> std::io::Result<Chunks> {
    match file.opened()? {
        Opened::File(file) => Ok(Chunks::File(file)),
        Opened::Object(_) => {
            let Some(remote) = &file.object else { return Err(std::io::ErrorKind::NotFound.into()) };
            let ranges = ranges.filter(|range| range.end <= remote.size());
            let parts = together(ranges).into_iter().map(|range| Ok((range.start, remote.read(range)?)));
            Ok(Chunks::Object(Arc::clone(remote), parts.collect::<std::io::Result<_>>()?))
        }
    }
}

impl Chunks {
    /// What is told of a file at its end is going to be read.
    pub fn of_end(file: &DataFile) -> std::io::Result<Chunks> {
        let mut chunks = chunks_of(file, std::iter::empty())?;
        if let Chunks::Object(remote, parts) = &mut chunks {
            parts.push(remote.end()?);
        }
        Ok(chunks)
    }
}

/// Ranges in their order, those together between which little lies.
fn together(ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = ranges.collect();
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        let length = range.end.saturating_sub(range.start);
        match joined.last_mut() {
            // The gap is a part of the lesser of both, so that gaps never sum up to more than that part.
            Some(last) if range.start.saturating_sub(last.end) <= length.min(last.end - last.start) / GAP_PART => {
                last.end = last.end.max(range.end);
            }
            Some(_) | None => joined.push(range),
        }
    }
    joined
}

/// The rest of a part behind a place; none where no part has it.
fn behind(parts: &[(u64, Bytes)], start: u64) -> Option<Bytes> {
    parts.iter().find_map(|(at, bytes)| {
        let from = usize::try_from(start.checked_sub(*at)?).ok()?;
        (from < bytes.len()).then(|| bytes.slice(from..))
    })
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        match self {
            Chunks::File(file) => file.len(),
            Chunks::Object(remote, _) => remote.size(),
        }
    }
}

impl ChunkReader for Chunks {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        match self {
            Chunks::File(file) => Ok(Box::new(file.get_read(start)?)),
            Chunks::Object(remote, parts) => {
                let part = behind(parts, start);
                let end = start + part.as_ref().map_or(0, Bytes::len) as u64;
                // Whoever reads on asks for what follows.
                let rest = ObjectReader::new(Arc::clone(remote), end);
                Ok(Box::new(part.unwrap_or_default().reader().chain(rest)))
            }
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        match self {
            Chunks::File(file) => file.get_bytes(start, length),
            Chunks::Object(remote, parts) => match behind(parts, start).filter(|part| part.len() >= length) {
                Some(part) => Ok(part.slice(..length)),
                None => {
                    let ends = || ParquetError::EOF(format!("there are no {length} bytes at {start}"));
                    let end = start.checked_add(length as u64).ok_or_else(ends)?;
                    remote.read(start..end).map_err(ParquetError::from)
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_together_where_hardly_anything_lies_between_them() {
        let joined = |ranges: &[Range<u64>]| together(ranges.iter().cloned());
        let one = |range: Range<u64>| vec![range];
        assert_eq!(joined(&[1600..3200, 0..1600]), one(0..3200));
        assert_eq!(joined(&[0..1600, 1700..3300]), one(0..3300));
        assert_eq!(joined(&[0..1600, 1701..3301]), [0..1600, 1701..3301]);
        // A small one is not reached over a gap because a large one stands before it.
        assert_eq!(joined(&[0..160_000, 160_100..160_200]), [0..160_000, 160_100..160_200]);
        assert_eq!(joined(&[0..10, 2..5, 4..20]), one(0..20));
        assert_eq!(joined(&[]), []);
    }
}
