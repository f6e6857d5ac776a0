//! Which names can be written bare, and how names are compared.

use crate::grammar::{Rule, SegParser};
use pest::Parser;

/// Whether `name` reads as one bare name in a sentence. Other names must be
/// written in quotes.
pub fn is_bare(name: &str) -> bool {
    let parses = SegParser::parse(Rule::bare_name, name)
        .ok()
        .and_then(|mut pairs| pairs.next())
        .is_some_and(|pair| pair.as_span().end() == name.len());
    // In front of a name these begin another sentence, even though the name
    // rule alone would accept them.
    let begins = ["total ", "average ", "smallest ", "largest ", "number of ", "first ", "last "];
    parses && !name.contains("  ") && !begins.iter().any(|b| name == b.trim_end())
}

/// A name as sentences show it: bare where that is possible, else in quotes.
pub fn display(name: &str) -> String {
    if is_bare(name) { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The word a run of words was meant to end at: `withing` for `within`.
pub fn reserved_word_like(written: &str) -> Option<&'static str> {
    const WORDS: &[&str] = &[
        "within",
        "between",
        "before",
        "after",
        "since",
        "until",
        "during",
        "where",
        "whose",
        "with",
        "never",
        "twice",
        "once",
        "ever",
        "exactly",
        "contains",
        "include",
        "exclude",
        "divided",
        "times",
        "minus",
        "plus",
        "yesterday",
        "today",
        "followed",
        "and",
        "not",
        "least",
        "past",
    ];
    let lower = written.to_lowercase();
    WORDS
        .iter()
        .filter(|word| word.len() >= 4 || lower.len() == word.len())
        .find(|word| lower != **word && strsim::damerau_levenshtein(&lower, word) <= 1 + usize::from(word.len() > 6))
        .copied()
}

/// Whether a word ends a bare name wherever it stands.
pub fn is_reserved(word: &str) -> bool {
    SegParser::parse(Rule::hard_word, word)
        .ok()
        .and_then(|mut pairs| pairs.next())
        .is_some_and(|pair| pair.as_span().end() == word.len())
}
