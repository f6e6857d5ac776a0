//! Which kind of condition a sentence is: about a value or about events.

use super::names::resolve::Subject;
use super::{Lower, Lowered, Scope};
use seg_data::EventId;
use seg_data::schema::fold_name;
use seg_syntax::ast::{Condition, Literal, ModifierKind, Name, OperandKind};

impl Lower<'_> {
    /// Which kind of condition it is decides who reads it.
    pub(super) fn condition_of_kind(&mut self, c: &Condition, scope: Scope<'_>) -> Lowered {
        if let Some(lowered) = self.special_condition(c, scope) {
            return lowered;
        }
        let subject = match &c.subject.kind {
            OperandKind::Name(name) => match self.any_activity(c, name) {
                Some(events) => Subject::Events(events),
                None => {
                    let their = c.prefix.their || name.their;
                    self.resolve(&Name { their, ..name.clone() }, scope)
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
