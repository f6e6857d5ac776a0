//! Looking at data nobody has described yet: a first `seg.toml` and schema.

pub(crate) mod column;
pub(crate) mod english;
mod sample;
mod settings;
mod table;

use crate::calls::{CallSink, EVENT, ID, Rows, TIME};
use crate::open::{DataFile, Elsewhere, STANDARD_INPUT, find};
use crate::report::ReadError;
use column::Column;
use sample::Sample;
use seg_data::schema::{toml_key, toml_text, toml_type};
use seg_data::{Schema as DataSchema, Timestamp, Type, Zone};
use settings::manifest;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use table::{EventIs, EventRoles, ProfileRoles, Roles, Table};

/// A proposal for a project over some data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The text of `seg.toml`.
    pub manifest: String,
    /// The text of `schema.toml`.
    pub schema: String,
    /// The text of a first `.seg` file, in the words of the schema.
    pub segments: String,
    /// What was concluded, a line each, for the person who asked.
    pub findings: Vec<String>,
    /// The latest event.
    pub last_event: Option<Timestamp>,
}

/// What a person may decide before the data is looked at.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// The project's name.
    pub name: String,
    /// The zone, by its name, whose days and months count.
    pub timezone: String,
    /// As of when everything is evaluated.
    pub at: Option<Timestamp>,
    /// The time it is, to tell data of the past from data that still comes in.
    pub now: Option<Timestamp>,
    /// What is looked at beside files of this machine.
    pub elsewhere: Elsewhere,
}

/// How many different texts a column may have for them to be listed.
const ALLOWED_MAX: usize = 12;

/// Rows of which nobody can tell what they are: each may be an event, or what a person was at
/// a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'q> {
    /// The file.
    pub file: &'q str,
    /// Its column of people.
    pub id: &'q str,
    /// Its column of times.
    pub time: &'q str,
    /// What each event would be called.
    pub event: &'q str,
}

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsAre {
    /// What people did.
    Events,
    /// What people are.
    People,
}

