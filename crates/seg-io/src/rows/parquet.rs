//! Rows of Parquet files.

use super::RowSink;
use super::arrays::{Feed, ROUND, columns_of, read_as, wanted_fields};
use super::maps::with_keys;
use super::pruning::{Left, Pruning, Span};
use crate::guard::guarded;
use crate::meter::Meter;
use crate::objects::{Chunks, chunks_of};
use crate::open::DataFile;
use crate::report::ReadError;
use crate::values::Ids;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt32Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, FieldRef, Fields, Schema, TimeUnit};
use parquet::arrow::ARROW_SCHEMA_META_KEY;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Type as Physical;
use parquet::file::metadata::{FileMetaData, KeyValue, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use seg_data::time::DAY;
use seg_data::{Timestamp, Zone, parallel};
use std::fmt::Display;
use std::num::NonZero;
use std::ops::{Range, RangeInclusive};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows that are unpacked together.
const ROWS: usize = 32_768;
/// So many batches wait to be taken, of each group that is unpacked, so that the
/// group behind the one being taken is unpacked meanwhile.
const BATCHES: usize = 16;

pub(super) fn read(
    file: &DataFile,
    meter: &Arc<Meter>,
    threads: NonZero<usize>,
    sink: &mut dyn RowSink,
) -> Result<(), ReadError> {
    let error = |what: &dyn Display| unreadable(file, what);
    let metadata = metadata_of(file)?;
    let with_keys = with_keys(metadata.schema(), &sink.known_columns());
    let (names, starts) = columns_of(&with_keys);
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
    let groups = Groups::new(sink, &metadata, &starts);
    let before = meter.n_passed();
    let mut feed = Feed::new(&with_keys, &wanted, sink);
    let fields = wanted.iter().map(|(at, _)| *at).collect();
    let source = Source { file, metadata: &metadata, meter, wanted: fields, groups };
    source.unpack(threads, &mut |part| {
        match part {
            Part::Rows { batches, are_known } => feed.batches(batches, are_known),
            Part::Left(left) => feed.left(left),
        }
        let share = feed.line.min(n_rows) as f64 / n_rows as f64;
        meter.pass(before + (size as f64 * share) as u64);
    })
}

/// How many rows a file has, by its footer.
///
/// # Errors
/// A file that is no Parquet.
pub(crate) fn n_rows(file: &DataFile) -> Result<u64, ReadError> {
    let metadata = metadata_of(file)?;
    Ok(u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0))
}

/// Feeds the first rows of a file into `sink`, so many at most.
///
/// # Errors
/// A file that is no Parquet.
pub(crate) fn read_first(file: &DataFile, n_rows: usize, sink: &mut dyn RowSink) -> Result<(), ReadError> {
    let metadata = metadata_of(file)?;
    let (names, starts) = columns_of(metadata.schema());
    sink.columns(&names);
    let wanted = wanted_fields(sink, names.len(), &starts);
    let mut feed = Feed::new(metadata.schema(), &wanted, sink);
    let mask = ProjectionMask::roots(metadata.parquet_schema(), wanted.iter().map(|(at, _)| *at));
    let groups = first_groups(metadata.metadata().row_groups(), n_rows);
    let chunks = chunks_of(file, groups.iter().flat_map(|group| ranges(group, &mask)));
    let chunks = chunks.map_err(|e| file.error(&e))?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks, metadata.clone());
    let builder = builder.with_projection(mask).with_batch_size(ROWS).with_limit(n_rows);
    guarded(file, || {
        for batch in builder.build().map_err(|e| unreadable(file, &e))? {
            feed.batches(&[batch.map_err(|e| unreadable(file, &e))?], false);
        }
        Ok(())
    })
}

fn metadata_of(file: &DataFile) -> Result<ArrowReaderMetadata, ReadError> {
    let opened = Chunks::of_end(file).map_err(|e| file.error(&e))?;
    guarded(file, || ArrowReaderMetadata::load(&opened, ArrowReaderOptions::new()).map_err(|e| unreadable(file, &e)))
}

