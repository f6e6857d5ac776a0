//! The dialects: how each database says what the compiler asks for.
//!
//! The first relations of a query bring every column into Seg's own values, so that what is
//! left to differ between databases is some thirty small functions. Arguments are pieces of SQL
//! that may be NULL; so is what comes of them then.

mod bigquery;
mod civil;
mod clickhouse;
mod duckdb;
mod postgres;
mod snowflake;
mod spark;

use crate::pattern::Signs;
use crate::shape::Upserts;
use crate::source::Unit;
use crate::zone::Offsets;
use seg_data::{Element, Type};
use seg_hir::hir::ArithmeticOp;

/// The dialects there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// DuckDB 1.4 or newer.
    DuckDb,
    /// PostgreSQL 15 or newer.
    Postgres,
    /// ClickHouse 26 or newer.
    ClickHouse,
    /// Spark SQL 4 or newer, in ANSI mode.
    Spark,
    /// Snowflake, by its documentation.
    Snowflake,
    /// BigQuery, by its documentation.
    BigQuery,
}

impl Dialect {
    /// All of them.
    pub const ALL: &[Dialect] = &[
        Dialect::DuckDb,
        Dialect::Postgres,
        Dialect::ClickHouse,
        Dialect::Spark,
        Dialect::Snowflake,
        Dialect::BigQuery,
    ];

    /// Whether its SQL is run in the database and compared with the reference evaluator.
    pub fn is_tested(self) -> bool {
        match self {
            Dialect::DuckDb | Dialect::Postgres | Dialect::ClickHouse | Dialect::Spark => true,
            Dialect::Snowflake | Dialect::BigQuery => false,
        }
    }

    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::DuckDb => "duckdb",
            Dialect::Postgres => "postgres",
            Dialect::ClickHouse => "clickhouse",
            Dialect::Spark => "spark",
            Dialect::Snowflake => "snowflake",
            Dialect::BigQuery => "bigquery",
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Dialect::DuckDb => "DuckDB",
            Dialect::Postgres => "PostgreSQL",
            Dialect::ClickHouse => "ClickHouse",
            Dialect::Spark => "Spark SQL",
            Dialect::Snowflake => "Snowflake",
            Dialect::BigQuery => "BigQuery",
        }
    }

    pub(crate) fn says(self) -> &'static dyn Says {
        match self {
            Dialect::DuckDb => &duckdb::DuckDb,
            Dialect::Postgres => &postgres::Postgres,
            Dialect::ClickHouse => &clickhouse::ClickHouse,
            Dialect::Spark => &spark::Spark,
            Dialect::Snowflake => &snowflake::Snowflake,
            Dialect::BigQuery => &bigquery::BigQuery,
        }
    }
}

/// What a dialect calls what all of them have.
pub(crate) struct Called {
    /// The type of texts.
    pub text: &'static str,
    /// The type of whole numbers of 64 bits.
    pub integer: &'static str,
    /// The type of floating point.
    pub float: &'static str,
    /// What is read as the number above all others; behind a minus as the one below them.
    pub infinity: &'static str,
    /// The function that tells whether a text holds another, or where.
    pub contains: &'static str,
    /// Behind the function that tells where: what makes a condition of it.
    pub is_somewhere: &'static str,
    /// The function that tells whether a text begins with another.
    pub starts_with: &'static str,
    /// The function that tells whether a text ends with another.
    pub ends_with: &'static str,
}

/// What a dialect says.
pub(crate) trait Says: Signs + Sync {
    /// A name in quotes.
    fn ident(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A table's name, perhaps behind that of its schema.
    fn table(&self, name: &str) -> String {
        name.split('.').map(|part| self.ident(part)).collect::<Vec<_>>().join(".")
    }

    /// A text, in quotes.
    fn text(&self, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    /// The names of types and functions.
    fn called(&self) -> &'static Called;

    /// A value in another type.
    fn cast(&self, value: &str, ty: &str) -> String {
        format!("CAST({value} AS {ty})")
    }

    /// A number of floating point.
    fn number(&self, n: f64) -> String {
        self.cast(&format!("'{n:?}'"), self.called().float)
    }

    /// How a relation is kept rather than computed again where it is read.
    fn materialized(&self) -> &'static str;
    /// What stands at the end of a query, for it to be read as it is meant.
    fn settings(&self) -> &'static str {
        ""
    }
    /// What a new table begins with.
    fn new_table(&self, table: &str) -> String {
        format!("CREATE TABLE {table}")
    }
    /// How a table is kept true.
    ///
    /// # Errors
    /// Why it cannot be.
    fn upserts(&self) -> Result<Upserts, &'static str>;
    /// Why a segment's name cannot be that of a column, if so.
    fn refuses_column(&self, _: &str) -> Option<&'static str> {
        None
    }
    /// Columns of which types cannot be read, and why.
    fn refuses(&self, _: &Type) -> Option<(&'static str, &'static str)> {
        None
    }

