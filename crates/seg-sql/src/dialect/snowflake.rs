//! Snowflake, written from its documentation and not run.

use super::{Called, Says};
use crate::pattern::{Signs, count};
use crate::shape::Upserts;
use crate::source::Unit;
use crate::zone::Offsets;
use seg_data::{Element, Type};
use seg_hir::hir::ArithmeticOp;

pub(super) struct Snowflake;

impl Signs for Snowflake {
    fn sign(&self, c: char) -> String {
        if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() }
    }

    fn group(&self) -> &'static str {
        "("
    }

    fn repeated(&self, of: &str, min: u32, max: Option<u32>) -> Result<String, String> {
        Ok(format!("{of}{}", count(min, max)))
    }

    fn start(&self) -> &'static str {
        "^"
    }

    fn end(&self) -> &'static str {
        "$"
    }

    fn boundary(&self) -> Result<&'static str, String> {
        Err("Snowflake's patterns do not know where words of ASCII letters end".to_owned())
    }
}

/// The type of whole numbers, of which there is one.
const WHOLE: &str = "NUMBER(38,0)";

/// A day as a date.
fn date(day: &str) -> String {
    format!("DATEADD(day, {day}, DATE '1970-01-01')")
}

/// A date as a day.
fn days(date: &str) -> String {
    format!("DATEDIFF(day, DATE '1970-01-01', {date})")
}

impl Snowflake {
    fn type_name(ty: &Type) -> &'static str {
        match ty {
            Type::Boolean => "BOOLEAN",
            Type::Integer | Type::Money | Type::Timestamp | Type::Date | Type::Duration => WHOLE,
            Type::Number => "FLOAT",
            Type::Text => "VARCHAR",
            Type::List(_) | Type::Records(_) => "ARRAY",
        }
    }
}

