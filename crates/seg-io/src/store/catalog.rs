//! `MANIFEST`: what a store is made of. It is JSON, with the sum of its bytes behind it.

use super::location::Location;
use crate::manifest::Data;
use crate::open::Elsewhere;
use crate::report::{Problem, ReadError};
use crate::results::digest_of_text;
use seg_data::{Schema, Type, Zone};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::path::Path;

/// The name of the file that says what a store is made of.
pub const CATALOG_FILE: &str = "MANIFEST";

/// The name of the file that says into how many stores a packing was cut.
pub const PARTITIONS_FILE: &str = "PARTITIONS";

/// The layout that this version reads and writes.
const FORMAT: u32 = 1;

/// A file of a store as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredFile {
    /// Below the store.
    pub path: String,
    pub bytes: u64,
    pub crc32: u32,
}

/// What a store is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Catalog {
    pub format: u32,
    /// The project's time zone, by which local times were read.
    pub zone: Option<String>,
    /// A fingerprint of how `[data]` says that files are read.
    pub rules: String,
    /// What the schema said of everything that was packed.
    pub schema: BTreeMap<String, String>,
    pub n_people: u64,
    pub n_events: u64,
    /// how many events arrived, which orders events of one instant.
    pub n_arrived: i64,
    /// In microseconds, as all times.
    pub last_event: Option<i64>,
    pub n_rows: u64,
    pub problems: Vec<Problem>,
    /// The files that were packed, in the order in which they were.
    pub inputs: Vec<PackedInput>,
    pub attributes: BTreeMap<String, StoredColumn>,
    /// From when on each person exists; none where all always have.
    pub exists: Option<StoredFile>,
    /// Why so, for packing more.
    pub proofs: Option<StoredFile>,
    /// The ids that were merged into each person's.
    pub merged: Option<StoredFile>,
    /// Which ids are one, for packing more.
    pub records: Option<StoredFile>,
    /// Rows of people that later ones are compared with, for packing more.
    pub lines: Option<StoredLines>,
    /// Who is who by analytics calls and which of them came, for packing more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<StoredCalls>,
    /// The base, and what was added to it.
    pub generations: Vec<Generation>,
    /// Of how many generations the base is made: each has the events of some people, who are
    /// rows beside each other, after those of the one before.
    #[serde(default = "one")]
    pub n_parts: usize,
    /// Which of several stores it is that together hold what one packing read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
}

/// One of the stores into which a packing was cut, with what is told of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Partition {
    /// From 0.
    pub number: u32,
    pub of: u32,
    /// A fingerprint of the packing: partitions of two packings do not go together.
    pub packing: String,
    /// Which person of all each of these is, so that results can be put in order again.
    pub rows: Option<StoredFile>,
    /// The attributes that anybody has.
    pub attributes: BTreeSet<String>,
    /// The events of everybody, by their names.
    pub events: BTreeMap<String, EventsOfAll>,
}

/// What everybody's events of one name are, where a store has those of some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EventsOfAll {
    pub n_events: u64,
    pub last: i64,
    /// Those that any event has.
    pub properties: BTreeSet<String>,
}

fn one() -> usize {
    1
}

/// A column of values by person, of the first so many of them; the others have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredColumn {
    pub file: StoredFile,
    pub n_rows: u64,
    /// Whether it holds each person's values with their times.
    pub is_history: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredLines {
    pub file: StoredFile,
    /// For each source whether its files have each attribute.
    pub has: Vec<Vec<bool>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredCalls {
    pub identities: StoredFile,
    /// A packing after another.
    pub messages: Vec<StoredFile>,
}

/// What one packing added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Generation {
    pub number: u64,
    /// How many people were there before it, and how many it adds.
    pub n_before: u64,
    pub n_people: u64,
    /// The ids of those whom it adds.
    pub ids: StoredFile,
    /// how many events arrived before it.
    pub first_arrival: i64,
    pub events: Vec<StoredEvents>,
}

/// The events of one name that one packing added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredEvents {
    pub name: String,
    pub n_events: u64,
    pub first: i64,
    pub last: i64,
    /// Whose lists these are, by their rows; everybody's where it is not said.
    pub people: Option<StoredFile>,
    pub offsets: StoredFile,
    pub times: StoredFile,
    /// As which of all they arrived, where people may become one.
    pub arrivals: Option<StoredFile>,
    /// The same of those alone that share an instant with another of their person.
    pub ties: Option<StoredFile>,
    /// A property that no event has is left out.
    pub properties: BTreeMap<String, StoredFile>,
}

