//! Patterns, written again for other engines out of what they mean: no two engines read the
//! same pattern alike.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// How an engine of patterns writes what they are made of.
pub trait Signs {
    /// A character, escaped where it means something; `-` does nowhere but in a set.
    fn character(&self, c: char) -> String {
        match c {
            c if c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '@' | ',' | ':' | '/' | '\'' | '-') => {
                c.to_string()
            }
            c if c.is_ascii_punctuation() => format!("\\{c}"),
            c => self.sign(c),
        }
    }
    /// A character that is no letter or digit of ASCII, by its code point.
    fn sign(&self, c: char) -> String;
    /// A set of characters, of ranges that do not overlap.
    fn class(&self, ranges: &[(char, char)]) -> String {
        let sign = |c: char| if c.is_ascii_alphanumeric() { c.to_string() } else { self.sign(c) };
        let range = |(from, to): &(char, char)| match from == to {
            true => sign(*from),
            false => format!("{}-{}", sign(*from), sign(*to)),
        };
        format!("[{}]", ranges.iter().map(range).collect::<String>())
    }
    /// What a group begins with.
    fn group(&self) -> &'static str {
        "(?:"
    }
    /// So many repetitions, at most `max`.
    ///
    /// # Errors
    /// Why they cannot be said.
    fn repeated(&self, of: &str, min: u32, max: Option<u32>) -> Result<String, String>;
    /// The beginning of the text.
    fn start(&self) -> &'static str;
    /// Its end.
    fn end(&self) -> &'static str;
    /// Where a word of ASCII begins or ends.
    ///
    /// # Errors
    /// Why it cannot be said.
    fn boundary(&self) -> Result<&'static str, String>;
}

/// A pattern of `matches` in the signs of an engine.
///
/// # Errors
/// Why it cannot be said.
pub fn print(pattern: &str, ignore_case: bool, signs: &dyn Signs) -> Result<String, String> {
    let ascii = seg_hir::text::ascii_pattern(pattern, ignore_case)?;
    let parsed = ParserBuilder::new().case_insensitive(ignore_case).build().parse(&ascii);
    of(&parsed.map_err(|error| error.to_string())?, signs)
}

fn of(hir: &Hir, signs: &dyn Signs) -> Result<String, String> {
    let each = |parts: &[Hir]| parts.iter().map(|part| of(part, signs)).collect::<Result<Vec<_>, _>>();
    Ok(match hir.kind() {
        HirKind::Empty => format!("{})", signs.group()),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).map_err(|_| "it holds bytes that are no text".to_owned())?;
            text.chars().map(|c| signs.character(c)).collect()
        }
        HirKind::Class(Class::Unicode(class)) => {
            let ranges: Vec<(char, char)> = class.ranges().iter().map(|r| (r.start(), r.end())).collect();
            if ranges.is_empty() {
                return Err("it can never match".to_owned());
            }
            signs.class(&ranges)
        }
        HirKind::Class(Class::Bytes(class)) => {
            let ranges: Vec<(char, char)> =
                class.ranges().iter().map(|r| (char::from(r.start()), char::from(r.end()))).collect();
            signs.class(&ranges)
        }
        HirKind::Look(Look::Start) => signs.start().to_owned(),
        HirKind::Look(Look::End) => signs.end().to_owned(),
        HirKind::Look(Look::WordAscii) => signs.boundary()?.to_owned(),
        HirKind::Look(other) => return Err(format!("it asks for {other:?}")),
        HirKind::Repetition(repetition) => {
            let inner = group(&repetition.sub, signs)?;
            signs.repeated(&inner, repetition.min, repetition.max)?
        }
        HirKind::Capture(capture) => format!("{}{})", signs.group(), of(&capture.sub, signs)?),
        HirKind::Concat(parts) => {
            let is_bound = |part: &Hir| matches!(part.kind(), HirKind::Alternation(_));
            let parts = parts.iter().map(|part| if is_bound(part) { group(part, signs) } else { of(part, signs) });
            parts.collect::<Result<String, _>>()?
        }
        HirKind::Alternation(parts) => each(parts)?.join("|"),
    })
}

/// What a sign of repetition may follow.
fn group(hir: &Hir, signs: &dyn Signs) -> Result<String, String> {
    let text = of(hir, signs)?;
    let is_one = matches!(hir.kind(), HirKind::Class(_) | HirKind::Capture(_));
    Ok(if is_one { text } else { format!("{}{text})", signs.group()) })
}

/// `{2,5}`, `*`, `+`, `?`.
pub fn count(min: u32, max: Option<u32>) -> String {
    match (min, max) {
        (0, None) => "*".to_owned(),
        (1, None) => "+".to_owned(),
        (0, Some(1)) => "?".to_owned(),
        (min, None) => format!("{{{min},}}"),
        (min, Some(max)) if min == max => format!("{{{min}}}"),
        (min, Some(max)) => format!("{{{min},{max}}}"),
    }
}

/// The end of a word of ASCII in look-arounds, for engines to which other letters are parts of
/// words, too.
pub const ASCII_BOUNDARY: &str = "(?:(?<![0-9A-Za-z_])(?=[0-9A-Za-z_])|(?<=[0-9A-Za-z_])(?![0-9A-Za-z_]))";

/// `\x{E9}`
pub fn hexadecimal(c: char) -> String {
    format!("\\x{{{:X}}}", u32::from(c))
}

/// Repetitions that RE2 takes.
const RE2_REPEATS_MAX: u32 = 1_000;

/// So many repetitions in RE2.
///
/// # Errors
/// More than it takes.
pub fn repeated_in_re2(of: &str, min: u32, max: Option<u32>) -> Result<String, String> {
    if min > RE2_REPEATS_MAX || max.is_some_and(|max| max > RE2_REPEATS_MAX) {
        return Err(format!("it repeats something more than {RE2_REPEATS_MAX} times"));
    }
    Ok(format!("{of}{}", count(min, max)))
}
