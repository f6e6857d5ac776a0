//! `seg run`

use super::guard::{self, Guards};
use super::{compiled, instant, load};
use crate::args::{Format, Run, Share};
use crate::exit::{Exit, Failure};
use crate::output::{self, Output, grouped, print_json, print_text};
use comfy_table::{Cell, CellAlignment, LineStyle, Table, presets};
use seg::unstable::io::{LoadRequest, Loaded, Manifest, MembersFormat, Report, Sizes};
use seg::unstable::{module, parts};
use seg::{Batch, Cost, EvaluateError, Evaluation, Mask, Options, Program, Project, Reason, Timestamp, Wanted};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

pub fn run(args: &Run, output: &Output) -> Result<Exit, Failure> {
    // What is asked for is checked before anything is read.
    let members = match &args.members {
        Some(path) => Some((path, members_format(path)?)),
        None => None,
    };
    let winners = match &args.winners {
        Some(path) => Some((path, members_format(path)?)),
        None => None,
    };
    let before = match &args.record {
        Some(path) => guard::recorded(path).map_err(|e| Failure::new(format!("{}: {e}", path.display())))?,
        None => None,
    };
    let project = load(&args.dir)?;
    let outputs = [&args.members, &args.winners, &args.record];
    refuse_outputs(&project, &outputs.into_iter().flatten().map(PathBuf::as_path).collect::<Vec<_>>())?;
    let Some(program) = compiled(&project, args.format, "run", output)? else { return Ok(Exit::Errors) };
    if args.format == Format::Text {
        output.diagnostics(program.warnings(), Format::Text)?;
    }
    if winners.is_some() && module(&program).precedence.is_empty() {
        return Err(no_precedence());
    }
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let (now, said_by) = now(args.at.as_deref(), manifest)?;
    // What no segment reads is left in the files, unless all of it is to be
    // checked.
    let asked = program.wanted(now);
    let wanted = if args.strict { &Wanted::everything(program.schema()) } else { &asked };
    let loaded = read_as_of(&project, manifest, (wanted, &asked), Some(now), output)?;
    let is_clean = loaded.report.problems.iter().all(|problem| problem.kind.is_remark());
    if args.strict && !is_clean {
        if args.format == Format::Json {
            print_json(&serde_json::json!({ "data": data_json(&loaded.report) }))?;
        } else {
            eprint!("{}", problems(&loaded.report));
            eprintln!("the data has problems; nothing was run, since --strict was asked for");
        }
        return Ok(Exit::Errors);
    }
    if let Some(refusal) = too_many_lost(&loaded.report, args.max_bad) {
        match args.format {
            Format::Json => print_json(&serde_json::json!({ "data": data_json(&loaded.report) }))?,
            Format::Text => eprint!("{}", problems(&loaded.report)),
        }
        return Err(refusal);
    }
    let prepared = program.prepare();
    let options = args.engine.map(Into::into).into_iter().fold(options(), Options::with_engine);
    let options = args.max_cost.into_iter().fold(options, Options::with_max_cost);
    let evaluation = prepared.evaluate_with(&loaded.batch, now, &options).map_err(refused)?;
    let masks = evaluation.masks();
    if let Reason::NoNativeCode(error) = evaluation.reason() {
        eprintln!("note: {error}; the plan evaluator gave the same answer instead, more slowly");
    }
    if let Some((path, format)) = members {
        let rows = program.segment_names().zip(masks).flat_map(|(name, mask)| {
            mask.rows().map(move |row| (name, row)).map(|(name, row)| (name, loaded.batch.id(row)))
        });
        seg::unstable::io::write_members(path, format, rows)
            .map_err(|e| Failure::new(format!("{}: {e}; the members were not written", path.display())))?;
    }
    if let Some((path, format)) = winners {
        write_winners(&program, &evaluation, &loaded, path, format)?;
    }
    let cost = prepared.cost(&loaded.batch, now).map_err(refused)?;
    let n_people = n_existing(&loaded.batch, now);
    let guards = guard::guards(module(&program), masks, n_people, before.as_ref(), now);
    if let Some(path) = &args.record {
        record(&program, masks, now, path)?;
    }
    match args.format {
        Format::Json => print_json(&json(&program, &evaluation, &loaded, &guards, (now, cost, n_people)))?,
        Format::Text => {
            let mut text = header(manifest, &loaded.report, n_people, now, said_by);
            text.push_str(&table(&program, masks, n_people));
            print_text(&text)?;
            eprint!("{}", problems(&loaded.report));
            if let Some((path, _)) = members {
                eprintln!("members written to {}", path.display());
            }
            guards.broken.iter().for_each(|g| eprintln!("size: {g}"));
            guards.notes.iter().for_each(|g| eprintln!("size: {g}"));
        }
    }
    Ok(if args.deny && !guards.broken.is_empty() { Exit::Errors } else { Exit::Success })
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

/// Who goes to which of the segments that compete.
/// What is written must be no file that the project is read from, and not one file twice.
fn refuse_outputs(project: &Project, outputs: &[&Path]) -> Result<(), Failure> {
    // The same file has one name here, also before it is there.
    let known = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let whole = || Some(folder.canonicalize().ok()?.join(path.file_name()?));
        path.canonicalize().ok().or_else(whole).unwrap_or_else(|| path.to_owned())
    };
    for (at, path) in outputs.iter().enumerate() {
        if outputs.iter().take(at).any(|other| known(other) == known(path)) {
            return Err(Failure::usage(format!("{}: two outputs cannot be one file; nothing was run", path.display())));
        }
    }
    if outputs.is_empty() {
        return Ok(());
    }
    // What cannot be found is told of when it is read.
    let inputs: Vec<PathBuf> = project.inputs().unwrap_or_default().iter().map(|input| known(input)).collect();
    match outputs.iter().find(|path| inputs.contains(&known(path))) {
        Some(path) => {
            let message = format!("{}: the project is read from this file; nothing was run", path.display());
            Err(Failure::usage(message))
        }
        None => Ok(()),
    }
}

