//! Conditions: which kind each is, and those about events.

use super::aggregate::{bracketed, compared_aggregates, compares_with_aggregate};
use super::comparison::Compared;
use super::resolve::{Subject, not_an_event};
use super::sequence::Row;
use super::time::in_interval;
use super::{EventFacts, Facts, Lower, Lowered, Scope};
use crate::hir::{Aggregate, CompareOp, Cond, End, Expr, ExprKind, PeriodUnit, Query};
use seg_data::schema::fold_name;
use seg_data::{EventId, Type, Value};
use seg_syntax::ast::{
    self, Condition, Literal, Name, Negative, Operand, OperandKind, Quantity, Relation, Tail, TailKind, Unit, Window,
};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    pub(super) fn condition(&mut self, c: &Condition, scope: Scope<'_>) -> Lowered {
        if let Some((zone, rest)) = self.own_zone(c) {
            let before = std::mem::replace(&mut self.settings.zone, zone);
            let lowered = self.condition(&rest, scope);
            self.settings.zone = before;
            return lowered;
        }
        if let Some(lowered) = self.special_condition(c, scope) {
            return lowered;
        }
        let subject = match &c.subject.kind {
            OperandKind::Name(name) => match self.any_activity(c, name) {
                Some(events) => Subject::Events(events),
                None => {
                    let their = c.leads.their || name.their;
                    self.resolve(&Name { their, ..name.clone() }, scope)
                }
            },
            OperandKind::Literal(Literal::Text(text)) => {
                let name = Name { text: text.clone(), is_quoted: true, their: c.leads.their, span: c.subject.span };
                self.resolve(&name, scope)
            }
            OperandKind::Events(names) => match self.resolve_events(names) {
                Some(events) => Subject::Events(events),
                None => Subject::Error,
            },
            OperandKind::Anything => Subject::Events(self.all_events()),
            OperandKind::Aggregate(aggregate) => return self.aggregate_condition(c, aggregate, scope),
            OperandKind::LastFew(few) => return self.last_few(c, few),
            OperandKind::Error => Subject::Error,
            _ => Subject::Value(self.value(&c.subject, scope, None)),
        };
        match subject {
            Subject::Error => Lowered::error(),
            Subject::Value(value) => self.value_condition(c, value, scope),
            Subject::Events(_) | Subject::Ends(..) if !matches!(scope, Scope::Person) => self.not_in_filter(c.span),
            Subject::Events(events) => self.event_condition(c, events),
            Subject::Ends(end, events) => self.ends_condition(c, end, events),
        }
    }

    /// `was active …`: any event, unless the schema calls something `active`.
    fn any_activity(&self, c: &Condition, name: &Name) -> Option<Vec<EventId>> {
        let is_event_like = c.tails.iter().any(|t| {
            matches!(
                t.kind,
                TailKind::Window(_) | TailKind::NotWindow(_) | TailKind::Count(_) | TailKind::DifferentPeriods(..)
            )
        });
        let fits = c.leads.copula.is_some() && is_event_like && fold_name(&name.text) == "active";
        fits.then(|| self.all_events())
    }

    /// A condition about a value: exactly one comparison.
    pub(super) fn value_condition(&mut self, c: &Condition, value: Expr, scope: Scope<'_>) -> Lowered {
        if value.is_error() {
            return Lowered::error();
        }
        if let Some(at) = c.leads.did.or(c.quantity.map(|q| q.span)) {
            let words = self.words(c.subject.span);
            let diagnostic = not_an_event(c.subject.span, &words).also(at, "this needs an event");
            self.report(diagnostic);
            return Lowered::error();
        }
        let Some((first, rest)) = c.tails.split_first() else {
            return self.nothing_said(c, &value);
        };
        if let Some(second) = rest.first() {
            return self.tail_after(second, first, c, &value);
        }
        let compared = Compared { value, span: c.subject.span, scope };
        let lowered = match &first.kind {
            TailKind::Comparison(comparison) => self.comparison(compared, comparison, c.subject.span.to(first.span)),
            TailKind::Recurring(recurring) | TailKind::NotRecurring(recurring) => {
                let not = matches!(first.kind, TailKind::NotRecurring(_)).then_some(first.span);
                let relation = Relation::Recurring(recurring.clone());
                let comparison = ast::Comparison { not, relation, ignoring_case: false, or_unknown: false };
                self.comparison(compared, &comparison, c.subject.span.to(first.span))
            }
            // A time may leave `is` out: `first seen at least 7 days ago`.
            TailKind::Window(window) | TailKind::NotWindow(window) => {
                let not = matches!(first.kind, TailKind::NotWindow(_)).then_some(first.span);
                let relation = Relation::Window(window.clone());
                let comparison = ast::Comparison { not, relation, ignoring_case: false, or_unknown: false };
                self.comparison(compared, &comparison, c.subject.span.to(first.span))
            }
            _ => {
                let words = self.words(c.subject.span);
                let diagnostic = not_an_event(c.subject.span, &words).also(first.span, "this fits events only");
                self.report(diagnostic);
                return Lowered::error();
            }
        };
        match c.leads.negative {
            // `not country is "DE"`: the plain opposite.
            Some(_) => Lowered::plain(lowered.cond.negate()),
            None => lowered,
        }
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

    fn tail_after(&mut self, tail: &Tail, after: &Tail, c: &Condition, value: &Expr) -> Lowered {
        let (words, before) = (self.words(tail.span), self.words(after.span));
        let subject = self.words(c.subject.span);
        let mut diagnostic =
            Diagnostic::new(Code::TailAfterComparison, tail.span, format!("`{words}` stands after the comparison"))
                .also(after.span, "the comparison");
        diagnostic = match value.kind {
            ExprKind::Aggregate { .. } => diagnostic
                .label("belongs before it")
                .help(format!("if it limits the events: `{subject} {words} {before}`"))
                .help("if it is a condition of its own, join it with `and`"),
            _ if compares_with_aggregate(after) => diagnostic
                .label("of the value on the right, or of something else?")
                .help(format!("if it limits the events on the right, bracket them: `{}`", bracketed(&before, &words)))
                .help("if it is a condition of its own, join it with `and`"),
            _ => diagnostic
                .label("belongs to nothing")
                .help("join another condition with `and`")
                .help(format!("if the word before is an event: `{subject} … or did … {words}`")),
        };
        self.report(diagnostic);
        Lowered::error()
    }

    /// `total amount of Order Completed in the past year is at least 500`.
    fn aggregate_condition(&mut self, c: &Condition, aggregate: &ast::Aggregate, scope: Scope<'_>) -> Lowered {
        let at = c.tails.iter().position(|t| matches!(t.kind, TailKind::Comparison(_)));
        let (before, from) = c.tails.split_at(at.unwrap_or(c.tails.len()));
        let from = compared_aggregates(before, from);
        let before: Vec<&Tail> = before.iter().collect();
        let value = self.aggregate(aggregate, &before, scope, c.subject.span);
        // `total spent of …` may have been an attribute all along.
        if matches!(value.kind, ExprKind::Attribute(_)) {
            return self.value_condition(c, value, scope);
        }
        let rest = Condition { tails: from, ..c.clone() };
        self.value_condition(&rest, value, scope)
    }

    /// Names of events behind `of` in an aggregate.
    pub(super) fn event_operand(&mut self, operand: &Operand) -> Option<Vec<EventId>> {
        match &operand.kind {
            OperandKind::Name(name) => self.resolve_events(std::slice::from_ref(name)),
            OperandKind::Events(names) => self.resolve_events(names),
            OperandKind::Anything => Some(self.all_events()),
            _ => None,
        }
    }

    /// A query narrowed by what is said of its events: one `where`, one window.
    pub(super) fn narrowed(&mut self, mut query: Query, tails: &[&Tail]) -> Option<Query> {
        let mut filter_at: Option<Span> = None;
        let mut window_at: Option<Span> = None;
        for tail in tails {
            match &tail.kind {
                TailKind::Where(filter) => {
                    if let Some(first) = filter_at.replace(tail.span) {
                        self.repeated(first, tail.span, "write one `where (… and …)`");
                        return None;
                    }
                    let filter = self.filter(filter, &query.events.clone());
                    narrow(&mut query, filter);
                }
                TailKind::Window(window) => {
                    let before = if is_own_past(window) { None } else { window_at.replace(tail.span) };
                    if let Some(first) = before {
                        self.repeated(first, tail.span, "keep one window, or write two conditions joined by `and`");
                        return None;
                    }
                    if matches!(window, Window::Next(_) | Window::Calendar { from: 1.., .. }) {
                        self.future(tail.span);
                        return None;
                    }
                    self.narrow_by_window(&mut query, window, tail.span)?;
                }
                TailKind::Recurring(recurring) | TailKind::NotRecurring(recurring) => {
                    let test = self.recurring_test(&event_time(), recurring, tail.span)?;
                    let is_not = matches!(tail.kind, TailKind::NotRecurring(_));
                    narrow(&mut query, if is_not { test.negate() } else { test });
                }
                _ => {
                    let words = self.words(tail.span);
                    self.report(
                        Diagnostic::new(Code::MisplacedWords, tail.span, format!("`{words}` does not fit here"))
                            .label("a `where` or a window is possible here")
                            .help("write it as a condition of its own, joined with `and`"),
                    );
                    return None;
                }
            }
        }
        Some(query)
    }

    pub(super) fn repeated(&mut self, first: Span, second: Span, help: &str) {
        let words = self.words(second);
        self.report(
            Diagnostic::new(Code::RepeatedTail, second, format!("`{words}` is the second of its kind"))
                .label("the second")
                .also(first, "the first")
                .help(help),
        );
    }

    fn future(&mut self, span: Span) {
        let words = self.words(span);
        self.report(
            Diagnostic::new(Code::EmptyRange, span, format!("`{words}` lies in the future, where no event is"))
                .label("events after now do not exist")
                .help("use a window in the past, such as `in the past 7 days`"),
        );
    }

    fn event_condition(&mut self, c: &Condition, events: Vec<EventId>) -> Lowered {
        if self.window_of_aggregate(c) {
            return Lowered::error();
        }
        let Some(row) = self.row_of_events(c, &events) else { return Lowered::error() };
        let Some(parts) = self.event_parts(c, &row) else { return Lowered::error() };
        let mut query_tails: Vec<&Tail> = Vec::new();
        query_tails.extend(parts.filter);
        query_tails.extend(parts.narrowing.iter().copied());
        let window_of_first = if parts.first_time.is_some() { parts.window } else { None };
        if parts.first_time.is_none() {
            query_tails.extend(parts.window);
        }
        let not_window: Option<Tail> = parts.not_window.and_then(|t| match &t.kind {
            TailKind::NotWindow(w) => Some(Tail { kind: TailKind::Window(w.clone()), span: t.span }),
            _ => None,
        });
        query_tails.extend(&not_window);
        let query = self.query(events.clone());
        let Some(mut query) = self.narrowed(query, &query_tails) else { return Lowered::error() };
        for followed in &row.followed {
            let Some(cond) = self.followed(followed, &query) else { return Lowered::error() };
            narrow(&mut query, cond);
        }
        row.chain.iter().for_each(|chain| narrow(&mut query, chain.clone()));
        let Some(cond) = self.event_test(c, &parts, query, window_of_first) else { return Lowered::error() };
        let is_negative = c.leads.negative.is_some() || not_window.is_some();
        let window = parts.window.or(parts.not_window).map(|t| t.span);
        let says_never = matches!(c.leads.negative, Some((Negative::Never, _)));
        let facts = EventFacts {
            events,
            window,
            is_open: window.is_none() && !says_never,
            is_row: row.at < c.tails.len(),
            open_filter: parts.filter.and_then(open_filter),
            negative: c.leads.negative.map(|(_, span)| span),
            is_simple: c.quantity.is_none()
                && c.leads.negative.is_none()
                && c.tails.iter().all(|t| matches!(t.kind, TailKind::Window(_))),
            is_bare: c.leads.span.is_none()
                && c.quantity.is_none()
                && c.tails.iter().all(|t| matches!(t.kind, TailKind::Window(_))),
            at: c.span,
        };
        let cond = if is_negative { cond.negate() } else { cond };
        Lowered { cond, facts: Facts::Event(facts) }
    }

    /// The positive condition: how often, on how many days, for the first time.
    fn event_test(
        &mut self,
        c: &Condition,
        parts: &EventParts<'_>,
        query: Query,
        first_in: Option<&Tail>,
    ) -> Option<Cond> {
        if let Some(first) = parts.first_time {
            let Some(Tail { kind: TailKind::Window(window), span }) = first_in else {
                self.report(
                    Diagnostic::new(Code::MisplacedWords, first.span, "`for the first time` needs a window")
                        .label("the first time ever, but when?")
                        .help("add a window: `for the first time within the past 14 days`"),
                );
                return None;
            };
            let interval = self.interval(window, *span)?;
            let kind = ExprKind::EventTime { end: End::First, query };
            let time = Expr { kind, ty: Type::Timestamp, may_be_missing: true };
            return Some(in_interval(&time, interval));
        }
        if let Some((quantity, unit, span)) = parts.periods {
            let zone = self.zone(span)?;
            let unit = match unit {
                Unit::Week => PeriodUnit::Week(self.settings.week_start),
                Unit::Month => PeriodUnit::Month,
                _ => PeriodUnit::Day,
            };
            let kind = ExprKind::Periods { unit, zone, query };
            return Some(in_range(&Expr { kind, ty: Type::Integer, may_be_missing: false }, quantity));
        }
        let quantity = parts.count.unwrap_or(Quantity { min: 1, max: None, span: c.span });
        if let Some((quantity_of, periods)) = parts.regular {
            return self.regular(quantity, quantity_of, periods, &query);
        }
        if let Some((within, span)) = parts.any_within {
            if parts.count.is_none() {
                self.report(
                    Diagnostic::new(Code::MisplacedWords, span, "how often within any such time?")
                        .label("a count is needed before it")
                        .help("write for example `at least 3 times within any 24 hours`"),
                );
                return None;
            }
            let within = self.length(&within)?;
            let kind = ExprKind::MostWithin { query, within };
            return Some(in_range(&Expr { kind, ty: Type::Integer, may_be_missing: false }, quantity));
        }
        let kind = ExprKind::Aggregate { function: Aggregate::Count, measure: None, items: None, query };
        Some(in_range(&Expr { kind, ty: Type::Integer, may_be_missing: false }, quantity))
    }

    /// Sorts the tails of an event condition; `None` when reported.
    fn event_parts<'t>(&mut self, c: &'t Condition, row: &'t Row<'_>) -> Option<EventParts<'t>> {
        let mut parts = EventParts { count: c.quantity, ..EventParts::default() };
        let own = c.tails.get(..row.at).unwrap_or(&c.tails);
        for tail in own.iter().chain(&row.of_whole) {
            let before = match &tail.kind {
                // A window from the person's own past stands beside another.
                TailKind::Window(window) if is_own_past(window) => {
                    parts.narrowing.push(tail);
                    None
                }
                TailKind::Window(_) => parts.window.replace(tail).map(|t| t.span),
                TailKind::NotWindow(_) => parts.not_window.replace(tail).map(|t| t.span),
                TailKind::Where(_) => parts.filter.replace(tail).map(|t| t.span),
                TailKind::FirstTime => parts.first_time.replace(tail).map(|t| t.span),
                TailKind::Recurring(_) | TailKind::NotRecurring(_) => {
                    parts.narrowing.push(tail);
                    None
                }
                TailKind::Regular(q, periods) => parts.regular.replace((*q, *periods)).map(|(_, p)| p.span),
                TailKind::CountPer(q, unit) => {
                    parts.per = Some((*unit, tail.span));
                    parts.count.replace(Quantity { span: tail.span, ..*q }).map(|q| q.span)
                }
                TailKind::Within(ast::Within { of: ast::WithinOf::Any, length }) => {
                    parts.any_within.replace((*length, tail.span)).map(|w| w.1)
                }
                TailKind::Within(within) => {
                    self.within_of_nothing(within, tail.span);
                    return None;
                }
                TailKind::Then(_)
                | TailKind::Followed(_)
                | TailKind::AllIn(_)
                | TailKind::Same(_)
                | TailKind::Limit(_)
                | TailKind::Zone(_) => {
                    self.words_of_sequences(tail);
                    return None;
                }
                TailKind::Count(q) => parts.count.replace(Quantity { span: tail.span, ..*q }).map(|q| q.span),
                TailKind::DifferentPeriods(q, unit) => parts.periods.replace((*q, *unit, tail.span)).map(|p| p.2),
                TailKind::Comparison(comparison) => {
                    self.compared_event(c, comparison, tail.span);
                    return None;
                }
                TailKind::Had(_) => {
                    let event = self.words(c.subject.span);
                    self.report(
                        Diagnostic::new(
                            Code::MisplacedWords,
                            tail.span,
                            "`had` needs one event, the first or the last",
                        )
                        .label("of which of them?")
                        .help(format!("for one of them: `their last {event} had …`, `their first {event} had …`"))
                        .help(format!("for any of them: `did {event} where …`")),
                    );
                    return None;
                }
            };
            if let Some(first) = before {
                self.repeated(first, tail.span, "keep one of them, or write two conditions joined by `and`");
                return None;
            }
        }
        self.parts_fit(c, &parts).then_some(parts)
    }

    /// Whether what is said of events can be said together; reported if not.
    fn parts_fit(&mut self, c: &Condition, parts: &EventParts<'_>) -> bool {
        if !self.check_per(parts) {
            return false;
        }
        let clash = match (&parts.count, &parts.periods, &parts.first_time, parts.window, parts.not_window) {
            (Some(a), Some(b), ..) => Some((a.span, b.2)),
            (Some(a), _, Some(b), ..) => Some((a.span, b.span)),
            (_, Some(a), Some(b), ..) => Some((a.2, b.span)),
            (.., Some(a), Some(b)) => Some((a.span, b.span)),
            _ => None,
        };
        if let Some((first, second)) = clash {
            self.repeated(first, second, "keep one of them, or write two conditions joined by `and`");
            return false;
        }
        if let (Some(tail), Some((_, lead))) = (parts.not_window, c.leads.negative) {
            self.report(
                Diagnostic::new(Code::MisplacedWords, tail.span, "two negatives in one condition")
                    .label("a second negative")
                    .also(lead, "the first")
                    .help("leave one of them out"),
            );
            return false;
        }
        true
    }

    /// `did A more than 3`, `A was more than 90 days ago`.
    fn compared_event(&mut self, c: &Condition, comparison: &ast::Comparison, span: Span) {
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
            self.report(
                Diagnostic::new(Code::CountNeedsTimes, span, format!("`{words}` of what?"))
                    .label("a number after an event")
                    .fix(span, format!("{bare} times"), format!("if it counts `{event}`, write `{bare} times`"))
                    .help(format!("if it is about a value: `total … of {event} … is {bare}`")),
            );
            return;
        }
        self.report(
            Diagnostic::new(
                Code::OperatorNeedsType,
                span,
                format!("`{event}` is an event and has no value to compare"),
            )
            .label("said of an event")
            .help(format!("for when it happened: `their last {event} {words}`"))
            .help(format!("for its properties: `did {event} where …`")),
        );
    }

    /// `their last Order Completed was …`, `their first … had …`.
    fn ends_condition(&mut self, c: &Condition, end: End, events: Vec<EventId>) -> Lowered {
        if let Some(at) = c.leads.did.or(c.quantity.map(|q| q.span)) {
            let words = self.words(c.subject.span);
            self.report(
                Diagnostic::new(Code::MisplacedWords, at, format!("`{words}` is one event, which is there or not"))
                    .label("does not fit one event")
                    .help(format!("say what of it: `their {words} was more than 30 days ago`, `their {words} had …`")),
            );
            return Lowered::error();
        }
        let Some((last, before)) = c.tails.split_last() else {
            return self.nothing_said_of_end(c);
        };
        let narrowing: Vec<&Tail> = before.iter().collect();
        let query = self.query(events);
        let Some(query) = self.narrowed(query, &narrowing) else { return Lowered::error() };
        let lowered = match &last.kind {
            TailKind::Had(filter) => {
                let filter = Box::new(self.filter(filter, &query.events.clone()));
                Lowered::plain(Cond::Few { end, n: 1, query, filter })
            }
            TailKind::Comparison(comparison) => {
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
                let lowered = self.comparison(compared, comparison, c.subject.span.to(last.span));
                Lowered::plain(lowered.cond)
            }
            _ => return self.nothing_said_of_end(c),
        };
        match c.leads.negative {
            Some(_) => Lowered::plain(lowered.cond.negate()),
            None => lowered,
        }
    }

    fn is_date_comparison(&self, comparison: &ast::Comparison) -> bool {
        let is_date = |o: &Operand| matches!(o.kind, OperandKind::Literal(Literal::Date(_)));
        match &comparison.relation {
            Relation::Order(_, right) => is_date(right),
            Relation::Between(low, high) => is_date(low) && is_date(high),
            _ => false,
        }
    }

    fn nothing_said_of_end(&mut self, c: &Condition) -> Lowered {
        let words = self.words(c.subject.span);
        self.report(
            Diagnostic::new(Code::NeedsComparison, c.span, format!("`{words}` alone says nothing of a person"))
                .label("one event")
                .help(format!("for when it was: `their {words} was more than 30 days ago`"))
                .help(format!("for what it was: `their {words} had category \"shoes\"`")),
        );
        Lowered::error()
    }

    /// `all of their last 3 Order Completed had …`
    fn last_few(&mut self, c: &Condition, few: &ast::LastFew) -> Lowered {
        let Some(events) = self.event_operand(&few.event) else { return Lowered::error() };
        let Some((Tail { kind: TailKind::Had(filter), .. }, before)) = c.tails.split_last() else {
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
        let narrowing: Vec<&Tail> = before.iter().collect();
        let query = self.query(events);
        let Some(query) = self.narrowed(query, &narrowing) else { return Lowered::error() };
        let filter = Box::new(self.filter(filter, &query.events.clone()));
        let end = match few.end {
            ast::End::First => End::First,
            ast::End::Last => End::Last,
        };
        let cond = Cond::Few { end, n: few.n, query, filter };
        Lowered::plain(if c.leads.negative.is_some() { cond.negate() } else { cond })
    }
}

