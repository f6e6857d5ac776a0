//! How many events each day had when they were last counted.

use crate::exit::Failure;
use seg::unstable::data::EventId;
use seg::unstable::doctor::{Finding, FindingKind};
use seg::unstable::io::write_whole;
use seg::{Batch, Timestamp, Zone};
use std::collections::BTreeMap;
use std::path::Path;

/// So many days that grew are named.
const DAYS_SHOWN: usize = 3;

/// The events of each name by the days on which they happened.
pub struct Days {
    at: Timestamp,
    events: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Days {
    /// The events of a batch up to an instant.
    pub fn of(batch: &Batch, zone: Option<Zone>, now: Timestamp) -> Days {
        let zone = zone.unwrap_or(Zone::UTC);
        let mut all = BTreeMap::new();
        for (at, event) in batch.schema().events.iter().enumerate() {
            let Some(events) = batch.events(EventId(at as u32)) else { continue };
            let mut days: BTreeMap<String, u64> = BTreeMap::new();
            let mut last: Option<(seg::Date, String)> = None;
            for idx in (0..events.n_profiles()).flat_map(|row| events.range(row)) {
                let time = events.time(idx);
                if time > now {
                    continue;
                }
                let day = zone.date(time);
                // Neighbours are often of one day, of which the text is made once.
                let text = match last.take().filter(|(of, _)| *of == day) {
                    Some((_, text)) => text,
                    None => day.to_string(),
                };
                *days.entry(text.clone()).or_default() += 1;
                last = Some((day, text));
            }
            all.insert(event.name.clone(), days);
        }
        Days { at: now, events: all }
    }

    /// What was kept before; none where nothing was.
    ///
    /// # Errors
    /// A file that cannot be read, or holds something else.
    pub fn read(path: &Path) -> Result<Option<Days>, Failure> {
        if !path.exists() {
            return Ok(None);
        }
        let failed = |why: String| Failure::new(format!("{}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let other = || failed("this is no record of `seg doctor`".to_owned());
        let json: serde_json::Value = serde_json::from_str(&text).map_err(|_| other())?;
        let at = json.get("at").and_then(|at| Timestamp::parse(at.as_str()?, None)).ok_or_else(other)?;
        let mut events = BTreeMap::new();
        for (name, days) in json.get("events").and_then(serde_json::Value::as_object).ok_or_else(other)? {
            let days = days.as_object().ok_or_else(other)?.iter();
            let days: Option<BTreeMap<String, u64>> = days.map(|(day, n)| Some((day.clone(), n.as_u64()?))).collect();
            events.insert(name.clone(), days.ok_or_else(other)?);
        }
        Ok(Some(Days { at, events }))
    }

    /// Keeps it for the next run.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let json = serde_json::json!({ "at": self.at.to_string(), "events": self.events });
        let text = serde_json::to_string_pretty(&json).map_err(Failure::new)?;
        write_whole(path, &format!("{text}\n")).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
    }

    /// The names of which days that were over have more events now, in findings.
    pub fn grown<'a>(&'a self, now: &'a Days) -> impl Iterator<Item = Finding> + 'a {
        // The day of that instant was not over.
        let over = self.at.to_string();
        self.events.iter().filter_map(move |(name, days)| {
            let found = now.events.get(name)?.iter().filter_map(|(day, n)| {
                let before = days.get(day).copied().unwrap_or(0);
                let is_over = over.split('T').next().is_some_and(|last| day.as_str() < last);
                (is_over && *n > before).then(|| (day, n - before))
            });
            let found: Vec<(&String, u64)> = found.collect();
            if found.is_empty() {
                return None;
            }
            let total: u64 = found.iter().map(|(_, n)| n).sum();
            let shown = found.iter().rev().take(DAYS_SHOWN).map(|(day, n)| format!("{day} by {n}"));
            let more = if found.len() > DAYS_SHOWN { ", …" } else { "" };
            let (n_days, events) = (found.len(), if total == 1 { "event" } else { "events" });
            let past = if n_days == 1 { "1 past day".to_owned() } else { format!("{n_days} past days") };
            Some(Finding {
                kind: FindingKind::Late,
                about: vec![name.clone()],
                says: format!(
                    "{past} of `{name}` grew by {total} {events} since {}: {}{more}",
                    self.at,
                    shown.collect::<Vec<_>>().join(", ")
                ),
                write: "`received` in `[data.events]` where a column says when they arrived, and a grace period"
                    .to_owned(),
                figure: Some(total as f64),
                limit: Some(0.0),
            })
        })
    }
}
