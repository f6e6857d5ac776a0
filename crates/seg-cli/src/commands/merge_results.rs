//! `seg merge-results`

use super::run::{Found, finish, n_existing, wanted};
use super::{compiled, guard, load, results};
use crate::args::{Format, MergeResults};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use seg::unstable::doctor::Newest;
use seg::unstable::frozen::fingerprints;
use seg::unstable::io::results::{ENTERED_COLUMN, LEAVES_COLUMN};
use seg::unstable::io::results::{MergedPartitions, PartitionResult, PartitionRun, check_partitions, merge_partitions};
use seg::unstable::io::{Loaded, LoadedParts, Manifest};
use seg::unstable::{ComparedLists, evaluation_of_partitions, parts};
use seg::{Cost, Engine, Program, Timestamp, Zone};
use std::time::Duration;

pub fn run(args: &MergeResults, output: &Output) -> Result<Exit, Failure> {
    let parts_of_all = args.results.iter().map(|path| PartitionResult::read(path));
    let parts_of_all = parts_of_all.collect::<Result<Vec<_>, _>>().map_err(unwritten)?;
    check_partitions(&parts_of_all).map_err(unwritten)?;
    let Some(first) = parts_of_all.first().map(|part| &part.run) else {
        return Err(Failure::usage("there is no result to merge"));
    };
    let project = load(&args.dir)?;
    let Some(program) = compiled(&project, args.format, "merged", output)? else { return Ok(Exit::Errors) };
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    refuse_other_project(first, (&program, manifest))?;
    let now = Timestamp::read(&first.at, None).map_err(|error| unwritten(format!("`{}` {error}", first.at)))?;
    let asked = args.written.of_run(&first.columns);
    let results = results::Asked::new(&asked)?.over(&project, &program)?;
    let own = [ENTERED_COLUMN, LEAVES_COLUMN].into_iter().filter(|own| first.columns.iter().any(|name| name == own));
    let is_own = |name: &&str| program.schema().lookup(name).is_empty();
    let stays: Vec<&str> = own.filter(is_own).collect();
    let merged = merge_partitions(&parts_of_all, project.schema(), &stays).map_err(unwritten)?;
    let MergedPartitions { batch, masks, stays, report, last_event } = merged;
    let mut loaded = LoadedParts::from(Loaded { batch, report, last_event });
    let mut lists = ComparedLists::new(&project, &program);
    let mut newest = Newest::new(program.schema(), now);
    let expected = manifest.forecast.guard;
    let mut expected = expected.map(|share| guard::Expected::new(share, now, manifest.zone.unwrap_or(Zone::UTC)));
    for run in parts_of_all.iter().map(|part| &part.run) {
        lists.add(&run.lists);
        newest.add(&run.newest);
        expected.iter_mut().zip(&run.days).for_each(|(expected, days)| expected.add(days));
    }
    lists.tell(&mut loaded.report);
    let wanted = wanted(&program, &results, expected.as_ref(), now);
    // Pauses between events are known where all of them are in one place.
    let freshness = newest.freshness(&wanted, last_event, None, &manifest.doctor);
    let engine = engine(&first.engine);
    let evaluation = evaluation_of_partitions(&program, masks, engine)
        .ok_or_else(|| unwritten("the results have other segments than the project"))?;
    let run = results::Run {
        program: &program,
        settings: manifest,
        loaded: &loaded,
        masks: evaluation.masks(),
        now,
        said_by: &first.at_from,
        n_people: n_existing(&loaded.people, now),
        stays: &stays,
        inputs: None,
        partition: None,
    };
    if args.format == Format::Text {
        output.diagnostics(program.warnings(), Format::Text)?;
    }
    let cost = parts_of_all.iter().map(|part| Duration::from_nanos(part.run.cost_ns)).sum();
    let found = Found { evaluation: &evaluation, cost: Cost(cost), expected, freshness };
    finish((args.format, args.deny), &results, run, found)
}

/// Why nothing is merged.
fn unwritten(why: impl std::fmt::Display) -> Failure {
    Failure::new(format!("{why}; nothing was merged"))
}

/// Refuses results of which the segments are not those of the project as it is now.
fn refuse_other_project(run: &PartitionRun, (program, manifest): (&Program, &Manifest)) -> Result<(), Failure> {
    if run.project != manifest.name {
        let why = format!("the results are of the project `{}`, and this is `{}`", run.project, manifest.name);
        return Err(unwritten(why));
    }
    if run.time_zone.as_deref() != manifest.zone.map(|zone| zone.name()) {
        return Err(unwritten("the results were made with another time zone than the project has now"));
    }
    let names: Vec<&str> = program.segment_names().collect();
    let known = |name: &str| run.segments.iter().find(|(known, _)| known == name);
    for (name, meaning) in names.iter().zip(fingerprints(program)) {
        match known(name) {
            None => return Err(unwritten(format!("no partition was run with the segment \"{name}\""))),
            Some((_, before)) if *before != meaning => {
                return Err(unwritten(format!(
                    "\"{name}\" means something else now than when the partitions were run"
                )));
            }
            Some(_) => {}
        }
    }
    if let Some((name, _)) = run.segments.iter().find(|(name, _)| !names.contains(&name.as_str())) {
        return Err(unwritten(format!("the partitions were run with \"{name}\", which the project does not have now")));
    }
    if run.segments.iter().zip(&names).any(|((known, _), name)| known != name) {
        return Err(unwritten("the segments of the project were in another order when the partitions were run"));
    }
    Ok(())
}

fn engine(name: &str) -> Engine {
    let known = [Engine::Evaluator, Engine::Plan, Engine::Jit];
    known.into_iter().find(|engine| engine.name() == name).unwrap_or(Engine::Plan)
}
