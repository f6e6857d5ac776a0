//! `opened or clicked an email`: verbs that share what stands behind the last of them.

use super::Connective;
use crate::ast::{Condition, Expr, Group, GroupForm, ModifierKind, Name, OperandKind, Quantifier};
use crate::source::Span;

/// Takes verbs joined by `or` together with the condition behind them whose object they may
/// share. Whether they do, or are events of their own, is for whoever knows the names.
pub(super) fn with_shared_objects(
    members: Vec<Expr>,
    connectives: Vec<(Connective, Span)>,
) -> (Vec<Expr>, Vec<(Connective, Span)>) {
    if !members.iter().any(is_verb) {
        return (members, connectives);
    }
    let (mut joined, mut words) = (Vec::new(), Vec::new());
    let mut verbs: Vec<(Expr, Option<(Connective, Span)>)> = Vec::new();
    let mut before = connectives.into_iter();
    for (at, member) in members.into_iter().enumerate() {
        let word = if at == 0 { None } else { before.next() };
        let goes_on = verbs.is_empty() || matches!(word, Some((Connective::Or, _)));
        let has_lead = !verbs.is_empty() && has_lead(&member);
        if !goes_on || has_lead {
            release(&mut verbs, &mut joined, &mut words);
        }
        if is_verb(&member) {
            verbs.push((member, word));
        } else if !verbs.is_empty() && has_object(&member) {
            let span = verbs.first().map_or(member.span(), |(first, _)| first.span().to(member.span()));
            words.extend(verbs.first().and_then(|(_, word)| *word));
            let members = verbs.drain(..).map(|(verb, _)| verb).chain([member]).collect();
            joined.push(Expr::Group(Group { quantifier: Quantifier::Any, members, form: GroupForm::Verbs, span }));
        } else {
            release(&mut verbs, &mut joined, &mut words);
            joined.push(member);
            words.extend(word);
        }
    }
    release(&mut verbs, &mut joined, &mut words);
    (joined, words)
}

/// Verbs behind which no object stands are conditions like others.
fn release(
    verbs: &mut Vec<(Expr, Option<(Connective, Span)>)>,
    joined: &mut Vec<Expr>,
    words: &mut Vec<(Connective, Span)>,
) {
    for (verb, word) in verbs.drain(..) {
        joined.push(verb);
        words.extend(word);
    }
}

/// A condition that is one word, such as `opened`, perhaps with words before it.
fn is_verb(member: &Expr) -> bool {
    let Some((c, name)) = bare(member) else { return false };
    c.modifiers.is_empty() && c.particle.is_none() && !name.text.contains(' ')
}

/// A condition about `clicked an email`: a verb and what it is done to, not compared.
fn has_object(member: &Expr) -> bool {
    let is_compared = |c: &Condition| c.modifiers.iter().any(|t| matches!(t.kind, ModifierKind::Comparison(_)));
    bare(member).is_some_and(|(c, name)| name.text.contains(' ') && !is_compared(c))
}

fn has_lead(member: &Expr) -> bool {
    bare(member).is_none_or(|(c, _)| c.prefix.span.is_some())
}

fn bare(member: &Expr) -> Option<(&Condition, &Name)> {
    let Expr::Condition(c) = member else { return None };
    match &c.subject.kind {
        OperandKind::Name(name) if !name.is_quoted && c.quantity.is_none() && c.prefix.copula.is_none() => {
            Some((c, name))
        }
        _ => None,
    }
}
