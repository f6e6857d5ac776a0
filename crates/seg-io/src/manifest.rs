//! `seg.toml`: what a project is called, whose calendar it follows, and where
//! its data is.

mod doctor;
mod forecast;
mod live;
mod report;
mod source;
mod sql;

pub use doctor::DoctorLimits;
pub use forecast::ForecastSettings;
pub use live::{LiveReceiver, LiveSettings, LiveSink};
pub use report::ReportGoal;
pub use source::{CsvRead, DayOrder, NULL_MARKERS, Reading};
pub(crate) use source::{is_null_id, is_null_marker};
pub use sql::{SqlColumn, SqlEvents, SqlProfiles, SqlSettings, SqlUnit};

use crate::open::{Elsewhere, STANDARD_INPUT};
use seg_data::{Timestamp, WeekStart, Zone};
use serde::Deserialize;
use source::one_or_many;
use std::ops::Range;
use toml::Spanned;

/// The name of the file that makes a directory a project.
pub const MANIFEST_FILE: &str = "seg.toml";

/// A project's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The project's name.
    pub name: String,
    /// Whose calendar days, months and years are meant.
    pub zone: Option<Zone>,
    /// As of when everything is evaluated, unless a run says otherwise.
    pub at: Option<Timestamp>,
    /// The day weeks begin on.
    pub week_start: WeekStart,
    /// The schema's file, relative to the project.
    pub schema: String,
    /// Where the data is.
    pub data: Data,
    /// What `seg doctor` tells of.
    pub doctor: DoctorLimits,
    /// What people are hoped to do once they are in a segment.
    pub report: ReportGoal,
    /// What forecasts are used for.
    pub forecast: ForecastSettings,
    /// Where changes of memberships go.
    pub live: LiveSettings,
    /// Where the data is in a warehouse.
    pub sql: SqlSettings,
}

/// Where the data is: each kind of row in files of one or several sources, every one of
/// which names its columns in its own way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// A row a person.
    #[serde(default, deserialize_with = "one_or_many")]
    pub profiles: Vec<ProfileFiles>,
    /// A row an event.
    #[serde(default, deserialize_with = "one_or_many")]
    pub events: Vec<EventFiles>,
    /// A row for two ids of one person.
    #[serde(default, deserialize_with = "one_or_many")]
    pub merges: Vec<MergeFiles>,
    /// Analytics calls, which say all three.
    #[serde(default, deserialize_with = "one_or_many")]
    pub calls: Vec<CallFiles>,
    /// The folder of a packed store, which `seg pack` makes of the files and which everything
    /// else reads in their place.
    #[serde(default)]
    pub store: Option<String>,
    /// What its files and its store may be beside files of this machine.
    #[serde(skip)]
    pub elsewhere: Elsewhere,
}

impl Data {
    /// Whether some of it comes through the standard input.
    pub fn reads_standard_input(&self) -> bool {
        let profiles = self.profiles.iter().map(|source| &source.files);
        let events = self.events.iter().map(|source| &source.files);
        let merges = self.merges.iter().map(|source| &source.files);
        let mut files = profiles.chain(events).chain(merges).chain(self.calls.iter().map(|source| &source.files));
        files.any(|files| files.iter().any(|file| file == STANDARD_INPUT))
    }
}

/// Files of analytics calls, a JSON object each, as SDKs send them: `identify`, `track`,
/// `page`, `screen`, `group` and `alias`, in the fields that they name alike.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallFiles {
    /// Paths or patterns, relative to the project.
    pub files: Vec<String>,
}

/// Files with a row a person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "source::ProfileTable")]
pub struct ProfileFiles {
    /// Paths or patterns, relative to the project.
    pub files: Vec<String>,
    /// The column that says whose a row is.
    pub id: String,
    /// The column that says since when a row holds, where there are several
    /// rows a person.
    pub time: Option<String>,
    /// What an empty cell of such a row means.
    pub rows: RowsAre,
    /// How the files are read.
    pub reading: Reading,
}

/// What the rows of a person are, where they have times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowsAre {
    /// What changed: an empty cell leaves the value as it was.
    #[default]
    Changes,
    /// All that was known at the time: an empty cell has no value from then on.
    Snapshots,
}

/// Files with a row for two ids of one person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "source::MergeTable")]
pub struct MergeFiles {
    /// Paths or patterns, relative to the project.
    pub files: Vec<String>,
    /// The column of the id that is merged away.
    pub from: String,
    /// The column of the id that the person goes by from then on.
    pub into: String,
    /// How the files are read.
    pub reading: Reading,
}

/// Files with a row an event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "source::EventTable")]
pub struct EventFiles {
    /// Paths or patterns, relative to the project.
    pub files: Vec<String>,
    /// The column of profile ids.
    pub id: String,
    /// The column of event names.
    pub event: String,
    /// The column of times.
    pub time: String,
    /// The column that says when events arrived.
    pub received: Option<String>,
    /// How the files are read.
    pub reading: Reading,
}