    // Columns as they are in the tables.

    /// An id as a text.
    fn id(&self, column: &str) -> String {
        self.cast(column, self.called().text)
    }
    /// An instant in microseconds.
    fn instant(&self, column: &str, unit: Unit) -> String;
    /// A day since 1970.
    fn day(&self, column: &str) -> String;
    /// Money in ten-thousandths.
    fn money(&self, column: &str, unit: Unit) -> String;
    /// A whole number of 64 bits.
    fn integer(&self, column: &str) -> String {
        self.cast(column, self.called().integer)
    }
    /// A number that is finite, and no zero below zero.
    fn finite(&self, column: &str) -> String {
        let number = self.cast(column, self.called().float);
        format!("CASE WHEN {} THEN {number} + 0 END", self.is_finite(&number))
    }
    /// A list without missing items.
    fn list(&self, column: &str, of: Element) -> String;
    /// A field of a record, as a column of its type.
    fn field(&self, record: &str, name: &str, ty: &Type) -> String;
    /// A missing value of a type.
    fn missing(&self, ty: &Type) -> String;

    /// A column of a type in Seg's values.
    fn normal(&self, column: &str, ty: &Type, unit: Unit) -> String {
        match ty {
            Type::Boolean | Type::Records(_) => column.to_owned(),
            Type::Integer | Type::Duration => self.integer(column),
            Type::Number => self.finite(column),
            Type::Money => self.money(column, unit),
            Type::Text => format!("nullif({column}, '')"),
            Type::Timestamp => self.instant(column, unit),
            Type::Date => self.day(column),
            Type::List(of) => self.list(column, *of),
        }
    }

    // Rows.

    /// The records of a list, or its items, each with its position: a relation with the columns
    /// `key`, `it` and `pos`.
    fn unnest(&self, from: &str, key: &str, list: &str, is_records: bool) -> String;
    /// The value that is last in an order among the rows of a group that a condition holds of.
    fn last_of(&self, value: &str, order: &str, filter: &str, ty: &Type) -> String;
    /// The n-th instant of a group among the rows that a condition holds of.
    fn nth(&self, instant: &str, is_last: bool, n: u32, filter: &str) -> String {
        let order = if is_last { " DESC" } else { "" };
        format!("(array_agg({instant} ORDER BY {instant}{order}) FILTER (WHERE {filter}))[{n}]")
    }
    /// The sum of numbers of a group in an order; any number, NaN or infinite where it does not
    /// fit, 0 over none.
    fn ordered_sum(&self, number: &str, order: &str, filter: &str) -> String;
    /// The sum of whole numbers of a group, wider than they are.
    fn total(&self, value: &str) -> String {
        format!("sum({value})")
    }
    /// The value of the row before, in a window.
    fn previous(&self, value: &str) -> String {
        format!("lag({value})")
    }
    /// The value of the row after, in a window.
    fn next(&self, value: &str) -> String {
        format!("lead({value})")
    }
    /// Whether numbers can be added in the order of their events.
    fn adds_in_order(&self) -> bool {
        true
    }
    /// Whether a value can be named within an expression, rather than stand again and again.
    fn names_values(&self) -> bool {
        true
    }
    /// Whether a window may reach back by microseconds, which are numbers of 64 bits.
    fn has_long_ranges(&self) -> bool {
        true
    }
    /// The value of an expression in which others, which may be long, are named.
    fn bind(&self, values: &[&str], body: &dyn Fn(&[&str]) -> String) -> String;

    // Whole numbers.

