//! People of several segments, each counted once: by the segment that they go to.
//!
//! Sums over segments count whoever enters two of them twice. By the order of precedence
//! everybody goes to one at a time: they count for the first that they enter in the period while
//! none that comes before it has them.

use super::goal::Deeds;
use super::{Asked, Group, group, looked_at};
use crate::error::EvaluateError;
use crate::overlap::declared_order;
use crate::spells::{Crossing, Spells};
use seg_data::Timestamp;
use std::collections::BTreeMap;

/// What came of the people who entered some segments, each of them once.
#[derive(Debug, Clone)]
pub struct Winners {
    /// Of each segment that has an order, by its position among those that are run, those who
    /// went to it, in the order of precedence.
    pub segments: Vec<(usize, Group)>,
    /// Of all of them together.
    pub all: Group,
}

/// Of the segments that are asked for and have an order, where there are several.
pub(super) fn winners(
    of: &Asked<'_>,
    deeds: &BTreeMap<u32, Deeds>,
    data_end: Option<Timestamp>,
) -> Result<Option<Winners>, EvaluateError> {
    let order = declared_order(of.program);
    let counted: Vec<usize> = order.iter().copied().filter(|at| of.segments.contains(at)).collect();
    if of.holdout.is_some() || counted.len() < 2 {
        return Ok(None);
    }
    // Also those that nobody asked for take people.
    let spells = of.program.prepare().spells(of.batch, looked_at(of), &order, of.options)?;
    let spells: Vec<Stays<'_>> = spells.iter().map(Stays::of).collect();
    let mut went: BTreeMap<u32, (Crossing, usize)> = BTreeMap::new();
    for (rank, (segment, stays)) in order.iter().zip(&spells).enumerate() {
        if !counted.contains(segment) {
            continue;
        }
        let entries = stays.spells.crossings.iter().filter(|entry| entry.is_entry && of.period.0 <= entry.at);
        for entry in entries {
            let is_taken = spells.iter().take(rank).any(|before| before.is_in(entry.row, entry.at));
            let is_earlier = went.get(&entry.row).is_none_or(|(known, _)| entry.at < known.at);
            if !is_taken && is_earlier {
                went.insert(entry.row, (*entry, *segment));
            }
        }
    }
    let group_of = |is_meant: &dyn Fn(usize) -> bool| {
        let members = went.values().filter(|(_, segment)| is_meant(*segment));
        group(of, members.filter_map(|(entry, _)| Some((*entry, deeds.get(&entry.row)?))), data_end)
    };
    let segments = counted.iter().map(|at| (*at, group_of(&|segment| segment == *at))).collect();
    Ok(Some(Winners { segments, all: group_of(&|_| true) }))
}

/// The stays of people in a segment, by person.
struct Stays<'a> {
    spells: &'a Spells,
    /// When each person entered or left, ascending.
    by_row: BTreeMap<u32, Vec<Timestamp>>,
}

impl Stays<'_> {
    fn of(spells: &Spells) -> Stays<'_> {
        let mut by_row: BTreeMap<u32, Vec<Timestamp>> = BTreeMap::new();
        for crossing in &spells.crossings {
            by_row.entry(crossing.row).or_default().push(crossing.at);
        }
        by_row.values_mut().for_each(|times| times.sort_unstable());
        Stays { spells, by_row }
    }

    fn is_in(&self, row: u32, at: Timestamp) -> bool {
        let n = self.by_row.get(&row).map_or(0, |times| times.partition_point(|time| *time <= at));
        self.spells.members.get(row as usize) != (n % 2 == 1)
    }
}
