//! What reading data found wrong, counted, with the first places.

use crate::times::UnixUnit;
use seg_data::Schema;
use seg_data::schema::{Field, Target, fold_name, toml_key, toml_text};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;

/// How many places of each problem are kept.
const EXAMPLES_MAX: usize = 3;

/// A kind of problem in data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// A column that the schema does not have.
    UnknownColumn,
    /// A column that a file lacks and that segments, or telling repeated events apart, need.
    AbsentColumn,
    /// An event that segments ask about and that never occurs.
    AbsentEvent,
    /// A column that segments ask about and in which there is no value at all.
    EmptyColumn,
    /// Data that ends days before the instant at which it is judged.
    OldData,
    /// A row that is not a row: too few fields, broken JSON.
    BrokenRow,
    /// A row without the id of a profile.
    MissingId,
    /// An event without a name.
    MissingEvent,
    /// An event that the schema does not have.
    UnknownEvent,
    /// An event without a time, or any row with one that no calendar has.
    ImpossibleTime,
    /// A value that is not of its column's type; read as missing.
    UnparsableValue,
    /// An amount with more places than money has; read as missing, not rounded.
    TooFine,
    /// A number that 64 bits do not hold; read as missing.
    TooLarge,
    /// A value that the schema does not allow; kept.
    ValueNotAllowed,
    /// A value that the schema requires and the row lacks; read as missing.
    RequiredMissing,
    /// A second row without a time for a profile; the later row is used.
    RepeatedProfile,
    /// An event of a person whom the profiles table lacks; the person is added.
    UnlistedProfile,
    /// An event whose id came before; the first to arrive is used.
    RepeatedEvent,
    /// Texts with blanks around them, which are others than those without.
    Blanks,
    /// Times that are numbers since 1970, of this unit, which their magnitude tells.
    UnixTimes(UnixUnit),
    /// A header line that comes again.
    RepeatedHeader,
    /// A file in an encoding other than UTF-8, which its first bytes tell.
    Encoding,
    /// Two columns of one name; the first is used.
    RepeatedColumn,
    /// An anonymous id that was seen with several people; it belongs to the first.
    SharedDevice,
    /// A file of the size and the beginning of another.
    SameContent,
    /// A file of the project that its packed store does not have.
    NotPacked,
    /// A file that changed since it was packed.
    PackedBefore,
    /// A list that segments name and that has no value.
    EmptyList,
    /// A list of which no value occurs in a column that segments compare with it.
    UnmetList,
    /// A list whose first line stands for the name of its column and is a value of the data.
    ListHeader,
}

