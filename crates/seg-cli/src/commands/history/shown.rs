//! A history as people and tools read it.

use super::expected::Shown;
use crate::exit::Failure;
use crate::output::{csv_text, grouped, seconds, shortened, signed};
use seg::unstable::data::shown::length;
use seg::unstable::dwell::Dwell;
use seg::unstable::history::{Step, size_before};
use seg::{Timestamp, Zone};
use std::fmt::Write;

/// The height of a bar in eighths.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// So many bars stand in a line, where there are more days.
const BARS_MAX: usize = 20;
/// So long are names in a table that many terminals show.
const NAME_MAX: usize = 23;
/// The width of such a terminal.
const WIDTH: usize = 80;

/// What was counted, to be shown.
pub struct Counted<'a> {
    pub names: Vec<&'a str>,
    /// The start of the first step.
    pub first: Timestamp,
    /// The end of each step.
    pub days: &'a [Timestamp],
    /// How many people existed then.
    pub people: Vec<usize>,
    /// For each segment.
    pub steps: Vec<&'a [Step]>,
    /// For each segment, of those who entered after the start and until an instant, where one
    /// was named.
    pub dwell: Vec<Dwell>,
    pub entered_until: Option<Timestamp>,
    /// What is expected, where that is asked for.
    pub ahead: Option<Shown>,
    /// How large the only segment was 52 weeks before the start, each day and each day to come,
    /// where that much is known.
    pub year_before: Option<Vec<Option<u64>>>,
    pub zone: Zone,
}

