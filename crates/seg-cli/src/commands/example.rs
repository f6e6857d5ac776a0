//! `seg example`

use super::judged::segment_named;
use super::{compiled, load, run};
use crate::args::{Example, Format};
use crate::exit::{Exit, Failure};
use crate::output::{Output, print_json, print_text};
use seg::unstable::data::time::SECOND;
use seg::unstable::example::{Examples, Miss, examples};
use seg::unstable::parts;
use seg::{Role, Timestamp};
use serde_json::{Value, json};

const MINUTE: i64 = 60 * SECOND;

pub fn run(args: &Example, output: &Output) -> Result<Exit, Failure> {
    let project = load(&args.dir)?;
    let Some(program) = compiled(&project, args.format, "made up", output)? else { return Ok(Exit::Errors) };
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    segment_named(&program, &args.segment)?;
    let (now, said_by) = run::now(args.at.as_deref(), manifest)?;
    // A test of this microsecond would be hard to read.
    let now = if said_by == "the clock" { Timestamp(now.0.div_euclid(MINUTE) * MINUTE) } else { now };
    let found = match examples(&project, &args.segment, now) {
        Ok(Some(found)) => found,
        Ok(None) => return Err(Failure::usage(format!("there is no segment \"{}\"", args.segment))),
        Err(diagnostics) => {
            output.diagnostics(&diagnostics, args.format)?;
            return Ok(Exit::Errors);
        }
    };
    match args.format {
        Format::Json => print_json(&to_json(&args.segment, now, &found))?,
        Format::Text => {
            let blocks = found.matching.iter().chain(found.misses.iter().filter_map(|miss| miss.block.as_ref()));
            print_text(&blocks.map(String::as_str).collect::<Vec<_>>().join("\n"))?;
            if found.matching.is_none() {
                tell_line!("nobody was found who is in \"{}\" at {now}", args.segment);
            } else {
                for miss in found.misses.iter().filter(|miss| miss.block.is_none()) {
                    tell_line!("nobody was found whom this alone keeps out: {}", told(miss));
                }
            }
        }
    }
    Ok(if found.matching.is_some() { Exit::Success } else { Exit::Errors })
}

fn told(Miss { role, condition, .. }: &Miss) -> String {
    match role {
        Role::Exclude => format!("exclude {condition}"),
        Role::Rule => format!("{condition}, by a rule"),
        Role::Segment | Role::Include | Role::Before | Role::Condition => condition.clone(),
    }
}

fn to_json(segment: &str, now: Timestamp, found: &Examples) -> Value {
    let miss = |Miss { role, condition, block }: &Miss| {
        let part = match role {
            Role::Exclude => "exclude",
            Role::Rule => "rule",
            Role::Segment | Role::Include | Role::Before | Role::Condition => "include",
        };
        json!({ "part": part, "condition": condition, "test": block })
    };
    json!({
        "segment": segment,
        "at": now.to_string(),
        "in": found.matching,
        "out_by": found.misses.iter().map(miss).collect::<Vec<_>>(),
    })
}
