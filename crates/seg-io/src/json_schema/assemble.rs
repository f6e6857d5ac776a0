//! What documents describe, put together as one schema.

use super::document::{Found, FoundEvent};
use super::fields::Described;
use super::read::{Reader, Spot};
use super::{GuessWords, PlanProblem, RemarkKind};
use crate::infer::english::Words;
use seg_data::schema::{
    Channel, Event, Field, Group, Noun, PlaceOf, Role, Schema, SchemaProblem, Verb, is_name, parse, parse_period,
    to_toml,
};
use seg_data::{AttributeId, EventId, Period};
use std::collections::{HashMap, HashSet};

/// A name without what spellings differ in: case, blanks, `_` and `-`.
pub(crate) fn without_spelling(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// A schema with where each of its parts is described.
pub(super) struct Assembled<'p> {
    pub schema: Schema,
    /// The places of the attributes, then of each event and its properties, in order.
    spots: Vec<Spot<'p>>,
    whole: Option<Spot<'p>>,
    /// Whether Seg wrote the plan, so that nothing has to be guessed.
    is_own: bool,
}

impl<'p> Assembled<'p> {
    /// Puts together what was found; what is wrong with it is told to the reader.
    pub fn new(reader: &mut Reader, found: Found<'p>) -> Assembled<'p> {
        let Found { attributes, events, everywhere, wholes } = found;
        let is_own = wholes.iter().any(|whole| whole.node.get("x-seg-schema").is_some());
        let events = unique_events(reader, events);
        let of_events: HashSet<String> = events.iter().map(|event| event.name.clone()).collect();
        let (mut schema, mut spots) = (Schema::default(), Vec::new());
        for Described { field, spot } in unique(reader, attributes, "attributes") {
            if of_events.contains(&field.name) {
                let message =
                    format!("the attribute `{}` was left out, for an event has its name", field.name.escape_debug());
                reader.remark(RemarkKind::LeftOut, &spot, message);
                continue;
            }
            schema.attributes.push(field);
            spots.push(spot);
        }
        for found in events {
            let (event, of_event) = event(reader, found, &everywhere);
            schema.events.push(event);
            spots.extend(of_event);
        }
        for whole in &wholes {
            whole_schema(reader, whole, &mut schema);
        }
        Assembled { schema, spots, whole: wholes.into_iter().next(), is_own }
    }

    /// The text of the schema, which is read as one without a problem, and whether words of it
    /// were guessed, if they may be.
    ///
    /// # Errors
    /// What no schema may say, where it was described.
    pub fn text(mut self, words: GuessWords) -> Result<(String, bool), Vec<PlanProblem>> {
        let plain = self.schema.clone();
        if !self.is_own && words == GuessWords::Yes {
            guess_words(&mut self.schema);
            let text = to_toml(&self.schema);
            if parse(&text).1.is_empty() {
                return Ok((text, self.schema != plain));
            }
            // A guess that does not fit is none.
            self.schema = plain;
        }
        let text = to_toml(&self.schema);
        let (read, problems) = parse(&text);
        if problems.is_empty() {
            return Ok((text, false));
        }
        let mut places: Vec<usize> = read.attributes.iter().map(|field| field.declared_at.start).collect();
        for event in &read.events {
            places.push(event.declared_at.start);
            places.extend(event.properties.iter().map(|field| field.declared_at.start));
        }
        Err(problems.into_iter().map(|problem| self.located(problem, &places)).collect())
    }

    /// A problem of the schema where what it is about was described.
    fn located(&self, problem: SchemaProblem, places: &[usize]) -> PlanProblem {
        let n_before = places.partition_point(|start| *start <= problem.at.start);
        let spot = n_before.checked_sub(1).and_then(|at| self.spots.get(at)).or(self.whole.as_ref());
        let message = match problem.help {
            Some(help) => format!("{}: {help}", problem.message),
            None => problem.message,
        };
        match spot {
            Some(spot) => PlanProblem::new(&spot.document.name, spot.line(), spot.pointer.clone(), message),
            None => PlanProblem::new("the schema", 1, String::new(), message),
        }
    }
}

/// The verbs, nouns and roles that the names of events say, where nothing is said of them.
fn guess_words(schema: &mut Schema) {
    let names: Vec<String> = schema.events.iter().map(|event| event.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let attributes = schema.attributes.iter().map(|field| field.name.as_str());
    let mut words = Words::new(attributes, &names);
    let mut n_spelled: HashMap<String, usize> = HashMap::new();
    names.iter().for_each(|name| *n_spelled.entry(without_spelling(name)).or_default() += 1);
    for event in &mut schema.events {
        // Two events of one name but for its spelling would have the same words.
        if n_spelled.get(&without_spelling(&event.name)) != Some(&1) {
            continue;
        }
        if event.verbs.is_empty() && event.nouns.is_empty() && event.role.is_none() {
            let guess = words.guess(&event.name);
            let verbs = guess.verbs.into_iter().filter(|words| are_plain(words));
            let noun = guess.noun.into_iter().filter(|words| are_plain(words));
            event.verbs = verbs.map(|base| Verb { base, past: None, participle: None }).collect();
            event.nouns = noun.map(|singular| Noun { singular, plural: None }).collect();
            event.role = guess.role.and_then(Role::parse);
        }
    }
}

/// Whether words are of letters alone, as all that sentences write without quotes.
fn are_plain(words: &str) -> bool {
    words.split(' ').all(|word| !word.is_empty() && word.chars().all(char::is_alphabetic))
}

/// Events of which no two have one name.
fn unique_events<'p>(reader: &mut Reader, events: Vec<FoundEvent<'p>>) -> Vec<FoundEvent<'p>> {
    let mut known: HashMap<String, String> = HashMap::new();
    let mut spelled: HashMap<String, String> = HashMap::new();
    let mut unique = Vec::new();
    for event in events {
        let shown = event.name.escape_debug().to_string();
        if !is_name(&event.name) {
            let rule = "a name has at least one character, none of them invisible, and no space at its ends";
            reader.problem(&event.spot, format!("`{shown}` cannot be the name of an event: {rule}"));
            continue;
        }
        let place = format!("{}:{}", event.spot.document.name, event.spot.line());
        if let Some(first) = known.insert(event.name.clone(), place.clone()) {
            reader.problem(&event.spot, format!("the event `{shown}` is described a second time, first in {first}"));
            continue;
        }
        respelled(reader, &mut spelled, (&event.name, &event.spot));
        unique.push(event);
    }
    unique
}

