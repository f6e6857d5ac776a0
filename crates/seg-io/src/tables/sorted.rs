//! Rows of one table of profiles and events that come sorted by person, cut where one person
//! ends: whoever brings them, such as a partition of a cluster, cuts people anywhere.

use super::{TableReader, TablesRequest};
use crate::manifest::{EventFiles, MergeFiles, ProfileFiles, Reading};
use crate::people::one_spelling;
use crate::report::ReadError;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchIterator, StringArray, StructArray};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema};
use arrow_select::filter::filter_record_batch;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the columns of such a table are. A row without the name of an event is of a profile;
/// every other column is a property of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortedColumns {
    /// The column of profile ids, by which the rows are sorted.
    pub id: String,
    /// The column of the ids that the rows came with, where ids were merged and `id` says whose
    /// they are now. What an id that was merged says of somebody counts less than what their own
    /// says.
    pub own_id: Option<String>,
    /// The column of event names; null in the row of a profile.
    pub event: String,
    /// The column of times: of an event when it was, of a profile since when the row holds,
    /// which may be null.
    pub time: String,
    /// The column of structs that hold the attributes; null in the row of an event. None where
    /// nothing is known of people but their events.
    pub profile: Option<String>,
}

/// The columns of which ids were merged into which.
const FROM: &str = "from";
const INTO: &str = "into";

/// Rows that came and were not handed out yet.
#[derive(Debug)]
pub struct SortedTables {
    columns: SortedColumns,
    /// From so many rows on they are handed out.
    n_rows: usize,
    held: Vec<RecordBatch>,
    n_held: usize,
    /// Whose rows came last.
    last: Option<String>,
    /// Where the rows of that person begin: in which of the batches, and in which row of it.
    tail: (usize, usize),
    /// How many rows of that person came.
    n_of_last: u64,
    large: Vec<LargePerson>,
}

/// Somebody of whom there are so many rows that whoever takes them has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargePerson {
    /// Their id.
    pub id: String,
    /// How many rows of theirs there are.
    pub rows: u64,
}

/// Who has more rows than this is told of: all rows of a person are in memory at once.
pub const LARGE_ROWS: u64 = 1_000_000;

impl SortedTables {
    /// Nothing yet. Whole people are handed out when there are at least so many rows.
    pub fn new(columns: SortedColumns, n_rows: usize) -> SortedTables {
        SortedTables {
            columns,
            n_rows: n_rows.max(1),
            held: Vec::new(),
            n_held: 0,
            last: None,
            tail: (0, 0),
            n_of_last: 0,
            large: Vec::new(),
        }
    }

    /// Takes the next rows, and hands out those of whole people where there are enough: all but
    /// the rows of the last person, of whom more may come.
    ///
    /// # Errors
    /// A batch without one of the columns, or whose ids are neither texts nor numbers.
    pub fn push(&mut self, batch: RecordBatch) -> Result<Option<Vec<RecordBatch>>, ReadError> {
        if batch.num_rows() == 0 {
            return Ok(None);
        }
        let ids = texts(&batch, &self.columns.id)?;
        let id = |row: usize| ids.is_valid(row).then(|| one_spelling(ids.value(row)));
        let last = id(batch.num_rows() - 1);
        let begin = (0..batch.num_rows()).rev().take_while(|row| id(*row) == last).last().unwrap_or_default();
        let goes_on = id(0) == self.last.as_deref();
        if begin > 0 || self.held.is_empty() || self.last.as_deref() != last {
            self.tail = (self.held.len(), begin);
        }
        let n_of_first = (0..batch.num_rows()).take_while(|row| id(*row) == id(0)).count() as u64;
        self.n_of_last = if goes_on { self.n_of_last + n_of_first } else { n_of_first };
        self.note_large(id(0));
        if begin > 0 {
            self.n_of_last = (batch.num_rows() - begin) as u64;
            self.note_large(last);
        }
        self.last = last.map(str::to_owned);
        self.n_held += batch.num_rows();
        self.held.push(batch);
        let is_enough = self.n_held >= self.n_rows && self.tail != (0, 0);
        Ok(is_enough.then(|| self.without_tail()))
    }

    /// Who has more than [`LARGE_ROWS`] rows, as far as they came. A batch is taken to hold fewer.
    pub fn large(&self) -> &[LargePerson] {
        &self.large
    }