impl ProblemKind {
    /// The problem in hyphenated words, for tools.
    pub fn slug(self) -> &'static str {
        match self {
            ProblemKind::UnknownColumn => "unknown-column",
            ProblemKind::AbsentColumn => "absent-column",
            ProblemKind::AbsentEvent => "absent-event",
            ProblemKind::EmptyColumn => "empty-column",
            ProblemKind::OldData => "old-data",
            ProblemKind::BrokenRow => "broken-row",
            ProblemKind::MissingId => "missing-id",
            ProblemKind::MissingEvent => "missing-event",
            ProblemKind::UnknownEvent => "unknown-event",
            ProblemKind::ImpossibleTime => "impossible-time",
            ProblemKind::UnparsableValue => "unparsable-value",
            ProblemKind::TooFine => "too-fine",
            ProblemKind::TooLarge => "too-large",
            ProblemKind::ValueNotAllowed => "value-not-allowed",
            ProblemKind::RequiredMissing => "required-missing",
            ProblemKind::RepeatedProfile => "repeated-profile",
            ProblemKind::UnlistedProfile => "unlisted-profile",
            ProblemKind::RepeatedEvent => "repeated-event",
            ProblemKind::Blanks => "blanks",
            ProblemKind::UnixTimes(_) => "unix-times",
            ProblemKind::RepeatedHeader => "repeated-header",
            ProblemKind::Encoding => "encoding",
            ProblemKind::RepeatedColumn => "repeated-column",
            ProblemKind::SameContent => "same-content",
            ProblemKind::SharedDevice => "shared-device",
            ProblemKind::NotPacked => "not-packed",
            ProblemKind::PackedBefore => "packed-before",
            ProblemKind::EmptyList => "empty-list",
            ProblemKind::UnmetList => "unmet-list",
            ProblemKind::ListHeader => "list-header",
        }
    }

    /// Whether it says how data was read where there is hardly a doubt, rather than that
    /// something may be wrong with it.
    pub fn is_remark(self) -> bool {
        match self {
            ProblemKind::UnixTimes(_) | ProblemKind::RepeatedHeader | ProblemKind::Encoding => true,
            ProblemKind::UnknownColumn
            | ProblemKind::AbsentColumn
            | ProblemKind::AbsentEvent
            | ProblemKind::EmptyColumn
            | ProblemKind::OldData
            | ProblemKind::BrokenRow
            | ProblemKind::MissingId
            | ProblemKind::MissingEvent
            | ProblemKind::UnknownEvent
            | ProblemKind::ImpossibleTime
            | ProblemKind::UnparsableValue
            | ProblemKind::TooFine
            | ProblemKind::TooLarge
            | ProblemKind::ValueNotAllowed
            | ProblemKind::RequiredMissing
            | ProblemKind::RepeatedProfile
            | ProblemKind::UnlistedProfile
            | ProblemKind::RepeatedEvent
            | ProblemKind::Blanks
            | ProblemKind::RepeatedColumn
            | ProblemKind::SameContent
            | ProblemKind::SharedDevice
            | ProblemKind::NotPacked
            | ProblemKind::PackedBefore
            | ProblemKind::EmptyList
            | ProblemKind::UnmetList
            | ProblemKind::ListHeader => false,
        }
    }

    /// Whether each row with it is no part of the answer, for it could not be read as a row.
    pub fn loses_rows(self) -> bool {
        match self {
            ProblemKind::BrokenRow
            | ProblemKind::MissingId
            | ProblemKind::MissingEvent
            | ProblemKind::ImpossibleTime => true,
            ProblemKind::UnknownColumn
            | ProblemKind::AbsentColumn
            | ProblemKind::AbsentEvent
            | ProblemKind::EmptyColumn
            | ProblemKind::OldData
            | ProblemKind::UnknownEvent
            | ProblemKind::UnparsableValue
            | ProblemKind::TooFine
            | ProblemKind::TooLarge
            | ProblemKind::ValueNotAllowed
            | ProblemKind::RequiredMissing
            | ProblemKind::RepeatedProfile
            | ProblemKind::UnlistedProfile
            | ProblemKind::RepeatedEvent
            | ProblemKind::Blanks
            | ProblemKind::UnixTimes(_)
            | ProblemKind::RepeatedHeader
            | ProblemKind::Encoding
            | ProblemKind::RepeatedColumn
            | ProblemKind::SameContent
            | ProblemKind::SharedDevice
            | ProblemKind::NotPacked
            | ProblemKind::PackedBefore
            | ProblemKind::EmptyList
            | ProblemKind::UnmetList
            | ProblemKind::ListHeader => false,
        }
    }

    fn sentence(self, column: &str, other: &str, n: u64) -> String {
        let (rows, events, values) = (plural(n, "row"), plural(n, "event"), plural(n, "value"));
        let (was, counts, is, has, belongs, repeats) = match n {
            1 => ("was", "counts", "is", "has", "belongs", "repeats"),
            _ => ("were", "count", "are", "have", "belong", "repeat"),
        };
        match self {
            ProblemKind::UnknownColumn => {
                let (exact, called) = match other {
                    "" => (String::new(), String::new()),
                    other => (
                        format!("; names in data count letter by letter, and the schema has `{other}`"),
                        format!(": `columns = {{ {} = {} }}` in seg.toml reads it", toml_key(other), toml_text(column)),
                    ),
                };
                format!("column `{column}` is not in the schema and was passed over{exact}{called}")
            }
            ProblemKind::AbsentColumn => {
                let (files, lack) = (plural(n, "file"), if n == 1 { "lacks" } else { "lack" });
                format!("{files} {lack} the column `{column}`, which the answer needs; its values are missing there")
            }
            ProblemKind::AbsentEvent => format!("no event is called `{column}`, which segments ask about"),
            ProblemKind::EmptyColumn => format!("`{column}` has no value at all, which the answer needs"),
            ProblemKind::OldData => format!("the latest event is {column} old; windows up to now miss what came since"),
            ProblemKind::BrokenRow => format!("{rows} could not be read and {was} passed over"),
            ProblemKind::MissingId => format!("{rows} without an id in `{column}` {was} passed over"),
            ProblemKind::MissingEvent => format!("{rows} without an event name in `{column}` {was} passed over"),
            ProblemKind::UnknownEvent => {
                let exact = match other {
                    "" => String::new(),
                    other => format!("; names in data count letter by letter, and the schema has `{other}`"),
                };
                format!("{events} called `{column}` {is} not in the schema and {was} passed over{exact}")
            }
            ProblemKind::ImpossibleTime => format!("{rows} without a possible time in `{column}` {was} passed over"),
            ProblemKind::UnparsableValue => {
                format!("{values} in `{column}` could not be understood and {counts} as missing")
            }
            ProblemKind::TooFine => {
                format!("{values} in `{column}` {has} more than the four places of money and {counts} as missing")
            }
            ProblemKind::TooLarge => format!("{values} in `{column}` {is} too large and {counts} as missing"),
            ProblemKind::ValueNotAllowed => format!("{values} in `{column}` {is} not among those the schema allows"),
            ProblemKind::RequiredMissing => format!("{values} that the schema requires {is} missing in `{column}`"),
            ProblemKind::RepeatedProfile => format!("{rows} {repeats} a profile; the later row was used"),
            ProblemKind::UnlistedProfile => {
                format!("{events} {belongs} to people without a row of their own, who were added")
            }
            ProblemKind::RepeatedEvent => {
                format!("{events} {repeats} an event id in `{column}`; the first to arrive was used")
            }
            ProblemKind::Blanks => {
                let (texts, end) = (plural(n, "text"), if n == 1 { "begins or ends" } else { "begin or end" });
                format!(
                    "{texts} in `{column}` {end} with blanks and {is} not the same without; `trim = true` takes them off"
                )
            }
            ProblemKind::UnixTimes(unit) => format!("numbers in `{column}` were read as {} since 1970", unit.word()),
            ProblemKind::RepeatedHeader => format!("{rows} {repeats} the header and {was} passed over"),
            ProblemKind::Encoding => {
                let (files, is) = (plural(n, "file"), if n == 1 { "is" } else { "are" });
                format!("{files} {is} not in UTF-8 and {was} read as {column}")
            }
            ProblemKind::RepeatedColumn => {
                let (files, has) = (plural(n, "file"), if n == 1 { "has" } else { "have" });
                format!("{files} {has} more than one column `{column}`; the first was used")
            }
            ProblemKind::NotPacked => {
                let (files, is) = (plural(n, "file"), if n == 1 { "is" } else { "are" });
                format!("{files} of `[data]` {is} not in the store; `seg pack --append` adds what is new")
            }
            ProblemKind::PackedBefore => {
                let (files, has) = (plural(n, "file"), if n == 1 { "has" } else { "have" });
                format!("{files} of `[data]` {has} changed since the store was packed; `seg pack` packs all again")
            }
            ProblemKind::SharedDevice => {
                let (ids, belongs) = (plural(n, "anonymous id"), if n == 1 { "it belongs" } else { "each belongs" });
                format!("{ids} {was} seen with several people; {belongs} to the first of them")
            }
            ProblemKind::SameContent => {
                let (files, look) = (plural(n, "file"), if n == 1 { "looks" } else { "look" });
                format!(
                    "{files} {look} like `{column}` under another name, of the same size and beginning, and {was} read as well"
                )
            }
            ProblemKind::EmptyList => format!("the list `{column}` has no value, and segments ask who is in it"),
            ProblemKind::UnmetList => {
                format!("no value of the list `{other}` is in `{column}`, which segments compare with it")
            }
            ProblemKind::ListHeader => format!(
                "the first line of the list `{other}` stands for the name of its column, and is a value of `{column}`; \
                 put a line with a name before it"
            ),
        }
    }
}

