//! Conditions about one column of people: attributes, and what a column was derived
//! for.

use super::Chooser;
use crate::input::{Constant, Text, exact, literal_text};
use crate::kernels::{ColumnScan, ColumnTest, KEYS_MAX, Range, ZoneTest};
use crate::physical::{Access, DerivedSource};
use crate::select::mirrored;
use crate::tables::{Test, Texts};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_buffer::BooleanBuffer;
use seg_data::Type;
use seg_data::batch::Column;
use seg_hir::hir::CompareOp;
use seg_jit::template::MISSING;
use seg_plan::{Compared, Node, NodeId};

/// What is missing is the least of all.
const KNOWN: Range<i64> = Range { least: MISSING + 1, greatest: i64::MAX };

/// All finite numbers; others count as missing.
const FINITE: Range<f64> = Range { least: f64::MIN, greatest: f64::MAX };

impl Chooser<'_> {
    /// The scan that decides a condition; `None` where it is about more than a column.
    pub(super) fn scan(&mut self, id: NodeId) -> Option<Access> {
        let input = self.input();
        if self.select.is_precomputed(id, None) {
            let bits = self.select.precomputed(id, None);
            return Some(Access::Precomputed(ColumnScan::new(ColumnTest::Bits(bits, true), None)));
        }
        let scan = match input.node(id) {
            Node::Known(value) => match input.node(*value) {
                Node::Attribute(attribute, _) => is_valid(input.batch.attribute_column(*attribute)?),
                _ => return self.derived_scan(id),
            },
            Node::Compare(op, left, right) => match (input.text(*left, None), input.text(*right, None)) {
                (Some(Text::Column(texts)), Some(Text::Literal(text))) => self.texts(texts, Test::Compare(*op, text)),
                (Some(Text::Literal(text)), Some(Text::Column(texts))) => {
                    self.texts(texts, Test::Compare(mirrored(*op), text))
                }
                (Some(_), _) | (_, Some(_)) => None,
                (None, None) => {
                    let Node::Attribute(attribute, _) = input.node(*left) else { return self.derived_scan(id) };
                    let (constant, ty) = input.constant(*right)?;
                    let column = input.batch.attribute_column(*attribute)?;
                    compared(column, *op, constant, &ty)
                }
            },
            Node::OneOf(value, texts) => match input.text(*value, None)? {
                Text::Column(column) => {
                    let texts = texts.iter().filter_map(literal_text).map(str::to_owned).collect();
                    self.texts(column, Test::OneOf(texts))
                }
                Text::Literal(_) => None,
            },
            Node::Text { op, value, text, ignore_case } => match input.text(*value, None)? {
                Text::Column(column) => {
                    let test = Test::Text { op: *op, text: text.clone(), ignore_case: *ignore_case };
                    self.texts(column, test)
                }
                Text::Literal(_) => None,
            },
            // Combinations are steps of their own, and what is a list or several
            // events is no column.
            Node::Const(_)
            | Node::All(_)
            | Node::Any(_)
            | Node::Cardinality { .. }
            | Node::Not(_)
            | Node::Has(..)
            | Node::FirstOrLastN { .. } => None,
            // The first was precomputed above; values are no conditions.
            Node::Chain(_)
            | Node::Items { .. }
            | Node::Sample { .. }
            | Node::Profile(_)
            | Node::Elements { .. }
            | Node::InList(..) => None,
            Node::Literal(_)
            | Node::Attribute(..)
            | Node::Property(..)
            | Node::Moment(_)
            | Node::Today { .. }
            | Node::Seen(..)
            | Node::Time
            | Node::Field { .. }
            | Node::Element { .. }
            | Node::History { .. }
            | Node::HeldValue { .. }
            | Node::Shift { .. }
            | Node::DayOf(..)
            | Node::Part(..)
            | Node::Anniversary(..)
            | Node::Elapsed(_)
            | Node::Distance { .. }
            | Node::UsualGap(_)
            | Node::MostWithin { .. }
            | Node::Arithmetic(..)
            | Node::Scale { .. }
            | Node::Convert(..)
            | Node::FoldCase(_)
            | Node::ListLength(_)
            | Node::Aggregate { .. }
            | Node::Periods { .. }
            | Node::EventTime { .. }
            | Node::Missing => None,
        };
        scan.map(Access::Attribute)
    }

    /// The scan of the column that was derived for what a condition compares.
    fn derived_scan(&self, id: NodeId) -> Option<Access> {
        let input = self.input();
        let comparison = input.comparison(id)?;
        let (source, column) = match comparison.compared {
            Compared::Time(time) => (DerivedSource::Time, input.derived_time(&time)?),
            Compared::Value(value) => {
                let is_same = match (input.node(id), input.node(value)) {
                    (Node::Compare(_, _, other), Node::Aggregate { measure: Some((_, measured)), .. }) => {
                        input.constant(*other).is_some_and(|(_, ty)| ty == *measured)
                    }
                    _ => comparison.bound.is_none(),
                };
                (DerivedSource::Sum, input.derived_sum(value).filter(|_| is_same)?)
            }
        };
        let range = comparison.range().unwrap_or(KNOWN);
        let range = Range { least: range.least.max(KNOWN.least), ..range };
        let mut scan = ColumnScan::new(ColumnTest::Ints64(column.values().clone(), range), None);
        // Zones tell who is late enough.
        if source == DerivedSource::Time && range.least > KNOWN.least {
            scan.zones = Some(ZoneTest { column, least: range.least });
        }
        Some(Access::DerivedColumn(source, scan))
    }

    /// A test of people's texts.
    fn texts(&mut self, texts: Texts, test: Test) -> Option<ColumnScan> {
        let column = texts.column.of(self.input().batch)?;
        let (coded, _) = column.texts()?;
        let keys = coded.keys().values().clone();
        let valid = validity(column);
        let table = self.select.tables.test(texts, test);
        let passing = (0..).zip(table.iter()).filter(|(_, holds)| **holds == 1).map(|(key, _)| key);
        let wanted: Vec<i32> = passing.take(KEYS_MAX + 1).collect();
        // Few keys are compared many at a time.
        let test = match wanted.len() {
            1..=KEYS_MAX => ColumnTest::Keys(keys, wanted),
            _ if table.len() <= 256 => {
                let mut bytes = Box::new([0; 256]);
                bytes.iter_mut().zip(table.iter()).for_each(|(byte, entry)| *byte = *entry);
                ColumnTest::Bytes(keys, bytes)
            }
            _ => ColumnTest::Table(keys, table),
        };
        Some(ColumnScan::new(test, valid))
    }
}

