//! Totals and averages of one property over windows that all end now; what is of
//! all time is a derived column, made of the same sums.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_buffer::{NullBuffer, ScalarBuffer};
use seg_data::batch::Events;
use seg_data::money::divide_half_even;
use seg_data::{Batch, EventId, PropertyId, Timestamp};
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

/// What is made of the values in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sum {
    Total,
    /// Of money, rounded half to even; none of no values.
    Average,
}

/// The values of a property of whole numbers or amounts, an event each.
pub(crate) struct Values {
    values: ScalarBuffer<i64>,
    nulls: Option<NullBuffer>,
}

impl Values {
    /// Those of a property; `None` where it has values of another kind.
    pub fn of(events: &Events, property: PropertyId) -> Option<Values> {
        let values = events.property_column(property)?.array().as_primitive_opt::<Int64Type>()?;
        let nulls = values.nulls().filter(|n| n.null_count() > 0).cloned();
        Some(Values { values: values.values().clone(), nulls })
    }

    /// The total of the values of some events, and how many have one.
    pub fn sum(&self, events: Range<usize>) -> (i128, i128) {
        let first = events.start;
        let values = self.values.get(events).unwrap_or(&[]);
        let (mut total, mut n_values) = (0, 0);
        let mut add = |value: &i64| {
            total += i128::from(*value);
            n_values += 1;
        };
        match &self.nulls {
            None => values.iter().for_each(add),
            Some(nulls) => {
                let known = values.iter().enumerate().filter(|(at, _)| nulls.is_valid(first + at));
                known.for_each(|(_, value)| add(value));
            }
        }
        (total, n_values)
    }
}

/// Totals and averages of one property, whose windows begin at different
/// instants: one walk from the last event back passes the start of each.
pub(crate) struct Totals {
    events: Arc<Events>,
    about: (EventId, PropertyId),
    values: Values,
    now: i64,
    /// The start of each window, what is wanted of it, and the shared aggregate that it
    /// is; the latest start first.
    wanted: Vec<(i64, Sum, usize)>,
}

impl Totals {
    /// None of them yet, for a property of whole numbers or amounts.
    pub fn new(batch: &Batch, about: (EventId, PropertyId), now: Timestamp) -> Option<Totals> {
        let events = Arc::clone(batch.events(about.0)?);
        let values = Values::of(&events, about.1)?;
        Some(Totals { events, about, values, now: now.0, wanted: Vec::new() })
    }

    /// The event and the property that they are of.
    pub fn about(&self) -> (EventId, PropertyId) {
        self.about
    }

    /// Adds the total or average since an instant as a shared aggregate.
    pub fn want(&mut self, from: i64, sum: Sum, aggregate: usize) {
        let is_whole = self.events.extent().is_none_or(|(first, _)| from <= first.0);
        let from = if is_whole { i64::MIN } else { from };
        self.wanted.push((from, sum, aggregate));
        self.wanted.sort_by_key(|(from, ..)| std::cmp::Reverse(*from));
    }

    /// The value of an aggregate for whoever has no events.
    pub fn default_value(&self, aggregate: usize) -> Option<i64> {
        self.wanted.iter().any(|(_, sum, of)| *of == aggregate && *sum == Sum::Total).then_some(0)
    }

    /// The shared aggregates that they are.
    pub fn aggregates(&self) -> impl Iterator<Item = usize> {
        self.wanted.iter().map(|(.., aggregate)| *aggregate)
    }

    /// Those of 64 people from a row on who have events.
    pub fn with_events(&self, row: usize) -> u64 {
        let n_people = self.events.n_profiles().saturating_sub(row).min(64);
        (0..n_people).fold(0, |any, at| any | u64::from(!self.events.range(row + at).is_empty()) << at)
    }

    /// Gives each total and average of a person; what is beyond 64 bits is cut to them, which
    /// compares alike with everything between.
    pub fn of(&self, row: usize, give: &mut impl FnMut(usize, i64)) {
        let range = self.events.range(row);
        let first = range.start;
        let times = self.events.times().get(range).unwrap_or(&[]);
        let mut end = times.iter().rposition(|time| *time <= self.now).map_or(0, |last| last + 1);
        let (mut total, mut n_values): (i128, i128) = (0, 0);
        for (from, sum, aggregate) in &self.wanted {
            // A window that is longer than the data needs no look at times.
            let open = times.get(..end).filter(|_| *from != i64::MIN).unwrap_or(&[]);
            let start = open.iter().rposition(|time| time < from).map_or(0, |before| before + 1);
            let (more, n_more) = self.values.sum(first + start..first + end);
            (total, n_values) = (total + more, n_values + n_more);
            end = start;
            match sum {
                Sum::Total => {
                    give(*aggregate, i64::try_from(total).unwrap_or(if total < 0 { i64::MIN } else { i64::MAX }));
                }
                Sum::Average => {
                    if let Some(average) = average(total, n_values) {
                        give(*aggregate, average);
                    }
                }
            }
        }
    }
}

/// An average rounded half to even, in 64 bits where they hold what it is of.
pub(crate) fn average(total: i128, n_values: i128) -> Option<i64> {
    let (Ok(total), Ok(n)) = (i64::try_from(total), i64::try_from(n_values)) else {
        return divide_half_even(total, n_values).and_then(|average| i64::try_from(average).ok());
    };
    let (down, rest) = (total.checked_div_euclid(n)?, total.checked_rem_euclid(n)?);
    // The rest is less than the number of values, which is never half of all numbers.
    let is_up = match (2 * rest).cmp(&n) {
        Ordering::Less => false,
        Ordering::Equal => down & 1 == 1,
        Ordering::Greater => true,
    };
    Some(down + i64::from(is_up))
}

#[cfg(feature = "faults")]
impl Totals {
    /// Makes a mistake on purpose.
    pub fn apply(&mut self, fault: crate::fault::Fault) {
        use crate::fault::Fault;
        for (from, sum, aggregate) in &mut self.wanted {
            match fault {
                Fault::TotalsBeginLate if *from != i64::MIN => *from += 1,
                Fault::TotalsForAverages => *sum = Sum::Total,
                // No aggregate has this number, so that none has a value by default.
                Fault::TotalsOfNobodyMissing if *sum == Sum::Total => *aggregate = usize::MAX,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_rounded_half_to_even() {
        for total in -40..40 {
            for n in 1..9 {
                let expected = divide_half_even(total, n).and_then(|average| i64::try_from(average).ok());
                assert_eq!(average(total, n), expected, "{total} / {n}");
            }
        }
        assert_eq!(average(5, 0), None);
        assert_eq!(average(3 * i128::from(i64::MAX), 3), Some(i64::MAX));
        assert_eq!(average(i128::from(i64::MIN), 1), Some(i64::MIN));
    }
}
