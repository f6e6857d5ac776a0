//! Looking at data nobody has described yet: a first `seg.toml` and schema.

use crate::cell::Cell;
use crate::open::{DataFile, find};
use crate::report::ReadError;
use crate::rows::{self, RowSink};
use seg_data::{Timestamp, Type, Zone};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A proposal for a project over some data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The text of `seg.toml`.
    pub manifest: String,
    /// The text of `schema.toml`.
    pub schema: String,
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
    for file in find(base, patterns)? {
        let mut table = Table::new(&file);
        rows::read(&file, &Arc::new(AtomicU64::new(0)), NonZero::<usize>::MIN, &mut table)?;
        match table.roles() {
            Roles::Events { id, event, time } => {
                findings.push(format!(
                    "{}: {} events; person in `{}`, event in `{}`, time in `{}`",
                    file.name, table.n_rows, id, event, time
                ));
                // A second reading, now that the columns are known, tells
                // which event has which properties.
                let mut table = Table { event_at: table.at(&event), ..Table::new(&file) };
                rows::read(&file, &Arc::new(AtomicU64::new(0)), NonZero::<usize>::MIN, &mut table)?;
                table.roles = Some((id, event, time));
                events.push(table);
            }
            Roles::Profiles { id } => {
                findings.push(format!("{}: {} profiles; person in `{id}`", file.name, table.n_rows));
                table.roles = Some((id, String::new(), String::new()));
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
        findings.push(format!("the latest event is long past, so everything is judged at {at} (`at` in seg.toml)"));
    }
    let manifest = manifest(wishes, at, &profiles, &events, last_event);
    Ok(Proposal { manifest, schema: schema(&profiles, &events), findings, last_event })
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
    Events { id: String, event: String, time: String },
    Profiles { id: String },
    Unclear,
}

/// What the first rows of a file show, column by column.
struct Table {
    name: String,
    columns: Vec<Column>,
    n_rows: u64,
    /// Where the event's name is, once that is known.
    event_at: Option<usize>,
    /// For each event, how many values each column has for it.
    by_event: BTreeMap<String, Vec<u64>>,
    event_order: Vec<String>,
    roles: Option<(String, String, String)>,
}

/// The types that the values of a column fit so far, and the values themselves as
/// long as there are few.
struct Column {
    name: String,
    fits: Vec<Type>,
    n_values: u64,
    has_fraction: bool,
    texts: BTreeSet<String>,
    last: Option<Timestamp>,
}

impl Column {
    fn new(name: &str) -> Column {
        use Type::{Boolean, Date, Integer, Money, Number, Timestamp};
        Column {
            name: name.to_owned(),
            fits: vec![Boolean, Integer, Money, Number, Date, Timestamp],
            n_values: 0,
            has_fraction: false,
            texts: BTreeSet::new(),
            last: None,
        }
    }

    fn see(&mut self, cell: &Cell<'_>) {
        if cell.is_missing() {
            return;
        }
        self.n_values += 1;
        let text = cell.show();
        self.has_fraction |= matches!(cell, Cell::Number(_) | Cell::Digits(_)) || text.contains('.');
        if matches!(cell, Cell::List(_)) {
            self.fits.clear();
        }
        self.fits.retain(|ty| match ty {
            // Digits alone are no yes or no.
            Type::Boolean => {
                matches!(cell, Cell::Boolean(_))
                    || matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no")
            }
            // An id such as `0042` is no number.
            Type::Integer => cell.integer().is_ok() && !has_leading_zero(&text) && !text.contains('.'),
            Type::Money => cell.money().is_ok() && !has_leading_zero(&text),
            Type::Number => cell.number().is_ok() && !has_leading_zero(&text),
            Type::Date => cell.date().is_ok(),
            Type::Timestamp => cell.instant(None).is_ok(),
            Type::Text | Type::List(_) | Type::Duration | Type::Records(_) => false,
        });
        if self.fits.contains(&Type::Timestamp) {
            self.last = self.last.max(cell.instant(None).ok().flatten());
        }
        if self.texts.len() <= ALLOWED_MAX {
            self.texts.insert(text);
        }
    }

    fn ty(&self) -> Type {
        let fits = |ty: &Type| self.n_values > 0 && self.fits.contains(ty);
        let first = [Type::Boolean, Type::Integer].into_iter().find(|ty| fits(ty));
        let is_money = self.has_fraction && is_like(&self.name, MONEY_WORDS) && fits(&Type::Money);
        let rest = [Type::Number, Type::Date, Type::Timestamp].into_iter().find(|ty| fits(ty));
        first
            .filter(|ty| *ty != Type::Integer || !is_like(&self.name, ID_WORDS))
            .or(is_money.then_some(Type::Money))
            .or(rest.filter(|ty| *ty != Type::Number || !is_like(&self.name, ID_WORDS)))
            .unwrap_or(Type::Text)
    }
}

const MONEY_WORDS: &[&str] = &["price", "amount", "total", "revenue", "value", "cost", "spent", "fee", "ltv", "rate"];
const ID_WORDS: &[&str] = &["id", "code", "no", "number", "zip", "postcode", "phone", "sku"];
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
    "email",
    "id",
];
const EVENT_NAMES: &[&str] = &["event", "event_name", "event_type", "action", "activity", "type", "name"];
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

/// Whether one of a column's words is among `words`.
fn is_like(name: &str, words: &[&str]) -> bool {
    let lower = name.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).any(|part| words.contains(&part))
}

fn has_leading_zero(text: &str) -> bool {
    let digits = text.trim_start_matches('-');
    digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.")
}

