//! Attributes as columns of results.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, Decimal128Array, ListArray, StructArray, TimestampMicrosecondArray, UInt32Array, new_null_array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields};
use arrow_select::take::take;
use seg_data::batch::{Column, time_type};
use seg_data::{AttributeId, Batch, Timestamp, Type};
use std::ops::Range;
use std::sync::Arc;

/// Digits of an amount of money, four of which stand behind the point: as many as 64 bits need.
const MONEY_DIGITS: u8 = 19;
const MONEY_PLACES: i8 = 4;

/// An attribute of everybody, as results hold it: money as decimals, texts as they are, and
/// no value where the language knows none.
#[derive(Debug, Clone)]
pub struct AttributeColumn {
    /// The attribute's name in the schema.
    pub name: String,
    /// The type of its values.
    pub ty: Type,
    values: ArrayRef,
}

/// Instants that are those of a person in one segment, and others in another: since when they
/// are in it, until when.
#[derive(Debug, Clone)]
pub struct StayColumn {
    /// The name of the column.
    pub name: String,
    /// For each segment, in the order of the project, the instants of those who have one, by
    /// their rows, ascending.
    pub times: Vec<Vec<(u32, Timestamp)>>,
}

impl StayColumn {
    /// The instants of some people in segments by their positions; none where there is no row.
    pub(super) fn of_rows(&self, rows: impl Iterator<Item = (usize, Option<u32>)>) -> ArrayRef {
        let time = |(segment, row): (usize, Option<u32>)| {
            let (times, row) = (self.times.get(segment)?, row?);
            let at = times.binary_search_by_key(&row, |(row, _)| *row).ok()?;
            times.get(at).map(|(_, time)| time.0)
        };
        Arc::new(rows.map(time).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    }
}

/// Some attributes of everybody with their values as of an instant. An attribute that the
/// data lacks has no value.
///
/// # Errors
/// What Arrow cannot hold, such as more texts than one array has room for.
pub fn attribute_columns(
    batch: &Batch,
    ids: &[AttributeId],
    now: Timestamp,
) -> Result<Vec<AttributeColumn>, ArrowError> {
    let batch = batch.as_of(now);
    let known = ids.iter().filter_map(|id| Some((*id, batch.schema().attribute(*id)?)));
    let columns = known.map(|(id, field)| {
        let values = match batch.attribute_column(id) {
            Some(column) => written(column)?,
            None => new_null_array(&written_type(&field.ty), batch.len()),
        };
        Ok(AttributeColumn { name: field.name.clone(), ty: field.ty.clone(), values })
    });
    columns.collect()
}

impl AttributeColumn {
    /// The values of some people; none where there is no row.
    pub(super) fn of_rows(&self, rows: &UInt32Array) -> Result<ArrayRef, ArrowError> {
        take(&self.values, rows, None)
    }
}

/// The Arrow type in which results hold values of a type.
pub(super) fn written_type(ty: &Type) -> DataType {
    match ty {
        Type::Boolean => DataType::Boolean,
        Type::Integer | Type::Duration => DataType::Int64,
        Type::Number => DataType::Float64,
        Type::Money => DataType::Decimal128(MONEY_DIGITS, MONEY_PLACES),
        Type::Text => DataType::Utf8,
        Type::Timestamp => time_type(),
        Type::Date => DataType::Date32,
        Type::List(element) => DataType::List(Arc::new(Field::new("item", written_type(&element.ty()), true))),
        Type::Records(fields) => {
            DataType::List(Arc::new(Field::new("item", DataType::Struct(written_fields(fields)), true)))
        }
    }
}

fn written_fields(fields: &[(String, Type)]) -> Fields {
    fields.iter().map(|(name, ty)| Field::new(name, written_type(ty), true)).collect()
}

fn written(column: &Column) -> Result<ArrayRef, ArrowError> {
    match column.ty() {
        Type::List(element) => list(column, &element.ty()),
        Type::Records(fields) => records(column, fields),
        ty @ (Type::Boolean
        | Type::Integer
        | Type::Number
        | Type::Money
        | Type::Text
        | Type::Timestamp
        | Type::Date
        | Type::Duration) => plain(ty, column.array()),
    }
}

/// Values that are no lists, in the type in which results hold them.
fn plain(ty: &Type, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let other = || ArrowError::SchemaError(format!("a column of type {ty} came as {}", array.data_type()));
    Ok(match ty {
        Type::Boolean | Type::Integer | Type::Date | Type::Duration => Arc::clone(array),
        Type::Number => {
            let numbers = array.as_primitive_opt::<Float64Type>().ok_or_else(other)?;
            // What is no number counts as missing wherever it is read.
            Arc::new(numbers.unary_opt::<_, Float64Type>(|number| number.is_finite().then_some(number)))
        }
        Type::Money => {
            let amounts = array.as_primitive_opt::<Int64Type>().ok_or_else(other)?;
            let wide = amounts.iter().map(|amount| amount.map(i128::from));
            Arc::new(wide.collect::<Decimal128Array>().with_precision_and_scale(MONEY_DIGITS, MONEY_PLACES)?)
        }
        Type::Text => match array.as_dictionary_opt::<Int32Type>() {
            Some(coded) => take(coded.values(), coded.keys(), None)?,
            // The elements of lists are plain.
            None => Arc::clone(array),
        },
        Type::Timestamp => {
            let times = array.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(other)?;
            Arc::new(times.clone().with_timezone("UTC"))
        }
        Type::List(_) | Type::Records(_) => return Err(other()),
    })
}

/// Lists without the elements that are missing, as everywhere in the language.
fn list(column: &Column, element: &Type) -> Result<ArrayRef, ArrowError> {
    let other = || ArrowError::SchemaError(format!("a list came as {}", column.array().data_type()));
    let lists = column.array().as_list_opt::<i32>().ok_or_else(other)?;
    let items = plain(element, lists.values())?;
    let ranges = lists.value_offsets().windows(2).map(|ends| match ends {
        [start, end] => *start as usize..*end as usize,
        _ => 0..0,
    });
    let (lengths, kept) = gathered(ranges.enumerate(), |row| lists.is_valid(row), |at| items.is_valid(at));
    let item = Arc::new(Field::new("item", written_type(element), true));
    let kept = take(&items, &kept, None)?;
    let lists = ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), kept, lists.nulls().cloned())?;
    Ok(Arc::new(lists))
}

