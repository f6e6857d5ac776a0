//! What a run read, asked and gave, so that its result can be made again.

use crate::report::ReadError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The version of the manifest that is written and read.
const VERSION: u32 = 1;

/// What a run read, asked and gave. It holds no time of its own: the same run has the same
/// manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunManifest {
    /// The version of this shape.
    pub manifest: u32,
    /// The version of Seg.
    pub seg: String,
    /// The project's name.
    pub project: String,
    /// The instant as of which everything was evaluated.
    pub at: String,
    /// Who said so: an argument, the project's settings or the clock.
    pub at_from: String,
    /// Whose calendar was meant.
    pub time_zone: Option<String>,
    /// One fingerprint for each part of what was read.
    pub fingerprints: Fingerprints,
    /// Each file that was read.
    pub inputs: Vec<InputFile>,
    /// How many rows were read, and how many of them were no rows.
    pub rows: RowCounts,
    /// How many people existed at the instant.
    pub people: u64,
    /// How many events there were.
    pub events: u64,
    /// Each segment with how many members it has, in the order of the project.
    pub segments: Vec<SegmentResult>,
    /// The attributes that stand beside each member.
    pub columns: Vec<String>,
    /// Each file that was written, but this one.
    pub outputs: Vec<OutputFile>,
}

/// One fingerprint for each part of what was read: SHA-256, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprints {
    /// What all segments mean, however it is written.
    pub segments: String,
    /// The bytes of the settings.
    pub settings: String,
    /// The bytes of the schema.
    pub schema: String,
    /// The bytes of all data and of the lists that segments name.
    pub data: String,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// Its name, relative to the project; that of an earlier result as the command named it.
    pub file: String,
    /// `settings`, `schema`, `segments`, `list`, `data` or `previous`.
    pub kind: String,
    /// How long it was.
    pub bytes: u64,
    /// What its bytes were.
    pub sha256: String,
}

/// How many rows were read, and how many were no rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCounts {
    /// All of them.
    pub read: u64,
    /// Those that are no part of the answer, for they could not be read as rows.
    pub refused: u64,
    /// The same by the kind of problem.
    pub refused_by_kind: BTreeMap<String, u64>,
}

/// What a segment gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentResult {
    /// Its name.
    pub segment: String,
    /// What it means: the fingerprint that `seg.lock` has of a frozen segment.
    pub fingerprint: String,
    /// How many members it has.
    pub members: u64,
    /// SHA-256 of their ids in the order of the data, a line each.
    pub members_sha256: String,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputFile {
    /// Where it is, as the command named it.
    pub file: String,
    /// `members`, `index`, `winners`, `changes` or `record`.
    pub kind: String,
    /// The segment, of a file that has one's members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// How many rows it has, of a table.
    pub rows: Option<u64>,
    /// How long it is; unknown of a pipe or a device.
    pub bytes: Option<u64>,
    /// What its bytes are; unknown of a pipe or a device.
    pub sha256: Option<String>,
}

impl RunManifest {
    /// The version that is written.
    pub const VERSION: u32 = VERSION;

    /// Reads what an earlier run wrote.
    ///
    /// # Errors
    /// A file that is not there, is no manifest of a run, or is one of another version.
    pub fn read(path: &Path) -> Result<RunManifest, ReadError> {
        let error = |message: String| ReadError::new(path.display().to_string(), message);
        let text = std::fs::read_to_string(path).map_err(|why| match why.kind() {
            std::io::ErrorKind::NotFound => error("there is no such file".to_owned()),
            _ => error(why.to_string()),
        })?;
        let no_manifest = |why: serde_json::Error| error(format!("this is no manifest of a run: {why}"));
        let json: serde_json::Value = serde_json::from_str(&text).map_err(no_manifest)?;
        match json.get("manifest").and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => serde_json::from_value(json).map_err(no_manifest),
            Some(version) => Err(error(format!("its version is {version}, and this Seg reads version {VERSION}"))),
            None => Err(error("this is no manifest of a run, which says its version in `manifest`".to_owned())),
        }
    }

    /// In what the results of two runs differ, in words; nothing where everybody is in the
    /// same segments.
    pub fn differences(&self, now: &RunManifest) -> Vec<String> {
        let mut told = Vec::new();
        let mut after: BTreeMap<&str, &SegmentResult> =
            now.segments.iter().map(|segment| (segment.segment.as_str(), segment)).collect();
        for before in &self.segments {
            let name = &before.segment;
            let Some(after) = after.remove(name.as_str()) else {
                told.push(format!("\"{name}\" is no segment that is run now"));
                continue;
            };
            if before.fingerprint != after.fingerprint {
                told.push(format!("\"{name}\" means something else now"));
            }
            if before.members != after.members {
                let s = if before.members == 1 { "" } else { "s" };
                told.push(format!("\"{name}\" had {} member{s} and has {} now", before.members, after.members));
            } else if before.members_sha256 != after.members_sha256 {
                told.push(format!("\"{name}\" has as many members as before, {}, and others", after.members));
            }
        }
        let new = now.segments.iter().filter(|segment| after.contains_key(segment.segment.as_str()));
        told.extend(new.map(|segment| format!("\"{}\" is a new segment", segment.segment)));
        told
    }

    /// What was read otherwise, in words: it may be why results differ.
    pub fn other_inputs(&self, now: &RunManifest) -> Vec<String> {
        let mut told = Vec::new();
        if self.seg != now.seg {
            told.push(format!("Seg was {} and is {} now", self.seg, now.seg));
        }
        let read = |manifest: &RunManifest| -> BTreeMap<String, String> {
            let files = manifest.inputs.iter().filter(|input| input.kind != "previous");
            files.map(|input| (input.file.clone(), input.sha256.clone())).collect()
        };
        let (before, after) = (read(self), read(now));
        for (file, sha256) in &before {
            match after.get(file) {
                None => told.push(format!("`{file}` was read and is not now")),
                Some(other) if other != sha256 => told.push(format!("`{file}` is not what it was")),
                Some(_) => {}
            }
        }
        told.extend(after.keys().filter(|file| !before.contains_key(*file)).map(|file| format!("`{file}` is new")));
        told
    }
}
