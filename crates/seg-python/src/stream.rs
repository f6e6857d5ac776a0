//! Rows that come sorted by person.

use crate::error::{seg_error, stream_error};
use crate::members::Members;
use crate::table::reader;
use crate::told;
use pyo3::prelude::*;
use seg::unstable::{Stream as Rows, StreamPart, Sums};
use seg::{Program, Timestamp};

/// Takes tables of rows sorted by person, and gives who is in which segment for some people after
/// others.
///
/// A row has an id, and either the name of an event with its time and properties, or a struct
/// with the attributes of the person. All rows of a person must come side by side; a table may
/// end anywhere. Made by `Program.stream`.
#[pyclass(module = "seg")]
pub struct Stream {
    program: Program,
    at: Timestamp,
    rows: Option<Rows>,
    sums: Sums,
}

impl Stream {
    pub fn new(program: &Program, at: Timestamp, rows: Rows) -> Stream {
        Stream { program: program.clone(), at, rows: Some(rows), sums: Sums::default() }
    }

    fn members(&self, part: Option<StreamPart>) -> Option<Members> {
        part.map(|part| Members::of_part(&self.program, self.at, part))
    }
}

#[pymethods]
impl Stream {
    /// Takes the next rows, and gives the members among the people that are complete by now: a
    /// list of `Members`, mostly empty.
    fn push(&mut self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Vec<Members>> {
        let table = reader(rows, "rows")?;
        let stream = self.rows.as_mut().ok_or_else(|| seg_error("the stream is finished; make another"))?;
        let parts = py.detach(|| {
            let mut parts = Vec::new();
            for batch in table {
                let batch =
                    batch.map_err(|e| seg::io::ReadError::new("rows", format!("the table cannot be read: {e}")))?;
                parts.extend(stream.push(batch)?);
            }
            Ok(parts)
        });
        let parts: Vec<StreamPart> = parts.map_err(|error| stream_error(py, &error))?;
        Ok(parts.into_iter().filter_map(|part| self.members(Some(part))).collect())
    }

    /// Gives the members among the people that are left: `Members`, or None where nobody is.
    fn finish(&mut self, py: Python<'_>) -> PyResult<Option<Members>> {
        let stream = self.rows.take().ok_or_else(|| seg_error("the stream is finished; make another"))?;
        let (part, sums) = py.detach(|| stream.finish()).map_err(|error| stream_error(py, &error))?;
        self.sums = sums;
        Ok(self.members(part))
    }

    /// What was read so far, and what was wrong with it: a dictionary of `rows`, `profiles`,
    /// `events` and `problems`.
    #[getter]
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        told::report(py, self.rows.as_ref().map_or(&self.sums.report, Rows::report))
    }

    /// What was found of all, once the stream is finished: a text for `Program.summed`.
    fn sums(&self) -> PyResult<String> {
        told::sums(&self.sums)
    }
}
