//! Times as files write them beyond what sentences may: with the name of UTC, with short
//! offsets, in numbers since 1970, and with the day or the month first.

use crate::manifest::DayOrder;
use seg_data::{Timestamp, Zone};
use serde::{Deserialize, Serialize};

/// What a number of Unix time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum UnixUnit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl UnixUnit {
    /// The unit in a word.
    pub fn word(self) -> &'static str {
        match self {
            UnixUnit::Seconds => "seconds",
            UnixUnit::Milliseconds => "milliseconds",
            UnixUnit::Microseconds => "microseconds",
            UnixUnit::Nanoseconds => "nanoseconds",
        }
    }
}

/// The units by the least number that is one: seconds from 1973 on, and others as long
/// before. A smaller number may be a day (`20260301`) or anything else.
const UNITS: [(i128, UnixUnit); 4] = [
    (100_000_000, UnixUnit::Seconds),
    (100_000_000_000, UnixUnit::Milliseconds),
    (100_000_000_000_000, UnixUnit::Microseconds),
    (100_000_000_000_000_000, UnixUnit::Nanoseconds),
];

/// The instant of a number since 1970, whose unit its magnitude tells.
pub(crate) fn unix(n: i128) -> Option<(Timestamp, UnixUnit)> {
    let (_, unit) = UNITS.iter().rev().find(|(least, _)| n >= *least)?;
    let micros = match unit {
        UnixUnit::Seconds => n.checked_mul(1_000_000)?,
        UnixUnit::Milliseconds => n.checked_mul(1_000)?,
        UnixUnit::Microseconds => n,
        UnixUnit::Nanoseconds => n.div_euclid(1_000),
    };
    i64::try_from(micros).ok().map(|micros| (Timestamp(micros), *unit))
}

/// The same of digits, perhaps with a fraction; what is finer than a microsecond is cut off.
pub(crate) fn unix_text(text: &str) -> Option<(Timestamp, UnixUnit)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    // Quick for what is no number at all, which is most.
    if whole.len() < 9 || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (at, unit) = unix(whole.parse().ok()?)?;
    let places = match unit {
        UnixUnit::Seconds => 6,
        UnixUnit::Milliseconds => 3,
        UnixUnit::Microseconds | UnixUnit::Nanoseconds => 0,
    };
    let micros: String = fraction.chars().chain("000000".chars()).take(places).collect();
    let micros: i64 = if micros.is_empty() { 0 } else { micros.parse().ok()? };
    at.0.checked_add(micros).map(|micros| (Timestamp(micros), unit))
}

/// An instant as most files write it, `2026-03-01T10:00:00.5Z` or with a blank for the `T`;
/// none where it is written otherwise, or is none.
pub(crate) fn utc(text: &[u8]) -> Option<Timestamp> {
    let (whole, rest) = text.split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T' | b' ', h1, h2, b':', n1, n2, b':', s1, s2] = whole else {
        return None;
    };
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    let two = |tens: &u8, ones: &u8| Some(digit(tens)? * 10 + digit(ones)?);
    let (year, month, day) = (two(y1, y2)? * 100 + two(y3, y4)?, two(m1, m2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    let fraction = match rest {
        [b'Z'] => &[][..],
        [b'.', fraction @ .., b'Z'] if !fraction.is_empty() => fraction,
        _ => return None,
    };
    // What is finer than a microsecond is cut off.
    let mut micros = 0;
    for place in 0..fraction.len().max(6) {
        let digit = fraction.get(place).map_or(Some(0), digit)?;
        micros = if place < 6 { micros * 10 + digit } else { micros };
    }
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let n_days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year == 0 || !(1..=n_days).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Years begin with March, so that the leap day is the last of one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Timestamp(seconds * 1_000_000 + micros))
}

/// An instant as a text writes it. A local time is of `zone`, or of UTC where there is none.
pub(crate) fn instant(text: &str, zone: Option<Zone>) -> Option<Timestamp> {
    if let Some(at) = Timestamp::parse(text, zone) {
        return Some(at);
    }
    let named = ["UTC", "GMT"].iter().find_map(|name| {
        let local = text.get(..text.len().checked_sub(name.len())?)?;
        text.get(local.len()..)?.eq_ignore_ascii_case(name).then(|| local.trim_end())
    });
    if let Some(at) = named.and_then(|local| Timestamp::parse(local, Some(Zone::UTC))) {
        return Some(at);
    }
    // `10:00:00 +0100`
    let spaced = text.rsplit_once(' ').filter(|(_, offset)| offset.starts_with(['+', '-']));
    let spaced = spaced.and_then(|(local, offset)| Timestamp::parse(&format!("{local}{offset}"), None));
    spaced.or_else(|| unix_text(text).map(|(at, _)| at)).or_else(|| of_mail(text))
}

