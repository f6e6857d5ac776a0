//! People judged by the batch engine, from their whole histories.

use crate::core::Core;
use crate::error::LiveError;
use crate::ids::Group;
use crate::kept::Kept;
use seg::unstable::Outlook;
use seg::unstable::io::facts::{FactLayout, PersonFacts};
use seg::{Batch, Options, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

impl Core {
    /// The segments that are kept, with what says until when answers stand.
    pub fn outlook(&self) -> &Outlook {
        &self.segments.outlook
    }

    /// What each of some people is in as of an instant, by the number of the id that they go
    /// by; nobody of whom nothing is known.
    pub(crate) fn judge(&self, groups: &[Group], at: Timestamp) -> Result<BTreeMap<u32, Kept>, LiveError> {
        let batch = self.batch(groups)?;
        if batch.is_empty() {
            return Ok(BTreeMap::new());
        }
        let standings = self.segments.outlook.look(&batch, at, &Options::default())?;
        let mut judged = BTreeMap::new();
        for (row, standing) in standings.into_iter().enumerate() {
            let Some(number) = self.ids.number(batch.id(row)) else { continue };
            let numbers = self.segments.numbers.iter().zip(standing.is_in);
            let segments: BTreeSet<u32> = numbers.filter_map(|(number, is_in)| is_in.then_some(*number)).collect();
            let (until, exists_from) = (standing.until, standing.exists_from);
            #[cfg(feature = "faults")]
            let until = self.faulty(until);
            judged.insert(number, Kept { program: self.segments.version, judged_at: at, until, exists_from, segments });
        }
        Ok(judged)
    }

    /// When a core with a fault judges somebody again.
    #[cfg(feature = "faults")]
    fn faulty(&self, until: Option<Timestamp>) -> Option<Timestamp> {
        use crate::fault::Fault;
        match self.fault {
            Some(Fault::TimersLate) => until.map(|until| Timestamp(until.0.saturating_add(1))),
            Some(Fault::TimersDropped) => None,
            Some(Fault::AcknowledgedFirst | Fault::MergesForgotten) | None => until,
        }
    }

    /// Some people with what the segments read of them.
    fn batch(&self, groups: &[Group]) -> Result<Batch, LiveError> {
        let merges: Vec<(String, String)> = groups.iter().flat_map(|group| group.merges.iter().cloned()).collect();
        let known = groups.iter().flat_map(|group| &group.members).filter_map(|number| self.ids.get(*number));
        let people: Vec<PersonFacts<'_>> =
            known.map(|known| PersonFacts { id: &known.id, facts: &known.facts }).collect();
        let segments = &self.segments;
        let make = || FactLayout::of((&segments.schema, &self.names), &segments.wanted);
        Ok(segments.layout.get_or_init(make).people(&self.names, &merges, &people)?)
    }
}
