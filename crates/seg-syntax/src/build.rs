//! Pest pairs to AST. Here a sentence that the grammar accepts, but that could
//! be read two ways, becomes an error with both readings.

mod carried;
mod comparison;
mod compound;
mod condition;
mod ends;
mod filter;
mod head;
mod history;
mod item;
mod moment;
mod sequence;
mod since;
mod time;
mod value;
mod verbs;

use crate::ast::{Expr, Group, GroupForm, Item, Literal, OperandKind, Quantifier, Title};
use crate::diag::{Code, Diagnostic};
use crate::grammar::Rule;
use crate::source::{SourceId, Span};
use pest::iterators::{Pair, Pairs};
use since::since_alone;
use verbs::with_shared_objects;

/// How many characters of the user's words a message repeats.
const WORDS_MAX: usize = 160;

/// What building one item needs: where its slice starts in the file, and a
/// place to report problems.
pub(crate) struct Builder<'a> {
    source: SourceId,
    base: u32,
    text: &'a str,
    diagnostics: Vec<Diagnostic>,
}

/// Builds the item that `pairs` (a successful parse of `text`, which starts at
/// byte `base` of its file) describes.
pub(crate) fn build_item(
    source: SourceId,
    base: u32,
    text: &str,
    pairs: Pairs<'_, Rule>,
) -> (Option<Item>, Vec<Diagnostic>) {
    let mut builder = Builder { source, base, text, diagnostics: Vec::new() };
    let item =
        pairs.flat_map(Pair::into_inner).find(|pair| pair.as_rule() != Rule::EOI).and_then(|pair| builder.item(pair));
    (item, builder.diagnostics)
}

