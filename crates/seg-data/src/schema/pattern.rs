//! Names of events by a pattern.

use super::fold_name;

/// Whether a name is like a pattern in which `*` stands for any characters, or none;
/// names compare as everywhere, case and `_` aside.
pub(super) fn fits_pattern(name: &str, pattern: &str) -> bool {
    let (name, pattern) = (fold_name(name), fold_name(pattern));
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or("");
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, fits) in [
            ("Email *", "email_opened"),
            ("*Opened", "Email Opened"),
            ("*", "Email Opened"),
            ("E*l*d", "Email Opened"),
            ("Email Opened*", "Email Opened"),
            ("a*a", "aa"),
        ] {
            assert!(fits_pattern(fits, pattern), "{pattern} {fits}");
        }
        for (pattern, other) in
            [("Email *", "Emails"), ("*Opened", "Email Opened Twice"), ("a*a", "a"), ("E*x*d", "Email Opened")]
        {
            assert!(!fits_pattern(other, pattern), "{pattern} {other}");
        }
    }
}