    /// Notes how many rows of somebody came by now, where they are many.
    fn note_large(&mut self, id: Option<&str>) {
        let Some(id) = id.filter(|_| self.n_of_last > LARGE_ROWS) else { return };
        match self.large.last_mut().filter(|large| large.id == id) {
            Some(large) => large.rows = self.n_of_last,
            None => self.large.push(LargePerson { id: id.to_owned(), rows: self.n_of_last }),
        }
    }

    /// All that is left.
    pub fn finish(self) -> Vec<RecordBatch> {
        self.held
    }

    fn without_tail(&mut self) -> Vec<RecordBatch> {
        let (at, row) = self.tail;
        let mut kept = self.held.split_off(at);
        if let (Some(first), true) = (kept.first_mut(), row > 0) {
            self.held.push(first.slice(0, row));
            *first = first.slice(row, first.num_rows() - row);
        }
        self.tail = (0, 0);
        self.n_held = kept.iter().map(RecordBatch::num_rows).sum();
        std::mem::replace(&mut self.held, kept)
    }
}

impl SortedColumns {
    /// The rows as tables of profiles and of events, in a request that says everything else.
    ///
    /// # Errors
    /// Batches without one of the columns, or whose profiles are no structs.
    pub fn tables<'a>(&self, rows: &[RecordBatch], request: TablesRequest<'a>) -> Result<TablesRequest<'a>, ReadError> {
        let failed = |e: ArrowError| ReadError::new("rows", e.to_string());
        let (mut profiles, mut events, mut have_times) = (Vec::new(), Vec::new(), false);
        let names = self.profile_names(rows.first())?;
        for batch in rows {
            let is_event: BooleanArray = names_of(column(batch, &self.event)?).iter().map(Some).collect();
            let is_profile: BooleanArray = is_event.values().iter().map(|is_event| Some(!is_event)).collect();
            let of_profiles = filter_record_batch(batch, &is_profile).map_err(failed)?;
            let of_profiles = self.profiles(&of_profiles, &names)?;
            have_times |= of_profiles.column_by_name(&names.1).is_some_and(|times| times.null_count() < times.len());
            profiles.push(of_profiles);
            let others = batch
                .schema()
                .fields()
                .iter()
                .enumerate()
                .filter(|(_, field)| Some(field.name()) != self.profile.as_ref())
                .filter(|(_, field)| self.own_id.is_none() || *field.name() != self.id)
                .map(|(at, _)| at)
                .collect::<Vec<_>>();
            let of_events = batch.project(&others).and_then(|batch| filter_record_batch(&batch, &is_event));
            events.push(of_events.map_err(failed)?);
        }
        let (id, time) = names;
        let mut request = request;
        if self.profile.is_some() || profiles.iter().any(|batch| batch.num_rows() > 0) {
            let spec = ProfileFiles { time: have_times.then_some(time), ..ProfileFiles::new(Vec::new(), &id) };
            let profiles = match have_times {
                true => profiles,
                // Without times rows are taken by columns.
                false => profiles.iter().map(|batch| without(batch, 1)).collect::<Result<_, _>>().map_err(failed)?,
            };
            request.profiles.extend(reader(profiles).map(|rows| (spec, rows)));
        }
        let spec = EventFiles::new(Vec::new(), self.ids(), &self.event, &self.time);
        request.events.extend(reader(events).map(|rows| (spec, rows)));
        if let Some(merges) = self.merges(rows)? {
            let (from, into) = (FROM.to_owned(), INTO.to_owned());
            let spec = MergeFiles { files: Vec::new(), from, into, reading: Reading::default() };
            request.merges.extend(reader(vec![merges]).map(|rows| (spec, rows)));
        }
        Ok(request)
    }

    /// The column of the ids that rows came with.
    fn ids(&self) -> &str {
        self.own_id.as_deref().unwrap_or(&self.id)
    }

    /// Which ids of the rows were merged into which, each once; none where none were.
    fn merges(&self, rows: &[RecordBatch]) -> Result<Option<RecordBatch>, ReadError> {
        let Some(own) = &self.own_id else { return Ok(None) };
        let mut pairs = BTreeSet::new();
        for batch in rows {
            let (from, into) = (texts(batch, own)?, texts(batch, &self.id)?);
            for (from, into) in from.iter().zip(&into) {
                if let (Some(from), Some(into)) = (from, into)
                    && from != into
                {
                    pairs.insert((from.to_owned(), into.to_owned()));
                }
            }
        }
        if pairs.is_empty() {
            return Ok(None);
        }
        let (from, into): (Vec<String>, Vec<String>) = pairs.into_iter().unzip();
        let columns = [(FROM, from), (INTO, into)].map(|(name, ids)| (name, Arc::new(StringArray::from(ids)) as _));
        RecordBatch::try_from_iter(columns).map(Some).map_err(|e| ReadError::new("rows", e.to_string()))
    }

    /// The names of the columns of ids and times beside attributes, which may have their names.
    fn profile_names(&self, batch: Option<&RecordBatch>) -> Result<(String, String), ReadError> {
        let fields = match (&self.profile, batch) {
            (Some(name), Some(batch)) => structs(batch, name)?.fields().clone(),
            (Some(_), None) | (None, _) => Default::default(),
        };
        let apart = |name: &str| match fields.iter().any(|field| field.name() == name) {
            true => format!("${name}"),
            false => name.to_owned(),
        };
        Ok((apart(self.ids()), apart(&self.time)))
    }

    /// The rows of profiles: ids, times, and a column an attribute.
    fn profiles(&self, batch: &RecordBatch, (id, time): &(String, String)) -> Result<RecordBatch, ReadError> {
        let (ids, times) = (column(batch, self.ids())?, column(batch, &self.time)?);
        let named = |name: &str, array: &ArrayRef| Arc::new(Field::new(name, array.data_type().clone(), true));
        let mut fields: Vec<FieldRef> = vec![named(id, ids), named(time, times)];
        let mut arrays: Vec<ArrayRef> = vec![Arc::clone(ids), Arc::clone(times)];
        if let Some(profile) = &self.profile {
            let structs = structs(batch, profile)?;
            for (field, array) in structs.fields().iter().zip(structs.columns()) {
                fields.push(Arc::new(field.as_ref().clone().with_nullable(true)));
                // What a struct that is null holds is nothing.
                arrays.push(match structs.nulls().filter(|nulls| nulls.null_count() > 0) {
                    None => Arc::clone(array),
                    Some(nulls) => {
                        let is_null: BooleanArray = nulls.iter().map(|is_there| Some(!is_there)).collect();
                        let array = arrow_select::nullif::nullif(array, &is_null);
                        array.map_err(|e| ReadError::new("rows", e.to_string()))?
                    }
                });
            }
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|e| ReadError::new("rows", e.to_string()))
    }
}

