//! Files in and out: CSV, NDJSON and Parquet to profile batches, members to
//! files, and the project file.
//!
//! Internal to Seg, without a promise of stability; embed the crate `seg`.
//!
//! The only crate that knows file formats. It never prints: what is wrong with
//! data is counted in a [`Report`], and a file that cannot be read is a
//! [`ReadError`]. Start with [`manifest::parse`], [`load()`] and [`infer`].

mod cell;
mod column;
pub mod infer;
mod load;
pub mod manifest;
mod open;
mod report;
mod rows;
mod write;

pub use load::{Loaded, Progress, load};
pub use manifest::Manifest;
pub use open::{DataFile, Format, find};
pub use report::{Place, Problem, ProblemKind, ReadError, Report};
pub use write::{MembersFormat, write_members};
