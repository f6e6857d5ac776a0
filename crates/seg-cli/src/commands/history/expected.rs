//! What is expected of segments, as people and tools read it.

use crate::output::{counted, grouped};
use seg::unstable::forecast::{DAYS_LEAST, Expected, Forecast, Method, Tested};
use seg::{Timestamp, Zone};
use serde_json::{Value, json};
use std::fmt::Write;

/// How many days ahead is told beside a segment, and how many it was asked for.
const WEEK: usize = 7;

/// What is expected on each of some days.
pub struct Shown {
    /// The ends of the days.
    pub days: Vec<Timestamp>,
    /// For each segment, what is expected of each day.
    pub forecasts: Vec<Vec<Forecast>>,
}

impl Shown {
    /// How many days ahead are told in short: a week, and as far as was asked for.
    fn told_days(&self) -> Vec<usize> {
        let last = self.days.len();
        // No calendar has a day after its last.
        match last {
            0 => Vec::new(),
            1..=WEEK => vec![last],
            _ => vec![WEEK, last],
        }
    }

    fn of(&self, nth: usize, ahead: usize) -> Option<&Forecast> {
        self.forecasts.get(nth)?.iter().find(|forecast| forecast.ahead == ahead)
    }

    /// What stands beside segments: a header, and a cell for each of them.
    pub fn columns(&self) -> Vec<(String, Vec<String>)> {
        let column = |ahead: usize| {
            let cell = |nth: usize| self.of(nth, ahead).map_or("–".to_owned(), |forecast| short(&forecast.size));
            (format!("in {}", days(ahead)), (0..self.forecasts.len()).map(cell).collect())
        };
        self.told_days().into_iter().map(column).collect()
    }

    /// How far off such numbers were so far, how often their ranges held, and where the last
    /// value is shown instead.
    pub fn told(&self, names: &[&str]) -> String {
        let head = ["tested", "off by", "last value", "last week", "ranges held", "method"];
        let mut out = format!("\n{}", test_line(head));
        for ahead in self.told_days() {
            let all: Vec<&Expected> =
                (0..self.forecasts.len()).filter_map(|nth| Some(&self.of(nth, ahead)?.size)).collect();
            out.push_str(&tested(&format!("{} ahead", days(ahead)), &all));
            if let [forecast] = self.forecasts.as_slice()
                && let Some(entries) = forecast.iter().find(|of| of.ahead == ahead).and_then(|of| of.entries.as_ref())
            {
                out.push_str(&tested("  entries", &[entries]));
            }
        }
        let by_last = |ahead: usize, is_meant: bool| -> Vec<&str> {
            let is_such = |nth: &usize| {
                self.of(*nth, ahead).is_some_and(|of| {
                    of.size.method == Method::LastValue
                        && of.size.tested.first().is_some_and(|first| (first.method == Method::LastValue) != is_meant)
                })
            };
            (0..names.len()).filter(is_such).filter_map(|nth| names.get(nth).copied()).collect()
        };
        for ahead in self.told_days() {
            let lost = by_last(ahead, true);
            if !lost.is_empty() {
                // Writing to a string does not fail.
                let _ = writeln!(out, "{} ahead the last value was less far off, and is shown, for", days(ahead));
                lost.iter().for_each(|name| out.push_str(&format!("  \"{name}\"\n")));
            }
        }
        if self.told_days().first().is_some_and(|ahead| !by_last(*ahead, false).is_empty()) {
            let _ = writeln!(out, "with fewer than {DAYS_LEAST} days of data, the last value is shown");
        }
        out
    }

    /// A line a day of one segment.
    pub fn by_day(&self, nth: usize, zone: Zone) -> String {
        let head = ["expected at", "size", "low", "high", "entered", "low", "high"];
        let [at, size, low, high, entered, entered_low, entered_high] = head;
        let mut out =
            format!("\n{at:25} {size:>9} {low:>9} {high:>9}  {entered:>8} {entered_low:>8} {entered_high:>8}\n");
        // Writing to a string does not fail.
        let _ = writeln!(out, "{}", "─".repeat(82));
        for forecast in self.forecasts.get(nth).map(Vec::as_slice).unwrap_or_default() {
            let Some(at) = self.days.get(forecast.ahead.saturating_sub(1)) else { continue };
            let at = at.in_zone(Some(zone)).to_string();
            let [size, low, high] = numbers(Some(&forecast.size));
            let [entered, entered_low, entered_high] = numbers(forecast.entries.as_ref());
            let _ =
                writeln!(out, "{at:25} {size:>9} {low:>9} {high:>9}  {entered:>8} {entered_low:>8} {entered_high:>8}");
        }
        out
    }

    /// A row a day of each segment, the first of which are the columns' names.
    pub fn rows(&self, names: &[&str]) -> Vec<Vec<String>> {
        let own = ["segment", "at", "days_ahead"];
        let of = [
            "",
            "_low",
            "_high",
            "_method",
            "_mean_error",
            "_mean_error_last_value",
            "_mean_error_last_week",
            "_range_held",
        ];
        let heads = ["size", "entries"].into_iter().flat_map(|name| of.map(|column| format!("{name}{column}")));
        let mut rows = vec![own.map(str::to_owned).into_iter().chain(heads).collect()];
        for (name, forecasts) in names.iter().zip(&self.forecasts) {
            for forecast in forecasts {
                let at = self.days.get(forecast.ahead.saturating_sub(1)).map_or(String::new(), Timestamp::to_string);
                let own = [(*name).to_owned(), at, forecast.ahead.to_string()];
                let cells = [Some(&forecast.size), forecast.entries.as_ref()].into_iter().flat_map(cells);
                rows.push(own.into_iter().chain(cells).collect());
            }
        }
        rows
    }