/// `Thu, 28 May 2026 20:26:40 +0000`, as mail and HTTP write it (RFC 5322, section 3.3), with
/// its offset or the name of UTC.
fn of_mail(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let date = match text.split_once(", ") {
        Some((weekday, date)) if weekday.len() == 3 && weekday.bytes().all(|b| b.is_ascii_alphabetic()) => date,
        Some(_) => return None,
        None => text,
    };
    let mut parts = date.split(' ');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let (clock, offset) = (parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? + 1;
    let is_date = matches!(day.len(), 1 | 2) && year.len() == 4;
    let offset = match offset {
        "GMT" | "UT" | "UTC" => "Z",
        offset if offset.starts_with(['+', '-']) => offset,
        _ => return None,
    };
    let is_whole = is_date && parts.next().is_none();
    is_whole.then(|| Timestamp::parse(&format!("{year}-{month:02}-{day:0>2}T{clock}{offset}"), None)).flatten()
}

/// `31/12/2026 14:00` as `2026-12-31 14:00`, in the order that is said; nothing where it is
/// no such date.
pub(crate) fn year_first(text: &str, order: DayOrder) -> Option<String> {
    let (date, clock) = text.split_once([' ', 'T']).map_or((text, ""), |(date, clock)| (date, clock));
    let separator = date.chars().find(|c| !c.is_ascii_digit()).filter(|c| matches!(c, '/' | '.' | '-'))?;
    let mut parts = date.split(separator);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    let are_numbers = [first, second, year].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if parts.next().is_some() || year.len() != 4 || !are_numbers {
        return None;
    }
    let (day, month) = match order {
        DayOrder::DayFirst => (first, second),
        DayOrder::MonthFirst => (second, first),
    };
    Some(format!("{year}-{month}-{day} {clock}").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        instant(text, None).map_or("none".to_owned(), |at| at.to_string())
    }

    #[test]
    fn times_are_read_as_tools_write_them() {
        for text in [
            "2026-03-01T10:00:00Z",
            "2026-03-01 10:00:00",
            "2026-03-01 10:00",
            "2026-03-01 10:00:00 UTC",
            "2026-03-01 10:00:00.000 utc",
            "2026-03-01 10:00:00+00",
            "2026-03-01T12:00:00+0200",
            "2026-03-01T09:00:00 -01:00",
            "1772359200",
            "1772359200.0",
            "1772359200000",
            "1772359200000000",
            "1772359200000000000",
            "Sun, 01 Mar 2026 10:00:00 GMT",
            "Sun, 1 Mar 2026 12:00:00 +0200",
            "1 Mar 2026 10:00:00 UT",
        ] {
            assert_eq!(read(text), "2026-03-01T10:00:00Z", "{text}");
        }
        assert_eq!(read("1772359200.25"), "2026-03-01T10:00:00.250000Z");
        for text in ["20260301", "7", "12345678", "2026-03-01 10:00:00 CET", "soon", "", "-", "17723592000000000000000"]
            .into_iter()
            .chain([
                "1 Mar 2026",
                "1 Mar 2026 10:00:00",
                "1 Mar 2026 10:00:00 CET",
                "31 Feb 2026 10:00:00 GMT",
                "a, b, c",
            ])
        {
            assert_eq!(read(text), "none", "{text}");
        }
    }

    /// The quick way gives what the long one gives, and nothing where that gives nothing.
    #[test]
    fn the_common_form_is_read_alike() {
        let mut texts = Vec::new();
        for day in ["0001-01-01", "1600-02-29", "1900-02-28", "1999-12-31", "2000-02-29", "2024-03-01", "9999-12-31"] {
            for clock in ["00:00:00Z", "23:59:59Z", "12:34:56.7Z", "12:34:56.123456Z", "12:34:56.1234569Z"] {
                texts.extend([format!("{day}T{clock}"), format!("{day} {clock}")]);
            }
        }
        for text in &texts {
            assert_eq!(utc(text.as_bytes()), Timestamp::parse(text, None), "{text}");
            assert!(utc(text.as_bytes()).is_some(), "{text}");
        }
        for year in 1..=9999 {
            for text in [format!("{year:04}-02-28T00:00:00Z"), format!("{year:04}-03-01T00:00:00Z")] {
                assert_eq!(utc(text.as_bytes()), Timestamp::parse(&text, None), "{text}");
            }
        }
        for text in [
            "0000-01-01T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-04-00T00:00:00Z",
            "2026-04-01T24:00:00Z",
            "2026-04-01T00:60:00Z",
            "2026-04-01T00:00:60Z",
            "2026-04-01T00:00:00.xZ",
        ] {
            assert_eq!((utc(text.as_bytes()), Timestamp::parse(text, None)), (None, None), "{text}");
        }
        for other in ["2026-04-01T00:00:00", "2026-04-01T00:00:00.Z", "2026-04-01T00:00:00z", "2026-4-1T00:00:00Z", ""]
        {
            assert_eq!(utc(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn the_order_of_day_and_month_is_said() {
        assert_eq!(year_first("31/12/2026 14:00", DayOrder::DayFirst), Some("2026-12-31 14:00".to_owned()));
        assert_eq!(year_first("12.31.2026", DayOrder::MonthFirst), Some("2026-12-31".to_owned()));
        assert_eq!(year_first("2026-12-31", DayOrder::DayFirst), None);
        assert_eq!(year_first("31/12", DayOrder::DayFirst), None);
    }
}
