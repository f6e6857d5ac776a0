//! `seg who`

use super::{input, load, run};
use crate::args::{Format, Who};
use crate::exit::{Exit, Failure};
use crate::output::{Output, grouped, print_json, print_text};
use seg::unstable::data::batch::Column;
use seg::unstable::data::{AttributeId, EventId, PropertyId, Type, Value};
use seg::unstable::io::{MergeLink, merge_links};
use seg::unstable::parts;
use seg::{Batch, Timestamp, Wanted, Zone};
use std::fmt::{self, Write};

/// What is known of one person.
struct Record {
    id: String,
    merged_ids: Vec<String>,
    /// What says that they are one person.
    links: Vec<MergeLink>,
    exists_from: Option<Timestamp>,
    attributes: Vec<Attribute>,
    /// The earliest first.
    events: Vec<Event>,
}

/// What is known of an attribute or a property.
enum Known {
    Value(Value),
    /// Each with those of its fields that have a value.
    Records(Vec<Vec<(String, Value)>>),
}

struct Attribute {
    name: String,
    /// What is known as of the instant, if anything is.
    value: Option<Known>,
    /// Every value with the time it was set at, where they are kept; what has none was set
    /// before everything else.
    history: Vec<(Option<Timestamp>, Option<Value>)>,
}

struct Event {
    name: String,
    time: Timestamp,
    arrival: i64,
    properties: Vec<(String, Known)>,
}

pub fn run(args: &Who, output: &Output) -> Result<Exit, Failure> {
    let mut project = load(&args.dir)?;
    let _input = input::take(&mut project)?;
    let Some(manifest) = parts(&project).manifest else {
        return Err(Failure::new("the project's settings could not be read"));
    };
    let (now, said_by) = run::now(args.at.as_deref(), manifest)?;
    let (everything, nothing) = (Wanted::everything(project.schema()), Wanted::default());
    let loaded = run::read(&project, manifest, (&everything, &nothing), output)?;
    let Some(row) = loaded.batch.row_of(&args.id) else {
        return Err(Failure::usage(format!("nobody in the data has the id `{}`", args.id.escape_debug())));
    };
    let mut record = record(&loaded.batch, row, now);
    if !record.merged_ids.is_empty() {
        let ids: Vec<&str> = record.merged_ids.iter().chain([&record.id]).map(String::as_str).collect();
        let links = merge_links(parts(&project).dir, &manifest.data, manifest.zone, &ids);
        record.links = match &manifest.data.store {
            // Files that were packed may be gone.
            Some(_) => links.unwrap_or_default(),
            None => links.map_err(Failure::new)?,
        };
    }
    match args.format {
        Format::Json => print_json(&json(&record, now))?,
        Format::Text => print_text(&text(&record, (now, said_by), manifest.zone, args.last))?,
    }
    Ok(Exit::Success)
}

fn record(batch: &Batch, row: usize, now: Timestamp) -> Record {
    let schema = batch.schema();
    let attributes = schema.attributes.iter().zip(0..).filter_map(|(field, at)| {
        let id = AttributeId(at);
        let value = match &field.ty {
            Type::Records(fields) => batch.attribute_column(id).and_then(|column| records(column, fields, row)),
            _ => batch.attribute(id, row, now).map(Known::Value),
        };
        let history = history(batch, id, row);
        let is_known = value.is_some() || !history.is_empty();
        is_known.then(|| Attribute { name: field.name.clone(), value, history })
    });
    let mut events = Vec::new();
    for (event, at) in schema.events.iter().zip(0..) {
        let Some(of_name) = batch.events(EventId(at)) else { continue };
        for idx in of_name.range(row) {
            let properties = event.properties.iter().zip(0..).filter_map(|(field, at)| {
                let known = match &field.ty {
                    Type::Records(fields) => records(of_name.property_column(PropertyId(at))?, fields, idx)?,
                    _ => Known::Value(of_name.property(PropertyId(at), idx)?),
                };
                Some((field.name.clone(), known))
            });
            let (time, arrival) = (of_name.time(idx), of_name.arrival(idx).unwrap_or(0));
            events.push(Event { name: event.name.clone(), time, arrival, properties: properties.collect() });
        }
    }
    events.sort_by_key(|event| (event.time, event.arrival));
    Record {
        id: batch.id(row).to_owned(),
        merged_ids: batch.merged_ids(row).map(str::to_owned).collect(),
        links: Vec::new(),
        exists_from: batch.exists_from(row),
        attributes: attributes.collect(),
        events,
    }
}

fn history(batch: &Batch, id: AttributeId, row: usize) -> Vec<(Option<Timestamp>, Option<Value>)> {
    let Some(history) = batch.history(id) else { return Vec::new() };
    let time = |idx: usize| Some(history.time(idx)).filter(|time| *time > Timestamp::MIN);
    history.range(row).map(|idx| (time(idx), history.value(idx))).collect()
}

