//! Columns that grow a cell at a time.

use crate::cell::{Cell, Unfit};
use crate::order::{Order, Scratch};
use crate::primitives::Primitives;
use crate::rows::json_cell;
use crate::texts::Texts;
use arrow_array::builder::{
    ArrayBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, ListArray, StructArray, UInt32Array};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields};
use arrow_select::take::take;
use seg_data::schema::Field as SchemaField;
use seg_data::{Element, Type, Zone};
use std::sync::Arc;

/// A column of one of Seg's types, in the layout of profile batches.
pub(crate) enum ColumnBuilder {
    Boolean(Primitives<bool>),
    Integer(Primitives<i64>),
    Number(Primitives<f64>),
    Money(Primitives<i64>),
    Text(Texts),
    Timestamp(Primitives<i64>),
    Date(Primitives<i32>),
    TextList(ListBuilder<StringBuilder>),
    IntegerList(ListBuilder<Int64Builder>),
    NumberList(ListBuilder<Float64Builder>),
    TimestampList(ListBuilder<TimestampMicrosecondBuilder>),
    Records(RecordsBuilder),
}

/// A column with what the schema says of it.
pub(crate) struct TypedColumn<'a> {
    pub field: &'a SchemaField,
    pub builder: ColumnBuilder,
    pub is_wanted: bool,
}

impl<'a> TypedColumn<'a> {
    pub fn new(field: &'a SchemaField, is_wanted: bool) -> TypedColumn<'a> {
        TypedColumn { field, builder: ColumnBuilder::new(&field.ty), is_wanted }
    }
}

/// Lists of records: a column for each field, over the records of all lists.
pub(crate) struct RecordsBuilder {
    fields: Vec<(String, ColumnBuilder)>,
    /// How many records each list has.
    lengths: Vec<usize>,
    is_known: Vec<bool>,
}

impl RecordsBuilder {
    /// Appends a list of records, or missing. A field that a record lacks is
    /// missing; one that is not of its type makes the whole list unparsable.
    fn append(&mut self, cell: &Cell<'_>, zone: Option<Zone>) -> Result<bool, Unfit> {
        match with_records(cell, |items| self.append_items(items, zone)) {
            Ok(Some(outcome)) => outcome,
            Ok(None) => self.missing(Ok(false)),
            Err(unfit) => self.missing(Err(unfit)),
        }
    }

    fn append_items(&mut self, items: &[Cell<'_>], zone: Option<Zone>) -> Result<bool, Unfit> {
        let mut outcome = Ok(true);
        for item in items {
            let Cell::Record(fields) = item else {
                outcome = Err(Unfit::OtherType);
                continue;
            };
            for (name, column) in &mut self.fields {
                let value = fields.iter().find(|(n, _)| n == name).map_or(&Cell::Missing, |(_, c)| c);
                outcome = column.append(value, zone).and(outcome);
            }
        }
        let n_records = items.iter().filter(|i| matches!(i, Cell::Record(_))).count();
        self.lengths.push(n_records);
        self.is_known.push(outcome.is_ok());
        outcome
    }

    fn missing(&mut self, outcome: Result<bool, Unfit>) -> Result<bool, Unfit> {
        self.lengths.push(0);
        self.is_known.push(false);
        outcome
    }

    fn finish(&mut self) -> ArrayRef {
        let n_records = self.lengths.iter().sum();
        let columns: Vec<(Field, ArrayRef)> = self
            .fields
            .iter_mut()
            .map(|(name, column)| {
                let array = column.finish();
                (Field::new(name.as_str(), array.data_type().clone(), true), array)
            })
            .collect();
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
        let fields = Fields::from(fields);
        let item = Arc::new(Field::new("item", DataType::Struct(fields.clone()), true));
        let rows: ArrayRef = match arrays.is_empty() {
            true => Arc::new(StructArray::new_empty_fields(n_records, None)),
            false => Arc::new(StructArray::new(fields, arrays, None)),
        };
        let offsets = OffsetBuffer::from_lengths(std::mem::take(&mut self.lengths));
        let nulls = NullBuffer::from(std::mem::take(&mut self.is_known));
        Arc::new(ListArray::new(item, offsets, rows, Some(nulls)))
    }
}

impl ColumnBuilder {
    /// An empty column.
    pub fn new(ty: &Type) -> ColumnBuilder {
        match ty {
            Type::Boolean => ColumnBuilder::Boolean(Primitives::default()),
            Type::Integer | Type::Duration => ColumnBuilder::Integer(Primitives::default()),
            Type::Number => ColumnBuilder::Number(Primitives::default()),
            Type::Money => ColumnBuilder::Money(Primitives::default()),
            Type::Text => ColumnBuilder::Text(Texts::default()),
            Type::Timestamp => ColumnBuilder::Timestamp(Primitives::default()),
            Type::Date => ColumnBuilder::Date(Primitives::default()),
            Type::List(Element::Text) => ColumnBuilder::TextList(ListBuilder::new(StringBuilder::new())),
            Type::List(Element::Integer) => ColumnBuilder::IntegerList(ListBuilder::new(Int64Builder::new())),
            Type::List(Element::Number) => ColumnBuilder::NumberList(ListBuilder::new(Float64Builder::new())),
            Type::List(Element::Timestamp) => {
                let instants = TimestampMicrosecondBuilder::new().with_timezone("UTC");
                ColumnBuilder::TimestampList(ListBuilder::new(instants))
            }
            Type::Records(fields) => ColumnBuilder::Records(RecordsBuilder {
                fields: fields.iter().map(|(name, ty)| (name.clone(), ColumnBuilder::new(ty))).collect(),
                lengths: Vec::new(),
                is_known: Vec::new(),
            }),
        }
    }

