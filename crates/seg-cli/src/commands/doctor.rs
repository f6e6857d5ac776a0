//! `seg doctor`

mod record;
mod shown;

use super::conversion::usual_rates;
use super::{compiled, input, load, run};
use crate::args::{Doctor, Format, Share};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_json, print_text};
use record::Days;
use seg::unstable::doctor::{self, Examined, FindingKind, Health};
use seg::unstable::io::{LoadRequest, Loaded, Manifest};
use seg::unstable::{parts, tell_of_lists};
use seg::{Batch, Program, Project, Timestamp, Wanted};
use shown::Shown;
use std::collections::BTreeSet;
use std::sync::Arc;

pub fn run(args: &Doctor, output: &Output) -> Result<Exit, Failure> {
    let mut project = load(&args.dir)?;
    let Some(program) = compiled(&project, args.format, "examined", output)? else { return Ok(Exit::Errors) };
    let _input = input::take(&mut project)?;
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let (of_arguments, of_settings) =
        (denied(args.deny.as_deref().into_iter().flat_map(|kinds| kinds.split(',')), "--deny")?, settings(manifest)?);
    let earlier = args.record.as_deref().map(Days::read).transpose()?.flatten();
    let (now, said_by) = run::now(args.at.as_deref(), manifest)?;
    let (loaded, mut health) = examined((&project, &program, manifest), now, args.max_bad, output)?;
    if let Some(path) = &args.record {
        let days = Days::of(&loaded.batch, manifest.zone, now);
        health.findings.extend(earlier.iter().flat_map(|earlier| earlier.grown(&days)));
        health.findings.sort_by_key(|finding| finding.kind);
        days.write(path)?;
    }
    let denies: BTreeSet<FindingKind> = of_arguments.union(&of_settings).copied().collect();
    let shown = Shown {
        health: &health,
        manifest,
        now,
        said_by,
        n_people: run::n_existing(&loaded.batch, now),
        denies: &denies,
        max: output.shown_max(),
        not_late: not_late(manifest),
    };
    match args.format {
        Format::Json => print_json(&shown.json())?,
        Format::Text => print_text(&shown.text())?,
    }
    Ok(if is_denied(&health, &denies) { Exit::Errors } else { Exit::Success })
}

/// Everything that is known of everybody, read and examined.
///
/// # Errors
/// Data that cannot be read or evaluated, or of which too much is lost.
pub fn examined(
    (project, program, manifest): (&Project, &Program, &Manifest),
    now: Timestamp,
    max_bad: Share,
    output: &Output,
) -> Result<(Loaded, Health), Failure> {
    let mut loaded = read(project, program, manifest, output)?;
    run::refuse_lost(&loaded.report, max_bad)?;
    tell_of_lists(project, program, &loaded.batch, &mut loaded.report);
    // Without what is looked at here alone, as the program knows it.
    let records = loaded.batch.records().clone();
    let batch = Batch::new(Arc::clone(program.schema()), records).map_err(Failure::new)?;
    let conversion = usual_rates((project, program, manifest), &batch, now)?;
    let health = doctor::examine(Examined {
        project,
        program,
        batch: &loaded.batch,
        report: &loaded.report,
        now,
        zone: manifest.zone,
        limits: &manifest.doctor,
        conversion: &conversion,
        options: &run::options(),
    });
    let health = health.map_err(run::refused)?;
    Ok((loaded, health))
}

/// Why it is not known how late events arrive, where it is not.
pub fn not_late(manifest: &Manifest) -> Option<&'static str> {
    match manifest.data.events.iter().any(|source| source.received.is_some()) {
        false => Some("no `received` in `[data.events]` says when they did"),
        true if manifest.data.store.is_some() => Some("a packed store does not keep when they did"),
        true => None,
    }
}

/// The kinds on which the settings say to fail.
fn settings(manifest: &Manifest) -> Result<BTreeSet<FindingKind>, Failure> {
    denied(manifest.doctor.deny.iter().map(String::as_str), "`deny` in seg.toml")
}

/// Kinds of findings by their names.
fn denied<'n>(names: impl Iterator<Item = &'n str>, whose: &str) -> Result<BTreeSet<FindingKind>, Failure> {
    let mut kinds = BTreeSet::new();
    for name in names.map(str::trim) {
        match FindingKind::named(name) {
            Some(kind) => drop(kinds.insert(kind)),
            None if name == "all" => kinds.extend(FindingKind::ALL),
            None => {
                let known: Vec<&str> = FindingKind::ALL.into_iter().map(FindingKind::slug).collect();
                let near = seg::unstable::suggestion(name, known.iter().copied());
                let help = near.map_or_else(
                    || format!("; the kinds are {}, and all", known.join(", ")),
                    |near| format!(" (did you mean `{near}`?)"),
                );
                return Err(Failure::usage(format!("{whose}: no finding is called `{}`{help}", name.escape_debug())));
            }
        }
    }
    Ok(kinds)
}

fn is_denied(health: &Health, denies: &BTreeSet<FindingKind>) -> bool {
    health.findings.iter().any(|finding| denies.contains(&finding.kind))
}

/// Everything that is known of everybody, with when it arrived where that is said.
fn read(project: &Project, program: &Program, manifest: &Manifest, output: &Output) -> Result<Loaded, Failure> {
    let with_received = doctor::with_received(program.schema(), &manifest.data);
    let (schema, data) = match with_received {
        Some((schema, data)) => (Arc::new(schema), data),
        None => (Arc::clone(program.schema()), manifest.data.clone()),
    };
    let wanted = Wanted::everything(&schema);
    let asked = program.wanted(Timestamp::MAX);
    let manifest = Manifest { data, ..manifest.clone() };
    run::loaded(project, &manifest, output, |request| LoadRequest {
        schema: &schema,
        wanted: Some(&wanted),
        asked: Some(&asked),
        ..request
    })
}
