//! Objects as files are read.

use super::{FoundObject, ObjectError, ObjectStores};
use crate::report::ReadError;
use bytes::{Bytes, BytesMut};
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// No more bytes are asked for at once: what was cut is asked for again.
const REQUEST_BYTES: u64 = 8 << 20;
/// So many bytes are asked for first of an object that is read in its order, since it may be
/// that only its beginning is wanted, and each time twice as many.
const FIRST_BYTES: u64 = 256 << 10;
/// The least and the most bytes that are asked for at the end of a Parquet file, and which part
/// of it.
const END_BYTES: Range<u64> = 8 << 10..64 << 10;
const END_PART: u64 = 256;
/// The end of a Parquet file: how long its footer is, and a mark.
const FOOTER_BYTES: usize = 8;
const MARK: &[u8] = b"PAR1";

/// An object that data is read from, by several readers.
#[derive(Debug)]
pub(crate) struct Remote {
    stores: ObjectStores,
    object: FoundObject,
    /// What went wrong first; whoever unpacks what was read may only see that it ends too early.
    failure: OnceLock<ObjectError>,
    /// The last bytes, of which readers of Parquet ask again and again, with where they begin.
    end: OnceLock<(u64, Bytes)>,
}

impl PartialEq for Remote {
    fn eq(&self, other: &Remote) -> bool {
        self.stores == other.stores && self.object == other.object
    }
}

impl Eq for Remote {}

impl Remote {
    pub fn new(stores: ObjectStores, object: FoundObject) -> Remote {
        Remote { stores, object, failure: OnceLock::new(), end: OnceLock::new() }
    }

    pub fn size(&self) -> u64 {
        self.object.size
    }

    /// Whether its store has no other version of it by now.
    pub fn is_as_found(&self) -> bool {
        self.stores.find(&self.object.address).is_ok_and(|found| found.as_ref() == Some(&self.object))
    }

    /// What went wrong, if anything did: whatever was made of it is not to be told of.
    pub fn failure(&self) -> Option<ReadError> {
        let error = self.failure.get()?;
        Some(ReadError::new(self.object.address.to_string(), error.to_string()))
    }

    /// Some bytes, all of them. An object that failed once is not asked again.
    pub fn read(&self, range: Range<u64>) -> std::io::Result<Bytes> {
        if range.start > range.end || range.end > self.object.size {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let single = range.end - range.start <= REQUEST_BYTES;
        if single {
            return self.request(range);
        }
        let mut bytes = BytesMut::new();
        let mut at = range.start;
        while at < range.end {
            let end = range.end.min(at + REQUEST_BYTES);
            bytes.extend_from_slice(&self.request(at..end)?);
            at = end;
        }
        Ok(bytes.freeze())
    }

    fn request(&self, range: Range<u64>) -> std::io::Result<Bytes> {
        if let Some(error) = self.failure.get() {
            return Err(Error::other(error.clone()));
        }
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let n_bytes = range.end - range.start;
        let read = self.stores.read(&self.object, range);
        let whole = read.and_then(|bytes| match bytes.len() as u64 == n_bytes {
            true => Ok(bytes),
            false => Err(ObjectError("its store gave other bytes than it was asked for".to_owned())),
        });
        whole.map_err(|error| Error::other(self.failure.get_or_init(|| error).clone()))
    }

    /// The last bytes, with where they begin; of a Parquet file all of its footer.
    pub fn end(&self) -> std::io::Result<(u64, Bytes)> {
        if let Some(end) = self.end.get() {
            return Ok(end.clone());
        }
        let size = self.size();
        let n_bytes = (size / END_PART).clamp(END_BYTES.start, END_BYTES.end).min(size);
        let (mut at, mut bytes) = (size - n_bytes, self.read(size - n_bytes..size)?);
        if let Some(footer_at) = footer_at(&bytes, size).filter(|footer_at| *footer_at < at) {
            let before = self.read(footer_at..at)?;
            bytes = [before, bytes].concat().into();
            at = footer_at;
        }
        Ok(self.end.get_or_init(|| (at, bytes)).clone())
    }
}

/// Where the footer of a Parquet file begins, by its last bytes.
fn footer_at(end: &[u8], size: u64) -> Option<u64> {
    let last = end.last_chunk::<FOOTER_BYTES>()?;
    let (length, mark) = last.split_first_chunk::<4>()?;
    let length = u64::from(u32::from_le_bytes(*length)) + FOOTER_BYTES as u64;
    size.checked_sub(length).filter(|_| mark == MARK)
}

/// Reads an object from a place on.
#[derive(Debug)]
pub(crate) struct ObjectReader {
    remote: Arc<Remote>,
    at: u64,
    /// What was asked for and not yet read.
    buffer: Bytes,
    /// How many bytes are asked for next.
    n_next: u64,
}

impl ObjectReader {
    pub fn new(remote: Arc<Remote>, at: u64) -> ObjectReader {
        ObjectReader { remote, at, buffer: Bytes::new(), n_next: FIRST_BYTES }
    }
}

impl Read for ObjectReader {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let size = self.remote.size();
        if self.buffer.is_empty() && self.at < size && !to.is_empty() {
            let end = size.min(self.at.saturating_add(self.n_next));
            self.buffer = self.remote.read(self.at..end)?;
            self.n_next = (self.n_next * 2).min(REQUEST_BYTES);
        }
        let n = to.len().min(self.buffer.len());
        let read = self.buffer.split_to(n);
        if let Some(to) = to.get_mut(..n) {
            to.copy_from_slice(&read);
        }
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for ObjectReader {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.remote.size().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let at = at.ok_or(ErrorKind::InvalidInput)?;
        let ahead = at.checked_sub(self.at).and_then(|ahead| usize::try_from(ahead).ok());
        match ahead.filter(|ahead| *ahead <= self.buffer.len()) {
            Some(ahead) => drop(self.buffer.split_to(ahead)),
            None => (self.buffer, self.n_next) = (Bytes::new(), FIRST_BYTES),
        }
        self.at = at;
        Ok(at)
    }
}
