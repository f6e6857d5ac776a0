//! Instants, lengths of time and numbers as people say them, where seconds do not matter.

use crate::time::{DAY, SECOND, Timestamp, Zone};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A length of time in its two largest units: `2 days 9 hours`. What is below a second is
/// left out.
pub fn length(micros: i64) -> String {
    const UNITS: [(&str, i64); 4] =
        [("day", DAY), ("hour", 3_600 * SECOND), ("minute", 60 * SECOND), ("second", SECOND)];
    let mut rest = micros.unsigned_abs();
    let mut parts: Vec<String> = Vec::new();
    for (unit, size) in UNITS {
        let n = rest / size.unsigned_abs();
        rest %= size.unsigned_abs();
        // Behind the largest unit that there is stands the next one, or nothing.
        if n > 0 || !parts.is_empty() {
            let s = if n == 1 { "" } else { "s" };
            parts.push(if n > 0 { format!("{n} {unit}{s}") } else { String::new() });
        }
        if parts.len() == 2 {
            break;
        }
    }
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() { "less than a second".to_owned() } else { parts.join(" ") }
}

/// A number with commas between its thousands: `1,234,567`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// An instant as the clocks of a zone show it: `27 June 14:10`, with the year where it is not
/// that of another instant, and with seconds where there are any.
pub fn instant(time: Timestamp, zone: Zone, beside: Timestamp) -> String {
    let ((year, month, of_month), (other_year, ..)) = (date(time, zone), date(beside, zone));
    let year = if year == other_year { String::new() } else { format!(" {year}") };
    format!("{of_month} {month}{year} {}", clock(time, zone))
}

/// The day of an instant in short, for the axis of a chart: `27 Jun`.
pub fn short_day(time: Timestamp, zone: Zone) -> String {
    let (_, month, of_month) = date(time, zone);
    format!("{of_month} {}", month.chars().take(3).collect::<String>())
}

/// The year, the month and the day of an instant by the clocks of a zone.
fn date(time: Timestamp, zone: Zone) -> (usize, &'static str, usize) {
    let day = zone.date(time).to_string();
    let mut parts = day.split('-').map(|part| part.parse::<usize>().unwrap_or_default());
    let mut next = || parts.next().unwrap_or_default();
    let (year, month, of_month) = (next(), next(), next());
    (year, month.checked_sub(1).and_then(|at| MONTHS.get(at)).copied().unwrap_or("?"), of_month)
}

/// The same with its year: `27 June 2024 14:10`.
pub fn full_instant(time: Timestamp, zone: Zone) -> String {
    // No instant of another year stands beside it.
    instant(time, zone, if time.0 > 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn clock(time: Timestamp, zone: Zone) -> String {
    let seconds = zone.time_of_day(time) / SECOND;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if second == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_units() {
        let (hour, minute) = (3_600 * SECOND, 60 * SECOND);
        for (micros, said) in [
            (2 * DAY + 9 * hour + 50 * minute, "2 days 9 hours"),
            (90 * DAY + 1, "90 days"),
            (DAY + minute, "1 day"),
            (hour + minute, "1 hour 1 minute"),
            (59 * SECOND + 999_999, "59 seconds"),
            (1, "less than a second"),
            (-DAY, "1 day"),
        ] {
            assert_eq!(length(micros), said);
        }
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn days_of_an_axis_are_short() {
        let at = |text: &str| Timestamp::parse(text, None).expect(text);
        let berlin = Zone::parse("Europe/Berlin").expect("a zone");
        let shown = ["2024-06-29T23:30:00Z", "2024-02-01T00:00:00Z"].map(|text| short_day(at(text), berlin));
        assert_eq!(shown, ["30 Jun", "1 Feb"]);
    }

    #[test]
    fn instants_are_those_of_the_zone() {
        let at = |text: &str| Timestamp::parse(text, None).expect(text);
        let (berlin, now) = (Zone::parse("Europe/Berlin").expect("a zone"), at("2024-06-30T00:00:00Z"));
        for (time, said) in [
            ("2024-06-27T12:10:00Z", "27 June 14:10"),
            ("2024-06-27T12:10:05.000001Z", "27 June 14:10:05"),
            ("2023-12-31T23:00:00Z", "1 January 00:00"),
            ("2023-12-31T22:59:00Z", "31 December 2023 23:59"),
        ] {
            assert_eq!(instant(at(time), berlin, now), said);
        }
        assert_eq!(full_instant(now, Zone::UTC), "30 June 2024 00:00");
        assert_eq!(full_instant(at("1969-06-30T00:00:00Z"), Zone::UTC), "30 June 1969 00:00");
    }
}
