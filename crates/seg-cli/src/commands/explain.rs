//! `seg explain`

use super::test::{why_json, write_why};
use super::{compiled, input, load, run};
use crate::args::{Explain, Format};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_json, print_text};
use seg::Explained;
use seg::unstable::parts;
use std::fmt::Write;

pub fn run(args: &Explain, output: &Output) -> Result<Exit, Failure> {
    let mut project = load(&args.dir)?;
    let Some(program) = compiled(&project, args.format, "explained", output)? else { return Ok(Exit::Errors) };
    let _input = input::take(&mut project)?;
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let (now, said_by) = run::now(args.at.as_deref(), manifest)?;
    // What happened before a window explains as well.
    let mut wanted = program.wanted(now);
    wanted.events.values_mut().for_each(|event| event.since = None);
    let loaded = run::read(&project, manifest, (&wanted, &wanted), output)?;
    let (project, program, batch) = (&project, &program, &loaded.batch);
    let of = Explained { project, program, batch, segment: &args.segment, person: &args.person, now };
    let explained = seg::explain(of).map_err(Failure::usage)?;
    let is_in = explained.why.holds;
    if args.format == Format::Json {
        print_json(&serde_json::json!({
            "at": now.to_string(),
            "person": args.person,
            "segment": args.segment,
            "is_in": is_in,
            "changes_at": explained.changes_at.map(|at| at.to_string()),
            "why": why_json(&explained.why),
        }))?;
        return Ok(Exit::Success);
    }
    let is = if is_in { "is in" } else { "is not in" };
    let shown = now.in_zone(manifest.zone);
    let mut text = format!("{} {is} \"{}\" at {shown} (from {said_by})\n", args.person, args.segment);
    for detail in &explained.why.details {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {detail}");
    }
    explained.why.parts.iter().for_each(|part| write_why(&mut text, part, 1));
    // Writing to a string does not fail.
    let changes_at = explained.changes_at.map(|at| at.in_zone(manifest.zone));
    let _ = match (changes_at, is_in) {
        (Some(at), true) => writeln!(text, "unless something happens, they leave at {at}"),
        (Some(at), false) => writeln!(text, "unless something happens, they enter at {at}"),
        (None, _) => writeln!(text, "unless something happens, that stays so for the next 400 days"),
    };
    print_text(&text)?;
    eprint!("{}", run::problems(&loaded.report));
    Ok(Exit::Success)
}
