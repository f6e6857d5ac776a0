//! The segments whose memberships are kept.

use seg::unstable::{self, Outlook, frozen};
use seg::{Prepared, Schema, Timestamp, Wanted};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The segments, with the numbers by which the store knows them.
pub(crate) struct Segments {
    pub outlook: Outlook,
    pub schema: Arc<Schema>,
    /// The attributes and events that they read, whenever these were.
    pub wanted: Wanted,
    /// The number of each, in the program's order.
    pub numbers: Vec<u32>,
    /// The name of every number, also of segments that are no more.
    pub names: BTreeMap<u32, String>,
    /// How many meanings the segments have had; the first is 1.
    pub version: u32,
    /// What tells their meanings from others; none where that cannot be told, as the contents
    /// of a list are part of it.
    pub fingerprint: Option<String>,
}

impl Segments {
    /// Those of a program, which go on with the names and the version of what the store has.
    /// Gives the names that are new as well.
    pub fn new(
        prepared: &Prepared,
        mut names: BTreeMap<u32, String>,
        (version, before): (u32, Option<&str>),
    ) -> (Segments, Vec<u32>) {
        let program = prepared.program();
        let mut by_name: BTreeMap<String, u32> = names.iter().map(|(number, name)| (name.clone(), *number)).collect();
        let (mut numbers, mut new) = (Vec::new(), Vec::new());
        for name in program.segment_names() {
            let next = names.keys().next_back().map_or(0, |last| last + 1);
            let number = *by_name.entry(name.to_owned()).or_insert(next);
            if names.insert(number, name.to_owned()).is_none() {
                new.push(number);
            }
            numbers.push(number);
        }
        let fingerprint = fingerprint(prepared);
        let is_same = fingerprint.is_some() && fingerprint.as_deref() == before;
        let segments = Segments {
            outlook: prepared.outlook(),
            schema: Arc::clone(program.schema()),
            wanted: program.wanted(Timestamp(0)).of_all_times(),
            numbers,
            names,
            version: if is_same { version } else { version + 1 },
            fingerprint,
        };
        (segments, new)
    }

    /// The name of a segment, by its number.
    pub fn name(&self, number: u32) -> &str {
        self.names.get(&number).map_or("", String::as_str)
    }
}

/// The meanings of all segments, with their names.
fn fingerprint(prepared: &Prepared) -> Option<String> {
    let program = prepared.program();
    let printed = unstable::hir::print(unstable::module(program), program.schema());
    let named = program.segment_names().zip(frozen::fingerprints(program));
    let all: Vec<String> = named.map(|(name, meaning)| format!("{meaning} {name:?}")).collect();
    (!printed.contains("in list ")).then(|| all.join("\n"))
}
