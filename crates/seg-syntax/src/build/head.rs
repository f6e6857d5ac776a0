//! What a condition is about: its subject, or a condition that is complete.

use super::Builder;
use super::condition::{as_name, error_operand, event_names};
use super::time::is_bare;
use crate::ast::{
    Expr, FirstOrLastN, Group, GroupForm, Modifier, ModifierKind, Operand, OperandKind, Quantifier, Quantity, Window,
};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use pest::iterators::Pair;

/// What stands between the prefix words and the modifiers.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, on the stack")]
pub(super) enum Head {
    Everyone,
    /// A condition that is complete.
    Whole(Expr),
    Subject {
        quantity: Option<Quantity>,
        subject: Operand,
        modifier: Option<Modifier>,
    },
}

impl Builder<'_> {
    pub(super) fn head(&mut self, pair: Pair<'_, Rule>) -> Head {
        let span = self.span(&pair);
        let error = Head::Subject { quantity: None, subject: error_operand(span), modifier: None };
        let Some(inner) = pair.into_inner().next() else { return error };
        match inner.as_rule() {
            Rule::everyone => Head::Everyone,
            Rule::anything => {
                Head::Subject { quantity: None, subject: Operand { kind: OperandKind::Anything, span }, modifier: None }
            }
            Rule::in_segment => match inner.into_inner().find(|p| p.as_rule() == Rule::text) {
                Some(text) => Head::Whole(Expr::InSegment(self.title(&text))),
                None => error,
            },
            Rule::in_each => self.in_each(inner).map_or(error, Head::Whole),
            Rule::neither => {
                let events: Vec<Operand> =
                    inner.into_inner().filter(|p| p.as_rule() == Rule::event_ref).map(|p| self.event_ref(p)).collect();
                let names = events.iter().map(as_name).collect::<Option<Vec<_>>>();
                match names {
                    Some(names) => Head::Subject {
                        quantity: None,
                        subject: Operand { kind: OperandKind::Events(names), span },
                        modifier: None,
                    },
                    None => {
                        self.report(
                            Diagnostic::new(Code::MisplacedWords, span, "event names are needed behind `neither`")
                                .label("not names of events alone")
                                .note("several events as one: `no any of (Email Opened, Email Clicked)`"),
                        );
                        error
                    }
                }
            }
            Rule::in_several => self.in_several(inner).map_or(error, Head::Whole),
            Rule::in_sample => self.sample(inner).map_or(error, Head::Whole),
            Rule::near => Head::Whole(Expr::Near(self.near(inner))),
            Rule::use_with_values => self.use_with_values(inner).map_or(error, Head::Whole),
            Rule::items_of | Rule::elements_of => {
                Head::Subject { quantity: None, subject: self.items_of(inner), modifier: None }
            }
            Rule::several_of => match self.several_of(inner) {
                Some(group) => {
                    let kind = OperandKind::Bracketed(Box::new(Expr::Group(group)));
                    Head::Subject { quantity: None, subject: Operand { kind, span }, modifier: None }
                }
                None => error,
            },
            Rule::since_head => self.since_head(inner),
            Rule::first_or_last_n => {
                Head::Subject { quantity: None, subject: self.first_or_last_n(inner), modifier: None }
            }
            Rule::counted => {
                let mut quantity = None;
                let mut subject = error_operand(span);
                for part in inner.into_inner() {
                    match part.as_rule() {
                        Rule::quantity => quantity = self.front_quantity(part),
                        Rule::event_ref => subject = self.event_ref(part),
                        _ => {}
                    }
                }
                Head::Subject { quantity, subject, modifier: None }
            }
            _ => Head::Subject { quantity: None, subject: self.operand(inner), modifier: None },
        }
    }

    /// `at least 2 of (…, …)`; none when it can never be so.
    fn several_of(&mut self, pair: Pair<'_, Rule>) -> Option<Group> {
        let span = self.span(&pair);
        let mut quantity = None;
        let mut members = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::quantity => quantity = Some(self.quantity(part)?),
                Rule::expression => members.push(self.expression(part)),
                _ => {}
            }
        }
        let Quantity { min, max, span: at } = quantity?;
        if min > members.len() as u64 {
            let (words, n) = (self.words(at), members.len());
            self.report(
                Diagnostic::new(Code::EmptyRange, at, format!("`{words}` of {n} conditions can never be true"))
                    .label(format!("there {} {n}", if n == 1 { "is" } else { "are" }))
                    .note(format!("for all of them: `all of (…)`; for some: `at least {n} of (…)` or fewer")),
            );
            return None;
        }
        Some(Group { quantifier: Quantifier::Cardinality { min, max }, members, form: GroupForm::List, span })
    }

    /// `30 to 45 days since last_order_date`: the subject comes last.
    fn since_head(&mut self, pair: Pair<'_, Rule>) -> Head {
        let span = self.span(&pair);
        let mut window = None;
        let mut their = false;
        let mut subject = error_operand(span);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::age => {
                    let at = self.span(&part);
                    window = self.age(part).map(|age| (Window::Ago(age), at));
                }
                Rule::kw_their => their = true,
                Rule::name => {
                    let name = self.name(part, their);
                    subject = Operand { span: name.span, kind: OperandKind::Name(name) };
                }
                _ => {}
            }
        }
        let modifier = window.map(|(window, span)| Modifier { kind: ModifierKind::Window(window), span });
        Head::Subject { quantity: None, subject, modifier }
    }

    fn first_or_last_n(&mut self, pair: Pair<'_, Rule>) -> Operand {
        use crate::ast::End;
        let span = self.span(&pair);
        let mut end = End::Last;
        let mut n = 1;
        let mut event = error_operand(span);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_first => end = End::First,
                Rule::count => n = self.count(part).unwrap_or(1),
                Rule::event_ref => event = self.event_ref(part),
                _ => {}
            }
        }
        let n = u32::try_from(n).unwrap_or(u32::MAX);
        Operand { kind: OperandKind::FirstOrLastN(Box::new(FirstOrLastN { end, n, event })), span }
    }

    /// `3 orders` in front of an event says neither exactly nor at least.
    pub(super) fn front_quantity(&mut self, pair: Pair<'_, Rule>) -> Option<Quantity> {
        let span = self.span(&pair);
        let is_bare = is_bare(&pair);
        let quantity = self.quantity(pair);
        if is_bare {
            let n = self.words(span);
            self.report(
                Diagnostic::new(Code::BareNumber, span, format!("`{n}` alone could mean exactly {n} or at least {n}"))
                    .label("exactly, or at least?")
                    .fix(span, format!("exactly {n}"), format!("for so many and no more: `exactly {n}`"))
                    .fix(span, format!("at least {n}"), format!("for so many or more: `at least {n}`"))
                    .help(format!("if the name itself begins with `{n}`, write it in quotes")),
            );
        }
        quantity
    }

    /// The names an event may be called by: `Order Completed`, `any of (…)`.
    pub(super) fn event_ref(&mut self, pair: Pair<'_, Rule>) -> Operand {
        let span = self.span(&pair);
        let mut their = false;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_their => their = true,
                Rule::anything => return Operand { kind: OperandKind::Anything, span },
                Rule::name => {
                    let name = self.name(part, their);
                    return Operand { span: name.span, kind: OperandKind::Name(name) };
                }
                Rule::listing => {
                    let listing = self.listing(part);
                    if let Expr::Group(group) = &listing
                        && group.quantifier == Quantifier::Any
                        && let Some(names) = event_names(group)
                    {
                        return Operand { kind: OperandKind::Events(names), span };
                    }
                    if !matches!(listing, Expr::Error(_)) {
                        self.report(
                            Diagnostic::new(Code::MisplacedWords, span, "event names are needed here")
                                .label("not a list of events")
                                .note("write `any of (Event A, Event B)` with the names of events only"),
                        );
                    }
                }
                _ => {}
            }
        }
        error_operand(span)
    }

    /// `any of (A, B)` and its kin, as a group.
    pub(super) fn listing(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let mut quantifier = Quantifier::Any;
        let mut members = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_all => quantifier = Quantifier::All,
                Rule::kw_none => quantifier = Quantifier::None,
                Rule::expression => members.push(self.expression(part)),
                _ => {}
            }
        }
        Expr::Group(Group { quantifier, members, form: GroupForm::List, span })
    }
}
