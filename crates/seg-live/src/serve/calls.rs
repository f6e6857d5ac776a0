//! What SDKs post, as lines of records.
//!
//! A body is one call, or `batch` with many. Its text goes on as it came, so that a call means
//! what it means in a file; what is added is what only a receiver knows: the time where the
//! clock of the sender is wrong, and an id where it has none.

use seg::unstable::data::sample::md5_hex;
use seg::unstable::data::time::SECOND;
use seg::{Timestamp, Zone};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Calls in one body.
pub(crate) const CALLS: usize = 2_500;
/// Objects and arrays within each other.
const DEPTH: usize = 64;
/// By how much the clock of a sender may differ before its times are corrected: below it the
/// difference is mostly the way, and exact times of back-ends stay exact.
const SKEW: i64 = 10 * SECOND;

/// The calls of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Calls {
    /// A call a line.
    pub lines: String,
    /// How many there are.
    pub n: usize,
    /// The key that the body names.
    pub key: Option<String>,
}

/// Why a body is refused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadBody {
    /// It is no JSON, or neither a call nor a batch.
    NoCall,
    /// It has more calls than one body may have.
    TooMany,
    /// It has objects within objects without end.
    TooDeep,
}

/// What a body may have around its calls.
#[derive(Deserialize)]
struct Body<'b> {
    #[serde(borrow, default)]
    batch: Option<Vec<&'b RawValue>>,
    #[serde(borrow, default, rename = "writeKey")]
    key: Option<Cow<'b, str>>,
    #[serde(borrow, default, rename = "sentAt")]
    sent: Option<&'b RawValue>,
}

/// What of a call is looked at here.
#[derive(Deserialize)]
struct Head<'b> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'b RawValue>,
    #[serde(borrow, default, rename = "messageId")]
    message: Option<&'b RawValue>,
    #[serde(borrow, default)]
    timestamp: Option<&'b RawValue>,
    #[serde(borrow, default, rename = "originalTimestamp")]
    original: Option<&'b RawValue>,
    #[serde(borrow, default, rename = "sentAt")]
    sent: Option<&'b RawValue>,
}

/// Reads a body that arrived at an instant. `kind` is the type of the call where the address
/// says it; a batch says it of each.
///
/// A call that is not understood is a line as well: it is refused on its own.
pub(crate) fn calls_of(
    body: &str,
    kind: Option<&str>,
    (received, zone): (Timestamp, Option<Zone>),
) -> Result<Calls, BadBody> {
    if depth(body) > DEPTH {
        return Err(BadBody::TooDeep);
    }
    let read: Body<'_> = serde_json::from_str(body).map_err(|_| BadBody::NoCall)?;
    let whole: &RawValue = serde_json::from_str(body).map_err(|_| BadBody::NoCall)?;
    let calls = match (read.batch, kind) {
        (Some(batch), _) => batch,
        (None, Some(_)) => vec![whole],
        (None, None) => return Err(BadBody::NoCall),
    };
    if calls.len() > CALLS {
        return Err(BadBody::TooMany);
    }
    let receipt = Receipt { received, zone, sent: read.sent.and_then(|sent| instant(sent, zone)) };
    let mut lines = String::with_capacity(body.len() + calls.len());
    for call in &calls {
        receipt.put(call.get(), kind, &mut lines);
        lines.push('\n');
    }
    Ok(Calls { lines, n: calls.len(), key: read.key.map(Cow::into_owned) })
}

/// When a body arrived, and when it was sent by the clock of its sender.
struct Receipt {
    received: Timestamp,
    zone: Option<Zone>,
    sent: Option<Timestamp>,
}

impl Receipt {
    /// Adds a call to the lines, with what is to be said otherwise than it says it.
    fn put(&self, call: &str, kind: Option<&str>, lines: &mut String) {
        let Ok(head) = serde_json::from_str::<Head<'_>>(call) else { return put_line(call, lines) };
        let changes = self.changes(&head, kind, call);
        if changes.is_empty() {
            return put_line(call, lines);
        }
        let Ok(parts) = serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(call) else {
            return put_line(call, lines);
        };
        // All other parts stay in their own words: numbers keep their digits.
        let mut start = '{';
        let mut put = |name: &str, value: &str| {
            lines.push(std::mem::replace(&mut start, ','));
            lines.push_str(&Value::from(name).to_string());
            lines.push(':');
            put_line(value, lines);
        };
        let others = parts.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        others.for_each(|(name, value)| put(name, value.get()));
        changes.into_iter().for_each(|(name, value)| put(name, &Value::from(value).to_string()));
        lines.push('}');
    }

