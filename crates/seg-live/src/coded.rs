//! Rows of the store: how what they hold is encoded.

use crate::ids::{Link, Links};
use crate::kept::Kept;
use seg::Timestamp;
use seg::unstable::io::facts::{Bytes, put_number, put_signed, put_text};

/// The key of a number.
pub(crate) fn key(number: u32) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// The number of a key.
pub(crate) fn number_of(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(key.try_into().ok()?))
}

/// The key of a fact in [`crate::Table::Tail`].
pub(crate) fn tail_key(number: u32, arrival: u64) -> Vec<u8> {
    let mut key = key(number);
    key.extend_from_slice(&arrival.to_be_bytes());
    key
}

/// A row of [`crate::Table::Ids`].
pub(crate) fn put_id(number: u32, links: &Links) -> Vec<u8> {
    let mut out = Vec::new();
    put_number(&mut out, u64::from(number));
    out.push(u8::from(links.is_anonymous));
    for links in [&links.links, &links.aliases] {
        put_number(&mut out, links.len() as u64);
        for (other, (time, message)) in links {
            put_number(&mut out, u64::from(*other));
            put_signed(&mut out, time.0);
            put_text(&mut out, message);
        }
    }
    put_number(&mut out, links.merges.len() as u64);
    links.merges.iter().for_each(|other| put_number(&mut out, u64::from(*other)));
    out
}

/// The number and the links of a row of [`crate::Table::Ids`].
pub(crate) fn id_of(row: &[u8]) -> Option<(u32, Links)> {
    let mut row = Bytes(row);
    let number = u32::try_from(row.number()?).ok()?;
    let is_anonymous = row.byte()? != 0;
    let (links, aliases) = (links_of(&mut row)?, links_of(&mut row)?);
    let n = row.number()?;
    let merges = (0..n).map(|_| u32::try_from(row.number()?).ok()).collect::<Option<_>>()?;
    row.is_empty().then_some((
        number,
        Links { is_anonymous, links: links.into_iter().collect(), aliases: aliases.into_iter().collect(), merges },
    ))
}

fn links_of(row: &mut Bytes<'_>) -> Option<Vec<(u32, Link)>> {
    let n = row.number()?;
    let link = |row: &mut Bytes<'_>| {
        let other = u32::try_from(row.number()?).ok()?;
        Some((other, (Timestamp(row.signed()?), row.text()?.to_owned())))
    };
    (0..n).map(|_| link(row)).collect()
}

/// A row of [`crate::Table::People`].
pub(crate) fn put_kept(kept: &Kept) -> Vec<u8> {
    let mut out = Vec::new();
    put_number(&mut out, u64::from(kept.program));
    put_signed(&mut out, kept.judged_at.0);
    for at in [kept.until, kept.exists_from] {
        out.push(u8::from(at.is_some()));
        at.into_iter().for_each(|at| put_signed(&mut out, at.0));
    }
    put_number(&mut out, kept.segments.len() as u64);
    kept.segments.iter().for_each(|segment| put_number(&mut out, u64::from(*segment)));
    out
}

/// What a row of [`crate::Table::People`] holds.
pub(crate) fn kept_of(row: &[u8]) -> Option<Kept> {
    let mut row = Bytes(row);
    let program = u32::try_from(row.number()?).ok()?;
    let judged_at = Timestamp(row.signed()?);
    let (until, exists_from) = (instant_of(&mut row)?, instant_of(&mut row)?);
    let n = row.number()?;
    let segments = (0..n).map(|_| u32::try_from(row.number()?).ok()).collect::<Option<_>>()?;
    row.is_empty().then_some(Kept { program, judged_at, until, exists_from, segments })
}

/// An instant that may not be there.
fn instant_of(row: &mut Bytes<'_>) -> Option<Option<Timestamp>> {
    match row.byte()? {
        0 => Some(None),
        _ => row.signed().map(|at| Some(Timestamp(at))),
    }
}
