//! One condition: prefix words, a subject, modifiers.

use super::compound::halves;
use super::head::Head;
use super::since::without_absent;
use super::time::unit_of;
use super::{Builder, single_spaced};
use crate::ast::{
    Condition, Duration, Expr, Group, GroupForm, Literal, Modifier, ModifierKind, Name, Negative, Operand, OperandKind,
    Prefix, Quantifier, Quantity,
};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

impl Builder<'_> {
    pub(super) fn clause(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let (parts, absent) = without_absent(pair.clone());
        let span = match (&absent, parts.last()) {
            (Some(_), Some(last)) => Span { end: self.span(last).end, ..self.span(&pair) },
            _ => self.span(&pair),
        };
        let mut prefix_pairs = Vec::new();
        let mut head = None;
        let mut modifiers = Vec::new();
        let (mut said, mut object, mut neither, mut particle) = (None, None, None, None);
        let (mut compared, mut carried) = (Vec::new(), Vec::new());
        for part in parts {
            if part.as_rule() == Rule::modifier {
                compared.extend(halves(&part));
            }
            match part.as_rule() {
                Rule::modifier if is_said(&part) => said = Some(part),
                Rule::prefix => prefix_pairs.push(part),
                Rule::head => {
                    neither = neither.or_else(|| self.neither(&part));
                    head = Some(self.head(part));
                }
                Rule::modifier if particle.is_none() && modifiers.is_empty() && is_particle(&part) => {
                    particle = with_particle(head.as_ref(), part.as_str(), self.span(&part));
                    if particle.is_none() {
                        modifiers.extend(self.modifier(part));
                    }
                }
                Rule::modifier => match object_of(&part) {
                    Some(found) if object.is_none() && modifiers.is_empty() && particle.is_none() => {
                        object = Some(found)
                    }
                    _ => modifiers.extend(self.modifier(part)),
                },
                Rule::carried => carried.push(part),
                _ => {}
            }
        }
        let mut prefix = self.prefix(prefix_pairs);
        if let Some(neither) = neither
            && let Some((_, first)) = prefix.negative.replace((Negative::No, neither))
        {
            self.report(two_negatives(neither, "a second negative").also(first, "the first"));
        }
        if let Some(object) = object {
            head = self.with_object(head, object, &mut prefix);
        }
        let clause = match head {
            Some(Head::Everyone) => self.bare(Expr::Everyone(span), prefix, &modifiers, span),
            Some(Head::Whole(expr)) => self.bare(expr, prefix, &modifiers, span),
            Some(Head::Subject { quantity, subject, modifier }) => {
                modifiers.splice(0..0, modifier);
                let condition = Condition { prefix, quantity, subject, particle, modifiers, span };
                match said {
                    Some(said) => self.said_of(said, condition),
                    None => {
                        let clause = self.subject_clause(condition);
                        if compared.is_empty() { clause } else { self.compound(clause, compared) }
                    }
                }
            }
            None => Expr::Error(span),
        };
        let clause = if carried.is_empty() { clause } else { self.carried(clause, carried) };
        match absent {
            Some(absent) => self.beside_absent(clause, absent),
            None => clause,
        }
    }

    /// `neither` before the events of a head.
    fn neither(&self, head: &Pair<'_, Rule>) -> Option<Span> {
        let neither = head.clone().into_inner().find(|p| p.as_rule() == Rule::neither)?;
        neither.into_inner().find(|p| p.as_rule() == Rule::kw_neither).map(|word| self.span(&word))
    }

    /// `sent at least 3 invites`: an event whose name has a number or a `no` within.
    fn with_object(&mut self, head: Option<Head>, object: Pair<'_, Rule>, prefix: &mut Prefix) -> Option<Head> {
        let at = self.span(&object);
        let Some(Head::Subject { quantity: None, subject, modifier: None }) = &head else {
            self.report(misplaced_object(at, &self.words(at)));
            return None;
        };
        let OperandKind::Name(Name { text: verb, is_quoted: false, their, span }) = &subject.kind else {
            self.report(misplaced_object(at, &self.words(at)));
            return None;
        };
        let (mut quantity, mut text) = (None, verb.clone());
        for part in object.into_inner() {
            match part.as_rule() {
                Rule::quantity => quantity = self.front_quantity(part),
                Rule::kw_no => {
                    let no = self.span(&part);
                    if let Some((_, first)) = prefix.negative.replace((Negative::No, no)) {
                        self.report(two_negatives(no, "a second negative").also(first, "the first"));
                    }
                }
                Rule::bare_name => text = format!("{verb} {}", single_spaced(part.as_str())),
                _ => {}
            }
        }
        let name = Name { text, is_quoted: false, their: *their, span: span.to(at) };
        Some(Head::Subject {
            quantity,
            subject: Operand { span: name.span, kind: OperandKind::Name(name) },
            modifier: None,
        })
    }

    /// A condition that takes no modifiers: negated if its prefix say so.
    fn bare(&mut self, expr: Expr, prefix: Prefix, modifiers: &[Modifier], span: Span) -> Expr {
        if let Some(modifier) = modifiers.first() {
            let code = if is_window(modifier) { Code::WindowOnBrackets } else { Code::MisplacedWords };
            let here = self.words(modifier.span);
            let mut diagnostic = Diagnostic::new(code, modifier.span, format!("`{here}` has no event to belong to"))
                .label("after a condition that is complete")
                .also(expr.span(), "this condition");
            if is_window(modifier) {
                diagnostic = diagnostic
                    .help("give each condition inside the brackets its own window")
                    .note(format!("or, for several events as one: `did any of (Event A, Event B) {here}`"));
            }
            self.report(diagnostic);
            return Expr::Error(span);
        }
        if let Some(did) = prefix.did {
            let word = self.words(did);
            self.report(
                Diagnostic::new(Code::MisplacedWords, did, format!("`{word}` needs an event after it"))
                    .label("a condition follows, not an event")
                    .note(format!("leave `{word}` out, or write `not (…)` for the opposite")),
            );
            return Expr::Error(span);
        }
        match prefix.negative {
            Some(_) => Expr::Not(Box::new(expr), span),
            None => expr,
        }
    }

    pub(super) fn subject_clause(&mut self, condition: Condition) -> Expr {
        let span = condition.span;
        if !matches!(condition.subject.kind, OperandKind::Bracketed(_)) {
            return Expr::Condition(Box::new(condition));
        }
        let Condition { prefix, quantity, subject, modifiers, .. } = condition;
        let has_event_words = prefix.did.is_some() || quantity.is_some();
        let OperandKind::Bracketed(inner) = subject.kind else { return Expr::Error(span) };
        let compares = modifiers.iter().any(|t| matches!(t.kind, ModifierKind::Comparison(_)));
        // `did all of (A, B)` is nothing but each of them.
        if let Expr::Group(Group { quantifier, form: GroupForm::List, .. }) = inner.as_ref()
            && matches!(quantifier, Quantifier::All | Quantifier::Cardinality { .. })
            && modifiers.is_empty()
            && quantity.is_none()
        {
            return self.bare(*inner, Prefix { did: None, ..prefix }, &modifiers, span);
        }
        // `any of (A, B)` with something said of it: several events as one.
        if let Expr::Group(group) = inner.as_ref()
            && group.form == GroupForm::List
            && (has_event_words || !modifiers.is_empty())
            && let Some(names) = event_names(group)
        {
            return self.event_union(
                group.quantifier,
                names,
                Union { prefix, quantity, modifiers, span, at: group.span },
            );
        }
        let has_time = modifiers.iter().any(|t| matches!(t.kind, ModifierKind::Window(_)));
        if (compares || has_time)
            && !has_event_words
            && let Some(operand) = inner.as_operand()
        {
            let subject = Operand { kind: operand.kind, span: subject.span };
            return Expr::Condition(Box::new(Condition { prefix, quantity, subject, particle: None, modifiers, span }));
        }
        self.bare(*inner, prefix, &modifiers, span)
    }

    fn event_union(&mut self, quantifier: Quantifier, names: Vec<Name>, union: Union) -> Expr {
        let Union { mut prefix, quantity, modifiers, span, at } = union;
        match quantifier {
            Quantifier::Any => {}
            // What follows is said of them as a whole.
            Quantifier::All if modifiers.iter().any(|t| matches!(t.kind, ModifierKind::AnyOrder)) => {}
            Quantifier::None if prefix.negative.is_none() => prefix.negative = Some((Negative::No, at)),
            Quantifier::None => {
                self.report(two_negatives(at, "`none of` is negative already"));
                return Expr::Error(span);
            }
            Quantifier::All | Quantifier::Cardinality { .. } => {
                let window = modifiers.first().map_or(at, |t| t.span);
                let each = names.iter().map(|n| format!("did {} {}", n.text, self.words(window)));
                let each: Vec<String> = each.collect();
                let each = match quantifier {
                    Quantifier::Cardinality { min, max: None } => format!("at least {min} of ({})", each.join(", ")),
                    Quantifier::Cardinality { min, max: Some(max) } => {
                        format!("{min} to {max} of ({})", each.join(", "))
                    }
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
        Expr::Condition(Box::new(Condition { prefix, quantity, subject, particle: None, modifiers, span }))
    }

    fn prefix(&mut self, pairs: Vec<Pair<'_, Rule>>) -> Prefix {
        let mut prefix = Prefix::default();
        for pair in pairs {
            let span = self.span(&pair);
            prefix.span = Some(prefix.span.map_or(span, |s| s.to(span)));
            let Some(word) = pair.into_inner().next() else { continue };
            let negative = match word.as_rule() {
                Rule::kw_not => Some(Negative::Not),
                Rule::kw_never => Some(Negative::Never),
                Rule::kw_no => Some(Negative::No),
                _ => None,
            };
            match word.as_rule() {
                Rule::kw_did | Rule::kw_do | Rule::kw_does | Rule::kw_done | Rule::kw_performed => {
                    prefix.did.get_or_insert(span);
                }
                Rule::kw_is | Rule::kw_are | Rule::kw_was | Rule::kw_were | Rule::kw_been => {
                    prefix.copula.get_or_insert(span);
                }
                Rule::kw_their => prefix.their = true,
                Rule::kw_whose => prefix.whose = true,
                _ => {}
            }
            if let Some(negative) = negative {
                if let Some((_, first)) = prefix.negative {
                    self.report(two_negatives(span, "a second negative").also(first, "the first"));
                }
                prefix.negative = Some((negative, span));
            }
        }
        prefix
    }

    /// What is said of a subject; none when it was refused, two for a `where`
    /// with a comparison of the whole behind its brackets.
    fn modifier(&mut self, pair: Pair<'_, Rule>) -> Vec<Modifier> {
        let Some(inner) = pair.into_inner().find(|p| p.as_rule() != Rule::comma) else { return Vec::new() };
        let inner = match inner.as_rule() {
            Rule::compared => match inner.into_inner().find(|p| p.as_rule() == Rule::comparison) {
                Some(comparison) => comparison,
                None => return Vec::new(),
            },
            _ => inner,
        };
        match inner.as_rule() {
            Rule::where_modifier => return self.where_modifier(inner),
            Rule::with_no => return self.with_no(inner),
            Rule::then_modifier => return self.then_modifier(inner),
            _ => {}
        }
        // The comma before a modifier is not one of its words.
        let first = inner.clone().into_inner().find(|p| p.as_rule() != Rule::comma);
        let start = first.map_or(self.span(&inner), |p| self.span(&p)).start;
        let span = Span { start, ..self.span(&inner) };
        self.modifier_kind(inner).map(|kind| Modifier { kind, span }).into_iter().collect()
    }

    fn modifier_kind(&mut self, inner: Pair<'_, Rule>) -> Option<ModifierKind> {
        let kind = match inner.as_rule() {
            Rule::window | Rule::next_window => ModifierKind::Window(self.window_or_next(inner)?),
            Rule::not_window => {
                let window = inner.into_inner().find(|p| p.as_rule() == Rule::window)?;
                ModifierKind::NotWindow(self.window(window)?)
            }
            Rule::with_modifier => ModifierKind::Where(self.property_test(inner)),
            Rule::had_modifier => ModifierKind::Had(self.had(inner)),
            Rule::first_time => ModifierKind::FirstTime,
            Rule::different_periods => self.different_periods(inner)?,
            Rule::count_modifier => self.count_modifier(inner)?,
            Rule::comparison => self.comparison_modifier(inner),
            Rule::recurring => ModifierKind::Recurring(self.recurring(inner)?),
            Rule::not_recurring => {
                let recurring = inner.into_inner().find(|p| p.as_rule() == Rule::recurring)?;
                ModifierKind::NotRecurring(self.recurring(recurring)?)
            }
            Rule::any_order => ModifierKind::AnyOrder,
            Rule::any_time | Rule::held_for | Rule::changed => self.past_modifier(inner)?,
            Rule::followed_modifier => self.followed_modifier(inner),
            Rule::within_modifier | Rule::any_within => self.within_modifier(inner)?,
            Rule::all_window => {
                let window = inner.into_inner().find(|p| matches!(p.as_rule(), Rule::window | Rule::next_window))?;
                ModifierKind::AllIn(self.window_or_next(window)?)
            }
            Rule::same_modifier => {
                let name = inner.into_inner().find(|p| p.as_rule() == Rule::of_name)?;
                ModifierKind::Same(self.name(name, false))
            }
            Rule::limit_over => {
                let said = inner.into_inner().find(|p| matches!(p.as_rule(), Rule::length | Rule::unit));
                match said {
                    Some(unit) if unit.as_rule() == Rule::unit => {
                        ModifierKind::Limit(Some(Duration { count: 1, unit: unit_of(&unit), span: self.span(&unit) }))
                    }
                    Some(length) => ModifierKind::Limit(Some(self.length(length)?)),
                    None => ModifierKind::Limit(None),
                }
            }
            Rule::regular => self.regular(inner)?,
            Rule::in_zone => {
                let zone = inner.into_inner().find(|p| p.as_rule() == Rule::zone_name)?;
                ModifierKind::Zone(zone.as_str().to_owned())
            }
            Rule::particle => {
                let at = self.span(&inner);
                let words = self.words(at);
                self.report(
                    Diagnostic::new(Code::UnexpectedText, at, format!("`{words}` does not fit here"))
                        .label("no name that it could belong to stands before it"),
                );
                return None;
            }
            Rule::object => {
                let (at, words) = (self.span(&inner), self.words(self.span(&inner)));
                self.report(misplaced_object(at, &words));
                return None;
            }
            _ => return None,
        };
        Some(kind)
    }
}

fn is_particle(modifier: &Pair<'_, Rule>) -> bool {
    modifier.clone().into_inner().any(|p| p.as_rule() == Rule::particle)
}

/// A bare name with the word behind it that may belong to it: `logged in`.
fn with_particle(head: Option<&Head>, word: &str, at: Span) -> Option<Name> {
    let Some(Head::Subject { quantity: _, subject, modifier: None }) = head else { return None };
    let OperandKind::Name(name) = &subject.kind else { return None };
    let text = format!("{} {}", name.text, word.trim());
    (!name.is_quoted).then(|| Name { text, is_quoted: false, their: name.their, span: name.span.to(at) })
}

struct Union {
    prefix: Prefix,
    quantity: Option<Quantity>,
    modifiers: Vec<Modifier>,
    span: Span,
    at: Span,
}

/// The rest of an event's name, if a modifier is that.
fn object_of<'p>(modifier: &Pair<'p, Rule>) -> Option<Pair<'p, Rule>> {
    modifier.clone().into_inner().find(|p| p.as_rule() == Rule::object)
}

fn misplaced_object(at: Span, words: &str) -> Diagnostic {
    Diagnostic::new(Code::MisplacedWords, at, format!("`{words}` does not fit here"))
        .label("no verb stands before it")
        .note("a number of something follows a verb of the schema, as in `sent at least 3 invites`")
}

/// Whether a modifier is comparisons in brackets.
fn is_said(modifier: &Pair<'_, Rule>) -> bool {
    modifier.clone().into_inner().any(|p| p.as_rule() == Rule::said_group)
}

fn is_window(modifier: &Modifier) -> bool {
    matches!(
        modifier.kind,
        ModifierKind::Window(_) | ModifierKind::NotWindow(_) | ModifierKind::AllIn(_) | ModifierKind::Recurring(_)
    )
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

pub(super) fn as_name(operand: &Operand) -> Option<Name> {
    match &operand.kind {
        OperandKind::Name(name) => Some(name.clone()),
        OperandKind::Literal(Literal::Text(text)) => {
            Some(Name { text: text.clone(), is_quoted: true, their: false, span: operand.span })
        }
        _ => None,
    }
}
