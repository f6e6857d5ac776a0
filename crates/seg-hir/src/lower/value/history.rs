//! The values that an attribute had: `plan was "free" at any time in the past 90 days`, `has
//! been "pro" for at least 30 days`, `changed from "free" to "pro"`.

use super::comparison::Compared;
use crate::hir::{CompareOp, Cond, Expr, ExprKind, Interval, OfHistory};
use crate::lower::event::{is_ahead_of_now, is_own_past};
use crate::lower::{Lower, Lowered, Scope};
use seg_data::schema::Target;
use seg_data::{AttributeId, Type};
use seg_syntax::ast::{
    self, Age, Changed, Comparison, Condition, Copula, Group, Modifier, ModifierKind, Name, Often, OperandKind, Past,
    Quantifier, Quantity, Relation, Tense, Window,
};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::names::display;
use seg_syntax::source::Span;

/// What a condition says of the past of an attribute.
struct Said<'c> {
    comparison: Option<(&'c Comparison, Span)>,
    any_time: Option<Span>,
    lasting: Option<(Age, Span)>,
    changed: Option<(&'c Changed, Span)>,
    window: Option<(&'c Window, Span)>,
    count: Option<(Quantity, Span)>,
}

impl<'c> Said<'c> {
    /// The first of each; what stands there twice is left over.
    fn of(modifiers: &'c [Modifier]) -> Said<'c> {
        let (any_time, lasting, changed, window, count) = (None, None, None, None, None);
        let mut said = Said { comparison: None, any_time, lasting, changed, window, count };
        for Modifier { kind, span } in modifiers {
            match kind {
                ModifierKind::Comparison(comparison) => said.comparison = said.comparison.or(Some((comparison, *span))),
                ModifierKind::Past(Past::AnyTime) => said.any_time = said.any_time.or(Some(*span)),
                ModifierKind::Past(Past::For(age)) => said.lasting = said.lasting.or(Some((*age, *span))),
                ModifierKind::Past(Past::Changed(changed)) => said.changed = said.changed.or(Some((changed, *span))),
                ModifierKind::Window(window) => said.window = said.window.or(Some((window, *span))),
                ModifierKind::Count(count) => said.count = said.count.or(Some((*count, *span))),
                // Nothing of the past of a value, so that it is left over.
                ModifierKind::NotWindow(_)
                | ModifierKind::Where(_)
                | ModifierKind::Had(_)
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
                | ModifierKind::Zone(_) => {}
            }
        }
        said
    }

    fn copula(&self) -> Option<Copula> {
        self.comparison.and_then(|(comparison, _)| comparison.copula)
    }

    fn often(&self) -> Option<(Often, Span)> {
        self.copula().and_then(|copula| copula.often)
    }

    /// `has been "pro" since 2026-01-01`
    fn is_since(&self) -> bool {
        let is_since = matches!(
            self.window,
            Some((Window::Dated(ast::DatedOp::Since, _) | Window::Beside(ast::DatedOp::Since, _), _))
        );
        is_since && self.copula().is_some_and(|copula| copula.tense == Tense::HasBeen)
    }

    fn is_past(&self) -> bool {
        self.copula().is_some_and(|copula| copula.tense != Tense::Is)
    }
}

impl Lower<'_> {
    /// A condition about the values that an attribute had; `None` where it is about the one
    /// that it has.
    pub(super) fn past_condition(
        &mut self,
        c: &Condition,
        (attribute, value): (AttributeId, &Expr),
        scope: Scope<'_>,
    ) -> Option<Lowered> {
        if !speaks_of_past(c) {
            return None;
        }
        let said = Said::of(&c.modifiers);
        let is_told = said.any_time.is_some() || said.lasting.is_some() || said.changed.is_some() || said.is_since();
        // Times may be told of in the past tense: they are past.
        let is_time = matches!(value.ty, Type::Timestamp | Type::Date);
        if !is_told && (!said.is_past() || is_time && said.often().is_none()) {
            return None;
        }
        if !matches!(scope, Scope::Person) {
            return Some(match is_told || said.often().is_some() {
                true => self.not_in_filter(c.span),
                false => self.tense_without_time(c, attribute, &said),
            });
        }
        match said.changed {
            Some((changed, _)) if changed.has_verb => return Some(self.changed_condition(c, attribute)),
            Some((_, at)) => return Some(self.without_verb(c, at)),
            None => {}
        }
        let Some((comparison, at)) = said.comparison else { return Some(self.told_of_nothing(c)) };
        let value = self.held_value(attribute, false);
        let own = Comparison { copula: None, not: None, ..comparison.clone() };
        let compared = Compared { value, span: c.subject.span, scope };
        Some(self.held_condition(c, attribute, &said, |lower| lower.comparison(compared, &own, c.subject.span.to(at))))
    }

    /// `plan was "free" or "trial" at any time`: of one value at one time.
    pub(in crate::lower) fn compared_past(&mut self, group: &Group, conditions: &[&Condition]) -> Option<Lowered> {
        let attribute = self.past_of(conditions)?;
        let first = *conditions.first()?;
        let said = Said::of(&first.modifiers);
        if !self.are_of_one_value(group, conditions) {
            return Some(Lowered::error());
        }
        let whole = Condition { span: group.span, ..first.clone() };
        let filter = |lower: &mut Self| {
            let mut filters = Vec::with_capacity(conditions.len());
            for c in conditions {
                let Some((comparison, at)) = Said::of(&c.modifiers).comparison else { return Lowered::error() };
                let own = Comparison { copula: None, ..comparison.clone() };
                lower.reads(at);
                let value = lower.held_value(attribute, false);
                let compared = Compared { value, span: c.subject.span, scope: Scope::Person };
                let filter = lower.comparison(compared, &own, c.subject.span.to(at));
                if filter.is_error() {
                    return filter;
                }
                filters.push(filter.cond);
            }
            Lowered::plain(match group.quantifier {
                Quantifier::Any => Cond::any(filters),
                Quantifier::All | Quantifier::None | Quantifier::Cardinality { .. } => Cond::all(filters),
            })
        };
        Some(self.whole(conditions, |lower| lower.held_condition(&whole, attribute, &said, filter)))
    }

    /// The attribute of whose past values several comparisons speak, if they do.
    pub(in crate::lower) fn past_of(&self, conditions: &[&Condition]) -> Option<AttributeId> {
        let first = conditions.first()?;
        let OperandKind::Name(name) = &first.subject.kind else { return None };
        let said = Said::of(&first.modifiers);
        let is_past = |c: &&Condition| Said::of(&c.modifiers).is_past();
        let is_told = said.any_time.is_some() || said.lasting.is_some() || said.often().is_some() || said.is_since();
        let is_mixed = conditions.iter().any(is_past) && !conditions.iter().all(is_past);
        let [Target::Attribute(attribute)] = self.schema.lookup(&name.text) else { return None };
        // Times may be told of in any tense.
        let is_time = || matches!(self.attribute(*attribute).ty, Type::Timestamp | Type::Date);
        (is_told || is_mixed && !is_time()).then_some(*attribute)
    }

    /// What is said of the values that an attribute had, each of which the filter may fit.
    fn held_condition(
        &mut self,
        c: &Condition,
        attribute: AttributeId,
        said: &Said<'_>,
        filter: impl FnOnce(&mut Self) -> Lowered,
    ) -> Lowered {
        let (Some((comparison, at)), Some(copula)) = (said.comparison, said.copula()) else {
            return self.told_of_nothing(c);
        };
        let is_lasting = said.lasting.is_some() || said.is_since();
        let is_any_time = said.any_time.is_some() || copula.often.is_some();
        if !is_lasting && !is_any_time {
            return self.tense_without_time(c, attribute, said);
        }
        if !self.has_history(attribute, c) || self.is_wrong_tense(copula, said) {
            return Lowered::error();
        }
        if let Some(not) = comparison.not {
            self.not_held(c, not, said);
            return Lowered::error();
        }
        let filter = filter(self);
        if filter.is_error() {
            return filter;
        }
        self.reads(at);
        let history = |of, ty| {
            let kind = ExprKind::History { attribute, filter: Box::new(filter.cond.clone()), of };
            Expr { kind, ty, may_be_missing: of == OfHistory::Since }
        };
        match is_lasting {
            true => {
                let lowered = self.held_since(c, said, history(OfHistory::Since, Type::Timestamp));
                let is_negative = self.reads_negative(c);
                lowered.negated(is_negative)
            }
            false => {
                let Some(interval) = self.window_of_history(said) else { return Lowered::error() };
                self.read.extend(said.any_time);
                self.read.extend(copula.often.map(|(_, at)| at));
                let cond = history(OfHistory::Stretches(interval), Type::Integer).in_range(1, None);
                let is_never = matches!(copula.often, Some((Often::Never, _)));
                let is_negative = self.reads_negative(c);
                Lowered::plain(cond).negated(is_negative != is_never)
            }
        }
    }

    /// `for at least 30 days`, `since 2026-01-01`
    fn held_since(&mut self, c: &Condition, said: &Said<'_>, since: Expr) -> Lowered {
        if let Some((age, span)) = said.lasting {
            if let Age::Exactly(length) = age {
                let words = self.words(length.span);
                self.report(
                    Diagnostic::new(Code::ExactAgo, span, format!("`{}` is to the microsecond", self.words(span)))
                        .label("no longer and no shorter?")
                        .fix(
                            length.span,
                            format!("at least {words}"),
                            format!("for so long or longer: `for at least {words}`"),
                        )
                        .fix(
                            length.span,
                            format!("at most {words}"),
                            format!("for so long or shorter: `for at most {words}`"),
                        ),
                );
                return Lowered::error();
            }
            self.reads(span);
            let compared = Compared { value: since, span: c.subject.span, scope: Scope::Person };
            let comparison = Comparison::of(Relation::Window(Window::Ago(age)), None);
            return self.comparison(compared, &comparison, span);
        }
        match self.window_of_history(said).and_then(|interval| interval.from) {
            Some(from) => Lowered::plain(Cond::Compare(CompareOp::LessOrEqual, since, Expr::moment(from.moment))),
            None => Lowered::error(),
        }
    }

    /// The window in which a history is looked at: all of the past without one.
    fn window_of_history(&mut self, said: &Said<'_>) -> Option<Interval> {
        let Some((window, span)) = said.window else { return Some(Interval::default()) };
        if is_ahead_of_now(window) {
            self.future(span);
            return None;
        }
        if is_own_past(window) {
            let words = self.words(span);
            let message = format!("`{words}` begins or ends at another time for each person");
            self.report(
                Diagnostic::new(Code::OperatorNeedsType, span, message)
                    .label("fits events and times")
                    .note("a history is looked at in one window for all, such as `in the past 30 days`"),
            );
            return None;
        }
        self.reads(span);
        self.interval(window, span)
    }

    /// `plan changed`, where a name of these words is an attribute and the verb; `None` for
    /// any other name.
    pub(in crate::lower) fn name_changed(&mut self, c: &Condition, name: &Name, scope: Scope<'_>) -> Option<Lowered> {
        let ends_so = name.text.len() > VERB.len() && name.text.is_char_boundary(name.text.len() - VERB.len());
        let is_verb = ends_so && name.text.split_at(name.text.len() - VERB.len()).1.eq_ignore_ascii_case(VERB);
        if !is_verb && !speaks_of_past(c) {
            return None;
        }
        let said = Said::of(&c.modifiers);
        if name.is_quoted || c.prefix.did.is_some() || c.quantity.is_some() || said.comparison.is_some() {
            return None;
        }
        let (before, verb) = name.text.rsplit_once(' ')?;
        let is_verb = verb.eq_ignore_ascii_case(VERB);
        let full = if is_verb { before } else { said.changed.map(|_| name.text.as_str())? };
        let of_value = full.get(.."value of ".len()).filter(|lead| lead.eq_ignore_ascii_case("value of "));
        let attribute = full.get(of_value.map_or(0, str::len)..)?;
        let [Target::Attribute(id)] = self.schema.lookup(attribute) else { return None };
        let id = *id;
        if of_value.is_none() && !is_verb || !matches!(scope, Scope::Person) {
            return None;
        }
        let own = self.schema.lookup(&name.text);
        if of_value.is_none() && !own.is_empty() {
            let keeps = self.schema.attribute(id).is_some_and(|field| field.keeps_history);
            let is_event = own.iter().all(|target| !matches!(target, Target::Attribute(_)));
            if !keeps || !is_event || said.changed.is_some() {
                // The values that it changed between are those of an attribute.
                return if keeps && said.changed.is_some() { Some(self.changed_condition(c, id)) } else { None };
            }
            let (event, value) = (self.schema.name_of(*own.first()?), self.words(name.span));
            let event = format!("did {}", display(event));
            let message = format!("`{}` fits more than one thing", name.text);
            let diagnostic = Diagnostic::new(Code::AmbiguousName, name.span, message)
                .label(format!("the event, or a change of the attribute `{attribute}`"))
                .fix(name.span, event.as_str(), format!("for the event: `{event}`"))
                .fix(name.span, format!("the value of {value}"), format!("for the attribute: `the value of {value}`"));
            self.report(diagnostic);
            return Some(Lowered::error());
        }
        Some(self.changed_condition(c, id))
    }

    /// So many changes of an attribute in a window: at least one, where no count is said.
    fn changed_condition(&mut self, c: &Condition, attribute: AttributeId) -> Lowered {
        if !self.has_history(attribute, c) {
            return Lowered::error();
        }
        let said = Said::of(&c.modifiers);
        let mut filters = Vec::new();
        let sides = said.changed.map_or([None, None], |(changed, _)| [changed.from.as_ref(), changed.to.as_ref()]);
        for (side, is_before) in sides.into_iter().zip([true, false]) {
            let Some((relation, span)) = side else { continue };
            let value = self.held_value(attribute, is_before);
            let compared = Compared { value, span: c.subject.span, scope: Scope::Person };
            let filter = self.comparison(compared, &Comparison::of(relation.clone(), None), *span);
            if filter.is_error() {
                return filter;
            }
            filters.push(filter.cond);
        }
        self.read.extend(said.changed.map(|(_, span)| span));
        let Some(interval) = self.window_of_history(&said) else { return Lowered::error() };
        self.read.extend(said.count.map(|(_, span)| span));
        let (min, max) = said.count.map_or((1, None), |(quantity, _)| (quantity.min, quantity.max));
        let filter = Box::new(Cond::all(filters));
        let kind = ExprKind::History { attribute, filter, of: OfHistory::Changes(interval) };
        let cond = Expr::count(kind).in_range(min, max);
        let is_not = said.changed.is_some_and(|(changed, _)| changed.not.is_some());
        // A second negative is left over.
        let is_negative = !is_not && self.reads_negative(c);
        Lowered::plain(cond).negated(is_not || is_negative)
    }

    fn held_value(&self, attribute: AttributeId, is_before: bool) -> Expr {
        let ty = self.attribute(attribute).ty;
        Expr { kind: ExprKind::HeldValue { attribute, is_before }, ty, may_be_missing: true }
    }

    /// Whether the history of an attribute is kept; reported if not.
    fn has_history(&mut self, attribute: AttributeId, c: &Condition) -> bool {
        let Some(field) = self.schema.attribute(attribute) else { return false };
        if field.keeps_history {
            return true;
        }
        let name = display(&field.name);
        self.report(
            Diagnostic::new(Code::NoHistory, c.span, format!("no history of `{name}` is kept"))
                .label(format!("only the value that `{name}` has now is known"))
                .note(format!("to keep it, write `history = true` at `{name}` in the schema"))
                .note("its values then come with times: rows of people with a time, or `since` in tests"),
        );
        false
    }

    /// `plan was "free"`: when? Reported.
    fn tense_without_time(&mut self, c: &Condition, attribute: AttributeId, said: &Said<'_>) -> Lowered {
        let Some(copula) = said.copula() else { return self.told_of_nothing(c) };
        let field = self.schema.attribute(attribute);
        let name = field.map_or(String::new(), |field| display(&field.name));
        let keeps = field.is_some_and(|field| field.keeps_history);
        let (words, verbs) = (self.words(copula.span), Verbs::like(&self.words(copula.span)));
        let message = format!("`{words}` does not say when `{name}` had this value");
        let diagnostic = Diagnostic::new(Code::UnclearTense, copula.span, message).label("now, or at some time?");
        let at = said.comparison.and_then(|(comparison, _)| comparison.not);
        let (verb, not) = at.map_or((copula.span, ""), |not| (copula.span.to(not), " not"));
        let diagnostic = match said.window {
            Some((_, window)) if keeps => {
                let at_any = format!("at any time {}", self.words(window));
                let title = format!("for some time of it: `{at_any}`");
                let diagnostic = match said.window {
                    Some((Window::Past(length), _)) => {
                        let lasting = format!("for at least {}", self.words(length.span));
                        let title = format!("for all of it, up to now: `{lasting}`");
                        diagnostic.fix(window, lasting, title)
                    }
                    _ => diagnostic,
                };
                diagnostic.fix(window, at_any, title)
            }
            _ => {
                let said_now = self.said_with(c, verb, &format!("{}{not}", verbs.is));
                let known_now = self.said_with(c, verb, &format!("{} known but not", verbs.is));
                let diagnostic = diagnostic.fix(subject_on(c), said_now.as_str(), format!("for now: `{said_now}`"));
                match !not.is_empty() && field.is_some_and(|field| !field.is_required) {
                    true => diagnostic.fix(subject_on(c), known_now.as_str(), format!("for now: `{known_now}`")),
                    false => diagnostic,
                }
            }
        };
        if !keeps || said.window.is_some() || at.is_some() {
            let diagnostic = match keeps {
                true => diagnostic
                    .note("some time: `… was … at any time in the past 30 days`")
                    .note("a while up to now: `… has been … for at least 30 days`"),
                false => diagnostic,
            };
            self.report(diagnostic);
            return Lowered::error();
        }
        let past = self.said_with(c, copula.span, verbs.was);
        let been = self.said_with(c, copula.span, verbs.been);
        let (past, been) = (format!("{past} at any time in the past 30 days"), format!("{been} for at least 30 days"));
        self.report(
            diagnostic.fix(subject_on(c), past.as_str(), format!("for some time before, for example: `{past}`")).fix(
                subject_on(c),
                been.as_str(),
                format!("for a while up to now, for example: `{been}`"),
            ),
        );
        Lowered::error()
    }

    /// What is said of an attribute, with other words for some of them.
    fn said_with(&self, c: &Condition, part: Span, with: &str) -> String {
        let whole = subject_on(c);
        let (before, after) = (Span { end: part.start, ..whole }, Span { start: part.end, ..whole });
        [&self.words(before), with, &self.words(after)].map(str::trim).join(" ").trim().to_owned()
    }

    /// `plan is "free" at any time`, `was "free" for at least 30 days`. Reported.
    fn is_wrong_tense(&mut self, copula: Copula, said: &Said<'_>) -> bool {
        let (words, verbs) = (self.words(copula.span), Verbs::like(&self.words(copula.span)));
        let (at, right) = match (said.lasting, said.any_time, copula.tense) {
            (Some((_, at)), None, Tense::Is | Tense::Was) => (at, verbs.been),
            (None, Some(at), Tense::Is) => (at, verbs.was),
            (Some((_, one)), Some(other), _) => {
                let (first, second) = if one.start < other.start { (one, other) } else { (other, one) };
                self.repeated(first, second, "keep one of them, or write two conditions joined by `and`");
                return true;
            }
            _ => return false,
        };
        let when = self.words(at);
        self.report(
            Diagnostic::new(Code::UnclearTense, copula.span, format!("`{words}` does not go with `{when}`"))
                .label(format!("`{right}` does"))
                .fix(copula.span, right, format!("write `{right}`")),
        );
        true
    }

    /// `was not "free" at any time`: at no time, or at some time something else? Reported.
    fn not_held(&mut self, c: &Condition, not: Span, said: &Said<'_>) {
        let (Some(copula), Some((comparison, at))) = (said.copula(), said.comparison) else { return };
        let verbs = Verbs::like(&self.words(copula.span));
        let verb = if copula.tense == Tense::HasBeen { verbs.been } else { verbs.was };
        let subject = self.words(c.subject.span);
        let value = self.words(Span { start: copula.span.end.max(not.end), ..at });
        let rest = self.words(Span { start: at.end, ..c.span });
        let whole = format!("not ({subject} {verb} {value} {rest})");
        let known = format!("{subject} {verb} known but not {value} {rest}");
        let words = self.words(not);
        let diagnostic = Diagnostic::new(Code::UnclearNegative, not, format!("what does `{words}` belong to?"))
            .label("to the value, or to the whole?")
            .fix(subject_on(c), whole.as_str(), format!("to the whole: `{whole}`"));
        self.report(match comparison.relation {
            Relation::Order(ast::OrderOp::Is, _) | Relation::OneOf(_) | Relation::Text(..) => {
                diagnostic.fix(subject_on(c), known.as_str(), format!("to the value: `{known}`"))
            }
            Relation::Known
            | Relation::Missing
            | Relation::Empty(_)
            | Relation::KnownButNot(_)
            | Relation::Order(..)
            | Relation::Between(..)
            | Relation::NoneOf(_)
            | Relation::Includes(..)
            | Relation::Window(_)
            | Relation::Recurring(_)
            | Relation::InList(_)
            | Relation::Near(_) => diagnostic,
        });
    }

    /// `plan to "pro"`: what did it? Reported.
    fn without_verb(&mut self, c: &Condition, at: Span) -> Lowered {
        let (subject, words) = (self.words(c.subject.span), self.words(at));
        let right = format!("{VERB} {words}");
        self.report(
            Diagnostic::new(Code::NeedsComparison, at, format!("`{words}` behind `{subject}` has no verb"))
                .label("did it change so?")
                .fix(at, right.as_str(), format!("if it did: `{right}`")),
        );
        Lowered::error()
    }

    /// `plan is "pro" and was "free" at any time`, `was "pro" and was "free" at any time`: not
    /// of one value at one time. Reported.
    fn are_of_one_value(&mut self, group: &Group, conditions: &[&Condition]) -> bool {
        let copulas = || conditions.iter().filter_map(|c| Said::of(&c.modifiers).copula());
        let is_mixed = copulas().any(|one| copulas().any(|other| one.tense != other.tense || one.often != other.often));
        let is_value = |c: &&&Condition| {
            let relation = Said::of(&c.modifiers).comparison.map(|(comparison, _)| &comparison.relation);
            matches!(relation, Some(Relation::Order(ast::OrderOp::Is, right)) if matches!(right.kind, OperandKind::Literal(_)))
        };
        let n_values = conditions.iter().filter(is_value).count();
        if !is_mixed && (group.quantifier != Quantifier::All || n_values < 2) {
            return true;
        }
        let subject = conditions.first().map_or(String::new(), |c| self.words(c.subject.span));
        let message = match is_mixed {
            true => format!("what of this is said of the `{subject}` of now, and what of the one before?"),
            false => format!("no `{subject}` is both at one time"),
        };
        self.report(
            Diagnostic::new(Code::UnclearTense, group.span, message)
                .label(if is_mixed { "now and before in one" } else { "said of one value at one time" })
                .note(format!("say `{subject}` again, with a time of its own: `{subject} is … and {subject} was … at any time in …`")),
        );
        false
    }

    /// `plan at any time`: what was it? Reported.
    fn told_of_nothing(&mut self, c: &Condition) -> Lowered {
        let words = self.words(c.subject.span);
        self.report(
            Diagnostic::new(Code::NeedsComparison, c.span, format!("what is said of the value of `{words}`?"))
                .label("when, but not what")
                .note(format!("say what it was: `{words} was … at any time in the past 90 days`")),
        );
        Lowered::error()
    }
}

/// The verb of a change, behind the name of what did.
const VERB: &str = "changed";

/// Whether anything in a condition is told of in the past tense.
fn speaks_of_past(c: &Condition) -> bool {
    c.modifiers.iter().any(|t| match &t.kind {
        ModifierKind::Past(_) => true,
        ModifierKind::Comparison(comparison) => comparison.copula.is_some_and(|copula| copula.tense != Tense::Is),
        ModifierKind::Window(_)
        | ModifierKind::Count(_)
        | ModifierKind::NotWindow(_)
        | ModifierKind::Where(_)
        | ModifierKind::Had(_)
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
        | ModifierKind::Zone(_) => false,
    })
}

/// A condition from its subject on.
fn subject_on(c: &Condition) -> Span {
    Span { start: c.subject.span.start, ..c.span }
}

/// The verbs of what is one, or many.
struct Verbs {
    is: &'static str,
    was: &'static str,
    been: &'static str,
}

impl Verbs {
    /// Those of which the first word is one.
    fn like(words: &str) -> Verbs {
        let first = words.split(' ').next().unwrap_or("").to_ascii_lowercase();
        match ["are", "were", "have"].contains(&first.as_str()) {
            true => Verbs { is: "are", was: "were", been: "have been" },
            false => Verbs { is: "is", was: "was", been: "has been" },
        }
    }
}
