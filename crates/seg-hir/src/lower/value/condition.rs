//! Conditions about a value: exactly one comparison.

use super::aggregate::{bracketed, compared_aggregates, compares_with_aggregate};
use crate::hir::{Expr, ExprKind};
use crate::lower::names::resolve::not_an_event;
use crate::lower::value::comparison::Compared;
use crate::lower::{Lower, Lowered, Scope};
use seg_data::Type;
use seg_syntax::ast::{self, Condition, Modifier, ModifierKind, Relation};
use seg_syntax::diag::{Code, Diagnostic};

impl Lower<'_> {
    /// A condition about a value: exactly one comparison.
    pub(in crate::lower) fn value_condition(&mut self, c: &Condition, value: Expr, scope: Scope<'_>) -> Lowered {
        if value.is_error() {
            return Lowered::error();
        }
        if let Some(at) = c.prefix.did.or(c.quantity.map(|q| q.span)) {
            let words = self.words(c.subject.span);
            let diagnostic = not_an_event(c.subject.span, &words).also(at, "this needs an event");
            self.report(diagnostic);
            return Lowered::error();
        }
        if let ExprKind::Attribute(attribute) = value.kind
            && let Some(lowered) = self.past_condition(c, (attribute, &value), scope)
        {
            return lowered;
        }
        let Some((first, rest)) = c.modifiers.split_first() else {
            return self.nothing_said(c, &value);
        };
        self.reads(first.span);
        if let Some(second) = rest.first() {
            return self.modifier_after(second, first, c, &value);
        }
        let compared = Compared { value, span: c.subject.span, scope };
        let lowered = match &first.kind {
            ModifierKind::Comparison(comparison) => {
                self.comparison(compared, comparison, c.subject.span.to(first.span))
            }
            ModifierKind::Recurring(recurring) | ModifierKind::NotRecurring(recurring) => {
                let not = matches!(first.kind, ModifierKind::NotRecurring(_)).then_some(first.span);
                let relation = Relation::Recurring(recurring.clone());
                let comparison = ast::Comparison::of(relation, not);
                self.comparison(compared, &comparison, c.subject.span.to(first.span))
            }
            // A time may leave `is` out: `first seen at least 7 days ago`.
            ModifierKind::Window(window) | ModifierKind::NotWindow(window) => {
                let not = matches!(first.kind, ModifierKind::NotWindow(_)).then_some(first.span);
                let relation = Relation::Window(window.clone());
                let comparison = ast::Comparison::of(relation, not);
                self.comparison(compared, &comparison, c.subject.span.to(first.span))
            }
            ModifierKind::Where(_)
            | ModifierKind::Had(_)
            | ModifierKind::Count(_)
            | ModifierKind::DifferentPeriods(..)
            | ModifierKind::FirstTime
            | ModifierKind::Then(_)
            | ModifierKind::Followed(_)
            | ModifierKind::NoneBetween(_)
            | ModifierKind::AnyOrder
            | ModifierKind::Within(_)
            | ModifierKind::AllIn(_)
            | ModifierKind::Same(_)
            | ModifierKind::Limit(_)
            | ModifierKind::Regular(..)
            | ModifierKind::CountPer(..)
            | ModifierKind::Zone(_)
            | ModifierKind::Past(_) => {
                let words = self.words(c.subject.span);
                let diagnostic = not_an_event(c.subject.span, &words).also(first.span, "this fits events only");
                self.report(diagnostic);
                return Lowered::error();
            }
        };
        // `not country is "DE"`: the plain opposite.
        let is_negative = self.reads_negative(c);
        lowered.negated(is_negative)
    }

    fn nothing_said(&mut self, c: &Condition, value: &Expr) -> Lowered {
        let words = self.words(c.subject.span);
        let help = match value.ty {
            Type::Boolean => format!("write `{words} is true` or `{words} is false`"),
            _ => format!("compare it, for example `{words} is known`"),
        };
        self.report(
            Diagnostic::new(Code::NeedsComparison, c.subject.span, format!("`{words}` alone says nothing of a person"))
                .label(format!("a value of type {}", value.ty))
                .help(help),
        );
        Lowered::error()
    }

    fn modifier_after(&mut self, modifier: &Modifier, after: &Modifier, c: &Condition, value: &Expr) -> Lowered {
        let (words, before) = (self.words(modifier.span), self.words(after.span));
        let subject = self.words(c.subject.span);
        let mut diagnostic =
            Diagnostic::new(Code::TailAfterComparison, modifier.span, format!("`{words}` stands after the comparison"))
                .also(after.span, "the comparison");
        diagnostic = match value.kind {
            ExprKind::Aggregate { .. } => diagnostic
                .label("belongs before it")
                .fix(
                    c.subject.span.to(modifier.span),
                    format!("{subject} {words} {before}"),
                    format!("if it limits the events: `{subject} {words} {before}`"),
                )
                .note("a condition of its own is joined with `and`"),
            _ if compares_with_aggregate(after) => diagnostic
                .label("of the value on the right, or of something else?")
                .fix(
                    after.span.to(modifier.span),
                    bracketed(&before, &words),
                    format!("if it limits the events on the right, bracket them: `{}`", bracketed(&before, &words)),
                )
                .note("a condition of its own is joined with `and`"),
            _ => diagnostic.label("belongs to nothing").note("another condition is joined with `and`"),
        };
        self.report(diagnostic);
        Lowered::error()
    }

    /// `total amount of Order Completed in the past year is at least 500`.
    pub(in crate::lower) fn aggregate_condition(
        &mut self,
        c: &Condition,
        aggregate: &ast::Aggregate,
        scope: Scope<'_>,
    ) -> Lowered {
        let at = c.modifiers.iter().position(|t| matches!(t.kind, ModifierKind::Comparison(_)));
        let (before, from) = c.modifiers.split_at(at.unwrap_or(c.modifiers.len()));
        let compared = from.first().map(|t| t.span);
        let from = compared_aggregates(before, from);
        let before: Vec<&Modifier> = before.iter().collect();
        let value = self.aggregate(aggregate, &before, scope, c.subject.span);
        // `total spent of …` may have been an attribute all along.
        if matches!(value.kind, ExprKind::Attribute(_)) {
            return self.value_condition(c, value, scope);
        }
        // The comparison may reach over windows of the value on its right.
        self.read.extend(compared);
        let rest = Condition { modifiers: from, ..c.clone() };
        self.value_condition(&rest, value, scope)
    }
}
