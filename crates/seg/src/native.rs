//! Native code, where the crate is built with it: the feature `jit`.

use crate::options::Options;
use seg_data::{Batch, Mask, Timestamp};
use seg_plan::Plan;
use std::num::NonZero;
use std::sync::Arc;

/// Why there is no native code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Somebody asked to stop.
    #[cfg_attr(not(feature = "jit"), expect(dead_code, reason = "what does not run is not stopped"))]
    Cancelled,
    /// It cannot be made or run here, for this reason.
    Unavailable(String),
}

#[cfg(feature = "jit")]
pub(crate) use with_jit::{Compiled, Native, OneByOne};
#[cfg(not(feature = "jit"))]
pub(crate) use without_jit::{Compiled, Native, OneByOne};

#[cfg(feature = "jit")]
mod with_jit {
    use super::{Arc, Batch, Failure, Mask, NonZero, Options, Plan, Timestamp};
    use seg_exec::{AccessPolicy, CompiledPlan, ExecOptions, JitError, PreparedPlan, SizesError};
    use std::fmt;

    /// A plan with its code so far.
    #[derive(Debug)]
    pub(crate) struct Native(PreparedPlan);

    impl From<JitError> for Failure {
        fn from(error: JitError) -> Failure {
            match error {
                JitError::Cancelled => Failure::Cancelled,
                JitError::Unavailable(_) | JitError::Internal(_) | JitError::Mismatch(_) => {
                    Failure::Unavailable(error.to_string())
                }
            }
        }
    }

    impl From<SizesError> for Failure {
        fn from(error: SizesError) -> Failure {
            match error {
                SizesError::Cancelled => Failure::Cancelled,
                SizesError::DifferentBatches => Failure::Unavailable(error.to_string()),
            }
        }
    }

    impl Native {
        /// Without code yet.
        pub fn new(plan: &Arc<Plan>) -> Native {
            Native(PreparedPlan::new(Arc::clone(plan)))
        }

        /// Compiles the plan for a batch.
        pub fn compile(&self, batch: &Batch, now: Timestamp, options: &Options) -> Result<Compiled, Failure> {
            let access = if options.derives_columns { AccessPolicy::Cheapest } else { AccessPolicy::Walk };
            let cancel = options.cancel.clone().unwrap_or_default();
            let options = ExecOptions { threads: options.threads, access, cancel };
            Ok(Compiled(self.0.bind(batch, now, &options)?))
        }

        /// The sizes of all segments at several instants.
        pub fn sizes(
            &self,
            batch: &Batch,
            instants: &[Timestamp],
            options: &Options,
        ) -> Result<Vec<Vec<u64>>, Failure> {
            // Columns derived for one instant are of no use at the next.
            let options = options.clone().without_derived_columns();
            let compile = |now: &Timestamp| self.compile(batch, *now, &options).map(|c| c.0);
            let plans = instants.iter().map(compile).collect::<Result<Vec<CompiledPlan>, Failure>>()?;
            Ok(seg_exec::sizes(&plans, options.threads, &options.cancel.clone().unwrap_or_default())?)
        }
    }

    /// A plan compiled for a batch.
    pub(crate) struct Compiled(CompiledPlan);

    impl fmt::Debug for Compiled {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "Compiled({} people)", self.0.n_people())
        }
    }

    impl Compiled {
        /// Fills the masks, unless it is cancelled.
        pub fn evaluate_into(&self, n_threads: NonZero<usize>, masks: &mut Vec<Mask>) -> bool {
            // Running fails in no other way.
            self.0.evaluate_into(n_threads, masks).is_ok()
        }

        /// For one person at a time.
        pub fn one_by_one(&self) -> OneByOne<'_> {
            OneByOne(self.0.one_by_one())
        }

        /// How each condition is decided, a line each.
        pub fn physical(&self) -> String {
            self.0.physical().to_string()
        }
    }

    /// Decides for people one by one.
    pub(crate) struct OneByOne<'c>(seg_exec::OneByOne<'c>);

    impl fmt::Debug for OneByOne<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("OneByOne")
        }
    }

    impl OneByOne<'_> {
        /// The segments of the person of a row.
        pub fn segments(&mut self, row: usize) -> Vec<bool> {
            self.0.segments(row).collect()
        }
    }
}

#[cfg(not(feature = "jit"))]
mod without_jit {
    use super::{Arc, Batch, Failure, Mask, NonZero, Options, Plan, Timestamp};

    /// No code at all.
    #[derive(Debug)]
    pub(crate) struct Native;

    fn none<T>() -> Result<T, Failure> {
        Err(Failure::Unavailable("this program was built without native code".to_owned()))
    }

    impl Native {
        /// There is no code.
        pub fn new(_: &Arc<Plan>) -> Native {
            Native
        }

        /// There is no code.
        pub fn compile(&self, _: &Batch, _: Timestamp, _: &Options) -> Result<Compiled, Failure> {
            none()
        }

        /// There is no code.
        pub fn sizes(&self, _: &Batch, _: &[Timestamp], _: &Options) -> Result<Vec<Vec<u64>>, Failure> {
            none()
        }
    }

    /// Never made.
    #[derive(Debug)]
    pub(crate) enum Compiled {}

    impl Compiled {
        /// Never called.
        pub fn evaluate_into(&self, _: NonZero<usize>, _: &mut Vec<Mask>) -> bool {
            match *self {}
        }

        /// Never called.
        pub fn one_by_one(&self) -> OneByOne<'_> {
            match *self {}
        }

        /// Never called.
        pub fn physical(&self) -> String {
            match *self {}
        }
    }

    /// Never made.
    #[derive(Debug)]
    pub(crate) struct OneByOne<'c>(std::convert::Infallible, std::marker::PhantomData<&'c ()>);

    impl OneByOne<'_> {
        /// Never called.
        pub fn segments(&mut self, _: usize) -> Vec<bool> {
            match self.0 {}
        }
    }
}
