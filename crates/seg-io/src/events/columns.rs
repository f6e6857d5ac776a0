//! Rows of events that come as columns, as from Parquet: taken together where
//! nothing is wrong with them and their types are the common ones. All others are
//! taken row by row, which says what is wrong, with the same outcome otherwise.

use super::{EventSink, EventTable};
use crate::cell::Cell;
use crate::column::ColumnBuilder;
use crate::load::TypedColumn;
use crate::people::People;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, StringArray, TimestampMicrosecondArray};
use arrow_buffer::NullBuffer;
use seg_data::{Instant, Money, Wanted};
use std::sync::Arc;

/// Rows of a file of which each is fit to be taken.
struct Rows {
    ids: Ids,
    /// Whose they are, where everyone was met before.
    people: Option<Vec<u32>>,
    times: TimestampMicrosecondArray,
    /// For each event of the schema its rows.
    of_event: Vec<Vec<u32>>,
}

enum Ids {
    Numbers(Vec<i64>),
    Texts(StringArray),
}

impl Ids {
    /// The ids of a column, where each row has one.
    fn new(array: &ArrayRef) -> Option<Ids> {
        if array.null_count() > 0 {
            return None;
        }
        if let Some(texts) = array.as_string_opt::<i32>() {
            return texts.iter().flatten().all(|text| !text.is_empty()).then(|| Ids::Texts(texts.clone()));
        }
        numbers(array).map(Ids::Numbers)
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Ids::Numbers(numbers) => numbers.get(row).map_or(Cell::Missing, |number| Cell::Integer(*number)),
            Ids::Texts(texts) => Cell::Text(texts.value(row)),
        }
    }

    /// The rows of everyone, where all were met before.
    fn known(&self, people: &People) -> Option<Vec<u32>> {
        match self {
            Ids::Numbers(numbers) => numbers.iter().map(|number| people.known(*number)).collect(),
            Ids::Texts(texts) => texts.iter().map(|text| people.row(text?)).collect(),
        }
    }
}

/// Whole numbers of the common widths; places that are null have any.
fn numbers(array: &ArrayRef) -> Option<Vec<i64>> {
    if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
        return Some(numbers.values().to_vec());
    }
    if let Some(numbers) = array.as_primitive_opt::<Int32Type>() {
        return Some(numbers.values().iter().map(|n| i64::from(*n)).collect());
    }
    if let Some(numbers) = array.as_primitive_opt::<UInt32Type>() {
        return Some(numbers.values().iter().map(|n| i64::from(*n)).collect());
    }
    let numbers = array.as_primitive_opt::<UInt64Type>()?.values();
    numbers.iter().map(|n| i64::try_from(*n).ok()).collect()
}

/// The values of a property as its column takes them.
enum Values {
    /// The file has no such column.
    Missing,
    /// A key for each row, into the texts.
    Texts {
        keys: Vec<Option<i32>>,
        texts: StringArray,
    },
    Ints {
        values: Vec<i64>,
        nulls: Option<NullBuffer>,
    },
    Numbers(Float64Array),
    Booleans(BooleanArray),
}

