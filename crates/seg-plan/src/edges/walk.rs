//! The answers for a person from edge to edge.

use super::moments::{Calendars, days_after, days_before, first};
use super::values::Data;
use super::window::Columns;
use super::{CALENDAR_DAYS, Edges, Leaf, NextChange, Part};
use crate::eval::evaluate;
use seg_data::{Batch, Timestamp};
use std::cell::OnceCell;

/// Whether somebody is in a segment from an instant on, and when that changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timeline {
    /// At the first instant.
    pub is_in: bool,
    /// After it, ascending: at each the answer is another one than an instant before.
    pub changes: Vec<Timestamp>,
}

impl Timeline {
    /// The answer at an instant that is not before the first.
    pub fn at(&self, at: Timestamp) -> bool {
        let n = self.changes.partition_point(|change| *change <= at);
        self.is_in != (n % 2 == 1)
    }
}

/// A walk over people, one after another.
pub struct Walk<'e> {
    edges: &'e Edges,
    /// What was computed for all people of the batch.
    over: Option<&'e Over>,
    calendars: Calendars,
}

/// What segments ask of the events of a batch, for all of its people: for whoever walks over
/// many of them.
#[derive(Debug)]
pub struct Over {
    /// By leaf; none of leaves that ask nothing of events.
    columns: Vec<Option<Columns>>,
}

impl Over {
    pub(super) fn new(edges: &Edges, batch: &Batch, until: Timestamp) -> Over {
        let of = |leaf: &Leaf| leaf.window.as_ref().and_then(|window| window.columns(&leaf.plan, batch, until));
        Over { columns: edges.leaves.iter().map(of).collect() }
    }
}

/// Of a batch of at most so many people one is sliced, and cut out of a larger one: reading
/// the dictionaries of so many is less work than leaving them behind.
const SLICED: usize = 4_096;

/// One person: a row of a batch, and a batch of them alone for whoever needs it.
pub(super) struct Person<'b> {
    pub batch: &'b Batch,
    pub row: usize,
    /// Up to when what is known of them matters.
    pub until: Timestamp,
    alone: OnceCell<Option<Batch>>,
    /// Whether what comes later matters to nobody, so that it need not be left out.
    is_until_then: bool,
    /// By leaf: whether it holds at first, and when that changes, where that is known by now.
    known: Vec<Option<(bool, Vec<i64>)>>,
}

