//! Conditions about the first or last events of a history.

use crate::hir::{Cond, End, Expr, ExprKind};
use crate::lower::value::comparison::Compared;
use crate::lower::{Lower, Lowered, Scope};
use seg_data::{EventId, Type};
use seg_syntax::ast::{self, Condition, Literal, Modifier, ModifierKind, Operand, OperandKind, Relation};
use seg_syntax::diag::{Code, Diagnostic};

impl Lower<'_> {
    /// `their last Order Completed was …`, `their first … had …`.
    pub(in crate::lower) fn ends_condition(&mut self, c: &Condition, end: End, events: Vec<EventId>) -> Lowered {
        if let Some(at) = c.prefix.did.or(c.quantity.map(|q| q.span)) {
            let words = self.words(c.subject.span);
            self.report(
                Diagnostic::new(Code::MisplacedWords, at, format!("`{words}` is one event, which is there or not"))
                    .label("does not fit one event")
                    .note(format!("say what of it: `their {words} was more than 30 days ago`, `their {words} had …`")),
            );
            return Lowered::error();
        }
        if c.modifiers.iter().any(|t| matches!(t.kind, ModifierKind::Followed(_))) {
            return self.ends_followed(c, end, events);
        }
        let Some((last, before)) = c.modifiers.split_last() else {
            return self.nothing_said_of_end(c, &events);
        };
        let narrowing: Vec<&Modifier> = before.iter().collect();
        let query = self.query(events.clone());
        let Some(query) = self.narrowed(query, &narrowing) else { return Lowered::error() };
        let lowered = match &last.kind {
            ModifierKind::Had(filter) => {
                let filter = Box::new(self.filter(filter, &query.events.clone()));
                self.reads(last.span);
                Lowered::plain(Cond::FirstOrLastN { end, n: 1, query, filter })
            }
            ModifierKind::Comparison(comparison) => {
                let is_time = matches!(
                    comparison.relation,
                    Relation::Window(_) | Relation::Recurring(_) | Relation::Known | Relation::Missing
                );
                if !is_time && !self.is_date_comparison(comparison) {
                    let words = self.words(c.subject.span);
                    self.report(
                        Diagnostic::new(
                            Code::OperatorNeedsType,
                            last.span,
                            format!("`{words}` is an event; only its time compares"),
                        )
                        .label("not a time")
                        .help(format!("for a property: `{words} had category \"shoes\"`")),
                    );
                    return Lowered::error();
                }
                let value =
                    Expr { kind: ExprKind::EventTime { end, query }, ty: Type::Timestamp, may_be_missing: true };
                let compared = Compared { value, span: c.subject.span, scope: Scope::Person };
                self.reads(last.span);
                self.comparison(compared, comparison, c.subject.span.to(last.span))
            }
            ModifierKind::Window(_)
            | ModifierKind::NotWindow(_)
            | ModifierKind::Where(_)
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
            | ModifierKind::Recurring(_)
            | ModifierKind::NotRecurring(_)
            | ModifierKind::Regular(..)
            | ModifierKind::CountPer(..)
            | ModifierKind::Zone(_)
            | ModifierKind::Past(_) => return self.nothing_said_of_end(c, &events),
        };
        let is_negative = self.reads_negative(c);
        lowered.negated(is_negative)
    }

    /// `their first order was followed by another order within 30 days`
    fn ends_followed(&mut self, c: &Condition, end: End, events: Vec<EventId>) -> Lowered {
        let Some(row) = self.row_of_events(c, &events) else { return Lowered::error() };
        let narrowing: Vec<&Modifier> = c.modifiers.iter().take(row.at).collect();
        let query = self.query(events);
        let Some(query) = self.narrowed(query, &narrowing) else { return Lowered::error() };
        let mut conds = Vec::with_capacity(row.followed.len());
        for followed in &row.followed {
            let Some(cond) = self.followed(followed, &query) else { return Lowered::error() };
            conds.push(cond);
        }
        // A window or a count of a whole is left over: there is one event.
        let filter = Box::new(Cond::all(row.chain.into_iter().chain(conds).collect()));
        let is_negative = self.reads_negative(c);
        Lowered::plain(Cond::FirstOrLastN { end, n: 1, query, filter }).negated(is_negative)
    }

    fn is_date_comparison(&self, comparison: &ast::Comparison) -> bool {
        let is_date = |o: &Operand| matches!(o.kind, OperandKind::Literal(Literal::Date(_)));
        match &comparison.relation {
            Relation::Order(_, right) => is_date(right),
            Relation::Between(low, high) => is_date(low) && is_date(high),
            _ => false,
        }
    }

    /// `all of their last 3 Order Completed had …`
    pub(in crate::lower) fn first_or_last_n(&mut self, c: &Condition, few: &ast::FirstOrLastN) -> Lowered {
        let Some(events) = self.event_operand(&few.event) else { return Lowered::error() };
        let Some((Modifier { kind: ModifierKind::Had(filter), span }, before)) = c.modifiers.split_last() else {
            let words = self.words(c.subject.span);
            self.report(
                Diagnostic::new(Code::NeedsComparison, c.span, format!("`{words}` alone says nothing of a person"))
                    .label("several events")
                    .help(format!("say what they all had: `{words} had category \"shoes\"`")),
            );
            return Lowered::error();
        };
        if few.n == 0 {
            self.report(
                Diagnostic::new(Code::EmptyRange, c.subject.span, "the last 0 events are none")
                    .label("always so")
                    .help("write 1 or more"),
            );
            return Lowered::error();
        }
        let narrowing: Vec<&Modifier> = before.iter().collect();
        let query = self.query(events);
        let Some(query) = self.narrowed(query, &narrowing) else { return Lowered::error() };
        let filter = Box::new(self.filter(filter, &query.events.clone()));
        self.reads(*span);
        let end = match few.end {
            ast::End::First => End::First,
            ast::End::Last => End::Last,
        };
        let cond = Cond::FirstOrLastN { end, n: few.n, query, filter };
        let is_negative = self.reads_negative(c);
        Lowered::plain(cond).negated(is_negative)
    }
}