fn plural(n: u64, word: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {word}{s}")
}

/// Where a problem was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, as the project names it.
    pub file: String,
    /// Its line, from 1; its row for Parquet.
    pub line: u64,
    /// The value that stood there, shortened; empty where there was none.
    pub value: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if self.value.is_empty() { Ok(()) } else { write!(f, " `{}`", self.value) }
    }
}

/// A problem with how often and where first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The kind, which says what became of the row or the value.
    pub kind: ProblemKind,
    /// In which column, or of which event.
    pub column: String,
    /// What else the sentence speaks of: the name of the schema that is spelled otherwise, or
    /// the list that is compared with the column; mostly nothing.
    pub other: String,
    /// How many rows or values have it.
    pub count: u64,
    /// The first few places where it was seen.
    pub examples: Vec<Place>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind.sentence(&self.column, &self.other, self.count))
    }
}

/// What was read and what was wrong with it. Reports of parts of the data add up, and go from
/// one process to another.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "ReportRecord")]
pub struct Report {
    /// How many files were read.
    pub files: u64,
    /// How many rows, of profiles, of events and of merge records.
    pub rows: u64,
    /// How many people there are, merged ids counted once.
    pub profiles: u64,
    /// How many events there are, wanted or not.
    pub events: u64,
    /// How many bytes the files have as they lie on disk, and how many of them were read:
    /// what decides nothing is left there.
    pub bytes: u64,
    /// See [`Report::bytes`].
    pub bytes_read: u64,
    /// What was wrong, in the order it was met.
    pub problems: Vec<Problem>,
    /// Where each kind of problem of a column stands among them.
    #[serde(skip)]
    places: HashMap<(ProblemKind, String), usize>,
}

