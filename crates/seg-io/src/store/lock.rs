//! Who may change a store, and who reads it meanwhile.

use crate::report::ReadError;
use std::fs::{File, TryLockError};
use std::path::Path;

/// Held by whoever changes the store.
const WRITER_FILE: &str = "LOCK";
/// Held together by those who open its files.
const READERS_FILE: &str = "READERS";

/// The right to change a store, until it is dropped or the process ends.
pub(super) struct WriterLock(#[expect(dead_code)] File);

impl WriterLock {
    /// Takes the lock of a folder, which has to be there.
    ///
    /// # Errors
    /// That somebody has it, or that the folder may not be written to.
    pub fn take(root: &Path) -> Result<WriterLock, ReadError> {
        let failed = |error: std::io::Error| ReadError::new(root.to_string_lossy(), error.to_string());
        File::options().create(true).append(true).open(root.join(READERS_FILE)).map_err(failed)?;
        let file = File::options().create(true).append(true).open(root.join(WRITER_FILE)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(WriterLock(file)),
            Err(TryLockError::WouldBlock) => {
                let why = "somebody else changes this store right now; wait until that `seg` has ended";
                Err(ReadError::new(root.to_string_lossy(), why))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// While it is held no file that the catalog names goes away. On a disk that knows no locks,
/// or may not be written to, nothing is held.
pub(super) struct ReaderLock(#[expect(dead_code)] Option<File>);

impl ReaderLock {
    /// Objects are not held either: one that goes away meanwhile is told of when it is read.
    pub fn take(root: Option<&Path>) -> ReaderLock {
        let file = root.and_then(|root| File::open(root.join(READERS_FILE)).ok());
        ReaderLock(file.filter(|file| file.lock_shared().is_ok()))
    }
}

/// Whether nobody opens files of the store, as long as what is returned is held.
pub(super) fn without_readers(root: &Path) -> Option<File> {
    let file = File::open(root.join(READERS_FILE)).ok()?;
    file.try_lock().is_ok().then_some(file)
}
