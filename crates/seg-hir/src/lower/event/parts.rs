//! What is said of events, sorted.

use super::query::is_own_past;
use super::sequence::Row;
use crate::lower::Lower;
use seg_data::EventId;
use seg_syntax::ast::{
    self, Condition, Literal, Modifier, ModifierKind, Operand, OperandKind, Quantity, Relation, Unit,
};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// What is said of events, each at most once.
#[derive(Default)]
pub(in crate::lower) struct EventParts<'t> {
    pub window: Option<&'t Modifier>,
    /// What else narrows the events: days, hours, windows from their own past.
    pub narrowing: Vec<&'t Modifier>,
    /// `in each of the past 4 weeks`, or in so many of them.
    pub regular: Option<(Option<Quantity>, ast::Periods, Span)>,
    /// `a week` in `3 times a week`.
    pub per: Option<(Unit, Span)>,
    pub any_within: Option<(ast::Duration, Span)>,
    pub not_window: Option<&'t Modifier>,
    pub filter: Option<&'t Modifier>,
    pub first_time: Option<&'t Modifier>,
    pub count: Option<Quantity>,
    /// `on at least 2 different days`
    pub periods: Option<(Quantity, Unit, Span)>,
}

impl Lower<'_> {
    /// Sorts the modifiers of an event condition; `None` when reported.
    pub(super) fn event_parts<'t>(
        &mut self,
        c: &'t Condition,
        row: &'t Row<'_>,
        events: &[EventId],
    ) -> Option<EventParts<'t>> {
        let mut parts = EventParts { count: c.quantity, ..EventParts::default() };
        let own = c.modifiers.get(..row.at).unwrap_or(&c.modifiers);
        for modifier in own.iter().chain(&row.of_whole) {
            let before = match &modifier.kind {
                // A window from the person's own past stands beside another.
                ModifierKind::Window(window) if is_own_past(window) => {
                    parts.narrowing.push(modifier);
                    None
                }
                ModifierKind::Window(_) => parts.window.replace(modifier).map(|t| t.span),
                ModifierKind::NotWindow(_) => parts.not_window.replace(modifier).map(|t| t.span),
                ModifierKind::Where(_) => parts.filter.replace(modifier).map(|t| t.span),
                ModifierKind::FirstTime => parts.first_time.replace(modifier).map(|t| t.span),
                ModifierKind::Recurring(_) | ModifierKind::NotRecurring(_) => {
                    parts.narrowing.push(modifier);
                    None
                }
                ModifierKind::Regular(q, periods) => parts.regular.replace((*q, *periods, modifier.span)).map(|r| r.2),
                ModifierKind::CountPer(q, unit) => {
                    parts.per = Some((*unit, modifier.span));
                    parts.count.replace(Quantity { span: modifier.span, ..*q }).map(|q| q.span)
                }
                ModifierKind::Within(ast::Within { of: ast::WithinOf::Any, length }) => {
                    parts.any_within.replace((*length, modifier.span)).map(|w| w.1)
                }
                ModifierKind::Within(within) => {
                    self.within_of_nothing(within, modifier.span);
                    return None;
                }
                ModifierKind::Then(_)
                | ModifierKind::Followed(_)
                | ModifierKind::NoneBetween(_)
                | ModifierKind::AnyOrder
                | ModifierKind::AllIn(_)
                | ModifierKind::Same(_)
                | ModifierKind::Limit(_)
                | ModifierKind::Zone(_)
                | ModifierKind::Past(_) => {
                    self.words_of_sequences(modifier);
                    return None;
                }
                ModifierKind::Count(q) => parts.count.replace(Quantity { span: modifier.span, ..*q }).map(|q| q.span),
                ModifierKind::DifferentPeriods(q, unit) => {
                    parts.periods.replace((*q, *unit, modifier.span)).map(|p| p.2)
                }
                ModifierKind::Comparison(comparison) => {
                    self.compared_event(c, comparison, modifier.span, events);
                    return None;
                }
                ModifierKind::Had(_) => {
                    let event = self.words(c.subject.span);
                    self.report(
                        Diagnostic::new(
                            Code::MisplacedWords,
                            modifier.span,
                            "`had` needs one event, the first or the last",
                        )
                        .label("of which of them?")
                        .note(format!("for one of them: `their last {event} had …`, `their first {event} had …`"))
                        .note(format!("for any of them: `did {event} where …`")),
                    );
                    return None;
                }
            };
            if let Some(first) = before {
                self.repeated(first, modifier.span, "keep one of them, or write two conditions joined by `and`");
                return None;
            }
        }
        Some(parts)
    }

    /// `did A more than 3`, `A was more than 90 days ago`.
    fn compared_event(&mut self, c: &Condition, comparison: &ast::Comparison, span: Span, events: &[EventId]) {
        let (event, words) = (self.words(c.subject.span), self.words(span));
        let bare = ["is ", "are ", "was ", "were "].iter().find_map(|w| words.strip_prefix(w)).unwrap_or(&words);
        if let Relation::Order(_, Operand { kind: OperandKind::Literal(Literal::Duration(_)), .. }) =
            &comparison.relation
        {
            self.report(
                Diagnostic::new(Code::ExactAgo, span, format!("`{words}` does not say since when"))
                    .label("a length of time after an event")
                    .fix(span, format!("{bare} ago"), format!("for a window: `{event} {bare} ago`"))
                    .help(format!("for the last time: `their last {event} was {bare} ago`")),
            );
            return;
        }
        let is_number = matches!(
            &comparison.relation,
            Relation::Order(_, Operand { kind: OperandKind::Literal(Literal::Number(_)), .. })
                | Relation::Between(Operand { kind: OperandKind::Literal(Literal::Number(_)), .. }, _)
        );
        if is_number {
            // A number alone says neither exactly nor at least.
            let times = match bare.starts_with(|c: char| c.is_ascii_digit()) {
                true => format!("exactly {bare} times"),
                false => format!("{bare} times"),
            };
            self.report(
                Diagnostic::new(Code::CountNeedsTimes, span, format!("`{words}` of what?"))
                    .label("a number after an event")
                    .fix(span, times.as_str(), format!("if it counts `{event}`, write `{times}`"))
                    .note(format!("if it is about a value: `total … of {event} … is {bare}`")),
            );
            return;
        }
        let diagnostic = Diagnostic::new(
            Code::OperatorNeedsType,
            span,
            format!("`{event}` is an event and has no value to compare"),
        )
        .label("said of an event");
        // `at least 2 orders over 100 EUR`
        if let Some(sum) = self.only_sum_of(events).filter(|_| is_of_money(&comparison.relation)) {
            let is = if words == bare { "is " } else { "" };
            let right = format!("where {sum} {is}{words}");
            self.report(diagnostic.fix(span, right.as_str(), format!("write `{right}`")));
            return;
        }
        self.report(
            diagnostic
                .fix(
                    c.subject.span.to(span),
                    format!("their last {event} {words}"),
                    format!("for when it happened: `their last {event} {words}`"),
                )
                .note(format!("for its properties: `did {event} where …`")),
        );
    }
}

/// Whether something is compared with an amount: `over 100 EUR`, `between 50 and 80 EUR`.
fn is_of_money(relation: &Relation) -> bool {
    let is_amount = |operand: &Operand| matches!(operand.kind, OperandKind::Literal(Literal::Amount { .. }));
    match relation {
        Relation::Order(_, right) => is_amount(right),
        Relation::Between(low, high) => is_amount(low) || is_amount(high),
        Relation::KnownButNot(relation) => is_of_money(relation),
        Relation::Known
        | Relation::Missing
        | Relation::Empty(_)
        | Relation::OneOf(_)
        | Relation::NoneOf(_)
        | Relation::Text(..)
        | Relation::Includes(..)
        | Relation::Window(_)
        | Relation::Recurring(_)
        | Relation::InList(_)
        | Relation::Near(_) => false,
    }
}
