//! How values are encoded: each says of what kind it is, small numbers take little room.

use super::names::Names;
use crate::cell::{Cell, Unfit};
use crate::column::{with_items, with_records};
use arrow_buffer::i256;
use seg_data::{Date, Decimal, Element, Money, Timestamp, Type, Zone};

const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INTEGER: u8 = 3;
const NUMBER: u8 = 4;
const MONEY: u8 = 5;
const TEXT: u8 = 6;
const TIMESTAMP: u8 = 7;
const DATE: u8 = 8;
const LIST: u8 = 9;
const RECORD: u8 = 10;

/// The places behind the point that amounts have.
const MONEY_PLACES: i8 = 4;

/// Lists within lists are no deeper than this.
const DEPTH_MAX: u8 = 8;

/// Appends a number, seven bits a byte, the least first.
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a number with a sign, which is its last bit.
pub fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_number(out, ((number << 1) ^ (number >> 63)) as u64);
}

/// Appends a text behind its length.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a value with the number of its name, as what it is by the type that the schema
/// gives; nothing where it is missing. Says whether there was a value.
///
/// # Errors
/// What is no value of the type, which is missing then.
pub(super) fn put_named(
    out: &mut Vec<u8>,
    number: u32,
    (ty, names): (&Type, &Names),
    cell: &Cell<'_>,
    zone: Option<Zone>,
) -> Result<bool, Unfit> {
    let before = out.len();
    put_number(out, u64::from(number));
    let put = put_value(out, (ty, names), cell, zone);
    if put != Ok(true) {
        out.truncate(before);
    }
    put
}

/// The same without a name. Where it says that there was no value, what it appended is
/// nothing.
fn put_value(
    out: &mut Vec<u8>,
    (ty, names): (&Type, &Names),
    cell: &Cell<'_>,
    zone: Option<Zone>,
) -> Result<bool, Unfit> {
    match ty {
        Type::Boolean => Ok(put(out, cell.boolean()?, put_boolean)),
        Type::Integer | Type::Duration => Ok(put(out, cell.integer()?, put_integer)),
        Type::Number => Ok(put(out, cell.number()?, put_float)),
        Type::Money => Ok(put(out, cell.money()?, put_money)),
        Type::Text if cell.is_missing() => Ok(false),
        Type::Text => Ok(put(out, Some(cell.as_text().ok_or(Unfit::OtherType)?), |out, text| put_string(out, &text))),
        Type::Timestamp => Ok(put(out, cell.instant(zone)?, put_instant)),
        Type::Date => Ok(put(out, cell.date(zone)?, put_date)),
        Type::List(Element::Text) => put_list(out, cell, |cell| cell.text(), |out, text| put_string(out, &text)),
        Type::List(_) | Type::Records(_) if cell.is_nothing() => Ok(false),
        Type::List(Element::Integer) => put_list(out, cell, |cell| cell.integer(), put_integer),
        Type::List(Element::Number) => put_list(out, cell, |cell| cell.number(), put_float),
        Type::List(Element::Timestamp) => put_list(out, cell, |cell| cell.instant(zone), put_instant),
        Type::Records(fields) => put_records(out, (fields, names), cell, zone),
    }
}

fn put<T>(out: &mut Vec<u8>, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) -> bool {
    value.map(|value| put(out, value)).is_some()
}

fn put_boolean(out: &mut Vec<u8>, value: bool) {
    out.push(if value { TRUE } else { FALSE });
}

fn put_integer(out: &mut Vec<u8>, value: i64) {
    out.push(INTEGER);
    put_signed(out, value);
}

