//! Columns as bytes: one batch of an uncompressed Arrow IPC file, which others can read too.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_ipc::{Block, MetadataVersion, root_as_footer};
use arrow_schema::{ArrowError, Field, Schema};
use std::io::Write;
use std::sync::Arc;

/// The length of a footer and the mark behind it.
const END_BYTES: usize = 10;
/// Where the parts of a file begin, so that numbers can be read where they lie.
const ALIGNMENT: usize = 64;

/// Columns of one length under their names.
pub(crate) type Columns = Vec<(String, ArrayRef)>;

/// Writes columns of one length as a file.
///
/// # Errors
/// What the file system says.
pub(crate) fn write(to: &mut dyn Write, columns: &[(String, ArrayRef)]) -> std::io::Result<()> {
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

/// The columns of the one batch of a file; none where it is not such a file. Places, keys and
/// texts are checked by the library on the way.
pub(crate) fn decode(buffer: &Buffer) -> Option<Columns> {
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
