//! BigQuery, written from its documentation and not run.

use super::{Called, Says, depth, is_short};
use crate::pattern::{self, Signs};
use crate::shape::Upserts;
use crate::source::Unit;
use crate::zone::Offsets;
use seg_data::{Element, Type};
use seg_hir::hir::ArithmeticOp;

pub(super) struct BigQuery;

impl Signs for BigQuery {
    fn sign(&self, c: char) -> String {
        pattern::hexadecimal(c)
    }

    fn repeated(&self, of: &str, min: u32, max: Option<u32>) -> Result<String, String> {
        pattern::repeated_in_re2(of, min, max)
    }

    fn start(&self) -> &'static str {
        "\\A"
    }

    fn end(&self) -> &'static str {
        "\\z"
    }

    fn boundary(&self) -> Result<&'static str, String> {
        Ok("\\b")
    }
}

/// A function that gives NULL where the result does not fit.
fn safe(op: ArithmeticOp) -> &'static str {
    match op {
        ArithmeticOp::Add => "SAFE_ADD",
        ArithmeticOp::Subtract => "SAFE_SUBTRACT",
        ArithmeticOp::Multiply => "SAFE_MULTIPLY",
        ArithmeticOp::Divide => "SAFE_DIVIDE",
    }
}

/// Signs that no name of a column may have.
const NOT_IN_COLUMNS: &str = "!\"$()*,./;?@[\\]^`{}~";