fn put_float(out: &mut Vec<u8>, value: f64) {
    out.push(NUMBER);
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_money(out: &mut Vec<u8>, value: Money) {
    out.push(MONEY);
    put_signed(out, value.0);
}

fn put_string(out: &mut Vec<u8>, value: &str) {
    out.push(TEXT);
    put_text(out, value);
}

fn put_instant(out: &mut Vec<u8>, value: Timestamp) {
    out.push(TIMESTAMP);
    put_signed(out, value.0);
}

fn put_date(out: &mut Vec<u8>, value: Date) {
    out.push(DATE);
    put_signed(out, i64::from(value.0));
}

/// Appends the items of a list that are not missing.
fn put_list<T>(
    out: &mut Vec<u8>,
    cell: &Cell<'_>,
    parse: impl Fn(&Cell<'_>) -> Result<Option<T>, Unfit>,
    put: impl Fn(&mut Vec<u8>, T),
) -> Result<bool, Unfit> {
    let items = with_items(cell, |items| items.iter().map(&parse).collect::<Result<Vec<Option<T>>, Unfit>>())?;
    let Some(items) = items else { return Ok(false) };
    let items: Vec<T> = items?.into_iter().flatten().collect();
    out.push(LIST);
    put_number(out, items.len() as u64);
    items.into_iter().for_each(|item| put(out, item));
    Ok(true)
}

/// Appends a list of records. One field that is not of its type makes the whole list unfit.
fn put_records(
    out: &mut Vec<u8>,
    (fields, names): (&[(String, Type)], &Names),
    cell: &Cell<'_>,
    zone: Option<Zone>,
) -> Result<bool, Unfit> {
    let put = with_records(cell, |items| {
        out.push(LIST);
        put_number(out, items.len() as u64);
        for item in items {
            let Cell::Record(values) = item else { return Err(Unfit::OtherType) };
            let mut record = Vec::new();
            let mut n_values = 0;
            for (name, ty) in fields {
                let value = values.iter().find(|(of, _)| of == name).map_or(&Cell::Missing, |(_, value)| value);
                let Some(number) = names.number(name) else { continue };
                n_values += u64::from(put_named(&mut record, number, (ty, names), value, zone)?);
            }
            out.push(RECORD);
            put_number(out, n_values);
            out.extend_from_slice(&record);
        }
        Ok(())
    })?;
    put.transpose().map(|put| put.is_some())
}

/// Encoded bytes on their way out.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'b>(pub &'b [u8]);

impl<'b> Bytes<'b> {
    /// Whether all were taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// So many bytes, if there are as many.
    pub fn take(&mut self, n: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    /// One byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// What [`put_number`] appended.
    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// What [`put_signed`] appended.
    pub fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// What [`put_text`] appended.
    pub fn text(&mut self) -> Option<&'b str> {
        let len = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(len)?).ok()
    }

    /// The next value with the number of its name; none at the end, and where the bytes are
    /// no value.
    pub(super) fn named<'n>(&mut self, names: &'n Names) -> Option<(u32, Cell<'n>)>
    where
        'b: 'n,
    {
        let number = u32::try_from(self.number()?).ok()?;
        Some((number, self.value(names, DEPTH_MAX)?))
    }

    fn value<'n>(&mut self, names: &'n Names, depth: u8) -> Option<Cell<'n>>
    where
        'b: 'n,
    {
        let depth = depth.checked_sub(1)?;
        Some(match self.byte()? {
            FALSE => Cell::Boolean(false),
            TRUE => Cell::Boolean(true),
            INTEGER => Cell::Integer(self.signed()?),
            NUMBER => Cell::Number(f64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            MONEY => Cell::Decimal(Decimal { value: i256::from_i128(self.signed()?.into()), scale: MONEY_PLACES }),
            TEXT => Cell::Text(self.text()?),
            TIMESTAMP => Cell::Timestamp(Timestamp(self.signed()?)),
            DATE => Cell::Date(Date(i32::try_from(self.signed()?).ok()?)),
            LIST => {
                let n = self.number()?;
                Cell::List((0..n).map(|_| self.value(names, depth)).collect::<Option<_>>()?)
            }
            RECORD => {
                let n = self.number()?;
                let field = |bytes: &mut Self| {
                    let number = u32::try_from(bytes.number()?).ok()?;
                    Some((names.name(number)?, bytes.value(names, depth)?))
                };
                Cell::Record((0..n).map(|_| field(self)).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}
