//! People written down as JSON, as tables of a database, and a database that answers.

use crate::people::Rows;
use crate::root;
use seg::{Date, Schema, Timestamp, Zone};
use seg_data::schema::Field;
use seg_data::{Element, Type};
use seg_sql::{Column, Dialect, Events, Named, Profiles, Source};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Tables with some people in them.
pub struct Tables {
    /// Statements that make them.
    pub setup: Vec<String>,
    /// How they are described.
    pub source: Source,
}

/// Whether all events are in one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// They are, where no two properties of one name have two types.
    OneTable,
    /// There is a table an event.
    TableAnEvent,
}

impl Tables {
    /// The tables of some people; none where ids are merged, which a view has to do.
    pub fn of(
        lines: &str,
        (schema, zone, now): (&Schema, Option<Zone>, Timestamp),
        dialect: Dialect,
        layout: Layout,
    ) -> Option<Tables> {
        let rows = Rows::of(lines, now);
        if !rows.merges.is_empty() {
            return None;
        }
        let writer = Writer { dialect, zone };
        let mut setup = Vec::new();
        let profiles: Vec<Map<String, Value>> = rows.profiles.iter().map(|(_, row)| object(row)).collect();
        let mut columns = vec![Cells::text("seg id"), Cells::instant("seg time")];
        columns.extend(schema.attributes.iter().map(|field| Cells {
            key: field.name.clone(),
            name: field.name.clone(),
            ty: field.ty.clone(),
        }));
        setup.extend(writer.table("people", &columns, &profiles, &[("seg id", "id"), ("seg time", "time")]));
        let events: Vec<Map<String, Value>> = rows.events.iter().map(|(_, row)| object(row)).collect();
        let arrivals: Vec<usize> = (0..events.len()).collect();
        let layout = if properties(schema).is_none() { Layout::TableAnEvent } else { layout };
        let mut tables = Vec::new();
        let own = |name: &str, event: Named| Events {
            table: name.to_owned(),
            event,
            id: "seg id".to_owned(),
            time: Column::own("seg time"),
            arrival: Some("arrived".to_owned()),
            has_unique_ids: false,
            columns: BTreeMap::new(),
        };
        let head = || vec![Cells::text("seg id"), Cells::text("seg event"), Cells::instant("seg time")];
        let keys = [("seg id", "id"), ("seg event", "event"), ("seg time", "time")];
        match (layout, properties(schema)) {
            (Layout::OneTable, Some(all)) => {
                let mut columns = head();
                columns.extend(all.into_iter().map(|field| Cells {
                    key: field.name.clone(),
                    name: field.name.clone(),
                    ty: field.ty.clone(),
                }));
                setup.extend(writer.numbered("happened", &columns, (&events, &arrivals), &keys));
                tables.push(own("happened", Named::By("seg event".to_owned())));
            }
            _ => {
                for (at, event) in schema.events.iter().enumerate() {
                    let mut columns = head();
                    columns.extend(event.properties.iter().map(|field| Cells {
                        key: field.name.clone(),
                        name: field.name.clone(),
                        ty: field.ty.clone(),
                    }));
                    let is_own =
                        |row: &Map<String, Value>| row.get("event").and_then(Value::as_str) == Some(&event.name);
                    let of: Vec<usize> = arrivals.iter().copied().filter(|at| is_own(&events[*at])).collect();
                    let those: Vec<Map<String, Value>> = of.iter().map(|at| events[*at].clone()).collect();
                    let name = format!("happened {at}");
                    setup.extend(writer.numbered(&name, &columns, (&those, &of), &keys));
                    tables.push(own(&name, Named::Always(event.name.clone())));
                }
            }
        }
        let profiles = Profiles {
            table: "people".to_owned(),
            id: "seg id".to_owned(),
            time: rows.has_times.then(|| Column::own("seg time")),
            arrival: Some("arrived".to_owned()),
            are_snapshots: false,
            columns: BTreeMap::new(),
        };
        let source = Source { profiles: Some(profiles), events: tables, lists: BTreeMap::new(), are_ids_united: false };
        Some(Tables { setup, source })
    }
}

