//! What is told of results, to people and to tools.

use super::{Results, Written};
use crate::output::{counted, grouped};
use seg::unstable::io::results::{Changes, RunManifest, SegmentChanges};
use std::fmt::Write;

/// What was written, in lines.
pub fn told(results: &Results<'_>, written: &Written) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let of_kind = |kind: &str| written.files.iter().find(|file| file.kind == kind);
    match (&results.folder, of_kind("members")) {
        (Some(folder), _) => {
            let files = counted(folder.files.len(), "file");
            let _ = writeln!(out, "members written to {files} in {}", folder.path.display());
        }
        (None, Some(file)) => {
            let _ = writeln!(out, "members written to {}", file.file);
        }
        (None, None) => {}
    }
    for file in &written.removed {
        let _ = writeln!(out, "removed {}, of \"{}\", which no file is written of now", file.file, file.segment);
    }
    if let (Some(changes), Some(since), Some(file)) = (&written.changes, results.asked.previous, of_kind("changes")) {
        changes_told(&mut out, changes, &since.display().to_string(), &file.file);
    }
    if let Some(file) = of_kind("partition") {
        let _ = writeln!(out, "result of the partition written to {}", file.file);
    }
    if let Some(file) = of_kind("manifest") {
        let _ = writeln!(out, "manifest written to {}", file.file);
    }
    out
}

fn changes_told(out: &mut String, changes: &Changes, since: &str, file: &str) {
    let sum = |n: fn(&SegmentChanges) -> usize| grouped(changes.segments.iter().map(n).sum::<usize>() as u64);
    let (entered, left) = (sum(|segment| segment.entered.len()), sum(SegmentChanges::n_left));
    // Writing to a string does not fail.
    let _ = writeln!(out, "changes since {since} written to {file}: {entered} entered, {left} left");
    for segment in changes.segments.iter().filter(|segment| !segment.is_known && !segment.entered.is_empty()) {
        let (name, listed) = (&segment.segment, members(segment.entered.len()));
        let _ = writeln!(out, "changes: nobody was in \"{name}\" in {since}; {listed} listed as entered");
    }
    for gone in &changes.gone {
        let (name, n) = (&gone.segment, counted(gone.members, "member"));
        let _ = writeln!(
            out,
            "changes: \"{name}\" had {n} in {since} and is not run now; nobody is listed as having left it"
        );
    }
    match changes.segments.iter().map(|segment| segment.left_the_data.len()).sum::<usize>() {
        0 => {}
        1 => out.push_str("changes: 1 of those who left is not in the data any more, and listed by the id of then\n"),
        n => {
            let n = grouped(n as u64);
            let _ = writeln!(
                out,
                "changes: {n} of those who left are not in the data any more, and listed by the ids of then"
            );
        }
    }
}

/// How many there are in a segment, all of whom something is said of.
fn members(n: usize) -> String {
    match n {
        1 => "its 1 member is".to_owned(),
        n => format!("its {} members are", grouped(n as u64)),
    }
}

/// The same for tools: what was written, and what changed.
pub fn json(results: &Results<'_>, written: &Written) -> [(String, serde_json::Value); 2] {
    let files = written.files.iter().map(
        |file| serde_json::json!({ "kind": file.kind, "file": file.file, "segment": file.segment, "rows": file.rows }),
    );
    let changes = written.changes.as_ref().map(|changes| {
        let segments = changes.segments.iter().map(|segment| {
            serde_json::json!({
                "segment": segment.segment,
                "entered": segment.entered.len(),
                "left": segment.n_left(),
                "left_the_data": segment.left_the_data.len(),
                "was_there": segment.is_known,
            })
        });
        let gone = changes.gone.iter();
        let gone = gone.map(|gone| serde_json::json!({ "segment": gone.segment, "members": gone.members }));
        serde_json::json!({
            "since": results.asked.previous.map(|path| path.display().to_string()),
            "segments": segments.collect::<Vec<_>>(),
            "gone": gone.collect::<Vec<_>>(),
        })
    });
    [("written".to_owned(), files.collect()), ("changes".to_owned(), changes.into())]
}

/// A result compared with the one that a manifest tells of.
pub struct Verified {
    pub manifest: String,
    /// In what they differ; nothing where they are the same.
    pub differences: Vec<String>,
    /// What was read otherwise.
    pub other_inputs: Vec<String>,
}

impl Verified {
    pub fn new(manifest: String, before: &RunManifest, now: &RunManifest) -> Verified {
        Verified { manifest, differences: before.differences(now), other_inputs: before.other_inputs(now) }
    }

    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }

    /// In lines for people.
    pub fn told(&self) -> String {
        let mut out = String::new();
        for line in self.differences.iter().chain(&self.other_inputs) {
            // Writing to a string does not fail.
            let _ = writeln!(out, "verify: {line}");
        }
        let name = &self.manifest;
        let _ = match self.is_same() {
            true => writeln!(out, "verify: the same people are in the same segments as {name} tells"),
            false => writeln!(out, "the result is not the one that {name} tells of; nothing was written"),
        };
        out
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "manifest": self.manifest,
            "is_same": self.is_same(),
            "differences": self.differences,
            "other_inputs": self.other_inputs,
        })
    }
}
