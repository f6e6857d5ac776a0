//! The same people in non-canonical layouts.

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StructArray, UInt32Array};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};
use arrow_select::concat::concat;
use arrow_select::take::{take, take_record_batch};
use seg::{Batch, Timestamp};
use std::ops::Range;
use std::sync::Arc;

/// A column of events without some of its fields.
pub(crate) fn without_fields(column: &ArrayRef, is_kept: impl Fn(&str) -> bool) -> ArrayRef {
    let list = column.as_list::<i32>();
    let rows = list.values().as_struct();
    let kept = rows.fields().iter().zip(rows.columns()).filter(|(f, _)| is_kept(f.name()));
    let (fields, arrays): (Vec<_>, Vec<_>) = kept.map(|(f, a)| (Arc::clone(f), Arc::clone(a))).unzip();
    let rows = StructArray::new(fields.into(), arrays, rows.nulls().cloned());
    let item = Arc::new(Field::new("item", rows.data_type().clone(), false));
    Arc::new(ListArray::new(item, list.offsets().clone(), Arc::new(rows), list.nulls().cloned()))
}

/// A column of events without those before an instant.
pub(crate) fn since(column: &ArrayRef, from: Timestamp) -> ArrayRef {
    with_some(column, |times, range| range.filter(|row| times[*row] >= from.0).collect())
}

/// A column of events with one of each person's up to an instant.
pub(crate) fn any_until(column: &ArrayRef, now: Timestamp) -> ArrayRef {
    // Not always the first or the last.
    let middle = |rows: Vec<usize>| rows.get(rows.len() / 2).copied().into_iter().collect();
    with_some(column, |times, range| middle(range.filter(|row| times[*row] <= now.0).collect()))
}

/// A column of events with some of each person's.
fn with_some(column: &ArrayRef, some: impl Fn(&[i64], Range<usize>) -> Vec<usize>) -> ArrayRef {
    let list = column.as_list::<i32>();
    let times = list.values().as_struct().column_by_name("time").expect("times");
    let times = times.as_primitive::<TimestampMicrosecondType>().values();
    let (mut rows, mut lengths) = (Vec::new(), Vec::new());
    for window in list.value_offsets().windows(2) {
        let of_person = some(times, window[0] as usize..window[1] as usize);
        lengths.push(of_person.len());
        rows.extend(of_person.into_iter().map(|row| row as u32));
    }
    let values = take(list.values(), &UInt32Array::from(rows), None).expect("rows of the events");
    let item = Arc::new(Field::new("item", values.data_type().clone(), false));
    Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(lengths), values, list.nulls().cloned()))
}

/// Rows before the people, so that no bitmap and no list begins where a byte
/// or an array does.
const PADDING: usize = 3;

/// The same people as a slice out of a longer batch, in which nobody's list of
/// events is empty: who has no events has a null list over somebody else's.
/// Texts stand in their dictionaries twice.
pub fn non_canonical(batch: &Batch) -> Batch {
    let n = batch.len();
    let last = (n - 1) as u32;
    // As many at the end as at the beginning, so that whoever forgets where the
    // slice begins still reads somebody's data, and gives wrong answers.
    let padding = std::iter::repeat_n(last, PADDING);
    let rows = padding.clone().chain(0..n as u32).chain(padding);
    let longer = take_record_batch(batch.records(), &UInt32Array::from_iter_values(rows)).expect("rows of the batch");
    let schema = longer.schema();
    let is_event = |name: &str| batch.schema().events.iter().any(|event| event.name == name);
    let columns = schema.fields().iter().zip(longer.columns()).map(|(field, column)| {
        let column = match column.data_type() {
            // Of a person's own list of records, an empty one is not a missing one.
            DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)) && is_event(field.name()) => {
                with_null_lists(column)
            }
            DataType::List(item) if *item.data_type() == DataType::Utf8 => with_null_items(column),
            DataType::Dictionary(..) => with_repeats(column),
            _ => Arc::clone(column),
        };
        (field.name().clone(), column, true)
    });
    let records = RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).expect("the same columns");
    Batch::new(Arc::clone(batch.schema()), records.slice(PADDING, n)).expect("the same people")
}

/// Lists of texts with a null more in each: nulls are no items.
fn with_null_items(column: &ArrayRef) -> ArrayRef {
    let list = column.as_list::<i32>();
    let mut builder = ListBuilder::new(StringBuilder::new());
    for items in list.iter() {
        if let Some(items) = &items {
            items.as_string::<i32>().iter().for_each(|text| builder.values().append_option(text));
            builder.values().append_null();
        }
        builder.append(items.is_some());
    }
    Arc::new(builder.finish())
}

/// A dictionary of the same texts twice, with every other row's key in the
/// second half.
fn with_repeats(column: &ArrayRef) -> ArrayRef {
    let coded = column.as_dictionary::<arrow_array::types::Int32Type>();
    let n_texts = coded.values().len() as i32;
    let values = concat(&[coded.values().as_ref(), coded.values().as_ref()]).expect("texts");
    let key = |(row, key): (usize, Option<i32>)| key.map(|k| if row % 2 == 0 { k } else { k + n_texts });
    let keys = coded.keys().iter().enumerate().map(key).collect();
    Arc::new(arrow_array::DictionaryArray::<arrow_array::types::Int32Type>::new(keys, values))
}

fn with_null_lists(column: &ArrayRef) -> ArrayRef {
    let list = column.as_list::<i32>();
    let n_events = list.values().len() as u32;
    let (mut rows, mut lengths, mut is_there): (Vec<u32>, Vec<usize>, Vec<bool>) = Default::default();
    for row in 0..list.len() {
        let (start, len) = (list.value_offsets()[row] as u32, list.value_length(row) as u32);
        let is_empty = len == 0 || list.is_null(row);
        let of = if is_empty { 0..n_events.min(2) } else { start..start + len };
        lengths.push(of.len());
        rows.extend(of);
        is_there.push(!is_empty);
    }
    let values = take(list.values(), &UInt32Array::from(rows), None).expect("events of the batch");
    let values = values.as_struct();
    let fields = values.fields().iter().zip(values.columns());
    let (fields, columns): (Vec<_>, Vec<ArrayRef>) = fields
        .map(|(field, column)| match column.data_type() {
            DataType::Dictionary(..) => (Arc::clone(field), with_repeats(column)),
            _ => (Arc::clone(field), Arc::clone(column)),
        })
        .unzip();
    let values = StructArray::new(fields.into(), columns, None);
    let item = Arc::new(Field::new("item", values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    Arc::new(ListArray::new(item, offsets, Arc::new(values), Some(NullBuffer::from(is_there))))
}
