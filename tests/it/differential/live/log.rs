//! The records of a history, and what a batch run makes of those that had arrived.

use super::super::edges::Chance;
use seg::{Batch, Schema, Timestamp, Zone};
use seg_io::LoadRequest;
use seg_io::manifest::{CallFiles, Data, MergeFiles, Reading};
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::Arc;

const DAY: i64 = 86_400_000_000;
/// Records further ahead than this are refused.
const AHEAD: i64 = DAY;
const KNOWN: [&str; 4] = ["ann", "bo", "7", "cy"];
const DEVICES: [&str; 3] = ["device-1", "device-2", "aaa"];

/// A record as it is sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub line: String,
    pub time: Option<Timestamp>,
}

/// What arrived when.
#[derive(Default)]
pub struct Log {
    arrived: Vec<(Sent, Timestamp)>,
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.arrived.iter().try_for_each(|(sent, at)| writeln!(f, "at {at}: {}", sent.line))
    }
}

impl Log {
    pub fn len(&self) -> u64 {
        self.arrived.len() as u64
    }

    pub fn arrive(&mut self, lines: Vec<Sent>, at: Timestamp) {
        self.arrived.extend(lines.into_iter().map(|line| (line, at)));
    }

    /// Takes away all but the first, and gives the others.
    pub fn cut(&mut self, n: u64) -> Vec<Sent> {
        self.arrived.split_off(n as usize).into_iter().map(|(sent, _)| sent).collect()
    }

    /// How many records tie ids.
    pub fn n_ties(&self) -> u64 {
        let ties = |(sent, _): &&(Sent, Timestamp)| {
            let of = |name: &str| sent.line.contains(&format!("\"{name}\":"));
            of("previousId") || of("into") || of("userId") && of("anonymousId")
        };
        self.arrived.iter().filter(ties).count() as u64
    }

    /// The records that count, oldest first: with the time that those without one arrived at,
    /// and with nothing of whom was forgotten later.
    fn counting(&self, schema: &Arc<Schema>, zone: Option<Zone>) -> Vec<Map<String, Value>> {
        let mut counting: Vec<Map<String, Value>> = Vec::new();
        for (sent, at) in &self.arrived {
            let Value::Object(mut record) = serde_json::from_str(&sent.line).expect("JSON") else { continue };
            if let Some(id) = record.get("forget").and_then(Value::as_str) {
                let batch = load(&counting, schema, zone);
                let row = batch.as_ref().and_then(|batch| batch.row_of(id));
                if let Some((batch, row)) = batch.as_ref().zip(row) {
                    let ids: Vec<&str> = batch.merged_ids(row).chain([batch.id(row)]).collect();
                    counting = counting.into_iter().filter_map(|record| without(record, &ids)).collect();
                }
                continue;
            }
            if sent.time.is_some_and(|time| time.0 > at.0 + AHEAD) {
                continue;
            }
            if sent.time.is_none() && !record.contains_key("into") {
                record.insert("timestamp".to_owned(), at.to_string().into());
            }
            counting.push(record);
        }
        counting
    }

    /// Everybody by the records that arrived; nobody where none did.
    pub fn batch(&self, schema: &Arc<Schema>, zone: Option<Zone>) -> Option<Batch> {
        load(&self.counting(schema, zone), schema, zone)
    }

    /// A record that has somebody forgotten.
    pub fn forget(&self, schema: &Arc<Schema>, zone: Option<Zone>, chance: &mut Chance) -> Option<Sent> {
        let batch = self.batch(schema, zone)?;
        let row = chance.below(batch.len().max(1) as u64) as usize;
        let ids: Vec<&str> = batch.merged_ids(row).chain([batch.id(row)]).collect();
        let id = ids[chance.below(ids.len() as u64) as usize];
        (!id.is_empty()).then(|| Sent { line: json!({ "forget": id }).to_string(), time: None })
    }
}

/// A record with nothing of some ids, if anything is left of it.
fn without(mut record: Map<String, Value>, ids: &[&str]) -> Option<Map<String, Value>> {
    let names = ["userId", "anonymousId", "previousId", "from", "into"];
    let is_gone = |record: &Map<String, Value>, name: &str| {
        record.get(name).and_then(Value::as_str).is_some_and(|id| ids.contains(&id))
    };
    if !names.iter().any(|name| is_gone(&record, name)) {
        return Some(record);
    }
    let owner = ["userId", "anonymousId"].into_iter().find(|name| record.contains_key(*name));
    let is_alias = record.get("type").and_then(Value::as_str) == Some("alias");
    if !is_alias && owner.is_some_and(|owner| !is_gone(&record, owner)) {
        record.remove("anonymousId");
        return Some(record);
    }
    // That an id is one of a device stays known.
    let device = record.get("anonymousId").filter(|_| !is_gone(&record, "anonymousId")).cloned()?;
    let Value::Object(rest) = json!({ "type": "alias", "anonymousId": device }) else { return None };
    Some(rest)
}

