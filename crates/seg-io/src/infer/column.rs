//! What the values of a column show of its type.

use super::ALLOWED_MAX;
use crate::cell::Cell;
use crate::rows::json_cell;
use seg_data::{Element, Timestamp, Type, Zone};
use std::collections::BTreeSet;

const MONEY_WORDS: &[&str] = &["price", "amount", "total", "revenue", "value", "cost", "spent", "fee", "ltv", "rate"];
const ID_WORDS: &[&str] = &["id", "code", "no", "number", "zip", "postcode", "phone", "sku"];
/// What the names of columns of times end in.
const TIME_WORDS: &[&str] = &["timestamp", "time", "ts", "datetime", "date", "at"];

/// The types that the values of a column fit so far, and the values themselves as
/// long as there are few.
#[derive(Clone)]
pub(crate) struct Column {
    pub name: String,
    fits: Vec<Type>,
    pub n_values: u64,
    has_fraction: bool,
    pub texts: BTreeSet<String>,
    pub last: Option<Timestamp>,
    /// How many values are numbers since 1970.
    n_unix: u64,
    /// How many values may be instants.
    n_times: u64,
    /// How many values are neither values nor lists of some.
    n_others: u64,
    lists: Lists,
    /// Whose clock a time without a zone means.
    zone: Option<Zone>,
}

/// What the lists of a column hold.
#[derive(Clone, Default)]
struct Lists {
    n_lists: u64,
    /// Of items that are no records.
    items: Option<Box<Column>>,
    /// Of records, by field.
    fields: Vec<Column>,
}

impl Column {
    pub fn new(name: &str, zone: Option<Zone>) -> Column {
        use Type::{Boolean, Date, Integer, Money, Number, Timestamp};
        Column {
            name: name.to_owned(),
            fits: vec![Boolean, Integer, Money, Number, Date, Timestamp],
            n_values: 0,
            has_fraction: false,
            texts: BTreeSet::new(),
            last: None,
            n_unix: 0,
            n_times: 0,
            n_others: 0,
            lists: Lists::default(),
            zone,
        }
    }

    /// What its values show together with those of a column of the same name in another file.
    pub fn with(mut self, other: &Column) -> Column {
        // What has no value fits every type.
        match (self.n_values, other.n_values) {
            (_, 0) => return self,
            (0, _) => self.fits.clone_from(&other.fits),
            _ => self.fits.retain(|ty| other.fits.contains(ty)),
        }
        self.n_values += other.n_values;
        self.has_fraction |= other.has_fraction;
        self.n_unix += other.n_unix;
        self.n_times += other.n_times;
        self.n_others += other.n_others;
        self.last = self.last.max(other.last);
        self.texts.extend(other.texts.iter().take(ALLOWED_MAX + 1).cloned());
        self.lists.extend(&other.lists);
        self
    }

    pub fn see(&mut self, cell: &Cell<'_>) {
        if cell.is_nothing() {
            return;
        }
        self.n_values += 1;
        self.n_others += u64::from(matches!(cell, Cell::Other(_)));
        if self.lists.see(cell, self.zone) {
            return self.fits.clear();
        }
        let text = cell.show();
        self.has_fraction |= matches!(cell, Cell::Number(_) | Cell::Digits(_)) || text.contains('.');
        let is_unix = cell.as_unix().is_some();
        self.n_unix += u64::from(is_unix);
        let is_time = !is_unix || is_named_for_times(&self.name);
        self.fits.retain(|ty| match ty {
            // Digits alone are no yes or no.
            Type::Boolean => {
                matches!(cell, Cell::Boolean(_))
                    || matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no")
            }
            // An id such as `0042` is no number.
            Type::Integer => cell.integer().is_ok() && !has_leading_zero(&text) && !text.contains('.'),
            Type::Money => cell.money().is_ok() && !has_leading_zero(&text),
            Type::Number => cell.number().is_ok() && !has_leading_zero(&text),
            // With a time of day it is an instant, if midnight each time.
            Type::Date => cell.date(self.zone).is_ok() && !text.contains(':'),
            Type::Timestamp => is_time && cell.instant(self.zone).is_ok(),
            Type::Text | Type::List(_) | Type::Duration | Type::Records(_) => false,
        });
        let may_be_time = is_time && (self.fits.contains(&Type::Timestamp) || is_named_for_times(&self.name));
        if may_be_time && let Ok(Some(at)) = cell.instant(self.zone) {
            self.n_times += 1;
            self.last = self.last.max(Some(at));
        }
        if self.texts.len() <= ALLOWED_MAX {
            self.texts.insert(text);
        }
    }

    /// Whether what is in it can be no value.
    pub fn is_of_others(&self) -> bool {
        self.n_others > 0 && self.n_others == self.n_values
    }

    /// Whether so many of its values may be instants that the others are mistakes.
    pub fn mostly_fits_times(&self) -> bool {
        self.n_values > 0 && self.n_times * 10 >= self.n_values * 9
    }

