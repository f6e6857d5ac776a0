//! The state, and how it goes from step to step. No I/O, no clock.

use crate::change::{Cause, Change, Direction};
use crate::coded;
use crate::commit::{Commit, Table};
use crate::error::LiveError;
use crate::ids::{Group, Ids};
use crate::kept::Kept;
use crate::limits::{Counts, Limits};
use crate::program::Segments;
use crate::touched::Touched;
use seg::Timestamp;
use seg::unstable::data::time::DAY;
use seg::unstable::io::facts::{FactLine, Names, put_number, put_signed};
use std::collections::{BTreeMap, BTreeSet};

/// The key of the clock and the counters in [`Table::Meta`].
pub(crate) const CLOCK: &[u8] = b"clock";
/// What the keys of names, segments and inputs in [`Table::Meta`] begin with.
pub(crate) const NAME: &[u8] = b"name/";
pub(crate) const SEGMENT: &[u8] = b"segment/";
pub(crate) const INPUT: &[u8] = b"input/";
/// The keys of the version of the segments and of the instance.
pub(crate) const PROGRAM: &[u8] = b"program";
pub(crate) const INSTANCE: &[u8] = b"instance";

/// Everybody with their histories and memberships.
pub struct Core {
    pub(crate) segments: Segments,
    pub(crate) names: Names,
    pub(crate) ids: Ids,
    /// By the number of the id that each person goes by.
    pub(crate) kept: BTreeMap<u32, Kept>,
    /// When who has to be judged again.
    pub(crate) due: BTreeSet<(Timestamp, u32)>,
    /// Who was judged by other segments than those at hand.
    pub(crate) stale: BTreeSet<u32>,
    /// How many people each segment has.
    pub(crate) sizes: BTreeMap<u32, u64>,
    pub(crate) clock: Clock,
    pub(crate) instance: String,
    pub(crate) limits: Limits,
    pub(crate) counts: Counts,
    /// How far each input was read.
    pub(crate) inputs: BTreeMap<String, u64>,
    /// What goes with the next commit.
    pub(crate) unsaved: Commit,
    #[cfg(feature = "faults")]
    pub(crate) fault: Option<crate::fault::Fault>,
}

/// What only ever grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    pub now: Timestamp,
    /// How many changes there were.
    pub seq: u64,
    /// How many facts arrived.
    pub n_arrived: u64,
}

impl Core {
    /// Takes records, all of which arrive at `now`, or at the latest instant so far where that
    /// is later: whoever they are about is first judged as of each instant at which their
    /// memberships may have changed before, and then with the records.
    ///
    /// # Errors
    /// See [`LiveError`]; the state is not to be used any longer.
    pub fn step(&mut self, lines: &[FactLine], now: Timestamp) -> Result<Commit, LiveError> {
        let mut commit = self.begin(now);
        let mut touched = Touched::default();
        for id in lines.iter().flat_map(Touched::named) {
            if let Some(number) = self.ids.number(id).filter(|number| !touched.members.contains(number)) {
                touched.was_one(self.ids.group(number).members);
            }
        }
        self.catch_up(&touched.members, &mut commit)?;
        for line in lines {
            self.take(line, &mut touched, &mut commit);
        }
        self.settle(&touched, &mut commit)?;
        for number in &touched.changed_ids {
            if let Some(known) = self.ids.get(*number) {
                commit.put(Table::Ids, known.id.as_bytes(), coded::put_id(*number, &known.links));
            }
        }
        self.put_clock(&mut commit);
        Ok(commit)
    }