impl StoredEvents {
    fn files(&self) -> impl Iterator<Item = &StoredFile> {
        let optional = self.people.iter().chain(&self.arrivals).chain(&self.ties);
        [&self.offsets, &self.times].into_iter().chain(optional).chain(self.properties.values())
    }
}

/// A file that was packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedInput {
    /// The kind of its source: `profiles`, `events`, `merges` or `calls`.
    pub kind: String,
    /// Which of the sources of the kind, from 0.
    pub source: usize,
    /// As the project names it.
    pub name: String,
    /// Its length when it was packed.
    pub bytes: u64,
}

impl Catalog {
    /// Every file that is part of the store.
    pub fn files(&self) -> impl Iterator<Item = &StoredFile> {
        let optional = [&self.exists, &self.proofs, &self.merged, &self.records].into_iter().flatten();
        let attributes = self.attributes.values().map(|column| &column.file);
        let generations = self.generations.iter().flat_map(|generation| {
            std::iter::once(&generation.ids).chain(generation.events.iter().flat_map(StoredEvents::files))
        });
        let rows = self.partition.iter().filter_map(|partition| partition.rows.as_ref());
        let calls = self.calls.iter().flat_map(|calls| std::iter::once(&calls.identities).chain(&calls.messages));
        let optional = optional.chain(calls);
        optional.chain(self.lines.iter().map(|lines| &lines.file)).chain(attributes).chain(generations).chain(rows)
    }

    /// How long each file was that was packed, by the kind and the number of its source and its
    /// name.
    pub fn packed(&self) -> HashMap<(&str, usize, &str), u64> {
        self.inputs.iter().map(|i| ((i.kind.as_str(), i.source, i.name.as_str()), i.bytes)).collect()
    }

    /// The bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files().map(|file| file.bytes).sum()
    }

    /// As it is written.
    pub fn to_text(&self) -> serde_json::Result<String> {
        let json = serde_json::to_string_pretty(self)?;
        Ok(format!("{json}\n{:08x}\n", crc32fast::hash(json.as_bytes())))
    }

    /// Reads it from where a store lies.
    ///
    /// # Errors
    /// No store, one of another version, or one whose catalog is not as it was written.
    pub fn read(place: &Location) -> Result<Catalog, ReadError> {
        let error = |what: &str| ReadError::new(place.name(), what);
        let is_in_folder = |is: fn(&Path) -> bool| place.folder().is_some_and(is);
        let text = match place.read(CATALOG_FILE) {
            Ok(text) => text,
            Err(_) if is_in_folder(|root| root.join(PARTITIONS_FILE).exists()) => {
                let first = place.name_of("0");
                let why = "this folder holds the partitions of a store, each in a folder of its own; name one of them";
                return Err(error(&format!("{why}: `--store {first}`")));
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && is_in_folder(Path::is_dir) => {
                return Err(error("there is no store in this folder; `seg pack` makes it"));
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(error("there is no store yet; `seg pack` makes it"));
            }
            Err(e) => return Err(error(&e.to_string())),
        };
        let damaged =
            || error("the store is damaged: its `MANIFEST` is not as it was written; `seg pack` makes it again");
        let text = String::from_utf8(text).map_err(|_| damaged())?;
        let (json, sum) = text.trim_end_matches('\n').rsplit_once('\n').ok_or_else(damaged)?;
        if format!("{:08x}", crc32fast::hash(json.as_bytes())) != sum {
            return Err(damaged());
        }
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let version: Version = serde_json::from_str(json).map_err(|_| damaged())?;
        if version.format != FORMAT {
            return Err(error(&format!(
                "this store is of version {}, and this `seg` reads version {FORMAT}; `seg pack` makes it again",
                version.format
            )));
        }
        serde_json::from_str(json).map_err(|_| damaged())
    }

    /// A catalog of nothing.
    pub fn empty(data: &Data, schema: &Schema, zone: Option<Zone>) -> Catalog {
        Catalog {
            format: FORMAT,
            zone: zone.map(|zone| zone.name().to_owned()),
            rules: rules(data),
            schema: said(schema),
            n_people: 0,
            n_events: 0,
            n_arrived: 0,
            last_event: None,
            n_rows: 0,
            problems: Vec::new(),
            inputs: Vec::new(),
            attributes: BTreeMap::new(),
            exists: None,
            proofs: None,
            merged: None,
            records: None,
            lines: None,
            calls: None,
            generations: Vec::new(),
            n_parts: 1,
            partition: None,
        }
    }

    /// What everybody's data is made of, for a store of some of them.
    pub fn told_of_all(&self) -> (BTreeSet<String>, BTreeMap<String, EventsOfAll>) {
        let mut events: BTreeMap<String, EventsOfAll> = BTreeMap::new();
        for stored in self.generations.iter().flat_map(|generation| &generation.events) {
            let none = EventsOfAll { n_events: 0, last: stored.last, properties: BTreeSet::new() };
            let all = events.entry(stored.name.clone()).or_insert(none);
            all.n_events += stored.n_events;
            all.last = all.last.max(stored.last);
            all.properties.extend(stored.properties.keys().cloned());
        }
        (self.attributes.keys().cloned().collect(), events)
    }

    /// The rows of the people of each part of the base; who came later is in the last.
    pub fn parts(&self) -> Vec<Range<usize>> {
        let n_people = usize::try_from(self.n_people).unwrap_or_default();
        let base = self.generations.iter().take(self.n_parts);
        let mut parts: Vec<Range<usize>> =
            base.map(|part| part.n_before as usize..(part.n_before + part.n_people) as usize).collect();
        if let Some(last) = parts.last_mut() {
            last.end = n_people;
        }
        parts
    }

    /// What of a schema or of the zone is otherwise than when the store was packed, in words,
    /// where that matters to what is asked of it.
    pub fn differs(&self, schema: &Schema, zone: Option<Zone>) -> Option<String> {
        let zone_name = zone.map(|zone| zone.name().to_owned());
        if zone_name != self.zone {
            let named = |zone: &Option<String>| zone.as_ref().map_or("without one".to_owned(), |z| format!("`{z}`"));
            return Some(format!("the time zone is {}, and the store was packed {}", named(&zone_name), {
                if self.zone.is_some() { format!("with {}", named(&self.zone)) } else { named(&self.zone) }
            }));
        }
        let now = said(schema);
        for (name, what) in &now {
            match self.schema.get(name) {
                Some(known) if known == what => {}
                Some(known) => return Some(format!("{name} is {what} in the schema, and {known} in the store")),
                None => return Some(format!("{name} is in the schema, and was not when the store was packed")),
            }
        }
        // What tells events apart decided what was kept.
        let settings = ["the event id", "the time since which somebody is known"];
        let gone = settings.into_iter().find(|name| self.schema.contains_key(*name) && !now.contains_key(*name));
        gone.map(|name| format!("{name} is no longer in the schema, and was when the store was packed"))
    }
}

