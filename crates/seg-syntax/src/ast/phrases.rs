//! The phrases of a condition: everything that is said in it beside its subject.
//!
//! Whoever gives conditions a meaning has to read each of them; what nobody has
//! read is an error. The list is made here, from the tree alone, so that a reader
//! cannot forget a phrase by not looking at it.

use super::{Condition, Expr, Item, Modifier, ModifierKind, Operand, OperandKind, Relation};
use crate::source::Span;

impl Condition {
    /// Calls `said` with the place of each phrase: the negative, `did`, the
    /// quantity, every modifier, and `ignoring case` and `or unknown` inside
    /// comparisons; also those of values over events that it compares. What
    /// stands inside a `where` is a condition of its own.
    pub fn each_phrase(&self, said: &mut impl FnMut(Span)) {
        self.prefix.negative.iter().for_each(|(_, span)| said(*span));
        self.prefix.did.iter().for_each(|span| said(*span));
        self.quantity.iter().for_each(|quantity| said(quantity.span));
        in_operand(&self.subject, said);
        self.particle.iter().for_each(|name| said(name.span));
        self.modifiers.iter().for_each(|modifier| in_modifier(modifier, said));
    }

    /// The conditions inside it: those of its filters.
    fn each_inner<'a>(&'a self, found: &mut impl FnMut(&'a Condition)) {
        inner_of_operand(&self.subject, found);
        self.modifiers.iter().for_each(|modifier| inner_of_modifier(modifier, found));
    }
}

impl Expr {
    /// Calls `found` with every condition of an expression, the outer ones first.
    pub fn each_condition<'a>(&'a self, found: &mut impl FnMut(&'a Condition)) {
        let mut open = vec![self];
        while let Some(expr) = open.pop() {
            match expr {
                Expr::Condition(condition) => {
                    found(condition);
                    condition.each_inner(found);
                }
                Expr::Group(group) => open.extend(group.members.iter().rev()),
                Expr::Not(inner, _) => open.push(inner),
                Expr::Everyone(_)
                | Expr::InSegment(_)
                | Expr::Sample(_)
                | Expr::Near(_)
                | Expr::Use(_)
                | Expr::Error(_) => {}
            }
        }
    }
}

impl Item {
    /// Its whole text.
    pub fn span(&self) -> Span {
        match self {
            Item::Segment(segment) => segment.span,
            Item::Definition(definition) => definition.span,
            Item::List(list) => list.span,
            Item::Rule(rule) => rule.span,
            Item::Precedence(precedence) => precedence.span,
            Item::Test(test) => test.span,
            Item::Error { span, .. } => *span,
        }
    }

    /// Its expressions: what a segment includes and excludes, what a definition
    /// means, what a rule asks.
    pub fn expressions(&self) -> Vec<&Expr> {
        match self {
            Item::Segment(segment) => std::iter::once(&segment.include).chain(&segment.excludes).collect(),
            Item::Definition(definition) => vec![&definition.body],
            Item::Rule(rule) => vec![&rule.body],
            Item::List(_) | Item::Precedence(_) | Item::Test(_) | Item::Error { .. } => Vec::new(),
        }
    }
}

fn in_modifier(modifier: &Modifier, said: &mut impl FnMut(Span)) {
    said(modifier.span);
    match &modifier.kind {
        ModifierKind::Comparison(comparison) => {
            comparison.copula.iter().filter_map(|copula| copula.often).for_each(|(_, span)| said(span));
            comparison.ignoring_case.iter().for_each(|span| said(*span));
            comparison.or_unknown.iter().for_each(|span| said(*span));
            operands_of(&comparison.relation).for_each(|operand| in_operand(operand, said));
        }
        ModifierKind::Window(_)
        | ModifierKind::NotWindow(_)
        | ModifierKind::Where(_)
        | ModifierKind::Had(_)
        | ModifierKind::Count(_)
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
        | ModifierKind::Zone(_)
        | ModifierKind::Past(_) => {}
    }
}

