//! `seg run`

mod fresh;
mod on;
mod partition;

use super::guard::{self, Guards};
use super::results::{self, Inputs};
use super::{compiled, input, instant, load_with_store};
use crate::args::{Format, MemoryLimit, Run, Share};
use crate::exit::{Exit, Failure};
use crate::output::{self, Output, grouped, plain_table, print_json, print_text, right};
use comfy_table::Cell;
use seg::unstable::doctor::{Newest, RunFreshness};
use seg::unstable::io::results::{ENTERED_COLUMN, LEAVES_COLUMN, StayColumn};
use seg::unstable::io::{
    LoadRequest, Loaded, LoadedParts, Manifest, Memory, Problem, ReadError, Report, load_in_parts,
};
use seg::unstable::{ComparedLists, Stay, StayParts, parts};
use seg::{
    Batch, Cost, EvaluateError, Evaluation, Mask, Options, Prepared, Program, Project, Reason, Timestamp, Wanted, Zone,
};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

pub fn run(args: &Run, output: &Output) -> Result<Exit, Failure> {
    if let Some(database) = &args.on.on {
        return on::run(args, database, output);
    }
    // What is asked for is checked before anything is read.
    let asked = results::Asked::new(&args.results)?;
    let mut project = load_with_store(&args.dir, args.store.as_deref())?;
    let Some(program) = compiled(&project, args.format, "run", output)? else { return Ok(Exit::Errors) };
    let _input = input::take(&mut project)?;
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let (now, said_by) = match asked.verified_at()? {
        Some(at) => (at, "--verify"),
        None => now(args.at.as_deref(), manifest)?,
    };
    let results = asked.over(&project, &program)?;
    let of = partition::of(args, &project, manifest, &results)?;
    if args.format == Format::Text {
        output.diagnostics(program.warnings(), Format::Text)?;
    }
    let inputs = if results.needs_inputs() { Some(Inputs::read(&project, &results)?) } else { None };
    let mut expected =
        manifest.forecast.guard.map(|share| guard::Expected::new(share, now, manifest.zone.unwrap_or(Zone::UTC)));
    let asked = wanted(&program, &results, expected.as_ref(), now);
    let mut loaded = people(args, (&project, &program, manifest), (&asked, now), output)?;
    inputs.as_ref().map_or(Ok(()), Inputs::refuse_changed)?;
    if let Some(exit) = refused_data(args, &loaded.report)? {
        return Ok(exit);
    }
    if let Some(refusal) = too_many_lost(&loaded.report, args.max_bad) {
        tell_of_data(args, &loaded.report)?;
        return Err(refusal);
    }
    let mut looking =
        Looking { lists: ComparedLists::new(&project, &program), newest: Newest::new(program.schema(), now) };
    let prepared = program.prepare();
    let Outcome { evaluation, cost, stays } = evaluate(args, &prepared, &loaded, &mut looking, (now, results.stays()))?;
    if let Some(expected) = &mut expected {
        look_at_days_before(expected, &prepared, &loaded, (now, cost, args.max_cost))?;
    }
    let engine = evaluation.engine();
    let found = partition::Found { program: &program, manifest, loaded: &loaded, looking: &looking, cost, engine };
    let partition = of.map(|of| found.partition(of, (&project, &results), (now, said_by), expected.as_ref()));
    let partition = partition.transpose()?;
    looking.lists.tell(&mut loaded.report);
    if let Some(exit) = refused_data(args, &loaded.report)? {
        return Ok(exit);
    }
    let stays = stay_columns(&stays, results.stays());
    let run = results::Run {
        stays: &stays,
        program: &program,
        settings: manifest,
        loaded: &loaded,
        masks: evaluation.masks(),
        now,
        said_by,
        n_people: n_existing(&loaded.people, now),
        inputs: inputs.as_ref(),
        partition: partition.as_ref(),
    };
    let freshness = freshness(&looking.newest, &asked, run)?;
    let found = Found { cost, expected, freshness, evaluation: &evaluation };
    finish((args.format, args.deny), &results, run, found)
}

