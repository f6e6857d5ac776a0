//! A file that nobody has described: what its columns show, and what its rows are.

use super::column::Column;
use super::english;
use super::{ALLOWED_MAX, Question};
use crate::calls::is_call;
use crate::cell::Cell;
use crate::report::ProblemKind;
use crate::rows::RowSink;
use seg_data::{Timestamp, Type, Zone};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault};

/// Which columns of a file hold whom, what and when, from which follows what its
/// rows are.
pub(super) enum Roles {
    /// Calls as SDKs send them, which say it all.
    Calls,
    Events(EventRoles),
    Profiles(ProfileRoles),
    /// Rows that may be events of one name, or say what people were at a time.
    Either(EventRoles),
    /// No column says whose a row is.
    Unclear,
}

/// Where a file of events has what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventRoles {
    pub id: String,
    pub event: EventIs,
    pub time: String,
}

/// Where a file of people has what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProfileRoles {
    pub id: String,
    /// Since when a row holds, where a person has several.
    pub time: Option<String>,
}

/// What says which event a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EventIs {
    /// A column.
    Column(String),
    /// Nothing, so that the name of the file is taken for the one event of all its rows.
    Named(String),
}

/// When the last event of a file was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// All of them were looked at.
    Looked,
    /// Said by more than the rows that were looked at.
    Is(Timestamp),
    /// Behind what was looked at may be anything.
    Unknown,
}

/// What the rows of a file show, column by column.
pub(super) struct Table {
    /// What `files` calls the file.
    pub name: String,
    /// Whose clock a time without a zone means.
    pub zone: Option<Zone>,
    pub columns: Vec<Column>,
    pub n_rows: u64,
    /// Where the rows have what, once that is known to be events.
    pub events: Option<EventRoles>,
    /// Where the rows have what, once they are known to be people.
    pub profiles: Option<ProfileRoles>,
    /// Whether they are calls, whose columns have their names from what calls are.
    pub is_calls: bool,
    /// How far its events reach.
    pub until: Until,
    /// For each event, how many values each column has for it.
    pub by_event: BTreeMap<String, Vec<u64>>,
    pub event_order: Vec<String>,
    /// Of the column that may say whose a row is, the hashes of its values, and whether one
    /// came twice.
    pub ids: HashSet<u64>,
    pub are_ids_repeated: bool,
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
    "personid",
    "memberid",
    "contactid",
    "anonymous_id",
    "uid",
    "visitor_id",
    // These may be names as well, and are the last to be taken.
    "user",
    "customer",
    "person",
    "member",
    "contact",
    "subscriber",
    "client",
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
    pub fn new(name: &str, zone: Option<Zone>) -> Table {
        Table {
            zone,
            name: name.to_owned(),
            is_calls: false,
            until: Until::Looked,
            ids: HashSet::new(),
            are_ids_repeated: false,
            columns: Vec::new(),
            n_rows: 0,
            events: None,
            profiles: None,
            by_event: BTreeMap::new(),
            event_order: Vec::new(),
        }
    }