impl Counted<'_> {
    /// A line a segment, in 80 columns.
    pub fn by_segment(&self) -> String {
        if let Some(ahead) = &self.ahead {
            return self.expected_by_segment(ahead);
        }
        let width = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0).clamp(7, NAME_MAX);
        let mut out =
            format!("{:width$} {:>9} {:>8}  {:20} {:>7} {:>7}\n", "segment", "size", "change", "", "in", "out");
        let _ = writeln!(out, "{}", "─".repeat(width + 56));
        for (name, steps) in self.names.iter().zip(&self.steps) {
            let sum = |of: fn(&Step) -> u64| grouped(steps.iter().map(of).sum());
            let (size, before) = (steps.last().map_or(0, |step| step.size), size_before(steps));
            let change = signed(size as i64 - before as i64);
            let sizes: Vec<u64> = steps.iter().map(|step| step.size).collect();
            // Writing to a string does not fail.
            let _ = writeln!(
                out,
                "{:width$} {:>9} {change:>8}  {:20} {:>7} {:>7}",
                shortened(name, width),
                grouped(size),
                bars(&sizes, BARS_MAX),
                sum(|step| step.entries),
                sum(|step| step.exits)
            );
        }
        out
    }

    /// The same with what is expected in place of what came and went.
    fn expected_by_segment(&self, ahead: &Shown) -> String {
        let width = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0).clamp(7, NAME_MAX);
        let columns: Vec<(String, Vec<String>)> = ahead.columns();
        let cell_width = |(head, cells): &(String, Vec<String>)| {
            [head].into_iter().chain(cells).map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = columns.iter().map(cell_width).collect();
        let taken = width + 20 + widths.iter().map(|width| width + 2).sum::<usize>();
        let n_bars = WIDTH.saturating_sub(taken + 1).min(BARS_MAX).min(self.days.len());
        let line = |name: &str, size: &str, change: &str, bars: &str, cells: &[&str]| {
            let mut line = format!("{name:width$} {size:>9} {change:>8}  {bars:n_bars$}");
            for (cell, width) in cells.iter().zip(&widths) {
                // Writing to a string does not fail.
                let _ = write!(line, "  {cell:>width$}");
            }
            line.trim_end().to_owned() + "\n"
        };
        let heads: Vec<&str> = columns.iter().map(|(head, _)| head.as_str()).collect();
        let mut out = line("segment", "size", "change", "", &heads);
        let _ = writeln!(out, "{}", "─".repeat(taken + n_bars));
        for (nth, (name, steps)) in self.names.iter().zip(&self.steps).enumerate() {
            let (size, before) = (steps.last().map_or(0, |step| step.size), size_before(steps));
            let sizes: Vec<u64> = steps.iter().map(|step| step.size).collect();
            let cells: Vec<&str> = columns.iter().map(|(_, cells)| cells.get(nth).map_or("", String::as_str)).collect();
            let change = signed(size as i64 - before as i64);
            out.push_str(&line(&shortened(name, width), &grouped(size), &change, &bars(&sizes, n_bars), &cells));
        }
        out.push_str(&ahead.told(&self.names));
        out
    }

    /// How long people stay in a segment.
    fn stays(&self, nth: usize) -> String {
        let Some(dwell) = self.dwell.get(nth) else { return String::new() };
        let since = match self.entered_until {
            Some(until) => format!(" up to {}", until.in_zone(Some(self.zone))),
            None => String::new(),
        };
        if dwell.n_spells == 0 {
            return format!("stays: nobody entered in these days{since}\n");
        }
        let (n, n_open) = (grouped(dwell.n_spells as u64), grouped(dwell.n_open() as u64));
        let began = format!("stays: {n} began in these days{since}, {n_open} go on");
        let [Some(quarter), half, three] = dwell.quartiles else {
            return format!("{began}; fewer than a quarter have ended\n");
        };
        let within = |at: Option<i64>| at.map_or("not reached".to_owned(), length);
        format!(
            "{began}\na quarter end within {}, half: {}, three quarters: {}\n",
            length(quarter),
            within(half),
            within(three)
        )
    }

    /// `the year before: 1,200 on the same day of the week 52 weeks ago; now 1.21 times as many`
    pub fn year_says(&self) -> Option<String> {
        let before = (*self.year_before.as_ref()?.get(self.days.len())?)?;
        let now = self.steps.first()?.last()?.size;
        Some(year_says(before, now))
    }

    /// A line a day of one segment.
    pub fn by_day(&self) -> String {
        let mut out = String::new();
        for (nth, (name, steps)) in self.names.iter().zip(&self.steps).enumerate() {
            let head = ["at", "people", "size", "entered", "left", "by time", "by an event"];
            let [at, people, size, entered, left, by_time, by_event] = head;
            let _ = writeln!(out, "\"{name}\"");
            let year = if self.year_before.is_some() { "  a year before" } else { "" };
            let _ =
                writeln!(out, "{at:25} {people:>9} {size:>9} {entered:>8} {left:>8} {by_time:>8} {by_event:>12}{year}");
            let _ = writeln!(out, "{}", "─".repeat(85 + year.len()));
            for (day, ((at, people), step)) in self.days.iter().zip(&self.people).zip(*steps).enumerate() {
                let at = at.in_zone(Some(self.zone)).to_string();
                let [people, size] = [*people as u64, step.size].map(grouped);
                let [entered, left] = [step.entries, step.exits].map(grouped);
                let [by_time, by_event] = [step.exits - step.exits_by_event, step.exits_by_event].map(grouped);
                // Writing to a string does not fail.
                let _ = write!(out, "{at:25} {people:>9} {size:>9} {entered:>8} {left:>8} {by_time:>8} {by_event:>12}");
                if let Some(sizes) = &self.year_before {
                    let size = sizes.get(day + 1).copied().flatten().map_or("–".to_owned(), grouped);
                    let _ = write!(out, "{size:>15}");
                }
                if (step.entered_people, step.left_people) != (step.entries, step.exits) {
                    let _ = write!(out, "   people: {} in, {} out", step.entered_people, step.left_people);
                }
                out.push('\n');
            }
            out.extend(self.year_says().map(|says| format!("{says}\n")));
            out.push_str(&self.stays(nth));
            if let Some(ahead) = &self.ahead {
                out.push_str(&ahead.by_day(nth, self.zone));
                out.push_str(&ahead.told(&self.names));
            }
        }
        out
    }

    /// A row a day of each segment: of the days after now, where something is expected of them.
    pub fn csv(&self) -> Result<String, Failure> {
        if let Some(ahead) = &self.ahead {
            return csv_text(ahead.rows(&self.names));
        }
        let head = [
            "segment",
            "after",
            "until",
            "people",
            "size_before",
            "size",
            "entered_people",
            "left_people",
            "entries",
            "exits",
            "exits_by_event",
            "exits_by_time",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (name, steps) in self.names.iter().zip(&self.steps) {
            let (mut after, mut before) = (self.first, size_before(steps));
            for ((until, people), step) in self.days.iter().zip(&self.people).zip(*steps) {
                let Step { size, entered_people, left_people, entries, exits, exits_by_event } = *step;
                let by_time = exits - exits_by_event;
                let of_step = [before, size, entered_people, left_people, entries, exits, exits_by_event, by_time];
                let own = [(*name).to_owned(), after.to_string(), until.to_string(), people.to_string()];
                rows.push(own.into_iter().chain(of_step.map(|n| n.to_string())).collect());
                (after, before) = (*until, size);
            }
        }
        csv_text(rows)
    }

    pub fn json(&self, people: u64) -> serde_json::Value {
        let day = |(nth, (at, people)): (usize, (&Timestamp, &usize))| {
            let of = |steps: &&[Step]| steps.get(nth).copied().unwrap_or_default();
            let sizes: serde_json::Map<String, serde_json::Value> = self
                .names
                .iter()
                .zip(&self.steps)
                .map(|(name, steps)| ((*name).to_owned(), of(steps).size.into()))
                .collect();
            let moves: serde_json::Map<String, serde_json::Value> = self
                .names
                .iter()
                .zip(&self.steps)
                .map(|(name, steps)| {
                    let Step { entered_people, left_people, entries, exits, exits_by_event, .. } = of(steps);
                    let moves = serde_json::json!({
                        "entries": entries,
                        "exits": exits,
                        "exits_by_event": exits_by_event,
                        "exits_by_time": exits - exits_by_event,
                        "entered_people": entered_people,
                        "left_people": left_people,
                    });
                    ((*name).to_owned(), moves)
                })
                .collect();
            let mut day = serde_json::json!({ "at": at.to_string(), "people": people, "sizes": sizes, "moves": moves });
            if let (Some(sizes), Some(object)) = (&self.year_before, day.as_object_mut()) {
                object.insert("size_year_before".to_owned(), sizes.get(nth + 1).copied().flatten().into());
            }
            day
        };
        let history: Vec<_> = self.days.iter().zip(&self.people).enumerate().map(day).collect();
        let by_name = |of: &dyn Fn(usize) -> serde_json::Value| {
            let named = self.names.iter().enumerate().map(|(nth, name)| ((*name).to_owned(), of(nth)));
            serde_json::Value::Object(named.collect())
        };
        let mut json =
            serde_json::json!({ "people": people, "history": history, "dwell": by_name(&|nth| self.dwell_json(nth)) });
        if let (Some(ahead), Some(object)) = (&self.ahead, json.as_object_mut()) {
            object.insert("forecast".to_owned(), by_name(&|nth| ahead.json(nth)));
        }
        json
    }

    fn dwell_json(&self, nth: usize) -> serde_json::Value {
        let Some(dwell) = self.dwell.get(nth) else { return serde_json::Value::Null };
        let [p25, p50, p75] = dwell.quartiles.map(|quartile| quartile.map(seconds));
        serde_json::json!({
            "spells": dwell.n_spells,
            "ended": dwell.n_ended,
            "open": dwell.n_open(),
            "p25_s": p25,
            "p50_s": p50,
            "p75_s": p75,
        })
    }
}

