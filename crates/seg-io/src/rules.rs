//! What a source says of its texts, put to cells before the schema reads them.

use crate::cell::Cell;
use crate::manifest::{DayOrder, Reading};
use crate::times::year_first;
use seg_data::{Element, Type};
use std::borrow::Cow;

/// What `seg.toml` says of the texts of a source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    missing: Vec<String>,
    trim: bool,
    dates: Option<DayOrder>,
    has_decimal_comma: bool,
}

impl Rules {
    pub fn new(reading: &Reading) -> Rules {
        Rules {
            missing: reading.missing.clone(),
            trim: reading.trim,
            dates: reading.dates,
            has_decimal_comma: reading.csv.decimal == Some(','),
        }
    }

    /// Whether it says nothing, so that columns may be taken as they are.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && !self.trim && self.dates.is_none() && !self.has_decimal_comma
    }

    /// Hands on a cell as it is where a value of a type is wanted.
    pub fn with<R>(&self, cell: &Cell<'_>, ty: &Type, then: impl FnOnce(&Cell<'_>) -> R) -> R {
        if self.is_empty() {
            return then(cell);
        }
        match (cell, ty) {
            (Cell::Text(_), _) => then(&cell_of(cell, &self.text_of(cell, ty))),
            (Cell::List(items), Type::List(element)) => {
                let ty = element.ty();
                let texts: Vec<Option<Cow<'_, str>>> = items.iter().map(|item| self.text_of(item, &ty)).collect();
                then(&Cell::List(items.iter().zip(&texts).map(|(item, text)| cell_of(item, text)).collect()))
            }
            (Cell::List(items), Type::Records(fields)) => {
                let texts: Vec<Vec<Option<String>>> = items.iter().map(|item| self.texts_of(item, fields)).collect();
                then(&Cell::List(items.iter().zip(&texts).map(|(item, texts)| record_of(item, texts)).collect()))
            }
            _ => then(cell),
        }
    }

    /// The texts of the fields of a record, as their types take them; what has none is
    /// missing.
    fn texts_of(&self, record: &Cell<'_>, fields: &[(String, Type)]) -> Vec<Option<String>> {
        let Cell::Record(values) = record else { return Vec::new() };
        let text = |(name, value): &(&str, Cell<'_>)| match fields.iter().find(|(field, _)| field == name) {
            Some((_, ty)) => self.text_of(value, ty).map(Cow::into_owned),
            // What nobody reads stays as it is.
            None => value.as_text().map(Cow::into_owned),
        };
        values.iter().map(text).collect()
    }

    /// The text of an id, where there is one.
    pub fn id<'c>(&self, cell: &'c Cell<'c>) -> Option<Cow<'c, str>> {
        match self.is_empty() {
            true => cell.as_id(),
            false => self.with(cell, &Type::Text, |cell| cell.as_id().map(|id| Cow::Owned(id.into_owned()))),
        }
    }

    /// The text of a cell that is one, as its type takes it.
    fn text_of<'c>(&self, cell: &Cell<'c>, ty: &Type) -> Option<Cow<'c, str>> {
        match cell {
            Cell::Text(text) => self.text(text, ty),
            _ => None,
        }
    }

    /// A text as its type takes it; nothing where it stands for no value.
    fn text<'c>(&self, text: &'c str, ty: &Type) -> Option<Cow<'c, str>> {
        // Only a text is anything else with blanks around it.
        let is_text = matches!(ty, Type::Text);
        let trimmed = text.trim();
        if self.missing.iter().any(|marker| marker == trimmed) {
            return None;
        }
        let text = if self.trim || !is_text { trimmed } else { text };
        let is_number = |ty: &Type| matches!(ty, Type::Integer | Type::Number | Type::Money);
        match ty {
            ty if is_number(ty) && self.has_decimal_comma => Some(Cow::Owned(with_point(text))),
            Type::Timestamp | Type::Date => {
                let right = self.dates.and_then(|order| year_first(text, order));
                Some(right.map_or(Cow::Borrowed(text), Cow::Owned))
            }
            Type::List(element) => self.list(text, *element),
            _ => Some(Cow::Borrowed(text)),
        }
    }

    /// A list within a text: its items are read one by one where they stand between `;`.
    fn list<'c>(&self, text: &'c str, element: Element) -> Option<Cow<'c, str>> {
        if text.starts_with('[') {
            return Some(Cow::Borrowed(text));
        }
        let ty = element.ty();
        let items: Vec<Cow<'_, str>> = text.split(';').filter_map(|item| self.text(item, &ty)).collect();
        Some(Cow::Owned(items.join(";")))
    }
}

