//! Text to AST, with every problem on the way.

use crate::ast::{File, Item};
use crate::build::{build_item, unquote};
use crate::diag::{Code, Diagnostic};
use crate::expected::syntax_error;
use crate::grammar::{Rule, SegParser};
use crate::lex::lex;
use crate::limits::FILE_BYTES_MAX;
use crate::precheck::precheck;
use crate::repair::{Broken, RETRIED_BYTES_MAX};
use crate::source::{SourceId, Span};
use crate::split::{Slice, split};
use crate::token::{Token, TokenKind, Tokens};
use pest::Parser;
use pest::iterators::Pair;

/// All that is known of one file's text.
#[derive(Debug, Clone, Default)]
pub struct Parse {
    /// The tree; broken items are [`Item::Error`].
    pub file: File,
    /// The text in pieces.
    pub tokens: Tokens,
    /// Every problem, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses one file. Never fails: what cannot be understood is reported and
/// becomes [`Item::Error`]. Takes time linear in the length of `text`.
pub fn parse(source: SourceId, text: &str) -> Parse {
    if text.len() > FILE_BYTES_MAX {
        let diagnostic = Diagnostic::new(Code::FileTooLong, Span::new(source, 0, 0), "this file is too long")
            .label("nothing of it was read")
            .help("split it into several files; all `.seg` files of a project belong together")
            .note(format!("at most {} MiB", FILE_BYTES_MAX / (1024 * 1024)));
        return Parse { diagnostics: vec![diagnostic], ..Parse::default() };
    }
    let tokens = lex(source, text);
    let mut file = File::default();
    let mut diagnostics = Vec::new();
    let mut left = RETRIED_BYTES_MAX;
    for slice in split(tokens.as_slice(), text) {
        let item_tokens = tokens.as_slice().get(slice.start..slice.end).unwrap_or(&[]);
        let item = parse_item((source, text), slice, item_tokens, &tokens, &mut diagnostics, &mut left);
        file.items.extend(item);
    }
    crate::diag::sort(&mut diagnostics);
    Parse { file, tokens, diagnostics }
}

fn parse_item(
    (source, text): (SourceId, &str),
    slice: Slice,
    item_tokens: &[Token],
    tokens: &Tokens,
    diagnostics: &mut Vec<Diagnostic>,
    left: &mut usize,
) -> Option<Item> {
    let span = significant(item_tokens)?;
    if !slice.opened {
        let first = item_tokens.iter().find(|t| !t.kind.is_trivia()).map_or(span, |t| t.span);
        diagnostics.push(outside_item(first, text.get(span.range()).unwrap_or("")));
        return Some(Item::Error { span, declares: None });
    }
    let error = Item::Error { span, declares: declared(item_tokens, text) };
    let problems = precheck(item_tokens, text);
    let item_text = text.get(span.range()).unwrap_or("");
    if let [problem] = problems.as_slice() {
        let broken = Broken { text: item_text, item: span, tokens: item_tokens, at: problem.primary.span.start };
        diagnostics.push(broken.bracket(problem, left).unwrap_or_else(|| problem.clone()));
        return Some(error);
    }
    if !problems.is_empty() {
        diagnostics.extend(problems);
        return Some(error);
    }
    match SegParser::parse(Rule::item, item_text) {
        Ok(pairs) => {
            let (item, problems) = build_item(source, span.start, item_text, pairs);
            diagnostics.extend(problems);
            Some(item.unwrap_or(error))
        }
        Err(failure) => {
            diagnostics.push(syntax_error(&failure, span, text, (tokens, item_tokens), left));
            Some(error)
        }
    }
}

/// From the first to the last token that is not trivia.
fn significant(tokens: &[Token]) -> Option<Span> {
    let first = tokens.iter().find(|t| !t.kind.is_trivia())?;
    let last = tokens.iter().rev().find(|t| !t.kind.is_trivia())?;
    Some(first.span.to(last.span))
}

/// `VIP` in `segment "VIP" …`, so that references to a broken segment are not
/// reported a second time as unknown.
fn declared(tokens: &[Token], text: &str) -> Option<String> {
    let mut significant = tokens.iter().filter(|t| !t.kind.is_trivia());
    significant.next()?;
    let name = significant.next().filter(|t| t.kind == TokenKind::Text)?;
    text.get(name.span.range()).map(unquote)
}

fn outside_item(first: Span, text: &str) -> Diagnostic {
    let word = text.split_whitespace().next().unwrap_or("");
    let diagnostic = Diagnostic::new(Code::TextOutsideItem, first, format!("`{word}` stands before any segment"))
        .label("not part of a segment");
    if word.eq_ignore_ascii_case("segment") {
        return diagnostic.help("write the segment's name in quotes: `segment \"My segment\"`");
    }
    diagnostic.note("begin with `segment \"My segment\" include people who …`")
}

/// The byte ranges of every leaf of a successful parse of the item in `text`;
/// `None` when it does not parse. For the test that the grammar and the lexer
/// agree on where words begin and end.
pub fn leaves(text: &str) -> Option<Vec<(usize, usize)>> {
    fn walk(pair: Pair<'_, Rule>, out: &mut Vec<(usize, usize)>) {
        let span = pair.as_span();
        let is_end = pair.as_rule() == Rule::EOI;
        let mut is_leaf = true;
        for inner in pair.into_inner() {
            is_leaf = false;
            walk(inner, out);
        }
        if is_leaf && !is_end && span.start() < span.end() {
            out.push((span.start(), span.end()));
        }
    }
    let pairs = SegParser::parse(Rule::item, text).ok()?;
    let mut out = Vec::new();
    pairs.for_each(|pair| walk(pair, &mut out));
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ITEM_BYTES_MAX;

    fn codes(text: &str) -> Vec<&'static str> {
        parse(SourceId(0), text).diagnostics.iter().map(|d| d.code.number()).collect()
    }

    /// A segment padded with a comment to so many bytes.
    fn segment_of(bytes: usize) -> String {
        let start = "segment \"x\" include #";
        let end = "\neveryone";
        format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len()))
    }

    #[test]
    fn an_item_may_be_as_long_as_the_limit() {
        assert_eq!(codes(&segment_of(ITEM_BYTES_MAX)), Vec::<&str>::new());
        assert_eq!(codes(&segment_of(ITEM_BYTES_MAX + 1)), ["E0602"]);
    }

    #[test]
    fn a_file_may_be_as_long_as_the_limit() {
        let file = |bytes: usize| format!("segment \"x\" include everyone{}", " ".repeat(bytes - 28));
        assert_eq!(codes(&file(FILE_BYTES_MAX)), Vec::<&str>::new());
        assert_eq!(codes(&file(FILE_BYTES_MAX + 1)), ["E0603"]);
    }

    #[test]
    fn one_broken_item_leaves_the_others_whole() {
        let parsed = parse(SourceId(0), "segment \"a\" include (\nsegment \"b\" include everyone\nsegment \"c\" \"d\"");
        let whole = parsed.file.items.iter().filter(|i| matches!(i, Item::Segment(_))).count();
        assert_eq!((parsed.file.items.len(), whole, parsed.diagnostics.len()), (3, 1, 2));
    }
}
