//! What the tests of this package share: engines, schemas, people written down
//! as JSON, and non-canonical layouts of the same data.

mod cases;
pub mod descriptions;
pub mod docs;
mod engines;
mod folder;
mod front_end;
pub mod fuzz;
pub mod helps;
mod layout;
mod people;
mod tables;
pub mod warehouse;

pub use cases::{Case, CaseFile};
pub use engines::{Native, Planned, Reference, Repeated, TestEngine, copies, engines, repeated};
pub use folder::Folder;
pub use front_end::FrontEnd;
pub use layout::non_canonical;
pub use people::{people, people_of_store, relative};
pub use tables::{people_of_tables, sorted_columns, sorted_rows};

use std::path::{Path, PathBuf};

/// The top of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is inside the repository").to_owned()
}

/// The text of a schema of `tests/schemas`, or of an example.
pub fn schema_text(name: &str) -> String {
    let ours = root().join("tests/schemas").join(format!("{name}.toml"));
    let example = root().join("examples").join(name).join("schema.toml");
    let path = if ours.exists() { ours } else { example };
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