/// A fingerprint of how files are read, of which files they are aside.
pub(super) fn rules(data: &Data) -> String {
    let mut data = data.clone();
    data.profiles.iter_mut().for_each(|source| source.files.clear());
    data.events.iter_mut().for_each(|source| source.files.clear());
    data.merges.iter_mut().for_each(|source| source.files.clear());
    data.calls.iter_mut().for_each(|source| source.files.clear());
    (data.store, data.elsewhere) = (None, Elsewhere::default());
    digest_of_text(&format!("{data:?}"))
}

/// What a schema says of everything that data has, by names that people know.
fn said(schema: &Schema) -> BTreeMap<String, String> {
    let mut said = BTreeMap::new();
    for field in &schema.attributes {
        let history = if field.keeps_history { " with its history" } else { "" };
        said.insert(format!("`{}`", field.name), format!("{}{history}", type_text(&field.ty)));
    }
    for event in &schema.events {
        said.insert(format!("event `{}`", event.name), "an event".to_owned());
        for field in &event.properties {
            said.insert(format!("`{}` of `{}`", field.name, event.name), type_text(&field.ty));
        }
    }
    let first_seen = schema.first_seen.and_then(|id| schema.attribute(id));
    let settings = [
        ("the event id", schema.event_id.clone()),
        ("the time since which somebody is known", first_seen.map(|field| field.name.clone())),
    ];
    said.extend(settings.into_iter().filter_map(|(name, what)| Some((name.to_owned(), format!("`{}`", what?)))));
    said
}

fn type_text(ty: &Type) -> String {
    match ty {
        Type::Records(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, ty)| format!("{name} {}", type_text(ty))).collect();
            format!("list of records ({})", fields.join(", "))
        }
        Type::Boolean
        | Type::Integer
        | Type::Number
        | Type::Money
        | Type::Text
        | Type::Timestamp
        | Type::Date
        | Type::List(_)
        | Type::Duration => ty.to_string(),
    }
}
