//! What is asked of the events or records behind `where`, `had` and `with`.

use super::Builder;
use super::compound::halves;
use super::condition::{error_operand, two_negatives};
use crate::ast::{Condition, Expr, Modifier, ModifierKind, Negative, Operand, OperandKind, Prefix};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

impl Builder<'_> {
    pub(super) fn had(&mut self, pair: Pair<'_, Rule>) -> Expr {
        match pair.clone().into_inner().find(|p| matches!(p.as_rule(), Rule::group | Rule::items_with)) {
            Some(items) if items.as_rule() == Rule::items_with => {
                let span = self.span(&items);
                let (subject, had) = self.items_with(items);
                let (prefix, modifiers) = (Prefix::default(), vec![had]);
                Expr::Condition(Box::new(Condition {
                    prefix,
                    quantity: None,
                    subject,
                    particle: None,
                    modifiers,
                    span,
                }))
            }
            Some(group) => self.expression_in(group),
            None => self.property_test(pair),
        }
    }

    /// `where (A and B) is at least 10`: brackets around conditions compare with
    /// nothing, so the comparison is of what stands before `where`.
    pub(super) fn where_modifier(&mut self, pair: Pair<'_, Rule>) -> Vec<Modifier> {
        let span = self.span(&pair);
        let Some(filter) = pair.into_inner().find(|p| p.as_rule() == Rule::filter) else { return Vec::new() };
        let (filter, rest) = self.filter(filter);
        let end = rest.as_ref().map_or(span.end, |_| filter.span().end);
        let kind = ModifierKind::Where(filter);
        std::iter::once(Modifier { kind, span: Span::new(span.source, span.start, end) }).chain(rest).collect()
    }

    /// One comparison, or a bracketed group of them with a comparison of
    /// something else behind it.
    fn filter(&mut self, pair: Pair<'_, Rule>) -> (Expr, Option<Modifier>) {
        let span = self.span(&pair);
        let mut prefix = Prefix::default();
        let mut subject = error_operand(span);
        let mut modifiers = Vec::new();
        let (mut said, mut carried) = (None, Vec::new());
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::filter_prefix => {
                    for word in part.into_inner() {
                        let negative = match word.as_rule() {
                            Rule::kw_not => Negative::Not,
                            Rule::kw_no => Negative::No,
                            Rule::kw_their => {
                                prefix.their = true;
                                continue;
                            }
                            _ => continue,
                        };
                        if let Some((_, first)) = prefix.negative.replace((negative, at)) {
                            self.report(two_negatives(at, "a second negative").also(first, "the first"));
                        }
                    }
                }
                Rule::operand => subject = self.operand(part),
                Rule::items_of => subject = self.items_of(part),
                Rule::items_with => {
                    let (items, had) = self.items_with(part);
                    subject = items;
                    modifiers.push(had);
                }
                Rule::asked => {
                    carried = halves(&part);
                    if let Some(comparison) = part.into_inner().find(|p| p.as_rule() == Rule::comparison) {
                        let at = self.span(&comparison);
                        modifiers.push(Modifier { kind: self.comparison_modifier(comparison), span: at });
                    }
                }
                Rule::had_modifier => {
                    let kind = ModifierKind::Had(self.had(part));
                    modifiers.push(Modifier { kind, span: at });
                }
                Rule::said_group => said = Some(part),
                _ => {}
            }
        }
        if let Some(said) = said {
            return (
                self.said_of(said, Condition { prefix, quantity: None, subject, particle: None, modifiers, span }),
                None,
            );
        }
        let mut rest = None;
        let mut span = span;
        if let OperandKind::Bracketed(inner) = &subject.kind
            && inner.as_operand().is_none()
        {
            rest = modifiers.pop();
            span = Span::new(span.source, span.start, subject.span.end);
        }
        let clause =
            self.subject_clause(Condition { prefix, quantity: None, subject, particle: None, modifiers, span });
        if carried.is_empty() {
            return (clause, rest);
        }
        if rest.is_some() {
            self.beyond_brackets(&carried);
            return (Expr::Error(clause.span()), rest);
        }
        (self.compound(clause, carried), rest)
    }

    /// `email (contains "+test" or matches "qa-.*")`: each comparison said of the
    /// subject before the brackets.
    pub(super) fn said_of(&mut self, pair: Pair<'_, Rule>, condition: Condition) -> Expr {
        let span = condition.span;
        if let Some(modifier) = condition.modifiers.first() {
            let words = self.words(modifier.span);
            self.report(
                Diagnostic::new(Code::MisplacedWords, modifier.span, format!("`{words}` does not fit before brackets"))
                    .label("the brackets say all there is to say of the value")
                    .help("say it inside the brackets, or in a condition of its own"),
            );
            return Expr::Error(span);
        }
        let group = match pair.as_rule() {
            Rule::said_group => Some(pair),
            _ => pair.into_inner().find(|p| p.as_rule() == Rule::said_group),
        };
        let mut members: Vec<Expr> = Vec::new();
        let mut connectives = Vec::new();
        for part in group.into_iter().flat_map(Pair::into_inner) {
            match part.as_rule() {
                Rule::connective => connectives.push(self.connective(part)),
                Rule::said => {
                    let at = self.span(&part);
                    for comparison in part.into_inner() {
                        let modifier = Modifier { kind: self.comparison_modifier(comparison), span: at };
                        let prefix = Prefix { their: condition.prefix.their, ..Prefix::default() };
                        let subject = condition.subject.clone();
                        let modifiers = vec![modifier];
                        let one = Condition { prefix, quantity: None, subject, particle: None, modifiers, span: at };
                        members.push(Expr::Condition(Box::new(one)));
                    }
                }
                _ => {}
            }
        }
        let joined = self.joined(members, &connectives, span);
        match condition.prefix.negative {
            Some(_) => Expr::Not(Box::new(joined), span),
            None => joined,
        }
    }

    /// `category "shoes"`, `price of at least 50`: a property and a test of it.
    pub(super) fn property_test(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let mut subject = error_operand(span);
        let (mut modifiers, mut carried) = (Vec::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::of_name => {
                    let name = self.name(part, false);
                    subject = Operand { span: name.span, kind: OperandKind::Name(name) };
                }
                Rule::property_test => {
                    carried = halves(&part);
                    let at = self.span(&part);
                    for test in part.into_inner() {
                        let at = Span { end: self.span(&test).end, ..at };
                        let kind = match test.as_rule() {
                            Rule::comparison => self.comparison_modifier(test),
                            Rule::literal => self.is_literal(test),
                            _ => continue,
                        };
                        modifiers.push(Modifier { kind, span: at });
                    }
                }
                _ => {}
            }
        }
        let span = modifiers.last().map_or(subject.span, |t| subject.span.to(t.span));
        let test = Condition { prefix: Prefix::default(), quantity: None, subject, particle: None, modifiers, span };
        let test = Expr::Condition(Box::new(test));
        if carried.is_empty() { test } else { self.compound(test, carried) }
    }
}
