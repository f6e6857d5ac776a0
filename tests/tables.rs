//! People written down as JSON, as Arrow tables in memory.

use crate::people::Rows;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, ListArray, NullArray, RecordBatch, RecordBatchIterator, StringArray,
    StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields, Schema as ArrowSchema};
use seg::{Batch, Schema, Timestamp, Zone};
use seg_io::manifest::{EventFiles, MergeFiles, ProfileFiles, Reading};
use seg_io::{SortedColumns, TableReader, TablesRequest, load_tables, merged_into};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// The same people as [`crate::people`] makes of files, by way of tables in memory, cut behind
/// each of so many rows.
pub fn people_of_tables(
    lines: &str,
    schema: &Arc<Schema>,
    (zone, now): (Option<Zone>, Timestamp),
    n_together: usize,
) -> Batch {
    let rows = Rows::of(lines, now);
    let table = |rows: &[(usize, String)]| -> TableReader {
        let records: Vec<Map<String, Value>> = rows.iter().map(|(_, row)| record(row)).collect();
        let whole = batch_of(&records);
        let (schema, mut parts) = (whole.schema(), Vec::new());
        for at in (0..whole.num_rows()).step_by(n_together.max(1)) {
            parts.push(Ok(whole.slice(at, n_together.min(whole.num_rows() - at))));
        }
        Box::new(RecordBatchIterator::new(parts, schema))
    };
    let profiles = ProfileFiles { time: rows.has_times.then(|| "time".into()), ..ProfileFiles::new(Vec::new(), "id") };
    let mut request = TablesRequest { zone, ..TablesRequest::new(schema) };
    if !rows.profiles.is_empty() {
        request.profiles.push((profiles, table(&rows.profiles)));
    }
    if !rows.events.is_empty() {
        request.events.push((EventFiles::new(Vec::new(), "id", "event", "time"), table(&rows.events)));
    }
    if !rows.merges.is_empty() {
        let (files, reading) = (Vec::new(), Reading::default());
        let merges = MergeFiles { files, from: "from".into(), into: "into".into(), reading };
        request.merges.push((merges, table(&rows.merges)));
    }
    load_tables(request).expect("the tables are read").batch
}

/// Whose a row is, in a table sorted by person whose ids were merged.
const PERSON: &str = "$person";

/// The same people in one table sorted by person, as [`sorted_columns`] says.
pub fn sorted_rows(lines: &str, now: Timestamp) -> RecordBatch {
    let rows = Rows::of(lines, now);
    let mut sorted: Vec<(usize, Map<String, Value>)> = Vec::new();
    for (person, row) in &rows.profiles {
        let mut profile = record(row);
        let mut together = Map::new();
        for own in ["id", "time"] {
            together.extend(profile.remove(own).map(|value| (own.to_owned(), value)));
        }
        together.insert("profile".into(), Value::Object(profile));
        sorted.push((*person, together));
    }
    sorted.extend(rows.events.iter().map(|(person, row)| (*person, record(row))));
    let id = |row: &Map<String, Value>, name: &str| match row.get(name) {
        Some(Value::String(text)) => text.clone(),
        other => other.map(Value::to_string).unwrap_or_default(),
    };
    let merges: Vec<_> = rows.merges.iter().map(|(_, row)| record(row)).collect();
    let pairs: Vec<_> = merges.iter().map(|row| (id(row, "from"), id(row, "into"))).collect();
    let people: HashMap<String, String> = merged_into(&pairs).into_iter().collect();
    // Who is of several lines stands where their first line does.
    let mut first_lines: HashMap<String, usize> = HashMap::new();
    for (line, row) in &mut sorted {
        let own = id(row, "id");
        let person = people.get(&own).cloned().unwrap_or(own);
        *line = *first_lines.entry(person.clone()).or_insert(*line);
        if !pairs.is_empty() {
            row.insert(PERSON.to_owned(), Value::String(person));
        }
    }
    sorted.sort_by_key(|(line, _)| *line);
    let records: Vec<Map<String, Value>> = sorted.into_iter().map(|(_, row)| row).collect();
    batch_of(&records)
}

/// What the columns of [`sorted_rows`] are.
pub fn sorted_columns(rows: &RecordBatch) -> SortedColumns {
    let profile = rows.column_by_name("profile").map(|_| "profile".to_owned());
    let is_merged = rows.column_by_name(PERSON).is_some();
    let (id, own_id) = if is_merged { (PERSON, Some("id".to_owned())) } else { ("id", None) };
    SortedColumns { id: id.into(), own_id, event: "event".into(), time: "time".into(), profile }
}

fn record(row: &str) -> Map<String, Value> {
    serde_json::from_str(row).expect("a row is an object")
}

/// Rows as columns of the types that their values have in common.
fn batch_of(records: &[Map<String, Value>]) -> RecordBatch {
    let records: Vec<Option<&Map<String, Value>>> = records.iter().map(Some).collect();
    let (mut fields, mut columns) = fields_of(&records);
    for own in ["event", "time"] {
        // Nobody need have done anything.
        if !fields.iter().any(|field| field.name() == own) {
            fields.push(Field::new(own, DataType::Null, true));
            columns.push(Arc::new(NullArray::new(records.len())));
        }
    }
    RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns).expect("columns of one length")
}

fn fields_of(records: &[Option<&Map<String, Value>>]) -> (Vec<Field>, Vec<ArrayRef>) {
    let mut names: Vec<&String> = Vec::new();
    for name in records.iter().flatten().flat_map(|record| record.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let columns = names.into_iter().map(|name| {
        let values: Vec<Option<&Value>> = records.iter().map(|record| record.and_then(|r| r.get(name))).collect();
        let column = column_of(&values);
        (Field::new(name, column.data_type().clone(), true), column)
    });
    columns.unzip()
}

fn column_of(values: &[Option<&Value>]) -> ArrayRef {
    let values: Vec<Option<&Value>> = values.iter().map(|value| value.filter(|value| !value.is_null())).collect();
    let all = |is: fn(&Value) -> bool| values.iter().flatten().all(|value| is(value));
    if values.iter().all(Option::is_none) {
        return Arc::new(NullArray::new(values.len()));
    }
    if all(Value::is_boolean) {
        return Arc::new(values.iter().map(|v| v.and_then(Value::as_bool)).collect::<BooleanArray>());
    }
    if all(Value::is_i64) {
        return Arc::new(values.iter().map(|v| v.and_then(Value::as_i64)).collect::<Int64Array>());
    }
    let nulls = NullBuffer::from_iter(values.iter().map(Option::is_some));
    if all(Value::is_array) {
        let lists = values.iter().map(|value| value.and_then(Value::as_array));
        let offsets = OffsetBuffer::from_lengths(lists.clone().map(|list| list.map_or(0, Vec::len)));
        let items: Vec<Option<&Value>> = lists.flatten().flatten().map(Some).collect();
        let items = column_of(&items);
        let item = Arc::new(Field::new("item", items.data_type().clone(), true));
        return Arc::new(ListArray::new(item, offsets, items, Some(nulls)));
    }
    if all(Value::is_object) {
        let records: Vec<Option<&Map<String, Value>>> = values.iter().map(|v| v.and_then(Value::as_object)).collect();
        let (fields, columns) = fields_of(&records);
        if fields.is_empty() {
            return Arc::new(StructArray::new_empty_fields(records.len(), Some(nulls)));
        }
        return Arc::new(StructArray::new(Fields::from(fields), columns, Some(nulls)));
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Arc::new(values.iter().map(|value| value.map(text)).collect::<StringArray>())
}
