//! Entries and exits of everybody, to the microsecond.

use crate::error::EvaluateError;
use crate::options::Options;
use crate::prepared::Prepared;
use seg_data::{Batch, Mask, Timestamp, parallel};
use seg_plan::{Edges, Walk};
use std::ops::Range;

/// So many people are looked at before it is asked again whether to stop.
const STRETCH: usize = 256;

/// Who is in a segment at the first instant of a period, and who enters and leaves it after
/// that.
///
/// Somebody *enters* at the first instant of a stretch in which they are in the segment, and
/// *leaves* at the first instant after it: a spell is from the one to the other, without the
/// other. What happens comes as it does: at each instant, events and values of later ones do
/// not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spells {
    /// Who is in it at the first instant.
    pub members: Mask,
    /// Entries and exits after the first instant, up to the last, which is one of them: those
    /// of one person after another, each person's ascending.
    pub crossings: Vec<Crossing>,
}

/// An entry or an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crossing {
    /// Whose: a row of the batch.
    pub row: u32,
    /// When.
    pub at: Timestamp,
    /// Whether they enter rather than leave.
    pub is_entry: bool,
    /// Whether something of theirs bears the instant, an event or a value that was set, rather
    /// than time alone.
    pub by_event: bool,
}

impl Spells {
    /// Who is in the segment at an instant of the period.
    pub fn members_at(&self, at: Timestamp) -> Mask {
        let mut members: Vec<bool> = (0..self.members.len()).map(|row| self.members.get(row)).collect();
        for crossing in self.crossings.iter().filter(|crossing| crossing.at <= at) {
            if let Some(is_in) = members.get_mut(crossing.row as usize) {
                *is_in = crossing.is_entry;
            }
        }
        Mask::from_bools(members)
    }
}

impl Prepared {
    /// Everybody's entries and exits within a period, for some segments by their positions
    /// among [`Program::segment_names`](crate::Program::segment_names): one [`Spells`] each, in
    /// the order in which they are asked for. A position that no segment has is left out.
    ///
    /// Every instant at which an answer can change is found from the person's data and looked
    /// at, so that the cost grows with their events in reach of the period, not with its length.
    ///
    /// # Errors
    /// See [`EvaluateError`]. [`Options::with_max_cost`] is compared with the cost of one
    /// evaluation.
    pub fn spells(
        &self,
        batch: &Batch,
        (from, to): (Timestamp, Timestamp),
        segments: &[usize],
        options: &Options,
    ) -> Result<Vec<Spells>, EvaluateError> {
        let (from, to) = (from.in_range()?, to.in_range()?.max(from));
        let evaluation = self.evaluate_with(batch, from, options)?;
        let segments: Vec<usize> = segments.iter().copied().filter(|at| *at < evaluation.masks().len()).collect();
        let edges = Edges::of(self.program().plan(), &segments);
        let cancelled = || options.cancel.as_ref().is_some_and(|cancel| cancel.is_cancelled());
        let len = parallel::share_len(batch.len(), options.threads, STRETCH);
        let over = edges.over(batch, to);
        let parts = parallel::map_ranges(batch.len(), len, |rows| {
            of_rows(edges.walk_over(&over), batch, (rows, edges.len()), (from, to), &cancelled)
        });
        let mut spells: Vec<Spells> = segments
            .iter()
            .filter_map(|at| evaluation.masks().get(*at))
            .map(|members| Spells { members: members.clone(), crossings: Vec::new() })
            .collect();
        for part in parts {
            let part = part.ok_or(EvaluateError::Cancelled)?;
            spells.iter_mut().zip(part).for_each(|(spells, crossings)| spells.crossings.extend(crossings));
        }
        Ok(spells)
    }
}

/// Since when somebody is in a segment, and when they leave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// Whose: a row of the batch.
    pub row: u32,
    /// When they entered. None where they are in it since before everything else, or for more
    /// than 400 days in a segment that asks for what comes again for ever.
    pub entered_at: Option<Timestamp>,
    /// The first instant at which they are not in it any more, if nothing else happens; none
    /// where they stay, or for 400 days in a segment that asks for what comes again for ever.
    pub leaves_at: Option<Timestamp>,
}

