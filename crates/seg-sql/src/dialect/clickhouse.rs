//! ClickHouse.
//!
//! What it does otherwise than the others: a value that may be missing is of another type,
//! branches that are not taken are computed, whole numbers that are too large begin anew, and
//! its days end in 2299, so that the calendar is computed here.

use super::{Called, Says, civil, depth, is_short, keys};
use crate::pattern::{self, Signs};
use crate::shape::Upserts;
use crate::source::Unit;
use crate::zone::Offsets;
use seg_data::{Element, Type};
use seg_hir::hir::ArithmeticOp;

pub(super) struct ClickHouse;

impl Signs for ClickHouse {
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

/// A number where it fits exactly, else NULL.
fn exact(number: &str, ty: &str) -> String {
    format!("accurateCastOrNull({number}, '{ty}')")
}

impl Says for ClickHouse {
    fn called(&self) -> &'static Called {
        &Called {
            text: "String",
            integer: "Int64",
            float: "Float64",
            infinity: "inf",
            contains: "position",
            is_somewhere: " > 0",
            starts_with: "startsWith",
            ends_with: "endsWith",
        }
    }

    fn text(&self, text: &str) -> String {
        format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
    }

    fn ident(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }

    fn cast(&self, value: &str, ty: &str) -> String {
        format!("to{ty}({value})")
    }

    fn number(&self, n: f64) -> String {
        format!("reinterpretAsFloat64(toUInt64({})) /* {n:?} */", n.to_bits())
    }