    /// Judges people whose time has come, the earliest first, and when there are none such
    /// those whom other segments judged: at most so many.
    ///
    /// # Errors
    /// See [`LiveError`]; the state is not to be used any longer.
    pub fn turn(&mut self, now: Timestamp, limit: usize) -> Result<Commit, LiveError> {
        let mut commit = self.begin(now);
        let mut n_left = limit;
        while n_left > 0 {
            let first = self.due.first().filter(|(at, _)| *at <= self.clock.now).copied();
            let (at, people, cause): (_, Vec<u32>, _) = match first {
                Some((at, _)) => {
                    let due = self.due.iter().take_while(|(other, _)| *other == at).take(n_left);
                    (at, due.map(|(_, number)| *number).collect(), Cause::Time)
                }
                None => (self.clock.now, self.stale.iter().take(n_left).copied().collect(), Cause::Program),
            };
            if people.is_empty() {
                break;
            }
            n_left = n_left.saturating_sub(people.len());
            self.judge_again(&people, (at, cause), &mut commit)?;
        }
        self.put_clock(&mut commit);
        Ok(commit)
    }

    /// Whether everybody was judged as of the latest instant, by the segments at hand.
    pub fn is_settled(&self) -> bool {
        self.stale.is_empty() && self.due.first().is_none_or(|(at, _)| *at > self.clock.now)
    }

    /// When somebody has to be judged next.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The latest instant at which records arrived or time was told.
    pub fn now(&self) -> Timestamp {
        self.clock.now
    }

    /// How many changes there were.
    pub fn seq(&self) -> u64 {
        self.clock.seq
    }

    /// What became of the records.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The numbers that names have in facts.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The schema by which records are read.
    pub fn schema(&self) -> &std::sync::Arc<seg::Schema> {
        &self.segments.schema
    }

    /// How far an input was read, by what was noted of it.
    pub fn input(&self, name: &str) -> u64 {
        self.inputs.get(name).copied().unwrap_or(0)
    }

    /// Notes how far an input was read, together with the next step.
    pub fn note_input(&mut self, name: &str, offset: u64) {
        self.inputs.insert(name.to_owned(), offset);
        self.unsaved.put(Table::Meta, [INPUT, name.as_bytes()].concat(), offset.to_be_bytes().to_vec());
    }

    /// Everybody of whom something is known, by the id that they go by, with what is kept.
    pub fn people(&self) -> impl Iterator<Item = (&str, &Kept)> {
        self.kept.iter().map(|(number, kept)| (self.ids.text(*number), kept))
    }

    /// The names of the segments that somebody is in, in the program's order.
    pub fn segments_of(&self, kept: &Kept) -> Vec<&str> {
        let numbers = self.segments.numbers.iter().filter(|number| kept.segments.contains(number));
        numbers.map(|number| self.segments.name(*number)).collect()
    }

    /// How many people each segment has, in the program's order.
    pub fn sizes(&self) -> impl Iterator<Item = (&str, u64)> {
        let size = |number: &u32| self.sizes.get(number).copied().unwrap_or(0);
        self.segments.numbers.iter().map(move |number| (self.segments.name(*number), size(number)))
    }

    /// How many people are known.
    pub fn n_people(&self) -> usize {
        self.kept.len()
    }

    /// How many people were judged by other segments than those at hand, and wait for it.
    pub fn n_stale(&self) -> usize {
        self.stale.len()
    }

    /// By which version of the segments, from 1.
    pub fn program(&self) -> u32 {
        self.segments.version
    }

    /// The names of all segments, in the program's order.
    pub fn segment_names(&self) -> impl Iterator<Item = &str> {
        self.segments.numbers.iter().map(|number| self.segments.name(*number))
    }

    fn begin(&mut self, now: Timestamp) -> Commit {
        self.clock.now = self.clock.now.max(now);
        std::mem::take(&mut self.unsaved)
    }

    fn put_clock(&self, commit: &mut Commit) {
        let Clock { now, seq, n_arrived } = self.clock;
        let mut row = Vec::new();
        put_signed(&mut row, now.0);
        put_number(&mut row, seq);
        put_number(&mut row, n_arrived);
        put_number(&mut row, u64::from(self.ids.n_given()));
        commit.put(Table::Meta, CLOCK, row);
    }

