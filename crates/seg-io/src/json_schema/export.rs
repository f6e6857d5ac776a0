//! A schema as JSON Schema.

use seg_data::schema::{Event, Field, Noun, Schema, Verb, period_text};
use seg_data::{AttributeId, Type};
use serde_json::{Map, Value, json};

/// The form of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportForm {
    /// One JSON Schema, of 2020-12: under `attributes` what is known of a person, under
    /// `events` what events of each name have.
    JsonSchema,
    /// The tracking plan of a customer data platform: `rules` with `events`, each with the
    /// JSON Schema of its call, and `identify`.
    TrackingPlan,
}

type Object = Map<String, Value>;

/// A schema, of a project of this name, as the text of a plan. [`super::import`] reads it as
/// the same schema.
pub fn export(schema: &Schema, name: &str, form: ExportForm) -> String {
    let mut plan = match form {
        ExportForm::JsonSchema => json_schema(schema, name),
        ExportForm::TrackingPlan => tracking_plan(schema, name),
    };
    plan.extend(whole(schema));
    // A value of ours always has a text.
    let text = serde_json::to_string_pretty(&Value::Object(plan)).unwrap_or_default();
    format!("{text}\n")
}

fn json_schema(schema: &Schema, name: &str) -> Object {
    let events = schema.events.iter().map(|event| {
        let mut object = Object::new();
        object.insert("title".to_owned(), json!(event.name));
        object.extend(event.description.iter().map(|text| ("description".to_owned(), json!(text))));
        object.extend(object_of(&event.properties.iter().collect::<Vec<_>>()));
        object.extend(words(event));
        (event.name.clone(), Value::Object(object))
    });
    let events: Object = events.collect();
    let mut parts = Object::new();
    let attributes: Vec<&Field> = schema.attributes.iter().collect();
    parts.insert("attributes".to_owned(), Value::Object(object_of(&attributes)));
    parts.insert("events".to_owned(), json!({ "type": "object", "properties": events }));
    let mut plan = Object::new();
    plan.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    plan.insert("title".to_owned(), json!(name));
    plan.insert("type".to_owned(), json!("object"));
    plan.insert("properties".to_owned(), Value::Object(parts));
    plan
}

fn tracking_plan(schema: &Schema, name: &str) -> Object {
    const DRAFT: &str = "http://json-schema.org/draft-07/schema#";
    let entry = |event: &Event| {
        // What SDKs know themselves is no property of their calls, but stands in `context`.
        let in_context = |field: &&Field| field.name.strip_prefix("context.").is_some_and(|name| !name.is_empty());
        let n_own = event.properties.iter().position(|field| in_context(&field)).unwrap_or(event.properties.len());
        let (own, context) = event.properties.split_at_checked(n_own).unwrap_or((&event.properties, &[]));
        // Were others behind them, their order would not come back.
        let is_last = context.iter().all(|field| in_context(&field));
        let (own, context) = if is_last { (own, context) } else { (event.properties.as_slice(), &[][..]) };
        let mut parts = Object::new();
        parts.insert("properties".to_owned(), Value::Object(object_of(&own.iter().collect::<Vec<_>>())));
        if !context.is_empty() {
            let context = object_of(&context.iter().collect::<Vec<_>>());
            let inner = context.get("properties").and_then(|properties| properties.get("context")).cloned();
            parts.extend(inner.map(|inner| ("context".to_owned(), inner)));
        }
        let mut rules = Object::new();
        rules.insert("$schema".to_owned(), json!(DRAFT));
        rules.insert("type".to_owned(), json!("object"));
        rules.insert("properties".to_owned(), Value::Object(parts));
        rules.extend(words(event));
        let mut entry = Object::new();
        entry.insert("name".to_owned(), json!(event.name));
        entry.extend(event.description.iter().map(|text| ("description".to_owned(), json!(text))));
        entry.insert("rules".to_owned(), Value::Object(rules));
        Value::Object(entry)
    };
    let mut rules = Object::new();
    rules.insert("events".to_owned(), schema.events.iter().map(entry).collect());
    if !schema.attributes.is_empty() {
        let traits = object_of(&schema.attributes.iter().collect::<Vec<_>>());
        let identify = json!({ "$schema": DRAFT, "type": "object", "properties": { "traits": traits } });
        rules.insert("identify".to_owned(), identify);
    }
    let mut plan = Object::new();
    plan.insert("name".to_owned(), json!(name));
    plan.insert("rules".to_owned(), Value::Object(rules));
    plan
}

