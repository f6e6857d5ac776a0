//! Why ids are one person: the records and the calls that say so.

use crate::calls::Places;
use crate::cell::Cell;
use crate::load::with_files;
use crate::manifest::{CsvRead, Data, MergeFiles};
use crate::open::DataFile;
use crate::people::one_spelling;
use crate::report::{Place, ProblemKind, ReadError};
use crate::rows::{self, Pace, RowSink};
use crate::rules::Rules;
use seg_data::Zone;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

/// What says that one id is merged into another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeLink {
    /// The id that is merged away.
    pub from: String,
    /// The id that it is merged into.
    pub into: String,
    /// The first record that says so, or the call that counts.
    pub place: Place,
    /// The type of the call, such as `identify`; none for a record.
    pub call: Option<&'static str>,
    /// The id of the call's message, where it has one.
    pub message_id: Option<String>,
}

/// What says that these ids are one person, by the ids that are merged away: records of the
/// project's merge files, each pair once, and calls. `ids` are all that a person goes by.
///
/// # Errors
/// A file that is not there or cannot be read to its end.
pub fn merge_links(base: &Path, data: &Data, zone: Option<Zone>, ids: &[&str]) -> Result<Vec<MergeLink>, ReadError> {
    let ids: HashSet<&str> = ids.iter().copied().collect();
    let mut links = of_calls(base, data, zone, &ids)?;
    for (spec, files) in with_files(base, data, &data.merges, |spec| &spec.files)? {
        let rules = Rules::new(&spec.reading);
        for file in &files {
            let (rules, ids, links) = (&rules, &ids, &mut links);
            let mut sink = RecordSink { file, spec, rules, ids, links, from_at: None, into_at: None };
            let special = [spec.from.as_str(), &spec.into];
            let (meter, pace) = (Arc::default(), Pace::default());
            rows::read_mapped(file, &spec.reading, (&special, &[]), &meter, pace, &mut sink)?;
        }
    }
    Ok(links.into_values().collect())
}

/// Each pair of ids once.
type Links = BTreeMap<(String, String), MergeLink>;

struct RecordSink<'l> {
    file: &'l DataFile,
    spec: &'l MergeFiles,
    rules: &'l Rules,
    ids: &'l HashSet<&'l str>,
    links: &'l mut Links,
    from_at: Option<usize>,
    into_at: Option<usize>,
}

impl RowSink for RecordSink<'_> {
    fn known_columns(&self) -> Vec<String> {
        vec![self.spec.from.clone(), self.spec.into.clone()]
    }

    fn columns(&mut self, names: &[String]) {
        let at = |name: &str| names.iter().position(|n| n == name);
        (self.from_at, self.into_at) = (at(&self.spec.from), at(&self.spec.into));
    }

    fn wants(&self, column: usize) -> bool {
        [self.from_at, self.into_at].contains(&Some(column))
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) {
        let id = |at: Option<usize>| self.rules.id(cells.get(at?)?).map(|id| one_spelling(&id).to_owned());
        let (Some(from), Some(into)) = (id(self.from_at), id(self.into_at)) else { return };
        if from != into && self.ids.contains(from.as_str()) && self.ids.contains(into.as_str()) {
            let place = Place { file: self.file.name.clone(), line, value: String::new() };
            let link = || MergeLink { from: from.clone(), into: into.clone(), place, call: None, message_id: None };
            self.links.entry((from.clone(), into.clone())).or_insert_with(link);
        }
    }

    fn broken(&mut self, _line: u64, _why: &str) {}

    fn note(&mut self, _kind: ProblemKind, _column: &str, _line: u64) {}
}

/// The calls that count, by the rules of [`crate::calls::Identities`]: of an anonymous id the
/// earliest that names somebody.
fn of_calls(base: &Path, data: &Data, zone: Option<Zone>, ids: &HashSet<&str>) -> Result<Links, ReadError> {
    let (mut calls, mut anonymous) = (Vec::new(), BTreeSet::new());
    for (_, files) in with_files(base, data, &data.calls, |spec| &spec.files)? {
        for file in &files {
            let (calls, anonymous) = (&mut calls, &mut anonymous);
            let mut sink = LinkSink { file, zone, ids, calls, anonymous, places: Places::default() };
            rows::read(file, &CsvRead::default(), &Arc::default(), Pace::default(), &mut sink)?;
        }
    }
    let (mut links, mut firsts): (Links, BTreeMap<String, (Order, MergeLink)>) = Default::default();
    for (order, link) in calls {
        if link.call == Some(ALIAS) && !anonymous.contains(&link.from) {
            links.entry((link.from.clone(), link.into.clone())).or_insert(link);
            continue;
        }
        match firsts.get_mut(&link.from) {
            Some(first) if first.0 <= order => {}
            Some(first) => *first = (order, link),
            None => drop(firsts.insert(link.from.clone(), (order, link))),
        }
    }
    let firsts = firsts.into_values().map(|(_, link)| link).filter(|link| ids.contains(link.into.as_str()));
    links.extend(
        firsts.filter(|link| link.from != link.into).map(|link| ((link.from.clone(), link.into.clone()), link)),
    );
    Ok(links)
}

const ALIAS: &str = "alias";

/// When a call was, its message and whom it names: of several the least counts.
type Order = (i64, String, String);

struct LinkSink<'l> {
    file: &'l DataFile,
    zone: Option<Zone>,
    ids: &'l HashSet<&'l str>,
    calls: &'l mut Vec<(Order, MergeLink)>,
    anonymous: &'l mut BTreeSet<String>,
    places: Places,
}

impl RowSink for LinkSink<'_> {
    fn columns(&mut self, names: &[String]) {
        self.places = Places::of(names);
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) {
        let places = &self.places;
        let ours = |id: &String| self.ids.contains(id.as_str());
        let anonymous = places.id(places.anonymous, cells).filter(ours);
        if let Some(anonymous) = anonymous.as_ref().filter(|id| !self.anonymous.contains(*id)) {
            self.anonymous.insert(anonymous.clone());
        }
        let Some(into) = places.id(places.user, cells) else { return };
        let call = places.kind(cells).map(|kind| kind.word());
        let previous = places.id(places.previous, cells).filter(|previous| ours(previous) && *previous != into);
        let Some(from) = (if call == Some(ALIAS) { previous } else { anonymous }) else { return };
        let time = places.time(cells).instant(self.zone).ok().flatten().map_or(i64::MAX, |time| time.0);
        let message_id = places.id(places.message, cells);
        let place = Place { file: self.file.name.clone(), line, value: String::new() };
        let order = (time, message_id.clone().unwrap_or_default(), into.clone());
        self.calls.push((order, MergeLink { from, into, place, call, message_id }));
    }

    fn broken(&mut self, _line: u64, _why: &str) {}

    fn note(&mut self, _kind: ProblemKind, _column: &str, _line: u64) {}
}
