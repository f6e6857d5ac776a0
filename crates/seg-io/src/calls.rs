//! Analytics calls, as SDKs send and archives keep them: `identify`, `track`, `page`,
//! `screen`, `group` and `alias`, a JSON object each.
//!
//! One file holds who is who, what people are and what they did, and is read once for each.

use crate::cell::Cell;
use crate::people::one_spelling;
use crate::report::ProblemKind;
use crate::rows::RowSink;
use arrow_array::UInt64Array;
use seg_data::{Schema, Zone};
use sha2::{Digest, Sha256};
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
pub(crate) type Link = (i64, String, String);

/// What one call says of who is who: whether it is an alias, which id it speaks of, and to whom
/// that is linked. An anonymous id may stand alone.
pub(crate) type Said = (bool, String, Option<Link>);

impl Identities {
    /// Takes what a call says.
    pub fn learn(&mut self, (is_alias, id, link): Said) {
        match (is_alias, link) {
            (true, Some(link)) => self.aliases.push((id, link)),
            (true, None) => {}
            (false, link) => {
                if !self.anonymous.contains(&id) {
                    self.anonymous.insert(id.clone());
                }
                let Some(link) = link else { return };
                let links = self.links.entry(id).or_default();
                // Of links to one person the earliest counts, and no other is kept.
                match links.iter_mut().find(|(_, _, known)| *known == link.2) {
                    Some(known) => *known = link.min(known.clone()),
                    None => links.push(link),
                }
            }
        }
    }

    /// All that calls said, in an order of its own; see [`Identities::learn`].
    pub fn said(&self) -> Vec<Said> {
        let linked = self.links.iter().flat_map(|(id, links)| links.iter().map(move |link| (id, link)));
        let linked = linked.map(|(id, link)| (false, id.clone(), Some(link.clone())));
        let alone = self.anonymous.iter().filter(|id| !self.links.contains_key(*id));
        let aliases = self.aliases.iter().map(|(id, link)| (true, id.clone(), Some(link.clone())));
        let mut said: Vec<Said> = linked.chain(alone.map(|id| (false, id.clone(), None))).chain(aliases).collect();
        said.sort_unstable();
        said
    }

    /// Ids that are one, the first merged into the second; and how many anonymous ids were
    /// seen with other people after the one they belong to.
    ///
    /// An anonymous id belongs, from its beginning, to the known id of its earliest link; a
    /// device that others use later unites nobody.
    pub fn records(&self) -> (Vec<(String, String)>, Vec<String>) {
        let (mut records, mut shared) = (Vec::new(), Vec::new());
        let mut of_anonymous: HashMap<&str, Vec<&Link>> = HashMap::with_capacity(self.links.len());
        for (anonymous, links) in &self.links {
            of_anonymous.insert(anonymous, links.iter().collect());
        }
        for (previous, link) in &self.aliases {
            // An SDK that is not told the id before takes the anonymous one: a link like others.
            match self.anonymous.contains(previous) {
                true => of_anonymous.entry(previous).or_default().push(link),
                false => records.push((previous.clone(), link.2.clone())),
            }
        }
        for (anonymous, links) in of_anonymous {
            let Some((_, _, first)) = links.iter().min() else { continue };
            if links.iter().any(|(_, _, other)| other != first) {
                shared.push(anonymous.to_owned());
            }
            if anonymous != first {
                records.push((anonymous.to_owned(), first.clone()));
            }
        }
        // What is merged does not depend on the order, and what is told should not either.
        records.sort_unstable();
        shared.sort_unstable();
        (records, shared)
    }
}

/// What is kept of calls, so that more can be read behind them.
#[derive(Default)]
pub(crate) struct KnownCalls {
    pub identities: Identities,
    pub messages: Messages,
}

/// The calls that were met, where what is sent again is one event. Of each so much of a hash of its
/// event and its message id is kept that two are not taken for one.
#[derive(Default)]
pub(crate) struct Messages {
    /// Those of a store, a packing after another: the halves of each, ascending.
    earlier: Vec<(UInt64Array, UInt64Array)>,
    new: HashSet<u128>,
}

impl Messages {
    /// None but those of a store.
    pub fn after(earlier: Vec<(UInt64Array, UInt64Array)>) -> Messages {
        Messages { earlier, new: HashSet::new() }
    }

    /// Takes a call, and says whether it is new.
    fn insert(&mut self, event: &str, message: &str) -> bool {
        let key = message_key(event, message);
        if self.new.contains(&key) {
            return false;
        }
        let (high, low) = halves(key);
        let came_before = self.earlier.iter().any(|(highs, lows)| {
            let first = highs.values().partition_point(|known| *known < high);
            let same = highs.values().iter().skip(first).take_while(|known| **known == high).count();
            lows.values().iter().skip(first).take(same).any(|known| *known == low)
        });
        !came_before && self.new.insert(key)
    }

    /// The halves of those that are new, ascending; of all where `with_earlier`.
    pub fn halves(&self, with_earlier: bool) -> (UInt64Array, UInt64Array) {
        let mut keys: Vec<u128> = self.new.iter().copied().collect();
        if with_earlier {
            let earlier = self.earlier.iter().flat_map(|(highs, lows)| highs.values().iter().zip(lows.values()));
            keys.extend(earlier.map(|(high, low)| u128::from(*high) << 64 | u128::from(*low)));
        }
        keys.sort_unstable();
        let (highs, lows): (Vec<u64>, Vec<u64>) = keys.into_iter().map(halves).unzip();
        (UInt64Array::from(highs), UInt64Array::from(lows))
    }
}

fn halves(key: u128) -> (u64, u64) {
    ((key >> 64) as u64, key as u64)
}

fn message_key(event: &str, message: &str) -> u128 {
    // The length says where one text ends and the other begins.
    let hash = Sha256::new().chain_update((event.len() as u64).to_le_bytes()).chain_update(event);
    let hash = hash.chain_update(message).finalize();
    hash.iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte))
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
        let link = |user: String| {
            // What has no time is later than all that has one.
            let time = places.time(cells).instant(self.zone).ok().flatten().map_or(i64::MAX, |time| time.0);
            Some((time, places.id(places.message, cells).unwrap_or_default(), user))
        };
        let is_alias = places.kind(cells) == Some(Kind::Alias);
        let (said, alias) = match places.id(places.user, cells) {
            Some(user) if is_alias => {
                let previous = places.id(places.previous, cells).filter(|previous| *previous != user);
                (anonymous.map(|id| (false, id, None)), previous.map(|id| (true, id, link(user))))
            }
            Some(user) => (anonymous.map(|id| (false, id, link(user))), None),
            None => (anonymous.map(|id| (false, id, None)), None),
        };
        said.into_iter().chain(alias).for_each(|said| self.identities.learn(said));
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
    /// The calls met, where what is sent again is one event.
    seen: Option<&'c mut Messages>,
}

impl<'c> CallSink<'c> {
    pub fn new(sink: &'c mut dyn RowSink, rows: Rows, schema: &'c Schema, seen: &'c mut Messages) -> CallSink<'c> {
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
            && !seen.insert(&event.show(), &message)
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
