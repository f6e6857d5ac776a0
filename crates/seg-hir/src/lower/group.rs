//! Conditions beside each other, and what may seem to reach from one to the next.

use super::{EventFacts, Facts, Lower, Lowered, Scope};
use crate::hir::Cond;
use seg_data::EventId;
use seg_data::schema::{Target, fold_name};
use seg_syntax::ast::{self, Group, GroupForm, OrderOp, Quantifier, Relation};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::names::display;
use seg_syntax::source::Span;

impl Lower<'_> {
    pub(super) fn group(&mut self, group: &Group, scope: Scope<'_>) -> Lowered {
        if group.form == GroupForm::Verbs {
            return self.verbs(group, scope);
        }
        let is_row = group.form == GroupForm::Chain && matches!(scope, Scope::Person);
        let is_verbs = |member: &ast::Expr| matches!(member, ast::Expr::Group(g) if g.form == GroupForm::Verbs);
        if is_row && group.members.iter().any(is_verbs) {
            return self.with_verbs_known(group).map_or_else(Lowered::error, |known| self.group(&known, scope));
        }
        if group.form == GroupForm::Compound && !self.check_compound(group) {
            return Lowered::error();
        }
        if group.form == GroupForm::Compound
            && matches!(scope, Scope::Person)
            && let Some(one) = self.compared_as_one(group)
        {
            return one;
        }
        let n_lists = self.enter(group);
        let mut members: Vec<Lowered> = Vec::with_capacity(group.members.len());
        for member in &group.members {
            let strays = is_row && self.strays_from_filter(members.last(), member);
            members.push(if strays { Lowered::error() } else { self.expr_in(member, scope) });
        }
        self.leave(n_lists);
        if is_row {
            let word = if group.quantifier == Quantifier::Any { "or" } else { "and" };
            // What a negative reaches decides what a window reaches.
            if !self.check_negatives(&members, word) && !self.check_trailing(&members, word) {
                self.check_windows(&members, group.quantifier);
            }
        }
        let facts = match group.form {
            GroupForm::Carried => carried_facts(&mut members, group.span),
            GroupForm::Chain | GroupForm::List | GroupForm::Compound | GroupForm::Verbs => Facts::Plain,
        };
        // Rows within rows are one row. What one phrase means stays one condition, also
        // where it is several: who looks for one that changes nothing looks at phrases.
        let mut conds: Vec<Cond> = Vec::with_capacity(members.len());
        for (lowered, member) in members.into_iter().zip(&group.members) {
            let is_row = matches!(member, ast::Expr::Group(inner) if inner.quantifier == group.quantifier);
            match (lowered.cond, group.quantifier) {
                (Cond::All(inner), Quantifier::All) | (Cond::Any(inner), Quantifier::Any) if is_row => {
                    conds.extend(inner);
                }
                (other, _) => conds.push(other),
            }
        }
        let cond = match group.quantifier {
            Quantifier::All => Cond::row(conds, Cond::All),
            Quantifier::Any => Cond::row(conds, Cond::Any),
            Quantifier::None => Cond::any(conds).negate(),
            Quantifier::Cardinality { min, max } => Cond::Cardinality { min, max, members: conds },
        };
        Lowered { cond, facts }
    }

    /// Notes what the members of a group say of each other, such as that a list is known, for
    /// whoever reads them one by one; gives what [`Lower::leave`] wants back.
    fn enter(&mut self, group: &Group) -> usize {
        let n_lists = self.known_lists.len();
        let said = self.lists_said_beside(group);
        self.known_lists.extend(said);
        n_lists
    }

    /// The same for a group whose members are not lowered together: also with verbs that
    /// share an object written out, where that makes it another group.
    pub(crate) fn enter_members(&mut self, group: &Group) -> (usize, Option<Group>) {
        let is_verbs = |member: &ast::Expr| matches!(member, ast::Expr::Group(g) if g.form == GroupForm::Verbs);
        let is_row = group.form == GroupForm::Chain;
        let known = if is_row && group.members.iter().any(is_verbs) { self.with_verbs_known(group) } else { None };
        if group.form == GroupForm::Compound {
            self.check_compound(group);
        }
        (self.enter(known.as_ref().unwrap_or(group)), known)
    }

    /// Forgets what a group noted.
    pub(crate) fn leave(&mut self, n_lists: usize) {
        self.known_lists.truncate(n_lists);
    }

    /// Whether the halves of a comparison are said of one item of a list, or of one value
    /// that an attribute had: together they are one condition.
    pub(crate) fn is_said_of_one(&self, group: &Group) -> bool {
        let Some(conditions) = compared_conditions(group) else { return false };
        let is_of_items = conditions.first().is_some_and(|c| matches!(c.subject.kind, ast::OperandKind::Items(..)));
        is_of_items || self.past_of(&conditions).is_some()
    }

    /// A comparison whose halves are said of one item of a list, or of one value that an
    /// attribute had, rather than of the person.
    fn compared_as_one(&mut self, group: &Group) -> Option<Lowered> {
        let conditions = compared_conditions(group)?;
        match self.compared_elements(group, &conditions) {
            Some(elements) => Some(elements),
            None => self.compared_past(group, &conditions),
        }
    }

    /// `plan is "pro" or "No Show"`: a value, or an event of that name? Else notes which
    /// negative halves stand beside one that leaves people without a value out.
    fn check_compound(&mut self, group: &Group) -> bool {
        let mut halves = Vec::new();
        for member in &group.members {
            if let ast::Expr::Condition(c) = member
                && let Some(ast::Modifier { kind: ast::ModifierKind::Comparison(comparison), span }) =
                    c.modifiers.last()
            {
                halves.push((c, comparison, *span));
            }
        }
        for (c, comparison, at) in halves.iter().skip(1) {
            // Nothing but a text stands there.
            let (Relation::Order(OrderOp::Is, right), true) = (&comparison.relation, c.span == *at) else { continue };
            let ast::OperandKind::Literal(ast::Literal::Text(text)) = &right.kind else { continue };
            let is_event = |target: &Target| matches!(target, Target::Event(_) | Target::Group(_));
            let is_definition = self.declared.definitions.contains_key(&fold_name(text));
            if right.span == *at && (is_definition || self.schema.lookup(text).iter().any(is_event)) {
                let (subject, value) = (self.words(c.subject.span), self.words(*at));
                let own = if is_definition { value.clone() } else { format!("did {value}") };
                let word = if group.quantifier == Quantifier::Any { "or" } else { "and" };
                self.report(
                    Diagnostic::new(
                        Code::AmbiguousName,
                        *at,
                        format!("is {value} a value of `{subject}`, or a condition of its own?"),
                    )
                    .label("both are possible")
                    .fix(*at, format!("{subject} is {value}"), format!("for the value: `{word} {subject} is {value}`"))
                    .help(format!("for the other: `{word} {own}`")),
                );
                return false;
            }
        }
        let is_negative = |comparison: &ast::Comparison| {
            let is_word = matches!(
                comparison.relation,
                Relation::Order(OrderOp::IsNot, _) | Relation::NoneOf(_) | Relation::Includes(Quantifier::None, _)
            );
            is_word != comparison.not.is_some()
        };
        let leaves_out = |comparison: &ast::Comparison| {
            !is_negative(comparison)
                && comparison.or_unknown.is_none()
                && !matches!(
                    comparison.relation,
                    Relation::Missing | Relation::Empty(ast::Emptiness::Empty | ast::Emptiness::MissingOrEmpty)
                )
        };
        if group.quantifier == Quantifier::All && halves.iter().any(|(_, comparison, _)| leaves_out(comparison)) {
            self.known_besides.extend(halves.iter().map(|(c, _, at)| c.subject.span.to(*at)));
        }
        true
    }

    /// `did A or B at least 3 times`: three times B, or three of both, or of each?
    fn check_trailing(&mut self, members: &[Lowered], word: &str) -> bool {
        let n_before = self.diagnostics.len();
        let events: Vec<(usize, &EventFacts)> = members.iter().enumerate().filter_map(event_of).collect();
        for (place, (last, event)) in events.iter().enumerate() {
            let Some(trailing) = &event.trailing else { continue };
            // Those directly before it of which nothing is said.
            let mut bare: Vec<&EventFacts> = Vec::new();
            for (back, (at, before)) in events.get(..place).unwrap_or(&[]).iter().rev().enumerate() {
                if !before.is_unmodified || at + back + 1 != *last {
                    break;
                }
                bare.insert(0, before);
            }
            let Some(first) = bare.first() else { continue };
            let (words, open) = (self.words(trailing.at), self.format_bare(first.at));
            let all: Vec<&EventFacts> = bare.iter().copied().chain([*event]).collect();
            let names: Vec<String> = all.iter().map(|facts| self.event_names(facts)).collect();
            let have_all = |facts: &&EventFacts| {
                let has = |event: &EventId, name: &String| {
                    self.schema.event(*event).is_some_and(|e| e.property(name).is_some())
                };
                facts.events.iter().all(|event| trailing.properties.iter().all(|name| has(event, name)))
            };
            let (fits_all, each) = (
                all.iter().all(have_all),
                names.iter().map(|name| format!("did {name} {words}")).collect::<Vec<_>>().join(&format!(" {word} ")),
            );
            let mut diagnostic =
                Diagnostic::new(Code::UnclearWindow, trailing.at, format!("is `{words}` said of `{open}` too?"))
                    .label("stands behind the last of several events")
                    .also(first.at, "nothing is said of this one");
            if fits_all && word == "or" {
                diagnostic = diagnostic
                    .help(format!("for all of them taken together: `did any of ({}) {words}`", names.join(", ")));
            }
            if fits_all {
                diagnostic = diagnostic.help(format!("for each of them: `{each}`"));
            }
            let ever: Vec<String> = bare.iter().map(|facts| format!("did {} ever", self.event_names(facts))).collect();
            let alone = format!("{} {word} did {} {words}", ever.join(&format!(" {word} ")), self.event_names(event));
            self.report(diagnostic.help(format!("for the last one alone: `{alone}`")));
        }
        self.diagnostics.len() > n_before
    }

    /// `did A or B in the past 30 days`, `did A in the past 3 days but did not do B`: does
    /// the window reach the event that has none?
    fn check_windows(&mut self, members: &[Lowered], quantifier: Quantifier) {
        let events: Vec<(usize, &EventFacts)> = members.iter().enumerate().filter_map(event_of).collect();
        for (place, (at, event)) in events.iter().enumerate().rev().filter(|(_, (_, event))| event.is_open) {
            let windowed = |(at, event): &(usize, &'_ EventFacts)| event.window.map(|window| (*at, window));
            let (before, after) = (events.get(..place).unwrap_or(&[]), events.get(place..).unwrap_or(&[]));
            // The nearest, of those behind it first.
            let nearest = after.iter().find_map(windowed).or_else(|| before.iter().rev().find_map(windowed));
            let Some((of, window)) = nearest else { continue };
            let other = events.iter().find(|(at, _)| *at == of).map(|(_, other)| *other);
            let Some(other) = other else { continue };
            let is_in_it_anyway = other.has_all_in_window
                && quantifier == Quantifier::All
                && !event.is_row
                && event.events.iter().all(|id| other.events.contains(id));
            if is_in_it_anyway {
                continue;
            }
            let (open, words) = (self.format_bare(event.at), self.words(window));
            let stands = if of > *at { "this window stands later" } else { "this window stands before" };
            let mut diagnostic =
                Diagnostic::new(Code::UnclearWindow, event.at, format!("does `{words}` belong to `{open}` too?"))
                    .label("no window of its own")
                    .also(window, stands);
            if event.is_simple && other.is_simple && quantifier == Quantifier::Any {
                let (first, second) = if of > *at { (*event, other) } else { (other, *event) };
                let names = format!("{}, {}", self.event_names(first), self.event_names(second));
                diagnostic = diagnostic.help(format!("if it does: `did any of ({names}) {words}`"));
            } else {
                diagnostic = diagnostic.help(format!("if it does: `{}`", self.in_window(event, &words)));
            }
            // `but did not order`, of an event that happened just before.
            if event.is_plain_negative && of + 1 == *at && other.negative.is_none() && quantifier == Quantifier::All {
                let (since, first) = (self.event_names(event), self.format_bare(other.at));
                diagnostic = diagnostic.help(format!("if it is since then: `{first} with no {since} since`"));
            }
            let ever = match event.is_plain_negative {
                true => format!("never did {}", self.event_names(event)),
                false => self.in_window(event, "ever"),
            };
            self.report(diagnostic.help(format!("if `{open}` may be any time ago: `{ever}`")));
        }
    }

    /// An event, or a sequence of them, in a window.
    fn in_window(&self, event: &EventFacts, window: &str) -> String {
        let open = self.format_bare(event.at);
        match event.followed {
            Some(followed) => {
                let (first, rest) =
                    (Span { end: followed.start, ..event.at }, Span { start: followed.start, ..event.at });
                format!("{} {window} {}", self.format_bare(first), self.words(rest))
            }
            None if event.is_row => format!("{open}, all {window}"),
            None => format!("{open} {window}"),
        }
    }

    /// The words of a condition without `who` and its kin.
    fn format_bare(&self, span: Span) -> String {
        let words = self.words(span);
        let rest = ["who ", "whose ", "with "].iter().find_map(|prefix| words.strip_prefix(prefix));
        rest.map_or(words.clone(), str::to_owned)
    }

    /// `no A or B in the past 3 days`: neither, or no A and else some B?
    fn check_negatives(&mut self, members: &[Lowered], word: &str) -> bool {
        let n_before = self.diagnostics.len();
        for pair in members.windows(2) {
            let [Lowered { facts: Facts::Event(first), .. }, Lowered { facts: Facts::Event(second), .. }] = pair else {
                continue;
            };
            let Some(negative) = first.negative else { continue };
            if !second.is_bare || second.negative.is_some() {
                continue;
            }
            let not = self.words(negative);
            // Beside a window, an event without one would be asked for its own.
            let one = match first.is_plain_negative {
                true => format!("never did {}", self.event_names(first)),
                false => self.format_bare(first.at),
            };
            let ever = if first.window.is_some() && second.is_open { " ever" } else { "" };
            let other = format!("{}{ever}", self.format_bare(second.at));
            let window = first.window.or(second.window).map_or(String::new(), |w| format!(" {}", self.words(w)));
            let names: Vec<String> = [first, second].iter().map(|e| self.event_names(e)).collect();
            self.report(
                Diagnostic::new(
                    Code::UnclearNegative,
                    second.at,
                    format!("does `{not}` belong to `{}` too?", self.format_bare(second.at)),
                )
                .label("neither negative nor clearly positive")
                .also(negative, "this negative stands before")
                .help(format!("for neither of them: `no any of ({}){window}`", names.join(", ")))
                .help(format!("for a negative and a positive: `{one} {word} did {other}`")),
            );
        }
        self.diagnostics.len() > n_before
    }

    /// `did A where category is "a" and price is more than 50`: whose price?
    fn strays_from_filter(&mut self, before: Option<&Lowered>, member: &ast::Expr) -> bool {
        let Some(Lowered { facts: Facts::Event(event), .. }) = before else { return false };
        let (Some(filter), ast::Expr::Condition(c)) = (event.open_filter, member) else { return false };
        let ast::OperandKind::Name(name) = &c.subject.kind else { return false };
        let is_property =
            event.events.iter().any(|e| self.schema.event(*e).is_some_and(|e| e.property(&name.text).is_some()));
        if !is_property || c.prefix.span.is_some() {
            return false;
        }
        let (inside, outside) = (self.words(filter), self.words(c.span));
        let event = self.event_names(event);
        let has_attribute = self.schema.lookup(&name.text).iter().any(|t| matches!(t, Target::Attribute(_)));
        let mut diagnostic =
            Diagnostic::new(Code::PropertyOutsideWhere, c.span, format!("is this the `{}` of `{event}`?", name.text))
                .label("stands outside the `where`")
                .also(filter, "the `where` ends here")
                .fix(
                    filter.to(c.span),
                    format!("({inside} and {outside})"),
                    format!("for the event's: `where ({inside} and {outside})`"),
                );
        if has_attribute {
            let whose = format!("whose {outside}");
            diagnostic = diagnostic.fix(c.span, whose.as_str(), format!("for the person's, say whose: `{whose}`"));
        }
        self.report(diagnostic);
        true
    }

    fn event_names(&self, facts: &EventFacts) -> String {
        let names = facts.events.iter().filter_map(|e| self.schema.event(*e)).map(|e| display(&e.name));
        names.take(4).collect::<Vec<_>>().join(", ")
    }
}

