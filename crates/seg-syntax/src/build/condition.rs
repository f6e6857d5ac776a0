//! One condition: lead words, a subject, tails.

use super::Builder;
use super::head::Head;
use crate::ast::{
    Condition, Expr, Group, Leads, Literal, Name, Negative, Operand, OperandKind, Quantifier, Quantity, Tail, TailKind,
};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

impl Builder<'_> {
    pub(super) fn clause(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let mut lead_pairs = Vec::new();
        let mut head = None;
        let mut tails = Vec::new();
        let mut said = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::tail if is_said(&part) => said = Some(part),
                Rule::lead => lead_pairs.push(part),
                Rule::head => head = Some(self.head(part)),
                Rule::tail => tails.extend(self.tail(part)),
                _ => {}
            }
        }
        let leads = self.leads(lead_pairs);
        match head {
            Some(Head::Everyone) => self.bare(Expr::Everyone(span), leads, &tails, span),
            Some(Head::Whole(expr)) => self.bare(expr, leads, &tails, span),
            Some(Head::Subject { quantity, subject, tail }) => {
                tails.splice(0..0, tail);
                if let Some(said) = said {
                    return self.said_of(said, Condition { leads, quantity, subject, tails, span });
                }
                self.subject_clause(Condition { leads, quantity, subject, tails, span })
            }
            None => Expr::Error(span),
        }
    }

    /// A condition that takes no tails: negated if its leads say so.
    fn bare(&mut self, expr: Expr, leads: Leads, tails: &[Tail], span: Span) -> Expr {
        if let Some(tail) = tails.first() {
            let code = if is_window(tail) { Code::WindowOnBrackets } else { Code::MisplacedWords };
            let here = self.words(tail.span);
            let mut diagnostic = Diagnostic::new(code, tail.span, format!("`{here}` has no event to belong to"))
                .label("after a condition that is complete")
                .also(expr.span(), "this condition");
            if is_window(tail) {
                diagnostic = diagnostic
                    .help("give each condition inside the brackets its own window")
                    .help(format!("or, for several events as one: `did any of (Event A, Event B) {here}`"));
            }
            self.report(diagnostic);
            return Expr::Error(span);
        }
        if let Some(did) = leads.did {
            let word = self.words(did);
            self.report(
                Diagnostic::new(Code::MisplacedWords, did, format!("`{word}` needs an event after it"))
                    .label("a condition follows, not an event")
                    .help(format!("leave `{word}` out, or write `not (…)` for the opposite")),
            );
            return Expr::Error(span);
        }
        match leads.negative {
            Some(_) => Expr::Not(Box::new(expr), span),
            None => expr,
        }
    }

    pub(super) fn subject_clause(&mut self, condition: Condition) -> Expr {
        let span = condition.span;
        if !matches!(condition.subject.kind, OperandKind::Bracketed(_)) {
            return Expr::Condition(Box::new(condition));
        }
        let Condition { leads, quantity, subject, tails, .. } = condition;
        let has_event_words = leads.did.is_some() || quantity.is_some();
        let OperandKind::Bracketed(inner) = subject.kind else { return Expr::Error(span) };
        let compares = tails.iter().any(|t| matches!(t.kind, TailKind::Comparison(_)));
        // `did all of (A, B)` is nothing but each of them.
        if let Expr::Group(Group { quantifier, is_chain: false, .. }) = inner.as_ref()
            && matches!(quantifier, Quantifier::All | Quantifier::Several { .. })
            && tails.is_empty()
            && quantity.is_none()
        {
            return self.bare(*inner, Leads { did: None, ..leads }, &tails, span);
        }
        // `any of (A, B)` with something said of it: several events as one.
        if let Expr::Group(group) = inner.as_ref()
            && !group.is_chain
            && (has_event_words || !tails.is_empty())
            && let Some(names) = event_names(group)
        {
            return self.event_union(group.quantifier, names, Union { leads, quantity, tails, span, at: group.span });
        }
        let has_time = tails.iter().any(|t| matches!(t.kind, TailKind::Window(_)));
        if (compares || has_time)
            && !has_event_words
            && let Some(operand) = inner.as_operand()
        {
            let subject = Operand { kind: operand.kind, span: subject.span };
            return Expr::Condition(Box::new(Condition { leads, quantity, subject, tails, span }));
        }
        self.bare(*inner, leads, &tails, span)
    }

    fn event_union(&mut self, quantifier: Quantifier, names: Vec<Name>, union: Union) -> Expr {
        let Union { mut leads, quantity, tails, span, at } = union;
        match quantifier {
            Quantifier::Any => {}
            Quantifier::None if leads.negative.is_none() => leads.negative = Some((Negative::No, at)),
            Quantifier::None => {
                self.report(two_negatives(at, "`none of` is negative already"));
                return Expr::Error(span);
            }
            Quantifier::All | Quantifier::Several { .. } => {
                let window = tails.first().map_or(at, |t| t.span);
                let each = names.iter().map(|n| format!("did {} {}", n.text, self.words(window)));
                let each: Vec<String> = each.collect();
                let each = match quantifier {
                    Quantifier::Several { min, max: None } => format!("at least {min} of ({})", each.join(", ")),
                    Quantifier::Several { min, max: Some(max) } => format!("{min} to {max} of ({})", each.join(", ")),
                    _ => each.join(" and "),
                };
                self.report(
                    Diagnostic::new(
                        Code::WindowOnBrackets,
                        window,
                        "what follows the brackets belongs to no one event",
                    )
                    .label("said of all events at once")
                    .help(format!("say it of each: `{each}`")),
                );
                return Expr::Error(span);
            }
        }
        let subject = Operand { kind: OperandKind::Events(names), span: at };
        Expr::Condition(Box::new(Condition { leads, quantity, subject, tails, span }))
    }

    fn leads(&mut self, pairs: Vec<Pair<'_, Rule>>) -> Leads {
        let mut leads = Leads::default();
        for pair in pairs {
            let span = self.span(&pair);
            leads.span = Some(leads.span.map_or(span, |s| s.to(span)));
            let Some(word) = pair.into_inner().next() else { continue };
            let negative = match word.as_rule() {
                Rule::kw_not => Some(Negative::Not),
                Rule::kw_never => Some(Negative::Never),
                Rule::kw_no => Some(Negative::No),
                _ => None,
            };
            match word.as_rule() {
                Rule::kw_did | Rule::kw_do | Rule::kw_does | Rule::kw_done | Rule::kw_performed => {
                    leads.did.get_or_insert(span);
                }
                Rule::kw_is | Rule::kw_are | Rule::kw_was | Rule::kw_were | Rule::kw_been => {
                    leads.copula.get_or_insert(span);
                }
                Rule::kw_their => leads.their = true,
                _ => {}
            }
            if let Some(negative) = negative {
                if let Some((_, first)) = leads.negative {
                    self.report(two_negatives(span, "a second negative").also(first, "the first"));
                }
                leads.negative = Some((negative, span));
            }
        }
        leads
    }

    /// What is said of a subject; none when it was refused, two for a `where`
    /// with a comparison of the whole behind its brackets.
    fn tail(&mut self, pair: Pair<'_, Rule>) -> Vec<Tail> {
        let Some(inner) = pair.into_inner().find(|p| p.as_rule() != Rule::comma) else { return Vec::new() };
        match inner.as_rule() {
            Rule::where_tail => return self.where_tail(inner),
            Rule::with_no => return self.with_no(inner),
            _ => {}
        }
        // The comma before a tail is not one of its words.
        let first = inner.clone().into_inner().find(|p| p.as_rule() != Rule::comma);
        let start = first.map_or(self.span(&inner), |p| self.span(&p)).start;
        let span = Span { start, ..self.span(&inner) };
        self.tail_kind(inner).map(|kind| Tail { kind, span }).into_iter().collect()
    }

    fn tail_kind(&mut self, inner: Pair<'_, Rule>) -> Option<TailKind> {
        let kind = match inner.as_rule() {
            Rule::window | Rule::next_window => TailKind::Window(self.window_or_next(inner)?),
            Rule::not_window => {
                let window = inner.into_inner().find(|p| p.as_rule() == Rule::window)?;
                TailKind::NotWindow(self.window(window)?)
            }
            Rule::with_tail => TailKind::Where(self.property_test(inner)),
            Rule::had_tail => TailKind::Had(self.had(inner)),
            Rule::first_time => TailKind::FirstTime,
            Rule::different_periods => self.different_periods(inner)?,
            Rule::count_tail => self.count_tail(inner)?,
            Rule::comparison => self.comparison_tail(inner),
            Rule::recurring => TailKind::Recurring(self.recurring(inner)?),
            Rule::not_recurring => {
                let recurring = inner.into_inner().find(|p| p.as_rule() == Rule::recurring)?;
                TailKind::NotRecurring(self.recurring(recurring)?)
            }
            Rule::then_tail => self.then_tail(inner)?,
            Rule::followed_tail => self.followed_tail(inner),
            Rule::within_tail | Rule::any_within => self.within_tail(inner)?,
            Rule::all_window => {
                let window = inner.into_inner().find(|p| matches!(p.as_rule(), Rule::window | Rule::next_window))?;
                TailKind::AllIn(self.window_or_next(window)?)
            }
            Rule::same_tail => {
                let name = inner.into_inner().find(|p| p.as_rule() == Rule::of_name)?;
                TailKind::Same(self.name(name, false))
            }
            Rule::limit_over => {
                let length = inner.into_inner().find(|p| p.as_rule() == Rule::length);
                match length {
                    Some(length) => TailKind::Limit(Some(self.length(length)?)),
                    None => TailKind::Limit(None),
                }
            }
            Rule::regular => self.regular(inner)?,
            Rule::in_zone => {
                let zone = inner.into_inner().find(|p| p.as_rule() == Rule::zone_name)?;
                TailKind::Zone(zone.as_str().to_owned())
            }
            _ => return None,
        };
        Some(kind)
    }
}

