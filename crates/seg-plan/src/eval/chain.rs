//! Event sequences, for every event that one may begin with.
//!
//! A person's events are looked at by instant. For one beginning, what matters
//! of the steps taken so far is only how many they are and when the last of them
//! was, the nearer the better: so one walk over the instants decides. At one
//! instant several steps may be taken by different events, in any order, which
//! is a matching of steps with events (augmenting paths, H. W. Kuhn, 1955).

use super::{Domain, Eval};
use crate::plan::{Chain, ChainStep};
use hashbrown::HashMap;
use seg_data::{EventId, PropertyId, Timestamp};
use seg_hir::hir::{ChainOrder, Length};
use std::rc::Rc;

/// An event that may be a step.
struct Candidate {
    time: Timestamp,
    event: EventId,
    row: u32,
    /// Bit k: it may be step k.
    steps: u64,
    /// Of the properties that must be the same; none when one is missing.
    key: Option<u32>,
}

/// The steps of a chain without their events.
struct Rules<'a> {
    order: ChainOrder,
    /// For each step the times, by person and ascending, of the events that may not be
    /// between it and the one before.
    none_between: Vec<Option<Vec<Vec<Timestamp>>>>,
    within: Vec<Option<Length>>,
    whole: Option<Length>,
    keys: Option<Rc<HashMap<EventId, Vec<Option<u32>>>>>,
    chain: &'a Chain,
}

impl Eval<'_> {
    /// For each event of a name whether a chain goes on from it.
    pub(super) fn chain(&mut self, chain: &Chain, event: EventId) -> Vec<bool> {
        let keys = (!chain.same.is_empty()).then(|| Rc::new(self.same_keys(chain, event)));
        let none_between = chain.steps.iter().map(|step| self.none_between(step)).collect();
        let rules = Rules {
            order: chain.order,
            none_between,
            within: chain.steps.iter().map(|step| step.within).collect(),
            whole: chain.whole,
            keys,
            chain,
        };
        let people = self.candidates(&rules);
        let rows = self.event_rows(event);
        let firsts = rows.owner.iter().zip(&rows.time).enumerate();
        let holds = firsts.map(|(row, (owner, time))| {
            let person = *owner as usize;
            let Some(candidates) = people.get(person) else { return false };
            let key = rules.keys.as_ref().map(|keys| keys.get(&event).and_then(|k| k.get(row).copied().flatten()));
            match key {
                Some(None) => false,
                Some(key) => rules.goes_on(candidates, (event, row as u32, person), *time, key),
                None => rules.goes_on(candidates, (event, row as u32, person), *time, None),
            }
        });
        holds.collect()
    }

    /// When those events were of which none may be between a step and the one before, by
    /// person.
    fn none_between(&mut self, step: &ChainStep) -> Option<Vec<Vec<Timestamp>>> {
        let query = step.none_between.as_ref()?;
        let mut people: Vec<Vec<Timestamp>> = vec![Vec::new(); self.batch.len()];
        for event in &query.events {
            let found = self.selected(query, *event);
            let rows = self.event_rows(*event);
            for ((owner, time), _) in rows.owner.iter().zip(&rows.time).zip(found).filter(|(_, is_found)| *is_found) {
                people.get_mut(*owner as usize)?.push(*time);
            }
        }
        people.iter_mut().for_each(|times| times.sort_unstable());
        Some(people)
    }

    /// Every event that may be a step, by person, in the order of the walk.
    fn candidates(&mut self, rules: &Rules<'_>) -> Vec<Vec<Candidate>> {
        let mut people: Vec<Vec<Candidate>> = Vec::new();
        people.resize_with(self.batch.len(), Vec::new);
        let mut steps: HashMap<EventId, Vec<u64>> = HashMap::new();
        for (k, query) in rules.chain.steps.iter().map(|step| &step.query).enumerate() {
            for event in &query.events {
                let found = self.selected(query, *event);
                let bits = steps.entry(*event).or_insert_with(|| vec![0; found.len()]);
                bits.iter_mut().zip(found).for_each(|(bits, is_found)| *bits |= u64::from(is_found) << k);
            }
        }
        let mut names: Vec<EventId> = steps.keys().copied().collect();
        names.sort_unstable();
        for event in names {
            let rows = self.event_rows(event);
            let Some(bits) = steps.get(&event) else { continue };
            for (row, (owner, time)) in rows.owner.iter().zip(&rows.time).enumerate() {
                let steps = bits.get(row).copied().unwrap_or(0);
                if let (true, Some(person)) = (steps != 0, people.get_mut(*owner as usize)) {
                    let keys = rules.keys.as_ref().and_then(|keys| keys.get(&event));
                    let key = keys.and_then(|keys| keys.get(row).copied().flatten());
                    person.push(Candidate { time: *time, event, row: row as u32, steps, key });
                }
            }
        }
        for person in &mut people {
            person.sort_by_key(|c| c.time);
            if rules.order == ChainOrder::Before {
                person.reverse();
            }
        }
        people
    }

    /// A number for each combination of the properties that must be the same,
    /// for the events of a chain and those it begins with.
    fn same_keys(&mut self, chain: &Chain, first: EventId) -> HashMap<EventId, Vec<Option<u32>>> {
        let mut events: Vec<EventId> = chain.steps.iter().flat_map(|step| step.query.events.clone()).collect();
        events.push(first);
        events.sort_unstable();
        events.dedup();
        let mut numbers: HashMap<Vec<String>, u32> = HashMap::new();
        let mut keys = HashMap::new();
        for event in events {
            let columns: Vec<_> = chain.same.iter().map(|ids| self.same_column(ids, event)).collect();
            let n_rows = self.len(Domain::Events(event));
            let mut of_event = Vec::with_capacity(n_rows);
            for row in 0..n_rows {
                let values: Option<Vec<String>> =
                    columns.iter().map(|column| column.as_ref()?.value(row).as_ref().map(super::query::key)).collect();
                of_event.push(values.map(|values| {
                    let next = numbers.len() as u32;
                    *numbers.entry(values).or_insert(next)
                }));
            }
            keys.insert(event, of_event);
        }
        keys
    }

    fn same_column(&mut self, ids: &[(EventId, PropertyId)], event: EventId) -> Option<super::column::Column> {
        let (_, property) = ids.iter().find(|(of, _)| *of == event)?;
        let column = self.batch.events(event)?.property_column(*property)?;
        let rows = self.event_rows(event);
        Some(super::column::Column::read(column, rows.idx.iter().map(|idx| *idx as usize)))
    }
}