/// Whether each row has a name of an event: a text that is not empty.
fn names_of(names: &ArrayRef) -> arrow_buffer::BooleanBuffer {
    let texts = cast(names, &DataType::Utf8).ok().and_then(|texts| texts.as_string_opt::<i32>().cloned());
    (0..names.len()).map(|row| names.is_valid(row) && texts.as_ref().is_none_or(|texts| texts.is_valid(row))).collect()
}

/// The ids of a batch as texts.
fn texts(batch: &RecordBatch, name: &str) -> Result<StringArray, ReadError> {
    let ids = column(batch, name)?;
    let texts = cast(ids, &DataType::Utf8).ok().and_then(|texts| texts.as_string_opt::<i32>().cloned());
    texts.ok_or_else(|| {
        ReadError::new("rows", format!("column `{name}` holds no ids, but {}", ids.data_type())).of_column(name)
    })
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef, ReadError> {
    let missing = || ReadError::new("rows", format!("there is no column `{name}`")).of_column(name);
    batch.column_by_name(name).ok_or_else(missing)
}

fn structs<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b StructArray, ReadError> {
    let column = column(batch, name)?;
    column.as_struct_opt().ok_or_else(|| {
        let message = format!("column `{name}` holds no structs, but {}", column.data_type());
        ReadError::new("rows", message).of_column(name)
    })
}

fn without(batch: &RecordBatch, at: usize) -> Result<RecordBatch, ArrowError> {
    batch.project(&(0..batch.num_columns()).filter(|column| *column != at).collect::<Vec<_>>())
}

/// Batches as a table, if there are any.
fn reader(batches: Vec<RecordBatch>) -> Option<TableReader> {
    let schema = batches.first()?.schema();
    Some(Box::new(RecordBatchIterator::new(batches.into_iter().map(Ok), schema)))
}
