//! What carries over from an event that is named once: `ordered in the past 3 weeks but
//! not in the past week`.

use super::{Builder, Connective};
use crate::ast::{
    Condition, Expr, Group, GroupForm, Modifier, ModifierKind, Negative, Prefix, Quantifier, Quantity, WithinOf,
};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::source::Span;
use pest::iterators::Pair;

/// What is said behind `and`, `but` or `or` of the event before.
struct Half {
    connective: Connective,
    /// `and`, `but`, `or`.
    word: Span,
    negative: Option<(Negative, Span)>,
    count: Option<Modifier>,
    window: Option<Modifier>,
    /// Without the word that joins it.
    at: Span,
}

impl Builder<'_> {
    /// A condition about an event, and what is said of the same event behind it.
    pub(super) fn carried(&mut self, first: Expr, pairs: Vec<Pair<'_, Rule>>) -> Expr {
        let whole = first.span();
        let n_halves = pairs.len();
        let halves: Vec<Half> = pairs.into_iter().filter_map(|pair| self.carried_half(pair)).collect();
        let (Some(half), true) = (halves.first(), halves.len() == n_halves) else { return Expr::Error(whole) };
        let refused = match &first {
            Expr::Error(_) => return first,
            Expr::Condition(first) if !says_event_alone(first) => Some(self.nothing_carries_over(half)),
            Expr::Condition(first) => {
                let mixed = halves.iter().find(|other| other.connective != half.connective);
                match mixed {
                    Some(other) => Some(self.mixed_carried(half, other)),
                    None => {
                        let all = std::iter::once(None).chain(halves.iter().map(Some));
                        all.zip(&halves).find_map(|(before, half)| self.unclear_half(first, before, half))
                    }
                }
            }
            _ => Some(self.nothing_carries_over(half)),
        };
        if let Some(diagnostic) = refused {
            self.report(diagnostic);
            return Expr::Error(whole);
        }
        let Expr::Condition(mut first) = first else { return first };
        let quantifier = match half.connective {
            Connective::And => Quantifier::All,
            Connective::Or => Quantifier::Any,
        };
        let kept: Vec<Modifier> = first.modifiers.iter().filter(|t| is_filter(t)).cloned().collect();
        let repeated = halves.into_iter().map(|half| {
            let prefix = Prefix { negative: half.negative, ..first.prefix.clone() };
            let modifiers = kept.iter().cloned().chain(half.window).chain(half.count).collect();
            let (subject, particle) = (first.subject.clone(), first.particle.clone());
            Condition { prefix, quantity: None, subject, particle, modifiers, span: half.at }
        });
        let rest: Vec<Expr> = repeated.map(|condition| Expr::Condition(Box::new(condition))).collect();
        first.span = end_of(&first);
        let members = std::iter::once(Expr::Condition(first)).chain(rest).collect();
        Expr::Group(Group { quantifier, members, form: GroupForm::Carried, span: whole })
    }

    fn carried_half(&mut self, pair: Pair<'_, Rule>) -> Option<Half> {
        let mut connective = None;
        let (mut negative, mut count, mut window) = (None, None, None);
        let mut at: Option<Span> = None;
        for part in pair.into_inner() {
            let rule = part.as_rule();
            if rule == Rule::connective {
                connective = Some(self.connective(part));
                continue;
            }
            let inner = part.clone().into_inner().find(|p| p.as_rule() != Rule::comma);
            let span = self.span(inner.as_ref().unwrap_or(&part));
            at = Some(at.map_or(span, |at| at.to(span)));
            match (rule, inner) {
                (Rule::kw_not, _) => negative = Some((Negative::Not, span)),
                (Rule::kw_never, _) => negative = Some((Negative::Never, span)),
                (Rule::carried_count, Some(inner)) => {
                    count = Some(Modifier { kind: self.count_modifier(inner)?, span });
                }
                (Rule::carried_window, Some(inner)) => {
                    window = Some(Modifier { kind: ModifierKind::Window(self.window(inner)?), span });
                }
                _ => {}
            }
        }
        let (connective, word) = connective?;
        Some(Half { connective, word, negative, count, window, at: at? })
    }

    /// What could be read two ways in a half, with a text for each. `before` is the half
    /// before it, if it is not the first.
    fn unclear_half(&self, first: &Condition, before: Option<&Half>, half: &Half) -> Option<Diagnostic> {
        if let Some((_, negative)) = first.prefix.negative {
            return Some(self.behind_negative(first, negative, half));
        }
        let (start, word, all) =
            (self.start_of(first), half.connective.word().trim(), Span { end: half.at.end, ..first.span });
        let window_of_first = first.modifiers.iter().rev().find(|t| matches!(t.kind, ModifierKind::Window(_)));
        let window_before = match before {
            Some(before) => before.window.as_ref(),
            None => window_of_first,
        };
        let count_before = match before {
            Some(before) => count_of(before.count.as_ref()),
            None => first.quantity.or(count_of(first.modifiers.iter().find(|t| is_count(t)))),
        };
        match (half.connective, half.negative, &half.count, &half.window) {
            (_, _, Some(count), None) => Some(self.count_without_window(first, half, count, window_before)),
            (Connective::And, None, None, Some(window)) => Some(self.two_windows(first, half, window)),
            (Connective::Or, Some(_), _, Some(_)) => Some(
                Diagnostic::new(
                    Code::UnclearNegative,
                    half.at,
                    format!("is it `or {}` of the same event?", self.words(half.at)),
                )
                .label("a negative behind `or`")
                .also(first.subject.span, "the event")
                .offer(all, "say the event again", format!("{start} or {}", self.of_half(first, half))),
            ),
            (Connective::Or, None, None, Some(window)) if count_before.is_some() => {
                Some(self.counted_in_either(first, half, window, window_before))
            }
            (Connective::Or, None, None, Some(window)) if window_before.is_none() => Some(
                Diagnostic::new(Code::UnclearWindow, half.at, format!("`{}` or when?", self.words(half.at)))
                    .label("one of two windows")
                    .also(first.subject.span, "no window stands here")
                    .offer(all, "for this window alone", format!("{start} {}", self.words(window.span)))
                    .offer(all, "for any time", format!("{start} ever")),
            ),
            (Connective::And, None, Some(count), Some(window)) if window_before.is_none() => {
                let low = count_before?;
                let high = count_of(Some(count))?;
                let is_range = low.min <= high.max.unwrap_or(u64::MAX) && high.min <= low.max.unwrap_or(u64::MAX);
                let in_window = self.words(window.span);
                let other = self.of_half(first, half);
                is_range.then(|| {
                    Diagnostic::new(
                        Code::UnclearWindow,
                        window.span,
                        format!("does `{in_window}` belong to `{start}` too?"),
                    )
                    .label("this window stands later")
                    .also(low.span, "a number without a window of its own")
                    .offer(all, "if it does", format!("{start} {in_window} {word} {other}"))
                    .offer(
                        all,
                        format_args!("if `{start}` may be any time ago"),
                        format!("{start} ever {word} {other}"),
                    )
                })
            }
            (Connective::And, _, _, Some(_)) | (Connective::Or, None, _, Some(_)) | (_, _, None, None) => None,
        }
    }

    /// `ordered in the past week and at most twice`: at most twice in that week, or ever?
    fn count_without_window(
        &self,
        first: &Condition,
        half: &Half,
        count: &Modifier,
        window_before: Option<&Modifier>,
    ) -> Diagnostic {
        let (start, word, all) =
            (self.start_of(first), half.connective.word().trim(), Span { end: half.at.end, ..first.span });
        let other = self.of_half(first, half);
        let is_not = half.negative.is_some();
        let placed = |window: &str| match is_not {
            true => format!("{} {window})", other.trim_end_matches(')')),
            false => format!("{other} {window}"),
        };
        let diagnostic = Diagnostic::new(
            Code::UnclearWindow,
            count.span,
            format!("within which time is it `{}`?", self.words(half.at)),
        )
        .label("no window of its own");
        let diagnostic = match window_before {
            Some(window) => {
                let words = self.words(window.span);
                diagnostic.also(window.span, "this window stands before").offer(
                    all,
                    "within the same",
                    format!("{start} {word} {}", placed(&words)),
                )
            }
            None => diagnostic.also(first.subject.span, "the event"),
        };
        diagnostic.offer(all, "at any time", format!("{start} {word} {}", placed("ever")))
    }

    /// `ordered after 2026-01-01 and before 2026-03-01`: one order, or two?
    fn two_windows(&self, first: &Condition, half: &Half, window: &Modifier) -> Diagnostic {
        let (start, words, all) =
            (self.start_of(first), self.words(window.span), Span { end: half.at.end, ..first.span });
        let diagnostic = Diagnostic::new(
            Code::UnclearWindow,
            half.at,
            format!("is `{words}` said of the same `{}`, or of another one?", self.words(first.subject.span)),
        )
        .label("a second window")
        .also(first.subject.span, "the event")
        .offer(all, "for another one", format!("{start} and {}", self.of_half(first, half)));
        match self.as_one_range(first, window) {
            Some(range) => diagnostic.offer(all, "for one that is both, with both days", range),
            None => diagnostic.note("one event has one window; `between … and …` and `… to … ago` have two ends"),
        }
    }

    /// `after A and before B` as the range from `A` to `B`.
    fn as_one_range(&self, first: &Condition, window: &Modifier) -> Option<String> {
        let before = first.modifiers.iter().find(|t| matches!(t.kind, ModifierKind::Window(_)))?;
        let (one, other) = (self.words(before.span), self.words(window.span));
        let starts = |words: &str| words.strip_prefix("after ").or(words.strip_prefix("since ")).map(str::to_owned);
        let (from, to) = match (starts(&one), starts(&other)) {
            (Some(from), None) => (from, other.strip_prefix("before ")?.to_owned()),
            (None, Some(from)) => (from, one.strip_prefix("before ")?.to_owned()),
            _ => return None,
        };
        let is_date = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let what = self.again(first, &[&format!("between {from} and {to}")]);
        (is_date(&from) && is_date(&to)).then_some(what)
    }

    /// `ordered 3 times today or yesterday`: three on one of the days, or on both together?
    fn counted_in_either(
        &self,
        first: &Condition,
        half: &Half,
        window: &Modifier,
        window_before: Option<&Modifier>,
    ) -> Diagnostic {
        let (start, words, all) =
            (self.start_of(first), self.words(window.span), Span { end: half.at.end, ..first.span });
        let count = first.modifiers.iter().find(|t| is_count(t));
        let times = match (count, first.quantity) {
            (Some(count), _) => self.words(count.span),
            (None, Some(quantity)) => format!("{} times", self.words(quantity.span)),
            (None, None) => String::new(),
        };
        let each = self.again(first, &[&times, &words]);
        let diagnostic = Diagnostic::new(
            Code::UnclearWindow,
            half.at,
            format!("is `{times}` said of each of two windows, or of both together?"),
        )
        .label("a second window")
        .also(first.subject.span, "the event")
        .offer(all, "for one of them", format!("{start} or {each}"));
        let total = window_before.zip(first.quantity.or(count_of(count))).and_then(|(before, quantity)| {
            let number = match (quantity.min, quantity.max) {
                (min, None) => format!("at least {min}"),
                (0, Some(max)) => format!("at most {max}"),
                (min, Some(max)) if min == max => format!("exactly {min}"),
                (min, Some(max)) => format!("between {min} and {max}"),
            };
            // Days and the like are no number of events.
            let is_of_events = count.is_none_or(|t| matches!(t.kind, ModifierKind::Count(_)));
            let number_in = |window: Span| {
                let filter: String = first
                    .modifiers
                    .iter()
                    .filter(|t| is_filter(t))
                    .map(|t| format!(" {}", self.words(t.span)))
                    .collect();
                format!("(number of {}{filter} {})", self.words(first.subject.span), self.words(window))
            };
            is_of_events.then(|| format!("{} plus {} is {number}", number_in(before.span), number_in(window.span)))
        });
        match total {
            Some(total) => diagnostic.offer(all, "for both together", total),
            None => diagnostic,
        }
    }

    /// `did not order in the past week but in the past month`: what of it is negative?
    fn behind_negative(&self, first: &Condition, negative: Span, half: &Half) -> Diagnostic {
        let (start, not, all) = (self.start_of(first), self.words(negative), Span { end: half.at.end, ..first.span });
        let word = half.connective.word().trim();
        let said: Vec<String> =
            half.window.iter().chain(&half.count).map(|modifier| self.words(modifier.span)).collect();
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        let positive = self.again_positive(first, &said);
        Diagnostic::new(
            Code::UnclearNegative,
            half.at,
            format!("does `{not}` belong to `{}` too?", self.words(half.at)),
        )
        .label("behind a negative")
        .also(negative, "this negative stands before")
        .offer(all, "if it does", format!("{start} {word} not ({positive})"))
        .offer(all, "if it does not", format!("{start} {word} {positive}"))
    }

    /// `everyone but not in the past week`: there is no event.
    fn nothing_carries_over(&self, half: &Half) -> Diagnostic {
        let words = self.words(half.at);
        Diagnostic::new(Code::MisplacedWords, half.at, format!("`{words}` is said of what?"))
            .label("no event carries over to here")
            .note("a plain event carries over, with its filter: `ordered in the past 3 weeks but not in the past week`")
            .note("behind anything else, say the whole condition again")
    }

    /// `in the past week and not today or yesterday`.
    fn mixed_carried(&self, first: &Half, other: &Half) -> Diagnostic {
        let (one, two) = (self.words(first.word), self.words(other.word));
        Diagnostic::new(Code::MixedAndOr, other.word, "`and` and `or` are mixed without brackets")
            .label(format!("`{two}` here"))
            .also(first.word, format!("`{one}` here"))
            .note("say the event again, and put brackets around what belongs together")
    }

    /// The first condition without what carries over from it, as a text that can stand
    /// anywhere.
    fn start_of(&self, first: &Condition) -> String {
        let words = self.words(end_of(first));
        ["who ", "whose ", "people "].iter().find_map(|word| words.strip_prefix(word)).unwrap_or(&words).to_owned()
    }

    /// What a half says, as a condition of its own.
    fn of_half(&self, first: &Condition, half: &Half) -> String {
        let parts: Vec<String> = half.count.iter().chain(&half.window).map(|t| self.words(t.span)).collect();
        let positive = self.again(first, &parts.iter().map(String::as_str).collect::<Vec<_>>());
        if half.negative.is_some() { format!("not ({positive})") } else { positive }
    }

    /// The event and its filters once more, with other things said of it.
    fn again(&self, first: &Condition, said: &[&str]) -> String {
        let prefix = first.prefix.span.map_or(String::new(), |span| self.words(span));
        let prefix = ["who", "whose", "people"].iter().find_map(|word| prefix.strip_prefix(word)).unwrap_or(&prefix);
        self.event_with(prefix.trim(), first, said)
    }

    /// The same without the negative words before it.
    fn again_positive(&self, first: &Condition, said: &[&str]) -> String {
        self.event_with("did", first, said)
    }

    fn event_with(&self, prefix: &str, first: &Condition, said: &[&str]) -> String {
        let filters = first.modifiers.iter().filter(|t| is_filter(t)).map(|t| self.words(t.span));
        let words = [prefix.to_owned(), self.words(first.subject.span)].into_iter().chain(filters);
        let words = words.chain(said.iter().map(|words| (*words).to_owned()));
        words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// The words of a condition, without what carries over from it.
fn end_of(first: &Condition) -> Span {
    let end = first.modifiers.iter().map(|t| t.span.end).fold(first.subject.span.end, u32::max);
    Span { end, ..first.span }
}

/// Whether a condition says nothing that another window and another count could not
/// stand in for: it is about one event, not about a sequence, a first time or a value.
fn says_event_alone(condition: &Condition) -> bool {
    condition.modifiers.iter().all(|t| is_filter(t) || is_count(t) || matches!(t.kind, ModifierKind::Window(_)))
}

/// What is repeated with the event.
fn is_filter(modifier: &Modifier) -> bool {
    match &modifier.kind {
        ModifierKind::Where(_) | ModifierKind::Recurring(_) | ModifierKind::NotRecurring(_) | ModifierKind::Zone(_) => {
            true
        }
        ModifierKind::Comparison(_)
        | ModifierKind::Window(_)
        | ModifierKind::NotWindow(_)
        | ModifierKind::Had(_)
        | ModifierKind::Count(_)
        | ModifierKind::DifferentPeriods(..)
        | ModifierKind::FirstTime
        | ModifierKind::Then(_)
        | ModifierKind::Followed(_)
        | ModifierKind::NoneBetween(_)
        | ModifierKind::AnyOrder
        | ModifierKind::Within(_)
        | ModifierKind::AllIn(_)
        | ModifierKind::Same(_)
        | ModifierKind::Limit(_)
        | ModifierKind::Regular(..)
        | ModifierKind::CountPer(..)
        | ModifierKind::Past(_) => false,
    }
}

/// How often, which is not repeated.
fn is_count(modifier: &Modifier) -> bool {
    match &modifier.kind {
        ModifierKind::Count(_)
        | ModifierKind::DifferentPeriods(..)
        | ModifierKind::Regular(..)
        | ModifierKind::CountPer(..) => true,
        ModifierKind::Within(within) => within.of == WithinOf::Any,
        ModifierKind::Comparison(_)
        | ModifierKind::Window(_)
        | ModifierKind::NotWindow(_)
        | ModifierKind::Where(_)
        | ModifierKind::Had(_)
        | ModifierKind::FirstTime
        | ModifierKind::Then(_)
        | ModifierKind::Followed(_)
        | ModifierKind::NoneBetween(_)
        | ModifierKind::AnyOrder
        | ModifierKind::AllIn(_)
        | ModifierKind::Same(_)
        | ModifierKind::Limit(_)
        | ModifierKind::Recurring(_)
        | ModifierKind::NotRecurring(_)
        | ModifierKind::Zone(_)
        | ModifierKind::Past(_) => false,
    }
}

fn count_of(modifier: Option<&Modifier>) -> Option<Quantity> {
    match &modifier?.kind {
        ModifierKind::Count(quantity)
        | ModifierKind::DifferentPeriods(quantity, _)
        | ModifierKind::CountPer(quantity, _)
        | ModifierKind::Regular(Some(quantity), _) => Some(*quantity),
        _ => None,
    }
}
