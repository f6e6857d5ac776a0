//! Event sequences: one after another, followed by, not followed by.

use crate::hir::{
    Bound, Chain, ChainOrder, ChainStep, CompareOp, Cond, Expr, ExprKind, Interval, Length, Moment, Query,
};
use crate::lower::names::resolve::Subject;
use crate::lower::{Lower, Scope};
use seg_data::{EventId, Period, PropertyId, Type};
use seg_syntax::ast::{self, Condition, Duration, Followed, Modifier, ModifierKind, Name, Window, WithinOf};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// How many events may be behind the first of a sequence: engines keep a bit for
/// each.
pub(super) const STEPS_MAX: usize = 32;

/// What a condition says of the events after its first.
#[derive(Default)]
pub(in crate::lower) struct Row<'t> {
    /// The first of its modifiers that is about them.
    pub at: usize,
    /// What is said behind them of the whole: a window, a count.
    pub of_whole: Vec<Modifier>,
    /// The steps behind the first event.
    pub chain: Option<Cond>,
    /// What follows the first event, or does not.
    pub followed: Vec<FollowedBy<'t>>,
}

/// `not followed by …`, with all that is said of it.
pub(in crate::lower) struct FollowedBy<'t> {
    followed: &'t Followed,
    filters: Vec<&'t Modifier>,
    within: Option<(Duration, Span)>,
    same: Vec<(&'t Name, Span)>,
    /// `and the 2 hours are over`, `even while they run`.
    limit: Option<(Option<Duration>, Span)>,
    span: Span,
}

/// `then Added to Cart where … within 30 minutes`
struct Step<'t> {
    event: &'t ast::Operand,
    filters: Vec<&'t Modifier>,
    within: Option<(Duration, Span)>,
    span: Span,
    followed: Vec<FollowedBy<'t>>,
    /// `with no … in between`
    none_between: Option<(&'t ast::Between, Span)>,
}

/// The modifiers of a sequence, sorted.
#[derive(Default)]
struct Sorted<'t> {
    steps: Vec<Step<'t>>,
    followed: Vec<FollowedBy<'t>>,
    all: Option<(Duration, Span)>,
    each: Option<(Duration, Span)>,
    same: Vec<(&'t Name, Span)>,
    of_whole: Vec<Modifier>,
}

impl<'t> Sorted<'t> {
    fn last_followed(&mut self) -> Option<&mut FollowedBy<'t>> {
        match self.steps.last_mut() {
            Some(step) => step.followed.last_mut(),
            None => self.followed.last_mut(),
        }
    }
}

