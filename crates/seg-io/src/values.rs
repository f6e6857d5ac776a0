//! Columns of files as columns of a batch take them, where nothing is wrong with
//! any value. What is not so common, or is wrong, comes row by row instead.

use crate::cell::Cell;
use crate::column::{ColumnBuilder, TypedColumn};
use crate::people::People;
use crate::texts::is_blank;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal64Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, Int32Array, StringArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use seg_data::decimal::{self, Inexact};
use seg_data::{Decimal, Money, Timestamp, Type};

/// The ids of the people whose rows these are.
pub(crate) enum Ids {
    Numbers(ScalarBuffer<i64>),
    Texts(StringArray),
}

impl Ids {
    /// The ids of a column, where each row has one.
    pub fn new(array: &ArrayRef) -> Option<Ids> {
        if array.null_count() > 0 {
            return None;
        }
        if let Some(texts) = array.as_string_opt::<i32>() {
            return texts
                .iter()
                .flatten()
                .all(|text| Cell::Text(text).as_id().is_some())
                .then(|| Ids::Texts(texts.clone()));
        }
        numbers(array).map(Ids::Numbers)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Ids::Numbers(numbers) => numbers.len(),
            Ids::Texts(texts) => texts.len(),
        }
    }

    /// Those of some rows.
    pub fn rows(&self, rows: &[u32]) -> Ids {
        match self {
            Ids::Numbers(numbers) => {
                let number = |row: &u32| numbers.get(*row as usize).copied().unwrap_or_default();
                Ids::Numbers(rows.iter().map(number).collect())
            }
            Ids::Texts(texts) => {
                let there = rows.iter().map(|row| *row as usize).filter(|row| *row < texts.len());
                Ids::Texts(StringArray::from_iter_values(there.map(|row| texts.value(row))))
            }
        }
    }

    pub fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Ids::Numbers(numbers) => numbers.get(row).map_or(Cell::Missing, |number| Cell::Integer(*number)),
            Ids::Texts(texts) => Cell::Text(texts.value(row)),
        }
    }

    /// The rows of everyone, where all were met before.
    pub fn known(&self, people: &People) -> Option<Vec<u32>> {
        match self {
            Ids::Numbers(numbers) => people.known(numbers),
            Ids::Texts(texts) => texts.iter().map(|text| people.row(text?)).collect(),
        }
    }
}

/// Whole numbers of the common widths; places that are null have any.
fn numbers(array: &ArrayRef) -> Option<ScalarBuffer<i64>> {
    if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
        return Some(numbers.values().clone());
    }
    if let Some(numbers) = array.as_primitive_opt::<Int32Type>() {
        return Some(numbers.values().iter().map(|n| i64::from(*n)).collect());
    }
    if let Some(numbers) = array.as_primitive_opt::<UInt32Type>() {
        return Some(numbers.values().iter().map(|n| i64::from(*n)).collect());
    }
    if let Some(numbers) = array.as_primitive_opt::<UInt64Type>() {
        let numbers = numbers.values().iter().map(|n| i64::try_from(*n).ok());
        return numbers.collect::<Option<Vec<i64>>>().map(ScalarBuffer::from);
    }
    decimal::map(array, Decimal::whole)?.ok().map(ScalarBuffer::from)
}

/// Numbers in floating point, all of them finite; of decimals the nearest.
fn floats(array: &ArrayRef) -> Option<ScalarBuffer<f64>> {
    if let Some(numbers) = array.as_primitive_opt::<Float64Type>() {
        return numbers.iter().flatten().all(f64::is_finite).then(|| numbers.values().clone());
    }
    let nearest = |decimal: Decimal| Ok::<f64, Inexact>(decimal.nearest());
    decimal::map(array, nearest)?.ok().map(ScalarBuffer::from)
}

/// Where a column has more different texts, one is hardly among those that are allowed.
const ALLOWED_MAX: usize = 10_000;

/// The values of a column, each with a row of the file.
pub(crate) enum Values {
    /// No row has one.
    Missing,
    /// A key for each row, into the texts.
    Texts {
        keys: Int32Array,
        texts: StringArray,
    },
    Ints(ScalarBuffer<i64>, Option<NullBuffer>),
    Numbers(ScalarBuffer<f64>, Option<NullBuffer>),
    Days(ScalarBuffer<i32>, Option<NullBuffer>),
    Booleans(BooleanArray),
}

