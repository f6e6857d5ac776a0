//! Who entered and who left since an earlier result.

use super::members::Members;
use super::previous::Previous;
use seg_data::{Batch, Mask};
use std::collections::{HashMap, HashSet};

/// What happened to each segment since an earlier result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Each segment of now, in the order of the project.
    pub segments: Vec<SegmentChanges>,
    /// What had members then and is no segment now.
    pub gone: Vec<GoneSegment>,
}

/// Who entered a segment and who left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentChanges {
    /// The segment's name.
    pub segment: String,
    /// Whether the earlier result has it. A table with a row a member does not have a segment
    /// without members.
    pub is_known: bool,
    /// The rows of those who are in it now and were not.
    pub entered: Vec<u32>,
    /// The rows of those who were in it and are not now.
    pub left: Vec<u32>,
    /// The rows of those who were in it and still are.
    pub stayed: Vec<u32>,
    /// The ids of those who were in it and are not in the data any more.
    pub left_the_data: Vec<String>,
}

impl SegmentChanges {
    /// How many left it.
    pub fn n_left(&self) -> usize {
        self.left.len() + self.left_the_data.len()
    }
}

/// What had members then and is no segment now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneSegment {
    /// Its name.
    pub segment: String,
    /// How many members it had.
    pub members: usize,
}

/// A row of a table of changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed<'a> {
    pub segment: &'a str,
    pub change: &'a str,
    /// The person's row; none where they are not in the data any more.
    pub person: Option<u32>,
    /// Then, the id that they had.
    pub id: &'a str,
}

impl Changes {
    /// What happened between an earlier result and now. Somebody whose id was merged into
    /// another's since is the same person.
    pub fn between(previous: &Previous, members: &Members<'_>) -> Changes {
        let rows = rows_of(previous, members.batch);
        let mut before: HashMap<&str, &[String]> =
            previous.segments.iter().map(|segment| (segment.name.as_str(), segment.ids.as_slice())).collect();
        let segments = members.segments.iter().map(|(name, mask)| {
            let ids = before.remove(name);
            changes_of(name, mask, ids, &rows)
        });
        let segments = segments.collect();
        let gone = previous.segments.iter().filter(|segment| before.contains_key(segment.name.as_str()));
        let gone = gone.map(|segment| GoneSegment { segment: segment.name.clone(), members: segment.ids.len() });
        Changes { segments, gone: gone.collect() }
    }

    /// A row a change: of each segment those who entered, then those who left; between them
    /// those who stayed, where they are asked for.
    pub(super) fn rows(&self, with_stayed: bool) -> impl Iterator<Item = Changed<'_>> {
        self.segments.iter().flat_map(move |of_segment| {
            let segment = of_segment.segment.as_str();
            let known = move |change| move |person: &u32| Changed { segment, change, person: Some(*person), id: "" };
            let entered = of_segment.entered.iter().map(known("entered"));
            let left = of_segment.left.iter().map(known("left"));
            let unknown = of_segment.left_the_data.iter();
            let unknown = unknown.map(move |id| Changed { segment, change: "left", person: None, id });
            let stayed = of_segment.stayed.iter().filter(move |_| with_stayed).map(known("stayed"));
            entered.chain(stayed).chain(left).chain(unknown)
        })
    }
}

/// The row of everybody whom an earlier result names, by the id that they had then.
fn rows_of<'p>(previous: &'p Previous, batch: &Batch) -> HashMap<&'p str, u32> {
    let ids: HashSet<&str> = previous.segments.iter().flat_map(|segment| &segment.ids).map(String::as_str).collect();
    let mut rows = HashMap::with_capacity(ids.len());
    for row in 0..batch.len() {
        if let Some(id) = ids.get(batch.id(row)) {
            rows.insert(*id, row as u32);
        }
    }
    // The id that somebody goes by counts before one that was merged into another's.
    for row in 0..batch.len() {
        for id in batch.merged_ids(row).filter_map(|id| ids.get(id)) {
            rows.entry(*id).or_insert(row as u32);
        }
    }
    rows
}

fn changes_of(name: &str, mask: &Mask, before: Option<&[String]>, rows: &HashMap<&str, u32>) -> SegmentChanges {
    let mut was_in = vec![false; mask.len()];
    let (mut left_the_data, mut told) = (Vec::new(), HashSet::new());
    for id in before.unwrap_or_default() {
        match rows.get(id.as_str()).and_then(|row| was_in.get_mut(*row as usize)) {
            Some(was_in) => *was_in = true,
            None if told.insert(id) => left_the_data.push(id.clone()),
            None => {}
        }
    }
    let was_in = Mask::from_bools(was_in);
    let entered = mask.rows().filter(|row| !was_in.get(*row)).map(|row| row as u32).collect();
    let stayed = was_in.rows().filter(|row| mask.get(*row)).map(|row| row as u32).collect();
    let left = was_in.rows().filter(|row| !mask.get(*row)).map(|row| row as u32).collect();
    SegmentChanges { segment: name.to_owned(), is_known: before.is_some(), entered, left, stayed, left_the_data }
}
