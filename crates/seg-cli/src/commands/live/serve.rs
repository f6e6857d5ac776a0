//! `seg live --listen`

use super::{failed, opened, sinks};
use crate::args::{Color, Format, Live};
use crate::commands::{check, compiled, explain, load, watch};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use seg::unstable::data::EventId;
use seg::unstable::{inexact, parts};
use seg::{Explained, Program, Project, Timestamp, Zone};
use seg_live::{Describe, Keys, Log, Notice, Person, Reload, Schedule, Serve, ServeError, SinkSettings, SinkTo};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// The variables of keys and of the token.
const KEYS: &str = "SEG_WRITE_KEYS";
const TOKEN: &str = "SEG_ADMIN_TOKEN";
/// What the receiver of `--changes` is called.
const CHANGES: &str = "--changes";
/// Events of a person that are shown.
const SHOWN: usize = 20;

/// The segments as they are written, compiled.
type Written = Arc<RwLock<(Project, Program)>>;

pub fn run(args: &Live, output: &Output) -> Result<Exit, Failure> {
    let Some(listen) = args.listen else { return Ok(Exit::Success) };
    let keys = keys(std::env::var(KEYS).ok().as_deref());
    if matches!(keys, Keys::Any) && !listen.ip().is_loopback() {
        let why = format!("anybody who reaches {listen} could post; name the keys that may: {KEYS}=… seg live …");
        return Err(Failure::usage(why));
    }
    let token = token(std::env::var(TOKEN).ok(), args)?;
    let Some((session, zone)) = opened(&args.dir, args.data.as_deref(), (Format::Text, "kept"), output)? else {
        return Ok(Exit::Errors);
    };
    let project = load(&args.dir)?;
    let seen = watch::texts(&project);
    let Some(program) = compiled(&project, Format::Text, "kept", output)? else { return Ok(Exit::Errors) };
    let name = parts(&project).manifest.map_or_else(String::new, |manifest| manifest.name.clone());
    let to = match args.changes == Path::new("-") {
        true => SinkTo::Stream(Box::new(std::io::stdout())),
        false => SinkTo::File(args.changes.clone()),
    };
    let changes =
        SinkSettings { name: CHANGES.to_owned(), segments: BTreeSet::new(), to, schedule: Schedule::default() };
    let sinks = sinks::begin(&project, &session, Some(changes))?;
    let Some(sinks) = sinks else { return Ok(Exit::Success) };
    let written: Written = Arc::new(RwLock::new((project, program)));
    let serve = Serve {
        project: name,
        listen,
        admin: args.admin,
        keys,
        token: token.text,
        zone,
        sinks: Arc::new(sinks),
        describe: describe(Arc::clone(&written)),
        reload: Box::new(reload(args.dir.clone(), seen, written, output.clone())),
        log: log(args.log, token.is_made),
    };
    match serve.run(session) {
        Ok(()) => Ok(Exit::Success),
        Err(ServeError::Listen(address, error)) => Err(Failure::new(format!("{address}: {error}"))),
        Err(ServeError::Machine(error)) => Err(Failure::new(error)),
        Err(ServeError::Live(error)) => Err(failed(error)),
    }
}

/// The keys of a list with commas between them.
fn keys(listed: Option<&str>) -> Keys {
    let keys = listed.unwrap_or_default().split(',').map(str::trim).filter(|key| !key.is_empty());
    let keys: Vec<String> = keys.map(str::to_owned).collect();
    if keys.is_empty() { Keys::Any } else { Keys::These(keys) }
}

/// What operators show, and the part of an address that shows it where it was made here.
struct Token {
    text: String,
    is_made: Option<String>,
}

fn token(named: Option<String>, args: &Live) -> Result<Token, Failure> {
    match named.filter(|token| !token.is_empty()) {
        Some(text) => Ok(Token { text, is_made: None }),
        None if !args.admin.ip().is_loopback() => {
            let why = format!("operators at {} need a token of yours: {TOKEN}=… seg live …", args.admin);
            Err(Failure::usage(why))
        }
        None => {
            let mut bytes = [0_u8; 16];
            getrandom::fill(&mut bytes).map_err(Failure::new)?;
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(Token { is_made: Some(text.clone()), text })
        }
    }
}

