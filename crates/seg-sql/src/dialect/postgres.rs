//! PostgreSQL.

use super::{Called, Says, depth, is_short};
use crate::pattern::{self, Signs, count};
use crate::shape::Upserts;
use crate::source::Unit;
use crate::zone::Offsets;
use seg_data::{Element, Type};
use seg_hir::hir::ArithmeticOp;

pub(super) struct Postgres;

/// Repetitions that its engine of patterns takes at once.
const REPEATS_MAX: u32 = 255;

impl Signs for Postgres {
    fn sign(&self, c: char) -> String {
        // No text holds a zero.
        format!("\\U{:08X}", u32::from(c).max(1))
    }

    fn repeated(&self, of: &str, min: u32, max: Option<u32>) -> Result<String, String> {
        if min <= REPEATS_MAX && max.is_none_or(|max| max <= REPEATS_MAX) {
            return Ok(format!("{of}{}", count(min, max)));
        }
        let pieces = |mut n: u32, sign: &dyn Fn(u32) -> String| {
            let mut text = String::new();
            while n > 0 {
                let some = n.min(REPEATS_MAX);
                text.push_str(&format!("{of}{}", sign(some)));
                n -= some;
            }
            text
        };
        let least = pieces(min, &|n| format!("{{{n}}}"));
        let rest = match max {
            None => format!("{of}*"),
            Some(max) => pieces(max.saturating_sub(min), &|n| format!("{{0,{n}}}")),
        };
        Ok(format!("(?:{least}{rest})"))
    }

    fn start(&self) -> &'static str {
        "\\A"
    }

    fn end(&self) -> &'static str {
        "\\Z"
    }

    /// Its own `\y` takes letters that are no ASCII for parts of words.
    fn boundary(&self) -> Result<&'static str, String> {
        Ok(pattern::ASCII_BOUNDARY)
    }
}

/// Of longer names PostgreSQL keeps the beginning.
const NAME_BYTES: usize = 63;
/// Half of what adding must stay below to have a sum.
const HALF_OF_LARGEST: &str = "8.98846567431158e307";