impl<'b> Person<'b> {
    pub fn of(batch: &'b Batch, row: usize, until: Timestamp) -> Option<Person<'b>> {
        let (alone, known, is_until_then) = (OnceCell::new(), Vec::new(), false);
        (row < batch.len()).then_some(Person { batch, row, until, alone, is_until_then, known })
    }

    /// The same where nothing that comes after that instant matters to whoever asks.
    pub fn until_then(batch: &'b Batch, row: usize, until: Timestamp) -> Option<Person<'b>> {
        Some(Person { is_until_then: true, ..Person::of(batch, row, until)? })
    }

    /// A batch of nobody else.
    pub fn alone(&self) -> Option<&Batch> {
        let rows = self.row..self.row + 1;
        let alone = || match (self.is_until_then, self.batch.len()) {
            (true, 1) => Some(self.batch.clone()),
            (true, n) if n <= SLICED => Some(self.batch.slice(rows, |_| true)),
            (true | false, _) => self.batch.known_at(rows, self.until).ok(),
        };
        self.alone.get_or_init(alone).as_ref()
    }

    /// From when on they exist.
    fn begins(&self) -> Timestamp {
        self.batch.exists_from(self.row).unwrap_or(Timestamp::MIN)
    }

    /// Whether a condition, by its number, holds for them at an instant at which they exist.
    fn holds(&self, (number, leaf): (usize, &Leaf), at: Timestamp) -> bool {
        if let Some((first, changes)) = self.known.get(number).and_then(Option::as_ref) {
            return *first != (changes.partition_point(|change| *change <= at.0) % 2 == 1);
        }
        let alone = self.alone();
        alone.is_some_and(|person| evaluate(&leaf.plan, person, at).first().is_some_and(|mask| mask.get(0)))
    }
}

/// The answers of one person as of an instant.
struct Answers {
    leaves: Vec<bool>,
    parts: Vec<bool>,
}

impl<'e> Walk<'e> {
    pub(super) fn new(edges: &'e Edges, over: Option<&'e Over>) -> Walk<'e> {
        Walk { edges, over, calendars: Calendars::default() }
    }

    /// When the answer of each segment changes next after `now` for a row of a batch, whose
    /// columns were checked, if nothing else happens; `None` where there is no such row.
    pub fn next_changes(&mut self, batch: &Batch, row: usize, now: Timestamp) -> Option<Vec<NextChange>> {
        let wanted = vec![true; self.edges.roots.len()];
        self.next_changes_of(batch, row, now, &wanted)
    }

    /// The same of some of the segments; of the others it may be left out.
    pub fn next_changes_of(
        &mut self,
        batch: &Batch,
        row: usize,
        now: Timestamp,
        wanted: &[bool],
    ) -> Option<Vec<NextChange>> {
        let person = batch.known_at(row..row.checked_add(1)?, now).ok().filter(|person| person.len() == 1)?;
        let horizon = days_after(now, CALENDAR_DAYS);
        let edges = self.edges;
        let until: Vec<Option<Timestamp>> =
            (0..edges.roots.len()).map(|root| edges.has_calendars(root).then_some(horizon)).collect();
        let mut found: Vec<Option<Timestamp>> = vec![None; edges.roots.len()];
        let mut n_open = wanted.iter().filter(|is_wanted| **is_wanted).count();
        let mut first_answers: Vec<bool> = Vec::new();
        let mut person = Person::of(&person, 0, now)?;
        // What was computed is of the batch, and not of what is known of one person by now.
        let over = self.over.take();
        let at_edges = self.at_edges(&mut person, (now, Timestamp::MAX), (now, horizon));
        self.over = over;
        self.visit(&person, (now, Timestamp::MAX), at_edges, |at, answers| {
            if first_answers.is_empty() {
                first_answers = answers.to_vec();
                return n_open > 0;
            }
            for (((found, before), answer), is_wanted) in found.iter_mut().zip(&first_answers).zip(answers).zip(wanted)
            {
                if found.is_none() && before != answer {
                    *found = Some(at);
                    n_open -= usize::from(*is_wanted);
                }
            }
            n_open > 0
        });
        // Beyond the horizon what comes again was not looked at, so that nothing is known.
        let next = found.into_iter().zip(until).map(|(at, until)| {
            let at = at.filter(|at| until.is_none_or(|until| *at <= until));
            NextChange { at, until }
        });
        Some(next.collect())
    }

    /// When the answer of any segment changes next after `now` for a row of a batch, whose columns
    /// were checked, if nothing else happens: the first of [`Walk::next_changes`], found without
    /// looking further. `None` where there is no such row.
    pub fn first_change(&mut self, batch: &Batch, row: usize, now: Timestamp) -> Option<NextChange> {
        let person = batch.known_at(row..row.checked_add(1)?, now).ok().filter(|person| person.len() == 1)?;
        let horizon = days_after(now, CALENDAR_DAYS);
        let has_calendars = (0..self.edges.roots.len()).any(|root| self.edges.has_calendars(root));
        let until = has_calendars.then_some(horizon);
        let mut person = Person::of(&person, 0, now)?;
        // What was computed is of the batch, and not of what is known of one person by now.
        let over = self.over.take();
        let at_edges = self.at_edges(&mut person, (now, Timestamp::MAX), (now, horizon));
        self.over = over;
        let (mut first_answers, mut found): (Option<Vec<bool>>, Option<Timestamp>) = (None, None);
        self.visit(&person, (now, Timestamp::MAX), at_edges, |at, answers| {
            match &first_answers {
                None => first_answers = Some(answers.to_vec()),
                Some(first) if first != answers => found = Some(at),
                Some(_) => {}
            }
            found.is_none()
        });
        // Beyond the horizon what comes again was not looked at, so that nothing is known.
        Some(NextChange { at: found.filter(|at| until.is_none_or(|until| *at <= until)), until })
    }

    /// Since when each of some segments has the answer that it has at `now` for a row of a batch,
    /// whose columns were checked, with what happened coming as it did; `None` of those that
    /// always had it, or longer than the horizon of what comes again. Of other segments it may
    /// be left out.
    pub fn last_changes_of(
        &mut self,
        batch: &Batch,
        row: usize,
        now: Timestamp,
        wanted: &[bool],
    ) -> Option<Vec<Option<Timestamp>>> {
        let mut person = Person::of(batch, row, now)?;
        let edges = self.edges;
        let exists_from = person.begins();
        let horizon = days_before(now, CALENDAR_DAYS);
        let mut at_edges = self.at_edges(&mut person, (Timestamp::MIN, now), (horizon, now));
        for (at, leaf) in edges.leaves.iter().enumerate().filter(|(_, leaf)| !leaf.asked.orders().is_empty()) {
            let own: Vec<i64> = at_edges.iter().filter(|(_, of)| *of == at).map(|(instant, _)| *instant).collect();
            let found = between(leaf, &person, (Timestamp::MIN, now), &own);
            at_edges.extend(found.into_iter().map(|instant| (instant, at)));
        }
        at_edges.sort_unstable_by(|a, b| b.cmp(a));
        let leaves = edges.leaves.iter().enumerate().map(|leaf| person.holds(leaf, now)).collect();
        let mut answers = Answers { leaves, parts: vec![false; edges.parts.len()] };
        let mut roots = vec![false; edges.roots.len()];
        answers.tell(edges, exists_from <= now, &mut roots);
        let of_now = roots.clone();
        let mut found: Vec<Option<Timestamp>> = vec![None; roots.len()];
        let mut n_open = wanted.iter().filter(|is_wanted| **is_wanted).count();
        let mut at_edges = at_edges.into_iter().peekable();
        while let Some(instant) = at_edges.peek().map(|(instant, _)| *instant).filter(|_| n_open > 0) {
            // Nobody is in anything before they exist.
            if instant <= exists_from.0 {
                break;
            }
            let mut has_changed = false;
            while let Some((_, leaf)) = at_edges.next_if(|(other, _)| *other == instant) {
                let (Some(known), Some(of)) = (answers.leaves.get_mut(leaf), edges.leaves.get(leaf)) else { continue };
                let before = person.holds((leaf, of), Timestamp(instant - 1));
                has_changed |= std::mem::replace(known, before) != before;
            }
            if !has_changed {
                continue;
            }
            answers.tell(edges, true, &mut roots);
            for (((found, before), now), is_wanted) in found.iter_mut().zip(&roots).zip(&of_now).zip(wanted) {
                if found.is_none() && before != now {
                    *found = Some(Timestamp(instant));
                    n_open -= usize::from(*is_wanted);
                }
            }
        }
        let is_recent = |root: usize, at: Timestamp| at >= horizon || !edges.has_calendars(root);
        let found = found.into_iter().zip(of_now).enumerate().map(|(root, (at, is_in))| {
            // Whoever is in since before everything else is in since they exist.
            let begins = (is_in && exists_from > Timestamp::MIN).then_some(exists_from);
            at.or(begins).filter(|at| is_recent(root, *at))
        });
        Some(found.collect())
    }

    /// The answers of each segment for a row of a batch, whose columns were checked, from an
    /// instant to another, both of them included, with what happens coming as it does: at
    /// each instant what comes later does not exist. `None` where nothing could change any of
    /// them, which is found out without asking.
    pub fn timelines(&mut self, batch: &Batch, row: usize, range: (Timestamp, Timestamp)) -> Option<Vec<Timeline>> {
        self.timelines_known(batch, row, range.1, range)
    }

    /// The same with what is known of them at an instant alone: what comes after it, as far as
    /// the batch knows that, does not happen, so that beyond it time alone changes an answer.
    pub fn timelines_known(
        &mut self,
        batch: &Batch,
        row: usize,
        known_at: Timestamp,
        range: (Timestamp, Timestamp),
    ) -> Option<Vec<Timeline>> {
        let mut person = Person::of(batch, row, known_at)?;
        let at_edges = self.at_edges(&mut person, range, range);
        let begins = batch.exists_from(row).is_some_and(|begins| range.0 < begins && begins <= range.1);
        let is_looked_for = self.edges.leaves.iter().any(|leaf| !leaf.asked.orders().is_empty());
        if at_edges.is_empty() && !begins && !is_looked_for {
            return None;
        }
        let mut timelines: Vec<Timeline> = Vec::new();
        let mut last: Vec<bool> = Vec::new();
        self.visit(&person, range, at_edges, |at, answers| {
            if last.is_empty() {
                timelines = answers.iter().map(|is_in| Timeline { is_in: *is_in, changes: Vec::new() }).collect();
            } else {
                for ((timeline, before), answer) in timelines.iter_mut().zip(&last).zip(answers) {
                    if before != answer {
                        timeline.changes.push(at);
                    }
                }
            }
            last.clear();
            last.extend(answers);
            true
        });
        Some(timelines)
    }

    /// The instants after the first of a range at which something can change for a person, each
    /// with the leaf that it may change, ascending. What comes again is looked at within a range
    /// of its own.
    fn at_edges(
        &mut self,
        person: &mut Person<'_>,
        (from, to): (Timestamp, Timestamp),
        calendars: (Timestamp, Timestamp),
    ) -> Vec<(i64, usize)> {
        let mut at_edges: Vec<(i64, usize)> = Vec::new();
        let mut instants: Vec<i64> = Vec::new();
        let mut known = Vec::with_capacity(self.edges.leaves.len());
        for (at, leaf) in self.edges.leaves.iter().enumerate() {
            if let Some(window) = &leaf.window {
                let of_batch = self.over.and_then(|over| over.columns.get(at));
                let until = person.until;
                let (first, changes) = match of_batch {
                    Some(columns) => window.changes(columns.as_ref(), (person.batch, person.row, until), (from, to)),
                    None => {
                        let alone = person.alone();
                        let columns = alone.and_then(|alone| window.columns(&leaf.plan, alone, until));
                        alone.map_or((false, Vec::new()), |alone| {
                            window.changes(columns.as_ref(), (alone, 0, until), (from, to))
                        })
                    }
                };
                at_edges.extend(changes.iter().map(|instant| (*instant, at)));
                known.push(Some((first, changes)));
                continue;
            }
            known.push(None);
            let data = Data { plan: &leaf.plan, batch: person.batch, row: person.row, now: from };
            leaf.asked.edges(data, calendars, &mut self.calendars, &mut instants);
            let inside = instants.drain(..).filter(|at| from.0 < *at && *at <= to.0);
            at_edges.extend(inside.map(|instant| (instant, at)));
        }
        person.known = known;
        at_edges.sort_unstable();
        at_edges.dedup();
        at_edges
    }

    /// Calls `each` with the answers of all segments at the first instant of a range and at
    /// each edge within it, until it has seen enough.
    fn visit(
        &self,
        person: &Person<'_>,
        (from, to): (Timestamp, Timestamp),
        mut at_edges: Vec<(i64, usize)>,
        mut each: impl FnMut(Timestamp, &[bool]) -> bool,
    ) {
        let edges = self.edges;
        let exists_from = person.begins();
        for (at, leaf) in edges.leaves.iter().enumerate().filter(|(_, leaf)| !leaf.asked.orders().is_empty()) {
            let own: Vec<i64> = at_edges.iter().filter(|(_, of)| *of == at).map(|(instant, _)| *instant).collect();
            at_edges.extend(between(leaf, person, (from, to), &own).into_iter().map(|instant| (instant, at)));
        }
        at_edges.sort_unstable();
        let leaves = edges.leaves.iter().enumerate().map(|leaf| person.holds(leaf, from)).collect();
        let mut answers = Answers { leaves, parts: vec![false; edges.parts.len()] };
        let mut roots = vec![false; edges.roots.len()];
        answers.tell(edges, exists_from <= from, &mut roots);
        if !each(from, &roots) {
            return;
        }
        let mut at_edges = at_edges.into_iter().peekable();
        // Nobody is in anything before they exist.
        let mut begins = Some(exists_from.0).filter(|begins| from.0 < *begins && *begins <= to.0);
        loop {
            let next = at_edges.peek().map(|(instant, _)| *instant);
            let Some(instant) = next.into_iter().chain(begins).min() else { return };
            let mut has_changed = false;
            let mut look_at = |leaf: usize| {
                let (Some(known), Some(of)) = (answers.leaves.get_mut(leaf), edges.leaves.get(leaf)) else { return };
                let now = person.holds((leaf, of), Timestamp(instant));
                has_changed |= std::mem::replace(known, now) != now;
            };
            while let Some((_, leaf)) = at_edges.next_if(|(other, _)| *other == instant) {
                look_at(leaf);
            }
            if begins.take_if(|begins| *begins == instant).is_some() {
                (0..edges.leaves.len()).for_each(look_at);
                has_changed = true;
            }
            if has_changed {
                answers.tell(edges, exists_from.0 <= instant, &mut roots);
                if !each(Timestamp(instant), &roots) {
                    return;
                }
            }
        }
    }
}

/// The instants between the edges of a condition at which a time that passes meets what it
/// is compared with.
pub(super) fn between(leaf: &Leaf, person: &Person<'_>, (from, to): (Timestamp, Timestamp), edges: &[i64]) -> Vec<i64> {
    let mut found = Vec::new();
    let Some(alone) = person.alone() else { return found };
    for plan in leaf.asked.orders() {
        let order =
            |at: i64| -> Vec<bool> { evaluate(plan, alone, Timestamp(at)).iter().map(|mask| mask.get(0)).collect() };
        // Nothing holds of whom nobody knows yet.
        let begins = Some(person.begins().0).filter(|begins| from.0 < *begins && *begins <= to.0);
        let mut ends: Vec<i64> = edges.iter().copied().chain(begins).chain([to.0.saturating_add(1)]).collect();
        ends.sort_unstable();
        let mut start = from.0;
        for end in ends {
            let last = order(end - 1);
            let mut order_now = order(start);
            while order_now != last && start < end - 1 {
                start = first(start, end - 1, |at| order(at) != order_now);
                found.push(start);
                order_now = order(start);
            }
            start = end;
        }
    }
    found
}

impl Answers {
    /// Who is in what, from the answers of the leaves on.
    fn tell(&mut self, edges: &Edges, exists: bool, roots: &mut [bool]) {
        for (at, part) in edges.parts.iter().enumerate() {
            let of = |part: &usize| self.parts.get(*part).copied().unwrap_or(false);
            let holds = match part {
                Part::Const(value) => *value,
                Part::Leaf(leaf) => self.leaves.get(*leaf).copied().unwrap_or(false),
                Part::Not(inner) => !of(inner),
                Part::Several(min, max, members) => {
                    let n = members.iter().filter(|member| of(member)).count() as u64;
                    *min <= n && n <= *max
                }
            };
            if let Some(slot) = self.parts.get_mut(at) {
                *slot = holds;
            }
        }
        for (root, part) in roots.iter_mut().zip(&edges.roots) {
            *root = exists && self.parts.get(*part).copied().unwrap_or(false);
        }
    }
}

impl Edges {
    /// Whether a segment asks for what comes again for ever.
    fn has_calendars(&self, root: usize) -> bool {
        self.leaves_of(root).any(|leaf| leaf.asked.has_calendars())
    }

    /// The conditions that a segment is made of.
    pub(super) fn leaves_of(&self, root: usize) -> impl Iterator<Item = &Leaf> {
        let (mut leaves, mut open) = (Vec::new(), self.roots.get(root).copied().into_iter().collect::<Vec<usize>>());
        let mut is_met = vec![false; self.parts.len()];
        while let Some(part) = open.pop() {
            if is_met.get_mut(part).is_none_or(|is_met| std::mem::replace(is_met, true)) {
                continue;
            }
            match self.parts.get(part) {
                Some(Part::Leaf(leaf)) => leaves.push(*leaf),
                Some(Part::Not(inner)) => open.push(*inner),
                Some(Part::Several(_, _, members)) => open.extend(members),
                Some(Part::Const(_)) | None => {}
            }
        }
        leaves.into_iter().filter_map(|leaf| self.leaves.get(leaf))
    }
}
