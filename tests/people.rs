//! People written down as JSON.

use crate::folder::Folder;
use seg::{Batch, Schema, Timestamp, Zone};
use seg_io::LoadRequest;
use seg_io::manifest::{Data, EventFiles, MergeFiles, ProfileFiles, Reading};
use std::sync::Arc;

/// People from lines of JSON: `{"id": "ann", "country": "DE", "events": [{"event":
/// "Order Completed", "time": "3 days ago", "amount": 5}]}`. Times may be said
/// as so long before `now`, with `+ 1 us` or `- 1 us` behind. `"changes": [{"time":
/// "3 days ago", "country": "FR"}]` are what attributes became later than what the
/// line itself says, and `"merged_into": "ann"` says whose id this is, too. With
/// `"row": false` nothing is known but events and changes.
pub fn people(lines: &str, schema: &Arc<Schema>, zone: Option<Zone>, now: Timestamp) -> Batch {
    let mut profiles = String::new();
    let (mut events, mut merges) = (String::new(), String::new());
    let mut has_times = false;
    for line in lines.lines().filter(|l| !l.trim().is_empty()) {
        let mut person: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line}"));
        let id = person.get("id").cloned().expect("every person has an id");
        for event in person.remove("events").and_then(|e| e.as_array().cloned()).unwrap_or_default() {
            let mut event = event.as_object().cloned().expect("an event is an object");
            event.insert("id".into(), id.clone());
            resolve_times(&mut event, now);
            events.push_str(&format!("{}\n", serde_json::Value::Object(event)));
        }
        if let Some(into) = person.remove("merged_into") {
            merges.push_str(&format!("{}\n", serde_json::json!({ "from": id, "into": into })));
        }
        let changes = person.remove("changes").and_then(|c| c.as_array().cloned()).unwrap_or_default();
        resolve_times(&mut person, now);
        if person.remove("row") != Some(false.into()) {
            profiles.push_str(&format!("{}\n", serde_json::Value::Object(person)));
        }
        for change in changes {
            let mut change = change.as_object().cloned().expect("a change is an object");
            change.insert("id".into(), id.clone());
            resolve_times(&mut change, now);
            profiles.push_str(&format!("{}\n", serde_json::Value::Object(change)));
            has_times = true;
        }
    }
    let dir = Folder::new();
    std::fs::write(dir.path().join("profiles.ndjson"), profiles).expect("written");
    std::fs::write(dir.path().join("events.ndjson"), events).expect("written");
    std::fs::write(dir.path().join("merges.ndjson"), &merges).expect("written");
    let data = Data {
        profiles: vec![ProfileFiles {
            time: has_times.then(|| "time".into()),
            ..ProfileFiles::new(vec!["profiles.ndjson".into()], "id")
        }],
        merges: (!merges.is_empty())
            .then(|| MergeFiles {
                files: vec!["merges.ndjson".into()],
                from: "from".into(),
                into: "into".into(),
                reading: Reading::default(),
            })
            .into_iter()
            .collect(),
        events: vec![EventFiles::new(vec!["events.ndjson".into()], "id", "event", "time")],
        ..Data::default()
    };
    // A person without events leaves an empty file, which has no columns.
    let data = if std::fs::metadata(dir.path().join("events.ndjson")).is_ok_and(|m| m.len() == 0) {
        Data { events: Vec::new(), ..data }
    } else {
        data
    };
    let request = LoadRequest { zone, ..LoadRequest::new(dir.path(), &data, schema) };
    let loaded = seg_io::load(request).expect("the people are read");
    use seg_io::ProblemKind::{RepeatedEvent, RequiredMissing, UnlistedProfile};
    let harmless = [RequiredMissing, RepeatedEvent, UnlistedProfile];
    let problems: Vec<_> = loaded.report.problems.iter().filter(|p| !harmless.contains(&p.kind)).collect();
    assert!(problems.is_empty(), "{problems:?}");
    loaded.batch
}

/// Replaces texts such as `90 minutes ago` by the instant they mean.
fn resolve_times(object: &mut serde_json::Map<String, serde_json::Value>, now: Timestamp) {
    for value in object.values_mut() {
        if let Some(instant) = value.as_str().and_then(|text| relative(text, now)) {
            *value = instant.to_string().into();
        }
    }
}

fn relative(text: &str, now: Timestamp) -> Option<Timestamp> {
    let (age, off) = match text.split_once(" ago") {
        Some((age, off)) => (age, off.trim()),
        None => ("", text.strip_prefix("now")?.trim()),
    };
    let off = match off {
        "" => 0,
        "+ 1 us" => 1,
        "- 1 us" => -1,
        other => panic!("`{other}` after `ago`"),
    };
    if age.trim().is_empty() {
        return Some(Timestamp(now.0 + off));
    }
    let (count, unit) = age.split_once(' ')?;
    let count: i64 = count.parse().ok()?;
    let micros = match unit.trim_end_matches('s') {
        "second" => 1_000_000,
        "minute" => 60_000_000,
        "hour" => 3_600_000_000,
        "day" => 86_400_000_000,
        _ => return None,
    };
    Some(Timestamp(now.0 - count * micros + off))
}
