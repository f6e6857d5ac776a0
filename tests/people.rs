//! People written down as JSON.

use crate::folder::Folder;
use seg::{Batch, Schema, Timestamp, Zone};
use seg_io::LoadRequest;
use seg_io::manifest::{Data, EventFiles, MergeFiles, ProfileFiles, Reading};
use seg_io::store::{PackRequest, Packing};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

/// People from lines of JSON: `{"id": "ann", "country": "DE", "events": [{"event":
/// "Order Completed", "time": "3 days ago", "amount": 5}]}`. Times may be said
/// as so long before `now`, with `+ 1 us` or `- 1 us` behind. `"changes": [{"time":
/// "3 days ago", "country": "FR"}]` are what attributes became later than what the
/// line itself says, and `"merged_into": "ann"` says whose id this is, too. With
/// `"row": false` nothing is known but events and changes.
pub fn people(lines: &str, schema: &Arc<Schema>, zone: Option<Zone>, now: Timestamp) -> Batch {
    Rows::of(lines, now).read(schema, zone)
}

/// The same people by way of a packed store, to which their rows came in so many packings:
/// of everybody first the first rows, then those behind.
pub fn people_of_store(
    lines: &str,
    schema: &Arc<Schema>,
    (zone, now): (Option<Zone>, Timestamp),
    n_packings: usize,
) -> Batch {
    let rows = Rows::of(lines, now);
    let dir = Folder::new();
    let data = Data { store: Some("store".into()), ..rows.data() };
    for nth in 0..n_packings {
        rows.write(dir.path(), nth, n_packings);
        let packing = Packing::read(PackRequest {
            base: dir.path(),
            data: &data,
            schema,
            zone,
            append: nth > 0,
            threads: NonZero::<usize>::MIN,
            memory: None,
            progress: None,
        });
        packing.and_then(|packing| packing.write(None)).expect("the people are packed");
    }
    loaded(dir.path(), &data, schema, zone)
}

/// The rows of some people, each with whose it is.
#[derive(Default)]
pub(crate) struct Rows {
    pub profiles: Vec<(usize, String)>,
    pub events: Vec<(usize, String)>,
    pub merges: Vec<(usize, String)>,
    pub has_times: bool,
}

impl Rows {
    pub fn of(lines: &str, now: Timestamp) -> Rows {
        let (mut rows, mut profiles) = (Rows::default(), Vec::new());
        for (nth, line) in lines.lines().filter(|l| !l.trim().is_empty()).enumerate() {
            let mut person: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in {line}"));
            let id = person.get("id").cloned().expect("every person has an id");
            for event in person.remove("events").and_then(|e| e.as_array().cloned()).unwrap_or_default() {
                let mut event = event.as_object().cloned().expect("an event is an object");
                event.insert("id".into(), id.clone());
                resolve_times(&mut event, now);
                rows.events.push((nth, serde_json::Value::Object(event).to_string()));
            }
            if let Some(into) = person.remove("merged_into") {
                rows.merges.push((nth, serde_json::json!({ "from": id, "into": into }).to_string()));
            }
            let changes = person.remove("changes").and_then(|c| c.as_array().cloned()).unwrap_or_default();
            resolve_times(&mut person, now);
            if person.remove("row") != Some(false.into()) {
                profiles.push((nth, person));
            }
            for change in changes {
                let mut change = change.as_object().cloned().expect("a change is an object");
                change.insert("id".into(), id.clone());
                resolve_times(&mut change, now);
                profiles.push((nth, change));
                rows.has_times = true;
            }
        }
        for (nth, mut row) in profiles {
            if rows.has_times {
                // Every part of the rows has a column of times, though it may have no time.
                row.entry("time").or_insert_with(|| "".into());
            }
            rows.profiles.push((nth, serde_json::Value::Object(row).to_string()));
        }
        rows
    }

    fn data(&self) -> Data {
        let files = |kind: &str| vec![format!("{kind}-*.ndjson")];
        let merges = MergeFiles {
            files: files("merges"),
            from: "from".into(),
            into: "into".into(),
            reading: Reading::default(),
        };
        Data {
            profiles: vec![ProfileFiles {
                time: self.has_times.then(|| "time".into()),
                ..ProfileFiles::new(files("profiles"), "id")
            }],
            merges: (!self.merges.is_empty()).then_some(merges).into_iter().collect(),
            // A person without events leaves an empty file, which has no columns.
            events: (!self.events.is_empty())
                .then(|| EventFiles::new(files("events"), "id", "event", "time"))
                .into_iter()
                .collect(),
            ..Data::default()
        }
    }

    /// Writes the nth of so many parts. Of whom nobody is merged with each person's rows are
    /// cut; where ids become one, the rows of all are, so that which came first stays as it is.
    fn write(&self, dir: &Path, nth: usize, n_parts: usize) {
        for (kind, rows) in [("profiles", &self.profiles), ("events", &self.events), ("merges", &self.merges)] {
            let mut text = String::new();
            let mut at = 0;
            while at < rows.len() {
                let is_own = |row: &(usize, String)| !self.merges.is_empty() || row.0 == rows[at].0;
                let n = rows[at..].iter().take_while(|row| is_own(row)).count();
                let part = at + n * nth / n_parts..at + n * (nth + 1) / n_parts;
                rows[part].iter().for_each(|(_, row)| text.push_str(&format!("{row}\n")));
                at += n;
            }
            std::fs::write(dir.join(format!("{kind}-{nth}.ndjson")), text).expect("written");
        }
    }

    fn read(&self, schema: &Arc<Schema>, zone: Option<Zone>) -> Batch {
        let dir = Folder::new();
        self.write(dir.path(), 0, 1);
        loaded(dir.path(), &self.data(), schema, zone)
    }
}

fn loaded(dir: &Path, data: &Data, schema: &Arc<Schema>, zone: Option<Zone>) -> Batch {
    let request = LoadRequest { zone, ..LoadRequest::new(dir, data, schema) };
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

/// The instant that a text such as `90 minutes ago` means.
pub fn relative(text: &str, now: Timestamp) -> Option<Timestamp> {
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
