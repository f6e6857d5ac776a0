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
