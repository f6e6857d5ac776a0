//! The columns of files under the names that their source gives them.
//!
//! What a source names comes before the columns of the file, so that it keeps its places
//! where later rows of a file bring columns that the earlier ones lacked.

use super::{Columns, Left, Pruning, Purpose, RowSink};
use crate::cell::Cell;
use crate::manifest::Reading;
use crate::report::ProblemKind;
use crate::rules::Rules;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, Int32Array, StringArray};
use seg_data::{Type, Zone};
use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// A sink that sees the columns as its source names them.
pub(super) struct Mapped<'m> {
    sink: &'m mut dyn RowSink,
    named: Vec<Named>,
    /// What the source says of its texts.
    rules: Rules,
    /// Names of the file's own columns that are kept, although they stand for something.
    special: Vec<String>,
    /// The names of all columns, as the sink knows them.
    all: Vec<String>,
}

/// A column that the source names.
struct Named {
    name: String,
    from: From,
}

/// Where the values of a column come from.
enum From {
    /// The first of these columns of the file that has one, with where they are.
    Columns(Vec<(String, Option<usize>)>),
    /// The source says it of every row.
    Value(String),
}

/// A value that the source says, which the rules for the texts of its files leave alone.
fn said(value: &str) -> Cell<'_> {
    let is_number = value.parse::<f64>().is_ok() && value.bytes().any(|byte| byte.is_ascii_digit());
    if is_number { Cell::Digits(value) } else { Cell::Text(value) }
}

impl<'m> Mapped<'m> {
    /// The sink in the names of its source, or as it is where the source says nothing.
    /// `partitions` are what the path of the file says of its rows.
    pub fn new(
        sink: &'m mut dyn RowSink,
        reading: &Reading,
        partitions: &[(String, String)],
        special: &[&str],
    ) -> Result<Mapped<'m>, &'m mut dyn RowSink> {
        let mut named = Vec::new();
        if let (Some(id), false) = (special.first(), reading.other_ids.is_empty()) {
            let columns = std::iter::once(*id).chain(reading.other_ids.iter().map(String::as_str));
            let columns = columns.map(|column| (column.to_owned(), None)).collect();
            named.push(Named { name: (*id).to_owned(), from: From::Columns(columns) });
        }
        named.extend(
            reading
                .columns
                .iter()
                .map(|(name, column)| Named { name: name.clone(), from: From::Columns(vec![(column.clone(), None)]) }),
        );
        let values = reading.values.iter().chain(partitions.iter().map(|(name, value)| (name, value)));
        named.extend(values.map(|(name, value)| Named { name: name.clone(), from: From::Value(value.clone()) }));
        if named.is_empty() {
            return Err(sink);
        }
        let special = special.iter().map(|name| (*name).to_owned()).collect();
        Ok(Mapped { sink, named, rules: Rules::new(reading), special, all: Vec::new() })
    }

    /// Where a column of the file is for the sink.
    fn place(&self, column: usize) -> usize {
        self.named.len() + column
    }
}

