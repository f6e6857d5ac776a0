//! Whether each operation of a template is given values of the classes that code
//! is generated for.

use crate::template::{Class, Column, Cond, Function, Query, Store, Template, Value};

/// Checks a template.
///
/// # Errors
/// What is of another class.
pub(crate) fn classes(template: &Template) -> Result<(), &'static str> {
    match template {
        Template::Condition(cond) => of_cond(cond),
        Template::Value(value) => of_value(value),
    }
}

fn holds(condition: bool, otherwise: &'static str) -> Result<(), &'static str> {
    if condition { Ok(()) } else { Err(otherwise) }
}

fn of_cond(cond: &Cond) -> Result<(), &'static str> {
    match cond {
        Cond::Const(_) | Cond::ListKnown(_) => Ok(()),
        Cond::Test { keys, .. } => of_keys(keys),
        Cond::HasText(list, _) => of_keys(&list.items),
        Cond::All(members) | Cond::Any(members) | Cond::Cardinality { members, .. } => {
            members.iter().try_for_each(of_cond)
        }
        Cond::Not(inner) => of_cond(inner),
        Cond::Known(value) | Cond::Has(_, value) => of_value(value),
        Cond::Compare(_, left, right) => {
            of_value(left)?;
            of_value(right)
        }
        Cond::OneOf(value, others) => {
            of_value(value)?;
            others.iter().try_for_each(of_value)
        }
        Cond::OneOfInts(value, ..) => {
            holds(value.class() == Class::Int, "a value among integers that is none")?;
            of_value(value)
        }
        Cond::FirstOrLastN { query, .. } => of_query(query),
    }
}

fn of_value(value: &Value) -> Result<(), &'static str> {
    match value {
        Value::Missing(_)
        | Value::Int(_)
        | Value::Wide(..)
        | Value::Number(_)
        | Value::Column(_)
        | Value::ListLength(_) => Ok(()),
        Value::Rank { keys, .. } => of_keys(keys),
        Value::Arithmetic(op, left, right) => {
            holds(op.takes(left.class()) && op.takes(right.class()), "arithmetic with another class")?;
            of_value(left)?;
            of_value(right)
        }
        Value::Scale(inner, _) | Value::ToMoney(inner) => {
            holds(inner.class() != Class::Number, "an amount that is a number")?;
            of_value(inner)
        }
        Value::ToNumber(inner) => of_value(inner),
        Value::Aggregate { function, query } => {
            let fits = match function {
                Function::Count | Function::CountDifferent(_) | Function::TotalNumbers | Function::AverageNumbers => {
                    true
                }
                // These have 128 bits, numbers 64.
                Function::TotalInts | Function::AverageInts | Function::AverageMoney => {
                    !query.measures_any(Class::Number)
                }
                Function::Extreme(_, class) => query.measures(*class),
            };
            holds(fits, "an aggregate over another class")?;
            of_query(query)
        }
        Value::Periods { query, .. } | Value::EventTime { query, .. } => of_query(query),
        Value::Extreme(_, values) => values.iter().try_for_each(|value| {
            holds(value.class() == Class::Int, "an extreme of another class")?;
            of_value(value)
        }),
        Value::Coalesce(first, second) => {
            holds(first.class() == second.class(), "a choice between two classes")?;
            of_value(first)?;
            of_value(second)
        }
    }
}

/// What is looked up in a table is an integer of 32 bits.
fn of_keys(keys: &Column) -> Result<(), &'static str> {
    holds(keys.store == Store::I32, "keys of another width")
}

fn of_query(query: &Query) -> Result<(), &'static str> {
    query.sources.iter().try_for_each(|source| {
        source.filter.iter().try_for_each(of_cond)?;
        source.measure.iter().try_for_each(of_value)?;
        source.predicate.iter().try_for_each(|predicate| of_cond(predicate))
    })
}
