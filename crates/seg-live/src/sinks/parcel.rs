//! What is handed over at once.

use crate::change::Change;
use crate::store::StoreError;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// Bytes of changes that are handed over together, unless one alone has more.
const BYTES_MAX: usize = 256 << 10;

/// What a receiver takes, or does not take, as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parcel {
    /// Changes, at least one, ascending by `seq`.
    Changes(Vec<Parceled>),
    /// The numbers of the first and the last change of some that were dropped before they were
    /// sent.
    Gap(u64, u64),
}

/// A change, and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parceled {
    pub change: Change,
    pub json: Vec<u8>,
}

/// What comes next, and the `seq` with which all of that is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Next {
    /// Nothing where nobody wants the changes.
    pub parcel: Option<Parcel>,
    pub until: u64,
}

/// Who takes parcels.
pub(crate) trait Receiver: Send {
    /// How many changes are handed over together.
    fn changes_max(&self) -> usize;

    /// Hands a parcel over. Until it says that it was taken it is handed over again.
    fn hand_over(&mut self, parcel: &Parcel) -> Outcome;
}

/// What became of a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Taken,
    /// Why not, and how long the receiver wants to be left alone.
    Failed(String, Option<Duration>),
    /// Nothing more is to be sent, and why.
    Unwanted(String),
}

/// What comes after a cursor, of rows that were read after it and of which the last that is known
/// to be durable has the number `durable`, for a receiver who wants so many changes together, of
/// some segments, or of all.
pub(crate) fn next_parcel(
    rows: Vec<(u64, Vec<u8>)>,
    (cursor, durable): (u64, u64),
    (changes_max, segments): (usize, &BTreeSet<String>),
) -> Result<Next, StoreError> {
    let first = rows.first().map(|(seq, _)| *seq).filter(|seq| *seq <= durable);
    let dropped_to = first.map_or(durable, |first| first - 1);
    if dropped_to > cursor {
        return Ok(Next { parcel: Some(Parcel::Gap(cursor + 1, dropped_to)), until: dropped_to });
    }
    let (mut until, mut changes, mut n_bytes) = (cursor, Vec::new(), 0);
    // A number that is left out ends them: it is looked at as the beginning of the next.
    for (seq, json) in rows.into_iter().take_while(|(seq, _)| *seq <= durable) {
        if seq != until + 1 || changes.len() >= changes_max || n_bytes > BYTES_MAX {
            break;
        }
        until = seq;
        let change: Change =
            serde_json::from_slice(&json).map_err(|error| StoreError::of("a change cannot be read", error))?;
        if segments.is_empty() || segments.contains(&change.segment) {
            n_bytes += json.len();
            changes.push(Parceled { change, json });
        }
    }
    Ok(Next { parcel: (!changes.is_empty()).then_some(Parcel::Changes(changes)), until })
}

impl Parcel {
    /// An object a line.
    pub fn lines(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Parcel::Changes(changes) => {
                for Parceled { json, .. } in changes {
                    out.extend_from_slice(json);
                    out.push(b'\n');
                }
            }
            Parcel::Gap(from, to) => {
                out.extend(json!({ "type": "gap", "from": from, "to": to }).to_string().into_bytes());
                out.push(b'\n');
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Cause, Direction};
    use seg::Timestamp;

    fn row(seq: u64, segment: &str) -> (u64, Vec<u8>) {
        let change = Change {
            id: format!("i-{seq}"),
            seq,
            segment: segment.to_owned(),
            person: "ann".to_owned(),
            change: Direction::Entered,
            at: Timestamp(0),
            cause: Cause::Event,
            event_id: None,
            program: 1,
            backfill: false,
        };
        (seq, serde_json::to_vec(&change).expect("JSON"))
    }

    fn rows(seqs: impl IntoIterator<Item = u64>) -> Vec<(u64, Vec<u8>)> {
        seqs.into_iter().map(|seq| row(seq, if seq % 10 == 0 { "Tenth" } else { "Other" })).collect()
    }

    fn seqs(next: &Next) -> Vec<u64> {
        match &next.parcel {
            Some(Parcel::Changes(changes)) => changes.iter().map(|of| of.change.seq).collect(),
            Some(Parcel::Gap(..)) | None => panic!("{next:?}"),
        }
    }

    #[test]
    fn changes_come_a_hundred_at_once_and_none_that_is_not_durable() {
        let all = BTreeSet::new();
        let next = next_parcel(rows(3..=400), (2, 400), (100, &all)).expect("rows");
        assert_eq!((seqs(&next), next.until), ((3..=102).collect(), 102));
        let next = next_parcel(rows(3..=400), (2, 5), (100, &all)).expect("rows");
        assert_eq!((seqs(&next), next.until), (vec![3, 4, 5], 5));
    }

    #[test]
    fn changes_that_nobody_wants_are_passed_over() {
        let some = BTreeSet::from(["Tenth".to_owned()]);
        let next = next_parcel(rows(1..=45), (0, 45), (100, &some)).expect("rows");
        assert_eq!((seqs(&next), next.until), (vec![10, 20, 30, 40], 45));
        let next = next_parcel(rows(41..=45), (40, 45), (100, &some)).expect("rows");
        assert_eq!(next, Next { parcel: None, until: 45 });
    }

    #[test]
    fn what_was_dropped_is_a_gap() {
        let all = BTreeSet::new();
        let gap = |from, to| Next { parcel: Some(Parcel::Gap(from, to)), until: to };
        assert_eq!(next_parcel(rows(8..=9), (2, 9), (100, &all)).expect("rows"), gap(3, 7));
        assert_eq!(next_parcel(Vec::new(), (2, 9), (100, &all)).expect("rows"), gap(3, 9));
        // The rows of what comes later are there, of what is durable none.
        assert_eq!(next_parcel(rows(12..=13), (2, 9), (100, &all)).expect("rows"), gap(3, 9));
        let next = next_parcel(rows([3, 4, 7]), (2, 9), (100, &all)).expect("rows");
        assert_eq!((seqs(&next), next.until), (vec![3, 4], 4));
        assert_eq!(Parcel::Gap(3, 7).lines(), b"{\"type\":\"gap\",\"from\":3,\"to\":7}\n");
    }

    #[test]
    fn long_ids_make_small_parcels() {
        let large = |seq| {
            let (_, json) = row(seq, &"x".repeat(100_000));
            (seq, json)
        };
        let next = next_parcel((1..=9).map(large).collect(), (0, 9), (100, &BTreeSet::new())).expect("rows");
        assert_eq!(seqs(&next), [1, 2, 3]);
    }
}
