//! Rows of Arrow IPC files and streams.
//!
//! Lengths in a damaged file may say anything, so its parts are cut here, where memory
//! grows with what is there rather than with what is said, and each is looked at before a
//! library unpacks it.
//!
//! The format: <https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc>.

use super::RowSink;
use super::arrays::{Feed, ROUND, columns_of, read_as, wanted_fields};
use super::maps::with_keys;
use crate::guard::guarded;
use crate::meter::Meter;
use crate::open::DataFile;
use crate::report::ReadError;
use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_buffer::Buffer;
use arrow_cast::cast;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, StreamDecoder, read_footer_length};
use arrow_ipc::{Block, Message, RecordBatch as BatchHeader, root_as_footer, root_as_message};
use arrow_schema::{DataType, Schema};
use std::fmt::Display;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;

/// The mark at the beginning and at the end of a file.
const FILE_MARK: &[u8] = b"ARROW1";
/// Feather began with files of its own, which are no Arrow files.
const OLD_MARK: &[u8] = b"FEA1";
/// The mark before the length of a message, which the oldest writers leave out.
const MESSAGE_MARK: [u8; 4] = [0xff; 4];
/// The length of a footer and the mark behind it.
const END_BYTES: u64 = 10;
/// A part of a message unpacks to no more bytes than its places, of 32 bits, can name.
const PART_MAX: i64 = 1 << 32;

pub(super) fn read(file: &DataFile, meter: &Arc<Meter>, sink: &mut dyn RowSink) -> Result<(), ReadError> {
    let mut opened = file.open()?;
    if begins(file, &mut opened)?.starts_with(FILE_MARK) {
        return read_file(file, opened, meter, sink);
    }
    let mut stream = file.stream(meter)?;
    let mut begin = begins(file, &mut stream)?;
    if begin.starts_with(OLD_MARK) {
        let why = "this is Feather of the first version, which is not read; write it as Parquet or as Feather 2";
        return Err(ReadError::new(&file.name, why));
    }
    if begin.starts_with(FILE_MARK) {
        // A packed file is read from its end too, so all of it is held.
        stream.read_to_end(&mut begin).map_err(|e| file.error(&e))?;
        return read_file(file, Cursor::new(begin), &Meter::default(), sink);
    }
    read_stream(file, Box::new(Cursor::new(begin).chain(stream)), sink)
}

/// The first few bytes of a stream.
fn begins(file: &DataFile, stream: &mut dyn Read) -> Result<Vec<u8>, ReadError> {
    let mut begin = Vec::new();
    stream.take(FILE_MARK.len() as u64).read_to_end(&mut begin).map_err(|e| file.error(&e))?;
    Ok(begin)
}

pub(super) fn unreadable(file: &DataFile, what: &dyn Display) -> ReadError {
    fault(file, format!("not a readable Arrow file: {what}"))
}

fn ends_early(file: &DataFile) -> ReadError {
    fault(file, "the file ends too early; is it complete?".to_owned())
}

fn damaged(file: &DataFile) -> ReadError {
    fault(file, "the file is damaged; take it from where it came again".to_owned())
}

/// What is wrong with a file whose bytes could be had.
fn fault(file: &DataFile, what: String) -> ReadError {
    file.failure().unwrap_or_else(|| ReadError::new(&file.name, what))
}

/// What is read of each batch.
pub(super) struct Wanted {
    /// The fields, each with where its columns begin.
    pub fields: Vec<(usize, usize)>,
    /// The other types in which they are read, if in others.
    types: Vec<Option<DataType>>,
    /// The schema of the columns that the sink was told of.
    pub schema: Schema,
}

impl Wanted {
    /// Tells a sink of the columns, and asks which of them it wants.
    pub fn of(schema: &Schema, sink: &mut dyn RowSink) -> Wanted {
        let with_keys = with_keys(schema, &sink.known_columns());
        let (names, starts) = columns_of(&with_keys);
        sink.columns(&names);
        let fields = wanted_fields(sink, names.len(), &starts);
        let read_as =
            |(at, start): &(usize, usize)| read_as(schema.fields().get(*at)?.data_type(), sink.prefers_keys(*start));
        let types = fields.iter().map(read_as).collect();
        Wanted { fields, types, schema: with_keys }
    }

    pub fn fields(&self) -> Vec<usize> {
        self.fields.iter().map(|(at, _)| *at).collect()
    }