    /// Appends a cell: its value, or missing. Says whether it was a value, and
    /// appends missing for one that is not of the column's type.
    pub fn append(&mut self, cell: &Cell<'_>, zone: Option<Zone>) -> Result<bool, Unfit> {
        match self {
            ColumnBuilder::Boolean(b) => append_value(cell.boolean(), |v| b.append(v)),
            ColumnBuilder::Integer(b) => append_value(cell.integer(), |v| b.append(v)),
            ColumnBuilder::Number(b) => append_value(cell.number(), |v| b.append(v)),
            ColumnBuilder::Money(b) => append_value(cell.money(), |v| b.append(v.map(|m| m.0))),
            ColumnBuilder::Text(b) => {
                let text = if cell.is_missing() { None } else { Some(cell.as_text().ok_or(Unfit::OtherType)) };
                let key = text.map(|text| b.key(&text?).ok_or(Unfit::OtherType)).transpose();
                append_value(key, |key| b.keys.append(key))
            }
            ColumnBuilder::Timestamp(b) => append_value(cell.instant(zone), |v| b.append(v.map(|i| i.0))),
            ColumnBuilder::Date(b) => append_value(cell.date(zone), |v| b.append(v.map(|d| d.0))),
            ColumnBuilder::IntegerList(b) if cell.is_nothing() => append_value(Ok(None::<()>), |_| b.append_null()),
            ColumnBuilder::NumberList(b) if cell.is_nothing() => append_value(Ok(None::<()>), |_| b.append_null()),
            ColumnBuilder::TimestampList(b) if cell.is_nothing() => append_value(Ok(None::<()>), |_| b.append_null()),
            ColumnBuilder::Records(b) if cell.is_nothing() => b.missing(Ok(false)),
            ColumnBuilder::TextList(b) => append_list(cell, b, |c| c.text(), |items, v| items.append_value(v)),
            ColumnBuilder::IntegerList(b) => append_list(cell, b, |c| c.integer(), |items, v| items.append_value(v)),
            ColumnBuilder::Records(b) => b.append(cell, zone),
            ColumnBuilder::NumberList(b) => append_list(cell, b, |c| c.number(), |items, v| items.append_value(v)),
            ColumnBuilder::TimestampList(b) => {
                append_list(cell, b, |c| c.instant(zone), |items, v| items.append_value(v.0))
            }
        }
    }