    /// Judges whoever of some ids people go by at each instant that has come, and those whom
    /// other segments judged.
    fn catch_up(&mut self, members: &BTreeSet<u32>, commit: &mut Commit) -> Result<(), LiveError> {
        let people: Vec<u32> = members.iter().copied().filter(|number| self.kept.contains_key(number)).collect();
        loop {
            let until = |number: &u32| self.kept.get(number).and_then(|kept| kept.until);
            let Some(at) = people.iter().filter_map(until).min().filter(|at| *at <= self.clock.now) else { break };
            let due: Vec<u32> = people.iter().copied().filter(|number| until(number) == Some(at)).collect();
            self.judge_again(&due, (at, Cause::Time), commit)?;
        }
        let stale: Vec<u32> = people.into_iter().filter(|number| self.stale.contains(number)).collect();
        if stale.is_empty() {
            return Ok(());
        }
        self.judge_again(&stale, (self.clock.now, Cause::Program), commit)
    }

    /// Judges people of whom nothing new is known.
    fn judge_again(
        &mut self,
        people: &[u32],
        (at, cause): (Timestamp, Cause),
        commit: &mut Commit,
    ) -> Result<(), LiveError> {
        let groups: Vec<Group> = people.iter().map(|number| self.ids.group(*number)).collect();
        let mut judged = self.judge(&groups, at)?;
        self.counts.judged += judged.len() as u64;
        for number in people {
            let reason = Reason { at, cause, event_id: None };
            self.keep(*number, judged.remove(number), reason, commit);
        }
        Ok(())
    }

    /// Judges whoever records were about, if that can make a difference.
    fn settle(&mut self, touched: &Touched, commit: &mut Commit) -> Result<(), LiveError> {
        let (mut groups, mut met): (Vec<Group>, BTreeSet<u32>) = Default::default();
        for number in &touched.members {
            if met.contains(number) || self.ids.get(*number).is_none() {
                continue;
            }
            let group = self.ids.group(*number);
            met.extend(&group.members);
            if !self.stands(&group, touched) {
                groups.push(group);
            }
        }
        let mut judged = self.judge(&groups, self.clock.now)?;
        self.counts.judged += judged.len() as u64;
        let old = touched.members.iter().chain(&met).copied().filter(|number| self.kept.contains_key(number));
        let old: BTreeSet<u32> = old.collect();
        let is_judged: BTreeSet<u32> = groups.iter().flat_map(|group| group.members.iter().copied()).collect();
        for group in &groups {
            let survivor = group.members.iter().copied().find(|number| judged.contains_key(number));
            let reason = self.reason(group, survivor, touched);
            for number in &group.members {
                let kept = judged.remove(number);
                // Who went by another id before left with it.
                let own = match &kept {
                    Some(_) => reason.clone(),
                    None => Reason { cause: Cause::Merge, event_id: None, ..reason.clone() },
                };
                self.keep(*number, kept, own, commit);
            }
        }
        for number in old.into_iter().filter(|number| !is_judged.contains(number)) {
            if self.ids.get(number).is_none() {
                let reason = Reason { at: self.clock.now, cause: Cause::Forgotten, event_id: None };
                self.keep_of(number, touched.forgotten(number), None, reason, commit);
            }
        }
        Ok(())
    }

    /// Whether what was kept of a person holds whatever the records say.
    fn stands(&self, group: &Group, touched: &Touched) -> bool {
        if self.forgets_merges() {
            return !group.members.iter().any(|number| touched.told.get(number).is_some_and(|told| told.is_read));
        }
        let mut kept = group.members.iter().filter_map(|number| self.kept.get(number));
        let (Some(kept), None) = (kept.next(), kept.next()) else {
            // Of whom nothing is known nothing is asked.
            return group.members.iter().all(|number| self.ids.get(*number).is_none_or(|known| known.n_facts == 0))
                && !group.members.iter().any(|number| self.kept.contains_key(number));
        };
        let exists_at = |time: &Timestamp| kept.exists_from.is_none_or(|from| from <= *time);
        let is_untold = |number: &u32| {
            touched.told.get(number).is_none_or(|told| !told.is_read && told.times.iter().all(exists_at))
        };
        let were_one = group.members.first().and_then(|number| touched.were_one_with(*number));
        let is_tied =
            were_one != Some(&group.members) || group.members.iter().any(|number| touched.tied.contains(number));
        !is_tied && group.members.iter().all(is_untold)
    }

