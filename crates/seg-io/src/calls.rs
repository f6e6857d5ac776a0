//! Analytics calls, as SDKs send and archives keep them: `identify`, `track`, `page`,
//! `screen`, `group` and `alias`, a JSON object each.
//!
//! One file holds who is who, what people are and what they did, and is read once for each.

use crate::cell::Cell;
use crate::people::one_spelling;
use crate::report::ProblemKind;
use crate::rows::RowSink;
use seg_data::{Schema, Zone};
use std::collections::{HashMap, HashSet};

/// The columns that calls are given, before those of their own.
pub(crate) const ID: &str = "userId";
pub(crate) const TIME: &str = "timestamp";
pub(crate) const EVENT: &str = "event";

const MESSAGE_ID: &str = "messageId";

/// The attribute of people whom a `group` call puts into a group.
const GROUP_ID: &str = "group.id";

/// Where a call says when it was: when it happened by the clock of the sender, corrected
/// or not, then when it was sent and when it arrived.
const TIMES: [&str; 4] = [TIME, "originalTimestamp", "sentAt", "receivedAt"];

/// What a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Identify,
    Track,
    Page,
    Screen,
    Group,
    Alias,
}

impl Kind {
    fn of(cell: &Cell<'_>) -> Option<Kind> {
        let Cell::Text(text) = cell else { return None };
        Some(match text.to_ascii_lowercase().as_str() {
            "identify" => Kind::Identify,
            "track" => Kind::Track,
            "page" => Kind::Page,
            "screen" => Kind::Screen,
            "group" => Kind::Group,
            "alias" => Kind::Alias,
            _ => return None,
        })
    }

    /// Its type, as calls write it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Identify => "identify",
            Kind::Track => "track",
            Kind::Page => "page",
            Kind::Screen => "screen",
            Kind::Group => "group",
            Kind::Alias => "alias",
        }
    }
}

/// Whether a text is the type of a call.
pub(crate) fn is_call(kind: &str) -> bool {
    Kind::of(&Cell::Text(kind)).is_some()
}

/// Where the parts of calls are among the columns of a file.
#[derive(Default)]
pub(crate) struct Places {
    kind: Option<usize>,
    pub user: Option<usize>,
    pub anonymous: Option<usize>,
    pub previous: Option<usize>,
    event: Option<usize>,
    pub message: Option<usize>,
    times: Vec<usize>,
}

impl Places {
    pub fn of(names: &[String]) -> Places {
        let at = |name: &str| names.iter().position(|known| known == name);
        Places {
            kind: at("type"),
            user: at(ID),
            anonymous: at("anonymousId"),
            previous: at("previousId"),
            event: at(EVENT),
            message: at(MESSAGE_ID),
            times: TIMES.iter().filter_map(|name| at(name)).collect(),
        }
    }

    pub fn kind(&self, cells: &[Cell<'_>]) -> Option<Kind> {
        Kind::of(cells.get(self.kind?)?)
    }

    pub fn id(&self, at: Option<usize>, cells: &[Cell<'_>]) -> Option<String> {
        cells.get(at?)?.as_id().map(|id| one_spelling(&id).to_owned())
    }

    /// Whose a call is: the known id, or else the anonymous one.
    fn whose<'c>(&self, cells: &[Cell<'c>]) -> Cell<'c> {
        let of = |at: Option<usize>| cells.get(at?).filter(|cell| cell.as_id().is_some()).cloned();
        of(self.user).or_else(|| of(self.anonymous)).unwrap_or(Cell::Missing)
    }

    pub fn time<'c>(&self, cells: &[Cell<'c>]) -> Cell<'c> {
        let mut times = self.times.iter().filter_map(|at| cells.get(*at)).filter(|cell| !cell.is_nothing());
        times.next().cloned().unwrap_or(Cell::Missing)
    }
}

/// Who is who: which ids stand in one call.
#[derive(Default)]
pub(crate) struct Identities {
    /// For each anonymous id its links to known ids: when, by which message, to whom.
    links: HashMap<String, Vec<Link>>,
    /// Every anonymous id, linked or not.
    anonymous: HashSet<String>,
    /// Ids that one call says are the other: which, and its link.
    aliases: Vec<(String, Link)>,
}

/// When, by which message, and to whom.
type Link = (i64, String, String);

