//! Seg from Python: a thin layer over the facade `seg`, with tables in and out through Arrow's
//! PyCapsule interface. <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>
//!
//! What is computed is computed in Rust with the interpreter's lock released.

mod error;
mod grouping;
mod instant;
mod members;
mod people;
mod problems;
mod program;
mod stream;
mod table;
mod told;

use pyo3::prelude::*;
use pyo3::types::PyModule;

/// The extension module below the package `seg`.
#[pymodule]
fn _seg(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("SegError", py.get_type::<error::SegError>())?;
    module.add("CompileError", py.get_type::<error::CompileError>())?;
    module.add("DataError", py.get_type::<error::DataError>())?;
    module.add_class::<program::Program>()?;
    module.add_class::<people::People>()?;
    module.add_class::<members::Members>()?;
    module.add_class::<table::Table>()?;
    module.add_class::<problems::Problems>()?;
    module.add_class::<stream::Stream>()?;
    module.add_class::<grouping::Grouping>()?;
    module.add_function(wrap_pyfunction!(program::compile, module)?)?;
    module.add_function(wrap_pyfunction!(program::load, module)?)?;
    module.add_function(wrap_pyfunction!(people::pack, module)?)?;
    module.add_function(wrap_pyfunction!(grouping::merged_into, module)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
