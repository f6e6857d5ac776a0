//! What happened to a segment from day to day: its sizes, and who entered and left.
//!
//! A *step* is from one instant to the next, without the first and with the last. Who enters at
//! the last instant of a step is one of its entries, and is in at its end.

use crate::error::EvaluateError;
use crate::options::Options;
use crate::prepared::Prepared;
use crate::spells::Spells;
use seg_data::time::DAY;
use seg_data::{Batch, Timestamp, Zone};

/// What happened to a segment in a step: a day, where a calendar goes by days.
///
/// The size before it, and what entered, without what left, is its size.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// How many people are in at its end.
    pub size: u64,
    /// How many are in at its end and were not at its start.
    pub entered_people: u64,
    /// How many were in at its start and are not at its end.
    pub left_people: u64,
    /// How often somebody entered: more often than people did, where somebody entered twice or
    /// entered and left.
    pub entries: u64,
    /// How often somebody left.
    pub exits: u64,
    /// How many of these came with an event of the person, or a value that was set, at that
    /// instant. The others came by time alone.
    pub exits_by_event: u64,
}

/// The instants of so many days up to one, and of the day before them, ascending: at its time of
/// the day, by the clocks of the zone. Days before the year 1, which no calendar has, are left
/// out.
///
/// Days are not 24 hours where clocks change, so instants so many hours apart would drift away
/// from the time of the day.
pub fn days_before(now: Timestamp, zone: Zone, days: u32) -> Vec<Timestamp> {
    let local = Timestamp(now.0.saturating_add(zone.offset(now)));
    let back = (1..=i64::from(days)).rev().filter_map(|day| zone.instant_of(Timestamp(local.0 - day * DAY)));
    back.filter(|at| at.is_in_range()).chain([now]).collect()
}

/// The instants of so many days after one, ascending: at its time of the day, by the clocks of the
/// zone. Days after the last that a calendar has are left out.
pub fn days_after(now: Timestamp, zone: Zone, days: u32) -> Vec<Timestamp> {
    let local = Timestamp(now.0.saturating_add(zone.offset(now)));
    let ahead = (1..=i64::from(days)).filter_map(|day| zone.instant_of(Timestamp(local.0.saturating_add(day * DAY))));
    ahead.filter(|at| at.is_in_range()).collect()
}

/// So many days lie between a day and the same day of the week a year before.
pub const YEAR_DAYS: i64 = 364;
/// From so many days of data on, the year before is compared with.
pub const YEAR_BEFORE_DAYS: i64 = 378;

/// How large segments were 52 weeks before each of some instants, at the same time of the day, by
/// the clocks of the zone: for each segment a size an instant, none of those before the first
/// that is known. `None` where less than 54 weeks are known up to `now`.
///
/// # Errors
/// See [`EvaluateError`].
pub fn year_before(
    prepared: &Prepared,
    batch: &Batch,
    instants: &[Timestamp],
    (now, zone): (Timestamp, Zone),
    options: &Options,
) -> Result<Option<Vec<Vec<Option<u64>>>>, EvaluateError> {
    let first = first_known(batch).filter(|first| now.0.saturating_sub(first.0) >= YEAR_BEFORE_DAYS * DAY);
    let Some(first) = first else { return Ok(None) };
    let before: Vec<Option<Timestamp>> = instants
        .iter()
        .map(|at| {
            let local = at.0.saturating_add(zone.offset(*at)).saturating_sub(YEAR_DAYS * DAY);
            zone.instant_of(Timestamp(local)).filter(|at| *at >= first)
        })
        .collect();
    let known: Vec<Timestamp> = before.iter().copied().flatten().collect();
    let mut sizes = prepared.sizes_at(batch, &known, options)?.into_iter();
    let of_instant: Vec<Option<Vec<u64>>> = before.iter().map(|at| at.and_then(|_| sizes.next())).collect();
    let n_segments = prepared.program().segment_names().count();
    let of_segment = |segment: usize| {
        of_instant.iter().map(|sizes| sizes.as_ref().and_then(|sizes| sizes.get(segment).copied())).collect()
    };
    Ok(Some((0..n_segments).map(of_segment).collect()))
}

