//! Data in and members out: CSV, NDJSON and Parquet.

use crate::project::Project;
use seg_data::Wanted;
use seg_syntax::ast::Item;
use std::num::NonZero;
use std::path::PathBuf;

#[doc(inline)]
pub use seg_io::{
    Loaded, MembersFormat, Problem, ProblemKind, ReadError, Report, load_lines, write_members, write_winners,
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

    /// Every file that the project is read from: its texts, its lists and its data, so that
    /// none of them is written over.
    ///
    /// # Errors
    /// A pattern of data that names no file.
    pub fn inputs(&self) -> Result<Vec<PathBuf>, ReadError> {
        let mut inputs: Vec<PathBuf> = self.sources.iter().map(|(_, file)| self.dir.join(&file.name)).collect();
        let parses = crate::compile::parse(self);
        let items = parses.iter().flat_map(|parse| &parse.file.items);
        inputs.extend(items.filter_map(|item| match item {
            Item::List(list) => Some(self.dir.join(&list.path.text)),
            Item::Segment(_)
            | Item::Definition(_)
            | Item::Rule(_)
            | Item::Precedence(_)
            | Item::Test(_)
            | Item::Error { .. } => None,
        }));
        let Some(manifest) = &self.manifest else { return Ok(inputs) };
        let data = &manifest.data;
        let profiles = data.profiles.iter().map(|source| &source.files);
        let events = data.events.iter().map(|source| &source.files);
        let merges = data.merges.iter().map(|source| &source.files);
        let calls = data.calls.iter().map(|source| &source.files);
        for files in profiles.chain(events).chain(merges).chain(calls) {
            inputs.extend(seg_io::find(&self.dir, files)?.into_iter().map(|file| file.path));
        }
        Ok(inputs)
    }
}
