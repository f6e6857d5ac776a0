//! What is kept of one person, for whoever looks at them.

use crate::core::Core;
use crate::error::LiveError;
use seg::unstable::io::facts::{PersonFacts, people_of_facts};
use seg::{Batch, Timestamp};

/// A person as they are kept.
#[derive(Debug, Clone)]
pub struct Person {
    /// The id that they go by.
    pub id: String,
    /// All ids that they go by or went by.
    pub ids: Vec<String>,
    /// The names of the segments that they are in, in the program's order.
    pub segments: Vec<String>,
    /// As of when that was decided.
    pub judged_at: Timestamp,
    /// When it is decided again if nothing comes before; none where time alone changes nothing.
    pub until: Option<Timestamp>,
    /// How many facts are kept of them.
    pub n_facts: usize,
    /// What the segments read of them, in one row.
    pub batch: Batch,
}

impl Core {
    /// What is kept of the person that an id belongs to; nothing where nobody has it.
    ///
    /// # Errors
    /// Facts that cannot be brought together.
    pub fn person(&self, id: &str) -> Result<Option<Person>, LiveError> {
        let Some(group) = self.ids.number(id).map(|number| self.ids.group(number)) else { return Ok(None) };
        let known = || group.members.iter().filter_map(|number| self.ids.get(*number));
        let facts: Vec<PersonFacts<'_>> =
            known().map(|known| PersonFacts { id: &known.id, facts: &known.facts }).collect();
        let batch =
            people_of_facts((&self.segments.schema, &self.names), &self.segments.wanted, &group.merges, &facts)?;
        let kept = group.members.iter().find_map(|number| Some((*number, self.kept.get(number)?)));
        let Some((number, kept)) = kept.filter(|_| !batch.is_empty()) else { return Ok(None) };
        Ok(Some(Person {
            id: self.ids.text(number).to_owned(),
            ids: known().map(|known| known.id.clone()).collect(),
            segments: self.segments_of(kept).into_iter().map(str::to_owned).collect(),
            judged_at: kept.judged_at,
            until: kept.until,
            n_facts: known().map(|known| known.n_facts).sum(),
            batch,
        }))
    }

    /// Whether anything is known of an id.
    pub fn knows(&self, id: &str) -> bool {
        self.ids.number(id).is_some()
    }

    /// The ids of the people in a segment after an id, ascending as bytes: at most so many.
    /// Nothing where there is no segment of this name.
    pub fn members(&self, segment: &str, after: Option<&str>, limit: usize) -> Option<Vec<&str>> {
        let number = self.segments.numbers.iter().find(|number| self.segments.name(**number) == segment)?;
        let is_in = self.kept.iter().filter(|(_, kept)| kept.segments.contains(number));
        let mut ids: Vec<&str> = is_in.map(|(number, _)| self.ids.text(*number)).collect();
        ids.retain(|id| after.is_none_or(|after| *id > after));
        if ids.len() > limit {
            ids.select_nth_unstable(limit);
            ids.truncate(limit);
        }
        ids.sort_unstable();
        Some(ids)
    }
}
