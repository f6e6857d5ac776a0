//! Data in and members out.

use crate::project::Project;
use seg_data::Wanted;
use std::num::NonZero;

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
