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
    let ascii = ascii_classes(pattern)?;
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

/// Rewrites the class escapes to their ASCII meaning, and refuses what SQL
/// engines would read differently.
fn ascii_classes(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(class @ ('d' | 'w' | 's')) => {
                    let range = match class {
                        'd' => "0-9",
                        'w' => "0-9A-Za-z_",
                        _ => r" \t\n\r\x0B\x0C",
                    };
                    out.push_str(&if in_class { range.to_owned() } else { format!("[{range}]") });
                }
                Some('b') if !in_class => out.push_str(r"(?-u:\b)"),
                Some(class @ ('D' | 'W' | 'S')) if !in_class => {
                    out.push_str(match class {
                        'D' => "[^0-9]",
                        'W' => "[^0-9A-Za-z_]",
                        _ => r"[^ \t\n\r\x0B\x0C]",
                    });
                }
                Some(other) if other.is_ascii_alphanumeric() && !matches!(other, 't' | 'n' | 'r') => {
                    return Err(format!("`\\{other}` is not part of Seg's patterns"));
                }
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => return Err("it ends in a lone `\\`".to_owned()),
            },
            '[' => {
                in_class = true;
                out.push('[');
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '(' if chars.as_str().starts_with('?') && !chars.as_str().starts_with("?:") => {
                return Err("`(?` is only possible as `(?:`".to_owned());
            }
            other => out.push(other),
        }
    }
    Ok(out)
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
}
