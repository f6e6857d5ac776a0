//! A packed store as objects: packed to a folder first, and then put where it is to lie.
//!
//! Objects of a generation have names that no store there has, and the `MANIFEST` is the last to
//! be written, in the place of exactly the one that was there when packing began. So whoever
//! reads meanwhile reads the old store or the new one, and of two who pack one is refused.

use super::catalog::{CATALOG_FILE, Catalog};
use super::generation::{folder as folder_of, number_of};
use super::location::Location;
use crate::manifest::Data;
use crate::objects::{Address, FoundObject, ObjectError, ObjectStores};
use crate::report::ReadError;
use std::collections::HashSet;
use std::fmt::Display;
use std::fs::File;
use std::path::Path;

/// A store that is going to be put into an object store.
pub struct Upload {
    objects: ObjectStores,
    address: Address,
    /// What says what the store of now is made of.
    before: Option<FoundObject>,
    /// The objects that are there.
    there: Vec<FoundObject>,
}

impl Upload {
    /// Looks at what is there; none where the project's store is a folder.
    ///
    /// # Errors
    /// An address that is none, what the store of objects says, and objects that are no store.
    pub fn begin(base: &Path, data: &Data) -> Result<Option<Upload>, ReadError> {
        let (objects, address) = match Location::of(base, data)? {
            Location::Folder(_) => return Ok(None),
            Location::Objects(objects, address) => (objects, address),
        };
        let failed = |error: ObjectError| ReadError::new(address.to_string(), error.to_string());
        let before = objects.find(&address.join(CATALOG_FILE)).map_err(failed)?;
        let there = objects.list(&address).map_err(failed)?;
        let upload = Upload { objects, address, before, there };
        let other = upload.there.iter().find(|object| {
            let name = upload.inside(object);
            name != CATALOG_FILE && upload.number(object).is_none()
        });
        match other {
            Some(other) => {
                let name = upload.inside(other);
                let why = format!("the folder holds `{name}`, which is no part of a store; name another folder");
                Err(ReadError::new(upload.address.to_string(), why))
            }
            None => Ok(Some(upload)),
        }
    }

    /// The name of an object within the store.
    fn inside<'o>(&self, object: &'o FoundObject) -> &'o str {
        let key = object.address.key.as_str();
        key.strip_prefix(&self.address.key).unwrap_or(key).trim_start_matches('/')
    }

    /// The number of the generation that an object is of.
    fn number(&self, object: &FoundObject) -> Option<u64> {
        self.inside(object).split_once('/').and_then(|(folder, _)| number_of(folder))
    }

    /// Lets what is packed to an empty folder have names that no object has.
    ///
    /// # Errors
    /// What the file system says.
    pub fn reserve(&self, folder: &Path) -> Result<(), ReadError> {
        let last = self.there.iter().filter_map(|object| self.number(object)).max();
        let made = last.map_or(Ok(()), |last| std::fs::create_dir(folder.join(folder_of(last))));
        made.map_err(|error| ReadError::new(folder.to_string_lossy(), error.to_string()))
    }

    /// Puts a store that was packed to a folder where it is to lie, and takes away what is of
    /// neither it nor the store before: whoever reads that one may still do so.
    ///
    /// # Errors
    /// What the disk and the store of objects say, and a store that somebody else packed meanwhile;
    /// then the store is what it was.
    pub fn finish(self, folder: &Path) -> Result<(), ReadError> {
        let failed = |error: &dyn Display| {
            let why = format!("packing ended, and the store is what it was: {error}");
            ReadError::new(self.address.to_string(), why)
        };
        let packed = Catalog::read(&Location::Folder(folder.to_owned()))?;
        for file in packed.files() {
            let mut contents = File::open(folder.join(&file.path)).map_err(|error| failed(&error))?;
            self.objects.write(&self.address.join(&file.path), &mut contents).map_err(|error| failed(&error))?;
        }
        let before = self
            .before
            .as_ref()
            .and_then(|_| Catalog::read(&Location::Objects(self.objects.clone(), self.address.clone())).ok());
        let catalog = std::fs::read(folder.join(CATALOG_FILE)).map_err(|error| failed(&error))?;
        let place = self.address.join(CATALOG_FILE);
        self.objects.replace(&place, &catalog, self.before.as_ref()).map_err(|error| failed(&error))?;
        let known: HashSet<&str> =
            before.iter().flat_map(Catalog::files).chain(packed.files()).map(|file| file.path.as_str()).collect();
        for object in &self.there {
            let name = self.inside(object);
            if name != CATALOG_FILE && !known.contains(name) {
                // The store is whole; what is left the next packing takes away.
                let _ = self.objects.remove(&object.address);
            }
        }
        Ok(())
    }
}