/// What a run found beside who is in what.
pub struct Found<'e> {
    pub evaluation: &'e Evaluation,
    pub cost: Cost,
    /// How large segments were expected to be.
    pub expected: Option<guard::Expected>,
    pub freshness: RunFreshness,
}

/// What no segment reads is left in the files, unless it is to be written.
pub fn wanted(
    program: &Program,
    results: &results::Results<'_>,
    expected: Option<&guard::Expected>,
    now: Timestamp,
) -> Wanted {
    let mut wanted = program.wanted(now);
    wanted.attributes.extend(&results.columns);
    if results.stays() != (StayParts { entered_at: false, leaves_at: false }) {
        // Who is in a segment may have entered it long before its windows.
        wanted = wanted.of_all_times();
    }
    match expected {
        Some(expected) => wanted.and(expected.wanted(program)),
        None => wanted,
    }
}

/// The people of a run, in as much memory as it may take; all that is known of them where it is
/// to be checked.
fn people(
    args: &Run,
    (project, program, manifest): (&Project, &Program, &Manifest),
    (asked, now): (&Wanted, Timestamp),
    output: &Output,
) -> Result<LoadedParts, Failure> {
    let everything = Wanted::everything(program.schema());
    let wanted = if args.strict { &everything } else { asked };
    let of_run = move |request| LoadRequest {
        wanted: Some(wanted),
        asked: Some(asked),
        now: Some(now),
        is_mapped: !args.no_map,
        ..request
    };
    let Some(bytes) = args.memory.memory else {
        return Ok(reading(project, manifest, output, of_run, seg::unstable::io::load)?.into());
    };
    let temp = temp_folder(&args.memory);
    reading(project, manifest, output, of_run, |request| load_in_parts(request, Memory::new(bytes, &temp)))
}

/// How fresh the data of a run is; pauses are looked for where all of it is there at once.
fn freshness(newest: &Newest, asked: &Wanted, run: results::Run<'_>) -> Result<RunFreshness, Failure> {
    let batch = match run.loaded.n_parts() {
        1 => Some(run.loaded.part(0).map_err(Failure::new)?),
        _ => None,
    };
    Ok(newest.freshness(asked, run.loaded.last_event, batch.as_ref(), &run.settings.doctor))
}

/// Compares, writes and tells.
pub fn finish(
    (format, deny): (Format, bool),
    results: &results::Results<'_>,
    run: results::Run<'_>,
    found: Found<'_>,
) -> Result<Exit, Failure> {
    let Found { evaluation, cost, expected, freshness } = found;
    let results::Run { program, settings, loaded, masks, now, said_by, n_people, .. } = run;
    let verified = results.verify(run);
    if let Some(verified) = verified.as_ref().filter(|verified| !verified.is_same()) {
        match format {
            Format::Json => print_json(&serde_json::json!({ "verified": verified.json() }))?,
            Format::Text => tell!("{}", verified.told()),
        }
        return Ok(Exit::Errors);
    }
    let written = results::write(results, run)?;
    let guards = match run.partition {
        Some(_) => guard::of_partition(),
        None => {
            let mut guards = guard::guards(program, masks, n_people, results.sizes(), now);
            expected.iter().for_each(|expected| expected.judge(program.segment_names(), &mut guards));
            guards
        }
    };
    match format {
        Format::Json => {
            let mut json = json(run, &guards, (evaluation, cost));
            json.insert("freshness".to_owned(), fresh::json(&freshness));
            json.insert("partition".to_owned(), run.partition.map(partition::json).into());
            json.extend(results::json(results, &written));
            json.insert("verified".to_owned(), verified.map(|verified| verified.json()).into());
            print_json(&json.into())?;
        }
        Format::Text => {
            let mut text = header(settings, &loaded.report, n_people, now, said_by);
            text.extend(run.partition.map(partition::told));
            text.push_str(&table(program, masks, n_people));
            text.extend(freshness.says(now, settings.zone).map(|line| format!("{line}\n")));
            print_text(&text)?;
            let problems = fresh::problems(&loaded.report, &freshness);
            tell!("{}{problems}{}", left(&loaded.report), results::told(results, &written));
            guards.broken.iter().for_each(|g| tell_line!("size: {g}"));
            guards.notes.iter().for_each(|g| tell_line!("size: {g}"));
            verified.iter().for_each(|verified| tell!("{}", verified.told()));
        }
    }
    Ok(if deny && !guards.broken.is_empty() { Exit::Errors } else { Exit::Success })
}

