//! Rows of files with a JSON object a line, or with one array of them.

use super::RowSink;
use super::not_numbers::{Blanked, Quotes, blank};
use crate::cell::Cell;
use crate::open::DataFile;
use crate::report::ReadError;
use serde::Deserializer;
use serde::de::{SeqAccess, Visitor};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read};

/// The longest line that is read.
const LINE_BYTES_MAX: u64 = 16 * 1024 * 1024;

const BOM: &[u8] = "\u{feff}".as_bytes();

pub(super) fn read(file: &DataFile, stream: Box<dyn Read>, sink: &mut dyn RowSink) -> Result<(), ReadError> {
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    let mut rows = Rows { sink, names: Vec::new(), positions: HashMap::new(), n_rows: 0 };
    // What stands before the first value may be long, and is nothing.
    loop {
        let start = reader.fill_buf().map_err(|e| file.error(&e))?;
        let n_before = if start.starts_with(BOM) { BOM.len() } else { 0 };
        let rest = start.get(n_before..).unwrap_or_default();
        let n_blanks = rest.len() - rest.trim_ascii_start().len();
        match (start.is_empty(), rest.get(n_blanks)) {
            (true, _) => return Ok(()),
            (false, Some(b'[')) => return rows.array(file, reader),
            // Lines are counted from the beginning.
            (false, Some(_)) => return rows.lines(file, reader),
            (false, None) => {
                rows.n_rows += rest.iter().filter(|byte| **byte == b'\n').count() as u64;
                let n = start.len();
                reader.consume(n);
            }
        }
    }
}

/// The rows of a file, and which fields were met in them.
struct Rows<'s> {
    sink: &'s mut dyn RowSink,
    names: Vec<String>,
    positions: HashMap<String, usize>,
    /// Lines, or objects of an array, so far.
    n_rows: u64,
}

impl Rows<'_> {
    fn lines(&mut self, file: &DataFile, mut reader: impl BufRead) -> Result<(), ReadError> {
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let n = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut buffer).map_err(|e| file.error(&e))?;
            if n == 0 {
                return Ok(());
            }
            self.n_rows += 1;
            let line = self.n_rows;
            if n as u64 == LINE_BYTES_MAX {
                return Err(ReadError::new(&file.name, format!("line {line} is longer than 16 MiB")));
            }
            buffer.truncate(buffer.trim_ascii_end().len());
            let rest = buffer.trim_ascii_start();
            let rest = rest.strip_prefix(BOM).unwrap_or(rest);
            if rest.is_empty() {
                continue;
            }
            let begin = buffer.len() - rest.len();
            let text = buffer.get_mut(begin..).unwrap_or_default();
            let value = serde_json::from_slice::<Value>(text).or_else(|error| {
                match blank(text, true, &mut Quotes::default()) {
                    (_, true) => serde_json::from_slice(text),
                    (_, false) => Err(error),
                }
            });
            match value {
                Ok(value) => self.value(value),
                Err(error) => self.sink.broken(line, &format!("not JSON: {error}")),
            }
        }
    }

    /// One array, of which one object after the other is held.
    fn array(&mut self, file: &DataFile, reader: impl BufRead) -> Result<(), ReadError> {
        let mut values = serde_json::Deserializer::from_reader(Blanked::new(WithoutBom { reader, is_begun: false }));
        let read = values.deserialize_seq(&mut *self).and_then(|()| values.end());
        // What follows is lost, so that nothing of it would be the whole.
        read.map_err(|error| match error.io_error_kind() {
            Some(kind) => file.error(&std::io::Error::from(kind)),
            None => ReadError::new(&file.name, format!("the array of rows ends in what is not JSON: {error}")),
        })
    }

    fn value(&mut self, value: Value) {
        let line = self.n_rows;
        let Value::Object(object) = value else { return self.sink.broken(line, "not a JSON object") };
        let object = flattened(object);
        let n_known = self.names.len();
        for (key, _) in &object {
            if !self.positions.contains_key(key) {
                self.positions.insert(key.clone(), self.names.len());
                self.names.push(key.clone());
            }
        }
        if self.names.len() > n_known || n_known == 0 {
            self.sink.columns(&self.names);
        }
        let digits: Vec<String> = object.iter().map(|(_, value)| number_text(value)).collect();
        let mut cells = vec![Cell::Missing; self.names.len()];
        for ((key, value), digits) in object.iter().zip(&digits) {
            if let Some(slot) = self.positions.get(key).and_then(|&at| cells.get_mut(at)) {
                *slot = cell(value, digits);
            }
        }
        self.sink.row(line, &cells);
    }
}

impl<'de> Visitor<'de> for &mut Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(value) = items.next_element::<Value>()? {
            self.n_rows += 1;
            self.value(value);
        }
        Ok(())
    }
}

/// A stream without the mark of its encoding.
struct WithoutBom<R> {
    reader: R,
    is_begun: bool,
}

impl<R: BufRead> Read for WithoutBom<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if !std::mem::replace(&mut self.is_begun, true) && self.reader.fill_buf()?.starts_with(BOM) {
            self.reader.consume(BOM.len());
        }
        self.reader.read(out)
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
