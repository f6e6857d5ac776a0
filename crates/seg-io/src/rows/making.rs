//! Typed columns made of the values of text files, where each row is as it should be.

use super::Columns;
use crate::cell::{Cell, Unfit};
use crate::people::whole_number;
use crate::primitives::Primitives;
use crate::texts::is_blank;
use crate::times;
use arrow_array::builder::StringBuilder;
use arrow_array::types::{Date32Type, Decimal64Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, DictionaryArray, Int64Array, StringArray};
use hashbrown::{DefaultHashBuilder, HashTable};
use seg_data::{Type, Zone};
use std::hash::BuildHasher;
use std::sync::Arc;

/// What a sink makes of the values of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Purpose {
    /// They say whose rows are.
    Id,
    /// They say what events are called.
    Name,
    /// They say when events were.
    Time,
    /// They are values of this type.
    Value(Type),
}

/// What is made of each column of a file.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub purposes: Vec<Option<Purpose>>,
    pub zone: Option<Zone>,
}

/// Columns that grow row by row. What is not as it should be is taken back.
pub(super) struct Maker<'l> {
    /// For each column of the file what is made of it.
    columns: Vec<Option<Making<'l>>>,
    /// So many rows are whole, and this is the line of each.
    lines: Vec<u32>,
    zone: Option<Zone>,
}

struct Making<'l> {
    purpose: &'l Purpose,
    values: Values,
    /// So many there are, one more than rows where that of the row at hand is there.
    len: usize,
}

enum Values {
    Ids(Ids),
    Texts(Texts),
    Integers(Primitives<i64>),
    Amounts(Primitives<i64>),
    Instants(Primitives<i64>),
    Numbers(Primitives<f64>),
    Days(Primitives<i32>),
    Booleans(Primitives<bool>),
}

impl Values {
    /// None where such values make no column.
    fn new(purpose: &Purpose) -> Option<Values> {
        Some(match purpose {
            Purpose::Id => Values::Ids(Ids::Numbers(Vec::new())),
            Purpose::Name | Purpose::Value(Type::Text) => Values::Texts(Texts::default()),
            Purpose::Time | Purpose::Value(Type::Timestamp) => Values::Instants(Primitives::default()),
            Purpose::Value(Type::Integer | Type::Duration) => Values::Integers(Primitives::default()),
            Purpose::Value(Type::Money) => Values::Amounts(Primitives::default()),
            Purpose::Value(Type::Number) => Values::Numbers(Primitives::default()),
            Purpose::Value(Type::Date) => Values::Days(Primitives::default()),
            Purpose::Value(Type::Boolean) => Values::Booleans(Primitives::default()),
            Purpose::Value(Type::List(_) | Type::Records(_)) => return None,
        })
    }
}

impl Purpose {
    /// Whether columns are made of such values.
    pub fn makes_columns(&self) -> bool {
        Values::new(self).is_some()
    }
}

impl<'l> Maker<'l> {
    pub fn new(layout: &'l Layout) -> Maker<'l> {
        let making = |purpose: &'l Purpose| Some(Making { purpose, values: Values::new(purpose)?, len: 0 });
        let columns = layout.purposes.iter().map(|purpose| purpose.as_ref().and_then(making)).collect();
        Maker { columns, lines: Vec::new(), zone: layout.zone }
    }

    /// How many rows are whole.
    pub fn n_rows(&self) -> usize {
        self.lines.len()
    }

    /// Whether a number in floating point is as good as its digits for a column.
    pub fn takes_floats(&self, column: usize) -> bool {
        let making = self.columns.get(column).and_then(Option::as_ref);
        making.is_none_or(|making| matches!(making.values, Values::Numbers(_)))
    }

    /// Takes the value of a column in the row at hand, and says whether it is one for it.
    pub fn put(&mut self, column: usize, cell: &Cell<'_>) -> bool {
        let Some(Some(making)) = self.columns.get_mut(column) else { return true };
        // A second value takes the place of none.
        let is_first = making.len == self.lines.len();
        making.len += usize::from(is_first);
        is_first && making.put(cell, self.zone).is_some()
    }

    /// Ends the row at hand, where what it lacks may be missing; says whether.
    pub fn end_row(&mut self, line: u32) -> bool {
        let n_rows = self.lines.len();
        for making in self.columns.iter_mut().flatten().filter(|making| making.len == n_rows) {
            making.len += 1;
            if making.put(&Cell::Missing, self.zone).is_none() {
                return false;
            }
        }
        self.lines.push(line);
        true
    }

    /// Takes back the row at hand.
    pub fn undo_row(&mut self) {
        let n_rows = self.lines.len();
        self.columns.iter_mut().flatten().for_each(|making| making.truncate(n_rows));
    }

    /// The columns, which end here, and begin anew.
    pub fn finish(&mut self) -> Columns {
        let n_rows = self.lines.len();
        let array = |making: &mut Making<'l>| {
            making.len = 0;
            making.finish()
        };
        let arrays = self.columns.iter_mut().map(|making| making.as_mut().map(array)).collect();
        Columns { arrays, n_rows, are_known: false, lines: std::mem::take(&mut self.lines) }
    }
}

