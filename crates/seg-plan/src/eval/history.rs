//! The values that attributes had over time.

use super::column::Column;
use super::{Domain, Eval};
use crate::plan::NodeId;
use seg_data::{AttributeId, Timestamp, Value};
use seg_hir::hir::{Interval, OfHistory};
use std::rc::Rc;

/// The stretches of a history, those of one person after another; see [`OfHistory`].
#[derive(Default)]
pub(super) struct StretchRows {
    /// Whose each is; everybody has one at least.
    pub owner: Vec<u32>,
    /// Where its value is among all that was set, unless it is missing. Where no history
    /// is kept, at the place of its person.
    place: Vec<Option<u32>>,
    from: Vec<Timestamp>,
    /// Its last instant.
    to: Vec<Timestamp>,
}

impl StretchRows {
    fn push(&mut self, owner: usize, place: Option<u32>, from: Timestamp, now: Timestamp) {
        self.owner.push(owner as u32);
        self.place.push(place);
        self.from.push(from);
        self.to.push(now);
    }

    /// Whether a stretch is not its person's first.
    fn has_before(&self, at: usize) -> bool {
        at > 0 && self.owner.get(at - 1) == self.owner.get(at)
    }

    /// Where the values before are: missing before the first.
    fn places_before(&self) -> Vec<Option<u32>> {
        let before = |at: usize| if self.has_before(at) { *self.place.get(at - 1)? } else { None };
        (0..self.place.len()).map(before).collect()
    }

    /// Whether a stretch begins with a change: not with the first value that is known.
    fn is_change(&self, at: usize) -> bool {
        let is_known_before = || self.place.get(at - 1).is_some_and(Option::is_some);
        self.has_before(at) && (is_known_before() || self.has_before(at - 1))
    }

    fn touches(&self, at: usize, interval: Interval, now: Timestamp) -> bool {
        let (Some(from), Some(to)) = (self.from.get(at), self.to.get(at)) else { return false };
        // One of the two that begins later lies in the other.
        let start = interval.from.map_or(Timestamp::MIN, |bound| bound.first_inside(now));
        let first = (*from).max(start);
        first <= *to && interval.contains(first, now)
    }
}

impl Eval<'_> {
    pub(super) fn stretch_rows(&mut self, attribute: AttributeId) -> Rc<StretchRows> {
        if let Some(rows) = self.stretches.get(&attribute) {
            return Rc::clone(rows);
        }
        let now = self.now;
        let mut rows = StretchRows::default();
        let history = self.batch.history(attribute);
        let plain = self.batch.attribute_column(attribute);
        for person in 0..self.batch.len() {
            let Some(history) = history else {
                let is_known = plain.is_some_and(|column| column.value(person).is_some());
                rows.push(person, is_known.then_some(person as u32), Timestamp::MIN, now);
                continue;
            };
            let set = history.range(person).take_while(|at| history.time(*at) <= now);
            rows.push(person, None, Timestamp::MIN, now);
            let mut last: Option<Value> = None;
            let mut positions = set.peekable();
            while let Some(at) = positions.next() {
                let time = history.time(at);
                // Of several at one instant the last is the value.
                if positions.peek().is_some_and(|next| history.time(*next) == time) {
                    continue;
                }
                let value = history.value(at);
                let place = value.is_some().then_some(at as u32);
                if time == Timestamp::MIN {
                    if let Some(slot) = rows.place.last_mut() {
                        *slot = place;
                    }
                } else if value != last {
                    if let Some(to) = rows.to.last_mut() {
                        *to = Timestamp(time.0.saturating_sub(1));
                    }
                    rows.push(person, place, time, now);
                }
                last = value;
            }
        }
        let rows = Rc::new(rows);
        self.stretches.insert(attribute, Rc::clone(&rows));
        rows
    }

    /// The value of each stretch, or the one before it.
    pub(super) fn held(&mut self, attribute: AttributeId, is_before: bool) -> Column {
        let rows = self.stretch_rows(attribute);
        let before = is_before.then(|| rows.places_before());
        let places = before.as_ref().unwrap_or(&rows.place);
        let history = self.batch.history(attribute);
        let all = history.map_or_else(|| self.batch.attribute_column(attribute), |history| history.values());
        Column::of(places.iter().map(|place| all?.value((*place)? as usize)))
    }

    /// A value over the stretches of each person that are as asked.
    pub(super) fn of_history(&mut self, attribute: AttributeId, filter: NodeId, of: OfHistory) -> Column {
        let holds = self.bools(filter, Domain::Stretches(attribute));
        let rows = self.stretch_rows(attribute);
        let (n_people, now) = (self.batch.len(), self.now);
        let owners = || rows.owner.iter().map(|owner| *owner as usize).enumerate();
        if of == OfHistory::Since {
            let mut since: Vec<Option<Timestamp>> = vec![None; n_people];
            for ((at, owner), holds) in owners().zip(&holds) {
                let Some(slot) = since.get_mut(owner) else { continue };
                *slot = if *holds { slot.or(rows.from.get(at).copied()) } else { None };
            }
            return Column::of(since.into_iter().map(|since| since.map(Value::Timestamp)));
        }
        let mut counts = vec![0_i128; n_people];
        for ((at, owner), holds) in owners().zip(&holds) {
            let counts_in = match of {
                OfHistory::Stretches(interval) => rows.touches(at, interval, now),
                OfHistory::Changes(interval) => {
                    rows.is_change(at) && rows.from.get(at).is_some_and(|from| interval.contains(*from, now))
                }
                OfHistory::Since => false,
            };
            if let (true, true, Some(count)) = (counts_in, *holds, counts.get_mut(owner)) {
                *count += 1;
            }
        }
        Column::of(counts.into_iter().map(|count| Some(Value::Integer(count))))
    }
}
