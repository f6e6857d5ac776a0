//! The events of one name: lists by person, as they lie in a generation, and those of several
//! generations as one.

use crate::gather::{Stretch, gathered};
use crate::report::ReadError;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, Int64Array, ListArray, StructArray, new_null_array};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, Field as ArrowField, Fields};
use seg_data::batch::{ARRIVAL_FIELD, Column, TIME_FIELD, storage_type, time_type};
use seg_data::schema::Event;
use seg_data::{PropertyId, Value};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// Events of one name as lists by person.
#[derive(Debug, Clone)]
pub(crate) struct Sequences {
    /// Whose lists these are, ascending; everybody's, in their order, where it is not said.
    pub people: Option<ScalarBuffer<u32>>,
    /// Where each list begins, and where the last one ends.
    pub offsets: ScalarBuffer<i32>,
    pub times: ArrayRef,
    /// As which of all events each arrived; where it is not said none shares an
    /// instant with another of the same person that arrived in the same packing.
    pub arrivals: Option<ScalarBuffer<i64>>,
    /// A column a property, where there is a value.
    pub properties: Vec<Option<ArrayRef>>,
}

impl Sequences {
    /// The lists of a column of a batch.
    pub fn of_lists(event: &Event, column: &ArrayRef) -> Option<Sequences> {
        let lists = column.as_list_opt::<i32>()?;
        let rows = lists.values().as_struct_opt()?;
        let arrivals = rows.column_by_name(ARRIVAL_FIELD);
        let arrivals = arrivals.and_then(|column| Some(column.as_any().downcast_ref::<Int64Array>()?.values().clone()));
        let filled = |column: &&ArrayRef| column.null_count() < column.len();
        let properties = event.properties.iter();
        Some(Sequences {
            people: None,
            offsets: lists.offsets().inner().clone(),
            times: Arc::clone(rows.column_by_name(TIME_FIELD)?),
            arrivals,
            properties: properties.map(|p| rows.column_by_name(&p.name).filter(filled).map(Arc::clone)).collect(),
        })
    }

    /// No event of anybody.
    pub fn none(event: &Event, n_people: usize) -> Sequences {
        Sequences {
            people: None,
            offsets: std::iter::repeat_n(0, n_people + 1).collect(),
            times: arrow_array::new_empty_array(&time_type()),
            arrivals: None,
            properties: event.properties.iter().map(|_| None).collect(),
        }
    }

    /// The same for those people alone who have an event.
    pub fn of_some(self) -> Sequences {
        let lists = (0..).zip(self.offsets.iter().zip(self.offsets.iter().skip(1)));
        let filled: Vec<(u32, i32)> = lists.filter(|(_, (a, b))| a < b).map(|(row, (a, _))| (row, *a)).collect();
        let end = self.offsets.last().copied().unwrap_or_default();
        let offsets = filled.iter().map(|(_, start)| *start).chain([end]).collect();
        Sequences { people: Some(filled.iter().map(|(row, _)| *row).collect()), offsets, ..self }
    }

    /// Those of some people, with rows counted from the first of them.
    pub fn within(self, rows: &Range<usize>) -> Sequences {
        let (lists, people) = match &self.people {
            None => (rows.start.min(self.n_lists())..rows.end.min(self.n_lists()), None),
            Some(people) => {
                let at = |row: usize| people.partition_point(|person| (*person as usize) < row);
                let lists = at(rows.start)..at(rows.end);
                let own = people.get(lists.clone()).unwrap_or_default();
                let from_first = own.iter().map(|person| *person - rows.start as u32).collect();
                (lists, Some(from_first))
            }
        };
        let places = self.offsets.get(lists.start..=lists.end).unwrap_or(&[0]);
        Sequences { people, offsets: places.iter().copied().collect(), ..self }
    }

    /// The same with so many people before those whose lists are said to be whose.
    pub fn behind(self, n_before: u32) -> Sequences {
        let people = self.people.map(|people| people.iter().map(|person| person + n_before).collect());
        Sequences { people, ..self }
    }

