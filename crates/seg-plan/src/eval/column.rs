//! Columns of values while a plan is evaluated.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use hashbrown::HashMap;
use seg_data::{Date, Timestamp, Type, Value, batch};

/// A column: conditions as bits, whole numbers of every kind as integers,
/// texts as keys of a dictionary.
#[derive(Debug, Clone)]
pub(super) enum Column {
    Bools(Vec<bool>),
    Ints { kind: IntKind, values: Vec<i128>, known: Vec<bool> },
    Numbers(Vec<Option<f64>>),
    Texts { keys: Vec<Option<u32>>, dictionary: Vec<String> },
    Lists(Vec<Option<Value>>),
}

/// What the integers of a column stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IntKind {
    Boolean,
    Integer,
    Money,
    Timestamp,
    Date,
}

impl IntKind {
    fn of(value: &Value) -> Option<(IntKind, i128)> {
        Some(match value {
            Value::Boolean(b) => (IntKind::Boolean, i128::from(*b)),
            Value::Integer(i) => (IntKind::Integer, *i),
            Value::Money(m) => (IntKind::Money, *m),
            Value::Timestamp(t) => (IntKind::Timestamp, t.0.into()),
            Value::Date(d) => (IntKind::Date, d.0.into()),
            _ => return None,
        })
    }

    fn value(self, int: i128) -> Value {
        match self {
            IntKind::Boolean => Value::Boolean(int != 0),
            IntKind::Integer => Value::Integer(int),
            IntKind::Money => Value::Money(int),
            // Columns of these kinds are made of values that fit.
            IntKind::Timestamp => Value::Timestamp(Timestamp(int as i64)),
            IntKind::Date => Value::Date(Date(int as i32)),
        }
    }
}

impl Column {
    /// Rows of a batch's column.
    pub fn read(column: &batch::Column, rows: impl Iterator<Item = usize>) -> Column {
        let array = column.array();
        match column.ty() {
            Type::Boolean => {
                let array = array.as_boolean_opt();
                ints(IntKind::Boolean, column, rows, |row| array.map_or(0, |a| a.value(row).into()))
            }
            Type::Integer | Type::Money | Type::Duration => {
                let kind = if *column.ty() == Type::Money { IntKind::Money } else { IntKind::Integer };
                let array = array.as_primitive_opt::<Int64Type>();
                ints(kind, column, rows, |row| array.map_or(0, |a| a.value(row).into()))
            }
            Type::Timestamp => {
                let array = array.as_primitive_opt::<TimestampMicrosecondType>();
                ints(IntKind::Timestamp, column, rows, |row| array.map_or(0, |a| a.value(row).into()))
            }
            Type::Date => {
                let array = array.as_primitive_opt::<Date32Type>();
                ints(IntKind::Date, column, rows, |row| array.map_or(0, |a| a.value(row).into()))
            }
            Type::Number => {
                let numbers = array.as_primitive_opt::<Float64Type>();
                let read = |row: Option<usize>| Some(numbers?.value(row?)).filter(|n| n.is_finite());
                Column::Numbers(rows_of(array, rows).map(read).collect())
            }
            Type::Text => texts(column, rows),
            Type::List(_) | Type::Records(_) => Column::Lists(rows.map(|row| column.value(row)).collect()),
        }
    }

    /// A column that has no value at all.
    pub fn missing(len: usize) -> Column {
        Column::Numbers(vec![None; len])
    }

    /// The same, of a type.
    pub fn missing_of(ty: &Type, len: usize) -> Column {
        match ty {
            Type::Text => Column::Texts { keys: vec![None; len], dictionary: Vec::new() },
            Type::List(_) | Type::Records(_) => Column::Lists(vec![None; len]),
            _ => Column::missing(len),
        }
    }

    /// One value, over and over.
    pub fn repeated(value: &Value, len: usize) -> Column {
        match (IntKind::of(value), value) {
            (Some((kind, int)), _) => Column::Ints { kind, values: vec![int; len], known: vec![true; len] },
            (None, Value::Number(n)) => Column::Numbers(vec![Some(*n); len]),
            (None, Value::Text(t)) => Column::Texts { keys: vec![Some(0); len], dictionary: vec![t.clone()] },
            (None, other) => Column::Lists(vec![Some(other.clone()); len]),
        }
    }

    /// Values of one type, some of them missing.
    pub fn of(values: impl Iterator<Item = Option<Value>>) -> Column {
        let values: Vec<Option<Value>> = values.collect();
        let first = values.iter().flatten().next();
        match (first.and_then(IntKind::of), first) {
            (Some((kind, _)), _) => Column::Ints {
                kind,
                values: values.iter().map(|v| v.as_ref().and_then(IntKind::of).map_or(0, |(_, int)| int)).collect(),
                known: values.iter().map(Option::is_some).collect(),
            },
            (None, Some(Value::Text(_))) => {
                let mut dictionary = Dictionary::default();
                let keys = values.iter().map(|v| match v {
                    Some(Value::Text(t)) => Some(dictionary.key(t)),
                    _ => None,
                });
                Column::Texts { keys: keys.collect(), dictionary: dictionary.texts }
            }
            (None, Some(Value::List(_))) => Column::Lists(values),
            _ => Column::Numbers(
                values
                    .iter()
                    .map(|v| match v {
                        Some(Value::Number(n)) => Some(*n),
                        _ => None,
                    })
                    .collect(),
            ),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Column::Bools(bits) => bits.len(),
            Column::Ints { values, .. } => values.len(),
            Column::Numbers(values) => values.len(),
            Column::Texts { keys, .. } => keys.len(),
            Column::Lists(values) => values.len(),
        }
    }

