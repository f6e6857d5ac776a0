//! Rows of a table in memory, batch by batch.

use super::RowSink;
use super::arrays::{Feed, ROUND};
use super::arrow::{Wanted, unreadable};
use crate::open::DataFile;
use crate::report::ReadError;
use crate::tables::TableRows;
use arrow_array::RecordBatch;

/// Rows of a batch that are looked at together: other tools may bring all in one batch.
const ROWS: usize = 65_536;

pub(super) fn read(file: &DataFile, rows: &TableRows, sink: &mut dyn RowSink) -> Result<(), ReadError> {
    let Some(reader) = rows.take() else {
        return Err(ReadError::new(&file.name, "the table was read before; give it again"));
    };
    let schema = reader.schema();
    let wanted = Wanted::of(&schema, sink);
    let fields = wanted.fields();
    let mut feed = Feed::new(&wanted.schema, &wanted.fields, sink);
    let mut together: Vec<RecordBatch> = Vec::with_capacity(ROUND);
    for batch in reader {
        let batch = batch.map_err(|e| ReadError::new(&file.name, format!("the table cannot be read: {e}")))?;
        if batch.schema().fields() != schema.fields() {
            return Err(ReadError::new(&file.name, "one of its batches has other columns than the table"));
        }
        let batch = batch.project(&fields).map_err(|e| unreadable(file, &e))?;
        let mut at = 0;
        while at < batch.num_rows() {
            let part = batch.slice(at, ROWS.min(batch.num_rows() - at));
            at += part.num_rows();
            together.push(wanted.typed(file, &part)?);
            if together.len() == ROUND {
                feed.batches(&together, false);
                together.clear();
            }
        }
    }
    feed.batches(&together, false);
    Ok(())
}