fn object(row: &str) -> Map<String, Value> {
    serde_json::from_str(row).unwrap_or_else(|e| panic!("{e} in {row}"))
}

/// The properties of all events, unless two of one name have two types.
fn properties(schema: &Schema) -> Option<Vec<&Field>> {
    let mut all: Vec<&Field> = Vec::new();
    for field in schema.events.iter().flat_map(|event| &event.properties) {
        match all.iter().find(|other| other.name.eq_ignore_ascii_case(&field.name)) {
            Some(other) if other.ty != field.ty || other.name != field.name => return None,
            Some(_) => {}
            None => all.push(field),
        }
    }
    Some(all)
}

/// A column.
struct Cells {
    key: String,
    name: String,
    ty: Type,
}

impl Cells {
    fn text(name: &str) -> Cells {
        Cells { key: name.to_owned(), name: name.to_owned(), ty: Type::Text }
    }

    fn instant(name: &str) -> Cells {
        Cells { ty: Type::Timestamp, ..Cells::text(name) }
    }
}

/// Writes values as a dialect has them.
struct Writer {
    dialect: Dialect,
    zone: Option<Zone>,
}

impl Writer {
    fn table(&self, name: &str, columns: &[Cells], rows: &[Map<String, Value>], keys: &[(&str, &str)]) -> Vec<String> {
        let numbers: Vec<usize> = (0..rows.len()).collect();
        self.numbered(name, columns, (rows, &numbers), keys)
    }

    /// A table whose rows arrived in the order of some numbers.
    fn numbered(
        &self,
        name: &str,
        columns: &[Cells],
        (rows, numbers): (&[Map<String, Value>], &[usize]),
        keys: &[(&str, &str)],
    ) -> Vec<String> {
        let quoted = |name: &str| self.quoted(name);
        let value = |column: &Cells, row: &Map<String, Value>| {
            let key = keys.iter().find(|(name, _)| *name == column.key).map_or(column.key.as_str(), |(_, key)| key);
            self.cell(found(row, key), &column.ty)
        };
        let tuples: Vec<String> = rows
            .iter()
            .zip(numbers)
            .map(|(row, number)| {
                let cells: Vec<String> = columns.iter().map(|column| value(column, row)).collect();
                format!("({}, {number})", cells.join(", "))
            })
            .collect();
        if self.dialect == Dialect::Spark {
            return vec![self.view(name, columns, &tuples)];
        }
        let declared: Vec<String> =
            columns.iter().map(|c| format!("{} {}", quoted(&c.name), self.type_name(&c.ty))).collect();
        let engine = if self.dialect == Dialect::ClickHouse { " ENGINE = Memory" } else { "" };
        let table = format!("CREATE TABLE {} ({}, arrived BIGINT){engine}", quoted(name), declared.join(", "));
        let mut statements = vec![table];
        for some in tuples.chunks(500) {
            statements.push(format!("INSERT INTO {} VALUES {}", self.quoted(name), some.join(",\n")));
        }
        statements
    }

    /// The rows as a view, whose columns have their types by what is in them.
    fn view(&self, name: &str, columns: &[Cells], tuples: &[String]) -> String {
        let names: Vec<String> = columns.iter().map(|c| self.quoted(&c.name)).collect();
        let nulls: Vec<String> = columns.iter().map(|c| format!("CAST(NULL AS {})", self.type_name(&c.ty))).collect();
        // The first row says what types there are, and is none.
        let none = format!("({}, CAST(NULL AS BIGINT))", nulls.join(", "));
        let rows: Vec<&str> = std::iter::once(none.as_str()).chain(tuples.iter().map(String::as_str)).collect();
        format!(
            "CREATE OR REPLACE TEMPORARY VIEW {} AS SELECT * FROM VALUES {} AS t({}, arrived) WHERE arrived IS NOT NULL",
            self.quoted(name),
            rows.join(",\n"),
            names.join(", ")
        )
    }

