//! `seg init`

use super::{input, instant, objects};
use crate::args::Init;
use crate::exit::{Exit, Failure};
use crate::output::print_text;
use seg::unstable::io::infer::{Question, RowsAre, Wishes, propose};
use seg::unstable::io::objects::Address;
use seg::unstable::io::{DataFile, Elsewhere, STANDARD_INPUT, manifest::MANIFEST_FILE};
use seg::{Timestamp, Zone};
use std::io::{IsTerminal, stderr, stdin};
use std::path::{Component, Path, PathBuf};

const SCHEMA_FILE: &str = "schema.toml";
const SEGMENTS_FILE: &str = "segments.seg";

pub fn run(args: &Init) -> Result<Exit, Failure> {
    let zone = Zone::parse(&args.timezone).ok_or_else(|| {
        Failure::usage(format!("`{}` is not a time zone; write its IANA name, such as Europe/Berlin", args.timezone))
    })?;
    let at = args.at.as_deref().map(|text| instant(text, Some(zone))).transpose()?;
    for name in [MANIFEST_FILE, SCHEMA_FILE, SEGMENTS_FILE] {
        let path = args.dir.join(name);
        if path.exists() {
            return Err(Failure::new(format!("{} exists already; nothing was written", path.display())));
        }
    }
    let from_input = args.from.iter().filter(|from| is_input(from)).count();
    if from_input > 1 {
        return Err(Failure::usage("standard input (`--from -`) can be looked at once"));
    }
    let kept = if from_input == 1 { Some(input::keep()?) } else { None };
    let mut files = Vec::new();
    for from in &args.from {
        files.extend(data_files(from)?);
    }
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |e: std::io::Error| Failure::new(format!("{path}: {e}"))
    };
    std::fs::create_dir_all(&args.dir).map_err(failed(&args.dir))?;
    let base = args.dir.canonicalize().map_err(failed(&args.dir))?;
    let mut patterns = Vec::new();
    for file in &files {
        if is_input(file) {
            patterns.push(STANDARD_INPUT.to_owned());
            continue;
        }
        if is_address(file) {
            patterns.push(file.to_string_lossy().into_owned());
            continue;
        }
        let full = file.canonicalize().map_err(failed(file))?;
        patterns.push(relative(&base, &full).to_string_lossy().into_owned());
    }
    let name = base.file_name().map_or("project".to_owned(), |n| n.to_string_lossy().into_owned());
    let now = Some(Timestamp(chrono::Utc::now().timestamp_micros()));
    let standard_input = kept.as_ref().map(|kept| kept.data.clone());
    let can_ask = standard_input.is_none() && stdin().is_terminal() && stderr().is_terminal();
    let elsewhere = Elsewhere { standard_input, objects: objects::stores() };
    let wishes = Wishes { name, timezone: args.timezone.clone(), at, now, elsewhere };
    let mut ask = |question: Question<'_>| if can_ask { ask(question) } else { None };
    let proposal = propose(&base, &patterns, &wishes, &mut ask).map_err(Failure::new)?;
    let mut text = String::new();
    for finding in &proposal.findings {
        text.push_str(finding);
        text.push('\n');
    }
    for (name, content) in [
        (SCHEMA_FILE, proposal.schema.as_str()),
        (SEGMENTS_FILE, proposal.segments.as_str()),
        (MANIFEST_FILE, &proposal.manifest),
    ] {
        let path = args.dir.join(name);
        std::fs::write(&path, content).map_err(failed(&path))?;
        text.push_str(&format!("wrote {}\n", path.display()));
    }
    text.push_str(&format!(
        "next: read the schema (`seg schema words {0}` lists its English), then `seg run {0}`\n",
        args.dir.display()
    ));
    print_text(&text)?;
    Ok(Exit::Success)
}

fn is_input(from: &Path) -> bool {
    from.as_os_str() == STANDARD_INPUT
}

/// Asks what the rows of a file are; none where nobody answers.
fn ask(question: Question<'_>) -> Option<RowsAre> {
    let Question { file, id, time, event } = question;
    tell_line!("{file}: each row has a person in `{id}` and a time in `{time}`, and no column names an event");
    for _ in 0..3 {
        tell!("is each row an event (`{event}`), or what a person was at that time? [event/person] ");
        let mut answer = String::new();
        let n_read = stdin().read_line(&mut answer).ok()?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "e" | "event" | "events" => return Some(RowsAre::Events),
            "p" | "person" | "people" => return Some(RowsAre::People),
            _ if n_read == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Whether objects are meant rather than files.
fn is_address(from: &Path) -> bool {
    from.to_str().is_some_and(Address::is_meant)
}

/// The file itself, or the data files of a directory.
fn data_files(from: &Path) -> Result<Vec<PathBuf>, Failure> {
    if is_input(from) || is_address(from) {
        return Ok(vec![from.to_owned()]);
    }
    if !from.is_dir() {
        if !from.exists() {
            return Err(Failure::new(format!("{}: there is no such file or directory", from.display())));
        }
        return Ok(vec![from.to_owned()]);
    }
    let entries = std::fs::read_dir(from).map_err(|e| Failure::new(format!("{}: {e}", from.display())))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|e| e.path())
        .filter(|p| p.is_file() && DataFile::new(p.clone(), p.to_string_lossy().into_owned()).is_ok())
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::new(format!("{}: there is no CSV, NDJSON or Parquet file in it", from.display())));
    }
    Ok(files)
}

/// The way from a directory to a file, with `..` where needed.
fn relative(base: &Path, file: &Path) -> PathBuf {
    let base: Vec<Component<'_>> = base.components().collect();
    let parts: Vec<Component<'_>> = file.components().collect();
    let shared = base.iter().zip(&parts).take_while(|(a, b)| a == b).count();
    let up = base.iter().skip(shared).map(|_| Component::ParentDir);
    up.chain(parts.iter().skip(shared).copied()).collect()
}
