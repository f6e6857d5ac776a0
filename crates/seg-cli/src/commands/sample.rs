//! `seg sample`

use super::explain::{conditions, said_of};
use super::judged::segment_named;
use super::{compiled, input, load, run, timeline};
use crate::args::{Format, Sample};
use crate::exit::{Exit, Failure};
use crate::output::{Output, grouped, print_json, print_text};
use seg::unstable::data::shown;
use seg::unstable::{Stay, StayParts, drawn, near_misses, parts};
use seg::{Batch, Explained, Explanation, Mask, Timestamp, Zone};
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

/// Of so many people who are out it is looked at what keeps them out.
const LOOKED_AT_MAX: usize = 5_000;

/// A person of the sample.
struct Drawn {
    row: usize,
    entered_at: Option<Timestamp>,
    leaves_at: Option<Timestamp>,
    /// Why one who is nearly in is not.
    near: Option<Explanation>,
}

pub fn run(args: &Sample, output: &Output) -> Result<Exit, Failure> {
    let mut project = load(&args.dir)?;
    let Some(program) = compiled(&project, args.format, "sampled", output)? else { return Ok(Exit::Errors) };
    let _input = input::take(&mut project)?;
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let (now, said_by) = run::now(args.at.as_deref(), manifest)?;
    let at = segment_named(&program, &args.segment)?;
    let wanted = program.wanted(now).of_all_times();
    let loaded = run::read(&project, manifest, (&wanted, &wanted), output)?;
    let (batch, prepared) = (&loaded.batch, program.prepare());
    let evaluation = prepared.evaluate_with(batch, now, &run::options()).map_err(run::refused)?;
    let Some(members) = evaluation.masks().get(at) else { return Err(Failure::new("the segment has no members")) };
    let n_out = run::n_existing(batch, now).saturating_sub(members.count());
    let drawn = if args.near_misses {
        let existing = batch.existing(now);
        let exists = |row: &usize| existing.as_ref().is_none_or(|mask| mask.get(*row));
        let rows: Vec<usize> = (0..batch.len()).filter(exists).filter(|row| !members.get(*row)).collect();
        let rows = drawn((&args.seed, &args.segment), batch, rows, LOOKED_AT_MAX);
        let segment = Some(args.segment.as_str());
        let of = Explained { project: &project, program: &program, batch, segment, person: "", now };
        let near = near_misses(of, &rows).map_err(Failure::usage)?;
        let near = near.into_iter().take(args.number);
        near.map(|(row, near)| Drawn { row, entered_at: None, leaves_at: None, near: Some(near) }).collect()
    } else {
        let rows = drawn((&args.seed, &args.segment), batch, members.rows().collect(), args.number);
        let is_drawn: HashSet<usize> = rows.iter().copied().collect();
        let mut chosen = vec![Mask::none(batch.len()); evaluation.masks().len()];
        if let Some(chosen) = chosen.get_mut(at) {
            *chosen = Mask::from_bools((0..batch.len()).map(|row| is_drawn.contains(&row)));
        }
        let asked = StayParts { entered_at: true, leaves_at: true };
        let stays = prepared.stays(batch, now, &chosen, asked, &run::options()).map_err(run::refused)?;
        let stays: HashMap<usize, &Stay> =
            stays.get(at).into_iter().flatten().map(|stay| (stay.row as usize, stay)).collect();
        let drawn = |row: usize| {
            let (entered_at, leaves_at) =
                stays.get(&row).map_or((None, None), |stay| (stay.entered_at, stay.leaves_at));
            Drawn { row, entered_at, leaves_at, near: None }
        };
        rows.into_iter().map(drawn).collect::<Vec<Drawn>>()
    };
    let zone = manifest.zone.unwrap_or(Zone::UTC);
    if args.format == Format::Json {
        print_json(&json(args, batch, &drawn, (now, members.count())))?;
        return Ok(Exit::Success);
    }
    let what = match (args.near_misses, n_out > LOOKED_AT_MAX) {
        (false, _) => format!("{} of {} members", grouped(drawn.len() as u64), grouped(members.count() as u64)),
        (true, false) => format!("{} whom one condition keeps out", grouped(drawn.len() as u64)),
        (true, true) => {
            let (n, of) = (grouped(LOOKED_AT_MAX as u64), grouped(n_out as u64));
            format!("{} whom one condition keeps out, of {n} of {of} people", grouped(drawn.len() as u64))
        }
    };
    let at = shown::full_instant(now, zone);
    let mut text = format!("\"{}\": {what}, {at} (from {said_by})\n", args.segment);
    for person in &drawn {
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n{}", head(person, batch, (now, zone), output));
        text.push_str(&timeline::draw(batch, person.row, (now, zone), args.days, "    "));
    }
    print_text(&text)?;
    tell!("{}", run::problems(&loaded.report));
    Ok(Exit::Success)
}

/// Who it is, since when and until when; or what keeps them out.
fn head(person: &Drawn, batch: &Batch, (now, zone): (Timestamp, Zone), output: &Output) -> String {
    let id = batch.id(person.row).escape_debug();
    let at = |time: Timestamp| shown::instant(time, zone, now);
    if let Some(near) = &person.near {
        let first = near.fewest.as_ref().and_then(|fewest| fewest.conditions.first().copied());
        let conditions = conditions(&near.why);
        let condition = conditions.iter().find(|condition| condition.why.condition == first);
        let said = condition.map_or(String::new(), |condition| said_of(condition, false));
        let comes = near.changes_at.map_or(String::new(), |time| format!("; comes in {}", at(time)));
        return format!("{} {id}  {said}{comes}", output.mark(false));
    }
    let since = person.entered_at.map_or("always in".to_owned(), |time| format!("in since {}", at(time)));
    let until = person.leaves_at.map_or("stays".to_owned(), |time| format!("leaves {}", at(time)));
    format!("{} {id}  {since}, {until}", output.mark(true))
}

fn json(args: &Sample, batch: &Batch, drawn: &[Drawn], (now, members): (Timestamp, usize)) -> serde_json::Value {
    let people = drawn.iter().map(|person| {
        let why = person.near.as_ref().map(|near| {
            let first = near.fewest.as_ref().and_then(|fewest| fewest.conditions.first().copied());
            let conditions = near.why.conditions();
            let condition = first.and_then(|number| conditions.get(number));
            serde_json::json!({
                "said": condition.map(|why| &why.said),
                "fact": condition.map(|why| &why.fact),
                "short_by": condition.and_then(|why| why.short_by),
                "comes_in_at": near.changes_at.map(|at| at.to_string()),
            })
        });
        serde_json::json!({
            "id": batch.id(person.row),
            "entered_at": person.entered_at.map(|at| at.to_string()),
            "leaves_at": person.leaves_at.map(|at| at.to_string()),
            "kept_out_by": why,
        })
    });
    serde_json::json!({
        "at": now.to_string(),
        "segment": args.segment,
        "seed": args.seed,
        "members": members,
        "people": people.collect::<Vec<_>>(),
    })
}