impl ProfileFiles {
    /// Files with a row a person, whose columns are named as the schema names them.
    pub fn new(files: Vec<String>, id: &str) -> ProfileFiles {
        let (rows, reading) = (RowsAre::default(), Reading::default());
        ProfileFiles { files, id: id.to_owned(), time: None, rows, reading }
    }
}

impl EventFiles {
    /// Files of events with their columns of ids, names and times; the others are named as
    /// the schema names them.
    pub fn new(files: Vec<String>, id: &str, event: &str, time: &str) -> EventFiles {
        let name = |name: &str| name.to_owned();
        let (received, reading) = (None, Reading::default());
        EventFiles { files, id: name(id), event: name(event), time: name(time), received, reading }
    }
}

/// A problem in a `seg.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestProblem {
    /// What is wrong, with the user's words in back-ticks.
    pub message: String,
    /// What would be right, where that can be told.
    pub help: Option<String>,
    /// The bytes of the text that it is about.
    pub at: Range<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    name: String,
    timezone: Option<Spanned<String>>,
    at: Option<Spanned<String>>,
    week_starts_on: Option<Spanned<String>>,
    #[serde(default = "schema_file")]
    schema: String,
    #[serde(default)]
    data: Data,
    #[serde(default)]
    doctor: DoctorLimits,
    #[serde(default)]
    report: ReportGoal,
    #[serde(default)]
    forecast: ForecastSettings,
    #[serde(default)]
    live: live::LiveTable,
    sql: Option<Spanned<sql::SqlTable>>,
}

fn schema_file() -> String {
    "schema.toml".to_owned()
}

/// Reads a `seg.toml`.
///
/// # Errors
/// Every problem found in it.
pub fn parse(text: &str) -> Result<Manifest, Vec<ManifestProblem>> {
    let file: ManifestFile = toml::from_str(text).map_err(|error| {
        let (message, help) = seg_data::settings::told(error.message());
        vec![ManifestProblem { message, help, at: error.span().unwrap_or(0..0) }]
    })?;
    let mut problems = Vec::new();
    let mut problem = |at: Range<usize>, message: String, help: &str| {
        problems.push(ManifestProblem { message, help: Some(help.to_owned()), at });
    };
    let zone = file.timezone.as_ref().and_then(|name| {
        let zone = Zone::parse(name.get_ref());
        if zone.is_none() {
            let message = format!("`{}` is not a time zone", name.get_ref());
            problem(name.span(), message, "write its name in the IANA database, such as \"Europe/Berlin\" or \"UTC\"");
        }
        zone
    });
    let at = file.at.as_ref().and_then(|text| {
        let at = Timestamp::read(text.get_ref(), zone);
        if let Err(error) = at {
            problem(text.span(), format!("`{}` {error}", text.get_ref()), "write it as \"2026-11-27T14:00:00Z\"");
        }
        at.ok()
    });
    let week_start = match file.week_starts_on.as_ref().map(|day| day.get_ref().to_lowercase()).as_deref() {
        None | Some("monday") => WeekStart::Monday,
        Some("sunday") => WeekStart::Sunday,
        Some(other) => {
            let span = file.week_starts_on.as_ref().map_or(0..0, Spanned::span);
            problem(span, format!("weeks cannot start on `{other}`"), "write \"monday\" or \"sunday\"");
            WeekStart::Monday
        }
    };
    let (live, of_live) = file.live.read();
    problems.extend(of_live);
    let at_sql = file.sql.as_ref().map(Spanned::span);
    let (sql, of_sql) = file.sql.map(Spanned::into_inner).unwrap_or_default().read(at_sql);
    problems.extend(of_sql);
    if problems.is_empty() {
        Ok(Manifest {
            name: file.name,
            zone,
            at,
            week_start,
            schema: file.schema,
            data: file.data,
            doctor: file.doctor,
            report: file.report,
            forecast: file.forecast,
            live,
            sql,
        })
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_checked() {
        let good = parse("name = \"x\"\ntimezone = \"Europe/Berlin\"\nat = \"2024-01-01 00:00\"\n").expect("good");
        assert_eq!(good.at.map(|t| t.to_string()), Some("2023-12-31T23:00:00Z".to_owned()));
        let bad = parse("name = \"x\"\ntimezone = \"Berlin\"\nat = \"soon\"\nweek_starts_on = \"friday\"\n");
        let messages: Vec<String> = bad.expect_err("bad").into_iter().map(|p| p.message).collect();
        assert_eq!(
            messages,
            ["`Berlin` is not a time zone", "`soon` is not an instant", "weeks cannot start on `friday`"]
        );
        let far = parse("name = \"x\"\nat = \"10000-01-01T00:00:00Z\"\n").expect_err("far");
        assert_eq!(far[0].message, "`10000-01-01T00:00:00Z` is not in the years 1 to 9999");
        assert!(parse("nam = 1").is_err());
    }
}
