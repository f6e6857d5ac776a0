//! How many bytes of files were gone through, and how many of them were read.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts bytes as they lie on disk, for all who read.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    passed: AtomicU64,
    read: AtomicU64,
}

impl Meter {
    /// Bytes that were read in the order of a file.
    pub fn read(&self, n: u64) {
        self.passed.fetch_add(n, Ordering::Relaxed);
        self.read.fetch_add(n, Ordering::Relaxed);
    }

    /// Bytes of a part of a file, of which others may be left there.
    pub fn read_part(&self, n: u64) {
        self.read.fetch_add(n, Ordering::Relaxed);
    }

    /// So many bytes lie behind whoever reads.
    pub fn pass(&self, n: u64) {
        self.passed.store(n, Ordering::Relaxed);
    }

    pub fn n_passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    pub fn n_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}
