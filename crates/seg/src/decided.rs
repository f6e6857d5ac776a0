//! How large segments will be by what time alone decides, as of many instants in one pass.
//!
//! As of an *origin* it is asked who is in a segment so many days later, with the events and
//! values that are known at the origin: windows pass, and nothing else happens. People who come
//! to exist later are not known yet, and are in nothing.
//!
//! Between two origins in which a person did nothing, the same is known of them. So one walk over
//! a person's edges serves all origins up to the next thing that they did, and the cost grows
//! with what people do, not with the number of origins and days.

use crate::error::EvaluateError;
use crate::options::Options;
use crate::prepared::Prepared;
use crate::spells::{Crossing, Spells};
use seg_data::{Batch, Timestamp, parallel};
use seg_plan::{Edges, Timeline, Walk};
use std::ops::Range;

/// So many people are looked at before it is asked again whether to stop.
const STRETCH: usize = 256;

/// Days of a calendar, and from which of them it is looked ahead.
#[derive(Debug, Clone, Copy)]
pub struct Days<'a> {
    /// An instant a day, ascending: the origins, and the days after the last of them.
    pub instants: &'a [Timestamp],
    /// How many days it is looked ahead: so many of the instants are after the last origin.
    pub n_ahead: usize,
}

impl Days<'_> {
    /// The instants from which it is looked ahead.
    pub fn origins(&self) -> &[Timestamp] {
        self.instants.get(..self.instants.len().saturating_sub(self.n_ahead)).unwrap_or(&[])
    }

    /// The first of the instants that is not before one.
    fn first_from(&self, at: Timestamp) -> usize {
        self.instants.partition_point(|instant| *instant < at)
    }
}

/// For each origin, and for each number of days ahead from one on, how many people are in.
pub type DecidedSizes = Vec<Vec<u64>>;

impl Prepared {
    #[doc(hidden)]
    /// How large some segments will be so many days after each origin, by what is known at the
    /// origin. `spells` are those of the segments, in their order, from the first of the origins
    /// to the last.
    ///
    /// # Errors
    /// See [`EvaluateError`].
    pub fn decided(
        &self,
        batch: &Batch,
        days: Days<'_>,
        (segments, spells): (&[usize], &[Spells]),
        options: &Options,
    ) -> Result<Vec<DecidedSizes>, EvaluateError> {
        self.check(batch)?;
        let edges = Edges::of(self.program().plan(), segments);
        let n_origins = days.origins().len();
        let Some(last) = days.origins().last() else { return Ok(vec![Vec::new(); edges.len()]) };
        let over = edges.over(batch, last.in_range()?);
        let cancelled = || options.cancel.as_ref().is_some_and(|cancel| cancel.is_cancelled());
        let len = parallel::share_len(batch.len(), options.threads, STRETCH);
        let parts = parallel::map_ranges(batch.len(), len, |rows| {
            let mut counts: Vec<Counts> = (0..edges.len()).map(|_| Counts::new(days)).collect();
            let mut walk = edges.walk_over(&over);
            for (n, row) in rows.enumerate() {
                if n % STRETCH == 0 && cancelled() {
                    return None;
                }
                of_row(&mut walk, batch, row, days, spells, &mut counts);
            }
            Some(counts)
        });
        let mut sizes = vec![vec![vec![0_u64; days.n_ahead]; n_origins]; edges.len()];
        for part in parts {
            let part = part.ok_or(EvaluateError::Cancelled)?;
            sizes.iter_mut().zip(part).for_each(|(sizes, counts)| counts.add_to(sizes));
        }
        Ok(sizes)
    }
}

/// How many people are in so many days after each origin, by how that differs from the number of
/// the origin before: for each number of days, a difference an origin and one behind the last.
struct Counts {
    by_ahead: Vec<Vec<i64>>,
}

impl Counts {
    fn new(days: Days<'_>) -> Counts {
        Counts { by_ahead: vec![vec![0; days.origins().len() + 1]; days.n_ahead] }
    }