/// A cell with the text that became of it, where it is one.
fn cell_of<'c>(cell: &Cell<'c>, text: &'c Option<Cow<'_, str>>) -> Cell<'c> {
    match (cell, text) {
        (Cell::Text(_), Some(text)) => Cell::Text(text),
        (Cell::Text(_), None) => Cell::Missing,
        (other, _) => other.clone(),
    }
}

/// A record with the texts that became of its fields.
fn record_of<'c>(record: &Cell<'c>, texts: &'c [Option<String>]) -> Cell<'c> {
    let Cell::Record(values) = record else { return record.clone() };
    let fields = values.iter().zip(texts).map(|((name, value), text)| match (value, text) {
        (Cell::Text(_), Some(text)) => (*name, Cell::Text(text)),
        (Cell::Text(_), None) => (*name, Cell::Missing),
        (other, _) => (*name, other.clone()),
    });
    Cell::Record(fields.collect())
}

/// `1.234,50` as `1234.50`, `1.234` as `1234`; a point that stands before no three digits is
/// none of thousands, and nobody can say what it is.
fn with_point(text: &str) -> String {
    let (whole, places) = text.split_once(',').map_or((text, None), |(whole, places)| (whole, Some(places)));
    let mut groups = whole.split(['.', ' ', '\u{a0}']);
    let first = groups.next().unwrap_or_default();
    let are_thousands = groups.clone().all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()));
    let is_short = groups.clone().next().is_none() || first.trim_start_matches(['-', '+']).len() <= 3;
    if !are_thousands || !is_short {
        return format!("?{text}");
    }
    let whole: String = std::iter::once(first).chain(groups).collect();
    places.map_or(whole.clone(), |places| format!("{whole}.{places}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::CsvRead;

    fn read(reading: Reading, text: &str, ty: &Type) -> String {
        Rules::new(&reading).with(&Cell::Text(text), ty, |cell| cell.show())
    }

    #[test]
    fn texts_are_read_as_the_source_says() {
        let trim = || Reading { trim: true, ..Reading::default() };
        assert_eq!(read(trim(), " a ", &Type::Text), "a");
        assert_eq!(read(trim(), " a ; b ", &Type::List(Element::Text)), "a;b");
        assert_eq!(read(Reading::default(), " a ", &Type::Text), " a ");
        let missing = || Reading { missing: vec!["-".into(), "NULL".into()], ..Reading::default() };
        assert_eq!(read(missing(), "-", &Type::Text), "");
        assert_eq!(read(missing(), " NULL", &Type::Text), "");
        assert_eq!(read(missing(), "null", &Type::Text), "null");
        let csv = CsvRead { decimal: Some(','), ..CsvRead::default() };
        let comma = || Reading { csv: csv.clone(), ..Reading::default() };
        assert_eq!(read(comma(), "1.234,50", &Type::Money), "1234.50");
        assert_eq!(read(comma(), "12", &Type::Number), "12");
        assert_eq!(read(comma(), "1.234", &Type::Money), "1234");
        assert_eq!(read(comma(), "-12.345.678,5", &Type::Number), "-12345678.5");
        assert_eq!(read(comma(), "1 234,5", &Type::Number), "1234.5");
        assert_eq!(read(comma(), "1000", &Type::Integer), "1000");
        // Which of the two is meant nobody can say.
        for unclear in ["12.5", "1234.567", "1.23,4", "1.2345"] {
            assert_eq!(read(comma(), unclear, &Type::Number), format!("?{unclear}"));
        }
        assert_eq!(read(comma(), "a,b", &Type::Text), "a,b");
        assert_eq!(read(comma(), "1,5;2", &Type::List(Element::Number)), "1.5;2");
        let dates = || Reading { dates: Some(DayOrder::DayFirst), ..Reading::default() };
        assert_eq!(read(dates(), "31/12/2026", &Type::Date), "2026-12-31");
        assert_eq!(read(dates(), "2026-12-31", &Type::Date), "2026-12-31");
    }
}