/// Who has a value, where some have none.
fn validity(column: &Column) -> Option<BooleanBuffer> {
    column.array().nulls().filter(|nulls| nulls.null_count() > 0).map(|nulls| nulls.inner().clone())
}

/// Who has a value; lists are not looked at here.
fn is_valid(column: &Column) -> Option<ColumnScan> {
    let test = match column.ty() {
        Type::Number => ColumnTest::Numbers(column.array().as_primitive_opt::<Float64Type>()?.values().clone(), FINITE),
        Type::List(_) | Type::Records(_) => return None,
        Type::Boolean | Type::Integer | Type::Money | Type::Text | Type::Timestamp | Type::Date | Type::Duration => {
            ColumnTest::IsValid
        }
    };
    Some(ColumnScan::new(test, validity(column)))
}

/// A column compared with a constant of its type; numbers also with whole numbers
/// that are exact.
fn compared(column: &Column, op: CompareOp, constant: Constant, ty: &Type) -> Option<ColumnScan> {
    let array = column.array();
    let test = match (column.ty(), constant) {
        (Type::Boolean, Constant::Int(bound)) if *ty == Type::Boolean && op == CompareOp::Equal => {
            ColumnTest::Bits(array.as_boolean_opt()?.values().clone(), bound == 1)
        }
        (Type::Integer | Type::Money | Type::Duration, Constant::Int(bound)) if ty == column.ty() => {
            ColumnTest::Ints64(array.as_primitive_opt::<Int64Type>()?.values().clone(), Range::<i64>::of(op, bound))
        }
        (Type::Timestamp, Constant::Int(bound)) if *ty == Type::Timestamp => {
            let values = array.as_primitive_opt::<TimestampMicrosecondType>()?.values().clone();
            ColumnTest::Ints64(values, Range::<i64>::of(op, bound))
        }
        (Type::Date, Constant::Int(bound)) if *ty == Type::Date => {
            let values = array.as_primitive_opt::<Date32Type>()?.values().clone();
            ColumnTest::Ints32(values, Range::<i64>::of(op, bound).narrow())
        }
        (Type::Number, Constant::Number(bound)) => {
            let values = array.as_primitive_opt::<Float64Type>()?.values().clone();
            ColumnTest::Numbers(values, Range::<f64>::of(op, bound))
        }
        (Type::Number, Constant::Int(bound)) if *ty == Type::Integer => {
            let values = array.as_primitive_opt::<Float64Type>()?.values().clone();
            ColumnTest::Numbers(values, Range::<f64>::of(op, exact(bound)?))
        }
        _ => return None,
    };
    Some(ColumnScan::new(test, validity(column)))
}
