//! `seg check`

mod live;

use super::emit::sql;
use super::{input, load, read_lock, run, today};
use crate::args::{Check, Format};
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, print_json, print_text};
use seg::unstable::{frozen::check_frozen, inexact, parts, tell_of_lists};
use seg::{Diagnostics, Program, Project};

pub fn run(args: &Check, output: &Output) -> Result<Exit, Failure> {
    let mut project = load(&args.dir)?;
    let n_files = parts(&project).segment_files.len();
    match seg::compile(&project) {
        Ok(program) => {
            let (lock, today) = (read_lock(&args.dir)?, today(&project, args.at.as_deref())?);
            let frozen = check_frozen(&project, &program, &lock, today);
            let outlook = args.live.then(|| program.prepare().outlook());
            let in_time = outlook.as_ref().map(|outlook| inexact(&project, outlook)).unwrap_or_default();
            let found = program.warnings().joined(&frozen).joined(&in_time);
            // In JSON one object says all.
            let is_alone = outlook.is_none() && args.sql.is_none();
            if is_alone || args.format == Format::Text || found.n_errors() > 0 {
                output.diagnostics(&found, args.format)?;
            }
            if found.n_errors() > 0 {
                if args.format == Format::Text {
                    tell_line!("{}", summary(&found));
                }
                return Ok(Exit::Errors);
            }
            if let Some(outlook) = &outlook {
                live::tell(&program, outlook, &found, args.format)?;
            }
            if let Some(dialect) = args.sql {
                return sql::check(&project, &program, dialect, (args.at.as_deref(), args.format), output);
            }
            if args.data {
                let _input = input::take(&mut project)?;
                return check_data(args, &project, &program, output);
            }
            if args.format == Format::Text && !args.live {
                let n_segments = program.segment_names().count();
                print_text(&format!(
                    "{} in {}: no errors{}\n",
                    counted(n_segments, "segment"),
                    counted(n_files, "file"),
                    warnings(&found)
                ))?;
            }
            Ok(Exit::Success)
        }
        Err(diagnostics) => {
            output.diagnostics(&diagnostics, args.format)?;
            if args.format == Format::Text {
                tell_line!("{}", summary(&diagnostics));
            }
            Ok(Exit::Errors)
        }
    }
}

/// What segments ask about, against what the files contain.
fn check_data(args: &Check, project: &Project, program: &Program, output: &Output) -> Result<Exit, Failure> {
    let Some(manifest) = parts(project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let (now, _) = run::now(args.at.as_deref(), manifest)?;
    let asked = program.wanted(now);
    let mut loaded = run::read_as_of(project, manifest, (&asked, &asked), Some(now), output)?;
    tell_of_lists(project, program, &loaded.batch, &mut loaded.report);
    let is_wrong = loaded.report.problems.iter().any(|problem| !problem.kind.is_remark());
    match args.format {
        Format::Json => print_json(&serde_json::json!({ "data": run::data_json(&loaded.report) }))?,
        Format::Text => {
            let told = run::problems(&loaded.report);
            let rest = if is_wrong { "" } else { "the data has what segments ask about\n" };
            print_text(&format!("{told}{rest}"))?;
        }
    }
    Ok(if is_wrong { Exit::Errors } else { Exit::Success })
}

/// `3 errors, 1 warning`
pub fn summary(diagnostics: &Diagnostics) -> String {
    format!("{}{}", counted(diagnostics.n_errors(), "error"), warnings(diagnostics))
}

fn warnings(diagnostics: &Diagnostics) -> String {
    match diagnostics.len() - diagnostics.n_errors() {
        0 => String::new(),
        n => format!(", {}", counted(n, "warning")),
    }
}
