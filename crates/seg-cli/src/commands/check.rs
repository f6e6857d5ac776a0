//! `seg check`

use super::{load, read_lock, today};
use crate::args::{Check, Format};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_text};
use seg::Diagnostics;
use seg::unstable::{frozen::check_frozen, parts};

pub fn run(args: &Check, output: &Output) -> Result<Exit, Failure> {
    let project = load(&args.dir)?;
    let n_files = parts(&project).segment_files.len();
    match seg::compile(&project) {
        Ok(program) => {
            let (lock, today) = (read_lock(&args.dir)?, today(&project, args.at.as_deref())?);
            let frozen = check_frozen(&project, &program, &lock, today);
            let found = program.warnings().joined(&frozen);
            output.diagnostics(&found, args.format)?;
            if found.n_errors() > 0 {
                if args.format == Format::Text {
                    eprintln!("{}", summary(&found));
                }
                return Ok(Exit::Errors);
            }
            if args.format == Format::Text {
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
                eprintln!("{}", summary(&diagnostics));
            }
            Ok(Exit::Errors)
        }
    }
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

pub fn counted(n: usize, word: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {word}{s}")
}
