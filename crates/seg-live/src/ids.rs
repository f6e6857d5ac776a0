//! Ids, their facts, and which of them are one person.
//!
//! Facts stay with the id that they were told of, whoever it belongs to: when ids become one
//! person, or are no longer, nothing is moved, and the person is made of other ids.
//!
//! The rule is that of reading files: an anonymous id belongs, from its beginning, to the
//! known id of its earliest link, and later links of it unite nobody; known ids are united by
//! aliases and merge records. So what an id is tied to depends on its own links alone.

use seg::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// When ids were tied, and by which message: of several ties the least counts.
pub(crate) type Link = (Timestamp, String);

/// What is said of an id and others, by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// Whether it was ever the id of a device.
    pub is_anonymous: bool,
    /// Calls that name it beside a known id: for each the earliest.
    pub links: BTreeMap<u32, (Timestamp, String)>,
    /// Calls that say that it is another id from now on: for each the earliest.
    pub aliases: BTreeMap<u32, (Timestamp, String)>,
    /// Records that merge it into another id.
    pub merges: BTreeSet<u32>,
}

/// An id with what is known of it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The id.
    pub id: String,
    /// Its facts, encoded, in the order in which they arrived.
    pub facts: Vec<u8>,
    /// How many they are.
    pub n_facts: usize,
    /// The arrivals of those that are rows of their own in the store.
    pub tail: Vec<u64>,
    /// What is said of it and other ids.
    pub links: Links,
}

/// Ids that are one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// Their numbers.
    pub members: BTreeSet<u32>,
    /// Which of them are merged into which.
    pub merges: Vec<(String, String)>,
}

/// All ids, by number. A number is never given twice.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    all: Vec<Option<Known>>,
    numbers: HashMap<String, u32>,
    /// For each id those that say something of it.
    said_by: HashMap<u32, BTreeSet<u32>>,
}

impl Ids {
    /// How many numbers were given.
    pub fn n_given(&self) -> u32 {
        self.all.len() as u32
    }

    /// Counts on from so many numbers.
    pub fn begin_after(&mut self, n_given: u32) {
        if self.all.len() < n_given as usize {
            self.all.resize_with(n_given as usize, || None);
        }
    }

    pub fn number(&self, id: &str) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    pub fn get(&self, number: u32) -> Option<&Known> {
        self.all.get(number as usize)?.as_ref()
    }

    pub fn get_mut(&mut self, number: u32) -> Option<&mut Known> {
        self.all.get_mut(number as usize)?.as_mut()
    }

    pub fn text(&self, number: u32) -> &str {
        self.get(number).map_or("", |known| known.id.as_str())
    }

    /// All that are known, with their numbers.
    pub fn all(&self) -> impl Iterator<Item = (u32, &Known)> {
        (0..).zip(&self.all).filter_map(|(number, known)| Some((number, known.as_ref()?)))
    }

    /// The number of an id, a new one where it has none.
    pub fn number_of(&mut self, id: &str) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let number = self.all.len() as u32;
        self.all.push(Some(Known { id: id.to_owned(), ..Known::default() }));
        self.numbers.insert(id.to_owned(), number);
        number
    }

    /// Puts an id back that was kept. Says whether its number was free.
    pub fn put(&mut self, number: u32, id: &str, links: Links) -> bool {
        self.begin_after(number.saturating_add(1));
        for other in links.links.keys().chain(links.aliases.keys()).chain(&links.merges) {
            self.said_by.entry(*other).or_default().insert(number);
        }
        let Some(slot) = self.all.get_mut(number as usize).filter(|slot| slot.is_none()) else { return false };
        *slot = Some(Known { id: id.to_owned(), links, ..Known::default() });
        self.numbers.insert(id.to_owned(), number).is_none()
    }

    /// Notes that an id is that of a device. Says whether that is new.
    pub fn is_anonymous(&mut self, number: u32) -> bool {
        self.get_mut(number).is_some_and(|known| !std::mem::replace(&mut known.links.is_anonymous, true))
    }

    /// Notes that one call names an anonymous and a known id. Says whether that is new.
    pub fn link(&mut self, anonymous: u32, known: u32, link: Link) -> bool {
        self.said_by.entry(known).or_default().insert(anonymous);
        self.get_mut(anonymous).is_some_and(|of| keep_earliest(&mut of.links.links, known, link))
    }

    /// Notes that an id is another from now on. Says whether that is new.
    pub fn alias(&mut self, previous: u32, id: u32, link: Link) -> bool {
        self.said_by.entry(id).or_default().insert(previous);
        self.get_mut(previous).is_some_and(|of| keep_earliest(&mut of.links.aliases, id, link))
    }

    /// Notes that an id is merged into another. Says whether that is new.
    pub fn merge(&mut self, from: u32, into: u32) -> bool {
        self.said_by.entry(into).or_default().insert(from);
        self.get_mut(from).is_some_and(|of| of.links.merges.insert(into))
    }

    /// The ids that an id is merged into.
    fn merged_into(&self, number: u32) -> BTreeSet<u32> {
        let Some(known) = self.get(number) else { return BTreeSet::new() };
        let Links { is_anonymous, links, aliases, merges } = &known.links;
        let mut into: BTreeSet<u32> = match is_anonymous {
            true => {
                let all = links.iter().chain(aliases);
                let earliest = all.min_by_key(|(id, (time, message))| (*time, message, self.text(**id)));
                earliest.map(|(id, _)| *id).into_iter().collect()
            }
            false => aliases.keys().copied().collect(),
        };
        into.extend(merges);
        into.remove(&number);
        into.retain(|other| self.get(*other).is_some());
        into
    }

    /// The person that an id belongs to.
    pub fn group(&self, number: u32) -> Group {
        let mut group = Group::default();
        let mut open = vec![number];
        while let Some(next) = open.pop() {
            if self.get(next).is_none() || !group.members.insert(next) {
                continue;
            }
            for into in self.merged_into(next) {
                group.merges.push((self.text(next).to_owned(), self.text(into).to_owned()));
                open.push(into);
            }
            let by = self.said_by.get(&next).into_iter().flatten();
            open.extend(by.filter(|by| self.merged_into(**by).contains(&next)));
        }
        group.merges.sort_unstable();
        group
    }

    /// Takes an id away, with all that others say of it. Gives it, and those others.
    pub fn remove(&mut self, number: u32) -> Option<(Known, BTreeSet<u32>)> {
        let known = self.all.get_mut(number as usize)?.take()?;
        self.numbers.remove(&known.id);
        let Links { links, aliases, merges, .. } = &known.links;
        for other in links.keys().chain(aliases.keys()).chain(merges) {
            if let Some(by) = self.said_by.get_mut(other) {
                by.remove(&number);
            }
        }
        let by = self.said_by.remove(&number).unwrap_or_default();
        for other in &by {
            if let Some(other) = self.get_mut(*other) {
                other.links.links.remove(&number);
                other.links.aliases.remove(&number);
                other.links.merges.remove(&number);
            }
        }
        Some((known, by))
    }
}

/// Keeps the earlier of two links. Says whether it is the new one.
fn keep_earliest(links: &mut BTreeMap<u32, Link>, other: u32, link: Link) -> bool {
    match links.get_mut(&other) {
        Some(known) if *known <= link => false,
        Some(known) => {
            *known = link;
            true
        }
        None => links.insert(other, link).is_none(),
    }
}
