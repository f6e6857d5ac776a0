//! Attributes out of rows of people, one row or several each.

use crate::cell::Cell;
use crate::column::TypedColumn;
use crate::existence::Existence;
use crate::gather::joined;
use crate::loader::Loader;
use crate::manifest::{ProfileFiles, RowsAre};
use crate::open::DataFile;
use crate::people::Person;
use crate::report::{Place, ProblemKind};
use crate::rows::{Columns, Purpose, RowSink};
use crate::values::{Ids, Values};
use arrow_array::{Array, ArrayRef, ListArray, StructArray, TimestampMicrosecondArray, UInt32Array};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{ArrowError, Field as ArrowField, Fields};
use arrow_select::take::take;
use seg_data::batch::{TIME_FIELD, VALUE_FIELD, time_type};
use seg_data::schema::Field;
use seg_data::{AttributeId, Schema, Timestamp, Wanted, Zone};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

/// The attributes as the profile files have them, a row a line.
pub(crate) struct Attributes<'a> {
    columns: Vec<TypedColumn<'a>>,
    lines: Vec<Line>,
    /// The source that is being read, and what its rows are.
    source: (u32, RowsAre),
    /// For each source, whether its files have each attribute.
    has: Vec<Vec<bool>>,
    undated: Undated,
    /// Where among the columns it is said since when somebody is known.
    first_seen: Option<usize>,
    /// The values of the lines that were read before, a column an attribute; none where
    /// none were.
    earlier: Vec<ArrayRef>,
}

/// Lines that were read before others, of every attribute of the schema.
pub(crate) struct EarlierLines {
    pub lines: Vec<Line>,
    pub columns: Vec<ArrayRef>,
    /// For each source, from its second on, whether its files have each attribute.
    pub has: Vec<Vec<bool>>,
}

/// What is read of people: the columns with a row a person, and the lines they are of.
pub(crate) struct Finished<'a> {
    pub columns: Vec<(&'a Field, Result<ArrayRef, ArrowError>)>,
    pub kept: EarlierLines,
}

/// Who has an undated row.
#[derive(Default)]
struct Undated {
    /// By row of the batch.
    people: Vec<bool>,
    /// Ids that are merged into others, also by rank among these.
    merged: HashSet<(u32, u32)>,
}

impl Undated {
    /// Notes that a person has one, and says whether it is the first.
    fn insert(&mut self, person: u32, rank: u32) -> bool {
        if rank > 0 {
            return self.merged.insert((person, rank));
        }
        let at = person as usize;
        if self.people.len() <= at {
            self.people.resize(at + 1, false);
        }
        self.people.get_mut(at).is_some_and(|has| !std::mem::replace(has, true))
    }
}

/// Whose values a line has, and since when they hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub person: u32,
    /// See [`crate::merge::Identity::rank`].
    pub rank: u32,
    pub time: Option<Timestamp>,
    /// From which source it is, and what the rows of that are.
    pub source: (u32, RowsAre),
}

impl<'a> Attributes<'a> {
    pub fn new(schema: &'a Schema, wanted: &Wanted) -> Attributes<'a> {
        let is_wanted = |at: usize| wanted.attributes.contains(&AttributeId(at as u32));
        let columns = schema.attributes.iter().enumerate();
        let columns = columns.map(|(at, field)| TypedColumn::new(field, is_wanted(at))).collect();
        let first_seen = schema.first_seen.map(|id| id.idx());
        let source = (0, RowsAre::default());
        let has = vec![Vec::new()];
        let (lines, undated, earlier) = Default::default();
        Attributes { columns, lines, source, has, undated, first_seen, earlier }
    }

    /// Begins with lines that were read before.
    pub fn begin_with(&mut self, earlier: EarlierLines) {
        (self.lines, self.earlier, self.has) = (earlier.lines, earlier.columns, earlier.has);
    }

    /// Begins with the rows of another source: what one says of somebody does not take back
    /// what another said.
    pub fn begin_source(&mut self, rows_are: RowsAre) {
        self.source = (self.source.0 + 1, rows_are);
        // Files that came before say what the source has as well.
        if self.has.len() <= self.source.0 as usize {
            self.has.push(vec![false; self.columns.len()]);
        }
        self.undated = Undated::default();
    }

    /// Begins a line of somebody, whose values are then put into [`Attributes::columns_mut`].
    pub fn add_line(&mut self, person: &Person, time: Option<Timestamp>) {
        self.lines.push(Line { person: person.row, rank: person.rank, time, source: self.source });
    }

    /// The columns, a row a line.
    pub fn columns_mut(&mut self) -> impl Iterator<Item = &mut TypedColumn<'a>> {
        self.columns.iter_mut()
    }

