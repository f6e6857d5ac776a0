//! Some days of data by chance, for several tests.

use crate::chance::Chance;
use seg_data::{AttributeId, Batch, EventId, PropertyId, Schema, Timestamp};
use seg_io::manifest::{Data, parse};
use seg_io::store::{PackRequest, Packing};
use seg_io::{LoadRequest, ReadError, load};
use std::fmt::Write as _;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

pub const SCHEMA: &str = r#"
event_id = "key"

[attributes]
country = "text"
spent = "money"
plan = { type = "text", history = true }
tags = "list of text"

[events.Bought]
properties = { amount = "money", title = "text", key = "text" }

[events.Seen]
[events.Seen.properties]
page = "text"
lines = { type = "list of records", fields = { sku = "text", n = "integer" } }
"#;

pub fn schema(with_event_id: bool) -> Arc<Schema> {
    let text = if with_event_id { SCHEMA.to_owned() } else { SCHEMA.replace("event_id = \"key\"\n", "") };
    let (schema, problems) = seg_data::schema::parse(&text);
    assert!(problems.is_empty(), "{problems:?}");
    Arc::new(schema)
}

pub fn data(rows: &str, with_merges: bool, is_stored: bool) -> Data {
    let merges = "[data.merges]\nfiles = [\"merges/*.ndjson\"]\nfrom = \"from\"\ninto = \"into\"\n";
    let text = format!(
        "name = \"t\"\n[data]\n{}\n[data.profiles]\nfiles = [\"people/*.ndjson\"]\nid = \"id\"\ntime = \"time\"\n\
         rows = \"{rows}\"\n[data.events]\nfiles = [\"events/*.ndjson\"]\nid = \"id\"\nevent = \"event\"\n\
         time = \"time\"\n{}",
        if is_stored { "store = \"store\"" } else { "" },
        if with_merges { merges } else { "" }
    );
    parse(&text).expect("settings").data
}

pub fn threads(n: usize) -> NonZero<usize> {
    NonZero::new(n).expect("some threads")
}

pub fn packing(dir: &Path, data: &Data, schema: &Arc<Schema>, append: bool) -> Result<Packing, ReadError> {
    Packing::read(PackRequest {
        base: dir,
        data,
        schema,
        zone: None,
        append,
        threads: threads(2),
        memory: None,
        progress: None,
    })
}

pub fn batch(dir: &Path, data: &Data, schema: &Arc<Schema>) -> Batch {
    load(LoadRequest { threads: threads(2), ..LoadRequest::new(dir, data, schema) }).expect("data").batch
}

/// Everything that a batch knows of everybody, a person a line, in the order of their ids.
pub fn people(batch: &Batch) -> Vec<String> {
    let schema = Arc::clone(batch.schema());
    let names: Vec<EventId> = (0..schema.events.len() as u32).map(EventId).collect();
    for id in &names {
        batch.check_events(*id).expect("sound");
    }
    let merged = seg_data::batch::MergedEvents::new(batch, &names);
    let instants = [Timestamp::MIN, at(2), at(5), at(9), at(14), at(99)];
    let read: Vec<Batch> = instants.iter().map(|now| batch.as_of(*now).into_owned()).collect();
    let mut people = Vec::new();
    for row in 0..batch.len() {
        let mut line = format!("{} from {:?}", batch.id(row), batch.exists_from(row));
        let _ = write!(line, " merged {:?}", batch.merged_ids(row).collect::<Vec<_>>());
        for (now, batch) in instants.iter().zip(&read) {
            for id in (0..schema.attributes.len() as u32).map(AttributeId) {
                batch.check_attribute(id).expect("sound");
                let _ = write!(line, " {:?}", batch.attribute(id, row, *now));
            }
        }
        let own = merged.offsets()[row] as usize..merged.offsets()[row + 1] as usize;
        for at in own {
            let id = names[merged.sources()[at] as usize];
            let events = batch.events(id).expect("events");
            let place = merged.places()[at] as usize;
            let event = schema.event(id).expect("an event");
            let _ = write!(line, "\n  {} {}", merged.times()[at], event.name);
            for (nth, property) in event.properties.iter().enumerate() {
                let property_id = PropertyId(nth as u32);
                batch.check_property(id, property_id).expect("sound");
                let _ = write!(line, " {}={:?}", property.name, events.property(property_id, place));
            }
        }
        people.push(line);
    }
    people.sort();
    people
}

