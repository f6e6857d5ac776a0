//! Values.

use crate::money::Money;
use crate::time::{Date, Timestamp};
use std::fmt;

/// A value of one of Seg's types. Missing is not a value: it is `None` of an
/// `Option<Value>`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// See [`crate::Type::Boolean`].
    Boolean(bool),
    /// Wider than stored integers, since totals are held in 128 bits.
    Integer(i128),
    /// Finite.
    Number(f64),
    /// Ten-thousandths, in 128 bits for totals.
    Money(i128),
    /// See [`crate::Type::Text`].
    Text(String),
    /// See [`crate::Type::Timestamp`].
    Timestamp(Timestamp),
    /// See [`crate::Type::Date`].
    Date(Date),
    /// Elements that are not missing.
    List(Vec<Value>),
}

impl Value {
    /// A number, unless it is NaN or infinite: those count as missing.
    pub fn number(value: f64) -> Option<Value> {
        value.is_finite().then_some(Value::Number(value))
    }
}

impl From<Money> for Value {
    fn from(money: Money) -> Value {
        Value::Money(i128::from(money.0))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Boolean(b) => write!(f, "{b}"),
            Value::Integer(i) => write!(f, "{i}"),
            Value::Number(n) => write!(f, "{n:?}"),
            Value::Money(scaled) => match Money::from_scaled(*scaled) {
                Some(money) => write!(f, "{money}"),
                None => write!(f, "{scaled}e-4"),
            },
            Value::Text(t) => write!(f, "{t:?}"),
            Value::Timestamp(t) => write!(f, "{t}"),
            Value::Date(d) => write!(f, "{d}"),
            Value::List(items) => {
                write!(f, "[")?;
                for (idx, item) in items.iter().enumerate() {
                    let comma = if idx == 0 { "" } else { ", " };
                    write!(f, "{comma}{item}")?;
                }
                write!(f, "]")
            }
        }
    }
}