impl Rules<'_> {
    /// Whether the steps can be taken from an event of a person on.
    fn goes_on(
        &self,
        all: &[Candidate],
        (event, row, person): (EventId, u32, usize),
        time: Timestamp,
        key: Option<u32>,
    ) -> bool {
        match self.order {
            ChainOrder::After | ChainOrder::Before => self.extends(all, (event, row, person), time, key),
            ChainOrder::Any => {
                let is_soon = |c: &&Candidate| self.whole.is_none_or(|whole| self.is_within(whole, time, c.time));
                let fits = |c: &&Candidate| time <= c.time && is_soon(c) && (self.keys.is_none() || c.key == key);
                matches(0..self.within.len(), &all.iter().filter(fits).collect::<Vec<_>>())
            }
        }
    }

    fn extends(
        &self,
        all: &[Candidate],
        (event, row, person): (EventId, u32, usize),
        time: Timestamp,
        key: Option<u32>,
    ) -> bool {
        let n_steps = self.within.len();
        let is_before = self.order == ChainOrder::Before;
        let is_early = |c: &Candidate| if is_before { c.time > time } else { c.time < time };
        let from = all.partition_point(is_early);
        let mut rest = all.get(from..).unwrap_or(&[]);
        // When the last of so many steps was.
        let mut reached: Vec<Option<Timestamp>> = vec![None; n_steps + 1];
        if let Some(start) = reached.first_mut() {
            *start = Some(time);
        }
        while let Some(head) = rest.first() {
            let at = head.time;
            if self.whole.is_some_and(|whole| !self.is_within(whole, time, at)) || self.is_over(&reached, at) {
                return false;
            }
            let n = rest.iter().take_while(|c| c.time == at).count();
            let (group, later) = rest.split_at(n);
            rest = later;
            let fits = |c: &&Candidate| (c.event, c.row) != (event, row) && (self.keys.is_none() || c.key == key);
            let group: Vec<&Candidate> = group.iter().filter(fits).collect();
            if group.is_empty() {
                continue;
            }
            let before = reached.clone();
            for (k, last) in before.iter().enumerate() {
                let Some(last) = last else { continue };
                let is_near = self.within.get(k).is_some_and(|w| w.is_none_or(|w| self.is_within(w, *last, at)));
                // The later the last step was, the less lies in between.
                if !is_near || !self.is_clear(k, person, *last, at) {
                    continue;
                }
                let most = (n_steps - k).min(group.len());
                for m in 1..=most {
                    if !matches(k..k + m, &group) {
                        break;
                    }
                    if let Some(slot) = reached.get_mut(k + m) {
                        *slot = Some(at);
                    }
                }
            }
            if reached.last().is_some_and(Option::is_some) {
                return true;
            }
        }
        false
    }

    /// Whether no step can be taken any more at an instant or later.
    fn is_over(&self, reached: &[Option<Timestamp>], at: Timestamp) -> bool {
        reached.iter().zip(&self.within).all(|(last, within)| match (last, within) {
            (None, _) => true,
            (Some(last), Some(within)) => !self.is_within(*within, *last, at),
            (Some(_), None) => false,
        })
    }

    fn is_within(&self, length: Length, from: Timestamp, time: Timestamp) -> bool {
        match self.order {
            ChainOrder::After | ChainOrder::Any => time <= length.after(from),
            ChainOrder::Before => length.before(from) <= time,
        }
    }

    /// Whether nothing lies between two instants that may not.
    fn is_clear(&self, step: usize, person: usize, a: Timestamp, b: Timestamp) -> bool {
        let times = self.none_between.get(step).and_then(|people| people.as_ref()?.get(person));
        times.is_none_or(|times| {
            let next = times.get(times.partition_point(|time| *time <= a.min(b)));
            next.is_none_or(|next| *next >= a.max(b))
        })
    }
}

/// Whether different events can be found for all of some steps.
fn matches(steps: std::ops::Range<usize>, events: &[&Candidate]) -> bool {
    fn augment(step: usize, events: &[&Candidate], taken: &mut [Option<usize>], seen: &mut [bool]) -> bool {
        for (idx, event) in events.iter().enumerate() {
            if event.steps >> step & 1 == 0 || seen.get(idx).copied().unwrap_or(true) {
                continue;
            }
            if let Some(slot) = seen.get_mut(idx) {
                *slot = true;
            }
            let free = match taken.get(idx).copied().flatten() {
                None => true,
                Some(other) => augment(other, events, taken, seen),
            };
            if free {
                if let Some(slot) = taken.get_mut(idx) {
                    *slot = Some(step);
                }
                return true;
            }
        }
        false
    }
    let mut taken = vec![None; events.len()];
    steps.into_iter().all(|step| augment(step, events, &mut taken, &mut vec![false; events.len()]))
}
