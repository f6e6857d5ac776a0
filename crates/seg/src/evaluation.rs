//! Who is in which segment.

use crate::compile::Program;
use crate::engine::{Engine, Reason};
use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::{ArrowError, Field, Schema};
use seg_data::Mask;
use std::sync::Arc;

/// Who is in each segment, and who said so.
#[derive(Debug, Clone)]
pub struct Evaluation {
    program: Program,
    masks: Vec<Mask>,
    engine: Engine,
    reason: Reason,
}

impl Evaluation {
    pub(crate) fn new(program: &Program, masks: Vec<Mask>, engine: Engine, reason: Reason) -> Evaluation {
        Evaluation { program: program.clone(), masks, engine, reason }
    }

    /// Adds the people of another batch behind these, where both are evaluations of one
    /// program: so data that memory does not hold at once is evaluated in parts.
    pub fn append(&mut self, next: &Evaluation) {
        self.masks.iter_mut().zip(&next.masks).for_each(|(mask, next)| mask.append(next));
    }

    /// Who is in a segment, by its name; `None` where no segment that is run has it.
    pub fn mask(&self, segment: &str) -> Option<&Mask> {
        let at = self.program.segment_names().position(|name| name == segment)?;
        self.masks.get(at)
    }

    /// One mask a segment, in the order of [`Program::segment_names`].
    pub fn masks(&self) -> &[Mask] {
        &self.masks
    }

    /// The masks, to be kept, or used again by
    /// [`BoundProgram::evaluate_into`](crate::BoundProgram::evaluate_into).
    pub fn into_masks(self) -> Vec<Mask> {
        self.masks
    }

    /// The masks as an Arrow record batch: a column of booleans a segment, by its
    /// name, and a row a person.
    ///
    /// # Errors
    /// A program without segments, of which no such batch can be made.
    pub fn to_arrow(&self) -> Result<RecordBatch, ArrowError> {
        let field = |name: &str| Field::new(name, arrow_schema::DataType::Boolean, false);
        let schema = Schema::new(self.program.segment_names().map(field).collect::<Vec<Field>>());
        let column = |mask: &Mask| Arc::new(BooleanArray::from(mask)) as _;
        RecordBatch::try_new(Arc::new(schema), self.masks.iter().map(column).collect())
    }

    /// The names of the segments, in the order of the masks.
    pub fn segment_names(&self) -> impl Iterator<Item = &str> {
        self.program.segment_names()
    }

    /// What evaluated them.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Why that.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The segment that each person goes to, as a position in
    /// [`Program::segment_names`]: the first of the project's order of precedence
    /// that they are in. `None` for a project without such an order.
    pub fn winners(&self) -> Option<Vec<Option<usize>>> {
        winners(&self.program, &self.masks)
    }
}

/// The segment that each person goes to; see [`Evaluation::winners`].
pub(crate) fn winners(program: &Program, masks: &[Mask]) -> Option<Vec<Option<usize>>> {
    if program.module().precedence.is_empty() {
        return None;
    }
    let order = crate::overlap::declared_order(program);
    let n_people = masks.first().map_or(0, Mask::len);
    let is_in = |at: usize, row: usize| masks.get(at).is_some_and(|mask| mask.get(row));
    Some((0..n_people).map(|row| order.iter().copied().find(|at| is_in(*at, row))).collect())
}
