//! The segments whose memberships are kept.

use seg::unstable::data::sample::md5_hex;
use seg::unstable::hir::{IdTest, ListRef};
use seg::unstable::io::facts::FactLayout;
use seg::unstable::plan::{Node, lower};
use seg::unstable::{self, Outlook, frozen};
use seg::{Prepared, Schema, Timestamp, Wanted};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// The segments, with the numbers by which the store knows them.
pub(crate) struct Segments {
    pub outlook: Outlook,
    pub schema: Arc<Schema>,
    /// The attributes and events that they read, whenever these were.
    pub wanted: Wanted,
    /// Where the facts of people go that are judged by them, once anybody was.
    pub layout: OnceLock<FactLayout>,
    /// The number of each, in the program's order.
    pub numbers: Vec<u32>,
    /// The name of every number, also of segments that are no more.
    pub names: BTreeMap<u32, String>,
    /// How many meanings the segments have had; the first is 1.
    pub version: u32,
    /// What tells their meanings from others.
    pub fingerprint: String,
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
        let is_same = Some(fingerprint.as_str()) == before;
        let segments = Segments {
            outlook: prepared.outlook(),
            schema: Arc::clone(program.schema()),
            wanted: program.wanted(Timestamp(0)).of_all_times(),
            layout: OnceLock::new(),
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

/// The meanings of all segments with their names, and what is in the lists that they name: of a
/// list the meaning of a segment has the name alone.
fn fingerprint(prepared: &Prepared) -> String {
    let program = prepared.program();
    let named = program.segment_names().zip(frozen::fingerprints(program));
    let mut all: Vec<String> = named.map(|(name, meaning)| format!("{meaning} {name:?}")).collect();
    let mut lists = BTreeSet::new();
    for node in lower(unstable::module(program)).nodes() {
        if let Node::InList(_, ListRef(list)) | Node::Profile(IdTest::InList(ListRef(list))) = node {
            let values: BTreeSet<&str> = list.values.iter().map(String::as_str).collect();
            let values: Vec<&str> = values.into_iter().collect();
            lists.insert(format!("{} list {:?}", md5_hex(&values.join("\n")), list.name));
        }
    }
    all.extend(lists);
    all.join("\n")
}
