//! Finding and opening data files.

use crate::meter::Meter;
use crate::objects::{self, Address, FoundObject, ObjectReader, ObjectStores, Remote};
use crate::report::ReadError;
use crate::tables::TableRows;
use flate2::read::MultiGzDecoder;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasher, BuildHasherDefault};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a data file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Separated values with a header line; what separates them, the header tells.
    Csv,
    /// Values separated by tabs, with a header line.
    Tsv,
    /// A JSON object a line, or one array of objects.
    Json,
    /// Apache Arrow IPC, a file or a stream; Feather is its other name.
    Arrow,
    /// Apache Parquet.
    Parquet,
}

/// What names the standard input among paths of files.
pub const STANDARD_INPUT: &str = "-";

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Where it is.
    pub path: PathBuf,
    /// As people call it: relative to the project.
    pub name: String,
    /// How it is written.
    pub format: Format,
    /// What folders on the way to it say of its rows: `country=DE`, as warehouses cut tables.
    pub partitions: Vec<(String, String)>,
    /// Its rows, where it is no file but a table in memory.
    pub(crate) table: Option<TableRows>,
    /// Its bytes, where these are an object's; then `path` is the address.
    pub(crate) object: Option<Arc<Remote>>,
}

/// What paths and patterns may name that is no file of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// What came through the standard input, where files of [`STANDARD_INPUT`] are read: it was
    /// kept in a file, since some data is read several times.
    pub standard_input: Option<DataFile>,
    /// The stores that addresses such as `s3://bucket/events.csv` are of.
    pub objects: Option<ObjectStores>,
}

/// So many bytes tell what a file without a name is.
const BEGIN_BYTES: u64 = 1 << 10;

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// What a value that is missing is called in the name of a folder.
const NO_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

impl DataFile {
    /// The format that the ending of a path stands for; whether it is packed, its bytes tell.
    ///
    /// # Errors
    /// When the ending is not one that Seg reads.
    pub fn new(path: PathBuf, name: String) -> Result<DataFile, ReadError> {
        let Some(format) = format_of(&name) else {
            let endings = ".csv, .tsv, .ndjson, .jsonl, .json, .parquet and .arrow, packed as .gz or .zst or not";
            return Err(ReadError::new(name, format!("this kind of file is not read; Seg reads {endings}")));
        };
        let folders = name.rsplit_once('/').map_or("", |(folders, _)| folders);
        let said = folders.split('/').filter_map(|folder| folder.split_once('='));
        let said = said.filter(|(key, value)| !key.is_empty() && *value != NO_PARTITION);
        let partitions = said.map(|(key, value)| (key.to_owned(), unescaped(value))).collect();
        Ok(DataFile { path, name, format, partitions, table: None, object: None })
    }

    /// An object of a store.
    ///
    /// # Errors
    /// See [`DataFile::new`].
    pub(crate) fn of_object(stores: &ObjectStores, object: FoundObject) -> Result<DataFile, ReadError> {
        let name = object.address.to_string();
        let file = DataFile::new(PathBuf::from(&name), name)?;
        Ok(DataFile { object: Some(Arc::new(Remote::new(stores.clone(), object))), ..file })
    }

    /// An object, whatever it is called.
    pub(crate) fn of_any_object(stores: &ObjectStores, object: FoundObject) -> DataFile {
        let file = DataFile::of_lines(&object.address.to_string());
        DataFile {
            path: PathBuf::from(&file.name),
            object: Some(Arc::new(Remote::new(stores.clone(), object))),
            ..file
        }
    }

    /// What messages call the standard input.
    pub const STANDARD_INPUT_NAME: &str = "standard input";

