//! Stands for whoever has the data: a warehouse client, a Python process, a
//! database. It knows nothing of Seg, uses its own version of Arrow, and hands
//! out batches through Arrow's C data interface.

use arrow_array_59::ffi::{FFI_ArrowArray, FFI_ArrowSchema, to_ffi};
use arrow_array_59::{Array, ArrayRef, ListArray, StringArray, StructArray, TimestampMillisecondArray};
use arrow_buffer_59::OffsetBuffer;
use arrow_schema_59::{ArrowError, DataType, Field, TimeUnit};
use std::sync::Arc;

const DAY: i64 = 86_400_000;

/// Two batches of profiles with their orders, in milliseconds.
pub fn batches(now_ms: i64) -> Result<Vec<(FFI_ArrowArray, FFI_ArrowSchema)>, ArrowError> {
    let first = [("ann", "DE", vec![200, 120]), ("bo", "DE", vec![150, 10]), ("cy", "FR", vec![400])];
    let second = [("di", "DE", vec![91]), ("ed", "US", vec![]), ("flo", "DE", vec![])];
    [&first, &second].into_iter().map(|people| batch(people, now_ms)).collect()
}

fn batch(people: &[(&str, &str, Vec<i64>)], now_ms: i64) -> Result<(FFI_ArrowArray, FFI_ArrowSchema), ArrowError> {
    let ids: ArrayRef = Arc::new(StringArray::from_iter_values(people.iter().map(|p| p.0)));
    let countries: ArrayRef = Arc::new(StringArray::from_iter_values(people.iter().map(|p| p.1)));
    let times = people.iter().flat_map(|p| p.2.iter().map(|days| now_ms - days * DAY));
    let times = TimestampMillisecondArray::from_iter_values(times).with_timezone("UTC");
    let time = Field::new("time", DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), false);
    let orders = StructArray::try_new(vec![time].into(), vec![Arc::new(times)], None)?;
    let item = Arc::new(Field::new("item", orders.data_type().clone(), false));
    let offsets = OffsetBuffer::from_lengths(people.iter().map(|p| p.2.len()));
    let orders: ArrayRef = Arc::new(ListArray::try_new(item, offsets, Arc::new(orders), None)?);
    let columns = [("profile_id", ids), ("country", countries), ("Order Completed", orders)];
    let fields = columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
    let rows = StructArray::try_new(fields.collect(), columns.iter().map(|c| Arc::clone(&c.1)).collect(), None)?;
    to_ffi(&rows.to_data())
}