impl Says for Postgres {
    fn called(&self) -> &'static Called {
        &Called {
            text: "text",
            integer: "bigint",
            float: "double precision",
            infinity: "Infinity",
            contains: "strpos",
            is_somewhere: " > 0",
            starts_with: "starts_with",
            ends_with: "ends_with",
        }
    }

    fn materialized(&self) -> &'static str {
        "MATERIALIZED "
    }

    fn upserts(&self) -> Result<Upserts, &'static str> {
        Ok(Upserts { text: "text", instant: "timestamptz", begin: "BEGIN", commit: "COMMIT" })
    }

    fn refuses_column(&self, name: &str) -> Option<&'static str> {
        (name.len() > NAME_BYTES)
            .then_some("PostgreSQL cuts names of columns that are longer than 63 bytes: ask for members instead")
    }

    fn instant(&self, column: &str, unit: Unit) -> String {
        match unit {
            Unit::Own | Unit::Cents => format!("CAST(extract(epoch FROM {column}) * 1000000 AS bigint)"),
            Unit::Seconds => format!("CAST({column} AS bigint) * 1000000"),
            Unit::Milliseconds => format!("CAST({column} AS bigint) * 1000"),
            Unit::Microseconds => format!("CAST({column} AS bigint)"),
        }
    }

    fn day(&self, column: &str) -> String {
        format!("({column} - DATE '1970-01-01')")
    }

    fn money(&self, column: &str, unit: Unit) -> String {
        match unit {
            Unit::Cents => format!("CAST({column} AS bigint) * 100"),
            Unit::Own | Unit::Seconds | Unit::Milliseconds | Unit::Microseconds => {
                format!("CAST(CAST({column} AS numeric) * 10000 AS bigint)")
            }
        }
    }

    fn list(&self, column: &str, of: Element) -> String {
        let (item, condition) = match of {
            Element::Text => ("x".to_owned(), "x IS NOT NULL AND x <> ''"),
            Element::Integer => ("CAST(x AS bigint)".to_owned(), "x IS NOT NULL"),
            Element::Number => (
                "CAST(x AS double precision) + 0".to_owned(),
                "CAST(x AS double precision) NOT IN ('NaN', 'Infinity', '-Infinity')",
            ),
            Element::Timestamp => (self.instant("x", Unit::Own), "x IS NOT NULL"),
        };
        format!(
            "CASE WHEN {column} IS NOT NULL THEN ARRAY(SELECT {item} FROM unnest({column}) WITH ORDINALITY AS u(x, n) WHERE {condition} ORDER BY n) END"
        )
    }

    fn field(&self, record: &str, name: &str, ty: &Type) -> String {
        let text = format!("({record} ->> {})", self.text(name));
        match ty {
            Type::Boolean => format!("CAST({text} AS boolean)"),
            Type::Integer | Type::Duration => format!("CAST({text} AS bigint)"),
            Type::Number => format!("CAST({text} AS double precision)"),
            Type::Money => format!("CAST({text} AS numeric)"),
            Type::Timestamp => format!("CAST({text} AS timestamptz)"),
            Type::Date => format!("CAST({text} AS date)"),
            Type::Text | Type::List(_) | Type::Records(_) => text,
        }
    }

    fn missing(&self, ty: &Type) -> String {
        let name = match ty {
            Type::Boolean => "boolean",
            Type::Integer | Type::Money | Type::Timestamp | Type::Duration => "bigint",
            Type::Date => "integer",
            Type::Number => "double precision",
            Type::Text => "text",
            Type::List(Element::Text) => "text[]",
            Type::List(Element::Integer | Element::Timestamp) => "bigint[]",
            Type::List(Element::Number) => "double precision[]",
            Type::Records(_) => "jsonb",
        };
        format!("CAST(NULL AS {name})")
    }

    fn unnest(&self, from: &str, key: &str, list: &str, is_records: bool) -> String {
        let function = if is_records { "jsonb_array_elements" } else { "unnest" };
        format!(
            "(SELECT {key} AS key, x.it, x.pos FROM {from} CROSS JOIN LATERAL {function}({list}) WITH ORDINALITY AS x(it, pos))"
        )
    }

    fn last_of(&self, value: &str, order: &str, filter: &str, ty: &Type) -> String {
        let last = |value: &str| format!("(array_agg({value} ORDER BY {order}) FILTER (WHERE {filter}))[1]");
        // Lists of different lengths make no list of lists.
        let list = match ty {
            Type::List(Element::Text) => "text[]",
            Type::List(Element::Integer | Element::Timestamp) => "bigint[]",
            Type::List(Element::Number) => "double precision[]",
            Type::Boolean
            | Type::Integer
            | Type::Number
            | Type::Money
            | Type::Text
            | Type::Timestamp
            | Type::Date
            | Type::Duration
            | Type::Records(_) => return last(value),
        };
        format!("CAST({} AS {list})", last(&format!("CAST({value} AS text)")))
    }

    fn ordered_sum(&self, number: &str, order: &str, filter: &str) -> String {
        format!("coalesce(sum({number} ORDER BY {order}) FILTER (WHERE {filter}), 0)")
    }

    fn bind(&self, values: &[&str], body: &dyn Fn(&[&str]) -> String) -> String {
        if values.iter().all(|value| is_short(value)) {
            return body(values);
        }
        let depth = depth(values);
        let fields: Vec<String> = values.iter().enumerate().map(|(at, value)| format!("{value} AS x{at}")).collect();
        let names: Vec<String> = (0..values.len()).map(|at| format!("v{depth}.x{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // Without the offset the text would be put in wherever it is named.
        format!("(SELECT {} FROM (SELECT {} OFFSET 0) AS v{depth})", body(&names), fields.join(", "))
    }

    fn wide(&self, integer: &str) -> String {
        format!("CAST({integer} AS numeric)")
    }

    fn narrow(&self, wide: &str) -> String {
        self.bind(&[wide], &|named| {
            let [wide] = named else { return String::new() };
            format!("CASE WHEN {wide} BETWEEN {} AND {} THEN CAST({wide} AS bigint) END", i64::MIN, i64::MAX)
        })
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
        format!("div({wide}, {by})")
    }

    fn floor(&self, integer: &str, by: &str) -> String {
        self.bind(&[integer], &|named| {
            let [integer] = named else { return String::new() };
            format!("(({integer} - ((({integer} % {by}) + {by}) % {by})) / {by})")
        })
    }

    fn whole(&self, number: &str) -> String {
        // What is turned into a decimal keeps 15 digits, so that it is done in two halves.
        self.bind(&[number], &|named| {
            let [number] = named else { return String::new() };
            let two_63 = self.number(9_223_372_036_854_775_808.0);
            let high = format!("trunc({number} / {two_63})");
            format!(
                "(CAST(CAST({high} AS bigint) AS numeric) * 9223372036854775808 + CAST(CAST({number} - {high} * {two_63} AS bigint) AS numeric))"
            )
        })
    }

    fn calculate(&self, op: ArithmeticOp, left: &str, right: &str) -> String {
        self.bind(&[left, right], &|named| {
            let [a, b] = named else { return String::new() };
            // What is too large or too small is an error here, so that it is told beforehand.
            match op {
                ArithmeticOp::Add | ArithmeticOp::Subtract => {
                    let sign = if op == ArithmeticOp::Add { "+" } else { "-" };
                    format!(
                        "CASE WHEN abs({a}) < {HALF_OF_LARGEST} AND abs({b}) < {HALF_OF_LARGEST} THEN {a} {sign} {b} WHEN abs({a} * 0.5 {sign} {b} * 0.5) < {HALF_OF_LARGEST} THEN {a} {sign} {b} END"
                    )
                }
                ArithmeticOp::Multiply => format!(
                    "CASE WHEN {a} IS NULL OR {b} IS NULL THEN NULL WHEN {a} = 0 OR {b} = 0 THEN 0 WHEN ln(abs({a})) + ln(abs({b})) < -744 THEN 0 WHEN ln(abs({a})) + ln(abs({b})) < 709.78 THEN {a} * {b} END"
                ),
                ArithmeticOp::Divide => format!(
                    "CASE WHEN {a} IS NULL OR {b} IS NULL OR {b} = 0 THEN NULL WHEN {a} = 0 THEN 0 WHEN ln(abs({a})) - ln(abs({b})) < -744 THEN 0 WHEN ln(abs({a})) - ln(abs({b})) < 709.78 THEN {a} / {b} END"
                ),
            }
        })
    }

    fn step(&self, op: ArithmeticOp, left: &str, right: &str) -> String {
        self.calculate(op, left, right)
    }

    fn half_to_even(&self, number: &str) -> String {
        format!("round({number})")
    }

    fn is_finite(&self, number: &str) -> String {
        format!("{number} NOT IN ('NaN', 'Infinity', '-Infinity')")
    }

    fn unless_infinite(&self, number: &str) -> String {
        number.to_owned()
    }

    fn ends_with(&self, text: &str, part: &str) -> String {
        format!("right({text}, {}) = {}", part.chars().count(), self.text(part))
    }

    fn matches(&self, text: &str, pattern: &str) -> String {
        format!("{text} ~ {}", self.text(pattern))
    }

    fn by_code_point(&self, text: &str) -> String {
        format!("{text} COLLATE \"C\"")
    }

    fn sample(&self, name: &str, id: &str) -> String {
        let bytes = |text: &str| format!("convert_to({text}, 'UTF8')");
        let all = format!("{} || '\\x00'::bytea || {}", bytes(&self.text(name)), bytes(id));
        format!("substr(md5({all}), 1, 8) COLLATE \"C\"")
    }

    fn offset(&self, instant: &str, offsets: &Offsets) -> String {
        if offsets.is_fixed() {
            return offsets.first.to_string();
        }
        let (all, from) = offsets.lists();
        format!("(CAST(ARRAY[{all}] AS bigint[]))[width_bucket({instant}, CAST(ARRAY[{from}] AS bigint[])) + 1]")
    }

    fn plus_months(&self, day: &str, months: i64) -> String {
        let later = format!("DATE '1970-01-01' + CAST({day} AS integer) + make_interval(months => {months})");
        format!("(CAST({later} AS date) - DATE '1970-01-01')")
    }

    fn part(&self, part: &str, day: &str) -> String {
        format!("CAST(extract({part} FROM DATE '1970-01-01' + CAST({day} AS integer)) AS integer)")
    }

    fn make_day(&self, year: &str, month: &str, day: &str) -> String {
        format!("(make_date({year}, {month}, {day}) - DATE '1970-01-01')")
    }

    fn has(&self, list: &str, item: &str) -> String {
        format!("{item} = ANY({list})")
    }

    fn length(&self, list: &str, is_records: bool) -> String {
        if is_records { format!("jsonb_array_length({list})") } else { format!("cardinality({list})") }
    }

    fn map_texts(&self, list: &str, of: &dyn Fn(&str) -> String) -> String {
        format!("CASE WHEN {list} IS NOT NULL THEN ARRAY(SELECT {} FROM unnest({list}) AS u(x)) END", of("x"))
    }
}
