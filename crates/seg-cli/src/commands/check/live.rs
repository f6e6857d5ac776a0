//! `seg check --live`

use crate::args::Format;
use crate::exit::Failure;
use crate::output::{counted, print_json, print_text};
use seg::unstable::data::Period;
use seg::unstable::data::shown::length;
use seg::unstable::data::time::CalendarUnit;
use seg::unstable::names::display;
use seg::unstable::plan::{Wake, WakeOf};
use seg::unstable::{ByTime, Outlook};
use seg::{Diagnostics, Program, Schema, Zone};
use std::fmt::Write as _;

/// Says of each segment by what time alone changes it, where all of them are kept exactly: in JSON
/// beside what is worth knowing else.
pub fn tell(program: &Program, outlook: &Outlook, found: &Diagnostics, format: Format) -> Result<(), Failure> {
    let by_time = outlook.by_time();
    let segments: Vec<(&str, Vec<String>)> =
        program.segment_names().zip(&by_time).map(|(name, of)| (name, words(of, program.schema()))).collect();
    if format == Format::Json {
        let of = |(name, by_time): &(&str, Vec<String>)| serde_json::json!({ "name": name, "by_time": by_time });
        let segments: Vec<serde_json::Value> = segments.iter().map(of).collect();
        let diagnostics = found.to_json();
        return print_json(&serde_json::json!({ "diagnostics": diagnostics, "live": { "segments": segments } }));
    }
    let mut out = match segments.len() {
        1 => "the segment is kept exactly\n".to_owned(),
        2 => "both segments are kept exactly\n".to_owned(),
        n => format!("all {} are kept exactly\n", counted(n, "segment")),
    };
    for (name, by_time) in &segments {
        let _ = match by_time.as_slice() {
            [] => writeln!(out, "\n\"{name}\" changes only as records come"),
            by_time => {
                writeln!(out, "\n\"{name}\" changes as records come, and by time alone\n  {}", by_time.join("\n  "))
            }
        };
    }
    print_text(&out)
}

/// By what a segment changes though nothing happens, each once: what comes soonest first.
fn words(by_time: &ByTime, schema: &Schema) -> Vec<String> {
    let mut all = Vec::new();
    let mut wakes: Vec<&(Wake, WakeOf)> = by_time.wakes.iter().collect();
    wakes.sort_by_key(|(wake, _)| match wake {
        Wake::After(Period::Fixed(length)) => (0, *length),
        Wake::After(Period::Months(n)) => (1, *n),
        Wake::Before(_) | Wake::Begins(..) | Wake::Day(_) | Wake::EveryDay(_) | Wake::Overtakes => (2, 0),
    });
    for (wake, of) in wakes {
        let words = wake_words(*wake, &of_words(of, schema));
        if !all.contains(&words) {
            all.push(words);
        }
    }
    all
}

fn wake_words(wake: Wake, of: &str) -> String {
    match wake {
        Wake::After(period) => format!("{} after {of}", period_words(period)),
        Wake::Before(period) => format!("{} before {of}", period_words(period)),
        Wake::Begins(unit, zone) => format!("as {} begins{}", unit_words(unit), zone_words(zone)),
        Wake::Day(zone) => format!("as days of {of} come near or go by{}", zone_words(zone)),
        Wake::EveryDay(zone) => format!("as any day begins{}", zone_words(zone)),
        Wake::Overtakes => "as the time since something becomes as long as another".to_owned(),
    }
}

fn of_words(of: &WakeOf, schema: &Schema) -> String {
    match of {
        WakeOf::Events(events) => {
            let names = events.iter().filter_map(|id| schema.event(*id));
            let names: Vec<String> = names.map(|event| format!("`{}`", display(&event.name))).collect();
            names.join(" or ")
        }
        WakeOf::AnyEvent => "anything that they do".to_owned(),
        WakeOf::Attribute(id) => {
            schema.attribute(*id).map_or("a value".to_owned(), |attribute| format!("`{}`", display(&attribute.name)))
        }
        WakeOf::Other => "a time that is made of several".to_owned(),
    }
}

fn period_words(period: Period) -> String {
    match period {
        Period::Fixed(micros) => length(micros),
        Period::Months(n) => counted(usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX), "month"),
    }
}

fn unit_words(unit: CalendarUnit) -> &'static str {
    match unit {
        CalendarUnit::Day => "a day",
        CalendarUnit::Week(_) => "a week",
        CalendarUnit::Month => "a month",
        CalendarUnit::Quarter => "a quarter",
        CalendarUnit::Year => "a year",
    }
}

/// Where it begins, which in the world's time need not be said.
fn zone_words(zone: Zone) -> String {
    if zone == Zone::UTC { String::new() } else { format!(" in {}", zone.name()) }
}