struct Union {
    leads: Leads,
    quantity: Option<Quantity>,
    tails: Vec<Tail>,
    span: Span,
    at: Span,
}

/// Whether a tail is comparisons in brackets.
fn is_said(tail: &Pair<'_, Rule>) -> bool {
    tail.clone().into_inner().any(|p| p.as_rule() == Rule::said_group)
}

fn is_window(tail: &Tail) -> bool {
    matches!(tail.kind, TailKind::Window(_) | TailKind::NotWindow(_) | TailKind::AllIn(_) | TailKind::Recurring(_))
}

pub(super) fn error_operand(span: Span) -> Operand {
    Operand { kind: OperandKind::Error, span }
}

pub(super) fn two_negatives(span: Span, label: &str) -> Diagnostic {
    Diagnostic::new(Code::MisplacedWords, span, "two negatives in one condition")
        .label(label)
        .help("leave one of them out")
}

/// The members of `any of (A, B)` when each is nothing but a name.
pub(super) fn event_names(group: &Group) -> Option<Vec<Name>> {
    group.members.iter().map(|member| member.as_operand().as_ref().and_then(as_name)).collect()
}

fn as_name(operand: &Operand) -> Option<Name> {
    match &operand.kind {
        OperandKind::Name(name) => Some(name.clone()),
        OperandKind::Literal(Literal::Text(text)) => {
            Some(Name { text: text.clone(), is_quoted: true, their: false, span: operand.span })
        }
        _ => None,
    }
}
