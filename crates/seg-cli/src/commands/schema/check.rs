//! `seg schema check`

use super::with_schema;
use crate::args::{Format, SchemaCheck};
use crate::commands::{input, instant, run};
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, grouped, print_json, print_text, threads};
use seg::unstable::io::Place;
use seg::unstable::io::drift::{Delays, Drift, DriftKind, DriftRequest, Finding, Subject, compare, of_files};
use seg::unstable::parts;
use seg::{Project, Timestamp, Wanted};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// So many values that are not allowed are shown.
const VALUES_MAX: usize = 10;

pub fn run(args: &SchemaCheck, output: &Output) -> Result<Exit, Failure> {
    let Some(mut project) = with_schema(&args.dir, args.format, output)? else { return Ok(Exit::Errors) };
    // Files that are named stand for what the project reads otherwise.
    let _input = if args.data.is_empty() { input::take(&mut project)? } else { None };
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let clock = Timestamp(chrono::Utc::now().timestamp_micros());
    let now = args.at.as_deref().map_or(Ok(clock), |text| instant(text, manifest.zone))?;
    let asked = asked(&project, manifest.at.unwrap_or(now));
    let here = Path::new(".");
    let chosen = match args.data.is_empty() {
        true => None,
        false => {
            let patterns: Vec<String> = args.data.iter().map(|path| path.to_string_lossy().into_owned()).collect();
            Some(of_files(parts(&project).dir, &manifest.data, here, &patterns).map_err(Failure::new)?)
        }
    };
    let (base, data) = match &chosen {
        Some(chosen) => (here, chosen),
        None => (parts(&project).dir, &manifest.data),
    };
    let bar = output.progress();
    let drift = compare(DriftRequest {
        zone: manifest.zone,
        now: Some(now),
        received: args.received.as_deref(),
        asked: Some(&asked),
        is_part: chosen.is_some(),
        threads: threads(),
        progress: Some(&mut |progress| bar.update(progress)),
        ..DriftRequest::new(base, data, project.schema())
    });
    bar.clear();
    let drift = drift.map_err(Failure::new)?;
    match args.format {
        Format::Json => print_json(&json_of(&drift))?,
        Format::Text => print_text(&text_of(&drift, (&manifest.name, &manifest.schema), output.shown_max()))?,
    }
    let is_error = drift.is_breaking() || args.strict && drift.n_remarks() > 0;
    Ok(if is_error { Exit::Errors } else { Exit::Success })
}

/// What the segments ask about; where they have errors, all that the schema has.
fn asked(project: &Project, now: Timestamp) -> Wanted {
    match seg::compile(project) {
        Ok(program) => program.wanted(now),
        Err(_) => Wanted::everything(project.schema()),
    }
}

fn text_of(drift: &Drift, (project, schema): (&str, &str), max: usize) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "{project}: {}, {} of people, {} of events, compared with {schema}",
        n_of(drift.files, "file"),
        n_of(drift.people_rows, "row"),
        n_of(drift.event_rows, "row"),
    );
    out.push_str(&run::problems(&drift.report));
    for (is_breaking, word) in [(true, "error"), (false, "remark")] {
        let mut n_of_kind: BTreeMap<DriftKind, usize> = BTreeMap::new();
        for finding in drift.findings.iter().filter(|finding| finding.is_breaking == is_breaking) {
            let n = n_of_kind.entry(finding.kind).or_default();
            *n += 1;
            if *n <= max {
                write_finding(&mut out, word, finding);
            }
        }
        let more = n_of_kind.into_iter().map(|(kind, n)| (kind, n.saturating_sub(max) as u64));
        for (kind, n) in more.filter(|(_, n)| *n > 0) {
            let _ = writeln!(out, "{word}: {} more like these ({}); `--all` shows them", grouped(n), kind.slug());
        }
    }
    for (kind, n) in &drift.more {
        let _ = writeln!(out, "remark: {} more names that the schema lacks ({})", grouped(*n), kind.slug());
    }
    write_times(&mut out, drift);
    out.push_str(&summary(drift));
    out
}

fn write_finding(out: &mut String, word: &str, finding: &Finding) {
    let _ = writeln!(out, "{word}: {}", finding.message);
    if !finding.values.is_empty() {
        let shown = finding.values.iter().take(VALUES_MAX);
        let shown: Vec<String> = shown.map(|(value, n)| format!("`{}` ({})", shortened(value), grouped(*n))).collect();
        let n_more = finding.values.len().saturating_sub(VALUES_MAX) as u64 + finding.more_values;
        let more = if n_more > 0 { format!(", and {} more", grouped(n_more)) } else { String::new() };
        let _ = writeln!(out, "       {}{more}", shown.join(", "));
    }
    write_places(out, &finding.examples);
    for line in finding.help.iter().flat_map(|help| help.lines()) {
        let _ = writeln!(out, "       {line}");
    }
}

