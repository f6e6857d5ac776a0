//! Maps of Parquet and Arrow as structs: a column for each key that somebody knows.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, MapArray, StructArray, UInt32Array};
use arrow_buffer::NullBuffer;
use arrow_cast::cast;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema};
use arrow_select::take::take;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// So many keys that nobody knows are told of in one file.
const UNKNOWN_MAX: usize = 1_000;

/// A schema in which each map with keys that are known is a struct of these; `known` are the
/// names of columns that somebody looks for, among them paths such as `properties.plan`.
pub(super) fn with_keys(schema: &Schema, known: &[String]) -> Schema {
    let fields = schema.fields().iter().map(|field| field_with_keys("", field, known));
    Schema::new_with_metadata(fields.collect::<Fields>(), schema.metadata().clone())
}

fn field_with_keys(path: &str, field: &FieldRef, known: &[String]) -> FieldRef {
    let path = format!("{path}{}.", field.name());
    let data_type = match field.data_type() {
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|field| field_with_keys(&path, field, known)).collect())
        }
        DataType::Map(entries, _) => match keys_of(&path, entries, known) {
            Some(keys) => DataType::Struct(keys),
            None => return Arc::clone(field),
        },
        _ => return Arc::clone(field),
    };
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

/// The keys of a map that are known, as fields; none where it has none, or its keys are no
/// texts.
fn keys_of(path: &str, entries: &Field, known: &[String]) -> Option<Fields> {
    let DataType::Struct(entry) = entries.data_type() else { return None };
    let [key, value] = &**entry else { return None };
    if !is_text(key.data_type()) {
        return None;
    }
    let is_nested = matches!(value.data_type(), DataType::Struct(_) | DataType::Map(..));
    let mut met = HashSet::new();
    let mut fields: Vec<FieldRef> = Vec::new();
    for rest in known.iter().filter_map(|name| name.strip_prefix(path)).filter(|rest| !rest.is_empty()) {
        // A value with parts of its own has them behind the key.
        let key = if is_nested { rest.split('.').next().unwrap_or(rest) } else { rest };
        if met.insert(key) {
            let field = Arc::new(value.as_ref().clone().with_name(key).with_nullable(true));
            fields.push(field_with_keys(path, &field, known));
        }
    }
    (!fields.is_empty()).then(|| fields.into())
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, texts) => is_text(texts),
        _ => false,
    }
}

/// Keys of maps that nobody knows, each once.
#[derive(Default)]
pub(super) struct Unknown {
    met: HashSet<String>,
    /// Those that were not told of yet.
    pub new: Vec<String>,
}

impl Unknown {
    fn meet(&mut self, path: &str, key: &str) {
        if self.met.len() >= UNKNOWN_MAX {
            return;
        }
        let name = format!("{path}{key}");
        if !self.met.contains(&name) {
            self.new.push(name.clone());
            self.met.insert(name);
        }
    }
}

/// A column as a field of [`with_keys`] has it; nothing where it is so already.
pub(super) fn as_structs(path: &str, array: &ArrayRef, wanted: &Field, unknown: &mut Unknown) -> Option<ArrayRef> {
    let DataType::Struct(fields) = wanted.data_type() else { return None };
    let path = format!("{path}{}.", wanted.name());
    if let Some(map) = array.as_map_opt() {
        return of_map(&path, map, fields, unknown);
    }
    let rows = array.as_struct_opt()?;
    let changed: Vec<Option<ArrayRef>> =
        rows.columns().iter().zip(fields).map(|(column, field)| as_structs(&path, column, field, unknown)).collect();
    if changed.iter().all(Option::is_none) {
        return None;
    }
    let columns = changed.into_iter().zip(rows.columns());
    let columns = columns.map(|(changed, column)| changed.unwrap_or_else(|| Arc::clone(column)));
    struct_of(fields, columns.collect(), rows.nulls())
}

