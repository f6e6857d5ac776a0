//! Totals and averages of one property over windows that all end now, as facts; what
//! is of all time is a column where the batch keeps layouts, made of the same sums.

use super::plain_but_window;
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_buffer::NullBuffer;
use seg_data::batch::Events;
use seg_data::money::divide_half_even;
use seg_data::{Batch, EventId, Instant, PropertyId, Type};
use seg_hir::hir::Aggregate;
use seg_plan::{Node, NodeId, Plan};
use std::cmp::Ordering;
use std::ops::Range;

/// What is made of the values in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sum {
    Total,
    /// Of money, rounded half to even; none of no values.
    Average,
}

/// The values of a property of whole numbers or amounts, an event each.
pub(crate) struct Values<'b> {
    values: &'b [i64],
    nulls: Option<&'b NullBuffer>,
}

impl<'b> Values<'b> {
    pub fn of(events: &'b Events, property: PropertyId) -> Option<Values<'b>> {
        let values = events.property_column(property)?.array().as_primitive_opt::<Int64Type>()?;
        let nulls = values.nulls().filter(|n| n.null_count() > 0);
        Some(Values { values: values.values(), nulls })
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
        match self.nulls {
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
pub(crate) struct Totals<'b> {
    events: &'b Events,
    about: (EventId, PropertyId),
    values: Values<'b>,
    now: i64,
    /// The start of each window, what is wanted of it, and the fact that it is; the
    /// latest start first.
    wanted: Vec<(i64, Sum, usize)>,
}

impl<'b> Totals<'b> {
    /// What a value of a plan is, where it is such a total or average: of what,
    /// and since when.
    pub fn asked(plan: &Plan, id: NodeId, now: Instant) -> Option<((EventId, PropertyId), i64, Sum)> {
        let Node::Aggregate { function, measure: Some((measure, ty)), items: None, query } = plan.node(id)? else {
            return None;
        };
        let sum = match function {
            Aggregate::Total => Sum::Total,
            Aggregate::Average if *ty == Type::Money => Sum::Average,
            _ => return None,
        };
        let (event, from) = plain_but_window(query, now)?;
        let Node::Property(ids, _) = plan.node(*measure)? else { return None };
        let (_, property) = ids.iter().find(|(of, _)| *of == event)?;
        Some(((event, *property), from, sum))
    }

    /// None of them yet, for a property of whole numbers or amounts.
    pub fn new(batch: &'b Batch, about: (EventId, PropertyId), now: Instant) -> Option<Totals<'b>> {
        let events = batch.events(about.0)?;
        let values = Values::of(events, about.1)?;
        Some(Totals { events, about, values, now: now.0, wanted: Vec::new() })
    }

    /// Of what they are.
    pub fn about(&self) -> (EventId, PropertyId) {
        self.about
    }

    /// Adds the total or average since an instant as a fact.
    pub fn want(&mut self, from: i64, sum: Sum, fact: usize) {
        let is_whole = self.events.extent().is_none_or(|(first, _)| from <= first.0);
        let from = if is_whole { i64::MIN } else { from };
        self.wanted.push((from, sum, fact));
        self.wanted.sort_by_key(|(from, ..)| std::cmp::Reverse(*from));
    }

    /// The value of a fact of whoever has no events.
    pub fn of_none(&self, fact: usize) -> Option<i64> {
        self.wanted.iter().any(|(_, sum, of)| *of == fact && *sum == Sum::Total).then_some(0)
    }

    /// The facts that they are.
    pub fn facts(&self) -> impl Iterator<Item = usize> {
        self.wanted.iter().map(|(.., fact)| *fact)
    }

    /// Those of 64 people from a row on who have events.
    pub fn of_any(&self, row: usize) -> u64 {
        let n_people = self.events.n_profiles().saturating_sub(row).min(64);
        (0..n_people).fold(0, |any, at| any | u64::from(!self.events.range(row + at).is_empty()) << at)
    }

    /// Gives each total and average of a person; what is beyond 64 bits is cut to them, which
    /// compares alike with everything between.
    pub fn of(&self, row: usize, put: &mut impl FnMut(usize, i64)) {
        let range = self.events.range(row);
        let first = range.start;
        let times = self.events.times().get(range).unwrap_or(&[]);
        let mut end = times.iter().rposition(|time| *time <= self.now).map_or(0, |last| last + 1);
        let (mut total, mut n_values): (i128, i128) = (0, 0);
        for (from, sum, fact) in &self.wanted {
            // A window that is longer than the data needs no look at times.
            let open = times.get(..end).filter(|_| *from != i64::MIN).unwrap_or(&[]);
            let start = open.iter().rposition(|time| time < from).map_or(0, |before| before + 1);
            let (more, n_more) = self.values.sum(first + start..first + end);
            (total, n_values) = (total + more, n_values + n_more);
            end = start;
            match sum {
                Sum::Total => {
                    put(*fact, i64::try_from(total).unwrap_or(if total < 0 { i64::MIN } else { i64::MAX }));
                }
                Sum::Average => {
                    if let Some(average) = average(total, n_values) {
                        put(*fact, average);
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