/// Tells of what happens on the standard error: in words, or as an object a line.
fn log(format: Format, token: Option<String>) -> Log {
    Arc::new(move |notice: Notice| {
        let at = Timestamp(chrono::Utc::now().timestamp_micros());
        match format {
            Format::Json => {
                let line = json!({ "at": at.to_string(), "event": notice.name(), "message": notice.to_string() });
                tell_line!("{line}");
            }
            Format::Text => tell_line!("{notice}"),
        }
        let (Notice::Listening { admin, .. }, Some(token)) = (&notice, &token) else { return };
        let page = format!("http://{admin}/?token={token}");
        match format {
            Format::Json => tell_line!("{}", json!({ "at": at.to_string(), "event": "page", "message": page })),
            Format::Text => tell_line!("to look, open {page}"),
        }
    })
}

/// Tells of a person: what they are in and why, and what they did last.
fn describe(written: Written) -> Describe {
    let output = Output::new(Color::Never, false);
    Arc::new(move |person: &Person, now: Timestamp, zone: Option<Zone>| {
        let written = written.read().unwrap_or_else(PoisonError::into_inner);
        let (project, program) = (&written.0, &written.1);
        let of = Explained { project, program, batch: &person.batch, segment: None, person: &person.id, now };
        let segments: Vec<Value> = match seg::explain(of) {
            Ok(explained) => explain::told(&explained, project.schema(), (now, zone.unwrap_or(Zone::UTC)), &output)
                .map(|(of, text)| json!({ "segment": of.segment, "in": of.why.holds, "text": text }))
                .collect(),
            // What was kept by a schema that was changed since may not be told of by the new one yet.
            Err(_) => person.segments.iter().map(|name| json!({ "segment": name, "in": true, "text": name })).collect(),
        };
        json!({
            "id": person.id,
            "ids": person.ids,
            "segments": segments,
            "judged_at": person.judged_at.to_string(),
            "until": person.until.map(|until| until.to_string()),
            "facts": person.n_facts,
            "timeline": timeline(person, now),
        })
    })
}

/// The last things that a person did, the latest first.
fn timeline(person: &Person, now: Timestamp) -> Vec<Value> {
    let batch = &person.batch;
    let mut done: Vec<(Timestamp, &str)> = Vec::new();
    for (event, at) in batch.schema().events.iter().zip(0..) {
        let Some(events) = batch.events(EventId(at)) else { continue };
        let times = events.range(0).map(|at| events.time(at)).filter(|time| *time <= now);
        done.extend(times.map(|time| (time, event.name.as_str())));
    }
    done.sort_by(|one, other| other.cmp(one));
    let shown = done.into_iter().take(SHOWN);
    shown.map(|(time, event)| json!({ "time": time.to_string(), "event": event })).collect()
}

/// Looks whether files of the project are others than when they were looked at before.
fn reload(
    dir: PathBuf,
    seen: watch::Texts,
    written: Written,
    output: Output,
) -> impl FnMut(bool) -> Reload + Send + 'static {
    let mut seen = Ok(seen);
    move |is_asked| {
        let project = load(&dir);
        let now = match &project {
            Ok(project) => Ok(watch::texts(project)),
            Err(failure) => Err(failure.message.clone()),
        };
        if now == seen && !is_asked {
            return Reload::Same;
        }
        seen = now;
        match project.and_then(|project| program_of(project, &output)) {
            Ok(Some((project, program))) => {
                let prepared = program.prepare();
                let zone = parts(&project).manifest.and_then(|manifest| manifest.zone);
                *written.write().unwrap_or_else(PoisonError::into_inner) = (project, program);
                Reload::Program(Box::new(prepared), zone)
            }
            Ok(None) => Reload::Broken,
            Err(failure) => {
                output.failure(&failure);
                Reload::Broken
            }
        }
    }
}

/// A project that was changed, compiled; none when it has errors, which are shown.
fn program_of(project: Project, output: &Output) -> Result<Option<(Project, Program)>, Failure> {
    let program = seg::compile(&project).and_then(|program| {
        let inexact = inexact(&project, &program.prepare().outlook());
        if inexact.n_errors() > 0 { Err(inexact) } else { Ok(program) }
    });
    match program {
        Ok(program) => Ok(Some((project, program))),
        Err(diagnostics) => {
            output.diagnostics(&diagnostics, Format::Text)?;
            tell_line!("{}", check::summary(&diagnostics));
            Ok(None)
        }
    }
}
