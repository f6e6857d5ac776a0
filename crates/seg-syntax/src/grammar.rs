//! The pest parser made from `grammar/seg.pest`. Private: pest types never
//! leave [`crate::parse`] and its builder.

// The derive writes a public enum without documentation.
#[allow(missing_docs)]
mod derived {
    use pest_derive::Parser;

    #[derive(Parser)]
    #[grammar = "../../grammar/seg.pest"]
    pub struct SegParser;
}

pub(crate) use derived::{Rule, SegParser};

#[cfg(test)]
mod tests {
    /// A choice of words takes the first that fits, so `a` before `are` would
    /// hide `are`.
    #[test]
    fn no_word_list_hides_a_longer_word() {
        let grammar = include_str!("../../../grammar/seg.pest");
        let mut n_lists = 0;
        for rule in grammar.split("\n}").flat_map(|part| part.split("= @{").skip(1)) {
            let body = rule.split("boundary").next().unwrap_or(rule);
            let words: Vec<&str> = body.split("^\"").skip(1).filter_map(|w| w.split('"').next()).collect();
            n_lists += usize::from(words.len() > 3);
            for (at, word) in words.iter().enumerate() {
                let hidden = words[at + 1..].iter().find(|later| later.starts_with(word));
                assert_eq!(hidden, None, "hidden by `{word}`");
            }
        }
        assert!(n_lists >= 5, "the lists were not found");
    }
}
