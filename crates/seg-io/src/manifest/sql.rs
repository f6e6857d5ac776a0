//! `[sql]`: where the data of a project is in a warehouse.

use super::{ManifestProblem, RowsAre};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// Where the data is in a warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SqlSettings {
    /// The table of profiles.
    pub profiles: Option<SqlProfiles>,
    /// The tables of events.
    pub events: Vec<SqlEvents>,
    /// Tables that hold the values of lists, by the names of the lists: the table, and its column.
    pub lists: BTreeMap<String, (String, String)>,
    /// The bytes of the text that say so; nothing where the project says nothing.
    pub at: Option<Range<usize>>,
}

/// A table with a row a person, or several with times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlProfiles {
    /// Its name.
    pub table: String,
    /// The column of ids.
    pub id: String,
    /// The column that says since when a row holds.
    pub time: Option<SqlColumn>,
    /// The column by which rows of one instant are ordered.
    pub arrival: Option<String>,
    /// What an empty cell of a row with a time means.
    pub rows: RowsAre,
    /// Columns by attribute.
    pub columns: BTreeMap<String, SqlColumn>,
}

/// A table of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlEvents {
    /// Its name.
    pub table: String,
    /// The event whose rows it holds, with the bytes that name it; of a table of all of them none.
    pub only: Option<(String, Range<usize>)>,
    /// The column of the names of events, of a table of all of them.
    pub event: Option<String>,
    /// The column of ids.
    pub id: String,
    /// The column of times.
    pub time: SqlColumn,
    /// The column that orders events by when they arrived.
    pub arrival: Option<String>,
    /// Whether no event id is there twice.
    pub unique_ids: bool,
    /// Columns by property.
    pub columns: BTreeMap<String, SqlColumn>,
}

/// A column, and the unit of what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlColumn {
    /// Its name.
    pub column: String,
    /// The unit.
    pub unit: SqlUnit,
}

/// In which unit a column holds instants or money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SqlUnit {
    /// The database's own type for it.
    #[default]
    Own,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// Microseconds since 1970.
    Microseconds,
    /// Hundredths of the currency's unit.
    Cents,
}