/// When the last event of a file was at the latest, by its statistics; none where these
/// do not say.
///
/// # Errors
/// A file that is no Parquet.
pub(crate) fn latest_of(file: &DataFile, time: &str, zone: Option<Zone>) -> Result<Option<Timestamp>, ReadError> {
    let metadata = metadata_of(file)?;
    let (names, starts) = columns_of(metadata.schema());
    let leaf = names.iter().position(|name| name == time).and_then(|at| Column::new(&metadata, at, &starts));
    let spans = leaf.map(|leaf| metadata.metadata().row_groups().iter().map(move |group| leaf.span(group, zone)));
    let untils: Option<Vec<Timestamp>> = spans.and_then(|spans| spans.map(|span| Some(span?.until)).collect());
    Ok(untils.map(|untils| untils.into_iter().max().unwrap_or(Timestamp::MIN)))
}

/// What statistics say of the groups of rows of a file.
struct Groups {
    pruning: Pruning,
    /// The fields of whose and what the events are.
    id_field: usize,
    event_field: usize,
    /// For each group, when its events were, and whether everybody in it was met before
    /// and exists.
    of_group: Vec<(Option<Span>, bool)>,
    believed: Vec<Believed>,
}

/// A column whose statistics were believed.
struct Believed {
    column: Column,
    /// What these say of each group: the least and the greatest value.
    bounds: Vec<Option<(i64, i64)>>,
}

impl Groups {
    /// None where the sink needs all of the file.
    fn new(sink: &dyn RowSink, metadata: &ArrowReaderMetadata, starts: &[usize]) -> Option<Groups> {
        let pruning = sink.pruning()?;
        let times = Column::new(metadata, pruning.time_at, starts);
        let ids = Column::new(metadata, pruning.id_at, starts)?;
        let event_field = Column::new(metadata, pruning.event_at, starts)?.field;
        // Groups mostly have the same people: what was looked up once need not be again.
        let mut known: Option<RangeInclusive<i64>> = None;
        let mut is_known = |group: &RowGroupMetaData| {
            let Some(numbers) = ids.numbers(group).filter(|_| pruning.all_exist) else { return false };
            let is_within =
                |known: &RangeInclusive<i64>| known.contains(numbers.start()) && known.contains(numbers.end());
            let is_known = known.as_ref().is_some_and(is_within) || sink.knows(numbers.clone());
            if is_known {
                let (first, last) = numbers.into_inner();
                // Together they are known where one begins no later than the other ends.
                known = match known.take() {
                    Some(known)
                        if first <= known.end().saturating_add(1) && *known.start() <= last.saturating_add(1) =>
                    {
                        Some(first.min(*known.start())..=last.max(*known.end()))
                    }
                    _ => Some(first..=last),
                };
            }
            is_known
        };
        let spans = |group: &RowGroupMetaData| times.as_ref().and_then(|times| times.span(group, sink.zone()));
        let groups = metadata.metadata().row_groups();
        let of_group = groups.iter().map(|group| (spans(group), is_known(group))).collect();
        let id_field = ids.field;
        let believed = times.into_iter().chain([ids]).map(|column| {
            let bounds = groups.iter().map(|group| column.bounds(group)).collect();
            Believed { column, bounds }
        });
        Some(Groups { id_field, event_field, of_group, believed: believed.collect(), pruning })
    }
}

/// A column of single values, of which statistics are kept.
struct Column {
    /// Among the fields of the file.
    field: usize,
    /// Among the columns that are stored.
    leaf: usize,
    data_type: DataType,
}

impl Column {
    /// The column of such a number, where it is a field of its own.
    fn new(metadata: &ArrowReaderMetadata, at: usize, starts: &[usize]) -> Option<Column> {
        let field = starts.iter().position(|start| *start == at)?;
        let data_type = metadata.schema().fields().get(field)?.data_type().clone();
        let columns = metadata.parquet_schema();
        let mut leaves = (0..columns.num_columns()).filter(|leaf| columns.get_column_root_idx(*leaf) == field);
        match (leaves.next(), leaves.next()) {
            (Some(leaf), None) => Some(Column { field, leaf, data_type }),
            _ => None,
        }
    }