impl Making<'_> {
    /// None where a cell is no such value, or is to be told of.
    fn put(&mut self, cell: &Cell<'_>, zone: Option<Zone>) -> Option<()> {
        match &mut self.values {
            Values::Ids(ids) => ids.put(cell)?,
            Values::Texts(texts) => {
                let key = match cell {
                    Cell::Text(text) if !is_blank(text) => Some(texts.key(text)?),
                    missing if missing.is_missing() && *self.purpose != Purpose::Name => None,
                    _ => return None,
                };
                texts.keys.append(key);
            }
            Values::Instants(instants) => {
                let at = instant(cell, zone)?;
                // An event has a time.
                if at.is_none() && *self.purpose == Purpose::Time {
                    return None;
                }
                instants.append(at);
            }
            Values::Integers(integers) => integers.append(integer(cell)?),
            Values::Amounts(amounts) => amounts.append(fit(cell.money())?.map(|money| money.0)),
            Values::Numbers(numbers) => numbers.append(number(cell)?),
            Values::Days(days) => {
                // Whoever reads numbers as days tells of it.
                let day = if cell.as_unix().is_some() { None } else { fit(cell.date(zone)) };
                days.append(day?.map(|day| day.0));
            }
            Values::Booleans(bits) => bits.append(fit(cell.boolean())?),
        }
        Some(())
    }

    fn truncate(&mut self, n: usize) {
        self.len = self.len.min(n);
        match &mut self.values {
            Values::Ids(Ids::Numbers(numbers)) => numbers.truncate(n),
            Values::Ids(Ids::Texts(texts)) => texts.truncate(n),
            Values::Texts(texts) => texts.keys.truncate(n),
            Values::Integers(v) | Values::Amounts(v) | Values::Instants(v) => v.truncate(n),
            Values::Numbers(v) => v.truncate(n),
            Values::Days(v) => v.truncate(n),
            Values::Booleans(v) => v.truncate(n),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match &mut self.values {
            Values::Ids(ids) => ids.finish(),
            Values::Texts(texts) => texts.finish(),
            Values::Integers(v) => Arc::new(v.finish::<Int64Type>()),
            // As many places as money has.
            Values::Amounts(v) => {
                let amounts = v.finish::<Decimal64Type>();
                let (precision, scale) = AMOUNT;
                match amounts.clone().with_precision_and_scale(precision, scale) {
                    Ok(amounts) => Arc::new(amounts),
                    Err(_) => Arc::new(amounts),
                }
            }
            Values::Instants(v) => Arc::new(v.finish::<TimestampMicrosecondType>().with_timezone("UTC")),
            Values::Numbers(v) => Arc::new(v.finish::<Float64Type>()),
            Values::Days(v) => Arc::new(v.finish::<Date32Type>()),
            Values::Booleans(v) => Arc::new(v.finish_bits()),
        }
    }
}

/// How amounts are kept: in ten-thousandths.
const AMOUNT: (u8, i8) = (18, 4);

fn fit<T>(parsed: Result<Option<T>, Unfit>) -> Option<Option<T>> {
    parsed.ok()
}

fn instant(cell: &Cell<'_>, zone: Option<Zone>) -> Option<Option<i64>> {
    if let Cell::Text(text) = cell
        && let Some(at) = times::utc(text.as_bytes())
    {
        return Some(Some(at.0));
    }
    // Whoever reads numbers as times tells of it.
    if cell.as_unix().is_some() {
        return None;
    }
    fit(cell.instant(zone)).map(|at| at.map(|at| at.0))
}

fn integer(cell: &Cell<'_>) -> Option<Option<i64>> {
    match cell {
        Cell::Text(text) => match short_number(text) {
            Some(number) => Some(Some(number)),
            None => fit(cell.integer()),
        },
        other => fit(other.integer()),
    }
}

