//! Schemas as TOML files.

use super::pattern::fits_pattern;
use super::{AttributeId, Channel, Event, EventId, Field, Group, Names, Noun, Role, Schema, Target, Verb, fold_name};
use crate::batch::OWN_NAMES;
use crate::settings;
use crate::time::{DAY, Period, SECOND};
use crate::types::Type;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use toml::Spanned;

/// A problem in a schema file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaProblem {
    /// The kind, which decides the number that it is reported under.
    pub kind: ProblemKind,
    /// What is wrong, in the wording of diagnostics.
    pub message: String,
    /// What would be right, where that can be told.
    pub help: Option<String>,
    /// The bytes of the text that it is about.
    pub at: Range<usize>,
}

/// The kinds of problem a schema can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// Not TOML, or keys and values of the wrong shape.
    Syntax,
    /// A name that cannot be used.
    Name,
    /// A name of something that is not there.
    Reference,
    /// A value that does not fit.
    Value,
}

/// Reads a schema. The schema is as complete as it can be; it is to be used
/// only when there are no problems.
pub fn parse(text: &str) -> (Schema, Vec<SchemaProblem>) {
    let file: SchemaFile = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let (message, help) = settings::told(error.message());
            let at = error.span().unwrap_or(0..0);
            let problem = SchemaProblem { kind: ProblemKind::Syntax, message, help, at };
            return (Schema::default(), vec![problem]);
        }
    };
    let mut reader = Reader::default();
    let schema = reader.schema(file);
    (schema, reader.problems)
}

