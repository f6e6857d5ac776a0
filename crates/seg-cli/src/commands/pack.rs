//! `seg pack`

use super::run::{data_json, problems, temp_folder, too_many_lost};
use super::schema::has_errors;
use super::{input, load_with_store};
use crate::args::{Format, Pack};
use crate::exit::{Exit, Failure};
use crate::output::{self, Output, grouped, print_json, print_text};
use seg::Project;
use seg::unstable::io::objects::Address;
use seg::unstable::io::store::{Change, PackRequest, Packed, Packing, Partitioned, Partitioning, Upload};
use seg::unstable::io::{Memory, Report};
use seg::unstable::{parts, set_store};
use std::num::NonZero;
use tempfile::TempDir;

pub fn run(args: &Pack, output: &Output) -> Result<Exit, Failure> {
    let mut project = load_with_store(&args.dir, args.store.as_deref())?;
    let _input = input::take_to_pack(&mut project)?;
    let asked = args.store.as_ref().map(|store| store.display().to_string());
    let named = || parts(&project).manifest.and_then(|manifest| manifest.data.store.clone());
    let store = asked.or_else(named).unwrap_or_default();
    let upload = upload(&mut project, args, &store)?;
    let own = parts(&project);
    // Segments may be wrong: what is packed does not depend on them.
    if has_errors(&project, args.format, output)? {
        return Ok(Exit::Errors);
    }
    let Some(manifest) = own.manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let bar = output.progress();
    let temp = temp_folder(&args.memory);
    let request = PackRequest {
        base: own.dir,
        data: &manifest.data,
        schema: project.schema(),
        zone: manifest.zone,
        append: args.append,
        threads: output::threads(),
        memory: args.memory.memory.map(|bytes| Memory::to_pack(bytes, &temp)),
        progress: Some(&mut |progress| bar.update(progress)),
    };
    let packing = match args.partitions.and_then(NonZero::new) {
        Some(of) => Partitioning::read(request, of).map(Read::Partitions),
        None => Packing::read(request).map(Read::Store),
    };
    bar.clear();
    let packing = packing.map_err(Failure::new)?;
    let report = packing.report().clone();
    if is_refused(args, &report)? {
        return Ok(Exit::Errors);
    }
    let (json, text) = match packing {
        Read::Store(packing) => {
            let is_nothing = packing.is_nothing();
            let packed = written(packing, upload, output)?;
            let text = if is_nothing { nothing(&packed, &store) } else { told(&packed, &store, args.append) };
            (json(&packed, &report), text)
        }
        Read::Partitions(partitioning) => {
            let partitioned = cut(partitioning, output)?;
            let mut json = json(&partitioned.packed, &report);
            let text = told_of_parts(&partitioned, &store);
            json.insert("partitions".to_owned(), partitioned.n_people.into());
            (json, text)
        }
    };
    match args.format {
        Format::Json => print_json(&json.into())?,
        Format::Text => {
            tell!("{}", problems(&report));
            print_text(&text)?;
        }
    }
    Ok(Exit::Success)
}

/// Tells what was wrong with the data where nothing is packed for it.
///
/// # Errors
/// More rows that were lost than may be.
fn is_refused(args: &Pack, report: &Report) -> Result<bool, Failure> {
    let is_refused = args.strict && report.problems.iter().any(|problem| !problem.kind.is_remark());
    let refusal = too_many_lost(report, args.max_bad);
    if !is_refused && refusal.is_none() {
        return Ok(false);
    }
    match args.format {
        Format::Json => print_json(&serde_json::json!({ "data": data_json(report) }))?,
        Format::Text => tell!("{}", problems(report)),
    }
    if let Some(Failure { code, message }) = refusal {
        return Err(Failure { code, message: message.replace("nothing was run", "nothing was packed") });
    }
    tell_line!("the data has problems; nothing was packed, since --strict was asked for");
    Ok(true)
}

