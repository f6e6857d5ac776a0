//! Addresses of objects, as people write them.

use std::fmt;

/// Whose store an object is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Amazon S3, and what answers as it does.
    S3,
    /// Google Cloud Storage.
    Gs,
    /// Azure Blob Storage.
    Az,
}

impl Scheme {
    /// As it stands at the beginning of addresses.
    pub fn word(self) -> &'static str {
        match self {
            Scheme::S3 => "s3",
            Scheme::Gs => "gs",
            Scheme::Az => "az",
        }
    }
}

/// Where an object is, or several: `s3://bucket/folder/file.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// Whose store it is in.
    pub scheme: Scheme,
    /// The bucket, which Azure calls a container.
    pub bucket: String,
    /// The key of the object, as it is: nothing in it stands for something else. Of a folder it has
    /// no slash at its end.
    pub key: String,
}

/// What is said of an address that nothing can be read from.
const SCHEMES: &str = "Seg reads files, and objects of `s3://`, `gs://` and `az://`";

impl Address {
    /// Whether a text is meant as an address rather than as a path.
    pub fn is_meant(text: &str) -> bool {
        text.split_once("://").is_some_and(|(scheme, _)| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
            scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(is_plain)
        })
    }

    /// The address of one object, or of a folder of them.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Address, String> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| format!("this is no address; {SCHEMES}"))?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "s3" => Scheme::S3,
            "gs" => Scheme::Gs,
            "az" => Scheme::Az,
            "s3a" | "s3n" => return Err(format!("Spark calls it `{scheme}://`; write `s3://{rest}`")),
            "gcs" => return Err(format!("write `gs://{rest}`")),
            "file" => return Err(format!("write the path alone: `{rest}`")),
            "abfs" | "abfss" | "wasb" | "wasbs" | "azure" | "adl" => {
                let why = "write `az://CONTAINER/KEY`, and name the account in `AZURE_STORAGE_ACCOUNT_NAME`";
                return Err(format!("`{scheme}://` is not read; {why}"));
            }
            _ => return Err(format!("`{scheme}://` is not read; {SCHEMES}")),
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let what = if scheme == Scheme::Az { "container" } else { "bucket" };
        if bucket.is_empty() {
            return Err(format!("it names no {what}; write `{}://{}/…`", scheme.word(), what.to_uppercase()));
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !bucket.bytes().all(is_plain) {
            let why = "its name has letters, digits, `-`, `_` and `.` alone";
            return Err(format!("`{}` is no {what}: {why}", shown(bucket)));
        }
        let address = Address { scheme, bucket: bucket.to_owned(), key: key.trim_end_matches('/').to_owned() };
        match address.bad_part() {
            Some(part) => Err(part),
            None => Ok(address),
        }
    }

    /// Which part of a key cannot be told from others by those who ask stores, in words.
    fn bad_part(&self) -> Option<String> {
        if self.key.is_empty() {
            return None;
        }
        let why = |part: &str| {
            if part.is_empty() {
                return Some("its key has two slashes behind each other, or begins with one, which is not read".into());
            }
            if part == "." || part == ".." {
                return Some(format!("`{part}` in a key is no folder above it; write the key as it is"));
            }
            let is_told = !part.chars().any(char::is_control);
            (!is_told).then(|| format!("`{}` has a control character, and such keys are not read", shown(part)))
        };
        self.key.split('/').find_map(why)
    }

    /// Another key of the same bucket.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Address {
        Address { key: key.to_owned(), ..self.clone() }
    }

    /// An object in this folder.
    #[must_use]
    pub fn join(&self, name: &str) -> Address {
        match self.key.as_str() {
            "" => self.with_key(name),
            folder => self.with_key(&format!("{folder}/{name}")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.word(), self.bucket)?;
        if self.key.is_empty() { Ok(()) } else { write!(f, "/{}", self.key) }
    }
}

/// A text without what a terminal would obey.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        for address in ["s3://b/k.csv", "gs://b", "https://x/y", "S3://b", "s3a://b/c"] {
            assert!(Address::is_meant(address), "{address}");
        }
        for path in ["s3:/b/k.csv", "events.csv", "/s3://b", "a b://c", "://x", "data/s3://b", "C:\\x", "3://b"] {
            assert!(!Address::is_meant(path), "{path}");
        }
    }

    #[test]
    fn keys_are_taken_as_they_are() {
        let read = |text: &str| Address::parse(text).expect(text);
        let address = read("s3://my-bucket.x/dt=2026-01-01/a b%20ü+#?.csv");
        assert_eq!(address.bucket, "my-bucket.x");
        assert_eq!(address.key, "dt=2026-01-01/a b%20ü+#?.csv");
        assert_eq!(address.to_string(), "s3://my-bucket.x/dt=2026-01-01/a b%20ü+#?.csv");
        assert_eq!(read("az://container/folder/").key, "folder");
        assert_eq!(read("gs://bucket").join("x.csv").to_string(), "gs://bucket/x.csv");
        assert_eq!(read("gs://bucket/a/").join("x.csv").to_string(), "gs://bucket/a/x.csv");
    }

    #[test]
    fn bad_addresses_say_what_is_right() {
        let cases = [
            ("http://x/y.csv", "`http://` is not read; Seg reads files, and objects of `s3://`, `gs://` and `az://`"),
            ("s3a://b/k", "Spark calls it `s3a://`; write `s3://b/k`"),
            ("file:///tmp/x.csv", "write the path alone: `/tmp/x.csv`"),
            ("s3:///k.csv", "it names no bucket; write `s3://BUCKET/…`"),
            ("az://", "it names no container; write `az://CONTAINER/…`"),
            ("s3://b*/k.csv", "`b*` is no bucket: its name has letters, digits, `-`, `_` and `.` alone"),
            ("s3://b\u{1b}/k", "`b\u{fffd}` is no bucket: its name has letters, digits, `-`, `_` and `.` alone"),
            ("s3://b//k", "its key has two slashes behind each other, or begins with one, which is not read"),
            ("s3://b/a/../k", "`..` in a key is no folder above it; write the key as it is"),
            ("s3://b/a\u{7}", "`a\u{fffd}` has a control character, and such keys are not read"),
        ];
        for (text, why) in cases {
            assert_eq!(Address::parse(text), Err(why.to_owned()), "{text}");
        }
    }
}
