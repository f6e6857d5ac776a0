//! What was counted, as what there is to tell.

use super::Drift;
use super::tally::{Counted, EventTally, FieldTally, Tally, UnknownEvent, UnknownField};
use crate::infer::column::Column;
use crate::json_schema::without_spelling;
use crate::report::Place;
use seg_data::schema::{Event, Field, toml_key, toml_text, toml_type};
use seg_data::{AttributeId, EventId, PropertyId, Schema, Wanted};
use std::collections::HashMap;

/// A kind of drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DriftKind {
    /// A name that is one of the schema but for case, blanks, `_` and `-`.
    Respelled,
    /// Values that are not of the type.
    OtherType,
    /// Amounts with more places than money has.
    TooFine,
    /// Numbers that are too large for the type.
    TooLarge,
    /// Values that the schema does not allow.
    NotAllowed,
    /// Values that are required and missing.
    RequiredMissing,
    /// Events that arrived later than the schema says they do.
    Late,
    /// An event, a property or an attribute of which there is no data.
    Unseen,
    /// An event that the schema lacks.
    NewEvent,
    /// A property that the schema lacks.
    NewProperty,
    /// An attribute that the schema lacks.
    NewAttribute,
}

impl DriftKind {
    /// The kind in hyphenated words, for tools.
    pub fn slug(self) -> &'static str {
        match self {
            DriftKind::Respelled => "respelled",
            DriftKind::OtherType => "other-type",
            DriftKind::TooFine => "too-fine",
            DriftKind::TooLarge => "too-large",
            DriftKind::NotAllowed => "not-allowed",
            DriftKind::RequiredMissing => "required-missing",
            DriftKind::Late => "late",
            DriftKind::Unseen => "unseen",
            DriftKind::NewEvent => "new-event",
            DriftKind::NewProperty => "new-property",
            DriftKind::NewAttribute => "new-attribute",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An event, by its name.
    Event(String),
    /// A property of an event.
    Property {
        /// The event.
        event: String,
        /// The property.
        property: String,
    },
    /// An attribute.
    Attribute(String),
}

/// One thing in which data and schema differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: DriftKind,
    /// What it is about, as the data calls it.
    pub subject: Subject,
    /// Whether it breaks the schema, or segments.
    pub is_breaking: bool,
    /// How many rows or values have it.
    pub count: u64,
    /// Of how many, where that is more.
    pub of: u64,
    /// What it is, in words.
    pub message: String,
    /// What to write, and where, in words; perhaps several lines.
    pub help: Option<String>,
    /// The values that are not allowed, the most frequent first, each with its number.
    pub values: Vec<(String, u64)>,
    /// How many more values there are.
    pub more_values: u64,
    /// The first places where it was seen.
    pub examples: Vec<Place>,
}

/// What is held to be there.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub asked: Option<&'a Wanted>,
    pub is_part: bool,
    pub has_people: bool,
}

/// `1,234 events`, `1 event`
fn counted(n: u64, word: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {word}{s}", grouped(n))
}

/// `1,234`
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A name as messages show it.
fn shown(name: &str) -> String {
    format!("`{}`", name.escape_debug())
}

impl Subject {
    fn words(&self) -> String {
        match self {
            Subject::Event(event) => shown(event),
            Subject::Property { event, property } => format!("{} of {}", shown(property), shown(event)),
            Subject::Attribute(attribute) => shown(attribute),
        }
    }
}

impl Finding {
    fn new(kind: DriftKind, subject: Subject, counted: &Counted, message: String) -> Finding {
        Finding {
            kind,
            subject,
            is_breaking: true,
            count: counted.count,
            of: counted.count,
            message,
            help: None,
            values: Vec::new(),
            more_values: 0,
            examples: counted.examples.clone(),
        }
    }
}

