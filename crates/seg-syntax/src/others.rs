//! Comparisons with other people, which no sentence makes.

use crate::diag::{Code, Diagnostic};
use crate::source::Span;

/// What begins a comparison with everybody else, and what may stand behind it.
const PHRASES: [(&[&str], &[&str]); 7] = [
    (&["in", "the", "top"], &[]),
    (&["in", "the", "bottom"], &[]),
    (&["above", "the", "average"], &["of", "all", "customers", "people", "users"]),
    (&["below", "the", "average"], &["of", "all", "customers", "people", "users"]),
    (&["than", "the", "average"], &["of", "all", "customers", "people", "users"]),
    (&["than", "the", "median"], &["of", "all", "customers", "people", "users"]),
    (&["percentile"], &[]),
];

/// `in the top 10% by total_spent`, in an item that is not understood: said by name, for
/// no other words would do.
pub(crate) fn comparison_with_others(item: Span, text: &str) -> Option<Diagnostic> {
    let item_text = text.get(item.range())?;
    let words: Vec<(usize, &str)> = unquoted_words(item_text).collect();
    let is_word = |at: usize, word: &str| words.get(at).is_some_and(|(_, said)| said.eq_ignore_ascii_case(word));
    let starts = |at: usize, phrase: &[&str]| phrase.iter().enumerate().all(|(n, word)| is_word(at + n, word));
    let found = (0..words.len()).find_map(|at| {
        let (phrase, behind) = PHRASES.iter().find(|(phrase, _)| starts(at, phrase))?;
        let mut last = at + phrase.len() - 1;
        while behind.iter().any(|word| is_word(last + 1, word)) {
            last += 1;
        }
        Some((at, last))
    });
    let (first, last) = found?;
    let (start, _) = words.get(first)?;
    let (from, word) = words.get(last)?;
    let at = |place: usize| item.start + place as u32;
    let span = Span::new(item.source, at(*start), at(from + word.len()));
    let said = item_text.get(*start..from + word.len())?.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(
        Diagnostic::new(Code::ComparedWithOthers, span, format!("`{said}` compares people with each other"))
            .label("the answer for one person would change when others change")
            .note(
                "a segment looks at one person at a time; compare with a number of your own, such as `is at least 500`",
            ),
    )
}

/// The words of a text, with where they begin, without those in quotes.
fn unquoted_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split('"').enumerate().flat_map(move |(n, part)| {
        let start = at;
        at += part.len() + 1;
        let words = if n % 2 == 0 { part } else { "" };
        words
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
            .map(move |word| (start + (word.as_ptr() as usize - part.as_ptr() as usize), word))
    })
}
