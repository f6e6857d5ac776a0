//! What is said of the values that an attribute had before: `at any time`, `for at least 30
//! days`, `changed from "free" to "pro"`.

use super::Builder;
use crate::ast::{Changed, Copula, ModifierKind, Often, Operand, OperandKind, OrderOp, Past, Relation, Tense};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

impl Builder<'_> {
    /// The verb of a comparison, and the `not` in it.
    pub(super) fn copula(&mut self, pair: Pair<'_, Rule>) -> (Copula, Option<Span>) {
        let mut copula = Copula { tense: Tense::Is, often: None, span: self.span(&pair) };
        let mut not = None;
        for word in pair.into_inner() {
            match word.as_rule() {
                Rule::kw_was | Rule::kw_were => copula.tense = Tense::Was,
                Rule::kw_has | Rule::kw_have => copula.tense = Tense::HasBeen,
                Rule::kw_ever => copula.often = Some((Often::Ever, self.span(&word))),
                Rule::kw_never => copula.often = Some((Often::Never, self.span(&word))),
                Rule::kw_not => not = Some(self.span(&word)),
                _ => {}
            }
        }
        (copula, not)
    }

    /// `at any time`, `for at least 30 days`, `has not changed`
    pub(super) fn past_modifier(&mut self, pair: Pair<'_, Rule>) -> Option<ModifierKind> {
        Some(ModifierKind::Past(match pair.as_rule() {
            Rule::held_for => {
                let age = pair.into_inner().find(|p| p.as_rule() == Rule::age)?;
                Past::For(self.age(age)?)
            }
            Rule::changed => Past::Changed(Box::new(self.changed(pair))),
            _ => Past::AnyTime,
        }))
    }

    fn changed(&mut self, pair: Pair<'_, Rule>) -> Changed {
        let mut changed = Changed { has_verb: false, not: None, from: None, to: None };
        let mut is_from = false;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_not | Rule::kw_never => changed.not = Some(self.span(&part)),
                Rule::kw_changed | Rule::kw_change => changed.has_verb = true,
                Rule::changed_between => {
                    for part in part.into_inner() {
                        let span = self.span(&part);
                        match part.as_rule() {
                            Rule::kw_from => is_from = true,
                            Rule::kw_to => is_from = false,
                            _ => {
                                let value = self.changed_value(part).map(|value| (value, span));
                                if is_from { changed.from = value } else { changed.to = value }
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        changed
    }

    fn changed_value(&mut self, pair: Pair<'_, Rule>) -> Option<Relation> {
        let mut literals = pair.clone().into_inner().filter(|p| p.as_rule() == Rule::literal).peekable();
        if literals.next().is_some() && literals.peek().is_some() {
            let values = pair.into_inner().filter(|p| p.as_rule() == Rule::literal);
            return Some(Relation::OneOf(values.map(|literal| self.literal_at(literal)).collect()));
        }
        let inner = pair.into_inner().next()?;
        Some(match inner.as_rule() {
            Rule::one_of => self.one_of(inner),
            Rule::unknown => Relation::Missing,
            _ => {
                let at = self.literal_at(inner);
                Relation::Order(OrderOp::Is, Operand { kind: OperandKind::Literal(at.literal), span: at.span })
            }
        })
    }
}
