//! What the records of a step are about.

use crate::coded;
use crate::commit::{Commit, Table};
use crate::core::Core;
use crate::limits::Refusal;
use seg::unstable::io::facts::{Fact, FactKind, FactLine, Said, StoredFacts, Unusable, append};
use seg::{Schema, Timestamp, Wanted};
use std::collections::{BTreeMap, BTreeSet};

/// An id has this many facts in rows of their own before they are written as one.
const TAIL_MAX: usize = 32;

/// Whom the records of a step are about, and what they tell.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// All ids that are named, and those that were one person with them before.
    pub members: BTreeSet<u32>,
    /// Those who were one person each before, and among which of them each id was.
    before: Vec<BTreeSet<u32>>,
    places: BTreeMap<u32, usize>,
    /// Ids of which it was told that they are one with others.
    pub tied: BTreeSet<u32>,
    /// Ids that are new, or of which something else than facts is.
    pub changed_ids: BTreeSet<u32>,
    /// Ids of which facts were told.
    pub told: BTreeMap<u32, Told>,
    /// Ids that were forgotten.
    forgotten: BTreeMap<u32, String>,
    n_told: usize,
}

/// The facts that were told of an id.
#[derive(Debug)]
pub(crate) struct Told {
    /// Whether any segment reads one of them.
    pub is_read: bool,
    /// When they were.
    pub times: Vec<Timestamp>,
    /// The place of the last of them among all that were told.
    pub nth: usize,
    /// When that was, whether it is an event, and its id.
    pub time: Timestamp,
    pub is_event: bool,
    pub event_id: Option<String>,
}

impl Touched {
    /// Notes ids that were one person before.
    pub fn was_one(&mut self, ids: BTreeSet<u32>) {
        self.members.extend(&ids);
        self.places.extend(ids.iter().map(|number| (*number, self.before.len())));
        self.before.push(ids);
    }

    /// The ids that were one person with an id before, itself among them; none where nothing was
    /// known of it.
    pub fn were_one_with(&self, number: u32) -> Option<&BTreeSet<u32>> {
        self.before.get(*self.places.get(&number)?)
    }

    /// The ids that a record names.
    pub fn named(line: &FactLine) -> impl Iterator<Item = &str> {
        let named: [Option<&str>; 3] = match &line.said {
            Said::Of(id) | Said::Forget(id) => [Some(id), None, None],
            Said::Call { user, anonymous } => [user.as_deref(), anonymous.as_deref(), None],
            Said::Alias { previous, user, anonymous } => [previous.as_deref(), user.as_deref(), anonymous.as_deref()],
            Said::Merge { from, into } => [Some(from), Some(into), None],
            Said::Nobody => [None; 3],
        };
        named.into_iter().flatten()
    }

    /// The id that a number had.
    pub fn forgotten(&self, number: u32) -> &str {
        self.forgotten.get(&number).map_or("", String::as_str)
    }
}

impl Core {
    /// Takes a record, or counts why not.
    pub(crate) fn take(&mut self, line: &FactLine, touched: &mut Touched, commit: &mut Commit) {
        self.counts.received += 1;
        self.counts.unfit += u64::from(line.n_unfit);
        let refusal = line.unusable.as_ref().map(|unusable| match unusable {
            Unusable::Broken(_) => Refusal::Broken,
            Unusable::NoId => Refusal::NoId,
            Unusable::NoEvent => Refusal::NoEvent,
            Unusable::UnknownEvent(_) => Refusal::UnknownEvent,
            Unusable::ImpossibleTime(_) => Refusal::ImpossibleTime,
        });
        let time = line.time.unwrap_or(self.clock.now);
        let ahead = Timestamp(self.clock.now.0.saturating_add(self.limits.ahead));
        let n_bytes = line.fact.as_ref().map_or(0, |fact| fact.values.len());
        let refusal = match refusal {
            None if time > ahead => Some(Refusal::Ahead),
            None if n_bytes > self.limits.record_bytes => Some(Refusal::TooLarge),
            refusal => refusal,
        };
        refusal.into_iter().for_each(|why| self.counts.refuse(why));
        match refusal {
            // What they say of ids is taken.
            None | Some(Refusal::NoEvent | Refusal::UnknownEvent) => {}
            Some(_) => return,
        }
        let message = line.message.clone().unwrap_or_default();
        match &line.said {
            Said::Nobody => {}
            Said::Forget(id) => self.forget(id, touched, commit),
            Said::Of(id) => self.add_fact(id, line, time, touched, commit),
            Said::Merge { from, into } if from != into => {
                let (from, into) = (self.named(from, touched), self.named(into, touched));
                if self.ids.merge(from, into) {
                    tie(touched, [from, into], from);
                }
            }
            Said::Merge { .. } => {}
            Said::Call { user, anonymous } => {
                let device = anonymous.as_deref().map(|id| self.device(id, touched));
                if let (Some(user), Some(device)) = (user, device) {
                    let user = self.named(user, touched);
                    if self.ids.link(device, user, (time, message)) {
                        tie(touched, [device, user], device);
                    }
                }
                if let Some(whose) = user.as_ref().or(anonymous.as_ref()) {
                    self.add_fact(whose, line, time, touched, commit);
                }
            }
            Said::Alias { previous, user, anonymous } => {
                let _ = anonymous.as_deref().map(|id| self.device(id, touched));
                if let (Some(previous), Some(user)) = (previous, user)
                    && previous != user
                {
                    let (previous, user) = (self.named(previous, touched), self.named(user, touched));
                    if self.ids.alias(previous, user, (time, message)) {
                        tie(touched, [previous, user], previous);
                    }
                }
            }
        }
    }

