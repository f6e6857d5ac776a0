//! Figures in words.

use seg_data::Timestamp;
use seg_data::shown::{grouped, length};
use seg_data::time::{DAY, SECOND};

/// A length of time in its two largest units, `25 days 3 hours`; one below zero says so.
pub(super) fn lasting(micros: i64) -> String {
    let sign = if micros < 0 { "−" } else { "" };
    format!("{sign}{}", length(micros))
}

/// A length of time as sentences and settings write it, in one unit: not shorter than it is,
/// and as exact as that unit allows where more than a few of it are written.
pub(super) fn written(micros: i64) -> String {
    let (minute, hour) = (60 * SECOND, 3_600 * SECOND);
    let (unit, size) = match micros {
        ..=119_999_999 => ("second", SECOND),
        _ if micros < 6 * hour => ("minute", minute),
        _ if micros < 6 * DAY => ("hour", hour),
        _ => ("day", DAY),
    };
    // Rounded up: what is waited for has come by then.
    let n = micros.max(1).saturating_add(size - 1) / size;
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {unit}{s}")
}

/// `1 day`, `1,234 people`
pub(super) fn count(n: u64, word: &str) -> String {
    match (n, word) {
        (1, "people") => "1 person".to_owned(),
        (n, "people") => format!("{} people", grouped(n)),
        (1, word) => format!("1 {word}"),
        (n, word) => format!("{} {word}s", grouped(n)),
    }
}

/// `14.1 %`
pub(super) fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

/// Seconds of a length of time in microseconds.
pub(super) fn seconds(micros: i64) -> f64 {
    micros as f64 / SECOND as f64
}

/// How long it is from one instant to another.
pub(super) fn between(from: Timestamp, to: Timestamp) -> i64 {
    to.0.saturating_sub(from.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_read_in_two_units() {
        let hour = 3_600 * SECOND;
        assert_eq!(lasting(25 * DAY + 3 * hour + 5), "25 days 3 hours");
        assert_eq!(lasting(DAY), "1 day");
        assert_eq!(lasting(DAY + 20 * SECOND), "1 day");
        assert_eq!(lasting(hour + 60 * SECOND), "1 hour 1 minute");
        assert_eq!(lasting(-90 * SECOND), "−1 minute 30 seconds");
        assert_eq!(lasting(999), "less than a second");
        assert_eq!(
            ["1 second", "2 minutes", "123 minutes", "7 hours", "6 days"],
            [
                written(0),
                written(2 * 60 * SECOND),
                written(2 * hour + 121 * SECOND),
                written(6 * hour + 1),
                written(6 * DAY),
            ]
        );
        assert_eq!(
            (count(1, "people"), count(1_000, "people"), count(2, "day")),
            ("1 person".to_owned(), "1,000 people".to_owned(), "2 days".to_owned())
        );
    }
}
