//! Some people of each segment, and one who is nearly in, drawn over some days.

use super::Judged;
use crate::charts::Lane;
use crate::commands::explain::{conditions, said_of};
use crate::commands::run;
use crate::report::Person;
use seg::unstable::data::EventId;
use seg::unstable::data::shown::instant;
use seg::unstable::data::time::DAY;
use seg::unstable::hir::with_references;
use seg::unstable::{StayParts, drawn, module, near_misses, plan};
use seg::{Explained, Explanation, Mask, Spells, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// So many members of a segment are shown, by the sample that `seg sample` draws.
const MEMBERS: usize = 2;
/// Of so many people who are out it is looked at what keeps them out.
const LOOKED_AT_MAX: usize = 300;
/// So many kinds of events are drawn of a person.
const LANES_MAX: usize = 4;
/// So many conditions are told of a person.
const WHY_MAX: usize = 3;

/// Who is drawn, and since when they are in.
pub struct Sampling<'a> {
    judged: &'a Judged<'a>,
    /// The members that are shown, of each segment, with when they entered.
    members: Vec<Vec<(usize, Option<Timestamp>)>>,
}

impl<'a> Sampling<'a> {
    /// Draws members of every segment, in one pass.
    pub fn new(judged: &'a Judged<'a>) -> Sampling<'a> {
        let (batch, n_rows) = (judged.batch, judged.batch.len());
        let names: Vec<&str> = judged.program.segment_names().collect();
        let drawn: Vec<Vec<usize>> = names
            .iter()
            .zip(&judged.masks)
            .map(|(name, mask)| drawn(("", name), batch, mask.rows().collect(), MEMBERS))
            .collect();
        let chosen: Vec<Mask> =
            drawn.iter().map(|rows| Mask::from_bools((0..n_rows).map(|row| rows.contains(&row)))).collect();
        let asked = StayParts { entered_at: true, leaves_at: false };
        // Whoever could be evaluated can be asked about.
        let stays = judged.prepared.stays(batch, judged.now, &chosen, asked, &run::options()).unwrap_or_default();
        let entered = |at: usize, row: usize| {
            stays.get(at)?.iter().find(|stay| stay.row as usize == row).and_then(|stay| stay.entered_at)
        };
        let members = drawn
            .into_iter()
            .enumerate()
            .map(|(at, rows)| rows.into_iter().map(|row| (row, entered(at, row))).collect())
            .collect();
        Sampling { judged, members }
    }

    /// Members of a segment, and one whom one condition keeps out.
    pub fn of_segment(&self, at: usize) -> Vec<Person> {
        let judged = self.judged;
        let (Some(name), Some(spells)) = (judged.program.segment_names().nth(at), judged.spells.get(at)) else {
            return Vec::new();
        };
        let members = self.members.get(at).map_or(&[][..], Vec::as_slice);
        let explained = |(row, entered_at): &(usize, Option<Timestamp>)| {
            let of = self.asked(name, judged.batch.id(*row));
            let explanation = seg::explain(of).ok()?.segments.pop()?;
            Some((*row, explanation, *entered_at))
        };
        let mut shown: Vec<(usize, Explanation, Option<Timestamp>)> = members.iter().filter_map(explained).collect();
        shown.extend(self.near(name, at).map(|(row, explanation)| (row, explanation, None)));
        let lanes = self.lanes(at, &shown.iter().map(|(row, ..)| *row).collect::<Vec<usize>>());
        let person = |(row, explanation, entered_at): (usize, Explanation, Option<Timestamp>)| {
            let (stays, stays_say) = self.stays(spells, row);
            Person {
                id: judged.batch.id(row).to_owned(),
                is_in: explanation.why.holds,
                why: why(&explanation),
                when: self.when(&explanation, entered_at),
                stays,
                stays_say,
                lanes: lanes.get(&row).cloned().unwrap_or_default(),
            }
        };
        shown.into_iter().map(person).collect()
    }

    fn asked(&self, segment: &'a str, person: &'a str) -> Explained<'a> {
        let Judged { project, program, batch, now, .. } = *self.judged;
        Explained { project, program, batch, segment: Some(segment), person, now }
    }

    /// Whom one condition keeps out, with the least to go.
    fn near(&self, name: &'a str, at: usize) -> Option<(usize, Explanation)> {
        let Judged { batch, now, .. } = *self.judged;
        let (members, existing) = (self.judged.masks.get(at)?, batch.existing(now));
        let exists = |row: &usize| existing.as_ref().is_none_or(|mask| mask.get(*row));
        let rows: Vec<usize> = (0..batch.len()).filter(exists).filter(|row| !members.get(*row)).collect();
        let rows = drawn(("", name), batch, rows, LOOKED_AT_MAX);
        near_misses(self.asked(name, ""), &rows).ok()?.into_iter().next()
    }

    /// When somebody came in, and what comes next.
    fn when(&self, of: &Explanation, entered_at: Option<Timestamp>) -> String {
        let at = |time: Timestamp| instant(time, self.judged.zone, self.judged.now);
        let horizon = of.looked_until.map_or(String::new(), |until| format!(" before {}", at(until)));
        if !of.why.holds {
            return match of.changes_at {
                Some(time) => format!("Comes in on {}, if nothing happens.", at(time)),
                None => format!("Waiting does not help{horizon}."),
            };
        }
        let since = entered_at.map_or("Always in".to_owned(), |time| format!("In since {}", at(time)));
        match of.changes_at {
            Some(time) => format!("{since}; leaves on {}, or sooner by what happens.", at(time)),
            None => format!("{since}; stays in{horizon}, unless something happens."),
        }
    }

    /// When somebody was in the segment over the days of the timeline, as parts of it and in
    /// words.
    fn stays(&self, spells: &Spells, row: usize) -> (Vec<(f64, f64)>, Vec<String>) {
        let (from, now) = (self.judged.timeline_begin(), self.judged.now);
        let mut entered = spells.members.get(row).then_some(from);
        let (mut parts, mut words) = (Vec::new(), Vec::new());
        let said =
            |time: Timestamp| if time == from { "before".to_owned() } else { instant(time, self.judged.zone, now) };
        for crossing in spells.crossings.iter().filter(|crossing| crossing.row as usize == row) {
            if crossing.at <= from {
                entered = crossing.is_entry.then_some(from);
                continue;
            }
            match (crossing.is_entry, entered.take()) {
                (true, _) => entered = Some(crossing.at),
                (false, Some(since)) => {
                    parts.push((self.part(since), self.part(crossing.at)));
                    words.push(format!("{} – {}", said(since), said(crossing.at)));
                }
                (false, None) => {}
            }
        }
        if let Some(since) = entered {
            parts.push((self.part(since), 1.0));
            words.push(format!("{} – now", said(since)));
        }
        (parts, words)
    }

    fn part(&self, time: Timestamp) -> f64 {
        let begin = self.judged.timeline_begin().0;
        (time.0 - begin) as f64 / (self.judged.now.0 - begin).max(1) as f64
    }

    /// What some people did of what the segment reads, by day: the kinds of events of which any
    /// of them has some, or the first where nobody has.
    fn lanes(&self, at: usize, rows: &[usize]) -> HashMap<usize, Vec<Lane>> {
        let Judged { program, batch, now, .. } = *self.judged;
        let Some((id, _)) = module(program).run().nth(at) else { return HashMap::new() };
        let needs = plan::needs(&plan::lower(&with_references(module(program), id)));
        let of = |event: EventId, row: usize| -> Vec<(f64, u64)> {
            let Some(events) = batch.events(event) else { return Vec::new() };
            let mut days: BTreeMap<i64, u64> = BTreeMap::new();
            let times = events.range(row).map(|idx| events.time(idx));
            for time in times.filter(|time| self.judged.timeline_begin() < *time && *time <= now) {
                // Counted back from now, so that the last day is whole.
                *days.entry((now.0 - time.0) / DAY).or_default() += 1;
            }
            let middle = |days_ago: i64| self.part(Timestamp(now.0 - days_ago * DAY - DAY / 2));
            days.into_iter().rev().map(|(days_ago, n)| (middle(days_ago), n)).collect()
        };
        let has_some = |event: &EventId| rows.iter().any(|row| !of(*event, *row).is_empty());
        let mut events: Vec<EventId> = needs.events.keys().copied().filter(has_some).take(LANES_MAX).collect();
        if events.is_empty() {
            events.extend(needs.events.keys().next());
        }
        let name = |event: EventId| program.schema().events.get(event.idx()).map_or("", |event| event.name.as_str());
        let lanes = |row: usize| {
            events.iter().map(|event| Lane { name: name(*event).to_owned(), days: of(*event, row) }).collect()
        };
        rows.iter().map(|row| (*row, lanes(*row))).collect()
    }
}

/// What decides it: what makes somebody be in, or keeps them out.
fn why(of: &Explanation) -> Vec<String> {
    let fewest = of.fewest.as_ref().map_or(&[][..], |fewest| &fewest.conditions);
    let deciding = if of.why.holds { of.proof.as_slice() } else { fewest };
    let conditions = conditions(&of.why);
    let named = |number: &usize| conditions.iter().find(|condition| condition.why.condition == Some(*number));
    deciding.iter().filter_map(named).take(WHY_MAX).map(|condition| said_of(condition, of.why.holds)).collect()
}
