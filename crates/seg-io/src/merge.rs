//! Merge records: which ids are one person.
//!
//! Records join ids into groups whatever their order and however often they are
//! repeated (union by components), so that reading more of them only ever joins
//! more. Of each group one id survives: one that no record merges into another,
//! and of several such, or of a circle, the smallest.

use crate::cell::Cell;
use crate::manifest::MergeFiles;
use crate::open::DataFile;
use crate::people::one_spelling;
use crate::report::{Place, ProblemKind, Report};
use crate::rows::RowSink;
use crate::rules::Rules;
use std::collections::HashMap;

/// What one id is to the person it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The id that the person goes by.
    pub survivor: String,
    /// How little the values of this id count where times do not decide: 0 for
    /// the survivor, then the others in the order of their texts.
    pub rank: u32,
}

/// All ids that are merged with others.
#[derive(Debug, Default)]
pub(crate) struct Merges {
    identities: HashMap<String, Identity>,
}

impl Merges {
    /// Whether every id is a person of its own.
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }

    /// Joins the ids that records merge, whatever their order, and chooses who
    /// survives of each group.
    pub fn new(records: &[(String, String)]) -> Merges {
        let mut ids: Vec<&str> = records.iter().flat_map(|(from, into)| [from.as_str(), into.as_str()]).collect();
        ids.sort_unstable();
        ids.dedup();
        let place: HashMap<&str, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let mut parents: Vec<usize> = (0..ids.len()).collect();
        let mut is_absorbed = vec![false; ids.len()];
        for (from, into) in records.iter().filter(|(from, into)| from != into) {
            let (Some(&from), Some(&into)) = (place.get(from.as_str()), place.get(into.as_str())) else { continue };
            if let Some(slot) = is_absorbed.get_mut(from) {
                *slot = true;
            }
            let (a, b) = (root(&mut parents, from), root(&mut parents, into));
            if let Some(slot) = parents.get_mut(a.max(b)) {
                *slot = a.min(b);
            }
        }
        // Ids ascend, so the members of each group do as well.
        let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
        for at in 0..ids.len() {
            groups.entry(root(&mut parents, at)).or_default().push(at);
        }
        let absorbed = |at: &usize| is_absorbed.get(*at).copied().unwrap_or_default();
        let mut identities = HashMap::with_capacity(ids.len());
        for members in groups.into_values().filter(|members| members.len() > 1) {
            let survivor = members.iter().find(|at| !absorbed(at)).or(members.first()).copied().unwrap_or_default();
            let others = members.iter().copied().filter(|at| *at != survivor);
            for (rank, at) in std::iter::once(survivor).chain(others).enumerate() {
                let (Some(id), Some(survivor)) = (ids.get(at), ids.get(survivor)) else { continue };
                let identity = Identity { survivor: (*survivor).to_owned(), rank: rank as u32 };
                identities.insert((*id).to_owned(), identity);
            }
        }
        Merges { identities }
    }

    /// The ids that are merged into others, by those they are merged into, ascending.
    pub fn merged(&self) -> HashMap<&str, Vec<&str>> {
        let mut merged: HashMap<&str, Vec<&str>> = HashMap::new();
        for (id, identity) in self.identities.iter().filter(|(id, identity)| **id != identity.survivor) {
            merged.entry(&identity.survivor).or_default().push(id);
        }
        merged.values_mut().for_each(|ids| ids.sort_unstable());
        merged
    }

    /// Whether an id is merged into another.
    pub fn is_merged_away(&self, id: &str) -> bool {
        self.identity(id).is_some_and(|identity| identity.survivor != id)
    }

    /// What an id is, if it is merged with others.
    pub fn identity(&self, id: &str) -> Option<&Identity> {
        self.identities.get(id)
    }
}

