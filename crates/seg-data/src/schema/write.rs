//! Schemas as the text of a file, and what TOML writes in its own way.

use super::{Event, Field, Noun, Role, Schema, Verb};
use crate::time::{DAY, Period, SECOND};
use crate::types::Type;
use std::fmt::Write;

/// A schema as the text of a file, which [`super::parse`] reads as the same schema: in
/// the same order, and with all that it says.
pub fn to_toml(schema: &Schema) -> String {
    let mut out = String::new();
    // How late events may come is said once where it is said of all of them.
    let everywhere = schema.events.first().and_then(|event| event.arrives_within);
    let everywhere = everywhere.filter(|_| schema.events.iter().all(|event| event.arrives_within == everywhere));
    let first_seen = schema.first_seen.and_then(|id| schema.attribute(id)).map(|field| field.name.clone());
    let top = [
        ("currency", schema.currency.clone()),
        ("event_id", schema.event_id.clone()),
        ("retention", schema.retention.map(period_text)),
        ("arrives_within", everywhere.map(period_text)),
        ("first_seen", first_seen),
    ];
    for (key, value) in top {
        // Writing to a string does not fail.
        let _ = value.map(|value| writeln!(out, "{key} = {}", toml_text(&value)));
    }
    if !schema.attributes.is_empty() {
        out.push_str("\n[attributes]\n");
        schema.attributes.iter().for_each(|field| out.push_str(&field_line(field)));
    }
    for event in &schema.events {
        let own = event.arrives_within.filter(|_| everywhere.is_none());
        out.push_str(&event_tables(event, own));
    }
    others(schema, &mut out);
    out.trim_start().to_owned()
}

/// The tables of groups, channels and places.
fn others(schema: &Schema, out: &mut String) {
    for group in &schema.groups {
        let events: Vec<String> =
            group.events.iter().filter_map(|id| schema.event(*id)).map(|event| event.name.clone()).collect();
        let _ = writeln!(out, "\n[groups.{}]", toml_key(&group.name));
        described(out, group.description.as_deref(), &group.also);
        let _ = writeln!(out, "events = {}", toml_texts(&events));
    }
    let attribute = |id| schema.attribute(id).map_or("", |field| &field.name);
    for channel in &schema.channels {
        let _ = writeln!(out, "\n[channels.{}]", toml_key(&channel.name));
        let consent = channel.consent.map(attribute);
        let _ = consent.map(|consent| writeln!(out, "consent = {}", toml_text(consent)));
    }
    if !schema.places.is_empty() {
        out.push_str("\n[places]\n");
    }
    for place in &schema.places {
        let (latitude, longitude) = (toml_text(attribute(place.latitude)), toml_text(attribute(place.longitude)));
        let _ = writeln!(out, "{} = {{ latitude = {latitude}, longitude = {longitude} }}", toml_key(&place.name));
    }
}

fn described(out: &mut String, description: Option<&str>, also: &[String]) {
    let _ = description.map(|text| writeln!(out, "description = {}", toml_text(text)));
    if !also.is_empty() {
        let _ = writeln!(out, "also = {}", toml_texts(also));
    }
}

fn event_tables(event: &Event, arrives_within: Option<Period>) -> String {
    let key = toml_key(&event.name);
    let mut out = format!("\n[events.{key}]\n");
    described(&mut out, event.description.as_deref(), &event.also);
    let words = [
        ("verbs", event.verbs.iter().map(verb_text).collect::<Vec<_>>()),
        ("nouns", event.nouns.iter().map(noun_text).collect()),
    ];
    for (key, words) in words.iter().filter(|(_, words)| !words.is_empty()) {
        let _ = writeln!(out, "{key} = [{}]", words.join(", "));
    }
    let _ = event.role.map(|role| writeln!(out, "role = {}", toml_text(role.name())));
    let _ = arrives_within.map(|within| writeln!(out, "arrives_within = {}", toml_text(&period_text(within))));
    if !event.properties.is_empty() {
        let _ = writeln!(out, "[events.{key}.properties]");
        event.properties.iter().for_each(|field| out.push_str(&field_line(field)));
    }
    out
}

/// A verb as a schema writes it: alone where its forms follow from it.
fn verb_text(verb: &Verb) -> String {
    word_text(("verb", &verb.base), &[("past", &verb.past), ("participle", &verb.participle)])
}

fn noun_text(noun: &Noun) -> String {
    word_text(("noun", &noun.singular), &[("plural", &noun.plural)])
}

fn word_text((key, word): (&str, &str), forms: &[(&str, &Option<String>)]) -> String {
    let said = forms.iter().filter_map(|(key, form)| Some(format!("{key} = {}", toml_text(form.as_ref()?))));
    let said: Vec<String> = said.collect();
    match said.is_empty() {
        true => toml_text(word),
        false => format!("{{ {key} = {}, {} }}", toml_text(word), said.join(", ")),
    }
}

/// A line that declares an attribute or a property: `country = "text"`.
fn field_line(field: &Field) -> String {
    let mut said = vec![format!("type = {}", toml_text(&field.ty.to_string()))];
    if let Type::Records(fields) = &field.ty
        && !fields.is_empty()
    {
        said.push(format!("fields = {}", record_fields(fields)));
    }
    if field.is_required {
        said.push("required = true".to_owned());
    }
    if field.keeps_history {
        said.push("history = true".to_owned());
    }
    said.extend(field.recurring.map(|recurring| format!("recurring = {recurring}")));
    said.extend(field.allowed.as_ref().map(|allowed| format!("allowed = {}", toml_texts(allowed))));
    if !field.also.is_empty() {
        said.push(format!("also = {}", toml_texts(&field.also)));
    }
    said.extend(field.description.as_ref().map(|text| format!("description = {}", toml_text(text))));
    match said.as_slice() {
        [_] => format!("{} = {}\n", toml_key(&field.name), toml_text(&field.ty.to_string())),
        said => format!("{} = {{ {} }}\n", toml_key(&field.name), said.join(", ")),
    }
}