/// What is looked for on the way through the data.
pub struct Looking {
    pub lists: ComparedLists,
    pub newest: Newest,
}

/// Who is in what.
struct Outcome {
    evaluation: Evaluation,
    /// What that was expected to cost.
    cost: Cost,
    /// For each segment since when its members are in it, and until when, as far as that is
    /// asked for.
    stays: Vec<Vec<Stay>>,
}

/// Who is in what, by the engine and within the costs that were asked for. Lists are compared
/// with the data and the newest events looked for on the way, which is there in parts.
fn evaluate(
    args: &Run,
    prepared: &Prepared,
    loaded: &LoadedParts,
    looking: &mut Looking,
    (now, asked): (Timestamp, StayParts),
) -> Result<Outcome, Failure> {
    let options = args.engine.map(Into::into).into_iter().fold(options(), Options::with_engine);
    let mut all: Option<Evaluation> = None;
    let mut cost = Cost(Duration::ZERO);
    let mut stays: Vec<Vec<Stay>> = Vec::new();
    let mut first_row = 0;
    for at in 0..loaded.n_parts() {
        let batch = loaded.part(at).map_err(Failure::new)?;
        looking.lists.look(&batch);
        looking.newest.look(&batch);
        cost.0 += prepared.cost(&batch, now).map_err(refused)?.0;
        if let Some(max_cost) = args.max_cost.filter(|max_cost| cost > *max_cost) {
            return Err(refused(EvaluateError::CostLimitExceeded { cost, max_cost }));
        }
        let evaluation = prepared.evaluate_with(&batch, now, &options).map_err(refused)?;
        if asked.entered_at || asked.leaves_at {
            let own = prepared.stays(&batch, now, evaluation.masks(), asked, &self::options()).map_err(refused)?;
            stays.resize(own.len(), Vec::new());
            for (all, own) in stays.iter_mut().zip(own) {
                all.extend(own.into_iter().map(|stay| Stay { row: stay.row + first_row, ..stay }));
            }
        }
        first_row += batch.len() as u32;
        match &mut all {
            None => all = Some(evaluation),
            Some(all) => all.append(&evaluation),
        }
    }
    let Some(evaluation) = all else { return Err(Failure::new("there is no part of the data")) };
    if let Reason::NoNativeCode(error) = evaluation.reason() {
        tell_line!("note: {error}; the plan evaluator gave the same answer instead, more slowly");
    }
    Ok(Outcome { evaluation, cost, stays })
}

/// Looks at the days before a run, unless that with the cost of the run itself is more than it may
/// cost.
fn look_at_days_before(
    expected: &mut guard::Expected,
    prepared: &Prepared,
    loaded: &LoadedParts,
    (now, mut cost, max_cost): (Timestamp, Cost, Option<Cost>),
) -> Result<(), Failure> {
    for at in 0..loaded.n_parts() {
        let batch = loaded.part(at).map_err(Failure::new)?;
        cost.0 += cost_of_days(prepared, &batch, (now, expected.n_days()))?.0;
        refuse_above(cost, max_cost)?;
        expected.look(prepared, &batch, &options()).map_err(refused)?;
    }
    Ok(())
}

