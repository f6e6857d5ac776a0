//! SQL for a warehouse.

use clap::ValueEnum;
use std::time::Duration;

/// What `seg emit` says of SQL.
#[derive(clap::Args)]
pub struct EmitSql {
    /// Write the segments as SQL of this database, over the tables that `[sql]` of seg.toml
    /// names.
    #[arg(long, value_enum, value_name = "DIALECT", conflicts_with = "stage")]
    pub sql: Option<Dialect>,
    /// What the SQL gives.
    #[arg(long = "as", value_enum, default_value_t = Shape::Counts, requires = "sql")]
    pub shape: Shape,
    /// The view or table that it makes.
    #[arg(long, value_name = "TABLE", default_value = "segments", requires = "sql")]
    pub name: String,
    /// Judge everything at this instant, such as 2026-11-27T14:00:00Z, rather than at that of
    /// seg.toml or now.
    #[arg(long, value_name = "INSTANT", requires = "sql")]
    pub at: Option<String>,
}

/// Where segments are run rather than here.
#[derive(clap::Args)]
pub struct RunOn {
    /// Run the segments as SQL in this database, over the tables that `[sql]` of seg.toml names,
    /// such as duckdb:shop.db or postgres://user@host/shop. Nothing is written there.
    #[arg(long, value_name = "DATABASE", conflicts_with = "max_bad")]
    pub on: Option<String>,
    /// Stop the database after so long, such as 30s or 5min.
    #[arg(long, value_name = "TIME", requires = "on", value_parser = super::length)]
    pub time_limit: Option<Duration>,
}

/// The databases.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// DuckDB 1.4 or newer.
    Duckdb,
    /// PostgreSQL 15 or newer.
    Postgres,
    /// ClickHouse 26 or newer.
    Clickhouse,
    /// Spark SQL 4 or newer, in ANSI mode.
    Spark,
    /// Snowflake: written from its documentation, not tested.
    Snowflake,
    /// BigQuery: written from its documentation, not tested.
    Bigquery,
}

/// What SQL gives.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// How many people are in each segment.
    Counts,
    /// A row a member.
    Members,
    /// A row a person, a column a segment.
    Wide,
    /// The same as a view, true of one instant.
    View,
    /// The same as a table.
    Table,
    /// The members as a model of dbt.
    Model,
    /// A table that keeps who entered each segment when, and left it when; run it every night.
    Memberships,
}

impl From<Dialect> for seg::unstable::sql::Dialect {
    fn from(dialect: Dialect) -> seg::unstable::sql::Dialect {
        match dialect {
            Dialect::Duckdb => seg::unstable::sql::Dialect::DuckDb,
            Dialect::Postgres => seg::unstable::sql::Dialect::Postgres,
            Dialect::Clickhouse => seg::unstable::sql::Dialect::ClickHouse,
            Dialect::Spark => seg::unstable::sql::Dialect::Spark,
            Dialect::Snowflake => seg::unstable::sql::Dialect::Snowflake,
            Dialect::Bigquery => seg::unstable::sql::Dialect::BigQuery,
        }
    }
}

impl EmitSql {
    /// What is asked for, with the name that it is made under.
    pub fn shape(&self) -> seg::unstable::sql::Shape {
        use seg::unstable::sql::Shape as Of;
        match self.shape {
            Shape::Counts => Of::Counts,
            Shape::Members => Of::Members,
            Shape::Wide => Of::Wide,
            Shape::View => Of::View(self.name.clone()),
            Shape::Table => Of::Table(self.name.clone()),
            Shape::Model => Of::Model,
            Shape::Memberships => Of::Memberships(self.name.clone()),
        }
    }
}