fn records(column: &Column, fields: &[(String, Type)]) -> Result<ArrayRef, ArrowError> {
    let n_rows = column.array().len();
    let ranges = (0..n_rows).map(|row| (row, column.records(row).unwrap_or(0..0)));
    let (lengths, kept) = gathered(ranges, |_| true, |_| true);
    let of_fields = column.fields().iter().map(|field| take(&written(field)?, &kept, None));
    let of_fields = of_fields.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
    let fields = written_fields(fields);
    let records = StructArray::try_new(fields.clone(), of_fields, None)?;
    let item = Arc::new(Field::new("item", DataType::Struct(fields), true));
    let nulls: Option<NullBuffer> = column.array().nulls().cloned();
    let lists = ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(records), nulls)?;
    Ok(Arc::new(lists))
}

/// How many elements each row keeps, and the positions of all that are kept.
fn gathered(
    ranges: impl Iterator<Item = (usize, Range<usize>)>,
    has_list: impl Fn(usize) -> bool,
    is_kept: impl Fn(usize) -> bool,
) -> (Vec<usize>, UInt32Array) {
    let (mut lengths, mut kept) = (Vec::new(), Vec::new());
    for (row, range) in ranges {
        let before = kept.len();
        if has_list(row) {
            kept.extend(range.filter(|at| is_kept(*at)).map(|at| at as u32));
        }
        lengths.push(kept.len() - before);
    }
    (lengths, UInt32Array::from(kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::builder::{Float64Builder, ListBuilder, StringBuilder, StructBuilder};
    use arrow_array::{BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
    use seg_data::batch::ID_COLUMN;
    use seg_data::schema::parse;

    /// What Arrow data brings that files do not.
    fn batch() -> Batch {
        let schema = "[attributes]\nname = \"text\"\nn = \"number\"\nbalance = \"money\"\nvip = \"boolean\"\n\
            tags = \"list of text\"\nratios = \"list of number\"\n\
            pets = { type = \"list of records\", fields = { kind = \"text\" } }\nabsent = \"date\"\n";
        let (schema, problems) = parse(schema);
        assert_eq!(problems, []);
        let mut tags = ListBuilder::new(StringBuilder::new());
        tags.append_value([Some("a"), None, Some("")]);
        tags.append_null();
        tags.append_value([None::<&str>]);
        let mut ratios = ListBuilder::new(Float64Builder::new());
        ratios.append_value([Some(0.5), Some(f64::NAN), None, Some(f64::INFINITY), Some(-1.0)]);
        ratios.append_value([]);
        ratios.append_null();
        let kind = Field::new("kind", DataType::Utf8, true);
        let mut pets = ListBuilder::new(StructBuilder::new(vec![kind], vec![Box::new(StringBuilder::new())]));
        for kind in [Some("dog"), None] {
            let pet = pets.values();
            pet.field_builder::<StringBuilder>(0).expect("a field").append_option(kind);
            pet.append(true);
        }
        pets.append(true);
        pets.append(false);
        let pet = pets.values();
        pet.field_builder::<StringBuilder>(0).expect("a field").append_value("hidden");
        pet.append(false);
        pets.append(true);
        let records = RecordBatch::try_from_iter([
            (ID_COLUMN, Arc::new(StringArray::from(vec!["1", "2", "3"])) as ArrayRef),
            ("name", Arc::new(StringArray::from(vec![Some("x"), None, Some("x")]))),
            ("n", Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(1.5), None]))),
            ("balance", Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)]))),
            ("vip", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
            ("tags", Arc::new(tags.finish())),
            ("ratios", Arc::new(ratios.finish())),
            ("pets", Arc::new(pets.finish())),
        ]);
        let records = records.expect("a batch");
        Batch::try_new(Arc::new(schema), records).expect("a batch")
    }

    #[test]
    fn what_counts_as_missing_is_missing() {
        let batch = batch();
        let ids: Vec<AttributeId> = (0..8).map(AttributeId).collect();
        let columns = attribute_columns(&batch, &ids, Timestamp(0)).expect("columns");
        let rows = UInt32Array::from(vec![Some(2), Some(0), None, Some(1)]);
        let mut told = Vec::new();
        for column in &columns {
            let values = column.of_rows(&rows).expect("values");
            assert_eq!(*values.data_type(), written_type(&column.ty), "{}", column.name);
            let mut fields = Vec::new();
            for row in 0..rows.len() {
                let mut field = String::new();
                super::super::cells::push_field(&mut field, &column.ty, &values, row);
                fields.push(field);
            }
            told.push(format!("{}: {}", column.name, fields.join(" | ")));
        }
        let expected = [
            "name: x | x |  | ",
            "n:  |  |  | 1.5",
            "balance: 922337203685477.5807 | -922337203685477.5808 |  | ",
            "vip: false | true |  | ",
            "tags: [] | [\"a\",\"\"] |  | ",
            "ratios:  | [0.5,-1.0] |  | []",
            "pets: [{\"kind\":null}] | [{\"kind\":\"dog\"},{\"kind\":null}] |  | ",
            "absent:  |  |  | ",
        ];
        assert_eq!(told, expected);
    }
}