impl RowSink for Mapped<'_> {
    fn columns(&mut self, names: &[String]) {
        let mut used: Vec<&String> = Vec::new();
        for column in &mut self.named {
            if let From::Columns(columns) = &mut column.from {
                for (name, at) in columns {
                    *at = names.iter().position(|known| known == name);
                    used.extend(at.and_then(|at| names.get(at)));
                }
            }
        }
        // What no column of the file stands for is not there.
        let is_there = |column: &Named| match &column.from {
            From::Columns(columns) => columns.iter().any(|(_, at)| at.is_some()),
            From::Value(_) => true,
        };
        let of_source = self.named.iter().map(|column| match is_there(column) {
            true => column.name.clone(),
            false => String::new(),
        });
        // A name that the source gives to another column, or that has another name now.
        let is_taken = |name: &String| {
            let is_given = self.named.iter().any(|column| column.name == *name && is_there(column));
            is_given || used.contains(&name) && !self.special.contains(name)
        };
        let of_file = names.iter().map(|name| if is_taken(name) { String::new() } else { name.clone() });
        self.all = of_source.chain(of_file).collect();
        self.sink.columns(&self.all);
    }

    fn more_columns(&mut self, names: &[String], n_known: usize) {
        let new = names.get(n_known..).unwrap_or_default();
        let stands_for = |column: &Named| match &column.from {
            From::Columns(columns) => columns.iter().any(|(name, _)| new.contains(name)),
            From::Value(_) => false,
        };
        if self.named.iter().any(stands_for) {
            return self.columns(names);
        }
        let (of_source, n_before) = (self.all.iter().take(self.named.len()), self.all.len());
        let given: HashSet<&String> = of_source.filter(|name| !name.is_empty()).collect();
        let more = new.iter().map(|name| if given.contains(name) { String::new() } else { name.clone() });
        let more: Vec<String> = more.collect();
        self.all.extend(more);
        self.sink.more_columns(&self.all, n_before);
    }

    fn purposes(&self, n_columns: usize) -> Option<Vec<Option<Purpose>>> {
        let mut of_source = self.sink.purposes(self.place(n_columns))?;
        let mut of_file = of_source.split_off(self.named.len());
        for (named, purpose) in self.named.iter().zip(of_source) {
            let Some(purpose) = purpose else { continue };
            let column = match (&named.from, &purpose) {
                // A text that is said is a column of its own.
                (From::Value(_), Purpose::Name | Purpose::Value(Type::Text)) => continue,
                (From::Value(_), _) => return None,
                (From::Columns(columns), _) => match columns.as_slice() {
                    [(_, at)] => *at,
                    // Of several it is asked row by row which has one.
                    _ => return None,
                },
            };
            let Some(slot) = column.and_then(|at| of_file.get_mut(at)) else { continue };
            if slot.get_or_insert_with(|| purpose.clone()) != &purpose {
                return None;
            }
        }
        Some(of_file)
    }

    fn wants(&self, column: usize) -> bool {
        let stands_in = |(at, named): (usize, &Named)| match &named.from {
            From::Columns(columns) => columns.iter().any(|(_, of)| *of == Some(column)) && self.sink.wants(at),
            From::Value(_) => false,
        };
        self.sink.wants(self.place(column)) || self.named.iter().enumerate().any(stands_in)
    }

    fn known_columns(&self) -> Vec<String> {
        let of_source = self.named.iter().filter_map(|named| match &named.from {
            From::Columns(columns) => Some(columns.iter().map(|(name, _)| name.clone())),
            From::Value(_) => None,
        });
        of_source.flatten().chain(self.sink.known_columns()).collect()
    }

    fn zone(&self) -> Option<Zone> {
        self.sink.zone()
    }

    fn prefers_keys(&self, column: usize) -> bool {
        let is_read = |(at, named): (usize, &Named)| match &named.from {
            From::Columns(columns) => columns.iter().any(|(_, of)| *of == Some(column)) && !self.sink.prefers_keys(at),
            From::Value(_) => false,
        };
        self.sink.prefers_keys(self.place(column)) && !self.named.iter().enumerate().any(is_read)
    }

    fn pruning(&self) -> Option<Pruning> {
        // Where a column of the source is in the file, if one is all it stands for.
        let in_file = |place: usize| match self.named.get(place).map(|named| &named.from) {
            None => place.checked_sub(self.named.len()),
            Some(From::Columns(columns)) => match columns.as_slice() {
                [(_, at)] => *at,
                _ => None,
            },
            Some(From::Value(_)) => None,
        };
        let pruning = self.sink.pruning()?;
        let (id_at, event_at) = (in_file(pruning.id_at)?, in_file(pruning.event_at)?);
        Some(Pruning { id_at, event_at, time_at: in_file(pruning.time_at)?, ..pruning })
    }

    fn knows(&self, ids: RangeInclusive<i64>) -> bool {
        self.sink.knows(ids)
    }

    fn left(&mut self, n_before: u64, left: &Left) {
        self.sink.left(n_before, left);
    }

    fn batches(&mut self, n_before: u64, batches: &[Columns]) -> usize {
        let Some(batches) = batches.iter().map(|batch| mapped(&self.named, batch)).collect::<Option<Vec<_>>>() else {
            return 0;
        };
        self.sink.batches(n_before, &batches)
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) {
        let mut all: Vec<Cell<'_>> = Vec::with_capacity(self.named.len() + cells.len());
        all.extend(self.named.iter().map(|named| match &named.from {
            From::Value(value) => said(value),
            From::Columns(columns) => {
                let mut cells = columns.iter().filter_map(|(_, at)| cells.get((*at)?));
                // Of several the first that is an id.
                let found =
                    if columns.len() == 1 { cells.next() } else { cells.find(|cell| self.rules.id(cell).is_some()) };
                found.cloned().unwrap_or(Cell::Missing)
            }
        }));
        all.extend(cells.iter().cloned());
        self.sink.row(line, &all);
    }

    fn broken(&mut self, line: u64, why: &str) {
        self.sink.broken(line, why);
    }

    fn note(&mut self, kind: ProblemKind, column: &str, line: u64) {
        self.sink.note(kind, column, line);
    }
}

/// The columns of a batch with those of the source before them; none where a value has to
/// be looked for row by row.
fn mapped(named: &[Named], batch: &Columns) -> Option<Columns> {
    let mut arrays: Vec<Option<ArrayRef>> = Vec::with_capacity(named.len() + batch.arrays.len());
    for column in named {
        arrays.push(match &column.from {
            From::Value(value) => Some(constant(value, batch.n_rows)),
            From::Columns(columns) => {
                let mut arrays = columns.iter().filter_map(|(_, at)| batch.at(*at));
                let first = arrays.next();
                if arrays.next().is_some() && first.is_some_and(|array| array.null_count() > 0) {
                    return None;
                }
                first.cloned()
            }
        });
    }
    arrays.extend(batch.arrays.iter().cloned());
    Some(Columns { arrays, n_rows: batch.n_rows, are_known: batch.are_known, lines: batch.lines.clone() })
}

/// A column of one text.
fn constant(value: &str, n_rows: usize) -> ArrayRef {
    let keys = Int32Array::from(vec![0; n_rows]);
    Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(StringArray::from(vec![value]))))
}