    /// About how many bytes of memory they take.
    pub fn n_bytes(&self) -> u64 {
        let of_columns: u64 = self.columns.iter().map(|column| column.builder.n_bytes()).sum();
        of_columns + size_of_val(self.lines.as_slice()) as u64
    }

    /// Whether no row is dated later than an instant.
    pub fn are_until(&self, at: Timestamp) -> bool {
        self.lines.iter().all(|line| line.time.is_none_or(|time| time <= at))
    }

    /// The columns with how many of their texts begin or end with blanks.
    pub fn blanks(&self) -> impl Iterator<Item = (&'a str, u64)> {
        self.columns.iter().map(|column| (column.field.name.as_str(), column.builder.n_blanks()))
    }

    /// The attributes that the schema requires, where they are wanted.
    pub fn required(&self) -> impl Iterator<Item = &'a str> {
        let required = self.columns.iter().filter(|column| column.is_wanted && column.field.is_required);
        required.map(|column| column.field.name.as_str())
    }

    /// How many of so many people have no row of their own.
    pub fn n_without_rows(&self, n_people: usize) -> u64 {
        let mut have = vec![false; n_people];
        for line in &self.lines {
            have.get_mut(line.person as usize).into_iter().for_each(|has| *has = true);
        }
        have.iter().filter(|has| !**has).count() as u64
    }

    /// Each column with a row a person; tells what it knows of since when they exist.
    pub fn finish(self, n_people: usize, existence: &mut Existence) -> Vec<(&'a Field, Result<ArrayRef, ArrowError>)> {
        self.finish_with(n_people, existence, |_, _, _| ())
    }

    /// The same with the lines that rows which come later may still be compared with.
    ///
    /// # Errors
    /// That Arrow does not gather them.
    pub fn finish_keeping(self, n_people: usize, existence: &mut Existence) -> Result<Finished<'a>, ArrowError> {
        let has = self.has.clone();
        let mut kept = Kept::default();
        let columns = self.finish_with(n_people, existence, |values, keeps_history, is_last| {
            kept.add(values, keeps_history, is_last);
        });
        let (lines, columns_kept) = kept.finish()?;
        Ok(Finished { columns, kept: EarlierLines { lines, columns: columns_kept, has } })
    }

    fn finish_with(
        self,
        n_people: usize,
        existence: &mut Existence,
        mut look: impl FnMut(&Lines<'_>, bool, bool),
    ) -> Vec<(&'a Field, Result<ArrayRef, ArrowError>)> {
        let Attributes { columns, lines, has, first_seen, earlier, .. } = self;
        lines.iter().for_each(|line| existence.row(line.person, line.time));
        let order = in_order(&lines);
        let mut earlier = earlier.into_iter();
        let mut finished = Vec::with_capacity(columns.len());
        let n_wanted = columns.iter().filter(|column| column.is_wanted).count();
        for (at, mut column) in columns.into_iter().enumerate() {
            let earlier = earlier.next();
            if !column.is_wanted {
                continue;
            }
            let own = column.builder.finish();
            let array = match earlier.map_or(Ok(Arc::clone(&own)), |earlier| joined(&[earlier, own])) {
                Ok(array) => array,
                Err(error) => {
                    finished.push((column.field, Err(error)));
                    continue;
                }
            };
            // Lines of one source say nothing of what only another has.
            let has = has.iter().map(|has| has.get(at).copied().unwrap_or(false)).collect();
            let values = Lines { lines: &lines, order: &order, has, array };
            if first_seen == Some(at) {
                existence.first_seen(lines.iter().map(|line| line.person), &values.array);
            }
            let has_history = column.field.keeps_history && values.have_times();
            look(&values, has_history, finished.len() + 1 == n_wanted);
            let array = if has_history { values.history(n_people) } else { values.latest(n_people) };
            finished.push((column.field, array));
        }
        finished
    }
}