impl Identities {
    /// Ids that are one, the first merged into the second; and how many anonymous ids were
    /// seen with other people after the one they belong to.
    ///
    /// An anonymous id belongs, from its beginning, to the known id of its earliest link; a
    /// device that others use later unites nobody.
    pub fn records(self) -> (Vec<(String, String)>, Vec<String>) {
        let (mut records, mut shared) = (Vec::new(), Vec::new());
        let mut of_anonymous = self.links;
        for (previous, link) in self.aliases {
            // An SDK that is not told the id before takes the anonymous one: a link like others.
            match self.anonymous.contains(&previous) {
                true => of_anonymous.entry(previous).or_default().push(link),
                false => records.push((previous, link.2)),
            }
        }
        for (anonymous, mut links) in of_anonymous {
            links.sort_unstable();
            let Some((_, _, first)) = links.first().cloned() else { continue };
            if links.iter().any(|(_, _, other)| *other != first) {
                shared.push(anonymous.clone());
            }
            if anonymous != first {
                records.push((anonymous, first));
            }
        }
        // What is merged does not depend on the order, and what is told should not either.
        records.sort_unstable();
        shared.sort_unstable();
        (records, shared)
    }
}

/// Takes who is who from calls.
pub(crate) struct IdentitySink<'i> {
    pub identities: &'i mut Identities,
    pub zone: Option<Zone>,
    places: Places,
}

impl<'i> IdentitySink<'i> {
    pub fn new(identities: &'i mut Identities, zone: Option<Zone>) -> IdentitySink<'i> {
        IdentitySink { identities, zone, places: Places::default() }
    }
}

impl RowSink for IdentitySink<'_> {
    fn columns(&mut self, names: &[String]) {
        self.places = Places::of(names);
    }

    fn row(&mut self, _line: u64, cells: &[Cell<'_>]) {
        let places = &self.places;
        let anonymous = places.id(places.anonymous, cells);
        if let Some(anonymous) = &anonymous
            && !self.identities.anonymous.contains(anonymous)
        {
            self.identities.anonymous.insert(anonymous.clone());
        }
        let Some(user) = places.id(places.user, cells) else { return };
        // What has no time is later than all that has one.
        let time = places.time(cells).instant(self.zone).ok().flatten().map_or(i64::MAX, |time| time.0);
        let message = places.id(places.message, cells).unwrap_or_default();
        if places.kind(cells) == Some(Kind::Alias) {
            let previous = places.id(places.previous, cells).filter(|previous| *previous != user);
            self.identities.aliases.extend(previous.map(|previous| (previous, (time, message, user))));
            return;
        }
        let Some(anonymous) = anonymous else { return };
        let links = self.identities.links.entry(anonymous).or_default();
        // Of links to one person the earliest counts, and no other is kept.
        let link = (time, message, user);
        match links.iter_mut().find(|(_, _, known)| *known == link.2) {
            Some(known) => *known = link.min(known.clone()),
            None => links.push(link),
        }
    }

    // Whoever reads the events tells of these.
    fn broken(&mut self, _line: u64, _why: &str) {}

    fn note(&mut self, _kind: ProblemKind, _column: &str, _line: u64) {}
}

/// Which rows are taken of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// What people are, as of the time of the call.
    People,
    /// What they did.
    Events,
}

/// A sink of people or of events that is given calls.
pub(crate) struct CallSink<'c> {
    sink: &'c mut dyn RowSink,
    rows: Rows,
    schema: &'c Schema,
    places: Places,
    /// For each column of the file, whether people have it by `identify` or by `group`.
    of_group: Vec<bool>,
    /// For each column of the file, those that say the same, the one that counts first.
    sources: Vec<Vec<usize>>,
    /// The names and message ids of events met, where what is sent again is one event.
    seen: Option<&'c mut HashSet<(String, String)>>,
}

impl<'c> CallSink<'c> {
    pub fn new(
        sink: &'c mut dyn RowSink,
        rows: Rows,
        schema: &'c Schema,
        seen: &'c mut HashSet<(String, String)>,
    ) -> CallSink<'c> {
        CallSink { seen: Some(seen), ..CallSink::of_each(sink, rows, schema) }
    }

    /// A sink that is given each call, also one that was sent before, so that no memory
    /// grows with their number.
    pub fn of_each(sink: &'c mut dyn RowSink, rows: Rows, schema: &'c Schema) -> CallSink<'c> {
        let (of_group, sources) = (Vec::new(), Vec::new());
        CallSink { sink, rows, schema, places: Places::default(), of_group, sources, seen: None }
    }

    /// What a column of calls is called, and how well it says so, the least first; nothing
    /// where it is of no interest. Of what every call has beside traits and properties that
    /// is what the schema speaks of.
    fn name<'n>(&self, column: &'n str) -> Option<(&'n str, u8)> {
        let part = |prefix: &str, rank| Some((column.strip_prefix(prefix)?, rank));
        match self.rows {
            Rows::People if column == "groupId" => Some((GROUP_ID, 0)).filter(|_| self.knows(GROUP_ID)),
            Rows::People => part("traits.", 0).or_else(|| part("context.traits.", 1)),
            Rows::Events => part("properties.", 0).or_else(|| {
                let is_of_call = matches!(column, MESSAGE_ID | "name" | "category") || column.starts_with("context.");
                (is_of_call && self.knows(column)).then_some((column, 1))
            }),
        }
    }

    fn knows(&self, name: &str) -> bool {
        match self.rows {
            Rows::People => self.schema.attributes.iter().any(|field| field.name == name),
            Rows::Events => self.schema.events.iter().any(|e| e.properties.iter().any(|field| field.name == name)),
        }
    }

    /// The name of the event that a call is.
    fn event<'v>(&self, kind: Kind, cells: &[Cell<'v>]) -> Cell<'v> {
        match kind {
            Kind::Page => Cell::Text("page"),
            Kind::Screen => Cell::Text("screen"),
            Kind::Track | Kind::Identify | Kind::Group | Kind::Alias => {
                self.places.event.and_then(|at| cells.get(at)).cloned().unwrap_or(Cell::Missing)
            }
        }
    }
}