fn no_precedence() -> Failure {
    let message =
        "the project has no order of precedence; write `when people are in several, prefer \"…\", then \"…\"`";
    Failure::usage(message)
}

fn write_winners(
    program: &Program,
    evaluation: &Evaluation,
    loaded: &Loaded,
    path: &Path,
    format: MembersFormat,
) -> Result<(), Failure> {
    let Some(winners) = evaluation.winners() else { return Err(no_precedence()) };
    let names: Vec<&str> = program.segment_names().collect();
    let rows = winners.iter().enumerate().filter_map(|(row, winner)| {
        let name = names.get((*winner)?)?;
        Some((loaded.batch.id(row), *name))
    });
    seg::unstable::io::write_winners(path, format, rows)
        .map_err(|e| Failure::new(format!("{}: {e}; the winners were not written", path.display())))
}

/// How large the segments are, for the next run.
fn record(program: &Program, masks: &[Mask], now: Timestamp, path: &Path) -> Result<(), Failure> {
    let sizes = program.segment_names().zip(masks).map(|(name, mask)| (name.to_owned(), mask.count() as u64)).collect();
    let text = serde_json::to_string_pretty(&Sizes { at: now.to_string(), sizes }).map_err(Failure::new)?;
    seg::unstable::io::write_whole(path, &format!("{text}\n"))
        .map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}

fn members_format(path: &Path) -> Result<MembersFormat, Failure> {
    MembersFormat::of(path).ok_or_else(|| {
        Failure::usage(format!("{}: members are written to .csv, .ndjson or .parquet files", path.display()))
    })
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
    let bar = output.progress();
    let loaded = seg::unstable::io::load(LoadRequest {
        zone: manifest.zone,
        wanted: Some(wanted),
        asked: Some(asked),
        now,
        threads: output::threads(),
        progress: Some(&mut |progress| bar.update(progress)),
        ..LoadRequest::new(parts(project).dir, &manifest.data, project.schema())
    });
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
    let mut table = Table::new();
    table.load_style(presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(["segment", "members", "share"]);
    for (name, mask) in program.segment_names().zip(masks) {
        let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        table.add_row([Cell::new(name), right(grouped(mask.count() as u64)), right(share(mask, n_people))]);
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

/// Of so many columns or names a kind of problem is told, and of the rest the number.
const KINDS_MAX: usize = 10;

/// What was wrong with the data, with the first places.
pub fn problems(report: &Report) -> String {
    let mut out = String::new();
    let mut numbers: BTreeMap<&'static str, usize> = BTreeMap::new();
    for problem in &report.problems {
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
    program: &Program,
    evaluation: &Evaluation,
    loaded: &Loaded,
    guards: &Guards,
    (now, cost, n_people): (Timestamp, Cost, usize),
) -> serde_json::Value {
    let segments: Vec<_> = program
        .segment_names()
        .zip(evaluation.masks())
        .map(|(name, mask)| {
            let share = (n_people > 0).then(|| mask.count() as f64 / n_people as f64);
            serde_json::json!({ "segment": name, "members": mask.count(), "share": share })
        })
        .collect();
    serde_json::json!({
        "at": now.to_string(),
        "people": n_people,
        "estimated_cost_ns": cost.0.as_nanos() as u64,
        "engine": { "name": evaluation.engine().name(), "reason": evaluation.reason().to_string() },
        "segments": segments,
        "sizes": { "broken": guards.broken, "not_judged": guards.notes },
        "data": data_json(&loaded.report),
        "diagnostics": program.warnings().to_json(),
    })
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
        "profiles": report.profiles,
        "events": report.events,
        "problems": problems,
    })
}