    fn changes(&self, head: &Head<'_>, kind: Option<&str>, call: &str) -> Vec<(&'static str, String)> {
        let mut changes = Vec::new();
        let is_there = |part: Option<&RawValue>| part.is_some_and(|part| !matches!(part.get(), "null" | "\"\""));
        if let (Some(kind), false) = (kind, is_there(head.kind)) {
            changes.push(("type", kind.to_owned()));
        }
        if !is_there(head.message) {
            changes.push(("messageId", md5_hex(call)));
        }
        let time = head.timestamp.filter(|time| is_there(Some(time)));
        let time = time.or(head.original.filter(|time| is_there(Some(time))));
        let sent = head.sent.and_then(|sent| instant(sent, self.zone)).or(self.sent);
        let behind = sent.map_or(0, |sent| self.received.0.saturating_sub(sent.0));
        let skew = if behind.abs() > SKEW { behind } else { 0 };
        match time {
            // When it was sent is not when it was.
            None => changes.push(("timestamp", self.received.to_string())),
            // A time that cannot be read is told of where it is read.
            Some(time) if skew != 0 => {
                let corrected = instant(time, self.zone).map(|time| Timestamp(time.0.saturating_add(skew)));
                changes.extend(corrected.map(|time| ("timestamp", time.to_string())));
            }
            Some(_) => {}
        }
        changes
    }
}

/// A call that may stand in several lines, in one: within JSON, ends of lines are blanks.
fn put_line(call: &str, lines: &mut String) {
    lines.extend(call.chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }));
}

/// The instant that a text names.
fn instant(value: &RawValue, zone: Option<Zone>) -> Option<Timestamp> {
    let text: Cow<'_, str> = serde_json::from_str(value.get()).ok()?;
    Timestamp::read(&text, zone).ok()
}

