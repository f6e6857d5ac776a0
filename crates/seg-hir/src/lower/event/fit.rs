//! What is said of events and cannot be said together.

use super::parts::EventParts;
use crate::lower::Lower;
use crate::lower::left_over::bare;
use seg_syntax::ast::{Condition, Modifier, ModifierKind, OperandKind, Quantity};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

impl Lower<'_> {
    /// Whether what is said of events can be said together; reported if not.
    pub(super) fn parts_fit(&mut self, c: &Condition, parts: &EventParts<'_>) -> bool {
        if !self.check_per(parts) {
            return false;
        }
        let clash = match (&parts.count, &parts.periods, &parts.first_time, parts.window, parts.not_window) {
            (Some(a), Some(b), ..) => Some((a.span, b.2)),
            (Some(a), _, Some(b), ..) => Some((a.span, b.span)),
            (_, Some(a), Some(b), ..) => Some((a.2, b.span)),
            (.., Some(a), Some(b)) => Some((a.span, b.span)),
            _ => None,
        };
        if let Some((first, second)) = clash {
            self.repeated(first, second, "keep one of them, or write two conditions joined by `and`");
            return false;
        }
        if let (Some(modifier), Some((_, prefix))) = (parts.not_window, c.prefix.negative) {
            self.report(
                Diagnostic::new(Code::MisplacedWords, modifier.span, "two negatives in one condition")
                    .label("a second negative")
                    .also(prefix, "the first")
                    .help("leave one of them out"),
            );
            return false;
        }
        !(self.two_ways_to_count(c, parts) || self.two_times(c, parts) || self.negative_of_each(c, parts))
    }

    /// `in each of the past 4 weeks, more than 90 days ago`: each of the weeks is
    /// a window already. Reported.
    fn two_times(&mut self, c: &Condition, parts: &EventParts<'_>) -> bool {
        let (Some((.., periods)), Some(window)) = (parts.regular, parts.window.or(parts.not_window)) else {
            return false;
        };
        let (start, when) = (self.start_of(c), self.words(window.span));
        let (with_periods, with_window) = (self.without(c.span, window.span), self.without(c.span, periods));
        let of_periods = self.words(periods);
        self.report(
            Diagnostic::new(Code::RepeatedTail, window.span, format!("`{when}` and `{of_periods}` both say when"))
                .label("a window")
                .also(periods, "each of these is a window of its own")
                .help(format!("for the one: `{with_periods}`"))
                .help(format!("for the other: `{with_window}`"))
                .help(format!("for both, as two conditions: `{start} {when} and {with_periods}`")),
        );
        true
    }

    /// `on at least 2 different days within any 48 hours`: two ways to count, or
    /// to say which of the events is meant. Reported.
    fn two_ways_to_count(&mut self, c: &Condition, parts: &EventParts<'_>) -> bool {
        let any_within = parts.any_within.map(|(_, span)| span);
        let regular = parts.regular.map(|(.., span)| span);
        let first_time = parts.first_time.map(|modifier| modifier.span);
        let clash = match (first_time, parts.periods, parts.per) {
            (Some(first), ..) => any_within.or(regular).map(|other| (first, other)),
            (None, Some((.., days)), _) => any_within.map(|other| (days, other)),
            (None, None, Some((_, per))) => any_within.map(|other| (per, other)),
            (None, None, None) => None,
        };
        let Some((first, second)) = clash else { return false };
        let (one, other) = (self.words(first), self.words(second));
        let (start, with_one) = (self.start_of(c), self.without(c.span, second));
        // What is counted within any such time are events, so a count is needed.
        let count = if any_within == Some(second) { "at least 2 times " } else { "" };
        let of_each = regular.filter(|_| first_time.is_none()).map_or(String::new(), |r| format!(" {}", self.words(r)));
        let with_other = format!("{start} {count}{other}{of_each}");
        self.report(
            Diagnostic::new(Code::RepeatedTail, second, format!("`{other}` does not go with `{one}`"))
                .label("another way to count")
                .also(first, "the first")
                .help(format!("for the one: `{with_one}`"))
                .help(format!("for the other: `{with_other}`")),
        );
        true
    }

    /// `did not order in each of the past 4 weeks`: not in all of them, or in none
    /// of them? Reported.
    fn negative_of_each(&mut self, c: &Condition, parts: &EventParts<'_>) -> bool {
        let (Some((_, negative)), Some((.., regular))) = (c.prefix.negative, parts.regular) else { return false };
        let (no, periods, event) = (self.words(negative), self.words(regular), self.event_text(c));
        let is_count = |t: &&Modifier| {
            matches!(t.kind, ModifierKind::Count(_) | ModifierKind::CountPer(..) | ModifierKind::DifferentPeriods(..))
        };
        let modifiers = |modifiers: Vec<&Modifier>| {
            modifiers.iter().map(|t| format!(" {}", self.words(t.span))).collect::<String>()
        };
        let quantity = c.quantity.map_or(String::new(), |q| format!("{} ", self.words(q.span)));
        let whole = format!("not (did {quantity}{event}{})", modifiers(c.modifiers.iter().collect()));
        let rest = modifiers(c.modifiers.iter().filter(|t| !is_count(t)).collect());
        let of_each = fewer(parts).map(|fewer| format!("did {event} {fewer}{rest}"));
        let mut diagnostic = Diagnostic::new(
            Code::UnclearNegative,
            regular,
            format!("does `{no}` deny the whole, or is it said of each period?"),
        )
        .label(format!("behind `{no}`, `{periods}` could mean two things"))
        .also(negative, "this negative stands before")
        .help(format!("for the opposite of the whole: `{whole}`"));
        if let Some(of_each) = of_each {
            diagnostic = diagnostic.help(format!("for what is not so in the periods: `{of_each}`"));
        }
        self.report(diagnostic);
        true
    }

    /// The events of a condition as they are written behind `did`.
    fn event_text(&self, c: &Condition) -> String {
        match &c.subject.kind {
            OperandKind::Events(names) => {
                let names: Vec<String> = names.iter().map(|n| self.words(n.span)).collect();
                format!("any of ({})", names.join(", "))
            }
            _ => self.words(c.subject.span),
        }
    }

    /// A condition up to the end of its subject.
    fn start_of(&self, c: &Condition) -> String {
        bare(&self.words(Span { end: c.subject.span.end, ..c.span })).to_owned()
    }
}

/// The opposite of how often something is to happen, where it is one range.
fn fewer(parts: &EventParts<'_>) -> Option<String> {
    let opposite = |quantity: Quantity| match (quantity.min, quantity.max) {
        (1, None) => Some("exactly 0".to_owned()),
        (min, None) => Some(format!("fewer than {min}")),
        (0, Some(max)) => Some(format!("more than {max}")),
        (_, Some(_)) => None,
    };
    if let Some((quantity, unit, _)) = parts.periods {
        return opposite(quantity).map(|count| format!("on {count} different {unit}s"));
    }
    let per = parts.per.map_or(String::new(), |(unit, _)| format!(" a {unit}"));
    let count = parts.count.map_or(Some("exactly 0".to_owned()), opposite)?;
    Some(format!("{count} times{per}"))
}
