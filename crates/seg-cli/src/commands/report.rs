//! `seg report`

mod goal;
mod health;
mod people;
mod segments;

use super::history::Ahead;
use super::{compiled, doctor, guard, input, load_with_store, run};
use crate::args::{Format, Report};
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, grouped, print_text};
use crate::report::{Figures, page};
use goal::Reached;
use people::Sampling;
use seg::unstable::data::shown::{full_instant, short_day};
use seg::unstable::doctor::Health;
use seg::unstable::forecast::{Forecast, n_days_before};
use seg::unstable::history::{Step, days_after, days_before, steps, year_before};
use seg::unstable::io::{Manifest, write_whole};
use seg::unstable::overlap::{declared_order, pairs, waterfall};
use seg::unstable::{io, parts};
use seg::{Batch, Mask, Prepared, Program, Project, Spells, Timestamp, Zone};
use std::path::Path;
use std::sync::Arc;

/// Timelines of people go back so far at least.
const TIMELINE_DAYS: u32 = 90;
/// So many days to come are told.
const DAYS_AHEAD: u32 = 14;

pub fn run(args: &Report, output: &Output) -> Result<Exit, Failure> {
    // A path that cannot be written is told of before anything is read.
    args.out.as_deref().map_or(Ok(()), |path| io::results::try_place(path).map_err(|error| unwritten(path, &error)))?;
    let mut project = load_with_store(&args.dir, args.store.as_deref())?;
    let Some(program) = compiled(&project, Format::Text, "reported", output)? else { return Ok(Exit::Errors) };
    let _input = input::take(&mut project)?;
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let asking = goal::asking(&project, manifest, output)?;
    let (now, said_by) = run::now(args.at.as_deref(), manifest)?;
    let (loaded, health) = doctor::examined((&project, &program, manifest), now, args.max_bad, output)?;
    // Without what only doctor looks at, as the program knows it.
    let records = loaded.batch.records().clone();
    let batch = Batch::new(Arc::clone(program.schema()), records).map_err(Failure::new)?;
    let zone = manifest.zone.unwrap_or(Zone::UTC);
    let judged = Judged::of(args, (&project, &program, manifest), &batch, (now, zone))?;
    let reached = asking.map(|asking| Reached::of(asking, &judged)).transpose()?;
    let page = page(&judged.figures(&health, reached.as_ref(), &loaded.report, said_by));
    match &args.out {
        None => print_text(&page)?,
        Some(path) => {
            write_whole(path, &page).map_err(|error| unwritten(path, &error))?;
            print_text(&told(path, &page, program.segment_names().count()))?;
        }
    }
    tell!("{}", run::problems(&loaded.report));
    Ok(Exit::Success)
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {}", path.display(), super::results::unwritten(error)))
}

fn told(path: &Path, page: &str, n_segments: usize) -> String {
    let (segments, size) = (counted(n_segments, "segment"), grouped(page.len().div_ceil(1_000) as u64));
    format!("{}: {segments}, {size} kB\n", path.display())
}

/// Everybody in and out of every segment, over all days that are shown.
struct Judged<'a> {
    project: &'a Project,
    program: &'a Program,
    manifest: &'a Manifest,
    prepared: Prepared,
    batch: &'a Batch,
    now: Timestamp,
    zone: Zone,
    /// Who is in each segment now.
    masks: Vec<Mask>,
    /// The instants of the days that are looked at, the last of which is now.
    instants: Vec<Timestamp>,
    /// Those of the days to come.
    after: Vec<Timestamp>,
    /// What is expected on these of each segment.
    forecasts: Vec<Vec<Forecast>>,
    /// Entries and exits from the first of them on, of each segment.
    spells: Vec<Spells>,
    /// What happened to each segment on each of the days.
    steps: Vec<Vec<Step>>,
    /// How large each was 52 weeks before the days that charts show, where that is known.
    year_before: Option<Vec<Vec<Option<u64>>>>,
    /// So many of the days charts show, and timelines.
    n_days: usize,
    n_timeline_days: usize,
    shows_people: bool,
}

