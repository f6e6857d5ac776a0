//! Instants: texts with an offset and datetimes with a zone in, datetimes in UTC out.

use crate::error::seg_error;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use seg::{Timestamp, Zone};

/// The instant that a text or a datetime means. One without a zone is refused: whose noon it
/// means, only the caller knows.
pub fn instant(value: &Bound<'_, PyAny>) -> PyResult<Timestamp> {
    let py = value.py();
    let text: String = if let Ok(text) = value.cast::<PyString>() {
        text.extract()?
    } else if value.hasattr(intern!(py, "utcoffset"))? {
        if value.call_method0(intern!(py, "utcoffset"))?.is_none() {
            let message = "a datetime without a time zone; give it one, such as `datetime.timezone.utc`";
            return Err(seg_error(format!("`at` is {message}")));
        }
        value.call_method0(intern!(py, "isoformat"))?.extract()?
    } else {
        let name = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!("`at` is a text or a datetime with a time zone, not `{name}`")));
    };
    let read = |zone| Timestamp::read(&text, zone);
    let at = read(Some(Zone::UTC)).map_err(|error| seg_error(format!("`{text}` {error}")))?;
    // A text with an offset means the same wherever it is read.
    if read(Zone::parse("Asia/Tokyo")) != Ok(at) {
        return Err(seg_error(format!("`{text}` has no offset; write it as `2026-06-01T12:00:00Z` or with `+02:00`")));
    }
    Ok(at)
}

/// A datetime in UTC.
pub fn datetime<'py>(py: Python<'py>, at: Timestamp) -> PyResult<Bound<'py, PyAny>> {
    let module = py.import(intern!(py, "datetime"))?;
    let utc = module.getattr(intern!(py, "timezone"))?.getattr(intern!(py, "utc"))?;
    let epoch = module.getattr(intern!(py, "datetime"))?.call1((1970, 1, 1, 0, 0, 0, 0, utc))?;
    let since = module.getattr(intern!(py, "timedelta"))?.call1((0, 0, at.0))?;
    epoch.call_method1(intern!(py, "__add__"), (since,))
}
