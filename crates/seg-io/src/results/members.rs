//! Members as tables: a row a member, a row a person, a row a change.

use super::changes::{Changed, Changes};
use super::column::{AttributeColumn, StayColumn};
use super::table::{Chunks, ROWS, Table, text_column};
use super::{CHANGE_COLUMN, SEGMENT_COLUMN};
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow_schema::ArrowError;
use seg_data::batch::ID_COLUMN;
use seg_data::{Batch, Mask, Timestamp, Type};
use std::sync::Arc;

/// Who is in which segment, and what is told of each of them.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a> {
    /// Everybody.
    pub batch: &'a Batch,
    /// The instant as of which the segments were evaluated.
    pub now: Timestamp,
    /// Each segment with those who are in it, in the order of the project.
    pub segments: &'a [(&'a str, &'a Mask)],
    /// The attributes that stand beside each person.
    pub columns: &'a [AttributeColumn],
    /// What stands behind them of each person in each segment; not in a table with a row a
    /// person.
    pub stays: &'a [StayColumn],
}

impl<'a> Members<'a> {
    /// A row a member: the segment, the person, the attributes.
    pub fn long(&self) -> (Table, Chunks<'a>) {
        let table = self.table_of_stays([SEGMENT_COLUMN, ID_COLUMN]);
        let segments = self.segments;
        let rows = (0..).zip(segments).flat_map(|(at, (_, mask))| mask.rows().map(move |row| (at, row as u32)));
        let members = *self;
        let chunks = in_chunks(&table, rows, move |rows: Vec<(usize, u32)>| {
            let names = rows.iter().filter_map(|(at, _)| Some(segments.get(*at)?.0));
            let names = text_column(names)?;
            let people: UInt32Array = rows.iter().map(|(_, row)| Some(*row)).collect();
            let stays = members.of_stays(|| rows.iter().map(|(at, row)| (*at, Some(*row))));
            Ok([vec![names, members.ids(&people)?], members.of_columns(&people)?, stays].concat())
        });
        (table, chunks)
    }

    /// A row a person who exists: the attributes, and whether they are in each segment.
    pub fn wide(&self) -> (Table, Chunks<'a>) {
        let of_segments = self.segments.iter().map(|(name, _)| *name);
        let table = self.table([ID_COLUMN], of_segments);
        let existing = self.batch.existing(self.now);
        let rows = (0..self.batch.len()).filter(move |row| existing.as_ref().is_none_or(|mask| mask.get(*row)));
        let members = *self;
        let chunks = in_chunks(&table, rows, move |rows: Vec<usize>| {
            let people: UInt32Array = rows.iter().map(|row| Some(*row as u32)).collect();
            let is_in = members.segments.iter().map(|(_, mask)| {
                let is_in: BooleanArray = rows.iter().map(|row| Some(mask.get(*row))).collect();
                Arc::new(is_in) as ArrayRef
            });
            Ok([vec![members.ids(&people)?], members.of_columns(&people)?, is_in.collect()].concat())
        });
        (table, chunks)
    }

    /// A row a member of one segment, by its position: the person, the attributes.
    pub fn of_segment(&self, at: usize) -> (Table, Chunks<'a>) {
        let table = self.table_of_stays([ID_COLUMN]);
        let mask = self.segments.get(at).map(|(_, mask)| *mask);
        let members = *self;
        let rows = mask.into_iter().flat_map(Mask::rows);
        let chunks = in_chunks(&table, rows, move |rows: Vec<usize>| {
            let people: UInt32Array = rows.iter().map(|row| Some(*row as u32)).collect();
            let stays = members.of_stays(|| rows.iter().map(|row| (at, Some(*row as u32))));
            Ok([vec![members.ids(&people)?], members.of_columns(&people)?, stays].concat())
        });
        (table, chunks)
    }