impl<'a> Judged<'a> {
    fn of(
        args: &Report,
        (project, program, manifest): (&'a Project, &'a Program, &'a Manifest),
        batch: &'a Batch,
        (now, zone): (Timestamp, Zone),
    ) -> Result<Judged<'a>, Failure> {
        // What is expected goes by more days than are shown.
        let n = args.days.max(TIMELINE_DAYS).max(n_days_before(DAYS_AHEAD as usize) as u32);
        let instants = days_before(now, zone, n);
        let (Some(first), true) = (instants.first().copied(), instants.len() > 1) else {
            return Err(Failure::usage("no calendar has a day before that"));
        };
        let prepared = program.prepare();
        run::refuse_costly(&prepared, batch, (now, n), args.max_cost)?;
        let segments: Vec<usize> = (0..program.segment_names().count()).collect();
        let evaluation = prepared.evaluate_with(batch, now, &run::options()).map_err(run::refused)?;
        let spells = prepared.spells(batch, (first, now), &segments, &run::options()).map_err(run::refused)?;
        let steps: Vec<Vec<Step>> = spells.iter().map(|spells| steps(spells, &instants)).collect();
        let ahead = Ahead { instants: &instants, after: days_after(now, zone, DAYS_AHEAD) };
        let forecasts = ahead.expected(&prepared, batch, (&segments, &spells), &steps)?;
        let n_known = instants.len() - 1;
        let n_days = (args.days as usize).min(n_known);
        let shown: Vec<Timestamp> = instants.iter().skip(n_known - n_days).chain(&ahead.after).copied().collect();
        let year_before = year_before(&prepared, batch, &shown, (now, zone), &run::options()).map_err(run::refused)?;
        Ok(Judged {
            project,
            program,
            manifest,
            batch,
            now,
            zone,
            masks: evaluation.into_masks(),
            after: ahead.after,
            forecasts,
            steps,
            year_before,
            n_days,
            n_timeline_days: (args.days.max(TIMELINE_DAYS) as usize).min(n_known),
            instants,
            spells,
            shows_people: !args.no_people,
            prepared,
        })
    }

    /// Everything that the page says.
    fn figures(
        &self,
        health: &Health,
        reached: Option<&Reached>,
        report: &io::Report,
        said_by: &'static str,
    ) -> Figures {
        let n_people = run::n_existing(self.batch, self.now);
        let segments: Vec<usize> = (0..self.masks.len()).collect();
        let order = declared_order(self.program);
        let pairs = pairs(self.program, &self.masks, &segments, &order);
        let guards = guard::guards(self.program, &self.masks, n_people, None, self.now);
        let (needs, n_more_needs) = health::needs(self, health, &pairs, &guards.broken);
        let sampling = self.shows_people.then(|| Sampling::new(self));
        let day = |at: &Timestamp| short_day(*at, self.zone);
        Figures {
            project: self.manifest.name.clone(),
            at: full_instant(self.now, self.zone),
            zone: self.manifest.zone.map_or("UTC, for no time zone is set", Zone::name).to_owned(),
            said_by,
            version: env!("CARGO_PKG_VERSION"),
            n_people: n_people as u64,
            days: self.shown_instants().iter().chain(&self.after).map(day).collect(),
            n_days: self.n_days,
            needs,
            n_more_needs,
            columns: [format!("in {DAYS_AHEAD} days")]
                .into_iter()
                .chain(reached.map(|_| "reach the goal".to_owned()))
                .collect(),
            goal: reached.map(|reached| reached.says(self)),
            segments: segments::figures(self, (health, reached), sampling.as_ref(), n_people as u64),
            taken: waterfall(&self.masks, &order),
            pairs,
            freshness_in_all: health.freshness_in_all.clone(),
            freshness: health.freshness.clone(),
            lateness: health.lateness.clone(),
            not_late: doctor::not_late(self.manifest),
            incomplete: health::incomplete(health),
            cycle: health.cycle.clone(),
            n_files: report.files,
            n_rows: report.rows,
            problems: report.problems.iter().map(ToString::to_string).collect(),
            timeline_ends: sampling.as_ref().map(|_| (day(&self.timeline_begin()), day(&self.now))),
        }
    }

    /// The instants of the days that charts show: the start of the first, and the end of each.
    fn shown_instants(&self) -> &[Timestamp] {
        let from = self.instants.len().saturating_sub(self.n_days + 1);
        self.instants.get(from..).unwrap_or(&[])
    }

    /// The first instant of timelines.
    fn timeline_begin(&self) -> Timestamp {
        let at = self.instants.len().saturating_sub(self.n_timeline_days + 1);
        self.instants.get(at).copied().unwrap_or(self.now)
    }
}
