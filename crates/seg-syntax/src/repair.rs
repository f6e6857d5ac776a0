//! One edit that makes a broken item parse: a word that stands twice, a slip in a word,
//! two words that have changed places, one too many or too few.
//!
//! Every edit has been tried before it is offered: the item with it is parsed and built
//! without a problem. The tries of a file are counted, so that a file full of broken
//! items costs no more than so many.

mod habits;

use crate::build::build_item;
use crate::diag::{Code, Diagnostic};
use crate::grammar::{Rule, SegParser};
use crate::source::Span;
use crate::token::{Token, TokenKind};
use pest::Parser;
use pest::error::InputLocation;
use pest::iterators::{Pair, Pairs};
use std::ops::Range;
use std::sync::OnceLock;

/// How much text is read again for all broken items of a file, in bytes.
pub(crate) const RETRIED_BYTES_MAX: usize = 100_000;

/// How far before and after the place of failure an edit is looked for, in tokens.
const TOKENS_BEFORE: usize = 10;
const TOKENS_AFTER: usize = 3;

/// Stands for an attribute or event that is not there.
const PLACEHOLDER: &str = "something";

/// The words whose absence is noticed most.
const LEFT_OUT: [&str; 20] = [
    "is",
    "than",
    "the past",
    "in the past",
    "past",
    "of",
    "and",
    "least",
    "most",
    "in",
    "with",
    "times",
    "to",
    "by",
    "at",
    "on",
    "not",
    "the",
    "or",
    "any",
];

/// What people write for a word of Seg.
const SYNONYMS: [(&str, &[&str]); 22] = [
    ("previous", &["past", "last"]),
    ("inside", &["within"]),
    ("having", &["with", "where"]),
    ("when", &["where"]),
    ("larger", &["more"]),
    ("bigger", &["more"]),
    ("smaller", &["less"]),
    ("minimum", &["least"]),
    ("maximum", &["most"]),
    ("null", &["missing"]),
    ("present", &["known"]),
    ("nor", &["or"]),
    ("plus", &["and"]),
    ("then", &["than"]),
    ("than", &["then"]),
    ("on", &["in", "of", "at"]),
    ("in", &["on", "of", "at"]),
    ("at", &["in", "on"]),
    ("by", &["at", "of"]),
    ("from", &["between", "since", "of"]),
    ("before", &["ago"]),
    ("d", &["days"]),
];

/// A broken item, and where reading it stopped.
pub(crate) struct Broken<'t> {
    /// Its text.
    pub text: &'t str,
    /// Where that is in the file.
    pub item: Span,
    /// Its tokens, in the file.
    pub tokens: &'t [Token],
    /// Where reading it stopped, in the file.
    pub at: u32,
}

/// An edit of a text.
struct Edit {
    span: Span,
    replacement: String,
}