/// Since when everybody is in what they are in, and until when, as far as that is asked for.
fn stay_columns(stays: &[Vec<Stay>], asked: StayParts) -> Vec<StayColumn> {
    let column = |name: &str, time: fn(&Stay) -> Option<Timestamp>| {
        let times = stays.iter().map(|of| of.iter().filter_map(|stay| Some((stay.row, time(stay)?))).collect());
        StayColumn { name: name.to_owned(), times: times.collect() }
    };
    let entered = asked.entered_at.then(|| column(ENTERED_COLUMN, |stay| stay.entered_at));
    let leaves = asked.leaves_at.then(|| column(LEAVES_COLUMN, |stay| stay.leaves_at));
    entered.into_iter().chain(leaves).collect()
}

/// Data that has any problem, with `--strict`. It is told of here.
fn refused_data(args: &Run, report: &Report) -> Result<Option<Exit>, Failure> {
    if !args.strict || report.problems.iter().all(|problem| problem.kind.is_remark()) {
        return Ok(None);
    }
    tell_of_data(args, report)?;
    if args.format == Format::Text {
        tell_line!("the data has problems; nothing was run, since --strict was asked for");
    }
    Ok(Some(Exit::Errors))
}

/// What was wrong with data of which nothing else is shown.
fn tell_of_data(args: &Run, report: &Report) -> Result<(), Failure> {
    match args.format {
        Format::Json => print_json(&serde_json::json!({ "data": data_json(report) })),
        Format::Text => {
            tell!("{}", problems(report));
            Ok(())
        }
    }
}

/// The folder for what memory has no room for.
pub fn temp_folder(limit: &MemoryLimit) -> PathBuf {
    limit.temp.clone().unwrap_or_else(std::env::temp_dir)
}

/// How everything is evaluated, unless a run asks for something else.
pub fn options() -> Options {
    Options::new().with_threads(output::threads().get())
}

/// An evaluation that was refused.
pub fn refused(error: EvaluateError) -> Failure {
    match error {
        EvaluateError::CostLimitExceeded { .. } => {
            Failure { code: Exit::Errors, message: format!("{error}; nothing was run") }
        }
        error => Failure::new(error),
    }
}

/// What entries and exits of so many days are expected to cost: about as much as if each of the
/// days were judged by itself.
fn cost_of_days(prepared: &Prepared, batch: &Batch, (now, n_days): (Timestamp, u32)) -> Result<Cost, Failure> {
    let a_day = prepared.cost(batch, now).map_err(refused)?;
    Ok(Cost(a_day.0.saturating_mul(n_days)))
}

fn refuse_above(cost: Cost, max_cost: Option<Cost>) -> Result<(), Failure> {
    match max_cost.filter(|max_cost| cost > *max_cost) {
        Some(max_cost) => Err(refused(EvaluateError::CostLimitExceeded { cost, max_cost })),
        None => Ok(()),
    }
}

/// Refuses entries and exits of so many days that are expected to cost more than they may.
pub fn refuse_costly(
    prepared: &Prepared,
    batch: &Batch,
    days: (Timestamp, u32),
    max_cost: Option<Cost>,
) -> Result<(), Failure> {
    match max_cost {
        Some(_) => refuse_above(cost_of_days(prepared, batch, days)?, max_cost),
        None => Ok(()),
    }
}

/// The instant as of which everything is evaluated, and who says so.
pub fn now(at: Option<&str>, manifest: &Manifest) -> Result<(Timestamp, &'static str), Failure> {
    if let Some(text) = at {
        return Ok((instant(text, manifest.zone)?, "--at"));
    }
    if let Some(at) = manifest.at {
        return Ok((at, "seg.toml"));
    }
    let clock = chrono::Utc::now().timestamp_micros();
    Ok((Timestamp(clock), "the clock"))
}