    /// What came through the standard input and is kept in a file: what it is, its first bytes
    /// tell, for it has no name that could.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of_standard_input(path: PathBuf) -> Result<DataFile, ReadError> {
        let name = Self::STANDARD_INPUT_NAME.to_owned();
        let file = DataFile { path, name, format: Format::Csv, partitions: Vec::new(), table: None, object: None };
        let mut begin = Vec::new();
        let read = file.stream(&Arc::default())?.take(BEGIN_BYTES).read_to_end(&mut begin);
        read.map_err(|error| file.error(&error))?;
        let first = begin.iter().find(|byte| !byte.is_ascii_whitespace() && !BYTE_ORDER_MARK.contains(byte));
        let format = match first {
            _ if begin.starts_with(b"PAR1") => Format::Parquet,
            _ if begin.starts_with(b"ARROW1") || begin.starts_with(&[0xff; 4]) => Format::Arrow,
            Some(b'{' | b'[') => Format::Json,
            Some(_) | None => Format::Csv,
        };
        Ok(DataFile { format, ..file })
    }

    /// Lines of JSON that are no file.
    pub(crate) fn of_lines(name: &str) -> DataFile {
        let (path, partitions) = (PathBuf::new(), Vec::new());
        DataFile { path, name: name.to_owned(), format: Format::Json, partitions, table: None, object: None }
    }

    /// A table in memory, which messages call by a name.
    pub(crate) fn of_table(name: String, rows: TableRows) -> DataFile {
        let (path, partitions) = (PathBuf::new(), Vec::new());
        DataFile { path, name, format: Format::Arrow, partitions, table: Some(rows), object: None }
    }

    /// Its size in bytes, packed; 0 when that cannot be told.
    pub fn size(&self) -> u64 {
        match &self.object {
            Some(object) => object.size(),
            None => std::fs::metadata(&self.path).map_or(0, |m| m.len()),
        }
    }

    /// Opens it as a stream of its unpacked bytes; `read` counts packed ones.
    pub(crate) fn stream(&self, read: &Arc<Meter>) -> Result<Box<dyn Read + Send>, ReadError> {
        let file = self.open()?;
        let mut counted = BufReader::with_capacity(1 << 16, Counted { inner: file, read: Arc::clone(read) });
        let start = counted.fill_buf().map_err(|error| self.error(&error))?;
        Ok(match start {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(counted)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                let unpacked = zstd::Decoder::with_buffer(counted).map_err(|error| self.error(&error))?;
                Box::new(unpacked)
            }
            _ => Box::new(counted),
        })
    }

    pub(crate) fn open(&self) -> Result<Opened, ReadError> {
        self.opened().map_err(|error| self.error(&error))
    }

    pub(crate) fn opened(&self) -> std::io::Result<Opened> {
        match &self.object {
            Some(object) => Ok(Opened::Object(ObjectReader::new(Arc::clone(object), 0))),
            None => File::open(&self.path).map(Opened::File),
        }
    }

    /// Whether it is an object rather than a file.
    pub fn is_object(&self) -> bool {
        self.object.is_some()
    }

    /// Whether it is an object that is still as it was when it was found.
    pub fn is_as_found(&self) -> bool {
        self.object.as_ref().is_some_and(|object| object.is_as_found())
    }

    /// Why its bytes could not be had, where that is no fault of theirs.
    pub(crate) fn failure(&self) -> Option<ReadError> {
        self.object.as_ref()?.failure()
    }

    /// An error of reading it, in words.
    pub(crate) fn error(&self, error: &std::io::Error) -> ReadError {
        if let Some(failure) = self.failure() {
            return failure;
        }
        let message = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            std::io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
            std::io::ErrorKind::UnexpectedEof => "the packed file ends too early; is it complete?".to_owned(),
            std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
                "the packed file is damaged".to_owned()
            }
            // What the unpacker of zstd finds wrong has no kind of its own.
            _ if error.raw_os_error().is_none() => format!("it cannot be unpacked: {error}"),
            _ => error.to_string(),
        };
        ReadError::new(&self.name, message)
    }
}

/// The lines of a file as they come, unpacked.
///
/// # Errors
/// A file that cannot be opened, or whose beginning cannot be read.
pub fn read_unpacked(path: &Path) -> Result<Box<dyn Read + Send>, ReadError> {
    let name = path.display().to_string();
    let file = DataFile {
        path: path.to_owned(),
        name,
        format: Format::Json,
        partitions: Vec::new(),
        table: None,
        object: None,
    };
    file.stream(&Arc::default())
}

/// The format that a name ends in, behind which may stand how it is packed.
pub(crate) fn format_of(name: &str) -> Option<Format> {
    let lower = name.to_lowercase();
    let stem = lower.strip_suffix(".gz").or_else(|| lower.strip_suffix(".zst")).unwrap_or(&lower);
    match stem.rsplit_once('.').map(|(_, ending)| ending) {
        Some("csv") => Some(Format::Csv),
        Some("tsv") => Some(Format::Tsv),
        Some("ndjson" | "jsonl" | "json") => Some(Format::Json),
        Some("arrow" | "arrows" | "feather" | "ipc") => Some(Format::Arrow),
        Some("parquet") if stem.len() == lower.len() => Some(Format::Parquet),
        _ => None,
    }
}

/// `New%20York` as `New York`.
pub(crate) fn unescaped(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| value.to_owned())
}

/// Whether tools leave such files or folders beside data, or it is a file of ours that was
/// not finished; `path` is that inside what was asked for.
pub(crate) fn is_stray(path: &Path) -> bool {
    let is_hidden = |name: &str| name.starts_with(['.', '_']) && name != ".." && name != ".";
    let mut names = path.components().map(|part| part.as_os_str().to_string_lossy());
    let last = path.file_name().unwrap_or_default().to_string_lossy();
    names.any(|name| is_hidden(&name)) || last.ends_with(".partial") || last.ends_with(".crc")
}

/// A file that is open.
#[derive(Debug)]
pub(crate) enum Opened {
    File(File),
    Object(ObjectReader),
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Opened::File(file) => file.read(buffer),
            Opened::Object(object) => object.read(buffer),
        }
    }
}

impl Seek for Opened {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match self {
            Opened::File(file) => file.seek(to),
            Opened::Object(object) => object.seek(to),
        }
    }
}

struct Counted {
    inner: Opened,
    read: Arc<Meter>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read.read(n as u64);
        Ok(n)
    }
}

