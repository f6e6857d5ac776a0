//! Rows of one table of profiles and events that come sorted by person, cut where one person
//! ends: whoever brings them, such as a partition of a cluster, cuts people anywhere.

use super::{TableReader, TablesRequest};
use crate::manifest::{EventFiles, ProfileFiles};
use crate::people::one_spelling;
use crate::report::ReadError;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchIterator, StringArray, StructArray};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema};
use arrow_select::filter::filter_record_batch;
use std::sync::Arc;

/// What the columns of such a table are. A row without the name of an event is of a profile;
/// every other column is a property of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortedColumns {
    /// The column of profile ids.
    pub id: String,
    /// The column of event names; null in the row of a profile.
    pub event: String,
    /// The column of times: of an event when it was, of a profile since when the row holds,
    /// which may be null.
    pub time: String,
    /// The column of structs that hold the attributes; null in the row of an event. None where
    /// nothing is known of people but their events.
    pub profile: Option<String>,
}

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
}

impl SortedTables {
    /// Nothing yet. Whole people are handed out when there are at least so many rows.
    pub fn new(columns: SortedColumns, n_rows: usize) -> SortedTables {
        SortedTables { columns, n_rows: n_rows.max(1), held: Vec::new(), n_held: 0, last: None, tail: (0, 0) }
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
        let ids = self.ids(&batch)?;
        let id = |row: usize| ids.is_valid(row).then(|| one_spelling(ids.value(row)));
        let last = id(batch.num_rows() - 1);
        let begin = (0..batch.num_rows()).rev().take_while(|row| id(*row) == last).last().unwrap_or_default();
        if begin > 0 || self.held.is_empty() || self.last.as_deref() != last {
            self.tail = (self.held.len(), begin);
        }
        self.last = last.map(str::to_owned);
        self.n_held += batch.num_rows();
        self.held.push(batch);
        let is_enough = self.n_held >= self.n_rows && self.tail != (0, 0);
        Ok(is_enough.then(|| self.without_tail()))
    }

    /// All that is left.
    pub fn finish(self) -> Vec<RecordBatch> {
        self.held
    }

    /// The ids of a batch as texts.
    fn ids(&self, batch: &RecordBatch) -> Result<StringArray, ReadError> {
        let name = &self.columns.id;
        let ids = column(batch, name)?;
        let texts = cast(ids, &DataType::Utf8).ok().and_then(|texts| texts.as_string_opt::<i32>().cloned());
        texts.ok_or_else(|| {
            ReadError::new("rows", format!("column `{name}` holds no ids, but {}", ids.data_type())).of_column(name)
        })
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
        let spec = EventFiles::new(Vec::new(), &self.id, &self.event, &self.time);
        request.events.extend(reader(events).map(|rows| (spec, rows)));
        Ok(request)
    }

    /// The names of the columns of ids and times beside attributes, which may have their names.
    fn profile_names(&self, batch: Option<&RecordBatch>) -> Result<(String, String), ReadError> {
        let fields = match (&self.profile, batch) {
            (Some(name), Some(batch)) => structs(batch, name)?.fields().clone(),
            (Some(_), None) | (None, _) => Default::default(),
        };
        let apart = |name: &String| match fields.iter().any(|field| field.name() == name) {
            true => format!("${name}"),
            false => name.clone(),
        };
        Ok((apart(&self.id), apart(&self.time)))
    }

    /// The rows of profiles: ids, times, and a column an attribute.
    fn profiles(&self, batch: &RecordBatch, (id, time): &(String, String)) -> Result<RecordBatch, ReadError> {
        let (ids, times) = (column(batch, &self.id)?, column(batch, &self.time)?);
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