    /// Why a person is judged, who goes by an id from now on.
    fn reason(&self, group: &Group, survivor: Option<u32>, touched: &Touched) -> Reason {
        let at = self.clock.now;
        let was = |number: &&u32| self.kept.contains_key(number);
        let are_others = group.members.iter().filter(was).any(|number| Some(*number) != survivor);
        let before = survivor.and_then(|survivor| touched.were_one_with(survivor));
        let were_more = before.is_some_and(|before| !before.is_subset(&group.members));
        let last = group.members.iter().filter_map(|number| touched.told.get(number)).max_by_key(|told| told.nth);
        let last = last.filter(|_| !are_others && !were_more);
        let Some(last) = last else { return Reason { at, cause: Cause::Merge, event_id: None } };
        let judged_at = survivor.and_then(|survivor| self.kept.get(&survivor)).map(|kept| kept.judged_at);
        let is_late = judged_at.is_some_and(|judged_at| last.time < judged_at);
        let cause = match last.is_event {
            true if is_late => Cause::Late,
            true => Cause::Event,
            false => Cause::Attributes,
        };
        Reason { at, cause, event_id: last.event_id.clone() }
    }

    /// Whether a core with that fault does not notice that ids are tied.
    #[cfg(feature = "faults")]
    fn forgets_merges(&self) -> bool {
        self.fault == Some(crate::fault::Fault::MergesForgotten)
    }

    #[cfg(not(feature = "faults"))]
    fn forgets_merges(&self) -> bool {
        false
    }

    /// Keeps what a person is in by now, or that there is nobody of this id.
    fn keep(&mut self, number: u32, kept: Option<Kept>, reason: Reason, commit: &mut Commit) {
        let id = self.ids.text(number).to_owned();
        self.keep_of(number, &id, kept, reason, commit);
    }

    fn keep_of(&mut self, number: u32, id: &str, kept: Option<Kept>, reason: Reason, commit: &mut Commit) {
        let before = self.kept.remove(&number);
        if before.is_none() && kept.is_none() {
            return;
        }
        if let Some(until) = before.as_ref().and_then(|before| before.until) {
            self.due.remove(&(until, number));
        }
        let is_backfill = before.as_ref().is_some_and(|before| before.program != self.segments.version);
        let (none, no_more) = (BTreeSet::new(), BTreeSet::new());
        let was_in = before.as_ref().map_or(&none, |before| &before.segments);
        let is_in = kept.as_ref().map_or(&no_more, |kept| &kept.segments);
        for segment in was_in.symmetric_difference(is_in) {
            let change = if is_in.contains(segment) { Direction::Entered } else { Direction::Left };
            let size = self.sizes.entry(*segment).or_default();
            *size = match change {
                Direction::Entered => *size + 1,
                Direction::Left => size.saturating_sub(1),
            };
            self.clock.seq += 1;
            let change = Change {
                id: format!("{}-{}", self.instance, self.clock.seq),
                seq: self.clock.seq,
                segment: self.segments.name(*segment).to_owned(),
                person: id.to_owned(),
                change,
                at: reason.at,
                cause: reason.cause,
                event_id: reason.event_id.clone(),
                program: self.segments.version,
                backfill: is_backfill,
            };
            let row = serde_json::to_vec(&change).unwrap_or_default();
            let day = self.clock.now.0.div_euclid(DAY) as i32;
            commit.put(Table::Out(day), change.seq.to_be_bytes(), row);
            commit.changes.push(change);
        }
        self.stale.remove(&number);
        match kept {
            Some(kept) => {
                commit.put(Table::People, coded::key(number), coded::put_kept(&kept));
                if let Some(until) = kept.until {
                    self.due.insert((until, number));
                }
                self.kept.insert(number, kept);
            }
            None => commit.remove(Table::People, coded::key(number)),
        }
    }
}

/// Why and when somebody is judged.
#[derive(Debug, Clone)]
pub(crate) struct Reason {
    pub at: Timestamp,
    pub cause: Cause,
    pub event_id: Option<String>,
}
