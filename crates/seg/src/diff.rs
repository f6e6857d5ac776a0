//! What has changed between two versions of a project's segments, and for whom.

use crate::compile::{Program, parse};
use crate::frozen;
use crate::project::Project;
use seg_data::{Batch, Mask, Schema};
use seg_hir::clauses::WrittenSegment;
use seg_hir::explain::Role;
use seg_hir::hir::{self, IdTest, SegmentId};
use seg_plan::Node;
use seg_syntax::source::Span;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A version of a project, and who is in its segments.
#[derive(Clone, Copy)]
pub struct Version<'a> {
    /// The segments as they are written.
    pub project: &'a Project,
    /// The project, compiled.
    pub program: &'a Program,
    /// The people.
    pub batch: &'a Batch,
    /// Who of them is in each segment.
    pub masks: &'a [Mask],
}

/// What became of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the same words with the same meaning.
    Same,
    /// Other words with the same meaning.
    Wording,
    /// Nobody enters.
    Narrower,
    /// Nobody leaves.
    Wider,
    /// Another meaning; it is neither narrower nor wider, as far as is known.
    Different,
    /// Only the new version has it.
    Added,
    /// Only the old version has it.
    Removed,
}

impl Change {
    /// Whether other people may be in the segment than before.
    pub fn is_of_meaning(self) -> bool {
        match self {
            Change::Same | Change::Wording => false,
            Change::Narrower | Change::Wider | Change::Different | Change::Added | Change::Removed => true,
        }
    }
}

/// What a change is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// What the conditions say: it is so whatever the data.
    Proved,
    /// Who enters and leaves in this data.
    InData,
}

/// A condition that was replaced, left out or added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// What part it plays, in a word: `include`, `exclude`, `rule`, `grace period`, `list`.
    pub part: &'static str,
    /// The words before, where there was one.
    pub before: Option<String>,
    /// The words now, where there is one.
    pub after: Option<String>,
}

/// People who entered a segment or left it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// How many they are.
    pub count: u64,
    /// The id of the first of them.
    pub first: Option<String>,
}

/// A segment in both versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentDiff {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: Change,
    /// How that is known.
    pub basis: Basis,
    /// How many people were in it; none where there was no such segment.
    pub size_old: Option<u64>,
    /// How many are in it; none where there is no such segment any more.
    pub size_new: Option<u64>,
    /// Who is in it now and would not have been.
    pub enter: Moved,
    /// Who would have been in it and is not.
    pub leave: Moved,
    /// The conditions that differ.
    pub replaced: Vec<Replaced>,
}

/// What became of every segment that is run in either version: those of the new one in its
/// order, then those that are gone.
pub fn diff(old: Version<'_>, new: Version<'_>) -> Vec<SegmentDiff> {
    let (before, after) = (Texts::of(old), Texts::of(new));
    let proofs = Proofs::of(old, new);
    let rows = Rows::of(old.batch, new.batch);
    let mut diffs = Vec::new();
    for (at, (id, segment)) in new.program.module().run().enumerate() {
        let found = old.program.module().run().enumerate().find(|(_, (_, other))| other.name == segment.name);
        let mask = new.masks.get(at);
        let size_new = mask.map(|mask| mask.count() as u64);
        let Some((at_old, (id_old, _))) = found else {
            diffs.push(SegmentDiff { size_new, ..SegmentDiff::one_sided(&segment.name, Change::Added) });
            continue;
        };
        let mask_old = old.masks.get(at_old);
        let (enter, leave) = mask_old.zip(mask).map_or_else(Default::default, |(a, b)| rows.moved(a, b));
        let texts = (before.get(id_old), after.get(id));
        let relation = proofs.relation(at_old, at, (id_old, id));
        let (change, basis) =
            change(relation, texts.0.zip(texts.1).is_some_and(|(a, b)| a.text == b.text), &enter, &leave);
        let mut replaced = texts.0.zip(texts.1).map_or_else(Vec::new, |(before, after)| match change {
            Change::Same => Vec::new(),
            Change::Wording => reworded(before, after),
            Change::Narrower | Change::Wider | Change::Different | Change::Added | Change::Removed => {
                replaced(before, after)
            }
        });
        if change.is_of_meaning() {
            replaced.extend(proofs.lists_of(id_old, id));
        }
        diffs.push(SegmentDiff {
            name: segment.name.clone(),
            change,
            basis,
            size_old: mask_old.map(|mask| mask.count() as u64),
            size_new,
            enter,
            leave,
            replaced,
        });
    }
    for (at, (_, segment)) in old.program.module().run().enumerate() {
        if new.program.module().run().all(|(_, other)| other.name != segment.name) {
            let size_old = old.masks.get(at).map(|mask| mask.count() as u64);
            diffs.push(SegmentDiff { size_old, ..SegmentDiff::one_sided(&segment.name, Change::Removed) });
        }
    }
    diffs
}

