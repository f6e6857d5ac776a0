//! Who is in what, and until when nothing can change that but new data: for whoever keeps
//! memberships true as time passes.

use crate::engine::Engine;
use crate::error::EvaluateError;
use crate::options::Options;
use crate::prepared::Prepared;
use seg_data::batch::History;
use seg_data::{Batch, Timestamp};
use seg_plan::Stays;
use std::sync::Arc;

/// So many people are judged by the plan evaluator at once, which decides for few people no
/// more than they need; for more, native code is ahead although it is bound anew, for it is
/// compiled once and kept. `cargo xtask bench --micro` measures both.
const FEW: usize = 16;

/// A program that also tells until when its answers stand. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outlook {
    prepared: Prepared,
    stays: Arc<Stays>,
}

/// The answers for one person as of an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whether they are in each segment, in the order of
    /// [`Program::segment_names`](crate::Program::segment_names).
    pub is_in: Vec<bool>,
    /// The first instant at which it has to be looked again: between the instant of the answers
    /// and it none of them changes, if no more data comes. It may be that none changes at it
    /// either. Without one they stand for ever.
    pub until: Option<Timestamp>,
    /// From when on the person exists; none for one who always has.
    pub exists_from: Option<Timestamp>,
}

impl Prepared {
    #[doc(hidden)]
    /// The program with what it takes to tell until when its answers stand, which is made here,
    /// once.
    pub fn outlook(&self) -> Outlook {
        Outlook { prepared: self.clone(), stays: Arc::new(Stays::of(self.program().plan())) }
    }
}

impl Outlook {
    /// The program.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// The answers for everybody of a batch as of an instant, a row each. What the batch knows
    /// of later than that has not happened yet, and ends what stands.
    ///
    /// # Errors
    /// See [`EvaluateError`].
    pub fn look(&self, batch: &Batch, now: Timestamp, options: &Options) -> Result<Vec<Standing>, EvaluateError> {
        let now = now.in_range()?;
        let is_asked = options.engine.is_some() || options.max_cost.is_some();
        let masks = if is_asked {
            Some(self.prepared.evaluate_with(batch, now, options)?.into_masks())
        } else if batch.len() > FEW {
            let options = options.clone().with_engine(Engine::Jit);
            Some(self.prepared.evaluate_with(batch, now, &options)?.into_masks())
        } else {
            self.prepared.check(batch)?;
            None
        };
        let known = batch.as_of(now);
        let mut evaluated = self.stays.evaluator().over(&known, now);
        let mut walk = self.stays.walk();
        let standing = |row: usize| {
            let is_in = match &masks {
                Some(masks) => masks.iter().map(|mask| mask.get(row)).collect(),
                None => evaluated.segments(row),
            };
            let until = walk.until(&mut evaluated, row, next_known(batch, row, now));
            Standing { is_in, until, exists_from: batch.exists_from(row) }
        };
        Ok((0..batch.len()).map(standing).collect())
    }
}

/// The first instant after another at which something of a person happens that a batch knows
/// of already, or from which on they exist.
fn next_known(batch: &Batch, row: usize, now: Timestamp) -> Option<Timestamp> {
    let of_events = batch.all_events().filter_map(|events| {
        let times = events.times().get(events.range(row))?;
        times.get(times.partition_point(|time| *time <= now.0)).map(|time| Timestamp(*time))
    });
    let later = |history: &History| history.range(row).map(|at| history.time(at)).find(|time| *time > now);
    let of_values = batch.all_histories().filter_map(later);
    let begins = batch.exists_from(row).filter(|begins| *begins > now);
    of_events.chain(of_values).chain(begins).min()
}
