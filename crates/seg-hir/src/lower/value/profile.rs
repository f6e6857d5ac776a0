//! The id of a person.

use super::comparison::Compared;
use crate::hir::{Cond, Expr, IdTest, TextOp};
use crate::lower::{Lower, Lowered, Scope};
use crate::text::compile_pattern;
use seg_data::schema::fold_name;
use seg_data::{Type, Value};
use seg_syntax::ast::{self, Comparison, Condition, LiteralAt, Modifier, ModifierKind, Name, OrderOp, Relation};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    /// `profile id is "ann"`, unless the schema calls something so; `None` for any other
    /// subject.
    pub(in crate::lower) fn profile_id(&mut self, c: &Condition, name: &Name) -> Option<Lowered> {
        let begins_so = name.text.get(..7).is_some_and(|first| first.eq_ignore_ascii_case("profile"));
        if !begins_so || fold_name(&name.text) != "profile id" || !self.schema.lookup(&name.text).is_empty() {
            return None;
        }
        let [Modifier { kind: ModifierKind::Comparison(comparison), span }] = c.modifiers.as_slice() else {
            self.misplaced_id(c);
            return Some(Lowered::error());
        };
        // It is never missing, and counts as it is written.
        let Some((test, is_not)) = self.id_test(c, comparison) else { return Some(Lowered::error()) };
        self.reads(*span);
        let is_negative = is_not != comparison.not.is_some();
        let cond = Cond::Profile(test);
        let cond = if is_negative { cond.negate() } else { cond };
        let says_not = self.reads_negative(c);
        Some(Lowered::plain(cond).negated(says_not))
    }

    /// What is said of the id, and whether it is said negatively; `None` when reported.
    fn id_test(&mut self, c: &Condition, comparison: &Comparison) -> Option<(IdTest, bool)> {
        let value = Expr::literal(Value::Text(String::new()), Type::Text);
        let left = Compared { value, span: c.subject.span, scope: Scope::Person };
        let one = |text: String| IdTest::OneOf(vec![text]);
        match &comparison.relation {
            Relation::Order(op @ (OrderOp::Is | OrderOp::IsNot), right) => {
                let ast::OperandKind::Literal(literal) = &right.kind else {
                    self.misplaced_id(c);
                    return None;
                };
                let at = LiteralAt { literal: literal.clone(), span: right.span };
                let texts = self.ids(&left, std::slice::from_ref(&at))?;
                Some((texts.into_iter().next().map(one)?, *op == OrderOp::IsNot))
            }
            Relation::OneOf(list) => Some((IdTest::OneOf(self.ids(&left, list)?), false)),
            Relation::NoneOf(list) => Some((IdTest::OneOf(self.ids(&left, list)?), true)),
            Relation::InList(list) => match self.in_list(&left, list, false)? {
                Cond::InList(_, list) => Some((IdTest::InList(list), false)),
                _ => None,
            },
            Relation::Text(op, at) => {
                let text = self.ids(&left, std::slice::from_ref(at))?.into_iter().next()?;
                let op = match op {
                    ast::TextOp::Contains => TextOp::Contains,
                    ast::TextOp::StartsWith => TextOp::StartsWith,
                    ast::TextOp::EndsWith => TextOp::EndsWith,
                    ast::TextOp::Matches => TextOp::Matches,
                };
                if let (TextOp::Matches, Err(why)) = (op, compile_pattern(&text, false)) {
                    self.report(
                        Diagnostic::new(Code::BadPattern, at.span, format!("this pattern cannot be used: {why}"))
                            .label("not understood")
                            .note("a pattern is a regular expression, found anywhere in the text"),
                    );
                    return None;
                }
                Some((IdTest::Text(op, text), false))
            }
            Relation::Known
            | Relation::Missing
            | Relation::Empty(_)
            | Relation::KnownButNot(_)
            | Relation::Order(..)
            | Relation::Between(..)
            | Relation::Includes(..)
            | Relation::Window(_)
            | Relation::Recurring(_)
            | Relation::Near(_) => {
                self.misplaced_id(c);
                None
            }
        }
    }

    fn ids(&mut self, left: &Compared<'_>, list: &[LiteralAt]) -> Option<Vec<String>> {
        let values = self.literals(left, list, &Type::Text, false)?;
        let text = |value| match value {
            Value::Text(text) => Some(text),
            _ => None,
        };
        values.into_iter().map(text).collect()
    }

    fn misplaced_id(&mut self, c: &Condition) {
        let at = Span { start: c.subject.span.start, ..c.span };
        let words = self.words(at);
        self.report(
            Diagnostic::new(Code::OperatorNeedsType, at, format!("`{words}` is not said of an id"))
                .label("an id is a text, and everybody has one")
                .help("ask which it is: `profile id is one of \"ann\", \"ben\"`")
                .note("or by a list: `profile id is in list \"…\"`"),
        );
    }
}