/// Which lines those that come later may still be compared with: what is undated, since a
/// later line of its id may replace it as a whole; each value of a history; and of other
/// attributes the last value that each id of a person was given.
#[derive(Default)]
struct Kept {
    is_kept: Vec<bool>,
    lines: Vec<Line>,
    columns: Vec<ArrayRef>,
}

impl Kept {
    fn add(&mut self, values: &Lines<'_>, has_history: bool, is_last: bool) {
        self.is_kept.resize(values.lines.len(), false);
        let mut keep = |at: u32| self.is_kept.get_mut(at as usize).into_iter().for_each(|kept| *kept = true);
        // Of the person at hand: the last line of each of their ids.
        let mut last: Vec<(u32, u32)> = Vec::new();
        let mut person = None;
        for (at, line) in values.set_lines() {
            if has_history {
                keep(at);
            }
            if person != Some(line.person) {
                last.drain(..).for_each(|(_, at)| keep(at));
                person = Some(line.person);
            }
            match last.iter_mut().find(|(rank, _)| *rank == line.rank) {
                Some((_, last)) => *last = at,
                None => last.push((line.rank, at)),
            }
        }
        last.drain(..).for_each(|(_, at)| keep(at));
        self.columns.push(Arc::clone(&values.array));
        if is_last {
            let undated = values.order.iter().filter(|at| values.line(**at).is_some_and(|line| line.time.is_none()));
            undated.for_each(|at| keep(*at));
            self.lines = values.lines.to_vec();
        }
    }

    fn finish(self) -> Result<(Vec<Line>, Vec<ArrayRef>), ArrowError> {
        let kept: Vec<u32> = (0..).zip(&self.is_kept).filter_map(|(at, is_kept)| is_kept.then_some(at)).collect();
        let lines = kept.iter().filter_map(|at| self.lines.get(*at as usize)).copied().collect();
        let rows = UInt32Array::from(kept);
        let columns = self.columns.iter().map(|column| take(column, &rows, None)).collect::<Result<_, _>>()?;
        Ok((lines, columns))
    }
}

/// The lines that count, those of one person after another, each person's from
/// the weakest to the one that wins: undated before dated, the earlier before
/// the later, at one instant a merged id before the survivor, the earlier source before
/// the later, and the later line of one source last.
fn in_order(lines: &[Line]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..lines.len() as u32).collect();
    let line = |at: u32| lines.get(at as usize);
    let key = |at: u32| line(at).map(|l| (l.person, l.time, std::cmp::Reverse(l.rank), l.source.0, at));
    if !order.is_sorted_by_key(|at| key(*at)) {
        order.sort_unstable_by_key(|at| key(*at));
    }
    // An undated line replaces the earlier ones of its id as a whole, in its source.
    let id = |at: u32| line(at).map(|l| (l.person, l.rank, l.time, l.source.0));
    let mut kept: Vec<u32> = Vec::with_capacity(order.len());
    for at in order {
        let is_undated = line(at).is_some_and(|l| l.time.is_none());
        match kept.last_mut() {
            Some(last) if is_undated && id(*last) == id(at) => *last = at,
            _ => kept.push(at),
        }
    }
    kept
}

/// What the lines say of one attribute.
struct Lines<'l> {
    lines: &'l [Line],
    order: &'l [u32],
    /// Which sources have the attribute.
    has: Vec<bool>,
    array: ArrayRef,
}

