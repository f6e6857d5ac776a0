//! `seg check`

use super::load;
use crate::args::{Check, Format};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_text};
use seg::Diagnostics;

pub fn run(args: &Check, output: &Output) -> Result<Exit, Failure> {
    let project = load(&args.dir)?;
    let n_files = project.segment_files().len();
    match seg::compile(&project) {
        Ok(program) => {
            output.diagnostics(program.warnings(), args.format)?;
            if args.format == Format::Text {
                let n_segments = program.segment_names().count();
                print_text(&format!(
                    "{} in {}: no errors{}\n",
                    counted(n_segments, "segment"),
                    counted(n_files, "file"),
                    warnings(program.warnings())
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