/// A TOML table in the order of the file, each key with its place.
struct Entries<T>(Vec<(Spanned<String>, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Entries(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    currency: Option<Spanned<String>>,
    event_id: Option<String>,
    retention: Option<Spanned<String>>,
    arrives_within: Option<Spanned<String>>,
    first_seen: Option<Spanned<String>>,
    #[serde(default)]
    attributes: Entries<Spanned<ShortOrLong<FieldTable>>>,
    #[serde(default)]
    events: Entries<EventFile>,
    #[serde(default)]
    groups: Entries<GroupFile>,
    #[serde(default)]
    channels: Entries<ChannelFile>,
    #[serde(default)]
    places: Entries<PlaceFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceFile {
    latitude: Spanned<String>,
    longitude: Spanned<String>,
}

/// `country = "text"`, or a table. Read by hand, for serde's untagged enums
/// lose the places of what is inside them.
enum ShortOrLong<T> {
    Short(String),
    Long(T),
}

/// What a table has instead of the text that is its short form.
trait Table {
    const EXPECTED: &'static str;
}

impl Table for FieldTable {
    const EXPECTED: &'static str = "a type such as \"text\", or a table with `type` and what else is known";
}

impl Table for VerbTable {
    const EXPECTED: &'static str = "a verb such as \"buy\", or a table with `verb` and its `past`";
}

impl Table for NounTable {
    const EXPECTED: &'static str = "a noun such as \"order\", or a table with `noun` and its `plural`";
}

impl<'de, T: Deserialize<'de> + Table> Deserialize<'de> for ShortOrLong<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Table> Visitor<'de> for Either<T> {
            type Value = ShortOrLong<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_str<E>(self, text: &str) -> Result<ShortOrLong<T>, E> {
                Ok(ShortOrLong::Short(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ShortOrLong<T>, A::Error> {
                T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(ShortOrLong::Long)
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldTable {
    #[serde(rename = "type")]
    ty: Spanned<String>,
    #[serde(default)]
    required: bool,
    history: Option<Spanned<bool>>,
    recurring: Option<Spanned<bool>>,
    allowed: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    also: Vec<Spanned<String>>,
    description: Option<String>,
    currency: Option<Spanned<String>>,
    #[serde(default)]
    fields: Entries<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventFile {
    #[serde(default)]
    also: Vec<Spanned<String>>,
    #[serde(default)]
    verbs: Vec<ShortOrLong<VerbTable>>,
    #[serde(default)]
    nouns: Vec<ShortOrLong<NounTable>>,
    description: Option<String>,
    role: Option<Role>,
    arrives_within: Option<Spanned<String>>,
    #[serde(default)]
    properties: Entries<Spanned<ShortOrLong<FieldTable>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerbTable {
    verb: String,
    past: Option<String>,
    participle: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NounTable {
    noun: String,
    plural: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    events: Vec<Spanned<String>>,
    #[serde(default)]
    also: Vec<Spanned<String>>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelFile {
    consent: Option<Spanned<String>>,
}

#[derive(Default)]
struct Reader {
    problems: Vec<SchemaProblem>,
    currency: Option<String>,
}

impl Reader {
    fn problem(&mut self, kind: ProblemKind, at: Range<usize>, message: String, help: Option<String>) {
        self.problems.push(SchemaProblem { kind, message, help, at });
    }

    fn schema(&mut self, file: SchemaFile) -> Schema {
        self.currency = file.currency.map(|c| self.currency_code(c));
        let everywhere = file.arrives_within.and_then(|text| self.period(&text));
        let attributes: Vec<Field> = file.attributes.0.into_iter().map(|(n, f)| self.field(n, f)).collect();
        let events: Vec<Event> = file.events.0.into_iter().map(|(n, e)| self.event(n, e, everywhere)).collect();
        let mut names = Names::default();
        for (idx, attribute) in attributes.iter().enumerate() {
            let target = Target::Attribute(AttributeId(idx as u32));
            self.name(&mut names, &attribute.name, &attribute.also, target, &attribute.declared_at);
        }
        for (idx, event) in events.iter().enumerate() {
            let target = Target::Event(EventId(idx as u32));
            self.name(&mut names, &event.name, &event.also, target, &event.declared_at);
        }
        let mut schema = Schema {
            attributes,
            events,
            groups: Vec::new(),
            channels: Vec::new(),
            places: Vec::new(),
            currency: self.currency.clone(),
            event_id: file.event_id,
            retention: file.retention.and_then(|text| self.period(&text)),
            first_seen: None,
            names,
        };
        for (name, group) in file.groups.0 {
            let group = self.group(&schema, name, group);
            let target = Target::Group(super::GroupId(schema.groups.len() as u32));
            self.name(&mut schema.names, &group.name, &group.also, target, &group.declared_at);
            schema.groups.push(group);
        }
        self.words(&mut schema);
        for (name, channel) in file.channels.0 {
            let consent = channel.consent.and_then(|c| self.attribute_of(&schema, &c, &[Type::Boolean]));
            schema.channels.push(Channel { name: name.into_inner(), consent });
        }
        for (name, place) in file.places.0 {
            let degrees = |reader: &mut Reader, name: &Spanned<String>| {
                reader.attribute_of(&schema, name, &[Type::Number, Type::Integer])
            };
            if let (Some(latitude), Some(longitude)) = (degrees(self, &place.latitude), degrees(self, &place.longitude))
            {
                schema.places.push(super::PlaceOf { name: name.into_inner(), latitude, longitude });
            }
        }
        schema.first_seen = file.first_seen.and_then(|name| self.attribute_of(&schema, &name, &[Type::Timestamp]));
        schema
    }

    /// Enters a definition's names, refusing what is taken.
    fn name(&mut self, names: &mut Names, name: &str, also: &[String], target: Target, at: &Range<usize>) {
        for name in std::iter::once(name).chain(also.iter().map(String::as_str)) {
            self.check_name(name, at);
            if names.exact.insert(name.to_owned(), target).is_some() {
                let message = format!("`{name}` is the name of two things");
                let help = "attributes, events and groups share one set of names; rename one of them".to_owned();
                self.problem(ProblemKind::Name, at.clone(), message, Some(help));
                continue;
            }
            let fits = names.folded.entry(fold_name(name)).or_default();
            if !fits.contains(&target) {
                fits.push(target);
            }
        }
    }

    /// Enters the forms of the verbs and nouns of events. One that is the name of
    /// something else is refused; what follows from a noun alone gives way.
    fn words(&mut self, schema: &mut Schema) {
        for (idx, event) in schema.events.iter().enumerate() {
            let target = Target::Event(EventId(idx as u32));
            for word in &event.words {
                if let Some(other) = schema.names.lookup(word).iter().find(|other| **other != target) {
                    let message =
                        format!("`{word}` is a form of `{}`, and a name of `{}`", event.name, schema.name_of(*other));
                    let help = "a word stands for one thing; use another verb or noun, or rename the other".to_owned();
                    self.problem(ProblemKind::Name, event.declared_at.clone(), message, Some(help));
                }
            }
            for word in &event.words {
                schema.names.folded.entry(fold_name(word)).or_insert_with(|| vec![target]);
            }
        }
        for (idx, event) in schema.events.iter().enumerate() {
            for word in event.nouns.iter().flat_map(|noun| noun.behind(&event.verbs)) {
                let target = Target::Event(EventId(idx as u32));
                schema.names.folded.entry(fold_name(&word)).or_insert_with(|| vec![target]);
            }
        }
    }

    fn check_name(&mut self, name: &str, at: &Range<usize>) {
        if !is_name(name) {
            let message = format!("`{}` cannot be a name", name.escape_debug());
            let help = "a name has at least one character, none of them invisible, and no space at its ends";
            self.problem(ProblemKind::Name, at.clone(), message, Some(help.to_owned()));
        }
        // A column of that name could not be told from ours.
        if OWN_NAMES.contains(&name) {
            let message = format!("`{name}` is a name that Seg uses for a column of its own");
            let plain = name.trim_start_matches('$');
            let help = format!(
                "call it `{plain}`; where files have a column of that name, seg.toml maps it: `columns = {{ {plain} = \"{name}\" }}`"
            );
            self.problem(ProblemKind::Name, at.clone(), message, Some(help));
        }
    }

    fn field(&mut self, name: Spanned<String>, file: Spanned<ShortOrLong<FieldTable>>) -> Field {
        let declared_at = name.span();
        let at = file.span();
        let table = match file.into_inner() {
            ShortOrLong::Long(table) => table,
            ShortOrLong::Short(ty) => FieldTable {
                ty: Spanned::new(at, ty),
                required: false,
                history: None,
                recurring: None,
                allowed: None,
                also: Vec::new(),
                description: None,
                currency: None,
                fields: Entries::default(),
            },
        };
        let ty_at = table.ty.span();
        let ty = self.field_type(&table.ty, table.fields);
        if let Some(currency) = table.currency {
            let at = currency.span();
            let code = self.currency_code(currency);
            if self.currency.as_ref().is_some_and(|c| *c != code) {
                let message = format!("`{code}` is a second currency");
                self.problem(
                    ProblemKind::Value,
                    at,
                    message,
                    Some("all money of a schema has one currency".to_owned()),
                );
            }
            self.currency.get_or_insert(code);
        }
        if table.allowed.is_some() && ty != Type::Text && ty != Type::List(crate::Element::Text) {
            let message = format!("`allowed` fits texts, not the type {ty}");
            self.problem(ProblemKind::Value, ty_at, message, None);
        }
        let keeps_history = table.history.as_ref().is_some_and(|h| *h.get_ref());
        if let (true, Some(at), Type::Records(_)) = (keeps_history, &table.history, &ty) {
            let message = "lists of records have no history".to_owned();
            self.problem(ProblemKind::Value, at.span(), message, Some("leave `history` out".to_owned()));
        }
        let recurring = table.recurring.as_ref().map(|recurring| *recurring.get_ref());
        if let (Some(true), Some(at), false) = (recurring, &table.recurring, ty == Type::Date) {
            let message = format!("only a date comes every year, not the type {ty}");
            let help = "make it a `date`, or leave `recurring` out".to_owned();
            self.problem(ProblemKind::Value, at.span(), message, Some(help));
        }
        Field {
            name: name.into_inner(),
            also: table.also.into_iter().map(Spanned::into_inner).collect(),
            description: table.description,
            ty,
            is_required: table.required,
            recurring,
            keeps_history,
            allowed: table.allowed.map(Spanned::into_inner),
            declared_at,
        }
    }

    /// A field of events, whose own times say when each value was.
    fn property(&mut self, name: Spanned<String>, file: Spanned<ShortOrLong<FieldTable>>) -> Field {
        let at = file.span();
        let property = self.field(name, file);
        if property.keeps_history {
            let message = format!("`{}` is a property, and only attributes keep a history", property.name);
            let help = "leave `history` out; every event keeps its own values".to_owned();
            self.problem(ProblemKind::Value, at.clone(), message, Some(help));
        }
        if property.recurring == Some(true) {
            let message = format!("`{}` is a property, and only attributes come every year", property.name);
            self.problem(ProblemKind::Value, at, message, Some("leave `recurring` out".to_owned()));
        }
        property
    }

    fn field_type(&mut self, text: &Spanned<String>, fields: Entries<Spanned<String>>) -> Type {
        if text.get_ref() == "list of records" {
            let fields = fields.0.into_iter().map(|(name, ty)| {
                let parsed = self.field_type(&ty, Entries::default());
                (name.into_inner(), parsed)
            });
            return Type::Records(fields.collect());
        }
        Type::parse(text.get_ref()).unwrap_or_else(|| {
            let message = format!("`{}` is not a type", text.get_ref());
            let help = "the types are boolean, integer, number, money, text, timestamp, date, \
                        list of text, list of integer, list of number, list of timestamp, list of records";
            self.problem(ProblemKind::Value, text.span(), message, Some(help.to_owned()));
            Type::Text
        })
    }

    fn currency_code(&mut self, text: Spanned<String>) -> String {
        let code = text.get_ref();
        if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
            let message = format!("`{code}` is not a currency");
            let help = "write the three capital letters of the currency, such as \"EUR\"".to_owned();
            self.problem(ProblemKind::Value, text.span(), message, Some(help));
        }
        text.into_inner()
    }

    fn event(&mut self, name: Spanned<String>, file: EventFile, everywhere: Option<Period>) -> Event {
        let declared_at = name.span();
        let own = file.arrives_within.and_then(|text| self.period(&text));
        let properties: Vec<Field> = file.properties.0.into_iter().map(|(n, f)| self.property(n, f)).collect();
        let mut seen: HashMap<&str, ()> = HashMap::new();
        for property in &properties {
            for name in std::iter::once(&property.name).chain(&property.also) {
                self.check_name(name, &property.declared_at);
                if name == "time" && *name == property.name {
                    let help = "the time of an event is not a property; choose another name".to_owned();
                    let message = "`time` cannot be a property".to_owned();
                    self.problem(ProblemKind::Name, property.declared_at.clone(), message, Some(help));
                }
                if seen.insert(name, ()).is_some() {
                    let message = format!("`{name}` is the name of two properties");
                    self.problem(ProblemKind::Name, property.declared_at.clone(), message, None);
                }
            }
        }
        let verbs: Vec<Verb> = file.verbs.into_iter().map(verb).collect();
        let nouns: Vec<Noun> = file.nouns.into_iter().map(noun).collect();
        let mut words: Vec<String> = Vec::new();
        for word in verbs.iter().flat_map(Verb::forms).chain(nouns.iter().flat_map(Noun::forms)) {
            self.check_name(&word, &declared_at);
            if !words.contains(&word) {
                words.push(word);
            }
        }
        Event {
            name: name.into_inner(),
            also: file.also.into_iter().map(Spanned::into_inner).collect(),
            verbs,
            nouns,
            words,
            description: file.description,
            role: file.role,
            arrives_within: own.or(everywhere),
            properties,
            declared_at,
        }
    }

    fn group(&mut self, schema: &Schema, name: Spanned<String>, file: GroupFile) -> Group {
        let mut events: Vec<EventId> = Vec::new();
        for member in file.events {
            match schema.lookup(member.get_ref()) {
                [Target::Event(id)] => events.push(*id),
                [] if member.get_ref().contains('*') => {
                    let all = schema.events.iter().enumerate();
                    let fit = all.filter(|(_, event)| fits_pattern(&event.name, member.get_ref()));
                    let fit: Vec<EventId> = fit.map(|(at, _)| EventId(at as u32)).collect();
                    if fit.is_empty() {
                        let message = format!("no event of this schema is called as `{}` says", member.get_ref());
                        self.problem(ProblemKind::Reference, member.span(), message, None);
                    }
                    events.extend(fit);
                }
                _ => {
                    let message = format!("`{}` is not an event of this schema", member.get_ref());
                    self.problem(ProblemKind::Reference, member.span(), message, None);
                }
            }
        }
        // A name may stand beside a pattern that it fits.
        let mut met = HashSet::new();
        events.retain(|event| met.insert(*event));
        Group {
            declared_at: name.span(),
            name: name.into_inner(),
            also: file.also.into_iter().map(Spanned::into_inner).collect(),
            description: file.description,
            events,
        }
    }

    fn attribute_of(&mut self, schema: &Schema, name: &Spanned<String>, types: &[Type]) -> Option<AttributeId> {
        let wanted = types.iter().map(Type::to_string).collect::<Vec<_>>().join(" or ");
        match schema.lookup(name.get_ref()) {
            [Target::Attribute(id)] if schema.attribute(*id).is_some_and(|a| types.contains(&a.ty)) => Some(*id),
            _ => {
                let message = format!("`{}` is not an attribute of type {wanted}", name.get_ref());
                self.problem(ProblemKind::Reference, name.span(), message, None);
                None
            }
        }
    }

    /// `15 minutes`, `400 days`, `2 years`.
    fn period(&mut self, text: &Spanned<String>) -> Option<Period> {
        let parsed = parse_period(text.get_ref());
        if parsed.is_none() {
            let message = format!("`{}` is not a length of time", text.get_ref());
            let help = "write a number and a unit, such as \"15 minutes\" or \"400 days\"".to_owned();
            self.problem(ProblemKind::Value, text.span(), message, Some(help));
        }
        parsed
    }
}

fn verb(file: ShortOrLong<VerbTable>) -> Verb {
    match file {
        ShortOrLong::Short(base) => Verb { base, past: None, participle: None },
        ShortOrLong::Long(table) => Verb { base: table.verb, past: table.past, participle: table.participle },
    }
}

fn noun(file: ShortOrLong<NounTable>) -> Noun {
    match file {
        ShortOrLong::Short(singular) => Noun { singular, plural: None },
        ShortOrLong::Long(table) => Noun { singular: table.noun, plural: table.plural },
    }
}

/// Whether a text can be a name: it has a character, none that is invisible, and no space at
/// its ends.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control)
}

/// A length of time as schemas write it: `15 minutes`, `400 days`, `2 years`.
pub fn parse_period(text: &str) -> Option<Period> {
    let (count, unit) = text.trim().split_once(' ')?;
    let count: i64 = count.replace('_', "").parse().ok().filter(|n| (1..=4_000_000).contains(n))?;
    let unit = unit.trim();
    Some(match unit.strip_suffix('s').unwrap_or(unit) {
        "second" => Period::Fixed(count * SECOND),
        "minute" => Period::Fixed(count * 60 * SECOND),
        "hour" => Period::Fixed(count * 3600 * SECOND),
        "day" => Period::Fixed(count * DAY),
        "week" => Period::Fixed(count * 7 * DAY),
        "month" => Period::Months(count),
        "year" => Period::Months(count * 12),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let describe = |p: SchemaProblem| {
            format!("{:?} {}: {}", p.kind, text.get(p.at).unwrap_or("").trim_matches('"'), p.message)
        };
        parse(text).1.into_iter().map(describe).collect()
    }

    #[test]
    fn a_schema_is_read_in_the_order_it_is_written() {
        let (schema, problems) = parse(
            r#"
            currency = "EUR"
            event_id = "order_id"
            retention = "400 days"
            arrives_within = "15 minutes"
            first_seen = "signed_up"
            [attributes]
            country = { type = "text", required = true, allowed = ["DE", "FR"] }
            signed_up = "timestamp"
            sms_consent = "boolean"
            [events.Zebra]
            role = "view"
            [events."Order Completed"]
            also = ["ordered", "placed an order"]
            properties = { amount = "money", lines = { type = "list of records", fields = { sku = "text" } } }
            [groups.Any]
            events = ["zebra", "ordered"]
            [groups.Orders]
            events = ["order *", "Order Completed"]
            [channels.sms]
            consent = "sms_consent"
            "#,
        );
        assert_eq!(problems, []);
        assert_eq!(schema.events.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["Zebra", "Order Completed"]);
        assert_eq!(schema.lookup("placed_an_ORDER"), [Target::Event(EventId(1))]);
        assert_eq!(schema.groups[0].events, [EventId(0), EventId(1)]);
        assert_eq!(schema.groups[1].events, [EventId(1)]);
        assert_eq!(schema.channels[0].consent, Some(AttributeId(2)));
        assert_eq!(schema.first_seen, Some(AttributeId(1)));
        assert_eq!(schema.events[0].arrives_within, Some(Period::Fixed(15 * 60 * SECOND)));
        assert_eq!(schema.events[1].properties[1].ty, Type::Records(vec![("sku".into(), Type::Text)]));
    }

    #[test]
    fn problems_are_all_found_where_they_are() {
        let found = problems(
            r#"
            currency = "euro"
            retention = "a while"
            [attributes]
            "a b" = "string"
            x = { type = "integer", allowed = ["1"] }
            v = { type = "list of records", history = true }
            [events.x]
            properties = { time = "text", w = { type = "text", history = true } }
            [groups.g]
            events = ["y", "y *"]
            [channels.sms]
            consent = "x"
            "#,
        );
        assert_eq!(
            found,
            [
                "Value euro: `euro` is not a currency",
                "Value string: `string` is not a type",
                "Value integer: `allowed` fits texts, not the type integer",
                "Value true: lists of records have no history",
                "Value { type = \"text\", history = true }: `w` is a property, and only attributes keep a history",
                "Name time: `time` cannot be a property",
                "Name x: `x` is the name of two things",
                "Value a while: `a while` is not a length of time",
                "Reference y: `y` is not an event of this schema",
                "Reference y *: no event of this schema is called as `y *` says",
                "Reference x: `x` is not an attribute of type boolean",
            ]
        );
        for name in OWN_NAMES {
            for text in [
                format!("[attributes]\n{name:?} = \"text\"\n"),
                format!("[attributes]\nplan = {{ type = \"text\", also = [{name:?}] }}\n"),
                format!("[events.{name:?}]\n"),
                format!("[events.buy.properties]\n{name:?} = \"text\"\n"),
            ] {
                let found = problems(&text);
                let expected = format!("`{name}` is a name that Seg uses for a column of its own");
                assert!(matches!(found.as_slice(), [one] if one.contains(&expected)), "{text}: {found:?}");
            }
        }
        // Names of other tools.
        assert_eq!(problems("[attributes]\n\"$email\" = \"text\"\nprofile_id = \"text\"\n"), [""; 0]);
        assert!(problems("[attributes")[0].starts_with("Syntax"));
        assert_eq!(problems("atributes = 1").len(), 1);
    }
}
