//! Fingerprints: SHA-256, as `sha256sum` and every warehouse calculate it.

use crate::open::DataFile;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes that are read together.
const BLOCK: usize = 1 << 18;

/// How long a file is, and what its bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    /// How many bytes it has.
    pub bytes: u64,
    /// SHA-256 of them, in hexadecimal digits.
    pub sha256: String,
}

/// The fingerprint of a file's bytes.
///
/// # Errors
/// What the file system says.
pub fn file_digest(path: &Path) -> std::io::Result<FileDigest> {
    digest_of(&mut File::open(path)?)
}

/// The fingerprint of the bytes of data, as they lie in its file or its object.
///
/// # Errors
/// What the file system or the store says.
pub fn data_digest(file: &DataFile) -> std::io::Result<FileDigest> {
    digest_of(&mut file.opened()?)
}

fn digest_of(file: &mut dyn Read) -> std::io::Result<FileDigest> {
    let (mut hash, mut block, mut bytes) = (Sha256::new(), vec![0; BLOCK], 0);
    loop {
        let n = file.read(&mut block)?;
        let Some(read) = block.get(..n).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        bytes += n as u64;
    }
    Ok(FileDigest { bytes, sha256: hex(hash) })
}

/// The fingerprint of a text.
pub fn digest_of_text(text: &str) -> String {
    hex(Sha256::new().chain_update(text))
}

/// The fingerprint of ids, a line each.
pub fn digest_of_ids<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for id in ids {
        hash.update(id);
        hash.update("\n");
    }
    hex(hash)
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_those_of_everybody() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.txt");
        std::fs::write(&path, "abc").expect("written");
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(file_digest(&path).expect("read"), FileDigest { bytes: 3, sha256: abc.to_owned() });
        assert_eq!(digest_of_text("abc"), abc);
        assert_eq!(digest_of_ids(["a", "b"].into_iter()), digest_of_text("a\nb\n"));
        // Longer than what is read together.
        std::fs::write(&path, "x".repeat(3 * BLOCK + 1)).expect("written");
        assert_eq!(file_digest(&path).expect("read").sha256, digest_of_text(&"x".repeat(3 * BLOCK + 1)));
        assert!(file_digest(&dir.path().join("none")).is_err());
    }
}