impl Broken<'_> {
    /// What is wrong with the item, with one edit that mends it, if there is one of
    /// which there is hardly a doubt: a word that stands twice, a slip, a changed place.
    pub(crate) fn slip(&self, left: &mut usize) -> Option<Diagnostic> {
        self.search(left, |search| {
            let found = search.doubled().or_else(|| search.misspelt()).or_else(|| search.habit());
            let found = found.or_else(|| search.without_subject());
            // What ends too early is not finished yet, and more than a slip would be a guess.
            match search.is_at_end() {
                true => found,
                false => found.or_else(|| search.article()).or_else(|| search.swapped()),
            }
        })
    }

    /// The same with a word for another, or one that is missing or too much.
    pub(crate) fn other_word(&self, left: &mut usize) -> Option<Diagnostic> {
        self.search(left, |search| {
            let found = match search.is_at_end() {
                true => search.synonym().or_else(|| search.half_of_a_bound()),
                false => search.synonym().or_else(|| search.left_out()).or_else(|| search.too_much()),
            };
            found.or_else(|| search.first_slip())
        })
    }

    /// What is wrong where the only problem is a bracket, of which reading has not begun:
    /// the other one may be missing at one place.
    pub(crate) fn bracket(&self, problem: &Diagnostic, left: &mut usize) -> Option<Diagnostic> {
        let (code, at) = (problem.code, problem.primary.span);
        self.search(left, |search| match code {
            Code::UnclosedBracket => search.closed_at_end(at),
            Code::StrayBracket => search.opened_before(at),
            _ => None,
        })
    }

    fn search(
        &self,
        left: &mut usize,
        edits: impl FnOnce(&mut Search<'_, '_>) -> Option<Diagnostic>,
    ) -> Option<Diagnostic> {
        let tokens: Vec<&Token> = self.tokens.iter().filter(|t| !t.kind.is_trivia()).collect();
        let failed = tokens.iter().position(|t| t.span.end > self.at).unwrap_or(tokens.len());
        let (from, to) = (failed.saturating_sub(TOKENS_BEFORE), (failed + TOKENS_AFTER).min(tokens.len()));
        let near = tokens.get(from..to)?;
        edits(&mut Search { broken: self, near, failed: failed - from, left })
    }

    fn words(&self, span: Span) -> &str {
        let (start, end) = ((span.start - self.item.start) as usize, (span.end - self.item.start) as usize);
        self.text.get(start..end).unwrap_or("")
    }
}

/// What an edit does to an item.
#[derive(PartialEq, Eq)]
enum Outcome {
    /// It is understood.
    Whole,
    /// It is understood further than before.
    Further,
    Broken,
}

struct Search<'b, 'l> {
    broken: &'b Broken<'b>,
    /// The tokens in which an edit is looked for.
    near: &'b [&'b Token],
    /// Which of them was not understood; one past the end where the item ends too early.
    failed: usize,
    /// How much text may be read again.
    left: &'l mut usize,
}

impl Search<'_, '_> {
    /// Whether the item is understood with an edit.
    fn mends(&mut self, edit: &Edit) -> bool {
        self.outcome(edit) == Outcome::Whole
    }

    fn outcome(&mut self, edit: &Edit) -> Outcome {
        let Broken { text, item, at, .. } = self.broken;
        let Some(left) = self.left.checked_sub(text.len()) else { return Outcome::Broken };
        *self.left = left;
        let (start, end) = ((edit.span.start - item.start) as usize, (edit.span.end - item.start) as usize);
        let (Some(before), Some(after)) = (text.get(..start), text.get(end..)) else { return Outcome::Broken };
        let edited = format!("{before}{}{after}", edit.replacement);
        let failure = match SegParser::parse(Rule::item, &edited) {
            // A word of the language that has become a part of a name is no repair.
            Ok(pairs) if hides_a_word(&pairs, &edited, start..start + edit.replacement.len()) => {
                return Outcome::Broken;
            }
            Ok(pairs) => {
                let (_, problems) = build_item(item.source, 0, &edited, pairs);
                return if problems.is_empty() { Outcome::Whole } else { Outcome::Broken };
            }
            Err(failure) => failure,
        };
        // Where it fails now, counted in the text before the edit.
        let (InputLocation::Pos(now) | InputLocation::Span((now, _))) = failure.location;
        let now = (now + (end - start)).saturating_sub(edit.replacement.len());
        if now > (*at - item.start) as usize && now > end { Outcome::Further } else { Outcome::Broken }
    }

