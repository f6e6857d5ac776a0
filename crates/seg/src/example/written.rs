//! Made-up people as `test` blocks.

use seg_data::time::{DAY, SECOND};
use seg_data::{Schema, Timestamp, Value, Zone};
use seg_hir::hir::{TestEvent, TestProfile};
use seg_syntax::names::display;

const UNITS: [(&str, i64); 3] = [("day", DAY), ("hour", DAY / 24), ("minute", 60 * SECOND)];

/// A test of one person.
pub(super) struct Written<'a> {
    pub schema: &'a Schema,
    pub zone: Option<Zone>,
    pub now: Timestamp,
}

impl Written<'_> {
    /// A test that expects somebody in a segment, or not.
    pub fn block(&self, person: &TestProfile, segment: &str, name: &str, is_in: bool) -> String {
        let facts: Vec<String> = self.facts(person);
        let id = quoted(&person.id);
        let facts = if facts.is_empty() { String::new() } else { format!(" {}", facts.join(",\n        ")) };
        let not = if is_in { "" } else { "not " };
        format!(
            "test {}\n    at {}\n    profile {id}{facts}\n    expect {id} {not}in {}\n",
            quoted(name),
            self.now.in_zone(self.zone),
            quoted(segment)
        )
    }

    fn facts(&self, person: &TestProfile) -> Vec<String> {
        let mut facts = Vec::new();
        let field = |id| self.schema.attribute(id);
        for (id, value) in &person.attributes {
            facts.extend(field(*id).map(|field| self.attribute(&field.name, value)));
        }
        for (since, id, value) in &person.changes {
            let said = |name: &str| format!("{} since {}", self.attribute(name, value), self.time(*since));
            facts.extend(field(*id).map(|field| said(&field.name)));
        }
        let mut events: Vec<&TestEvent> = person.events.iter().collect();
        events.sort_by_key(|event| event.time);
        facts.extend(events.into_iter().filter_map(|event| self.event(event)));
        facts
    }

    fn attribute(&self, name: &str, value: &Value) -> String {
        let name = display(name);
        match value {
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.literal(item)).collect();
                format!("{name} are {}", items.join(" and "))
            }
            value => format!("{name} is {}", self.literal(value)),
        }
    }

    fn event(&self, did: &TestEvent) -> Option<String> {
        let event = self.schema.event(did.event)?;
        let name_of = |at: usize| event.properties.get(at).map(|field| display(&field.name));
        let properties = did.properties.iter().filter_map(|(id, value)| {
            let value = match value {
                Value::List(items) => self.literal(items.first()?),
                value => self.literal(value),
            };
            Some(format!("{} {value}", name_of(id.idx())?))
        });
        let records = did.records.iter().filter_map(|(id, record)| {
            let fields: Vec<String> =
                record.iter().map(|(name, value)| format!("{} {}", display(name), self.literal(value))).collect();
            Some(format!("{} ({})", name_of(id.idx())?, fields.join(" and ")))
        });
        let with: Vec<String> = properties.chain(records).collect();
        let with = if with.is_empty() { String::new() } else { format!(" with {}", with.join(" and ")) };
        Some(format!("did {} {}{with}", display(&event.name), self.time(did.time)))
    }

    /// `3 days ago`, or the instant where it is no whole number of minutes.
    fn time(&self, at: Timestamp) -> String {
        let ago = self.now.0.saturating_sub(at.0);
        let whole = UNITS.iter().find(|(_, unit)| ago > 0 && ago % unit == 0);
        match whole {
            Some((name, unit)) => {
                let n = ago / unit;
                format!("{n} {name}{} ago", if n == 1 { "" } else { "s" })
            }
            None => format!("at {}", at.in_zone(self.zone)),
        }
    }

    fn literal(&self, value: &Value) -> String {
        match value {
            Value::Text(text) => quoted(text),
            Value::Timestamp(at) => at.in_zone(self.zone).to_string(),
            Value::Number(n) => format!("{n}"),
            Value::Boolean(_) | Value::Integer(_) | Value::Money(_) | Value::Date(_) | Value::List(_) => {
                value.to_string()
            }
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