/// A run of which more rows were lost than was agreed to: its answer would look whole.
pub fn too_many_lost(report: &Report, max_bad: Share) -> Option<Failure> {
    let (lost, rows) = (report.rows_lost(), report.rows);
    (lost as f64 > rows as f64 * max_bad.0).then(|| {
        let message = format!(
            "{} of {} rows could not be read, more than {}%; nothing was run (`--max-bad` says how many may be)",
            grouped(lost),
            grouped(rows),
            max_bad.0 * 100.0
        );
        Failure { code: Exit::Errors, message }
    })
}

/// Refuses data of which more rows were lost than was agreed to, and tells of it.
pub fn refuse_lost(report: &Report, max_bad: Share) -> Result<(), Failure> {
    let Some(refusal) = too_many_lost(report, max_bad) else { return Ok(()) };
    tell!("{}", problems(report));
    Err(refusal)
}

/// What is wanted of the project's data, with progress on a terminal; what segments ask
/// for is told of where it is not there.
pub fn read(
    project: &Project,
    manifest: &Manifest,
    wanted: (&Wanted, &Wanted),
    output: &Output,
) -> Result<Loaded, Failure> {
    read_as_of(project, manifest, wanted, None, output)
}

/// The same where it is asked as of an instant, so that data which ends long before it is
/// told of.
pub fn read_as_of(
    project: &Project,
    manifest: &Manifest,
    (wanted, asked): (&Wanted, &Wanted),
    now: Option<Timestamp>,
    output: &Output,
) -> Result<Loaded, Failure> {
    loaded(project, manifest, output, |request| LoadRequest {
        wanted: Some(wanted),
        asked: Some(asked),
        now,
        ..request
    })
}

/// The project's data as it is asked for, with progress on a terminal.
pub fn loaded<'p>(
    project: &'p Project,
    manifest: &'p Manifest,
    output: &Output,
    ask: impl FnOnce(LoadRequest<'p>) -> LoadRequest<'p>,
) -> Result<Loaded, Failure> {
    reading(project, manifest, output, ask, seg::unstable::io::load)
}