impl Says for BigQuery {
    fn called(&self) -> &'static Called {
        &Called {
            text: "STRING",
            integer: "INT64",
            float: "FLOAT64",
            infinity: "inf",
            contains: "STRPOS",
            is_somewhere: " > 0",
            starts_with: "starts_with",
            ends_with: "ENDS_WITH",
        }
    }

    fn text(&self, text: &str) -> String {
        let escaped = text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r");
        format!("'{escaped}'")
    }

    fn ident(&self, name: &str) -> String {
        format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
    }

    fn materialized(&self) -> &'static str {
        ""
    }

    fn upserts(&self) -> Result<Upserts, &'static str> {
        Ok(Upserts { text: "STRING", instant: "TIMESTAMP", begin: "BEGIN TRANSACTION", commit: "COMMIT TRANSACTION" })
    }

    fn refuses_column(&self, name: &str) -> Option<&'static str> {
        name.contains(|c| NOT_IN_COLUMNS.contains(c))
            .then_some("BigQuery takes few signs in names of columns: ask for members instead")
    }

    fn refuses(&self, ty: &Type) -> Option<(&'static str, &'static str)> {
        match ty {
            Type::List(_) | Type::Records(_) => {
                Some(("a list", "BigQuery gives an empty array for a missing one, so that the two are the same there"))
            }
            Type::Boolean
            | Type::Integer
            | Type::Number
            | Type::Money
            | Type::Text
            | Type::Timestamp
            | Type::Date
            | Type::Duration => None,
        }
    }

    fn adds_in_order(&self) -> bool {
        false
    }

    fn instant(&self, column: &str, unit: Unit) -> String {
        match unit {
            Unit::Own | Unit::Cents => format!("UNIX_MICROS({column})"),
            Unit::Seconds => format!("(CAST({column} AS INT64) * 1000000)"),
            Unit::Milliseconds => format!("(CAST({column} AS INT64) * 1000)"),
            Unit::Microseconds => format!("CAST({column} AS INT64)"),
        }
    }

    fn day(&self, column: &str) -> String {
        format!("UNIX_DATE({column})")
    }

    fn money(&self, column: &str, unit: Unit) -> String {
        match unit {
            Unit::Cents => format!("(CAST({column} AS INT64) * 100)"),
            Unit::Own | Unit::Seconds | Unit::Milliseconds | Unit::Microseconds => {
                format!("CAST(CAST({column} AS BIGNUMERIC) * 10000 AS INT64)")
            }
        }
    }

    fn list(&self, column: &str, _: Element) -> String {
        column.to_owned()
    }

    fn field(&self, record: &str, name: &str, _: &Type) -> String {
        format!("{record}.{}", self.ident(name))
    }

    fn missing(&self, ty: &Type) -> String {
        let name = match ty {
            Type::Boolean => "BOOL",
            Type::Integer | Type::Money | Type::Timestamp | Type::Date | Type::Duration => "INT64",
            Type::Number => "FLOAT64",
            Type::Text => "STRING",
            Type::List(_) | Type::Records(_) => return "NULL".to_owned(),
        };
        format!("CAST(NULL AS {name})")
    }

    fn unnest(&self, from: &str, key: &str, list: &str, _: bool) -> String {
        format!("(SELECT {key} AS key, it, pos FROM {from}, UNNEST({list}) AS it WITH OFFSET AS pos)")
    }

    fn last_of(&self, value: &str, order: &str, filter: &str, _: &Type) -> String {
        format!(
            "ARRAY_AGG(IF({filter}, STRUCT({value} AS v), NULL) IGNORE NULLS ORDER BY {order} LIMIT 1)[SAFE_OFFSET(0)].v"
        )
    }

    fn nth(&self, instant: &str, is_last: bool, n: u32, filter: &str) -> String {
        let order = if is_last { " DESC" } else { "" };
        format!(
            "ARRAY_AGG(IF({filter}, {instant}, NULL) IGNORE NULLS ORDER BY {instant}{order} LIMIT {n})[SAFE_OFFSET({})]",
            n.saturating_sub(1)
        )
    }

    fn ordered_sum(&self, number: &str, _: &str, filter: &str) -> String {
        format!("sum(IF({filter}, {number}, NULL))")
    }

    fn total(&self, value: &str) -> String {
        format!("sum(CAST({value} AS BIGNUMERIC))")
    }

    fn bind(&self, values: &[&str], body: &dyn Fn(&[&str]) -> String) -> String {
        if values.iter().all(|value| is_short(value)) {
            return body(values);
        }
        let depth = depth(values);
        let fields: Vec<String> = values.iter().enumerate().map(|(at, value)| format!("{value} AS x{at}")).collect();
        let names: Vec<String> = (0..values.len()).map(|at| format!("v{depth}.x{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("(SELECT {} FROM (SELECT {}) AS v{depth})", body(&names), fields.join(", "))
    }

    fn wide(&self, integer: &str) -> String {
        format!("CAST({integer} AS BIGNUMERIC)")
    }

    fn narrow(&self, wide: &str) -> String {
        format!("SAFE_CAST({wide} AS INT64)")
    }

    fn combine(&self, op: ArithmeticOp, left: &str, right: &str) -> String {
        match op {
            ArithmeticOp::Divide => self.half_even(left, right),
            ArithmeticOp::Add | ArithmeticOp::Subtract | ArithmeticOp::Multiply => {
                format!("{}({left}, {right})", safe(op))
            }
        }
    }

    fn quotient(&self, wide: &str, by: &str) -> String {
        format!("DIV({wide}, {by})")
    }

    fn remainder(&self, of: &str, by: &str) -> String {
        format!("MOD({of}, {by})")
    }

    fn whole(&self, number: &str) -> String {
        format!("SAFE_CAST({number} AS BIGNUMERIC)")
    }

    fn calculate(&self, op: ArithmeticOp, left: &str, right: &str) -> String {
        format!("{}({left}, {right})", safe(op))
    }

    fn radians(&self, degrees: &str) -> String {
        format!("({degrees} * {})", self.number(std::f64::consts::PI / 180.0))
    }

    fn unless_infinite(&self, number: &str) -> String {
        number.to_owned()
    }

    fn step(&self, op: ArithmeticOp, left: &str, right: &str) -> String {
        self.calculate(op, left, right)
    }

    fn is_finite(&self, number: &str) -> String {
        format!("NOT IS_NAN({number}) AND NOT IS_INF({number})")
    }

    fn matches(&self, text: &str, pattern: &str) -> String {
        format!("REGEXP_CONTAINS({text}, {})", self.text(pattern))
    }

    fn sample(&self, name: &str, id: &str) -> String {
        let bytes = format!("CONCAT(CAST({} AS BYTES), b'\\x00', CAST({id} AS BYTES))", self.text(name));
        format!("SUBSTR(TO_HEX(MD5({bytes})), 1, 8)")
    }

    fn offset(&self, instant: &str, offsets: &Offsets) -> String {
        if offsets.is_fixed() {
            return offsets.first.to_string();
        }
        let (all, from) = offsets.lists();
        format!("[{all}][OFFSET((SELECT COUNTIF(w <= {instant}) FROM UNNEST([{from}]) AS w))]")
    }

    fn plus_months(&self, day: &str, months: i64) -> String {
        format!("UNIX_DATE(DATE_ADD(DATE_FROM_UNIX_DATE({day}), INTERVAL {months} MONTH))")
    }

    fn part(&self, part: &str, day: &str) -> String {
        format!("EXTRACT({part} FROM DATE_FROM_UNIX_DATE({day}))")
    }

    fn make_day(&self, year: &str, month: &str, day: &str) -> String {
        format!("UNIX_DATE(DATE({year}, {month}, {day}))")
    }

    fn has(&self, list: &str, item: &str) -> String {
        format!("{item} IN UNNEST({list})")
    }

    fn length(&self, list: &str, _: bool) -> String {
        format!("ARRAY_LENGTH({list})")
    }

    fn map_texts(&self, list: &str, of: &dyn Fn(&str) -> String) -> String {
        format!("ARRAY(SELECT {} FROM UNNEST({list}) AS x)", of("x"))
    }
}
