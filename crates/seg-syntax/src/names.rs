//! Which names can be written bare, and how names are compared.

use crate::grammar::{Rule, SegParser};
use pest::Parser;

/// Whether `name` reads as one bare name in a sentence. Other names must be
/// written in quotes.
pub fn is_bare(name: &str) -> bool {
    let parsed = SegParser::parse(Rule::bare_name, name).ok().and_then(|mut pairs| pairs.next());
    parsed.is_some_and(|pair| pair.as_span().end() == name.len()) && !name.contains("  ")
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
        "last",
        "week",
        "weeks",
        "month",
        "quarter",
        "days",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_names_can_be_written_bare() {
        let bare = [
            "Checkout Started",
            "order_completed",
            "viewed a product",
            "Signed In",
            "Clicked on Ad",
            "Time on Site",
            "Back in Stock Requested",
            "Game Over",
            "Trial Ends",
            "next billing date",
            "first name",
            "last seen",
            "total spent",
            "number of orders",
            "address.country",
            "e-mail",
            "Café Visité",
            "signed up",
            "Date of Birth",
        ];
        assert_eq!(bare.iter().filter(|n| !is_bare(n)).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    #[test]
    fn names_with_reserved_words_numbers_or_symbols_cannot() {
        let quoted = [
            "No Show",
            "Not Interested",
            "Is Subscribed",
            "Has Children",
            "Over 18",
            "Once Daily Dose",
            "2FA Enabled",
            "Terms and Conditions Accepted",
            "Signed Up with Google",
            "Step 2 Completed",
            "a  b",
            "",
            "C++",
            "The Store",
        ];
        assert_eq!(quoted.iter().filter(|n| is_bare(n)).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    #[test]
    fn slips_in_reserved_words_are_seen() {
        assert_eq!(reserved_word_like("withing"), Some("within"));
        assert_eq!(reserved_word_like("beetween"), Some("between"));
        assert_eq!(reserved_word_like("within"), None);
        assert_eq!(reserved_word_like("Completed"), None);
    }
}
