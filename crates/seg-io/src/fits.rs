//! Whether a cell is a value of a type, without keeping it.

use crate::cell::{Cell, Unfit};
use crate::column::{with_items, with_records};
use seg_data::{Element, Type, Zone};

/// Whether a cell is a value of a type, as [`crate::column::ColumnBuilder::append`] takes
/// it: whether it is there, or why it is none.
pub(crate) fn fits(ty: &Type, cell: &Cell<'_>, zone: Option<Zone>) -> Result<bool, Unfit> {
    match ty {
        Type::Boolean => cell.boolean().map(|value| value.is_some()),
        Type::Integer | Type::Duration => cell.integer().map(|value| value.is_some()),
        Type::Number => cell.number().map(|value| value.is_some()),
        Type::Money => cell.money().map(|value| value.is_some()),
        Type::Text if cell.is_missing() => Ok(false),
        Type::Text => cell.as_text().map(|_| true).ok_or(Unfit::OtherType),
        Type::Timestamp => cell.instant(zone).map(|value| value.is_some()),
        Type::Date => cell.date(zone).map(|value| value.is_some()),
        Type::List(element) => match element {
            Element::Integer | Element::Number | Element::Timestamp if cell.is_nothing() => Ok(false),
            Element::Text => items_fit(cell, |item| item.text().map(|_| ())),
            Element::Integer | Element::Number | Element::Timestamp => {
                let ty = element.ty();
                items_fit(cell, |item| fits(&ty, item, zone).map(|_| ()))
            }
        },
        Type::Records(_) if cell.is_nothing() => Ok(false),
        Type::Records(fields) => with_records(cell, |items| records_fit(fields, items, zone))?.unwrap_or(Ok(false)),
    }
}

fn items_fit(cell: &Cell<'_>, fits: impl Fn(&Cell<'_>) -> Result<(), Unfit>) -> Result<bool, Unfit> {
    with_items(cell, |items| items.iter().try_for_each(fits).map(|()| true))?.unwrap_or(Ok(false))
}

fn records_fit(fields: &[(String, Type)], items: &[Cell<'_>], zone: Option<Zone>) -> Result<bool, Unfit> {
    let mut outcome = Ok(true);
    for item in items {
        let Cell::Record(values) = item else {
            outcome = Err(Unfit::OtherType);
            continue;
        };
        for (name, ty) in fields {
            let value = values.iter().find(|(known, _)| known == name).map_or(&Cell::Missing, |(_, cell)| cell);
            outcome = fits(ty, value, zone).and(outcome);
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::ColumnBuilder;

    /// What is compared and what is loaded must be of one mind about every value.
    #[test]
    fn a_cell_fits_where_a_column_takes_it() {
        let records = vec![("n".to_owned(), Type::Integer), ("day".to_owned(), Type::Date)];
        let record = |n: Cell<'static>| Cell::List(vec![Cell::Record(vec![("n", n), ("other", Cell::Boolean(true))])]);
        let types = [
            Type::Boolean,
            Type::Integer,
            Type::Number,
            Type::Money,
            Type::Text,
            Type::Timestamp,
            Type::Date,
            Type::List(Element::Text),
            Type::List(Element::Integer),
            Type::List(Element::Number),
            Type::List(Element::Timestamp),
            Type::Records(records),
        ];
        let texts = [
            "",
            " ",
            "yes",
            "7",
            "7.5",
            "1.23456",
            "1e400",
            "nan",
            "NULL",
            "99999999999999999999",
            "2026-01-02",
            "2026-01-02T03:04:05Z",
            "1;2",
            "1;x",
            "[1, 2]",
            "[\"a\", null]",
            "[{\"n\": 1}]",
            "[{\"n\": \"x\"}]",
            "[7]",
            "{}",
            "1772359200",
            "text",
        ];
        let mut cells: Vec<Cell<'_>> = texts.into_iter().map(Cell::Text).collect();
        cells.extend([
            Cell::Missing,
            Cell::Boolean(true),
            Cell::Integer(1),
            Cell::Number(0.5),
            Cell::Number(f64::NAN),
            Cell::Digits("18446744073709551616"),
            Cell::Date(seg_data::Date(3)),
            Cell::Timestamp(seg_data::Timestamp(5)),
            Cell::Other("broken".to_owned()),
            Cell::List(vec![]),
            Cell::List(vec![Cell::Text("a"), Cell::Missing]),
            Cell::List(vec![Cell::Integer(1), Cell::Boolean(true)]),
            record(Cell::Integer(4)),
            record(Cell::Text("four")),
            record(Cell::Missing),
            Cell::Record(vec![]),
        ]);
        let mut n_values = 0;
        for ty in &types {
            for cell in &cells {
                let taken = ColumnBuilder::new(ty).append(cell, None);
                assert_eq!(fits(ty, cell, None), taken, "{ty}: {cell:?}");
                n_values += u32::from(taken == Ok(true));
            }
        }
        assert!(n_values > 100, "{n_values} values");
    }
}