    fn quoted(&self, name: &str) -> String {
        match self.dialect {
            Dialect::DuckDb | Dialect::Postgres | Dialect::ClickHouse | Dialect::Snowflake | Dialect::BigQuery => {
                quoted(name)
            }
            Dialect::Spark => format!("`{name}`"),
        }
    }

    fn literal(&self, text: &str) -> String {
        match self.dialect {
            Dialect::DuckDb | Dialect::Postgres | Dialect::Snowflake | Dialect::BigQuery => literal(text),
            Dialect::ClickHouse | Dialect::Spark => {
                format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
            }
        }
    }

    fn type_name(&self, ty: &Type) -> String {
        match self.dialect {
            Dialect::DuckDb | Dialect::Postgres | Dialect::Snowflake | Dialect::BigQuery => self.own_type_name(ty),
            Dialect::ClickHouse => {
                let name = match ty {
                    Type::Boolean => "Bool",
                    Type::Integer | Type::Duration => "Int64",
                    Type::Number => "Float64",
                    Type::Money => "Decimal(19,4)",
                    Type::Timestamp => "DateTime64(6, 'UTC')",
                    // Its own days end in 2299.
                    Type::Date => "Int32",
                    Type::Text | Type::List(_) | Type::Records(_) => "String",
                };
                format!("Nullable({name})")
            }
            Dialect::Spark => match ty {
                Type::Boolean => "BOOLEAN".to_owned(),
                Type::Integer | Type::Duration => "BIGINT".to_owned(),
                Type::Number => "DOUBLE".to_owned(),
                Type::Money => "DECIMAL(19,4)".to_owned(),
                Type::Timestamp => "TIMESTAMP".to_owned(),
                Type::Date => "DATE".to_owned(),
                Type::Text => "STRING".to_owned(),
                Type::List(of) => format!("ARRAY<{}>", self.type_name(&of.ty())),
                Type::Records(fields) => {
                    let fields: Vec<String> =
                        fields.iter().map(|(name, ty)| format!("`{name}`: {}", self.type_name(ty))).collect();
                    format!("ARRAY<STRUCT<{}>>", fields.join(", "))
                }
            },
        }
    }