/// Days of 2026, in microseconds.
pub fn at(day: i64) -> Timestamp {
    let start = Timestamp::parse("2026-01-01T00:00:00Z", None).expect("an instant");
    Timestamp(start.0 + day * 86_400_000_000)
}

/// Rows of some days by chance: people who come and become one, attributes that change,
/// events that are late, come twice or share an instant.
pub struct Days {
    pub people: Vec<String>,
    pub events: Vec<String>,
    pub merges: Vec<String>,
}

/// Some days of rows of some people, with so many times as many rows a day as a few.
pub fn days_of(chance: &mut Chance, n: usize, with_merges: bool, (ids, times): (&[String], usize)) -> Days {
    let mut days = Days { people: Vec::new(), events: Vec::new(), merges: Vec::new() };
    for day in 0..n {
        let (mut people, mut events, mut merges) = (String::new(), String::new(), String::new());
        let id = |chance: &mut Chance| &ids[chance.below(ids.len().min((3 + 2 * day) * times))];
        let time = |chance: &mut Chance| at(chance.below(4 + 3 * day) as i64);
        let text = |chance: &mut Chance| ["a", "b", "DE", "straße"][chance.below(4)];
        for _ in 0..chance.below(6 * times) {
            let mut row = serde_json::json!({ "id": id(chance), "time": "" });
            let fields = row.as_object_mut().expect("an object");
            if chance.below(3) > 0 {
                fields.insert("time".to_owned(), time(chance).to_string().into());
            }
            for name in ["country", "plan"] {
                if chance.below(2) > 0 {
                    fields.insert(name.to_owned(), text(chance).into());
                }
            }
            if chance.below(2) > 0 {
                fields.insert("spent".to_owned(), (chance.below(100) as f64 / 4.0).into());
            }
            if chance.below(3) == 0 {
                fields.insert("tags".to_owned(), vec![text(chance), text(chance)].into());
            }
            let _ = writeln!(people, "{row}");
        }
        for _ in 0..chance.below(14 * times) {
            let (name, time) = (["Bought", "Seen"][chance.below(2)], time(chance));
            let mut row = serde_json::json!({ "id": id(chance), "event": name, "time": time.to_string() });
            let fields = row.as_object_mut().expect("an object");
            match name {
                "Bought" => {
                    fields.insert("amount".to_owned(), (chance.below(40) as i64).into());
                    if chance.below(2) > 0 {
                        fields.insert("title".to_owned(), text(chance).into());
                    }
                    // Whoever repeats an id repeats the event, as a sender does that was not answered.
                    if chance.below(2) > 0 {
                        fields.insert("key".to_owned(), format!("k{}", chance.below(9 * times)).into());
                    }
                }
                _ => {
                    fields.insert("page".to_owned(), text(chance).into());
                    if chance.below(3) == 0 {
                        let lines = serde_json::json!([{ "sku": text(chance), "n": 1 }, { "sku": text(chance) }]);
                        fields.insert("lines".to_owned(), lines);
                    }
                }
            }
            let _ = writeln!(events, "{row}");
        }
        for _ in (0..times).filter(|_| with_merges) {
            if chance.below(3) > 0 {
                continue;
            }
            let _ = writeln!(merges, "{}", serde_json::json!({ "from": id(chance), "into": id(chance) }));
        }
        days.people.push(people);
        days.events.push(events);
        days.merges.push(merges);
    }
    days
}

/// Writes the rows of a day.
pub fn put(dir: &Path, days: &Days, day: usize) {
    let rows = [("people", &days.people), ("events", &days.events), ("merges", &days.merges)];
    for (kind, rows) in rows {
        std::fs::create_dir_all(dir.join(kind)).expect("a folder");
        std::fs::write(dir.join(kind).join(format!("{day:02}.ndjson")), &rows[day]).expect("written");
    }
}
