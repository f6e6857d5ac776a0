//! Which fields the objects of a file have, and their values as columns.

use crate::cell::Cell;
use crate::rows::making::{Layout, Maker};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashMap;
use std::fmt;

/// The fields of objects, those of objects inside them below theirs. The first stands for
/// the objects themselves.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    nodes: Vec<Field>,
}

#[derive(Debug, Clone, Default)]
struct Field {
    /// The column of its values, where it had any that is no object.
    column: Option<usize>,
    /// The fields of its objects in the order in which they were met.
    inner: Vec<(String, usize)>,
    by_name: HashMap<String, usize>,
}

impl Default for Fields {
    fn default() -> Fields {
        Fields { nodes: vec![Field::default()] }
    }
}

impl Fields {
    /// The place of a field below another's.
    pub fn place(&mut self, of: usize, name: &str) -> usize {
        let next = self.nodes.len();
        let Some(outer) = self.nodes.get_mut(of) else { return 0 };
        if let Some(place) = outer.by_name.get(name) {
            return *place;
        }
        outer.inner.push((name.to_owned(), next));
        outer.by_name.insert(name.to_owned(), next);
        self.nodes.push(Field::default());
        next
    }

    /// The column of a field's values.
    pub fn column(&self, place: usize) -> Option<usize> {
        self.nodes.get(place)?.column
    }

    pub fn set_column(&mut self, place: usize, column: usize) {
        if let Some(field) = self.nodes.get_mut(place) {
            field.column = Some(column);
        }
    }

    /// The place of a field that was met, which mostly is where it was in the line before.
    fn find(&self, of: usize, name: &str, guess: usize) -> Option<usize> {
        let outer = self.nodes.get(of)?;
        match outer.inner.get(guess) {
            Some((guessed, place)) if guessed == name => Some(*place),
            Some(_) | None => outer.by_name.get(name).copied(),
        }
    }
}

/// A line of a file.
pub(super) enum Line<'l> {
    Text(&'l str),
    /// Bytes of which it is not known whether they are text.
    Bytes(&'l [u8]),
}

/// What is known of the rows of a file, for whoever makes columns of them.
pub(super) struct Known {
    pub fields: Fields,
    pub layout: Layout,
}

/// Puts the values of objects into columns.
pub(super) struct Lines<'k> {
    known: &'k Known,
    /// The object that had each field last.
    met: Vec<u32>,
    n_objects: u32,
}

impl<'k> Lines<'k> {
    pub fn new(known: &'k Known) -> Lines<'k> {
        Lines { known, met: vec![0; known.fields.nodes.len()], n_objects: 0 }
    }

    /// Puts the values of a line into columns, and says whether all of it is as it should be:
    /// an object of fields that were met before, each once, whose values are fit.
    pub fn put(&mut self, maker: &mut Maker<'_>, line: Line<'_>) -> bool {
        self.n_objects += 1;
        let slot = Slot { row: Row { lines: self, maker }, place: Some(0), is_row: true };
        match line {
            Line::Text(text) => slot.only_value(&mut serde_json::Deserializer::from_str(text)),
            Line::Bytes(bytes) => slot.only_value(&mut serde_json::Deserializer::from_slice(bytes)),
        }
    }
}

/// A row that is put together.
struct Row<'r, 'k, 'm> {
    lines: &'r mut Lines<'k>,
    maker: &'r mut Maker<'m>,
}

impl<'k, 'm> Row<'_, 'k, 'm> {
    fn again(&mut self) -> Row<'_, 'k, 'm> {
        Row { lines: self.lines, maker: self.maker }
    }
}

/// Where a value belongs.
struct Slot<'r, 'k, 'm> {
    row: Row<'r, 'k, 'm>,
    /// None for a field that was not met before.
    place: Option<usize>,
    /// Whether it is the object that is the row.
    is_row: bool,
}

impl Slot<'_, '_, '_> {
    /// Puts the one value of a line into columns, and says whether it is as it should be.
    fn only_value<'de, R: serde_json::de::Read<'de>>(self, values: &mut serde_json::Deserializer<R>) -> bool {
        self.deserialize(&mut *values).is_ok() && values.end().is_ok()
    }

    fn put<E: Error>(self, cell: &Cell<'_>) -> Result<(), E> {
        let column = self.place.filter(|_| !self.is_row).and_then(|place| self.row.lines.known.fields.column(place));
        let is_fit = column.is_some_and(|column| self.row.maker.put(column, cell));
        if is_fit { Ok(()) } else { Err(E::custom("")) }
    }

    fn put_digits<E: Error>(self, number: Option<serde_json::Number>) -> Result<(), E> {
        self.put(&number.map(|number| number.to_string()).as_deref().map_or(Cell::Missing, Cell::Digits))
    }
}

impl<'de> DeserializeSeed<'de> for Slot<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Slot<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that fits")
    }

    /// A null says no more than an absent field.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.is_row { Err(E::custom("")) } else { Ok(()) }
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.put(&Cell::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.put(&Cell::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.put(&Cell::Integer(value)),
            Err(_) => self.put_digits(Some(value.into())),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let column = self.place.and_then(|place| self.row.lines.known.fields.column(place));
        match column.is_some_and(|column| self.row.maker.takes_floats(column)) {
            true => self.put(&Cell::Number(value)),
            false => self.put_digits(serde_json::Number::from_f64(value)),
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.put(&Cell::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<Passed>()?.is_some() {}
        // A list is nothing that columns are made of.
        self.put(&Cell::List(Vec::new()))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        let place = self.place.ok_or_else(|| A::Error::custom(""))?;
        let mut guess = 0;
        while let Some(found) = fields.next_key_seed(Key { fields: &self.row.lines.known.fields, of: place, guess })? {
            guess += 1;
            let n_objects = self.row.lines.n_objects;
            if let Some(met) = found.and_then(|place| self.row.lines.met.get_mut(place))
                && std::mem::replace(met, n_objects) == n_objects
            {
                // Of fields of one name the last counts.
                return Err(A::Error::custom(""));
            }
            fields.next_value_seed(Slot { row: self.row.again(), place: found, is_row: false })?;
        }
        Ok(())
    }
}

/// The name of a field, of which its place is found.
struct Key<'f> {
    fields: &'f Fields,
    of: usize,
    guess: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.fields.find(self.of, name, self.guess))
    }
}

/// A value that nobody looks at, but that has to be one.
struct Passed;

impl<'de> serde::Deserialize<'de> for Passed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Passed, D::Error> {
        deserializer.deserialize_any(Passed)
    }
}

impl<'de> Visitor<'de> for Passed {
    type Value = Passed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Passed, E> {
        Ok(Passed)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Passed, E> {
        Ok(Passed)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Passed, E> {
        Ok(Passed)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Passed, E> {
        Ok(Passed)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Passed, E> {
        Ok(Passed)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Passed, E> {
        Ok(Passed)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Passed, A::Error> {
        while items.next_element::<Passed>()?.is_some() {}
        Ok(Passed)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Passed, A::Error> {
        while fields.next_entry::<Passed, Passed>()?.is_some() {}
        Ok(Passed)
    }
}