    fn own_type_name(&self, ty: &Type) -> String {
        let is_duckdb = self.dialect == Dialect::DuckDb;
        match ty {
            Type::Boolean => "BOOLEAN".to_owned(),
            Type::Integer | Type::Duration => "BIGINT".to_owned(),
            Type::Number => "DOUBLE PRECISION".to_owned(),
            Type::Money => "DECIMAL(19,4)".to_owned(),
            Type::Text => if is_duckdb { "VARCHAR" } else { "TEXT" }.to_owned(),
            Type::Timestamp => "TIMESTAMPTZ".to_owned(),
            Type::Date => "DATE".to_owned(),
            Type::List(of) => format!("{}[]", self.type_name(&of.ty())),
            Type::Records(fields) if is_duckdb => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, ty)| format!("{} {}", quoted(name), self.type_name(ty))).collect();
                format!("STRUCT({})[]", fields.join(", "))
            }
            Type::Records(_) => "JSONB".to_owned(),
        }
    }

    /// A number of floating point.
    fn number(&self, text: &str) -> String {
        match self.dialect {
            Dialect::DuckDb | Dialect::Postgres | Dialect::Snowflake | Dialect::BigQuery => {
                format!("CAST('{text}' AS DOUBLE PRECISION)")
            }
            Dialect::Spark => format!("CAST('{text}' AS DOUBLE)"),
            Dialect::ClickHouse => {
                let number: f64 = text.parse().unwrap_or_else(|_| panic!("{text} is no number"));
                format!("reinterpretAsFloat64(toUInt64({}))", number.to_bits())
            }
        }
    }

    fn money(&self, text: &str) -> String {
        match self.dialect {
            Dialect::DuckDb | Dialect::Postgres | Dialect::Spark | Dialect::Snowflake | Dialect::BigQuery => {
                format!("CAST('{text}' AS DECIMAL(19,4))")
            }
            Dialect::ClickHouse => format!("toDecimal128('{text}', 4)"),
        }
    }

    fn instant(&self, at: Timestamp) -> String {
        match self.dialect {
            Dialect::DuckDb | Dialect::Postgres | Dialect::Snowflake | Dialect::BigQuery => {
                format!("TIMESTAMPTZ '{at}'")
            }
            Dialect::ClickHouse => format!("fromUnixTimestamp64Micro(toInt64({}), 'UTC')", at.0),
            Dialect::Spark => format!("timestamp_micros({})", at.0),
        }
    }

    fn day(&self, day: Date) -> String {
        match self.dialect {
            Dialect::DuckDb | Dialect::Postgres | Dialect::Snowflake | Dialect::BigQuery => format!("DATE '{day}'"),
            Dialect::ClickHouse => day.0.to_string(),
            Dialect::Spark => format!("date_from_unix_date({})", day.0),
        }
    }

    /// A value as its type has it.
    fn cell(&self, value: Option<&Value>, ty: &Type) -> String {
        let missing = || match self.dialect {
            Dialect::DuckDb | Dialect::Postgres | Dialect::ClickHouse | Dialect::Snowflake | Dialect::BigQuery => {
                "NULL".to_owned()
            }
            Dialect::Spark => format!("CAST(NULL AS {})", self.type_name(ty)),
        };
        let literal = |text: &str| self.literal(text);
        let value = match value {
            None | Some(Value::Null) => return missing(),
            Some(value) => value,
        };
        let text = || match value {
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        match ty {
            Type::Text => match value {
                Value::String(text) => literal(text),
                other => literal(&other.to_string()),
            },
            _ if text().is_empty() => missing(),
            Type::Boolean => text(),
            Type::Integer | Type::Duration => match text().parse::<i64>() {
                Ok(n) => n.to_string(),
                Err(_) => {
                    format!("{}", text().parse::<f64>().unwrap_or_else(|_| panic!("{value} is no integer")) as i64)
                }
            },
            Type::Number => self.number(&text()),
            Type::Money => self.money(&text()),
            Type::Timestamp => {
                let at = Timestamp::parse(&text(), self.zone)
                    .or_else(|| Some(self.zone.unwrap_or(Zone::UTC).start_of_day(Date::parse(&text())?)));
                self.instant(at.unwrap_or_else(|| panic!("{value} is no instant")))
            }
            Type::Date => {
                let day = Date::parse(&text()).or_else(|| {
                    let at = Timestamp::parse(&text(), self.zone)?;
                    Some(self.zone.unwrap_or(Zone::UTC).date(at))
                });
                self.day(day.unwrap_or_else(|| panic!("{value} is no day")))
            }
            // Nothing reads lists there.
            Type::List(_) | Type::Records(_) if self.dialect == Dialect::ClickHouse => literal(&value.to_string()),
            Type::List(of) => self.list(value, *of),
            Type::Records(fields) if self.dialect == Dialect::Spark => {
                let records = value.as_array().into_iter().flatten().filter_map(Value::as_object).map(|record| {
                    let fields: Vec<String> = fields
                        .iter()
                        .map(|(name, ty)| format!("{}, {}", literal(name), self.cell(record.get(name), ty)))
                        .collect();
                    format!("named_struct({})", fields.join(", "))
                });
                format!("CAST(array({}) AS {})", records.collect::<Vec<_>>().join(", "), self.type_name(ty))
            }
            Type::Records(fields) if self.dialect == Dialect::DuckDb => {
                let records = value.as_array().into_iter().flatten().filter_map(Value::as_object).map(|record| {
                    let fields: Vec<String> = fields
                        .iter()
                        .map(|(name, ty)| format!("{}: {}", literal(name), self.cell(record.get(name), ty)))
                        .collect();
                    format!("{{{}}}", fields.join(", "))
                });
                format!("CAST([{}] AS {})", records.collect::<Vec<_>>().join(", "), self.type_name(ty))
            }
            Type::Records(_) => format!("CAST({} AS JSONB)", literal(&value.to_string())),
        }
    }

    fn list(&self, value: &Value, of: Element) -> String {
        let items: Vec<String> =
            value.as_array().into_iter().flatten().map(|item| self.cell(Some(item), &of.ty())).collect();
        let items = items.join(", ");
        let items = match self.dialect {
            Dialect::DuckDb | Dialect::ClickHouse => format!("[{items}]"),
            Dialect::Postgres | Dialect::Snowflake | Dialect::BigQuery => format!("ARRAY[{items}]"),
            Dialect::Spark => format!("array({items})"),
        };
        format!("CAST({items} AS {})", self.type_name(&Type::List(of)))
    }
}