impl Lines<'_> {
    fn line(&self, at: u32) -> Option<&Line> {
        self.lines.get(at as usize)
    }

    fn have_times(&self) -> bool {
        self.lines.iter().any(|l| l.time.is_some())
    }

    /// The lines that say something, with whose and when.
    fn set_lines(&self) -> impl Iterator<Item = (u32, Line)> {
        let lines = self.order.iter().filter_map(|at| Some((*at, *self.lines.get(*at as usize)?)));
        lines.filter(|(at, line)| {
            let is_filled = self.array.is_valid(*at as usize);
            let is_said = || self.has.get(line.source.0 as usize).copied().unwrap_or(false);
            is_filled || (line.source.1 == RowsAre::Snapshots && line.time.is_some() && is_said())
        })
    }

    /// The value that was set last, for each person.
    fn latest(&self, n_people: usize) -> Result<ArrayRef, ArrowError> {
        let mut places: Vec<Option<u32>> = vec![None; n_people];
        for (at, line) in self.set_lines() {
            if let Some(slot) = places.get_mut(line.person as usize) {
                *slot = Some(at);
            }
        }
        // Mostly there is a line a person, in the order in which people were met. Where somebody
        // was told nothing the line in their place may be one of others.
        let is_in_place = |(place, at): (u32, &Option<u32>)| match at {
            Some(at) => *at == place,
            None => self.array.is_null(place as usize),
        };
        let is_whole = self.array.len() == n_people && (0..).zip(&places).all(is_in_place);
        if is_whole {
            return Ok(Arc::clone(&self.array));
        }
        take(&self.array, &UInt32Array::from(places), None)
    }

    /// Every value that was set, for each person, with its time. What has none
    /// was set before everything else.
    fn history(&self, n_people: usize) -> Result<ArrayRef, ArrowError> {
        let (mut places, mut times): (Vec<u32>, Vec<i64>) = Default::default();
        let mut lengths = vec![0_usize; n_people];
        let mut before = None;
        for (at, line) in self.set_lines() {
            let time = line.time.unwrap_or(Timestamp::MIN);
            let set = Some((line.person, time));
            // Of two values set at one instant the one that wins is the value.
            if let (true, Some(place)) = (before == set, places.last_mut()) {
                *place = at;
                continue;
            }
            before = set;
            places.push(at);
            times.push(time.0);
            if let Some(length) = lengths.get_mut(line.person as usize) {
                *length += 1;
            }
        }
        let values = take(&self.array, &UInt32Array::from(places), None)?;
        let times = TimestampMicrosecondArray::from(times).with_timezone("UTC");
        let fields = Fields::from(vec![
            ArrowField::new(TIME_FIELD, time_type(), false),
            ArrowField::new(VALUE_FIELD, values.data_type().clone(), true),
        ]);
        let rows = StructArray::try_new(fields, vec![Arc::new(times), values], None)?;
        let item = Arc::new(ArrowField::new("item", rows.data_type().clone(), false));
        Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(rows), None)?))
    }
}

/// Takes the rows of files of people.
pub(crate) struct ProfileSink<'l, 'a, 's> {
    loader: &'l mut Loader<'a>,
    attributes: &'l mut Attributes<'s>,
    file: &'l DataFile,
    spec: &'l ProfileFiles,
    id_at: Option<usize>,
    time_at: Option<usize>,
    /// For each attribute, the column of the file that holds it.
    columns: Vec<Option<usize>>,
    n_named: usize,
}

impl<'l, 'a, 's> ProfileSink<'l, 'a, 's> {
    pub fn new(
        loader: &'l mut Loader<'a>,
        attributes: &'l mut Attributes<'s>,
        file: &'l DataFile,
        spec: &'l ProfileFiles,
    ) -> Self {
        ProfileSink { loader, attributes, file, spec, id_at: None, time_at: None, columns: Vec::new(), n_named: 0 }
    }

    /// The attributes that segments ask about and that the file lacks.
    pub fn absent(&self) -> Vec<AttributeId> {
        let Some(asked) = self.loader.asked.filter(|_| self.n_named > 0) else { return Vec::new() };
        let ids = (0..self.columns.len() as u32).map(AttributeId);
        let absent = ids.zip(&self.columns).filter(|(id, found)| found.is_none() && asked.attributes.contains(id));
        absent.map(|(id, _)| id).collect()
    }

