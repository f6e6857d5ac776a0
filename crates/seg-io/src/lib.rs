//! Files in and out: CSV, NDJSON and Parquet to profile batches, members to
//! files, and the project file.
//!
//! Internal to Seg, without a promise of stability; embed the crate `seg`.
//!
//! The only crate that knows file formats. It never prints: what is wrong with
//! data is counted in a [`Report`], and a file that cannot be read is a
//! [`ReadError`]. Start with [`manifest::parse`], [`load()`] and [`infer`].

mod assemble;
mod attributes;
mod calls;
mod cell;
mod column;
pub mod drift;
mod events;
mod existence;
pub mod facts;
mod fits;
mod gather;
mod guard;
pub mod infer;
mod ipc;
pub mod json_schema;
mod links;
mod list;
mod load;
mod loader;
pub mod manifest;
mod merge;
mod meter;
pub mod objects;
mod open;
mod order;
mod parts;
mod people;
mod primitives;
mod reach;
mod report;
pub mod results;
mod rows;
mod rules;
mod sequences;
mod sizes;
mod spill;
pub mod store;
mod tables;
mod texts;
mod times;
mod values;

pub use guard::is_guarded;
pub use links::{MergeLink, merge_links};
pub use list::{list_header, read_list};
pub use load::{LINE_TIME, LoadRequest, Loaded, load, load_in_parts, load_lines};
pub use loader::Progress;
pub use manifest::Manifest;
pub use open::{DataFile, Elsewhere, Format, STANDARD_INPUT, find, read_unpacked};
pub use parts::LoadedParts;
pub use reach::is_reached;
pub use report::{Place, Problem, ProblemKind, ReadError, Report};
pub use results::{MembersFormat, write_members, write_whole, write_winners};
pub use sizes::{Sizes, read_sizes};
pub use spill::Memory;
pub use tables::{
    LARGE_ROWS, LargePerson, SortedColumns, SortedTables, TableReader, TablesRequest, load_tables, merged_into,
    plain_rows, plain_schema,
};
pub use times::UnixUnit;
