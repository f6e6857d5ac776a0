//! Text to tokens: total and lossless.

use crate::source::{SourceId, Span};
use crate::token::{Token, TokenKind, Tokens};
use logos::Logos;

/// Cuts `text` into tokens. Every byte ends up in exactly one of them; what no
/// rule knows becomes [`TokenKind::Unknown`].
pub fn lex(source: SourceId, text: &str) -> Tokens {
    let mut tokens: Vec<Token> = Vec::new();
    for (kind, range) in TokenKind::lexer(text).spanned() {
        let span = Span::new(source, range.start as u32, range.end as u32);
        let kind = kind.unwrap_or(TokenKind::Unknown);
        match tokens.last_mut() {
            // A run of unknown characters is one problem, not many.
            Some(last) if kind == TokenKind::Unknown && last.kind == TokenKind::Unknown => {
                last.span = last.span.to(span);
            }
            _ => tokens.push(Token { kind, span }),
        }
    }
    Tokens::new(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        lex(SourceId(0), text).print(text).to_string()
    }

    #[test]
    fn words_numbers_and_dates() {
        insta::assert_snapshot!(check("did order_completed 2.5 1_000 2026-11-27 14:00Z e-mail\n# rest"), @r##"
        Word             0..3 "did"
        Word             4..19 "order_completed"
        Number           20..23 "2.5"
        Number           24..29 "1_000"
        Date             30..40 "2026-11-27"
        Clock            41..47 "14:00Z"
        Word             48..54 "e-mail"
        Comment          55..61 "# rest"
        "##);
    }

    #[test]
    fn mistakes_keep_their_own_kinds() {
        insta::assert_snapshot!(check("1,000 2FA “DE” \"open\n€ => x-"), @r#"
        CommaNumber      0..5 "1,000"
        NumberWord       6..9 "2FA"
        CurlyText        10..18 "“DE”"
        UnterminatedText 19..24 "\"open"
        Unknown          25..28 "€"
        Symbol           29..31 "=>"
        Word             32..33 "x"
        Symbol           33..34 "-"
        "#);
    }

    #[test]
    fn a_doubled_quote_stays_inside_its_text() {
        insta::assert_snapshot!(check(r#""5"" disk" "" "a""#), @r#"
        Text             0..10 "\"5\"\" disk\""
        Text             11..13 "\"\""
        Text             14..17 "\"a\""
        "#);
    }
}