    /// The least and the greatest value of a group in which none is missing.
    fn bounds(&self, group: &RowGroupMetaData) -> Option<(i64, i64)> {
        let statistics = group.columns().get(self.leaf)?.statistics()?;
        if statistics.null_count_opt() != Some(0) {
            return None;
        }
        let is_unsigned = matches!(self.data_type, DataType::UInt32);
        let small = |n: i32| if is_unsigned { i64::from(n as u32) } else { i64::from(n) };
        let (least, greatest) = match statistics {
            Statistics::Int32(of) => (small(*of.min_opt()?), small(*of.max_opt()?)),
            Statistics::Int64(of) => (*of.min_opt()?, *of.max_opt()?),
            Statistics::Boolean(_)
            | Statistics::Int96(_)
            | Statistics::Float(_)
            | Statistics::Double(_)
            | Statistics::ByteArray(_)
            | Statistics::FixedLenByteArray(_) => return None,
        };
        (least <= greatest).then_some((least, greatest))
    }

    /// The whole numbers among which those of a group are.
    fn numbers(&self, group: &RowGroupMetaData) -> Option<RangeInclusive<i64>> {
        let are_numbers = matches!(
            self.data_type,
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::UInt32
        );
        let (least, greatest) = self.bounds(group).filter(|_| are_numbers)?;
        Some(least..=greatest)
    }

    /// When the events of a group were.
    fn span(&self, group: &RowGroupMetaData, zone: Option<Zone>) -> Option<Span> {
        let DataType::Timestamp(unit, offset) = &self.data_type else { return None };
        let micros = |n: i64| match unit {
            TimeUnit::Second => n.checked_mul(1_000_000),
            TimeUnit::Millisecond => n.checked_mul(1_000),
            TimeUnit::Microsecond => Some(n),
            TimeUnit::Nanosecond => Some(n.div_euclid(1_000)),
        };
        let (least, greatest) = self.bounds(group)?;
        let (first, last) = (Timestamp(micros(least)?), Timestamp(micros(greatest)?));
        if !first.is_in_range() || !last.is_in_range() {
            return None;
        }
        match zone.filter(|zone| offset.is_none() && *zone != Zone::UTC) {
            None => Some(Span { latest: last, until: last }),
            // Clocks go back by less than a day, so that a later time there is no later one.
            // Where they did within a day before, an earlier time may be a later instant; and
            // the first of all days may begin before instants do.
            Some(zone) => {
                let (latest, until) = (zone.instant_of(last)?, Timestamp(last.0.checked_add(DAY)?));
                let before = zone.instant_of(Timestamp(last.0.checked_sub(DAY)?))?;
                zone.instant_of(first)?;
                (latest.0 - before.0 == DAY).then_some(Span { latest, until })
            }
        }
    }
}

/// The least and the greatest of some numbers as they are stored; none where there are none.
fn extent(values: &ArrayRef) -> Option<(i64, i64)> {
    fn of<T: ArrowPrimitiveType>(values: &ArrayRef, number: impl Fn(T::Native) -> i64) -> Option<(i64, i64)> {
        let values = values.as_primitive_opt::<T>()?;
        let widened = |(first, last): (i64, i64), n: i64| (first.min(n), last.max(n));
        let all = match values.null_count() {
            0 => values.values().iter().map(|n| number(*n)).fold((i64::MAX, i64::MIN), widened),
            _ => values.iter().flatten().map(number).fold((i64::MAX, i64::MIN), widened),
        };
        Some(all).filter(|(first, last)| first <= last)
    }
    match values.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => of::<TimestampSecondType>(values, |n| n),
        DataType::Timestamp(TimeUnit::Millisecond, _) => of::<TimestampMillisecondType>(values, |n| n),
        DataType::Timestamp(TimeUnit::Microsecond, _) => of::<TimestampMicrosecondType>(values, |n| n),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => of::<TimestampNanosecondType>(values, |n| n),
        DataType::Int64 => of::<Int64Type>(values, |n| n),
        DataType::Int32 => of::<Int32Type>(values, i64::from),
        DataType::UInt32 => of::<UInt32Type>(values, i64::from),
        // Statistics of others are not believed.
        _ => None,
    }
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

/// A file that is unpacked.
struct Source<'f> {
    file: &'f DataFile,
    metadata: &'f ArrowReaderMetadata,
    meter: &'f Meter,
    /// The fields that somebody looks at.
    wanted: Vec<usize>,
    groups: Option<Groups>,
}

