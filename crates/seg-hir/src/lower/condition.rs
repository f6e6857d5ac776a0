//! Which kind of condition a sentence is: about a value or about events.

use super::names::resolve::{Speaks, Subject};
use super::{Lower, Lowered, Scope};
use seg_data::schema::{Field, fold_name};
use seg_data::{EventId, Type};
use seg_syntax::ast::{Condition, Literal, ModifierKind, Name, Operand, OperandKind};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::names::display;
use seg_syntax::source::Span;

impl Lower<'_> {
    /// Which kind of condition it is decides who reads it.
    pub(super) fn condition_of_kind(&mut self, c: &Condition, scope: Scope<'_>) -> Lowered {
        if let Some(lowered) = self.special_condition(c, scope) {
            return lowered;
        }
        if let Some(name) = &c.particle {
            return self.with_particle(c, name, scope);
        }
        if let OperandKind::Name(name) = &c.subject.kind
            && let Some(lowered) = self.name_changed(c, name, scope)
        {
            return lowered;
        }
        if let OperandKind::Name(name) = &c.subject.kind
            && let Some(aggregate) = self.aggregate_in_words(name, scope)
        {
            return self.aggregate_condition(c, &aggregate, scope);
        }
        if let Some(spent) = self.spent(c).filter(|_| matches!(scope, Scope::Person)) {
            self.report(spent);
            return Lowered::error();
        }
        let subject = match &c.subject.kind {
            OperandKind::Name(name) => match self.any_activity(c, name) {
                Some(events) => Subject::Events(events),
                None if self.is_of_records(c, name, scope) => Subject::Error,
                None => {
                    let their = c.prefix.their || name.their;
                    let name = self.done_to_somebody(c, name).unwrap_or_else(|| name.clone());
                    self.resolve_as(&Name { their, ..name }, scope, speaks(c, their))
                }
            },
            OperandKind::Literal(Literal::Text(text)) => {
                let name = Name { text: text.clone(), is_quoted: true, their: c.prefix.their, span: c.subject.span };
                self.resolve(&name, scope)
            }
            OperandKind::Events(names) => match self.resolve_events(names) {
                Some(events) => Subject::Events(events),
                None => Subject::Error,
            },
            OperandKind::Anything => Subject::Events(self.all_events()),
            OperandKind::Aggregate(aggregate) => return self.aggregate_condition(c, aggregate, scope),
            OperandKind::FirstOrLastN(few) => return self.first_or_last_n(c, few),
            OperandKind::Error => Subject::Error,
            OperandKind::Literal(_)
            | OperandKind::Arithmetic(..)
            | OperandKind::Items(..)
            | OperandKind::UsualGap(_)
            | OperandKind::Elapsed(_)
            | OperandKind::Anniversary(_)
            | OperandKind::Bracketed(_) => Subject::Value(self.value(&c.subject, scope, None)),
        };
        match subject {
            Subject::Error => Lowered::error(),
            Subject::Value(value) => self.value_condition(c, value, scope),
            Subject::Events(_) | Subject::Ends(..) if !matches!(scope, Scope::Person) => self.not_in_filter(c.span),
            Subject::Events(events) => self.event_condition(c, events),
            Subject::Ends(end, events) => self.ends_condition(c, end, events),
        }
    }

    /// `logged in at least 2 times`: the word before the number is the last of a name, or
    /// does not fit.
    fn with_particle(&mut self, c: &Condition, name: &Name, scope: Scope<'_>) -> Lowered {
        self.reads(name.span);
        if self.try_resolve_as(name, scope, speaks(c, name.their)).is_some() {
            let subject = Operand { span: name.span, kind: OperandKind::Name(name.clone()) };
            return self.condition_of_kind(&Condition { subject, particle: None, ..c.clone() }, scope);
        }
        let without = Condition { particle: None, ..c.clone() };
        let n_before = self.diagnostics.len();
        let lowered = self.condition_of_kind(&without, scope);
        if self.diagnostics.len() == n_before && !lowered.is_error() {
            let word = Span { start: c.subject.span.end, ..name.span };
            let words = self.words(word);
            self.report(
                Diagnostic::new(Code::UnexpectedText, word, format!("`{words}` does not fit here"))
                    .label(format!("the schema has no name `{}`", name.text))
                    .fix(word, "", format!("leave `{words}` out")),
            );
        }
        Lowered::error()
    }

    /// `where category is "shoes"`, of which the event's lines have the category, and the
    /// event has none. Reported.
    fn is_of_records(&mut self, c: &Condition, name: &Name, scope: Scope<'_>) -> bool {
        let Scope::Event(events) = scope else { return false };
        if name.their || c.prefix.their || self.try_resolve(name, scope).is_some() {
            return false;
        }
        let Some(event) = events.first().and_then(|event| self.schema.event(*event)) else { return false };
        let has_field = |field: &&Field| match &field.ty {
            Type::Records(fields) => fields.iter().any(|(known, _)| fold_name(known) == fold_name(&name.text)),
            _ => false,
        };
        let Some(list) = event.properties.iter().find(has_field) else { return false };
        let (words, list, of) = (self.words(c.span), display(&list.name), &event.name);
        let behind = |word: &str| {
            ["", "a ", "an ", "the "].iter().find_map(|article| {
                let lead = format!("{word} {article}");
                let start = c.span.start.checked_sub(lead.len() as u32)?;
                let before = Span { start, end: c.span.start, ..c.span };
                self.sources.text(before).eq_ignore_ascii_case(&lead).then_some(before)
            })
        };
        // `with category "shoes"` leaves the verb out, which stands in brackets.
        let with = behind("with");
        let had = ["had", "has", "have"].into_iter().find_map(behind);
        let said = words.strip_prefix(&self.words(c.subject.span)).unwrap_or("").trim_start().to_owned();
        let is_literal = with.or(had).is_some() && said.starts_with(|c: char| c == '"' || c.is_ascii_digit());
        let inner = if is_literal { format!("{} is {said}", self.words(c.subject.span)) } else { words };
        let at = with.map_or(c.span, |before| before.to(c.span));
        let lead = if with.is_some() { "where " } else { "" };
        let right = match had.is_some() {
            true => format!("(any of {list} has ({inner}))"),
            false => format!("{lead}any of {list} has ({inner})"),
        };
        self.report(
            Diagnostic::new(Code::UnknownProperty, name.span, format!("`{of}` has no property `{}`", name.text))
                .label(format!("each of its `{list}` has one"))
                .fix(at, right.as_str(), format!("for one of them at least: `{right}`")),
        );
        true
    }

    /// `was sent an email`, where the schema has the verb `be sent an email` and nothing that
    /// is called `sent an email`.
    fn done_to_somebody(&self, c: &Condition, name: &Name) -> Option<Name> {
        c.prefix.copula.filter(|_| !name.is_quoted && self.schema.lookup(&name.text).is_empty())?;
        let text = format!("be {}", name.text);
        (!self.schema.lookup(&text).is_empty()).then(|| Name { text, ..name.clone() })
    }

    /// `was active …`: any event, unless the schema calls something `active`.
    fn any_activity(&self, c: &Condition, name: &Name) -> Option<Vec<EventId>> {
        let is_event_like = c.modifiers.iter().any(|t| {
            matches!(
                t.kind,
                ModifierKind::Window(_)
                    | ModifierKind::NotWindow(_)
                    | ModifierKind::Count(_)
                    | ModifierKind::DifferentPeriods(..)
            )
        });
        let fits = c.prefix.copula.is_some() && is_event_like && fold_name(&name.text) == "active";
        fits.then(|| self.all_events())
    }
}

/// Whether a condition speaks of something that happened or of a value: what is one's own
/// or compared is a value, and what somebody did without either happened.
fn speaks(c: &Condition, their: bool) -> Speaks {
    let is_compared = c.modifiers.iter().any(|t| matches!(t.kind, ModifierKind::Comparison(_)));
    match their || c.prefix.whose || is_compared {
        true => Speaks::Values,
        // `is signed up today`: who knows.
        false if c.prefix.copula.is_some() && c.prefix.did.is_none() => Speaks::Any,
        false => Speaks::Events,
    }
}
