//! Rows of files with a JSON object a line.

use super::RowSink;
use crate::cell::Cell;
use crate::open::DataFile;
use crate::report::ReadError;
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

/// The longest line that is read.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(super) fn read(file: &DataFile, stream: Box<dyn Read>, sink: &mut dyn RowSink) -> Result<(), ReadError> {
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    let mut names: Vec<String> = Vec::new();
    let mut positions: HashMap<String, usize> = HashMap::new();
    let mut buffer = Vec::new();
    let mut line = 0;
    loop {
        buffer.clear();
        let n = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut buffer).map_err(|e| file.error(&e))?;
        if n == 0 {
            return Ok(());
        }
        line += 1;
        if n as u64 == LINE_BYTES_MAX {
            return Err(ReadError::new(&file.name, format!("line {line} is longer than 64 MiB")));
        }
        let text = buffer.trim_ascii();
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        if text.is_empty() {
            continue;
        }
        let object = match serde_json::from_slice::<Value>(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => {
                sink.broken(line, "not a JSON object");
                continue;
            }
            Err(error) => {
                sink.broken(line, &format!("not JSON: {error}"));
                continue;
            }
        };
        let object = flattened(object);
        let n_known = names.len();
        for (key, _) in &object {
            if !positions.contains_key(key) {
                positions.insert(key.clone(), names.len());
                names.push(key.clone());
            }
        }
        if names.len() > n_known || line == 1 {
            sink.columns(&names);
        }
        let digits: Vec<String> = object.iter().map(|(_, value)| number_text(value)).collect();
        let mut cells = vec![Cell::Missing; names.len()];
        for ((key, value), digits) in object.iter().zip(&digits) {
            if let Some(slot) = positions.get(key).and_then(|&at| cells.get_mut(at)) {
                *slot = cell(value, digits);
            }
        }
        sink.row(line, &cells);
    }
}

/// The fields of an object, those of objects inside it under their path:
/// `address.country`. The depth is bounded by the JSON reader.
fn flattened(object: serde_json::Map<String, Value>) -> Vec<(String, Value)> {
    let mut fields = Vec::with_capacity(object.len());
    for (key, value) in object {
        match value {
            Value::Object(inner) => {
                fields.extend(flattened(inner).into_iter().map(|(path, value)| (format!("{key}.{path}"), value)));
            }
            // A null says no more than an absent field, not even a column's name.
            Value::Null => {}
            value => fields.push((key, value)),
        }
    }
    fields
}

fn number_text(value: &Value) -> String {
    match value {
        Value::Number(n) if !n.is_i64() => n.to_string(),
        _ => String::new(),
    }
}

/// A JSON value; `digits` are those of a number that is not 64-bit whole.
pub(crate) fn cell<'a>(value: &'a Value, digits: &'a str) -> Cell<'a> {
    match value {
        Value::Null => Cell::Missing,
        Value::Bool(b) => Cell::Boolean(*b),
        Value::String(text) => Cell::Text(text),
        Value::Number(n) => match n.as_i64() {
            Some(i) => Cell::Integer(i),
            None if !digits.is_empty() => Cell::Digits(digits),
            None => Cell::Number(n.as_f64().unwrap_or(f64::NAN)),
        },
        Value::Array(items) => Cell::List(items.iter().map(|i| cell(i, "")).collect()),
        Value::Object(fields) => Cell::Record(fields.iter().map(|(k, v)| (k.as_str(), cell(v, ""))).collect()),
    }
}