/// The records of a list, each with its fields.
fn records(column: &Column, fields: &[(String, Type)], row: usize) -> Option<Known> {
    let record = |at: usize| {
        let fields = column.fields().iter().zip(fields);
        fields.filter_map(|(column, (name, _))| Some((name.clone(), column.value(at)?))).collect()
    };
    Some(Known::Records(column.records(row)?.map(record).collect()))
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Known::Value(value) => write!(f, "{value}"),
            Known::Records(records) => {
                let record = |fields: &Vec<(String, Value)>| {
                    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name} {value}")).collect();
                    format!("({})", fields.join(", "))
                };
                f.write_str(&records.iter().map(record).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Known {
    fn json(&self) -> serde_json::Value {
        match self {
            Known::Value(value) => json_value(value),
            Known::Records(records) => records.iter().map(|record| json_fields(record)).collect(),
        }
    }
}

fn json_fields(fields: &[(String, Value)]) -> serde_json::Value {
    fields.iter().map(|(name, value)| (name.clone(), json_value(value))).collect()
}

/// A value as JSON has it; money, days and instants are texts.
fn json_value(value: &Value) -> serde_json::Value {
    match value {
        Value::Boolean(b) => (*b).into(),
        Value::Integer(n) => i64::try_from(*n).map_or_else(|_| n.to_string().into(), Into::into),
        Value::Number(n) => (*n).into(),
        Value::Text(text) => text.clone().into(),
        Value::List(items) => items.iter().map(json_value).collect(),
        Value::Money(_) | Value::Timestamp(_) | Value::Date(_) => value.to_string().into(),
    }
}

fn shown(value: Option<&impl ToString>) -> String {
    value.map_or("no value".to_owned(), ToString::to_string)
}

fn text(record: &Record, (now, said_by): (Timestamp, &str), zone: Option<Zone>, last: usize) -> String {
    let time = |at: Timestamp| at.in_zone(zone).to_string();
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(out, "{} at {} (from {said_by})", record.id.escape_debug(), time(now));
    match record.exists_from {
        Some(from) if from > now => {
            let _ = writeln!(out, "  not known yet: from {} on", time(from));
        }
        Some(from) => {
            let _ = writeln!(out, "  known since {}", time(from));
        }
        None => {}
    }
    if !record.merged_ids.is_empty() {
        let ids: Vec<String> = record.merged_ids.iter().map(|id| id.escape_debug().to_string()).collect();
        let _ = writeln!(out, "  also {}", ids.join(", "));
    }
    for MergeLink { from, into, place, call, message_id } in &record.links {
        let message = message_id.as_ref().map_or(String::new(), |id| format!(", message {}", id.escape_debug()));
        let call = call.map_or(String::new(), |call| format!(" ({call}{message})"));
        let _ = writeln!(out, "    {} is {} by {place}{call}", from.escape_debug(), into.escape_debug());
    }
    if !record.attributes.is_empty() {
        out.push_str("attributes\n");
    }
    let width = record.attributes.iter().map(|attribute| attribute.name.chars().count()).max().unwrap_or(0);
    for Attribute { name, value, history } in &record.attributes {
        let _ = writeln!(out, "  {name:width$}  {}", shown(value.as_ref()));
        for (at, value) in history.iter().filter(|_| history.len() > 1) {
            let since = at.map_or("before".to_owned(), time);
            let later = if at.is_some_and(|at| at > now) { "  later" } else { "" };
            let _ = writeln!(out, "  {:width$}    {since}  {}{later}", "", shown(value.as_ref()));
        }
    }
    let n = record.events.len();
    let from = n.saturating_sub(last);
    let rest = if from == 0 { String::new() } else { format!(", the last {}", grouped((n - from) as u64)) };
    let _ = writeln!(out, "events: {}{rest}", grouped(n as u64));
    for event in record.events.iter().skip(from) {
        let properties = event.properties.iter().map(|(name, value)| format!("  {name} {value}"));
        let later = if event.time > now { "  later" } else { "" };
        let _ = writeln!(out, "  {}  {}{later}{}", time(event.time), event.name, properties.collect::<String>());
    }
    out
}

fn json(record: &Record, now: Timestamp) -> serde_json::Value {
    let attributes = record.attributes.iter().map(|attribute| {
        let history = attribute.history.iter().map(|(at, value)| {
            serde_json::json!({ "at": at.map(|at| at.to_string()), "value": value.as_ref().map(json_value) })
        });
        let (history, value): (Vec<_>, _) = (history.collect(), attribute.value.as_ref().map(Known::json));
        serde_json::json!({ "name": attribute.name, "value": value, "history": history })
    });
    let events = record.events.iter().map(|event| {
        let properties = event.properties.iter().map(|(name, known)| (name.clone(), known.json()));
        let properties: serde_json::Map<_, _> = properties.collect();
        serde_json::json!({ "event": event.name, "time": event.time.to_string(), "properties": properties })
    });
    let links = record.links.iter().map(|link| {
        let MergeLink { from, into, place, call, message_id } = link;
        serde_json::json!({
            "from": from,
            "into": into,
            "file": place.file,
            "line": place.line,
            "call": call,
            "message_id": message_id,
        })
    });
    serde_json::json!({
        "at": now.to_string(),
        "id": record.id,
        "merged_ids": record.merged_ids,
        "merges": links.collect::<Vec<_>>(),
        "exists_from": record.exists_from.map(|from| from.to_string()),
        "attributes": attributes.collect::<Vec<_>>(),
        "events": events.collect::<Vec<_>>(),
    })
}
