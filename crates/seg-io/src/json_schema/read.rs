//! A JSON Schema read as what it says of a value.
//!
//! Every keyword is either taken into the shape or named: nothing is dropped in silence.

use super::shape::{Format, Kinds, Listed, Property, Shape};
use super::tree::{Document, Json, Node, step};
use super::{PROBLEMS_MAX, PlanProblem, PlanRemark, RemarkKind};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// How many schemas one file may come to, each reference followed.
const SCHEMAS_MAX: usize = 500_000;
/// How deep schemas may stand in one another, each reference followed.
const LEVELS_MAX: usize = 64;
/// How many properties one object may have.
const PROPERTIES_MAX: usize = 10_000;

/// A place of a document.
#[derive(Clone)]
pub(super) struct Spot<'p> {
    pub document: &'p Document,
    pub node: &'p Node,
    /// The way to it, as a JSON pointer.
    pub pointer: String,
}

impl fmt::Debug for Spot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.document.name, self.pointer)
    }
}

impl<'p> Spot<'p> {
    pub fn root(document: &'p Document) -> Spot<'p> {
        Spot { document, node: &document.root, pointer: String::new() }
    }

    /// The place of a member or an item of it.
    pub fn inner(&self, name: &str, node: &'p Node) -> Spot<'p> {
        Spot { document: self.document, node, pointer: self.pointer.clone() + &step(name) }
    }

    pub fn get(&self, name: &str) -> Option<Spot<'p>> {
        self.node.get(name).map(|node| self.inner(name, node))
    }

    pub fn members(&self) -> Vec<(&'p str, Spot<'p>)> {
        self.node.members().iter().map(|(name, node)| (name.as_str(), self.inner(name, node))).collect()
    }

    pub fn items(&self) -> Option<Vec<Spot<'p>>> {
        let items = self.node.items()?.iter().enumerate();
        Some(items.map(|(at, node)| self.inner(&at.to_string(), node)).collect())
    }

    pub fn line(&self) -> u64 {
        self.document.line(self.node.at)
    }
}

/// Reads schemas, and keeps what is wrong with them and what no schema of Seg says.
pub(super) struct Reader {
    pub problems: Vec<PlanProblem>,
    pub remarks: Vec<PlanRemark>,
    told: HashSet<(String, String, String)>,
    n_schemas: usize,
    /// How deep the schema at hand stands in others, references followed.
    level: usize,
    /// Whether a limit was met, so that all that follows is passed over.
    is_spent: bool,
    /// The targets of references that are being followed: the place of each, and how deep
    /// among properties it was met.
    open: Vec<(*const Node, usize)>,
    /// How deep among properties and items the schema at hand is.
    depth: usize,
    /// Whether what stands beside a reference counts, which it does not up to draft 7.
    are_siblings_read: bool,
    /// Whether Seg wrote the plan, which says it as it is meant.
    is_own: bool,
}

/// Keywords that say nothing of values: what a document is, and where its parts are.
const SILENT: [&str; 7] = ["$schema", "$id", "id", "$defs", "definitions", "$anchor", "$vocabulary"];

/// Keywords of Seg that are read where events and whole schemas are.
const OF_WHOLE: [&str; 12] = [
    "x-seg-schema",
    "x-seg-verbs",
    "x-seg-nouns",
    "x-seg-role",
    "x-seg-arrives-within",
    "x-seg-currency",
    "x-seg-event-id",
    "x-seg-retention",
    "x-seg-first-seen",
    "x-seg-groups",
    "x-seg-channels",
    "x-seg-places",
];

impl Reader {
    pub fn new() -> Reader {
        Reader {
            problems: Vec::new(),
            remarks: Vec::new(),
            told: HashSet::new(),
            n_schemas: 0,
            level: 0,
            is_spent: false,
            open: Vec::new(),
            depth: 0,
            are_siblings_read: true,
            is_own: false,
        }
    }

    /// Begins with another document, whose draft says what stands beside references.
    pub fn begin(&mut self, document: &Document) {
        self.n_schemas = 0;
        self.is_own |= document.root.get("x-seg-schema").is_some();
        self.draft(&document.root);
    }

    fn draft(&mut self, node: &Node) {
        if let Some(draft) = node.get("$schema").and_then(Node::text) {
            self.are_siblings_read =
                !["draft-03", "draft-04", "draft-06", "draft-07"].iter().any(|d| draft.contains(d));
        }
    }

