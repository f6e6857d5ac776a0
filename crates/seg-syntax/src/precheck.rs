//! What is checked on an item's tokens before pest sees it: characters,
//! brackets, nesting, length. All of it in one walk, so that no text, however
//! hostile, reaches the parser in a shape that costs it more than linear time.

use crate::diag::{Code, Diagnostic};
use crate::limits::{ITEM_BYTES_MAX, NESTING_MAX};
use crate::source::Span;
use crate::token::{Token, TokenKind};

/// How many different characters of one item are reported.
const UNKNOWN_MAX: usize = 5;

/// Problems of one item's tokens; pest runs only when there are none.
pub(crate) fn precheck(tokens: &[Token], text: &str) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let mut open: Vec<Span> = Vec::new();
    let mut is_too_deep = false;
    let mut unknown: Vec<&str> = Vec::new();
    for token in tokens {
        match token.kind {
            TokenKind::OpenBracket => {
                open.push(token.span);
                if open.len() > NESTING_MAX && !is_too_deep {
                    is_too_deep = true;
                    out.push(too_deep(token.span));
                }
            }
            TokenKind::CloseBracket if open.pop().is_none() => out.push(
                Diagnostic::new(Code::StrayBracket, token.span, "`)` closes nothing")
                    .label("no bracket is open here")
                    .fix(token.span, "", "leave it out, or add the `(` it belongs to"),
            ),
            // The same character again is the same problem.
            TokenKind::Unknown => {
                let (item_text, text) = (text, text.get(token.span.range()).unwrap_or(""));
                if !unknown.contains(&text) && unknown.len() < UNKNOWN_MAX {
                    unknown.push(text);
                    out.push(match amount_with_sign(token.span, tokens, item_text) {
                        Some(problem) => problem,
                        None => unknown_character(token.span, text),
                    });
                }
            }
            TokenKind::CommaNumber => out.push(comma_number(token.span, text)),
            kind => out.extend(lexical(kind, token.span, text.get(token.span.range()).unwrap_or(""))),
        }
    }
    if let Some(&span) = open.last()
        && !is_too_deep
    {
        let others = match open.len() {
            1 => String::new(),
            n => format!(", nor are {} others before it", n - 1),
        };
        out.push(
            Diagnostic::new(Code::UnclosedBracket, span, format!("`(` is never closed{others}"))
                .label("opened here")
                .help("add the missing `)`"),
        );
    }
    let mut significant = tokens.iter().filter(|t| !t.kind.is_trivia());
    let first = significant.next();
    if let (Some(first), Some(last)) = (first, significant.next_back())
        && (last.span.end - first.span.start) as usize > ITEM_BYTES_MAX
    {
        out.push(
            Diagnostic::new(Code::ItemTooLong, first.span, "this segment is too long")
                .label("begins here")
                .note("split it into several segments and combine them with `in segment \"…\"`")
                .note(format!("at most {} KiB", ITEM_BYTES_MAX / 1024)),
        );
    }
    out
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NestingTooDeep, span, "brackets are nested too deeply")
        .label(format!("bracket number {} inside one another", NESTING_MAX + 1))
        .note("give the inner conditions a segment of their own and write `in segment \"…\"`")
}

fn lexical(kind: TokenKind, span: Span, text: &str) -> Option<Diagnostic> {
    match kind {
        TokenKind::UnterminatedText => Some(
            Diagnostic::new(Code::UnterminatedText, span, "a text is never closed")
                .label("opened here")
                .help("add the closing `\"` on the same line"),
        ),
        TokenKind::CurlyText => {
            let inner = text.trim_matches(|c| "“”„‟«»".contains(c));
            Some(
                Diagnostic::new(Code::CurlyQuotes, span, format!("{text} has curly quotes"))
                    .label("straight quotes are needed")
                    .fix(span, format!("\"{inner}\""), format!("write `\"{inner}\"`")),
            )
        }
        TokenKind::NumberWord => {
            let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
            let letters = text.strip_prefix(digits).unwrap_or("");
            Some(
                Diagnostic::new(Code::NumberRunsIntoWord, span, format!("`{text}` is neither a number nor a word"))
                    .label("begins with a digit and goes on with letters")
                    .note(format!("if it is part of a name, write the whole name in quotes: `\"{text} …\"`"))
                    .fix(
                        span,
                        format!("{digits} {letters}"),
                        format!("if it is a number, put a space after it: `{digits} {letters}`"),
                    ),
            )
        }
        _ => None,
    }
}

/// `1,000`: one number, unless it stands where several may.
fn comma_number(span: Span, text: &str) -> Diagnostic {
    let written = text.get(span.range()).unwrap_or("");
    let before = text.get(..span.start as usize).unwrap_or("").trim_end().to_lowercase();
    let joined = written.replace(',', "_");
    let diagnostic = Diagnostic::new(Code::CommaInNumber, span, format!("`{written}` has a comma inside"));
    match before.ends_with(" of") || before.ends_with(',') {
        true => diagnostic
            .label("one number, or several?")
            .fix(span, joined.clone(), format!("for one number write `{joined}`"))
            .help(format!("for several write `{}`", written.replace(',', ", "))),
        false => diagnostic.label("digits are grouped by `_`").fix(span, joined.clone(), format!("write `{joined}`")),
    }
}

/// `€1000`, `1000€`: a currency is written as its three letters behind the number. A
/// sign that several currencies share is left out, for an amount needs none.
fn amount_with_sign(sign: Span, tokens: &[Token], text: &str) -> Option<Diagnostic> {
    let currency = match text.get(sign.range())? {
        "€" => Some("EUR"),
        "£" => Some("GBP"),
        "₹" => Some("INR"),
        "₺" => Some("TRY"),
        "₴" => Some("UAH"),
        "₩" => Some("KRW"),
        "$" | "¥" | "₽" => None,
        _ => return None,
    };
    let is_number = |token: &&Token| token.kind == TokenKind::Number;
    let behind = tokens.iter().filter(|t| t.span.start >= sign.end).find(|t| !t.kind.is_trivia()).filter(is_number);
    let before = tokens.iter().rev().filter(|t| t.span.end <= sign.start).find(|t| !t.kind.is_trivia());
    let number = behind.or(before.filter(is_number))?.span;
    let (whole, digits) = (sign.to(number), text.get(number.range())?);
    let written = text.get(whole.range())?;
    let right = match currency {
        Some(currency) => format!("{digits} {currency}"),
        None => digits.to_owned(),
    };
    Some(
        Diagnostic::new(Code::UnknownCharacter, whole, format!("`{written}` is not how an amount is written"))
            .label("a currency is three letters behind the number")
            .fix(whole, right.clone(), format!("write `{right}`")),
    )
}

fn unknown_character(span: Span, text: &str) -> Diagnostic {
    let show = |c: char| if c == '\'' { c.to_string() } else { c.escape_debug().to_string() };
    let shown: String = text.chars().take(12).map(show).collect();
    let diagnostic = Diagnostic::new(Code::UnknownCharacter, span, format!("`{shown}` means nothing here"));
    match text {
        "'" | "’" | "‘" => diagnostic
            .label("an apostrophe or a single quote")
            .note("write texts and names in double quotes: `\"shoes\"`")
            .help("write short forms out: `did not`, `is not`"),
        _ => diagnostic.label("not a part of any sentence").note("leave it out, or put it into a text: `\"…\"`"),
    }
}
