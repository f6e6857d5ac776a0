//! Files mapped into memory: the only file of the crate with unsafe code.
//!
//! It rests on one thing: what is read through a mapping are numbers of fixed width, of
//! which every pattern of bits is a value. Whatever else decides where something lies (places
//! of lists and of texts, keys of texts, the texts themselves) is copied first and checked in
//! the copy; see `column.rs`. So a file that somebody changes meanwhile may give another
//! number, but never another address. A file that somebody cuts short meanwhile ends the
//! process, as the system has it; whoever cannot rule that out reads files instead.
#![allow(unsafe_code)]

use bytes::Bytes;
use memmap2::Mmap;
use std::fs::File;

/// The bytes of a file, without a copy of them.
///
/// # Errors
/// What the system says.
pub(super) fn mapped(file: &File) -> std::io::Result<Bytes> {
    // SAFETY: the mapping is read alone, and only as numbers of which every pattern of bits
    // is a value; no file is changed once a catalog names it.
    let map = unsafe { Mmap::map(file)? };
    Ok(Bytes::from_owner(map))
}
