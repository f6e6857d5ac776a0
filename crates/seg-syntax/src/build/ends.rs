//! `whose first order was in May and had amount over 50`: what is said of a first or last
//! event after what was said of it before.

use super::{Builder, Connective};
use crate::ast::{Condition, Expr, GroupForm, Modifier, ModifierKind, OperandKind, Prefix};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use pest::iterators::Pair;

impl Builder<'_> {
    /// What `had` says: of the event before, where that is the first or last of its name,
    /// or else a condition of its own.
    pub(super) fn had_carried(
        &mut self,
        before: Option<&Expr>,
        word: Option<Connective>,
        pair: Pair<'_, Rule>,
    ) -> Expr {
        let span = self.span(&pair);
        let Some(modifier) = pair.into_inner().find(|p| p.as_rule() == Rule::had_modifier) else {
            return Expr::Error(span);
        };
        let is_literal = is_literal(&modifier);
        let said = self.had(modifier);
        let end = before.and_then(end_before).filter(|_| matches!(word, Some(Connective::And)));
        match end {
            Some(end) => {
                let prefix = Prefix { negative: None, ..end.prefix.clone() };
                let modifiers = vec![Modifier { kind: ModifierKind::Had(said), span }];
                Expr::Condition(Box::new(Condition { prefix, modifiers, span, ..end.clone() }))
            }
            None if is_literal => {
                let words = self.words(span);
                let had = words.split(' ').find(|word| !word.eq_ignore_ascii_case("all")).unwrap_or_default();
                self.report(
                    Diagnostic::new(Code::UnexpectedText, span, format!("what is `{had}` said of?"))
                        .label("no first or last event stands before it")
                        .note("say it of one event: `their last order had …`"),
                );
                Expr::Error(span)
            }
            None => said,
        }
    }
}

/// The condition before, where it is about the first or last event of a name.
fn end_before(before: &Expr) -> Option<&Condition> {
    let condition = match before {
        Expr::Condition(condition) => condition,
        Expr::Group(group) if group.form == GroupForm::Compound => return end_before(group.members.first()?),
        _ => return None,
    };
    let OperandKind::Name(name) = &condition.subject.kind else { return None };
    let lower = name.text.to_ascii_lowercase();
    let is_end = ["first ", "last ", "most recent "].iter().any(|word| lower.starts_with(word));
    (is_end && !name.is_quoted).then_some(condition)
}

/// `had category "shoes"`, which says no verb.
fn is_literal(had: &Pair<'_, Rule>) -> bool {
    let test = had.clone().into_inner().find(|p| p.as_rule() == Rule::property_test);
    test.is_some_and(|test| test.into_inner().any(|p| p.as_rule() == Rule::literal))
}