/// The comparisons of one value that is said once.
fn compared_conditions(group: &Group) -> Option<Vec<&ast::Condition>> {
    (group.form == GroupForm::Compound).then(|| group.members.iter().map(as_condition).collect())?
}

fn as_condition(member: &ast::Expr) -> Option<&ast::Condition> {
    match member {
        ast::Expr::Condition(c) => Some(c),
        ast::Expr::Group(_)
        | ast::Expr::Not(..)
        | ast::Expr::Everyone(_)
        | ast::Expr::InSegment(_)
        | ast::Expr::Sample(_)
        | ast::Expr::Near(_)
        | ast::Expr::Use(_)
        | ast::Expr::Error(_) => None,
    }
}

/// A member that is about events, with its place.
fn event_of((at, member): (usize, &Lowered)) -> Option<(usize, &EventFacts)> {
    match &member.facts {
        Facts::Event(event) => Some((at, event)),
        Facts::Plain | Facts::Error => None,
    }
}

/// What the neighbours of an event that carries over need to know: which it is, and the
/// window that stands next to them.
fn carried_facts(members: &mut [Lowered], at: Span) -> Facts {
    if members.iter().any(Lowered::is_error) {
        return Facts::Error;
    }
    let window = members.iter().rev().find_map(|member| match &member.facts {
        Facts::Event(event) => event.window,
        Facts::Plain | Facts::Error => None,
    });
    match members.first_mut().map(|first| std::mem::replace(&mut first.facts, Facts::Plain)) {
        Some(Facts::Event(first)) => Facts::Event(EventFacts {
            events: first.events,
            window,
            is_open: false,
            open_filter: None,
            is_row: false,
            followed: None,
            negative: None,
            is_simple: false,
            trailing: None,
            is_unmodified: false,
            is_plain_negative: false,
            is_bare: false,
            has_all_in_window: false,
            at,
        }),
        Some(Facts::Plain | Facts::Error) | None => Facts::Plain,
    }
}
