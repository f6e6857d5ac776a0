//! The files of a store as columns.

use super::catalog::StoredFile;
use super::location::{Location, read_object};
use super::map::mapped;
use crate::guard::foreseen;
use crate::ipc::{Columns, decode};
use crate::report::ReadError;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_buffer::Buffer;
use arrow_schema::DataType;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::sync::atomic::{AtomicU64, Ordering};

/// Reads the files of a store, each checked by its length and its sum.
pub(super) struct Reader {
    place: Location,
    /// Whether numbers are read where they lie in the file.
    is_mapped: bool,
    n_read: AtomicU64,
}

impl Reader {
    pub fn new(place: Location, is_mapped: bool) -> Reader {
        Reader { place, is_mapped, n_read: AtomicU64::new(0) }
    }

    /// How many bytes were read or mapped so far.
    pub fn n_read(&self) -> u64 {
        self.n_read.load(Ordering::Relaxed)
    }

    /// The bytes of a file as they were written.
    ///
    /// # Errors
    /// A file that is not there, cannot be read, or is not as it was written.
    pub fn bytes(&self, file: &StoredFile, can_be_mapped: bool) -> Result<Buffer, ReadError> {
        let buffer = self.unchecked(file, can_be_mapped).map_err(|error| self.error(file, &why(&error)))?;
        self.n_read.fetch_add(file.bytes, Ordering::Relaxed);
        if crc32fast::hash(buffer.as_slice()) != file.crc32 {
            return Err(self.error(file, "the file is damaged: its bytes are not those that were written"));
        }
        Ok(buffer)
    }

    /// The bytes of a file, as many as were written.
    fn unchecked(&self, file: &StoredFile, can_be_mapped: bool) -> std::io::Result<Buffer> {
        let root = match &self.place {
            Location::Folder(root) => root,
            Location::Objects(objects, address) => {
                return read_object(objects, &address.join(&file.path), Some(file.bytes)).map(Buffer::from_vec);
            }
        };
        let mut opened = File::open(root.join(&file.path))?;
        if opened.metadata()?.len() != file.bytes {
            return Err(ErrorKind::InvalidData.into());
        }
        if can_be_mapped && self.is_mapped {
            return Ok(Buffer::from(mapped(&opened)?));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(file.bytes).unwrap_or_default());
        opened.read_to_end(&mut bytes)?;
        Ok(Buffer::from_vec(bytes))
    }

    /// The columns of a file.
    ///
    /// # Errors
    /// See [`Reader::bytes`].
    pub fn columns(&self, file: &StoredFile) -> Result<Columns, ReadError> {
        self.decoded(file, self.bytes(file, false)?)
    }

    /// The one column of a file, which has to be of a type.
    ///
    /// # Errors
    /// See [`Reader::bytes`].
    pub fn column(&self, file: &StoredFile, expected: &DataType) -> Result<ArrayRef, ReadError> {
        let can_be_mapped = expected.is_primitive();
        let columns = self.decoded(file, self.bytes(file, can_be_mapped)?)?;
        match columns.into_iter().next() {
            Some((_, column)) if column.data_type() == expected => Ok(column),
            _ => Err(self.error(file, "the file is damaged: it is of another type than the store says")),
        }
    }

    /// The texts of a file.
    ///
    /// # Errors
    /// See [`Reader::bytes`].
    pub fn texts(&self, file: &StoredFile) -> Result<StringArray, ReadError> {
        Ok(self.column(file, &DataType::Utf8)?.as_string::<i32>().clone())
    }

    fn decoded(&self, file: &StoredFile, buffer: Buffer) -> Result<Columns, ReadError> {
        foreseen(|| decode(&buffer)).flatten().ok_or_else(|| self.error(file, "the file is damaged"))
    }

    /// An error of a file of the store.
    pub fn error(&self, file: &StoredFile, what: &str) -> ReadError {
        let help = "`seg pack` makes the store again from the files of `[data]`";
        ReadError::new(self.place.name_of(&file.path), format!("{what}; {help}"))
    }
}

/// What the system says of a file that a store has, in words.
fn why(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::InvalidData => "the file is damaged: its length is not the one that was written".to_owned(),
        ErrorKind::NotFound => "the store lacks this file".to_owned(),
        ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        _ => error.to_string(),
    }
}
