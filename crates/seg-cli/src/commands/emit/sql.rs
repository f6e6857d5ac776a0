//! `seg emit --sql`, and `seg check --sql`

use super::super::{load, run};
use crate::args::sql::Dialect;
use crate::args::{Emit, Format};
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, print_json, print_text};
use seg::unstable::parts;
use seg::unstable::sql::{Difference, Emitted, Shape, emit};
use seg::{Program, Project};

pub fn run(args: &Emit, output: &Output) -> Result<Exit, Failure> {
    let Some(dialect) = args.sql.sql else { return Err(Failure::usage("`--stage` or `--sql` says what to write")) };
    let project = load(&args.dir)?;
    let program = match seg::compile(&project) {
        Ok(program) => program,
        Err(diagnostics) => {
            output.diagnostics(&diagnostics, Format::Text)?;
            return Ok(Exit::Errors);
        }
    };
    match emitted(&project, &program, dialect, args.sql.at.as_deref(), &args.sql.shape())? {
        Ok(Emitted { text, .. }) => {
            print_text(&text)?;
            Ok(Exit::Success)
        }
        Err(refused) => {
            output.diagnostics(&refused, Format::Text)?;
            Ok(Exit::Errors)
        }
    }
}

/// What a database cannot say exactly, and what it says with a difference.
pub fn check(
    project: &Project,
    program: &Program,
    dialect: Dialect,
    (at, format): (Option<&str>, Format),
    output: &Output,
) -> Result<Exit, Failure> {
    let Emitted { differences, .. } = match emitted(project, program, dialect, at, &Shape::Members)? {
        Ok(emitted) => emitted,
        Err(refused) => {
            output.diagnostics(&refused, format)?;
            return Ok(Exit::Errors);
        }
    };
    let spoken = seg::unstable::sql::Dialect::from(dialect);
    let title = spoken.title();
    match format {
        Format::Text => {
            let told = differences.iter().map(|Difference { construct, how }| format!("  {construct}: {how}\n"));
            let n_segments = counted(program.segment_names().count(), "segment");
            let rest = match differences.is_empty() {
                true => "all said exactly".to_owned(),
                false => format!("said, with {}:", counted(differences.len(), "known difference")),
            };
            let untested = if spoken.is_tested() { "" } else { "not tested: nobody has compared what it gives yet\n" };
            print_text(&format!("{n_segments} in {title}: {rest}\n{}{untested}", told.collect::<String>()))?;
        }
        Format::Json => {
            let told: Vec<_> = differences
                .iter()
                .map(|Difference { construct, how }| serde_json::json!({ "construct": construct, "how": how }))
                .collect();
            print_json(&serde_json::json!({
                "sql": { "dialect": title, "is_tested": spoken.is_tested(), "differences": told },
            }))?;
        }
    }
    Ok(Exit::Success)
}

fn emitted(
    project: &Project,
    program: &Program,
    dialect: Dialect,
    at: Option<&str>,
    shape: &Shape,
) -> Result<Result<Emitted, seg::Diagnostics>, Failure> {
    let Some(manifest) = parts(project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let (now, _) = run::now(at, manifest)?;
    Ok(emit(project, program, dialect.into(), now, shape))
}