    pub fn problem(&mut self, spot: &Spot<'_>, message: impl Into<String>) {
        if self.problems.len() < PROBLEMS_MAX {
            let (file, line) = (&spot.document.name, spot.line());
            self.problems.push(PlanProblem::new(file, line, spot.pointer.clone(), message.into()));
        }
    }

    pub fn remark(&mut self, kind: RemarkKind, spot: &Spot<'_>, message: impl Into<String>) {
        let message = message.into();
        if kind == RemarkKind::Advice && self.is_own {
            return;
        }
        // What several references lead to is told once.
        if self.told.insert((spot.document.name.clone(), spot.pointer.clone(), message.clone())) {
            let (file, line, pointer) = (spot.document.name.clone(), spot.line(), spot.pointer.clone());
            self.remarks.push(PlanRemark { kind, file, line, pointer, message });
        }
    }

    /// The text that has to stand in a place.
    pub fn text<'p>(&mut self, spot: &Spot<'p>, what: &str) -> Option<&'p str> {
        let text = spot.node.text();
        if text.is_none() {
            self.problem(spot, format!("`{what}` has to be a text, and is {}", spot.node.word()));
        }
        text
    }

    /// A list of texts, or one text alone.
    pub fn texts(&mut self, spot: &Spot<'_>, what: &str) -> Vec<String> {
        match spot.items() {
            Some(items) => items.iter().filter_map(|item| self.text(item, what)).map(str::to_owned).collect(),
            None => self.text(spot, what).map(str::to_owned).into_iter().collect(),
        }
    }

    fn truth(&mut self, spot: &Spot<'_>, what: &str) -> Option<bool> {
        match spot.node.json {
            Json::Boolean(truth) => Some(truth),
            Json::Null | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => {
                self.problem(spot, format!("`{what}` has to be true or false, and is {}", spot.node.word()));
                None
            }
        }
    }

    /// What a schema says.
    pub fn shape<'p>(&mut self, spot: &Spot<'p>) -> Shape<'p> {
        let any = Shape::any(spot.clone());
        if self.is_spent {
            return any;
        }
        self.n_schemas += 1;
        let limits =
            [(self.n_schemas, SCHEMAS_MAX, "there are"), (self.level, LEVELS_MAX, "nested in one another are")];
        if let Some((_, most, what)) = limits.iter().find(|(n, most, _)| n > most) {
            self.is_spent = true;
            self.problem(spot, format!("with all references followed, {what} more than {most} schemas"));
            return any;
        }
        match &spot.node.json {
            Json::Object(_) => {}
            Json::Boolean(true) => return any,
            Json::Boolean(false) => {
                self.remark(RemarkKind::LeftOut, spot, "no value fits the schema `false`, which is read as any value");
                return any;
            }
            Json::Null | Json::Number(_) | Json::Text(_) | Json::List(_) => {
                self.problem(spot, format!("a schema has to be an object, and this is {}", spot.node.word()));
                return any;
            }
        }
        self.level += 1;
        let shape = self.of_object(spot, any);
        self.level -= 1;
        shape
    }

    /// What the keywords of a schema say together.
    fn of_object<'p>(&mut self, spot: &Spot<'p>, mut shape: Shape<'p>) -> Shape<'p> {
        self.draft(spot.node);
        let reference = spot.get("$ref");
        // The type comes first, for others add to it.
        let (types, others): (Vec<_>, Vec<_>) = spot.members().into_iter().partition(|(keyword, _)| *keyword == "type");
        for (keyword, inner) in types.into_iter().chain(others) {
            let counts = reference.is_none()
                || self.are_siblings_read
                || keyword == "$ref"
                || SILENT.contains(&keyword)
                || keyword.starts_with("x-seg-");
            if counts || matches!(keyword, "title" | "description") {
                shape = self.keyword(keyword, &inner, shape);
            } else {
                let message =
                    format!("`{}` stands beside `$ref`, where it does not count up to draft 7", keyword.escape_debug());
                self.remark(RemarkKind::LeftOut, &inner, message);
            }
        }
        shape = self.with_properties(spot, shape);
        match reference.and_then(|reference| self.followed(&reference)) {
            // What is said here of it goes before what is said of all that refer to it.
            Some(target) => self.both(spot, shape, target),
            None => shape,
        }
    }

    /// A shape with what one keyword says of it.
    fn keyword<'p>(&mut self, keyword: &str, spot: &Spot<'p>, mut shape: Shape<'p>) -> Shape<'p> {
        match keyword {
            "type" => shape.kinds = self.kinds(spot).or(shape.kinds),
            "nullable" => {
                if self.truth(spot, keyword) == Some(true) {
                    shape.kinds = shape.kinds.map(|kinds| kinds.or(Kinds::NULL));
                }
            }
            "format" => {
                shape.format = self.text(spot, keyword).map(|format| match format {
                    "date-time" => Format::DateTime,
                    "date" => Format::Date,
                    other => Format::Other(other.to_owned()),
                });
            }
            "enum" => match spot.items() {
                Some(values) if !values.is_empty() => shape = self.both(spot, shape, listed(spot, &values)),
                Some(_) => self.problem(spot, "`enum` lists no value"),
                None => self.problem(spot, format!("`enum` has to be a list, and is {}", spot.node.word())),
            },
            "const" => shape = self.both(spot, shape, listed(spot, std::slice::from_ref(spot))),
            "multipleOf" => match &spot.node.json {
                Json::Number(digits) => shape.multiple_of = Some(digits.clone()),
                Json::Null | Json::Boolean(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => {
                    self.problem(spot, format!("`multipleOf` has to be a number, and is {}", spot.node.word()));
                }
            },
            "items" | "prefixItems" | "additionalItems" => shape = self.items(keyword, spot, shape),
            "allOf" => {
                for part in self.parts(keyword, spot) {
                    shape = self.both(spot, shape, part);
                }
            }
            "anyOf" | "oneOf" => {
                let parts = self.parts(keyword, spot);
                if let Some(either) = self.either(keyword, spot, parts) {
                    shape = self.both(spot, shape, either);
                }
            }
            "title" => shape.title = self.text(spot, keyword).map(str::to_owned).or(shape.title),
            "description" => shape.description = self.text(spot, keyword).map(str::to_owned).or(shape.description),
            "$ref" | "properties" | "required" => {}
            "additionalProperties" | "unevaluatedProperties" => self.additional(keyword, spot),
            known if SILENT.contains(&known) => {}
            "x-seg-type" => shape.hints.ty = self.text(spot, keyword).map(str::to_owned),
            "x-seg-also" => shape.hints.also = self.texts(spot, keyword),
            "x-seg-history" => shape.hints.history = self.truth(spot, keyword),
            "x-seg-recurring" => shape.hints.recurring = self.truth(spot, keyword),
            whole if OF_WHOLE.contains(&whole) => {}
            other => {
                let message = format!("a schema has no word for `{}`", other.escape_debug());
                self.remark(RemarkKind::LeftOut, spot, message);
            }
        }
        shape
    }

    fn kinds(&mut self, spot: &Spot<'_>) -> Option<Kinds> {
        let mut kinds = Kinds::NONE;
        for word in self.texts(spot, "type") {
            match Kinds::parse(&word) {
                Some(kind) => kinds = kinds.or(kind),
                None if word == "any" => return None,
                None => {
                    let types = "boolean, integer, number, string, array, object and null";
                    let word = word.escape_debug();
                    self.problem(spot, format!("`{word}` is no type of JSON Schema; the types are {types}"));
                    return None;
                }
            }
        }
        Some(kinds).filter(|kinds| *kinds != Kinds::NONE)
    }

    /// Whether there may be properties that are not named, which is so in any data.
    fn additional(&mut self, keyword: &str, spot: &Spot<'_>) {
        let says_more = match &spot.node.json {
            // That there are no others is what a comparison with data tells anyway.
            Json::Boolean(_) => false,
            Json::Object(members) => !members.is_empty(),
            Json::Null | Json::Number(_) | Json::Text(_) | Json::List(_) => {
                let word = spot.node.word();
                return self.problem(spot, format!("`{keyword}` has to be true, false or a schema, and is {word}"));
            }
        };
        if says_more {
            let message = format!("what `{keyword}` says of properties that have no name was left out");
            self.remark(RemarkKind::LeftOut, spot, message);
        }
    }

    /// The properties of an object with which of them are required.
    fn with_properties<'p>(&mut self, spot: &Spot<'p>, shape: Shape<'p>) -> Shape<'p> {
        if spot.get("$ref").is_some() && !self.are_siblings_read {
            return shape;
        }
        let mut own = Shape::any(spot.clone());
        if let Some(properties) = spot.get("properties") {
            self.depth += 1;
            own.properties = self.properties(&properties);
            self.depth -= 1;
        }
        if let Some(required) = spot.get("required") {
            self.require(&required, &mut own.properties);
        }
        if own.properties.len() > PROPERTIES_MAX {
            self.problem(spot, format!("an object has more than {PROPERTIES_MAX} properties"));
            own.properties.clear();
        }
        if own.properties.is_empty() { shape } else { shape.and(own) }
    }

    fn properties<'p>(&mut self, spot: &Spot<'p>) -> Vec<Property<'p>> {
        if !matches!(spot.node.json, Json::Object(_)) {
            self.problem(spot, format!("`properties` has to be an object, and is {}", spot.node.word()));
        }
        let members = spot.members().into_iter();
        members
            .map(|(name, inner)| Property { name: name.to_owned(), shape: self.shape(&inner), is_required: false })
            .collect()
    }

    fn require<'p>(&mut self, spot: &Spot<'p>, properties: &mut Vec<Property<'p>>) {
        if spot.node.items().is_none() {
            let word = spot.node.word();
            return self.problem(spot, format!("`required` has to be a list of names, and is {word}"));
        }
        let places = properties.iter().enumerate().map(|(at, property)| (property.name.clone(), at));
        let mut places: HashMap<String, usize> = places.collect();
        for name in self.texts(spot, "required") {
            let at = *places.entry(name.clone()).or_insert(properties.len());
            match properties.get_mut(at) {
                Some(property) => property.is_required = true,
                // A part of `allOf` may require what another part describes.
                None => properties.push(Property { name, shape: Shape::any(spot.clone()), is_required: true }),
            }
        }
    }

    fn items<'p>(&mut self, keyword: &str, spot: &Spot<'p>, mut shape: Shape<'p>) -> Shape<'p> {
        self.depth += 1;
        let parts: Vec<Shape<'p>> = match spot.items() {
            Some(parts) => parts.iter().map(|part| self.shape(part)).collect(),
            None if keyword == "prefixItems" => {
                self.problem(spot, format!("`prefixItems` has to be a list, and is {}", spot.node.word()));
                Vec::new()
            }
            None => vec![self.shape(spot)],
        };
        self.depth -= 1;
        if spot.node.items().is_some() {
            let message =
                format!("`{keyword}` says what each place of a list holds, which is read as what any may hold");
            self.remark(RemarkKind::ReadAs, spot, message);
        }
        let is_said = |part: &Shape<'_>| part.kinds.is_some() || !part.properties.is_empty() || part.listed.is_some();
        for part in parts {
            shape.items = Some(Box::new(match shape.items.take() {
                Some(items) if is_said(&items) && is_said(&part) => items.or(part),
                Some(items) if is_said(&items) => *items,
                Some(_) | None => part,
            }));
        }
        shape
    }

    fn parts<'p>(&mut self, keyword: &str, spot: &Spot<'p>) -> Vec<Shape<'p>> {
        match spot.items() {
            Some(parts) => parts.iter().map(|part| self.shape(part)).collect(),
            None => {
                self.problem(spot, format!("`{keyword}` has to be a list of schemas, and is {}", spot.node.word()));
                Vec::new()
            }
        }
    }

    /// What both say; where they contradict each other, what the first says.
    fn both<'p>(&mut self, spot: &Spot<'p>, first: Shape<'p>, second: Shape<'p>) -> Shape<'p> {
        let kinds = first.kinds;
        let mut both = first.and(second);
        if both.kinds == Some(Kinds::NONE) {
            both.kinds = kinds;
            self.remark(
                RemarkKind::ReadAs,
                spot,
                "no value fits all that is said here; the type that is said first was taken",
            );
        }
        both
    }

    /// What either says, of which none is null.
    fn either<'p>(&mut self, keyword: &str, spot: &Spot<'p>, parts: Vec<Shape<'p>>) -> Option<Shape<'p>> {
        let n = parts.len();
        let mut parts: Vec<Shape<'p>> = parts.into_iter().filter(|part| !part.is_null()).collect();
        let is_nullable = parts.len() < n;
        // Values one by one are a list of values, and nothing is lost.
        let are_values = parts.iter().all(|part| part.listed.is_some());
        let kinds = parts.iter().filter_map(|part| part.kinds).fold(Kinds::NONE, Kinds::or);
        let are_plain = !kinds.has(Kinds::OBJECT.or(Kinds::LIST)) && parts.iter().all(|part| part.kinds.is_some());
        if parts.len() > 1 && !are_values && !are_plain {
            let message = format!(
                "`{keyword}` is read as all that its parts allow; what only one of them requires is not required"
            );
            self.remark(RemarkKind::ReadAs, spot, message);
        }
        if are_values && parts.len() > 1 {
            parts.iter_mut().for_each(|part| (part.title, part.description) = (None, None));
        }
        let mut either = parts.into_iter().reduce(Shape::or);
        if let Some(either) = either.as_mut().filter(|_| is_nullable) {
            either.kinds = either.kinds.map(|kinds| kinds.or(Kinds::NULL));
            either.listed = either.listed.take().map(|mut listed| {
                listed.push(Listed::Other("null".to_owned()));
                listed
            });
        }
        either
    }

    /// What the target of a reference says.
    fn followed<'p>(&mut self, reference: &Spot<'p>) -> Option<Shape<'p>> {
        let text = self.text(reference, "$ref")?;
        let Some(pointer) = text.strip_prefix('#') else {
            let message = format!(
                "`{}` is in another document, which is not looked at; it is read as any value",
                text.escape_debug()
            );
            self.remark(RemarkKind::LeftOut, reference, message);
            return None;
        };
        let Some(target) = target(reference, pointer) else {
            self.problem(reference, format!("there is no `{}` in this document", text.escape_debug()));
            return None;
        };
        let place = std::ptr::from_ref(target.node);
        if let Some((_, depth)) = self.open.iter().find(|(open, _)| *open == place) {
            if *depth == self.depth {
                self.problem(reference, format!("`{}` refers to itself", text.escape_debug()));
                return None;
            }
            let mut endless = Shape::any(target);
            endless.is_endless = true;
            return Some(endless);
        }
        self.open.push((place, self.depth));
        let shape = self.shape(&target);
        self.open.pop();
        Some(shape)
    }
}

