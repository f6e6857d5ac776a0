//! Bounds of the steps of an event sequence that its first event keeps already.
//!
//! What follows an event of a window is not earlier than the window's start, and
//! nothing is later than now: so `A then B, in the past 30 days` need not ask
//! when B was. Rows that differ in their window alone become one.

use super::rewrite::{keep, rewrite};
use crate::build::Builder;
use crate::plan::{Node, NodeId, Plan, Query};
use seg_data::Period;
use seg_hir::hir::{Bound, ChainOrder, Moment};

pub(super) fn run(plan: &Plan) -> Plan {
    rewrite(plan, |builder, node| {
        let widened = match node {
            Node::Aggregate { function, measure, items, query } => {
                Node::Aggregate { function, measure, items, query: widen(builder, query) }
            }
            Node::EventTime { end, n, query } => Node::EventTime { end, n, query: widen(builder, query) },
            Node::Periods { unit, zone, query } => Node::Periods { unit, zone, query: widen(builder, query) },
            other => other,
        };
        keep(builder, widened)
    })
}

/// A query whose rows do not repeat its bounds.
fn widen(builder: &mut Builder, query: Query) -> Query {
    let Some(filter) = query.filter else { return query };
    let filter = filter_of(builder, filter, query.interval.from, query.known_at);
    Query { filter: Some(filter), ..query }
}

fn filter_of(builder: &mut Builder, filter: NodeId, from: Option<Bound>, known_at: Option<Moment>) -> NodeId {
    match builder.node(filter).cloned() {
        Some(Node::Not(inner)) => {
            let inner = filter_of(builder, inner, from, known_at);
            builder.negate(inner)
        }
        Some(Node::All(members)) => {
            let members = members.into_iter().map(|m| filter_of(builder, m, from, known_at)).collect();
            builder.all(members)
        }
        Some(Node::Any(members)) => {
            let members = members.into_iter().map(|m| filter_of(builder, m, from, known_at)).collect();
            builder.any(members)
        }
        Some(Node::Chain(mut chain)) if chain.order != ChainOrder::Before => {
            for step in chain.steps.iter_mut().map(|step| &mut step.query) {
                // The step is not earlier than the event, which keeps the bound.
                if step.interval.from == from {
                    step.interval.from = None;
                }
                if is_now(step.interval.to) && step.known_at == known_at {
                    step.interval.to = None;
                }
            }
            builder.add(Node::Chain(chain))
        }
        _ => filter,
    }
}

/// Nothing is later than now.
pub(crate) fn is_now(bound: Option<Bound>) -> bool {
    matches!(bound, Some(Bound { moment: Moment::Before(Period::Fixed(0), _), is_closed: true }))
}
