//! Conditions beside each other, and what may seem to reach from one to the next.

use super::{EventFacts, Facts, Lower, Lowered, Scope};
use crate::hir::Cond;
use seg_syntax::ast::{self, Group, Quantifier};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    pub(super) fn group(&mut self, group: &Group, scope: Scope<'_>) -> Lowered {
        let is_row = group.is_chain && matches!(scope, Scope::Person);
        let mut members: Vec<Lowered> = Vec::with_capacity(group.members.len());
        for member in &group.members {
            let strays = is_row && self.strays_from_filter(members.last(), member);
            members.push(if strays { Lowered::error() } else { self.expr_in(member, scope) });
        }
        if is_row {
            let word = if group.quantifier == Quantifier::Any { "or" } else { "and" };
            // What a negative reaches decides what a window reaches.
            if !self.check_negatives(&members, word) {
                self.check_windows(&members, group.quantifier);
            }
        }
        let conds: Vec<Cond> = members.into_iter().map(|m| m.cond).collect();
        Lowered::plain(match group.quantifier {
            Quantifier::All => Cond::all(conds),
            Quantifier::Any => Cond::any(conds),
            Quantifier::None => Cond::any(conds).negate(),
            Quantifier::Cardinality { min, max } => Cond::Cardinality { min, max, members: conds },
        })
    }

    /// `did A or B in the past 30 days`: does the window reach A?
    fn check_windows(&mut self, members: &[Lowered], quantifier: Quantifier) {
        let mut after: Option<(&EventFacts, Span)> = None;
        for member in members.iter().rev() {
            let Facts::Event(event) = &member.facts else { continue };
            if let (true, Some((next, window))) = (event.is_open, after) {
                let (first, later) = (self.format_bare(event.at), self.words(window));
                let mut diagnostic =
                    Diagnostic::new(Code::UnclearWindow, event.at, format!("does `{later}` belong to `{first}` too?"))
                        .label("no window of its own")
                        .also(window, "this window stands later");
                if event.is_simple && next.is_simple && quantifier == Quantifier::Any {
                    let names = format!("{}, {}", self.event_names(event), self.event_names(next));
                    diagnostic = diagnostic.help(format!("if it does: `did any of ({names}) {later}`"));
                } else {
                    let all = if event.is_row { ", all" } else { "" };
                    diagnostic = diagnostic.help(format!("if it does: `{first}{all} {later}`"));
                }
                self.report(diagnostic.help(format!("if `{first}` may be any time ago: `{first} ever`")));
            }
            if let Some(window) = event.window {
                after = Some((event, window));
            }
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
            let (one, other) = (self.format_bare(first.at), self.format_bare(second.at));
            let window = first.window.or(second.window).map_or(String::new(), |w| format!(" {}", self.words(w)));
            let names: Vec<String> = [first, second].iter().map(|e| self.event_names(e)).collect();
            self.report(
                Diagnostic::new(Code::UnclearNegative, second.at, format!("does `{not}` belong to `{other}` too?"))
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
        self.report(
            Diagnostic::new(Code::PropertyOutsideWhere, c.span, format!("is this the `{}` of `{event}`?", name.text))
                .label("stands outside the `where`")
                .also(filter, "the `where` ends here")
                .help(format!("for the event's: `where ({inside} and {outside})`"))
                .help(format!("for the person's, say whose: `and whose {outside}`")),
        );
        true
    }

    fn event_names(&self, facts: &EventFacts) -> String {
        let names = facts.events.iter().filter_map(|e| self.schema.event(*e)).map(|e| e.name.as_str());
        names.take(4).collect::<Vec<_>>().join(", ")
    }
}