impl Says for Snowflake {
    fn called(&self) -> &'static Called {
        &Called {
            text: "VARCHAR",
            integer: WHOLE,
            float: "FLOAT",
            infinity: "inf",
            contains: "CONTAINS",
            is_somewhere: "",
            starts_with: "STARTSWITH",
            ends_with: "ENDSWITH",
        }
    }

    fn text(&self, text: &str) -> String {
        format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
    }

    fn materialized(&self) -> &'static str {
        ""
    }

    fn names_values(&self) -> bool {
        false
    }

    fn upserts(&self) -> Result<Upserts, &'static str> {
        Ok(Upserts { text: "VARCHAR", instant: "TIMESTAMP_TZ", begin: "BEGIN", commit: "COMMIT" })
    }

    fn instant(&self, column: &str, unit: Unit) -> String {
        match unit {
            Unit::Own | Unit::Cents => format!("DATE_PART(epoch_microsecond, {column})"),
            Unit::Seconds => format!("(CAST({column} AS {WHOLE}) * 1000000)"),
            Unit::Milliseconds => format!("(CAST({column} AS {WHOLE}) * 1000)"),
            Unit::Microseconds => format!("CAST({column} AS {WHOLE})"),
        }
    }

    fn day(&self, column: &str) -> String {
        days(column)
    }

    fn money(&self, column: &str, unit: Unit) -> String {
        match unit {
            Unit::Cents => format!("(CAST({column} AS {WHOLE}) * 100)"),
            Unit::Own | Unit::Seconds | Unit::Milliseconds | Unit::Microseconds => {
                format!("CAST(CAST({column} AS NUMBER(38,4)) * 10000 AS {WHOLE})")
            }
        }
    }

    fn list(&self, column: &str, of: Element) -> String {
        let (item, holds) = match of {
            Element::Text => ("CAST(x AS VARCHAR)".to_owned(), "CAST(x AS VARCHAR) <> ''"),
            Element::Integer => (format!("CAST(x AS {WHOLE})"), "true"),
            Element::Number => ("CAST(x AS FLOAT) + 0".to_owned(), "abs(CAST(x AS FLOAT)) < CAST('inf' AS FLOAT)"),
            Element::Timestamp => ("DATE_PART(epoch_microsecond, CAST(x AS TIMESTAMP_TZ))".to_owned(), "true"),
        };
        format!("TRANSFORM(FILTER({column}, x -> NOT IS_NULL_VALUE(x) AND {holds}), x -> {item})")
    }

    fn field(&self, record: &str, name: &str, ty: &Type) -> String {
        let name_of = match ty {
            Type::Timestamp => "TIMESTAMP_TZ",
            Type::Date => "DATE",
            Type::Money => "NUMBER(38,4)",
            Type::Boolean
            | Type::Integer
            | Type::Number
            | Type::Text
            | Type::Duration
            | Type::List(_)
            | Type::Records(_) => Snowflake::type_name(ty),
        };
        format!("CAST(GET({record}, {}) AS {name_of})", self.text(name))
    }

    fn missing(&self, ty: &Type) -> String {
        format!("CAST(NULL AS {})", Snowflake::type_name(ty))
    }

    fn unnest(&self, from: &str, key: &str, list: &str, _: bool) -> String {
        format!(
            "(SELECT {key} AS key, x.value AS it, x.index AS pos FROM {from}, LATERAL FLATTEN(INPUT => {list}) AS x)"
        )
    }

    fn last_of(&self, value: &str, order: &str, filter: &str, ty: &Type) -> String {
        // What is missing is left out of arrays, unless it is in one itself.
        let all =
            format!("ARRAY_AGG(CASE WHEN {filter} THEN ARRAY_CONSTRUCT({value}) END) WITHIN GROUP (ORDER BY {order})");
        format!("CAST(GET(GET({all}, 0), 0) AS {})", Snowflake::type_name(ty))
    }

    fn nth(&self, instant: &str, is_last: bool, n: u32, filter: &str) -> String {
        let order = if is_last { " DESC" } else { "" };
        let all = format!("ARRAY_AGG(CASE WHEN {filter} THEN {instant} END) WITHIN GROUP (ORDER BY {instant}{order})");
        format!("CAST(GET({all}, {}) AS {WHOLE})", n.saturating_sub(1))
    }

    fn ordered_sum(&self, number: &str, order: &str, filter: &str) -> String {
        let all = format!("ARRAY_AGG(CASE WHEN {filter} THEN {number} END) WITHIN GROUP (ORDER BY {order})");
        format!("REDUCE({all}, CAST(0 AS FLOAT), (a, b) -> a + CAST(b AS FLOAT))")
    }

    fn bind(&self, values: &[&str], body: &dyn Fn(&[&str]) -> String) -> String {
        body(values)
    }

    fn wide(&self, integer: &str) -> String {
        format!("CAST({integer} AS {WHOLE})")
    }

    fn narrow(&self, wide: &str) -> String {
        format!("CASE WHEN {wide} BETWEEN {} AND {} THEN {wide} END", i64::MIN, i64::MAX)
    }

    fn combine(&self, op: ArithmeticOp, left: &str, right: &str) -> String {
        let sign = match op {
            ArithmeticOp::Add => "+",
            ArithmeticOp::Subtract => "-",
            ArithmeticOp::Multiply => "*",
            ArithmeticOp::Divide => return self.half_even(left, right),
        };
        format!("({left} {sign} {right})")
    }

    fn quotient(&self, wide: &str, by: &str) -> String {
        // Without a rest, so that all places behind the point are zeros.
        format!("CAST({wide} / {by} AS {WHOLE})")
    }

    fn whole(&self, number: &str) -> String {
        format!("CAST({number} AS {WHOLE})")
    }

    fn is_finite(&self, number: &str) -> String {
        // Not a number is more than all numbers.
        format!("abs({number}) < {}", self.infinity(""))
    }

    fn matches(&self, text: &str, pattern: &str) -> String {
        // `REGEXP_LIKE` would want the whole text.
        format!("REGEXP_INSTR({text}, {}) > 0", self.text(pattern))
    }

    fn sample(&self, name: &str, id: &str) -> String {
        format!("SUBSTR(MD5(CONCAT({}, CHR(0), {id})), 1, 8)", self.text(name))
    }

    fn offset(&self, instant: &str, offsets: &Offsets) -> String {
        offsets.halved(instant)
    }

    fn plus_months(&self, day: &str, months: i64) -> String {
        // `ADD_MONTHS` goes from the end of a month to the end of another.
        days(&format!("DATEADD(month, {months}, {})", date(day)))
    }

    fn part(&self, part: &str, day: &str) -> String {
        format!("DATE_PART({part}, {})", date(day))
    }

    fn make_day(&self, year: &str, month: &str, day: &str) -> String {
        days(&format!("DATE_FROM_PARTS({year}, {month}, {day})"))
    }

    fn has(&self, list: &str, item: &str) -> String {
        format!("ARRAY_CONTAINS(CAST({item} AS VARIANT), {list})")
    }

    fn length(&self, list: &str, _: bool) -> String {
        format!("ARRAY_SIZE({list})")
    }

    fn map_texts(&self, list: &str, of: &dyn Fn(&str) -> String) -> String {
        format!("TRANSFORM({list}, x -> {})", of("CAST(x AS VARCHAR)"))
    }
}
