//! Nodes of a plan to pieces of SQL, and the relations that these need.
//!
//! What is about a person is an expression over `p`, the people, and what is about an event one
//! over `e`, their events. Whatever is gathered over events becomes a column of a pass over `e`,
//! or a relation of its own; both are named once and joined where they are read.

mod chain;
mod condition;
mod gathered;
mod history;
mod items;
mod texts;
mod time;
mod value;

use crate::dialect::{Dialect, Says};
use crate::refusal::{Difference, Refusal};
use crate::source::Source;
use crate::text::{Condition, Join, Joins, Value};
use crate::zone::Offsets;
use seg_data::{AttributeId, EventId, PropertyId, Schema, Timestamp, Type, Zone};
use seg_hir::hir::{Interval, Moment, horizon};
use seg_plan::{Node, NodeId, Plan, Query};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the rows are that an expression is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Rows {
    /// `p`.
    People,
    /// `e`.
    Events,
    /// `it`, the records of events, beside `e`.
    Items,
    /// `it`, items of lists of people or stretches of their histories, beside `p`.
    Elements,
}

/// A property of events, as `e` has it.
pub(crate) struct PropertyColumn {
    pub ids: Vec<(EventId, PropertyId)>,
    pub ty: Type,
    pub name: String,
}

/// A relation that is named once.
pub(crate) enum Relation {
    /// Its text.
    Text(String),
    /// Over the events joined with some relations, a column each of what is gathered.
    Pass(Joins, Vec<String>),
}

pub(crate) struct Compiler<'a> {
    pub plan: &'a Plan,
    pub schema: &'a Schema,
    pub source: &'a Source,
    pub dialect: Dialect,
    pub says: &'static dyn Says,
    pub now: Timestamp,
    /// In the order in which they are made: each after those that it reads.
    pub relations: Vec<(String, Relation)>,
    pub attributes: BTreeSet<AttributeId>,
    pub properties: Vec<PropertyColumn>,
    /// Those whose local time `e` has.
    pub zones: Vec<Zone>,
    /// The attributes whose local time `p` has, by zone.
    pub local_attributes: BTreeSet<(AttributeId, &'static str)>,
    offsets: HashMap<&'static str, Offsets>,
    conditions: HashMap<NodeId, Condition>,
    n_users: Vec<u32>,
    /// What is known of the events of the query at hand.
    context: Vec<Vec<String>>,
    refusals: BTreeMap<(String, String), BTreeSet<String>>,
    pub differences: BTreeSet<Difference>,
    /// The segment that is compiled.
    pub segment: String,
}

/// A condition of several users that is longer than this becomes a column.
const SHARED_LENGTH: usize = 160;

