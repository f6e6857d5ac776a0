//! Pieces of SQL: values and conditions with the relations that they read.

use seg_data::Element;
use std::collections::BTreeSet;

/// What a value is, as the first relations of a query hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Boolean,
    /// A whole number of 64 bits.
    Integer,
    /// A whole number of more bits: a total.
    WideInteger,
    /// Floating point.
    Number,
    /// Ten-thousandths of 64 bits.
    Money,
    /// Ten-thousandths of more bits.
    WideMoney,
    /// A text that is not empty.
    Text,
    /// Microseconds since 1970.
    Instant,
    /// Days since 1970.
    Day,
    /// A list of values of a type.
    List(Element),
    /// A list of records.
    Records,
    /// Never there.
    Missing,
}

/// What numbers measure, whatever their width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// A whole number.
    Whole,
    /// Ten-thousandths.
    Money,
    /// Floating point.
    Float,
}

impl Kind {
    /// What it measures, where it is a number.
    pub fn measure(self) -> Option<Measure> {
        match self {
            Kind::Integer | Kind::WideInteger => Some(Measure::Whole),
            Kind::Money | Kind::WideMoney => Some(Measure::Money),
            Kind::Number => Some(Measure::Float),
            Kind::Boolean | Kind::Text | Kind::Instant | Kind::Day | Kind::List(_) | Kind::Records | Kind::Missing => {
                None
            }
        }
    }
}

/// A relation beside the one that rows are taken from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Join {
    /// The people.
    Person,
    /// A relation with at most one row a person.
    ById(String),
    /// A relation with at most one row an event.
    ByEvent(String),
}

/// The relations that a piece reads.
pub type Joins = BTreeSet<Join>;

/// A value, which is NULL where it is missing.
#[derive(Debug, Clone)]
pub struct Value {
    /// Its text, which stands in brackets where it needs them.
    pub sql: String,
    /// What it is.
    pub kind: Kind,
    /// What it reads.
    pub joins: Joins,
}

/// A condition that is true or false and never NULL.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Its text; it binds as tight as a comparison.
    pub sql: String,
    /// What it reads.
    pub joins: Joins,
}

impl Value {
    /// A value that reads nothing.
    pub fn plain(sql: impl Into<String>, kind: Kind) -> Value {
        Value { sql: sql.into(), kind, joins: Joins::new() }
    }

    /// A value that reads a relation.
    pub fn of(sql: impl Into<String>, kind: Kind, join: Join) -> Value {
        Value { sql: sql.into(), kind, joins: Joins::from([join]) }
    }

    /// The same of another text and kind.
    pub fn map(self, kind: Kind, sql: impl FnOnce(&str) -> String) -> Value {
        Value { sql: sql(&self.sql), kind, joins: self.joins }
    }

    /// A value made of two.
    pub fn with(self, other: Value, kind: Kind, sql: impl FnOnce(&str, &str) -> String) -> Value {
        let sql = sql(&self.sql, &other.sql);
        let mut joins = self.joins;
        joins.extend(other.joins);
        Value { sql, kind, joins }
    }

    /// A condition on it, false where it is NULL.
    pub fn test(self, sql: impl FnOnce(&str) -> String) -> Condition {
        Condition { sql: format!("coalesce({}, false)", sql(&self.sql)), joins: self.joins }
    }
}

impl Condition {
    /// A condition that is always so, or never.
    pub fn constant(holds: bool) -> Condition {
        Condition { sql: if holds { "true" } else { "false" }.to_owned(), joins: Joins::new() }
    }

    /// Several conditions between which a word stands; `if_none` where there are none.
    pub fn join(conditions: Vec<Condition>, word: &str, if_none: bool) -> Condition {
        let mut conditions = conditions;
        match conditions.len() {
            0 => Condition::constant(if_none),
            1 => conditions.remove(0),
            _ => {
                let texts: Vec<&str> = conditions.iter().map(|c| c.sql.as_str()).collect();
                let sql = format!("({})", texts.join(&format!(" {word} ")));
                Condition { sql, joins: conditions.into_iter().flat_map(|c| c.joins).collect() }
            }
        }
    }

    /// The opposite.
    pub fn negate(self) -> Condition {
        Condition { sql: format!("(NOT {})", self.sql), joins: self.joins }
    }
}
