//! Requests to stores, each on the thread that makes it.

use crate::errors::{CHANGED, REMOVED, told};
use crate::http::Http;
use crate::settings::open;
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, UpdateVersion,
};
use seg_io::objects::{Address, FoundObject, ObjectError, Objects, Scheme};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Builder;

/// A larger object is written in parts of so many bytes.
const PART_BYTES: u64 = 8 << 20;

/// The stores of providers, each opened when it is first asked.
pub struct Cloud {
    variables: Vec<(String, String)>,
    http: Http,
    opened: Mutex<HashMap<(Scheme, String), Arc<dyn ObjectStore>>>,
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What variables hold is nobody's business.
        f.debug_struct("Cloud").finish_non_exhaustive()
    }
}

impl Cloud {
    pub fn new(variables: Vec<(String, String)>) -> Cloud {
        Cloud { http: Http::new(&variables), variables, opened: Mutex::default() }
    }

    fn store(&self, address: &Address) -> Result<Arc<dyn ObjectStore>, ObjectError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (address.scheme, address.bucket.clone());
        if let Some(store) = opened.get(&key) {
            return Ok(Arc::clone(store));
        }
        let store = open(address, &self.variables, &self.http)?;
        opened.insert(key, Arc::clone(&store));
        Ok(store)
    }

    /// Whether an object has exactly these bytes.
    fn holds(&self, address: &Address, contents: &[u8]) -> bool {
        let found = self.find(address).ok().flatten().filter(|found| found.size == contents.len() as u64);
        found.and_then(|found| self.read(&found, 0..found.size).ok()).is_some_and(|bytes| bytes == contents)
    }
}

/// Waits for an answer. Requests wait themselves; what needs a clock is how long to wait before
/// the next of them.
fn wait<T>(work: impl Future<Output = T>) -> Result<T, ObjectError> {
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| ObjectError(format!("no store can be asked: {error}")))?;
    Ok(runtime.block_on(work))
}

/// The key of an address as it is.
fn path(address: &Address) -> Result<Path, ObjectError> {
    Path::parse(&address.key).map_err(|error| ObjectError(format!("this is no key that is read: {error}")))
}

fn found(address: &Address, meta: ObjectMeta) -> FoundObject {
    FoundObject { address: address.with_key(meta.location.as_ref()), size: meta.size, version: meta.e_tag }
}

impl Objects for Cloud {
    fn find(&self, address: &Address) -> Result<Option<FoundObject>, ObjectError> {
        let (store, path) = (self.store(address)?, path(address)?);
        match wait(store.head(&path))? {
            Ok(meta) => Ok(Some(found(address, meta))),
            // Whether it is the bucket that is not there, the listing says that follows.
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(told(address, &error)),
        }
    }

    fn list(&self, folder: &Address) -> Result<Vec<FoundObject>, ObjectError> {
        let (store, path) = (self.store(folder)?, path(folder)?);
        let listed = wait(store.list(Some(&path)).try_collect::<Vec<ObjectMeta>>())?;
        let listed = listed.map_err(|error| match &error {
            Error::InvalidPath { source } => {
                ObjectError(format!("an object in it has a key that is not read: {source}"))
            }
            error => told(folder, error),
        })?;
        Ok(listed.into_iter().map(|meta| found(folder, meta)).collect())
    }

    fn read(&self, object: &FoundObject, range: Range<u64>) -> Result<Bytes, ObjectError> {
        let address = &object.address;
        let (store, path) = (self.store(address)?, path(address)?);
        let options = GetOptions::new().with_range(Some(GetRange::Bounded(range)));
        let options = options.with_if_match(object.version.clone());
        let read = wait(async {
            let got = store.get_opts(&path, options).await?;
            let meta = got.meta.clone();
            Ok::<_, Error>((meta, got.bytes().await?))
        })?;
        match read {
            // Some stores pass conditions over.
            Ok((meta, _)) if meta.e_tag != object.version || meta.size != object.size => {
                Err(ObjectError(CHANGED.to_owned()))
            }
            Ok((_, bytes)) => Ok(bytes),
            Err(Error::NotFound { .. }) => Err(ObjectError(REMOVED.to_owned())),
            Err(error) => Err(told(address, &error)),
        }
    }

    fn write(&self, address: &Address, contents: &mut dyn Read) -> Result<(), ObjectError> {
        let (store, path) = (self.store(address)?, path(address)?);
        let first = part(contents)?;
        if (first.len() as u64) < PART_BYTES {
            let put = wait(store.put(&path, first.into()))?;
            return put.map(drop).map_err(|error| told(address, &error));
        }
        let upload = wait(store.put_multipart(&path))?;
        let mut upload = upload.map_err(|error| told(address, &error))?;
        let written = parts(upload.as_mut(), first, contents, address);
        if written.is_err() {
            // What cannot be taken back the bucket's own rules take away; no object was made.
            let _ = wait(upload.abort());
        }
        written
    }

    fn replace(&self, address: &Address, contents: &[u8], before: Option<&FoundObject>) -> Result<(), ObjectError> {
        let (store, path) = (self.store(address)?, path(address)?);
        let put = wait(put_in_place(store.as_ref(), &path, contents.to_vec(), before))?;
        // Where the answer was cut, it may be there all the same.
        if put.is_err() && self.holds(address, contents) {
            return Ok(());
        }
        put.map_err(|error| match error {
            Error::Precondition { .. } | Error::AlreadyExists { .. } | Error::NotFound { .. } => {
                ObjectError("somebody else wrote it meanwhile".to_owned())
            }
            error => told(address, &error),
        })
    }

    fn remove(&self, address: &Address) -> Result<(), ObjectError> {
        let (store, path) = (self.store(address)?, path(address)?);
        wait(store.delete(&path))?.map_err(|error| told(address, &error))
    }
}

/// Puts bytes in the place of what was found, and of nothing else.
async fn put_in_place(
    store: &dyn ObjectStore,
    path: &Path,
    contents: Vec<u8>,
    before: Option<&FoundObject>,
) -> object_store::Result<()> {
    let mode = match before {
        None => PutMode::Create,
        Some(before) => {
            // Some stores go by a number of the version rather than by the tag.
            let meta = store.head(path).await?;
            if meta.e_tag != before.version {
                let (path, source) = (path.to_string(), CHANGED.into());
                return Err(Error::Precondition { path, source });
            }
            PutMode::Update(UpdateVersion { e_tag: meta.e_tag, version: meta.version })
        }
    };
    store.put_opts(path, contents.into(), mode.into()).await.map(drop)
}

/// Sends parts one after another, and makes an object of them at the end.
fn parts(
    upload: &mut dyn MultipartUpload,
    first: Vec<u8>,
    contents: &mut dyn Read,
    address: &Address,
) -> Result<(), ObjectError> {
    let mut next = first;
    while !next.is_empty() {
        wait(upload.put_part(next.into()))?.map_err(|error| told(address, &error))?;
        next = part(contents)?;
    }
    wait(upload.complete())?.map(drop).map_err(|error| told(address, &error))
}

/// As many bytes as a part has, or all that are left.
fn part(contents: &mut dyn Read) -> Result<Vec<u8>, ObjectError> {
    let mut bytes = Vec::new();
    let read = contents.take(PART_BYTES).read_to_end(&mut bytes);
    read.map_err(|error| ObjectError(format!("what is to be written cannot be read: {error}")))?;
    Ok(bytes)
}
