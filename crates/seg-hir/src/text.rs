//! Text as the language compares it: case folding and patterns.

use regex::Regex;
use seg_data::Value;

/// Simple case folding, character by character, of the Unicode version that the
/// crate `unicode-case-mapping` pins.
pub fn fold_case(text: &str) -> String {
    text.chars()
        .map(|c| unicode_case_mapping::case_folded(c).and_then(|folded| char::from_u32(folded.get())).unwrap_or(c))
        .collect()
}

/// A text, or a list of texts, with its case folded; other values as they are.
pub fn fold_value(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(fold_case(&text)),
        Value::List(items) => Value::List(items.into_iter().map(fold_value).collect()),
        other => other,
    }
}

/// Compiles a pattern of `matches`: searched anywhere in the text, with `\d \w
/// \s \b` meaning ASCII, and limited in size so that no pattern is expensive.
///
/// # Errors
/// Why the pattern is refused, in words.
pub fn compile_pattern(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
    let ascii = ascii_classes(pattern, ignore_case)?;
    regex::RegexBuilder::new(&ascii).case_insensitive(ignore_case).size_limit(1 << 20).nest_limit(64).build().map_err(
        |error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or("it cannot be read");
                last.trim_start_matches("error: ").to_owned()
            }
        },
    )
}

/// A pattern of `matches` whose classes are written out as ASCII, for whoever reads it with
/// the crate `regex-syntax` and its defaults.
///
/// # Errors
/// Why the pattern is refused, in words.
pub fn ascii_pattern(pattern: &str, ignore_case: bool) -> Result<String, String> {
    compile_pattern(pattern, ignore_case)?;
    ascii_classes(pattern, ignore_case)
}

