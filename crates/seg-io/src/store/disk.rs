//! Changes of a store on the disk, made one after another, so that whatever ends them leaves
//! the old store or the new one.

use super::catalog::StoredFile;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Bytes that are written together.
const BLOCK: usize = 1 << 20;

/// A change of the disk that is about to be made, of a path below the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'p> {
    /// A folder or a file is made.
    Create(&'p str),
    /// Bytes go to a file.
    Write(&'p str),
    /// A file or a folder is brought to the disk as it is.
    Sync(&'p str),
    /// A file takes the place of another.
    Rename(&'p str),
    /// A file or a folder goes away.
    Remove(&'p str),
}

/// Is told of each change before it is made. Where it gives an error the change is not made,
/// as on a disk that is full, and none is made after it.
pub type Watch<'w> = dyn FnMut(Change<'_>) -> std::io::Result<()> + 'w;

/// The folder of a store, where it is changed.
pub(super) struct Disk<'w> {
    root: PathBuf,
    watch: Option<&'w mut Watch<'w>>,
}

impl<'w> Disk<'w> {
    pub fn new(root: &Path, watch: Option<&'w mut Watch<'w>>) -> Disk<'w> {
        Disk { root: root.to_owned(), watch }
    }

    fn tell(&mut self, change: Change<'_>) -> std::io::Result<()> {
        match &mut self.watch {
            Some(watch) => watch(change),
            None => Ok(()),
        }
    }

    /// Makes a folder.
    pub fn make_folder(&mut self, name: &str) -> std::io::Result<()> {
        self.tell(Change::Create(name))?;
        std::fs::create_dir(self.root.join(name))
    }

    /// Writes a file and brings it to the disk.
    pub fn write(
        &mut self,
        path: &str,
        write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> std::io::Result<StoredFile> {
        self.tell(Change::Create(path))?;
        let file = File::create(self.root.join(path))?;
        let summed = Summed { file, disk: self, path, bytes: 0, crc32: crc32fast::Hasher::new() };
        let mut buffered = BufWriter::with_capacity(BLOCK, summed);
        write(&mut buffered)?;
        let summed = buffered.into_inner().map_err(|error| error.into_error())?;
        summed.disk.tell(Change::Sync(path))?;
        summed.file.sync_all()?;
        Ok(StoredFile { path: path.to_owned(), bytes: summed.bytes, crc32: summed.crc32.finalize() })
    }

    /// Brings the names in a folder to the disk, that of the store where it has none.
    pub fn sync_folder(&mut self, name: &str) -> std::io::Result<()> {
        self.tell(Change::Sync(name))?;
        // Other systems do so by themselves.
        if cfg!(unix) { File::open(self.root.join(name))?.sync_all() } else { Ok(()) }
    }

    /// Gives a file the name of another, whose place it takes.
    pub fn rename(&mut self, from: &str, to: &str) -> std::io::Result<()> {
        self.tell(Change::Rename(to))?;
        std::fs::rename(self.root.join(from), self.root.join(to))
    }

    /// Removes a file or a folder with what is in it.
    pub fn remove(&mut self, name: &str) -> std::io::Result<()> {
        self.tell(Change::Remove(name))?;
        let path = self.root.join(name);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
    }
}

/// A file that counts and sums what is written to it.
struct Summed<'d, 'w> {
    file: File,
    disk: &'d mut Disk<'w>,
    path: &'d str,
    bytes: u64,
    crc32: crc32fast::Hasher,
}

impl Write for Summed<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.disk.tell(Change::Write(self.path))?;
        let n = self.file.write(bytes)?;
        let written = bytes.get(..n).unwrap_or_default();
        self.crc32.update(written);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
