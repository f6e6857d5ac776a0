//! `seg codes`

use crate::args::{Codes, CodesCommand};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_text};
use crate::page::for_terminal;
use seg::unstable::diag::{ALL_CODES, Code};
use std::fmt::Write;

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

pub fn run(args: &Codes, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        CodesCommand::Explain { code } => explain(code, output),
        CodesCommand::List => list(),
    }
}

fn explain(text: &str, output: &Output) -> Result<Exit, Failure> {
    let Some(code) = Code::find(text) else {
        return Err(Failure::usage(format!("there is no code `{text}`; `seg codes list` shows all")));
    };
    let page = PAGES.iter().find(|(number, _)| *number == code.number());
    let Some((_, page)) = page else {
        return Err(Failure::new(format!("{code}: {}", code.title())));
    };
    print_text(&for_terminal(page, output.colors_stdout()))?;
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
