//! The one door behind which libraries read files that may be damaged.

use crate::open::DataFile;
use crate::report::ReadError;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread reads a file whose damage may make a library panic, which is
/// caught: whoever prints panics is silent about these.
pub fn is_guarded() -> bool {
    IS_GUARDED.with(Cell::get)
}

/// What reading a file gives; an error where it makes a library panic. What was
/// unpacked before is whole: nothing of the panic's state is looked at again.
///
/// # Errors
/// Those of reading, and damage that a library does not foresee.
pub(crate) fn guarded<T>(file: &DataFile, read: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    foreseen(read)
        .unwrap_or_else(|| Err(ReadError::new(&file.name, "the file is damaged; take it from where it came again")))
}

/// What reading gives; none where it makes a library panic.
pub(crate) fn foreseen<T>(read: impl FnOnce() -> T) -> Option<T> {
    let before = IS_GUARDED.with(|guarded| guarded.replace(true));
    let result = catch_unwind(AssertUnwindSafe(read));
    IS_GUARDED.with(|guarded| guarded.set(before));
    result.ok()
}