    /// How many different texts begin or end with blanks.
    pub fn n_blanks(&self) -> u64 {
        match self {
            ColumnBuilder::Text(texts) => texts.n_blanks(),
            ColumnBuilder::Boolean(_)
            | ColumnBuilder::Integer(_)
            | ColumnBuilder::Number(_)
            | ColumnBuilder::Money(_)
            | ColumnBuilder::Timestamp(_)
            | ColumnBuilder::Date(_)
            | ColumnBuilder::TextList(_)
            | ColumnBuilder::IntegerList(_)
            | ColumnBuilder::NumberList(_)
            | ColumnBuilder::TimestampList(_)
            | ColumnBuilder::Records(_) => 0,
        }
    }

    /// About how many bytes of memory it takes.
    pub fn n_bytes(&self) -> u64 {
        /// A list takes a place and a bit; the items of most are of 8 bytes.
        fn of_list<B: ArrayBuilder>(list: &ListBuilder<B>, n_text_bytes: usize) -> u64 {
            (5 * list.len() + 9 * list.values_ref().len() + n_text_bytes) as u64
        }
        match self {
            ColumnBuilder::Boolean(b) => b.n_bytes(),
            ColumnBuilder::Integer(b) | ColumnBuilder::Money(b) | ColumnBuilder::Timestamp(b) => b.n_bytes(),
            ColumnBuilder::Number(b) => b.n_bytes(),
            ColumnBuilder::Text(b) => b.n_memory_bytes(),
            ColumnBuilder::Date(b) => b.n_bytes(),
            ColumnBuilder::TextList(b) => of_list(b, b.values_ref().values_slice().len()),
            ColumnBuilder::IntegerList(b) => of_list(b, 0),
            ColumnBuilder::NumberList(b) => of_list(b, 0),
            ColumnBuilder::TimestampList(b) => of_list(b, 0),
            ColumnBuilder::Records(b) => {
                let of_fields: u64 = b.fields.iter().map(|(_, column)| column.n_bytes()).sum();
                of_fields + 9 * b.lengths.len() as u64
            }
        }
    }

    /// Appends so many missing values.
    pub fn append_missing(&mut self, n: usize) {
        match self {
            ColumnBuilder::Boolean(b) => b.append_missing(n),
            ColumnBuilder::Integer(b) | ColumnBuilder::Money(b) | ColumnBuilder::Timestamp(b) => b.append_missing(n),
            ColumnBuilder::Number(b) => b.append_missing(n),
            ColumnBuilder::Text(b) => b.keys.append_missing(n),
            ColumnBuilder::Date(b) => b.append_missing(n),
            // What is missing can be of any type.
            lists => (0..n).for_each(|_| {
                let _ = lists.append(&Cell::Missing, None);
            }),
        }
    }

    /// The column in an order, which ends here.
    pub fn finish_in(&mut self, order: &Order, scratch: &mut Scratch) -> Result<ArrayRef, ArrowError> {
        match self {
            ColumnBuilder::Boolean(b) => b.arrange(order, scratch),
            ColumnBuilder::Integer(b) | ColumnBuilder::Money(b) | ColumnBuilder::Timestamp(b) => {
                b.arrange(order, scratch);
            }
            ColumnBuilder::Number(b) => b.arrange(order, scratch),
            ColumnBuilder::Text(b) => b.keys.arrange(order, scratch),
            ColumnBuilder::Date(b) => b.arrange(order, scratch),
            lists => return take(&lists.finish(), &UInt32Array::from(order.rows(scratch)), None),
        }
        Ok(self.finish())
    }