/// The first instant at which a batch has an event, or a value that was set; none without any.
pub fn first_known(batch: &Batch) -> Option<Timestamp> {
    let of_events = batch.all_events().filter_map(|events| events.extent().map(|(first, _)| first));
    let of_values = batch
        .all_histories()
        .flat_map(|history| (0..batch.len()).flat_map(move |row| history.range(row).map(move |idx| history.time(idx))));
    // A value that was always there tells of no beginning.
    of_events.chain(of_values).filter(|at| *at > Timestamp::MIN).min()
}

/// What happened from each of some instants, which ascend, to the next, in the order of time: a
/// step less than there are instants.
///
/// The first instant is the first of the spells' period, and the last is not before their last.
pub fn steps(spells: &Spells, instants: &[Timestamp]) -> Vec<Step> {
    let mut steps = vec![Step::default(); instants.len().saturating_sub(1)];
    let mut at = 0;
    let crossings = &spells.crossings;
    while let Some(first) = crossings.get(at) {
        let day = instants.partition_point(|instant| *instant < first.at).saturating_sub(1);
        let end = instants.get(day + 1).copied().unwrap_or(first.at);
        // The crossings of one person in one step are beside each other.
        let of_step = crossings.iter().skip(at).take_while(|c| c.row == first.row && c.at <= end);
        let Some(step) = steps.get_mut(day) else { break };
        let mut last_is_entry = first.is_entry;
        for crossing in of_step {
            step.entries += u64::from(crossing.is_entry);
            step.exits += u64::from(!crossing.is_entry);
            step.exits_by_event += u64::from(!crossing.is_entry && crossing.by_event);
            last_is_entry = crossing.is_entry;
            at += 1;
        }
        // Who first enters and last does so too was out at the start and is in at the end.
        step.entered_people += u64::from(first.is_entry && last_is_entry);
        step.left_people += u64::from(!first.is_entry && !last_is_entry);
    }
    let mut size = spells.members.count() as u64;
    for step in &mut steps {
        size = (size + step.entries).saturating_sub(step.exits);
        step.size = size;
    }
    steps
}

/// How large a segment was before its first step.
pub fn size_before(steps: &[Step]) -> u64 {
    steps.first().map_or(0, |step| (step.size + step.exits).saturating_sub(step.entries))
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests may panic")]
mod tests {
    use super::*;
    use crate::spells::Crossing;
    use seg_data::Mask;

    #[test]
    fn days_keep_the_time_of_the_clock() {
        let berlin = Zone::parse("Europe/Berlin").expect("a zone");
        let at = |text: &str| Timestamp::parse(text, Some(berlin)).expect(text);
        let found = days_before(at("2026-03-30 02:30"), berlin, 2);
        // Half past two does not come on the day on which clocks go forward.
        assert_eq!(found, [at("2026-03-28 02:30"), at("2026-03-29 03:30"), at("2026-03-30 02:30")]);
        let found = days_after(at("2026-03-28 02:30"), berlin, 2);
        assert_eq!(found, [at("2026-03-29 03:30"), at("2026-03-30 02:30")]);
    }

    #[test]
    fn people_and_their_entries_are_counted_apart() {
        let crossing = |row, at, is_entry, by_event| Crossing { row, at: Timestamp(at), is_entry, by_event };
        let spells = Spells {
            members: Mask::from_bools([true, false, false]),
            crossings: vec![
                // Leaves and comes back in the first step, and leaves for good at the end of the second.
                crossing(0, 3, false, true),
                crossing(0, 10, true, true),
                crossing(0, 20, false, false),
                // Enters and leaves in the second step.
                crossing(1, 11, true, true),
                crossing(1, 12, false, true),
                // Enters at the end of the first step.
                crossing(2, 10, true, false),
            ],
        };
        let found = steps(&spells, &[Timestamp(0), Timestamp(10), Timestamp(20)]);
        let first = Step { size: 2, entered_people: 1, left_people: 0, entries: 2, exits: 1, exits_by_event: 1 };
        let second = Step { size: 1, entered_people: 0, left_people: 1, entries: 1, exits: 2, exits_by_event: 1 };
        assert_eq!((found.as_slice(), size_before(&found)), ([first, second].as_slice(), 1));
    }
}