    pub fn at(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    fn named(&self, names: &[&str], fits: impl Fn(&Column) -> bool) -> Option<String> {
        let found = names.iter().find_map(|name| {
            self.columns.iter().find(|c| c.name.to_lowercase().replace([' ', '-'], "_") == *name && fits(c))
        });
        found.map(|c| c.name.clone())
    }

    pub fn roles(&self) -> Roles {
        let is_filled = |c: &Column| c.n_values > 0;
        if self.are_calls() {
            return Roles::Calls;
        }
        let event = self.named(EVENT_NAMES, |c| is_filled(c) && c.ty() == Type::Text).or_else(|| {
            // Events come again and again, where people and things have names of their own.
            let comes_again = |c: &Column| c.texts.len() <= ALLOWED_MAX && c.texts.len() as u64 * 2 <= c.n_values;
            self.named(WEAK_EVENT_NAMES, |c| is_filled(c) && c.ty() == Type::Text && comes_again(c))
        });
        // One value that nobody can read makes no other thing of a file.
        let time = self.named(TIME_NAMES, Column::mostly_fits_times).or_else(|| {
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
            // Who comes again and again with a time did something each time, or was something
            // else each time.
            (Some(id), None, Some(time)) if self.are_ids_repeated => {
                let event = EventIs::Named(english::event_of_file(&self.name));
                Roles::Either(EventRoles { id, event, time })
            }
            (person, ..) => match person.or(own).or(reached) {
                Some(id) => Roles::Profiles(ProfileRoles { id, time: None }),
                None => Roles::Unclear,
            },
        }
    }

    /// Whether the rows are analytics calls: each has one of their types, and says whose it is
    /// as calls do.
    fn are_calls(&self) -> bool {
        let has = |name: &str| self.columns.iter().any(|column| column.name == name && column.n_values > 0);
        let kinds = self.columns.iter().find(|column| column.name == "type");
        let are_kinds = kinds.is_some_and(|column| {
            column.n_values == self.n_rows && !column.texts.is_empty() && column.texts.iter().all(|text| is_call(text))
        });
        let has_time = ["timestamp", "originalTimestamp", "sentAt", "receivedAt"].into_iter().any(has);
        are_kinds && has_time && (has("userId") || has("anonymousId"))
    }

    /// What may be asked about rows that are people or events.
    pub fn question<'t>(&'t self, roles: &'t EventRoles) -> Question<'t> {
        let event = match &roles.event {
            EventIs::Column(name) | EventIs::Named(name) => name,
        };
        Question { file: &self.name, id: &roles.id, time: &roles.time, event }
    }

    /// What is to be known of rows that nobody can be given.
    pub fn without(&self, id: &str) -> Option<String> {
        let column = self.columns.iter().find(|c| c.name == id)?;
        let n = self.n_rows - column.n_values.min(self.n_rows);
        let (rows, name) = (self.n_rows, &self.name);
        (n > 0).then(|| {
            format!(
                "{name}: {n} of {rows} rows have no `{id}`; a run passes over them, as many as its `--max-bad` allows"
            )
        })
    }

    /// Which columns have the name of one that says whose a row is.
    fn may_be_person(name: &str) -> bool {
        PERSON_IDS.contains(&name.to_lowercase().replace([' ', '-'], "_").as_str())
    }

    pub fn last_time(&self) -> Option<Timestamp> {
        let roles = self.events.as_ref()?;
        match self.until {
            Until::Looked => self.columns.iter().find(|c| c.name == roles.time)?.last,
            Until::Is(last) => Some(last),
            Until::Unknown => None,
        }
    }

    /// The columns that are left out, for what is in them is neither a value nor a list.
    pub fn left_out(&self) -> Option<String> {
        let columns: Vec<String> =
            self.columns.iter().filter(|c| c.is_of_others()).map(|c| format!("`{}`", c.name)).collect();
        let name = &self.name;
        (!columns.is_empty()).then(|| {
            format!(
                "{name}: left out {}, for neither values nor lists are in there; the keys of a map can be named, such as \
                 `{}.key`",
                columns.join(", "),
                self.columns.iter().find(|c| c.is_of_others()).map_or("", |c| &c.name)
            )
        })
    }

    /// The columns that are neither id, event nor time, and have a name.
    pub fn fields(&self) -> impl Iterator<Item = (usize, &Column)> {
        let of_people = self.profiles.iter().flat_map(|roles| std::iter::once(&roles.id).chain(&roles.time));
        let mut special: Vec<&str> = of_people.map(String::as_str).collect();
        if let Some(EventRoles { id, event, time }) = &self.events {
            special.extend([id.as_str(), time]);
            if let EventIs::Column(column) = event {
                special.push(column);
            }
        }
        let columns = self.columns.iter().enumerate();
        columns.filter(move |(_, c)| !c.name.is_empty() && !c.is_of_others() && !special.contains(&c.name.as_str()))
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
        let person = self.columns.iter().zip(cells).find(|(column, _)| Table::may_be_person(&column.name));
        if let Some((_, cell)) = person.filter(|(_, cell)| !self.are_ids_repeated && !cell.is_nothing()) {
            let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(cell.show());
            self.are_ids_repeated = !self.ids.insert(hash);
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
