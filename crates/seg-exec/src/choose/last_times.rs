//! Last times of the events of one name.

use crate::input::{Input, plain};
use seg_data::EventId;
use seg_hir::hir::End;
use seg_plan::{Node, NodeId};

/// What a value of a plan is, where it is the time of one of a person's last events
/// of a name: the name, and which from behind, from 1.
pub(super) fn last_time(input: Input<'_>, id: NodeId) -> Option<(EventId, usize)> {
    let Node::EventTime { end: End::Last, n, query } = input.node(id) else { return None };
    let event = plain(query).filter(|_| query.filter.is_none())?;
    Some((event, *n as usize))
}
