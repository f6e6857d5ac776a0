//! What did not happen besides an event: `started a trial in the past month and have not
//! cancelled since`, `bounced in the past month with no delivery in the past month`.

use super::condition::error_operand;
use super::{Builder, Connective};
use crate::ast::{
    Condition, Expr, Followed, Group, GroupForm, Modifier, ModifierKind, Negative, OperandKind, Prefix, Quantifier,
};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

/// Where a condition ends in a `since` of which nothing is said.
pub(super) fn since_alone<'p>(clause: &Pair<'p, Rule>) -> Option<Pair<'p, Rule>> {
    let modifiers = clause.clone().into_inner().filter(|p| p.as_rule() == Rule::modifier);
    modifiers.flat_map(Pair::into_inner).find(|p| p.as_rule() == Rule::since_alone)
}

/// The parts of a condition, and what stands behind them where that is a condition of its
/// own: `with no B in the past month`, of an event that has a window already.
pub(super) fn without_absent<'p>(clause: Pair<'p, Rule>) -> (Vec<Pair<'p, Rule>>, Option<Pair<'p, Rule>>) {
    let mut parts: Vec<Pair<'p, Rule>> = clause.into_inner().collect();
    let said = |part: &Pair<'p, Rule>| {
        let inner = part.clone().into_inner().find(|p| p.as_rule() != Rule::comma);
        inner.filter(|_| part.as_rule() == Rule::modifier)
    };
    let absent = parts.last().and_then(said).filter(|p| p.as_rule() == Rule::with_no && before_window(p).is_some());
    let has_window = parts.iter().filter_map(said).any(|p| p.as_rule() == Rule::window);
    let absent = absent.filter(|_| has_window);
    if absent.is_some() {
        parts.pop();
    }
    (parts, absent)
}

/// What stands before the window of `with no B in the past month`.
pub(super) fn before_window<'p>(with_no: &Pair<'p, Rule>) -> Option<Pair<'p, Rule>> {
    let parts: Vec<Pair<'p, Rule>> = with_no.clone().into_inner().collect();
    match parts.as_slice() {
        [.., before, window] if window.as_rule() == Rule::window => Some(before.clone()),
        _ => None,
    }
}

impl Builder<'_> {
    /// A condition, and with it that something did not happen in a window.
    pub(super) fn beside_absent(&mut self, clause: Expr, absent: Pair<'_, Rule>) -> Expr {
        let mut span = self.span(&absent);
        let mut condition = Condition {
            prefix: Prefix::default(),
            quantity: None,
            subject: error_operand(span),
            particle: None,
            modifiers: Vec::new(),
            span,
        };
        for part in absent.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::kw_no => {
                    span.start = at.start;
                    condition.prefix =
                        Prefix { negative: Some((Negative::No, at)), span: Some(at), ..Prefix::default() };
                }
                Rule::event_ref => condition.subject = self.event_ref(part),
                Rule::where_modifier => condition.modifiers.extend(self.where_modifier(part)),
                Rule::with_modifier => {
                    let kind = ModifierKind::Where(self.property_test(part));
                    condition.modifiers.push(Modifier { kind, span: at });
                }
                Rule::same_modifier => self.report(
                    Diagnostic::new(Code::MisplacedWords, at, format!("`{}` does not fit here", self.words(at)))
                        .label("said of what did not happen in a window of its own")
                        .note("what has the same value follows an event: `with no … with the same … since`"),
                ),
                Rule::window => {
                    let window = self.window(part);
                    let modifier = window.map(|window| Modifier { kind: ModifierKind::Window(window), span: at });
                    condition.modifiers.extend(modifier);
                }
                _ => {}
            }
        }
        condition.span = span;
        let whole = clause.span().to(span);
        let members = vec![clause, Expr::Condition(Box::new(condition))];
        Expr::Group(Group { quantifier: Quantifier::All, members, form: GroupForm::Chain, span: whole })
    }

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