impl Values {
    /// The values of an array for a column; none where a value is not of its type,
    /// or the schema says something of single values.
    fn new(column: &TypedColumn<'_>, array: Option<&ArrayRef>) -> Option<Values> {
        let Some(array) = array else { return (!column.field.is_required).then_some(Values::Missing) };
        if column.field.allowed.is_some() || column.field.is_required && array.null_count() > 0 {
            return None;
        }
        let nulls = || array.nulls().filter(|n| n.null_count() > 0).cloned();
        Some(match column.builder {
            ColumnBuilder::Text(_) => {
                let coded = array.as_dictionary_opt::<Int32Type>()?;
                let texts = coded.values().as_string_opt::<i32>()?.clone();
                // An empty text is a missing one.
                if texts.null_count() > 0 || texts.iter().flatten().any(str::is_empty) {
                    return None;
                }
                Values::Texts { keys: coded.keys().iter().collect(), texts }
            }
            ColumnBuilder::Integer(_) => Values::Ints { values: numbers(array)?, nulls: nulls() },
            ColumnBuilder::Money(_) => {
                let nulls = nulls();
                let is_there = |row: usize| nulls.as_ref().is_none_or(|n| n.is_valid(row));
                match array.as_primitive_opt::<Float64Type>() {
                    Some(amounts) => {
                        let money = |(row, amount): (usize, &f64)| match is_there(row) {
                            true if !amount.is_finite() => None,
                            true => Money::from_number(*amount).map(|money| money.0),
                            false => Some(0),
                        };
                        let values = amounts.values().iter().enumerate().map(money).collect::<Option<Vec<i64>>>()?;
                        Values::Ints { values, nulls }
                    }
                    None => {
                        let money = |(row, amount): (usize, i64)| match is_there(row) {
                            true => Money::from_integer(amount.into()).map(|money| money.0),
                            false => Some(0),
                        };
                        let values =
                            numbers(array)?.into_iter().enumerate().map(money).collect::<Option<Vec<i64>>>()?;
                        Values::Ints { values, nulls }
                    }
                }
            }
            ColumnBuilder::Timestamp(_) => {
                let times = array.as_primitive_opt::<TimestampMicrosecondType>()?;
                let is_fit = times.iter().flatten().all(|time| Instant(time).is_in_range());
                is_fit.then(|| Values::Ints { values: times.values().to_vec(), nulls: nulls() })?
            }
            ColumnBuilder::Number(_) => {
                let numbers = array.as_primitive_opt::<Float64Type>()?;
                numbers.iter().flatten().all(f64::is_finite).then(|| Values::Numbers(numbers.clone()))?
            }
            ColumnBuilder::Boolean(_) => Values::Booleans(array.as_boolean_opt()?.clone()),
            _ => return None,
        })
    }

    /// Appends the values of some rows to a column of their type.
    fn append(&self, builder: &mut ColumnBuilder, rows: &[u32]) {
        let int = |values: &[i64], nulls: &Option<NullBuffer>, row: u32| {
            let is_there = nulls.as_ref().is_none_or(|n| n.is_valid(row as usize));
            values.get(row as usize).copied().filter(|_| is_there)
        };
        match (self, builder) {
            (Values::Texts { keys, texts }, ColumnBuilder::Text(b)) => {
                // For each key of the file the column's own, once it is met.
                let mut known: Vec<Option<i32>> = vec![None; texts.len()];
                for row in rows {
                    let place = keys.get(*row as usize).copied().flatten().and_then(|key| usize::try_from(key).ok());
                    let key = place.and_then(|place| {
                        let slot = known.get_mut(place)?;
                        if slot.is_none() {
                            *slot = b.key(texts.value(place));
                        }
                        *slot
                    });
                    b.append(key);
                }
            }
            (Values::Ints { values, nulls }, ColumnBuilder::Integer(b) | ColumnBuilder::Money(b)) => {
                rows.iter().for_each(|row| b.append_option(int(values, nulls, *row)));
            }
            (Values::Ints { values, nulls }, ColumnBuilder::Timestamp(b)) => {
                rows.iter().for_each(|row| b.append_option(int(values, nulls, *row)));
            }
            (Values::Numbers(numbers), ColumnBuilder::Number(b)) => {
                let number = |row: usize| numbers.is_valid(row).then(|| numbers.value(row));
                rows.iter().for_each(|row| b.append_option(number(*row as usize)));
            }
            (Values::Booleans(bits), ColumnBuilder::Boolean(b)) => {
                let bit = |row: usize| bits.is_valid(row).then(|| bits.value(row));
                rows.iter().for_each(|row| b.append_option(bit(*row as usize)));
            }
            (_, builder) => rows.iter().for_each(|_| builder.append_missing()),
        }
    }
}

