//! Event sequences that one walk decides for several lengths of time.

use crate::input::{Input, fixed, plain};
use crate::kernels::Sequence;
use seg_hir::hir::{ChainOrder, End};
use seg_plan::{ChainStep, Compared, Node, NthTime};

/// What is compared, where it is the time of the last event that a sequence
/// extends, or does not, and a walk by the earliest next step decides: different
/// names, no filters, and one length of time, which comes beside it.
pub(super) fn last_extended(input: Input<'_>, compared: &Compared<'_>) -> Option<(Sequence, i64)> {
    let Compared::Time(time @ NthTime { end: End::Last, n: 1, filter: Some(filter), .. }) = compared else {
        return None;
    };
    let first = time.only_event()?;
    let (chain, is_negative) = match input.node(*filter) {
        Node::Chain(chain) => (chain, false),
        Node::Not(inner) => match input.node(*inner) {
            Node::Chain(chain) => (chain, true),
            _ => return None,
        },
        _ => return None,
    };
    let is_plain = |step: &ChainStep| step.none_between.is_none();
    if chain.order != ChainOrder::After || !chain.same.is_empty() || !chain.steps.iter().all(is_plain) {
        return None;
    }
    // Of two or more steps the earliest next one is best only when no step has a
    // limit of its own.
    let within = match chain.steps.as_slice() {
        [step] => fixed(step.within)?.into_iter().chain(fixed(chain.whole)?).min(),
        steps if steps.iter().all(|step| step.within.is_none()) => fixed(chain.whole)?,
        _ => return None,
    };
    let mut names = vec![first];
    for query in chain.steps.iter().map(|step| &step.query) {
        let event = plain(query).filter(|_| query.filter.is_none())?;
        if names.contains(&event) {
            return None;
        }
        names.push(event);
    }
    Some((Sequence { names, is_negative }, within.unwrap_or(i64::MAX)))
}
