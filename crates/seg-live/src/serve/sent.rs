//! Where changes go beside those who look on, and how far they have come.

use crate::core::Core;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// It is noted this often how far changes were sent, when nothing else is written.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// Sends changes on. What it was told of and has not sent is there for it to read.
pub trait Outlets: Send + Sync {
    /// Tells that changes are durable up to a `seq`.
    fn tell(&self, seq: u64);

    /// How far each has sent them, by name.
    fn cursors(&self) -> Vec<(String, u64)>;

    /// How each is, for operators: an object each.
    fn states(&self) -> Vec<serde_json::Value>;
}

/// The outlets, with what is noted of them.
pub(super) struct Sent {
    outlets: Arc<dyn Outlets>,
    noted: BTreeMap<String, u64>,
    at: Instant,
}

impl Sent {
    pub fn new(outlets: Arc<dyn Outlets>) -> Sent {
        Sent { outlets, noted: BTreeMap::new(), at: Instant::now() }
    }

    /// Notes how far changes were sent, with the next commit: at once where there is one anyway.
    pub fn note(&mut self, core: &mut Core, has_records: bool) {
        if !has_records && self.at.elapsed() < NOTE_EVERY {
            return;
        }
        self.at = Instant::now();
        for (name, seq) in self.outlets.cursors() {
            if self.noted.get(&name) != Some(&seq) {
                core.note_input(&name, seq);
                self.noted.insert(name, seq);
            }
        }
    }
}