    /// Whether every value may be an instant.
    pub fn fits_times(&self) -> bool {
        self.n_values > 0 && self.fits.contains(&Type::Timestamp)
    }

    /// The currency that all rows name, with the column that says so.
    pub fn currency(&self) -> Option<(&str, &str)> {
        let mut values = self.texts.iter();
        let (Some(code), None) = (values.next(), values.next()) else { return None };
        let is_code = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        (is_code && is_like(&self.name, &["currency"])).then_some((self.name.as_str(), code.as_str()))
    }

    pub fn ty(&self) -> Type {
        if let Some(list) = self.lists.ty(self.n_values) {
            return list;
        }
        let fits = |ty: &Type| self.n_values > 0 && self.fits.contains(ty);
        if fits(&Type::Timestamp) && self.n_unix == self.n_values {
            return Type::Timestamp;
        }
        let first = [Type::Boolean, Type::Integer].into_iter().find(|ty| fits(ty));
        let is_money = self.has_fraction && is_named_for_money(&self.name) && fits(&Type::Money);
        let rest = [Type::Number, Type::Date, Type::Timestamp].into_iter().find(|ty| fits(ty));
        first
            .filter(|ty| *ty != Type::Integer || !is_like(&self.name, ID_WORDS))
            .or(is_money.then_some(Type::Money))
            .or(rest.filter(|ty| *ty != Type::Number || !is_like(&self.name, ID_WORDS)))
            .unwrap_or(Type::Text)
    }
}

impl Lists {
    /// Looks at a list, as such or as JSON in a text; says whether it was one.
    fn see(&mut self, cell: &Cell<'_>, zone: Option<Zone>) -> bool {
        let parsed;
        let owned;
        let items = match cell {
            Cell::List(items) => items,
            Cell::Text(text) if text.starts_with('[') && text.ends_with(']') => {
                parsed = serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
                match json_cell(&parsed, "") {
                    Cell::List(items) => {
                        owned = items;
                        &owned
                    }
                    _ => return false,
                }
            }
            _ => return false,
        };
        self.n_lists += 1;
        for item in items {
            match item {
                Cell::Record(fields) => fields.iter().for_each(|(name, value)| self.see_field(name, value, zone)),
                item => self.items.get_or_insert_with(|| Box::new(Column::new("", zone))).see(item),
            }
        }
        true
    }

    fn extend(&mut self, other: &Lists) {
        self.n_lists += other.n_lists;
        self.items = match (self.items.take(), &other.items) {
            (Some(own), Some(other)) => Some(Box::new(own.with(other))),
            (own, other) => own.or_else(|| other.clone()),
        };
        for field in &other.fields {
            match self.fields.iter_mut().find(|known| known.name == field.name) {
                Some(known) => *known = known.clone().with(field),
                None => self.fields.push(field.clone()),
            }
        }
    }

    fn see_field(&mut self, name: &str, value: &Cell<'_>, zone: Option<Zone>) {
        match self.fields.iter_mut().find(|field| field.name == name) {
            Some(field) => field.see(value),
            None => {
                let mut field = Column::new(name, zone);
                field.see(value);
                self.fields.push(field);
            }
        }
    }

    /// The type of a column whose values are all lists.
    fn ty(&self, n_values: u64) -> Option<Type> {
        if self.n_lists == 0 || self.n_lists != n_values {
            return None;
        }
        if !self.fields.is_empty() && self.items.is_none() {
            // Of what records hold only what is one value is spoken of.
            let fields = self.fields.iter().map(|field| (field.name.clone(), field.ty()));
            return Some(Type::Records(
                fields.filter(|(_, ty)| !matches!(ty, Type::List(_) | Type::Records(_))).collect(),
            ));
        }
        let element = match self.items.as_ref().map(|items| items.ty()) {
            Some(Type::Integer) => Element::Integer,
            Some(Type::Number | Type::Money) => Element::Number,
            Some(Type::Timestamp) => Element::Timestamp,
            Some(Type::Boolean | Type::Date | Type::Text | Type::List(_) | Type::Duration | Type::Records(_))
            | None => Element::Text,
        };
        Some(Type::List(element))
    }
}

/// Whether a column is named as those of times are: `created_at`, `timestamp`.
fn is_named_for_times(name: &str) -> bool {
    let lower = name.to_lowercase();
    let last = lower.split(|c: char| !c.is_alphanumeric()).rfind(|word| !word.is_empty());
    last.is_some_and(|last| TIME_WORDS.iter().any(|word| last == *word || last.ends_with("time")))
}

/// Whether a name says that a value is an amount of money: `unit_price`, `order total`.
pub(crate) fn is_named_for_money(name: &str) -> bool {
    is_like(name, MONEY_WORDS)
}

/// Whether one of a column's words is among `words`.
pub(crate) fn is_like(name: &str, words: &[&str]) -> bool {
    let lower = name.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).any(|part| words.contains(&part))
}

fn has_leading_zero(text: &str) -> bool {
    let digits = text.trim_start_matches('-');
    digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.")
}
