//! Numbers for the names of a schema, which facts are kept with.

use seg_data::{Schema, Type};
use std::collections::HashMap;

/// Every name that a schema ever had, by number. Numbers are never given twice.
#[derive(Debug, Clone, Default)]
pub struct Names {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Names {
    /// Gives numbers to the names of a schema that have none yet: those of attributes, of
    /// events with their properties, and of the fields of lists of records.
    pub fn add(&mut self, schema: &Schema) {
        for field in &schema.attributes {
            self.add_field(&field.name, &field.ty);
        }
        for event in &schema.events {
            self.add_name(&event.name);
            event.properties.iter().for_each(|field| self.add_field(&field.name, &field.ty));
        }
    }

    fn add_field(&mut self, name: &str, ty: &Type) {
        self.add_name(name);
        if let Type::Records(fields) = ty {
            fields.iter().for_each(|(name, ty)| self.add_field(name, ty));
        }
    }

    /// Gives the next number to a name that has none.
    pub fn add_name(&mut self, name: &str) {
        if !self.numbers.contains_key(name) {
            self.numbers.insert(name.to_owned(), self.names.len() as u32);
            self.names.push(name.to_owned());
        }
    }

    /// The number of a name.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// The name of a number.
    pub fn name(&self, number: u32) -> Option<&str> {
        self.names.get(number as usize).map(String::as_str)
    }

    /// All names in the order of their numbers.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}
