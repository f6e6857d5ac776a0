//! Rows of Parquet files.

use super::RowSink;
use super::arrays::{Feed, ROUND, columns_of, read_as, wanted_fields};
use crate::guard::guarded;
use crate::open::DataFile;
use crate::report::ReadError;
use arrow_array::RecordBatch;
use arrow_schema::{DataType, FieldRef, Fields, Schema, TimeUnit};
use parquet::arrow::ARROW_SCHEMA_META_KEY;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Type as Physical;
use parquet::file::metadata::{FileMetaData, KeyValue};
use seg_data::parallel;
use std::fmt::Display;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows that are unpacked together.
const ROWS: usize = 32_768;
/// So many batches wait to be taken, of each group that is unpacked, so that the
/// group behind the one being taken is unpacked meanwhile.
const BATCHES: usize = 16;

pub(super) fn read(
    file: &DataFile,
    read: &Arc<AtomicU64>,
    threads: NonZero<usize>,
    sink: &mut dyn RowSink,
) -> Result<(), ReadError> {
    let error = |what: &dyn Display| unreadable(file, what);
    let opened = file.open()?;
    let metadata =
        guarded(file, || ArrowReaderMetadata::load(&opened, ArrowReaderOptions::new()).map_err(|e| error(&e)))?;
    let (names, starts) = columns_of(metadata.schema());
    let n_rows = metadata.metadata().file_metadata().num_rows().max(1) as u64;
    let size = file.size();
    sink.columns(&names);
    // Fields that nobody looks at are not even decompressed.
    let wanted = wanted_fields(sink, names.len(), &starts);
    let fields = with_instants(metadata.schema().fields(), metadata.metadata().file_metadata());
    // Texts mostly lie in files as keys, and stay so.
    let fields = fields.iter().zip(&starts).map(|(field, start)| {
        let read_as = read_as(field.data_type(), sink.prefers_keys(*start));
        read_as.map_or_else(|| Arc::clone(field), |ty| Arc::new(field.as_ref().clone().with_data_type(ty)))
    });
    let schema = Schema::new_with_metadata(fields.collect::<Fields>(), metadata.schema().metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options).map_err(|e| error(&e))?;
    let fields: Vec<usize> = wanted.iter().map(|(at, _)| *at).collect();
    let before = read.load(Ordering::Relaxed);
    let mut feed = Feed::new(&wanted, sink);
    unpack(file, &metadata, &fields, threads, &mut |batches| {
        feed.batches(batches);
        read.store(before + size * feed.line.min(n_rows) / n_rows, Ordering::Relaxed);
    })
}

/// The fields with times of 96 bits as instants: tools that write these, such as Spark,
/// write UTC and have no other way to say so. Where a writer left its own types, these say it.
fn with_instants(fields: &Fields, metadata: &FileMetaData) -> Fields {
    let has_types = |pairs: &Vec<KeyValue>| pairs.iter().any(|pair| pair.key == ARROW_SCHEMA_META_KEY);
    if metadata.key_value_metadata().is_some_and(has_types) {
        return fields.clone();
    }
    let mut leaves = metadata.schema_descr().columns().iter().map(|leaf| leaf.physical_type() == Physical::INT96);
    fields.iter().map(|field| with_instant(field, &mut leaves)).collect()
}

fn with_instant(field: &FieldRef, leaves: &mut dyn Iterator<Item = bool>) -> FieldRef {
    let mut inner = |field: &FieldRef| with_instant(field, leaves);
    let data_type = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::List(item) => DataType::List(inner(item)),
        DataType::LargeList(item) => DataType::LargeList(inner(item)),
        DataType::Map(entries, is_sorted) => DataType::Map(inner(entries), *is_sorted),
        other => match leaves.next() {
            Some(true) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Some(false) | None => other.clone(),
        },
    };
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

/// Unpacks some fields of all rows and hands them on in their order. So many
/// threads unpack groups of rows ahead, each a group at a time, while this one
/// takes what they have, some batches together.
fn unpack(
    file: &DataFile,
    metadata: &ArrowReaderMetadata,
    fields: &[usize],
    threads: NonZero<usize>,
    take: &mut dyn FnMut(&[RecordBatch]),
) -> Result<(), ReadError> {
    let error = |what: &dyn Display| unreadable(file, what);
    let reader = |group: usize| {
        // Whoever reads a file through a copy of a handle moves the other's place.
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file.open()?, metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), fields.iter().copied());
        let builder = builder.with_projection(mask).with_batch_size(ROWS).with_row_groups(vec![group]);
        builder.build().map_err(|e| error(&e))
    };
    type Unpacked = Result<RecordBatch, ReadError>;
    let groups = 0..metadata.metadata().num_row_groups();
    let (to, from): (Vec<SyncSender<Unpacked>>, Vec<_>) = groups.map(|_| sync_channel::<Unpacked>(BATCHES)).unzip();
    let to = Mutex::new(to.into_iter().enumerate());
    let run = || {
        let next = || to.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some((group, to)) = next() {
            let unpacked = guarded(file, || {
                let mut batches = reader(group)?;
                Ok(batches.try_for_each(|batch| to.send(batch.map_err(|e| error(&e)))).is_ok())
            });
            // Whoever no longer listens has met an error.
            let is_heard = unpacked.unwrap_or_else(|error| to.send(Err(error)).is_ok());
            if !is_heard {
                return;
            }
        }
    };
    parallel::beside(threads.get().min(from.len()), run, || {
        let mut together = Vec::with_capacity(ROUND);
        for batch in from.into_iter().flatten() {
            together.push(batch?);
            if together.len() == ROUND {
                take(&together);
                together.clear();
            }
        }
        take(&together);
        Ok(())
    })
}

fn unreadable(file: &DataFile, what: &dyn Display) -> ReadError {
    ReadError::new(&file.name, format!("not a readable Parquet file: {what}"))
}