    /// A whole number in a type of 128 bits or more.
    fn wide(&self, integer: &str) -> String;
    /// A wide number in 64 bits; NULL where it does not fit.
    fn narrow(&self, wide: &str) -> String;
    /// Two wide numbers combined; NULL where that does not fit.
    fn combine(&self, op: ArithmeticOp, left: &str, right: &str) -> String;
    /// A wide number divided by one above zero that divides it.
    fn quotient(&self, wide: &str, by: &str) -> String;
    /// What is left of a whole number that is divided by another; of the sign of the first.
    fn remainder(&self, of: &str, by: &str) -> String {
        format!("({of} % {by})")
    }
    /// What is left of it, from zero on.
    fn modulo(&self, of: &str, by: &str) -> String {
        self.remainder(&format!("({} + {by})", self.remainder(of, by)), by)
    }
    /// A number that is a whole one, of less than 2^126, in the wide type.
    fn whole(&self, number: &str) -> String;
    /// What a wide number is turned into floating point from: where that would round twice, its
    /// digits, which are read as a text is.
    fn digits(&self, wide: &str) -> String {
        wide.to_owned()
    }
    /// A whole number as the nearest floating-point one.
    fn to_number(&self, integer: &str, is_wide: bool) -> String {
        let float = self.called().float;
        if is_wide { self.cast(&self.digits(integer), float) } else { self.cast(integer, float) }
    }
    /// The number above all others, or behind a minus the one below them.
    fn infinity(&self, sign: &str) -> String {
        let Called { float, infinity, .. } = self.called();
        self.cast(&format!("'{sign}{infinity}'"), float)
    }
    /// Two numbers combined, NULL by zero; what is too large is infinite.
    fn combined(&self, op: ArithmeticOp, left: &str, right: &str) -> String {
        match op {
            ArithmeticOp::Add => format!("{left} + {right}"),
            ArithmeticOp::Subtract => format!("{left} - {right}"),
            ArithmeticOp::Multiply => format!("{left} * {right}"),
            ArithmeticOp::Divide => format!("{left} / nullif({right}, 0)"),
        }
    }
    /// Two numbers combined; NULL where that is none.
    fn calculate(&self, op: ArithmeticOp, left: &str, right: &str) -> String {
        let result = self.combined(op, left, right);
        format!("nullif(nullif({result}, {}), {})", self.infinity(""), self.infinity("-"))
    }
    /// A step of a calculation whose result alone has to be a number, in brackets.
    fn step(&self, op: ArithmeticOp, left: &str, right: &str) -> String {
        format!("({})", self.combined(op, left, right))
    }
    /// A number rounded half to even.
    fn half_to_even(&self, number: &str) -> String {
        half_to_even(number)
    }
    /// A number rounded half to even, in 64 bits; NULL where it does not fit, as 2^63 does not.
    fn rounded(&self, number: &str) -> String {
        self.bind(&[number], &|named| {
            let [number] = named else { return String::new() };
            let rounded = self.half_to_even(number);
            self.bind(&[&rounded], &|named| {
                let [rounded] = named else { return String::new() };
                let limit = self.number(9_223_372_036_854_775_808.0);
                let whole = self.cast(rounded, self.called().integer);
                format!("CASE WHEN {rounded} >= -{limit} AND {rounded} < {limit} THEN {whole} END")
            })
        })
    }
    /// Ten-thousandths times or divided by a number, rounded half to even; NULL where that does
    /// not fit.
    fn scaled(&self, op: ArithmeticOp, money: &str, is_wide: bool, number: &str) -> String {
        let scale = self.number(10_000.0);
        let amount = format!("({} / {scale})", self.to_number(money, is_wide));
        self.rounded(&self.step(ArithmeticOp::Multiply, &self.step(op, &amount, number), &scale))
    }
    /// Degrees as an angle.
    fn radians(&self, degrees: &str) -> String {
        format!("radians({degrees})")
    }
    /// Whether a number is neither NaN nor infinite.
    fn is_finite(&self, number: &str) -> String;
    /// A number unless it is NaN or infinite.
    fn unless_infinite(&self, number: &str) -> String {
        self.bind(&[number], &|named| {
            let [number] = named else { return String::new() };
            format!("CASE WHEN {} THEN {number} END", self.is_finite(number))
        })
    }

    /// A wide number divided by one above zero, rounded down.
    fn floor(&self, wide: &str, by: &str) -> String {
        self.bind(&[wide], &|named| {
            let [wide] = named else { return String::new() };
            self.quotient(&format!("({wide} - {})", self.modulo(wide, by)), by)
        })
    }

