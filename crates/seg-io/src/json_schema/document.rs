//! Where a document describes events and people, in each of the forms that teams have.

use super::RemarkKind;
use super::fields::Described;
use super::read::{Reader, Spot};
use super::shape::Shape;
use super::tree::{Document, Json, Node};
use seg_data::schema::fold_name;
use std::collections::HashSet;

/// What documents describe, as it was found.
#[derive(Default)]
pub(super) struct Found<'p> {
    pub attributes: Vec<Described<'p>>,
    pub events: Vec<FoundEvent<'p>>,
    /// What every event has.
    pub everywhere: Vec<Described<'p>>,
    /// The documents as wholes, for what is said of all they describe.
    pub wholes: Vec<Spot<'p>>,
}

/// An event as it was found.
pub(super) struct FoundEvent<'p> {
    pub name: String,
    pub spot: Spot<'p>,
    pub description: Option<String>,
    pub properties: Vec<Described<'p>>,
    /// Where its words are said.
    pub words: Option<Spot<'p>>,
}

/// What a schema describes: a call with its parts, or the properties alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Properties,
    /// Its properties tell.
    Unsaid,
}

/// The parts of analytics calls.
const OF_CALLS: [&str; 22] = [
    "properties",
    "context",
    "traits",
    "event",
    "type",
    "userId",
    "user_id",
    "anonymousId",
    "anonymous_id",
    "messageId",
    "message_id",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "receivedAt",
    "integrations",
    "name",
    "channel",
    "category",
    "version",
    "groupId",
    "previousId",
];

/// What a plan says of itself and not of data.
const OF_PLANS: [&str; 17] = [
    "$schema",
    "$id",
    "id",
    "name",
    "display_name",
    "displayName",
    "title",
    "description",
    "version",
    "slug",
    "type",
    "create_time",
    "update_time",
    "createdAt",
    "updatedAt",
    "created_at",
    "updated_at",
];

/// Where schemas stand in the entries of a plan.
const SCHEMAS: [&str; 4] = ["rules", "schema", "jsonSchema", "json_schema"];

/// What documents and their parts are called that describe people.
const OF_PEOPLE: [&str; 8] =
    ["identify", "attributes", "traits", "user traits", "identify traits", "person", "people", "profile"];

/// Finds what documents describe.
pub(super) struct Finder<'r, 'p> {
    pub reader: &'r mut Reader,
    pub found: Found<'p>,
}