    /// What is expected of one segment.
    pub fn json(&self, nth: usize) -> Value {
        let day = |forecast: &Forecast| {
            json!({
                "at": self.days.get(forecast.ahead.saturating_sub(1)).map(Timestamp::to_string),
                "days_ahead": forecast.ahead,
                "size": expected_json(&forecast.size),
                "entries": forecast.entries.as_ref().map(expected_json),
            })
        };
        self.forecasts.get(nth).map(Vec::as_slice).unwrap_or_default().iter().map(day).collect()
    }
}

fn days(n: usize) -> String {
    counted(n, "day")
}

fn whole(number: f64) -> String {
    grouped(number.round() as u64)
}

/// A number and half its range: `1,234 ±56`.
fn short(expected: &Expected) -> String {
    let value = whole(expected.value);
    match expected.range {
        Some((_, high)) => format!("{value} ±{}", whole(high - expected.value)),
        None => value,
    }
}

/// A number and the ends of its range.
fn numbers(expected: Option<&Expected>) -> [String; 3] {
    let or_none = |number: Option<f64>| number.map_or("–".to_owned(), whole);
    let range = expected.and_then(|expected| expected.range);
    [expected.map(|of| of.value), range.map(|range| range.0), range.map(|range| range.1)].map(or_none)
}

/// A line of a table of tests.
fn test_line([name, error, last_value, last_week, held, method]: [&str; 6]) -> String {
    format!("{name:14} {error:>7} {last_value:>10} {last_week:>9}  {held:16} {method}").trim_end().to_owned() + "\n"
}

/// How far off the methods were that give some numbers, beside the naive ones, and how often
/// ranges held.
fn tested(name: &str, all: &[&Expected]) -> String {
    let of = |method: Option<Method>| {
        all.iter().filter_map(move |of| of.tested.iter().find(|tested| tested.method == method.unwrap_or(of.method)))
    };
    let error = |method: Option<Method>| mean(of(method)).map_or("–".to_owned(), |error| format!("{error:.1}"));
    let mut methods: Vec<&str> = all.iter().map(|of| of.method.name()).collect();
    methods.sort_unstable();
    methods.dedup();
    let method = if let [method] = methods.as_slice() { method } else { "see below" };
    let (n_ranges, n_held) = of(None).fold((0, 0), |(n, held), of| (n + of.n_ranges, held + of.n_held));
    let held = match n_ranges {
        0 => "too few days".to_owned(),
        _ => format!("{:.0}% of {} days", 100.0 * n_held as f64 / n_ranges as f64, grouped(n_ranges as u64)),
    };
    let [own, last_value, last_week] = [None, Some(Method::LastValue), Some(Method::LastWeek)].map(error);
    test_line([name, &own, &last_value, &last_week, &held, method])
}

/// The mean of errors, each of as many days as it was measured on.
fn mean<'t>(tested: impl Iterator<Item = &'t Tested>) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0);
    for tested in tested {
        sum += tested.error.unwrap_or(0.0) * tested.n as f64;
        n += tested.n;
    }
    (n > 0).then(|| sum / n as f64)
}

/// To four places, as quotients are.
fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

fn cells(expected: Option<&Expected>) -> [String; 8] {
    let number = |number: Option<f64>| number.map_or(String::new(), |number| rounded(number).to_string());
    let own = expected.and_then(|of| of.tested.iter().find(|tested| tested.method == of.method));
    let range = expected.and_then(|of| of.range);
    let error = |method| expected?.tested.iter().find(|tested| tested.method == method)?.error;
    [
        number(expected.map(|of| of.value)),
        number(range.map(|range| range.0)),
        number(range.map(|range| range.1)),
        expected.map_or(String::new(), |of| of.method.name().to_owned()),
        number(own.and_then(|own| own.error)),
        number(error(Method::LastValue)),
        number(error(Method::LastWeek)),
        number(own.and_then(Tested::held)),
    ]
}

fn expected_json(expected: &Expected) -> Value {
    let own = expected.tested.iter().find(|tested| tested.method == expected.method);
    let errors = expected
        .tested
        .iter()
        .map(|tested| (tested.method.name().to_owned(), tested.error.map(rounded).into()))
        .collect::<serde_json::Map<String, Value>>();
    json!({
        "expected": rounded(expected.value),
        "low": expected.range.map(|range| rounded(range.0)),
        "high": expected.range.map(|range| rounded(range.1)),
        "method": expected.method.name(),
        "tested_days": own.map_or(0, |own| own.n),
        "mean_errors": errors,
        "ranges_tested": own.map_or(0, |own| own.n_ranges),
        "range_held": own.and_then(Tested::held).map(rounded),
    })
}
