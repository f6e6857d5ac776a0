//! What is asked of the values that an attribute had over time.

use super::events::Occurrence;
use super::{Element, Evaluator, Person, PersonAnswers};
use crate::hir::{Cond, OfHistory};
use seg_data::{AttributeId, Timestamp, Value};

/// A value for as long as it lasted; see [`OfHistory`].
#[derive(Clone)]
pub(super) struct Stretch {
    pub value: Option<Value>,
    /// The value before it.
    pub before: Option<Value>,
    /// From this instant on.
    from: Timestamp,
    /// Up to the instant before this one; up to now without it.
    to: Option<Timestamp>,
    /// Whether it begins with a change of the value.
    is_change: bool,
}

/// A value of an attribute, and since when.
pub(crate) type Held = (Option<Timestamp>, Option<Value>);

impl Stretch {
    fn lasts_at(&self, time: Timestamp, now: Timestamp) -> bool {
        self.from <= time && time <= now && self.to.is_none_or(|to| time < to)
    }
}

impl Evaluator<'_> {
    /// A value over the stretches of a history that meet a condition.
    pub(super) fn of_history(
        &self,
        attribute: AttributeId,
        filter: &Cond,
        of: OfHistory,
        person: &Person<'_>,
        event: Option<&Occurrence>,
    ) -> Option<Value> {
        let stretches = self.stretches(attribute, person);
        let holds = |stretch: &&Stretch| self.holds_of(Element::Stretch((*stretch).clone()), filter, person, event);
        match of {
            OfHistory::Stretches(interval) => {
                let touches = |stretch: &&Stretch| {
                    let start = interval.from.map_or(Timestamp::MIN, |from| from.first_inside(self.now));
                    // Where any instant of it lies inside, this one does.
                    let first = stretch.from.max(start);
                    stretch.lasts_at(first, self.now) && interval.contains(first, self.now)
                };
                Some(Value::Integer(stretches.iter().filter(touches).filter(holds).count() as i128))
            }
            OfHistory::Changes(interval) => {
                let is_inside = |stretch: &&Stretch| stretch.is_change && interval.contains(stretch.from, self.now);
                Some(Value::Integer(stretches.iter().filter(is_inside).filter(holds).count() as i128))
            }
            OfHistory::Since => {
                let lasting = stretches.iter().rev().take_while(holds).last()?;
                Some(Value::Timestamp(lasting.from))
            }
        }
    }

    /// The values of an attribute up to now, each with the instant from which on it lasted;
    /// without one from the beginning.
    pub(crate) fn held(&self, attribute: AttributeId, person: &PersonAnswers<'_>) -> Vec<Held> {
        let stretches = self.stretches(attribute, &person.0).into_iter();
        stretches.map(|s| (Some(s.from).filter(|from| *from > Timestamp::MIN), s.value)).collect()
    }

    /// The values of an attribute up to now, each for as long as it lasted.
    fn stretches(&self, attribute: AttributeId, person: &Person<'_>) -> Vec<Stretch> {
        let Some(history) = person.batch.history(attribute) else {
            // What has no time has been so from the beginning.
            let value = person.batch.attribute(attribute, person.row, self.now);
            return vec![Stretch { value, before: None, from: Timestamp::MIN, to: None, is_change: false }];
        };
        let set = history.range(person.row).map(|at| (history.time(at), history.value(at)));
        let mut values: Vec<(Timestamp, Option<Value>)> = vec![(Timestamp::MIN, None)];
        for (time, value) in set.filter(|(time, _)| *time <= self.now) {
            // Of several at one instant the last is the value.
            values.pop_if(|(before, _)| *before == time);
            values.push((time, value));
        }
        values.dedup_by(|next, before| next.1 == before.1);
        let stretch = |at: usize| {
            let (from, value) = values.get(at)?.clone();
            let before = at.checked_sub(1).and_then(|before| values.get(before)).map(|(_, value)| value.clone());
            // Of the first value there is none before it: it was not known yet.
            let is_change = before.as_ref().is_some_and(|before| at > 1 || before.is_some());
            let to = values.get(at + 1).map(|(to, _)| *to);
            Some(Stretch { value, before: before.flatten(), from, to, is_change })
        };
        (0..values.len()).filter_map(stretch).collect()
    }
}
