//! Tokens: text cut into pieces that lose nothing.

use crate::source::Span;
use logos::Logos;
use std::fmt;

/// What a piece of text is. Keywords are not kinds: they are words, and only
/// the grammar knows which words it reserves.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A run of spaces and tabs.
    #[regex(r"[ \t\u{a0}\u{feff}]+")]
    Whitespace,
    /// A line break.
    #[regex(r"\r\n|\n|\r")]
    Newline,
    /// `# …` to the end of the line.
    #[regex(r"#[^\r\n]*", allow_greedy = true)]
    Comment,
    /// A word: letters of any script, digits and `_`, with `-` inside.
    #[regex(r"[\p{L}_][\p{L}\p{M}\p{Nd}_]*(-[\p{L}\p{M}\p{Nd}_]+)*")]
    Word,
    /// `500`, `1_000`, `2.5`.
    #[regex(r"[0-9][0-9_]*(\.[0-9]+)?")]
    Number,
    /// `1,000`: refused, since a comma separates values.
    #[regex(r"[0-9][0-9_]*(,[0-9]+)+(\.[0-9]+)?")]
    CommaNumber,
    /// `2FA`: refused, since it is neither a number nor a word.
    #[regex(r"[0-9][0-9_]*[\p{L}][\p{L}\p{M}\p{Nd}_]*")]
    NumberWord,
    /// `2026-11-27`.
    #[regex(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")]
    Date,
    /// `14:00`, `14:00:30.5`, each with or without `Z` or an offset.
    #[regex(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?")]
    Clock,
    /// `2026-11-27T14:00:00Z`.
    #[regex(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}T[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?")]
    Timestamp,
    /// `"text"`, on one line; `""` inside stands for one quote.
    #[regex(r#""([^"\r\n]|"")*""#)]
    Text,
    /// `"text` without its end.
    #[regex(r#""([^"\r\n]|"")*"#)]
    UnterminatedText,
    /// `“text”`: refused, since only straight quotes make a text.
    #[regex(r"[“”„‟«»][^“”„‟«»\r\n]*[“”„‟«»]?")]
    CurlyText,
    /// `(`
    #[token("(")]
    OpenBracket,
    /// `)`
    #[token(")")]
    CloseBracket,
    /// `,`
    #[token(",")]
    Comma,
    /// `.`
    #[token(".")]
    Dot,
    /// A comparison or arithmetic symbol, right or mistaken.
    #[regex(r"[<>=!]+|&&|\|\||[+*/%&|-]")]
    Symbol,
    /// Anything else, a character at a time.
    Unknown,
}

impl TokenKind {
    /// Whether it only separates other tokens.
    pub fn is_trivia(self) -> bool {
        matches!(self, TokenKind::Whitespace | TokenKind::Newline | TokenKind::Comment)
    }
}

/// A kind and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its position in the text.
    pub span: Span,
}

/// All tokens of one file: their texts, joined, are the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tokens {
    tokens: Vec<Token>,
}

impl Tokens {
    /// Wraps tokens that ascend without gap or overlap.
    pub(crate) fn new(tokens: Vec<Token>) -> Tokens {
        Tokens { tokens }
    }

    /// The tokens in order.
    pub fn as_slice(&self) -> &[Token] {
        &self.tokens
    }

    /// The tokens with what `text` (the file) says under each, a line a token.
    pub fn print<'a>(&'a self, text: &'a str) -> impl fmt::Display + 'a {
        TokensPrinter { tokens: self, text }
    }

    /// The first token at or after a byte offset that is not trivia.
    pub(crate) fn significant_at(&self, offset: u32) -> Option<&Token> {
        let from = self.tokens.partition_point(|t| t.span.end <= offset);
        self.tokens.iter().skip(from).find(|t| !t.kind.is_trivia())
    }
}

struct TokensPrinter<'a> {
    tokens: &'a Tokens,
    text: &'a str,
}

impl fmt::Display for TokensPrinter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.tokens.tokens {
            if matches!(token.kind, TokenKind::Whitespace | TokenKind::Newline) {
                continue;
            }
            let text = self.text.get(token.span.range()).unwrap_or("");
            writeln!(f, "{:<16} {} {:?}", format!("{:?}", token.kind), token.span, text)?;
        }
        Ok(())
    }
}