/// A value of a row, perhaps inside of others.
fn found<'r>(row: &'r Map<String, Value>, key: &str) -> Option<&'r Value> {
    row.get(key).or_else(|| {
        let (first, rest) = key.split_once('.')?;
        found(row.get(first)?.as_object()?, rest)
    })
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A database behind a script.
pub struct Warehouse {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Warehouse {
    /// Starts one where the environment names what it needs: the Python with the drivers of
    /// DuckDB and PostgreSQL in `SEG_SQL_PYTHON`, for PostgreSQL its address in
    /// `SEG_SQL_POSTGRES`, and the Pythons with ClickHouse and Spark in `SEG_SQL_CLICKHOUSE` and
    /// `SEG_SQL_SPARK`.
    pub fn start(dialect: Dialect) -> Option<Warehouse> {
        let named = |name: &str| std::env::var(name).ok();
        let (python, address) = match dialect {
            Dialect::DuckDb => (named("SEG_SQL_PYTHON")?, String::new()),
            Dialect::Postgres => (named("SEG_SQL_PYTHON")?, named("SEG_SQL_POSTGRES")?),
            Dialect::ClickHouse => (named("SEG_SQL_CLICKHOUSE")?, String::new()),
            Dialect::Spark => (named("SEG_SQL_SPARK")?, String::new()),
            Dialect::Snowflake | Dialect::BigQuery => return None,
        };
        let mut command = Command::new(python);
        command.arg(root().join("tests/warehouse.py")).arg(dialect.name()).arg(address);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python runs");
        let (input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        Some(Warehouse { child, input, output: BufReader::new(output) })
    }

    /// The rows of a query, of fresh tables where `setup` makes some.
    ///
    /// # Errors
    /// What the database says.
    pub fn rows(&mut self, setup: Option<&[String]>, query: &str) -> Result<Vec<(String, Vec<bool>)>, String> {
        let mut request = serde_json::json!({ "query": query });
        if let Some(setup) = setup {
            request["setup"] = serde_json::json!(setup);
        }
        writeln!(self.input, "{request}").expect("the script reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the script answers");
        let answer: Value = serde_json::from_str(&line).map_err(|e| format!("{e}: `{line}`"))?;
        if let Some(error) = answer["error"].as_str() {
            return Err(error.to_owned());
        }
        let rows = answer["rows"].as_array().ok_or("no rows")?;
        let row = |row: &Value| {
            let cells = row.as_array()?;
            let id = cells.first()?.as_str()?.to_owned();
            Some((id, cells.iter().skip(1).map(|cell| cell.as_bool() == Some(true)).collect()))
        };
        // Not known is no answer.
        if rows.iter().filter_map(Value::as_array).flatten().any(Value::is_null) {
            return Err("an answer is NULL".to_owned());
        }
        Ok(rows.iter().filter_map(row).collect())
    }
}

impl Drop for Warehouse {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
