//! Rows that come sorted by person, made people; ids that records join.

use crate::error::{data_error, read_error, seg_error};
use crate::table::{Table, reader};
use crate::told;
use pyo3::prelude::*;
use seg::arrow_array::cast::AsArray;
use seg::arrow_array::{ArrayRef, RecordBatch, StringArray};
use seg::arrow_schema::ArrowError;
use seg::unstable::{Grouping as Rows, Sums, io};
use std::sync::Arc;

/// Takes tables of rows sorted by person, and gives the people: tables in the layout of a profile
/// batch, without dictionaries, all with the same columns.
///
/// The rows are those that a `Stream` takes. Made by `Program.grouping`.
#[pyclass(module = "seg")]
pub struct Grouping {
    rows: Option<Rows>,
    sums: Sums,
}

impl Grouping {
    pub fn new(rows: Rows) -> Grouping {
        Grouping { rows: Some(rows), sums: Sums::default() }
    }
}

#[pymethods]
impl Grouping {
    /// A table without rows, with the columns of all that come.
    #[getter]
    fn empty(&self) -> PyResult<Table> {
        let rows = self.rows.as_ref().ok_or_else(finished)?;
        Ok(Table::new((Arc::clone(rows.schema()), Vec::new())))
    }

    /// Takes the next rows, and gives the people that are complete by now: a list of tables,
    /// mostly empty.
    fn push(&mut self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Vec<Table>> {
        let table = reader(rows, "rows")?;
        let grouping = self.rows.as_mut().ok_or_else(finished)?;
        let parts = py.detach(|| {
            let mut parts = Vec::new();
            for batch in table {
                let batch = batch.map_err(|e| io::ReadError::new("rows", format!("the table cannot be read: {e}")))?;
                parts.extend(grouping.push(batch)?);
            }
            Ok(parts)
        });
        let parts: Vec<RecordBatch> = parts.map_err(|error| read_error(py, &error))?;
        Ok(parts.into_iter().map(|part| Table::new((part.schema(), vec![part]))).collect())
    }

    /// Gives the people that are left: a table, or None where nobody is.
    fn finish(&mut self, py: Python<'_>) -> PyResult<Option<Table>> {
        let rows = self.rows.take().ok_or_else(finished)?;
        let (part, sums) = py.detach(|| rows.finish()).map_err(|error| read_error(py, &error))?;
        self.sums = sums;
        Ok(part.map(|part| Table::new((part.schema(), vec![part]))))
    }

    /// What was read so far, and what was wrong with it: a dictionary of `rows`, `profiles`,
    /// `events` and `problems`.
    #[getter]
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        told::report(py, self.rows.as_ref().map_or(&self.sums.report, Rows::report))
    }

    /// What was found of all, once it is finished: a text for `Program.summed`.
    fn sums(&self) -> PyResult<String> {
        told::sums(&self.sums)
    }
}

fn finished() -> PyErr {
    seg_error("the grouping is finished; make another")
}

/// Who ids are once records joined them: of a table whose columns `merge_from` and `merge_into`
/// are texts, one of `id` and `person`, a row for each id that is merged into another.
#[pyfunction]
#[pyo3(signature = (merges, merge_from="from", merge_into="into"))]
pub fn merged_into(py: Python<'_>, merges: &Bound<'_, PyAny>, merge_from: &str, merge_into: &str) -> PyResult<Table> {
    let table = reader(merges, "merges")?;
    let missing = |name: &str| format!("column `{name}` holds no texts");
    let of_batch = |batch: &RecordBatch, name: &str| -> Result<StringArray, String> {
        let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>().cloned());
        column.ok_or_else(|| missing(name))
    };
    let pairs = py.detach(|| {
        let mut records = Vec::new();
        for batch in table {
            let batch = batch.map_err(|e: ArrowError| e.to_string())?;
            let (from, into) = (of_batch(&batch, merge_from)?, of_batch(&batch, merge_into)?);
            let both = from.iter().zip(&into).filter_map(|(from, into)| Some((from?.to_owned(), into?.to_owned())));
            records.extend(both);
        }
        Ok(io::merged_into(&records))
    });
    let pairs: Vec<(String, String)> = pairs.map_err(|e: String| data_error(py, e, Some("merges"), None))?;
    let (ids, people): (Vec<String>, Vec<String>) = pairs.into_iter().unzip();
    let column = |texts: Vec<String>| Arc::new(StringArray::from(texts)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("id", column(ids)), ("person", column(people))]).map_err(seg_error)?;
    Ok(Table::new((batch.schema(), vec![batch])))
}