    /// The same as a list for each of so many people.
    pub fn of_everybody(self, n_people: usize) -> Sequences {
        let Some(people) = &self.people else { return self };
        let mut offsets = Vec::with_capacity(n_people + 1);
        for (person, start) in people.iter().zip(self.offsets.iter()) {
            offsets.resize((*person as usize + 1).min(n_people + 1), *start);
        }
        let end = self.offsets.last().copied().unwrap_or_default();
        offsets.resize(n_people + 1, end);
        Sequences { people: None, offsets: offsets.into(), ..self }
    }

    /// How many events there are.
    pub fn n_events(&self) -> usize {
        self.times.len()
    }

    /// How many lists there are.
    pub fn n_lists(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Where the events of a list lie.
    pub fn list(&self, at: usize) -> Range<usize> {
        match (self.offsets.get(at), self.offsets.get(at + 1)) {
            (Some(start), Some(end)) => *start as usize..*end as usize,
            _ => 0..0,
        }
    }

    /// Where the events of somebody lie.
    pub fn of_person(&self, row: u32) -> Range<usize> {
        match &self.people {
            None => self.list(row as usize),
            Some(people) => people.binary_search(&row).map_or(0..0, |at| self.list(at)),
        }
    }

    /// Whose list is at a position.
    pub fn person(&self, list: usize) -> Option<u32> {
        match &self.people {
            None => u32::try_from(list).ok(),
            Some(people) => people.get(list).copied(),
        }
    }

    /// When the events were.
    pub fn times(&self) -> &[i64] {
        self.times.as_primitive_opt::<TimestampMicrosecondType>().map_or(&[], |times| times.values())
    }

    /// Places of lists that are not in order or outside of the events would be read as other
    /// people's.
    pub fn is_sound(&self, n_people: usize) -> bool {
        let n_events = self.n_events();
        let is_inside = |at: &i32| usize::try_from(*at).is_ok_and(|at| at <= n_events);
        let are_people = self.people.as_ref().is_none_or(|people| {
            people.len() == self.n_lists()
                && people.iter().all(|row| (*row as usize) < n_people)
                && people.iter().zip(people.iter().skip(1)).all(|(a, b)| a < b)
        });
        are_people
            && self.n_lists() <= n_people
            && self.offsets.is_sorted()
            && self.offsets.iter().all(is_inside)
            && self.properties.iter().flatten().all(|column| column.len() == n_events)
            && self.arrivals.as_ref().is_none_or(|arrivals| arrivals.len() == n_events)
    }

    /// The column of a batch of so many people, with some of the properties.
    ///
    /// # Errors
    /// That Arrow does not take them.
    pub fn into_lists(
        self,
        event: &Event,
        is_wanted: impl Fn(PropertyId) -> bool,
        n_people: usize,
    ) -> Result<ArrayRef, ArrowError> {
        let n_events = self.n_events();
        let mut fields = vec![ArrowField::new(TIME_FIELD, time_type(), false)];
        let mut columns = vec![Arc::clone(&self.times)];
        if let Some(arrivals) = self.arrivals {
            fields.push(ArrowField::new(ARRIVAL_FIELD, arrow_schema::DataType::Int64, false));
            columns.push(Arc::new(Int64Array::new(arrivals, None)));
        }
        let properties = (0..).map(PropertyId).zip(&event.properties).zip(self.properties);
        for ((_, property), column) in properties.filter(|((id, _), _)| is_wanted(*id)) {
            let column = column.unwrap_or_else(|| new_null_array(&storage_type(&property.ty), n_events));
            fields.push(ArrowField::new(&property.name, column.data_type().clone(), true));
            columns.push(column);
        }
        let rows = StructArray::try_new(Fields::from(fields), columns, None)?;
        let mut offsets = self.offsets;
        if offsets.len() != n_people + 1 {
            // Who came later has none.
            let end = offsets.last().copied().unwrap_or_default();
            let missing = (n_people + 1).saturating_sub(offsets.len());
            offsets = offsets.iter().copied().chain(std::iter::repeat_n(end, missing)).collect();
        }
        let item = Arc::new(ArrowField::new("item", rows.data_type().clone(), false));
        Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::new(offsets), Arc::new(rows), None)?))
    }
}

fn failed(error: ArrowError) -> ReadError {
    ReadError::new("store", format!("putting events together failed: {error}"))
}