/// What is asked about stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StayParts {
    /// Since when.
    pub entered_at: bool,
    /// Until when.
    pub leaves_at: bool,
}

impl Prepared {
    #[doc(hidden)]
    /// Since when each member of each segment is in it and until when, from who is in: one list
    /// a segment, in the order of the rows. What is not asked for is left out.
    ///
    /// # Errors
    /// See [`EvaluateError`].
    pub fn stays(
        &self,
        batch: &Batch,
        now: Timestamp,
        members: &[Mask],
        asked: StayParts,
        options: &Options,
    ) -> Result<Vec<Vec<Stay>>, EvaluateError> {
        self.check(batch)?;
        let now = now.in_range()?;
        let edges = Edges::of(self.program().plan(), &(0..members.len()).collect::<Vec<usize>>());
        let cancelled = || options.cancel.as_ref().is_some_and(|cancel| cancel.is_cancelled());
        let len = parallel::share_len(batch.len(), options.threads, STRETCH);
        let over = edges.over(batch, now);
        let parts = parallel::map_ranges(batch.len(), len, |rows| {
            let mut walk = edges.walk_over(&over);
            let mut found: Vec<Vec<Stay>> = vec![Vec::new(); members.len()];
            for (n, row) in rows.enumerate() {
                if n % STRETCH == 0 && cancelled() {
                    return None;
                }
                let is_in: Vec<bool> = members.iter().map(|mask| mask.get(row)).collect();
                if !is_in.contains(&true) {
                    continue;
                }
                let entered = asked.entered_at.then(|| walk.last_changes_of(batch, row, now, &is_in)).flatten();
                let leaves = asked.leaves_at.then(|| walk.next_changes_of(batch, row, now, &is_in)).flatten();
                for (at, found) in found.iter_mut().enumerate().filter(|(at, _)| is_in.get(*at) == Some(&true)) {
                    let entered_at = entered.as_ref().and_then(|entered| entered.get(at).copied().flatten());
                    let leaves_at = leaves.as_ref().and_then(|leaves| leaves.get(at)?.at);
                    found.push(Stay { row: row as u32, entered_at, leaves_at });
                }
            }
            Some(found)
        });
        let mut stays: Vec<Vec<Stay>> = vec![Vec::new(); members.len()];
        for part in parts {
            let part = part.ok_or(EvaluateError::Cancelled)?;
            stays.iter_mut().zip(part).for_each(|(stays, part)| stays.extend(part));
        }
        Ok(stays)
    }
}

/// The crossings of some rows, a list for each segment; `None` where somebody stopped it.
fn of_rows(
    mut walk: Walk<'_>,
    batch: &Batch,
    (rows, n_segments): (Range<usize>, usize),
    range: (Timestamp, Timestamp),
    cancelled: &(impl Fn() -> bool + Sync),
) -> Option<Vec<Vec<Crossing>>> {
    let mut found: Vec<Vec<Crossing>> = vec![Vec::new(); n_segments];
    for (n, row) in rows.enumerate() {
        if n % STRETCH == 0 && cancelled() {
            return None;
        }
        let Some(timelines) = walk.timelines(batch, row, range) else { continue };
        for (found, timeline) in found.iter_mut().zip(timelines) {
            let mut is_in = timeline.is_in;
            for at in timeline.changes {
                is_in = !is_in;
                found.push(Crossing { row: row as u32, at, is_entry: is_in, by_event: has_event_at(batch, row, at) });
            }
        }
    }
    Some(found)
}

/// Whether an event of a person, or a value that was set, bears an instant.
fn has_event_at(batch: &Batch, row: usize, at: Timestamp) -> bool {
    batch.all_events().any(|events| {
        let range = events.range(row);
        let times = events.times().get(range).unwrap_or(&[]);
        times.binary_search(&at.0).is_ok()
    }) || batch.all_histories().any(|history| history.range(row).any(|idx| history.time(idx) == at))
}
