//! `seg history`

mod drawn;

use super::judged::segment_named;
use super::{compiled, input, load, run};
use crate::args::{History, HistoryFormat};
use crate::exit::{Exit, Failure};
use crate::output::{Output, csv_text, grouped, print_json, print_text, signed};
use seg::unstable::history::{Step, days_before, size_before, steps};
use seg::unstable::parts;
use seg::{Cost, EvaluateError, Timestamp, Zone};
use std::fmt::Write;

/// The height of a bar in eighths.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// So many bars stand in a line, where there are more days.
const BARS_MAX: usize = 20;
/// So long are names in a table that many terminals show.
const NAME_MAX: usize = 23;

pub fn run(args: &History, output: &Output) -> Result<Exit, Failure> {
    let mut project = load(&args.dir)?;
    let Some(program) = compiled(&project, args.format.of_problems(), "counted", output)? else {
        return Ok(Exit::Errors);
    };
    let _input = input::take(&mut project)?;
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let names: Vec<&str> = program.segment_names().collect();
    let segments = match &args.segment {
        Some(name) => vec![segment_named(&program, name)?],
        None => (0..names.len()).collect(),
    };
    let (now, said_by) = run::now(args.at.as_deref(), manifest)?;
    let zone = manifest.zone.unwrap_or(Zone::UTC);
    let instants = days_before(now, zone, args.days);
    let (Some(first), Some(days)) = (instants.first().copied(), instants.get(1..)) else {
        return Err(Failure::usage("no calendar has a day before that"));
    };
    // Whatever the earliest day looks at, the later ones look at too.
    let wanted = program.wanted(first);
    let loaded = run::read(&project, manifest, (&wanted, &wanted), output)?;
    run::refuse_lost(&loaded.report, args.max_bad)?;
    let prepared = program.prepare();
    if let Some(max_cost) = args.max_cost {
        // As if every day were judged by itself, which is about what entries and exits take.
        let cost = prepared.cost(&loaded.batch, now).map_err(run::refused)?;
        let cost = Cost(cost.0.saturating_mul(args.days));
        if cost > max_cost {
            return Err(run::refused(EvaluateError::CostLimitExceeded { cost, max_cost }));
        }
    }
    let spells = prepared.spells(&loaded.batch, (first, now), &segments, &run::options()).map_err(run::refused)?;
    let steps: Vec<Vec<Step>> = spells.iter().map(|spells| steps(spells, &instants)).collect();
    let of = Counted {
        names: segments.iter().filter_map(|at| names.get(*at).copied()).collect(),
        first,
        days,
        people: days.iter().map(|at| run::n_existing(&loaded.batch, *at)).collect(),
        steps: &steps,
        zone,
    };
    match args.format {
        HistoryFormat::Json => print_json(&of.json(loaded.report.profiles))?,
        HistoryFormat::Csv => print_text(&of.csv()?)?,
        HistoryFormat::Svg => print_text(&of.svg(&manifest.name))?,
        HistoryFormat::Text => {
            let (name, everybody) = (&manifest.name, grouped(loaded.report.profiles));
            let n = args.days;
            let shown = now.in_zone(manifest.zone);
            let head = format!("{name}: {everybody} people, {n} days up to {shown} (from {said_by})\n");
            print_text(&(head + &if args.segment.is_some() { of.by_day() } else { of.by_segment() }))?;
            eprint!("{}", run::problems(&loaded.report));
        }
    }
    Ok(Exit::Success)
}

/// What was counted, to be shown.
struct Counted<'a> {
    names: Vec<&'a str>,
    /// The start of the first step.
    first: Timestamp,
    /// The end of each step.
    days: &'a [Timestamp],
    /// How many people existed then.
    people: Vec<usize>,
    /// For each segment.
    steps: &'a [Vec<Step>],
    zone: Zone,
}

impl Counted<'_> {
    /// A line a segment, in 80 columns.
    fn by_segment(&self) -> String {
        let width = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0).clamp(7, NAME_MAX);
        let mut out =
            format!("{:width$} {:>9} {:>8}  {:20} {:>7} {:>7}\n", "segment", "size", "change", "", "in", "out");
        let _ = writeln!(out, "{}", "─".repeat(width + 56));
        for (name, steps) in self.names.iter().zip(self.steps) {
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
                bars(&sizes),
                sum(|step| step.entries),
                sum(|step| step.exits)
            );
        }
        out
    }

    /// A line a day of one segment.
    fn by_day(&self) -> String {
        let mut out = String::new();
        for (name, steps) in self.names.iter().zip(self.steps) {
            let head = ["at", "people", "size", "entered", "left", "by time", "by an event"];
            let [at, people, size, entered, left, by_time, by_event] = head;
            let _ = writeln!(out, "\"{name}\"");
            let _ = writeln!(out, "{at:25} {people:>9} {size:>9} {entered:>8} {left:>8} {by_time:>8} {by_event:>12}");
            let _ = writeln!(out, "{}", "─".repeat(85));
            for ((at, people), step) in self.days.iter().zip(&self.people).zip(steps) {
                let at = at.in_zone(Some(self.zone)).to_string();
                let [people, size] = [*people as u64, step.size].map(grouped);
                let [entered, left] = [step.entries, step.exits].map(grouped);
                let [by_time, by_event] = [step.exits - step.exits_by_event, step.exits_by_event].map(grouped);
                // Writing to a string does not fail.
                let _ = write!(out, "{at:25} {people:>9} {size:>9} {entered:>8} {left:>8} {by_time:>8} {by_event:>12}");
                if (step.entered_people, step.left_people) != (step.entries, step.exits) {
                    let _ = write!(out, "   people: {} in, {} out", step.entered_people, step.left_people);
                }
                out.push('\n');
            }
        }
        out
    }

    fn csv(&self) -> Result<String, Failure> {
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
        for (name, steps) in self.names.iter().zip(self.steps) {
            let (mut after, mut before) = (self.first, size_before(steps));
            for ((until, people), step) in self.days.iter().zip(&self.people).zip(steps) {
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

    fn json(&self, people: u64) -> serde_json::Value {
        let day = |(nth, (at, people)): (usize, (&Timestamp, &usize))| {
            let of = |steps: &Vec<Step>| steps.get(nth).copied().unwrap_or_default();
            let sizes: serde_json::Map<String, serde_json::Value> = self
                .names
                .iter()
                .zip(self.steps)
                .map(|(name, steps)| ((*name).to_owned(), of(steps).size.into()))
                .collect();
            let moves: serde_json::Map<String, serde_json::Value> = self
                .names
                .iter()
                .zip(self.steps)
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
            serde_json::json!({ "at": at.to_string(), "people": people, "sizes": sizes, "moves": moves })
        };
        let history: Vec<_> = self.days.iter().zip(&self.people).enumerate().map(day).collect();
        serde_json::json!({ "people": people, "history": history })
    }
}

fn shortened(name: &str, width: usize) -> String {
    match name.chars().count() > width {
        true => name.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
        false => name.to_owned(),
    }
}

/// Sizes as a line of bars, from the smallest to the largest; of many the last of each of some
/// stretches.
fn bars(sizes: &[u64]) -> String {
    let n = sizes.len().min(BARS_MAX);
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
        assert_eq!(bars(&[0, 7, 3]), "▁█▄");
        assert_eq!(bars(&[5, 5]), "▄▄");
        assert_eq!(bars(&(0..100).collect::<Vec<u64>>()).chars().count(), BARS_MAX);
        assert_eq!((bars(&[]), signed(-1_200), signed(3)), (String::new(), "−1,200".to_owned(), "+3".to_owned()));
    }
}