/// One pass over the entries finds for each known key the entry of each row, of several the
/// last.
fn of_map(path: &str, map: &MapArray, fields: &Fields, unknown: &mut Unknown) -> Option<ArrayRef> {
    let places: HashMap<&str, usize> =
        fields.iter().enumerate().map(|(at, field)| (field.name().as_str(), at)).collect();
    let keys = cast(map.keys(), &DataType::Utf8).ok()?;
    let keys = keys.as_string_opt::<i32>()?;
    let n_rows = map.len();
    let mut entries: Vec<Vec<Option<u32>>> = vec![vec![None; n_rows]; fields.len()];
    for (row, bounds) in map.value_offsets().windows(2).enumerate() {
        let [from, to] = bounds else { continue };
        if map.is_null(row) {
            continue;
        }
        for at in *from as usize..*to as usize {
            if at >= keys.len() || keys.is_null(at) {
                continue;
            }
            let key = keys.value(at);
            match places.get(key).and_then(|place| entries.get_mut(*place)?.get_mut(row)) {
                Some(slot) => *slot = u32::try_from(at).ok(),
                None => unknown.meet(path, key),
            }
        }
    }
    let columns = fields.iter().zip(entries).map(|(field, entries)| {
        let values = take(map.values(), &UInt32Array::from(entries), None).ok()?;
        Some(as_structs(path, &values, field, unknown).unwrap_or(values))
    });
    let columns = columns.collect::<Option<Vec<ArrayRef>>>()?;
    struct_of(fields, columns, None)
}

fn struct_of(fields: &Fields, columns: Vec<ArrayRef>, nulls: Option<&NullBuffer>) -> Option<ArrayRef> {
    let typed = fields.iter().zip(&columns);
    let typed = typed.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true));
    let typed: Fields = typed.collect::<Vec<_>>().into();
    Some(Arc::new(StructArray::try_new(typed, columns, nulls.cloned()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::builder::{MapBuilder, StringBuilder};

    /// Keys with their values.
    type Entries<'e> = &'e [(&'e str, Option<&'e str>)];

    fn map(rows: &[Option<Entries<'_>>]) -> ArrayRef {
        let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        for row in rows {
            for (key, value) in row.unwrap_or_default() {
                map.keys().append_value(key);
                map.values().append_option(*value);
            }
            map.append(row.is_some()).expect("a row");
        }
        Arc::new(map.finish())
    }

    #[test]
    fn a_map_has_a_column_for_each_key_that_is_known() {
        let rows: [Option<Entries<'_>>; 4] = [
            Some(&[("plan", Some("pro")), ("x", Some("1"))]),
            None,
            Some(&[]),
            Some(&[("x", None), ("plan", Some("free")), ("a.b", Some("c")), ("plan", Some("pro"))]),
        ];
        // Of a slice as well.
        let array = map(&[rows.as_slice(), &rows].concat()).slice(4, 4);
        let schema = Schema::new(vec![Field::new("traits", array.data_type().clone(), true)]);
        let known = ["traits.plan", "plan", "traits.a.b", "traits.none", "traits."].map(str::to_owned);
        let schema = with_keys(&schema, &known);
        let mut unknown = Unknown::default();
        let structs = as_structs("", &array, schema.field(0), &mut unknown).expect("changed");
        let structs = structs.as_struct();
        let texts = |name: &str| -> Vec<String> {
            let column = structs.column_by_name(name).expect("a column").as_string::<i32>();
            column.iter().map(|text| text.unwrap_or("-").to_owned()).collect()
        };
        assert_eq!(texts("plan"), ["pro", "-", "-", "pro"]);
        assert_eq!(texts("a.b"), ["-", "-", "-", "c"]);
        assert_eq!(texts("none"), ["-", "-", "-", "-"]);
        assert_eq!(unknown.new, ["traits.x"]);
        // Nobody knows a key: the map is a column, which is told of as such.
        assert_eq!(with_keys(&schema, &[]), schema);
    }
}
