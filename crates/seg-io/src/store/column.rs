//! Columns in files: one batch of an uncompressed Arrow IPC file, which others can read too.

use super::catalog::StoredFile;
use super::map::mapped;
use crate::guard::foreseen;
use crate::report::ReadError;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_ipc::{Block, MetadataVersion, root_as_footer};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The length of a footer and the mark behind it.
const END_BYTES: usize = 10;
/// Where the parts of a file begin, so that numbers can be read where they lie.
const ALIGNMENT: usize = 64;

/// Columns of one length under their names.
pub(super) type Columns = Vec<(String, ArrayRef)>;

/// Writes columns of one length as a file.
///
/// # Errors
/// What the file system says.
pub(super) fn write(to: &mut dyn Write, columns: &[(String, ArrayRef)]) -> std::io::Result<()> {
    let failed = |error: ArrowError| match error {
        ArrowError::IoError(_, error) => error,
        error => std::io::Error::other(error.to_string()),
    };
    let fields = columns.iter().map(|(name, column)| Field::new(name, column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.iter().map(|(_, column)| Arc::clone(column)).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(failed)?;
    let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5).map_err(failed)?;
    let mut writer = FileWriter::try_new_with_options(to, &schema, options).map_err(failed)?;
    writer.write(&batch).map_err(failed)?;
    writer.finish().map_err(failed)
}

/// Reads the files of a store, each checked by its length and its sum.
pub(super) struct Reader {
    root: PathBuf,
    /// Whether numbers are read where they lie in the file.
    is_mapped: bool,
    n_read: AtomicU64,
}

impl Reader {
    pub fn new(root: &Path, is_mapped: bool) -> Reader {
        Reader { root: root.to_owned(), is_mapped, n_read: AtomicU64::new(0) }
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
        let path = self.root.join(&file.path);
        let failed = |error: std::io::Error| self.error(file, &why(&error));
        let mut opened = File::open(&path).map_err(failed)?;
        let found = opened.metadata().map_err(failed)?.len();
        if found != file.bytes {
            return Err(self.error(file, "the file is damaged: its length is not the one that was written"));
        }
        self.n_read.fetch_add(file.bytes, Ordering::Relaxed);
        let buffer = if can_be_mapped && self.is_mapped {
            Buffer::from(mapped(&opened).map_err(failed)?)
        } else {
            let mut bytes = Vec::with_capacity(usize::try_from(file.bytes).unwrap_or_default());
            opened.read_to_end(&mut bytes).map_err(failed)?;
            Buffer::from_vec(bytes)
        };
        if crc32fast::hash(buffer.as_slice()) != file.crc32 {
            return Err(self.error(file, "the file is damaged: its bytes are not those that were written"));
        }
        Ok(buffer)
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
        ReadError::new(self.root.join(&file.path).to_string_lossy(), format!("{what}; {help}"))
    }
}

/// What the system says of a file that a store has, in words.
fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "the store lacks this file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        _ => error.to_string(),
    }
}

/// The columns of the one batch of a file; none where it is not such a file. Places, keys and
/// texts are checked by the library on the way.
fn decode(buffer: &Buffer) -> Option<Columns> {
    let end_at = buffer.len().checked_sub(END_BYTES)?;
    let end: [u8; END_BYTES] = buffer.as_slice().get(end_at..)?.try_into().ok()?;
    let footer_at = end_at.checked_sub(read_footer_length(end).ok()?)?;
    let footer = root_as_footer(buffer.as_slice().get(footer_at..end_at)?).ok()?;
    let schema = Arc::new(try_fb_to_schema(footer.schema()?).ok()?);
    let mut decoder = FileDecoder::new(Arc::clone(&schema), footer.version());
    let part = |block: &Block| {
        let (at, header) = (usize::try_from(block.offset()).ok()?, usize::try_from(block.metaDataLength()).ok()?);
        let length = header.checked_add(usize::try_from(block.bodyLength()).ok()?)?;
        (at.checked_add(length)? <= buffer.len()).then(|| buffer.slice_with_length(at, length))
    };
    for block in footer.dictionaries().into_iter().flatten() {
        decoder.read_dictionary(block, &part(block)?).ok()?;
    }
    let block = footer.recordBatches()?.iter().next()?;
    let batch = decoder.read_record_batch(block, &part(block)?).ok()??;
    let names = schema.fields().iter().map(|field| field.name().clone());
    Some(names.zip(batch.columns().iter().map(Arc::clone)).collect())
}
