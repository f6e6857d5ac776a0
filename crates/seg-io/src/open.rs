//! Finding and opening data files.

use crate::report::ReadError;
use flate2::read::MultiGzDecoder;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a data file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header line.
    Csv,
    /// A JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
}

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Where it is.
    pub path: PathBuf,
    /// As people call it: relative to the project.
    pub name: String,
    /// How it is written.
    pub format: Format,
    /// Whether it is packed with gzip.
    pub is_gzip: bool,
}

impl DataFile {
    /// The format that the ending of a path stands for, and whether it is packed.
    ///
    /// # Errors
    /// When the ending is not one that Seg reads.
    pub fn new(path: PathBuf, name: String) -> Result<DataFile, ReadError> {
        let lower = name.to_lowercase();
        let (stem, is_gzip) = match lower.strip_suffix(".gz") {
            Some(stem) => (stem, true),
            None => (lower.as_str(), false),
        };
        let format = match stem.rsplit_once('.').map(|(_, ending)| ending) {
            Some("csv") => Format::Csv,
            Some("ndjson" | "jsonl") => Format::Ndjson,
            Some("parquet") if !is_gzip => Format::Parquet,
            _ => {
                let endings = ".csv, .csv.gz, .ndjson, .ndjson.gz, .jsonl, .jsonl.gz and .parquet";
                return Err(ReadError::new(name, format!("this kind of file is not read; Seg reads {endings}")));
            }
        };
        Ok(DataFile { path, name, format, is_gzip })
    }

    /// Lines of JSON that are no file.
    pub(crate) fn of_lines(name: &str) -> DataFile {
        DataFile { path: PathBuf::new(), name: name.to_owned(), format: Format::Ndjson, is_gzip: false }
    }

    /// Its size in bytes, packed; 0 when that cannot be told.
    pub fn size(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |m| m.len())
    }

    /// Opens it as a stream of its unpacked bytes; `read` counts packed ones.
    pub(crate) fn stream(&self, read: &Arc<AtomicU64>) -> Result<Box<dyn Read>, ReadError> {
        let file = self.open()?;
        let counted = BufReader::with_capacity(1 << 16, Counted { inner: file, read: Arc::clone(read) });
        Ok(if self.is_gzip { Box::new(MultiGzDecoder::new(counted)) } else { Box::new(counted) })
    }

    pub(crate) fn open(&self) -> Result<File, ReadError> {
        File::open(&self.path).map_err(|error| self.error(&error))
    }

    /// An error of reading it, in words.
    pub(crate) fn error(&self, error: &std::io::Error) -> ReadError {
        let message = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            std::io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
            std::io::ErrorKind::UnexpectedEof if self.is_gzip => {
                "the packed file ends too early; is it complete?".to_owned()
            }
            std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData if self.is_gzip => {
                "the file ends in .gz but is not packed with gzip, or is damaged".to_owned()
            }
            _ => error.to_string(),
        };
        ReadError::new(&self.name, message)
    }
}

struct Counted {
    inner: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// The files that patterns name, relative to `base`, sorted within a pattern; each once,
/// whichever patterns and links lead to it.
///
/// # Errors
/// When a pattern is malformed or fits no file, or a file is of no known kind.
pub fn find(base: &Path, patterns: &[String]) -> Result<Vec<DataFile>, ReadError> {
    let mut files = Vec::new();
    let mut known: HashSet<PathBuf> = HashSet::new();
    // Where a path cannot be followed, reading it will say why.
    let mut is_new = |path: &Path| known.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    for pattern in patterns {
        let path = base.join(pattern);
        if path.is_file() {
            if is_new(&path) {
                files.push(DataFile::new(path, pattern.clone())?);
            }
            continue;
        }
        // Only the pattern is a pattern; the directory may hold any character.
        let escaped = glob::Pattern::escape(&base.to_string_lossy());
        let full = if Path::new(pattern).is_absolute() { pattern.clone() } else { format!("{escaped}/{pattern}") };
        let found =
            glob::glob(&full).map_err(|e| ReadError::new(pattern, format!("this is not a pattern: {}", e.msg)))?;
        let mut found: Vec<PathBuf> = found.filter_map(Result::ok).filter(|p| p.is_file()).collect();
        if found.is_empty() {
            return Err(ReadError::new(pattern, "there is no such file"));
        }
        found.sort();
        for path in found.into_iter().filter(|path| is_new(path)) {
            let name = path.strip_prefix(base).unwrap_or(&path).to_string_lossy().into_owned();
            files.push(DataFile::new(path, name)?);
        }
    }
    Ok(files)
}
