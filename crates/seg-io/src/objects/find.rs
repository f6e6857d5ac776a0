//! The objects that a pattern names.

use super::{Address, FoundObject, NOT_ASKED, ObjectError, ObjectStores};
use crate::open::{DataFile, format_of, is_stray};
use crate::report::ReadError;
use glob::{MatchOptions, Pattern};
use std::path::{Path, PathBuf};

/// What in a key makes it a pattern.
const WILD: [char; 3] = ['*', '?', '['];

/// Stars go over no slash, as in paths.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// The objects of an address, which may be that of a folder or have a pattern in its key, in the
/// order of paths.
///
/// # Errors
/// An address that is none, a pattern that is none or fits nothing, and what a store says.
pub(crate) fn find(stores: Option<&ObjectStores>, pattern: &str) -> Result<Vec<DataFile>, ReadError> {
    let error = |what: String| ReadError::new(pattern, what);
    let failed = |what: ObjectError| ReadError::new(pattern, what.to_string());
    let address = Address::parse(pattern).map_err(error)?;
    let stores = stores.ok_or_else(|| error(NOT_ASKED.to_owned()))?;
    let is_folder = pattern.ends_with('/') || address.key.is_empty();
    let wild = address.key.find(WILD);
    if wild.is_none()
        && !is_folder
        && let Some(object) = stores.find(&address).map_err(failed)?
    {
        return Ok(vec![DataFile::of_object(stores, object)?]);
    }
    let mut found = match wild {
        None => {
            let is_data = |object: &FoundObject| format_of(&object.address.key).is_some();
            listed(stores, &address, &is_data).map_err(failed)?
        }
        Some(at) => {
            let fits = Pattern::new(&address.key).map_err(|e| error(format!("this is not a pattern: {}", e.msg)))?;
            let fixed = address.key.get(..at).and_then(|fixed| fixed.rsplit_once('/'));
            let folder = address.with_key(fixed.map_or("", |(folder, _)| folder));
            let is_data = |object: &FoundObject| fits.matches_with(&object.address.key, OPTIONS);
            listed(stores, &folder, &is_data).map_err(failed)?
        }
    };
    // A key may have such characters itself.
    if found.is_empty() && wild.is_some() {
        found.extend(stores.find(&address).map_err(failed)?);
    }
    if found.is_empty() {
        return Err(error(match wild {
            None if is_folder => "there are no objects in it that Seg reads".to_owned(),
            None => "there is no such object, and there are none below it that Seg reads".to_owned(),
            Some(_) => "no object fits this pattern".to_owned(),
        }));
    }
    found.sort_by_key(|object| PathBuf::from(&object.address.key));
    found.into_iter().map(|object| DataFile::of_object(stores, object)).collect()
}

/// Objects in a folder that are data, without what tools leave there.
fn listed(
    stores: &ObjectStores,
    folder: &Address,
    is_data: &dyn Fn(&FoundObject) -> bool,
) -> Result<Vec<FoundObject>, ObjectError> {
    let inside = |key: &str| {
        let inside = key.strip_prefix(&folder.key).unwrap_or(key);
        PathBuf::from(inside.trim_start_matches('/'))
    };
    let mut found = stores.list(folder)?;
    // Tools make folders by empty objects.
    found.retain(|object| object.size > 0 || format_of(&object.address.key).is_some());
    found.retain(|object| is_data(object) && !is_stray(&inside(&object.address.key)));
    Ok(found)
}

/// Whether an object, which need not be there yet, would be read as data by an address.
pub(crate) fn is_reached(pattern: &str, address: &str) -> bool {
    let (Ok(pattern), Ok(address)) = (Address::parse(pattern), Address::parse(address)) else { return false };
    if pattern.scheme != address.scheme || pattern.bucket != address.bucket {
        return false;
    }
    if pattern == address {
        return true;
    }
    let name = Path::new(&address.key).file_name().unwrap_or_default();
    if pattern.key.contains(WILD) {
        let fits = Pattern::new(&pattern.key).is_ok_and(|pattern| pattern.matches_with(&address.key, OPTIONS));
        return fits && !is_stray(Path::new(name));
    }
    let inside = address.key.strip_prefix(&pattern.key);
    let inside = inside.filter(|inside| pattern.key.is_empty() || inside.starts_with('/'));
    inside.is_some_and(|inside| !is_stray(Path::new(inside.trim_start_matches('/'))) && format_of(inside).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_is_not_there_yet_is_reached_as_one_that_is() {
        assert!(is_reached("s3://b/x/*.csv", "s3://b/x/m.csv"));
        assert!(is_reached("s3://b/x/**/*.csv", "s3://b/x/y/m.csv"));
        assert!(is_reached("s3://b/x", "s3://b/x/y/m.csv"));
        assert!(is_reached("s3://b", "s3://b/m.parquet"));
        assert!(is_reached("s3://b/m.csv", "s3://b/m.csv"));
        assert!(!is_reached("s3://b/x/*.csv", "s3://b/x/y/m.csv"));
        assert!(!is_reached("s3://b/x", "s3://b/xy/m.csv"));
        assert!(!is_reached("s3://b/x", "s3://c/x/m.csv"));
        assert!(!is_reached("s3://b/x", "gs://b/x/m.csv"));
        assert!(!is_reached("s3://b/x", "s3://b/x/m.txt"));
        assert!(!is_reached("s3://b/x", "s3://b/x/_segments.json"));
        assert!(!is_reached("s3://b/x", "x/m.csv"));
    }
}
