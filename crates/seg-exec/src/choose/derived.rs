//! Which values and conditions about people are read from derived columns.

use super::texts::EverHad;
use super::totals::WindowSum;
use crate::derived::{self, DerivedColumn, DerivedKey, TimeKey, TopK};
use crate::input::Input;
use crate::options::AccessPolicy;
use seg_data::batch::Events;
use seg_data::{EventId, PropertyId};
use seg_hir::hir::End;
use seg_plan::{Compared, NodeId, NthTime};
use std::sync::Arc;

impl<'p> Input<'p> {
    fn has_columns(self) -> bool {
        self.options.access >= AccessPolicy::Column
    }

    /// Whether what conditions about people compare is read from a derived column.
    pub fn is_derived(self, compared: &Compared<'_>) -> bool {
        match compared {
            Compared::Time(time) => self.is_derived_time(time),
            Compared::Value(id) => self.derived_sum(*id).is_some(),
        }
    }

    /// Whether the time of an event is read from a derived column.
    pub fn is_derived_time(self, time: &NthTime<'_>) -> bool {
        self.events_of(time).is_some()
    }

    /// The only event of times that are derived, where the batch has it.
    fn events_of(self, time: &NthTime<'_>) -> Option<(EventId, &'p Events)> {
        let event = time.only_event().filter(|_| time.filter.is_none() && self.has_columns())?;
        self.batch.events(event).map(|events| (event, &**events))
    }

    fn time_key(self, time: &NthTime<'_>) -> Option<(&'p Events, TimeKey)> {
        let (event, events) = self.events_of(time)?;
        Some((events, derived::time_key(events, event, time.end == End::Last, time.n, self.now)))
    }

    /// The n-th time from one end as a column.
    pub fn derived_time(self, time: &NthTime<'_>) -> Option<Arc<DerivedColumn>> {
        let (events, key) = self.time_key(time)?;
        derived::times(self.batch, events, &key, self.options.threads)
    }

    /// People's last times of an event, where they are kept.
    pub fn latest_of(self, event: EventId) -> Option<Arc<DerivedColumn>> {
        let events = self.batch.events(event).filter(|_| self.has_columns())?;
        let key = derived::time_key(events, event, true, 1, self.now);
        derived::times(self.batch, events, &key, self.options.threads)
    }

    /// Whether a value is a total or an average that may be read from a derived
    /// column: unless one does not fit, which making it tells.
    pub fn may_be_derived_sum(self, id: NodeId) -> bool {
        self.sum_key(id).is_some()
    }

    fn sum_key(self, id: NodeId) -> Option<(&'p Events, DerivedKey)> {
        let WindowSum { about, from, sum } = WindowSum::recognize(self, id).filter(|_| self.has_columns())?;
        let events = self.batch.events(about.0).filter(|_| from == i64::MIN)?;
        Some((events, derived::sum_key(events, about, sum, self.now)))
    }

    /// A total or an average over all events of a name as a column.
    pub fn derived_sum(self, id: NodeId) -> Option<Arc<DerivedColumn>> {
        let (events, key) = self.sum_key(id)?;
        derived::sums(self.batch, events, &key, self.options.threads)
    }

    /// Whether a condition about texts ever had is read from a derived column.
    pub fn is_derived_text(self, event: EventId, property: PropertyId) -> bool {
        self.texts_key(event, property).is_some()
    }

    fn texts_key(self, event: EventId, property: PropertyId) -> Option<(&'p Events, DerivedKey)> {
        let events = self.batch.events(event).filter(|_| self.has_columns())?;
        derived::texts_key(events, event, property, self.now).map(|key| (&**events, key))
    }

    /// The column of which a condition about texts ever had asks for any bit of a
    /// mask.
    pub fn ever_had(self, id: NodeId) -> Option<(Arc<DerivedColumn>, i64)> {
        let EverHad { event, property, texts: wanted } = EverHad::recognize(self, id)?;
        let (events, key) = self.texts_key(event, property)?;
        let column = derived::texts(self.batch, events, &key, self.options.threads)?;
        let (_, texts) = events.property_column(property)?.texts()?;
        let bit = |(key, text): (usize, Option<&str>)| i64::from(text.is_some_and(|t| wanted.contains(&t))) << key;
        Some((column, texts.iter().enumerate().fold(0, |mask, text| mask | bit(text))))
    }

    /// Who meets a condition, where that is known by time: the words of all people.
    pub fn by_time(self, id: NodeId) -> Option<Vec<u64>> {
        let comparison = self.comparison(id).filter(|_| self.options.access == AccessPolicy::Cheapest)?;
        let (Compared::Time(time), least) = (comparison.compared, comparison.least()?) else { return None };
        let (events, key) = self.time_key(&time)?;
        let times = derived::times(self.batch, events, &key, self.options.threads)?;
        TopK::find(self.batch, &key, &times, least).map(|top| top.words(self.batch.len(), least))
    }
}
