//! One value as a file has it, and what it is as a value of a type.

use crate::manifest::{is_null_id, is_null_marker};
use crate::texts::is_blank;
use crate::times;
use seg_data::decimal::Inexact;
use seg_data::money::MoneyError;
use seg_data::time::DAY;
use seg_data::{Date, Decimal, Money, Timestamp, Zone};
use std::borrow::Cow;

/// A value as a file has it, before the schema says what it should be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Missing,
    Text(&'a str),
    Boolean(bool),
    Integer(i64),
    /// A number in floating point.
    Number(f64),
    /// The digits that a number was written with.
    Digits(&'a str),
    /// A decimal that is no whole number of 64 bits.
    Decimal(Decimal),
    Timestamp(Timestamp),
    Date(Date),
    List(Vec<Cell<'a>>),
    /// A record: its fields by name.
    Record(Vec<(&'a str, Cell<'a>)>),
    /// Something that is no value, such as broken text, in words.
    Other(String),
}

/// Why a cell is no value of the type asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is something else.
    OtherType,
    /// It is an amount with more places than money has.
    TooFine,
    /// It is a number that 64 bits do not hold.
    TooLarge,
}

type Parsed<T> = Result<Option<T>, Unfit>;

impl Cell<'_> {
    /// The value as messages show it, shortened and with control characters escaped.
    pub fn show(&self) -> String {
        let text = match self {
            Cell::Missing => String::new(),
            Cell::Text(t) | Cell::Digits(t) => (*t).to_owned(),
            Cell::Boolean(b) => b.to_string(),
            Cell::Integer(i) => i.to_string(),
            Cell::Number(n) => n.to_string(),
            Cell::Decimal(d) => d.to_string(),
            Cell::Timestamp(i) => i.to_string(),
            Cell::Date(d) => d.to_string(),
            Cell::List(items) => format!("a list of {}", items.len()),
            Cell::Record(fields) => format!("a record of {} fields", fields.len()),
            Cell::Other(text) => text.clone(),
        };
        let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
        if text.chars().count() > 40 { format!("{shown}…") } else { shown }
    }

    /// Whether it stands for no value at all: a text in which nothing can be seen does.
    pub fn is_missing(&self) -> bool {
        matches!(self, Cell::Missing) || matches!(self, Cell::Text(text) if is_blank(text))
    }

    /// Whether it stands for no value where any but a text is wanted: nothing, blanks, or
    /// what tools write for nothing.
    pub fn is_nothing(&self) -> bool {
        match self {
            Cell::Missing => true,
            Cell::Text(text) => {
                let text = text.trim();
                text.is_empty() || is_null_marker(text)
            }
            _ => false,
        }
    }

    /// The text of an id, which no blank text is, nor what tools write for nothing, as they
    /// write it: somebody may well be called `none`.
    pub fn as_id(&self) -> Option<Cow<'_, str>> {
        match self {
            Cell::Text(text) if is_blank(text) || is_null_id(text) => None,
            other => other.as_text(),
        }
    }

    /// The text that it is or is written as; none where it is missing.
    pub fn text(&self) -> Parsed<String> {
        match self {
            Cell::Missing => Ok(None),
            Cell::Text(text) if is_blank(text) => Ok(None),
            Cell::Text(t) | Cell::Digits(t) => Ok(Some((*t).to_owned())),
            Cell::Boolean(b) => Ok(Some(b.to_string())),
            Cell::Integer(i) => Ok(Some(i.to_string())),
            Cell::Number(n) => Ok(Some(n.to_string())),
            Cell::Decimal(d) => Ok(Some(d.to_string())),
            Cell::Timestamp(i) => Ok(Some(i.to_string())),
            Cell::Date(d) => Ok(Some(d.to_string())),
            Cell::List(_) | Cell::Record(_) | Cell::Other(_) => Err(Unfit::OtherType),
        }
    }

    /// The text of [`Cell::text`], copied only where it is not there as such; none
    /// also where the cell is no text.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Cell::Text(text) | Cell::Digits(text) if !is_blank(text) => Some(Cow::Borrowed(text)),
            other => other.text().ok().flatten().map(Cow::Owned),
        }
    }

    /// Yes or no, as files spell it.
    pub fn boolean(&self) -> Parsed<bool> {
        match self {
            nothing if nothing.is_nothing() => Ok(None),
            Cell::Missing => Ok(None),
            Cell::Boolean(b) => Ok(Some(*b)),
            Cell::Integer(0) => Ok(Some(false)),
            Cell::Integer(1) => Ok(Some(true)),
            Cell::Text(t) | Cell::Digits(t) => match t.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "t" | "y" | "1" => Ok(Some(true)),
                "false" | "no" | "f" | "n" | "0" => Ok(Some(false)),
                _ => Err(Unfit::OtherType),
            },
            Cell::Integer(_) | Cell::Number(_) | Cell::Decimal(_) | Cell::Timestamp(_) | Cell::Date(_) => {
                Err(Unfit::OtherType)
            }
            Cell::List(_) | Cell::Record(_) | Cell::Other(_) => Err(Unfit::OtherType),
        }
    }

    /// A whole number of 64 bits, exactly.
    pub fn integer(&self) -> Parsed<i64> {
        match self {
            nothing if nothing.is_nothing() => Ok(None),
            Cell::Missing => Ok(None),
            Cell::Integer(i) => Ok(Some(*i)),
            Cell::Number(n) => whole(*n).map(Some),
            Cell::Decimal(d) => match d.whole() {
                Ok(whole) => Ok(Some(whole)),
                Err(Inexact::TooFine) => Err(Unfit::OtherType),
                Err(Inexact::TooLarge) => Err(Unfit::TooLarge),
            },
            Cell::Text(t) | Cell::Digits(t) => {
                // `3.0` is how some tools write an integer beside missing ones.
                let digits = t.trim();
                let digits = match digits.split_once('.') {
                    Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
                    _ => digits,
                };
                // What is no number of 64 bits may be one of more.
                let unfit = || match Decimal::parse(digits).map(Decimal::whole) {
                    Some(Err(Inexact::TooLarge)) => Unfit::TooLarge,
                    Some(Err(Inexact::TooFine) | Ok(_)) | None => Unfit::OtherType,
                };
                digits.parse().map(Some).map_err(|_| unfit())
            }
            Cell::Boolean(_) | Cell::Timestamp(_) | Cell::Date(_) => Err(Unfit::OtherType),
            Cell::List(_) | Cell::Record(_) | Cell::Other(_) => Err(Unfit::OtherType),
        }
    }

    /// A number as near as floating point comes; NaN and infinities are missing.
    pub fn number(&self) -> Parsed<f64> {
        let number = match self {
            nothing if nothing.is_nothing() => return Ok(None),
            Cell::Missing => return Ok(None),
            Cell::Integer(i) => *i as f64,
            Cell::Number(n) => *n,
            Cell::Decimal(d) => d.nearest(),
            Cell::Text(t) | Cell::Digits(t) => t.trim().parse().map_err(|_| Unfit::OtherType)?,
            Cell::Boolean(_) | Cell::Timestamp(_) | Cell::Date(_) => return Err(Unfit::OtherType),
            Cell::List(_) | Cell::Record(_) | Cell::Other(_) => return Err(Unfit::OtherType),
        };
        Ok(number.is_finite().then_some(number))
    }

    /// An amount, exactly; only what is floating point in the file is rounded, to
    /// four places.
    pub fn money(&self) -> Parsed<Money> {
        match self {
            nothing if nothing.is_nothing() => Ok(None),
            Cell::Missing => Ok(None),
            Cell::Integer(i) => Money::from_integer((*i).into()).map(Some).ok_or(Unfit::TooLarge),
            Cell::Number(n) if n.is_finite() => Money::from_number(*n).map(Some).ok_or(Unfit::TooLarge),
            Cell::Number(_) => Ok(None),
            Cell::Decimal(d) => exact(*d).map(Some),
            Cell::Text(t) | Cell::Digits(t) => match Money::parse(t.trim()) {
                Ok(money) => Ok(Some(money)),
                // `1e3` in JSON.
                Err(MoneyError::NotANumber) => exact(Decimal::parse(t.trim()).ok_or(Unfit::OtherType)?).map(Some),
                Err(MoneyError::TooFine) => Err(Unfit::TooFine),
                Err(MoneyError::TooLarge) => Err(Unfit::TooLarge),
            },
            Cell::Boolean(_) | Cell::Timestamp(_) | Cell::Date(_) => Err(Unfit::OtherType),
            Cell::List(_) | Cell::Record(_) | Cell::Other(_) => Err(Unfit::OtherType),
        }
    }

    /// An instant that calendars have. A local time is of `zone`, or of UTC where the
    /// project has none.
    pub fn instant(&self, zone: Option<Zone>) -> Parsed<Timestamp> {
        if let Cell::Text(text) = self
            && let Some(at) = times::utc(text.as_bytes())
        {
            return Ok(Some(at));
        }
        let start_of = |day: Date| zone.unwrap_or(Zone::UTC).start_of_day(day);
        let at = match self {
            nothing if nothing.is_nothing() => return Ok(None),
            Cell::Missing => return Ok(None),
            Cell::Timestamp(at) => Some(*at),
            Cell::Date(day) => Some(start_of(*day)),
            Cell::Text(text) => match Date::parse(text.trim()) {
                Some(day) => Some(start_of(day)),
                None => times::instant(text.trim(), zone),
            },
            Cell::Integer(_) | Cell::Number(_) | Cell::Digits(_) | Cell::Decimal(_) => self.as_unix().map(|(at, _)| at),
            Cell::Boolean(_) => None,
            Cell::List(_) | Cell::Record(_) | Cell::Other(_) => None,
        };
        at.filter(|at| at.is_in_range()).map(Some).ok_or(Unfit::OtherType)
    }

    /// The instant that a number is, with its unit.
    pub fn as_unix(&self) -> Option<(Timestamp, times::UnixUnit)> {
        match self {
            Cell::Integer(n) => times::unix(i128::from(*n)),
            Cell::Number(n) if n.is_finite() => times::unix_text(&n.to_string()),
            Cell::Text(text) | Cell::Digits(text) => times::unix_text(text.trim()),
            Cell::Decimal(decimal) => times::unix_text(&decimal.to_string()),
            _ => None,
        }
    }

    /// A calendar day; also one that is written as its beginning in `zone`.
    pub fn date(&self, zone: Option<Zone>) -> Parsed<Date> {
        let zone = zone.unwrap_or(Zone::UTC);
        let begins = |at: Timestamp| {
            let day = zone.date(at);
            if zone.start_of_day(day) == at { Ok(Some(day)) } else { Err(Unfit::OtherType) }
        };
        match self {
            nothing if nothing.is_nothing() => Ok(None),
            Cell::Missing => Ok(None),
            Cell::Date(d) => Ok(Some(*d)),
            Cell::Text(t) => match Date::parse(t.trim()) {
                Some(day) => Ok(Some(day)),
                None => begins(Timestamp::parse(t.trim(), Some(zone)).ok_or(Unfit::OtherType)?),
            },
            Cell::Timestamp(at) => begins(*at),
            Cell::Integer(_) | Cell::Number(_) | Cell::Digits(_) | Cell::Decimal(_) => {
                let (at, _) = self.as_unix().ok_or(Unfit::OtherType)?;
                // Tools that write days as numbers mostly mean those of UTC.
                begins(at).or_else(|unfit| if at.0 % DAY == 0 { Ok(Some(Zone::UTC.date(at))) } else { Err(unfit) })
            }
            Cell::Boolean(_) | Cell::List(_) | Cell::Record(_) | Cell::Other(_) => Err(Unfit::OtherType),
        }
    }
}