    /// From the place of failure backwards, then the few after it.
    fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let (failed, n) = (self.failed, self.near.len());
        (0..n.min(failed + 1)).rev().chain(failed + 1..n)
    }

    fn word(&self, at: usize) -> Option<&str> {
        let token = self.near.get(at)?;
        (token.kind == TokenKind::Word).then(|| self.broken.words(token.span))
    }

    /// An edit that takes a token away, with the space before it.
    fn without(&self, at: usize) -> Option<Edit> {
        let span = self.near.get(at)?.span;
        let start = at.checked_sub(1).and_then(|before| self.near.get(before)).map_or(span.start, |t| t.span.end);
        Some(Edit { span: Span { start, ..span }, replacement: String::new() })
    }

    /// `in the past past 7 days`
    fn doubled(&mut self) -> Option<Diagnostic> {
        for at in self.places() {
            let (Some(before), Some(token)) = (at.checked_sub(1).and_then(|b| self.near.get(b)), self.near.get(at))
            else {
                continue;
            };
            let words = self.broken.words(token.span);
            if !words.eq_ignore_ascii_case(self.broken.words(before.span)) || token.kind == TokenKind::OpenBracket {
                continue;
            }
            let (words, span) = (words.to_owned(), token.span);
            let edit = self.without(at)?;
            if self.mends(&edit) {
                return Some(
                    Diagnostic::new(Code::UnexpectedText, span, format!("`{words}` stands twice"))
                        .label("the second")
                        .fix(edit.span, edit.replacement, "leave one of them out"),
                );
            }
        }
        None
    }

    /// `withing the past 3 days`
    fn misspelt(&mut self) -> Option<Diagnostic> {
        self.slip_with(Outcome::Whole)
    }

    /// The first of several mistakes, if it is a slip in a word.
    fn first_slip(&mut self) -> Option<Diagnostic> {
        self.slip_with(Outcome::Further)
    }

    fn slip_with(&mut self, wanted: Outcome) -> Option<Diagnostic> {
        for at in self.places() {
            let Some(word) = self.word(at) else { continue };
            let (word, span) = (word.to_owned(), self.near.get(at)?.span);
            for right in like(&word) {
                let edit = Edit { span, replacement: right.to_owned() };
                if self.outcome(&edit) == wanted {
                    return Some(
                        Diagnostic::new(Code::UnexpectedText, span, format!("`{word}` is not a word Seg knows"))
                            .label("read as part of a name, after which the sentence makes no sense")
                            .fix(span, right, format!("did you mean `{right}`?")),
                    );
                }
            }
        }
        None
    }

    /// `in the each of the past 4 weeks`
    fn article(&mut self) -> Option<Diagnostic> {
        for at in self.places() {
            let is_article = self.word(at).is_some_and(|word| {
                ["the", "a", "an", "their"].iter().any(|article| word.eq_ignore_ascii_case(article))
            });
            if is_article && let Some(found) = self.taken_away(at) {
                return Some(found);
            }
        }
        None
    }

    /// `people who is before today`: nothing stands before the comparison.
    fn without_subject(&mut self) -> Option<Diagnostic> {
        const BEFORE: [&str; 7] = ["people", "who", "whose", "and", "or", "but", "("];
        for at in self.places() {
            let before = at.checked_sub(1).and_then(|before| self.near.get(before)).map(|t| self.broken.words(t.span));
            if !before.is_some_and(|before| BEFORE.iter().any(|word| before.eq_ignore_ascii_case(word))) {
                continue;
            }
            let span = self.near.get(at)?.span;
            let words = self.broken.words(span).to_owned();
            let edit = Edit { span: Span { end: span.start, ..span }, replacement: format!("{PLACEHOLDER} ") };
            if self.mends(&edit) {
                return Some(
                    Diagnostic::new(Code::UnexpectedText, span, format!("what is `{words}` said of?"))
                        .label("no attribute and no event stands before it")
                        .note("a condition begins with what it is about: `country is \"DE\"`, `ordered today`"),
                );
            }
        }
        None
    }

    /// `is least 500`, where what is missing would end the sentence too early.
    fn half_of_a_bound(&mut self) -> Option<Diagnostic> {
        for at in self.places() {
            let missing = match self.word(at).map(str::to_lowercase).as_deref() {
                Some("least" | "most") => "at",
                Some("past") => "the",
                _ => continue,
            };
            if let Some(found) = self.inserted(at, missing) {
                return Some(found);
            }
        }
        None
    }

    fn inserted(&mut self, at: usize, word: &str) -> Option<Diagnostic> {
        let span = self.near.get(at)?.span;
        let words = self.broken.words(span).to_owned();
        let edit = Edit { span: Span { end: span.start, ..span }, replacement: format!("{word} ") };
        let fits = self.mends(&edit);
        fits.then(|| {
            Diagnostic::new(Code::UnexpectedText, span, format!("a word is missing before `{words}`"))
                .label("before this")
                .fix(edit.span, edit.replacement, format!("did you mean `{word} {words}`?"))
        })
    }

    /// The token at the place of failure, or the one before it.
    fn too_much(&mut self) -> Option<Diagnostic> {
        let before = self.failed.checked_sub(1);
        [Some(self.failed), before].into_iter().flatten().find_map(|at| self.taken_away(at))
    }

    fn taken_away(&mut self, at: usize) -> Option<Diagnostic> {
        let span = self.near.get(at)?.span;
        let words = self.broken.words(span).to_owned();
        let edit = self.without(at)?;
        let fits = self.mends(&edit);
        fits.then(|| {
            Diagnostic::new(Code::UnexpectedText, span, format!("`{words}` does not fit here")).label("too much").fix(
                edit.span,
                edit.replacement,
                format!("leave `{words}` out"),
            )
        })
    }

    fn is_at_end(&self) -> bool {
        self.failed == self.near.len()
    }

    /// `least at 3`
    fn swapped(&mut self) -> Option<Diagnostic> {
        // Nearest to where reading stopped first: what stands before that was understood.
        let (from, failed) = (self.failed.saturating_sub(4), self.failed);
        for at in [failed, failed + 1].into_iter().chain((from..failed).rev()) {
            let (Some(before), Some(token)) = (at.checked_sub(1).and_then(|b| self.near.get(b)), self.near.get(at))
            else {
                continue;
            };
            let span = before.span.to(token.span);
            let (first, second) = (self.broken.words(before.span).to_owned(), self.broken.words(token.span).to_owned());
            if ["(", ")", ","].contains(&first.as_str()) || ["(", ")", ","].contains(&second.as_str()) {
                continue;
            }
            let edit = Edit { span, replacement: format!("{second} {first}") };
            if self.mends(&edit) {
                return Some(
                    Diagnostic::new(Code::UnexpectedText, span, format!("`{first} {second}` does not fit here"))
                        .label("the other way round?")
                        .fix(span, edit.replacement, format!("did you mean `{second} {first}`?")),
                );
            }
        }
        None
    }

    /// `in the previous 7 days`
    fn synonym(&mut self) -> Option<Diagnostic> {
        for at in self.places() {
            let Some(word) = self.word(at) else { continue };
            let (word, span) = (word.to_owned(), self.near.get(at)?.span);
            let rights = SYNONYMS.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(&word)).map(|(_, ours)| *ours);
            for right in rights.into_iter().flatten() {
                let edit = Edit { span, replacement: (*right).to_owned() };
                if self.mends(&edit) {
                    return Some(
                        Diagnostic::new(Code::UnexpectedText, span, format!("`{word}` does not fit here"))
                            .label("another word is needed")
                            .fix(span, *right, format!("did you mean `{right}`?")),
                    );
                }
            }
        }
        None
    }

    /// `not (country is "DE"`
    fn closed_at_end(&mut self, open: Span) -> Option<Diagnostic> {
        let last = self.broken.tokens.iter().rev().find(|token| !token.kind.is_trivia())?.span;
        let end = Span { start: last.end, ..last };
        let fits = self.mends(&Edit { span: end, replacement: ")".to_owned() });
        fits.then(|| {
            Diagnostic::new(Code::UnclosedBracket, last, "`(` is never closed")
                .label("`)` is missing behind this")
                .also(open, "opened here")
                .fix(end, ")", "add the missing `)`")
        })
    }

    /// `any of Email Opened, Email Clicked) in the past 3 days`, where leaving the bracket
    /// out makes no sense.
    fn opened_before(&mut self, stray: Span) -> Option<Diagnostic> {
        const BEFORE: [&str; 14] =
            ["of", "not", "has", "have", "where", "than", "with", "plus", "minus", "times", "by", "and", "or", "who"];
        if self.mends(&Edit { span: stray, replacement: String::new() }) {
            return None;
        }
        let end = self.near.iter().position(|token| token.span == stray)?;
        for at in (1..end).rev() {
            let before = self.word(at - 1).unwrap_or("");
            if !BEFORE.iter().any(|word| word.eq_ignore_ascii_case(before)) {
                continue;
            }
            let span = self.near.get(at)?.span;
            let start = Span { end: span.start, ..span };
            if self.mends(&Edit { span: start, replacement: "(".to_owned() }) {
                return Some(
                    Diagnostic::new(Code::StrayBracket, span, "`)` closes nothing")
                        .label("`(` is missing before this")
                        .also(stray, "no bracket is open here")
                        .fix(start, "(", "add the `(` it belongs to"),
                );
            }
        }
        None
    }

    /// `more 50`
    fn left_out(&mut self) -> Option<Diagnostic> {
        for at in [self.failed, self.failed.saturating_sub(1)] {
            if at < self.near.len()
                && let Some(found) = LEFT_OUT.iter().find_map(|word| self.inserted(at, word))
            {
                return Some(found);
            }
        }
        None
    }
}

