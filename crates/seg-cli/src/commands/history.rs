//! `seg history`

mod drawn;
mod expected;
mod shown;

use super::judged::segment_named;
use super::{compiled, input, instant, load, run};
use crate::args::{History, HistoryFormat};
use crate::exit::{Exit, Failure};
use crate::output::{Output, grouped, print_json, print_text};
use seg::unstable::data::time::DAY;
use seg::unstable::decided::Days;
use seg::unstable::dwell::dwell;
use seg::unstable::forecast::{Forecast, Known, forecasts, n_days_before};
use seg::unstable::history::{
    Step, YEAR_BEFORE_DAYS, YEAR_DAYS, days_after, days_before, first_known, size_before, steps, year_before,
};
use seg::unstable::parts;
use seg::{Batch, Prepared, Spells, Timestamp, Zone};
use shown::Counted;
pub use shown::year_says;

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
    let entered_until = args.entered_until.as_deref().map(|text| instant(text, manifest.zone)).transpose()?;
    let zone = manifest.zone.unwrap_or(Zone::UTC);
    // What is expected goes by more days than are shown.
    let n_before = args.forecast.map_or(0, |n_ahead| n_days_before(n_ahead as usize) as u32);
    let instants = days_before(now, zone, args.days.max(n_before));
    let n_hidden = instants.len().saturating_sub(args.days as usize + 1);
    let (Some(first), Some(start), Some(days)) =
        (instants.first(), instants.get(n_hidden), instants.get(n_hidden + 1..))
    else {
        return Err(Failure::usage("no calendar has a day before that"));
    };
    // Whatever the earliest day looks at, the later ones look at too.
    let earliest = args.segment.as_ref().map_or(*first, |_| {
        let n_days = YEAR_BEFORE_DAYS.max(YEAR_DAYS + i64::from(args.days) + 1);
        Timestamp(now.0.saturating_sub(n_days * DAY)).max(Timestamp::MIN).min(*first)
    });
    let wanted = program.wanted(earliest);
    let loaded = run::read(&project, manifest, (&wanted, &wanted), output)?;
    run::refuse_lost(&loaded.report, args.max_bad)?;
    let prepared = program.prepare();
    let batch = &loaded.batch;
    run::refuse_costly(&prepared, batch, (now, instants.len() as u32 - 1), args.max_cost)?;
    let spells = prepared.spells(batch, (*first, now), &segments, &run::options()).map_err(run::refused)?;
    let all_steps: Vec<Vec<Step>> = spells.iter().map(|spells| steps(spells, &instants)).collect();
    let entered = (*start, entered_until.unwrap_or(now));
    let ahead = match args.forecast {
        Some(n_ahead) => {
            let ahead = Ahead { instants: &instants, after: days_after(now, zone, n_ahead) };
            let found = ahead.expected(&prepared, batch, (&segments, &spells), &all_steps)?;
            Some(expected::Shown { days: ahead.after, forecasts: found })
        }
        None => None,
    };
    let shown = [*start].into_iter().chain(days.iter().copied());
    let shown: Vec<Timestamp> = shown.chain(ahead.iter().flat_map(|ahead| ahead.days.iter().copied())).collect();
    // Of one segment alone: of many it would be read and counted for nothing.
    let year_before = match segments.as_slice() {
        [one] if args.segment.is_some() => {
            let found = year_before(&prepared, batch, &shown, (now, zone), &run::options()).map_err(run::refused)?;
            found.and_then(|of_segments| of_segments.into_iter().nth(*one))
        }
        _ => None,
    };
    let of = Counted {
        year_before,
        names: segments.iter().filter_map(|at| names.get(*at).copied()).collect(),
        first: *start,
        days,
        people: days.iter().map(|at| run::n_existing(batch, *at)).collect(),
        steps: all_steps.iter().map(|steps| steps.get(n_hidden..).unwrap_or(&[])).collect(),
        dwell: spells.iter().map(|spells| dwell(spells, entered, now)).collect(),
        entered_until,
        ahead,
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
            tell!("{}", run::problems(&loaded.report));
        }
    }
    Ok(Exit::Success)
}

/// The days that a forecast goes by, and those that it is for.
pub struct Ahead<'a> {
    /// The days up to now, and an instant before them.
    pub instants: &'a [Timestamp],
    /// The days to come.
    pub after: Vec<Timestamp>,
}

impl Ahead<'_> {
    /// What is expected of each segment, from what happened on each of the days up to now.
    pub fn expected(
        &self,
        prepared: &Prepared,
        batch: &Batch,
        (segments, spells): (&[usize], &[Spells]),
        steps: &[Vec<Step>],
    ) -> Result<Vec<Vec<Forecast>>, Failure> {
        let all: Vec<Timestamp> = self.instants.iter().chain(&self.after).copied().collect();
        let days = Days { instants: &all, n_ahead: self.after.len() };
        let decided = prepared.decided(batch, days, (segments, spells), &run::options()).map_err(run::refused)?;
        let first_known = first_known(batch).unwrap_or(Timestamp::MIN);
        let first = self.instants.partition_point(|at| *at < first_known);
        let of_segment = steps.iter().zip(&decided).map(|(steps, decided)| {
            let sizes: Vec<u64> = [size_before(steps)].into_iter().chain(steps.iter().map(|step| step.size)).collect();
            let entries: Vec<u64> = [0].into_iter().chain(steps.iter().map(|step| step.entries)).collect();
            forecasts(Known { sizes: &sizes, entries: &entries, decided, first }, self.after.len())
        });
        Ok(of_segment.collect())
    }
}