/// How large a segment is beside the year before.
pub fn year_says(before: u64, now: u64) -> String {
    let ratio = match before {
        0 => String::new(),
        before => format!("; now {:.2} times as many", now as f64 / before as f64),
    };
    format!("the year before: {} on the same day of the week, 52 weeks ago{ratio}", grouped(before))
}

/// Sizes as a line of bars, from the smallest to the largest; of many the last of each of some
/// stretches.
fn bars(sizes: &[u64], max: usize) -> String {
    let n = sizes.len().min(max);
    let picked: Vec<u64> =
        (1..=n).filter_map(|nth| sizes.get((nth * sizes.len()).div_ceil(n).saturating_sub(1)).copied()).collect();
    let (least, most) = (picked.iter().min().copied().unwrap_or(0), picked.iter().max().copied().unwrap_or(0));
    let bar = |size: &u64| {
        let height = ((size - least) * 7).checked_div(most - least).unwrap_or(3);
        BARS.get(height as usize).copied().unwrap_or('▁')
    };
    picked.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_go_from_the_smallest_to_the_largest() {
        assert_eq!(bars(&[0, 7, 3], 20), "▁█▄");
        assert_eq!(bars(&[5, 5], 20), "▄▄");
        assert_eq!(bars(&(0..100).collect::<Vec<u64>>(), BARS_MAX).chars().count(), BARS_MAX);
        assert_eq!((bars(&[], 20), signed(-1_200), signed(3)), (String::new(), "−1,200".to_owned(), "+3".to_owned()));
    }
}
