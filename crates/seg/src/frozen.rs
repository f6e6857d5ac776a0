//! Segments whose meaning must not change: fingerprints in `seg.lock`, with the
//! meaning beside each.

use crate::compile::Program;
use crate::project::Project;
use seg_data::{Date, sample};
use seg_hir::hir::{self, Module, SegmentId};
use seg_syntax::diag::{Code, Diagnostic};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// The file beside `seg.toml` that holds the fingerprints.
pub const LOCK_FILE: &str = "seg.lock";

/// The frozen segments of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Each once.
    #[serde(default, rename = "segment")]
    pub segments: Vec<Locked>,
}

/// A segment with the meaning that it must keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// Its name.
    pub name: String,
    /// MD5 of the meaning, in hexadecimal digits.
    pub fingerprint: String,
    /// What it means: the segment and all that it refers to, printed, with the
    /// facts of the schema that it uses.
    pub meaning: String,
}

impl Lock {
    /// Reads a lock file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Lock, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    /// The file's text.
    ///
    /// # Errors
    /// A text that TOML cannot hold.
    pub fn to_text(&self) -> Result<String, String> {
        let text = toml::to_string_pretty(self).map_err(|error| error.to_string())?;
        Ok(format!("# Written by `seg freeze`: the segments whose meaning must not change.\n\n{text}"))
    }

    fn find(&self, name: &str) -> Option<&Locked> {
        self.segments.iter().find(|s| s.name == name)
    }
}

/// The lock that holds what is frozen on a day: what was locked stays as it
/// was, what is new is added, what is no longer frozen is left out.
pub fn lock(program: &Program, before: &Lock, today: Date) -> Lock {
    let mut lock = Lock::default();
    for (id, segment) in frozen(program.module(), today) {
        let locked = before.find(&segment.name).cloned();
        lock.segments.push(locked.unwrap_or_else(|| {
            let meaning = meaning(program, id);
            Locked { name: segment.name.clone(), fingerprint: sample::md5_hex(&meaning), meaning }
        }));
    }
    lock
}

/// What tells the meaning of each segment that is run from others, in their order, as the
/// lock has it of those that are frozen: MD5 of the meaning, in hexadecimal digits.
pub fn fingerprints(program: &Program) -> Vec<String> {
    program.module().run().map(|(id, _)| sample::md5_hex(&meaning(program, id))).collect()
}

/// Segments that are frozen on a day and mean something else than the lock
/// says: errors. One that the lock lacks is a warning.
pub fn check_frozen(project: &Project, program: &Program, lock: &Lock, today: Date) -> crate::Diagnostics {
    let mut found = Vec::new();
    for (id, segment) in frozen(program.module(), today) {
        let meaning = meaning(program, id);
        match lock.find(&segment.name) {
            None => found.push(
                Diagnostic::new(
                    Code::NotLocked,
                    segment.span,
                    format!("\"{}\" is frozen, but {LOCK_FILE} does not hold its meaning", segment.name),
                )
                .label("nothing to compare with")
                .help(format!("run `seg freeze` once, and keep {LOCK_FILE} in version control")),
            ),
            Some(locked) if locked.fingerprint != sample::md5_hex(&meaning) => found.push(
                Diagnostic::new(
                    Code::FrozenMeaning,
                    segment.span,
                    format!("\"{}\" is frozen, and its meaning has changed", segment.name),
                )
                .label("frozen")
                .note(difference(&locked.meaning, &meaning))
                .help("take the change back; other words for the same meaning are no change")
                .help("or end the freeze: take its `frozen` line out"),
            ),
            Some(_) => {}
        }
    }
    crate::Diagnostics::new(found, project.sources.clone())
}

fn frozen(module: &Module, today: Date) -> impl Iterator<Item = (SegmentId, &hir::Segment)> {
    let all = module.segments.iter().enumerate().map(|(idx, s)| (SegmentId(idx as u32), s));
    all.filter(move |(_, s)| s.header.is_frozen_on(today))
}

/// What a segment means, as text: equal texts mean the same.
pub(crate) fn meaning(program: &Program, id: SegmentId) -> String {
    let module = hir::with_references(program.module(), id);
    let mut text = hir::print(&module, program.schema());
    let needs = seg_plan::needs(&seg_plan::lower(&module));
    for attribute in &needs.attributes {
        if let Some(field) = program.schema().attribute(*attribute) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "attribute {:?}: {}", field.name, field.ty);
        }
    }
    for (event, needs) in &needs.events {
        let Some(event) = program.schema().event(*event) else { continue };
        for property in &needs.properties {
            if let Some(field) = event.properties.get(property.idx()) {
                let _ = writeln!(text, "property {:?} of {:?}: {}", field.name, event.name, field.ty);
            }
        }
    }
    text
}

/// The first line in which two texts differ.
fn difference(before: &str, after: &str) -> String {
    let (mut old, mut new) = (before.lines(), after.lines());
    loop {
        match (old.next(), new.next()) {
            (Some(a), Some(b)) if a == b => {}
            (a, b) => {
                let line = |l: Option<&str>| l.map_or("nothing".to_owned(), |l| format!("`{}`", l.trim()));
                return format!("it was {}, and is {}", line(a), line(b));
            }
        }
    }
}
