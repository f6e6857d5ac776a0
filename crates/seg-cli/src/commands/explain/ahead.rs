//! What would change an answer, and why waiting does not, in words and as JSON.

use super::bare;
use seg::unstable::data::{Value, shown};
use seg::unstable::names::display;
use seg::unstable::{GivenValue, Happening, Trigger, Waiting};
use seg::{Explanation, Schema, Timestamp, Zone};
use serde_json::json;

/// So many of what would change an answer are named.
const NAMED_MAX: usize = 3;

/// `with a purchase by 9 September 09:11`, or several of these; none where nothing is known
/// that would.
pub fn triggers(of: &Explanation, schema: &Schema, zone: Zone, now: Timestamp) -> Option<String> {
    let named = of.triggers.iter().take(NAMED_MAX).collect::<Vec<&Trigger>>();
    let until = |trigger: &Trigger| {
        trigger.until.map_or(String::new(), |until| format!(" by {}", shown::instant(until, zone, now)))
    };
    let first = named.first()?;
    let are_alike = named.iter().all(|trigger| trigger.until == first.until);
    let mut words: Vec<String> = Vec::with_capacity(named.len());
    let mut last_lead = "";
    for trigger in &named {
        let (lead, what) = happening(trigger, schema);
        // Said once for all that follow.
        let lead_shown = if lead == last_lead { String::new() } else { format!("{lead} ") };
        words.push(format!("{lead_shown}{what}{}", if are_alike { String::new() } else { until(trigger) }));
        last_lead = lead;
    }
    let joined = match words.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        words => words.concat(),
    };
    Some(if are_alike { format!("{joined}{}", until(first)) } else { joined })
}

/// `with`, and `a purchase where article is "85123A"`.
fn happening(trigger: &Trigger, schema: &Schema) -> (&'static str, String) {
    match &trigger.happening {
        Happening::Value(value) => ("once", is(value)),
        Happening::Event { event, properties } => {
            let noun = schema.events.iter().find(|known| known.name == *event).and_then(|event| event.nouns.first());
            let events = match (noun, trigger.times) {
                (Some(noun), 0 | 1) => with_article(&noun.singular),
                (Some(noun), n) => {
                    format!("{n} {}", noun.plural.clone().unwrap_or_else(|| format!("{}s", noun.singular)))
                }
                (None, 0 | 1) => with_article(&display(event)),
                (None, n) => format!("{} {n} times", display(event)),
            };
            let of: Vec<String> = properties.iter().map(is).collect();
            ("with", if of.is_empty() { events } else { format!("{events} where {}", of.join(" and ")) })
        }
    }
}

fn with_article(name: &str) -> String {
    let is_vowel = name.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']);
    format!("{} {name}", if is_vowel { "an" } else { "a" })
}

fn is(GivenValue { name, list, value, is_any_other, .. }: &GivenValue) -> String {
    let of_list = list.as_ref().map_or(String::new(), |list| format!(" of {}", display(list)));
    let name = format!("{}{of_list}", display(name));
    match is_any_other {
        true => format!("{name} is another"),
        false => format!("{name} is {value}"),
    }
}

/// Behind "waiting does not help": what keeps them out however long they wait.
pub fn waiting(of: &Explanation, zone: Zone, now: Timestamp) -> String {
    let conditions = of.why.conditions();
    let said = |number: usize| conditions.get(number).map_or("it", |why| bare(&why.said)).to_owned();
    // What held comes to an end, what did not begins.
    let turns = |number: usize| match conditions.get(number).is_some_and(|why| why.holds) {
        true => "ends",
        false => "begins",
    };
    match &of.waiting {
        Some(Waiting::Passes { condition, at, last, last_at }) if condition == last => {
            let at = shown::instant(*at, zone, now);
            let last_at = shown::instant(*last_at, zone, now);
            format!(": `{}` {} {at} and is as before at {last_at}", said(*condition), turns(*condition))
        }
        Some(Waiting::Passes { condition, at, last, last_at }) => {
            let before = match last_at.0.saturating_sub(at.0) {
                0 => "as".to_owned(),
                micros => format!("{} before", shown::length(micros)),
            };
            format!(
                ": `{}` {} {}, {before} `{}` {}",
                said(*condition),
                turns(*condition),
                shown::instant(*at, zone, now),
                said(*last),
                turns(*last)
            )
        }
        Some(Waiting::Stands { condition }) => format!(": time alone does not change `{}`", said(*condition)),
        None => String::new(),
    }
}

pub fn trigger_json(trigger: &Trigger) -> serde_json::Value {
    let value = |value: &GivenValue| {
        json!({
            "name": value.name,
            "list": value.list,
            "value": value_json(&value.value),
            "is_any_other": value.is_any_other,
        })
    };
    let until = trigger.until.map(|until| until.to_string());
    match &trigger.happening {
        Happening::Event { event, properties } => json!({
            "event": event,
            "properties": properties.iter().map(value).collect::<Vec<_>>(),
            "times": trigger.times,
            "until": until,
        }),
        Happening::Value(of) => json!({ "attribute": value(of), "until": until }),
    }
}

/// A value as data has it.
fn value_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Boolean(is_so) => (*is_so).into(),
        Value::Integer(n) => i64::try_from(*n).map_or(serde_json::Value::Null, Into::into),
        Value::Number(n) => (*n).into(),
        Value::Text(text) => text.clone().into(),
        Value::List(items) => items.iter().map(value_json).collect(),
        Value::Money(_) | Value::Timestamp(_) | Value::Date(_) => value.to_string().into(),
    }
}

pub fn waiting_json(waiting: &Waiting) -> serde_json::Value {
    match waiting {
        Waiting::Stands { condition } => json!({ "condition": condition, "turns_at": null }),
        Waiting::Passes { condition, at, last, last_at } => json!({
            "condition": condition,
            "turns_at": at.to_string(),
            "last": last,
            "last_turns_at": last_at.to_string(),
        }),
    }
}
