//! What is known of everybody, as lines that a batch run reads.

use crate::core::Core;
use seg::unstable::io::facts::StoredFacts;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// A line of one of the files of an export.
#[derive(Debug, Clone, PartialEq)]
pub enum Exported {
    /// What somebody is from a time on: `id`, `time` and attributes.
    Row(Map<String, Value>),
    /// What somebody did: `id`, `event`, `time` and properties.
    Event(Map<String, Value>),
    /// Two ids that are one: `from` and `into`.
    Merge(Map<String, Value>),
}

impl Core {
    /// Gives everything that is known of everybody, in the order in which it arrived. What was
    /// told twice by one message is there once.
    ///
    /// # Errors
    /// The first that `each` gives.
    pub fn export<E>(&self, mut each: impl FnMut(Exported) -> Result<(), E>) -> Result<(), E> {
        let mut facts = Vec::new();
        let mut merges = Vec::new();
        for (number, known) in self.ids.all() {
            let group = self.ids.group(number);
            // The person by the least of their ids, to tell their messages from those of others.
            let person = group.members.first().copied().unwrap_or(number);
            if person == number {
                merges.extend(group.merges);
            }
            facts.extend(StoredFacts::of(&known.facts).map(|fact| (fact, person, known.id.as_str())));
        }
        facts.sort_by_key(|(fact, ..)| fact.arrival);
        let text = |text: &str| Value::from(text);
        for (from, into) in merges {
            let line = [("from".to_owned(), text(&from)), ("into".to_owned(), text(&into))];
            each(Exported::Merge(line.into_iter().collect()))?;
        }
        let mut messages = HashSet::new();
        for (fact, person, id) in facts {
            let is_repeated = !fact.message.is_empty() && !messages.insert((person, fact.event, fact.message));
            if is_repeated && fact.event.is_some() {
                continue;
            }
            let mut line = Map::new();
            line.insert("id".to_owned(), text(id));
            line.insert("time".to_owned(), text(&fact.time.to_string()));
            let event = fact.event.map(|event| self.names.name(event).unwrap_or_default());
            if let Some(event) = event {
                line.insert("event".to_owned(), text(event));
            }
            line.extend(fact.to_json(&self.names));
            each(if event.is_some() { Exported::Event(line) } else { Exported::Row(line) })?;
        }
        Ok(())
    }
}