    /// A batch of the wanted fields, in the types that are wanted.
    pub fn typed(&self, file: &DataFile, batch: &RecordBatch) -> Result<RecordBatch, ReadError> {
        let schema = batch.schema();
        let columns = batch.columns().iter().zip(&self.types).map(|(column, data_type)| match data_type {
            Some(data_type) => cast(column, data_type),
            None => Ok(Arc::clone(column)),
        });
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(|e| unreadable(file, &e))?;
        let typed = schema.fields().iter().zip(&columns);
        let typed = typed.map(|(field, column)| field.as_ref().clone().with_data_type(column.data_type().clone()));
        let schema = Arc::new(Schema::new(typed.collect::<Vec<_>>()));
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(schema, columns, &options).map_err(|e| unreadable(file, &e))
    }
}

/// The rows of a file, which says at its end where its parts are.
fn read_file(
    file: &DataFile,
    mut opened: impl Read + Seek,
    meter: &Meter,
    sink: &mut dyn RowSink,
) -> Result<(), ReadError> {
    let error = |e: &dyn Display| unreadable(file, e);
    let size = opened.seek(SeekFrom::End(0)).map_err(|e| file.error(&e))?;
    let end_at = size.checked_sub(END_BYTES).ok_or_else(|| ends_early(file))?;
    let end = part(file, &mut opened, size, end_at, END_BYTES)?;
    let end: [u8; END_BYTES as usize] = end.try_into().map_err(|_| ends_early(file))?;
    let length = read_footer_length(end).map_err(|_| ends_early(file))? as u64;
    let footer_at = end_at.checked_sub(length).ok_or_else(|| damaged(file))?;
    let footer = part(file, &mut opened, size, footer_at, length)?;
    let footer = root_as_footer(&footer).map_err(|_| damaged(file))?;
    let schema = footer.schema().ok_or_else(|| damaged(file))?;
    let schema = Arc::new(guarded(file, || try_fb_to_schema(schema).map_err(|e| error(&e)))?);
    let wanted = Wanted::of(&schema, sink);
    let mut decoder = FileDecoder::new(schema, footer.version()).with_projection(wanted.fields());
    let mut message = |block: &Block| {
        let (at, header) = (u64::try_from(block.offset()), u64::try_from(block.metaDataLength()));
        let (Ok(at), Ok(header), Ok(body)) = (at, header, u64::try_from(block.bodyLength())) else {
            return Err(damaged(file));
        };
        let message = part(file, &mut opened, size, at, header.checked_add(body).ok_or_else(|| damaged(file))?)?;
        let (before, body) = message.split_at_checked(header as usize).ok_or_else(|| damaged(file))?;
        let header = message_header(before).ok_or_else(|| damaged(file))?;
        if !can_be_unpacked(&header, body) {
            return Err(damaged(file));
        }
        meter.read(message.len() as u64);
        Ok(Buffer::from_vec(message))
    };
    for block in footer.dictionaries().into_iter().flatten() {
        let message = message(block)?;
        guarded(file, || decoder.read_dictionary(block, &message).map_err(|e| error(&e)))?;
    }
    let mut feed = Feed::new(&wanted.schema, &wanted.fields, sink);
    let mut together: Vec<RecordBatch> = Vec::with_capacity(ROUND);
    for block in footer.recordBatches().into_iter().flatten() {
        let message = message(block)?;
        let batch = guarded(file, || decoder.read_record_batch(block, &message).map_err(|e| error(&e)))?;
        if let Some(batch) = batch {
            together.push(wanted.typed(file, &batch)?);
        }
        if together.len() == ROUND {
            feed.batches(&together, false);
            together.clear();
        }
    }
    feed.batches(&together, false);
    Ok(())
}

/// Some bytes of a file that has so many.
fn part(
    file: &DataFile,
    opened: &mut (impl Read + Seek),
    size: u64,
    at: u64,
    length: u64,
) -> Result<Vec<u8>, ReadError> {
    if at.checked_add(length).is_none_or(|end| end > size) {
        return Err(damaged(file));
    }
    opened.seek(SeekFrom::Start(at)).map_err(|e| file.error(&e))?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    let n = opened.take(length).read_to_end(&mut bytes).map_err(|e| file.error(&e))?;
    if n as u64 == length { Ok(bytes) } else { Err(ends_early(file)) }
}