/// What a JSON pointer leads to, as it stands in a fragment of an address.
fn target<'p>(from: &Spot<'p>, pointer: &str) -> Option<Spot<'p>> {
    let mut spot = Spot::root(from.document);
    if pointer.is_empty() {
        return Some(spot);
    }
    for part in pointer.strip_prefix('/')?.split('/') {
        let name = crate::open::unescaped(part).replace("~1", "/").replace("~0", "~");
        spot = match spot.node.items() {
            Some(items) => spot.inner(&name, items.get(name.parse::<usize>().ok()?)?),
            None => spot.get(&name)?,
        };
    }
    Some(spot)
}

/// What is one of some values, and so of their kinds.
fn listed<'p>(spot: &Spot<'p>, values: &[Spot<'p>]) -> Shape<'p> {
    let kind = |node: &Node| match &node.json {
        Json::Null => Kinds::NULL,
        Json::Boolean(_) => Kinds::BOOLEAN,
        Json::Number(digits) if digits.bytes().all(|b| b.is_ascii_digit() || b == b'-') => Kinds::INTEGER,
        Json::Number(_) => Kinds::NUMBER,
        Json::Text(_) => Kinds::TEXT,
        Json::List(_) => Kinds::LIST,
        Json::Object(_) => Kinds::OBJECT,
    };
    let value = |node: &Node| match &node.json {
        Json::Text(text) => Listed::Text(text.clone()),
        Json::Number(digits) => Listed::Other(digits.clone()),
        Json::Boolean(truth) => Listed::Other(truth.to_string()),
        Json::Null | Json::List(_) | Json::Object(_) => Listed::Other(node.word().to_owned()),
    };
    let mut unique: Vec<Listed> = Vec::new();
    let mut met = HashSet::new();
    for spot in values {
        let value = value(spot.node);
        if met.insert(value.clone()) {
            unique.push(value);
        }
    }
    let kinds = values.iter().map(|spot| kind(spot.node)).fold(Kinds::NONE, Kinds::or);
    Shape { kinds: Some(kinds), listed: Some(unique), ..Shape::any(spot.clone()) }
}
