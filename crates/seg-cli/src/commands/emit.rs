//! `seg emit`

pub mod sql;

use super::{load, run};
use crate::args::{Emit, Format, Stage};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_text};
use seg::unstable::{Parts, check, diagnostics as diagnostics_of, fitted_plan, parse, parts, physical, plan_of};
use seg::{Project, Timestamp};
use std::fmt::Write;
use std::sync::Arc;

pub fn run(args: &Emit, output: &Output) -> Result<Exit, Failure> {
    let Some(stage) = args.stage else { return sql::run(args, output) };
    if args.data && !matches!(stage, Stage::Plan | Stage::Physical) {
        return Err(Failure::usage("`--data` goes with `--stage plan` and `--stage physical`"));
    }
    let project = load(&args.dir)?;
    let parses = parse(&project);
    let checked = check(&project, &parses);
    let Parts { schema, sources, segment_files, .. } = parts(&project);
    let mut text = String::new();
    // Writing to a string does not fail.
    match stage {
        Stage::Tokens => {
            for (id, parse) in segment_files.iter().zip(&parses) {
                let Some(file) = sources.get(*id) else { continue };
                let _ = write!(text, "── {} ──\n{}", file.name, parse.tokens.print(&file.text));
            }
        }
        Stage::Ast => {
            for (id, parse) in segment_files.iter().zip(&parses) {
                let Some(file) = sources.get(*id) else { continue };
                let _ = write!(text, "── {} ──\n{}", file.name, parse.file);
            }
        }
        Stage::Hir => text = seg::unstable::hir::print(&checked.module, schema),
        Stage::Plan | Stage::Physical if args.data => text = over_data(&project, stage, output)?,
        Stage::Plan => text = seg::unstable::plan::print(&seg::unstable::plan::lower(&checked.module), schema),
        Stage::Passes => {
            seg::unstable::plan::optimize(&seg::unstable::plan::lower(&checked.module), |trace| {
                if trace.has_changed {
                    let plan = seg::unstable::plan::print(&trace.plan, schema);
                    let _ = write!(text, "── after {} ──\n{plan}", trace.name);
                }
            });
        }
        Stage::Physical => {
            let plan = seg::unstable::plan::optimize(&seg::unstable::plan::lower(&checked.module), |_| {});
            let batch = seg::Batch::empty(Arc::clone(schema)).map_err(Failure::new)?;
            let options = seg::unstable::exec::ExecOptions::default();
            let physical = seg::unstable::exec::physical(&plan, &batch, Timestamp(0), &options);
            text = format!("{}{physical}", seg::unstable::plan::print_graph(&plan, schema));
        }
        Stage::Clif => {
            let plan = seg::unstable::plan::optimize(&seg::unstable::plan::lower(&checked.module), |_| {});
            let batch = seg::Batch::empty(Arc::clone(schema)).map_err(Failure::new)?;
            // No code depends on the instant, which is a parameter like others.
            text = seg::unstable::exec::clif(&plan, &batch, Timestamp(0)).map_err(Failure::new)?;
        }
    }
    print_text(&text)?;
    // What can be shown of a broken project is shown, with what is wrong.
    match seg::compile(&project) {
        Ok(_) => Ok(Exit::Success),
        Err(diagnostics) => {
            let errors: Vec<_> = diagnostics.iter().filter(|d| d.is_error()).cloned().collect();
            output.diagnostics(&diagnostics_of(errors, &project), Format::Text)?;
            Ok(Exit::Errors)
        }
    }
}

/// The plan as it runs over the project's data, or how each condition of it is
/// decided there.
fn over_data(project: &Project, stage: Stage, output: &Output) -> Result<String, Failure> {
    let (Ok(program), Some(manifest)) = (seg::compile(project), parts(project).manifest) else {
        // The errors are shown after what can be shown.
        return Ok(String::new());
    };
    let (now, _) = run::now(None, manifest)?;
    let batch = run::read(project, manifest, (&program.wanted(now), &program.wanted(now)), output)?.batch;
    let prepared = program.prepare();
    // Checks what the segments read.
    let cost = prepared.cost(&batch, now).map_err(Failure::new)?;
    let mut text = seg::unstable::plan::print_graph(&fitted_plan(&prepared, &batch, now), program.schema());
    if stage == Stage::Physical {
        return Ok(text + &physical(&prepared, &batch, now));
    }
    // What the program reads and when its answers change hold for other data too.
    text.push_str(&seg::unstable::plan::needs(plan_of(&program)).describe(program.schema()));
    text.push_str(&physical(&prepared, &batch, now));
    // Writing to a string does not fail.
    let _ = writeln!(text, "expected to take {cost} of one processor");
    Ok(text)
}
