//! Windows from a person's own past: `since last_order_date`, `within 14 days
//! after their first Order Completed`.

use crate::hir::{CompareOp, Cond, End, Expr, ExprKind, Length, Query};
use crate::lower::names::resolve::Subject;
use crate::lower::{Lower, Scope};
use seg_data::{EventId, Period, Type};
use seg_syntax::ast::{DatedOp, Duration, Name, Operand, OperandKind, Unit, Window};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    /// Narrows the events of a query to a window.
    pub(in crate::lower) fn narrow_by_window(&mut self, query: &mut Query, window: &Window, span: Span) -> Option<()> {
        match window {
            Window::Dated(op, Operand { kind: OperandKind::Name(name), span: at }) => {
                let anchor = self.anchor(name, *at)?;
                let cond = self.beside(&Expr::event_time(), *op, anchor, *at)?;
                query.narrow(cond);
            }
            Window::Anchored(length, op, anchor) => {
                let anchor = self.anchor_operand(anchor)?;
                let cond = self.around(&Expr::event_time(), length, *op, anchor, span)?;
                query.narrow(cond);
            }
            Window::Past(_)
            | Window::PastNamed(_)
            | Window::Next(_)
            | Window::Ago(_)
            | Window::Ahead(_)
            | Window::Between(..)
            | Window::Beside(..)
            | Window::Dates(..)
            | Window::Dated(..)
            | Window::Calendar { .. }
            | Window::Ever => query.interval = self.interval(window, span)?,
        }
        Some(())
    }

    pub(in crate::lower) fn anchor_operand(&mut self, operand: &Operand) -> Option<Expr> {
        match &operand.kind {
            OperandKind::Name(name) => self.anchor(name, operand.span),
            OperandKind::Error => None,
            _ => {
                let value = self.value(operand, Scope::Person, None);
                (!value.is_error()).then_some(value)
            }
        }
    }

    /// A time of the person: an attribute, or when an event was first or last.
    fn anchor(&mut self, name: &Name, span: Span) -> Option<Expr> {
        let value = match self.resolve(name, Scope::Person) {
            Subject::Value(value) => value,
            Subject::Ends(end, events) => self.end_time(end, events),
            Subject::Events(_) => {
                let words = self.words(span);
                self.report(
                    Diagnostic::new(Code::OperatorNeedsType, span, format!("which `{words}`, the first or the last?"))
                        .label("an event that may happen often")
                        .help(format!("write `their first {words}` or `their last {words}`")),
                );
                return None;
            }
            Subject::Error => return None,
        };
        if matches!(value.ty, Type::Timestamp | Type::Date) {
            return Some(value);
        }
        if !value.is_error() {
            let words = self.words(span);
            self.report(
                Diagnostic::new(Code::OperatorNeedsType, span, format!("`{words}` is {}, not a time", value.ty.one()))
                    .label("a time is needed here")
                    .note("name an attribute that holds a time, or `their first …`, `their last …` with an event"),
            );
        }
        None
    }

    /// The time of the first or last event of a name such as `last order`.
    pub(in crate::lower) fn end_as_time(&mut self, name: &Name) -> Option<Expr> {
        match self.resolve(name, Scope::Person) {
            Subject::Ends(end, events) => Some(self.end_time(end, events)),
            Subject::Value(value) => Some(value),
            Subject::Events(_) => self.anchor(name, name.span),
            Subject::Error => None,
        }
    }

    pub(in crate::lower) fn end_time(&mut self, end: End, events: Vec<EventId>) -> Expr {
        let query = self.query(events);
        Expr { kind: ExprKind::EventTime { end, query }, ty: Type::Timestamp, may_be_missing: true }
    }

    /// A time before, after or on another.
    pub(in crate::lower) fn beside(&mut self, left: &Expr, op: DatedOp, right: Expr, span: Span) -> Option<Cond> {
        let on_days = op == DatedOp::On || left.ty != right.ty;
        let (left, right) = match on_days {
            true => (self.as_day(left.clone(), span)?, self.as_day(right, span)?),
            false => (left.clone(), right),
        };
        Some(Cond::Compare(order_of(op), left, right))
    }

    /// Within a length of time after a moment, before it, or around it.
    pub(in crate::lower) fn around(
        &mut self,
        value: &Expr,
        length: &Duration,
        op: DatedOp,
        anchor: Expr,
        span: Span,
    ) -> Option<Cond> {
        if anchor.ty == Type::Date && matches!(length.unit, Unit::Second | Unit::Minute | Unit::Hour) {
            let words = self.words(length.span);
            self.hours_on_date(length.span, &words);
            return None;
        }
        let by = self.length(length)?;
        // Beside a day, days are those of the calendar.
        let value = if anchor.ty == Type::Date { self.as_day(value.clone(), span)? } else { value.clone() };
        let anchor = if value.ty == Type::Date { self.as_day(anchor, span)? } else { anchor };
        let shifted = |is_back| Expr {
            kind: ExprKind::Shift { of: Box::new(anchor.clone()), by, is_back },
            ty: anchor.ty.clone(),
            may_be_missing: true,
        };
        let (from, to) = match op {
            DatedOp::After => (anchor.clone(), shifted(false)),
            DatedOp::Before => (shifted(true), anchor.clone()),
            DatedOp::On | DatedOp::Since | DatedOp::Until | DatedOp::OnOrBefore | DatedOp::OnOrAfter => {
                (shifted(true), shifted(false))
            }
        };
        Some(Cond::all(vec![
            Cond::Compare(CompareOp::GreaterOrEqual, value.clone(), from),
            Cond::Compare(CompareOp::LessOrEqual, value, to),
        ]))
    }

    /// A length of time with the zone whose calendar its months follow.
    pub(crate) fn length(&mut self, length: &Duration) -> Option<Length> {
        let (period, zone) = self.period(length)?;
        Some(Length { period, zone })
    }

    /// `time since their last Order Completed`
    pub(in crate::lower) fn elapsed(&mut self, name: &Name) -> Expr {
        let Some(time) = self.end_as_time(name) else { return Expr::error() };
        if let ExprKind::EventTime { query, .. } = &time.kind {
            self.rhythm = Some(query.events.clone());
        }
        if time.ty != Type::Timestamp {
            if !time.is_error() {
                let words = self.words(name.span);
                self.report(
                    Diagnostic::new(
                        Code::OperatorNeedsType,
                        name.span,
                        format!("`{words}` is {}, not an instant", time.ty.one()),
                    )
                    .label("an instant is needed here")
                    .help(format!("for days of the calendar: `30 to 45 days since {words}`")),
                );
            }
            return Expr::error();
        }
        Expr { kind: ExprKind::Elapsed(Box::new(time)), ty: Type::Duration, may_be_missing: true }
    }

    /// The length of a written duration in microseconds; months have none.
    pub(in crate::lower) fn fixed(&mut self, length: &Duration) -> Option<i64> {
        match self.period(length)? {
            (Period::Fixed(micros), _) => Some(micros),
            (Period::Months(_), _) => {
                let words = self.words(length.span);
                self.report(
                    Diagnostic::new(
                        Code::OperatorNeedsType,
                        length.span,
                        format!("`{words}` is not always equally long"),
                    )
                    .label("compared with a length of time")
                    .help("write it in days: `30 days`, `365 days`"),
                );
                None
            }
        }
    }
}

/// How two times compare where one is before, after or on the other.
pub(in crate::lower) fn order_of(op: DatedOp) -> CompareOp {
    match op {
        DatedOp::Before => CompareOp::Less,
        DatedOp::After => CompareOp::Greater,
        DatedOp::Since | DatedOp::OnOrAfter => CompareOp::GreaterOrEqual,
        DatedOp::Until | DatedOp::OnOrBefore => CompareOp::LessOrEqual,
        DatedOp::On => CompareOp::Equal,
    }
}
