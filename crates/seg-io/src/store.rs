//! A packed store: the data of a project as columns that a run maps into memory.
//!
//! A store is a folder. Its `MANIFEST` names every file that is part of it, with the length
//! and the sum of each, and is the last to be written: it takes the place of the one before
//! at once, so that whatever ends a packing leaves the old store or the new one. No file
//! changes once a manifest names it. A day more is a generation more, with the new people and
//! the lists of those who did something; when generations become many or large they are put
//! together. What is not named is swept by the next packing.
//!
//! A packing can be cut into several stores, of which each holds the people whose ids have one
//! hash; whoever runs them puts their results together again.
//!
//! Answers are those from the files, in the order in which they were packed.

mod calls;
mod catalog;
mod column;
mod disk;
mod earlier;
mod forget;
mod generation;
mod load;
mod location;
mod lock;
mod map;
mod pack;
mod partition;
mod people;
mod ties;
mod upload;
mod write;

pub use catalog::{CATALOG_FILE, PARTITIONS_FILE, PackedInput};
pub use disk::{Change, Watch};
pub use forget::{Forgotten, forget};
pub use load::{StoreInfo, info, verify};
pub(crate) use load::{StoredParts, load, load_in_parts};
pub use pack::{PackRequest, Packed, Packing};
pub use partition::{Partitioned, Partitioning, StorePartition, partition, partition_of, rows_of_all};
pub use upload::Upload;

use crate::manifest::Data;
use crate::objects::Address;
use crate::open::DataFile;
use crate::report::ReadError;
use location::Location;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// The object in which a project's store says what is in it, where it lies in an object store.
///
/// # Errors
/// An address that is none, no such object, and what the store says.
pub fn catalog_object(base: &Path, data: &Data) -> Result<Option<DataFile>, ReadError> {
    match Location::of(base, data)? {
        Location::Folder(_) => Ok(None),
        Location::Objects(objects, address) => {
            let address = address.join(CATALOG_FILE);
            let error = |what: &dyn Display| ReadError::new(address.to_string(), what.to_string());
            let found = objects.find(&address).map_err(|what| error(&what))?;
            let found = found.ok_or_else(|| error(&"there is no such object"))?;
            Ok(Some(DataFile::of_any_object(&objects, found)))
        }
    }
}

/// The folder of a project's store, where it is changed.
fn root(base: &Path, data: &Data) -> Result<PathBuf, ReadError> {
    let why = "it names no store; add the line `store = \"store\"` below `[data]`";
    // Messages name files as people do.
    let below = |store: &String| if base == Path::new(".") { PathBuf::from(store) } else { base.join(store) };
    match &data.store {
        Some(store) if Address::is_meant(store) => {
            let why = "this changes a store in a folder alone; pack it anew where it lies, or in a folder";
            Err(ReadError::new(store, why))
        }
        store => store.as_ref().map(below).ok_or_else(|| ReadError::new("seg.toml", why)),
    }
}