    fn materialized(&self) -> &'static str {
        ""
    }

    fn settings(&self) -> &'static str {
        // Who is missing on one side of a join has NULL there, and names are those of columns.
        "\nSETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1"
    }

    fn refuses(&self, ty: &Type) -> Option<(&'static str, &'static str)> {
        match ty {
            Type::List(_) | Type::Records(_) => Some((
                "a list",
                "ClickHouse's arrays are never missing, so that a missing list and an empty one are the same there",
            )),
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

    fn upserts(&self) -> Result<Upserts, &'static str> {
        Err(
            "ClickHouse changes rows of a table later, and not several statements together: keep the members of each night instead",
        )
    }

    fn new_table(&self, table: &str) -> String {
        format!("CREATE TABLE {table} ENGINE = MergeTree ORDER BY tuple()")
    }

    fn instant(&self, column: &str, unit: Unit) -> String {
        match unit {
            Unit::Own | Unit::Cents => format!("toUnixTimestamp64Micro(toDateTime64({column}, 6, 'UTC'))"),
            Unit::Seconds => format!("(toInt64({column}) * 1000000)"),
            Unit::Milliseconds => format!("(toInt64({column}) * 1000)"),
            Unit::Microseconds => format!("toInt64({column})"),
        }
    }

    fn day(&self, column: &str) -> String {
        format!("toInt32({column})")
    }

    fn money(&self, column: &str, unit: Unit) -> String {
        match unit {
            Unit::Cents => format!("(toInt64({column}) * 100)"),
            Unit::Own | Unit::Seconds | Unit::Milliseconds | Unit::Microseconds => {
                format!("toInt64(toDecimal128({column}, 4) * 10000)")
            }
        }
    }

    fn list(&self, _: &str, _: Element) -> String {
        "NULL".to_owned()
    }

    fn field(&self, record: &str, _: &str, _: &Type) -> String {
        record.to_owned()
    }

    fn missing(&self, ty: &Type) -> String {
        let name = match ty {
            Type::Boolean => "Bool",
            Type::Integer | Type::Money | Type::Timestamp | Type::Duration => "Int64",
            Type::Date => "Int32",
            Type::Number => "Float64",
            Type::Text => "String",
            Type::List(_) | Type::Records(_) => return "NULL".to_owned(),
        };
        format!("CAST(NULL AS Nullable({name}))")
    }

    fn unnest(&self, from: &str, key: &str, _: &str, _: bool) -> String {
        format!("(SELECT {key} AS key, NULL AS it, 0 AS pos FROM {from})")
    }

    fn last_of(&self, value: &str, order: &str, filter: &str, _: &Type) -> String {
        // The key that comes first is the largest: all are ordered backwards.
        let keys: Vec<&str> = keys(order).into_iter().map(|key| key.sql).collect();
        // What is missing may be the last, too.
        format!("tupleElement(argMaxIf(tuple({value}), ({}), {filter}), 1)", keys.join(", "))
    }

    fn nth(&self, instant: &str, is_last: bool, n: u32, filter: &str) -> String {
        let function = if is_last { "arrayReverseSort" } else { "arraySort" };
        format!("CASE WHEN countIf({filter}) >= {n} THEN {function}(groupArrayIf({instant}, {filter}))[{n}] END")
    }

    fn ordered_sum(&self, number: &str, order: &str, filter: &str) -> String {
        let keys = keys(order).into_iter().map(|key| match key.is_missing_first {
            true => format!("{0} IS NOT NULL, ifNull({0}, '')", key.sql),
            false => key.sql.to_owned(),
        });
        let keys: Vec<String> = keys.collect();
        let rows =
            format!("groupArrayIf(({}, assumeNotNull({number})), {filter} AND {number} IS NOT NULL)", keys.join(", "));
        format!("arrayFold((a, b) -> a + tupleElement(b, -1), arraySort({rows}), toFloat64(0))")
    }

    fn total(&self, value: &str) -> String {
        format!("sum(toInt256({value}))")
    }

    fn bind(&self, values: &[&str], body: &dyn Fn(&[&str]) -> String) -> String {
        if values.iter().all(|value| is_short(value)) {
            return body(values);
        }
        let depth = depth(values);
        let names: Vec<String> = (0..values.len()).map(|at| format!("v{depth}_{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let lists: Vec<String> = values.iter().map(|value| format!("[{value}]")).collect();
        format!("arrayMap(({}) -> {}, {})[1]", names.join(", "), body(&names), lists.join(", "))
    }

    fn wide(&self, integer: &str) -> String {
        format!("toInt256({integer})")
    }

    fn narrow(&self, wide: &str) -> String {
        exact(wide, "Int64")
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
        format!("intDiv({wide}, {by})")
    }

    fn whole(&self, number: &str) -> String {
        exact(number, "Int256")
    }

    fn translate(&self, text: &str, from: &str, to: &str) -> String {
        format!("translateUTF8({text}, {}, {})", self.text(from), self.text(to))
    }

    fn digits(&self, wide: &str) -> String {
        // It cuts the digits of wide numbers.
        self.cast(wide, self.called().text)
    }

    fn calculate(&self, op: ArithmeticOp, left: &str, right: &str) -> String {
        self.unless_infinite(&self.step(op, left, right))
    }

    fn rounded(&self, number: &str) -> String {
        exact(&format!("round({number})"), "Int64")
    }

    fn is_finite(&self, number: &str) -> String {
        format!("isFinite({number})")
    }

    fn matches(&self, text: &str, pattern: &str) -> String {
        format!("match({text}, {})", self.text(pattern))
    }

    fn sample(&self, name: &str, id: &str) -> String {
        format!("substring(lower(hex(MD5(concat({}, char(0), {id})))), 1, 8)", self.text(name))
    }

    fn offset(&self, instant: &str, offsets: &Offsets) -> String {
        if offsets.is_fixed() {
            return offsets.first.to_string();
        }
        let (all, from) = offsets.lists();
        format!("[{all}][arrayCount(w -> w <= {instant}, [{from}]) + 1]")
    }

    fn plus_months(&self, day: &str, months: i64) -> String {
        civil::plus_months(self, day, months)
    }

    fn part(&self, part: &str, day: &str) -> String {
        civil::part(self, part, day)
    }

    fn make_day(&self, year: &str, month: &str, day: &str) -> String {
        self.bind(&[year, month, day], &|named| {
            let [year, month, day] = named else { return String::new() };
            civil::make_day(self, year, month, day)
        })
    }

    fn has(&self, list: &str, _: &str) -> String {
        list.to_owned()
    }

    fn length(&self, list: &str, _: bool) -> String {
        list.to_owned()
    }

    fn map_texts(&self, list: &str, _: &dyn Fn(&str) -> String) -> String {
        list.to_owned()
    }

    fn has_long_ranges(&self) -> bool {
        false
    }

    fn previous(&self, value: &str) -> String {
        format!("lag(toNullable({value}))")
    }

    fn next(&self, value: &str) -> String {
        format!("lead(toNullable({value}))")
    }
}
