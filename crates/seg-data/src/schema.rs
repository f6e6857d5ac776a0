//! The schema: what attributes, events and properties there are.

mod english;
mod file;
mod pattern;
mod write;

pub use english::{Noun, Verb, article, base_of_past, comes_every_year};
pub use file::{ProblemKind, SchemaProblem, is_name, parse, parse_period};
pub use write::{period_text, to_toml, toml_key, toml_text, toml_type};

use crate::time::Period;
use crate::types::Type;
use std::collections::HashMap;
use std::ops::Range;

/// Makes an index type for one kind of definition.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// The id as a position among those of its kind, for indexing.
            pub fn idx(self) -> usize {
                self.0 as usize
            }
        })*
    };
}

ids! {
    /// An attribute, by its position in [`Schema::attributes`].
    AttributeId
    /// An event, by its position in [`Schema::events`].
    EventId
    /// A property, by its position in its event's [`Event::properties`].
    PropertyId
    /// An event group, by its position in [`Schema::groups`].
    GroupId
}

/// A value that an attribute or the events of one name carry.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name; also the column's.
    pub name: String,
    /// Other names sentences may use.
    pub also: Vec<String>,
    /// For people.
    pub description: Option<String>,
    /// The type of its values.
    pub ty: Type,
    /// Whether it always has a value. Data that breaks this is reported, and
    /// read as missing; nothing may be concluded from the promise alone.
    pub is_required: bool,
    /// Whether it is a day that comes every year, such as a birthday; unknown where the
    /// schema does not say.
    pub recurring: Option<bool>,
    /// Whether, of an attribute, earlier values are kept with the times they
    /// were set at.
    pub keeps_history: bool,
    /// The only texts it may hold, if there are such.
    pub allowed: Option<Vec<String>>,
    /// Where the schema says so, in bytes.
    pub declared_at: Range<usize>,
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its name; also what the data calls it.
    pub name: String,
    /// Other names sentences may use, such as `ordered` for `Order Completed`.
    pub also: Vec<String>,
    /// What people do when it happens: `buy`, `open an email`.
    pub verbs: Vec<Verb>,
    /// What there is of it afterwards: `order`.
    pub nouns: Vec<Noun>,
    /// The forms of its verbs and nouns that sentences may use.
    pub words: Vec<String>,
    /// For people.
    pub description: Option<String>,
    /// The part that it plays in carts, checkouts and purchases, if any.
    pub role: Option<Role>,
    /// How late it may arrive.
    pub arrives_within: Option<Period>,
    /// The values that each event of this name carries.
    pub properties: Vec<Field>,
    /// Where the schema says so, in bytes.
    pub declared_at: Range<usize>,
}

impl Event {
    /// A property by any of its names, as [`Schema::lookup`] finds names.
    pub fn property(&self, name: &str) -> Option<PropertyId> {
        let exact = self.properties.iter().position(|p| p.name == name || p.also.iter().any(|a| a == name));
        let found = exact.or_else(|| {
            let folded = fold_name(name);
            let mut fits = self
                .properties
                .iter()
                .enumerate()
                .filter(|(_, p)| fold_name(&p.name) == folded || p.also.iter().any(|a| fold_name(a) == folded));
            let (first, _) = fits.next()?;
            fits.next().is_none().then_some(first)
        });
        found.map(|idx| PropertyId(idx as u32))
    }
}

/// The part an event plays in a business, for lints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Role {
    Purchase,
    Checkout,
    Cart,
    View,
    Message,
}

/// Several events under one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Other names.
    pub also: Vec<String>,
    /// For people.
    pub description: Option<String>,
    /// Its members.
    pub events: Vec<EventId>,
    /// Where the schema says so, in bytes.
    pub declared_at: Range<usize>,
}

/// A way to reach people, with the attribute that says whether they agreed.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// `sms`
    pub name: String,
    /// A boolean attribute.
    pub consent: Option<AttributeId>,
}

/// A pair of attributes that say where somebody is.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceOf {
    /// `home`
    pub name: String,
    /// Degrees north.
    pub latitude: AttributeId,
    /// Degrees east.
    pub longitude: AttributeId,
}

