//! What somebody did over some days, drawn in text.

use seg::unstable::data::time::DAY;
use seg::unstable::data::{EventId, shown};
use seg::{Batch, Timestamp, Zone};
use std::fmt::Write;

/// So wide is what is drawn.
const WIDTH: usize = 45;
/// So long are names in front of it.
const NAME_MAX: usize = 20;

/// A line for each name of events of which there are any, over so many days up to an instant:
/// in each place how many there were, and behind it all of them up to then.
pub fn draw(batch: &Batch, row: usize, (now, zone): (Timestamp, Zone), days: u32, indent: &str) -> String {
    let start = now.0.saturating_sub(i64::from(days) * DAY);
    let mut out = String::new();
    for (event, at) in batch.schema().events.iter().zip(0..) {
        let Some(events) = batch.events(EventId(at)) else { continue };
        let times = events.range(row).map(|idx| events.time(idx)).filter(|time| *time <= now);
        let times: Vec<Timestamp> = times.collect();
        let Some(last) = times.last() else { continue };
        let mut places = [0_u64; WIDTH];
        for time in times.iter().filter(|time| time.0 > start) {
            let place = (i128::from(time.0 - start) * WIDTH as i128 / i128::from((now.0 - start).max(1))) as usize;
            if let Some(n) = places.get_mut(place.min(WIDTH - 1)) {
                *n += 1;
            }
        }
        let drawn: String = places.iter().map(mark).collect();
        let name: String = event.name.chars().take(NAME_MAX).collect();
        let (n, ago) = (times.len(), shown::length(now.0 - last.0));
        // Writing to a string does not fail.
        let _ = writeln!(out, "{indent}{name:NAME_MAX$} {drawn} {n}, last {ago} ago");
    }
    if !out.is_empty() {
        let (from, to) = (shown::instant(Timestamp(start), zone, now), shown::instant(now, zone, now));
        let _ = writeln!(out, "{indent}{:NAME_MAX$} {from:<23}{to:>22}", "");
    }
    out
}

fn mark(n: &u64) -> char {
    match n {
        0 => '·',
        1..=9 => char::from_digit(*n as u32, 10).unwrap_or('+'),
        10.. => '+',
    }
}