fn load(records: &[Map<String, Value>], schema: &Arc<Schema>, zone: Option<Zone>) -> Option<Batch> {
    let dir = seg_tests::Folder::new();
    let (mut calls, mut merges) = (String::new(), String::new());
    for record in records {
        let to = if record.contains_key("into") { &mut merges } else { &mut calls };
        to.push_str(&format!("{}\n", Value::Object(record.clone())));
    }
    if calls.is_empty() {
        return None;
    }
    std::fs::write(dir.path().join("calls.ndjson"), calls).expect("written");
    let mut data = Data { calls: vec![CallFiles { files: vec!["calls.ndjson".into()] }], ..Data::default() };
    if !merges.is_empty() {
        std::fs::write(dir.path().join("merges.ndjson"), merges).expect("written");
        data.merges = vec![MergeFiles {
            files: vec!["merges.ndjson".into()],
            from: "from".into(),
            into: "into".into(),
            reading: Reading::default(),
        }];
    }
    let request = LoadRequest { zone, ..LoadRequest::new(dir.path(), &data, schema) };
    let batch = seg_io::load(request).expect("the records are read").batch;
    (!batch.is_empty()).then_some(batch)
}

/// The records of a history, in the order in which they come: mostly that of their times.
pub fn records(people: &[String], now: Timestamp, chance: &mut Chance) -> Vec<Sent> {
    let mut all: Vec<(i64, Sent)> = Vec::new();
    for person in people {
        let person: Map<String, Value> =
            serde_json::from_str(&format!("{{{}}}", person.trim_start_matches([',', ' ']))).expect("a person");
        let mut traits = person.clone();
        let (events, changes) = (traits.remove("events"), traits.remove("changes"));
        let mut of_person: Vec<(Map<String, Value>, Option<String>)> = vec![(traits, None)];
        for change in changes.iter().filter_map(Value::as_array).flatten() {
            of_person.push((change.as_object().cloned().unwrap_or_default(), None));
        }
        for event in events.iter().filter_map(Value::as_array).flatten() {
            let mut event = event.as_object().cloned().unwrap_or_default();
            let name = event.remove("event").and_then(|name| name.as_str().map(str::to_owned));
            of_person.push((event, name));
        }
        let whose = (KNOWN[chance.below(4) as usize], DEVICES[chance.below(3) as usize]);
        for (mut values, event) in of_person {
            values.values_mut().for_each(|value| resolve(value, now));
            let time = values.remove("time").and_then(|time| Timestamp::read(time.as_str()?, None).ok());
            let record = call(values, event, whose, (time, all.len()), chance);
            let at = time.map_or(now.0 - chance.between((0, 30 * DAY)), |time| time.0.max(now.0 - 40 * DAY));
            all.push((at, Sent { line: record.to_string(), time }));
        }
    }
    for _ in 0..chance.below(4) {
        let at = now.0 - chance.between((0, 30 * DAY));
        all.push((at, tie(Timestamp(at), chance)));
    }
    all.sort_by_key(|(at, _)| *at);
    // Some come late.
    for _ in 0..all.len() / 4 {
        let from = chance.below(all.len() as u64) as usize;
        let record = all.remove(from);
        let to = from + chance.below((all.len() - from + 1) as u64) as usize;
        all.insert(to, record);
    }
    all.into_iter().map(|(_, sent)| sent).collect()
}

fn call(
    values: Map<String, Value>,
    event: Option<String>,
    (known, device): (&str, &str),
    (time, nth): (Option<Timestamp>, usize),
    chance: &mut Chance,
) -> Value {
    let mut record = json!({ "messageId": format!("m-{nth}") });
    let own = if event.is_some() { "properties" } else { "traits" };
    record["type"] = if event.is_some() { "track" } else { "identify" }.into();
    event.into_iter().for_each(|event| record["event"] = event.into());
    record[own] = Value::Object(values);
    match chance.below(4) {
        0 => record["anonymousId"] = device.into(),
        1 => (record["userId"], record["anonymousId"]) = (known.into(), device.into()),
        _ => record["userId"] = known.into(),
    }
    if let Some(time) = time {
        record["timestamp"] = time.to_string().into();
    }
    record
}

/// A record that says that ids are one.
fn tie(at: Timestamp, chance: &mut Chance) -> Sent {
    let (one, other) = (KNOWN[chance.below(4) as usize], KNOWN[chance.below(4) as usize]);
    let device = DEVICES[chance.below(3) as usize];
    let time = at.to_string();
    let line = match chance.below(4) {
        0 => json!({ "from": one, "into": other }),
        1 => json!({ "type": "alias", "previousId": one, "userId": other, "timestamp": time }),
        2 => json!({ "type": "alias", "previousId": device, "userId": other, "timestamp": time }),
        _ => json!({ "type": "identify", "userId": one, "anonymousId": device, "timestamp": time }),
    };
    let time = (!line.to_string().contains("\"into\"")).then_some(at);
    Sent { line: line.to_string(), time }
}

/// Replaces texts such as `1 day ago` by the instant that they mean.
fn resolve(value: &mut Value, now: Timestamp) {
    if let Some(instant) = value.as_str().and_then(|text| seg_tests::relative(text, now)) {
        *value = instant.to_string().into();
    }
}
