//! What a store keeps of people beside their ids: since when they exist and why, and the rows
//! that later ones are compared with.

use super::catalog::StoredFile;
use super::column::Reader;
use crate::attributes::{EarlierLines, Line};
use crate::existence::Proof;
use crate::ipc::Columns;
use crate::manifest::RowsAre;
use crate::merge::Merges;
use crate::report::ReadError;
use arrow_array::builder::{BooleanBuilder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMicrosecondType, UInt32Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, StringArray, TimestampMicrosecondArray, UInt32Array};
use seg_data::Timestamp;
use std::sync::Arc;

/// Proofs as columns.
pub(super) fn proof_columns(proofs: &[Proof]) -> Columns {
    let times = |of: fn(&Proof) -> Option<i64>| {
        let mut times = TimestampMicrosecondBuilder::with_capacity(proofs.len());
        proofs.iter().for_each(|proof| times.append_option(of(proof)));
        Arc::new(times.finish()) as ArrayRef
    };
    let mut undated = BooleanBuilder::with_capacity(proofs.len());
    proofs.iter().for_each(|proof| undated.append_value(proof.is_undated));
    vec![
        ("event".to_owned(), times(|proof| proof.event)),
        ("dated".to_owned(), times(|proof| proof.dated)),
        ("first_seen".to_owned(), times(|proof| proof.first_seen)),
        ("is_undated".to_owned(), Arc::new(undated.finish())),
    ]
}

/// Proofs out of their columns.
///
/// # Errors
/// A file that is not there or is not as it was written.
pub(super) fn read_proofs(reader: &Reader, file: &StoredFile) -> Result<Vec<Proof>, ReadError> {
    let columns = reader.columns(file)?;
    let damaged = || reader.error(file, "the file is damaged");
    let times = |at: usize| columns.get(at).and_then(|(_, c)| c.as_primitive_opt::<TimestampMicrosecondType>());
    let (Some(event), Some(dated), Some(first_seen)) = (times(0), times(1), times(2)) else { return Err(damaged()) };
    let undated = columns.get(3).and_then(|(_, column)| column.as_boolean_opt()).ok_or_else(damaged)?;
    let told = |column: &TimestampMicrosecondArray, at: usize| column.is_valid(at).then(|| column.value(at));
    let proof = |at: usize| Proof {
        event: told(event, at),
        dated: told(dated, at),
        first_seen: told(first_seen, at),
        is_undated: undated.value(at),
    };
    Ok((0..event.len()).map(proof).collect())
}

/// Merge records as columns.
pub(super) fn record_columns(records: &[(String, String)]) -> Columns {
    let texts = |of: fn(&(String, String)) -> &String| {
        Arc::new(StringArray::from_iter_values(records.iter().map(of))) as ArrayRef
    };
    vec![("from".to_owned(), texts(|(from, _)| from)), ("into".to_owned(), texts(|(_, into)| into))]
}

/// Merge records out of their columns.
///
/// # Errors
/// A file that is not there or is not as it was written.
pub(super) fn read_records(reader: &Reader, file: &StoredFile) -> Result<Vec<(String, String)>, ReadError> {
    let columns = reader.columns(file)?;
    let texts = |at: usize| columns.get(at).and_then(|(_, column)| column.as_string_opt::<i32>());
    let (Some(from), Some(into)) = (texts(0), texts(1)) else {
        return Err(reader.error(file, "the file is damaged"));
    };
    let pairs = from.iter().flatten().zip(into.iter().flatten());
    Ok(pairs.map(|(from, into)| (from.to_owned(), into.to_owned())).collect())
}

/// Lines as columns, before those of their values. The id of a line is kept where it is not
/// the one that its person goes by: what it counts for may change when more ids are merged.
pub(super) fn line_columns(kept: &EarlierLines, merges: &Merges, id_of: impl Fn(u32) -> String) -> Columns {
    let lines = &kept.lines;
    let merged = merges.merged();
    let own_id = |line: &Line| {
        let others = merged.get(id_of(line.person).as_str())?;
        others.get((line.rank as usize).checked_sub(1)?).map(|id| (*id).to_owned())
    };
    let mut ids = StringBuilder::new();
    lines.iter().for_each(|line| ids.append_option(if line.rank == 0 { None } else { own_id(line) }));
    let times: Int64Array = lines.iter().map(|line| line.time.map(|time| time.0)).collect();
    let snapshots: BooleanArray = lines.iter().map(|line| Some(line.source.1 == RowsAre::Snapshots)).collect();
    let numbers = |of: fn(&Line) -> u32| Arc::new(lines.iter().map(of).collect::<UInt32Array>()) as ArrayRef;
    let own = [
        ("person", numbers(|line| line.person)),
        ("id", Arc::new(ids.finish()) as ArrayRef),
        ("time", Arc::new(times)),
        ("source", numbers(|line| line.source.0)),
        ("is_snapshot", Arc::new(snapshots)),
    ];
    let own = own.into_iter().map(|(name, column)| (name.to_owned(), column));
    own.chain(kept.columns.iter().enumerate().map(|(at, column)| (format!("value-{at}"), Arc::clone(column)))).collect()
}

/// Lines out of their columns; people's rows are looked up among those of now, and what a
/// line counts for by who is one now.
///
/// # Errors
/// A file that is not there or is not as it was written.
pub(super) fn read_lines(
    reader: &Reader,
    stored: &super::catalog::StoredLines,
    rows: &[u32],
    merges: &Merges,
    old_id: impl Fn(u32) -> String,
) -> Result<EarlierLines, ReadError> {
    let mut columns = reader.columns(&stored.file)?;
    let damaged = || reader.error(&stored.file, "the file is damaged");
    if columns.len() < 5 {
        return Err(damaged());
    }
    let values = columns.split_off(5);
    let column = |at: usize| columns.get(at).map(|(_, column)| column);
    let people = column(0).and_then(|c| c.as_primitive_opt::<UInt32Type>()).ok_or_else(damaged)?;
    let ids = column(1).and_then(|c| c.as_string_opt::<i32>()).ok_or_else(damaged)?;
    let times = column(2).and_then(|c| c.as_primitive_opt::<arrow_array::types::Int64Type>()).ok_or_else(damaged)?;
    let sources = column(3).and_then(|c| c.as_primitive_opt::<UInt32Type>()).ok_or_else(damaged)?;
    let snapshots = column(4).and_then(|c| c.as_boolean_opt()).ok_or_else(damaged)?;
    let mut lines = Vec::with_capacity(people.len());
    for at in 0..people.len() {
        let person = people.value(at);
        let own_id = if ids.is_valid(at) { ids.value(at).to_owned() } else { old_id(person) };
        let rows_are = if snapshots.value(at) { RowsAre::Snapshots } else { RowsAre::Changes };
        lines.push(Line {
            person: rows.get(person as usize).copied().ok_or_else(damaged)?,
            rank: merges.identity(&own_id).map_or(0, |identity| identity.rank),
            time: times.is_valid(at).then(|| Timestamp(times.value(at))),
            source: (sources.value(at), rows_are),
        });
    }
    let columns = values.into_iter().map(|(_, column)| column).collect();
    Ok(EarlierLines { lines, columns, has: stored.has.clone() })
}
