//! Where bytes are that lie in no file of this machine: objects, in the stores of clouds.
//!
//! Whoever wants them says so with an address such as `s3://bucket/events/*.parquet`. How a
//! store is asked is behind [`Objects`]; nothing here knows of a network.

mod address;
mod fetched;
mod find;
mod read;

pub use address::{Address, Scheme};
pub(crate) use fetched::{Chunks, chunks_of};
pub(crate) use find::{find, is_reached};
pub(crate) use read::{ObjectReader, Remote};

use bytes::Bytes;
use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

/// An object that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundObject {
    /// Where it is.
    pub address: Address,
    /// How many bytes it has.
    pub size: u64,
    /// What it was when it was found, as its store says it (its ETag): another version of it is
    /// never read in its place.
    pub version: Option<String>,
}

/// Why objects cannot be had, in words for whoever wrote their address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectError(pub String);

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ObjectError {}

/// Stores of objects, which are asked by several threads. What fails for a while they try again
/// before they say so.
pub trait Objects: fmt::Debug + Send + Sync {
    /// The object of exactly this address; none where there is none.
    ///
    /// # Errors
    /// A store that cannot be asked, or does not answer whoever asks.
    fn find(&self, address: &Address) -> Result<Option<FoundObject>, ObjectError>;

    /// All objects in a folder and in those below it. The key of the address is that of the folder,
    /// without a slash at its end; it is empty for all of a bucket.
    ///
    /// # Errors
    /// See [`Objects::find`]; a bucket that is not there.
    fn list(&self, folder: &Address) -> Result<Vec<FoundObject>, ObjectError>;

    /// Some bytes of an object, all of them.
    ///
    /// # Errors
    /// See [`Objects::find`]; an object that is no longer the one that was found.
    fn read(&self, object: &FoundObject, range: Range<u64>) -> Result<Bytes, ObjectError>;

    /// Makes an object of all that can be read, in the place of one that may be there. It is there
    /// when all of it is, and until then what was there before.
    ///
    /// # Errors
    /// See [`Objects::find`]; bytes that cannot be read.
    fn write(&self, address: &Address, contents: &mut dyn Read) -> Result<(), ObjectError>;

    /// Makes a small object in the place of exactly the one that was found, or where there was none.
    ///
    /// # Errors
    /// See [`Objects::find`]; another object than that is there by now.
    fn replace(&self, address: &Address, contents: &[u8], before: Option<&FoundObject>) -> Result<(), ObjectError>;

    /// Takes an object away.
    ///
    /// # Errors
    /// See [`Objects::find`].
    fn remove(&self, address: &Address) -> Result<(), ObjectError>;
}

/// The stores that may be asked, shared by all who ask them.
#[derive(Debug, Clone)]
pub struct ObjectStores(Arc<dyn Objects>);

impl ObjectStores {
    /// Those of a way to ask.
    pub fn new(objects: impl Objects + 'static) -> ObjectStores {
        ObjectStores(Arc::new(objects))
    }

    /// Reads an object from its beginning.
    pub(crate) fn reader(&self, object: FoundObject) -> ObjectReader {
        ObjectReader::new(Arc::new(Remote::new(self.clone(), object)), 0)
    }
}

impl std::ops::Deref for ObjectStores {
    type Target = dyn Objects;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref()
    }
}

impl PartialEq for ObjectStores {
    fn eq(&self, other: &ObjectStores) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ObjectStores {}

/// What is said where nobody can ask a store.
pub(crate) const NOT_ASKED: &str =
    "object stores are read by the command `seg` where it is built with them; copy it to this machine";