    /// Counts somebody who is in on some of the days, as it is known at some of the origins.
    fn add(&mut self, is_in: Range<usize>, origins: &Range<usize>) {
        for (nth, differences) in self.by_ahead.iter_mut().enumerate() {
            let ahead = nth + 1;
            let first = is_in.start.saturating_sub(ahead).max(origins.start);
            let end = is_in.end.saturating_sub(ahead).min(origins.end);
            if first < end {
                for (at, by) in [(first, 1), (end, -1)] {
                    if let Some(difference) = differences.get_mut(at) {
                        *difference += by;
                    }
                }
            }
        }
    }

    fn add_to(&self, sizes: &mut DecidedSizes) {
        for (nth, differences) in self.by_ahead.iter().enumerate() {
            let mut n = 0_i64;
            for (of_origin, difference) in sizes.iter_mut().zip(differences) {
                n += difference;
                if let Some(size) = of_origin.get_mut(nth) {
                    *size += n.unsigned_abs();
                }
            }
        }
    }
}

/// Counts one person on every day after every origin.
fn of_row(walk: &mut Walk<'_>, batch: &Batch, row: usize, days: Days<'_>, spells: &[Spells], counts: &mut [Counts]) {
    let n_origins = days.origins().len();
    let first = days.first_from(batch.exists_from(row).unwrap_or(Timestamp::MIN));
    let own: Vec<(bool, &[Crossing])> =
        spells.iter().map(|spells| (spells.members.get(row), crossings_of(spells, row))).collect();
    let starts = starts(batch, row, days, first);
    for (nth, start) in starts.iter().enumerate() {
        let end = starts.get(nth + 1).copied().unwrap_or(n_origins);
        let origins = *start..end;
        let (Some(origin), Some(until)) = (days.instants.get(*start), days.instants.get(end - 1 + days.n_ahead)) else {
            continue;
        };
        let timelines = walk.timelines_known(batch, row, *origin, (*origin, *until));
        for (at, (counts, (is_member, crossings))) in counts.iter_mut().zip(&own).enumerate() {
            match timelines.as_ref().and_then(|timelines| timelines.get(at)) {
                Some(timeline) => stretches(timeline, days).for_each(|is_in| counts.add(is_in, &origins)),
                // Time alone changes nothing: they stay what they are at the origin.
                None => {
                    let n = crossings.partition_point(|crossing| crossing.at <= *origin);
                    if *is_member != (n % 2 == 1) {
                        counts.add(0..days.instants.len(), &origins);
                    }
                }
            }
        }
    }
}

/// The origins from which on something else is known of a person: the first at which they exist,
/// and the first after each thing that they did, ascending.
fn starts(batch: &Batch, row: usize, days: Days<'_>, first: usize) -> Vec<usize> {
    let n_origins = days.origins().len();
    let Some(from) = days.origins().get(first) else { return Vec::new() };
    let mut starts: Vec<usize> = batch
        .all_events()
        .flat_map(|events| events.range(row).map(|idx| events.time(idx)))
        .chain(batch.all_histories().flat_map(|history| history.range(row).map(|idx| history.time(idx))))
        .filter(|at| from < at)
        .map(|at| days.first_from(at))
        .filter(|start| *start < n_origins)
        .chain([first])
        .collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// The entries and exits of one person.
fn crossings_of(spells: &Spells, row: usize) -> &[Crossing] {
    let crossings = &spells.crossings;
    let first = crossings.partition_point(|crossing| (crossing.row as usize) < row);
    let end = crossings.partition_point(|crossing| crossing.row as usize <= row);
    crossings.get(first..end).unwrap_or(&[])
}

/// The days on which somebody is in, one stretch of them after another.
fn stretches<'t>(timeline: &'t Timeline, days: Days<'t>) -> impl Iterator<Item = Range<usize>> + 't {
    let enters = timeline.is_in.then_some(0);
    let changes: Vec<usize> = timeline.changes.iter().map(|at| days.first_from(*at)).collect();
    let mut ends: Vec<usize> = enters.into_iter().chain(changes).collect();
    if ends.len() % 2 == 1 {
        ends.push(days.instants.len());
    }
    let pairs: Vec<Range<usize>> =
        ends.chunks_exact(2).filter_map(|pair| Some(*pair.first()?..*pair.get(1)?)).collect();
    pairs.into_iter().filter(|stretch| !stretch.is_empty())
}
