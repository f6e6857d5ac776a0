//! Which of a segment's conditions, as they are written, decide that somebody is in it or
//! not.

use super::{Role, Why};

/// With more conditions than this not every choice of them is tried.
const TRIED_MAX: usize = 16;

/// Numbers of conditions; none where no choice of them would do.
type Chosen = Option<Vec<usize>>;

/// How a condition is made of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// It is one as it is written; its parts, if any, only tell of it.
    Condition,
    /// Every part lets somebody in: what excludes does not hold, all others do.
    All,
    /// At least and at most so many of the parts hold.
    Several(u64, Option<u64>),
    /// The part does not hold.
    Not,
}

/// The fewest conditions, as they are written, that would have to be otherwise for somebody
/// to be in a segment that they are not in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fewest {
    /// Their numbers, ascending: in the order of the sentence. Of several choices that are as
    /// few it is the first in that order.
    pub conditions: Vec<usize>,
    /// Whether there is no smaller choice for certain. With more than 16 conditions of which
    /// one stands in two views, that is not proved.
    pub is_proved: bool,
}

impl Why {
    /// The conditions as they are written, by their numbers. One that a grace period judges
    /// twice, with one outcome, is one; with two it is two.
    pub fn conditions(&self) -> Vec<&Why> {
        let mut found: Vec<Option<&Why>> = Vec::new();
        self.gather(&mut found);
        found.into_iter().flatten().collect()
    }

