//! What a store keeps of analytics calls: who is who by them, and which ones came.

use super::catalog::{StoredCalls, StoredFile};
use super::column::Reader;
use crate::calls::{Identities, KnownCalls, Messages, Said};
use crate::ipc::Columns;
use crate::report::ReadError;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, StringArray, UInt64Array};
use std::sync::Arc;

/// So many files of messages are put together.
const FILES_MAX: usize = 16;

/// Columns that are about to be written.
pub(super) struct NewCalls {
    pub identities: Columns,
    /// Of the calls that are new, or of all where those before them are not kept.
    pub messages: Columns,
    /// Whether the files of messages that are there stay.
    pub keeps_earlier: bool,
}

impl NewCalls {
    /// What is known of calls, for a store that has some files of messages.
    pub fn of(known: &KnownCalls, n_files: usize) -> NewCalls {
        let keeps_earlier = n_files < FILES_MAX;
        let (highs, lows) = known.messages.halves(!keeps_earlier);
        let halves: [(&str, ArrayRef); 2] = [("high", Arc::new(highs)), ("low", Arc::new(lows))];
        let messages = halves.into_iter().map(|(name, column)| (name.to_owned(), column)).collect();
        NewCalls { identities: identity_columns(&known.identities.said()), messages, keeps_earlier }
    }
}

/// What calls said, a row each.
pub(super) fn identity_columns(said: &[Said]) -> Columns {
    let link = |at: usize| said.get(at).and_then(|(_, _, link)| link.as_ref());
    let rows = 0..said.len();
    let aliases: BooleanArray = said.iter().map(|(is_alias, _, _)| Some(*is_alias)).collect();
    let times: Int64Array = rows.clone().map(|at| link(at).map(|(time, _, _)| *time)).collect();
    let messages: StringArray = rows.clone().map(|at| link(at).map(|(_, message, _)| message.as_str())).collect();
    let users: StringArray = rows.map(|at| link(at).map(|(_, _, user)| user.as_str())).collect();
    let own: [(&str, ArrayRef); 5] = [
        ("is_alias", Arc::new(aliases)),
        ("id", Arc::new(StringArray::from_iter_values(said.iter().map(|(_, id, _)| id)))),
        ("time", Arc::new(times)),
        ("message", Arc::new(messages)),
        ("user", Arc::new(users)),
    ];
    own.into_iter().map(|(name, column)| (name.to_owned(), column)).collect()
}

/// What calls said, out of its columns.
///
/// # Errors
/// A file that is not there or is not as it was written.
pub(super) fn read_identities(reader: &Reader, file: &StoredFile) -> Result<Vec<Said>, ReadError> {
    let columns = reader.columns(file)?;
    let column = |at: usize| columns.get(at).map(|(_, column)| column);
    let texts = |at: usize| column(at).and_then(|column| column.as_string_opt::<i32>());
    let aliases = column(0).and_then(|column| column.as_boolean_opt());
    let times = column(2).and_then(|column| column.as_primitive_opt::<Int64Type>());
    let (Some(aliases), Some(ids), Some(times), Some(messages), Some(users)) =
        (aliases, texts(1), times, texts(3), texts(4))
    else {
        return Err(reader.error(file, "the file is damaged"));
    };
    let link = |at: usize| {
        let is_there = times.is_valid(at) && messages.is_valid(at) && users.is_valid(at);
        is_there.then(|| (times.value(at), messages.value(at).to_owned(), users.value(at).to_owned()))
    };
    Ok((0..ids.len()).map(|at| (aliases.value(at), ids.value(at).to_owned(), link(at))).collect())
}

/// What a store knows of calls.
///
/// # Errors
/// A file that is not there or is not as it was written.
pub(super) fn read_calls(reader: &Reader, stored: &StoredCalls) -> Result<KnownCalls, ReadError> {
    let mut identities = Identities::default();
    read_identities(reader, &stored.identities)?.into_iter().for_each(|said| identities.learn(said));
    let halves = |file: &StoredFile| {
        let columns = reader.columns(file)?;
        let half = |at: usize| columns.get(at)?.1.as_primitive_opt::<UInt64Type>().filter(|c| c.null_count() == 0);
        let halves: Option<(UInt64Array, UInt64Array)> = half(0).cloned().zip(half(1).cloned());
        halves.ok_or_else(|| reader.error(file, "the file is damaged"))
    };
    let earlier = stored.messages.iter().map(halves).collect::<Result<_, ReadError>>()?;
    Ok(KnownCalls { identities, messages: Messages::after(earlier) })
}