/// A type as a schema writes it, with the fields of records.
pub fn toml_type(ty: &Type) -> String {
    let name = toml_text(&ty.to_string());
    match ty {
        Type::Records(fields) => format!("{{ type = {name}, fields = {} }}", record_fields(fields)),
        Type::Boolean
        | Type::Integer
        | Type::Number
        | Type::Money
        | Type::Text
        | Type::Timestamp
        | Type::Date
        | Type::List(_)
        | Type::Duration => name,
    }
}

fn record_fields(fields: &[(String, Type)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, ty)| format!("{} = {}", toml_key(name), toml_text(&ty.to_string()))).collect();
    match fields.is_empty() {
        true => "{}".to_owned(),
        false => format!("{{ {} }}", fields.join(", ")),
    }
}

impl Role {
    /// The word that schemas have for it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Purchase => "purchase",
            Role::Checkout => "checkout",
            Role::Cart => "cart",
            Role::View => "view",
            Role::Message => "message",
        }
    }

    /// The role of a word that schemas have for one.
    pub fn parse(name: &str) -> Option<Role> {
        [Role::Purchase, Role::Checkout, Role::Cart, Role::View, Role::Message]
            .into_iter()
            .find(|role| role.name() == name)
    }
}

/// A length of time as schemas write it: `15 minutes`. What is finer than a second is
/// rounded up to one, for no schema says it.
pub fn period_text(period: Period) -> String {
    let (n, unit) = match period {
        Period::Months(months) if months % 12 == 0 => (months / 12, "year"),
        Period::Months(months) => (months, "month"),
        Period::Fixed(micros) => {
            let seconds = micros.div_euclid(SECOND) + i64::from(micros.rem_euclid(SECOND) > 0);
            let units = [(DAY / SECOND, "day"), (3600, "hour"), (60, "minute")];
            let fits = units.into_iter().find(|(size, _)| seconds != 0 && seconds % size == 0);
            fits.map_or((seconds, "second"), |(size, unit)| (seconds / size, unit))
        }
    };
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {unit}{s}")
}

/// A text as TOML writes it, on one line.
pub fn toml_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn toml_texts(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| toml_text(text)).collect::<Vec<_>>().join(", "))
}

/// A key as TOML writes it, in quotes where it needs them.
pub fn toml_key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare { name.to_owned() } else { toml_text(name) }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    /// A schema that says everything that one can say.
    const WHOLE: &str = r#"currency = "EUR"
event_id = "order id"
retention = "2 years"
first_seen = "signed_up"

[attributes]
"address.city" = { type = "text", description = "where \"they\" live,\nor \\ lived" }
signed_up = { type = "timestamp", required = true, also = ["joined", "signed up on"] }
plan = { type = "text", history = true, allowed = ["free", "pro"] }
birthday = { type = "date", recurring = true }
hired = { type = "date", recurring = false }
tags = { type = "list of text", allowed = ["a", "b"] }
scores = "list of number"
sms_consent = "boolean"
lat = "number"
lon = "integer"

[events."Order Completed"]
description = "paid"
also = ["checked out"]
verbs = ["order", { verb = "bid", past = "bid", participle = "bidden" }]
nouns = ["offer", { noun = "criterion", plural = "criteria" }]
role = "purchase"
arrives_within = "90 minutes"
[events."Order Completed".properties]
"order id" = "text"
amount = { type = "money", required = true }
lines = { type = "list of records", fields = { sku = "text", n = "integer" } }
parts = "list of records"

[events.seen]

[groups.Any]
description = "all of them"
also = ["whatever"]
events = ["Order Completed", "seen"]

[channels.sms]
consent = "sms_consent"

[channels.post]

[places]
home = { latitude = "lat", longitude = "lon" }
"#;

    /// Where a schema says something is no part of what it says.
    fn without_places(mut schema: Schema) -> Schema {
        schema.attributes.iter_mut().for_each(|field| field.declared_at = 0..0);
        for event in &mut schema.events {
            event.declared_at = 0..0;
            event.properties.iter_mut().for_each(|field| field.declared_at = 0..0);
        }
        schema.groups.iter_mut().for_each(|group| group.declared_at = 0..0);
        schema
    }

    fn read(text: &str) -> Schema {
        let (schema, problems) = parse(text);
        assert_eq!(problems, [], "{text}");
        without_places(schema)
    }

    #[test]
    fn what_is_written_is_read_as_the_same_schema() {
        let schema = read(WHOLE);
        assert_eq!(to_toml(&schema), WHOLE);
        let pattern = read(&WHOLE.replace("[\"Order Completed\", \"seen\"]", "[\"*\"]"));
        assert_eq!(pattern, schema, "a pattern is the events that it fits");
        // Lateness of all events alike is said once.
        let same = read("arrives_within = \"1 hour\"\n[events.a]\n[events.b]\n");
        let text = to_toml(&same);
        assert_eq!(text, "arrives_within = \"1 hour\"\n\n[events.a]\n\n[events.b]\n");
        assert_eq!(read(&text), same);
        assert_eq!(to_toml(&Schema::default()), "");
    }

    #[test]
    fn lengths_of_time_are_read_as_they_are_written() {
        for text in
            ["1 second", "90 seconds", "90 minutes", "1 hour", "36 hours", "7 days", "14 days", "5 months", "1 year"]
        {
            let period = super::super::parse_period(text).expect("a length of time");
            assert_eq!(period_text(period), text);
        }
        assert_eq!(period_text(Period::Fixed(1)), "1 second");
    }
}
