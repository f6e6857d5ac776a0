//! The clock of the machine.

use crate::core::Core;
use seg::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The instant by the clock of the machine.
pub(crate) fn machine_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// How long it is until somebody is due, at most so long.
pub(crate) fn until_due(core: &Core, at_most: Duration) -> Duration {
    let due = core.next_due().map(|due| due.0.saturating_sub(machine_now().0));
    due.map_or(at_most, |micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0)).min(at_most))
}