fn in_operand(operand: &Operand, said: &mut impl FnMut(Span)) {
    match &operand.kind {
        OperandKind::Arithmetic(_, left, right) => {
            in_operand(left, said);
            in_operand(right, said);
        }
        OperandKind::Aggregate(aggregate) => {
            aggregate.modifiers.iter().for_each(|modifier| in_modifier(modifier, said))
        }
        // In brackets an operand reads as a condition.
        OperandKind::Bracketed(inner) => {
            if let Expr::Condition(condition) = inner.as_ref() {
                condition.each_phrase(said);
            }
        }
        OperandKind::Name(_)
        | OperandKind::Literal(_)
        | OperandKind::FirstOrLastN(_)
        | OperandKind::Events(_)
        | OperandKind::Anything
        | OperandKind::Items(..)
        | OperandKind::UsualGap(_)
        | OperandKind::Elapsed(_)
        | OperandKind::Anniversary(_)
        | OperandKind::Error => {}
    }
}

/// The values that a relation compares with.
fn operands_of(relation: &Relation) -> impl Iterator<Item = &Operand> {
    let (first, second) = match relation {
        Relation::Order(_, right) => (Some(right), None),
        Relation::Between(low, high) => (Some(low), Some(high)),
        Relation::Known
        | Relation::Missing
        | Relation::Empty(_)
        | Relation::KnownButNot(_)
        | Relation::OneOf(_)
        | Relation::NoneOf(_)
        | Relation::Text(..)
        | Relation::Includes(..)
        | Relation::Window(_)
        | Relation::Recurring(_)
        | Relation::InList(_)
        | Relation::Near(_) => (None, None),
    };
    first.into_iter().chain(second)
}

fn inner_of_modifier<'a>(modifier: &'a Modifier, found: &mut impl FnMut(&'a Condition)) {
    match &modifier.kind {
        ModifierKind::Where(expr) | ModifierKind::Had(expr) => expr.each_condition(found),
        ModifierKind::Comparison(comparison) => {
            operands_of(&comparison.relation).for_each(|operand| inner_of_operand(operand, found));
        }
        ModifierKind::NoneBetween(between) => {
            between.filter.iter().for_each(|filter| inner_of_modifier(filter, found));
        }
        ModifierKind::Window(_)
        | ModifierKind::NotWindow(_)
        | ModifierKind::Count(_)
        | ModifierKind::DifferentPeriods(..)
        | ModifierKind::FirstTime
        | ModifierKind::Then(_)
        | ModifierKind::Followed(_)
        | ModifierKind::AnyOrder
        | ModifierKind::Within(_)
        | ModifierKind::AllIn(_)
        | ModifierKind::Same(_)
        | ModifierKind::Limit(_)
        | ModifierKind::Recurring(_)
        | ModifierKind::NotRecurring(_)
        | ModifierKind::Regular(..)
        | ModifierKind::CountPer(..)
        | ModifierKind::Zone(_)
        | ModifierKind::Past(_) => {}
    }
}

fn inner_of_operand<'a>(operand: &'a Operand, found: &mut impl FnMut(&'a Condition)) {
    match &operand.kind {
        OperandKind::Arithmetic(_, left, right) => {
            inner_of_operand(left, found);
            inner_of_operand(right, found);
        }
        OperandKind::Aggregate(aggregate) => {
            aggregate.modifiers.iter().for_each(|modifier| inner_of_modifier(modifier, found))
        }
        OperandKind::Bracketed(inner) => match inner.as_ref() {
            Expr::Condition(condition) => condition.each_inner(found),
            other => other.each_condition(found),
        },
        OperandKind::Name(_)
        | OperandKind::Literal(_)
        | OperandKind::FirstOrLastN(_)
        | OperandKind::Events(_)
        | OperandKind::Anything
        | OperandKind::Items(..)
        | OperandKind::UsualGap(_)
        | OperandKind::Elapsed(_)
        | OperandKind::Anniversary(_)
        | OperandKind::Error => {}
    }
}