    pub fn is_known(&self, row: usize) -> bool {
        match self {
            Column::Bools(_) => true,
            Column::Ints { known, .. } => known.get(row).copied().unwrap_or(false),
            Column::Numbers(values) => values.get(row).is_some_and(Option::is_some),
            Column::Texts { keys, .. } => keys.get(row).is_some_and(Option::is_some),
            Column::Lists(values) => values.get(row).is_some_and(Option::is_some),
        }
    }

    pub fn value(&self, row: usize) -> Option<Value> {
        match self {
            Column::Bools(bits) => bits.get(row).map(|b| Value::Boolean(*b)),
            Column::Ints { kind, values, known } => {
                values.get(row).filter(|_| known.get(row).copied().unwrap_or(false)).map(|int| kind.value(*int))
            }
            Column::Numbers(values) => values.get(row).copied().flatten().map(Value::Number),
            Column::Texts { keys, dictionary } => {
                let key = keys.get(row).copied().flatten()?;
                dictionary.get(key as usize).cloned().map(Value::Text)
            }
            Column::Lists(values) => values.get(row)?.clone(),
        }
    }

    /// A value as columns of integers have it, if they have it.
    pub fn int(value: &Value) -> Option<i128> {
        IntKind::of(value).map(|(_, int)| int)
    }

    /// Instants, some of them missing.
    pub fn times(times: impl Iterator<Item = Option<Timestamp>>) -> Column {
        let (values, known) = times.map(|time| (time.map_or(0, |time| time.0.into()), time.is_some())).unzip();
        Column::Ints { kind: IntKind::Timestamp, values, known }
    }

    /// The integers and which of them are known.
    pub fn ints(&self) -> Option<(&[i128], &[bool])> {
        match self {
            Column::Ints { values, known, .. } => Some((values, known)),
            _ => None,
        }
    }

    /// A test of each value, false where there is none; of texts once for each
    /// entry of the dictionary.
    pub fn test(&self, test: impl Fn(&Value) -> bool) -> Column {
        Column::Bools(match self {
            Column::Texts { keys, dictionary } => {
                let answers: Vec<bool> = dictionary.iter().map(|t| test(&Value::Text(t.clone()))).collect();
                keys.iter().map(|k| k.and_then(|k| answers.get(k as usize).copied()).unwrap_or(false)).collect()
            }
            other => (0..other.len()).map(|row| other.value(row).is_some_and(|v| test(&v))).collect(),
        })
    }

    /// Each value by a function; of texts once for each entry of the dictionary.
    pub fn map(&self, function: impl Fn(Value) -> Option<Value>) -> Column {
        match self {
            Column::Texts { keys, dictionary } => {
                let results: Vec<Option<Value>> = dictionary.iter().map(|t| function(Value::Text(t.clone()))).collect();
                Column::of(keys.iter().map(|k| results.get(k.as_ref().copied()? as usize)?.clone()))
            }
            other => Column::of((0..other.len()).map(|row| other.value(row).and_then(&function))),
        }
    }

    /// The rows named, in that order.
    pub fn take(&self, rows: &[u32]) -> Column {
        fn take<T: Clone + Default>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|row| values.get(*row as usize).cloned().unwrap_or_default()).collect()
        }
        match self {
            Column::Bools(bits) => Column::Bools(take(bits, rows)),
            Column::Ints { kind, values, known } => {
                Column::Ints { kind: *kind, values: take(values, rows), known: take(known, rows) }
            }
            Column::Numbers(values) => Column::Numbers(take(values, rows)),
            Column::Texts { keys, dictionary } => {
                Column::Texts { keys: take(keys, rows), dictionary: dictionary.clone() }
            }
            Column::Lists(values) => Column::Lists(take(values, rows)),
        }
    }
}

fn ints(
    kind: IntKind,
    column: &batch::Column,
    rows: impl Iterator<Item = usize>,
    read: impl Fn(usize) -> i128,
) -> Column {
    let (mut values, mut known) = (Vec::new(), Vec::new());
    for row in rows_of(column.array(), rows) {
        values.push(row.map_or(0, &read));
        known.push(row.is_some());
    }
    Column::Ints { kind, values, known }
}

/// Each row, or `None` where the array has a null there.
fn rows_of<'a>(
    array: &'a dyn Array,
    rows: impl Iterator<Item = usize> + 'a,
) -> impl Iterator<Item = Option<usize>> + 'a {
    rows.map(|row| (row < array.len() && array.is_valid(row)).then_some(row))
}

#[derive(Default)]
struct Dictionary {
    texts: Vec<String>,
    keys: HashMap<String, u32>,
}

impl Dictionary {
    fn key(&mut self, text: &str) -> u32 {
        if let Some(key) = self.keys.get(text) {
            return *key;
        }
        let key = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.keys.insert(text.to_owned(), key);
        key
    }
}

fn texts(column: &batch::Column, rows: impl Iterator<Item = usize>) -> Column {
    let Some((coded, values)) = column.texts() else { return Column::of(rows.map(|row| column.value(row))) };
    let dictionary = values.iter().map(|text| text.unwrap_or("").to_owned()).collect();
    let keys = rows_of(coded, rows).map(|row| coded.key(row?).map(|at| at as u32)).collect();
    Column::Texts { keys, dictionary }
}