impl Table {
    fn new(file: &DataFile) -> Table {
        Table {
            name: file.name.clone(),
            columns: Vec::new(),
            n_rows: 0,
            event_at: None,
            by_event: BTreeMap::new(),
            event_order: Vec::new(),
            roles: None,
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
        let id = self.named(PERSON_IDS, |c| c.n_values > 0);
        let event = self.named(EVENT_NAMES, |c| c.n_values > 0 && c.ty() == Type::Text);
        let is_time = |c: &Column| c.n_values > 0 && c.fits.contains(&Type::Timestamp);
        let time = self
            .named(TIME_NAMES, is_time)
            .or_else(|| self.columns.iter().find(|c| is_time(c) && c.ty() == Type::Timestamp).map(|c| c.name.clone()));
        match (id, event, time) {
            (Some(id), Some(event), Some(time)) => Roles::Events { id, event, time },
            (Some(id), ..) => Roles::Profiles { id },
            _ => Roles::Unclear,
        }
    }

    fn last_time(&self) -> Option<Timestamp> {
        let (_, _, time) = self.roles.as_ref()?;
        self.columns.iter().find(|c| c.name == *time)?.last
    }

    /// The columns that are neither id, event nor time.
    fn fields(&self) -> impl Iterator<Item = (usize, &Column)> {
        let special = self.roles.clone().unwrap_or_default();
        self.columns
            .iter()
            .enumerate()
            .filter(move |(_, c)| c.name != special.0 && c.name != special.1 && c.name != special.2)
    }
}

impl RowSink for Table {
    fn columns(&mut self, names: &[String]) {
        for name in names.iter().skip(self.columns.len()) {
            self.columns.push(Column::new(name));
        }
    }

    fn row(&mut self, _line: u64, cells: &[Cell<'_>]) {
        self.n_rows += 1;
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.see(cell);
        }
        let event = self.event_at.and_then(|at| cells.get(at)).and_then(|c| c.text().ok().flatten());
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
}

fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn toml_key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare { name.to_owned() } else { toml_text(name) }
}

fn manifest(
    wishes: &Wishes,
    at: Option<Timestamp>,
    profiles: &[Table],
    events: &[Table],
    last_event: Option<Timestamp>,
) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(out, "# A Seg project: all `.seg` files of this directory belong together.");
    let _ = writeln!(out, "name = {}", toml_text(&wishes.name));
    let _ = writeln!(out, "# Whose calendar days, months and years are meant.");
    let _ = writeln!(out, "timezone = {}", toml_text(&wishes.timezone));
    match (at, last_event) {
        (Some(at), _) => {
            let _ = writeln!(out, "# Everything is judged at this instant; without the line, when it is run.");
            let _ = writeln!(out, "at = \"{at}\"");
        }
        (None, Some(last)) => {
            let _ = writeln!(
                out,
                "# Everything is judged when it is run. To judge it at an instant instead, such as that of the latest event:"
            );
            let _ = writeln!(out, "# at = \"{last}\"");
        }
        (None, None) => {}
    }
    let files = |tables: &[Table]| tables.iter().map(|t| toml_text(&t.name)).collect::<Vec<_>>().join(", ");
    if let Some((id, ..)) = profiles.first().and_then(|t| t.roles.as_ref()) {
        let _ = writeln!(out, "\n[data.profiles]\nfiles = [{}]\nid = {}", files(profiles), toml_text(id));
    }
    if let Some((id, event, time)) = events.first().and_then(|t| t.roles.as_ref()) {
        let _ = writeln!(
            out,
            "\n[data.events]\nfiles = [{}]\nid = {}\nevent = {}\ntime = {}",
            files(events),
            toml_text(id),
            toml_text(event),
            toml_text(time)
        );
    }
    out
}

fn schema(profiles: &[Table], events: &[Table]) -> String {
    let mut out = String::from(
        "# What segments can be about. Edit freely: add other names with `also`, say which\n\
         # values are `required` or `allowed`, and correct the types that were guessed.\n",
    );
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut lines = String::new();
    for table in profiles {
        for (_, column) in table.fields() {
            if seen.insert(&column.name) {
                let _ = writeln!(lines, "{} = {}", toml_key(&column.name), field(column, table.n_rows));
            }
        }
    }
    if !lines.is_empty() {
        let _ = write!(out, "\n[attributes]\n{lines}");
    }
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for table in events {
        for event in &table.event_order {
            if !names.insert(event) {
                continue;
            }
            let _ = writeln!(out, "\n[events.{}]", toml_key(event));
            let counts = table.by_event.get(event);
            let has = |at: usize| counts.and_then(|c| c.get(at)).is_some_and(|n| *n > 0);
            let properties: Vec<&Column> = table.fields().filter(|(at, _)| has(*at)).map(|(_, c)| c).collect();
            if !properties.is_empty() {
                let _ = writeln!(out, "[events.{}.properties]", toml_key(event));
            }
            for column in properties {
                let _ = writeln!(out, "{} = {}", toml_key(&column.name), field(column, 0));
            }
        }
    }
    out
}

/// A field's type, with its values as a comment where they are few.
fn field(column: &Column, n_rows: u64) -> String {
    let ty = column.ty();
    let mut out = toml_text(&ty.to_string());
    let is_whole = n_rows > 0 && column.n_values == n_rows;
    if is_whole {
        out = format!("{{ type = {out}, required = true }}");
    }
    if ty == Type::Text && !column.texts.is_empty() && column.texts.len() <= ALLOWED_MAX && column.n_values > 20 {
        let values: Vec<&str> = column.texts.iter().map(String::as_str).collect();
        let _ = write!(out, "  # {}", values.join(", "));
    }
    out
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
}
