//! Who is in what, and until when nothing can change that but new data: for whoever keeps
//! memberships true as time passes.

use crate::engine::Engine;
use crate::error::EvaluateError;
use crate::options::Options;
use crate::prepared::Prepared;
use seg_data::batch::History;
use seg_data::{Batch, Timestamp};
use seg_plan::{Edges, Stays, Wake, WakeOf};
use seg_syntax::diag::{Code, Diagnostic};
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

/// By what a segment changes though nothing happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByTime {
    /// Whether it is known to the microsecond when; see [`Edges::is_exact`].
    pub is_exact: bool,
    /// By what, each once; nothing where only what happens changes it.
    pub wakes: Vec<(Wake, WakeOf)>,
}

impl Outlook {
    /// By what each segment changes though nothing happens, in the order of
    /// [`Program::segment_names`](crate::Program::segment_names).
    pub fn by_time(&self) -> Vec<ByTime> {
        let program = self.prepared.program();
        let n_segments = program.segment_names().count();
        let edges = Edges::of(program.plan(), &(0..n_segments).collect::<Vec<usize>>());
        let of = |at: usize| ByTime { is_exact: edges.is_exact(at), wakes: edges.wakes(at) };
        (0..n_segments).map(of).collect()
    }

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

/// Segments of a program of which it is not known to the microsecond when time alone changes them,
/// so that they cannot be kept true: errors.
pub fn inexact(project: &crate::Project, outlook: &Outlook) -> crate::Diagnostics {
    let program = outlook.prepared.program();
    let module = program.module();
    let of_time = module.run().zip(outlook.by_time()).filter(|(_, by_time)| !by_time.is_exact);
    let found = of_time.map(|((_, segment), _)| {
        let message = format!("\"{}\" cannot be kept exactly as time passes", segment.name);
        Diagnostic::new(Code::InexactInTime, segment.span, message)
            .label("compares two times that pass and are rounded")
            .note(
                "a time since something that is multiplied or divided is rounded to a microsecond: of two such times each \
                 may be ahead of the other for a microsecond, again and again",
            )
            .help("multiply or divide only one of the two")
            .help("or compare with a fixed length of time, or with the person's usual gap")
    });
    crate::Diagnostics::new(found.collect(), project.sources.clone())
}
