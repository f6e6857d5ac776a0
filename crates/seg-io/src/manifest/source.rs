//! The tables of `seg.toml` that describe a source of data, as they are written.

use super::{EventFiles, MergeFiles, ProfileFiles, RowsAre};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// How the files of a source are read: which of their columns are what, and how their texts
/// are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// Columns in which an id stands where the first has none, in their order.
    pub other_ids: Vec<String>,
    /// The column of the file for a name of the schema.
    pub columns: BTreeMap<String, String>,
    /// What every row of the files has in a column, in the place of what they say.
    pub values: BTreeMap<String, String>,
    /// Texts that stand for no value, in columns of texts as well. Without any, the usual
    /// ones do in all other columns; see [`NULL_MARKERS`].
    pub missing: Vec<String>,
    /// Whether blanks around ids and values are none of them.
    pub trim: bool,
    /// Which of day and month comes first in dates such as `03/04/2026`; such dates are
    /// not read unless it is said.
    pub dates: Option<DayOrder>,
    /// How CSV files are written, as far as they do not tell.
    pub csv: CsvRead,
}

/// What tools write for no value, in any case of letters.
pub const NULL_MARKERS: [&str; 5] = ["null", "\\n", "none", "nan", "n/a"];

/// Whether a text is what tools write for no value.
pub(crate) fn is_null_marker(text: &str) -> bool {
    text.len() <= 4 && NULL_MARKERS.iter().any(|marker| marker.eq_ignore_ascii_case(text))
}

/// Whether a text is what tools write where there is no id.
pub(crate) fn is_null_id(text: &str) -> bool {
    matches!(text, "NULL" | "null" | "\\N" | "None" | "NaN" | "nan" | "N/A")
}

/// Which of day and month comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum DayOrder {
    /// `31/12/2026`
    #[serde(rename = "day first")]
    DayFirst,
    /// `12/31/2026`
    #[serde(rename = "month first")]
    MonthFirst,
}

/// How CSV files are written, as far as they do not tell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvRead {
    /// What stands between fields; found in the header line unless it is said.
    pub delimiter: Option<char>,
    /// What stands before the places of a number, `,` or `.`.
    pub decimal: Option<char>,
    /// A label of the WHATWG Encoding Standard, such as `windows-1252`; found in the first
    /// bytes unless it is said.
    pub encoding: Option<String>,
    /// What stands before a quote within quotes, where that is not another quote; found
    /// in the first rows unless it is said.
    pub escape: Option<char>,
}

/// One name, or several of which the first that fits counts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

/// A fixed value as TOML writes it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Fixed {
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
}

impl Fixed {
    fn into_text(self) -> String {
        match self {
            Fixed::Text(text) => text,
            Fixed::Integer(n) => n.to_string(),
            Fixed::Number(n) => n.to_string(),
            Fixed::Boolean(b) => b.to_string(),
        }
    }
}

impl Names {
    /// The first, and those that stand in for it.
    fn split(self) -> Result<(String, Vec<String>), String> {
        match self {
            Names::One(name) => Ok((name, Vec::new())),
            Names::Many(names) => {
                let mut names = names.into_iter();
                let first = names.next().ok_or("`id` names no column")?;
                Ok((first, names.collect()))
            }
        }
    }
}

