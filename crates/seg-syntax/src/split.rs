//! Tokens to items: where one declaration ends and the next begins.
//!
//! An item begins at a line whose first words are one of the openers below,
//! whatever bracket is still open, so a forgotten bracket or quote damages one
//! item and never the next. The openers are those of the whole language, so
//! that a file written for a later version is cut in the same places.

use crate::token::{Token, TokenKind};

/// One item's tokens: `tokens[start..end]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice {
    pub start: usize,
    pub end: usize,
    /// Whether it begins with an opener; only a file's first slice may not.
    pub opened: bool,
}

/// Cuts tokens into slices that cover them all.
pub(crate) fn split(tokens: &[Token], text: &str) -> Vec<Slice> {
    let mut starts = Vec::new();
    let mut line_is_fresh = true;
    let mut word_before = "";
    for (idx, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Newline => line_is_fresh = true,
            TokenKind::Whitespace | TokenKind::Comment => {}
            _ => {
                if line_is_fresh && opener(tokens, idx, text).is_some_and(|o| !continues(word_before, &o)) {
                    starts.push(idx);
                }
                line_is_fresh = false;
                word_before = word(token, text);
            }
        }
    }
    let mut slices = Vec::new();
    let first = starts.first().copied().unwrap_or(tokens.len());
    if first > 0 {
        slices.push(Slice { start: 0, end: first, opened: false });
    }
    for (n, &start) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(tokens.len());
        slices.push(Slice { start, end, opened: true });
    }
    slices
}

fn word<'a>(token: &Token, text: &'a str) -> &'a str {
    match token.kind {
        TokenKind::Word | TokenKind::OpenBracket => text.get(token.span.range()).unwrap_or(""),
        _ => "",
    }
}

/// Whether what stands before makes an opener go on with the sentence instead:
/// `email is in⏎list "vip"`, `include⏎everyone`.
fn continues(word_before: &str, opener: &Opener<'_>) -> bool {
    let is = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    match opener {
        // After an event called `Signed In`, an item still begins: nothing that
        // is in another segment goes on with `include`.
        Opener::Named { keyword, after } if is(word_before, "in") => {
            const AFTER: &[(&str, &[&str])] = &[
                (
                    "segment",
                    &[
                        "include",
                        "used",
                        "owned",
                        "described",
                        "archived",
                        "regardless",
                        "grace",
                        "expect",
                        "frozen",
                        "allow",
                        "in",
                    ],
                ),
                ("list", &["from"]),
                ("define", &["as", "("]),
                ("test", &["at", "profile", "expect"]),
            ];
            let begins = |(opener, words): &(&str, &[&str])| is(keyword, opener) && words.iter().any(|w| is(after, w));
            !AFTER.iter().any(begins)
        }
        _ => ["in", "include", "exclude"].iter().any(|w| is(w, word_before)),
    }
}

/// The words that begin an item.
enum Opener<'a> {
    /// `segment "…"` and its kin, with the word after the text.
    Named { keyword: &'a str, after: &'a str },
    /// A sentence such as `everyone must …`.
    Sentence,
}

fn opener<'a>(tokens: &[Token], idx: usize, text: &'a str) -> Option<Opener<'a>> {
    let mut ahead = tokens.iter().skip(idx).filter(|t| !t.kind.is_trivia());
    let mut next_word = || ahead.next().map_or(("", TokenKind::Unknown), |t| (word(t, text), t.kind));
    let (first, _) = next_word();
    let is = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    if ["segment", "define", "list", "test"].iter().any(|w| is(first, w)) {
        let (_, kind) = next_word();
        let is_named = matches!(kind, TokenKind::Text | TokenKind::UnterminatedText | TokenKind::CurlyText);
        return is_named.then(|| Opener::Named { keyword: first, after: next_word().0 });
    }
    if is(first, "everyone") {
        let (second, _) = next_word();
        // `everyone on sms must`: the channel is one word or one text.
        let is_rule = is(second, "must") || {
            next_word();
            is(second, "on") && is(next_word().0, "must")
        };
        return is_rule.then_some(Opener::Sentence);
    }
    let is_order =
        is(first, "when") && ["people", "are", "in", "several"].iter().all(|expected| is(next_word().0, expected));
    is_order.then_some(Opener::Sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lex::lex;
    use crate::source::SourceId;

    fn check(text: &str) -> Vec<String> {
        let tokens = lex(SourceId(0), text);
        let all = tokens.as_slice();
        split(all, text)
            .into_iter()
            .map(|s| {
                let from = all[s.start].span.start as usize;
                let to = all[s.end - 1].span.end as usize;
                format!("{}{}", if s.opened { "" } else { "stray: " }, text.get(from..to).unwrap_or("").trim())
            })
            .collect()
    }

    #[test]
    fn items_begin_at_openers_only() {
        insta::assert_debug_snapshot!(
            check("x\nsegment \"a\" include (\nsegment \"b\" include everyone\nList Viewed\nlist \"l\" from \"f\""),
            @r#"
        [
            "stray: x",
            "segment \"a\" include (",
            "segment \"b\" include everyone\nList Viewed",
            "list \"l\" from \"f\"",
        ]
        "#
        );
    }

    #[test]
    fn a_line_that_continues_does_not_open() {
        assert_eq!(check("segment \"a\" include people who are in\nsegment \"b\"").len(), 1);
        assert_eq!(check("segment \"a\" include\neveryone must\n").len(), 1);
        assert_eq!(check("segment \"a\" include people who did Signed In\nsegment \"b\" include everyone").len(), 2);
        assert_eq!(check("everyone on sms must x\nwhen people are in several, prefer \"a\"").len(), 2);
    }
}