/// A report as it is sent.
#[derive(Deserialize)]
struct ReportRecord {
    files: u64,
    rows: u64,
    profiles: u64,
    events: u64,
    bytes: u64,
    bytes_read: u64,
    problems: Vec<Problem>,
}

impl From<ReportRecord> for Report {
    fn from(record: ReportRecord) -> Report {
        let ReportRecord { files, rows, profiles, events, bytes, bytes_read, problems } = record;
        let mut places = HashMap::new();
        for (at, problem) in problems.iter().enumerate() {
            places.entry((problem.kind, problem.column.clone())).or_insert(at);
        }
        Report { files, rows, profiles, events, bytes, bytes_read, problems, places }
    }
}

impl Report {
    /// How many rows are no part of the answer, for they could not be read as rows.
    pub fn rows_lost(&self) -> u64 {
        self.problems.iter().filter(|p| p.kind.loses_rows()).map(|p| p.count).sum()
    }

    /// Counts a problem and keeps its place if it is among the first.
    pub(crate) fn add(&mut self, kind: ProblemKind, column: &str, place: impl FnOnce() -> Place) {
        if let Some(problem) = self.counted(kind, column)
            && problem.examples.len() < EXAMPLES_MAX
        {
            problem.examples.push(place());
        }
    }

    /// Adds a problem that was found when everything was read.
    pub fn tell(&mut self, kind: ProblemKind, column: &str, other: Option<&str>, place: Place) {
        let (column, other) = (column.to_owned(), other.unwrap_or_default().to_owned());
        self.places.entry((kind, column.clone())).or_insert(self.problems.len());
        self.problems.push(Problem { kind, column, other, count: 1, examples: vec![place] });
    }

    /// Adds what reading another part of the data found: of people whom this part has none of.
    pub fn append(&mut self, next: &Report) {
        self.files += next.files;
        self.rows += next.rows;
        self.profiles += next.profiles;
        self.events += next.events;
        self.bytes += next.bytes;
        self.bytes_read += next.bytes_read;
        for problem in &next.problems {
            let is_same = |known: &&mut Problem| {
                (known.kind, &known.column, &known.other) == (problem.kind, &problem.column, &problem.other)
            };
            match self.problems.iter_mut().find(is_same) {
                Some(known) => {
                    known.count += problem.count;
                    let room = EXAMPLES_MAX.saturating_sub(known.examples.len());
                    known.examples.extend(problem.examples.iter().take(room).cloned());
                }
                None => {
                    self.places.entry((problem.kind, problem.column.clone())).or_insert(self.problems.len());
                    self.problems.push(problem.clone());
                }
            }
        }
    }

