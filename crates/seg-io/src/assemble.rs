//! What was read, brought into columns and batches, and what that tells of the data.

use crate::attributes::Attributes;
use crate::events::EventTables;
use crate::load::Loaded;
use crate::loader::Loader;
use crate::merge::Merges;
use crate::parts::{LoadedParts, Spilled};
use crate::report::{ProblemKind, ReadError};
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Schema as ArrowSchema};
use seg_data::batch::{BatchError, EXISTS_COLUMN, MERGED_COLUMN, id_column};
use seg_data::schema::Field;
use seg_data::time::DAY;
use seg_data::{AttributeId, Batch, EventId, PropertyId, Schema, Timestamp, Wanted, parallel};
use std::num::NonZero;
use std::sync::Arc;

impl Loader<'_> {
    /// Everybody with their events.
    ///
    /// # Errors
    /// More than a batch can hold.
    pub fn batch(
        mut self,
        attributes: Option<Attributes<'_>>,
        events: Option<EventTables<'_>>,
    ) -> Result<Loaded, ReadError> {
        let mut columns = self.people_columns(attributes, events.as_ref())?;
        let last_event = self.count_events(events.as_ref());
        let (n_people, schema) = (self.people.len(), Arc::clone(self.schema));
        for (event, array) in events.into_iter().flat_map(|events| events.finish(n_people, self.pace.threads)) {
            let array = array.map_err(|why| ReadError::new("data", why))?;
            columns.push((ArrowField::new(&event.name, array.data_type().clone(), false), array));
        }
        self.empty_properties(|event, property| are_missing(&schema, &columns, event, property));
        self.end_report(n_people);
        let batch = checked(self.schema, columns, self.pace.threads)?;
        Ok(Loaded { batch, report: self.report, last_event })
    }

    /// What memory has room for at once: everybody with their events, or everybody and for
    /// some people after others what they did.
    ///
    /// # Errors
    /// See [`Loader::batch`], and what the disk says.
    pub fn parts(
        mut self,
        attributes: Option<Attributes<'_>>,
        mut events: Option<EventTables<'_>>,
    ) -> Result<LoadedParts, ReadError> {
        let (n_people, threads) = (self.people.len(), self.pace.threads);
        let spill = events.as_mut().map_or(Ok(None), |events| events.take_spill(n_people, threads))?;
        let Some(spill) = spill else { return Ok(self.batch(attributes, events)?.into()) };
        let columns = self.people_columns(attributes, events.as_ref())?;
        let last_event = self.count_events(events.as_ref());
        drop(events);
        self.empty_properties(|event, property| {
            spill.has_events(event.idx()) && !spill.has_value(event.idx(), property)
        });
        self.end_report(n_people);
        let people = checked(self.schema, columns, self.pace.threads)?;
        let (wanted, report) = (self.wanted.clone(), self.report);
        Ok(LoadedParts::spilled(people, report, last_event, Spilled { spill, wanted, threads }))
    }

    /// The ids of everybody, and all columns that are of people rather than of their events.
    fn people_columns(
        &mut self,
        attributes: Option<Attributes<'_>>,
        events: Option<&EventTables<'_>>,
    ) -> Result<NamedColumns, ReadError> {
        let n_people = self.people.len();
        self.tell_of_values(attributes.as_ref(), events);
        let ids = self.people.finish().map_err(|why| ReadError::new("data", why))?;
        let merged = merged_ids(&self.people.merges, &ids);
        let mut columns: NamedColumns =
            vec![(ArrowField::new(id_column(self.schema), DataType::Utf8, false), Arc::new(ids))];
        let mut add = |name: &str, array: ArrayRef| {
            columns.push((ArrowField::new(name, array.data_type().clone(), true), array));
        };
        let mut existence = std::mem::take(&mut self.existence);
        for (field, array) in attributes.into_iter().flat_map(|a| a.finish(n_people, &mut existence)) {
            let array = array.map_err(internal)?;
            self.empty_attribute(field, &array);
            add(&field.name, array);
        }
        existence.finish(n_people).into_iter().for_each(|from| add(EXISTS_COLUMN, from));
        merged.into_iter().for_each(|merged| add(MERGED_COLUMN, merged));
        Ok(columns)
    }

    /// Counts the events that were read, and gives the time of the latest.
    fn count_events(&mut self, events: Option<&EventTables<'_>>) -> Option<Timestamp> {
        let (n_events, last_event) = events?.counts();
        self.report.events = n_events;
        self.tell_of_age(last_event);
        last_event
    }

    fn end_report(&mut self, n_people: usize) {
        self.report.tell_spellings(self.schema);
        self.report.profiles = n_people as u64;
        // What was unpacked twice was read once.
        (self.report.bytes, self.report.bytes_read) = (self.bytes_total, self.read.n_read().min(self.bytes_total));
    }

    /// Tells of texts with blanks around them, and of promises that the data breaks, also of
    /// people who have no row.
    pub fn tell_of_values(&mut self, attributes: Option<&Attributes<'_>>, events: Option<&EventTables<'_>>) {
        let of_people = attributes.into_iter().flat_map(Attributes::blanks);
        for (name, n) in of_people.chain(events.into_iter().flat_map(EventTables::blanks)) {
            self.report.add_times(ProblemKind::Blanks, name, n);
        }
        if let Some(attributes) = attributes {
            let n_without = attributes.n_without_rows(self.people.len());
            attributes.required().for_each(|name| self.report.add_times(ProblemKind::RequiredMissing, name, n_without));
        }
    }

    /// Tells of an attribute that segments ask about and that nobody has.
    pub fn empty_attribute(&mut self, field: &Field, array: &ArrayRef) {
        let id = self.schema.attributes.iter().position(|known| known.name == field.name);
        let is_asked = |asked: &&Wanted| id.is_some_and(|id| asked.attributes.contains(&AttributeId(id as u32)));
        if self.asked.filter(is_asked).is_some() && array.null_count() == array.len() {
            self.report.empty_column(&field.name);
        }
    }

    /// Tells of properties that segments ask about and that no event of a name has, though
    /// there are some.
    pub fn empty_properties(&mut self, is_empty: impl Fn(EventId, PropertyId) -> bool) {
        let Some(asked) = self.asked else { return };
        for (id, event) in (0..).map(EventId).zip(&self.schema.events) {
            for (property, field) in (0..).map(PropertyId).zip(&event.properties) {
                if asked.property(id, property) && is_empty(id, property) {
                    self.report.empty_column(&field.name);
                }
            }
        }
    }

    /// Tells of data that ends days before the instant at which segments ask for what
    /// happened lately.
    pub fn tell_of_age(&mut self, last_event: Option<Timestamp>) {
        const OLD_DAYS: i64 = 3;
        let (Some(now), Some(last), Some(asked)) = (self.now, last_event, self.asked) else { return };
        let days = now.0.saturating_sub(last.0).div_euclid(DAY);
        let asks_lately = asked.events.values().any(|event| event.since.is_some());
        if asks_lately && days >= OLD_DAYS {
            self.report.add_without_place(ProblemKind::OldData, &format!("{days} days"));
        }
    }
}

