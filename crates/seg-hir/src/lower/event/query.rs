//! Which events: their names, and what narrows them.

use crate::hir::{Expr, Query};
use crate::lower::Lower;
use seg_data::EventId;
use seg_syntax::ast::{DatedOp, FromNow, Modifier, ModifierKind, Operand, OperandKind, Window};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    /// Names of events behind `of` in an aggregate.
    pub(in crate::lower) fn event_operand(&mut self, operand: &Operand) -> Option<Vec<EventId>> {
        match &operand.kind {
            OperandKind::Name(name) => self.resolve_events(std::slice::from_ref(name)),
            OperandKind::Events(names) => self.resolve_events(names),
            OperandKind::Anything => Some(self.all_events()),
            // The builder puts nothing else there without a report.
            OperandKind::Literal(_)
            | OperandKind::Arithmetic(..)
            | OperandKind::Aggregate(_)
            | OperandKind::FirstOrLastN(_)
            | OperandKind::Items(..)
            | OperandKind::UsualGap(_)
            | OperandKind::Elapsed(_)
            | OperandKind::Anniversary(_)
            | OperandKind::Bracketed(_)
            | OperandKind::Error => None,
        }
    }

    /// A query narrowed by what is said of its events: one `where`, one window.
    pub(in crate::lower) fn narrowed(&mut self, mut query: Query, modifiers: &[&Modifier]) -> Option<Query> {
        let mut filter_at: Option<Span> = None;
        let mut window_at: Option<Span> = None;
        for modifier in modifiers {
            match &modifier.kind {
                ModifierKind::Where(filter) => {
                    if let Some(first) = filter_at.replace(modifier.span) {
                        self.repeated(first, modifier.span, "write one `where (… and …)`");
                        return None;
                    }
                    let filter = self.filter(filter, &query.events.clone());
                    query.narrow(filter);
                    self.reads(modifier.span);
                }
                ModifierKind::Window(window) => {
                    let before = if is_own_past(window) { None } else { window_at.replace(modifier.span) };
                    if let Some(first) = before {
                        self.repeated(first, modifier.span, "keep one window, or write two conditions joined by `and`");
                        return None;
                    }
                    if is_ahead_of_now(window) {
                        self.future(modifier.span);
                        return None;
                    }
                    self.narrow_by_window(&mut query, window, modifier.span)?;
                    self.reads(modifier.span);
                }
                ModifierKind::Recurring(recurring) | ModifierKind::NotRecurring(recurring) => {
                    let test = self.recurring_test(&Expr::event_time(), recurring, modifier.span)?;
                    let is_not = matches!(modifier.kind, ModifierKind::NotRecurring(_));
                    query.narrow(if is_not { test.negate() } else { test });
                    self.reads(modifier.span);
                }
                ModifierKind::Comparison(_)
                | ModifierKind::NotWindow(_)
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
                    let words = self.words(modifier.span);
                    self.report(
                        Diagnostic::new(Code::MisplacedWords, modifier.span, format!("`{words}` does not fit here"))
                            .label("a `where` or a window is possible here")
                            .help("write it as a condition of its own, joined with `and`"),
                    );
                    return None;
                }
            }
        }
        Some(query)
    }

    pub(in crate::lower) fn repeated(&mut self, first: Span, second: Span, help: &str) {
        let words = self.words(second);
        self.report(
            Diagnostic::new(Code::RepeatedTail, second, format!("`{words}` is the second of its kind"))
                .label("the second")
                .also(first, "the first")
                .help(help),
        );
    }

    pub(in crate::lower) fn future(&mut self, span: Span) {
        let words = self.words(span);
        self.report(
            Diagnostic::new(Code::EmptyRange, span, format!("`{words}` lies in the future, where no event is"))
                .label("events after now do not exist")
                .help("use a window in the past, such as `in the past 7 days`"),
        );
    }
}

/// `within the next 7 days`, `after tomorrow`: where no event is.
pub(in crate::lower) fn is_ahead_of_now(window: &Window) -> bool {
    let is_ahead = |moment: &FromNow| matches!(moment, FromNow::Ahead(_) | FromNow::Period(_, 1..));
    match window {
        Window::Next(_) | Window::Ahead(_) | Window::Calendar { from: 1.., .. } => true,
        Window::Between(a, b) => is_ahead(a) || is_ahead(b),
        Window::Beside(_, moment) if is_ahead(moment) => true,
        Window::Beside(op, FromNow::Now | FromNow::Period(_, 0)) => *op == DatedOp::After,
        Window::Past(_)
        | Window::PastNamed(_)
        | Window::Ago(_)
        | Window::Beside(..)
        | Window::Dates(..)
        | Window::Dated(..)
        | Window::Anchored(..)
        | Window::Calendar { .. }
        | Window::Ever => false,
    }
}

/// `since last_order_date`, `within 7 days after their first order`: a window
/// that is not the same for all.
pub(in crate::lower) fn is_own_past(window: &Window) -> bool {
    matches!(window, Window::Anchored(..) | Window::Dated(_, Operand { kind: OperandKind::Name(_), .. }))
}