/// Events of one name of several packings, to be put together.
pub(crate) struct Parts<'p> {
    pub event: &'p Event,
    /// In the order of the packings.
    pub parts: &'p [Sequences],
    /// The rows of those whose rows become others; nobody where they are to be left out.
    pub row_of: Option<&'p [Option<u32>]>,
    /// How many people there are then.
    pub n_people: usize,
    /// The property that tells events apart.
    pub event_id: Option<PropertyId>,
}

impl Parts<'_> {
    /// All of them as one: each person's in the order of the language, which is by time, at
    /// one instant by event id, then by arrival. An event that comes twice is the first to
    /// arrive.
    ///
    /// # Errors
    /// More events than a batch can hold.
    pub fn put_together(&self) -> Result<Sequences, ReadError> {
        let ids = self.ids().map_err(failed)?;
        let lists = self.lists_by_person();
        let mut stretches = Vec::new();
        let mut lengths: Vec<usize> = Vec::with_capacity(self.n_people);
        for own in lists.iter() {
            lengths.push(self.add_person(own, &ids, &mut stretches));
        }
        self.gathered(&stretches, lengths)
    }

    /// The lists of some people, whose rows ascend, as those of all that there are. Nobody has
    /// lists in two parts.
    ///
    /// # Errors
    /// More events than a batch can hold.
    pub fn of_rows(&self, rows: &[u32]) -> Result<Sequences, ReadError> {
        if self.parts.is_empty() {
            return Ok(Sequences::none(self.event, rows.len()));
        }
        let mut stretches = Vec::new();
        let lengths = rows.iter().map(|row| {
            let own = self.parts.iter().map(|part| part.of_person(*row)).enumerate();
            let own = own.filter(|(_, range)| !range.is_empty());
            own.fold(0, |n, (at, range)| {
                let n_own = range.len();
                add(&mut stretches, at, range);
                n + n_own
            })
        });
        let lengths = lengths.collect();
        self.gathered(&stretches, lengths)
    }

    /// Stretches of the parts as one, of which each person has so many events.
    fn gathered(&self, stretches: &[Stretch], lengths: Vec<usize>) -> Result<Sequences, ReadError> {
        let n_events: usize = lengths.iter().sum();
        if i32::try_from(n_events).is_err() {
            let name = &self.event.name;
            let why = format!("there are more than 2,147,483,647 events `{name}`; cut the data in parts");
            return Err(ReadError::new("data", why));
        }
        let column = |of: &dyn Fn(&Sequences) -> ArrayRef| {
            let columns: Vec<ArrayRef> = self.parts.iter().map(of).collect();
            gathered(&columns, stretches).map_err(failed)
        };
        let times = column(&|part| Arc::clone(&part.times))?;
        let arrivals = match self.parts.iter().any(|part| part.arrivals.is_some()) {
            true => Some(column(&|part| {
                let none = || std::iter::repeat_n(0, part.n_events()).collect();
                Arc::new(Int64Array::new(part.arrivals.clone().unwrap_or_else(none), None))
            })?),
            false => None,
        };
        let properties = self.event.properties.iter().enumerate().map(|(at, property)| {
            let own = |part: &Sequences| part.properties.get(at).cloned().flatten();
            if self.parts.iter().all(|part| own(part).is_none()) {
                return Ok(None);
            }
            let none = |part: &Sequences| new_null_array(&storage_type(&property.ty), part.n_events());
            column(&|part| own(part).unwrap_or_else(|| none(part))).map(Some)
        });
        Ok(Sequences {
            people: None,
            offsets: OffsetBuffer::<i32>::from_lengths(lengths).into_inner(),
            times,
            arrivals: arrivals.map(|column| column.as_primitive::<arrow_array::types::Int64Type>().values().clone()),
            properties: properties.collect::<Result<_, ReadError>>()?,
        })
    }

    /// For each part the ids of its events, where events are told apart by them.
    fn ids(&self) -> Result<Vec<Option<Column>>, ArrowError> {
        let Some(id) = self.event_id else { return Ok(self.parts.iter().map(|_| None).collect()) };
        self.parts.iter().map(|part| part.column(self.event, id)).collect()
    }

    /// Adds the events of one person, and says how many they are.
    fn add_person(&self, own: &[(u32, u32)], ids: &[Option<Column>], stretches: &mut Vec<Stretch>) -> usize {
        let part = |at: u32| self.parts.get(at as usize);
        let ranges = own.iter().filter_map(|(at, list)| Some((*at as usize, part(*at)?.list(*list as usize))));
        let ranges: Vec<(usize, Range<usize>)> = ranges.filter(|(_, range)| !range.is_empty()).collect();
        let time = |at: usize, row: usize| self.parts.get(at).and_then(|part| part.times().get(row)).copied();
        // People who became one may have had the same event.
        let may_repeat = self.row_of.is_some() && self.event_id.is_some() && ranges.len() > 1;
        let mut ends = ranges.iter().zip(ranges.iter().skip(1));
        let is_sorted =
            !may_repeat && ends.all(|((a, before), (b, after))| time(*a, before.end - 1) < time(*b, after.start));
        if is_sorted {
            ranges.iter().for_each(|(at, range)| add(stretches, *at, range.clone()));
            return ranges.iter().map(|(_, range)| range.len()).sum();
        }
        let id = |at: usize, row: usize| ids.get(at).and_then(Option::as_ref).and_then(|ids| text(ids.value(row)));
        let arrival = |at: usize, row: usize| {
            let own = self.parts.get(at).and_then(|part| part.arrivals.as_ref());
            (at, own.and_then(|own| own.get(row)).copied())
        };
        let mut rows: Vec<(usize, usize)> = Vec::new();
        ranges.iter().for_each(|(at, range)| rows.extend(range.clone().map(|row| (*at, row))));
        if may_repeat {
            rows.sort_by_key(|(at, row)| arrival(*at, *row));
            let mut known = HashSet::new();
            rows.retain(|(at, row)| id(*at, *row).is_none_or(|id| known.insert(id)));
        }
        rows.sort_by_cached_key(|(at, row)| (time(*at, *row), id(*at, *row), arrival(*at, *row)));
        rows.iter().for_each(|(at, row)| add(stretches, *at, *row..*row + 1));
        rows.len()
    }

    /// For each person the parts and the lists in them that are theirs, in the order of the
    /// parts.
    fn lists_by_person(&self) -> ByPerson {
        let lists = || {
            self.parts.iter().enumerate().flat_map(move |(at, part)| {
                (0..part.n_lists()).filter_map(move |list| {
                    let row = part.person(list)?;
                    let row = match self.row_of {
                        None => row,
                        Some(rows) => rows.get(row as usize).copied().flatten()?,
                    };
                    ((row as usize) < self.n_people).then_some((row as usize, (at as u32, list as u32)))
                })
            })
        };
        let mut starts = vec![0_usize; self.n_people + 1];
        for (row, _) in lists() {
            starts.get_mut(row + 1).into_iter().for_each(|n| *n += 1);
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut own = vec![(0, 0); sum];
        for (row, list) in lists() {
            let Some(place) = next.get_mut(row) else { continue };
            own.get_mut(*place).into_iter().for_each(|slot| *slot = list);
            *place += 1;
        }
        ByPerson { starts, lists: own }
    }
}

