//! Batches without some of their events.

use super::{Batch, BatchError, BatchProblem, ID_COLUMN};
use crate::schema::EventId;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field as ArrowField, Schema as ArrowSchema};
use std::sync::Arc;

impl Batch {
    /// The same people with only those of their events that are to be kept, of the names
    /// whose events were checked; all else stays as it is. `keep` is asked about an event by
    /// its name and its position among those of the name.
    ///
    /// # Errors
    /// None where the columns were checked before, which every batch does.
    pub fn with_events(&self, keep: impl Fn(EventId, usize) -> bool) -> Result<Batch, BatchError> {
        let mut fields: Vec<Arc<ArrowField>> = Vec::with_capacity(self.records.num_columns());
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.records.num_columns());
        for (field, column) in self.records.schema().fields().iter().zip(self.records.columns()) {
            let event = self.schema.events.iter().position(|event| event.name == *field.name());
            let id = event.map(|at| EventId(at as u32));
            match id.and_then(|id| Some((id, self.events(id)?))) {
                Some((id, events)) => {
                    let kept = events.kept(|idx| keep(id, idx))?;
                    fields.push(Arc::new(ArrowField::new(field.name(), kept.data_type().clone(), true)));
                    columns.push(kept);
                }
                None => {
                    fields.push(Arc::clone(field));
                    columns.push(Arc::clone(column));
                }
            }
        }
        let records = RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns).map_err(|error| {
            let (expected, found) = (DataType::Null, DataType::Null);
            let problem = BatchProblem::NotConvertible { expected, found, why: error.to_string() };
            BatchError { column: ID_COLUMN.to_owned(), problem }
        })?;
        Batch::new(Arc::clone(&self.schema), records)
    }
}