impl<'a> Compiler<'a> {
    pub fn new(
        plan: &'a Plan,
        schema: &'a Schema,
        source: &'a Source,
        dialect: Dialect,
        now: Timestamp,
    ) -> Compiler<'a> {
        let mut n_users = vec![0_u32; plan.nodes().len()];
        let children = plan.nodes().iter().flat_map(|node| [node.children(), node.inner()].concat());
        for id in children.chain(plan.roots().iter().map(|root| root.node)) {
            if let Some(n) = n_users.get_mut(id.idx()) {
                *n += 1;
            }
        }
        Compiler {
            plan,
            schema,
            source,
            dialect,
            says: dialect.says(),
            now,
            relations: Vec::new(),
            attributes: BTreeSet::new(),
            properties: Vec::new(),
            zones: Vec::new(),
            local_attributes: BTreeSet::new(),
            offsets: HashMap::new(),
            conditions: HashMap::new(),
            n_users,
            context: Vec::new(),
            refusals: BTreeMap::new(),
            differences: BTreeSet::new(),
            segment: String::new(),
        }
    }

    /// Notes that something cannot be said.
    pub fn refuse(&mut self, construct: &str, reason: &str) {
        let segments = self.refusals.entry((construct.to_owned(), reason.to_owned())).or_default();
        if !self.segment.is_empty() {
            segments.insert(self.segment.clone());
        }
    }

    /// Notes that something is said with a difference.
    pub fn differs(&mut self, construct: &str, how: &str) {
        self.differences.insert(Difference { construct: construct.to_owned(), how: how.to_owned() });
    }

    pub fn refusals(&self) -> Vec<Refusal> {
        let each = self.refusals.iter().map(|((construct, reason), segments)| Refusal {
            construct: construct.clone(),
            reason: reason.clone(),
            segments: segments.iter().cloned().collect(),
        });
        each.collect()
    }

    /// A condition about a person, which is a column of its own where several ask it.
    pub fn of_people(&mut self, id: NodeId) -> Condition {
        self.condition(id, Rows::People)
    }

    /// Keeps a condition about people for all who ask it.
    fn kept(&mut self, id: NodeId, rows: Rows) -> Option<Condition> {
        (rows == Rows::People).then(|| self.conditions.get(&id).cloned()).flatten()
    }

    fn keep(&mut self, id: NodeId, rows: Rows, condition: Condition) -> Condition {
        if rows != Rows::People {
            return condition;
        }
        let n_users = self.n_users.get(id.idx()).copied().unwrap_or(0);
        let kept = if n_users > 1 && condition.sql.len() > SHARED_LENGTH {
            let from = self.from(Rows::People, None, &condition.joins);
            let name = self.relation("w", format!("SELECT p.id AS id, {} AS holds\n  FROM {from}", condition.sql));
            Condition { sql: format!("coalesce({name}.holds, false)"), joins: Joins::from([Join::ById(name)]) }
        } else {
            condition
        };
        self.conditions.insert(id, kept.clone());
        kept
    }

    /// The name of a relation, which is made unless there is one of the same text. No column is
    /// called like one: ClickHouse would take the one for the other.
    pub fn relation(&mut self, prefix: &str, text: String) -> String {
        let same = |relation: &Relation| matches!(relation, Relation::Text(other) if *other == text);
        if let Some((name, _)) = self.relations.iter().find(|(_, relation)| same(relation)) {
            return name.clone();
        }
        let name = self.new_name(prefix);
        self.relations.push((name.clone(), Relation::Text(text)));
        name
    }

    fn new_name(&self, prefix: &str) -> String {
        let n = self.relations.iter().filter(|(name, _)| name.trim_end_matches(char::is_numeric) == prefix).count();
        format!("{prefix}{}", n + 1)
    }

    /// A column of the pass over events joined with some relations.
    pub fn pass(&mut self, joins: Joins, column: String) -> (String, Join) {
        let found =
            self.relations.iter().position(|(_, relation)| matches!(relation, Relation::Pass(of, _) if *of == joins));
        let at = found.unwrap_or_else(|| {
            let name = self.new_name("g");
            self.relations.push((name, Relation::Pass(joins, Vec::new())));
            self.relations.len() - 1
        });
        let Some((name, Relation::Pass(_, columns))) = self.relations.get_mut(at) else {
            return (String::new(), Join::Person);
        };
        let position = columns.iter().position(|other| *other == column).unwrap_or_else(|| {
            columns.push(column);
            columns.len() - 1
        });
        (format!("{name}.c{}", position + 1), Join::ById(name.clone()))
    }

    /// What rows are taken from, with the relations that are read beside them.
    pub fn from(&self, rows: Rows, of: Option<&str>, joins: &Joins) -> String {
        let base = match (rows, of) {
            (Rows::People, Some(_) | None) => "p".to_owned(),
            (Rows::Events, Some(_) | None) => "e".to_owned(),
            (Rows::Items, of) => format!("{} AS it JOIN e ON e.rid = it.rid", of.unwrap_or("e")),
            (Rows::Elements, of) => format!("{} AS it JOIN p ON p.id = it.id", of.unwrap_or("p")),
        };
        let alias = if matches!(rows, Rows::People | Rows::Elements) { "p" } else { "e" };
        let joined = joins.iter().filter_map(|join| match join {
            Join::Person if alias == "p" => None,
            Join::Person => Some(" LEFT JOIN p ON p.id = e.id".to_owned()),
            Join::ById(name) => Some(format!(" LEFT JOIN {name} ON {name}.id = {alias}.id")),
            Join::ByEvent(name) => Some(format!(" LEFT JOIN {name} ON {name}.rid = e.rid")),
        });
        base + &joined.collect::<String>()
    }

    /// Which events a query finds, in a condition over `e`.
    pub fn query(&mut self, query: &Query) -> Condition {
        let mut parts = self.plain_query(query);
        let Some(filter) = query.filter else {
            return Condition { sql: joined(&parts), joins: Joins::new() };
        };
        self.context.push(parts.clone());
        let filter = self.condition(filter, Rows::Events);
        self.context.pop();
        parts.push(filter.sql);
        Condition { sql: joined(&parts), joins: filter.joins }
    }

    /// The same without its filter.
    fn plain_query(&self, query: &Query) -> Vec<String> {
        let mut parts = vec![names(&query.events)];
        if let Some(known_at) = query.known_at {
            parts.push(format!("e.us <= {}", instant(horizon(Some(known_at), self.now))));
        }
        parts.extend(self.window(&query.interval, "e.us"));
        parts
    }

    /// The edges of a window, of an instant.
    pub fn window(&self, interval: &Interval, of: &str) -> Vec<String> {
        let now = self.now;
        let edge = |moment: Moment, closed: &str, open: &str, is_closed: bool| {
            format!("{of} {} {}", if is_closed { closed } else { open }, instant(moment.at(now)))
        };
        let from = interval.from.map(|bound| edge(bound.moment, ">=", ">", bound.is_closed));
        // Nothing that exists is later than now.
        let to = interval.to.filter(|bound| !(bound.is_closed && bound.moment.at(now) >= now));
        let to = to.map(|bound| edge(bound.moment, "<=", "<", bound.is_closed));
        from.into_iter().chain(to).collect()
    }

    /// By which order events come, the first first or the last first.
    pub fn order(&mut self, construct: &str, is_backwards: bool) -> String {
        if self.source.events.iter().any(|events| events.arrival.is_none()) {
            let reason = "of events at one instant the one that arrived first comes first: the table says no \
                          `arrival`";
            self.refuse(construct, reason);
        }
        let eid = self.says.by_code_point("e.eid");
        match is_backwards {
            false => format!("e.us, {eid} NULLS FIRST, e.arr, e.ev"),
            true => format!("e.us DESC, {eid} DESC NULLS LAST, e.arr DESC, e.ev DESC"),
        }
    }

    pub fn node(&self, id: NodeId) -> Option<&'a Node> {
        self.plan.node(id)
    }

    /// The offsets of a zone at instants up to one, where one is known.
    pub fn offsets(&mut self, zone: Zone, until: Option<Timestamp>) -> Offsets {
        let all = self.offsets.entry(zone.name()).or_insert_with(|| Offsets::of(zone)).clone();
        match until {
            Some(until) => all.until(until.0),
            None => all,
        }
    }

    /// Notes that a column of a type cannot be read.
    fn refuse_type(&mut self, ty: &Type) {
        if let Some((construct, reason)) = self.says.refuses(ty) {
            self.refuse(construct, reason);
        }
    }

    /// A column of an attribute of `p`.
    pub fn attribute(&mut self, id: AttributeId, ty: &Type) -> Value {
        self.refuse_type(ty);
        self.attributes.insert(id);
        let name = self.schema.attribute(id).map_or("", |field| field.name.as_str());
        Value::of(format!("p.{}", self.says.ident(&attribute_column(name))), value::kind_of(ty), Join::Person)
    }

    /// A column of a property of `e`.
    pub fn property(&mut self, ids: &[(EventId, PropertyId)], ty: &Type) -> Value {
        self.refuse_type(ty);
        let found = self.properties.iter().position(|column| column.ids == ids && column.ty == *ty);
        let at = found.unwrap_or_else(|| {
            let first = ids.first().and_then(|(event, property)| {
                Some(self.schema.event(*event)?.properties.get(property.idx())?.name.as_str())
            });
            let base = property_column(first.unwrap_or("missing"));
            let n =
                self.properties.iter().filter(|column| column.name.trim_end_matches(char::is_numeric) == base).count();
            let name = if n == 0 { base } else { format!("{base}{}", n + 1) };
            self.properties.push(PropertyColumn { ids: ids.to_vec(), ty: ty.clone(), name });
            self.properties.len() - 1
        });
        let name = self.properties.get(at).map_or("", |column| column.name.as_str());
        Value::plain(format!("e.{}", self.says.ident(name)), value::kind_of(ty))
    }
}

/// The column of an attribute, which is no other's that `p` has, in any case of letters.
pub(crate) fn attribute_column(name: &str) -> String {
    format!("a_{name}")
}

/// The same of a property and `e`.
fn property_column(name: &str) -> String {
    format!("p_{name}_")
}

/// Of which names events are.
pub(crate) fn names(events: &[EventId]) -> String {
    match events {
        [one] => format!("e.ev = {}", one.0),
        [] => "false".to_owned(),
        several => {
            let numbers: Vec<String> = several.iter().map(|event| event.0.to_string()).collect();
            format!("e.ev IN ({})", numbers.join(", "))
        }
    }
}

/// An instant in microseconds, with what it is beside it.
pub(crate) fn instant(at: Timestamp) -> String {
    match at.is_in_range() {
        true => format!("{} /* {at} */", at.0),
        false => at.0.to_string(),
    }
}

/// Conditions that hold together.
pub(crate) fn joined(parts: &[String]) -> String {
    match parts {
        [one] => one.clone(),
        several => format!("({})", several.join(" AND ")),
    }
}
