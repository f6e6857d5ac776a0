//! `seg schema import`

use super::write_new;
use crate::args::{Format, SchemaImport};
use crate::commands::check::summary;
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, grouped, print_json, print_text};
use seg::unstable::io::json_schema::{GuessWords, Imported, PlanProblem, PlanRemark, RemarkKind, import, plan_files};
use seg::{Diagnostics, Project, Settings};
use serde_json::{Value, json};

pub fn run(args: &SchemaImport, output: &Output) -> Result<Exit, Failure> {
    if let Some(path) = args.write.as_ref().filter(|path| path.exists()) {
        return Err(Failure::new(format!("{} exists already; nothing was written", path.display())));
    }
    let mut files = Vec::new();
    for path in &args.plan {
        files.extend(plan_files(path).map_err(Failure::new)?);
    }
    // A guess may be a word that no sentence can begin with; then none is better.
    let guessed = import(&files, GuessWords::Yes);
    let is_wrong = guessed.as_ref().is_ok_and(|imported| errors(imported).is_some());
    let imported = match if is_wrong { import(&files, GuessWords::No) } else { guessed } {
        Ok(imported) => imported,
        Err(problems) => {
            match args.format {
                Format::Json => print_json(&json!({ "problems": problems.iter().map(problem).collect::<Value>() }))?,
                Format::Text => tell_of_problems(&problems, output),
            }
            return Ok(Exit::Errors);
        }
    };
    // Words that the plan says may be such, too.
    if let Some(errors) = errors(&imported) {
        output.diagnostics(&errors, args.format)?;
        if args.format == Format::Text {
            tell_line!("{}; nothing was written", summary(&errors));
        }
        return Ok(Exit::Errors);
    }
    if let Some(path) = &args.write {
        write_new(path, &imported.schema)?;
    }
    match args.format {
        Format::Json => {
            let remarks: Value = imported.remarks.iter().map(remark).collect();
            print_json(&json!({
                "schema": imported.schema,
                "attributes": imported.n_attributes,
                "events": imported.n_events,
                "remarks": remarks,
            }))?;
        }
        Format::Text => {
            match &args.write {
                None => print_text(&imported.schema)?,
                Some(path) => print_text(&format!("wrote {}: {}\n", path.display(), what(&imported)))?,
            }
            tell_of_remarks(&imported, output);
        }
    }
    Ok(Exit::Success)
}

/// What a project with this schema would be told, if it is anything to be mended.
fn errors(imported: &Imported) -> Option<Diagnostics> {
    let project = Project::from_text(&imported.schema, [], Settings::default());
    seg::compile(&project).err()
}

/// `2 attributes and 7 events`
fn what(imported: &Imported) -> String {
    let (attributes, events) = (imported.n_attributes, imported.n_events);
    format!("{} and {}", counted(attributes, "attribute"), counted(events, "event"))
}

fn tell_of_problems(problems: &[PlanProblem], output: &Output) {
    problems.iter().take(output.shown_max()).for_each(|problem| tell_line!("error: {problem}"));
    let n_more = problems.len().saturating_sub(output.shown_max());
    if n_more > 0 {
        tell_line!("{} more; `--all` shows them", grouped(n_more as u64));
    }
    tell_line!("{}; nothing was written", counted(problems.len(), "error"));
}

/// Everything that a schema cannot say, kind by kind in the order of the plan.
fn tell_of_remarks(imported: &Imported, output: &Output) {
    for kind in [RemarkKind::LeftOut, RemarkKind::ReadAs, RemarkKind::Advice] {
        let word = match kind {
            RemarkKind::LeftOut => "left out",
            RemarkKind::ReadAs => "read as",
            RemarkKind::Advice => "advice",
        };
        let of_kind: Vec<&PlanRemark> = imported.remarks.iter().filter(|remark| remark.kind == kind).collect();
        of_kind.iter().take(output.shown_max()).for_each(|remark| tell_line!("{word}: {remark}"));
        let n_more = of_kind.len().saturating_sub(output.shown_max());
        if n_more > 0 {
            tell_line!("{word}: {} more; `--all` shows them", grouped(n_more as u64));
        }
    }
}

fn problem(problem: &PlanProblem) -> Value {
    let PlanProblem { file, line, pointer, message } = problem;
    json!({ "file": file, "line": line, "pointer": pointer, "message": message })
}

fn remark(remark: &PlanRemark) -> Value {
    let PlanRemark { kind, file, line, pointer, message } = remark;
    json!({ "kind": kind.slug(), "file": file, "line": line, "pointer": pointer, "message": message })
}
