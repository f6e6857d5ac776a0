//! Values and conditions of their own kind: usual gaps, lines of events, most
//! frequent values.

use crate::hir::{Cond, Expr, ExprKind};
use crate::lower::names::resolve::{Speaks, Subject};
use crate::lower::{Items, Lower, Lowered, Scope};
use seg_data::{EventId, PropertyId, Type};
use seg_syntax::ast::{self, Condition, Modifier, ModifierKind, Name, Operand, OperandKind, Quantifier, Relation};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    /// Conditions whose subject is neither a plain value nor an event; `None`
    /// for all others.
    pub(in crate::lower) fn special_condition(&mut self, c: &Condition, scope: Scope<'_>) -> Option<Lowered> {
        match &c.subject.kind {
            OperandKind::Items(quantifier, name) => {
                let list = self.list_of_person(name).filter(|_| matches!(scope, Scope::Person));
                Some(match list {
                    Some(list) => self.elements(c, *quantifier, name, list),
                    None => self.items(c, *quantifier, name, scope),
                })
            }
            OperandKind::Anniversary(name) => Some(self.anniversary(c, name, scope)),
            OperandKind::UsualGap(Some(event)) => {
                let at = c.modifiers.iter().position(|t| matches!(t.kind, ModifierKind::Comparison(_)));
                let (before, from) = c.modifiers.split_at(at.unwrap_or(c.modifiers.len()));
                let value = self.usual_gap(Some(event), before, c.subject.span);
                let rest = Condition { modifiers: from.to_vec(), ..c.clone() };
                Some(self.value_condition(&rest, value, scope))
            }
            OperandKind::Name(name) => {
                // `no products have …`
                let is_had = matches!(c.modifiers.as_slice(), [Modifier { kind: ModifierKind::Had(_), .. }]);
                if is_had && self.records(name, scope).is_some() {
                    return Some(self.items(c, Quantifier::Any, name, scope));
                }
                if matches!(scope, Scope::Person) {
                    // A name is looked up where a list of records may be meant, and no oftener.
                    let is_state = is_had || says_state(c);
                    if let Some((list, ty @ Type::Records(_))) = is_state.then(|| self.list_of_person(name)).flatten() {
                        return match is_had {
                            true => Some(self.elements(c, Quantifier::Any, name, (list, ty))),
                            false => self.records_as_whole(c, list, &ty),
                        };
                    }
                    return self.profile_id(c, name).or_else(|| self.place_or_definition(c, name));
                }
                None
            }
            OperandKind::Literal(ast::Literal::Text(text)) if matches!(scope, Scope::Person) => {
                let name = Name { text: text.clone(), is_quoted: true, their: false, span: c.subject.span };
                self.place_or_definition(c, &name)
            }
            OperandKind::Literal(_)
            | OperandKind::Arithmetic(..)
            | OperandKind::Aggregate(_)
            | OperandKind::FirstOrLastN(_)
            | OperandKind::Events(_)
            | OperandKind::Anything
            | OperandKind::UsualGap(None)
            | OperandKind::Elapsed(_)
            | OperandKind::Bracketed(_)
            | OperandKind::Error => None,
        }
    }

    /// A property that is a list of records, in the filter of its events.
    fn records(&mut self, name: &Name, scope: Scope<'_>) -> Option<Items> {
        let Scope::Event(events) = scope else { return None };
        match self.try_resolve(name, scope) {
            Some(Subject::Value(Expr { kind: ExprKind::Property(list), ty: Type::Records(fields), .. })) => {
                Some(Items { events: events.to_vec(), list, fields })
            }
            _ => None,
        }
    }

    /// `any of products has (category is "shoes" and quantity is at least 2)`
    fn items(&mut self, c: &Condition, quantifier: Quantifier, name: &Name, scope: Scope<'_>) -> Lowered {
        let Some(items) = self.records(name, scope) else {
            let words = self.words(name.span);
            let is_known = self.try_resolve(name, scope).is_some();
            let diagnostic = match (scope, is_known) {
                (Scope::Event(events), false) => self.unknown_property(name, events),
                _ => Diagnostic::new(Code::OperatorNeedsType, c.span, format!("`{words}` is no list of records here"))
                    .label("lines of an event are needed")
                    .note(format!("say it of an event: `did … where any of {words} has (…)`")),
            };
            self.report(diagnostic);
            return Lowered::error();
        };
        let [Modifier { kind: ModifierKind::Had(filter), span }] = c.modifiers.as_slice() else {
            let words = self.words(c.subject.span);
            self.report(
                Diagnostic::new(Code::NeedsComparison, c.span, format!("what do `{words}` have?"))
                    .label("nothing is said of them")
                    .help(format!("write `{words} has (quantity is at least 2)`")),
            );
            return Lowered::error();
        };
        let list = items.list.clone();
        let filter = Box::new(self.expr_in(filter, Scope::Item(&items)).cond);
        let is_all = quantifier == Quantifier::All;
        let cond = Cond::Items { is_all, list, filter };
        self.reads(*span);
        let is_negative = (quantifier == Quantifier::None) != self.reads_negative(c);
        Lowered::plain(cond).negated(is_negative)
    }

    /// `usual gap between Order Completed`; without an event, of the events
    /// that the comparison is about.
    pub(in crate::lower) fn usual_gap(&mut self, event: Option<&Operand>, modifiers: &[Modifier], span: Span) -> Expr {
        let events = match event {
            Some(event) => self.event_operand(event),
            None => {
                let events = self.rhythm.clone();
                if events.is_none() {
                    self.report(
                        Diagnostic::new(Code::NeedsComparison, span, "the usual gap between which events?")
                            .label("no event stands before it")
                            .note("write `usual gap between Order Completed` with the name of an event"),
                    );
                }
                events
            }
        };
        let Some(events) = events else { return Expr::error() };
        self.rhythm = Some(events.clone());
        let query = self.query(events);
        let modifiers: Vec<&Modifier> = modifiers.iter().collect();
        let Some(query) = self.narrowed(query, &modifiers) else { return Expr::error() };
        Expr { kind: ExprKind::UsualGap(query), ty: Type::Duration, may_be_missing: true }
    }

    /// `products of Order Completed`: a list of records of an event, where the
    /// whole is no name itself.
    pub(in crate::lower) fn items_of_event(&mut self, operand: &Operand) -> Option<(Items, Name)> {
        let OperandKind::Name(name) = &operand.kind else { return None };
        if name.is_quoted || self.try_resolve_as(name, Scope::Person, Speaks::Events).is_some() {
            return None;
        }
        let (list, event) = name.text.split_once(" of ")?;
        let list = Name { text: list.to_owned(), is_quoted: false, their: false, span: name.span };
        let event = Name { text: event.to_owned(), is_quoted: false, their: false, span: name.span };
        let Some(Subject::Events(events)) = self.try_resolve(&event, Scope::Person) else { return None };
        let items = self.records(&list, Scope::Event(&events))?;
        Some((items, list))
    }

    /// A field of the record at hand.
    pub(in crate::lower) fn field(name: &Name, items: &Items) -> Option<Expr> {
        let fits = |field: &&(String, Type)| {
            field.0 == name.text || seg_data::schema::fold_name(&field.0) == seg_data::schema::fold_name(&name.text)
        };
        let (_, ty) = items.fields.iter().find(fits)?;
        let index = items.fields.iter().position(|f| fits(&f))?;
        let list: Vec<(EventId, PropertyId)> = items.list.clone();
        let kind = ExprKind::Field { list, field: u32::try_from(index).ok()? };
        Some(Expr { kind, ty: ty.clone(), may_be_missing: true })
    }
}

/// Whether all that is said is that a value is known, missing or empty.
fn says_state(c: &Condition) -> bool {
    matches!(
        c.modifiers.as_slice(),
        [Modifier { kind: ModifierKind::Comparison(comparison), .. }]
            if matches!(comparison.relation, Relation::Known | Relation::Missing | Relation::Empty(_))
    )
}