/// Everything that segments can be about, under the names they use for it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schema {
    /// The values that are known of a person.
    pub attributes: Vec<Field>,
    /// What a person can do. Their order breaks ties between events of
    /// different names at one instant.
    pub events: Vec<Event>,
    /// Events under a common name.
    pub groups: Vec<Group>,
    /// Ways to reach people.
    pub channels: Vec<Channel>,
    /// Where people are.
    pub places: Vec<PlaceOf>,
    /// The currency of every amount of money.
    pub currency: Option<String>,
    /// The property that identifies an event: two events of one person with
    /// the same text in it are one.
    pub event_id: Option<String>,
    /// How long data is kept.
    pub retention: Option<Period>,
    /// The attribute that says when a person was first seen, where the history
    /// of events is cut.
    pub first_seen: Option<AttributeId>,
    names: Names,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Names {
    exact: HashMap<String, Target>,
    folded: HashMap<String, Vec<Target>>,
}

impl Names {
    fn lookup(&self, name: &str) -> &[Target] {
        if let Some(target) = self.exact.get(name) {
            return std::slice::from_ref(target);
        }
        self.folded.get(&fold_name(name)).map_or(&[], Vec::as_slice)
    }
}

/// A thing of the schema that a name in a sentence stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// An attribute.
    Attribute(AttributeId),
    /// An event.
    Event(EventId),
    /// An event group.
    Group(GroupId),
}

impl Schema {
    /// What a name means: looked up exactly first, then ignoring case and
    /// treating spaces, `_` and `-` alike. More than one result means that the
    /// name fits several things, none means that it fits nothing.
    pub fn lookup(&self, name: &str) -> &[Target] {
        self.names.lookup(name)
    }

    /// An attribute by id.
    pub fn attribute(&self, id: AttributeId) -> Option<&Field> {
        self.attributes.get(id.idx())
    }

    /// An event by id.
    pub fn event(&self, id: EventId) -> Option<&Event> {
        self.events.get(id.idx())
    }

    /// A group by id.
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(id.idx())
    }

    /// The name of what a target stands for.
    pub fn name_of(&self, target: Target) -> &str {
        match target {
            Target::Attribute(id) => self.attribute(id).map_or("", |a| &a.name),
            Target::Event(id) => self.event(id).map_or("", |e| &e.name),
            Target::Group(id) => self.group(id).map_or("", |g| &g.name),
        }
    }

    /// Every name with what it stands for and where the schema says so: the
    /// main names and the other names of attributes, events and groups, and the
    /// forms of the verbs and nouns of events.
    pub fn all_names(&self) -> impl Iterator<Item = (&str, Target, &Range<usize>)> {
        let attributes = self.attributes.iter().enumerate().flat_map(|(idx, a)| {
            let target = Target::Attribute(AttributeId(idx as u32));
            std::iter::once(&a.name).chain(&a.also).map(move |n| (n.as_str(), target, &a.declared_at))
        });
        let events = self.events.iter().enumerate().flat_map(|(idx, e)| {
            let target = Target::Event(EventId(idx as u32));
            std::iter::once(&e.name).chain(&e.also).chain(&e.words).map(move |n| (n.as_str(), target, &e.declared_at))
        });
        let groups = self.groups.iter().enumerate().flat_map(|(idx, g)| {
            let target = Target::Group(GroupId(idx as u32));
            std::iter::once(&g.name).chain(&g.also).map(move |n| (n.as_str(), target, &g.declared_at))
        });
        attributes.chain(events).chain(groups)
    }
}

/// The form in which names are compared when they are not written exactly:
/// lower case, with space, `_` and `-` alike.
pub fn fold_name(name: &str) -> String {
    let spaced = name.chars().map(|c| if matches!(c, '_' | '-') { ' ' } else { c });
    // Nearly all names are ASCII, of which each character has one lower case.
    match name.is_ascii() {
        true => spaced.map(|c| c.to_ascii_lowercase()).collect(),
        false => spaced.flat_map(char::to_lowercase).collect(),
    }
}