    /// Says of names that the schema does not have which of its names are the same but for
    /// the spelling, as sentences take them.
    pub(crate) fn tell_spellings(&mut self, schema: &Schema) {
        let is_unknown = |kind: ProblemKind| matches!(kind, ProblemKind::UnknownColumn | ProblemKind::UnknownEvent);
        if !self.problems.iter().any(|problem| is_unknown(problem.kind)) {
            return;
        }
        let properties = schema.events.iter().flat_map(|event| &event.properties);
        let fields = schema.attributes.iter().chain(properties);
        let names = |field: &Field| std::iter::once(&field.name).chain(&field.also).map(|n| fold_name(n)).collect();
        let mut fields_by_name: HashMap<String, &str> = HashMap::new();
        for field in fields {
            let names: Vec<String> = names(field);
            for name in names {
                fields_by_name.entry(name).or_insert(&field.name);
            }
        }
        for problem in self.problems.iter_mut().filter(|problem| is_unknown(problem.kind)) {
            let of_event = || {
                schema.lookup(&problem.column).iter().find_map(|target| match target {
                    Target::Event(id) => schema.event(*id).map(|event| event.name.as_str()),
                    Target::Attribute(_) | Target::Group(_) => None,
                })
            };
            let meant = match problem.kind == ProblemKind::UnknownEvent {
                true => of_event(),
                false => fields_by_name.get(&fold_name(&problem.column)).copied(),
            };
            meant.filter(|name| *name != problem.column).unwrap_or_default().clone_into(&mut problem.other);
        }
    }

    /// Counts a problem of the data as a whole.
    pub(crate) fn add_without_place(&mut self, kind: ProblemKind, column: &str) {
        self.counted(kind, column);
    }

    /// Counts a problem of the data as a whole so many times.
    pub(crate) fn add_times(&mut self, kind: ProblemKind, column: &str, n: u64) {
        if n > 0
            && let Some(problem) = self.counted(kind, column)
        {
            problem.count += n - 1;
        }
    }

    /// Tells of a column without a value, unless the files lack it, which was told.
    pub(crate) fn empty_column(&mut self, column: &str) {
        if !self.places.contains_key(&(ProblemKind::AbsentColumn, column.to_owned())) {
            self.add_without_place(ProblemKind::EmptyColumn, column);
        }
    }

    /// Counts what an earlier reading found as well.
    pub(crate) fn add_all(&mut self, problems: &[Problem]) {
        for known in problems {
            let before = self.counted(known.kind, &known.column);
            let Some(problem) = before else { continue };
            problem.count += known.count - 1;
            let room = EXAMPLES_MAX.saturating_sub(problem.examples.len());
            problem.examples.extend(known.examples.iter().take(room).cloned());
        }
    }

    fn counted(&mut self, kind: ProblemKind, column: &str) -> Option<&mut Problem> {
        // Mostly it is the problem of the row before.
        let is_last = self.problems.last().is_some_and(|p| p.kind == kind && p.column == column);
        let at = match is_last {
            true => self.problems.len() - 1,
            false => *self.places.entry((kind, column.to_owned())).or_insert(self.problems.len()),
        };
        if at == self.problems.len() {
            let (column, other) = (column.to_owned(), String::new());
            self.problems.push(Problem { kind, column, other, count: 0, examples: Vec::new() });
        }
        let problem = self.problems.get_mut(at)?;
        problem.count += 1;
        Some(problem)
    }
}

/// Why reading stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The file or the pattern of files.
    pub file: String,
    /// What is wrong with it, in words for whoever wrote the file.
    pub message: String,
    /// The column that it is about, where it is about one.
    pub column: Option<String>,
}

impl ReadError {
    /// What is wrong with a file, in words for whoever wrote it.
    pub fn new(file: impl Into<String>, message: impl Into<String>) -> ReadError {
        ReadError { file: file.into(), message: message.into(), column: None }
    }

    /// The same about a column.
    #[must_use]
    pub fn of_column(self, column: &str) -> ReadError {
        ReadError { column: Some(column.to_owned()), ..self }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.message)
    }
}

impl std::error::Error for ReadError {}