    /// A wide number divided by another, rounded half to even; NULL by zero.
    fn half_even(&self, wide: &str, by: &str) -> String {
        // A divisor below zero divides the opposite.
        self.bind(&[wide, by], &|named| {
            let [n, d] = named else { return String::new() };
            let (n, d) = (format!("(CASE WHEN {d} < 0 THEN -{n} ELSE {n} END)"), format!("nullif(abs({d}), 0)"));
            self.bind(&[&n, &d], &|named| {
                let [n, d] = named else { return String::new() };
                let m = self.modulo(n, d);
                let q = self.quotient(&format!("({n} - {m})"), d);
                self.bind(&[&m, &q, d], &|named| {
                    let [m, q, d] = named else { return String::new() };
                    let is_odd = format!("{} <> 0", self.remainder(q, "2"));
                    format!("({q} + CASE WHEN 2 * {m} > {d} OR (2 * {m} = {d} AND {is_odd}) THEN 1 ELSE 0 END)")
                })
            })
        })
    }

    // Texts.

    /// A text in which some letters are others.
    fn translate(&self, text: &str, from: &str, to: &str) -> String {
        format!("translate({text}, {}, {})", self.text(from), self.text(to))
    }
    /// Whether a text holds another.
    fn contains(&self, text: &str, part: &str) -> String {
        let Called { contains, is_somewhere, .. } = self.called();
        format!("{contains}({text}, {}){is_somewhere}", self.text(part))
    }
    /// Whether it begins with another.
    fn starts_with(&self, text: &str, part: &str) -> String {
        format!("{}({text}, {})", self.called().starts_with, self.text(part))
    }
    /// Whether it ends with another.
    fn ends_with(&self, text: &str, part: &str) -> String {
        format!("{}({text}, {})", self.called().ends_with, self.text(part))
    }
    /// Whether a pattern, in the signs of the dialect, is found in it.
    fn matches(&self, text: &str, pattern: &str) -> String;
    /// A text for comparing by code point.
    fn by_code_point(&self, text: &str) -> String {
        text.to_owned()
    }
    /// The first eight hexadecimal digits of the MD5 of a name, a zero byte and an id.
    fn sample(&self, name: &str, id: &str) -> String;

    // The calendar.

    /// How far a zone is ahead at an instant.
    fn offset(&self, instant: &str, offsets: &Offsets) -> String;
    /// A day so many months later.
    fn plus_months(&self, day: &str, months: i64) -> String;
    /// The year, month (from 1) or day of the month of a day.
    fn part(&self, part: &str, day: &str) -> String;
    /// A day from its year, month and day of the month.
    fn make_day(&self, year: &str, month: &str, day: &str) -> String;

    // Lists.

    /// Whether a list has an item.
    fn has(&self, list: &str, item: &str) -> String;
    /// How many items it has.
    fn length(&self, list: &str, is_records: bool) -> String;
    /// A list of texts, each mapped.
    fn map_texts(&self, list: &str, of: &dyn Fn(&str) -> String) -> String;
}

/// Whether a piece is so short that it may stand several times.
pub(crate) fn is_short(sql: &str) -> bool {
    sql.len() <= 48
}

/// The first number that no variable has of those that pieces name: each depth has its own.
pub(crate) fn depth(values: &[&str]) -> usize {
    let is_named = |n: &usize| {
        let signs =
            [format!("v{n}."), format!("v{n}_"), format!("v{n} ->"), format!("lambda v{n}:"), format!(" AS v{n})")];
        values.iter().any(|value| signs.iter().any(|sign| value.contains(sign)))
    };
    (1..).take_while(is_named).count() + 1
}

/// A number of floating point rounded half to even, by comparing with the whole number below.
fn half_to_even(number: &str) -> String {
    let rest = format!("({number} - floor({number}))");
    let is_odd = format!("floor({number}) - 2 * floor(floor({number}) / 2) <> 0");
    format!("(floor({number}) + CASE WHEN {rest} > 0.5 OR ({rest} = 0.5 AND {is_odd}) THEN 1 ELSE 0 END)")
}

/// A key by which rows are ordered.
pub(crate) struct Key<'o> {
    pub sql: &'o str,
    /// Whether what is missing comes first of all.
    pub is_missing_first: bool,
}

/// The keys of an order, whichever way it goes.
pub(crate) fn keys(order: &str) -> Vec<Key<'_>> {
    let of = |key| {
        let key: &str = key;
        let (sql, is_missing_first) = match key.strip_suffix(" NULLS FIRST") {
            Some(sql) => (sql, true),
            None => (key, false),
        };
        let sql = sql.strip_suffix(" NULLS LAST").unwrap_or(sql);
        Key { sql: sql.strip_suffix(" DESC").unwrap_or(sql), is_missing_first }
    };
    order.split(", ").map(of).collect()
}
