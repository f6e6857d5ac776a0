//! What is said of a value.

use super::Builder;
use super::condition::{error_operand, two_negatives};
use crate::ast::{
    Comparison, Emptiness, Literal, LiteralAt, ModifierKind, Operand, OperandKind, OrderOp, Quantifier, Relation,
    TextOp, Title,
};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

/// The five bounds a quantity, an age or a comparison may start with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    AtLeast,
    AtMost,
    MoreThan,
    LessThan,
    Exactly,
}

impl Builder<'_> {
    pub(super) fn comparison_modifier(&mut self, pair: Pair<'_, Rule>) -> ModifierKind {
        ModifierKind::Comparison(self.comparison(pair))
    }

    fn comparison(&mut self, pair: Pair<'_, Rule>) -> Comparison {
        let span = self.span(&pair);
        let mut comparison = Comparison::of(Relation::Order(OrderOp::Is, error_operand(span)), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::copula => {
                    let (copula, not) = self.copula(part);
                    comparison.copula = Some(copula);
                    comparison.not = not;
                }
                Rule::kw_not => match comparison.not {
                    Some(first) => {
                        let second = self.span(&part);
                        self.report(two_negatives(second, "a second negative").also(first, "the first"));
                    }
                    None => comparison.not = Some(self.span(&part)),
                },
                Rule::relation => {
                    comparison.relation = self.relation(part);
                    self.check_emptiness(&comparison, span);
                }
                Rule::timed => {
                    let Some(inner) = part.into_inner().next() else { continue };
                    let relation = match inner.as_rule() {
                        Rule::recurring | Rule::days_named => self.recurring(inner).map(Relation::Recurring),
                        Rule::day_or_later | Rule::in_days | Rule::in_future | Rule::in_past => {
                            self.timed_alone(inner).map(Relation::Window)
                        }
                        _ => self.window_or_next(inner).map(Relation::Window),
                    };
                    if let Some(relation) = relation {
                        comparison.relation = relation;
                    }
                }
                Rule::operand => comparison.relation = Relation::Order(OrderOp::Is, self.operand(part)),
                Rule::ignoring_case => comparison.ignoring_case = Some(self.span(&part)),
                Rule::or_unknown => comparison.or_unknown = Some(self.span(&part)),
                _ => {}
            }
        }
        comparison
    }

    /// `category "shoes"`: an equality without its verb.
    pub(super) fn is_literal(&mut self, pair: Pair<'_, Rule>) -> ModifierKind {
        let at = self.literal_at(pair);
        let right = Operand { kind: OperandKind::Literal(at.literal), span: at.span };
        let relation = Relation::Order(OrderOp::Is, right);
        ModifierKind::Comparison(Comparison::of(relation, None))
    }

    fn relation(&mut self, pair: Pair<'_, Rule>) -> Relation {
        let span = self.span(&pair);
        let error = Relation::Order(OrderOp::Is, error_operand(span));
        let Some(inner) = pair.into_inner().next() else { return error };
        match inner.as_rule() {
            Rule::state => self.state(inner),
            Rule::in_list => self.in_list(&inner).map_or(error, Relation::InList),
            Rule::near => Relation::Near(self.near(inner)),
            Rule::neither_of => Relation::NoneOf(
                inner.into_inner().filter(|p| p.as_rule() == Rule::literal).map(|p| self.literal_at(p)).collect(),
            ),
            Rule::one_of => self.one_of(inner),
            Rule::text_test => self.text_test(inner),
            Rule::includes => self.includes(inner),
            Rule::differs => Relation::Order(OrderOp::IsNot, self.last_operand(inner)),
            Rule::equality => Relation::Order(OrderOp::Is, self.last_operand(inner)),
            Rule::between => self.between(inner),
            Rule::bounded => self.bounded_amount(inner),
            Rule::ordered => {
                let bound = inner.clone().into_inner().find(|p| p.as_rule() == Rule::bound);
                let op = match bound.map(|b| self.bound(b)) {
                    Some(Bound::AtLeast) => OrderOp::AtLeast,
                    Some(Bound::AtMost) => OrderOp::AtMost,
                    Some(Bound::MoreThan) => OrderOp::MoreThan,
                    Some(Bound::LessThan) => OrderOp::LessThan,
                    Some(Bound::Exactly) | None => OrderOp::Is,
                };
                Relation::Order(op, self.last_operand(inner))
            }
            Rule::symbolic => self.symbolic(inner),
            _ => error,
        }
    }

    /// `500 or more`, `6 or lower`
    fn bounded_amount(&mut self, pair: Pair<'_, Rule>) -> Relation {
        let mut op = OrderOp::AtLeast;
        let mut right = error_operand(self.span(&pair));
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::or_fewer => op = OrderOp::AtMost,
                Rule::amount => right = Operand { kind: OperandKind::Literal(super::value::amount(part)), span },
                _ => {}
            }
        }
        Relation::Order(op, right)
    }

    fn last_operand(&mut self, pair: Pair<'_, Rule>) -> Operand {
        let span = self.span(&pair);
        match pair.into_inner().find(|p| p.as_rule() == Rule::operand) {
            Some(operand) => self.operand(operand),
            None => error_operand(span),
        }
    }

    fn state(&mut self, pair: Pair<'_, Rule>) -> Relation {
        let mut relation = Relation::Known;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::unknown => relation = Relation::Missing,
                Rule::kw_empty => relation = Relation::Empty(Emptiness::Empty),
                Rule::or_empty => relation = Relation::Empty(Emptiness::MissingOrEmpty),
                Rule::and_not_empty => relation = Relation::Empty(Emptiness::SetAndNotEmpty),
                Rule::but_not => {
                    for inner in part.into_inner() {
                        let inner = match inner.as_rule() {
                            Rule::one_of => self.one_of(inner),
                            Rule::text_test => self.text_test(inner),
                            Rule::in_list => match self.in_list(&inner) {
                                Some(list) => Relation::InList(list),
                                None => continue,
                            },
                            Rule::literal => {
                                let at = self.literal_at(inner);
                                let right = Operand { kind: OperandKind::Literal(at.literal), span: at.span };
                                Relation::Order(OrderOp::Is, right)
                            }
                            _ => continue,
                        };
                        relation = Relation::KnownButNot(Box::new(inner));
                    }
                }
                _ => {}
            }
        }
        relation
    }

    /// `is not set and not empty`: neither, or not both?
    fn check_emptiness(&mut self, comparison: &Comparison, span: Span) {
        let (Some(not), Relation::Empty(Emptiness::SetAndNotEmpty)) = (comparison.not, &comparison.relation) else {
            return;
        };
        let words = self.words(span);
        let copula = words.split(' ').next().unwrap_or("is").to_owned();
        self.report(
            Diagnostic::new(Code::MisplacedWords, not, format!("`{words}` could mean two things"))
                .label("two negatives in one comparison")
                .fix(
                    span,
                    format!("{copula} missing or empty"),
                    format!("for the opposite of `set and not empty`: `{copula} missing or empty`"),
                )
                .fix(span, format!("{copula} missing"), format!("for what has no value: `{copula} missing`")),
        );
    }

    fn in_list(&mut self, pair: &Pair<'_, Rule>) -> Option<Title> {
        let text = pair.clone().into_inner().find(|p| p.as_rule() == Rule::text)?;
        Some(self.title(&text))
    }

    pub(super) fn one_of(&mut self, pair: Pair<'_, Rule>) -> Relation {
        let mut is_none = false;
        let mut values = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_none => is_none = true,
                Rule::literal_list => values = self.literal_list(part),
                _ => {}
            }
        }
        if is_none { Relation::NoneOf(values) } else { Relation::OneOf(values) }
    }

    fn literal_list(&mut self, pair: Pair<'_, Rule>) -> Vec<LiteralAt> {
        pair.into_inner().filter(|p| p.as_rule() == Rule::literal).map(|p| self.literal_at(p)).collect()
    }

    pub(super) fn literal_at(&mut self, pair: Pair<'_, Rule>) -> LiteralAt {
        let span = self.span(&pair);
        LiteralAt { literal: self.literal(pair), span }
    }

    fn text_test(&mut self, pair: Pair<'_, Rule>) -> Relation {
        let span = self.span(&pair);
        let mut op = TextOp::Contains;
        let mut value = LiteralAt { literal: Literal::Text(String::new()), span };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text_verb => {
                    for word in part.into_inner() {
                        op = match word.as_rule() {
                            Rule::kw_matches | Rule::kw_match => TextOp::Matches,
                            Rule::kw_starts | Rule::kw_start => TextOp::StartsWith,
                            Rule::kw_ends | Rule::kw_end => TextOp::EndsWith,
                            _ => op,
                        };
                    }
                }
                Rule::literal => value = self.literal_at(part),
                _ => {}
            }
        }
        Relation::Text(op, value)
    }

    fn includes(&mut self, pair: Pair<'_, Rule>) -> Relation {
        let mut quantifier = Quantifier::Any;
        let mut values = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_all => quantifier = Quantifier::All,
                Rule::kw_none => quantifier = Quantifier::None,
                Rule::literal_list => values = self.literal_list(part),
                _ => {}
            }
        }
        Relation::Includes(quantifier, values)
    }

    fn between(&mut self, pair: Pair<'_, Rule>) -> Relation {
        let span = self.span(&pair);
        let mut bounds: Vec<Operand> = Vec::new();
        for part in pair.into_inner() {
            if part.as_rule() == Rule::bound_value {
                bounds.push(self.factor(part));
            }
        }
        let mut bounds = bounds.into_iter();
        let low = bounds.next().unwrap_or_else(|| error_operand(span));
        let high = bounds.next().unwrap_or_else(|| error_operand(span));
        Relation::Between(low, high)
    }

    fn symbolic(&mut self, pair: Pair<'_, Rule>) -> Relation {
        let mut op = OrderOp::Is;
        for part in pair.clone().into_inner() {
            if part.as_rule() != Rule::comparison_symbol {
                continue;
            }
            for symbol in part.into_inner() {
                op = match symbol.as_rule() {
                    Rule::symbol_ge => OrderOp::AtLeast,
                    Rule::symbol_le => OrderOp::AtMost,
                    Rule::symbol_ne => OrderOp::IsNot,
                    Rule::symbol_gt => OrderOp::MoreThan,
                    Rule::symbol_lt => OrderOp::LessThan,
                    Rule::mistake_symbol => self.mistaken_symbol(symbol.as_str(), self.span(&symbol)),
                    _ => OrderOp::Is,
                };
            }
        }
        Relation::Order(op, self.last_operand(pair))
    }

    fn mistaken_symbol(&mut self, symbol: &str, span: Span) -> OrderOp {
        let (op, right, words) = match symbol {
            "=>" => (OrderOp::AtLeast, ">=", "is at least"),
            "=<" => (OrderOp::AtMost, "<=", "is at most"),
            "<>" | "!==" => (OrderOp::IsNot, "!=", "is not"),
            _ => (OrderOp::Is, "=", "is"),
        };
        self.report(
            Diagnostic::new(Code::MistakenSymbol, span, format!("`{symbol}` is not a comparison"))
                .label("a symbol Seg does not have")
                .fix(span, right, format!("write `{right}`, or the words `{words}`")),
        );
        op
    }

    pub(super) fn bound(&mut self, pair: Pair<'_, Rule>) -> Bound {
        let Some(inner) = pair.into_inner().next() else { return Bound::Exactly };
        let bound = match inner.as_rule() {
            Rule::at_least => Bound::AtLeast,
            Rule::at_most => Bound::AtMost,
            Rule::more_than => Bound::MoreThan,
            Rule::less_than => Bound::LessThan,
            _ => Bound::Exactly,
        };
        for word in inner.into_inner().filter(|p| p.as_rule() == Rule::than) {
            let span = self.span(&word);
            if word.into_inner().any(|p| p.as_rule() == Rule::mistake_then) {
                self.report(
                    Diagnostic::new(Code::MistakenSymbol, span, "`then` is about order in time, not about size")
                        .label("`than` is meant")
                        .fix(span, "than", "write `than`"),
                );
            }
        }
        bound
    }
}