/// Rewrites the class escapes to their ASCII meaning, and refuses what other engines
/// of patterns, those of databases, read differently.
fn ascii_classes(pattern: &str, ignore_case: bool) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    // How many signs of repetition stand directly before.
    let mut n_repeats = 0;
    while let Some(c) = chars.next() {
        let is_lazy = c == '?' && n_repeats == 1;
        if matches!(c, '*' | '+' | '?') && n_repeats > 0 && !is_lazy {
            return Err(format!("`{c}` cannot follow another repetition"));
        }
        n_repeats = match c {
            '*' | '+' | '?' | '}' => n_repeats + 1,
            _ => 0,
        };
        match c {
            '\\' => match chars.next() {
                // Where case is ignored, two letters that are no ASCII would be `s` and
                // `k`.
                Some('w') if ignore_case => out.push_str("(?-i:[0-9A-Za-z_])"),
                Some('W') if ignore_case => out.push_str("(?-i:[^0-9A-Za-z_])"),
                Some('d') => out.push_str("[0-9]"),
                Some('w') => out.push_str("[0-9A-Za-z_]"),
                Some('s') => out.push_str(r"[ \t\n\r\x0B\x0C]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('S') => out.push_str(r"[^ \t\n\r\x0B\x0C]"),
                Some('b') if chars.peek() == Some(&'{') => {
                    return Err("`\\b{` is not part of Seg's patterns".to_owned());
                }
                Some('b') => out.push_str(r"(?-u:\b)"),
                other => escaped(other, &mut out)?,
            },
            '[' => class(&mut chars, ignore_case, &mut out)?,
            '(' if chars.peek() == Some(&'?') => {
                let rest: String = chars.clone().take(2).collect();
                if rest != "?:" {
                    return Err("`(?` is only possible as `(?:`".to_owned());
                }
                out.push_str("(?:");
                chars.next();
                chars.next();
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

/// A character behind a `\`, as itself.
fn escaped(c: Option<char>, out: &mut String) -> Result<(), String> {
    match c {
        Some(c) if c.is_ascii_alphanumeric() && !matches!(c, 't' | 'n' | 'r') || matches!(c, '<' | '>') => {
            Err(format!("`\\{c}` is not part of Seg's patterns"))
        }
        Some(c) => {
            out.push('\\');
            out.push(c);
            Ok(())
        }
        None => Err("it ends in a lone `\\`".to_owned()),
    }
}

/// The characters of `[…]`, of which the `[` is read.
fn class(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    ignore_case: bool,
    out: &mut String,
) -> Result<(), String> {
    let is_negated = chars.next_if_eq(&'^').is_some();
    let (mut items, mut has_words) = (String::new(), false);
    // The character before, and whether it stood for a set of them.
    let (mut before, mut is_set) = (None, false);
    loop {
        let Some(c) = chars.next() else { return Err("a `[` is never closed".to_owned()) };
        match c {
            ']' => break,
            '[' => return Err("a `[` inside of `[…]` is written `\\[`".to_owned()),
            '&' | '-' | '~' if before == Some(c) => {
                return Err(format!("`{c}{c}` inside of `[…]` is not part of Seg's patterns"));
            }
            '\\' => {
                let escape = chars.next();
                is_set = matches!(escape, Some('d' | 'w' | 's'));
                // No range begins or ends at a set of characters.
                if is_set && items.ends_with('-') && !items.ends_with("\\-") {
                    items.pop();
                    items.push_str("\\-");
                }
                match escape {
                    Some('d') => items.push_str("0-9"),
                    Some('w') => has_words = true,
                    Some('s') => items.push_str(r" \t\n\r\x0B\x0C"),
                    other => escaped(other, &mut items)?,
                }
                before = None;
                continue;
            }
            '-' if is_set => items.push_str("\\-"),
            other => items.push(other),
        }
        (before, is_set) = (Some(c), false);
    }
    const WORDS: &str = "0-9A-Za-z_";
    let sign = if is_negated { "^" } else { "" };
    match (has_words, ignore_case) {
        // The rest ignores case, the ASCII letters stay so.
        (true, true) if items.is_empty() => out.push_str(&format!("(?-i:[{sign}{WORDS}])")),
        (true, true) if !is_negated => out.push_str(&format!("(?:(?-i:[{WORDS}])|[{items}])")),
        (true, true) if !items.contains(char::is_alphabetic) => out.push_str(&format!("(?-i:[^{WORDS}{items}])")),
        (true, _) => out.push_str(&format!("[{sign}{WORDS}{items}]")),
        (false, _) => out.push_str(&format!("[{sign}{items}]")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        compile_pattern(pattern, false).expect(pattern).is_match(text)
    }

    #[test]
    fn folding_is_by_character() {
        assert_eq!(fold_case("STRASSE ΑΣ İ"), "strasse ας İ".replace('ς', "σ"));
        assert_eq!(fold_case("ẞ"), "ß");
    }

    #[test]
    fn classes_are_ascii_and_the_search_is_unanchored() {
        assert!(matches(r"qa-\d+", "x qa-12"));
        assert!(!matches(r"^\d$", "٣"));
        assert!(matches(r"[\w-]+@", "a-b@c"));
        assert!(matches(r"\bfoo\b", "a foo!"));
    }

    #[test]
    fn what_is_refused_says_why() {
        for (pattern, why) in [(r"\p{L}", "`\\p`"), ("(?i)x", "`(?`"), ("(", "unclosed group"), ("x\\", "lone")] {
            let error = compile_pattern(pattern, false).expect_err(pattern);
            assert!(error.contains(why), "{pattern}: {error}");
        }
        assert!(compile_pattern("((a{100}){100}){100}", false).is_err());
    }

    /// Databases read these in other ways, or not at all.
    #[test]
    fn what_other_engines_read_otherwise_is_refused() {
        let refused = [
            "[a-z&&[^aeiou]]",
            "[a-f--[a-c]]",
            "[[:alpha:]]",
            "[a~~b]",
            "a++",
            "a*+",
            "a{2}+",
            "a+*",
            r"\<x",
            r"x\>",
            r"\b{start}",
        ];
        for pattern in refused {
            assert!(compile_pattern(pattern, false).is_err(), "{pattern}");
        }
        let accepted = [
            "a+?",
            "a*?b",
            "a{2}?",
            r"[\[\]]",
            "[a-]",
            "[-a]",
            r"[\w.+-]+@",
            "[^-]",
            "(?:ab)+",
            r"\.\-\/",
            "[a&b]",
            r"[\w-z]",
            r"[a-\d]",
            r"[+-\w]",
        ];
        for pattern in accepted {
            assert!(compile_pattern(pattern, false).is_ok(), "{pattern}");
        }
    }

    /// `ſ` folds to `s`, and the sign of Kelvin to `k`.
    #[test]
    fn classes_stay_ascii_where_case_is_ignored() {
        let matches = |pattern, text| compile_pattern(pattern, true).expect(pattern).is_match(text);
        for letter in ["\u{17f}", "\u{212a}"] {
            assert!(!matches(r"^\w$", letter) && !matches(r"^[\w]$", letter) && !matches(r"^[\w.]$", letter));
            assert!(matches(r"^\W$", letter) && matches(r"^[^\w]$", letter) && matches(r"^[^\w.]$", letter));
            // A letter that is written ignores case as elsewhere.
            assert!(matches(r"^[sk]$", letter));
        }
        assert!(matches(r"^[\w-z]$", "-") && matches(r"^[+-\d]$", "-") && !matches(r"^[+-\d]$", "/"));
        assert!(matches(r"^[\wÉ]$", "é") && !matches(r"^[^\w.]$", "Q"));
    }
}
