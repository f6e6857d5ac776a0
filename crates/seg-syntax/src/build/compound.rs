//! Comparisons of one value that is said once: `total_spent is more than 50 and less
//! than 500`, `plan is "pro" or "team"`.

use super::{Builder, Connective};
use crate::ast::{
    Comparison, Condition, Expr, Group, GroupForm, LiteralAt, Modifier, ModifierKind, Operand, OperandKind, OrderOp,
    Prefix, Relation, TextOp,
};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

/// The comparison of a modifier and what carries over from it.
pub(super) fn halves<'p>(pair: &Pair<'p, Rule>) -> Vec<Pair<'p, Rule>> {
    let compared = match pair.as_rule() {
        Rule::modifier => pair.clone().into_inner().find(|p| p.as_rule() == Rule::compared),
        _ => Some(pair.clone()),
    };
    let is_half = |p: &Pair<'p, Rule>| matches!(p.as_rule(), Rule::half | Rule::value_half | Rule::listed);
    compared.map(|compared| compared.into_inner().filter(is_half).collect()).unwrap_or_default()
}

impl Builder<'_> {
    /// A condition and the halves behind its comparison.
    pub(super) fn compound(&mut self, first: Expr, halves: Vec<Pair<'_, Rule>>) -> Expr {
        let Expr::Condition(mut condition) = first else {
            let span = first.span();
            if !matches!(first, Expr::Error(_)) {
                self.beyond_brackets(&halves);
            }
            return Expr::Error(span);
        };
        // What stands behind the halves, such as a window after a comma, is said of what is
        // compared, as what stands before them.
        let is_comparison = |t: &Modifier| matches!(t.kind, ModifierKind::Comparison(_));
        let Some(place) = condition.modifiers.iter().rposition(is_comparison) else {
            return Expr::Error(condition.span);
        };
        let comparison = condition.modifiers.remove(place);
        condition.modifiers.push(comparison);
        let start = condition.span;
        condition.span = condition.modifiers.last().map_or(start, |t| Span { end: t.span.end, ..start });
        let negative = condition.prefix.negative.take();
        let (mut members, mut connectives): (Vec<Expr>, Vec<_>) = (Vec::new(), Vec::new());
        // Where the values began to which one comparison carries over.
        let mut first_value = 0;
        let mut span = condition.modifiers.last().map_or(start, |t| start.to(t.span));
        let halves = self.joined_halves(halves);
        let values: Vec<String> = halves.iter().filter_map(|half| self.literal_words(&half.part)).collect();
        for Joined { by: joined_by, not, part } in halves {
            let mut at = self.span(&part);
            let is_and = joined_by.0 == Connective::And;
            let is_value = part.as_rule() == Rule::value;
            span = span.to(at);
            at = not.map_or(at, |not| not.to(at));
            let mut next = match part.as_rule() {
                Rule::value => match self.value_half(part, &mut condition, is_and, &values) {
                    ValueHalf::Comparison(comparison) => *comparison,
                    ValueHalf::OfTheList => continue,
                    ValueHalf::Refused => return Expr::Error(span),
                },
                Rule::comparison => match self.comparison_modifier(part) {
                    ModifierKind::Comparison(comparison) => comparison,
                    _ => return Expr::Error(span),
                },
                Rule::recurring => match self.recurring(part).map(Relation::Recurring) {
                    Some(relation) => Comparison::of(relation, not),
                    None => return Expr::Error(span),
                },
                _ => match self.window_or_next(part).map(Relation::Window) {
                    Some(relation) => Comparison::of(relation, not),
                    None => return Expr::Error(span),
                },
            };
            // The verb carries over.
            if let Some(Modifier { kind: ModifierKind::Comparison(first), .. }) = condition.modifiers.last() {
                next.copula = next.copula.or(first.copula);
            }
            let (subject, quantity) = (condition.subject.clone(), condition.quantity);
            let prefix = Prefix { their: condition.prefix.their, ..Prefix::default() };
            // The window and the filter of a total, say, are part of what is compared.
            let mut modifiers = condition.modifiers.clone();
            modifiers.pop();
            modifiers.push(Modifier { kind: ModifierKind::Comparison(next), span: at });
            let before = std::mem::replace(
                &mut *condition,
                Condition { prefix, quantity, subject, particle: None, modifiers, span: at },
            );
            members.push(Expr::Condition(Box::new(before)));
            connectives.push(joined_by);
            if !is_value {
                first_value = members.len();
            }
            // What stands behind the last value is said of all of them.
            let values = members.get_mut(first_value..).unwrap_or_default();
            carry_back(values, &condition);
        }
        if let Some(mixed) = self.mixed_halves(&members, &condition, &connectives) {
            self.report(mixed);
            return Expr::Error(span);
        }
        members.push(Expr::Condition(condition));
        let joined = match self.joined(members, &connectives, span) {
            Expr::Group(group) => Expr::Group(Group { form: GroupForm::Compound, ..group }),
            other => other,
        };
        match negative {
            Some(_) => Expr::Not(Box::new(joined), span),
            None => joined,
        }
    }

    /// The halves behind a comparison, each with the word that joins it: in a list, that
    /// before the last value.
    fn joined_halves<'p>(&mut self, pairs: Vec<Pair<'p, Rule>>) -> Vec<Joined<'p>> {
        let mut halves: Vec<Joined<'p>> = Vec::new();
        let mut by: Option<(Connective, Span)> = None;
        for half in pairs.into_iter().rev() {
            let (mut not, mut found) = (None, None);
            for part in half.into_inner() {
                match part.as_rule() {
                    Rule::connective => by = Some(self.connective(part)),
                    Rule::kw_not => not = Some(self.span(&part)),
                    Rule::comma => {}
                    _ => found = Some(part),
                }
            }
            if let (Some(by), Some(part)) = (by, found) {
                halves.push(Joined { by, not, part });
            }
        }
        halves.reverse();
        halves
    }

    /// The words of the value that a half is, if it is one.
    fn literal_words(&self, half: &Pair<'_, Rule>) -> Option<String> {
        let literal = half.clone().into_inner().find(|p| p.as_rule() == Rule::literal)?;
        (half.as_rule() == Rule::value).then(|| self.words(self.span(&literal)))
    }

    /// `where (A and B) is at least 10 and less than 20`: what is compared stands before
    /// the brackets.
    pub(super) fn beyond_brackets(&mut self, halves: &[Pair<'_, Rule>]) {
        let Some(half) = halves.first() else { return };
        let span = self.span(half);
        let words = self.words(span);
        self.report(
            Diagnostic::new(Code::MisplacedWords, span, format!("`{words}` does not reach over brackets"))
                .label("what is compared stands before them")
                .help("say the whole condition again, with its other comparison")
                .help("or compare with `is between A and B`, where both belong to the range"),
        );
    }

    /// `is more than 5 and less than 10 or more than 100`: both ways to bracket it.
    fn mixed_halves(
        &self,
        members: &[Expr],
        last: &Condition,
        connectives: &[(Connective, Span)],
    ) -> Option<Diagnostic> {
        let (first, first_at) = *connectives.first()?;
        let (_, second_at) = *connectives.iter().find(|(word, _)| *word != first)?;
        let conditions = members.iter().filter_map(|member| match member {
            Expr::Condition(c) => Some(&**c),
            _ => None,
        });
        let texts: Vec<String> = conditions.chain([last]).map(|c| self.in_full(c)).collect();
        let bracketed = |tight: Connective| {
            let mut runs: Vec<Vec<&str>> = vec![Vec::new()];
            for (at, text) in texts.iter().enumerate() {
                if at > 0 && connectives.get(at - 1).is_some_and(|(word, _)| *word != tight) {
                    runs.push(Vec::new());
                }
                runs.last_mut()?.push(text);
            }
            let runs = runs.iter().map(|run| match run.as_slice() {
                [one] => (*one).to_owned(),
                many => format!("({})", many.join(tight.word())),
            });
            Some(runs.collect::<Vec<_>>().join(tight.other().word()))
        };
        let diagnostic = Diagnostic::new(Code::MixedAndOr, second_at, "`and` and `or` are mixed without brackets")
            .label(format!("`{}` here", self.words(second_at)))
            .also(first_at, format!("`{}` here", self.words(first_at)));
        let ways = [Connective::And, Connective::Or].into_iter().filter_map(bracketed);
        Some(ways.fold(diagnostic, |diagnostic, way| diagnostic.help(format!("either `{way}`"))))
    }

    /// A half as a condition of its own.
    fn in_full(&self, condition: &Condition) -> String {
        let (subject, at) = (self.words(condition.subject.span), span_of(condition));
        let words = self.words(at);
        let verb = match condition.modifiers.last().map(|t| &t.kind) {
            Some(ModifierKind::Comparison(comparison)) => match &comparison.relation {
                Relation::Order(OrderOp::Is, right) if right.span == at => "is",
                Relation::Text(op, value) if value.span == at => return format!("{subject} {op} {words}"),
                Relation::Includes(..) if words.starts_with('"') => "include",
                Relation::Order(..) | Relation::Between(..) | Relation::Window(_) | Relation::Recurring(_)
                    if !["is ", "are ", "was ", "were ", "has "].iter().any(|verb| words.starts_with(verb)) =>
                {
                    "is"
                }
                _ => "",
            },
            _ => "",
        };
        if verb.is_empty() { format!("{subject} {words}") } else { format!("{subject} {verb} {words}") }
    }

    /// `or "team"`: compared as the value before it.
    fn value_half(
        &mut self,
        pair: Pair<'_, Rule>,
        before: &mut Condition,
        is_and: bool,
        values: &[String],
    ) -> ValueHalf {
        let (at, mut literal, mut ignoring_case, mut or_unknown) = (self.span(&pair), None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::literal => literal = Some(self.literal_at(part)),
                Rule::ignoring_case => ignoring_case = Some(self.span(&part)),
                Rule::or_unknown => or_unknown = Some(self.span(&part)),
                _ => {}
            }
        }
        let subject = self.words(before.subject.span);
        let said = before.modifiers.last().map_or(at, |t| t.span);
        let Some(Modifier { kind: ModifierKind::Comparison(comparison), span }) = before.modifiers.last_mut() else {
            return ValueHalf::Refused;
        };
        let Some(literal) = literal else { return ValueHalf::Refused };
        let is_negative = comparison.not.is_some()
            || matches!(comparison.relation, Relation::Order(OrderOp::IsNot, _) | Relation::KnownButNot(_));
        if is_negative {
            let diagnostic = self.after_negative(&subject, said, &before.modifiers, &literal, (is_and, values));
            self.report(diagnostic);
            return ValueHalf::Refused;
        }
        let literal_span = literal.span;
        let relation = match &mut comparison.relation {
            // One more of a list.
            Relation::OneOf(values) | Relation::NoneOf(values) => {
                values.push(literal);
                comparison.ignoring_case = comparison.ignoring_case.or(ignoring_case);
                comparison.or_unknown = comparison.or_unknown.or(or_unknown);
                *span = span.to(at);
                before.span = before.span.to(at);
                return ValueHalf::OfTheList;
            }
            Relation::Order(OrderOp::Is, right) if is_and => {
                let (first, second) = (right.span, literal_span);
                let (first, second) = (self.words(first), self.words(second));
                self.report(
                    Diagnostic::new(Code::DetachedValue, at, format!("no `{subject}` is {first} and {second} at once"))
                        .label("never true")
                        .help(format!("for either of them: `{subject} is one of {first}, {second}`")),
                );
                return ValueHalf::Refused;
            }
            Relation::Order(OrderOp::Is, right) if matches!(right.kind, OperandKind::Literal(_)) => Relation::Order(
                OrderOp::Is,
                Operand { kind: OperandKind::Literal(literal.literal), span: literal_span },
            ),
            Relation::Text(op, first) if is_and && matches!(op, TextOp::StartsWith | TextOp::EndsWith) => {
                let verb = op.to_string();
                let first = first.span;
                let (first, second) = (self.words(first), self.words(literal_span));
                self.report(
                    Diagnostic::new(Code::DetachedValue, at, format!("`{verb} {first} and {second}` is hardly meant"))
                        .label("at once with the one before")
                        .help(format!("for either of them: `{subject} {verb} {first} or {second}`")),
                );
                return ValueHalf::Refused;
            }
            Relation::Text(op, _) => Relation::Text(*op, literal),
            Relation::Includes(quantifier, _) => Relation::Includes(*quantifier, vec![literal]),
            Relation::Known
            | Relation::Missing
            | Relation::Empty(_)
            | Relation::KnownButNot(_)
            | Relation::Order(..)
            | Relation::Between(..)
            | Relation::Window(_)
            | Relation::Recurring(_)
            | Relation::InList(_)
            | Relation::Near(_) => {
                let (value, said) = (self.words(literal_span), self.words(said));
                let word = if is_and { "and" } else { "or" };
                self.report(
                    Diagnostic::new(Code::DetachedValue, at, format!("{value} after `{word}` is not a condition"))
                        .label("a value, but of what?")
                        .also(span_of(before), "this is said before it")
                        .help(format!("say how it is compared: `{subject} {said} {word} is {value}`")),
                );
                return ValueHalf::Refused;
            }
        };
        let copula = comparison.copula;
        ValueHalf::Comparison(Box::new(Comparison { copula, not: None, relation, ignoring_case, or_unknown }))
    }

    /// `country is not "a" or "b"`: not both, or neither?
    fn after_negative(
        &self,
        subject: &str,
        said: Span,
        modifiers: &[Modifier],
        literal: &LiteralAt,
        (is_and, values): (bool, &[String]),
    ) -> Diagnostic {
        // All of them are negative or none is.
        let (second, rest, said_words) = (self.words(literal.span), values.join(", "), self.words(said));
        let comparison = modifiers.last().and_then(|t| match &t.kind {
            ModifierKind::Comparison(comparison) => Some(comparison),
            _ => None,
        });
        let word = if is_and { "and" } else { "or" };
        let diagnostic = Diagnostic::new(
            Code::UnclearNegative,
            literal.span,
            format!("is the negative of `{said_words}` said of {second} too?"),
        )
        .label(format!("behind `{word}`"))
        .also(said, "a negative");
        match comparison.map(|c| &c.relation) {
            Some(Relation::Order(_, right)) => {
                let first = self.words(right.span);
                diagnostic
                    .help(format!(
                        "for neither, of people with a value: `{subject} is known but not one of {first}, {rest}`"
                    ))
                    .help(format!(
                        "for neither, with those without one: `{subject} is none of {first}, {rest} or unknown`"
                    ))
            }
            Some(Relation::Includes(_, values)) => {
                let first = values.first().map_or(String::new(), |v| self.words(v.span));
                diagnostic
                    .help(format!(
                        "for neither, of people with a value: `{subject} are known and include none of {first}, {rest}`"
                    ))
                    .help(format!(
                        "for neither, with those without one: `{subject} include none of {first}, {rest} or unknown`"
                    ))
            }
            Some(Relation::Text(op, value)) => {
                let (verb, first) = (op.to_string(), self.words(value.span));
                diagnostic.help(format!("for neither: `not ({subject} {verb} {first} or {})`", values.join(" or ")))
            }
            _ => diagnostic.help("say each as a condition of its own"),
        }
    }
}

/// `"a" or "b" ignoring case`: neither counts case.
fn carry_back(values: &mut [Expr], last: &Condition) {
    let Some(ModifierKind::Comparison(last)) = last.modifiers.last().map(|t| &t.kind) else { return };
    for value in values {
        if let Expr::Condition(c) = value
            && let Some(ModifierKind::Comparison(comparison)) = c.modifiers.last_mut().map(|t| &mut t.kind)
        {
            comparison.ignoring_case = comparison.ignoring_case.or(last.ignoring_case);
            comparison.or_unknown = comparison.or_unknown.or(last.or_unknown);
        }
    }
}

/// A half behind a comparison.
struct Joined<'p> {
    by: (Connective, Span),
    not: Option<Span>,
    part: Pair<'p, Rule>,
}

/// What a value behind `and` or `or` is.
enum ValueHalf {
    Comparison(Box<Comparison>),
    /// One more value of the list before.
    OfTheList,
    Refused,
}

fn span_of(condition: &Condition) -> Span {
    condition.modifiers.last().map_or(condition.span, |t| t.span)
}
