//! The events of one name.

use super::column::{Column, instants};
use super::error::{BatchError, BatchProblem, Conversion};
use super::{ARRIVAL_FIELD, TIME_FIELD, cut, lists, time_type};
use crate::schema::{Event, PropertyId};
use crate::time::Timestamp;
use crate::value::Value;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Int64Array, ListArray, StructArray, TimestampMicrosecondArray, UInt32Array};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field as ArrowField, TimeUnit};
use arrow_select::take::take;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// All events of one name in a batch, with positions counted from the first that
/// the batch uses.
#[derive(Debug, Clone)]
pub struct Events {
    name: String,
    /// For each profile where its events begin, and where the last one's end,
    /// counted from an arbitrary position.
    lists: ListArray,
    /// Where the events in use begin among the items of `lists`.
    base: usize,
    rows: StructArray,
    times: TimestampMicrosecondArray,
    arrival: Option<Int64Array>,
    /// The earliest and the latest time of all.
    extent: Option<(Timestamp, Timestamp)>,
    /// The most events of one profile.
    longest: usize,
    /// Whether they lie in the order of the language, once somebody has asked.
    pub(super) is_ordered: OnceLock<bool>,
    properties: Vec<OnceLock<Result<Option<Column>, BatchError>>>,
    conversions: Vec<Conversion>,
}

impl Events {
    pub(super) fn try_new(event: &Event, column: &ArrayRef) -> Result<Events, BatchError> {
        let error = |field: &str, problem| {
            let column = if field.is_empty() { event.name.clone() } else { format!("{}.{field}", event.name) };
            BatchError { column, problem }
        };
        let wrong = |field: &str, expected: DataType, found: &DataType| {
            error(field, BatchProblem::WrongType { expected, found: found.clone() })
        };
        let expected = || super::event_type(event);
        let (lists, is_converted) = lists::events(column)
            .map_err(|problem| error("", problem))?
            .ok_or_else(|| wrong("", expected(), column.data_type()))?;
        let mut conversions = Vec::new();
        if is_converted {
            let (from, to) = (column.data_type().clone(), lists.data_type().clone());
            conversions.push(Conversion { column: event.name.clone(), from, to });
        }
        let bound = |at: Option<&i32>| at.map_or(0, |o| *o as usize);
        let (base, end) = (bound(lists.value_offsets().first()), bound(lists.value_offsets().last()));
        // Whoever slices a batch shall not pay for what lies outside.
        let rows = lists.values().slice(base, end - base);
        let rows = rows.as_struct_opt().ok_or_else(|| wrong("", expected(), column.data_type()))?.clone();
        let time = rows.column_by_name(TIME_FIELD).ok_or_else(|| error(TIME_FIELD, BatchProblem::Missing))?;
        let times = match time.data_type() {
            DataType::Timestamp(TimeUnit::Microsecond, _) => time.as_primitive::<TimestampMicrosecondType>().clone(),
            DataType::Timestamp(..) => {
                let converted = instants(time).map_err(|problem| error(TIME_FIELD, problem))?;
                let (from, to) = (time.data_type().clone(), time_type());
                conversions.push(Conversion { column: format!("{}.{TIME_FIELD}", event.name), from, to });
                converted.as_primitive::<TimestampMicrosecondType>().clone()
            }
            other => return Err(wrong(TIME_FIELD, time_type(), other)),
        };
        let arrival = match rows.column_by_name(ARRIVAL_FIELD) {
            Some(a) => Some(
                a.as_primitive_opt::<Int64Type>()
                    .cloned()
                    .ok_or_else(|| wrong(ARRIVAL_FIELD, DataType::Int64, a.data_type()))?,
            ),
            None => None,
        };
        let properties = event.properties.iter().map(|_| OnceLock::new()).collect();
        let (name, extent, longest, is_ordered) = (event.name.clone(), None, 0, OnceLock::new());
        let mut events =
            Events { name, lists, base, rows, times, arrival, extent, longest, is_ordered, properties, conversions };
        if let Some((extent, longest)) = events.sound_times() {
            (events.extent, events.longest) = (extent, longest);
            return Ok(events);
        }
        events.extent = events.check_times().map_err(|(field, problem)| error(field, problem))?;
        events.longest = (0..events.n_profiles()).map(|row| events.range(row).len()).max().unwrap_or(0);
        Ok(events)
    }