impl RowSink for CallSink<'_> {
    fn columns(&mut self, names: &[String]) {
        self.places = Places::of(names);
        self.of_group = names.iter().map(|name| name == "groupId").collect();
        let event = if self.rows == Rows::Events { EVENT } else { "" };
        let given = [ID, TIME, event].map(str::to_owned);
        // Columns of one name are looked up together, once: files may have very many.
        let mut of_name: HashMap<&str, Vec<(u8, usize)>> = HashMap::new();
        for (at, (name, rank)) in names.iter().enumerate().filter_map(|(at, name)| Some((at, self.name(name)?))) {
            of_name.entry(name).or_default().push((rank, at));
        }
        let (mut own, mut sources) = (vec![String::new(); names.len()], vec![Vec::new(); names.len()]);
        for (name, mut same) in of_name {
            // The first of a name has its values, and those of the others where it has none.
            let first = same.iter().map(|(_, at)| *at).min().unwrap_or_default();
            same.sort_unstable();
            if let (Some(own), Some(sources)) = (own.get_mut(first), sources.get_mut(first)) {
                name.clone_into(own);
                *sources = same.into_iter().map(|(_, at)| at).collect();
            }
        }
        self.sources = sources;
        let all: Vec<String> = given.into_iter().chain(own).collect();
        self.sink.columns(&all);
    }

    fn known_columns(&self) -> Vec<String> {
        let prefixes: &[&str] = match self.rows {
            Rows::People => &["traits.", "context.traits."],
            Rows::Events => &["properties.", ""],
        };
        let known = self.sink.known_columns();
        prefixes.iter().flat_map(|prefix| known.iter().map(move |name| format!("{prefix}{name}"))).collect()
    }

    fn zone(&self) -> Option<Zone> {
        self.sink.zone()
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) {
        let Some(kind) = self.places.kind(cells) else {
            if self.rows == Rows::Events {
                self.sink.broken(line, "its `type` is that of no call");
            }
            return;
        };
        let is_taken = match (self.rows, kind) {
            (Rows::People, Kind::Identify | Kind::Group) | (Rows::Events, Kind::Track | Kind::Page | Kind::Screen) => {
                true
            }
            (Rows::People, Kind::Track | Kind::Page | Kind::Screen | Kind::Alias)
            | (Rows::Events, Kind::Identify | Kind::Group | Kind::Alias) => false,
        };
        if !is_taken {
            return;
        }
        let event = self.event(kind, cells);
        if let (Rows::Events, Some(seen)) = (self.rows, &mut self.seen)
            && let Some(message) = self.places.id(self.places.message, cells)
            && !seen.insert((event.show(), message))
        {
            return self.sink.note(ProblemKind::RepeatedEvent, MESSAGE_ID, line);
        }
        let mut all = vec![self.places.whose(cells), self.places.time(cells), event];
        let counts = |at: &usize| match (self.rows, kind) {
            // The traits of a group are none of its people's.
            (Rows::People, Kind::Group) => self.of_group.get(*at) == Some(&true),
            (Rows::People, Kind::Identify) => self.of_group.get(*at) != Some(&true),
            _ => true,
        };
        all.extend(self.sources.iter().map(|sources| {
            let mut cells = sources.iter().filter(|at| counts(at)).filter_map(|at| cells.get(*at));
            cells.find(|cell| !cell.is_missing()).cloned().unwrap_or(Cell::Missing)
        }));
        self.sink.row(line, &all);
    }

    fn broken(&mut self, line: u64, why: &str) {
        if self.rows == Rows::Events {
            self.sink.broken(line, why);
        }
    }

    fn note(&mut self, kind: ProblemKind, column: &str, line: u64) {
        if self.rows == Rows::Events {
            self.sink.note(kind, column, line);
        }
    }
}
