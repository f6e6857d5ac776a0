//! The thread that writes: whatever has collected is one commit, and is known after it.

use super::metrics::Metrics;
use super::pending::Pending;
use crate::change::Change;
use crate::sinks::Sinks;
use crate::store::{KEPT_DAYS, Store};
use seg::Timestamp;
use seg::unstable::data::time::DAY;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::broadcast;

pub(super) struct Writing<S> {
    pub store: S,
    pub pending: Arc<Pending>,
    pub metrics: Arc<Metrics>,
    /// Whoever looks on.
    pub watchers: broadcast::Sender<Arc<Vec<Change>>>,
    /// How many changes are durable.
    pub durable: Arc<AtomicU64>,
    pub sinks: Arc<Sinks>,
    /// On which day old changes were taken away.
    pub cleared: i64,
}

impl<S: Store> Writing<S> {
    /// Goes on until nothing comes any more.
    pub fn run(mut self, now: impl Fn() -> Timestamp) {
        while let Some(batch) = self.pending.next() {
            let begun = Instant::now();
            if !batch.commit.is_empty()
                && let Err(error) = self.store.commit(&batch.commit.writes)
            {
                return self.pending.fail(error.into());
            }
            self.metrics.commit.observe(begun.elapsed().as_secs_f64());
            for reply in batch.replies {
                self.metrics.durable.observe(reply.arrived.elapsed().as_secs_f64());
                // Whoever asked may have gone.
                let _ = reply.to.send(());
            }
            if let Some(last) = batch.commit.changes.last() {
                self.metrics.count_changes(batch.commit.changes.len() as u64);
                self.durable.store(last.seq, Ordering::Release);
                self.sinks.tell(last.seq);
                // Nobody need be looking.
                let _ = self.watchers.send(Arc::new(batch.commit.changes));
            }
            let day = now().0.div_euclid(DAY);
            if day != self.cleared {
                self.cleared = day;
                if let Err(error) = self.store.drop_changes_before((day - KEPT_DAYS) as i32) {
                    return self.pending.fail(error.into());
                }
            }
        }
    }
}
