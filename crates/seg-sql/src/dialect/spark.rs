//! Spark SQL, in ANSI mode as it is from version 4 on.

use super::{Called, Says, depth, is_short, keys};
use crate::pattern::{self, Signs};
use crate::shape::Upserts;
use crate::source::Unit;
use crate::zone::Offsets;
use seg_data::{Element, Type};
use seg_hir::hir::ArithmeticOp;

pub(super) struct Spark;

impl Signs for Spark {
    fn sign(&self, c: char) -> String {
        pattern::hexadecimal(c)
    }

    fn repeated(&self, of: &str, min: u32, max: Option<u32>) -> Result<String, String> {
        Ok(format!("{of}{}", pattern::count(min, max)))
    }

    fn start(&self) -> &'static str {
        "\\A"
    }

    fn end(&self) -> &'static str {
        "\\z"
    }

    /// Java's own `\b` takes letters that are no ASCII for parts of words.
    fn boundary(&self) -> Result<&'static str, String> {
        Ok(pattern::ASCII_BOUNDARY)
    }
}

/// The type that whole numbers of more than 64 bits have here.
const WIDE: &str = "DECIMAL(38,0)";

impl Says for Spark {
    fn called(&self) -> &'static Called {
        &Called {
            text: "STRING",
            integer: "BIGINT",
            float: "DOUBLE",
            infinity: "Infinity",
            contains: "contains",
            is_somewhere: "",
            starts_with: "startswith",
            ends_with: "endswith",
        }
    }

    fn text(&self, text: &str) -> String {
        format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
    }

    fn ident(&self, name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    fn materialized(&self) -> &'static str {
        ""
    }

    fn upserts(&self) -> Result<Upserts, &'static str> {
        Err(
            "a plain table of Spark takes no changes: keep the members of each night instead, or merge them into a table of Delta or Iceberg",
        )
    }

    fn instant(&self, column: &str, unit: Unit) -> String {
        match unit {
            Unit::Own | Unit::Cents => format!("unix_micros({column})"),
            Unit::Seconds => format!("(CAST({column} AS BIGINT) * 1000000)"),
            Unit::Milliseconds => format!("(CAST({column} AS BIGINT) * 1000)"),
            Unit::Microseconds => format!("CAST({column} AS BIGINT)"),
        }
    }

    fn day(&self, column: &str) -> String {
        format!("unix_date({column})")
    }

    fn money(&self, column: &str, unit: Unit) -> String {
        match unit {
            Unit::Cents => format!("(CAST({column} AS BIGINT) * 100)"),
            Unit::Own | Unit::Seconds | Unit::Milliseconds | Unit::Microseconds => {
                format!("CAST(CAST({column} AS DECIMAL(23,4)) * 10000 AS BIGINT)")
            }
        }
    }

    fn list(&self, column: &str, of: Element) -> String {
        match of {
            Element::Text => format!("filter({column}, x -> x IS NOT NULL AND x <> '')"),
            Element::Integer => format!("filter(CAST({column} AS ARRAY<BIGINT>), x -> x IS NOT NULL)"),
            Element::Number => {
                format!("transform(filter(CAST({column} AS ARRAY<DOUBLE>), x -> {}), x -> x + 0)", self.is_finite("x"))
            }
            Element::Timestamp => format!("transform(filter({column}, x -> x IS NOT NULL), x -> unix_micros(x))"),
        }
    }

    fn field(&self, record: &str, name: &str, _: &Type) -> String {
        format!("{record}.{}", self.ident(name))
    }

    fn missing(&self, ty: &Type) -> String {
        let name = match ty {
            Type::Boolean => "BOOLEAN",
            Type::Integer | Type::Money | Type::Timestamp | Type::Duration => "BIGINT",
            Type::Date => "INT",
            Type::Number => "DOUBLE",
            Type::Text => "STRING",
            Type::List(Element::Text) => "ARRAY<STRING>",
            Type::List(Element::Integer | Element::Timestamp) => "ARRAY<BIGINT>",
            Type::List(Element::Number) => "ARRAY<DOUBLE>",
            Type::Records(_) => return "NULL".to_owned(),
        };
        format!("CAST(NULL AS {name})")
    }

    fn unnest(&self, from: &str, key: &str, list: &str, _: bool) -> String {
        format!("(SELECT {key} AS key, x.it, x.pos FROM {from} LATERAL VIEW posexplode({list}) x AS pos, it)")
    }

    fn last_of(&self, value: &str, order: &str, filter: &str, _: &Type) -> String {
        // The key that comes first is the largest: all are ordered backwards.
        let keys: Vec<&str> = keys(order).into_iter().map(|key| key.sql).collect();
        format!("max_by({value}, struct({})) FILTER (WHERE {filter})", keys.join(", "))
    }

    fn nth(&self, instant: &str, is_last: bool, n: u32, filter: &str) -> String {
        format!(
            "get(sort_array(collect_list({instant}) FILTER (WHERE {filter}), {}), {})",
            !is_last,
            n.saturating_sub(1)
        )
    }

    fn ordered_sum(&self, number: &str, order: &str, filter: &str) -> String {
        // Of two records the missing field comes first.
        let keys: Vec<&str> = keys(order).into_iter().map(|key| key.sql).collect();
        let rows = format!(
            "collect_list(struct({}, {number} AS y)) FILTER (WHERE {filter} AND {number} IS NOT NULL)",
            keys.join(", ")
        );
        format!("aggregate(sort_array({rows}), CAST(0 AS DOUBLE), (a, b) -> a + b.y)")
    }

    fn total(&self, value: &str) -> String {
        format!("sum(CAST({value} AS {WIDE}))")
    }

    fn bind(&self, values: &[&str], body: &dyn Fn(&[&str]) -> String) -> String {
        if values.iter().all(|value| is_short(value)) {
            return body(values);
        }
        let depth = depth(values);
        let fields: Vec<String> = values.iter().enumerate().map(|(at, value)| format!("{value} AS x{at}")).collect();
        let names: Vec<String> = (0..values.len()).map(|at| format!("v{depth}.x{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("transform(array(struct({})), v{depth} -> {})[0]", fields.join(", "), body(&names))
    }

    fn wide(&self, integer: &str) -> String {
        format!("CAST({integer} AS {WIDE})")
    }

    fn narrow(&self, wide: &str) -> String {
        format!("try_cast({wide} AS BIGINT)")
    }

    fn combine(&self, op: ArithmeticOp, left: &str, right: &str) -> String {
        let function = match op {
            ArithmeticOp::Add => "try_add",
            ArithmeticOp::Subtract => "try_subtract",
            ArithmeticOp::Multiply => "try_multiply",
            ArithmeticOp::Divide => return self.half_even(left, right),
        };
        format!("CAST({function}({left}, {right}) AS {WIDE})")
    }

    fn quotient(&self, wide: &str, by: &str) -> String {
        // Without a rest, so that six places behind the point are zeros.
        format!("CAST({wide} / {by} AS {WIDE})")
    }

    fn floor(&self, integer: &str, by: &str) -> String {
        self.bind(&[integer], &|named| {
            let [integer] = named else { return String::new() };
            format!("(({integer} - ((({integer} % {by}) + {by}) % {by})) div {by})")
        })
    }

    fn whole(&self, number: &str) -> String {
        // What is turned into a decimal passes through its shortest text, so that it is done in
        // two halves.
        self.bind(&[number], &|named| {
            let [number] = named else { return String::new() };
            let two_63 = self.number(9_223_372_036_854_775_808.0);
            let high = format!("(({number} - {number} % {two_63}) / {two_63})");
            let wide = |half: &str| format!("CAST(try_cast({half} AS BIGINT) AS {WIDE})");
            format!(
                "CAST({} * 9223372036854775808 + {} AS {WIDE})",
                wide(&high),
                wide(&format!("({number} - {high} * {two_63})"))
            )
        })
    }

    fn digits(&self, wide: &str) -> String {
        self.cast(wide, self.called().text)
    }

    fn half_to_even(&self, number: &str) -> String {
        format!("rint({number})")
    }

    fn is_finite(&self, number: &str) -> String {
        format!("NOT isnan({number}) AND abs({number}) <> {}", self.infinity(""))
    }

    fn matches(&self, text: &str, pattern: &str) -> String {
        format!("{text} RLIKE {}", self.text(pattern))
    }

    fn sample(&self, name: &str, id: &str) -> String {
        let bytes = format!("concat(CAST({} AS BINARY), X'00', CAST({id} AS BINARY))", self.text(name));
        format!("substr(md5({bytes}), 1, 8)")
    }

    fn offset(&self, instant: &str, offsets: &Offsets) -> String {
        if offsets.is_fixed() {
            return offsets.first.to_string();
        }
        let (all, from) = offsets.lists();
        format!("element_at(array({all}), 1 + size(filter(array({from}), w -> w <= {instant})))")
    }

    fn plus_months(&self, day: &str, months: i64) -> String {
        format!("unix_date(add_months(date_from_unix_date(CAST({day} AS INT)), {months}))")
    }

    fn part(&self, part: &str, day: &str) -> String {
        format!("extract({part} FROM date_from_unix_date(CAST({day} AS INT)))")
    }

    fn make_day(&self, year: &str, month: &str, day: &str) -> String {
        format!("unix_date(make_date({year}, {month}, {day}))")
    }

    fn has(&self, list: &str, item: &str) -> String {
        format!("array_contains({list}, {item})")
    }

    fn length(&self, list: &str, _: bool) -> String {
        format!("CASE WHEN {list} IS NOT NULL THEN size({list}) END")
    }

    fn map_texts(&self, list: &str, of: &dyn Fn(&str) -> String) -> String {
        format!("transform({list}, x -> {})", of("x"))
    }
}
