//! Stretches of columns put together as new columns.

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, Int32Array, ListArray, StringArray, StructArray, make_array};
use arrow_data::ArrayData;
use arrow_data::transform::MutableArrayData;
use arrow_schema::{ArrowError, DataType};
use std::collections::HashMap;
use std::sync::Arc;

/// Rows of one of several columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Which of the columns.
    pub column: usize,
    /// Its first row.
    pub start: usize,
    /// The row behind its last.
    pub end: usize,
}

/// Columns of one type, one after another.
///
/// # Errors
/// Columns of several types, or more than one column holds.
pub(crate) fn joined(columns: &[ArrayRef]) -> Result<ArrayRef, ArrowError> {
    let filled: Vec<ArrayRef> = columns.iter().filter(|column| !column.is_empty()).map(Arc::clone).collect();
    match filled.as_slice() {
        [] => columns.first().map(Arc::clone).ok_or_else(|| ArrowError::InvalidArgumentError("no column".to_owned())),
        [one] => Ok(Arc::clone(one)),
        several => {
            let whole = several.iter().enumerate();
            let whole: Vec<Stretch> =
                whole.map(|(at, column)| Stretch { column: at, start: 0, end: column.len() }).collect();
            gathered(several, &whole)
        }
    }
}

/// Stretches of columns of one type as one column, in the order of the stretches. A text
/// column has each of its texts once, and none that no row has.
///
/// # Errors
/// Columns of several types, stretches beyond their ends, or more than one column holds.
pub(crate) fn gathered(columns: &[ArrayRef], stretches: &[Stretch]) -> Result<ArrayRef, ArrowError> {
    let is_inside = |s: &Stretch| s.start <= s.end && columns.get(s.column).is_some_and(|c| s.end <= c.len());
    let first = columns.first().ok_or_else(|| ArrowError::InvalidArgumentError("no column".to_owned()))?;
    if !stretches.iter().all(is_inside) || columns.iter().any(|column| column.data_type() != first.data_type()) {
        return Err(ArrowError::InvalidArgumentError("columns do not fit each other".to_owned()));
    }
    if !matches!(first.data_type(), DataType::Dictionary(..)) {
        return compact(&copied(columns, stretches)?);
    }
    let coded: Option<Vec<&DictionaryArray<Int32Type>>> = columns.iter().map(|c| c.as_dictionary_opt()).collect();
    let coded = coded.ok_or_else(|| ArrowError::InvalidArgumentError("keys are not of 32 bits".to_owned()))?;
    let (texts, keys) = one_dictionary(&coded)?;
    let keys = copied(&keys, stretches)?;
    used(&texts, keys.as_primitive::<Int32Type>())
}

/// The rows as they lie in memory.
fn copied(columns: &[ArrayRef], stretches: &[Stretch]) -> Result<ArrayRef, ArrowError> {
    let data: Vec<ArrayData> = columns.iter().map(|column| column.to_data()).collect();
    let n_rows = stretches.iter().map(|s| s.end - s.start).sum();
    let has_nulls = columns.iter().any(|column| column.null_count() > 0);
    let mut made = MutableArrayData::try_new(data.iter().collect(), has_nulls, n_rows)?;
    for stretch in stretches {
        made.try_extend(stretch.column, stretch.start, stretch.end)?;
    }
    Ok(make_array(made.freeze()))
}

/// Columns with keys into texts of their own as columns of keys into the same texts.
fn one_dictionary(columns: &[&DictionaryArray<Int32Type>]) -> Result<(StringArray, Vec<ArrayRef>), ArrowError> {
    let other = || ArrowError::InvalidArgumentError("texts are not of the type of texts".to_owned());
    let texts: Option<Vec<&StringArray>> = columns.iter().map(|c| c.values().as_string_opt::<i32>()).collect();
    let texts = texts.ok_or_else(other)?;
    if let ([column], [texts]) = (columns, texts.as_slice()) {
        return Ok(((*texts).clone(), vec![Arc::new(column.keys().clone()) as ArrayRef]));
    }
    let (mut known, mut all): (HashMap<&str, i32>, _) = (HashMap::new(), StringBuilder::new());
    let mut keys: Vec<ArrayRef> = Vec::with_capacity(columns.len());
    for (column, texts) in columns.iter().zip(texts) {
        let mut own: Vec<i32> = Vec::with_capacity(texts.len());
        for text in texts.iter().map(Option::unwrap_or_default) {
            let next = i32::try_from(known.len()).map_err(|_| ArrowError::DictionaryKeyOverflowError)?;
            own.push(*known.entry(text).or_insert_with(|| {
                all.append_value(text);
                next
            }));
        }
        let of = |key: i32| usize::try_from(key).ok().and_then(|key| own.get(key)).copied().unwrap_or_default();
        let mapped: Int32Array = column.keys().unary(of);
        keys.push(Arc::new(mapped));
    }
    Ok((all.finish(), keys))
}

