//! DuckDB.

use super::{Called, Says, depth, is_short};
use crate::pattern::{self, Signs};
use crate::shape::Upserts;
use crate::source::Unit;
use crate::zone::Offsets;
use seg_data::{Element, Type};
use seg_hir::hir::ArithmeticOp;

pub(super) struct DuckDb;

impl Signs for DuckDb {
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

impl Says for DuckDb {
    fn called(&self) -> &'static Called {
        &Called {
            text: "VARCHAR",
            integer: "BIGINT",
            float: "DOUBLE",
            infinity: "Infinity",
            contains: "contains",
            is_somewhere: "",
            starts_with: "starts_with",
            ends_with: "ends_with",
        }
    }

    fn materialized(&self) -> &'static str {
        "MATERIALIZED "
    }

    fn upserts(&self) -> Result<Upserts, &'static str> {
        Ok(Upserts { text: "VARCHAR", instant: "TIMESTAMPTZ", begin: "BEGIN", commit: "COMMIT" })
    }

    fn instant(&self, column: &str, unit: Unit) -> String {
        match unit {
            Unit::Own | Unit::Cents => format!("epoch_us({column})"),
            Unit::Seconds => format!("CAST({column} AS BIGINT) * 1000000"),
            Unit::Milliseconds => format!("CAST({column} AS BIGINT) * 1000"),
            Unit::Microseconds => format!("CAST({column} AS BIGINT)"),
        }
    }

    fn day(&self, column: &str) -> String {
        format!("date_diff('day', DATE '1970-01-01', {column})")
    }

    fn money(&self, column: &str, unit: Unit) -> String {
        match unit {
            Unit::Cents => format!("CAST({column} AS BIGINT) * 100"),
            Unit::Own | Unit::Seconds | Unit::Milliseconds | Unit::Microseconds => {
                format!("CAST(CAST({column} AS DECIMAL(38,4)) * 10000 AS BIGINT)")
            }
        }
    }

    fn list(&self, column: &str, of: Element) -> String {
        match of {
            Element::Text => format!("list_filter({column}, lambda x: x IS NOT NULL AND x <> '')"),
            Element::Integer => format!("list_filter(CAST({column} AS BIGINT[]), lambda x: x IS NOT NULL)"),
            Element::Number => format!(
                "list_transform(list_filter(CAST({column} AS DOUBLE[]), lambda x: {}), lambda x: x + 0)",
                self.is_finite("x")
            ),
            Element::Timestamp => {
                format!("list_transform(list_filter({column}, lambda x: x IS NOT NULL), lambda x: epoch_us(x))")
            }
        }
    }

    fn field(&self, record: &str, name: &str, _: &Type) -> String {
        format!("{record}.{}", self.ident(name))
    }

    fn missing(&self, ty: &Type) -> String {
        let name = match ty {
            Type::Boolean => "BOOLEAN",
            Type::Integer | Type::Money | Type::Timestamp | Type::Date | Type::Duration => "BIGINT",
            Type::Number => "DOUBLE",
            Type::Text => "VARCHAR",
            Type::List(Element::Text) => "VARCHAR[]",
            Type::List(Element::Integer | Element::Timestamp) => "BIGINT[]",
            Type::List(Element::Number) => "DOUBLE[]",
            Type::Records(_) => return "NULL".to_owned(),
        };
        format!("CAST(NULL AS {name})")
    }

    fn unnest(&self, from: &str, key: &str, list: &str, _: bool) -> String {
        format!(
            "(SELECT {key} AS key, unnest({list}) AS it, generate_subscripts({list}, 1) AS pos FROM {from} WHERE {list} IS NOT NULL)"
        )
    }

    fn last_of(&self, value: &str, order: &str, filter: &str, _: &Type) -> String {
        format!("(array_agg({value} ORDER BY {order}) FILTER (WHERE {filter}))[1]")
    }

    fn ordered_sum(&self, number: &str, order: &str, filter: &str) -> String {
        format!(
            "coalesce(list_reduce(list_prepend(CAST(0 AS DOUBLE), array_agg({number} ORDER BY {order}) FILTER (WHERE {filter} AND {number} IS NOT NULL)), lambda a, b: a + b), 0)"
        )
    }

    fn bind(&self, values: &[&str], body: &dyn Fn(&[&str]) -> String) -> String {
        if values.iter().all(|value| is_short(value)) {
            return body(values);
        }
        let depth = depth(values);
        let fields: Vec<String> = values.iter().enumerate().map(|(at, value)| format!("'x{at}': {value}")).collect();
        let names: Vec<String> = (0..values.len()).map(|at| format!("v{depth}.x{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("list_transform([{{{}}}], lambda v{depth}: {})[1]", fields.join(", "), body(&names))
    }

    fn wide(&self, integer: &str) -> String {
        format!("CAST({integer} AS HUGEINT)")
    }

    fn narrow(&self, wide: &str) -> String {
        format!("TRY_CAST({wide} AS BIGINT)")
    }

    fn combine(&self, op: ArithmeticOp, left: &str, right: &str) -> String {
        let sign = match op {
            ArithmeticOp::Add => "+",
            ArithmeticOp::Subtract => "-",
            ArithmeticOp::Multiply => "*",
            ArithmeticOp::Divide => return self.half_even(left, right),
        };
        format!("TRY({left} {sign} {right})")
    }

    fn quotient(&self, wide: &str, by: &str) -> String {
        format!("({wide} // {by})")
    }

    fn whole(&self, number: &str) -> String {
        format!("TRY_CAST({number} AS HUGEINT)")
    }

    fn digits(&self, wide: &str) -> String {
        self.cast(wide, self.called().text)
    }

    fn rounded(&self, number: &str) -> String {
        format!("TRY_CAST(round_even({number}, 0) AS BIGINT)")
    }

    fn is_finite(&self, number: &str) -> String {
        format!("isfinite({number})")
    }

    fn matches(&self, text: &str, pattern: &str) -> String {
        format!("regexp_matches({text}, {})", self.text(pattern))
    }

    fn sample(&self, name: &str, id: &str) -> String {
        format!("substr(md5(concat({}, chr(0), {id})), 1, 8)", self.text(name))
    }

    fn offset(&self, instant: &str, offsets: &Offsets) -> String {
        self.bind(&[instant], &|named| {
            let [instant] = named else { return String::new() };
            offsets.halved(instant)
        })
    }

    fn plus_months(&self, day: &str, months: i64) -> String {
        let later = format!("DATE '1970-01-01' + CAST({day} AS INTEGER) + to_months({months})");
        format!("date_diff('day', DATE '1970-01-01', CAST({later} AS DATE))")
    }

    fn part(&self, part: &str, day: &str) -> String {
        format!("date_part('{part}', DATE '1970-01-01' + CAST({day} AS INTEGER))")
    }

    fn make_day(&self, year: &str, month: &str, day: &str) -> String {
        format!("date_diff('day', DATE '1970-01-01', make_date({year}, {month}, {day}))")
    }

    fn has(&self, list: &str, item: &str) -> String {
        format!("list_contains({list}, {item})")
    }

    fn length(&self, list: &str, _: bool) -> String {
        format!("len({list})")
    }

    fn map_texts(&self, list: &str, of: &dyn Fn(&str) -> String) -> String {
        format!("list_transform({list}, lambda x: {})", of("x"))
    }
}