/// The table as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SqlTable {
    profiles: Option<ProfilesTable>,
    #[serde(default)]
    events: BTreeMap<String, Spanned<toml::Value>>,
    #[serde(default)]
    lists: BTreeMap<String, ListTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfilesTable {
    table: Spanned<String>,
    id: String,
    time: Option<ColumnTable>,
    arrival: Option<String>,
    #[serde(default)]
    rows: RowsAre,
    #[serde(default)]
    columns: BTreeMap<String, ColumnTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsTable {
    table: String,
    id: String,
    event: Option<String>,
    time: ColumnTable,
    arrival: Option<String>,
    #[serde(default)]
    unique_ids: bool,
    #[serde(default)]
    columns: BTreeMap<String, ColumnTable>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ListTable {
    Table(String),
    Column { table: String, column: String },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ColumnTable {
    Name(String),
    Unit { column: String, unit: String },
}

/// The column of a list's values where none is named.
const LIST_COLUMN: &str = "value";

impl ColumnTable {
    fn read(self) -> Result<SqlColumn, String> {
        match self {
            ColumnTable::Name(column) => Ok(SqlColumn { column, unit: SqlUnit::Own }),
            ColumnTable::Unit { column, unit } => {
                let unit = match unit.as_str() {
                    "s" => SqlUnit::Seconds,
                    "ms" => SqlUnit::Milliseconds,
                    "us" => SqlUnit::Microseconds,
                    "cents" => SqlUnit::Cents,
                    other => return Err(format!("`{other}` is not the unit of a column")),
                };
                Ok(SqlColumn { column, unit })
            }
        }
    }
}

/// What is wrong where units are.
const UNITS: &str = "write \"s\", \"ms\" or \"us\" for instants, \"cents\" for money, or the column's name alone";

impl SqlTable {
    /// The settings, and what is wrong with them. `at` is where the text says them.
    pub fn read(self, at: Option<Range<usize>>) -> (SqlSettings, Vec<ManifestProblem>) {
        let mut problems = Vec::new();
        let mut problem = |message: String, help: &str, at: Range<usize>| {
            problems.push(ManifestProblem { message, help: Some(help.to_owned()), at });
        };
        let mut settings = SqlSettings { at, ..SqlSettings::default() };
        if let Some(profiles) = self.profiles {
            let at = profiles.table.span();
            let mut column =
                |column: ColumnTable| column.read().map_err(|message| problem(message, UNITS, at.clone())).ok();
            let time = profiles.time.and_then(&mut column);
            let columns = profiles.columns.into_iter().filter_map(|(name, of)| Some((name, column(of)?))).collect();
            settings.profiles = Some(SqlProfiles {
                table: profiles.table.into_inner(),
                id: profiles.id,
                time,
                arrival: profiles.arrival,
                rows: profiles.rows,
                columns,
            });
        }
        // `[sql.events]` is one table of all events, `[sql.events."Order Completed"]` one of one.
        let is_one = self.events.get("table").is_some_and(|value| value.get_ref().is_str());
        let tables: Vec<(Option<String>, Range<usize>, toml::Value)> = match is_one {
            true => {
                let at = self.events.values().next().map_or(0..0, |value| value.span());
                let table = self.events.into_iter().map(|(key, value)| (key, value.into_inner())).collect();
                vec![(None, at, toml::Value::Table(table))]
            }
            false => {
                self.events.into_iter().map(|(name, value)| (Some(name), value.span(), value.into_inner())).collect()
            }
        };
        for (only, at, table) in tables {
            let table: EventsTable = match table.try_into() {
                Ok(table) => table,
                Err(error) => {
                    let help = "write `table`, `id` and `time`, and `event` where one table holds all events";
                    problem(seg_data::settings::told(error.message()).0, help, at);
                    continue;
                }
            };
            if only.is_none() != table.event.is_some() {
                let (message, help) = match only {
                    None => ("no column says which event a row is", "write `event = \"…\"`, the column of their names"),
                    Some(_) => ("a table of one event needs no column of names", "leave `event` out"),
                };
                problem(message.to_owned(), help, at.clone());
            }
            let mut column =
                |column: ColumnTable| column.read().map_err(|message| problem(message, UNITS, at.clone())).ok();
            let Some(time) = column(table.time) else { continue };
            let columns = table.columns.into_iter().filter_map(|(name, of)| Some((name, column(of)?))).collect();
            settings.events.push(SqlEvents {
                table: table.table,
                only: only.map(|name| (name, at.clone())),
                event: table.event,
                id: table.id,
                time,
                arrival: table.arrival,
                unique_ids: table.unique_ids,
                columns,
            });
        }
        let lists = self.lists.into_iter().map(|(name, list)| match list {
            ListTable::Table(table) => (name, (table, LIST_COLUMN.to_owned())),
            ListTable::Column { table, column } => (name, (table, column)),
        });
        settings.lists = lists.collect();
        (settings, problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    fn sql(text: &str) -> Result<SqlSettings, Vec<ManifestProblem>> {
        parse(&format!("name = \"x\"\n{text}\n")).map(|manifest| manifest.sql)
    }

    #[test]
    fn tables_are_read() {
        assert_eq!(sql("").expect("nothing"), SqlSettings::default());
        let settings = sql("[sql.profiles]\ntable = \"crm.people\"\nid = \"customer_id\"\ntime = \"changed_at\"\n\
             arrival = \"loaded_at\"\n[sql.events]\ntable = \"app.events\"\nid = \"user_id\"\nevent = \"name\"\n\
             time = { column = \"ts_ms\", unit = \"ms\" }\nunique_ids = true\n\
             columns = { amount = { column = \"amount_cents\", unit = \"cents\" } }\n[sql.lists]\nvip = \"crm.vip\"\n")
        .expect("settings");
        let profiles = settings.profiles.expect("profiles");
        assert_eq!((profiles.table.as_str(), profiles.id.as_str()), ("crm.people", "customer_id"));
        let [events] = settings.events.as_slice() else { panic!("one table") };
        assert_eq!((events.time.unit, events.unique_ids, events.only.is_none()), (SqlUnit::Milliseconds, true, true));
        assert_eq!(events.columns["amount"].unit, SqlUnit::Cents);
        assert_eq!(settings.lists["vip"], ("crm.vip".to_owned(), "value".to_owned()));
        let of_each = sql("[sql.events.\"Order Completed\"]\ntable = \"orders\"\nid = \"u\"\ntime = \"t\"\n\
             [sql.events.Visit]\ntable = \"visits\"\nid = \"u\"\ntime = \"t\"\n")
        .expect("settings");
        let names: Vec<&str> = of_each.events.iter().filter_map(|of| Some(of.only.as_ref()?.0.as_str())).collect();
        assert_eq!(names, ["Order Completed", "Visit"]);
    }

    #[test]
    fn mistakes_are_told() {
        for (text, why) in [
            ("[sql.events]\ntable = \"e\"\nid = \"u\"\ntime = \"t\"", "no column says which event"),
            ("[sql.events.A]\ntable = \"e\"\nid = \"u\"\ntime = \"t\"\nevent = \"n\"", "needs no column of names"),
            (
                "[sql.events.A]\ntable = \"e\"\nid = \"u\"\ntime = { column = \"t\", unit = \"days\" }",
                "`days` is not the unit",
            ),
            ("[sql.events.A]\ntable = \"e\"\nid = \"u\"", "`time` is missing"),
            ("[sql.people]\ntable = \"e\"", "there is no setting `people`"),
        ] {
            let problems = sql(text).expect_err(text);
            assert!(problems.iter().any(|problem| problem.message.contains(why)), "{text}: {problems:?}");
        }
    }
}