/// Everything that was found, in the order in which it is told.
pub(super) fn drift(tally: Tally<'_>, files: u64, scope: Scope<'_>) -> Drift {
    let schema = tally.schema;
    let mut findings = Vec::new();
    let mut respelled = Respelled::default();
    new_events(&tally, &mut respelled, &mut findings);
    let names: HashMap<usize, Vec<(&str, &UnknownField)>> = {
        let mut of_event: HashMap<usize, Vec<(&str, &UnknownField)>> = HashMap::new();
        for (_, (event, name, field)) in tally.unknown_properties.iter() {
            of_event.entry(*event).or_default().push((name, field));
        }
        of_event
    };
    for (at, (event, counted)) in schema.events.iter().zip(&tally.events).enumerate() {
        let unknown = names.get(&at).map_or(&[][..], Vec::as_slice);
        of_event(at, (event, counted), unknown, &scope, &respelled, &mut findings);
    }
    of_people(&tally, &scope, &mut findings);
    findings.sort_by_key(|finding| (!finding.is_breaking, finding.kind));
    let more = [
        (DriftKind::NewEvent, tally.unknown_events.n_more()),
        (DriftKind::NewProperty, tally.unknown_properties.n_more()),
        (DriftKind::NewAttribute, tally.unknown_attributes.n_more()),
    ];
    Drift {
        files,
        people_rows: tally.n_people,
        event_rows: tally.n_events,
        findings,
        more: more.into_iter().filter(|(_, n)| *n > 0).collect(),
        delays: tally.delays.into_iter().filter(|delays| delays.count + delays.negative > 0).collect(),
        future: tally.future.count,
        future_examples: tally.future.examples,
        last_event: tally.last,
        report: tally.report,
    }
}

/// The events of the schema that the data spells otherwise.
#[derive(Default)]
struct Respelled(Vec<EventId>);

/// Names of the schema by what is left of them without their spelling.
fn spellings<'s, T>(fields: impl Iterator<Item = (T, &'s str, &'s [String])>) -> HashMap<String, (T, &'s str)>
where
    T: Copy,
{
    let mut spelled = HashMap::new();
    for (id, name, also) in fields {
        for other in also.iter().map(String::as_str).chain([name]) {
            spelled.insert(without_spelling(other), (id, name));
        }
    }
    spelled
}

fn new_events(tally: &Tally<'_>, respelled: &mut Respelled, findings: &mut Vec<Finding>) {
    let events = tally.schema.events.iter().enumerate();
    let known = spellings(events.map(|(at, event)| (at, event.name.as_str(), event.also.as_slice())));
    for (name, event) in tally.unknown_events.iter() {
        let subject = Subject::Event(name.to_owned());
        let n = counted(event.counted.count, "event");
        let Some((at, near)) = known.get(&without_spelling(name)) else {
            let message = format!("the schema lacks the event {}: {n}", shown(name));
            let finding = Finding::new(DriftKind::NewEvent, subject, &event.counted, message);
            findings.push(Finding { is_breaking: false, help: Some(event_text(name, event)), ..finding });
            continue;
        };
        respelled.0.push(EventId(*at as u32));
        let why = nearness(name, near);
        let message = format!("the schema lacks the event {}, {why}: {n}", shown(name));
        let n_known = tally.events.get(*at).map_or(0, |known| known.count);
        let key = toml_key(name);
        let help = match n_known {
            0 => format!(
                "in the schema, write `[events.{key}]` for `[events.{}]`, with `also = [{}]`",
                toml_key(near),
                toml_text(near)
            ),
            n => format!(
                "the data has both, {} with the other name: have one of them sent, or write `[events.{key}]` in the schema and a group of both",
                counted(n, "event")
            ),
        };
        findings
            .push(Finding { help: Some(help), ..Finding::new(DriftKind::Respelled, subject, &event.counted, message) });
    }
}

/// A new event as a schema writes it, with what its columns show.
fn event_text(name: &str, event: &UnknownEvent) -> String {
    let mut text = format!("in the schema, write\n[events.{}]", toml_key(name));
    if !event.columns.is_empty() {
        text.push_str(&format!("\n[events.{}.properties]", toml_key(name)));
    }
    for (name, column) in &event.columns {
        text.push_str(&format!("\n{}", line_of(name, column)));
    }
    text
}

/// A field as a schema writes it, of the type that its values show.
fn line_of(name: &str, column: &Column) -> String {
    format!("{} = {}", toml_key(name), toml_type(&column.ty()))
}