/// Some rows of a file.
enum Part<'p> {
    Rows {
        batches: &'p [RecordBatch],
        are_known: bool,
    },
    /// Rows that were left there.
    Left(&'p Left),
}

/// What a thread has unpacked.
enum Unpacked {
    Batch { batch: RecordBatch, are_known: bool },
    Left(Left),
}

impl Source<'_> {
    /// Unpacks all rows that decide anything and hands them on in their order. So many
    /// threads unpack groups of rows ahead, each a group at a time, while this one
    /// takes what they have, some batches together.
    fn unpack(&self, threads: NonZero<usize>, take: &mut dyn FnMut(Part<'_>)) -> Result<(), ReadError> {
        type Sender = SyncSender<Result<Unpacked, ReadError>>;
        let groups = 0..self.metadata.metadata().num_row_groups();
        let (to, from): (Vec<Sender>, Vec<_>) = groups.map(|_| sync_channel(BATCHES)).unzip();
        let to = Mutex::new(to.into_iter().enumerate());
        let run = || {
            let next = || to.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((group, to)) = next() {
                let send = |unpacked| to.send(unpacked).is_ok();
                let unpacked = guarded(self.file, || self.unpack_group(group, &send));
                // Whoever no longer listens has met an error.
                let is_heard = unpacked.unwrap_or_else(|error| send(Err(error)));
                if !is_heard {
                    return;
                }
            }
        };
        parallel::beside(threads.get().min(from.len()), run, || {
            let mut together = Together { batches: Vec::with_capacity(ROUND), are_known: false };
            for unpacked in from.into_iter().flatten() {
                match unpacked? {
                    Unpacked::Left(left) => {
                        together.hand_on(take);
                        take(Part::Left(&left));
                    }
                    Unpacked::Batch { batch, are_known } => {
                        if together.batches.len() == ROUND || together.are_known != are_known {
                            together.hand_on(take);
                        }
                        together.are_known = are_known;
                        together.batches.push(batch);
                    }
                }
            }
            together.hand_on(take);
            Ok(())
        })
    }

    /// Unpacks what decides anything of a group; says whether somebody listens.
    fn unpack_group(
        &self,
        group: usize,
        send: &dyn Fn(Result<Unpacked, ReadError>) -> bool,
    ) -> Result<bool, ReadError> {
        if let Some(left) = self.left(group)? {
            return Ok(send(Ok(Unpacked::Left(left))));
        }
        let of_group = self.groups.as_ref().and_then(|groups| groups.of_group.get(group));
        let are_known = of_group.is_some_and(|(_, are_known)| *are_known);
        for batch in self.batches(group, &self.wanted)? {
            let batch = batch.and_then(|batch| self.believe(group, &batch).map(|()| batch));
            if !send(batch.map(|batch| Unpacked::Batch { batch, are_known })) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Compares rows with what the statistics of their group say of them: where these are
    /// wrong of rows that are read, nobody knows what they hide.
    fn believe(&self, group: usize, batch: &RecordBatch) -> Result<(), ReadError> {
        let believed = self.groups.iter().flat_map(|groups| &groups.believed);
        for Believed { column, bounds } in believed {
            let Some((least, greatest)) = bounds.get(group).copied().flatten() else { continue };
            let place = self.wanted.iter().filter(|field| **field < column.field).count();
            let values = batch.columns().get(place).filter(|_| self.wanted.contains(&column.field));
            let Some((first, last)) = values.and_then(extent) else { continue };
            if first < least || last > greatest {
                let fields = self.metadata.schema().fields();
                let name = fields.get(column.field).map_or("", |field| field.name());
                let why = format!("its statistics are wrong: column `{name}` has values outside of what they say");
                let help = "`--strict` reads all of it without them, and so does a file that is written anew";
                return Err(ReadError::new(&self.file.name, format!("{why}; {help}")));
            }
        }
        Ok(())
    }

    /// The rows of a group, where they decide nothing but who exists.
    fn left(&self, group: usize) -> Result<Option<Left>, ReadError> {
        let Some(groups) = &self.groups else { return Ok(None) };
        let Some((Some(span), are_known)) = groups.of_group.get(group) else { return Ok(None) };
        if span.until > groups.pruning.at || groups.pruning.wants_all(*span) {
            return Ok(None);
        }
        let names = self.batches(group, &[groups.event_field])?.collect::<Result<Vec<_>, _>>()?;
        let counts = groups.pruning.counts(&names);
        let Some(counts) = counts.filter(|counts| groups.pruning.decide_nothing(counts, *span)) else {
            return Ok(None);
        };
        let asks_who = groups.pruning.ask_for_existence(&counts);
        let mut ids = Vec::new();
        if !are_known || asks_who {
            for batch in self.batches(group, &[groups.id_field])? {
                ids.extend(batch?.columns().first().cloned());
            }
            // Whoever has no id is told of row by row.
            if !ids.iter().all(|ids| Ids::new(ids).is_some()) {
                return Ok(None);
            }
        }
        let n_rows = names.iter().map(|batch| batch.num_rows() as u64).sum();
        let names = names.iter().filter_map(|batch| batch.columns().first().cloned());
        let names = if asks_who { names.collect() } else { Vec::new() };
        Ok(Some(Left { n_rows, counts, latest: span.latest, are_known: *are_known, ids, names }))
    }

    /// Some fields of a group.
    fn batches(
        &self,
        group: usize,
        fields: &[usize],
    ) -> Result<impl Iterator<Item = Result<RecordBatch, ReadError>>, ReadError> {
        let error = |what: &dyn Display| unreadable(self.file, what);
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), fields.iter().copied());
        let wanted = self.metadata.metadata().row_groups().get(group).into_iter();
        let chunks = chunks_of(self.file, wanted.flat_map(|group| ranges(group, &mask)));
        // Whoever reads a file through a copy of a handle moves the other's place.
        let chunks = chunks.map_err(|e| self.file.error(&e))?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks, self.metadata.clone());
        let columns = self.metadata.metadata().row_groups().get(group).map_or(&[][..], RowGroupMetaData::columns);
        let read = columns.iter().enumerate().filter(|(leaf, _)| mask.leaf_included(*leaf));
        self.meter.read_part(read.map(|(_, column)| column.compressed_size().unsigned_abs()).sum());
        let builder = builder.with_projection(mask).with_batch_size(ROWS).with_row_groups(vec![group]);
        let batches = builder.build().map_err(|e| error(&e))?;
        Ok(batches.map(move |batch| batch.map_err(|e| unreadable(self.file, &e))))
    }
}

