//! Rows of profiles and events that come sorted by person, evaluated or grouped as they come.

use crate::compile::Program;
use crate::error::EvaluateError;
use crate::evaluation::Evaluation;
use crate::options::Options;
use crate::prepared::Prepared;
use crate::sums::Sums;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use seg_data::{Batch, Timestamp, Wanted, Zone};
use seg_io::{
    Loaded, ReadError, Report, SortedColumns, SortedTables, TablesRequest, load_tables, plain_rows, plain_schema,
};
use std::fmt;
use std::num::NonZero;

/// Takes batches of rows sorted by person, and gives who is in which segment for some people
/// after others. A batch may end anywhere: the rows of its last person are carried along until
/// those of another come. No more is in memory than the rows of one part, and of one person.
///
/// All rows of a person must come side by side.
pub struct Stream {
    prepared: Prepared,
    now: Timestamp,
    options: Options,
    rows: SortedPeople,
}

/// Takes the same rows, and gives the people that they are about: a row a person.
pub struct Grouping {
    schema: SchemaRef,
    rows: SortedPeople,
}

/// Some people, with who of them is in which segment.
pub type StreamPart = (Batch, Evaluation);

/// Rows of a part, where the caller names no other number: some 60 MB of them.
const PART_ROWS: usize = 1_000_000;

/// Rows that come sorted by person, made batches of whole people.
struct SortedPeople {
    program: Program,
    /// What of the rows becomes batches, and what segments ask about.
    wanted: Wanted,
    asked: Wanted,
    zone: Option<Zone>,
    ignores_missing: bool,
    threads: NonZero<usize>,
    columns: SortedColumns,
    rows: SortedTables,
    sums: Sums,
}

impl SortedPeople {
    fn new(
        program: &Program,
        (wanted, asked): (Wanted, Wanted),
        zone: Option<Zone>,
        columns: SortedColumns,
        options: &Options,
    ) -> SortedPeople {
        let rows = SortedTables::new(columns.clone(), PART_ROWS);
        let (program, ignores_missing) = (program.clone(), !options.refuses_missing);
        let (threads, sums) = (options.threads, Sums::default());
        SortedPeople { program, wanted, asked, zone, ignores_missing, threads, columns, rows, sums }
    }

    fn with_part_rows(self, n_rows: usize) -> SortedPeople {
        SortedPeople { rows: SortedTables::new(self.columns.clone(), n_rows), ..self }
    }

    fn push(&mut self, batch: RecordBatch) -> Result<Option<Batch>, ReadError> {
        match self.rows.push(batch)? {
            Some(rows) => self.grouped(&rows).map(Some),
            None => Ok(None),
        }
    }

    fn finish(&mut self) -> Result<Option<Batch>, ReadError> {
        let rows = std::mem::replace(&mut self.rows, SortedTables::new(self.columns.clone(), 1));
        self.sums.large.extend_from_slice(rows.large());
        let rows = rows.finish();
        if rows.is_empty() { Ok(None) } else { self.grouped(&rows).map(Some) }
    }

    fn grouped(&mut self, rows: &[RecordBatch]) -> Result<Batch, ReadError> {
        let request = TablesRequest {
            zone: self.zone,
            wanted: Some(&self.wanted),
            asked: Some(&self.asked),
            ignores_missing: self.ignores_missing,
            threads: self.threads,
            ..TablesRequest::new(self.program.schema())
        };
        let Loaded { batch, report, last_event } = load_tables(self.columns.tables(rows, request)?)?;
        self.sums.read(&report, last_event);
        Ok(batch)
    }
}

impl Stream {
    /// Nothing yet. `zone` is whose clock a time without one means. The options say whether a
    /// missing column is refused.
    pub fn new(
        prepared: &Prepared,
        (now, zone): (Timestamp, Option<Zone>),
        columns: SortedColumns,
        options: &Options,
    ) -> Stream {
        let wanted = prepared.program().wanted(now);
        let rows = SortedPeople::new(prepared.program(), (wanted.clone(), wanted), zone, columns, options);
        Stream { prepared: prepared.clone(), now, options: options.clone(), rows }
    }