/// Tells of a name that is another but for its spelling.
fn respelled(reader: &mut Reader, spelled: &mut HashMap<String, String>, (name, spot): (&str, &Spot<'_>)) {
    if let Some(other) = spelled.get(&without_spelling(name)) {
        let (shown, other) = (name.escape_debug(), other.escape_debug());
        let message = format!(
            "`{shown}` differs from `{other}` by case, blanks, `_` or `-` alone; segments have to write each exactly"
        );
        reader.remark(RemarkKind::Advice, spot, message);
    } else {
        spelled.insert(without_spelling(name), name.to_owned());
    }
}

/// Fields of which no two have one name; the first counts.
fn unique<'p>(reader: &mut Reader, fields: Vec<Described<'p>>, what: &str) -> Vec<Described<'p>> {
    let mut known: HashSet<String> = HashSet::new();
    let mut spelled: HashMap<String, String> = HashMap::new();
    let mut unique = Vec::new();
    for described in fields {
        let name = &described.field.name;
        if !known.insert(name.clone()) {
            let message = format!("two of the {what} are called `{}`; the first was taken", name.escape_debug());
            reader.remark(RemarkKind::LeftOut, &described.spot, message);
            continue;
        }
        respelled(reader, &mut spelled, (name, &described.spot));
        unique.push(described);
    }
    unique
}