/// What there is to tell of an event of the schema.
fn of_event(
    at: usize,
    (event, counted_of): (&Event, &EventTally),
    unknown: &[(&str, &UnknownField)],
    scope: &Scope<'_>,
    respelled: &Respelled,
    findings: &mut Vec<Finding>,
) {
    let id = EventId(at as u32);
    let n = counted_of.count;
    if n == 0 {
        // That its data has another name was told.
        if scope.is_part || respelled.0.contains(&id) {
            return;
        }
        let is_asked = scope.asked.is_some_and(|asked| asked.events.contains_key(&id));
        let asked = if is_asked { ", which segments ask about" } else { "" };
        let message = format!("no event is called {}{asked}", shown(&event.name));
        let subject = Subject::Event(event.name.clone());
        let finding = Finding::new(DriftKind::Unseen, subject, &Counted::default(), message);
        return findings.push(Finding { is_breaking: is_asked, ..finding });
    }
    if counted_of.late.count > 0 {
        let within = event.arrives_within.map(seg_data::schema::period_text).unwrap_or_default();
        let arrived = counted(counted_of.n_arrived, "event");
        let message = format!(
            "{} of {arrived} {} arrived more than {within} after they happened, which is what the schema says of them",
            grouped(counted_of.late.count),
            shown(&event.name)
        );
        let finding = Finding::new(DriftKind::Late, Subject::Event(event.name.clone()), &counted_of.late, message);
        findings.push(Finding {
            of: counted_of.n_arrived,
            help: Some("in the schema, write a longer `arrives_within`; the delays are told below".to_owned()),
            ..finding
        });
    }
    let fields = event.properties.iter().zip(&counted_of.properties);
    let spelled = spellings(fields.map(|(field, known)| (known.n_values, field.name.as_str(), field.also.as_slice())));
    let subject = |property: &str| Subject::Property { event: event.name.clone(), property: property.to_owned() };
    let mut known = Vec::new();
    for (name, field) in unknown {
        let near = spelled.get(&without_spelling(name)).map(|(n, near)| (*near, *n));
        known.extend(near.map(|(near, _)| near));
        findings.push(new_field(DriftKind::NewProperty, subject(name), (name, field), near));
    }
    for (place, (field, counted)) in (0..).zip(event.properties.iter().zip(&counted_of.properties)) {
        of_field(subject(&field.name), field, counted, findings);
        let is_asked = scope.asked.is_some_and(|asked| asked.property(id, PropertyId(place)));
        if counted.n_values == 0 && !known.contains(&field.name.as_str()) && counted.missing.count == 0 {
            let asked = if is_asked { ", which segments ask about" } else { "" };
            let n = self::counted(n, "event");
            let message = format!("none of {n} {} has a value of {}{asked}", shown(&event.name), shown(&field.name));
            let finding = Finding::new(DriftKind::Unseen, subject(&field.name), &Counted::default(), message);
            findings.push(Finding { is_breaking: is_asked, ..finding });
        }
    }
}

fn of_people(tally: &Tally<'_>, scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let schema: &Schema = tally.schema;
    let fields = schema.attributes.iter().zip(&tally.attributes);
    let spelled = spellings(fields.map(|(field, known)| (known.n_values, field.name.as_str(), field.also.as_slice())));
    let mut known = Vec::new();
    for (name, field) in tally.unknown_attributes.iter() {
        let near = spelled.get(&without_spelling(name)).map(|(n, near)| (*near, *n));
        known.extend(near.map(|(near, _)| near));
        findings.push(new_field(DriftKind::NewAttribute, Subject::Attribute(name.to_owned()), (name, field), near));
    }
    for (place, (field, counted)) in (0..).zip(schema.attributes.iter().zip(&tally.attributes)) {
        let subject = || Subject::Attribute(field.name.clone());
        of_field(subject(), field, counted, findings);
        let is_told = known.contains(&field.name.as_str()) || counted.missing.count > 0;
        let may_be_elsewhere = scope.is_part && !scope.has_people;
        if counted.n_values > 0 || is_told || may_be_elsewhere {
            continue;
        }
        let is_asked = scope.asked.is_some_and(|asked| asked.attributes.contains(&AttributeId(place)));
        let asked = if is_asked { ", which segments ask about" } else { "" };
        let message = match counted.has_column {
            true => format!("no row of people has a value of {}{asked}", shown(&field.name)),
            false => format!("no file of people has a column {}{asked}", shown(&field.name)),
        };
        let finding = Finding::new(DriftKind::Unseen, subject(), &Counted::default(), message);
        findings.push(Finding { is_breaking: is_asked, ..finding });
    }
}

/// How a name of the data comes to be near one of the schema.
fn nearness(name: &str, near: &str) -> String {
    match without_spelling(near) == without_spelling(name) {
        true => format!("which is {} but for case, blanks, `_` or `-`", shown(near)),
        false => format!("a name that sentences have for {}, and data has not", shown(near)),
    }
}