/// The smallest id known to belong with one; paths are halved on the way.
fn root(parents: &mut [usize], mut at: usize) -> usize {
    loop {
        let parent = parents.get(at).copied().unwrap_or(at);
        if parent == at {
            return at;
        }
        let grandparent = parents.get(parent).copied().unwrap_or(parent);
        if let Some(slot) = parents.get_mut(at) {
            *slot = grandparent;
        }
        at = grandparent;
    }
}

/// Takes the rows of files of merge records.
pub(crate) struct MergeSink<'l> {
    pub report: &'l mut Report,
    pub file: &'l DataFile,
    pub spec: &'l MergeFiles,
    pub rules: &'l Rules,
    pub records: &'l mut Vec<(String, String)>,
    /// Whether the file has any row.
    pub has_columns: bool,
    pub from_at: Option<usize>,
    pub into_at: Option<usize>,
}

impl RowSink for MergeSink<'_> {
    fn known_columns(&self) -> Vec<String> {
        vec![self.spec.from.clone(), self.spec.into.clone()]
    }

    fn columns(&mut self, names: &[String]) {
        let at = |name: &str| names.iter().position(|n| n == name);
        self.has_columns = true;
        (self.from_at, self.into_at) = (at(&self.spec.from), at(&self.spec.into));
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) {
        self.report.rows += 1;
        let id = |at: Option<usize>| self.rules.id(cells.get(at?)?);
        let id = |at: Option<usize>| id(at).map(|id| one_spelling(id.as_ref()).to_owned());
        let place = || Place { file: self.file.name.clone(), line, value: String::new() };
        match (id(self.from_at), id(self.into_at)) {
            (Some(from), Some(into)) => self.records.push((from, into)),
            (None, _) => self.report.add(ProblemKind::MissingId, &self.spec.from, place),
            (_, None) => self.report.add(ProblemKind::MissingId, &self.spec.into, place),
        }
    }

    fn wants(&self, column: usize) -> bool {
        [self.from_at, self.into_at].contains(&Some(column))
    }

    fn broken(&mut self, line: u64, why: &str) {
        self.report.rows += 1;
        let place = || Place { file: self.file.name.clone(), line, value: why.to_owned() };
        self.report.add(ProblemKind::BrokenRow, "", place);
    }

    fn note(&mut self, kind: ProblemKind, column: &str, line: u64) {
        let place = || Place { file: self.file.name.clone(), line, value: String::new() };
        self.report.add(kind, column, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merges(records: &[(&str, &str)]) -> Merges {
        Merges::new(&records.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>())
    }

    fn format_identity(merges: &Merges, id: &str) -> String {
        merges.identity(id).map_or("-".to_owned(), |i| format!("{} {}", i.survivor, i.rank))
    }

    #[test]
    fn the_survivor_is_who_nobody_merges_away() {
        let chain = merges(&[("anon-2", "ann"), ("anon-1", "anon-2"), ("x", "x")]);
        let all: Vec<String> =
            ["ann", "anon-1", "anon-2", "x", "y"].iter().map(|id| format_identity(&chain, id)).collect();
        assert_eq!(all, ["ann 0", "ann 1", "ann 2", "-", "-"]);
        // In a circle, and where one id goes to two, the smallest that may.
        assert_eq!(format_identity(&merges(&[("b", "a"), ("a", "b")]), "b"), "a 1");
        assert_eq!(format_identity(&merges(&[("a", "c"), ("a", "b")]), "a"), "b 1");
    }

    #[test]
    fn the_order_of_records_changes_nothing() {
        let records = [("a", "b"), ("c", "d"), ("b", "c"), ("e", "f"), ("d", "g")];
        let ids = ["a", "b", "c", "d", "e", "f", "g"];
        let expected: Vec<String> = ids.iter().map(|id| format_identity(&merges(&records), id)).collect();
        let mut turned = records;
        for _ in 0..records.len() {
            turned.rotate_left(1);
            let twice: Vec<_> = turned.iter().rev().chain(&turned).copied().collect();
            let found: Vec<String> = ids.iter().map(|id| format_identity(&merges(&twice), id)).collect();
            assert_eq!(found, expected);
        }
    }
}