impl Builder<'_> {
    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        // A structural rule ends where its last piece does: implicit white
        // space after an optional piece that did not come is not part of it.
        let end = span.start() + without_trailing_trivia(span.as_str()).len();
        Span::new(self.source, self.base + span.start() as u32, self.base + end as u32)
    }

    /// What the item says under a span, short enough for a message.
    fn words(&self, span: Span) -> String {
        let words = self.all_words(span);
        match words.char_indices().nth(WORDS_MAX) {
            Some((at, _)) => format!("{}…", words.get(..at).unwrap_or("")),
            None => words,
        }
    }

    fn all_words(&self, span: Span) -> String {
        let start = (span.start - self.base) as usize;
        let end = (span.end - self.base) as usize;
        single_spaced(self.text.get(start..end).unwrap_or(""))
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn title(&self, pair: &Pair<'_, Rule>) -> Title {
        Title { text: unquote(pair.as_str()), span: self.span(pair) }
    }

    /// The expression inside a pair that holds one.
    fn expression_in(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        match pair.into_inner().find(|p| p.as_rule() == Rule::expression) {
            Some(expression) => self.expression(expression),
            None => Expr::Error(span),
        }
    }

    fn expression(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let mut members: Vec<Expr> = Vec::new();
        let mut connectives: Vec<(Connective, Span)> = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::connective => connectives.push(self.connective(part)),
                Rule::had_carried => {
                    let word = connectives.last().map(|(word, _)| *word);
                    let member = self.had_carried(members.last(), word, part);
                    members.push(member);
                }
                Rule::clause => {
                    let detached = self.detached_value(&part, members.last(), connectives.last());
                    let since = since_alone(&part).map(|since| self.span(&since));
                    let member = self.clause(part);
                    let member = if detached { Expr::Error(member.span()) } else { member };
                    let word = connectives.last().map(|(word, _)| *word);
                    let member = match since {
                        Some(since) => self.since_event_before(members.last_mut(), word, member, since),
                        None => Some(member),
                    };
                    match member {
                        Some(member) => members.push(member),
                        // It has become a part of the one before.
                        None => drop(connectives.pop()),
                    }
                }
                _ => {}
            }
        }
        let (members, connectives) = with_shared_objects(members, connectives);
        self.joined(members, &connectives, span)
    }

    /// Conditions joined by words, of which there is one kind.
    fn joined(&mut self, mut members: Vec<Expr>, connectives: &[(Connective, Span)], span: Span) -> Expr {
        if members.len() == 1 {
            return members.pop().unwrap_or(Expr::Error(span));
        }
        let first = connectives.first().map_or(Connective::And, |c| c.0);
        if let Some(&(_, second_at)) = connectives.iter().find(|c| c.0 != first) {
            let first_at = connectives.first().map_or(span, |c| c.1);
            self.report(self.mixed_and_or(&members, connectives, first_at, second_at));
            return Expr::Error(span);
        }
        let quantifier = match first {
            Connective::And => Quantifier::All,
            Connective::Or => Quantifier::Any,
        };
        Expr::Group(Group { quantifier, members, form: GroupForm::Chain, span })
    }

    fn connective(&mut self, pair: Pair<'_, Rule>) -> (Connective, Span) {
        let span = self.span(&pair);
        let mut kind = Connective::And;
        let mut at = span;
        for word in pair.into_inner() {
            at = self.span(&word);
            kind = match word.as_rule() {
                Rule::kw_or => Connective::Or,
                Rule::mistake_or => self.mistaken_connective(&word, "or", Connective::Or),
                Rule::mistake_and => self.mistaken_connective(&word, "and", Connective::And),
                _ => Connective::And,
            };
        }
        (kind, at)
    }

    fn mistaken_connective(&mut self, word: &Pair<'_, Rule>, right: &str, kind: Connective) -> Connective {
        let span = self.span(word);
        self.report(
            Diagnostic::new(Code::MistakenSymbol, span, format!("`{}` is written as a word", word.as_str()))
                .label("conditions are joined by words")
                .fix(span, right, format!("write `{right}`")),
        );
        kind
    }

    /// `A and B or C`: both ways to bracket it, shown on the conditions around
    /// the first place where the word changes.
    fn mixed_and_or(
        &self,
        members: &[Expr],
        connectives: &[(Connective, Span)],
        first_at: Span,
        second_at: Span,
    ) -> Diagnostic {
        let changes = connectives.iter().position(|c| c.1 == second_at).unwrap_or(0);
        let from = changes.saturating_sub(2);
        let members = members.get(from..(changes + 2).min(members.len())).unwrap_or(members);
        let connectives = connectives.get(from..=changes).unwrap_or(connectives);
        let diagnostic = Diagnostic::new(Code::MixedAndOr, second_at, "`and` and `or` are mixed without brackets")
            .label(format!("`{}` here", self.words(second_at)))
            .also(first_at, format!("`{}` here", self.words(first_at)))
            .note("`but` and `but not` count as `and`");
        // Brackets mend nothing around what is no condition.
        if members.iter().any(|member| matches!(member, Expr::Error(_)) || is_value(member)) {
            return diagnostic;
        }
        diagnostic
            .help(format!("either `{}`", self.bracketed(members, connectives, Connective::And)))
            .help(format!("or `{}`", self.bracketed(members, connectives, Connective::Or)))
    }

    /// The chain as text, with every run joined by `tight` in brackets.
    fn bracketed(&self, members: &[Expr], connectives: &[(Connective, Span)], tight: Connective) -> String {
        let mut runs: Vec<Vec<String>> = vec![Vec::new()];
        for (idx, member) in members.iter().enumerate() {
            let joined = idx == 0 || connectives.get(idx - 1).is_none_or(|c| c.0 == tight);
            if !joined {
                runs.push(Vec::new());
            }
            if let Some(run) = runs.last_mut() {
                run.push(self.words(member.span()));
            }
        }
        let parts: Vec<String> = runs
            .iter()
            .map(|run| match run.as_slice() {
                [one] => one.clone(),
                many => format!("({})", many.join(tight.word())),
            })
            .collect();
        parts.join(tight.other().word())
    }

    /// `country is "US" or "GB"`: the second value belongs to nothing.
    fn detached_value(
        &mut self,
        clause: &Pair<'_, Rule>,
        before: Option<&Expr>,
        connective: Option<&(Connective, Span)>,
    ) -> bool {
        use crate::ast::{ModifierKind, Relation};
        let Some(Expr::Condition(condition)) = before else { return false };
        let Some(ModifierKind::Comparison(comparison)) = condition.modifiers.last().map(|t| &t.kind) else {
            return false;
        };
        let span = self.span(clause);
        let is_value = only_leaf(clause.clone()).is_some_and(|leaf| leaf == Rule::literal);
        if !is_value {
            return false;
        }
        let subject = self.words(condition.subject.span);
        let value = self.words(span);
        let both = match &comparison.relation {
            Relation::Order(_, right) => format!("{subject} is one of {}, {value}", self.words(right.span)),
            Relation::OneOf(values) | Relation::NoneOf(values) => {
                let words: Vec<String> = values.iter().map(|v| self.words(v.span)).collect();
                format!("{subject} is one of {}, {value}", words.join(", "))
            }
            // Other comparisons are said in full twice.
            _ => {
                let said = condition.modifiers.last().map_or(String::new(), |t| self.words(t.span));
                let verb = said.rsplit_once(' ').map_or("", |(verb, _)| verb);
                let word = connective.map_or(" or ", |c| c.0.word());
                format!("{subject} {said}{word}{subject} {verb} {value}")
            }
        };
        let word = connective.map_or("or", |c| c.0.word().trim());
        let mut diagnostic =
            Diagnostic::new(Code::DetachedValue, span, format!("{value} after `{word}` is not a condition"))
                .label("a value, but of what?")
                .help(format!("for several values: `{both}`"));
        if value.starts_with('"') {
            diagnostic = diagnostic.help(format!("for an event of that name: `{word} did {value}`"));
        }
        self.report(diagnostic);
        true
    }
}