    /// A row a person who entered or left a segment, or stayed where that is asked for, with
    /// what they did and the attributes.
    pub fn changes(&self, changes: &'a Changes, with_stayed: bool) -> (Table, Chunks<'a>) {
        let table = self.table_of_stays([SEGMENT_COLUMN, ID_COLUMN, CHANGE_COLUMN]);
        let members = *self;
        let position = |name: &str| members.segments.iter().position(|(segment, _)| *segment == name);
        let chunks = in_chunks(&table, changes.rows(with_stayed), move |rows: Vec<Changed<'a>>| {
            let texts = |text: fn(&Changed<'a>) -> &'a str| text_column(rows.iter().map(text));
            let id = |row: &Changed<'a>| row.person.map_or(row.id, |person| members.batch.id(person as usize));
            let ids = text_column(rows.iter().map(id))?;
            let people: UInt32Array = rows.iter().map(|row| row.person).collect();
            let told = vec![texts(|row| row.segment)?, ids, texts(|row| row.change)?];
            let stays = members.of_stays(|| {
                let of = |row: &Changed<'a>| (position(row.segment).unwrap_or(usize::MAX), row.person);
                rows.iter().map(of)
            });
            Ok([told, members.of_columns(&people)?, stays].concat())
        });
        (table, chunks)
    }

    /// A row a person who is in any of the segments that compete: the person and the segment
    /// that they go to, by its position, for everybody in order.
    pub fn winners(&self, winners: &'a [Option<usize>]) -> (Table, Chunks<'a>) {
        let table = Table::new([ID_COLUMN, SEGMENT_COLUMN].map(|name| (name.to_owned(), Type::Text, false)));
        let members = *self;
        let rows = winners.iter().enumerate().filter_map(|(row, segment)| Some((row, (*segment)?)));
        let chunks = in_chunks(&table, rows, move |rows: Vec<(usize, usize)>| {
            let people: UInt32Array = rows.iter().map(|(row, _)| Some(*row as u32)).collect();
            let names = rows.iter().filter_map(|(_, at)| Some(members.segments.get(*at)?.0));
            Ok(vec![members.ids(&people)?, text_column(names)?])
        });
        (table, chunks)
    }

    fn table<'n, const N: usize>(&self, texts: [&'n str; N], booleans: impl IntoIterator<Item = &'n str>) -> Table {
        let texts = texts.into_iter().map(|name| (name.to_owned(), Type::Text, false));
        let columns = self.columns.iter().map(|column| (column.name.clone(), column.ty.clone(), true));
        let booleans = booleans.into_iter().map(|name| (name.to_owned(), Type::Boolean, false));
        Table::new(texts.chain(columns).chain(booleans))
    }

    /// The same with what stands behind the attributes.
    fn table_of_stays<const N: usize>(&self, texts: [&str; N]) -> Table {
        let texts = texts.into_iter().map(|name| (name.to_owned(), Type::Text, false));
        let columns = self.columns.iter().map(|column| (column.name.clone(), column.ty.clone(), true));
        let stays = self.stays.iter().map(|column| (column.name.clone(), Type::Timestamp, true));
        Table::new(texts.chain(columns).chain(stays))
    }

    /// The instants of some people in segments by their positions.
    fn of_stays<I: Iterator<Item = (usize, Option<u32>)>>(&self, rows: impl Fn() -> I) -> Vec<ArrayRef> {
        self.stays.iter().map(|column| column.of_rows(rows())).collect()
    }

    fn ids(&self, people: &UInt32Array) -> Result<ArrayRef, ArrowError> {
        text_column(people.values().iter().map(|row| self.batch.id(*row as usize)))
    }

    fn of_columns(&self, people: &UInt32Array) -> Result<Vec<ArrayRef>, ArrowError> {
        self.columns.iter().map(|column| column.of_rows(people)).collect()
    }
}

/// Rows, some together, as the columns of a table.
fn in_chunks<'a, R>(
    table: &Table,
    rows: impl Iterator<Item = R> + 'a,
    columns: impl Fn(Vec<R>) -> Result<Vec<ArrayRef>, ArrowError> + 'a,
) -> Chunks<'a> {
    let schema = Arc::clone(table.schema());
    let mut rows = rows;
    Box::new(std::iter::from_fn(move || {
        let together: Vec<R> = rows.by_ref().take(ROWS).collect();
        if together.is_empty() {
            return None;
        }
        Some(columns(together).and_then(|columns| RecordBatch::try_new(Arc::clone(&schema), columns)))
    }))
}