/// Batches that are offered together, of groups of which the same is known.
struct Together {
    batches: Vec<RecordBatch>,
    are_known: bool,
}

impl Together {
    fn hand_on(&mut self, take: &mut dyn FnMut(Part<'_>)) {
        take(Part::Rows { batches: &self.batches, are_known: self.are_known });
        self.batches.clear();
    }
}

/// Where the columns of a group lie that are wanted.
fn ranges(group: &RowGroupMetaData, mask: &ProjectionMask) -> impl Iterator<Item = Range<u64>> {
    let columns = group.columns().iter().enumerate().filter(|(leaf, _)| mask.leaf_included(*leaf));
    // What a damaged file says that cannot be is told of when it is read.
    columns.filter_map(|(_, column)| {
        let begin = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
        let (begin, length) = (u64::try_from(begin).ok()?, u64::try_from(column.compressed_size()).ok()?);
        Some(begin..begin.checked_add(length)?)
    })
}

/// The groups that so many first rows are in.
fn first_groups(groups: &[RowGroupMetaData], n_rows: usize) -> &[RowGroupMetaData] {
    let mut left = n_rows as u64;
    let mut n_groups = 0;
    while left > 0
        && let Some(group) = groups.get(n_groups)
    {
        left = left.saturating_sub(group.num_rows().unsigned_abs());
        n_groups += 1;
    }
    groups.get(..n_groups).unwrap_or_default()
}

fn unreadable(file: &DataFile, what: &dyn Display) -> ReadError {
    if let Some(failure) = file.failure() {
        return failure;
    }
    ReadError::new(&file.name, format!("not a readable Parquet file: {what}"))
}