/// The same, read in one way or another.
fn reading<'p, T>(
    project: &'p Project,
    manifest: &'p Manifest,
    output: &Output,
    ask: impl FnOnce(LoadRequest<'p>) -> LoadRequest<'p>,
    read: impl FnOnce(LoadRequest<'_>) -> Result<T, ReadError>,
) -> Result<T, Failure> {
    let request = LoadRequest::new(parts(project).dir, &manifest.data, project.schema());
    let request = ask(LoadRequest { zone: manifest.zone, threads: output::threads(), ..request });
    let bar = output.progress();
    let loaded = read(LoadRequest { progress: Some(&mut |progress| bar.update(progress)), ..request });
    bar.clear();
    loaded.map_err(Failure::new)
}

/// How many people there are at an instant.
pub fn n_existing(batch: &Batch, now: Timestamp) -> usize {
    batch.existing(now).map_or(batch.len(), |existing| existing.count())
}

fn header(manifest: &Manifest, report: &Report, n_people: usize, now: Timestamp, said_by: &str) -> String {
    let zone = manifest.zone.map_or("no time zone".to_owned(), |z| format!("time zone {}", z.name()));
    let not_yet = match report.profiles.saturating_sub(n_people as u64) {
        0 => String::new(),
        n => format!(" and {} not known yet", grouped(n)),
    };
    let now = now.in_zone(manifest.zone);
    format!(
        "{}: {} people{not_yet}, {} events, judged at {now} (from {said_by}), {zone}\n",
        manifest.name,
        grouped(n_people as u64),
        grouped(report.events)
    )
}

fn table(program: &Program, masks: &[Mask], n_people: usize) -> String {
    let mut table = plain_table();
    table.set_header(["segment", "members", "share"]);
    for (name, mask) in program.segment_names().zip(masks) {
        table.add_row([Cell::new(name), right(&grouped(mask.count() as u64)), right(&share(mask, n_people))]);
    }
    let mut out = String::new();
    for line in table.lines() {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// The share of those who exist.
fn share(mask: &Mask, n_people: usize) -> String {
    match n_people {
        0 => "–".to_owned(),
        n => format!("{:.1}%", mask.count() as f64 / n as f64 * 100.0),
    }
}

/// Files below this size are read in no time.
const BYTES_TOLD: u64 = 100_000_000;

/// How much was read, where files are large and much of them was left.
fn left(report: &Report) -> String {
    let (all, read) = (report.bytes, report.bytes_read);
    if all < BYTES_TOLD || read > all / 2 {
        return String::new();
    }
    let mega = |bytes: u64| grouped(bytes.div_ceil(1_000_000));
    format!("read {} of {} MB; what decides nothing was left\n", mega(read), mega(all))
}

/// Of so many columns or names a kind of problem is told, and of the rest the number.
const KINDS_MAX: usize = 10;

/// What was wrong with the data, with the first places.
pub fn problems(report: &Report) -> String {
    problems_of(&report.problems)
}

/// The same of a list of them.
pub fn problems_of(problems: &[Problem]) -> String {
    let mut out = String::new();
    let mut numbers: BTreeMap<&'static str, usize> = BTreeMap::new();
    for problem in problems {
        let n = numbers.entry(problem.kind.slug()).or_default();
        *n += 1;
        if *n > KINDS_MAX {
            continue;
        }
        let _ = writeln!(out, "data: {problem}");
        for place in &problem.examples {
            let _ = writeln!(out, "      {place}");
        }
    }
    for (kind, n) in numbers.into_iter().filter(|(_, n)| *n > KINDS_MAX) {
        let more = grouped((n - KINDS_MAX) as u64);
        let _ = writeln!(out, "data: {more} more like these ({kind}); `--format json` has all of them");
    }
    out
}

fn json(
    run: results::Run<'_>,
    guards: &Guards,
    (evaluation, cost): (&Evaluation, Cost),
) -> serde_json::Map<String, serde_json::Value> {
    let results::Run { program, masks, loaded, now, n_people, .. } = run;
    let key = |key: &str, value: serde_json::Value| (key.to_owned(), value);
    let engine = serde_json::json!({ "name": evaluation.engine().name(), "reason": evaluation.reason().to_string() });
    serde_json::Map::from_iter([
        key("at", now.to_string().into()),
        key("people", n_people.into()),
        key("estimated_cost_ns", (cost.0.as_nanos() as u64).into()),
        key("engine", engine),
        key("segments", sizes_json(program, masks, n_people)),
        key("sizes", serde_json::json!({ "broken": guards.broken, "not_judged": guards.notes })),
        key("data", data_json(&loaded.report)),
        key("diagnostics", serde_json::json!(program.warnings().to_json())),
    ])
}

/// How many people are in each segment.
fn sizes_json(program: &Program, masks: &[Mask], n_people: usize) -> serde_json::Value {
    let of = |(name, mask): (&str, &Mask)| {
        let share = (n_people > 0).then(|| mask.count() as f64 / n_people as f64);
        serde_json::json!({ "segment": name, "members": mask.count(), "share": share })
    };
    program.segment_names().zip(masks).map(of).collect()
}

pub fn data_json(report: &Report) -> serde_json::Value {
    let problems: Vec<_> = report
        .problems
        .iter()
        .map(|p| {
            let examples: Vec<_> = p
                .examples
                .iter()
                .map(|e| serde_json::json!({ "file": e.file, "line": e.line, "value": e.value }))
                .collect();
            serde_json::json!({
                "kind": p.kind.slug(),
                "column": p.column,
                "count": p.count,
                "message": p.to_string(),
                "examples": examples,
            })
        })
        .collect();
    serde_json::json!({
        "files": report.files,
        "rows": report.rows,
        "bytes": report.bytes,
        "bytes_read": report.bytes_read,
        "profiles": report.profiles,
        "events": report.events,
        "problems": problems,
    })
}
