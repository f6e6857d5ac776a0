//! Data in and members out.

use crate::evaluation::Evaluation;
use crate::project::Project;
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use seg_data::{Batch, Mask, Timestamp, Wanted};
use seg_io::results::{Chunks, Members, Table};
use std::num::NonZero;
use std::sync::Arc;

#[doc(inline)]
pub use seg_io::{
    Loaded, MembersFormat, Problem, ProblemKind, ReadError, Report, UnixUnit, load_lines, write_members, write_winners,
};

impl Project {
    /// Reads what is wanted of the data that the project's `seg.toml` names into one
    /// batch, on so many threads; [`Program::wanted`](crate::Program::wanted) says
    /// what that is.
    ///
    /// # Errors
    /// A project without a `seg.toml`; a file that is not there, cannot be read to
    /// its end, or lacks the columns it is said to have. What is wrong with single
    /// rows is in the report instead.
    pub fn read_data(&self, wanted: &Wanted, threads: usize) -> Result<Loaded, ReadError> {
        let Some(manifest) = &self.manifest else {
            return Err(ReadError::new("seg.toml", "the project has none that could be read"));
        };
        seg_io::load(seg_io::LoadRequest {
            zone: manifest.zone,
            wanted: Some(wanted),
            threads: NonZero::new(threads).unwrap_or(NonZero::<usize>::MIN),
            ..seg_io::LoadRequest::new(&self.dir, &manifest.data, &self.schema)
        })
    }
}

/// The columns of a table, and its rows, some together.
type Rows = (SchemaRef, Vec<RecordBatch>);

impl Evaluation {
    /// A row a person of the batch that was evaluated as of this instant, if they exist then:
    /// the id, and a boolean a segment. What `seg run --layout wide` writes.
    ///
    /// # Errors
    /// More texts than one array has room for.
    pub fn wide(&self, batch: &Batch, now: Timestamp) -> Result<Rows, ArrowError> {
        self.rows(batch, now, |members| members.wide())
    }

    /// A row a membership: the segment, and the id of the person. What `seg run --members`
    /// writes.
    ///
    /// # Errors
    /// More texts than one array has room for.
    pub fn long(&self, batch: &Batch, now: Timestamp) -> Result<Rows, ArrowError> {
        self.rows(batch, now, |members| members.long())
    }

    fn rows(
        &self,
        batch: &Batch,
        now: Timestamp,
        table: impl for<'m> Fn(Members<'m>) -> (Table, Chunks<'m>),
    ) -> Result<Rows, ArrowError> {
        let segments: Vec<(&str, &Mask)> = self.segment_names().zip(self.masks()).collect();
        let (table, chunks) = table(Members { batch, now, segments: &segments, columns: &[], stays: &[] });
        Ok((Arc::clone(table.schema()), chunks.collect::<Result<_, _>>()?))
    }
}
