//! Conditions in a row, and what may seem to reach from one to the next.

use super::{EventFacts, Facts, Lower, Lowered, Scope};
use crate::hir::Cond;
use seg_syntax::ast::{Group, Quantifier};
use seg_syntax::diag::{Code, Diagnostic};

impl Lower<'_> {
    pub(super) fn group(&mut self, group: &Group, scope: Scope<'_>) -> Lowered {
        let members: Vec<Lowered> = group.members.iter().map(|m| self.expr_in(m, scope)).collect();
        if group.is_chain && matches!(scope, Scope::Person) {
            let word = if group.quantifier == Quantifier::Any { "or" } else { "and" };
            self.check_windows(&members);
            self.check_negatives(&members, word);
            self.check_filters(&members);
        }
        let conds: Vec<Cond> = members.into_iter().map(|m| m.cond).collect();
        Lowered::plain(match group.quantifier {
            Quantifier::All => Cond::all(conds),
            Quantifier::Any => Cond::any(conds),
            Quantifier::None => Cond::any(conds).negate(),
        })
    }

    /// `did A or B in the past 30 days`: does the window reach A?
    fn check_windows(&mut self, members: &[Lowered]) {
        let mut window_after = None;
        for member in members.iter().rev() {
            let Facts::Event(event) = &member.facts else { continue };
            if let (true, Some(window)) = (event.is_open, window_after) {
                let first = self.words(event.at);
                let later = self.words(window);
                let mut diagnostic =
                    Diagnostic::new(Code::UnclearWindow, event.at, format!("does `{later}` belong to `{first}` too?"))
                        .label("no window of its own")
                        .also(window, "this window stands later")
                        .help(format!("if it does: `{first} {later}`"))
                        .help(format!("if `{first}` may be any time ago: `{first} ever`"));
                if event.is_bare {
                    diagnostic = diagnostic.help(format!("for several events as one: `did any of (…, …) {later}`"));
                }
                self.report(diagnostic);
            }
            window_after = event.window.or(window_after);
        }
    }

    /// `no A or B in the past 3 days`: neither, or no A and else some B?
    fn check_negatives(&mut self, members: &[Lowered], word: &str) {
        for pair in members.windows(2) {
            let [Lowered { facts: Facts::Event(first), .. }, Lowered { facts: Facts::Event(second), .. }] = pair else {
                continue;
            };
            let Some(negative) = first.negative else { continue };
            if !second.is_bare || second.negative.is_some() {
                continue;
            }
            let not = self.words(negative);
            let (one, other) = (self.words(first.at), self.words(second.at));
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
    }

    /// `did A where category is "a" and price is more than 50`: whose price?
    fn check_filters(&mut self, members: &[Lowered]) {
        for pair in members.windows(2) {
            let [Lowered { facts: Facts::Event(event), .. }, Lowered { facts: Facts::Value { name, at }, .. }] = pair
            else {
                continue;
            };
            let Some(filter) = event.open_filter else { continue };
            let is_property =
                event.events.iter().any(|e| self.schema.event(*e).is_some_and(|e| e.property(name).is_some()));
            if !is_property {
                continue;
            }
            let (inside, outside) = (self.words(filter), self.words(*at));
            let event = self.event_names(event);
            self.report(
                Diagnostic::new(Code::PropertyOutsideWhere, *at, format!("is this the `{name}` of `{event}`?"))
                    .label("stands outside the `where`")
                    .also(filter, "the `where` ends here")
                    .help(format!("for the event's: `where ({inside} and {outside})`"))
                    .help(format!("for the person's, put it first: `{outside} and did {event} where {inside}`")),
            );
        }
    }

    fn event_names(&self, facts: &EventFacts) -> String {
        let names = facts.events.iter().filter_map(|e| self.schema.event(*e)).map(|e| e.name.as_str());
        names.take(4).collect::<Vec<_>>().join(", ")
    }
}