impl SegmentDiff {
    /// One that only one of the versions has.
    fn one_sided(name: &str, change: Change) -> SegmentDiff {
        SegmentDiff {
            name: name.to_owned(),
            change,
            basis: Basis::Proved,
            size_old: None,
            size_new: None,
            enter: Moved::default(),
            leave: Moved::default(),
            replaced: Vec::new(),
        }
    }
}

/// How the meaning of a segment now stands to what it was, as far as the conditions say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equal,
    Narrower,
    Wider,
    Unknown,
}

/// People who enter or leave are a fact that no proof stands against: then something else
/// than the conditions has changed, such as how the schema reads the data.
fn change(relation: Relation, is_same_text: bool, enter: &Moved, leave: &Moved) -> (Change, Basis) {
    let by_people = match (enter.count, leave.count) {
        (0, 1..) => Change::Narrower,
        (1.., 0) => Change::Wider,
        (0, 0) | (1.., 1..) => Change::Different,
    };
    match (relation, enter.count, leave.count) {
        (Relation::Equal, 0, 0) if is_same_text => (Change::Same, Basis::Proved),
        (Relation::Equal, 0, 0) => (Change::Wording, Basis::Proved),
        (Relation::Narrower, 0, _) => (Change::Narrower, Basis::Proved),
        (Relation::Wider, _, 0) => (Change::Wider, Basis::Proved),
        (Relation::Equal | Relation::Narrower | Relation::Wider | Relation::Unknown, _, _) => {
            (by_people, Basis::InData)
        }
    }
}

/// What the conditions of both versions say about each other.
struct Proofs<'a> {
    old: Version<'a>,
    new: Version<'a>,
    /// The pairs of segments of both versions, one after the other, of which the first is in
    /// the second; none where ids of the two schemas are not the same things.
    contained: HashSet<(usize, usize)>,
    n_old: usize,
    /// The lists that both versions have under one name, with other values.
    other_lists: BTreeSet<String>,
    /// Whether people begin to exist in the same way.
    is_same_existence: bool,
}

impl<'a> Proofs<'a> {
    fn of(old: Version<'a>, new: Version<'a>) -> Proofs<'a> {
        let (schema, other) = (old.program.schema(), new.program.schema());
        let contained = match is_alike(schema, other) {
            true => seg_plan::passes::contained(&hir::joined(old.program.module(), new.program.module())),
            false => Vec::new(),
        };
        let first_seen = |schema: &Schema| {
            schema.first_seen.and_then(|id| schema.attribute(id)).map(|field| (field.name.clone(), field.keeps_history))
        };
        let (lists, others) = (lists(old.program), lists(new.program));
        let differs =
            |(name, values): (&String, &HashSet<String>)| others.get(name).is_some_and(|other| other != values);
        let other_lists = lists.iter().filter(|list| differs(*list)).map(|(name, _)| name.clone()).collect();
        Proofs {
            old,
            new,
            contained: contained.into_iter().collect(),
            n_old: old.program.module().run().count(),
            other_lists,
            is_same_existence: first_seen(schema) == first_seen(other),
        }
    }

    /// How a segment now stands to what it was; both by their positions among those that are
    /// run, and by their ids.
    fn relation(&self, at_old: usize, at_new: usize, (old, new): (SegmentId, SegmentId)) -> Relation {
        if !self.is_same_existence || self.lists_of(old, new).next().is_some() {
            return Relation::Unknown;
        }
        if frozen::meaning(self.old.program, old) == frozen::meaning(self.new.program, new) {
            return Relation::Equal;
        }
        let at_new = self.n_old + at_new;
        let is_narrower = self.contained.contains(&(at_new, at_old));
        let is_wider = self.contained.contains(&(at_old, at_new));
        match (is_narrower, is_wider) {
            (true, true) => Relation::Equal,
            (true, false) => Relation::Narrower,
            (false, true) => Relation::Wider,
            (false, false) => Relation::Unknown,
        }
    }

    /// The lists with other values that a segment asks about in either version.
    fn lists_of(&self, old: SegmentId, new: SegmentId) -> impl Iterator<Item = Replaced> + '_ {
        let used = [(self.old.program, old), (self.new.program, new)].map(|(program, id)| {
            lists_in(&seg_plan::lower(&hir::with_references(program.module(), id))).into_keys().collect::<BTreeSet<_>>()
        });
        let words = |name: &String| Some(format!("list \"{name}\" with other values"));
        let named = self.other_lists.iter().filter(move |name| used.iter().any(|used| used.contains(*name)));
        named.map(move |name| Replaced { part: "list", before: None, after: words(name) })
    }
}