/// A column of which all texts, also those inside of lists and records, are kept once and
/// only where they are used.
fn compact(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Dictionary(..) => {
            let other = || ArrowError::InvalidArgumentError("texts are not of the type of texts".to_owned());
            let coded = column.as_dictionary_opt::<Int32Type>().ok_or_else(other)?;
            used(coded.values().as_string_opt::<i32>().ok_or_else(other)?, coded.keys())
        }
        DataType::List(item) if has_texts(item.data_type()) => {
            let lists = column.as_list::<i32>();
            let values = compact(lists.values())?;
            Ok(Arc::new(ListArray::try_new(Arc::clone(item), lists.offsets().clone(), values, lists.nulls().cloned())?))
        }
        DataType::Struct(fields) if fields.iter().any(|field| has_texts(field.data_type())) => {
            let records = column.as_struct();
            let columns = records.columns().iter().map(compact).collect::<Result<Vec<_>, _>>()?;
            Ok(Arc::new(StructArray::try_new(fields.clone(), columns, records.nulls().cloned())?))
        }
        _ => Ok(Arc::clone(column)),
    }
}

/// Whether there are coded texts in a column of a type.
fn has_texts(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(..) => true,
        DataType::List(item) => has_texts(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_texts(field.data_type())),
        _ => false,
    }
}

/// A column of keys, with each text once and without those that none of them names.
fn used(texts: &StringArray, keys: &Int32Array) -> Result<ArrayRef, ArrowError> {
    let mut is_used = vec![false; texts.len()];
    for key in keys.iter().flatten() {
        let slot = usize::try_from(key).ok().and_then(|key| is_used.get_mut(key));
        slot.into_iter().for_each(|is_used| *is_used = true);
    }
    let (mut known, mut kept): (HashMap<&str, i32>, _) = (HashMap::new(), StringBuilder::new());
    let mut own = vec![0; texts.len()];
    for ((text, slot), _) in texts.iter().zip(&mut own).zip(&is_used).filter(|(_, is_used)| **is_used) {
        let (text, next) = (text.unwrap_or_default(), known.len() as i32);
        *slot = *known.entry(text).or_insert_with(|| {
            kept.append_value(text);
            next
        });
    }
    if known.len() == texts.len() {
        return Ok(Arc::new(DictionaryArray::try_new(keys.clone(), Arc::new(texts.clone()))?));
    }
    let of = |key: i32| usize::try_from(key).ok().and_then(|key| own.get(key)).copied().unwrap_or_default();
    let keys: Int32Array = keys.unary(of);
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(kept.finish()))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(values.iter().copied().collect::<DictionaryArray<Int32Type>>())
    }

    fn shown(column: &ArrayRef) -> (Vec<Option<String>>, usize) {
        let column = column.as_dictionary::<Int32Type>();
        let values = column.downcast_dict::<StringArray>().expect("texts");
        (values.into_iter().map(|text| text.map(str::to_owned)).collect(), column.values().len())
    }

    #[test]
    fn texts_of_several_columns_are_kept_once_and_only_where_a_row_has_them() {
        let (one, other) = (texts(&[Some("a"), None, Some("b")]), texts(&[Some("b"), Some("c"), Some("a")]));
        let stretch = |column, start, end| Stretch { column, start, end };
        let columns = [one, other];
        let gathered = gathered(&columns, &[stretch(1, 0, 1), stretch(0, 1, 3), stretch(1, 2, 3)]).expect("gathered");
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(shown(&gathered), (vec![text("b"), None, text("b"), text("a")], 2));
        let all = joined(&columns).expect("joined");
        assert_eq!(shown(&all), (vec![text("a"), None, text("b"), text("b"), text("c"), text("a")], 3));
        assert!(super::gathered(&columns, &[stretch(0, 2, 4)]).is_err());
        assert!(super::gathered(&columns, &[stretch(2, 0, 0)]).is_err());
    }
}