    /// The earliest and the latest time, and the most events of a profile, where nothing is null
    /// and all that [`Events::check_times`] looks for can be ruled out without looking at each
    /// list: times descend as often as between the lists, and so in none of them.
    fn sound_times(&self) -> Option<(Option<(Timestamp, Timestamp)>, usize)> {
        let has_nulls = [self.lists.nulls(), self.rows.nulls(), self.times.nulls()].into_iter().flatten();
        if has_nulls.into_iter().any(|nulls| nulls.null_count() > 0) {
            return None;
        }
        let times: &[i64] = self.times.values();
        let n_descents: usize = times.iter().zip(times.iter().skip(1)).map(|(a, b)| usize::from(a > b)).sum();
        let (mut extent, mut longest, mut n_between): (Option<(i64, i64)>, _, _) = (None, 0, 0);
        let mut start = 0;
        for end in self.lists.value_offsets().iter().skip(1) {
            let end = (*end as usize).checked_sub(self.base)?;
            if start < end {
                let (first, last) = (*times.get(start)?, *times.get(end - 1)?);
                let before = start.checked_sub(1).and_then(|at| times.get(at));
                n_between += usize::from(before.is_some_and(|before| *before > first));
                let (least, greatest) = extent.unwrap_or((first, last));
                extent = Some((least.min(first), greatest.max(last)));
                longest = longest.max(end - start);
            }
            start = end;
        }
        let extent = extent.map(|(first, last)| (Timestamp(first), Timestamp(last)));
        let is_in_range = extent.is_none_or(|(first, last)| first.is_in_range() && last.is_in_range());
        (n_descents == n_between && is_in_range).then_some((extent, longest))
    }

    /// Every event is there, has a time in range, and follows its predecessor.
    /// Gives the earliest and the latest time.
    fn check_times(&self) -> Result<Option<(Timestamp, Timestamp)>, (&'static str, BatchProblem)> {
        let is_used = |nulls: &NullBuffer| {
            let used = (0..self.lists.len()).flat_map(|row| self.range(row));
            nulls.null_count() > 0 && used.into_iter().any(|at| nulls.is_null(at))
        };
        if self.rows.nulls().is_some_and(is_used) {
            return Err(("", BatchProblem::NullEvent));
        }
        if self.times.nulls().is_some_and(is_used) {
            return Err((TIME_FIELD, BatchProblem::NullTime));
        }
        let times: &[i64] = self.times.values();
        let mut extent: Option<(i64, i64)> = None;
        for row in 0..self.lists.len() {
            let list = times.get(self.range(row)).unwrap_or(&[]);
            // Where times ascend, only the outermost can be out of range.
            let ends = list.first().into_iter().chain(list.last());
            if !list.is_sorted() {
                return Err((TIME_FIELD, BatchProblem::TimesNotAscending));
            }
            if ends.into_iter().any(|t| !Timestamp(*t).is_in_range()) {
                return Err((TIME_FIELD, BatchProblem::TimeOutOfRange));
            }
            if let (Some(first), Some(last)) = (list.first(), list.last()) {
                let (least, greatest) = extent.unwrap_or((*first, *last));
                extent = Some((least.min(*first), greatest.max(*last)));
            }
        }
        Ok(extent.map(|(first, last)| (Timestamp(first), Timestamp(last))))
    }

    /// The earliest and the latest time of all events, if there are any.
    pub fn extent(&self) -> Option<(Timestamp, Timestamp)> {
        self.extent
    }

    /// The most events that one profile has.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// How many profiles the batch has.
    pub fn n_profiles(&self) -> usize {
        self.lists.len()
    }

    /// How many events lie in the batch's stretch.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where a profile's events lie. A null list is empty.
    #[inline]
    pub fn range(&self, row: usize) -> Range<usize> {
        let offsets = self.lists.value_offsets();
        match (offsets.get(row), offsets.get(row + 1)) {
            (Some(start), Some(end)) if self.lists.is_valid(row) => {
                *start as usize - self.base..*end as usize - self.base
            }
            _ => 0..0,
        }
    }

    /// The offsets of the lists as they lie in memory; the first event in use
    /// is at [`Events::base`].
    pub fn offsets(&self) -> &OffsetBuffer<i32> {
        self.lists.offsets()
    }

    /// What to take off an offset to get an event's position.
    pub fn base(&self) -> usize {
        self.base
    }

    /// Which profiles have a list at all, where some have none.
    pub fn list_nulls(&self) -> Option<&NullBuffer> {
        self.lists.nulls().filter(|n| n.null_count() > 0)
    }

    /// When each event happened, in microseconds.
    #[inline]
    pub fn times(&self) -> &ScalarBuffer<i64> {
        self.times.values()
    }

    /// When an event happened.
    pub fn time(&self, idx: usize) -> Timestamp {
        Timestamp(self.times.values().get(idx).copied().unwrap_or(i64::MIN))
    }

    /// As which of all events it arrived, where the data says so.
    pub fn arrival(&self, idx: usize) -> Option<i64> {
        self.arrival.as_ref().filter(|a| idx < a.len() && a.is_valid(idx)).map(|a| a.value(idx))
    }