    /// The columns that must be there, and where they were found; of a file without a row
    /// nothing is asked.
    pub fn found(&self) -> Vec<(&'l String, Option<usize>)> {
        if self.n_named == 0 {
            return Vec::new();
        }
        let time = self.spec.time.as_ref().map(|time| (time, self.time_at));
        std::iter::once((&self.spec.id, self.id_at)).chain(time).collect()
    }

    /// Takes lines of people who are all met for the first time and without dates;
    /// none where one is not so. So many lines of the file came before.
    fn take_columns(&mut self, n_before: u64, columns: &Columns) -> Option<()> {
        if self.time_at.is_some() || !self.loader.people.merges.is_empty() || !self.loader.rules.is_empty() {
            return None;
        }
        let ids = Ids::new(columns.at(self.id_at)?)?;
        let values = self.attributes.columns.iter().zip(&self.columns);
        let values = values
            .map(|(c, at)| if c.is_wanted { Values::new(c, columns.at(*at), None).map(Some) } else { Some(None) });
        let values = values.collect::<Option<Vec<_>>>()?;
        // Row by row these people are met in the same order.
        let people: Vec<Person> = (0..columns.n_rows).map(|row| self.loader.people.person_of(&ids.cell(row))).collect();
        if people.iter().any(|person| !person.is_new) {
            return None;
        }
        self.loader.count_rows(columns.n_rows as u64);
        for person in &people {
            self.attributes.undated.insert(person.row, person.rank);
            let source = self.attributes.source;
            self.attributes.lines.push(Line { person: person.row, rank: person.rank, time: None, source });
        }
        let rows: Vec<u32> = (0..columns.n_rows as u32).collect();
        for (column, values) in self.attributes.columns.iter_mut().zip(values) {
            let unfit = values.map(|values| values.append(&mut column.builder, &rows)).unwrap_or_default();
            for row in unfit {
                self.loader.no_room(self.file, &column.field.name, columns.line(n_before, row));
            }
        }
        Some(())
    }
}

