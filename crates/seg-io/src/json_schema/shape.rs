//! What a JSON Schema says of a value, taken together from all its keywords.

use super::read::Spot;
use std::collections::HashSet;
use std::fmt;

/// Which kinds of value are meant, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub const NULL: Kinds = Kinds(1);
    pub const BOOLEAN: Kinds = Kinds(2);
    pub const INTEGER: Kinds = Kinds(4);
    /// Numbers that may have places; whole ones are among them.
    pub const NUMBER: Kinds = Kinds(8);
    pub const TEXT: Kinds = Kinds(16);
    pub const LIST: Kinds = Kinds(32);
    pub const OBJECT: Kinds = Kinds(64);
    pub const NONE: Kinds = Kinds(0);

    /// The kind that JSON Schema has a word for.
    pub fn parse(word: &str) -> Option<Kinds> {
        NAMES.iter().find(|(_, name, _)| *name == word).map(|(kind, _, _)| *kind)
    }

    pub fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// What both have; a whole number is a number.
    pub fn and(self, other: Kinds) -> Kinds {
        let both = self.0 & other.0;
        let has_whole = |of: Kinds| of.0 & (Kinds::INTEGER.0 | Kinds::NUMBER.0) != 0;
        let is_whole = both & Kinds::NUMBER.0 == 0 && has_whole(self) && has_whole(other);
        Kinds(if is_whole { both | Kinds::INTEGER.0 } else { both })
    }

    pub fn without(self, other: Kinds) -> Kinds {
        Kinds(self.0 & !other.0)
    }

    pub fn has(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }
}

const NAMES: [(Kinds, &str, &str); 7] = [
    (Kinds::NULL, "null", "nothing"),
    (Kinds::BOOLEAN, "boolean", "true or false"),
    (Kinds::INTEGER, "integer", "a whole number"),
    (Kinds::NUMBER, "number", "a number"),
    (Kinds::TEXT, "string", "a text"),
    (Kinds::LIST, "array", "a list"),
    (Kinds::OBJECT, "object", "an object"),
];

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            NAMES.iter().filter(|(kind, _, _)| self.has(*kind)).map(|(_, _, words)| *words).collect();
        f.write_str(&names.join(", or "))
    }
}

/// What a format says of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Date,
    /// One that schemas of Seg have no word for.
    Other(String),
}

/// A value that `enum` or `const` lists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Listed {
    Text(String),
    /// Anything else, as JSON has it.
    Other(String),
}

/// What only Seg has words for, under the keywords that begin with `x-seg-`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Hints {
    pub ty: Option<String>,
    pub also: Vec<String>,
    pub history: Option<bool>,
    pub recurring: Option<bool>,
}

/// What is said of a value.
#[derive(Debug, Clone)]
pub(super) struct Shape<'p> {
    /// Where it is said first.
    pub spot: Spot<'p>,
    /// The kinds that it may be of; any, where nothing is said.
    pub kinds: Option<Kinds>,
    pub format: Option<Format>,
    pub listed: Option<Vec<Listed>>,
    /// What a number is a multiple of, as it is written.
    pub multiple_of: Option<String>,
    pub properties: Vec<Property<'p>>,
    pub items: Option<Box<Shape<'p>>>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub hints: Hints,
    /// Whether it comes back to itself, so that no file could hold it all.
    pub is_endless: bool,
}

/// A member of an object.
#[derive(Debug, Clone)]
pub(super) struct Property<'p> {
    pub name: String,
    pub shape: Shape<'p>,
    pub is_required: bool,
}

impl<'p> Shape<'p> {
    /// Of which nothing is said.
    pub fn any(spot: Spot<'p>) -> Shape<'p> {
        Shape {
            spot,
            kinds: None,
            format: None,
            listed: None,
            multiple_of: None,
            properties: Vec::new(),
            items: None,
            title: None,
            description: None,
            hints: Hints::default(),
            is_endless: false,
        }
    }

    /// The property of a name.
    pub fn property(&self, name: &str) -> Option<&Shape<'p>> {
        self.properties.iter().find(|property| property.name == name).map(|property| &property.shape)
    }

