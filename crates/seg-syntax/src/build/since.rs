//! `started a trial in the past month and have not cancelled since`: since the event
//! before.

use super::{Builder, Connective};
use crate::ast::{Condition, Expr, Followed, Modifier, ModifierKind, OperandKind, Quantifier};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

/// Where a condition ends in a `since` of which nothing is said.
pub(super) fn since_alone<'p>(clause: &Pair<'p, Rule>) -> Option<Pair<'p, Rule>> {
    let modifiers = clause.clone().into_inner().filter(|p| p.as_rule() == Rule::modifier);
    modifiers.flat_map(Pair::into_inner).find(|p| p.as_rule() == Rule::since_alone)
}

impl Builder<'_> {
    /// Says of the event before that this one has not come since; gives the condition back
    /// where there is no such event, which is reported.
    pub(super) fn since_event_before(
        &mut self,
        before: Option<&mut Expr>,
        word: Option<Connective>,
        member: Expr,
        since: Span,
    ) -> Option<Expr> {
        let is_and = matches!(word, Some(Connective::And));
        if let (Some(before), true, Expr::Condition(absent)) = (before.and_then(event_before), is_and, &member)
            && let Some(modifiers) = not_since(absent, since)
        {
            before.modifiers.extend(modifiers);
            before.span = before.span.to(member.span());
            return None;
        }
        self.report(
            Diagnostic::new(Code::MisplacedWords, since, "`since` what?")
                .label("no event that happened stands before it, joined with `and` or `but`")
                .note("say since when: `since 2026-01-31`")
                .note("what did not follow an event is said of that event: `did Checkout Started with no Order Completed since`"),
        );
        Some(Expr::Error(member.span()))
    }
}

/// The condition before, where something happened in it.
fn event_before(before: &mut Expr) -> Option<&mut Condition> {
    let condition = match before {
        Expr::Condition(condition) => condition,
        // The last of what is joined by `and` in one go.
        Expr::Group(group) if group.quantifier == Quantifier::All => return event_before(group.members.last_mut()?),
        _ => return None,
    };
    let happened = condition.prefix.negative.is_none()
        && matches!(condition.subject.kind, OperandKind::Name(_) | OperandKind::Events(_) | OperandKind::Anything)
        && !condition.modifiers.iter().any(|t| matches!(t.kind, ModifierKind::Comparison(_) | ModifierKind::Had(_)));
    happened.then_some(condition)
}

/// `have not cancelled`, as what did not follow.
fn not_since(absent: &Condition, since: Span) -> Option<Vec<Modifier>> {
    let (_, at) = absent.prefix.negative?;
    let is_event = matches!(absent.subject.kind, OperandKind::Name(_) | OperandKind::Events(_) | OperandKind::Anything);
    let is_filter = |t: &Modifier| matches!(t.kind, ModifierKind::Where(_));
    if !is_event || absent.quantity.is_some() || !absent.modifiers.iter().all(is_filter) {
        return None;
    }
    let followed = Followed { not: true, is_before: false, is_since: true, event: absent.subject.clone() };
    let followed = Modifier { kind: ModifierKind::Followed(followed), span: at.to(since) };
    Some(std::iter::once(followed).chain(absent.modifiers.iter().cloned()).collect())
}