    fn gather<'w>(&'w self, found: &mut Vec<Option<&'w Why>>) {
        match (self.join, self.condition) {
            (Join::Condition, Some(number)) => {
                if found.len() <= number {
                    found.resize(number + 1, None);
                }
                if let Some(slot) = found.get_mut(number) {
                    *slot = slot.or(Some(self));
                }
            }
            (Join::Condition, None) => {}
            (Join::All | Join::Several(..) | Join::Not, _) => self.parts.iter().for_each(|part| part.gather(found)),
        }
    }

    /// Whether it would hold if some of the conditions, by their numbers, were otherwise.
    pub fn holds_with(&self, otherwise: &dyn Fn(usize) -> bool) -> bool {
        match self.join {
            Join::Condition => self.holds != self.condition.is_some_and(otherwise),
            Join::All => self.parts.iter().all(|part| part.holds_with(otherwise) != (part.role == Role::Exclude)),
            Join::Several(min, max) => {
                let n = self.parts.iter().filter(|part| part.holds_with(otherwise)).count() as u64;
                min <= n && max.is_none_or(|max| n <= max)
            }
            Join::Not => !self.parts.iter().all(|part| part.holds_with(otherwise)),
        }
    }

    /// The fewest conditions that would have to be otherwise for it to hold; none where it
    /// does, or where no choice of them would do.
    pub fn fewest(&self) -> Option<Fewest> {
        if self.holds {
            return None;
        }
        let n = self.conditions().len();
        let is_in = |chosen: &[usize]| self.holds_with(&|number| chosen.contains(&number));
        if n <= TRIED_MAX {
            let mut chosen = Vec::new();
            let found = (1..=n).any(|size| choose(n, size, 0, &mut chosen, &is_in));
            return found.then_some(Fewest { conditions: chosen, is_proved: true });
        }
        let mut conditions = self.cheapest(true)?;
        let n_chosen = conditions.len();
        conditions.sort_unstable();
        conditions.dedup();
        // Where each condition stands once, the cheapest of every part are the fewest of all.
        let is_proved = n_chosen == conditions.len() && !self.stands_twice();
        is_in(&conditions).then_some(Fewest { conditions, is_proved })
    }

    /// Conditions that alone make it what it is, whatever the others were: as few of each
    /// part as there can be, in the order of the sentence.
    pub fn proof(&self) -> Vec<usize> {
        let mut proof = self.proof_of().unwrap_or_default();
        proof.sort_unstable();
        proof.dedup();
        proof
    }

    fn proof_of(&self) -> Option<Vec<usize>> {
        let fewest = |proofs: Vec<Vec<usize>>, n: usize| -> Vec<usize> {
            let mut order: Vec<&Vec<usize>> = proofs.iter().collect();
            order.sort_by_key(|proof| proof.len());
            order.into_iter().take(n).flatten().copied().collect()
        };
        let of = |wanted: bool| -> Vec<Vec<usize>> {
            let parts = self.parts.iter().filter(|part| part.holds == wanted);
            parts.filter_map(Why::proof_of).collect()
        };
        Some(match self.join {
            Join::Condition => self.condition.into_iter().collect(),
            Join::Not => self.parts.iter().filter_map(Why::proof_of).flatten().collect(),
            Join::All if self.holds => self.parts.iter().filter_map(Why::proof_of).flatten().collect(),
            Join::All => {
                let blocking = self.parts.iter().filter(|part| part.holds == (part.role == Role::Exclude));
                blocking.filter_map(Why::proof_of).min_by_key(Vec::len)?
            }
            Join::Several(min, max) => {
                let (n, n_parts) = (of(true).len() as u64, self.parts.len() as u64);
                if self.holds {
                    let others = max.map_or(0, |max| n_parts.saturating_sub(max));
                    [fewest(of(true), min as usize), fewest(of(false), others as usize)].concat()
                } else if n < min {
                    // So many are false that the others are too few.
                    fewest(of(false), (n_parts + 1).saturating_sub(min) as usize)
                } else {
                    fewest(of(true), max.map_or(0, |max| max as usize + 1))
                }
            }
        })
    }

    /// The conditions to turn for it to hold, or not to: the cheapest of each part.
    fn cheapest(&self, wanted: bool) -> Chosen {
        match self.join {
            Join::Condition if self.holds == wanted => Some(Vec::new()),
            // One that has no number is what it is.
            Join::Condition => self.condition.map(|number| vec![number]),
            Join::Not => self.parts.first().and_then(|part| part.cheapest(!wanted)),
            Join::All => {
                let of = |part: &Why| part.cheapest(wanted != (part.role == Role::Exclude));
                match wanted {
                    true => self.parts.iter().map(of).collect::<Option<Vec<_>>>().map(|all| all.concat()),
                    false => self.parts.iter().filter_map(of).min_by_key(Vec::len),
                }
            }
            Join::Several(min, max) => {
                let n_parts = self.parts.len() as u64;
                let counts = (0..=n_parts).filter(|n| (min <= *n && max.is_none_or(|max| *n <= max)) == wanted);
                counts.filter_map(|n| self.cheapest_of(n as usize)).min_by_key(Vec::len)
            }
        }
    }

    /// The cheapest way for exactly so many parts to hold.
    fn cheapest_of(&self, n: usize) -> Chosen {
        let mut costs: Vec<(Chosen, Chosen)> =
            self.parts.iter().map(|part| (part.cheapest(true), part.cheapest(false))).collect();
        let len = |of: &Chosen| of.as_ref().map_or(i64::from(u32::MAX), |of| of.len() as i64);
        // Those first to which holding is least dear, compared with not holding.
        costs.sort_by_key(|(holds, not)| len(holds) - len(not));
        let chosen = costs.into_iter().enumerate().map(|(at, (holds, not))| if at < n { holds } else { not });
        chosen.collect::<Option<Vec<_>>>().map(|all| all.concat())
    }

    /// Whether a condition stands in two views.
    fn stands_twice(&self) -> bool {
        self.parts.iter().any(|part| part.role == Role::Before)
    }
}

/// Chooses so many of `n` numbers that are enough, in ascending order, the first choice
/// first.
fn choose(n: usize, size: usize, from: usize, chosen: &mut Vec<usize>, is_enough: &impl Fn(&[usize]) -> bool) -> bool {
    if chosen.len() == size {
        return is_enough(chosen);
    }
    for number in from..n {
        chosen.push(number);
        if choose(n, size, number + 1, chosen, is_enough) {
            return true;
        }
        chosen.pop();
    }
    false
}
