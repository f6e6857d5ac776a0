//! Who is in which segment.

use crate::error::{evaluate_error, seg_error};
use crate::instant::datetime;
use crate::table::{Table, capsule};
use crate::told::{self, html_table};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};
use seg::arrow_array::{ArrayRef, RecordBatch, StringArray};
use seg::arrow_schema::{ArrowError, SchemaRef};
use seg::unstable::{Sums, segment_like};
use seg::{Batch, EvaluateError, Evaluation, Mask, Options, Prepared, Program, Timestamp};
use std::sync::Arc;

/// Who is in each segment as of one instant.
///
/// It is an Arrow table with a row a person: the id as text, and a boolean a segment. Any
/// library that reads Arrow takes it as it is. `long()` has a row a membership instead.
#[pyclass(frozen, module = "seg")]
pub struct Members {
    program: Program,
    at: Timestamp,
    parts: Vec<(Batch, Evaluation)>,
}

/// A function that makes a table of an evaluation.
type AsRows = fn(&Evaluation, &Batch, Timestamp) -> Result<(SchemaRef, Vec<RecordBatch>), ArrowError>;

impl Members {
    /// Evaluates batch after batch.
    pub fn evaluate(
        py: Python<'_>,
        prepared: &Prepared,
        batches: Vec<Batch>,
        (at, options): (Timestamp, &Options),
    ) -> PyResult<Members> {
        let evaluated = py.detach(|| {
            let one = |batch: Batch| {
                let evaluation = prepared.evaluate_with(&batch, at, options)?;
                Ok((batch, evaluation))
            };
            batches.into_iter().map(one).collect::<Result<Vec<_>, EvaluateError>>()
        });
        let parts = evaluated.map_err(|error| evaluate_error(py, &error))?;
        Ok(Members { program: prepared.program().clone(), at, parts })
    }

    pub fn of_part(program: &Program, at: Timestamp, part: (Batch, Evaluation)) -> Members {
        Members { program: program.clone(), at, parts: vec![part] }
    }

    fn masks(&self, segment: &str) -> PyResult<Vec<(&Batch, &Mask)>> {
        let position = self.program.segment_names().position(|name| name == segment).ok_or_else(|| {
            let near = segment_like(&self.program, segment).map(|near| format!("; did you mean `{near}`?"));
            seg_error(format!("there is no segment `{segment}` that is run{}", near.unwrap_or_default()))
        })?;
        Ok(self
            .parts
            .iter()
            .filter_map(|(batch, evaluation)| Some((batch, evaluation.masks().get(position)?)))
            .collect())
    }

    fn rows(&self, py: Python<'_>, rows: AsRows) -> PyResult<(SchemaRef, Vec<RecordBatch>)> {
        let found = py.detach(|| {
            let (mut schema, mut all) = (None, Vec::new());
            for (batch, evaluation) in &self.parts {
                let (of_part, batches) = rows(evaluation, batch, self.at)?;
                schema.get_or_insert(of_part);
                all.extend(batches);
            }
            Ok::<_, ArrowError>((schema, all))
        });
        let (schema, all) = found.map_err(seg_error)?;
        Ok((schema.ok_or_else(|| seg_error("there is no batch that was evaluated"))?, all))
    }

    fn n_members(&self) -> Vec<(String, usize)> {
        let count = |at: usize| self.parts.iter().filter_map(|(_, found)| found.masks().get(at)).map(Mask::count).sum();
        self.program.segment_names().enumerate().map(|(at, name)| (name.to_owned(), count(at))).collect()
    }

    fn n_people(&self) -> usize {
        let existing = |batch: &Batch| batch.existing(self.at).map_or(batch.len(), |mask| mask.count());
        self.parts.iter().map(|(batch, _)| existing(batch)).sum()
    }
}

#[pymethods]
impl Members {
    /// The names of the segments, in the order of the columns.
    #[getter]
    fn segments(&self) -> Vec<String> {
        self.program.segment_names().map(str::to_owned).collect()
    }

    /// The instant as of which the segments were evaluated, a datetime in UTC.
    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.at)
    }

    /// How many people are in each segment: a dictionary from names to numbers.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        self.n_members().into_iter().try_for_each(|(name, n)| counts.set_item(name, n))?;
        Ok(counts)
    }

    /// The ids of the people in a segment, as texts, in the order of the rows.
    fn members(&self, segment: &str) -> PyResult<Vec<String>> {
        let masks = self.masks(segment)?;
        Ok(masks.into_iter().flat_map(|(batch, mask)| mask.rows().map(|row| batch.id(row).to_owned())).collect())
    }

    /// A table with a row a membership: `segment` and `profile_id`, both texts.
    fn long(&self, py: Python<'_>) -> PyResult<Table> {
        self.rows(py, Evaluation::long).map(Table::new)
    }

    /// Which segment each person goes to, where the project has an order of precedence: a table
    /// of `profile_id` and `segment`, a row for everybody who is in any of them. None without one.
    fn winners(&self) -> PyResult<Option<Table>> {
        let names: Vec<&str> = self.program.segment_names().collect();
        let (mut ids, mut segments) = (Vec::new(), Vec::new());
        for (batch, evaluation) in &self.parts {
            let Some(winners) = evaluation.winners() else { return Ok(None) };
            for (row, at) in winners.into_iter().enumerate() {
                if let Some(name) = at.and_then(|at| names.get(at)) {
                    ids.push(batch.id(row));
                    segments.push(*name);
                }
            }
        }
        let column = |texts: Vec<&str>| Arc::new(StringArray::from(texts)) as ArrayRef;
        let batch = RecordBatch::try_from_iter([("profile_id", column(ids)), ("segment", column(segments))]);
        let batch = batch.map_err(seg_error)?;
        Ok(Some(Table::new((batch.schema(), vec![batch]))))
    }

    /// What was found of these people: a text for `Program.summed`.
    fn sums(&self) -> PyResult<String> {
        let mut sums = Sums::default();
        for (batch, evaluation) in &self.parts {
            sums.look(&self.program, batch, evaluation, self.at);
        }
        told::sums(&sums)
    }

    /// How many people there are at the instant: the rows of the table.
    fn __len__(&self) -> usize {
        self.n_people()
    }

    /// The table as an Arrow stream, by the PyCapsule interface.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let (schema, batches) = self.rows(py, Evaluation::wide)?;
        capsule(py, &schema, batches)
    }

    fn __repr__(&self) -> String {
        let counts = self.n_members();
        format!("<seg.Members: {} people, {} segments, at {}>", self.n_people(), counts.len(), self.at)
    }

    /// How a notebook shows it: a row a segment.
    fn _repr_html_(&self) -> String {
        let n_people = self.n_people();
        let share = |n: usize| if n_people == 0 { 0.0 } else { 100.0 * n as f64 / n_people as f64 };
        let rows =
            self.n_members().into_iter().map(|(name, n)| vec![name, n.to_string(), format!("{:.1} %", share(n))]);
        let table = html_table(&["segment", "people", "share"], rows);
        format!("{table}<p>{n_people} people, {}</p>", self.at)
    }
}
