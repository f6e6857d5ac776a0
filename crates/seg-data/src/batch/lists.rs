//! Lists: offsets that can be trusted, and other layouts made into this one.

use super::error::BatchProblem;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, GenericListArray, GenericListViewArray, ListArray, OffsetSizeTrait};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, FieldRef};
use arrow_select::take::take;
use std::sync::Arc;

/// Offsets ascend and stay inside the items.
///
/// # Errors
/// That they do not.
pub(super) fn check<O: OffsetSizeTrait>(list: &GenericListArray<O>) -> Result<(), BatchProblem> {
    let offsets = list.value_offsets();
    if offsets.len() != list.len() + 1 {
        return Err(BatchProblem::WrongLength { expected: list.len() + 1, found: offsets.len() });
    }
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return Ok(()) };
    let is_ascending = offsets.iter().zip(offsets.iter().skip(1)).all(|(a, b)| a <= b);
    if !is_ascending {
        return Err(BatchProblem::OffsetsNotAscending);
    }
    match first.to_usize().zip(last.to_usize()).is_some_and(|(_, last)| last <= list.values().len()) {
        true => Ok(()),
        false => Err(BatchProblem::OffsetsOutOfRange),
    }
}

fn check_view<O: OffsetSizeTrait>(list: &GenericListViewArray<O>) -> Result<(), BatchProblem> {
    let n_items = list.values().len();
    let ends = list.value_offsets().iter().zip(list.value_sizes());
    let fits = |(offset, size): (&O, &O)| {
        let end = offset.to_usize().zip(size.to_usize()).and_then(|(o, s)| o.checked_add(s));
        end.is_some_and(|end| end <= n_items)
    };
    if ends.into_iter().all(fits) { Ok(()) } else { Err(BatchProblem::OffsetsOutOfRange) }
}

/// The items of every list lie inside the column of items, whatever the layout.
///
/// # Errors
/// That they do not, or that offsets do not ascend where the layout says they do.
pub(super) fn check_any(array: &ArrayRef) -> Result<(), BatchProblem> {
    match array.data_type() {
        DataType::List(_) => check(array.as_list::<i32>()),
        DataType::LargeList(_) => check(array.as_list::<i64>()),
        DataType::ListView(_) => check_view(array.as_list_view::<i32>()),
        DataType::LargeListView(_) => check_view(array.as_list_view::<i64>()),
        _ => Ok(()),
    }
}

/// Lists of events in any layout as lists with 32-bit offsets, and whether
/// they had to be converted; `None` when it is no list.
///
/// # Errors
/// Offsets that cannot be trusted, or too many events.
pub(super) fn events(array: &ArrayRef) -> Result<Option<(ListArray, bool)>, BatchProblem> {
    check_any(array)?;
    Ok(match array.data_type() {
        DataType::List(_) => Some((array.as_list::<i32>().clone(), false)),
        DataType::LargeList(field) => {
            let list = array.as_list::<i64>();
            // Only the stretch in use is kept, so that a slice of a large
            // batch stays small.
            let base = list.value_offsets().first().copied().unwrap_or(0);
            let end = list.value_offsets().last().copied().unwrap_or(0);
            let offsets: Result<Vec<i32>, _> = list.value_offsets().iter().map(|o| i32::try_from(o - base)).collect();
            let offsets = offsets.map_err(|_| BatchProblem::TooManyEvents)?;
            let values = list.values().slice(base as usize, (end - base) as usize);
            let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
            Some((assemble(array, field, offsets, values)?, true))
        }
        DataType::FixedSizeList(field, size) => {
            let list = array.as_fixed_size_list();
            let size = usize::try_from(*size).map_err(|_| BatchProblem::OffsetsOutOfRange)?;
            let n_events = size.checked_mul(list.len()).and_then(|n| i32::try_from(n).ok());
            n_events.ok_or(BatchProblem::TooManyEvents)?;
            let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(size, list.len()));
            Some((assemble(array, field, offsets, Arc::clone(list.values()))?, true))
        }
        DataType::ListView(_) => Some((from_view(array, array.as_list_view::<i32>())?, true)),
        DataType::LargeListView(_) => Some((from_view(array, array.as_list_view::<i64>())?, true)),
        _ => None,
    })
}

/// The lists of `array` in this layout. What no constructor of Arrow lets
/// through is refused here too, for it may have come from another library.
fn assemble(
    array: &ArrayRef,
    field: &FieldRef,
    offsets: OffsetBuffer<i32>,
    values: ArrayRef,
) -> Result<ListArray, BatchProblem> {
    ListArray::try_new(Arc::clone(field), offsets, values, array.nulls().cloned()).map_err(|error| {
        let (expected, found) = (DataType::List(Arc::clone(field)), array.data_type().clone());
        BatchProblem::NotConvertible { expected, found, why: error.to_string() }
    })
}

/// Views may lie in any order and overlap, so their items are gathered.
fn from_view<O: OffsetSizeTrait>(array: &ArrayRef, list: &GenericListViewArray<O>) -> Result<ListArray, BatchProblem> {
    let mut rows: Vec<u64> = Vec::new();
    let mut offsets: Vec<i32> = vec![0];
    for (row, (offset, size)) in list.value_offsets().iter().zip(list.value_sizes()).enumerate() {
        let (start, len) = (offset.as_usize() as u64, size.as_usize() as u64);
        if list.is_valid(row) {
            rows.extend(start..start + len);
        }
        offsets.push(i32::try_from(rows.len()).map_err(|_| BatchProblem::TooManyEvents)?);
    }
    let field = match list.data_type() {
        DataType::ListView(field) | DataType::LargeListView(field) => Arc::clone(field),
        other => return Err(BatchProblem::WrongType { expected: other.clone(), found: other.clone() }),
    };
    // The rows were checked to be inside the items.
    let values = take(list.values(), &arrow_array::UInt64Array::from(rows), None).map_err(|error| {
        let found = list.data_type().clone();
        BatchProblem::NotConvertible { expected: DataType::List(Arc::clone(&field)), found, why: error.to_string() }
    })?;
    assemble(array, &field, OffsetBuffer::new(ScalarBuffer::from(offsets)), values)
}