/// The amount that a decimal is, neither rounded nor cut.
fn exact(decimal: Decimal) -> Result<Money, Unfit> {
    decimal.money().map_err(|inexact| match inexact {
        Inexact::TooFine => Unfit::TooFine,
        Inexact::TooLarge => Unfit::TooLarge,
    })
}

fn whole(n: f64) -> Result<i64, Unfit> {
    let fits = n.fract() == 0.0 && n >= i64::MIN as f64 && n < i64::MAX as f64;
    if fits { Ok(n as i64) } else { Err(Unfit::OtherType) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_by_the_type_asked_for() {
        assert_eq!(Cell::Text("3.0").integer(), Ok(Some(3)));
        assert_eq!(Cell::Text("3.5").integer(), Err(Unfit::OtherType));
        assert_eq!(Cell::Text(" Yes ").boolean(), Ok(Some(true)));
        assert_eq!(Cell::Text("nan").number(), Ok(None));
        assert_eq!(Cell::Text("2.55").money(), Ok(Some(Money(25_500))));
        assert_eq!(Cell::Text("2.55555").money(), Err(Unfit::TooFine));
        assert_eq!(Cell::Text("922337203685477.5808").money(), Err(Unfit::TooLarge));
        assert_eq!(Cell::Text("9223372036854775808").integer(), Err(Unfit::TooLarge));
        assert_eq!(Cell::Digits("9007199254740993e-4").money(), Ok(Some(Money(9_007_199_254_740_993))));
        assert_eq!(Cell::Digits("1e2").money(), Ok(Some(Money(1_000_000))));
        assert_eq!(Cell::Text("").text(), Ok(None));
        assert_eq!(Cell::Text("2024-02-30").instant(None), Err(Unfit::OtherType));
        // Midnight of the first day lies in the year 0 of UTC.
        let ahead = Zone::parse("Asia/Tokyo");
        assert_eq!(Cell::Text("0001-01-01").instant(ahead), Err(Unfit::OtherType));
        assert_eq!(Cell::Date(Date(3_000_000)).instant(None), Err(Unfit::OtherType));
        assert_eq!(Cell::Text("1970-01-02").instant(None), Ok(Some(Timestamp(DAY))));
    }
}
