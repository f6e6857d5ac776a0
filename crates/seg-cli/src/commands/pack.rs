//! `seg pack`

use super::run::{data_json, problems, temp_folder, too_many_lost};
use super::schema::has_errors;
use super::{input, load_with_store};
use crate::args::{Format, Pack};
use crate::exit::{Exit, Failure};
use crate::output::{self, Output, grouped, print_json, print_text};
use seg::unstable::io::Memory;
use seg::unstable::io::store::{PackRequest, Packed, Packing};
use seg::unstable::parts;

pub fn run(args: &Pack, output: &Output) -> Result<Exit, Failure> {
    let mut project = load_with_store(&args.dir, args.store.as_deref())?;
    let _input = input::take_to_pack(&mut project)?;
    let parts = parts(&project);
    // Segments may be wrong: what is packed does not depend on them.
    if has_errors(&project, args.format, output)? {
        return Ok(Exit::Errors);
    }
    let Some(manifest) = parts.manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let bar = output.progress();
    let temp = temp_folder(&args.memory);
    let packing = Packing::read(PackRequest {
        base: parts.dir,
        data: &manifest.data,
        schema: project.schema(),
        zone: manifest.zone,
        append: args.append,
        threads: output::threads(),
        memory: args.memory.memory.map(|bytes| Memory::to_pack(bytes, &temp)),
        progress: Some(&mut |progress| bar.update(progress)),
    });
    bar.clear();
    let packing = packing.map_err(Failure::new)?;
    let report = packing.report().clone();
    let is_refused = args.strict && report.problems.iter().any(|problem| !problem.kind.is_remark());
    let refusal = too_many_lost(&report, args.max_bad);
    if is_refused || refusal.is_some() {
        match args.format {
            Format::Json => print_json(&serde_json::json!({ "data": data_json(&report) }))?,
            Format::Text => tell!("{}", problems(&report)),
        }
        if let Some(Failure { code, message }) = refusal {
            return Err(Failure { code, message: message.replace("nothing was run", "nothing was packed") });
        }
        tell_line!("the data has problems; nothing was packed, since --strict was asked for");
        return Ok(Exit::Errors);
    }
    let is_nothing = packing.is_nothing();
    let packed = packing.write(None).map_err(Failure::new)?;
    let asked = args.store.as_ref().map(|store| store.display().to_string());
    let store = asked.or_else(|| manifest.data.store.clone()).unwrap_or_default();
    match args.format {
        Format::Json => print_json(&json(&packed, &report))?,
        Format::Text => {
            tell!("{}", problems(&report));
            let text = if is_nothing { nothing(&packed, &store) } else { told(&packed, &store, args.append) };
            print_text(&text)?;
        }
    }
    Ok(Exit::Success)
}

fn nothing(packed: &Packed, store: &str) -> String {
    let (people, events) = (grouped(packed.n_people), grouped(packed.n_events));
    format!("nothing to add: `{store}` has every file of `[data]` ({people} people, {events} events)\n")
}

fn told(packed: &Packed, store: &str, is_added: bool) -> String {
    let counted = |n: u64, one: &str, many: &str| format!("{} {}", grouped(n), if n == 1 { one } else { many });
    let (people, events) = (packed.n_people, packed.n_events);
    let all = format!("{}, {}", counted(people, "person", "people"), counted(events, "event", "events"));
    let size = size(packed.bytes);
    if !is_added {
        let files = counted(packed.n_files, "file", "files");
        return format!("packed {files} into `{store}`: {all} ({size})\n");
    }
    let new_people = counted(packed.n_new_people, "new person", "new people");
    let new_events = counted(packed.n_new_events, "event", "events");
    let files = counted(packed.n_files, "file", "files");
    let whole = if packed.is_whole { ", all of it written anew" } else { "" };
    format!("added {files} to `{store}`: {new_people}, {new_events}; it has {all} now ({size}{whole})\n")
}

/// Bytes as people say them.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", grouped(bytes.div_ceil(1000))),
        _ => format!("{} MB", grouped(bytes.div_ceil(1_000_000))),
    }
}

fn json(packed: &Packed, report: &seg::unstable::io::Report) -> serde_json::Value {
    serde_json::json!({
        "people": packed.n_people,
        "events": packed.n_events,
        "new_people": packed.n_new_people,
        "new_events": packed.n_new_events,
        "files": packed.n_files,
        "bytes": packed.bytes,
        "is_whole": packed.is_whole,
        "data": data_json(report),
    })
}
