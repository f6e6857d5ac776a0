//! One condition: lead words, a subject, tails.

use super::Builder;
use crate::ast::{
    Condition, Expr, Group, LastFew, Leads, Literal, Name, Negative, Operand, OperandKind, Quantifier, Quantity, Tail,
    TailKind, Window,
};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

/// What stands between the lead words and the tails.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, on the stack")]
enum Head {
    Everyone,
    /// A condition that is complete.
    Whole(Expr),
    Subject {
        quantity: Option<Quantity>,
        subject: Operand,
        tail: Option<Tail>,
    },
}

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

    fn subject_clause(&mut self, condition: Condition) -> Expr {
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

    fn head(&mut self, pair: Pair<'_, Rule>) -> Head {
        let span = self.span(&pair);
        let error = Head::Subject { quantity: None, subject: error_operand(span), tail: None };
        let Some(inner) = pair.into_inner().next() else { return error };
        match inner.as_rule() {
            Rule::everyone => Head::Everyone,
            Rule::anything => {
                Head::Subject { quantity: None, subject: Operand { kind: OperandKind::Anything, span }, tail: None }
            }
            Rule::in_segment => match inner.into_inner().find(|p| p.as_rule() == Rule::text) {
                Some(text) => Head::Whole(Expr::InSegment(self.title(&text))),
                None => error,
            },
            Rule::in_several => self.in_several(inner).map_or(error, Head::Whole),
            Rule::in_sample => self.sample(inner).map_or(error, Head::Whole),
            Rule::near => Head::Whole(Expr::Near(self.near(inner))),
            Rule::use_with_values => self.use_with_values(inner).map_or(error, Head::Whole),
            Rule::items_of => Head::Subject { quantity: None, subject: self.items_of(inner), tail: None },
            Rule::several_of => match self.several_of(inner) {
                Some(group) => {
                    let kind = OperandKind::Bracketed(Box::new(Expr::Group(group)));
                    Head::Subject { quantity: None, subject: Operand { kind, span }, tail: None }
                }
                None => error,
            },
            Rule::since_head => self.since_head(inner),
            Rule::last_few => Head::Subject { quantity: None, subject: self.last_few(inner), tail: None },
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
                Head::Subject { quantity, subject, tail: None }
            }
            _ => Head::Subject { quantity: None, subject: self.operand(inner), tail: None },
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
                    .help(format!("for all of them: `all of (…)`; for some: `at least {n} of (…)` or fewer")),
            );
            return None;
        }
        Some(Group { quantifier: Quantifier::Several { min, max }, members, is_chain: false, span })
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
        let tail = window.map(|(window, span)| Tail { kind: TailKind::Window(window), span });
        Head::Subject { quantity: None, subject, tail }
    }

    fn last_few(&mut self, pair: Pair<'_, Rule>) -> Operand {
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
        Operand { kind: OperandKind::LastFew(Box::new(LastFew { end, n, event })), span }
    }

    /// `3 orders` in front of an event says neither exactly nor at least.
    fn front_quantity(&mut self, pair: Pair<'_, Rule>) -> Option<Quantity> {
        let span = self.span(&pair);
        let is_bare = {
            let mut inner = pair.clone().into_inner();
            inner.next().is_some_and(|p| p.as_rule() == Rule::count) && inner.next().is_none()
        };
        let quantity = self.quantity(pair);
        if is_bare {
            let n = self.words(span);
            self.report(
                Diagnostic::new(Code::BareNumber, span, format!("`{n}` alone could mean exactly {n} or at least {n}"))
                    .label("exactly, or at least?")
                    .help(format!("write `exactly {n} …` or `at least {n} …`"))
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
                                .help("write `any of (Event A, Event B)` with the names of events only"),
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
        Expr::Group(Group { quantifier, members, is_chain: false, span })
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

    fn had(&mut self, pair: Pair<'_, Rule>) -> Expr {
        match pair.clone().into_inner().find(|p| p.as_rule() == Rule::group) {
            Some(group) => self.expression_in(group),
            None => self.property_test(pair),
        }
    }

    /// `where (A and B) is at least 10`: brackets around conditions compare with
    /// nothing, so the comparison is of what stands before `where`.
    pub(super) fn where_tail(&mut self, pair: Pair<'_, Rule>) -> Vec<Tail> {
        let span = self.span(&pair);
        let Some(filter) = pair.into_inner().find(|p| p.as_rule() == Rule::filter) else { return Vec::new() };
        let (filter, rest) = self.filter(filter);
        let end = rest.as_ref().map_or(span.end, |_| filter.span().end);
        let kind = TailKind::Where(filter);
        std::iter::once(Tail { kind, span: Span::new(span.source, span.start, end) }).chain(rest).collect()
    }

    /// One comparison, or a bracketed group of them with a comparison of
    /// something else behind it.
    fn filter(&mut self, pair: Pair<'_, Rule>) -> (Expr, Option<Tail>) {
        let span = self.span(&pair);
        let mut leads = Leads::default();
        let mut subject = error_operand(span);
        let mut tails = Vec::new();
        let mut said = None;
        for part in pair.into_inner() {
            let at = self.span(&part);
            match part.as_rule() {
                Rule::filter_lead => {
                    for word in part.into_inner() {
                        match word.as_rule() {
                            Rule::kw_not => leads.negative = Some((Negative::Not, at)),
                            Rule::kw_no => leads.negative = Some((Negative::No, at)),
                            Rule::kw_their => leads.their = true,
                            _ => {}
                        }
                    }
                }
                Rule::operand => subject = self.operand(part),
                Rule::items_of => subject = self.items_of(part),
                Rule::comparison => {
                    let kind = self.comparison_tail(part);
                    tails.push(Tail { kind, span: at });
                }
                Rule::had_tail => {
                    let kind = TailKind::Had(self.had(part));
                    tails.push(Tail { kind, span: at });
                }
                Rule::said_group => said = Some(part),
                _ => {}
            }
        }
        if let Some(said) = said {
            return (self.said_of(said, Condition { leads, quantity: None, subject, tails, span }), None);
        }
        let mut rest = None;
        let mut span = span;
        if let OperandKind::Bracketed(inner) = &subject.kind
            && inner.as_operand().is_none()
        {
            rest = tails.pop();
            span = Span::new(span.source, span.start, subject.span.end);
        }
        (self.subject_clause(Condition { leads, quantity: None, subject, tails, span }), rest)
    }

    /// `email (contains "+test" or matches "qa-.*")`: each comparison said of the
    /// subject before the brackets.
    fn said_of(&mut self, pair: Pair<'_, Rule>, condition: Condition) -> Expr {
        let span = condition.span;
        if let Some(tail) = condition.tails.first() {
            let words = self.words(tail.span);
            self.report(
                Diagnostic::new(Code::MisplacedWords, tail.span, format!("`{words}` does not fit before brackets"))
                    .label("the brackets say all there is to say of the value")
                    .help("say it inside the brackets, or in a condition of its own"),
            );
            return Expr::Error(span);
        }
        let group = match pair.as_rule() {
            Rule::said_group => Some(pair),
            _ => pair.into_inner().find(|p| p.as_rule() == Rule::said_group),
        };
        let mut members: Vec<Expr> = Vec::new();
        let mut connectives = Vec::new();
        for part in group.into_iter().flat_map(Pair::into_inner) {
            match part.as_rule() {
                Rule::connective => connectives.push(self.connective(part)),
                Rule::said => {
                    let at = self.span(&part);
                    for comparison in part.into_inner() {
                        let tail = Tail { kind: self.comparison_tail(comparison), span: at };
                        let leads = Leads { their: condition.leads.their, ..Leads::default() };
                        let subject = condition.subject.clone();
                        let one = Condition { leads, quantity: None, subject, tails: vec![tail], span: at };
                        members.push(Expr::Condition(Box::new(one)));
                    }
                }
                _ => {}
            }
        }
        let joined = self.joined(members, &connectives, span);
        match condition.leads.negative {
            Some(_) => Expr::Not(Box::new(joined), span),
            None => joined,
        }
    }

    /// `category "shoes"`, `price of at least 50`: a property and a test of it.
    pub(super) fn property_test(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let mut subject = error_operand(span);
        let mut tails = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::of_name => {
                    let name = self.name(part, false);
                    subject = Operand { span: name.span, kind: OperandKind::Name(name) };
                }
                Rule::property_test => {
                    let at = self.span(&part);
                    for test in part.into_inner() {
                        let kind = match test.as_rule() {
                            Rule::comparison => self.comparison_tail(test),
                            Rule::literal => self.is_literal(test),
                            _ => continue,
                        };
                        tails.push(Tail { kind, span: at });
                    }
                }
                _ => {}
            }
        }
        let span = tails.last().map_or(subject.span, |t| subject.span.to(t.span));
        Expr::Condition(Box::new(Condition { leads: Leads::default(), quantity: None, subject, tails, span }))
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

fn two_negatives(span: Span, label: &str) -> Diagnostic {
    Diagnostic::new(Code::MisplacedWords, span, "two negatives in one condition")
        .label(label)
        .help("leave one of them out")
}

/// The members of `any of (A, B)` when each is nothing but a name.
fn event_names(group: &Group) -> Option<Vec<Name>> {
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
