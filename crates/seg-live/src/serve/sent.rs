//! How far changes were sent, noted now and then.

use crate::core::Core;
use crate::sinks::Sinks;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// It is noted this often how far changes were sent, when nothing else is written.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// The sinks, with what is noted of them.
pub(super) struct Sent {
    sinks: Arc<Sinks>,
    at: Instant,
}

impl Sent {
    pub fn new(sinks: Arc<Sinks>) -> Sent {
        Sent { sinks, at: Instant::now() }
    }

    /// Notes how far changes were sent, with the next commit: at once where there is one anyway.
    pub fn note(&mut self, core: &mut Core, has_records: bool) {
        if !has_records && self.at.elapsed() < NOTE_EVERY {
            return;
        }
        self.at = Instant::now();
        self.sinks.note(core);
    }
}
