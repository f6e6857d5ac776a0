//! Tables of other libraries in, tables for other libraries out.

use arrow_pyarrow::FromPyArrow;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use seg::arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use seg::arrow_array::{RecordBatch, RecordBatchIterator};
use seg::arrow_schema::SchemaRef;
use seg::unstable::io::TableReader;

/// The batches of anything that has the PyCapsule interface: tables of pyarrow, polars, DuckDB,
/// pandas, DataFusion and others.
pub fn reader(value: &Bound<'_, PyAny>, name: &str) -> PyResult<TableReader> {
    let py = value.py();
    if value.hasattr(intern!(py, "__arrow_c_stream__"))? {
        return Ok(Box::new(RecordBatchStreamReader::from_pyarrow_bound(value)?));
    }
    if value.hasattr(intern!(py, "__arrow_c_array__"))? {
        let batch = RecordBatch::from_pyarrow_bound(value)?;
        let schema = batch.schema();
        return Ok(Box::new(RecordBatchIterator::new([Ok(batch)], schema)));
    }
    let found = value.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "`{name}` is no table but `{found}`; pass one of pyarrow, polars, DuckDB, pandas or another library that has \
         `__arrow_c_stream__`"
    )))
}

/// A table of Arrow columns.
///
/// Any library that reads Arrow takes it as it is: `polars.DataFrame(table)`,
/// `pyarrow.table(table)`, `duckdb.sql("FROM table")`.
#[pyclass(frozen, module = "seg")]
pub struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Table {
    pub fn new((schema, batches): (SchemaRef, Vec<RecordBatch>)) -> Table {
        Table { schema, batches }
    }
}

/// Batches as a stream in a capsule, which whoever asked for it reads once.
pub fn capsule<'py>(py: Python<'py>, schema: &SchemaRef, batches: Vec<RecordBatch>) -> PyResult<Bound<'py, PyCapsule>> {
    let rows = RecordBatchIterator::new(batches.into_iter().map(Ok), SchemaRef::clone(schema));
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(rows)), c"arrow_array_stream")
}

#[pymethods]
impl Table {
    /// The names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The number of rows.
    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The table as an Arrow stream, by the PyCapsule interface.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // Another schema is a wish, which the interface lets one leave open.
        drop(requested_schema);
        capsule(py, &self.schema, self.batches.clone())
    }

    fn __repr__(&self) -> String {
        format!("<seg.Table: {} rows of {}>", self.__len__(), self.column_names().join(", "))
    }
}
