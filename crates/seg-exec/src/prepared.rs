//! What binding a plan to one batch leaves for the next.

use crate::options::ExecOptions;
use crate::program::{CompiledPlan, compile_fitted};
use seg_data::{Batch, Timestamp};
use seg_jit::{Jit, JitError};
use seg_plan::{Fit, Plan, Statistics};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// So many fitted plans are kept: batches of a few kinds in turn, as those of several
/// sources.
const FITTED_MAX: usize = 8;

/// A plan with its native code so far, and with what it became over the last batches.
pub struct PreparedPlan {
    plan: Arc<Plan>,
    jit: Jit,
    /// The one that was used last at the end.
    fitted: Mutex<Vec<(Fit, Arc<Plan>)>>,
}

impl PreparedPlan {
    /// Without any yet.
    pub fn new(plan: Arc<Plan>) -> PreparedPlan {
        PreparedPlan { plan, jit: Jit::new(), fitted: Mutex::default() }
    }

    /// Compiles the plan for a batch; see [`crate::compile`]. What it became over
    /// another batch of which the same is known is not made again.
    ///
    /// # Errors
    /// See [`crate::compile`].
    pub fn bind(&self, batch: &Batch, now: Timestamp, options: &ExecOptions) -> Result<CompiledPlan, JitError> {
        let batch = &*batch.as_of(now);
        let plan = self.fitted(&Statistics::of(batch, now));
        compile_fitted(&self.jit, &plan, batch, now, options)
    }

    fn fitted(&self, statistics: &Statistics) -> Arc<Plan> {
        let fit = Fit::of(&self.plan, statistics);
        if fit.is_idle() {
            return Arc::clone(&self.plan);
        }
        let lock = || self.fitted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = lock();
        if let Some(at) = kept.iter().position(|(of, _)| *of == fit) {
            let (fit, plan) = kept.remove(at);
            let found = Arc::clone(&plan);
            kept.push((fit, plan));
            return found;
        }
        // Made without the lock: another thread may do the same, which wastes time and
        // harms nothing.
        drop(kept);
        let made = Arc::new(fit.apply(&self.plan));
        let mut kept = lock();
        if kept.len() >= FITTED_MAX {
            kept.remove(0);
        }
        kept.push((fit, Arc::clone(&made)));
        made
    }
}

impl fmt::Debug for PreparedPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreparedPlan({} nodes)", self.plan.nodes().len())
    }
}