    /// The column, which ends here.
    pub fn finish(&mut self) -> ArrayRef {
        match self {
            ColumnBuilder::Boolean(b) => Arc::new(b.finish_bits()),
            ColumnBuilder::Integer(b) | ColumnBuilder::Money(b) => Arc::new(b.finish::<Int64Type>()),
            ColumnBuilder::Number(b) => Arc::new(b.finish::<Float64Type>()),
            ColumnBuilder::Text(b) => b.finish(),
            ColumnBuilder::Timestamp(b) => Arc::new(b.finish::<TimestampMicrosecondType>().with_timezone("UTC")),
            ColumnBuilder::Date(b) => Arc::new(b.finish::<Date32Type>()),
            ColumnBuilder::TextList(b) => Arc::new(b.finish()),
            ColumnBuilder::IntegerList(b) => Arc::new(b.finish()),
            ColumnBuilder::NumberList(b) => Arc::new(b.finish()),
            ColumnBuilder::TimestampList(b) => Arc::new(b.finish()),
            ColumnBuilder::Records(b) => b.finish(),
        }
    }
}

fn append_value<T>(parsed: Result<Option<T>, Unfit>, append: impl FnOnce(Option<T>)) -> Result<bool, Unfit> {
    match parsed {
        Ok(value) => {
            let is_value = value.is_some();
            append(value);
            Ok(is_value)
        }
        Err(unfit) => {
            append(None);
            Err(unfit)
        }
    }
}

/// A list: of JSON, or in a text as JSON or with `;` between its elements.
fn append_list<B: ArrayBuilder, T>(
    cell: &Cell<'_>,
    builder: &mut ListBuilder<B>,
    parse: impl Fn(&Cell<'_>) -> Result<Option<T>, Unfit>,
    append: impl Fn(&mut B, T),
) -> Result<bool, Unfit> {
    let values = with_items(cell, |items| items.iter().map(&parse).collect::<Result<Vec<Option<T>>, Unfit>>());
    match values {
        Ok(Some(Ok(values))) => {
            values.into_iter().flatten().for_each(|v| append(builder.values(), v));
            builder.append(true);
            Ok(true)
        }
        Ok(None) => {
            builder.append_null();
            Ok(false)
        }
        Ok(Some(Err(unfit))) | Err(unfit) => {
            builder.append_null();
            Err(unfit)
        }
    }
}

/// Hands on the items of a list, if it is one; nothing is done where it is missing.
pub(crate) fn with_items<R>(cell: &Cell<'_>, then: impl FnOnce(&[Cell<'_>]) -> R) -> Result<Option<R>, Unfit> {
    match cell {
        _ if cell.is_missing() || matches!(cell, Cell::Text(text) if text.trim().is_empty()) => Ok(None),
        Cell::List(items) => Ok(Some(then(items))),
        Cell::Text(text) => {
            let texts = split_list(text);
            let items: Vec<Cell<'_>> = texts.iter().map(|t| Cell::Text(t)).collect();
            Ok(Some(then(&items)))
        }
        Cell::Missing => Ok(None),
        Cell::Boolean(_)
        | Cell::Integer(_)
        | Cell::Number(_)
        | Cell::Digits(_)
        | Cell::Decimal(_)
        | Cell::Timestamp(_)
        | Cell::Date(_)
        | Cell::Record(_)
        | Cell::Other(_) => Err(Unfit::OtherType),
    }
}

/// Hands on the items of a list of records, which is JSON where it is a text.
pub(crate) fn with_records<R>(cell: &Cell<'_>, then: impl FnOnce(&[Cell<'_>]) -> R) -> Result<Option<R>, Unfit> {
    match cell {
        Cell::List(items) => Ok(Some(then(items))),
        Cell::Text(text) if !text.is_empty() => {
            let parsed = serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
            let Cell::List(items) = json_cell(&parsed, "") else { return Err(Unfit::OtherType) };
            Ok(Some(then(&items)))
        }
        Cell::Text(_) | Cell::Missing => Ok(None),
        Cell::Boolean(_)
        | Cell::Integer(_)
        | Cell::Number(_)
        | Cell::Digits(_)
        | Cell::Decimal(_)
        | Cell::Timestamp(_)
        | Cell::Date(_)
        | Cell::Record(_)
        | Cell::Other(_) => Err(Unfit::OtherType),
    }
}

fn split_list(text: &str) -> Vec<String> {
    if text.trim_start().starts_with('[')
        && let Ok(items) = serde_json::from_str::<Vec<serde_json::Value>>(text)
    {
        return items
            .into_iter()
            .filter(|i| !i.is_null())
            .map(|i| i.as_str().map_or_else(|| i.to_string(), str::to_owned))
            .collect();
    }
    text.split(';').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect()
}
