//! Errors of Rust as exceptions of Python.

use crate::told::from_json;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use seg::io::ReadError;
use seg::unstable::StreamError;
use seg::{Diagnostics, EvaluateError};
use std::fmt::Display;

create_exception!(seg, SegError, PyException, "Something that Seg refuses, with what to do about it.");
create_exception!(
    seg,
    CompileError,
    SegError,
    "Segments or a schema with errors. As a text it is what `seg check` prints; `diagnostics` has them one by one."
);
create_exception!(
    seg,
    DataError,
    SegError,
    "A table that cannot be read as it is. `table` and `column` say where, or are None."
);

/// What has no attributes of its own.
pub fn seg_error(message: impl Display) -> PyErr {
    SegError::new_err(message.to_string())
}

/// A table, and perhaps a column of it.
pub fn data_error(py: Python<'_>, message: impl Display, table: Option<&str>, column: Option<&str>) -> PyErr {
    let error = DataError::new_err(message.to_string());
    let value = error.value(py);
    match value.setattr("table", table).and_then(|()| value.setattr("column", column)) {
        Ok(()) => error,
        Err(other) => other,
    }
}

pub fn read_error(py: Python<'_>, error: &ReadError) -> PyErr {
    data_error(py, error, Some(&error.file), error.column.as_deref())
}

pub fn compile_error(py: Python<'_>, problems: &Diagnostics) -> PyErr {
    let error = CompileError::new_err(problems.to_string());
    let diagnostics = from_json(py, &problems.to_json());
    match diagnostics.and_then(|list| error.value(py).setattr("diagnostics", list)) {
        Ok(()) => error,
        Err(other) => other,
    }
}

pub fn evaluate_error(py: Python<'_>, error: &EvaluateError) -> PyErr {
    match error {
        EvaluateError::Batch(problem) => data_error(py, problem, None, Some(&problem.column)),
        other => seg_error(other),
    }
}

pub fn stream_error(py: Python<'_>, error: &StreamError) -> PyErr {
    match error {
        StreamError::Read(error) => read_error(py, error),
        StreamError::Evaluate(error) => evaluate_error(py, error),
    }
}