/// Lists of events, by whose they are.
struct ByPerson {
    starts: Vec<usize>,
    lists: Vec<(u32, u32)>,
}

impl ByPerson {
    fn iter(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        let ends = self.starts.iter().zip(self.starts.iter().skip(1));
        ends.map(|(start, end)| self.lists.get(*start..*end).unwrap_or_default())
    }
}

impl Sequences {
    /// A property as values can be asked of it; none where no event has one.
    pub fn column(&self, event: &Event, id: PropertyId) -> Result<Option<Column>, ArrowError> {
        let (Some(Some(array)), Some(property)) = (self.properties.get(id.idx()), event.properties.get(id.idx()))
        else {
            return Ok(None);
        };
        let column = Column::try_new(&property.name, &property.ty, array);
        column.map(Some).map_err(|error| ArrowError::InvalidArgumentError(error.to_string()))
    }
}

/// The text of an event id.
pub(crate) fn text(value: Option<Value>) -> Option<String> {
    match value? {
        Value::Text(text) => Some(text),
        other => Some(other.to_string()),
    }
}

fn add(stretches: &mut Vec<Stretch>, column: usize, rows: Range<usize>) {
    match stretches.last_mut() {
        Some(last) if last.column == column && last.end == rows.start => last.end = rows.end,
        _ => stretches.push(Stretch { column, start: rows.start, end: rows.end }),
    }
}
