//! Where the data of a warehouse is, and in which columns.

use std::collections::BTreeMap;

/// The tables that segments are asked of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// A row a person, or several with the times since when they hold.
    pub profiles: Option<Profiles>,
    /// A row an event: one table, or one an event.
    pub events: Vec<Events>,
    /// Tables of lists, by the names that segments give them.
    pub lists: BTreeMap<String, ListTable>,
    /// Whether Seg itself knows of ids that are one person, which the tables do not say.
    pub are_ids_united: bool,
}

/// A table of profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profiles {
    /// Its name, perhaps behind that of its schema: `crm.profiles`.
    pub table: String,
    /// The column of profile ids.
    pub id: String,
    /// The column that says since when a row holds; a row a person without it.
    pub time: Option<Column>,
    /// The column by which rows of one instant are ordered.
    pub arrival: Option<String>,
    /// Whether an empty cell of a row with a time says that there is no value from then on,
    /// rather than that the value stays as it was.
    pub are_snapshots: bool,
    /// Columns by attribute, where they have other names or units.
    pub columns: BTreeMap<String, Column>,
}

/// A table of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    /// Its name.
    pub table: String,
    /// Which events it holds.
    pub event: Named,
    /// The column of profile ids.
    pub id: String,
    /// The column of times.
    pub time: Column,
    /// The column by which events that came first are told: a total order over all tables.
    pub arrival: Option<String>,
    /// Whether no event id is there twice, so that nothing has to be looked for.
    pub has_unique_ids: bool,
    /// Columns by property, where they have other names or units.
    pub columns: BTreeMap<String, Column>,
}

/// Which events a table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Those whose names are in a column.
    By(String),
    /// Those of one name.
    Always(String),
}

/// A column, and in which unit it holds its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The unit.
    pub unit: Unit,
}

/// In which unit a column holds instants or money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// The type of the database for it: an instant with a zone, a decimal.
    #[default]
    Own,
    /// Whole seconds since 1970.
    Seconds,
    /// Whole milliseconds since 1970.
    Milliseconds,
    /// Whole microseconds since 1970.
    Microseconds,
    /// Whole hundredths of the currency's unit.
    Cents,
}

/// A table that holds the values of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTable {
    /// Its name.
    pub table: String,
    /// Its column of values.
    pub column: String,
}

impl Column {
    /// A column in the database's own type.
    pub fn own(name: &str) -> Column {
        Column { name: name.to_owned(), unit: Unit::Own }
    }
}

impl Profiles {
    /// The column of an attribute.
    pub(crate) fn column(&self, attribute: &str) -> Column {
        self.columns.get(attribute).cloned().unwrap_or_else(|| Column::own(attribute))
    }
}

impl Events {
    /// The column of a property.
    pub(crate) fn column(&self, property: &str) -> Column {
        self.columns.get(property).cloned().unwrap_or_else(|| Column::own(property))
    }
}
