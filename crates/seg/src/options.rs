//! How to evaluate, where the default will not do.

use crate::engine::Engine;
use seg_data::Cancel;
use seg_plan::Cost;
use std::num::NonZero;

/// How to evaluate. None of it changes an answer.
///
/// ```
/// use seg::{Cancel, Cost, Engine, Options};
/// use std::time::Duration;
///
/// let cancel = Cancel::new();
/// let options = Options::new().with_threads(2).with_max_cost(Cost(Duration::from_secs(30))).with_cancel(&cancel);
/// assert_eq!(Options::new().with_engine(Engine::Plan).engine(), Some(Engine::Plan));
/// # assert_eq!(options.engine(), None);
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) engine: Option<Engine>,
    pub(crate) threads: NonZero<usize>,
    pub(crate) max_cost: Option<Cost>,
    pub(crate) cancel: Option<Cancel>,
    #[cfg_attr(not(feature = "jit"), expect(dead_code, reason = "only native code derives columns"))]
    pub(crate) derives_columns: bool,
    pub(crate) refuses_missing: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}

impl Options {
    /// Seg's own choice of engine, on the caller's thread alone, whatever it costs.
    pub fn new() -> Options {
        let (derives_columns, refuses_missing) = (true, false);
        let threads = NonZero::<usize>::MIN;
        Options { engine: None, threads, max_cost: None, cancel: None, derives_columns, refuses_missing }
    }

    /// By this engine. Native code that cannot be had is replaced all the same.
    #[must_use]
    pub fn with_engine(self, engine: Engine) -> Options {
        Options { engine: Some(engine), ..self }
    }

    /// By up to so many threads; 0 counts as 1.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Options {
        Options { threads: NonZero::new(threads).unwrap_or(NonZero::<usize>::MIN), ..self }
    }

    /// Refused when it is expected to cost more.
    #[must_use]
    pub fn with_max_cost(self, max_cost: Cost) -> Options {
        Options { max_cost: Some(max_cost), ..self }
    }

    /// Stopped within 50 ms when the handle is used, from any thread.
    #[must_use]
    pub fn with_cancel(self, cancel: &Cancel) -> Options {
        Options { cancel: Some(cancel.clone()), ..self }
    }

    /// Without columns that are derived from the batch and kept with it: for whoever
    /// asks about few of its people, or evaluates it once.
    #[must_use]
    pub fn without_derived_columns(self) -> Options {
        Options { derives_columns: false, ..self }
    }

    /// Refused when the batch lacks a column that the segments read, which otherwise reads as
    /// missing: for batches whose columns were named by hand.
    #[must_use]
    pub fn with_missing_refused(self) -> Options {
        Options { refuses_missing: true, ..self }
    }

    /// The engine that is asked for; none leaves the choice to Seg.
    pub fn engine(&self) -> Option<Engine> {
        self.engine
    }
}