/// The fields that tables of all sources have beside their own.
macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident { $($field:ident: $ty:ty),* $(,)? })*) => {
        $($(#[$doc])*
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $table {
            files: Vec<String>,
            $(#[serde(default)] $field: $ty,)*
            #[serde(default)]
            columns: BTreeMap<String, String>,
            #[serde(default)]
            values: BTreeMap<String, Fixed>,
            #[serde(default)]
            missing: Vec<String>,
            #[serde(default)]
            trim: bool,
            dates: Option<DayOrder>,
            #[serde(default)]
            csv: CsvRead,
        }

        impl $table {
            fn reading(&mut self) -> Result<Reading, String> {
                let csv = std::mem::take(&mut self.csv);
                check_csv(&csv)?;
                let values = std::mem::take(&mut self.values).into_iter();
                Ok(Reading {
                    other_ids: Vec::new(),
                    columns: std::mem::take(&mut self.columns),
                    values: values.map(|(name, value)| (name, value.into_text())).collect(),
                    missing: std::mem::take(&mut self.missing),
                    trim: self.trim,
                    dates: self.dates,
                    csv,
                })
            }
        })*
    };
}

tables! {
    /// `[data.profiles]`
    ProfileTable { id: Option<Names>, time: Option<String>, rows: RowsAre }
    /// `[data.events]`
    EventTable {
        id: Option<Names>,
        event: Option<String>,
        name: Option<String>,
        time: Option<String>,
        received: Option<String>,
    }
    /// `[data.merges]`
    MergeTable { from: Option<String>, into: Option<String> }
}

fn check_csv(csv: &CsvRead) -> Result<(), String> {
    if csv.delimiter.is_some_and(|c| !c.is_ascii() || matches!(c, '"' | '\n' | '\r')) {
        return Err("`delimiter` is one character such as \";\" or \"\\t\"".to_owned());
    }
    if csv.escape.is_some_and(|c| !c.is_ascii() || matches!(c, '\n' | '\r')) {
        return Err("`escape` is one character such as \"\\\\\"".to_owned());
    }
    if csv.decimal.is_some_and(|c| !matches!(c, '.' | ',')) {
        return Err("`decimal` is \",\" or \".\"".to_owned());
    }
    if let Some(label) = &csv.encoding
        && encoding_rs::Encoding::for_label(label.as_bytes()).is_none()
    {
        return Err(format!("`{label}` is no encoding; write one such as \"windows-1252\" or \"utf-16le\""));
    }
    Ok(())
}

fn needed<T>(field: Option<T>, name: &str) -> Result<T, String> {
    field.ok_or_else(|| format!("`{name}` is missing"))
}

impl TryFrom<ProfileTable> for ProfileFiles {
    type Error = String;

    fn try_from(mut table: ProfileTable) -> Result<ProfileFiles, String> {
        let (id, other_ids) = needed(table.id.take(), "id")?.split()?;
        let reading = Reading { other_ids, ..table.reading()? };
        Ok(ProfileFiles { files: table.files, id, time: table.time, rows: table.rows, reading })
    }
}

/// What the column is called that gives every event of a source its one name.
const EVENT_NAME: &str = "the name of seg.toml";

impl TryFrom<EventTable> for EventFiles {
    type Error = String;

    fn try_from(mut table: EventTable) -> Result<EventFiles, String> {
        let (id, other_ids) = needed(table.id.take(), "id")?.split()?;
        let mut reading = Reading { other_ids, ..table.reading()? };
        let event = match (table.event, table.name) {
            (Some(column), None) => column,
            (None, Some(name)) => {
                reading.values.insert(EVENT_NAME.to_owned(), name);
                EVENT_NAME.to_owned()
            }
            (Some(_), Some(_)) => {
                return Err("`event` is the column of names, `name` the one name of all: write one of them".to_owned());
            }
            (None, None) => {
                return Err("`event`, the column of names, or `name`, the one name of all, is missing".to_owned());
            }
        };
        let time = needed(table.time, "time")?;
        Ok(EventFiles { files: table.files, id, event, time, received: table.received, reading })
    }
}

impl TryFrom<MergeTable> for MergeFiles {
    type Error = String;

    fn try_from(mut table: MergeTable) -> Result<MergeFiles, String> {
        let reading = table.reading()?;
        let (from, into) = (needed(table.from, "from")?, needed(table.into, "into")?);
        Ok(MergeFiles { files: table.files, from, into, reading })
    }
}

/// One table, `[data.events]`, or several, `[[data.events]]`.
pub(super) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct OneOrMany<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table, or several of them")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Vec<T>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(seq))
        }
    }

    deserializer.deserialize_any(OneOrMany(PhantomData))
}