    /// The same with parts of at least so many rows.
    #[must_use]
    pub fn with_part_rows(self, n_rows: usize) -> Stream {
        Stream { rows: self.rows.with_part_rows(n_rows), ..self }
    }

    /// Takes the next rows, and gives the people that are complete, if there are enough.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub fn push(&mut self, batch: RecordBatch) -> Result<Option<StreamPart>, StreamError> {
        let batch = self.rows.push(batch)?;
        self.evaluated(batch)
    }

    /// Gives the people that are left, if there are any, with what was found of all.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub fn finish(mut self) -> Result<(Option<StreamPart>, Sums), StreamError> {
        let batch = self.rows.finish()?;
        let part = self.evaluated(batch)?;
        Ok((part, self.rows.sums))
    }

    /// What was read so far, and what was wrong with it.
    pub fn report(&self) -> &Report {
        &self.rows.sums.report
    }

    /// The program that is evaluated.
    pub fn program(&self) -> &Program {
        self.prepared.program()
    }

    fn evaluated(&mut self, batch: Option<Batch>) -> Result<Option<StreamPart>, StreamError> {
        let Some(batch) = batch else { return Ok(None) };
        let evaluation = self.prepared.evaluate_with(&batch, self.now, &self.options)?;
        self.rows.sums.look(self.prepared.program(), &batch, &evaluation, self.now);
        Ok(Some((batch, evaluation)))
    }
}

impl Grouping {
    /// Nothing yet. Everything that the schema has is kept, so that segments may be asked as of
    /// any instant; that something is missing which segments ask about is refused where the
    /// options say so.
    pub fn new(program: &Program, zone: Option<Zone>, columns: SortedColumns, options: &Options) -> Grouping {
        let wanted = Wanted::everything(program.schema());
        let asked = program.wanted(Timestamp(0)).of_all_times();
        let schema = plain_schema(program.schema(), &wanted);
        Grouping { schema, rows: SortedPeople::new(program, (wanted, asked), zone, columns, options) }
    }

    /// The same with parts of at least so many rows.
    #[must_use]
    pub fn with_part_rows(self, n_rows: usize) -> Grouping {
        Grouping { rows: self.rows.with_part_rows(n_rows), ..self }
    }

    /// The columns of what it gives.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Takes the next rows, and gives the people that are complete, if there are enough.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn push(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>, ReadError> {
        let batch = self.rows.push(batch)?;
        self.plain(batch)
    }

    /// Gives the people that are left, if there are any, with what was found of all.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn finish(mut self) -> Result<(Option<RecordBatch>, Sums), ReadError> {
        let batch = self.rows.finish()?;
        let people = self.plain(batch)?;
        Ok((people, self.rows.sums))
    }

    /// What was read so far, and what was wrong with it.
    pub fn report(&self) -> &Report {
        &self.rows.sums.report
    }

    fn plain(&mut self, batch: Option<Batch>) -> Result<Option<RecordBatch>, ReadError> {
        let Some(batch) = batch else { return Ok(None) };
        self.rows.sums.look_at(batch.records());
        let rows = plain_rows(&batch, &self.schema);
        rows.map(Some).map_err(|e| ReadError::new("rows", e.to_string()))
    }
}

/// Why a stream cannot go on.
#[derive(Debug)]
pub enum StreamError {
    /// The rows cannot be read.
    Read(ReadError),
    /// The people cannot be evaluated.
    Evaluate(EvaluateError),
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamError::Read(error) => error.fmt(f),
            StreamError::Evaluate(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StreamError {}

impl From<ReadError> for StreamError {
    fn from(error: ReadError) -> StreamError {
        StreamError::Read(error)
    }
}

impl From<EvaluateError> for StreamError {
    fn from(error: EvaluateError) -> StreamError {
        StreamError::Evaluate(error)
    }
}