fn number(cell: &Cell<'_>) -> Option<Option<f64>> {
    match cell {
        // What begins with a digit stands for something.
        Cell::Text(text) if text.starts_with(|c: char| c.is_ascii_digit()) => {
            let number = text.trim_ascii_end().parse::<f64>();
            number.ok().map(|number| Some(number).filter(|number| number.is_finite())).or_else(|| fit(cell.number()))
        }
        other => fit(other.number()),
    }
}

/// A number of few digits and nothing else.
fn short_number(text: &str) -> Option<i64> {
    const DIGITS_MAX: usize = 18;
    let is_short = !text.is_empty() && text.len() <= DIGITS_MAX;
    let digit = |n: i64, byte: u8| byte.is_ascii_digit().then(|| n * 10 + i64::from(byte - b'0'));
    if is_short { text.bytes().try_fold(0, digit) } else { None }
}

/// Ids, which are numbers as long as all are.
enum Ids {
    Numbers(Vec<i64>),
    Texts(TextColumn),
}

/// Texts one behind the other.
#[derive(Default)]
struct TextColumn {
    text: String,
    ends: Vec<usize>,
}

impl TextColumn {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    fn truncate(&mut self, n: usize) {
        self.ends.truncate(n);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }

    fn finish(&mut self) -> StringArray {
        let mut texts = StringBuilder::with_capacity(self.ends.len(), self.text.len());
        let mut begin = 0;
        for end in self.ends.drain(..) {
            texts.append_value(self.text.get(begin..end).unwrap_or_default());
            begin = end;
        }
        self.text.clear();
        texts.finish()
    }
}

impl Ids {
    fn put(&mut self, cell: &Cell<'_>) -> Option<()> {
        match (&mut *self, cell) {
            (Ids::Numbers(numbers), Cell::Integer(number)) => numbers.push(*number),
            (Ids::Numbers(numbers), Cell::Text(text)) => {
                let is_plain = !text.starts_with('0') || text.len() == 1;
                let number = if is_plain { short_number(text).or_else(|| whole_number(text)) } else { None };
                match number {
                    Some(number) => numbers.push(number),
                    None => {
                        cell.as_id()?;
                        let mut texts = TextColumn::default();
                        numbers.iter().for_each(|number| texts.push(&number.to_string()));
                        texts.push(text);
                        *self = Ids::Texts(texts);
                    }
                }
            }
            (Ids::Texts(texts), Cell::Text(text)) => {
                cell.as_id()?;
                texts.push(text);
            }
            (Ids::Texts(texts), Cell::Integer(number)) => texts.push(&number.to_string()),
            _ => return None,
        }
        Some(())
    }

    fn finish(&mut self) -> ArrayRef {
        match std::mem::replace(self, Ids::Numbers(Vec::new())) {
            Ids::Numbers(numbers) => Arc::new(Int64Array::from(numbers)),
            Ids::Texts(mut texts) => Arc::new(texts.finish()),
        }
    }
}

/// A key for each row, a text for each key.
#[derive(Default)]
struct Texts {
    known: HashTable<i32>,
    hasher: DefaultHashBuilder,
    texts: TextColumn,
    keys: Primitives<i32>,
}

impl Texts {
    fn key(&mut self, text: &str) -> Option<i32> {
        let of_key = |key: &i32| of_key(&self.texts, *key);
        let hash = |text: &str| self.hasher.hash_one(text);
        let found = self.known.entry(hash(text), |key| of_key(key) == text, |key| hash(of_key(key)));
        match found {
            hashbrown::hash_table::Entry::Occupied(known) => Some(*known.get()),
            hashbrown::hash_table::Entry::Vacant(slot) => {
                let key = i32::try_from(self.texts.ends.len()).ok()?;
                slot.insert(key);
                self.texts.push(text);
                Some(key)
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        let keys = self.keys.finish::<Int32Type>();
        self.known.clear();
        Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(self.texts.finish())))
    }
}

/// The text of a key.
fn of_key(texts: &TextColumn, key: i32) -> &str {
    let at = usize::try_from(key).unwrap_or(usize::MAX);
    let begin = at.checked_sub(1).and_then(|before| texts.ends.get(before)).copied().unwrap_or(0);
    texts.ends.get(at).and_then(|end| texts.text.get(begin..*end)).unwrap_or_default()
}
