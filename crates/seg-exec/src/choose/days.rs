//! Active days of which a bit a day is kept.

use crate::input::{Input, ends_now};
use crate::kernels::ActiveDays;
use seg_hir::hir::PeriodUnit;
use seg_plan::{Node, NodeId};

/// What a value of a plan is, where it counts the days in a window up to now on
/// which people did any of some events.
pub(super) fn active_days(input: Input<'_>, id: NodeId) -> Option<ActiveDays> {
    let Node::Periods { unit: PeriodUnit::Day, zone, query } = input.node(id) else { return None };
    if query.filter.is_some() || query.known_at.is_some() || !ends_now(query) {
        return None;
    }
    let from = input.first_instant(query.interval.from?);
    ActiveDays::new(input.batch, &query.events, *zone, (from, input.now), input.options.threads)
}
