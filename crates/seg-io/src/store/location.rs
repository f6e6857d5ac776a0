//! Where a store lies: in a folder, or as objects below an address.

use crate::manifest::Data;
use crate::objects::{Address, NOT_ASKED, ObjectStores};
use crate::report::ReadError;
use std::io::{Error, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Where a store lies.
#[derive(Debug, Clone)]
pub(super) enum Location {
    Folder(PathBuf),
    /// The address is that of the folder, as stores of objects have them.
    Objects(ObjectStores, Address),
}

impl Location {
    /// That of a project's store.
    ///
    /// # Errors
    /// A project that names no store, an address that is none, and one where nobody can ask.
    pub fn of(base: &Path, data: &Data) -> Result<Location, ReadError> {
        let Some(store) = data.store.as_ref().filter(|store| Address::is_meant(store)) else {
            return super::root(base, data).map(Location::Folder);
        };
        let error = |what: String| ReadError::new(store, what);
        let address = Address::parse(store).map_err(error)?;
        let objects = data.elsewhere.objects.clone().ok_or_else(|| error(NOT_ASKED.to_owned()))?;
        Ok(Location::Objects(objects, address))
    }

    /// As messages call it.
    pub fn name(&self) -> String {
        match self {
            Location::Folder(root) => root.to_string_lossy().into_owned(),
            Location::Objects(_, address) => address.to_string(),
        }
    }

    /// As messages call a file of it.
    pub fn name_of(&self, file: &str) -> String {
        match self {
            Location::Folder(root) => root.join(file).to_string_lossy().into_owned(),
            Location::Objects(_, address) => address.join(file).to_string(),
        }
    }

    /// Its folder on this machine, where it has one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Location::Folder(root) => Some(root),
            Location::Objects(..) => None,
        }
    }

    /// All of a small file.
    ///
    /// # Errors
    /// What the file system or the store says.
    pub fn read(&self, file: &str) -> std::io::Result<Vec<u8>> {
        match self {
            Location::Folder(root) => std::fs::read(root.join(file)),
            Location::Objects(objects, address) => read_object(objects, &address.join(file), None),
        }
    }
}

/// All of an object, which has to have so many bytes where that is known.
///
/// # Errors
/// What the store says, and an object of another length.
pub(super) fn read_object(objects: &ObjectStores, address: &Address, n_bytes: Option<u64>) -> std::io::Result<Vec<u8>> {
    let found = objects.find(address).map_err(Error::other)?.ok_or(ErrorKind::NotFound)?;
    if n_bytes.is_some_and(|n_bytes| n_bytes != found.size) {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.size).unwrap_or_default());
    objects.reader(found).read_to_end(&mut bytes)?;
    Ok(bytes)
}
