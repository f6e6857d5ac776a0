//! Phrases that people bring along from speech and from other tools, with what Seg says
//! for them. Like every edit, each is tried before it is offered.

use super::{Edit, Search};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::token::{Token, TokenKind};

/// Words that ask for people, of whom every condition speaks already.
const ASKING: [&str; 25] = [
    "all",
    "audience",
    "buyers",
    "clients",
    "contacts",
    "customers",
    "everybody",
    "everyone",
    "find",
    "get",
    "give",
    "include",
    "list",
    "me",
    "members",
    "people",
    "profiles",
    "select",
    "shoppers",
    "show",
    "subscribers",
    "target",
    "the",
    "those",
    "users",
];

/// Words behind which the people asked for are those of whom the rest is not true.
const EXCEPT: [&str; 4] = ["except", "excluding", "minus", "without"];

impl Search<'_, '_> {
    pub(super) fn habit(&mut self) -> Option<Diagnostic> {
        self.second_time().or_else(|| self.asked_for_people()).or_else(|| self.window_without_in())
    }

    /// `include customers who ordered`, `all customers except those who ordered`, where a
    /// condition is expected.
    fn asked_for_people(&mut self) -> Option<Diagnostic> {
        let tokens: Vec<&Token> = self.broken.tokens.iter().filter(|token| !token.kind.is_trivia()).collect();
        let failed = tokens.iter().position(|token| token.span.end > self.broken.at)?;
        let is_any = |at: usize, words: &[&str]| {
            let token = tokens.get(at).filter(|token| token.kind == TokenKind::Word);
            token.is_some_and(|token| words.iter().any(|w| self.broken.words(token.span).eq_ignore_ascii_case(w)))
        };
        let is_asking = |at: usize| is_any(at, &ASKING) || is_any(at, &EXCEPT);
        let is_who = |at: usize| is_any(at, &["who", "that", "which", "whose"]);
        let end = (failed..).find(|at| !is_asking(*at)).filter(|end| is_who(*end))?;
        let starts = (0..=failed).rev().take_while(|at| is_asking(*at) || *at == failed);
        for start in starts.collect::<Vec<_>>().into_iter().rev().filter(|start| *start <= end) {
            let replacement = if (start..=end).any(|at| is_any(at, &EXCEPT)) { "not" } else { "" };
            let next = tokens.get(end + 1)?.span;
            let span = tokens.get(start)?.span.to(tokens.get(end)?.span);
            let whole = match replacement {
                "" => Span { end: next.start, ..span },
                _ => span,
            };
            let edit = Edit { span: whole, replacement: replacement.to_owned() };
            if !self.mends(&edit) {
                continue;
            }
            let words = self.broken.words(span).to_owned();
            let diagnostic = Diagnostic::new(Code::UnexpectedText, span, format!("`{words}` does not fit here"))
                .label("a condition speaks of people already");
            return Some(match replacement {
                "" => diagnostic.fix(whole, "", format!("leave `{words}` out")),
                not => diagnostic.fix(whole, not, format!("for those of whom it is not true write `{not}`")),
            });
        }
        None
    }

    /// `ordered last 30 days`
    fn window_without_in(&mut self) -> Option<Diagnostic> {
        for at in self.places() {
            let Some(word) = self.word(at).map(str::to_lowercase) else { continue };
            let is_number = self.near.get(at + 1).is_some_and(|token| token.kind == TokenKind::Number);
            let replacement = match word.as_str() {
                "last" | "past" => format!("in the {word}"),
                "previous" | "preceding" => "in the past".to_owned(),
                _ => continue,
            };
            let (first, last) = (self.near.get(at)?.span, self.near.get((at + 2).min(self.near.len() - 1))?.span);
            let edit = Edit { span: first, replacement };
            if is_number && self.mends(&edit) {
                let words = self.broken.words(first.to(last)).to_owned();
                let rest = words.get(word.len()..).unwrap_or("");
                let message = format!("`{words}` does not say whether within it or before it");
                let right = format!("{}{rest}", edit.replacement);
                return Some(
                    Diagnostic::new(Code::UnexpectedText, first.to(last), message)
                        .label("a window needs `in the`")
                        .fix(first, edit.replacement, format!("write `{right}`")),
                );
            }
        }
        None
    }

    /// `ordered for the second time`
    fn second_time(&mut self) -> Option<Diagnostic> {
        const TIMES: [(&str, &str); 5] = [
            ("second", "twice"),
            ("third", "3 times"),
            ("fourth", "4 times"),
            ("fifth", "5 times"),
            ("tenth", "10 times"),
        ];
        for at in self.places() {
            let Some(times) = self.word(at).and_then(|word| {
                TIMES.iter().find(|(ordinal, _)| ordinal.eq_ignore_ascii_case(word)).map(|(_, times)| *times)
            }) else {
                continue;
            };
            let is_word = |at: Option<usize>, known: &str| {
                at.and_then(|at| self.word(at)).is_some_and(|word| word.eq_ignore_ascii_case(known))
            };
            // With a window behind it, the second time ever and two times within it differ.
            let ends_there = self.near.get(at + 1).is_some_and(|time| {
                let behind = self.broken.tokens.iter().find(|t| !t.kind.is_trivia() && t.span.start >= time.span.end);
                behind.is_none_or(|next| {
                    ["and", "or", "but", ")"].iter().any(|w| self.broken.words(next.span).eq_ignore_ascii_case(w))
                })
            });
            let is_phrase =
                is_word(Some(at + 1), "time") && is_word(at.checked_sub(1), "the") && is_word(at.checked_sub(2), "for");
            if !is_phrase || !ends_there {
                continue;
            }
            let span = self.near.get(at.checked_sub(2)?)?.span.to(self.near.get(at + 1)?.span);
            let edit = Edit { span, replacement: format!("at least {times}") };
            if self.mends(&edit) {
                let words = self.broken.words(span).to_owned();
                let right = edit.replacement.clone();
                return Some(
                    Diagnostic::new(Code::UnexpectedText, span, format!("`{words}` does not fit here"))
                        .label("say how often")
                        .fix(span, edit.replacement, format!("for so often or more write `{right}`"))
                        .help(format!("for so often and no more write `exactly {times}`")),
                );
            }
        }
        None
    }
}