/// The rows of a stream, which says first what its columns are.
fn read_stream(file: &DataFile, stream: Box<dyn Read>, sink: &mut dyn RowSink) -> Result<(), ReadError> {
    let error = |e: &dyn Display| unreadable(file, e);
    let mut messages = Messages { file, stream };
    let mut decoder = StreamDecoder::new();
    // A message without a body is decoded when the next one comes.
    let mut decode = |message: Buffer| {
        guarded(file, || {
            let (mut rest, mut batches) = (message, Vec::new());
            while !rest.is_empty() {
                batches.extend(decoder.decode(&mut rest).map_err(|e| error(&e))?);
            }
            Ok(batches)
        })
    };
    let Some(first) = messages.next()? else { return Err(error(&"it holds nothing")) };
    let schema = message_header(&first).and_then(|header| header.header_as_schema());
    let schema = schema.ok_or_else(|| error(&"it does not say what its columns are"))?;
    let schema = guarded(file, || try_fb_to_schema(schema).map_err(|e| error(&e)))?;
    decode(first)?;
    let wanted = Wanted::of(&schema, sink);
    let fields = wanted.fields();
    let mut feed = Feed::new(&wanted.schema, &wanted.fields, sink);
    let mut together: Vec<RecordBatch> = Vec::with_capacity(ROUND);
    while let Some(message) = messages.next()? {
        for batch in decode(message)? {
            let batch = batch.project(&fields).map_err(|e| error(&e))?;
            together.push(wanted.typed(file, &batch)?);
        }
        if together.len() >= ROUND {
            feed.batches(&together, false);
            together.clear();
        }
    }
    feed.batches(&together, false);
    Ok(())
}

/// The messages of a stream, each with what stands before it, as the decoder takes it.
struct Messages<'f> {
    file: &'f DataFile,
    stream: Box<dyn Read>,
}

impl Messages<'_> {
    /// The next message; none behind the last.
    fn next(&mut self) -> Result<Option<Buffer>, ReadError> {
        let mut message = Vec::new();
        let mut length = self.length(&mut message)?;
        if length == Some(MESSAGE_MARK) {
            // A mark without a length is no end.
            length = Some(self.length(&mut message)?.ok_or_else(|| ends_early(self.file))?);
        }
        let length = length.map_or(0, u32::from_le_bytes);
        if length == 0 {
            return Ok(None);
        }
        self.take(length.into(), &mut message)?;
        let body_length = message_header(&message).map(|header| u64::try_from(header.bodyLength()));
        let Some(Ok(body_length)) = body_length else { return Err(damaged(self.file)) };
        let begin = message.len();
        self.take(body_length, &mut message)?;
        let (before, body) = message.split_at_checked(begin).ok_or_else(|| damaged(self.file))?;
        if !message_header(before).is_some_and(|header| can_be_unpacked(&header, body)) {
            return Err(damaged(self.file));
        }
        Ok(Some(Buffer::from_vec(message)))
    }

    /// Four bytes, which are kept as well; none where the stream ends before them.
    fn length(&mut self, message: &mut Vec<u8>) -> Result<Option<[u8; 4]>, ReadError> {
        let mut bytes = Vec::new();
        self.stream.by_ref().take(4).read_to_end(&mut bytes).map_err(|e| self.file.error(&e))?;
        message.extend_from_slice(&bytes);
        match bytes.as_slice() {
            [] => Ok(None),
            bytes => bytes.try_into().map(Some).map_err(|_| ends_early(self.file)),
        }
    }

    /// So many bytes more.
    fn take(&mut self, length: u64, to: &mut Vec<u8>) -> Result<(), ReadError> {
        let n = self.stream.by_ref().take(length).read_to_end(to).map_err(|e| self.file.error(&e))?;
        if n as u64 == length { Ok(()) } else { Err(ends_early(self.file)) }
    }
}

/// What is said of a message, behind its marks; none where it is damaged.
fn message_header(message: &[u8]) -> Option<Message<'_>> {
    let marks = if message.starts_with(&MESSAGE_MARK) { 8 } else { 4 };
    root_as_message(message.get(marks..)?).ok()
}

/// Whether each packed part of a message says that it unpacks to a length that can be.
fn can_be_unpacked(message: &Message<'_>, body: &[u8]) -> bool {
    let of_batch = |batch: BatchHeader<'_>| {
        let is_packed = batch.compression().is_some();
        !is_packed
            || batch.buffers().into_iter().flatten().all(|part| {
                let begin = usize::try_from(part.offset()).ok();
                let length = begin.and_then(|at| body.get(at..)?.first_chunk::<8>());
                // A part that is not there at all is for the decoder to tell of.
                part.length() < 8 || length.is_some_and(|length| i64::from_le_bytes(*length) <= PART_MAX)
            })
    };
    let batch = message.header_as_record_batch();
    let dictionary = message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
    batch.into_iter().chain(dictionary).all(of_batch)
}