/// Whether the ids of two schemas stand for the same things.
fn is_alike(schema: &Schema, other: &Schema) -> bool {
    let field = |field: &seg_data::schema::Field| (field.name.clone(), field.ty.clone(), field.keeps_history);
    let attributes = |schema: &Schema| schema.attributes.iter().map(field).collect::<Vec<_>>();
    let events = |schema: &Schema| {
        let properties = |event: &seg_data::schema::Event| event.properties.iter().map(field).collect::<Vec<_>>();
        schema.events.iter().map(|event| (event.name.clone(), properties(event))).collect::<Vec<_>>()
    };
    attributes(schema) == attributes(other) && events(schema) == events(other) && schema.event_id == other.event_id
}

/// The lists that a program asks about, with their values.
fn lists(program: &Program) -> BTreeMap<String, HashSet<String>> {
    lists_in(&seg_plan::lower(program.module()))
}

fn lists_in(plan: &seg_plan::Plan) -> BTreeMap<String, HashSet<String>> {
    let mut found = BTreeMap::new();
    for node in plan.nodes() {
        if let Node::InList(_, list) | Node::Profile(IdTest::InList(list)) = node {
            let name = if list.0.ignores_case { format!("{} ignoring case", list.0.name) } else { list.0.name.clone() };
            found.insert(name, list.0.values.clone());
        }
    }
    found
}

/// Which rows of two batches are one person.
enum Rows<'a> {
    /// Every row is the same person in both.
    Alike(&'a Batch),
    /// For each row of the old batch that of the new one.
    Found { old: &'a Batch, new: &'a Batch, rows: Vec<Option<usize>> },
}

impl<'a> Rows<'a> {
    fn of(old: &'a Batch, new: &'a Batch) -> Rows<'a> {
        if old.len() == new.len() && (0..old.len()).all(|row| old.id(row) == new.id(row)) {
            return Rows::Alike(new);
        }
        let ids: HashMap<&str, usize> = (0..new.len()).map(|row| (new.id(row), row)).collect();
        let rows = (0..old.len()).map(|row| ids.get(old.id(row)).copied()).collect();
        Rows::Found { old, new, rows }
    }

    /// Who enters and who leaves between two masks.
    fn moved(&self, before: &Mask, after: &Mask) -> (Moved, Moved) {
        match self {
            Rows::Alike(batch) => (moved(batch, &after.without(before)), moved(batch, &before.without(after))),
            Rows::Found { old, new, rows } => {
                let was_in: HashSet<usize> = before.rows().filter_map(|row| *rows.get(row)?).collect();
                let stays = |row: &usize| rows.get(*row).copied().flatten().is_some_and(|row| after.get(row));
                let entered = Mask::from_bools((0..new.len()).map(|row| after.get(row) && !was_in.contains(&row)));
                let left = Mask::from_bools((0..old.len()).map(|row| before.get(row) && !stays(&row)));
                (moved(new, &entered), moved(old, &left))
            }
        }
    }
}

fn moved(batch: &Batch, mask: &Mask) -> Moved {
    Moved { count: mask.count() as u64, first: mask.rows().next().map(|row| batch.id(row).to_owned()) }
}

