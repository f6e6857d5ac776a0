//! `seg diff`

mod revision;
mod shown;

use super::{compiled, input, load, run};
use crate::args::{Diff, FailOn, TableFormat};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_json, print_text};
use revision::Version;
use seg::unstable::diff::{self, Moved};
use seg::unstable::io::{LoadRequest, Loaded, Manifest};
use seg::unstable::parts;
use seg::{Evaluation, Explained, Explanation, Program, Project, Timestamp, Wanted};
use shown::{Moving, Shown};
use std::path::{Path, PathBuf};

pub fn run(args: &Diff, output: &Output) -> Result<Exit, Failure> {
    let here = place(args);
    let (old, new) = (Version::find(&args.old, &here)?, Version::find(&args.new, &here)?);
    let (project_old, project_new) = (old.load()?, new.load()?);
    let format = args.format.of_problems();
    let undone = |version: &Version| format!("compared: these are of {}", version.name);
    let Some(program_old) = compiled(&project_old, format, &undone(&old), output)? else { return Ok(Exit::Errors) };
    let Some(program_new) = compiled(&project_new, format, &undone(&new), output)? else { return Ok(Exit::Errors) };
    let mut of_data = load(args.data.as_deref().unwrap_or(&here))?;
    let _input = input::take(&mut of_data)?;
    let Some(manifest) = parts(&of_data).manifest else {
        return Err(Failure::new("the settings of the project whose data is read could not be read"));
    };
    let (now, said_by) = run::now(args.at.as_deref(), manifest)?;
    let data = Data { project: &of_data, manifest, now };
    let people = People::read(data, (&program_old, &program_new), args, output)?;
    let (loaded_old, loaded_new) = (&people.old, people.new.as_ref().unwrap_or(&people.old));
    let in_old = evaluate(&program_old, loaded_old, now)?;
    let in_new = evaluate(&program_new, loaded_new, now)?;
    let (batch_old, batch_new) = (&loaded_old.batch, &loaded_new.batch);
    let diffs = diff::diff(
        diff::Version { project: &project_old, program: &program_old, batch: batch_old, masks: in_old.masks() },
        diff::Version { project: &project_new, program: &program_new, batch: batch_new, masks: in_new.masks() },
    );
    let explaining = Explaining { project: &project_new, program: &program_new, loaded: loaded_new, now };
    let moving = diffs.iter().map(|diff| Moving {
        enters: explaining.first_of(&diff.enter, &diff.name),
        leaves: explaining.first_of(&diff.leave, &diff.name),
    });
    let moving: Vec<Moving> = moving.collect();
    let n_people = run::n_existing(&loaded_new.batch, now);
    let shown =
        Shown { diffs: &diffs, moving: &moving, names: [&old.name, &new.name], manifest, now, said_by, n_people };
    match args.format {
        TableFormat::Json => print_json(&shown.json())?,
        TableFormat::Csv => print_text(&shown.csv()?)?,
        TableFormat::Text => print_text(&shown.text())?,
    }
    if args.format != TableFormat::Json {
        tell!("{}", run::problems(&loaded_new.report));
    }
    let has_changed = diffs.iter().any(|diff| diff.change.is_of_meaning());
    match args.fail_on {
        Some(FailOn::Meaning) if has_changed => Ok(Exit::Errors),
        Some(FailOn::Meaning) | None => Ok(Exit::Success),
    }
}

/// The folder whose repository has the revisions and whose data is read: the later of the
/// two that is a folder, or else the current one.
fn place(args: &Diff) -> PathBuf {
    let folders = [&args.new, &args.old].into_iter().map(Path::new);
    folders.into_iter().find(|path| path.is_dir()).unwrap_or(Path::new(".")).to_owned()
}

/// Whose data is read, and as of when.
#[derive(Clone, Copy)]
struct Data<'a> {
    project: &'a Project,
    manifest: &'a Manifest,
    now: Timestamp,
}

/// The people, as each of the versions reads them.
struct People {
    old: Loaded,
    /// None where both read them alike.
    new: Option<Loaded>,
}

impl People {
    fn read(data: Data<'_>, (old, new): (&Program, &Program), args: &Diff, output: &Output) -> Result<People, Failure> {
        let wanted = |program: &Program| program.wanted(data.now).of_all_times();
        let read = |program: &Program, wanted: &Wanted| {
            let loaded = run::loaded(data.project, data.manifest, output, |request| LoadRequest {
                schema: program.schema(),
                wanted: Some(wanted),
                asked: Some(wanted),
                ..request
            })?;
            run::refuse_lost(&loaded.report, args.max_bad)?;
            Ok(loaded)
        };
        if old.schema() == new.schema() {
            return Ok(People { old: read(old, &wanted(old).and(wanted(new)))?, new: None });
        }
        Ok(People { old: read(old, &wanted(old))?, new: Some(read(new, &wanted(new))?) })
    }
}

fn evaluate(program: &Program, loaded: &Loaded, now: Timestamp) -> Result<Evaluation, Failure> {
    program.prepare().evaluate_with(&loaded.batch, now, &run::options()).map_err(run::refused)
}

/// What explains people in the new version.
struct Explaining<'a> {
    project: &'a Project,
    program: &'a Program,
    loaded: &'a Loaded,
    now: Timestamp,
}

impl Explaining<'_> {
    /// The first of some people, and why the new version has them in or not.
    fn first_of(&self, moved: &Moved, segment: &str) -> Option<(String, Option<Explanation>)> {
        let person = moved.first.as_ref()?;
        let Explaining { project, program, loaded, now } = self;
        let of = Explained { project, program, batch: &loaded.batch, segment: Some(segment), person, now: *now };
        // Somebody whom only the old version reads cannot be explained by the new one.
        Some((person.clone(), seg::explain(of).ok().and_then(|explained| explained.segments.into_iter().next())))
    }
}