/// Looks at the beginning of data files (`patterns` under `base`) and proposes a project that
/// reads them. `ask` may tell what rows are where that cannot be seen.
///
/// # Errors
/// When a file cannot be read, or no file has people or events.
pub fn propose(
    base: &Path,
    patterns: &[String],
    wishes: &Wishes,
    ask: &mut dyn FnMut(Question<'_>) -> Option<RowsAre>,
) -> Result<Proposal, ReadError> {
    let mut found = Found::default();
    let zone = Zone::parse(&wishes.timezone);
    for file in find(base, patterns, &wishes.elsewhere)? {
        found.file(&file, zone, ask)?;
    }
    let Found { profiles, events, mut findings, left_out } = found;
    if events.is_empty() && profiles.is_empty() {
        return Err(ReadError::new(patterns.join(", "), left_out.join("; ")));
    }
    let last_event = events.iter().filter_map(Table::last_time).max();
    let at = wishes.at.or_else(|| after_old_data(wishes, last_event?));
    if let (Some(at), None) = (at, wishes.at) {
        let at = at.in_zone(Zone::parse(&wishes.timezone));
        findings.push(format!("the latest event is long past, so everything is judged at {at} (`at` in seg.toml)"));
    }
    let manifest = manifest(wishes, at, &profiles, &events, last_event);
    let Schema { text: schema, first } = schema(&profiles, &events);
    Ok(Proposal { manifest, schema, segments: segments(first.as_deref()), findings, last_event })
}

/// What files were found to be.
#[derive(Default)]
struct Found {
    profiles: Vec<Table>,
    events: Vec<Table>,
    findings: Vec<String>,
    /// Why files were passed over.
    left_out: Vec<String>,
}

impl Found {
    fn file(
        &mut self,
        file: &DataFile,
        zone: Option<Zone>,
        ask: &mut dyn FnMut(Question<'_>) -> Option<RowsAre>,
    ) -> Result<(), ReadError> {
        // What came through the standard input will come through it again.
        let name = if file.name == DataFile::STANDARD_INPUT_NAME { STANDARD_INPUT } else { &file.name };
        let sample = Sample::of(file)?;
        let mut table = Table::new(name, zone);
        sample.read(&mut table)?;
        let roles = match table.roles() {
            Roles::Either(roles) => match ask(table.question(&roles)) {
                Some(RowsAre::Events) => Roles::Events(roles),
                Some(RowsAre::People) => Roles::Profiles(ProfileRoles { id: roles.id, time: Some(roles.time) }),
                None => Roles::Either(roles),
            },
            roles => roles,
        };
        match roles {
            Roles::Calls => self.calls(name, zone, &sample)?,
            Roles::Events(roles) => {
                let EventRoles { id, event, time } = &roles;
                let said = match event {
                    EventIs::Column(column) => format!("event in `{column}`"),
                    EventIs::Named(name) => format!("no column of event names, so that each is one `{name}` (`name`)"),
                };
                let looked = sample.told(table.n_rows, "events");
                self.findings.push(format!("{name}: {looked}; person in `{id}`, {said}, time in `{time}`"));
                self.findings.extend(table.without(id).into_iter().chain(table.left_out()));
                // A second reading, now that the columns are known, tells
                // which event has which properties.
                let until = sample.until(time, zone)?;
                let mut table = Table { events: Some(roles), until, ..Table::new(name, zone) };
                sample.read(&mut table)?;
                self.events.push(table);
            }
            Roles::Profiles(roles) => {
                let ProfileRoles { id, time } = &roles;
                let time = time.as_ref().map_or(String::new(), |time| format!(", since when in `{time}`"));
                let looked = sample.told(table.n_rows, "profiles");
                self.findings.push(format!("{name}: {looked}; person in `{id}`{time}"));
                self.findings.extend(table.without(id).into_iter().chain(table.left_out()));
                table.profiles = Some(roles);
                self.profiles.push(table);
            }
            Roles::Either(EventRoles { id, event, time }) => {
                let event = match event {
                    EventIs::Column(name) | EventIs::Named(name) => name,
                };
                let quoted = toml_text(name);
                self.leave_out(format!(
                    "{name}: passed over, for its rows may be events or what people were at a time; for events add to \
                     seg.toml `[data.events]` with `files = [{quoted}]`, `id = {}`, `name = {}` and `time = {}`, for \
                     people `[data.profiles]` with `files`, `id` and `time`",
                    toml_text(&id),
                    toml_text(&event),
                    toml_text(&time)
                ));
            }
            Roles::Unclear => {
                let columns: Vec<String> =
                    table.columns.iter().filter(|c| !c.name.is_empty()).map(|c| format!("`{}`", c.name)).collect();
                self.leave_out(format!(
                    "{name}: passed over, for no column looks like a person's id: it has {}; if one is, add \
                     `[data.profiles]` to seg.toml with `files` and `id`, or `[data.events]` with `event` and `time` too",
                    columns.join(", ")
                ));
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, why: String) {
        self.findings.push(why.clone());
        self.left_out.push(why);
    }

    /// Calls say what people are and what they did, in traits and properties.
    fn calls(&mut self, name: &str, zone: Option<Zone>, sample: &Sample<'_>) -> Result<(), ReadError> {
        let schema = DataSchema::default();
        let table = || Table { is_calls: true, ..Table::new(name, zone) };
        let mut people =
            Table { profiles: Some(ProfileRoles { id: ID.to_owned(), time: Some(TIME.to_owned()) }), ..table() };
        sample.read(&mut CallSink::of_each(&mut people, Rows::People, &schema))?;
        let roles = EventRoles { id: ID.to_owned(), event: EventIs::Column(EVENT.to_owned()), time: TIME.to_owned() };
        let mut events = Table { events: Some(roles), until: sample.until(TIME, zone)?, ..table() };
        sample.read(&mut CallSink::of_each(&mut events, Rows::Events, &schema))?;
        let (n_people, n_events) = (people.n_rows, events.n_rows);
        let looked = sample.told(n_people + n_events, "analytics calls");
        self.findings.push(format!("{name}: {looked}, {n_events} of them events"));
        self.profiles.push(people);
        self.events.push(events);
        Ok(())
    }
}

/// Windows up to today would find nothing in data that ended long ago: the
/// midnight after its last event.
fn after_old_data(wishes: &Wishes, last_event: Timestamp) -> Option<Timestamp> {
    const OLD: i64 = 30 * seg_data::time::DAY;
    let zone = Zone::parse(&wishes.timezone)?;
    let is_old = wishes.now.is_some_and(|now| now.0.saturating_sub(last_event.0) > OLD);
    is_old.then(|| zone.start_of_day(zone.date(last_event).plus_days(1)))
}

/// A first segment, in the words that were guessed; one that holds for any data where
/// none were.
fn segments(first: Option<&str>) -> String {
    let (name, said) = match first {
        Some(past) => (format!("{} in the past 30 days", capitalized(past)), past),
        None => ("Active in the past 30 days".to_owned(), "did anything"),
    };
    format!(
        "# A segment says who is in it. Change this one, and add more.\n\
         segment \"{name}\"\n    include people who {said} in the past 30 days\n"
    )
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

struct Schema {
    text: String,
    /// What somebody did, in words that were guessed.
    first: Option<String>,
}

fn schema(profiles: &[Table], events: &[Table]) -> Schema {
    let mut out = String::from(
        "# What segments can be about. Types, verbs, nouns, roles and what is said of attributes were guessed from\n\
         # the names and values of the data: correct what is wrong, and add other names with `also`.\n\
         # `seg schema words` lists the English that follows.\n",
    );
    // Writing to a string does not fail.
    let merged =
        merged_columns(profiles.iter().flat_map(|table| table.fields().map(|(_, column)| (column, table.n_rows))));
    let columns: Vec<(&Column, u64)> = merged.iter().map(|(column, n_rows)| (column, *n_rows)).collect();
    let of_events = || events.iter().flat_map(Table::fields).map(|(_, column)| column);
    let all = || columns.iter().map(|(column, _)| *column).chain(of_events());
    if let Some(currency) = all().find_map(Column::currency) {
        let _ = writeln!(out, "\n# The one value of `{}`.\ncurrency = {}", currency.0, toml_text(currency.1));
    }
    if let Some(id) = of_events().find(|column| english::is_event_id(&column.name)) {
        let _ = writeln!(
            out,
            "\n# Two records with the same `{}` are one event.\nevent_id = {}",
            id.name,
            toml_text(&id.name)
        );
    }
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut lines = String::new();
    let mut channels: Vec<(&str, &str)> = Vec::new();
    for (column, n_rows) in columns {
        if seen.insert(&column.name) {
            let _ = writeln!(lines, "{} = {}", toml_key(&column.name), attribute(column, n_rows));
            if column.ty() == Type::Boolean
                && let Some(channel) = english::channel_of(&column.name)
                && channels.iter().all(|(known, _)| *known != channel)
            {
                channels.push((channel, &column.name));
            }
        }
    }
    if !lines.is_empty() {
        let _ = write!(out, "\n[attributes]\n{lines}");
    }
    let names: Vec<&str> = events.iter().flat_map(|table| &table.event_order).map(String::as_str).collect();
    let mut words = english::Words::new(seen.iter().copied(), &names);
    let mut first: Option<(bool, String)> = None;
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for table in events {
        for event in &table.event_order {
            if done.insert(event.as_str()) {
                let guess = words.guess(event);
                let is_purchase = guess.role == Some("purchase");
                if let Some(past) = guess.verbs.first().and_then(|base| past_of(base))
                    && first.as_ref().is_none_or(|(found, _)| is_purchase && !found)
                {
                    first = Some((is_purchase, past));
                }
                out.push_str(&event_text(events, event, &guess));
            }
        }
    }
    for group in words.groups(&done.iter().copied().collect::<Vec<_>>()) {
        let (begins, name) = (group.begins, group.name());
        let _ = writeln!(
            out,
            "\n# Events whose names begin with `{begins}`, as one: `did {name} in the past 30 days`.\n\
             [groups.{}]\nevents = [{}]",
            toml_key(&name),
            toml_text(&format!("{begins} *"))
        );
    }
    for (channel, consent) in channels {
        let _ =
            writeln!(out, "\n# `{consent}` says who agreed.\n[channels.{channel}]\nconsent = {}", toml_text(consent));
    }
    Schema { text: out, first: first.map(|(_, past)| past) }
}

/// Columns of one name in several files as one, each with how many rows it may stand in.
fn merged_columns<'t>(columns: impl Iterator<Item = (&'t Column, u64)>) -> Vec<(Column, u64)> {
    let mut merged: Vec<(Column, u64)> = Vec::new();
    for (column, n_rows) in columns {
        match merged.iter_mut().find(|(known, _)| known.name == column.name) {
            Some((known, n)) => (*known, *n) = (known.clone().with(column), *n + n_rows),
            None => merged.push((column.clone(), n_rows)),
        }
    }
    merged
}

/// `opened an email`, of `open an email`.
fn past_of(base: &str) -> Option<String> {
    let verb = seg_data::schema::Verb { base: base.to_owned(), past: None, participle: None };
    verb.forms().into_iter().nth(2)
}

/// An event with what was guessed of it, and its properties.
fn event_text(tables: &[Table], event: &str, guess: &english::Guess) -> String {
    let mut out = format!("\n[events.{}]\n", toml_key(event));
    for (key, words) in [("verbs", guess.verbs.as_slice()), ("nouns", guess.noun.as_slice())] {
        if !words.is_empty() {
            let words: Vec<String> = words.iter().map(|word| toml_text(word)).collect();
            let _ = writeln!(out, "{key} = [{}]", words.join(", "));
        }
    }
    if let Some(role) = guess.role {
        let _ = writeln!(out, "role = {}", toml_text(role));
    }
    // What any file has for the event, as all of them show it.
    let of_event = tables.iter().flat_map(|table| {
        let counts = table.by_event.get(event);
        let has = move |at: usize| counts.and_then(|c| c.get(at)).is_some_and(|n| *n > 0);
        table.fields().filter(move |(at, _)| has(*at)).map(|(_, column)| (column, table.n_rows))
    });
    let properties = merged_columns(of_event);
    if !properties.is_empty() {
        let _ = writeln!(out, "[events.{}.properties]", toml_key(event));
    }
    for (column, _) in &properties {
        let _ = writeln!(out, "{} = {}{}", toml_key(&column.name), toml_type(&column.ty()), values(column));
    }
    out
}

/// An attribute's type, with what its name and values say of it. That none of these rows
/// lacks a value is no promise that none ever will, so nothing is called required.
fn attribute(column: &Column, n_rows: u64) -> String {
    let ty = column.ty();
    let quoted = toml_type(&ty);
    if ty == Type::Date && seg_data::schema::comes_every_year(&column.name) {
        return format!("{{ type = {quoted}, recurring = true }}  # a day that comes every year, by its name");
    }
    let listed = values(column);
    match listed.is_empty() && n_rows > 0 && column.n_values == n_rows {
        true => format!("{quoted}  # in every row; say `required = true` if it always has a value"),
        false => format!("{quoted}{listed}"),
    }
}

/// The values of a column as a comment, where they are few.
fn values(column: &Column) -> String {
    let is_short = column.ty() == Type::Text && column.texts.len() <= ALLOWED_MAX && column.n_values > 20;
    match is_short && !column.texts.is_empty() {
        true => format!("  # {}", column.texts.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
        false => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_profiles_are_told_apart() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        write("people.csv", "customer_id,country,zip,vip,joined\n1,DE,01234,yes,2024-01-02\n2,FR,99999,no,\n");
        write(
            "log.csv",
            "customer_id,event,timestamp,amount,page\n1,order_done,2024-03-01T10:00:00Z,9.50,\n2,viewed,2024-03-02 11:00,,home\n",
        );
        let wishes = Wishes { name: "shop".into(), timezone: "UTC".into(), ..Wishes::default() };
        let proposal = propose(dir.path(), &["*.csv".into()], &wishes, &mut |_| None).expect("a proposal");
        assert_eq!(crate::manifest::parse(&proposal.manifest).map(|m| m.name), Ok("shop".into()));
        assert_eq!(seg_data::schema::parse(&proposal.schema).1, []);
        insta::assert_snapshot!(format!("{}\n---\n{}", proposal.manifest, proposal.schema));
    }

    #[test]
    fn types_fit_all_files_and_times_are_local() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        write("e1.csv", "user_id,event,timestamp,amount\n1,buy,2024-03-01 12:00:00,10\n");
        write("e2.csv", "user_id,event,timestamp,amount,coupon\n1,buy,2024-03-10 02:00:00,9.50,X\n");
        write("p1.csv", "user_id,score\n1,5\n");
        write("p2.csv", "user_id,score\n2,high\n");
        let now = Timestamp::parse("2025-01-01T00:00:00Z", None);
        let wishes = Wishes { name: "shop".into(), timezone: "America/New_York".into(), now, ..Wishes::default() };
        let proposal = propose(dir.path(), &["*.csv".into()], &wishes, &mut |_| None).expect("a proposal");
        for line in ["amount = \"money\"", "coupon = \"text\"", "score = \"text\""] {
            assert!(proposal.schema.contains(line), "{}", proposal.schema);
        }
        // The midnight after the last event.
        assert!(proposal.manifest.contains("at = \"2024-03-11T04:00:00Z\""), "{}", proposal.manifest);
    }

    #[test]
    fn names_are_read_as_english() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        write("people.csv", "user_id,birthday,email_consent,sms_opt_in,order\nann,1990-01-02,yes,no,3\n");
        let events = [
            "Checkout Started",
            "Order Completed",
            "Email Opened",
            "Email Clicked",
            "Added to Cart",
            "Added to List",
            "Added to Wishlist",
            "signed_up",
            "ProductViewed",
            "Invite Sent",
            "purchase",
            "Did It",
            "Order Refunded",
        ];
        let rows: String = events.map(|event| format!("ann,{event},2026-05-01T00:00:00Z,m-1,EUR\n")).concat();
        write("events.csv", &format!("user_id,event,timestamp,message_id,currency\n{rows}"));
        let wishes = Wishes { name: "shop".into(), timezone: "UTC".into(), ..Wishes::default() };
        let proposal = propose(dir.path(), &["*.csv".into()], &wishes, &mut |_| None).expect("a proposal");
        assert_eq!(seg_data::schema::parse(&proposal.schema).1, []);
        insta::assert_snapshot!(format!("{}\n---\n{}", proposal.schema, proposal.segments));
    }
}