    /// The column of a property, checked when it is first asked for; `None`
    /// when the batch lacks it.
    ///
    /// # Errors
    /// How it breaks the contract.
    pub fn check_property(&self, schema: &Event, id: PropertyId) -> Result<Option<&Column>, BatchError> {
        let (Some(slot), Some(property)) = (self.properties.get(id.idx()), schema.properties.get(id.idx())) else {
            return Ok(None);
        };
        let checked = slot.get_or_init(|| {
            let name = format!("{}.{}", self.name, property.name);
            let column = self.rows.column_by_name(&property.name);
            column.map(|c| Column::try_new(&name, &property.ty, c)).transpose()
        });
        checked.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// The column of a property that was checked.
    pub fn property_column(&self, id: PropertyId) -> Option<&Column> {
        self.properties.get(id.idx())?.get()?.as_ref().ok()?.as_ref()
    }

    /// An event's value of a property that was checked; `None` when missing.
    pub fn property(&self, id: PropertyId, idx: usize) -> Option<Value> {
        self.property_column(id)?.value(idx)
    }

    /// The events of some profiles, which share what was checked.
    pub(super) fn slice(&self, profiles: Range<usize>) -> Events {
        let lists = self.lists.slice(profiles.start, profiles.len());
        let bound = |at: Option<&i32>| at.map_or(self.base, |offset| *offset as usize);
        let (base, end) = (bound(lists.value_offsets().first()), bound(lists.value_offsets().last()));
        let own = base - self.base..end - self.base;
        let property = |slot: &OnceLock<Result<Option<Column>, BatchError>>| match slot.get() {
            Some(Ok(Some(column))) => OnceLock::from(Ok(Some(column.slice(own.clone())))),
            Some(Ok(None) | Err(_)) => slot.clone(),
            None => OnceLock::new(),
        };
        let times = self.times.slice(own.start, own.len());
        let time = |at: usize| times.values().get(at).map(|time| Timestamp(*time));
        let mut events = Events {
            name: self.name.clone(),
            lists,
            base,
            rows: self.rows.slice(own.start, own.len()),
            arrival: self.arrival.as_ref().map(|arrival| arrival.slice(own.start, own.len())),
            extent: None,
            longest: 0,
            is_ordered: self.is_ordered.clone(),
            properties: self.properties.iter().map(property).collect(),
            conversions: self.conversions.clone(),
            times: times.clone(),
        };
        for row in 0..events.n_profiles() {
            let range = events.range(row);
            events.longest = events.longest.max(range.len());
            // Those of one profile ascend.
            let ends = [time(range.start), range.end.checked_sub(1).and_then(time)];
            let [Some(first), Some(last)] = ends else { continue };
            if !range.is_empty() {
                let (least, greatest) = events.extent.unwrap_or((first, last));
                events.extent = Some((least.min(first), greatest.max(last)));
            }
        }
        events
    }

    /// The events of some profiles up to an instant, that one included, as a column
    /// of lists.
    ///
    /// # Errors
    /// That Arrow does not gather them.
    pub(super) fn until(&self, rows: Range<usize>, now: Timestamp) -> Result<ArrayRef, BatchError> {
        let mut positions: Vec<u32> = Vec::new();
        let mut lengths: Vec<usize> = Vec::with_capacity(rows.len());
        for row in rows.clone() {
            let range = self.range(row);
            let times = self.times().get(range.clone()).unwrap_or(&[]);
            let n_known = times.partition_point(|time| Timestamp(*time) <= now);
            // Places have 31 bits, as the offsets that they come from.
            positions.extend((range.start..range.start + n_known).map(|position| position as u32));
            lengths.push(n_known);
        }
        let nulls = self.lists.nulls().map(|nulls| nulls.slice(rows.start, rows.len()));
        self.gathered(positions, lengths, nulls)
    }

    /// The events that are to be kept, as a column of lists; `keep` is asked about each
    /// position.
    ///
    /// # Errors
    /// That Arrow does not gather them.
    pub(super) fn kept(&self, keep: impl Fn(usize) -> bool) -> Result<ArrayRef, BatchError> {
        let mut positions: Vec<u32> = Vec::new();
        let mut lengths: Vec<usize> = Vec::with_capacity(self.n_profiles());
        for row in 0..self.n_profiles() {
            let n_before = positions.len();
            // Positions have 31 bits, as the offsets that they come from.
            positions.extend(self.range(row).filter(|position| keep(*position)).map(|position| position as u32));
            lengths.push(positions.len() - n_before);
        }
        self.gathered(positions, lengths, self.lists.nulls().cloned())
    }

    /// The events at some positions as lists of these lengths.
    fn gathered(
        &self,
        positions: Vec<u32>,
        lengths: Vec<usize>,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef, BatchError> {
        let known = take(&self.rows, &UInt32Array::from(positions), None).and_then(|known| cut::plain(&known));
        let lists = known.and_then(|known| {
            let item = Arc::new(ArrowField::new("item", known.data_type().clone(), true));
            ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), known, nulls)
        });
        lists.map(|lists| Arc::new(lists) as ArrayRef).map_err(|error| {
            let (expected, found) = (self.lists.data_type().clone(), self.rows.data_type().clone());
            let problem = BatchProblem::NotConvertible { expected, found, why: error.to_string() };
            BatchError { column: self.name.clone(), problem }
        })
    }

    /// What was converted, of the events and of the properties checked.
    pub(super) fn conversions(&self) -> impl Iterator<Item = &Conversion> {
        let columns = self.properties.iter().filter_map(|p| p.get()?.as_ref().ok()?.as_ref()?.conversion());
        self.conversions.iter().chain(columns)
    }
}
