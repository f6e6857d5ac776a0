//! Why it does not help to wait, where time alone never lets somebody in.

use seg_data::Timestamp;
use seg_hir::explain::Why;

/// What keeps somebody out however long they wait, by the conditions as they are numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// Time does not change this condition, and it would have to change.
    Stands {
        /// Which condition.
        condition: usize,
    },
    /// Conditions that keep them out change, the last of them too late: another one no longer
    /// lets them in by then.
    Passes {
        /// The condition that lets them in at first.
        condition: usize,
        /// Since when it does not.
        at: Timestamp,
        /// The last of the conditions that would have to change.
        last: usize,
        /// When that is so for the first time.
        last_at: Timestamp,
    },
}

/// So many instants are looked at.
const INSTANTS_MAX: usize = 1_000;

/// Says what keeps somebody out, of whom it is known that time alone never lets them in: `why`
/// they are out as of now, and at each instant at which something changes by time, ascending;
/// `None` where there are too many of them, or where no condition can let them in.
pub(crate) fn waiting(now: &Why, instants: &[Timestamp], why: impl Fn(Timestamp) -> Option<Why>) -> Option<Waiting> {
    let needed = now.fewest()?.conditions;
    let of_now: Vec<bool> = now.conditions().iter().map(|condition| condition.holds).collect();
    // Of each condition that would have to change, when it first does.
    let mut turns: Vec<Option<Timestamp>> = vec![None; needed.len()];
    // Of each condition, how it stands and since when.
    let mut stands: Vec<(bool, Option<Timestamp>)> = of_now.iter().map(|holds| (*holds, None)).collect();
    if instants.len() > INSTANTS_MAX {
        return None;
    }
    for at in instants {
        let then = why(*at)?;
        let conditions = then.conditions();
        if conditions.len() != of_now.len() {
            return None;
        }
        for (known, condition) in stands.iter_mut().zip(&conditions) {
            if known.0 != condition.holds {
                *known = (condition.holds, Some(*at));
            }
        }
        for (turn, number) in turns.iter_mut().zip(&needed) {
            let has_turned = stands.get(*number).map(|(holds, _)| *holds) != of_now.get(*number).copied();
            if turn.is_none() && has_turned {
                *turn = Some(*at);
            }
        }
        if turns.iter().all(Option::is_some) {
            let last = turns.iter().zip(&needed).max_by_key(|(turn, _)| **turn).map(|(_, number)| *number)?;
            let missing = then.fewest()?.conditions.into_iter().next()?;
            let since = stands.get(missing).and_then(|(_, since)| *since);
            return Some(match since {
                Some(at_first) => Waiting::Passes { condition: missing, at: at_first, last, last_at: *at },
                None => Waiting::Stands { condition: missing },
            });
        }
    }
    let never = turns.iter().zip(&needed).find(|(turn, _)| turn.is_none());
    never.map(|(_, number)| Waiting::Stands { condition: *number })
}