/// A name that the schema lacks: one of its own in another spelling, or a new one. `near` is
/// the former, with how many values that has.
fn new_field(
    kind: DriftKind,
    subject: Subject,
    (name, field): (&str, &UnknownField),
    near: Option<(&str, u64)>,
) -> Finding {
    let all = Counted { count: field.count, examples: field.examples.clone() };
    let n = counted(field.count, "value");
    let what = if kind == DriftKind::NewAttribute { "attribute" } else { "property" };
    let words = subject.words();
    // What sentences call otherwise, and has its own values, is something else here.
    let near = near.filter(|(near, n)| *n == 0 || without_spelling(near) == without_spelling(name));
    let Some((near, n_near)) = near else {
        let message = format!("the schema lacks the {what} {words}: {n}");
        let table = match &subject {
            Subject::Property { event, .. } => format!("[events.{}.properties]", toml_key(event)),
            Subject::Attribute(_) | Subject::Event(_) => "[attributes]".to_owned(),
        };
        let help = Some(format!("under {table} of the schema, write\n{}", line_of(name, &field.column)));
        return Finding { is_breaking: false, help, ..Finding::new(kind, subject, &all, message) };
    };
    let message = format!("the schema lacks the {what} {words}, {}: {n}", nearness(name, near));
    let (key, own) = (toml_key(name), toml_key(near));
    let help = match (n_near, field.is_of_calls) {
        (0, true) => format!("in the schema, write `{key}` for `{own}`, with `also = [{}]`", toml_text(near)),
        (0, false) => format!("in seg.toml, write `columns = {{ {own} = {} }}` for this source", toml_text(name)),
        (n, _) => format!(
            "the data has both, {} with the other name: have one of them sent, or write `{key}` in the schema",
            counted(n, "value")
        ),
    };
    Finding { help: Some(help), ..Finding::new(DriftKind::Respelled, subject, &all, message) }
}

/// What there is to tell of the values of an attribute or a property.
fn of_field(subject: Subject, field: &Field, tally: &FieldTally, findings: &mut Vec<Finding>) {
    let (n, words) = (counted(tally.n_values, "value"), subject.words());
    let mut tell = |kind: DriftKind, found: &Counted, of: u64, message: String| {
        if found.count > 0 {
            findings.push(Finding { of, ..Finding::new(kind, subject.clone(), found, message) });
        }
    };
    let of = |found: &Counted| format!("{} of {n} of {words}", grouped(found.count));
    let are = |found: &Counted| if found.count == 1 { "is" } else { "are" };
    let (other, fine, large) = (&tally.other_type, &tally.too_fine, &tally.too_large);
    tell(
        DriftKind::OtherType,
        other,
        tally.n_values,
        format!("{} {} not of the type {}", of(other), are(other), field.ty),
    );
    let have = if fine.count == 1 { "has" } else { "have" };
    let message = format!("{} {have} more than the four places of money", of(fine));
    tell(DriftKind::TooFine, fine, tally.n_values, message);
    let message = format!("{} {} too large for the type {}", of(large), are(large), field.ty);
    tell(DriftKind::TooLarge, large, tally.n_values, message);
    let missing = &tally.missing;
    let have = if missing.count == 1 { "has" } else { "have" };
    let (rows, lacks) = (counted(tally.n_asked, "row"), shown(&field.name));
    let whose = match &subject {
        Subject::Property { event, .. } => format!(" of {}", shown(event)),
        Subject::Attribute(_) => " of people".to_owned(),
        Subject::Event(_) => String::new(),
    };
    let message = format!("{} of {rows}{whose} {have} no {lacks}, which the schema requires", grouped(missing.count));
    tell(DriftKind::RequiredMissing, missing, tally.n_asked, message);
    let others = &tally.not_allowed;
    if others.count > 0 {
        let message = format!("{} {} not allowed by the schema", of(others), are(others));
        let mut values: Vec<(String, u64)> = tally.values.iter().map(|(value, n)| (value.to_owned(), *n)).collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let help = near_values(field, &values);
        let finding = Finding::new(DriftKind::NotAllowed, subject, others, message);
        findings.push(Finding { of: tally.n_values, values, more_values: tally.values.n_more(), help, ..finding });
    }
}

/// Values that are allowed ones but for their spelling.
fn near_values(field: &Field, values: &[(String, u64)]) -> Option<String> {
    let allowed = field.allowed.iter().flatten();
    let allowed: HashMap<String, &String> = allowed.map(|value| (without_spelling(value), value)).collect();
    let near = values.iter().filter_map(|(value, _)| Some((value, allowed.get(&without_spelling(value))?)));
    let near: Vec<String> =
        near.take(3).map(|(value, other)| format!("{} is {}", shown(value), shown(other))).collect();
    (!near.is_empty()).then(|| format!("{} but for case, blanks, `_` or `-`", near.join(", ")))
}