/// Columns of a batch with their fields.
pub(crate) type NamedColumns = Vec<(ArrowField, ArrayRef)>;

/// Whether there are events of a name in a batch, and none has a value of a property.
pub(crate) fn are_missing(schema: &Schema, columns: &NamedColumns, event: EventId, property: PropertyId) -> bool {
    let event = schema.event(event);
    let column = event.and_then(|event| columns.iter().find(|(field, _)| *field.name() == event.name));
    let rows = column.and_then(|(_, column)| column.as_list_opt::<i32>()?.values().as_struct_opt());
    let Some(rows) = rows.filter(|rows| !rows.is_empty()) else { return false };
    let field = event.and_then(|event| event.properties.get(property.idx()));
    let values = field.and_then(|field| rows.column_by_name(&field.name));
    values.is_some_and(|values| values.null_count() == values.len())
}

pub(crate) fn internal(error: ArrowError) -> ReadError {
    ReadError::new("data", format!("grouping by person failed: {error}"))
}

/// Columns as a batch, each of them checked.
pub(crate) fn checked(
    schema: &Arc<Schema>,
    columns: NamedColumns,
    threads: NonZero<usize>,
) -> Result<Batch, ReadError> {
    let (fields, columns): (Vec<ArrowField>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let records = RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns).map_err(internal)?;
    let failed = |e: BatchError| ReadError::new("data", format!("grouping by person failed: {e}"));
    let batch = Batch::new(Arc::clone(schema), records).map_err(failed)?;
    check(&batch, threads).map_err(failed)?;
    Ok(batch)
}

/// Checks every column, each thread some of them.
pub(crate) fn check(batch: &Batch, threads: NonZero<usize>) -> Result<(), BatchError> {
    let mut found: Vec<Result<(), BatchError>> = (0..batch.n_columns()).map(|_| Ok(())).collect();
    let work: Vec<_> = found.iter_mut().enumerate().collect();
    parallel::each(work, threads, || (), |(), (at, to)| *to = batch.check_column(at));
    found.into_iter().collect()
}

/// For each person the ids that were merged into theirs; none where no ids are merged.
pub(crate) fn merged_ids(merges: &Merges, ids: &StringArray) -> Option<ArrayRef> {
    if merges.is_empty() {
        return None;
    }
    let merged = merges.merged();
    let mut lists = ListBuilder::new(StringBuilder::new());
    for id in ids.iter().flatten() {
        let of_person = merged.get(id).map_or(&[][..], Vec::as_slice);
        of_person.iter().for_each(|id| lists.values().append_value(id));
        lists.append(true);
    }
    Some(Arc::new(lists.finish()))
}
