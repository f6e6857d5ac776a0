//! `seg emit`

use super::{load, run};
use crate::args::{Emit, Format, Stage};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_text};
use seg::{Diagnostics, Instant, Project};
use std::fmt::Write;
use std::sync::Arc;

pub fn run(args: &Emit, output: &Output) -> Result<Exit, Failure> {
    if args.data && args.stage != Stage::Plan {
        return Err(Failure::usage("`--data` goes with `--stage plan`"));
    }
    let project = load(&args.dir)?;
    let parses = seg::parse(&project);
    let checked = seg::check(&project, &parses);
    let mut text = String::new();
    // Writing to a string does not fail.
    match args.stage {
        Stage::Tokens => {
            for (id, parse) in project.segment_files().iter().zip(&parses) {
                let Some(file) = project.sources.get(*id) else { continue };
                let _ = write!(text, "── {} ──\n{}", file.name, parse.tokens.print(&file.text));
            }
        }
        Stage::Ast => {
            for (id, parse) in project.segment_files().iter().zip(&parses) {
                let Some(file) = project.sources.get(*id) else { continue };
                let _ = write!(text, "── {} ──\n{}", file.name, parse.file);
            }
        }
        Stage::Hir => text = seg::hir::print(&checked.module, &project.schema),
        Stage::Plan if args.data => text = over_data(&project, output)?,
        Stage::Plan => text = seg::plan::print(&seg::plan::lower(&checked.module), &project.schema),
        Stage::Passes => {
            seg::plan::optimize(&seg::plan::lower(&checked.module), |trace| {
                if trace.has_changed {
                    let plan = seg::plan::print(&trace.plan, &project.schema);
                    let _ = write!(text, "── after {} ──\n{plan}", trace.name);
                }
            });
        }
        Stage::Clif => {
            let plan = seg::plan::optimize(&seg::plan::lower(&checked.module), |_| {});
            let batch = seg::Batch::empty(Arc::clone(&project.schema)).map_err(Failure::new)?;
            // No code depends on the instant, which is a parameter like others.
            text = seg::exec::clif(&plan, &batch, Instant(0)).map_err(Failure::new)?;
        }
    }
    print_text(&text)?;
    // What can be shown of a broken project is shown, with what is wrong.
    match seg::compile(&project) {
        Ok(_) => Ok(Exit::Success),
        Err(diagnostics) => {
            let errors: Vec<_> = diagnostics.iter().filter(|d| d.is_error()).cloned().collect();
            output.diagnostics(&Diagnostics::new(errors, project.sources.clone()), Format::Text)?;
            Ok(Exit::Errors)
        }
    }
}

/// The plan as it runs over the project's data, and how it reads that.
fn over_data(project: &Project, output: &Output) -> Result<String, Failure> {
    let (Ok(program), Some(manifest)) = (seg::compile(project), &project.manifest) else {
        // The errors are shown after what can be shown.
        return Ok(String::new());
    };
    let (now, _) = run::now(None, manifest)?;
    let loaded = run::read(project, manifest, &program.wanted(now), output)?;
    let bound = program.bind(&loaded.batch).map_err(Failure::new)?;
    let mut text = seg::plan::print_graph(&bound.fitted_plan(now), program.schema());
    // What the program reads and when its answers change hold for other data too.
    text.push_str(&seg::plan::needs(program.plan()).describe(program.schema()));
    text.push_str(&bound.describe_access(now));
    // Writing to a string does not fail.
    let _ = writeln!(text, "expected to take {} of one processor", bound.cost(now));
    Ok(text)
}