    /// Whether it may be an object, and is nothing else but that or null.
    pub fn is_object(&self) -> bool {
        match self.kinds {
            Some(kinds) => kinds.without(Kinds::NULL) == Kinds::OBJECT,
            None => !self.properties.is_empty(),
        }
    }

    /// Whether it says that it is null and nothing else.
    pub fn is_null(&self) -> bool {
        self.kinds == Some(Kinds::NULL)
    }

    /// The one text that it has to be.
    pub fn only_text(&self) -> Option<&str> {
        match self.listed.as_deref() {
            Some([Listed::Text(text)]) => Some(text),
            Some(_) | None => None,
        }
    }

    /// The shape itself, for which one of which nothing is said stands in.
    fn take(&mut self) -> Shape<'p> {
        let any = Shape::any(self.spot.clone());
        std::mem::replace(self, any)
    }

    fn take_and(&mut self, other: Shape<'p>) {
        let own = self.take();
        *self = own.and(other);
    }

    /// What is said by both at once, as by `allOf`; none of the kinds where they contradict
    /// each other.
    pub fn and(mut self, other: Shape<'p>) -> Shape<'p> {
        self.kinds = match (self.kinds, other.kinds) {
            (Some(own), Some(other)) => Some(own.and(other)),
            (own, other) => own.or(other),
        };
        self.listed = match (self.listed, other.listed) {
            (Some(own), Some(other)) => {
                let other: HashSet<Listed> = other.into_iter().collect();
                Some(own.into_iter().filter(|value| other.contains(value)).collect())
            }
            (own, other) => own.or(other),
        };
        for property in other.properties {
            match self.properties.iter_mut().find(|known| known.name == property.name) {
                Some(known) => {
                    known.is_required |= property.is_required;
                    known.shape.take_and(property.shape);
                }
                None => self.properties.push(property),
            }
        }
        self.items = match (self.items, other.items) {
            (Some(own), Some(other)) => Some(Box::new(own.and(*other))),
            (own, other) => own.or(other),
        };
        self.format = self.format.or(other.format);
        self.multiple_of = self.multiple_of.or(other.multiple_of);
        self.title = self.title.or(other.title);
        self.description = self.description.or(other.description);
        self.hints = self.hints.or(other.hints);
        self.is_endless |= other.is_endless;
        self
    }

    /// What is said by either, as by `anyOf`.
    pub fn or(mut self, other: Shape<'p>) -> Shape<'p> {
        self.kinds = match (self.kinds, other.kinds) {
            (Some(own), Some(other)) => Some(own.or(other)),
            _ => None,
        };
        self.listed = match (self.listed, other.listed) {
            (Some(own), Some(other)) => {
                let mut met = HashSet::new();
                Some(own.into_iter().chain(other).filter(|value| met.insert(value.clone())).collect())
            }
            _ => None,
        };
        for known in &mut self.properties {
            known.is_required &= other.properties.iter().any(|also| also.name == known.name && also.is_required);
        }
        for property in other.properties {
            match self.properties.iter_mut().find(|known| known.name == property.name) {
                Some(known) => {
                    let own = known.shape.take();
                    known.shape = own.or(property.shape);
                }
                None => self.properties.push(Property { is_required: false, ..property }),
            }
        }
        self.items = match (self.items, other.items) {
            (Some(own), Some(other)) => Some(Box::new(own.or(*other))),
            (own, other) => own.or(other),
        };
        self.format = self.format.filter(|format| other.format.as_ref() == Some(format));
        self.multiple_of = self.multiple_of.filter(|step| other.multiple_of.as_ref() == Some(step));
        self.title = self.title.or(other.title);
        self.description = self.description.or(other.description);
        self.hints = self.hints.or(other.hints);
        self.is_endless |= other.is_endless;
        self
    }
}

impl Hints {
    fn or(self, other: Hints) -> Hints {
        Hints {
            ty: self.ty.or(other.ty),
            also: if self.also.is_empty() { other.also } else { self.also },
            history: self.history.or(other.history),
            recurring: self.recurring.or(other.recurring),
        }
    }
}
