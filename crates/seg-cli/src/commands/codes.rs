//! `seg codes`

use crate::args::{Codes, CodesCommand};
use crate::exit::{Exit, Failure};
use crate::output::print_text;
use seg::unstable::diag::{ALL_CODES, Code};
use std::fmt::Write;

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

pub fn run(args: &Codes) -> Result<Exit, Failure> {
    match &args.command {
        CodesCommand::Explain { code } => explain(code),
        CodesCommand::List => list(),
    }
}

fn explain(text: &str) -> Result<Exit, Failure> {
    let Some(code) = Code::find(text) else {
        return Err(Failure::usage(format!("there is no code `{text}`; `seg codes list` shows all")));
    };
    let page = PAGES.iter().find(|(number, _)| *number == code.number());
    let Some((_, page)) = page else {
        return Err(Failure::new(format!("{code}: {}", code.title())));
    };
    // The marks of the documentation's generator say nothing to a reader.
    let lines = page.lines().filter(|line| !line.starts_with("<!--"));
    print_text(&format!("{}\n", lines.collect::<Vec<_>>().join("\n")))?;
    Ok(Exit::Success)
}

fn list() -> Result<Exit, Failure> {
    let mut out = String::new();
    for code in ALL_CODES {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{}  {}", code.number(), code.title());
    }
    print_text(&out)?;
    Ok(Exit::Success)
}