/// What is said of a schema as a whole, and that Seg says it.
fn whole(schema: &Schema) -> Object {
    let name = |id: AttributeId| schema.attribute(id).map_or("", |field| &field.name);
    let mut whole = Object::new();
    whole.insert("x-seg-schema".to_owned(), json!(1));
    let first_seen = schema.first_seen.map(|id| name(id).to_owned());
    for (keyword, text) in [
        ("x-seg-currency", schema.currency.clone()),
        ("x-seg-event-id", schema.event_id.clone()),
        ("x-seg-retention", schema.retention.map(period_text)),
        ("x-seg-first-seen", first_seen),
    ] {
        whole.extend(text.map(|text| (keyword.to_owned(), json!(text))));
    }
    let groups = schema.groups.iter().map(|group| {
        let events = group.events.iter().filter_map(|id| schema.event(*id)).map(|event| json!(event.name));
        let mut object = Object::new();
        object.insert("events".to_owned(), events.collect());
        object.extend(also(&group.also, "also"));
        object.extend(group.description.iter().map(|text| ("description".to_owned(), json!(text))));
        (group.name.clone(), Value::Object(object))
    });
    let channels = schema.channels.iter().map(|channel| {
        let consent = channel.consent.map(|id| ("consent".to_owned(), json!(name(id))));
        (channel.name.clone(), Value::Object(consent.into_iter().collect()))
    });
    let places = schema.places.iter().map(|place| {
        let degrees = json!({ "latitude": name(place.latitude), "longitude": name(place.longitude) });
        (place.name.clone(), degrees)
    });
    let tables: [(&str, Object); 3] = [
        ("x-seg-groups", groups.collect()),
        ("x-seg-channels", channels.collect()),
        ("x-seg-places", places.collect()),
    ];
    let tables = tables.into_iter().filter(|(_, table)| !table.is_empty());
    whole.extend(tables.map(|(keyword, table)| (keyword.to_owned(), Value::Object(table))));
    whole
}

fn also(names: &[String], keyword: &str) -> Option<(String, Value)> {
    (!names.is_empty()).then(|| (keyword.to_owned(), json!(names)))
}

/// The English of an event, and what is said of it beside its properties.
fn words(event: &Event) -> Object {
    let word = |key: &str, word: &str, forms: &[(&str, &Option<String>)]| {
        let said: Object =
            forms.iter().filter_map(|(key, form)| Some(((*key).to_owned(), json!(form.as_ref()?)))).collect();
        match said.is_empty() {
            true => json!(word),
            false => Value::Object(std::iter::once((key.to_owned(), json!(word))).chain(said).collect()),
        }
    };
    let verb = |verb: &Verb| word("verb", &verb.base, &[("past", &verb.past), ("participle", &verb.participle)]);
    let noun = |noun: &Noun| word("noun", &noun.singular, &[("plural", &noun.plural)]);
    let mut words = Object::new();
    words.extend(also(&event.also, "x-seg-also"));
    let verbs: Vec<Value> = event.verbs.iter().map(verb).collect();
    let nouns: Vec<Value> = event.nouns.iter().map(noun).collect();
    let lists = [("x-seg-verbs", verbs), ("x-seg-nouns", nouns)].into_iter().filter(|(_, list)| !list.is_empty());
    words.extend(lists.map(|(keyword, list)| (keyword.to_owned(), Value::Array(list))));
    words.extend(event.role.map(|role| ("x-seg-role".to_owned(), json!(role.name()))));
    let within = event.arrives_within.map(period_text);
    words.extend(within.map(|within| ("x-seg-arrives-within".to_owned(), json!(within))));
    words
}

/// How deep objects are made of dotted names; what is deeper keeps its dots.
const LEVELS_MAX: usize = 8;

