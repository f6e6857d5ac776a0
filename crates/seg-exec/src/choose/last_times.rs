//! Last times of the events of one name.

use seg_data::EventId;
use seg_hir::hir::End;
use seg_plan::{Compared, NthTime};

/// What is compared, where it is the time of one of a person's last events of a
/// name: the name, and which from behind, from 1.
pub(super) fn last_time(compared: &Compared<'_>) -> Option<(EventId, usize)> {
    match compared {
        Compared::Time(time @ NthTime { end: End::Last, n, filter: None, .. }) => {
            Some((time.only_event()?, *n as usize))
        }
        Compared::Time(_) | Compared::Value(_) => None,
    }
}