/// A segment in words, and its conditions.
struct Text {
    text: String,
    grace: Option<String>,
    /// The part, the words and the meaning of each condition.
    clauses: Vec<(&'static str, String, String)>,
}

/// The segments of a version as they are written.
struct Texts(HashMap<SegmentId, Text>);

impl Texts {
    fn of(version: Version<'_>) -> Texts {
        let Version { project, program, .. } = version;
        let (parses, module) = (parse(project), program.module());
        let lists = project.lists(&parses);
        let written = project.written(&parses, &lists, module);
        let words = |span: Span| project.sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ");
        let text = |segment: WrittenSegment| Text {
            text: words(segment.span),
            grace: segment.grace.map(words),
            clauses: segment
                .clauses
                .iter()
                .map(|clause| {
                    let meaning = hir::print_cond(module, program.schema(), &clause.cond);
                    (part(clause.role), words(clause.span), meaning)
                })
                .collect(),
        };
        Texts(module.run().filter_map(|(id, _)| Some((id, text(written.segment(id)?)))).collect())
    }

    fn get(&self, id: SegmentId) -> Option<&Text> {
        self.0.get(&id)
    }
}

fn part(role: Role) -> &'static str {
    match role {
        Role::Exclude => "exclude",
        Role::Rule => "rule",
        Role::Include | Role::Segment | Role::Before | Role::Condition => "include",
    }
}

/// The conditions that read otherwise, where the segment means the same: those of one part in
/// their order, as far as their words differ.
fn reworded(before: &Text, after: &Text) -> Vec<Replaced> {
    let mut found = Vec::new();
    for part in ["include", "exclude", "rule"] {
        let of = |text: &Text, other: &Text| -> Vec<String> {
            let is_there = |words: &String| other.clauses.iter().any(|(of, same, _)| *of == part && same == words);
            let clauses = text.clauses.iter().filter(|(of, words, _)| *of == part && !is_there(words));
            clauses.map(|(_, words, _)| words.clone()).collect()
        };
        found.extend(paired(part, of(before, after), of(after, before)));
    }
    found
}

/// Words of one part that are gone and words that are new, the first beside the first.
fn paired(part: &'static str, gone: Vec<String>, new: Vec<String>) -> impl Iterator<Item = Replaced> {
    let n = gone.len().max(new.len());
    let all = |words: Vec<String>| words.into_iter().map(Some).chain(std::iter::repeat(None));
    all(gone).zip(all(new)).take(n).map(move |(before, after)| Replaced { part, before, after })
}

/// The conditions that differ: those of one part that only one of the versions has, paired in
/// their order.
fn replaced(before: &Text, after: &Text) -> Vec<Replaced> {
    let mut found = Vec::new();
    for part in ["include", "exclude", "rule"] {
        let of = |text: &Text| -> Vec<(String, String)> {
            let clauses = text.clauses.iter().filter(|(of, ..)| *of == part);
            clauses.map(|(_, words, meaning)| (words.clone(), meaning.clone())).collect()
        };
        let (mut gone, mut new) = (of(before), of(after));
        gone.retain(|(_, meaning)| match new.iter().position(|(_, other)| other == meaning) {
            Some(at) => {
                new.remove(at);
                false
            }
            None => true,
        });
        let words = |clauses: Vec<(String, String)>| clauses.into_iter().map(|(words, _)| words).collect();
        found.extend(paired(part, words(gone), words(new)));
    }
    if before.grace != after.grace {
        let (before, after) = (before.grace.clone(), after.grace.clone());
        found.push(Replaced { part: "grace period", before, after });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(count: u64) -> Moved {
        Moved { count, first: None }
    }

    #[test]
    fn people_who_move_stand_above_what_conditions_say() {
        use Basis::{InData, Proved};
        let change = |relation, is_same, enter, leave| change(relation, is_same, &n(enter), &n(leave));
        assert_eq!(change(Relation::Equal, true, 0, 0), (Change::Same, Proved));
        assert_eq!(change(Relation::Equal, false, 0, 0), (Change::Wording, Proved));
        assert_eq!(change(Relation::Equal, true, 3, 0), (Change::Wider, InData));
        assert_eq!(change(Relation::Narrower, false, 0, 0), (Change::Narrower, Proved));
        assert_eq!(change(Relation::Narrower, false, 1, 1), (Change::Different, InData));
        assert_eq!(change(Relation::Wider, false, 5, 0), (Change::Wider, Proved));
        assert_eq!(change(Relation::Unknown, false, 0, 5), (Change::Narrower, InData));
        assert_eq!(change(Relation::Unknown, false, 0, 0), (Change::Different, InData));
    }
}
