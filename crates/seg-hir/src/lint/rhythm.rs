//! A usual gap beside a count that it makes idle.

use super::{Lint, bare};
use crate::hir::{Aggregate, CompareOp, Cond, Expr, ExprKind, Query};
use seg_data::Value;
use seg_syntax::diag::Code;
use seg_syntax::names::display;

/// How many events have a usual gap: three gaps lie between four.
const EVENTS_MIN: i128 = 4;

impl Lint<'_> {
    /// `ordered at least 3 times` beside their usual gap, which three orders do not have.
    pub(super) fn count_beside_usual_gap(&mut self) {
        let Cond::All(members) = &self.segment.include else { return };
        let gaps: Vec<&Query> = members.iter().filter_map(compared_gap).collect();
        let idle = members.iter().filter_map(least_count).find_map(|(query, least)| {
            // What happened once is asked for of whoever has a rhythm, and looks for no more.
            let is_idle = (2..EVENTS_MIN).contains(&least)
                && gaps.iter().any(|gap| {
                    gap.known_at == query.known_at && gap.events.iter().all(|event| query.events.contains(event))
                });
            is_idle.then(|| query.events.first().copied()).flatten()
        });
        if let Some(event) = idle {
            let name = self.event_name(event);
            let message =
                format!("a count of \"{}\" changes nothing: a usual gap needs 4 {name} at least", self.segment.name);
            let help = format!("say as many, or leave the count out: `did {} at least 4 times`", display(&name));
            self.add(Code::ImpliedCondition, message, "whoever has fewer has no usual gap and is not in", help);
        }
    }
}

/// The events whose usual gap a condition compares.
fn compared_gap(cond: &Cond) -> Option<&Query> {
    let Cond::Compare(_, left, right) = cond else { return None };
    gap_in(left).or_else(|| gap_in(right))
}

fn gap_in(expr: &Expr) -> Option<&Query> {
    match &expr.kind {
        ExprKind::UsualGap(query) => Some(query),
        _ => expr.operands().into_iter().find_map(gap_in),
    }
}

/// The events that a condition counts whenever they were, and how many it asks for at least.
fn least_count(cond: &Cond) -> Option<(&Query, i128)> {
    let Cond::Compare(op, left, right) = cond else { return None };
    let ExprKind::Aggregate { function: Aggregate::Count, items: None, query, .. } = &bare(left).kind else {
        return None;
    };
    let ExprKind::Literal(Value::Integer(n)) = &right.kind else { return None };
    let is_of_all = query.filter.is_none() && query.interval == crate::hir::Interval::default();
    let least = match op {
        CompareOp::GreaterOrEqual => *n,
        CompareOp::Greater => *n + 1,
        CompareOp::Equal | CompareOp::Less | CompareOp::LessOrEqual => return None,
    };
    is_of_all.then_some((query, least))
}