/// How many objects and arrays are within each other at most, in one pass without recursion.
fn depth(text: &str) -> usize {
    let (mut deepest, mut depth) = (0_usize, 0_usize);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIVED: Timestamp = Timestamp(1_780_315_200_000_000);

    fn read(body: &str, kind: Option<&str>) -> Result<Vec<Value>, BadBody> {
        let calls = calls_of(body, kind, (RECEIVED, None))?;
        let lines: Vec<Value> = calls.lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.len(), calls.n);
        Ok(lines)
    }

    #[test]
    fn calls_go_on_as_they_came() {
        let body = "{\"batch\": [{\"type\": \"track\",\n \"messageId\": \"m\", \"timestamp\": \"2026-06-01T11:59:00Z\", \"n\": 1.50}],\n \"writeKey\": \"k\"}";
        let calls = calls_of(body, None, (RECEIVED, None)).expect("calls");
        let line =
            "{\"type\": \"track\",  \"messageId\": \"m\", \"timestamp\": \"2026-06-01T11:59:00Z\", \"n\": 1.50}\n";
        assert_eq!(calls, Calls { lines: line.to_owned(), n: 1, key: Some("k".to_owned()) });
    }

    #[test]
    fn times_are_corrected_where_the_clock_of_the_sender_is_wrong() {
        assert_eq!(RECEIVED.to_string(), "2026-06-01T12:00:00Z");
        let time = |call: &str| {
            let lines = read(call, Some("track")).expect("a call");
            lines.first().and_then(|line| line.get("timestamp")).and_then(Value::as_str).map(str::to_owned)
        };
        // Nothing is said of the sender's clock, or it is right: the time is as exact as it came.
        let exact = |rest: &str| time(&format!("{{\"timestamp\": \"2026-06-01T10:00:00.123456Z\"{rest}}}"));
        let same = Some("2026-06-01T10:00:00.123456Z".to_owned());
        assert_eq!(exact(""), same);
        assert_eq!(exact(", \"sentAt\": \"2026-06-01T11:59:51Z\""), same);
        assert_eq!(exact(", \"sentAt\": null"), same);
        assert_eq!(exact(", \"sentAt\": \"yesterday\""), same);
        // The clock is an hour behind, or ahead.
        let behind = exact(", \"sentAt\": \"2026-06-01T11:00:00Z\"");
        assert_eq!(behind.as_deref(), Some("2026-06-01T11:00:00.123456Z"));
        let ahead = exact(", \"sentAt\": \"2026-06-01T13:00:00Z\"");
        assert_eq!(ahead.as_deref(), Some("2026-06-01T09:00:00.123456Z"));
        let original =
            time("{\"originalTimestamp\": \"2026-06-01T10:00:00Z\", \"sentAt\": \"2026-06-01T11:00:00.000Z\"}");
        assert_eq!(original.as_deref(), Some("2026-06-01T11:00:00Z"));
        // Nothing says when it was: when it arrived.
        for call in ["{}", "{\"timestamp\": null, \"sentAt\": \"2026-06-01T11:00:00Z\"}"] {
            assert_eq!(time(call).as_deref(), Some("2026-06-01T12:00:00Z"));
        }
        // A time that nobody can read is not hidden.
        let unreadable = time("{\"timestamp\": \"soon\", \"sentAt\": \"2026-06-01T11:00:00Z\"}");
        assert_eq!(unreadable.as_deref(), Some("soon"));
    }

    #[test]
    fn what_is_not_corrected_keeps_its_digits() {
        let body = "{\"properties\": {\"n\": 12345678901234567890.10,\n\"\u{e9}\": 1e3}, \"\\u0065vent\": \"A\"}";
        let calls = calls_of(body, Some("track"), (RECEIVED, None)).expect("calls");
        let line =
            "{\"event\":\"A\",\"properties\":{\"n\": 12345678901234567890.10, \"\u{e9}\": 1e3},\"type\":\"track\",";
        assert!(calls.lines.starts_with(line), "{}", calls.lines);
    }

    #[test]
    fn a_batch_says_when_it_was_sent_and_a_call_may_say_otherwise() {
        let call = "{\"timestamp\": \"2026-06-01T10:00:00Z\"}";
        let other = "{\"timestamp\": \"2026-06-01T10:00:00Z\", \"sentAt\": \"2026-06-01T12:00:01Z\"}";
        let body = format!("{{\"sentAt\": \"2026-06-01T11:00:00Z\", \"batch\": [{call}, {other}]}}");
        let lines = read(&body, None).expect("calls");
        let times: Vec<&str> = lines.iter().filter_map(|line| line.get("timestamp")?.as_str()).collect();
        assert_eq!(times, ["2026-06-01T11:00:00Z", "2026-06-01T10:00:00Z"]);
    }

    #[test]
    fn a_call_without_an_id_is_the_same_when_it_comes_again() {
        let id = |call: &str| read(call, Some("identify")).expect("a call")[0].get("messageId").cloned();
        let call = "{\"userId\": \"ann\", \"timestamp\": \"2026-06-01T10:00:00Z\"}";
        assert_eq!(id(call), id(call));
        assert_ne!(id(call), id(&call.replace("ann", "bo")));
        assert_eq!(id("{\"messageId\": \"m\"}"), Some(Value::from("m")));
        for call in ["{\"messageId\": null}", "{\"messageId\": \"\"}"] {
            assert!(id(call).and_then(|id| Some(id.as_str()?.len())).is_some_and(|length| length == 32), "{call}");
        }
    }

    #[test]
    fn the_address_says_what_a_call_is_unless_it_says_so_itself() {
        let kind = |call: &str| read(call, Some("page")).expect("a call")[0].get("type").cloned();
        assert_eq!(kind("{\"userId\": \"ann\"}"), Some(Value::from("page")));
        assert_eq!(kind("{\"type\": \"track\"}"), Some(Value::from("track")));
    }

    #[test]
    fn hostile_bodies_are_refused() {
        let deep = |n: usize| format!("{{\"batch\": [{}{}]}}", "[".repeat(n), "]".repeat(n));
        assert_eq!(read(&deep(62), None).map(|lines| lines.len()), Ok(1));
        for n in [63, 1_000_000] {
            assert_eq!(read(&deep(n), None), Err(BadBody::TooDeep));
        }
        let many = |n: usize| format!("{{\"batch\": [{}]}}", vec!["{}"; n].join(","));
        assert_eq!(read(&many(CALLS), None).map(|lines| lines.len()), Ok(CALLS));
        assert_eq!(read(&many(CALLS + 1), None), Err(BadBody::TooMany));
        for body in ["", "[]", "7", "{", "{\"batch\": 7}", "{\"batch\": [}", "{}", "{\"batch\": null}", "nul\0"] {
            assert_eq!(read(body, None), Err(BadBody::NoCall), "{body}");
        }
        // One that is not understood does not take the others with it.
        let lines = read("{\"batch\": [7, \"x\", null, {\"messageId\": \"m\", \"timestamp\": \"t\"}]}", None);
        let lines = lines.expect("calls");
        assert_eq!(lines.len(), 4);
    }
}