/// `and` or `or`; `but` is an `and`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connective {
    And,
    Or,
}

impl Connective {
    fn word(self) -> &'static str {
        match self {
            Connective::And => " and ",
            Connective::Or => " or ",
        }
    }

    fn other(self) -> Connective {
        match self {
            Connective::And => Connective::Or,
            Connective::Or => Connective::And,
        }
    }
}

/// A value of which nothing is said.
fn is_value(member: &Expr) -> bool {
    let Expr::Condition(c) = member else { return false };
    let is_named = matches!(&c.subject.kind, OperandKind::Literal(Literal::Text(_))) && c.prefix.copula.is_none();
    matches!(c.subject.kind, OperandKind::Literal(_)) && c.modifiers.is_empty() && !is_named
}

/// The rule below a chain of single children, down to `literal` or a leaf.
fn only_leaf(pair: Pair<'_, Rule>) -> Option<Rule> {
    let mut rule = pair.as_rule();
    let mut inner = pair.into_inner();
    while rule != Rule::literal {
        let Some(child) = inner.next() else { break };
        if inner.next().is_some() {
            return None;
        }
        rule = child.as_rule();
        inner = child.into_inner();
    }
    Some(rule)
}

/// The text of a quoted literal: without its quotes, `""` read as `"`.
pub(crate) fn unquote(raw: &str) -> String {
    raw.strip_prefix('"').and_then(|r| r.strip_suffix('"')).unwrap_or(raw).replace("\"\"", "\"")
}

/// Words with one space between them, comments left out.
pub(crate) fn single_spaced(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for line in raw.lines() {
        for word in without_comment(line).split_whitespace() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
    }
    out
}

/// The text up to its last word: pest takes the space and the comments before
/// an optional piece even when the piece does not come.
fn without_trailing_trivia(text: &str) -> &str {
    let mut text = text.trim_end();
    loop {
        let line_start = text.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let line = text.get(line_start..).unwrap_or("");
        let kept = without_comment(line);
        if kept.len() == line.len() {
            return text;
        }
        text = text.get(..line_start + kept.len()).unwrap_or("").trim_end();
    }
}

/// The part of a line before a `#` that is not inside a text.
fn without_comment(line: &str) -> &str {
    let mut in_text = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => in_text = !in_text,
            '#' if !in_text => return line.get(..at).unwrap_or(line),
            _ => {}
        }
    }
    line
}
