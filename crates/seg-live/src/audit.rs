//! What is kept, judged again from the facts alone.

use crate::core::Core;
use crate::error::LiveError;
use crate::ids::Group;
use std::collections::BTreeSet;

/// People who are judged together.
const TOGETHER: usize = 1_000;

/// Somebody who is not in what they are said to be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The id that they go by.
    pub person: String,
    /// The segments that they are said to be in and are not.
    pub wrongly_in: Vec<String>,
    /// The segments that they are in, which is not said.
    pub missing: Vec<String>,
}

impl Core {
    /// Judges everybody again as of the latest instant, and tells of those of whom something
    /// else was kept. Whoever is due or waits for new segments is not wrong, and left out.
    /// Gives how many were judged, too.
    ///
    /// # Errors
    /// See [`LiveError`].
    pub fn audit(&self) -> Result<(usize, Vec<Difference>), LiveError> {
        let (mut met, mut groups): (BTreeSet<u32>, Vec<Group>) = Default::default();
        for (number, _) in self.ids.all() {
            if !met.contains(&number) {
                let group = self.ids.group(number);
                met.extend(&group.members);
                groups.push(group);
            }
        }
        let (mut n_judged, mut differences) = (0, Vec::new());
        for groups in groups.chunks(TOGETHER) {
            let mut judged = self.judge(groups, self.clock.now)?;
            n_judged += judged.len();
            for number in groups.iter().flat_map(|group| &group.members) {
                let (is, said) = (judged.remove(number), self.kept.get(number));
                let waits = said.is_some_and(|kept| {
                    self.stale.contains(number) || kept.until.is_some_and(|until| until <= self.clock.now)
                });
                let none = BTreeSet::new();
                let is = is.as_ref().map_or(&none, |kept| &kept.segments);
                let said = said.map_or(&none, |kept| &kept.segments);
                if waits || is == said {
                    continue;
                }
                let names = |numbers: std::collections::btree_set::Difference<'_, u32>| {
                    numbers.map(|number| self.segments.name(*number).to_owned()).collect()
                };
                differences.push(Difference {
                    person: self.ids.text(*number).to_owned(),
                    wrongly_in: names(said.difference(is)),
                    missing: names(is.difference(said)),
                });
            }
        }
        Ok((n_judged, differences))
    }
}