impl<'p> Finder<'_, 'p> {
    /// Adds what a document describes; `stem` is the name of its file, for a schema that has
    /// none.
    pub fn document(&mut self, document: &'p Document, stem: &str) {
        self.reader.begin(document);
        let root = Spot::root(document);
        if let Some(items) = root.items() {
            return items.iter().for_each(|item| self.listed(item));
        }
        if !matches!(root.node.json, Json::Object(_)) {
            let message =
                format!("a tracking plan is an object or a list of schemas, and this is {}", root.node.word());
            return self.reader.problem(&root, message);
        }
        let wrapped = ["tracking_plan", "trackingPlan", "data"].iter().find_map(|key| root.get(key));
        let plan = wrapped.filter(|inner| root.node.get("rules").is_none() && inner.node.get("rules").is_some());
        let plan = plan.unwrap_or_else(|| root.clone());
        self.found.wholes.push(plan.clone());
        match plan.get("rules") {
            Some(rules) => self.plan(&plan, &rules),
            None => self.bundle(&root, stem),
        }
    }

    fn left_out(&mut self, spot: &Spot<'_>, message: impl Into<String>) {
        self.reader.remark(RemarkKind::LeftOut, spot, message);
    }

    /// A plan as customer data platforms keep it.
    fn plan(&mut self, plan: &Spot<'p>, rules: &Spot<'p>) {
        for (key, inner) in plan.members() {
            if key != "rules" && !OF_PLANS.contains(&key) && !key.starts_with("x-seg-") {
                self.left_out(&inner, format!("a schema has no word for `{}`", key.escape_debug()));
            }
        }
        if let Some(entries) = rules.items() {
            return entries.iter().for_each(|entry| self.entry(entry));
        }
        for (key, inner) in rules.members() {
            match key {
                "events" => match inner.items() {
                    Some(entries) => entries.iter().for_each(|entry| self.entry(entry)),
                    None => {
                        let message = format!("`events` has to be a list, and is {}", inner.node.word());
                        self.reader.problem(&inner, message);
                    }
                },
                "identify" | "traits" => self.people(&inner, Form::Unsaid),
                "identify_traits" => self.traits(&inner),
                "global" => self.global(&inner),
                _ if is_nothing(inner.node) => {}
                "group" | "group_traits" => {
                    self.left_out(&inner, "traits of groups were left out, for a schema is about people");
                }
                other => {
                    let other = other.escape_debug();
                    self.left_out(&inner, format!("a schema has no word for `{other}`"));
                }
            }
        }
        if !matches!(rules.node.json, Json::Object(_)) {
            let message = format!("`rules` has to be an object with `events`, or a list, and is {}", rules.node.word());
            self.reader.problem(rules, message);
        }
    }

    /// An entry of a plan: a name, what kind of call it is of, and its schema.
    fn entry(&mut self, entry: &Spot<'p>) {
        if !matches!(entry.node.json, Json::Object(_)) {
            let message = format!("an event has to be an object with a `name`, and this is {}", entry.node.word());
            return self.reader.problem(entry, message);
        }
        const KINDS: [&str; 3] = ["eventType", "event_type", "type"];
        for (key, inner) in entry.members() {
            let is_known = matches!(key, "name" | "key" | "description" | "title" | "id" | "$id");
            if !is_known && !KINDS.contains(&key) && !SCHEMAS.contains(&key) && !key.starts_with("x-seg-") {
                self.left_out(&inner, format!("a schema has no word for `{}`", key.escape_debug()));
            }
        }
        let kind = KINDS.iter().find_map(|key| entry.get(key)).and_then(|spot| spot.node.text());
        let schema = SCHEMAS.iter().find_map(|key| entry.get(key));
        let name = entry.get("name").or_else(|| entry.get("key"));
        match (kind.map(str::to_lowercase).as_deref(), schema) {
            (Some("identify"), Some(schema)) => self.people(&schema, Form::Unsaid),
            (Some("common" | "global"), Some(schema)) => self.global(&schema),
            (Some("group"), _) => self.left_out(entry, "traits of groups were left out, for a schema is about people"),
            (Some(call @ ("page" | "screen")), schema) => {
                let call = call.to_owned();
                if let Some(name) = name.as_ref().and_then(|name| name.node.text()).filter(|name| !name.is_empty()) {
                    let name = name.escape_debug();
                    self.left_out(
                        entry,
                        format!("the name `{name}` of a {call} was left out: all are events `{call}`"),
                    );
                }
                self.event(call, entry, schema.as_ref(), Form::Unsaid);
            }
            (_, schema) => {
                let Some(name) = name else {
                    return self.reader.problem(entry, "this event has no `name`");
                };
                let Some(text) = self.reader.text(&name, "name") else { return };
                self.event(text.to_owned(), entry, schema.as_ref(), Form::Unsaid);
            }
        }
    }

    /// An item of a list: an entry with a name, or a schema with a title.
    fn listed(&mut self, item: &Spot<'p>) {
        let is_entry = item.node.get("name").is_some_and(|name| name.text().is_some());
        match is_entry && SCHEMAS.iter().any(|key| item.node.get(key).is_some()) {
            true => self.entry(item),
            false => self.single(item, None),
        }
    }

    /// A JSON Schema, or a bundle of them.
    fn bundle(&mut self, root: &Spot<'p>, stem: &str) {
        let form = if root.node.get("x-seg-schema").is_some() { Form::Properties } else { Form::Unsaid };
        let properties = root.get("properties");
        let parts = properties.as_ref().map(Spot::members).unwrap_or_default();
        let are_parts = parts.iter().all(|(name, _)| matches!(*name, "events" | "attributes"));
        let has_parts = parts.iter().any(|(_, part)| part.node.get("properties").is_some()) || form == Form::Properties;
        if properties.is_some() && are_parts && has_parts {
            let is_known = |key: &str| {
                OF_PLANS.contains(&key)
                    || matches!(key, "properties" | "$defs" | "definitions" | "additionalProperties")
            };
            for (key, inner) in root.members() {
                if !is_known(key) && !key.starts_with("x-seg-") {
                    let key = key.escape_debug();
                    self.left_out(&inner, format!("a schema has no word for `{key}`"));
                }
            }
            for (name, part) in parts {
                match name {
                    "attributes" => self.people(&part, form),
                    _ => {
                        for (name, schema) in part.get("properties").iter().flat_map(Spot::members) {
                            self.event(name.to_owned(), &schema, Some(&schema), form);
                        }
                    }
                }
            }
            return;
        }
        if let (Some(events), None) = (root.get("events"), &properties) {
            return self.named(root, &events);
        }
        let branches = ["oneOf", "anyOf"].iter().find_map(|key| root.get(key)).and_then(|spot| spot.items());
        if let (Some(branches), None) = (branches, &properties) {
            return branches.iter().for_each(|branch| self.single(branch, None));
        }
        let definitions = root.get("$defs").or_else(|| root.get("definitions"));
        let is_schema =
            ["type", "properties", "required", "allOf", "$ref"].iter().any(|key| root.node.get(key).is_some());
        match definitions.filter(|_| !is_schema) {
            Some(definitions) => self.definitions(root, &definitions),
            None if is_schema || root.node.get("title").is_some() => self.single(root, Some(stem)),
            // Of what is no schema nothing is known, as is told of the plan as a whole.
            None => {}
        }
    }

    /// Events under their names, or a list of them, and people beside them.
    fn named(&mut self, root: &Spot<'p>, events: &Spot<'p>) {
        match events.items() {
            Some(items) => items.iter().for_each(|item| self.listed(item)),
            None => {
                if !matches!(events.node.json, Json::Object(_)) {
                    let word = events.node.word();
                    self.reader.problem(events, format!("`events` has to be an object or a list, and is {word}"));
                }
                for (name, schema) in events.members() {
                    self.event(name.to_owned(), &schema, Some(&schema), Form::Unsaid);
                }
            }
        }
        for (key, inner) in root.members() {
            if OF_PEOPLE.contains(&fold_name(key).as_str()) {
                self.people(&inner, Form::Unsaid);
            } else if key != "events"
                && !OF_PLANS.contains(&key)
                && !matches!(key, "$defs" | "definitions")
                && !key.starts_with("x-seg-")
            {
                self.left_out(&inner, format!("a schema has no word for `{}`", key.escape_debug()));
            }
        }
    }

    /// Definitions, each an event unless others are made of it.
    fn definitions(&mut self, root: &Spot<'p>, definitions: &Spot<'p>) {
        let mut references = HashSet::new();
        gather(root.node, &mut references);
        let within = |reference: &&str, pointer: &str| {
            let rest = reference.strip_prefix('#').and_then(|way| way.strip_prefix(pointer));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        for (name, schema) in definitions.members() {
            if OF_PEOPLE.contains(&fold_name(name).as_str()) {
                self.people(&schema, Form::Unsaid);
            } else if references.iter().any(|reference| within(reference, &schema.pointer)) {
                let message = format!("`{}` is a part of others, which refer to it, and no event", name.escape_debug());
                self.reader.remark(RemarkKind::ReadAs, &schema, message);
            } else {
                self.single(&schema, Some(name));
            }
        }
    }

    /// A schema that says itself of what it is; by its file or its key where it does not.
    fn single(&mut self, schema: &Spot<'p>, name: Option<&str>) {
        let shape = self.reader.shape(schema);
        let said = ["event", "event_name", "eventName"].iter().find_map(|key| shape.property(key)?.only_text());
        let reference = schema.node.get("$ref").and_then(Node::text).and_then(|text| text.rsplit('/').next());
        let reference = reference.map(crate::open::unescaped);
        let name = said.or(shape.title.as_deref()).or(name).map(str::to_owned).or(reference);
        let Some(name) = name else {
            if matches!(schema.node.json, Json::Object(_)) {
                self.reader.problem(schema, "this event has no name; give its schema a `title`");
            }
            return;
        };
        if OF_PEOPLE.contains(&fold_name(&name).as_str()) {
            return self.attributes(&shape, Form::Unsaid);
        }
        if !shape.is_object() && shape.kinds.is_some() {
            let name = name.escape_debug();
            return self.left_out(schema, format!("`{name}` is no object, as an event is, and was left out"));
        }
        self.event_of(name, schema, shape, Form::Unsaid);
    }

    fn event(&mut self, name: String, spot: &Spot<'p>, schema: Option<&Spot<'p>>, form: Form) {
        let shape = match schema {
            Some(schema) => self.reader.shape(schema),
            None => Shape::any(spot.clone()),
        };
        self.event_of(name, spot, shape, form);
    }

    fn event_of(&mut self, name: String, spot: &Spot<'p>, mut shape: Shape<'p>, form: Form) {
        let mut properties = Vec::new();
        if form == Form::Unsaid && is_call(&shape) {
            for (part, prefix) in [("properties", ""), ("context", "context")] {
                let part = shape.property(part).cloned();
                part.iter().for_each(|part| self.reader.fields(part, prefix, true, &mut properties));
            }
            if let Some(traits) = shape.property("traits").filter(|traits| !traits.properties.is_empty()) {
                let spot = traits.spot.clone();
                self.left_out(&spot, "traits beside an event were left out; those of people are in `identify`");
            }
        } else {
            // What says which event it is, is none of its properties.
            let is_name = |key: &str, shape: &Shape<'_>| {
                matches!(key, "event" | "event_name" | "eventName") && shape.only_text() == Some(name.as_str())
            };
            if form == Form::Unsaid {
                shape.properties.retain(|property| !is_name(&property.name, &property.shape));
            }
            self.reader.fields(&shape, "", true, &mut properties);
        }
        if let Some(title) = shape.title.as_ref().filter(|title| **title != name) {
            self.left_out(spot, format!("the title `{}` was left out", title.escape_debug()));
        }
        let said = spot.get("description").and_then(|text| self.reader.text(&text, "description"));
        let description = said.map(str::to_owned).or(shape.description);
        let words =
            Some(shape.spot.clone()).filter(|spot| spot.node.members().iter().any(|(k, _)| k.starts_with("x-seg-")));
        self.found.events.push(FoundEvent { name, spot: spot.clone(), description, properties, words });
    }

    fn people(&mut self, schema: &Spot<'p>, form: Form) {
        let shape = self.reader.shape(schema);
        self.attributes(&shape, form);
    }

    fn attributes(&mut self, shape: &Shape<'p>, form: Form) {
        let traits = shape.property("traits").filter(|_| form == Form::Unsaid && is_call(shape));
        self.reader.fields(traits.unwrap_or(shape), "", true, &mut self.found.attributes);
    }

    /// Traits one by one, each with a name.
    fn traits(&mut self, spot: &Spot<'p>) {
        let Some(entries) = spot.items() else { return self.people(spot, Form::Unsaid) };
        for entry in entries {
            let Some(name) = entry.get("name") else {
                self.reader.problem(&entry, "this trait has no `name`");
                continue;
            };
            let Some(name) = self.reader.text(&name, "name") else { continue };
            let schema = SCHEMAS.iter().find_map(|key| entry.get(key));
            let mut shape = match &schema {
                Some(schema) => self.reader.shape(schema),
                None => Shape::any(entry.clone()),
            };
            let said = entry.get("description").and_then(|text| self.reader.text(&text, "description"));
            shape.description = said.map(str::to_owned).or(shape.description);
            let property = super::shape::Property { name: name.to_owned(), shape, is_required: false };
            let one = Shape { properties: vec![property], ..Shape::any(entry.clone()) };
            self.reader.fields(&one, "", true, &mut self.found.attributes);
        }
    }

    /// What all calls have.
    fn global(&mut self, schema: &Spot<'p>) {
        let shape = self.reader.shape(schema);
        for (part, prefix) in [("properties", ""), ("context", "context")] {
            let part = shape.property(part).cloned();
            part.iter().for_each(|part| self.reader.fields(part, prefix, true, &mut self.found.everywhere));
        }
        let traits = shape.property("traits").cloned();
        traits.iter().for_each(|traits| self.reader.fields(traits, "", true, &mut self.found.attributes));
        for property in shape.properties.iter().filter(|property| !OF_CALLS.contains(&property.name.as_str())) {
            let (name, spot) = (property.name.escape_debug(), property.shape.spot.clone());
            self.left_out(&spot, format!("a schema has no word for `{name}` of calls"));
        }
    }
}

/// Whether a shape is that of a call, with its properties or traits in their place.
fn is_call(shape: &Shape<'_>) -> bool {
    let is_part = |name: &str| {
        let part = shape.property(name);
        part.is_some_and(|part| part.is_object() || part.kinds.is_none() && part.listed.is_none())
    };
    let are_parts = shape.properties.iter().all(|property| OF_CALLS.contains(&property.name.as_str()));
    are_parts && (is_part("properties") || is_part("traits") || is_part("context"))
}

fn is_nothing(node: &Node) -> bool {
    match &node.json {
        Json::Null => true,
        Json::List(items) => items.is_empty(),
        Json::Object(members) => members.is_empty(),
        Json::Boolean(_) | Json::Number(_) | Json::Text(_) => false,
    }
}

/// Every reference of a tree.
fn gather<'p>(node: &'p Node, out: &mut HashSet<&'p str>) {
    out.extend(node.get("$ref").and_then(Node::text));
    node.members().iter().for_each(|(_, inner)| gather(inner, out));
    node.items().into_iter().flatten().for_each(|inner| gather(inner, out));
}