/// An event, and the places of it and of its properties.
fn event<'p>(reader: &mut Reader, found: FoundEvent<'p>, everywhere: &[Described<'p>]) -> (Event, Vec<Spot<'p>>) {
    let FoundEvent { name, spot, description, mut properties, words } = found;
    let own: HashSet<String> = properties.iter().map(|described| described.field.name.clone()).collect();
    let others = everywhere.iter().filter(|described| !own.contains(&described.field.name));
    properties
        .extend(others.map(|described| Described { field: described.field.clone(), spot: described.spot.clone() }));
    let (mut fields, mut spots): (Vec<Field>, Vec<Spot<'_>>) = (Vec::new(), vec![spot]);
    for Described { field, spot } in unique(reader, properties, &format!("properties of `{}`", name.escape_debug())) {
        if field.name == "time" {
            reader.remark(
                RemarkKind::LeftOut,
                &spot,
                "`time` was left out: when an event happened is no property of it",
            );
            continue;
        }
        fields.push(field);
        spots.push(spot);
    }
    let mut event = Event {
        name,
        also: Vec::new(),
        verbs: Vec::new(),
        nouns: Vec::new(),
        words: Vec::new(),
        description,
        role: None,
        arrives_within: None,
        properties: fields,
        declared_at: 0..0,
    };
    for (keyword, spot) in words.iter().flat_map(Spot::members) {
        match keyword {
            "x-seg-also" => event.also = reader.texts(&spot, keyword),
            "x-seg-role" => {
                let role = reader.text(&spot, keyword);
                event.role = role.and_then(Role::parse);
                if let (Some(role), None) = (role, event.role) {
                    let roles = "purchase, checkout, cart, view and message";
                    reader.problem(&spot, format!("`{}` is no role; the roles are {roles}", role.escape_debug()));
                }
            }
            "x-seg-arrives-within" => event.arrives_within = period(reader, &spot, keyword),
            "x-seg-verbs" => {
                let words = words_of(reader, &spot, ["verb", "past", "participle"]).into_iter();
                event.verbs = words
                    .map(|[base, past, participle]| Verb { base: base.unwrap_or_default(), past, participle })
                    .collect();
            }
            "x-seg-nouns" => {
                let words = words_of(reader, &spot, ["noun", "plural", ""]).into_iter();
                event.nouns = words
                    .map(|[singular, plural, _]| Noun { singular: singular.unwrap_or_default(), plural })
                    .collect();
            }
            // Read with all schemas.
            _ => {}
        }
    }
    (event, spots)
}

fn period(reader: &mut Reader, spot: &Spot<'_>, keyword: &str) -> Option<Period> {
    let text = reader.text(spot, keyword)?;
    let period = parse_period(text);
    if period.is_none() {
        let help = "write a number and a unit, such as \"15 minutes\" or \"400 days\"";
        reader.problem(spot, format!("`{}` is not a length of time: {help}", text.escape_debug()));
    }
    period
}

/// Words with their forms: texts, or objects with a text under each of some keys.
fn words_of(reader: &mut Reader, spot: &Spot<'_>, keys: [&str; 3]) -> Vec<[Option<String>; 3]> {
    let Some(items) = spot.items() else {
        reader.problem(spot, format!("`{}s` have to be a list, and are {}", keys[0], spot.node.word()));
        return Vec::new();
    };
    let mut words = Vec::new();
    for item in items {
        if item.node.members().is_empty() {
            let word = reader.text(&item, keys[0]).map(str::to_owned);
            words.extend(word.map(|word| [Some(word), None, None]));
            continue;
        }
        let forms = keys.map(|key| item.get(key).and_then(|form| reader.text(&form, key)).map(str::to_owned));
        match forms[0].is_some() {
            true => words.push(forms),
            false => reader.problem(&item, format!("this has no `{}`", keys[0])),
        }
    }
    words
}

/// What is said of a schema as a whole.
fn whole_schema(reader: &mut Reader, whole: &Spot<'_>, schema: &mut Schema) {
    let attribute = |schema: &Schema, name: &str| {
        let at = schema.attributes.iter().position(|field| field.name == name);
        at.map(|at| AttributeId(at as u32))
    };
    let named = |reader: &mut Reader, schema: &Schema, spot: &Spot<'_>, key: &str| {
        let name = reader.text(spot, key)?;
        let found = attribute(schema, name);
        if found.is_none() {
            reader.problem(spot, format!("`{}` is not an attribute of this plan", name.escape_debug()));
        }
        found
    };
    for (keyword, spot) in whole.members() {
        match keyword {
            "x-seg-currency" => schema.currency = reader.text(&spot, keyword).map(str::to_owned),
            "x-seg-event-id" => schema.event_id = reader.text(&spot, keyword).map(str::to_owned),
            "x-seg-retention" => schema.retention = period(reader, &spot, keyword),
            "x-seg-first-seen" => schema.first_seen = named(reader, schema, &spot, keyword),
            "x-seg-groups" => {
                for (name, group) in spot.members() {
                    let group = group_of(reader, schema, name, &group);
                    schema.groups.push(group);
                }
            }
            "x-seg-channels" => {
                for (name, channel) in spot.members() {
                    let consent = channel.get("consent");
                    let consent = consent.and_then(|consent| named(reader, schema, &consent, "consent"));
                    schema.channels.push(Channel { name: name.to_owned(), consent });
                }
            }
            "x-seg-places" => {
                for (name, place) in spot.members() {
                    let mut degrees = |key| {
                        let degrees = place.get(key);
                        if degrees.is_none() {
                            reader.problem(&place, format!("this place has no `{key}`"));
                        }
                        named(reader, schema, &degrees?, key)
                    };
                    if let (Some(latitude), Some(longitude)) = (degrees("latitude"), degrees("longitude")) {
                        schema.places.push(PlaceOf { name: name.to_owned(), latitude, longitude });
                    }
                }
            }
            _ => {}
        }
    }
}

fn group_of(reader: &mut Reader, schema: &Schema, name: &str, spot: &Spot<'_>) -> Group {
    let mut events = Vec::new();
    let members = spot.get("events").and_then(|members| members.items()).unwrap_or_default();
    for member in members {
        let Some(event) = reader.text(&member, "events") else { continue };
        match schema.events.iter().position(|known| known.name == event) {
            Some(at) => events.push(EventId(at as u32)),
            None => reader.problem(&member, format!("`{}` is not an event of this plan", event.escape_debug())),
        }
    }
    let description = spot.get("description").and_then(|text| reader.text(&text, "description"));
    Group {
        name: name.to_owned(),
        also: spot.get("also").map(|also| reader.texts(&also, "also")).unwrap_or_default(),
        description: description.map(str::to_owned),
        events,
        declared_at: 0..0,
    }
}
