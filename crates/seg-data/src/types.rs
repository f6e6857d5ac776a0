//! Types of values.

use std::fmt;

/// What kind of value an attribute or a property holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Type {
    /// `true` or `false`.
    Boolean,
    /// 64-bit whole numbers.
    Integer,
    /// 64-bit floating point; NaN and infinities count as missing.
    Number,
    /// Exact decimals with four places, see [`crate::Money`].
    Money,
    /// Unicode text, compared by code point.
    Text,
    /// An instant, see [`crate::Timestamp`].
    Timestamp,
    /// A calendar day, see [`crate::Date`].
    Date,
    /// A list of texts, integers, numbers or instants.
    List(Element),
    /// A length of time in microseconds. No data has this type; it is that of
    /// `usual gap` and `time since`.
    Duration,
    /// A list of records, such as the lines of an order.
    Records(Vec<(String, Type)>),
}

/// The types of which there are lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element {
    /// Texts.
    Text,
    /// Integers.
    Integer,
    /// Numbers.
    Number,
    /// Instants.
    Timestamp,
}

impl Element {
    /// The type of one element.
    pub fn ty(self) -> Type {
        match self {
            Element::Text => Type::Text,
            Element::Integer => Type::Integer,
            Element::Number => Type::Number,
            Element::Timestamp => Type::Timestamp,
        }
    }
}

impl Type {
    /// Reads a type as schemas write it; records are written otherwise.
    pub fn parse(text: &str) -> Option<Type> {
        Some(match text {
            "boolean" => Type::Boolean,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "money" => Type::Money,
            "text" => Type::Text,
            "timestamp" => Type::Timestamp,
            "date" => Type::Date,
            "list of text" => Type::List(Element::Text),
            "list of integer" => Type::List(Element::Integer),
            "list of number" => Type::List(Element::Number),
            "list of timestamp" => Type::List(Element::Timestamp),
            _ => return None,
        })
    }

    /// One of its values in words: `an integer`, `an amount of money`.
    pub fn one(&self) -> String {
        match self {
            Type::Integer => "an integer".to_owned(),
            Type::Money => "an amount of money".to_owned(),
            other => format!("a {other}"),
        }
    }

    /// Whether values of it can be calculated with.
    pub fn is_numeric(&self) -> bool {
        matches!(self, Type::Integer | Type::Number | Type::Money)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Boolean => "boolean",
            Type::Integer => "integer",
            Type::Number => "number",
            Type::Money => "money",
            Type::Text => "text",
            Type::Timestamp => "timestamp",
            Type::Date => "date",
            Type::List(Element::Text) => "list of text",
            Type::List(Element::Integer) => "list of integer",
            Type::List(Element::Number) => "list of number",
            Type::List(Element::Timestamp) => "list of timestamp",
            Type::Duration => "length of time",
            Type::Records(_) => "list of records",
        })
    }
}