/// The partitions of a store as they are written.
fn cut(partitioning: Partitioning, output: &Output) -> Result<Partitioned, Failure> {
    let writing = output.writing("partitions");
    let partitioned = partitioning.write();
    writing.clear();
    partitioned.map_err(Failure::new)
}

/// The store as it is written, with the files so far on a terminal, and as it is put where it is to lie.
fn written(packing: Packing, upload: Option<(Upload, TempDir)>, output: &Output) -> Result<Packed, Failure> {
    let mut writing = output.writing("the store");
    let mut watch = |change: Change<'_>| {
        if let Change::Create(_) = change {
            writing.file();
        }
        Ok(())
    };
    let packed = packing.write(Some(&mut watch));
    writing.clear();
    let packed = packed.map_err(Failure::new)?;
    if let Some((upload, folder)) = upload {
        upload.finish(folder.path()).map_err(Failure::new)?;
    }
    Ok(packed)
}

/// What puts the store where it is to lie, where that is an object store, and the folder to which
/// it is packed before.
///
/// # Errors
/// What is not done there, and what the store of objects says.
fn upload(project: &mut Project, args: &Pack, store: &str) -> Result<Option<(Upload, TempDir)>, Failure> {
    if !Address::is_meant(store) {
        return Ok(None);
    }
    if args.append || args.partitions.is_some() {
        let what = if args.append { "--append" } else { "--partitions" };
        let why = "packs to a folder; a store in an object store is packed as a whole";
        return Err(Failure::usage(format!("{store}: `{what}` {why}; nothing was packed")));
    }
    let own = parts(project);
    let Some(manifest) = own.manifest else { return Ok(None) };
    let Some(upload) = Upload::begin(own.dir, &manifest.data).map_err(Failure::new)? else { return Ok(None) };
    let folder = TempDir::new_in(temp_folder(&args.memory)).map_err(Failure::new)?;
    upload.reserve(folder.path()).map_err(Failure::new)?;
    set_store(project, folder.path());
    Ok(Some((upload, folder)))
}

/// Files that were read, to become one store or several.
enum Read {
    Store(Packing),
    Partitions(Partitioning),
}

impl Read {
    fn report(&self) -> &Report {
        match self {
            Read::Store(packing) => packing.report(),
            Read::Partitions(partitioning) => partitioning.report(),
        }
    }
}

fn told_of_parts(partitioned: &Partitioned, store: &str) -> String {
    let (packed, people) = (&partitioned.packed, &partitioned.n_people);
    let counted = |n: u64, one: &str, many: &str| format!("{} {}", grouped(n), if n == 1 { one } else { many });
    let (files, partitions) = (counted(packed.n_files, "file", "files"), people.len() as u64);
    let partitions = counted(partitions, "partition", "partitions");
    let all =
        format!("{}, {}", counted(packed.n_people, "person", "people"), counted(packed.n_events, "event", "events"));
    let (least, most) = (people.iter().min().copied().unwrap_or(0), people.iter().max().copied().unwrap_or(0));
    let size = size(packed.bytes);
    let each = match least == most {
        true => format!("{} in each", grouped(most)),
        false => format!("{} to {} in each", grouped(least), grouped(most)),
    };
    format!("packed {files} into {partitions} in `{store}`: {all} ({size}); {each}\n")
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

fn json(packed: &Packed, report: &Report) -> serde_json::Map<String, serde_json::Value> {
    let key = |key: &str, value: serde_json::Value| (key.to_owned(), value);
    serde_json::Map::from_iter([
        key("people", packed.n_people.into()),
        key("events", packed.n_events.into()),
        key("new_people", packed.n_new_people.into()),
        key("new_events", packed.n_new_events.into()),
        key("files", packed.n_files.into()),
        key("bytes", packed.bytes.into()),
        key("is_whole", packed.is_whole.into()),
        key("data", data_json(report)),
    ])
}
