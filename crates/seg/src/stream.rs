//! Rows of profiles and events that come sorted by person, evaluated as they come.

use crate::compile::Program;
use crate::error::EvaluateError;
use crate::evaluation::Evaluation;
use crate::options::Options;
use crate::prepared::Prepared;
use arrow_array::RecordBatch;
use seg_data::{Batch, Timestamp, Wanted, Zone};
use seg_io::{ReadError, Report, SortedColumns, SortedTables, TablesRequest, load_tables};
use std::fmt;

/// Takes batches of rows sorted by person, and gives who is in which segment for some people
/// after others. A batch may end anywhere: the rows of its last person are carried along until
/// those of another come. No more is in memory than the rows of one part, and of one person.
///
/// All rows of a person must come side by side, and ids that are merged must be one already.
pub struct Stream {
    prepared: Prepared,
    /// What of the rows becomes batches, and what segments ask about.
    wanted: Wanted,
    zone: Option<Zone>,
    now: Timestamp,
    options: Options,
    columns: SortedColumns,
    rows: SortedTables,
    report: Report,
}

/// Some people, with who of them is in which segment.
pub type StreamPart = (Batch, Evaluation);

/// Rows of a part, where the caller names no other number: some 60 MB of them.
const PART_ROWS: usize = 1_000_000;

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
        let rows = SortedTables::new(columns.clone(), PART_ROWS);
        let (prepared, options, report) = (prepared.clone(), options.clone(), Report::default());
        Stream { prepared, wanted, zone, now, options, columns, rows, report }
    }

    /// The same with parts of at least so many rows.
    #[must_use]
    pub fn with_part_rows(self, n_rows: usize) -> Stream {
        Stream { rows: SortedTables::new(self.columns.clone(), n_rows), ..self }
    }

    /// Takes the next rows, and gives the people that are complete, if there are enough.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub fn push(&mut self, batch: RecordBatch) -> Result<Option<StreamPart>, StreamError> {
        match self.rows.push(batch)? {
            Some(rows) => self.evaluated(&rows).map(Some),
            None => Ok(None),
        }
    }

    /// Gives the people that are left, if there are any, with the report about all.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub fn finish(mut self) -> Result<(Option<StreamPart>, Report), StreamError> {
        let rows = std::mem::replace(&mut self.rows, SortedTables::new(self.columns.clone(), 1)).finish();
        let part = if rows.is_empty() { None } else { Some(self.evaluated(&rows)?) };
        Ok((part, self.report))
    }

    /// What was read so far, and what was wrong with it.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The program that is evaluated.
    pub fn program(&self) -> &Program {
        self.prepared.program()
    }

    fn evaluated(&mut self, rows: &[RecordBatch]) -> Result<StreamPart, StreamError> {
        let request = TablesRequest {
            zone: self.zone,
            wanted: Some(&self.wanted),
            asked: Some(&self.wanted),
            ignores_missing: !self.options.refuses_missing,
            threads: self.options.threads,
            ..TablesRequest::new(self.prepared.program().schema())
        };
        let loaded = load_tables(self.columns.tables(rows, request)?)?;
        self.report.append(&loaded.report);
        let evaluation = self.prepared.evaluate_with(&loaded.batch, self.now, &self.options)?;
        Ok((loaded.batch, evaluation))
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
