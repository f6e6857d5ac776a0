//! Totals of one property over windows that all end now.

use super::plain_but_window;
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_buffer::NullBuffer;
use seg_data::batch::Events;
use seg_data::{Batch, EventId, Instant, PropertyId};
use seg_hir::hir::Aggregate;
use seg_plan::{Node, NodeId, Plan};

/// Totals of one property, whose windows begin at different instants: one walk
/// from the last event back passes the start of each.
pub(crate) struct Totals<'b> {
    events: &'b Events,
    about: (EventId, PropertyId),
    values: &'b [i64],
    nulls: Option<&'b NullBuffer>,
    now: i64,
    /// The start of each window, and the fact of its total; the latest start
    /// first.
    wanted: Vec<(i64, usize)>,
}

impl<'b> Totals<'b> {
    /// What a value of a plan is, where it is such a total: of what, and since
    /// when.
    pub fn asked(plan: &Plan, id: NodeId, now: Instant) -> Option<((EventId, PropertyId), i64)> {
        let Node::Aggregate { function: Aggregate::Total, measure: Some((measure, _)), items: None, query } =
            plan.node(id)?
        else {
            return None;
        };
        let (event, from) = plain_but_window(query, now)?;
        let Node::Property(ids, _) = plan.node(*measure)? else { return None };
        let (_, property) = ids.iter().find(|(of, _)| *of == event)?;
        Some(((event, *property), from))
    }

    /// None of them yet, for a property of whole numbers or amounts.
    pub fn new(batch: &'b Batch, about: (EventId, PropertyId), now: Instant) -> Option<Totals<'b>> {
        let events = batch.events(about.0)?;
        let values = events.property_column(about.1)?.array().as_primitive_opt::<Int64Type>()?;
        let nulls = values.nulls().filter(|n| n.null_count() > 0);
        Some(Totals { events, about, values: values.values(), nulls, now: now.0, wanted: Vec::new() })
    }

    /// Of what they are.
    pub fn about(&self) -> (EventId, PropertyId) {
        self.about
    }

    /// Adds the total since an instant as a fact.
    pub fn want(&mut self, from: i64, fact: usize) {
        let is_whole = self.events.extent().is_none_or(|(first, _)| from <= first.0);
        let from = if is_whole { i64::MIN } else { from };
        self.wanted.push((from, fact));
        self.wanted.sort_by_key(|(from, _)| std::cmp::Reverse(*from));
    }

    /// The facts that they are.
    pub fn facts(&self) -> impl Iterator<Item = usize> {
        self.wanted.iter().map(|(_, fact)| *fact)
    }

    /// Those of 64 people from a row on who have events. The totals of all others
    /// are 0.
    pub fn of_any(&self, row: usize) -> u64 {
        let n_people = self.events.n_profiles().saturating_sub(row).min(64);
        (0..n_people).fold(0, |any, at| any | u64::from(!self.events.range(row + at).is_empty()) << at)
    }

    /// Gives each total of a person; what is beyond 64 bits is cut to them, which
    /// compares alike with everything between.
    pub fn of(&self, row: usize, put: &mut impl FnMut(usize, i64)) {
        let range = self.events.range(row);
        let first = range.start;
        let times = self.events.times().get(range.clone()).unwrap_or(&[]);
        let values = self.values.get(range).unwrap_or(&[]);
        let mut end = times.iter().rposition(|time| *time <= self.now).map_or(0, |last| last + 1);
        let mut total: i128 = 0;
        for (from, fact) in &self.wanted {
            // A window that is longer than the data needs no look at times.
            let open = times.get(..end).filter(|_| *from != i64::MIN).unwrap_or(&[]);
            let start = open.iter().rposition(|time| time < from).map_or(0, |before| before + 1);
            let values = values.get(start..end).unwrap_or(&[]);
            total += match self.nulls {
                None => values.iter().map(|value| i128::from(*value)).sum::<i128>(),
                Some(nulls) => {
                    let known = values.iter().enumerate().filter(|(at, _)| nulls.is_valid(first + start + at));
                    known.map(|(_, value)| i128::from(*value)).sum()
                }
            };
            end = start;
            put(*fact, i64::try_from(total).unwrap_or(if total < 0 { i64::MIN } else { i64::MAX }));
        }
    }
}