impl Lower<'_> {
    /// What stands behind the first event of a condition; `None` when reported.
    pub(in crate::lower) fn row_of_events<'t>(&mut self, c: &'t Condition, events: &[EventId]) -> Option<Row<'t>> {
        if let Some(said) = c.modifiers.iter().find(|t| matches!(t.kind, ModifierKind::AnyOrder)) {
            return self.any_order(c, said);
        }
        let is_row = |t: &Modifier| {
            matches!(t.kind, ModifierKind::Then(_) | ModifierKind::Followed(_) | ModifierKind::NoneBetween(_))
        };
        let Some(at) = c.modifiers.iter().position(is_row) else {
            return Some(Row { at: c.modifiers.len(), ..Row::default() });
        };
        let (own, rest) = c.modifiers.split_at(at);
        let sorted = self.sorted(rest)?;
        let own_window = own.iter().find(|t| matches!(t.kind, ModifierKind::Window(_)));
        let whole = sorted.of_whole.iter().find(|t| matches!(t.kind, ModifierKind::Window(_)));
        if let (Some(own), Some(whole)) = (own_window, whole) {
            self.repeated(own.span, whole.span, "keep the window of the whole: it is that of the first step too");
            return None;
        }
        let window = match (own_window, whole) {
            (Some(own), None) if !sorted.steps.is_empty() => {
                // A window up to now holds what follows an event in it; others
                // could mean the first step or all of them.
                if !matches!(own.kind, ModifierKind::Window(Window::Past(_) | Window::Ever)) {
                    self.window_inside_row(c, own);
                    return None;
                }
                Some(own.clone())
            }
            (_, whole) => whole.cloned(),
        };
        let chain = match sorted.steps.is_empty() {
            true => None,
            false => Some(self.chain(&sorted, events, window.as_ref())?),
        };
        Some(Row { at, of_whole: sorted.of_whole, chain, followed: sorted.followed })
    }

    fn sorted<'t>(&mut self, modifiers: &'t [Modifier]) -> Option<Sorted<'t>> {
        let mut row = Sorted::default();
        for modifier in modifiers {
            match &modifier.kind {
                ModifierKind::Then(event) => {
                    if let Some(followed) = row.last_followed() {
                        let at = followed.span;
                        self.step_after_followed(at, modifier.span);
                        return None;
                    }
                    if row.steps.len() >= STEPS_MAX {
                        self.report(
                            Diagnostic::new(Code::TooManySteps, modifier.span, "too many events in a row")
                                .label(format!("at most {STEPS_MAX} after the first"))
                                .help("make two conditions of it, joined with `and`"),
                        );
                        return None;
                    }
                    let followed = Vec::new();
                    row.steps.push(Step {
                        event,
                        filters: Vec::new(),
                        within: None,
                        span: modifier.span,
                        followed,
                        none_between: None,
                    });
                }
                ModifierKind::NoneBetween(between) => self.none_between_of_row(&mut row, between, modifier)?,
                ModifierKind::Followed(followed) => {
                    let (filters, same) = (Vec::new(), Vec::new());
                    let by = FollowedBy { followed, filters, within: None, same, limit: None, span: modifier.span };
                    match row.steps.last_mut() {
                        Some(step) => step.followed.push(by),
                        None => row.followed.push(by),
                    }
                }
                ModifierKind::Where(_) | ModifierKind::Recurring(_) | ModifierKind::NotRecurring(_) => {
                    match (row.last_followed().is_some(), row.steps.last_mut()) {
                        (false, Some(step)) => step.filters.push(modifier),
                        _ => row.last_followed()?.filters.push(modifier),
                    }
                }
                ModifierKind::Within(within) => self.within_of_row(&mut row, within, modifier.span)?,
                ModifierKind::Same(name) => match row.last_followed() {
                    Some(followed) => followed.same.push((name, modifier.span)),
                    None => row.same.push((name, modifier.span)),
                },
                ModifierKind::Limit(length) => match row.last_followed().filter(|f| f.limit.is_none()) {
                    Some(followed) => followed.limit = Some((*length, modifier.span)),
                    None => {
                        self.words_of_sequences(modifier);
                        return None;
                    }
                },
                ModifierKind::AllIn(window) => {
                    row.of_whole.push(Modifier { kind: ModifierKind::Window(window.clone()), span: modifier.span });
                }
                ModifierKind::Window(_) => self.window_behind_row(&mut row, modifier)?,
                ModifierKind::Count(_)
                | ModifierKind::DifferentPeriods(..)
                | ModifierKind::Regular(..)
                | ModifierKind::CountPer(..) => {
                    row.of_whole.push(modifier.clone());
                }
                ModifierKind::Comparison(_)
                | ModifierKind::NotWindow(_)
                | ModifierKind::Had(_)
                | ModifierKind::FirstTime
                | ModifierKind::AnyOrder
                | ModifierKind::Zone(_)
                | ModifierKind::Past(_) => {
                    self.words_of_sequences(modifier);
                    return None;
                }
            }
        }
        Some(row)
    }

    /// `with no C in between`, of the last step and the one before.
    fn none_between_of_row<'t>(
        &mut self,
        row: &mut Sorted<'t>,
        between: &'t ast::Between,
        modifier: &Modifier,
    ) -> Option<()> {
        let step = row.steps.last_mut().filter(|step| step.followed.is_empty());
        let Some(step) = step else {
            self.words_of_sequences(modifier);
            return None;
        };
        if let Some((_, first)) = step.none_between.replace((between, modifier.span)) {
            self.repeated(first, modifier.span, "name all of these events at once: `with no any of (A, B) in between`");
            return None;
        }
        Some(())
    }

    /// `within 2 hours`, of a step, of each, or of all.
    fn within_of_row(&mut self, row: &mut Sorted<'_>, within: &ast::Within, span: Span) -> Option<()> {
        let has_steps = !row.steps.is_empty();
        let slot = match within.of {
            WithinOf::All if has_steps => &mut row.all,
            WithinOf::Each if has_steps => &mut row.each,
            WithinOf::Step if row.last_followed().is_some() => &mut row.last_followed()?.within,
            WithinOf::Step if has_steps => &mut row.steps.last_mut()?.within,
            WithinOf::All | WithinOf::Each | WithinOf::Step | WithinOf::Any => {
                self.within_of_nothing(within, span);
                return None;
            }
        };
        if let Some((first, _)) = slot.replace((within.length, span)) {
            self.repeated(first.span, span, "keep one of the two lengths of time");
            return None;
        }
        Some(())
    }

    /// A window behind the last step: of the whole, where that is clear.
    fn window_behind_row(&mut self, row: &mut Sorted<'_>, modifier: &Modifier) -> Option<()> {
        let words = self.words(modifier.span);
        if let Some(followed) = row.last_followed() {
            let at = followed.span;
            let by = self.words(at);
            self.report(
                Diagnostic::new(Code::UnclearWindow, modifier.span, format!("is `{words}` said of `{by}` too?"))
                    .label("stands behind two events")
                    .also(at, "the second of them")
                    .note(format!("say it of the first event, before the other: `… {words} {by} …`")),
            );
            return None;
        }
        // What bounds all steps shows that the window is of all of them, too.
        if row.all.is_some() || row.each.is_some() {
            row.of_whole.push(modifier.clone());
            return Some(());
        }
        let step = row.steps.last()?.span;
        // The space before it goes, for a comma comes.
        let before = self.sources.text(Span { start: step.start, end: modifier.span.start, ..step });
        let at = Span { start: step.start + before.trim_end().len() as u32, ..modifier.span };
        self.report(
            Diagnostic::new(
                Code::UnclearWindow,
                modifier.span,
                format!("is `{words}` said of the whole, or of the last step?"),
            )
            .label("stands behind the last step")
            .also(step, "the last step")
            .fix(at, format!(", all {words}"), format!("for the whole: `, all {words}`"))
            .help("for the last step alone, make it a condition of its own, joined with `and`"),
        );
        None
    }

    fn window_inside_row(&mut self, c: &Condition, window: &Modifier) {
        let (words, event) = (self.words(window.span), self.words(c.subject.span));
        self.report(
            Diagnostic::new(
                Code::UnclearWindow,
                window.span,
                format!("is `{words}` said of the whole, or of `{event}`?"),
            )
            .label("stands behind the first step")
            .fix(
                c.span,
                format!("{}, all {words}", self.without(c.span, window.span)),
                format!("for the whole, put it at the end: `{}, all {words}`", self.without(c.span, window.span)),
            )
            .note(format!("for the first step alone: `did {event} {words} followed by …`")),
        );
    }

    fn step_after_followed(&mut self, followed: Span, then: Span) {
        let (by, step) = (self.words(followed), self.words(then));
        self.report(
            Diagnostic::new(Code::MisplacedWords, then, format!("`{step}` after which of the events?"))
                .label("a step behind `followed by`")
                .also(followed, "what comes before it")
                .help(format!("put the steps first, and `{by}` behind the last of them")),
        );
    }

    /// A length of time that is tied to nothing.
    pub(in crate::lower) fn within_of_nothing(&mut self, within: &ast::Within, span: Span) {
        let words = self.words(span);
        let length = self.words(within.length.span);
        let diagnostic = match within.of {
            WithinOf::Step => {
                Diagnostic::new(Code::WindowNeedsThePast, span, format!("`{words}` does not say of when"))
                    .label("within this long of what?")
                    .fix(span, format!("within the past {length}"), format!("write `within the past {length}`"))
            }
            WithinOf::Each | WithinOf::All | WithinOf::Any => {
                Diagnostic::new(Code::MisplacedWords, span, format!("`{words}` needs several events in a row"))
                    .label("of what?")
                    .note(format!("a row of events is said so: `did A then B, all within {length}`"))
                    .help(format!("for a window up to now: `within the past {length}`"))
            }
        };
        self.report(diagnostic);
    }

    /// Words that only fit behind `then` or `followed by`.
    pub(in crate::lower) fn words_of_sequences(&mut self, modifier: &Modifier) {
        let words = self.words(modifier.span);
        let mut diagnostic =
            Diagnostic::new(Code::MisplacedWords, modifier.span, format!("`{words}` does not fit here"))
                .label("of what?");
        diagnostic = match modifier.kind {
            ModifierKind::Limit(_) => diagnostic.note("it belongs behind `not followed by … within …`"),
            ModifierKind::NoneBetween(_) => {
                diagnostic.note("it belongs behind a step: `did A then B with no C in between`")
            }
            ModifierKind::Past(ast::Past::AnyTime) => diagnostic
                .fix(modifier.span, "ever", "for an event that may be any time ago: `ever`")
                .note("`at any time` is said of an attribute whose history is kept"),
            ModifierKind::Past(_) => diagnostic.note("it is said of an attribute whose history is kept"),
            ModifierKind::AnyOrder => {
                diagnostic.note("it belongs behind several events: `did all of (A, B) in any order`")
            }
            ModifierKind::Same(_) => {
                diagnostic.note("it belongs behind `then …`, `followed by …` or `with no … since`")
            }
            ModifierKind::AllIn(_) => diagnostic
                .note("`all` belongs behind a row of events: `did A then B, all in the past 7 days`")
                .help("for one event leave `all` out"),
            ModifierKind::Then(_) | ModifierKind::Followed(_) => diagnostic
                .note("an event stands before it: `did A then B`, `did A followed by B`")
                .help("say it of the events, then compare"),
            _ => diagnostic.help("write it as a condition of its own, joined with `and`"),
        };
        self.report(diagnostic);
    }

    fn chain(&mut self, sorted: &Sorted<'_>, first: &[EventId], window: Option<&Modifier>) -> Option<Cond> {
        let each = self.length_said(sorted.each)?;
        let mut steps = Vec::with_capacity(sorted.steps.len());
        let mut events = vec![first.to_vec()];
        for step in &sorted.steps {
            let of_step = self.event_operand(step.event)?;
            events.push(of_step.clone());
            let mut query = self.query(of_step);
            if let Some(Modifier { kind: ModifierKind::Window(window), span }) = window {
                self.narrow_by_window(&mut query, window, *span)?;
            }
            let modifiers: Vec<&Modifier> = step.filters.clone();
            let mut query = self.narrowed(query, &modifiers)?;
            for followed in &step.followed {
                let cond = self.followed(followed, &query)?;
                query.narrow(cond);
            }
            self.reads(step.span);
            let own = self.length_said(step.within)?;
            if let (Some(_), Some((of_each, _))) = (own, sorted.each) {
                self.repeated(step.span, of_each.span, "keep one of the two lengths of time");
                return None;
            }
            let none_between = match step.none_between {
                Some((between, at)) => Some(self.none_between(between, at)?),
                None => None,
            };
            steps.push(ChainStep { query, within: own.or(each), none_between });
        }
        let whole = self.length_said(sorted.all)?;
        let same = self.same(&sorted.same, &events.concat())?;
        Some(Cond::Chain(Box::new(Chain { order: ChainOrder::After, steps, whole, same })))
    }

    /// The events of which none is between two steps.
    fn none_between(&mut self, between: &ast::Between, at: Span) -> Option<Query> {
        let events = self.event_operand(&between.event)?;
        let query = self.query(events);
        let filter: Vec<&Modifier> = between.filter.as_deref().into_iter().collect();
        let query = self.narrowed(query, &filter)?;
        self.reads(at);
        Some(query)
    }

    /// `not followed by B within D`, said of the events of a query.
    pub(in crate::lower) fn followed(&mut self, by: &FollowedBy<'_>, of: &Query) -> Option<Cond> {
        let events = self.event_operand(&by.followed.event)?;
        let mut all = of.events.clone();
        all.extend(&events);
        let query = self.query(events);
        let query = self.narrowed(query, &by.filters)?;
        self.reads(by.span);
        let within = self.length_said(by.within)?;
        let same = self.same(&by.same, &all)?;
        let order = if by.followed.is_before { ChainOrder::Before } else { ChainOrder::After };
        let steps = vec![ChainStep { query, within, none_between: None }];
        let cond = Cond::Chain(Box::new(Chain { order, steps, whole: None, same }));
        if !by.followed.not {
            if let Some((_, at)) = by.limit {
                self.misplaced_limit(at);
                return None;
            }
            return Some(cond);
        }
        let over = self.limit(by, within, of)?;
        Some(Cond::all(std::iter::once(cond.negate()).chain(over).collect()))
    }

    /// Whether what must not follow may still do so: it must be said wherever
    /// that makes a difference.
    fn limit(&mut self, by: &FollowedBy<'_>, within: Option<Length>, of: &Query) -> Option<Option<Cond>> {
        let can_run = within.is_some() && !by.followed.is_before && reaches_now(of.interval);
        self.read.extend(by.limit.map(|(_, at)| at));
        match (by.limit, within, by.within) {
            (Some((_, at)), None, _) => {
                self.misplaced_limit(at);
                None
            }
            (Some((Some(said), at)), Some(_), Some((written, _)))
                if (said.count, said.unit) != (written.count, written.unit) =>
            {
                let (said, written) = (self.words(at), self.words(written.span));
                self.report(
                    Diagnostic::new(Code::MisplacedWords, at, format!("`{said}`, but the limit is `{written}`"))
                        .label("another length of time")
                        .fix(at, format!("and the {written} are over"), format!("write `and the {written} are over`")),
                );
                None
            }
            (Some((Some(_), _)), Some(within), _) => {
                let of = Box::new(Expr::event_time());
                let end = Expr {
                    kind: ExprKind::Shift { of, by: within, is_back: false },
                    ty: Type::Timestamp,
                    may_be_missing: false,
                };
                let now = Expr::moment(Moment::NOW);
                Some(Some(Cond::Compare(CompareOp::LessOrEqual, end, now)))
            }
            // Where nothing can run any more it states what holds anyway.
            (Some((None, _)), ..) => Some(None),
            (None, ..) if can_run => {
                let (words, within) =
                    (self.words(by.span), by.within.map_or(String::new(), |(d, _)| self.words(d.span)));
                // `a day` is one of which no number is said.
                let one = ["a ", "an "].iter().find_map(|article| within.strip_prefix(article));
                let (length, verb) = one.map_or((within.as_str(), "are"), |unit| (unit, "is"));
                let last = by.within.map_or(by.span, |(_, at)| at);
                if let Some(said) = self.limit_said_amiss(last, length) {
                    let right = format!("and the {length} {verb} over");
                    let message = format!("`{}` does not say that the {length} {verb} over", self.words(said));
                    self.report(
                        Diagnostic::new(Code::UnclearLimit, said, message)
                            .label("nearly the limit of what stands before")
                            .fix(said, right.as_str(), format!("write `{right}`")),
                    );
                    return None;
                }
                self.report(
                    Diagnostic::new(
                        Code::UnclearLimit,
                        by.span,
                        format!("does an event count before its {length} {verb} over?"),
                    )
                    .label("what has not followed may still do so")
                    .help(format!("without them: `{words} within {within} and the {length} {verb} over`"))
                    .help(format!("with them: `{words} within {within} even while they run`")),
                );
                None
            }
            (None, ..) => Some(None),
        }
    }

    /// `and the day is overs`, behind what does not follow within a day: five words at
    /// most.
    fn limit_said_amiss(&self, span: Span, length: &str) -> Option<Span> {
        let rest = self.sources.rest_of_line(span);
        let behind = rest.trim_start();
        let unit = length.rsplit(' ').next()?.trim_end_matches('s');
        let words: Vec<&str> = behind.split_whitespace().take(3 + length.split(' ').count() + 1).collect();
        let is_it = words.starts_with(&["and", "the"]) && words.iter().any(|word| word.starts_with(unit));
        let last = words.last().filter(|_| is_it)?.trim_end_matches(')');
        let end = last.as_ptr() as usize - rest.as_ptr() as usize + last.len();
        let start = span.end + (rest.len() - behind.len()) as u32;
        Some(Span::new(span.source, start, span.end + end as u32))
    }

    /// A length of time, if one was said; `None` when it was refused.
    #[expect(clippy::option_option, reason = "reported, or not said")]
    pub(super) fn length_said(&mut self, said: Option<(Duration, Span)>) -> Option<Option<Length>> {
        let Some((length, span)) = said else { return Some(None) };
        self.reads(span);
        self.length(&length).map(Some)
    }

    fn misplaced_limit(&mut self, span: Span) {
        let words = self.words(span);
        self.report(
            Diagnostic::new(Code::MisplacedWords, span, format!("`{words}` has no limit to belong to"))
                .label("no length of time runs here")
                .note("it belongs behind `not followed by … within 2 hours`"),
        );
    }

    /// Properties that tie events together: on every one of them, of one type.
    pub(super) fn same(
        &mut self,
        names: &[(&Name, Span)],
        events: &[EventId],
    ) -> Option<Vec<Vec<(EventId, PropertyId)>>> {
        let mut events = events.to_vec();
        events.sort_unstable();
        events.dedup();
        let mut out = Vec::with_capacity(names.len());
        for (name, span) in names {
            self.reads(*span);
            match self.resolve(name, Scope::Event(&events)) {
                Subject::Value(Expr { kind: ExprKind::Property(ids), ty, .. }) => {
                    if matches!(ty, Type::List(_) | Type::Records(_)) {
                        let words = self.words(name.span);
                        self.report(
                            Diagnostic::new(Code::OperatorNeedsType, name.span, format!("`{words}` is a list"))
                                .label("the same in what?")
                                .help("name a property that holds one value"),
                        );
                        return None;
                    }
                    out.push(ids);
                }
                Subject::Error => return None,
                _ => {
                    let diagnostic = self.unknown_property(name, &events);
                    self.report(diagnostic);
                    return None;
                }
            }
        }
        Some(out)
    }
}

/// Whether events just before now lie in an interval.
fn reaches_now(interval: Interval) -> bool {
    match interval.to {
        None => true,
        Some(Bound { moment: Moment::Before(period, _), .. }) => {
            matches!(period, Period::Fixed(0) | Period::Months(0))
        }
        // Dates and calendars may hold now or not: it has to be said.
        Some(_) => true,
    }
}