impl RowSink for ProfileSink<'_, '_, '_> {
    fn zone(&self) -> Option<Zone> {
        self.loader.zone
    }

    fn known_columns(&self) -> Vec<String> {
        let special = std::iter::once(&self.spec.id).chain(&self.spec.time);
        special.chain(self.attributes.columns.iter().map(|column| &column.field.name)).cloned().collect()
    }

    fn columns(&mut self, names: &[String]) {
        let at = |name: &str| names.iter().position(|n| n == name);
        self.id_at = at(&self.spec.id);
        self.time_at = self.spec.time.as_deref().and_then(at);
        self.columns = self.attributes.columns.iter().map(|c| at(&c.field.name)).collect();
        let source = self.attributes.source.0 as usize;
        if let Some(has) = self.attributes.has.get_mut(source) {
            has.resize(self.columns.len(), false);
            has.iter_mut().zip(&self.columns).for_each(|(has, at)| *has |= at.is_some());
        }
        for (column, name) in names.iter().enumerate().skip(self.n_named) {
            let is_special = [self.id_at, self.time_at].contains(&Some(column));
            let is_used = is_special || self.columns.contains(&Some(column));
            // A second column of a name is told of as such; tools write an index without one.
            let is_again = names.iter().take(column).any(|other| other == name);
            if !is_used && !is_again && !name.is_empty() {
                let place = || Place { file: self.file.name.clone(), line: 1, value: String::new() };
                self.loader.report.add(ProblemKind::UnknownColumn, name, place);
            }
        }
        self.n_named = names.len();
    }

    fn more_columns(&mut self, names: &[String], n_known: usize) {
        for (column, name) in names.iter().enumerate().skip(n_known).filter(|(_, name)| !name.is_empty()) {
            let mut is_used = false;
            if self.spec.id == *name {
                self.id_at.get_or_insert(column);
                is_used = true;
            }
            if self.spec.time.as_ref() == Some(name) {
                self.time_at.get_or_insert(column);
                is_used = true;
            }
            let of_attributes = self.attributes.columns.iter().zip(&mut self.columns).enumerate();
            for (attribute, (_, at)) in of_attributes.filter(|(_, (of, _))| of.field.name == *name) {
                at.get_or_insert(column);
                let has = self.attributes.has.last_mut().and_then(|has| has.get_mut(attribute));
                has.into_iter().for_each(|has| *has = true);
                is_used = true;
            }
            if !is_used {
                self.note(ProblemKind::UnknownColumn, name, 1);
            }
        }
        self.n_named = names.len();
    }

    fn purposes(&self, n_columns: usize) -> Option<Vec<Option<Purpose>>> {
        if self.time_at.is_some() || !self.loader.people.merges.is_empty() || !self.loader.rules.is_empty() {
            return None;
        }
        let wanted = self.attributes.columns.iter().zip(&self.columns).filter(|(column, _)| column.is_wanted);
        let values = wanted.filter_map(|(column, at)| Some(((*at)?, Purpose::Value(column.field.ty.clone()))));
        let mut purposes: Vec<Option<Purpose>> = vec![None; n_columns];
        for (at, purpose) in std::iter::once((self.id_at?, Purpose::Id)).chain(values) {
            // What is used in two ways is read row by row.
            if purposes.get_mut(at)?.get_or_insert_with(|| purpose.clone()) != &purpose {
                return None;
            }
        }
        Some(purposes)
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) {
        self.loader.count_row();
        let place = |value: String| Place { file: self.file.name.clone(), line, value };
        let cell_at = |at: Option<usize>| at.and_then(|at| cells.get(at)).unwrap_or(&Cell::Missing);
        let id_cell = cell_at(self.id_at);
        let id = self.loader.rules.id(id_cell).map(Cow::into_owned);
        let Some(id) = id else {
            return self.loader.report.add(ProblemKind::MissingId, &self.spec.id, || place(id_cell.show()));
        };
        let time_cell = cell_at(self.time_at);
        let Ok(time) = self.loader.time(time_cell, self.spec.time.as_deref().unwrap_or("")) else {
            let column = self.spec.time.clone().unwrap_or_default();
            return self.loader.report.add(ProblemKind::ImpossibleTime, &column, || place(time_cell.show()));
        };
        let person = self.loader.people.person_of(&Cell::Text(&id));
        let is_repeated = time.is_none() && !self.attributes.undated.insert(person.row, person.rank);
        if is_repeated {
            self.loader.report.add(ProblemKind::RepeatedProfile, "", || place(id.clone()));
        }
        let source = self.attributes.source;
        self.attributes.lines.push(Line { person: person.row, rank: person.rank, time, source });
        for (column, at) in self.attributes.columns.iter_mut().zip(&self.columns) {
            let cell = cell_at(*at);
            // A change need not repeat what is required.
            let is_silent = time.is_some() && self.spec.rows == RowsAre::Changes;
            self.loader.append(column, cell, is_silent, || place(cell.show()));
        }
    }

    fn batches(&mut self, n_before: u64, batches: &[Columns]) -> usize {
        batches.first().and_then(|columns| self.take_columns(n_before, columns)).map_or(0, |()| 1)
    }

    fn prefers_keys(&self, column: usize) -> bool {
        self.id_at != Some(column) && self.time_at != Some(column)
    }

    fn wants(&self, column: usize) -> bool {
        let wanted = self.attributes.columns.iter().zip(&self.columns).filter(|(c, _)| c.is_wanted);
        [self.id_at, self.time_at].contains(&Some(column)) || wanted.into_iter().any(|(_, at)| *at == Some(column))
    }

    fn broken(&mut self, line: u64, why: &str) {
        self.loader.broken(self.file, line, why);
    }

    fn note(&mut self, kind: ProblemKind, column: &str, line: u64) {
        let place = || Place { file: self.file.name.clone(), line, value: String::new() };
        self.loader.report.add(kind, column, place);
    }
}