/// The files that patterns name, relative to `base`, sorted within a pattern; each once,
/// whichever patterns and links lead to it. [`STANDARD_INPUT`] and addresses name what is
/// elsewhere.
///
/// # Errors
/// When a pattern is malformed or fits no file, or a file is of no known kind.
pub fn find(base: &Path, patterns: &[String], elsewhere: &Elsewhere) -> Result<Vec<DataFile>, ReadError> {
    let mut files = Vec::new();
    let mut known: HashSet<PathBuf> = HashSet::new();
    // Where a path cannot be followed, reading it will say why.
    let mut is_new = |path: &Path| known.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    for pattern in patterns {
        if pattern == STANDARD_INPUT {
            let nothing = || ReadError::new(pattern, "the standard input is not read here");
            let file = elsewhere.standard_input.as_ref().ok_or_else(nothing)?;
            if is_new(&file.path) {
                files.push(file.clone());
            }
            continue;
        }
        if Address::is_meant(pattern) {
            let found = objects::find(elsewhere.objects.as_ref(), pattern)?;
            files.extend(found.into_iter().filter(|file| is_new(&file.path)));
            continue;
        }
        let path = base.join(pattern);
        if path.is_file() {
            if is_new(&path) {
                files.push(DataFile::new(path, pattern.clone())?);
            }
            continue;
        }
        // Only the pattern is a pattern; the directory may hold any character.
        let escaped = glob::Pattern::escape(&base.to_string_lossy());
        let is_folder = path.is_dir();
        let inside = match is_folder {
            true => format!("{}/**/*", glob::Pattern::escape(pattern.trim_end_matches('/'))),
            false => pattern.clone(),
        };
        let full = if Path::new(pattern).is_absolute() { inside } else { format!("{escaped}/{inside}") };
        let found =
            glob::glob(&full).map_err(|e| ReadError::new(pattern, format!("this is not a pattern: {}", e.msg)))?;
        // Of a pattern only its own part is asked about: the folders before it are meant.
        let fixed = pattern.find(['*', '?', '[']).and_then(|at| pattern.get(..at)).unwrap_or(pattern);
        let fixed =
            if is_folder { path.clone() } else { base.join(fixed.rsplit_once('/').map_or("", |(folder, _)| folder)) };
        let inside = |path: &Path| path.strip_prefix(&fixed).map_or_else(|_| path.to_owned(), Path::to_owned);
        let is_data = |path: &Path| {
            let is_read = !is_folder || format_of(&path.to_string_lossy()).is_some();
            !path.is_dir() && is_read && !is_stray(&inside(path))
        };
        let mut paths = Vec::new();
        for path in found {
            let path = path.map_err(|e| ReadError::new(e.path().to_string_lossy(), e.error().to_string()))?;
            if is_data(&path) {
                paths.push(path);
            }
        }
        let mut found = paths;
        if found.is_empty() {
            let what = if is_folder { "there are no files in it that Seg reads" } else { "there is no such file" };
            return Err(ReadError::new(pattern, what));
        }
        found.sort();
        for path in found.into_iter().filter(|path| is_new(path)) {
            let name = path.strip_prefix(base).unwrap_or(&path).to_string_lossy().into_owned();
            files.push(DataFile::new(path, name)?);
        }
    }
    Ok(files)
}

/// How many bytes of files are compared to tell whether they are one under two names.
const COMPARED_BYTES: u64 = 64 * 1024;

/// Files of the size and the beginning of another, each with the first of them. What cannot
/// be opened is like none, and will be told of when it is read.
pub(crate) fn alike<'f>(files: impl Iterator<Item = &'f DataFile>) -> Vec<(&'f DataFile, &'f DataFile)> {
    let mut of_size: HashMap<u64, Vec<&DataFile>> = HashMap::new();
    let mut paths: HashSet<&Path> = HashSet::new();
    // A file of two sources is one file, and has one name.
    // Empty ones say nothing twice.
    for file in files.filter(|file| paths.insert(&file.path) && file.size() > 0) {
        of_size.entry(file.size()).or_default().push(file);
    }
    let mut pairs = Vec::new();
    for same in of_size.into_values().filter(|same| same.len() > 1) {
        let mut firsts: HashMap<u64, &DataFile> = HashMap::new();
        for file in same {
            let Some(bytes) = beginning(file) else { continue };
            match firsts.entry(BuildHasherDefault::<DefaultHasher>::default().hash_one(bytes)) {
                Entry::Occupied(first) => pairs.push((*first.get(), file)),
                Entry::Vacant(slot) => drop(slot.insert(file)),
            }
        }
    }
    pairs.sort_by(|a, b| a.1.name.cmp(&b.1.name));
    pairs
}

fn beginning(file: &DataFile) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match &file.object {
        Some(object) => bytes.extend_from_slice(&object.read(0..object.size().min(COMPARED_BYTES)).ok()?),
        None => drop(file.opened().ok()?.take(COMPARED_BYTES).read_to_end(&mut bytes).ok()?),
    }
    Some(bytes)
}