impl EventSink<'_, '_, '_> {
    /// Takes all rows of some columns, or none.
    pub(super) fn take_columns(&mut self, columns: &[Option<ArrayRef>], n_rows: usize) -> Option<()> {
        let column = |at: Option<usize>| columns.get(at?)?.as_ref();
        let rows = self.rows(&column, n_rows)?;
        // Everything is looked at before anything is taken.
        let mut values: Vec<Vec<Option<Arc<Values>>>> = Vec::new();
        let mut converted: Vec<(usize, seg_data::Type, Arc<Values>)> = Vec::new();
        for ((table, of_file), rows) in self.tables.tables.iter().zip(&self.columns).zip(&rows.of_event) {
            let mut of_table = Vec::new();
            for (property, at) in table.columns.iter().zip(of_file) {
                if !property.is_wanted || rows.is_empty() || !table.is_wanted {
                    of_table.push(None);
                    continue;
                }
                // Properties of several events are often one column of the file.
                let is_it =
                    |(of, ty, _): &&(usize, seg_data::Type, Arc<Values>)| Some(*of) == *at && *ty == property.field.ty;
                let is_plain = property.field.allowed.is_none() && !property.field.is_required;
                let known = converted.iter().find(is_it).filter(|_| is_plain);
                let values = match known {
                    Some((_, _, values)) => Arc::clone(values),
                    None => Arc::new(Values::new(property, column(*at))?),
                };
                if let (Some(at), None) = (at, known) {
                    converted.push((*at, property.field.ty.clone(), Arc::clone(&values)));
                }
                of_table.push(Some(values));
            }
            values.push(of_table);
        }
        self.loader.count_rows(n_rows as u64);
        // Rows of the batch, in the order in which they are met.
        let meet = |row: usize| self.loader.people.person_of(&rows.ids.cell(row)).row;
        let people = rows.people.unwrap_or_else(|| (0..n_rows).map(meet).collect());
        let n_arrived = self.tables.n_arrived;
        self.tables.n_arrived += n_rows as i64;
        let wanted = self.loader.wanted;
        for ((table, own), values) in self.tables.tables.iter_mut().zip(&rows.of_event).zip(values) {
            take(table, rows.times.values(), (&people, n_arrived), own, &values, wanted);
        }
        Some(())
    }

    /// The rows by event, where each is fit.
    fn rows<'c>(&mut self, column: &impl Fn(Option<usize>) -> Option<&'c ArrayRef>, n_rows: usize) -> Option<Rows> {
        // Events are told apart by their ids one by one.
        if self.tables.tables.iter().any(|table| table.id_property.is_some()) {
            return None;
        }
        let ids = Ids::new(column(self.id_at)?)?;
        let people = ids.known(&self.loader.people);
        // Who is not listed is reported.
        if self.has_profiles && people.is_none() {
            return None;
        }
        let times = column(self.time_at)?.as_primitive_opt::<TimestampMicrosecondType>()?;
        let are_fit = times.null_count() == 0 && times.values().iter().all(|time| Instant(*time).is_in_range());
        let names = column(self.event_at)?.as_dictionary_opt::<Int32Type>()?;
        if !are_fit || names.null_count() > 0 || names.len() != n_rows || times.len() != n_rows {
            return None;
        }
        let texts = names.values().as_string_opt::<i32>()?;
        let places: Vec<Option<usize>> = texts.iter().map(|name| self.tables.place(name?)).collect();
        let mut of_event: Vec<Vec<u32>> = self.tables.tables.iter().map(|_| Vec::new()).collect();
        for (row, key) in (0_u32..).zip(names.keys().values()) {
            let place = usize::try_from(*key).ok().and_then(|key| places.get(key).copied().flatten())?;
            of_event.get_mut(place)?.push(row);
        }
        Some(Rows { ids, people, times: times.clone(), of_event })
    }
}

/// Takes some rows as events of one name. `people` and `times` are those of all
/// rows; the first row is the event that arrived after `n_arrived` others.
fn take(
    table: &mut EventTable<'_>,
    times: &[i64],
    (people, n_arrived): (&[u32], i64),
    own: &[u32],
    values: &[Option<Arc<Values>>],
    wanted: &Wanted,
) {
    let time = |row: &u32| times.get(*row as usize).copied().unwrap_or_default();
    table.n_events += own.len() as u64;
    table.last_event = table.last_event.max(own.iter().map(time).max().map(Instant));
    let Some(wanted) = wanted.events.get(&table.id) else { return };
    let is_wanted = |row: &u32| wanted.since.is_none_or(|since| since <= Instant(time(row)));
    let own: Vec<u32> = own.iter().copied().filter(is_wanted).collect();
    table.people.extend(own.iter().map(|row| people.get(*row as usize).copied().unwrap_or_default()));
    table.times.extend(own.iter().map(time));
    table.arrivals.extend(own.iter().map(|row| n_arrived + i64::from(*row)));
    for (column, values) in table.columns.iter_mut().zip(values) {
        if let Some(values) = values {
            values.append(&mut column.builder, &own);
        }
    }
}
