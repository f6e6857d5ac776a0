//! Warnings of a program.

use crate::told::{escaped, from_json};
use pyo3::prelude::*;
use seg::Diagnostics;

/// What is worth knowing of segments, though it stops nothing.
///
/// As a text it is what `seg check` prints; iterating gives a dictionary a warning, as
/// `seg check --format json` has them.
#[pyclass(frozen, module = "seg")]
pub struct Problems(pub Diagnostics);

#[pymethods]
impl Problems {
    /// How many there are.
    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<seg.Problems: {}>", self.0.len())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(from_json(py, &self.0.to_json())?.try_iter()?.into_any())
    }

    /// How a notebook shows them.
    fn _repr_html_(&self) -> String {
        format!("<pre>{}</pre>", escaped(&self.0.to_string()))
    }
}