fn write_places(out: &mut String, places: &[Place]) {
    for place in places {
        let _ = writeln!(out, "       {place}");
    }
}

/// A value as it is shown, without what no terminal should get.
fn shortened(value: &str) -> String {
    let shown: String = value.chars().take(40).flat_map(char::escape_debug).collect();
    if value.chars().count() > 40 { format!("{shown}…") } else { shown }
}

/// When events arrived, and which are of the future.
fn write_times(out: &mut String, drift: &Drift) {
    for delays in &drift.delays {
        let within = |percent| delays.within(percent).map(lasting).unwrap_or_default();
        let _ = writeln!(
            out,
            "delays: from `{}` to `{}`, {}: half within {}, 95 of 100 within {}, 99 of 100 within {}, all within {}",
            delays.happened,
            delays.received,
            n_of(delays.count, "event"),
            within(50),
            within(95),
            within(99),
            lasting(delays.longest)
        );
        if delays.negative > 0 {
            let _ = writeln!(
                out,
                "remark: {} arrived before it happened, by these columns",
                n_of(delays.negative, "event")
            );
            write_places(out, &delays.examples);
        }
    }
    if drift.future > 0 {
        let _ = writeln!(out, "remark: {} of the future", n_of(drift.future, "event"));
        write_places(out, &drift.future_examples);
    }
}

fn summary(drift: &Drift) -> String {
    let (n_errors, n_remarks) = (drift.n_errors(), drift.n_remarks());
    let n_lost = drift.report.rows_lost();
    let lost = if n_lost > 0 { format!(", {} that could not be read", n_of(n_lost, "row")) } else { String::new() };
    match (n_errors, n_remarks) {
        (0, 0) if n_lost == 0 => "the data is as the schema says\n".to_owned(),
        (0, 0) => format!("{}\n", lost.trim_start_matches(", ")),
        (errors, remarks) => format!("{}, {}{lost}\n", counted(errors, "error"), counted(remarks, "remark")),
    }
}

fn n_of(n: u64, word: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {word}{s}", grouped(n))
}

/// A length of time in words, as exact as it matters.
fn lasting(micros: i64) -> String {
    const SECOND: i64 = 1_000_000;
    let seconds = micros / SECOND;
    let two = |large: i64, one: &str, small: i64, other: &str| match small {
        0 => format!("{large} {one}"),
        small => format!("{large} {one} {small} {other}"),
    };
    match seconds {
        0 if micros == 0 => "0 s".to_owned(),
        0 if micros < 1_000 => format!("{micros} µs"),
        0 => format!("{} ms", micros / 1_000),
        1..60 => match micros / 100_000 % 10 {
            0 => format!("{seconds} s"),
            tenth => format!("{seconds}.{tenth} s"),
        },
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

fn json_of(drift: &Drift) -> Value {
    let places = |places: &[Place]| -> Value {
        places.iter().map(|place| json!({ "file": place.file, "line": place.line, "value": place.value })).collect()
    };
    let finding = |finding: &Finding| {
        let (event, name) = match &finding.subject {
            Subject::Event(event) => (Some(event), None),
            Subject::Property { event, property } => (Some(event), Some(property)),
            Subject::Attribute(attribute) => (None, Some(attribute)),
        };
        let values: Value = finding.values.iter().map(|(value, n)| json!({ "value": value, "count": n })).collect();
        json!({
            "kind": finding.kind.slug(),
            "severity": if finding.is_breaking { "error" } else { "remark" },
            "event": event,
            "name": name,
            "count": finding.count,
            "of": finding.of,
            "message": finding.message,
            "help": finding.help,
            "values": values,
            "more_values": finding.more_values,
            "examples": places(&finding.examples),
        })
    };
    let seconds = |micros: i64| micros as f64 / 1e6;
    let delay = |delays: &Delays| {
        json!({
            "happened": delays.happened,
            "received": delays.received,
            "events": delays.count,
            "median": delays.within(50).map(seconds),
            "within_95": delays.within(95).map(seconds),
            "within_99": delays.within(99).map(seconds),
            "longest": seconds(delays.longest),
            "is_exact": delays.is_exact,
            "negative": delays.negative,
            "examples": places(&delays.examples),
        })
    };
    let more: Value = drift.more.iter().map(|(kind, n)| (kind.slug().to_owned(), json!(n))).collect();
    json!({
        "files": drift.files,
        "people_rows": drift.people_rows,
        "event_rows": drift.event_rows,
        "last_event": drift.last_event.map(|at| at.to_string()),
        "findings": drift.findings.iter().map(finding).collect::<Value>(),
        "more": more,
        "delays": drift.delays.iter().map(delay).collect::<Value>(),
        "future": { "count": drift.future, "examples": places(&drift.future_examples) },
        "problems": run::data_json(&drift.report).get("problems"),
    })
}