/// An object of fields: those with dotted names stand in objects inside it.
fn object_of(fields: &[&Field]) -> Object {
    let named: Vec<(&str, &Field)> = fields.iter().map(|field| (field.name.as_str(), *field)).collect();
    nested(&named, 0)
}

fn nested(fields: &[(&str, &Field)], level: usize) -> Object {
    // Fields of one object have to stand together, or their order would not come back, and
    // their object must have no name that a field has.
    let head = |name: &str| {
        let (head, rest) = name.split_once('.').filter(|_| level < LEVELS_MAX)?;
        let is_object = !head.is_empty() && !rest.is_empty() && fields.iter().all(|(other, _)| *other != head);
        let begins = |other: &str| other.split_once('.').is_some_and(|(other, _)| other == head);
        let n_runs = fields
            .chunk_by(|(a, _), (b, _)| begins(a) == begins(b))
            .filter(|run| run.first().is_some_and(|(name, _)| begins(name)));
        (is_object && n_runs.count() == 1).then(|| head.to_owned())
    };
    let heads: Vec<Option<String>> = fields.iter().map(|(name, _)| head(name)).collect();
    let (mut properties, mut required) = (Object::new(), Vec::new());
    let mut at = 0;
    while let (Some((name, field)), Some(head)) = (fields.get(at), heads.get(at)) {
        let Some(head) = head else {
            properties.insert((*name).to_owned(), Value::Object(field_schema(field)));
            required.extend(field.is_required.then(|| json!(name)));
            at += 1;
            continue;
        };
        let n = heads.iter().skip(at).take_while(|other| other.as_ref() == Some(head)).count();
        let inner = fields.iter().skip(at).take(n);
        let inner: Vec<(&str, &Field)> =
            inner.map(|(name, field)| (name.get(head.len() + 1..).unwrap_or(name), *field)).collect();
        required.extend(inner.iter().any(|(_, field)| field.is_required).then(|| json!(head)));
        properties.insert(head.clone(), Value::Object(nested(&inner, level + 1)));
        at += n;
    }
    let mut object = Object::new();
    object.insert("type".to_owned(), json!("object"));
    object.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        object.insert("required".to_owned(), Value::Array(required));
    }
    object
}

fn field_schema(field: &Field) -> Object {
    let mut schema = type_schema(&field.ty);
    if let Some(allowed) = &field.allowed {
        match schema.get_mut("items").and_then(Value::as_object_mut) {
            Some(items) => drop(items.insert("enum".to_owned(), json!(allowed))),
            None => drop(schema.insert("enum".to_owned(), json!(allowed))),
        }
    }
    schema.extend(field.description.iter().map(|text| ("description".to_owned(), json!(text))));
    schema.extend(also(&field.also, "x-seg-also"));
    schema.extend(field.keeps_history.then(|| ("x-seg-history".to_owned(), json!(true))));
    schema.extend(field.recurring.map(|recurring| ("x-seg-recurring".to_owned(), json!(recurring))));
    schema
}

/// What JSON has for values of a type.
fn type_schema(ty: &Type) -> Object {
    let schema = match ty {
        Type::Boolean => json!({ "type": "boolean" }),
        Type::Integer | Type::Duration => json!({ "type": "integer" }),
        Type::Number => json!({ "type": "number" }),
        // That it is a multiple of 0.0001 no validator can tell of binary floating point.
        Type::Money => json!({ "type": "number", "x-seg-type": "money" }),
        Type::Text => json!({ "type": "string" }),
        Type::Timestamp => json!({ "type": "string", "format": "date-time" }),
        Type::Date => json!({ "type": "string", "format": "date" }),
        Type::List(element) => json!({ "type": "array", "items": type_schema(&element.ty()) }),
        Type::Records(fields) => {
            let properties: Object =
                fields.iter().map(|(name, ty)| (name.clone(), Value::Object(type_schema(ty)))).collect();
            json!({ "type": "array", "items": { "type": "object", "properties": properties } })
        }
    };
    match schema {
        Value::Object(schema) => schema,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Object::new(),
    }
}