/// Whether a word of the language between two places is not read as one.
fn hides_a_word(pairs: &Pairs<'_, Rule>, text: &str, between: Range<usize>) -> bool {
    let mut leaves = Vec::new();
    pairs.clone().for_each(|pair| leaves_of(pair, &mut leaves));
    let edited = text.get(between.clone()).unwrap_or("");
    edited.split(' ').any(|word| {
        let start = between.start + (word.as_ptr() as usize - edited.as_ptr() as usize);
        is_of_language(word) && !leaves.contains(&(start..start + word.len()))
    })
}

fn leaves_of(pair: Pair<'_, Rule>, out: &mut Vec<Range<usize>>) {
    let span = pair.as_span();
    let is_name = matches!(pair.as_rule(), Rule::bare_name | Rule::of_run | Rule::zone_name | Rule::channel_word);
    let mut inner = pair.into_inner().peekable();
    if inner.peek().is_none() && !is_name {
        let words = span.as_str().trim_end();
        out.push(span.start()..span.start() + words.len());
    }
    inner.for_each(|inner| leaves_of(inner, out));
}

fn is_of_language(word: &str) -> bool {
    words().binary_search(&word.to_lowercase().as_str()).is_ok()
}

/// The words of the language that a word is a slip of, the nearest first.
fn like(word: &str) -> Vec<&'static str> {
    let lower = word.to_lowercase();
    if lower.len() < 2 || is_of_language(word) {
        return Vec::new();
    }
    let mut near: Vec<(usize, &str)> = words()
        .iter()
        .filter(|known| known.len().abs_diff(lower.len()) <= 2 && **known != lower)
        .map(|known| (strsim::damerau_levenshtein(&lower, known), *known))
        .filter(|(distance, known)| *distance <= 1 + usize::from(known.len() > 5) && *distance < known.len())
        .collect();
    near.sort_unstable();
    near.truncate(4);
    near.into_iter().map(|(_, known)| known).collect()
}

/// Every word that the grammar spells out.
fn words() -> &'static [&'static str] {
    static WORDS: OnceLock<Vec<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let grammar = include_str!("../../../grammar/seg.pest");
        let quoted = grammar.split("^\"").skip(1).filter_map(|rest| rest.split('"').next());
        let mut words: Vec<&str> =
            quoted.filter(|word| word.len() > 1 && word.bytes().all(|b| b.is_ascii_lowercase())).collect();
        words.sort_unstable();
        words.dedup();
        words
    })
}