    /// The number of an id that a record names.
    fn named(&mut self, id: &str, touched: &mut Touched) -> u32 {
        let n_before = self.ids.n_given();
        let number = self.ids.number_of(id);
        if number >= n_before {
            touched.changed_ids.insert(number);
        }
        touched.members.insert(number);
        number
    }

    /// The number of an id that a record calls anonymous.
    fn device(&mut self, id: &str, touched: &mut Touched) -> u32 {
        let number = self.named(id, touched);
        if self.ids.is_anonymous(number) {
            touched.changed_ids.insert(number);
            touched.tied.insert(number);
        }
        number
    }

    fn add_fact(&mut self, id: &str, line: &FactLine, time: Timestamp, touched: &mut Touched, commit: &mut Commit) {
        let Some(fact) = &line.fact else { return };
        let number = self.named(id, touched);
        let (is_read, limits, arrival) = (self.is_read(fact), self.limits, self.clock.n_arrived);
        let Some(known) = self.ids.get_mut(number) else { return };
        if is_repeated(&known.facts, fact) {
            self.counts.repeated += 1;
            return;
        }
        if known.n_facts >= limits.person_facts || known.facts.len() >= limits.person_bytes {
            return self.counts.refuse(Refusal::TooMuch);
        }
        let before = known.facts.len();
        append(&mut known.facts, fact, arrival, time);
        known.n_facts += 1;
        known.tail.push(arrival);
        if known.tail.len() < TAIL_MAX {
            let own = known.facts.get(before..).unwrap_or_default().to_vec();
            commit.put(Table::Tail, coded::tail_key(number, arrival), own);
        } else {
            known.tail.drain(..).for_each(|arrival| commit.remove(Table::Tail, coded::tail_key(number, arrival)));
            commit.put(Table::Base, coded::key(number), known.facts.clone());
        }
        self.clock.n_arrived += 1;
        touched.n_told += 1;
        let event_id = match &fact.kind {
            FactKind::Row => None,
            FactKind::Event { message, event_id, .. } => event_id.clone().or_else(|| message.clone()),
        };
        let is_event = matches!(fact.kind, FactKind::Event { .. });
        let (mut times, mut was_read) = (Vec::new(), false);
        if let Some(earlier) = touched.told.remove(&number) {
            (times, was_read) = (earlier.times, earlier.is_read);
        }
        times.push(time);
        let told = Told { is_read: is_read || was_read, times, nth: touched.n_told, time, is_event, event_id };
        touched.told.insert(number, told);
    }

    /// Whether any segment reads a fact.
    fn is_read(&self, fact: &Fact) -> bool {
        let (schema, wanted): (&Schema, &Wanted) = (&self.segments.schema, &self.segments.wanted);
        match &fact.kind {
            FactKind::Event { name, .. } => {
                let name = self.names.name(*name);
                let mut read = wanted.events.keys().filter_map(|event| schema.event(*event));
                read.any(|event| Some(event.name.as_str()) == name)
            }
            // What somebody is may say since when they are known.
            FactKind::Row => !wanted.attributes.is_empty() || schema.first_seen.is_some(),
        }
    }

    /// Forgets a person: all of their ids, facts and memberships.
    fn forget(&mut self, id: &str, touched: &mut Touched, commit: &mut Commit) {
        let Some(number) = self.ids.number(id) else { return };
        for member in self.ids.group(number).members {
            let Some((known, others)) = self.ids.remove(member) else { continue };
            touched.members.insert(member);
            touched.changed_ids.extend(others);
            commit.remove(Table::Ids, known.id.as_bytes());
            commit.remove(Table::Base, coded::key(member));
            known.tail.iter().for_each(|arrival| commit.remove(Table::Tail, coded::tail_key(member, *arrival)));
            touched.forgotten.insert(member, known.id);
        }
    }
}

/// Notes that ids are tied, by what is said of one of them.
fn tie(touched: &mut Touched, ids: [u32; 2], said_of: u32) {
    touched.tied.extend(ids);
    touched.changed_ids.insert(said_of);
}

/// Whether an event of an id is told again: by the same message, or, where neither has one, by
/// the id of the event.
///
/// Of two ids of one person it is not asked here, for they may be two people again.
fn is_repeated(facts: &[u8], fact: &Fact) -> bool {
    let FactKind::Event { name, message, event_id } = &fact.kind else { return false };
    let (message, event_id) = (message.as_deref().unwrap_or_default(), event_id.as_deref().unwrap_or_default());
    let same = |known: &str, new: &str| !new.is_empty() && known == new;
    StoredFacts::of(facts).filter(|known| known.event == Some(*name)).any(|known| match message {
        "" => known.message.is_empty() && same(known.event_id, event_id),
        message => same(known.message, message),
    })
}