/// `since last_order_date`, `within 7 days after their first order`: a window
/// that is not the same for all.
fn is_own_past(window: &Window) -> bool {
    matches!(window, Window::Around(..) | Window::Dated(_, Operand { kind: OperandKind::Name(_), .. }))
}

/// The time of the event at hand.
pub(super) fn event_time() -> Expr {
    Expr { kind: ExprKind::Time, ty: Type::Timestamp, may_be_missing: false }
}

/// Adds a condition to those that a query's events meet.
pub(super) fn narrow(query: &mut Query, cond: Cond) {
    let filters = query.filter.take().map(|f| *f).into_iter().chain([cond]).collect();
    query.filter = Some(Box::new(Cond::all(filters)));
}

/// What is said of events, each at most once.
#[derive(Default)]
pub(super) struct EventParts<'t> {
    window: Option<&'t Tail>,
    /// What else narrows the events: days, hours, windows from their own past.
    narrowing: Vec<&'t Tail>,
    pub regular: Option<(Option<Quantity>, ast::Periods)>,
    pub per: Option<(Unit, Span)>,
    any_within: Option<(ast::Duration, Span)>,
    not_window: Option<&'t Tail>,
    filter: Option<&'t Tail>,
    first_time: Option<&'t Tail>,
    pub count: Option<Quantity>,
    periods: Option<(Quantity, Unit, Span)>,
}

/// A `where` without brackets at the end of which more may seem to follow.
fn open_filter(tail: &Tail) -> Option<Span> {
    match &tail.kind {
        TailKind::Where(ast::Expr::Condition(c)) => Some(c.span),
        _ => None,
    }
}

/// A count inside a range: one comparison where one suffices.
pub(super) fn in_range(count: &Expr, quantity: Quantity) -> Cond {
    let number = |n: u64| Expr::literal(Value::Integer(n.into()), Type::Integer);
    let compare = |op, n| Cond::Compare(op, count.clone(), number(n));
    match (quantity.min, quantity.max) {
        (min, Some(max)) if min == max => compare(CompareOp::Equal, min),
        (0, Some(max)) => compare(CompareOp::LessOrEqual, max),
        (min, Some(max)) => {
            Cond::all(vec![compare(CompareOp::GreaterOrEqual, min), compare(CompareOp::LessOrEqual, max)])
        }
        (min, None) => compare(CompareOp::GreaterOrEqual, min),
    }
}
