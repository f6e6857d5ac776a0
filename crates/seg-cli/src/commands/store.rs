//! `seg store`

use super::load_with_store;
use super::pack::size;
use super::run::problems_of;
use crate::args::{Format, Store, StoreAt, StoreCommand, StoreForget};
use crate::exit::{Exit, Failure};
use crate::output::{self, grouped, print_json, print_text};
use comfy_table::{Cell, CellAlignment, Table, presets};
use seg::unstable::io::Manifest;
use seg::unstable::io::store::{self, StoreInfo};
use seg::unstable::parts;
use seg::{Project, Timestamp};

pub fn run(args: &Store) -> Result<Exit, Failure> {
    match &args.command {
        StoreCommand::Info(at) => info(at),
        StoreCommand::Verify(at) => verify(at),
        StoreCommand::Forget(forget) => self::forget(forget),
    }
}

fn settings(project: &Project) -> Result<&Manifest, Failure> {
    parts(project).manifest.ok_or_else(|| Failure::new("the project's settings could not be read"))
}

fn info(at: &StoreAt) -> Result<Exit, Failure> {
    let project = load_with_store(&at.dir, at.store.as_deref())?;
    let manifest = settings(&project)?;
    let info = store::info(parts(&project).dir, &manifest.data).map_err(Failure::new)?;
    match at.format {
        Format::Json => print_json(&json(&info))?,
        Format::Text => print_text(&told(&info, manifest))?,
    }
    Ok(Exit::Success)
}

fn told(info: &StoreInfo, manifest: &Manifest) -> String {
    let time = |time: Timestamp| time.in_zone(manifest.zone).to_string();
    let mut out = format!(
        "{} people, {} events of {} rows, packed from {} files: {} in {} files\n",
        grouped(info.n_people),
        grouped(info.n_events),
        grouped(info.n_rows),
        grouped(info.inputs.len() as u64),
        size(info.bytes),
        grouped(info.n_files)
    );
    if info.n_parts > 1 {
        out.push_str(&format!(
            "in {} parts, which `seg run --memory` reads one after another\n",
            grouped(info.n_parts)
        ));
    }
    let n_added = info.generations.len().saturating_sub(1);
    if n_added > 0 {
        let events: u64 = info.generations.iter().skip(1).map(|(_, events)| events).sum();
        let times = if n_added == 1 { "once".to_owned() } else { format!("{n_added} times") };
        out.push_str(&format!("added to {times} since it was written whole: {} events\n", grouped(events)));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (name, n, first, last) in &info.events {
        let n = Cell::new(grouped(*n)).set_alignment(CellAlignment::Right);
        table.add_row([Cell::new(name), n, Cell::new(time(*first)), Cell::new(time(*last))]);
    }
    for line in table.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push_str(&problems_of(&info.problems));
    out
}

fn json(info: &StoreInfo) -> serde_json::Value {
    let events: Vec<_> = info
        .events
        .iter()
        .map(|(name, n, first, last)| {
            serde_json::json!({ "name": name, "events": n, "first": first.to_string(), "last": last.to_string() })
        })
        .collect();
    let generations: Vec<_> = info
        .generations
        .iter()
        .map(|(people, events)| serde_json::json!({ "new_people": people, "events": events }))
        .collect();
    let inputs: Vec<_> = info
        .inputs
        .iter()
        .map(|input| serde_json::json!({ "kind": input.kind, "file": input.name, "bytes": input.bytes }))
        .collect();
    serde_json::json!({
        "people": info.n_people,
        "events": info.n_events,
        "rows": info.n_rows,
        "last_event": info.last_event.map(|time| time.to_string()),
        "bytes": info.bytes,
        "files": info.n_files,
        "parts": info.n_parts,
        "generations": generations,
        "event_names": events,
        "inputs": inputs,
    })
}

fn verify(at: &StoreAt) -> Result<Exit, Failure> {
    let project = load_with_store(&at.dir, at.store.as_deref())?;
    let manifest = settings(&project)?;
    let (dir, threads) = (parts(&project).dir, output::threads());
    let found = store::verify(dir, &manifest.data, project.schema(), manifest.zone, threads);
    let told = |errors: &[seg::unstable::io::ReadError]| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
    match found {
        Ok(info) => {
            let (files, bytes) = (grouped(info.n_files), size(info.bytes));
            match at.format {
                Format::Json => print_json(&serde_json::json!({ "damaged": [], "store": json(&info) }))?,
                Format::Text => {
                    print_text(&format!("all {files} files of the store are as they were written ({bytes})\n"))?
                }
            }
            Ok(Exit::Success)
        }
        Err(errors) => {
            match at.format {
                Format::Json => print_json(&serde_json::json!({ "damaged": told(&errors) }))?,
                Format::Text => told(&errors).iter().for_each(|error| tell_line!("seg: {error}")),
            }
            Ok(Exit::Failed)
        }
    }
}

fn forget(args: &StoreForget) -> Result<Exit, Failure> {
    let project = load_with_store(&args.dir, args.store.as_deref())?;
    let manifest = settings(&project)?;
    let of = (parts(&project).dir, &manifest.data, project.schema());
    let forgotten = store::forget(of, manifest.zone, &args.ids, output::threads(), None).map_err(Failure::new)?;
    match args.format {
        Format::Json => print_json(&serde_json::json!({
            "people": forgotten.n_people,
            "events": forgotten.n_events,
            "unknown": forgotten.unknown,
        }))?,
        Format::Text => {
            for id in &forgotten.unknown {
                tell_line!("seg: nobody in the store has the id `{id}`");
            }
            let people = if forgotten.n_people == 1 { "person" } else { "people" };
            print_text(&format!(
                "forgot {} {people} with {} events; the files that were packed still have them, \
                 and a new `seg pack` would read them again\n",
                grouped(forgotten.n_people),
                grouped(forgotten.n_events)
            ))?;
        }
    }
    Ok(if forgotten.unknown.is_empty() { Exit::Success } else { Exit::Errors })
}