impl Values {
    /// The values of an array for a column; none where a value is not of its type, or one
    /// of those in some rows, or in all, is not what the schema says of single values.
    pub fn new(column: &TypedColumn<'_>, array: Option<&ArrayRef>, rows: Option<&[u32]>) -> Option<Values> {
        let array = array.filter(|array| array.null_count() < array.len());
        let Some(array) = array else { return (!column.field.is_required).then_some(Values::Missing) };
        if column.field.is_required && array.null_count() > 0 {
            let is_there = |row: &u32| array.is_valid(*row as usize);
            rows.filter(|rows| rows.iter().all(is_there))?;
        }
        if let (Some(allowed), Type::Text) = (&column.field.allowed, &column.field.ty) {
            let texts = array.as_dictionary_opt::<Int32Type>()?.values().as_string_opt::<i32>()?;
            let is_allowed = |text: &str| allowed.iter().any(|allowed| allowed == text);
            if texts.len() > ALLOWED_MAX || !texts.iter().flatten().all(is_allowed) {
                return None;
            }
        }
        let nulls = array.nulls().filter(|n| n.null_count() > 0).cloned();
        Some(match column.builder {
            ColumnBuilder::Text(_) => {
                let coded = array.as_dictionary_opt::<Int32Type>()?;
                let texts = coded.values().as_string_opt::<i32>()?.clone();
                // A text in which nothing can be seen is a missing one.
                if texts.null_count() > 0 || texts.iter().flatten().any(is_blank) {
                    return None;
                }
                Values::Texts { keys: coded.keys().clone(), texts }
            }
            ColumnBuilder::Integer(_) => Values::Ints(numbers(array)?, nulls),
            ColumnBuilder::Money(_) => Values::Ints(money(array, nulls.as_ref())?, nulls),
            ColumnBuilder::Timestamp(_) => {
                let times = array.as_primitive_opt::<TimestampMicrosecondType>()?;
                let are_fit = times.iter().flatten().all(|time| Timestamp(time).is_in_range());
                are_fit.then(|| Values::Ints(times.values().clone(), nulls))?
            }
            ColumnBuilder::Number(_) => Values::Numbers(floats(array)?, nulls),
            ColumnBuilder::Date(_) => Values::Days(array.as_primitive_opt::<Date32Type>()?.values().clone(), nulls),
            ColumnBuilder::Boolean(_) => Values::Booleans(array.as_boolean_opt()?.clone()),
            ColumnBuilder::TextList(_)
            | ColumnBuilder::IntegerList(_)
            | ColumnBuilder::NumberList(_)
            | ColumnBuilder::TimestampList(_)
            | ColumnBuilder::Records(_) => return None,
        })
    }

    /// Appends the values of some rows to a column of their type. Gives the rows
    /// whose text the column has no more room for, which it lacks now.
    pub fn append(&self, builder: &mut ColumnBuilder, rows: &[u32]) -> Vec<u32> {
        let mut unfit = Vec::new();
        match (self, builder) {
            (Values::Texts { keys, texts }, ColumnBuilder::Text(b)) => {
                let nulls = keys.nulls().filter(|n| n.null_count() > 0);
                // For each key of the file the column's own, once it is met.
                let mut known: Vec<Option<i32>> = vec![None; texts.len()];
                let mut own: Vec<Option<i32>> = Vec::with_capacity(rows.len());
                for row in rows {
                    let is_there = nulls.is_none_or(|n| n.is_valid(*row as usize));
                    let place = keys.values().get(*row as usize).filter(|_| is_there).map(|key| *key as usize);
                    let Some((place, slot)) = place.and_then(|place| Some((place, known.get_mut(place)?))) else {
                        own.push(None);
                        continue;
                    };
                    if slot.is_none() {
                        *slot = b.key(texts.value(place));
                        if slot.is_none() {
                            unfit.push(*row);
                        }
                    }
                    own.push(*slot);
                }
                b.keys.extend(&own);
            }
            (
                Values::Ints(values, nulls),
                ColumnBuilder::Integer(b) | ColumnBuilder::Money(b) | ColumnBuilder::Timestamp(b),
            ) => b.gather(values, nulls.as_ref(), rows),
            (Values::Numbers(values, nulls), ColumnBuilder::Number(b)) => b.gather(values, nulls.as_ref(), rows),
            (Values::Days(values, nulls), ColumnBuilder::Date(b)) => b.gather(values, nulls.as_ref(), rows),
            (Values::Booleans(bits), ColumnBuilder::Boolean(b)) => {
                let bit = |row: usize| bits.is_valid(row).then(|| bits.value(row));
                rows.iter().for_each(|row| b.append(bit(*row as usize)));
            }
            (_, builder) => builder.append_missing(rows.len()),
        }
        unfit
    }
}

/// Amounts in ten-thousandths; none where one is no money.
fn money(array: &ArrayRef, nulls: Option<&NullBuffer>) -> Option<ScalarBuffer<i64>> {
    if let Some(amounts) = array.as_primitive_opt::<Decimal64Type>().filter(|amounts| amounts.scale() == 4) {
        return Some(amounts.values().clone());
    }
    if let Some(amounts) = decimal::map(array, |amount| amount.money().map(|money| money.0)) {
        return amounts.ok().map(ScalarBuffer::from);
    }
    // What lies in a place that is null is no matter.
    let amount = |(row, money): (usize, Option<Money>)| match money {
        Some(money) => Some(money.0),
        None => nulls.is_some_and(|n| n.is_null(row)).then_some(0),
    };
    let amounts: Option<Vec<i64>> = match array.as_primitive_opt::<Float64Type>() {
        Some(numbers) => numbers.values().iter().map(|n| Money::from_number(*n)).enumerate().map(amount).collect(),
        None => numbers(array)?.iter().map(|n| Money::from_integer((*n).into())).enumerate().map(amount).collect(),
    };
    amounts.map(ScalarBuffer::from)
}
