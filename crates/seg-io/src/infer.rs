//! Looking at data nobody has described yet: a first `seg.toml` and schema.

pub(crate) mod column;
pub(crate) mod english;
mod settings;

use crate::cell::Cell;
use crate::manifest::CsvRead;
use crate::open::{DataFile, find};
use crate::report::{ProblemKind, ReadError};
use crate::rows::{self, Pace, RowSink};
use column::Column;
use seg_data::schema::{toml_key, toml_text, toml_type};
use seg_data::{Timestamp, Type, Zone};
use settings::manifest;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

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
}

/// How many different texts a column may have for them to be listed.
const ALLOWED_MAX: usize = 12;

/// Looks at data files (`patterns` under `base`) and proposes a project that
/// reads them. All rows are read, so that the types fit all of them.
///
/// # Errors
/// When a file cannot be read, or no file has events.
pub fn propose(base: &Path, patterns: &[String], wishes: &Wishes) -> Result<Proposal, ReadError> {
    let mut profiles: Vec<Table> = Vec::new();
    let mut events: Vec<Table> = Vec::new();
    let mut findings = Vec::new();
    let zone = Zone::parse(&wishes.timezone);
    for file in find(base, patterns)? {
        let mut table = Table::new(&file, zone);
        rows::read(&file, &CsvRead::default(), &Arc::default(), Pace::default(), &mut table)?;
        match table.roles() {
            Roles::Events(roles) => {
                let EventRoles { id, event, time } = &roles;
                let said = match event {
                    EventIs::Column(column) => format!("event in `{column}`"),
                    EventIs::Named(name) => format!("no column of event names, so that each is one `{name}` (`name`)"),
                };
                let (name, n) = (&file.name, table.n_rows);
                findings.push(format!("{name}: {n} events; person in `{id}`, {said}, time in `{time}`"));
                findings.extend(table.without(id));
                // A second reading, now that the columns are known, tells
                // which event has which properties.
                let mut table = Table { events: Some(roles), ..Table::new(&file, zone) };
                let nothing = CsvRead::default();
                rows::read(&file, &nothing, &Arc::default(), Pace::default(), &mut table)?;
                events.push(table);
            }
            Roles::Profiles { id } => {
                findings.push(format!("{}: {} profiles; person in `{id}`", file.name, table.n_rows));
                findings.extend(table.without(&id));
                table.profiles = Some(id);
                profiles.push(table);
            }
            Roles::Unclear => {
                findings.push(format!("{}: passed over, for no column looks like a person's id", file.name));
            }
        }
    }
    if events.is_empty() && profiles.is_empty() {
        return Err(ReadError::new(patterns.join(", "), "no file has a column that looks like a person's id"));
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

/// Windows up to today would find nothing in data that ended long ago: the
/// midnight after its last event.
fn after_old_data(wishes: &Wishes, last_event: Timestamp) -> Option<Timestamp> {
    const OLD: i64 = 30 * seg_data::time::DAY;
    let zone = Zone::parse(&wishes.timezone)?;
    let is_old = wishes.now.is_some_and(|now| now.0.saturating_sub(last_event.0) > OLD);
    is_old.then(|| zone.start_of_day(zone.date(last_event).plus_days(1)))
}

/// Which columns of a file hold whom, what and when, from which follows what its
/// rows are.
enum Roles {
    Events(EventRoles),
    Profiles { id: String },
    Unclear,
}

/// Where a file of events has what.
#[derive(Debug, Clone, PartialEq, Eq)]
struct EventRoles {
    id: String,
    event: EventIs,
    time: String,
}

/// What says which event a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum EventIs {
    /// A column.
    Column(String),
    /// Nothing, so that the name of the file is taken for the one event of all its rows.
    Named(String),
}

/// What the first rows of a file show, column by column.
struct Table {
    name: String,
    /// Whose clock a time without a zone means.
    zone: Option<Zone>,
    columns: Vec<Column>,
    n_rows: u64,
    /// Where the rows have what, once that is known to be events.
    events: Option<EventRoles>,
    /// Where the ids are of rows that are people.
    profiles: Option<String>,
    /// For each event, how many values each column has for it.
    by_event: BTreeMap<String, Vec<u64>>,
    event_order: Vec<String>,
}

const PERSON_IDS: &[&str] = &[
    "profile_id",
    "user_id",
    "customer_id",
    "person_id",
    "member_id",
    "contact_id",
    "subscriber_id",
    "client_id",
    "distinct_id",
    "userid",
    "customerid",
    "anonymous_id",
];
/// What the rows of a file are told apart by: people by themselves, and events beside whose
/// they are.
const ROW_IDS: &[&str] = &["id", "order_id", "invoice_id", "transaction_id", "payment_id", "booking_id", "session_id"];
const EVENT_NAMES: &[&str] = &["event", "event_name", "event_type", "action", "activity"];
/// Names of columns of events, and of much else.
const WEAK_EVENT_NAMES: &[&str] = &["type", "name"];
const TIME_NAMES: &[&str] = &[
    "timestamp",
    "time",
    "event_time",
    "event_timestamp",
    "occurred_at",
    "received_at",
    "created_at",
    "ts",
    "datetime",
    "date",
];

impl Table {
    fn new(file: &DataFile, zone: Option<Zone>) -> Table {
        Table {
            zone,
            name: file.name.clone(),
            columns: Vec::new(),
            n_rows: 0,
            events: None,
            profiles: None,
            by_event: BTreeMap::new(),
            event_order: Vec::new(),
        }
    }

    fn at(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    fn named(&self, names: &[&str], fits: impl Fn(&Column) -> bool) -> Option<String> {
        let found = names.iter().find_map(|name| {
            self.columns.iter().find(|c| c.name.to_lowercase().replace([' ', '-'], "_") == *name && fits(c))
        });
        found.map(|c| c.name.clone())
    }

    fn roles(&self) -> Roles {
        let is_filled = |c: &Column| c.n_values > 0;
        let event = self.named(EVENT_NAMES, |c| is_filled(c) && c.ty() == Type::Text).or_else(|| {
            // Events come again and again, where people and things have names of their own.
            let comes_again = |c: &Column| c.texts.len() <= ALLOWED_MAX && c.texts.len() as u64 * 2 <= c.n_values;
            self.named(WEAK_EVENT_NAMES, |c| is_filled(c) && c.ty() == Type::Text && comes_again(c))
        });
        let time = self.named(TIME_NAMES, Column::fits_times).or_else(|| {
            let is_time = |c: &&Column| c.fits_times() && c.ty() == Type::Timestamp;
            self.columns.iter().find(is_time).map(|c| c.name.clone())
        });
        let own = self.named(ROW_IDS, is_filled);
        let person = self.named(PERSON_IDS, is_filled);
        let reached = self.named(&["email"], is_filled);
        match (person, event, time) {
            (person, Some(event), Some(time)) if person.is_some() || own.is_some() || reached.is_some() => {
                let id = person.or(reached).or(own).unwrap_or_default();
                Roles::Events(EventRoles { id, event: EventIs::Column(event), time })
            }
            // Rows with ids of their own, each of somebody at a time: one event a row.
            (Some(person), None, Some(time)) if own.is_some() => {
                let event = EventIs::Named(english::event_of_file(&self.name));
                Roles::Events(EventRoles { id: person, event, time })
            }
            (person, ..) => match person.or(own).or(reached) {
                Some(id) => Roles::Profiles { id },
                None => Roles::Unclear,
            },
        }
    }

    /// What is to be known of rows that nobody can be given.
    fn without(&self, id: &str) -> Option<String> {
        let column = self.columns.iter().find(|c| c.name == id)?;
        let n = self.n_rows - column.n_values.min(self.n_rows);
        let (rows, name) = (self.n_rows, &self.name);
        (n > 0).then(|| {
            format!(
                "{name}: {n} of {rows} rows have no `{id}`; a run passes over them, as many as its `--max-bad` allows"
            )
        })
    }

    fn last_time(&self) -> Option<Timestamp> {
        let roles = self.events.as_ref()?;
        self.columns.iter().find(|c| c.name == roles.time)?.last
    }

    /// The columns that are neither id, event nor time, and have a name.
    fn fields(&self) -> impl Iterator<Item = (usize, &Column)> {
        let mut special: Vec<&str> = self.profiles.iter().map(String::as_str).collect();
        if let Some(EventRoles { id, event, time }) = &self.events {
            special.extend([id.as_str(), time]);
            if let EventIs::Column(column) = event {
                special.push(column);
            }
        }
        let columns = self.columns.iter().enumerate();
        columns.filter(move |(_, c)| !c.name.is_empty() && !special.contains(&c.name.as_str()))
    }
}

impl RowSink for Table {
    fn columns(&mut self, names: &[String]) {
        for name in names.iter().skip(self.columns.len()) {
            self.columns.push(Column::new(name, self.zone));
        }
    }

    fn row(&mut self, _line: u64, cells: &[Cell<'_>]) {
        self.n_rows += 1;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.see(cell);
        }
        let event = match self.events.as_ref().map(|roles| &roles.event) {
            Some(EventIs::Column(column)) => {
                let at = self.at(column);
                at.and_then(|at| cells.get(at)).and_then(|cell| cell.text().ok().flatten())
            }
            Some(EventIs::Named(name)) => Some(name.clone()),
            None => None,
        };
        let Some(event) = event else { return };
        if !self.by_event.contains_key(&event) {
            self.event_order.push(event.clone());
        }
        let counts = self.by_event.entry(event).or_default();
        counts.resize(self.columns.len(), 0);
        for (count, cell) in counts.iter_mut().zip(cells) {
            *count += u64::from(!cell.is_missing());
        }
    }

    fn broken(&mut self, _line: u64, _why: &str) {}

    fn note(&mut self, _kind: ProblemKind, _column: &str, _line: u64) {}
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
        let wishes = Wishes { name: "shop".into(), timezone: "UTC".into(), at: None, now: None };
        let proposal = propose(dir.path(), &["*.csv".into()], &wishes).expect("a proposal");
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
        let wishes = Wishes { name: "shop".into(), timezone: "America/New_York".into(), at: None, now };
        let proposal = propose(dir.path(), &["*.csv".into()], &wishes).expect("a proposal");
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
        let wishes = Wishes { name: "shop".into(), timezone: "UTC".into(), at: None, now: None };
        let proposal = propose(dir.path(), &["*.csv".into()], &wishes).expect("a proposal");
        assert_eq!(seg_data::schema::parse(&proposal.schema).1, []);
        insta::assert_snapshot!(format!("{}\n---\n{}", proposal.schema, proposal.segments));
    }
}
